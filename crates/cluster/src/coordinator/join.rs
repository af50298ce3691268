//! JoinGroup and everything up to the next generation. Kafka: the `classicGroupJoin…` methods of `GroupMetadataManager`.

use simulation::{Draw, Micros};

use super::classic_group::{ClassicGroup, ClassicGroupMember, ClassicGroupState as State};
use super::record::CoordinatorRecord;
use super::shard::{Now, Shard, Then};
use super::timer::{Deadline, Key};
use super::{Caller, CoordinatorOutput, RequestToken, no_join};
use crate::event::ClusterEvent;
use crate::protocol::{ErrorCode, JoinGroupRequest, JoinGroupResponse, Opaque};
use crate::uuid::Uuid;

/// How long a new member that was not yet answered is kept. Kafka: `group.coordinator…NEW_MEMBER_JOIN_TIMEOUT_MS`.
const NEW_MEMBER_JOIN_TIMEOUT: Micros = Micros::from_secs(300);

impl Shard {
    pub(super) fn join_group(
        &mut self,
        now: Now,
        caller: &Caller,
        request: &JoinGroupRequest,
        draw: &mut impl Draw,
        out: &mut CoordinatorOutput,
    ) {
        let token = caller.token;
        let member_id = request.member_id.as_str();
        let is_new_group = !self.groups.contains_key(&request.group_id);
        if is_new_group && !member_id.is_empty() {
            return refuse_join(token, member_id, ErrorCode::UnknownMemberId, out);
        }
        let mut group = match self.groups.remove(&request.group_id) {
            Some(group) => group,
            None => ClassicGroup::new(&request.group_id, now.ms),
        };
        if !self.accepts(&group, member_id) {
            group.remove(member_id);
            refuse_join(token, "", ErrorCode::GroupMaxSizeReached, out);
        } else if member_id.is_empty() {
            self.join_new_member(now, caller, request, &mut group, draw, out);
        } else {
            self.join_existing_member(now, caller, request, &mut group, out);
        }
        if is_new_group {
            // The group exists from now on, even if this broker fails before the first generation.
            let value = Some(
                ClassicGroup::new(&request.group_id, now.ms)
                    .to_record(&simulation::sorted::SortedMap::new()),
            );
            let record =
                CoordinatorRecord::GroupMetadata { group: request.group_id.clone(), value };
            self.decide(now, vec![record], false, Then::Nothing, out);
        }
        self.groups.insert(request.group_id.clone(), group);
    }

    fn accepts(&self, group: &ClassicGroup, member_id: &str) -> bool {
        let max_size = self.config.max_size;
        match group.state {
            State::Empty | State::Dead => true,
            State::PreparingRebalance => {
                group.member(member_id).is_some_and(|member| member.awaiting_join.is_some())
                    || (group.awaiting_join_count() as u64) < max_size
            }
            State::CompletingRebalance | State::Stable => {
                group.member(member_id).is_some() || (group.len() as u64) < max_size
            }
        }
    }

    fn join_new_member(
        &mut self,
        now: Now,
        caller: &Caller,
        request: &JoinGroupRequest,
        group: &mut ClassicGroup,
        draw: &mut impl Draw,
        out: &mut CoordinatorOutput,
    ) {
        if !group.supports_protocols(&request.protocol_type, &request.protocols) {
            return refuse_join(caller.token, "", ErrorCode::InconsistentGroupProtocol, out);
        }
        let prefix = request.group_instance_id.as_deref().unwrap_or(&caller.client_id);
        let member_id = format!("{prefix}-{}", java_random_uuid(draw).hyphenated());
        match request.group_instance_id.as_deref() {
            None => {
                // The member must come back with its id, so that a lost answer leaves no ghost in the group.
                let session = Micros::from_ms(request.session_timeout_ms.max(0) as u64);
                let deadline = Deadline::Heartbeat {
                    group: group.group_id.clone(),
                    member: member_id.clone(),
                };
                self.timers.schedule(now.at + session, deadline);
                refuse_join(caller.token, &member_id, ErrorCode::MemberIdRequired, out);
                group.pending_join_members.insert(member_id);
            }
            Some(instance) => match group.static_member_id(instance).map(str::to_owned) {
                Some(old_id) => {
                    self.rejoin_static_member(
                        now, caller, request, group, instance, &old_id, &member_id, out,
                    );
                }
                None => self.add_member(now, caller, request, group, member_id, out),
            },
        }
    }

