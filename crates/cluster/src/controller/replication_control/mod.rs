//! Topics and partitions: created, grown, deleted, led, reassigned. Kafka: `ReplicationControlManager`.
//!
//! Every method decides over the image and yields records and an answer; it changes nothing.

mod assignment;
mod brokers;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod isr;
mod leaders;
mod reassignment;

use super::configuration_control::ConfigurationControl;
use super::election::{Election, PartitionChangeBuilder, Rules};
use super::feature_control;
use super::image::{MetadataImage, PartitionRegistration};
use super::placement::UsableBroker;
use super::records::MetadataRecord;
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

/// The most partitions that one request may create. Kafka: `MAX_PARTITIONS_PER_BATCH`.
pub const MAX_PARTITIONS_PER_BATCH: usize = 10_000;
/// The most leaders that one round of balancing moves. Kafka: `MAX_ELECTIONS_PER_IMBALANCE`.
pub const MAX_ELECTIONS_PER_IMBALANCE: usize = 1_000;

/// What a decision comes to: records to append, and the answer once they are committed. Kafka: `ControllerResult`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<R> {
    pub records: Vec<MetadataRecord>,
    pub response: R,
}

impl<R> Decision<R> {
    pub const fn new(records: Vec<MetadataRecord>, response: R) -> Self {
        Self { records, response }
    }
}

/// The part of the controller that decides about topics and partitions.
#[derive(Clone, Copy)]
pub struct ReplicationControl<'a> {
    pub image: &'a MetadataImage,
    pub configs: ConfigurationControl<'a>,
}

impl<'a> ReplicationControl<'a> {
    pub const fn new(configs: ConfigurationControl<'a>) -> Self {
        Self { image: configs.image, configs }
    }

    /// Brokers that may get replicas: all but those on their way out. Kafka: `ClusterControlManager.usableBrokers`.
    fn usable_brokers(&self) -> Vec<UsableBroker> {
        self.image
            .brokers
            .values()
            .filter(|broker| broker.fenced || !broker.in_controlled_shutdown)
            .map(|broker| UsableBroker {
                id: broker.id,
                rack: broker.rack.clone(),
                fenced: broker.fenced,
            })
            .collect()
    }

    /// The replicas that may be in the ISR from the start.
    fn active(&self, replicas: &[BrokerId]) -> Vec<BrokerId> {
        replicas.iter().copied().filter(|replica| self.image.is_active(*replica)).collect()
    }

    /// A topic's `min.insync.replicas`, at most its replication factor. Kafka: `getTopicEffectiveMinIsr`.
    pub fn effective_min_isr(&self, topic_id: Uuid) -> usize {
        let Some(topic) = self.image.topics.get(&topic_id) else { return 1 };
        let replicas =
            topic.partitions.values().next().map_or(1, |partition| partition.replicas.len());
        self.configs.min_insync_replicas(&topic.name).min(replicas)
    }

    fn rules<'b>(&self, topic_id: Uuid, acceptable: &'b dyn Fn(BrokerId) -> bool) -> Rules<'b> {
        Rules {
            acceptable,
            min_isr: self.effective_min_isr(topic_id),
            elr_enabled: feature_control::elr_enabled(self.image),
            use_last_known_leader: true,
        }
    }

    /// Lets `change` say what it wants of a partition; unclean elections happen where the topic allows them.
    fn change(
        &self,
        (topic_id, partition_id, partition): (Uuid, PartitionIndex, &PartitionRegistration),
        acceptable: &dyn Fn(BrokerId) -> bool,
        change: impl FnOnce(&mut PartitionChangeBuilder<'_>),
    ) -> Option<MetadataRecord> {
        let mut builder = PartitionChangeBuilder::new(
            partition,
            topic_id,
            partition_id,
            self.rules(topic_id, acceptable),
        );
        let topic = self.image.topics.get(&topic_id).map_or("", |topic| topic.name.as_str());
        if self.configs.unclean_leader_election_enabled(topic) {
            builder.election = Election::Unclean;
        }
        change(&mut builder);
        builder.build()
    }
}

/// The record of a new partition: led by the first of its ISR.
fn partition_record(
    topic_id: Uuid,
    partition_id: PartitionIndex,
    replicas: Vec<BrokerId>,
    isr: Vec<BrokerId>,
) -> MetadataRecord {
    MetadataRecord::Partition {
        partition_id,
        topic_id,
        leader: isr[0],
        replicas,
        isr,
        removing_replicas: Vec::new(),
        adding_replicas: Vec::new(),
        leader_recovery_state: super::election::RECOVERED,
        leader_epoch: 0,
        partition_epoch: 0,
        eligible_leader_replicas: Vec::new(),
        last_known_elr: Vec::new(),
    }
}
