//! A Kafka node: broker and controller in one process. (First shape: the owner of this area replaces this file.)

use serde::{Deserialize, Serialize};
use simulation::Input;

use crate::types::BrokerId;
use crate::world::{ClusterSpec, NodeSpec, Process, ProcessContext};

/// Timers of a Kafka node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KafkaTimer {
    Heartbeat,
}

/// One process with the roles `broker,controller`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KafkaNode {
    id: BrokerId,
}

impl KafkaNode {
    pub fn new(_cluster: &ClusterSpec, node: &NodeSpec) -> Self {
        Self { id: node.id }
    }

    pub fn id(&self) -> BrokerId {
        self.id
    }

    pub fn handle(&mut self, _input: Input<Process>, _context: &mut ProcessContext<'_>) {}

    /// Keeps what the disk keeps.
    pub fn stopped(&mut self) {}
}
