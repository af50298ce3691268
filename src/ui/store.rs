//! What the engine told, as signals, and what the page itself remembers. Everything a component reads is here.

use playground::sorted::SortedMap;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use leptos::prelude::*;
use playground::seam::{
    Chunk, Clock, Failure, FromEngine, LineState, Micros, Ready, Speed, StorageState, Stream,
    Subscription, Tab, TerminalId, TerminalInfo, TerminalInput, ToEngine,
};
use playground::view::{
    Action, ClusterView, DrawerView, Flight, Frame, GroupsView, LogView, Model, RpcView, Sentence,
    Subject, TopicsView,
};

use super::shell::preferences::Preferences;
use crate::browser::dom;

/// Lines that a terminal keeps.
const LINES_MAX: usize = 1_200;
/// Sentences that the page keeps.
const SENTENCES_MAX: usize = 500;
/// How long an important sentence stays marked, virtual time.
const MARKED_FOR: Micros = Micros::from_secs(12);

/// What the page shows as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Starting { what: String, done: u64, total: u64 },
    Running,
    Failed(Failure),
}

/// A part of the drawer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawerTab {
    Explain,
    Inspect,
}

/// What floats over the page; at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    None,
    Palette,
    Shortcuts,
    Legend,
    Reset,
}

/// One printed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub id: u32,
    pub stream: Stream,
    pub prompt: String,
    pub text: String,
    pub tag: String,
    pub actions: Vec<Action>,
}

impl Line {
    /// The longest text of a program that counts as its prompt, in letters.
    const PROMPT_MAX: usize = 40;

    /// A program's text whose line has not ended: what it or a person writes next goes on there.
    fn is_open(&self) -> bool {
        matches!(self.stream, Stream::Stdout | Stream::Stderr) && !self.text.ends_with('\n')
    }
}

/// One terminal's screen and line.
#[derive(Clone, Copy)]
pub struct Console {
    pub lines: RwSignal<VecDeque<Line>>,
    pub line: RwSignal<LineState>,
    /// The newest `edit` number sent.
    pub edit: StoredValue<u32>,
}

/// The page's signals. Copies are the same store.
#[derive(Clone, Copy)]
pub struct Store {
    send: StoredValue<Rc<dyn Fn(ToEngine)>, LocalStorage>,
    queue: StoredValue<Rc<RefCell<Vec<FromEngine>>>, LocalStorage>,
    /// What a broken engine left: its journal's file, name and bytes.
    journal: StoredValue<Option<(String, Vec<u8>)>>,
    journal_wanted: StoredValue<bool>,
    pub phase: RwSignal<Phase>,
    pub ready: RwSignal<Ready>,
    pub clock: RwSignal<Clock>,
    pub storage: RwSignal<StorageState>,
    pub cluster: RwSignal<ClusterView>,
    pub topics: RwSignal<TopicsView>,
    pub log: RwSignal<LogView>,
    pub groups: RwSignal<GroupsView>,
    pub rpcs: RwSignal<RpcView>,
    pub drawer: RwSignal<DrawerView>,
    pub narrative: RwSignal<VecDeque<Sentence>>,
    /// Sentences the user chose to look at; else the latest important one is marked.
    pub chosen_sentence: RwSignal<Option<u64>>,
    pub flights: StoredValue<Rc<RefCell<Vec<Flight>>>, LocalStorage>,
    pub terminals: RwSignal<Vec<TerminalInfo>>,
    consoles: StoredValue<SortedMap<TerminalId, Console>>,
    /// What is made later belongs to the page, not to the component that asked first.
    owner: StoredValue<Owner>,
    pub terminal: RwSignal<TerminalId>,
    next_line: StoredValue<u32>,
    /// The engine has told its terminals since it was ready.
    knows_terminals: StoredValue<bool>,
    pub subscription: RwSignal<Subscription>,
    pub drawer_tab: RwSignal<DrawerTab>,
    pub overlay: RwSignal<Overlay>,
    pub text_view: RwSignal<bool>,
    pub presenting: RwSignal<bool>,
    /// Phone: the drawer lies over the view.
    pub drawer_up: RwSignal<bool>,
    pub toast: RwSignal<Option<String>>,
    pub preferences: Preferences,
    /// Changes whenever sizes on the page may have changed.
    pub layout: RwSignal<u32>,
    /// A failure of the link itself, in words.
    pub trouble: RwSignal<Option<String>>,
}

