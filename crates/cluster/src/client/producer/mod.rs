//! The producer: what happens between an application's `send` and the answer. Kafka: `KafkaProducer`, `Sender`.
//!
//! # Where to start
//! - [`accumulator`] gathers records in batches, [`sequences`] numbers them (idempotence), [`view`] is the cluster as both see it.
//! - This file is the application's side (calls wait in order, as a thread that blocks would) and the sender's.

pub mod accumulator;
pub mod batch;
mod config;
mod load;
mod observe;
pub mod sequences;
pub mod view;

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Io;
use super::api::{
    ClientCommand, ClientError, ClientNotice, ClientSpec, ProducerRecord, RecordMetadata,
};
use super::murmur2::{murmur2, partition_for_key};
use super::network::{Completion, Failure};
use super::partitioner::RoundRobinPartitioner;
use crate::event::ClusterEvent;
use crate::log::Batch;
use crate::protocol::{
    ErrorCode, InitProducerIdRequest, PartitionProduceData, PartitionProduceResponse,
    ProduceRequest, ProduceResponse, Response, TopicProduceData,
};
use crate::types::{BrokerId, PartitionIndex, TopicPartition};
use crate::uuid::Uuid;

use accumulator::{Accumulator, BufferExhausted};
use batch::{NewRecord, ProducerBatch};
use config::ProducerSettings;
use load::Load;
use sequences::Sequences;
use view::ClusterView;

const SENDER: &str = "org.apache.kafka.clients.producer.internals.Sender";

/// A call of the application. One at a time: it blocks its thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Call {
    Send { tag: u64, record: Box<ProducerRecord> },
    Flush,
    Close,
}

/// What the call in front waits for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting {
    since: Micros,
    /// The metadata was asked for when it had this version.
    asked_at_version: Option<u32>,
}

/// Everything the two threads of a producer share, once its settings are right.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Running {
    client_id: String,
    settings: ProducerSettings,
    accumulator: Accumulator,
    /// None without idempotence.
    sequences: Option<Sequences>,
    view: ClusterView,
    calls: VecDeque<Call>,
    waiting: Option<Waiting>,
    /// When each topic was last sent to.
    last_used: SortedMap<String, Micros>,
    round_robin: SortedMap<String, RoundRobinPartitioner>,
    /// By correlation id.
    in_flight: SortedMap<u32, Vec<ProducerBatch>>,
    init_producer_id: Option<u32>,
    init_retry_at: Micros,
    load: Option<Load>,
    closing: bool,
    next_check: Option<Micros>,
    /// A node with something to be sent to it could not be reached.
    node_missing: bool,
    warned_of_delivery_timeout: bool,
}

/// The state of a producer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Producer {
    state: Result<Box<Running>, ClientError>,
    told_of_failure: bool,
}

impl Producer {
    pub fn new(spec: &ClientSpec) -> Self {
        let state =
            ProducerSettings::of(spec).map(|settings| Box::new(Running::new(spec, settings)));
        Self { state, told_of_failure: false }
    }

    /// The settings are wrong; the owner is told once.
    pub fn is_refused(&self) -> bool {
        self.state.is_err()
    }

    /// What is wrong with the settings, in Kafka's words: the exception of the constructor.
    pub fn check(spec: &ClientSpec) -> Result<(), ClientError> {
        ProducerSettings::of(spec).map(|_| ())
    }

    pub fn command(&mut self, command: ClientCommand, io: &mut Io<'_, '_>) {
        let Ok(running) = &mut self.state else { return };
        match command {
            ClientCommand::Send { tag, record } => {
                running.calls.push_back(Call::Send { tag, record: Box::new(record) });
            }
            ClientCommand::Flush => running.calls.push_back(Call::Flush),
            ClientCommand::Close => running.calls.push_back(Call::Close),
            ClientCommand::Generate(load) => running.load = Some(Load::new(load, io.now())),
            _ => {}
        }
    }

    pub fn complete(&mut self, completion: Completion, io: &mut Io<'_, '_>) {
        if let Ok(running) = &mut self.state {
            running.complete(completion, io);
        }
    }

    pub fn poll(&mut self, io: &mut Io<'_, '_>) {
        match &mut self.state {
            Ok(running) => running.poll(io),
            Err(error) if !self.told_of_failure => {
                io.notify(ClientNotice::Failed(error.clone()));
                self.told_of_failure = true;
            }
            Err(_) => {}
        }
    }

