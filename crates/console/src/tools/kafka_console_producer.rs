//! `kafka-console-producer`: each line of stdin becomes a record. Kafka: `ConsoleProducer`, `LineMessageReader`.

use simulation::sorted::SortedMap;
use std::sync::Arc;

use cluster::client::producer::Producer;
use cluster::types::Bytes;
use serde::{Deserialize, Serialize};

use super::Streaming;
use super::common::{
    Properties, bootstrap_servers, check_required, help_or_version, usage_and_exit,
    validate_bootstrap_server,
};
use crate::client::{
    ClientCommand, ClientError, ClientEvent, ClientId, ClientKind, ClientSpec, ProducerRecord,
};
use crate::options::{Argument, Arguments, Opt, ParseError, Run, Tool, Values};
use crate::tool::{Invocation, ToolEvent, ToolIo};
use crate::world::Read;

const LINE_READER: &str = "org.apache.kafka.tools.LineMessageReader";
const READER_HELP: &str = "Setting of the line reader as key=value; repeat it for several: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, ignore.error, null.marker.";

pub static TOOL: Tool = Tool {
    name: "kafka-console-producer",
    about: "This tool helps to read data from standard input and publish it to Kafka.",
    options: &[
        Opt::text("topic", "topic", "REQUIRED: Where the records go.").values(Values::Topic),
        Opt::text("bootstrap-server", "server to connect to", "REQUIRED: Brokers to contact first, as host1:port1,host2:port2.")
            .values(Values::BootstrapServer),
        Opt::flag("sync", "Wait for the answer to each record before the next line is read."),
        Opt::optional("compression-codec", "compression-codec", "How batches are compressed: none, gzip, snappy, lz4 or zstd; gzip if no value is given.")
            .values(Values::OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
        Opt::integer("batch-size", "size", "Bytes that a batch of one partition may grow to (batch.size).").default("16384"),
        Opt::integer("message-send-max-retries", "", "How often a record is sent again before it is given up (retries).").default("3"),
        Opt::long("retry-backoff-ms", "", "Pause before a record is sent again (retry.backoff.ms).").default("100"),
        Opt::long("timeout", "timeout_ms", "How long a record waits for company before its batch is sent (linger.ms).").default("1000"),
        Opt::text("request-required-acks", "request required acks", "Which acknowledgement a record needs: 0, 1, all or -1 (acks).")
            .default("-1")
            .values(Values::OneOf(&["0", "1", "all", "-1"])),
        Opt::integer("request-timeout-ms", "request timeout ms", "How long an answer may take (request.timeout.ms).").default("1500"),
        Opt::long("metadata-expiry-ms", "metadata expiration interval", "After how long the metadata is fetched anew (metadata.max.age.ms).").default("300000"),
        Opt::long("max-block-ms", "max block on send", "How long sending may block (max.block.ms).").default("60000"),
        Opt::long("max-memory-bytes", "total memory in bytes", "Memory for records that wait to be sent (buffer.memory).").default("33554432"),
        Opt::integer("max-partition-memory-bytes", "memory in bytes per partition", "Use --batch-size instead.").default("16384").deprecated("4.2"),
        Opt::text("line-reader", "reader_class", "Class that makes records of lines.").default(LINE_READER),
        Opt::integer("socket-buffer-size", "size", "Size of the socket's buffer (send.buffer.bytes).").default("102400"),
        Opt::text("property", "prop", "Use --reader-property instead.").repeatable().deprecated("4.2"),
        Opt::text("reader-property", "prop", READER_HELP).repeatable(),
        Opt::text("reader-config", "config file", "File with settings of the line reader.").values(Values::File),
        Opt::text("producer-property", "producer_prop", "Use --command-property instead.").repeatable().deprecated("4.2"),
        Opt::text("command-property", "producer_prop", "Producer setting as key=value; repeat it for several.").repeatable(),
        Opt::text("producer.config", "config file", "Use --command-config instead.").deprecated("4.2").values(Values::File),
        Opt::text("command-config", "config file", "File with producer settings.").values(Values::File),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        ("Type records", "kafka-console-producer --bootstrap-server localhost:9092 --topic orders"),
        (
            "Records with keys",
            "kafka-console-producer --bootstrap-server localhost:9092 --topic orders --reader-property parse.key=true --reader-property key.separator=:",
        ),
    ],
    run: Run::Streaming(start),
};

/// How lines become records: the settings of `LineMessageReader`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LineReader {
    topic: String,
    parse_key: bool,
    key_separator: String,
    parse_headers: bool,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    ignore_error: bool,
    null_marker: Option<String>,
}

