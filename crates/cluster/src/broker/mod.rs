//! A Kafka node: broker and controller in one process.
//!
//! # Where to start
//! - [`KafkaNode::handle`] takes an input to where it belongs; `<api>.rs` answers one API each.
//! - [`partition`] is one replica; [`replica_fetcher`] follows a leader, `fetch` and `produce` serve.
//! - `lifecycle` brings the broker up and down; `metadata_publisher` gives partitions their roles.
//!
//! # Promises
//! - Idle is free: nothing polls per partition. A quiet follower has one long poll per leader.
//! - Work per input is in proportion to the partitions that it touches.

mod alter_configs;
mod alter_partition;
mod api_versions;
mod auto_topic_creation;
mod controller_channel;
mod deadlines;
mod delete_records;
mod describe_cluster;
mod describe_configs;
mod describe_topic_partitions;
mod dynamic_config;
mod fetch;
mod fetch_session;
mod find_coordinator;
mod forward;
mod group_coordinator;
mod init_producer_id;
mod lifecycle;
mod list_offsets;
mod log_manager;
mod metadata;
mod metadata_publisher;
mod observe;
mod offset_for_leader_epoch;
mod outbound;
pub mod partition;
mod produce;
mod replica_fetcher;
mod replica_selector;

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::{Input, Micros, NodeId};

use crate::config::ConfigDef;
use crate::controller::image::MetadataImage;
use crate::controller::quorum_controller::{ControllerOutputs, QuorumController};
use crate::controller::raft;
use crate::coordinator::{GroupCoordinator, GroupCoordinatorConfig};
use crate::event::ClusterEvent;
use crate::protocol::{Listener, Message, Request, Response};
use crate::types::{BrokerId, Offset, TimestampMs, TopicPartition};
use crate::uuid::Uuid;
use crate::world::{ClusterSpec, NodeSpec, Process, ProcessContext, Timer, wall_clock_ms};

pub use lifecycle::BrokerState;
pub use observe::{PartitionView, RecordView, SegmentView};
pub use partition::{Partition, TopicIdPartition};
pub use raft::ReplyTo;

use outbound::{Pending, Purpose};

/// How long a follower may lag before the leader proposes a smaller ISR: `replica.lag.time.max.ms`, 30 s.
/// Long on purpose: a shrink costs a round trip to the controller, and one slow moment must not cause it.
pub const REPLICA_LAG_TIME_MAX: Micros = Micros::from_ms(30_000);
/// `controller.quorum.request.timeout.ms`
const QUORUM_REQUEST_TIMEOUT: Micros = Micros::from_ms(2_000);

/// Timers of a Kafka node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KafkaTimer {
    /// The process is up.
    Boot,
    /// The next registration or heartbeat.
    Heartbeat,
    /// A controlled shutdown has waited long enough for the controller.
    ShutdownTimeout,
    /// The logs are closed.
    Exit,
    /// Some request has waited too long for its answer.
    RequestTimeout,
    /// Look for an active controller again.
    ControllerRetry,
    AlterPartitionRetry,
    /// The controller's own deadlines.
    Quorum,
    /// Some delayed fetch or produce has waited long enough.
    Purgatory,
    /// Followers that lag are looked for.
    IsrExpiration,
    /// Partitions that are left alone after an error are fetched again from this leader.
    FetchBackoff(BrokerId),
    /// `log.retention.check.interval.ms`
    LogRetention,
    /// The group coordinator's own deadlines.
    GroupCoordinator,
}

/// What waits in the purgatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum PurgatoryKey {
    Produce(u64),
    Fetch(fetch_session::SessionKey),
    DeleteRecords(u64),
}

/// Who this node is: what its server.properties say.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Identity {
    id: BrokerId,
    host: String,
    port: i32,
    rack: Option<String>,
    cluster_id: String,
    /// All lines of server.properties.
    configs: Vec<(String, String)>,
    epoch_ms: TimestampMs,
}