    pub fn next_wake(&self, io: &Io<'_, '_>) -> Micros {
        self.state.as_ref().map_or(Micros::MAX, |running| running.next_wake(io))
    }
}

/// The answer to one batch, wherever it comes from.
struct Answer {
    error: ErrorCode,
    response: PartitionProduceResponse,
}

impl Answer {
    fn of(response: PartitionProduceResponse) -> Self {
        Self { error: ErrorCode::from_code(response.error_code), response }
    }

    fn failure(error: ErrorCode, message: String) -> Self {
        Self::of(PartitionProduceResponse {
            error_code: error.code(),
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            error_message: Some(message),
            ..Default::default()
        })
    }

    fn exception(&self) -> ClientError {
        ClientError::of(self.error, self.response.error_message.as_deref())
    }

    /// `NOT_ENOUGH_REPLICAS`, with the broker's own message if it gave one.
    fn text(&self) -> String {
        match self.response.error_message.as_deref() {
            None | Some("") => self.error.name().to_owned(),
            Some(message) => format!("{}. Error Message: {message}", self.error.name()),
        }
    }
}

impl Running {
    fn new(spec: &ClientSpec, settings: ProducerSettings) -> Self {
        Self {
            client_id: spec.client_id.clone(),
            accumulator: Accumulator::new(settings.accumulator.clone()),
            sequences: settings.idempotent.then(Sequences::default),
            settings,
            view: ClusterView::default(),
            calls: VecDeque::new(),
            waiting: None,
            last_used: SortedMap::new(),
            round_robin: SortedMap::new(),
            in_flight: SortedMap::new(),
            init_producer_id: None,
            init_retry_at: Micros::ZERO,
            load: None,
            closing: false,
            next_check: None,
            node_missing: false,
            warned_of_delivery_timeout: false,
        }
    }

    fn poll(&mut self, io: &mut Io<'_, '_>) {
        if let Some(ms) = self.settings.raised_delivery_timeout_ms
            && !std::mem::replace(&mut self.warned_of_delivery_timeout, true)
        {
            let text = format!(
                "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms. Setting it to {ms}."
            );
            io.log("WARN", &text, "org.apache.kafka.clients.producer.KafkaProducer");
        }
        self.forget_idle_topics(io);
        self.view.refresh(&io.network.metadata);
        loop {
            self.run_calls(io);
            self.generate(io);
            self.poll_sequences(io);
            if !self.send_ready(io) {
                break;
            }
        }
        self.expire(io);
        let drained = self.accumulator.is_empty() && self.in_flight.is_empty();
        if self.closing && drained && self.calls.is_empty() && self.load.is_none() {
            io.close();
        }
    }

    // The application's side.

    fn run_calls(&mut self, io: &mut Io<'_, '_>) {
        while let Some(call) = self.calls.pop_front() {
            let done = match &call {
                Call::Send { tag, record } => match self.try_send(*tag, record, io) {
                    Ok(done) => done,
                    Err(error) => {
                        io.notify(ClientNotice::Delivered { tag: *tag, result: Err(error) });
                        true
                    }
                },
                Call::Flush => {
                    self.accumulator.flushing = true;
                    let done = self.accumulator.is_empty() && self.in_flight.is_empty();
                    if done {
                        self.accumulator.flushing = self.closing;
                        io.notify(ClientNotice::Flushed);
                    }
                    done
                }
                Call::Close => {
                    self.closing = true;
                    self.accumulator.flushing = true;
                    true
                }
            };
            if !done {
                self.calls.push_front(call);
                break;
            }
            self.waiting = None;
        }
    }

    /// `KafkaProducer.send`: false while it must wait for metadata or memory.
    fn try_send(
        &mut self,
        tag: u64,
        record: &ProducerRecord,
        io: &mut Io<'_, '_>,
    ) -> Result<bool, ClientError> {
        if !self.await_metadata(&record.topic, record.partition, io)? {
            return Ok(false);
        }
        let key = record.key.as_deref();
        let new = NewRecord {
            timestamp: record.timestamp.unwrap_or_else(|| io.wall_clock_ms()),
            key,
            value: record.value.as_deref(),
            headers: &record.headers,
            tag: Some(tag),
        };
        self.append(&record.topic, record.partition, &new, io)
    }

