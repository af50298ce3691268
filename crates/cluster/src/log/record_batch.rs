//! Record batch v2 as bytes: the header read in place, the records iterated without copying.
//!
//! A batch is held once and shared by the producer that retries it, the leader, the followers and the messages between
//! them. That works because the checksum starts at the attributes: the two fields that a leader fills in, base offset
//! and partition leader epoch, lie before it, and [`Batch`] holds them beside the shared bytes.
//! Kafka: `DefaultRecordBatch`, `DefaultRecord`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::batch_pool;
use super::compression::{self, CompressionType};
use super::crc::crc32c;
use super::error::LogError;
use super::varint::{read_varint, read_varlong};
use crate::types::{Bytes, LeaderEpoch, Offset, TimestampMs};

/// Size of a batch's header, which is a batch without records. Kafka: `DefaultRecordBatch.RECORD_BATCH_OVERHEAD`.
pub const RECORD_BATCH_OVERHEAD: u32 = 61;
/// Kafka: `Records.LOG_OVERHEAD`: base offset and length, which the length itself does not count.
pub(super) const LOG_OVERHEAD: usize = 12;
/// The only magic that Kafka 4 writes.
pub const MAGIC_VALUE_V2: i8 = 2;
/// Kafka: `RecordBatch.NO_TIMESTAMP`.
pub const NO_TIMESTAMP: TimestampMs = -1;
/// Kafka: `RecordBatch.NO_PRODUCER_ID`.
pub const NO_PRODUCER_ID: i64 = -1;
/// Kafka: `RecordBatch.NO_PRODUCER_EPOCH`.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// Kafka: `RecordBatch.NO_SEQUENCE`.
pub const NO_SEQUENCE: i32 = -1;

pub(super) const ATTRIBUTES_AT: usize = 21;
const COMPRESSION_MASK: i16 = 0x07;
const TIMESTAMP_TYPE_MASK: i16 = 0x08;
const TRANSACTIONAL_MASK: i16 = 0x10;
const CONTROL_MASK: i16 = 0x20;
const DELETE_HORIZON_MASK: i16 = 0x40;

/// Whose clock a batch's timestamps are from: `message.timestamp.type`. Kafka: `TimestampType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimestampType {
    #[default]
    CreateTime,
    LogAppendTime,
}

impl TimestampType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// All header fields of a batch, in the order of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: Offset,
    pub partition_leader_epoch: LeaderEpoch,
    pub compression: CompressionType,
    pub timestamp_type: TimestampType,
    pub is_transactional: bool,
    pub is_control_batch: bool,
    /// When tombstones and markers in the batch may go, set by the first compaction; then it stands in the base timestamp.
    pub delete_horizon_ms: Option<TimestampMs>,
    pub last_offset_delta: i32,
    pub base_timestamp: TimestampMs,
    pub max_timestamp: TimestampMs,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// The header's 61 bytes for a batch of `size_in_bytes`; length and checksum are filled in by [`seal`].
    pub(super) fn to_bytes(self) -> [u8; RECORD_BATCH_OVERHEAD as usize] {
        let mut attributes = i16::from(self.compression.id());
        for (set, mask) in [
            (self.timestamp_type == TimestampType::LogAppendTime, TIMESTAMP_TYPE_MASK),
            (self.is_transactional, TRANSACTIONAL_MASK),
            (self.is_control_batch, CONTROL_MASK),
            (self.delete_horizon_ms.is_some(), DELETE_HORIZON_MASK),
        ] {
            if set {
                attributes |= mask;
            }
        }
        let mut out = [0; RECORD_BATCH_OVERHEAD as usize];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(&self.base_offset.to_be_bytes());
        put(&[0; 4]); // length
        put(&self.partition_leader_epoch.0.to_be_bytes());
        put(&MAGIC_VALUE_V2.to_be_bytes());
        put(&[0; 4]); // checksum
        put(&attributes.to_be_bytes());
        put(&self.last_offset_delta.to_be_bytes());
        put(&self.base_timestamp.to_be_bytes());
        put(&self.max_timestamp.to_be_bytes());
        put(&self.producer_id.to_be_bytes());
        put(&self.producer_epoch.to_be_bytes());
        put(&self.base_sequence.to_be_bytes());
        put(&self.record_count.to_be_bytes());
        out
    }
}

