//! What the console needs from outside: the clock, chance, clients of the cluster, and the containers.
//!
//! The console never sees a broker. It commands clients ([`ClientCommand`]) and containers ([`DockerAction`]) and is told what came of it by
//! [`HostEvent`]s, some virtual time later.

use serde::{Deserialize, Serialize};
use simulation::Micros;

pub use crate::client::{ClientCommand, ClientEvent, ClientId, ClientSpec};

/// The world as a console sees it; implemented by the session and by test harnesses.
pub trait Host {
    /// Virtual time.
    fn now(&self) -> Micros;

    /// Milliseconds since 1970 of virtual time zero, UTC; a log line's date is this plus [`Host::now`].
    fn epoch_ms(&self) -> u64;

    /// A number in `0..bound` from the console's own seeded stream; 0 if `bound` is 0.
    fn random(&mut self, bound: u64) -> u64;

    /// Starts a client (admin, producer or consumer) that acts on the cluster over the network.
    fn spawn_client(&mut self, spec: ClientSpec) -> ClientId;

    /// Tells a client to do something. What comes of it arrives as [`HostEvent::Client`].
    fn client_command(&mut self, client: ClientId, command: ClientCommand);

    /// The client's process is gone: its connections close without a farewell.
    fn kill_client(&mut self, client: ClientId);

    /// The containers, in order of their names.
    fn nodes(&self) -> Vec<NodeStatus>;

    /// Asks for a change of one container. [`HostEvent::Docker`] with the same ticket says when it is done.
    fn docker(&mut self, ticket: u64, action: DockerAction, node: &str);

    /// The newest `lines` log lines of a container (all if `None`), oldest first, without its name.
    fn node_log(&self, node: &str, lines: Option<u32>) -> Vec<String>;

    /// What Tab can offer for an option's value, as a client could know it.
    fn completions(&self, values: crate::options::Values) -> Vec<String>;

    /// Whom `host:port` reaches, seen from a container (`Some`) or from the user's machine.
    fn resolve(&self, host: &str, port: u16, container: Option<&str>) -> Address;

    /// The number of the version that nodes run, as tools print it.
    fn kafka_version(&self) -> &'static str {
        "4.3.1"
    }
}

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// The listener of this node (which may be down).
    Node(cluster::types::BrokerId),
    /// The name is known, but nobody listens on the port.
    Refused,
    /// DNS does not know the name.
    UnknownHost,
}

/// What the host reports to the console.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HostEvent {
    /// Something happened at a client.
    Client { client: ClientId, event: ClientEvent },
    /// A [`Host::docker`] request has been carried out, or refused with a message.
    Docker { ticket: u64, result: Result<(), String> },
}

/// A change of one container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DockerAction {
    /// Start its process, with the data it had. Done when the broker has logged that it started.
    Start,
    /// SIGTERM: a controlled shutdown. Done when the process has ended.
    Stop,
    /// SIGKILL.
    Kill,
    /// Freeze the process; its connections stay open.
    Pause,
    /// Let it run on.
    Unpause,
}

/// One container as `docker ps` sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Service and container name: `kafka1`.
    pub name: String,
    /// The broker's id: 1.
    pub node_id: i32,
    /// The port on the user's machine that leads to the broker's listener.
    pub published_port: u16,
    /// What its process does.
    pub state: NodeState,
    /// When the state was entered.
    pub since: Micros,
    /// When the container was created.
    pub created: Micros,
}

/// What a container's process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    Running,
    Paused,
    /// Ended with this code: 143 after SIGTERM, 137 after SIGKILL.
    Exited(i32),
}
