//! Whoever works with the cluster, and whatever happens to it: applications, administrators, failing machines and links.
//!
//! Every choice is drawn from the run's own stream of random numbers. A fault has an end: a broker comes back, a link is
//! mended, after a time that is drawn with it.

use super::ledger::{Ledger, Promise};
use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    ProducerRecord,
};
use cluster::protocol::*;
use cluster::types::BrokerId;
use cluster::world::{ClusterSpec, NodeSpec, World, node_id};
use simulation::sorted::{SortedMap, SortedSet};
use simulation::{Link, Micros, NodeId, ProcessState, Random};

/// Topics are named `t0`, `t1`, ...; most actions choose among so many at most.
const TOPICS: u64 = 6;
const PRODUCERS: usize = 4;
const CONSUMERS: usize = 4;
const GROUPS: u64 = 2;
/// Actions are this far apart at most; most are closer.
const PAUSE_MAX_US: u64 = 1_500_000;
const EPOCH_MS: i64 = 1_763_768_000_000;

/// What mends a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repair {
    Start(BrokerId),
    Resume(BrokerId),
    Link(NodeId, NodeId),
}

pub struct Operator {
    random: Random,
    brokers: Vec<BrokerId>,
    admin: Option<NodeId>,
    producers: Vec<NodeId>,
    consumers: SortedSet<NodeId>,
    /// With their partition counts; a topic that was asked for may not be there (yet).
    topics: SortedMap<String, i32>,
    repairs: Vec<(Micros, Repair)>,
    next: Micros,
    calls: u32,
    tags: u64,
    faults: u64,
}

impl Operator {
    /// A cluster to work with: usually three nodes.
    pub fn cluster(random: &mut Random) -> ClusterSpec {
        let size = [3, 3, 3, 3, 1, 5][random.below(6) as usize];
        let racks = random.chance(300_000);
        let mut spec = ClusterSpec::default_cluster(EPOCH_MS);
        spec.nodes = (1..=size)
            .map(|id| NodeSpec {
                id,
                host: format!("kafka{id}"),
                port: 9092,
                rack: racks.then(|| format!("rack{}", id % 2)),
            })
            .collect();
        let voters: Vec<String> = (1..=size).map(|id| format!("{id}@kafka{id}:9093")).collect();
        let factor = size.min(3).to_string();
        for (name, value) in &mut spec.configs {
            match name.as_str() {
                "controller.quorum.voters" => *value = voters.join(","),
                "offsets.topic.replication.factor" => value.clone_from(&factor),
                _ => {}
            }
        }
        spec.configs.push(("offsets.topic.num.partitions".to_owned(), "5".to_owned()));
        if random.chance(200_000) {
            spec.configs.push(("min.insync.replicas".to_owned(), "2".to_owned()));
        }
        spec
    }

    pub fn new(random: Random, world: &World) -> Self {
        Self {
            random,
            brokers: world.spec().nodes.iter().map(|node| node.id).collect(),
            admin: None,
            producers: Vec::new(),
            consumers: SortedSet::new(),
            topics: SortedMap::new(),
            repairs: Vec::new(),
            next: Micros::from_secs(5),
            calls: 0,
            tags: 0,
            faults: 0,
        }
    }

    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// When there is something to be done next.
    pub fn next_time(&self) -> Micros {
        let repair = self.repairs.iter().map(|(at, _)| *at).min().unwrap_or(Micros::MAX);
        repair.min(self.next)
    }

    /// Does what is due now.
    pub fn act(&mut self, world: &mut World, ledger: &mut Ledger) {
        let now = world.now();
        if let Some(at) = self.repairs.iter().position(|(at, _)| *at <= now) {
            let (_, repair) = self.repairs.remove(at);
            return Self::repair(world, repair);
        }
        if self.next > now {
            return;
        }
        let pause = self.random.below(PAUSE_MAX_US);
        self.next = now + Micros(pause * pause / PAUSE_MAX_US + 1);
        match self.random.below(100) {
            0..40 => self.send(world, ledger),
            40..50 => self.come_or_go(world, ledger),
            50..56 => self.commit(world),
            56..62 => self.create_topic(world),
            62..64 => self.delete_topic(world, ledger),
            64..67 => self.grow_topic(world),
            67..72 => self.alter_topic(world),
            72..75 => self.elect_leaders(world),
            75..77 => self.delete_records(world),
            77..79 => self.reassign(world),
            79..82 => self.look(world),
            82..91 => self.break_broker(world),
            _ => self.break_link(world),
        }
    }

