//! How a follower follows: one fetch loop per leader, over an incremental fetch session.
//!
//! Each answer is appended, the high watermark taken over, and the next fetch sent at once; the leader holds a fetch
//! that has nothing to fetch for `replica.fetch.wait.max.ms`. Where histories differ the leader's answer says where, and
//! the follower truncates. Kafka: `ReplicaFetcherThread`, `AbstractFetcherThread`, `FetchSessionHandler`.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::outbound::Purpose;
use super::partition::{Role, TopicIdPartition};
use super::{KafkaNode, KafkaTimer};
use crate::event::ClusterEvent;
use crate::protocol::{
    EpochEndOffset, ErrorCode, FetchPartition, FetchPartitionData, FetchRequest, FetchResponse,
    FetchTopic, ForgottenTopic, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, Listener, ReplicaState,
};
use crate::types::{BrokerId, LeaderEpoch, Offset, TopicPartition};
use crate::world::{ProcessContext, Timer};

/// `replica.fetch.wait.max.ms`
const FETCH_WAIT_MAX_MS: i32 = 500;
/// `replica.fetch.min.bytes`
const FETCH_MIN_BYTES: i32 = 1;
/// `replica.fetch.max.bytes`
const FETCH_MAX_BYTES: i32 = 1_048_576;
/// `replica.fetch.response.max.bytes`
const FETCH_RESPONSE_MAX_BYTES: i32 = 10_485_760;
/// `replica.fetch.backoff.ms`
const FETCH_BACKOFF: Micros = Micros::from_ms(1_000);
/// `replica.socket.timeout.ms`
const SOCKET_TIMEOUT: Micros = Micros::from_ms(30_000);
/// ListOffsets: the end and the start of the log.
const LATEST_TIMESTAMP: i64 = -1;
const EARLIEST_TIMESTAMP: i64 = -2;

/// A question about a leader's log after OFFSET_OUT_OF_RANGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowerOffsets {
    leader: BrokerId,
    id: TopicIdPartition,
    leader_epoch: i32,
    /// `LATEST_TIMESTAMP` first, then perhaps `EARLIEST_TIMESTAMP`.
    timestamp: i64,
}

/// The fetch loop from one leader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicaFetcher {
    /// Partitions followed here, and until when each is left alone after an error.
    partitions: SortedMap<TopicIdPartition, Option<Micros>>,
    /// What the leader's session holds.
    in_session: SortedSet<TopicIdPartition>,
    /// What the next request must name, or forget.
    changed: SortedSet<TopicIdPartition>,
    session_id: i32,
    session_epoch: i32,
    in_flight: bool,
}

impl KafkaNode {
    /// Follows `leader` for this partition, and nobody else.
    pub(super) fn follow(&mut self, id: TopicIdPartition, leader: BrokerId) {
        self.unfollow(id);
        let fetcher = self.memory.fetchers.entry(leader).or_default();
        fetcher.partitions.insert(id, None);
        fetcher.changed.insert(id);
        self.memory.fetchers_to_run.insert(leader);
    }

    /// Follows nobody for this partition.
    pub(super) fn unfollow(&mut self, id: TopicIdPartition) {
        for fetcher in self.memory.fetchers.values_mut() {
            if fetcher.partitions.remove(&id).is_some() {
                fetcher.changed.insert(id);
            }
        }
    }

    /// Sends the next fetch to each leader that has none on its way and something to be asked.
    pub(super) fn run_fetchers(&mut self, context: &mut ProcessContext<'_>) {
        for leader in std::mem::take(&mut self.memory.fetchers_to_run) {
            self.run_fetcher(leader, context);
        }
    }

