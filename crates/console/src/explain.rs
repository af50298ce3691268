//! Errors in plain words: which texts of tools mean what, and what to try.

use crate::output::{Notice, NoticeKind};
use crate::shell::text::quote;
use crate::tool::Invocation;

/// The note on a command that does not exist.
pub fn unknown_command(name: &str) -> Notice {
    const GONE: [(&str, &str, &str); 9] = [
        (
            "virtual",
            "There is no such command; the line was probably meant to make a Python environment.",
            "python3 -m venv env",
        ),
        (
            "zookeeper-server-start",
            "ZooKeeper was removed in Kafka 4.0; the brokers of this cluster keep their metadata themselves (KRaft).",
            "",
        ),
        (
            "zookeeper-shell",
            "ZooKeeper was removed in Kafka 4.0; the brokers of this cluster keep their metadata themselves (KRaft).",
            "",
        ),
        (
            "kafka-preferred-replica-election",
            "That tool is gone; kafka-leader-election does its work.",
            "kafka-leader-election.sh --bootstrap-server localhost:9092 --election-type preferred --all-topic-partitions",
        ),
        (
            "kafka-simple-consumer-shell",
            "That tool is gone; the console consumer reads a single partition too.",
            "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic my-topic --partition 0 --offset earliest",
        ),
        (
            "kafka-replay-log-producer",
            "That tool is gone; a console consumer piped into a console producer copies a topic.",
            "",
        ),
        (
            "kafka-run-class",
            "Classes cannot be run here; kafka-get-offsets is what kafka.tools.GetOffsetShell became.",
            "kafka-get-offsets.sh --bootstrap-server localhost:9092 --topic my-topic",
        ),
        (
            "kafkacat",
            "kafkacat is not part of Kafka and not in this console; the console consumer reads a topic.",
            "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic my-topic --from-beginning",
        ),
        (
            "kcat",
            "kcat is not part of Kafka and not in this console; the console consumer reads a topic.",
            "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic my-topic --from-beginning",
        ),
    ];
    let bare = name.rsplit('/').next().unwrap_or(name);
    let bare = bare.strip_suffix(".sh").unwrap_or(bare);
    if let Some((_, text, command)) = GONE.iter().find(|(gone, ..)| *gone == bare) {
        let notice = Notice::new(NoticeKind::Explanation, *text);
        return if command.is_empty() || bare == "virtual" {
            notice
        } else {
            notice.offer("Type it", *command)
        };
    }
    let near = crate::manual::commands()
        .into_iter()
        .filter(|known| distance(bare, known) <= 2)
        .min_by_key(|known| distance(bare, known));
    match near {
        Some(near) => Notice::new(
            NoticeKind::Explanation,
            format!("There is no command {bare}. Did you mean {near}?"),
        )
        .offer(format!("Type {near}"), near),
        None => Notice::new(
            NoticeKind::Explanation,
            format!("There is no command {bare} here. `help` lists those that exist."),
        ),
    }
}

/// Letters to change, add or drop to get from one word to the other.
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for at in 0..other.len() {
            let above = row[at + 1];
            row[at + 1] =
                (diagonal + usize::from(letter != other[at])).min(above + 1).min(row[at] + 1);
            diagonal = above;
        }
    }
    row[other.len()]
}

/// What a piece of a tool's output means.
const MEANINGS: [(&str, &str); 26] = [
    (
        "already exists.",
        "A topic of that name is there already. Describe it, choose another name, or add --if-not-exists.",
    ),
    ("does not exist as expected", "No topic matches that name. --list shows those that exist."),
    (
        "replication factor",
        "Every copy of a partition lives on a broker of its own, so there can be no more copies than brokers. Use a smaller --replication-factor.",
    ),
    (
        "is not a recognized option",
        "This version of the tool has no such option. --help lists those it has.",
    ),
    ("requires an argument", "The last option needs a value behind it."),
    (
        "must include exactly one action",
        "Say what to do: exactly one of --list, --describe, --create, --alter or --delete.",
    ),
    (
        "--bootstrap-server must be specified",
        "Tools need to know where a broker is. Add --bootstrap-server localhost:9092.",
    ),
    (
        "Missing required argument \"[bootstrap-server]\"",
        "Tools need to know where a broker is. Add --bootstrap-server localhost:9092.",
    ),
    (
        "Error while validating the bootstrap address",
        "Tools need to know where a broker is. Add --bootstrap-server localhost:9092.",
    ),
    ("Missing required argument \"[topic]\"", "Name the topic with --topic."),
    (
        "Couldn't resolve server",
        "No broker answers to that name from here. The brokers are kafka1:9092, kafka2:9092 and kafka3:9092; localhost:9092 is kafka1.",
    ),
    (
        "Failed to create new KafkaAdminClient",
        "The address must be host:port, for example localhost:9092.",
    ),
    (
        "Please provide valid host:port",
        "The address must be host:port, for example localhost:9092.",
    ),
    (
        "could not be established. Node may not be available",
        "Nobody listens there: the broker is down, or the port is wrong. docker compose ps shows which run.",
    ),
    (
        "Timed out waiting for a node assignment",
        "No broker could be reached in time. docker compose ps shows which run.",
    ),
    (
        "No key separator found",
        "With parse.key=true every line needs its key, the separator, and the value. The producer ends at the first line without one.",
    ),
    (
        "NotEnoughReplicas",
        "acks=all needs min.insync.replicas brokers in sync, and fewer are. Start the missing broker; the producer's retries then succeed.",
    ),
    ("RecordTooLarge", "The record is larger than max.message.bytes of the topic allows."),
    (
        "GroupIdNotFoundException",
        "No group of that id has ever committed an offset or has members. --list shows the groups.",
    ),
    (
        "has no active members",
        "The group exists (its committed offsets do), but no consumer is in it now.",
    ),
    (
        "Assignments can only be reset if the group",
        "Offsets can be reset only while no consumer of the group runs. Stop it first.",
    ),
    ("GroupNotEmptyException", "A group with members cannot be deleted. Stop its consumers first."),
    ("is rebalancing", "The group is handing out its partitions anew. Ask again in a moment."),
    (
        "UNKNOWN_TOPIC_OR_PARTITION",
        "The topic did not exist yet; the broker creates it on first use (auto.create.topics.enable), and the client asks again.",
    ),
    ("Found multiple arguments for option", "That option may stand only once."),
    ("Cannot parse argument", "The option wants a number."),
];

