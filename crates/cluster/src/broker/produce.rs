//! Produce (API key 0), and waiting for the high watermark where acks=all.
//! Kafka: `KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`, `DelayedProduce`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::partition::TopicIdPartition;
use super::{KafkaNode, KafkaTimer, PurgatoryKey, ReplyTo};
use crate::event::ClusterEvent;
use crate::log::{AppendOptions, Batch, LogAppendInfo, LogError};
use crate::protocol::{
    BatchIndexAndErrorMessage, ErrorCode, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceResponse,
};
use crate::topic_names;
use crate::types::{LeaderEpoch, Offset, TopicPartition};
use crate::uuid::Uuid;
use crate::world::ProcessContext;

/// Appended and not yet committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DelayedProduce {
    reply_to: ReplyTo,
    deadline: Micros,
    /// Partitions that still wait.
    waiting: SortedMap<TopicIdPartition, Place>,
    response: ProduceResponse,
}

/// Where a partition's answer stands in the response, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    topic: u32,
    partition: u32,
    required_offset: Offset,
}

/// All delayed produces of this process, in order of arrival.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DelayedProduces {
    last: u64,
    operations: SortedMap<u64, DelayedProduce>,
}

impl KafkaNode {
    pub(super) fn handle_produce(
        &mut self,
        reply_to: ReplyTo,
        request: ProduceRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let acks = request.acks;
        let mut response = ProduceResponse::default();
        let mut waiting = SortedMap::new();
        let mut failed = false;
        let mut leaders = Vec::new();
        for topic in request.topic_data {
            let topic_id = self.topic_id(topic.topic_id, &topic.name);
            let mut partition_responses = Vec::with_capacity(topic.partition_data.len());
            for data in topic.partition_data {
                let id = TopicIdPartition { topic_id, partition: data.index };
                let result = match data.records {
                    Some(batch) => self.append_records(id, &batch, acks, context),
                    None => Err(Refusal::code(ErrorCode::InvalidRecord)),
                };
                let mut answer = PartitionProduceResponse {
                    index: data.index,
                    base_offset: -1,
                    log_append_time_ms: -1,
                    log_start_offset: -1,
                    ..PartitionProduceResponse::default()
                };
                match result {
                    Ok(info) => {
                        answer.base_offset = info.first_offset;
                        answer.log_append_time_ms = info.log_append_time;
                        answer.log_start_offset = info.log_start_offset;
                        let place = Place {
                            topic: response.responses.len() as u32,
                            partition: partition_responses.len() as u32,
                            required_offset: info.last_offset + 1,
                        };
                        waiting.insert(id, place);
                    }
                    Err(refusal) => {
                        failed = true;
                        self.describe_refusal(id, refusal, &mut answer, &mut leaders);
                        let (topic, error_code) = (&topic.name, answer.error_code);
                        context.trace(|| ClusterEvent::ProduceRefused {
                            partition: TopicPartition::new(topic.clone(), id.partition),
                            error_code,
                        });
                    }
                }
                partition_responses.push(answer);
            }
            let (name, topic_id) = (topic.name, topic.topic_id);
            response.responses.push(TopicProduceResponse { name, topic_id, partition_responses });
        }
        response.node_endpoints = self.endpoints_of(leaders);
        match acks {
            // Nobody waits for an answer; a closed connection is all that tells of an error.
            0 if failed => context.disconnect(reply_to.node),
            0 => {}
            -1 if !waiting.is_empty() => {
                let timeout = Micros::from_ms(request.timeout_ms.max(0) as u64);
                self.delay_produce(reply_to, timeout, waiting, response, context);
            }
            _ => Self::reply(reply_to, response, context),
        }
    }

    /// The topic's id, of a request that names it by id or, older ones, by name.
    fn topic_id(&self, id: Uuid, name: &str) -> Uuid {
        if id != Uuid::ZERO {
            return id;
        }
        self.controller.image().topics_by_name.get(name).copied().unwrap_or(Uuid::ZERO)
    }

