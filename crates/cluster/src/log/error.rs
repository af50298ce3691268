//! What a log refuses, in Kafka's words: the exception's class, the protocol's error code and the exact message.

use std::fmt;

use crate::protocol::errors::ErrorCode;

/// The kind of a refusal. Kafka: the exception class, and the `Errors` entry that a response carries for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogErrorKind {
    OffsetOutOfRange,
    CorruptRecord,
    RecordTooLarge,
    RecordBatchTooLarge,
    InvalidTimestamp,
    OutOfOrderSequence,
    InvalidProducerEpoch,
    InvalidTxnState,
    TransactionCoordinatorFenced,
    UnsupportedCompressionType,
    InvalidRecord,
    /// A follower was sent offsets that it has already; an internal error, it never reaches a client.
    UnexpectedAppendOffset,
    /// A follower was sent batches in the wrong order; internal like the one above.
    OffsetsOutOfOrder,
    /// A caller broke a precondition, as Kafka's `IllegalArgumentException` says.
    IllegalArgument,
}

impl LogErrorKind {
    /// Simple name of Kafka's exception class.
    pub const fn exception(self) -> &'static str {
        match self {
            Self::OffsetOutOfRange => "OffsetOutOfRangeException",
            Self::CorruptRecord => "CorruptRecordException",
            Self::RecordTooLarge => "RecordTooLargeException",
            Self::RecordBatchTooLarge => "RecordBatchTooLargeException",
            Self::InvalidTimestamp => "InvalidTimestampException",
            Self::OutOfOrderSequence => "OutOfOrderSequenceException",
            Self::InvalidProducerEpoch => "InvalidProducerEpochException",
            Self::InvalidTxnState => "InvalidTxnStateException",
            Self::TransactionCoordinatorFenced => "TransactionCoordinatorFencedException",
            Self::UnsupportedCompressionType => "UnsupportedCompressionTypeException",
            Self::InvalidRecord => "InvalidRecordException",
            Self::UnexpectedAppendOffset => "UnexpectedAppendOffsetException",
            Self::OffsetsOutOfOrder => "OffsetsOutOfOrderException",
            Self::IllegalArgument => "IllegalArgumentException",
        }
    }

    /// What a response carries for it.
    pub const fn error_code(self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange => ErrorCode::OffsetOutOfRange,
            Self::CorruptRecord => ErrorCode::CorruptMessage,
            Self::RecordTooLarge => ErrorCode::MessageTooLarge,
            Self::RecordBatchTooLarge => ErrorCode::RecordListTooLarge,
            Self::InvalidTimestamp => ErrorCode::InvalidTimestamp,
            Self::OutOfOrderSequence => ErrorCode::OutOfOrderSequenceNumber,
            Self::InvalidProducerEpoch => ErrorCode::InvalidProducerEpoch,
            Self::InvalidTxnState => ErrorCode::InvalidTxnState,
            Self::TransactionCoordinatorFenced => ErrorCode::TransactionCoordinatorFenced,
            Self::UnsupportedCompressionType => ErrorCode::UnsupportedCompressionType,
            Self::InvalidRecord => ErrorCode::InvalidRecord,
            Self::UnexpectedAppendOffset | Self::OffsetsOutOfOrder | Self::IllegalArgument => {
                ErrorCode::UnknownServerError
            }
        }
    }
}

/// One record of a refused batch. Kafka: `RecordError` in a Produce response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Position of the record within its batch, from 0.
    pub batch_index: i32,
    pub message: String,
}

/// A refusal by a log or by a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    pub kind: LogErrorKind,
    pub message: String,
    /// The records at fault, if single ones are (Kafka: `RecordValidationException`).
    pub record_errors: Vec<RecordError>,
}

impl LogError {
    pub(crate) fn new(kind: LogErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), record_errors: Vec::new() }
    }

    pub(crate) fn invalid_record(message: impl Into<String>) -> Self {
        Self::new(LogErrorKind::InvalidRecord, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(LogErrorKind::CorruptRecord, message)
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LogError {}