    fn run_fetcher(&mut self, leader: BrokerId, context: &mut ProcessContext<'_>) {
        let Some(fetcher) = self.memory.fetchers.get_mut(&leader) else { return };
        if fetcher.in_flight {
            return;
        }
        if fetcher.partitions.is_empty() {
            // The idle loop ends; the leader drops the session with the connection or when it needs the room.
            self.memory.fetchers.remove(&leader);
            return;
        }
        let new_session = fetcher.session_id == 0;
        if new_session {
            fetcher.in_session.clear();
            fetcher.changed = fetcher.partitions.keys().copied().collect();
        }
        let mut topics: Vec<FetchTopic> = Vec::new();
        let mut forgotten: Vec<ForgottenTopic> = Vec::new();
        for id in std::mem::take(&mut fetcher.changed) {
            let fetchable = fetcher.partitions.get(&id).is_some_and(Option::is_none);
            let partition = self.partitions.get(&id).filter(|_| fetchable);
            let Some(partition) = partition.filter(|partition| partition.leader() == leader) else {
                if fetcher.in_session.remove(&id) {
                    if forgotten.last().is_none_or(|topic| topic.topic_id != id.topic_id) {
                        forgotten
                            .push(ForgottenTopic { topic_id: id.topic_id, partitions: Vec::new() });
                    }
                    forgotten.last_mut().expect("just pushed").partitions.push(id.partition);
                }
                continue;
            };
            fetcher.in_session.insert(id);
            if topics.last().is_none_or(|topic| topic.topic_id != id.topic_id) {
                topics.push(FetchTopic { topic_id: id.topic_id, partitions: Vec::new() });
            }
            topics.last_mut().expect("just pushed").partitions.push(FetchPartition {
                partition: id.partition,
                current_leader_epoch: partition.leader_epoch(),
                fetch_offset: partition.log.log_end_offset(),
                last_fetched_epoch: partition.log.latest_epoch().map_or(-1, |epoch| epoch.0),
                log_start_offset: partition.log.log_start_offset(),
                partition_max_bytes: FETCH_MAX_BYTES,
                high_watermark: partition.log.high_watermark(),
            });
        }
        if fetcher.in_session.is_empty() && new_session {
            // All partitions wait after errors; the timer comes back here.
            return;
        }
        fetcher.in_flight = true;
        let request = FetchRequest {
            replica_state: ReplicaState {
                replica_id: self.identity.id,
                replica_epoch: self.memory.lifecycle.broker_epoch(),
            },
            max_wait_ms: FETCH_WAIT_MAX_MS,
            min_bytes: FETCH_MIN_BYTES,
            max_bytes: FETCH_RESPONSE_MAX_BYTES,
            isolation_level: 0,
            session_id: fetcher.session_id,
            session_epoch: fetcher.session_epoch,
            topics,
            forgotten_topics_data: forgotten,
            rack_id: String::new(),
        };
        let purpose = Purpose::ReplicaFetch(leader);
        self.memory.outbound.send(
            leader,
            Listener::Broker,
            request.into(),
            purpose,
            SOCKET_TIMEOUT,
            context,
        );
    }

    /// The leader did not answer: all its partitions are left alone for a while, then a new session is opened.
    pub(super) fn on_replica_fetch_failure(
        &mut self,
        leader: BrokerId,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(fetcher) = self.memory.fetchers.get_mut(&leader) else { return };
        fetcher.in_flight = false;
        fetcher.session_id = 0;
        fetcher.session_epoch = 0;
        let until = context.now() + FETCH_BACKOFF;
        for delay in fetcher.partitions.values_mut() {
            *delay = Some(until);
        }
        Self::arm_fetch_backoff(leader, until, context);
        self.memory.fetchers_to_run.insert(leader);
    }

    fn arm_fetch_backoff(leader: BrokerId, until: Micros, context: &mut ProcessContext<'_>) {
        let timer = Timer::Kafka(KafkaTimer::FetchBackoff(leader));
        if !context.has_timer(&timer) {
            context.set_timer(timer, until);
        }
    }

    /// Leaves one partition alone for a while.
    fn delay_partition(
        &mut self,
        leader: BrokerId,
        id: TopicIdPartition,
        context: &mut ProcessContext<'_>,
    ) {
        let until = context.now() + FETCH_BACKOFF;
        let fetcher = self.memory.fetchers.entry(leader).or_default();
        if let Some(delay) = fetcher.partitions.get_mut(&id) {
            *delay = Some(until);
            fetcher.changed.insert(id);
            Self::arm_fetch_backoff(leader, until, context);
        }
    }

