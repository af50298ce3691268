//! A whole cluster on its simulated network, through the doors that a person or a client has.

use simulation::sorted::SortedMap;

use cluster::broker::BrokerState;
use cluster::client::{
    BootstrapServer, CallError, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    ProducerRecord, RecordMetadata,
};
use cluster::protocol::*;
use cluster::types::{BrokerId, Offset};
use cluster::world::{ClusterSpec, World, node_id};
use simulation::{Link, Micros, NodeId, ProcessState};

const EPOCH_MS: i64 = 1_763_768_000_000;

/// A world and what its clients have said.
struct Cluster {
    world: World,
    notices: Vec<(NodeId, ClientNotice)>,
    last_call: u32,
}

impl Cluster {
    /// The default cluster, started.
    fn start(seed: u64) -> Self {
        Self::with(seed, &[])
    }

    fn with(seed: u64, configs: &[(&str, &str)]) -> Self {
        let mut spec = ClusterSpec::default_cluster(EPOCH_MS);
        spec.configs
            .extend(configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut cluster = Self { world: World::new(spec, seed), notices: Vec::new(), last_call: 0 };
        cluster.until(20, "all brokers are started", |cluster| {
            cluster.world.nodes().all(|(_, node)| node.is_started())
        });
        cluster
    }

    fn step(&mut self) -> bool {
        let stepped = self.world.step();
        while let Some(notice) = self.world.take_notice() {
            self.notices.push(notice);
        }
        stepped
    }

    /// Lets events happen until `done`; gives the milliseconds that took.
    #[track_caller]
    fn until(&mut self, patience_s: u64, what: &str, done: impl Fn(&Self) -> bool) -> u64 {
        let start = self.world.now();
        let deadline = start + Micros::from_secs(patience_s);
        while !done(self) {
            let next = self.world.next_time();
            assert!(next.is_some_and(|next| next <= deadline), "{what}: not within {patience_s} s");
            self.step();
        }
        (self.world.now() - start).as_ms()
    }

    fn run(&mut self, ms: u64) {
        let end = self.world.now() + Micros::from_ms(ms);
        while self.world.next_time().is_some_and(|next| next <= end) {
            self.step();
        }
        self.world.advance_to(end);
    }

    fn spawn(&mut self, kind: ClientKind, config: &[(&str, &str)]) -> NodeId {
        let bootstrap = (1..=3)
            .map(|id| BootstrapServer { host: format!("kafka{id}"), port: 9092, node: Some(id) })
            .collect();
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.world.spawn_client(ClientSpec {
            client_id: "test".to_owned(),
            bootstrap,
            kind,
            config: config.collect(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    /// Asks as an admin client does.
    #[track_caller]
    fn call(&mut self, to: Destination, request: impl Into<Request>) -> Response {
        self.try_call(to, request).expect("an answer")
    }

    #[track_caller]
    fn try_call(
        &mut self,
        to: Destination,
        request: impl Into<Request>,
    ) -> Result<Response, CallError> {
        let admin = self.spawn(ClientKind::Admin, &[]);
        self.last_call += 1;
        let call = self.last_call;
        let command = ClientCommand::Call { call, to, request: request.into(), timeout_ms: 30_000 };
        self.world.tell_client(admin, command);
        let is_answer = move |(_, notice): &(NodeId, ClientNotice)| matches!(notice, ClientNotice::Response { call: answered, .. } if *answered == call);
        self.until(60, "an answer", |cluster| cluster.notices.iter().any(is_answer));
        let at = self.notices.iter().position(is_answer).expect("it is there");
        let (_, ClientNotice::Response { result, .. }) = self.notices.remove(at) else {
            unreachable!()
        };
        self.world.kill_client(admin);
        result
    }

    #[track_caller]
    fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        replication_factor: i16,
        configs: &[(&str, &str)],
    ) {
        let configs = configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: (*name).to_owned(),
                value: Some((*value).to_owned()),
            })
            .collect();
        self.create(CreatableTopic {
            name: name.to_owned(),
            num_partitions: partitions,
            replication_factor,
            assignments: Vec::new(),
            configs,
        });
    }

    /// A topic of one partition on these brokers.
    #[track_caller]
    fn assign_topic(&mut self, name: &str, broker_ids: &[BrokerId], configs: &[(&str, &str)]) {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        self.create(CreatableTopic {
            name: name.to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![CreatableReplicaAssignment {
                partition_index: 0,
                broker_ids: broker_ids.to_vec(),
            }],
            configs: configs.iter().map(config).collect(),
        });
    }

    #[track_caller]
    fn create(&mut self, topic: CreatableTopic) {
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        let Response::CreateTopics(response) = self.call(Destination::Any, request) else {
            panic!("another response")
        };
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
        // Everybody has heard of it.
        let name = response.topics[0].name.clone();
        self.until(5, "the topic is known", |cluster| {
            cluster.live().all(|id| {
                cluster.world.node(id).is_some_and(|node| node.metadata().topic(&name).is_some())
            })
        });
    }

    /// Cuts (or mends) one direction between two nodes.
    fn cut(&mut self, from: BrokerId, to: BrokerId, cut: bool) {
        let (from, to) = (node_id(from), node_id(to));
        let network = self.world.simulation_mut().network_mut();
        let link = Link { cut, ..network.link(from, to) };
        network.set_link(from, to, link);
    }

    fn live(&self) -> impl Iterator<Item = BrokerId> + '_ {
        (1..=3).filter(|&id| self.world.node_state(id) == Some(ProcessState::Running))
    }

    /// The newest committed metadata of any running node.
    fn registration(
        &self,
        topic: &str,
        partition: i32,
    ) -> cluster::controller::image::PartitionRegistration {
        self.live()
            .filter_map(|id| self.world.node(id))
            .filter_map(|node| {
                Some(node.metadata().topic(topic)?.partitions.get(&partition)?.clone())
            })
            .max_by_key(|registration| registration.partition_epoch)
            .expect("the partition is known")
    }

    fn isr(&self, topic: &str, partition: i32) -> Vec<BrokerId> {
        self.registration(topic, partition).isr
    }

    fn leader(&self, topic: &str, partition: i32) -> BrokerId {
        self.registration(topic, partition).leader
    }

    fn end_offset(&self, broker: BrokerId, topic: &str) -> Offset {
        let node = self.world.node(broker).expect("a node");
        node.partition(topic, 0).map_or(-1, |partition| partition.log_end_offset)
    }

    fn high_watermark(&self, broker: BrokerId, topic: &str) -> Offset {
        let node = self.world.node(broker).expect("a node");
        node.partition(topic, 0).map_or(-1, |partition| partition.high_watermark)
    }

    /// Sends the values and waits for all their acknowledgements.
    #[track_caller]
    fn produce(
        &mut self,
        producer: NodeId,
        topic: &str,
        values: &[&str],
    ) -> Vec<Result<RecordMetadata, String>> {
        for (tag, value) in values.iter().enumerate() {
            let record = ProducerRecord {
                topic: topic.to_owned(),
                value: Some(value.as_bytes().into()),
                ..ProducerRecord::default()
            };
            self.world.tell_client(producer, ClientCommand::Send { tag: tag as u64, record });
        }
        let delivered = |(from, notice): &(NodeId, ClientNotice)| {
            *from == producer && matches!(notice, ClientNotice::Delivered { .. })
        };
        self.until(130, "all is delivered", |cluster| {
            cluster.notices.iter().filter(|notice| delivered(notice)).count() >= values.len()
        });
        let mut results = SortedMap::new();
        self.notices.retain(|notice| {
            if let (true, ClientNotice::Delivered { tag, result }) = (delivered(notice), &notice.1)
            {
                results.insert(*tag, result.clone().map_err(|error| error.message));
                return false;
            }
            true
        });
        results.into_values().collect()
    }

    /// The values of all committed records of partition 0.
    #[track_caller]
    fn consume(&mut self, topic: &str) -> Vec<String> {
        let leader = self.leader(topic, 0);
        let topic_id =
            self.world.node(leader).and_then(|node| Some(node.metadata().topic(topic)?.id));
        let partition = FetchPartition {
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        };
        let request = FetchRequest {
            replica_state: ReplicaState { replica_id: -1, replica_epoch: -1 },
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic_id: topic_id.expect("the topic is known"),
                partitions: vec![partition],
            }],
            ..FetchRequest::default()
        };
        let Response::Fetch(response) = self.call(Destination::Node(leader), request) else {
            panic!("another response")
        };
        let data = &response.responses[0].partitions[0];
        assert_eq!(data.error_code, 0);
        let text =
            |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        data.records
            .iter()
            .flat_map(|batch| {
                let records = batch.records().expect("records");
                records.iter().flatten().map(|record| text(record.value)).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[test]
fn three_nodes_start_and_idle_costs_little() {
    for seed in 1..=5 {
        let mut cluster = Cluster::start(seed);
        let before = cluster.world.simulation().steps();
        cluster.run(60_000);
        // Only heartbeats and the quorum's fetches.
        let steps = cluster.world.simulation().steps() - before;
        assert!(steps < 3_000, "seed {seed}: {steps} steps in an idle minute");
    }
}

#[test]
fn what_is_produced_is_on_all_replicas_and_read_again() {
    let mut cluster = Cluster::start(1);
    cluster.create_topic("orders", 1, 3, &[]);
    let producer = cluster.spawn(ClientKind::Producer, &[]);
    let sent = ["one", "two", "three"];
    let acknowledged = cluster.produce(producer, "orders", &sent);
    let offsets: Vec<Offset> =
        acknowledged.into_iter().map(|result| result.expect("it is acknowledged").offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
    for broker in 1..=3 {
        assert_eq!(cluster.end_offset(broker, "orders"), 3, "broker {broker}");
    }
    assert_eq!(cluster.consume("orders"), sent);
    // Followers learn of the high watermark with their next fetch.
    cluster.run(600);
    for broker in 1..=3 {
        assert_eq!(cluster.high_watermark(broker, "orders"), 3, "broker {broker}");
    }
}

#[test]
fn a_killed_broker_is_fenced_and_comes_back_into_the_isr() {
    for seed in 1..=3 {
        let mut cluster = Cluster::start(seed);
        cluster.create_topic("orders", 3, 3, &[]);
        let victim = (1..=3)
            .find(|&id| cluster.world.node(id).is_some_and(|node| !node.controller().is_active()))
            .expect("a node that is not the active controller");
        cluster.world.kill_node(victim);
        let gone = |cluster: &Cluster| (0..3).all(|p| !cluster.isr("orders", p).contains(&victim));
        let ms = cluster.until(15, "the ISR shrinks", gone);
        // 9 s after its last heartbeat, which may be 2 s old, at the next look of the controller.
        assert!((7_000..10_200).contains(&ms), "seed {seed}: {ms}");
        for partition in 0..3 {
            assert_ne!(cluster.leader("orders", partition), victim);
        }
        cluster.world.start_node(victim);
        let ms = cluster.until(10, "it is started", |cluster| {
            cluster.world.node(victim).is_some_and(cluster::broker::KafkaNode::is_started)
        });
        assert!((2_300..2_800).contains(&ms), "seed {seed}: started after {ms}");
        let back = |cluster: &Cluster| (0..3).all(|p| cluster.isr("orders", p) == [1, 2, 3]);
        let ms = cluster.until(5, "it is in all ISRs, ascending", back);
        assert!(ms < 1_500, "seed {seed}: back after {ms}");
        for partition in 0..3 {
            assert_ne!(cluster.leader("orders", partition), victim, "leaders stay where they are");
        }
    }
}

#[test]
fn sigterm_moves_leaders_away_before_the_process_ends() {
    for seed in 1..=3 {
        let mut cluster = Cluster::start(seed);
        cluster.create_topic("orders", 3, 3, &[]);
        cluster.world.terminate_node(2);
        let ms = cluster.until(10, "the process ends", |cluster| {
            cluster.world.node_state(2) == Some(ProcessState::Down)
        });
        // The controller lets it go once the others' heartbeats say that they know.
        assert!(ms < 3_000, "seed {seed}: {ms}");
        // If the active controller left, the next one is there soon.
        cluster.run(100);
        for partition in 0..3 {
            assert!(!cluster.isr("orders", partition).contains(&2), "seed {seed}");
            assert!([1, 3].contains(&cluster.leader("orders", partition)), "seed {seed}");
        }
        cluster.world.start_node(2);
        let back = |cluster: &Cluster| (0..3).all(|p| cluster.isr("orders", p) == [1, 2, 3]);
        // A new incarnation is a duplicate as long as the session of the old one lasts: 9 s.
        cluster.until(15, "it is back in all ISRs", back);
        assert_eq!(
            cluster.world.node(2).map(|node| node.broker_state()),
            Some(BrokerState::Running)
        );
    }
}

#[test]
fn acks_all_is_refused_below_min_isr_and_what_was_written_with_acks_1_is_not_seen() {
    let mut cluster = Cluster::start(4);
    cluster.assign_topic("orders", &[1, 2], &[("min.insync.replicas", "2")]);
    let producer = cluster.spawn(
        ClientKind::Producer,
        &[("delivery.timeout.ms", "3000"), ("request.timeout.ms", "2000"), ("linger.ms", "0")],
    );
    cluster.produce(producer, "orders", &["safe"])[0].as_ref().expect("two are in sync");
    cluster.world.kill_node(2);
    cluster.until(15, "the ISR shrinks", |cluster| cluster.isr("orders", 0) == [1]);
    assert_eq!(cluster.registration("orders", 0).elr, [2]);
    cluster.until(5, "the leader knows", |cluster| {
        cluster
            .world
            .node(1)
            .and_then(|node| node.partition("orders", 0))
            .is_some_and(|partition| partition.isr == [1])
    });
    cluster.produce(producer, "orders", &["refused"])[0].as_ref().expect_err("one is too few");
    assert_eq!(cluster.end_offset(1, "orders"), 1, "nothing was appended");

    let config = [("acks", "1"), ("enable.idempotence", "false")];
    let careless = cluster.spawn(ClientKind::Producer, &config);
    cluster.produce(careless, "orders", &["unseen"])[0].as_ref().expect("the leader has it");
    assert_eq!((cluster.end_offset(1, "orders"), cluster.high_watermark(1, "orders")), (2, 1));
    assert_eq!(cluster.consume("orders"), ["safe"]);

    cluster.world.start_node(2);
    cluster.until(15, "the follower is back", |cluster| cluster.isr("orders", 0) == [1, 2]);
    cluster.run(100);
    assert_eq!(cluster.consume("orders"), ["safe", "unseen"]);
    assert!(cluster.registration("orders", 0).elr.is_empty());
}

#[test]
fn an_acks_1_record_that_only_the_dead_leader_has_is_truncated_when_it_returns() {
    let mut cluster = Cluster::start(5);
    cluster.assign_topic("orders", &[1, 2, 3], &[]);
    let config = [("acks", "1"), ("enable.idempotence", "false"), ("linger.ms", "0")];
    let producer = cluster.spawn(ClientKind::Producer, &config);
    cluster.produce(producer, "orders", &["kept"])[0].as_ref().expect("the leader has it");
    cluster.run(1_000);
    // Nobody fetches from the leader while it takes one more record and dies.
    cluster.cut(1, 2, true);
    cluster.cut(1, 3, true);
    cluster.produce(producer, "orders", &["lost"])[0].as_ref().expect("the leader has it");
    cluster.world.kill_node(1);
    cluster.cut(1, 2, false);
    cluster.cut(1, 3, false);
    cluster.until(20, "another leads", |cluster| [2, 3].contains(&cluster.leader("orders", 0)));
    cluster.produce(producer, "orders", &["new", "newer"])[0]
        .as_ref()
        .expect("the new leader has it");
    assert_eq!(cluster.end_offset(1, "orders"), 2);

    cluster.world.start_node(1);
    cluster.until(15, "the old leader is back", |cluster| cluster.isr("orders", 0) == [1, 2, 3]);
    cluster.run(600);
    assert_eq!(cluster.consume("orders"), ["kept", "new", "newer"]);
    for broker in 1..=3 {
        let values: Vec<_> = cluster
            .world
            .node(broker)
            .and_then(|node| node.replica("orders", 0))
            .map(|replica| replica.newest_records(10))
            .expect("a replica");
        assert_eq!(values.len(), 3, "broker {broker}");
    }
}

#[test]
fn the_last_replica_that_dies_leaves_no_leader_and_stays_eligible() {
    let mut cluster = Cluster::start(6);
    let single = (1..=3)
        .find(|&id| cluster.world.node(id).is_some_and(|node| !node.controller().is_active()))
        .expect("one");
    cluster.assign_topic("alone", &[single], &[]);
    cluster.world.kill_node(single);
    cluster.until(15, "it has no leader", |cluster| cluster.leader("alone", 0) == -1);
    let registration = cluster.registration("alone", 0);
    assert_eq!(
        (registration.isr, registration.elr, registration.last_known_elr),
        (vec![], vec![single], vec![single])
    );
    cluster.world.start_node(single);
    cluster.until(15, "it leads again", |cluster| cluster.leader("alone", 0) == single);
    assert_eq!(cluster.isr("alone", 0), [single]);
}

#[test]
fn a_retry_at_a_failover_does_not_duplicate() {
    for seed in 10..14 {
        let mut cluster = Cluster::start(seed);
        cluster.assign_topic("orders", &[1, 2, 3], &[("min.insync.replicas", "2")]);
        let producer = cluster.spawn(ClientKind::Producer, &[]);
        let values: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        cluster.produce(producer, "orders", &values[..10]);
        for (tag, value) in values[10..].iter().enumerate() {
            let value = Some(value.as_bytes().into());
            let record =
                ProducerRecord { topic: "orders".to_owned(), value, ..ProducerRecord::default() };
            cluster.world.tell_client(producer, ClientCommand::Send { tag: tag as u64, record });
            if tag == 20 {
                cluster.run(5 + seed);
                cluster.world.kill_node(1);
            }
        }
        let done = |cluster: &Cluster| {
            cluster
                .notices
                .iter()
                .filter(|(_, notice)| {
                    matches!(notice, ClientNotice::Delivered { result: Ok(_), .. })
                })
                .count()
                == 40
        };
        cluster.until(60, "all is acknowledged", done);
        cluster.run(1_000);
        assert_eq!(cluster.consume("orders"), values, "seed {seed}");
    }
}

#[test]
fn a_follower_that_cannot_fetch_leaves_the_isr_after_its_lag_limit() {
    let mut cluster = Cluster::start(7);
    let controller = cluster.world.node(1).and_then(|node| node.controller().leader());
    let controller = controller.expect("a controller");
    let others: Vec<BrokerId> = (1..=3).filter(|&id| id != controller).collect();
    let [leader, follower] = others[..] else { panic!("three nodes") };
    cluster.assign_topic("orders", &[leader, follower, controller], &[]);
    let config = [("acks", "1"), ("enable.idempotence", "false")];
    let producer = cluster.spawn(ClientKind::Producer, &config);
    cluster.produce(producer, "orders", &["one"])[0].as_ref().expect("it is acknowledged");
    cluster.run(60_000);
    assert_eq!(cluster.isr("orders", 0).len(), 3, "a quiet partition stays in sync");
    // Its fetches are lost; its heartbeats are not.
    cluster.cut(follower, leader, true);
    cluster.produce(producer, "orders", &["two"])[0].as_ref().expect("it is acknowledged");
    let shrunk = |cluster: &Cluster| !cluster.isr("orders", 0).contains(&follower);
    let ms = cluster.until(60, "the ISR shrinks", shrunk);
    assert!((29_000..46_000).contains(&ms), "{ms}");
    cluster.cut(follower, leader, false);
    cluster.until(60, "it is back", |cluster| cluster.isr("orders", 0) == [1, 2, 3]);
    assert_eq!(cluster.end_offset(follower, "orders"), 2);
}
