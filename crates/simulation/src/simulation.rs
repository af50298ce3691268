//! The loop: pop one event, hand it to one actor, apply what it wants done.

use std::collections::VecDeque;
use std::fmt;

use crate::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Context, DiskToken, Input, NodeId, Payload};
use crate::disk::Disk;
use crate::network::Network;
use crate::schedule::Schedule;
use crate::trace::{Happening, Trace};
use crate::{Micros, Random};

/// Whether a process runs, is frozen (SIGSTOP), or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessState {
    Running,
    Paused,
    Down,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Node<A: Actor> {
    actor: A,
    state: ProcessState,
    /// Counts the process's lives: what was meant for an earlier one is dropped.
    life: u32,
    random: Random,
    disk: Disk,
    timers: SortedMap<A::Timer, u64>,
    /// What arrived while the process was paused, in order.
    backlog: VecDeque<Input<A>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
enum Event<A: Actor> {
    Arrival(u32),
    Timer { node: NodeId, timer: A::Timer, generation: u64 },
    DiskDone { node: NodeId, life: u32, token: DiskToken },
    Disconnected { node: NodeId, life: u32, peer: NodeId },
}

/// A message on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct InFlight<A: Actor> {
    pub from: NodeId,
    pub to: NodeId,
    pub sent_at: Micros,
    pub arrives_at: Micros,
    pub message: A::Message,
    from_life: u32,
    to_life: u32,
}

/// What an actor asked for during one input.
pub struct Effects<A: Actor> {
    actions: Vec<Action<A>>,
    pub(crate) notices: Vec<A::Notice>,
    pub(crate) events: Vec<A::Event>,
    pub(crate) exit: bool,
    timer_generation: u64,
    disk_token: u64,
}

enum Action<A: Actor> {
    Send { to: NodeId, message: A::Message },
    Disconnect { peer: NodeId },
    Timer { timer: A::Timer, at: Micros, generation: u64 },
    Disk { bytes: u64, fsync: bool, token: DiskToken },
}

/// An emptied list of actions, kept so that not every event allocates one. No state: a copy begins without it.
struct Scratch<A: Actor>(Vec<Action<A>>);

impl<A: Actor> Default for Scratch<A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<A: Actor> Clone for Scratch<A> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<A: Actor> fmt::Debug for Scratch<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

impl<A: Actor> Effects<A> {
    pub(crate) fn push_send(&mut self, to: NodeId, message: A::Message) {
        self.actions.push(Action::Send { to, message });
    }
    pub(crate) fn push_disconnect(&mut self, peer: NodeId) {
        self.actions.push(Action::Disconnect { peer });
    }
    pub(crate) fn push_timer(&mut self, timer: A::Timer, at: Micros, generation: u64) {
        self.actions.push(Action::Timer { timer, at, generation });
    }
    pub(crate) fn push_disk(&mut self, bytes: u64, fsync: bool) -> DiskToken {
        self.disk_token += 1;
        let token = DiskToken(self.disk_token);
        self.actions.push(Action::Disk { bytes, fsync, token });
        token
    }
    pub(crate) fn next_timer_generation(&mut self) -> u64 {
        self.timer_generation += 1;
        self.timer_generation
    }
}

/// A whole world: its clock, its queue, its nodes and links. Cloning it is a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Simulation<A: Actor> {
    now: Micros,
    seed: u64,
    steps: u64,
    schedule: Schedule<Event<A>>,
    nodes: SortedMap<NodeId, Node<A>>,
    network: Network,
    /// The links' own stream, so that jitter does not shift the nodes' draws.
    link_random: Random,
    /// Messages on their way; a slot is used again when it is free.
    in_flight: Vec<Option<InFlight<A>>>,
    free_slots: Vec<u32>,
    timer_generation: u64,
    disk_token: u64,
    notices: VecDeque<(NodeId, A::Notice)>,
    #[serde(skip, default = "Trace::off")]
    trace: Trace<A>,
    #[serde(skip)]
    scratch: Scratch<A>,
}

impl<A: Actor> Simulation<A> {
    pub fn new(seed: u64) -> Self {
        Self {
            now: Micros::ZERO,
            seed,
            steps: 0,
            schedule: Schedule::default(),
            nodes: SortedMap::new(),
            network: Network::default(),
            link_random: Random::stream(seed, u64::MAX - 1),
            in_flight: Vec::new(),
            free_slots: Vec::new(),
            timer_generation: 0,
            disk_token: 0,
            notices: VecDeque::new(),
            trace: Trace::off(),
            scratch: Scratch::default(),
        }
    }

