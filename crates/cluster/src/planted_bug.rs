//! A bug on purpose, for the test that shows that the checkers find one. Only with the feature `planted-bug`, which no
//! product has, and only while [`Planted`] lives. It is no part of the state.

use std::cell::Cell;

thread_local! {
    static PLANTED: Cell<bool> = const { Cell::new(false) };
}

/// The bug is there until this is dropped.
pub struct Planted(());

/// From now on, leaders on this thread do not wait for the last member of their ISR before they count records as committed.
pub fn plant() -> Planted {
    PLANTED.set(true);
    Planted(())
}

impl Drop for Planted {
    fn drop(&mut self) {
        PLANTED.set(false);
    }
}

pub(crate) fn is_planted() -> bool {
    PLANTED.get()
}
