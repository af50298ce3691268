//! Membership in a classic group: finding the coordinator, joining, syncing, heartbeats, leaving.
//! Kafka: `AbstractCoordinator`, `ConsumerCoordinator`, the classic protocol with eager rebalancing.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::Io;
use super::super::api::ClientError;
use super::super::assignor::{self, GroupMember, TopicRacks};
use super::super::coordinator::CoordinatorLookup;
use super::super::network::Failure;
use super::settings::ConsumerSettings;
use super::subscription::Subscriptions;
use super::{KAFKA_ERRORS, error};
use crate::protocol::consumer_protocol::{self, Assignment, Subscription};
use crate::protocol::*;
use crate::types::{BrokerId, TopicPartition};

const COORDINATOR_LOGGER: &str = "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator";
/// What a JoinGroup may take beyond the rebalance itself. Kafka: `JOIN_GROUP_TIMEOUT_LAPSE`.
const JOIN_GROUP_TIMEOUT_LAPSE: Micros = Micros::from_secs(5);
/// A member of no generation. Kafka: `Generation.NO_GENERATION`.
pub const NO_GENERATION: i32 = -1;

/// Kafka: `AbstractCoordinator.MemberState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum MemberState {
    Unjoined,
    /// JoinGroup is on its way.
    PreparingRebalance,
    /// Joined; SyncGroup is on its way, or is about to be sent.
    CompletingRebalance,
    Stable,
}

/// What the group tells the rest of the consumer.
#[derive(Clone, Debug)]
pub enum GroupEvent {
    Revoked(Vec<TopicPartition>),
    Assigned(Vec<TopicPartition>),
    Failed(ClientError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Join,
    Sync,
    Heartbeat,
    Leave,
}

/// The consumer's part in a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    group_id: String,
    instance_id: Option<String>,
    pub lookup: CoordinatorLookup,
    state: MemberState,
    pub member_id: String,
    pub generation_id: i32,
    protocol_name: Option<String>,
    rejoin_needed: bool,
    /// What JoinGroup gives as its reason.
    rejoin_reason: String,
    /// What was owned is given back, and the join may be sent.
    prepared: bool,
    join_at: Micros,
    join_attempts: u32,
    in_flight: SortedMap<u32, Asked>,
    /// The leader's list of members, until the metadata of all their topics is there.
    to_assign: Option<Vec<JoinGroupResponseMember>>,
    heartbeat_at: Micros,
    session_ends_at: Micros,
    /// Partition counts that the leader's assignment was made from.
    assigned_from: Option<SortedMap<String, i32>>,
    /// Topics that anybody in the group subscribes to; only the leader knows them.
    group_topics: SortedSet<String>,
    joined_topics: SortedSet<String>,
    last_poll: Micros,
    leaving: bool,
    /// How often in a row the coordinator could not be reached.
    unreachable: u32,
}

impl Group {
    pub fn new(group_id: String, settings: &ConsumerSettings) -> Self {
        Self {
            lookup: CoordinatorLookup::new(group_id.clone()),
            group_id,
            instance_id: settings.group_instance_id.clone(),
            state: MemberState::Unjoined,
            member_id: String::new(),
            generation_id: NO_GENERATION,
            protocol_name: None,
            rejoin_needed: true,
            rejoin_reason: String::new(),
            prepared: false,
            join_at: Micros::ZERO,
            join_attempts: 0,
            in_flight: SortedMap::new(),
            to_assign: None,
            heartbeat_at: Micros::MAX,
            session_ends_at: Micros::MAX,
            assigned_from: None,
            group_topics: SortedSet::new(),
            joined_topics: SortedSet::new(),
            last_poll: Micros::ZERO,
            leaving: false,
            unreachable: 0,
        }
    }

    pub fn group_id(&self) -> &str {
        &self.group_id
    }

    pub fn instance_id(&self) -> Option<&str> {
        self.instance_id.as_deref()
    }

    pub fn is_stable(&self) -> bool {
        self.state == MemberState::Stable
    }

