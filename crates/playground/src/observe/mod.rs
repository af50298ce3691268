//! Observers: they look at the world and its happenings and fill the page's read models. They change no event.
//!
//! # Where to start
//! - [`Observer::observe`] takes notice of what has just happened: a little work for each event.
//! - [`Observer::views`] fills the models that the page looks at, one file for each.

mod cluster;
mod facts;
mod fields;
mod flights;
mod groups;
mod inspect;
mod log;
mod marks;
mod rates;
mod rpc;
mod topics;

use simulation::sorted::{SortedMap, SortedSet};

use ::cluster::broker::KafkaNode;
use ::cluster::controller::image::{MetadataImage, resource_type};
use ::cluster::event::ClusterEvent;
use ::cluster::protocol::{Message, Request, Response};
use ::cluster::topic_names;
use ::cluster::types::{BrokerId, TopicPartition};
use ::cluster::uuid::Uuid;
use ::cluster::world::{Process, World};
use serde::{Deserialize, Serialize};
use simulation::{Happening, Micros, NodeId, Payload, ProcessState, Simulation};

use crate::host::Containers;
use crate::seam::{Subscription, Tab};
use crate::view::{BatchView, BrokerState, PartitionKey, Peer, ReplicaKey, Views};

use marks::Marks;
use rates::{Rate, Waits};

/// Kafka nodes have smaller node ids in the simulation, clients larger ones.
const FIRST_CLIENT: u32 = 1_000;
/// How long a former leader is news.
const LEADER_NEWS: Micros = Micros::from_secs(5);
/// Names of clients that are gone are kept for the requests that are still shown.
const NAMES_KEPT: usize = 500;

/// Requests that wait for answers; when there are more, those that have waited long are given up.
const ASKED: usize = 1_000;
const ASKED_SPAN: Micros = Micros::from_secs(60);

/// What observers remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observer {
    marks: Marks,
    /// Names of clients, unique in the session, by their place in the simulation.
    names: SortedMap<u32, String>,
    /// How many clients have had a `client.id`.
    name_counts: SortedMap<String, u32>,
    /// The session's numbers of user topics.
    topic_numbers: SortedMap<String, u16>,
    /// Names of topics by id, also of those that are gone.
    topic_names: SortedMap<Uuid, String>,
    /// Bytes that each node has received and sent.
    traffic: SortedMap<u32, (Rate, Rate)>,
    /// Records appended by leaders of user topics.
    appended: SortedMap<PartitionKey, Rate>,
    last_append: SortedMap<String, Micros>,
    produce_waits: Waits,
    /// Requests without an answer yet, by who asked whom, and as which of its requests.
    asked: SortedMap<(u32, u32, u32), Asked>,
    /// When something was last sent between a client and a node.
    links: SortedMap<(u32, i32), Micros>,
    /// Who led before, and since when not.
    previous_leaders: SortedMap<PartitionKey, (i32, Micros)>,
    /// What each broker did when it was last looked at, and since when.
    broker_states: SortedMap<BrokerId, (BrokerState, Micros)>,
    /// Partitions that producers have written to.
    written: SortedMap<u32, SortedSet<PartitionKey>>,
    /// Records that consumers were given.
    consumed: SortedMap<PartitionKey, Rate>,
    /// When each member of a group last sent something to its coordinator.
    heartbeats: SortedMap<String, Micros>,
    /// Members that came since their group's last assignment.
    new_members: SortedSet<(String, String)>,
    /// Topics that the diagram shows.
    shown: Vec<String>,
    #[serde(skip)]
    flights: flights::Flights,
    /// RPCs and events that have a number: each keeps its own.
    rpc_count: u64,
    #[serde(skip)]
    rpcs: rpc::Rpcs,
    /// Whose log was shown last; samples of its segments and pictures of its batches, by base offset.
    #[serde(skip)]
    log_of: Option<ReplicaKey>,
    #[serde(skip)]
    samples: SortedMap<i64, log::Sample>,
    #[serde(skip)]
    batch_views: SortedMap<i64, BatchView>,
}

