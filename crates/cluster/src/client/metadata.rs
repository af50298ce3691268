//! What a client knows of the cluster, and when it asks again. Kafka: `Metadata`, `ProducerMetadata`, `MetadataSnapshot`.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::{Draw, Micros};

use super::backoff::ExponentialBackoff;
use crate::protocol::{
    ErrorCode, LeaderIdAndEpoch, MetadataRequest, MetadataRequestTopic, MetadataResponse,
    NodeEndpoint,
};
use crate::types::{BrokerId, PartitionIndex, TopicPartition};
use crate::uuid::Uuid;

/// Which topics a client wants to know about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interest {
    /// Only brokers and the controller: an admin client.
    BrokersOnly,
    /// These.
    Topics(SortedSet<String>),
    /// All: a subscription by pattern.
    AllTopics,
}

/// A topic as the last response that named it had it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicMetadata {
    pub id: Uuid,
    pub internal: bool,
    /// By partition index.
    pub partitions: Vec<PartitionMetadata>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionMetadata {
    pub error_code: i16,
    pub leader: Option<BrokerId>,
    pub leader_epoch: i32,
    pub replicas: Vec<BrokerId>,
    pub isr: Vec<BrokerId>,
    pub offline_replicas: Vec<BrokerId>,
}

/// The cluster as the client sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metadata {
    pub cluster_id: Option<String>,
    pub controller: Option<BrokerId>,
    pub brokers: SortedMap<BrokerId, NodeEndpoint>,
    pub topics: SortedMap<String, TopicMetadata>,
    /// Errors of topics in the last response.
    pub topic_errors: SortedMap<String, i16>,
    /// Counts responses.
    pub update_version: u32,
    /// Counts changes of what is known.
    version: u32,
    pub interest: Interest,
    pub allow_auto_topic_creation: bool,
    /// Topics wanted since the last response: asked for alone.
    new_topics: SortedSet<String>,
    need_full_update: bool,
    need_partial_update: bool,
    last_success: Option<Micros>,
    /// Not before this time.
    allowed_at: Micros,
    attempts: u32,
    equivalent_responses: u32,
    max_age: Micros,
    backoff: ExponentialBackoff,
}

impl Metadata {
    pub fn new(interest: Interest, max_age: Micros, backoff: ExponentialBackoff) -> Self {
        Self {
            cluster_id: None,
            controller: None,
            brokers: SortedMap::new(),
            topics: SortedMap::new(),
            topic_errors: SortedMap::new(),
            update_version: 0,
            version: 0,
            interest,
            allow_auto_topic_creation: true,
            new_topics: SortedSet::new(),
            need_full_update: false,
            need_partial_update: false,
            last_success: None,
            allowed_at: Micros::ZERO,
            attempts: 0,
            equivalent_responses: 0,
            max_age,
            backoff,
        }
    }

    /// Another number whenever brokers, topics or leaders are known to have changed.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Nothing is known yet but the bootstrap addresses.
    pub fn is_bootstrap(&self) -> bool {
        self.brokers.is_empty()
    }

    /// Forgets the brokers, so that the bootstrap addresses are asked again. Kafka: `rebootstrap`.
    pub fn rebootstrap(&mut self) {
        self.brokers.clear();
        self.controller = None;
        self.version += 1;
        self.need_full_update = true;
    }

    /// Wants to know about one more topic from the next update on. Kafka: `ProducerMetadata.add`.
    pub fn add_topic(&mut self, topic: &str) {
        if let Interest::Topics(topics) = &mut self.interest
            && topics.insert(topic.to_owned())
        {
            self.new_topics.insert(topic.to_owned());
        }
    }

    /// Wants to know about a topic soon. Kafka: `ProducerMetadata.requestUpdateForTopic`.
    pub fn request_update_for_topic(&mut self, topic: &str) {
        self.add_topic(topic);
        if self.new_topics.contains(topic) {
            self.request_update_for_new_topics();
        } else {
            self.request_update(false);
        }
    }

    fn request_update_for_new_topics(&mut self) {
        if !self.need_partial_update {
            self.allowed_at = Micros::ZERO;
            self.equivalent_responses = 0;
        }
        self.need_partial_update = true;
    }

