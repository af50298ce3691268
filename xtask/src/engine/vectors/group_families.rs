//! Vectors of groups: the client's assignors, the classic group protocol, committed offsets.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use cluster::client::assignor::{GroupMember, RANGE, TopicRacks, assign_range};
use cluster::coordinator::{
    Caller, CoordinatorOutput, CoordinatorRecord, GroupCoordinator, GroupCoordinatorConfig,
    RequestToken,
};
use cluster::protocol::consumer_protocol::{Assignment, Subscription};
use cluster::protocol::errors::ErrorCode;
use cluster::protocol::*;
use cluster::types::{Offset, TopicPartition};
use cluster::uuid::Uuid;
use serde_json::{Value, json};
use simulation::{Draw, Micros, NodeId, Random};

use super::outcome::{Outcome, compare, strings, text};

/// client-assignors.json
pub fn client_assignors(case: &Value) -> Outcome {
    if text(case, "assignor") != RANGE {
        return Outcome::Unknown;
    }
    let mut outcome = Outcome::Passed;
    for step in case["steps"].as_array().into_iter().flatten() {
        let mut cluster: SortedMap<String, TopicRacks> = SortedMap::new();
        for (topic, count) in step["topics"].as_object().into_iter().flatten() {
            let count = count.as_u64().unwrap_or(0) as usize;
            let racks = &step["racks"][topic];
            let racks = (0..count).map(|partition| strings(&racks[partition])).collect();
            cluster.insert(topic.clone(), racks);
        }
        let members: Vec<GroupMember> =
            step["members"].as_array().into_iter().flatten().map(group_member).collect();
        let out: SortedMap<String, Vec<String>> = assign_range(&cluster, &members)
            .into_iter()
            .map(|(member, partitions)| {
                (member, partitions.iter().map(ToString::to_string).collect())
            })
            .collect();
        outcome = outcome.and(|| compare(step, "out", out));
    }
    outcome
}

fn group_member(member: &Value) -> GroupMember {
    GroupMember {
        member_id: text(member, "id"),
        group_instance_id: member["instance"].as_str().map(str::to_owned),
        subscription: Subscription {
            topics: strings(&member["topics"]),
            user_data: None,
            owned_partitions: strings(&member["owned"])
                .iter()
                .map(|name| {
                    let (topic, index) = name.rsplit_once('-').unwrap_or((name, "0"));
                    TopicPartition::new(topic, index.parse().unwrap_or(-1))
                })
                .collect(),
            generation_id: member["gen"].as_i64().unwrap_or(-1) as i32,
            rack_id: member["rack"].as_str().map(str::to_owned),
        },
    }
}

/// A coordinator over a log that commits at once, with a clock that the case moves.
struct Coordinator {
    coordinator: GroupCoordinator,
    now: Micros,
    log_end: SortedMap<i32, Offset>,
    records: Vec<CoordinatorRecord>,
    responses: Vec<(u32, Response)>,
    group: String,
}

/// The clock of these vectors starts here.
const EPOCH_MS: i64 = 1_760_000_000_000;

impl Coordinator {
    fn new(case: &Value) -> Self {
        let set = case["config"].as_object().cloned().unwrap_or_default();
        let number = |name: &str, default: i64| {
            set.get(name)
                .and_then(Value::as_str)
                .and_then(|value| value.parse().ok())
                .unwrap_or(default)
        };
        let config = GroupCoordinatorConfig {
            num_partitions: 1,
            initial_rebalance_delay_ms: number("group.initial.rebalance.delay.ms", 3_000) as u64,
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: number("group.max.size", i64::from(i32::MAX)) as u64,
            offset_metadata_max_size: number("offset.metadata.max.bytes", 4_096) as u64,
            offsets_retention_ms: number("offsets.retention.minutes", 10_080) * 60_000,
            offsets_retention_check_interval_ms: number(
                "offsets.retention.check.interval.ms",
                600_000,
            ) as u64,
        };
        let mut coordinator = GroupCoordinator::new(config, EPOCH_MS);
        let mut out = CoordinatorOutput::default();
        coordinator.begin_loading(0);
        coordinator.finish_loading(Micros::ZERO, 0, 0, &mut out);
        Self {
            coordinator,
            now: Micros::ZERO,
            log_end: SortedMap::new(),
            records: Vec::new(),
            responses: Vec::new(),
            group: text(case, "group"),
        }
    }