impl Store {
    /// An empty store that sends through `send`.
    pub fn new(send: impl Fn(ToEngine) + 'static) -> Self {
        Self {
            send: StoredValue::new_local(Rc::new(send)),
            queue: StoredValue::new_local(Rc::default()),
            journal: StoredValue::new(None),
            journal_wanted: StoredValue::new(false),
            phase: RwSignal::new(Phase::Starting { what: "Simulator".into(), done: 0, total: 0 }),
            ready: RwSignal::new(Ready::default()),
            clock: RwSignal::new(Clock {
                now: Micros::ZERO,
                running: false,
                speed: Speed::REAL,
                events: 0,
                reached: 0,
            }),
            storage: RwSignal::new(StorageState::Saved),
            cluster: RwSignal::default(),
            topics: RwSignal::default(),
            log: RwSignal::default(),
            groups: RwSignal::default(),
            rpcs: RwSignal::default(),
            drawer: RwSignal::default(),
            narrative: RwSignal::default(),
            chosen_sentence: RwSignal::new(None),
            flights: StoredValue::new_local(Rc::default()),
            terminals: RwSignal::new(vec![TerminalInfo {
                title: "admin".into(),
                ..TerminalInfo::default()
            }]),
            consoles: StoredValue::new(SortedMap::new()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
            terminal: RwSignal::new(0),
            next_line: StoredValue::new(0),
            knows_terminals: StoredValue::new(false),
            subscription: RwSignal::new(Subscription::default()),
            drawer_tab: RwSignal::new(DrawerTab::Explain),
            overlay: RwSignal::new(Overlay::None),
            text_view: RwSignal::new(false),
            presenting: RwSignal::new(false),
            drawer_up: RwSignal::new(false),
            toast: RwSignal::new(None),
            preferences: Preferences::load(),
            layout: RwSignal::new(0),
            trouble: RwSignal::new(None),
        }
    }

    /// Sends the subscription whenever it changes. Called once, when the page is mounted.
    pub fn follow(self) {
        Effect::new(move |last: Option<Subscription>| {
            let wanted = self.subscription.get();
            if self.phase.with_untracked(|phase| *phase == Phase::Running)
                && last.as_ref() != Some(&wanted)
            {
                self.send(ToEngine::Subscribe(wanted.clone()));
            }
            wanted
        });
    }

    /// Tells the engine something.
    pub fn send(&self, message: ToEngine) {
        self.send.with_value(|send| send(message));
    }

    /// Downloads the journal: the engine's, or what a broken engine left.
    pub fn save_journal(&self) {
        match self.journal.get_value() {
            Some((name, bytes)) => self.download(&name, &bytes),
            None => {
                self.journal_wanted.set_value(true);
                self.send(ToEngine::ExportJournal);
            }
        }
    }

    /// Starts a new session. An engine that is gone cannot do it: the next page does.
    pub fn start_afresh(&self) {
        if self.journal.with_value(Option::is_some) {
            dom::reload_afresh();
        } else {
            self.send(ToEngine::Reset);
        }
    }

    fn download(&self, name: &str, bytes: &[u8]) {
        dom::download(name, bytes);
        self.say(format!("Saved {name}"));
    }

    /// Submits a click's command in the terminal in view; `tag` says what was clicked.
    pub fn run(&self, command: impl Into<String>, tag: impl Into<String>) {
        self.preferences.console_open.set(true);
        let tag = format!("from click: {}", tag.into());
        self.send(ToEngine::Run {
            terminal: self.terminal.get_untracked(),
            command: command.into(),
            tag,
        });
    }

    /// Submits what an [`Action`] says.
    pub fn act(&self, action: &Action) {
        self.run(action.command.clone(), action.label.clone());
    }

    /// Opens a view.
    pub fn show(&self, tab: Tab) {
        self.drawer_up.set(false);
        if self.subscription.with_untracked(|subscription| subscription.tab != tab) {
            self.subscription.update(|subscription| subscription.tab = tab);
        }
    }

    /// The view in sight, as a signal.
    pub fn tab(&self) -> Memo<Tab> {
        let subscription = self.subscription;
        Memo::new(move |_| subscription.with(|subscription| subscription.tab))
    }

    /// Selects something and inspects it.
    pub fn inspect(&self, subject: Subject) {
        self.drawer_tab.set(DrawerTab::Inspect);
        self.subscription.update(|subscription| subscription.inspect = Some(subject));
    }

    /// Opens a partition's log.
    pub fn open_log(&self, topic: &str, partition: i32, broker: Option<i32>) {
        self.drawer_up.set(false);
        self.subscription.update(|subscription| {
            subscription.tab = Tab::Log;
            subscription.log.topic = topic.to_string();
            subscription.log.partition = partition;
            subscription.log.broker = broker;
            subscription.log.from = None;
        });
    }

    /// Another tab runs the cluster; this one only watches.
    pub fn read_only(&self) -> bool {
        self.storage.with(|storage| *storage == StorageState::ReadOnly)
    }

    /// The sentence that the page talks about now.
    pub fn current_sentence(&self) -> Option<u64> {
        self.chosen_sentence.get().or_else(|| {
            let now = self.clock.with(|clock| clock.now);
            self.narrative.with(|sentences| {
                let latest = sentences.iter().rev().take(40).find(|sentence| sentence.important)?;
                (now.since(latest.at) <= MARKED_FOR).then_some(latest.id)
            })
        })
    }

    /// A terminal's screen.
    pub fn console(&self, terminal: TerminalId) -> Console {
        if let Some(console) = self.consoles.with_value(|consoles| consoles.get(&terminal).copied())
        {
            return console;
        }
        let console = self.owner.get_value().with(|| Console {
            lines: RwSignal::new(VecDeque::new()),
            line: RwSignal::new(LineState {
                terminal,
                prompt: "$ ".into(),
                ..LineState::default()
            }),
            edit: StoredValue::new(0),
        });
        self.consoles.update_value(|consoles| {
            consoles.insert(terminal, console);
        });
        console
    }

    /// Sends something typed into a terminal; `input` gets the number of the edit.
    pub fn type_into(&self, terminal: TerminalId, input: impl FnOnce(u32) -> TerminalInput) {
        let console = self.console(terminal);
        console.edit.update_value(|edit| *edit += 1);
        self.send(ToEngine::Input { terminal, input: input(console.edit.get_value()) });
    }

    /// Says something briefly.
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        self.toast.set(Some(text.clone()));
        let toast = self.toast;
        set_timeout(
            move || {
                if toast.with_untracked(|shown| shown.as_ref() == Some(&text)) {
                    toast.set(None);
                }
            },
            std::time::Duration::from_secs(6),
        );
    }

