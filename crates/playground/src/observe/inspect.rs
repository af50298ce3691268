//! Everything about one subject, under Kafka's own names.

use cluster::client::{Client, ClientKind};
use cluster::controller::image::resource_type;
use cluster::log::{Batch, record_batch::RECORD_BATCH_OVERHEAD};
use cluster::protocol::{Listener, Message};
use cluster::types::{BrokerId, TopicPartition};
use simulation::NodeId;

use super::cluster::{Consumers, committed, groups, owned};
use super::facts::{milliseconds, size};
use super::fields::of_debug;
use super::log::{attributes, placed};
use super::rpc::{api_key, api_name, api_version, error_of};
use super::{Observer, Scene};
use crate::narrator::number;
use crate::view::{
    Action, BrokerState, ClusterView, Field, InspectView, PartitionKey, ReplicaKey, Subject,
};

/// Fields of one subject.
const FIELDS: usize = 150;
const BOOTSTRAP: &str = "--bootstrap-server localhost:9092";

impl Observer {
    /// None if the subject is gone.
    pub(super) fn inspect(
        &self,
        scene: &Scene<'_>,
        cluster: &ClusterView,
        subject: &Subject,
    ) -> Option<InspectView> {
        let mut view = match subject {
            Subject::Broker(id) => broker(scene, cluster, *id),
            Subject::Quorum => Some(quorum(scene, cluster)),
            Subject::Topic(name) => topic(scene, name),
            Subject::Partition(key) => partition(scene, key),
            Subject::Replica(key) => replica(scene, key),
            Subject::Batch { replica, base_offset } => batch(scene, replica, *base_offset),
            Subject::Segment { replica, base_offset } => segment(scene, replica, *base_offset),
            Subject::Group(name) => group(scene, name),
            Subject::Member { group, member } => self.inspect_member(scene, group, member),
            Subject::Client(name) => self.inspect_client(scene, name),
            Subject::Message(number) => self.inspect_message(*number),
        }?;
        view.subject = subject.clone();
        view.fields.truncate(FIELDS);
        Some(view)
    }

    fn inspect_member(&self, scene: &Scene<'_>, group: &str, id: &str) -> Option<InspectView> {
        let (_, group, _) = groups(scene).find(|(_, it, _)| it.group_id == group)?;
        let member = group.member(id)?;
        let client = Consumers::new(scene).of_member(id);
        let name = client.map_or_else(|| member.client_id.clone(), |(id, _)| self.name(id));
        let owned = owned(client, group, member);
        let leads = group.leader_id.as_deref() == Some(id);
        let mut fields = vec![
            field("member_id", id),
            field("client_id", &member.client_id),
            field("client_host", &member.client_host),
            field("session_timeout_ms", member.session_timeout_ms),
            field("rebalance_timeout_ms", member.rebalance_timeout_ms),
        ];
        let names: Vec<&str> =
            member.supported_protocols.iter().map(|it| it.name.as_str()).collect();
        fields.push(field("protocols", names.join(", ")));
        fields.push(field("assignment", names_of(&owned)));
        let text = if leads {
            "It leads its group: it was sent the list of members and decided who reads what."
        } else {
            "It sends heartbeats to the coordinator and reads the partitions that it was given."
        };
        Some(made("Group member", name, text.to_owned(), fields))
    }

    fn inspect_client(&self, scene: &Scene<'_>, name: &str) -> Option<InspectView> {
        let (_, client) = scene.world.clients().find(|(id, _)| self.name(*id) == name)?;
        let spec = client.spec();
        let mut fields = vec![field("client.id", &spec.client_id)];
        fields.extend(spec.config.iter().map(|(name, value)| field(name, value)));
        let (kind, text) = match spec.kind {
            ClientKind::Admin => ("Admin client", "It asks brokers and passes orders on to them."),
            ClientKind::Producer => {
                fields.extend(producer_fields(client));
                (
                    "Producer",
                    "It gathers records for each partition into batches and sends them to the partitions' leaders.",
                )
            }
            ClientKind::Consumer => {
                fields.extend(consumer_fields(client));
                (
                    "Consumer",
                    "It fetches from the leaders of its partitions and commits how far it has come.",
                )
            }
        };
        Some(made(kind, name.to_owned(), text.to_owned(), fields))
    }

