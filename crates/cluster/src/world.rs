//! The whole cluster and its clients on one simulated network, and the doors through which the world outside acts on it:
//! starting, stopping and pausing processes, spawning clients, telling clients things. Nothing else changes a cluster.

use serde::{Deserialize, Serialize};
use simulation::{Actor, Context, Input, Micros, NodeId, ProcessState, Simulation};

use crate::broker::{KafkaNode, KafkaTimer};
use crate::client::{Client, ClientCommand, ClientNotice, ClientSpec, ClientTimer};
use crate::event::ClusterEvent;
use crate::protocol::Message;
use crate::types::{BrokerId, TimestampMs};

/// One process of the world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Process {
    Kafka(Box<KafkaNode>),
    Client(Box<Client>),
}

/// A timer of any process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    Kafka(KafkaTimer),
    Client(ClientTimer),
}

/// What a process may do while it handles an input.
pub type ProcessContext<'a> = Context<'a, Process>;

impl Actor for Process {
    type Message = Message;
    type Timer = Timer;
    type Command = ClientCommand;
    type Notice = ClientNotice;
    type Event = ClusterEvent;

    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        match self {
            Self::Kafka(node) => node.handle(input, context),
            Self::Client(client) => client.handle(input, context),
        }
    }

    fn stopped(&mut self) {
        match self {
            Self::Kafka(node) => node.stopped(),
            Self::Client(_) => {}
        }
    }
}

/// What a cluster is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// 22 characters, as `kafka-storage random-uuid` prints it.
    pub cluster_id: String,
    pub nodes: Vec<NodeSpec>,
    /// What stands in every node's server.properties beside its own identity, by Kafka's names.
    pub configs: Vec<(String, String)>,
    /// What virtual time zero is on the wall: milliseconds since 1970-01-01T00:00:00Z.
    pub epoch_ms: TimestampMs,
}

/// One node, broker and controller combined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    pub id: BrokerId,
    /// The advertised host name; also the container's name.
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

impl ClusterSpec {
    /// The cluster of the recordings (and of the page): kafka1 to kafka3, combined, group.initial.rebalance.delay.ms=0.
    pub fn default_cluster(epoch_ms: TimestampMs) -> Self {
        let nodes = (1..=3)
            .map(|id| NodeSpec { id, host: format!("kafka{id}"), port: 9092, rack: None })
            .collect();
        let configs = [
            ("group.initial.rebalance.delay.ms", "0"),
            ("offsets.topic.replication.factor", "3"),
            ("transaction.state.log.replication.factor", "3"),
            ("transaction.state.log.min.isr", "2"),
            ("share.coordinator.state.topic.replication.factor", "3"),
            ("share.coordinator.state.topic.min.isr", "2"),
            ("controller.quorum.voters", "1@kafka1:9093,2@kafka2:9093,3@kafka3:9093"),
            ("process.roles", "broker,controller"),
            ("controller.listener.names", "CONTROLLER"),
        ];
        let configs = configs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { cluster_id: "5L6g3nShT-eMCtK--X86sw".to_owned(), nodes, configs, epoch_ms }
    }
}

/// Clients' node ids start here; below are the cluster's own.
const FIRST_CLIENT: u32 = 1_000;

/// A cluster, its clients and their network. Cloning it is a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    spec: ClusterSpec,
    next_client: u32,
    simulation: Simulation<Process>,
}

impl World {
    /// A cluster whose nodes have all just been started.
    pub fn new(spec: ClusterSpec, seed: u64) -> Self {
        let mut simulation = Simulation::new(seed);
        for node in &spec.nodes {
            simulation.add(node_id(node.id), Process::Kafka(Box::new(KafkaNode::new(&spec, node))));
        }
        for node in &spec.nodes {
            simulation.start(node_id(node.id));
        }
        Self { spec, next_client: FIRST_CLIENT, simulation }
    }

    pub fn spec(&self) -> &ClusterSpec {
        &self.spec
    }

    pub fn simulation(&self) -> &Simulation<Process> {
        &self.simulation
    }

