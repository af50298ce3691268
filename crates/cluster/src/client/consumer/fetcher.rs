//! Fetching ahead of the application, and handing over what was fetched. Kafka: `AbstractFetch`, `FetchCollector`, `CompletedFetch`.

use std::collections::VecDeque;

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::Io;
use super::super::api::{ClientError, ConsumerRecord};
use super::super::network::Failure;
use super::session::{FINAL_EPOCH, FetchSession};
use super::settings::ConsumerSettings;
use super::subscription::{FetchState, Position, Subscriptions};
use super::{KAFKA_ERRORS, error};
use crate::event::ClusterEvent;
use crate::log::{Batch, TimestampType};
use crate::protocol::{
    AbortedTransaction, ErrorCode, FetchPartition, FetchPartitionData, FetchRequest, FetchResponse,
    ReplicaState, Response,
};
use crate::types::{BrokerId, Offset, TopicPartition};
use crate::uuid::Uuid;

const FETCH_LOGGER: &str = "org.apache.kafka.clients.consumer.internals.FetchCollector";
/// How long a follower is preferred: `metadata.max.age.ms`' default.
const PREFERRED_REPLICA_LEASE: Micros = Micros::from_secs(300);

/// One partition's part of a response, not yet handed over in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CompletedFetch {
    partition: TopicPartition,
    /// What was asked for.
    fetch_offset: Offset,
    /// The next record to hand over.
    next_offset: Offset,
    next_epoch: i32,
    data: FetchPartitionData,
    batches: VecDeque<Batch>,
    /// Aborted transactions that begin further on, in order.
    aborted: VecDeque<AbortedTransaction>,
    aborted_producers: SortedSet<i64>,
    /// Errors and watermarks were dealt with.
    initialized: bool,
    node: BrokerId,
}

/// A fetch on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct InFlight {
    node: BrokerId,
    /// What was asked of each partition, by topic id and index.
    offsets: SortedMap<(Uuid, i32), (TopicPartition, Offset)>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fetcher {
    sessions: SortedMap<BrokerId, FetchSession>,
    in_flight: SortedMap<u32, InFlight>,
    completed: VecDeque<CompletedFetch>,
}

impl Fetcher {
    /// Sends one fetch to every node that has something to be fetched and no fetch on its way.
    pub fn send_fetches(
        &mut self,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let mut wanted: SortedMap<BrokerId, Vec<(TopicPartition, Uuid, FetchPartition)>> =
            SortedMap::new();
        for partition in self.fetchable(subscriptions, io) {
            let Some(topic_id) = io.network.metadata.topic(&partition.topic).map(|topic| topic.id)
            else {
                continue;
            };
            let Some((leader, leader_epoch)) =
                io.network.metadata.leader(&partition.topic, partition.partition)
            else {
                io.network.metadata.request_update(false);
                continue;
            };
            let Some(state) = subscriptions.get_mut(&partition) else { continue };
            let Some(position) = state.position else { continue };
            let preferred = state.preferred_read_replica.filter(|(_, until)| *until > io.now());
            let node = match preferred {
                Some((replica, _)) if io.network.metadata.brokers.contains_key(&replica) => replica,
                _ => leader,
            };
            let data = FetchPartition {
                partition: partition.partition,
                current_leader_epoch: leader_epoch,
                fetch_offset: position.offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: settings.max_partition_fetch_bytes,
                high_watermark: i64::MAX,
            };
            wanted.entry(node).or_default().push((partition, topic_id, data));
        }
        let busy: SortedSet<BrokerId> = self.in_flight.values().map(|fetch| fetch.node).collect();
        for (node, partitions) in wanted {
            if busy.contains(&node) || !io.network.ready(node, io.context) {
                continue;
            }
            let offsets = partitions
                .iter()
                .map(|(partition, id, data)| {
                    ((*id, partition.partition), (partition.clone(), data.fetch_offset))
                })
                .collect();
            let mut request = FetchRequest {
                replica_state: ReplicaState { replica_id: -1, replica_epoch: -1 },
                max_wait_ms: settings.fetch_max_wait_ms,
                min_bytes: settings.fetch_min_bytes,
                max_bytes: settings.fetch_max_bytes,
                isolation_level: i8::from(settings.read_committed),
                session_id: 0,
                session_epoch: 0,
                topics: Vec::new(),
                forgotten_topics_data: Vec::new(),
                rack_id: settings.rack.clone(),
            };
            self.sessions.entry(node).or_default().build(&mut request, partitions);
            let id = io.request(node, request.into(), settings.request_timeout);
            self.in_flight.insert(id, InFlight { node, offsets });
        }
    }

