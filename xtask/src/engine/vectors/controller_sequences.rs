//! Vectors of the controller's decisions: placement, elections, whole sequences, dynamic configs.

use cluster::config::NodeConfig;
use cluster::controller::api_error::ApiError;
use cluster::controller::configuration_control::{AlterOp, ConfigurationControl};
use cluster::controller::election::{
    Election, PartitionChangeBuilder, RECOVERED, RECOVERING, Rules,
};
use cluster::controller::image::{MetadataImage, PartitionRegistration, resource_type};
use cluster::controller::placement::{UsableBroker, place};
use cluster::controller::records::MetadataRecord;
use cluster::controller::replication_control::ReplicationControl;
use cluster::protocol::*;
use cluster::uuid::Uuid;
use serde_json::{Map, Value, json};
use simulation::Draw;

use super::outcome::{Outcome, numbers, strings, text};

/// Recorded draws `[[bound, value], …]`; a draw with another bound is a failure of its own.
struct Draws {
    left: std::vec::IntoIter<(u32, u32)>,
    wrong: Option<String>,
}

impl Draws {
    fn new(draws: &Value) -> Self {
        let pair = |draw: &Value| {
            let numbers = numbers(draw);
            (numbers[0] as u32, numbers[1] as u32)
        };
        let left: Vec<_> = draws.as_array().into_iter().flatten().map(pair).collect();
        Self { left: left.into_iter(), wrong: None }
    }
}

impl Draw for Draws {
    fn next_int(&mut self, bound: u32) -> u32 {
        let next = self.left.next();
        match next {
            Some((expected, value)) if expected == bound => value,
            other => {
                self.wrong
                    .get_or_insert_with(|| format!("drew below {bound}, recorded: {other:?}"));
                other.map_or(0, |(_, value)| value % bound.max(1))
            }
        }
    }
}

fn number(value: &Value) -> i32 {
    value.as_i64().unwrap_or(-1) as i32
}

/// replica-placement.json
pub fn replica_placement(case: &Value) -> Outcome {
    let brokers: Vec<UsableBroker> = case["brokers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|broker| UsableBroker {
            id: number(&broker[0]),
            rack: broker[1].as_str().map(str::to_owned),
            fenced: broker[2] == true,
        })
        .collect();
    let recorded = case["draws"].is_array();
    let mut draws = Draws::new(&case["draws"]);
    let found =
        place(&brokers, number(&case["partitions"]), number(&case["rf"]) as i16, &mut draws);
    if let Some(wrong) = draws.wrong
        && recorded
    {
        return Outcome::Failed(wrong);
    }
    match found {
        Ok(replicas) => {
            Outcome::check(json!(replicas) == case["out"], || json!(replicas).to_string())
        }
        Err(message) => {
            let error = json!(["InvalidReplicationFactorException", message]);
            Outcome::check(error == json!([case["error"], case["message"]]), || error.to_string())
        }
    }
}

/// leader-election.json
pub fn leader_election(case: &Value) -> Outcome {
    let mut partition = registration(&case["state"]);
    for (index, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        let alive = numbers(&step["alive"]);
        let rules = Rules {
            acceptable: &|broker| alive.contains(&broker),
            min_isr: number(&step["minIsr"]) as usize,
            elr_enabled: step["elr"] == true,
            use_last_known_leader: step["lastKnownLeader"] == true,
        };
        let mut change = PartitionChangeBuilder::new(&partition, Uuid::ZERO, 0, rules);
        change.election = match text(step, "election").as_str() {
            "PREFERRED" => Election::Preferred,
            "UNCLEAN" => Election::Unclean,
            _ => Election::Online,
        };
        let targets = [
            ("targetIsr", &mut change.target_isr),
            ("targetReplicas", &mut change.target_replicas),
            ("targetRemoving", &mut change.target_removing),
            ("targetAdding", &mut change.target_adding),
            ("uncleanShutdown", &mut change.unclean_shutdown_replicas),
        ];
        for (field, target) in targets {
            if step[field].is_array() {
                *target = numbers(&step[field]);
            }
        }
        if step["recovered"] == true {
            change.target_leader_recovery_state = RECOVERED;
        }
        let record = change.build();
        let shown = record.as_ref().map_or(Value::Null, change_fields);
        if shown != step["record"] {
            return Outcome::Failed(format!("step {index}: record {shown}"));
        }
        record.iter().for_each(|record| partition.merge(record));
        let state = registration(&step["state"]);
        if state != partition {
            return Outcome::Failed(format!("step {index}: state {partition:?}"));
        }
    }
    Outcome::Passed
}

