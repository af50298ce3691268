//! Requests and responses of the recent past, as a sequence diagram.

use std::collections::VecDeque;

use simulation::sorted::{SortedMap, SortedSet};

use cluster::client::ClientKind;
use cluster::event::ClusterEvent;
use cluster::log::Batch;
use cluster::protocol::{ApiKey, ErrorCode, Message, Request, Response};
use cluster::topic_names;
use cluster::world::Process;
use simulation::{InFlight, Micros, NodeId};

use super::{Asked, FIRST_CLIENT, Observer, Scene, partition_key};
use crate::narrator::number;
use crate::seam::RpcChoice;
use crate::view::{
    ActorView, ApiFamily, NoteView, PartitionKey, Peer, RecordMark, RpcMessage, RpcView, SpanView,
};

/// Messages kept of each family, so that heartbeats do not push out what is looked at.
const KEPT: usize = 240;
/// Messages in view.
const SHOWN: usize = 120;
const NOTES: usize = 240;
const SPANS: usize = 120;
const MARKS: usize = 8;
/// The engine's choice of a window is the smallest of these in which so many messages are shown.
const WINDOWS_MS: [u64; 8] = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
const ENOUGH: usize = 12;

/// A message that was sent.
#[derive(Clone, Debug)]
pub(super) struct Rpc {
    pub(super) number: u64,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) sent_at: Micros,
    pub(super) arrives_at: Micros,
    pub(super) message: Message,
}

/// What a request waits for on its broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Wait {
    Acks,
    MinBytes(i32),
    Members,
    Assignment,
}

#[derive(Clone, Debug)]
struct Span {
    request: u64,
    at: NodeId,
    from: Micros,
    until: Option<Micros>,
    wait: Wait,
}

#[derive(Clone, Debug)]
struct Note {
    number: u64,
    at: NodeId,
    when: Micros,
    partition: PartitionKey,
    offset: i64,
    high_watermark: bool,
    leader: bool,
}

/// The recent past.
#[derive(Clone, Debug, Default)]
pub(super) struct Rpcs {
    kept: SortedMap<ApiFamily, VecDeque<Rpc>>,
    spans: VecDeque<Span>,
    notes: VecDeque<Note>,
    /// What is shown while the page holds it.
    held: Option<Box<RpcView>>,
}

impl Rpcs {
    pub(super) fn find(&self, number: u64) -> Option<&Rpc> {
        let of_family = |kept: &'_ VecDeque<Rpc>| kept.iter().position(|rpc| rpc.number == number);
        self.kept.values().find_map(|kept| kept.get(of_family(kept)?))
    }

    fn keep<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
        if queue.len() == limit {
            queue.pop_front();
        }
        queue.push_back(item);
    }
}

impl Observer {
    /// Notes a message; returns its number. While the page holds the picture, the past is kept for it.
    pub(super) fn note_rpc(&mut self, in_flight: &InFlight<Process>, held: bool) -> u64 {
        self.rpc_count += 1;
        let number = self.rpc_count;
        if !held {
            let rpc = Rpc {
                number,
                from: in_flight.from,
                to: in_flight.to,
                sent_at: in_flight.sent_at,
                arrives_at: in_flight.arrives_at,
                message: in_flight.message.clone(),
            };
            let family = family(&in_flight.message);
            Rpcs::keep(self.rpcs.kept.entry(family).or_default(), rpc, KEPT);
        }
        number
    }

    /// An answer is sent: if its request had to wait, that is over.
    pub(super) fn note_answered(&mut self, asked: &Asked, server: NodeId, at: Micros) {
        let Some(wait) = asked.wait.filter(|_| at > asked.arrives_at) else { return };
        let span = Span {
            request: asked.number,
            at: server,
            from: asked.arrives_at,
            until: Some(at),
            wait,
        };
        Rpcs::keep(&mut self.rpcs.spans, span, SPANS);
    }

