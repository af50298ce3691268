//! A session from its snapshot, from its journal, and a second time from its seed: always the same one.

use playground::session::Session;
use playground::{snapshot, story};
use simulation::{Micros, Random};

const SEEDS: u64 = 6;

fn played(seed: u64, until: Micros) -> Session {
    let journal = story::journal(seed);
    let mut session = Session::new(journal.header.clone());
    story::play(&mut session, &journal, until);
    session
}

#[test]
fn the_same_seed_gives_the_same_state_and_output() {
    for seed in 0..2 {
        assert_eq!(story::digest(seed), story::digest(seed), "seed {seed}");
    }
    assert_ne!(story::digest(0), story::digest(1));
}

#[test]
fn a_restored_snapshot_runs_on_as_if_it_had_never_stopped() {
    for seed in 0..SEEDS {
        let mut random = Random::stream(seed, 9);
        let journal = story::journal(seed);
        let mut session = Session::new(journal.header.clone());
        let expected = snapshot::state(&played(seed, story::END));
        for _ in 0..3 {
            // Between any two events, in the middle of whatever is going on.
            let point = Micros(session.now().0 + random.below(story::END.0 / 3));
            story::play(&mut session, &journal, point.min(story::END));
            let bytes = snapshot::save(&session);
            session = snapshot::load(&bytes).expect("it is this engine's");
            assert_eq!(snapshot::save(&session), bytes, "seed {seed}, {point}");
        }
        story::play(&mut session, &journal, story::END);
        assert!(snapshot::state(&session) == expected, "seed {seed}: the states differ");
        assert!(session.violation().is_none(), "seed {seed}: {:?}", session.violation());
    }
}

#[test]
fn a_replayed_journal_ends_in_the_same_state() {
    for seed in 0..SEEDS {
        let mut random = Random::stream(seed, 10);
        let until = Micros(30_000_000 + random.below(story::END.0 - 30_000_000));
        let journal = story::journal(seed);
        let mut lived = Session::new(journal.header.clone());
        // Lived in steps of frames, replayed in one go.
        while lived.now() < until {
            let frame = Micros(lived.now().0 + 1_000 + random.below(500_000)).min(until);
            story::play(&mut lived, &journal, frame);
        }
        let replayed = played(seed, until);
        assert!(
            snapshot::state(&replayed) == snapshot::state(&lived),
            "seed {seed}, {until}: the states differ"
        );
    }
}

#[test]
fn bytes_of_another_build_or_damaged_ones_are_no_session() {
    let bytes = snapshot::save(&played(1, Micros::from_secs(20)));
    let mut other = bytes.clone();
    other[6] ^= 1;
    assert!(snapshot::load(&other).is_none());
    assert!(snapshot::load(&bytes[..bytes.len() - 1]).is_none());
    assert!(snapshot::load(b"").is_none());
    assert!(snapshot::load(&bytes).is_some());
}

#[test]
fn a_snapshot_of_three_replicas_is_hardly_larger_than_the_payload() {
    const RECORDS: usize = 4_000;
    const VALUE: usize = 1_000;
    let mut session = played(1, Micros::from_secs(20));
    let before = snapshot::save(&session).len();
    let journal =
        playground::journal::Journal { header: session.header().clone(), entries: Vec::new() };
    let value = "x".repeat(VALUE);
    let mut lines = vec!["kafka-topics --bootstrap-server localhost:9092 --create --topic big --partitions 3 --replication-factor 3".to_owned()];
    lines.push(format!("for i in $(seq {RECORDS}); do echo {value}; done | kafka-console-producer --bootstrap-server localhost:9092 --topic big"));
    for line in lines {
        let at = session.now();
        session.run_until(at, || true);
        session.apply(&playground::journal::Entry {
            at,
            terminal: 0,
            input: playground::journal::Input::Line(line),
        });
        let later = session.now() + Micros::from_secs(30);
        story::play(&mut session, &journal, later);
    }
    let ends = (0..3).map(|partition| {
        let mut nodes = session.world().nodes();
        nodes
            .find_map(|(_, node)| node.partition("big", partition))
            .map_or(0, |replica| replica.high_watermark)
    });
    assert_eq!(ends.sum::<i64>(), RECORDS as i64);
    let ratio = (snapshot::save(&session).len() - before) as f64 / (RECORDS * VALUE) as f64;
    assert!(ratio <= 1.2, "{ratio:.3} bytes for one of payload");
}
