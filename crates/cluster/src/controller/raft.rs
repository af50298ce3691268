//! The KRaft quorum: who leads `__cluster_metadata`, and how far it is committed (KIP-595, KIP-996).
//!
//! Replication is pulled: voters (and observers) fetch from the leader. A log position is committed when a majority of
//! voters has it. A voter that hears nothing for the fetch timeout asks for pre-votes, then for votes in a new epoch.
//! Kafka: `KafkaRaftClient`, `QuorumState` and the `*State` classes. Simplified: no fsync latency, static voters.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::{Micros, NodeId, Random};

use super::metadata_log::MetadataLog;
use super::records::{MetadataBatch, MetadataRecord};
use crate::protocol::{
    BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
    EndQuorumEpochResponse, EpochEndOffset, FetchMetadataRequest, FetchMetadataResponse, Request,
    Response, VoteRequest, VoteResponse,
};
use crate::types::{BrokerId, Offset, TimestampMs};

const NONE: i16 = 0;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const FENCED_LEADER_EPOCH: i16 = 74;
const UNKNOWN_LEADER_EPOCH: i16 = 75;

/// `controller.quorum.fetch.timeout.ms`: a voter without a successful fetch for this long asks for an election.
const FETCH_TIMEOUT: Micros = Micros::from_ms(2_000);
/// `controller.quorum.election.timeout.ms`; a random time below the same is added.
const ELECTION_TIMEOUT_MS: u64 = 1_000;
/// A leader that fewer than a majority fetched from for 1.5 × the fetch timeout resigns.
const CHECK_QUORUM: Micros = Micros::from_ms(3_000);
/// How often a leader repeats BeginQuorumEpoch to voters that do not fetch: fetch timeout / 2.
const BEGIN_EPOCH_INTERVAL: Micros = Micros::from_ms(1_000);
/// `controller.quorum.append.linger.ms`: appended records are offered to others together after this.
const APPEND_LINGER: Micros = Micros::from_ms(25);
/// `controller.quorum.retry.backoff.ms`
const RETRY_BACKOFF: Micros = Micros::from_ms(20);
/// How long the leader holds a fetch that has nothing to fetch.
const MAX_FETCH_WAIT_MS: i32 = 500;
/// Batches kept below the committed offset; who lags more gets a snapshot.
const KEPT_BATCHES: usize = 1_000;
/// Batches a response carries at most.
const MAX_FETCH_BATCHES: usize = 500;

/// Who asked, and which of its requests it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplyTo {
    pub node: NodeId,
    pub correlation_id: u32,
}

/// What the quorum wants sent.
#[derive(Clone, Debug, Default)]
pub struct QuorumOutputs {
    /// To the controller listener of these nodes.
    pub requests: Vec<(BrokerId, Request)>,
    pub responses: Vec<(ReplyTo, Response)>,
}

/// What a role knows beyond the epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Role {
    /// No leader is known; a voter starts an election at the deadline.
    Unattached {
        election_deadline: Micros,
    },
    /// Asks whether an election would be won, without disturbing anybody.
    Prospective {
        granted: SortedSet<BrokerId>,
        refused: SortedSet<BrokerId>,
        election_deadline: Micros,
    },
    Candidate {
        granted: SortedSet<BrokerId>,
        refused: SortedSet<BrokerId>,
        election_deadline: Micros,
    },
    Follower {
        leader: BrokerId,
        fetch_deadline: Micros,
        fetch_in_flight: bool,
        next_fetch: Micros,
    },
    Leader(Leader),
}

/// What only a leader knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leader {
    /// Offset of this epoch's first record; nothing counts as committed before one of the epoch's own is.
    epoch_start: Offset,
    /// Where the records end that have lingered long enough to be offered.
    offered_end: Offset,
    offer_at: Option<Micros>,
    replicas: SortedMap<BrokerId, Progress>,
    begin_epoch_at: Micros,
    check_quorum_at: Micros,
    /// Fetches that wait for something new, in order of arrival.
    waiting: Vec<WaitingFetch>,
}

