//! Which leader epoch wrote which offsets: what a returning replica compares to find where histories part.
//!
//! Kafka: `LeaderEpochFileCache`, the file `leader-epoch-checkpoint`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use crate::types::{LeaderEpoch, Offset};

/// Leader epochs of one log with their start offsets, both increasing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderEpochCache {
    epochs: SortedMap<LeaderEpoch, Offset>,
}

impl LeaderEpochCache {
    /// Notes that `epoch` starts at `start_offset`. Later entries that contradict it go. Negative values are refused.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) -> bool {
        if epoch.0 < 0 || start_offset < 0 {
            return false;
        }
        let update = self
            .latest_entry()
            .is_none_or(|(latest, start)| epoch != latest || start_offset < start);
        if update {
            while let Some((last, start)) = self.latest_entry() {
                if last < epoch && start < start_offset {
                    break;
                }
                self.epochs.remove(&last);
            }
            self.epochs.insert(epoch, start_offset);
        }
        update
    }

    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// All epochs with their start offsets, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = (LeaderEpoch, Offset)> + '_ {
        self.epochs.iter().map(|(epoch, start)| (*epoch, *start))
    }

    pub fn latest_entry(&self) -> Option<(LeaderEpoch, Offset)> {
        self.epochs.last_key_value().map(|(epoch, start)| (*epoch, *start))
    }

    pub fn earliest_entry(&self) -> Option<(LeaderEpoch, Offset)> {
        self.epochs.first_key_value().map(|(epoch, start)| (*epoch, *start))
    }

    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.latest_entry().map(|(epoch, _)| epoch)
    }

    pub fn previous_epoch(&self, epoch: LeaderEpoch) -> Option<LeaderEpoch> {
        self.epochs.range(..epoch).next_back().map(|(previous, _)| *previous)
    }

    pub fn next_epoch(&self, epoch: LeaderEpoch) -> Option<LeaderEpoch> {
        self.next_entry(epoch).map(|(next, _)| next)
    }

    fn next_entry(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let above = (std::ops::Bound::Excluded(epoch), std::ops::Bound::Unbounded);
        self.epochs.range(above).next().map(|(next, start)| (*next, *start))
    }

    /// The answer to OffsetForLeaderEpoch: the largest known epoch ≤ `requested` and where it ends. `None` where Kafka
    /// answers (-1, -1): the epoch is unknown, or newer than all of this log.
    pub fn end_offset_for(
        &self,
        requested: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        if requested == LeaderEpoch::NONE {
            return None;
        }
        if self.latest_epoch() == Some(requested) {
            return Some((requested, log_end_offset));
        }
        let (_, end_offset) = self.next_entry(requested)?;
        // Older than everything here: it ends where this log's history begins.
        let floor =
            self.epochs.range(..=requested).next_back().map_or(requested, |(epoch, _)| *epoch);
        Some((floor, end_offset))
    }

    /// The epoch that wrote `offset`.
    pub fn epoch_for_offset(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs
            .iter()
            .take_while(|(_, start)| **start <= offset)
            .last()
            .map(|(epoch, _)| *epoch)
    }

    /// Forgets the epochs that start at or behind `end_offset`: the log was truncated there.
    pub fn truncate_from_end(&mut self, end_offset: Offset) {
        if end_offset < 0 {
            return;
        }
        while let Some((last, start)) = self.latest_entry() {
            if start < end_offset {
                break;
            }
            self.epochs.remove(&last);
        }
    }

    /// Forgets the epochs that end before `start_offset`; the one that holds it now starts there.
    pub fn truncate_from_start(&mut self, start_offset: Offset) {
        let mut cut = None;
        while let Some((first, start)) = self.earliest_entry() {
            if start > start_offset {
                break;
            }
            self.epochs.remove(&first);
            cut = Some(first);
        }
        if let Some(epoch) = cut {
            self.epochs.insert(epoch, start_offset);
        }
    }

    pub fn clear(&mut self) {
        self.epochs.clear();
    }
}