/// What is gone when the process ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Memory {
    lifecycle: lifecycle::Lifecycle,
    outbound: outbound::Outbound,
    channel: controller_channel::ControllerChannel,
    alter_partition: alter_partition::AlterPartitionManager,
    fetchers: SortedMap<BrokerId, replica_fetcher::ReplicaFetcher>,
    /// Leaders whose fetch loop may have something to send.
    fetchers_to_run: SortedSet<BrokerId>,
    sessions: fetch_session::FetchSessions,
    /// When each follower last fetched from here.
    last_fetches: SortedMap<BrokerId, Micros>,
    produces: produce::DelayedProduces,
    deletions: delete_records::DelayedDeletions,
    purgatory: deadlines::Deadlines<PurgatoryKey>,
    /// Partitions that have changed during this input: who waits for them is looked at when it is dealt with.
    touched: SortedSet<TopicIdPartition>,
    producer_ids: init_producer_id::ProducerIdManager,
    auto_topic_creation: auto_topic_creation::AutoTopicCreation,
    coordinator: GroupCoordinator,
    /// Topics as last published: a deleted one's name is needed once more.
    topic_names: SortedMap<Uuid, String>,
    /// When the kernel's timer for the controller fires.
    quorum_armed: Micros,
    coordinator_armed: Micros,
    /// Loggers whose level was changed; forgotten when the process ends, as log4j's.
    log_levels: SortedMap<String, String>,
}

/// One process with the roles `broker,controller`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KafkaNode {
    identity: Identity,
    /// Epoch, vote, metadata log and image; it keeps what is on disk by itself.
    controller: QuorumController,
    /// All replicas on this node: the logs are on disk, the roles in memory.
    partitions: SortedMap<TopicIdPartition, Partition>,
    /// `.kafka_cleanshutdown`: the broker epoch of a process that has ended in good order.
    clean_shutdown_epoch: Option<i64>,
    memory: Box<Memory>,
}

impl KafkaNode {
    pub fn new(cluster: &ClusterSpec, node: &NodeSpec) -> Self {
        let mut configs = cluster.configs.clone();
        let own = [
            ("node.id", node.id.to_string()),
            // Kafka takes it over from `node.id`.
            ("broker.id", node.id.to_string()),
            ("inter.broker.listener.name", "PLAINTEXT".to_owned()),
            (
                "listener.security.protocol.map",
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned(),
            ),
            (
                "listeners",
                format!("PLAINTEXT://{0}:{1},CONTROLLER://{0}:9093", node.host, node.port),
            ),
            ("advertised.listeners", format!("PLAINTEXT://{}:{}", node.host, node.port)),
            ("log.dirs", format!("/tmp/kraft-combined-logs-{}", node.id)),
        ];
        configs.extend(own.map(|(name, value)| (name.to_owned(), value)));
        configs.extend(node.rack.iter().map(|rack| ("broker.rack".to_owned(), rack.clone())));
        let identity = Identity {
            id: node.id,
            host: node.host.clone(),
            port: node.port,
            rack: node.rack.clone(),
            cluster_id: cluster.cluster_id.clone(),
            configs,
            epoch_ms: cluster.epoch_ms,
        };
        let memory = Box::new(Memory::new(&identity));
        Self {
            controller: QuorumController::new(node.id, cluster),
            identity,
            partitions: SortedMap::new(),
            clean_shutdown_epoch: None,
            memory,
        }
    }

    pub fn id(&self) -> BrokerId {
        self.identity.id
    }

    pub fn handle(&mut self, input: Input<Process>, context: &mut ProcessContext<'_>) {
        match input {
            Input::Started => Self::boot(context),
            Input::Terminate => self.begin_controlled_shutdown(context),
            Input::Message { from, message } => self.on_message(from, message, context),
            Input::Timer(Timer::Kafka(timer)) => self.on_timer(timer, context),
            Input::Disconnected { peer } => self.on_disconnected(peer, context),
            Input::Timer(Timer::Client(_)) | Input::DiskDone(_) | Input::Command(_) => {}
        }
        self.settle(context);
    }

    /// Keeps what the disk keeps.
    pub fn stopped(&mut self) {
        self.controller.stopped();
        for partition in self.partitions.values_mut() {
            partition.stopped();
        }
        *self.memory = Memory::new(&self.identity);
    }

