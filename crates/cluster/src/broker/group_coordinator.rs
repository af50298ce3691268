//! The group coordinator's place in the broker: its requests, its writes to `__consumer_offsets`, its deadlines.
//! Kafka: `CoordinatorRuntime`, `CoordinatorLoaderImpl`, `CoordinatorPartitionWriter`.

use simulation::sorted::SortedMap;

use simulation::Micros;

use super::partition::TopicIdPartition;
use super::{KafkaNode, KafkaTimer, ReplyTo};
use crate::controller::api_error::ApiError;
use crate::controller::control::refused;
use crate::coordinator::{Caller, CoordinatorAppend, CoordinatorOutput, RequestToken};
use crate::log::{AppendOptions, CompressionType, FetchIsolation, RecordBatchBuilder};
use crate::protocol::{ErrorCode, Request};
use crate::topic_names;
use crate::types::{LeaderEpoch, Offset};
use crate::uuid::Uuid;
use crate::world::{ProcessContext, Timer};

/// Bytes read at a time while a partition is loaded: `offsets.load.buffer.size`.
const LOAD_BUFFER_SIZE: u32 = 5_242_880;

impl KafkaNode {
    pub(super) fn handle_group_request(
        &mut self,
        reply_to: ReplyTo,
        client_id: String,
        mut request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        let unknown = self.resolve_topics(&mut request);
        let token = RequestToken { from: reply_to.node, correlation_id: reply_to.correlation_id };
        // Clients of the simulation all live on the host of the cluster.
        let caller = Caller { token, client_id, client_host: "/127.0.0.1".to_owned() };
        let now = context.now();
        let mut output = CoordinatorOutput::default();
        let handled = self.memory.coordinator.handle_request(
            now,
            &caller,
            request,
            &unknown,
            context.random(),
            &mut output,
        );
        match handled {
            Ok(()) => self.apply_coordinator(output, context),
            Err(request) => {
                // An API that is not built.
                let error = ApiError::with_default_message(ErrorCode::UnsupportedVersion);
                let response = refused(&request, &error);
                Self::reply(reply_to, response, context);
            }
        }
    }

    /// Offsets are committed by topic id, or by name where the client knows no id. Gives the topics that there are not.
    /// Kafka: `KafkaApis.handleOffsetCommitRequest`, `handleOffsetDeleteRequest`.
    fn resolve_topics(&self, request: &mut Request) -> SortedMap<String, ErrorCode> {
        let mut unknown = SortedMap::new();
        match request {
            Request::OffsetCommit(request) => {
                for topic in &mut request.topics {
                    match self.image().topics_by_name.get(&topic.name) {
                        Some(id) if topic.topic_id == Uuid::ZERO || topic.topic_id == *id => {
                            topic.topic_id = *id;
                        }
                        Some(_) => {
                            unknown.insert(topic.name.clone(), ErrorCode::UnknownTopicId);
                        }
                        None => {
                            unknown.insert(topic.name.clone(), ErrorCode::UnknownTopicOrPartition);
                        }
                    }
                }
            }
            Request::OffsetDelete(request) => {
                for topic in &request.topics {
                    if !self.image().topics_by_name.contains_key(&topic.name) {
                        unknown.insert(topic.name.clone(), ErrorCode::UnknownTopicOrPartition);
                    }
                }
            }
            _ => {}
        }
        unknown
    }

    /// This broker leads a partition of `__consumer_offsets` from now on: its groups are read.
    pub(super) fn load_groups(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) {
        let partitions =
            self.image().topics.get(&id.topic_id).map_or(0, |topic| topic.partitions.len());
        let coordinator = &mut self.memory.coordinator;
        coordinator.set_num_partitions(partitions as i32);
        coordinator.begin_loading(id.partition);
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        let log = &mut partition.log;
        let mut offset = log.log_start_offset();
        while let Ok(found) = log.read(offset, LOAD_BUFFER_SIZE, FetchIsolation::LogEnd, true) {
            let Some(last) = found.batches.last() else { break };
            offset = last.next_offset();
            for batch in &found.batches {
                let Ok(records) = batch.records() else { continue };
                for record in records.iter().flatten() {
                    if let Some(key) = &record.key {
                        coordinator.load_record(id.partition, record.offset, key, record.value);
                    }
                }
            }
        }
        let high_watermark = log.high_watermark();
        let mut output = CoordinatorOutput::default();
        coordinator.finish_loading(context.now(), id.partition, high_watermark, &mut output);
        self.apply_coordinator(output, context);
    }