    fn inspect_message(&self, id: u64) -> Option<InspectView> {
        let rpc = self.rpcs.find(id)?;
        let message = &rpc.message;
        let (api, version) = (api_name(message), api_version(message));
        let mut fields = vec![
            heading("header"),
            nested("api_key", format!("{} {api}", api_key(message)), 1),
            nested("api_version", version, 1),
        ];
        let (kind, body) = match message {
            Message::Request { correlation_id, client_id, listener, request } => {
                fields.push(nested("correlation_id", correlation_id, 1));
                fields.push(nested("client_id", client_id, 1));
                let listener = match listener {
                    Listener::Broker => "PLAINTEXT",
                    Listener::Controller => "CONTROLLER",
                };
                fields.push(nested("listener", listener, 1));
                ("Request", format!("{request:?}"))
            }
            Message::Response { correlation_id, response } => {
                fields.push(nested("correlation_id", correlation_id, 1));
                ("Response", format!("{response:?}"))
            }
        };
        fields.push(heading("body"));
        fields.extend(of_debug(&body, 1));
        let marked = match (kind, api) {
            ("Request", "Fetch") => "fetch_offset",
            ("Request", "Produce") => "records",
            ("Response", "Produce") => "base_offset",
            ("Response", "Fetch") => "high_watermark",
            _ => "",
        };
        if let Some(field) = fields.iter_mut().find(|field| field.name == marked) {
            field.marked = true;
        }
        let who = |id: NodeId| match self.peer(id) {
            crate::view::Peer::Node(id) => format!("Broker {id}"),
            crate::view::Peer::Client(name) => name,
        };
        let bytes = simulation::Payload::size_bytes(message);
        let mut text = match kind {
            "Request" => format!("{} asks {}.", who(rpc.from), who(rpc.to)),
            _ => format!("{} answers {}.", who(rpc.from), who(rpc.to)),
        };
        text.push_str(&meaning(kind, api));
        if let Some(error) = error_of(message) {
            text.push_str(&format!(" {}: {}", error.name(), error.message()));
        }
        let time = milliseconds(rpc.arrives_at.since(rpc.sent_at));
        text.push_str(&format!(" About {} and {time} on the link.", size(bytes)));
        Some(made(kind, format!("{api}, version {version}"), text, fields))
    }
}

fn meaning(kind: &str, api: &str) -> String {
    match (kind, api) {
        ("Request", "Fetch") => " By asking from an offset, it says that it has all before.",
        ("Request", "Produce") => " The records go to the end of the leader's log.",
        ("Response", "Produce") => " The offset of the first record stands in it.",
        ("Response", "Fetch") => " The high watermark says how far consumers may read.",
        ("Request", "Heartbeat") => " It is alive and still of this generation.",
        ("Request", "JoinGroup") => " It wants to be a member, and says what it reads.",
        ("Request", "SyncGroup") => {
            " The leader sends who reads what; the others ask for their part."
        }
        ("Request", "BrokerHeartbeat") => " Without these, the controller fences the broker.",
        ("Request", "AlterPartition") => " The leader proposes an ISR; the controller decides.",
        ("Request", "Vote") => " A candidate wants to lead the metadata quorum.",
        _ => "",
    }
    .to_owned()
}

