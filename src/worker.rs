//! The worker: runs the engine, keeps its journal, and shares the cluster with other tabs.
//!
//! One tab holds the lock and runs the cluster; others watch it over a channel and take over when it goes or when asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Promise};
use playground::ENGINE_VERSION;
use playground::engine::Engine;
use playground::journal::{Header, Journal, LoadError, Reached};
use playground::seam::{FromEngine, Ready, StorageState, ToEngine, decode, encode};
use playground::session::Session;
use playground::snapshot;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::browser::clock::{Yielder, entropy, now_us, wall_clock_ms};
use crate::browser::tabs::Tabs;
use crate::browser::{link, lock};
use crate::storage::{IndexedDb, Storage, StorageError, Stored};

/// Names the database, the lock and the channel. All files opened from a disk share one origin, hence the full name.
pub const NAME: &str = "kafka-playground";
/// Work without looking at messages at most.
const SLICE_US: u64 = 4_000;
/// Between two frames for the page.
const FRAME_US: u64 = 16_000;
/// Between two notes of the time reached.
const NOTE_US: u64 = 1_000_000;
/// Between two snapshots.
const SNAPSHOT_US: u64 = 30_000_000;
/// A snapshot larger than this is not taken: the journal is enough.
const SNAPSHOT_BYTES_MAX: usize = 200_000_000;

/// What tabs say to each other.
#[derive(Serialize, Deserialize)]
enum Say {
    /// A tab has come and wants to see everything.
    Hello,
    /// Let me run it.
    TakeOver,
    /// What the page of the running tab is told.
    Told(Vec<u8>),
}

/// What has come in and is not yet handled.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<In>,
    wake: Option<Function>,
}

enum In {
    Page(ToEngine),
    Tab(Say),
}

type SharedInbox = Rc<RefCell<Inbox>>;

fn put(inbox: &SharedInbox, message: In) {
    let wake = {
        let mut inbox = inbox.borrow_mut();
        inbox.messages.push_back(message);
        inbox.wake.take()
    };
    if let Some(wake) = wake {
        let _ = wake.call0(&JsValue::NULL);
    }
}

fn take(inbox: &SharedInbox) -> Option<In> {
    inbox.borrow_mut().messages.pop_front()
}