    fn join_existing_member(
        &mut self,
        now: Now,
        caller: &Caller,
        request: &JoinGroupRequest,
        group: &mut ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        let (token, member_id) = (caller.token, request.member_id.as_str());
        if !group.supports_protocols(&request.protocol_type, &request.protocols) {
            return refuse_join(token, member_id, ErrorCode::InconsistentGroupProtocol, out);
        }
        if group.pending_join_members.contains(member_id) {
            return self.add_member(now, caller, request, group, member_id.to_owned(), out);
        }
        if let Err(error) = group.validate_member(member_id, request.group_instance_id.as_deref()) {
            return refuse_join(token, member_id, error, out);
        }
        let Some(member) = group.member(member_id) else { return };
        let unchanged = member.supported_protocols == request.protocols;
        let reason =
            request.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("not provided");
        match group.state {
            State::PreparingRebalance => {
                self.update_member(now, token, request, group, &format!("Member {member_id} is joining group during PreparingRebalance; client reason: {reason}"), out);
            }
            // Perhaps it missed the answer of this generation: here it is again.
            State::CompletingRebalance if unchanged => {
                out.respond(token, generation(group, member_id, group.is_leader(member_id)));
            }
            State::Stable if unchanged && !group.is_leader(member_id) => {
                out.respond(token, generation(group, member_id, false));
            }
            State::Stable if group.is_leader(member_id) => {
                // The leader alone sees what changes the assignment, such as new partitions.
                self.update_member(
                    now,
                    token,
                    request,
                    group,
                    &format!(
                        "Leader {member_id} re-joining group during Stable; client reason: {reason}"
                    ),
                    out,
                );
            }
            State::CompletingRebalance | State::Stable => {
                let state = group.state.name();
                self.update_member(now, token, request, group, &format!("Updating metadata for member {member_id} during {state}; client reason: {reason}"), out);
            }
            State::Empty | State::Dead => {
                refuse_join(token, member_id, ErrorCode::UnknownMemberId, out);
            }
        }
    }

    fn add_member(
        &mut self,
        now: Now,
        caller: &Caller,
        request: &JoinGroupRequest,
        group: &mut ClassicGroup,
        member_id: String,
        out: &mut CoordinatorOutput,
    ) {
        if group.state == State::PreparingRebalance && group.previous_state == State::Empty {
            group.new_member_added = true;
        }
        out.events.push(ClusterEvent::MemberJoined {
            group: group.group_id.clone(),
            member: member_id.clone(),
        });
        let member = ClassicGroupMember {
            member_id: member_id.clone(),
            group_instance_id: request.group_instance_id.clone(),
            client_id: caller.client_id.clone(),
            client_host: caller.client_host.clone(),
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            supported_protocols: request.protocols.clone(),
            assignment: Opaque::default(),
            awaiting_join: Some(caller.token),
            awaiting_sync: None,
            is_new: true,
        };
        group.add(member, &request.protocol_type);
        // A member that waits for its first answer sends no heartbeats: its request itself has an end.
        self.schedule_heartbeat(now, group, &member_id, NEW_MEMBER_JOIN_TIMEOUT);
        let instance = request.group_instance_id.as_deref().unwrap_or("null");
        let reason =
            request.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("not provided");
        let reason = format!(
            "Adding new member {member_id} with group instance id {instance}; client reason: {reason}"
        );
        self.prepare_rebalance_or_complete_join(now, group, &reason, out);
    }

    fn update_member(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &JoinGroupRequest,
        group: &mut ClassicGroup,
        reason: &str,
        out: &mut CoordinatorOutput,
    ) {
        if let Some(member) = group.member_mut(&request.member_id) {
            take_over(member, request, token);
        }
        self.prepare_rebalance_or_complete_join(now, group, reason, out);
    }

    #[allow(clippy::too_many_arguments)]
    fn rejoin_static_member(
        &mut self,
        now: Now,
        caller: &Caller,
        request: &JoinGroupRequest,
        group: &mut ClassicGroup,
        instance: &str,
        old_id: &str,
        new_id: &str,
        out: &mut CoordinatorOutput,
    ) {
        // Whoever still waits under the old id is an older incarnation.
        if let Some(old) = group.member(old_id) {
            let error_code = ErrorCode::FencedInstanceId.code();
            if let Some(token) = old.awaiting_join {
                out.respond(
                    token,
                    JoinGroupResponse { member_id: old_id.to_owned(), error_code, ..no_join() },
                );
            }
            if let Some(token) = old.awaiting_sync {
                out.respond(token, super::sync::no_assignment(ErrorCode::FencedInstanceId));
            }
        }
        group.replace_static_member(instance, old_id, new_id);
        self.reschedule_heartbeat(now, group, new_id);
        if let Some(member) = group.member_mut(new_id) {
            take_over(member, request, caller.token);
        }
        let reason =
            request.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("not provided");
        match group.state {
            State::Stable if group.protocol_name == group.select_protocol() => {
                let assignments = group
                    .members()
                    .map(|member| (member.member_id.clone(), member.assignment.clone()))
                    .collect();
                let record = CoordinatorRecord::GroupMetadata {
                    group: group.group_id.clone(),
                    value: Some(group.to_record(&assignments)),
                };
                let then = Then::ReplaceStaticMember {
                    group: group.group_id.clone(),
                    instance: instance.to_owned(),
                    old_id: old_id.to_owned(),
                    new_id: new_id.to_owned(),
                };
                self.decide(now, vec![record], false, then, out);
            }
            State::Stable => {
                let reason = format!(
                    "Group's selectedProtocol will change because static member {new_id} with instance id {instance} joined with change of protocol; client reason: {reason}"
                );
                self.prepare_rebalance_or_complete_join(now, group, &reason, out);
            }
            State::CompletingRebalance => {
                let reason = format!(
                    "Updating metadata for static member {new_id} with instance id {instance}; client reason: {reason}"
                );
                self.prepare_rebalance(now, group, &reason, out);
            }
            State::PreparingRebalance | State::Empty | State::Dead => {
                self.maybe_complete_join_phase(now, group, out);
            }
        }
    }

