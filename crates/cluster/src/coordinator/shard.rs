//! One partition of `__consumer_offsets`: its groups, its offsets, and what waits for its log.
//! Kafka: `CoordinatorRuntime.CoordinatorContext`, `GroupCoordinatorShard`.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::classic_group::ClassicGroup;
use super::offset::{GroupOffsets, Offsets};
use super::record::CoordinatorRecord;
use super::timer::{Deadline, Timers};
use super::{
    CoordinatorAppend, CoordinatorOutput, GroupCoordinatorConfig, Part, RequestToken, no_join,
};
use crate::event::ClusterEvent;
use crate::protocol::{ErrorCode, JoinGroupResponse, Opaque, Response, SyncGroupResponse};
use crate::types::{Offset, PartitionIndex, TimestampMs, TopicPartition};

/// How long a write may take to be committed: `offsets.commit.timeout.ms`'s default.
const WRITE_TIMEOUT: Micros = Micros::from_secs(5);

/// The present, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: Micros,
    pub(super) ms: TimestampMs,
}

/// What is to be done once records are committed, or could not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Then {
    Nothing,
    /// Sends the response, or the same with an error in it.
    Respond(RequestToken, Response),
    /// Completes a part of a response.
    Part(u64, Part),
    /// The leader's assignment is stored: the members get it.
    Assign {
        group: String,
        generation_id: i32,
        leader: String,
        assignments: SortedMap<String, Opaque>,
    },
    /// A static member's new id is stored: it is answered.
    ReplaceStaticMember {
        group: String,
        instance: String,
        old_id: String,
        new_id: String,
    },
}

/// Records that the broker is about to append.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Decision {
    records: Vec<CoordinatorRecord>,
    /// Records that only store what is already so are not applied.
    replay: bool,
    then: Then,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shard {
    partition: PartitionIndex,
    active: bool,
    pub(super) config: GroupCoordinatorConfig,
    pub(super) groups: SortedMap<String, ClassicGroup>,
    pub(super) offsets: Offsets,
    /// The same without what is not yet committed; most readers see these.
    pub(super) committed_offsets: Offsets,
    uncommitted: VecDeque<(Offset, CoordinatorRecord)>,
    pub(super) timers: Timers,
    deciding: SortedMap<u64, Decision>,
    next_append: u64,
    /// In the order of the log: due when everything below the offset is committed.
    waiting: VecDeque<(Offset, Then)>,
    high_watermark: Offset,
    parts: Vec<(u64, Part)>,
}

