//! `kafka-get-offsets`: the offsets of partitions at a time. Kafka: `GetOffsetShell`.

use simulation::sorted::SortedMap;

use cluster::protocol::{
    ErrorCode, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic, MetadataRequest,
    MetadataResponse, Response,
};
use cluster::types::{BrokerId, TopicPartition};
use simulation::Micros;

use super::admin::AdminClient;
use super::common::{
    self, Properties, check_required, help_or_version, usage_and_exit, validate_bootstrap_server,
};
use crate::client::{ClientError, Destination};
use crate::options::{Arguments, Opt, ParseError, Run, Tool, Values};
use crate::pattern::Pattern;
use crate::script::{Pending, Script};

const TIMES: &[&str] = &[
    "latest",
    "earliest",
    "max-timestamp",
    "earliest-local",
    "latest-tiered",
    "earliest-pending-upload",
];
/// `ListOffsetsHandler` asks again after this while a partition has no leader.
const RETRY_BACKOFF: Micros = Micros::from_ms(100);

pub static TOOL: Tool = Tool {
    name: "kafka-get-offsets",
    about: "An interactive shell for getting topic-partition offsets.",
    options: &[
        Opt::text("bootstrap-server", "HOST1:PORT1,...,HOST3:PORT3", "REQUIRED: Brokers to contact first.")
            .values(Values::BootstrapServer),
        Opt::text(
            "topic-partitions",
            "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
            "Comma-separated patterns: an expression for the topic, then after a colon a partition, or a range without its upper bound.",
        ),
        Opt::text("topic", "topic", "Topic, or a regular expression for topics; all if absent.").values(Values::Topic),
        Opt::text("partitions", "partition ids", "Comma-separated partitions; all if absent."),
        Opt::text(
            "time",
            "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload",
            "The offset of the first record from this time (milliseconds since 1970) on, or one of the words.",
        )
        .default("latest")
        .values(Values::OneOf(TIMES)),
        Opt::text("command-config", "config file", "File with settings of the admin client.").values(Values::File),
        Opt::flag("exclude-internal-topics", "Leave out Kafka's own topics."),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[("Where each partition ends", "kafka-get-offsets --bootstrap-server localhost:9092 --topic orders")],
    run: Run::Script(run),
};

/// Why the tool fails.
enum Failure {
    /// `TerseException`: only its message.
    Terse(String),
    /// Message, then class and message as the first line of a trace.
    Trace { message: String, exception: String },
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::Trace { message: error.to_string(), exception: format!("{}: {error}", error.class()) }
    }
}

impl From<ClientError> for Failure {
    fn from(ClientError { exception, message, .. }: ClientError) -> Self {
        let cause = format!("{exception}: {message}");
        Self::Trace {
            exception: format!("java.util.concurrent.ExecutionException: {cause}"),
            message: cause,
        }
    }
}

/// Which topics and partitions are meant.
struct Rule {
    topic: Pattern,
    partitions: Partitions,
}

enum Partitions {
    All,
    Some(Vec<i32>),
    /// The upper bound is exclusive.
    Range(i32, i32),
}

impl Rule {
    fn allows(&self, topic: &str, partition: i32) -> bool {
        self.topic.matches(topic)
            && match &self.partitions {
                Partitions::All => true,
                Partitions::Some(partitions) => partitions.contains(&partition),
                Partitions::Range(from, to) => (*from..*to).contains(&partition),
            }
    }
}

fn include_list(text: &str) -> Result<Pattern, Failure> {
    common::include_list(text).map_err(|message| Failure::Trace {
        exception: format!("java.lang.RuntimeException: {message}"),
        message,
    })
}

/// One of `--topic-partitions`: `[^:,]*` and then, after a colon, a number or a range.
fn parse_rule(text: &str) -> Result<Rule, Failure> {
    let invalid = || {
        let cause =
            format!("org.apache.kafka.tools.TerseException: Invalid rule specification: {text}");
        Failure::Trace { exception: format!("java.lang.RuntimeException: {cause}"), message: cause }
    };
    let (topic, partitions) = match text.split_once(':') {
        Some((topic, partitions)) => (topic, Some(partitions)),
        None => (text, None),
    };
    let number = |digits: &str, default: i32| -> Result<i32, Failure> {
        if digits.is_empty() {
            return Ok(default);
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse().map_err(|_| invalid())
        } else {
            Err(invalid())
        }
    };
    let partitions = match partitions {
        None | Some("") => Partitions::All,
        Some(range) => match range.split_once('-') {
            Some((from, to)) => Partitions::Range(number(from, 0)?, number(to, i32::MAX)?),
            None => Partitions::Some(vec![number(range, 0)?]),
        },
    };
    Ok(Rule { topic: include_list(if topic.is_empty() { ".*" } else { topic })?, partitions })
}

