//! Kafka's command-line tools, one file each, and the table that finds them.

use serde::{Deserialize, Serialize};

use crate::options::Tool;
use crate::tool::{ToolEvent, ToolIo};

/// Every tool, in order of their names.
pub static TOOLS: &[&Tool] = &[];

/// The state of a tool that is a state machine of its own ([`crate::options::Run::Streaming`]); one variant each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Streaming {}

impl Streaming {
    /// One turn.
    pub fn on_event(&mut self, _event: ToolEvent, _io: &mut ToolIo<'_>) {
        match *self {}
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
