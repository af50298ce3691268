//! The log of one partition, in real bytes: batches, segments and their indexes, leader epochs, producers.
//!
//! # Where to start
//! - [`PartitionLog`] is what a replica holds: append, read, truncate, retention.
//! - [`Batch`] is a record batch, held once however many replicas and messages share it; [`RecordBatchBuilder`] makes one.
//!
//! # Promises
//! - Plain data: no clock (`now` is a parameter), no disk; a refusal is a [`LogError`] in Kafka's words.
//! - Appending touches no record on a follower, and on a leader only what Kafka validates there.

pub mod batch_pool;
pub mod compression;
pub mod control_record;
pub mod crc;
pub mod error;
pub mod leader_epoch_cache;
pub mod log_config;
pub mod partition_log;
pub mod producer_state;
pub mod record_batch;
pub mod record_batch_builder;
pub mod segment;
mod validator;
pub mod varint;

pub use compression::CompressionType;
pub use control_record::{ControlRecordType, EndTransactionMarker};
pub use error::{LogError, LogErrorKind, RecordError};
pub use leader_epoch_cache::LeaderEpochCache;
pub use log_config::LogConfig;
pub use partition_log::{
    AppendOptions, DeletedSegment, FetchDataInfo, FetchIsolation, LogAppendInfo, PartitionLog,
    TimestampAndOffset,
};
pub use producer_state::{AppendOrigin, ProducerStateManager};
pub use record_batch::{Batch, BatchHeader, Record, RecordHeader, TimestampType};
pub use record_batch_builder::RecordBatchBuilder;
pub use segment::{AbortedTxn, LogSegment};
