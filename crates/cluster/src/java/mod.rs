//! What Kafka's output order owes to Java: hash codes and the iteration order of hash maps, in this one place.

mod hash;
mod hash_map;
mod timeline;
mod timeline_hash_map;

pub use hash::JavaHash;
pub use hash_map::{JavaHashMap, JavaHashSet};
pub use timeline::timeline_order;
pub use timeline_hash_map::TimelineHashMap;
