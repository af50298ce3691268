//! What the page is shown of a cluster: the read models of sessions in which something happens.

use playground::journal::{Entry, Header, Input};
use playground::seam::{Subscription, Tab};
use playground::session::Session;
use playground::view::{
    BrokerState, Field, FlightKind, Frame, InspectView, Level, LookupView, MemberState,
    PartitionKey, Peer, ReplicaKey, Subject, Views,
};
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

#[test]
fn topics_and_their_partitions() {
    let mut played = Played::with_orders(3, 10);
    let view = played.views(Tab::Topics).topics;
    assert_eq!(view.brokers.iter().map(|broker| broker.id).collect::<Vec<_>>(), [1, 2, 3]);
    let topic = &view.topics["orders"];
    assert_eq!((topic.topic_id.len(), topic.number, topic.internal), (22, 0, false));
    let rows = view.partitions.iter().filter(|(key, _)| key.topic == "orders");
    let ends: i64 = rows.clone().map(|(_, row)| row.log_end_offset).sum();
    assert_eq!((rows.clone().count(), ends), (3, 10));
    assert!(rows.clone().all(|(_, row)| row.isr.len() == 3 && row.leader.is_some()));
    assert!(rows.map(|(_, row)| row.size).sum::<u64>() > 61 + 10 * 10);
}

#[test]
fn a_log_down_to_its_records() {
    let mut played = Played::with_orders(4, 30);
    let views = played.views(Tab::Log);
    let log = views.log.log.as_ref().expect("the busiest topic's log");
    assert_eq!((log.replica.topic.as_str(), log.replica.partition), ("orders", 0));
    assert_eq!(Some(log.replica.broker), log.leader);
    assert_eq!(log.cleanup_policy, "delete");
    assert_eq!(views.log.segments.len(), 1);
    let records: Vec<_> = views.log.batches.values().flat_map(|batch| &batch.records).collect();
    assert_eq!(records.len() as i64, log.log_end_offset);
    for (offset, record) in (0..).zip(&records) {
        assert_eq!(record.offset, offset);
        let key = record.key.as_deref().expect("a key");
        assert_eq!(views.cluster.keys[&record.mark.key], key);
        assert!(record.value.as_deref().is_some_and(|value| value.starts_with("value ")));
    }
    let mut position = 0;
    for batch in views.log.batches.values() {
        assert_eq!(batch.position, position);
        position += batch.bytes;
    }
    assert_eq!(u64::from(position), log.size);
    let LookupView { offset, segment, batches_read, .. } = views.log.lookup.expect("a lookup");
    let newest = *views.log.batches.keys().next_back().expect("a batch");
    assert_eq!((offset, segment), (newest, 0));
    assert_eq!(batches_read as usize, views.log.batches.len());
    // Another replica, by choice; a topic that is not there.
    let mut subscription = Subscription { tab: Tab::Log, ..Subscription::default() };
    let follower = (1..=3).find(|id| Some(*id) != log.leader);
    subscription.log.broker = follower;
    played.session.watch(subscription.clone());
    let shown = played.session.views().log.log.expect("a log");
    assert_eq!(Some(shown.replica.broker), follower);
    subscription.log.topic = "nothing".to_owned();
    played.session.watch(subscription);
    assert_eq!(played.session.views().log.log, None);
}