impl Observer {
    /// Takes notice of what has just happened. Called after every event, so that messages can still be found by their slots.
    pub fn observe(
        &mut self,
        _now: Micros,
        simulation: &Simulation<Process>,
        happenings: &[(Micros, Happening<Process>)],
        subscription: &Subscription,
    ) {
        let held = subscription.tab == Tab::Rpcs && subscription.rpc.held;
        let draws_flights = subscription.tab == Tab::Cluster && !subscription.hidden;
        for (at, happening) in happenings {
            match happening {
                Happening::Sent { from, to, slot, .. } => {
                    self.on_sent(*at, simulation, *from, *to, *slot, held);
                    let message = slot.and_then(|slot| simulation.message(slot));
                    if let Some(in_flight) = message.filter(|_| draws_flights) {
                        self.note_flight(simulation, in_flight);
                    }
                }
                Happening::Event { node, event } => {
                    self.note_event(*at, *node, event, held);
                    self.on_event(*at, *node, event);
                }
                Happening::Started { node } => self.on_started(simulation, *node),
                Happening::Stopped { .. }
                | Happening::Paused { .. }
                | Happening::Resumed { .. } => {}
            }
        }
    }

    fn on_started(&mut self, simulation: &Simulation<Process>, node: NodeId) {
        let Some(Process::Client(client)) = simulation.actor(node) else { return };
        if self.names.contains_key(&node.0) {
            return;
        }
        let client_id = &client.spec().client_id;
        let count = self.name_counts.entry(client_id.clone()).or_default();
        *count += 1;
        let name = match (client_id.as_str(), *count) {
            ("", count) => format!("client {count}"),
            (client_id, 1) => client_id.to_owned(),
            (client_id, count) => format!("{client_id} ({count})"),
        };
        self.names.insert(node.0, name);
        if self.names.len() > NAMES_KEPT {
            let gone =
                self.names.keys().find(|id| simulation.actor(NodeId(**id)).is_none()).copied();
            if let Some(gone) = gone {
                self.names.remove(&gone);
                self.written.remove(&gone);
            }
        }
    }

    fn on_sent(
        &mut self,
        at: Micros,
        simulation: &Simulation<Process>,
        from: NodeId,
        to: NodeId,
        slot: Option<u32>,
        held: bool,
    ) {
        let message = slot.and_then(|slot| simulation.message(slot));
        let size = message.map_or(0, |in_flight| in_flight.message.size_bytes());
        if from != to {
            for (node, outgoing) in [(from, true), (to, false)] {
                if node.0 < FIRST_CLIENT {
                    let (incoming_rate, outgoing_rate) = self.traffic.entry(node.0).or_default();
                    if outgoing { outgoing_rate } else { incoming_rate }.add(at, size);
                }
            }
        }
        match (from.0 >= FIRST_CLIENT, to.0 >= FIRST_CLIENT) {
            (true, false) => {
                self.links.insert((from.0, to.0 as i32), at);
            }
            (false, true) => {
                self.links.insert((to.0, from.0 as i32), at);
            }
            _ => {}
        }
        let Some(in_flight) = message else { return };
        let number = self.note_rpc(in_flight, held);
        match &in_flight.message {
            Message::Request { correlation_id, request, .. } => {
                let member = match request {
                    Request::Heartbeat(request) => Some(&request.member_id),
                    Request::JoinGroup(request) => Some(&request.member_id),
                    Request::SyncGroup(request) => Some(&request.member_id),
                    _ => None,
                };
                if let Some(member) = member.filter(|member| !member.is_empty()) {
                    self.heartbeats.insert(member.clone(), in_flight.arrives_at);
                }
                // A producer that wants no acknowledgement gets no answer.
                let is_answered =
                    !matches!(request, Request::Produce(request) if request.acks == 0);
                if is_answered {
                    let arrives_at = in_flight.arrives_at;
                    let wait = rpc::wait_of(request);
                    let asked = Asked { sent_at: at, arrives_at, number, wait };
                    self.asked.insert((from.0, to.0, *correlation_id), asked);
                }
                if self.asked.len() > ASKED {
                    self.asked.retain(|_, asked| at.since(asked.sent_at) < ASKED_SPAN);
                }
            }
            Message::Response { correlation_id, response } => {
                let asked = self.asked.remove(&(to.0, from.0, *correlation_id));
                if let Some(asked) = asked.filter(|_| !held) {
                    self.note_answered(&asked, from, at);
                }
                if let (Some(asked), Response::Produce(_)) = (asked, response) {
                    let wait = in_flight.arrives_at.since(asked.sent_at);
                    self.produce_waits.add(in_flight.arrives_at, wait);
                }
            }
        }
    }

