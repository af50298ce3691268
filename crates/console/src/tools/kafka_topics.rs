//! `kafka-topics`: creates, lists, describes, alters and deletes topics. Kafka: `TopicCommand`.

use std::fmt::Write;

use cluster::config::topic as topic_config;
use cluster::java::JavaHashMap;
use cluster::protocol::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatePartitionsAssignment,
    CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, DeleteTopicState,
    DeleteTopicsRequest, DescribeConfigsResourceResult, DescribeTopicPartitionsResponsePartition,
    ElectLeadersTopic, ErrorCode, ListPartitionReassignmentsRequest, MetadataRequest,
    MetadataRequestTopic, OngoingPartitionReassignment, Request, Response,
};
use cluster::topic_names;
use cluster::types::BrokerId;
use cluster::uuid::Uuid;

use super::admin::AdminClient;
use super::common::{Surroundings, check_invalid, check_required, include_list, usage_and_exit};
use super::exception::{Attempt, Exception, attempt};
use super::requests::{
    self, TopicDescription, call, create_admin, describe_topic_configs, describe_topics,
    load_properties,
};
use crate::client::Destination;
use crate::options::{Arguments, Opt, Run, Tool, Values};
use crate::script::{Pending, Script};

const LOGGER: &str = "org.apache.kafka.tools.TopicCommand";
/// How long the controller may take. Kafka: what is left of `request.timeout.ms`.
const TIMEOUT_MS: i32 = 30_000;
/// `config.source` of a value that nobody has set.
const DEFAULT_CONFIG: i8 = 5;
const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const SEE_CONFIGS: &str = " (To alter topic configurations, the kafka-configs tool can be used.)";

