//! Consumer groups on a whole cluster, through the doors that an application has.

use simulation::sorted::{SortedMap, SortedSet};

use cluster::client::{
    BootstrapServer, ClientCommand, ClientError, ClientKind, ClientNotice, ClientSpec,
    ConsumerRecord, Destination, GeneratedLoad, ProducerRecord,
};
use cluster::coordinator::ClassicGroupState;
use cluster::protocol::{
    CreatableTopic, CreatePartitionsRequest, CreatePartitionsTopic, CreateTopicsRequest, Request,
    Response,
};
use cluster::types::{BrokerId, TopicPartition};
use cluster::world::{ClusterSpec, World};
use simulation::{Micros, NodeId, Random};

const EPOCH_MS: i64 = 1_763_768_000_000;
const SESSION_TIMEOUT: Micros = Micros::from_secs(45);

/// What one consumer has been told.
#[derive(Default)]
struct Seen {
    records: Vec<ConsumerRecord>,
    assigned: Vec<TopicPartition>,
    rebalances: u32,
    committed: Vec<Result<(), ClientError>>,
    failures: Vec<ClientError>,
    warnings: Vec<String>,
    closed: bool,
}

/// A cluster and applications that poll all the time.
struct Lab {
    world: World,
    consumers: SortedMap<NodeId, Seen>,
    responses: Vec<Response>,
    delivered: u64,
}

impl Lab {
    fn new(seed: u64) -> Self {
        let mut lab = Self {
            world: World::new(ClusterSpec::default_cluster(EPOCH_MS), seed),
            consumers: SortedMap::new(),
            responses: Vec::new(),
            delivered: 0,
        };
        lab.until("started", Micros::from_secs(20), |lab| {
            lab.world.nodes().all(|(_, node)| node.is_started())
        });
        lab
    }

    fn notices(&mut self) {
        while let Some((id, notice)) = self.world.take_notice() {
            match notice {
                ClientNotice::Response { result, .. } => {
                    self.responses.push(result.expect("an answer"))
                }
                ClientNotice::Delivered { result, .. } => {
                    result.expect("delivered");
                    self.delivered += 1;
                }
                ClientNotice::Closed => {
                    if let Some(seen) = self.consumers.get_mut(&id) {
                        seen.closed = true;
                    }
                }
                notice => self.of_consumer(id, notice),
            }
        }
    }

    fn of_consumer(&mut self, id: NodeId, notice: ClientNotice) {
        let Some(seen) = self.consumers.get_mut(&id) else { return };
        match notice {
            ClientNotice::Records(records) => {
                seen.records.extend(records);
                self.world.tell_client(id, ClientCommand::Poll { max_records: 500 });
            }
            ClientNotice::Assigned(partitions) => {
                seen.assigned = partitions;
                seen.rebalances += 1;
            }
            ClientNotice::Revoked(_) => seen.assigned.clear(),
            ClientNotice::Committed(result) => seen.committed.push(result),
            ClientNotice::Failed(failure) => seen.failures.push(failure),
            ClientNotice::Log(line) => seen.warnings.push(line.text),
            _ => {}
        }
    }

    /// Lets events happen until `done`; panics after `patience`.
    #[track_caller]
    fn until(&mut self, what: &str, patience: Micros, done: impl Fn(&Self) -> bool) {
        let deadline = self.world.now() + patience;
        while !done(self) {
            let next = self.world.next_time();
            assert!(
                next.is_some_and(|next| next <= deadline),
                "not {what} within {patience}, at {}: {}",
                self.world.now(),
                self.describe()
            );
            self.world.step();
            self.notices();
        }
    }

    fn describe(&self) -> String {
        self.consumers
            .iter()
            .map(|(id, seen)| {
                format!(
                    "\n  {}: {} records, owns {:?}, failures {:?}, warnings {:?}",
                    id.0,
                    seen.records.len(),
                    seen.assigned,
                    seen.failures,
                    seen.warnings
                )
            })
            .collect()
    }

    fn pass(&mut self, time: Micros) {
        let end = self.world.now() + time;
        while self.world.next_time().is_some_and(|next| next <= end) {
            self.world.step();
            self.notices();
        }
        self.world.advance_to(end);
    }

