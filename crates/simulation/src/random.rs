//! Every random choice of a run: one seed, one independent stream per node.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// A source of random draws. Code under test takes one as a parameter, so that recorded draws can be fed to it.
pub trait Draw {
    /// A number in `0..bound`, uniformly. `bound` must not be zero.
    fn next_int(&mut self, bound: u32) -> u32;
}

/// A seeded generator (xoshiro256++): equal seeds give equal draws on every platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    pub fn from_seed(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// The stream number `stream` of `seed`: adding a node does not shift the draws of the others.
    pub fn stream(seed: u64, stream: u64) -> Self {
        // The odd constant spreads neighbouring stream numbers over the seed space (the golden ratio of 2^64).
        Self::from_seed(seed ^ stream.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`, uniformly enough for a simulation (multiply-shift; bias below 2^-32 for bounds below 2^32).
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no random element");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `per_million` of a million cases.
    pub fn chance(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.below(1_000_000) < u64::from(per_million)
    }
}

impl Draw for Random {
    fn next_int(&mut self, bound: u32) -> u32 {
        self.below(u64::from(bound)) as u32
    }
}

/// Feeds recorded draws, in order; for tests.
#[derive(Clone, Debug)]
pub struct RecordedDraws {
    draws: Vec<u32>,
    next: usize,
}

impl RecordedDraws {
    pub fn new(draws: Vec<u32>) -> Self {
        Self { draws, next: 0 }
    }
}

impl Draw for RecordedDraws {
    fn next_int(&mut self, bound: u32) -> u32 {
        let draw = self.draws.get(self.next).copied().expect("no more recorded draws");
        self.next += 1;
        draw % bound
    }
}
