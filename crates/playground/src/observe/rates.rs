//! Sums over the last virtual second, and the times that producers wait for their answers.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::Micros;

/// A second is kept in this many parts.
const PARTS: u64 = 10;
const PART: u64 = 1_000_000 / PARTS;

/// What was counted in the last virtual second, exact to a tenth of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rate {
    /// Number of the newest part since virtual time began.
    newest: u64,
    parts: [u64; PARTS as usize],
}

impl Rate {
    pub fn add(&mut self, now: Micros, count: u64) {
        self.move_to(now);
        self.parts[(self.newest % PARTS) as usize] += count;
    }

    /// The sum of the second that ends at `now`.
    pub fn per_second(&self, now: Micros) -> u64 {
        let part = now.0 / PART;
        let oldest = part.saturating_sub(PARTS - 1);
        (oldest..=self.newest.min(part))
            .filter(|number| self.newest - number < PARTS)
            .map(|number| self.parts[(number % PARTS) as usize])
            .sum()
    }

    fn move_to(&mut self, now: Micros) {
        let part = now.0 / PART;
        for number in self.newest + 1..=part.min(self.newest + PARTS) {
            self.parts[(number % PARTS) as usize] = 0;
        }
        self.newest = self.newest.max(part);
    }
}

/// How many waits are kept, and for how long.
const WAITS: usize = 1_000;
const WAITS_SPAN: Micros = Micros::from_secs(10);

/// How long requests have waited for their answers lately.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Waits(VecDeque<(Micros, Micros)>);

impl Waits {
    /// An answer arrives at `at`, `wait` after its request was sent.
    pub fn add(&mut self, at: Micros, wait: Micros) {
        if self.0.len() == WAITS {
            self.0.pop_front();
        }
        self.0.push_back((at, wait));
    }

    /// 99 of 100 waits of the last seconds were no longer than this.
    pub fn p99(&self, now: Micros) -> Option<Micros> {
        let recent = self.0.iter().filter(|(at, _)| now.since(*at) <= WAITS_SPAN);
        let mut waits: Vec<Micros> = recent.map(|(_, wait)| *wait).collect();
        simulation::sorted::sort(&mut waits);
        // The nearest rank.
        let rank = (waits.len() * 99).div_ceil(100).checked_sub(1)?;
        waits.get(rank).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_forgets_what_is_older_than_a_second() {
        let mut rate = Rate::default();
        rate.add(Micros::from_ms(100), 5);
        rate.add(Micros::from_ms(900), 7);
        assert_eq!(rate.per_second(Micros::from_ms(1_000)), 12);
        assert_eq!(rate.per_second(Micros::from_ms(1_150)), 7);
        assert_eq!(rate.per_second(Micros::from_ms(5_000)), 0);
        rate.add(Micros::from_secs(60), 1);
        assert_eq!(rate.per_second(Micros::from_secs(60)), 1);
    }

    #[test]
    fn p99_is_the_nearest_rank_of_recent_waits() {
        let mut waits = Waits::default();
        assert_eq!(waits.p99(Micros::ZERO), None);
        waits.add(Micros::ZERO, Micros::from_secs(9));
        for ms in 1..=100 {
            waits.add(Micros::from_secs(20), Micros::from_ms(ms));
        }
        assert_eq!(waits.p99(Micros::from_secs(21)), Some(Micros::from_ms(99)));
    }
}
