//! Kafka's command-line tools, one file each, and the table that finds them.

pub mod admin;
pub mod common;
mod exception;
mod groups;
mod json;
mod kafka_broker_api_versions;
mod kafka_configs;
mod kafka_console_consumer;
mod kafka_console_producer;
mod kafka_consumer_groups;
mod kafka_get_offsets;
mod kafka_leader_election;
mod kafka_topics;
mod record_format;
mod requests;
mod reset_offsets;
mod table;

use serde::{Deserialize, Serialize};

use crate::options::Tool;
use crate::tool::{ToolEvent, ToolIo};

/// Every tool, in order of their names.
pub static TOOLS: &[&Tool] = &[
    &crate::docker::TOOL,
    &crate::docker::FOLLOW,
    &kafka_broker_api_versions::TOOL,
    &kafka_configs::TOOL,
    &kafka_console_consumer::TOOL,
    &kafka_console_producer::TOOL,
    &kafka_get_offsets::TOOL,
    &kafka_consumer_groups::TOOL,
    &kafka_leader_election::TOOL,
    &kafka_topics::TOOL,
];

/// The state of a tool that is a state machine of its own ([`crate::options::Run::Streaming`]); one variant each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Streaming {
    /// `docker logs --follow`.
    Logs(crate::docker::LogFollower),
    ConsoleConsumer(Box<kafka_console_consumer::ConsoleConsumer>),
    ConsoleProducer(Box<kafka_console_producer::ConsoleProducer>),
}

impl Streaming {
    /// One turn.
    pub fn on_event(&mut self, event: ToolEvent, io: &mut ToolIo<'_>) {
        match self {
            Self::Logs(follower) => follower.on_event(event, io),
            Self::ConsoleConsumer(consumer) => consumer.on_event(event, io),
            Self::ConsoleProducer(producer) => producer.on_event(event, io),
        }
    }
}

/// The tool that a word means: with or without `.sh`, and under any path that ends in `bin/`.
pub fn find(word: &str) -> Option<&'static Tool> {
    let name = match word.rsplit_once('/') {
        Some((folder, name)) if folder == "bin" || folder.ends_with("/bin") || folder == "." => {
            name
        }
        Some(_) => return None,
        None => word,
    };
    let name = name.strip_suffix(".sh").unwrap_or(name);
    TOOLS.iter().find(|tool| tool.name == name).copied()
}