/// Fills in the length and the checksum of a batch whose other bytes are final.
pub(super) fn seal(bytes: &mut [u8]) {
    let length = (bytes.len() - LOG_OVERHEAD) as u32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c(&bytes[ATTRIBUTES_AT..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// One record batch: shared bytes, and the two fields a leader fills in without touching them.
///
/// Always at least a header long; whether the checksum is right is asked with [`Batch::is_valid`].
#[derive(Clone, Serialize)]
pub struct Batch {
    /// As its writer sent them; base offset and partition leader epoch in here are not looked at.
    #[serde(with = "batch_pool::shared")]
    bytes: Bytes,
    base_offset: Offset,
    partition_leader_epoch: LeaderEpoch,
    /// The checksum is known to be right: bytes are immutable, so once is enough for all who share them.
    checked: bool,
}

impl Batch {
    /// Takes `bytes` that hold exactly one batch. The checksum is checked by whoever appends it.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, LogError> {
        let size = bytes.len();
        if size < RECORD_BATCH_OVERHEAD as usize {
            return Err(LogError::corrupt(format!(
                "Record batch is corrupt (the size {size} is smaller than the minimum allowed overhead {RECORD_BATCH_OVERHEAD})"
            )));
        }
        let batch = Self {
            base_offset: i64::from_be_bytes(array(&bytes, 0)),
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(array(&bytes, 12))),
            checked: false,
            bytes,
        };
        let length = i32::from_be_bytes(array(&batch.bytes, 8));
        if i64::from(length) + LOG_OVERHEAD as i64 != size as i64 {
            return Err(LogError::corrupt(format!(
                "Record batch is corrupt (its length says {} bytes, but there are {size})",
                i64::from(length) + LOG_OVERHEAD as i64
            )));
        }
        let codec = batch.bytes[ATTRIBUTES_AT + 1] & COMPRESSION_MASK as u8;
        if CompressionType::from_id(codec).is_none() {
            return Err(LogError::corrupt(format!("Unknown compression type id: {codec}")));
        }
        Ok(batch)
    }

    /// A batch whose header was just written: length and checksum are set here.
    pub(super) fn sealed(mut bytes: Vec<u8>) -> Self {
        seal(&mut bytes);
        Self {
            base_offset: i64::from_be_bytes(array(&bytes, 0)),
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(array(&bytes, 12))),
            checked: true,
            bytes: bytes.into(),
        }
    }

    /// The batch's bytes as they are on disk and on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        bytes[..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.partition_leader_epoch.0.to_be_bytes());
        bytes
    }

    /// The shared bytes; only to ask whether two batches share them.
    pub fn shared_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same batch at other offsets; costs nothing.
    pub fn with_offset_and_epoch(&self, base_offset: Offset, epoch: LeaderEpoch) -> Self {
        Self { base_offset, partition_leader_epoch: epoch, ..self.clone() }
    }

    /// The same batch with another timestamp type and maximum; a copy, as the checksum covers both. Kafka: `setMaxTimestamp`.
    pub(super) fn with_max_timestamp(
        &self,
        timestamp_type: TimestampType,
        max_timestamp: TimestampMs,
    ) -> Self {
        if self.timestamp_type() == timestamp_type && self.max_timestamp() == max_timestamp {
            return self.clone();
        }
        self.rewritten(&BatchHeader { timestamp_type, max_timestamp, ..self.header() })
    }

    /// The same records under another producer epoch and sequence: a producer does that to a batch it sends again after
    /// its epoch was bumped. Kafka: `MemoryRecordsBuilder.reopenAndRewriteProducerState`.
    pub fn with_producer_state(
        &self,
        producer_id: i64,
        producer_epoch: i16,
        base_sequence: i32,
        is_transactional: bool,
    ) -> Self {
        self.rewritten(&BatchHeader {
            is_transactional,
            producer_id,
            producer_epoch,
            base_sequence,
            ..self.header()
        })
    }

    fn rewritten(&self, header: &BatchHeader) -> Self {
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(&self.bytes[RECORD_BATCH_OVERHEAD as usize..]);
        Self::sealed(bytes)
    }

    pub fn header(&self) -> BatchHeader {
        BatchHeader {
            base_offset: self.base_offset,
            partition_leader_epoch: self.partition_leader_epoch,
            compression: self.compression_type(),
            timestamp_type: self.timestamp_type(),
            is_transactional: self.is_transactional(),
            is_control_batch: self.is_control_batch(),
            delete_horizon_ms: self.delete_horizon_ms(),
            last_offset_delta: self.last_offset_delta(),
            base_timestamp: self.base_timestamp(),
            max_timestamp: self.max_timestamp(),
            producer_id: self.producer_id(),
            producer_epoch: self.producer_epoch(),
            base_sequence: self.base_sequence(),
            record_count: self.record_count(),
        }
    }

    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    pub fn last_offset(&self) -> Offset {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta()))
    }

    pub fn next_offset(&self) -> Offset {
        self.last_offset() + 1
    }

    pub fn partition_leader_epoch(&self) -> LeaderEpoch {
        self.partition_leader_epoch
    }

    pub fn size_in_bytes(&self) -> u32 {
        self.bytes.len() as u32
    }

    pub fn magic(&self) -> i8 {
        self.bytes[16] as i8
    }

    /// The stored checksum.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(array(&self.bytes, 17))
    }

    /// Whether the stored checksum is that of the bytes.
    pub fn is_valid(&self) -> bool {
        self.checked || self.crc() == crc32c(&self.bytes[ATTRIBUTES_AT..])
    }

    /// Remembers a checksum that was found right, for all later holders of this batch.
    pub(super) fn mark_checked(&mut self) {
        self.checked = true;
    }

    fn attributes(&self) -> i16 {
        i16::from_be_bytes(array(&self.bytes, ATTRIBUTES_AT))
    }

    pub fn compression_type(&self) -> CompressionType {
        CompressionType::from_id((self.attributes() & COMPRESSION_MASK) as u8).unwrap_or_default()
    }

    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes() & TIMESTAMP_TYPE_MASK {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes() & TRANSACTIONAL_MASK != 0
    }

    pub fn is_control_batch(&self) -> bool {
        self.attributes() & CONTROL_MASK != 0
    }

    pub fn delete_horizon_ms(&self) -> Option<TimestampMs> {
        (self.attributes() & DELETE_HORIZON_MASK != 0).then(|| self.base_timestamp())
    }

    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(array(&self.bytes, 23))
    }

    /// What the records' timestamps are relative to.
    pub fn base_timestamp(&self) -> TimestampMs {
        i64::from_be_bytes(array(&self.bytes, 27))
    }

    pub fn max_timestamp(&self) -> TimestampMs {
        i64::from_be_bytes(array(&self.bytes, 35))
    }

    pub fn producer_id(&self) -> i64 {
        i64::from_be_bytes(array(&self.bytes, 43))
    }

    pub fn has_producer_id(&self) -> bool {
        self.producer_id() > NO_PRODUCER_ID
    }

    pub fn producer_epoch(&self) -> i16 {
        i16::from_be_bytes(array(&self.bytes, 51))
    }

    pub fn base_sequence(&self) -> i32 {
        i32::from_be_bytes(array(&self.bytes, 53))
    }

    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence() {
            NO_SEQUENCE => NO_SEQUENCE,
            sequence => increment_sequence(sequence, self.last_offset_delta()),
        }
    }

    pub fn record_count(&self) -> i32 {
        i32::from_be_bytes(array(&self.bytes, 57))
    }

    /// The records; compressed ones are decompressed here, once for all of them.
    pub fn records(&self) -> Result<Records<'_>, LogError> {
        let payload = &self.bytes[RECORD_BATCH_OVERHEAD as usize..];
        let payload = match self.compression_type() {
            CompressionType::None => Cow::Borrowed(payload),
            // A batch that compaction left empty has no compressed stream either.
            _ if self.record_count() == 0 && payload.is_empty() => Cow::Borrowed(payload),
            codec => Cow::Owned(compression::decompress(codec, payload)?),
        };
        if self.record_count() < 0 {
            return Err(LogError::invalid_record(format!(
                "Found invalid record count {} in magic v{} batch",
                self.record_count(),
                self.magic()
            )));
        }
        Ok(Records { header: self.header(), payload })
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.base_offset == other.base_offset
            && self.partition_leader_epoch == other.partition_leader_epoch
            && self.bytes[8..12] == other.bytes[8..12]
            && self.bytes[16..] == other.bytes[16..]
    }
}

