//! A whole cluster on its simulated network, through the doors that a person or a client has.

use cluster::world::{ClusterSpec, World};
use simulation::Micros;

const EPOCH_MS: i64 = 1_763_768_000_000;

fn started(seed: u64) -> World {
    let mut world = World::new(ClusterSpec::default_cluster(EPOCH_MS), seed);
    run_until(&mut world, Micros::from_secs(20), |world| {
        world.nodes().all(|(_, node)| node.is_started())
    });
    world
}

/// Lets events happen until `done`; panics after `patience`.
#[track_caller]
fn run_until(world: &mut World, patience: Micros, done: impl Fn(&World) -> bool) {
    let deadline = world.now() + patience;
    while !done(world) {
        assert!(
            world.next_time().is_some_and(|next| next <= deadline),
            "not within {patience}, at {}",
            world.now()
        );
        world.step();
    }
}

#[test]
fn three_nodes_start() {
    for seed in 1..=5 {
        let mut world = started(seed);
        let before = world.simulation().steps();
        let end = world.now() + Micros::from_secs(60);
        world.run_until(end);
        // Nothing to do: only heartbeats, and the quorum's fetches.
        let steps = world.simulation().steps() - before;
        assert!(steps < 3_000, "seed {seed}: {steps} steps in an idle minute");
    }
}