    pub fn simulation_mut(&mut self) -> &mut Simulation<Process> {
        &mut self.simulation
    }

    pub fn now(&self) -> Micros {
        self.simulation.now()
    }

    /// Milliseconds since 1970 at the present virtual time.
    pub fn wall_clock_ms(&self) -> TimestampMs {
        wall_clock_ms(self.spec.epoch_ms, self.now())
    }

    /// A node of the cluster, whatever its process's state.
    pub fn node(&self, id: BrokerId) -> Option<&KafkaNode> {
        match self.simulation.actor(node_id(id)) {
            Some(Process::Kafka(node)) => Some(node),
            _ => None,
        }
    }

    pub fn nodes(&self) -> impl Iterator<Item = (&NodeSpec, &KafkaNode)> + '_ {
        self.spec.nodes.iter().filter_map(|spec| Some((spec, self.node(spec.id)?)))
    }

    /// The clients that are there, in the order in which they came.
    pub fn clients(&self) -> impl Iterator<Item = (NodeId, &Client)> + '_ {
        self.simulation.node_ids().filter_map(|id| match self.simulation.actor(id) {
            Some(Process::Client(client)) => Some((id, client.as_ref())),
            _ => None,
        })
    }

    pub fn node_state(&self, id: BrokerId) -> Option<ProcessState> {
        self.simulation.state(node_id(id))
    }

    /// SIGTERM: controlled shutdown, then the process ends.
    pub fn terminate_node(&mut self, id: BrokerId) {
        self.simulation.terminate(node_id(id));
    }

    /// SIGKILL.
    pub fn kill_node(&mut self, id: BrokerId) {
        self.simulation.kill(node_id(id));
    }

    pub fn start_node(&mut self, id: BrokerId) {
        self.simulation.start(node_id(id));
    }

    pub fn pause_node(&mut self, id: BrokerId) {
        self.simulation.pause(node_id(id));
    }

    pub fn resume_node(&mut self, id: BrokerId) {
        self.simulation.resume(node_id(id));
    }

    /// Starts a client's process.
    pub fn spawn_client(&mut self, spec: ClientSpec) -> NodeId {
        let id = NodeId(self.next_client);
        self.next_client += 1;
        self.simulation.add(id, Process::Client(Box::new(Client::new(spec, self.spec.epoch_ms))));
        self.simulation.start(id);
        id
    }

    pub fn tell_client(&mut self, id: NodeId, command: ClientCommand) {
        self.simulation.command(id, command);
    }

    /// Ends a client's process at once, as SIGKILL would; its group waits for the session to time out.
    pub fn kill_client(&mut self, id: NodeId) {
        self.simulation.remove(id);
    }

    /// What clients have told their owners, in order. A client that has closed is gone afterwards.
    pub fn take_notice(&mut self) -> Option<(NodeId, ClientNotice)> {
        let notice = self.simulation.take_notice()?;
        if notice.1 == ClientNotice::Closed {
            self.simulation.remove(notice.0);
        }
        Some(notice)
    }

    /// The time of the next event.
    pub fn next_time(&self) -> Option<Micros> {
        self.simulation.next_time()
    }

    /// Lets the next event happen.
    pub fn step(&mut self) -> bool {
        self.simulation.step()
    }

    /// Lets time pass up to the next event.
    pub fn advance_to(&mut self, time: Micros) {
        self.simulation.advance_to(time);
    }

    /// Lets everything happen that happens until `time`, and `time` be now. Notices wait to be taken.
    pub fn run_until(&mut self, time: Micros) {
        while self.next_time().is_some_and(|next| next <= time) {
            self.step();
        }
        self.advance_to(time);
    }
}

/// A Kafka node's place in the simulation.
pub fn node_id(id: BrokerId) -> NodeId {
    NodeId(id as u32)
}

/// Milliseconds since 1970 at `now`, if virtual time zero was `epoch_ms`.
pub fn wall_clock_ms(epoch_ms: TimestampMs, now: Micros) -> TimestampMs {
    epoch_ms + now.as_ms() as TimestampMs
}
