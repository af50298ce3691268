//! What the checker says of losses that the settings allow: they are named, and are no violations.

use cluster::checker::{Anomaly, Checker};
use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientSpec, Destination, ProducerRecord,
};
use cluster::protocol::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use cluster::types::{BrokerId, TopicPartition};
use cluster::world::{ClusterSpec, World};
use simulation::{Micros, NodeId};

/// A cluster that is watched at every step.
struct Watched {
    world: World,
    checker: Checker,
    anomalies: Vec<Anomaly>,
}

impl Watched {
    fn start() -> Self {
        let mut world = World::new(ClusterSpec::default_cluster(0), 1);
        world.simulation_mut().trace_mut().watch(true, false);
        let mut watched = Self { world, checker: Checker::default(), anomalies: Vec::new() };
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

    fn client(&mut self, kind: ClientKind) -> NodeId {
        let bootstrap = (1..=3)
            .map(|id| BootstrapServer { host: format!("kafka{id}"), port: 9092, node: Some(id) })
            .collect();
        self.world.spawn_client(ClientSpec {
            client_id: String::new(),
            bootstrap,
            kind,
            config: Vec::new(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    /// `t-0` on these brokers, where an unclean leader may be elected.
    fn create_topic(&mut self, replicas: &[BrokerId], retention_ms: u32) {
        let config = |name: &str, value: String| CreatableTopicConfig {
            name: name.to_owned(),
            value: Some(value),
        };
        let topic = CreatableTopic {
            name: "t".to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![CreatableReplicaAssignment {
                partition_index: 0,
                broker_ids: replicas.to_vec(),
            }],
            configs: vec![
                config("unclean.leader.election.enable", "true".to_owned()),
                config("retention.ms", retention_ms.to_string()),
            ],
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        let (to, request) = (Destination::Any, request.into());
        let admin = self.client(ClientKind::Admin);
        let command = ClientCommand::Call { call: 1, to, request, timeout_ms: 30_000 };
        self.world.tell_client(admin, command);
    }
}

fn isr(world: &World) -> Vec<BrokerId> {
    let topic = world.node(3).and_then(|node| node.metadata().topic("t"));
    topic.map(|topic| topic.partitions[&0].isr.clone()).unwrap_or_default()
}

/// Log start and end on a broker.
fn log(world: &World, broker: BrokerId) -> Option<(i64, i64)> {
    let replica = world.node(broker)?.replica("t", 0)?;
    Some((replica.log.log_start_offset(), replica.log.log_end_offset()))
}

#[test]
fn what_an_unclean_leader_lacks_is_named_even_when_it_had_expired() {
    for (retention_ms, expected) in [(600_000, (0, 4)), (1_000, (4, 4))] {
        let mut watched = Watched::start();
        watched.create_topic(&[1, 2], retention_ms);
        watched.until(|world| isr(world) == [1, 2]);
        watched.world.kill_node(2);
        watched.until(|world| isr(world) == [1]);
        let producer = watched.client(ClientKind::Producer);
        for tag in 0..4 {
            let value = Some(tag.to_string().as_bytes().into());
            let record = ProducerRecord { topic: "t".to_owned(), value, ..Default::default() };
            watched.world.tell_client(producer, ClientCommand::Send { tag, record });
        }
        watched.until(|world| log(world, 1) == Some(expected));
        watched.world.kill_node(1);
        watched.world.start_node(2);
        watched.until(|world| isr(world) == [2]);
        let lost = Anomaly::RecordsLost {
            partition: TopicPartition::new("t", 0),
            leader: 2,
            from: 0,
            to: 4,
        };
        assert_eq!(watched.anomalies, [lost], "retention.ms={retention_ms}");
    }
}