    /// Ends every fault, and all traffic but what is under way.
    pub fn mend(&mut self, world: &mut World) {
        self.next = Micros::MAX;
        self.repairs.clear();
        let changed: Vec<_> =
            world.simulation().network().changed_links().map(|(ends, _)| ends).collect();
        for (from, to) in changed {
            Self::repair(world, Repair::Link(from, to));
        }
        for &broker in &self.brokers {
            Self::repair(world, Repair::Resume(broker));
            // A broker that is shutting down is started when it is down: see `act`.
            for later in [30, 60, 90] {
                self.repairs.push((world.now() + Micros::from_secs(later), Repair::Start(broker)));
            }
            Self::repair(world, Repair::Start(broker));
        }
    }

    /// Answers a client as its application would.
    pub fn hear(&mut self, world: &mut World, client: NodeId, notice: &ClientNotice) {
        match notice {
            ClientNotice::Records(_) => self.poll(world, client),
            ClientNotice::Failed(_) | ClientNotice::Closed => {
                self.forget(client);
                world.kill_client(client);
            }
            _ => {}
        }
    }

    fn forget(&mut self, client: NodeId) {
        self.producers.retain(|producer| *producer != client);
        self.consumers.remove(&client);
        self.admin = self.admin.filter(|admin| *admin != client);
    }

    fn poll(&mut self, world: &mut World, consumer: NodeId) {
        if self.consumers.contains(&consumer) {
            let max_records = self.random.below(500) as u32 + 1;
            world.tell_client(consumer, ClientCommand::Poll { max_records });
        }
    }

    // ---- applications

    fn send(&mut self, world: &mut World, ledger: &mut Ledger) {
        let Some(topic) = self.some_topic() else { return self.create_topic(world) };
        if self.producers.is_empty() {
            self.add_producer(world, ledger);
        }
        let producer = self.producers[self.random.below(self.producers.len() as u64) as usize];
        for _ in 0..=self.random.below(30) {
            self.tags += 1;
            let padding = self.random.below(400) as usize;
            let value = ledger.value(producer, self.tags, padding);
            let key = self.random.chance(500_000).then(|| format!("k{}", self.random.below(20)));
            let partitions = self.topics.get(&topic).copied().unwrap_or(1);
            let partition = self.random.chance(200_000).then(|| self.below(partitions));
            let record = ProducerRecord {
                topic: topic.clone(),
                partition,
                key: key.map(|key| key.into_bytes().into()),
                value: Some(value.into()),
                ..ProducerRecord::default()
            };
            world.tell_client(producer, ClientCommand::Send { tag: self.tags, record });
        }
        if self.random.chance(100_000) {
            world.tell_client(producer, ClientCommand::Flush);
        }
    }

    /// A client begins, ends in good order, or dies.
    fn come_or_go(&mut self, world: &mut World, ledger: &mut Ledger) {
        match self.random.below(10) {
            0..3 if self.producers.len() < PRODUCERS => self.add_producer(world, ledger),
            0..7 if self.consumers.len() < CONSUMERS => self.add_consumer(world),
            choice => {
                let clients: Vec<NodeId> =
                    self.producers.iter().chain(self.consumers.iter()).copied().collect();
                if clients.is_empty() {
                    return;
                }
                let client = clients[self.random.below(clients.len() as u64) as usize];
                if choice < 9 {
                    world.tell_client(client, ClientCommand::Close);
                } else {
                    world.kill_client(client);
                }
                self.forget(client);
            }
        }
    }

