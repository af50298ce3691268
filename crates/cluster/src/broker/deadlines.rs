//! Many deadlines of one kind behind one timer of the kernel, so that what ends early leaves nothing in the queue.

use simulation::sorted::SortedSet;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::broker::KafkaTimer;
use crate::world::{ProcessContext, Timer};

/// Deadlines of things named by `K`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deadlines<K: Ord> {
    deadlines: SortedSet<(Micros, K)>,
    /// When the kernel's timer fires; later than every deadline when it is not set.
    armed: Micros,
}

impl<K: Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Self { deadlines: SortedSet::new(), armed: Micros::MAX }
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// Adds a deadline. The timer moves only if this one is the earliest.
    pub fn insert(
        &mut self,
        at: Micros,
        key: K,
        timer: KafkaTimer,
        context: &mut ProcessContext<'_>,
    ) {
        self.deadlines.insert((at, key));
        self.arm(timer, context);
    }

    pub fn remove(&mut self, at: Micros, key: K) {
        self.deadlines.remove(&(at, key));
    }

    /// The timer has fired: takes what is due, in order, and sets the timer for the rest.
    pub fn take_due(&mut self, timer: KafkaTimer, context: &mut ProcessContext<'_>) -> Vec<K> {
        let now = context.now();
        let mut due = Vec::new();
        while let Some((at, key)) = self.deadlines.first().copied()
            && at <= now
        {
            self.deadlines.pop_first();
            due.push(key);
        }
        self.armed = Micros::MAX;
        self.arm(timer, context);
        due
    }

    fn arm(&mut self, timer: KafkaTimer, context: &mut ProcessContext<'_>) {
        if let Some((at, _)) = self.deadlines.first()
            && *at < self.armed
        {
            self.armed = *at;
            context.set_timer(Timer::Kafka(timer), *at);
        }
    }
}