    fn append_records(
        &mut self,
        id: TopicIdPartition,
        batch: &Batch,
        acks: i16,
        context: &mut ProcessContext<'_>,
    ) -> Result<LogAppendInfo, Refusal> {
        if !matches!(acks, -1..=1) {
            return Err(Refusal::code(ErrorCode::InvalidRequiredAcks));
        }
        let Some(partition) = self.partitions.get(&id) else {
            return Err(Refusal::code(self.unknown_partition_error(id)));
        };
        if topic_names::is_internal(&partition.topic) {
            let message = format!("Cannot append to internal topic {}", partition.topic);
            return Err(Refusal {
                error: ErrorCode::InvalidTopicException,
                message: Some(message),
                records: None,
            });
        }
        let options = AppendOptions::client(LeaderEpoch(partition.leader_epoch()));
        self.append_to_leader(id, batch, acks, options, context)
    }

    /// A partition that is not here: elsewhere, or nowhere.
    pub(super) fn unknown_partition_error(&self, id: TopicIdPartition) -> ErrorCode {
        match self.controller.image().topics.get(&id.topic_id) {
            None if id.topic_id == Uuid::ZERO => ErrorCode::UnknownTopicOrPartition,
            None => ErrorCode::UnknownTopicId,
            Some(topic) if topic.partitions.contains_key(&id.partition) => {
                ErrorCode::NotLeaderOrFollower
            }
            Some(_) => ErrorCode::UnknownTopicOrPartition,
        }
    }

    /// Appends as the leader. Kafka: `Partition.appendRecordsToLeader`.
    pub(super) fn append_to_leader(
        &mut self,
        id: TopicIdPartition,
        batch: &Batch,
        acks: i16,
        options: AppendOptions,
        context: &mut ProcessContext<'_>,
    ) -> Result<LogAppendInfo, Refusal> {
        let (now, wall_clock_ms) = (context.now(), self.wall_clock_ms(context.now()));
        let Some(partition) = self.partitions.get_mut(&id) else {
            return Err(Refusal::code(ErrorCode::UnknownTopicOrPartition));
        };
        if !partition.is_leader() {
            return Err(Refusal::code(ErrorCode::NotLeaderOrFollower));
        }
        if acks == -1 && partition.is_under_min_isr() {
            let isr: Vec<String> = partition.isr().map(|id| id.to_string()).collect();
            let message = format!(
                "The size of the current ISR : {} is insufficient to satisfy the min.isr requirement of {} for partition {}-{}, live replica(s) broker.id are : Set({})",
                isr.len(),
                partition.effective_min_isr(),
                partition.topic,
                id.partition,
                isr.join(", "),
            );
            return Err(Refusal {
                error: ErrorCode::NotEnoughReplicas,
                message: Some(message),
                records: None,
            });
        }
        let old_end = partition.log.log_end_offset();
        let segments = partition.log.number_of_segments();
        let info =
            partition.log.append_as_leader(batch, options, wall_clock_ms).map_err(Refusal::log)?;
        if info.duplicate {
            return Ok(info);
        }
        partition.note_append(old_end, &self.memory.last_fetches);
        let moved = partition.maybe_increment_high_watermark(now, self.controller.image());
        self.tell_appended(id, info.first_offset, info.last_offset, segments, context);
        self.memory.touched.insert(id);
        self.after_high_watermark(id, moved, context);
        Ok(info)
    }

    fn describe_refusal(
        &self,
        id: TopicIdPartition,
        refusal: Refusal,
        answer: &mut PartitionProduceResponse,
        leaders: &mut Vec<i32>,
    ) {
        answer.error_code = refusal.error.code();
        answer.record_errors = refusal.records.unwrap_or_default();
        // Only what is wrong with single records is told in words. Kafka: `LogAppendResult.hasCustomErrorMessage`.
        answer.error_message = refusal.message.filter(|_| !answer.record_errors.is_empty());
        if refusal.error == ErrorCode::NotLeaderOrFollower
            && let Some(registration) = self.controller.image().partition(id.topic_id, id.partition)
            && registration.has_leader()
        {
            leaders.push(registration.leader);
            answer.current_leader = Some(crate::protocol::LeaderIdAndEpoch {
                leader_id: registration.leader,
                leader_epoch: registration.leader_epoch,
            });
        }
    }

