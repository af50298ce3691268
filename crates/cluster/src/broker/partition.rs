//! One replica of one partition on this broker: its log, and what it knows as leader or follower.
//!
//! The high watermark is the smallest log end over the maximal ISR (the ISR and replicas being added to it) and over
//! replicas about to join; it does not move while the ISR is smaller than `min.insync.replicas`.
//! Kafka: `kafka.cluster.Partition`, `Replica`, `PartitionState`.

use std::collections::VecDeque;

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::REPLICA_LAG_TIME_MAX;
use crate::controller::image::PartitionRegistration;
use crate::log::PartitionLog;
use crate::protocol::{ErrorCode, LeaderIdAndEpoch};
use crate::types::{BrokerId, LeaderEpoch, Offset, PartitionIndex};
use crate::uuid::Uuid;

/// A partition by the id of its topic: what the data path is keyed by.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TopicIdPartition {
    pub topic_id: Uuid,
    pub partition: PartitionIndex,
}

/// What a leader knows of a follower. Kafka: `Replica`, `ReplicaState`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoteReplica {
    /// Everything below is stored there; -1 before its first fetch.
    pub log_end_offset: Offset,
    pub log_start_offset: Offset,
    /// The broker epoch it fetched with; none before its first fetch.
    pub broker_epoch: Option<i64>,
    last_fetch_leader_log_end_offset: Offset,
    last_fetch: Micros,
    /// When it last had everything; none if never in this leader epoch.
    last_caught_up: Option<Micros>,
}

/// An ISR proposed to the controller and not yet answered. Kafka: `PendingExpandIsr`, `PendingShrinkIsr`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingIsr {
    pub isr: SortedSet<BrokerId>,
    expands: bool,
}

/// What only a leader has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaderState {
    /// Where the log ended when this leader epoch began.
    epoch_start_offset: Offset,
    isr: SortedSet<BrokerId>,
    pending_isr: Option<PendingIsr>,
    replicas: SortedMap<BrokerId, RemoteReplica>,
    /// Delayed produces: the high watermark each waits for and its number, in order.
    pub produces: VecDeque<(Offset, u64)>,
}

/// What this broker is for the partition. All of it is gone with the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Role {
    /// The broker has not (again) learned what it is.
    #[default]
    None,
    Leader(LeaderState),
    Follower,
}

/// What the leader asks of the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsrProposal {
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    /// (broker id, broker epoch or -1), ascending.
    pub isr: Vec<(BrokerId, i64)>,
}

/// Which brokers may join an ISR, by the metadata: unfenced, not going, and of this broker epoch.
pub trait IsrEligibility {
    fn alive_broker_epoch(&self, broker: BrokerId) -> Option<i64>;
    fn is_active(&self, broker: BrokerId) -> bool;
}

impl IsrEligibility for crate::controller::image::MetadataImage {
    fn alive_broker_epoch(&self, broker: BrokerId) -> Option<i64> {
        self.brokers.get(&broker).filter(|broker| !broker.fenced).map(|broker| broker.epoch)
    }

    fn is_active(&self, broker: BrokerId) -> bool {
        Self::is_active(self, broker)
    }
}

/// One replica: the log is on disk, the rest is memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Partition {
    pub id: TopicIdPartition,
    pub topic: String,
    pub log: PartitionLog,
    role: Role,
    /// -1 for none.
    leader: BrokerId,
    leader_epoch: i32,
    partition_epoch: i32,
    replica_count: u32,
    /// Fetch sessions that include this partition.
    pub watchers: SortedSet<i64>,
}

impl Partition {
    pub fn new(id: TopicIdPartition, topic: String, log: PartitionLog) -> Self {
        Self {
            id,
            topic,
            log,
            role: Role::None,
            leader: -1,
            leader_epoch: -1,
            partition_epoch: -1,
            replica_count: 0,
            watchers: SortedSet::new(),
        }
    }

    /// The process is gone; the log is not.
    pub fn stopped(&mut self) {
        self.role = Role::None;
        self.leader = -1;
        self.leader_epoch = -1;
        self.partition_epoch = -1;
        self.watchers.clear();
    }

    pub fn role(&self) -> &Role {
        &self.role
    }