impl LineReader {
    /// The error is the message of a `KafkaException`.
    fn configure(topic: &str, properties: &Properties) -> Result<Self, String> {
        let flag = |name: &str| {
            properties.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| properties.get(name).unwrap_or(default).to_owned();
        let reader = Self {
            topic: topic.to_owned(),
            parse_key: flag("parse.key"),
            key_separator: text("key.separator", "\t"),
            parse_headers: flag("parse.headers"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator: text("headers.separator", ","),
            headers_key_separator: text("headers.key.separator", ":"),
            ignore_error: flag("ignore.error"),
            null_marker: properties.get("null.marker").map(str::to_owned),
        };
        let null = reader.null_marker.as_ref();
        let same = [
            (
                reader.headers_delimiter == reader.headers_separator,
                "headers.delimiter and headers.separator",
            ),
            (
                reader.headers_delimiter == reader.headers_key_separator,
                "headers.delimiter and headers.key.separator",
            ),
            (
                reader.headers_separator == reader.headers_key_separator,
                "headers.separator and headers.key.separator",
            ),
            (null == Some(&reader.key_separator), "null.marker and key.separator"),
            (null == Some(&reader.headers_separator), "null.marker and headers.separator"),
            (null == Some(&reader.headers_delimiter), "null.marker and headers.delimiter"),
            (null == Some(&reader.headers_key_separator), "null.marker and headers.key.separator"),
        ];
        match same.into_iter().find(|(same, _)| *same) {
            Some((_, names)) => Err(format!("{names} may not be equal")),
            None => Ok(reader),
        }
    }

    fn is_null(&self, text: &str) -> bool {
        self.null_marker.as_deref() == Some(text)
    }

    fn bytes(&self, text: &str) -> Option<Bytes> {
        (!self.is_null(text)).then(|| Arc::from(text.as_bytes()))
    }

    /// Splits off what stands before `separator`, if that is asked for and there.
    fn field<'a>(
        &self,
        wanted: bool,
        rest: &mut &'a str,
        separator: &str,
        name: &str,
        line: &str,
        number: u64,
    ) -> Result<Option<&'a str>, String> {
        if !wanted {
            return Ok(None);
        }
        match rest.find(separator) {
            Some(at) => {
                let field = &rest[..at];
                *rest = &rest[at + separator.len()..];
                Ok(Some(field))
            }
            None if self.ignore_error => Ok(None),
            None => Err(format!("No {name} found on line number {number}: '{line}'")),
        }
    }

    /// One line as a record; the error is the message of a `KafkaException`.
    fn record(&self, line: &str, number: u64) -> Result<ProducerRecord, String> {
        let mut rest = line;
        let delimiter = &self.headers_delimiter;
        let headers = self.field(
            self.parse_headers,
            &mut rest,
            delimiter,
            "headers delimiter",
            line,
            number,
        )?;
        let separator = &self.key_separator;
        let key =
            self.field(self.parse_key, &mut rest, separator, "key separator", line, number)?;
        let headers = match headers.filter(|headers| !self.is_null(headers)) {
            Some(headers) => self.headers(headers, number)?,
            None => Vec::new(),
        };
        Ok(ProducerRecord {
            topic: self.topic.clone(),
            partition: None,
            timestamp: None,
            key: key.and_then(|key| self.bytes(key)),
            value: self.bytes(rest),
            headers,
        })
    }

    fn headers(&self, headers: &str, number: u64) -> Result<Vec<(String, Option<Bytes>)>, String> {
        let mut pairs: Vec<&str> = headers.split(self.headers_separator.as_str()).collect();
        // Java's split drops empty pieces at the end, but not a lone one.
        while pairs.len() > 1 && pairs.last() == Some(&"") {
            pairs.pop();
        }
        let mut parsed = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match pair.split_once(self.headers_key_separator.as_str()) {
                Some((key, _)) if self.is_null(key) => {
                    return Err(format!(
                        "Header keys should not be equal to the null marker '{key}' as they can't be null"
                    ));
                }
                Some((key, value)) => parsed.push((key.to_owned(), self.bytes(value))),
                None if self.ignore_error => parsed.push((pair.to_owned(), None)),
                None => {
                    return Err(format!(
                        "No header key separator found in pair '{pair}' on line number {number}"
                    ));
                }
            }
        }
        Ok(parsed)
    }
}

/// A running console producer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsoleProducer {
    reader: LineReader,
    client: ClientId,
    sync: bool,
    prompt: bool,
    line_number: u64,
    next_tag: u64,
    /// Sizes of key and value of the records under way, for the message if one fails.
    sizes: SortedMap<u64, (Option<usize>, Option<usize>)>,
    /// The code to end with once the producer has closed.
    ending: Option<i32>,
}

