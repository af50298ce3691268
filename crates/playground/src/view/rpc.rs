//! Requests and responses as a sequence diagram: time runs down.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::model;
use super::{Peer, RecordMark};

model! {
    /// What the RPCs tab draws (sheet 07): a window that ends now, or stands still while the page holds it.
    pub struct RpcView delta RpcDelta {
        maps {
            /// Columns, by a number that gives their order.
            actors: u16 => ActorView,
            /// At most 120, by the session's message number.
            messages: u64 => RpcMessage,
            /// Requests that wait on a broker for something, by message number.
            spans: u64 => SpanView,
            /// Things that happened on an actor's line, by event number.
            notes: u64 => NoteView,
        }
        values {
            /// Start and end of the window.
            window: (Micros, Micros),
            /// Messages that the filter or the limit left out, per API name.
            collapsed: Vec<(String, u32)>,
        }
    }
}

/// One lifeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorView {
    pub peer: Peer,
    /// `Broker 1`, or the client's name.
    pub name: String,
    /// `leader of orders-0`, `follower`, `producer`, `consumer` …
    pub role: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcMessage {
    pub from: Peer,
    pub to: Peer,
    pub sent_at: Micros,
    pub arrives_at: Micros,
    /// Kafka's name without `Request`/`Response`: `Produce`.
    pub api: String,
    pub family: ApiFamily,
    pub version: i16,
    pub correlation_id: i32,
    pub response: bool,
    /// What follows the name on the arrow: `2 records`, `from 1 202`, `baseOffset 1 202`.
    pub summary: String,
    pub marks: Vec<RecordMark>,
    /// Kafka's name of the error, if it is one.
    pub error: Option<String>,
    /// It was dropped on the way.
    pub lost: bool,
}

/// The filter's choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApiFamily {
    #[default]
    Produce,
    Fetch,
    Metadata,
    Group,
    /// Controller traffic: registration, heartbeats, AlterPartition, elections.
    Raft,
    Admin,
}

/// A wait in a purgatory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanView {
    pub at: Peer,
    pub from: Micros,
    /// `None`: still waiting.
    pub until: Option<Micros>,
    /// `acks=all waits for every in-sync copy`.
    pub why: String,
}

/// A dot on a lifeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteView {
    pub at: Peer,
    pub when: Micros,
    /// `append at 1 202`, `high watermark 1 204`.
    pub text: String,
    pub strong: bool,
}