/// How far a voter or observer has fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub end_offset: Offset,
    pub last_fetch: Micros,
    pub last_caught_up: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct WaitingFetch {
    reply_to: ReplyTo,
    fetch_offset: Offset,
    high_watermark: Offset,
    deadline: Micros,
}

/// One node's part in the quorum.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Raft {
    id: BrokerId,
    voters: Vec<BrokerId>,
    cluster_id: String,
    // On disk: the quorum state file and the log.
    epoch: i32,
    voted: Option<BrokerId>,
    log: MetadataLog,
    // In memory. The high watermark is learned again after a restart.
    high_watermark: Offset,
    role: Role,
    /// The leader (of this epoch) that was silent too long: others who still name it do not bring it back.
    given_up: Option<BrokerId>,
}

impl Raft {
    pub fn new(id: BrokerId, voters: Vec<BrokerId>, cluster_id: String) -> Self {
        Self {
            id,
            voters,
            cluster_id,
            epoch: 0,
            voted: None,
            log: MetadataLog::default(),
            high_watermark: 0,
            role: Role::Unattached { election_deadline: Micros::MAX },
            given_up: None,
        }
    }

    pub fn epoch(&self) -> i32 {
        self.epoch
    }
    pub fn voters(&self) -> &[BrokerId] {
        &self.voters
    }
    pub fn log(&self) -> &MetadataLog {
        &self.log
    }
    /// Everything below is committed.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }
    pub fn role(&self) -> &Role {
        &self.role
    }
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The leader as this node knows it.
    pub fn leader(&self) -> Option<BrokerId> {
        match &self.role {
            Role::Leader(_) => Some(self.id),
            Role::Follower { leader, .. } => Some(*leader),
            _ => None,
        }
    }

