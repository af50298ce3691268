//! A made-up session that speaks the seam, for pictures and page tests without an engine: `?fixture=overview`,
//! `failure`, `empty`, `rebalance`, `loading`, `stopped`, `watching`. Only with the cargo feature `fixture`.

use playground::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use playground::seam::*;
use playground::view::*;

use super::store::Store;
use crate::browser::dom;

const KEYS: [&str; 6] = ["berlin", "cairo", "lagos", "osaka", "porto", "lima"];

/// Whether the page was asked for with `?fixture`.
pub fn wanted() -> bool {
    dom::query().contains("fixture")
}

/// Mounts the page over the made-up session.
pub fn start() {
    let query = dom::query();
    let scene = query
        .split("fixture=")
        .nth(1)
        .unwrap_or("overview")
        .split('&')
        .next()
        .unwrap_or_default()
        .to_string();
    let model: Rc<RefCell<Made>> = Rc::new(RefCell::new(Made::new(&scene)));
    let inbox: Rc<RefCell<Vec<ToEngine>>> = Rc::default();
    let out = Rc::clone(&inbox);
    let store = super::mount(move |message| out.borrow_mut().push(message));
    if scene == "loading" {
        store.receive(FromEngine::Starting {
            what: "Cluster, saved yesterday".into(),
            done: 46,
            total: 100,
        });
        return;
    }
    model.borrow_mut().begin(store);
    let _ = set_interval_with_handle(
        move || {
            let messages: Vec<ToEngine> = inbox.borrow_mut().drain(..).collect();
            let mut made = model.borrow_mut();
            for message in messages {
                made.hear(store, message);
            }
            made.tick(store);
        },
        Duration::from_millis(16),
    );
}

struct Made {
    scene: String,
    now: u64,
    running: bool,
    speed: Speed,
    sent: Views,
    views: Views,
    subscription: Subscription,
    ends: SortedMap<PartitionKey, (i64, Vec<RecordMark>)>,
    random: u64,
    next_record: u64,
    sentences: u64,
    terminals: Vec<TerminalInfo>,
    full: bool,
}

fn mark(key: u16) -> RecordMark {
    RecordMark { key, kind: MarkKind::Record }
}

fn key(topic: &str, partition: i32) -> PartitionKey {
    PartitionKey { topic: topic.into(), partition }
}

