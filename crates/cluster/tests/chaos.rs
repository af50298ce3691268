//! Random brokers die, hang, leave and return under a producer with acks=all; what was acknowledged survives.

use simulation::sorted::{SortedMap, SortedSet};

use cluster::client::{
    BootstrapServer, ClientCommand, ClientKind, ClientNotice, ClientSpec, Destination,
    ProducerRecord,
};
use cluster::protocol::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use cluster::types::{BrokerId, Offset};
use cluster::world::{ClusterSpec, World, node_id};
use simulation::{Link, Micros, NodeId, ProcessState, Random};

const PARTITIONS: i32 = 2;

fn client(world: &mut World, kind: ClientKind) -> NodeId {
    let bootstrap = (1..=3)
        .map(|id| BootstrapServer { host: format!("kafka{id}"), port: 9092, node: Some(id) })
        .collect();
    let config = if kind == ClientKind::Producer {
        vec![("linger.ms".to_owned(), "0".to_owned())]
    } else {
        Vec::new()
    };
    let host = "/127.0.0.1".to_owned();
    world.spawn_client(ClientSpec { client_id: String::new(), bootstrap, kind, config, host })
}

/// What must hold after every event, as far as it can be seen from outside.
#[derive(Default)]
struct Watch {
    /// By partition and leader epoch: who led it.
    leaders: SortedMap<(i32, i32), BrokerId>,
    /// By partition, leader epoch and leader: how far its high watermark was.
    high_watermarks: SortedMap<(i32, i32, BrokerId), Offset>,
}

impl Watch {
    fn look(&mut self, world: &World) {
        for (spec, node) in world.nodes() {
            for partition in node.partitions().filter(|partition| partition.is_leader == Some(true))
            {
                let index = partition.id.partition;
                let epoch = partition.leader_epoch;
                let leader = *self.leaders.entry((index, epoch)).or_insert(spec.id);
                assert_eq!(leader, spec.id, "two leaders of {index} in epoch {epoch}");
                let known = self.high_watermarks.entry((index, epoch, spec.id)).or_default();
                assert!(partition.high_watermark >= *known, "the high watermark of {index} fell");
                *known = partition.high_watermark;
                assert!(partition.log_start_offset <= partition.high_watermark);
                assert!(partition.high_watermark <= partition.log_end_offset);
            }
        }
    }
}

fn trouble(world: &mut World, random: &mut Random, paused: &mut SortedSet<BrokerId>) {
    let id = 1 + random.below(3) as BrokerId;
    let other = 1 + random.below(3) as BrokerId;
    match (random.below(7), world.node_state(id)) {
        (0, Some(ProcessState::Running)) => world.kill_node(id),
        (1, Some(ProcessState::Running)) => world.terminate_node(id),
        (2, Some(ProcessState::Running)) => {
            world.pause_node(id);
            paused.insert(id);
        }
        (3, _) if id != other => {
            let (from, to) = (node_id(id), node_id(other));
            let network = world.simulation_mut().network_mut();
            let link = network.link(from, to);
            network.set_link(from, to, Link { cut: !link.cut, ..link });
        }
        (_, Some(ProcessState::Down)) => world.start_node(id),
        (_, Some(ProcessState::Paused)) => {
            world.resume_node(id);
            paused.remove(&id);
        }
        _ => {}
    }
}

fn heal(world: &mut World) {
    for id in 1..=3 {
        for other in 1..=3 {
            let network = world.simulation_mut().network_mut();
            let link = network.link(node_id(id), node_id(other));
            network.set_link(node_id(id), node_id(other), Link { cut: false, ..link });
        }
        world.resume_node(id);
        world.start_node(id);
    }
}