fn registration(state: &Value) -> PartitionRegistration {
    PartitionRegistration {
        replicas: numbers(&state["replicas"]),
        isr: numbers(&state["isr"]),
        removing_replicas: numbers(&state["removing"]),
        adding_replicas: numbers(&state["adding"]),
        elr: numbers(&state["elr"]),
        last_known_elr: numbers(&state["lastKnownElr"]),
        leader: number(&state["leader"]),
        leader_recovery_state: if state["recovery"] == "RECOVERING" {
            RECOVERING
        } else {
            RECOVERED
        },
        leader_epoch: number(&state["leaderEpoch"]),
        partition_epoch: number(&state["partitionEpoch"]),
    }
}

fn change_fields(record: &MetadataRecord) -> Value {
    let MetadataRecord::PartitionChange {
        isr,
        leader,
        replicas,
        removing_replicas,
        adding_replicas,
        leader_recovery_state,
        eligible_leader_replicas,
        last_known_elr,
        ..
    } = record
    else {
        return Value::Null;
    };
    let fields = [
        ("isr", json!(isr)),
        ("leader", json!(leader)),
        ("leaderRecoveryState", json!(leader_recovery_state)),
        ("replicas", json!(replicas)),
        ("removingReplicas", json!(removing_replicas)),
        ("addingReplicas", json!(adding_replicas)),
        ("eligibleLeaderReplicas", json!(eligible_leader_replicas)),
        ("lastKnownElr", json!(last_known_elr)),
    ];
    let set = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(set.map(|(name, value)| (name.to_owned(), value)).collect())
}

const NODE: i32 = 0;

/// controller.json
pub fn controller(case: &Value) -> Outcome {
    let mut sequence = Sequence::new(case);
    for (index, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        if let Err(why) = sequence.step(step) {
            return Outcome::Failed(format!("step {index} {step}: {why}"));
        }
    }
    Outcome::Passed
}

/// A controller whose records are replayed after each step.
struct Sequence {
    image: MetadataImage,
    node: NodeConfig,
    draws: Draws,
    next_topic: i64,
    state: Value,
}

impl Sequence {
    fn new(case: &Value) -> Self {
        let mut image = MetadataImage::default();
        if case["elr"] == true {
            image.features.insert("eligible.leader.replicas.version".to_owned(), 1);
        }
        for broker in case["brokers"].as_array().into_iter().flatten() {
            let broker_id = number(&broker[0]);
            image.replay(&MetadataRecord::RegisterBroker {
                broker_id,
                incarnation_id: Uuid::new(1, i64::from(broker_id) + 1),
                broker_epoch: 100 + i64::from(broker_id),
                host: "localhost".to_owned(),
                port: 9092,
                rack: broker[1].as_str().map(str::to_owned),
                fenced: false,
                in_controlled_shutdown: false,
            });
        }
        let settings = case["config"].as_object().into_iter().flatten();
        let node =
            NodeConfig::new(settings.map(|(name, value)| {
                (name.clone(), value.as_str().unwrap_or_default().to_owned())
            }));
        Self { image, node, draws: Draws::new(&case["draws"]), next_topic: 2, state: json!({}) }
    }

    fn step(&mut self, step: &Value) -> Result<(), String> {
        let (records, answer) = self.decide(step);
        for (field, found) in &answer {
            if found != &step[field] {
                return Err(format!("{field}: found {found}"));
            }
        }
        let names: Vec<&str> = records.iter().map(record_name).collect();
        if json!(names) != step["records"] {
            return Err(format!("records: found {names:?}"));
        }
        records.iter().for_each(|record| self.image.replay(record));
        if let Some(wrong) = &self.draws.wrong {
            return Err(wrong.clone());
        }
        if step["state"].is_object() {
            self.state = step["state"].clone();
        }
        let found = self.show();
        if found != self.state { Err(format!("state: found {found}")) } else { Ok(()) }
    }