pub static TOOL: Tool = Tool {
    name: "kafka-topics",
    about: "This tool helps to create, delete, describe, or change a topic.",
    options: &[
        Opt::text(
            "bootstrap-server",
            "server to connect to",
            "REQUIRED: Brokers to contact first, as host:port, separated by commas.",
        )
        .values(Values::BootstrapServer),
        Opt::text(
            "command-config",
            "command config property file",
            "File with settings of the admin client.",
        )
        .values(Values::File),
        Opt::flag("list", "Names of all topics, sorted."),
        Opt::flag("create", "Make a topic."),
        Opt::flag("delete", "Remove topics and their data for good."),
        Opt::flag("alter", "Add partitions. Settings are changed with kafka-configs."),
        Opt::flag("describe", "Partitions of topics: leader, replicas, in-sync replicas."),
        Opt::text(
            "topic",
            "topic",
            "The topic; except with --create, a regular expression, or several with commas.",
        )
        .values(Values::Topic),
        Opt::text("topic-id", "topic-id", "Describe the topic that has this id."),
        Opt::text(
            "config",
            "name=value",
            "A setting of the new topic; may be repeated. Only with --create.",
        )
        .repeatable()
        .values(Values::TopicConfig),
        Opt::text(
            "delete-config",
            "name",
            "Without effect; settings are removed with kafka-configs.",
        )
        .deprecated("4.0"),
        Opt::integer(
            "partitions",
            "# of partitions",
            "How many partitions the topic is to have. More than before moves keys to other partitions.",
        ),
        Opt::integer(
            "replication-factor",
            "replication factor",
            "How many brokers keep a copy of each partition; the cluster's default if absent.",
        ),
        Opt::text(
            "replica-assignment",
            "broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...",
            "Which brokers keep each partition, the preferred leader first.",
        ),
        Opt::flag(
            "under-replicated-partitions",
            "With --describe: only partitions with a replica out of sync.",
        ),
        Opt::flag(
            "unavailable-partitions",
            "With --describe: only partitions without a living leader.",
        ),
        Opt::flag(
            "under-min-isr-partitions",
            "With --describe: only partitions with fewer in-sync replicas than min.insync.replicas.",
        ),
        Opt::flag(
            "at-min-isr-partitions",
            "With --describe: only partitions with just as many in-sync replicas as min.insync.replicas.",
        ),
        Opt::flag(
            "topics-with-overrides",
            "With --describe: only topics with settings of their own, without partitions.",
        ),
        Opt::flag("if-exists", "A topic that does not exist is no error."),
        Opt::flag("if-not-exists", "A topic that exists already is no error."),
        Opt::flag("exclude-internal", "Leave out Kafka's own topics."),
        Opt::integer(
            "partition-size-limit-per-response",
            "maximum number of partitions per response",
            "How many partitions a broker describes in one answer.",
        ),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        (
            "Make a topic with three partitions, each on three brokers",
            "kafka-topics --bootstrap-server localhost:9092 --create --topic orders --partitions 3 --replication-factor 3",
        ),
        (
            "Who leads, and who is in sync?",
            "kafka-topics --bootstrap-server localhost:9092 --describe --topic orders",
        ),
        (
            "Which partitions miss a replica?",
            "kafka-topics --bootstrap-server localhost:9092 --describe --under-replicated-partitions",
        ),
        (
            "Add partitions",
            "kafka-topics --bootstrap-server localhost:9092 --alter --topic orders --partitions 6",
        ),
    ],
    run: Run::Script(run),
};

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    let arguments = match TOOL.parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            Exception::from(error).print(script);
            return Ok(1);
        }
    };
    if words.is_empty() {
        let text = "Create, delete, describe, or change a topic.";
        return Ok(usage_and_exit(&TOOL, text, script));
    }
    let opened = match check(&arguments, script) {
        Err(code) => return Ok(code),
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) => open(script, &arguments),
    };
    let mut admin = match opened {
        Ok(admin) => admin,
        Err(error) => {
            error.print(script);
            return Ok(1);
        }
    };
    let done = if arguments.has("create") {
        create(script, &mut admin, &arguments)?
    } else if arguments.has("alter") {
        alter(script, &mut admin, &arguments)?
    } else if arguments.has("list") {
        list(script, &mut admin, &arguments)?
    } else if arguments.has("describe") {
        describe(script, &mut admin, &arguments)?
    } else {
        delete(script, &mut admin, &arguments)?
    };
    let Err(error) = done else { return Ok(0) };
    script.out(&format!("Error while executing topic command : {}\n", error.message));
    script.log("ERROR", &format!("{error}\n"), LOGGER);
    Ok(1)
}

/// `TopicCommandOptions.checkArgs`: `Err` is an exit code, the inner error an exception.
fn check(arguments: &Arguments, io: &mut impl Surroundings) -> Result<Result<(), Exception>, i32> {
    if let Some(code) = super::common::help_or_version(&TOOL, &[String::new()], arguments, io) {
        return Err(code);
    }
    if ACTIONS.iter().filter(|action| arguments.has(action)).count() != 1 {
        let text = "Command must include exactly one action: --list, --describe, --create, --alter or --delete";
        return Err(usage_and_exit(&TOOL, text, io));
    }
    if arguments.has("delete-config") {
        io.err("delete-config option is no longer supported and deprecated since version 4.0. The config will be fully removed in future releases.\n");
    }
    if !arguments.has("bootstrap-server") {
        return Ok(Err(Exception::illegal_argument("--bootstrap-server must be specified")));
    }
    let (by_name, by_id) = (arguments.has("topic"), arguments.has("topic-id"));
    if arguments.has("describe") && arguments.has("if-exists") {
        if !by_name && !by_id {
            let text = "--topic or --topic-id is required to describe a topic";
            return Err(usage_and_exit(&TOOL, text, io));
        }
        if by_name && by_id {
            io.out("Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID\n");
        }
    }
    let require = |name: &str, io: &mut _| match check_required(&TOOL, arguments, &[name], io) {
        Some(code) => Err(code),
        None => Ok(()),
    };
    if !arguments.has("list") && !arguments.has("describe") {
        require("topic", io)?;
    }
    if arguments.has("alter") {
        if arguments.has("config") {
            let text = format!(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\"{SEE_CONFIGS}"
            );
            return Err(usage_and_exit(&TOOL, &text, io));
        }
        require("partitions", io)?;
    }
    for (used, invalid) in INVALID {
        if *used == "under-replicated-partitions" && arguments.has("create") {
            let others = &["partitions", "replication-factor"];
            if let Some(code) = check_invalid(&TOOL, arguments, "replica-assignment", others, io) {
                return Err(code);
            }
        }
        if let Some(code) = check_invalid(&TOOL, arguments, used, invalid, io) {
            return Err(code);
        }
    }
    Ok(Ok(()))
}

