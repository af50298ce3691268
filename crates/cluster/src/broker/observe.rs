//! What observers may read of a node. Nothing here changes anything, and nothing is kept for it.

use simulation::Micros;

use super::partition::{LeaderState, Partition, Role, TopicIdPartition};
use super::{BrokerState, KafkaNode};
use crate::client::murmur2::murmur2;
use crate::controller::image::MetadataImage;
use crate::controller::quorum_controller::QuorumController;
use crate::coordinator::GroupCoordinator;
use crate::types::{BrokerId, LeaderEpoch, Offset, TimestampMs};

/// One replica as its broker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionView<'a> {
    pub id: TopicIdPartition,
    pub topic: &'a str,
    pub log_start_offset: Offset,
    pub last_stable_offset: Offset,
    pub high_watermark: Offset,
    pub log_end_offset: Offset,
    pub size_in_bytes: u64,
    /// None where the broker has not (again) learned its role.
    pub is_leader: Option<bool>,
    /// -1 for none.
    pub leader: BrokerId,
    pub leader_epoch: i32,
    /// As the leader knows it, ascending; empty on followers.
    pub isr: Vec<BrokerId>,
    /// On a leader: each follower's log end offset, -1 before its first fetch.
    pub followers: Vec<(BrokerId, Offset)>,
}

/// One segment of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentView {
    pub base_offset: Offset,
    pub size_in_bytes: u32,
    pub largest_timestamp: TimestampMs,
}

/// One record, for a picture of the log's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    pub offset: Offset,
    pub timestamp: TimestampMs,
    pub leader_epoch: LeaderEpoch,
    /// murmur2 of the key; none without a key.
    pub key_hash: Option<u32>,
    pub size_in_bytes: u32,
    pub is_control: bool,
}

impl KafkaNode {
    /// All replicas on this node, in order of topic id and index.
    pub fn partitions(&self) -> impl Iterator<Item = PartitionView<'_>> + '_ {
        self.partitions.values().map(PartitionView::new)
    }

    /// One replica.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<PartitionView<'_>> {
        self.replica(topic, partition).map(PartitionView::new)
    }

    /// One replica with its log.
    pub fn replica(&self, topic: &str, partition: i32) -> Option<&Partition> {
        let topic_id = *self.image().topics_by_name.get(topic)?;
        self.partitions.get(&TopicIdPartition { topic_id, partition })
    }

    pub fn replica_by_id(&self, id: TopicIdPartition) -> Option<&Partition> {
        self.partitions.get(&id)
    }

    /// The committed metadata as this node has it.
    pub fn metadata(&self) -> &MetadataImage {
        self.controller.image()
    }

    /// This node's controller: role, epoch, metadata log.
    pub fn controller(&self) -> &QuorumController {
        &self.controller
    }

    /// The groups whose coordinator this broker is.
    pub fn coordinator(&self) -> &GroupCoordinator {
        &self.memory.coordinator
    }

    pub fn broker_state(&self) -> BrokerState {
        self.memory.lifecycle.state
    }

    /// Registered, unfenced and serving: what Kafka logs as "started".
    pub fn is_started(&self) -> bool {
        self.memory.lifecycle.state == BrokerState::Running
    }

    /// -1 before the registration.
    pub fn broker_epoch(&self) -> i64 {
        self.memory.lifecycle.broker_epoch()
    }

    /// Whether the image says that this broker is fenced.
    pub fn is_fenced(&self) -> bool {
        self.image().brokers.get(&self.identity.id).is_none_or(|broker| broker.fenced)
    }

    /// When a follower last fetched from here.
    pub fn last_fetch(&self, follower: BrokerId) -> Option<Micros> {
        self.memory.last_fetches.get(&follower).copied()
    }
}

impl Partition {
    /// Segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = SegmentView> + '_ {
        self.log.segments().map(|segment| SegmentView {
            base_offset: segment.base_offset(),
            size_in_bytes: segment.size_in_bytes(),
            largest_timestamp: segment.largest_timestamp(),
        })
    }

    /// The newest records, at most `count`, oldest first. Reads only the last batches.
    pub fn newest_records(&self, count: usize) -> Vec<RecordView> {
        let mut records: Vec<RecordView> = Vec::new();
        'segments: for segment in self.log.segments().rev() {
            for batch in segment.batches().iter().rev() {
                if records.len() >= count {
                    break 'segments;
                }
                let Ok(read) = batch.records() else { continue };
                let mut of_batch: Vec<RecordView> = read
                    .iter()
                    .flatten()
                    .map(|record| RecordView {
                        offset: record.offset,
                        timestamp: record.timestamp,
                        leader_epoch: batch.partition_leader_epoch(),
                        key_hash: record.key.map(|key| murmur2(key) as u32),
                        size_in_bytes: record.size_in_bytes,
                        is_control: batch.is_control_batch(),
                    })
                    .collect();
                of_batch.append(&mut records);
                records = of_batch;
            }
        }
        records.split_off(records.len().saturating_sub(count))
    }
}

impl<'a> PartitionView<'a> {
    fn new(partition: &'a Partition) -> Self {
        let followers = partition.leader_state().into_iter().flat_map(LeaderState::replicas);
        Self {
            id: partition.id,
            topic: &partition.topic,
            log_start_offset: partition.log.log_start_offset(),
            last_stable_offset: partition.log.last_stable_offset(),
            high_watermark: partition.log.high_watermark(),
            log_end_offset: partition.log.log_end_offset(),
            size_in_bytes: partition.log.size_in_bytes(),
            is_leader: match partition.role() {
                Role::None => None,
                Role::Leader(_) => Some(true),
                Role::Follower => Some(false),
            },
            leader: partition.leader(),
            leader_epoch: partition.leader_epoch(),
            isr: partition.isr().collect(),
            followers: followers.map(|(id, replica)| (*id, replica.log_end_offset)).collect(),
        }
    }
}