impl Made {
    fn new(scene: &str) -> Self {
        Self {
            scene: scene.into(),
            now: if scene == "empty" { 2_400_000 } else { 252_380_000 },
            running: !dom::query().contains("still"),
            speed: Speed::REAL,
            sent: Views::default(),
            views: Views::default(),
            subscription: Subscription::default(),
            ends: SortedMap::new(),
            random: 7,
            next_record: 0,
            sentences: 0,
            terminals: vec![TerminalInfo { title: "admin".into(), ..TerminalInfo::default() }],
            full: true,
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn begin(&mut self, store: Store) {
        let failed = self.scene == "failure";
        let empty = self.scene == "empty";
        store.receive(FromEngine::Ready(Ready {
            engine: "0.1.0".into(),
            seed: 1,
            read_only: self.scene == "watching",
            ..Ready::default()
        }));
        if self.scene == "stopped" {
            store.receive(FromEngine::Failed(Failure {
                what: "monotonic-high-watermark".into(),
                why: "the high watermark of orders-1 fell from 988 to 987 in leader epoch 5".into(),
                at: Micros(261_412_000),
                seed: 1,
                event: 18_204,
                reproduce: "engine replay journal.kpj --until 18204".into(),
            }));
        }
        if self.scene == "quota" {
            store.receive(FromEngine::Storage(StorageState::QuotaExceeded { unsaved: 12 }));
        }
        for id in 1..=3 {
            let dead = failed && id == 2;
            let broker = BrokerView {
                name: format!("kafka{id}"),
                rack: Some(format!("az-{}", ["a", "b", "c"][id as usize - 1])),
                state: if dead { BrokerState::Crashed } else { BrokerState::Up },
                fenced: dead,
                leaders: if empty || dead {
                    0
                } else if failed {
                    [2, 0, 4][id as usize - 1]
                } else {
                    2
                },
                bytes_in: if empty { 0 } else { 2_000 + 500 * id as u64 },
                bytes_out: if empty { 0 } else { 5_200 - 700 * id as u64 },
                ..BrokerView::default()
            };
            self.views.cluster.brokers.insert(id, broker);
        }
        self.views.cluster.quorum = QuorumView {
            leader: Some(1),
            epoch: 7,
            offset: 4_182,
            voters: (1..=3)
                .map(|id| VoterView { id, offset: 4_182, up: !(failed && id == 2) })
                .collect(),
        };
        if empty {
            self.chunk(store, Stream::Notice, "A three-broker cluster is up. Type help, or paste the commands of any Kafka tutorial.", "");
            return;
        }
        self.terminals.push(TerminalInfo {
            id: 1,
            title: "producer".into(),
            status: TerminalStatus::Reading,
        });
        self.terminals.push(TerminalInfo {
            id: 2,
            title: "consumer billing".into(),
            status: TerminalStatus::Streaming,
        });
        store.terminals.set(self.terminals.clone());
        for (index, name) in KEYS.iter().enumerate() {
            self.views.cluster.keys.insert(index as u16 + 1, (*name).to_string());
        }
        let starts = [("orders", [1_204, 987, 1_570]), ("payments", [402, 377, 519])];
        for (number, (topic, ends)) in starts.iter().enumerate() {
            self.views.cluster.layout.rows.push(LayoutRow {
                topic: (*topic).into(),
                number: number as u16,
                partitions: vec![0, 1, 2],
            });
            for partition in 0..3_i32 {
                let choices = [[1, 4], [2, 5], [3, 6]][partition as usize];
                let tail = (0..20).map(|_| mark(choices[self.draw(2) as usize])).collect();
                self.ends.insert(key(topic, partition), (ends[partition as usize], tail));
                let first = (partition + number as i32) % 3 + 1;
                let replicas: Vec<i32> = (0..3).map(|step| (first - 1 + step) % 3 + 1).collect();
                let isr: Vec<i32> =
                    replicas.iter().copied().filter(|id| !(failed && *id == 2)).collect();
                let moved = failed && first == 2;
                self.views.cluster.partitions.insert(
                    key(topic, partition),
                    PartitionView {
                        leader: isr.first().copied(),
                        leader_epoch: if moved { 5 } else { 4 },
                        replicas,
                        isr,
                        min_insync_replicas: 2,
                        previous_leader: moved.then_some(2),
                        ..PartitionView::default()
                    },
                );
            }
        }
        self.views.cluster.layout.topics = 2;
        self.producers(failed);
        self.groups(failed);
        self.facts(failed);
        for line in ["kafka-topics.sh --bootstrap-server localhost:9092 --list"] {
            self.chunk(store, Stream::Prompt, "$ ", "");
            self.chunk(store, Stream::Echo, line, "");
            self.chunk(store, Stream::Stdout, "__consumer_offsets\norders\npayments\n", "");
        }
        if failed {
            self.chunk(store, Stream::Prompt, "$ ", "");
            self.chunk(
                store,
                Stream::Echo,
                "docker compose kill kafka2",
                "from click: Kill on broker 2",
            );
            self.chunk(
                store,
                Stream::Stderr,
                " Container kafka2 Killing \n Container kafka2 Killed \n",
                "",
            );
            self.chunk(store, Stream::Notice, "kafka2 is gone at once: no controlled shutdown, no farewell to the controller. After broker.session.timeout.ms (9 s) it is fenced.", "");
        }
        self.chunk(store, Stream::Prompt, "$ ", "");
        self.chunk(
            store,
            Stream::Echo,
            "kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic orders",
            "",
        );
        self.chunk(store, Stream::Stdout, "Topic: orders\tTopicId: 5X8n1rKvQnq0l3c2m8dZyA\tPartitionCount: 3\tReplicationFactor: 3\tConfigs: min.insync.replicas=2\n\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: \tLastKnownElr: \n\tTopic: orders\tPartition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,3,1\tElr: \tLastKnownElr: \n\tTopic: orders\tPartition: 2\tLeader: 3\tReplicas: 3,1,2\tIsr: 3,1,2\tElr: \tLastKnownElr: \n", "");
        store.receive(FromEngine::Line(LineState {
            edit: 0,
            prompt: "$ ".into(),
            text: "kafka-consumer-groups.sh --bootstrap-server localhost:9092 --desc".into(),
            cursor: 65,
            ghost: "ribe --group billing".into(),
            ..LineState::default()
        }));
        self.history(store, failed);
        self.log_view();
        self.rpc_view();
    }

    fn chunk(&self, store: Store, stream: Stream, text: &str, tag: &str) {
        store.receive(FromEngine::Output(vec![Chunk {
            terminal: 0,
            stream,
            text: text.into(),
            tag: tag.into(),
            actions: if stream == Stream::Notice && self.scene == "failure" {
                vec![playground::view::Action {
                    label: "Start kafka2".into(),
                    command: "docker compose start kafka2".into(),
                }]
            } else {
                vec![]
            },
        }]));
    }

    fn producers(&mut self, failed: bool) {
        let lanes = |topic: &str,
                     marks: [&[u16]; 3],
                     partitions: &SortedMap<PartitionKey, PartitionView>| {
            (0..3)
                .map(|partition| LaneView {
                    topic: topic.into(),
                    partition,
                    leader: partitions.get(&key(topic, partition)).and_then(|each| each.leader),
                    marks: marks[partition as usize].iter().map(|key| mark(*key)).collect(),
                })
                .collect::<Vec<_>>()
        };
        let partitions = self.views.cluster.partitions.clone();
        let one = ProducerView {
            name: "checkout-web".into(),
            summary: "acks=all, idempotent".into(),
            state: if failed { ProducerState::Retrying(2) } else { ProducerState::InFlight },
            lanes: lanes("orders", [&[1, 4, 1], &[5, 2, 5], &[3, 6, 3, 3]], &partitions),
            terminal: Some(1),
        };
        let two = ProducerView {
            name: "pos-terminals".into(),
            summary: "acks=1, linger 20 ms".into(),
            state: ProducerState::Batching,
            lanes: lanes("payments", [&[4], &[2, 2], &[]], &partitions),
            terminal: None,
        };
        for (id, producer) in [("checkout-web", one), ("pos-terminals", two)] {
            for lane in &producer.lanes {
                let to = Peer::Node(lane.leader.unwrap_or(1));
                self.views.cluster.links.insert((Peer::Client(id.into()), to), LinkState::Active);
            }
            self.views.cluster.producers.insert(id.into(), producer);
        }
    }

    fn groups(&mut self, failed: bool) {
        let member = |name: &str, owned: Vec<PartitionKey>, lag_ms: u64| MemberCard {
            client: name.into(),
            name: name.into(),
            owned,
            lag_records: 6,
            lag_ms,
        };
        self.views.cluster.groups.insert(
            "billing".into(),
            GroupCard {
                state: "stable".into(),
                epoch: 4,
                coordinator: Some(1),
                members: vec![
                    member("billing-1", vec![key("orders", 0)], 300),
                    member("billing-2", vec![key("orders", 1)], if failed { 9_800 } else { 200 }),
                    member("billing-3", vec![key("orders", 2)], 500),
                ],
            },
        );
        self.views.cluster.groups.insert(
            "fraud-check".into(),
            GroupCard {
                state: "stable".into(),
                epoch: 2,
                coordinator: Some(3),
                members: vec![member(
                    "fraud-1",
                    (0..3).map(|p| key("payments", p)).collect(),
                    1_100,
                )],
            },
        );
        for (client, broker) in
            [("billing-1", 1), ("billing-2", 2), ("billing-3", 3), ("fraud-1", 2)]
        {
            let state = if failed && broker == 2 { LinkState::Broken } else { LinkState::Active };
            self.views
                .cluster
                .links
                .insert((Peer::Client(client.into()), Peer::Node(broker)), state);
        }
        let rebalance = self.scene == "rebalance";
        for (name, members) in [("billing", 3), ("fraud-check", 1)] {
            self.views.groups.groups.insert(
                name.into(),
                GroupView {
                    protocol: if rebalance {
                        GroupProtocol::Consumer
                    } else {
                        GroupProtocol::Classic
                    },
                    state: if rebalance { "Reconciling".into() } else { "Stable".into() },
                    epoch: 8,
                    assignor: if rebalance { "uniform".into() } else { "range".into() },
                    coordinator: Some(3),
                    leader: Some("m1".into()),
                    members,
                },
            );
        }
        self.views.groups.chosen = Some("billing".into());
        let owns: [&[i32]; 3] =
            if rebalance { [&[0, 1], &[2, 3, 4], &[5]] } else { [&[0, 1], &[2, 3], &[4, 5]] };
        for (index, owned) in owns.iter().enumerate() {
            let moving = rebalance && index == 1;
            self.views.groups.members.insert(
                format!("m{}", index + 1),
                MemberView {
                    name: format!("billing-{}", index + 1),
                    client_id: "console-consumer".into(),
                    host: "/127.0.0.1".into(),
                    epoch: if moving { 7 } else { 8 },
                    state: if moving { MemberState::Revoking } else { MemberState::Stable },
                    owned: owned.iter().map(|p| key("orders", *p)).collect(),
                    target: if rebalance && index == 2 { vec![key("orders", 4)] } else { vec![] },
                    revoking: if moving { vec![key("orders", 4)] } else { vec![] },
                    last_heartbeat: Micros(self.now - 900_000),
                    joined: rebalance && index == 2,
                },
            );
        }
        let lags = [
            (2_204, 6, 300),
            (1_988, 9, 400),
            (2_571, 14, 600),
            (1_402, 11, 500),
            (1_789, 412, 14_200),
            (1_519, 96, 3_100),
        ];
        for (partition, (end, lag, ms)) in lags.iter().enumerate() {
            let owner = owns.iter().position(|owned| owned.contains(&(partition as i32)));
            self.views.groups.offsets.insert(
                key("orders", partition as i32),
                OffsetView {
                    committed: Some(end - lag),
                    log_start_offset: 0,
                    log_end_offset: *end,
                    lag_records: *lag as u64,
                    lag_ms: *ms,
                    caught_up_in_ms: Some(if *lag > 90 { *ms * 3 / 2 } else { 0 }),
                    owner: owner.map(|index| format!("m{}", index + 1)),
                },
            );
        }
        let states = self.views.cluster.brokers.clone();
        self.views.topics.brokers = (1..=3)
            .map(|id| BrokerColumn { id, state: states[&id].state, fenced: states[&id].fenced })
            .collect();
        for (number, (topic, count)) in
            [("clicks", 6), ("orders", 6), ("payments", 6), ("__consumer_offsets", 6)]
                .iter()
                .enumerate()
        {
            self.views.topics.topics.insert(
                (*topic).into(),
                TopicRow {
                    number: number as u16,
                    internal: topic.starts_with('_'),
                    ..TopicRow::default()
                },
            );
            for partition in 0..*count {
                let first = (partition + number as i32) % 3 + 1;
                let replicas: Vec<i32> = (0..3).map(|step| (first - 1 + step) % 3 + 1).collect();
                let isr: Vec<i32> = replicas
                    .iter()
                    .copied()
                    .filter(|id| {
                        !(failed && *id == 2) && !(*topic == "clicks" && partition == 2 && *id == 3)
                    })
                    .collect();
                let leader = if *topic == "payments" && partition == 3 {
                    isr.get(1).copied()
                } else {
                    isr.first().copied()
                };
                let size = 200_000 + self.draw(800_000);
                let records_in = 10 + self.draw(90) as u32;
                let end = 400 + self.draw(1_500) as i64;
                self.views.topics.partitions.insert(
                    key(topic, partition),
                    PartitionRow {
                        leader,
                        leader_epoch: 4,
                        replicas,
                        isr,
                        size,
                        records_in,
                        log_end_offset: end,
                        ..PartitionRow::default()
                    },
                );
            }
        }
    }

    fn facts(&mut self, failed: bool) {
        let fact =
            |name: &str, value: &str, level| Fact { name: name.into(), value: value.into(), level };
        self.views.drawer.facts = if failed {
            vec![
                fact("Replicas in sync", "12 of 18", Level::Warn),
                fact("Under-replicated partitions", "6", Level::Warn),
                fact("Offline partitions", "0", Level::Plain),
                fact("Produce time, p99", "41 ms", Level::Plain),
                fact("Slowest group", "9.8 s behind", Level::Warn),
            ]
        } else {
            vec![
                fact("Replicas in sync", "18 of 18", Level::Plain),
                fact("Offline partitions", "0", Level::Plain),
                fact("Records in", "42 /s", Level::Plain),
                fact("Produce time, p99", "11 ms", Level::Plain),
                fact("Slowest group", "1.1 s behind", Level::Plain),
            ]
        };
    }

    fn tell(
        &mut self,
        at: u64,
        kind: SentenceKind,
        level: Level,
        important: bool,
        subject: Option<Subject>,
        text: &str,
    ) -> Sentence {
        self.sentences += 1;
        let parts = text
            .split('*')
            .enumerate()
            .flat_map(|(index, piece)| {
                if index % 2 == 1 {
                    return vec![Part::Strong(piece.into())];
                }
                piece
                    .split('`')
                    .enumerate()
                    .map(|(index, piece)| {
                        if index % 2 == 1 {
                            Part::Code(piece.into())
                        } else {
                            Part::Text(piece.into())
                        }
                    })
                    .collect()
            })
            .collect();
        Sentence {
            id: self.sentences,
            at: Micros(at),
            until: None,
            kind,
            level,
            important,
            cause: (self.sentences > 1).then_some(self.sentences - 1),
            subject,
            parts,
            actions: vec![],
        }
    }

    fn history(&mut self, store: Store, failed: bool) {
        use SentenceKind::*;
        let mut all = Vec::new();
        for at in [9, 15, 19, 21, 27, 42, 44, 66, 93, 108, 111, 144, 147, 180, 198, 213] {
            all.push(self.tell(
                at * 1_000_000,
                Command,
                Level::Plain,
                false,
                None,
                "You ran `kafka-topics.sh --list`.",
            ));
        }
        all.push(self.tell(
            93_000_000,
            Rebalance,
            Level::Plain,
            false,
            None,
            "Group *billing* began to rebalance: *billing-3* joined.",
        ));
        all.push(self.tell(
            156_000_000,
            IsrShrink,
            Level::Warn,
            false,
            None,
            "Broker 3 fell out of the ISR of *orders-0*.",
        ));
        if failed {
            self.now = 263_905_000;
            let moved = Some(Subject::Partition(key("orders", 1)));
            all.push(self.tell(
                252_402_000,
                Command,
                Level::Bad,
                false,
                None,
                "You ran `docker compose kill kafka2`.",
            ));
            all.push(self.tell(
                252_650_000,
                Record,
                Level::Plain,
                false,
                None,
                "*checkout-web* lost its connection and began to retry orders-1.",
            ));
            let mut silent = self.tell(
                252_410_000,
                Failure,
                Level::Bad,
                true,
                None,
                "Broker 2 sent no heartbeat for 9 s. That is `broker.session.timeout.ms`.",
            );
            silent.until = Some(Micros(261_410_000));
            all.push(silent);
            all.push(self.tell(
                261_410_000,
                Controller,
                Level::Plain,
                false,
                None,
                "Controller 1 *fenced broker 2* and wrote it at metadata offset 4 201.",
            ));
            all.push(self.tell(261_412_000, IsrShrink, Level::Warn, false, None, "All 6 partitions are down to *2 of 3* in sync. That still meets min.insync.replicas=2."));
            all.push(self.tell(261_412_000, Election, Level::Plain, true, moved, "The controller made *broker 3* leader of *orders-1*, epoch 5. It was in sync, so no record is lost."));
        } else {
            all.push(self.tell(
                245_020_000,
                IsrExpand,
                Level::Good,
                false,
                None,
                "All 18 replicas are in sync.",
            ));
            all.push(self.tell(
                252_340_000,
                Record,
                Level::Plain,
                false,
                None,
                "*billing-2* committed offset 987 for orders-1.",
            ));
            all.push(self.tell(
                252_362_000,
                Record,
                Level::Plain,
                false,
                None,
                "Key *berlin* hashes to 1 249 439 730, mod 3 is *0*, so it goes to orders-0.",
            ));
            all.push(self.tell(
                252_364_000,
                Record,
                Level::Plain,
                false,
                None,
                "Broker 1 appended a batch of 2 at offset *1202*. Nobody may read it yet.",
            ));
            all.push(self.tell(
                252_371_000,
                Record,
                Level::Plain,
                false,
                None,
                "Brokers 2 and 3 fetched offsets 1202–1203, so the high watermark moved to *1204*.",
            ));
            all.push(self.tell(
                252_377_000,
                Record,
                Level::Good,
                false,
                None,
                "*checkout-web* got its ack for 2 records: all 3 replicas of *orders-0* hold them.",
            ));
        }
        store.receive(FromEngine::Narrative(all));
    }

    fn log_view(&mut self) {
        let replica = ReplicaKey { topic: "orders".into(), partition: 1, broker: 2 };
        self.views.log.log = Some(LogHeader {
            replica,
            topic_number: 0,
            replicas: vec![1, 2, 3],
            leader: Some(2),
            isr: vec![2, 3, 1],
            online: true,
            cleanup_policy: "delete".into(),
            log_start_offset: 612,
            last_stable_offset: 4_387,
            high_watermark: 4_387,
            log_end_offset: 4_388,
            size: 61_200,
            index_interval: 4_096,
        });
        let bases = [
            (612, 1_490, SegmentState::Closed),
            (1_490, 2_804, SegmentState::Closed),
            (2_804, 3_391, SegmentState::Closed),
            (3_391, 4_020, SegmentState::Closed),
            (4_020, 4_388, SegmentState::Active),
        ];
        for (base, end, state) in bases {
            let sample =
                (0..((end - base) / 16).min(44)).map(|_| mark(self.draw(6) as u16 + 1)).collect();
            self.views.log.segments.insert(
                base,
                SegmentView {
                    end_offset: end,
                    bytes: (end - base) as u64 * 14,
                    state,
                    max_timestamp: 1_795_392_252_362,
                    sample,
                },
            );
        }
        let batches: [(i64, &[u16], &str); 6] = [
            (4_376, &[3, 1], "none"),
            (4_378, &[4, 5, 2], "zstd"),
            (4_381, &[2, 6], "none"),
            (4_383, &[0], "none"),
            (4_384, &[6, 1, 5], "none"),
            (4_387, &[2], "none"),
        ];
        for (index, (base, keys, codec)) in batches.iter().enumerate() {
            let records = keys
                .iter()
                .enumerate()
                .map(|(at, number)| RecordView {
                    offset: base + at as i64,
                    timestamp: 1_795_392_252_362,
                    mark: RecordMark {
                        key: *number,
                        kind: match (index, at) {
                            (1, 0) => MarkKind::Tombstone,
                            (3, _) => MarkKind::Commit,
                            _ => MarkKind::Record,
                        },
                    },
                    key: (*number > 0).then(|| KEYS[*number as usize - 1].to_string()),
                    value: (index != 1 || at > 0).then(|| {
                        ["tier=gold", "tier=base", "pts +40"][(index + at) % 3].to_string()
                    }),
                    headers: vec![],
                })
                .collect::<Vec<_>>();
            self.views.log.batches.insert(
                *base,
                BatchView {
                    last_offset: base + records.len() as i64 - 1,
                    position: 12_340 + 231 * index as u32,
                    bytes: 231,
                    segment: 4_020,
                    partition_leader_epoch: 5,
                    crc: 0x8f2a_61d4,
                    codec: (*codec).into(),
                    transactional: index == 2,
                    control: index == 3,
                    producer_id: 4_007,
                    base_sequence: 118,
                    count: records.len() as u32,
                    records,
                    ..BatchView::default()
                },
            );
        }
        self.views.log.index = vec![(4_020, 0), (4_142, 4_102), (4_263, 8_211), (4_371, 12_340)];
        self.views.log.lookup = Some(LookupView {
            offset: 4_385,
            segment: 4_020,
            entry: Some((4_371, 12_340)),
            batches_read: 5,
        });
        self.views.log.epochs = vec![(0, 0), (4, 2_804), (5, 4_301)];
        self.views.drawer.inspect = None;
    }

    fn rpc_view(&mut self) {
        let actors = [
            (Peer::Client("checkout-web".into()), "checkout-web", "producer"),
            (Peer::Node(1), "Broker 1", "leader of orders-0"),
            (Peer::Node(2), "Broker 2", "follower"),
            (Peer::Node(3), "Broker 3", "follower"),
            (Peer::Client("billing-1".into()), "billing-1", "consumer"),
        ];
        for (index, (peer, name, role)) in actors.iter().enumerate() {
            self.views.rpcs.actors.insert(
                index as u16,
                ActorView { peer: peer.clone(), name: (*name).into(), role: (*role).into() },
            );
        }
        let start = 252_360_000;
        self.views.rpcs.window = (Micros(start), Micros(start + 20_000));
        let list: [(usize, usize, u64, u64, &str, &str, bool, &[u16]); 9] = [
            (0, 1, 200, 2_000, "Produce", "2 records", false, &[1, 4]),
            (2, 1, 1_200, 3_400, "Fetch", "from 1 202", false, &[]),
            (1, 2, 3_900, 6_000, "Fetch", "2 records", true, &[1, 4]),
            (3, 1, 4_100, 6_600, "Fetch", "from 1 202", false, &[]),
            (1, 3, 7_000, 9_400, "Fetch", "2 records", true, &[1, 4]),
            (2, 1, 7_600, 9_600, "Fetch", "from 1 204", false, &[]),
            (3, 1, 10_600, 13_000, "Fetch", "from 1 204", false, &[]),
            (1, 0, 14_000, 15_800, "Produce", "ack, baseOffset 1 202", true, &[]),
            (1, 4, 15_400, 18_200, "Fetch", "2 records", true, &[1, 4]),
        ];
        for (id, (from, to, sent, arrives, api, summary, response, marks)) in
            list.iter().enumerate()
        {
            self.views.rpcs.messages.insert(
                id as u64 + 90_400,
                RpcMessage {
                    from: actors[*from].0.clone(),
                    to: actors[*to].0.clone(),
                    sent_at: Micros(start + sent),
                    arrives_at: Micros(start + arrives),
                    api: (*api).into(),
                    family: if *api == "Produce" { ApiFamily::Produce } else { ApiFamily::Fetch },
                    version: if *api == "Produce" { 13 } else { 18 },
                    correlation_id: id as i32,
                    response: *response,
                    summary: (*summary).into(),
                    marks: marks.iter().map(|key| mark(*key)).collect(),
                    error: None,
                    lost: false,
                },
            );
        }
        self.views.rpcs.spans.insert(
            90_400,
            SpanView {
                at: Peer::Node(1),
                from: Micros(start + 3_600),
                until: Some(Micros(start + 13_400)),
                why: "acks=all waits for every in-sync copy".into(),
            },
        );
        self.views.rpcs.notes.insert(
            1,
            NoteView {
                at: Peer::Node(1),
                when: Micros(start + 3_000),
                text: "append at 1 202".into(),
                strong: false,
            },
        );
        self.views.rpcs.notes.insert(
            2,
            NoteView {
                at: Peer::Node(1),
                when: Micros(start + 13_300),
                text: "high watermark 1 204".into(),
                strong: true,
            },
        );
        self.views.rpcs.collapsed = vec![("Heartbeat".into(), 14)];
    }

    fn hear(&mut self, store: Store, message: ToEngine) {
        match message {
            ToEngine::Play => self.running = true,
            ToEngine::Pause => self.running = false,
            ToEngine::SetSpeed(speed) => self.speed = speed,
            ToEngine::Step => {
                self.running = false;
                self.now += 40_000;
                self.produce(store);
            }
            ToEngine::Subscribe(subscription) => {
                self.subscription = subscription;
                self.inspect();
            }
            ToEngine::OpenTerminal => {
                let id = self.terminals.iter().map(|info| info.id).max().unwrap_or(0) + 1;
                self.terminals.push(TerminalInfo {
                    id,
                    title: format!("shell {id}"),
                    ..TerminalInfo::default()
                });
                store.receive(FromEngine::Terminals(self.terminals.clone()));
            }
            ToEngine::CloseTerminal(id) => {
                self.terminals.retain(|info| info.id != id);
                store.receive(FromEngine::Terminals(self.terminals.clone()));
            }
            ToEngine::Run { command, tag, .. } => {
                self.chunk(store, Stream::Prompt, "$ ", "");
                self.chunk(store, Stream::Echo, &command, &tag);
                let told = self.tell(
                    self.now,
                    SentenceKind::Command,
                    Level::Plain,
                    false,
                    None,
                    &format!("You ran `{command}`."),
                );
                store.receive(FromEngine::Narrative(vec![told]));
                if self.scene == "empty" && command.contains("--create") {
                    self.scene = "overview".into();
                    self.chunk(store, Stream::Stdout, "Created topic orders.\n", "");
                    self.begin(store);
                }
            }
            ToEngine::Input { terminal, input: TerminalInput::Submit { edit, text } } => {
                let chunk = |stream, text: &str| Chunk {
                    terminal,
                    stream,
                    text: text.into(),
                    ..Chunk::default()
                };
                store.receive(FromEngine::Output(vec![
                    chunk(Stream::Prompt, "$ "),
                    chunk(Stream::Echo, &text),
                    chunk(Stream::Stderr, "bash: not connected to an engine\n"),
                ]));
                store.receive(FromEngine::Line(LineState {
                    terminal,
                    edit,
                    prompt: "$ ".into(),
                    ..LineState::default()
                }));
            }
            ToEngine::Input { terminal, input: TerminalInput::Key { edit, key: LineKey::Tab } } => {
                let choice =
                    |text: &str, about: &str| Choice { text: text.into(), about: about.into() };
                store.receive(FromEngine::Line(LineState {
                    terminal,
                    edit,
                    prompt: "$ ".into(),
                    text: "kafka-topics.sh --d".into(),
                    cursor: 19,
                    menu: vec![
                        choice("--delete", "delete a topic"),
                        choice("--describe", "list details"),
                        choice("--disable-rack-aware", "no racks"),
                    ],
                    chosen: Some(1),
                    ..LineState::default()
                }));
            }
            _ => {}
        }
    }

    fn inspect(&mut self) {
        let field = |name: &str, value: &str, depth, marked| Field {
            name: name.into(),
            value: value.into(),
            depth,
            marked,
        };
        self.views.drawer.inspect = self.subscription.inspect.clone().map(|subject| InspectView {
            kind: "Request".into(),
            title: "Fetch, version 18".into(),
            text: "Broker 2 asks for the records after 1 204. By asking, it tells the leader it holds all before.".into(),
            fields: vec![
                field("header", "", 0, false),
                field("api_key", "1 Fetch", 1, false),
                field("correlation_id", "90 412", 1, false),
                field("body", "", 0, false),
                field("max_wait_ms", "500", 1, false),
                field("topics [1]", "", 1, false),
                field("topic_id", "5X8n1rKv…dZyA", 2, false),
                field("partitions [1]", "", 2, false),
                field("partition", "0", 3, false),
                field("fetch_offset", "1 204", 3, true),
            ],
            bytes: (0..48).map(|byte| byte * 5).collect(),
            actions: vec![playground::view::Action { label: "Describe the topic".into(), command: "kafka-topics.sh --describe".into() }],
            subject,
        });
    }

    fn produce(&mut self, store: Store) {
        let _ = store;
        let keys: Vec<PartitionKey> = self.ends.keys().cloned().collect();
        if keys.is_empty() {
            return;
        }
        let chosen = keys[self.draw(keys.len() as u64) as usize].clone();
        let choices = [[1, 4], [2, 5], [3, 6]][chosen.partition as usize];
        let key_number = choices[self.draw(2) as usize];
        let (end, tail) = self.ends.get_mut(&chosen).expect("it is one of the keys");
        *end += 1;
        tail.push(mark(key_number));
        if tail.len() > 20 {
            tail.remove(0);
        }
    }

    fn flights(&mut self) -> Vec<Flight> {
        let mut flights = Vec::new();
        let keys: Vec<PartitionKey> = self.ends.keys().cloned().collect();
        let chosen = keys[self.draw(keys.len() as u64) as usize].clone();
        let Some(partition) = self.views.cluster.partitions.get(&chosen) else { return flights };
        let Some(leader) = partition.leader else { return flights };
        let replicas = partition.isr.clone();
        let producer = if chosen.topic == "orders" { "checkout-web" } else { "pos-terminals" };
        let marks: Vec<RecordMark> = self.ends[&chosen].1.iter().rev().take(2).copied().collect();
        let mut add = |kind, from: Peer, to: Peer, marks: Vec<RecordMark>| {
            flights.push(Flight {
                kind,
                from,
                to,
                sent_at: Micros(self.now),
                arrives_at: Micros(self.now + 2_000),
                partition: Some(chosen.clone()),
                marks,
                count: 1,
                lost: false,
            });
        };
        let client = Peer::Client(producer.into());
        add(FlightKind::Produce, client.clone(), Peer::Node(leader), marks.clone());
        add(FlightKind::Ack, Peer::Node(leader), client, vec![]);
        for follower in replicas.iter().filter(|id| **id != leader) {
            add(FlightKind::Replicate, Peer::Node(leader), Peer::Node(*follower), marks.clone());
        }
        if chosen.topic == "orders" {
            let member = Peer::Client(format!("billing-{}", chosen.partition + 1));
            add(FlightKind::Records, Peer::Node(leader), member.clone(), marks.clone());
            add(FlightKind::Fetch, member, Peer::Node(leader), vec![]);
        }
        flights
    }

    fn tick(&mut self, store: Store) {
        let mut flights = Vec::new();
        if self.running {
            self.now += 16 * u64::from(self.speed.0.min(100_000));
            self.next_record += 1;
            if self.next_record % 4 == 0 && !self.ends.is_empty() {
                self.produce(store);
                if self.next_record % 16 == 0 {
                    flights = self.flights();
                }
            }
        }
        let lag = [0_i64, 1, 2];
        for (partition, (end, tail)) in &self.ends {
            let Some(view) = self.views.cluster.partitions.get(partition) else { continue };
            for broker in &view.replicas {
                let leads = view.leader == Some(*broker);
                let online = !(self.scene == "failure" && *broker == 2);
                let slow = self.scene == "lag" && *broker == 3 && partition.partition == 0;
                let behind = if !online {
                    3
                } else if slow {
                    7
                } else if leads {
                    0
                } else {
                    lag[(end % 2) as usize]
                };
                let own_end = end - behind;
                self.views.cluster.replicas.insert(
                    ReplicaKey {
                        topic: partition.topic.clone(),
                        partition: partition.partition,
                        broker: *broker,
                    },
                    ReplicaView {
                        leads,
                        in_isr: view.isr.contains(broker) && !slow,
                        online,
                        adding: false,
                        log_start_offset: 0,
                        last_stable_offset: end - 1,
                        high_watermark: (end - 1).min(own_end),
                        log_end_offset: own_end,
                        tail: tail[..tail.len() - behind as usize].to_vec(),
                    },
                );
            }
        }
        let mut frame = self.sent.diff(&self.views);
        frame.full = std::mem::take(&mut self.full);
        frame.flights = flights;
        self.sent = self.views.clone();
        store.receive(FromEngine::Frame(Box::new(frame)));
        store.receive(FromEngine::Clock(Clock {
            now: Micros(self.now),
            running: self.running,
            speed: self.speed,
            events: 1,
            reached: 0,
        }));
    }
}
