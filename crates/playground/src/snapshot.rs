//! A snapshot: a session's whole state as bytes. A cache of the journal, good for one build of the engine.
//!
//! Bytes: magic `KPS`, format, the engine's build, the session, CRC-32C. A record batch is written once,
//! however many replicas and messages hold it.

use cluster::log::batch_pool::with_pool;
use cluster::log::crc::crc32c;

use crate::seam::Subscription;
use crate::session::Session;
use crate::{ENGINE_BUILD, codec};

const MAGIC: [u8; 4] = *b"KPS\x01";

/// A session as bytes.
pub fn save(session: &Session) -> Vec<u8> {
    let mut bytes = header();
    bytes.extend(state(session));
    let checksum = crc32c(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// The whole state, without anything around it: equal states have equal bytes.
pub fn state(session: &Session) -> Vec<u8> {
    with_pool(|| codec::write(session, Vec::new()))
}

/// The session, or none if the bytes are another engine's or damaged: the journal then builds it again.
pub fn load(bytes: &[u8]) -> Option<Session> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32c(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let body = body.strip_prefix(header().as_slice())?;
    let mut session: Session = with_pool(|| codec::read(body));
    session.watch(Subscription::default());
    Some(session)
}

/// What the bytes of this engine begin with.
fn header() -> Vec<u8> {
    codec::write(&ENGINE_BUILD, MAGIC.to_vec())
}