    fn on_message(&mut self, from: NodeId, message: Message, context: &mut ProcessContext<'_>) {
        match message {
            Message::Request { correlation_id, client_id, listener, request } => {
                let reply_to = ReplyTo { node: from, correlation_id };
                match listener {
                    Listener::Controller => self.on_controller_request(reply_to, request, context),
                    Listener::Broker => {
                        self.on_broker_request(reply_to, client_id, request, context);
                    }
                }
            }
            Message::Response { correlation_id, response } => {
                if let Some(pending) = self.memory.outbound.answered(correlation_id) {
                    self.on_response(pending, response, context);
                }
            }
        }
    }

    /// One of the APIs that this broker answers.
    fn on_broker_request(
        &mut self,
        reply_to: ReplyTo,
        client_id: String,
        request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        if !self.memory.lifecycle.is_serving() {
            // The port is not open.
            return context.disconnect(reply_to.node);
        }
        match request {
            Request::Produce(request) => self.handle_produce(reply_to, *request, context),
            Request::Fetch(request) => self.handle_fetch(reply_to, *request, context),
            Request::ListOffsets(request) => {
                Self::reply(reply_to, self.handle_list_offsets(&request), context);
            }
            Request::Metadata(request) => self.handle_metadata(reply_to, &request, context),
            Request::OffsetForLeaderEpoch(request) => {
                Self::reply(reply_to, self.handle_offset_for_leader_epoch(&request), context);
            }
            Request::DeleteRecords(request) => {
                self.handle_delete_records(reply_to, &request, context);
            }
            Request::ApiVersions(_) => Self::reply(reply_to, self.handle_api_versions(), context),
            Request::InitProducerId(request) => {
                self.handle_init_producer_id(reply_to, &request, context);
            }
            Request::FindCoordinator(request) => {
                self.handle_find_coordinator(reply_to, &request, context);
            }
            Request::DescribeConfigs(request) => {
                Self::reply(reply_to, self.handle_describe_configs(&request), context);
            }
            Request::ListConfigResources(request) => {
                Self::reply(reply_to, self.handle_list_config_resources(&request), context);
            }
            Request::DescribeCluster(request) => {
                Self::reply(reply_to, self.handle_describe_cluster(&request), context);
            }
            Request::DescribeTopicPartitions(request) => {
                Self::reply(reply_to, self.handle_describe_topic_partitions(&request), context);
            }
            Request::IncrementalAlterConfigs(request) => {
                self.handle_alter_configs(reply_to, client_id, *request, context);
            }
            request if forward::is_forwarded(&request) => {
                self.forward(reply_to, client_id, request, context);
            }
            request => self.handle_group_request(reply_to, client_id, request, context),
        }
    }

    fn on_response(
        &mut self,
        pending: Pending,
        response: Response,
        context: &mut ProcessContext<'_>,
    ) {
        let from = pending.peer.0 as BrokerId;
        match (pending.purpose, response) {
            (Purpose::ReplicaFetch(leader), Response::Fetch(response)) => {
                self.on_replica_fetch_response(leader, *response, context);
            }
            (Purpose::FollowerOffsets(question), Response::ListOffsets(response)) => {
                self.on_leader_offsets(question, Some(&response), context);
            }
            (Purpose::Controller(item), response) => {
                self.on_controller_response(*item, from, response, context);
            }
            (Purpose::Quorum, response) => {
                let mut outputs = ControllerOutputs::default();
                let now = context.now();
                self.controller.on_response(now, context.random(), from, response, &mut outputs);
                self.apply_controller(outputs, context);
            }
            (Purpose::ReplicaFetch(leader), _) => self.on_replica_fetch_failure(leader, context),
            (Purpose::FollowerOffsets(question), _) => {
                self.on_leader_offsets(question, None, context);
            }
        }
    }

    /// A request of this node's will not be answered.
    fn on_unanswered(
        &mut self,
        pending: Pending,
        timed_out: bool,
        context: &mut ProcessContext<'_>,
    ) {
        match pending.purpose {
            Purpose::ReplicaFetch(leader) => self.on_replica_fetch_failure(leader, context),
            Purpose::FollowerOffsets(question) => self.on_leader_offsets(question, None, context),
            Purpose::Controller(item) if timed_out => self.on_controller_timed_out(*item, context),
            Purpose::Controller(item) => self.on_controller_lost(*item, context),
            Purpose::Quorum => {
                self.controller.on_unanswered(context.now(), pending.peer.0 as BrokerId);
                self.arm_quorum(context);
            }
        }
    }