impl Eq for Batch {}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Batch({}..={}, epoch {}, {} records, {} B)",
            self.base_offset,
            self.last_offset(),
            self.partition_leader_epoch.0,
            self.record_count(),
            self.bytes.len()
        )
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            #[serde(with = "batch_pool::shared")]
            bytes: Bytes,
            base_offset: Offset,
            partition_leader_epoch: LeaderEpoch,
            checked: bool,
        }
        let stored = Stored::deserialize(deserializer)?;
        let batch = Self::from_bytes(stored.bytes).map_err(serde::de::Error::custom)?;
        Ok(Self {
            base_offset: stored.base_offset,
            partition_leader_epoch: stored.partition_leader_epoch,
            checked: stored.checked,
            ..batch
        })
    }
}

/// The batches in `bytes`, one behind the other as in a segment file; an incomplete last one is left out.
pub fn parse_batches(bytes: &[u8]) -> Result<Vec<Batch>, LogError> {
    let mut batches = Vec::new();
    let mut rest = bytes;
    while rest.len() >= LOG_OVERHEAD {
        let length = i32::from_be_bytes(array(rest, 8));
        let size = usize::try_from(i64::from(length) + LOG_OVERHEAD as i64).unwrap_or(0);
        if size < RECORD_BATCH_OVERHEAD as usize {
            return Err(LogError::corrupt(format!(
                "Record batch is corrupt (the size {size} is smaller than the minimum allowed overhead {RECORD_BATCH_OVERHEAD})"
            )));
        }
        let Some(batch) = rest.get(..size) else { break };
        batches.push(Batch::from_bytes(batch.into())?);
        rest = &rest[size..];
    }
    Ok(batches)
}

