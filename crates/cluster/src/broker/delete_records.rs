//! DeleteRecords (API key 21): raises the log start offset, and waits until all live replicas have followed.
//! Kafka: `ReplicaManager.deleteRecords`, `DelayedDeleteRecords`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::partition::TopicIdPartition;
use super::{KafkaNode, KafkaTimer, PurgatoryKey, ReplyTo};
use crate::protocol::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest,
    DeleteRecordsResponse, DeleteRecordsTopicResult, ErrorCode,
};
use crate::types::Offset;
use crate::uuid::Uuid;
use crate::world::ProcessContext;

/// `DeleteRecordsRequest.HIGH_WATERMARK`
const HIGH_WATERMARK: Offset = -1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct DelayedDeletion {
    reply_to: ReplyTo,
    deadline: Micros,
    /// What each partition waits for, and its place in the response.
    waiting: SortedMap<TopicIdPartition, (Offset, u32, u32)>,
    response: DeleteRecordsResponse,
}

/// Deletions that followers have not all taken over yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DelayedDeletions {
    last: u64,
    operations: SortedMap<u64, DelayedDeletion>,
}

impl KafkaNode {
    pub(super) fn handle_delete_records(
        &mut self,
        reply_to: ReplyTo,
        request: &DeleteRecordsRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let mut response = DeleteRecordsResponse::default();
        let mut waiting = SortedMap::new();
        for topic in &request.topics {
            let topic_id =
                self.image().topics_by_name.get(&topic.name).copied().unwrap_or(Uuid::ZERO);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                let id = TopicIdPartition { topic_id, partition: wanted.partition_index };
                let result = self.delete_records(id, wanted);
                let (error, low_watermark) = match result {
                    Ok(offset) => {
                        let place = (response.topics.len() as u32, partitions.len() as u32);
                        waiting.insert(id, (offset, place.0, place.1));
                        self.memory.touched.insert(id);
                        (ErrorCode::None, -1)
                    }
                    Err(error) => (error, -1),
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: wanted.partition_index,
                    low_watermark,
                    error_code: error.code(),
                });
            }
            response.topics.push(DeleteRecordsTopicResult { name: topic.name.clone(), partitions });
        }
        let deadline = context.now() + Micros::from_ms(request.timeout_ms.max(0) as u64);
        let deletions = &mut self.memory.deletions;
        deletions.last += 1;
        let number = deletions.last;
        let ids: Vec<TopicIdPartition> = waiting.keys().copied().collect();
        deletions
            .operations
            .insert(number, DelayedDeletion { reply_to, deadline, waiting, response });
        self.memory.purgatory.insert(
            deadline,
            PurgatoryKey::DeleteRecords(number),
            KafkaTimer::Purgatory,
            context,
        );
        for id in ids {
            self.complete_deletions(id, context);
        }
        self.finish_deletion_if_done(number, context);
    }

    fn delete_records(
        &mut self,
        id: TopicIdPartition,
        wanted: &DeleteRecordsPartition,
    ) -> Result<Offset, ErrorCode> {
        let unknown = self.unknown_partition_error(id);
        let partition = self.partitions.get_mut(&id).ok_or(unknown)?;
        if crate::topic_names::is_internal(&partition.topic) {
            return Err(ErrorCode::InvalidTopicException);
        }
        if !partition.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        if !partition.log.config().delete {
            return Err(ErrorCode::PolicyViolation);
        }
        let offset = match wanted.offset {
            HIGH_WATERMARK => partition.log.high_watermark(),
            offset if offset < 0 => return Err(ErrorCode::OffsetOutOfRange),
            offset => offset,
        };
        let raised = partition.log.maybe_increment_log_start_offset(offset);
        raised.map_err(|error| error.kind.error_code())?;
        Ok(offset)
    }

    /// A follower may have raised its log start offset.
    pub(super) fn after_follower_log_start(
        &mut self,
        id: TopicIdPartition,
        context: &mut ProcessContext<'_>,
    ) {
        if !self.memory.deletions.operations.is_empty() {
            self.complete_deletions(id, context);
        }
    }

    pub(super) fn complete_deletions(
        &mut self,
        id: TopicIdPartition,
        context: &mut ProcessContext<'_>,
    ) {
        if self.memory.deletions.operations.is_empty() {
            return;
        }
        let Some(partition) = self.partitions.get(&id) else { return };
        let low_watermark = partition.low_watermark(self.controller.image());
        let operations = &mut self.memory.deletions.operations;
        let mut touched = Vec::new();
        for (number, deletion) in operations.iter_mut() {
            if let Some(&(offset, topic, index)) = deletion.waiting.get(&id)
                && low_watermark >= offset
            {
                deletion.waiting.remove(&id);
                deletion.response.topics[topic as usize].partitions[index as usize].low_watermark =
                    low_watermark;
                touched.push(*number);
            }
        }
        for number in touched {
            self.finish_deletion_if_done(number, context);
        }
    }

    /// This broker leads the partition no more.
    pub(super) fn fail_deletions(
        &mut self,
        id: TopicIdPartition,
        context: &mut ProcessContext<'_>,
    ) {
        self.fail_waiting(|_, waiting| waiting == id, ErrorCode::NotLeaderOrFollower, context);
    }

    pub(super) fn expire_deletion(&mut self, number: u64, context: &mut ProcessContext<'_>) {
        self.fail_waiting(|operation, _| operation == number, ErrorCode::RequestTimedOut, context);
    }

    fn fail_waiting(
        &mut self,
        affects: impl Fn(u64, TopicIdPartition) -> bool,
        error: ErrorCode,
        context: &mut ProcessContext<'_>,
    ) {
        let numbers: Vec<u64> = self.memory.deletions.operations.keys().copied().collect();
        for number in numbers {
            let Some(deletion) = self.memory.deletions.operations.get_mut(&number) else {
                continue;
            };
            let response = &mut deletion.response;
            deletion.waiting.retain(|id, (_, topic, index)| {
                let fails = affects(number, *id);
                if fails {
                    response.topics[*topic as usize].partitions[*index as usize].error_code =
                        error.code();
                }
                !fails
            });
            self.finish_deletion_if_done(number, context);
        }
    }

    fn finish_deletion_if_done(&mut self, number: u64, context: &mut ProcessContext<'_>) {
        let done = self.memory.deletions.operations.get(&number);
        if done.is_some_and(|deletion| deletion.waiting.is_empty())
            && let Some(deletion) = self.memory.deletions.operations.remove(&number)
        {
            self.memory.purgatory.remove(deletion.deadline, PurgatoryKey::DeleteRecords(number));
            Self::reply(deletion.reply_to, deletion.response, context);
        }
    }
}