/// Options, each with those that it cannot go with, in the order in which Kafka checks them.
const INVALID: &[(&str, &[&str])] = &[
    ("config", &["describe", "list", "delete"]),
    ("partitions", &["describe", "list", "delete"]),
    ("replication-factor", &["alter", "describe", "list", "delete"]),
    ("replica-assignment", &["describe", "list", "delete"]),
    (
        "under-replicated-partitions",
        &["alter", "create", "list", "delete", "topics-with-overrides"],
    ),
    ("under-min-isr-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("at-min-isr-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("unavailable-partitions", &["alter", "create", "list", "delete", "topics-with-overrides"]),
    ("topics-with-overrides", &["alter", "create", "list", "delete"]),
    ("if-exists", &["create", "list"]),
    ("if-not-exists", &["alter", "describe", "list", "delete"]),
    ("exclude-internal", &["alter", "create", "delete"]),
];

fn open(script: &mut Script<'_>, arguments: &Arguments) -> Result<AdminClient, Exception> {
    let config = load_properties(script, arguments, "command-config")?;
    let servers = arguments.value("bootstrap-server")?.unwrap_or_default();
    create_admin(script, servers, &config)
}

/// What `--create` and `--alter` ask for.
struct Wanted {
    name: String,
    partitions: Option<i32>,
    replication_factor: Option<i32>,
    /// Brokers of each partition; empty if not given.
    assignment: Vec<Vec<BrokerId>>,
    configs: Vec<(String, String)>,
}

impl Wanted {
    /// `CommandTopicPartition`
    fn of(arguments: &Arguments) -> Result<Self, Exception> {
        Ok(Self {
            name: arguments.value("topic")?.unwrap_or_default().to_owned(),
            partitions: arguments.integer("partitions")?,
            replication_factor: arguments.integer("replication-factor")?,
            assignment: match arguments.value("replica-assignment")? {
                None | Some("") => Vec::new(),
                Some(text) => replica_assignment(text)?,
            },
            configs: configs_to_add(&arguments.values("config"))?,
        })
    }
}

/// Java's `split`: empty pieces at the end do not count.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut pieces: Vec<&str> = text.split(separator).collect();
    while pieces.len() > 1 && pieces.last() == Some(&"") {
        pieces.pop();
    }
    pieces
}

/// `1:2,2:3`: the brokers of partition 0, then of partition 1.
fn replica_assignment(text: &str) -> Result<Vec<Vec<BrokerId>>, Exception> {
    let mut partitions: Vec<Vec<BrokerId>> = Vec::new();
    for (index, list) in split(text, ',').into_iter().enumerate() {
        let mut brokers: Vec<BrokerId> = Vec::new();
        let mut twice: Vec<String> = Vec::new();
        for word in split(list, ':').into_iter().map(str::trim) {
            let broker = word.parse().map_err(|_| Exception::number_format(word))?;
            if brokers.contains(&broker) && !twice.contains(&broker.to_string()) {
                twice.push(broker.to_string());
            }
            brokers.push(broker);
        }
        if !twice.is_empty() {
            return Err(Exception::of_tools(
                "AdminCommandFailedException",
                format!(
                    "Partition replica lists may not contain duplicate entries: {}",
                    twice.join(",")
                ),
            ));
        }
        if partitions.first().is_some_and(|first| first.len() != brokers.len()) {
            let text = format!(
                "Partition {index} has different replication factor: [{}]",
                join(&brokers, ", ")
            );
            return Err(Exception::of_tools("AdminOperationException", text));
        }
        partitions.push(brokers);
    }
    Ok(partitions)
}

