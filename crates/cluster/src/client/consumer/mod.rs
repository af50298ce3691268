//! The consumer: what happens between an application's polls. Kafka: `ClassicKafkaConsumer`.
//!
//! # Where to start
//! - This file is the order of things in a poll: metadata, group, positions, records, fetches.
//! - [`group`] is the membership, [`commits`] the committed offsets, [`offsets`] asks leaders where to begin,
//!   [`fetcher`] fetches ahead; [`subscription`] is what is read and where it stands.
//!
//! Nothing but heartbeats happens unless the application polls, as in Kafka.

pub mod commits;
pub mod fetcher;
pub mod group;
pub mod offsets;
pub mod session;
pub mod settings;
pub mod subscription;

use simulation::sorted::SortedSet;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Io;
use super::api::{ClientCommand, ClientError, ClientNotice, ClientSpec};
use super::metadata::Interest;
use super::network::Completion;
use crate::protocol::ErrorCode;
use crate::types::TopicPartition;

use commits::{CommitKind, Commits};
use fetcher::Fetcher;
use group::{Group, GroupEvent};
use offsets::{EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, OffsetFetcher};
use settings::{ConsumerSettings, ResetStrategy};
use subscription::{FetchState, Mode, Position, Subscriptions};

/// The package of Kafka's protocol exceptions.
const KAFKA_ERRORS: &str = "org.apache.kafka.common.errors";
/// `KafkaConsumer.close` waits at most this long.
const CLOSE_TIMEOUT: Micros = Micros::from_secs(30);

/// An error of the client's own.
fn error(exception: &str, message: &str) -> ClientError {
    ClientError { code: -1, exception: exception.to_owned(), message: message.to_owned() }
}

/// How far closing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Closing {
    Committing,
    Leaving,
}

/// A consumer whose settings are right.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Running {
    settings: ConsumerSettings,
    subscriptions: Subscriptions,
    group: Option<Group>,
    commits: Commits,
    offsets: OffsetFetcher,
    fetcher: Fetcher,
    /// How many records the application waits for.
    polling: Option<u32>,
    /// The metadata was looked at when it had this version.
    seen_metadata: Option<u32>,
    closing: Option<(Closing, Micros)>,
    /// What went before the next join was committed.
    committing_before_join: bool,
}

/// The state of a consumer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Consumer {
    state: Result<Box<Running>, ClientError>,
    told_of_failure: bool,
}

impl Consumer {
    pub fn new(spec: &ClientSpec) -> Self {
        let state = ConsumerSettings::of(spec).map(|settings| Box::new(Running::new(settings)));
        Self { state, told_of_failure: false }
    }

    /// What is wrong with the settings, in Kafka's words: the exception of the constructor.
    pub fn check(spec: &ClientSpec) -> Result<(), ClientError> {
        ConsumerSettings::of(spec).map(|_| ())
    }

    /// The partitions that it reads at present, in order.
    pub fn assigned(&self) -> &[TopicPartition] {
        self.state.as_ref().map_or(&[], |running| running.subscriptions.assigned())
    }

