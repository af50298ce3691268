//! `kafka-leader-election`: gives partitions their preferred leader, or any leader at all. Kafka: `LeaderElectionCommand`.

use cluster::java::{JavaHashMap, JavaHashSet};
use cluster::protocol::{ElectLeadersRequest, ElectLeadersResponse, ElectLeadersTopic, ErrorCode};
use cluster::types::TopicPartition;

use super::common::{Properties, Surroundings, check_invalid, help_or_version};
use super::exception::{Attempt, Exception, attempt};
use super::json::Json;
use super::requests::{call, create_admin, load_properties};
use crate::client::Destination;
use crate::options::{Arguments, Opt, ParseError, Run, Tool, Values};
use crate::script::{Pending, Script};

const TYPES: [&str; 2] = ["preferred", "unclean"];
/// One of them says what to elect for.
const TARGETS: [&str; 3] = ["topic", "all-topic-partitions", "path-to-json-file"];
/// What the admin client is given unless its file says otherwise.
const TIMEOUTS: [(&str, &str); 2] =
    [("default.api.timeout.ms", "30000"), ("request.timeout.ms", "15000")];

pub static TOOL: Tool = Tool {
    name: "kafka-leader-election",
    about: "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are preferred replicas and unclean replicas.",
    options: &[
        Opt::text("bootstrap-server", "host:port", "REQUIRED: Brokers to contact first, separated by commas.")
            .values(Values::BootstrapServer),
        Opt::text("admin.config", "config file", "File with settings of the admin client; now --command-config.")
            .deprecated("4.2")
            .values(Values::File),
        Opt::text("command-config", "Config file", "File with settings of the admin client.").values(Values::File),
        Opt::text("path-to-json-file", "Path to JSON file", "File naming the partitions: {\"partitions\": [{\"topic\": \"orders\", \"partition\": 0}]}")
            .values(Values::File),
        Opt::text("topic", "topic name", "Topic of the one partition to elect for; with --partition.").values(Values::Topic),
        Opt::integer("partition", "partition id", "The partition of --topic."),
        Opt::flag("all-topic-partitions", "All partitions that such an election can help."),
        Opt::text("election-type", "election type", "REQUIRED: preferred (back to the first replica) or unclean (whoever lives, even if it lost data).")
            .values(Values::OneOf(&TYPES)),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        ("Give leadership back after a restart", "kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --all-topic-partitions"),
        ("Revive a partition without an in-sync replica, losing records", "kafka-leader-election --bootstrap-server localhost:9092 --election-type unclean --topic orders --partition 0"),
    ],
    run: Run::Script(run),
};

fn failed(message: impl Into<String>) -> Exception {
    Exception::of_tools("AdminCommandFailedException", message)
}

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    let arguments = match TOOL.parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            Exception::from(error).print(script);
            return Ok(1);
        }
    };
    if let Some(code) = help_or_version(&TOOL, &words, &arguments, script) {
        return Ok(code);
    }
    match elect(script, &arguments)? {
        Ok(code) => Ok(code),
        Err(error) => {
            error.print(script);
            Ok(1)
        }
    }
}

/// What the options admit before `--admin.config` and `--command-config` are compared.
fn check_given(arguments: &Arguments) -> Result<(), Exception> {
    let required = ["bootstrap-server", "election-type"];
    let missing: Vec<&str> = required.into_iter().filter(|name| !arguments.has(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(failed(format!("Missing required option(s): {}", missing.join(", "))))
}

/// What the options admit after that.
fn check_target(arguments: &Arguments) -> Result<(), Exception> {
    if TARGETS.iter().filter(|name| arguments.has(name)).count() != 1 {
        return Err(failed(format!(
            "One and only one of the following options is required: {}",
            TARGETS.join(", ")
        )));
    }
    match (arguments.has("topic"), arguments.has("partition")) {
        (true, false) => Err(failed("Missing required option(s): partition")),
        (false, true) => Err(failed("Option partition is only allowed if topic is used")),
        _ => Ok(()),
    }
}

/// The place of the type in [`TYPES`].
fn election_type(arguments: &Arguments) -> Result<usize, Exception> {
    let value = arguments.value("election-type")?.unwrap_or_default();
    let found = TYPES.iter().position(|name| name.eq_ignore_ascii_case(value));
    Ok(found.ok_or_else(|| ParseError::Conversion {
        option: "election-type",
        value: value.to_owned(),
    })?)
}

fn elect(script: &mut Script<'_>, arguments: &Arguments) -> Attempt<i32> {
    attempt!(check_given(arguments));
    let invalid = &["command-config"];
    if let Some(code) = check_invalid(&TOOL, arguments, "admin.config", invalid, script) {
        return Ok(Ok(code));
    }
    attempt!(check_target(arguments));
    let kind = attempt!(election_type(arguments));
    let partitions = attempt!(wanted_partitions(script, arguments));
    let config = attempt!(client_config(script, arguments));
    let servers = attempt!(arguments.value("bootstrap-server")).unwrap_or_default();
    let mut admin = attempt!(create_admin(script, servers, &config));
    let request = ElectLeadersRequest {
        election_type: kind as i8,
        topic_partitions: partitions.map(by_topic),
        timeout_ms: 15_000,
    };
    let result = (|| -> Attempt<ElectLeadersResponse> {
        let to = &Destination::Controller;
        let response = call!(admin, script, "electLeaders", to, request, ElectLeaders);
        attempt!(Exception::of_code(response.error_code, None));
        Ok(Ok(response))
    })()?;
    let response = match result {
        Ok(response) => response,
        Err(error) => {
            let message = if error.is(ErrorCode::RequestTimedOut) {
                "Timeout waiting for election results"
            } else if error.is(ErrorCode::ClusterAuthorizationFailed) {
                "Not authorized to perform leader election"
            } else {
                let cause = error.in_execution().to_string();
                return Ok(Err(Exception::new("java.lang.RuntimeException", cause)));
            };
            script.out(&format!("{message}\n"));
            return Ok(Err(failed(message)));
        }
    };
    Ok(report(script, &TYPES[kind].to_ascii_uppercase(), &response).map(|()| 0))
}

/// `None` asks for all.
fn wanted_partitions(
    script: &mut Script<'_>,
    arguments: &Arguments,
) -> Result<Option<Vec<TopicPartition>>, Exception> {
    if let Some(path) = arguments.value("path-to-json-file")? {
        let wrapped =
            |error: Exception| Exception::new("java.lang.RuntimeException", error.to_string());
        let bytes = script.read_file(path).map_err(|_| {
            wrapped(Exception::new("java.io.IOException", format!("Unable to read file {path}")))
        })?;
        let json = Json::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
            Exception::of_tools("AdminOperationException", "Replica election data is empty")
        })?;
        let list = json.get("partitions").map_err(wrapped)?.ok_or_else(|| {
            let text = "Replica election data is missing \"partitions\" field";
            Exception::of_tools("AdminOperationException", text)
        })?;
        let partitions = listed_partitions(list).map_err(wrapped)?;
        no_duplicates(&partitions)?;
        return Ok(Some(partitions));
    }
    let (topic, partition) = (arguments.value("topic")?, arguments.integer("partition")?);
    Ok(topic.zip(partition).map(|(topic, index)| vec![TopicPartition::new(topic, index)]))
}