#[test]
fn a_group_and_how_far_it_is_behind() {
    let mut played = Played::with_orders(5, 12);
    played.act(0, Input::OpenTerminal);
    played.run(2, "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic orders --group billing --from-beginning", 8_000);
    let views = played.views(Tab::Groups);
    let view = &views.groups;
    assert_eq!(view.chosen.as_deref(), Some("billing"));
    let group = &view.groups["billing"];
    assert_eq!((group.state.as_str(), group.members), ("Stable", 1));
    let (id, member) = view.members.first_key_value().expect("a member");
    assert_eq!(group.leader.as_ref(), Some(id));
    assert_eq!((member.owned.len(), member.state), (3, MemberState::Stable));
    assert!(member.target.is_empty() && member.revoking.is_empty());
    let read: i64 = view.offsets.values().filter_map(|offset| offset.committed).sum();
    assert_eq!(read, 12);
    assert!(view.offsets.values().all(|offset| offset.lag_records == 0));
    assert!(view.offsets.values().all(|offset| offset.owner.as_ref() == Some(id)));
    let cards = played.views(Tab::Cluster).cluster.groups;
    let card = &cards["billing"];
    assert_eq!((card.state.as_str(), card.members.len()), ("stable", 1));
    assert_eq!(card.members[0].owned.len(), 3);
    // A frozen reader falls behind: what is written afterwards is not committed.
    played.act(2, Input::Interrupt);
    played.wait(3_000);
    played.run(1, "k1:late", 2_000);
    let view = played.views(Tab::Groups).groups;
    assert_eq!(view.groups["billing"].state, "Empty");
    let lag: u64 = view.offsets.values().map(|offset| offset.lag_records).sum();
    assert_eq!(lag, 1);
    let key = PartitionKey { topic: "orders".to_owned(), partition: 0 };
    assert!(view.offsets.contains_key(&key));
    assert!(view.offsets.values().any(|offset| offset.lag_ms >= 1_000));
}

#[test]
fn a_record_flies_to_its_leader_and_on_to_the_followers() {
    let mut played = Played::with_orders(6, 3);
    played.views(Tab::Cluster);
    played.session.take_flights();
    played.run(1, "k1:once more", 2_000);
    let flights = played.session.take_flights();
    assert!(flights.len() <= Frame::FLIGHTS_MAX);
    let of = |kind| flights.iter().filter(move |flight| flight.kind == kind);
    let produce = of(FlightKind::Produce).next().expect("a produce");
    assert_eq!((produce.count, produce.marks.len()), (1, 1));
    assert!(matches!(produce.from, Peer::Client(_)) && matches!(produce.to, Peer::Node(_)));
    assert!(produce.arrives_at > produce.sent_at && !produce.lost);
    let partition = produce.partition.as_ref();
    assert!(partition.is_some());
    let ack = of(FlightKind::Ack).next().expect("an acknowledgement");
    assert_eq!((&ack.to, ack.partition.as_ref()), (&produce.from, partition));
    let copies: Vec<_> = of(FlightKind::Replicate).collect();
    assert_eq!(copies.len(), 2);
    assert!(copies.iter().all(|copy| copy.partition.as_ref() == partition && copy.count == 1));
    // Nobody looks: nothing is recorded.
    played.views(Tab::Log);
    played.run(1, "k1:and again", 1_000);
    assert!(played.session.take_flights().is_empty());
}

#[test]
fn requests_and_responses() {
    let mut played = Played::with_orders(7, 3);
    played.run(1, "k1:one more", 1_100);
    let view = played.views(Tab::Rpcs).rpcs;
    assert!(view.messages.len() <= 120 && view.window.0 < view.window.1);
    let produce = view.messages.values().find(|it| it.api == "Produce" && !it.response);
    let produce = produce.unwrap_or_else(|| panic!("no Produce among {:?}", view.messages));
    assert_eq!((produce.version, produce.summary.as_str()), (13, "1 record"));
    assert_eq!(produce.marks.len(), 1);
    let is_answer = |it: &&playground::view::RpcMessage| {
        it.response && it.api == "Produce" && it.correlation_id == produce.correlation_id
    };
    let answer = view.messages.values().find(is_answer).expect("an answer");
    assert_eq!((&answer.from, &answer.to), (&produce.to, &produce.from));
    assert!(answer.summary.starts_with("baseOffset "), "{}", answer.summary);
    assert_eq!(answer.error, None);
    // Where the followers are awaited.
    let span = view.spans.values().find(|span| span.why.starts_with("acks=all"));
    let span = span.expect("a wait");
    assert_eq!((span.from, span.until), (produce.arrives_at, Some(answer.sent_at)));
    let notes: Vec<&str> = view.notes.values().map(|note| note.text.as_str()).collect();
    assert!(notes.iter().any(|text| text.starts_with("append at ")), "{notes:?}");
    assert!(notes.iter().any(|text| text.starts_with("high watermark ")), "{notes:?}");
    let roles: Vec<&str> = view.actors.values().map(|actor| actor.role.as_str()).collect();
    assert_eq!(roles.iter().filter(|role| **role == "follower").count(), 2, "{roles:?}");
    assert_eq!(roles.first(), Some(&"producer"));
    // Held: nothing moves, and a message can be looked into.
    let mut subscription = Subscription { tab: Tab::Rpcs, ..Subscription::default() };
    subscription.rpc.held = true;
    let number = view.messages.iter().find(|(_, it)| it.api == "Produce").map(|(id, _)| *id);
    subscription.inspect = number.map(Subject::Message);
    played.session.watch(subscription);
    let held = played.session.views();
    played.wait(5_000);
    let later = played.session.views();
    assert_eq!(held.rpcs, later.rpcs);
    let inspect = later.drawer.inspect.expect("the message");
    assert_eq!((inspect.kind.as_str(), inspect.title.as_str()), ("Request", "Produce, version 13"));
    assert_eq!(value(&inspect, "acks"), "-1");
    assert!(value(&inspect, "records").starts_with("Batch("));
}

