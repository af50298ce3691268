//! What a shell text means: commands, words and their parts, as plain data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A command; compound ones hold others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    Simple(Simple),
    /// `a | b`, `! a`.
    Pipeline {
        negated: bool,
        stages: Vec<Arc<Command>>,
    },
    /// `a && b || c`; true is `&&`.
    AndOr {
        first: Arc<Command>,
        rest: Vec<(bool, Arc<Command>)>,
    },
    /// `a; b & c`.
    List(Vec<Item>),
    Group(Arc<Command>),
    Subshell(Arc<Command>),
    If {
        branches: Vec<(Arc<Command>, Arc<Command>)>,
        otherwise: Option<Arc<Command>>,
    },
    While {
        until: bool,
        condition: Arc<Command>,
        body: Arc<Command>,
    },
    /// `for name in words`; without words: the positional parameters.
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: Arc<Command>,
    },
    /// `for ((first; condition; step))`.
    Count {
        first: Word,
        condition: Word,
        step: Word,
        body: Arc<Command>,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
    Function {
        name: String,
        body: Arc<Command>,
    },
    /// `(( … ))`.
    Arithmetic(Word),
    /// `[[ … ]]`.
    Conditional(Vec<Word>),
    Redirected {
        command: Arc<Command>,
        redirects: Vec<Redirect>,
    },
}

/// One arm of `case`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: Option<Arc<Command>>,
}

/// One command of a list. `background` is its text if it ends with `&`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub command: Arc<Command>,
    pub background: Option<String>,
}

/// `A=1 name words >file`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simple {
    pub assignments: Vec<(String, Word)>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
    /// Line in the text, from 1.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// 0, 1 or 2; others are accepted and ignored.
    pub fd: u32,
    pub kind: RedirectKind,
    /// The file, the descriptor, or the text of a here-document.
    pub target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RedirectKind {
    Read,
    Write,
    Append,
    /// `>&n`, `<&n`.
    Duplicate,
    /// `&>`.
    Both,
    /// `&>>`.
    BothAppend,
    /// `<<` and `<<<`: the target is the text.
    Text,
}

/// A word before expansion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Unquoted text: may hold globs.
    Bare(String),
    /// Single-quoted or escaped text.
    Quoted(String),
    /// `"…"`.
    Double(Vec<Part>),
    Parameter {
        name: String,
        operation: Operation,
    },
    /// `$(…)` and backticks.
    Command(Arc<Command>),
    /// `$((…))`.
    Arithmetic(Word),
}

/// What `${name…}` does with the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    Value,
    Length,
    /// `-`, `=`, `?`, `+`, with a colon or without.
    Fallback {
        kind: char,
        colon: bool,
        word: Word,
    },
    /// `#` or `%`, longest if doubled.
    Remove {
        prefix: bool,
        longest: bool,
        pattern: Word,
    },
    Replace {
        all: bool,
        pattern: Word,
        with: Word,
    },
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    /// `^`, `^^`, `,`, `,,`.
    Case {
        upper: bool,
        all: bool,
    },
}

impl Word {
    /// The text of a word that is one bare piece: what keywords are.
    pub fn bare(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Bare(text)] => Some(text),
            _ => None,
        }
    }

    /// A word of one quoted text.
    pub fn quoted(text: impl Into<String>) -> Self {
        Self(vec![Part::Quoted(text.into())])
    }

    /// Calls `visit` for every command substitution in the order of expansion.
    pub fn substitutions(&self, visit: &mut dyn FnMut(&Arc<Command>)) {
        visit_parts(&self.0, visit);
    }
}

fn visit_parts(parts: &[Part], visit: &mut dyn FnMut(&Arc<Command>)) {
    for part in parts {
        match part {
            Part::Bare(_) | Part::Quoted(_) => {}
            Part::Double(parts) => visit_parts(parts, visit),
            Part::Command(command) => visit(command),
            Part::Arithmetic(word) => word.substitutions(visit),
            Part::Parameter { operation, .. } => match operation {
                Operation::Value | Operation::Length | Operation::Case { .. } => {}
                Operation::Fallback { word, .. } | Operation::Remove { pattern: word, .. } => {
                    word.substitutions(visit)
                }
                Operation::Replace { pattern, with, .. } => {
                    pattern.substitutions(visit);
                    with.substitutions(visit);
                }
                Operation::Slice { offset, length } => {
                    offset.substitutions(visit);
                    if let Some(length) = length {
                        length.substitutions(visit);
                    }
                }
            },
        }
    }
}
