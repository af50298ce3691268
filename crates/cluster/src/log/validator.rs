//! What a leader checks in a produced batch, and what it fills in: offsets, leader epoch, log append time, codec.
//!
//! Kafka: `LogValidator`.

use super::compression::CompressionType;
use super::error::{LogError, LogErrorKind, RecordError};
use super::log_config::LogConfig;
use super::producer_state::AppendOrigin;
use super::record_batch::{Batch, NO_TIMESTAMP, Record, RecordHeader, TimestampType};
use super::record_batch_builder::RecordBatchBuilder;
use crate::types::{LeaderEpoch, Offset, TimestampMs, TopicPartition};

/// Where a batch goes and by which rules.
pub(super) struct Validator<'a> {
    pub partition: &'a TopicPartition,
    pub config: &'a LogConfig,
    pub origin: AppendOrigin,
    pub leader_epoch: LeaderEpoch,
    pub now: TimestampMs,
}

/// A batch as the leader appends it.
pub(super) struct Validated {
    pub batch: Batch,
    /// It was written anew, so its size may have changed.
    pub rebuilt: bool,
}

impl Validator<'_> {
    /// Checks `batch` and gives it the offsets from `first_offset` on.
    pub(super) fn validate(
        &self,
        batch: &Batch,
        first_offset: Offset,
    ) -> Result<Validated, LogError> {
        self.validate_batch(batch)?;
        let source = batch.compression_type();
        let target = self.config.compression_type.unwrap_or(source);
        let compressed = source != CompressionType::None || target != CompressionType::None;

        let records = batch.records()?;
        let mut max_timestamp = NO_TIMESTAMP;
        let mut consecutive = true;
        let mut errors = Vec::new();
        for (index, record) in (0..).zip(records.iter()) {
            let record = record?;
            match self.validate_record(batch, index, &record) {
                Some(error) => errors.push(error),
                None => {
                    max_timestamp = max_timestamp.max(record.timestamp);
                    consecutive &= record.offset == batch.base_offset() + i64::from(index);
                }
            }
        }
        refuse(errors)?;

        let rewrite = compressed && !batch.is_control_batch() && (source != target || !consecutive);
        if rewrite {
            let batch = self.rebuild(batch, target, first_offset)?;
            return Ok(Validated { batch, rebuilt: true });
        }
        let stamped = match self.config.message_timestamp_type {
            TimestampType::CreateTime => {
                batch.with_max_timestamp(TimestampType::CreateTime, max_timestamp)
            }
            TimestampType::LogAppendTime => {
                batch.with_max_timestamp(TimestampType::LogAppendTime, self.now)
            }
        };
        Ok(Validated {
            batch: stamped.with_offset_and_epoch(first_offset, self.leader_epoch),
            rebuilt: false,
        })
    }

    fn validate_batch(&self, batch: &Batch) -> Result<(), LogError> {
        if self.origin != AppendOrigin::Client {
            return Ok(());
        }
        let partition = self.partition;
        let (base, last) = (batch.base_offset(), batch.last_offset());
        let (count_from_offsets, count) = (last - base + 1, i64::from(batch.record_count()));
        let refused = if count_from_offsets <= 0 {
            format!(
                "Batch has an invalid offset range: [{base}, {last}] in topic partition {partition}"
            )
        } else if count <= 0 {
            format!(
                "Invalid reported count for record batch: {count} in topic partition {partition}"
            )
        } else if count_from_offsets != count {
            format!(
                "Inconsistent batch offset range [{base}, {last}] and count of records {count} in topic partition {partition}"
            )
        } else if batch.is_control_batch() {
            format!(
                "Clients are not allowed to write control records in topic partition {partition}"
            )
        } else if batch.has_producer_id() && batch.base_sequence() < 0 {
            format!(
                "Invalid sequence number {} in record batch with producerId {} in topic partition {partition}",
                batch.base_sequence(),
                batch.producer_id()
            )
        } else {
            return Ok(());
        };
        Err(LogError::invalid_record(refused))
    }

    fn validate_record(
        &self,
        batch: &Batch,
        index: i32,
        record: &Record<'_>,
    ) -> Option<(LogErrorKind, RecordError)> {
        let refused = |kind, message| Some((kind, RecordError { batch_index: index, message }));
        let (config, now, timestamp) = (self.config, self.now, record.timestamp);
        if config.compact && record.key.is_none() {
            return refused(
                LogErrorKind::InvalidRecord,
                format!(
                    "Compacted topic cannot accept message without key in topic partition {}",
                    self.partition
                ),
            );
        }
        if config.message_timestamp_type == TimestampType::CreateTime && timestamp != NO_TIMESTAMP {
            let age = now.wrapping_sub(timestamp);
            if age > config.message_timestamp_before_max_ms
                || age.wrapping_neg() > config.message_timestamp_after_max_ms
            {
                return refused(
                    LogErrorKind::InvalidTimestamp,
                    format!(
                        "Timestamp {timestamp} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                        record.offset,
                        now.wrapping_sub(config.message_timestamp_before_max_ms),
                        now.wrapping_add(config.message_timestamp_after_max_ms)
                    ),
                );
            }
        } else if batch.timestamp_type() == TimestampType::LogAppendTime {
            return refused(
                LogErrorKind::InvalidTimestamp,
                format!(
                    "Invalid timestamp type in message {}. Producer should not set timestamp type to LogAppendTime.",
                    describe(record)
                ),
            );
        }
        None
    }

    /// Writes the records anew: in the topic's codec, with consecutive offsets.
    fn rebuild(
        &self,
        batch: &Batch,
        codec: CompressionType,
        first_offset: Offset,
    ) -> Result<Batch, LogError> {
        let mut builder = RecordBatchBuilder::new(codec)
            .with_base_offset(first_offset, self.leader_epoch)
            .with_timestamp_type(self.config.message_timestamp_type, self.now)
            .with_gzip_level(self.config.compression_gzip_level);
        builder.set_producer_state(
            batch.producer_id(),
            batch.producer_epoch(),
            batch.base_sequence(),
            batch.is_transactional(),
        );
        for record in &batch.records()? {
            let record = record?;
            let headers: Vec<RecordHeader> = record
                .headers()
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.map(Into::into)))
                .collect();
            builder.append(record.timestamp, record.key, record.value, &headers);
        }
        builder.build()
    }
}

