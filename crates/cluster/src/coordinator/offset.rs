//! Committed offsets of one partition of `__consumer_offsets`. Kafka: `OffsetAndMetadata`, `OffsetMetadataManager.Offsets`.

use serde::{Deserialize, Serialize};

use crate::java::TimelineHashMap;
use crate::types::{Offset, PartitionIndex, TimestampMs};
use crate::uuid::Uuid;

/// One committed offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetAndMetadata {
    /// The next offset to read.
    pub committed_offset: Offset,
    /// -1 where it is not known.
    pub leader_epoch: i32,
    pub metadata: String,
    pub commit_timestamp_ms: TimestampMs,
    /// Only old clients set one.
    pub expire_timestamp_ms: Option<TimestampMs>,
    /// Zero where it is not known.
    pub topic_id: Uuid,
}

/// The offsets of one topic of a group, in Kafka's order.
pub type TopicOffsets = TimelineHashMap<PartitionIndex, OffsetAndMetadata>;
/// The offsets of a group, by topic, in Kafka's order.
pub type GroupOffsets = TimelineHashMap<String, TopicOffsets>;

/// The offsets of all groups of a partition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Offsets(TimelineHashMap<String, GroupOffsets>);

impl Offsets {
    pub(super) fn of_group(&self, group: &String) -> Option<&GroupOffsets> {
        self.0.get(group)
    }

    pub(super) fn get(
        &self,
        group: &String,
        topic: &String,
        partition: PartitionIndex,
    ) -> Option<&OffsetAndMetadata> {
        self.0.get(group)?.get(topic)?.get(&partition)
    }

    /// Sets one offset; none removes it.
    pub(super) fn set(
        &mut self,
        group: &String,
        topic: &String,
        partition: PartitionIndex,
        value: Option<OffsetAndMetadata>,
    ) {
        if let Some(value) = value {
            let topics = self.0.get_or_insert_default(group);
            topics.get_or_insert_default(topic).insert(partition, value);
            return;
        }
        let Some(topics) = self.0.get_mut(group) else { return };
        if let Some(partitions) = topics.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                topics.remove(topic);
            }
        }
        if topics.is_empty() {
            self.0.remove(group);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &GroupOffsets)> {
        self.0.iter()
    }
}