    fn decide(&mut self, step: &Value) -> (Vec<MetadataRecord>, Map<String, Value>) {
        let configs = ConfigurationControl { image: &self.image, node: &self.node, node_id: NODE };
        let control = ReplicationControl::new(configs);
        let name = text(step, "name");
        let broker = number(&step["broker"]);
        match text(step, "op").as_str() {
            "createTopic" => {
                let assignments = step["assignments"].as_array().into_iter().flatten();
                let topic = CreatableTopic {
                    name,
                    num_partitions: number(&step["partitions"]),
                    replication_factor: number(&step["rf"]) as i16,
                    assignments: assignments
                        .map(|pair| CreatableReplicaAssignment {
                            partition_index: number(&pair[0]),
                            broker_ids: numbers(&pair[1]),
                        })
                        .collect(),
                    configs: step["configs"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(strings)
                        .map(|pair| CreatableTopicConfig {
                            name: pair[0].clone(),
                            value: pair.get(1).cloned(),
                        })
                        .collect(),
                };
                let id = Uuid::new(7, self.next_topic);
                self.next_topic += 1;
                let request = CreateTopicsRequest {
                    topics: vec![topic],
                    timeout_ms: 0,
                    validate_only: false,
                };
                match control.create_topics(&request, &[id], &mut self.draws) {
                    Ok(mut decision) => {
                        let result = decision.response.topics.remove(0);
                        let mut answer = outcome(result.error_code, result.error_message);
                        if result.error_code == 0 {
                            answer.insert("numPartitions".to_owned(), result.num_partitions.into());
                            answer.insert(
                                "replicationFactor".to_owned(),
                                result.replication_factor.into(),
                            );
                        }
                        (decision.records, answer)
                    }
                    Err(error) => (Vec::new(), outcome(error.code(), error.message)),
                }
            }
            "createPartitions" => {
                let assignments = step["assignments"].as_array().map(|list| {
                    list.iter()
                        .map(|brokers| CreatePartitionsAssignment { broker_ids: numbers(brokers) })
                        .collect()
                });
                let topic =
                    CreatePartitionsTopic { name, count: number(&step["count"]), assignments };
                let request = CreatePartitionsRequest {
                    topics: vec![topic],
                    timeout_ms: 0,
                    validate_only: false,
                };
                let mut decision = control.create_partitions(&request, &mut self.draws);
                let result = decision.response.results.remove(0);
                (decision.records, outcome(result.error_code, result.error_message))
            }
            "deleteTopic" => {
                let topic = DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO };
                let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 0 };
                control.delete_topics(&request).map_or_else(
                    |error| (Vec::new(), outcome(error.code(), error.message)),
                    |mut decision| {
                        let result = decision.response.responses.remove(0);
                        (decision.records, outcome(result.error_code, result.error_message))
                    },
                )
            }
            "fence" => (control.broker_fenced(broker), Map::new()),
            "unfence" => (control.broker_unfenced(broker), Map::new()),
            "balance" => (control.balance_partition_leaders().records, Map::new()),
            "alterIsr" => self.alter_isr(step, &control),
            "elect" => elect(step, &control),
            "reassign" => {
                let to = step["to"].is_array().then(|| numbers(&step["to"]));
                let partition = ReassignablePartition {
                    partition_index: number(&step["partition"]),
                    replicas: to,
                };
                let topic =
                    ReassignableTopic { name: text(step, "topic"), partitions: vec![partition] };
                let request = AlterPartitionReassignmentsRequest {
                    timeout_ms: 0,
                    allow_replication_factor_change: true,
                    topics: vec![topic],
                };
                let mut decision = control.alter_partition_reassignments(&request);
                let result = decision.response.responses.remove(0).partitions.remove(0);
                (decision.records, outcome(result.error_code, result.error_message))
            }
            "config" => {
                let value = step["value"].as_str().map(str::to_owned);
                let op = if value.is_some() { AlterOp::Set } else { AlterOp::Delete };
                let ops = [(text(step, "key"), op, value)];
                match configs.incremental_alter_config(
                    resource_type::TOPIC,
                    &text(step, "topic"),
                    &ops,
                    true,
                ) {
                    Ok(records) => (records, outcome(0, None)),
                    Err(error) => (Vec::new(), outcome(error.code(), error.message)),
                }
            }
            other => (
                Vec::new(),
                Map::from_iter([("op".to_owned(), format!("unknown: {other}").into())]),
            ),
        }
    }

    fn alter_isr(
        &self,
        step: &Value,
        control: &ReplicationControl<'_>,
    ) -> (Vec<MetadataRecord>, Map<String, Value>) {
        let topic_id =
            self.image.topics_by_name.get(&text(step, "topic")).copied().unwrap_or_default();
        let partition_index = number(&step["partition"]);
        let partition =
            self.image.partition(topic_id, partition_index).cloned().unwrap_or_default();
        let epoch_of =
            |broker: i32| self.image.brokers.get(&broker).map_or(-1, |broker| broker.epoch);
        let isr = numbers(&step["newIsr"]);
        let data = AlterPartitionPartition {
            partition_index,
            leader_epoch: partition.leader_epoch,
            new_isr_with_epochs: isr
                .into_iter()
                .map(|broker_id| BrokerState { broker_id, broker_epoch: epoch_of(broker_id) })
                .collect(),
            leader_recovery_state: RECOVERED,
            partition_epoch: partition.partition_epoch - i32::from(step["badEpoch"] == true),
        };
        let request = AlterPartitionRequest {
            broker_id: partition.leader,
            broker_epoch: epoch_of(partition.leader),
            topics: vec![AlterPartitionTopic { topic_id, partitions: vec![data] }],
        };
        match control.alter_partition(&request) {
            Ok(mut decision) => {
                let code = decision.response.topics.remove(0).partitions.remove(0).error_code;
                (decision.records, outcome(code, None))
            }
            Err(error) => (Vec::new(), outcome(error.code(), error.message)),
        }
    }

    fn show(&self) -> Value {
        let topics = self.image.topics_by_name.iter().map(|(name, id)| {
            let partitions =
                self.image.topics[id].partitions.values().map(show_partition).collect::<Vec<_>>();
            (name.clone(), partitions.into())
        });
        Value::Object(topics.collect())
    }
}