    fn add_producer(&mut self, world: &mut World, ledger: &mut Ledger) {
        let acks = ["all", "all", "all", "1", "0"][self.random.below(5) as usize];
        let idempotent = acks == "all" && self.random.chance(750_000);
        let compression =
            ["none", "none", "gzip", "snappy", "lz4", "zstd"][self.random.below(6) as usize];
        let config = vec![
            ("acks", acks.to_owned()),
            ("enable.idempotence", idempotent.to_string()),
            ("compression.type", compression.to_owned()),
            ("linger.ms", self.one_of(&[0, 5, 100])),
            ("batch.size", self.one_of(&[16_384, 500, 100_000])),
            ("max.in.flight.requests.per.connection", self.one_of(&[5, 1, 2])),
            ("delivery.timeout.ms", self.one_of(&[120_000, 40_000])),
        ];
        let producer = self.spawn(world, ClientKind::Producer, config);
        ledger.producer(producer, Promise { survives: acks == "all", idempotent });
        self.producers.push(producer);
    }

    fn add_consumer(&mut self, world: &mut World) {
        let Some(topic) = self.some_topic() else { return };
        let group = format!("g{}", self.random.below(GROUPS));
        let mut config = vec![
            ("group.id", group),
            ("auto.offset.reset", "earliest".to_owned()),
            ("enable.auto.commit", self.random.chance(600_000).to_string()),
            ("session.timeout.ms", self.one_of(&[45_000, 10_000])),
            ("fetch.min.bytes", self.one_of(&[1, 1, 10_000])),
        ];
        if self.random.chance(200_000) {
            config.push(("group.instance.id", format!("i{}", self.random.below(3))));
        }
        if self.random.chance(300_000) {
            config.push(("isolation.level", "read_committed".to_owned()));
        }
        let consumer = self.spawn(world, ClientKind::Consumer, config);
        self.consumers.insert(consumer);
        let mut topics = vec![topic];
        topics.extend(self.some_topic());
        topics.sort();
        topics.dedup();
        world.tell_client(consumer, ClientCommand::Subscribe { topics, pattern: false });
        self.poll(world, consumer);
    }

    fn commit(&mut self, world: &mut World) {
        let consumers: Vec<NodeId> = self.consumers.iter().copied().collect();
        if !consumers.is_empty() {
            let consumer = consumers[self.random.below(consumers.len() as u64) as usize];
            world.tell_client(consumer, ClientCommand::Commit { offsets: Vec::new() });
        }
    }

    // ---- administrators

    fn create_topic(&mut self, world: &mut World) {
        let name = format!("t{}", self.random.below(TOPICS));
        let size = self.brokers.len() as u64;
        let mut configs = Vec::new();
        for (name, value) in self.topic_configs() {
            configs.push(CreatableTopicConfig { name, value: Some(value) });
        }
        let partitions = self.random.below(5) as i32 + 1;
        let replicas =
            if self.random.chance(600_000) { size.min(3) } else { self.random.below(size) + 1 };
        self.topics.entry(name.clone()).or_insert(partitions);
        let topic = CreatableTopic {
            name,
            num_partitions: partitions,
            replication_factor: replicas as i16,
            assignments: Vec::new(),
            configs,
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        self.call(world, request);
    }

    fn delete_topic(&mut self, world: &mut World, ledger: &mut Ledger) {
        let Some(name) = self.some_topic() else { return };
        ledger.topic_deleted(&name);
        let topic = DeleteTopicState { name: Some(name), ..DeleteTopicState::default() };
        self.call(world, DeleteTopicsRequest { topics: vec![topic], timeout_ms: 30_000 });
    }

    fn grow_topic(&mut self, world: &mut World) {
        let Some(name) = self.some_topic() else { return };
        let count = self.topics[&name] + 1 + self.below(2);
        if count > 12 {
            return;
        }
        self.topics.insert(name.clone(), count);
        let topic = CreatePartitionsTopic { name, count, assignments: None };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            validate_only: false,
        };
        self.call(world, request);
    }

