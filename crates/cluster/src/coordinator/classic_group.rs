//! One group of the classic protocol. Kafka: `ClassicGroup`, `ClassicGroupMember`, `ClassicGroupState`.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};

use super::RequestToken;
use super::record::{GroupMetadataValue, MemberMetadata};
use crate::java::{JavaHash, JavaHashMap};
use crate::protocol::consumer_protocol::{self, Subscription};
use crate::protocol::{
    DescribedGroup, DescribedGroupMember, ErrorCode, JoinGroupRequestProtocol,
    JoinGroupResponseMember, Opaque,
};
use crate::types::TimestampMs;

/// Where a classic group is in its life; printed as tools show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassicGroupState {
    /// No members, but perhaps offsets.
    Empty,
    /// Waiting for all members to join again.
    PreparingRebalance,
    /// All have joined; waiting for the leader's assignment.
    CompletingRebalance,
    Stable,
    Dead,
}

impl ClassicGroupState {
    /// As in `ListGroups` and `DescribeGroups`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }
}

/// A member and, while one of its requests waits, whom to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassicGroupMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Milliseconds that a rebalance may wait for this member.
    pub rebalance_timeout_ms: i32,
    /// Milliseconds without a heartbeat after which the member is gone.
    pub session_timeout_ms: i32,
    /// What the member can run, most wanted first, each with its subscription.
    pub supported_protocols: Vec<JoinGroupRequestProtocol>,
    pub assignment: Opaque,
    pub(super) awaiting_join: Option<RequestToken>,
    pub(super) awaiting_sync: Option<RequestToken>,
    /// Joined and not yet answered: its session runs even while its JoinGroup waits.
    pub(super) is_new: bool,
}

impl ClassicGroupMember {
    /// The subscription that goes with `protocol`; empty if the member does not support it.
    pub fn metadata(&self, protocol: &str) -> Opaque {
        self.supported_protocols
            .iter()
            .find(|supported| supported.name == protocol)
            .map_or_else(Opaque::default, |supported| supported.metadata.clone())
    }

    /// Members that wait for an answer need not send heartbeats.
    pub(super) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    fn vote<'a>(&'a self, candidates: &[&str]) -> Option<&'a str> {
        self.supported_protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .find(|name| candidates.contains(name))
    }
}

/// A group of the classic protocol, or (without protocol type) the offsets of a consumer that manages itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassicGroup {
    pub group_id: String,
    pub state: ClassicGroupState,
    pub(super) previous_state: ClassicGroupState,
    pub generation_id: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader_id: Option<String>,
    pub current_state_timestamp: Option<TimestampMs>,
    /// In the order in which they came; Kafka's own order is [`Self::members`].
    members: Vec<ClassicGroupMember>,
    /// Buckets of Kafka's hash map of members: it grows and never shrinks.
    buckets: u32,
    static_members: SortedMap<String, String>,
    /// Told their member id, and not yet back with it.
    pub(super) pending_join_members: SortedSet<String>,
    /// Answered their join, and not yet synced.
    pub(super) pending_sync_members: SortedSet<String>,
    /// Somebody came while the first rebalance of an empty group was delayed.
    pub(super) new_member_added: bool,
    /// None where the members' subscriptions cannot be read.
    subscribed_topics: Option<SortedSet<String>>,
}

impl ClassicGroup {
    pub(super) fn new(group_id: &str, now_ms: TimestampMs) -> Self {
        Self {
            group_id: group_id.to_owned(),
            state: ClassicGroupState::Empty,
            previous_state: ClassicGroupState::Dead,
            generation_id: 0,
            protocol_type: None,
            protocol_name: None,
            leader_id: None,
            current_state_timestamp: Some(now_ms),
            members: Vec::new(),
            buckets: 16,
            static_members: SortedMap::new(),
            pending_join_members: SortedSet::new(),
            pending_sync_members: SortedSet::new(),
            new_member_added: false,
            subscribed_topics: None,
        }
    }

    /// The group of a consumer that only stores offsets here: no members, no protocol.
    pub(super) fn simple(group_id: &str) -> Self {
        Self { current_state_timestamp: None, ..Self::new(group_id, 0) }
    }

