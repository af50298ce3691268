//! What crosses between the page and the engine, and its bytes.
//!
//! Plain data in the page's terms, so that the transport can be a worker, a direct call (tests), a BroadcastChannel
//! (a second tab) or a socket. Bytes: magic `KP`, [`VERSION`] as two bytes (little endian), then a CRC-32C and the message (`codec`).

use std::fmt;

use cluster::log::crc::crc32c;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
pub use simulation::Micros;

use crate::codec;
use crate::view::{Action, Frame, Sentence, Subject};

/// Format of the messages. Page and worker are one module; a second tab may be older or newer.
pub const VERSION: u16 = 2;
const MAGIC: [u8; 2] = *b"KP";

/// A terminal, numbered from 0 in the order they were opened; 0 is the first and is always there.
pub type TerminalId = u32;

/// From the page to the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// Something typed into a terminal.
    Input {
        terminal: TerminalId,
        input: TerminalInput,
    },
    /// Answered by [`FromEngine::Terminals`].
    OpenTerminal,
    CloseTerminal(TerminalId),
    /// A click: its command, submitted as if typed. If that terminal is busy the engine takes another one, or opens one.
    Run {
        terminal: TerminalId,
        command: String,
        /// Shown beside the echo: `from click: Kill on broker 2`.
        tag: String,
    },
    Play,
    Pause,
    /// One event, then pause.
    Step,
    /// Run as fast as possible to the next failure, election, rebalance or ISR change, then pause.
    RunUntilInteresting,
    SetSpeed(Speed),
    /// Which views the page looks at. Frames follow it; the first after a change holds what is new to it.
    Subscribe(Subscription),
    /// Throws the session away and starts a new one. The page has asked.
    Reset,
    /// Answered by [`FromEngine::Journal`].
    ExportJournal,
    /// A read-only tab becomes the one that runs the cluster.
    TakeOver,
}

/// Something typed. The page's `<input>` owns the text while it is edited; the engine answers with [`LineState`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalInput {
    /// The text of the line and the caret (in `char`s) after an edit. `edit` grows with each event of the terminal.
    Edit { edit: u32, text: String, cursor: u32 },
    /// Enter: the line as it stands.
    Submit { edit: u32, text: String },
    /// A key that needs the shell: history, completion, search.
    Key { edit: u32, key: LineKey },
    /// Several lines at once; each is run as if typed, the rest after the last newline stays in the line.
    Paste { edit: u32, text: String },
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    Eof,
    /// Columns and rows that fit, for tools that ask.
    Resize { columns: u16, rows: u16 },
}

/// Keys that the shell's line editor handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineKey {
    Up,
    Down,
    Tab,
    BackTab,
    /// Take the ghost text (Right or End at the end of the line).
    AcceptGhost,
    /// Take the n-th choice of the menu (a click, or Enter on it).
    Choose(u16),
    /// Ctrl-R: start reverse search, or the next older match.
    ReverseSearch,
    /// Close the menu or leave the search.
    Escape,
}

/// Virtual seconds for each real second, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Speed(pub u32);

impl Speed {
    pub const SLOWEST: Self = Self(1);
    pub const REAL: Self = Self(1_000);
    pub const FASTEST_PACED: Self = Self(100_000);
    /// As fast as possible.
    pub const MAX: Self = Self(u32::MAX);
}

/// What the page looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub tab: Tab,
    /// The page is hidden: no frames but the narrative's.
    pub hidden: bool,
    /// Topics the diagram should rather show.
    pub pinned_topics: Vec<String>,
    /// Log tab: which replica; broker `None` is the leader; topic empty is the engine's choice (the busiest).
    pub log: LogChoice,
    /// Groups tab: which group; `None` is the engine's choice.
    pub group: Option<String>,
    /// RPCs tab.
    pub rpc: RpcChoice,
    /// Drawer's Inspect.
    pub inspect: Option<Subject>,
}

/// The views. The drawer and the narrative come with each; the cluster model comes with every tab (brokers, quorum,
/// keys are needed everywhere), its replicas and flights only with [`Tab::Cluster`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tab {
    #[default]
    Cluster,
    Topics,
    Log,
    Groups,
    Rpcs,
}

/// Which part of which log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChoice {
    pub topic: String,
    pub partition: i32,
    pub broker: Option<i32>,
    /// First offset to show; `None` follows the end.
    pub from: Option<i64>,
    /// Offset to look up through the index; `None` is the newest batch.
    pub lookup: Option<i64>,
}

/// Which messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcChoice {
    /// Families to show; empty is Produce and Fetch.
    pub families: Vec<crate::view::ApiFamily>,
    /// The window stands still, so that one can read it.
    pub held: bool,
    /// Width of the window, microseconds of virtual time; 0 is the engine's choice.
    pub window: u64,
}

/// From the engine to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromEngine {
    /// Loading, replaying: what is done, `done` of `total` (0 if unknown).
    Starting {
        what: String,
        done: u64,
        total: u64,
    },
    /// A life begins: the page forgets all it drew. Terminals, scrollback, narrative and a full frame follow.
    Ready(Ready),
    Clock(Clock),
    /// All terminals, whenever one of them changes.
    Terminals(Vec<TerminalInfo>),
    Output(Vec<Chunk>),
    Line(LineState),
    Frame(Box<Frame>),
    /// New sentences, oldest first.
    Narrative(Vec<Sentence>),
    Storage(StorageState),
    /// The journal's file.
    Journal {
        name: String,
        bytes: Vec<u8>,
    },
    /// An invariant broke or the engine panicked: nothing runs any more; the journal is kept.
    Failed(Failure),
}