    /// Takes a message of the engine; it is applied with the next animation frame (at once while the page is hidden, so
    /// that nothing piles up).
    pub fn receive(&self, message: FromEngine) {
        let queue = self.queue.get_value();
        let first = queue.borrow().is_empty();
        queue.borrow_mut().push(message);
        if dom::hidden() {
            self.apply_queue();
        } else if first {
            let store = *self;
            request_animation_frame(move || store.apply_queue());
        }
    }

    fn apply_queue(&self) {
        let messages = std::mem::take(&mut *self.queue.get_value().borrow_mut());
        for message in messages {
            self.apply(message);
        }
    }

    fn apply(&self, message: FromEngine) {
        match message {
            FromEngine::Starting { what, done, total } => {
                self.phase.set(Phase::Starting { what, done, total })
            }
            FromEngine::Ready(ready) => self.begin(ready),
            FromEngine::Clock(clock) => {
                if self.clock.get_untracked() != clock {
                    self.clock.set(clock);
                }
            }
            FromEngine::Terminals(terminals) => self.set_terminals(terminals),
            FromEngine::Output(chunks) => self.print(chunks),
            FromEngine::Line(state) => self.set_line(state),
            FromEngine::Frame(frame) => self.apply_frame(*frame),
            FromEngine::Narrative(sentences) => self.narrative.update(|kept| {
                kept.extend(sentences);
                while kept.len() > SENTENCES_MAX {
                    kept.pop_front();
                }
            }),
            FromEngine::Storage(state) => self.storage.set(state),
            FromEngine::Journal { name, bytes } if self.journal_wanted.get_value() => {
                self.journal_wanted.set_value(false);
                self.download(&name, &bytes);
            }
            // The engine's last words: it cannot be asked any more.
            FromEngine::Journal { name, bytes } => self.journal.set_value(Some((name, bytes))),
            FromEngine::Failed(mut failure) => {
                // A panic cannot say when: the last clock does.
                if failure.at == Micros::ZERO {
                    let clock = self.clock.get_untracked();
                    (failure.at, failure.event) = (clock.now, clock.events);
                }
                self.phase.set(Phase::Failed(failure));
            }
        }
    }

    fn begin(&self, ready: Ready) {
        self.apply_frame(Frame { full: true, ..Frame::default() });
        self.narrative.set(VecDeque::new());
        self.chosen_sentence.set(None);
        self.consoles.with_value(|consoles| {
            for console in consoles.values() {
                console.lines.set(VecDeque::new());
            }
        });
        if ready.read_only {
            self.storage.set(StorageState::ReadOnly);
        }
        self.ready.set(ready);
        self.knows_terminals.set_value(false);
        self.phase.set(Phase::Running);
        self.send(ToEngine::Subscribe(self.subscription.get_untracked()));
    }

    fn set_terminals(&self, terminals: Vec<TerminalInfo>) {
        let known = self.terminals.with_untracked(|known| known.iter().map(|info| info.id).max());
        let newest = terminals.iter().map(|info| info.id).max();
        let current = self.terminal.get_untracked();
        let news = self.knows_terminals.get_value();
        self.knows_terminals.set_value(true);
        if newest > known && news {
            self.terminal.set(newest.unwrap_or_default());
        } else if !terminals.iter().any(|info| info.id == current) {
            self.terminal.set(terminals.first().map(|info| info.id).unwrap_or_default());
        }
        self.terminals.set(terminals);
    }

