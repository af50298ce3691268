//! Metadata (API key 3): where brokers and partitions are; unknown topics may be made on the way.
//! Kafka: `KafkaApis.handleTopicMetadataRequest`, `KRaftMetadataCache`.

use simulation::sorted::SortedSet;

use super::{KafkaNode, ReplyTo};
use crate::controller::image::{MetadataImage, PartitionRegistration, TopicImage};
use crate::protocol::{
    ErrorCode, MetadataRequest, MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
    NodeEndpoint,
};
use crate::topic_names;
use crate::types::BrokerId;
use crate::uuid::Uuid;
use crate::world::ProcessContext;

impl KafkaNode {
    pub(super) fn handle_metadata(
        &mut self,
        reply_to: ReplyTo,
        request: &MetadataRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let controller_id = self.random_alive_broker(context);
        let image = self.image();
        let mut topics = Vec::new();
        let mut unknown = SortedSet::new();
        match &request.topics {
            None => {
                let all = image.topics_by_name.values().filter_map(|id| image.topics.get(id));
                topics.extend(all.map(|topic| describe(image, topic)));
            }
            Some(wanted) => {
                for topic in wanted {
                    match &topic.name {
                        Some(name) => match image.topic(name) {
                            Some(topic) => topics.push(describe(image, topic)),
                            None => {
                                unknown.insert(name.clone());
                            }
                        },
                        None => match image.topics.get(&topic.topic_id) {
                            Some(topic) => topics.push(describe(image, topic)),
                            None => topics.push(MetadataResponseTopic {
                                error_code: ErrorCode::UnknownTopicId.code(),
                                topic_id: topic.topic_id,
                                ..MetadataResponseTopic::default()
                            }),
                        },
                    }
                }
            }
        }
        let create =
            request.allow_auto_topic_creation && self.broker_boolean("auto.create.topics.enable");
        let mut to_create = Vec::new();
        for name in unknown {
            let error = if topic_names::validate(&name).is_err() {
                ErrorCode::InvalidTopicException
            } else {
                if create {
                    to_create.push(name.clone());
                }
                ErrorCode::UnknownTopicOrPartition
            };
            topics.push(MetadataResponseTopic {
                error_code: error.code(),
                is_internal: topic_names::is_internal(&name),
                name: Some(name),
                topic_id: Uuid::ZERO,
                partitions: Vec::new(),
            });
        }
        let response = MetadataResponse {
            throttle_time_ms: 0,
            brokers: self.alive_brokers(),
            cluster_id: Some(self.identity.cluster_id.clone()),
            controller_id,
            topics,
            error_code: 0,
        };
        Self::reply(reply_to, response, context);
        self.auto_create_topics(to_create, context);
    }

    /// The brokers that clients may talk to.
    pub(super) fn alive_brokers(&self) -> Vec<NodeEndpoint> {
        let alive = self.image().brokers.values().filter(|broker| !broker.fenced);
        self.endpoints_of(alive.map(|broker| broker.id).collect())
    }

    /// Whom clients are told as the controller: any broker, as all forward to it.
    pub(super) fn random_alive_broker(&self, context: &mut ProcessContext<'_>) -> BrokerId {
        let alive: Vec<BrokerId> = self
            .image()
            .brokers
            .values()
            .filter(|broker| !broker.fenced)
            .map(|broker| broker.id)
            .collect();
        match alive.len() as u64 {
            0 => -1,
            count => alive[context.random().below(count) as usize],
        }
    }
}

fn describe(image: &MetadataImage, topic: &TopicImage) -> MetadataResponseTopic {
    let partitions = topic.partitions.iter().map(|(index, partition)| {
        let leader = alive_leader(image, partition);
        MetadataResponsePartition {
            error_code: match leader {
                Some(_) => ErrorCode::None.code(),
                None if image.brokers.contains_key(&partition.leader) => {
                    ErrorCode::ListenerNotFound.code()
                }
                None => ErrorCode::LeaderNotAvailable.code(),
            },
            partition_index: *index,
            leader_id: leader.unwrap_or(-1),
            leader_epoch: partition.leader_epoch,
            replica_nodes: partition.replicas.clone(),
            isr_nodes: partition.isr.clone(),
            offline_replicas: offline_replicas(image, partition),
        }
    });
    MetadataResponseTopic {
        error_code: 0,
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic_names::is_internal(&topic.name),
        partitions: partitions.collect(),
    }
}

/// The leader, if clients can reach it.
pub(super) fn alive_leader(
    image: &MetadataImage,
    partition: &PartitionRegistration,
) -> Option<BrokerId> {
    image.brokers.get(&partition.leader).filter(|broker| !broker.fenced).map(|broker| broker.id)
}

pub(super) fn offline_replicas(
    image: &MetadataImage,
    partition: &PartitionRegistration,
) -> Vec<BrokerId> {
    let offline = |id: &&BrokerId| image.brokers.get(id).is_none_or(|broker| broker.fenced);
    partition.replicas.iter().filter(offline).copied().collect()
}
