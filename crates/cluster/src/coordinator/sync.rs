//! SyncGroup and Heartbeat: handing out the leader's assignment, and noticing who is gone.

use simulation::sorted::SortedMap;

use super::classic_group::{ClassicGroup, ClassicGroupState as State};
use super::record::CoordinatorRecord;
use super::shard::{Now, Shard, Then};
use super::timer::Key;
use super::{CoordinatorOutput, RequestToken};
use crate::event::ClusterEvent;
use crate::protocol::{
    ErrorCode, HeartbeatRequest, HeartbeatResponse, Opaque, SyncGroupRequest, SyncGroupResponse,
};

impl Shard {
    pub(super) fn sync_group(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &SyncGroupRequest,
        out: &mut CoordinatorOutput,
    ) {
        let Some(mut group) = self.groups.remove(&request.group_id) else {
            return out.respond(token, no_assignment(ErrorCode::UnknownMemberId));
        };
        self.sync_in_group(now, token, request, &mut group, out);
        self.groups.insert(request.group_id.clone(), group);
    }

    fn sync_in_group(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &SyncGroupRequest,
        group: &mut ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        if let Err(error) = validate_sync(group, request) {
            return out.respond(token, no_assignment(error));
        }
        let member_id = request.member_id.as_str();
        match group.state {
            State::PreparingRebalance => {
                out.respond(token, no_assignment(ErrorCode::RebalanceInProgress));
            }
            State::CompletingRebalance => {
                if let Some(member) = group.member_mut(member_id) {
                    member.awaiting_sync = Some(token);
                }
                self.remove_pending_sync_member(group, member_id);
                if group.is_leader(member_id) {
                    self.store_assignment(now, request, group, out);
                }
            }
            State::Stable => {
                self.remove_pending_sync_member(group, member_id);
                let assignment = group.member(member_id).map(|member| member.assignment.clone());
                out.respond(token, assigned(group, assignment.unwrap_or_default()));
            }
            State::Empty | State::Dead => {
                out.respond(token, no_assignment(ErrorCode::UnknownMemberId));
            }
        }
    }

    /// Members that the leader forgot get an empty assignment.
    fn store_assignment(
        &mut self,
        now: Now,
        request: &SyncGroupRequest,
        group: &ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        let mut assignments: SortedMap<String, Opaque> = request
            .assignments
            .iter()
            .map(|assignment| (assignment.member_id.clone(), assignment.assignment.clone()))
            .collect();
        for member in group.members() {
            assignments.entry(member.member_id.clone()).or_default();
        }
        let record = CoordinatorRecord::GroupMetadata {
            group: group.group_id.clone(),
            value: Some(group.to_record(&assignments)),
        };
        let then = Then::Assign {
            group: group.group_id.clone(),
            generation_id: group.generation_id,
            leader: request.member_id.clone(),
            assignments,
        };
        self.decide(now, vec![record], false, then, out);
    }

    /// The log has the assignment: every member gets its own, if nothing happened in between.
    pub(super) fn assignment_stored(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        generation_id: i32,
        assignments: &SortedMap<String, Opaque>,
        out: &mut CoordinatorOutput,
    ) {
        if group.state != State::CompletingRebalance || group.generation_id != generation_id {
            return;
        }
        for member_id in group.member_ids() {
            let assignment = assignments.get(&member_id).cloned().unwrap_or_default();
            let response = assigned(group, assignment.clone());
            self.give_assignment(now, group, &member_id, assignment, response, out);
        }
        group.transition_to(State::Stable, now.ms);
        out.events.push(ClusterEvent::GroupStable {
            group: group.group_id.clone(),
            generation: generation_id,
            members: group.len() as u32,
        });
    }

    pub(super) fn assignment_not_stored(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        generation_id: i32,
        leader: &str,
        error: ErrorCode,
        out: &mut CoordinatorOutput,
    ) {
        if group.state == State::CompletingRebalance && group.generation_id == generation_id {
            self.propagate_error(now, group, error, out);
            let reason = format!(
                "Error {} when storing group assignment during SyncGroup (member: {leader}).",
                error.name()
            );
            self.prepare_rebalance_or_complete_join(now, group, &reason, out);
        }
    }

    /// Takes all assignments away and tells those who wait for theirs.
    pub(super) fn propagate_error(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        error: ErrorCode,
        out: &mut CoordinatorOutput,
    ) {
        for member_id in group.member_ids() {
            self.give_assignment(
                now,
                group,
                &member_id,
                Opaque::default(),
                no_assignment(error),
                out,
            );
        }
    }

    fn give_assignment(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        member_id: &str,
        assignment: Opaque,
        response: SyncGroupResponse,
        out: &mut CoordinatorOutput,
    ) {
        let Some(member) = group.member_mut(member_id) else { return };
        member.assignment = assignment;
        if let Some(token) = member.awaiting_sync.take() {
            out.respond(token, response);
            // Its session may have ended while it waited, which was ignored: it starts anew.
            self.reschedule_heartbeat(now, group, member_id);
        }
    }

