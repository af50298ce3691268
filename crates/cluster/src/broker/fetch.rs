//! Fetch (API key 1): consumers and followers read; without enough to read they wait.
//!
//! An answer is sent when `min.bytes` are there, at an error or a diverging epoch, or when `max.wait.ms` is over.
//! Kafka: `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`, `DelayedFetch`.

use simulation::{Micros, NodeId};

use super::fetch_session::{CachedPartition, FetchSession, PendingFetch, SessionKey};
use super::partition::{Partition, TopicIdPartition};
use super::{KafkaNode, KafkaTimer, PurgatoryKey, ReplyTo};
use crate::log::{Batch, FetchDataInfo, FetchIsolation};
use crate::protocol::{
    AbortedTransaction, EpochEndOffset, ErrorCode, FetchPartitionData, FetchRequest, FetchResponse,
    FetchableTopicResponse, NodeEndpoint,
};
use crate::types::BrokerId;
use crate::world::ProcessContext;

/// Epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request without a session; with a session id it closes that one.
const FINAL_EPOCH: i32 = -1;
/// `fetch.max.bytes` of the broker.
const FETCH_MAX_BYTES: i32 = 57_671_680;

/// What is to be said about one partition at present.
enum Readable {
    Error(ErrorCode),
    Diverging(EpochEndOffset),
    /// A consumer in a rack of its own is better served elsewhere (KIP-392).
    Elsewhere(BrokerId),
    /// Something (or, empty, nothing) to read.
    Data(FetchDataInfo),
}

impl KafkaNode {
    pub(super) fn handle_fetch(
        &mut self,
        reply_to: ReplyTo,
        request: FetchRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let now = context.now();
        let replica = &request.replica_state;
        let follower =
            (replica.replica_id >= 0).then_some((replica.replica_id, replica.replica_epoch));
        let key = match self.fetch_session(reply_to.node, follower, &request, context) {
            Ok(key) => key,
            Err(error) => {
                let response =
                    FetchResponse { error_code: error.code(), ..FetchResponse::default() };
                return Self::reply(reply_to, response, context);
            }
        };
        for topic in request.forgotten_topics_data {
            for partition in topic.partitions {
                self.unwatch(key, TopicIdPartition { topic_id: topic.topic_id, partition });
            }
        }
        for topic in request.topics {
            for wanted in topic.partitions {
                let id = TopicIdPartition { topic_id: topic.topic_id, partition: wanted.partition };
                if let Some(session) = self.memory.sessions.get_mut(key) {
                    session.want(id, wanted);
                }
                if let Some(partition) = self.partitions.get_mut(&id) {
                    partition.watchers.insert(key);
                }
            }
        }
        if let Some((broker, broker_epoch)) = follower {
            self.note_follower_fetch(key, broker, broker_epoch, context);
        }
        let pending = PendingFetch {
            reply_to,
            min_bytes: request.min_bytes.max(0) as u32,
            max_bytes: request.max_bytes.clamp(0, FETCH_MAX_BYTES) as u32,
            isolation_level: request.isolation_level,
            rack_id: if self.selects_by_rack() { request.rack_id } else { String::new() },
            full: request.session_epoch <= INITIAL_EPOCH,
            session_id: if key > 0 { key as i32 } else { 0 },
            deadline: now + Micros::from_ms(request.max_wait_ms.max(0) as u64),
        };
        let deadline = pending.deadline;
        let Some(session) = self.memory.sessions.get_mut(key) else { return };
        // A client that asks again has given up its previous request.
        let replaced = session.pending.replace(pending);
        if let Some(replaced) = replaced {
            self.memory.purgatory.remove(replaced.deadline, PurgatoryKey::Fetch(key));
        }
        if !self.try_complete_fetch(key, context) {
            let timer = KafkaTimer::Purgatory;
            self.memory.purgatory.insert(deadline, PurgatoryKey::Fetch(key), timer, context);
        }
    }

    /// Whether `replica.selector.class` sends consumers to the closest replica.
    fn selects_by_rack(&self) -> bool {
        let class = self.broker_setting("replica.selector.class");
        class.is_some_and(|class| class.ends_with(".RackAwareReplicaSelector"))
    }

