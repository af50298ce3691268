//! One node's controller: its replica of the metadata, and, while it leads the quorum, the decisions.
//!
//! The active controller works on an image that is ahead of the committed one: a request is decided against it, its
//! records are appended and replayed there at once, and the answer waits until the quorum has committed them.
//! Kafka: `QuorumController`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::{Micros, Random};

use super::api_error::ApiError;
use super::cluster_control::BrokerHeartbeats;
use super::configuration_control::ConfigurationControl;
use super::control::{Control, refused};
use super::feature_control;
use super::image::{MetadataImage, resource_type};
use super::raft::{QuorumOutputs, Raft, ReplyTo};
use super::records::{MetadataBatch, MetadataRecord, MetadataSnapshot};
use crate::config::NodeConfig;
use crate::event::{ChangeCause, ClusterEvent};
use crate::protocol::errors::ErrorCode;
use crate::protocol::{EnvelopeResponse, FetchMetadataResponse, Request, Response};
use crate::types::{BrokerId, Offset, TimestampMs, TopicPartition};
use crate::world::{ClusterSpec, wall_clock_ms};

/// Stale sessions are looked for so often within one.
const STALE_CHECKS_PER_SESSION: u64 = 8;
/// `metadata.max.idle.interval.ms`
const NO_OP_INTERVAL: Micros = Micros::from_ms(500);
/// What the controller wants done, and what it has learned.
#[derive(Clone, Debug, Default)]
pub struct ControllerOutputs {
    pub quorum: QuorumOutputs,
    /// Newly committed and applied to the image, in order.
    pub committed: Vec<MetadataBatch>,
    /// The image was replaced whole; what `committed` holds came after.
    pub snapshot_installed: bool,
    pub events: Vec<ClusterEvent>,
}

/// What only the active controller has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Active {
    /// The state at the end of the log.
    pub image: MetadataImage,
    pub heartbeats: BrokerHeartbeats,
    /// Answers that wait until everything below the offset is committed; the request is kept for a refusal.
    pending: VecDeque<Pending>,
    /// Why the records up to the offset were written.
    causes: VecDeque<(Offset, ChangeCause)>,
    no_op_at: Micros,
    stale_check_at: Micros,
    preferred_election_at: Micros,
    unclean_election_at: Micros,
}

/// An answer that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    end: Offset,
    reply_to: ReplyTo,
    request: Request,
    enveloped: bool,
    response: Response,
}

/// One node's controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuorumController {
    id: BrokerId,
    epoch_ms: TimestampMs,
    cluster_id: String,
    /// server.properties: where the defaults of topics come from.
    node: NodeConfig,
    raft: Raft,
    /// The committed state, and the offset it is the state of.
    image: MetadataImage,
    image_offset: Offset,
    image_epoch: i32,
    active: Option<Box<Active>>,
}

impl QuorumController {
    pub fn new(id: BrokerId, cluster: &ClusterSpec) -> Self {
        let voters = cluster.nodes.iter().map(|node| node.id).collect();
        Self {
            id,
            epoch_ms: cluster.epoch_ms,
            cluster_id: cluster.cluster_id.clone(),
            node: NodeConfig::new(cluster.configs.iter().cloned()),
            raft: Raft::new(id, voters, cluster.cluster_id.clone()),
            image: MetadataImage::default(),
            image_offset: 0,
            image_epoch: 0,
            active: None,
        }
    }

    /// The committed metadata as this node has it.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// The offset after the last record in `image`.
    pub fn image_offset(&self) -> Offset {
        self.image_offset
    }

    /// The active controller as this node knows it.
    pub fn leader(&self) -> Option<BrokerId> {
        self.raft.leader()
    }

    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    pub fn start(&mut self, now: Micros, random: &mut Random, outputs: &mut ControllerOutputs) {
        self.raft.start(now, random, &mut outputs.quorum);
        self.settle(now, outputs);
    }

    /// The process is gone: log, vote and image are on disk.
    pub fn stopped(&mut self) {
        self.raft.stopped();
        self.active = None;
    }

    /// An orderly end: leadership is handed over.
    pub fn shut_down(&mut self, now: Micros, random: &mut Random, outputs: &mut ControllerOutputs) {
        self.raft.resign(now, random, &mut outputs.quorum);
        self.settle(now, outputs);
    }

