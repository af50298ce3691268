//! Stable sorting that is compiled once.
//!
//! Each use of std's `sort_by` brings about 4 kB of wasm for its own type. Here the places of the elements are sorted, by
//! one piece of code for all types, and the elements are moved to where they belong at the end.

use std::cmp::Ordering;

/// Sorts by the elements' own order; equal ones keep theirs.
pub fn sort<T: Ord>(elements: &mut [T]) {
    sort_by(elements, T::cmp);
}

/// Sorts by a key; elements of equal keys keep their order.
pub fn sort_by_key<T, K: Ord>(elements: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(elements, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by `compare`; equal elements keep their order.
pub fn sort_by<T>(elements: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut order =
        places(elements.len(), &mut |a, b| compare(&elements[a as usize], &elements[b as usize]));
    // `order[at]` is where the element for `at` is now; a place that is done points to itself.
    for start in 0..order.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at as u32) as usize;
            if from == start {
                break;
            }
            elements.swap(at, from);
            at = from;
        }
    }
}

/// The places 0 to `count` in the order that `compare` gives.
#[inline(never)]
fn places(count: usize, compare: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut places: Vec<u32> = (0..count as u32).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}
