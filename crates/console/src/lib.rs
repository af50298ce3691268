//! Text in, text out: a small POSIX shell, Kafka's command-line tools, and the terminals they run in.
//!
//! # Where to start
//! - [`options`]: a tool and its options as data; what parses, documents and completes them.
//! - [`script`]: tools that run to completion, as straight-line code. [`tool`]: what any running tool has at hand.
//! - [`tools`]: one file per tool, and the table that finds them. [`host`]: what the console needs from outside.
//!
//! # Promises
//! - A tool acts on the cluster as a client only. Notes and repairs never enter a program's streams.
//! - All state is plain data; time is virtual; nothing here draws or stores.
#![forbid(unsafe_code)]
// A match on two outcomes with a sentence each reads better here than if and else.
#![allow(clippy::match_bool)]

pub mod client;
pub mod completion;
pub mod console;
pub mod date;
pub mod disk;
pub mod docker;
pub mod editor;
pub mod explain;
pub mod host;
pub mod manual;
pub mod options;
pub mod output;
pub mod pattern;
pub mod process;
pub mod repair;
pub mod script;
pub mod shell;
pub mod terminal;
pub mod tool;
pub mod tools;
pub mod utility;
pub mod world;