    /// Partitions with a position and nothing buffered.
    fn fetchable(&self, subscriptions: &Subscriptions, io: &Io<'_, '_>) -> Vec<TopicPartition> {
        let version = io.network.metadata.update_version;
        subscriptions
            .states()
            .filter(|(partition, state)| {
                state.state == FetchState::Fetching
                    && state.awaits_metadata_after.is_none_or(|known| version > known)
                    && !self.completed.iter().any(|fetch| fetch.partition == **partition)
            })
            .map(|(partition, _)| partition.clone())
            .collect()
    }

    /// Whether something could be fetched but for its node, which cannot be reached now.
    pub fn waits_for_node(&self, subscriptions: &Subscriptions, io: &Io<'_, '_>) -> bool {
        let busy: SortedSet<BrokerId> = self.in_flight.values().map(|fetch| fetch.node).collect();
        self.fetchable(subscriptions, io).iter().any(|partition| {
            let leader = io.network.metadata.leader(&partition.topic, partition.partition);
            leader.is_some_and(|(leader, _)| !busy.contains(&leader))
        })
    }

    /// Takes the answer if the request was a fetch.
    pub fn complete(
        &mut self,
        correlation_id: u32,
        result: &Result<Response, Failure>,
        subscriptions: &mut Subscriptions,
    ) -> bool {
        let Some(fetch) = self.in_flight.remove(&correlation_id) else { return false };
        let session = self.sessions.entry(fetch.node).or_default();
        let Ok(Response::Fetch(response)) = result else {
            session.on_failure();
            // The follower is not to be relied upon.
            for (partition, _) in fetch.offsets.values() {
                if let Some(state) = subscriptions.get_mut(partition) {
                    state.preferred_read_replica = None;
                }
            }
            return true;
        };
        if session.on_response(ErrorCode::from_code(response.error_code), response.session_id) {
            self.take(&fetch, response);
        }
        true
    }

    fn take(&mut self, fetch: &InFlight, response: &FetchResponse) {
        for topic in &response.responses {
            for data in &topic.partitions {
                let Some((partition, fetch_offset)) =
                    fetch.offsets.get(&(topic.topic_id, data.partition_index))
                else {
                    continue;
                };
                let mut aborted: Vec<AbortedTransaction> = data.aborted_transactions.clone();
                simulation::sorted::sort_by_key(&mut aborted, |transaction| {
                    transaction.first_offset
                });
                let mut data = data.clone();
                let batches = std::mem::take(&mut data.records).into();
                self.completed.push_back(CompletedFetch {
                    partition: partition.clone(),
                    fetch_offset: *fetch_offset,
                    next_offset: *fetch_offset,
                    next_epoch: -1,
                    data,
                    batches,
                    aborted: aborted.into(),
                    aborted_producers: SortedSet::new(),
                    initialized: false,
                    node: fetch.node,
                });
            }
        }
    }

