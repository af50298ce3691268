//! Kafka's clients as actors: one process each, spoken to by commands, answering by notices.
//!
//! A console tool, a lesson's application or a benchmark owns a client: it sends [`ClientCommand`]s (now, in virtual time)
//! and is told [`ClientNotice`]s. The client does what Kafka's Java client does in between: connections, metadata,
//! batching, retries, group membership.
//!
//! # Where to start
//! - [`network`] is what all kinds share: connections, time-outs, metadata.
//! - [`producer`], [`consumer`] and [`admin`] are the kinds; each has `command`, `complete`, `poll`, `next_wake`.
//!
//! After every input the client polls its kind and its network until neither has anything left to do now, and
//! sets one timer for the earliest moment at which one of them will.

pub mod admin;
mod api;
pub mod assignor;
pub mod backoff;
pub mod consumer;
pub mod coordinator;
pub mod metadata;
pub mod murmur2;
pub mod network;
pub mod partitioner;
pub mod producer;

use serde::{Deserialize, Serialize};
use simulation::{Input, Micros};

pub use api::*;

use admin::Admin;
use backoff::ExponentialBackoff;
use consumer::Consumer;
use metadata::{Interest, Metadata};
use network::{NetworkClient, NetworkConfig};
use producer::Producer;

use crate::protocol::{Message, Request};
use crate::types::{BrokerId, TimestampMs};
use crate::world::{Process, ProcessContext, Timer, wall_clock_ms};

/// Timers of a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClientTimer {
    /// The earliest moment at which something is due.
    Wake,
}

/// A client's surroundings during one input.
pub struct Io<'a, 'b> {
    pub network: &'a mut NetworkClient,
    pub context: &'a mut ProcessContext<'b>,
    epoch_ms: TimestampMs,
    closed: &'a mut bool,
}

impl Io<'_, '_> {
    pub fn now(&self) -> Micros {
        self.context.now()
    }

    /// Milliseconds since 1970.
    pub fn wall_clock_ms(&self) -> TimestampMs {
        wall_clock_ms(self.epoch_ms, self.now())
    }

    /// Tells the owner.
    pub fn notify(&mut self, notice: ClientNotice) {
        self.context.notify(notice);
    }

    /// Tells the owner what log4j would print; the client's prefix is put in front.
    pub fn log(&mut self, level: &str, text: &str, logger: &str) {
        self.network.log(level, text, logger, self.context);
    }

    /// Sends a request; a [`network::Completion`] with the returned correlation id follows, always.
    pub fn request(&mut self, node: BrokerId, request: Request, timeout: Micros) -> u32 {
        self.network.send(node, request, timeout, self.context)
    }

    /// The least loaded node, if it is connected; begins to connect otherwise.
    pub fn any_ready_node(&mut self) -> Option<BrokerId> {
        let node = self.network.least_loaded_node(self.context)?;
        self.network.ready(node, self.context).then_some(node)
    }

    /// Everything is done: tells the owner, and the process ends.
    pub fn close(&mut self) {
        *self.closed = true;
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Kind {
    Admin(Box<Admin>),
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
}

/// A client's process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    spec: ClientSpec,
    epoch_ms: TimestampMs,
    network: NetworkClient,
    kind: Kind,
    closed: bool,
    /// When the timer is set for.
    wake_at: Option<Micros>,
}

impl Client {
    pub fn new(spec: ClientSpec, epoch_ms: TimestampMs) -> Self {
        let network = network_client(&spec);
        let kind = match spec.kind {
            ClientKind::Admin => Kind::Admin(Box::default()),
            ClientKind::Producer => Kind::Producer(Box::new(Producer::new(&spec))),
            ClientKind::Consumer => Kind::Consumer(Box::new(Consumer::new(&spec))),
        };
        Self { spec, epoch_ms, network, kind, closed: false, wake_at: None }
    }

    pub fn spec(&self) -> &ClientSpec {
        &self.spec
    }

    pub fn network(&self) -> &NetworkClient {
        &self.network
    }

    /// The producer, if it is one: for observers.
    pub fn producer(&self) -> Option<&Producer> {
        match &self.kind {
            Kind::Producer(producer) => Some(producer),
            _ => None,
        }
    }

    /// The consumer, if it is one: for observers.
    pub fn consumer(&self) -> Option<&Consumer> {
        match &self.kind {
            Kind::Consumer(consumer) => Some(consumer),
            _ => None,
        }
    }

