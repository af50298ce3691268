//! What a log knows of the producers that write to it: sequences, epochs, open and aborted transactions.
//!
//! Idempotent batches are checked against the last one of their producer; a batch that is among the last five is a
//! duplicate. Epochs fence older instances. Transactions hold back the last stable offset until their marker is written
//! and replicated. Kafka: `ProducerStateManager`, `ProducerAppendInfo`, `ProducerStateEntry` (KIP-98, KIP-890).

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::control_record::EndTransactionMarker;
use super::error::{LogError, LogErrorKind};
use super::record_batch::{
    Batch, NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP, decrement_sequence,
};
use crate::types::{Offset, TimestampMs, TopicPartition};

/// How many batches of a producer are remembered to find duplicates: `max.in.flight.requests.per.connection` ≤ 5.
pub const NUM_BATCHES_TO_RETAIN: usize = 5;
/// `producer.id.expiration.ms`: producers without a transaction are forgotten after so long.
pub const PRODUCER_ID_EXPIRATION_MS: i64 = 86_400_000;
/// Kafka: `TransactionVersion.TV_UNKNOWN`; fine for everything but a marker.
pub const TV_UNKNOWN: i16 = -1;

/// Who appends. Kafka: `AppendOrigin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppendOrigin {
    /// A follower, what its leader has: nothing is refused.
    Replication,
    /// The group or transaction coordinator on this broker: no sequence checks.
    Coordinator,
    /// A producer.
    Client,
}

/// One remembered batch of a producer. Kafka: `BatchMetadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: Offset,
    /// Count of its records less one.
    pub offset_delta: i32,
    pub timestamp: TimestampMs,
}

impl BatchMetadata {
    pub fn first_sequence(&self) -> i32 {
        decrement_sequence(self.last_sequence, self.offset_delta)
    }

    pub fn first_offset(&self) -> Offset {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// What is known of one producer. Kafka: `ProducerStateEntry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerStateEntry {
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Epoch of the transaction coordinator that wrote the last marker; -1 before the first.
    pub coordinator_epoch: i32,
    pub last_timestamp: TimestampMs,
    /// Where its open transaction begins on this partition.
    pub current_txn_first_offset: Option<Offset>,
    /// Up to five, oldest first; empty after a marker with a new epoch.
    pub batches: Vec<BatchMetadata>,
}

impl ProducerStateEntry {
    fn empty(producer_id: i64) -> Self {
        Self {
            producer_id,
            producer_epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            current_txn_first_offset: None,
            batches: Vec::new(),
        }
    }

    /// Sequence of its last record, [`NO_SEQUENCE`] if no batch is remembered.
    pub fn last_sequence(&self) -> i32 {
        self.batches.last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// Offset of its last data record, -1 if no batch is remembered.
    pub fn last_data_offset(&self) -> Offset {
        self.batches.last().map_or(-1, |batch| batch.last_offset)
    }

    /// The remembered batch that `batch` repeats.
    fn find_duplicate_batch(&self, batch: &Batch) -> Option<BatchMetadata> {
        let (first, last) = (batch.base_sequence(), batch.last_sequence());
        let same =
            |known: &&BatchMetadata| known.first_sequence() == first && known.last_sequence == last;
        (batch.producer_epoch() == self.producer_epoch)
            .then(|| self.batches.iter().find(same).copied())?
    }

    fn set_epoch(&mut self, producer_epoch: i16) {
        if self.producer_epoch != producer_epoch {
            self.batches.clear();
            self.producer_epoch = producer_epoch;
        }
    }

    fn add_batch(&mut self, batch: BatchMetadata) {
        if self.batches.len() == NUM_BATCHES_TO_RETAIN {
            self.batches.remove(0);
        }
        self.batches.push(batch);
    }

    /// Takes over what an append found.
    fn update(&mut self, next: Self) {
        self.set_epoch(next.producer_epoch);
        for batch in next.batches {
            self.add_batch(batch);
        }
        self.coordinator_epoch = next.coordinator_epoch;
        self.current_txn_first_offset = next.current_txn_first_offset;
        self.last_timestamp = next.last_timestamp;
    }
}

/// A transaction that was begun on this partition. Kafka: `TxnMetadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxnMetadata {
    pub producer_id: i64,
    pub first_offset: Offset,
    /// Offset of its marker, once there is one.
    pub last_offset: Option<Offset>,
}

/// A transaction whose marker was just appended. Kafka: `CompletedTxn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CompletedTxn {
    pub producer_id: i64,
    pub first_offset: Offset,
    pub last_offset: Offset,
    pub is_aborted: bool,
}

