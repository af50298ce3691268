//! Which replica a consumer should read from: the closest, if `replica.selector.class` is the rack-aware one (KIP-392).
//! Kafka: `ReplicaManager.findPreferredReadReplica`, `RackAwareReplicaSelector`.

use super::fetch_session::PendingFetch;
use super::partition::Partition;
use crate::controller::image::MetadataImage;
use crate::types::{BrokerId, Offset};

/// A replica in the consumer's rack that has what it asks for, unless the leader itself is there.
pub fn preferred_read_replica(
    partition: &Partition,
    image: &MetadataImage,
    pending: &PendingFetch,
    fetch_offset: Offset,
) -> Option<BrokerId> {
    if pending.rack_id.is_empty() {
        return None;
    }
    let in_rack = |id: &BrokerId| {
        image.brokers.get(id).is_some_and(|broker| {
            !broker.fenced && broker.rack.as_deref() == Some(&pending.rack_id)
        })
    };
    if in_rack(&partition.leader()) {
        return None;
    }
    partition
        .leader_state()?
        .replicas()
        .iter()
        .filter(|(id, replica)| {
            in_rack(id)
                && replica.log_end_offset >= fetch_offset
                && replica.log_start_offset <= fetch_offset
                && partition.is_in_sync(**id)
        })
        // The most caught up one; of equals the first.
        .max_by_key(|(id, replica)| (replica.log_end_offset, std::cmp::Reverse(**id)))
        .map(|(id, _)| *id)
}