/// `name=value` each, checked as the cluster would, in the order of a `HashMap`.
fn configs_to_add(words: &[&str]) -> Result<Vec<(String, String)>, Exception> {
    let mut configs: JavaHashMap<String, String> = JavaHashMap::new();
    let mut pairs = Vec::with_capacity(words.len());
    for word in words {
        match split(word, '=').as_slice() {
            [name, value] => pairs.push((name.trim(), value.trim())),
            _ => {
                return Err(Exception::illegal_argument(
                    "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
                ));
            }
        }
    }
    for (name, value) in pairs {
        configs.insert(name.to_owned(), value.to_owned());
    }
    let configs: Vec<(String, String)> =
        configs.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    topic_config::validate(&configs)?;
    Ok(configs)
}

fn join(ids: &[BrokerId], separator: &str) -> String {
    ids.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(separator)
}

/// `KafkaAdminClient.topicNameIsUnrepresentable`
fn unrepresentable(name: &str) -> Exception {
    Exception::new(
        "org.apache.kafka.common.errors.InvalidTopicException",
        format!("The given topic name '{name}' cannot be represented in a request."),
    )
}

fn create(script: &mut Script<'_>, admin: &mut AdminClient, arguments: &Arguments) -> Attempt<()> {
    let wanted = attempt!(Wanted::of(arguments));
    if topic_names::has_collision_chars(&wanted.name) {
        script.out("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.\n");
    }
    if wanted.replication_factor.is_some_and(|factor| !(1..=i32::from(i16::MAX)).contains(&factor))
    {
        let text = format!("The replication factor must be between 1 and {} inclusive", i16::MAX);
        return Ok(Err(Exception::illegal_argument(text)));
    }
    if wanted.partitions.is_some_and(|partitions| partitions < 1) {
        return Ok(Err(Exception::illegal_argument("The partitions must be greater than 0")));
    }
    if wanted.name.is_empty() {
        return Ok(Err(unrepresentable(&wanted.name)));
    }
    let assigned = wanted.assignment.iter().zip(0..).map(|(brokers, partition_index)| {
        CreatableReplicaAssignment { partition_index, broker_ids: brokers.clone() }
    });
    let manual = !wanted.assignment.is_empty();
    let topic = CreatableTopic {
        name: wanted.name.clone(),
        num_partitions: wanted.partitions.filter(|_| !manual).unwrap_or(-1),
        replication_factor: wanted.replication_factor.filter(|_| !manual).unwrap_or(-1) as i16,
        assignments: assigned.collect(),
        configs: wanted
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: name.clone(),
                value: Some(value.clone()),
            })
            .collect(),
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, validate_only: false };
    let response =
        call!(admin, script, "createTopics", &Destination::Controller, request, CreateTopics);
    for result in response.topics {
        if let Err(error) = Exception::of_code(result.error_code, result.error_message.as_deref()) {
            let exists = result.error_code == ErrorCode::TopicAlreadyExists.code();
            return Ok(if exists && arguments.has("if-not-exists") { Ok(()) } else { Err(error) });
        }
    }
    script.out(&format!("Created topic {}.\n", wanted.name));
    Ok(Ok(()))
}

