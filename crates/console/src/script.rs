//! Tools that run to completion, as straight-line code whose state is plain data.
//!
//! A script is a function that is run again from the top whenever something it waits for has come. Every effect and its reply are kept in a
//! [`Journal`]; on a later run the reply is read from there instead of asking again. So the function must depend on nothing but its
//! [`Script`]: same replies, same course. Output already shown is not shown again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::client::{ClientCommand, ClientEvent, ClientId, ClientSpec};
use crate::date::log4j_time;
use crate::disk::DiskError;
use crate::host::{Address, DockerAction, NodeStatus};
use crate::output::Notice;
use crate::tool::{Invocation, ToolIo};
use crate::world::Read;

/// The script waits; it will be run again. Pass it up with `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending;

/// What a script has done and been told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    replies: Vec<Reply>,
    /// Events of its clients that it has not asked for yet.
    inbox: VecDeque<(ClientId, ClientEvent)>,
    /// Containers' answers that it has not asked for yet.
    answers: VecDeque<(u64, Result<(), String>)>,
    /// Pieces of output shown so far.
    shown: u32,
    /// When the wait under way ends.
    deadline: Option<Micros>,
    waits_for_input: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Reply {
    Done,
    Number(u64),
    Client(ClientId),
    Event(Option<ClientEvent>),
    Line(Option<Vec<u8>>),
    File(Result<Vec<u8>, DiskError>),
    Written(Result<(), DiskError>),
    Docker(Result<(), String>),
    Nodes(Vec<NodeStatus>),
    Lines(Vec<String>),
    Console(bool),
    Address(Address),
}

impl Journal {
    /// An event of one of the script's clients.
    pub fn client_event(&mut self, client: ClientId, event: ClientEvent) {
        self.inbox.push_back((client, event));
    }

    /// The answer to a container request.
    pub fn docker_answer(&mut self, ticket: u64, result: Result<(), String>) {
        self.answers.push_back((ticket, result));
    }

    /// When to run the script again though nothing has come.
    pub fn deadline(&self) -> Option<Micros> {
        self.deadline
    }

    /// Whether the script waits for a line of stdin.
    pub fn waits_for_input(&self) -> bool {
        self.waits_for_input
    }

    /// Runs the script as far as it gets.
    pub fn run<'a>(
        &'a mut self,
        script: fn(&mut Script<'_>) -> Result<i32, Pending>,
        io: ToolIo<'a>,
    ) -> Result<i32, Pending> {
        script(&mut Script { journal: self, io, next: 0, pieces: 0 })
    }
}

/// A script's surroundings during one run.
pub struct Script<'a> {
    journal: &'a mut Journal,
    io: ToolIo<'a>,
    next: usize,
    pieces: u32,
}

