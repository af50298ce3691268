//! `kafka-console-consumer`: records of topics as lines of stdout. Kafka: `ConsoleConsumer`, `ConsoleConsumerOptions`.

use simulation::sorted::SortedMap;

use cluster::config::build;
use cluster::types::TopicPartition;
use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Streaming;
use super::common::{Properties, bootstrap_servers, help_or_version, usage_and_exit};
use super::record_format::Formatter;
use crate::client::{
    ClientCommand, ClientError, ClientEvent, ClientId, ClientKind, ClientSpec, ConsumerRecord,
};
use crate::options::{Arguments, Opt, ParseError, Run, Tool, Values};
use crate::pattern::{Pattern, Syntax};
use crate::tool::{Invocation, ToolEvent, ToolIo};

const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const BANNER: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol\n";
/// `max.poll.records`
const MAX_POLL_RECORDS: u32 = 500;
/// `ListOffsetsRequest.EARLIEST_TIMESTAMP`, `LATEST_TIMESTAMP`: where `seekToBeginning` and `seekToEnd` lead.
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;
const FORMATTER_HELP: &str = "Setting of the formatter as key=value; repeat it for several: print.timestamp, print.partition, print.offset, print.delivery, print.epoch, print.headers, print.key, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer.";

pub static TOOL: Tool = Tool {
    name: "kafka-console-consumer",
    about: "This tool helps to read data from Kafka topics and outputs it to standard output.",
    options: &[
        Opt::text("topic", "topic", "Topic to read.").values(Values::Topic),
        Opt::text(
            "include",
            "Java regex (String)",
            "Regular expression: all topics whose whole name matches are read.",
        ),
        Opt::integer(
            "partition",
            "partition",
            "Read this partition alone, without a group; from its end unless --offset says otherwise.",
        ),
        Opt::text(
            "offset",
            "consume offset",
            "Where to begin in that partition: an offset, earliest or latest.",
        )
        .default("latest"),
        Opt::text("consumer-property", "consumer_prop", "Use --command-property instead.")
            .repeatable()
            .deprecated("4.2"),
        Opt::text(
            "command-property",
            "consumer_prop",
            "Consumer setting as key=value; repeat it for several.",
        )
        .repeatable(),
        Opt::text("consumer.config", "config file", "Use --command-config instead.")
            .deprecated("4.2")
            .values(Values::File),
        Opt::text("command-config", "config file", "File with consumer settings.")
            .values(Values::File),
        Opt::text("formatter", "class", "Class that turns records into text.")
            .default("org.apache.kafka.tools.consumer.DefaultMessageFormatter"),
        Opt::text("property", "prop", "Use --formatter-property instead.")
            .repeatable()
            .deprecated("4.2"),
        Opt::text("formatter-property", "prop", FORMATTER_HELP).repeatable(),
        Opt::text("formatter-config", "config file", "File with settings of the formatter.")
            .values(Values::File),
        Opt::flag(
            "from-beginning",
            "Begin at the oldest record where the group has no committed offset yet.",
        ),
        Opt::integer("max-messages", "num_messages", "End after so many records."),
        Opt::long("timeout-ms", "timeout_ms", "End when no record has come for so long."),
        Opt::flag("skip-message-on-error", "Go on when a record cannot be shown."),
        Opt::text(
            "bootstrap-server",
            "server to connect to",
            "REQUIRED: Brokers to contact first, as host1:port1,host2:port2.",
        )
        .values(Values::BootstrapServer),
        Opt::text("key-deserializer", "deserializer for keys", "Class that decodes keys."),
        Opt::text("value-deserializer", "deserializer for values", "Class that decodes values."),
        Opt::flag("enable-systest-events", "Also print when the consumer has shut down."),
        Opt::text(
            "isolation-level",
            "",
            "read_committed leaves out records of open and aborted transactions.",
        )
        .default("read_uncommitted")
        .values(Values::OneOf(&["read_committed", "read_uncommitted"])),
        Opt::text("group", "consumer group id", "Consumer group to be a member of.")
            .values(Values::Group),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        (
            "Everything in a topic",
            "kafka-console-consumer --bootstrap-server localhost:9092 --topic orders --from-beginning",
        ),
        (
            "As a member of a group, with keys",
            "kafka-console-consumer --bootstrap-server localhost:9092 --topic orders --group app --formatter-property print.key=true",
        ),
    ],
    run: Run::Streaming(start),
};

