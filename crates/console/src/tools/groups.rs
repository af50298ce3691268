//! The admin client's methods about consumer groups. Kafka: `KafkaAdminClient` and the handlers in `admin.internals`.

use simulation::sorted::SortedMap;

use cluster::java::{JavaHashMap, JavaHashSet};
use cluster::protocol::consumer_protocol::Assignment;
use cluster::protocol::{
    ConsumerGroupDescribeRequest, Coordinator, DeleteGroupsRequest, DescribeGroupsRequest,
    ErrorCode, FindCoordinatorRequest, ListGroupsRequest, ListOffsetsPartition, ListOffsetsRequest,
    ListOffsetsTopic, ListedGroup, MetadataRequest, MetadataRequestTopic, OffsetCommitRequest,
    OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetDeleteRequest,
    OffsetDeleteRequestTopic, OffsetFetchRequest, OffsetFetchRequestGroup, Request, Response,
    TopicPartitions,
};
use cluster::types::{BrokerId, Offset, TopicPartition};
use cluster::uuid::Uuid;
use simulation::Micros;

use super::admin::AdminClient;
use super::exception::{Attempt, Exception, attempt};
use super::requests::{TopicDescription, describe_topics, described_order, wrong_answer};
use crate::client::{CallError, ClientError, Destination};
use crate::script::Script;

/// `retry.backoff.ms`
const RETRY_BACKOFF: Micros = Micros::from_ms(100);
/// `ListOffsets`: the end of the log.
pub const LATEST: i64 = -1;
/// `ListOffsets`: the start of the log.
pub const EARLIEST: i64 = -2;

/// An admin client whose calls take at most `timeout` each.
pub struct GroupAdmin<'a> {
    pub admin: &'a mut AdminClient,
    pub timeout: Micros,
}

/// Kafka: `ConsumerGroupDescription`.
pub struct GroupDescription {
    pub group_id: String,
    /// `Stable`
    pub state: String,
    pub coordinator: Coordinator,
    /// Empty if there is none.
    pub assignor: String,
    pub members: Vec<MemberDescription>,
    /// Only groups of the consumer protocol have epochs.
    pub group_epoch: Option<i32>,
    pub target_assignment_epoch: Option<i32>,
}

/// Kafka: `MemberDescription`.
pub struct MemberDescription {
    pub member_id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub host: String,
    pub assignment: JavaHashSet<TopicPartition>,
    pub target_assignment: Option<JavaHashSet<TopicPartition>>,
    pub epoch: Option<i32>,
    /// Whether it speaks the consumer protocol; unknown for classic groups.
    pub upgraded: Option<bool>,
}

/// A committed offset and the leader epoch with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    pub offset: Offset,
    pub leader_epoch: Option<i32>,
}

/// Partitions with their committed offset; `None` where the group knows the partition without one.
pub type CommittedOffsets = JavaHashMap<TopicPartition, Option<Committed>>;

fn partitions_of(topics: &[TopicPartitions]) -> JavaHashSet<TopicPartition> {
    let of_topic = |topic: &TopicPartitions| {
        let name = topic.topic_name.clone();
        topic
            .partitions
            .clone()
            .into_iter()
            .map(move |index| TopicPartition::new(name.clone(), index))
    };
    topics.iter().flat_map(of_topic).collect()
}

/// Names of topics and what belongs to each, in the order in which the topics come first.
fn by_topic<V>(
    partitions: impl IntoIterator<Item = (TopicPartition, V)>,
) -> Vec<(String, Vec<(i32, V)>)> {
    let mut topics: Vec<(String, Vec<(i32, V)>)> = Vec::new();
    for (TopicPartition { topic, partition }, value) in partitions {
        match topics.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, of_topic)) => of_topic.push((partition, value)),
            None => topics.push((topic, vec![(partition, value)])),
        }
    }
    topics
}

fn timed_out(script: &mut Script<'_>, name: &str, deadline: Micros, tries: u32) -> Exception {
    let now = script.now();
    let message = format!(
        "Call(callName={name}, deadlineMs={}, tries={tries}, nextAllowedTryMs={}) timed out at {} after {tries} attempt(s)",
        deadline.as_ms(),
        (now + RETRY_BACKOFF).as_ms(),
        now.as_ms()
    );
    ClientError::of(ErrorCode::RequestTimedOut, Some(&message)).into()
}