impl Script<'_> {
    pub fn invocation(&self) -> &Invocation {
        self.io.invocation
    }

    pub fn arguments(&self) -> &[String] {
        &self.io.invocation.arguments
    }

    fn replay(&mut self) -> Option<Reply> {
        let reply = self.journal.replies.get(self.next).cloned();
        self.next += usize::from(reply.is_some());
        reply
    }

    fn record(&mut self, reply: Reply) {
        self.journal.replies.push(reply);
        self.next += 1;
        self.journal.deadline = None;
        self.journal.waits_for_input = false;
    }

    fn number(&mut self, ask: impl FnOnce(&mut ToolIo<'_>) -> u64) -> u64 {
        if let Some(Reply::Number(number)) = self.replay() {
            return number;
        }
        let number = ask(&mut self.io);
        self.record(Reply::Number(number));
        number
    }

    /// Virtual time.
    pub fn now(&mut self) -> Micros {
        Micros(self.number(|io| io.now().0))
    }

    /// Milliseconds since 1970, UTC.
    pub fn clock_ms(&mut self) -> u64 {
        self.number(|io| io.clock_ms())
    }

    /// A number in `0..bound`.
    pub fn random(&mut self, bound: u64) -> u64 {
        self.number(|io| io.random(bound))
    }

    fn fresh(&mut self) -> bool {
        self.pieces += 1;
        let fresh = self.pieces > self.journal.shown;
        if fresh {
            self.journal.shown = self.pieces;
        }
        fresh
    }

    /// Writes to stdout.
    pub fn out(&mut self, text: &str) {
        if self.fresh() {
            self.io.out(text);
        }
    }

    /// Writes to stderr.
    pub fn err(&mut self, text: &str) {
        if self.fresh() {
            self.io.err(text);
        }
    }

    /// A log4j line on stderr: `[2026-11-21 22:39:12,358] WARN message (logger)`.
    pub fn log(&mut self, level: &str, message: &str, logger: &str) {
        let time = log4j_time(self.clock_ms());
        self.err(&format!("[{time}] {level} {message} ({logger})\n"));
    }

    /// A note beside the output.
    pub fn note(&mut self, notice: Notice) {
        if self.fresh() {
            self.io.note(notice);
        }
    }

    /// Starts a client; it is killed when the script ends.
    pub fn spawn_client(&mut self, spec: ClientSpec) -> ClientId {
        if let Some(Reply::Client(client)) = self.replay() {
            return client;
        }
        let client = self.io.spawn_client(spec);
        self.record(Reply::Client(client));
        client
    }

    /// Tells a client to do something.
    pub fn command(&mut self, client: ClientId, command: ClientCommand) {
        if self.replay().is_none() {
            self.io.command(client, command);
            self.record(Reply::Done);
        }
    }

    /// The next event of a client; `None` once `timeout` has passed. Log lines never come here: the console prints them on stderr.
    pub fn next_event(
        &mut self,
        client: ClientId,
        timeout: Option<Micros>,
    ) -> Result<Option<ClientEvent>, Pending> {
        if let Some(Reply::Event(event)) = self.replay() {
            return Ok(event);
        }
        if let Some(at) = self.journal.inbox.iter().position(|(from, _)| *from == client) {
            let event = self.journal.inbox.remove(at).map(|(_, event)| event);
            self.record(Reply::Event(event.clone()));
            return Ok(event);
        }
        if let Some(timeout) = timeout {
            self.wait_until(timeout)?;
            self.record(Reply::Event(None));
            return Ok(None);
        }
        Err(Pending)
    }

    /// Pending until `span` after the first call.
    fn wait_until(&mut self, span: Micros) -> Result<(), Pending> {
        let now = self.io.now();
        let deadline = *self.journal.deadline.get_or_insert(now + span);
        if now < deadline { Err(Pending) } else { Ok(()) }
    }

    /// Lets virtual time pass.
    pub fn sleep(&mut self, span: Micros) -> Result<(), Pending> {
        if self.replay().is_none() {
            self.wait_until(span)?;
            self.record(Reply::Done);
        }
        Ok(())
    }

    /// The next line of stdin without its newline; `None` at its end.
    pub fn read_line(&mut self) -> Result<Option<Vec<u8>>, Pending> {
        if let Some(Reply::Line(line)) = self.replay() {
            return Ok(line);
        }
        let line = match self.io.read_line() {
            Read::Data(line) => Some(line),
            Read::End => None,
            Read::Wait => {
                self.journal.waits_for_input = true;
                return Err(Pending);
            }
        };
        self.record(Reply::Line(line.clone()));
        Ok(line)
    }

    /// A file, by a path as the user wrote it.
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, DiskError> {
        if let Some(Reply::File(file)) = self.replay() {
            return file;
        }
        let file = self.io.read_file(path);
        self.record(Reply::File(file.clone()));
        file
    }

    /// Writes a file, by a path as the user wrote it.
    pub fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        if let Some(Reply::Written(result)) = self.replay() {
            return result;
        }
        let result = self.io.write_file(path, bytes);
        self.record(Reply::Written(result));
        result
    }

    /// Whether there is a terminal at both ends.
    pub fn has_console(&mut self) -> bool {
        if let Some(Reply::Console(has)) = self.replay() {
            return has;
        }
        let has = self.io.has_console();
        self.record(Reply::Console(has));
        has
    }

    /// Whom `host:port` reaches from where the tool runs.
    pub fn resolve(&mut self, host: &str, port: u16) -> Address {
        if let Some(Reply::Address(address)) = self.replay() {
            return address;
        }
        let address = self.io.resolve(host, port);
        self.record(Reply::Address(address));
        address
    }

    /// The containers.
    pub fn nodes(&mut self) -> Vec<NodeStatus> {
        if let Some(Reply::Nodes(nodes)) = self.replay() {
            return nodes;
        }
        let nodes = self.io.host.nodes();
        self.record(Reply::Nodes(nodes.clone()));
        nodes
    }

    /// The newest log lines of a container.
    pub fn node_log(&mut self, node: &str, lines: Option<u32>) -> Vec<String> {
        if let Some(Reply::Lines(lines)) = self.replay() {
            return lines;
        }
        let lines = self.io.host.node_log(node, lines);
        self.record(Reply::Lines(lines.clone()));
        lines
    }

    /// Asks for a change of a container, without waiting for it.
    pub fn docker(&mut self, action: DockerAction, node: &str) -> u64 {
        // Tickets must differ between processes: the console's random stream is journalled and wide enough.
        let ticket = self.random(u64::MAX);
        if self.replay().is_none() {
            self.io.docker(ticket, action, node);
            self.record(Reply::Done);
        }
        ticket
    }

    /// Waits for a change asked for by [`Script::docker`].
    pub fn docker_done(&mut self, ticket: u64) -> Result<Result<(), String>, Pending> {
        if let Some(Reply::Docker(result)) = self.replay() {
            return Ok(result);
        }
        match self.journal.answers.iter().position(|(of, _)| *of == ticket) {
            Some(at) => {
                let result = self.journal.answers.remove(at).map_or(Ok(()), |(_, result)| result);
                self.record(Reply::Docker(result.clone()));
                Ok(result)
            }
            None => Err(Pending),
        }
    }
}