fn start(invocation: &Invocation, io: &mut ToolIo<'_>) -> Result<Streaming, i32> {
    let arguments = match TOOL.parse(&invocation.arguments) {
        Ok(arguments) => arguments,
        Err(error) => return Err(usage_and_exit(&TOOL, &error.to_string(), io)),
    };
    if let Some(code) = check(&arguments, &invocation.arguments, io) {
        return Err(code);
    }
    let (reader, spec) = match configure(&arguments, io) {
        Ok(configured) => configured,
        Err(Failure(message)) => {
            io.err(&format!("{message}\n"));
            return Err(1);
        }
    };
    let client = io.spawn_client(spec);
    Ok(Streaming::ConsoleProducer(Box::new(ConsoleProducer {
        reader,
        client,
        sync: arguments.has("sync"),
        prompt: io.has_console(),
        line_number: 0,
        next_tag: 0,
        sizes: SortedMap::new(),
        ending: None,
    })))
}

/// `ConsoleProducerOptions.checkArgs`: an exit code if something is wrong with the words themselves.
fn check(arguments: &Arguments, words: &[String], io: &mut ToolIo<'_>) -> Option<i32> {
    if let Some(code) = help_or_version(&TOOL, words, arguments, io) {
        return Some(code);
    }
    if let Some(code) = check_required(&TOOL, arguments, &["topic"], io) {
        return Some(code);
    }
    const RENAMED: [(&str, &str); 3] = [
        ("command-config", "producer.config"),
        ("command-property", "producer-property"),
        ("reader-property", "property"),
    ];
    for (new, old) in RENAMED {
        if arguments.has(new) && arguments.has(old) {
            let message = format!("Options --{new} and --{old} cannot be specified together.");
            return Some(usage_and_exit(&TOOL, &message, io));
        }
    }
    for (new, old) in [RENAMED[1], RENAMED[0], RENAMED[2]] {
        if arguments.has(old) {
            io.out(&format!(
                "Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead.\n"
            ));
        }
    }
    if arguments.has("max-partition-memory-bytes") {
        io.out("Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size instead.\n");
    }
    match arguments.value("bootstrap-server") {
        Ok(servers) => match validate_bootstrap_server(servers) {
            Ok(()) => None,
            Err(message) => Some(usage_and_exit(&TOOL, message, io)),
        },
        Err(error) => {
            io.err(&format!("{error}\n"));
            Some(1)
        }
    }
}

/// What ends the tool before it has begun: the first line of the stack trace.
struct Failure(String);

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self(error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self(format!("{}: {}", error.exception, error.message))
    }
}

fn load(path: &str, io: &mut ToolIo<'_>) -> Result<Properties, Failure> {
    Properties::load(path, io)
        .map_err(|path| Failure(format!("java.nio.file.NoSuchFileException: {path}")))
}

fn configure(
    arguments: &Arguments,
    io: &mut ToolIo<'_>,
) -> Result<(LineReader, ClientSpec), Failure> {
    if let Some(class) = arguments.value("line-reader")?.filter(|class| *class != LINE_READER) {
        return Err(Failure(format!("java.lang.ClassNotFoundException: {class}")));
    }
    let topic = arguments.value("topic")?.unwrap_or_default();
    let mut properties = Properties::default();
    if let Some(path) = arguments.value("reader-config")? {
        properties = load(path, io)?;
    }
    let mut words = arguments.values("reader-property");
    words.extend(arguments.values("property"));
    properties.put_all(&Properties::of_words(&words));
    let reader = LineReader::configure(topic, &properties)
        .map_err(|message| Failure(format!("org.apache.kafka.common.KafkaException: {message}")))?;

    let mut config = Properties::default();
    if let Some(path) = arguments.value("command-config")?.or(arguments.value("producer.config")?) {
        config = load(path, io)?;
    }
    let mut words = arguments.values("command-property");
    words.extend(arguments.values("producer-property"));
    config.put_all(&Properties::of_words(&words));
    let codec = match arguments.value("compression-codec")? {
        Some(codec) => codec,
        None if arguments.has("compression-codec") => "gzip",
        None => "none",
    };
    config.put("compression.type", codec);
    if config.get("client.id").is_none() {
        config.put("client.id", "console-producer");
    }
    for (name, option) in [
        ("linger.ms", "timeout"),
        ("acks", "request-required-acks"),
        ("request.timeout.ms", "request-timeout-ms"),
        ("retries", "message-send-max-retries"),
        ("retry.backoff.ms", "retry-backoff-ms"),
        ("send.buffer.bytes", "socket-buffer-size"),
        ("buffer.memory", "max-memory-bytes"),
        ("batch.size", "batch-size"),
        ("batch.size", "max-partition-memory-bytes"),
        ("metadata.max.age.ms", "metadata-expiry-ms"),
        ("max.block.ms", "max-block-ms"),
    ] {
        let known = TOOL.option(option);
        match known.map(|known| known.argument) {
            Some(Argument::Required { kind: "Integer", .. }) => drop(arguments.integer(option)?),
            Some(Argument::Required { kind: "Long", .. }) => drop(arguments.long(option)?),
            _ => {}
        }
        let default = known.and_then(|known| known.default).unwrap_or_default();
        config.merge_option(name, arguments.value(option)?, default);
    }
    let mut spec = ClientSpec {
        client_id: config.get("client.id").unwrap_or_default().to_owned(),
        bootstrap: Vec::new(),
        kind: ClientKind::Producer,
        config: config.into_vec(),
        host: "/127.0.0.1".to_owned(),
    };
    Producer::check(&spec)?;
    let servers = arguments.value("bootstrap-server")?.unwrap_or_default();
    // What is wrong with the addresses stands below, as the cause.
    spec.bootstrap = bootstrap_servers(servers, io).map_err(|_| {
        Failure(
            "org.apache.kafka.common.KafkaException: Failed to construct kafka producer".to_owned(),
        )
    })?;
    Ok((reader, spec))
}

