//! Measures records a second through a whole cluster: `cargo run --release -p cluster --example cluster_throughput`.
//! Three brokers, replication factor 3, acks=all, 100 B values: what BENCHMARKS.md calls "records/s".
#![expect(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a native measurement"
)]

use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    GeneratedLoad,
};
use cluster::protocol::{CreatableTopic, CreateTopicsRequest};
use cluster::world::{ClusterSpec, World};
use simulation::NodeId;

const RECORDS: u64 = 2_000_000;

fn client(world: &mut World, kind: ClientKind, config: &[(&str, &str)]) -> NodeId {
    let bootstrap = (1..=3)
        .map(|id| BootstrapServer { host: format!("kafka{id}"), port: 9092, node: Some(id) })
        .collect();
    world.spawn_client(ClientSpec {
        client_id: "load".to_owned(),
        bootstrap,
        kind,
        config: config
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        host: "/127.0.0.1".to_owned(),
    })
}

fn until(world: &mut World, done: impl Fn(&ClientNotice) -> bool) -> ClientNotice {
    loop {
        while let Some((_, notice)) = world.take_notice() {
            if done(&notice) {
                return notice;
            }
        }
        assert!(world.step(), "something happens");
    }
}

fn main() {
    let mut world = World::new(ClusterSpec::default_cluster(0), 1);
    while !world.nodes().all(|(_, node)| node.is_started()) {
        world.step();
    }
    let admin = client(&mut world, ClientKind::Admin, &[]);
    let topic = CreatableTopic {
        name: "load".to_owned(),
        num_partitions: 6,
        replication_factor: 3,
        ..CreatableTopic::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
    let command = ClientCommand::Call {
        call: 1,
        to: Destination::Any,
        request: request.into(),
        timeout_ms: 30_000,
    };
    world.tell_client(admin, command);
    until(&mut world, |notice| matches!(notice, ClientNotice::Response { .. }));

    let producer = client(&mut world, ClientKind::Producer, &[("linger.ms", "5")]);
    let load = GeneratedLoad {
        topic: "load".to_owned(),
        record_bytes: 100,
        keys: 0,
        rate: 0,
        total: RECORDS,
    };
    let (start, steps, virtual_start) =
        (std::time::Instant::now(), world.simulation().steps(), world.now());
    world.tell_client(producer, ClientCommand::Generate(load));
    let done = until(&mut world, |notice| matches!(notice, ClientNotice::Generated { .. }));
    let seconds = start.elapsed().as_secs_f64();
    println!("{done:?}");
    println!(
        "{:.0} records/s; {:.2} s, {} events ({:.0}/s), {} of virtual time",
        RECORDS as f64 / seconds,
        seconds,
        world.simulation().steps() - steps,
        (world.simulation().steps() - steps) as f64 / seconds,
        world.now().since(virtual_start),
    );
}
