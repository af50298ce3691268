//! Processes: what runs, who waits for whom, how they end.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::host::Host;
use crate::options::Run;
use crate::output::TerminalId;
use crate::script::Journal;
use crate::shell::Shell;
use crate::tool::{Invocation, IoState, ToolEvent, ToolIo};
use crate::tools::Streaming;
use crate::utility::Utility;
use crate::world::{Pid, PipeId, Sink, Streams, World};

/// Exit codes of a process ended by a signal: 128 and the signal's number.
pub const SIGHUP: i32 = 129;
pub const SIGINT: i32 = 130;
pub const SIGKILL: i32 = 137;
pub const SIGPIPE: i32 = 141;
pub const SIGTERM: i32 = 143;

/// A writer waits while a pipe holds more than this.
const PIPE_MAX: usize = 65_536;

/// One process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Process {
    pub parent: Option<Pid>,
    /// Ctrl-C reaches all of a group.
    pub group: Pid,
    /// The terminal it belongs to, for notes and Ctrl-C.
    pub terminal: Option<TerminalId>,
    pub container: Option<String>,
    pub streams: Streams,
    /// Ctrl-Z: it gets no turn until it goes on.
    pub stopped: bool,
    pub body: Body,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Body {
    Shell(Box<Shell>),
    Utility(Box<Utility>),
    Tool(Box<ToolProcess>),
}

/// A Kafka tool, or docker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToolProcess {
    pub invocation: Invocation,
    pub io: IoState,
    started: bool,
    journal: Journal,
    streaming: Option<Streaming>,
    events: VecDeque<ToolEvent>,
}

impl ToolProcess {
    pub fn new(invocation: Invocation) -> Self {
        Self {
            invocation,
            io: IoState::default(),
            started: false,
            journal: Journal::default(),
            streaming: None,
            events: VecDeque::new(),
        }
    }

    /// Something for the tool: handed over at its next turn.
    pub fn deliver(&mut self, event: ToolEvent) {
        self.events.push_back(event);
    }

    /// Whether it would take a line of its stdin now.
    pub fn wants_input(&self) -> bool {
        match self.streaming {
            Some(_) => !self.io.ignores_input,
            None => self.journal.waits_for_input(),
        }
    }

    /// Whether it is a state machine that sees signals itself.
    pub fn is_streaming(&self) -> bool {
        self.streaming.is_some()
    }

    /// The answer to a container request, for the script that asked.
    pub fn docker_answer(&mut self, ticket: u64, result: Result<(), String>) {
        self.journal.docker_answer(ticket, result);
        // A turn is due: an event that no client sent.
        self.started = false;
    }

    fn due(&self, world: &World, streams: &Streams, now: Micros) -> bool {
        let timer =
            [self.io.timer, self.journal.deadline()].into_iter().flatten().any(|at| at <= now);
        !self.started
            || !self.events.is_empty()
            || timer
            || self.wants_input() && world.readable(streams.stdin)
    }

    fn deadline(&self) -> Option<Micros> {
        [self.io.timer, self.journal.deadline()].into_iter().flatten().min()
    }

    fn turn(&mut self, host: &mut dyn Host, world: &mut World, streams: &Streams) -> Option<i32> {
        let Some(tool) = self.invocation.tool() else { return Some(127) };
        match tool.run {
            Run::Script(script) => {
                self.started = true;
                for event in self.events.drain(..) {
                    match event {
                        ToolEvent::Client { client, event } => {
                            self.journal.client_event(client, event)
                        }
                        ToolEvent::Interrupt { code } => return Some(code),
                        ToolEvent::Start | ToolEvent::Input | ToolEvent::Timer => {}
                    }
                }
                let io = ToolIo {
                    host,
                    world,
                    streams,
                    invocation: &self.invocation,
                    state: &mut self.io,
                };
                self.journal.run(script, io).ok()
            }
            Run::Streaming(start) => {
                let event = if !self.started {
                    self.started = true;
                    let mut io = ToolIo {
                        host,
                        world,
                        streams,
                        invocation: &self.invocation,
                        state: &mut self.io,
                    };
                    match start(&self.invocation, &mut io) {
                        Ok(streaming) => self.streaming = Some(streaming),
                        Err(code) => return Some(code),
                    }
                    ToolEvent::Start
                } else if let Some(event) = self.events.pop_front() {
                    event
                } else if self.io.timer.is_some_and(|at| at <= host.now()) {
                    self.io.timer = None;
                    ToolEvent::Timer
                } else {
                    ToolEvent::Input
                };
                let mut io = ToolIo {
                    host,
                    world,
                    streams,
                    invocation: &self.invocation,
                    state: &mut self.io,
                };
                if let Some(streaming) = &mut self.streaming {
                    streaming.on_event(event, &mut io);
                }
                self.io.exit
            }
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub code: i32,
    /// By a signal, not by itself.
    pub signalled: bool,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It waits, or has more to do: [`Process::due`] tells.
    Goes,
    Ended(End),
}

/// All processes, and the ends that nobody has asked for yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    pub running: SortedMap<Pid, Process>,
    pub ended: SortedMap<Pid, End>,
    next: u32,
}

impl Table {
    /// The number of the next process. They begin at 1001, as on a machine that has been up for a while.
    pub fn new_pid(&mut self) -> Pid {
        self.next += 1;
        Pid(1000 + self.next)
    }

