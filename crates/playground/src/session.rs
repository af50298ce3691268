//! A session: a cluster, the console that operates it, and everything that watches them, as one state that a journal adds up to.
//!
//! Time moves by [`Session::step`] alone; people act by [`Session::apply`] alone. Both are deterministic: same header, same
//! entries at the same times, same state, byte for byte.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use cluster::checker::{Checker, Violation};
use cluster::world::{ClusterSpec, World};
use console::console::Console;
use console::host::HostEvent;
use console::output::{ConsoleOutput, Item};
use serde::{Deserialize, Serialize};
use simulation::{Micros, Random};

use crate::host::{Containers, SessionHost};
use crate::journal::{Entry, Header, Input};
use crate::narrator::Narrator;
use crate::observe::Observer;
use console::editor::TerminalInput;

use crate::seam::{Chunk, Stream, Subscription, TerminalId, TerminalInfo, TerminalStatus};
use crate::view::Action;

/// The stream of random numbers that the console draws from; nodes have the small numbers.
const CONSOLE_STREAM: u64 = u64::MAX - 2;
/// A new cluster that is not up after this is shown as it is.
const BOOT_LIMIT: Micros = Micros::from_secs(30);
/// Text kept of each terminal for a page that comes later.
const SCROLLBACK_CHUNKS: usize = 1_000;

/// Everything that a reload brings back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    header: Header,
    /// Entries of the journal that are in this state.
    applied: u32,
    world: World,
    console: Console,
    containers: Containers,
    random: Random,
    narrator: Narrator,
    observer: Observer,
    checker: Checker,
    /// A guarantee that this engine has broken: nothing happens any more.
    violation: Option<Violation>,
    scrollback: SortedMap<TerminalId, VecDeque<Chunk>>,
    /// What was printed since it was last taken.
    #[serde(skip)]
    printed: Vec<Chunk>,
    #[serde(skip)]
    subscription: Subscription,
}

impl Session {
    /// A new cluster of the recordings' kind, running, with one terminal.
    pub fn new(header: Header) -> Self {
        let spec = ClusterSpec::default_cluster(header.epoch_ms);
        let mut session = Self::with_cluster(header, spec);
        session.open_terminal();
        session.boot();
        session
    }

    /// Any cluster, just started, without terminals.
    pub fn with_cluster(header: Header, spec: ClusterSpec) -> Self {
        let world = World::new(spec, header.seed);
        let mut session = Self {
            random: Random::stream(header.seed, CONSOLE_STREAM),
            header,
            applied: 0,
            containers: Containers::new(&world),
            world,
            console: Console::new(),
            narrator: Narrator::default(),
            observer: Observer::default(),
            checker: Checker::default(),
            violation: None,
            scrollback: SortedMap::new(),
            printed: Vec::new(),
            subscription: Subscription::default(),
        };
        session.watch(Subscription::default());
        session
    }

    /// Lets time pass until every broker serves.
    pub fn boot(&mut self) {
        while self.now() < BOOT_LIMIT && !self.all_brokers_serve() && self.step() {}
    }

    fn all_brokers_serve(&self) -> bool {
        self.world.nodes().all(|(spec, node)| {
            node.is_started()
                && node.metadata().brokers.get(&spec.id).is_some_and(|broker| !broker.fenced)
        })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many entries of the journal are in this state.
    pub fn applied(&self) -> u32 {
        self.applied
    }

    pub fn now(&self) -> Micros {
        self.world.now()
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn console(&self) -> &Console {
        &self.console
    }

    pub fn containers(&self) -> &Containers {
        &self.containers
    }

    pub fn narrator(&self) -> &Narrator {
        &self.narrator
    }

    pub fn narrator_mut(&mut self) -> &mut Narrator {
        &mut self.narrator
    }

    /// What is looked at; observers record no more than that needs.
    pub fn watch(&mut self, subscription: Subscription) {
        self.subscription = subscription;
        self.world.simulation_mut().trace_mut().watch(true, true);
    }

    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The read models as the subscription wants them.
    pub fn views(&mut self) -> crate::view::Views {
        self.observer.views(&self.world, &self.containers, &self.subscription)
    }

    /// Messages sent since the last call, for the moving marks.
    pub fn take_flights(&mut self) -> Vec<crate::view::Flight> {
        self.observer.take_flights()
    }

    /// The open terminals and what they do.
    pub fn terminal_infos(&self) -> Vec<TerminalInfo> {
        let info = |id: console::output::TerminalId| TerminalInfo {
            id: seam_terminal(id),
            title: format!("shell {}", id.0),
            status: if self.console.is_at_prompt(id) {
                TerminalStatus::Idle
            } else if self.console.program_reads(id) {
                TerminalStatus::Reading
            } else {
                TerminalStatus::Running
            },
        };
        self.console.terminals().map(info).collect()
    }

    /// What terminals printed since the last call.
    pub fn take_printed(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.printed)
    }

    /// What terminals printed before, as far as it is kept.
    pub fn scrollback(&self) -> impl Iterator<Item = &Chunk> + '_ {
        self.scrollback.values().flatten()
    }

