//! The producer. (First shape: the owner of this area replaces this folder.)

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Io;
use super::api::{ClientCommand, ClientSpec};
use super::network::Completion;

/// The state of a producer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Producer {}

impl Producer {
    pub fn new(_spec: &ClientSpec) -> Self {
        Self {}
    }

    /// What its owner tells it.
    pub fn command(&mut self, command: ClientCommand, io: &mut Io<'_, '_>) {
        if command == ClientCommand::Close {
            io.close();
        }
    }

    /// A request sent by `io.request` has ended.
    pub fn complete(&mut self, _completion: Completion, _io: &mut Io<'_, '_>) {}

    /// Does what can be done now.
    pub fn poll(&mut self, _io: &mut Io<'_, '_>) {}

    /// When `poll` has something to do at the latest, if nothing else happens before.
    pub fn next_wake(&self, _io: &Io<'_, '_>) -> Micros {
        Micros::MAX
    }
}