fn run(seed: u64) {
    let mut world = World::new(ClusterSpec::default_cluster(0), seed);
    let mut random = Random::from_seed(seed);
    while !world.nodes().all(|(_, node)| node.is_started()) {
        world.step();
    }
    let admin = client(&mut world, ClientKind::Admin);
    let topic = CreatableTopic {
        name: "t".to_owned(),
        num_partitions: PARTITIONS,
        replication_factor: 3,
        configs: vec![CreatableTopicConfig {
            name: "min.insync.replicas".to_owned(),
            value: Some("2".to_owned()),
        }],
        ..CreatableTopic::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
    let request = request.into();
    world.tell_client(
        admin,
        ClientCommand::Call { call: 1, to: Destination::Any, request, timeout_ms: 30_000 },
    );
    world.run_until(world.now() + Micros::from_secs(2));
    let producer = client(&mut world, ClientKind::Producer);

    let mut watch = Watch::default();
    let mut paused = SortedSet::new();
    let mut acknowledged: SortedMap<(i32, Offset), u64> = SortedMap::new();
    let mut sent = 0;
    let end = world.now() + Micros::from_secs(180);
    let mut next_trouble = world.now();
    let mut next_send = world.now();
    while world.now() < end {
        if world.now() >= next_trouble {
            trouble(&mut world, &mut random, &mut paused);
            next_trouble = world.now() + Micros::from_ms(random.below(12_000));
        }
        if world.now() >= next_send {
            let value = Some(sent.to_string().as_bytes().into());
            let partition = Some(random.below(PARTITIONS as u64) as i32);
            let record =
                ProducerRecord { topic: "t".to_owned(), partition, value, ..Default::default() };
            world.tell_client(producer, ClientCommand::Send { tag: sent, record });
            sent += 1;
            next_send = world.now() + Micros::from_ms(random.below(200));
        }
        world.step();
        watch.look(&world);
        take_acknowledgements(&mut world, &mut acknowledged);
    }
    heal(&mut world);
    let end = world.now() + Micros::from_secs(200);
    while world.now() < end {
        // Who was on its way out is gone now, and started like the others.
        (1..=3).for_each(|id| world.start_node(id));
        world.step();
        watch.look(&world);
        take_acknowledgements(&mut world, &mut acknowledged);
    }
    assert!(!acknowledged.is_empty(), "seed {seed}: nothing was ever acknowledged");

    for partition in 0..PARTITIONS {
        let replicas: Vec<_> = (1..=3)
            .map(|id| {
                world.node(id).and_then(|node| node.replica("t", partition)).expect("a replica")
            })
            .collect();
        let image = world.node(1).expect("a node").metadata();
        let registration = &image.topic("t").expect("the topic").partitions[&partition];
        assert_eq!(
            registration.isr.len(),
            3,
            "seed {seed}: all are in sync again: {registration:?}"
        );
        let contents: Vec<Vec<(Offset, u64, i16)>> = replicas
            .iter()
            .map(|replica| {
                let batches = replica.log.segments().flat_map(cluster::log::LogSegment::batches);
                batches
                    .flat_map(|batch| {
                        let records = batch.records().expect("records");
                        let read = |value: &[u8]| {
                            String::from_utf8_lossy(value).parse().expect("a number")
                        };
                        records
                            .iter()
                            .flatten()
                            .map(|record| {
                                (
                                    record.offset,
                                    read(record.value.expect("a value")),
                                    batch.producer_epoch(),
                                )
                            })
                            .collect::<Vec<_>>()
                    })
                    .collect()
            })
            .collect();
        assert_eq!(contents[0], contents[1], "seed {seed}: replicas differ");
        assert_eq!(contents[0], contents[2], "seed {seed}: replicas differ");
        // Kafka's producer sends its batches to a new leader while earlier ones still wait for an answer of the old
        // one. If those are then too old to be recognised, it bumps its epoch and repeats them: the one way to a duplicate.
        let once: SortedSet<(u64, i16)> = contents[0]
            .iter()
            .map(|(_, value, producer_epoch)| (*value, *producer_epoch))
            .collect();
        assert_eq!(once.len(), contents[0].len(), "seed {seed}: a record is there twice");
        let found: SortedMap<Offset, u64> =
            contents[0].iter().map(|(offset, value, _)| (*offset, *value)).collect();
        for ((of, offset), tag) in &acknowledged {
            if *of == partition {
                assert_eq!(
                    found.get(offset),
                    Some(tag),
                    "seed {seed}: {of}-{offset} was acknowledged"
                );
            }
        }
    }
}

fn take_acknowledgements(world: &mut World, acknowledged: &mut SortedMap<(i32, Offset), u64>) {
    while let Some((_, notice)) = world.take_notice() {
        if let ClientNotice::Delivered { tag, result: Ok(metadata) } = notice {
            acknowledged.insert((metadata.partition.partition, metadata.offset), tag);
        }
    }
}

#[test]
fn acknowledged_records_survive_faults() {
    let first = std::env::var("SEED").map_or(1, |text| text.parse().expect("SEED is a number"));
    let count = std::env::var("SEEDS").map_or(6, |text| text.parse().expect("SEEDS is a number"));
    for seed in first..first + count {
        if std::panic::catch_unwind(|| run(seed)).is_err() {
            panic!("reproduce: SEED={seed} SEEDS=1 cargo test -p cluster --test chaos");
        }
    }
}

/// The world as bytes, each batch once.
fn bytes(world: &World) -> Vec<u8> {
    cluster::log::batch_pool::with_pool(|| postcard::to_stdvec(world).expect("it is plain data"))
}

#[test]
fn a_restored_world_runs_on_as_if_it_had_never_stopped() {
    for seed in 1..=3 {
        let mut random = Random::from_seed(seed);
        let mut world = World::new(ClusterSpec::default_cluster(0), seed);
        world.run_until(Micros::from_secs(8));
        let producer = client(&mut world, ClientKind::Producer);
        let mut paused = SortedSet::new();
        for tag in 0..40 {
            let record = ProducerRecord {
                topic: "auto".to_owned(),
                value: Some(b"value".as_slice().into()),
                ..ProducerRecord::default()
            };
            world.tell_client(producer, ClientCommand::Send { tag, record });
            if tag % 10 == 9 {
                trouble(&mut world, &mut random, &mut paused);
            }
            world.run_until(world.now() + Micros(random.below(1_500_000)));
        }
        let snapshot = bytes(&world);
        let restored: World = cluster::log::batch_pool::with_pool(|| {
            postcard::from_bytes(&snapshot).expect("it is read back")
        });
        let mut worlds = [world, restored];
        for world in &mut worlds {
            world.run_until(world.now() + Micros::from_secs(40));
        }
        assert_eq!(bytes(&worlds[0]), bytes(&worlds[1]), "seed {seed}");
    }
}
