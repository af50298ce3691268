//! Records a second of one producer with acks=all on a topic with three replicas, in real time.
//! `cargo run --profile fast -p cluster --example generated_load [RECORDS] [PARTITIONS]`
#![expect(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a native measurement"
)]

use std::time::Instant;

use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    GeneratedLoad,
};
use cluster::protocol::{CreatableTopic, CreateTopicsRequest};
use cluster::world::{ClusterSpec, World};
use simulation::{Micros, NodeId};

fn client(world: &mut World, kind: ClientKind) -> NodeId {
    world.spawn_client(ClientSpec {
        client_id: "load".into(),
        bootstrap: vec![BootstrapServer { host: "kafka1".into(), port: 9092, node: Some(1) }],
        kind,
        config: Vec::new(),
        host: "/127.0.0.1".into(),
    })
}

fn main() {
    let argument = |at: usize, default: u64| {
        std::env::args().nth(at).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    let (total, partitions) = (argument(1, 1_000_000), argument(2, 6));
    let mut world = World::new(ClusterSpec::default_cluster(1_795_000_000_000), 1);
    world.run_until(Micros::from_secs(10));
    let topic = CreatableTopic {
        name: "load".into(),
        num_partitions: partitions as i32,
        replication_factor: 3,
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false }
            .into();
    let admin = client(&mut world, ClientKind::Admin);
    let call =
        ClientCommand::Call { call: 1, to: Destination::Controller, request, timeout_ms: 30_000 };
    world.tell_client(admin, call);
    world.run_until(Micros::from_secs(15));
    let producer = client(&mut world, ClientKind::Producer);
    let load = GeneratedLoad { topic: "load".into(), record_bytes: 100, keys: 0, rate: 0, total };
    world.tell_client(producer, ClientCommand::Generate(load));
    let (began, from, steps) = (Instant::now(), world.now(), world.simulation().steps());
    loop {
        while let Some((_, notice)) = world.take_notice() {
            if let ClientNotice::Generated { acknowledged, failed } = notice {
                let seconds = began.elapsed().as_secs_f64();
                println!(
                    "{acknowledged} records, {failed} failed, in {seconds:.2} s: {:.0} records/s; {} of virtual time, {} events",
                    acknowledged as f64 / seconds,
                    world.now().since(from),
                    world.simulation().steps() - steps
                );
                return;
            }
        }
        assert!(world.step(), "the load ends");
    }
}
