//! ListGroups, DescribeGroups, ConsumerGroupDescribe and DeleteGroups: what tools ask.

use super::classic_group::ClassicGroupState as State;
use super::record::CoordinatorRecord;
use super::shard::{Now, Shard, Then};
use super::{CoordinatorOutput, GroupCoordinator, Part, RequestToken};
use crate::protocol::*;

/// The type of the groups that this coordinator runs, as `ListGroups` names it.
const CLASSIC: &str = "Classic";

impl GroupCoordinator {
    /// The groups of all partitions that are here; filters compare without case.
    pub(super) fn list_groups(&self, request: &ListGroupsRequest) -> ListGroupsResponse {
        let error = if self.shards.values().all(Shard::is_active) {
            ErrorCode::None
        } else {
            ErrorCode::CoordinatorLoadInProgress
        };
        if error.is_error() {
            return ListGroupsResponse {
                error_code: error.code(),
                ..ListGroupsResponse::default()
            };
        }
        let matches = |filter: &[String], value: &str| {
            filter.is_empty()
                || filter.iter().any(|wanted| wanted.trim().eq_ignore_ascii_case(value))
        };
        let groups = self
            .groups()
            .filter(|(group, _)| {
                matches(&request.states_filter, group.state.name())
                    && matches(&request.types_filter, CLASSIC)
            })
            .map(|(group, _)| ListedGroup {
                group_id: group.group_id.clone(),
                protocol_type: group.protocol_type.clone().unwrap_or_default(),
                group_state: group.state.name().to_owned(),
                group_type: CLASSIC.to_lowercase(),
            })
            .collect();
        ListGroupsResponse { throttle_time_ms: 0, error_code: 0, groups }
    }

    pub(super) fn describe_groups(
        &self,
        request: &DescribeGroupsRequest,
    ) -> DescribeGroupsResponse {
        let groups = request
            .groups
            .iter()
            .map(|group_id| {
                let refused =
                    |error: ErrorCode, state: &str, message: Option<String>| DescribedGroup {
                        error_code: error.code(),
                        error_message: message,
                        group_id: group_id.clone(),
                        group_state: state.to_owned(),
                        ..DescribedGroup::default()
                    };
                let partition = match self.checked(group_id) {
                    Ok(partition) => partition,
                    Err(error) => return refused(error, "", None),
                };
                match self.shards.get(&partition).and_then(|shard| shard.groups.get(group_id)) {
                    Some(group) => group.describe(),
                    None => refused(
                        ErrorCode::GroupIdNotFound,
                        State::Dead.name(),
                        Some(not_found(group_id)),
                    ),
                }
            })
            .collect();
        DescribeGroupsResponse { throttle_time_ms: 0, groups }
    }

    /// Classic groups are not described here; admin clients then ask DescribeGroups.
    pub(super) fn describe_consumer_groups(
        &self,
        request: &ConsumerGroupDescribeRequest,
    ) -> ConsumerGroupDescribeResponse {
        let groups = request
            .group_ids
            .iter()
            .map(|group_id| {
                let (error, error_message) = match self.checked(group_id) {
                    Err(error) => (error, None),
                    Ok(partition) => {
                        let exists = self
                            .shards
                            .get(&partition)
                            .is_some_and(|shard| shard.groups.contains_key(group_id));
                        let message = if exists {
                            format!("Group {group_id} is not a consumer group.")
                        } else {
                            not_found(group_id)
                        };
                        (ErrorCode::GroupIdNotFound, Some(message))
                    }
                };
                ConsumerGroupDescribedGroup {
                    error_code: error.code(),
                    error_message,
                    group_id: group_id.clone(),
                    ..ConsumerGroupDescribedGroup::default()
                }
            })
            .collect();
        ConsumerGroupDescribeResponse { throttle_time_ms: 0, groups }
    }

    pub(super) fn delete_groups(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &DeleteGroupsRequest,
        out: &mut CoordinatorOutput,
    ) {
        let result = |group_id: &String, error: ErrorCode| DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: error.code(),
        };
        let results = vec![DeletableGroupResult::default(); request.groups_names.len()];
        let response = DeleteGroupsResponse { throttle_time_ms: 0, results };
        let gather = self.gather(token, response.into(), request.groups_names.len() as u32, out);
        for (slot, group_id) in request.groups_names.iter().enumerate() {
            let slot = slot as u32;
            match self.active(group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    let (records, error) = shard.delete_group(group_id);
                    let then = Then::Part(gather, Part::DeleteGroup(slot, result(group_id, error)));
                    shard.decide(now, records, true, then, out);
                }),
                Err(error) => {
                    self.complete_part(
                        gather,
                        Part::DeleteGroup(slot, result(group_id, error)),
                        out,
                    );
                }
            }
        }
    }
}

impl Shard {
    fn delete_group(&self, group_id: &String) -> (Vec<CoordinatorRecord>, ErrorCode) {
        match self.groups.get(group_id).map(|group| group.state) {
            None | Some(State::Dead) => (Vec::new(), ErrorCode::GroupIdNotFound),
            Some(State::Empty) => {
                let mut records = self.tombstones_of(group_id);
                records.push(CoordinatorRecord::GroupMetadata {
                    group: group_id.to_owned(),
                    value: None,
                });
                (records, ErrorCode::None)
            }
            Some(_) => (Vec::new(), ErrorCode::NonEmptyGroup),
        }
    }
}

fn not_found(group_id: &str) -> String {
    format!("Group {group_id} not found.")
}