fn broker(scene: &Scene<'_>, cluster: &ClusterView, id: BrokerId) -> Option<InspectView> {
    let view = cluster.brokers.get(&id)?;
    let node = scene.world.node(id)?;
    let registration = scene.image.brokers.get(&id);
    let (mut copies, mut bytes) = (0, 0);
    for partition in node.partitions() {
        copies += 1;
        bytes += partition.size_in_bytes;
    }
    let mut fields = vec![
        field("node.id", id),
        field("process.roles", "broker,controller"),
        field("state", format!("{:?}", node.broker_state())),
        field("broker epoch", node.broker_epoch()),
        field("fenced", view.fenced),
        field("metadata offset", number(node.controller().image_offset())),
        field("leaders", view.leaders),
        field("replicas", copies),
        field("log size", size(bytes)),
        field("bytes in", format!("{} /s", size(view.bytes_in))),
        field("bytes out", format!("{} /s", size(view.bytes_out))),
    ];
    if let Some(registration) = registration {
        fields.insert(1, field("listener", format!("{}:{}", registration.host, registration.port)));
    }
    if let Some(rack) = &view.rack {
        fields.insert(1, field("broker.rack", rack));
    }
    let dynamic = scene.image.configs_of(resource_type::BROKER, &id.to_string());
    for (name, value) in dynamic.into_iter().flatten() {
        fields.push(field(name, value));
    }
    let text = match view.state {
        BrokerState::Up if view.fenced => "It runs, but the controller does not count on it yet.",
        BrokerState::Up => {
            "It answers clients, leads some partitions and follows the leaders of others."
        }
        BrokerState::Starting => "It loads its logs, registers and catches up with the metadata.",
        BrokerState::Draining => "Controlled shutdown: its leaderships leave first.",
        BrokerState::Stopped => "It was stopped in good order. Its logs are on its disk.",
        BrokerState::Crashed => "Its process is gone without a farewell. Its logs are on its disk.",
        BrokerState::Paused => "Its process is frozen: connections stay open, nothing is answered.",
    };
    let name = &view.name;
    let verbs: &[(&str, &str)] = match view.state {
        BrokerState::Up | BrokerState::Starting | BrokerState::Draining => {
            &[("Stop", "stop"), ("Kill", "kill"), ("Pause", "pause")]
        }
        BrokerState::Stopped | BrokerState::Crashed => &[("Start", "start")],
        BrokerState::Paused => &[("Unpause", "unpause"), ("Kill", "kill")],
    };
    let mut view = made("Broker", name.clone(), text.to_owned(), fields);
    view.actions = verbs
        .iter()
        .map(|(label, verb)| {
            action(format!("{label} {name}"), format!("docker compose {verb} {name}"))
        })
        .collect();
    Some(view)
}

fn quorum(scene: &Scene<'_>, cluster: &ClusterView) -> InspectView {
    let quorum = &cluster.quorum;
    let committed = scene.active.map(|node| node.controller().raft().high_watermark());
    let mut fields = vec![
        field("LeaderId", quorum.leader.unwrap_or(-1)),
        field("LeaderEpoch", quorum.epoch),
        field("LogEndOffset", number(quorum.offset)),
    ];
    if let Some(committed) = committed {
        fields.push(field("HighWatermark", number(committed)));
    }
    fields.push(heading("CurrentVoters"));
    for voter in &quorum.voters {
        let lag = (quorum.offset - voter.offset).max(0);
        let state = match (voter.up, lag) {
            (false, _) => ", down".to_owned(),
            (true, 0) => String::new(),
            (true, lag) => format!(", {} behind", number(lag)),
        };
        fields.push(nested(
            &format!("voter {}", voter.id),
            format!("{}{state}", number(voter.offset)),
            1,
        ));
    }
    let text = match quorum.leader {
        Some(leader) => format!(
            "Broker {leader} is the active controller: it writes all decisions into __cluster_metadata, and a majority of voters must have them."
        ),
        None => {
            "No active controller: nothing can be decided until a majority of voters elects one."
                .to_owned()
        }
    };
    let mut view = made("Metadata quorum", "__cluster_metadata-0".to_owned(), text, fields);
    view.actions.push(action(
        "Describe the cluster's metadata".to_owned(),
        format!("kafka-topics.sh {BOOTSTRAP} --describe"),
    ));
    view
}