    // ---- time

    /// The guarantee that was broken, if one was: a bug of the engine, which stops the session.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// When something happens next.
    pub fn next_time(&self) -> Option<Micros> {
        if self.violation.is_some() {
            return None;
        }
        let times =
            [self.world.next_time(), self.console.next_deadline(), self.containers.deadline()];
        times.into_iter().flatten().min().map(|next| next.max(self.now()))
    }

    /// Lets the next thing happen; false if nothing ever will. At one time the cluster goes first, then the console.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next_time() else { return false };
        if self.world.next_time().is_some_and(|world| world <= next) {
            self.world.step();
        } else {
            self.world.advance_to(next);
        }
        self.settle();
        true
    }

    /// Lets everything happen until `time`, as long as `go_on` says so (asked after each step). True if `time` was reached.
    pub fn run_until(&mut self, time: Micros, mut go_on: impl FnMut() -> bool) -> bool {
        while self.next_time().is_some_and(|next| next <= time) {
            self.step();
            if !go_on() {
                return false;
            }
        }
        if time < Micros::MAX && self.violation.is_none() {
            self.world.advance_to(time);
        }
        true
    }

    /// Carries what happened to those whom it concerns, until nothing is left to carry at this time.
    fn settle(&mut self) {
        loop {
            let mut events: Vec<HostEvent> = Vec::new();
            while let Some((client, event)) = self.world.take_notice() {
                events.push(HostEvent::Client { client, event });
            }
            if !self.containers.is_quiet() {
                events.extend(self.containers.settle(&mut self.world));
            }
            let due =
                self.console.next_deadline().is_some_and(|deadline| deadline <= self.world.now());
            if events.is_empty() && !due {
                break;
            }
            self.with_console(|console, host| {
                for event in events {
                    console.handle(host, event);
                }
                if due {
                    console.advance(host);
                }
            });
        }
        // A command is told before what comes of it.
        let outputs = self.console.take_outputs();
        self.print(outputs);
        self.observe();
    }

    fn with_console<R>(&mut self, act: impl FnOnce(&mut Console, &mut SessionHost<'_>) -> R) -> R {
        let mut host = SessionHost {
            world: &mut self.world,
            containers: &mut self.containers,
            random: &mut self.random,
        };
        act(&mut self.console, &mut host)
    }

    fn observe(&mut self) {
        let happenings = self.world.simulation_mut().trace_mut().take();
        if happenings.is_empty() {
            return;
        }
        let now = self.world.now();
        if self.violation.is_none() {
            self.violation = self.checker.observe(&self.world, &happenings).err();
        }
        self.containers.observe(now, self.world.spec().epoch_ms, &happenings);
        self.narrator.observe(now, &happenings);
        for (at, anomaly) in self.checker.take_anomalies() {
            self.narrator.anomaly(at, &anomaly);
        }
        self.observer.observe(now, self.world.simulation(), &happenings, &self.subscription);
    }

    // ---- people

    /// Does what a person did, now. Everything that happens at this time has to have happened before: `run_until(now)`.
    pub fn apply(&mut self, entry: &Entry) {
        if self.violation.is_some() {
            return;
        }
        debug_assert_eq!(entry.at, self.now(), "an entry is applied at its time");
        self.applied += 1;
        let terminal = console_terminal(entry.terminal);
        match &entry.input {
            Input::Line(line) => {
                self.type_in(terminal, TerminalInput::Submit(line.clone()));
            }
            Input::Paste(text) => {
                self.type_in(terminal, TerminalInput::Paste(text.clone()));
            }
            Input::Interrupt => self.type_in(terminal, TerminalInput::Interrupt),
            Input::EndOfFile => self.type_in(terminal, TerminalInput::EndOfFile),
            Input::Click { command, tag } => {
                let before = self.printed.len();
                self.type_in(terminal, TerminalInput::Line(command.clone()));
                let outputs = self.console.take_outputs();
                self.print(outputs);
                if let Some(echo) =
                    self.printed[before..].iter_mut().find(|chunk| chunk.stream == Stream::Echo)
                {
                    echo.tag.clone_from(tag);
                }
            }
            Input::OpenTerminal => self.open_terminal(),
            Input::CloseTerminal => {
                self.with_console(|console, host| console.close_terminal(host, terminal));
                self.scrollback.remove(&entry.terminal);
            }
        }
        self.settle();
    }

    /// Hands something to a terminal's line editor. Edits and keys change the line only, so they are no entries of the journal.
    pub(crate) fn type_in(&mut self, terminal: console::output::TerminalId, input: TerminalInput) {
        self.with_console(|console, host| console.input(host, terminal, input));
    }

    /// The line of a terminal as it is edited.
    pub fn line_state(&self, terminal: TerminalId) -> console::editor::LineState {
        self.console.line_state(console_terminal(terminal))
    }

    /// What Enter enters when the line reads `text`: while searching the history, what was found.
    pub fn line_to_submit(&self, terminal: TerminalId, text: &str) -> String {
        self.console.line_to_submit(console_terminal(terminal), text)
    }

    /// An edit or an editing key at a terminal.
    pub fn edit_line(&mut self, terminal: TerminalId, input: TerminalInput) {
        self.type_in(console_terminal(terminal), input);
    }

    fn open_terminal(&mut self) {
        let id = self.console.open_terminal();
        self.scrollback.insert(seam_terminal(id), VecDeque::new());
    }

    /// A line was read at a terminal; tells it if a shell read it as a command.
    fn tell_command(&mut self, prompt: &str, line: &str) {
        let line = line.trim();
        let command = prompt.ends_with("$ ") && !line.is_empty();
        if !command || line.starts_with('#') || line.ends_with("^C") {
            return;
        }
        let told = match line.strip_suffix('\\') {
            Some(first) => format!("{} \u{2026}", first.trim_end()),
            None => line.to_owned(),
        };
        self.narrator.command(self.world.now(), &told);
    }

    /// Runs a command line outside the terminals, as a replay or a test does.
    pub fn start_run(&mut self, spec: console::console::RunSpec) -> console::world::Pid {
        let run = self.with_console(|console, host| console.start(host, spec));
        self.settle();
        run
    }

    /// Acts on the console from outside the terminals: a replay or a test.
    pub fn console_mut<R>(
        &mut self,
        act: impl FnOnce(&mut Console, &mut SessionHost<'_>) -> R,
    ) -> R {
        let result = self.with_console(act);
        self.settle();
        result
    }

    fn print(&mut self, outputs: Vec<ConsoleOutput>) {
        for output in outputs {
            let terminal = seam_terminal(output.terminal);
            let chunk =
                |stream: Stream, text: String| Chunk { terminal, stream, text, ..Chunk::default() };
            let chunks = match output.item {
                Item::Echo { prompt, line } => {
                    self.tell_command(&prompt, &line);
                    vec![chunk(Stream::Prompt, prompt), chunk(Stream::Echo, line)]
                }
                Item::Text { stream: console::output::Stream::Stdout, text } => {
                    vec![chunk(Stream::Stdout, text)]
                }
                Item::Text { stream: console::output::Stream::Stderr, text } => {
                    vec![chunk(Stream::Stderr, text)]
                }
                Item::Notice(notice) => {
                    let actions = notice.actions.into_iter();
                    let actions = actions
                        .map(|action| Action { label: action.label, command: action.command })
                        .collect();
                    vec![Chunk { actions, ..chunk(Stream::Notice, notice.text) }]
                }
                Item::Clear => vec![chunk(Stream::Clear, String::new())],
                Item::Ended { .. } => Vec::new(),
            };
            let kept = self.scrollback.entry(terminal).or_default();
            for chunk in chunks {
                if chunk.stream == Stream::Clear {
                    kept.clear();
                }
                if kept.len() == SCROLLBACK_CHUNKS {
                    kept.pop_front();
                }
                kept.push_back(chunk.clone());
                self.printed.push(chunk);
            }
        }
    }
}

/// The page counts terminals from 0, the console from 1.
pub fn console_terminal(id: TerminalId) -> console::output::TerminalId {
    console::output::TerminalId(id + 1)
}

fn seam_terminal(id: console::output::TerminalId) -> TerminalId {
    id.0.saturating_sub(1)
}
