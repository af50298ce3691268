//! What newly committed metadata means for this broker: partitions gain, lose and change their roles.
//! Kafka: `BrokerMetadataPublisher`, `ReplicaManager.applyDelta`.

use simulation::sorted::SortedSet;

use super::partition::{Partition, TopicIdPartition};
use super::{BrokerState, KafkaNode};
use crate::controller::image::{PartitionRegistration, resource_type};
use crate::controller::records::{MetadataBatch, MetadataRecord};
use crate::log::PartitionLog;
use crate::topic_names;
use crate::types::TopicPartition;
use crate::uuid::Uuid;
use crate::world::ProcessContext;

impl KafkaNode {
    /// Before the broker has caught up, nothing is published: then all is, at once.
    fn is_publishing(&self) -> bool {
        self.memory.lifecycle.state >= BrokerState::Recovery
    }

    /// Applies what was committed to the partitions that it is about. The image already has it.
    pub(super) fn publish(&mut self, batches: &[MetadataBatch], context: &mut ProcessContext<'_>) {
        if !self.is_publishing() {
            return;
        }
        let mut partitions = SortedSet::new();
        let mut deleted = SortedSet::new();
        let mut topics = SortedSet::new();
        let mut all_configs = false;
        for record in batches.iter().flat_map(|batch| batch.records.iter()) {
            match record {
                MetadataRecord::Partition { topic_id, partition_id, .. }
                | MetadataRecord::PartitionChange { topic_id, partition_id, .. } => {
                    partitions
                        .insert(TopicIdPartition { topic_id: *topic_id, partition: *partition_id });
                }
                MetadataRecord::Topic { name, topic_id } => {
                    self.memory.topic_names.insert(*topic_id, name.clone());
                }
                MetadataRecord::RemoveTopic { topic_id } => {
                    deleted.insert(*topic_id);
                }
                MetadataRecord::Config { resource_type, resource_name, .. } => match *resource_type
                {
                    resource_type::TOPIC => {
                        topics.insert(resource_name.clone());
                    }
                    resource_type::BROKER => all_configs = true,
                    _ => {}
                },
                _ => {}
            }
        }
        self.delete_topics(&deleted, context);
        for id in partitions {
            self.apply_registration(id, context);
        }
        if all_configs {
            self.reconfigure_logs(|_| true);
        } else if !topics.is_empty() {
            self.reconfigure_logs(|partition| topics.contains(&partition.topic));
        }
    }

    /// Gives every partition its role: the first time, or after a snapshot replaced the image.
    pub(super) fn publish_whole_image(&mut self, context: &mut ProcessContext<'_>) {
        if !self.is_publishing() {
            return;
        }
        let image = self.image();
        let names = image.topics.values().map(|topic| (topic.id, topic.name.clone())).collect();
        let me = self.identity.id;
        let mut ids: SortedSet<TopicIdPartition> = self.partitions.keys().copied().collect();
        let hosted = image.partitions_where(|partition| partition.replicas.contains(&me));
        ids.extend(hosted.map(|(topic_id, partition, _)| TopicIdPartition { topic_id, partition }));
        self.memory.topic_names = names;
        for id in ids {
            self.apply_registration(id, context);
        }
        self.reconfigure_logs(|_| true);
    }

    fn apply_registration(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) {
        let me = self.identity.id;
        let registration = self.image().partition(id.topic_id, id.partition);
        match registration.filter(|registration| registration.replicas.contains(&me)).cloned() {
            Some(registration) if registration.leader == me => {
                self.lead(id, &registration, context);
            }
            Some(registration) => self.become_follower(id, &registration, context),
            None => self.drop_replica(id, context),
        }
    }

    /// The replica, its log made if it is new here.
    fn hosted(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) -> &mut Partition {
        if !self.partitions.contains_key(&id) {
            let topic =
                self.image().topics.get(&id.topic_id).map_or("", |topic| &topic.name).to_owned();
            let config = self.log_config(&topic);
            let now = self.wall_clock_ms(context.now());
            let log =
                PartitionLog::new(TopicPartition::new(topic.clone(), id.partition), config, now);
            self.partitions.insert(id, Partition::new(id, topic, log));
        }
        self.partitions.get_mut(&id).expect("it was just made")
    }

