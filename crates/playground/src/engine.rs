//! The engine as the page sees it: messages in, messages out, slices of work in between. The transport (a worker, a direct
//! call in tests) and real time come from outside.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use simulation::Micros;

use crate::ENGINE_VERSION;
use crate::journal::{Entry, Header, Input, Journal, Reached};
use crate::pacing::Pacer;
use crate::seam::{
    Choice, Clock, Failure, FromEngine, LineKey, LineState, Ready, Speed, StorageState, TerminalId,
    TerminalInfo, TerminalInput, TerminalStatus, ToEngine,
};
use crate::session::Session;
use crate::view::{Frame, SentenceKind, Views};

/// Virtual time that "run until something interesting" looks ahead at most.
const HUNT_LIMIT: Micros = Micros::from_secs(600);
/// Events between two looks at the real clock.
const STEPS_PER_LOOK: u32 = 16;

/// A session, its pace, and the page it talks to.
pub struct Engine {
    session: Session,
    /// Everything people did, in order; those after `unsaved_from` are not yet known to be kept.
    entries: Vec<Entry>,
    unsaved_from: usize,
    pacer: Pacer,
    /// Running as fast as possible until something interesting: since this sentence and this time.
    hunting: Option<Micros>,
    sent: Views,
    full_frame: bool,
    sent_clock: Option<Clock>,
    sent_terminals: Vec<TerminalInfo>,
    /// The lines as the page knows them, and the newest edit seen of each terminal.
    sent_lines: SortedMap<TerminalId, console::editor::LineState>,
    edits: SortedMap<TerminalId, u32>,
    storage: Option<StorageState>,
    outbox: VecDeque<FromEngine>,
    reset: bool,
    /// The page was told of a broken guarantee.
    failed: bool,
    restored: bool,
    read_only: bool,
    /// Real time and virtual time at the last frame, for the speed that is really reached.
    last_look: (u64, Micros),
    reached: u32,
}

impl Engine {
    /// A session that begins, or one that was restored with the journal that led to it.
    pub fn new(session: Session, entries: Vec<Entry>, reached: Option<Reached>) -> Self {
        let pacer = reached.map_or(Pacer::new(true, Speed::REAL), |reached| {
            Pacer::new(reached.running, Speed(reached.speed))
        });
        Self {
            session,
            unsaved_from: entries.len(),
            restored: reached.is_some() || !entries.is_empty(),
            entries,
            pacer,
            hunting: None,
            sent: Views::default(),
            full_frame: true,
            sent_clock: None,
            sent_terminals: Vec::new(),
            sent_lines: SortedMap::new(),
            edits: SortedMap::new(),
            storage: None,
            outbox: VecDeque::new(),
            reset: false,
            failed: false,
            read_only: false,
            last_look: (0, Micros::ZERO),
            reached: 0,
        }
    }

    /// Brings a session up from its journal: all entries, then the time that was reached. `progress` gets (done, total).
    pub fn replay(
        journal: Journal,
        reached: Option<Reached>,
        mut progress: impl FnMut(u32, u32),
    ) -> Self {
        let mut session = Session::new(journal.header.clone());
        let total = journal.entries.len() as u32;
        for (done, entry) in (0..).zip(&journal.entries) {
            progress(done, total);
            session.run_until(entry.at, || true);
            session.apply(entry);
        }
        Self::resume(session, journal.entries, reached)
    }

