//! The live cluster diagram.

use simulation::sorted::{SortedMap, SortedSet};

use cluster::broker::BrokerState as Lifecycle;
use cluster::client::{Client, ClientKind};
use cluster::controller::image::TopicImage;
use cluster::coordinator::{ClassicGroup, ClassicGroupMember, ClassicGroupState, GroupOffsets};
use cluster::protocol::consumer_protocol::Assignment;
use cluster::types::{BrokerId, Offset, TopicPartition};
use console::host::NodeState;
use simulation::{Micros, NodeId, ProcessState};

use super::{Observer, Scene, id_or_none, partition_key};
use crate::host::Containers;
use crate::seam::Subscription;
use crate::view::{
    BrokerState, BrokerView, ClusterLayout, ClusterView, GroupCard, LaneView, LayoutRow, LinkState,
    MemberCard, PartitionKey, PartitionView, Peer, ProducerState, ProducerView, QuorumView,
    RecordMark, ReplicaKey, ReplicaView, Views, VoterView,
};

/// Topics that the diagram has room for, and partitions of each.
const ROWS: usize = 2;
const COLUMNS: usize = 3;
/// A topic without traffic for so long gives way to one with traffic.
const QUIET: Micros = Micros::from_secs(20);
/// A group that has become empty is shown for so long.
const EMPTY_GROUP_SHOWN_MS: i64 = 10_000;
/// Marks in a producer's lane.
const LANE_MARKS: usize = 12;
/// Lanes of a producer.
const LANES: usize = 12;
/// The first marks are told apart at sight: their keys are always in the legend.
const LEGEND_KEYS: u16 = 36;
/// A link that nobody uses for so long, and that is closed, is not shown.
const LINK_MEMORY: Micros = Micros::from_secs(30);
const SECOND: Micros = Micros::from_secs(1);

impl Observer {
    pub(super) fn fill_brokers(
        &mut self,
        scene: &Scene<'_>,
        containers: &Containers,
        view: &mut ClusterView,
    ) {
        let mut leaders: SortedMap<BrokerId, u32> = SortedMap::new();
        for partition in scene.image.topics.values().flat_map(|topic| topic.partitions.values()) {
            *leaders.entry(partition.leader).or_default() += 1;
        }
        for (spec, node) in scene.world.nodes() {
            let container = containers.state(spec.id);
            let state = broker_state(
                scene.world.node_state(spec.id),
                container.map(|(state, _)| state),
                node.broker_state(),
            );
            let since = self.since(spec.id, state, container.map(|(_, since)| since), scene.now);
            let rates = self.traffic.get(&(spec.id as u32));
            let broker = BrokerView {
                name: spec.host.clone(),
                rack: spec.rack.clone(),
                state,
                since,
                fenced: scene.image.brokers.get(&spec.id).is_none_or(|broker| broker.fenced),
                leaders: leaders.get(&spec.id).copied().unwrap_or_default(),
                bytes_in: rates.map_or(0, |(incoming, _)| incoming.per_second(scene.now)),
                bytes_out: rates.map_or(0, |(_, outgoing)| outgoing.per_second(scene.now)),
            };
            view.brokers.insert(spec.id, broker);
        }
        view.quorum = quorum(scene);
    }

    /// When a broker entered the state that it is in.
    fn since(
        &mut self,
        id: BrokerId,
        state: BrokerState,
        container: Option<Micros>,
        now: Micros,
    ) -> Micros {
        if let Some((known, since)) = self.broker_states.get(&id)
            && *known == state
        {
            return *since;
        }
        let of_container =
            matches!(state, BrokerState::Stopped | BrokerState::Crashed | BrokerState::Paused);
        let since = container.filter(|_| of_container).unwrap_or(now);
        self.broker_states.insert(id, (state, since));
        since
    }