/// The sequence number `increment` behind `sequence`; they wrap to 0. Broken batches may ask for anything, so this wraps
/// as Java does. Kafka: `DefaultRecordBatch.incrementSequence`.
pub const fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    if sequence > i32::MAX.wrapping_sub(increment) {
        increment.wrapping_sub(i32::MAX.wrapping_sub(sequence)).wrapping_sub(1)
    } else {
        sequence.wrapping_add(increment)
    }
}

/// The sequence number `decrement` before `sequence`. Kafka: `DefaultRecordBatch.decrementSequence`.
pub const fn decrement_sequence(sequence: i32, decrement: i32) -> i32 {
    if sequence < decrement {
        i32::MAX.wrapping_sub(decrement.wrapping_sub(sequence)).wrapping_add(1)
    } else {
        sequence.wrapping_sub(decrement)
    }
}

/// A header of a record: its key, and its value or null.
pub type RecordHeader = (String, Option<Bytes>);

/// The records of one batch, decompressed.
pub struct Records<'a> {
    header: BatchHeader,
    payload: Cow<'a, [u8]>,
}

impl Records<'_> {
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter {
            header: self.header,
            bytes: &self.payload,
            at: 0,
            remaining: self.header.record_count,
        }
    }
}

impl<'a> IntoIterator for &'a Records<'_> {
    type Item = Result<Record<'a>, LogError>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> RecordIter<'a> {
        self.iter()
    }
}

/// One record, borrowed from its batch. Kafka: `DefaultRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: Offset,
    /// The record's own, or the batch's log append time.
    pub timestamp: TimestampMs,
    /// Sequence number of an idempotent producer, else [`NO_SEQUENCE`].
    pub sequence: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Size with its length prefix, uncompressed.
    pub size_in_bytes: u32,
    header_count: i32,
    header_bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The headers, in order. A key that is not UTF-8 is shown with replacement characters, as Java decodes it.
    pub fn headers(&self) -> Vec<(Cow<'a, str>, Option<&'a [u8]>)> {
        let mut at = 0;
        // The record was checked as a whole when it was read, so that no header is missing here.
        (0..self.header_count).map_while(|_| read_header(self.header_bytes, &mut at)).collect()
    }
}