    /// Up to `max` records in the order in which they were fetched; positions move behind them.
    pub fn collect(
        &mut self,
        max: u32,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) -> Result<Vec<ConsumerRecord>, ClientError> {
        let mut records: Vec<ConsumerRecord> = Vec::new();
        while (records.len() as u64) < u64::from(max) {
            let Some(mut fetch) = self.completed.pop_front() else { break };
            if !fetch.initialized {
                match initialize(&mut fetch, subscriptions, settings, io) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    // What was collected goes first; the error comes with the next call.
                    Err(failure) if records.is_empty() => return Err(failure),
                    Err(_) => {
                        fetch.initialized = false;
                        self.completed.push_front(fetch);
                        break;
                    }
                }
            }
            let position =
                subscriptions.get(&fetch.partition).and_then(|state| match state.state {
                    FetchState::Fetching => state.position,
                    _ => None,
                });
            // Revoked, or sought elsewhere meanwhile.
            let Some(position) = position.filter(|position| position.offset == fetch.next_offset)
            else {
                continue;
            };
            let room = u64::from(max) - records.len() as u64;
            let drained = fetch.drain(room, settings, &mut records)?;
            let moved = Position {
                offset: fetch.next_offset,
                offset_epoch: if fetch.next_epoch >= 0 {
                    fetch.next_epoch
                } else {
                    position.offset_epoch
                },
                ..position
            };
            if let Some(state) = subscriptions.get_mut(&fetch.partition) {
                state.position = Some(moved);
            }
            if moved.offset > position.offset {
                let client_id = io.network.config().client_id.clone();
                let partition = fetch.partition.clone();
                io.context.trace(|| ClusterEvent::Consumed {
                    client_id,
                    partition,
                    from: position.offset,
                    to: moved.offset,
                });
            }
            if !drained {
                self.completed.push_front(fetch);
            }
        }
        Ok(records)
    }

    /// Whether anything waits to be handed over.
    pub fn has_completed(&self) -> bool {
        !self.completed.is_empty()
    }

    /// Drops what was fetched of partitions that are no longer read.
    pub fn retain(&mut self, subscriptions: &Subscriptions) {
        self.completed.retain(|fetch| subscriptions.is_assigned(&fetch.partition));
    }

    /// Drops what was fetched of one partition.
    pub fn forget(&mut self, partition: &TopicPartition) {
        self.completed.retain(|fetch| fetch.partition != *partition);
    }

    /// Tells every node that its session is over.
    pub fn close_sessions(&mut self, io: &mut Io<'_, '_>) {
        let sessions: Vec<(BrokerId, i32)> = self
            .sessions
            .iter()
            .filter_map(|(node, session)| Some((*node, session.open_id()?)))
            .collect();
        for (node, session_id) in sessions {
            if io.network.can_send(node) {
                let request = FetchRequest {
                    replica_state: ReplicaState { replica_id: -1, replica_epoch: -1 },
                    session_id,
                    session_epoch: FINAL_EPOCH,
                    ..FetchRequest::default()
                };
                io.network.send_oneway(node, request.into(), io.context);
            }
        }
        self.sessions.clear();
    }
}

/// Deals with errors and watermarks of a response; whether there may be records in it.
fn initialize(
    fetch: &mut CompletedFetch,
    subscriptions: &mut Subscriptions,
    settings: &ConsumerSettings,
    io: &mut Io<'_, '_>,
) -> Result<bool, ClientError> {
    let partition = fetch.partition.clone();
    let version = io.network.metadata.update_version;
    let Some(state) = subscriptions.get_mut(&partition) else { return Ok(false) };
    if state.state != FetchState::Fetching
        || state.position.is_none_or(|position| position.offset != fetch.fetch_offset)
    {
        return Ok(false);
    }
    fetch.initialized = true;
    match ErrorCode::from_code(fetch.data.error_code) {
        ErrorCode::None => {
            state.high_watermark = Some(fetch.data.high_watermark);
            if fetch.data.preferred_read_replica >= 0 {
                let until = io.now() + PREFERRED_REPLICA_LEASE;
                state.preferred_read_replica = Some((fetch.data.preferred_read_replica, until));
            }
            Ok(!fetch.batches.is_empty())
        }
        ErrorCode::NotLeaderOrFollower
        | ErrorCode::ReplicaNotAvailable
        | ErrorCode::KafkaStorageError
        | ErrorCode::FencedLeaderEpoch
        | ErrorCode::OffsetNotAvailable => {
            state.preferred_read_replica = None;
            let told = fetch.data.current_leader.clone();
            let known = told
                .is_some_and(|leader| io.network.metadata.update_leader(&partition, &leader, &[]));
            if !known {
                state.awaits_metadata_after = Some(version);
            }
            io.network.metadata.request_update(false);
            Ok(false)
        }
        error @ (ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::InconsistentTopicId) => {
            let what = match error {
                ErrorCode::UnknownTopicOrPartition => "unknown topic or partition",
                ErrorCode::UnknownTopicId => "unknown topic ID",
                _ => "inconsistent topic ID",
            };
            state.preferred_read_replica = None;
            state.awaits_metadata_after = Some(version);
            io.network.metadata.request_update(false);
            let text = format!("Received {what} error in fetch for partition {partition}");
            io.log("WARN", &text, FETCH_LOGGER);
            Ok(false)
        }
        ErrorCode::OffsetOutOfRange => {
            // A follower may just not be as far as the leader.
            if state.preferred_read_replica.take().is_some_and(|(replica, _)| replica == fetch.node)
            {
                return Ok(false);
            }
            let Some(strategy) = settings.reset else {
                return Err(error(
                    "org.apache.kafka.clients.consumer.OffsetOutOfRangeException",
                    &format!(
                        "Fetch position FetchPosition{{offset={}, offsetEpoch=Optional.empty, currentLeader=LeaderAndEpoch{{leader=Optional.empty, epoch=absent}}}} is out of range for partition {partition}",
                        fetch.fetch_offset
                    ),
                ));
            };
            subscriptions.request_reset(&partition, strategy);
            Ok(false)
        }
        ErrorCode::TopicAuthorizationFailed => Err(error(
            &format!("{KAFKA_ERRORS}.TopicAuthorizationException"),
            &format!("Not authorized to access topics: [{}]", partition.topic),
        )),
        ErrorCode::CorruptMessage => Err(error(
            "org.apache.kafka.common.KafkaException",
            &format!(
                "Encountered corrupt message when fetching offset {} for topic-partition {partition}",
                fetch.fetch_offset
            ),
        )),
        _ => {
            state.awaits_metadata_after = Some(version);
            io.network.metadata.request_update(false);
            Ok(false)
        }
    }
}

