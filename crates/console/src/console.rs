//! The console: terminals, their shells, and every process they started, driven by input, by the host's events and by virtual time.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::client::{ClientEvent, ClientId};
use crate::date::log4j_time;
use crate::disk::absolute;
use crate::editor::Editor;
use crate::explain;
use crate::host::{Host, HostEvent, NodeState};
use crate::output::{ConsoleOutput, Item, TerminalId};
use crate::process::{
    Body, End, Process, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, Table, Target, Turn,
};
use crate::shell::Shell;
use crate::shell::state::State;
use crate::tool::ToolEvent;
use crate::world::{Pid, PipeId, Sink, Source, Streams, Typed, World};

/// Rounds of turns at one instant before the console lets time pass: a guard against processes that wake each other for ever.
const ROUNDS_MAX: u32 = 100_000;

/// All terminals and processes of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Console {
    world: World,
    table: Table,
    /// The shell of every open terminal.
    terminals: SortedMap<TerminalId, Pid>,
    next_terminal: u32,
    runs: SortedMap<Pid, Run>,
    pub(crate) editors: SortedMap<TerminalId, Editor>,
    /// Owners of clients and of container requests.
    clients: SortedMap<ClientId, Pid>,
}

/// One command line run for a program: a replay, a test, a lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// One shell line (or several).
    pub line: String,
    pub stdin: RunInput,
    /// The working directory.
    pub cwd: Option<String>,
}

/// What a run reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunInput {
    /// An immediate end of input; not a terminal.
    #[default]
    None,
    /// This text, then the end; not a terminal.
    Text(String),
    /// Stdin, stdout and stderr are one terminal with echo off; this text is typed line by line, then Ctrl-D.
    Terminal(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    stdout: Option<PipeId>,
    stderr: Option<PipeId>,
    terminal: Option<TerminalId>,
    shown: String,
    end: Option<i32>,
}