    fn on_disconnected(&mut self, peer: NodeId, context: &mut ProcessContext<'_>) {
        for pending in self.memory.outbound.take_disconnected(peer) {
            self.on_unanswered(pending, false, context);
        }
        self.close_sessions_of(peer);
    }

    fn on_timer(&mut self, timer: KafkaTimer, context: &mut ProcessContext<'_>) {
        match timer {
            KafkaTimer::Boot => self.on_booted(context),
            KafkaTimer::Heartbeat => self.communicate(context),
            KafkaTimer::ShutdownTimeout => self.begin_shutdown(context),
            KafkaTimer::Exit => self.on_exit(context),
            KafkaTimer::RequestTimeout => {
                for pending in self.memory.outbound.take_timed_out(context) {
                    // As a client of Kafka's does: what does not answer is disconnected.
                    self.on_unanswered(pending, true, context);
                }
            }
            KafkaTimer::ControllerRetry => self.on_controller_retry(context),
            KafkaTimer::AlterPartitionRetry => self.send_alter_partition(context),
            KafkaTimer::Quorum => {
                self.memory.quorum_armed = Micros::MAX;
                let mut outputs = ControllerOutputs::default();
                let now = context.now();
                self.controller.on_timer(now, context.random(), &mut outputs);
                self.apply_controller(outputs, context);
            }
            KafkaTimer::Purgatory => {
                for key in self.memory.purgatory.take_due(KafkaTimer::Purgatory, context) {
                    match key {
                        PurgatoryKey::Produce(number) => self.expire_produce(number, context),
                        PurgatoryKey::Fetch(key) => self.complete_fetch(key, context),
                        PurgatoryKey::DeleteRecords(number) => {
                            self.expire_deletion(number, context);
                        }
                    }
                }
            }
            KafkaTimer::IsrExpiration => self.on_isr_expiration(context),
            KafkaTimer::FetchBackoff(leader) => self.on_fetch_backoff(leader, context),
            KafkaTimer::LogRetention => self.on_log_retention(context),
            KafkaTimer::GroupCoordinator => self.on_coordinator_timer(context),
        }
    }

    /// Looks at everybody who waits for what this input has changed, then lets the fetch loops go on.
    fn settle(&mut self, context: &mut ProcessContext<'_>) {
        while let Some(id) = self.memory.touched.pop_first() {
            self.complete_produces(id, context);
            self.complete_deletions(id, context);
            let Some(partition) = self.partitions.get(&id) else { continue };
            let watchers: Vec<fetch_session::SessionKey> =
                partition.watchers.iter().copied().collect();
            for key in watchers {
                if let Some(session) = self.memory.sessions.get_mut(key) {
                    session.mark_dirty(id);
                }
                self.try_complete_fetch(key, context);
            }
        }
        self.run_fetchers(context);
    }

    // ---- the controller of this process

    fn start_controller(&mut self, context: &mut ProcessContext<'_>) {
        let mut outputs = ControllerOutputs::default();
        let now = context.now();
        self.controller.start(now, context.random(), &mut outputs);
        self.apply_controller(outputs, context);
    }

    fn shut_down_controller(&mut self, context: &mut ProcessContext<'_>) {
        let mut outputs = ControllerOutputs::default();
        let now = context.now();
        self.controller.shut_down(now, context.random(), &mut outputs);
        self.apply_controller(outputs, context);
    }

    fn on_controller_request(
        &mut self,
        reply_to: ReplyTo,
        request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        if self.memory.lifecycle.state == BrokerState::NotRunning {
            return context.disconnect(reply_to.node);
        }
        let mut outputs = ControllerOutputs::default();
        let now = context.now();
        self.controller.on_request(now, context.random(), reply_to, request, &mut outputs);
        self.apply_controller(outputs, context);
    }

