//! What the coming and going of brokers means for partitions. Kafka: `handleBrokerFenced` and its siblings.

use super::ReplicationControl;
use crate::controller::election::NO_LEADER;
use crate::controller::feature_control;
use crate::controller::image::PartitionRegistration;
use crate::controller::records::MetadataRecord;
use crate::types::BrokerId;

/// The brokers that a change of partitions is about; -1 where there is none.
#[derive(Clone, Copy)]
struct Cause {
    removed: BrokerId,
    added: BrokerId,
    unclean_shutdown: BrokerId,
}

const NOBODY: Cause = Cause { removed: NO_LEADER, added: NO_LEADER, unclean_shutdown: NO_LEADER };

impl ReplicationControl<'_> {
    /// A broker is silent: it leaves every ISR, and its leaderships.
    pub fn broker_fenced(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = self.updates(Cause { removed: broker, ..NOBODY }, |partition| {
            partition.isr.contains(&broker)
        });
        records.push(self.registration_change(broker, Some(true), None));
        records
    }

    /// A broker is back: partitions without a leader may get it.
    pub fn broker_unfenced(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = vec![self.registration_change(broker, Some(false), None)];
        records.extend(
            self.updates(Cause { added: broker, ..NOBODY }, |partition| !partition.has_leader()),
        );
        records
    }

    /// A broker wants to stop: its leaderships go to others while it still runs.
    pub fn broker_in_controlled_shutdown(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        if !self.image.brokers.get(&broker).is_some_and(|broker| broker.in_controlled_shutdown) {
            records.push(self.registration_change(broker, None, Some(true)));
        }
        records.extend(self.updates(Cause { removed: broker, ..NOBODY }, |partition| {
            partition.isr.contains(&broker)
        }));
        records
    }

    /// A new incarnation of a broker registers. After an unclean shutdown it may have lost records, so with ELR it is
    /// no longer eligible for leadership.
    pub fn broker_shut_down(&self, broker: BrokerId, clean: bool) -> Vec<MetadataRecord> {
        if clean || !feature_control::elr_enabled(self.image) {
            return self.updates(Cause { removed: broker, ..NOBODY }, |partition| {
                partition.isr.contains(&broker)
            });
        }
        let cause = Cause { unclean_shutdown: broker, ..NOBODY };
        let mut records = self.updates(cause, |partition| partition.isr.contains(&broker));
        records.extend(self.updates(cause, |partition| partition.elr.contains(&broker)));
        records
    }

    /// A broker is given up for good.
    pub fn broker_unregistered(&self, broker: BrokerId) -> Vec<MetadataRecord> {
        let cause = Cause { removed: broker, ..NOBODY };
        let mut records = self.updates(cause, |partition| partition.isr.contains(&broker));
        records.extend(self.updates(cause, |partition| partition.elr.contains(&broker)));
        let broker_epoch = self.image.brokers.get(&broker).map_or(-1, |broker| broker.epoch);
        records.push(MetadataRecord::UnregisterBroker { broker_id: broker, broker_epoch });
        records
    }

    /// Whether the broker leads any partition.
    pub fn has_leaderships(&self, broker: BrokerId) -> bool {
        self.image.partitions_where(|partition| partition.leader == broker).next().is_some()
    }

    fn registration_change(
        &self,
        broker: BrokerId,
        fenced: Option<bool>,
        in_controlled_shutdown: Option<bool>,
    ) -> MetadataRecord {
        let broker_epoch = self.image.brokers.get(&broker).map_or(-1, |broker| broker.epoch);
        MetadataRecord::BrokerRegistrationChange {
            broker_id: broker,
            broker_epoch,
            fenced,
            in_controlled_shutdown,
        }
    }

    /// Kafka: `generateLeaderAndIsrUpdates`.
    fn updates(
        &self,
        cause: Cause,
        affected: impl Fn(&PartitionRegistration) -> bool,
    ) -> Vec<MetadataRecord> {
        let acceptable = |broker: BrokerId| {
            broker != cause.removed
                && broker != cause.unclean_shutdown
                && (broker == cause.added || self.image.is_active(broker))
        };
        self.image
            .partitions_where(affected)
            .filter_map(|partition| {
                self.change(partition, &acceptable, |change| {
                    change.target_isr.retain(|replica| {
                        ![cause.removed, cause.unclean_shutdown].contains(replica)
                    });
                    if cause.unclean_shutdown != NO_LEADER {
                        change.unclean_shutdown_replicas = vec![cause.unclean_shutdown];
                    }
                })
            })
            .collect()
    }
}
