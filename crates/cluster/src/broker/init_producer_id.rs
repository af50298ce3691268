//! InitProducerId (API key 22): ids for idempotent producers, from blocks that the controller hands out.
//! Kafka: `TransactionCoordinator.handleInitProducerId`, `RPCProducerIdManager`. Simplified: no transactional ids.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::controller_channel::Asker;
use super::{KafkaNode, ReplyTo};
use crate::protocol::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, ErrorCode, InitProducerIdRequest,
    InitProducerIdResponse,
};
use crate::world::ProcessContext;

/// How long a block is waited for. Kafka: the producer id manager's channel, 60 s.
const PATIENCE: Micros = Micros::from_ms(60_000);

/// The block of producer ids that this process hands out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProducerIdManager {
    next: i64,
    end: i64,
    asked: bool,
    waiting: VecDeque<ReplyTo>,
}

impl KafkaNode {
    pub(super) fn handle_init_producer_id(
        &mut self,
        reply_to: ReplyTo,
        request: &InitProducerIdRequest,
        context: &mut ProcessContext<'_>,
    ) {
        if request.transactional_id.is_some() {
            return Self::reply(reply_to, refused(ErrorCode::UnsupportedVersion), context);
        }
        self.memory.producer_ids.waiting.push_back(reply_to);
        self.hand_out_producer_ids(context);
    }

    fn hand_out_producer_ids(&mut self, context: &mut ProcessContext<'_>) {
        let manager = &mut self.memory.producer_ids;
        while manager.next < manager.end
            && let Some(reply_to) = manager.waiting.pop_front()
        {
            let producer_id = manager.next;
            manager.next += 1;
            let response =
                InitProducerIdResponse { producer_id, ..InitProducerIdResponse::default() };
            Self::reply(reply_to, response, context);
        }
        if manager.waiting.is_empty() || manager.asked {
            return;
        }
        manager.asked = true;
        let (broker_id, broker_epoch) = self.me();
        let request = AllocateProducerIdsRequest { broker_id, broker_epoch };
        self.ask_controller(Asker::ProducerIds, request.into(), PATIENCE, context);
    }

    pub(super) fn on_producer_ids(
        &mut self,
        response: &AllocateProducerIdsResponse,
        context: &mut ProcessContext<'_>,
    ) {
        if response.error_code != ErrorCode::None.code() {
            return self.on_producer_ids_failure(context);
        }
        let manager = &mut self.memory.producer_ids;
        manager.asked = false;
        manager.next = response.producer_id_start;
        manager.end = response.producer_id_start + i64::from(response.producer_id_len);
        self.hand_out_producer_ids(context);
    }

    /// No block to be had: producers are told to try again.
    pub(super) fn on_producer_ids_failure(&mut self, context: &mut ProcessContext<'_>) {
        self.memory.producer_ids.asked = false;
        for reply_to in std::mem::take(&mut self.memory.producer_ids.waiting) {
            Self::reply(reply_to, refused(ErrorCode::CoordinatorLoadInProgress), context);
        }
    }
}

fn refused(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    }
}