    /// A process and all that it started.
    pub fn tree(&self, root: Pid) -> Vec<Pid> {
        let mut pids = vec![root];
        let mut at = 0;
        while let Some(parent) = pids.get(at).copied() {
            pids.extend(
                self.running
                    .iter()
                    .filter(|(_, process)| process.parent == Some(parent))
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        pids
    }

    /// Whether it runs.
    pub fn alive(&self, pid: Pid) -> bool {
        self.running.contains_key(&pid)
    }
}

/// What a process's turn works with.
pub struct Kernel<'a> {
    pub host: &'a mut dyn Host,
    pub world: &'a mut World,
    pub table: &'a mut Table,
    /// The process whose turn it is; it is not in the table meanwhile.
    pub pid: Pid,
    pub group: Pid,
    pub terminal: Option<TerminalId>,
    pub streams: &'a mut Streams,
    /// Signals to send after the turn.
    pub signals: &'a mut Vec<(Target, i32)>,
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Group(Pid),
    /// A process and all that it started.
    Tree(Pid),
}

impl Kernel<'_> {
    /// Starts a process; `group`: of its own if `None`.
    pub fn spawn(
        &mut self,
        group: Option<Pid>,
        streams: Streams,
        container: Option<String>,
        body: Body,
    ) -> Pid {
        let pid = self.table.new_pid();
        let process = Process {
            parent: Some(self.pid),
            group: group.unwrap_or(pid),
            terminal: self.terminal,
            container,
            streams,
            stopped: false,
            body,
        };
        self.table.running.insert(pid, process);
        pid
    }

    /// After Ctrl-Z: a process and all that it started go on.
    pub fn resume(&mut self, root: Pid) {
        for pid in self.table.tree(root) {
            if let Some(process) = self.table.running.get_mut(&pid) {
                process.stopped = false;
            }
        }
    }

    pub fn out(&mut self, text: &str) {
        self.world.write(&self.streams.stdout, text.as_bytes());
    }

    pub fn err(&mut self, text: &str) {
        self.world.write(&self.streams.stderr, text.as_bytes());
    }

    pub fn clock_ms(&self) -> u64 {
        self.host.epoch_ms() + self.host.now().as_ms()
    }
}

impl Process {
    /// Whether a turn would get anywhere.
    pub fn due(&self, world: &World, table: &Table, now: Micros) -> bool {
        if self.stopped {
            return false;
        }
        if let Sink::Pipe(id) = self.streams.stdout
            && world.pipes.get(&id).is_some_and(|pipe| pipe.buffer.len() > PIPE_MAX && !pipe.kept)
        {
            return false;
        }
        match &self.body {
            Body::Shell(shell) => shell.due(world, table, &self.streams, now),
            Body::Utility(utility) => utility.due(world, &self.streams, now),
            Body::Tool(tool) => tool.due(world, &self.streams, now),
        }
    }

    /// When to look again though nothing happens.
    pub fn deadline(&self) -> Option<Micros> {
        match &self.body {
            _ if self.stopped => None,
            Body::Shell(shell) => shell.deadline(),
            Body::Utility(utility) => utility.deadline(),
            Body::Tool(tool) => tool.deadline(),
        }
    }

    pub fn turn(
        &mut self,
        pid: Pid,
        host: &mut dyn Host,
        world: &mut World,
        table: &mut Table,
        signals: &mut Vec<(Target, i32)>,
    ) -> Turn {
        let mut kernel = Kernel {
            host,
            world,
            table,
            pid,
            group: self.group,
            terminal: self.terminal,
            streams: &mut self.streams,
            signals,
        };
        match &mut self.body {
            Body::Shell(shell) => shell.turn(&mut kernel),
            Body::Utility(utility) => match utility.turn(&mut kernel) {
                Some(code) => Turn::Ended(End { code, signalled: false }),
                None => Turn::Goes,
            },
            Body::Tool(tool) => match tool.turn(kernel.host, kernel.world, kernel.streams) {
                Some(code) => Turn::Ended(End { code, signalled: false }),
                None => Turn::Goes,
            },
        }
    }

    /// Whether it may still read from the pipe.
    pub fn reads(&self, pipe: PipeId) -> bool {
        self.streams.reads(pipe)
            || match &self.body {
                Body::Shell(shell) => shell.reads(pipe),
                Body::Utility(_) | Body::Tool(_) => false,
            }
    }

    /// Whether it may still write to the pipe.
    pub fn writes(&self, pipe: PipeId) -> bool {
        self.streams.writes(pipe)
            || match &self.body {
                Body::Shell(shell) => shell.writes(pipe),
                Body::Utility(utility) => utility.writes(pipe),
                Body::Tool(_) => false,
            }
    }
}