    /// The session that the request opens, continues, or does without.
    fn fetch_session(
        &mut self,
        peer: NodeId,
        follower: Option<(BrokerId, i64)>,
        request: &FetchRequest,
        context: &mut ProcessContext<'_>,
    ) -> Result<SessionKey, ErrorCode> {
        let now = context.now();
        if request.session_epoch > INITIAL_EPOCH {
            return self.memory.sessions.resume(
                request.session_id,
                request.session_epoch,
                peer,
                now,
            );
        }
        if request.session_id != 0 {
            self.close_session(i64::from(request.session_id));
        }
        if follower.is_some() {
            // A follower has one session; what it opened before it gave up.
            self.close_sessions_of(peer);
        }
        let session = FetchSession::new(peer, follower, now);
        if request.session_epoch == FINAL_EPOCH {
            return Ok(self.memory.sessions.one_off(session));
        }
        let mut id = 0;
        while id == 0 || self.memory.sessions.contains_id(id) {
            id = context.random().below(i32::MAX as u64) as i32;
        }
        let (key, evicted) = self.memory.sessions.create(id, session, now);
        if let Some((key, session)) = evicted {
            self.unwatch_all(key, &session);
        }
        Ok(key)
    }

    fn unwatch(&mut self, key: SessionKey, id: TopicIdPartition) {
        if let Some(session) = self.memory.sessions.get_mut(key) {
            session.forget(id);
        }
        if let Some(partition) = self.partitions.get_mut(&id) {
            partition.watchers.remove(&key);
        }
    }

    fn unwatch_all(&mut self, key: SessionKey, session: &FetchSession) {
        for id in session.partitions.keys() {
            if let Some(partition) = self.partitions.get_mut(id) {
                partition.watchers.remove(&key);
            }
        }
    }

    fn close_session(&mut self, key: SessionKey) {
        if let Some(session) = self.memory.sessions.remove(key) {
            if let Some(pending) = &session.pending {
                self.memory.purgatory.remove(pending.deadline, PurgatoryKey::Fetch(key));
            }
            self.unwatch_all(key, &session);
        }
    }

    /// The connection is gone: what the peer had open here is, too. (Kafka keeps idle sessions for a while; a client
    /// that comes back opens a new one either way.)
    pub(super) fn close_sessions_of(&mut self, peer: NodeId) {
        for key in self.memory.sessions.of_peer(peer) {
            self.close_session(key);
        }
    }

    /// Takes note of how far a follower is, of everything that has changed since its last fetch.
    fn note_follower_fetch(
        &mut self,
        key: SessionKey,
        broker: BrokerId,
        broker_epoch: i64,
        context: &mut ProcessContext<'_>,
    ) {
        let now = context.now();
        let stale = self
            .controller
            .image()
            .brokers
            .get(&broker)
            .is_some_and(|known| broker_epoch != -1 && known.epoch > broker_epoch);
        if stale {
            return;
        }
        let me = self.me();
        let Some(session) = self.memory.sessions.get(key) else { return };
        let wanted: Vec<_> = session
            .dirty()
            .into_iter()
            .filter_map(|id| session.partitions.get(&id).map(|cached| (id, cached.wanted.clone())))
            .collect();
        for (id, wanted) in wanted {
            let Some(partition) = self.partitions.get_mut(&id) else { continue };
            let in_range = wanted.fetch_offset <= partition.log.log_end_offset()
                && wanted.fetch_offset >= partition.log.log_start_offset();
            if !partition.is_leader()
                || partition.check_leader_epoch(wanted.current_leader_epoch).is_err()
                || !in_range
                || diverging_epoch(partition, &wanted).is_some()
            {
                continue;
            }
            let (offset, start) = (wanted.fetch_offset, wanted.log_start_offset);
            if !partition.update_follower(broker, broker_epoch, offset, start, now) {
                continue;
            }
            let image = self.controller.image();
            let proposal = partition.maybe_expand_isr(broker, me, image);
            let moved = partition.maybe_increment_high_watermark(now, image);
            if let Some(proposal) = proposal {
                self.submit_alter_partition(id, proposal, context);
            }
            self.after_high_watermark(id, moved, context);
            self.after_follower_log_start(id, context);
        }
        self.memory.last_fetches.insert(broker, now);
    }

