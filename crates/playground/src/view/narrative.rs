//! Sentences that say what happened and why.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::{Action, Level, Subject};

/// One sentence of the narrative: cause, effect, safety.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// Grows with time; also the id that later sentences name as their cause.
    pub id: u64,
    pub at: Micros,
    /// The end of the span it tells of, where it tells of one (`04:12.410 to 04:21.410`).
    pub until: Option<Micros>,
    pub kind: SentenceKind,
    pub level: Level,
    /// Failures, elections, rebalances: told first and always, where the rest may be summed up.
    pub important: bool,
    /// The sentence that says why.
    pub cause: Option<u64>,
    /// What the marker shows.
    pub subject: Option<Subject>,
    pub parts: Vec<Part>,
    pub actions: Vec<Action>,
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Text(String),
    /// A name or a number that the sentence is about.
    Strong(String),
    /// Something one could type.
    Code(String),
}

impl Sentence {
    /// The whole sentence without its emphasis.
    pub fn plain(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Strong(text) | Part::Code(text) => text.as_str(),
            })
            .collect()
    }
}

/// What kind of event it is: the icon in the drawer and on the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SentenceKind {
    /// A person's command: a tick on the timeline, a click or a typed line.
    Command,
    /// A record's way: hash, append, replication, ack, commit. No mark on the timeline.
    #[default]
    Record,
    /// A broker started, registered, was unfenced.
    Started,
    /// A broker crashed, was fenced, a link broke.
    Failure,
    /// A leader was elected.
    Election,
    /// The controller decided something else.
    Controller,
    /// An ISR shrank.
    IsrShrink,
    /// An ISR grew again.
    IsrExpand,
    /// A group rebalances.
    Rebalance,
    /// Topics created, deleted, changed.
    Topic,
    /// Records expired, a segment rolled.
    Retention,
    /// A checker names something Kafka permits under these settings: loss, duplicate, unclean leader.
    Anomaly,
}