    /// Nothing is to be revoked or joined at present.
    pub fn is_settled(&self) -> bool {
        self.is_stable() && !self.rejoin_needed
    }

    pub fn request_rejoin(&mut self, reason: &str) {
        if !self.rejoin_needed {
            self.rejoin_reason = reason.to_owned();
        }
        self.rejoin_needed = true;
    }

    /// The membership is lost; the next join starts from scratch, or with the same member id.
    pub fn reset_generation(&mut self, forget_member_id: bool) {
        self.state = MemberState::Unjoined;
        self.generation_id = NO_GENERATION;
        self.protocol_name = None;
        if forget_member_id {
            self.member_id.clear();
        }
        self.heartbeat_at = Micros::MAX;
        self.to_assign = None;
        self.rejoin_needed = true;
    }

    /// Leaves what was agreed for the topics of interest: the leader needs those of all members.
    pub fn topics_of_interest(&self, subscribed: &SortedSet<String>) -> SortedSet<String> {
        subscribed.union(&self.group_topics).cloned().collect()
    }

    /// The part that runs whatever the application does: heartbeats and the limit between polls.
    pub fn beat(&mut self, polling: bool, settings: &ConsumerSettings, io: &mut Io<'_, '_>) {
        let now = io.now();
        if polling {
            self.last_poll = now;
        }
        let member = matches!(self.state, MemberState::CompletingRebalance | MemberState::Stable);
        if !member || self.leaving {
            return;
        }
        if now >= self.last_poll + settings.max_poll_interval {
            io.log(
                "WARN",
                "consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time processing messages. You can address this either by increasing max.poll.interval.ms or by reducing the maximum size of batches returned in poll() with max.poll.records.",
                COORDINATOR_LOGGER,
            );
            self.leave("consumer poll timeout has expired.", settings, io);
            self.leaving = false;
            return;
        }
        if now >= self.session_ends_at {
            // Nothing was heard of the coordinator for a whole session.
            self.lookup.forget();
            self.session_ends_at = now + settings.session_timeout;
        }
        if now < self.heartbeat_at
            || self.in_flight.values().any(|asked| *asked == Asked::Heartbeat)
        {
            return;
        }
        let Some(node) = self.coordinator(settings, io) else { return };
        let request = HeartbeatRequest {
            group_id: self.group_id.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
        };
        self.heartbeat_at = now + settings.heartbeat_interval;
        self.ask(node, request.into(), Asked::Heartbeat, settings.request_timeout, io);
    }

    /// The coordinator, if it is known and can be reached. One that cannot is looked for again after a while.
    pub fn coordinator(
        &mut self,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) -> Option<BrokerId> {
        let node = self.lookup.poll(io)?;
        if io.network.ready(node, io.context) {
            self.unreachable = 0;
            return Some(node);
        }
        let known = io.network.metadata.brokers.contains_key(&node);
        if !known || io.network.retry_at(node).is_some() {
            let wait = settings.backoff.backoff(self.unreachable, io.context.random());
            self.unreachable += 1;
            self.lookup.forget_until(io.now() + wait);
        }
        None
    }

    fn ask(
        &mut self,
        node: BrokerId,
        request: Request,
        asked: Asked,
        timeout: Micros,
        io: &mut Io<'_, '_>,
    ) {
        let id = io.request(node, request, timeout);
        self.in_flight.insert(id, asked);
    }

    /// Whether the metadata has changed so that the group must assign anew. Kafka: `rejoinNeededOrPending`.
    pub fn check_metadata(&mut self, subscriptions: &Subscriptions, io: &Io<'_, '_>) {
        if !self.is_stable() {
            return;
        }
        if let Some(before) = &self.assigned_from {
            let now = counts(&self.topics_of_interest(&subscriptions.topics()), io);
            if *before != now {
                let reason = format!(
                    "cached metadata has changed from {} at the beginning of the rebalance to {}",
                    counts_text(before),
                    counts_text(&now)
                );
                self.request_rejoin(&reason);
            }
        }
        let topics = subscriptions.topics();
        if topics != self.joined_topics {
            let text =
                |topics: &SortedSet<String>| topics.iter().cloned().collect::<Vec<_>>().join(", ");
            let reason = format!(
                "subscription has changed from [{}] at the beginning of the rebalance to [{}]",
                text(&self.joined_topics),
                text(&topics)
            );
            self.request_rejoin(&reason);
        }
    }

