//! The console's door to the world: clients, containers, the clock, names. Implements `console::host::Host`.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use cluster::client::{ClientCommand, ClientSpec};
use cluster::event::ClusterEvent;
use cluster::types::BrokerId;
use cluster::world::{Process, World, wall_clock_ms};
use console::date::log4j_time;
use console::host::{Address, ClientId, DockerAction, Host, HostEvent, NodeState, NodeStatus};
use console::options::Values;
use serde::{Deserialize, Serialize};
use simulation::{Happening, Micros, ProcessState, Random};

/// `docker stop` sends SIGKILL after this.
const STOP_GRACE: Micros = Micros::from_secs(10);
/// Where containers' listeners are published on the user's machine; the first also answers as `localhost:9092`.
const LISTENER_PORT: u16 = 9_092;
/// Log lines kept of each container.
const LOG_LINES: usize = 500;

/// What docker knows of the cluster's containers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Containers {
    states: SortedMap<BrokerId, Container>,
    /// Changes under way, in the order in which they were asked for.
    tickets: Vec<Ticket>,
    refused: VecDeque<(u64, String)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Container {
    state: NodeState,
    since: Micros,
    log: VecDeque<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ticket {
    number: u64,
    node: BrokerId,
    action: DockerAction,
    /// When a stop becomes a kill.
    deadline: Micros,
}

impl Containers {
    /// All containers of a cluster, just created and started.
    pub fn new(world: &World) -> Self {
        let container =
            Container { state: NodeState::Running, since: world.now(), log: VecDeque::new() };
        let states = world.spec().nodes.iter().map(|node| (node.id, container.clone())).collect();
        Self { states, ..Self::default() }
    }

    /// Since when a container is in its state, and which.
    pub fn state(&self, node: BrokerId) -> Option<(NodeState, Micros)> {
        self.states.get(&node).map(|container| (container.state, container.since))
    }

    /// Adds a line to a container's log.
    pub fn log(&mut self, node: BrokerId, line: String) {
        let Some(container) = self.states.get_mut(&node) else { return };
        if container.log.len() == LOG_LINES {
            container.log.pop_front();
        }
        container.log.push_back(line);
    }

    /// Writes what a node would write into its log.
    pub fn observe(
        &mut self,
        now: Micros,
        epoch_ms: i64,
        happenings: &[(Micros, Happening<Process>)],
    ) {
        let time = log4j_time(wall_clock_ms(epoch_ms, now) as u64);
        for (_, happening) in happenings {
            let Happening::Event { node, event } = happening else { continue };
            let active = node.0 as BrokerId;
            let (at, text, logger) = match event {
                ClusterEvent::BrokerRegistered { broker, epoch, .. } => (
                    *broker,
                    format!(
                        "[BrokerLifecycleManager id={broker}] Successfully registered broker {broker} with broker epoch {epoch}"
                    ),
                    "kafka.server.BrokerLifecycleManager",
                ),
                ClusterEvent::BrokerUnfenced { broker } => (
                    *broker,
                    format!(
                        "[BrokerLifecycleManager id={broker}] The broker has been unfenced. Transitioning from RECOVERY to RUNNING."
                    ),
                    "kafka.server.BrokerLifecycleManager",
                ),
                ClusterEvent::BrokerFenced { broker, .. } => (
                    active,
                    format!(
                        "[QuorumController id={active}] Fencing broker {broker} because its session has timed out."
                    ),
                    "org.apache.kafka.controller.ReplicationControlManager",
                ),
                ClusterEvent::ControlledShutdownStarted { broker } => (
                    *broker,
                    format!("[BrokerLifecycleManager id={broker}] Beginning controlled shutdown."),
                    "kafka.server.BrokerLifecycleManager",
                ),
                ClusterEvent::ControllerElected { leader, epoch } => (
                    *leader,
                    format!(
                        "[QuorumController id={leader}] Becoming the active controller at epoch {epoch}."
                    ),
                    "org.apache.kafka.controller.QuorumController",
                ),
                ClusterEvent::LeaderChanged { partition, to: Some(leader), epoch, .. } => (
                    *leader,
                    format!(
                        "[Broker id={leader}] Leader {partition} starts at leader epoch {epoch}"
                    ),
                    "state.change.logger",
                ),
                ClusterEvent::IsrChanged { partition, to, .. } => {
                    let isr: Vec<String> = to.iter().map(ToString::to_string).collect();
                    let text = format!(
                        "[QuorumController id={active}] ISR of {partition} is now {}",
                        isr.join(",")
                    );
                    (active, text, "org.apache.kafka.controller.ReplicationControlManager")
                }
                ClusterEvent::TopicCreated { topic, .. } => (
                    active,
                    format!(
                        "[QuorumController id={active}] Replayed TopicRecord for topic {topic}."
                    ),
                    "org.apache.kafka.controller.ReplicationControlManager",
                ),
                _ => continue,
            };
            self.log(at, format!("[{time}] INFO {text} ({logger})"));
        }
    }

    /// When `settle` is needed though nothing else happens.
    pub fn deadline(&self) -> Option<Micros> {
        self.tickets
            .iter()
            .filter(|ticket| ticket.action == DockerAction::Stop)
            .map(|ticket| ticket.deadline)
            .min()
    }

    pub fn is_quiet(&self) -> bool {
        self.tickets.is_empty() && self.refused.is_empty()
    }

    /// Takes notice of processes that have ended or started; returns what the console should be told.
    pub fn settle(&mut self, world: &mut World) -> Vec<HostEvent> {
        let now = world.now();
        let mut events: Vec<HostEvent> = self
            .refused
            .drain(..)
            .map(|(ticket, why)| HostEvent::Docker { ticket, result: Err(why) })
            .collect();
        for (&id, container) in &mut self.states {
            // A process may also end by itself.
            if world.node_state(id) == Some(ProcessState::Down)
                && !matches!(container.state, NodeState::Exited(_))
            {
                container.state = NodeState::Exited(143);
                container.since = now;
            }
        }
        let mut open = Vec::new();
        for ticket in std::mem::take(&mut self.tickets) {
            if ticket.action == DockerAction::Stop && ticket.deadline <= now {
                world.kill_node(ticket.node);
                self.enter(ticket.node, NodeState::Exited(137), now);
            }
            let done = match ticket.action {
                DockerAction::Start => {
                    world.node(ticket.node).is_some_and(cluster::broker::KafkaNode::is_started)
                }
                DockerAction::Stop => world.node_state(ticket.node) == Some(ProcessState::Down),
                DockerAction::Kill | DockerAction::Pause | DockerAction::Unpause => true,
            };
            if done {
                events.push(HostEvent::Docker { ticket: ticket.number, result: Ok(()) });
            } else {
                open.push(ticket);
            }
        }
        self.tickets = open;
        events
    }

    fn enter(&mut self, node: BrokerId, state: NodeState, now: Micros) {
        if let Some(container) = self.states.get_mut(&node) {
            container.state = state;
            container.since = now;
        }
    }

    /// Does at once what can be done at once; `settle` says when it is done.
    fn act(&mut self, world: &mut World, number: u64, action: DockerAction, name: &str) {
        let now = world.now();
        let Some(node) =
            world.spec().nodes.iter().find(|node| node.host == name).map(|node| node.id)
        else {
            self.refused.push_back((number, format!("no such service: {name}")));
            return;
        };
        let state =
            self.states.get(&node).map_or(NodeState::Exited(0), |container| container.state);
        let refusal = match (action, state) {
            (DockerAction::Kill | DockerAction::Pause, NodeState::Exited(_)) => {
                Some("is not running")
            }
            (DockerAction::Pause, NodeState::Paused) => Some("is already paused"),
            (DockerAction::Unpause, NodeState::Running | NodeState::Exited(_)) => {
                Some("is not paused")
            }
            (DockerAction::Start, NodeState::Paused) => Some("is paused: unpause it first"),
            _ => None,
        };
        if let Some(why) = refusal {
            self.refused.push_back((number, format!("Container {name} {why}")));
            return;
        }
        match action {
            DockerAction::Start => {
                world.start_node(node);
                if state != NodeState::Running {
                    self.enter(node, NodeState::Running, now);
                }
            }
            DockerAction::Stop => {
                if state == NodeState::Paused {
                    world.resume_node(node);
                }
                world.terminate_node(node);
            }
            DockerAction::Kill => {
                world.kill_node(node);
                self.enter(node, NodeState::Exited(137), now);
            }
            DockerAction::Pause => {
                world.pause_node(node);
                self.enter(node, NodeState::Paused, now);
            }
            DockerAction::Unpause => {
                world.resume_node(node);
                self.enter(node, NodeState::Running, now);
            }
        }
        self.tickets.push(Ticket { number, node, action, deadline: now + STOP_GRACE });
    }
}

/// The world as the console sees it, for one turn.
pub struct SessionHost<'a> {
    pub world: &'a mut World,
    pub containers: &'a mut Containers,
    pub random: &'a mut Random,
}