    /// The next offset that it returns of a partition.
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        let running = self.state.as_ref().ok()?;
        Some(running.subscriptions.get(partition)?.position?.offset)
    }

    /// Its member id, once the coordinator has given it one.
    pub fn member_id(&self) -> Option<&str> {
        let group = self.state.as_ref().ok()?.group.as_ref()?;
        Some(group.member_id.as_str()).filter(|id| !id.is_empty())
    }

    /// What its owner tells it.
    pub fn command(&mut self, command: ClientCommand, io: &mut Io<'_, '_>) {
        match &mut self.state {
            Ok(running) => running.command(command, io),
            Err(_) if command == ClientCommand::Close => io.close(),
            Err(_) => {}
        }
    }

    /// A request sent by `io.request` has ended.
    pub fn complete(&mut self, completion: Completion, io: &mut Io<'_, '_>) {
        if let Ok(running) = &mut self.state {
            let outcome = running.complete(&completion, io);
            self.settle(outcome, io);
        }
    }

    /// Does what can be done now.
    pub fn poll(&mut self, io: &mut Io<'_, '_>) {
        match &mut self.state {
            Ok(running) => {
                let outcome = running.poll(io);
                self.settle(outcome, io);
            }
            Err(failure) if !self.told_of_failure => {
                self.told_of_failure = true;
                io.notify(ClientNotice::Failed(failure.clone()));
            }
            Err(_) => {}
        }
    }

    /// When `poll` has something to do at the latest, if nothing else happens before.
    pub fn next_wake(&self, io: &Io<'_, '_>) -> Micros {
        self.state.as_ref().map_or(Micros::MAX, |running| running.next_wake(io))
    }

    /// An exception goes to the poll that met it; the application may poll again, or close.
    fn settle(&mut self, outcome: Result<(), ClientError>, io: &mut Io<'_, '_>) {
        if let (Err(failure), Ok(running)) = (outcome, &mut self.state) {
            running.polling = None;
            if running.closing.is_none() {
                io.notify(ClientNotice::Failed(failure));
            }
        }
    }
}

impl Running {
    fn new(settings: ConsumerSettings) -> Self {
        Self {
            subscriptions: Subscriptions::new(),
            group: settings.group_id.clone().map(|id| Group::new(id, &settings)),
            commits: Commits::default(),
            offsets: OffsetFetcher::default(),
            fetcher: Fetcher::default(),
            polling: None,
            seen_metadata: None,
            closing: None,
            committing_before_join: false,
            settings,
        }
    }

    fn command(&mut self, command: ClientCommand, io: &mut Io<'_, '_>) {
        io.network.metadata.allow_auto_topic_creation = self.settings.allow_auto_create_topics;
        match command {
            ClientCommand::Subscribe { topics, pattern } => self.subscribe(topics, pattern, io),
            ClientCommand::Assign { partitions } => self.assign(partitions, io),
            ClientCommand::Poll { max_records } => {
                self.polling = Some(max_records.clamp(1, self.settings.max_poll_records));
            }
            ClientCommand::Commit { offsets } => self.commit(offsets, io),
            ClientCommand::Seek { partition, offset } => {
                self.fetcher.forget(&partition);
                let position = Position { offset, offset_epoch: -1, leader_epoch: -1 };
                self.subscriptions.seek(&partition, position);
                self.subscriptions.maybe_validate_positions(&io.network.metadata);
            }
            ClientCommand::Close if self.closing.is_none() => {
                self.polling = None;
                self.closing = Some((Closing::Committing, io.now() + CLOSE_TIMEOUT));
                self.commit_all(CommitKind::Blocking);
            }
            _ => {}
        }
    }

    fn subscribe(&mut self, topics: Vec<String>, pattern: bool, io: &mut Io<'_, '_>) {
        if self.group.is_none() {
            let failure = error(
                &format!("{KAFKA_ERRORS}.InvalidGroupIdException"),
                "To use the group management or offset commit APIs, you must provide a valid group.id in the consumer configuration.",
            );
            return io.notify(ClientNotice::Failed(failure));
        }
        let metadata = &mut io.network.metadata;
        if pattern {
            self.subscriptions.mode =
                Mode::Pattern { expressions: topics, matching: SortedSet::new() };
            metadata.interest = Interest::AllTopics;
            metadata.request_update(true);
        } else {
            let topics: SortedSet<String> = topics.into_iter().collect();
            self.subscriptions.mode = Mode::Topics(topics.clone());
            metadata.set_topics(topics);
        }
        self.seen_metadata = None;
        self.commits.auto_commit_at =
            self.settings.auto_commit_interval.map(|interval| io.now() + interval);
    }