    /// A join is due and what is owned must be given back (and committed) first.
    pub fn must_prepare(&self) -> bool {
        self.rejoin_needed
            && !self.prepared
            && matches!(self.state, MemberState::Unjoined | MemberState::Stable)
    }

    /// Gives back everything, as eager rebalancing does; the join can go on.
    pub fn prepare(&mut self, subscriptions: &mut Subscriptions, events: &mut Vec<GroupEvent>) {
        self.prepared = true;
        let owned = subscriptions.assigned().to_vec();
        if !owned.is_empty() {
            events.push(GroupEvent::Revoked(owned));
            subscriptions.assign(Vec::new());
        }
    }

    /// Joins and syncs as far as can be done now.
    pub fn advance(
        &mut self,
        subscriptions: &Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        if self.leaving {
            return;
        }
        let Some(node) = self.coordinator(settings, io) else { return };
        if self.to_assign.is_some() {
            self.assign_and_sync(node, subscriptions, settings, io);
        }
        let idle = matches!(self.state, MemberState::Unjoined | MemberState::Stable);
        let busy = self.in_flight.values().any(|asked| matches!(asked, Asked::Join | Asked::Sync));
        if self.rejoin_needed && self.prepared && idle && !busy && io.now() >= self.join_at {
            self.join(node, subscriptions, settings, io);
        }
    }

    fn join(
        &mut self,
        node: BrokerId,
        subscriptions: &Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        self.state = MemberState::PreparingRebalance;
        self.joined_topics = subscriptions.topics();
        let rack_id = Some(settings.rack.clone()).filter(|rack| !rack.is_empty());
        let protocols = settings
            .assignors
            .iter()
            .map(|name| {
                // The sticky assignors add the generation of what they own; a member that owns nothing has none.
                let sticky = name != assignor::RANGE && name != "roundrobin";
                let subscription = Subscription {
                    topics: self.joined_topics.iter().cloned().collect(),
                    user_data: sticky.then(|| NO_GENERATION.to_be_bytes().to_vec()),
                    owned_partitions: Vec::new(),
                    generation_id: self.generation_id,
                    rack_id: rack_id.clone(),
                };
                JoinGroupRequestProtocol { name: name.clone(), metadata: subscription.encode() }
            })
            .collect();
        let request = JoinGroupRequest {
            group_id: self.group_id.clone(),
            session_timeout_ms: settings.session_timeout.as_ms() as i32,
            rebalance_timeout_ms: settings.max_poll_interval.as_ms() as i32,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: consumer_protocol::PROTOCOL_TYPE.to_owned(),
            protocols,
            reason: Some(self.rejoin_reason.clone()),
        };
        let timeout =
            settings.request_timeout.max(settings.max_poll_interval + JOIN_GROUP_TIMEOUT_LAPSE);
        self.ask(node, request.into(), Asked::Join, timeout, io);
    }

    /// The leader deals out the partitions once it knows all topics of the group.
    fn assign_and_sync(
        &mut self,
        node: BrokerId,
        subscriptions: &Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        if io.network.metadata.update_requested() && !self.topics_settled(io) {
            return;
        }
        let Some(members) = self.to_assign.take() else { return };
        let members: Vec<GroupMember> = members
            .into_iter()
            .map(|member| GroupMember {
                subscription: Subscription::decode(&member.metadata.0).unwrap_or_default(),
                member_id: member.member_id,
                group_instance_id: member.group_instance_id,
            })
            .collect();
        let topics = self.topics_of_interest(&subscriptions.topics());
        let cluster =
            topics.iter().filter_map(|topic| Some((topic.clone(), racks(topic, io)?))).collect();
        self.assigned_from = Some(counts(&topics, io));
        let assignments = assignor::assign_range(&cluster, &members)
            .into_iter()
            .map(|(member_id, partitions)| SyncGroupRequestAssignment {
                member_id,
                assignment: Assignment { partitions, user_data: None }.encode(),
            })
            .collect();
        self.sync(node, assignments, settings, io);
    }