    /// Replaces the topics of interest; an update follows if there is a new one.
    pub fn set_topics(&mut self, topics: SortedSet<String>) {
        let known = match &self.interest {
            Interest::Topics(known) => known.clone(),
            _ => SortedSet::new(),
        };
        let new: SortedSet<String> = topics.difference(&known).cloned().collect();
        self.interest = Interest::Topics(topics);
        if !new.is_empty() {
            self.new_topics.extend(new);
            self.request_update_for_new_topics();
        }
    }

    /// No longer wants to know about a topic.
    pub fn forget_topic(&mut self, topic: &str) {
        if let Interest::Topics(topics) = &mut self.interest {
            topics.remove(topic);
        }
        self.new_topics.remove(topic);
        self.topics.remove(topic);
        self.topic_errors.remove(topic);
        self.version += 1;
    }

    /// What is known may be out of date. Kafka: `requestUpdate`.
    pub fn request_update(&mut self, reset_equivalent_response_backoff: bool) {
        self.need_full_update = true;
        if reset_equivalent_response_backoff {
            self.equivalent_responses = 0;
        }
    }

    pub fn update_requested(&self) -> bool {
        self.need_full_update || self.need_partial_update
    }

    /// When the next request is due; `Micros::ZERO` for at once.
    pub fn next_update(&self) -> Micros {
        let wanted = if self.update_requested() {
            Micros::ZERO
        } else {
            self.last_success.map_or(Micros::ZERO, |at| at + self.max_age)
        };
        wanted.max(self.allowed_at)
    }

    /// The request that is due.
    pub fn request(&self) -> MetadataRequest {
        let named = |names: &SortedSet<String>| {
            let topic = |name: &String| MetadataRequestTopic {
                name: Some(name.clone()),
                ..Default::default()
            };
            Some(names.iter().map(topic).collect())
        };
        let partial =
            !self.need_full_update && self.need_partial_update && self.last_success.is_some();
        let topics = match &self.interest {
            Interest::BrokersOnly => Some(Vec::new()),
            Interest::AllTopics => None,
            Interest::Topics(_) if partial => named(&self.new_topics),
            Interest::Topics(topics) => named(topics),
        };
        MetadataRequest { topics, allow_auto_topic_creation: self.allow_auto_topic_creation }
    }

    /// A request failed: the next one waits. Kafka: `failedUpdate`.
    pub fn failed(&mut self, now: Micros, random: &mut impl Draw) {
        self.attempts += 1;
        self.allowed_at = now + self.backoff.backoff(self.attempts - 1, random);
    }