    fn remove_pending_sync_member(&mut self, group: &mut ClassicGroup, member_id: &str) {
        group.pending_sync_members.remove(member_id);
        if group.pending_sync_members.is_empty()
            && matches!(group.state, State::CompletingRebalance | State::Stable)
        {
            self.timers.cancel(&Key::Sync(group.group_id.clone()));
        }
    }

    /// The sync phase is over: whoever did not sync is out.
    pub(super) fn expire_pending_sync(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        generation_id: i32,
        out: &mut CoordinatorOutput,
    ) {
        let waits = matches!(group.state, State::CompletingRebalance | State::Stable);
        if group.generation_id != generation_id || !waits || group.pending_sync_members.is_empty() {
            return;
        }
        let missing = std::mem::take(&mut group.pending_sync_members);
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        let reason = format!("Removing [{}] on pending sync request expiration", names.join(", "));
        for member in missing {
            group.remove(&member);
            self.timers.cancel(&Key::Heartbeat(group.group_id.clone(), member.clone()));
            out.events.push(ClusterEvent::MemberLeft {
                group: group.group_id.clone(),
                member,
                expired: true,
            });
        }
        self.prepare_rebalance(now, group, &reason, out);
    }

    pub(super) fn heartbeat(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &HeartbeatRequest,
        out: &mut CoordinatorOutput,
    ) {
        let error = self.heartbeat_error(now, request);
        let response = HeartbeatResponse { throttle_time_ms: 0, error_code: error.code() };
        if error.is_error() && error != ErrorCode::RebalanceInProgress {
            return out.respond(token, response);
        }
        self.decide(now, Vec::new(), false, Then::Respond(token, response.into()), out);
    }

    fn heartbeat_error(&mut self, now: Now, request: &HeartbeatRequest) -> ErrorCode {
        let Some(group) = self.groups.get(&request.group_id) else {
            return ErrorCode::UnknownMemberId;
        };
        if let Err(error) =
            group.validate_member(&request.member_id, request.group_instance_id.as_deref())
        {
            return error;
        }
        if request.generation_id != group.generation_id {
            return ErrorCode::IllegalGeneration;
        }
        let error = match group.state {
            State::Empty | State::Dead => return ErrorCode::UnknownMemberId,
            State::PreparingRebalance => ErrorCode::RebalanceInProgress,
            State::CompletingRebalance | State::Stable => ErrorCode::None,
        };
        self.with_group(&request.group_id, |shard, group| {
            shard.reschedule_heartbeat(now, group, &request.member_id);
        });
        error
    }

    /// Nothing was heard of the member for its session timeout.
    pub(super) fn expire_heartbeat(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        member_id: &str,
        out: &mut CoordinatorOutput,
    ) {
        if group.pending_join_members.contains(member_id) {
            group.remove(member_id);
            return self.complete_join_without(now, group, out);
        }
        let Some(member) =
            group.member(member_id).filter(|member| !member.has_satisfied_heartbeat())
        else {
            return;
        };
        if let Some(token) = member.awaiting_join {
            super::join::refuse_join(token, "", ErrorCode::UnknownMemberId, out);
        }
        group.remove(member_id);
        out.events.push(ClusterEvent::MemberLeft {
            group: group.group_id.clone(),
            member: member_id.to_owned(),
            expired: true,
        });
        match group.state {
            State::Stable | State::CompletingRebalance => {
                let reason = format!("removing member {member_id} on heartbeat expiration.");
                self.prepare_rebalance_or_complete_join(now, group, &reason, out);
            }
            _ => self.complete_join_without(now, group, out),
        }
    }

    /// Somebody will not join: perhaps nobody is missing now.
    fn complete_join_without(
        &mut self,
        now: Now,
        group: &mut ClassicGroup,
        out: &mut CoordinatorOutput,
    ) {
        if group.state == State::PreparingRebalance && group.has_all_members_joined() {
            self.complete_join(now, group, out);
        }
    }
}

fn validate_sync(group: &ClassicGroup, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
    group.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
    let differs =
        |asked: &Option<String>, actual: &Option<String>| asked.is_some() && asked != actual;
    if request.generation_id != group.generation_id {
        Err(ErrorCode::IllegalGeneration)
    } else if differs(&request.protocol_type, &group.protocol_type)
        || differs(&request.protocol_name, &group.protocol_name)
    {
        Err(ErrorCode::InconsistentGroupProtocol)
    } else {
        Ok(())
    }
}

fn assigned(group: &ClassicGroup, assignment: Opaque) -> SyncGroupResponse {
    SyncGroupResponse {
        throttle_time_ms: 0,
        error_code: 0,
        protocol_type: group.protocol_type.clone(),
        protocol_name: group.protocol_name.clone(),
        assignment,
    }
}

/// A SyncGroup answer that gives nothing.
pub(super) fn no_assignment(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..SyncGroupResponse::default() }
}
