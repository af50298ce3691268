//! Requests that only the active controller can decide: passed on to it, and its answer passed back.
//! Kafka: `ForwardingManager`, `EnvelopeUtils`.

use simulation::Micros;

use super::controller_channel::Asker;
use super::{KafkaNode, ReplyTo};
use crate::protocol::{EnvelopeRequest, Request};
use crate::world::ProcessContext;

/// How long a forwarded request waits for an active controller. Kafka: `BrokerServer`, 60 s.
const PATIENCE: Micros = Micros::from_ms(60_000);

/// Whether the API is the controller's.
pub fn is_forwarded(request: &Request) -> bool {
    matches!(
        request,
        Request::CreateTopics(_)
            | Request::DeleteTopics(_)
            | Request::CreatePartitions(_)
            | Request::ElectLeaders(_)
            | Request::AlterPartitionReassignments(_)
            | Request::ListPartitionReassignments(_)
            | Request::DescribeQuorum(_)
            | Request::UnregisterBroker(_)
    )
}

impl KafkaNode {
    pub(super) fn forward(
        &mut self,
        reply_to: ReplyTo,
        client_id: String,
        request: Request,
        context: &mut ProcessContext<'_>,
    ) {
        let envelope = EnvelopeRequest { request: Some(Box::new(request)), client_id };
        self.ask_controller(Asker::Client(reply_to), envelope.into(), PATIENCE, context);
    }
}