    /// Keeps the answer until all its partitions are committed, at most for `timeout`.
    fn delay_produce(
        &mut self,
        reply_to: ReplyTo,
        timeout: Micros,
        waiting: SortedMap<TopicIdPartition, Place>,
        response: ProduceResponse,
        context: &mut ProcessContext<'_>,
    ) {
        let produces = &mut self.memory.produces;
        produces.last += 1;
        let number = produces.last;
        let deadline = context.now() + timeout;
        let ids: Vec<(TopicIdPartition, Offset)> =
            waiting.iter().map(|(id, place)| (*id, place.required_offset)).collect();
        produces
            .operations
            .insert(number, DelayedProduce { reply_to, deadline, waiting, response });
        self.memory.purgatory.insert(
            deadline,
            PurgatoryKey::Produce(number),
            KafkaTimer::Purgatory,
            context,
        );
        for (id, required_offset) in ids {
            if let Some(leader) =
                self.partitions.get_mut(&id).and_then(|partition| partition.leader_state_mut())
            {
                // A duplicate of an earlier batch may wait for less than those before it.
                let at = leader.produces.partition_point(|(offset, _)| *offset <= required_offset);
                leader.produces.insert(at, (required_offset, number));
            }
            self.complete_produces(id, context);
        }
    }

    /// Settles the produces of one partition that its high watermark, or the loss of its leadership, decides.
    pub(super) fn complete_produces(
        &mut self,
        id: TopicIdPartition,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        let high_watermark = partition.log.high_watermark();
        let error = if partition.has_enough_replicas() {
            ErrorCode::None
        } else {
            // The records are in the log and may be read later.
            ErrorCode::NotEnoughReplicasAfterAppend
        };
        let mut done = Vec::new();
        let Some(leader) = partition.leader_state_mut() else { return };
        while let Some((required_offset, number)) = leader.produces.front().copied()
            && required_offset <= high_watermark
        {
            leader.produces.pop_front();
            done.push(number);
        }
        for number in done {
            self.settle_produce(number, id, error, context);
        }
    }

    /// This broker leads the partition no more: nobody knows whether what waits will be committed.
    pub(super) fn fail_produces(
        &mut self,
        id: TopicIdPartition,
        numbers: impl IntoIterator<Item = u64>,
        context: &mut ProcessContext<'_>,
    ) {
        for number in numbers {
            self.settle_produce(number, id, ErrorCode::NotLeaderOrFollower, context);
        }
    }

    fn settle_produce(
        &mut self,
        number: u64,
        id: TopicIdPartition,
        error: ErrorCode,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(produce) = self.memory.produces.operations.get_mut(&number) else { return };
        let Some(place) = produce.waiting.remove(&id) else { return };
        if error.is_error() {
            fail(&mut produce.response, place, error);
        }
        if produce.waiting.is_empty() {
            self.finish_produce(number, context);
        }
    }

    /// Time is up: what is not committed yet is reported as timed out.
    pub(super) fn expire_produce(&mut self, number: u64, context: &mut ProcessContext<'_>) {
        let Some(produce) = self.memory.produces.operations.get_mut(&number) else { return };
        for (_, place) in std::mem::take(&mut produce.waiting) {
            fail(&mut produce.response, place, ErrorCode::RequestTimedOut);
        }
        self.finish_produce(number, context);
    }

    fn finish_produce(&mut self, number: u64, context: &mut ProcessContext<'_>) {
        let Some(produce) = self.memory.produces.operations.remove(&number) else { return };
        self.memory.purgatory.remove(produce.deadline, PurgatoryKey::Produce(number));
        Self::reply(produce.reply_to, produce.response, context);
    }
}

fn fail(response: &mut ProduceResponse, place: Place, error: ErrorCode) {
    let topic = &mut response.responses[place.topic as usize];
    let answer = &mut topic.partition_responses[place.partition as usize];
    answer.error_code = error.code();
    answer.base_offset = -1;
}

/// Why records were not appended.
pub(super) struct Refusal {
    pub error: ErrorCode,
    message: Option<String>,
    records: Option<Vec<BatchIndexAndErrorMessage>>,
}

impl Refusal {
    pub fn code(error: ErrorCode) -> Self {
        Self { error, message: None, records: None }
    }

    fn log(error: LogError) -> Self {
        let records = error
            .record_errors
            .into_iter()
            .map(|record| BatchIndexAndErrorMessage {
                batch_index: record.batch_index,
                batch_index_error_message: Some(record.message),
            })
            .collect();
        Self {
            error: error.kind.error_code(),
            message: Some(error.message),
            records: Some(records),
        }
    }
}