    fn assign(&mut self, partitions: Vec<(TopicPartition, Option<i64>)>, io: &mut Io<'_, '_>) {
        self.subscriptions.mode = Mode::UserAssigned;
        self.subscriptions
            .assign(partitions.iter().map(|(partition, _)| partition.clone()).collect());
        for (partition, offset) in &partitions {
            match *offset {
                None => {}
                Some(EARLIEST_TIMESTAMP) => {
                    self.subscriptions.request_reset(partition, ResetStrategy::Earliest)
                }
                Some(LATEST_TIMESTAMP) => {
                    self.subscriptions.request_reset(partition, ResetStrategy::Latest)
                }
                Some(offset) => {
                    let position = Position { offset, offset_epoch: -1, leader_epoch: -1 };
                    self.subscriptions.seek(partition, position);
                }
            }
        }
        let topics = partitions.into_iter().map(|(partition, _)| partition.topic).collect();
        io.network.metadata.set_topics(topics);
        self.commits.auto_commit_at =
            self.settings.auto_commit_interval.map(|interval| io.now() + interval);
    }

    fn commit(&mut self, offsets: Vec<(TopicPartition, i64)>, io: &mut Io<'_, '_>) {
        if self.group.is_none() {
            let failure = error(
                &format!("{KAFKA_ERRORS}.InvalidGroupIdException"),
                "To use the group management or offset commit APIs, you must provide a valid group.id in the consumer configuration.",
            );
            return io.notify(ClientNotice::Committed(Err(failure)));
        }
        let offsets = if offsets.is_empty() {
            self.subscriptions.all_consumed()
        } else {
            offsets.into_iter().map(|(partition, offset)| (partition, offset, -1)).collect()
        };
        if offsets.is_empty() {
            return io.notify(ClientNotice::Committed(Ok(())));
        }
        self.commits.submit(CommitKind::Call, offsets);
    }

    /// Commits all positions if that is what the settings want.
    fn commit_all(&mut self, kind: CommitKind) {
        let may_commit = self.group.as_ref().is_some_and(|group| {
            !self.subscriptions.is_auto_assigned() || group.generation_id != group::NO_GENERATION
        });
        if self.settings.auto_commit_interval.is_some() && may_commit {
            let offsets = self.subscriptions.all_consumed();
            if !offsets.is_empty() {
                self.commits.submit(kind, offsets);
            }
        }
    }

    fn complete(
        &mut self,
        completion: &Completion,
        io: &mut Io<'_, '_>,
    ) -> Result<(), ClientError> {
        let (id, result) = (completion.correlation_id, &completion.result);
        if self.fetcher.complete(id, result, &mut self.subscriptions) {
            return Ok(());
        }
        let asked = self.offsets.complete(id, result, &mut self.subscriptions, &self.settings, io);
        if let Some(outcome) = asked {
            return outcome;
        }
        let mut events = Vec::new();
        let mut answers = Vec::new();
        if let Some(group) = &mut self.group {
            let subscriptions = &mut self.subscriptions;
            let taken = group.complete(id, result, subscriptions, &self.settings, &mut events, io);
            if !taken {
                self.commits.complete(
                    id,
                    result,
                    subscriptions,
                    group,
                    &self.settings,
                    &mut events,
                    &mut answers,
                    io,
                );
            }
        }
        answers.into_iter().for_each(|answer| io.notify(ClientNotice::Committed(answer)));
        self.tell(events, io)
    }

    fn tell(&mut self, events: Vec<GroupEvent>, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        let mut outcome = Ok(());
        for event in events {
            match event {
                GroupEvent::Revoked(partitions) => {
                    self.fetcher.retain(&self.subscriptions);
                    io.notify(ClientNotice::Revoked(partitions));
                }
                GroupEvent::Assigned(partitions) => {
                    self.fetcher.retain(&self.subscriptions);
                    self.commits.auto_commit_at =
                        self.settings.auto_commit_interval.map(|interval| io.now() + interval);
                    self.seen_metadata = None;
                    io.notify(ClientNotice::Assigned(partitions));
                }
                GroupEvent::Failed(failure) => outcome = Err(failure),
            }
        }
        outcome
    }