    /// Answers the session's waiting fetch if it can be. Kafka: `DelayedFetch.tryComplete`.
    pub(super) fn try_complete_fetch(
        &mut self,
        key: SessionKey,
        context: &mut ProcessContext<'_>,
    ) -> bool {
        let Some(session) = self.memory.sessions.get_mut(key) else { return false };
        let Some(pending) = session.pending.clone() else { return false };
        let follower = session.follower.map(|(id, _)| id);
        let mut ready = pending.deadline <= context.now()
            || pending.min_bytes == 0
            || session.partitions.is_empty();
        let mut bytes = 0;
        for id in session.dirty() {
            if ready {
                break;
            }
            let Some(cached) = session.partitions.get(&id) else { continue };
            let limit =
                (cached.wanted.partition_max_bytes.max(0) as u32).min(pending.min_bytes - bytes);
            let partition = self.partitions.get_mut(&id);
            match read(partition, self.controller.image(), cached, &pending, follower, limit, true)
            {
                Readable::Data(found) => bytes += found.size_in_bytes,
                _ => ready = true,
            }
            ready |= bytes >= pending.min_bytes;
        }
        if ready {
            self.complete_fetch(key, context);
        }
        ready
    }

    /// Answers the session's waiting fetch with whatever there is.
    pub(super) fn complete_fetch(&mut self, key: SessionKey, context: &mut ProcessContext<'_>) {
        let Some(session) = self.memory.sessions.get_mut(key) else { return };
        let Some(pending) = session.pending.take() else { return };
        self.memory.purgatory.remove(pending.deadline, PurgatoryKey::Fetch(key));
        let follower = session.follower.map(|(id, _)| id);
        let mut left = pending.max_bytes;
        let mut first = true;
        let mut responses: Vec<FetchableTopicResponse> = Vec::new();
        let mut leaders: Vec<BrokerId> = Vec::new();
        for id in session.dirty() {
            let Some(cached) = session.partitions.get(&id) else { continue };
            let limit = (cached.wanted.partition_max_bytes.max(0) as u32).min(left);
            let mut partition = self.partitions.get_mut(&id);
            let found = read(
                partition.as_deref_mut(),
                self.controller.image(),
                cached,
                &pending,
                follower,
                limit,
                first,
            );
            let (mut data, keep) = describe(partition.as_deref(), id, found, follower);
            let size: u32 = data.records.iter().map(Batch::size_in_bytes).sum();
            first &= size == 0;
            left = left.saturating_sub(size);
            let changed = data.high_watermark != cached.sent_high_watermark
                || data.log_start_offset != cached.sent_log_start_offset;
            let told = size > 0
                || data.error_code != 0
                || data.diverging_epoch.is_some()
                || data.preferred_read_replica >= 0
                || changed
                || pending.full;
            if let Some(cached) = session.partitions.get_mut(&id) {
                cached.sent_high_watermark = data.high_watermark;
                cached.sent_log_start_offset = data.log_start_offset;
            }
            if size > 0 {
                session.move_to_back(id);
            } else if !keep && left > 0 {
                session.mark_clean(id);
            }
            if !told {
                continue;
            }
            if let Some(leader) = &data.current_leader {
                if leader.leader_id >= 0 {
                    leaders.push(leader.leader_id);
                } else {
                    data.current_leader = None;
                }
            }
            if responses.last().is_none_or(|topic| topic.topic_id != id.topic_id) {
                responses
                    .push(FetchableTopicResponse { topic_id: id.topic_id, partitions: Vec::new() });
            }
            responses.last_mut().expect("just pushed").partitions.push(data);
        }
        let response = FetchResponse {
            session_id: pending.session_id,
            responses,
            node_endpoints: self.endpoints_of(leaders),
            ..FetchResponse::default()
        };
        if key < 0 {
            self.close_session(key);
        }
        Self::reply(pending.reply_to, response, context);
    }

    /// Where these brokers are, for answers that name new leaders (KIP-951).
    pub(super) fn endpoints_of(&self, mut brokers: Vec<BrokerId>) -> Vec<NodeEndpoint> {
        simulation::sorted::sort(&mut brokers);
        brokers.dedup();
        brokers
            .into_iter()
            .filter_map(|id| self.controller.image().brokers.get(&id))
            .map(|broker| NodeEndpoint {
                node_id: broker.id,
                host: broker.host.clone(),
                port: broker.port,
                rack: broker.rack.clone(),
            })
            .collect()
    }
}