fn elect(
    step: &Value,
    control: &ReplicationControl<'_>,
) -> (Vec<MetadataRecord>, Map<String, Value>) {
    let partitions = step["partitions"].as_array().map(|list| {
        list.iter()
            .map(|pair| ElectLeadersTopic {
                topic: pair[0].as_str().unwrap_or_default().to_owned(),
                partitions: vec![number(&pair[1])],
            })
            .collect()
    });
    let request = ElectLeadersRequest {
        election_type: i8::from(text(step, "type") == "UNCLEAN"),
        topic_partitions: partitions,
        timeout_ms: 0,
    };
    match control.elect_leaders(&request) {
        Ok(decision) => {
            let mut results: Vec<Value> = Vec::new();
            for topic in decision.response.replica_election_results {
                for result in topic.partition_result {
                    let error = ErrorCode::from_code(result.error_code).name();
                    let mut row =
                        vec![json!(topic.topic), json!(result.partition_id), json!(error)];
                    row.push(json!(result.error_message));
                    results.push(row.into());
                }
            }
            (decision.records, Map::from_iter([("results".to_owned(), results.into())]))
        }
        Err(error) => (Vec::new(), outcome(error.code(), error.message)),
    }
}

fn outcome(code: i16, message: Option<String>) -> Map<String, Value> {
    let error = ErrorCode::from_code(code).name();
    Map::from_iter([("error".to_owned(), json!(error)), ("message".to_owned(), json!(message))])
}