fn value<'a>(inspect: &'a InspectView, name: &str) -> &'a str {
    let found = inspect.fields.iter().find(|field: &&Field| field.name == name);
    &found.unwrap_or_else(|| panic!("no {name} in {:?}", inspect.fields)).value
}

#[test]
fn every_kind_of_subject_can_be_inspected() {
    let mut played = Played::with_orders(8, 5);
    played.act(0, Input::OpenTerminal);
    played.run(2, "kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic orders --group billing --from-beginning", 8_000);
    let groups = played.views(Tab::Groups).groups;
    let member = groups.members.keys().next().expect("a member").clone();
    let log = played.views(Tab::Log).log;
    let replica = log.log.expect("a log").replica;
    let base_offset = *log.batches.keys().next().expect("a batch");
    let producer = played.views(Tab::Cluster).cluster.producers.keys().next().cloned();
    let key = PartitionKey { topic: "orders".to_owned(), partition: 1 };
    let subjects = [
        (Subject::Broker(2), "Broker", "kafka2"),
        (Subject::Quorum, "Metadata quorum", "__cluster_metadata-0"),
        (Subject::Topic("orders".to_owned()), "Topic", "orders"),
        (Subject::Partition(key), "Partition", "orders-1"),
        (
            Subject::Segment { replica: replica.clone(), base_offset: 0 },
            "Segment",
            "00000000000000000000.log",
        ),
        (Subject::Group("billing".to_owned()), "Consumer group", "billing"),
        (
            Subject::Member { group: "billing".to_owned(), member },
            "Group member",
            "console-consumer",
        ),
        (Subject::Client(producer.expect("a producer")), "Producer", "console-producer"),
    ];
    let mut inspect = |subject: &Subject| {
        let inspect = Some(subject.clone());
        played.session.watch(Subscription { inspect, ..Subscription::default() });
        played.session.views().drawer.inspect
    };
    for (subject, kind, title) in subjects {
        let view = inspect(&subject).unwrap_or_else(|| panic!("nothing of {subject:?}"));
        assert_eq!(
            (&view.subject, view.kind.as_str(), view.title.as_str()),
            (&subject, kind, title)
        );
        assert!(!view.text.is_empty() && view.fields.len() > 4, "{view:?}");
    }
    let view = inspect(&Subject::Replica(replica.clone())).expect("a replica");
    assert_eq!(value(&view, "role"), "leader");
    let view = inspect(&Subject::Batch { replica, base_offset }).expect("a batch");
    assert_eq!((value(&view, "magic"), view.bytes.len()), ("2", 61));
    assert_eq!(value(&view, "baseOffset"), base_offset.to_string());
    assert_eq!(view.bytes[..8], base_offset.to_be_bytes());
    let gone = ReplicaKey { topic: "gone".to_owned(), partition: 0, broker: 1 };
    for subject in [Subject::Replica(gone), Subject::Broker(9), Subject::Message(u64::MAX)] {
        assert_eq!(inspect(&subject), None);
    }
}