    pub fn leader_state(&self) -> Option<&LeaderState> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            _ => None,
        }
    }

    pub fn leader_state_mut(&mut self) -> Option<&mut LeaderState> {
        match &mut self.role {
            Role::Leader(leader) => Some(leader),
            _ => None,
        }
    }

    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// -1 for none.
    pub fn leader(&self) -> BrokerId {
        self.leader
    }

    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// The leader as this broker knows it, as errors about leadership carry it.
    pub fn current_leader(&self) -> LeaderIdAndEpoch {
        LeaderIdAndEpoch { leader_id: self.leader, leader_epoch: self.leader_epoch }
    }

    /// `min.insync.replicas`, but no more than there are replicas.
    pub fn effective_min_isr(&self) -> usize {
        self.log.config().min_insync_replicas.min(self.replica_count) as usize
    }

    /// Compares a request's `current_leader_epoch` (-1: not given). Kafka: `checkCurrentLeaderEpoch`.
    pub fn check_leader_epoch(&self, epoch: i32) -> Result<(), ErrorCode> {
        match epoch {
            -1 => Ok(()),
            epoch if epoch < self.leader_epoch => Err(ErrorCode::FencedLeaderEpoch),
            epoch if epoch > self.leader_epoch => Err(ErrorCode::UnknownLeaderEpoch),
            _ => Ok(()),
        }
    }

    /// The end of the largest epoch up to `epoch`, or (-1, -1). Kafka: `lastOffsetForLeaderEpoch`.
    pub fn end_offset_for_epoch(&self, epoch: i32) -> (i32, Offset) {
        match self.log.end_offset_for_epoch(LeaderEpoch(epoch)) {
            Some((found, end)) => (found.0, end),
            None => (-1, -1),
        }
    }

    // ---- roles

    /// Becomes or stays the leader. Returns whether it was not before. Kafka: `makeLeader`.
    pub fn make_leader(
        &mut self,
        registration: &PartitionRegistration,
        me: BrokerId,
        now: Micros,
    ) -> bool {
        if registration.partition_epoch < self.partition_epoch {
            return false;
        }
        let was_leader = self.is_leader();
        let isr: SortedSet<BrokerId> = registration.isr.iter().copied().collect();
        let mut state = match std::mem::take(&mut self.role) {
            Role::Leader(state) => state,
            _ => LeaderState {
                epoch_start_offset: self.log.log_end_offset(),
                isr: SortedSet::new(),
                pending_isr: None,
                replicas: SortedMap::new(),
                produces: VecDeque::new(),
            },
        };
        state.replicas.retain(|id, _| registration.replicas.contains(id));
        for &replica in registration.replicas.iter().filter(|&&id| id != me) {
            state.replicas.entry(replica).or_insert_with(RemoteReplica::unknown);
        }
        // What was proposed is settled by the newer metadata.
        if registration.partition_epoch > self.partition_epoch || !was_leader {
            state.pending_isr = None;
        }
        if registration.leader_epoch > self.leader_epoch {
            let epoch_start = self.log.log_end_offset();
            state.epoch_start_offset = epoch_start;
            // Followers may hold later epochs than any of this log's batches: they must be told to truncate to here.
            self.log.assign_epoch_start_offset(LeaderEpoch(registration.leader_epoch), epoch_start);
            for (id, replica) in &mut state.replicas {
                replica.reset(now, epoch_start, !was_leader, isr.contains(id));
            }
        }
        state.isr = isr;
        self.role = Role::Leader(state);
        self.take_registration(registration);
        self.leader = me;
        !was_leader
    }

    /// Becomes or stays a follower. Returns whether the fetcher must start anew. Kafka: `makeFollower`.
    pub fn make_follower(&mut self, registration: &PartitionRegistration) -> bool {
        if registration.partition_epoch < self.partition_epoch {
            return false;
        }
        let new_epoch =
            registration.leader_epoch > self.leader_epoch || matches!(self.role, Role::None);
        self.role = Role::Follower;
        self.take_registration(registration);
        self.leader = registration.leader;
        new_epoch
    }

    fn take_registration(&mut self, registration: &PartitionRegistration) {
        self.leader_epoch = registration.leader_epoch;
        self.partition_epoch = registration.partition_epoch;
        self.replica_count = registration.replicas.len() as u32;
    }

    // ---- as leader

    /// The in-sync replicas, ascending; empty if not the leader.
    pub fn isr(&self) -> impl Iterator<Item = BrokerId> + '_ {
        self.leader_state().into_iter().flat_map(|leader| leader.isr.iter().copied())
    }

    /// Whether acks=all must be refused.
    pub fn is_under_min_isr(&self) -> bool {
        self.leader_state().is_some_and(|leader| leader.isr.len() < self.effective_min_isr())
    }

    /// Whether the maximal ISR is large enough for what was appended meanwhile.
    pub fn has_enough_replicas(&self) -> bool {
        self.leader_state()
            .is_some_and(|leader| leader.maximal_isr().len() >= self.effective_min_isr())
    }

    /// Moves the high watermark as far as it may. Returns whether it moved. Kafka: `maybeIncrementLeaderHW`.
    pub fn maybe_increment_high_watermark(
        &mut self,
        now: Micros,
        brokers: &impl IsrEligibility,
    ) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        if self.is_under_min_isr() {
            return false;
        }
        let end = self.log.log_end_offset();
        let maximal_isr = leader.maximal_isr();
        let mut high_watermark = end;
        for (&id, replica) in &leader.replicas {
            #[cfg(feature = "planted-bug")]
            if crate::planted_bug::is_planted() && maximal_isr.last() == Some(&id) {
                continue;
            }
            if replica.log_end_offset < high_watermark
                && (maximal_isr.contains(&id)
                    || (replica.is_caught_up(end, now) && replica.is_eligible(id, brokers)))
            {
                high_watermark = replica.log_end_offset;
            }
        }
        self.log.maybe_increment_high_watermark(high_watermark).is_some()
    }

    /// The log has grown from `old_end`: who had everything then was caught up at its latest fetch, even one that did
    /// not name this partition, because nothing had changed here. `last_fetches`: by broker.
    pub fn note_append(&mut self, old_end: Offset, last_fetches: &SortedMap<BrokerId, Micros>) {
        let Role::Leader(leader) = &mut self.role else { return };
        for (id, replica) in &mut leader.replicas {
            if replica.log_end_offset == old_end
                && let Some(&at) = last_fetches.get(id)
            {
                replica.last_fetch = replica.last_fetch.max(at);
                replica.last_caught_up = replica.last_caught_up.max(Some(at));
            }
        }
    }

    /// A follower has fetched from `fetch_offset`: all below is stored there. False if it is not a replica.
    /// Kafka: `Replica.updateFetchStateOrThrow`.
    pub fn update_follower(
        &mut self,
        id: BrokerId,
        broker_epoch: i64,
        fetch_offset: Offset,
        log_start_offset: Offset,
        now: Micros,
    ) -> bool {
        let end = self.log.log_end_offset();
        let Some(replica) = self.leader_state_mut().and_then(|leader| leader.replicas.get_mut(&id))
        else {
            return false;
        };
        if fetch_offset >= end {
            replica.last_caught_up = replica.last_caught_up.max(Some(now));
        } else if fetch_offset >= replica.last_fetch_leader_log_end_offset {
            replica.last_caught_up = replica.last_caught_up.max(Some(replica.last_fetch));
        }
        replica.log_start_offset = log_start_offset;
        replica.log_end_offset = fetch_offset;
        replica.last_fetch_leader_log_end_offset =
            replica.last_fetch_leader_log_end_offset.max(end);
        replica.last_fetch = now;
        replica.broker_epoch = Some(broker_epoch);
        true
    }

    pub fn is_replica(&self, id: BrokerId) -> bool {
        self.leader_state().is_some_and(|leader| leader.replicas.contains_key(&id))
    }

    /// Whether the follower is in the committed ISR.
    pub fn is_in_sync(&self, id: BrokerId) -> bool {
        self.leader_state().is_some_and(|leader| leader.isr.contains(&id))
    }

    /// Proposes to add a follower that has all that is committed. Kafka: `maybeExpandIsr`.
    pub fn maybe_expand_isr(
        &mut self,
        id: BrokerId,
        me: (BrokerId, i64),
        brokers: &impl IsrEligibility,
    ) -> Option<IsrProposal> {
        let high_watermark = self.log.high_watermark();
        let leader = self.leader_state_mut()?;
        let replica = leader.replicas.get(&id)?;
        if leader.pending_isr.is_some()
            || leader.isr.contains(&id)
            || replica.log_end_offset < high_watermark
            || replica.log_end_offset < leader.epoch_start_offset
            || !replica.is_eligible(id, brokers)
        {
            return None;
        }
        let mut isr = leader.isr.clone();
        isr.insert(id);
        leader.pending_isr = Some(PendingIsr { isr, expands: true });
        Some(self.proposal(me))
    }

    /// Proposes to drop followers that have not caught up for `replica.lag.time.max.ms`. Kafka: `maybeShrinkIsr`.
    pub fn maybe_shrink_isr(&mut self, me: (BrokerId, i64), now: Micros) -> Option<IsrProposal> {
        let end = self.log.log_end_offset();
        let leader = self.leader_state_mut()?;
        if leader.pending_isr.is_some() {
            return None;
        }
        let in_sync = |id: &BrokerId| {
            *id == me.0
                || leader.replicas.get(id).is_some_and(|replica| replica.is_caught_up(end, now))
        };
        let isr: SortedSet<BrokerId> = leader.isr.iter().copied().filter(in_sync).collect();
        if isr.len() == leader.isr.len() {
            return None;
        }
        leader.pending_isr = Some(PendingIsr { isr, expands: false });
        Some(self.proposal(me))
    }

    /// What is proposed at present, for the (next) AlterPartition.
    fn proposal(&self, me: (BrokerId, i64)) -> IsrProposal {
        let pending = self.leader_state().and_then(|leader| leader.pending_isr.as_ref());
        let members = pending.into_iter().flat_map(|pending| pending.isr.iter().copied());
        let epoch = |id: BrokerId| {
            let replica = self.leader_state().and_then(|leader| leader.replicas.get(&id));
            if id == me.0 {
                me.1
            } else {
                replica.and_then(|replica| replica.broker_epoch).unwrap_or(-1)
            }
        };
        IsrProposal {
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            isr: members.map(|id| (id, epoch(id))).collect(),
        }
    }

    /// The controller's answer to a proposal; the high watermark may move afterwards.
    /// Returns the proposal again if it must be repeated. Kafka: `submitAlterPartition`'s completion.
    pub fn on_alter_partition(
        &mut self,
        error: ErrorCode,
        sent: &IsrProposal,
        committed: (i32, i32, &[BrokerId]),
        me: (BrokerId, i64),
    ) -> Option<IsrProposal> {
        if sent.leader_epoch != self.leader_epoch || sent.partition_epoch != self.partition_epoch {
            return None;
        }
        let leader = self.leader_state_mut()?;
        match error {
            ErrorCode::None => {
                let (leader_epoch, partition_epoch, isr) = committed;
                if leader_epoch == self.leader_epoch && partition_epoch >= self.partition_epoch {
                    self.partition_epoch = partition_epoch;
                    let leader = self.leader_state_mut()?;
                    leader.isr = isr.iter().copied().collect();
                    leader.pending_isr = None;
                }
                None
            }
            // The controller says that the epoch is right and that nothing was changed.
            ErrorCode::OperationNotAttempted | ErrorCode::IneligibleReplica => {
                leader.pending_isr = None;
                None
            }
            // Newer metadata is on its way and settles it.
            ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::InvalidUpdateVersion
            | ErrorCode::InvalidRequest
            | ErrorCode::NewLeaderElected => None,
            _ => leader.pending_isr.is_some().then(|| self.proposal(me)),
        }
    }

    /// Where the log of the slowest live replica starts: what DeleteRecords waits for. Kafka: `lowWatermarkIfLeader`.
    pub fn low_watermark(&self, brokers: &impl IsrEligibility) -> Offset {
        let replicas = self.leader_state().into_iter().flat_map(|leader| &leader.replicas);
        replicas
            .filter(|(id, _)| brokers.alive_broker_epoch(**id).is_some())
            .map(|(_, replica)| replica.log_start_offset)
            .fold(self.log.log_start_offset(), Offset::min)
    }

    /// Whether "latest" may be answered: a new leader does not know its high watermark before it covers its own epoch's start.
    pub fn knows_high_watermark(&self) -> bool {
        self.leader_state()
            .is_none_or(|leader| leader.epoch_start_offset <= self.log.high_watermark())
    }
}