fn topic(scene: &Scene<'_>, name: &str) -> Option<InspectView> {
    let topic = scene.image.topic(name)?;
    let factor = topic.partitions.values().next().map_or(0, |it| it.replicas.len());
    let mut fields = vec![
        field("TopicId", topic.id),
        field("PartitionCount", topic.partitions.len()),
        field("ReplicationFactor", factor),
        field("min.insync.replicas", scene.min_insync_replicas(name)),
    ];
    let configs = scene.image.configs_of(resource_type::TOPIC, name);
    for (name, value) in configs.into_iter().flatten() {
        if name != "min.insync.replicas" {
            fields.push(field(name, value));
        }
    }
    fields.push(heading("partitions"));
    for (index, partition) in &topic.partitions {
        let value = format!("leader {}, isr {}", partition.leader, ids(&partition.isr));
        fields.push(nested(&index.to_string(), value, 1));
    }
    let text = "A name for logs that belong together: its partitions, each with copies on several brokers.";
    let mut view = made("Topic", name.to_owned(), text.to_owned(), fields);
    view.actions = vec![
        action(
            format!("Describe {name}"),
            format!("kafka-topics.sh {BOOTSTRAP} --describe --topic {name}"),
        ),
        action(
            format!("Read {name}"),
            format!("kafka-console-consumer.sh {BOOTSTRAP} --topic {name} --from-beginning"),
        ),
    ];
    Some(view)
}

fn partition(scene: &Scene<'_>, key: &PartitionKey) -> Option<InspectView> {
    let topic = scene.image.topic(&key.topic)?;
    let registration = topic.partitions.get(&key.partition)?;
    let min_isr = scene.min_insync_replicas(&key.topic);
    let mut fields = vec![
        field("leader", registration.leader),
        field("leader epoch", registration.leader_epoch),
        field("partition epoch", registration.partition_epoch),
        field("replicas", ids(&registration.replicas)),
        field("isr", ids(&registration.isr)),
        field("elr", ids(&registration.elr)),
        field("last known elr", ids(&registration.last_known_elr)),
        field("min.insync.replicas", min_isr),
    ];
    if registration.is_reassigning() {
        fields.push(field("adding replicas", ids(&registration.adding_replicas)));
        fields.push(field("removing replicas", ids(&registration.removing_replicas)));
    }
    if let Some(leader) = scene.leader_replica(&key.topic, key.partition) {
        fields.push(field("log start offset", number(leader.log.log_start_offset())));
        fields.push(field("high watermark", number(leader.log.high_watermark())));
        fields.push(field("log end offset", number(leader.log.log_end_offset())));
        fields.push(field("size", size(leader.log.size_in_bytes())));
    }
    let text = if !registration.has_leader() {
        "It has no leader: nobody can write or read it.".to_owned()
    } else if (registration.isr.len() as i32) < min_isr {
        "Fewer copies are in sync than min.insync.replicas: writes with acks=all are refused."
            .to_owned()
    } else if registration.isr.len() < registration.replicas.len() {
        format!("Broker {} leads it. Not all copies are in sync.", registration.leader)
    } else {
        format!("Broker {} leads it, and all copies are in sync.", registration.leader)
    };
    let mut view = made("Partition", key.to_string(), text, fields);
    view.actions.push(action(
        format!("Describe {}", key.topic),
        format!("kafka-topics.sh {BOOTSTRAP} --describe --topic {}", key.topic),
    ));
    let preferred = registration.preferred_leader().filter(|id| scene.image.is_active(*id));
    if let Some(preferred) = preferred.filter(|id| *id != registration.leader) {
        view.actions.push(action(
            format!("Let broker {preferred} lead again"),
            format!(
                "kafka-leader-election.sh {BOOTSTRAP} --election-type preferred --topic {} --partition {}",
                key.topic, key.partition
            ),
        ));
    }
    Some(view)
}

fn replica(scene: &Scene<'_>, key: &ReplicaKey) -> Option<InspectView> {
    let topic = scene.image.topic(&key.topic)?;
    let registration = topic.partitions.get(&key.partition)?;
    let replica = scene.replica(key.broker, topic.id, key.partition)?;
    let log = &replica.log;
    let leader_end = scene
        .leader_replica(&key.topic, key.partition)
        .map_or(log.log_end_offset(), |leader| leader.log.log_end_offset());
    let leads = registration.leader == key.broker;
    let in_isr = registration.isr.contains(&key.broker);
    let behind = (leader_end - log.log_end_offset()).max(0);
    let fields = vec![
        field("role", if leads { "leader" } else { "follower" }),
        field("in sync", in_isr),
        field("leader epoch", replica.leader_epoch()),
        field("log start offset", number(log.log_start_offset())),
        field("last stable offset", number(log.last_stable_offset())),
        field("high watermark", number(log.high_watermark())),
        field("log end offset", number(log.log_end_offset())),
        field("behind the leader", number(behind)),
        field("segments", log.number_of_segments()),
        field("size", size(log.size_in_bytes())),
    ];
    let text = match (leads, in_isr, scene.answers(key.broker)) {
        (_, _, false) => "Its broker does not answer: the data is there, but out of reach.",
        (true, ..) => "It takes all writes of this partition; the followers copy from it.",
        (_, true, _) => "It fetches from the leader. It learns the high watermark one fetch later.",
        (_, false, _) => "It is not in sync: it does not count for acks=all and may not lead.",
    };
    let title = format!("{} on broker {}", key.partition_key(), key.broker);
    Some(made("Replica", title, text.to_owned(), fields))
}

