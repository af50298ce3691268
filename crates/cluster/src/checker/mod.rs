//! Guarantees that hold after every event, checked as the cluster runs, and what Kafka's settings allow to go wrong.
//!
//! A [`Violation`] is a bug of this engine: whoever runs the world stops it. An [`Anomaly`] is what a real cluster would do
//! under the same settings and faults (an unclean leader that lost records): it is named, and the run goes on.
//!
//! # Where to start
//! - [`Checker::observe`] takes what happened in one step; each file beside this one is one guarantee.
//!
//! The cost is bound to what happened, not to what there is: a few map look-ups for each event of a replica, and each
//! committed batch is looked at once per replica.

mod committed_records;
mod monotonic_high_watermark;
mod single_leader;
mod single_owner;

use serde::{Deserialize, Serialize};
use simulation::{Happening, Micros};

use crate::broker::partition::{Partition, TopicIdPartition};
use crate::client::{ClientKind, ClientSpec};
use crate::controller::image::PartitionRegistration;
use crate::event::{ChangeCause, ClusterEvent};
use crate::types::{BrokerId, Offset, TopicPartition};
use crate::world::{Process, World};

use committed_records::CommittedRecords;
use monotonic_high_watermark::MonotonicHighWatermark;
use single_leader::SingleLeader;

/// A guarantee that was broken: by the engine, never by the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The guarantee, as people are shown it.
    pub guarantee: String,
    pub at: Micros,
    /// What was found.
    pub what: String,
}

/// What Kafka allows under these settings, and nobody likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anomaly {
    /// An unclean leader election (or one of a replica that was moved away and is eligible still) lost committed records: the new `leader` has not got them, or an overthrown one that did
    /// not know it yet has still taken them.
    RecordsLost { partition: TopicPartition, leader: BrokerId, from: Offset, to: Offset },
}

/// All guarantees with what they remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checker {
    committed_records: CommittedRecords,
    monotonic_high_watermark: MonotonicHighWatermark,
    single_leader: SingleLeader,
    anomalies: Vec<(Micros, Anomaly)>,
}

/// One replica, as an event names it.
#[derive(Clone, Copy)]
struct Replica<'a> {
    broker: BrokerId,
    partition: &'a Partition,
}

