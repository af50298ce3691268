//! The producer against the simulated cluster: acknowledgements, auto-creation, errors in Kafka's words, failover.

use simulation::sorted::{SortedMap, SortedSet};

use cluster::client::{
    BootstrapServer, ClientCommand, ClientError, ClientKind, ClientNotice, ClientSpec, Destination,
    GeneratedLoad, ProducerRecord, RecordMetadata,
};
use cluster::protocol::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, IncrementalAlterConfigsRequest,
    Request, Response,
};
use cluster::types::TopicPartition;
use cluster::world::{ClusterSpec, World};
use simulation::{Micros, NodeId, ProcessState, Random};

fn started(seed: u64) -> World {
    let mut world = World::new(ClusterSpec::default_cluster(1_795_000_000_000), seed);
    world.run_until(Micros::from_secs(10));
    world
}

fn client(world: &mut World, kind: ClientKind, config: &[(&str, &str)]) -> NodeId {
    world.spawn_client(ClientSpec {
        client_id: "test".into(),
        bootstrap: vec![BootstrapServer { host: "localhost".into(), port: 9092, node: Some(1) }],
        kind,
        config: config.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        host: "/127.0.0.1".into(),
    })
}

/// Runs for `span` and gives what one client has told.
fn notices(world: &mut World, of: NodeId, span: Micros) -> Vec<ClientNotice> {
    let until = world.now() + span;
    world.run_until(until);
    let mut told = Vec::new();
    while let Some((from, notice)) = world.take_notice() {
        if from == of {
            told.push(notice);
        }
    }
    told
}

fn call(world: &mut World, request: impl Into<Request>) -> Response {
    let admin = client(world, ClientKind::Admin, &[]);
    let request = request.into();
    world.tell_client(
        admin,
        ClientCommand::Call { call: 1, to: Destination::Controller, request, timeout_ms: 30_000 },
    );
    for notice in notices(world, admin, Micros::from_secs(5)) {
        if let ClientNotice::Response { result, .. } = notice {
            world.kill_client(admin);
            return result.expect("the cluster answers");
        }
    }
    panic!("no answer");
}

fn create(world: &mut World, name: &str, partitions: i32, replicas: i16, configs: &[(&str, &str)]) {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
    };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: replicas,
        assignments: Vec::new(),
        configs: configs.iter().map(config).collect(),
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
    let Response::CreateTopics(response) = call(world, request) else { panic!("another answer") };
    assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
}

fn send(
    world: &mut World,
    producer: NodeId,
    tag: u64,
    topic: &str,
    key: Option<&str>,
    value: &[u8],
) {
    let record = ProducerRecord {
        topic: topic.into(),
        key: key.map(|key| key.as_bytes().into()),
        value: Some(value.into()),
        ..Default::default()
    };
    world.tell_client(producer, ClientCommand::Send { tag, record });
}

type Deliveries = SortedMap<u64, Result<RecordMetadata, ClientError>>;

fn deliveries(told: &[ClientNotice]) -> Deliveries {
    let mut found = Deliveries::new();
    for notice in told {
        if let ClientNotice::Delivered { tag, result } = notice {
            assert!(
                found.insert(*tag, result.clone()).is_none(),
                "record {tag} was answered twice"
            );
        }
    }
    found
}

fn warnings(told: &[ClientNotice]) -> Vec<String> {
    let log = told.iter().filter_map(|notice| match notice {
        ClientNotice::Log(line) => Some(format!("{} {} ({})", line.level, line.text, line.logger)),
        _ => None,
    });
    log.collect()
}

#[test]
fn records_are_acknowledged_in_order_whatever_acks_and_codec() {
    for (acks, codec) in [
        ("all", "none"),
        ("1", "none"),
        ("0", "none"),
        ("all", "gzip"),
        ("all", "lz4"),
        ("all", "snappy"),
    ] {
        let mut world = started(1);
        create(&mut world, "orders", 1, 3, &[]);
        let producer = client(
            &mut world,
            ClientKind::Producer,
            &[("acks", acks), ("compression.type", codec)],
        );
        for tag in 0..1000 {
            send(&mut world, producer, tag, "orders", None, &[b'x'; 100]);
        }
        world.tell_client(producer, ClientCommand::Close);
        let told = notices(&mut world, producer, Micros::from_secs(10));
        let delivered = deliveries(&told);
        assert_eq!(delivered.len(), 1000, "acks={acks} {codec}");
        for (tag, result) in delivered {
            let expected = if acks == "0" { -1 } else { tag as i64 };
            assert_eq!(result.expect("it is written").offset, expected, "acks={acks} {codec}");
        }
        assert_eq!(told.last(), Some(&ClientNotice::Closed));
        assert_eq!(warnings(&told), Vec::<String>::new());
    }
}