    fn apply(&mut self, out: CoordinatorOutput) {
        let mut outputs = VecDeque::from([out]);
        while let Some(out) = outputs.pop_front() {
            for (token, response) in out.responses {
                self.responses.push((token.correlation_id, response));
            }
            for append in out.appends {
                let end = self.log_end.entry(append.partition).or_default();
                *end += append.records.len() as Offset;
                let (partition, last) = (append.partition, *end - 1);
                for (key, value) in &append.records {
                    let record = CoordinatorRecord::decode(key, value.as_deref());
                    self.records.push(record.expect("what the coordinator writes can be read"));
                }
                let mut next = CoordinatorOutput::default();
                self.coordinator.on_appended(
                    self.now,
                    partition,
                    append.append_id,
                    Ok(last),
                    &mut next,
                );
                outputs.push_back(next);
                let mut next = CoordinatorOutput::default();
                self.coordinator.on_high_watermark(self.now, partition, last + 1, &mut next);
                outputs.push_back(next);
            }
        }
    }

    fn request(&mut self, number: u32, client_id: &str, request: Request, draw: &mut impl Draw) {
        let token = RequestToken { from: NodeId(0), correlation_id: number };
        let caller =
            Caller { token, client_id: client_id.to_owned(), client_host: "/127.0.0.1".to_owned() };
        let mut out = CoordinatorOutput::default();
        let given_back = self.coordinator.handle_request(
            self.now,
            &caller,
            request,
            &SortedMap::new(),
            draw,
            &mut out,
        );
        assert!(given_back.is_ok(), "a request of the group APIs");
        self.apply(out);
        self.advance(0);
    }

    fn ask(&mut self, request: impl Into<Request>) -> Option<Response> {
        self.request(u32::MAX, "", request.into(), &mut Random::from_seed(0));
        let place = self.responses.iter().position(|(number, _)| *number == u32::MAX)?;
        Some(self.responses.remove(place).1)
    }

    fn advance(&mut self, ms: u64) {
        let until = self.now + Micros::from_ms(ms);
        while let Some(due) = self.coordinator.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let mut out = CoordinatorOutput::default();
            while self.coordinator.fire_deadline(self.now, &mut out) {
                self.apply(std::mem::take(&mut out));
            }
        }
        self.now = until;
    }

    fn state(&mut self) -> Value {
        match self.ask(ListGroupsRequest::default()) {
            Some(Response::ListGroups(response)) => response
                .groups
                .iter()
                .find(|group| group.group_id == self.group)
                .map_or(Value::Null, |group| {
                    json!([group.group_state, group.group_type, group.protocol_type])
                }),
            _ => Value::Null,
        }
    }

    fn take_records(&mut self) -> Value {
        self.records.drain(..).map(|record| record_json(&record)).collect()
    }
}