    /// False while the topic (and the partition) is not known. Kafka: `waitOnMetadata`.
    fn await_metadata(
        &mut self,
        topic: &str,
        partition: Option<PartitionIndex>,
        io: &mut Io<'_, '_>,
    ) -> Result<bool, ClientError> {
        let now = io.now();
        let metadata = &mut io.network.metadata;
        let first = self.waiting.is_none();
        let Waiting { since, asked_at_version } =
            *self.waiting.get_or_insert(Waiting { since: now, asked_at_version: None });
        let invalid =
            metadata.topic_errors.get(topic) == Some(&ErrorCode::InvalidTopicException.code());
        if first && invalid {
            return Err(ClientError::of(ErrorCode::InvalidTopicException, Some(topic)));
        }
        if let Some(used) = self.last_used.get_mut(topic) {
            *used = now;
        } else {
            self.last_used.insert(topic.to_owned(), now);
        }
        let count = metadata.partition_count(topic);
        if count.is_some_and(|count| partition.is_none_or(|partition| partition < count)) {
            return Ok(true);
        }
        if asked_at_version.is_some_and(|version| metadata.update_version > version) && invalid {
            let message = format!("Invalid topics: [{topic}]");
            return Err(ClientError::of(ErrorCode::InvalidTopicException, Some(&message)));
        }
        if now >= since + self.settings.max_block {
            let ms = self.settings.max_block.as_ms();
            let message = match (partition, count) {
                (Some(partition), Some(count)) => format!(
                    "Partition {partition} of topic {topic} with partition count {count} is not present in metadata after {ms} ms."
                ),
                _ => format!("Topic {topic} not present in metadata after {ms} ms."),
            };
            return Err(ClientError::of(ErrorCode::RequestTimedOut, Some(&message)));
        }
        if asked_at_version.is_none_or(|version| metadata.update_version > version) {
            metadata.request_update_for_topic(topic);
            self.waiting = Some(Waiting { since, asked_at_version: Some(metadata.update_version) });
        }
        Ok(false)
    }

    /// Chooses the partition and appends; false while there is no memory.
    fn append(
        &mut self,
        topic: &str,
        partition: Option<PartitionIndex>,
        new: &NewRecord<'_>,
        io: &mut Io<'_, '_>,
    ) -> Result<bool, ClientError> {
        self.view.refresh(&io.network.metadata);
        let now = io.now();
        let Some(view) = self.view.topics.get(topic) else { return Ok(false) };
        let size = new.upper_bound();
        if size > self.settings.max_request_size {
            let max = self.settings.max_request_size;
            let message = format!(
                "The message is {size} bytes when serialized which is larger than {max}, which is the value of the max.request.size configuration."
            );
            return Err(ClientError::of(ErrorCode::MessageTooLarge, Some(&message)));
        }
        if u64::from(size) > self.settings.buffer_memory {
            let message = format!(
                "The message is {size} bytes when serialized which is larger than the total memory buffer you have configured with the buffer.memory configuration."
            );
            return Err(ClientError::of(ErrorCode::MessageTooLarge, Some(&message)));
        }
        let (mut chosen, mut hash) = (partition, None);
        if chosen.is_none() {
            if self.settings.round_robin {
                let robin = self.round_robin.entry(topic.to_owned()).or_default();
                chosen = Some(robin.next(&view.partitions));
            } else if let Some(key) = new.key.filter(|_| !self.settings.ignore_keys) {
                chosen = Some(partition_for_key(key, view.partitions.count));
                hash = Some(key);
            }
        }
        match self.accumulator.append(topic, view, chosen, new, now, io.context.random()) {
            Ok(appended) => {
                self.accumulator.exhausted = false;
                let client_id = &self.client_id;
                io.context.trace(|| ClusterEvent::Partitioned {
                    client_id: client_id.clone(),
                    partition: TopicPartition::new(topic, appended.partition),
                    hash: hash.map(|key| murmur2(key) as u32),
                });
                Ok(true)
            }
            Err(BufferExhausted(size)) => {
                self.accumulator.exhausted = true;
                let since = self.waiting.map_or(now, |waiting| waiting.since);
                if new.tag.is_none() || now < since + self.settings.max_block {
                    return Ok(false);
                }
                self.accumulator.exhausted = false;
                Err(self.buffer_exhausted(size))
            }
        }
    }