    pub fn now(&self) -> Micros {
        self.now
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many events have happened.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    pub fn disk_mut(&mut self, node: NodeId) -> Option<&mut Disk> {
        self.nodes.get_mut(&node).map(|node| &mut node.disk)
    }

    pub fn trace_mut(&mut self) -> &mut Trace<A> {
        &mut self.trace
    }

    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.keys().copied()
    }

    pub fn actor(&self, node: NodeId) -> Option<&A> {
        self.nodes.get(&node).map(|node| &node.actor)
    }

    pub fn state(&self, node: NodeId) -> Option<ProcessState> {
        self.nodes.get(&node).map(|node| node.state)
    }

    /// Messages on their way, in no particular order of time.
    pub fn in_flight(&self) -> impl Iterator<Item = &InFlight<A>> + '_ {
        self.in_flight.iter().flatten()
    }

    /// The time of the next event.
    pub fn next_time(&self) -> Option<Micros> {
        self.schedule.next_time()
    }

    /// Adds a node whose process is down; `start` starts it.
    pub fn add(&mut self, id: NodeId, actor: A) {
        let node = Node {
            actor,
            state: ProcessState::Down,
            life: 0,
            random: Random::stream(self.seed, u64::from(id.0)),
            disk: Disk::default(),
            timers: SortedMap::new(),
            backlog: VecDeque::new(),
        };
        assert!(self.nodes.insert(id, node).is_none(), "node {} exists", id.0);
    }

    /// Removes a node for good; its process is ended first.
    pub fn remove(&mut self, id: NodeId) {
        self.kill(id);
        self.nodes.remove(&id);
        self.network.forget(id);
    }

    /// Starts the process, if it is down.
    pub fn start(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if node.state == ProcessState::Down {
            node.state = ProcessState::Running;
            node.life += 1;
            self.trace.record(self.now, || Happening::Started { node: id });
            self.deliver(id, Input::Started);
        }
    }

    /// Ends the process at once (SIGKILL): connections break, volatile state is gone.
    pub fn kill(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if node.state == ProcessState::Down {
            return;
        }
        node.state = ProcessState::Down;
        node.timers.clear();
        node.backlog.clear();
        node.actor.stopped();
        self.trace.record(self.now, || Happening::Stopped { node: id });
        for peer in self.network.close_all(id) {
            self.announce_disconnect(id, peer);
        }
    }

    /// Freezes the process (SIGSTOP): its connections stay open and nothing is answered.
    pub fn pause(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id)
            && node.state == ProcessState::Running
        {
            node.state = ProcessState::Paused;
            self.trace.record(self.now, || Happening::Paused { node: id });
        }
    }

    /// Lets a paused process go on (SIGCONT); what waited is handled in its order of arrival.
    pub fn resume(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if node.state != ProcessState::Paused {
            return;
        }
        node.state = ProcessState::Running;
        let backlog = std::mem::take(&mut node.backlog);
        self.trace.record(self.now, || Happening::Resumed { node: id });
        for input in backlog {
            self.deliver(id, input);
        }
    }

    /// Tells a process something from outside the simulation, now.
    pub fn command(&mut self, id: NodeId, command: A::Command) {
        self.deliver(id, Input::Command(command));
    }

    /// Asks a process to end in good order (SIGTERM).
    pub fn terminate(&mut self, id: NodeId) {
        self.deliver(id, Input::Terminate);
    }

    /// What actors have told the world outside since the last call, in order.
    pub fn take_notice(&mut self) -> Option<(NodeId, A::Notice)> {
        self.notices.pop_front()
    }

    /// Lets time pass without an event; never past the next one.
    pub fn advance_to(&mut self, time: Micros) {
        let limit = self.schedule.next_time().unwrap_or(Micros::MAX);
        self.now = self.now.max(time.min(limit));
    }

    /// Lets the next event happen. False if there is none.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.schedule.pop() else { return false };
        self.now = self.now.max(at);
        self.steps += 1;
        match event {
            Event::Arrival(slot) => self.arrive(slot),
            Event::Timer { node, timer, generation } => {
                let Some(state) = self.nodes.get_mut(&node) else { return true };
                // A timer that was moved, cancelled or lost with its process has another generation.
                if state.timers.get(&timer) == Some(&generation) {
                    state.timers.remove(&timer);
                    self.deliver(node, Input::Timer(timer));
                }
            }
            Event::DiskDone { node, life, token } => {
                if self.alive(node, life) {
                    self.deliver(node, Input::DiskDone(token));
                }
            }
            Event::Disconnected { node, life, peer } => {
                if self.alive(node, life) {
                    self.deliver(node, Input::Disconnected { peer });
                }
            }
        }
        true
    }

    fn alive(&self, node: NodeId, life: u32) -> bool {
        self.nodes
            .get(&node)
            .is_some_and(|node| node.life == life && node.state != ProcessState::Down)
    }

    fn arrive(&mut self, slot: u32) {
        let message = self.in_flight[slot as usize].take().expect("a message arrives once");
        self.free_slots.push(slot);
        let InFlight { from, to, message, from_life, to_life, .. } = message;
        if self.alive(to, to_life) {
            self.deliver(to, Input::Message { from, message });
        } else if self.alive(from, from_life) {
            // Nobody listens there: the connection is refused or reset.
            self.network.close(from, to);
            self.announce_disconnect(to, from);
        }
    }

    /// `peer` learns, after the link's latency, that its connection to `from` is gone.
    fn announce_disconnect(&mut self, from: NodeId, peer: NodeId) {
        let Some(life) = self.nodes.get(&peer).map(|node| node.life) else { return };
        if let Some(at) = self.network.arrival(self.now, from, peer, 0, &mut self.link_random) {
            self.network.close(from, peer);
            self.schedule.push(at, Event::Disconnected { node: peer, life, peer: from });
        }
    }

    fn deliver(&mut self, id: NodeId, input: Input<A>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        match node.state {
            ProcessState::Down => return,
            ProcessState::Paused => return node.backlog.push_back(input),
            ProcessState::Running => {}
        }
        let mut effects = Effects {
            actions: std::mem::take(&mut self.scratch.0),
            notices: Vec::new(),
            events: Vec::new(),
            exit: false,
            timer_generation: self.timer_generation,
            disk_token: self.disk_token,
        };
        let mut context = Context {
            now: self.now,
            me: id,
            random: &mut node.random,
            effects: &mut effects,
            timers: &mut node.timers,
            tracing: self.trace.is_on(),
        };
        node.actor.handle(input, &mut context);
        self.apply(id, effects);
    }

    fn apply(&mut self, id: NodeId, mut effects: Effects<A>) {
        self.timer_generation = effects.timer_generation;
        self.disk_token = effects.disk_token;
        for event in effects.events {
            self.trace.record(self.now, || Happening::Event { node: id, event });
        }
        for notice in effects.notices {
            self.notices.push_back((id, notice));
        }
        for action in effects.actions.drain(..) {
            match action {
                Action::Send { to, message } => self.send(id, to, message),
                Action::Disconnect { peer } => {
                    if self.network.close(id, peer) {
                        self.announce_disconnect(id, peer);
                    }
                }
                Action::Timer { timer, at, generation } => {
                    self.schedule.push(at, Event::Timer { node: id, timer, generation });
                }
                Action::Disk { bytes, fsync, token } => {
                    let node = self.nodes.get_mut(&id).expect("the node that asked is there");
                    let at = node.disk.done(self.now, bytes, fsync);
                    let life = node.life;
                    self.schedule.push(at, Event::DiskDone { node: id, life, token });
                }
            }
        }
        self.scratch.0 = effects.actions;
        if effects.exit {
            self.kill(id);
        }
    }

    /// A message on its way, by its slot.
    pub fn message(&self, slot: u32) -> Option<&InFlight<A>> {
        self.in_flight.get(slot as usize)?.as_ref()
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: A::Message) {
        if self.network.is_reset(from, to) {
            // Like TCP: no later message is delivered behind a lost one. Both ends learn of it, this message is lost too.
            self.network.close(from, to);
            self.announce_disconnect(to, from);
            self.announce_disconnect(from, to);
            return;
        }
        let size = message.size_bytes();
        let arrival = self.network.arrival(self.now, from, to, size, &mut self.link_random);
        let slot = arrival.map(|arrives_at| self.put_in_flight(from, to, arrives_at, message));
        if self.trace.watches_messages() {
            self.trace.record(self.now, || Happening::Sent { from, to, arrives_at: arrival, slot });
        }
    }

    fn put_in_flight(
        &mut self,
        from: NodeId,
        to: NodeId,
        arrives_at: Micros,
        message: A::Message,
    ) -> u32 {
        let life = |id: NodeId| self.nodes.get(&id).map_or(0, |node| node.life);
        let (from_life, to_life) = (life(from), life(to));
        let message =
            InFlight { from, to, sent_at: self.now, arrives_at, message, from_life, to_life };
        let slot = if let Some(slot) = self.free_slots.pop() {
            self.in_flight[slot as usize] = Some(message);
            slot
        } else {
            self.in_flight.push(Some(message));
            (self.in_flight.len() - 1) as u32
        };
        self.schedule.push(arrives_at, Event::Arrival(slot));
        slot
    }
}
