//! One segment of a log: batches in order, their positions in the file, and the sparse indexes Kafka keeps beside it.
//!
//! Batches are found by binary search; the offset and time index are kept entry for entry as Kafka's, because tools show
//! them, their fill level rolls segments, and what a truncation leaves of them decides the largest timestamp.
//! Kafka: `LogSegment`, `OffsetIndex`, `TimeIndex`, `TransactionIndex`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::log_config::LogConfig;
use super::record_batch::{Batch, NO_TIMESTAMP};
use crate::types::{Offset, TimestampMs};

/// Size of an entry in `.index`.
pub const OFFSET_INDEX_ENTRY_SIZE: u32 = 8;
/// Size of an entry in `.timeindex`.
pub const TIME_INDEX_ENTRY_SIZE: u32 = 12;

/// Batches with their positions in the file. Only the batches are stored, positions follow from their sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Batches {
    batches: Vec<Batch>,
    positions: Vec<u32>,
    size: u32,
}

impl Batches {
    fn push(&mut self, batch: Batch) {
        self.positions.push(self.size);
        self.size += batch.size_in_bytes();
        self.batches.push(batch);
    }

    fn truncate(&mut self, count: usize) {
        if let Some(position) = self.positions.get(count) {
            self.size = *position;
            self.positions.truncate(count);
            self.batches.truncate(count);
        }
    }
}

impl Serialize for Batches {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.batches.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Batches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut batches = Self::default();
        for batch in Vec::<Batch>::deserialize(deserializer)? {
            batches.push(batch);
        }
        Ok(batches)
    }
}

/// An aborted transaction on this partition: what a read_committed consumer is told to skip. Kafka: `AbortedTxn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortedTxn {
    pub producer_id: i64,
    pub first_offset: Offset,
    /// Offset of the ABORT marker.
    pub last_offset: Offset,
    /// Last stable offset when the marker was written.
    pub last_stable_offset: Offset,
}

/// One segment. Kafka: `LogSegment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSegment {
    base_offset: Offset,
    batches: Batches,
    /// (last offset of a batch, position of that batch)
    offset_index: Vec<(Offset, u32)>,
    /// (largest timestamp so far, last offset of the batch with it)
    time_index: Vec<(TimestampMs, Offset)>,
    txn_index: Vec<AbortedTxn>,
    index_interval_bytes: u32,
    bytes_since_last_index_entry: u32,
    max_timestamp_so_far: (TimestampMs, Offset),
    roll_jitter_ms: i64,
    created_ms: TimestampMs,
    last_modified_ms: TimestampMs,
    /// Largest timestamp of the first batch; its age rolls the segment.
    first_batch_timestamp: Option<TimestampMs>,
}

impl LogSegment {
    /// An empty segment, created at `now`.
    pub fn new(base_offset: Offset, config: &LogConfig, now: TimestampMs) -> Self {
        Self {
            base_offset,
            batches: Batches::default(),
            offset_index: Vec::new(),
            time_index: Vec::new(),
            txn_index: Vec::new(),
            index_interval_bytes: config.index_interval_bytes,
            bytes_since_last_index_entry: 0,
            max_timestamp_so_far: (NO_TIMESTAMP, base_offset),
            roll_jitter_ms: roll_jitter_ms(base_offset, config),
            created_ms: now,
            last_modified_ms: now,
            first_batch_timestamp: None,
        }
    }

    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// Size of the `.log` file.
    pub fn size_in_bytes(&self) -> u32 {
        self.batches.size
    }

    pub fn batches(&self) -> &[Batch] {
        &self.batches.batches
    }

    /// Entries of `.index`: (last offset of a batch, position of that batch).
    pub fn offset_index(&self) -> &[(Offset, u32)] {
        &self.offset_index
    }

    /// Entries of `.timeindex`: (largest timestamp so far, last offset of the batch that has it).
    pub fn time_index(&self) -> &[(TimestampMs, Offset)] {
        &self.time_index
    }

    /// Entries of `.txnindex`.
    pub fn txn_index(&self) -> &[AbortedTxn] {
        &self.txn_index
    }