impl LeaderState {
    /// The ISR with what is being added, or without regard to what is being removed: the careful choice.
    fn maximal_isr(&self) -> &SortedSet<BrokerId> {
        match &self.pending_isr {
            Some(pending) if pending.expands => &pending.isr,
            _ => &self.isr,
        }
    }

    pub fn replicas(&self) -> &SortedMap<BrokerId, RemoteReplica> {
        &self.replicas
    }
}

impl RemoteReplica {
    fn unknown() -> Self {
        Self { log_end_offset: -1, log_start_offset: -1, ..Self::default() }
    }

    /// A new leader epoch began. Kafka: `Replica.resetReplicaState`.
    fn reset(&mut self, now: Micros, leader_end: Offset, new_leader: bool, in_sync: bool) {
        if new_leader {
            *self = Self::unknown();
            self.last_fetch_leader_log_end_offset = -1;
        } else {
            self.last_fetch_leader_log_end_offset = leader_end;
            self.last_fetch = if in_sync { now } else { Micros::ZERO };
        }
        self.last_caught_up = in_sync.then_some(now);
    }

    fn is_caught_up(&self, leader_end: Offset, now: Micros) -> bool {
        leader_end == self.log_end_offset
            || self.last_caught_up.is_some_and(|at| now.since(at) <= REPLICA_LAG_TIME_MAX)
    }

    fn is_eligible(&self, id: BrokerId, brokers: &impl IsrEligibility) -> bool {
        brokers.is_active(id)
            && self
                .broker_epoch
                .is_some_and(|epoch| epoch == -1 || brokers.alive_broker_epoch(id) == Some(epoch))
    }
}
