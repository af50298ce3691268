//! The records that brokers write about transactions: COMMIT and ABORT markers.
//!
//! Kafka: `ControlRecordType`, `EndTransactionMarker`.

use serde::{Deserialize, Serialize};

use super::compression::CompressionType;
use super::error::LogError;
use super::record_batch::{Batch, NO_SEQUENCE, Record};
use super::record_batch_builder::RecordBatchBuilder;
use crate::types::{LeaderEpoch, Offset, TimestampMs};

/// What a control record says, from its key. Kafka: `ControlRecordType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlRecordType {
    Abort,
    Commit,
    LeaderChange,
    SnapshotHeader,
    SnapshotFooter,
    KraftVersion,
    KraftVoters,
    Unknown,
}

impl ControlRecordType {
    /// As `kafka-dump-log.sh` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abort => "ABORT",
            Self::Commit => "COMMIT",
            Self::LeaderChange => "LEADER_CHANGE",
            Self::SnapshotHeader => "SNAPSHOT_HEADER",
            Self::SnapshotFooter => "SNAPSHOT_FOOTER",
            Self::KraftVersion => "KRAFT_VERSION",
            Self::KraftVoters => "KRAFT_VOTERS",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// From a control record's key: version, then type.
    pub fn parse(key: &[u8]) -> Result<Self, LogError> {
        let [version_high, version_low, kind @ ..] = key else { return Err(too_short(key.len())) };
        let [high, low, ..] = kind else { return Err(too_short(key.len())) };
        let version = i16::from_be_bytes([*version_high, *version_low]);
        if version < 0 {
            return Err(LogError::invalid_record(format!(
                "Invalid version found for control record: {version}. May indicate data corruption"
            )));
        }
        Ok(match i16::from_be_bytes([*high, *low]) {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KraftVersion,
            6 => Self::KraftVoters,
            _ => Self::Unknown,
        })
    }
}

fn too_short(size: usize) -> LogError {
    LogError::invalid_record(format!(
        "Invalid value size found for control record key. Must have at least 4 bytes, but found only {size}"
    ))
}

/// The end of a transaction on one partition. Kafka: `EndTransactionMarker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndTransactionMarker {
    pub committed: bool,
    /// Epoch of the transaction coordinator; fences markers of a deposed one.
    pub coordinator_epoch: i32,
}

impl EndTransactionMarker {
    /// The marker in a control record.
    pub fn parse(record: &Record<'_>) -> Result<Self, LogError> {
        let committed = match ControlRecordType::parse(record.key.unwrap_or_default())? {
            ControlRecordType::Commit => true,
            ControlRecordType::Abort => false,
            other => {
                return Err(LogError::invalid_record(format!(
                    "Invalid control record type for end transaction marker {}",
                    other.name()
                )));
            }
        };
        match record.value {
            Some([_, _, epoch @ ..]) if epoch.len() >= 4 => Ok(Self {
                committed,
                coordinator_epoch: i32::from_be_bytes([epoch[0], epoch[1], epoch[2], epoch[3]]),
            }),
            _ => Err(LogError::invalid_record(
                "Invalid version found for end transaction marker: -1. May indicate data corruption",
            )),
        }
    }

    /// The control batch that a partition leader appends for it. Kafka: `MemoryRecords.withEndTransactionMarker`.
    pub fn batch(
        self,
        base_offset: Offset,
        timestamp: TimestampMs,
        partition_leader_epoch: LeaderEpoch,
        producer_id: i64,
        producer_epoch: i16,
    ) -> Result<Batch, LogError> {
        let mut builder = RecordBatchBuilder::new(CompressionType::None)
            .with_base_offset(base_offset, partition_leader_epoch)
            .with_control_batch();
        builder.set_producer_state(producer_id, producer_epoch, NO_SEQUENCE, true);
        let mut value = [0; 6];
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());
        builder.append(timestamp, Some(&[0, 0, 0, u8::from(self.committed)]), Some(&value), &[]);
        builder.build()
    }
}