    fn on_event(&mut self, at: Micros, node: NodeId, event: &ClusterEvent) {
        match event {
            ClusterEvent::TopicCreated { topic, .. } => {
                self.topic_number(topic);
            }
            ClusterEvent::TopicDeleted { topic } => {
                self.appended.retain(|key, _| key.topic != *topic);
                self.consumed.retain(|key, _| key.topic != *topic);
                self.last_append.remove(topic);
                for written in self.written.values_mut() {
                    written.retain(|key| key.topic != *topic);
                }
            }
            ClusterEvent::LeaderChanged { partition, from: Some(from), .. } => {
                self.previous_leaders.insert(partition_key(partition), (*from, at));
            }
            ClusterEvent::Appended {
                partition, base_offset, last_offset, leader: true, ..
            } if !topic_names::is_internal(&partition.topic) => {
                let records = (last_offset - base_offset + 1).max(0) as u64;
                self.appended.entry(partition_key(partition)).or_default().add(at, records);
                match self.last_append.get_mut(&partition.topic) {
                    Some(last) => *last = at,
                    None => {
                        self.last_append.insert(partition.topic.clone(), at);
                    }
                }
            }
            ClusterEvent::Partitioned { partition, .. } => {
                let written = self.written.entry(node.0).or_default();
                let key = partition_key(partition);
                if !written.contains(&key) {
                    written.insert(key);
                }
            }
            ClusterEvent::Consumed { partition, from, to, .. } => {
                let records = (to - from).max(0) as u64;
                self.consumed.entry(partition_key(partition)).or_default().add(at, records);
            }
            ClusterEvent::MemberJoined { group, member } => {
                self.new_members.insert((group.clone(), member.clone()));
            }
            ClusterEvent::MemberLeft { group, member, .. } => {
                self.new_members.remove(&(group.clone(), member.clone()));
                self.heartbeats.remove(member);
            }
            ClusterEvent::GroupStable { group, .. } => {
                self.new_members.retain(|(of, _)| of != group);
            }
            _ => {}
        }
    }

    /// Fills the models that the subscription's tab needs.
    pub fn views(
        &mut self,
        world: &World,
        containers: &Containers,
        subscription: &Subscription,
    ) -> Views {
        let mut views = Views::default();
        let scene = Scene::new(world);
        let now = scene.now;
        self.previous_leaders.retain(|_, (_, since)| now.since(*since) < LEADER_NEWS);
        for (id, topic) in &scene.image.topics {
            if !self.topic_names.contains_key(id) {
                self.topic_names.insert(*id, topic.name.clone());
                self.topic_number(&topic.name);
            }
        }
        self.fill_brokers(&scene, containers, &mut views.cluster);
        self.fill_layout(&scene, subscription, &mut views.cluster);
        if subscription.tab == Tab::Cluster {
            self.fill_partitions(&scene, &mut views.cluster);
            self.fill_producers(&scene, &mut views.cluster);
            self.fill_group_cards(&scene, &mut views.cluster);
            self.fill_links(&scene, &mut views.cluster);
        }
        match subscription.tab {
            Tab::Topics => self.fill_topics(&scene, &views.cluster, &mut views.topics),
            Tab::Log => {
                self.fill_log(&scene, &views.cluster, &subscription.log, &mut views.log);
            }
            Tab::Groups => {
                self.fill_groups(&scene, subscription.group.as_ref(), &mut views.groups);
            }
            Tab::Rpcs => self.fill_rpcs(&scene, &subscription.rpc, &mut views.rpcs),
            Tab::Cluster => {}
        }
        views.drawer.inspect = subscription
            .inspect
            .as_ref()
            .and_then(|subject| self.inspect(&scene, &views.cluster, subject));
        views.drawer.facts = self.facts(&scene, subscription.tab, &views);
        self.fill_keys(&mut views);
        views
    }

    /// The name of a topic that a message names by its id.
    fn topic_of(&mut self, simulation: &Simulation<Process>, id: Uuid) -> Option<String> {
        if let Some(name) = self.topic_names.get(&id) {
            return Some(name.clone());
        }
        let name = simulation.node_ids().find_map(|node| match simulation.actor(node) {
            Some(Process::Kafka(node)) => Some(node.metadata().topics.get(&id)?.name.clone()),
            _ => None,
        })?;
        self.topic_names.insert(id, name.clone());
        Some(name)
    }