/// The note on what a tool said, if there is something to explain.
pub fn explain(invocation: &Invocation, said: &str, code: i32) -> Option<Notice> {
    // The words of an option table describe options; they are no error.
    let said = said.split_once("Option  ").map_or(said, |(before, _)| before);
    if let Some(modern) = modernised(&invocation.tool, &invocation.arguments, said) {
        return Some(modern);
    }
    if code == 0
        && !said.contains("rror")
        && !said.contains("no active members")
        && !said.contains("WARN")
    {
        return None;
    }
    let (_, text) = MEANINGS.iter().find(|(piece, _)| said.contains(piece))?;
    Some(Notice::new(NoticeKind::Explanation, *text))
}

/// R7: an option that was refused because it is gone, and the line as it is written today. Options that are only deprecated stay:
/// they work, and the tool itself says what to write instead.
fn modernised(tool: &str, arguments: &[String], said: &str) -> Option<Notice> {
    const SERVER: &str = "localhost:9092";
    let refused = ["zookeeper", "broker-list", "new-consumer", "whitelist", "blacklist"]
        .into_iter()
        .find(|option| said.contains(&format!("{option} is not a recognized option")));
    let mut words: Vec<String> = Vec::new();
    let why = match refused {
        None if said.contains("kafka-configs tool can be used") => {
            return configs_instead(arguments);
        }
        None => return None,
        Some("zookeeper") => {
            "Tools have talked to brokers instead of ZooKeeper since Kafka 2.2, and --zookeeper is gone."
        }
        Some("broker-list") => "--broker-list has become --bootstrap-server.",
        Some("new-consumer") => "There is only the one consumer now; --new-consumer is gone.",
        Some(_) => "--whitelist has become --include.",
    };
    let mut has_server = arguments.iter().any(|word| word.starts_with("--bootstrap-server"));
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        match name {
            "--new-consumer" => {}
            "--zookeeper" | "--broker-list" => {
                let value = value.or_else(|| rest.next().cloned()).unwrap_or_default();
                if !has_server {
                    has_server = true;
                    let server = if name == "--zookeeper" { SERVER.to_owned() } else { value };
                    words.extend(["--bootstrap-server".to_owned(), server]);
                }
            }
            "--whitelist" => {
                words.push("--include".to_owned());
                words.extend(value);
            }
            _ => words.push(word.clone()),
        }
    }
    if !has_server {
        words.extend(["--bootstrap-server".to_owned(), SERVER.to_owned()]);
    }
    let line = std::iter::once(format!("{tool}.sh"))
        .chain(words.iter().map(|word| quote(word)))
        .collect::<Vec<_>>()
        .join(" ");
    Some(
        Notice::new(NoticeKind::Explanation, format!("{why} Today's line: {line}"))
            .offer("Run it", line),
    )
}

/// `kafka-topics --alter --config` is kafka-configs now.
fn configs_instead(arguments: &[String]) -> Option<Notice> {
    let value = |name: &str| {
        let at = arguments.iter().position(|word| word == name)?;
        arguments.get(at + 1).cloned()
    };
    let server = value("--bootstrap-server")?;
    let topic = value("--topic")?;
    let config = value("--config")?;
    let line = format!(
        "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {}",
        quote(&server),
        quote(&topic),
        quote(&config)
    );
    Some(
        Notice::new(
            NoticeKind::Explanation,
            format!("Configurations are changed by kafka-configs: {line}"),
        )
        .offer("Run it", line),
    )
}