/// What a run has written so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    pub stdout: String,
    pub stderr: String,
    /// `None` while it runs.
    pub code: Option<i32>,
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Console {
    /// Without terminals, with an empty disk; notes are on.
    pub fn new() -> Self {
        let mut world = World::default();
        world.notices = true;
        Self {
            world,
            table: Table::default(),
            terminals: SortedMap::new(),
            next_terminal: 0,
            runs: SortedMap::new(),
            editors: SortedMap::new(),
            clients: SortedMap::new(),
        }
    }

    /// Switches notes, explanations and repairs on or off; off in replays.
    pub fn notices(&mut self, on: bool) {
        self.world.notices = on;
    }

    /// Opens a terminal with a shell.
    pub fn open_terminal(&mut self) -> TerminalId {
        self.next_terminal += 1;
        let terminal = TerminalId(self.next_terminal);
        let pid = self.table.new_pid();
        let process = Process {
            parent: None,
            group: pid,
            terminal: Some(terminal),
            container: None,
            streams: Streams::terminal(terminal),
            stopped: false,
            body: Body::Shell(Box::new(Shell::interactive(pid, None))),
        };
        self.table.running.insert(pid, process);
        self.world.typed.insert(terminal, VecDeque::new());
        self.world.history.insert(terminal, Vec::new());
        self.terminals.insert(terminal, pid);
        self.editors.insert(terminal, Editor::default());
        terminal
    }

    /// Closes a terminal: all that runs in it ends.
    pub fn close_terminal(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        let pids: Vec<Pid> = self
            .table
            .running
            .iter()
            .filter(|(_, process)| process.terminal == Some(terminal))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in pids {
            self.end(host, pid, End { code: SIGHUP, signalled: true });
        }
        self.terminals.remove(&terminal);
        self.editors.remove(&terminal);
        self.world.typed.remove(&terminal);
        self.world.history.remove(&terminal);
    }

    /// Open terminals, oldest first.
    pub fn terminals(&self) -> impl Iterator<Item = TerminalId> + '_ {
        self.terminals.keys().copied()
    }

    /// The disk, to look at.
    pub fn disk(&self) -> &crate::disk::Disk {
        &self.world.disk
    }

    /// Writes a file: a replay's, or one dropped onto the page. The path is seen from the home directory.
    pub fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), crate::disk::DiskError> {
        self.world.disk.write(&absolute(crate::disk::HOME, path), bytes)
    }

    /// A whole line typed at a terminal, as it stands; what reads there gets it.
    pub fn type_line(&mut self, host: &mut dyn Host, terminal: TerminalId, line: &str) {
        self.world.typed.entry(terminal).or_default().push_back(Typed::Line(line.to_owned()));
        self.advance(host);
    }

    /// Ctrl-D on an empty line.
    pub(crate) fn type_end(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        self.world.typed.entry(terminal).or_default().push_back(Typed::End);
        self.run_due(host);
    }

    /// Ctrl-C, with what was being typed.
    pub(crate) fn interrupt_with(
        &mut self,
        host: &mut dyn Host,
        terminal: TerminalId,
        typed: &str,
    ) {
        self.world.typed.entry(terminal).or_default().clear();
        if let Some(shell) = self.foreground_shell(terminal) {
            let group = self.foreground_group(shell);
            let prompt = if group.is_some() { String::new() } else { self.prompt_of(shell) };
            self.world.show(terminal, Item::Echo { prompt, line: format!("{typed}^C") });
            if let Some(group) = group {
                self.signal(host, Target::Group(group), SIGINT);
            } else if let Some(process) = self.table.running.get_mut(&shell)
                && let Body::Shell(body) = &mut process.body
            {
                body.interrupt(&mut process.streams);
            }
        }
        self.run_due(host);
    }

    /// Ctrl-Z: what runs in the foreground stops until `fg` or `bg`.
    pub(crate) fn suspend(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        let group = self.foreground_shell(terminal).and_then(|shell| self.foreground_group(shell));
        for process in
            self.table.running.values_mut().filter(|process| Some(process.group) == group)
        {
            process.stopped = true;
        }
        self.run_due(host);
    }

    fn prompt_of(&self, shell: Pid) -> String {
        match self.table.running.get(&shell).map(|process| &process.body) {
            Some(Body::Shell(shell)) => shell.prompt(),
            _ => String::new(),
        }
    }

    /// The innermost interactive shell of a terminal.
    pub(crate) fn foreground_shell(&self, terminal: TerminalId) -> Option<Pid> {
        let mut shell = *self.terminals.get(&terminal)?;
        loop {
            let Body::Shell(body) = &self.table.running.get(&shell)?.body else {
                return Some(shell);
            };
            let inner = body.foreground().iter().copied().find(|pid| {
                matches!(self.table.running.get(pid).map(|process| &process.body), Some(Body::Shell(inner)) if inner.is_interactive())
            });
            match inner {
                Some(inner) => shell = inner,
                None => return Some(shell),
            }
        }
    }

    /// The group that the shell runs in the foreground.
    pub(crate) fn foreground_group(&self, shell: Pid) -> Option<Pid> {
        let Body::Shell(body) = &self.table.running.get(&shell)?.body else { return None };
        body.foreground()
            .iter()
            .find_map(|pid| self.table.running.get(pid))
            .map(|process| process.group)
    }

    /// Whether the terminal's shell waits for a command.
    pub fn is_at_prompt(&self, terminal: TerminalId) -> bool {
        self.shell_at_prompt(terminal).is_some()
    }

    /// The shell that would take the next line typed, if it is at its prompt.
    pub(crate) fn shell_at_prompt(&self, terminal: TerminalId) -> Option<&Shell> {
        let shell = self.foreground_shell(terminal)?;
        match &self.table.running.get(&shell)?.body {
            Body::Shell(shell) if shell.at_prompt() => Some(shell),
            _ => None,
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Starts a command line outside the terminals. Advance while [`Console::is_running`].
    pub fn start(&mut self, host: &mut dyn Host, spec: RunSpec) -> Pid {
        let pid = self.table.new_pid();
        let kept = |world: &mut World| {
            let pipe = world.open_pipe(b"");
            if let Some(pipe) = world.pipes.get_mut(&pipe) {
                pipe.kept = true;
            }
            pipe
        };
        let mut run =
            Run { stdout: None, stderr: None, terminal: None, shown: String::new(), end: None };
        let streams = match spec.stdin {
            RunInput::Terminal(text) => {
                self.next_terminal += 1;
                let terminal = TerminalId(self.next_terminal);
                let mut typed: VecDeque<Typed> =
                    text.lines().map(|line| Typed::Line(line.to_owned())).collect();
                typed.push_back(Typed::End);
                self.world.typed.insert(terminal, typed);
                self.world.silent.push(terminal);
                run.terminal = Some(terminal);
                Streams::terminal(terminal)
            }
            input => {
                let stdout = kept(&mut self.world);
                let stderr = kept(&mut self.world);
                run.stdout = Some(stdout);
                run.stderr = Some(stderr);
                let stdin = match input {
                    RunInput::Text(text) => Source::Pipe(self.world.open_text(text.as_bytes())),
                    _ => Source::Null,
                };
                Streams { stdin, stdout: Sink::Pipe(stdout), stderr: Sink::Pipe(stderr) }
            }
        };
        let mut state = State::new(pid, false, None);
        if let Some(cwd) = spec.cwd {
            state.cwd = cwd;
        }
        let process = Process {
            parent: None,
            group: pid,
            terminal: None,
            container: None,
            streams,
            stopped: false,
            body: Body::Shell(Box::new(Shell::text(state, spec.line))),
        };
        self.table.running.insert(pid, process);
        self.runs.insert(pid, run);
        self.advance(host);
        pid
    }

    /// What a run has written since it began, and its code once it has ended.
    pub fn run_output(&self, run: Pid) -> RunOutput {
        let Some(run) = self.runs.get(&run) else { return RunOutput::default() };
        let text = |pipe: Option<PipeId>| {
            let pipe = pipe.and_then(|pipe| self.world.pipes.get(&pipe));
            pipe.map(|pipe| {
                String::from_utf8_lossy(&pipe.buffer.iter().copied().collect::<Vec<u8>>())
                    .into_owned()
            })
            .unwrap_or_default()
        };
        match run.terminal {
            Some(_) => {
                RunOutput { stdout: run.shown.clone(), stderr: String::new(), code: run.end }
            }
            None => RunOutput { stdout: text(run.stdout), stderr: text(run.stderr), code: run.end },
        }
    }

    /// Whether a run is still under way; unlike [`Console::run_output`] it costs the same however much was written.
    pub fn is_running(&self, run: Pid) -> bool {
        self.runs.get(&run).is_some_and(|run| run.end.is_none())
    }

    /// A signal for a run and all that it started: Ctrl-C with [`SIGINT`].
    pub fn signal_run(&mut self, host: &mut dyn Host, run: Pid, code: i32) {
        self.signal(host, Target::Group(run), code);
        self.advance(host);
    }

    /// Forgets a run: what is left of it ends.
    pub fn forget(&mut self, host: &mut dyn Host, run: Pid) {
        let pids: Vec<Pid> = self
            .table
            .running
            .iter()
            .filter(|(_, process)| process.group == run)
            .map(|(pid, _)| *pid)
            .collect();
        for pid in pids {
            self.end(host, pid, End { code: SIGKILL, signalled: true });
        }
        if let Some(run) = self.runs.remove(&run) {
            for pipe in [run.stdout, run.stderr].into_iter().flatten() {
                self.world.pipes.remove(&pipe);
            }
            if let Some(terminal) = run.terminal {
                self.world.typed.remove(&terminal);
                self.world.silent.retain(|other| *other != terminal);
            }
        }
    }

    /// Something happened outside.
    pub fn handle(&mut self, host: &mut dyn Host, event: HostEvent) {
        match event {
            HostEvent::Client { client, event } => {
                let owner = self.clients.get(&client).copied();
                let process = owner.and_then(|pid| self.table.running.get_mut(&pid));
                if let Some(process) = process
                    && let Body::Tool(tool) = &mut process.body
                {
                    if let ClientEvent::Log(line) = event {
                        let time = log4j_time(host.epoch_ms() + host.now().as_ms());
                        let text =
                            format!("[{time}] {} {} ({})\n", line.level, line.text, line.logger);
                        self.world.write(&process.streams.stderr, text.as_bytes());
                    } else {
                        tool.deliver(ToolEvent::Client { client, event });
                    }
                }
            }
            HostEvent::Docker { ticket, result } => {
                for process in self.table.running.values_mut() {
                    if let Body::Tool(tool) = &mut process.body
                        && tool.io.tickets.contains(&ticket)
                    {
                        tool.io.tickets.retain(|other| *other != ticket);
                        tool.docker_answer(ticket, result.clone());
                    }
                }
            }
        }
        self.advance(host);
    }

    /// When the console wants a turn though nothing happens.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.table.running.values().filter_map(Process::deadline).min()
    }

    /// Takes what is to be shown.
    pub fn take_outputs(&mut self) -> Vec<ConsoleOutput> {
        std::mem::take(&mut self.world.outputs)
    }

    /// Runs everything that is due now, and hands out lines that wait for their reader.
    pub fn advance(&mut self, host: &mut dyn Host) {
        self.run_due(host);
        let terminals: Vec<TerminalId> = self.terminals().collect();
        for terminal in terminals {
            self.pump(host, terminal);
        }
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = (&Pid, &Process)> {
        self.table.running.iter()
    }

    pub(crate) fn run_due(&mut self, host: &mut dyn Host) {
        let now = host.now();
        self.end_with_containers(host);
        for _ in 0..ROUNDS_MAX {
            let due: Vec<Pid> = self
                .table
                .running
                .iter()
                .filter(|(_, process)| process.due(&self.world, &self.table, now))
                .map(|(pid, _)| *pid)
                .collect();
            if due.is_empty() {
                break;
            }
            for pid in due {
                self.turn(host, pid);
            }
        }
        self.collect_runs();
    }

    fn turn(&mut self, host: &mut dyn Host, pid: Pid) {
        let Some(mut process) = self.table.running.remove(&pid) else { return };
        let mut signals = Vec::new();
        let turn = process.turn(pid, host, &mut self.world, &mut self.table, &mut signals);
        if let Body::Tool(tool) = &process.body {
            for client in &tool.io.clients {
                self.clients.insert(*client, pid);
            }
        }
        self.table.running.insert(pid, process);
        if let Turn::Ended(end) = turn {
            self.end(host, pid, end);
        }
        for (target, code) in signals {
            self.signal(host, target, code);
        }
        self.sweep(host);
    }

    /// Pipes whose writers are gone end; those whose readers are gone end their writers.
    fn sweep(&mut self, host: &mut dyn Host) {
        let mut broken = Vec::new();
        let mut gone = Vec::new();
        for (id, pipe) in &mut self.world.pipes {
            let writers = self.table.running.values().any(|process| process.writes(*id));
            let readers =
                pipe.kept || self.table.running.values().any(|process| process.reads(*id));
            pipe.closed |= !writers;
            if !readers {
                if writers { broken.push(*id) } else { gone.push(*id) }
            }
        }
        for id in gone {
            self.world.pipes.remove(&id);
        }
        for id in broken {
            let written = self.world.pipes.get(&id).is_some_and(|pipe| !pipe.buffer.is_empty());
            if written {
                let writers: Vec<Pid> = self
                    .table
                    .running
                    .iter()
                    .filter(|(_, process)| process.streams.stdout == Sink::Pipe(id))
                    .map(|(pid, _)| *pid)
                    .collect();
                for pid in writers {
                    self.end(host, pid, End { code: SIGPIPE, signalled: true });
                }
                if let Some(pipe) = self.world.pipes.get_mut(&id) {
                    pipe.buffer.clear();
                }
            }
        }
    }

    /// Ends a process.
    fn end(&mut self, host: &mut dyn Host, pid: Pid, end: End) {
        let Some(process) = self.table.running.remove(&pid) else { return };
        if let Body::Tool(tool) = &process.body {
            for client in &tool.io.clients {
                host.kill_client(*client);
                self.clients.remove(client);
            }
            if end.code != 0 || !tool.io.said.is_empty() {
                let note = explain::explain(&tool.invocation, &tool.io.said, end.code);
                if let Some(note) = note {
                    let editor = tool
                        .invocation
                        .terminal
                        .and_then(|terminal| self.editors.get_mut(&terminal));
                    if let (Some(editor), Some(action)) = (editor, note.actions.first()) {
                        editor.offer = Some(action.command.clone());
                    }
                    self.world.notice(tool.invocation.terminal, note);
                }
            }
        }
        if let Some(parent) = process.parent
            && self.table.alive(parent)
        {
            self.table.ended.insert(pid, end);
        }
        if let Some(run) = self.runs.get_mut(&pid) {
            run.end = Some(end.code);
        }
        // Ends of its own children that nobody will ask for.
        let running = &self.table.running;
        if let Body::Shell(shell) = &process.body {
            for job in &shell.jobs {
                self.table.ended.remove(&job.pid);
            }
        }
        let terminal =
            process.terminal.filter(|terminal| self.terminals.get(terminal) == Some(&pid));
        if let Some(terminal) = terminal {
            let others: Vec<Pid> = running
                .iter()
                .filter(|(_, process)| process.terminal == Some(terminal))
                .map(|(pid, _)| *pid)
                .collect();
            for other in others {
                self.end(host, other, End { code: SIGHUP, signalled: true });
            }
            self.restart_shell(terminal);
        }
    }

    /// `exit` in a terminal's own shell: a new one takes its place, as a closed window would be reopened.
    fn restart_shell(&mut self, terminal: TerminalId) {
        let pid = self.table.new_pid();
        let process = Process {
            parent: None,
            group: pid,
            terminal: Some(terminal),
            container: None,
            streams: Streams::terminal(terminal),
            stopped: false,
            body: Body::Shell(Box::new(Shell::interactive(pid, None))),
        };
        self.table.running.insert(pid, process);
        self.terminals.insert(terminal, pid);
    }

    fn signal(&mut self, host: &mut dyn Host, target: Target, code: i32) {
        let pids: Vec<Pid> = match target {
            Target::Group(group) => self
                .table
                .running
                .iter()
                .filter(|(_, process)| process.group == group)
                .map(|(pid, _)| *pid)
                .collect(),
            Target::Tree(root) => self.table.tree(root),
        };
        for pid in pids {
            let farewell = self.has_streaming_child(pid);
            let Some(process) = self.table.running.get_mut(&pid) else { continue };
            process.stopped = false;
            let streaming = matches!(&process.body, Body::Tool(tool) if tool.is_streaming());
            match &mut process.body {
                Body::Tool(tool) if streaming && (code == SIGINT || code == SIGTERM) => {
                    tool.deliver(ToolEvent::Interrupt { code });
                }
                // A shell that waits for a tool's farewell ends after it, with its code.
                Body::Shell(shell) if code == SIGINT && farewell && shell.waits_in_foreground() => {
                }
                _ => self.end(host, pid, End { code, signalled: true }),
            }
        }
    }

    fn has_streaming_child(&self, pid: Pid) -> bool {
        self.table.running.iter().any(|(child, process)| {
            process.parent == Some(pid)
                && match &process.body {
                    Body::Tool(tool) => tool.is_streaming(),
                    Body::Shell(_) => self.has_streaming_child(*child),
                    Body::Utility(_) => false,
                }
        })
    }

    /// Processes in a container end with it.
    fn end_with_containers(&mut self, host: &mut dyn Host) {
        if self.table.running.values().all(|process| process.container.is_none()) {
            return;
        }
        let up: Vec<String> = host
            .nodes()
            .into_iter()
            .filter(|node| !matches!(node.state, NodeState::Exited(_)))
            .map(|node| node.name)
            .collect();
        let orphans: Vec<Pid> = self
            .table
            .running
            .iter()
            .filter(|(_, process)| {
                process.container.as_ref().is_some_and(|container| !up.contains(container))
            })
            .map(|(pid, _)| *pid)
            .collect();
        for pid in orphans {
            self.end(host, pid, End { code: SIGKILL, signalled: false });
        }
    }

    /// Moves what runs wrote to their own terminals out of the outputs.
    fn collect_runs(&mut self) {
        for run in self.runs.values_mut() {
            let Some(terminal) = run.terminal else { continue };
            self.world.outputs.retain(|output| {
                if output.terminal != terminal {
                    return true;
                }
                if let Item::Text { text, .. } = &output.item {
                    run.shown.push_str(text);
                }
                false
            });
        }
    }
}