    /// The session's number of a topic, from 0 in order of first sight.
    fn topic_number(&mut self, topic: &str) -> u16 {
        if let Some(number) = self.topic_numbers.get(topic) {
            return *number;
        }
        if topic_names::is_internal(topic) {
            return 0;
        }
        let number = self.topic_numbers.len() as u16;
        self.topic_numbers.insert(topic.to_owned(), number);
        number
    }

    /// How the page names a process.
    fn peer(&self, id: NodeId) -> Peer {
        if id.0 < FIRST_CLIENT { Peer::Node(id.0 as i32) } else { Peer::Client(self.name(id)) }
    }

    fn name(&self, id: NodeId) -> String {
        self.names.get(&id.0).cloned().unwrap_or_else(|| format!("client {}", id.0))
    }
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    sent_at: Micros,
    arrives_at: Micros,
    /// Its number among the messages.
    number: u64,
    /// What it may have to wait for before it is answered.
    wait: Option<rpc::Wait>,
}

/// The world at one time, with what several models need of it.
struct Scene<'a> {
    world: &'a World,
    now: Micros,
    /// The newest metadata that any node has: the active controller's, if there is one.
    image: &'a MetadataImage,
    /// The active controller.
    active: Option<&'a KafkaNode>,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World) -> Self {
        let running = |id| world.node_state(id) == Some(ProcessState::Running);
        let active = world
            .nodes()
            .filter(|(spec, node)| running(spec.id) && node.controller().is_active())
            .map(|(_, node)| node)
            .max_by_key(|node| node.controller().raft().epoch());
        let newest = world
            .nodes()
            .max_by_key(|(spec, node)| (running(spec.id), node.controller().image_offset()))
            .map(|(_, node)| node);
        let image = active.or(newest).map_or(&EMPTY_IMAGE, |node| node.metadata());
        Self { world, now: world.now(), image, active }
    }

    /// The process runs and is not frozen.
    fn answers(&self, id: BrokerId) -> bool {
        self.world.node_state(id) == Some(ProcessState::Running)
    }

    /// A topic's setting, as far as it was made dynamically, or the cluster's.
    fn topic_config(&self, topic: &str, name: &str) -> Option<&'a str> {
        self.image
            .config(resource_type::TOPIC, topic, name)
            .or_else(|| self.image.config(resource_type::BROKER, "", name))
    }

    fn min_insync_replicas(&self, topic: &str) -> i32 {
        let set = self.topic_config(topic, "min.insync.replicas");
        set.and_then(|value| value.parse().ok()).unwrap_or(1)
    }

    /// User topics by name.
    fn user_topics(&self) -> impl Iterator<Item = &'a ::cluster::controller::image::TopicImage> {
        let image = self.image;
        image
            .topics_by_name
            .iter()
            .filter(|(name, _)| !topic_names::is_internal(name))
            .filter_map(|(_, id)| image.topics.get(id))
    }

    /// The replica that leads, on its broker.
    fn leader_replica(
        &self,
        topic: &str,
        partition: i32,
    ) -> Option<&'a ::cluster::broker::Partition> {
        let topic = self.image.topic(topic)?;
        let leader = topic.partitions.get(&partition)?.leader;
        self.replica(leader, topic.id, partition)
    }

    /// One copy of a partition, also on a broker that is down.
    fn replica(
        &self,
        broker: BrokerId,
        topic_id: Uuid,
        partition: i32,
    ) -> Option<&'a ::cluster::broker::Partition> {
        let id = ::cluster::broker::TopicIdPartition { topic_id, partition };
        self.world.node(broker)?.replica_by_id(id)
    }
}

static EMPTY_IMAGE: MetadataImage = MetadataImage {
    features: SortedMap::new(),
    brokers: SortedMap::new(),
    topics: SortedMap::new(),
    topics_by_name: SortedMap::new(),
    configs: SortedMap::new(),
    next_producer_id: 0,
};

fn partition_key(partition: &TopicPartition) -> PartitionKey {
    PartitionKey { topic: partition.topic.clone(), partition: partition.partition }
}

/// -1 is Kafka's "none".
fn id_or_none(id: BrokerId) -> Option<i32> {
    (id >= 0).then_some(id)
}