    fn buffer_exhausted(&self, size: u32) -> ClientError {
        let total = self.settings.buffer_memory;
        let available = self.accumulator.available_memory();
        ClientError {
            code: -1,
            exception: "org.apache.kafka.clients.producer.BufferExhaustedException".to_owned(),
            message: format!(
                "Failed to allocate {size} bytes within the configured max blocking time {} ms. Total memory: {total} bytes. Available memory: {available} bytes. Poolable size: {} bytes",
                self.settings.max_block.as_ms(),
                self.settings.accumulator.batch_size,
            ),
        }
    }

    fn forget_idle_topics(&mut self, io: &mut Io<'_, '_>) {
        let (now, idle) = (io.now(), self.settings.metadata_max_idle);
        let accumulator = &self.accumulator;
        self.last_used.retain(|topic, used| {
            let keep = now.since(*used) <= idle || accumulator.has_batches(topic);
            if !keep {
                io.network.metadata.forget_topic(topic);
            }
            keep
        });
    }

    // The sender's side.

    fn poll_sequences(&mut self, io: &mut Io<'_, '_>) {
        let Some(sequences) = &mut self.sequences else { return };
        sequences.resolve();
        for partition in sequences.bump_epoch_if_needed() {
            let in_flight = self.in_flight.values_mut().flatten();
            let unanswered = in_flight.filter(|batch| batch.partition == partition && !batch.done);
            let waiting =
                self.accumulator.waiting(&partition).filter(|batch| batch.state.is_some());
            let mut batches: Vec<&mut ProducerBatch> = unanswered.chain(waiting).collect();
            sequences.start_at_beginning(&partition, &mut batches);
        }
        if sequences.id().is_some()
            || self.init_producer_id.is_some()
            || self.init_retry_at > io.now()
        {
            return;
        }
        if let Some(node) = io.any_ready_node() {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                producer_id: -1,
                producer_epoch: -1,
            };
            let timeout = self.settings.request_timeout;
            self.init_producer_id = Some(io.request(node, request.into(), timeout));
        }
    }

    /// Sends what can be sent. True if memory has come free meanwhile, so that the application may go on.
    fn send_ready(&mut self, io: &mut Io<'_, '_>) -> bool {
        let now = io.now();
        let mut freed = false;
        loop {
            let ready = self.accumulator.ready(&self.view, now);
            self.next_check = ready.next_check;
            self.node_missing = false;
            if !ready.unknown_leader_topics.is_empty() {
                for topic in &ready.unknown_leader_topics {
                    io.network.metadata.add_topic(topic);
                }
                io.network.metadata.request_update(false);
            }
            let mut sent = false;
            for node in ready.nodes {
                let reached = io.network.ready(node, io.context);
                self.accumulator.update_node_latency(node, now, reached);
                if !reached {
                    self.node_missing = true;
                    continue;
                }
                let max_size = self.settings.max_request_size;
                match self.accumulator.drain(
                    &self.view,
                    node,
                    max_size,
                    now,
                    self.sequences.as_mut(),
                ) {
                    Ok(drained) if drained.is_empty() => {}
                    Ok(drained) => {
                        sent = true;
                        freed |= self.settings.acks == 0;
                        self.send_produce(node, drained, io);
                    }
                    // Only a build without the codec gets here; the batch is gone, its owner is told.
                    Err(error) => {
                        let error = ClientError::of(
                            ErrorCode::UnsupportedCompressionType,
                            Some(&error.message),
                        );
                        io.notify(ClientNotice::Failed(error));
                    }
                }
            }
            if !sent {
                return freed;
            }
        }
    }

    fn send_produce(
        &mut self,
        node: BrokerId,
        drained: Vec<(ProducerBatch, Batch)>,
        io: &mut Io<'_, '_>,
    ) {
        let mut topic_data: Vec<TopicProduceData> = Vec::new();
        let mut batches = Vec::with_capacity(drained.len());
        for (batch, built) in drained {
            let topic = &batch.partition.topic;
            let data =
                PartitionProduceData { index: batch.partition.partition, records: Some(built) };
            match topic_data.iter_mut().find(|known| known.name == *topic) {
                Some(known) => known.partition_data.push(data),
                None => topic_data.push(TopicProduceData {
                    name: topic.clone(),
                    topic_id: self.view.topics.get(topic).map(|topic| topic.id).unwrap_or_default(),
                    partition_data: vec![data],
                }),
            }
            if self.settings.guarantee_message_order && self.settings.acks != 0 {
                self.accumulator.mute(&batch.partition);
            }
            batches.push(batch);
        }
        let request = ProduceRequest {
            transactional_id: None,
            acks: self.settings.acks,
            timeout_ms: self.settings.request_timeout.as_ms() as i32,
            topic_data,
        };
        if self.settings.acks != 0 {
            let id = io.request(node, request.into(), self.settings.request_timeout);
            self.in_flight.insert(id, batches);
            return;
        }
        io.network.send_oneway(node, request.into(), io.context);
        for batch in batches {
            let answer = Answer::of(PartitionProduceResponse {
                base_offset: -1,
                log_append_time_ms: -1,
                ..Default::default()
            });
            self.finish(batch, &answer, io);
        }
    }

    fn complete(&mut self, completion: Completion, io: &mut Io<'_, '_>) {
        let Completion { correlation_id, node, result } = completion;
        if self.init_producer_id == Some(correlation_id) {
            self.init_producer_id = None;
            match (result, &mut self.sequences) {
                (Ok(Response::InitProducerId(response)), Some(sequences))
                    if response.error_code == 0 =>
                {
                    sequences.set_id(response.producer_id, response.producer_epoch);
                }
                _ => {
                    let backoff = self.settings.accumulator.retry_backoff;
                    self.init_retry_at = io.now() + backoff.backoff(0, io.context.random());
                }
            }
            return;
        }
        let Some(mut batches) = self.in_flight.remove(&correlation_id) else { return };
        let failure = match result {
            Ok(Response::Produce(response)) => {
                self.produced(correlation_id, &mut batches, *response, io);
                Answer::failure(ErrorCode::UnknownServerError, String::new())
            }
            Ok(_) => Answer::failure(ErrorCode::UnknownServerError, String::new()),
            Err(Failure::TimedOut) => Answer::failure(
                ErrorCode::RequestTimedOut,
                format!("Disconnected from node {node} due to timeout"),
            ),
            Err(Failure::Disconnected) => Answer::failure(
                ErrorCode::NetworkException,
                format!("Disconnected from node {node}"),
            ),
        };
        // Those that a response did not speak of, or all.
        for batch in batches {
            self.answered(correlation_id, batch, &failure, io);
        }
    }

    fn produced(
        &mut self,
        correlation_id: u32,
        batches: &mut Vec<ProducerBatch>,
        response: ProduceResponse,
        io: &mut Io<'_, '_>,
    ) {
        let ProduceResponse { responses, node_endpoints, .. } = response;
        for topic in responses {
            let name = if topic.topic_id == Uuid::default() {
                topic.name
            } else {
                let known = self.view.topics.iter().find(|(_, view)| view.id == topic.topic_id);
                known.map_or(topic.name, |(name, _)| name.clone())
            };
            for response in topic.partition_responses {
                let of = |batch: &ProducerBatch| {
                    batch.partition.partition == response.index && batch.partition.topic == name
                };
                let Some(at) = batches.iter().position(of) else { continue };
                let batch = batches.remove(at);
                let partition = batch.partition.clone();
                let answer = Answer::of(response);
                self.answered(correlation_id, batch, &answer, io);
                if let Some(leader) = &answer.response.current_leader {
                    io.network.metadata.update_leader(&partition, leader, &node_endpoints);
                    self.view.refresh(&io.network.metadata);
                }
            }
        }
    }

    /// One batch has its answer. Kafka: `Sender.completeBatch`.
    fn answered(
        &mut self,
        correlation_id: u32,
        mut batch: ProducerBatch,
        answer: &Answer,
        io: &mut Io<'_, '_>,
    ) {
        let now = io.now();
        let error = answer.error;
        let partition = batch.partition.clone();
        if self.settings.guarantee_message_order {
            self.accumulator.unmute(&partition);
        }
        let left = i64::from(self.settings.retries) - i64::from(batch.attempts);
        if error == ErrorCode::MessageTooLarge && batch.record_count > 1 && !batch.done {
            let text = format!(
                "Got error produce response in correlation id {correlation_id} on topic-partition {partition}, splitting and retrying ({left} attempts left). Error: {}",
                answer.text()
            );
            io.log("WARN", &text, SENDER);
            if let Some(sequences) = &mut self.sequences {
                sequences.untrack(&batch);
            }
            if let Err(error) =
                self.accumulator.split_and_reenqueue(&mut batch, self.sequences.as_mut())
            {
                let answer = Answer::failure(ErrorCode::CorruptMessage, error.message);
                self.finish(batch, &answer, io);
                return;
            }
            self.accumulator.deallocate(&mut batch);
            return;
        }
        if error == ErrorCode::None || error == ErrorCode::DuplicateSequenceNumber {
            if let Some(sequences) = &mut self.sequences {
                sequences.completed(&batch, answer.response.base_offset);
            }
            self.finish(batch, answer, io);
            return;
        }
        let in_time =
            !batch.has_reached_delivery_timeout(self.settings.accumulator.delivery_timeout, now);
        let retriable = match &mut self.sequences {
            _ if !in_time || left <= 0 || batch.done => false,
            Some(sequences) => sequences.can_retry(&batch, error, &answer.response),
            None => error.is_retriable(),
        };
        if retriable {
            let text = format!(
                "Got error produce response with correlation id {correlation_id} on topic-partition {partition}, retrying ({} attempts left). Error: {}",
                left - 1,
                answer.text()
            );
            io.log("WARN", &text, SENDER);
            let client_id = &self.client_id;
            io.context.trace(|| ClusterEvent::Retrying {
                client_id: client_id.clone(),
                partition: partition.clone(),
                error_code: error.code(),
            });
            self.accumulator.reenqueue(batch, now, io.context.random());
        } else {
            self.fail(batch, answer, left > 0, io);
        }
        if error.is_invalid_metadata() {
            let text = if error == ErrorCode::UnknownTopicOrPartition {
                format!(
                    "Received unknown topic or partition error in produce request on partition {partition}. The topic-partition may not exist or the user may not have Describe access to it"
                )
            } else {
                let ClientError { exception, message, .. } = answer.exception();
                format!(
                    "Received invalid metadata error in produce request on partition {partition} due to {exception}: {message} Going to request metadata update now"
                )
            };
            io.log("WARN", &text, SENDER);
            io.network.metadata.request_update(false);
        }
    }

    fn fail(
        &mut self,
        batch: ProducerBatch,
        answer: &Answer,
        adjust_sequences: bool,
        io: &mut Io<'_, '_>,
    ) {
        if let Some(sequences) = &mut self.sequences
            && !batch.done
        {
            if answer.error == ErrorCode::OutOfOrderSequenceNumber
                && let Some(state) = batch.state
            {
                let ClientError { exception, message, .. } = answer.exception();
                let text = format!(
                    "The broker returned {exception}: {message} for topic-partition {} with producerId {}, epoch {}, and sequence number {}",
                    batch.partition, state.producer_id, state.epoch, state.base_sequence
                );
                io.log(
                    "ERROR",
                    &text,
                    "org.apache.kafka.clients.producer.internals.TransactionManager",
                );
            }
            sequences.failed(&batch, answer.error, adjust_sequences);
        }
        self.finish(batch, answer, io);
    }

    /// Tells the owner of each record, and gives the memory back.
    fn finish(&mut self, mut batch: ProducerBatch, answer: &Answer, io: &mut Io<'_, '_>) {
        self.accumulator.deallocate(&mut batch);
        if !std::mem::replace(&mut batch.done, true) {
            self.tell(&batch, answer, io);
        }
    }

    fn tell(&mut self, batch: &ProducerBatch, answer: &Answer, io: &mut Io<'_, '_>) {
        let generated = u64::from(batch.record_count) - batch.thunks.len() as u64;
        let client_id = &self.client_id;
        let partition = &batch.partition;
        // The broker has the batch already: as good as written.
        let written = matches!(answer.error, ErrorCode::None | ErrorCode::DuplicateSequenceNumber);
        if let Some(load) = &mut self.load {
            load.answered(generated, written);
        }
        if written {
            let PartitionProduceResponse { base_offset, log_append_time_ms, .. } = answer.response;
            let records = batch.record_count;
            io.context.trace(|| ClusterEvent::Acknowledged {
                client_id: client_id.clone(),
                partition: partition.clone(),
                base_offset,
                records,
            });
            for (index, thunk) in batch.thunks.iter().enumerate() {
                let offset = if base_offset < 0 { -1 } else { base_offset + index as i64 };
                let timestamp =
                    if log_append_time_ms < 0 { thunk.timestamp } else { log_append_time_ms };
                let result = Ok(RecordMetadata { partition: partition.clone(), offset, timestamp });
                io.notify(ClientNotice::Delivered { tag: thunk.tag, result });
            }
            return;
        }
        let exception = answer.exception();
        io.context.trace(|| ClusterEvent::DeliveryFailed {
            client_id: client_id.clone(),
            partition: partition.clone(),
            records: batch.record_count,
            error: exception.message.clone(),
        });
        for (index, thunk) in batch.thunks.iter().enumerate() {
            let error = record_exception(answer, index).unwrap_or_else(|| exception.clone());
            io.notify(ClientNotice::Delivered { tag: thunk.tag, result: Err(error) });
        }
    }

    /// Gives up what has waited longer than `delivery.timeout.ms`, sent or not.
    fn expire(&mut self, io: &mut Io<'_, '_>) {
        let now = io.now();
        let timeout = self.settings.accumulator.delivery_timeout;
        for batch in self.accumulator.take_expired(now) {
            let answer = expired(&batch, now);
            self.give_up(&batch);
            self.finish(batch, &answer, io);
        }
        let late =
            |batch: &ProducerBatch| !batch.done && batch.has_reached_delivery_timeout(timeout, now);
        // In flight they keep their memory until the request has ended.
        for mut batches in std::mem::take(&mut self.in_flight) {
            for batch in batches.1.iter_mut().filter(|batch| late(batch)) {
                let answer = expired(batch, now);
                self.give_up(batch);
                self.tell(batch, &answer, io);
                batch.done = true;
            }
            self.in_flight.insert(batches.0, batches.1);
        }
    }

    fn give_up(&mut self, batch: &ProducerBatch) {
        if let Some(sequences) = &mut self.sequences {
            sequences.failed(batch, ErrorCode::RequestTimedOut, false);
            if batch.attempts > 0 {
                sequences.mark_unresolved(batch);
            }
        }
    }

    fn next_wake(&self, io: &Io<'_, '_>) -> Micros {
        let now = io.now();
        let timeout = self.settings.accumulator.delivery_timeout;
        let mut wake = self.next_check.unwrap_or(Micros::MAX);
        let in_flight = self.in_flight.values().flatten().filter(|batch| !batch.done);
        let expiries =
            in_flight.map(|batch| batch.created + timeout).chain(self.accumulator.next_expiry());
        wake = wake.min(expiries.min().unwrap_or(Micros::MAX));
        if let Some(waiting) = self.waiting {
            wake = wake.min(waiting.since + self.settings.max_block);
        }
        if let Some(load) = &self.load {
            wake = wake.min(load.next_wake(now));
        }
        let wants_id = self.sequences.as_ref().is_some_and(|sequences| sequences.id().is_none());
        if wants_id && self.init_producer_id.is_none() {
            wake = wake.min(if self.init_retry_at > now {
                self.init_retry_at
            } else {
                io.network.next_retry(now)
            });
        }
        if self.node_missing {
            wake = wake.min(io.network.next_retry(now));
        }
        wake
    }
}

