//! What a node of the simulation is: plain data that turns an input into outputs.

use crate::sorted::SortedMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::simulation::Effects;
use crate::{Micros, Random};

/// Names a node (a process on a machine of its own) of the simulation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct NodeId(pub u32);

/// Plain data, so that any state can be cloned, kept and sent.
pub trait Data: Clone + Debug + Serialize + DeserializeOwned {}
impl<T: Clone + Debug + Serialize + DeserializeOwned> Data for T {}

/// A sans-IO state machine: it sees one input at a time and says what it wants done.
pub trait Actor: Data {
    /// What crosses links between actors.
    type Message: Data + Payload;
    /// The actor's timers; each has at most one deadline.
    type Timer: Data + Ord;
    /// What the world outside the simulation tells this actor (a person, an application).
    type Command: Data;
    /// What this actor tells the world outside.
    type Notice: Data;
    /// What observers may see; nothing reads it back.
    type Event: Data;

    /// Handles one input; everything it wants done goes through `context`.
    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>);

    /// The process is gone (crash or exit): keep what its disk keeps, forget the rest.
    fn stopped(&mut self);
}

/// How big a message is on a link.
pub trait Payload {
    fn size_bytes(&self) -> u64;
}

/// One thing that happens to an actor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Input<A: Actor> {
    /// The process starts (again).
    Started,
    /// The process is asked to end in good order (SIGTERM).
    Terminate,
    Message {
        from: NodeId,
        message: A::Message,
    },
    Timer(A::Timer),
    DiskDone(DiskToken),
    /// The connection to `peer` is closed or was refused: its process ended or is not there.
    Disconnected {
        peer: NodeId,
    },
    Command(A::Command),
}

/// Names one disk operation until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DiskToken(pub u64);

/// What an actor may know and do while it handles an input.
pub struct Context<'a, A: Actor> {
    pub(crate) now: Micros,
    pub(crate) me: NodeId,
    pub(crate) random: &'a mut Random,
    pub(crate) effects: &'a mut Effects<A>,
    pub(crate) timers: &'a mut SortedMap<A::Timer, u64>,
    pub(crate) tracing: bool,
}

impl<A: Actor> Context<'_, A> {
    pub fn now(&self) -> Micros {
        self.now
    }

    pub fn me(&self) -> NodeId {
        self.me
    }

    /// This node's own stream of random numbers.
    pub fn random(&mut self) -> &mut Random {
        self.random
    }

    /// Sends `message`; it arrives in order after the link's latency, or never where the link is cut.
    pub fn send(&mut self, to: NodeId, message: A::Message) {
        self.effects.push_send(to, message);
    }

    /// Closes the connection to `peer` (which learns of it after the link's latency).
    pub fn disconnect(&mut self, peer: NodeId) {
        self.effects.push_disconnect(peer);
    }

    /// Sets the one deadline of `timer`; setting it again moves it.
    pub fn set_timer(&mut self, timer: A::Timer, at: Micros) {
        let generation = self.effects.next_timer_generation();
        self.timers.insert(timer.clone(), generation);
        self.effects.push_timer(timer, at.max(self.now), generation);
    }

    /// Forgets the deadline of `timer`, if it has one.
    pub fn cancel_timer(&mut self, timer: &A::Timer) {
        self.timers.remove(timer);
    }

    pub fn has_timer(&self, timer: &A::Timer) -> bool {
        self.timers.contains_key(timer)
    }

    /// Writes `bytes` to the node's disk; `Input::DiskDone` follows. With `fsync` it waits for the platter.
    pub fn write_disk(&mut self, bytes: u64, fsync: bool) -> DiskToken {
        self.effects.push_disk(bytes, fsync)
    }

    /// Tells the world outside the simulation.
    pub fn notify(&mut self, notice: A::Notice) {
        self.effects.notices.push(notice);
    }

    /// Tells observers, if there are any; the event is built only then.
    pub fn trace(&mut self, event: impl FnOnce() -> A::Event) {
        if self.tracing {
            self.effects.events.push(event());
        }
    }

    /// Ends this process after this input (a clean exit).
    pub fn exit(&mut self) {
        self.effects.exit = true;
    }
}
