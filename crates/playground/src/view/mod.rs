//! Read models: what the page draws, at one virtual time, in the page's terms. Plain data; the session fills them, the page only looks.
//!
//! Each tab has one model ([`ClusterView`], [`TopicsView`], [`LogView`], [`GroupsView`], [`RpcView`]); the drawer has
//! [`Sentence`]s (Explain), an [`InspectView`] and [`Fact`]s (Right now). Models travel as deltas, at most one
//! [`Frame`] for each frame of the page.

mod cluster;
mod delta;
mod groups;
mod inspect;
mod log;
mod narrative;
mod rpc;
mod shared;
mod topics;

pub use cluster::*;
pub(crate) use delta::model;
pub use delta::{Model, Patch};
pub use groups::*;
pub use inspect::*;
pub use log::*;
pub use narrative::*;
pub use rpc::*;
pub use shared::*;
pub use topics::*;

use serde::{Deserialize, Serialize};

/// All read models of a session. The engine keeps the one it sent last and sends the difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Views {
    pub cluster: ClusterView,
    pub topics: TopicsView,
    pub log: LogView,
    pub groups: GroupsView,
    pub rpcs: RpcView,
    pub drawer: DrawerView,
}

/// What changed since the last frame. A model nobody looks at is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The receiver forgets what it holds before it applies this frame (first frame, a second tab that joins).
    pub full: bool,
    pub cluster: Option<ClusterDelta>,
    pub topics: Option<TopicsDelta>,
    pub log: Option<LogDelta>,
    pub groups: Option<GroupsDelta>,
    pub rpcs: Option<RpcDelta>,
    pub drawer: Option<DrawerDelta>,
    /// Messages sent since the last frame, for the moving marks: events, not state (at 1× most of them start and
    /// arrive within one frame). At most [`Frame::FLIGHTS_MAX`]; above that one flight stands for several.
    pub flights: Vec<Flight>,
}

impl Frame {
    /// ui.md §8: at most so many moving glyphs.
    pub const FLIGHTS_MAX: usize = 120;

    /// Nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Views {
    /// The frame that turns `self` into `next`; its flights are empty.
    pub fn diff(&self, next: &Self) -> Frame {
        Frame {
            full: false,
            cluster: self.cluster.diff(&next.cluster),
            topics: self.topics.diff(&next.topics),
            log: self.log.diff(&next.log),
            groups: self.groups.diff(&next.groups),
            rpcs: self.rpcs.diff(&next.rpcs),
            drawer: self.drawer.diff(&next.drawer),
            flights: Vec::new(),
        }
    }

    /// Changes `self` as the frame says.
    pub fn apply(&mut self, frame: Frame) {
        if frame.full {
            *self = Self::default();
        }
        apply(&mut self.cluster, frame.cluster);
        apply(&mut self.topics, frame.topics);
        apply(&mut self.log, frame.log);
        apply(&mut self.groups, frame.groups);
        apply(&mut self.rpcs, frame.rpcs);
        apply(&mut self.drawer, frame.drawer);
    }
}

fn apply<M: Model>(model: &mut M, delta: Option<M::Delta>) {
    if let Some(delta) = delta {
        model.apply(delta);
    }
}
