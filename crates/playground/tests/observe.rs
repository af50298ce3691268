//! What the page is shown of a cluster: the read models of sessions in which something happens.

use playground::journal::{Entry, Header, Input};
use playground::seam::{Subscription, Tab};
use playground::session::Session;
use playground::view::{BrokerState, Level, Peer, Views};
use simulation::Micros;

struct Played {
    session: Session,
}

impl Played {
    fn new(seed: u64) -> Self {
        let engine = playground::ENGINE_VERSION.to_owned();
        let header = Header { engine, seed, epoch_ms: 1_760_000_000_000 };
        Self { session: Session::new(header) }
    }

    fn act(&mut self, terminal: u32, input: Input) {
        let at = self.session.now();
        self.session.run_until(at, || true);
        self.session.apply(&Entry { at, terminal, input });
    }

    fn wait(&mut self, ms: u64) {
        let until = self.session.now() + Micros::from_ms(ms);
        self.session.run_until(until, || true);
    }

    /// Types a line, and waits.
    fn run(&mut self, terminal: u32, line: &str, ms: u64) {
        self.act(terminal, Input::Line(line.to_owned()));
        self.wait(ms);
    }

    fn views(&mut self, tab: Tab) -> Views {
        self.session.watch(Subscription { tab, ..Subscription::default() });
        self.session.views()
    }

    /// A topic of three partitions, `records` with keys in it, and a console producer that is still there.
    fn with_orders(seed: u64, records: u32) -> Self {
        let mut played = Self::new(seed);
        played.run(0, "kafka-topics.sh --bootstrap-server localhost:9092 --create --topic orders --partitions 3 --replication-factor 3", 5_000);
        played.act(0, Input::OpenTerminal);
        played.run(1, "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic orders --reader-property parse.key=true --reader-property key.separator=:", 4_000);
        for record in 0..records {
            played.run(1, &format!("k{}:value {record}", record % 7), 20);
        }
        played.wait(2_000);
        played
    }
}

fn fact<'a>(views: &'a Views, name: &str) -> (&'a str, Level) {
    let facts = &views.drawer.facts;
    let fact = facts.iter().find(|fact| fact.name == name);
    let fact = fact.unwrap_or_else(|| panic!("no fact {name} among {facts:?}"));
    (&fact.value, fact.level)
}

#[test]
fn a_cluster_with_records_and_a_producer() {
    let mut played = Played::with_orders(1, 20);
    let views = played.views(Tab::Cluster);
    let cluster = &views.cluster;
    assert!(
        cluster.brokers.values().all(|broker| broker.state == BrokerState::Up && !broker.fenced)
    );
    let leaders: u32 = cluster.brokers.values().map(|broker| broker.leaders).sum();
    assert!(leaders >= 3, "{leaders}");
    assert!(cluster.quorum.leader.is_some());
    assert_eq!(cluster.quorum.voters.len(), 3);
    assert_eq!(cluster.layout.rows.len(), 1);
    assert_eq!(cluster.layout.rows[0].partitions, [0, 1, 2]);
    assert_eq!(cluster.partitions.len(), 3);
    assert_eq!(cluster.replicas.len(), 9);
    let ends: i64 = cluster
        .replicas
        .values()
        .filter(|replica| replica.leads)
        .map(|replica| replica.log_end_offset)
        .sum();
    assert_eq!(ends, 20);
    for (key, replica) in &cluster.replicas {
        assert!(replica.in_isr && replica.online, "{key:?}");
        assert_eq!(replica.high_watermark, replica.log_end_offset, "{key:?}");
        assert_eq!(replica.tail.len() as i64, replica.log_end_offset.min(20), "{key:?}");
        let leader = cluster.partitions[&key.partition_key()].leader;
        assert_eq!(replica.leads, leader == Some(key.broker));
    }
    assert_eq!(cluster.producers.len(), 1);
    let (client, producer) = cluster.producers.first_key_value().expect("a producer");
    assert_eq!(producer.summary.split(',').next(), Some("acks=all"));
    assert!(!producer.lanes.is_empty());
    assert!(cluster.links.keys().all(|(from, _)| *from == Peer::Client(client.clone())));
    let mut keys: Vec<&str> = cluster.keys.values().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
    assert_eq!(fact(&views, "Replicas in sync"), ("9 of 9", Level::Plain));
    assert_eq!(fact(&views, "Offline partitions"), ("0", Level::Plain));
    assert!(fact(&views, "Produce time, p99").0.ends_with(" ms"));
}

#[test]
fn a_killed_broker_leaves_the_isr_and_its_copies_are_out_of_reach() {
    let mut played = Played::with_orders(2, 5);
    played.run(0, "docker compose kill kafka2", 15_000);
    let views = played.views(Tab::Cluster);
    let broker = &views.cluster.brokers[&2];
    assert_eq!((broker.state, broker.fenced, broker.leaders), (BrokerState::Crashed, true, 0));
    for (key, replica) in &views.cluster.replicas {
        assert_eq!((replica.online, replica.in_isr), (key.broker != 2, key.broker != 2), "{key:?}");
    }
    assert_eq!(fact(&views, "Replicas in sync"), ("6 of 9", Level::Warn));
    assert!(!views.cluster.quorum.voters.iter().find(|voter| voter.id == 2).expect("a voter").up);
    played.run(0, "docker compose start kafka2", 20_000);
    let views = played.views(Tab::Cluster);
    assert_eq!(views.cluster.brokers[&2].state, BrokerState::Up);
    assert_eq!(fact(&views, "Replicas in sync"), ("9 of 9", Level::Plain));
}
