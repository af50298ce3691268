//! Kafka's clients as actors: one process each, spoken to by commands, answering by notices.
//!
//! A console tool, a lesson's application or a benchmark owns a client: it sends [`ClientCommand`]s (now, in virtual time)
//! and is told [`ClientNotice`]s. The client does what Kafka's Java client does in between: connections, metadata,
//! batching, retries, group membership. (First shape of the actor: the owner of this area replaces it.)

mod api;

use serde::{Deserialize, Serialize};
use simulation::Input;

pub use api::*;

use crate::types::TimestampMs;
use crate::world::{Process, ProcessContext};

/// Timers of a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClientTimer {
    Request(u32),
}

/// A client's process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    spec: ClientSpec,
    epoch_ms: TimestampMs,
}

impl Client {
    pub fn new(spec: ClientSpec, epoch_ms: TimestampMs) -> Self {
        Self { spec, epoch_ms }
    }

    pub fn spec(&self) -> &ClientSpec {
        &self.spec
    }

    pub fn handle(&mut self, _input: Input<Process>, _context: &mut ProcessContext<'_>) {
        let _ = self.epoch_ms;
    }
}