fn rules(arguments: &Arguments) -> Result<Vec<Rule>, Failure> {
    if let Some(patterns) = arguments.value("topic-partitions")? {
        if arguments.has("topic") || arguments.has("partitions") {
            return Err(Failure::Terse(
                "--topic-partitions cannot be used with --topic or --partitions".to_owned(),
            ));
        }
        return patterns.split(',').map(parse_rule).collect();
    }
    let partitions = match arguments.value("partitions")?.filter(|list| !list.is_empty()) {
        None => Partitions::All,
        Some(list) => match list.split(',').map(str::parse).collect() {
            Ok(partitions) => Partitions::Some(partitions),
            Err(_) => {
                return Err(Failure::Terse(format!(
                    "--partitions expects a comma separated list of numeric partition ids, but received: {list}"
                )));
            }
        },
    };
    let topic = include_list(arguments.value("topic")?.unwrap_or(".*"))?;
    Ok(vec![Rule { topic, partitions }])
}

fn parse_time(text: &str) -> Result<i64, Failure> {
    if let Some(at) = TIMES.iter().position(|word| *word == text) {
        return Ok(-1 - at as i64);
    }
    text.strip_prefix('+').unwrap_or(text).parse().map_err(|_| {
        Failure::Terse(format!(
            "Malformed time argument {text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp"
        ))
    })
}

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    if words.is_empty() {
        return Ok(usage_and_exit(&TOOL, TOOL.about, script));
    }
    let arguments = match TOOL.parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            script.err(&format!("Error occurred: {error}\n"));
            return Ok(1);
        }
    };
    if let Some(code) = help_or_version(&TOOL, &words, &arguments, script) {
        return Ok(code);
    }
    if let Some(code) = check_required(&TOOL, &arguments, &["bootstrap-server"], script) {
        return Ok(code);
    }
    match fetch(script, &arguments)? {
        Ok(code) => Ok(code),
        Err(Failure::Terse(message)) => {
            script.err(&format!("Error occurred: {message}\n"));
            Ok(1)
        }
        Err(Failure::Trace { message, exception }) => {
            script.err(&format!("Error occurred: {message}\n{exception}\n\n"));
            Ok(1)
        }
    }
}

/// Passes a failure up through the outer result, which says whether the script waits.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(Failure::from(error))),
        }
    };
}

fn fetch(script: &mut Script<'_>, arguments: &Arguments) -> Result<Result<i32, Failure>, Pending> {
    let servers = attempt!(arguments.value("bootstrap-server"));
    if let Err(message) = validate_bootstrap_server(servers) {
        return Ok(Ok(usage_and_exit(&TOOL, message, script)));
    }
    let rules = attempt!(rules(arguments));
    let time = attempt!(parse_time(attempt!(arguments.value("time")).unwrap_or("latest")));
    let mut config = Properties::default();
    if let Some(path) = attempt!(arguments.value("command-config")) {
        config = attempt!(Properties::load(path, script).map_err(|path| Failure::Trace {
            exception: format!("java.nio.file.NoSuchFileException: {path}"),
            message: path,
        }));
    }
    let mut admin = attempt!(
        AdminClient::create(script, servers.unwrap_or_default(), "GetOffsetShell", &config)
            .map_err(|_| {
                let message = "Failed to create new KafkaAdminClient".to_owned();
                Failure::Trace {
                    exception: format!("org.apache.kafka.common.KafkaException: {message}"),
                    message,
                }
            })
    );
    let metadata = MetadataRequest { topics: None, allow_auto_topic_creation: true };
    let topics =
        attempt!(admin.call(script, "listTopics", &Destination::Any, &metadata.clone().into())?);
    let Response::Metadata(topics) = topics else { return Ok(Ok(1)) };
    let with_internal = !arguments.has("exclude-internal-topics");
    let mut wanted: Vec<TopicPartition> = Vec::new();
    for topic in topics.topics.iter().filter(|topic| with_internal || !topic.is_internal) {
        let Some(name) = &topic.name else { continue };
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        let allowed = indexes.filter(|index| rules.iter().any(|rule| rule.allows(name, *index)));
        wanted.extend(allowed.map(|index| TopicPartition::new(name.clone(), index)));
    }
    if wanted.is_empty() {
        return Ok(Err(Failure::Terse(
            "Could not match any topic-partitions with the specified filters".to_owned(),
        )));
    }
    let offsets = list_offsets(script, &mut admin, &topics, wanted, time)?;
    // In the order of the partitions' names as text: orders-10 before orders-2.
    let mut lines: Vec<(String, String)> = Vec::new();
    for (partition, result) in offsets {
        match result {
            Ok(-1) => {}
            Ok(offset) => {
                let line = format!("{}:{}:{offset}\n", partition.topic, partition.partition);
                lines.push((partition.to_string(), line));
            }
            Err(error) => script.err(&format!(
                "Skip getting offsets for topic-partition {partition} due to error: {}: {}\n",
                error.exception, error.message
            )),
        }
    }
    simulation::sorted::sort(&mut lines);
    for (_, line) in lines {
        script.out(&line);
    }
    Ok(Ok(0))
}

type Offsets = SortedMap<TopicPartition, Result<i64, ClientError>>;

