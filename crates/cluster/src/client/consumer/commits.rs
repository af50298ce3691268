//! Committing positions and finding out what was committed. Kafka: `ConsumerCoordinator.commitOffsets…`, `fetchCommittedOffsets`.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::Io;
use super::super::api::ClientError;
use super::super::network::Failure;
use super::group::{Group, GroupEvent, fatal};
use super::settings::ConsumerSettings;
use super::subscription::{FetchState, Position, Subscriptions};
use super::{KAFKA_ERRORS, error};
use crate::protocol::*;
use crate::types::{Offset, TopicPartition};

const COORDINATOR_LOGGER: &str = "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator";

/// Why offsets are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommitKind {
    /// The application asked, and waits.
    Call,
    /// The interval is over.
    Automatic,
    /// Before partitions are given back or the consumer is closed: what follows waits.
    Blocking,
}

/// Offsets to commit: partition, next offset to read, its epoch.
type Offsets = Vec<(TopicPartition, Offset, i32)>;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Commit {
    kind: CommitKind,
    offsets: Offsets,
    attempts: u32,
    retry_at: Micros,
}

/// Commits and fetches of committed offsets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Commits {
    queue: VecDeque<Commit>,
    in_flight: SortedMap<u32, Commit>,
    fetching: SortedMap<u32, Vec<TopicPartition>>,
    fetch_retry_at: Micros,
    fetch_attempts: u32,
    pub auto_commit_at: Option<Micros>,
}

impl Commits {
    pub fn submit(&mut self, kind: CommitKind, offsets: Offsets) {
        self.queue.push_back(Commit { kind, offsets, attempts: 0, retry_at: Micros::ZERO });
    }

