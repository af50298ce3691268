//! Which key is drawn how: keys are numbered in order of first sight and keep their number for the whole session.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use cluster::log::{Batch, ControlRecordType, PartitionLog, Record};
use serde::{Deserialize, Serialize};

use crate::view::{MarkKind, RecordMark};

/// Batches whose marks are remembered: all copies of a partition show the same ones.
const BATCHES: usize = 400;
/// Characters of a key that are shown.
const KEY_CHARS: usize = 40;

/// The session's numbers of keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Marks {
    numbers: SortedMap<Vec<u8>, u16>,
    /// Texts by number, from 1.
    texts: Vec<String>,
    /// Marks of the last records of batches that were looked at, newest last, by what tells batches apart.
    #[serde(skip)]
    batches: SortedMap<BatchKey, Vec<RecordMark>>,
    #[serde(skip)]
    order: VecDeque<BatchKey>,
}

/// Base offset, checksum, length, producer and sequence.
type BatchKey = (i64, u32, u32, i64, i32);

/// Marks kept of one batch: a strip shows no more.
pub const TAIL: usize = 20;

impl Marks {
    /// The number of a key; 0 for none.
    fn number(&mut self, key: Option<&[u8]>) -> u16 {
        let Some(key) = key else { return 0 };
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        if self.texts.len() >= usize::from(u16::MAX) {
            return u16::MAX;
        }
        self.texts.push(text(key, KEY_CHARS));
        let number = self.texts.len() as u16;
        self.numbers.insert(key.to_vec(), number);
        number
    }

    /// The text of a key's number.
    pub fn text(&self, number: u16) -> Option<&String> {
        self.texts.get(usize::from(number.checked_sub(1)?))
    }

    pub fn of_record(&mut self, record: &Record<'_>, is_control: bool) -> RecordMark {
        if is_control {
            let kind = match record.key.map(ControlRecordType::parse) {
                Some(Ok(ControlRecordType::Abort)) => MarkKind::Abort,
                _ => MarkKind::Commit,
            };
            return RecordMark { key: 0, kind };
        }
        let kind = if record.value.is_none() { MarkKind::Tombstone } else { MarkKind::Record };
        RecordMark { key: self.number(record.key), kind }
    }

    /// Marks of a batch's last records, at most [`TAIL`], oldest first.
    pub fn of_batch(&mut self, batch: &Batch) -> &[RecordMark] {
        let key = (
            batch.base_offset(),
            batch.crc(),
            batch.size_in_bytes(),
            batch.producer_id(),
            batch.base_sequence(),
        );
        if !self.batches.contains_key(&key) {
            let marks = self.read(batch);
            if self.order.len() == BATCHES
                && let Some(oldest) = self.order.pop_front()
            {
                self.batches.remove(&oldest);
            }
            self.order.push_back(key);
            self.batches.insert(key, marks);
        }
        &self.batches[&key]
    }

    fn read(&mut self, batch: &Batch) -> Vec<RecordMark> {
        let Ok(records) = batch.records() else { return Vec::new() };
        let skipped =
            usize::try_from(batch.record_count()).unwrap_or_default().saturating_sub(TAIL);
        let is_control = batch.is_control_batch();
        let last = records.iter().flatten().skip(skipped);
        last.map(|record| self.of_record(&record, is_control)).collect()
    }

    /// Marks of a log's last records, at most [`TAIL`], oldest first.
    pub fn tail(&mut self, log: &PartitionLog) -> Vec<RecordMark> {
        let mut newest_first: Vec<RecordMark> = Vec::with_capacity(TAIL);
        let batches = log.segments().rev().flat_map(|segment| segment.batches().iter().rev());
        for batch in batches {
            let room = TAIL - newest_first.len();
            newest_first.extend(self.of_batch(batch).iter().rev().take(room));
            if newest_first.len() == TAIL {
                break;
            }
        }
        newest_first.reverse();
        newest_first
    }
}

/// Bytes as text, replaced where they are not UTF-8, at most `limit` characters.
pub fn text(bytes: &[u8], limit: usize) -> String {
    // A character has at most four bytes.
    let head = &bytes[..bytes.len().min(limit * 4)];
    String::from_utf8_lossy(head).chars().take(limit).collect()
}