    fn spawn(&mut self, kind: ClientKind, client_id: &str, config: &[(&str, &str)]) -> NodeId {
        let server = |node: BrokerId| BootstrapServer {
            host: format!("kafka{node}"),
            port: 9092,
            node: Some(node),
        };
        self.world.spawn_client(ClientSpec {
            client_id: client_id.to_owned(),
            bootstrap: (1..=3).map(server).collect(),
            kind,
            config: config
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            host: "/127.0.0.1".to_owned(),
        })
    }

    /// Sends one request through an admin client.
    #[track_caller]
    fn admin(&mut self, to: Destination, request: impl Into<Request>) -> Response {
        let admin = self.spawn(ClientKind::Admin, "admin", &[]);
        let call = ClientCommand::Call { call: 1, to, request: request.into(), timeout_ms: 30_000 };
        self.world.tell_client(admin, call);
        self.until("answered", Micros::from_secs(30), |lab| !lab.responses.is_empty());
        self.world.tell_client(admin, ClientCommand::Close);
        self.responses.remove(0)
    }

    #[track_caller]
    fn create_topic(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: partitions,
            replication_factor: 3,
            assignments: Vec::new(),
            configs: Vec::new(),
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        let Response::CreateTopics(response) = self.admin(Destination::Controller, request) else {
            panic!("another answer");
        };
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
    }

    /// Produces `count` records to each of the partitions.
    #[track_caller]
    fn produce(&mut self, topic: &str, partitions: i32, count: u64) {
        let producer = self.spawn(ClientKind::Producer, "producer", &[]);
        let wanted = self.delivered + count * partitions as u64;
        for tag in 0..count {
            for partition in 0..partitions {
                let record = ProducerRecord {
                    topic: topic.to_owned(),
                    partition: Some(partition),
                    value: Some(format!("{partition}/{tag}").into_bytes().into()),
                    ..ProducerRecord::default()
                };
                self.world.tell_client(producer, ClientCommand::Send { tag, record });
            }
        }
        self.until("delivered", Micros::from_secs(60), |lab| lab.delivered == wanted);
        self.world.tell_client(producer, ClientCommand::Close);
    }

    fn consumer(&mut self, group: &str, topics: &[&str], config: &[(&str, &str)]) -> NodeId {
        let mut all = vec![("group.id", group), ("auto.offset.reset", "earliest")];
        all.extend(config);
        let id = self.spawn(ClientKind::Consumer, &format!("c{}", self.consumers.len()), &all);
        self.consumers.insert(id, Seen::default());
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        self.world.tell_client(id, ClientCommand::Subscribe { topics, pattern: false });
        self.world.tell_client(id, ClientCommand::Poll { max_records: 500 });
        id
    }

    fn owned(&self, id: NodeId) -> Vec<String> {
        self.consumers[&id].assigned.iter().map(ToString::to_string).collect()
    }

    /// The broker that coordinates the group, its state and its members.
    fn group(&self, group: &str) -> Option<(BrokerId, ClassicGroupState, usize)> {
        self.world.nodes().find_map(|(spec, node)| {
            let alive = self.world.node_state(spec.id) == Some(simulation::ProcessState::Running);
            let mut groups = node.coordinator().groups().filter(|_| alive);
            let (found, _) = groups.find(|(found, _)| found.group_id == group)?;
            Some((spec.id, found.state, found.len()))
        })
    }

    fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let (coordinator, ..) = self.group(group)?;
        let node = self.world.node(coordinator)?;
        let (_, offsets) =
            node.coordinator().groups().find(|(found, _)| found.group_id == group)?;
        Some(offsets?.get(&topic.to_owned())?.get(&partition)?.committed_offset)
    }

    #[track_caller]
    fn until_stable(&mut self, group: &str, members: usize, patience: Micros) {
        let stable = |lab: &Self| {
            lab.group(group).is_some_and(|(_, state, count)| {
                state == ClassicGroupState::Stable && count == members
            }) && lab.consumers.values().filter(|seen| !seen.assigned.is_empty()).count() == members
        };
        self.until(&format!("stable with {members}"), patience, stable);
    }

    /// How many different records were read by those that are there and those that are gone.
    fn distinct(&self, gone: &Seen) -> usize {
        let records = self.consumers.values().flat_map(|seen| &seen.records).chain(&gone.records);
        records.map(|record| (record.partition, record.offset)).collect::<SortedSet<_>>().len()
    }

    fn total(&self) -> usize {
        self.consumers.values().map(|seen| seen.records.len()).sum()
    }
}