    /// Whether a commit that others wait for is not answered yet.
    pub fn is_blocking(&self) -> bool {
        let blocking = |commit: &Commit| commit.kind == CommitKind::Blocking;
        self.queue.iter().any(blocking) || self.in_flight.values().any(blocking)
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    pub fn has_automatic(&self) -> bool {
        let automatic = |commit: &Commit| commit.kind == CommitKind::Automatic;
        self.queue.iter().any(automatic) || self.in_flight.values().any(automatic)
    }

    /// Sends what is due.
    pub fn send(&mut self, group: &mut Group, settings: &ConsumerSettings, io: &mut Io<'_, '_>) {
        let now = io.now();
        let due = |commit: &Commit| commit.retry_at <= now;
        if !self.queue.iter().any(due) {
            return;
        }
        let Some(node) = group.coordinator(settings, io) else { return };
        for _ in 0..self.queue.len() {
            let Some(commit) = self.queue.pop_front() else { return };
            if commit.retry_at > now {
                self.queue.push_back(commit);
                continue;
            }
            let request = commit_request(group, &commit.offsets, io);
            let id = io.request(node, request.into(), settings.request_timeout);
            self.in_flight.insert(id, commit);
        }
    }

    /// Asks for the committed offsets of partitions that have no position.
    pub fn fetch_committed(
        &mut self,
        subscriptions: &mut Subscriptions,
        group: &mut Group,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let missing = subscriptions
            .partitions_where(|state| state.state == FetchState::Initializing && !state.asking);
        if missing.is_empty() || self.fetch_retry_at > io.now() {
            return;
        }
        let Some(node) = group.coordinator(settings, io) else { return };
        let mut topics: Vec<OffsetFetchRequestTopic> = Vec::new();
        for partition in &missing {
            if let Some(state) = subscriptions.get_mut(partition) {
                state.asking = true;
            }
            match topics.iter_mut().find(|topic| topic.name == partition.topic) {
                Some(topic) => topic.partition_indexes.push(partition.partition),
                None => topics.push(OffsetFetchRequestTopic {
                    topic_id: topic_id(&partition.topic, io),
                    name: partition.topic.clone(),
                    partition_indexes: vec![partition.partition],
                }),
            }
        }
        let asked = OffsetFetchRequestGroup {
            group_id: group.group_id().to_owned(),
            member_id: None,
            member_epoch: -1,
            topics: Some(topics),
        };
        let request = OffsetFetchRequest { groups: vec![asked], require_stable: true };
        let id = io.request(node, request.into(), settings.request_timeout);
        self.fetching.insert(id, missing);
    }

    /// Takes the answer if the request was one of these. What the application called is answered in `answers`.
    #[allow(clippy::too_many_arguments)]
    pub fn complete(
        &mut self,
        correlation_id: u32,
        result: &Result<Response, Failure>,
        subscriptions: &mut Subscriptions,
        group: &mut Group,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        answers: &mut Vec<Result<(), ClientError>>,
        io: &mut Io<'_, '_>,
    ) -> bool {
        if let Some(commit) = self.in_flight.remove(&correlation_id) {
            let code = commit_error(result);
            self.committed(commit, code, subscriptions, group, settings, events, answers, io);
            return true;
        }
        if let Some(asked) = self.fetching.remove(&correlation_id) {
            if let Err(failure) = self.fetched(&asked, result, subscriptions, group, settings, io) {
                events.push(GroupEvent::Failed(failure));
            }
            return true;
        }
        false
    }

    #[allow(clippy::too_many_arguments)]
    fn committed(
        &mut self,
        mut commit: Commit,
        code: ErrorCode,
        subscriptions: &mut Subscriptions,
        group: &mut Group,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        answers: &mut Vec<Result<(), ClientError>>,
        io: &mut Io<'_, '_>,
    ) {
        if !code.is_error() {
            if commit.kind == CommitKind::Call {
                answers.push(Ok(()));
            }
            return;
        }
        if matches!(
            code,
            ErrorCode::CoordinatorNotAvailable
                | ErrorCode::NotCoordinator
                | ErrorCode::RequestTimedOut
                | ErrorCode::NetworkException
        ) {
            group.lookup.forget();
        }
        let wait = settings.backoff.backoff(commit.attempts, io.context.random());
        let retriable = code.is_retriable();
        match commit.kind {
            // The next one is not far.
            CommitKind::Automatic => {
                if retriable {
                    self.auto_commit_at = Some(io.now() + wait);
                } else {
                    let text = format!(
                        "Asynchronous auto-commit of offsets {} failed: {}",
                        offsets_text(&commit.offsets),
                        commit_failure(code, group, &commit.offsets).message
                    );
                    io.log("WARN", &text, COORDINATOR_LOGGER);
                }
            }
            CommitKind::Call | CommitKind::Blocking if retriable => {
                commit.attempts += 1;
                commit.retry_at = io.now() + wait;
                self.queue.push_back(commit);
                return;
            }
            CommitKind::Call => answers.push(Err(commit_failure(code, group, &commit.offsets))),
            CommitKind::Blocking => {}
        }
        match code {
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration if group.is_stable() => {
                group.lose_membership(code, subscriptions, events);
            }
            ErrorCode::RebalanceInProgress if group.is_stable() => {
                group.request_rejoin("offset commit failed since group is already rebalancing");
            }
            ErrorCode::FencedInstanceId => {
                events.extend(
                    fatal(code, group.group_id(), group.instance_id()).map(GroupEvent::Failed),
                );
            }
            _ => {}
        }
    }

    fn fetched(
        &mut self,
        asked: &[TopicPartition],
        result: &Result<Response, Failure>,
        subscriptions: &mut Subscriptions,
        group: &mut Group,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) -> Result<(), ClientError> {
        for partition in asked {
            if let Some(state) = subscriptions.get_mut(partition) {
                state.asking = false;
            }
        }
        let answer = match result {
            Ok(Response::OffsetFetch(response)) => response.groups.first(),
            _ => None,
        };
        let code = answer
            .map_or(ErrorCode::NetworkException, |answer| ErrorCode::from_code(answer.error_code));
        if matches!(
            code,
            ErrorCode::NetworkException
                | ErrorCode::NotCoordinator
                | ErrorCode::CoordinatorNotAvailable
        ) {
            group.lookup.forget();
        }
        let unstable = |data: &OffsetFetchResponsePartition| {
            ErrorCode::from_code(data.error_code).is_retriable()
        };
        let retry = code.is_retriable()
            || answer.is_some_and(|answer| {
                answer.topics.iter().flat_map(|topic| &topic.partitions).any(unstable)
            });
        if retry {
            self.fetch_retry_at =
                io.now() + settings.backoff.backoff(self.fetch_attempts, io.context.random());
            self.fetch_attempts += 1;
            return Ok(());
        }
        if let Some(failure) = fatal(code, group.group_id(), group.instance_id()) {
            return Err(failure);
        }
        self.fetch_attempts = 0;
        let Some(answer) = answer else { return Ok(()) };
        let mut without = Vec::new();
        for partition in asked {
            let still_missing = subscriptions
                .get(partition)
                .is_some_and(|state| state.state == FetchState::Initializing);
            if !still_missing {
                continue;
            }
            let found = answer
                .topics
                .iter()
                .filter(|topic| topic.name == partition.topic)
                .flat_map(|topic| &topic.partitions)
                .find(|data| {
                    data.partition_index == partition.partition && data.committed_offset >= 0
                });
            match (found, settings.reset) {
                (Some(found), _) => {
                    let position = Position {
                        offset: found.committed_offset,
                        offset_epoch: found.committed_leader_epoch,
                        leader_epoch: -1,
                    };
                    subscriptions.seek(partition, position);
                }
                (None, Some(strategy)) => subscriptions.request_reset(partition, strategy),
                (None, None) => without.push(partition.clone()),
            }
        }
        subscriptions.maybe_validate_positions(&io.network.metadata);
        if without.is_empty() { Ok(()) } else { Err(no_offset(&without)) }
    }

    /// When something is due; what has passed waits for something else.
    pub fn wakes(&self, times: &mut Vec<Micros>) {
        times.extend(self.queue.iter().map(|commit| commit.retry_at));
        times.extend(self.auto_commit_at);
        times.push(self.fetch_retry_at);
    }
}

/// No committed offset and no strategy either. Kafka: `NoOffsetForPartitionException`.
pub fn no_offset(partitions: &[TopicPartition]) -> ClientError {
    let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    error(
        "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
        &format!("Undefined offset with no reset policy for partitions: [{}]", names.join(", ")),
    )
}

fn topic_id(topic: &str, io: &Io<'_, '_>) -> crate::uuid::Uuid {
    io.network.metadata.topic(topic).map(|topic| topic.id).unwrap_or_default()
}

fn commit_request(group: &Group, offsets: &Offsets, io: &Io<'_, '_>) -> OffsetCommitRequest {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for (partition, offset, epoch) in offsets {
        let data = OffsetCommitRequestPartition {
            partition_index: partition.partition,
            committed_offset: *offset,
            committed_leader_epoch: *epoch,
            committed_metadata: Some(String::new()),
        };
        match topics.iter_mut().find(|topic| topic.name == partition.topic) {
            Some(topic) => topic.partitions.push(data),
            None => topics.push(OffsetCommitRequestTopic {
                topic_id: topic_id(&partition.topic, io),
                name: partition.topic.clone(),
                partitions: vec![data],
            }),
        }
    }
    OffsetCommitRequest {
        group_id: group.group_id().to_owned(),
        generation_id_or_member_epoch: group.generation_id,
        member_id: group.member_id.clone(),
        group_instance_id: group.instance_id().map(str::to_owned),
        topics,
    }
}

/// The first error of any partition.
fn commit_error(result: &Result<Response, Failure>) -> ErrorCode {
    match result {
        Ok(Response::OffsetCommit(response)) => response
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|partition| ErrorCode::from_code(partition.error_code))
            .find(|code| code.is_error())
            .unwrap_or(ErrorCode::None),
        _ => ErrorCode::NetworkException,
    }
}

