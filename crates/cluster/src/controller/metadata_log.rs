//! `__cluster_metadata-0`: one log, on every controller and broker, replicated by pulling (KRaft).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::records::MetadataBatch;
use crate::types::Offset;

/// The batches after the latest snapshot. What is before is in the image that the snapshot holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetadataLog {
    batches: VecDeque<MetadataBatch>,
    start_offset: Offset,
    /// Epoch of the last record before `start_offset`; 0 if there was none.
    start_epoch: i32,
}

impl MetadataLog {
    pub fn start_offset(&self) -> Offset {
        self.start_offset
    }

    pub fn end_offset(&self) -> Offset {
        self.batches.back().map_or(self.start_offset, MetadataBatch::end_offset)
    }

    /// Epoch of the last record.
    pub fn last_epoch(&self) -> i32 {
        self.batches.back().map_or(self.start_epoch, |batch| batch.leader_epoch)
    }

    pub fn append(&mut self, batch: MetadataBatch) {
        assert_eq!(batch.base_offset, self.end_offset(), "the metadata log has no gaps");
        self.batches.push_back(batch);
    }

    /// The batches from `from` up to `to` (exclusive).
    pub fn read(&self, from: Offset, to: Offset) -> impl Iterator<Item = &MetadataBatch> + '_ {
        let first = self.batches.partition_point(|batch| batch.end_offset() <= from);
        self.batches.range(first..).take_while(move |batch| batch.base_offset < to)
    }

    /// The largest epoch up to `epoch` that the log has, and where it ends. Kafka: `endOffsetForEpoch`.
    pub fn end_offset_for_epoch(&self, epoch: i32) -> (i32, Offset) {
        let after = self.batches.partition_point(|batch| batch.leader_epoch <= epoch);
        match after.checked_sub(1).map(|last| &self.batches[last]) {
            Some(last) => (last.leader_epoch, last.end_offset()),
            None => (self.start_epoch, self.start_offset),
        }
    }

    /// Whether a log that ends at `offset` with a record of `epoch` is a prefix of this one.
    pub fn has_prefix(&self, offset: Offset, epoch: i32) -> bool {
        let (found_epoch, end) = self.end_offset_for_epoch(epoch);
        found_epoch == epoch && offset <= end
    }

    /// Drops everything from `offset` on.
    pub fn truncate_to(&mut self, offset: Offset) {
        while self.batches.back().is_some_and(|batch| batch.base_offset >= offset) {
            self.batches.pop_back();
        }
        // Batches are appended and replicated whole, so a cut never falls inside one.
    }

    /// Forgets all but the last `keep` batches below `committed`: an image holds what they said.
    pub fn trim(&mut self, committed: Offset, keep: usize) {
        while self.batches.len() > keep && self.batches[0].end_offset() <= committed {
            let first = self.batches.pop_front().expect("there are batches");
            self.start_offset = first.end_offset();
            self.start_epoch = first.leader_epoch;
        }
    }

    /// Starts anew after a snapshot that ends at `offset`.
    pub fn reset_to(&mut self, offset: Offset, epoch: i32) {
        self.batches.clear();
        self.start_offset = offset;
        self.start_epoch = epoch;
    }

    pub fn len(&self) -> usize {
        self.batches.len()
    }

    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}