/// What is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Subscription {
    Topic(String),
    Include(String),
    Partition { partition: TopicPartition, offset: i64 },
}

/// A running console consumer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsoleConsumer {
    client: ClientId,
    formatter: Formatter,
    subscription: Subscription,
    /// None for no limit.
    max_messages: Option<i64>,
    /// `--max-messages` cannot be read: found out only when the first record is asked for.
    bad_limit: Option<String>,
    timeout: Option<Micros>,
    skip_message_on_error: bool,
    systest_events: bool,
    messages: i64,
    /// The code to end with once the consumer has closed, and what to log then.
    ending: Option<(i32, Option<String>)>,
}

/// Why the tool ends before it has begun.
enum Refusal {
    /// Message and usage.
    Usage(String),
    /// Text for stderr.
    Error(String),
    /// Logged as an unknown error.
    Logged(String),
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Error(format!("Exception in thread \"main\" {}: {error}\n", error.class()))
    }
}

fn start(invocation: &Invocation, io: &mut ToolIo<'_>) -> Result<Streaming, i32> {
    let arguments = match TOOL.parse(&invocation.arguments) {
        Ok(arguments) => arguments,
        Err(error) => return Err(usage_and_exit(&TOOL, &error.to_string(), io)),
    };
    if let Some(code) = help_or_version(&TOOL, &invocation.arguments, &arguments, io) {
        return Err(code);
    }
    match begin(&arguments, io) {
        Ok(consumer) => Ok(Streaming::ConsoleConsumer(Box::new(consumer))),
        Err(Refusal::Usage(message)) => Err(usage_and_exit(&TOOL, &message, io)),
        Err(Refusal::Error(text)) => {
            io.err(&text);
            Err(1)
        }
        Err(Refusal::Logged(exception)) => {
            unknown_error(&exception, io);
            Err(1)
        }
    }
}

fn unknown_error(exception: &str, io: &mut ToolIo<'_>) {
    io.log("ERROR", "Unknown error when running consumer: ", LOGGER);
    io.err(&format!("{exception}\n"));
}

fn load(path: &str, io: &mut ToolIo<'_>) -> Result<Properties, Refusal> {
    Properties::load(path, io).map_err(|path| {
        Refusal::Error(format!(
            "Exception in thread \"main\" java.nio.file.NoSuchFileException: {path}\n"
        ))
    })
}

/// The options in the order in which Kafka looks at them, then the consumer itself.
fn begin(arguments: &Arguments, io: &mut ToolIo<'_>) -> Result<ConsoleConsumer, Refusal> {
    let usage = |message: &str| Err(Refusal::Usage(message.to_owned()));
    if arguments.has("topic") == arguments.has("include") {
        return usage("Exactly one of the following arguments is required: [topic], [include]");
    }
    let partition = arguments.integer("partition")?;
    if partition.is_some() {
        if !arguments.has("topic") {
            return usage("The topic is required when partition is specified.");
        }
        if arguments.has("from-beginning") && arguments.has("offset") {
            return usage("Options from-beginning and offset cannot be specified together.");
        }
    } else if arguments.has("offset") {
        return usage("The partition is required when offset is specified.");
    }
    if !arguments.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    for (old, new) in
        [("consumer-property", "command-property"), ("consumer.config", "command-config")]
    {
        if arguments.has(old) && arguments.has(new) {
            return usage(&format!("Options --{old} and --{new} cannot be specified together."));
        }
    }
    for (old, new) in
        [("consumer-property", "command-property"), ("consumer.config", "command-config")]
    {
        if arguments.has(old) {
            io.out(&format!(
                "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead.\n"
            ));
        }
    }
    let config = consumer_properties(arguments, partition.is_some(), io)?;
    let offset = parse_offset(arguments)?;
    let timeout =
        arguments.long("timeout-ms")?.filter(|ms| *ms >= 0).map(|ms| Micros::from_ms(ms as u64));
    let formatter = formatter(arguments, io)?;

    let classic = config
        .get("group.protocol")
        .is_none_or(|protocol| protocol.eq_ignore_ascii_case("classic"));
    let spec = client_spec(arguments, config, io)?;
    if partition.is_none() && classic {
        io.err(BANNER);
    }
    let subscription = match (arguments.value("topic")?, partition) {
        (Some(topic), Some(partition)) => {
            Subscription::Partition { partition: TopicPartition::new(topic, partition), offset }
        }
        (Some(topic), None) => Subscription::Topic(topic.to_owned()),
        (None, _) => {
            let include = arguments.value("include")?.unwrap_or_default().to_owned();
            check_pattern(&include)?;
            Subscription::Include(include)
        }
    };
    let (max_messages, bad_limit) = match arguments.integer("max-messages") {
        Ok(limit) => (limit.map(i64::from).filter(|limit| *limit != -1), None),
        Err(error) => (None, Some(format!("{}: {error}", error.class()))),
    };
    let client = io.spawn_client(spec);
    Ok(ConsoleConsumer {
        client,
        formatter,
        subscription,
        max_messages,
        bad_limit,
        timeout,
        skip_message_on_error: arguments.has("skip-message-on-error"),
        systest_events: arguments.has("enable-systest-events"),
        messages: 0,
        ending: None,
    })
}