    /// The group as the log has it.
    pub(super) fn from_record(group_id: &str, value: &GroupMetadataValue) -> Self {
        let mut group = Self::new(group_id, 0);
        group.generation_id = value.generation;
        group.protocol_type = Some(value.protocol_type.clone()).filter(|kind| !kind.is_empty());
        group.protocol_name.clone_from(&value.protocol);
        group.leader_id.clone_from(&value.leader);
        group.current_state_timestamp =
            Some(value.current_state_timestamp).filter(|timestamp| *timestamp != -1);
        for member in &value.members {
            let member = ClassicGroupMember {
                member_id: member.member_id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                rebalance_timeout_ms: match member.rebalance_timeout {
                    -1 => member.session_timeout,
                    timeout => timeout,
                },
                session_timeout_ms: member.session_timeout,
                supported_protocols: vec![JoinGroupRequestProtocol {
                    name: value.protocol.clone().unwrap_or_default(),
                    metadata: member.subscription.clone(),
                }],
                assignment: member.assignment.clone(),
                awaiting_join: None,
                awaiting_sync: None,
                is_new: false,
            };
            group.add(member, &value.protocol_type);
        }
        if !group.members.is_empty() {
            group.state = ClassicGroupState::Stable;
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// The group as it is written, with these assignments instead of the members' own.
    pub(super) fn to_record(&self, assignments: &SortedMap<String, Opaque>) -> GroupMetadataValue {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation_id,
            protocol: self.protocol_name.clone(),
            leader: self.leader_id.clone(),
            current_state_timestamp: self.current_state_timestamp.unwrap_or(-1),
            members: self
                .members()
                .map(|member| MemberMetadata {
                    member_id: member.member_id.clone(),
                    group_instance_id: member.group_instance_id.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    rebalance_timeout: member.rebalance_timeout_ms,
                    session_timeout: member.session_timeout_ms,
                    subscription: member.metadata(protocol),
                    assignment: assignments.get(&member.member_id).cloned().unwrap_or_default(),
                })
                .collect(),
        }
    }

    /// The members in the order of Kafka's hash map, which shows in answers and in the log.
    pub fn members(&self) -> impl Iterator<Item = &ClassicGroupMember> {
        let mut order: Vec<(u32, usize)> = self
            .members
            .iter()
            .enumerate()
            .map(|(index, member)| (self.bucket(&member.member_id), index))
            .collect();
        simulation::sorted::sort(&mut order);
        order.into_iter().map(|(_, index)| &self.members[index])
    }

    fn bucket(&self, member_id: &str) -> u32 {
        let hash = member_id.java_hash() as u32;
        (hash ^ hash >> 16) & (self.buckets - 1)
    }

    /// The ids of the members, in their order.
    pub(super) fn member_ids(&self) -> Vec<String> {
        self.members().map(|member| member.member_id.clone()).collect()
    }

    pub fn member(&self, member_id: &str) -> Option<&ClassicGroupMember> {
        self.members.iter().find(|member| member.member_id == member_id)
    }

    pub(super) fn member_mut(&mut self, member_id: &str) -> Option<&mut ClassicGroupMember> {
        self.members.iter_mut().find(|member| member.member_id == member_id)
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader_id.as_deref() == Some(member_id)
    }

    pub(super) fn static_member_id(&self, instance_id: &str) -> Option<&str> {
        self.static_members.get(instance_id).map(String::as_str)
    }

    /// The first member decides the protocol type and leads.
    pub(super) fn add(&mut self, member: ClassicGroupMember, protocol_type: &str) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.to_owned()).filter(|kind| !kind.is_empty());
        }
        if let Some(instance) = &member.group_instance_id {
            self.static_members.insert(instance.clone(), member.member_id.clone());
        }
        if self.leader_id.is_none() {
            self.leader_id = Some(member.member_id.clone());
        }
        self.pending_join_members.remove(&member.member_id);
        self.members.push(member);
        if self.members.len() as u32 > self.buckets / 4 * 3 {
            self.buckets *= 2;
        }
    }

    pub(super) fn remove(&mut self, member_id: &str) {
        if let Some(index) = self.members.iter().position(|member| member.member_id == member_id) {
            let member = self.members.remove(index);
            if let Some(instance) = &member.group_instance_id {
                self.static_members.remove(instance);
            }
        }
        if self.is_leader(member_id) {
            let next = self.members().next().map(|member| member.member_id.clone());
            self.leader_id = next;
        }
        self.pending_join_members.remove(member_id);
        self.pending_sync_members.remove(member_id);
    }

    /// A static member came back under a new id: it takes the old one's place and assignment.
    pub(super) fn replace_static_member(&mut self, instance: &str, old_id: &str, new_id: &str) {
        let Some(index) = self.members.iter().position(|member| member.member_id == old_id) else {
            return;
        };
        let mut member = self.members.remove(index);
        member.member_id = new_id.to_owned();
        member.awaiting_join = None;
        member.awaiting_sync = None;
        member.is_new = false;
        self.members.push(member);
        if self.is_leader(old_id) {
            self.leader_id = Some(new_id.to_owned());
        }
        self.static_members.insert(instance.to_owned(), new_id.to_owned());
    }

    /// If the leader has not joined in time, the first who did leads. False: nobody joined.
    pub(super) fn maybe_elect_new_joined_leader(&mut self) -> bool {
        let Some(leader) = self.leader_id.as_deref().and_then(|leader| self.member(leader)) else {
            return false;
        };
        if leader.awaiting_join.is_some() {
            return true;
        }
        let joined = self
            .members()
            .find(|member| member.awaiting_join.is_some())
            .map(|member| member.member_id.clone());
        let elected = joined.is_some();
        if elected {
            self.leader_id = joined;
        }
        elected
    }

    pub(super) fn awaiting_join_count(&self) -> usize {
        self.members.iter().filter(|member| member.awaiting_join.is_some()).count()
    }

    pub(super) fn has_all_members_joined(&self) -> bool {
        self.members.len() == self.awaiting_join_count() && self.pending_join_members.is_empty()
    }

    /// The longest that any member grants a rebalance, in milliseconds.
    pub(super) fn rebalance_timeout_ms(&self) -> u64 {
        self.members
            .iter()
            .map(|member| member.rebalance_timeout_ms.max(0) as u64)
            .max()
            .unwrap_or(0)
    }

    pub(super) fn validate_member(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance) = instance_id {
            match self.static_member_id(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(existing) if existing != member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        self.member(member_id).map(|_| ()).ok_or(ErrorCode::UnknownMemberId)
    }

    pub(super) fn transition_to(&mut self, state: ClassicGroupState, now_ms: TimestampMs) {
        self.previous_state = self.state;
        self.state = state;
        self.current_state_timestamp = Some(now_ms);
    }

    pub(super) fn can_rebalance(&self) -> bool {
        use ClassicGroupState::{CompletingRebalance, Empty, Stable};
        matches!(self.state, Stable | CompletingRebalance | Empty)
    }

    /// Whether a joiner with these protocols can run with the others.
    pub(super) fn supports_protocols(
        &self,
        kind: &str,
        protocols: &[JoinGroupRequestProtocol],
    ) -> bool {
        if self.state == ClassicGroupState::Empty {
            return !kind.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(kind)
            && protocols.iter().any(|protocol| self.is_supported_by_all(&protocol.name))
    }

    fn is_supported_by_all(&self, protocol: &str) -> bool {
        self.members.iter().all(|member| {
            member.supported_protocols.iter().any(|supported| supported.name == protocol)
        })
    }

    /// Of the protocols that all support, the one most members want most.
    pub(super) fn select_protocol(&self) -> Option<String> {
        let candidates: Vec<&str> = self
            .members
            .first()?
            .supported_protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| self.is_supported_by_all(name))
            .collect();
        // Kafka counts the votes in a hash map; of equal counts the first in its order wins.
        let mut votes: JavaHashMap<&str, u32> = JavaHashMap::new();
        for vote in self.members().filter_map(|member| member.vote(&candidates)) {
            let count = votes.get(&vote).copied().unwrap_or(0);
            votes.insert(vote, count + 1);
        }
        let mut best: Option<(&str, u32)> = None;
        for (name, count) in votes.iter() {
            if best.is_none_or(|(_, most)| *count > most) {
                best = Some((name, *count));
            }
        }
        best.map(|(name, _)| name.to_owned())
    }

    /// All have joined (or the time is up): the next generation begins.
    pub(super) fn init_next_generation(&mut self, now_ms: TimestampMs) {
        self.generation_id += 1;
        self.protocol_name = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        let next = if self.members.is_empty() {
            ClassicGroupState::Empty
        } else {
            ClassicGroupState::CompletingRebalance
        };
        self.transition_to(next, now_ms);
        self.pending_sync_members.clear();
    }

    /// Every member with its subscription, for the leader.
    pub(super) fn current_members(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        self.members()
            .map(|member| JoinGroupResponseMember {
                member_id: member.member_id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                metadata: member.metadata(protocol),
            })
            .collect()
    }

    pub(super) fn uses_consumer_group_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(consumer_protocol::PROTOCOL_TYPE)
    }

    /// None where the coordinator cannot know: no consumers, or subscriptions that it cannot read.
    pub fn subscribed_topics(&self) -> Option<&SortedSet<String>> {
        self.subscribed_topics.as_ref()
    }

    /// Where the subscriptions cannot be read, a consumer group counts as subscribed to everything.
    pub(super) fn is_subscribed_to_topic(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_group_protocol(),
        }
    }

    fn compute_subscribed_topics(&self) -> Option<SortedSet<String>> {
        if !self.uses_consumer_group_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(SortedSet::new());
        }
        let protocol = self.protocol_name.as_deref()?;
        let mut topics = SortedSet::new();
        for member in &self.members {
            let subscription = Subscription::decode(&member.metadata(protocol).0)?;
            topics.extend(subscription.topics);
        }
        Some(topics)
    }

    /// The group as `DescribeGroups` shows it.
    pub fn describe(&self) -> DescribedGroup {
        let stable = self.state == ClassicGroupState::Stable;
        let protocol = self.protocol_name.as_deref().filter(|_| stable);
        DescribedGroup {
            error_code: 0,
            error_message: None,
            group_id: self.group_id.clone(),
            group_state: self.state.name().to_owned(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_data: protocol.unwrap_or_default().to_owned(),
            members: self
                .members()
                .map(|member| DescribedGroupMember {
                    member_id: member.member_id.clone(),
                    group_instance_id: member.group_instance_id.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    member_metadata: protocol.map(|name| member.metadata(name)).unwrap_or_default(),
                    member_assignment: member.assignment.clone(),
                })
                .collect(),
        }
    }
}