    /// Largest timestamp of the records; [`NO_TIMESTAMP`] without any.
    pub fn max_timestamp_so_far(&self) -> TimestampMs {
        self.max_timestamp_so_far.0
    }

    pub(super) fn max_timestamp_and_offset_so_far(&self) -> (TimestampMs, Offset) {
        self.max_timestamp_so_far
    }

    /// What retention compares with: the largest timestamp, or when the file was last written if no record has one.
    pub fn largest_timestamp(&self) -> TimestampMs {
        if self.max_timestamp_so_far.0 >= 0 {
            self.max_timestamp_so_far.0
        } else {
            self.last_modified_ms
        }
    }

    /// When the segment's file was last written.
    pub fn last_modified_ms(&self) -> TimestampMs {
        self.last_modified_ms
    }

    /// Largest timestamp of the first batch, from which a segment's age is counted.
    pub fn first_batch_timestamp(&self) -> Option<TimestampMs> {
        self.first_batch_timestamp.filter(|timestamp| *timestamp >= 0)
    }

    /// Whether a new segment must be begun before `bytes` with these largest timestamp and offset are appended.
    pub(super) fn should_roll(
        &self,
        config: &LogConfig,
        bytes: u32,
        max_timestamp: TimestampMs,
        last_offset: Offset,
        now: TimestampMs,
    ) -> bool {
        let waited = match self.first_batch_timestamp() {
            Some(first) => max_timestamp.wrapping_sub(first),
            None => now - self.created_ms,
        };
        let reached_roll_ms = waited > config.segment_ms - self.roll_jitter_ms;
        i64::from(self.size_in_bytes()) > i64::from(config.segment_bytes) - i64::from(bytes)
            || (self.size_in_bytes() > 0 && reached_roll_ms)
            || self.indexes_are_full(config)
            || i32::try_from(last_offset - self.base_offset).is_err()
    }

    fn indexes_are_full(&self, config: &LogConfig) -> bool {
        let offset_entries = config.segment_index_bytes / OFFSET_INDEX_ENTRY_SIZE;
        let time_entries = config.segment_index_bytes / TIME_INDEX_ENTRY_SIZE;
        self.offset_index.len() >= offset_entries as usize
            // The time index keeps one entry free for the one that is written when the segment is closed.
            || self.time_index.len() + 1 >= time_entries as usize
    }

    /// Appends a batch; the caller has checked its offsets.
    pub(super) fn append(&mut self, batch: Batch, now: TimestampMs) {
        let position = self.batches.size;
        if batch.max_timestamp() > self.max_timestamp_so_far.0 {
            self.max_timestamp_so_far = (batch.max_timestamp(), batch.last_offset());
        }
        if self.bytes_since_last_index_entry > self.index_interval_bytes {
            self.offset_index.push((batch.last_offset(), position));
            self.append_time_index_entry();
            self.bytes_since_last_index_entry = 0;
        }
        self.bytes_since_last_index_entry += batch.size_in_bytes();
        self.first_batch_timestamp.get_or_insert(batch.max_timestamp());
        self.last_modified_ms = now;
        self.batches.push(batch);
    }

    fn append_time_index_entry(&mut self) {
        if self.max_timestamp_so_far.0 > self.last_time_index_entry().0 {
            self.time_index.push(self.max_timestamp_so_far);
        }
    }

    fn last_time_index_entry(&self) -> (TimestampMs, Offset) {
        self.time_index.last().copied().unwrap_or((NO_TIMESTAMP, self.base_offset))
    }

    /// The next segment was begun: the time index gets its last entry.
    pub(super) fn on_become_inactive_segment(&mut self) {
        self.append_time_index_entry();
    }

    pub(super) fn append_aborted_txn(&mut self, aborted: AbortedTxn) {
        self.txn_index.push(aborted);
    }

    /// Position among the batches of the first one that ends at or behind `offset`; the count of batches if none does.
    pub(super) fn batch_index(&self, offset: Offset) -> usize {
        self.batches.batches.partition_point(|batch| batch.last_offset() < offset)
    }

