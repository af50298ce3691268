//! The log of one partition. (First shape: the owner of this area replaces this file.)
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One record batch in Kafka's v2 format, held once and shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch(Arc<[u8]>);

impl Batch {
    /// The whole batch, header included.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }
}
