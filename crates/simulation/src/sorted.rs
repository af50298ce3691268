//! Maps and sets in the order of their keys, kept in a vector.
//!
//! They stand for std's `BTreeMap` and `BTreeSet`, with the same methods and the same bytes when serialised. A balanced tree
//! costs about 8 kB of wasm for each pair of types; searching a sorted vector costs some hundred bytes, and is as fast for
//! what this program keeps: few entries, or many that come in the order of their keys.

mod iter;
mod map;
mod set;
mod sort;

pub use iter::{Iter, IterMut, Keys, Values, ValuesMut};
pub use map::{Entry, SortedMap};
pub use set::SortedSet;
pub use sort::{sort, sort_by, sort_by_key};