    pub(super) fn on_fetch_backoff(&mut self, leader: BrokerId, context: &mut ProcessContext<'_>) {
        let now = context.now();
        let Some(fetcher) = self.memory.fetchers.get_mut(&leader) else { return };
        let mut next = Micros::MAX;
        for (id, delay) in &mut fetcher.partitions {
            match *delay {
                Some(until) if until <= now => {
                    *delay = None;
                    fetcher.changed.insert(*id);
                }
                Some(until) => next = next.min(until),
                None => {}
            }
        }
        if next < Micros::MAX {
            Self::arm_fetch_backoff(leader, next, context);
        }
        self.memory.fetchers_to_run.insert(leader);
    }

    pub(super) fn on_replica_fetch_response(
        &mut self,
        leader: BrokerId,
        response: FetchResponse,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(fetcher) = self.memory.fetchers.get_mut(&leader) else { return };
        fetcher.in_flight = false;
        self.memory.fetchers_to_run.insert(leader);
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {}
            // The leader has forgotten the session: a new one is opened at once.
            ErrorCode::FetchSessionIdNotFound | ErrorCode::InvalidFetchSessionEpoch => {
                fetcher.session_id = 0;
                fetcher.session_epoch = 0;
                return;
            }
            _ => return self.on_replica_fetch_failure(leader, context),
        }
        fetcher.session_id = response.session_id;
        fetcher.session_epoch = match (response.session_id, fetcher.session_epoch) {
            (0, _) => 0,
            (_, i32::MAX) => 1,
            (_, epoch) => epoch + 1,
        };
        for topic in response.responses {
            for data in topic.partitions {
                let id =
                    TopicIdPartition { topic_id: topic.topic_id, partition: data.partition_index };
                self.take_fetched(leader, id, data, context);
            }
        }
    }

    /// One partition's part of an answer. Kafka: `processFetchRequest`, `processPartitionData`.
    fn take_fetched(
        &mut self,
        leader: BrokerId,
        id: TopicIdPartition,
        data: FetchPartitionData,
        context: &mut ProcessContext<'_>,
    ) {
        let followed =
            self.memory.fetchers.get(&leader).and_then(|fetcher| fetcher.partitions.get(&id));
        // What was asked for under another leader, or is left alone meanwhile, is of no use.
        if !matches!(followed, Some(None)) {
            return;
        }
        match ErrorCode::from_code(data.error_code) {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                return self.ask_leader_offsets(leader, id, LATEST_TIMESTAMP, context);
            }
            // Newer metadata is on its way and restarts the fetching.
            _ => return self.delay_partition(leader, id, context),
        }
        if let Some(diverging) = data.diverging_epoch {
            return self.truncate_to_divergence(leader, id, &diverging, context);
        }
        let wall_clock_ms = self.wall_clock_ms(context.now());
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        if !matches!(partition.role(), Role::Follower) {
            return;
        }
        let old_end = partition.log.log_end_offset();
        let segments = partition.log.number_of_segments();
        // A batch that begins below the log's start (the leader's start is inside of it) opens an empty log anew.
        if let Some(first) = data.records.first()
            && old_end == partition.log.log_start_offset()
            && first.base_offset() < old_end
            && first.last_offset() >= old_end
        {
            partition.log.truncate_fully_and_start_at(first.base_offset(), wall_clock_ms);
        }
        let epoch = LeaderEpoch(partition.leader_epoch());
        let appended = if data.records.is_empty() {
            None
        } else {
            match partition.log.append_as_follower(&data.records, epoch, wall_clock_ms) {
                Ok(appended) => appended,
                Err(_) => return self.delay_partition(leader, id, context),
            }
        };
        let old_high_watermark = partition.log.high_watermark();
        // A follower takes over its leader's, as far as its own log goes.
        let high_watermark =
            partition.log.update_high_watermark(data.high_watermark.max(old_high_watermark));
        let raised = data.log_start_offset <= high_watermark
            && partition
                .log
                .maybe_increment_log_start_offset(data.log_start_offset)
                .unwrap_or(false);
        if (appended.is_some() || raised)
            && let Some(fetcher) = self.memory.fetchers.get_mut(&leader)
        {
            fetcher.changed.insert(id);
        }
        if let Some(info) = appended {
            self.tell_appended(id, info.first_offset, info.last_offset, segments, context);
        }
        self.after_high_watermark(id, high_watermark > old_high_watermark, context);
    }

    /// Drops what the leader does not have. Kafka: `getOffsetTruncationState`.
    fn truncate_to_divergence(
        &mut self,
        leader: BrokerId,
        id: TopicIdPartition,
        diverging: &EpochEndOffset,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        let end = partition.log.log_end_offset();
        let offset = match partition.log.end_offset_for_epoch(LeaderEpoch(diverging.epoch)) {
            _ if diverging.end_offset < 0 => partition.log.high_watermark(),
            // The epoch is not known here: go back to where the one before it ends, and ask again.
            Some((epoch, own_end)) if epoch.0 != diverging.epoch => own_end.min(end),
            Some((_, own_end)) => own_end.min(diverging.end_offset).min(end),
            None => diverging.end_offset.min(end),
        };
        self.truncate(id, offset, context);
        if let Some(fetcher) = self.memory.fetchers.get_mut(&leader) {
            fetcher.changed.insert(id);
        }
    }

    fn truncate(&mut self, id: TopicIdPartition, offset: Offset, context: &mut ProcessContext<'_>) {
        let wall_clock_ms = self.wall_clock_ms(context.now());
        let me = self.identity.id;
        let Some(partition) = self.partitions.get_mut(&id) else { return };
        if partition.log.truncate_to(offset, wall_clock_ms) {
            let topic = &partition.topic;
            context.trace(|| ClusterEvent::Truncated {
                partition: TopicPartition::new(topic.clone(), id.partition),
                broker: me,
                to: offset,
            });
        }
    }

    /// The fetch offset is outside of the leader's log: where does that begin and end?
    fn ask_leader_offsets(
        &mut self,
        leader: BrokerId,
        id: TopicIdPartition,
        timestamp: i64,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(partition) = self.partitions.get(&id) else { return };
        let leader_epoch = partition.leader_epoch();
        let question = ListOffsetsPartition {
            partition_index: id.partition,
            current_leader_epoch: leader_epoch,
            timestamp,
        };
        let request = ListOffsetsRequest {
            replica_id: self.identity.id,
            isolation_level: 0,
            topics: vec![ListOffsetsTopic {
                name: partition.topic.clone(),
                partitions: vec![question],
            }],
            timeout_ms: SOCKET_TIMEOUT.as_ms() as i32,
        };
        // Left alone until the answer is here.
        if let Some(fetcher) = self.memory.fetchers.get_mut(&leader) {
            fetcher.partitions.insert(id, Some(Micros::MAX));
            fetcher.changed.insert(id);
        }
        let question = FollowerOffsets { leader, id, leader_epoch, timestamp };
        let purpose = Purpose::FollowerOffsets(question);
        self.memory.outbound.send(
            leader,
            Listener::Broker,
            request.into(),
            purpose,
            SOCKET_TIMEOUT,
            context,
        );
    }

    /// Kafka: `fetchOffsetAndTruncate`.
    pub(super) fn on_leader_offsets(
        &mut self,
        question: FollowerOffsets,
        response: Option<&ListOffsetsResponse>,
        context: &mut ProcessContext<'_>,
    ) {
        let FollowerOffsets { leader, id, leader_epoch, timestamp } = question;
        let Some(partition) = self.partitions.get(&id) else { return };
        if partition.leader_epoch() != leader_epoch || partition.leader() != leader {
            return;
        }
        let answer = response
            .and_then(|response| response.topics.first())
            .and_then(|topic| topic.partitions.first())
            .filter(|answer| answer.error_code == ErrorCode::None.code());
        let Some(answer) = answer else {
            return self.delay_partition(leader, id, context);
        };
        let end = partition.log.log_end_offset();
        if timestamp == LATEST_TIMESTAMP && answer.offset >= end {
            return self.ask_leader_offsets(leader, id, EARLIEST_TIMESTAMP, context);
        }
        if timestamp == LATEST_TIMESTAMP {
            self.truncate(id, answer.offset, context);
        } else if answer.offset > end {
            let wall_clock_ms = self.wall_clock_ms(context.now());
            if let Some(partition) = self.partitions.get_mut(&id) {
                partition.log.truncate_fully_and_start_at(answer.offset, wall_clock_ms);
            }
        }
        if let Some(fetcher) = self.memory.fetchers.get_mut(&leader) {
            fetcher.partitions.insert(id, None);
            fetcher.changed.insert(id);
        }
        self.memory.fetchers_to_run.insert(leader);
    }
}