/// The topics that `--topic` means, sorted.
fn topics(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    arguments: &Arguments,
) -> Attempt<Vec<String>> {
    let wanted = attempt!(arguments.value("topic"));
    let without_internal = arguments.has("exclude-internal");
    let all = attempt!(requests::list_topics(script, admin)?);
    let pattern = match wanted.map(include_list) {
        Some(Err(message)) => {
            return Ok(Err(Exception::new("java.lang.RuntimeException", message)));
        }
        Some(Ok(pattern)) => Some(pattern),
        None => None,
    };
    let mut names: Vec<String> = all
        .topics
        .into_iter()
        .filter_map(|topic| topic.name)
        .filter(|name| !(without_internal && topic_names::is_internal(name)))
        .filter(|name| pattern.as_ref().is_none_or(|pattern| pattern.matches(name)))
        .collect();
    simulation::sorted::sort(&mut names);
    Ok(Ok(names))
}

/// As [`topics`]; that there is none is an error unless `--if-exists`.
fn existing_topics(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    arguments: &Arguments,
) -> Attempt<Vec<String>> {
    let names = attempt!(topics(script, admin, arguments)?);
    let wanted = attempt!(arguments.value("topic")).filter(|topic| !topic.is_empty());
    Ok(match wanted {
        Some(topic) if names.is_empty() && !arguments.has("if-exists") => {
            let text = format!("Topic '{topic}' does not exist as expected");
            Err(Exception::illegal_argument(text))
        }
        _ => Ok(names),
    })
}

fn list(script: &mut Script<'_>, admin: &mut AdminClient, arguments: &Arguments) -> Attempt<()> {
    let names = attempt!(topics(script, admin, arguments)?);
    script.out(&format!("{}\n", names.join("\n")));
    Ok(Ok(()))
}

fn alter(script: &mut Script<'_>, admin: &mut AdminClient, arguments: &Arguments) -> Attempt<()> {
    let wanted = attempt!(Wanted::of(arguments));
    let names = attempt!(existing_topics(script, admin, arguments)?);
    if names.is_empty() {
        return Ok(Ok(()));
    }
    let mut counts = Vec::with_capacity(names.len());
    if !wanted.assignment.is_empty() {
        for (_, described) in describe_topics(script, admin, &names, 2000)? {
            // Kafka: `topicNewPartitions` wraps what the future throws.
            let topic = attempt!(described.map_err(|error| Exception::new(
                "java.lang.RuntimeException",
                error.in_execution().to_string()
            )));
            counts.push(topic.partitions.len());
        }
    }
    let mut partitions: JavaHashMap<String, CreatePartitionsTopic> = JavaHashMap::new();
    for (index, name) in names.into_iter().enumerate() {
        let assignments = counts.get(index).map(|count| {
            let added = wanted.assignment.iter().skip(*count);
            added.map(|ids| CreatePartitionsAssignment { broker_ids: ids.clone() }).collect()
        });
        let count = wanted.partitions.unwrap_or_default();
        let topic = CreatePartitionsTopic { name: name.clone(), count, assignments };
        partitions.insert(name, topic);
    }
    let request = CreatePartitionsRequest {
        topics: partitions.values().cloned().collect(),
        timeout_ms: TIMEOUT_MS,
        validate_only: false,
    };
    let to = &Destination::Controller;
    let response = call!(admin, script, "createPartitions", to, request, CreatePartitions);
    for result in response.results {
        attempt!(Exception::of_code(result.error_code, result.error_message.as_deref()));
    }
    Ok(Ok(()))
}

fn delete(script: &mut Script<'_>, admin: &mut AdminClient, arguments: &Arguments) -> Attempt<()> {
    let names = attempt!(existing_topics(script, admin, arguments)?);
    if names.is_empty() {
        return Ok(Ok(()));
    }
    let state = |name: String| DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO };
    let request = DeleteTopicsRequest {
        topics: names.into_iter().map(state).collect(),
        timeout_ms: TIMEOUT_MS,
    };
    let response =
        call!(admin, script, "deleteTopics", &Destination::Controller, request, DeleteTopics);
    for result in response.responses {
        attempt!(Exception::of_code(result.error_code, result.error_message.as_deref()));
    }
    Ok(Ok(()))
}

