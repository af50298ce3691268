//! An application that sends as fast as it can, or at a given rate: what a load generator or a benchmark runs.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::Running;
use super::batch::NewRecord;
use crate::client::Io;
use crate::client::api::{ClientNotice, GeneratedLoad};

/// The fastest application calls `send` this often: 4 million a second.
const RECORDS_PER_MS: u64 = 4_000;
const TICK: Micros = Micros::from_ms(1);

/// A load under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    load: GeneratedLoad,
    began: Micros,
    sent: u64,
    acknowledged: u64,
    failed: u64,
    value: Vec<u8>,
}

impl Load {
    pub fn new(load: GeneratedLoad, now: Micros) -> Self {
        // Letters that differ, so that a compressing producer has something to do.
        let value = (0..load.record_bytes).map(|n| b'a' + (n * 7 % 26) as u8).collect();
        Self { load, began: now, sent: 0, acknowledged: 0, failed: 0, value }
    }

    /// How many records must have been sent by `now`.
    fn due(&self, now: Micros) -> u64 {
        let elapsed = now.since(self.began).0;
        let by_rate = match self.load.rate {
            0 => (elapsed / TICK.0 + 1) * RECORDS_PER_MS,
            rate => (u128::from(rate) * u128::from(elapsed) / 1_000_000) as u64 + 1,
        };
        by_rate.min(if self.load.total == 0 { u64::MAX } else { self.load.total })
    }

    fn is_all_sent(&self) -> bool {
        self.load.total > 0 && self.sent >= self.load.total
    }

    /// A batch with so many of its records has its answer.
    pub fn answered(&mut self, records: u64, written: bool) {
        if written {
            self.acknowledged += records;
        } else {
            self.failed += records;
        }
    }

    /// When there is more to be sent.
    pub fn next_wake(&self, now: Micros) -> Micros {
        if self.is_all_sent() {
            return Micros::MAX;
        }
        match self.load.rate {
            // A slow load sends when its next record is due, a fast one a few each tick.
            rate @ 1..1_000 => {
                let next = u128::from(self.sent) * 1_000_000;
                (self.began + Micros(next.div_ceil(u128::from(rate)) as u64)).max(now + Micros(1))
            }
            _ => now + TICK,
        }
    }
}

impl Running {
    /// Sends what is due, as far as there is memory.
    pub(super) fn generate(&mut self, io: &mut Io<'_, '_>) {
        let Some(mut load) = self.load.take() else { return };
        if self.closing && !load.is_all_sent() {
            load.load.total = load.sent.max(1);
        }
        let due = load.due(io.now());
        let timestamp = io.wall_clock_ms();
        let topic = std::mem::take(&mut load.load.topic);
        if load.sent < due && self.await_metadata(&topic, None, io).unwrap_or(false) {
            self.waiting = None;
            let mut key = String::new();
            while load.sent < due {
                if load.load.keys > 0 {
                    use std::fmt::Write;
                    key.clear();
                    let _ =
                        write!(key, "key-{}", io.context.random().below(u64::from(load.load.keys)));
                }
                let new = NewRecord {
                    timestamp,
                    key: (load.load.keys > 0).then_some(key.as_bytes()),
                    value: Some(&load.value),
                    headers: &[],
                    tag: None,
                };
                match self.append(&topic, None, &new, io) {
                    Ok(true) => load.sent += 1,
                    Ok(false) => break,
                    Err(_) => {
                        load.sent += 1;
                        load.failed += 1;
                    }
                }
            }
        }
        load.load.topic = topic;
        if load.is_all_sent() && load.acknowledged + load.failed >= load.sent {
            io.notify(ClientNotice::Generated {
                acknowledged: load.acknowledged,
                failed: load.failed,
            });
            return;
        }
        self.load = Some(load);
    }
}
