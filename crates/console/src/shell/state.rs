//! What a shell remembers between commands; a subshell gets a copy.

use simulation::sorted::SortedMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::arithmetic::Names;
use super::ast::Command;
use crate::disk::HOME;
use crate::world::Pid;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    pub value: String,
    pub exported: bool,
}

/// Variables, functions, positional parameters and the like.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    pub variables: SortedMap<String, Variable>,
    pub functions: SortedMap<String, Arc<Command>>,
    /// `$0`.
    pub name: String,
    /// `$1` …
    pub positional: Vec<String>,
    /// `$?`.
    pub status: i32,
    /// `$$`: the top shell's number, in subshells too.
    pub top: Pid,
    /// `$!`.
    pub last_background: Option<Pid>,
    pub cwd: String,
    /// The container the shell runs in.
    pub container: Option<String>,
    /// Reads commands from a terminal: prompts, jobs, shorter messages.
    pub interactive: bool,
    /// `set -e`.
    pub exit_on_error: bool,
    /// `set -x`.
    pub trace: bool,
    /// `set -u`.
    pub unset_is_error: bool,
    /// The code with which a failing expansion ends a shell that runs a text.
    pub failure: i32,
    /// Drawn for `$RANDOM` before each command, so that expansion is pure.
    pub random: u32,
}

impl State {
    pub fn new(top: Pid, interactive: bool, container: Option<String>) -> Self {
        let mut state = Self {
            variables: SortedMap::new(),
            functions: SortedMap::new(),
            name: "bash".to_owned(),
            positional: Vec::new(),
            status: 0,
            top,
            last_background: None,
            cwd: HOME.to_owned(),
            container,
            interactive,
            exit_on_error: false,
            trace: false,
            unset_is_error: false,
            failure: 1,
            random: 0,
        };
        let host = state.container.clone().unwrap_or_else(|| "playground".to_owned());
        for (name, value) in [
            ("HOME", HOME),
            ("PATH", "/opt/kafka/bin:/usr/local/bin:/usr/bin:/bin"),
            ("PWD", HOME),
            ("USER", "kafka"),
            ("SHELL", "/bin/bash"),
            ("LANG", "C.UTF-8"),
            ("HOSTNAME", host.as_str()),
        ] {
            state
                .variables
                .insert(name.to_owned(), Variable { value: value.to_owned(), exported: true });
        }
        state
            .variables
            .insert("IFS".to_owned(), Variable { value: " \t\n".to_owned(), exported: false });
        state
    }

    /// A variable or special parameter.
    pub fn lookup(&self, name: &str) -> Option<String> {
        if let Ok(number) = name.parse::<usize>() {
            return match number {
                0 => Some(self.name.clone()),
                number => self.positional.get(number - 1).cloned(),
            };
        }
        Some(match name {
            "?" => self.status.to_string(),
            "$" => self.top.0.to_string(),
            "#" => self.positional.len().to_string(),
            "!" => self.last_background.map(|pid| pid.0.to_string()).unwrap_or_default(),
            "-" => if self.interactive { "himBHs" } else { "hBc" }.to_owned(),
            "@" | "*" if self.positional.is_empty() => return None,
            "@" | "*" => self.positional.join(" "),
            "RANDOM" => self.random.to_string(),
            name => return self.variables.get(name).map(|variable| variable.value.clone()),
        })
    }

    pub fn assign(&mut self, name: &str, value: impl Into<String>) {
        self.variables.entry(name.to_owned()).or_default().value = value.into();
    }

    /// `$RANDOM`: the next number of a small generator seeded per command.
    pub fn draw(&mut self) -> u32 {
        self.random =
            (self.random.wrapping_mul(1_103_515_245).wrapping_add(12_345) >> 1) & 0x3fff_ffff;
        self.random = (self.random ^ (self.random >> 15)) & 0x7fff;
        self.random
    }

    /// How messages begin: `bash: `, or with a line number when the shell reads a text.
    pub fn prefix(&self, line: u32) -> String {
        match self.interactive {
            true => format!("{}: ", self.name),
            false => format!("{}: line {line}: ", self.name),
        }
    }
}

impl Names for State {
    fn get(&self, name: &str) -> String {
        self.lookup(name).unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: i64) {
        self.assign(name, value.to_string());
    }
}