/// What `--describe` prints.
struct Shown {
    live: Vec<BrokerId>,
    under_replicated: bool,
    unavailable: bool,
    under_min_isr: bool,
    at_min_isr: bool,
    overridden: bool,
    reassignments: Vec<(String, OngoingPartitionReassignment)>,
}

fn describe(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    arguments: &Arguments,
) -> Attempt<()> {
    let id = match attempt!(arguments.value("topic-id")) {
        Some(text) => Some(attempt!(Uuid::parse(text).map_err(Exception::illegal_argument)))
            .filter(|id| *id != Uuid::ZERO),
        None => None,
    };
    let described: Vec<(String, TopicDescription)> = match id {
        Some(id) => attempt!(described_by_id(script, admin, arguments, id)?),
        None => attempt!(described_by_name(script, admin, arguments)?),
    };
    let names: Vec<String> = described.iter().map(|(name, _)| name.clone()).collect();
    let configs = attempt!(describe_topic_configs(script, admin, &names)?);
    let brokers = attempt!(requests::brokers(script, admin)?);
    let reassignments = attempt!(reassignments(script, admin, &described)?);
    let shown = Shown {
        live: brokers.iter().map(|broker| broker.broker_id).collect(),
        under_replicated: arguments.has("under-replicated-partitions"),
        unavailable: arguments.has("unavailable-partitions"),
        under_min_isr: arguments.has("under-min-isr-partitions"),
        at_min_isr: arguments.has("at-min-isr-partitions"),
        overridden: arguments.has("topics-with-overrides"),
        reassignments,
    };
    for (name, topic) in described {
        let Some(config) = configs.iter().find(|config| config.resource_name == name) else {
            continue;
        };
        attempt!(Exception::of_code(config.error_code, config.error_message.as_deref()));
        let text = shown.topic(&name, &topic, &config.configs);
        script.out(&text);
    }
    Ok(Ok(()))
}

fn described_by_name(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    arguments: &Arguments,
) -> Attempt<Vec<(String, TopicDescription)>> {
    let names = attempt!(existing_topics(script, admin, arguments)?);
    if names.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let limit = attempt!(arguments.integer("partition-size-limit-per-response")).unwrap_or(2000);
    let mut topics = Vec::with_capacity(names.len());
    for (name, described) in describe_topics(script, admin, &names, limit)? {
        topics.push((name, attempt!(described)));
    }
    Ok(Ok(requests::described_order(topics)))
}

/// By id, `describeTopics` asks for metadata, which knows nothing of eligible leader replicas.
fn described_by_id(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    arguments: &Arguments,
    id: Uuid,
) -> Attempt<Vec<(String, TopicDescription)>> {
    let all = attempt!(requests::list_topics(script, admin)?);
    let internal = |name: &Option<String>| name.as_deref().is_some_and(topic_names::is_internal);
    let with_internal = !arguments.has("exclude-internal");
    let known = all
        .topics
        .iter()
        .any(|topic| topic.topic_id == id && (with_internal || !internal(&topic.name)));
    if !known {
        let text = format!("TopicId '{id}' does not exist as expected");
        let missing = Err(Exception::illegal_argument(text));
        return Ok(if arguments.has("if-exists") { Ok(Vec::new()) } else { missing });
    }
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { topic_id: id, name: None }]),
        allow_auto_topic_creation: false,
    };
    let name = "describeTopicsWithIds";
    let response =
        match attempt!(admin.call(script, name, &Destination::Any, &Request::from(request))?) {
            Response::Metadata(response) => *response,
            other => return Ok(Err(requests::wrong_answer(&other))),
        };
    let mut described = Vec::new();
    for topic in response.topics {
        attempt!(Exception::of_code(topic.error_code, None));
        let mut partitions: Vec<_> = topic
            .partitions
            .into_iter()
            .map(|partition| DescribeTopicPartitionsResponsePartition {
                error_code: partition.error_code,
                partition_index: partition.partition_index,
                leader_id: partition.leader_id,
                leader_epoch: partition.leader_epoch,
                replica_nodes: partition.replica_nodes,
                isr_nodes: partition.isr_nodes,
                eligible_leader_replicas: None,
                last_known_elr: None,
                offline_replicas: partition.offline_replicas,
            })
            .collect();
        simulation::sorted::sort_by_key(&mut partitions, |partition| partition.partition_index);
        described.push((
            topic.name.clone().unwrap_or_default(),
            TopicDescription {
                error_code: topic.error_code,
                name: topic.name,
                topic_id: topic.topic_id,
                is_internal: topic.is_internal,
                partitions,
            },
        ));
    }
    Ok(Ok(described))
}