    pub(super) fn unload_groups(&mut self, id: TopicIdPartition, context: &mut ProcessContext<'_>) {
        let mut output = CoordinatorOutput::default();
        self.memory.coordinator.unload(id.partition, &mut output);
        self.apply_coordinator(output, context);
    }

    /// Offsets of deleted topics are deleted.
    pub(super) fn forget_offsets(
        &mut self,
        topics: &[(String, Uuid)],
        context: &mut ProcessContext<'_>,
    ) {
        let mut output = CoordinatorOutput::default();
        self.memory.coordinator.on_topics_deleted(context.now(), topics, &mut output);
        self.apply_coordinator(output, context);
    }

    /// What the coordinator wrote is committed up to here.
    pub(super) fn on_offsets_committed(
        &mut self,
        id: TopicIdPartition,
        high_watermark: Offset,
        context: &mut ProcessContext<'_>,
    ) {
        let mut output = CoordinatorOutput::default();
        let now = context.now();
        self.memory.coordinator.on_high_watermark(now, id.partition, high_watermark, &mut output);
        self.apply_coordinator(output, context);
    }

    pub(super) fn on_coordinator_timer(&mut self, context: &mut ProcessContext<'_>) {
        self.memory.coordinator_armed = Micros::MAX;
        let mut output = CoordinatorOutput::default();
        while self.memory.coordinator.fire_deadline(context.now(), &mut output) {
            self.apply_coordinator(std::mem::take(&mut output), context);
        }
        self.arm_coordinator(context);
    }

    /// Sends, writes and tells what the coordinator wants; writing may make it want more.
    fn apply_coordinator(&mut self, output: CoordinatorOutput, context: &mut ProcessContext<'_>) {
        for event in output.events {
            context.trace(|| event);
        }
        for append in output.appends {
            let result = self.append_for_coordinator(&append, context);
            let mut next = CoordinatorOutput::default();
            let (now, id) = (context.now(), append.append_id);
            self.memory.coordinator.on_appended(now, append.partition, id, result, &mut next);
            self.apply_coordinator(next, context);
            // With one replica all is committed at once.
            if let Ok(offset) = result
                && let Some(id) = self.offsets_partition(append.partition)
                && let Some(partition) = self.partitions.get(&id)
                && partition.log.high_watermark() > offset
            {
                self.on_offsets_committed(id, partition.log.high_watermark(), context);
            }
        }
        for (token, response) in output.responses {
            let reply_to = ReplyTo { node: token.from, correlation_id: token.correlation_id };
            Self::reply(reply_to, response, context);
        }
        self.arm_coordinator(context);
    }

    fn offsets_partition(&self, partition: i32) -> Option<TopicIdPartition> {
        let topic_id = *self.image().topics_by_name.get(topic_names::CONSUMER_OFFSETS)?;
        Some(TopicIdPartition { topic_id, partition })
    }

    fn append_for_coordinator(
        &mut self,
        append: &CoordinatorAppend,
        context: &mut ProcessContext<'_>,
    ) -> Result<Offset, ErrorCode> {
        let id = self.offsets_partition(append.partition).ok_or(ErrorCode::NotLeaderOrFollower)?;
        let mut builder = RecordBatchBuilder::new(CompressionType::None);
        for (key, value) in &append.records {
            builder.append(append.timestamp, Some(key), value.as_deref(), &[]);
        }
        let batch = builder.build().map_err(|error| error.kind.error_code())?;
        let epoch = self.partitions.get(&id).map_or(-1, super::Partition::leader_epoch);
        let options =
            AppendOptions::coordinator(LeaderEpoch(epoch), crate::log::producer_state::TV_UNKNOWN);
        let appended = self.append_to_leader(id, &batch, -1, options, context);
        appended.map(|info| info.last_offset).map_err(|refusal| refusal.error)
    }

    fn arm_coordinator(&mut self, context: &mut ProcessContext<'_>) {
        if let Some(deadline) = self.memory.coordinator.next_deadline()
            && deadline < self.memory.coordinator_armed
        {
            self.memory.coordinator_armed = deadline;
            context.set_timer(Timer::Kafka(KafkaTimer::GroupCoordinator), deadline);
        }
    }
}
