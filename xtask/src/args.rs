//! The command line of a task: `--option value`, `--option=value`, flags and words, nothing cleverer.

use crate::{Task, Words};

/// What the user typed after the task's name, checked against what the task knows.
#[derive(Debug, Default)]
pub struct Args {
    options: Vec<(String, String)>,
    flags: Vec<String>,
    pub words: Vec<String>,
}

impl Args {
    /// Refuses what the task doesn't know, with the reason.
    pub fn parse(task: &Task, rest: Vec<String>) -> Result<Self, String> {
        let mut args = Self::default();
        if matches!(task.words, Words::Any) {
            args.words = rest;
            return Ok(args);
        }
        let mut rest = rest.into_iter();
        while let Some(word) = rest.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_string())),
                _ => (word.as_str(), None),
            };
            if task.options.contains(&name) {
                let value = inline.or_else(|| rest.next());
                let value = value.ok_or_else(|| format!("{name} needs a value"))?;
                args.options.push((name.to_string(), value));
            } else if task.flags.contains(&name) && inline.is_none() {
                args.flags.push(word);
            } else if word.starts_with('-') {
                return Err(format!("{} has no option {word}", task.name));
            } else {
                match task.words {
                    Words::Of(known) if known.contains(&word.as_str()) => args.words.push(word),
                    Words::Of(known) => {
                        return Err(format!("{word:?} is none of: {}", known.join(", ")));
                    }
                    _ => return Err(format!("{} takes no {word:?}", task.name)),
                }
            }
        }
        Ok(args)
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    /// The last value given for `option`.
    pub fn value(&self, option: &str) -> Option<&str> {
        self.options.iter().rev().find(|(name, _)| name == option).map(|(_, value)| value.as_str())
    }
}
