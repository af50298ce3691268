//! The coordinator's own deadlines, kept as data; the broker needs one timer only, for the earliest.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::types::Offset;

/// What a deadline is for. Kafka: the keys of `CoordinatorTimer`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Deadline {
    /// A member's session, or the wait for one that was told its id.
    Heartbeat { group: String, member: String },
    /// The end of the join phase.
    Join { group: String },
    /// The end of the initial delay of an empty group, which newcomers extend.
    InitialJoin { group: String, delay_ms: u64, remaining_ms: u64 },
    /// The end of the sync phase of a generation.
    Sync { group: String, generation_id: i32 },
    /// The next look for expired offsets.
    ExpireOffsets,
    /// What was written below this offset should be committed by now.
    WriteTimeout { up_to: Offset },
}

/// What can be scheduled at most once at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Key {
    Heartbeat(String, String),
    Join(String),
    Sync(String),
    ExpireOffsets,
    WriteTimeout(Offset),
}

impl Deadline {
    fn key(&self) -> Key {
        match self {
            Self::Heartbeat { group, member } => Key::Heartbeat(group.clone(), member.clone()),
            Self::Join { group } | Self::InitialJoin { group, .. } => Key::Join(group.clone()),
            Self::Sync { group, .. } => Key::Sync(group.clone()),
            Self::ExpireOffsets => Key::ExpireOffsets,
            Self::WriteTimeout { up_to } => Key::WriteTimeout(*up_to),
        }
    }
}

/// All deadlines of one partition, in the order in which they fall due; ties in the order in which they were set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Timers {
    due: SortedMap<(Micros, u64), Deadline>,
    by_key: SortedMap<Key, (Micros, u64)>,
    sequence: u64,
}

impl Timers {
    /// Sets a deadline; an earlier one of the same key is forgotten.
    pub(super) fn schedule(&mut self, at: Micros, deadline: Deadline) {
        let key = deadline.key();
        self.cancel(&key);
        self.sequence += 1;
        self.by_key.insert(key, (at, self.sequence));
        self.due.insert((at, self.sequence), deadline);
    }

    pub(super) fn cancel(&mut self, key: &Key) {
        if let Some(place) = self.by_key.remove(key) {
            self.due.remove(&place);
        }
    }

    pub(super) fn next(&self) -> Option<Micros> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// The first deadline that has passed.
    pub(super) fn pop(&mut self, now: Micros) -> Option<Deadline> {
        let (&place, _) = self.due.first_key_value().filter(|((at, _), _)| *at <= now)?;
        let deadline = self.due.remove(&place)?;
        self.by_key.remove(&deadline.key());
        Some(deadline)
    }
}
