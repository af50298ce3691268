//! LeaveGroup: members go at once, by their own id or (administratively) by their instance id.

use super::classic_group::{ClassicGroup, ClassicGroupState as State};
use super::shard::{Now, Shard, Then};
use super::timer::Key;
use super::{CoordinatorOutput, RequestToken};
use crate::event::ClusterEvent;
use crate::protocol::{
    ErrorCode, LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};

impl Shard {
    pub(super) fn leave_group(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &LeaveGroupRequest,
        out: &mut CoordinatorOutput,
    ) {
        let Some(mut group) = self.groups.remove(&request.group_id) else {
            let unknown = |identity: &MemberIdentity| answer(identity, ErrorCode::UnknownMemberId);
            let members = request.members.iter().map(unknown).collect();
            return out
                .respond(token, LeaveGroupResponse { members, ..LeaveGroupResponse::default() });
        };
        let mut members = Vec::new();
        let mut left = Vec::new();
        for identity in &request.members {
            let result = self.remove_one(&mut group, identity, out);
            if result.is_ok() {
                left.push(identity.member_id.as_str());
            }
            members.push(answer(identity, result.err().unwrap_or(ErrorCode::None)));
        }
        if !left.is_empty() {
            match group.state {
                State::Stable | State::CompletingRebalance => {
                    let reason =
                        format!("explicit `LeaveGroup` request for ({}) members.", left.join(", "));
                    self.prepare_rebalance_or_complete_join(now, &mut group, &reason, out);
                }
                _ => self.maybe_complete_join_phase(now, &mut group, out),
            }
        }
        self.groups.insert(request.group_id.clone(), group);
        let response = LeaveGroupResponse { members, ..LeaveGroupResponse::default() };
        match self.pending_append() {
            // The answer waits for the record of the now empty group.
            Some(append) => self.respond_after(append, token, response.into()),
            None => self.decide(now, Vec::new(), false, Then::Respond(token, response.into()), out),
        }
    }

    fn remove_one(
        &mut self,
        group: &mut ClassicGroup,
        identity: &MemberIdentity,
        out: &mut CoordinatorOutput,
    ) -> Result<(), ErrorCode> {
        let instance = identity.group_instance_id.as_deref();
        let member_id = if identity.member_id.is_empty() {
            let known = instance.and_then(|instance| group.static_member_id(instance));
            known.ok_or(ErrorCode::UnknownMemberId)?.to_owned()
        } else if group.pending_join_members.contains(&identity.member_id) {
            group.remove(&identity.member_id);
            self.timers.cancel(&Key::Heartbeat(group.group_id.clone(), identity.member_id.clone()));
            return Ok(());
        } else {
            group.validate_member(&identity.member_id, instance)?;
            identity.member_id.clone()
        };
        self.timers.cancel(&Key::Heartbeat(group.group_id.clone(), member_id.clone()));
        if let Some(join) = group.member(&member_id).and_then(|member| member.awaiting_join) {
            super::join::refuse_join(join, "", ErrorCode::UnknownMemberId, out);
        }
        group.remove(&member_id);
        out.events.push(ClusterEvent::MemberLeft {
            group: group.group_id.clone(),
            member: member_id,
            expired: false,
        });
        Ok(())
    }
}

fn answer(identity: &MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: identity.member_id.clone(),
        group_instance_id: identity.group_instance_id.clone(),
        error_code: error.code(),
    }
}
