//! The one queue of everything that will happen, in total order: (time, sequence number).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::Micros;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Scheduled<E> {
    at: Micros,
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}
impl<E> Eq for Scheduled<E> {}
impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// A priority queue; ties are served in the order in which they were scheduled.
#[derive(Clone, Debug)]
pub struct Schedule<E> {
    sequence: u64,
    heap: BinaryHeap<Reverse<Scheduled<E>>>,
}

impl<E> Default for Schedule<E> {
    fn default() -> Self {
        Self { sequence: 0, heap: BinaryHeap::new() }
    }
}

impl<E> Schedule<E> {
    pub fn push(&mut self, at: Micros, event: E) {
        self.heap.push(Reverse(Scheduled { at, sequence: self.sequence, event }));
        self.sequence += 1;
    }

    pub fn next_time(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse(next)| next.at)
    }

    pub fn pop(&mut self) -> Option<(Micros, E)> {
        self.heap.pop().map(|Reverse(next)| (next.at, next.event))
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

// A heap's inner order depends on its history; its sorted order does not, so equal queues have equal bytes.
impl<E: Serialize> Serialize for Schedule<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sorted: Vec<&Scheduled<E>> = self.heap.iter().map(|Reverse(item)| item).collect();
        crate::sorted::sort(&mut sorted);
        (self.sequence, sorted).serialize(serializer)
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Schedule<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (sequence, items) = <(u64, Vec<Scheduled<E>>)>::deserialize(deserializer)?;
        Ok(Self { sequence, heap: items.into_iter().map(Reverse).collect() })
    }
}
