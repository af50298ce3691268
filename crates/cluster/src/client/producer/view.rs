//! The cluster as the accumulator walks through it: in the orders of Java's maps, which decide what a draw picks and what
//! is sent first. Kafka: `MetadataSnapshot.computeClusterView`, `Cluster`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use crate::client::metadata::Metadata;
use crate::client::partitioner::Partitions;
use crate::java::JavaHashMap;
use crate::types::{BrokerId, PartitionIndex, TopicPartition};
use crate::uuid::Uuid;

/// One topic.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TopicView {
    pub id: Uuid,
    pub partitions: Partitions,
    /// Leader and leader epoch by partition.
    pub leaders: Vec<Option<(BrokerId, i32)>>,
}

impl TopicView {
    pub fn leader(&self, partition: PartitionIndex) -> Option<(BrokerId, i32)> {
        *self.leaders.get(usize::try_from(partition).ok()?)?
    }
}

/// All topics that the client knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClusterView {
    /// Of the metadata it was made from.
    version: u32,
    pub topics: SortedMap<String, TopicView>,
    /// What each node leads, in the order in which it is drained.
    pub led_by: SortedMap<BrokerId, Vec<TopicPartition>>,
}

impl ClusterView {
    pub fn of(metadata: &Metadata) -> Self {
        let count = metadata.topics.values().map(|topic| topic.partitions.len()).sum();
        let mut partitions: JavaHashMap<TopicPartition, ()> = JavaHashMap::with_capacity(count);
        let mut topics = SortedMap::new();
        for (name, topic) in &metadata.topics {
            let indexes = 0..topic.partitions.len() as i32;
            for index in indexes.clone() {
                partitions.insert(TopicPartition::new(name.clone(), index), ());
            }
            let leaders = indexes.map(|index| metadata.leader(name, index)).collect();
            let partitions =
                Partitions { count: topic.partitions.len() as i32, available: Vec::new() };
            topics.insert(name.clone(), TopicView { id: topic.id, partitions, leaders });
        }
        let mut led_by: SortedMap<BrokerId, Vec<TopicPartition>> = SortedMap::new();
        for partition in partitions.keys() {
            let Some(topic) = topics.get_mut(&partition.topic) else { continue };
            if let Some((leader, _)) = topic.leader(partition.partition) {
                topic.partitions.available.push(partition.partition);
                led_by.entry(leader).or_default().push(partition.clone());
            }
        }
        Self { version: metadata.version(), topics, led_by }
    }

    /// Follows the metadata if that has changed.
    pub fn refresh(&mut self, metadata: &Metadata) {
        if self.version != metadata.version() {
            *self = Self::of(metadata);
        }
    }
}