    /// Does what the controller wants done and gives the broker the metadata that is newly committed.
    fn apply_controller(&mut self, outputs: ControllerOutputs, context: &mut ProcessContext<'_>) {
        for event in outputs.events {
            context.trace(|| event);
        }
        for (to, request) in outputs.quorum.requests {
            let timeout = QUORUM_REQUEST_TIMEOUT;
            self.memory.outbound.send(
                to,
                Listener::Controller,
                request,
                Purpose::Quorum,
                timeout,
                context,
            );
        }
        for (reply_to, response) in outputs.quorum.responses {
            Self::reply(reply_to, response, context);
        }
        self.arm_quorum(context);
        if outputs.snapshot_installed {
            self.publish_whole_image(context);
        } else if !outputs.committed.is_empty() {
            self.publish(&outputs.committed, context);
        }
    }

    /// The controller's deadline moves with every fetch: the timer is only moved to be earlier.
    fn arm_quorum(&mut self, context: &mut ProcessContext<'_>) {
        let deadline = self.controller.deadline();
        if deadline < self.memory.quorum_armed {
            self.memory.quorum_armed = deadline;
            context.set_timer(Timer::Kafka(KafkaTimer::Quorum), deadline);
        }
    }

    // ---- small things that all APIs use

    fn reply(reply_to: ReplyTo, response: impl Into<Response>, context: &mut ProcessContext<'_>) {
        let correlation_id = reply_to.correlation_id;
        context
            .send(reply_to.node, Message::Response { correlation_id, response: response.into() });
    }

    /// This broker's id and epoch.
    fn me(&self) -> (BrokerId, i64) {
        (self.identity.id, self.memory.lifecycle.broker_epoch())
    }

    fn image(&self) -> &MetadataImage {
        self.controller.image()
    }

    fn wall_clock_ms(&self, now: Micros) -> TimestampMs {
        wall_clock_ms(self.identity.epoch_ms, now)
    }

    /// Draws the consequences of a high watermark that has (perhaps) moved.
    fn after_high_watermark(
        &mut self,
        id: TopicIdPartition,
        moved: bool,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(partition) = self.partitions.get(&id).filter(|_| moved) else { return };
        self.memory.touched.insert(id);
        let (me, to, topic) = (self.identity.id, partition.log.high_watermark(), &partition.topic);
        context.trace(|| ClusterEvent::HighWatermarkMoved {
            partition: TopicPartition::new(topic.clone(), id.partition),
            broker: me,
            to,
        });
        if partition.is_leader() && crate::topic_names::CONSUMER_OFFSETS == partition.topic {
            self.on_offsets_committed(id, to, context);
        }
    }

    fn tell_appended(
        &self,
        id: TopicIdPartition,
        base_offset: Offset,
        last_offset: Offset,
        segments_before: usize,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(partition) = self.partitions.get(&id) else { return };
        let broker = self.identity.id;
        let named = || TopicPartition::new(partition.topic.clone(), id.partition);
        context.trace(|| ClusterEvent::Appended {
            partition: named(),
            broker,
            base_offset,
            last_offset,
            leader: partition.is_leader(),
        });
        if partition.log.number_of_segments() > segments_before {
            let base_offset = partition.log.active_segment().base_offset();
            context.trace(|| ClusterEvent::SegmentRolled {
                partition: named(),
                broker,
                base_offset,
            });
        }
    }
}

impl Memory {
    fn new(identity: &Identity) -> Self {
        let parsed = ConfigDef::Broker.parse(&identity.configs);
        let parsed = parsed.unwrap_or_else(|_| {
            ConfigDef::Broker.parse::<&str>(&[] as &[(&str, &str)]).expect("the defaults are valid")
        });
        let config = GroupCoordinatorConfig::new(&parsed);
        Self {
            coordinator: GroupCoordinator::new(config, identity.epoch_ms),
            quorum_armed: Micros::MAX,
            coordinator_armed: Micros::MAX,
            lifecycle: Default::default(),
            outbound: Default::default(),
            channel: Default::default(),
            alter_partition: Default::default(),
            fetchers: Default::default(),
            fetchers_to_run: Default::default(),
            sessions: Default::default(),
            last_fetches: Default::default(),
            produces: Default::default(),
            deletions: Default::default(),
            purgatory: Default::default(),
            touched: Default::default(),
            producer_ids: Default::default(),
            auto_topic_creation: Default::default(),
            topic_names: Default::default(),
            log_levels: Default::default(),
        }
    }
}