fn batch(scene: &Scene<'_>, key: &ReplicaKey, base_offset: i64) -> Option<InspectView> {
    let topic = scene.image.topic(&key.topic)?;
    let replica = scene.replica(key.broker, topic.id, key.partition)?;
    let (_, position, batch) = placed(&replica.log, base_offset).next()?;
    if batch.base_offset() != base_offset {
        return None;
    }
    let fields = batch_fields(batch);
    let count = batch.record_count();
    let text = format!(
        "{} record{}, {} bytes at byte {}. Each field is as it lies on disk.",
        number(i64::from(count)),
        if count == 1 { "" } else { "s" },
        number(i64::from(batch.size_in_bytes())),
        number(i64::from(position)),
    );
    let title = if batch.last_offset() == base_offset {
        number(base_offset)
    } else {
        format!("{} to {}", number(base_offset), number(batch.last_offset()))
    };
    let mut view = made("Record batch", title, text, fields);
    view.bytes = batch.to_bytes();
    view.bytes.truncate(RECORD_BATCH_OVERHEAD as usize);
    Some(view)
}

/// The header's fields, in the order of the bytes, as Kafka's documentation names them.
fn batch_fields(batch: &Batch) -> Vec<Field> {
    let attributes = attributes(batch);
    let mut meaning = vec![match batch.compression_type().name() {
        "none" => "no compression",
        codec => codec,
    }];
    meaning.extend(batch.is_transactional().then_some("transactional"));
    meaning.extend(batch.is_control_batch().then_some("control"));
    meaning.push(batch.timestamp_type().name());
    // `batchLength` counts what follows it.
    let length = batch.size_in_bytes() - 12;
    let valid = if batch.is_valid() { "valid" } else { "broken" };
    vec![
        field("baseOffset", batch.base_offset()),
        field("batchLength", length),
        field("partitionLeaderEpoch", batch.partition_leader_epoch().0),
        field("magic", batch.magic()),
        field("crc", format!("0x{:08x} ({valid})", batch.crc())),
        field("attributes", format!("0x{attributes:04x} {}", meaning.join(", "))),
        field("lastOffsetDelta", batch.last_offset_delta()),
        field("baseTimestamp", batch.base_timestamp()),
        field("maxTimestamp", batch.max_timestamp()),
        field("producerId", batch.producer_id()),
        field("producerEpoch", batch.producer_epoch()),
        field("baseSequence", batch.base_sequence()),
        field("recordsCount", batch.record_count()),
    ]
}

fn segment(scene: &Scene<'_>, key: &ReplicaKey, base_offset: i64) -> Option<InspectView> {
    let topic = scene.image.topic(&key.topic)?;
    let log = &scene.replica(key.broker, topic.id, key.partition)?.log;
    let segment = log.segments().find(|segment| segment.base_offset() == base_offset)?;
    let active = log.active_segment().base_offset() == base_offset;
    let fields = vec![
        field("base offset", number(base_offset)),
        field("bytes", number(i64::from(segment.size_in_bytes()))),
        field("segment.bytes", number(i64::from(log.config().segment_bytes))),
        field("batches", segment.batches().len()),
        field("offset index entries", segment.offset_index().len()),
        field("time index entries", segment.time_index().len()),
        field("largest timestamp", segment.largest_timestamp()),
    ];
    let text = if active {
        "The active segment: the only one that grows. A new one begins when it is full or old."
    } else {
        "A closed segment: it does not change any more, and retention deletes it as a whole."
    };
    Some(made("Segment", format!("{base_offset:020}.log"), text.to_owned(), fields))
}

