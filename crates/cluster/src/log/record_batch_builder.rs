//! Writes record batches record by record, and knows their size while doing so.
//!
//! Kafka: `MemoryRecordsBuilder`; sizes by `AbstractRecords` and `DefaultRecord`.

use serde::{Deserialize, Serialize};

use super::compression::{self, CompressionType};
use super::error::LogError;
use super::record_batch::{
    Batch, BatchHeader, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP,
    RECORD_BATCH_OVERHEAD, RecordHeader, TimestampType,
};
use super::varint::{size_of_varint, size_of_varlong, write_varint, write_varlong};
use crate::types::{LeaderEpoch, Offset, TimestampMs};

/// Overhead of a record with the largest deltas. Kafka: `DefaultRecord.MAX_RECORD_OVERHEAD`.
const MAX_RECORD_OVERHEAD: u32 = 21;
/// A compressed size is guessed 5 % too large, in millionths. Kafka: `COMPRESSION_RATE_ESTIMATION_FACTOR`.
const COMPRESSION_RATE_ESTIMATION_FACTOR_PPM: u64 = 1_050_000;
/// A ratio of 1 in millionths: what a topic's compression ratio is before anything was observed.
pub const COMPRESSION_RATIO_ONE_PPM: u32 = 1_000_000;

/// Size of key, value and headers with their lengths. Kafka: `DefaultRecord.sizeOf`.
fn size_of(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[RecordHeader]) -> u32 {
    let mut size = size_of_bytes(key) + size_of_bytes(value) + size_of_varint(headers.len() as i32);
    for (key, value) in headers {
        size += size_of_bytes(Some(key.as_bytes())) + size_of_bytes(value.as_deref());
    }
    size
}

fn size_of_bytes(bytes: Option<&[u8]>) -> u32 {
    bytes.map_or(1, |bytes| size_of_varint(bytes.len() as i32) + bytes.len() as u32)
}

fn write_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            write_varint(out, bytes.len() as i32);
            out.extend_from_slice(bytes);
        }
        None => out.push(1), // zig-zag of -1: null
    }
}

/// Uncompressed size of a record in a batch, with its length prefix. Kafka: `DefaultRecord.sizeInBytes`.
pub fn record_size_in_bytes(
    offset_delta: i32,
    timestamp_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[RecordHeader],
) -> u32 {
    let body = 1
        + size_of_varlong(timestamp_delta)
        + size_of_varint(offset_delta)
        + size_of(key, value, headers);
    body + size_of_varint(body as i32)
}

/// What a batch with only this record needs at most: what `max.request.size` and `buffer.memory` are compared with.
/// Kafka: `AbstractRecords.estimateSizeInBytesUpperBound`.
pub fn estimate_size_in_bytes_upper_bound(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[RecordHeader],
) -> u32 {
    RECORD_BATCH_OVERHEAD + MAX_RECORD_OVERHEAD + size_of(key, value, headers)
}

/// A batch being written: the producer's accumulator appends to it, brokers build their own records with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordBatchBuilder {
    compression: CompressionType,
    gzip_level: i32,
    timestamp_type: TimestampType,
    /// All records get it if the type is `LogAppendTime`.
    log_append_time: TimestampMs,
    base_offset: Offset,
    partition_leader_epoch: LeaderEpoch,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    is_transactional: bool,
    is_control_batch: bool,
    delete_horizon_ms: Option<TimestampMs>,
    /// No further record is taken beyond this size: `batch.size`, or the size of one larger record.
    write_limit: u32,
    estimated_compression_ratio_ppm: u32,
    base_timestamp: Option<TimestampMs>,
    max_timestamp: TimestampMs,
    last_offset: Option<Offset>,
    record_count: i32,
    /// The records, uncompressed; the header goes in front when the batch is built.
    #[serde(with = "bytes_field")]
    buffer: Vec<u8>,
}

