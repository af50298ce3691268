//! Waiting longer after each failure, never all at the same moment. Kafka: `ExponentialBackoff`.

use serde::{Deserialize, Serialize};
use simulation::{Draw, Micros};

/// `initial × 2^attempts`, at most `max`, ±20 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExponentialBackoff {
    pub initial: Micros,
    pub max: Micros,
}

/// Kafka: `RETRY_BACKOFF_JITTER`, 0.2, in thousandths.
const JITTER_PER_MILLE: u64 = 200;

impl ExponentialBackoff {
    pub const fn from_ms(initial_ms: u64, max_ms: u64) -> Self {
        Self { initial: Micros::from_ms(initial_ms), max: Micros::from_ms(max_ms) }
    }

    /// How long to wait after `attempts` failures that came before the last one.
    pub fn backoff(&self, attempts: u32, random: &mut impl Draw) -> Micros {
        let initial = self.initial.min(self.max);
        // With equal bounds Kafka keeps the exact figure.
        if initial == self.max {
            return initial;
        }
        let term = Micros(initial.0.saturating_mul(1 << attempts.min(30))).min(self.max);
        let factor =
            1_000 - JITTER_PER_MILLE + u64::from(random.next_int(2 * JITTER_PER_MILLE as u32 + 1));
        Micros(term.0 * factor / 1_000).min(self.max)
    }
}
