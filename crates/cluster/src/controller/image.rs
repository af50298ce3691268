//! What the cluster knows about itself: the state that the metadata log adds up to.
//!
//! [`MetadataImage::replay`] is the only function that changes it: on the active controller, on the others and on brokers alike.
//! Kafka: `MetadataImage` and the `replay` methods of the controller's managers.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::records::MetadataRecord;
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

/// Resource types of configurations, as the protocol numbers them.
pub mod resource_type {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const CLIENT_METRICS: i8 = 16;
    pub const GROUP: i8 = 32;
}

/// All metadata at one offset of the metadata log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetadataImage {
    pub features: SortedMap<String, i16>,
    pub brokers: SortedMap<BrokerId, BrokerRegistration>,
    pub topics: SortedMap<Uuid, TopicImage>,
    pub topics_by_name: SortedMap<String, Uuid>,
    /// By (resource type, resource name); the cluster-wide broker default has the empty name.
    pub configs: SortedMap<(i8, String), SortedMap<String, String>>,
    pub next_producer_id: i64,
}

/// A broker as the controller knows it. Kafka: `BrokerRegistration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrokerRegistration {
    pub id: BrokerId,
    pub epoch: i64,
    pub incarnation_id: Uuid,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    pub fenced: bool,
    pub in_controlled_shutdown: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicImage {
    pub name: String,
    pub id: Uuid,
    pub partitions: SortedMap<PartitionIndex, PartitionRegistration>,
}

/// One partition as the controller knows it. Kafka: `PartitionRegistration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRegistration {
    /// In the order of the assignment; the first is the preferred leader.
    pub replicas: Vec<BrokerId>,
    /// In the order in which it was proposed.
    pub isr: Vec<BrokerId>,
    pub removing_replicas: Vec<BrokerId>,
    pub adding_replicas: Vec<BrokerId>,
    pub elr: Vec<BrokerId>,
    pub last_known_elr: Vec<BrokerId>,
    /// -1: none.
    pub leader: BrokerId,
    /// 0 recovered, 1 recovering.
    pub leader_recovery_state: i8,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
}

impl PartitionRegistration {
    pub fn has_leader(&self) -> bool {
        self.leader >= 0
    }

    /// Whether the first replica of the assignment leads.
    pub fn has_preferred_leader(&self) -> bool {
        self.preferred_leader() == Some(self.leader)
    }

    /// Whether replicas are still to be added or removed.
    pub fn is_reassigning(&self) -> bool {
        !self.removing_replicas.is_empty() || !self.adding_replicas.is_empty()
    }

    pub fn preferred_leader(&self) -> Option<BrokerId> {
        self.replicas.first().copied()
    }
}

impl MetadataImage {
    pub fn topic(&self, name: &str) -> Option<&TopicImage> {
        self.topics.get(self.topics_by_name.get(name)?)
    }

    pub fn partition(
        &self,
        topic_id: Uuid,
        partition: PartitionIndex,
    ) -> Option<&PartitionRegistration> {
        self.topics.get(&topic_id)?.partitions.get(&partition)
    }

    /// A resource's own (dynamic) configuration value.
    pub fn config(&self, resource_type: i8, resource_name: &str, name: &str) -> Option<&str> {
        self.configs_of(resource_type, resource_name)?.get(name).map(String::as_str)
    }

    pub fn configs_of(
        &self,
        resource_type: i8,
        resource_name: &str,
    ) -> Option<&SortedMap<String, String>> {
        self.configs.get(&(resource_type, resource_name.to_owned()))
    }

    /// Registered, unfenced and not on its way out: may lead.
    pub fn is_active(&self, broker: BrokerId) -> bool {
        self.brokers
            .get(&broker)
            .is_some_and(|broker| !broker.fenced && !broker.in_controlled_shutdown)
    }