#[test]
fn keys_choose_partitions() {
    let mut world = started(2);
    create(&mut world, "orders", 6, 3, &[]);
    let producer = client(&mut world, ClientKind::Producer, &[]);
    let keys = [
        ("customer-101", 3),
        ("customer-102", 1),
        ("customer-103", 4),
        ("message-key", 4),
        ("k1", 5),
    ];
    for (tag, (key, _)) in keys.iter().enumerate() {
        send(&mut world, producer, tag as u64, "orders", Some(key), b"v");
    }
    let told = notices(&mut world, producer, Micros::from_secs(5));
    for (tag, result) in deliveries(&told) {
        let metadata = result.expect("it is written");
        assert_eq!(metadata.partition.partition, keys[tag as usize].1, "{}", keys[tag as usize].0);
    }
}

#[test]
fn a_missing_topic_is_created_with_one_warning() {
    let mut world = started(3);
    let producer = client(&mut world, ClientKind::Producer, &[]);
    send(&mut world, producer, 0, "made", None, b"v");
    send(&mut world, producer, 1, "made", None, b"v");
    let told = notices(&mut world, producer, Micros::from_secs(10));
    assert!(deliveries(&told).into_values().all(|result| result.is_ok()), "{told:?}");
    assert_eq!(deliveries(&told).len(), 2);
    let warnings = warnings(&told);
    let expected = "WARN [Producer clientId=test] The metadata response from the cluster reported a recoverable issue with correlation id 1 : {made=UNKNOWN_TOPIC_OR_PARTITION} (org.apache.kafka.clients.NetworkClient)";
    assert_eq!(warnings.first().map(String::as_str), Some(expected));
}

#[test]
fn refusals_in_kafkas_words() {
    let cases: &[(&str, &[(&str, &str)], usize, &str, &str)] = &[
        (
            "bad name",
            &[],
            1,
            "org.apache.kafka.common.errors.InvalidTopicException",
            "Invalid topics: [bad name]",
        ),
        (
            "small",
            &[],
            900,
            "org.apache.kafka.common.errors.RecordTooLargeException",
            "The request included a message larger than the max message size the server will accept.",
        ),
        (
            "small",
            &[("max.request.size", "10")],
            44,
            "org.apache.kafka.common.errors.RecordTooLargeException",
            "The message is 129 bytes when serialized which is larger than 10, which is the value of the max.request.size configuration.",
        ),
    ];
    let mut world = started(4);
    create(&mut world, "small", 1, 1, &[("max.message.bytes", "200")]);
    for (topic, config, size, exception, message) in cases {
        let producer = client(&mut world, ClientKind::Producer, config);
        send(&mut world, producer, 7, topic, None, &vec![b'x'; *size]);
        let told = notices(&mut world, producer, Micros::from_secs(10));
        let error =
            deliveries(&told).remove(&7).expect("it is answered").expect_err("it is refused");
        assert_eq!(
            (error.exception.as_str(), error.message.as_str()),
            (*exception, *message),
            "{topic}"
        );
    }
}

#[test]
fn too_few_replicas_are_retried_then_refused() {
    let mut world = started(7);
    create(&mut world, "safe", 1, 3, &[("min.insync.replicas", "3")]);
    world.kill_node(3);
    let later = world.now() + Micros::from_secs(15);
    world.run_until(later);
    let producer = client(&mut world, ClientKind::Producer, &[("retries", "3")]);
    send(&mut world, producer, 0, "safe", None, b"fail");
    let told = notices(&mut world, producer, Micros::from_secs(5));
    let error = deliveries(&told).remove(&0).expect("it is answered").expect_err("it is refused");
    assert_eq!(error.exception, "org.apache.kafka.common.errors.NotEnoughReplicasException");
    assert_eq!(
        error.message,
        "Messages are rejected since there are fewer in-sync replicas than required."
    );
    let mut left = 3;
    for warning in warnings(&told) {
        left -= 1;
        let end = format!(
            " on topic-partition safe-0, retrying ({left} attempts left). Error: NOT_ENOUGH_REPLICAS (org.apache.kafka.clients.producer.internals.Sender)"
        );
        assert!(warning.starts_with(
            "WARN [Producer clientId=test] Got error produce response with correlation id "
        ));
        assert!(warning.ends_with(&end), "{warning}");
    }
    assert_eq!(left, 0);
}