    pub(super) fn note_event(
        &mut self,
        at: Micros,
        node: NodeId,
        event: &ClusterEvent,
        held: bool,
    ) {
        let (partition, offset, high_watermark, leader) = match event {
            ClusterEvent::Appended { partition, base_offset, leader, .. } => {
                (partition, *base_offset, false, *leader)
            }
            ClusterEvent::HighWatermarkMoved { partition, to, .. } => (partition, *to, true, true),
            _ => return,
        };
        if topic_names::is_internal(&partition.topic) {
            return;
        }
        self.rpc_count += 1;
        if held {
            return;
        }
        let note = Note {
            number: self.rpc_count,
            at: node,
            when: at,
            partition: partition_key(partition),
            offset,
            high_watermark,
            leader,
        };
        Rpcs::keep(&mut self.rpcs.notes, note, NOTES);
    }

    pub(super) fn fill_rpcs(&mut self, scene: &Scene<'_>, choice: &RpcChoice, view: &mut RpcView) {
        if choice.held
            && let Some(held) = &self.rpcs.held
        {
            view.clone_from(held);
            return;
        }
        let default = [ApiFamily::Produce, ApiFamily::Fetch];
        let families = if choice.families.is_empty() { &default[..] } else { &choice.families };
        let now = scene.now;
        let from = self.window_start(now, families, choice.window);
        view.window = (from, now);
        let mut collapsed: SortedMap<&'static str, u32> = SortedMap::new();
        let mut shown: Vec<Rpc> = Vec::new();
        for (family, kept) in &self.rpcs.kept {
            for rpc in kept.iter().filter(|rpc| rpc.arrives_at >= from) {
                if families.contains(family) {
                    shown.push(rpc.clone());
                } else if matches!(rpc.message, Message::Request { .. }) {
                    *collapsed.entry(api_name(&rpc.message)).or_default() += 1;
                }
            }
        }
        simulation::sorted::sort_by_key(&mut shown, |rpc| rpc.number);
        let too_many = shown.len().saturating_sub(SHOWN);
        for rpc in shown.drain(..too_many) {
            if matches!(rpc.message, Message::Request { .. }) {
                *collapsed.entry(api_name(&rpc.message)).or_default() += 1;
            }
        }
        view.collapsed =
            collapsed.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        let focus = shown.iter().rev().find_map(|rpc| self.partition_of(&rpc.message));
        let mut seen: SortedSet<NodeId> =
            scene.world.nodes().map(|(spec, _)| NodeId(spec.id as u32)).collect();
        for rpc in &shown {
            seen.extend([rpc.from, rpc.to]);
            let message = self.rpc_message(rpc);
            view.messages.insert(rpc.number, message);
        }
        for id in seen {
            let (column, actor) = self.actor(scene, id, focus.as_ref());
            view.actors.insert(column, actor);
        }
        self.fill_spans(scene, families, from, view);
        for note in self.rpcs.notes.iter().filter(|note| note.when >= from) {
            if focus.as_ref().is_some_and(|focus| *focus != note.partition) {
                continue;
            }
            let what = if note.high_watermark { "high watermark" } else { "append at" };
            let note_view = NoteView {
                at: self.peer(note.at),
                when: note.when,
                text: format!("{what} {}", number(note.offset)),
                strong: note.leader && note.high_watermark,
            };
            view.notes.insert(note.number, note_view);
        }
        self.rpcs.held = choice.held.then(|| Box::new(view.clone()));
    }

    fn window_start(&self, now: Micros, families: &[ApiFamily], chosen: u64) -> Micros {
        let before = |width: u64| Micros(now.0.saturating_sub(width));
        if chosen > 0 {
            return before(chosen);
        }
        let kept = || families.iter().filter_map(|family| self.rpcs.kept.get(family)).flatten();
        let widths = WINDOWS_MS.iter().map(|ms| ms * 1_000);
        let fits = |width: &u64| {
            let from = before(*width);
            kept().filter(|rpc| rpc.arrives_at >= from).count() >= ENOUGH
        };
        before(widths.clone().find(fits).unwrap_or(WINDOWS_MS[WINDOWS_MS.len() - 1] * 1_000))
    }