    /// Every topic of interest is either known or known to be missing.
    fn topics_settled(&self, io: &Io<'_, '_>) -> bool {
        let metadata = &io.network.metadata;
        self.group_topics.iter().all(|topic| {
            metadata.topic(topic).is_some() || metadata.topic_errors.contains_key(topic)
        })
    }

    fn sync(
        &mut self,
        node: BrokerId,
        assignments: Vec<SyncGroupRequestAssignment>,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let request = SyncGroupRequest {
            group_id: self.group_id.clone(),
            generation_id: self.generation_id,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: Some(consumer_protocol::PROTOCOL_TYPE.to_owned()),
            protocol_name: self.protocol_name.clone(),
            assignments,
        };
        let timeout =
            settings.request_timeout.max(settings.max_poll_interval + JOIN_GROUP_TIMEOUT_LAPSE);
        self.ask(node, request.into(), Asked::Sync, timeout, io);
    }

    /// Takes the answer if the request was one of these.
    pub fn complete(
        &mut self,
        correlation_id: u32,
        result: &Result<Response, Failure>,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        io: &mut Io<'_, '_>,
    ) -> bool {
        if self.lookup.complete(correlation_id, result, io) {
            if let Some(failure) = fatal(
                ErrorCode::from_code(self.lookup.last_error()),
                &self.group_id,
                self.instance_id(),
            ) {
                events.push(GroupEvent::Failed(failure));
            }
            return true;
        }
        let Some(asked) = self.in_flight.remove(&correlation_id) else { return false };
        match (asked, result) {
            (Asked::Join, Ok(Response::JoinGroup(response))) => {
                self.joined(response, settings, events, io);
            }
            (Asked::Sync, Ok(Response::SyncGroup(response))) => {
                self.synced(response, subscriptions, settings, events, io);
            }
            (Asked::Heartbeat, Ok(Response::Heartbeat(response))) => {
                self.heard(
                    ErrorCode::from_code(response.error_code),
                    subscriptions,
                    settings,
                    events,
                    io,
                );
            }
            (Asked::Leave, _) => self.leaving = false,
            (Asked::Heartbeat, _) => {
                self.heartbeat_at = io.now() + settings.backoff.initial;
                self.lookup.forget();
            }
            (Asked::Join | Asked::Sync, _) => {
                self.lookup.forget();
                self.retry_join(settings, io);
            }
        }
        true
    }

    fn retry_join(&mut self, settings: &ConsumerSettings, io: &mut Io<'_, '_>) {
        self.state = MemberState::Unjoined;
        self.rejoin_needed = true;
        self.to_assign = None;
        self.join_at = io.now() + settings.backoff.backoff(self.join_attempts, io.context.random());
        self.join_attempts += 1;
    }