/// `checkConsumerGroup`, `buildConsumerProps`.
fn consumer_properties(
    arguments: &Arguments,
    has_partition: bool,
    io: &mut ToolIo<'_>,
) -> Result<Properties, Refusal> {
    let mut config = Properties::default();
    if let Some(path) = arguments.value("command-config")?.or(arguments.value("consumer.config")?) {
        config = load(path, io)?;
    }
    let mut words = arguments.values("command-property");
    words.extend(arguments.values("consumer-property"));
    let extra = Properties::of_words(&words);
    let mut groups: Vec<String> = Vec::new();
    for group in [arguments.value("group")?, config.get("group.id"), extra.get("group.id")]
        .into_iter()
        .flatten()
    {
        if !groups.iter().any(|known| known == group) {
            groups.push(group.to_owned());
        }
    }
    if groups.len() > 1 {
        // A set of Java's: the order of its buckets.
        let mut set = cluster::java::JavaHashSet::default();
        for group in groups {
            set.insert(group);
        }
        let names: Vec<String> = set.iter().map(|group| format!("'{group}'")).collect();
        return Err(Refusal::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: {}",
            names.join(", ")
        )));
    }
    if !groups.is_empty() && has_partition {
        return Err(Refusal::Usage(
            "Options group and partition cannot be specified together.".to_owned(),
        ));
    }
    config.put_all(&extra);
    let from_beginning = arguments.has("from-beginning");
    match config.get("auto.offset.reset") {
        Some(reset) if from_beginning && reset != "earliest" => {
            return Err(Refusal::Error(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option\n"
            )));
        }
        Some(_) => {}
        None => config.put("auto.offset.reset", if from_beginning { "earliest" } else { "latest" }),
    }
    if config.get("client.id").is_none() {
        config.put("client.id", "console-consumer");
    }
    config.merge_option("isolation.level", arguments.value("isolation-level")?, "read_uncommitted");
    match groups.first() {
        Some(group) => config.put("group.id", group),
        None => {
            let group = format!("console-consumer-{}", io.random(100_000));
            config.put("group.id", &group);
            if config.get("enable.auto.commit").is_none() {
                config.put("enable.auto.commit", "false");
            }
        }
    }
    Ok(config)
}

fn parse_offset(arguments: &Arguments) -> Result<i64, Refusal> {
    let Some(text) = arguments.value("offset")? else {
        return Ok(if arguments.has("from-beginning") { EARLIEST } else { LATEST });
    };
    match text.to_lowercase().as_str() {
        "earliest" => Ok(EARLIEST),
        "latest" => Ok(LATEST),
        _ => text.parse::<i64>().ok().filter(|offset| *offset >= 0).ok_or_else(|| {
            Refusal::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long."
            ))
        }),
    }
}