    /// Position in the file of the batch at `index`; the file's size behind the last one.
    pub(super) fn position(&self, index: usize) -> u32 {
        self.batches.positions.get(index).copied().unwrap_or(self.batches.size)
    }

    /// Index among the batches of the last one that an offset index lookup for `offset` points at.
    fn indexed_batch(&self, offset: Offset) -> usize {
        let entries = self.offset_index.partition_point(|(indexed, _)| *indexed <= offset);
        let position = entries.checked_sub(1).map_or(0, |entry| self.offset_index[entry].1);
        self.batches.positions.partition_point(|start| *start < position)
    }

    /// Batches from where the indexes point for `offset` on: what Kafka scans.
    pub(super) fn batches_from_index(&self, offset: Offset) -> &[Batch] {
        &self.batches.batches[self.indexed_batch(offset)..]
    }

    /// Batches that may hold the first record at or behind `timestamp`, at or behind `start_offset`.
    pub(super) fn batches_for_timestamp(
        &self,
        timestamp: TimestampMs,
        start_offset: Offset,
    ) -> &[Batch] {
        let entries = self.time_index.partition_point(|(indexed, _)| *indexed <= timestamp);
        let offset =
            entries.checked_sub(1).map_or(self.base_offset, |entry| self.time_index[entry].1);
        self.batches_from_index(offset.max(start_offset))
    }

    /// The smallest indexed offset whose position is at or behind `position`.
    pub(super) fn fetch_upper_bound_offset(&self, position: u64) -> Option<Offset> {
        let entry =
            self.offset_index.partition_point(|(_, indexed)| u64::from(*indexed) < position);
        self.offset_index.get(entry).map(|(offset, _)| *offset)
    }

    /// Removes the batch that holds `offset` and all behind it.
    pub(super) fn truncate_to(&mut self, offset: Offset, now: TimestampMs) {
        let count = self.batch_index(offset);
        self.offset_index.retain(|(indexed, _)| *indexed < offset);
        self.time_index.retain(|(_, indexed)| *indexed < offset);
        if let Some(first) = self.txn_index.iter().position(|aborted| aborted.last_offset >= offset)
        {
            self.txn_index.truncate(first);
        }
        if count < self.batches.batches.len() {
            self.batches.truncate(count);
            self.last_modified_ms = now;
        }
        if self.batches.size == 0 {
            self.created_ms = now;
            self.first_batch_timestamp = None;
        }
        self.bytes_since_last_index_entry = 0;
        if self.max_timestamp_so_far.0 >= 0 {
            self.max_timestamp_so_far = self.read_largest_timestamp();
        }
    }

    /// The last time index entry, or a larger timestamp behind it.
    fn read_largest_timestamp(&self) -> (TimestampMs, Offset) {
        let last = self.last_time_index_entry();
        let mut largest = (NO_TIMESTAMP, -1);
        for batch in self.batches_from_index(last.1) {
            if batch.max_timestamp() > largest.0 {
                largest = (batch.max_timestamp(), batch.last_offset());
            }
        }
        if largest.0 > last.0 { largest } else { last }
    }

    /// Aborted transactions that overlap the offsets from `fetch_offset` to below `upper_bound`; true if no later
    /// segment can know more.
    pub(super) fn collect_aborted_txns(
        &self,
        fetch_offset: Offset,
        upper_bound: Offset,
        into: &mut Vec<AbortedTxn>,
    ) -> bool {
        // Markers are appended in order, so their offsets increase.
        let first = self.txn_index.partition_point(|aborted| aborted.last_offset < fetch_offset);
        for aborted in &self.txn_index[first..] {
            if aborted.first_offset < upper_bound {
                into.push(*aborted);
            }
            if aborted.last_stable_offset >= upper_bound {
                return true;
            }
        }
        false
    }
}

/// How much earlier a segment rolls. Kafka draws a random number; here it follows from the base offset, so that logs
/// with the same history stay the same.
fn roll_jitter_ms(base_offset: Offset, config: &LogConfig) -> i64 {
    match config.segment_jitter_ms.min(config.segment_ms) {
        limit if limit > 0 => {
            let mixed = (base_offset as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            (mixed % limit as u64) as i64
        }
        _ => 0,
    }
}
