//! What the checker says of losses that the settings allow: they are named, and are no violations.

use cluster::checker::{Anomaly, Checker};
use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientSpec, Destination, ProducerRecord,
};
use cluster::controller::image::PartitionRegistration;
use cluster::protocol::{
    AlterPartitionReassignmentsRequest, CreatableReplicaAssignment, CreatableTopic,
    CreatableTopicConfig, CreateTopicsRequest, ReassignablePartition, ReassignableTopic, Request,
};
use cluster::types::{BrokerId, TopicPartition};
use cluster::world::{ClusterSpec, World, node_id};
use simulation::{Link, Micros, NodeId, ProcessState};

/// A cluster that is watched at every step.
struct Watched {
    world: World,
    checker: Checker,
    anomalies: Vec<Anomaly>,
    /// The brokers that clients are told of first.
    bootstrap: &'static [BrokerId],
}

impl Watched {
    fn start() -> Self {
        let mut world = World::new(ClusterSpec::default_cluster(0), 1);
        world.simulation_mut().trace_mut().watch(true, false);
        let checker = Checker::default();
        let mut watched = Self { world, checker, anomalies: Vec::new(), bootstrap: &[1, 2, 3] };
        watched.until(|world| world.nodes().all(|(_, node)| node.is_started()));
        watched
    }

    /// Steps until it is so, for ten minutes at most.
    fn until(&mut self, is_so: impl Fn(&World) -> bool) {
        let end = self.world.now() + Micros::from_secs(600);
        while !is_so(&self.world) {
            assert!(self.world.now() < end, "it never came");
            self.world.step();
            let happenings = self.world.simulation_mut().trace_mut().take();
            self.checker.observe(&self.world, &happenings).expect("no guarantee is broken");
            let anomalies = self.checker.take_anomalies();
            self.anomalies.extend(anomalies.into_iter().map(|(_, anomaly)| anomaly));
        }
    }