#[test]
fn one_consumer_reads_everything_in_order_and_commits() {
    let mut lab = Lab::new(1);
    lab.create_topic("orders", 3);
    lab.produce("orders", 3, 10);
    let consumer = lab.consumer("app", &["orders"], &[]);
    lab.until("read", Micros::from_secs(20), |lab| lab.total() == 30);
    assert_eq!(lab.owned(consumer), ["orders-0", "orders-1", "orders-2"]);
    for partition in 0..3 {
        let records = &lab.consumers[&consumer].records;
        let offsets: Vec<i64> = records
            .iter()
            .filter(|record| record.partition == partition)
            .map(|record| record.offset)
            .collect();
        assert_eq!(offsets, (0..10).collect::<Vec<_>>());
    }
    lab.pass(Micros::from_secs(6));
    assert_eq!(lab.committed("app", "orders", 0), Some(10));
    assert!(lab.consumers[&consumer].failures.is_empty(), "{}", lab.describe());
}

#[test]
fn two_consumers_share_and_the_rest_goes_to_whoever_stays() {
    let mut lab = Lab::new(2);
    lab.create_topic("orders", 3);
    let one = lab.consumer("app", &["orders"], &[("client.id", "one")]);
    lab.until_stable("app", 1, Micros::from_secs(20));
    let two = lab.consumer("app", &["orders"], &[("client.id", "two")]);
    lab.until_stable("app", 2, Micros::from_secs(10));
    assert_eq!(lab.owned(one).len() + lab.owned(two).len(), 3);
    lab.produce("orders", 3, 20);
    lab.until("read", Micros::from_secs(10), |lab| lab.total() == 60);

    // A consumer that closes leaves at once: the others notice by their next heartbeat.
    lab.world.tell_client(two, ClientCommand::Close);
    let before = lab.world.now();
    lab.until("closed", Micros::from_secs(5), |lab| lab.consumers[&two].closed);
    lab.until("owns all", Micros::from_secs(5), |lab| lab.owned(one).len() == 3);
    assert!(lab.world.now().since(before) < Micros::from_secs(4));
    lab.produce("orders", 3, 5);
    lab.until("read", Micros::from_secs(10), |lab| lab.total() == 75);
    lab.pass(Micros::from_secs(10));
    assert_eq!(lab.total(), 75, "nothing is read twice after a clean handover");
}

#[test]
fn a_killed_consumer_is_a_member_until_its_session_ends() {
    let mut lab = Lab::new(3);
    lab.create_topic("orders", 4);
    let one = lab.consumer("app", &["orders"], &[]);
    let two = lab.consumer("app", &["orders"], &[]);
    lab.until_stable("app", 2, Micros::from_secs(30));
    lab.world.kill_client(two);
    lab.consumers.remove(&two);
    let killed = lab.world.now();
    lab.until("owns all", Micros::from_secs(60), |lab| lab.owned(one).len() == 4);
    let took = lab.world.now().since(killed);
    assert!(
        took > SESSION_TIMEOUT - Micros::from_secs(4)
            && took < SESSION_TIMEOUT + Micros::from_secs(5),
        "{took}"
    );
}

