//! Idempotence: producer id, epoch, and a sequence per partition. Kafka: `TransactionManager`, `TxnPartitionMap` (without transactions).

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};

use super::batch::{ProducerBatch, ProducerState, increment_sequence};
use crate::protocol::{ErrorCode, PartitionProduceResponse};
use crate::types::{Offset, TopicPartition};

/// Producer id and epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerIdAndEpoch {
    pub producer_id: i64,
    pub epoch: i16,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Partition {
    id: ProducerIdAndEpoch,
    next_sequence: i32,
    last_acked_sequence: Option<i32>,
    last_acked_offset: Option<Offset>,
    /// First and last sequence of the batches that were sent and are not answered for good.
    in_flight: SortedSet<(i32, i32)>,
}

impl Partition {
    fn is_next(&self, sequence: i32) -> bool {
        sequence.wrapping_sub(self.last_acked_sequence.unwrap_or(-1)) == 1
    }
}

/// What the producer knows of its sequences.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sequences {
    id: Option<ProducerIdAndEpoch>,
    partitions: SortedMap<TopicPartition, Partition>,
    /// Partitions where a sent batch expired unanswered, and the sequence behind it.
    unresolved: SortedMap<TopicPartition, i32>,
    /// Partitions whose sequences begin anew with the next epoch.
    to_rewrite: SortedSet<TopicPartition>,
    bump_required: bool,
}

impl Sequences {
    /// What InitProducerId has given; none while it must be asked for.
    pub fn id(&self) -> Option<ProducerIdAndEpoch> {
        self.id
    }

    pub fn set_id(&mut self, producer_id: i64, epoch: i16) {
        self.id = Some(ProducerIdAndEpoch { producer_id, epoch });
    }

    fn partition(&mut self, partition: &TopicPartition) -> &mut Partition {
        let id = self.id.unwrap_or(ProducerIdAndEpoch { producer_id: -1, epoch: -1 });
        if !self.partitions.contains_key(partition) {
            let fresh = Partition {
                id,
                next_sequence: 0,
                last_acked_sequence: None,
                last_acked_offset: None,
                in_flight: SortedSet::new(),
            };
            self.partitions.insert(partition.clone(), fresh);
        }
        self.partitions.get_mut(partition).expect("the partition has just been entered")
    }

    /// Whether a batch may not be sent yet. Kafka: `shouldStopDrainBatchesForPartition`.
    pub fn must_wait(&self, first: &ProducerBatch) -> bool {
        let Some(id) = self.id else { return true };
        let Some(known) = self.partitions.get(&first.partition) else { return false };
        match first.base_sequence() {
            None => {
                // Batches of an earlier epoch must be through first, and it must be known what became of all of them.
                (!known.in_flight.is_empty() && known.id != id)
                    || self.unresolved.contains_key(&first.partition)
            }
            // A retry: one at a time, in order.
            Some(sequence) => {
                known.in_flight.first().is_some_and(|(earliest, _)| *earliest != sequence)
            }
        }
    }

    /// Gives a batch that is sent for the first time its sequence.
    pub fn assign(&mut self, batch: &mut ProducerBatch) {
        let Some(id) = self.id else { return };
        if batch.state.is_some() {
            return;
        }
        let count = batch.record_count as i32;
        let partition = self.partition(&batch.partition);
        if partition.id != id {
            partition.id = id;
            partition.next_sequence = 0;
            partition.last_acked_sequence = None;
        }
        let base_sequence = partition.next_sequence;
        partition.next_sequence = increment_sequence(base_sequence, count);
        batch.set_producer_state(ProducerState {
            producer_id: id.producer_id,
            epoch: id.epoch,
            base_sequence,
        });
        self.track(batch);
    }

    /// Counts a batch among those that are not answered for good.
    pub fn track(&mut self, batch: &ProducerBatch) {
        if let (Some(first), Some(last)) = (batch.base_sequence(), batch.last_sequence()) {
            self.partition(&batch.partition).in_flight.insert((first, last));
        }
    }

    /// The batch is through, or gone.
    pub fn untrack(&mut self, batch: &ProducerBatch) {
        if let (Some(first), Some(last)) = (batch.base_sequence(), batch.last_sequence()) {
            self.partition(&batch.partition).in_flight.remove(&(first, last));
        }
    }

    /// The batch was acknowledged.
    pub fn completed(&mut self, batch: &ProducerBatch, base_offset: Offset) {
        let last = batch.last_sequence();
        let partition = self.partition(&batch.partition);
        if last > partition.last_acked_sequence {
            partition.last_acked_sequence = last;
        }
        if base_offset >= 0 {
            let offset = base_offset + i64::from(batch.record_count) - 1;
            partition.last_acked_offset = partition.last_acked_offset.max(Some(offset));
        }
        self.untrack(batch);
    }

