//! The journal: all that people did in a session, in order. It is the truth; the session's state is a fold over it.
//!
//! Bytes of a header: magic `KPJ`, format (one byte), postcard, CRC-32C (little endian). Bytes of an entry: postcard, CRC-32C.
//! An exported file is the header's length (u32 LE) and bytes, then each entry's length and bytes.

use std::fmt;

use cluster::log::crc::crc32c;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use simulation::Micros;

use crate::seam::TerminalId;

/// Format of journals that this version writes. It reads this and every earlier one.
pub const FORMAT: u8 = 1;
const MAGIC: [u8; 3] = *b"KPJ";

/// What a session starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the engine that wrote it. Another version replays it, and says so.
    pub engine: String,
    pub seed: u64,
    /// What virtual time zero is on the wall: milliseconds since 1970-01-01T00:00:00Z.
    pub epoch_ms: i64,
}

/// One thing that a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When: everything up to and at this time had happened before.
    pub at: Micros,
    pub terminal: TerminalId,
    pub input: Input,
}

/// What a person can do that changes the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A line, by Enter.
    Line(String),
    /// Several lines at once.
    Paste(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfFile,
    /// A click, as the command that it stands for, and the words shown beside it.
    Click {
        command: String,
        tag: String,
    },
    OpenTerminal,
    CloseTerminal,
}

/// How far a session had come when its tab was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub at: Micros,
    pub running: bool,
    /// Thousandths of real time.
    pub speed: u32,
}

/// A whole journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    pub header: Header,
    pub entries: Vec<Entry>,
}

/// Why bytes are not a journal that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// Not a journal at all.
    Foreign,
    TooNew {
        found: u8,
        newest: u8,
    },
    /// `entry`: which of them; none for the header.
    Damaged {
        entry: Option<u32>,
        why: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("this is not a journal of the playground"),
            Self::TooNew { found, newest } => {
                write!(
                    f,
                    "saved by a newer version (format {found}; this one reads up to {newest}). Reload the page to get the newest version"
                )
            }
            Self::Damaged { entry: None, why } => {
                write!(f, "the journal's header is damaged: {why}")
            }
            Self::Damaged { entry: Some(entry), why } => {
                write!(f, "entry {entry} of the journal is damaged: {why}")
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl Header {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(FORMAT);
        seal(self, bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let Some((magic, rest)) = bytes.split_at_checked(4) else { return Err(LoadError::Foreign) };
        if magic[..3] != MAGIC {
            return Err(LoadError::Foreign);
        }
        if magic[3] > FORMAT {
            return Err(LoadError::TooNew { found: magic[3], newest: FORMAT });
        }
        unseal(bytes, rest.len()).map_err(|why| LoadError::Damaged { entry: None, why })
    }
}

impl Entry {
    pub fn to_bytes(&self) -> Vec<u8> {
        seal(self, Vec::new())
    }

    /// `number` is for the error's words.
    pub fn from_bytes(bytes: &[u8], number: u32) -> Result<Self, LoadError> {
        unseal(bytes, bytes.len()).map_err(|why| LoadError::Damaged { entry: Some(number), why })
    }
}

impl Reached {
    pub fn to_bytes(&self) -> Vec<u8> {
        seal(self, Vec::new())
    }

    /// None if it is damaged: the journal's last entry then says how far it came.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        unseal(bytes, bytes.len()).ok()
    }
}

impl Journal {
    /// The parts as they were kept.
    pub fn from_parts(header: &[u8], entries: &[Vec<u8>]) -> Result<Self, LoadError> {
        let header = Header::from_bytes(header)?;
        let entries = (0..)
            .zip(entries)
            .map(|(number, bytes)| Entry::from_bytes(bytes, number))
            .collect::<Result<_, _>>()?;
        Ok(Self { header, entries })
    }

    /// One file.
    pub fn to_file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let parts =
            [self.header.to_bytes()].into_iter().chain(self.entries.iter().map(Entry::to_bytes));
        for part in parts {
            file.extend((part.len() as u32).to_le_bytes());
            file.extend(part);
        }
        file
    }

    pub fn from_file(mut file: &[u8]) -> Result<Self, LoadError> {
        let mut parts = Vec::new();
        while !file.is_empty() {
            let part = take_part(&mut file).ok_or_else(|| match parts.len() {
                0 => LoadError::Foreign,
                number => LoadError::Damaged {
                    entry: Some(number as u32 - 1),
                    why: "the file ends within it".to_owned(),
                },
            })?;
            parts.push(part.to_vec());
        }
        let (header, entries) = parts.split_first().ok_or(LoadError::Foreign)?;
        Self::from_parts(header, entries)
    }
}

fn take_part<'a>(file: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = file.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *file = rest;
    Some(part)
}

/// `bytes`, then the value, then the checksum of both.
fn seal<T: Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    let mut bytes = postcard::to_extend(value, bytes).expect("plain data encodes into a vector");
    let checksum = crc32c(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// Reads the value in the last `length` bytes of `bytes`, whose checksum covers all.
fn unseal<T: DeserializeOwned>(bytes: &[u8], length: usize) -> Result<T, String> {
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or("it is too short")?;
    if crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err("its checksum does not fit".to_owned());
    }
    let start = bytes.len() - length;
    let (value, rest) =
        postcard::take_from_bytes(&body[start..]).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(value) } else { Err(format!("{} bytes too many", rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal {
            header: Header { engine: "0.1.0".into(), seed: 7, epoch_ms: 1_760_000_000_000 },
            entries: vec![
                Entry { at: Micros(5), terminal: 0, input: Input::Line("ls".into()) },
                Entry { at: Micros(9), terminal: 1, input: Input::Interrupt },
            ],
        }
    }

    #[test]
    fn a_file_reads_back() {
        assert_eq!(Journal::from_file(&journal().to_file()), Ok(journal()));
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let file = journal().to_file();
        for position in 0..file.len() {
            let mut damaged = file.clone();
            damaged[position] ^= 0x10;
            assert!(Journal::from_file(&damaged).is_err(), "byte {position}");
        }
        for length in 1..file.len() {
            let cut = Journal::from_file(&file[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.entries.len() < 2), "cut at {length}");
        }
    }

    #[test]
    fn a_newer_format_is_named_and_not_touched() {
        let mut header = journal().header.to_bytes();
        header[3] = FORMAT + 1;
        assert_eq!(
            Header::from_bytes(&header),
            Err(LoadError::TooNew { found: FORMAT + 1, newest: FORMAT })
        );
    }
}