#[test]
fn an_unreachable_cluster_is_named_until_the_time_is_up() {
    let mut world = started(5);
    let spec = ClientSpec {
        client_id: "console-producer".into(),
        bootstrap: vec![BootstrapServer { host: "localhost".into(), port: 9999, node: None }],
        kind: ClientKind::Producer,
        config: vec![("max.block.ms".into(), "1500".into())],
        host: "/127.0.0.1".into(),
    };
    let producer = world.spawn_client(spec);
    send(&mut world, producer, 0, "t", None, b"x");
    let told = notices(&mut world, producer, Micros::from_secs(2));
    let error = deliveries(&told).remove(&0).expect("it is answered").expect_err("it is refused");
    assert_eq!(error.message, "Topic t not present in metadata after 1500 ms.");
    let warnings = warnings(&told);
    assert_eq!(
        warnings[..2],
        [
            "WARN [Producer clientId=console-producer] Connection to node -1 (localhost/127.0.0.1:9999) could not be established. Node may not be available. (org.apache.kafka.clients.NetworkClient)",
            "WARN [Producer clientId=console-producer] Bootstrap broker localhost:9999 (id: -1 rack: null isFenced: false) disconnected (org.apache.kafka.clients.NetworkClient)",
        ]
    );
    assert!((6..=20).contains(&warnings.len()), "{}", warnings.len());
}

#[test]
fn settings_that_exclude_each_other() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("enable.idempotence", "true"), ("acks", "1")],
            "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.",
        ),
        (
            &[("acks", "2")],
            "Invalid value 2 for configuration acks: String must be one of: all, -1, 0, 1",
        ),
        (
            &[("delivery.timeout.ms", "100")],
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
        ),
    ];
    for (config, message) in cases {
        let mut world = World::new(ClusterSpec::default_cluster(0), 6);
        let producer = client(&mut world, ClientKind::Producer, config);
        let told = notices(&mut world, producer, Micros::from_ms(1));
        let [ClientNotice::Failed(error)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(error.exception, "org.apache.kafka.common.config.ConfigException");
        assert_eq!(error.message, *message);
    }
}

#[test]
fn a_killed_leader_costs_no_acknowledged_record_and_makes_no_duplicate() {
    for seed in 10..14 {
        let mut world = started(seed);
        create(&mut world, "orders", 3, 3, &[]);
        let producer = client(&mut world, ClientKind::Producer, &[]);
        let mut told = Vec::new();
        let mut tag = 0;
        for second in 0..40 {
            for _ in 0..20 {
                send(&mut world, producer, tag, "orders", Some(&format!("k{tag}")), b"value");
                tag += 1;
            }
            if second == 5 {
                world.kill_node(2);
            }
            if second == 30 {
                world.start_node(2);
            }
            told.extend(notices(&mut world, producer, Micros::from_secs(1)));
        }
        world.tell_client(producer, ClientCommand::Close);
        told.extend(notices(&mut world, producer, Micros::from_secs(130)));
        let delivered = deliveries(&told);
        assert_eq!(delivered.len() as u64, tag, "seed {seed}: every record is answered");
        let mut places = SortedSet::new();
        for (tag, result) in delivered {
            let RecordMetadata { partition, offset, .. } =
                result.unwrap_or_else(|error| panic!("seed {seed}, {tag}: {error:?}"));
            assert!(places.insert((partition, offset)), "seed {seed}: two records at one offset");
        }
        // No gap either: what was written was written once.
        for partition in 0..3 {
            let offsets: Vec<i64> =
                places.iter().filter(|(p, _)| p.partition == partition).map(|(_, o)| *o).collect();
            assert_eq!(
                offsets,
                (0..offsets.len() as i64).collect::<Vec<_>>(),
                "seed {seed}, partition {partition}"
            );
        }
    }
}