/// Kafka: `OffsetAndMetadata.toString` within a map.
fn offsets_text(offsets: &Offsets) -> String {
    let text: Vec<String> = offsets
        .iter()
        .map(|(partition, offset, epoch)| {
            let epoch = if *epoch >= 0 { epoch.to_string() } else { "null".to_owned() };
            format!(
                "{partition}=OffsetAndMetadata{{offset={offset}, leaderEpoch={epoch}, metadata=''}}"
            )
        })
        .collect();
    format!("{{{}}}", text.join(", "))
}

fn commit_failure(code: ErrorCode, group: &Group, offsets: &Offsets) -> ClientError {
    const COMMIT_FAILED: &str = "org.apache.kafka.clients.consumer.CommitFailedException";
    if let Some(failure) = fatal(code, group.group_id(), group.instance_id()) {
        return failure;
    }
    match code {
        ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => error(
            COMMIT_FAILED,
            "Commit cannot be completed since the group has already rebalanced and assigned the partitions to another member. This means that the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time message processing. You can address this either by increasing max.poll.interval.ms or by reducing the maximum size of batches returned in poll() with max.poll.records.",
        ),
        ErrorCode::RebalanceInProgress => error(
            &format!("{KAFKA_ERRORS}.RebalanceInProgressException"),
            "Offset commit cannot be completed since the consumer is undergoing a rebalance for auto partition assignment. You can try completing the rebalance by calling poll() and then retry the operation.",
        ),
        other => {
            let partition =
                offsets.first().map(|(partition, ..)| partition.to_string()).unwrap_or_default();
            let mut failure = error(
                "org.apache.kafka.common.KafkaException",
                &format!(
                    "Unexpected error in commit for partition {partition}: {}",
                    other.message()
                ),
            );
            failure.code = other.code();
            failure
        }
    }
}