#[test]
fn the_next_consumer_of_a_group_goes_on_where_the_last_one_stopped() {
    let mut lab = Lab::new(4);
    lab.create_topic("orders", 1);
    lab.produce("orders", 1, 10);
    let one = lab.consumer("app", &["orders"], &[]);
    lab.until("read", Micros::from_secs(20), |lab| lab.total() == 10);
    lab.world.tell_client(one, ClientCommand::Close);
    lab.until("closed", Micros::from_secs(5), |lab| lab.consumers[&one].closed);
    assert_eq!(lab.committed("app", "orders", 0), Some(10));
    lab.produce("orders", 1, 3);
    let two = lab.consumer("app", &["orders"], &[]);
    lab.until("read", Micros::from_secs(20), |lab| lab.consumers[&two].records.len() == 3);
    assert_eq!(lab.consumers[&two].records[0].offset, 10);
}

#[test]
fn a_group_survives_its_coordinator() {
    for (seed, clean) in [(5, false), (6, true)] {
        let mut lab = Lab::new(seed);
        lab.create_topic("orders", 3);
        lab.produce("orders", 3, 10);
        let consumer = lab.consumer("app", &["orders"], &[]);
        lab.until("read", Micros::from_secs(20), |lab| lab.total() == 30);
        lab.pass(Micros::from_secs(6));
        let (coordinator, ..) = lab.group("app").expect("the group has a coordinator");
        if clean {
            lab.world.terminate_node(coordinator);
        } else {
            lab.world.kill_node(coordinator);
        }
        lab.until("another coordinates", Micros::from_secs(30), |lab| {
            lab.group("app").is_some_and(|(other, ..)| other != coordinator)
        });
        assert_eq!(lab.committed("app", "orders", 1), Some(10), "offsets survive");
        lab.produce("orders", 3, 5);
        lab.until("read", Micros::from_secs(30), |lab| lab.total() == 45);
        lab.pass(Micros::from_secs(12));
        assert_eq!(lab.total(), 45, "seed {seed}: nothing twice{}", lab.describe());
        assert_eq!(
            lab.consumers[&consumer].rebalances, 1,
            "membership is stored: nobody has to join again"
        );
        assert_eq!(
            lab.committed("app", "orders", 1),
            Some(15),
            "seed {seed}: {:?} {:?}",
            lab.group("app"),
            lab.world.clients().find(|(id, _)| *id == consumer)
        );
    }
}

#[test]
fn new_partitions_and_new_topics_are_noticed() {
    let mut lab = Lab::new(7);
    lab.create_topic("orders", 1);
    // The other topic does not exist: asking for it creates it.
    let settings = [("metadata.max.age.ms", "5000")];
    let consumer = lab.consumer("app", &["orders", "made-by-consumer"], &settings);
    lab.until("owns both", Micros::from_secs(20), |lab| lab.owned(consumer).len() == 2);
    let warnings = &lab.consumers[&consumer].warnings;
    assert!(
        warnings.iter().any(|text| text.contains("{made-by-consumer=UNKNOWN_TOPIC_OR_PARTITION}")),
        "{warnings:?}"
    );
    let topic = CreatePartitionsTopic { name: "orders".to_owned(), count: 3, assignments: None };
    let request =
        CreatePartitionsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
    lab.admin(Destination::Controller, request);
    lab.until("owns the new ones", Micros::from_secs(15), |lab| lab.owned(consumer).len() == 4);
}

#[test]
fn patterns_match_whole_names() {
    let mut lab = Lab::new(8);
    for topic in ["app-a", "app-b", "other-app-c"] {
        lab.create_topic(topic, 1);
    }
    let consumer = lab.consumer("app", &[], &[]);
    let topics = vec!["app-.*".to_owned()];
    lab.world.tell_client(consumer, ClientCommand::Subscribe { topics, pattern: true });
    lab.until("owns both", Micros::from_secs(20), |lab| lab.owned(consumer).len() == 2);
    let mut owned = lab.owned(consumer);
    owned.sort_unstable();
    assert_eq!(owned, ["app-a-0", "app-b-0"]);
}

