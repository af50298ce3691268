//! The small types that Kafka's messages and state share; newtypes where two numbers could be swapped.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// `node.id` of a Kafka node; -1 where Kafka says "none".
pub type BrokerId = i32;
/// A record's position in its partition's log.
pub type Offset = i64;
/// Index of a partition within its topic.
pub type PartitionIndex = i32;
/// Kafka's timestamps: milliseconds since 1970-01-01T00:00:00Z; -1 where Kafka says "none".
pub type TimestampMs = i64;
/// Bytes that are held once and shared: record batches, keys, values.
pub type Bytes = Arc<[u8]>;

/// Bumped with each new leader of a partition. Kafka: `leaderEpoch`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// Kafka's `RecordBatch.NO_PARTITION_LEADER_EPOCH`.
    pub const NONE: Self = Self(-1);
}

/// Bumped with each change of a partition's metadata. Kafka: `partitionEpoch`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PartitionEpoch(pub i32);

/// A topic's name and one of its partitions, printed as Kafka does: `orders-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: PartitionIndex,
}

impl TopicPartition {
    pub fn new(topic: impl Into<String>, partition: PartitionIndex) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