    /// Chooses what is drawn: what is pinned, then what was shown before, then what is busiest.
    pub(super) fn fill_layout(
        &mut self,
        scene: &Scene<'_>,
        subscription: &Subscription,
        view: &mut ClusterView,
    ) {
        let topics: Vec<&TopicImage> = scene.user_topics().collect();
        let exists = |name: &String| topics.iter().any(|topic| topic.name == *name);
        let busy = |observer: &Self, name: &String| {
            let last = observer.last_append.get(name);
            last.is_some_and(|last| scene.now.since(*last) < QUIET)
        };
        let mut rows: Vec<String> =
            subscription.pinned_topics.iter().filter(|name| exists(name)).cloned().collect();
        rows.truncate(ROWS);
        let waiting =
            topics.iter().any(|topic| !self.shown.contains(&topic.name) && busy(self, &topic.name));
        for name in std::mem::take(&mut self.shown) {
            let stays = exists(&name) && (!waiting || busy(self, &name));
            if stays && rows.len() < ROWS && !rows.contains(&name) {
                rows.push(name);
            }
        }
        let mut rest: Vec<&&TopicImage> =
            topics.iter().filter(|topic| !rows.contains(&topic.name)).collect();
        simulation::sorted::sort_by_key(&mut rest, |topic| {
            let records: u64 = self.records_in(&topic.name, scene.now);
            let number = self.topic_numbers.get(&topic.name).copied().unwrap_or(u16::MAX);
            (!busy(self, &topic.name), std::cmp::Reverse(records), number)
        });
        rows.extend(rest.iter().take(ROWS - rows.len()).map(|topic| topic.name.clone()));
        simulation::sorted::sort_by_key(&mut rows, |name| self.topic_numbers.get(name).copied());
        let partitions: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
        let layout_rows: Vec<LayoutRow> = rows
            .iter()
            .filter_map(|name| scene.image.topic(name))
            .map(|topic| LayoutRow {
                topic: topic.name.clone(),
                number: self.topic_numbers.get(&topic.name).copied().unwrap_or_default(),
                partitions: topic.partitions.keys().take(COLUMNS).copied().collect(),
            })
            .collect();
        let drawn: usize = layout_rows.iter().map(|row| row.partitions.len()).sum();
        self.shown = rows;
        view.layout = ClusterLayout {
            rows: layout_rows,
            hidden_partitions: (partitions - drawn) as u32,
            topics: topics.len() as u32,
        };
    }

    /// Records appended to a topic in the last virtual second.
    pub(super) fn records_in(&self, topic: &str, now: Micros) -> u64 {
        let first = PartitionKey { topic: topic.to_owned(), partition: 0 };
        self.appended
            .range(first..)
            .take_while(|(key, _)| key.topic == topic)
            .map(|(_, rate)| rate.per_second(now))
            .sum()
    }

    pub(super) fn fill_partitions(&mut self, scene: &Scene<'_>, view: &mut ClusterView) {
        for row in &view.layout.rows {
            let Some(topic) = scene.image.topic(&row.topic) else { continue };
            let min_insync_replicas = scene.min_insync_replicas(&topic.name);
            for index in &row.partitions {
                let registration = &topic.partitions[index];
                let key = PartitionKey { topic: topic.name.clone(), partition: *index };
                let previous = self.previous_leaders.get(&key).map(|(leader, _)| *leader);
                let leader = id_or_none(registration.leader);
                for broker in &registration.replicas {
                    let replica = scene.replica(*broker, topic.id, *index);
                    let online = scene.answers(*broker);
                    let replica = ReplicaView {
                        leads: replica.is_some_and(|replica| replica.is_leader()),
                        in_isr: registration.isr.contains(broker),
                        online,
                        adding: registration.adding_replicas.contains(broker),
                        log_start_offset: replica.map_or(0, |it| it.log.log_start_offset()),
                        last_stable_offset: replica.map_or(0, |it| it.log.last_stable_offset()),
                        high_watermark: replica.map_or(0, |it| it.log.high_watermark()),
                        log_end_offset: replica.map_or(0, |it| it.log.log_end_offset()),
                        tail: replica.map_or_else(Vec::new, |it| self.marks.tail(&it.log)),
                    };
                    let key = ReplicaKey {
                        topic: topic.name.clone(),
                        partition: *index,
                        broker: *broker,
                    };
                    view.replicas.insert(key, replica);
                }
                let partition = PartitionView {
                    leader,
                    leader_epoch: registration.leader_epoch,
                    replicas: registration.replicas.clone(),
                    isr: registration.isr.clone(),
                    elr: registration.elr.clone(),
                    min_insync_replicas,
                    previous_leader: previous.filter(|previous| Some(*previous) != leader),
                };
                view.partitions.insert(key, partition);
            }
        }
    }

