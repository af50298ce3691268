//! Work to be measured, the same natively and in a tab: whoever runs it brings the clock.

use cluster::checker::Checker;
use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    GeneratedLoad,
};
use cluster::protocol::{CreatableTopic, CreateTopicsRequest};
use cluster::types::Offset;
use cluster::world::{ClusterSpec, World};
use serde::{Deserialize, Serialize};
use simulation::{Actor, Context, Input, Micros, NodeId, Payload, Simulation};

/// Some work of a known amount.
pub struct Workload {
    /// What is counted, as it stands in the report.
    pub name: &'static str,
    /// How much of it takes about a second natively.
    pub amount: u64,
    /// Does that amount; the answer depends on all of it, so that it must be equal everywhere.
    pub run: fn(amount: u64) -> u64,
}

/// Everything that `cargo xtask bench` measures on both sides.
pub const WORKLOADS: &[Workload] = &[
    Workload { name: "events_per_second", amount: 3_000_000, run: events },
    Workload { name: "records_per_second", amount: 1_000_000, run: records },
];

/// How many nodes pass tokens around, and how many tokens each began with: 1,000 messages are always on their way.
const NODES: u32 = 20;
const TOKENS: u32 = 50;

/// The kernel alone: messages over links, each with a timer set and cancelled, as an RPC has its time-out.
fn events(amount: u64) -> u64 {
    let mut simulation = Simulation::new(1);
    for id in 0..NODES {
        simulation.add(NodeId(id), Passer::default());
        simulation.start(NodeId(id));
    }
    while simulation.steps() < amount {
        simulation.step();
    }
    let sums = simulation.node_ids().filter_map(|id| simulation.actor(id).map(|node| node.sum));
    sums.fold(simulation.now().0, u64::wrapping_add)
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Passer {
    sum: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token(u64);

impl Payload for Token {
    fn size_bytes(&self) -> u64 {
        100
    }
}

impl Actor for Passer {
    type Message = Token;
    type Timer = ();
    type Command = ();
    type Notice = ();
    type Event = ();

    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        let next = NodeId((context.me().0 + 1) % NODES);
        match input {
            Input::Started => {
                for token in 0..TOKENS {
                    context.send(next, Token(u64::from(token)));
                }
            }
            Input::Message { message: Token(token), .. } => {
                self.sum = self.sum.wrapping_mul(31).wrapping_add(token);
                context.cancel_timer(&());
                context.set_timer((), context.now() + Micros::from_secs(30));
                context.send(next, Token(token.wrapping_add(1)));
            }
            _ => {}
        }
    }

    fn stopped(&mut self) {}
}

/// Size of each value that [`records`] writes.
pub const RECORD_BYTES: u32 = 100;
/// Partitions of the topic that [`records`] writes to.
const PARTITIONS: i32 = 6;

/// Records of 100 B through a whole cluster: three brokers, replication factor 3, acks=all, every guarantee checked.
fn records(amount: u64) -> u64 {
    let world = loaded_cluster(amount);
    let ends = (0..PARTITIONS).map(|partition| {
        let ends = world.nodes().filter_map(|(_, node)| node.partition("load", partition));
        ends.map(|replica| replica.high_watermark).sum::<Offset>() as u64
    });
    ends.fold(world.now().0 ^ world.simulation().steps(), |sum, end| {
        sum.wrapping_mul(31).wrapping_add(end)
    })
}

/// The default cluster when a producer has written so many records of [`RECORD_BYTES`] and all are acknowledged.
pub fn loaded_cluster(records: u64) -> World {
    let cluster = World::new(ClusterSpec::default_cluster(0), 1);
    let mut world = Checked { world: cluster, checker: Checker::default() };
    world.world.simulation_mut().trace_mut().watch(true, false);
    while !world.world.nodes().all(|(_, node)| node.is_started()) {
        world.step();
    }
    world.create_topic();
    let producer = world.client(ClientKind::Producer, &[("linger.ms", "5")]);
    let load = GeneratedLoad {
        topic: "load".to_owned(),
        record_bytes: RECORD_BYTES,
        keys: 0,
        rate: 0,
        total: records,
    };
    world.world.tell_client(producer, ClientCommand::Generate(load));
    world.until(|notice| matches!(notice, ClientNotice::Generated { .. }));
    world.world
}

/// A world whose guarantees are checked after every event.
struct Checked {
    world: World,
    checker: Checker,
}

impl Checked {
    fn step(&mut self) {
        assert!(self.world.step(), "a cluster always has something to do");
        let happenings = self.world.simulation_mut().trace_mut().take();
        if !happenings.is_empty() {
            let checked = self.checker.observe(&self.world, &happenings);
            checked
                .unwrap_or_else(|violation| panic!("{}: {}", violation.guarantee, violation.what));
        }
    }

    fn until(&mut self, done: impl Fn(&ClientNotice) -> bool) {
        loop {
            while let Some((_, notice)) = self.world.take_notice() {
                if done(&notice) {
                    return;
                }
            }
            self.step();
        }
    }

    fn client(&mut self, kind: ClientKind, config: &[(&str, &str)]) -> NodeId {
        let server =
            |id| BootstrapServer { host: format!("kafka{id}"), port: 9092, node: Some(id) };
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.world.spawn_client(ClientSpec {
            client_id: "load".to_owned(),
            bootstrap: (1..=3).map(server).collect(),
            kind,
            config: config.collect(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    fn create_topic(&mut self) {
        let topic = CreatableTopic {
            name: "load".to_owned(),
            num_partitions: PARTITIONS,
            replication_factor: 3,
            ..CreatableTopic::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        let admin = self.client(ClientKind::Admin, &[]);
        let command = ClientCommand::Call {
            call: 1,
            to: Destination::Any,
            request: request.into(),
            timeout_ms: 30_000,
        };
        self.world.tell_client(admin, command);
        self.until(|notice| matches!(notice, ClientNotice::Response { .. }));
    }
}

#[cfg(test)]
mod tests {
    use super::WORKLOADS;

    #[test]
    fn the_same_amount_gives_the_same_answer() {
        for workload in WORKLOADS {
            assert_eq!((workload.run)(2_000), (workload.run)(2_000), "{}", workload.name);
        }
    }
}