fn record_json(record: &CoordinatorRecord) -> Value {
    match record {
        CoordinatorRecord::OffsetCommit { group, topic, partition, value } => {
            let value = value.as_ref().map(|value| {
                let mut fields = json!({
                    "offset": value.committed_offset,
                    "leaderEpoch": value.leader_epoch,
                    "metadata": value.metadata,
                    "commitTimestamp": value.commit_timestamp_ms,
                });
                if value.topic_id != Uuid::ZERO {
                    fields["topicId"] = json!(value.topic_id.to_string());
                }
                fields
            });
            json!(["OFFSET_COMMIT", {"group": group, "topic": topic, "partition": partition}, value])
        }
        CoordinatorRecord::GroupMetadata { group, value } => {
            let value = value.as_ref().map(|value| {
                let members: Vec<Value> = value
                    .members
                    .iter()
                    .map(|member| {
                        json!({
                            "memberId": member.member_id,
                            "groupInstanceId": member.group_instance_id,
                            "clientId": member.client_id,
                            "clientHost": member.client_host,
                            "rebalanceTimeout": member.rebalance_timeout,
                            "sessionTimeout": member.session_timeout,
                            "subscription": base64(&member.subscription.0),
                            "assignment": base64(&member.assignment.0),
                        })
                    })
                    .collect();
                json!({
                    "protocolType": value.protocol_type,
                    "generation": value.generation,
                    "protocol": value.protocol,
                    "leader": value.leader,
                    "currentStateTimestamp": value.current_state_timestamp,
                    "members": members,
                })
            });
            json!(["GROUP_METADATA", {"group": group}, value])
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Opaque {
    let digits = text.as_bytes().chunks(2);
    let byte =
        |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("0"), 16).unwrap_or(0);
    Opaque(digits.map(byte).collect::<Vec<_>>().into())
}

/// Characters of a UUID, which is what a drawn member id ends with.
const UUID_TEXT: usize = 36;

/// Draws that make the id which the case says Kafka drew.
fn draws_of(member_id: &str) -> simulation::RecordedDraws {
    let tail = member_id.get(member_id.len().saturating_sub(UUID_TEXT)..).unwrap_or_default();
    let digits = tail.replace('-', "");
    let quads = digits.as_bytes().chunks(4);
    let draws = quads
        .map(|quad| u32::from_str_radix(std::str::from_utf8(quad).unwrap_or("0"), 16).unwrap_or(0))
        .collect();
    simulation::RecordedDraws::new(draws)
}

fn optional(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

fn error_name(code: i16) -> &'static str {
    ErrorCode::from_code(code).name()
}

/// classic-group.json
pub fn classic_group(case: &Value) -> Outcome {
    let mut kafka = Coordinator::new(case);
    let group_id = kafka.group.clone();
    let mut outcome = Outcome::Passed;
    for (index, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        let request = &step["req"];
        let number = step["n"].as_u64().unwrap_or(0) as u32;
        let generation = request["generationId"].as_i64().unwrap_or(-1) as i32;
        let member_id = text(request, "memberId");
        let group_instance_id = optional(request, "groupInstanceId");
        let sent: Option<Request> = match text(step, "op").as_str() {
            "join" => Some(
                JoinGroupRequest {
                    group_id: group_id.clone(),
                    session_timeout_ms: request["sessionTimeoutMs"].as_i64().unwrap_or(0) as i32,
                    rebalance_timeout_ms: request["rebalanceTimeoutMs"].as_i64().unwrap_or(0)
                        as i32,
                    member_id,
                    group_instance_id,
                    protocol_type: text(request, "protocolType"),
                    protocols: strings(&request["protocols"])
                        .into_iter()
                        .map(|name| JoinGroupRequestProtocol {
                            name,
                            metadata: unhex(&text(request, "metadata")),
                        })
                        .collect(),
                    reason: None,
                }
                .into(),
            ),
            "sync" => Some(
                SyncGroupRequest {
                    group_id: group_id.clone(),
                    generation_id: generation,
                    member_id,
                    group_instance_id,
                    protocol_type: optional(request, "protocolType"),
                    protocol_name: optional(request, "protocolName"),
                    assignments: request["assignments"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|pair| SyncGroupRequestAssignment {
                            member_id: pair[0].as_str().unwrap_or_default().to_owned(),
                            assignment: unhex(pair[1].as_str().unwrap_or_default()),
                        })
                        .collect(),
                }
                .into(),
            ),
            "heartbeat" => Some(
                HeartbeatRequest {
                    group_id: group_id.clone(),
                    generation_id: generation,
                    member_id,
                    group_instance_id,
                }
                .into(),
            ),
            "leave" => Some(
                LeaveGroupRequest {
                    group_id: group_id.clone(),
                    members: vec![MemberIdentity { member_id, group_instance_id, reason: None }],
                }
                .into(),
            ),
            "advance" => {
                kafka.advance(step["ms"].as_u64().unwrap_or(0));
                None
            }
            _ => return Outcome::Unknown,
        };
        if let Some(sent) = sent {
            let client_id = text(request, "clientId");
            match drawn_member_id(case, number) {
                Some(drawn) => kafka.request(number, &client_id, sent, &mut draws_of(&drawn)),
                // An id that nobody is told may be any.
                None => {
                    kafka.request(number, &client_id, sent, &mut Random::from_seed(index as u64))
                }
            }
        }
        let mut done: Vec<Value> = Vec::new();
        let mut resp = Value::Null;
        for (number, response) in std::mem::take(&mut kafka.responses) {
            match response {
                Response::Heartbeat(response) => {
                    resp = json!({"error": error_name(response.error_code)})
                }
                response => done.push(json!([number, response_json(&response)])),
            }
        }
        done.sort_by_key(|answer| answer[0].as_u64());
        let done = if done.is_empty() { Value::Null } else { Value::Array(done) };
        outcome = outcome
            .and(|| compare(step, "done", done))
            .and(|| compare(step, "resp", resp))
            .and(|| compare(step, "records", kafka.take_records()))
            .and(|| compare(step, "state", kafka.state()));
        if let Outcome::Failed(why) = outcome {
            return Outcome::Failed(format!("step {index}: {why}"));
        }
    }
    outcome.and(|| compare(case, "describe", described(&mut kafka)))
}

/// Kafka draws member ids; wherever the answer to request `number` stands, it names the one that was drawn.
/// A static member that was never answered is named by the description at the end, if it was the last of its kind.
fn drawn_member_id(case: &Value, number: u32) -> Option<String> {
    let steps: Vec<&Value> = case["steps"].as_array().into_iter().flatten().collect();
    let answers = steps.iter().flat_map(|step| step["done"].as_array().into_iter().flatten());
    let mut own = answers.filter(|answer| answer[0].as_u64() == Some(u64::from(number)));
    let answered =
        own.find_map(|answer| optional(&answer[1], "memberId").filter(|id| id.len() > UUID_TEXT));
    let of_request = steps.iter().find(|step| step["n"].as_u64() == Some(u64::from(number)));
    answered.or_else(|| {
        let instance = of_request.and_then(|step| optional(&step["req"], "groupInstanceId"))?;
        let of_instance =
            |step: &&&Value| step["op"] == "join" && step["req"]["groupInstanceId"] == instance;
        let last = steps.iter().filter(of_instance).next_back()?;
        let mut members = case["describe"]["members"].as_array().into_iter().flatten();
        let named = members.find(|member| member["groupInstanceId"] == instance)?;
        (last["n"].as_u64() == Some(u64::from(number))).then(|| text(named, "memberId"))
    })
}

fn response_json(response: &Response) -> Value {
    match response {
        Response::JoinGroup(response) if response.error_code != 0 => {
            json!({"error": error_name(response.error_code), "memberId": response.member_id})
        }
        Response::JoinGroup(response) => json!({
            "generationId": response.generation_id,
            "protocolType": response.protocol_type,
            "protocolName": response.protocol_name,
            "leader": response.leader,
            "memberId": response.member_id,
            "members": response
                .members
                .iter()
                .map(|member| json!([member.member_id, member.group_instance_id, hex(&member.metadata.0)]))
                .collect::<Vec<_>>(),
        }),
        Response::SyncGroup(response) if response.error_code != 0 => {
            json!({"error": error_name(response.error_code)})
        }
        Response::SyncGroup(response) => {
            let partitions =
                Assignment::decode(&response.assignment.0).unwrap_or_default().partitions;
            json!({
                "protocolType": response.protocol_type,
                "protocolName": response.protocol_name,
                "assignment": hex(&response.assignment.0),
                "partitions": partitions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        }
        Response::LeaveGroup(response) => {
            let members: Vec<Value> = response
                .members
                .iter()
                .map(|member| {
                    let mut fields =
                        json!({"memberId": member.member_id, "error": error_name(member.error_code)});
                    if let Some(instance) = &member.group_instance_id {
                        fields["instanceId"] = json!(instance);
                    }
                    fields
                })
                .collect();
            json!({"error": error_name(response.error_code), "members": members})
        }
        _ => Value::Null,
    }
}

fn described(kafka: &mut Coordinator) -> Value {
    let groups = vec![kafka.group.clone()];
    let request = DescribeGroupsRequest { groups, include_authorized_operations: false };
    let Some(Response::DescribeGroups(response)) = kafka.ask(request) else {
        return Value::Null;
    };
    let Some(group) = response.groups.first() else { return Value::Null };
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|member| {
            let mut fields = json!({
                "memberId": member.member_id,
                "clientId": member.client_id,
                "clientHost": member.client_host,
                "memberMetadata": base64(&member.member_metadata.0),
                "memberAssignment": base64(&member.member_assignment.0),
            });
            if let Some(instance) = &member.group_instance_id {
                fields["groupInstanceId"] = json!(instance);
            }
            fields
        })
        .collect();
    let mut fields = json!({
        "errorCode": group.error_code,
        "groupId": group.group_id,
        "groupState": group.group_state,
        "protocolType": group.protocol_type,
        "protocolData": group.protocol_data,
        "members": members,
        "authorizedOperations": i32::MIN,
    });
    if let Some(message) = &group.error_message {
        fields["errorMessage"] = json!(message);
    }
    fields
}

/// group-offsets.json
pub fn group_offsets(case: &Value) -> Outcome {
    let steps: Vec<&Value> = case["steps"].as_array().into_iter().flatten().collect();
    if steps.iter().any(|step| step["op"] == "hb") {
        return Outcome::Unknown; // members of the consumer protocol
    }
    let mut kafka = Coordinator::new(case);
    let group_id = kafka.group.clone();
    let mut topic_ids: SortedMap<String, Uuid> = SortedMap::new();
    let mut outcome = Outcome::Passed;
    for (index, step) in steps.into_iter().enumerate() {
        let mut resp = Value::Null;
        match text(step, "op").as_str() {
            "topic" => {
                topic_ids
                    .insert(text(step, "name"), Uuid::parse(&text(step, "id")).unwrap_or_default());
                continue;
            }
            "advance" => kafka.advance(step["ms"].as_u64().unwrap_or(0)),
            "commit" => {
                let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
                for offset in step["offsets"].as_array().into_iter().flatten() {
                    let one = commit_topic(offset, &topic_ids);
                    match topics.iter_mut().find(|topic| topic.name == one.name) {
                        Some(topic) => topic.partitions.extend(one.partitions),
                        None => topics.push(one),
                    }
                }
                let request = OffsetCommitRequest {
                    group_id: group_id.clone(),
                    generation_id_or_member_epoch: step["epoch"].as_i64().unwrap_or(-1) as i32,
                    member_id: text(step, "member"),
                    group_instance_id: None,
                    topics,
                };
                if let Some(Response::OffsetCommit(response)) = kafka.ask(request) {
                    resp = response
                        .topics
                        .iter()
                        .flat_map(|topic| {
                            topic.partitions.iter().map(|partition| (&topic.name, partition))
                        })
                        .map(|(topic, partition)| {
                            json!([
                                topic,
                                partition.partition_index,
                                error_name(partition.error_code)
                            ])
                        })
                        .collect();
                }
            }
            "fetch" => resp = fetch_all(&mut kafka),
            "deleteOffsets" => {
                let partitions = vec![step["partition"].as_i64().unwrap_or(0) as i32];
                let topics =
                    vec![OffsetDeleteRequestTopic { name: text(step, "topic"), partitions }];
                let request = OffsetDeleteRequest { group_id: group_id.clone(), topics };
                if let Some(Response::OffsetDelete(response)) = kafka.ask(request) {
                    resp = if response.error_code == 0 {
                        response
                            .topics
                            .iter()
                            .flat_map(|topic| {
                                topic.partitions.iter().map(|partition| (&topic.name, partition))
                            })
                            .map(|(topic, partition)| {
                                json!([
                                    topic,
                                    partition.partition_index,
                                    error_name(partition.error_code)
                                ])
                            })
                            .collect()
                    } else {
                        json!({"error": error_name(response.error_code)})
                    };
                }
            }
            "deleteGroup" => {
                let request = DeleteGroupsRequest { groups_names: vec![group_id.clone()] };
                if let Some(Response::DeleteGroups(response)) = kafka.ask(request) {
                    resp = response
                        .results
                        .iter()
                        .map(|result| json!([result.group_id, error_name(result.error_code)]))
                        .collect();
                }
            }
            _ => return Outcome::Unknown,
        }
        let records = kafka.take_records();
        if step.get("records").is_some() {
            outcome = outcome.and(|| compare(step, "records", records));
        }
        outcome = outcome
            .and(|| compare(step, "resp", resp))
            .and(|| compare(step, "state", kafka.state()))
            .and(|| compare(step, "t", EPOCH_MS + kafka.now.as_ms() as i64));
        if let Outcome::Failed(why) = outcome {
            return Outcome::Failed(format!("step {index}: {why}"));
        }
    }
    outcome
}

fn commit_topic(offset: &Value, topic_ids: &SortedMap<String, Uuid>) -> OffsetCommitRequestTopic {
    let name = offset[0].as_str().unwrap_or_default().to_owned();
    OffsetCommitRequestTopic {
        topic_id: topic_ids.get(&name).copied().unwrap_or_default(),
        name,
        partitions: vec![OffsetCommitRequestPartition {
            partition_index: offset[1].as_i64().unwrap_or(0) as i32,
            committed_offset: offset[2].as_i64().unwrap_or(0),
            committed_leader_epoch: -1,
            committed_metadata: offset[3].as_str().map(str::to_owned),
        }],
    }
}

fn fetch_all(kafka: &mut Coordinator) -> Value {
    let group = OffsetFetchRequestGroup {
        group_id: kafka.group.clone(),
        member_id: None,
        member_epoch: -1,
        topics: None,
    };
    let request = OffsetFetchRequest { groups: vec![group], require_stable: false };
    match kafka.ask(request) {
        Some(Response::OffsetFetch(response)) => response
            .groups
            .iter()
            .flat_map(|group| &group.topics)
            .flat_map(|topic| topic.partitions.iter().map(|partition| (&topic.name, partition)))
            .map(|(topic, partition)| {
                json!([
                    topic,
                    partition.partition_index,
                    partition.committed_offset,
                    partition.metadata
                ])
            })
            .collect(),
        _ => Value::Null,
    }
}