impl RecordBatchBuilder {
    /// An empty batch with base offset 0, create time and no producer: what a client sends.
    pub fn new(compression: CompressionType) -> Self {
        Self {
            compression,
            gzip_level: -1,
            timestamp_type: TimestampType::CreateTime,
            log_append_time: NO_TIMESTAMP,
            base_offset: 0,
            partition_leader_epoch: LeaderEpoch::NONE,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            is_transactional: false,
            is_control_batch: false,
            delete_horizon_ms: None,
            write_limit: u32::MAX,
            estimated_compression_ratio_ppm: COMPRESSION_RATIO_ONE_PPM,
            base_timestamp: None,
            max_timestamp: NO_TIMESTAMP,
            last_offset: None,
            record_count: 0,
            buffer: vec![0; RECORD_BATCH_OVERHEAD as usize],
        }
    }

    /// `batch.size` or the room a larger single record needs: what [`Self::has_room_for`] and [`Self::is_full`] look at.
    pub fn with_write_limit(mut self, bytes: u32) -> Self {
        self.write_limit = bytes;
        self.buffer.reserve(bytes.min(1 << 16) as usize);
        self
    }

    pub fn with_base_offset(mut self, offset: Offset, epoch: LeaderEpoch) -> Self {
        self.base_offset = offset;
        self.partition_leader_epoch = epoch;
        self
    }

    pub fn with_timestamp_type(
        mut self,
        timestamp_type: TimestampType,
        log_append_time: TimestampMs,
    ) -> Self {
        self.timestamp_type = timestamp_type;
        self.log_append_time = log_append_time;
        self
    }

    /// `compression.gzip.level`.
    pub fn with_gzip_level(mut self, level: i32) -> Self {
        self.gzip_level = level;
        self
    }

    pub fn with_control_batch(mut self) -> Self {
        self.is_control_batch = true;
        self
    }

    /// Compaction stamps a batch with tombstones so; the horizon takes the place of the base timestamp.
    pub fn with_delete_horizon(mut self, delete_horizon_ms: TimestampMs) -> Self {
        self.delete_horizon_ms = Some(delete_horizon_ms);
        self.base_timestamp = Some(delete_horizon_ms);
        self
    }

    /// The producer assigns these when it drains the batch, not when it begins it. Kafka: `setProducerState`.
    pub fn set_producer_state(
        &mut self,
        producer_id: i64,
        epoch: i16,
        base_sequence: i32,
        is_transactional: bool,
    ) {
        self.producer_id = producer_id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
        self.is_transactional = is_transactional;
    }

    /// The topic's observed ratio in millionths; only the estimates depend on it. Kafka: `CompressionRatioEstimator`.
    pub fn set_estimated_compression_ratio_ppm(&mut self, ratio_ppm: u32) {
        self.estimated_compression_ratio_ppm = ratio_ppm;
    }

    pub fn record_count(&self) -> u32 {
        self.record_count as u32
    }

    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    pub fn compression_type(&self) -> CompressionType {
        self.compression
    }

    pub fn max_timestamp(&self) -> TimestampMs {
        self.max_timestamp
    }

    /// Size of the records alone, uncompressed.
    pub fn uncompressed_records_size(&self) -> u32 {
        self.buffer.len() as u32 - RECORD_BATCH_OVERHEAD
    }

    /// Size of the batch if it were built now: exact without compression, else by the estimated ratio.
    pub fn estimated_size_in_bytes(&self) -> u32 {
        let records = self.uncompressed_records_size();
        RECORD_BATCH_OVERHEAD
            + match self.compression {
                CompressionType::None => records,
                _ => {
                    let ratio = u64::from(self.estimated_compression_ratio_ppm);
                    let scaled = u128::from(u64::from(records) * ratio)
                        * u128::from(COMPRESSION_RATE_ESTIMATION_FACTOR_PPM);
                    (scaled / 1_000_000_000_000) as u32
                }
            }
    }

    /// No more records should be appended: the batch is ready to be sent.
    pub fn is_full(&self) -> bool {
        self.record_count > 0 && self.write_limit <= self.estimated_size_in_bytes()
    }