    fn joined(
        &mut self,
        response: &JoinGroupResponse,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        io: &mut Io<'_, '_>,
    ) {
        if self.state != MemberState::PreparingRebalance {
            return;
        }
        let error = ErrorCode::from_code(response.error_code);
        match error {
            ErrorCode::None => {
                self.state = MemberState::CompletingRebalance;
                self.member_id.clone_from(&response.member_id);
                self.generation_id = response.generation_id;
                self.protocol_name.clone_from(&response.protocol_name);
                self.join_attempts = 0;
                self.heartbeat_at = io.now() + settings.heartbeat_interval;
                self.session_ends_at = io.now() + settings.session_timeout;
                self.group_topics.clear();
                self.assigned_from = None;
                let node = self.lookup.node();
                if response.leader != response.member_id || response.skip_assignment {
                    if let Some(node) = node {
                        self.sync(node, Vec::new(), settings, io);
                    }
                    return;
                }
                for member in &response.members {
                    let subscription = Subscription::decode(&member.metadata.0).unwrap_or_default();
                    self.group_topics.extend(subscription.topics);
                }
                let metadata = &mut io.network.metadata;
                if self.group_topics.iter().any(|topic| metadata.topic(topic).is_none()) {
                    let topics = self.group_topics.clone();
                    match &metadata.interest {
                        super::super::metadata::Interest::Topics(known) => {
                            let all = known.union(&topics).cloned().collect();
                            metadata.set_topics(all);
                        }
                        _ => metadata.request_update(false),
                    }
                }
                self.to_assign = Some(response.members.clone());
            }
            ErrorCode::MemberIdRequired => {
                self.member_id.clone_from(&response.member_id);
                self.state = MemberState::Unjoined;
                self.rejoin_reason =
                    format!("need to re-join with the given member-id: {}", response.member_id);
                self.join_at = io.now();
            }
            ErrorCode::UnknownMemberId => {
                self.reset_generation(true);
                self.rejoin_reason =
                    "encountered UNKNOWN_MEMBER_ID from JoinGroup response".to_owned();
                self.retry_join(settings, io);
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.lookup.forget();
                self.retry_join(settings, io);
            }
            ErrorCode::CoordinatorLoadInProgress | ErrorCode::RebalanceInProgress => {
                self.retry_join(settings, io);
            }
            _ => self.fail(error, events),
        }
    }

    fn fail(&mut self, code: ErrorCode, events: &mut Vec<GroupEvent>) {
        self.state = MemberState::Unjoined;
        self.heartbeat_at = Micros::MAX;
        let failure = fatal(code, &self.group_id, self.instance_id()).unwrap_or_else(|| {
            error(
                "org.apache.kafka.common.KafkaException",
                &format!("Unexpected error in join group response: {}", code.message()),
            )
        });
        events.push(GroupEvent::Failed(failure));
    }

    fn synced(
        &mut self,
        response: &SyncGroupResponse,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        io: &mut Io<'_, '_>,
    ) {
        if self.state != MemberState::CompletingRebalance {
            return;
        }
        let error = ErrorCode::from_code(response.error_code);
        match error {
            ErrorCode::None => {
                self.state = MemberState::Stable;
                self.rejoin_needed = false;
                self.rejoin_reason.clear();
                self.prepared = false;
                self.join_attempts = 0;
                let assignment = Assignment::decode(&response.assignment.0).unwrap_or_default();
                if subscriptions.is_auto_assigned() {
                    let partitions = assignment.partitions;
                    subscriptions.assign(partitions.clone());
                    events.push(GroupEvent::Assigned(partitions));
                }
            }
            ErrorCode::RebalanceInProgress => {
                self.state = MemberState::Unjoined;
                self.rejoin_reason = "need to re-join since the group is rebalancing".to_owned();
                self.rejoin_needed = true;
                self.join_at = io.now();
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                self.reset_generation(error == ErrorCode::UnknownMemberId);
                self.rejoin_reason =
                    format!("encountered {} from SyncGroup response", error.name());
                self.retry_join(settings, io);
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.lookup.forget();
                self.retry_join(settings, io);
            }
            ErrorCode::CoordinatorLoadInProgress => self.retry_join(settings, io),
            _ => self.fail(error, events),
        }
    }

