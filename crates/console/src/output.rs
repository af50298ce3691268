//! What a console shows. Notes and repairs have a channel of their own and never enter a program's streams.

use serde::{Deserialize, Serialize};

/// A terminal's number; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TerminalId(pub u32);

/// One piece of output of one terminal, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleOutput {
    pub terminal: TerminalId,
    pub item: Item,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A line that a person (or a button) entered, with the prompt it was entered at.
    Echo { prompt: String, line: String },
    /// A program's text; it may end without a newline.
    Text { stream: Stream, text: String },
    /// A note beside the output.
    Notice(Notice),
    /// `clear`: forget what was shown.
    Clear,
    /// A foreground command ended with this code, at a prompt.
    Ended { code: i32 },
}

/// Which stream of a program wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A note: plain words beside the genuine output, with what to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub kind: NoticeKind,
    /// One plain sentence, or two.
    pub text: String,
    /// What one key can do about it.
    pub actions: Vec<NoticeAction>,
}

/// Why there is a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// The line was changed before it ran (R3, R4).
    Repaired,
    /// The line needs something first: a tool's name, a placeholder's value (R1, R2, R5).
    Question,
    /// An error in plain words, and what to try.
    Explanation,
    /// Something worth knowing.
    Hint,
}

/// A command that a note offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAction {
    /// What the button says.
    pub label: String,
    /// What it types.
    pub command: String,
}

impl Notice {
    /// A note without actions.
    pub fn new(kind: NoticeKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), actions: Vec::new() }
    }

    /// Adds a command to offer.
    pub fn offer(mut self, label: impl Into<String>, command: impl Into<String>) -> Self {
        self.actions.push(NoticeAction { label: label.into(), command: command.into() });
        self
    }
}
