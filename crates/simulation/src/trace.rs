//! What happened, for observers. Recording changes no event; with nobody watching it costs a branch.

use crate::Micros;
use crate::actor::{Actor, NodeId};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Happening<A: Actor> {
    Started {
        node: NodeId,
    },
    Stopped {
        node: NodeId,
    },
    Paused {
        node: NodeId,
    },
    Resumed {
        node: NodeId,
    },
    /// A message is on its way; `slot` leads to it by [`Simulation::message`](crate::Simulation::message) until the next step.
    /// Both are none where the link is cut. Told only if messages are watched.
    Sent {
        from: NodeId,
        to: NodeId,
        arrives_at: Option<Micros>,
        slot: Option<u32>,
    },
    /// What an actor told of itself.
    Event {
        node: NodeId,
        event: A::Event,
    },
}

/// The happenings since they were last taken.
#[derive(Clone, Debug)]
pub struct Trace<A: Actor> {
    on: bool,
    messages: bool,
    happenings: Vec<(Micros, Happening<A>)>,
}

impl<A: Actor> Trace<A> {
    pub fn off() -> Self {
        Self { on: false, messages: false, happenings: Vec::new() }
    }

    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Switches recording on or off; `messages` adds every message sent.
    pub fn watch(&mut self, on: bool, messages: bool) {
        self.on = on;
        self.messages = on && messages;
        self.happenings.clear();
    }

    pub(crate) fn watches_messages(&self) -> bool {
        self.messages
    }

    pub(crate) fn record(&mut self, at: Micros, happening: impl FnOnce() -> Happening<A>) {
        if self.on {
            self.happenings.push((at, happening()));
        }
    }

    /// What happened since the last call, in order.
    pub fn take(&mut self) -> Vec<(Micros, Happening<A>)> {
        std::mem::take(&mut self.happenings)
    }
}