impl GroupAdmin<'_> {
    fn find_coordinator(
        &mut self,
        script: &mut Script<'_>,
        api: &str,
        group: &str,
        deadline: Micros,
    ) -> Attempt<Coordinator> {
        let name = format!("{api}(api=FIND_COORDINATOR)");
        let request: Request =
            FindCoordinatorRequest { key_type: 0, coordinator_keys: vec![group.to_owned()] }.into();
        let mut tries = 0;
        loop {
            let answer =
                self.admin.call_until(script, &name, &Destination::Any, &request, deadline)?;
            let response = match attempt!(answer) {
                Response::FindCoordinator(response) => *response,
                other => return Ok(Err(wrong_answer(&other))),
            };
            tries += 1;
            if let Some(found) = response.coordinators.into_iter().next() {
                let error = ErrorCode::from_code(found.error_code);
                if error == ErrorCode::None {
                    return Ok(Ok(found));
                }
                if !error.is_retriable() {
                    let message = found.error_message.as_deref();
                    return Ok(Err(ClientError::of(error, message).into()));
                }
            }
            if script.now() + RETRY_BACKOFF >= deadline {
                return Ok(Err(timed_out(script, &name, deadline, tries)));
            }
            script.sleep(RETRY_BACKOFF)?;
        }
    }

    /// Asks a group's coordinator, and again while it moves or loads. `error` reads the group's error from an answer.
    fn ask_coordinator(
        &mut self,
        script: &mut Script<'_>,
        api: &str,
        group: &str,
        request: &Request,
        error: impl Fn(&Response) -> i16,
    ) -> Attempt<(Coordinator, Response)> {
        let deadline = script.now() + self.timeout;
        let name = format!("{api}(api={})", request.api_name());
        let mut tries = 0;
        loop {
            let coordinator = attempt!(self.find_coordinator(script, api, group, deadline)?);
            let left = deadline.since(script.now()).min(Micros::from_secs(30)).as_ms() as u32;
            let to = Destination::Node(coordinator.node_id);
            tries += 1;
            match self.admin.call_once(script, &to, request.clone(), left)? {
                Ok(response) if !coordinator_moves(error(&response)) => {
                    return Ok(Ok((coordinator, response)));
                }
                Ok(_)
                | Err(
                    CallError::Disconnected | CallError::TimedOut | CallError::NoDestination(_),
                ) => {}
            }
            if script.now() + RETRY_BACKOFF >= deadline {
                return Ok(Err(timed_out(script, &name, deadline, tries)));
            }
            script.sleep(RETRY_BACKOFF)?;
        }
    }

    /// `Admin.listGroups`, of every broker; in the order of a `HashMap`.
    pub fn list_groups(
        &mut self,
        script: &mut Script<'_>,
        states: &[&str],
        types: &[&str],
    ) -> Attempt<Vec<ListedGroup>> {
        let deadline = script.now() + self.timeout;
        let request = MetadataRequest { topics: Some(Vec::new()), allow_auto_topic_creation: true };
        let name = "findAllBrokers";
        let to = Destination::Any;
        let answer = self.admin.call_until(script, name, &to, &request.into(), deadline)?;
        let brokers = match answer {
            Ok(Response::Metadata(response)) => response.brokers,
            Ok(other) => return Ok(Err(wrong_answer(&other))),
            Err(_) => {
                return Ok(Err(Exception::new(
                    "org.apache.kafka.common.KafkaException",
                    "Failed to find brokers to send ListGroups",
                )));
            }
        };
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let request: Request =
            ListGroupsRequest { states_filter: owned(states), types_filter: owned(types) }.into();
        let mut listings: JavaHashMap<String, ListedGroup> = JavaHashMap::new();
        let mut failed = None;
        for broker in brokers {
            let to = Destination::Node(broker.node_id);
            loop {
                let answer =
                    self.admin.call_until(script, "listGroups", &to, &request, deadline)?;
                let response = match answer {
                    Ok(Response::ListGroups(response)) => *response,
                    Ok(other) => return Ok(Err(wrong_answer(&other))),
                    Err(error) => {
                        failed = failed.or(Some(Exception::from(error)));
                        break;
                    }
                };
                if coordinator_moves(response.error_code) && script.now() + RETRY_BACKOFF < deadline
                {
                    script.sleep(RETRY_BACKOFF)?;
                    continue;
                }
                match Exception::of_code(response.error_code, None) {
                    Ok(()) => {
                        for group in response.groups {
                            listings.insert(group.group_id.clone(), group);
                        }
                    }
                    Err(error) => failed = failed.or(Some(error)),
                }
                break;
            }
        }
        Ok(match failed {
            Some(error) => Err(error),
            None => Ok(listings.values().cloned().collect()),
        })
    }

    /// `Admin.listGroups(forConsumerGroups)`: classic groups of consumers and groups of the consumer protocol.
    pub fn list_consumer_groups(
        &mut self,
        script: &mut Script<'_>,
        states: &[&str],
        types: &[&str],
    ) -> Attempt<Vec<ListedGroup>> {
        let all = attempt!(self.list_groups(script, states, types)?);
        let of_consumers = |group: &ListedGroup| {
            group.protocol_type.is_empty() || group.protocol_type == "consumer"
        };
        Ok(Ok(all.into_iter().filter(of_consumers).collect()))
    }

    /// `Admin.describeConsumerGroups` of one group: first as the consumer protocol knows it, then as a classic one.
    pub fn describe_group(
        &mut self,
        script: &mut Script<'_>,
        group: &str,
    ) -> Attempt<GroupDescription> {
        let api = "describeConsumerGroups";
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![group.to_owned()],
            include_authorized_operations: false,
        };
        let error = |response: &Response| match response {
            Response::ConsumerGroupDescribe(response) => {
                response.groups.first().map_or(0, |group| group.error_code)
            }
            _ => 0,
        };
        let asked = self.ask_coordinator(script, api, group, &request.into(), error)?;
        let (coordinator, response) = attempt!(asked);
        let Response::ConsumerGroupDescribe(response) = response else {
            return Ok(Err(wrong_answer(&response)));
        };
        let Some(found) = response.groups.into_iter().next() else {
            return Ok(Err(ClientError::of(ErrorCode::GroupIdNotFound, None).into()));
        };
        let message = match ErrorCode::from_code(found.error_code) {
            ErrorCode::None => {
                let members = found.members.into_iter().map(|member| MemberDescription {
                    member_id: member.member_id,
                    instance_id: member.instance_id,
                    client_id: member.client_id,
                    host: member.client_host,
                    assignment: partitions_of(&member.assignment),
                    target_assignment: Some(partitions_of(&member.target_assignment)),
                    epoch: Some(member.member_epoch),
                    upgraded: (member.member_type != -1).then_some(member.member_type == 1),
                });
                return Ok(Ok(GroupDescription {
                    group_id: found.group_id,
                    state: found.group_state,
                    coordinator,
                    assignor: found.assignor_name,
                    members: members.collect(),
                    group_epoch: Some(found.group_epoch),
                    target_assignment_epoch: Some(found.assignment_epoch),
                }));
            }
            ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion => found.error_message,
            error => return Ok(Err(ClientError::of(error, found.error_message.as_deref()).into())),
        };
        self.describe_classic_group(script, group, message)
    }

    /// `not_found` is what the consumer protocol's answer said; it tells more.
    fn describe_classic_group(
        &mut self,
        script: &mut Script<'_>,
        group: &str,
        not_found: Option<String>,
    ) -> Attempt<GroupDescription> {
        let request = DescribeGroupsRequest {
            groups: vec![group.to_owned()],
            include_authorized_operations: false,
        };
        let error = |response: &Response| match response {
            Response::DescribeGroups(response) => {
                response.groups.first().map_or(0, |group| group.error_code)
            }
            _ => 0,
        };
        let api = "describeConsumerGroups";
        let asked = self.ask_coordinator(script, api, group, &request.into(), error)?;
        let (coordinator, response) = attempt!(asked);
        let Response::DescribeGroups(response) = response else {
            return Ok(Err(wrong_answer(&response)));
        };
        let Some(found) = response.groups.into_iter().next() else {
            return Ok(Err(ClientError::of(ErrorCode::GroupIdNotFound, None).into()));
        };
        let message = match ErrorCode::from_code(found.error_code) {
            ErrorCode::GroupIdNotFound => not_found.or(found.error_message),
            _ => found.error_message,
        };
        attempt!(Exception::of_code(found.error_code, message.as_deref()));
        if !found.protocol_type.is_empty() && found.protocol_type != "consumer" {
            return Ok(Err(Exception::illegal_argument(format!(
                "GroupId {group} is not a consumer group ({}).",
                found.protocol_type
            ))));
        }
        let members = found.members.into_iter().map(|member| MemberDescription {
            assignment: Assignment::decode(&member.member_assignment.0)
                .map(|assignment| assignment.partitions.into_iter().collect())
                .unwrap_or_default(),
            member_id: member.member_id,
            instance_id: member.group_instance_id,
            client_id: member.client_id,
            host: member.client_host,
            target_assignment: None,
            epoch: None,
            upgraded: None,
        });
        Ok(Ok(GroupDescription {
            group_id: found.group_id,
            state: found.group_state,
            coordinator,
            assignor: found.protocol_data,
            members: members.collect(),
            group_epoch: None,
            target_assignment_epoch: None,
        }))
    }

    /// `Admin.listConsumerGroupOffsets`
    pub fn committed_offsets(
        &mut self,
        script: &mut Script<'_>,
        group: &str,
    ) -> Attempt<CommittedOffsets> {
        let asked = OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            member_id: None,
            member_epoch: -1,
            topics: None,
        };
        let request = OffsetFetchRequest { groups: vec![asked], require_stable: false };
        let error = |response: &Response| match response {
            Response::OffsetFetch(response) => {
                response.groups.first().map_or(0, |group| group.error_code)
            }
            _ => 0,
        };
        let api = "listConsumerGroupOffsets";
        let (_, response) =
            attempt!(self.ask_coordinator(script, api, group, &request.into(), error)?);
        let Response::OffsetFetch(response) = response else {
            return Ok(Err(wrong_answer(&response)));
        };
        let mut offsets = CommittedOffsets::new();
        for group in response.groups {
            attempt!(Exception::of_code(group.error_code, None));
            for topic in group.topics {
                for found in topic.partitions {
                    if found.error_code != 0 {
                        continue;
                    }
                    let committed = (found.committed_offset >= 0).then_some(Committed {
                        offset: found.committed_offset,
                        leader_epoch: Some(found.committed_leader_epoch)
                            .filter(|epoch| *epoch >= 0),
                    });
                    let partition = TopicPartition::new(topic.name.clone(), found.partition_index);
                    offsets.insert(partition, committed);
                }
            }
        }
        Ok(Ok(offsets))
    }

    /// `Admin.alterConsumerGroupOffsets`
    pub fn alter_offsets(
        &mut self,
        script: &mut Script<'_>,
        group: &str,
        offsets: &JavaHashMap<TopicPartition, Offset>,
    ) -> Attempt<()> {
        if offsets.is_empty() {
            return Ok(Ok(()));
        }
        let offsets = offsets.iter().map(|(partition, offset)| (partition.clone(), *offset));
        let topics = by_topic(offsets).into_iter().map(|(name, partitions)| {
            let partitions =
                partitions.into_iter().map(|(index, offset)| OffsetCommitRequestPartition {
                    partition_index: index,
                    committed_offset: offset,
                    committed_leader_epoch: -1,
                    committed_metadata: Some(String::new()),
                });
            OffsetCommitRequestTopic {
                topic_id: Uuid::ZERO,
                name,
                partitions: partitions.collect(),
            }
        });
        let request = OffsetCommitRequest {
            group_id: group.to_owned(),
            generation_id_or_member_epoch: -1,
            member_id: String::new(),
            group_instance_id: None,
            topics: topics.collect(),
        };
        let error = |response: &Response| match response {
            Response::OffsetCommit(response) => {
                let mut all = response.topics.iter().flat_map(|topic| &topic.partitions);
                all.find(|one| coordinator_moves(one.error_code)).map_or(0, |one| one.error_code)
            }
            _ => 0,
        };
        let api = "offsetCommit";
        let (_, response) =
            attempt!(self.ask_coordinator(script, api, group, &request.into(), error)?);
        let Response::OffsetCommit(response) = response else {
            return Ok(Err(wrong_answer(&response)));
        };
        for result in response.topics.iter().flat_map(|topic| &topic.partitions) {
            attempt!(Exception::of_code(result.error_code, None));
        }
        Ok(Ok(()))
    }

    /// `Admin.deleteConsumerGroups` of one group.
    pub fn delete_group(&mut self, script: &mut Script<'_>, group: &str) -> Attempt<()> {
        let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
        let error = |response: &Response| match response {
            Response::DeleteGroups(response) => {
                response.results.first().map_or(0, |result| result.error_code)
            }
            _ => 0,
        };
        let api = "deleteConsumerGroups";
        let (_, response) =
            attempt!(self.ask_coordinator(script, api, group, &request.into(), error)?);
        Ok(Exception::of_code(error(&response), None))
    }

    /// `Admin.deleteConsumerGroupOffsets`: the outer error is the group's.
    pub fn delete_offsets(
        &mut self,
        script: &mut Script<'_>,
        group: &str,
        partitions: &JavaHashSet<TopicPartition>,
    ) -> Attempt<SortedMap<TopicPartition, ErrorCode>> {
        let topics = by_topic(partitions.iter().map(|partition| (partition.clone(), ())));
        let topic = |(name, partitions): (String, Vec<(i32, ())>)| OffsetDeleteRequestTopic {
            name,
            partitions: partitions.into_iter().map(|(index, ())| index).collect(),
        };
        let request = OffsetDeleteRequest {
            group_id: group.to_owned(),
            topics: topics.into_iter().map(topic).collect(),
        };
        let error = |response: &Response| match response {
            Response::OffsetDelete(response) => response.error_code,
            _ => 0,
        };
        let api = "offsetDelete";
        let (_, response) =
            attempt!(self.ask_coordinator(script, api, group, &request.into(), error)?);
        let Response::OffsetDelete(response) = response else {
            return Ok(Err(wrong_answer(&response)));
        };
        attempt!(Exception::of_code(response.error_code, None));
        let mut results = SortedMap::new();
        for topic in response.topics {
            for result in topic.partitions {
                let partition = TopicPartition::new(topic.name.clone(), result.partition_index);
                results.insert(partition, ErrorCode::from_code(result.error_code));
            }
        }
        Ok(Ok(results))
    }

    /// `Admin.describeTopics(..).allTopicNames()`
    pub fn topics(
        &mut self,
        script: &mut Script<'_>,
        names: &[String],
    ) -> Attempt<Vec<(String, TopicDescription)>> {
        let mut topics = Vec::with_capacity(names.len());
        for (name, described) in describe_topics(script, self.admin, names, 2000)? {
            topics.push((name, attempt!(described)));
        }
        Ok(Ok(described_order(topics)))
    }

    /// `Admin.listOffsets` of all partitions at one time (or [`LATEST`], [`EARLIEST`]); -1 where there is no offset.
    pub fn list_offsets(
        &mut self,
        script: &mut Script<'_>,
        partitions: &[TopicPartition],
        timestamp: i64,
    ) -> Attempt<JavaHashMap<TopicPartition, Offset>> {
        let deadline = script.now() + self.timeout;
        let mut found: JavaHashMap<TopicPartition, Offset> = JavaHashMap::new();
        let mut open: Vec<TopicPartition> = partitions.to_vec();
        let mut tries = 0;
        while !open.is_empty() {
            if tries > 0 {
                if script.now() + RETRY_BACKOFF >= deadline {
                    let name = "listOffsets(api=LIST_OFFSETS)";
                    return Ok(Err(timed_out(script, name, deadline, tries)));
                }
                script.sleep(RETRY_BACKOFF)?;
            }
            tries += 1;
            let by_leader = attempt!(self.leaders(script, &open, deadline)?);
            for (leader, asked) in by_leader {
                let of_leader = asked.iter().map(|partition| (partition.clone(), ()));
                let topics = by_topic(of_leader).into_iter().map(|(name, partitions)| {
                    let partition = |(partition_index, ())| ListOffsetsPartition {
                        partition_index,
                        current_leader_epoch: -1,
                        timestamp,
                    };
                    let partitions = partitions.into_iter().map(partition).collect();
                    ListOffsetsTopic { name, partitions }
                });
                let request = ListOffsetsRequest {
                    replica_id: -1,
                    isolation_level: 0,
                    topics: topics.collect(),
                    timeout_ms: 30_000,
                };
                let left = deadline.since(script.now()).min(Micros::from_secs(30)).as_ms() as u32;
                let to = Destination::Node(leader);
                let Ok(Response::ListOffsets(response)) =
                    self.admin.call_once(script, &to, request.into(), left)?
                else {
                    continue;
                };
                for topic in response.topics {
                    for answer in topic.partitions {
                        let error = ErrorCode::from_code(answer.error_code);
                        if error.is_retriable() {
                            continue;
                        }
                        attempt!(Exception::of_code(answer.error_code, None));
                        let partition =
                            TopicPartition::new(topic.name.clone(), answer.partition_index);
                        open.retain(|open| *open != partition);
                        found.insert(partition, answer.offset);
                    }
                }
            }
        }
        Ok(Ok(found))
    }

    /// `PartitionLeaderStrategy`: partitions by their leaders; those without are left out, to be asked for again.
    fn leaders(
        &mut self,
        script: &mut Script<'_>,
        partitions: &[TopicPartition],
        deadline: Micros,
    ) -> Attempt<SortedMap<BrokerId, Vec<TopicPartition>>> {
        let names: simulation::sorted::SortedSet<&str> =
            partitions.iter().map(|partition| partition.topic.as_str()).collect();
        let topic =
            |name: &str| MetadataRequestTopic { topic_id: Uuid::ZERO, name: Some(name.to_owned()) };
        let request = MetadataRequest {
            topics: Some(names.into_iter().map(topic).collect()),
            allow_auto_topic_creation: false,
        };
        let name = "listOffsets(api=METADATA)";
        let to = Destination::Any;
        let answer = self.admin.call_until(script, name, &to, &request.into(), deadline)?;
        let response = match attempt!(answer) {
            Response::Metadata(response) => *response,
            other => return Ok(Err(wrong_answer(&other))),
        };
        let mut by_leader: SortedMap<BrokerId, Vec<TopicPartition>> = SortedMap::new();
        for topic in response.topics {
            let Some(name) = topic.name else { continue };
            let of_topic = || partitions.iter().filter(|partition| partition.topic == name);
            let error = ErrorCode::from_code(topic.error_code);
            if error == ErrorCode::UnknownTopicOrPartition {
                let cause = Exception::from(ClientError::of(error, None));
                let text = format!(
                    "[AdminClient clientId=adminclient-1] Received unknown topic error for topic {name} (org.apache.kafka.clients.admin.internals.PartitionLeaderStrategy)\n{cause}"
                );
                log_with_trace(script, &text);
                let message = of_topic().next().map(|partition| {
                    format!("Failed to fetch metadata for partition {partition} because metadata for topic `{name}` could not be found")
                });
                return Ok(Err(ClientError::of(error, message.as_deref()).into()));
            }
            for partition in of_topic() {
                let known = topic
                    .partitions
                    .iter()
                    .find(|known| known.partition_index == partition.partition);
                if let Some(known) = known.filter(|known| known.leader_id >= 0) {
                    by_leader.entry(known.leader_id).or_default().push(partition.clone());
                }
            }
        }
        Ok(Ok(by_leader))
    }
}

/// A log4j line that ends in an exception: the trace stands after the logger.
fn log_with_trace(script: &mut Script<'_>, text: &str) {
    let time = crate::date::log4j_time(script.clock_ms());
    script.err(&format!("[{time}] ERROR {text}\n"));
}

/// Whether the coordinator is to be found again, or asked again.
fn coordinator_moves(code: i16) -> bool {
    matches!(
        ErrorCode::from_code(code),
        ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::RebalanceInProgress
    )
}