#[test]
fn a_consumer_without_group_reads_what_it_is_told_to() {
    let mut lab = Lab::new(9);
    lab.create_topic("orders", 2);
    lab.produce("orders", 2, 10);
    let reset = [("auto.offset.reset", "earliest")];
    let consumer = lab.spawn(ClientKind::Consumer, "alone", &reset);
    lab.consumers.insert(consumer, Seen::default());
    let partitions =
        vec![(TopicPartition::new("orders", 0), Some(7)), (TopicPartition::new("orders", 1), None)];
    lab.world.tell_client(consumer, ClientCommand::Assign { partitions });
    lab.world.tell_client(consumer, ClientCommand::Poll { max_records: 500 });
    lab.until("read", Micros::from_secs(10), |lab| lab.total() == 13);
    // An offset beyond the end is out of range: the strategy decides.
    let seek = ClientCommand::Seek { partition: TopicPartition::new("orders", 1), offset: 9_999 };
    lab.world.tell_client(consumer, seek);
    lab.until("read again", Micros::from_secs(10), |lab| lab.total() == 23);
    lab.world.tell_client(consumer, ClientCommand::Commit { offsets: Vec::new() });
    lab.pass(Micros::from_secs(1));
    let answer = lab.consumers[&consumer].committed[0].clone().expect_err("there is no group");
    assert_eq!(answer.exception, "org.apache.kafka.common.errors.InvalidGroupIdException");
    lab.world.tell_client(consumer, ClientCommand::Close);
    lab.until("closed", Micros::from_secs(1), |lab| lab.consumers[&consumer].closed);
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let mut lab = Lab::new(10);
    lab.create_topic("orders", 2);
    let first = [("group.instance.id", "i-1")];
    let one = lab.consumer("app", &["orders"], &first);
    let two = lab.consumer("app", &["orders"], &[("group.instance.id", "i-2")]);
    lab.until_stable("app", 2, Micros::from_secs(30));
    let (had, rebalances) = (lab.owned(one), lab.consumers[&two].rebalances);
    lab.world.tell_client(one, ClientCommand::Close);
    lab.until("closed", Micros::from_secs(5), |lab| lab.consumers[&one].closed);
    lab.consumers.remove(&one);
    lab.pass(Micros::from_secs(10));
    let again = lab.consumer("app", &["orders"], &first);
    lab.until("owns", Micros::from_secs(5), |lab| !lab.owned(again).is_empty());
    assert_eq!(lab.owned(again), had);
    assert_eq!(lab.consumers[&two].rebalances, rebalances);
}

#[test]
fn an_application_that_stops_polling_is_thrown_out() {
    let mut lab = Lab::new(11);
    lab.create_topic("orders", 1);
    lab.produce("orders", 1, 1);
    let settings = [("max.poll.interval.ms", "10000")];
    let slow = lab.consumer("app", &["orders"], &settings);
    lab.until_stable("app", 1, Micros::from_secs(20));
    // Its next records are the last thing it asks for.
    let id = slow;
    lab.until("read", Micros::from_secs(5), |lab| lab.total() == 1);
    lab.consumers.get_mut(&id).expect("it is there").records.clear();
    let seen = lab.consumers.remove(&id).expect("it is there");
    lab.produce("orders", 1, 1);
    lab.pass(Micros::from_secs(20));
    assert!(seen.failures.is_empty());
    assert_eq!(
        lab.group("app").map(|(_, state, count)| (state, count)),
        Some((ClassicGroupState::Empty, 0))
    );
}

#[test]
fn a_group_reads_on_while_a_load_runs_and_a_broker_dies() {
    let mut lab = Lab::new(12);
    lab.create_topic("orders", 3);
    lab.consumer("app", &["orders"], &[]);
    lab.consumer("app", &["orders"], &[]);
    lab.until_stable("app", 2, Micros::from_secs(30));
    let producer = lab.spawn(ClientKind::Producer, "load", &[]);
    let topic = "orders".to_owned();
    let load = GeneratedLoad { topic, record_bytes: 20, keys: 0, rate: 100, total: 2_000 };
    lab.world.tell_client(producer, ClientCommand::Generate(load));
    lab.pass(Micros::from_secs(5));
    lab.world.kill_node(2);
    lab.pass(Micros::from_secs(60));
    assert_eq!(lab.distinct(&Seen::default()), 2_000, "{}", lab.describe());
}

