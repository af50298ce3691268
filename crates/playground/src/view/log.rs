//! One replica's log, from segments down to records.

use serde::{Deserialize, Serialize};

use super::model;
use super::{RecordMark, ReplicaKey};

model! {
    /// What the Log tab draws (sheet 05), for the replica that the page subscribed to.
    pub struct LogView delta LogDelta {
        maps {
            /// By base offset.
            segments: i64 => SegmentView,
            /// Batches in the visible range, by base offset; at most 64.
            batches: i64 => BatchView,
        }
        values {
            /// `None`: there is no such partition (or no topic at all).
            log: Option<LogHeader>,
            /// Offset index of the segment that holds the visible range: (offset, byte position), sparse as on disk;
            /// the last 64 entries.
            index: Vec<(i64, u32)>,
            /// How the page's chosen offset (or the last batch's) is found through the index.
            lookup: Option<LookupView>,
            /// Leader-epoch cache: (epoch, start offset).
            epochs: Vec<(i32, i64)>,
        }
    }
}

/// The log as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeader {
    pub replica: ReplicaKey,
    /// The topic's spine (see `LayoutRow::number`).
    pub topic_number: u16,
    /// Brokers that hold a copy, assignment order, for the switch.
    pub replicas: Vec<i32>,
    pub leader: Option<i32>,
    pub isr: Vec<i32>,
    pub online: bool,
    /// `delete`, `compact`, or both.
    pub cleanup_policy: String,
    pub log_start_offset: i64,
    pub last_stable_offset: i64,
    pub high_watermark: i64,
    pub log_end_offset: i64,
    pub size: u64,
    /// `index.interval.bytes`.
    pub index_interval: u32,
}

/// One segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentView {
    /// Next offset after its last record.
    pub end_offset: i64,
    pub bytes: u64,
    pub state: SegmentState,
    /// Largest timestamp in it, ms since 1970; -1 if empty.
    pub max_timestamp: i64,
    /// A sample of its records' keys, evenly spread, at most 48.
    pub sample: Vec<RecordMark>,
}

/// What a segment is to retention and the cleaner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SegmentState {
    /// Appended to.
    #[default]
    Active,
    /// Full, kept.
    Closed,
    /// Waits for deletion (`.deleted`).
    Deleted,
    /// Rewritten by the cleaner.
    Cleaned,
    /// The cleaner has yet to come.
    Dirty,
}

/// One record batch as it lies on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    pub last_offset: i64,
    /// Byte position in its segment, and its length with the 12 bytes before `batchLength`'s count.
    pub position: u32,
    pub bytes: u32,
    /// Base offset of its segment.
    pub segment: i64,
    pub partition_leader_epoch: i32,
    pub crc: u32,
    pub attributes: i16,
    /// `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    pub codec: String,
    pub transactional: bool,
    pub control: bool,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// Its records, at most 32.
    pub records: Vec<RecordView>,
    /// All of its records.
    pub count: u32,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    pub offset: i64,
    pub timestamp: i64,
    pub mark: RecordMark,
    /// As text, replaced where it is not UTF-8; at most 200 characters. `None` is null.
    pub key: Option<String>,
    pub value: Option<String>,
    pub headers: Vec<(String, String)>,
}

/// How a reader finds an offset: binary search in the sparse index, then forward through the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupView {
    pub offset: i64,
    /// Base offset of the segment.
    pub segment: i64,
    /// The index entry it starts from: (offset, position); `None` reads from byte 0.
    pub entry: Option<(i64, u32)>,
    /// Batches read forward until it is found.
    pub batches_read: u32,
}