fn show_partition(partition: &PartitionRegistration) -> Value {
    let mut shown = json!({
        "r": partition.replicas, "i": partition.isr, "l": partition.leader,
        "le": partition.leader_epoch, "pe": partition.partition_epoch,
    });
    let lists = [
        ("elr", &partition.elr),
        ("lke", &partition.last_known_elr),
        ("rem", &partition.removing_replicas),
        ("add", &partition.adding_replicas),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            shown[name] = json!(list);
        }
    }
    if partition.leader_recovery_state == RECOVERING {
        shown["recovering"] = true.into();
    }
    shown
}

fn record_name(record: &MetadataRecord) -> &'static str {
    match record {
        MetadataRecord::FeatureLevel { .. } => "FeatureLevelRecord",
        MetadataRecord::RegisterBroker { .. } => "RegisterBrokerRecord",
        MetadataRecord::UnregisterBroker { .. } => "UnregisterBrokerRecord",
        MetadataRecord::BrokerRegistrationChange { .. } => "BrokerRegistrationChangeRecord",
        MetadataRecord::Topic { .. } => "TopicRecord",
        MetadataRecord::Partition { .. } => "PartitionRecord",
        MetadataRecord::PartitionChange { .. } => "PartitionChangeRecord",
        MetadataRecord::RemoveTopic { .. } => "RemoveTopicRecord",
        MetadataRecord::Config { .. } => "ConfigRecord",
        MetadataRecord::ProducerIds { .. } => "ProducerIdsRecord",
        MetadataRecord::ClearElr { .. } => "ClearElrRecord",
        MetadataRecord::NoOp => "NoOpRecord",
        MetadataRecord::LeaderChange { .. } => "LeaderChangeMessage",
    }
}

/// config-alter.json
pub fn config_alter(case: &Value) -> Outcome {
    let mut image = MetadataImage::default();
    let node = NodeConfig::default();
    for (index, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        let resource = strings(&step["resource"]);
        let kind = match resource[0].as_str() {
            "TOPIC" => resource_type::TOPIC,
            "BROKER" => resource_type::BROKER,
            "CLIENT_METRICS" => resource_type::CLIENT_METRICS,
            "GROUP" => resource_type::GROUP,
            _ => return Outcome::Unknown,
        };
        let control = ConfigurationControl { image: &image, node: &node, node_id: 1 };
        let decided = alter(&control, kind, &resource[1], step);
        let (records, error, message) = match decided {
            Ok(records) => (records, "NONE", None),
            Err(error) => (Vec::new(), error.error.name(), error.message),
        };
        let shown: Vec<Value> = records
            .iter()
            .filter_map(|record| match record {
                MetadataRecord::Config { name, value, .. } => Some(json!([name, value])),
                _ => None,
            })
            .collect();
        records.iter().for_each(|record| image.replay(record));
        let after = image.configs_of(kind, &resource[1]).cloned().unwrap_or_default();
        let found = json!([error, message, shown, after]);
        let expected = json!([step["error"], step["message"], step["records"], step["after"]]);
        if found != expected {
            return Outcome::Failed(format!("step {index} {step}: found {found}"));
        }
    }
    Outcome::Passed
}

fn alter(
    control: &ConfigurationControl<'_>,
    kind: i8,
    name: &str,
    step: &Value,
) -> Result<Vec<MetadataRecord>, ApiError> {
    if let Some(legacy) = step["legacy"].as_object() {
        let configs: Vec<_> = legacy
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().map(str::to_owned)))
            .collect();
        return control.legacy_alter_config(kind, name, &configs, true);
    }
    let op = |op: &Value| {
        let kind = match op[1].as_str() {
            Some("DELETE") => AlterOp::Delete,
            Some("APPEND") => AlterOp::Append,
            Some("SUBTRACT") => AlterOp::Subtract,
            _ => AlterOp::Set,
        };
        (op[0].as_str().unwrap_or_default().to_owned(), kind, op[2].as_str().map(str::to_owned))
    };
    let ops: Vec<_> = step["ops"].as_array().into_iter().flatten().map(op).collect();
    control.incremental_alter_config(kind, name, &ops, true)
}
