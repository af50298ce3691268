//! Shared bytes are written once: however many replicas and messages hold an `Arc`, a snapshot stores its bytes one time.
//!
//! While [`with_pool`] runs, the first holder of some bytes writes them and each later holder writes only their number;
//! reading back restores the sharing. Outside of it every holder writes its bytes, so single messages can be stored too.

use simulation::sorted::SortedMap;
use std::cell::RefCell;
use std::sync::Arc;

use crate::types::Bytes;

/// What the running [`with_pool`] has seen so far. The entries keep their `Arc`s alive, so that an address stands for
/// the same bytes until the scope ends.
#[derive(Default)]
struct BatchPool {
    entries: Vec<Bytes>,
    number_by_address: SortedMap<usize, u32>,
}

thread_local! {
    // Serde hands no context to `Serialize`, so the scope is found here. Never part of the state.
    static POOL: RefCell<Option<BatchPool>> = const { RefCell::new(None) };
}

/// Runs `scope`, in which all [`Bytes`] that are serialised (or deserialised) share one pool. Scopes do not nest: an
/// inner one starts empty and the outer one goes on behind it.
pub fn with_pool<R>(scope: impl FnOnce() -> R) -> R {
    let outer = POOL.with(|pool| pool.replace(Some(BatchPool::default())));
    let result = scope();
    POOL.with(|pool| pool.replace(outer));
    result
}

/// The number of `bytes` in the running pool, and whether this is their first holder; `None` outside of a pool.
fn number(bytes: &Bytes) -> Option<(u32, bool)> {
    POOL.with(|pool| {
        let mut pool = pool.borrow_mut();
        let pool = pool.as_mut()?;
        let next = pool.entries.len() as u32;
        let address = Arc::as_ptr(bytes).cast::<u8>().addr();
        let number = *pool.number_by_address.entry(address).or_insert(next);
        if number == next {
            pool.entries.push(bytes.clone());
        }
        Some((number, number == next))
    })
}

/// For fields of type [`Bytes`]: `#[serde(with = "crate::log::batch_pool::shared")]`.
pub mod shared {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Bytes, POOL, number};

    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        match number(bytes) {
            Some((number, false)) => (number, None::<Raw>),
            Some((number, true)) => (number, Some(Raw(bytes.clone()))),
            None => (0, Some(Raw(bytes.clone()))),
        }
        .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let (number, raw) = <(u32, Option<Raw>)>::deserialize(deserializer)?;
        POOL.with(|pool| match (pool.borrow_mut().as_mut(), raw) {
            (Some(pool), Some(Raw(bytes))) => {
                pool.entries.push(bytes.clone());
                Ok(bytes)
            }
            (None, Some(Raw(bytes))) => Ok(bytes),
            (Some(pool), None) => pool
                .entries
                .get(number as usize)
                .cloned()
                .ok_or_else(|| D::Error::custom("unknown bytes in the pool")),
            (None, None) => Err(D::Error::custom("pooled bytes outside of a pool")),
        })
    }

    /// Bytes as bytes, not as a sequence of numbers.
    struct Raw(Bytes);

    impl Serialize for Raw {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    impl<'de> Deserialize<'de> for Raw {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_bytes(RawVisitor)
        }
    }

    struct RawVisitor;

    impl<'de> Visitor<'de> for RawVisitor {
        type Value = Raw;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Raw, E> {
            Ok(Raw(bytes.into()))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = sequence.next_element()? {
                bytes.push(byte);
            }
            Ok(Raw(bytes.into()))
        }
    }
}