fn expired(batch: &ProducerBatch, now: Micros) -> Answer {
    let message = format!(
        "Expiring {} record(s) for {}:{} ms has passed since batch creation. The request has not been sent, or no server response has been received yet.",
        batch.record_count,
        batch.partition,
        now.since(batch.created).as_ms()
    );
    Answer::failure(ErrorCode::RequestTimedOut, message)
}

/// What one record of a refused batch is told, if the broker said which records were at fault.
fn record_exception(answer: &Answer, index: usize) -> Option<ClientError> {
    let errors = &answer.response.record_errors;
    if errors.is_empty() {
        return None;
    }
    let Some(at_fault) = errors.iter().find(|error| error.batch_index as usize == index) else {
        return Some(ClientError {
            code: -1,
            exception: "org.apache.kafka.common.KafkaException".to_owned(),
            message: "Failed to append record because it was part of a batch which had one more more invalid records"
                .to_owned(),
        });
    };
    let message =
        at_fault.batch_index_error_message.as_deref().or(answer.response.error_message.as_deref());
    // With several at fault the partition's one error code does not tell which kind each is of.
    let error = if errors.len() == 1 { answer.error } else { ErrorCode::InvalidRecord };
    Some(ClientError::of(error, Some(message.unwrap_or(answer.error.message()))))
}