    fn fill_spans(
        &self,
        scene: &Scene<'_>,
        families: &[ApiFamily],
        from: Micros,
        view: &mut RpcView,
    ) {
        let open = self.asked.iter().filter_map(|((_, server, _), asked)| {
            let wait = asked.wait?;
            (asked.arrives_at <= scene.now).then_some(Span {
                request: asked.number,
                at: NodeId(*server),
                from: asked.arrives_at,
                until: None,
                wait,
            })
        });
        for span in self.rpcs.spans.iter().cloned().chain(open) {
            let family = match span.wait {
                Wait::Acks => ApiFamily::Produce,
                Wait::MinBytes(_) => ApiFamily::Fetch,
                Wait::Members | Wait::Assignment => ApiFamily::Group,
            };
            let in_view = span.until.is_none_or(|until| until >= from);
            if !in_view || !families.contains(&family) {
                continue;
            }
            let why = match span.wait {
                Wait::Acks => "acks=all waits for every in-sync copy".to_owned(),
                Wait::MinBytes(bytes) => {
                    format!(
                        "waits for {bytes} byte{} of new records",
                        if bytes == 1 { "" } else { "s" }
                    )
                }
                Wait::Members => "waits for all members to join".to_owned(),
                Wait::Assignment => "waits for the leader's assignment".to_owned(),
            };
            let span_view =
                SpanView { at: self.peer(span.at), from: span.from, until: span.until, why };
            view.spans.insert(span.request, span_view);
        }
    }

    /// Producers (and admin clients) first, brokers, consumers.
    fn actor(
        &self,
        scene: &Scene<'_>,
        id: NodeId,
        focus: Option<&PartitionKey>,
    ) -> (u16, ActorView) {
        const BROKERS: u16 = 20_000;
        const CONSUMERS: u16 = 40_000;
        let peer = self.peer(id);
        if let Peer::Node(broker) = peer {
            let registration =
                focus.and_then(|key| scene.image.topic(&key.topic)?.partitions.get(&key.partition));
            let role = match (registration, focus) {
                (Some(registration), Some(key)) if registration.leader == broker => {
                    format!("leader of {key}")
                }
                (Some(registration), _) if registration.replicas.contains(&broker) => {
                    "follower".to_owned()
                }
                _ => "broker".to_owned(),
            };
            let actor = ActorView { peer, name: format!("Broker {broker}"), role };
            return (BROKERS + broker as u16, actor);
        }
        let place = ((id.0 - FIRST_CLIENT) % 19_000) as u16;
        let kind = match scene.world.simulation().actor(id) {
            Some(Process::Client(client)) => Some(client.spec().kind),
            _ => None,
        };
        let (column, role) = match kind {
            Some(ClientKind::Producer) => (place, "producer"),
            Some(ClientKind::Consumer) => (CONSUMERS + place, "consumer"),
            Some(ClientKind::Admin) => (place, "admin client"),
            None => (place, "gone"),
        };
        (column, ActorView { peer, name: self.name(id), role: role.to_owned() })
    }

    fn rpc_message(&mut self, rpc: &Rpc) -> RpcMessage {
        let marks = batches(&rpc.message)
            .last()
            .map_or_else(Vec::new, |batch| self.marks.of_batch(batch).to_vec());
        let marks: Vec<RecordMark> = marks[marks.len().saturating_sub(MARKS)..].to_vec();
        let (correlation_id, response) = match &rpc.message {
            Message::Request { correlation_id, .. } => (*correlation_id, false),
            Message::Response { correlation_id, .. } => (*correlation_id, true),
        };
        RpcMessage {
            from: self.peer(rpc.from),
            to: self.peer(rpc.to),
            sent_at: rpc.sent_at,
            arrives_at: rpc.arrives_at,
            api: api_name(&rpc.message).to_owned(),
            family: family(&rpc.message),
            version: api_version(&rpc.message),
            correlation_id: correlation_id as i32,
            response,
            summary: summary(&rpc.message),
            marks,
            error: error_of(&rpc.message).map(|error| error.name().to_owned()),
            lost: false,
        }
    }