    fn set_line(&self, state: LineState) {
        let console = self.console(state.terminal);
        if state.edit == console.edit.get_value() {
            console.line.set(state);
        } else if console.line.with_untracked(|line| line.prompt != state.prompt) {
            console.line.update(|line| line.prompt = state.prompt);
        }
    }

    fn print(&self, chunks: Vec<Chunk>) {
        let mut by_terminal: SortedMap<TerminalId, Vec<Chunk>> = SortedMap::new();
        for chunk in chunks {
            by_terminal.entry(chunk.terminal).or_default().push(chunk);
        }
        for (terminal, chunks) in by_terminal {
            let console = self.console(terminal);
            let mut next = self.next_line.get_value();
            console.lines.update(|lines| {
                for chunk in chunks {
                    add(lines, chunk, &mut next);
                }
                while lines.len() > LINES_MAX {
                    lines.pop_front();
                }
            });
            self.next_line.set_value(next);
        }
    }

    fn apply_frame(&self, mut frame: Frame) {
        let full = frame.full;
        let flights = std::mem::take(&mut frame.flights);
        apply(self.cluster, full, frame.cluster);
        apply(self.topics, full, frame.topics);
        apply(self.log, full, frame.log);
        apply(self.groups, full, frame.groups);
        apply(self.rpcs, full, frame.rpcs);
        apply(self.drawer, full, frame.drawer);
        self.flights.with_value(|waiting| {
            let mut waiting = waiting.borrow_mut();
            let room = Frame::FLIGHTS_MAX.saturating_sub(waiting.len());
            waiting.extend(flights.into_iter().take(room));
        });
    }
}

fn apply<M: Model + Send + Sync + 'static>(
    signal: RwSignal<M>,
    full: bool,
    delta: Option<M::Delta>,
) {
    if !full && delta.is_none() {
        return;
    }
    signal.update(|model| {
        if full {
            *model = M::default();
        }
        if let Some(delta) = delta {
            model.apply(delta);
        }
    });
}

impl Console {
    /// What the running program has printed as a prompt for the line below: the console producer's `>`.
    pub fn asked(&self) -> Option<String> {
        if self.line.with(|line| !line.prompt.is_empty()) {
            return None;
        }
        self.lines.with(|lines| {
            let last = lines.back().filter(|line| line.is_open())?;
            (last.text.chars().count() <= Line::PROMPT_MAX).then(|| last.text.clone())
        })
    }
}

/// Adds a chunk to a screen: lines of the same stream go on where they ended.
fn add(lines: &mut VecDeque<Line>, chunk: Chunk, next: &mut u32) {
    if chunk.stream == Stream::Clear {
        lines.clear();
        return;
    }
    let mut new_line = |prompt: &str, text: &str| {
        *next += 1;
        Line {
            id: *next,
            stream: chunk.stream,
            prompt: prompt.to_string(),
            text: text.to_string(),
            tag: String::new(),
            actions: Vec::new(),
        }
    };
    match chunk.stream {
        Stream::Prompt => {
            // A program that reads has printed its prompt itself (the producer's `>`).
            if !(chunk.text.is_empty() && lines.back().is_some_and(Line::is_open)) {
                let line = new_line(&chunk.text, "");
                lines.push_back(line);
            }
        }
        Stream::Echo => {
            // An echo belongs to the prompt before it.
            let prompt = match lines.back() {
                Some(line) if line.stream == Stream::Prompt => {
                    lines.pop_back().map(|line| line.prompt)
                }
                Some(line) if line.is_open() => lines.pop_back().map(|line| line.text),
                _ => None,
            };
            let mut line = new_line(&prompt.unwrap_or_default(), chunk.text.trim_end_matches('\n'));
            line.tag = chunk.tag;
            lines.push_back(line);
        }
        Stream::Notice => {
            let mut line = new_line("", &chunk.text);
            line.actions = chunk.actions;
            lines.push_back(line);
        }
        Stream::Stdout | Stream::Stderr | Stream::Clear => {
            for piece in chunk.text.split_inclusive('\n') {
                match lines.back_mut() {
                    Some(line) if line.stream == chunk.stream && line.is_open() => {
                        // A line is keyed by its id: a longer line is a new one.
                        let text = format!("{}{piece}", line.text);
                        lines.pop_back();
                        let line = new_line("", &text);
                        lines.push_back(line);
                    }
                    _ => {
                        let line = new_line("", piece);
                        lines.push_back(line);
                    }
                }
            }
        }
    }
}

/// The store of the page that a component is part of.
pub fn use_store() -> Store {
    expect_context::<Store>()
}