    fn alter_topic(&mut self, world: &mut World) {
        let Some(name) = self.some_topic() else { return };
        let delete = self.random.chance(300_000);
        let configs = self
            .topic_configs()
            .into_iter()
            .map(|(name, value)| AlterableConfig {
                name,
                config_operation: i8::from(delete),
                value: Some(value).filter(|_| !delete),
            })
            .collect();
        let resource = AlterConfigsResource { resource_type: 2, resource_name: name, configs };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        self.call(world, request);
    }

    /// Configs that change what the log and the ISR do.
    fn topic_configs(&mut self) -> Vec<(String, String)> {
        let mut configs = Vec::new();
        let mut add = |name: &str, value: String| configs.push((name.to_owned(), value));
        if self.random.chance(300_000) {
            add("min.insync.replicas", self.one_of(&[1, 2, 2, 3]));
        }
        if self.random.chance(80_000) {
            add("unclean.leader.election.enable", "true".to_owned());
        }
        if self.random.chance(200_000) {
            add("retention.ms", self.one_of(&[20_000, 100_000]));
        }
        if self.random.chance(200_000) {
            add("retention.bytes", self.one_of(&[20_000, 200_000]));
        }
        if self.random.chance(300_000) {
            add("segment.ms", self.one_of(&[5_000, 60_000]));
        }
        if self.random.chance(100_000) {
            add("message.timestamp.type", "LogAppendTime".to_owned());
        }
        if self.random.chance(100_000) {
            add("compression.type", "gzip".to_owned());
        }
        configs
    }

    fn elect_leaders(&mut self, world: &mut World) {
        let topics = match self.some_topic() {
            Some(topic) if self.random.chance(500_000) => {
                Some(vec![ElectLeadersTopic { topic, partitions: vec![0] }])
            }
            _ => None,
        };
        // Now and then an unclean one, by hand.
        let election_type = i8::from(topics.is_some() && self.random.chance(200_000));
        let request =
            ElectLeadersRequest { election_type, topic_partitions: topics, timeout_ms: 30_000 };
        self.call(world, request);
    }

