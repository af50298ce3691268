//! The order of Kafka's `TimelineHashMap`, in which coordinators iterate over what they hold.

use serde::{Deserialize, Serialize};

use super::JavaHash;

/// A map that iterates as a `TimelineHashMap` built by the same calls. Kafka: `BaseHashTable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineHashMap<K, V> {
    slots: Vec<Vec<(K, V)>>,
    size: u32,
}

/// What a map for no expected elements begins with.
const MIN_CAPACITY: usize = 2;

impl<K, V> Default for TimelineHashMap<K, V> {
    fn default() -> Self {
        Self { slots: Vec::new(), size: 0 }
    }
}

impl<K: JavaHash + Eq, V> TimelineHashMap<K, V> {
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.slots.get(self.slot(key))?.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let slot = self.slot(key);
        self.slots.get_mut(slot)?.iter_mut().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// `put`; the table doubles before it is more than four thirds full, even for a key that is there.
    pub fn insert(&mut self, key: K, value: V) {
        if self.slots.is_empty() {
            self.slots.resize_with(MIN_CAPACITY, Vec::new);
        }
        if (self.size as usize + 1) * 3 > self.slots.len() * 4 {
            let slots = self.slots.len() * 2;
            let old = std::mem::take(&mut self.slots);
            self.slots.resize_with(slots, Vec::new);
            for (key, value) in old.into_iter().flatten() {
                let slot = self.slot(&key);
                self.slots[slot].push((key, value));
            }
        }
        let slot = self.slot(&key);
        match self.slots[slot].iter_mut().find(|(own, _)| *own == key) {
            Some((_, place)) => *place = value,
            None => {
                self.slots[slot].push((key, value));
                self.size += 1;
            }
        }
    }

    /// The value of `key`, put there first if it is absent.
    pub fn get_or_insert_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        if self.get(key).is_none() {
            self.insert(key.clone(), V::default());
        }
        self.get_mut(key).expect("it was just put there")
    }

    pub fn remove(&mut self, key: &K) {
        let slot = self.slot(key);
        if let Some(entries) = self.slots.get_mut(slot)
            && let Some(index) = entries.iter().position(|(own, _)| own == key)
        {
            entries.remove(index);
            self.size -= 1;
        }
    }

    /// Slot by slot; of one slot, the last that came is the first that goes.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().flat_map(|entries| entries.iter().rev()).map(|(key, value)| (key, value))
    }

    /// Fibonacci hashing: the highest bits of the product choose the slot.
    fn slot(&self, key: &K) -> usize {
        let bits = self.slots.len().max(MIN_CAPACITY).ilog2();
        let product = i64::from(key.java_hash()).wrapping_mul(-7_046_029_254_386_353_131);
        (product as u64 >> (64 - bits)) as usize
    }
}