fn read_header<'a>(bytes: &'a [u8], at: &mut usize) -> Option<(Cow<'a, str>, Option<&'a [u8]>)> {
    let key = read_bytes(bytes, at)??;
    let value = read_bytes(bytes, at)?;
    Some((String::from_utf8_lossy(key), value))
}

/// Length-prefixed bytes; the inner `None` is null (a negative length), the outer one the end of the bytes.
fn read_bytes<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Option<&'a [u8]>> {
    let length = read_varint(bytes, at)?;
    let Ok(length) = usize::try_from(length) else { return Some(None) };
    let slice = bytes.get(*at..at.checked_add(length)?)?;
    *at += length;
    Some(Some(slice))
}

/// Walks the records of a batch; stops behind the first broken one.
pub struct RecordIter<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
    at: usize,
    remaining: i32,
}

impl<'a> RecordIter<'a> {
    fn read(&mut self) -> Result<Record<'a>, LogError> {
        let premature =
            || LogError::invalid_record("Incorrect declared batch size, premature EOF reached");
        let start = self.at;
        let body = read_varint(self.bytes, &mut self.at).ok_or_else(premature)?;
        let left = self.bytes.len() - self.at;
        let Some(body_size) = usize::try_from(body).ok().filter(|size| *size <= left) else {
            return Err(LogError::invalid_record(format!(
                "Invalid record size: expected {body} bytes in record payload, but instead the buffer has only {left} remaining bytes."
            )));
        };
        let body_start = self.at;
        let broken = || LogError::invalid_record("Found invalid record structure");
        // Attributes of a record: unused.
        self.at += 1;
        let timestamp_delta = read_varlong(self.bytes, &mut self.at).ok_or_else(broken)?;
        let offset_delta = read_varint(self.bytes, &mut self.at).ok_or_else(broken)?;
        let key = read_bytes(self.bytes, &mut self.at).ok_or_else(broken)?;
        let value = read_bytes(self.bytes, &mut self.at).ok_or_else(broken)?;
        let header_count = read_varint(self.bytes, &mut self.at).ok_or_else(broken)?;
        if header_count < 0 {
            return Err(LogError::invalid_record(format!(
                "Found invalid number of record headers {header_count}"
            )));
        }
        if header_count as usize > self.bytes.len() - self.at {
            return Err(LogError::invalid_record(format!(
                "Found invalid number of record headers. {header_count} is larger than the remaining size of the buffer"
            )));
        }
        let headers_start = self.at;
        for _ in 0..header_count {
            let key = read_bytes(self.bytes, &mut self.at).ok_or_else(broken)?;
            if key.is_none() {
                return Err(LogError::invalid_record("Invalid negative header key size -1"));
            }
            read_bytes(self.bytes, &mut self.at).ok_or_else(broken)?;
        }
        let read = self.at - body_start;
        if read != body_size {
            return Err(LogError::invalid_record(format!(
                "Invalid record size: expected to read {body_size} bytes in record payload, but instead read {read}"
            )));
        }
        let header = &self.header;
        Ok(Record {
            offset: header.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp: match header.timestamp_type {
                TimestampType::CreateTime => header.base_timestamp.wrapping_add(timestamp_delta),
                TimestampType::LogAppendTime => header.max_timestamp,
            },
            sequence: match header.base_sequence {
                sequence if sequence >= 0 => increment_sequence(sequence, offset_delta),
                _ => NO_SEQUENCE,
            },
            key,
            value,
            size_in_bytes: (self.at - start) as u32,
            header_count,
            header_bytes: &self.bytes[headers_start..self.at],
        })
    }
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<Record<'a>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.remaining <= 0 {
            return None;
        }
        self.remaining -= 1;
        let record = self.read();
        if record.is_err() {
            self.remaining = 0;
        } else if self.remaining == 0 && self.at != self.bytes.len() {
            return Some(Err(LogError::invalid_record(
                "Incorrect declared batch size, records still remaining in file",
            )));
        }
        Some(record)
    }
}

/// `N` bytes at `at`; the callers' offsets lie within a header, whose size [`Batch::from_bytes`] has checked.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