    /// The partitions that `test` picks, in order of topic id and index.
    pub fn partitions_where<'a>(
        &'a self,
        test: impl Fn(&PartitionRegistration) -> bool + 'a,
    ) -> impl Iterator<Item = (Uuid, PartitionIndex, &'a PartitionRegistration)> + 'a {
        self.topics
            .values()
            .flat_map(|topic| {
                topic.partitions.iter().map(|(index, partition)| (topic.id, *index, partition))
            })
            .filter(move |(_, _, partition)| test(partition))
    }

    /// Applies one record; no decisions here. `offset` is the record's own.
    pub fn replay(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::FeatureLevel { name, feature_level } => {
                self.features.insert(name.clone(), *feature_level);
            }
            MetadataRecord::RegisterBroker {
                broker_id,
                incarnation_id,
                broker_epoch,
                host,
                port,
                rack,
                fenced,
                in_controlled_shutdown,
            } => {
                let registration = BrokerRegistration {
                    id: *broker_id,
                    epoch: *broker_epoch,
                    incarnation_id: *incarnation_id,
                    host: host.clone(),
                    port: *port,
                    rack: rack.clone(),
                    fenced: *fenced,
                    in_controlled_shutdown: *in_controlled_shutdown,
                };
                self.brokers.insert(*broker_id, registration);
            }
            MetadataRecord::UnregisterBroker { broker_id, .. } => {
                self.brokers.remove(broker_id);
            }
            MetadataRecord::BrokerRegistrationChange {
                broker_id,
                fenced,
                in_controlled_shutdown,
                ..
            } => {
                if let Some(broker) = self.brokers.get_mut(broker_id) {
                    broker.fenced = fenced.unwrap_or(broker.fenced);
                    broker.in_controlled_shutdown =
                        in_controlled_shutdown.unwrap_or(broker.in_controlled_shutdown);
                }
            }
            MetadataRecord::Topic { name, topic_id } => {
                self.topics_by_name.insert(name.clone(), *topic_id);
                let topic =
                    TopicImage { name: name.clone(), id: *topic_id, partitions: SortedMap::new() };
                self.topics.insert(*topic_id, topic);
            }
            MetadataRecord::Partition {
                partition_id,
                topic_id,
                replicas,
                isr,
                removing_replicas,
                adding_replicas,
                leader,
                leader_recovery_state,
                leader_epoch,
                partition_epoch,
                eligible_leader_replicas,
                last_known_elr,
            } => {
                let registration = PartitionRegistration {
                    replicas: replicas.clone(),
                    isr: isr.clone(),
                    removing_replicas: removing_replicas.clone(),
                    adding_replicas: adding_replicas.clone(),
                    elr: eligible_leader_replicas.clone(),
                    last_known_elr: last_known_elr.clone(),
                    leader: *leader,
                    leader_recovery_state: *leader_recovery_state,
                    leader_epoch: *leader_epoch,
                    partition_epoch: *partition_epoch,
                };
                if let Some(topic) = self.topics.get_mut(topic_id) {
                    topic.partitions.insert(*partition_id, registration);
                }
            }
            MetadataRecord::PartitionChange { partition_id, topic_id, .. } => {
                let topic = self.topics.get_mut(topic_id);
                if let Some(partition) =
                    topic.and_then(|topic| topic.partitions.get_mut(partition_id))
                {
                    partition.merge(record);
                }
            }
            MetadataRecord::RemoveTopic { topic_id } => {
                if let Some(topic) = self.topics.remove(topic_id) {
                    self.topics_by_name.remove(&topic.name);
                    self.configs.remove(&(resource_type::TOPIC, topic.name));
                }
            }
            MetadataRecord::Config { resource_type, resource_name, name, value } => {
                let key = (*resource_type, resource_name.clone());
                let configs = self.configs.entry(key.clone()).or_default();
                match value {
                    Some(value) => configs.insert(name.clone(), value.clone()),
                    None => configs.remove(name),
                };
                if configs.is_empty() {
                    self.configs.remove(&key);
                }
            }
            MetadataRecord::ProducerIds { next_producer_id, .. } => {
                self.next_producer_id = *next_producer_id;
            }
            MetadataRecord::ClearElr { topic_name } => {
                let named =
                    |topic: &TopicImage| topic_name.as_ref().is_none_or(|name| *name == topic.name);
                for topic in self.topics.values_mut().filter(|topic| named(topic)) {
                    for partition in topic.partitions.values_mut() {
                        partition.elr.clear();
                        partition.last_known_elr.clear();
                    }
                }
            }
            MetadataRecord::NoOp | MetadataRecord::LeaderChange { .. } => {}
        }
    }
}

impl PartitionRegistration {
    /// Applies a `PartitionChange`. Kafka: `PartitionRegistration.merge`.
    pub fn merge(&mut self, change: &MetadataRecord) {
        let MetadataRecord::PartitionChange {
            isr,
            leader,
            replicas,
            removing_replicas,
            adding_replicas,
            leader_recovery_state,
            eligible_leader_replicas,
            last_known_elr,
            ..
        } = change
        else {
            return;
        };
        let take = |field: &mut Vec<BrokerId>, new: &Option<Vec<BrokerId>>| {
            if let Some(new) = new {
                field.clone_from(new);
            }
        };
        take(&mut self.isr, isr);
        take(&mut self.replicas, replicas);
        take(&mut self.removing_replicas, removing_replicas);
        take(&mut self.adding_replicas, adding_replicas);
        take(&mut self.elr, eligible_leader_replicas);
        take(&mut self.last_known_elr, last_known_elr);
        if let Some(leader) = leader {
            // Naming a leader, even the old one, starts a new leader epoch.
            self.leader = *leader;
            self.leader_epoch += 1;
        }
        self.leader_recovery_state = leader_recovery_state.unwrap_or(self.leader_recovery_state);
        self.partition_epoch += 1;
    }
}
