//! Incremental fetch sessions (KIP-227): what a consumer or follower reads from this broker, remembered between requests.
//!
//! A session also remembers which of its partitions may have something new (`dirty`), so that a fetch costs only what
//! changed and a quiet one costs nothing; Kafka reads all of a session's partitions each time, with the same answers.
//! Kafka: `FetchSession`, `FetchSessionCache`, `FetchManager`, `DelayedFetch`.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::{Micros, NodeId};

use super::ReplyTo;
use super::partition::TopicIdPartition;
use crate::protocol::{ErrorCode, FetchPartition};
use crate::types::{BrokerId, Offset};

/// `max.incremental.fetch.session.cache.slots`
const CACHE_SLOTS: usize = 1_000;
/// `min.incremental.fetch.session.eviction.ms`
const MIN_EVICTION: Micros = Micros::from_ms(120_000);

/// A session's number among all of this process; ids on the wire are positive, one-off fetches count down from -1.
pub type SessionKey = i64;

/// A partition of a session: what the client wants and what it was last told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedPartition {
    /// Place in the order of serving; who was served goes to the back.
    turn: u64,
    pub wanted: FetchPartition,
    pub sent_high_watermark: Offset,
    pub sent_log_start_offset: Offset,
}

/// A fetch that waits in the purgatory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingFetch {
    pub reply_to: ReplyTo,
    pub min_bytes: u32,
    pub max_bytes: u32,
    pub isolation_level: i8,
    pub rack_id: String,
    /// All partitions are answered, not only the changed ones.
    pub full: bool,
    pub session_id: i32,
    pub deadline: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FetchSession {
    pub peer: NodeId,
    /// Broker id and epoch of a follower.
    pub follower: Option<(BrokerId, i64)>,
    /// The epoch the next request must have.
    next_epoch: i32,
    pub partitions: SortedMap<TopicIdPartition, CachedPartition>,
    dirty: SortedSet<(u64, TopicIdPartition)>,
    next_turn: u64,
    last_used: Micros,
    pub pending: Option<PendingFetch>,
}

impl FetchSession {
    pub fn new(peer: NodeId, follower: Option<(BrokerId, i64)>, now: Micros) -> Self {
        Self {
            peer,
            follower,
            next_epoch: 1,
            partitions: SortedMap::new(),
            dirty: SortedSet::new(),
            next_turn: 0,
            last_used: now,
            pending: None,
        }
    }

    /// Adds a partition or takes new wishes for it; it is read with the next answer. True if it is new.
    pub fn want(&mut self, id: TopicIdPartition, wanted: FetchPartition) -> bool {
        if let Some(cached) = self.partitions.get_mut(&id) {
            cached.wanted = wanted;
            let turn = cached.turn;
            self.dirty.insert((turn, id));
            return false;
        }
        let turn = self.take_turn();
        let cached =
            CachedPartition { turn, wanted, sent_high_watermark: -1, sent_log_start_offset: -1 };
        self.partitions.insert(id, cached);
        self.dirty.insert((turn, id));
        true
    }

    pub fn forget(&mut self, id: TopicIdPartition) -> bool {
        let Some(cached) = self.partitions.remove(&id) else { return false };
        self.dirty.remove(&(cached.turn, id));
        true
    }

    /// The partition may have something new.
    pub fn mark_dirty(&mut self, id: TopicIdPartition) {
        if let Some(cached) = self.partitions.get(&id) {
            self.dirty.insert((cached.turn, id));
        }
    }

    /// The partition has nothing new.
    pub fn mark_clean(&mut self, id: TopicIdPartition) {
        if let Some(cached) = self.partitions.get(&id) {
            self.dirty.remove(&(cached.turn, id));
        }
    }

    /// The partition was served data: others come first next time. It stays dirty until it is read empty.
    pub fn move_to_back(&mut self, id: TopicIdPartition) {
        let turn = self.take_turn();
        if let Some(cached) = self.partitions.get_mut(&id) {
            let was_dirty = self.dirty.remove(&(cached.turn, id));
            cached.turn = turn;
            if was_dirty {
                self.dirty.insert((turn, id));
            }
        }
    }

    /// What may have something new, in order of serving.
    pub fn dirty(&self) -> Vec<TopicIdPartition> {
        self.dirty.iter().map(|(_, id)| *id).collect()
    }

    fn take_turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    /// Checks a request's epoch and expects the next one.
    fn advance(&mut self, epoch: i32, now: Micros) -> Result<(), ErrorCode> {
        if epoch != self.next_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        self.next_epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
        self.last_used = now;
        Ok(())
    }
}

/// All sessions of this process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FetchSessions {
    sessions: SortedMap<SessionKey, FetchSession>,
    last_one_off: i64,
}

impl FetchSessions {
    pub fn get(&self, key: SessionKey) -> Option<&FetchSession> {
        self.sessions.get(&key)
    }

    pub fn get_mut(&mut self, key: SessionKey) -> Option<&mut FetchSession> {
        self.sessions.get_mut(&key)
    }

    /// A fetch without a session: lives until it is answered.
    pub fn one_off(&mut self, session: FetchSession) -> SessionKey {
        self.last_one_off -= 1;
        self.sessions.insert(self.last_one_off, session);
        self.last_one_off
    }

    /// Keeps a new session under `id`; an idle one makes room where the cache is full, else it becomes a one-off.
    /// Returns its key and, if another one was evicted, that one's key and session.
    pub fn create(
        &mut self,
        id: i32,
        session: FetchSession,
        now: Micros,
    ) -> (SessionKey, Option<(SessionKey, FetchSession)>) {
        let kept = self.sessions.range(1..).count();
        let mut evicted = None;
        if kept >= CACHE_SLOTS {
            let idle = self
                .sessions
                .range(1..)
                .filter(|(_, session)| session.pending.is_none())
                .min_by_key(|(_, session)| session.last_used)
                .filter(|(_, session)| now.since(session.last_used) > MIN_EVICTION)
                .map(|(key, _)| *key);
            let Some(idle) = idle else { return (self.one_off(session), None) };
            evicted = self.sessions.remove(&idle).map(|session| (idle, session));
        }
        self.sessions.insert(i64::from(id), session);
        (i64::from(id), evicted)
    }

    /// The session of a follow-up request, its epoch checked.
    pub fn resume(
        &mut self,
        id: i32,
        epoch: i32,
        peer: NodeId,
        now: Micros,
    ) -> Result<SessionKey, ErrorCode> {
        let key = i64::from(id);
        let session = self.sessions.get_mut(&key).filter(|session| session.peer == peer);
        session.ok_or(ErrorCode::FetchSessionIdNotFound)?.advance(epoch, now)?;
        Ok(key)
    }

    pub fn contains_id(&self, id: i32) -> bool {
        self.sessions.contains_key(&i64::from(id))
    }

    pub fn remove(&mut self, key: SessionKey) -> Option<FetchSession> {
        self.sessions.remove(&key)
    }

    /// The sessions of a peer whose connection is gone.
    pub fn of_peer(&self, peer: NodeId) -> Vec<SessionKey> {
        self.sessions
            .iter()
            .filter(|(_, session)| session.peer == peer)
            .map(|(key, _)| *key)
            .collect()
    }
}