    /// Goes on from a session that has some of the entries: the rest is replayed, then time passes to where it was.
    pub fn resume(mut session: Session, entries: Vec<Entry>, reached: Option<Reached>) -> Self {
        let applied = session.applied() as usize;
        for entry in entries.iter().skip(applied) {
            session.run_until(entry.at, || true);
            session.apply(entry);
        }
        if let Some(reached) = reached {
            session.run_until(reached.at, || true);
        }
        let mut engine = Self::new(session, entries, reached);
        engine.session.narrator_mut().take_fresh();
        engine.session.take_printed();
        engine
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn header(&self) -> &Header {
        self.session.header()
    }

    /// Tells the page who it talks to and what was there before.
    pub fn greet(&mut self, real_us: u64) {
        self.pacer.anchor(real_us, self.session.now());
        self.outbox.push_back(FromEngine::Ready(Ready {
            engine: ENGINE_VERSION.to_owned(),
            seed: self.header().seed,
            epoch_ms: self.header().epoch_ms,
            restored: self.restored,
            read_only: self.read_only,
        }));
        self.sent_terminals.clear();
        self.sent_clock = None;
        self.tell_terminals();
        let scrollback: Vec<_> = self.session.scrollback().cloned().collect();
        if !scrollback.is_empty() {
            self.outbox.push_back(FromEngine::Output(scrollback));
        }
        let kept: Vec<_> = self.session.narrator().kept().cloned().collect();
        if !kept.is_empty() {
            self.outbox.push_back(FromEngine::Narrative(kept));
        }
        if let Some(storage) = &self.storage {
            self.outbox.push_back(FromEngine::Storage(storage.clone()));
        }
        self.full_frame = true;
    }

    /// What was printed and told before the page asked is part of its greeting.
    pub fn begin(&mut self, real_us: u64) {
        self.session.narrator_mut().take_fresh();
        self.session.take_printed();
        self.greet(real_us);
    }

    /// Takes the next message to the page.
    pub fn take_message(&mut self) -> Option<FromEngine> {
        self.outbox.pop_front()
    }

    /// Sends a message of the worker's own in its turn.
    pub fn tell(&mut self, message: FromEngine) {
        if let FromEngine::Storage(state) = &message {
            self.storage = Some(state.clone());
        }
        self.outbox.push_back(message);
    }

    /// Entries that are not yet kept, and the number of the first.
    pub fn unsaved(&self) -> (u32, &[Entry]) {
        (self.unsaved_from as u32, &self.entries[self.unsaved_from..])
    }

    /// Everything below this number is kept.
    pub fn saved(&mut self, until: u32) {
        self.unsaved_from = self.unsaved_from.max(until as usize);
    }

    /// Where the session stands, to be noted beside the journal.
    pub fn reached(&self) -> Reached {
        Reached { at: self.session.now(), running: self.pacer.running, speed: self.pacer.speed.0 }
    }

    /// Whether the page asked for a new session since the last call.
    pub fn take_reset(&mut self) -> bool {
        std::mem::take(&mut self.reset)
    }

    pub fn journal(&self) -> Journal {
        Journal { header: self.header().clone(), entries: self.entries.clone() }
    }

    /// A message of the page's. A tab that only watches may look, not act.
    pub fn handle(&mut self, message: ToEngine, real_us: u64) {
        match message {
            ToEngine::Input { terminal, input } => self.on_input(terminal, input),
            ToEngine::OpenTerminal => {
                self.act(0, Input::OpenTerminal);
                self.tell_terminals();
            }
            ToEngine::CloseTerminal(terminal) => {
                self.act(terminal, Input::CloseTerminal);
                self.tell_terminals();
            }
            ToEngine::Run { terminal, command, tag } => {
                let terminal = self.free_terminal(terminal);
                self.act(terminal, Input::Click { command, tag });
                self.tell_terminals();
            }
            ToEngine::Play => self.set_running(true, real_us),
            ToEngine::Pause => self.set_running(false, real_us),
            ToEngine::Step => {
                self.set_running(false, real_us);
                self.session.step();
            }
            ToEngine::RunUntilInteresting => {
                self.hunting = Some(self.session.now());
                self.pacer.running = true;
            }
            ToEngine::SetSpeed(speed) => {
                self.pacer.speed = speed;
                self.pacer.anchor(real_us, self.session.now());
            }
            ToEngine::Subscribe(subscription) => {
                self.session.watch(subscription);
            }
            ToEngine::Reset => self.reset = true,
            // The worker deals with other tabs and keeps the journal's file.
            ToEngine::TakeOver | ToEngine::ExportJournal => {}
        }
    }

    fn set_running(&mut self, running: bool, real_us: u64) {
        self.hunting = None;
        self.pacer.running = running;
        self.pacer.anchor(real_us, self.session.now());
    }

    fn on_input(&mut self, terminal: TerminalId, input: TerminalInput) {
        use console::editor::{Key, TerminalInput as Editor};
        let mut editing = None;
        let (edit, entry) = match input {
            TerminalInput::Submit { edit, text } => {
                let line = self.session.line_to_submit(terminal, &text);
                (Some(edit), Some(Input::Line(line)))
            }
            TerminalInput::Paste { edit, text } => (Some(edit), Some(Input::Paste(text))),
            TerminalInput::Interrupt => (None, Some(Input::Interrupt)),
            TerminalInput::Eof => (None, Some(Input::EndOfFile)),
            TerminalInput::Edit { edit, text, cursor } => {
                editing = Some(Editor::Edit { text, cursor });
                (Some(edit), None)
            }
            TerminalInput::Key { edit, key } => {
                editing = Some(Editor::Key(match key {
                    LineKey::Up => Key::Up,
                    LineKey::Down => Key::Down,
                    LineKey::Tab => Key::Tab,
                    LineKey::BackTab => Key::BackTab,
                    LineKey::AcceptGhost => Key::AcceptGhost,
                    LineKey::Choose(at) => Key::Choose(at),
                    LineKey::ReverseSearch => Key::Control('r'),
                    LineKey::Escape => Key::Escape,
                }));
                (Some(edit), None)
            }
            TerminalInput::Resize { .. } => return,
        };
        if let Some(editing) = editing {
            self.session.edit_line(terminal, editing);
        }
        if let Some(entry) = entry {
            self.act(terminal, entry);
        }
        if let Some(edit) = edit {
            self.sent_lines.remove(&terminal);
            self.edits.insert(terminal, edit);
        }
        self.tell_terminals();
    }

    /// The lines of terminals whose editors changed: by an edit, or because a program ended or asked.
    fn tell_lines(&mut self) {
        for info in self.terminal_infos() {
            let line = self.session.line_state(info.id);
            if self.sent_lines.get(&info.id) == Some(&line) {
                continue;
            }
            self.sent_lines.insert(info.id, line.clone());
            self.outbox.push_back(FromEngine::Line(LineState {
                terminal: info.id,
                edit: self.edits.get(&info.id).copied().unwrap_or_default(),
                prompt: line.prompt,
                asks: line.mode == console::editor::LineMode::Question,
                text: line.text,
                cursor: line.cursor,
                ghost: line.ghost,
                menu: line
                    .menu
                    .into_iter()
                    .map(|text| Choice { text, about: String::new() })
                    .collect(),
                chosen: line.selected.map(|at| at as u16),
                search: line.search,
            }));
        }
    }

    /// What a person does is done now, after everything else of this moment, and goes into the journal.
    fn act(&mut self, terminal: TerminalId, input: Input) {
        let now = self.session.now();
        self.session.run_until(now, || true);
        let entry = Entry { at: now, terminal, input };
        self.session.apply(&entry);
        self.entries.push(entry);
    }

    /// A click needs a terminal at its prompt: the one asked for, another, or a new one.
    fn free_terminal(&mut self, wanted: TerminalId) -> TerminalId {
        let infos = self.terminal_infos();
        let free = |info: &&TerminalInfo| info.status == TerminalStatus::Idle;
        if let Some(info) = infos
            .iter()
            .filter(free)
            .find(|info| info.id == wanted)
            .or_else(|| infos.iter().find(free))
        {
            return info.id;
        }
        self.act(0, Input::OpenTerminal);
        self.terminal_infos().last().map_or(0, |info| info.id)
    }

    fn terminal_infos(&self) -> Vec<TerminalInfo> {
        self.session.terminal_infos()
    }

    fn tell_terminals(&mut self) {
        let infos = self.terminal_infos();
        if infos != self.sent_terminals {
            self.sent_terminals.clone_from(&infos);
            self.outbox.push_back(FromEngine::Terminals(infos));
        }
        self.tell_lines();
    }

    // ---- time

    /// Works until virtual time is where it should be or `out_of_time` says stop (asked every few events).
    /// True if there is more to do right now.
    pub fn advance(&mut self, real_us: u64, mut out_of_time: impl FnMut() -> bool) -> bool {
        if let Some(since) = self.hunting {
            return self.hunt(since, real_us, out_of_time);
        }
        let target = self.pacer.target(real_us, self.session.now());
        if target <= self.session.now() {
            return false;
        }
        let mut looks = 0;
        let reached = self.session.run_until(target, || {
            looks += 1;
            looks % STEPS_PER_LOOK != 0 || !out_of_time()
        });
        !reached || self.pacer.speed == Speed::MAX && self.pacer.running
    }

    fn hunt(&mut self, since: Micros, real_us: u64, mut out_of_time: impl FnMut() -> bool) -> bool {
        let mut steps = 0;
        loop {
            if self.session.now().since(since) > HUNT_LIMIT
                || !self.session.step()
                || self.found_something()
            {
                self.set_running(false, real_us);
                return false;
            }
            steps += 1;
            if steps % STEPS_PER_LOOK == 0 && out_of_time() {
                return true;
            }
        }
    }

    fn found_something(&self) -> bool {
        let interesting = |kind: SentenceKind| {
            matches!(
                kind,
                SentenceKind::Failure
                    | SentenceKind::Election
                    | SentenceKind::Controller
                    | SentenceKind::IsrShrink
                    | SentenceKind::IsrExpand
                    | SentenceKind::Rebalance
                    | SentenceKind::Anomaly
                    | SentenceKind::Started
            )
        };
        self.session
            .narrator()
            .unseen()
            .any(|sentence| sentence.important && interesting(sentence.kind))
    }

    /// Tells the page what is new. Called at most once for each frame of the page.
    pub fn frame(&mut self, real_us: u64) {
        if let Some(violation) = self.session.violation()
            && !self.failed
        {
            let failure = self.failure(&violation.guarantee, &violation.what);
            self.outbox.push_back(FromEngine::Failed(failure));
            self.failed = true;
        }
        let printed = self.session.take_printed();
        if !printed.is_empty() {
            self.outbox.push_back(FromEngine::Output(printed));
        }
        self.tell_terminals();
        let fresh = self.session.narrator_mut().take_fresh();
        if !fresh.is_empty() {
            self.outbox.push_back(FromEngine::Narrative(fresh));
        }
        self.measure_speed(real_us);
        let clock = Clock {
            now: self.session.now(),
            running: self.pacer.running,
            speed: self.pacer.speed,
            events: self.session.world().simulation().steps(),
            reached: self.reached,
        };
        if self.sent_clock != Some(clock) {
            self.sent_clock = Some(clock);
            self.outbox.push_back(FromEngine::Clock(clock));
        }
        if self.session.subscription().hidden {
            self.session.take_flights();
            return;
        }
        let views = self.session.views();
        if self.full_frame {
            self.sent = Views::default();
        }
        let mut frame = self.sent.diff(&views);
        frame.full = std::mem::take(&mut self.full_frame);
        frame.flights = self.session.take_flights();
        self.sent = views;
        if frame != Frame::default() {
            self.outbox.push_back(FromEngine::Frame(Box::new(frame)));
        }
    }

    /// How fast virtual time really passes, once a second, when that is clearly below the wish.
    fn measure_speed(&mut self, real_us: u64) {
        let (since, from) = self.last_look;
        let real = real_us.saturating_sub(since);
        if real < 1_000_000 {
            return;
        }
        let passed = self.session.now().since(from).0;
        let speed = (u128::from(passed) * 1_000 / u128::from(real)) as u32;
        let wanted = self.pacer.speed;
        let behind =
            self.pacer.running && since > 0 && (wanted == Speed::MAX || speed < wanted.0 / 10 * 9);
        self.reached = if behind { speed } else { 0 };
        self.last_look = (real_us, self.session.now());
    }

    /// What a stop of the engine looks like to the page.
    pub fn failure(&self, what: &str, why: &str) -> Failure {
        let steps = self.session.world().simulation().steps();
        Failure {
            what: what.to_owned(),
            why: why.to_owned(),
            at: self.session.now(),
            seed: self.header().seed,
            event: steps,
            reproduce: format!(
                "the journal kafka-playground-{}.kpj: its seed and commands lead here again",
                self.header().seed
            ),
        }
    }
}
