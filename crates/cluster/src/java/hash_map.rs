//! `java.util.HashMap` and `HashSet`: a table of buckets whose order of iteration shows in Kafka's outputs.
//!
//! Iteration goes bucket by bucket. Within a bucket, entries stand in the order of insertion (`computeIfAbsent`
//! and `merge` put theirs first), which doubling the table preserves. Simplified: a bucket of nine or more keys in
//! a table of 64 or more stays a list, where Java makes a tree of it.

use super::JavaHash;

const DEFAULT_CAPACITY: usize = 16;
/// Java's `TREEIFY_THRESHOLD`: a longer bucket of a small table doubles the table instead of becoming a tree.
const LONG_BUCKET: usize = 8;
/// Java's `MIN_TREEIFY_CAPACITY`.
const SMALL_TABLE: usize = 64;

/// A map that iterates as a `java.util.HashMap` built by the same calls.
#[derive(Clone, Debug)]
pub struct JavaHashMap<K, V> {
    buckets: Vec<Vec<(K, V)>>,
    /// What the first insertion will allocate.
    initial_capacity: usize,
    size: usize,
}

impl<K: JavaHash + Eq, V> Default for JavaHashMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: JavaHash + Eq, V> JavaHashMap<K, V> {
    /// `new HashMap<>()`.
    pub const fn new() -> Self {
        Self { buckets: Vec::new(), initial_capacity: DEFAULT_CAPACITY, size: 0 }
    }

    /// `new HashMap<>(capacity)`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { initial_capacity: capacity.next_power_of_two(), ..Self::new() }
    }

    /// `new HashMap<>(map)`: sized by the map's size.
    pub fn copy_of(map: impl ExactSizeIterator<Item = (K, V)>) -> Self {
        if map.len() == 0 {
            return Self::new();
        }
        // Java: (float) size / 0.75f + 1.0f, then the next power of two.
        let mut copy = Self::with_capacity(map.len() * 4 / 3 + 1);
        map.for_each(|(key, value)| _ = copy.insert(key, value));
        copy
    }

    pub const fn len(&self) -> usize {
        self.size
    }

    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }

    fn bucket(&self, key: &K) -> usize {
        spread(key) & (self.buckets.len() - 1)
    }

    fn position(&self, key: &K) -> Option<(usize, usize)> {
        if self.buckets.is_empty() {
            return None;
        }
        let bucket = self.bucket(key);
        self.buckets[bucket].iter().position(|(other, _)| other == key).map(|index| (bucket, index))
    }

    fn over_threshold(&self) -> bool {
        self.size > self.buckets.len() * 3 / 4
    }

    fn resize(&mut self) {
        let capacity =
            if self.buckets.is_empty() { self.initial_capacity } else { self.buckets.len() * 2 };
        let old = std::mem::take(&mut self.buckets);
        self.buckets.resize_with(capacity, Vec::new);
        for (key, value) in old.into_iter().flatten() {
            let bucket = self.bucket(&key);
            self.buckets[bucket].push((key, value));
        }
    }

    /// `put`: the former value, if any.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some((bucket, index)) = self.position(&key) {
            return Some(std::mem::replace(&mut self.buckets[bucket][index].1, value));
        }
        if self.buckets.is_empty() {
            self.resize();
        }
        let bucket = self.bucket(&key);
        let chain_before = self.buckets[bucket].len();
        self.buckets[bucket].push((key, value));
        if chain_before >= LONG_BUCKET && self.buckets.len() < SMALL_TABLE {
            self.resize();
        }
        self.size += 1;
        if self.over_threshold() {
            self.resize();
        }
        None
    }

    /// `computeIfAbsent`: unlike `put`, it grows the table before it inserts, and inserts in front.
    pub fn compute_if_absent(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        if self.buckets.is_empty() || self.over_threshold() {
            self.resize();
        }
        let (bucket, index) = match self.position(&key) {
            Some(place) => place,
            None => self.insert_first(key, value()),
        };
        &mut self.buckets[bucket][index].1
    }

    fn insert_first(&mut self, key: K, value: V) -> (usize, usize) {
        let mut bucket = self.bucket(&key);
        let chain_before = self.buckets[bucket].len();
        self.buckets[bucket].insert(0, (key, value));
        self.size += 1;
        if chain_before >= LONG_BUCKET - 1 && self.buckets.len() < SMALL_TABLE {
            let hash = spread(&self.buckets[bucket][0].0);
            self.resize();
            bucket = hash & (self.buckets.len() - 1);
        }
        (bucket, 0) // doubling keeps the order within a bucket, so the first stays first
    }

    /// `remove`.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (bucket, index) = self.position(key)?;
        self.size -= 1;
        Some(self.buckets[bucket].remove(index).1)
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.position(key).map(|(bucket, index)| &self.buckets[bucket][index].1)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.position(key).map(|(bucket, index)| &mut self.buckets[bucket][index].1)
    }

    /// `entrySet` in its order of iteration.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.buckets.iter().flatten().map(|(key, value)| (key, value))
    }

    /// `keySet` in its order of iteration.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// `values` in their order of iteration.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// `values`, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.buckets.iter_mut().flatten().map(|(_, value)| value)
    }
}

impl<K: JavaHash + Eq, V> FromIterator<(K, V)> for JavaHashMap<K, V> {
    /// `Collectors.toMap` and any loop of `put`.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        entries.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
        map
    }
}

/// `HashMap.hash`: the upper half of the hash code takes part in choosing the bucket.
fn spread(key: &impl JavaHash) -> usize {
    let hash = key.java_hash() as u32;
    (hash ^ hash >> 16) as usize
}

/// A set that iterates as a `java.util.HashSet` built by the same calls.
#[derive(Clone, Debug)]
pub struct JavaHashSet<K>(JavaHashMap<K, ()>);

impl<K: JavaHash + Eq> Default for JavaHashSet<K> {
    fn default() -> Self {
        Self(JavaHashMap::new())
    }
}

impl<K: JavaHash + Eq> JavaHashSet<K> {
    /// `new HashSet<>(collection)`: sized by the collection's size, duplicates included.
    pub fn copy_of(collection: impl ExactSizeIterator<Item = K>) -> Self {
        let mut map =
            JavaHashMap::with_capacity((collection.len() * 4 / 3 + 1).max(DEFAULT_CAPACITY));
        collection.for_each(|key| _ = map.insert(key, ()));
        Self(map)
    }

    /// `add`: whether it was new.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// `remove`: whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    pub fn contains(&self, key: &K) -> bool {
        self.0.get(key).is_some()
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The elements in their order of iteration.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }
}

impl<K: JavaHash + Eq> FromIterator<K> for JavaHashSet<K> {
    /// `Collectors.toSet` and any loop of `add`.
    fn from_iter<I: IntoIterator<Item = K>>(elements: I) -> Self {
        Self(elements.into_iter().map(|key| (key, ())).collect())
    }
}