/// How the session stands as it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub engine: String,
    pub seed: u64,
    /// The moment that virtual time counts from, ms since 1970.
    pub epoch_ms: i64,
    /// It was restored, not started anew.
    pub restored: bool,
    /// Another tab runs this cluster; this one watches.
    pub read_only: bool,
}

/// Virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub now: Micros,
    pub running: bool,
    pub speed: Speed,
    /// Events handled since the session began.
    pub events: u64,
    /// Real speed reached, thousandths, when it is below the wanted one; 0 otherwise.
    pub reached: u32,
}

/// One terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalInfo {
    pub id: TerminalId,
    /// `admin`, `producer`, `consumer billing`: what it does or did last.
    pub title: String,
    pub status: TerminalStatus,
}

/// What a terminal does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TerminalStatus {
    #[default]
    Idle,
    /// A command runs and reads nothing.
    Running,
    /// A command runs and reads lines (a console producer).
    Reading,
    /// A command runs and prints as things come (a console consumer).
    Streaming,
    /// The shell ended.
    Exited(i32),
}

/// Something a terminal prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub terminal: TerminalId,
    pub stream: Stream,
    /// May hold several lines, and may end within one (the next chunk of the same stream goes on).
    pub text: String,
    /// Beside an echo: `from click: Kill on broker 2`.
    pub tag: String,
    /// Under a note: its fix.
    pub actions: Vec<Action>,
}

/// Where a chunk belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    #[default]
    Stdout,
    Stderr,
    /// A submitted line, without its prompt.
    Echo,
    /// The prompt before an echo: `$ `, `>`, empty.
    Prompt,
    /// Our own words: explanation, repair, fix. Never part of stdout or stderr.
    Notice,
    /// Forget everything above (`clear`).
    Clear,
}

/// The line editor, as the engine sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    pub terminal: TerminalId,
    /// The newest `edit` that this state has seen. If the page is ahead it ignores `text`, `cursor`, ghost and menu.
    pub edit: u32,
    pub prompt: String,
    /// The console has asked for a value; Tab on the empty line shows what there is.
    pub asks: bool,
    pub text: String,
    /// In `char`s.
    pub cursor: u32,
    /// What would follow the text, in grey.
    pub ghost: String,
    pub menu: Vec<Choice>,
    /// The highlighted choice.
    pub chosen: Option<u16>,
    /// Reverse search: what is being looked for.
    pub search: Option<String>,
}

/// One completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The word: `--bootstrap-server`.
    pub text: String,
    /// What it is, in a few words.
    pub about: String,
}

/// Is what the user did kept?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageState {
    Saved,
    /// So many entries are on their way to the disk.
    Saving(u32),
    /// Nothing will be kept: private window, storage refused.
    Unavailable {
        why: String,
    },
    /// The disk is full; what was saved is safe, the rest lives in this tab only.
    QuotaExceeded {
        unsaved: u32,
    },
    /// Another tab holds an older version of the database open.
    Blocked,
    /// Saved data can't be read; it is kept as it is.
    Damaged {
        why: String,
    },
    /// Saved by a newer version; kept as it is.
    Newer {
        found: u16,
        newest: u16,
    },
    /// Another tab runs this cluster.
    ReadOnly,
}

/// What stopped the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The invariant's name, or `panic`.
    pub what: String,
    /// In words.
    pub why: String,
    pub at: Micros,
    pub seed: u64,
    /// Number of the event that broke it.
    pub event: u64,
    /// The command that shows it again.
    pub reproduce: String,
}

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeamError {
    /// Another program's bytes, or too few.
    Foreign,
    /// A newer or older page: reload.
    Version { found: u16, ours: u16 },
    /// The right version, but not a message.
    Damaged,
}

impl fmt::Display for SeamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "these bytes are not a message of the playground"),
            Self::Version { found, ours } if found > ours => {
                write!(
                    f,
                    "a message of a newer version (format {found}; this page reads {ours}). Reload the page."
                )
            }
            Self::Version { found, ours } => {
                write!(
                    f,
                    "a message of an older version (format {found}; this page reads {ours}). Reload the other tab."
                )
            }
            Self::Damaged => f.write_str("a damaged message: its checksum does not fit"),
        }
    }
}

impl std::error::Error for SeamError {}

/// A message as bytes: magic, version, CRC-32C of the rest, the message.
pub fn encode<M: Serialize>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 4]);
    let mut bytes = codec::write(message, bytes);
    let checksum = crc32c(&bytes[8..]);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// A message from bytes.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, SeamError> {
    let (magic, bytes) = bytes.split_first_chunk::<2>().ok_or(SeamError::Foreign)?;
    if *magic != MAGIC {
        return Err(SeamError::Foreign);
    }
    let (version, bytes) = bytes.split_first_chunk::<2>().ok_or(SeamError::Foreign)?;
    let found = u16::from_le_bytes(*version);
    if found != VERSION {
        return Err(SeamError::Version { found, ours: VERSION });
    }
    let (checksum, body) = bytes.split_first_chunk::<4>().ok_or(SeamError::Damaged)?;
    if crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err(SeamError::Damaged);
    }
    Ok(codec::read(body))
}