    /// The static member is answered with the generation as it is; a leader need not assign again.
    pub(super) fn static_member_stored(
        group: &mut ClassicGroup,
        new_id: &str,
        out: &mut CoordinatorOutput,
    ) {
        let is_leader = group.is_leader(new_id);
        let mut response = generation(group, new_id, is_leader);
        response.skip_assignment = is_leader;
        if let Some(token) = group.member_mut(new_id).and_then(|member| member.awaiting_join.take())
        {
            out.respond(token, response);
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn static_member_not_stored(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        instance: &str,
        old_id: &str,
        new_id: &str,
        error: ErrorCode,
        out: &mut CoordinatorOutput,
    ) {
        if let Some(token) = group.member_mut(new_id).and_then(|member| member.awaiting_join.take())
        {
            let response = generation(group, "", false);
            out.respond(token, JoinGroupResponse { error_code: error.code(), ..response });
        }
        group.replace_static_member(instance, new_id, old_id);
        self.reschedule_heartbeat(now, group, old_id);
    }

    pub(super) fn prepare_rebalance_or_complete_join(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        reason: &str,
        out: &mut CoordinatorOutput,
    ) {
        if group.can_rebalance() {
            self.prepare_rebalance(now, group, reason, out);
        } else {
            self.maybe_complete_join_phase(now, group, out);
        }
    }

    pub(super) fn prepare_rebalance(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        reason: &str,
        out: &mut CoordinatorOutput,
    ) {
        if group.state == State::CompletingRebalance {
            self.propagate_error(now, group, ErrorCode::RebalanceInProgress, out);
        }
        group.pending_sync_members.clear();
        self.timers.cancel(&Key::Sync(group.group_id.clone()));
        let is_initial = group.state == State::Empty;
        if is_initial {
            // The group is new: give others time to come, so that not each of them causes a rebalance.
            let delay_ms = self.config.initial_rebalance_delay_ms;
            let remaining_ms = group.rebalance_timeout_ms().saturating_sub(delay_ms);
            let deadline =
                Deadline::InitialJoin { group: group.group_id.clone(), delay_ms, remaining_ms };
            self.timers.schedule(now.at + Micros::from_ms(delay_ms), deadline);
        }
        group.transition_to(State::PreparingRebalance, now.ms);
        out.events.push(ClusterEvent::GroupRebalancing {
            group: group.group_id.clone(),
            generation: group.generation_id,
            reason: reason.to_owned(),
        });
        if is_initial {
            return;
        }
        if group.has_all_members_joined() {
            self.complete_join(now, group, out);
        } else {
            self.schedule_join(now, group);
        }
    }

    fn schedule_join(&mut self, now: Now, group: &ClassicGroup) {
        let timeout = Micros::from_ms(group.rebalance_timeout_ms());
        self.timers.schedule(now.at + timeout, Deadline::Join { group: group.group_id.clone() });
    }

    /// Goes on at once if nobody is missing, but never shortens the initial delay.
    pub(super) fn maybe_complete_join_phase(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        if group.state == State::PreparingRebalance
            && group.previous_state != State::Empty
            && group.has_all_members_joined()
        {
            self.complete_join(now, group, out);
        }
    }

    pub(super) fn try_complete_initial_rebalance(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        delay_ms: u64,
        remaining_ms: u64,
        out: &mut CoordinatorOutput,
    ) {
        if !group.new_member_added || remaining_ms == 0 {
            return self.complete_join(now, group, out);
        }
        group.new_member_added = false;
        let next = self.config.initial_rebalance_delay_ms.min(remaining_ms);
        let deadline = Deadline::InitialJoin {
            group: group.group_id.clone(),
            delay_ms: next,
            remaining_ms: remaining_ms.saturating_sub(delay_ms),
        };
        self.timers.schedule(now.at + Micros::from_ms(next), deadline);
    }

    /// The join phase is over: whoever is missing is out, the others make the next generation.
    pub(super) fn complete_join(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        let group_id = group.group_id.clone();
        self.timers.cancel(&Key::Join(group_id.clone()));
        let missing: Vec<String> = group
            .members()
            .filter(|member| member.awaiting_join.is_none() && member.group_instance_id.is_none())
            .map(|member| member.member_id.clone())
            .collect();
        for member in missing {
            group.remove(&member);
            self.timers.cancel(&Key::Heartbeat(group_id.clone(), member.clone()));
            out.events.push(ClusterEvent::MemberLeft {
                group: group_id.clone(),
                member,
                expired: true,
            });
        }
        if !group.maybe_elect_new_joined_leader() && !group.is_empty() {
            // Static members only, and none is back: wait until their sessions end.
            return self.schedule_join(now, group);
        }
        group.init_next_generation(now.ms);
        if group.is_empty() {
            let value = Some(group.to_record(&simulation::sorted::SortedMap::new()));
            let record = CoordinatorRecord::GroupMetadata { group: group_id.clone(), value };
            out.events.push(ClusterEvent::GroupEmpty { group: group_id });
            return self.decide(now, vec![record], false, Then::Nothing, out);
        }
        for member_id in group.member_ids() {
            let response = generation(group, &member_id, group.is_leader(&member_id));
            if let Some(member) = group.member_mut(&member_id) {
                member.is_new = false;
                if let Some(token) = member.awaiting_join.take() {
                    out.respond(token, response);
                }
            }
            self.reschedule_heartbeat(now, group, &member_id);
            group.pending_sync_members.insert(member_id);
        }
        let timeout = Micros::from_ms(group.rebalance_timeout_ms());
        let deadline = Deadline::Sync { group: group_id, generation_id: group.generation_id };
        self.timers.schedule(now.at + timeout, deadline);
    }

    pub(super) fn reschedule_heartbeat(&mut self, now: Now, group: &ClassicGroup, member_id: &str) {
        if let Some(member) = group.member(member_id) {
            let session = Micros::from_ms(member.session_timeout_ms.max(0) as u64);
            self.schedule_heartbeat(now, group, member_id, session);
        }
    }

    fn schedule_heartbeat(
        &mut self,
        now: Now,
        group: &ClassicGroup,
        member_id: &str,
        timeout: Micros,
    ) {
        let deadline =
            Deadline::Heartbeat { group: group.group_id.clone(), member: member_id.to_owned() };
        self.timers.schedule(now.at + timeout, deadline);
    }

    /// Forgets everything that is scheduled for a group that is gone.
    pub(super) fn cancel_timers(&mut self, group: &ClassicGroup) {
        let id = &group.group_id;
        self.timers.cancel(&Key::Join(id.clone()));
        self.timers.cancel(&Key::Sync(id.clone()));
        for member in
            group.members().map(|member| &member.member_id).chain(&group.pending_join_members)
        {
            self.timers.cancel(&Key::Heartbeat(id.clone(), member.clone()));
        }
    }
}

/// The joiner's new wishes take the place of the old ones, and it waits for an answer.
fn take_over(member: &mut ClassicGroupMember, request: &JoinGroupRequest, token: RequestToken) {
    member.supported_protocols.clone_from(&request.protocols);
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.session_timeout_ms = request.session_timeout_ms;
    member.awaiting_join = Some(token);
}

pub(super) fn refuse_join(
    token: RequestToken,
    member_id: &str,
    error: ErrorCode,
    out: &mut CoordinatorOutput,
) {
    let member_id = member_id.to_owned();
    out.respond(token, JoinGroupResponse { member_id, error_code: error.code(), ..no_join() });
}

/// The present generation as a member is told of it.
fn generation(group: &ClassicGroup, member_id: &str, with_members: bool) -> JoinGroupResponse {
    JoinGroupResponse {
        throttle_time_ms: 0,
        error_code: 0,
        generation_id: group.generation_id,
        protocol_type: group.protocol_type.clone(),
        protocol_name: group.protocol_name.clone(),
        leader: group.leader_id.clone().unwrap_or_default(),
        skip_assignment: false,
        member_id: member_id.to_owned(),
        members: if with_members { group.current_members() } else { Vec::new() },
    }
}

/// `java.util.UUID.randomUUID`: version 4, any text.
fn java_random_uuid(draw: &mut impl Draw) -> Uuid {
    let mut half = || (0..4).fold(0u64, |bits, _| bits << 16 | u64::from(draw.next_int(1 << 16)));
    let most = half() & !0xf000 | 0x4000;
    let least = half() & !(0b11 << 62) | 0b10 << 62;
    Uuid::new(most as i64, least as i64)
}
