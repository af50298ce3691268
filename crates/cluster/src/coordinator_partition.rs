//! Which partition of an internal topic holds an id.
//! Kafka: `GroupCoordinatorService.partitionFor`, `TransactionStateManager.partitionFor`, `SharePartitionKey`.

use crate::java::JavaHash;
use crate::types::PartitionIndex;
use crate::uuid::Uuid;

/// The partition of `__consumer_offsets` (or `__transaction_state`, `__share_group_state`) for an id.
/// `partitions` is the topic's partition count; Kafka's `Utils.abs` maps the smallest integer to 0.
pub fn partition_for(id: &str, partitions: PartitionIndex) -> PartitionIndex {
    id.java_hash().checked_abs().unwrap_or(0) % partitions
}

/// The id under which a share group's state of one partition is coordinated.
pub fn share_coordinator_key(group_id: &str, topic_id: Uuid, partition: PartitionIndex) -> String {
    format!("{group_id}:{topic_id}:{partition}")
}