    pub(super) fn fill_producers(&mut self, scene: &Scene<'_>, view: &mut ClusterView) {
        for (id, client) in scene.world.clients() {
            if client.spec().kind != ClientKind::Producer {
                continue;
            }
            let Some(producer) = client.producer() else { continue };
            let mut lanes: SortedMap<PartitionKey, LaneView> = SortedMap::new();
            let written = self.written.get(&id.0).into_iter().flatten();
            for key in written.take(LANES) {
                lanes.insert(key.clone(), lane(client, key));
            }
            for batch in producer.waiting_batches() {
                let key = partition_key(&batch.partition);
                if lanes.len() >= LANES && !lanes.contains_key(&key) {
                    continue;
                }
                let marks: Vec<RecordMark> =
                    batch.preview().map_or_else(Vec::new, |it| self.marks.of_batch(&it).to_vec());
                let lane = lanes.entry(key.clone()).or_insert_with(|| lane(client, &key));
                let room = LANE_MARKS.saturating_sub(lane.marks.len());
                lane.marks.extend(marks.into_iter().take(room));
            }
            let retrying = producer
                .waiting_batches()
                .chain(producer.in_flight_batches())
                .filter(|batch| batch.attempts > 0 && !batch.done)
                .count() as u32;
            let state = if producer.is_buffer_full() {
                ProducerState::BufferFull
            } else if retrying > 0 {
                ProducerState::Retrying(retrying)
            } else if producer.in_flight_batches().next().is_some() {
                ProducerState::InFlight
            } else if producer.waiting_batches().next().is_some() {
                ProducerState::Batching
            } else {
                ProducerState::Idle
            };
            let name = self.name(id);
            let producer = ProducerView {
                name: name.clone(),
                summary: summary(client),
                state,
                lanes: lanes.into_values().collect(),
                terminal: None,
            };
            view.producers.insert(name, producer);
        }
    }

    pub(super) fn fill_group_cards(&mut self, scene: &Scene<'_>, view: &mut ClusterView) {
        let consumers = Consumers::new(scene);
        for (coordinator, group, offsets) in groups(scene) {
            if group.is_empty() && !became_empty_lately(scene, group) {
                continue;
            }
            let members = group
                .members()
                .map(|member| self.member_card(scene, &consumers, group, member, offsets))
                .collect();
            let card = GroupCard {
                state: words(group.state),
                epoch: group.generation_id,
                coordinator: Some(coordinator),
                members,
            };
            view.groups.insert(group.group_id.clone(), card);
        }
        let alone = |client: &&(NodeId, &Client)| {
            client.1.spec().config.iter().all(|(name, _)| name != "group.id")
        };
        let readers: Vec<MemberCard> = consumers
            .0
            .iter()
            .filter(alone)
            .map(|(id, client)| {
                let owned: Vec<TopicPartition> =
                    client.consumer().map_or_else(Vec::new, |it| it.assigned().to_vec());
                let lag = lag_of(scene, &owned, |partition| position(client, partition));
                MemberCard {
                    client: self.name(*id),
                    name: self.name(*id),
                    owned: owned.iter().map(partition_key).collect(),
                    lag_records: lag.0,
                    lag_ms: lag.1,
                }
            })
            .collect();
        if !readers.is_empty() {
            let card =
                GroupCard { state: "stable".to_owned(), members: readers, ..GroupCard::default() };
            view.groups.insert(String::new(), card);
        }
    }

    fn member_card(
        &self,
        scene: &Scene<'_>,
        consumers: &Consumers<'_>,
        group: &ClassicGroup,
        member: &ClassicGroupMember,
        offsets: Option<&GroupOffsets>,
    ) -> MemberCard {
        let client = consumers.of_member(&member.member_id);
        let owned = owned(client, group, member);
        let lag = lag_of(scene, &owned, |partition| {
            client
                .and_then(|(_, client)| position(client, partition))
                .or_else(|| committed(offsets, partition))
        });
        let name = client.map_or_else(|| member.client_id.clone(), |(id, _)| self.name(id));
        MemberCard {
            client: name.clone(),
            name,
            owned: owned.iter().map(partition_key).collect(),
            lag_records: lag.0,
            lag_ms: lag.1,
        }
    }