impl CompletedFetch {
    /// Hands over up to `room` records; true when nothing is left.
    fn drain(
        &mut self,
        room: u64,
        settings: &ConsumerSettings,
        records: &mut Vec<ConsumerRecord>,
    ) -> Result<bool, ClientError> {
        let full = records.len() as u64 + room;
        while let Some(batch) = self.batches.front() {
            if settings.check_crcs && !batch.is_valid() {
                return Err(self.broken(&format!(
                    "Record batch for partition {} at offset {} is invalid, cause: Record is corrupt",
                    self.partition,
                    batch.base_offset()
                )));
            }
            let batch = batch.clone();
            if !self.skips(&batch, settings) {
                let parsed = batch.records().map_err(|error| self.broken(&error.message))?;
                let log_append_time = batch.timestamp_type() == TimestampType::LogAppendTime;
                for record in &parsed {
                    let record = record.map_err(|error| self.broken(&error.message))?;
                    if record.offset < self.next_offset {
                        continue;
                    }
                    if records.len() as u64 == full {
                        return Ok(false);
                    }
                    records.push(ConsumerRecord {
                        topic: self.partition.topic.clone(),
                        partition: self.partition.partition,
                        offset: record.offset,
                        leader_epoch: batch.partition_leader_epoch(),
                        timestamp: record.timestamp,
                        log_append_time,
                        key: record.key.map(Into::into),
                        value: record.value.map(Into::into),
                        headers: record
                            .headers()
                            .into_iter()
                            .map(|(key, value)| (key.into_owned(), value.map(Into::into)))
                            .collect(),
                    });
                    self.next_offset = record.offset + 1;
                    self.next_epoch = batch.partition_leader_epoch().0;
                }
            }
            // A batch may end with offsets that compaction took away.
            self.next_offset = self.next_offset.max(batch.next_offset());
            self.batches.pop_front();
        }
        Ok(true)
    }

    /// Markers are never handed over, and with read_committed nothing of an aborted transaction is.
    fn skips(&mut self, batch: &Batch, settings: &ConsumerSettings) -> bool {
        if settings.read_committed && batch.has_producer_id() {
            while self.aborted.front().is_some_and(|next| next.first_offset <= batch.last_offset())
            {
                if let Some(transaction) = self.aborted.pop_front() {
                    self.aborted_producers.insert(transaction.producer_id);
                }
            }
            if batch.is_control_batch() {
                self.aborted_producers.remove(&batch.producer_id());
            } else if batch.is_transactional()
                && self.aborted_producers.contains(&batch.producer_id())
            {
                return true;
            }
        }
        batch.is_control_batch()
    }

    fn broken(&self, message: &str) -> ClientError {
        let text = format!(
            "Received exception when fetching the next record from {}. If needed, please seek past the record to continue consumption.",
            self.partition
        );
        error("org.apache.kafka.common.KafkaException", &format!("{text} ({message})"))
    }
}