    fn client(&mut self, kind: ClientKind, config: &[(&str, &str)]) -> NodeId {
        let server = |id: &BrokerId| BootstrapServer {
            host: format!("kafka{id}"),
            port: 9092,
            node: Some(*id),
        };
        let bootstrap = self.bootstrap.iter().map(server).collect();
        self.world.spawn_client(ClientSpec {
            client_id: String::new(),
            bootstrap,
            kind,
            config: config
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    fn call(&mut self, request: impl Into<Request>) {
        let (to, request) = (Destination::Any, request.into());
        let admin = self.client(ClientKind::Admin, &[]);
        let command = ClientCommand::Call { call: 1, to, request, timeout_ms: 30_000 };
        self.world.tell_client(admin, command);
    }

    /// `t`, whose partitions are on these brokers.
    fn create_topic(&mut self, partitions: &[&[BrokerId]], configs: &[(&str, &str)]) {
        let assignment = |(index, brokers): (usize, &&[BrokerId])| CreatableReplicaAssignment {
            partition_index: index as i32,
            broker_ids: brokers.to_vec(),
        };
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let topic = CreatableTopic {
            name: "t".to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: partitions.iter().enumerate().map(assignment).collect(),
            configs: configs.iter().map(config).collect(),
        };
        let topics = vec![topic];
        self.call(CreateTopicsRequest { topics, timeout_ms: 30_000, validate_only: false });
        self.until(|world| registration(world, 0).is_some());
    }

    /// Moves a partition of `t`.
    fn reassign(&mut self, partition_index: i32, replicas: &[BrokerId]) {
        let replicas = Some(replicas.to_vec());
        let topic = ReassignableTopic {
            name: "t".to_owned(),
            partitions: vec![ReassignablePartition { partition_index, replicas }],
        };
        self.call(AlterPartitionReassignmentsRequest {
            timeout_ms: 30_000,
            allow_replication_factor_change: true,
            topics: vec![topic],
        });
    }

    fn link(&mut self, from: BrokerId, to: BrokerId, link: Link) {
        self.world.simulation_mut().network_mut().set_link(node_id(from), node_id(to), link);
    }

    /// Sends four records.
    fn produce(&mut self, partition: i32, acks: &str) {
        let producer =
            self.client(ClientKind::Producer, &[("acks", acks), ("enable.idempotence", "false")]);
        for tag in 0..4 {
            let value = Some(tag.to_string().as_bytes().into());
            let (topic, partition) = ("t".to_owned(), Some(partition));
            let record = ProducerRecord { topic, partition, value, ..Default::default() };
            self.world.tell_client(producer, ClientCommand::Send { tag, record });
        }
    }
}

/// A partition of `t` as broker 3 knows it.
fn registration(world: &World, partition: i32) -> Option<&PartitionRegistration> {
    world.node(3)?.metadata().topic("t")?.partitions.get(&partition)
}

fn has_isr(world: &World, partition: i32, isr: &[BrokerId]) -> bool {
    registration(world, partition).is_some_and(|registration| registration.isr == isr)
}

/// Log start and end on a broker.
fn log(world: &World, broker: BrokerId, partition: i32) -> Option<(i64, i64)> {
    let replica = world.node(broker)?.replica("t", partition)?;
    Some((replica.log.log_start_offset(), replica.log.log_end_offset()))
}

/// All records of a partition, that `leader` has not.
fn lost(partition: i32, leader: BrokerId, to: i64) -> Anomaly {
    Anomaly::RecordsLost { partition: TopicPartition::new("t", partition), leader, from: 0, to }
}

#[test]
fn what_an_unclean_leader_lacks_is_named_even_when_it_had_expired() {
    // What is produced, and the log after each time.
    let cases: [(&str, &[(i64, i64)]); 3] =
        [("600000", &[(0, 4)]), ("1000", &[(4, 4)]), ("1000", &[(4, 4), (4, 8)])];
    for (retention_ms, logs) in cases {
        let mut watched = Watched::start();
        let configs = [("unclean.leader.election.enable", "true"), ("retention.ms", retention_ms)];
        watched.create_topic(&[&[1, 2]], &configs);
        watched.world.kill_node(2);
        watched.until(|world| has_isr(world, 0, &[1]));
        for expected in logs {
            watched.produce(0, "all");
            watched.until(|world| log(world, 1, 0) == Some(*expected));
        }
        watched.world.kill_node(1);
        watched.world.start_node(2);
        watched.until(|world| has_isr(world, 0, &[2]));
        let to = 4 * logs.len() as i64;
        assert_eq!(watched.anomalies, [lost(0, 2, to)], "retention.ms={retention_ms} {logs:?}");
    }
}

#[test]
fn an_overthrown_leader_that_cannot_be_truncated_yet_says_nothing_of_what_is_committed() {
    let mut watched = Watched::start();
    let configs = [("unclean.leader.election.enable", "true"), ("retention.ms", "60000")];
    watched.create_topic(&[&[1, 2]], &configs);
    watched.world.kill_node(2);
    watched.until(|world| has_isr(world, 0, &[1]));
    watched.produce(0, "all");
    watched.until(|world| log(world, 1, 0) == Some((0, 4)));
    // The high watermark is kept over the crash.
    let checkpointed = watched.world.now() + Micros::from_secs(6);
    watched.until(|world| world.now() >= checkpointed);
    watched.world.kill_node(1);
    watched.world.start_node(2);
    watched.until(|world| has_isr(world, 0, &[2]));
    // It follows by the metadata, but cannot fetch: what it held as committed expires there.
    watched.link(1, 2, Link { cut: true, ..Link::default() });
    watched.world.start_node(1);
    watched.until(|world| log(world, 1, 0) == Some((4, 4)));
    // The next election is clean.
    watched.world.kill_node(1);
    watched.world.terminate_node(2);
    watched.until(|world| world.node_state(2) == Some(ProcessState::Down));
    watched.world.start_node(2);
    watched.until(|world| has_isr(world, 0, &[2]));
    watched.produce(0, "1");
    watched.until(|world| log(world, 2, 0) == Some((0, 4)));
    assert_eq!(watched.anomalies, [lost(0, 2, 4)]);
}

#[test]
fn what_an_overthrown_leader_still_takes_is_named_even_if_it_never_took_anything_before() {
    let mut watched = Watched::start();
    watched.create_topic(&[&[1, 2]], &[("unclean.leader.election.enable", "true")]);
    watched.world.kill_node(2);
    watched.until(|world| has_isr(world, 0, &[1]));
    // Cut off from the others, not from its clients, it learns nothing of the election.
    for (from, to) in [(1, 2), (1, 3), (2, 1), (3, 1)] {
        watched.link(from, to, Link { cut: true, ..Link::default() });
    }
    watched.world.start_node(2);
    watched.until(|world| has_isr(world, 0, &[2]));
    watched.bootstrap = &[1];
    watched.produce(0, "all");
    watched.until(|world| log(world, 1, 0) == Some((0, 4)));
    for (from, to) in [(1, 2), (1, 3), (2, 1), (3, 1)] {
        watched.link(from, to, Link::default());
    }
    watched.until(|world| has_isr(world, 0, &[1, 2]));
    assert_eq!(watched.anomalies, [lost(0, 1, 4)]);
}

/// Kafka 4.3 counts the smallest allowed ISR by the replicas of partition 0, and never strikes replicas that were moved
/// away off the eligible ones.
/// Broker 2 gets its replica of partition 1 back and leads it.
fn assert_back_and_leading_without_records(watched: &mut Watched) {
    watched.reassign(1, &[1, 2, 3]);
    // Its empty log is seen when it takes its first record.
    watched.produce(1, "1");
    watched.until(|world| log(world, 2, 1) == Some((0, 4)));
    assert_eq!(watched.anomalies, [lost(1, 2, 4)]);
}

#[test]
fn a_replica_that_was_moved_away_while_eligible_may_come_back_and_lead_without_records() {
    // Moved away by the leader that proposes the ISR which completes the move.
    let mut watched = Watched::start();
    watched.create_topic(&[&[3, 2], &[3, 2]], &[("min.insync.replicas", "2")]);
    watched.reassign(1, &[1]);
    watched.until(|world| has_isr(world, 1, &[1]));
    watched.produce(1, "all");
    watched.until(|world| log(world, 1, 1) == Some((0, 4)));
    watched.world.kill_node(1);
    watched.until(|world| has_isr(world, 1, &[]));
    assert_back_and_leading_without_records(&mut watched);

    // Moved away when it was not in sync.
    let mut watched = Watched::start();
    watched.create_topic(&[&[3, 2], &[1, 2]], &[("min.insync.replicas", "2")]);
    watched.world.terminate_node(2);
    watched.until(|world| world.node_state(2) == Some(ProcessState::Down));
    watched.reassign(1, &[1]);
    watched.until(|world| registration(world, 1).is_some_and(|found| found.replicas == [1]));
    watched.produce(1, "all");
    watched.until(|world| log(world, 1, 1) == Some((0, 4)));
    watched.world.start_node(2);
    watched.until(|world| has_isr(world, 0, &[2, 3]));
    watched.world.kill_node(1);
    watched.until(|world| has_isr(world, 1, &[]));
    assert_back_and_leading_without_records(&mut watched);
}