fn reassignments(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    described: &[(String, TopicDescription)],
) -> Attempt<Vec<(String, OngoingPartitionReassignment)>> {
    let asked = |(name, topic): &(String, TopicDescription)| ElectLeadersTopic {
        topic: name.clone(),
        partitions: topic.partitions.iter().map(|partition| partition.partition_index).collect(),
    };
    let request = ListPartitionReassignmentsRequest {
        timeout_ms: TIMEOUT_MS,
        topics: Some(described.iter().map(asked).collect()),
    };
    let to = &Destination::Controller;
    let response =
        call!(admin, script, "listPartitionReassignments", to, request, ListPartitionReassignments);
    if let Err(error) = Exception::of_code(response.error_code, response.error_message.as_deref())
        && !error.is(ErrorCode::UnsupportedVersion)
        && !error.is(ErrorCode::ClusterAuthorizationFailed)
    {
        return Ok(Err(Exception::new(
            "java.lang.RuntimeException",
            error.in_execution().to_string(),
        )));
    }
    let mut all = Vec::new();
    for topic in response.topics {
        let of_topic = topic.partitions.into_iter().map(|ongoing| (topic.name.clone(), ongoing));
        all.extend(of_topic);
    }
    Ok(Ok(all))
}

impl Shown {
    fn reassignment(&self, topic: &str, partition: i32) -> Option<&OngoingPartitionReassignment> {
        let of_partition = |(name, ongoing): &&(String, OngoingPartitionReassignment)| {
            name == topic && ongoing.partition_index == partition
        };
        self.reassignments.iter().find(of_partition).map(|(_, ongoing)| ongoing)
    }

    fn topic(
        &self,
        name: &str,
        topic: &TopicDescription,
        configs: &[DescribeConfigsResourceResult],
    ) -> String {
        let mut text = String::new();
        let by_partition =
            self.under_replicated || self.unavailable || self.under_min_isr || self.at_min_isr;
        let set: JavaHashMap<String, &DescribeConfigsResourceResult> =
            configs.iter().map(|config| (config.name.clone(), config)).collect();
        let overrides: Vec<String> = set
            .values()
            .filter(|config| config.config_source != DEFAULT_CONFIG)
            .map(|config| format!("{}={}", config.name, config.value.as_deref().unwrap_or("null")))
            .collect();
        if !(by_partition || self.overridden && overrides.is_empty()) {
            let factor = topic.partitions.first().map_or(0, |first| {
                replication_factor(first, self.reassignment(name, first.partition_index))
            });
            let _ = write!(text, "Topic: {name}");
            if topic.topic_id != Uuid::ZERO {
                let _ = write!(text, "\tTopicId: {}", topic.topic_id);
            }
            let _ = writeln!(
                text,
                "\tPartitionCount: {}\tReplicationFactor: {factor}\tConfigs: {}",
                topic.partitions.len(),
                overrides.join(",")
            );
        }
        if self.overridden {
            return text;
        }
        let min_isr = configs
            .iter()
            .find(|config| config.name == "min.insync.replicas")
            .and_then(|config| config.value.as_deref()?.parse::<usize>().ok())
            .unwrap_or(1);
        for partition in &topic.partitions {
            let ongoing = self.reassignment(name, partition.partition_index);
            let in_sync = partition.isr_nodes.len();
            let led = self.live.contains(&partition.leader_id);
            let wanted = !by_partition
                || self.under_replicated && replication_factor(partition, ongoing) > in_sync
                || self.unavailable && !led
                || self.under_min_isr && (!led || in_sync < min_isr)
                || self.at_min_isr && in_sync == min_isr;
            if wanted {
                partition_line(&mut text, name, partition, led, ongoing);
            }
        }
        text
    }
}