    fn poll(&mut self, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        if self.closing.is_some() {
            self.close(io);
            return Ok(());
        }
        let polling = self.polling.is_some();
        if let Some(group) = &mut self.group
            && self.subscriptions.is_auto_assigned()
        {
            group.beat(polling, &self.settings, io);
        }
        if let Some(group) = &mut self.group {
            self.commits.send(group, &self.settings, io);
        }
        if !polling {
            return Ok(());
        }
        self.look_at_metadata(io)?;
        self.take_part(io)?;
        self.commit_by_interval(io);
        self.find_positions(io)?;
        self.hand_over(io)?;
        if self.may_fetch() {
            self.fetcher.send_fetches(&mut self.subscriptions, &self.settings, io);
        }
        Ok(())
    }

    /// While partitions are about to be given back, nothing more is fetched for them.
    fn may_fetch(&self) -> bool {
        !self.subscriptions.is_auto_assigned() || self.group.as_ref().is_some_and(Group::is_settled)
    }

    fn look_at_metadata(&mut self, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        let version = io.network.metadata.version();
        if self.seen_metadata == Some(version) {
            return Ok(());
        }
        self.seen_metadata = Some(version);
        let invalid: Vec<&str> = io
            .network
            .metadata
            .topic_errors
            .iter()
            .filter(|(_, code)| **code == ErrorCode::InvalidTopicException.code())
            .map(|(topic, _)| topic.as_str())
            .collect();
        if !invalid.is_empty() {
            return Err(ClientError {
                code: ErrorCode::InvalidTopicException.code(),
                exception: format!("{KAFKA_ERRORS}.InvalidTopicException"),
                message: format!("Invalid topics: [{}]", invalid.join(", ")),
            });
        }
        if let Mode::Pattern { expressions, matching } = &mut self.subscriptions.mode {
            let compiled: Vec<Regex> = expressions
                .iter()
                .filter_map(|expression| Regex::new(&format!("^(?:{expression})$")).ok())
                .collect();
            let topics = io.network.metadata.topics.iter();
            *matching = topics
                .filter(|(_, topic)| !(topic.internal && self.settings.exclude_internal_topics))
                .filter(|(name, _)| compiled.iter().any(|expression| expression.is_match(name)))
                .map(|(name, _)| name.clone())
                .collect();
        }
        if let Some(group) = &mut self.group
            && self.subscriptions.is_auto_assigned()
        {
            group.check_metadata(&self.subscriptions, io);
        }
        self.subscriptions.maybe_validate_positions(&io.network.metadata);
        Ok(())
    }

    /// Joins the group, or joins it again, as far as that can go now.
    fn take_part(&mut self, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        if !self.subscriptions.is_auto_assigned() || self.waits_for_topics(io) {
            return Ok(());
        }
        if self.group.as_ref().is_some_and(Group::must_prepare) {
            if !self.committing_before_join {
                self.committing_before_join = true;
                self.commit_all(CommitKind::Blocking);
                if let Some(group) = &mut self.group {
                    self.commits.send(group, &self.settings, io);
                }
            }
            if self.commits.is_blocking() {
                return Ok(());
            }
            self.committing_before_join = false;
            let mut events = Vec::new();
            if let Some(group) = &mut self.group {
                group.prepare(&mut self.subscriptions, &mut events);
            }
            self.tell(events, io)?;
        }
        if let Some(group) = &mut self.group {
            group.advance(&self.subscriptions, &self.settings, io);
        }
        Ok(())
    }

    /// A pattern needs to see the topics first.
    fn waits_for_topics(&self, io: &Io<'_, '_>) -> bool {
        matches!(self.subscriptions.mode, Mode::Pattern { .. })
            && io.network.metadata.update_version == 0
    }