/// Kafka: `DefaultRecord.toString`.
fn describe(record: &Record<'_>) -> String {
    format!(
        "DefaultRecord(offset={}, timestamp={}, key={} bytes, value={} bytes)",
        record.offset,
        record.timestamp,
        record.key.map_or(0, <[u8]>::len),
        record.value.map_or(0, <[u8]>::len)
    )
}

fn refuse(errors: Vec<(LogErrorKind, RecordError)>) -> Result<(), LogError> {
    if errors.is_empty() {
        return Ok(());
    }
    let invalid_timestamp = errors.iter().any(|(kind, _)| *kind == LogErrorKind::InvalidTimestamp);
    let record_errors: Vec<RecordError> = errors.into_iter().map(|(_, error)| error).collect();
    let (kind, message) = if invalid_timestamp {
        (
            LogErrorKind::InvalidTimestamp,
            "One or more records have been rejected due to invalid timestamp".to_owned(),
        )
    } else {
        let shown: Vec<String> = record_errors
            .iter()
            .take(3)
            .map(|error| {
                format!(
                    "RecordError(batchIndex={}, message='{}')",
                    error.batch_index, error.message
                )
            })
            .collect();
        let message = format!(
            "One or more records have been rejected due to {} record errors in total, and only showing the first three errors at most: [{}]",
            record_errors.len(),
            shown.join(", ")
        );
        (LogErrorKind::InvalidRecord, message)
    };
    Err(LogError { kind, message, record_errors })
}