/// Where the follower's history leaves this one's, if it does. `Err(())` where the epoch is unknown here.
fn diverging_epoch(
    partition: &Partition,
    wanted: &crate::protocol::FetchPartition,
) -> Option<Result<EpochEndOffset, ErrorCode>> {
    if wanted.last_fetched_epoch < 0 {
        return None;
    }
    let (epoch, end_offset) = partition.end_offset_for_epoch(wanted.last_fetched_epoch);
    if end_offset < 0 || epoch < 0 || wanted.fetch_offset < partition.log.log_start_offset() {
        return Some(Err(ErrorCode::OffsetOutOfRange));
    }
    let diverges = epoch < wanted.last_fetched_epoch || end_offset < wanted.fetch_offset;
    diverges.then_some(Ok(EpochEndOffset { epoch, end_offset }))
}

/// Reads one partition for a session. Kafka: `Partition.fetchRecords`.
fn read(
    partition: Option<&mut Partition>,
    image: &crate::controller::image::MetadataImage,
    cached: &CachedPartition,
    pending: &PendingFetch,
    follower: Option<BrokerId>,
    limit: u32,
    first: bool,
) -> Readable {
    let wanted = &cached.wanted;
    let Some(partition) = partition else { return Readable::Error(ErrorCode::UnknownTopicId) };
    if let Err(error) = partition.check_leader_epoch(wanted.current_leader_epoch) {
        return Readable::Error(error);
    }
    match (follower, partition.role()) {
        (_, super::partition::Role::None) => {
            return Readable::Error(ErrorCode::NotLeaderOrFollower);
        }
        (Some(_), super::partition::Role::Follower) => {
            return Readable::Error(ErrorCode::NotLeaderOrFollower);
        }
        (Some(id), super::partition::Role::Leader(_)) if !partition.is_replica(id) => {
            return Readable::Error(ErrorCode::UnknownLeaderEpoch);
        }
        _ => {}
    }
    match diverging_epoch(partition, wanted) {
        Some(Ok(diverging)) => return Readable::Diverging(diverging),
        Some(Err(error)) => return Readable::Error(error),
        None => {}
    }
    if follower.is_none()
        && partition.is_leader()
        && let Some(other) = super::replica_selector::preferred_read_replica(
            partition,
            image,
            pending,
            wanted.fetch_offset,
        )
    {
        return Readable::Elsewhere(other);
    }
    let isolation = match (follower, pending.isolation_level) {
        (Some(_), _) => FetchIsolation::LogEnd,
        (None, 1) => FetchIsolation::TxnCommitted,
        (None, _) => FetchIsolation::HighWatermark,
    };
    match partition.log.read(wanted.fetch_offset, limit, isolation, first) {
        Ok(found) => Readable::Data(found),
        Err(error) => Readable::Error(error.kind.error_code()),
    }
}

/// The partition's part of the answer, and whether it must be looked at again even if nothing happens.
fn describe(
    partition: Option<&Partition>,
    id: TopicIdPartition,
    found: Readable,
    follower: Option<BrokerId>,
) -> (FetchPartitionData, bool) {
    let mut data = FetchPartitionData {
        partition_index: id.partition,
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        preferred_read_replica: -1,
        ..FetchPartitionData::default()
    };
    if let Some(partition) = partition
        && !matches!(found, Readable::Error(_))
    {
        data.high_watermark = partition.log.high_watermark();
        data.last_stable_offset = partition.log.last_stable_offset();
        data.log_start_offset = partition.log.log_start_offset();
    }
    // A follower outside of the ISR is looked at with each of its fetches: it may join at any time.
    let waits_to_join = follower
        .zip(partition)
        .is_some_and(|(id, partition)| partition.is_leader() && !partition.is_in_sync(id));
    let keep = match found {
        Readable::Error(error) => {
            data.error_code = error.code();
            if matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
                data.current_leader = partition.map(Partition::current_leader);
            }
            true
        }
        Readable::Diverging(epoch) => {
            data.diverging_epoch = Some(epoch);
            true
        }
        Readable::Elsewhere(broker) => {
            data.preferred_read_replica = broker;
            true
        }
        Readable::Data(found) => {
            data.records = found.batches;
            data.aborted_transactions = found
                .aborted_transactions
                .iter()
                .map(|aborted| AbortedTransaction {
                    producer_id: aborted.producer_id,
                    first_offset: aborted.first_offset,
                })
                .collect();
            waits_to_join
        }
    };
    (data, keep)
}