    fn commit_by_interval(&mut self, io: &mut Io<'_, '_>) {
        let now = io.now();
        let (Some(interval), Some(due)) =
            (self.settings.auto_commit_interval, self.commits.auto_commit_at)
        else {
            return;
        };
        if now < due || self.commits.has_automatic() {
            return;
        }
        self.commits.auto_commit_at = Some(now + interval);
        self.commit_all(CommitKind::Automatic);
        if let Some(group) = &mut self.group {
            self.commits.send(group, &self.settings, io);
        }
    }

    /// Every partition needs a position: a committed one, else where the strategy says.
    fn find_positions(&mut self, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        match &mut self.group {
            Some(group) => {
                self.commits.fetch_committed(&mut self.subscriptions, group, &self.settings, io);
            }
            None => {
                let missing = self
                    .subscriptions
                    .partitions_where(|state| state.state == FetchState::Initializing);
                let Some(strategy) = self.settings.reset else {
                    return if missing.is_empty() {
                        Ok(())
                    } else {
                        Err(commits::no_offset(&missing))
                    };
                };
                missing
                    .iter()
                    .for_each(|partition| self.subscriptions.request_reset(partition, strategy));
            }
        }
        self.offsets.send(&mut self.subscriptions, &self.settings, io);
        Ok(())
    }

    fn hand_over(&mut self, io: &mut Io<'_, '_>) -> Result<(), ClientError> {
        let Some(max) = self.polling.filter(|_| self.fetcher.has_completed()) else {
            return Ok(());
        };
        let records = self.fetcher.collect(max, &mut self.subscriptions, &self.settings, io)?;
        if !records.is_empty() {
            self.polling = None;
            io.notify(ClientNotice::Records(records));
        }
        Ok(())
    }

    /// Commits, leaves, ends; an unreachable coordinator is waited for only so long.
    fn close(&mut self, io: &mut Io<'_, '_>) {
        let Some((stage, deadline)) = self.closing else { return };
        let late = io.now() >= deadline;
        let Some(group) = &mut self.group else {
            self.fetcher.close_sessions(io);
            return io.close();
        };
        self.commits.send(group, &self.settings, io);
        if stage == Closing::Committing && (late || self.commits.is_idle()) {
            self.closing = Some((Closing::Leaving, deadline));
            if self.subscriptions.is_auto_assigned() {
                group.leave("the consumer is being closed", &self.settings, io);
            }
            self.fetcher.close_sessions(io);
        }
        let left = matches!(self.closing, Some((Closing::Leaving, _))) && !group.is_leaving();
        if left || late {
            io.close();
        }
    }

    fn next_wake(&self, io: &Io<'_, '_>) -> Micros {
        let now = io.now();
        let polling = self.polling.is_some();
        let mut times = Vec::new();
        if let Some((_, deadline)) = self.closing {
            times.push(deadline);
            self.commits.wakes(&mut times);
            times.push(io.network.next_retry(now));
            times.extend(self.group.as_ref().and_then(|group| group.lookup.retry_at()));
            return times.into_iter().filter(|at| *at > now).min().unwrap_or(Micros::MAX);
        }
        if let Some(group) = &self.group
            && (self.subscriptions.is_auto_assigned() || polling)
        {
            group.wakes(polling, &self.settings, &mut times);
        }
        if polling || !self.commits.is_idle() {
            self.commits.wakes(&mut times);
            times.push(io.network.next_retry(now));
        }
        if polling {
            let retries = self.subscriptions.states().map(|(_, state)| state.retry_at);
            times.extend(retries.filter(|at| *at > now).min());
        }
        // What is due but could not be done waits for something else, which will wake this client.
        times.into_iter().filter(|at| *at > now).min().unwrap_or(Micros::MAX)
    }
}
