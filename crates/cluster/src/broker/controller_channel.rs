//! The way to the active controller: what this broker asks of it, tried again until it is answered or too late.
//!
//! The raft client of the same process knows who the active controller is. A request waits while nobody is, and is sent
//! again where the asked node was not the active one or went away. Kafka: `NodeToControllerChannelManager`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::alter_partition::SentProposals;
use super::outbound::Purpose;
use super::{KafkaNode, KafkaTimer, ReplyTo};
use crate::controller::api_error::ApiError;
use crate::controller::control::refused;
use crate::protocol::{ErrorCode, Listener, Request, Response};
use crate::types::BrokerId;
use crate::world::{ProcessContext, Timer};

/// How long to wait before looking for an active controller again. Kafka: `NodeToControllerRequestThread.doWork`.
const RETRY_INTERVAL: Micros = Micros::from_ms(100);
/// `controller.socket.timeout.ms`
const SOCKET_TIMEOUT: Micros = Micros::from_ms(30_000);

/// Who in this broker waits for the controller's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Asker {
    Registration,
    Heartbeat,
    AlterPartition(SentProposals),
    ProducerIds,
    AutoTopicCreation(Vec<String>),
    /// A client; its request travels in an Envelope.
    Client(ReplyTo),
}

/// One request for the active controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToController {
    pub asker: Asker,
    pub request: Request,
    /// Not sent any more after this.
    expires: Micros,
}

/// Requests that wait for an active controller.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ControllerChannel {
    waiting: VecDeque<ToController>,
}

impl KafkaNode {
    /// Sends `request` to the active controller, or keeps it until there is one, at most for `patience`.
    pub(super) fn ask_controller(
        &mut self,
        asker: Asker,
        request: Request,
        patience: Micros,
        context: &mut ProcessContext<'_>,
    ) {
        let expires = context.now() + patience;
        self.send_to_controller(ToController { asker, request, expires }, context);
    }

    fn send_to_controller(&mut self, item: ToController, context: &mut ProcessContext<'_>) {
        let Some(leader) = self.controller.leader() else {
            return self.wait_for_controller(item, context);
        };
        let timeout = SOCKET_TIMEOUT.min(item.expires.since(context.now()));
        let request = item.request.clone();
        let purpose = Purpose::Controller(Box::new(item));
        self.memory.outbound.send(leader, Listener::Controller, request, purpose, timeout, context);
    }

    fn wait_for_controller(&mut self, item: ToController, context: &mut ProcessContext<'_>) {
        self.memory.channel.waiting.push_back(item);
        let timer = Timer::Kafka(KafkaTimer::ControllerRetry);
        if !context.has_timer(&timer) {
            context.set_timer(timer, context.now() + RETRY_INTERVAL);
        }
    }

    pub(super) fn on_controller_retry(&mut self, context: &mut ProcessContext<'_>) {
        for item in std::mem::take(&mut self.memory.channel.waiting) {
            if item.expires <= context.now() {
                self.on_controller_silent(item, context);
            } else {
                self.send_to_controller(item, context);
            }
        }
    }

    /// The connection broke: the next active controller is asked.
    pub(super) fn on_controller_lost(
        &mut self,
        item: ToController,
        context: &mut ProcessContext<'_>,
    ) {
        self.wait_for_controller(item, context);
    }

    /// The asked node did not answer in time.
    pub(super) fn on_controller_timed_out(
        &mut self,
        item: ToController,
        context: &mut ProcessContext<'_>,
    ) {
        if item.expires <= context.now() {
            self.on_controller_silent(item, context);
        } else {
            self.wait_for_controller(item, context);
        }
    }

    pub(super) fn on_controller_response(
        &mut self,
        item: ToController,
        from: BrokerId,
        response: Response,
        context: &mut ProcessContext<'_>,
    ) {
        let not_controller = ErrorCode::NotController.code();
        let is_refused = match &response {
            Response::Envelope(response) => response.error_code == not_controller,
            Response::BrokerRegistration(response) => response.error_code == not_controller,
            Response::BrokerHeartbeat(response) => response.error_code == not_controller,
            Response::AlterPartition(response) => response.error_code == not_controller,
            Response::AllocateProducerIds(response) => response.error_code == not_controller,
            Response::CreateTopics(response) => {
                response.topics.iter().any(|topic| topic.error_code == not_controller)
            }
            _ => false,
        };
        if is_refused {
            return self.wait_for_controller(item, context);
        }
        match (item.asker, response) {
            (Asker::Registration, Response::BrokerRegistration(response)) => {
                self.on_registration_response(&response, context);
            }
            (Asker::Heartbeat, Response::BrokerHeartbeat(response)) => {
                self.on_heartbeat_response(&response, context);
            }
            (Asker::AlterPartition(sent), Response::AlterPartition(response)) => {
                self.on_alter_partition_response(sent, &response, context);
            }
            (Asker::ProducerIds, Response::AllocateProducerIds(response)) => {
                self.on_producer_ids(&response, context);
            }
            (Asker::AutoTopicCreation(topics), _) => self.on_auto_topics_created(&topics),
            (Asker::Client(reply_to), Response::Envelope(response)) => {
                if let Some(response) = response.response {
                    Self::reply(reply_to, *response, context);
                }
            }
            (asker, response) => {
                debug_assert!(false, "node {from} answered {asker:?} with {}", response.api_name());
            }
        }
    }

    /// Nobody answered in the time there was.
    fn on_controller_silent(&mut self, item: ToController, context: &mut ProcessContext<'_>) {
        match item.asker {
            Asker::Registration | Asker::Heartbeat => self.on_lifecycle_failure(context),
            Asker::AlterPartition(sent) => self.on_alter_partition_failure(sent, context),
            Asker::ProducerIds => self.on_producer_ids_failure(context),
            Asker::AutoTopicCreation(topics) => self.on_auto_topics_created(&topics),
            Asker::Client(reply_to) => {
                if let Request::Envelope(envelope) = item.request
                    && let Some(request) = envelope.request
                {
                    let error = ApiError::with_default_message(ErrorCode::RequestTimedOut);
                    let response = refused(&request, &error);
                    Self::reply(reply_to, response, context);
                }
            }
        }
    }
}