    pub(super) fn fill_links(&mut self, scene: &Scene<'_>, view: &mut ClusterView) {
        let simulation = scene.world.simulation();
        let network = simulation.network();
        self.links.retain(|(client, node), last| {
            simulation.actor(NodeId(*client)).is_some()
                && (network.is_connected(NodeId(*client), NodeId(*node as u32))
                    || scene.now.since(*last) < LINK_MEMORY)
        });
        for ((client, node), last) in &self.links {
            let (client, place) = (NodeId(*client), NodeId(*node as u32));
            let Some(cluster::world::Process::Client(process)) = simulation.actor(client) else {
                continue;
            };
            if process.spec().kind == ClientKind::Admin {
                continue;
            }
            let cut = network.link(client, place).cut || network.link(place, client).cut;
            let state = if cut || !scene.answers(*node) {
                LinkState::Broken
            } else if !network.is_connected(client, place) {
                continue;
            } else if scene.now.since(*last) < SECOND {
                LinkState::Active
            } else {
                LinkState::Idle
            };
            view.links.insert((self.peer(client), Peer::Node(*node)), state);
        }
    }

    /// The texts of the keys that are in view, and of those in the legend.
    pub(super) fn fill_keys(&self, views: &mut Views) {
        let mut used: SortedSet<u16> = (1..=LEGEND_KEYS).collect();
        let cluster = &views.cluster;
        let tails = cluster.replicas.values().flat_map(|replica| &replica.tail);
        let lanes = cluster.producers.values().flat_map(|it| &it.lanes).flat_map(|it| &it.marks);
        let log = views.log.segments.values().flat_map(|segment| &segment.sample);
        let batches = views.log.batches.values().flat_map(|batch| &batch.records);
        let rpcs = views.rpcs.messages.values().flat_map(|message| &message.marks);
        used.extend(tails.chain(lanes).chain(log).chain(rpcs).map(|mark| mark.key));
        used.extend(batches.map(|record| record.mark.key));
        views.cluster.keys = used
            .into_iter()
            .filter_map(|number| Some((number, self.marks.text(number)?.clone())))
            .collect();
    }
}

fn broker_state(
    process: Option<ProcessState>,
    container: Option<NodeState>,
    lifecycle: Lifecycle,
) -> BrokerState {
    match (process, container) {
        (Some(ProcessState::Paused), _) => BrokerState::Paused,
        (Some(ProcessState::Running), _) => match lifecycle {
            Lifecycle::NotRunning | Lifecycle::Starting | Lifecycle::Recovery => {
                BrokerState::Starting
            }
            Lifecycle::Running => BrokerState::Up,
            Lifecycle::PendingControlledShutdown | Lifecycle::ShuttingDown => BrokerState::Draining,
        },
        (_, Some(NodeState::Exited(0 | 143))) => BrokerState::Stopped,
        _ => BrokerState::Crashed,
    }
}

fn quorum(scene: &Scene<'_>) -> QuorumView {
    let world = scene.world;
    let Some((_, any)) = world
        .nodes()
        .max_by_key(|(spec, node)| (scene.answers(spec.id), node.controller().raft().epoch()))
    else {
        return QuorumView::default();
    };
    let raft = scene.active.unwrap_or(any).controller().raft();
    let voters = raft
        .voters()
        .iter()
        .map(|id| VoterView {
            id: *id,
            offset: world.node(*id).map_or(0, |node| node.controller().raft().log().end_offset()),
            up: scene.answers(*id),
        })
        .collect();
    QuorumView {
        leader: scene.active.map(cluster::broker::KafkaNode::id),
        epoch: raft.epoch(),
        offset: raft.log().end_offset(),
        voters,
    }
}

/// What matters of a producer's configuration.
fn summary(client: &Client) -> String {
    let Some(settings) = client.producer().and_then(|producer| producer.settings()) else {
        return String::new();
    };
    let mut parts = vec![match settings.acks {
        -1 => "acks=all".to_owned(),
        acks => format!("acks={acks}"),
    }];
    if settings.idempotent {
        parts.push("idempotent".to_owned());
    }
    let linger = settings.accumulator.linger.as_ms();
    // Kafka's own default is not worth a word.
    if linger > 5 {
        parts.push(format!("linger {linger} ms"));
    }
    let codec = settings.accumulator.compression.codec;
    if codec != cluster::log::CompressionType::None {
        parts.push(codec.name().to_owned());
    }
    parts.join(", ")
}

fn lane(client: &Client, key: &PartitionKey) -> LaneView {
    let partition = TopicPartition::new(key.topic.clone(), key.partition);
    LaneView {
        topic: key.topic.clone(),
        partition: key.partition,
        leader: client.producer().and_then(|producer| producer.leader(&partition)),
        marks: Vec::new(),
    }
}