fn partition_line(
    text: &mut String,
    topic: &str,
    partition: &DescribeTopicPartitionsResponsePartition,
    led: bool,
    ongoing: Option<&OngoingPartitionReassignment>,
) {
    let leader = if led { partition.leader_id.to_string() } else { "none".to_owned() };
    let _ = write!(
        text,
        "\tTopic: {topic}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}",
        partition.partition_index,
        join(&partition.replica_nodes, ","),
        join(&partition.isr_nodes, ",")
    );
    if let Some(ongoing) = ongoing {
        let _ = write!(
            text,
            "\tAdding Replicas: {}\tRemoving Replicas: {}",
            join(&ongoing.adding_replicas, ","),
            join(&ongoing.removing_replicas, ",")
        );
    }
    let elr = |ids: &Option<Vec<BrokerId>>| {
        ids.as_ref().map_or_else(|| "N/A".to_owned(), |ids| join(ids, ","))
    };
    let _ = writeln!(
        text,
        "\tElr: {}\tLastKnownElr: {}",
        elr(&partition.eligible_leader_replicas),
        elr(&partition.last_known_elr)
    );
}

/// Replicas that are still being added do not count.
fn replication_factor(
    partition: &DescribeTopicPartitionsResponsePartition,
    ongoing: Option<&OngoingPartitionReassignment>,
) -> usize {
    let moves = ongoing.filter(|ongoing| {
        let changing = |id: &BrokerId| {
            ongoing.adding_replicas.contains(id) || ongoing.removing_replicas.contains(id)
        };
        partition.replica_nodes.iter().any(changing)
    });
    moves.map_or(partition.replica_nodes.len(), |ongoing| {
        ongoing.replicas.len().saturating_sub(ongoing.adding_replicas.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replica_assignments_are_read_as_java_splits_them() {
        let cases: &[(&str, Result<&[&[i32]], &str>)] = &[
            ("1:2,2:3", Ok(&[&[1, 2], &[2, 3]])),
            ("2", Ok(&[&[2]])),
            (" 2 : 1 ,3:1,,", Ok(&[&[2, 1], &[3, 1]])),
            ("1:2:", Ok(&[&[1, 2]])),
            ("1,2:3", Err("Partition 1 has different replication factor: [2, 3]")),
            ("1:1", Err("Partition replica lists may not contain duplicate entries: 1")),
            ("1::2", Err("For input string: \"\"")),
            ("a", Err("For input string: \"a\"")),
        ];
        for (text, expected) in cases {
            let found = replica_assignment(text).map_err(|error| error.message);
            let expected = expected
                .map(|lists| lists.iter().map(|ids| ids.to_vec()).collect::<Vec<_>>())
                .map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn configs_are_checked_before_anything_is_asked() {
        for (words, expected) in [
            (&["retention.ms=60000"][..], Ok(1)),
            (&["retention.ms = 1", "retention.ms=2"], Ok(1)),
            (&["novalue"], Err("java.lang.IllegalArgumentException")),
            (&["a=b=c"], Err("java.lang.IllegalArgumentException")),
            (
                &["retention.msx=1"],
                Err("org.apache.kafka.common.errors.InvalidConfigurationException"),
            ),
            (&["segment.bytes=100"], Err("org.apache.kafka.common.config.ConfigException")),
        ] {
            let found = configs_to_add(words).map(|configs| configs.len());
            assert_eq!(
                found.map_err(|error| error.class),
                expected.map_err(str::to_owned),
                "{words:?}"
            );
        }
    }
}
