//! Where a session is kept: one small trait, and IndexedDB behind it. Runs in the worker, beside the session.
//!
//! Only bytes pass here; what they mean is `playground::journal`'s and `playground::snapshot`'s business.

mod indexed_db;

pub use indexed_db::IndexedDb;

use std::fmt;

/// What is kept of a session. The journal is the truth, the snapshot a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The journal's header; none if nothing was ever kept.
    pub header: Option<Vec<u8>>,
    /// The journal's entries, in order.
    pub entries: Vec<Vec<u8>>,
    /// The virtual time reached, and whether it was running.
    pub reached: Option<Vec<u8>>,
    pub snapshot: Option<Vec<u8>>,
}

/// Why something could not be kept or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The browser has no storage for this page (private window, refused, switched off).
    Unavailable(String),
    /// The disk or this page's share of it is full. What was kept before is safe.
    QuotaExceeded,
    /// Another tab holds an older version of the database open.
    Blocked,
    /// The database was made by a newer version of the page.
    Newer,
    /// Anything else, in the browser's words.
    Failed(String),
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "this browser keeps nothing for this page: {why}"),
            Self::QuotaExceeded => f.write_str("the space for this page is full"),
            Self::Blocked => {
                f.write_str("another tab holds an older version of the saved session open")
            }
            Self::Newer => {
                f.write_str("the saved session was made by a newer version of this page")
            }
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// Keeps one session. Each call is durable when it returns.
pub trait Storage {
    /// Everything that is kept.
    fn load(&self) -> impl Future<Output = Result<Stored, StorageError>>;

    /// Starts a new session: forgets what was kept and keeps this header.
    fn begin(&self, header: &[u8]) -> impl Future<Output = Result<(), StorageError>>;

    /// Appends entries; the first has the number `first`.
    fn append(
        &self,
        first: u32,
        entries: &[Vec<u8>],
    ) -> impl Future<Output = Result<(), StorageError>>;

    /// Notes the time reached.
    fn note_reached(&self, reached: &[u8]) -> impl Future<Output = Result<(), StorageError>>;

    /// Keeps a snapshot instead of the one before.
    fn save_snapshot(&self, snapshot: &[u8]) -> impl Future<Output = Result<(), StorageError>>;
}
