//! `apply(diff(a, b))` on `a` gives `b`, whatever the two are.

use playground::view::*;
use simulation::Micros;

/// A small generator of our own: enough to draw shapes from, printed by its seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn views(&mut self) -> Views {
        let mut views = Views::default();
        for _ in 0..self.below(5) {
            let id = self.below(4) as i32 + 1;
            let broker = BrokerView {
                name: format!("kafka{id}"),
                fenced: self.below(2) == 0,
                since: Micros(self.below(3)),
                ..BrokerView::default()
            };
            views.cluster.brokers.insert(id, broker);
        }
        for _ in 0..self.below(9) {
            let key = ReplicaKey {
                topic: "orders".into(),
                partition: self.below(3) as i32,
                broker: self.below(3) as i32,
            };
            let replica = ReplicaView {
                log_end_offset: self.below(4) as i64,
                tail: (0..self.below(3))
                    .map(|key| RecordMark { key: key as u16, kind: MarkKind::Record })
                    .collect(),
                ..ReplicaView::default()
            };
            views.cluster.replicas.insert(key, replica);
        }
        views.cluster.quorum.epoch = self.below(2) as i32;
        views.cluster.layout.hidden_partitions = self.below(2) as u32;
        for _ in 0..self.below(4) {
            views.log.segments.insert(
                self.below(3) as i64,
                SegmentView { bytes: self.below(3), ..Default::default() },
            );
        }
        views.groups.chosen = (self.below(2) == 0).then(|| "billing".into());
        for _ in 0..self.below(3) {
            let fact = Fact {
                name: "Replicas in sync".into(),
                value: self.below(9).to_string(),
                level: Level::Plain,
            };
            views.drawer.facts.push(fact);
        }
        views
    }
}

#[test]
fn applying_a_difference_gives_the_other_state() {
    for seed in 0..500 {
        let mut draws = Draws(seed);
        let mut held = draws.views();
        for step in 0..6 {
            let next = draws.views();
            let frame = held.diff(&next);
            held.apply(frame);
            assert_eq!(held, next, "seed {seed}, step {step}");
        }
    }
}

#[test]
fn equal_states_send_nothing() {
    for seed in 0..50 {
        let views = Draws(seed).views();
        assert!(views.diff(&views.clone()).is_empty(), "seed {seed}");
    }
}

#[test]
fn a_full_frame_forgets_what_was_there() {
    let mut held = Draws(3).views();
    let next = Draws(9).views();
    let frame = Frame { full: true, ..Views::default().diff(&next) };
    held.apply(frame);
    assert_eq!(held, next);
}

#[test]
fn one_changed_replica_costs_one_entry() {
    let before = Draws(5).views();
    let mut after = before.clone();
    let key = ReplicaKey { topic: "orders".into(), partition: 7, broker: 1 };
    after.cluster.replicas.insert(key.clone(), ReplicaView::default());
    let frame = before.diff(&after);
    let delta = frame.cluster.expect("the cluster changed");
    assert_eq!(delta.replicas.set, [(key, ReplicaView::default())]);
    assert!(delta.brokers.is_empty() && delta.quorum.is_none() && frame.drawer.is_none());
}