    /// When `on_timer` is next needed.
    pub fn deadline(&self) -> Micros {
        let active = self.active.as_ref().map_or(Micros::MAX, |active| {
            let elections = active.preferred_election_at.min(active.unclean_election_at);
            active.no_op_at.min(active.stale_check_at).min(elections)
        });
        self.raft.deadline().min(active)
    }

    pub fn on_timer(&mut self, now: Micros, random: &mut Random, outputs: &mut ControllerOutputs) {
        self.raft.on_timer(now, random, &mut outputs.quorum);
        self.settle(now, outputs);
        self.on_active_timer(now);
        self.settle(now, outputs);
    }

    fn on_active_timer(&mut self, now: Micros) {
        let session = self.session_timeout();
        if let Some(active) =
            self.active.as_deref_mut().filter(|active| active.stale_check_at <= now)
        {
            active.stale_check_at = now + Micros(session.0 / STALE_CHECKS_PER_SESSION);
        }
        // One broker's fencing moves leaders; the next is decided on what that left.
        while let Some((broker, epoch)) =
            self.active.as_deref_mut().and_then(|active| active.heartbeats.remove_expired(now))
        {
            let records =
                self.control(now, |control| control.cluster().fence_stale_broker(broker, epoch));
            self.append(now, records, ChangeCause::BrokerFenced);
        }
        let preferred_at =
            now + Micros::from_secs(self.positive("leader.imbalance.check.interval.seconds"));
        let unclean_at =
            now + Micros::from_ms(self.positive("unclean.leader.election.interval.ms"));
        let Some(active) = self.active.as_deref_mut() else { return };
        let preferred_due = active.preferred_election_at <= now;
        let unclean_due = active.unclean_election_at <= now;
        if preferred_due {
            active.preferred_election_at = preferred_at;
        }
        if unclean_due {
            active.unclean_election_at = unclean_at;
        }
        if preferred_due && self.node.boolean("auto.leader.rebalance.enable") {
            let records = self
                .control(now, |control| control.replication().balance_partition_leaders().records);
            self.append(now, records, ChangeCause::PreferredElection);
        }
        if unclean_due {
            let records =
                self.control(now, |control| control.replication().elect_unclean_leaders().records);
            self.append(now, records, ChangeCause::UncleanElection);
        }
        if self.active.as_ref().is_some_and(|active| active.no_op_at <= now) {
            self.append(now, vec![MetadataRecord::NoOp], ChangeCause::Created);
        }
    }

    fn session_timeout(&self) -> Micros {
        Micros::from_ms(self.positive("broker.session.timeout.ms"))
    }

    fn positive(&self, name: &str) -> u64 {
        self.node.integer(name).max(1) as u64
    }

