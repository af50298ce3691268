//! Requests of this node to others: who waits for which answer, and for how long.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::{Micros, NodeId};

use super::controller_channel::ToController;
use super::deadlines::Deadlines;
use super::replica_fetcher::FollowerOffsets;
use crate::broker::KafkaTimer;
use crate::protocol::{Listener, Message, Request};
use crate::types::BrokerId;
use crate::world::{ProcessContext, node_id};

/// What a request of this node was for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// The fetch loop from this leader.
    ReplicaFetch(BrokerId),
    /// Where a leader's log begins and ends, after OFFSET_OUT_OF_RANGE.
    FollowerOffsets(FollowerOffsets),
    /// Something for the active controller.
    Controller(Box<ToController>),
    /// The KRaft quorum's own traffic.
    Quorum,
}

/// A request without an answer yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub peer: NodeId,
    pub purpose: Purpose,
    deadline: Micros,
}

/// All requests that this process has sent and that are not answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outbound {
    last_correlation_id: u32,
    pending: SortedMap<u32, Pending>,
    deadlines: Deadlines<u32>,
}

impl Outbound {
    /// Sends a request; one of [`Self::answered`], [`Self::take_timed_out`] and [`Self::take_disconnected`] follows.
    pub fn send(
        &mut self,
        to: BrokerId,
        listener: Listener,
        request: Request,
        purpose: Purpose,
        timeout: Micros,
        context: &mut ProcessContext<'_>,
    ) {
        self.last_correlation_id += 1;
        let correlation_id = self.last_correlation_id;
        let peer = node_id(to);
        let deadline = context.now() + timeout;
        self.pending.insert(correlation_id, Pending { peer, purpose, deadline });
        self.deadlines.insert(deadline, correlation_id, KafkaTimer::RequestTimeout, context);
        let client_id = match listener {
            Listener::Broker => format!("broker-{}-fetcher-0", context.me().0),
            Listener::Controller => context.me().0.to_string(),
        };
        context.send(peer, Message::Request { correlation_id, client_id, listener, request });
    }

    /// Whose answer this is; none if nobody waits for it any more.
    pub fn answered(&mut self, correlation_id: u32) -> Option<Pending> {
        let pending = self.pending.remove(&correlation_id)?;
        self.deadlines.remove(pending.deadline, correlation_id);
        Some(pending)
    }

    pub fn take_timed_out(&mut self, context: &mut ProcessContext<'_>) -> Vec<Pending> {
        let due = self.deadlines.take_due(KafkaTimer::RequestTimeout, context);
        due.into_iter().filter_map(|id| self.pending.remove(&id)).collect()
    }

    /// Everything that will not be answered, because the connection to `peer` is gone.
    pub fn take_disconnected(&mut self, peer: NodeId) -> Vec<Pending> {
        let lost: Vec<u32> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.peer == peer)
            .map(|(id, _)| *id)
            .collect();
        lost.into_iter().filter_map(|id| self.answered(id)).collect()
    }
}
