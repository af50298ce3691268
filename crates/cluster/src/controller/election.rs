//! How one partition changes: its leader, ISR, eligible leader replicas and assignment. Kafka: `PartitionChangeBuilder`.
//!
//! The eligible leader replicas (ELR, KIP-966) left the ISR while it was smaller than `min.insync.replicas`, so they
//! have every committed record: when the ISR is empty, one of them may lead without loss.

use super::image::PartitionRegistration;
use super::records::MetadataRecord;
use crate::java::JavaHashSet;
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

/// "No broker". Kafka: `LeaderConstants.NO_LEADER`.
pub const NO_LEADER: BrokerId = -1;

/// The leader has all committed records.
pub const RECOVERED: i8 = 0;
/// The leader came by an unclean election and still repairs its log.
pub const RECOVERING: i8 = 1;

/// Who may become leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The preferred replica if it may lead, else whoever may.
    Preferred,
    /// The present leader if it still may lead, else whoever may.
    Online,
    /// As `Online`; where nobody may lead, any live replica, though records may be lost.
    Unclean,
}

/// What holds for every change of a partition at one moment.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Whether a broker is alive and may lead.
    pub acceptable: &'a dyn Fn(BrokerId) -> bool,
    /// The topic's `min.insync.replicas`, at most its replication factor.
    pub min_isr: usize,
    /// Whether the feature `eligible.leader.replicas.version` is on.
    pub elr_enabled: bool,
    /// Whether the last known leader may lead again where ISR and ELR are empty ("balanced recovery").
    pub use_last_known_leader: bool,
}

/// A change in the making: what is wanted; [`PartitionChangeBuilder::build`] adds what follows from it.
pub struct PartitionChangeBuilder<'a> {
    partition: &'a PartitionRegistration,
    topic_id: Uuid,
    partition_id: PartitionIndex,
    rules: Rules<'a>,
    pub election: Election,
    pub target_isr: Vec<BrokerId>,
    pub target_replicas: Vec<BrokerId>,
    pub target_removing: Vec<BrokerId>,
    pub target_adding: Vec<BrokerId>,
    pub target_leader_recovery_state: i8,
    /// Replicas that came back from an unclean shutdown: they may have lost records.
    pub unclean_shutdown_replicas: Vec<BrokerId>,
    target_elr: Vec<BrokerId>,
    target_last_known_elr: Vec<BrokerId>,
}

/// The fields of a `PartitionChange` that are set.
#[derive(Default)]
struct Change {
    isr: Option<Vec<BrokerId>>,
    leader: Option<BrokerId>,
    leader_recovery_state: Option<i8>,
    elr: Option<Vec<BrokerId>>,
    last_known_elr: Option<Vec<BrokerId>>,
}

struct Elected {
    leader: BrokerId,
    unclean: bool,
}

const fn cleanly(leader: BrokerId) -> Elected {
    Elected { leader, unclean: false }
}

impl<'a> PartitionChangeBuilder<'a> {
    /// A change that wants nothing yet.
    pub fn new(
        partition: &'a PartitionRegistration,
        topic_id: Uuid,
        partition_id: PartitionIndex,
        rules: Rules<'a>,
    ) -> Self {
        Self {
            partition,
            topic_id,
            partition_id,
            rules,
            election: Election::Online,
            target_isr: partition.isr.clone(),
            target_replicas: partition.replicas.clone(),
            target_removing: partition.removing_replicas.clone(),
            target_adding: partition.adding_replicas.clone(),
            target_leader_recovery_state: partition.leader_recovery_state,
            unclean_shutdown_replicas: Vec::new(),
            target_elr: partition.elr.clone(),
            target_last_known_elr: partition.last_known_elr.clone(),
        }
    }

    /// The record that makes the change; none if nothing changes.
    pub fn build(mut self) -> Option<MetadataRecord> {
        let mut change = Change::default();
        self.complete_reassignment();
        self.populate_target_elr();
        self.elect(&mut change);
        self.bump_epoch_for_removed_replicas(&mut change);
        self.update_elr(&mut change);
        let isr_may_change = !self.target_isr.is_empty() || self.rules.elr_enabled;
        if change.isr.is_none() && isr_may_change && self.target_isr != self.partition.isr {
            change.isr = Some(self.target_isr.clone());
        }
        self.update_last_known_leader(&mut change);
        if self.target_leader_recovery_state != self.partition.leader_recovery_state {
            change.leader_recovery_state = Some(self.target_leader_recovery_state);
        }
        self.into_record(change)
    }

    fn into_record(self, change: Change) -> Option<MetadataRecord> {
        let old = self.partition;
        let changed = |target: Vec<BrokerId>, old: &[BrokerId]| (target != old).then_some(target);
        let replicas = if self.target_replicas.is_empty() {
            None
        } else {
            changed(self.target_replicas, &old.replicas)
        };
        let removing_replicas = changed(self.target_removing, &old.removing_replicas);
        let adding_replicas = changed(self.target_adding, &old.adding_replicas);
        let nothing = change.isr.is_none()
            && change.elr.is_none()
            && change.last_known_elr.is_none()
            && change.leader.is_none()
            && change.leader_recovery_state.is_none()
            && replicas.is_none()
            && removing_replicas.is_none()
            && adding_replicas.is_none();
        (!nothing).then_some(MetadataRecord::PartitionChange {
            partition_id: self.partition_id,
            topic_id: self.topic_id,
            isr: change.isr,
            leader: change.leader,
            replicas,
            removing_replicas,
            adding_replicas,
            leader_recovery_state: change.leader_recovery_state,
            eligible_leader_replicas: change.elr,
            last_known_elr: change.last_known_elr,
        })
    }