    pub fn handle(&mut self, input: Input<Process>, context: &mut ProcessContext<'_>) {
        if self.closed {
            return;
        }
        let mut command = None;
        match input {
            Input::Message { message: Message::Response { correlation_id, response }, .. } => {
                self.network.on_response(correlation_id, response, context);
            }
            Input::Disconnected { peer } => self.network.on_disconnected(peer, context),
            Input::Timer(_) => self.wake_at = None,
            Input::Command(told) => command = Some(told),
            Input::Terminate => command = Some(ClientCommand::Close),
            Input::Started | Input::Message { .. } | Input::DiskDone(_) => {}
        }
        let mut io = Io {
            network: &mut self.network,
            context,
            epoch_ms: self.epoch_ms,
            closed: &mut self.closed,
        };
        // A client whose settings are refused never contacts anybody.
        if let Kind::Producer(producer) = &mut self.kind
            && producer.is_refused()
        {
            producer.poll(&mut io);
            if command == Some(ClientCommand::Close) {
                self.closed = true;
                context.notify(ClientNotice::Closed);
                context.exit();
            }
            return;
        }
        if let Some(command) = command {
            match &mut self.kind {
                Kind::Admin(admin) => admin.command(command, &mut io),
                Kind::Producer(producer) => producer.command(command, &mut io),
                Kind::Consumer(consumer) => consumer.command(command, &mut io),
            }
        }
        io.network.poll(io.context);
        loop {
            while let Some(completion) = io.network.next_completion() {
                match &mut self.kind {
                    Kind::Admin(admin) => admin.complete(completion, &mut io),
                    Kind::Producer(producer) => producer.complete(completion, &mut io),
                    Kind::Consumer(consumer) => consumer.complete(completion, &mut io),
                }
            }
            match &mut self.kind {
                Kind::Admin(admin) => admin.poll(&mut io),
                Kind::Producer(producer) => producer.poll(&mut io),
                Kind::Consumer(consumer) => consumer.poll(&mut io),
            }
            io.network.poll(io.context);
            if !io.network.has_completions() {
                break;
            }
        }
        let kind_wake = match &self.kind {
            Kind::Admin(admin) => admin.next_wake(&io),
            Kind::Producer(producer) => producer.next_wake(&io),
            Kind::Consumer(consumer) => consumer.next_wake(&io),
        };
        if self.closed {
            context.notify(ClientNotice::Closed);
            context.exit();
            return;
        }
        let wake = kind_wake.min(self.network.next_wake(context.now()));
        if wake < Micros::MAX && self.wake_at.is_none_or(|set| wake < set) {
            self.wake_at = Some(wake);
            context.set_timer(Timer::Client(ClientTimer::Wake), wake);
        }
    }
}

/// A whole number among a client's settings. What cannot be read is refused when the client is configured, not here.
fn setting(spec: &ClientSpec, name: &str, default: u64) -> u64 {
    let set = spec.config.iter().rev().find(|(key, _)| key == name);
    set.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(default)
}

fn network_client(spec: &ClientSpec) -> NetworkClient {
    let ms = |name, default| Micros::from_ms(setting(spec, name, default));
    let client_id = &spec.client_id;
    let text = |name: &str| {
        spec.config.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let log_prefix = match spec.kind {
        ClientKind::Admin => format!("[AdminClient clientId={client_id}] "),
        ClientKind::Producer => match text("transactional.id") {
            Some(id) => format!("[Producer clientId={client_id}, transactionalId={id}] "),
            None => format!("[Producer clientId={client_id}] "),
        },
        ClientKind::Consumer => match (text("group.instance.id"), text("group.id")) {
            (Some(instance), Some(group)) => {
                format!("[Consumer instanceId={instance}, clientId={client_id}, groupId={group}] ")
            }
            (_, group) => {
                format!("[Consumer clientId={client_id}, groupId={}] ", group.unwrap_or("null"))
            }
        },
    };
    let config = NetworkConfig {
        client_id: client_id.clone(),
        log_prefix,
        request_timeout: ms("request.timeout.ms", 30_000),
        reconnect_backoff: ExponentialBackoff {
            initial: ms("reconnect.backoff.ms", 50),
            max: ms("reconnect.backoff.max.ms", 1_000),
        },
        connection_setup_timeout: ms("socket.connection.setup.timeout.ms", 10_000),
        // Admin clients and consumers do not limit it. Kafka: `KafkaAdminClient`, `ClientUtils.createNetworkClient`.
        max_in_flight: match spec.kind {
            ClientKind::Producer => {
                setting(spec, "max.in.flight.requests.per.connection", 5) as u32
            }
            ClientKind::Admin => 1,
            ClientKind::Consumer => 100,
        },
        warns_of_bootstrap_loss: spec.kind != ClientKind::Admin,
    };
    let interest = match spec.kind {
        ClientKind::Admin => Interest::BrokersOnly,
        _ => Interest::Topics(Default::default()),
    };
    let backoff = ExponentialBackoff {
        initial: ms("retry.backoff.ms", 100),
        max: ms("retry.backoff.max.ms", 1_000),
    };
    let metadata = Metadata::new(interest, ms("metadata.max.age.ms", 300_000), backoff);
    NetworkClient::new(config, spec.bootstrap.clone(), metadata)
}