    /// Whether a record still fits below the write limit; the first one always does.
    pub fn has_room_for(
        &self,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> bool {
        if self.record_count == 0 {
            return true;
        }
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp.unwrap_or(timestamp));
        let size =
            record_size_in_bytes(self.next_offset_delta(), timestamp_delta, key, value, headers);
        !self.is_full() && self.write_limit >= self.estimated_size_in_bytes().saturating_add(size)
    }

    fn next_offset_delta(&self) -> i32 {
        self.last_offset.map_or(0, |last| (last + 1 - self.base_offset) as i32)
    }

    /// Appends a record behind the last one, whatever the limit says, and gives its uncompressed size.
    pub fn append(
        &mut self,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> u32 {
        let offset = self.last_offset.map_or(self.base_offset, |last| last + 1);
        self.append_with_offset(offset, timestamp, key, value, headers)
    }

    /// Appends a record with a given offset, which must be above the last one: compaction keeps offsets.
    pub fn append_with_offset(
        &mut self,
        offset: Offset,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> u32 {
        assert!(self.last_offset.is_none_or(|last| last < offset), "offsets in a batch increase");
        let base_timestamp = *self.base_timestamp.get_or_insert(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let offset_delta = (offset - self.base_offset) as i32;
        let body = 1
            + size_of_varlong(timestamp_delta)
            + size_of_varint(offset_delta)
            + size_of(key, value, headers);

        let out = &mut self.buffer;
        write_varint(out, body as i32);
        out.push(0); // a record's attributes are unused
        write_varlong(out, timestamp_delta);
        write_varint(out, offset_delta);
        write_bytes(out, key);
        write_bytes(out, value);
        write_varint(out, headers.len() as i32);
        for (key, value) in headers {
            write_bytes(out, Some(key.as_bytes()));
            write_bytes(out, value.as_deref());
        }

        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset = Some(offset);
        self.record_count += 1;
        body + size_of_varint(body as i32)
    }

    /// The batch as it would be now, not compressed: for observers.
    pub fn preview(&self) -> Result<Batch, LogError> {
        Self { compression: CompressionType::None, ..self.clone() }.build()
    }

    /// The finished batch. Fails only if this build lacks the codec.
    pub fn build(mut self) -> Result<Batch, LogError> {
        let header = BatchHeader {
            base_offset: self.base_offset,
            partition_leader_epoch: self.partition_leader_epoch,
            compression: self.compression,
            timestamp_type: self.timestamp_type,
            is_transactional: self.is_transactional,
            is_control_batch: self.is_control_batch,
            delete_horizon_ms: self.delete_horizon_ms,
            last_offset_delta: (self.last_offset.unwrap_or(self.base_offset) - self.base_offset)
                as i32,
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: match self.timestamp_type {
                TimestampType::CreateTime => self.max_timestamp,
                TimestampType::LogAppendTime => self.log_append_time,
            },
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.record_count,
        }
        .to_bytes();
        if self.compression == CompressionType::None {
            self.buffer[..header.len()].copy_from_slice(&header);
            return Ok(Batch::sealed(self.buffer));
        }
        let mut bytes = header.to_vec();
        bytes.extend(compression::compress(
            self.compression,
            self.gzip_level,
            &self.buffer[header.len()..],
        )?);
        Ok(Batch::sealed(bytes))
    }
}

/// A batch without records, which compaction leaves behind to keep a producer's last sequence. Kafka: `writeEmptyHeader`.
pub fn empty_batch(header: BatchHeader) -> Batch {
    let empty = BatchHeader {
        base_timestamp: NO_TIMESTAMP,
        delete_horizon_ms: None,
        record_count: 0,
        ..header
    };
    Batch::sealed(empty.to_bytes().to_vec())
}

/// A byte vector as bytes.
mod bytes_field {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct BytesVisitor;
        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = sequence.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(BytesVisitor)
    }
}
