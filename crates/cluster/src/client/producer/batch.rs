//! One batch of one partition, from its first record to its answer. Kafka: `ProducerBatch`.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::log::record_batch_builder::estimate_size_in_bytes_upper_bound;
use crate::log::{Batch, CompressionType, LogError, RecordBatchBuilder, RecordHeader};
use crate::types::{TimestampMs, TopicPartition};

/// What the owner is told of one record when the batch is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thunk {
    pub tag: u64,
    pub timestamp: TimestampMs,
}

/// How a producer compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compression {
    pub codec: CompressionType,
    pub gzip_level: i32,
}

/// One record as it is appended.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    pub timestamp: TimestampMs,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [RecordHeader],
    /// None for a generated record, of which nobody is told.
    pub tag: Option<u64>,
}

impl NewRecord<'_> {
    /// What the record may take in a request. Kafka: `AbstractRecords.estimateSizeInBytesUpperBound`.
    pub fn upper_bound(&self) -> u32 {
        estimate_size_in_bytes_upper_bound(self.key, self.value, self.headers)
    }
}

/// Producer id, epoch and first sequence of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerState {
    pub producer_id: i64,
    pub epoch: i16,
    pub base_sequence: i32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Contents {
    Open(Box<RecordBatchBuilder>),
    Closed(Batch),
}

/// A batch in the accumulator or in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProducerBatch {
    pub partition: TopicPartition,
    contents: Contents,
    pub record_count: u32,
    /// `delivery.timeout.ms` counts from here.
    pub created: Micros,
    last_attempt: Micros,
    pub attempts: u32,
    /// Not sent again before this.
    pub backoff_until: Micros,
    /// No more records: another batch was begun behind it, or it is sent.
    closed_for_appends: bool,
    /// It came from a batch that was too large.
    pub is_split: bool,
    pub max_record_size: u32,
    pub state: Option<ProducerState>,
    /// Its sequence was assigned anew after an epoch bump.
    pub sequence_has_been_reset: bool,
    current_leader_epoch: Option<i32>,
    attempts_when_leader_last_changed: Option<u32>,
    pub thunks: Vec<Thunk>,
    /// What it holds of `buffer.memory`.
    pub memory: u64,
    /// Its owner has been told, though it may still be in flight.
    pub done: bool,
}

impl ProducerBatch {
    pub fn new(
        partition: TopicPartition,
        compression: Compression,
        ratio_ppm: u32,
        write_limit: u32,
        created: Micros,
    ) -> Self {
        let mut builder = RecordBatchBuilder::new(compression.codec)
            .with_write_limit(write_limit)
            .with_gzip_level(compression.gzip_level);
        builder.set_estimated_compression_ratio_ppm(ratio_ppm);
        Self {
            partition,
            contents: Contents::Open(Box::new(builder)),
            record_count: 0,
            created,
            last_attempt: created,
            attempts: 0,
            backoff_until: Micros::ZERO,
            closed_for_appends: false,
            is_split: false,
            max_record_size: 0,
            state: None,
            sequence_has_been_reset: false,
            current_leader_epoch: None,
            attempts_when_leader_last_changed: None,
            thunks: Vec::new(),
            memory: 0,
            done: false,
        }
    }

    /// Appends the record if there is room. Kafka: `tryAppend`.
    pub fn try_append(&mut self, record: &NewRecord<'_>) -> bool {
        let Contents::Open(builder) = &mut self.contents else { return false };
        let NewRecord { timestamp, key, value, headers, tag } = *record;
        if self.closed_for_appends || !builder.has_room_for(timestamp, key, value, headers) {
            return false;
        }
        builder.append(timestamp, key, value, headers);
        self.max_record_size = self.max_record_size.max(record.upper_bound());
        self.record_count += 1;
        if let Some(tag) = tag {
            self.thunks.push(Thunk { tag, timestamp });
        }
        true
    }

    pub fn close_for_appends(&mut self) {
        self.closed_for_appends = true;
    }

    pub fn is_full(&self) -> bool {
        match &self.contents {
            Contents::Open(builder) => self.closed_for_appends || builder.is_full(),
            Contents::Closed(_) => true,
        }
    }

    pub fn estimated_size(&self) -> u32 {
        match &self.contents {
            Contents::Open(builder) => builder.estimated_size_in_bytes(),
            Contents::Closed(batch) => batch.size_in_bytes(),
        }
    }

    /// How long it has waited to be sent (again).
    pub fn waited(&self, now: Micros) -> Micros {
        now.since(self.last_attempt)
    }

    pub fn has_reached_delivery_timeout(&self, timeout: Micros, now: Micros) -> bool {
        self.created + timeout <= now
    }

    /// The send failed and will be repeated.
    pub fn reenqueued(&mut self, now: Micros) {
        self.attempts += 1;
        self.last_attempt = now;
    }

    /// Notes a change of the partition's leader.
    pub fn maybe_update_leader_epoch(&mut self, latest: i32) {
        if self.current_leader_epoch.is_none_or(|known| known < latest) {
            self.attempts_when_leader_last_changed = Some(self.attempts);
            self.current_leader_epoch = Some(latest);
        }
    }

    /// A retry towards a new leader need not wait.
    pub fn has_leader_changed_for_the_ongoing_retry(&self) -> bool {
        self.attempts > 0 && self.attempts_when_leader_last_changed == Some(self.attempts)
    }

    pub fn is_backing_off(&self, now: Micros) -> bool {
        self.attempts > 0
            && now < self.backoff_until
            && !self.has_leader_changed_for_the_ongoing_retry()
    }

    pub fn base_sequence(&self) -> Option<i32> {
        self.state.map(|state| state.base_sequence)
    }

    /// The sequence of its last record.
    pub fn last_sequence(&self) -> Option<i32> {
        self.base_sequence().map(|base| increment_sequence(base, self.record_count as i32 - 1))
    }

    /// Gives the batch its place in the producer's sequence, also again after an epoch bump.
    pub fn set_producer_state(&mut self, state: ProducerState) {
        let ProducerState { producer_id, epoch, base_sequence } = state;
        self.sequence_has_been_reset = self.state.is_some();
        self.state = Some(state);
        match &mut self.contents {
            Contents::Open(builder) => {
                builder.set_producer_state(producer_id, epoch, base_sequence, false);
            }
            Contents::Closed(batch) => {
                *batch = batch.with_producer_state(producer_id, epoch, base_sequence, false);
            }
        }
    }

    /// The batch as it would be sent now, not compressed if it is still open: for observers.
    pub fn preview(&self) -> Option<Batch> {
        match &self.contents {
            Contents::Closed(batch) => Some(batch.clone()),
            Contents::Open(builder) => builder.preview().ok(),
        }
    }

    /// The finished batch, built the first time; and the uncompressed size of its records then, for the estimate.
    pub fn close(&mut self) -> Result<(Batch, Option<u32>), LogError> {
        self.closed_for_appends = true;
        match &mut self.contents {
            Contents::Closed(batch) => Ok((batch.clone(), None)),
            Contents::Open(builder) => {
                let uncompressed = builder.uncompressed_records_size();
                let builder = std::mem::replace(
                    &mut **builder,
                    RecordBatchBuilder::new(CompressionType::None),
                );
                let batch = builder.build()?;
                self.contents = Contents::Closed(batch.clone());
                Ok((batch, Some(uncompressed)))
            }
        }
    }
}

/// Sequences wrap around to 0 after the largest integer. Kafka: `DefaultRecordBatch.incrementSequence`.
pub fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    match sequence.checked_add(increment) {
        Some(next) => next,
        None => increment - (i32::MAX - sequence) - 1,
    }
}