    /// A reassignment is done when every replica to be added is in the ISR.
    fn complete_reassignment(&mut self) {
        if self.target_removing.is_empty() && self.target_adding.is_empty() {
            return;
        }
        let staying = |list: &[BrokerId]| -> Vec<BrokerId> {
            list.iter().copied().filter(|replica| !self.target_removing.contains(replica)).collect()
        };
        let (isr, replicas) = (staying(&self.target_isr), staying(&self.target_replicas));
        if !self.target_removing.is_empty() && (isr.is_empty() || replicas.is_empty()) {
            return;
        }
        let shrinks = self.target_adding.len() < self.target_removing.len();
        if !contains_all(&isr, &self.target_adding) || (shrinks && !contains_all(&isr, &replicas)) {
            return;
        }
        self.target_isr = isr;
        self.target_replicas = replicas;
        self.target_removing.clear();
        self.target_adding.clear();
    }

    /// Who left an ISR that is too small stays eligible, unless it may have lost records.
    fn populate_target_elr(&mut self) {
        if !self.rules.elr_enabled {
            return;
        }
        if self.target_isr.len() >= self.rules.min_isr {
            self.target_elr.clear();
            self.target_last_known_elr.clear();
            return;
        }
        // Java's hash order of the candidates shows in the record.
        let mut candidates = JavaHashSet::copy_of(self.target_elr.iter().copied());
        self.partition.isr.iter().for_each(|replica| _ = candidates.insert(*replica));
        self.target_elr = candidates
            .iter()
            .copied()
            .filter(|replica| !self.target_isr.contains(replica))
            .filter(|replica| !self.unclean_shutdown_replicas.contains(replica))
            .collect();
        self.target_last_known_elr.iter().for_each(|replica| _ = candidates.insert(*replica));
        self.target_last_known_elr = candidates
            .iter()
            .copied()
            .filter(|replica| {
                !self.target_isr.contains(replica) && !self.target_elr.contains(replica)
            })
            .collect();
    }

    fn may_lead(&self, replica: BrokerId) -> bool {
        let in_sync = self.target_isr.contains(&replica)
            || (self.target_isr.is_empty() && self.target_elr.contains(&replica));
        in_sync && (self.rules.acceptable)(replica)
    }

    fn elect_leader(&self) -> Elected {
        let preferred =
            self.target_replicas.first().copied().filter(|_| self.election == Election::Preferred);
        let candidates = preferred
            .into_iter()
            .chain([self.partition.leader])
            .chain(self.target_replicas.iter().copied());
        if let Some(leader) = candidates.into_iter().find(|replica| self.may_lead(*replica)) {
            return cleanly(leader);
        }
        if let Some(leader) = self.last_known_leader() {
            return Elected { leader, unclean: true };
        }
        let live =
            self.target_replicas.iter().copied().find(|replica| (self.rules.acceptable)(*replica));
        match live {
            Some(leader) if self.election == Election::Unclean => Elected { leader, unclean: true },
            _ => cleanly(NO_LEADER),
        }
    }

    fn last_known_leader(&self) -> Option<BrokerId> {
        let allowed = self.rules.elr_enabled && self.rules.use_last_known_leader;
        let nobody_else = self.target_elr.is_empty() && self.target_isr.is_empty();
        match self.partition.last_known_elr.as_slice() {
            [leader] if allowed && nobody_else && (self.rules.acceptable)(*leader) => Some(*leader),
            _ => None,
        }
    }

    fn elect(&mut self, change: &mut Change) {
        let elected = self.elect_leader();
        if elected.leader == self.partition.leader {
            return;
        }
        if self.target_elr.contains(&elected.leader) {
            self.target_isr = vec![elected.leader];
            self.target_elr.retain(|replica| *replica != elected.leader);
        }
        change.leader = Some(elected.leader);
        if elected.unclean {
            change.isr = Some(vec![elected.leader]);
            if self.partition.leader_recovery_state != RECOVERING {
                change.leader_recovery_state = Some(RECOVERING);
            }
        }
    }

    /// A replica that was removed must not go on fetching as if nothing had changed.
    fn bump_epoch_for_removed_replicas(&self, change: &mut Change) {
        if change.leader.is_none() && !contains_all(&self.target_replicas, &self.partition.replicas)
        {
            change.leader = Some(self.partition.leader);
        }
    }

    fn update_elr(&mut self, change: &mut Change) {
        let clean = change.isr.is_none();
        if !clean || !self.rules.elr_enabled {
            self.target_elr.clear();
            self.target_last_known_elr.clear();
        }
        if self.target_elr != self.partition.elr {
            change.elr = Some(self.target_elr.clone());
        }
        if !self.rules.use_last_known_leader
            && self.target_last_known_elr != self.partition.last_known_elr
        {
            change.last_known_elr = Some(self.target_last_known_elr.clone());
        }
    }

    fn update_last_known_leader(&self, change: &mut Change) {
        if !self.rules.use_last_known_leader || !self.rules.elr_enabled {
            return;
        }
        let known = !self.partition.last_known_elr.is_empty();
        match change.leader {
            Some(NO_LEADER) if !known => change.last_known_elr = Some(vec![self.partition.leader]),
            Some(leader) if leader >= 0 && known => change.last_known_elr = Some(Vec::new()),
            _ => {}
        }
    }
}

fn contains_all(list: &[BrokerId], all: &[BrokerId]) -> bool {
    all.iter().all(|broker| list.contains(broker))
}
