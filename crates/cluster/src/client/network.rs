//! Connections of one client: who is asked, what is on its way, what is given up. Kafka: `NetworkClient`, `ClusterConnectionStates`.
//!
//! A connection begins with ApiVersions, as Kafka's does; until that is answered, requests for the node wait.
//! Every request made here ends in exactly one [`Completion`].

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::{Draw, Micros, NodeId};

use super::api::{BootstrapServer, ClientNotice, LogLine};
use super::backoff::ExponentialBackoff;
use super::metadata::Metadata;
use crate::protocol::{
    ApiVersionsRequest, ErrorCode, Listener, Message, MetadataRequest, Request, Response,
};
use crate::types::BrokerId;
use crate::world::{ProcessContext, node_id};

/// Kafka's own clients' `client.software.version`.
const SOFTWARE_VERSION: &str = "4.3.1";
/// A refused connection is known after about a round trip.
const REFUSED_AFTER: Micros = Micros(500);

/// The settings of `CommonClientConfigs` that concern the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkConfig {
    pub client_id: String,
    /// What stands before every log line: `[Producer clientId=console-producer] `.
    pub log_prefix: String,
    /// `request.timeout.ms`
    pub request_timeout: Micros,
    /// `reconnect.backoff.ms`, `reconnect.backoff.max.ms`
    pub reconnect_backoff: ExponentialBackoff,
    /// `socket.connection.setup.timeout.ms`
    pub connection_setup_timeout: Micros,
    /// `max.in.flight.requests.per.connection`
    pub max_in_flight: u32,
    /// Admin clients say nothing of a lost bootstrap broker.
    pub warns_of_bootstrap_loss: bool,
}