fn formatter(arguments: &Arguments, io: &mut ToolIo<'_>) -> Result<Formatter, Refusal> {
    let class = arguments.value("formatter")?;
    if !class.is_none_or(Formatter::knows) {
        return Err(Refusal::Usage(class.unwrap_or_default().to_owned()));
    }
    if arguments.has("property") && arguments.has("formatter-property") {
        return Err(Refusal::Usage(
            "Options --property and --formatter-property cannot be specified together.".to_owned(),
        ));
    }
    if arguments.has("property") {
        io.out("Option --property is deprecated and will be removed in a future version. Use --formatter-property instead.\n");
    }
    let mut properties = Properties::default();
    if let Some(path) = arguments.value("formatter-config")? {
        // The exception's message is the path.
        properties = Properties::load(path, io).map_err(Refusal::Usage)?;
    }
    for name in ["key", "value"] {
        if let Some(class) =
            arguments.value(&format!("{name}-deserializer"))?.filter(|class| !class.is_empty())
        {
            properties.put(&format!("{name}.deserializer"), class);
        }
    }
    let mut words = arguments.values("formatter-property");
    words.extend(arguments.values("property"));
    properties.put_all(&Properties::of_words(&words));
    let (formatter, missing) = Formatter::configure(class, &properties);
    for class in missing {
        let text = format!("Unable to instantiate a deserializer from {class}");
        io.log("ERROR", &text, "org.apache.kafka.tools.consumer.DefaultMessageFormatter");
        io.err(&format!("java.lang.ClassNotFoundException: {class}\n"));
    }
    Ok(formatter)
}

/// The consumer's settings, as its constructor would check them.
fn client_spec(
    arguments: &Arguments,
    config: Properties,
    io: &mut ToolIo<'_>,
) -> Result<ClientSpec, Refusal> {
    const DESERIALIZER: &str = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
    let servers = arguments.value("bootstrap-server")?.unwrap_or_default();
    let mut settings = vec![
        ("bootstrap.servers", servers),
        ("key.deserializer", DESERIALIZER),
        ("value.deserializer", DESERIALIZER),
    ];
    settings.extend(config.as_slice().iter().map(|(name, value)| (name.as_str(), value.as_str())));
    build::consumer(&settings).map_err(|error| {
        let ClientError { exception, message, .. } = ClientError::of_config(&error);
        Refusal::Logged(format!("{exception}: {message}"))
    })?;
    let bootstrap = bootstrap_servers(servers, io).map_err(|_| {
        Refusal::Logged(
            "org.apache.kafka.common.KafkaException: Failed to construct kafka consumer".to_owned(),
        )
    })?;
    Ok(ClientSpec {
        client_id: config.get("client.id").unwrap_or_default().to_owned(),
        bootstrap,
        kind: ClientKind::Consumer,
        config: config.into_vec(),
        host: "/127.0.0.1".to_owned(),
    })
}

fn check_pattern(pattern: &str) -> Result<(), Refusal> {
    let Err(error) = Pattern::new(pattern, Syntax::Extended, false) else { return Ok(()) };
    let mut text = format!("java.util.regex.PatternSyntaxException: {}", error.message);
    if let Ok(index) = usize::try_from(error.index) {
        text.push_str(&format!(" near index {index}\n{pattern}"));
        if index < pattern.chars().count() {
            text.push_str(&format!("\n{}^", " ".repeat(index)));
        }
    } else {
        text.push_str(&format!("\n{pattern}"));
    }
    Err(Refusal::Logged(text))
}

impl ConsoleConsumer {
    /// One turn.
    pub fn on_event(&mut self, event: ToolEvent, io: &mut ToolIo<'_>) {
        match event {
            ToolEvent::Start => self.begin(io),
            ToolEvent::Timer if self.ending.is_none() => {
                self.terminate("org.apache.kafka.common.errors.TimeoutException", io);
            }
            ToolEvent::Timer | ToolEvent::Input => {}
            ToolEvent::Client { event, .. } => self.client_event(event, io),
            ToolEvent::Interrupt { code } => match self.ending {
                None => self.end(code, None, io),
                Some(_) => io.exit(code),
            },
        }
    }