impl Shard {
    pub(super) fn new(partition: PartitionIndex, config: GroupCoordinatorConfig) -> Self {
        Self {
            partition,
            active: false,
            config,
            groups: SortedMap::new(),
            offsets: Offsets::default(),
            committed_offsets: Offsets::default(),
            uncommitted: VecDeque::new(),
            timers: Timers::default(),
            deciding: SortedMap::new(),
            next_append: 0,
            waiting: VecDeque::new(),
            high_watermark: 0,
            parts: Vec::new(),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = (&ClassicGroup, Option<&GroupOffsets>)> {
        self.groups.values().map(|group| (group, self.committed_offsets.of_group(&group.group_id)))
    }

    /// Applies one record; the only way in which offsets change.
    pub(super) fn replay(&mut self, offset: Offset, record: &CoordinatorRecord) {
        match record {
            CoordinatorRecord::OffsetCommit { group, topic, partition, value } => {
                if value.is_some() && !self.groups.contains_key(group) {
                    // Offsets of a consumer that manages itself: a group without members or protocol.
                    self.groups.insert(group.clone(), ClassicGroup::simple(group));
                }
                self.offsets.set(group, topic, *partition, value.clone());
                self.uncommitted.push_back((offset, record.clone()));
            }
            CoordinatorRecord::GroupMetadata { group, value: Some(value) } => {
                self.groups.insert(group.clone(), ClassicGroup::from_record(group, value));
            }
            CoordinatorRecord::GroupMetadata { group, value: None } => {
                if let Some(group) = self.groups.remove(group) {
                    self.cancel_timers(&group);
                }
            }
        }
    }

    pub(super) fn finish_loading(
        &mut self,
        now: Now,
        high_watermark: Offset,
        out: &mut CoordinatorOutput,
    ) {
        self.active = true;
        let ids: Vec<String> = self.groups.keys().cloned().collect();
        for id in ids {
            let Some(mut group) = self.groups.remove(&id) else { continue };
            for member in group.member_ids() {
                self.reschedule_heartbeat(now, &group, &member);
            }
            if group.len() as u64 > self.config.max_size {
                self.prepare_rebalance(
                    now,
                    &mut group,
                    "Freshly-loaded group is over capacity",
                    out,
                );
            }
            self.groups.insert(id, group);
        }
        self.schedule_expiration(now);
        self.on_high_watermark(now, high_watermark, out);
    }

    /// Everybody who waits is sent away; the state is gone.
    pub(super) fn unload(&mut self, out: &mut CoordinatorOutput) {
        let not_coordinator = ErrorCode::NotCoordinator;
        for group in self.groups.values() {
            for member in group.members() {
                if let Some(token) = member.awaiting_join {
                    let member_id = member.member_id.clone();
                    out.respond(
                        token,
                        JoinGroupResponse {
                            member_id,
                            error_code: not_coordinator.code(),
                            ..no_join()
                        },
                    );
                }
                if let Some(token) = member.awaiting_sync {
                    let error_code = not_coordinator.code();
                    out.respond(
                        token,
                        SyncGroupResponse { error_code, ..SyncGroupResponse::default() },
                    );
                }
            }
        }
        self.groups.clear();
        for (_, then) in std::mem::take(&mut self.waiting) {
            self.refuse(then, not_coordinator, out);
        }
        for (_, decision) in std::mem::take(&mut self.deciding) {
            self.refuse(decision.then, not_coordinator, out);
        }
    }

    /// Answers with an error; groups are left as they are.
    fn refuse(&mut self, then: Then, error: ErrorCode, out: &mut CoordinatorOutput) {
        match then {
            Then::Respond(token, response) => {
                out.responses.push((token, with_error(response, error)));
            }
            Then::Part(gather, part) => self.parts.push((gather, part_with_error(part, error))),
            Then::Nothing | Then::Assign { .. } | Then::ReplaceStaticMember { .. } => {}
        }
    }

    /// A decision: writes the records, then does `then`. Without records it waits for those written before.
    pub(super) fn decide(
        &mut self,
        now: Now,
        records: Vec<CoordinatorRecord>,
        replay: bool,
        then: Then,
        out: &mut CoordinatorOutput,
    ) {
        if records.is_empty() {
            match self.waiting.back() {
                Some(&(offset, _)) => self.waiting.push_back((offset, then)),
                None => self.committed(now, then, out),
            }
            return;
        }
        self.next_append += 1;
        out.appends.push(CoordinatorAppend {
            partition: self.partition,
            append_id: self.next_append,
            timestamp: now.ms,
            records: records.iter().map(CoordinatorRecord::encode).collect(),
        });
        self.deciding.insert(self.next_append, Decision { records, replay, then });
    }

    /// The append that this call has decided on, if any.
    pub(super) fn pending_append(&self) -> Option<u64> {
        self.deciding.keys().next_back().copied()
    }

    /// Answers when that append is committed.
    pub(super) fn respond_after(
        &mut self,
        append_id: u64,
        token: RequestToken,
        response: Response,
    ) {
        if let Some(decision) = self.deciding.get_mut(&append_id) {
            decision.then = Then::Respond(token, response);
        }
    }

    pub(super) fn on_appended(
        &mut self,
        now: Now,
        append_id: u64,
        result: Result<Offset, ErrorCode>,
        out: &mut CoordinatorOutput,
    ) {
        let Some(decision) = self.deciding.remove(&append_id) else { return };
        match result {
            Ok(last_offset) => {
                if decision.replay {
                    let base = last_offset + 1 - decision.records.len() as Offset;
                    for (offset, record) in (base..).zip(&decision.records) {
                        self.replay(offset, record);
                    }
                }
                let up_to = last_offset + 1;
                self.waiting.push_back((up_to, decision.then));
                if up_to > self.high_watermark {
                    self.timers.schedule(now.at + WRITE_TIMEOUT, Deadline::WriteTimeout { up_to });
                }
                self.complete_committed(now, out);
            }
            Err(error) => self.failed(now, decision.then, of_append(error), out),
        }
    }

    pub(super) fn on_high_watermark(
        &mut self,
        now: Now,
        high_watermark: Offset,
        out: &mut CoordinatorOutput,
    ) {
        self.high_watermark = self.high_watermark.max(high_watermark);
        self.complete_committed(now, out);
    }

    fn complete_committed(&mut self, now: Now, out: &mut CoordinatorOutput) {
        while self.uncommitted.front().is_some_and(|(offset, _)| *offset < self.high_watermark) {
            let Some((_, CoordinatorRecord::OffsetCommit { group, topic, partition, value })) =
                self.uncommitted.pop_front()
            else {
                continue;
            };
            if let Some(value) = &value
                && self.active
            {
                out.events.push(ClusterEvent::OffsetCommitted {
                    group: group.clone(),
                    partition: TopicPartition::new(topic.clone(), partition),
                    offset: value.committed_offset,
                });
            }
            self.committed_offsets.set(&group, &topic, partition, value);
        }
        while self.waiting.front().is_some_and(|(up_to, _)| *up_to <= self.high_watermark) {
            if let Some((up_to, then)) = self.waiting.pop_front() {
                self.timers.cancel(&super::timer::Key::WriteTimeout(up_to));
                self.committed(now, then, out);
            }
        }
    }

    fn time_out_writes(&mut self, now: Now, up_to: Offset, out: &mut CoordinatorOutput) {
        while self.waiting.front().is_some_and(|(offset, _)| *offset <= up_to) {
            if let Some((_, then)) = self.waiting.pop_front() {
                self.failed(now, then, ErrorCode::CoordinatorNotAvailable, out);
            }
        }
    }

    fn committed(&mut self, now: Now, then: Then, out: &mut CoordinatorOutput) {
        match then {
            Then::Nothing => {}
            Then::Respond(token, response) => out.responses.push((token, response)),
            Then::Part(gather, part) => self.parts.push((gather, part)),
            Then::Assign { group, generation_id, assignments, .. } => {
                self.with_group(&group, |shard, group| {
                    shard.assignment_stored(now, group, generation_id, &assignments, out);
                });
            }
            Then::ReplaceStaticMember { group, new_id, .. } => {
                self.with_group(&group, |_, group| Self::static_member_stored(group, &new_id, out));
            }
        }
    }

    fn failed(&mut self, now: Now, then: Then, error: ErrorCode, out: &mut CoordinatorOutput) {
        match then {
            Then::Assign { group, generation_id, leader, .. } => {
                self.with_group(&group, |shard, group| {
                    shard.assignment_not_stored(now, group, generation_id, &leader, error, out);
                });
            }
            Then::ReplaceStaticMember { group, instance, old_id, new_id } => {
                self.with_group(&group, |shard, group| {
                    shard.static_member_not_stored(
                        now, group, &instance, &old_id, &new_id, error, out,
                    );
                });
            }
            other => self.refuse(other, error, out),
        }
    }

    /// Lets `act` work on the group and on the rest of the shard, if the group is there.
    pub(super) fn with_group(
        &mut self,
        group_id: &str,
        act: impl FnOnce(&mut Self, &mut ClassicGroup),
    ) {
        if let Some(mut group) = self.groups.remove(group_id) {
            act(self, &mut group);
            self.groups.insert(group_id.to_owned(), group);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Micros> {
        self.timers.next()
    }

    pub(super) fn fire_deadline(&mut self, now: Now, out: &mut CoordinatorOutput) {
        match self.timers.pop(now.at) {
            None => {}
            Some(Deadline::Heartbeat { group, member }) => {
                self.with_group(&group, |shard, group| {
                    shard.expire_heartbeat(now, group, &member, out);
                });
            }
            Some(Deadline::Join { group }) => {
                self.with_group(&group, |shard, group| shard.complete_join(now, group, out));
            }
            Some(Deadline::InitialJoin { group, delay_ms, remaining_ms }) => {
                self.with_group(&group, |shard, group| {
                    shard.try_complete_initial_rebalance(now, group, delay_ms, remaining_ms, out);
                });
            }
            Some(Deadline::Sync { group, generation_id }) => {
                self.with_group(&group, |shard, group| {
                    shard.expire_pending_sync(now, group, generation_id, out);
                });
            }
            Some(Deadline::ExpireOffsets) => self.expire_offsets(now, out),
            Some(Deadline::WriteTimeout { up_to }) => self.time_out_writes(now, up_to, out),
        }
    }

    pub(super) fn schedule_expiration(&mut self, now: Now) {
        let interval = Micros::from_ms(self.config.offsets_retention_check_interval_ms);
        self.timers.schedule(now.at + interval, Deadline::ExpireOffsets);
    }

    /// A part that waits for nothing.
    pub(super) fn complete_now(&mut self, gather: u64, part: Part) {
        self.parts.push((gather, part));
    }

    pub(super) fn take_parts(&mut self) -> Vec<(u64, Part)> {
        std::mem::take(&mut self.parts)
    }
}

/// What a client is told of an error that the append met. Kafka: `appendGroupMetadataErrorToResponseError`.
fn of_append(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}

/// The response that says the same about everything: `error`.
fn with_error(response: Response, error: ErrorCode) -> Response {
    let error_code = error.code();
    match response {
        Response::OffsetCommit(mut response) => {
            for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                partition.error_code = error_code;
            }
            Response::OffsetCommit(response)
        }
        Response::Heartbeat(mut response) => {
            response.error_code = error_code;
            Response::Heartbeat(response)
        }
        Response::LeaveGroup(mut response) => {
            response.error_code = error_code;
            Response::LeaveGroup(response)
        }
        Response::OffsetDelete(mut response) => {
            response.error_code = error_code;
            response.topics.clear();
            Response::OffsetDelete(response)
        }
        other => other,
    }
}

fn part_with_error(part: Part, error: ErrorCode) -> Part {
    match part {
        Part::OffsetFetch(slot, mut group) => {
            group.error_code = error.code();
            group.topics.clear();
            Part::OffsetFetch(slot, group)
        }
        Part::DeleteGroup(slot, mut result) => {
            result.error_code = error.code();
            Part::DeleteGroup(slot, result)
        }
    }
}