    /// The batch failed for good. Kafka: `handleFailedBatch`.
    pub fn failed(&mut self, batch: &ProducerBatch, error: ErrorCode, adjust_sequences: bool) {
        self.untrack(batch);
        match error {
            ErrorCode::OutOfOrderSequenceNumber => self.request_epoch_bump(&batch.partition),
            ErrorCode::UnknownProducerId => {
                let partition = self.partition(&batch.partition);
                partition.next_sequence = 0;
                partition.last_acked_sequence = None;
            }
            _ if adjust_sequences => self.request_epoch_bump(&batch.partition),
            _ => {}
        }
    }

    /// A batch that had been sent expired: it may have been written or not.
    pub fn mark_unresolved(&mut self, batch: &ProducerBatch) {
        if let Some(last) = batch.last_sequence() {
            let next = increment_sequence(last, 1);
            let entry = self.unresolved.entry(batch.partition.clone()).or_insert(next);
            *entry = (*entry).max(next);
        }
    }

    /// Partitions with nothing in flight any more are known to be in order, or begin anew.
    pub fn resolve(&mut self) {
        let open: Vec<TopicPartition> = self.unresolved.keys().cloned().collect();
        for name in open {
            let partition = self.partition(&name);
            if !partition.in_flight.is_empty() {
                continue;
            }
            if !partition.is_next(partition.next_sequence) {
                self.request_epoch_bump(&name);
            }
            self.unresolved.remove(&name);
        }
    }

    fn request_epoch_bump(&mut self, partition: &TopicPartition) {
        self.bump_required = true;
        self.to_rewrite.insert(partition.clone());
    }

    /// Begins a new epoch if one is needed; the partitions whose unanswered batches need new sequences, from 0.
    /// Kafka: `bumpIdempotentProducerEpoch`.
    pub fn bump_epoch_if_needed(&mut self) -> Vec<TopicPartition> {
        if !std::mem::take(&mut self.bump_required) {
            return Vec::new();
        }
        self.id = match self.id {
            Some(id) if id.epoch < i16::MAX => {
                Some(ProducerIdAndEpoch { epoch: id.epoch + 1, ..id })
            }
            // Epochs are used up: another id.
            _ => None,
        };
        let rewritten: Vec<TopicPartition> =
            std::mem::take(&mut self.to_rewrite).into_iter().collect();
        for name in &rewritten {
            self.unresolved.remove(name);
        }
        rewritten
    }

    /// Gives the unanswered batches of a partition, in their order, sequences from 0 in the present epoch.
    pub fn start_at_beginning(
        &mut self,
        name: &TopicPartition,
        batches: &mut [&mut ProducerBatch],
    ) {
        let Some(id) = self.id else { return };
        let partition = self.partition(name);
        partition.id = id;
        partition.last_acked_sequence = None;
        partition.in_flight.clear();
        let mut base_sequence = 0;
        simulation::sorted::sort_by_key(batches, |batch| batch.base_sequence());
        for batch in batches {
            batch.set_producer_state(ProducerState {
                producer_id: id.producer_id,
                epoch: id.epoch,
                base_sequence,
            });
            base_sequence = increment_sequence(base_sequence, batch.record_count as i32);
            self.track(batch);
        }
        self.partition(name).next_sequence = base_sequence;
    }

    /// Whether a refused batch may be sent again. Kafka: `TransactionManager.canRetry`.
    pub fn can_retry(
        &mut self,
        batch: &ProducerBatch,
        error: ErrorCode,
        response: &PartitionProduceResponse,
    ) -> bool {
        let base_sequence = batch.base_sequence().unwrap_or(-1);
        let unresolved = self.unresolved.get(&batch.partition).copied();
        match error {
            ErrorCode::UnknownProducerId => {
                if response.log_start_offset != -1 && !batch.sequence_has_been_reset {
                    self.request_epoch_bump(&batch.partition);
                }
                true
            }
            ErrorCode::OutOfOrderSequenceNumber => {
                let is_next = self.partition(&batch.partition).is_next(base_sequence);
                let earlier_is_open =
                    unresolved.is_none() && (batch.sequence_has_been_reset || !is_next);
                if !earlier_is_open && unresolved.is_none_or(|next| next == base_sequence) {
                    self.request_epoch_bump(&batch.partition);
                }
                true
            }
            _ => error.is_retriable(),
        }
    }
}
