//! A host without a cluster: a clock, three containers, a seeded generator.
#![allow(dead_code)] // each test file uses a part

use console::client::{ClientCommand, ClientId, ClientSpec};
use console::console::Console;
use console::host::{Address, DockerAction, Host, HostEvent, NodeState, NodeStatus};
use console::options::Values;
use simulation::{Micros, Random};

pub struct TestHost {
    pub now: Micros,
    random: Random,
    pub nodes: Vec<NodeStatus>,
    /// Container changes under way: when, ticket, node, the state then.
    changes: Vec<(Micros, u64, String, NodeState)>,
}

impl Default for TestHost {
    fn default() -> Self {
        let node = |id: u16| NodeStatus {
            name: format!("kafka{id}"),
            node_id: i32::from(id),
            published_port: [9092, 29092, 39092][usize::from(id) - 1],
            state: NodeState::Running,
            since: Micros::ZERO,
            created: Micros::ZERO,
        };
        Self {
            now: Micros::from_secs(100),
            random: Random::from_seed(1),
            nodes: (1..=3).map(node).collect(),
            changes: Vec::new(),
        }
    }
}

impl TestHost {
    /// When something happens next.
    pub fn next(&self, console: &Console) -> Option<Micros> {
        let change = self.changes.iter().map(|change| change.0).min();
        [change, console.next_deadline()].into_iter().flatten().min()
    }

    /// Passes time to what comes next, and tells the console.
    pub fn step(&mut self, console: &mut Console) {
        let change = self.changes.iter().map(|change| change.0).min();
        let Some(next) = [change, console.next_deadline()].into_iter().flatten().min() else {
            console.advance(self);
            return;
        };
        self.now = self.now.max(next);
        while let Some(at) = self.changes.iter().position(|change| change.0 <= self.now) {
            let (_, ticket, name, state) = self.changes.remove(at);
            for node in self.nodes.iter_mut().filter(|node| node.name == name) {
                node.state = state;
                node.since = self.now;
            }
            console.handle(self, HostEvent::Docker { ticket, result: Ok(()) });
        }
        console.advance(self);
    }
}

impl Host for TestHost {
    fn now(&self) -> Micros {
        self.now
    }

    fn epoch_ms(&self) -> u64 {
        1_795_300_752_358
    }

    fn random(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.random.below(bound) }
    }

    fn spawn_client(&mut self, _spec: ClientSpec) -> ClientId {
        ClientId(0)
    }

    fn client_command(&mut self, _client: ClientId, _command: ClientCommand) {}

    fn kill_client(&mut self, _client: ClientId) {}

    fn nodes(&self) -> Vec<NodeStatus> {
        self.nodes.clone()
    }

    fn docker(&mut self, ticket: u64, action: DockerAction, node: &str) {
        let (after, state) = match action {
            DockerAction::Start => (Micros::from_ms(2_500), NodeState::Running),
            DockerAction::Stop => (Micros::from_ms(1_900), NodeState::Exited(143)),
            DockerAction::Kill => (Micros::from_ms(100), NodeState::Exited(137)),
            DockerAction::Pause => (Micros::from_ms(100), NodeState::Paused),
            DockerAction::Unpause => (Micros::from_ms(100), NodeState::Running),
        };
        self.changes.push((self.now + after, ticket, node.to_owned(), state));
    }

    fn node_log(&self, node: &str, lines: Option<u32>) -> Vec<String> {
        let all = vec![format!("{node} starting"), format!("{node} started")];
        let from = lines.map_or(0, |lines| all.len().saturating_sub(lines as usize));
        all[from..].to_vec()
    }

    fn completions(&self, values: Values) -> Vec<String> {
        match values {
            Values::Topic => {
                vec!["orders".to_owned(), "orders-dlq".to_owned(), "payments".to_owned()]
            }
            Values::Group => vec!["app".to_owned()],
            _ => Vec::new(),
        }
    }

    fn resolve(&self, host: &str, port: u16, _container: Option<&str>) -> Address {
        match self.nodes.iter().find(|node| node.name == host) {
            Some(node) if port == 9092 => Address::Node(node.node_id),
            Some(_) => Address::Refused,
            None if host == "localhost" && port == 9092 => Address::Node(1),
            None if host == "localhost" => Address::Refused,
            None => Address::UnknownHost,
        }
    }
}