    fn heard(
        &mut self,
        code: ErrorCode,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        events: &mut Vec<GroupEvent>,
        io: &mut Io<'_, '_>,
    ) {
        match code {
            ErrorCode::None => self.session_ends_at = io.now() + settings.session_timeout,
            ErrorCode::RebalanceInProgress => {
                self.session_ends_at = io.now() + settings.session_timeout;
                if self.is_stable() {
                    self.request_rejoin("group is already rebalancing");
                }
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => self.lookup.forget(),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration if self.is_stable() => {
                self.lose_membership(code, subscriptions, events);
            }
            ErrorCode::FencedInstanceId => self.fail(code, events),
            _ => {}
        }
    }

    /// The group went on without this member: what it owned belongs to others by now.
    pub fn lose_membership(
        &mut self,
        code: ErrorCode,
        subscriptions: &mut Subscriptions,
        events: &mut Vec<GroupEvent>,
    ) {
        self.reset_generation(code == ErrorCode::UnknownMemberId);
        self.rejoin_reason = format!("encountered {} from HEARTBEAT response", code.name());
        self.prepared = false;
        self.join_at = Micros::ZERO;
        self.prepare(subscriptions, events);
    }

    /// Tells the coordinator that this member goes. Static members just stop.
    pub fn leave(&mut self, reason: &str, settings: &ConsumerSettings, io: &mut Io<'_, '_>) {
        let node = self.lookup.node();
        if self.instance_id.is_none()
            && !self.member_id.is_empty()
            && let Some(node) = node
            && io.network.can_send(node)
        {
            let member = MemberIdentity {
                member_id: self.member_id.clone(),
                group_instance_id: None,
                reason: Some(reason.to_owned()),
            };
            let request =
                LeaveGroupRequest { group_id: self.group_id.clone(), members: vec![member] };
            self.leaving = true;
            self.ask(node, request.into(), Asked::Leave, settings.request_timeout, io);
        }
        self.reset_generation(true);
    }

    /// LeaveGroup is on its way.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// When something is due; what has passed waits for something else.
    pub fn wakes(&self, polling: bool, settings: &ConsumerSettings, times: &mut Vec<Micros>) {
        if matches!(self.state, MemberState::CompletingRebalance | MemberState::Stable) {
            times.extend([self.heartbeat_at, self.session_ends_at]);
            if !polling {
                times.push(self.last_poll + settings.max_poll_interval);
            }
        }
        if polling && self.rejoin_needed {
            times.push(self.join_at);
        }
        times.extend(self.lookup.retry_at());
    }
}

/// The partitions of a topic with the racks of their replicas, if it is known.
fn racks(topic: &str, io: &Io<'_, '_>) -> Option<TopicRacks> {
    let metadata = &io.network.metadata;
    let rack_of =
        |broker: &BrokerId| metadata.brokers.get(broker).and_then(|node| node.rack.clone());
    let partitions = &metadata.topic(topic)?.partitions;
    Some(
        partitions
            .iter()
            .map(|partition| partition.replicas.iter().filter_map(rack_of).collect())
            .collect(),
    )
}

fn counts(topics: &SortedSet<String>, io: &Io<'_, '_>) -> SortedMap<String, i32> {
    let metadata = &io.network.metadata;
    topics
        .iter()
        .filter_map(|topic| Some((topic.clone(), metadata.partition_count(topic)?)))
        .collect()
}

fn counts_text(counts: &SortedMap<String, i32>) -> String {
    let text: Vec<String> =
        counts.iter().map(|(topic, count)| format!("{topic}={count}")).collect();
    format!("{{{}}}", text.join(", "))
}

/// Errors that end the consumer, as the exceptions they are.
pub fn fatal(code: ErrorCode, group_id: &str, instance_id: Option<&str>) -> Option<ClientError> {
    let message = match code {
        ErrorCode::GroupAuthorizationFailed => {
            format!("Not authorized to access group: {group_id}")
        }
        ErrorCode::GroupMaxSizeReached => {
            format!(
                "Consumer group {group_id} already has the configured maximum number of members."
            )
        }
        ErrorCode::FencedInstanceId => format!(
            "The coordinator reports that the group instance id {} is fenced by another member.",
            instance_id.unwrap_or_default()
        ),
        ErrorCode::InconsistentGroupProtocol
        | ErrorCode::InvalidSessionTimeout
        | ErrorCode::InvalidGroupId => code.message().to_owned(),
        _ => return None,
    };
    let exception = format!("{KAFKA_ERRORS}.{}", code.exception().unwrap_or_default());
    Some(ClientError { code: code.code(), exception, message })
}