    fn begin(&mut self, io: &mut ToolIo<'_>) {
        io.ignore_input(true);
        let command = match &self.subscription {
            Subscription::Topic(topic) => {
                ClientCommand::Subscribe { topics: vec![topic.clone()], pattern: false }
            }
            Subscription::Include(pattern) => {
                ClientCommand::Subscribe { topics: vec![pattern.clone()], pattern: true }
            }
            Subscription::Partition { partition, offset } => {
                ClientCommand::Assign { partitions: vec![(partition.clone(), Some(*offset))] }
            }
        };
        io.command(self.client, command);
        if let Some(error) = self.bad_limit.take() {
            self.end(1, Some(error), io);
        } else {
            self.next(io);
        }
    }

    /// Waits for more, or ends if that was all.
    fn next(&mut self, io: &mut ToolIo<'_>) {
        if self.max_messages.is_some_and(|limit| self.messages >= limit) {
            self.end(0, None, io);
            return;
        }
        io.command(self.client, ClientCommand::Poll { max_records: MAX_POLL_RECORDS });
        // A poll that comes back empty at the very end of the time is not late yet: Kafka compares whole milliseconds.
        io.set_timer(self.timeout.map(|timeout| io.now() + timeout + Micros::from_ms(1)));
    }

    fn client_event(&mut self, event: ClientEvent, io: &mut ToolIo<'_>) {
        match event {
            ClientEvent::Records(records) if self.ending.is_none() => self.show(records, io),
            ClientEvent::Failed(error) if self.ending.is_none() => {
                self.terminate(&format!("{}: {}", error.exception, error.message), io);
            }
            ClientEvent::Log(line) => io.log(&line.level, &line.text, &line.logger),
            ClientEvent::Closed => self.closed(io),
            _ => {}
        }
    }

    fn show(&mut self, records: Vec<ConsumerRecord>, io: &mut ToolIo<'_>) {
        let mut records = records.into_iter();
        let mut text = Vec::new();
        let mut failure = None;
        while self.max_messages.is_none_or(|limit| self.messages < limit) {
            let Some(record) = records.next() else { break };
            self.messages += 1;
            let shown = text.len();
            if let Err(exception) = self.formatter.write(&record, &mut text) {
                if !self.skip_message_on_error {
                    failure = Some(exception);
                    break;
                }
                let rest = text.split_off(shown);
                io.out_bytes(&text);
                io.out_bytes(&rest);
                text.clear();
                io.log("ERROR", "Error processing message, skipping this message: ", LOGGER);
                io.err(&format!("{exception}\n"));
            }
        }
        io.out_bytes(&text);
        // What was fetched and not shown must not be committed as read.
        let mut unread: SortedMap<TopicPartition, i64> = SortedMap::new();
        for record in records {
            unread
                .entry(TopicPartition::new(record.topic, record.partition))
                .or_insert(record.offset);
        }
        for (partition, offset) in unread {
            io.command(self.client, ClientCommand::Seek { partition, offset });
        }
        match failure {
            Some(exception) => self.end(1, Some(exception), io),
            None => self.next(io),
        }
    }

    /// An error of the consumer ends the tool in good order.
    fn terminate(&mut self, exception: &str, io: &mut ToolIo<'_>) {
        io.log("ERROR", "Error processing message, terminating consumer process: ", LOGGER);
        io.err(&format!("{exception}\n"));
        self.end(0, None, io);
    }

    fn end(&mut self, code: i32, exception: Option<String>, io: &mut ToolIo<'_>) {
        self.ending = Some((code, exception));
        io.set_timer(None);
        io.command(self.client, ClientCommand::Close);
    }

    fn closed(&mut self, io: &mut ToolIo<'_>) {
        io.err(&format!("Processed a total of {} messages\n", self.messages));
        let (code, exception) = self.ending.take().unwrap_or((0, None));
        if let Some(exception) = exception {
            unknown_error(&exception, io);
        }
        if self.systest_events {
            io.out("shutdown_complete\n");
        }
        io.exit(code);
    }
}