/// A transaction that the coordinator is being asked about before its first batch is appended. Kafka:
/// `VerificationStateEntry`; the guard is a number that is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct VerificationState {
    guard: u64,
    timestamp: TimestampMs,
    lowest_sequence: i32,
    epoch: i16,
    supports_epoch_bump: bool,
}

/// The effect of an append on one producer, checked but not yet taken over. Kafka: `ProducerAppendInfo`.
#[derive(Clone, Debug)]
struct ProducerAppendInfo {
    current: ProducerStateEntry,
    updated: ProducerStateEntry,
    verification: Option<VerificationState>,
    started_transactions: Vec<TxnMetadata>,
}

impl ProducerAppendInfo {
    fn append(
        &mut self,
        partition: &TopicPartition,
        batch: &Batch,
        origin: AppendOrigin,
        transaction_version: i16,
    ) -> Result<Option<CompletedTxn>, LogError> {
        if !batch.is_control_batch() {
            self.append_data_batch(partition, batch, origin)?;
            return Ok(None);
        }
        let records = batch.records()?;
        let Some(record) = records.iter().next() else { return Ok(None) };
        let record = record?;
        let marker = EndTransactionMarker::parse(&record)?;
        self.append_end_txn_marker(
            partition,
            batch,
            marker,
            record.timestamp,
            origin,
            transaction_version,
        )
    }