/// Waits until something comes in.
async fn wait(inbox: &SharedInbox) {
    let promise = Promise::new(&mut |resolve, _| {
        let mut inbox = inbox.borrow_mut();
        if inbox.messages.is_empty() {
            inbox.wake = Some(resolve);
        } else {
            let _ = resolve.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// Starts the worker.
pub fn start() {
    let inbox = SharedInbox::default();
    let from_page = Rc::clone(&inbox);
    link::listen(move |bytes| match decode::<ToEngine>(&bytes) {
        Ok(message) => put(&from_page, In::Page(message)),
        Err(error) => {
            tell_page(&FromEngine::Starting { what: error.to_string(), done: 0, total: 0 })
        }
    });
    let from_tabs = Rc::clone(&inbox);
    let tabs = Tabs::open(NAME, move |bytes| {
        if let Ok(say) = decode::<Say>(&bytes) {
            put(&from_tabs, In::Tab(say));
        }
    });
    tell_page(&FromEngine::Starting { what: "Starting the engine".to_owned(), done: 0, total: 0 });
    spawn_local(async move {
        let Ok(tabs) = tabs else {
            tell_page(&FromEngine::Starting {
                what: "This browser cannot connect tabs".to_owned(),
                done: 0,
                total: 0,
            });
            return;
        };
        loop {
            let held = match lock::take(NAME, false).await {
                Some(held) => held,
                None => watch(&inbox, &tabs).await,
            };
            run(&inbox, &tabs).await;
            // Another tab asked for it: it waits for the lock already.
            drop(held);
        }
    });
}

fn tell_page(message: &FromEngine) {
    // The page is there as long as this worker is.
    let _ = link::post(&encode(message));
}

/// Shows what the running tab shows, until this tab gets the lock.
async fn watch(inbox: &SharedInbox, tabs: &Tabs) -> lock::Lock {
    let ready = Ready { engine: ENGINE_VERSION.to_owned(), read_only: true, ..Ready::default() };
    tell_page(&FromEngine::Ready(ready));
    tell_page(&FromEngine::Storage(StorageState::ReadOnly));
    tabs.say(&encode(&Say::Hello));
    let granted: Rc<RefCell<Option<lock::Lock>>> = Rc::default();
    let waiting = (Rc::clone(&granted), Rc::clone(inbox));
    spawn_local(async move {
        let (granted, inbox) = waiting;
        *granted.borrow_mut() = lock::take(NAME, true).await;
        // Wakes the loop below.
        put(&inbox, In::Page(ToEngine::TakeOver));
    });
    loop {
        wait(inbox).await;
        while let Some(message) = take(inbox) {
            if let Some(held) = granted.borrow_mut().take() {
                return held;
            }
            match message {
                In::Page(ToEngine::TakeOver) => tabs.say(&encode(&Say::TakeOver)),
                In::Tab(Say::Told(bytes)) => {
                    let _ = link::post(&bytes);
                }
                // Looking is free, but only what the running tab looks at is sent.
                In::Page(_) | In::Tab(_) => {}
            }
        }
    }
}

/// Runs the cluster until another tab wants it.
async fn run(inbox: &SharedInbox, tabs: &Tabs) {
    let storage = open_storage().await;
    let (mut engine, mut keeper) = load(storage).await;
    prepare_last_words(&engine, &keeper);
    engine.begin(now_us());
    engine.tell(FromEngine::Storage(keeper.state.clone()));
    let Ok(yielder) = Yielder::new() else { return };
    let mut watched = false;
    let mut next_frame = now_us();
    loop {
        let mut leave = false;
        while let Some(message) = take(inbox) {
            match message {
                In::Page(ToEngine::ExportJournal) => {
                    let name = format!("kafka-playground-{}.kpj", engine.header().seed);
                    engine.tell(FromEngine::Journal {
                        name,
                        bytes: JOURNAL.with_borrow(Clone::clone),
                    });
                }
                In::Page(message) => engine.handle(message, now_us()),
                In::Tab(Say::Hello) => {
                    watched = true;
                    engine.greet(now_us());
                }
                In::Tab(Say::TakeOver) => leave = true,
                In::Tab(Say::Told(_)) => {}
            }
        }
        if engine.take_reset() {
            (engine, keeper) = begin_anew(keeper.storage).await;
            prepare_last_words(&engine, &keeper);
            engine.begin(now_us());
            engine.tell(FromEngine::Storage(keeper.state.clone()));
        }
        keeper.keep(&mut engine).await;
        if leave {
            keeper.note(&engine, true).await;
            return;
        }
        let slice_end = now_us() + SLICE_US;
        let more = engine.advance(now_us(), || now_us() >= slice_end);
        if now_us() >= next_frame {
            engine.frame(now_us());
            while let Some(message) = engine.take_message() {
                let bytes = encode(&message);
                if watched && !matches!(message, FromEngine::Storage(_)) {
                    tabs.say(&encode(&Say::Told(for_watchers(message, &bytes))));
                }
                let _ = link::post(&bytes);
            }
            keeper.note(&engine, false).await;
            next_frame = (next_frame + FRAME_US).max(now_us());
        }
        let now = now_us();
        if more {
            yielder.tick().await;
        } else if engine.reached().running || now < next_frame {
            let left_ms = (next_frame.saturating_sub(now) / 1_000).clamp(1, 16);
            TimeoutFuture::new(left_ms as u32).await;
        } else if !engine.reached().running {
            // A stopped cluster is perfectly still: nothing to do until somebody does something.
            wait(inbox).await;
            next_frame = now_us();
        }
    }
}

/// Other tabs are told the same, but that they only watch.
fn for_watchers(message: FromEngine, bytes: &[u8]) -> Vec<u8> {
    match message {
        FromEngine::Ready(ready) => encode(&FromEngine::Ready(Ready { read_only: true, ..ready })),
        _ => bytes.to_vec(),
    }
}

async fn open_storage() -> Result<IndexedDb, StorageError> {
    IndexedDb::open(NAME, || tell_page(&FromEngine::Storage(StorageState::Blocked))).await
}

fn state_of(error: &StorageError, unsaved: u32) -> StorageState {
    match error {
        StorageError::Unavailable(why) | StorageError::Failed(why) => {
            StorageState::Unavailable { why: why.clone() }
        }
        StorageError::QuotaExceeded => StorageState::QuotaExceeded { unsaved },
        StorageError::Blocked => StorageState::Blocked,
        StorageError::Newer => StorageState::Newer {
            found: u16::from(playground::journal::FORMAT) + 1,
            newest: u16::from(playground::journal::FORMAT),
        },
    }
}

fn new_header() -> Header {
    Header { engine: ENGINE_VERSION.to_owned(), seed: entropy(), epoch_ms: wall_clock_ms() }
}

/// Keeps what the engine has not yet kept.
struct Keeper {
    /// None: nothing is kept.
    storage: Option<IndexedDb>,
    /// Entries may be written: not if what is stored is damaged or newer.
    writing: bool,
    state: StorageState,
    last_note: u64,
    last_snapshot: u64,
    noted: Option<Reached>,
}

impl Keeper {
    fn new(storage: Option<IndexedDb>, writing: bool, state: StorageState) -> Self {
        let now = now_us();
        Self { storage, writing, state, last_note: now, last_snapshot: now, noted: None }
    }

    fn set(&mut self, engine: &mut Engine, state: StorageState) {
        if self.state != state {
            self.state = state.clone();
            engine.tell(FromEngine::Storage(state));
        }
    }

    /// Makes new entries durable, then says so.
    async fn keep(&mut self, engine: &mut Engine) {
        let (first, entries) = engine.unsaved();
        if entries.is_empty() {
            return;
        }
        let count = entries.len() as u32;
        let bytes: Vec<Vec<u8>> =
            entries.iter().map(playground::journal::Entry::to_bytes).collect();
        if !self.is_unreadable() {
            remember_entries(&bytes);
        }
        let Some(storage) = self.storage.as_ref().filter(|_| self.writing) else {
            engine.saved(first + count);
            return;
        };
        match storage.append(first, &bytes).await {
            Ok(()) => {
                engine.saved(first + count);
                self.set(engine, StorageState::Saved);
            }
            Err(error) => {
                // They stay in the engine and are tried again with the next ones.
                self.set(engine, state_of(&error, count));
            }
        }
    }

    /// What is kept cannot be read: it stays as it is, and is what "Save the journal" gives.
    fn is_unreadable(&self) -> bool {
        matches!(self.state, StorageState::Damaged { .. } | StorageState::Newer { .. })
    }

    /// Notes the time reached every second, and takes a snapshot now and then.
    async fn note(&mut self, engine: &Engine, leaving: bool) {
        let now = now_us();
        let Some(storage) = self.storage.as_ref().filter(|_| self.writing) else { return };
        let reached = engine.reached();
        let due = leaving || now.saturating_sub(self.last_note) >= NOTE_US;
        if due && self.noted != Some(reached) {
            self.last_note = now;
            if storage.note_reached(&reached.to_bytes()).await.is_ok() {
                self.noted = Some(reached);
            }
        }
        let worth = leaving || now.saturating_sub(self.last_snapshot) >= SNAPSHOT_US;
        if worth && matches!(self.state, StorageState::Saved) && engine.unsaved().1.is_empty() {
            self.last_snapshot = now;
            let bytes = snapshot::save(engine.session());
            if bytes.len() <= SNAPSHOT_BYTES_MAX {
                // A cache: without it the journal builds the session again, only slower.
                let _ = storage.save_snapshot(&bytes).await;
            }
        }
    }
}

/// What is kept, brought back; or a new session, if there is nothing or it cannot be read.
async fn load(storage: Result<IndexedDb, StorageError>) -> (Engine, Keeper) {
    let storage = match storage {
        Ok(storage) => storage,
        Err(error) => {
            return (new_engine(new_header()), Keeper::new(None, false, state_of(&error, 0)));
        }
    };
    let stored = match storage.load().await {
        Ok(stored) => stored,
        Err(error) => {
            return (
                new_engine(new_header()),
                Keeper::new(Some(storage), false, state_of(&error, 0)),
            );
        }
    };
    let Some(header) = &stored.header else { return begin_anew(Some(storage)).await };
    match Journal::from_parts(header, &stored.entries) {
        Ok(journal) => {
            (bring_back(journal, &stored), Keeper::new(Some(storage), true, StorageState::Saved))
        }
        Err(error) => {
            let state = match error {
                LoadError::TooNew { found, newest } => {
                    StorageState::Newer { found: u16::from(found), newest: u16::from(newest) }
                }
                error => StorageState::Damaged { why: error.to_string() },
            };
            remember_stored(&stored);
            (new_engine(new_header()), Keeper::new(Some(storage), false, state))
        }
    }
}

fn bring_back(journal: Journal, stored: &Stored) -> Engine {
    let reached = stored.reached.as_deref().and_then(Reached::from_bytes);
    let session = stored.snapshot.as_deref().and_then(snapshot::load);
    // A snapshot of another session, or one that knows more than the journal, is no use.
    let usable = session.filter(|session| {
        *session.header() == journal.header && session.applied() as usize <= journal.entries.len()
    });
    match usable {
        Some(session) => Engine::resume(session, journal.entries, reached),
        None => Engine::replay(journal, reached, |done, total| {
            if done % 20 == 0 {
                let what = "Replaying what you did".to_owned();
                tell_page(&FromEngine::Starting {
                    what,
                    done: u64::from(done),
                    total: u64::from(total),
                });
            }
        }),
    }
}

fn new_engine(header: Header) -> Engine {
    Engine::new(Session::new(header), Vec::new(), None)
}

/// Forgets what was kept and starts a new session.
async fn begin_anew(storage: Option<IndexedDb>) -> (Engine, Keeper) {
    let header = new_header();
    let begun = match &storage {
        Some(storage) => storage.begin(&header.to_bytes()).await,
        None => Err(StorageError::Unavailable("it is switched off".to_owned())),
    };
    let engine = new_engine(header);
    let keeper = match begun {
        Ok(()) => Keeper::new(storage, true, StorageState::Saved),
        Err(error) => Keeper::new(storage, false, state_of(&error, 0)),
    };
    (engine, keeper)
}

// ---- what is left when the engine panics

thread_local! {
    /// The journal's file so far: a panic ends this worker, and the page should still get it.
    static JOURNAL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// From here on a panic tells the page what happened, and gives it the journal. What cannot be read stays remembered as it
/// was found.
fn prepare_last_words(engine: &Engine, keeper: &Keeper) {
    if !keeper.is_unreadable() {
        JOURNAL.set(engine.journal().to_file());
    }
    let seed = engine.header().seed;
    std::panic::set_hook(Box::new(move |panic| {
        let name = format!("kafka-playground-{seed}.kpj");
        tell_page(&FromEngine::Journal { name, bytes: JOURNAL.with_borrow(Clone::clone) });
        let failure = playground::seam::Failure {
            what: "panic".to_owned(),
            why: panic.to_string(),
            seed,
            ..playground::seam::Failure::default()
        };
        tell_page(&FromEngine::Failed(failure));
    }));
}

fn remember_entries(entries: &[Vec<u8>]) {
    JOURNAL.with_borrow_mut(|file| {
        for entry in entries {
            file.extend((entry.len() as u32).to_le_bytes());
            file.extend(entry);
        }
    });
}

fn remember_stored(stored: &Stored) {
    let parts = stored.header.iter().chain(&stored.entries);
    JOURNAL.with_borrow_mut(|file| {
        file.clear();
        for part in parts {
            file.extend((part.len() as u32).to_le_bytes());
            file.extend(part);
        }
    });
}
