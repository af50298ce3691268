//! A node's disk: writes go to the page cache at once; an fsync takes time, and operations queue.

use serde::{Deserialize, Serialize};

use crate::Micros;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Time of an operation that only reaches the page cache.
    pub latency: Micros,
    /// Time of an operation that waits for the platter.
    pub fsync_latency: Micros,
    /// Bytes a second; 0 is unlimited.
    pub bandwidth_bytes_per_s: u64,
    busy_until: Micros,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            latency: Micros(10),
            fsync_latency: Micros(500),
            bandwidth_bytes_per_s: 1_000_000_000,
            busy_until: Micros::ZERO,
        }
    }
}

impl Disk {
    /// When an operation asked for now is done.
    pub(crate) fn done(&mut self, now: Micros, bytes: u64, fsync: bool) -> Micros {
        let transfer = if self.bandwidth_bytes_per_s == 0 {
            Micros::ZERO
        } else {
            Micros(bytes.saturating_mul(1_000_000) / self.bandwidth_bytes_per_s)
        };
        let latency = if fsync { self.fsync_latency } else { self.latency };
        self.busy_until = self.busy_until.max(now) + transfer + latency;
        self.busy_until
    }
}
