//! The console tools on a whole cluster: what they print where, and how they end.

use cluster::client::{BootstrapServer, ClientCommand, ClientKind, ClientSpec, Destination};
use cluster::protocol::{CreatableTopic, CreateTopicsRequest};
use console::console::{RunInput, RunOutput, RunSpec};
use console::world::Pid;
use playground::journal::Header;
use playground::session::Session;
use simulation::Micros;

const BANNER: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol\n";

struct Cluster {
    session: Session,
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let engine = playground::ENGINE_VERSION.to_owned();
        let mut session = Session::new(Header { engine, seed, epoch_ms: 1_795_000_000_000 });
        session.boot();
        Self { session }
    }

    fn wait(&mut self, span: Micros) {
        let until = self.session.now() + span;
        self.session.run_until(until, || true);
    }

    fn create(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 3,
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        let spec = ClientSpec {
            client_id: "test".into(),
            bootstrap: vec![BootstrapServer {
                host: "localhost".into(),
                port: 9092,
                node: Some(1),
            }],
            kind: ClientKind::Admin,
            config: Vec::new(),
            host: "/127.0.0.1".into(),
        };
        self.session.console_mut(|_, host| {
            let admin = host.world.spawn_client(spec);
            let (to, request) = (Destination::Controller, request.into());
            host.world.tell_client(
                admin,
                ClientCommand::Call { call: 1, to, request, timeout_ms: 30_000 },
            );
        });
        self.wait(Micros::from_secs(2));
    }

    fn start(&mut self, line: &str, stdin: RunInput) -> Pid {
        self.session.start_run(RunSpec {
            line: line.into(),
            stdin,
            cwd: Some("/home/kafka".into()),
        })
    }

    fn output(&mut self, run: Pid) -> RunOutput {
        self.session.console_mut(|console, _| console.run_output(run))
    }

    /// Runs to the end.
    fn run(&mut self, line: &str, stdin: RunInput) -> RunOutput {
        let run = self.start(line, stdin);
        let limit = self.session.now() + Micros::from_secs(300);
        loop {
            let output = self.output(run);
            if output.code.is_some() {
                return output;
            }
            assert!(self.session.now() < limit && self.session.step(), "{line} does not end");
        }
    }
}

fn text(stdin: &str) -> RunInput {
    RunInput::Text(stdin.to_owned())
}

