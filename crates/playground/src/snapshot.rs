//! A snapshot: a session's whole state as bytes. A cache of the journal, good for one version of the engine.
//!
//! Bytes: magic `KPS`, format, the engine's version, postcard of the session, CRC-32C. A record batch is written once,
//! however many replicas and messages hold it.

use cluster::log::batch_pool::with_pool;
use cluster::log::crc::crc32c;

use crate::ENGINE_VERSION;
use crate::seam::Subscription;
use crate::session::Session;

const MAGIC: [u8; 4] = *b"KPS\x01";

/// A session as bytes.
pub fn save(session: &Session) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let body = with_pool(|| {
        postcard::to_stdvec(&(ENGINE_VERSION, session)).expect("plain data encodes into a vector")
    });
    bytes.extend(body);
    let checksum = crc32c(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// The session, or none if the bytes are another engine's or damaged: the journal then builds it again.
pub fn load(bytes: &[u8]) -> Option<Session> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32c(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let body = body.strip_prefix(&MAGIC)?;
    let (version, _) = postcard::take_from_bytes::<&str>(body).ok()?;
    if version != ENGINE_VERSION {
        return None;
    }
    let (_, mut session): (String, Session) = with_pool(|| postcard::from_bytes(body)).ok()?;
    session.watch(Subscription::default());
    Some(session)
}
