//! Where records without a key go: one partition until a batch's worth was sent there, then another. Kafka: `BuiltInPartitioner`.

use serde::{Deserialize, Serialize};
use simulation::Draw;

use crate::types::PartitionIndex;

/// What the partitioner must know of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partitions {
    pub count: i32,
    /// Those with a leader, in the order of Java's maps: a draw is an index into it.
    pub available: Vec<PartitionIndex>,
}

/// Names one stay at a partition; a later one has another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickyPartition {
    pub partition: PartitionIndex,
    turn: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LoadStats {
    cumulative_frequency: Vec<i32>,
    partitions: Vec<PartitionIndex>,
}

/// One topic's sticky partition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuiltInPartitioner {
    /// `batch.size`
    sticky_batch_size: i32,
    current: Option<StickyPartition>,
    produced_bytes: i32,
    turns: u32,
    load: Option<LoadStats>,
}

impl BuiltInPartitioner {
    pub fn new(sticky_batch_size: i32) -> Self {
        Self {
            sticky_batch_size: sticky_batch_size.max(1),
            current: None,
            produced_bytes: 0,
            turns: 0,
            load: None,
        }
    }

    /// The next partition: uniform over those available, or weighted by the load.
    fn next_partition(&self, partitions: &Partitions, draw: &mut impl Draw) -> PartitionIndex {
        let random = draw.next_int(1 << 31) as i32;
        let Some(load) = &self.load else {
            return if partitions.available.is_empty() {
                random % partitions.count.max(1)
            } else {
                partitions.available[random as usize % partitions.available.len()]
            };
        };
        let range = load.cumulative_frequency.last().copied().unwrap_or(1);
        let weighted = random % range.max(1);
        // The first partition whose share ends above the draw.
        let index = load.cumulative_frequency.partition_point(|end| *end <= weighted);
        load.partitions[index.min(load.partitions.len() - 1)]
    }

    fn switch(&mut self, partitions: &Partitions, draw: &mut impl Draw) -> StickyPartition {
        let partition = self.next_partition(partitions, draw);
        self.turns = self.turns.wrapping_add(1);
        self.produced_bytes = 0;
        *self.current.insert(StickyPartition { partition, turn: self.turns })
    }

    /// The partition to use now. Kafka: `peekCurrentPartitionInfo`.
    pub fn peek(&mut self, partitions: &Partitions, draw: &mut impl Draw) -> StickyPartition {
        match self.current {
            Some(current) => current,
            None => self.switch(partitions, draw),
        }
    }

    /// Whether `sticky` is no longer the one to use.
    pub fn is_changed(&self, sticky: StickyPartition) -> bool {
        self.current != Some(sticky)
    }

    /// Counts what was appended; after `batch.size` bytes the partition changes as soon as `enable_switch` (no batch
    /// there is half full), after twice that in any case. Kafka: `updatePartitionInfo`.
    pub fn update(
        &mut self,
        appended_bytes: i32,
        partitions: &Partitions,
        enable_switch: bool,
        draw: &mut impl Draw,
    ) {
        self.produced_bytes = self.produced_bytes.saturating_add(appended_bytes);
        let full = self.produced_bytes >= self.sticky_batch_size;
        if full && enable_switch || self.produced_bytes >= self.sticky_batch_size.saturating_mul(2)
        {
            self.switch(partitions, draw);
        }
    }

    /// Takes the lengths of the queues of the partitions with a leader; shorter ones are drawn more often.
    /// `all` is the number of all partitions' queues: where some are left out, even equal loads count.
    /// None goes back to uniform draws. Kafka: `updatePartitionLoadStats`.
    pub fn update_load(&mut self, queues: Option<(Vec<i32>, Vec<PartitionIndex>)>, all: usize) {
        self.load = None;
        let Some((sizes, partitions)) = queues else { return };
        let Some(longest) = sizes.iter().max().copied().filter(|_| all >= 2) else { return };
        let all_equal = sizes.iter().all(|size| *size == longest);
        if all_equal && sizes.len() == all {
            return;
        }
        let mut sum = 0;
        let ends = sizes.iter().map(|size| {
            sum += longest + 1 - size;
            sum
        });
        self.load = Some(LoadStats { cumulative_frequency: ends.collect(), partitions });
    }

    /// The end of the range that weighted draws are taken from; none while draws are uniform.
    pub fn load_stats_range_end(&self) -> Option<i32> {
        self.load.as_ref()?.cumulative_frequency.last().copied()
    }
}

/// Partition after partition, those without a leader left out. Kafka: `RoundRobinPartitioner`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RoundRobinPartitioner {
    counter: u32,
}

impl RoundRobinPartitioner {
    pub fn next(&mut self, partitions: &Partitions) -> PartitionIndex {
        let value = (self.counter & 0x7fff_ffff) as usize;
        self.counter = self.counter.wrapping_add(1);
        if partitions.available.is_empty() {
            value as i32 % partitions.count.max(1)
        } else {
            partitions.available[value % partitions.available.len()]
        }
    }
}