/// The consumers' processes.
pub(super) struct Consumers<'a>(pub(super) Vec<(NodeId, &'a Client)>);

impl<'a> Consumers<'a> {
    pub(super) fn new(scene: &Scene<'a>) -> Self {
        let consumer = |client: &(NodeId, &Client)| client.1.spec().kind == ClientKind::Consumer;
        Self(scene.world.clients().filter(consumer).collect())
    }

    pub(super) fn of_member(&self, member_id: &str) -> Option<(NodeId, &'a Client)> {
        let is_it = |client: &&(NodeId, &Client)| {
            client.1.consumer().and_then(|consumer| consumer.member_id()) == Some(member_id)
        };
        self.0.iter().find(is_it).copied()
    }
}

/// All groups, each at its coordinator.
pub(super) fn groups<'a>(
    scene: &Scene<'a>,
) -> impl Iterator<Item = (BrokerId, &'a ClassicGroup, Option<&'a GroupOffsets>)> {
    let world = scene.world;
    world
        .nodes()
        .filter(|(spec, _)| world.node_state(spec.id) != Some(ProcessState::Down))
        .flat_map(|(spec, node)| {
            node.coordinator().groups().map(|(group, offsets)| (spec.id, group, offsets))
        })
        .filter(|(_, group, _)| group.state != ClassicGroupState::Dead)
}

fn became_empty_lately(scene: &Scene<'_>, group: &ClassicGroup) -> bool {
    let now = scene.world.wall_clock_ms();
    group.current_state_timestamp.is_some_and(|since| now - since < EMPTY_GROUP_SHOWN_MS)
}

/// `PreparingRebalance` as words.
fn words(state: ClassicGroupState) -> String {
    let mut words = String::new();
    for letter in state.name().chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// What a member owns: as its process says, else as it was assigned.
pub(super) fn owned(
    client: Option<(NodeId, &Client)>,
    group: &ClassicGroup,
    member: &ClassicGroupMember,
) -> Vec<TopicPartition> {
    let of_process = client.and_then(|(_, client)| client.consumer()).map(|it| it.assigned());
    match of_process {
        Some(assigned) => assigned.to_vec(),
        None if group.state == ClassicGroupState::Stable => target(member),
        None => Vec::new(),
    }
}

/// What the newest assignment gives to a member.
pub(super) fn target(member: &ClassicGroupMember) -> Vec<TopicPartition> {
    Assignment::decode(&member.assignment.0).map_or_else(Vec::new, |it| it.partitions)
}

pub(super) fn position(client: &Client, partition: &TopicPartition) -> Option<Offset> {
    client.consumer()?.position(partition)
}

pub(super) fn committed(
    offsets: Option<&GroupOffsets>,
    partition: &TopicPartition,
) -> Option<Offset> {
    let of_topic = offsets?.get(&partition.topic)?;
    Some(of_topic.get(&partition.partition)?.committed_offset)
}

/// Records and milliseconds that a reader is behind: all records, and the age of the oldest that it has not read.
fn lag_of(
    scene: &Scene<'_>,
    owned: &[TopicPartition],
    position: impl Fn(&TopicPartition) -> Option<Offset>,
) -> (u64, u64) {
    let mut lag = (0, 0);
    for partition in owned {
        let Some(position) = position(partition) else { continue };
        let (records, ms) = lag_in(scene, partition, position);
        lag = (lag.0 + records, lag.1.max(ms));
    }
    lag
}

/// The same in one partition, at one position.
pub(super) fn lag_in(
    scene: &Scene<'_>,
    partition: &TopicPartition,
    position: Offset,
) -> (u64, u64) {
    let Some(leader) = scene.leader_replica(&partition.topic, partition.partition) else {
        return (0, 0);
    };
    let records = (leader.log.high_watermark() - position).max(0) as u64;
    if records == 0 {
        return (0, 0);
    }
    let oldest = leader.log.segments().find_map(|segment| {
        let batches = segment.batches();
        let at = batches.partition_point(|batch| batch.last_offset() < position);
        batches.get(at)
    });
    let ms = oldest
        .map_or(0, |batch| (scene.world.wall_clock_ms() - batch.base_timestamp()).max(0) as u64);
    (records, ms)
}