/// A broken guarantee's name and what was found.
type Broken = (&'static str, String);

impl Checker {
    /// Checks what the happenings of one step touched. The world must be as that step left it.
    pub fn observe(
        &mut self,
        world: &World,
        happenings: &[(Micros, Happening<Process>)],
    ) -> Result<(), Violation> {
        let mut looked_at: Option<(BrokerId, TopicIdPartition)> = None;
        for (at, happening) in happenings {
            let Happening::Event { node, event } = happening else { continue };
            self.observe_event(world, *at, node.0, event, &mut looked_at).map_err(
                |(guarantee, what)| Violation { guarantee: guarantee.to_owned(), at: *at, what },
            )?;
        }
        Ok(())
    }

    /// The anomalies since the last call, with their times.
    pub fn take_anomalies(&mut self) -> Vec<(Micros, Anomaly)> {
        std::mem::take(&mut self.anomalies)
    }

    fn observe_event(
        &mut self,
        world: &World,
        at: Micros,
        node: u32,
        event: &ClusterEvent,
        looked_at: &mut Option<(BrokerId, TopicIdPartition)>,
    ) -> Result<(), Broken> {
        match event {
            ClusterEvent::Appended { partition, broker, .. }
            | ClusterEvent::HighWatermarkMoved { partition, broker, .. }
            | ClusterEvent::SegmentsDeleted { partition, broker, .. } => {
                let Some(replica) = Replica::find(world, *broker, partition) else { return Ok(()) };
                // Several events of one step leave one state.
                if looked_at.replace((*broker, replica.partition.id))
                    != Some((*broker, replica.partition.id))
                {
                    self.look_at(world, at, replica)?;
                }
            }
            ClusterEvent::Truncated { partition, broker, to } => {
                let Some(replica) = Replica::find(world, *broker, partition) else { return Ok(()) };
                self.committed_records.truncated(replica, *to)?;
                *looked_at = None;
                self.look_at(world, at, replica)?;
            }
            ClusterEvent::LeaderChanged { partition, to: Some(leader), epoch, cause, .. } => {
                self.leader_elected(
                    world,
                    at,
                    node as BrokerId,
                    partition,
                    *leader,
                    *epoch,
                    *cause,
                )?;
            }
            ClusterEvent::ReplicasChanged { partition, from, to } => {
                let Some((id, registration)) = registration(world, node as BrokerId, partition)
                else {
                    return Ok(());
                };
                self.committed_records.moved(id, from, to);
                // Kafka 4.3 leaves replicas that were moved away eligible, so they can lead when they come back, empty.
                let is_gone = |replica: &&BrokerId| !registration.replicas.contains(replica);
                for replica in registration.elr.iter().filter(is_gone) {
                    self.committed_records.stale_elr(id, &partition.topic, *replica);
                }
            }
            ClusterEvent::IsrChanged { partition, to, cause: ChangeCause::IsrExpanded, .. } => {
                if let Some((id, _)) = registration(world, node as BrokerId, partition) {
                    self.committed_records.in_sync(id, to);
                }
            }
            ClusterEvent::ControllerElected { leader, epoch } => {
                self.single_leader.of_the_quorum(*leader, *epoch)?;
            }
            ClusterEvent::TopicDeleted { .. } => {
                let Some(controller) = world.node(node as BrokerId) else { return Ok(()) };
                let topics = &controller.metadata().topics;
                self.committed_records.retain(|id| topics.contains_key(&id.topic_id));
                self.monotonic_high_watermark.retain(|id| topics.contains_key(&id.topic_id));
                self.single_leader.retain(|id| topics.contains_key(&id.topic_id));
            }
            ClusterEvent::GroupStable { group, generation, .. } => {
                let Some(coordinator) = world.node(node as BrokerId) else { return Ok(()) };
                single_owner::check(coordinator.coordinator(), group, *generation)?;
            }
            ClusterEvent::Acknowledged { partition, base_offset, records, .. } => {
                let client = match world.simulation().actor(simulation::NodeId(node)) {
                    Some(Process::Client(client)) => client.spec(),
                    _ => return Ok(()),
                };
                if *base_offset >= 0 && waits_for_all(client) {
                    let end = base_offset + Offset::from(*records);
                    self.committed_records.acknowledged(partition, end)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn look_at(&mut self, world: &World, at: Micros, replica: Replica<'_>) -> Result<(), Broken> {
        replica.check_offsets()?;
        if replica.partition.is_leader() {
            self.single_leader.of_partition(
                replica.partition.id,
                replica.broker,
                replica.partition.leader_epoch(),
                replica.partition.log.topic_partition(),
            )?;
            self.monotonic_high_watermark.check(replica)?;
        }
        let lost = self.committed_records.look_at(world, replica)?;
        self.anomalies.extend(lost.map(|anomaly| (at, anomaly)));
        Ok(())
    }

    /// The controller has chosen a leader: it must hold all that is committed, unless the election was unclean.
    #[allow(clippy::too_many_arguments)] // one event's fields
    fn leader_elected(
        &mut self,
        world: &World,
        at: Micros,
        controller: BrokerId,
        partition: &TopicPartition,
        leader: BrokerId,
        epoch: i32,
        cause: ChangeCause,
    ) -> Result<(), Broken> {
        // Otherwise the event is of a topic that was deleted, and came again under its name, in the same step.
        let Some((id, registration)) = registration(world, controller, partition)
            .filter(|(_, registration)| registration.leader_epoch >= epoch)
        else {
            return Ok(());
        };
        self.single_leader.of_partition(id, leader, epoch, partition)?;
        if registration.leader_recovery_state != 0
            || cause == ChangeCause::UncleanElection
            || self.committed_records.is_stale(id, leader)
        {
            self.committed_records.unclean_election(id, &partition.topic, epoch);
        }
        if let Some(chosen) = world.node(leader).and_then(|node| node.replica_by_id(id)) {
            let replica = Replica { broker: leader, partition: chosen };
            let lost = self.committed_records.new_leader(replica, epoch)?;
            self.anomalies.extend(lost.map(|anomaly| (at, anomaly)));
        }
        Ok(())
    }
}

impl<'a> Replica<'a> {
    fn find(world: &'a World, broker: BrokerId, partition: &TopicPartition) -> Option<Self> {
        let found = world.node(broker)?.replica(&partition.topic, partition.partition)?;
        Some(Self { broker, partition: found })
    }

    /// log start ≤ last stable offset ≤ high watermark ≤ log end.
    fn check_offsets(self) -> Result<(), Broken> {
        let log = &self.partition.log;
        let offsets = [
            log.log_start_offset(),
            log.last_stable_offset(),
            log.high_watermark(),
            log.log_end_offset(),
        ];
        if offsets.is_sorted() {
            return Ok(());
        }
        let what = format!(
            "{} on broker {}: log start, last stable offset, high watermark and log end are {offsets:?}",
            log.topic_partition(),
            self.broker
        );
        Err(("offsets-in-order", what))
    }
}

/// A partition as a controller has it.
fn registration<'a>(
    world: &'a World,
    controller: BrokerId,
    partition: &TopicPartition,
) -> Option<(TopicIdPartition, &'a PartitionRegistration)> {
    let topic = world.node(controller)?.metadata().topic(&partition.topic)?;
    let id = TopicIdPartition { topic_id: topic.id, partition: partition.partition };
    Some((id, topic.partitions.get(&partition.partition)?))
}

/// Whether a producer is told of a record only when all in-sync replicas have it: `acks=all`, the default.
fn waits_for_all(client: &ClientSpec) -> bool {
    let acks = client.config.iter().rev().find(|(name, _)| name == "acks");
    client.kind == ClientKind::Producer
        && acks.is_none_or(|(_, value)| value == "all" || value == "-1")
}