    /// How far each replica has fetched; only the leader knows.
    pub fn progress(&self) -> impl Iterator<Item = (BrokerId, Progress)> + '_ {
        let replicas = match &self.role {
            Role::Leader(leader) => Some(&leader.replicas),
            _ => None,
        };
        replicas.into_iter().flatten().map(|(id, progress)| (*id, *progress))
    }

    /// The process has started.
    /// Whoever it asks tells it who leads, so that it need not wait for the leader to notice it.
    pub fn start(&mut self, now: Micros, random: &mut Random, outputs: &mut QuorumOutputs) {
        self.become_unattached(now, random);
        for voter in self.other_voters() {
            let request = FetchMetadataRequest {
                cluster_id: Some(self.cluster_id.clone()),
                replica_id: self.id,
                // No epoch: nobody takes this for a follower's fetch.
                current_leader_epoch: -1,
                ..FetchMetadataRequest::default()
            };
            outputs.requests.push((voter, request.into()));
        }
    }

    /// The process is gone; epoch, vote and log are on disk.
    pub fn stopped(&mut self) {
        self.role = Role::Unattached { election_deadline: Micros::MAX };
    }

    /// When `on_timer` is next needed.
    pub fn deadline(&self) -> Micros {
        match &self.role {
            Role::Unattached { election_deadline } => *election_deadline,
            Role::Prospective { election_deadline, .. }
            | Role::Candidate { election_deadline, .. } => *election_deadline,
            Role::Follower { fetch_deadline, fetch_in_flight, next_fetch, .. } => {
                let give_up = if self.is_voter() { *fetch_deadline } else { Micros::MAX };
                if *fetch_in_flight { give_up } else { give_up.min(*next_fetch) }
            }
            Role::Leader(leader) => {
                let fetches =
                    leader.waiting.iter().map(|fetch| fetch.deadline).min().unwrap_or(Micros::MAX);
                let quorum = leader.begin_epoch_at.min(leader.check_quorum_at);
                fetches.min(leader.offer_at.unwrap_or(Micros::MAX)).min(quorum)
            }
        }
    }

    pub fn on_timer(&mut self, now: Micros, random: &mut Random, outputs: &mut QuorumOutputs) {
        if self.deadline() > now {
            return;
        }
        match &mut self.role {
            Role::Unattached { .. } => self.become_prospective(now, random, outputs),
            // Neither won nor lost in time: wait a little and try again.
            Role::Prospective { .. } | Role::Candidate { .. } => {
                self.become_unattached(now, random)
            }
            Role::Follower { leader, fetch_deadline, .. } => {
                let (leader, fetch_deadline) = (*leader, *fetch_deadline);
                if fetch_deadline <= now && self.is_voter() {
                    self.given_up = Some(leader);
                    self.become_prospective(now, random, outputs);
                } else {
                    self.fetch(now, outputs);
                }
            }
            Role::Leader(_) => self.on_leader_timer(now, random, outputs),
        }
    }

    fn on_leader_timer(&mut self, now: Micros, random: &mut Random, outputs: &mut QuorumOutputs) {
        let (majority, others) = (self.majority(), self.other_voters());
        let end = self.log.end_offset();
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.check_quorum_at <= now {
            let heard = others.iter().filter(|id| {
                leader
                    .replicas
                    .get(id)
                    .is_some_and(|progress| now.since(progress.last_fetch) < CHECK_QUORUM)
            });
            if heard.count() + 1 < majority {
                self.become_unattached(now, random);
                return;
            }
            leader.check_quorum_at = now + CHECK_QUORUM;
        }
        if leader.begin_epoch_at <= now {
            leader.begin_epoch_at = now + BEGIN_EPOCH_INTERVAL;
            let silent: Vec<BrokerId> = others
                .into_iter()
                .filter(|id| {
                    leader.replicas.get(id).is_none_or(|progress| {
                        now.since(progress.last_fetch) >= BEGIN_EPOCH_INTERVAL
                    })
                })
                .collect();
            self.begin_epoch(&silent, outputs);
        }
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.offer_at.is_some_and(|at| at <= now) {
            leader.offer_at = None;
            leader.offered_end = end;
            self.advance_high_watermark();
        }
        self.answer_waiting(now, outputs);
    }

    /// Appends records as the leader; returns the offset after the last. They are committed when the high watermark gets there.
    pub fn append(
        &mut self,
        now: Micros,
        wall_clock_ms: TimestampMs,
        records: Vec<MetadataRecord>,
    ) -> Offset {
        let Role::Leader(leader) = &mut self.role else { panic!("only the leader appends") };
        self.log.append(MetadataBatch {
            base_offset: self.log.end_offset(),
            leader_epoch: self.epoch,
            append_timestamp_ms: wall_clock_ms,
            records: records.into(),
        });
        leader.offer_at.get_or_insert(now + APPEND_LINGER);
        self.log.end_offset()
    }

    /// Hands leadership over before an orderly end: the others need not wait for a time-out.
    pub fn resign(&mut self, now: Micros, random: &mut Random, outputs: &mut QuorumOutputs) {
        let Role::Leader(leader) = &self.role else { return };
        let mut candidates = self.other_voters();
        let end = |id: &BrokerId| leader.replicas.get(id).map_or(0, |progress| progress.end_offset);
        simulation::sorted::sort_by_key(&mut candidates, |id| std::cmp::Reverse(end(id)));
        for &voter in &candidates {
            let request = EndQuorumEpochRequest {
                cluster_id: Some(self.cluster_id.clone()),
                leader_id: self.id,
                leader_epoch: self.epoch,
                preferred_candidates: candidates.clone(),
            };
            outputs.requests.push((voter, request.into()));
        }
        self.become_unattached(now, random);
    }

    // ---- requests

    pub fn on_vote(
        &mut self,
        now: Micros,
        random: &mut Random,
        request: &VoteRequest,
    ) -> VoteResponse {
        if !request.pre_vote && request.replica_epoch > self.epoch {
            self.epoch = request.replica_epoch;
            self.voted = None;
            self.become_unattached(now, random);
        }
        let candidate_is_current = (request.last_offset_epoch, request.last_offset)
            >= (self.log.last_epoch(), self.log.end_offset());
        let granted = request.replica_epoch >= self.epoch
            && candidate_is_current
            && if request.pre_vote {
                // Who still hears a leader does not want an election.
                !matches!(self.role, Role::Leader(_))
                    && !matches!(&self.role, Role::Follower { fetch_deadline, .. } if *fetch_deadline > now)
            } else {
                request.replica_epoch == self.epoch
                    && self.leader().is_none()
                    && self.voted.is_none_or(|voted| voted == request.replica_id)
            };
        if granted && !request.pre_vote {
            self.voted = Some(request.replica_id);
            self.become_unattached(now, random);
        }
        VoteResponse {
            error_code: NONE,
            leader_id: self.leader().unwrap_or(-1),
            leader_epoch: self.epoch,
            vote_granted: granted,
        }
    }

    pub fn on_begin_quorum_epoch(
        &mut self,
        now: Micros,
        request: &BeginQuorumEpochRequest,
        outputs: &mut QuorumOutputs,
    ) -> BeginQuorumEpochResponse {
        let error_code = if request.leader_epoch < self.epoch {
            FENCED_LEADER_EPOCH
        } else {
            self.follow(now, request.leader_epoch, request.leader_id, outputs);
            NONE
        };
        BeginQuorumEpochResponse {
            error_code,
            leader_id: self.leader().unwrap_or(-1),
            leader_epoch: self.epoch,
        }
    }

    pub fn on_end_quorum_epoch(
        &mut self,
        now: Micros,
        random: &mut Random,
        request: &EndQuorumEpochRequest,
        outputs: &mut QuorumOutputs,
    ) -> EndQuorumEpochResponse {
        let mut error_code = FENCED_LEADER_EPOCH;
        if request.leader_epoch >= self.epoch {
            error_code = NONE;
            if request.leader_epoch > self.epoch {
                self.epoch = request.leader_epoch;
                self.voted = None;
            }
            if request.preferred_candidates.first() == Some(&self.id) {
                self.become_candidate(now, random, outputs);
            } else {
                self.become_unattached(now, random);
            }
        }
        EndQuorumEpochResponse {
            error_code,
            leader_id: self.leader().unwrap_or(-1),
            leader_epoch: self.epoch,
        }
    }

    /// Answers at once, or when there is something new, or when the wait is over.
    pub fn on_fetch(
        &mut self,
        now: Micros,
        reply_to: ReplyTo,
        request: &FetchMetadataRequest,
        outputs: &mut QuorumOutputs,
    ) {
        let refused = if !self.is_leader() {
            Some(NOT_LEADER_OR_FOLLOWER)
        } else if request.current_leader_epoch < self.epoch {
            Some(FENCED_LEADER_EPOCH)
        } else if request.current_leader_epoch > self.epoch {
            Some(UNKNOWN_LEADER_EPOCH)
        } else {
            None
        };
        if let Some(error_code) = refused {
            let response = FetchMetadataResponse { error_code, ..self.empty_fetch_response() };
            outputs.responses.push((reply_to, response.into()));
            return;
        }
        if request.fetch_offset >= self.log.start_offset()
            && !self.log.has_prefix(request.fetch_offset, request.last_fetched_epoch)
            && request.fetch_offset > 0
        {
            let (epoch, end_offset) = self.log.end_offset_for_epoch(request.last_fetched_epoch);
            let response = FetchMetadataResponse {
                diverging_epoch: Some(EpochEndOffset { epoch, end_offset }),
                ..self.empty_fetch_response()
            };
            outputs.responses.push((reply_to, response.into()));
            return;
        }
        let Role::Leader(leader) = &mut self.role else { return };
        let progress = leader.replicas.entry(request.replica_id).or_default();
        progress.end_offset = request.fetch_offset;
        progress.last_fetch = now;
        if request.fetch_offset >= leader.offered_end {
            progress.last_caught_up = now;
        }
        leader.waiting.push(WaitingFetch {
            reply_to,
            fetch_offset: request.fetch_offset,
            high_watermark: request.high_watermark,
            deadline: now + Micros::from_ms(request.max_wait_ms.max(0) as u64),
        });
        self.advance_high_watermark();
        self.answer_waiting(now, outputs);
    }

    fn answer_waiting(&mut self, now: Micros, outputs: &mut QuorumOutputs) {
        let high_watermark = self.high_watermark;
        let Role::Leader(leader) = &mut self.role else { return };
        let offered_end = leader.offered_end;
        let mut ready = Vec::new();
        leader.waiting.retain(|fetch| {
            let answer = fetch.fetch_offset < offered_end
                || fetch.high_watermark < high_watermark.min(fetch.fetch_offset)
                || fetch.deadline <= now;
            if answer {
                ready.push(fetch.clone());
            }
            !answer
        });
        for fetch in ready {
            // Who is behind the log's start gets the latest image first (FetchSnapshot).
            let snapshot_needed = fetch.fetch_offset < self.log.start_offset();
            let batches = if snapshot_needed {
                Vec::new()
            } else {
                self.log
                    .read(fetch.fetch_offset, offered_end)
                    .take(MAX_FETCH_BATCHES)
                    .cloned()
                    .collect()
            };
            let response =
                FetchMetadataResponse { batches, snapshot_needed, ..self.empty_fetch_response() };
            outputs.responses.push((fetch.reply_to, response.into()));
        }
    }

    fn empty_fetch_response(&self) -> FetchMetadataResponse {
        FetchMetadataResponse {
            error_code: NONE,
            leader_id: self.leader().unwrap_or(-1),
            leader_epoch: self.epoch,
            high_watermark: self.high_watermark,
            ..FetchMetadataResponse::default()
        }
    }

    // ---- responses

    pub fn on_vote_response(
        &mut self,
        now: Micros,
        random: &mut Random,
        from: BrokerId,
        response: &VoteResponse,
        outputs: &mut QuorumOutputs,
    ) {
        if self.learn(now, random, response.leader_epoch, response.leader_id, outputs) {
            return;
        }
        // A late answer, of a pre-vote or of an earlier election, is no vote in this epoch.
        if matches!(self.role, Role::Candidate { .. }) && response.leader_epoch != self.epoch {
            return;
        }
        let majority = self.majority();
        let voters = self.voters.len();
        let (Role::Prospective { granted, refused, .. } | Role::Candidate { granted, refused, .. }) =
            &mut self.role
        else {
            return;
        };
        if response.vote_granted {
            granted.insert(from);
        } else {
            refused.insert(from);
        }
        let won = granted.len() >= majority;
        let lost = voters - refused.len() < majority;
        if won && matches!(self.role, Role::Prospective { .. }) {
            self.become_candidate(now, random, outputs);
        } else if won {
            self.become_leader(now, outputs);
        } else if lost {
            self.become_unattached(now, random);
        }
    }

    /// Returns the snapshot's absence as is: records fetched are in the log afterwards.
    pub fn on_fetch_response(
        &mut self,
        now: Micros,
        random: &mut Random,
        from: BrokerId,
        response: &FetchMetadataResponse,
        outputs: &mut QuorumOutputs,
    ) {
        if self.learn(now, random, response.leader_epoch, response.leader_id, outputs) {
            return;
        }
        let Role::Follower { leader, fetch_deadline, fetch_in_flight, next_fetch } = &mut self.role
        else {
            return;
        };
        // What is fenced was asked before this epoch was known: the fetch of this epoch is still on its way.
        if *leader != from || response.error_code == FENCED_LEADER_EPOCH {
            return;
        }
        *fetch_in_flight = false;
        // What was answered in an earlier epoch may not be on the way to being committed any more.
        if response.error_code != NONE || response.leader_epoch != self.epoch {
            *next_fetch = now + RETRY_BACKOFF;
            return;
        }
        *fetch_deadline = now + FETCH_TIMEOUT;
        *next_fetch = now;
        if let Some(diverging) = &response.diverging_epoch {
            let (_, own_end) = self.log.end_offset_for_epoch(diverging.epoch);
            self.log.truncate_to(own_end.min(diverging.end_offset));
        }
        for batch in &response.batches {
            if batch.base_offset == self.log.end_offset() {
                self.log.append(batch.clone());
            }
        }
        self.high_watermark =
            self.high_watermark.max(response.high_watermark.min(self.log.end_offset()));
        self.fetch(now, outputs);
    }

    /// Starts anew from an image that ends at `end_offset`.
    pub fn install_snapshot(&mut self, end_offset: Offset, epoch: i32) {
        self.log.reset_to(end_offset, epoch);
        self.high_watermark = end_offset;
    }

    /// Forgets what an image at `committed` holds anyway.
    pub fn trim(&mut self, committed: Offset) {
        self.log.trim(committed, KEPT_BATCHES);
    }

    /// A request to `peer` was not answered: the connection is gone or it took too long.
    pub fn on_unanswered(&mut self, now: Micros, peer: BrokerId) {
        if let Role::Follower { leader, fetch_in_flight, next_fetch, .. } = &mut self.role
            && *leader == peer
        {
            *fetch_in_flight = false;
            *next_fetch = now + RETRY_BACKOFF;
        }
    }

    /// Takes a newer epoch (or the leader of this one) from a response; true if that changed the role.
    fn learn(
        &mut self,
        now: Micros,
        random: &mut Random,
        epoch: i32,
        leader: BrokerId,
        outputs: &mut QuorumOutputs,
    ) -> bool {
        if epoch < self.epoch
            || (epoch == self.epoch && (leader < 0 || self.leader() == Some(leader)))
        {
            return false;
        }
        let given_up = epoch == self.epoch && self.given_up == Some(leader);
        if leader >= 0 && leader != self.id && !given_up {
            self.follow(now, epoch, leader, outputs);
        } else if epoch > self.epoch {
            self.epoch = epoch;
            self.voted = None;
            self.become_unattached(now, random);
        } else {
            return false;
        }
        true
    }

    // ---- roles

    fn is_voter(&self) -> bool {
        self.voters.contains(&self.id)
    }

    fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    fn other_voters(&self) -> Vec<BrokerId> {
        self.voters.iter().copied().filter(|&id| id != self.id).collect()
    }

    fn election_timeout(random: &mut Random) -> Micros {
        Micros::from_ms(ELECTION_TIMEOUT_MS) + Micros(random.below(ELECTION_TIMEOUT_MS * 1_000))
    }

    fn become_unattached(&mut self, now: Micros, random: &mut Random) {
        let election_deadline =
            if self.is_voter() { now + Self::election_timeout(random) } else { Micros::MAX };
        self.role = Role::Unattached { election_deadline };
    }

    fn follow(&mut self, now: Micros, epoch: i32, leader: BrokerId, outputs: &mut QuorumOutputs) {
        if epoch > self.epoch {
            self.epoch = epoch;
            self.voted = None;
        } else if self.leader() == Some(leader) {
            return;
        }
        self.given_up = None;
        self.role = Role::Follower {
            leader,
            fetch_deadline: now + FETCH_TIMEOUT,
            fetch_in_flight: false,
            next_fetch: now,
        };
        self.fetch(now, outputs);
    }

    fn become_prospective(
        &mut self,
        now: Micros,
        random: &mut Random,
        outputs: &mut QuorumOutputs,
    ) {
        let election_deadline = now + Self::election_timeout(random);
        let granted = SortedSet::from([self.id]);
        self.role = Role::Prospective { granted, refused: SortedSet::new(), election_deadline };
        if self.majority() == 1 {
            self.become_candidate(now, random, outputs);
        } else {
            self.ask_for_votes(true, outputs);
        }
    }

    fn become_candidate(&mut self, now: Micros, random: &mut Random, outputs: &mut QuorumOutputs) {
        self.epoch += 1;
        self.voted = Some(self.id);
        let election_deadline = now + Self::election_timeout(random);
        let granted = SortedSet::from([self.id]);
        self.role = Role::Candidate { granted, refused: SortedSet::new(), election_deadline };
        if self.majority() == 1 {
            self.become_leader(now, outputs);
        } else {
            self.ask_for_votes(false, outputs);
        }
    }

    fn ask_for_votes(&self, pre_vote: bool, outputs: &mut QuorumOutputs) {
        for voter_id in self.other_voters() {
            let request = VoteRequest {
                cluster_id: Some(self.cluster_id.clone()),
                voter_id,
                replica_epoch: self.epoch,
                replica_id: self.id,
                last_offset_epoch: self.log.last_epoch(),
                last_offset: self.log.end_offset(),
                pre_vote,
            };
            outputs.requests.push((voter_id, request.into()));
        }
    }

    fn become_leader(&mut self, now: Micros, outputs: &mut QuorumOutputs) {
        let end = self.log.end_offset();
        self.role = Role::Leader(Leader {
            epoch_start: end,
            offered_end: end,
            begin_epoch_at: now + BEGIN_EPOCH_INTERVAL,
            check_quorum_at: now + CHECK_QUORUM,
            ..Leader::default()
        });
        self.begin_epoch(&self.other_voters(), outputs);
    }

    fn begin_epoch(&self, voters: &[BrokerId], outputs: &mut QuorumOutputs) {
        for &voter_id in voters {
            let request = BeginQuorumEpochRequest {
                cluster_id: Some(self.cluster_id.clone()),
                voter_id,
                leader_id: self.id,
                leader_epoch: self.epoch,
            };
            outputs.requests.push((voter_id, request.into()));
        }
    }

    fn fetch(&mut self, now: Micros, outputs: &mut QuorumOutputs) {
        let request = FetchMetadataRequest {
            cluster_id: Some(self.cluster_id.clone()),
            replica_id: self.id,
            current_leader_epoch: self.epoch,
            fetch_offset: self.log.end_offset(),
            last_fetched_epoch: self.log.last_epoch(),
            high_watermark: self.high_watermark,
            max_wait_ms: MAX_FETCH_WAIT_MS,
        };
        let Role::Follower { leader, fetch_in_flight, next_fetch, .. } = &mut self.role else {
            return;
        };
        if *fetch_in_flight || *next_fetch > now {
            return;
        }
        *fetch_in_flight = true;
        outputs.requests.push((*leader, request.into()));
    }

    /// Committed is what a majority of voters has, once that includes a record of this epoch (Raft §5.4.2).
    fn advance_high_watermark(&mut self) {
        let majority = self.majority();
        let Role::Leader(leader) = &self.role else { return };
        let mut ends: Vec<Offset> = self
            .voters
            .iter()
            .map(|id| {
                if *id == self.id {
                    leader.offered_end
                } else {
                    leader.replicas.get(id).map_or(0, |progress| progress.end_offset)
                }
            })
            .collect();
        simulation::sorted::sort_by(&mut ends, |a, b| b.cmp(a));
        let committed = ends[majority - 1];
        if committed > leader.epoch_start {
            self.high_watermark = self.high_watermark.max(committed);
        }
    }
}