    /// Takes a response; `request` is what it answers. True if anything differs from what was known.
    pub fn update(
        &mut self,
        request: &MetadataRequest,
        response: &MetadataResponse,
        now: Micros,
        random: &mut impl Draw,
    ) -> bool {
        self.update_version += 1;
        self.attempts = 0;
        self.last_success = Some(now);
        self.cluster_id.clone_from(&response.cluster_id);
        self.controller = Some(response.controller_id).filter(|id| *id >= 0);
        let brokers: SortedMap<BrokerId, NodeEndpoint> =
            response.brokers.iter().map(|node| (node.node_id, node.clone())).collect();
        let mut changed = brokers != self.brokers;
        self.brokers = brokers;

        let asked: Option<Vec<&str>> = request
            .topics
            .as_ref()
            .map(|topics| topics.iter().filter_map(|topic| topic.name.as_deref()).collect());
        match &asked {
            None => self.topic_errors.clear(),
            Some(names) => names.iter().for_each(|name| {
                self.topic_errors.remove(*name);
            }),
        }
        let partial = asked.is_some() && !self.need_full_update && !self.new_topics.is_empty();
        if !partial {
            self.need_full_update = false;
        }
        let refresh = |code: i16| ErrorCode::from_code(code).is_invalid_metadata();
        let mut present = SortedSet::new();
        for topic in &response.topics {
            let Some(name) = &topic.name else { continue };
            self.new_topics.remove(name);
            if topic.error_code != 0 {
                self.topic_errors.insert(name.clone(), topic.error_code);
                changed |= self.topics.remove(name).is_some();
                self.need_full_update |= refresh(topic.error_code);
                continue;
            }
            present.insert(name.clone());
            let known = self.topics.get(name).filter(|known| known.id == topic.topic_id);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            let mut by_index: Vec<_> = topic.partitions.iter().collect();
            simulation::sorted::sort_by_key(&mut by_index, |partition| partition.partition_index);
            for partition in by_index {
                self.need_full_update |= refresh(partition.error_code);
                let fresh = PartitionMetadata {
                    error_code: partition.error_code,
                    leader: Some(partition.leader_id).filter(|id| *id >= 0),
                    leader_epoch: partition.leader_epoch,
                    replicas: partition.replica_nodes.clone(),
                    isr: partition.isr_nodes.clone(),
                    offline_replicas: partition.offline_replicas.clone(),
                };
                // An older view of the leadership than the one known is kept out.
                let older = known
                    .and_then(|known| known.partitions.get(partitions.len()))
                    .filter(|known| known.leader_epoch > fresh.leader_epoch);
                partitions.push(older.cloned().unwrap_or(fresh));
            }
            let topic =
                TopicMetadata { id: topic.topic_id, internal: topic.is_internal, partitions };
            if self.topics.get(name) != Some(&topic) {
                changed = true;
                self.topics.insert(name.clone(), topic);
            }
        }
        // A full answer tells of every topic asked for; what it leaves out is gone.
        let Self { topics, interest, .. } = self;
        topics.retain(|name, _| match interest {
            Interest::BrokersOnly => false,
            Interest::Topics(wanted) => wanted.contains(name),
            Interest::AllTopics => asked.is_some() || present.contains(name),
        });
        self.need_partial_update = !self.new_topics.is_empty();
        if changed {
            self.version += 1;
            self.equivalent_responses = 0;
        } else {
            self.equivalent_responses += 1;
        }
        self.allowed_at =
            now + self.backoff.backoff(self.equivalent_responses.saturating_sub(1), random);
        changed
    }

    /// Names that the last response called invalid, in its order.
    pub fn invalid_topics(response: &MetadataResponse) -> Vec<&str> {
        response
            .topics
            .iter()
            .filter(|topic| topic.error_code == ErrorCode::InvalidTopicException.code())
            .filter_map(|topic| topic.name.as_deref())
            .collect()
    }

    pub fn topic(&self, name: &str) -> Option<&TopicMetadata> {
        self.topics.get(name)
    }

    pub fn topic_by_id(&self, id: Uuid) -> Option<(&String, &TopicMetadata)> {
        self.topics.iter().find(|(_, topic)| topic.id == id)
    }

    pub fn partition_count(&self, topic: &str) -> Option<i32> {
        self.topics.get(topic).map(|topic| topic.partitions.len() as i32)
    }

    pub fn partition(&self, topic: &str, partition: PartitionIndex) -> Option<&PartitionMetadata> {
        self.topics.get(topic)?.partitions.get(usize::try_from(partition).ok()?)
    }

    /// The leader and its epoch, if there is one and its address is known.
    pub fn leader(&self, topic: &str, partition: PartitionIndex) -> Option<(BrokerId, i32)> {
        let partition = self.partition(topic, partition)?;
        let leader = partition.leader.filter(|id| self.brokers.contains_key(id))?;
        Some((leader, partition.leader_epoch))
    }

    /// An error response told of a newer leader (KIP-951). True if it was news.
    pub fn update_leader(
        &mut self,
        partition: &TopicPartition,
        leader: &LeaderIdAndEpoch,
        endpoints: &[NodeEndpoint],
    ) -> bool {
        if leader.leader_id < 0 {
            return false;
        }
        let Some(known) = self
            .topics
            .get_mut(&partition.topic)
            .and_then(|topic| topic.partitions.get_mut(partition.partition as usize))
        else {
            return false;
        };
        if leader.leader_epoch <= known.leader_epoch {
            return false;
        }
        if let Some(endpoint) = endpoints.iter().find(|node| node.node_id == leader.leader_id) {
            self.brokers.insert(endpoint.node_id, endpoint.clone());
        }
        known.leader = Some(leader.leader_id);
        known.leader_epoch = leader.leader_epoch;
        self.version += 1;
        true
    }
}
