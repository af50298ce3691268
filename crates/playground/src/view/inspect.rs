//! The drawer: Inspect, and the figures of "Right now".

use serde::{Deserialize, Serialize};

use super::model;
use super::{Action, Level, Subject};

model! {
    /// What the drawer shows beside the narrative.
    pub struct DrawerView delta DrawerDelta {
        maps {}
        values {
            /// Four to six figures for the tab in view, in order.
            facts: Vec<Fact>,
            /// The subject that the page selected; `None` if it is gone.
            inspect: Option<InspectView>,
        }
    }
}

/// One figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    /// With its unit: `11 ms`, `18 of 18`.
    pub value: String,
    pub level: Level,
}

/// Everything about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectView {
    pub subject: Subject,
    /// What it is: `Record batch`, `Broker`, `Request`.
    pub kind: String,
    /// `4 384 to 4 386`, `kafka2`, `Fetch, version 18`.
    pub title: String,
    /// One or two plain sentences.
    pub text: String,
    pub fields: Vec<Field>,
    /// The bytes, where it has any (a batch's header); at most 128.
    pub bytes: Vec<u8>,
    /// What can be done about it.
    pub actions: Vec<Action>,
}

/// One field, under Kafka's own name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    /// Empty for a heading.
    pub value: String,
    /// Nesting, from 0.
    pub depth: u8,
    /// The field the text talks about.
    pub marked: bool,
}
