//! How virtual time follows real time: by the speed, in slices, stopped or running. Real time comes in as a parameter.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::seam::Speed;

/// Virtual time that one slice may catch up at most, in real microseconds: a tab that slept does not race afterwards.
const CATCH_UP_US: u64 = 250_000;

/// Where virtual time should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacer {
    pub running: bool,
    pub speed: Speed,
    /// Real time (microseconds of any clock) at which virtual time was `anchor_virtual`.
    anchor_real: u64,
    anchor_virtual: Micros,
}

impl Pacer {
    pub fn new(running: bool, speed: Speed) -> Self {
        Self { running, speed, anchor_real: 0, anchor_virtual: Micros::ZERO }
    }

    /// From now on time counts from here.
    pub fn anchor(&mut self, real_us: u64, now: Micros) {
        self.anchor_real = real_us;
        self.anchor_virtual = now;
    }

    /// Where virtual time should be at this real time; it was `now` when last looked at.
    pub fn target(&mut self, real_us: u64, now: Micros) -> Micros {
        if !self.running {
            return now;
        }
        if self.speed == Speed::MAX {
            return Micros::MAX;
        }
        let target = |pacer: &Self| {
            let passed = u128::from(real_us.saturating_sub(pacer.anchor_real));
            let passed = passed * u128::from(pacer.speed.0) / 1_000;
            pacer.anchor_virtual + Micros(u64::try_from(passed).unwrap_or(u64::MAX))
        };
        // Behind by more than a moment: the machine cannot keep up, or the tab slept. Go on from here instead.
        let most =
            now + Micros((u128::from(CATCH_UP_US) * u128::from(self.speed.0) / 1_000) as u64);
        if target(self) > most {
            self.anchor(real_us, most);
        }
        target(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_at_the_speed() {
        for (speed, real_us, expected) in
            [(1_000, 100_000, 100_000), (1, 100_000, 100), (100_000, 10_000, 1_000_000)]
        {
            let mut pacer = Pacer::new(true, Speed(speed));
            pacer.anchor(5, Micros(7));
            assert_eq!(pacer.target(5 + real_us, Micros(7)), Micros(7 + expected), "speed {speed}");
        }
    }

    #[test]
    fn stopped_time_stands_still() {
        let mut pacer = Pacer::new(false, Speed::REAL);
        assert_eq!(pacer.target(1_000_000, Micros(7)), Micros(7));
    }

    #[test]
    fn a_tab_that_slept_does_not_race() {
        let mut pacer = Pacer::new(true, Speed::REAL);
        pacer.anchor(0, Micros::ZERO);
        assert_eq!(pacer.target(3_600_000_000, Micros::ZERO), Micros(CATCH_UP_US));
    }
}
