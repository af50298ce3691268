//! The controller's own hash table, whose order of iteration shows where an answer lists all topics or partitions.
//! Kafka: `BaseHashTable` under `TimelineHashMap`.

use super::JavaHash;

const MIN_CAPACITY: usize = 2;
/// Kafka's Fibonacci multiplier: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The keys in the order in which a `TimelineHashMap` iterates that got them one by one, with none removed.
pub fn timeline_order<K: JavaHash>(keys: impl IntoIterator<Item = K>) -> Vec<K> {
    let keys: Vec<K> = keys.into_iter().collect();
    let mut capacity = MIN_CAPACITY;
    while keys.len() * 3 > capacity * 4 {
        capacity *= 2;
    }
    let slot = |key: &K| {
        (i64::from(key.java_hash()) as u64).wrapping_mul(SPREAD) >> (64 - capacity.trailing_zeros())
    };
    // Within a slot, what came last is first.
    let mut placed: Vec<(u64, std::cmp::Reverse<usize>, K)> = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| (slot(&key), std::cmp::Reverse(index), key))
        .collect();
    simulation::sorted::sort_by_key(&mut placed, |(slot, index, _)| (*slot, *index));
    placed.into_iter().map(|(.., key)| key).collect()
}
