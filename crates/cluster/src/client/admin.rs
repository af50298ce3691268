//! A client that sends single requests where they belong. Kafka: the node providers and handlers of `KafkaAdminClient`.
//!
//! Retries of a request are its caller's; finding where it goes is done here, within the call's time.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Io;
use super::api::{CallError, ClientCommand, ClientNotice, Destination};
use super::coordinator::CoordinatorLookup;
use super::network::{Completion, Failure};
use crate::protocol::{ErrorCode, MetadataRequest, MetadataRequestTopic, Request, Response};
use crate::types::{BrokerId, TopicPartition};

/// How long to wait before asking again for a leader that is not there.
const LEADER_RETRY: Micros = Micros::from_ms(100);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {
    call: u32,
    to: Destination,
    request: Request,
    deadline: Micros,
    /// Not before this time.
    not_before: Micros,
    /// The request that finds the destination, while it is on its way.
    lookup: Option<u32>,
    /// The leader that was found.
    leader: Option<BrokerId>,
    last_error: i16,
}

/// The state of an admin client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Admin {
    waiting: VecDeque<Call>,
    /// By correlation id.
    sent: SortedMap<u32, u32>,
    coordinators: SortedMap<String, CoordinatorLookup>,
    closing: bool,
}

impl Admin {
    pub fn command(&mut self, command: ClientCommand, io: &mut Io<'_, '_>) {
        match command {
            ClientCommand::Call { call, to, request, timeout_ms } => {
                if let Destination::Coordinator(group) = &to {
                    let lookup = || CoordinatorLookup::new(group.clone());
                    self.coordinators.entry(group.clone()).or_insert_with(lookup);
                }
                let deadline = io.now() + Micros::from_ms(u64::from(timeout_ms));
                self.waiting.push_back(Call {
                    call,
                    to,
                    request,
                    deadline,
                    not_before: Micros::ZERO,
                    lookup: None,
                    leader: None,
                    last_error: 0,
                });
            }
            ClientCommand::Close => self.closing = true,
            _ => {}
        }
    }

    pub fn complete(&mut self, completion: Completion, io: &mut Io<'_, '_>) {
        let Completion { correlation_id, result, .. } = completion;
        if let Some(call) = self.sent.remove(&correlation_id) {
            let result = result.map_err(|failure| match failure {
                Failure::Disconnected => CallError::Disconnected,
                Failure::TimedOut => CallError::TimedOut,
            });
            io.notify(ClientNotice::Response { call, result });
            return;
        }
        let now = io.now();
        if let Some(call) = self.waiting.iter_mut().find(|call| call.lookup == Some(correlation_id))
        {
            call.lookup = None;
            if let (Ok(Response::Metadata(response)), Destination::Leader(partition)) =
                (&result, &call.to)
            {
                (call.leader, call.last_error) = find_leader(response, partition);
            }
            if call.leader.is_none() {
                call.not_before = now + LEADER_RETRY;
            }
            return;
        }
        for lookup in self.coordinators.values_mut() {
            if lookup.complete(correlation_id, &result, io) {
                return;
            }
        }
    }

    /// Sends what can be sent, gives up what took too long.
    pub fn poll(&mut self, io: &mut Io<'_, '_>) {
        let now = io.now();
        let mut still = VecDeque::new();
        for mut call in std::mem::take(&mut self.waiting) {
            if call.deadline <= now {
                let error = match &call.to {
                    Destination::Coordinator(group) => {
                        self.coordinators.get(group).map_or(0, CoordinatorLookup::last_error)
                    }
                    _ => call.last_error,
                };
                let result = Err(CallError::NoDestination(error));
                io.notify(ClientNotice::Response { call: call.call, result });
                continue;
            }
            match self.destination(&mut call, io) {
                Some(node) => {
                    let id = io.request(node, call.request, call.deadline.since(now));
                    self.sent.insert(id, call.call);
                }
                None => still.push_back(call),
            }
        }
        self.waiting = still;
        if self.closing && self.waiting.is_empty() && self.sent.is_empty() {
            io.close();
        }
    }

    /// Where the call goes, once that is known and can be reached.
    fn destination(&mut self, call: &mut Call, io: &mut Io<'_, '_>) -> Option<BrokerId> {
        let now = io.now();
        if call.not_before > now || call.lookup.is_some() {
            return None;
        }
        match &call.to {
            Destination::Any => io.any_ready_node(),
            Destination::Node(node) => Self::known(*node, io),
            Destination::Controller => {
                let controller = io.network.metadata.controller;
                if controller.is_none() {
                    io.network.metadata.request_update(false);
                }
                Self::known(controller?, io)
            }
            Destination::Coordinator(group) => {
                let lookup = self.coordinators.get_mut(group)?;
                let node = lookup.poll(io)?;
                if let Some(known) = Self::known(node, io) {
                    return Some(known);
                }
                // An unreachable coordinator may have moved.
                if io.network.retry_at(node).is_some_and(|at| at > now) {
                    self.coordinators.get_mut(group)?.forget();
                }
                None
            }
            Destination::Leader(partition) => {
                if let Some(leader) = call.leader {
                    let reached = io.network.ready(leader, io.context);
                    if !reached && io.network.retry_at(leader).is_some_and(|at| at > now) {
                        call.leader = None;
                    }
                    return reached.then_some(leader);
                }
                let node = io.any_ready_node()?;
                let topic = MetadataRequestTopic {
                    name: Some(partition.topic.clone()),
                    ..Default::default()
                };
                let request =
                    MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false };
                call.lookup = Some(io.request(node, request.into(), call.deadline.since(now)));
                None
            }
        }
    }

    /// The node if it is known and connected; begins to connect otherwise.
    fn known(node: BrokerId, io: &mut Io<'_, '_>) -> Option<BrokerId> {
        if io.network.metadata.brokers.contains_key(&node) {
            io.network.ready(node, io.context).then_some(node)
        } else {
            io.network.metadata.request_update(false);
            None
        }
    }

    /// When [`Self::poll`] has something to do at the latest.
    pub fn next_wake(&self, io: &Io<'_, '_>) -> Micros {
        let now = io.now();
        let mut wake = Micros::MAX;
        for call in &self.waiting {
            wake = wake.min(call.deadline);
            if call.not_before > now {
                wake = wake.min(call.not_before);
            }
            wake = wake.min(io.network.next_retry(now));
        }
        for lookup in self.coordinators.values() {
            if let Some(at) = lookup.retry_at().filter(|at| *at > now) {
                wake = wake.min(at);
            }
        }
        wake
    }
}

fn find_leader(
    response: &crate::protocol::MetadataResponse,
    partition: &TopicPartition,
) -> (Option<BrokerId>, i16) {
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    let Some(topic) =
        response.topics.iter().find(|topic| topic.name.as_deref() == Some(&partition.topic))
    else {
        return (None, unknown);
    };
    if topic.error_code != 0 {
        return (None, topic.error_code);
    }
    match topic.partitions.iter().find(|p| p.partition_index == partition.partition) {
        None => (None, unknown),
        Some(found) if found.leader_id < 0 => (None, ErrorCode::LeaderNotAvailable.code()),
        Some(found) => (Some(found.leader_id), 0),
    }
}
