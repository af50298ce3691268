//! Who has been heard from: kept only by the active controller, in memory. Kafka: `BrokerHeartbeatManager`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::types::{BrokerId, Offset};

/// What the next heartbeat response makes of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerState {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Contact {
    last: Micros,
    metadata_offset: Offset,
    /// Where its controlled shutdown is in the metadata log; others must have read that far before it may go.
    controlled_shutdown_offset: Option<Offset>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heartbeats {
    contacts: BTreeMap<BrokerId, Contact>,
}

impl Heartbeats {
    /// A broker has a session from now on.
    pub fn touch(&mut self, broker: BrokerId, now: Micros) {
        self.contacts.entry(broker).or_default().last = now;
    }

    pub fn heard(&mut self, broker: BrokerId, now: Micros, metadata_offset: Offset) {
        let contact = self.contacts.entry(broker).or_default();
        contact.last = now;
        contact.metadata_offset = metadata_offset;
    }

    pub fn registered(&mut self, broker: BrokerId, now: Micros) {
        self.contacts.insert(broker, Contact { last: now, ..Contact::default() });
    }

    pub fn forget(&mut self, broker: BrokerId) {
        self.contacts.remove(&broker);
    }

    pub fn silent_for(&self, broker: BrokerId, now: Micros) -> Micros {
        self.contacts.get(&broker).map_or(Micros::MAX, |contact| now.since(contact.last))
    }

    pub fn begin_controlled_shutdown(&mut self, broker: BrokerId, offset: Offset) {
        self.contacts.entry(broker).or_default().controlled_shutdown_offset.get_or_insert(offset);
    }

    /// Whether every broker in `active` has read the metadata up to where `broker` began to go.
    pub fn others_caught_up(
        &self,
        broker: BrokerId,
        active: impl Iterator<Item = BrokerId>,
    ) -> bool {
        let Some(offset) =
            self.contacts.get(&broker).and_then(|contact| contact.controlled_shutdown_offset)
        else {
            return true;
        };
        active.filter(|&other| other != broker).all(|other| {
            self.contacts.get(&other).is_some_and(|contact| contact.metadata_offset >= offset)
        })
    }
}