    fn delete_records(&mut self, world: &mut World) {
        let Some(name) = self.some_topic() else { return };
        let partition = DeleteRecordsPartition {
            partition_index: 0,
            offset: self.random.below(200) as i64 - 1,
        };
        let topic = DeleteRecordsTopic { name: name.clone(), partitions: vec![partition] };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000 };
        let leader = Destination::Leader(cluster::types::TopicPartition::new(name, 0));
        self.call_to(world, leader, request);
    }

    fn reassign(&mut self, world: &mut World) {
        let Some(name) = self.some_topic() else { return };
        let mut replicas = self.brokers.clone();
        for at in (1..replicas.len()).rev() {
            replicas.swap(at, self.random.below(at as u64 + 1) as usize);
        }
        replicas.truncate(self.random.below(3) as usize + 1);
        let partition_index = self.below(self.topics[&name]);
        // Without replicas the reassignment under way is cancelled.
        let replicas = Some(replicas).filter(|_| !self.random.chance(150_000));
        let partition = ReassignablePartition { partition_index, replicas };
        let request = AlterPartitionReassignmentsRequest {
            timeout_ms: 30_000,
            allow_replication_factor_change: true,
            topics: vec![ReassignableTopic { name, partitions: vec![partition] }],
        };
        self.call(world, request);
    }

    /// Requests that change nothing.
    fn look(&mut self, world: &mut World) {
        match self.random.below(4) {
            0 => self.call(world, DescribeClusterRequest::default()),
            1 => self.call(world, ListGroupsRequest::default()),
            2 => {
                let group = format!("g{}", self.random.below(GROUPS));
                let to = Destination::Coordinator(group.clone());
                let request = DescribeGroupsRequest { groups: vec![group], ..Default::default() };
                self.call_to(world, to, request);
            }
            _ => {
                let Some(name) = self.some_topic() else { return };
                let request = DescribeTopicPartitionsRequest {
                    topics: vec![TopicRequest { name }],
                    response_partition_limit: 2_000,
                    cursor: None,
                };
                self.call(world, request);
            }
        }
    }

    // ---- faults

    fn break_broker(&mut self, world: &mut World) {
        let broker = self.brokers[self.random.below(self.brokers.len() as u64) as usize];
        if world.node_state(broker) != Some(ProcessState::Running) {
            return;
        }
        self.faults += 1;
        let (repair, most_s) = match self.random.below(10) {
            0..4 => {
                world.kill_node(broker);
                (Repair::Start(broker), 40)
            }
            4..7 => {
                world.terminate_node(broker);
                (Repair::Start(broker), 60)
            }
            _ => {
                world.pause_node(broker);
                (Repair::Resume(broker), 30)
            }
        };
        self.repair_within(world, repair, most_s);
    }

    fn break_link(&mut self, world: &mut World) {
        let others: Vec<NodeId> = self
            .brokers
            .iter()
            .map(|broker| node_id(*broker))
            .chain(self.producers.iter().copied())
            .chain(self.consumers.iter().copied())
            .collect();
        let broker = node_id(self.brokers[self.random.below(self.brokers.len() as u64) as usize]);
        let other = others[self.random.below(others.len() as u64) as usize];
        if broker == other {
            return;
        }
        self.faults += 1;
        let normal = Link::default();
        let link = match self.random.below(4) {
            0 | 1 => Link { cut: true, ..normal },
            2 => Link { loss_per_million: self.random.below(400_000) as u32, ..normal },
            _ => Link {
                latency: Micros(self.random.below(2_000_000)),
                bandwidth_bytes_per_s: self.random.below(100_000) + 2_000,
                ..normal
            },
        };
        let both = self.random.chance(500_000);
        let directions = [(broker, other), (other, broker)];
        let first = self.random.below(2) as usize;
        for at in 0..if both { 2 } else { 1 } {
            let (from, to) = directions[(first + at) % 2];
            world.simulation_mut().network_mut().set_link(from, to, link);
            self.repair_within(world, Repair::Link(from, to), 30);
        }
    }

    fn repair_within(&mut self, world: &World, repair: Repair, most_s: u64) {
        let after = Micros(self.random.below(most_s * 1_000_000) + 1);
        self.repairs.push((world.now() + after, repair));
    }

    fn repair(world: &mut World, repair: Repair) {
        match repair {
            Repair::Start(broker) => world.start_node(broker),
            Repair::Resume(broker) => world.resume_node(broker),
            Repair::Link(from, to) => {
                world.simulation_mut().network_mut().set_link(from, to, Link::default());
            }
        }
    }

    // ---- small things

    fn some_topic(&mut self) -> Option<String> {
        let at = self.random.below(self.topics.len().max(1) as u64) as usize;
        self.topics.keys().nth(at).cloned()
    }

    fn below(&mut self, bound: i32) -> i32 {
        self.random.below(bound.max(1) as u64) as i32
    }

    fn one_of(&mut self, choices: &[u32]) -> String {
        choices[self.random.below(choices.len() as u64) as usize].to_string()
    }

    fn spawn(
        &mut self,
        world: &mut World,
        kind: ClientKind,
        config: Vec<(&str, String)>,
    ) -> NodeId {
        let server = |id: &BrokerId| BootstrapServer {
            host: format!("kafka{id}"),
            port: 9092,
            node: Some(*id),
        };
        world.spawn_client(ClientSpec {
            client_id: format!("fuzz-{}", self.random.below(1_000)),
            bootstrap: self.brokers.iter().map(server).collect(),
            kind,
            config: config.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    fn call(&mut self, world: &mut World, request: impl Into<Request>) {
        self.call_to(world, Destination::Any, request);
    }

    fn call_to(&mut self, world: &mut World, to: Destination, request: impl Into<Request>) {
        let admin = match self.admin {
            Some(admin) => admin,
            None => self.spawn(world, ClientKind::Admin, Vec::new()),
        };
        self.admin = Some(admin);
        self.calls += 1;
        let (call, request) = (self.calls, request.into());
        world.tell_client(admin, ClientCommand::Call { call, to, request, timeout_ms: 20_000 });
    }
}