    fn append_data_batch(
        &mut self,
        partition: &TopicPartition,
        batch: &Batch,
        origin: AppendOrigin,
    ) -> Result<(), LogError> {
        let (offset, epoch) = (batch.base_offset(), batch.producer_epoch());
        self.check_producer_epoch(partition, epoch, offset, TV_UNKNOWN, origin)?;
        if origin == AppendOrigin::Client {
            self.check_sequence(partition, epoch, batch.base_sequence(), offset)?;
        }
        let updated = &mut self.updated;
        updated.set_epoch(epoch);
        updated.add_batch(BatchMetadata {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset(),
            offset_delta: batch.last_offset_delta(),
            timestamp: batch.max_timestamp(),
        });
        updated.last_timestamp = batch.max_timestamp();
        match (updated.current_txn_first_offset, batch.is_transactional()) {
            (Some(_), false) => Err(LogError::new(
                LogErrorKind::InvalidTxnState,
                format!(
                    "Expected transactional write from producer {} at offset (offset={offset}, segment=[-1:-1]) in partition {partition}",
                    updated.producer_id
                ),
            )),
            (None, true) => {
                updated.current_txn_first_offset = Some(offset);
                self.started_transactions.push(TxnMetadata {
                    producer_id: updated.producer_id,
                    first_offset: offset,
                    last_offset: None,
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn append_end_txn_marker(
        &mut self,
        partition: &TopicPartition,
        batch: &Batch,
        marker: EndTransactionMarker,
        timestamp: TimestampMs,
        origin: AppendOrigin,
        transaction_version: i16,
    ) -> Result<Option<CompletedTxn>, LogError> {
        if transaction_version == TV_UNKNOWN && origin != AppendOrigin::Replication {
            return Err(LogError::new(
                LogErrorKind::IllegalArgument,
                format!(
                    "transactionVersion must be explicitly specified, cannot use default value TV_UNKNOWN for origin {}",
                    if origin == AppendOrigin::Client { "CLIENT" } else { "COORDINATOR" }
                ),
            ));
        }
        let (offset, epoch) = (batch.base_offset(), batch.producer_epoch());
        self.check_producer_epoch(partition, epoch, offset, transaction_version.max(0), origin)?;
        let updated = &mut self.updated;
        if updated.coordinator_epoch > marker.coordinator_epoch
            && origin != AppendOrigin::Replication
        {
            return Err(LogError::new(
                LogErrorKind::TransactionCoordinatorFenced,
                format!(
                    "Invalid coordinator epoch for producerId {} at offset {offset} in partition {partition}: {} (zombie), {} (current)",
                    updated.producer_id, marker.coordinator_epoch, updated.coordinator_epoch
                ),
            ));
        }
        let completed = updated.current_txn_first_offset.take().map(|first_offset| CompletedTxn {
            producer_id: updated.producer_id,
            first_offset,
            last_offset: offset,
            is_aborted: !marker.committed,
        });
        updated.set_epoch(epoch);
        updated.coordinator_epoch = marker.coordinator_epoch;
        updated.last_timestamp = timestamp;
        Ok(completed)
    }

    /// Fences older producers. With transaction version 2 each transaction bumps the epoch, so that a marker must be
    /// above what its producer wrote (KIP-890); a repeated marker is let through.
    fn check_producer_epoch(
        &self,
        partition: &TopicPartition,
        epoch: i16,
        offset: Offset,
        transaction_version: i16,
        origin: AppendOrigin,
    ) -> Result<(), LogError> {
        let current = self.updated.producer_epoch;
        let above_needed = transaction_version >= 2;
        let fine = if above_needed { epoch > current } else { epoch >= current };
        let repeated_marker = above_needed
            && epoch == current
            && (self.updated.current_txn_first_offset.is_none() || epoch == i16::MAX);
        if fine || repeated_marker || origin == AppendOrigin::Replication {
            return Ok(());
        }
        Err(LogError::new(
            LogErrorKind::InvalidProducerEpoch,
            format!(
                "Epoch of producer {} at offset {offset} in {partition} is {epoch}, which is {} the last seen epoch {current} (TV{transaction_version})",
                self.updated.producer_id,
                if above_needed { "<=" } else { "<" },
            ),
        ))
    }

    fn check_sequence(
        &self,
        partition: &TopicPartition,
        epoch: i16,
        sequence: i32,
        offset: Offset,
    ) -> Result<(), LogError> {
        let producer_id = self.updated.producer_id;
        let out_of_order =
            |message: String| Err(LogError::new(LogErrorKind::OutOfOrderSequence, message));
        if let Some(verification) = self.verification {
            if verification.supports_epoch_bump && sequence != 0 && self.current.batches.is_empty()
            {
                return out_of_order(format!(
                    "Invalid sequence number for producer {producer_id} at offset {offset} in partition {partition}: {sequence} (incoming seq. number). Expected sequence 0 for transactions v2 idempotent producer with no existing state."
                ));
            }
            if sequence > verification.lowest_sequence {
                return out_of_order(format!(
                    "Out of order sequence number for producer {producer_id} at offset {offset} in partition {partition}: {sequence} (incoming seq. number), {} (earliest seen sequence)",
                    verification.lowest_sequence
                ));
            }
        }
        if epoch != self.updated.producer_epoch {
            if sequence != 0 && self.updated.producer_epoch != NO_PRODUCER_EPOCH {
                // The missing space is Kafka's.
                return out_of_order(format!(
                    "Invalid sequence number for new epoch of producer {producer_id}at offset {offset} in partition {partition}: {epoch} (request epoch), {sequence} (seq. number), {} (current producer epoch)",
                    self.updated.producer_epoch
                ));
            }
            return Ok(());
        }
        let last = if !self.updated.batches.is_empty() {
            self.updated.last_sequence()
        } else if epoch == self.current.producer_epoch {
            self.current.last_sequence()
        } else {
            NO_SEQUENCE
        };
        let in_sequence =
            i64::from(sequence) == i64::from(last) + 1 || (sequence == 0 && last == i32::MAX);
        if self.current.producer_epoch != NO_PRODUCER_EPOCH && !in_sequence {
            return out_of_order(format!(
                "Out of order sequence number for producer {producer_id} at offset {offset} in partition {partition}: {sequence} (incoming seq. number), {last} (current end sequence number)"
            ));
        }
        Ok(())
    }
}

/// What one append does to the producers, checked but not yet taken over.
#[derive(Default)]
pub(super) struct ProducerUpdate {
    producers: SortedMap<i64, ProducerAppendInfo>,
    pub completed: Vec<CompletedTxn>,
    /// The batch was appended before; nothing else in here counts.
    pub duplicate: Option<BatchMetadata>,
}

/// All producers of one log, and their transactions. Kafka: `ProducerStateManager`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerStateManager {
    producers: SortedMap<i64, ProducerStateEntry>,
    /// Open transactions by first offset.
    ongoing_txns: SortedMap<Offset, TxnMetadata>,
    /// Ended transactions whose marker is not below the high watermark yet.
    unreplicated_txns: SortedMap<Offset, TxnMetadata>,
    verification_states: SortedMap<i64, VerificationState>,
    next_verification_guard: u64,
    /// The state covers the log up to here.
    map_end_offset: Offset,
    last_snapshot_offset: Offset,
    /// The `.snapshot` files by offset: written when a segment is rolled, read after a truncation or a restart.
    snapshots: SortedMap<Offset, Vec<ProducerStateEntry>>,
    transaction_verification_enabled: bool,
}

impl ProducerStateManager {
    pub(super) fn new(start_offset: Offset) -> Self {
        Self {
            producers: SortedMap::new(),
            ongoing_txns: SortedMap::new(),
            unreplicated_txns: SortedMap::new(),
            verification_states: SortedMap::new(),
            next_verification_guard: 1,
            map_end_offset: start_offset,
            last_snapshot_offset: start_offset,
            snapshots: SortedMap::new(),
            transaction_verification_enabled: true,
        }
    }

    /// All known producers by id.
    pub fn active_producers(&self) -> &SortedMap<i64, ProducerStateEntry> {
        &self.producers
    }

    /// Open transactions, oldest first.
    pub fn ongoing_transactions(&self) -> impl Iterator<Item = &TxnMetadata> {
        self.ongoing_txns.values()
    }

    /// Offsets of the `.snapshot` files.
    pub fn snapshot_offsets(&self) -> impl Iterator<Item = Offset> + '_ {
        self.snapshots.keys().copied()
    }

    /// `transaction.partition.verification.enable`.
    pub fn set_transaction_verification_enabled(&mut self, enabled: bool) {
        self.transaction_verification_enabled = enabled;
    }

    /// The first offset whose transaction is not known to be over on all in-sync replicas.
    pub(super) fn first_unstable_offset(&self) -> Option<Offset> {
        let first = |txns: &SortedMap<Offset, TxnMetadata>| {
            txns.first_key_value().map(|(offset, _)| *offset)
        };
        match (first(&self.unreplicated_txns), first(&self.ongoing_txns)) {
            (Some(unreplicated), Some(ongoing)) => Some(unreplicated.min(ongoing)),
            (unreplicated, ongoing) => unreplicated.or(ongoing),
        }
    }

    pub(super) fn has_ongoing_transaction(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producers.get(&producer_id).is_some_and(|entry| {
            entry.current_txn_first_offset.is_some() && entry.producer_epoch == producer_epoch
        })
    }

    /// See `PartitionLog::maybe_start_transaction_verification`.
    pub(super) fn start_verification(
        &mut self,
        producer_id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now: TimestampMs,
    ) -> u64 {
        let guard = self.next_verification_guard;
        let state = self.verification_states.entry(producer_id).or_insert(VerificationState {
            guard,
            timestamp: now,
            lowest_sequence: sequence,
            epoch,
            supports_epoch_bump,
        });
        if state.guard == guard {
            self.next_verification_guard += 1;
        }
        if epoch > state.epoch || (epoch == state.epoch && sequence < state.lowest_sequence) {
            state.epoch = epoch;
            state.lowest_sequence = sequence;
        }
        state.guard
    }

    /// Checks what appending `batches` would do to their producers; changes nothing but finished verifications.
    pub(super) fn validate(
        &mut self,
        partition: &TopicPartition,
        batches: &[Batch],
        origin: AppendOrigin,
        verification_guard: Option<u64>,
        transaction_version: i16,
    ) -> Result<ProducerUpdate, LogError> {
        let mut update = ProducerUpdate::default();
        for batch in batches.iter().filter(|batch| batch.has_producer_id()) {
            let producer_id = batch.producer_id();
            if origin == AppendOrigin::Client {
                let entry = self.producers.get(&producer_id);
                if let Some(duplicate) = entry.and_then(|entry| entry.find_duplicate_batch(batch)) {
                    update.duplicate = Some(duplicate);
                    return Ok(update);
                }
            }
            if origin != AppendOrigin::Replication {
                self.check_transaction_is_verified(batch, verification_guard)?;
            }
            self.append_batch(partition, batch, origin, transaction_version, &mut update)?;
        }
        Ok(update)
    }

    fn append_batch(
        &mut self,
        partition: &TopicPartition,
        batch: &Batch,
        origin: AppendOrigin,
        transaction_version: i16,
        update: &mut ProducerUpdate,
    ) -> Result<(), LogError> {
        let producer_id = batch.producer_id();
        let info =
            update.producers.entry(producer_id).or_insert_with(|| self.prepare_update(producer_id));
        update.completed.extend(info.append(partition, batch, origin, transaction_version)?);
        if batch.is_transactional() {
            // With transaction version 2 the marker's epoch is that of the next transaction, which may be in
            // verification already.
            let next_started = self.verification_states.get(&producer_id).is_some_and(|state| {
                state.supports_epoch_bump
                    && batch.is_control_batch()
                    && batch.producer_epoch() == state.epoch
            });
            if !next_started {
                self.verification_states.remove(&producer_id);
            }
        }
        Ok(())
    }

    fn check_transaction_is_verified(
        &self,
        batch: &Batch,
        guard: Option<u64>,
    ) -> Result<(), LogError> {
        let (producer_id, epoch) = (batch.producer_id(), batch.producer_epoch());
        if !batch.is_transactional() || self.has_ongoing_transaction(producer_id, epoch) {
            return Ok(());
        }
        self.check_epoch_not_older(producer_id, epoch)?;
        let expected = self.verification_states.get(&producer_id).map(|state| state.guard);
        let verified = expected.is_some() && expected == guard;
        if self.transaction_verification_enabled && !batch.is_control_batch() && !verified {
            return Err(LogError::new(
                LogErrorKind::InvalidTxnState,
                "Record was not part of an ongoing transaction",
            ));
        }
        Ok(())
    }

    pub(super) fn check_epoch_not_older(
        &self,
        producer_id: i64,
        epoch: i16,
    ) -> Result<(), LogError> {
        match self.producers.get(&producer_id) {
            Some(entry) if epoch < entry.producer_epoch => Err(LogError::new(
                LogErrorKind::InvalidProducerEpoch,
                format!(
                    "Epoch of producer {producer_id} is {epoch}, which is smaller than the last seen epoch {}",
                    entry.producer_epoch
                ),
            )),
            _ => Ok(()),
        }
    }

    fn prepare_update(&self, producer_id: i64) -> ProducerAppendInfo {
        let current = self
            .producers
            .get(&producer_id)
            .cloned()
            .unwrap_or_else(|| ProducerStateEntry::empty(producer_id));
        ProducerAppendInfo {
            updated: ProducerStateEntry { batches: Vec::new(), ..current.clone() },
            current,
            verification: self.verification_states.get(&producer_id).copied(),
            started_transactions: Vec::new(),
        }
    }

    /// Takes over what [`Self::validate`] found, all but the completed transactions.
    pub(super) fn update(&mut self, update: ProducerUpdate) {
        for (producer_id, info) in update.producers {
            match self.producers.get_mut(&producer_id) {
                Some(entry) => entry.update(info.updated),
                None => {
                    self.producers.insert(producer_id, info.updated);
                }
            }
            for txn in info.started_transactions {
                self.ongoing_txns.insert(txn.first_offset, txn);
            }
        }
    }

    /// The last stable offset once `completed` is over: where the next open transaction begins, or behind the marker.
    pub(super) fn last_stable_offset(&self, completed: &CompletedTxn) -> Offset {
        let other = self.ongoing_txns.values().find(|txn| txn.producer_id != completed.producer_id);
        other.map_or(completed.last_offset + 1, |txn| txn.first_offset)
    }

    pub(super) fn complete_txn(&mut self, completed: &CompletedTxn) {
        if let Some(mut txn) = self.ongoing_txns.remove(&completed.first_offset) {
            txn.last_offset = Some(completed.last_offset);
            self.unreplicated_txns.insert(completed.first_offset, txn);
        }
    }

    pub(super) fn set_map_end_offset(&mut self, offset: Offset) {
        self.map_end_offset = offset;
    }

    pub(super) fn map_end_offset(&self) -> Offset {
        self.map_end_offset
    }

    pub(super) fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.unreplicated_txns.is_empty()
    }

    pub(super) fn on_high_watermark_updated(&mut self, high_watermark: Offset) {
        if !self.unreplicated_txns.is_empty() {
            self.unreplicated_txns
                .retain(|_, txn| txn.last_offset.is_none_or(|last| last >= high_watermark));
        }
    }

    pub(super) fn on_log_start_offset_incremented(&mut self, log_start_offset: Offset) {
        self.on_high_watermark_updated(log_start_offset);
        self.map_end_offset = self.map_end_offset.max(log_start_offset);
        self.last_snapshot_offset =
            self.snapshots.last_key_value().map_or(log_start_offset, |(offset, _)| *offset);
    }

    /// Writes a `.snapshot` file, if anything was appended since the last one. Of each producer's batches only the last
    /// is in it, as in Kafka.
    pub(super) fn take_snapshot(&mut self) {
        if self.map_end_offset > self.last_snapshot_offset {
            let last_batch = |entry: &ProducerStateEntry| {
                let batches = entry.batches.last().copied().into_iter().collect();
                ProducerStateEntry { batches, ..entry.clone() }
            };
            self.snapshots
                .insert(self.map_end_offset, self.producers.values().map(last_batch).collect());
            self.last_snapshot_offset = self.map_end_offset;
        }
    }

    pub(super) fn remove_snapshot(&mut self, offset: Offset) {
        self.snapshots.remove(&offset);
    }

    /// Goes back to the newest snapshot within the log; the caller replays the batches behind it.
    pub(super) fn truncate_and_reload(
        &mut self,
        log_start_offset: Offset,
        log_end_offset: Offset,
        now: TimestampMs,
    ) {
        self.snapshots.retain(|offset, _| *offset <= log_end_offset && *offset > log_start_offset);
        if log_end_offset == self.map_end_offset {
            self.on_log_start_offset_incremented(log_start_offset);
            return;
        }
        self.producers.clear();
        self.ongoing_txns.clear();
        self.unreplicated_txns.clear();
        let newest =
            self.snapshots.last_key_value().map(|(offset, entries)| (*offset, entries.clone()));
        let (offset, entries) = newest.unwrap_or((log_start_offset, Vec::new()));
        for entry in entries.into_iter().filter(|entry| !is_expired(entry, now)) {
            if let Some(first_offset) = entry.current_txn_first_offset {
                let txn =
                    TxnMetadata { producer_id: entry.producer_id, first_offset, last_offset: None };
                self.ongoing_txns.insert(first_offset, txn);
            }
            self.producers.insert(entry.producer_id, entry);
        }
        self.last_snapshot_offset = offset;
        self.map_end_offset = offset;
    }

    /// Replays batches that are in the log already.
    pub(super) fn load(&mut self, partition: &TopicPartition, batches: &[Batch]) {
        let mut update = ProducerUpdate::default();
        for batch in batches.iter().filter(|batch| batch.has_producer_id()) {
            // What is in the log was checked when it got there.
            let _ = self.append_batch(partition, batch, AppendOrigin::Replication, 0, &mut update);
        }
        let completed = std::mem::take(&mut update.completed);
        self.update(update);
        for completed in &completed {
            self.complete_txn(completed);
        }
    }

    /// A restart: what is not in the snapshots is gone.
    pub(super) fn forget_memory(&mut self) {
        self.verification_states.clear();
        self.map_end_offset = -1;
    }

    pub(super) fn truncate_fully_and_start_at(&mut self, offset: Offset) {
        self.producers.clear();
        self.ongoing_txns.clear();
        self.unreplicated_txns.clear();
        self.snapshots.clear();
        self.last_snapshot_offset = 0;
        self.map_end_offset = offset;
    }

    pub(super) fn remove_expired_producers(&mut self, now: TimestampMs) {
        self.producers.retain(|_, entry| !is_expired(entry, now));
        self.verification_states
            .retain(|_, state| now - state.timestamp < PRODUCER_ID_EXPIRATION_MS);
    }
}

fn is_expired(entry: &ProducerStateEntry, now: TimestampMs) -> bool {
    entry.current_txn_first_offset.is_none()
        && now - entry.last_timestamp >= PRODUCER_ID_EXPIRATION_MS
}