    /// The first partition that a message is about.
    fn partition_of(&self, message: &Message) -> Option<PartitionKey> {
        let (name, id, partition) = match message {
            Message::Request { request: Request::Produce(request), .. } => {
                let topic = request.topic_data.first()?;
                (&topic.name, topic.topic_id, topic.partition_data.first()?.index)
            }
            Message::Response { response: Response::Produce(response), .. } => {
                let topic = response.responses.first()?;
                (&topic.name, topic.topic_id, topic.partition_responses.first()?.index)
            }
            _ => return None,
        };
        let name = if name.is_empty() { self.topic_names.get(&id)? } else { name };
        let key = PartitionKey { topic: name.clone(), partition };
        (!topic_names::is_internal(&key.topic)).then_some(key)
    }
}

/// What a request may have to wait for.
pub(super) fn wait_of(request: &Request) -> Option<Wait> {
    match request {
        Request::Produce(request) => (request.acks == -1).then_some(Wait::Acks),
        Request::Fetch(request) => Some(Wait::MinBytes(request.min_bytes)),
        Request::JoinGroup(_) => Some(Wait::Members),
        Request::SyncGroup(_) => Some(Wait::Assignment),
        _ => None,
    }
}

/// The API's name as Kafka has it.
pub(super) fn api_name(message: &Message) -> &'static str {
    let name = match message {
        Message::Request { request, .. } => request.api_name(),
        Message::Response { response, .. } => response.api_name(),
    };
    // The metadata log is fetched by the same API.
    if name == "FetchMetadata" { "Fetch" } else { name }
}

pub(super) fn api_key(message: &Message) -> i16 {
    match message {
        Message::Request { request, .. } => request.api_key(),
        Message::Response { response, .. } => response.api_key(),
    }
}

pub(super) fn api_version(message: &Message) -> i16 {
    ApiKey::from_id(api_key(message)).map_or(0, |key| key.info().latest_stable_version)
}

fn family(message: &Message) -> ApiFamily {
    let of_quorum = matches!(
        message,
        Message::Request { request: Request::FetchMetadata(_), .. }
            | Message::Response { response: Response::FetchMetadata(_), .. }
    );
    match api_key(message) {
        _ if of_quorum => ApiFamily::Raft,
        0 | 22 => ApiFamily::Produce,
        1 | 2 | 23 => ApiFamily::Fetch,
        3 | 18 | 60 | 75 => ApiFamily::Metadata,
        8..=16 | 42 | 47 | 68 | 69 => ApiFamily::Group,
        52..=54 | 56 | 58 | 62 | 63 | 67 => ApiFamily::Raft,
        _ => ApiFamily::Admin,
    }
}

fn batches(message: &Message) -> Vec<&Batch> {
    match message {
        Message::Request { request: Request::Produce(request), .. } => request
            .topic_data
            .iter()
            .flat_map(|topic| &topic.partition_data)
            .filter_map(|data| data.records.as_ref())
            .collect(),
        Message::Response { response: Response::Fetch(response), .. } => response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
            .flat_map(|data| &data.records)
            .collect(),
        _ => Vec::new(),
    }
}

fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" })
}