fn listed_partitions(list: &Json) -> Result<Vec<TopicPartition>, Exception> {
    let one = |json: &Json| -> Result<TopicPartition, Exception> {
        Ok(TopicPartition::new(json.field("topic")?.text()?, json.field("partition")?.integer()?))
    };
    list.array()?.iter().map(one).collect()
}

fn no_duplicates(partitions: &[TopicPartition]) -> Result<(), Exception> {
    let (mut seen, mut twice) = (JavaHashSet::default(), JavaHashSet::default());
    for partition in partitions {
        if !seen.insert(partition.clone()) {
            twice.insert(partition.clone());
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let text = format!("Replica election data contains duplicate partitions: [{}]", listed(&twice));
    Err(Exception::of_tools("AdminOperationException", text))
}

fn listed(partitions: &JavaHashSet<TopicPartition>) -> String {
    partitions.iter().map(TopicPartition::to_string).collect::<Vec<_>>().join(", ")
}

fn client_config(script: &mut Script<'_>, arguments: &Arguments) -> Result<Properties, Exception> {
    let mut config = if arguments.has("admin.config") {
        script.out("Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.\n");
        load_properties(script, arguments, "admin.config")?
    } else {
        load_properties(script, arguments, "command-config")?
    };
    for (name, value) in TIMEOUTS {
        config.merge_option(name, None, value);
    }
    Ok(config)
}

fn by_topic(partitions: Vec<TopicPartition>) -> Vec<ElectLeadersTopic> {
    let mut topics: Vec<ElectLeadersTopic> = Vec::new();
    for TopicPartition { topic, partition } in partitions {
        match topics.iter_mut().find(|known| known.topic == topic) {
            Some(known) => known.partitions.push(partition),
            None => topics.push(ElectLeadersTopic { topic, partitions: vec![partition] }),
        }
    }
    topics
}

/// Prints what became of each partition; an exception if one could not be elected for.
fn report(
    io: &mut impl Surroundings,
    kind: &str,
    response: &ElectLeadersResponse,
) -> Result<(), Exception> {
    let mut results: JavaHashMap<TopicPartition, Result<(), Exception>> = JavaHashMap::new();
    for topic in &response.replica_election_results {
        for result in &topic.partition_result {
            results.insert(
                TopicPartition::new(topic.topic.clone(), result.partition_id),
                Exception::of_code(result.error_code, result.error_message.as_deref()),
            );
        }
    }
    let (mut succeeded, mut no_op) = (JavaHashSet::default(), JavaHashSet::default());
    let mut refused: JavaHashMap<TopicPartition, &Exception> = JavaHashMap::new();
    for (partition, result) in results.iter() {
        match result {
            Ok(()) => _ = succeeded.insert(partition.clone()),
            Err(error) if error.is(ErrorCode::ElectionNotNeeded) => {
                no_op.insert(partition.clone());
            }
            Err(error) => _ = refused.insert(partition.clone(), error),
        }
    }
    if !succeeded.is_empty() {
        let list = listed(&succeeded);
        io.out(&format!("Successfully completed leader election ({kind}) for partitions {list}\n"));
    }
    if !no_op.is_empty() {
        io.out(&format!("Valid replica already elected for partitions {}\n", listed(&no_op)));
    }
    for (partition, error) in refused.iter() {
        io.out(&format!(
            "Error completing leader election ({kind}) for partition: {partition}: {error}\n"
        ));
    }
    match refused.len() {
        0 => Ok(()),
        count => Err(failed(format!("{count} replica(s) could not be elected"))),
    }
}
