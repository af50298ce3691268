//! What a running tool has at hand: its words, its streams, the clock, its clients, files, notes.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::client::{ClientCommand, ClientEvent, ClientId, ClientSpec};
use crate::date::log4j_time;
use crate::disk::{DiskError, absolute};
use crate::host::{Address, DockerAction, Host};
use crate::options::Tool;
use crate::output::{Notice, TerminalId};
use crate::world::{Read, Sink, Source, Streams, World};

/// How a tool was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// The tool's name in the table of tools: `kafka-topics`, `docker`.
    pub tool: String,
    /// Its words after the name.
    pub arguments: Vec<String>,
    /// The directory it runs in.
    pub cwd: String,
    /// The container it runs in (`docker exec`): there `localhost` is that node. `None`: the user's machine.
    pub container: Option<String>,
    /// The terminal that notes go to.
    pub terminal: Option<TerminalId>,
}

impl Invocation {
    /// The tool's table.
    pub fn tool(&self) -> Option<&'static Tool> {
        crate::tools::find(&self.tool)
    }
}

/// What wakes a streaming tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToolEvent {
    /// Its first turn.
    Start,
    /// Input may be there: [`ToolIo::read_line`] until it waits.
    Input,
    /// The time set by [`ToolIo::set_timer`] has come.
    Timer,
    /// One of its clients reports. Log lines never come here: the console prints them on stderr.
    Client { client: ClientId, event: ClientEvent },
    /// Ctrl-C, or SIGTERM. The tool ends itself by [`ToolIo::exit`] (130, 143), now or after its farewell.
    Interrupt { code: i32 },
}

/// A running tool's surroundings, for one turn.
pub struct ToolIo<'a> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) world: &'a mut World,
    pub(crate) streams: &'a Streams,
    pub(crate) invocation: &'a Invocation,
    pub(crate) state: &'a mut IoState,
}

/// What the console keeps of a tool between its turns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IoState {
    /// Living clients of this process.
    pub clients: Vec<ClientId>,
    /// When to wake it.
    pub timer: Option<Micros>,
    /// It has ended.
    pub exit: Option<i32>,
    /// It has read to the end of its input, or does not want any now.
    pub ignores_input: bool,
    /// Requests of containers under way.
    pub tickets: Vec<u64>,
    /// Everything written to stderr and stdout so far (at most the last few kB), for the explanation of a failure.
    pub said: String,
}

impl ToolIo<'_> {
    pub fn invocation(&self) -> &Invocation {
        self.invocation
    }

    /// Virtual time.
    pub fn now(&self) -> Micros {
        self.host.now()
    }

    /// Milliseconds since 1970, UTC.
    pub fn clock_ms(&self) -> u64 {
        self.host.epoch_ms() + self.host.now().as_ms()
    }

    /// A number in `0..bound`.
    pub fn random(&mut self, bound: u64) -> u64 {
        self.host.random(bound)
    }

    /// Writes to stdout.
    pub fn out(&mut self, text: &str) {
        self.out_bytes(text.as_bytes());
    }

    /// Writes to stdout.
    pub fn out_bytes(&mut self, bytes: &[u8]) {
        // A consumer's stdout is records, whose words mean nothing about the tool.
        if self.invocation.tool != "kafka-console-consumer" {
            self.remember(bytes);
        }
        self.world.write(&self.streams.stdout, bytes);
    }

    /// Writes to stderr.
    pub fn err(&mut self, text: &str) {
        self.remember(text.as_bytes());
        self.world.write(&self.streams.stderr, text.as_bytes());
    }

    fn remember(&mut self, bytes: &[u8]) {
        const KEPT: usize = 4096;
        if self.state.said.len() < KEPT {
            self.state.said.push_str(&String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT)]));
        }
    }

    /// A log4j line on stderr: `[2026-11-21 22:39:12,358] WARN message (logger)`.
    pub fn log(&mut self, level: &str, message: &str, logger: &str) {
        let line = format!("[{}] {level} {message} ({logger})\n", log4j_time(self.clock_ms()));
        self.err(&line);
    }

    /// A note beside the output; never in a stream, and nowhere when notes are off.
    pub fn note(&mut self, notice: Notice) {
        self.world.notice(self.invocation.terminal, notice);
    }

    /// The next line of stdin, without its newline.
    pub fn read_line(&mut self) -> Read<Vec<u8>> {
        match self.world.read_line(self.streams.stdin) {
            Read::Data(mut line) => {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                Read::Data(line)
            }
            Read::End => {
                self.state.ignores_input = true;
                Read::End
            }
            Read::Wait => Read::Wait,
        }
    }

    /// While true, no [`ToolEvent::Input`] comes.
    pub fn ignore_input(&mut self, ignore: bool) {
        self.state.ignores_input = ignore;
    }

    /// Whether there is a terminal at both ends (`System.console() != null`).
    pub fn has_console(&self) -> bool {
        matches!(self.streams.stdin, Source::Terminal(_))
            && matches!(self.streams.stdout, Sink::Terminal(..))
    }

    /// Whom `host:port` reaches from where the tool runs.
    pub fn resolve(&self, host: &str, port: u16) -> Address {
        self.host.resolve(host, port, self.invocation.container.as_deref())
    }

    /// Asks for a [`ToolEvent::Timer`] at that time; replaces the one before.
    pub fn set_timer(&mut self, at: Option<Micros>) {
        self.state.timer = at;
    }

    /// Starts a client; it is killed when the tool ends, unless it has been closed by then.
    pub fn spawn_client(&mut self, spec: ClientSpec) -> ClientId {
        let client = self.host.spawn_client(spec);
        self.state.clients.push(client);
        client
    }

    /// Tells a client to do something.
    pub fn command(&mut self, client: ClientId, command: ClientCommand) {
        self.host.client_command(client, command);
    }

    /// The tool has ended: nothing more reaches it.
    pub fn exit(&mut self, code: i32) {
        self.state.exit = Some(code);
    }

    /// A file, by a path as the tool's user wrote it.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, DiskError> {
        self.world.disk.read(&absolute(&self.invocation.cwd, path)).map(<[u8]>::to_vec)
    }

    /// Writes a file, by a path as the tool's user wrote it.
    pub fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.world.disk.write(&absolute(&self.invocation.cwd, path), bytes)
    }

    pub(crate) fn docker(&mut self, ticket: u64, action: DockerAction, node: &str) {
        self.state.tickets.push(ticket);
        self.host.docker(ticket, action, node);
    }
}