/// Why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The connection was refused or is gone.
    Disconnected,
    /// It took too long; the connection is given up with it.
    TimedOut,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// What [`NetworkClient::send`] returned.
    pub correlation_id: u32,
    /// A broker, or -1 downwards for a bootstrap address.
    pub node: BrokerId,
    pub result: Result<Response, Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ConnectionState {
    Disconnected,
    /// ApiVersions is not answered yet.
    Connecting,
    Ready,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Connection {
    state: ConnectionState,
    /// The process behind the address; none refuses.
    peer: Option<NodeId>,
    /// `host/127.0.0.1:port`
    address: String,
    last_attempt: Micros,
    /// No new attempt before this.
    retry_at: Micros,
    failures: u32,
    in_flight: u32,
    /// Requests for when it is ready.
    waiting: VecDeque<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Purpose {
    Handshake,
    Metadata(MetadataRequest),
    Owner,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct InFlight {
    node: BrokerId,
    purpose: Purpose,
    deadline: Micros,
    /// Not sent yet.
    unsent: Option<Request>,
}

/// One client's connections and its metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkClient {
    config: NetworkConfig,
    bootstrap: Vec<BootstrapServer>,
    pub metadata: Metadata,
    connections: SortedMap<BrokerId, Connection>,
    in_flight: SortedMap<u32, InFlight>,
    next_correlation_id: u32,
    metadata_in_flight: bool,
    completions: VecDeque<Completion>,
}

impl NetworkClient {
    pub fn new(config: NetworkConfig, bootstrap: Vec<BootstrapServer>, metadata: Metadata) -> Self {
        Self {
            config,
            bootstrap,
            metadata,
            connections: SortedMap::new(),
            in_flight: SortedMap::new(),
            next_correlation_id: 0,
            metadata_in_flight: false,
            completions: VecDeque::new(),
        }
    }

    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Tells the owner what log4j would print.
    pub fn log(&self, level: &str, text: &str, logger: &str, context: &mut ProcessContext<'_>) {
        context.notify(ClientNotice::Log(LogLine {
            level: level.to_owned(),
            text: format!("{}{text}", self.config.log_prefix),
            logger: logger.to_owned(),
        }));
    }

    fn warn(&self, text: &str, context: &mut ProcessContext<'_>) {
        self.log("WARN", text, "org.apache.kafka.clients.NetworkClient", context);
    }

    /// The nodes to choose from: the brokers, or the bootstrap addresses as -1, -2, ...
    fn nodes(&self) -> Vec<BrokerId> {
        if self.metadata.is_bootstrap() {
            (1..=self.bootstrap.len() as i32).map(|n| -n).collect()
        } else {
            self.metadata.brokers.keys().copied().collect()
        }
    }

    fn endpoint(&self, node: BrokerId) -> Option<(Option<NodeId>, String)> {
        if node < 0 {
            let server = self.bootstrap.get((-1 - node) as usize)?;
            return Some((
                server.node.map(node_id),
                format!("{}/127.0.0.1:{}", server.host, server.port),
            ));
        }
        let known = self.metadata.brokers.get(&node)?;
        Some((Some(node_id(node)), format!("{}/127.0.0.1:{}", known.host, known.port)))
    }

    /// Whether a request can go to the node at once.
    pub fn can_send(&self, node: BrokerId) -> bool {
        self.connections.get(&node).is_some_and(|connection| {
            connection.state == ConnectionState::Ready
                && connection.in_flight < self.config.max_in_flight
        })
    }

    /// Whether a request can go to the node at once; begins to connect if there is no connection. Kafka: `ready`.
    pub fn ready(&mut self, node: BrokerId, context: &mut ProcessContext<'_>) -> bool {
        if self.can_send(node) {
            return true;
        }
        if self.can_connect(node, context.now()) {
            self.connect(node, context);
        }
        false
    }

    /// When a new attempt to reach the node may be made, if it is being waited for.
    pub fn retry_at(&self, node: BrokerId) -> Option<Micros> {
        self.connections
            .get(&node)
            .filter(|connection| connection.state == ConnectionState::Disconnected)
            .map(|connection| connection.retry_at)
    }

    fn can_connect(&self, node: BrokerId, now: Micros) -> bool {
        match self.connections.get(&node) {
            None => self.endpoint(node).is_some(),
            Some(connection) => {
                connection.state == ConnectionState::Disconnected && now >= connection.retry_at
            }
        }
    }

    fn connect(&mut self, node: BrokerId, context: &mut ProcessContext<'_>) {
        let Some((peer, address)) = self.endpoint(node) else { return };
        let now = context.now();
        let connection = self.connections.entry(node).or_insert_with(|| Connection {
            state: ConnectionState::Disconnected,
            peer,
            address: String::new(),
            last_attempt: now,
            retry_at: now,
            failures: 0,
            in_flight: 0,
            waiting: VecDeque::new(),
        });
        connection.state = ConnectionState::Connecting;
        connection.peer = peer;
        connection.address = address;
        connection.last_attempt = now;
        let request: Request = ApiVersionsRequest {
            client_software_name: "apache-kafka-java".to_owned(),
            client_software_version: SOFTWARE_VERSION.to_owned(),
        }
        .into();
        let timeout = self.config.connection_setup_timeout.min(self.config.request_timeout);
        // Where nobody listens, nothing is sent and the refusal follows.
        let deadline = now + if peer.is_some() { timeout } else { REFUSED_AFTER };
        let id = self.track(node, Purpose::Handshake, deadline, None);
        if peer.is_some() {
            self.transmit(id, node, request, context);
        }
    }

    fn track(
        &mut self,
        node: BrokerId,
        purpose: Purpose,
        deadline: Micros,
        unsent: Option<Request>,
    ) -> u32 {
        let id = self.next_correlation_id;
        self.next_correlation_id = (self.next_correlation_id + 1) & 0x7fff_ffff;
        self.in_flight.insert(id, InFlight { node, purpose, deadline, unsent });
        id
    }

    fn transmit(
        &mut self,
        id: u32,
        node: BrokerId,
        request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&node) else { return };
        connection.in_flight += 1;
        if let Some(peer) = connection.peer {
            let client_id = self.config.client_id.clone();
            let message = Message::Request {
                correlation_id: id,
                client_id,
                listener: Listener::Broker,
                request,
            };
            context.send(peer, message);
        }
    }

    /// Sends a request, or keeps it until the node is connected; an unreachable node ends it as disconnected.
    /// `timeout` counts from now.
    pub fn send(
        &mut self,
        node: BrokerId,
        request: Request,
        timeout: Micros,
        context: &mut ProcessContext<'_>,
    ) -> u32 {
        self.submit(node, request, Purpose::Owner, timeout, context)
    }

    fn submit(
        &mut self,
        node: BrokerId,
        request: Request,
        purpose: Purpose,
        timeout: Micros,
        context: &mut ProcessContext<'_>,
    ) -> u32 {
        let deadline = context.now() + timeout;
        if self.can_connect(node, context.now()) {
            self.connect(node, context);
        }
        match self.connections.get(&node).map(|connection| connection.state) {
            Some(ConnectionState::Ready) => {
                let id = self.track(node, purpose, deadline, None);
                self.transmit(id, node, request, context);
                id
            }
            Some(ConnectionState::Connecting) => {
                let id = self.track(node, purpose, deadline, Some(request));
                if let Some(connection) = self.connections.get_mut(&node) {
                    connection.waiting.push_back(id);
                }
                id
            }
            Some(ConnectionState::Disconnected) | None => {
                let id = self.track(node, purpose, deadline, None);
                self.finish(id, Err(Failure::Disconnected), context);
                id
            }
        }
    }

    /// Sends a request that is never answered (Produce with acks=0).
    pub fn send_oneway(
        &mut self,
        node: BrokerId,
        request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        let id = self.next_correlation_id;
        self.next_correlation_id = (self.next_correlation_id + 1) & 0x7fff_ffff;
        if let Some(peer) = self.connections.get(&node).and_then(|connection| connection.peer) {
            let client_id = self.config.client_id.clone();
            let message = Message::Request {
                correlation_id: id,
                client_id,
                listener: Listener::Broker,
                request,
            };
            context.send(peer, message);
        }
    }

    /// How many requests are on their way to a node.
    pub fn in_flight_count(&self, node: BrokerId) -> u32 {
        self.connections.get(&node).map_or(0, |connection| connection.in_flight)
    }

    /// The node that will answer soonest: connected and idle, else connecting, else any that can be tried. Kafka: `leastLoadedNode`.
    pub fn least_loaded_node(&self, context: &mut ProcessContext<'_>) -> Option<BrokerId> {
        let now = context.now();
        let nodes = self.nodes();
        if nodes.is_empty() {
            return None;
        }
        let offset = context.random().next_int(nodes.len() as u32) as usize;
        let mut ready: Option<(u32, BrokerId)> = None;
        let mut connecting = None;
        let mut connectable: Option<(Micros, BrokerId)> = None;
        for n in 0..nodes.len() {
            let node = nodes[(offset + n) % nodes.len()];
            if self.can_send(node) {
                let load = self.in_flight_count(node);
                if load == 0 {
                    return Some(node);
                }
                if ready.is_none_or(|(least, _)| load < least) {
                    ready = Some((load, node));
                }
            } else if self
                .connections
                .get(&node)
                .is_some_and(|c| c.state == ConnectionState::Connecting)
            {
                connecting = Some(node);
            } else if self.can_connect(node, now) {
                let last = self.connections.get(&node).map_or(Micros::ZERO, |c| c.last_attempt);
                if connectable.is_none_or(|(earliest, _)| last < earliest) {
                    connectable = Some((last, node));
                }
            }
        }
        ready.map(|(_, node)| node).or(connecting).or(connectable.map(|(_, node)| node))
    }

    /// A response has come. One that nobody waits for any more is dropped.
    pub fn on_response(
        &mut self,
        correlation_id: u32,
        response: Response,
        context: &mut ProcessContext<'_>,
    ) {
        self.finish(correlation_id, Ok(response), context);
    }

    /// The process behind some connections is gone.
    pub fn on_disconnected(&mut self, peer: NodeId, context: &mut ProcessContext<'_>) {
        let lost: Vec<BrokerId> = self
            .connections
            .iter()
            .filter(|(_, c)| c.peer == Some(peer) && c.state != ConnectionState::Disconnected)
            .map(|(node, _)| *node)
            .collect();
        for node in lost {
            self.drop_connection(node, true, context);
        }
    }

    /// Closes the connection on this side; what is on its way there ends as disconnected.
    pub fn disconnect(&mut self, node: BrokerId, context: &mut ProcessContext<'_>) {
        self.drop_connection(node, false, context);
    }

    fn drop_connection(&mut self, node: BrokerId, by_peer: bool, context: &mut ProcessContext<'_>) {
        let now = context.now();
        let Some(connection) = self.connections.get_mut(&node) else { return };
        let was = connection.state;
        if was == ConnectionState::Disconnected {
            return;
        }
        connection.state = ConnectionState::Disconnected;
        connection.in_flight = 0;
        connection.waiting.clear();
        let wait = self.config.reconnect_backoff.backoff(connection.failures, context.random());
        connection.retry_at = now + wait;
        connection.failures += 1;
        let (address, peer) = (connection.address.clone(), connection.peer);
        if !by_peer
            && let Some(peer) = peer
            && !self
                .connections
                .values()
                .any(|c| c.peer == Some(peer) && c.state != ConnectionState::Disconnected)
        {
            context.disconnect(peer);
        }
        if by_peer && was == ConnectionState::Connecting {
            self.warn(
                &format!("Connection to node {node} ({address}) could not be established. Node may not be available."),
                context,
            );
        }
        if node < 0
            && self.metadata.is_bootstrap()
            && self.config.warns_of_bootstrap_loss
            && let Some(server) = self.bootstrap.get((-1 - node) as usize)
        {
            let (host, port) = (&server.host, server.port);
            self.warn(
                &format!("Bootstrap broker {host}:{port} (id: {node} rack: null isFenced: false) disconnected"),
                context,
            );
        }
        let lost: Vec<u32> =
            self.in_flight.iter().filter(|(_, f)| f.node == node).map(|(id, _)| *id).collect();
        for id in lost {
            self.finish(id, Err(Failure::Disconnected), context);
        }
        self.metadata.request_update(false);
    }

    fn finish(
        &mut self,
        id: u32,
        result: Result<Response, Failure>,
        context: &mut ProcessContext<'_>,
    ) {
        let Some(request) = self.in_flight.remove(&id) else { return };
        let node = request.node;
        if result.is_ok()
            && let Some(connection) = self.connections.get_mut(&node)
        {
            connection.in_flight = connection.in_flight.saturating_sub(1);
        }
        match request.purpose {
            Purpose::Handshake => {
                if result.is_ok() {
                    self.connected(node, context);
                }
            }
            Purpose::Metadata(asked) => {
                self.metadata_in_flight = false;
                match result {
                    Ok(Response::Metadata(response)) => {
                        let text = topic_errors(&response.topics);
                        if !text.is_empty() {
                            self.warn(
                                &format!(
                                    "The metadata response from the cluster reported a recoverable issue with correlation id {id} : {{{text}}}"
                                ),
                                context,
                            );
                        }
                        let invalid = Metadata::invalid_topics(&response);
                        if !invalid.is_empty() {
                            let text = format!(
                                "Metadata response reported invalid topics [{}]",
                                invalid.join(", ")
                            );
                            self.log("ERROR", &text, "org.apache.kafka.clients.Metadata", context);
                        }
                        // A broker that knows of no broker has not caught up: not to be believed.
                        if response.brokers.is_empty() {
                            self.metadata.failed(context.now(), context.random());
                        } else {
                            let now = context.now();
                            self.metadata.update(&asked, &response, now, context.random());
                        }
                    }
                    _ => self.metadata.failed(context.now(), context.random()),
                }
            }
            Purpose::Owner => {
                self.completions.push_back(Completion { correlation_id: id, node, result });
            }
        }
    }

    fn connected(&mut self, node: BrokerId, context: &mut ProcessContext<'_>) {
        let Some(connection) = self.connections.get_mut(&node) else { return };
        connection.state = ConnectionState::Ready;
        connection.failures = 0;
        for id in std::mem::take(&mut connection.waiting) {
            let request = self.in_flight.get_mut(&id).and_then(|request| request.unsent.take());
            if let Some(request) = request {
                self.transmit(id, node, request, context);
            }
        }
    }

    /// Gives up what took too long, and asks for metadata if that is due.
    pub fn poll(&mut self, context: &mut ProcessContext<'_>) {
        let now = context.now();
        let late: Vec<u32> =
            self.in_flight.iter().filter(|(_, f)| f.deadline <= now).map(|(id, _)| *id).collect();
        for id in late {
            let Some(request) = self.in_flight.get(&id) else { continue };
            let node = request.node;
            let refused = matches!(request.purpose, Purpose::Handshake)
                && self.connections.get(&node).is_some_and(|c| c.peer.is_none());
            self.finish(id, Err(Failure::TimedOut), context);
            self.drop_connection(node, refused, context);
        }
        self.poll_metadata(context);
    }

    fn poll_metadata(&mut self, context: &mut ProcessContext<'_>) {
        if self.metadata_in_flight || self.metadata.next_update() > context.now() {
            return;
        }
        let mut node = self.least_loaded_node(context);
        // No known broker can be reached: back to the bootstrap addresses.
        if node.is_none() && !self.metadata.is_bootstrap() {
            self.metadata.rebootstrap();
            node = self.least_loaded_node(context);
        }
        let Some(node) = node else { return };
        if self.ready(node, context) {
            let request = self.metadata.request();
            let timeout = self.config.request_timeout;
            self.metadata_in_flight = true;
            self.submit(node, request.clone().into(), Purpose::Metadata(request), timeout, context);
        }
    }

    /// What has ended since the last call, in order.
    pub fn next_completion(&mut self) -> Option<Completion> {
        self.completions.pop_front()
    }

    pub fn has_completions(&self) -> bool {
        !self.completions.is_empty()
    }

    /// When the next attempt to reach a lost node may be made.
    pub fn next_retry(&self, now: Micros) -> Micros {
        let lost = self.connections.values().filter(|c| c.state == ConnectionState::Disconnected);
        lost.map(|c| c.retry_at).filter(|at| *at > now).min().unwrap_or(Micros::MAX)
    }

    /// When [`Self::poll`] has something to do at the latest.
    pub fn next_wake(&self, now: Micros) -> Micros {
        let mut wake =
            self.in_flight.values().map(|request| request.deadline).min().unwrap_or(Micros::MAX);
        if !self.metadata_in_flight {
            let due = self.metadata.next_update();
            if due > now {
                wake = wake.min(due);
            } else {
                // Due, but nobody could be asked: when the first node may be tried again.
                wake = wake.min(self.next_retry(now));
            }
        }
        wake
    }
}

/// `orders=UNKNOWN_TOPIC_OR_PARTITION, bad name=INVALID_TOPIC_EXCEPTION`
fn topic_errors(topics: &[crate::protocol::MetadataResponseTopic]) -> String {
    let errors: Vec<String> = topics
        .iter()
        .filter(|topic| topic.error_code != 0)
        .map(|topic| {
            format!(
                "{}={}",
                topic.name.as_deref().unwrap_or("null"),
                ErrorCode::from_code(topic.error_code).name()
            )
        })
        .collect();
    errors.join(", ")
}