    fn lead(
        &mut self,
        id: TopicIdPartition,
        registration: &PartitionRegistration,
        context: &mut ProcessContext<'_>,
    ) {
        let (me, now) = (self.identity.id, context.now());
        let new = self.hosted(id, context).make_leader(registration, me, now);
        if new {
            self.unfollow(id);
        }
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        let moved = partition.maybe_increment_high_watermark(now, self.controller.image());
        let holds_groups = partition.topic == topic_names::CONSUMER_OFFSETS;
        // Fetches that wait learn of the new epoch, and followers outside of the ISR are looked at again.
        self.memory.touched.insert(id);
        self.after_high_watermark(id, moved, context);
        if new && holds_groups {
            self.load_groups(id, context);
        }
    }

    fn become_follower(
        &mut self,
        id: TopicIdPartition,
        registration: &PartitionRegistration,
        context: &mut ProcessContext<'_>,
    ) {
        self.resign(id, context);
        let restart = self.hosted(id, context).make_follower(registration);
        self.memory.touched.insert(id);
        if !restart {
            return;
        }
        let leader_is_alive =
            self.image().brokers.get(&registration.leader).is_some_and(|broker| !broker.fenced);
        if leader_is_alive {
            self.follow(id, registration.leader);
        } else {
            self.unfollow(id);
        }
    }

    /// What a leader had promised to do is for another one now.
    fn resign(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) {
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        let Some(leader) = partition.leader_state_mut() else { return };
        let waiting = std::mem::take(&mut leader.produces);
        let held_groups = partition.topic == topic_names::CONSUMER_OFFSETS;
        self.fail_produces(id, waiting.into_iter().map(|(_, number)| number), context);
        self.fail_deletions(id, context);
        if held_groups {
            self.unload_groups(id, context);
        }
    }

    /// The partition is gone, or lives elsewhere now: so does its log.
    fn drop_replica(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) {
        self.resign(id, context);
        self.unfollow(id);
        if let Some(partition) = self.partitions.remove(&id) {
            // Whoever reads it is told at once.
            for key in partition.watchers {
                if let Some(session) = self.memory.sessions.get_mut(key) {
                    session.mark_dirty(id);
                }
                self.try_complete_fetch(key, context);
            }
        }
    }

    fn delete_topics(&mut self, deleted: &SortedSet<Uuid>, context: &mut ProcessContext<'_>) {
        if deleted.is_empty() {
            return;
        }
        let ids: Vec<TopicIdPartition> =
            self.partitions.keys().copied().filter(|id| deleted.contains(&id.topic_id)).collect();
        for id in ids {
            self.drop_replica(id, context);
        }
        let topics: Vec<(String, Uuid)> = deleted
            .iter()
            .filter_map(|id| Some((self.memory.topic_names.remove(id)?, *id)))
            .collect();
        self.forget_offsets(&topics, context);
    }

    fn reconfigure_logs(&mut self, affects: impl Fn(&Partition) -> bool) {
        let mut configs: Vec<(TopicIdPartition, crate::log::LogConfig)> = Vec::new();
        let mut latest: Option<(Uuid, crate::log::LogConfig)> = None;
        for (id, partition) in &self.partitions {
            if !affects(partition) {
                continue;
            }
            let config = match &latest {
                Some((topic_id, config)) if *topic_id == id.topic_id => config.clone(),
                _ => self.log_config(&partition.topic),
            };
            latest = Some((id.topic_id, config.clone()));
            configs.push((*id, config));
        }
        for (id, config) in configs {
            if let Some(partition) = self.partitions.get_mut(&id) {
                partition.log.update_config(config);
                self.memory.touched.insert(id);
            }
        }
    }
}