/// A node that is away: killed, frozen, or asked to end.
#[derive(Clone, Copy, Debug)]
enum Away {
    Killed(i32),
    Paused(i32),
    Terminated(i32),
}

#[test]
fn whatever_befalls_single_brokers_records_are_written_once_and_in_order() {
    for seed in 100..112 {
        let mut world = started(seed);
        let mut random = Random::from_seed(seed);
        create(&mut world, "orders", 3, 3, &[("min.insync.replicas", "2")]);
        let config = [("delivery.timeout.ms", "600000"), ("linger.ms", "0")];
        let producer = client(&mut world, ClientKind::Producer, &config);
        let (mut told, mut history) = (Vec::new(), Vec::new());
        let (mut tag, mut away) = (0, None);
        for turn in 0..60 {
            for _ in 0..random.below(40) {
                let key = random.chance(500_000).then_some("k");
                send(&mut world, producer, tag, "orders", key, b"value");
                tag += 1;
            }
            away = match away {
                None if turn < 50 && random.below(5) == 0 => {
                    let id = 1 + random.below(3) as i32;
                    let how = [Away::Killed(id), Away::Paused(id), Away::Terminated(id)]
                        [random.below(3) as usize];
                    match how {
                        Away::Killed(id) => world.kill_node(id),
                        Away::Paused(id) => world.pause_node(id),
                        Away::Terminated(id) => world.terminate_node(id),
                    }
                    history.push((world.now(), how));
                    Some(how)
                }
                Some(how) if turn >= 50 || random.below(12) == 0 => match how {
                    Away::Paused(id) => {
                        world.resume_node(id);
                        None
                    }
                    // One that is still ending is started later.
                    Away::Terminated(id) if world.node_state(id) != Some(ProcessState::Down) => {
                        Some(how)
                    }
                    Away::Killed(id) | Away::Terminated(id) => {
                        world.start_node(id);
                        None
                    }
                },
                other => other,
            };
            let span = Micros::from_ms(200 + random.below(2_000));
            told.extend(notices(&mut world, producer, span));
        }
        assert!(away.is_none(), "seed {seed}: {history:?}");
        world.tell_client(producer, ClientCommand::Close);
        told.extend(notices(&mut world, producer, Micros::from_secs(200)));
        let delivered = deliveries(&told);
        assert_eq!(
            delivered.len() as u64,
            tag,
            "seed {seed}: every record is answered; {history:?}"
        );
        let mut offsets: SortedMap<TopicPartition, Vec<i64>> = SortedMap::new();
        for (tag, result) in delivered {
            let metadata = result.unwrap_or_else(|error| {
                panic!("seed {seed}, record {tag}: {error:?}; {history:?}")
            });
            offsets.entry(metadata.partition).or_default().push(metadata.offset);
        }
        for (partition, offsets) in offsets {
            let expected: Vec<i64> = (0..offsets.len() as i64).collect();
            assert_eq!(offsets, expected, "seed {seed}, {partition}: {history:?}");
        }
    }
}

#[test]
fn a_generated_load_is_answered_in_full() {
    let mut world = started(20);
    create(&mut world, "load", 3, 3, &[]);
    for (rate, keys, total) in [(0, 0, 200_000), (5_000, 10, 5_000), (10, 0, 20)] {
        let producer = client(&mut world, ClientKind::Producer, &[]);
        let load = GeneratedLoad { topic: "load".into(), record_bytes: 100, keys, rate, total };
        world.tell_client(producer, ClientCommand::Generate(load));
        let told = notices(&mut world, producer, Micros::from_secs(10));
        assert_eq!(
            told,
            [ClientNotice::Generated { acknowledged: total, failed: 0 }],
            "rate {rate}"
        );
    }
}

#[test]
fn a_configuration_request_reaches_the_controller() {
    let mut world = started(21);
    let request = IncrementalAlterConfigsRequest { resources: Vec::new(), validate_only: true };
    let Response::IncrementalAlterConfigs(response) = call(&mut world, request) else {
        panic!("another answer")
    };
    assert!(response.responses.is_empty());
}