impl SessionHost<'_> {
    /// The metadata of any broker that runs: what a client would be told.
    fn image(&self) -> Option<&cluster::controller::image::MetadataImage> {
        self.world
            .nodes()
            .find(|(spec, _)| self.world.node_state(spec.id) == Some(ProcessState::Running))
            .map(|(_, node)| node.metadata())
    }

    fn node_named(&self, host: &str) -> Option<BrokerId> {
        self.world.spec().nodes.iter().find(|node| node.host == host).map(|node| node.id)
    }
}

impl Host for SessionHost<'_> {
    fn now(&self) -> Micros {
        self.world.now()
    }

    fn epoch_ms(&self) -> u64 {
        self.world.spec().epoch_ms as u64
    }

    fn random(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.random.below(bound) }
    }

    fn spawn_client(&mut self, spec: ClientSpec) -> ClientId {
        self.world.spawn_client(spec)
    }

    fn client_command(&mut self, client: ClientId, command: ClientCommand) {
        self.world.tell_client(client, command);
    }

    fn kill_client(&mut self, client: ClientId) {
        self.world.kill_client(client);
    }

    fn nodes(&self) -> Vec<NodeStatus> {
        let status = |node: &cluster::world::NodeSpec| {
            let container = self.containers.states.get(&node.id)?;
            Some(NodeStatus {
                name: node.host.clone(),
                node_id: node.id,
                published_port: published_port(node.id),
                state: container.state,
                since: container.since,
                created: Micros::ZERO,
            })
        };
        self.world.spec().nodes.iter().filter_map(status).collect()
    }

    fn docker(&mut self, ticket: u64, action: DockerAction, node: &str) {
        self.containers.act(self.world, ticket, action, node);
    }

    fn node_log(&self, node: &str, lines: Option<u32>) -> Vec<String> {
        let container = self.node_named(node).and_then(|id| self.containers.states.get(&id));
        let Some(container) = container else { return Vec::new() };
        let skipped = lines.map_or(0, |lines| container.log.len().saturating_sub(lines as usize));
        container.log.iter().skip(skipped).cloned().collect()
    }

    fn completions(&self, values: Values) -> Vec<String> {
        match values {
            Values::Topic => self
                .image()
                .map_or_else(Vec::new, |image| image.topics_by_name.keys().cloned().collect()),
            Values::Group => {
                let mut groups: Vec<String> = self
                    .world
                    .nodes()
                    .flat_map(|(_, node)| {
                        node.coordinator().groups().map(|(group, _)| group.group_id.clone())
                    })
                    .collect();
                simulation::sorted::sort(&mut groups);
                groups.dedup();
                groups
            }
            Values::Broker => {
                self.world.spec().nodes.iter().map(|node| node.id.to_string()).collect()
            }
            Values::BootstrapServer => ["localhost:9092".to_owned()]
                .into_iter()
                .chain(
                    self.world
                        .spec()
                        .nodes
                        .iter()
                        .map(|node| format!("{}:{}", node.host, node.port)),
                )
                .collect(),
            Values::Any | Values::File | Values::TopicConfig | Values::OneOf(_) => Vec::new(),
        }
    }

    fn resolve(&self, host: &str, port: u16, container: Option<&str>) -> Address {
        let local = matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]" | "0.0.0.0");
        let nodes = &self.world.spec().nodes;
        match container.and_then(|name| self.node_named(name)) {
            Some(here) if local && port == LISTENER_PORT => Address::Node(here),
            None if local => nodes
                .iter()
                .find(|node| published_port(node.id) == port)
                .map_or(Address::Refused, |node| Address::Node(node.id)),
            _ if local => Address::Refused,
            _ => match self.node_named(host) {
                None => Address::UnknownHost,
                Some(node) if port == LISTENER_PORT => Address::Node(node),
                Some(_) => Address::Refused,
            },
        }
    }
}

/// Every container's listener has a port of its own on the user's machine; the first has the usual one.
fn published_port(node: BrokerId) -> u16 {
    LISTENER_PORT + 10_000 * (node - 1).clamp(0, 5) as u16
}