    /// Asks the decisions of the active controller; the default where this is not the active one.
    fn control<R: Default>(&self, now: Micros, ask: impl FnOnce(&Control<'_>) -> R) -> R {
        let Some(active) = self.active.as_deref() else { return R::default() };
        ask(&Control {
            now,
            image: &active.image,
            heartbeats: &active.heartbeats,
            node: &self.node,
            node_id: self.id,
            cluster_id: &self.cluster_id,
            raft: &self.raft,
            epoch_ms: self.epoch_ms,
        })
    }

    /// Anything that arrives on the controller listener.
    pub fn on_request(
        &mut self,
        now: Micros,
        random: &mut Random,
        reply_to: ReplyTo,
        request: Request,
        outputs: &mut ControllerOutputs,
    ) {
        let quorum = &mut outputs.quorum;
        match request {
            Request::Vote(request) => {
                let response = self.raft.on_vote(now, random, &request).into();
                quorum.responses.push((reply_to, response));
            }
            Request::BeginQuorumEpoch(request) => {
                let response = self.raft.on_begin_quorum_epoch(now, &request, quorum).into();
                quorum.responses.push((reply_to, response));
            }
            Request::EndQuorumEpoch(request) => {
                let response = self.raft.on_end_quorum_epoch(now, random, &request, quorum).into();
                quorum.responses.push((reply_to, response));
            }
            Request::FetchMetadata(request) => self.raft.on_fetch(now, reply_to, &request, quorum),
            Request::Envelope(envelope) => {
                let inner = envelope.request.map(|request| *request);
                let response = match inner {
                    Some(request) => self.decide_and_append(now, random, reply_to, request, true),
                    None => None,
                };
                if let Some(response) = response {
                    quorum.responses.push((reply_to, response));
                }
            }
            request => {
                if let Some(response) =
                    self.decide_and_append(now, random, reply_to, request, false)
                {
                    quorum.responses.push((reply_to, response));
                }
            }
        }
        self.settle(now, outputs);
    }

    /// Returns the answer if it need not wait for the quorum.
    fn decide_and_append(
        &mut self,
        now: Micros,
        random: &mut Random,
        reply_to: ReplyTo,
        request: Request,
        enveloped: bool,
    ) -> Option<Response> {
        let Some(active) = self.active.as_deref_mut() else {
            return Some(not_controller(&request, enveloped));
        };
        if let Request::BrokerHeartbeat(heartbeat) = &request {
            let known = active.image.brokers.get(&heartbeat.broker_id);
            if let Some(broker) = known.filter(|broker| broker.epoch == heartbeat.broker_epoch) {
                active.heartbeats.track(broker.id, broker.epoch, now);
                active.heartbeats.touch(
                    broker.id,
                    broker.fenced,
                    heartbeat.current_metadata_offset,
                );
            }
        }
        let decision = self.control(now, |control| Some(control.decide(random, &request)))?;
        let registered = match (&request, &decision.response) {
            (Request::BrokerRegistration(request), Response::BrokerRegistration(response))
                if response.error_code == 0 =>
            {
                Some((request.broker_id, response.broker_epoch))
            }
            _ => None,
        };
        let response = if enveloped {
            EnvelopeResponse { error_code: 0, response: Some(Box::new(decision.response)) }.into()
        } else {
            decision.response
        };
        let changes = !decision.records.is_empty();
        let end = self.append(now, decision.records, decision.cause);
        let active = self.active.as_deref_mut().expect("it is active");
        if let Some((broker, epoch)) = registered {
            active.heartbeats.track(broker, epoch, now);
        }
        if let Some(broker) = decision.draining {
            active.heartbeats.set_controlled_shutdown_offset(broker, end - 1);
        }
        if !changes {
            return Some(response);
        }
        active.pending.push_back(Pending { end, reply_to, request, enveloped, response });
        None
    }

    /// An answer to what the quorum asked of `from`.
    pub fn on_response(
        &mut self,
        now: Micros,
        random: &mut Random,
        from: BrokerId,
        response: Response,
        outputs: &mut ControllerOutputs,
    ) {
        match response {
            Response::Vote(response) => {
                self.raft.on_vote_response(now, random, from, &response, &mut outputs.quorum);
            }
            Response::FetchMetadata(response) => {
                self.install(&response, outputs);
                self.raft.on_fetch_response(now, random, from, &response, &mut outputs.quorum);
            }
            _ => {}
        }
        self.settle(now, outputs);
    }

    /// A request of the quorum's to `peer` got no answer.
    pub fn on_unanswered(&mut self, now: Micros, peer: BrokerId) {
        self.raft.on_unanswered(now, peer);
    }

    fn install(&mut self, response: &FetchMetadataResponse, outputs: &mut ControllerOutputs) {
        let Some(snapshot) = &response.snapshot else { return };
        if snapshot.end_offset > self.image_offset {
            self.image = (*snapshot.image).clone();
            self.image_offset = snapshot.end_offset;
            self.image_epoch = snapshot.epoch;
            self.raft.install_snapshot(snapshot.end_offset, snapshot.epoch);
            outputs.snapshot_installed = true;
        }
    }

    /// Appends and replays on the image ahead; returns the end of the log.
    fn append(&mut self, now: Micros, records: Vec<MetadataRecord>, cause: ChangeCause) -> Offset {
        let Some(active) = self.active.as_deref_mut() else { return 0 };
        if records.is_empty() {
            return self.raft.log().end_offset();
        }
        for record in &records {
            active.image.replay(record);
        }
        active.no_op_at = now + NO_OP_INTERVAL;
        let end = self.raft.append(now, wall_clock_ms(self.epoch_ms, now), records);
        active.causes.push_back((end, cause));
        end
    }

    /// Draws the consequences: of a gained or lost leadership, of what is newly committed.
    fn settle(&mut self, now: Micros, outputs: &mut ControllerOutputs) {
        if self.raft.is_leader() && self.active.is_none() {
            self.claim(now, outputs);
        } else if !self.raft.is_leader()
            && let Some(active) = self.active.take()
        {
            for pending in active.pending {
                let refusal = not_controller(&pending.request, pending.enveloped);
                outputs.quorum.responses.push((pending.reply_to, refusal));
            }
        }
        self.apply_committed(outputs);
        self.attach_snapshots(outputs);
    }

    fn claim(&mut self, now: Micros, outputs: &mut ControllerOutputs) {
        let mut image = self.image.clone();
        for batch in self.raft.log().read(self.image_offset, Offset::MAX) {
            for record in batch.records.iter() {
                image.replay(record);
            }
        }
        let session = self.session_timeout();
        let heartbeats = BrokerHeartbeats::activate(&image, session, now);
        let new_cluster = image.features.is_empty();
        self.active = Some(Box::new(Active {
            image,
            heartbeats,
            pending: VecDeque::new(),
            causes: VecDeque::new(),
            no_op_at: now + NO_OP_INTERVAL,
            stale_check_at: now + Micros(session.0 / STALE_CHECKS_PER_SESSION),
            preferred_election_at: now
                + Micros::from_secs(self.positive("leader.imbalance.check.interval.seconds")),
            unclean_election_at: now
                + Micros::from_ms(self.positive("unclean.leader.election.interval.ms")),
        }));
        let mut records = vec![MetadataRecord::LeaderChange {
            leader_id: self.id,
            voters: self.raft.voters().to_vec(),
        }];
        if new_cluster {
            records.extend(feature_control::bootstrap_records(&self.node));
        }
        self.append(now, records, ChangeCause::Created);
        outputs
            .events
            .push(ClusterEvent::ControllerElected { leader: self.id, epoch: self.raft.epoch() });
    }

    fn apply_committed(&mut self, outputs: &mut ControllerOutputs) {
        let committed = self.raft.high_watermark();
        if committed <= self.image_offset {
            return;
        }
        let batches: Vec<MetadataBatch> = self
            .raft
            .log()
            .read(self.image_offset, committed)
            .filter(|batch| batch.end_offset() <= committed)
            .cloned()
            .collect();
        for batch in batches {
            for record in batch.records.iter() {
                self.tell(record, batch.end_offset(), &mut outputs.events);
                self.image.replay(record);
            }
            self.image_offset = batch.end_offset();
            self.image_epoch = batch.leader_epoch;
            outputs.committed.push(batch);
        }
        self.raft.trim(self.image_offset);
        let Some(active) = self.active.as_deref_mut() else { return };
        while active.causes.front().is_some_and(|(end, _)| *end <= committed) {
            active.causes.pop_front();
        }
        while active.pending.front().is_some_and(|pending| pending.end <= committed) {
            let pending = active.pending.pop_front().expect("there is one");
            outputs.quorum.responses.push((pending.reply_to, pending.response));
        }
    }

    /// What a committed record means, told once: by the active controller, before it is replayed.
    fn tell(&self, record: &MetadataRecord, end: Offset, events: &mut Vec<ClusterEvent>) {
        let Some(active) = self.active.as_deref() else { return };
        let cause = active
            .causes
            .iter()
            .find(|(until, _)| *until >= end)
            .map_or(ChangeCause::Created, |(_, cause)| *cause);
        match record {
            MetadataRecord::RegisterBroker { broker_id, broker_epoch, .. } => {
                let clean = cause != ChangeCause::UncleanShutdown;
                events.push(ClusterEvent::BrokerRegistered {
                    broker: *broker_id,
                    epoch: *broker_epoch,
                    clean,
                });
            }
            MetadataRecord::BrokerRegistrationChange {
                broker_id,
                fenced,
                in_controlled_shutdown,
                ..
            } => {
                let broker = *broker_id;
                match (fenced, in_controlled_shutdown, cause) {
                    (Some(false), ..) => events.push(ClusterEvent::BrokerUnfenced { broker }),
                    (Some(true), _, ChangeCause::ControlledShutdown) => {
                        events.push(ClusterEvent::BrokerShutDown { broker });
                    }
                    (Some(true), ..) => {
                        events.push(ClusterEvent::BrokerFenced {
                            broker,
                            silent_ms: self.session_timeout().as_ms(),
                        });
                    }
                    (None, Some(true), _) => {
                        events.push(ClusterEvent::ControlledShutdownStarted { broker })
                    }
                    _ => {}
                }
            }
            MetadataRecord::Topic { name, topic_id } => {
                if let Some(topic) = active.image.topics.get(topic_id) {
                    let replicas =
                        topic.partitions.values().next().map_or(0, |first| first.replicas.len());
                    events.push(ClusterEvent::TopicCreated {
                        topic: name.clone(),
                        partitions: topic.partitions.len() as i32,
                        replication_factor: replicas as i32,
                    });
                }
            }
            MetadataRecord::RemoveTopic { topic_id } => {
                if let Some(topic) = self.image.topics.get(topic_id) {
                    events.push(ClusterEvent::TopicDeleted { topic: topic.name.clone() });
                }
            }
            MetadataRecord::Config { resource_name, name, value, resource_type } => {
                let resource = match (*resource_type, resource_name.as_str()) {
                    (resource_type::BROKER, "") => "the cluster".to_owned(),
                    (resource_type::BROKER, id) => format!("broker {id}"),
                    (_, name) => name.to_owned(),
                };
                events.push(ClusterEvent::ConfigChanged {
                    resource,
                    name: name.clone(),
                    value: value.clone(),
                });
            }
            MetadataRecord::PartitionChange { topic_id, partition_id, .. } => {
                let Some(topic) = self.image.topics.get(topic_id) else { return };
                let Some(before) = topic.partitions.get(partition_id) else { return };
                let mut after = before.clone();
                after.merge(record);
                let partition = TopicPartition::new(topic.name.clone(), *partition_id);
                if after.leader_epoch != before.leader_epoch && after.leader != before.leader {
                    let some = |id: BrokerId| (id >= 0).then_some(id);
                    events.push(ClusterEvent::LeaderChanged {
                        partition: partition.clone(),
                        from: some(before.leader),
                        to: some(after.leader),
                        epoch: after.leader_epoch,
                        cause,
                        clean: before.isr.contains(&after.leader)
                            || before.elr.contains(&after.leader),
                    });
                }
                if after.replicas != before.replicas {
                    events.push(ClusterEvent::ReplicasChanged {
                        partition: partition.clone(),
                        from: before.replicas.clone(),
                        to: after.replicas,
                    });
                }
                let mut members = (before.isr.clone(), after.isr.clone());
                simulation::sorted::sort(&mut members.0);
                simulation::sorted::sort(&mut members.1);
                if members.0 != members.1 {
                    let configs = ConfigurationControl {
                        image: &self.image,
                        node: &self.node,
                        node_id: self.id,
                    };
                    let min_isr = configs.min_insync_replicas(&topic.name) as i32;
                    let (from, to) = (before.isr.clone(), after.isr);
                    events.push(ClusterEvent::IsrChanged { partition, from, to, min_isr, cause });
                }
            }
            _ => {}
        }
    }

    /// Who is behind the start of the log is sent the image.
    fn attach_snapshots(&self, outputs: &mut ControllerOutputs) {
        for (_, response) in &mut outputs.quorum.responses {
            if let Response::FetchMetadata(response) = response
                && response.snapshot_needed
            {
                response.snapshot = Some(MetadataSnapshot {
                    image: self.image.clone().into(),
                    end_offset: self.image_offset,
                    epoch: self.image_epoch,
                });
            }
        }
    }
}

fn not_controller(request: &Request, enveloped: bool) -> Response {
    let error = ApiError::with_default_message(ErrorCode::NotController);
    if enveloped {
        EnvelopeResponse { error_code: error.code(), response: None }.into()
    } else {
        refused(request, &error)
    }
}
