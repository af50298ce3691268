//! Committed offsets of one partition of `__consumer_offsets`. Kafka: `OffsetAndMetadata`, `OffsetMetadataManager.Offsets`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

/// The offsets of one topic of a group.
pub type TopicOffsets = BTreeMap<PartitionIndex, OffsetAndMetadata>;
/// The offsets of a group, by topic.
pub type GroupOffsets = BTreeMap<String, TopicOffsets>;

/// The offsets of all groups of a partition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Offsets(BTreeMap<String, GroupOffsets>);

impl Offsets {
    pub(super) fn of_group(&self, group: &str) -> Option<&GroupOffsets> {
        self.0.get(group)
    }

    pub(super) fn get(
        &self,
        group: &str,
        topic: &str,
        partition: PartitionIndex,
    ) -> Option<&OffsetAndMetadata> {
        self.0.get(group)?.get(topic)?.get(&partition)
    }

    /// Sets one offset; none removes it.
    pub(super) fn set(
        &mut self,
        group: &str,
        topic: &str,
        partition: PartitionIndex,
        value: Option<OffsetAndMetadata>,
    ) {
        if let Some(value) = value {
            let topics = self.0.entry(group.to_owned()).or_default();
            topics.entry(topic.to_owned()).or_default().insert(partition, value);
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