/// What follows the name on the arrow.
fn summary(message: &Message) -> String {
    let records = || {
        let count = batches(message).iter().map(|batch| i64::from(batch.record_count())).sum();
        counted(count, "record")
    };
    match message {
        Message::Request { request, .. } => match request {
            Request::Produce(_) => records(),
            Request::Fetch(request) => {
                let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
                match (partitions.next(), partitions.count()) {
                    (None, _) => "as before".to_owned(),
                    (Some(first), 0) => format!("from {}", number(first.fetch_offset)),
                    (Some(_), more) => counted(more as i64 + 1, "partition"),
                }
            }
            Request::FetchMetadata(request) => {
                format!("metadata from {}", number(request.fetch_offset))
            }
            Request::ListOffsets(request) => {
                let partitions =
                    request.topics.iter().map(|topic| topic.partitions.len()).sum::<usize>();
                counted(partitions as i64, "partition")
            }
            Request::JoinGroup(request) => request.group_id.clone(),
            Request::SyncGroup(request) => {
                format!("{}, generation {}", request.group_id, request.generation_id)
            }
            Request::Heartbeat(request) => {
                format!("{}, generation {}", request.group_id, request.generation_id)
            }
            Request::LeaveGroup(request) => request.group_id.clone(),
            Request::OffsetCommit(request) => {
                let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
                match (partitions.next(), partitions.next()) {
                    (Some(only), None) => {
                        format!("{}, offset {}", request.group_id, number(only.committed_offset))
                    }
                    _ => request.group_id.clone(),
                }
            }
            Request::FindCoordinator(request) => request.coordinator_keys.join(", "),
            Request::CreateTopics(request) => {
                let names: Vec<&str> =
                    request.topics.iter().map(|topic| topic.name.as_str()).collect();
                names.join(", ")
            }
            Request::AlterPartition(request) => {
                let partitions =
                    request.topics.iter().map(|topic| topic.partitions.len()).sum::<usize>();
                counted(partitions as i64, "partition")
            }
            Request::Vote(request) => format!("epoch {}", request.replica_epoch),
            Request::BeginQuorumEpoch(request) => format!("epoch {}", request.leader_epoch),
            _ => String::new(),
        },
        Message::Response { response, .. } => match response {
            Response::Produce(response) => {
                let first = response.responses.iter().flat_map(|it| &it.partition_responses).next();
                first.filter(|first| first.error_code == 0).map_or_else(String::new, |first| {
                    format!("baseOffset {}", number(first.base_offset))
                })
            }
            Response::Fetch(_) if batches(message).is_empty() => "nothing new".to_owned(),
            Response::Fetch(_) => records(),
            Response::JoinGroup(response) => format!("generation {}", response.generation_id),
            _ => String::new(),
        },
    }
}

/// The first error in a response.
pub(super) fn error_of(message: &Message) -> Option<ErrorCode> {
    let Message::Response { response, .. } = message else { return None };
    let code = match response {
        Response::Produce(response) => {
            let codes = response.responses.iter().flat_map(|it| &it.partition_responses);
            first_error(codes.map(|it| it.error_code))
        }
        Response::Fetch(response) => {
            let codes = response.responses.iter().flat_map(|it| &it.partitions);
            first_error(std::iter::once(response.error_code).chain(codes.map(|it| it.error_code)))
        }
        Response::ListOffsets(response) => {
            let codes = response.topics.iter().flat_map(|it| &it.partitions);
            first_error(codes.map(|it| it.error_code))
        }
        Response::Metadata(response) => {
            first_error(response.topics.iter().map(|topic| topic.error_code))
        }
        Response::OffsetCommit(response) => {
            let codes = response.topics.iter().flat_map(|it| &it.partitions);
            first_error(codes.map(|it| it.error_code))
        }
        Response::FindCoordinator(response) => {
            first_error(response.coordinators.iter().map(|it| it.error_code))
        }
        Response::CreateTopics(response) => {
            first_error(response.topics.iter().map(|it| it.error_code))
        }
        Response::DeleteTopics(response) => {
            first_error(response.responses.iter().map(|it| it.error_code))
        }
        Response::FetchMetadata(response) => response.error_code,
        Response::JoinGroup(response) => response.error_code,
        Response::SyncGroup(response) => response.error_code,
        Response::Heartbeat(response) => response.error_code,
        Response::LeaveGroup(response) => response.error_code,
        Response::InitProducerId(response) => response.error_code,
        Response::Vote(response) => response.error_code,
        Response::AlterPartition(response) => response.error_code,
        Response::BrokerRegistration(response) => response.error_code,
        Response::BrokerHeartbeat(response) => response.error_code,
        Response::Envelope(response) => response.error_code,
        _ => 0,
    };
    (code != 0).then(|| ErrorCode::from_code(code))
}

fn first_error(mut codes: impl Iterator<Item = i16>) -> i16 {
    codes.find(|code| *code != 0).unwrap_or_default()
}