/// Without the times of log lines.
fn undated(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("[20") {
        Some(rest) => rest.split_once("] ").map_or(line.to_owned(), |(_, rest)| rest.to_owned()),
        None => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

const PRODUCER: &str = "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic t";
const CONSUMER: &str = "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic t";

#[test]
fn what_is_typed_is_read_back() {
    let mut cluster = Cluster::new(1);
    cluster.create("t", 1);
    let colon = "--reader-property parse.key=true --reader-property key.separator=:";
    let steps: &[(&str, &str, &str, &str, i32)] = &[
        ("", "plain\n\nlast without end", "", "", 0),
        (colon, "k:v:w\n:empty\n", "", "", 0),
        (&format!("{colon} --reader-property null.marker=NULL"), "k:NULL\nNULL:v\n", "", "", 0),
        (
            colon,
            "sent:1\nbroken\nnever:sent\n",
            "",
            "org.apache.kafka.common.KafkaException: No key separator found on line number 2: 'broken'\n",
            1,
        ),
        (&format!("{colon} --reader-property ignore.error=true"), "broken\n", "", "", 0),
        ("--reader-property parse.headers=true", "a:1,b:2,\tv\n", "", "", 0),
        (
            "--property parse.key=true",
            "k\tv\n",
            "Warning: --property is deprecated and will be removed in a future version. Use --reader-property instead.\n",
            "",
            0,
        ),
        ("--sync", "sync\n", "", "", 0),
        (
            "--command-property max.request.size=10",
            "too long\n",
            "",
            "ERROR Error when sending message to topic t with key: null, value: 8 bytes with error: (org.apache.kafka.clients.producer.internals.ErrorLoggingCallback)\norg.apache.kafka.common.errors.RecordTooLargeException: The message is 93 bytes when serialized which is larger than 10, which is the value of the max.request.size configuration.\n",
            0,
        ),
        (
            "--sync --command-property max.request.size=10",
            "too long\nnever\n",
            "",
            "java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.RecordTooLargeException: The message is 93 bytes when serialized which is larger than 10, which is the value of the max.request.size configuration.\n",
            1,
        ),
        ("--batch-size many", "x\n", "", "Cannot parse argument 'many' of option batch-size\n", 1),
        (
            "--reader-property key.separator=: --reader-property null.marker=:",
            "x\n",
            "",
            "org.apache.kafka.common.KafkaException: null.marker and key.separator may not be equal\n",
            1,
        ),
    ];
    for (options, stdin, stdout, stderr, code) in steps {
        let output = cluster.run(&format!("{PRODUCER} {options}"), text(stdin));
        assert_eq!(output.stdout, *stdout, "{options}");
        assert_eq!(undated(&output.stderr), *stderr, "{options}");
        assert_eq!(output.code, Some(*code), "{options}");
    }
    let all = "--from-beginning --max-messages 12 --formatter-property print.key=true --formatter-property print.headers=true";
    let output = cluster.run(&format!("{CONSUMER} {all}"), RunInput::None);
    let expected = [
        "NO_HEADERS\tnull\tplain",
        "NO_HEADERS\tnull\t",
        "NO_HEADERS\tnull\tlast without end",
        "NO_HEADERS\tk\tv:w",
        "NO_HEADERS\t\tempty",
        "NO_HEADERS\tk\tnull",
        "NO_HEADERS\tnull\tv",
        "NO_HEADERS\tsent\t1",
        "NO_HEADERS\tnull\tbroken",
        "a:1,b:2\tnull\tv",
        "NO_HEADERS\tk\tv",
        "NO_HEADERS\tnull\tsync",
    ];
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!(output.stderr, format!("{BANNER}Processed a total of 12 messages\n"));
}

#[test]
fn where_a_consumer_begins_and_ends() {
    let mut cluster = Cluster::new(2);
    cluster.create("t", 1);
    cluster.run(PRODUCER, text("1\n2\n3\n"));
    let timed_out = "ERROR Error processing message, terminating consumer process:  (org.apache.kafka.tools.consumer.ConsoleConsumer)\norg.apache.kafka.common.errors.TimeoutException\n";
    let cases: &[(&str, &str, bool, &str, i32)] = &[
        (
            "--from-beginning --max-messages 2",
            "1\n2\n",
            true,
            "Processed a total of 2 messages\n",
            0,
        ),
        ("--max-messages 0", "", true, "Processed a total of 0 messages\n", 0),
        ("--timeout-ms 2000", "", true, "!Processed a total of 0 messages\n", 0),
        (
            "--partition 0 --offset 1 --max-messages 1",
            "2\n",
            false,
            "Processed a total of 1 messages\n",
            0,
        ),
        (
            "--partition 0 --offset earliest --max-messages 1",
            "1\n",
            false,
            "Processed a total of 1 messages\n",
            0,
        ),
        ("--partition 0 --timeout-ms 1000", "", false, "!Processed a total of 0 messages\n", 0),
        (
            "--group g --from-beginning --max-messages 1",
            "1\n",
            true,
            "Processed a total of 1 messages\n",
            0,
        ),
        (
            "--group g --from-beginning --max-messages 1",
            "2\n",
            true,
            "Processed a total of 1 messages\n",
            0,
        ),
        ("--group g --timeout-ms 3000", "3\n", true, "!Processed a total of 1 messages\n", 0),
        (
            "--from-beginning --max-messages 1 --value-deserializer org.apache.kafka.common.serialization.LongDeserializer",
            "",
            true,
            "Processed a total of 1 messages\nERROR Unknown error when running consumer:  (org.apache.kafka.tools.consumer.ConsoleConsumer)\norg.apache.kafka.common.errors.SerializationException: Size of data received by LongDeserializer is not 8\n",
            1,
        ),
    ];
    for (options, stdout, group, stderr, code) in cases {
        let output = cluster.run(&format!("{CONSUMER} {options}"), RunInput::None);
        let banner = if *group { BANNER } else { "" };
        let stderr = stderr
            .strip_prefix('!')
            .map_or((*stderr).to_owned(), |rest| format!("{timed_out}{rest}"));
        assert_eq!(output.stdout, *stdout, "{options}");
        assert_eq!(undated(&output.stderr), format!("{banner}{stderr}"), "{options}");
        assert_eq!(output.code, Some(*code), "{options}");
    }
}

#[test]
fn an_interrupted_consumer_says_what_it_has_read() {
    let mut cluster = Cluster::new(3);
    cluster.create("t", 1);
    let run = cluster
        .start(&format!("{CONSUMER} --from-beginning --enable-systest-events"), RunInput::None);
    cluster.wait(Micros::from_secs(5));
    cluster.run(PRODUCER, text("a\nb\n"));
    cluster.wait(Micros::from_secs(2));
    assert_eq!(cluster.output(run).stdout, "a\nb\n");
    cluster.session.console_mut(|console, host| console.signal_run(host, run, 130));
    cluster.wait(Micros::from_secs(5));
    let output = cluster.output(run);
    assert_eq!(output.stdout, "a\nb\nshutdown_complete\n");
    assert_eq!(output.stderr, format!("{BANNER}Processed a total of 2 messages\n"));
    assert_eq!(output.code, Some(130));
}

#[test]
fn a_terminal_is_asked_for_lines() {
    let mut cluster = Cluster::new(4);
    cluster.create("t", 1);
    let output = cluster.run(PRODUCER, RunInput::Terminal("hello\nworld\n".into()));
    assert_eq!((output.stdout.as_str(), output.code), (">>>", Some(0)));
}

#[test]
fn offsets_of_partitions() {
    let mut cluster = Cluster::new(5);
    cluster.create("orders", 3);
    cluster.create("empty", 1);
    let keyed = "kafka-console-producer --bootstrap-server localhost:9092 --topic orders --reader-property parse.key=true --reader-property key.separator=:";
    // murmur2 of these over three partitions: 0, 1, 1, 1, 2.
    cluster
        .run(keyed, text("customer-101:a\ncustomer-102:b\ncustomer-103:c\nmessage-key:d\nk1:e\n"));
    let cases: &[(&str, &str, &str, i32)] = &[
        ("", "empty:0:0\norders:0:1\norders:1:3\norders:2:1\n", "", 0),
        ("--topic orders --time earliest", "orders:0:0\norders:1:0\norders:2:0\n", "", 0),
        ("--topic 'em.*' --time max-timestamp", "", "", 0),
        ("--topic orders --partitions 0,2", "orders:0:1\norders:2:1\n", "", 0),
        ("--topic-partitions orders:1-,empty", "empty:0:0\norders:1:3\norders:2:1\n", "", 0),
        (
            "--topic nope",
            "",
            "Error occurred: Could not match any topic-partitions with the specified filters\n",
            1,
        ),
        (
            "--topic orders --partitions a",
            "",
            "Error occurred: --partitions expects a comma separated list of numeric partition ids, but received: a\n",
            1,
        ),
        (
            "--topic empty --time -9",
            "",
            "ERROR [AdminClient clientId=GetOffsetShell] ListOffsets request for topic partition empty-0 failed due to an unexpected error UNSUPPORTED_VERSION (org.apache.kafka.clients.admin.internals.ListOffsetsHandler)\nSkip getting offsets for topic-partition empty-0 due to error: org.apache.kafka.common.errors.UnsupportedVersionException: The version of API is not supported.\n",
            0,
        ),
    ];
    for (options, stdout, stderr, code) in cases {
        let line = format!("kafka-get-offsets.sh --bootstrap-server localhost:9092 {options}");
        let output = cluster.run(&line, RunInput::None);
        assert_eq!(output.stdout, *stdout, "{options}");
        assert_eq!(undated(&output.stderr), *stderr, "{options}");
        assert_eq!(output.code, Some(*code), "{options}");
    }
}

#[test]
fn brokers_say_what_they_can_do() {
    let mut cluster = Cluster::new(6);
    let output =
        cluster.run("kafka-broker-api-versions --bootstrap-server localhost:9092", RunInput::None);
    for id in 1..=3 {
        let head = format!(
            "kafka{id}:9092 (id: {id} rack: null isFenced: false) -> (\n\tProduce(0): 0 to 13 [usable: 13],\n"
        );
        assert!(output.stdout.contains(&head), "{}", output.stdout);
    }
    assert!(output.stdout.contains("\tPushTelemetry(72): UNSUPPORTED,\n"));
    assert_eq!((output.stderr.as_str(), output.code), ("", Some(0)));
}