fn group(scene: &Scene<'_>, name: &str) -> Option<InspectView> {
    let (coordinator, group, offsets) = groups(scene).find(|(_, it, _)| it.group_id == name)?;
    let mut fields = vec![
        field("state", group.state.name()),
        field("generation", group.generation_id),
        field("protocol type", group.protocol_type.as_deref().unwrap_or_default()),
        field("assignor", group.protocol_name.as_deref().unwrap_or_default()),
        field("coordinator", format!("broker {coordinator}")),
        field("leader", group.leader_id.as_deref().unwrap_or_default()),
        heading("members"),
    ];
    for member in group.members() {
        fields.push(nested(&member.client_id, &member.member_id, 1));
    }
    fields.push(heading("committed offsets"));
    for (topic, partitions) in offsets.into_iter().flat_map(|offsets| offsets.iter()) {
        for (index, _) in partitions.iter() {
            let partition = TopicPartition::new(topic.clone(), *index);
            let offset = committed(offsets, &partition).unwrap_or(-1);
            fields.push(nested(&partition.to_string(), number(offset), 1));
        }
    }
    let text = format!(
        "Broker {coordinator} coordinates it, because it leads the partition of __consumer_offsets that the group's name falls on."
    );
    let mut view = made("Consumer group", name.to_owned(), text, fields);
    view.actions.push(action(
        format!("Describe {name}"),
        format!("kafka-consumer-groups.sh {BOOTSTRAP} --describe --group {name}"),
    ));
    Some(view)
}

fn consumer_fields(client: &Client) -> Vec<Field> {
    let Some(consumer) = client.consumer() else { return Vec::new() };
    let mut fields = Vec::new();
    if let Some(member_id) = consumer.member_id() {
        fields.push(field("member id", member_id));
    }
    fields.push(heading("positions"));
    for partition in consumer.assigned() {
        let position = consumer.position(partition);
        let value = position.map_or_else(|| "none yet".to_owned(), number);
        fields.push(nested(&partition.to_string(), value, 1));
    }
    fields
}

fn producer_fields(client: &Client) -> Vec<Field> {
    let Some(producer) = client.producer() else { return Vec::new() };
    let Some(settings) = producer.settings() else { return Vec::new() };
    let waiting: u32 = producer.waiting_batches().map(|batch| batch.record_count).sum();
    let in_flight: u32 = producer.in_flight_batches().map(|batch| batch.record_count).sum();
    vec![
        heading("in effect"),
        nested(
            "acks",
            if settings.acks == -1 { "all".to_owned() } else { settings.acks.to_string() },
            1,
        ),
        nested("enable.idempotence", settings.idempotent, 1),
        nested("linger.ms", settings.accumulator.linger.as_ms(), 1),
        nested("batch.size", settings.accumulator.batch_size, 1),
        nested("compression.type", settings.accumulator.compression.codec.name(), 1),
        heading("records"),
        nested("waiting", waiting, 1),
        nested("in flight", in_flight, 1),
    ]
}

fn made(kind: &str, title: String, text: String, fields: Vec<Field>) -> InspectView {
    InspectView {
        subject: Subject::Quorum,
        kind: kind.to_owned(),
        title,
        text,
        fields,
        bytes: Vec::new(),
        actions: Vec::new(),
    }
}

fn action(label: String, command: String) -> Action {
    Action { label, command }
}

fn field(name: &str, value: impl ToString) -> Field {
    nested(name, value, 0)
}

#[allow(clippy::needless_pass_by_value)] // text, numbers and references alike
fn nested(name: &str, value: impl ToString, depth: u8) -> Field {
    Field { name: name.to_owned(), value: value.to_string(), depth, marked: false }
}

fn heading(name: &str) -> Field {
    nested(name, "", 0)
}

fn ids(ids: &[BrokerId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn names_of(partitions: &[TopicPartition]) -> String {
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