/// `Admin.listOffsets`: each partition's leader is asked; partitions without one, or whose leader has moved, again.
fn list_offsets(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    topics: &MetadataResponse,
    mut open: Vec<TopicPartition>,
    timestamp: i64,
) -> Result<Offsets, Pending> {
    let deadline = script.now() + admin.api_timeout();
    let mut results = Offsets::new();
    let mut topics = topics.clone();
    loop {
        let mut by_leader: SortedMap<BrokerId, Vec<TopicPartition>> = SortedMap::new();
        let mut again = Vec::new();
        for partition in open {
            match leader_of(&topics, &partition) {
                Some(leader) => by_leader.entry(leader).or_default().push(partition),
                None => again.push(partition),
            }
        }
        for (leader, partitions) in by_leader {
            let request = request(&partitions, timestamp);
            let left = deadline.since(script.now()).min(Micros::from_secs(30)).as_ms() as u32;
            match admin.call_once(script, &Destination::Node(leader), request.into(), left)? {
                Ok(Response::ListOffsets(response)) => {
                    for topic in response.topics {
                        for answer in topic.partitions {
                            let partition =
                                TopicPartition::new(topic.name.clone(), answer.partition_index);
                            let error = ErrorCode::from_code(answer.error_code);
                            if error.is_retriable() {
                                again.push(partition);
                                continue;
                            }
                            let result = if error == ErrorCode::None {
                                Ok(answer.offset)
                            } else {
                                let text = format!(
                                    "[AdminClient clientId=GetOffsetShell] ListOffsets request for topic partition {partition} failed due to an unexpected error {}",
                                    error.name()
                                );
                                let logger =
                                    "org.apache.kafka.clients.admin.internals.ListOffsetsHandler";
                                script.log("ERROR", &text, logger);
                                // The handler makes the exception without the broker's words.
                                Err(unexpected(error))
                            };
                            results.insert(partition, result);
                        }
                    }
                }
                _ => again.extend(partitions),
            }
        }
        if again.is_empty() {
            return Ok(results);
        }
        if script.now() + RETRY_BACKOFF >= deadline {
            for partition in again {
                let message = "Call(callName=listOffsets(api=LIST_OFFSETS)) timed out".to_owned();
                results.insert(
                    partition,
                    Err(ClientError::of(ErrorCode::RequestTimedOut, Some(&message))),
                );
            }
            return Ok(results);
        }
        open = again;
        script.sleep(RETRY_BACKOFF)?;
        let metadata = MetadataRequest { topics: None, allow_auto_topic_creation: false };
        if let Ok(Response::Metadata(response)) =
            admin.call_until(script, "metadata", &Destination::Any, &metadata.into(), deadline)?
        {
            topics = *response;
        }
    }
}

fn unexpected(error: ErrorCode) -> ClientError {
    // `UNSUPPORTED_VERSION` comes from the request's own builder where the broker is never asked.
    let message = match error {
        ErrorCode::UnsupportedVersion => Some("The version of API is not supported."),
        _ => None,
    };
    ClientError::of(error, message)
}

fn leader_of(topics: &MetadataResponse, partition: &TopicPartition) -> Option<BrokerId> {
    let topic =
        topics.topics.iter().find(|topic| topic.name.as_deref() == Some(&partition.topic))?;
    let found =
        topic.partitions.iter().find(|found| found.partition_index == partition.partition)?;
    Some(found.leader_id).filter(|id| *id >= 0)
}

fn request(partitions: &[TopicPartition], timestamp: i64) -> ListOffsetsRequest {
    let mut topics: Vec<ListOffsetsTopic> = Vec::new();
    for partition in partitions {
        let asked = ListOffsetsPartition {
            partition_index: partition.partition,
            current_leader_epoch: -1,
            timestamp,
        };
        match topics.iter_mut().find(|topic| topic.name == partition.topic) {
            Some(topic) => topic.partitions.push(asked),
            None => topics
                .push(ListOffsetsTopic { name: partition.topic.clone(), partitions: vec![asked] }),
        }
    }
    ListOffsetsRequest { replica_id: -1, isolation_level: 0, topics, timeout_ms: 30_000 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_topic_partitions() {
        let allowed = |rule: &str, topic: &str| -> Option<Vec<i32>> {
            let rule = parse_rule(rule).ok()?;
            Some((0..5).filter(|partition| rule.allows(topic, *partition)).collect())
        };
        for (rule, expected) in [
            ("orders", Some(vec![0, 1, 2, 3, 4])),
            ("orders:", Some(vec![0, 1, 2, 3, 4])),
            ("orders:3", Some(vec![3])),
            ("orders:1-", Some(vec![1, 2, 3, 4])),
            ("orders:-2", Some(vec![0, 1])),
            ("orders:1-3", Some(vec![1, 2])),
            (":0", Some(vec![0])),
            ("or.*:0", Some(vec![0])),
            ("order:0", Some(vec![])),
            ("orders:x", None),
            ("orders:1-x", None),
        ] {
            assert_eq!(allowed(rule, "orders"), expected, "{rule}");
        }
    }
}