/// Random comings and goings of consumers and brokers, under load. Whatever happens: nothing is lost, a partition has one
/// reader in a generation, and the group ends stable with everybody in it.
#[test]
fn nothing_is_lost_whoever_comes_and_goes() {
    for seed in 100..104 {
        let mut random = Random::from_seed(seed);
        let mut lab = Lab::new(seed);
        let partitions = 1 + random.below(5) as i32;
        lab.create_topic("orders", partitions);
        let mut alive = vec![lab.consumer("app", &["orders"], &[])];
        let producer = lab.spawn(ClientKind::Producer, "load", &[]);
        let topic = "orders".to_owned();
        let load = GeneratedLoad { topic, record_bytes: 20, keys: 7, rate: 50, total: 5_000 };
        lab.world.tell_client(producer, ClientCommand::Generate(load));
        let mut everything = Seen::default();
        let mut stopped: Option<BrokerId> = None;
        for _ in 0..8 {
            match random.below(5) {
                0 | 1 if alive.len() < 4 => alive.push(lab.consumer("app", &["orders"], &[])),
                2 if alive.len() > 1 => {
                    let leaver = alive.remove(random.below(alive.len() as u64) as usize);
                    lab.world.tell_client(leaver, ClientCommand::Close);
                    lab.until("closed", Micros::from_secs(40), |lab| lab.consumers[&leaver].closed);
                    everything
                        .records
                        .extend(lab.consumers.remove(&leaver).expect("it was there").records);
                }
                3 if alive.len() > 1 => {
                    let killed = alive.remove(random.below(alive.len() as u64) as usize);
                    lab.world.kill_client(killed);
                    everything
                        .records
                        .extend(lab.consumers.remove(&killed).expect("it was there").records);
                }
                _ => match stopped.take() {
                    Some(node) => lab.world.start_node(node),
                    None => {
                        let node = 1 + random.below(3) as BrokerId;
                        if random.chance(500_000) {
                            lab.world.kill_node(node);
                        } else {
                            lab.world.terminate_node(node);
                        }
                        stopped = Some(node);
                    }
                },
            }
            lab.pass(Micros::from_secs(1 + random.below(15)));
        }
        if let Some(node) = stopped {
            lab.pass(Micros::from_secs(15));
            lab.world.start_node(node);
        }
        let members = alive.len();
        let readers = members.min(partitions as usize);
        lab.until(&format!("settled, seed {seed}"), Micros::from_secs(240), |lab| {
            lab.group("app").is_some_and(|(_, state, count)| {
                state == ClassicGroupState::Stable && count == members
            }) && lab.consumers.values().filter(|seen| !seen.assigned.is_empty()).count() == readers
        });
        let mut owned: Vec<String> = alive.iter().flat_map(|id| lab.owned(*id)).collect();
        owned.sort_unstable();
        let all: Vec<String> =
            (0..partitions).map(|partition| format!("orders-{partition}")).collect();
        assert_eq!(owned, all, "seed {seed}: one owner each");
        let deadline = lab.world.now() + Micros::from_secs(240);
        while lab.distinct(&everything) < 5_000 {
            assert!(
                lab.world.now() < deadline,
                "seed {seed}: records are missing{}",
                lab.describe()
            );
            lab.pass(Micros::from_secs(5));
        }
        for seen in lab.consumers.values() {
            assert!(seen.failures.is_empty(), "seed {seed}: {}", lab.describe());
        }
    }
}

/// A world that was written down in the middle of everything goes on as if nothing had happened.
#[test]
fn a_restored_world_goes_on_alike() {
    let mut lab = Lab::new(20);
    lab.create_topic("orders", 3);
    lab.consumer("app", &["orders"], &[]);
    lab.produce("orders", 3, 10);
    lab.consumer("app", &["orders"], &[]);
    lab.pass(Micros::from_ms(1_700));
    let bytes = postcard::to_allocvec(&lab.world).expect("a world can be written");
    let mut other: World = postcard::from_bytes(&bytes).expect("and read");
    let end = lab.world.now() + Micros::from_secs(20);
    lab.world.run_until(end);
    other.run_until(end);
    let written = |world: &World| postcard::to_allocvec(world).expect("a world can be written");
    assert!(written(&lab.world) == written(&other), "both worlds are the same");
}
