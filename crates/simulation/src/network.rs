//! Links between nodes: latency, bandwidth, loss, cuts; each direction on its own, each in order like a TCP connection.

use crate::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};

use crate::{Micros, NodeId, Random};

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Time from the last byte sent to its arrival.
    pub latency: Micros,
    /// A uniform random addition to the latency, below this.
    pub jitter: Micros,
    /// Bytes a second; 0 is unlimited.
    pub bandwidth_bytes_per_s: u64,
    /// Messages of a million that are lost and sent again after `RETRANSMISSION`, as TCP does.
    pub loss_per_million: u32,
    /// Nothing passes. What was sent meanwhile is lost, and the connection with it: its ends notice when they next use it.
    pub cut: bool,
}

/// TCP's smallest usual retransmission time-out (RFC 6298 as Linux has it).
pub const RETRANSMISSION: Micros = Micros::from_ms(200);

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: Micros(250),
            jitter: Micros(50),
            bandwidth_bytes_per_s: 1_250_000_000,
            loss_per_million: 0,
            cut: false,
        }
    }
}

/// All links. Those that were never changed are all alike.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Network {
    default: Link,
    changed: SortedMap<(NodeId, NodeId), Link>,
    /// When the direction is free again; what is sent later arrives later.
    busy_until: SortedMap<(NodeId, NodeId), Direction>,
    connections: SortedSet<(NodeId, NodeId)>,
    /// Connections on which something was lost in a cut: what comes after it cannot be delivered.
    broken: SortedSet<(NodeId, NodeId)>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Direction {
    sent_until: Micros,
    last_arrival: Micros,
}

/// A process talking to itself does not cross a wire.
const LOOPBACK: Micros = Micros(20);

impl Network {
    pub fn link(&self, from: NodeId, to: NodeId) -> Link {
        self.changed.get(&(from, to)).copied().unwrap_or(self.default)
    }

    pub fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    /// Changes one direction.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        if link == self.default {
            self.changed.remove(&(from, to));
        } else {
            self.changed.insert((from, to), link);
        }
    }

    /// The directions that differ from the others, in order.
    pub fn changed_links(&self) -> impl Iterator<Item = ((NodeId, NodeId), Link)> + '_ {
        self.changed.iter().map(|(ends, link)| (*ends, *link))
    }

    /// Whether the two have a connection.
    pub fn is_connected(&self, a: NodeId, b: NodeId) -> bool {
        self.connections.contains(&ends(a, b))
    }

    /// When a message of `size_bytes` sent now arrives; `None` where the link is cut.
    pub(crate) fn arrival(
        &mut self,
        now: Micros,
        from: NodeId,
        to: NodeId,
        size_bytes: u64,
        random: &mut Random,
    ) -> Option<Micros> {
        if from == to {
            return Some(now + LOOPBACK);
        }
        let link = self.link(from, to);
        if link.cut {
            self.broken.insert(ends(from, to));
            return None;
        }
        self.connections.insert(ends(from, to));
        let direction = self.busy_until.entry((from, to)).or_default();
        let transmission = if link.bandwidth_bytes_per_s == 0 {
            Micros::ZERO
        } else {
            Micros(size_bytes.saturating_mul(1_000_000) / link.bandwidth_bytes_per_s)
        };
        direction.sent_until = direction.sent_until.max(now) + transmission;
        let mut arrival = direction.sent_until + link.latency;
        if link.jitter > Micros::ZERO {
            arrival += Micros(random.below(link.jitter.0));
        }
        while random.chance(link.loss_per_million.min(999_999)) {
            arrival += RETRANSMISSION;
        }
        direction.last_arrival = direction.last_arrival.max(arrival);
        Some(direction.last_arrival)
    }

    /// Forgets the connection; true if there was one.
    pub(crate) fn close(&mut self, a: NodeId, b: NodeId) -> bool {
        self.broken.remove(&ends(a, b));
        self.connections.remove(&ends(a, b))
    }

    /// Whether the next message from `from`, now that it could pass, finds its connection reset.
    pub(crate) fn is_reset(&self, from: NodeId, to: NodeId) -> bool {
        !self.broken.is_empty() && self.broken.contains(&ends(from, to)) && !self.link(from, to).cut
    }

    /// Everyone `node` has a connection with, in order; the connections are closed.
    pub(crate) fn close_all(&mut self, node: NodeId) -> Vec<NodeId> {
        let peers: Vec<NodeId> = self
            .connections
            .iter()
            .filter_map(|&(a, b)| if a == node { Some(b) } else { (b == node).then_some(a) })
            .collect();
        for &peer in &peers {
            self.connections.remove(&ends(node, peer));
        }
        peers
    }

    /// Forgets everything about a node that will not come back.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.changed.retain(|&(a, b), _| a != node && b != node);
        self.busy_until.retain(|&(a, b), _| a != node && b != node);
        self.broken.retain(|&(a, b)| a != node && b != node);
    }
}

fn ends(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}
