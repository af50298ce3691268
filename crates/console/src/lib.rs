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

pub mod client;
pub mod console;
pub mod date;
pub mod disk;
pub mod docker;
pub mod explain;
pub mod host;
pub mod manual;
pub mod options;
pub mod output;
pub mod pattern;
pub mod process;
pub mod script;
pub mod shell;
pub mod tool;
pub mod tools;
pub mod utility;
pub mod world;