impl ConsoleProducer {
    /// One turn.
    pub fn on_event(&mut self, event: ToolEvent, io: &mut ToolIo<'_>) {
        match event {
            ToolEvent::Start => {
                self.ask(io);
                self.read(io);
            }
            ToolEvent::Input => self.read(io),
            ToolEvent::Timer => {}
            ToolEvent::Client { event, .. } => self.client_event(event, io),
            // The hook closes the producer, which sends what waits; a second signal is not waited for.
            ToolEvent::Interrupt { code } if self.ending.is_none() => self.end(code, io),
            ToolEvent::Interrupt { code } => io.exit(code),
        }
    }

    fn ask(&mut self, io: &mut ToolIo<'_>) {
        self.line_number += 1;
        if self.prompt {
            io.out(">");
        }
    }

    fn read(&mut self, io: &mut ToolIo<'_>) {
        while self.ending.is_none() && (!self.sync || self.sizes.is_empty()) {
            let line = match io.read_line() {
                Read::Wait => return,
                Read::End => return self.end(0, io),
                Read::Data(line) => line,
            };
            let line = String::from_utf8_lossy(&line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            match self.reader.record(line, self.line_number) {
                Ok(record) => self.send(record, io),
                Err(message) => {
                    io.err(&format!("org.apache.kafka.common.KafkaException: {message}\n"));
                    return self.end(1, io);
                }
            }
            if self.sync {
                io.ignore_input(true);
            } else {
                self.ask(io);
            }
        }
    }

    fn send(&mut self, record: ProducerRecord, io: &mut ToolIo<'_>) {
        let tag = self.next_tag;
        self.next_tag += 1;
        let size = |bytes: &Option<Bytes>| bytes.as_ref().map(|bytes| bytes.len());
        self.sizes.insert(tag, (size(&record.key), size(&record.value)));
        io.command(self.client, ClientCommand::Send { tag, record });
    }

    fn end(&mut self, code: i32, io: &mut ToolIo<'_>) {
        self.ending = Some(code);
        io.ignore_input(true);
        io.command(self.client, ClientCommand::Close);
    }

    fn client_event(&mut self, event: ClientEvent, io: &mut ToolIo<'_>) {
        match event {
            ClientEvent::Delivered { tag, result } => {
                let sizes = self.sizes.remove(&tag).unwrap_or_default();
                match result {
                    Err(error) if self.sync => {
                        let ClientError { exception, message, .. } = error;
                        io.err(&format!(
                            "java.util.concurrent.ExecutionException: {exception}: {message}\n"
                        ));
                        if self.ending.is_none() {
                            self.end(1, io);
                        }
                    }
                    Err(error) => log_failure(&self.reader.topic, sizes, &error, io),
                    Ok(_) => {}
                }
                if self.sync && self.ending.is_none() {
                    io.ignore_input(false);
                    self.ask(io);
                    self.read(io);
                }
            }
            ClientEvent::Log(line) => io.log(&line.level, &line.text, &line.logger),
            ClientEvent::Failed(error) => {
                io.err(&format!("{}: {}\n", error.exception, error.message));
                if self.ending.is_none() {
                    self.end(1, io);
                }
            }
            ClientEvent::Closed => io.exit(self.ending.unwrap_or(0)),
            _ => {}
        }
    }
}

/// `ErrorLoggingCallback`.
fn log_failure(
    topic: &str,
    (key, value): (Option<usize>, Option<usize>),
    error: &ClientError,
    io: &mut ToolIo<'_>,
) {
    let size =
        |bytes: Option<usize>| bytes.map_or("null".to_owned(), |bytes| format!("{bytes} bytes"));
    let text = format!(
        "Error when sending message to topic {topic} with key: {}, value: {} with error:",
        size(key),
        size(value)
    );
    io.log("ERROR", &text, "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback");
    io.err(&format!("{}: {}\n", error.exception, error.message));
}
