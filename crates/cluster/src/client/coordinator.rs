//! Finds a group's coordinator and remembers it. Kafka: `AbstractCoordinator.lookupCoordinator`, `CoordinatorStrategy`.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Io;
use super::backoff::ExponentialBackoff;
use super::network::Failure;
use crate::protocol::{ErrorCode, FindCoordinatorRequest, NodeEndpoint, Response};
use crate::types::BrokerId;

/// `FindCoordinatorRequest.key_type` of groups.
const GROUP: i8 = 0;
/// `retry.backoff.ms`, `retry.backoff.max.ms`.
const RETRY_BACKOFF: ExponentialBackoff = ExponentialBackoff::from_ms(100, 1_000);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Unknown { retry_at: Micros },
    Asking { correlation_id: u32 },
    Known { node: BrokerId },
}

/// One group's coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoordinatorLookup {
    group: String,
    state: State,
    attempts: u32,
    last_error: i16,
}

impl CoordinatorLookup {
    pub fn new(group: String) -> Self {
        Self { group, state: State::Unknown { retry_at: Micros::ZERO }, attempts: 0, last_error: 0 }
    }

    /// The coordinator, if it is known.
    pub fn node(&self) -> Option<BrokerId> {
        match self.state {
            State::Known { node } => Some(node),
            _ => None,
        }
    }

    /// The error of the last answer; 0 if there was none.
    pub fn last_error(&self) -> i16 {
        self.last_error
    }

    /// When to ask again after a refusal.
    pub fn retry_at(&self) -> Option<Micros> {
        match self.state {
            State::Unknown { retry_at } => Some(retry_at),
            _ => None,
        }
    }

    /// The node said that it is not the coordinator, or is gone: ask again.
    pub fn forget(&mut self) {
        if matches!(self.state, State::Known { .. }) {
            self.state = State::Unknown { retry_at: Micros::ZERO };
        }
    }

    /// The coordinator cannot be reached: ask again, but not before `retry_at`.
    pub fn forget_until(&mut self, retry_at: Micros) {
        self.state = State::Unknown { retry_at };
    }

    /// The coordinator if it is known; asks any node otherwise, when it is time to.
    pub fn poll(&mut self, io: &mut Io<'_, '_>) -> Option<BrokerId> {
        match self.state {
            State::Known { node } => Some(node),
            State::Unknown { retry_at } if retry_at <= io.now() => {
                let node = io.any_ready_node()?;
                let request = FindCoordinatorRequest {
                    key_type: GROUP,
                    coordinator_keys: vec![self.group.clone()],
                };
                let timeout = io.network.config().request_timeout;
                let correlation_id = io.request(node, request.into(), timeout);
                self.state = State::Asking { correlation_id };
                None
            }
            _ => None,
        }
    }

    /// Takes the answer if the request was this one's.
    pub fn complete(
        &mut self,
        correlation_id: u32,
        result: &Result<Response, Failure>,
        io: &mut Io<'_, '_>,
    ) -> bool {
        if !matches!(self.state, State::Asking { correlation_id: asked } if asked == correlation_id)
        {
            return false;
        }
        self.last_error = ErrorCode::CoordinatorNotAvailable.code();
        if let Ok(Response::FindCoordinator(response)) = result
            && let Some(found) = response.coordinators.iter().find(|found| found.key == self.group)
        {
            self.last_error = found.error_code;
            if found.error_code == 0 {
                self.attempts = 0;
                self.state = State::Known { node: found.node_id };
                io.network.metadata.brokers.entry(found.node_id).or_insert_with(|| NodeEndpoint {
                    node_id: found.node_id,
                    host: found.host.clone(),
                    port: found.port,
                    rack: None,
                });
                return true;
            }
        }
        let wait = RETRY_BACKOFF.backoff(self.attempts, io.context.random());
        self.attempts += 1;
        self.state = State::Unknown { retry_at: io.now() + wait };
        true
    }
}
