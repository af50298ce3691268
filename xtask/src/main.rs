//! `cargo xtask <task>`: what cargo alone cannot say. One file per task; std only.
//!
//! [`toolchain`] finds or installs what compiles wasm, [`setup`] the other tools; the tasks build on these two.
#![allow(clippy::float_arithmetic)] // seconds and kilobytes for people; no state of the engine here

mod args;
mod bench;
mod browser;
mod build;
mod doctor;
mod engine;
mod index_html;
mod misses;
mod process;
mod say;
mod serve;
mod setup;
mod size;
mod structure;
mod test;
mod toolchain;

use args::Args;
use std::process::ExitCode;

/// A task's result: `Err` is a message for the user, printed once, exit code 1.
type Outcome<T = ()> = Result<T, String>;

struct Task {
    name: &'static str,
    summary: &'static str,
    /// What `cargo xtask help TASK` says after the summary.
    help: &'static str,
    /// Option names that take a value, then flags: anything else is wrong use.
    options: &'static [&'static str],
    flags: &'static [&'static str],
    /// The words that may follow, and how many; `None` takes any.
    words: Words,
    run: fn(&Args) -> Outcome,
}

enum Words {
    None,
    Of(&'static [&'static str]),
    /// Passed on unread: the engine binary reads its own command line.
    Any,
}

const TASKS: &[Task] = &[
    Task {
        name: "serve",
        summary: "set up what is missing, build, serve the app, rebuild on change",
        help: "cargo xtask serve [--port N] [--release] [--no-open]\n\n  --port N    the port on 127.0.0.1 (default: 8090, or the next free one)\n  --release   the small, optimised build with its service worker\n  --no-open   do not open a browser",
        options: &["--port"],
        flags: &["--release", "--no-open"],
        words: Words::None,
        run: serve::run,
    },
    Task {
        name: "build",
        summary: "set up what is missing, build the app into dist/",
        help: "cargo xtask build [--release]",
        options: &[],
        flags: &["--release"],
        words: Words::None,
        run: build::run,
    },
    Task {
        name: "setup",
        summary: "only install what is missing",
        help: "cargo xtask setup",
        options: &[],
        flags: &[],
        words: Words::None,
        run: setup::run,
    },
    Task {
        name: "test",
        summary: "set up, then all tests: lint, unit, truth, wasm, e2e",
        help: "cargo xtask test [lint|unit|truth|wasm|e2e|trunk]...\n\n  lint    house rules, rustfmt, clippy, cargo-deny (where installed)\n  unit    the native crates' tests, and a minute of fuzzing\n  truth   vectors and transcripts of the real Kafka in tests/kafka\n  wasm    storage, worker and page in headless Chromium\n  e2e     the built page in a real browser\n  trunk   installs trunk and builds with it; only when named",
        options: &[],
        flags: &[],
        words: Words::Of(test::SUITES),
        run: test::run,
    },
    Task {
        name: "vectors",
        summary: "run vectors of Kafka's own classes through the engine: DIR",
        help: "cargo xtask vectors DIR",
        options: &[],
        flags: &[],
        words: Words::Any,
        run: engine::vectors,
    },
    Task {
        name: "replay",
        summary: "replay transcripts of Kafka's own tools: DIR [--scenario NAME] [--diff]",
        help: "cargo xtask replay DIR [--scenario NAME] [--diff]",
        options: &[],
        flags: &[],
        words: Words::Any,
        run: engine::replay,
    },
    Task {
        name: "fuzz",
        summary: "random runs under invariants: [--seed S] [--seeds A..B] [--minutes M]",
        help: "cargo xtask fuzz [--seed S] [--seeds A..B] [--minutes M]",
        options: &[],
        flags: &[],
        words: Words::Any,
        run: engine::fuzz,
    },
    Task {
        name: "bench",
        summary: "measure, as a table and as JSON",
        help: "cargo xtask bench [native] [--json]\n\n  native    only what needs no browser\n  --json    JSON instead of the table; without it, JSON goes to target/bench/bench.json",
        options: &[],
        flags: &["--json"],
        words: Words::Of(&["native"]),
        run: bench::run,
    },
    Task {
        name: "size",
        summary: "weigh the built page, file by file, against its budget",
        help: "cargo xtask size [--json]\n\nExit code 1 when all code together is over its budget as brotli.",
        options: &[],
        flags: &["--json"],
        words: Words::None,
        run: size::run,
    },
    Task {
        name: "doctor",
        summary: "say what is installed and what is missing",
        help: "cargo xtask doctor",
        options: &[],
        flags: &[],
        words: Words::None,
        run: doctor::run,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    match name.as_str() {
        "" | "help" | "-h" | "--help" => return help(rest.first().map(String::as_str)),
        _ => {}
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return wrong_use(&format!("there is no task {name:?}; `cargo xtask help` lists them"));
    };
    if rest.iter().any(|word| word == "-h" || word == "--help") {
        return help(Some(task.name));
    }
    let args = match Args::parse(task, rest) {
        Ok(args) => args,
        Err(message) => {
            return wrong_use(&format!("{message}; `cargo xtask help {name}` shows how"));
        }
    };
    match (task.run)(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                say::problem(&message);
            }
            ExitCode::from(process::last_exit_code().unwrap_or(1))
        }
    }
}

fn wrong_use(message: &str) -> ExitCode {
    say::problem(message);
    ExitCode::from(2)
}

fn help(name: Option<&str>) -> ExitCode {
    match name {
        None => {
            println!("cargo xtask <task>\n");
            for task in TASKS {
                println!("  {:<9}{}", task.name, task.summary);
            }
            println!("\n`cargo xtask help <task>` says more.");
            ExitCode::SUCCESS
        }
        Some(name) => match TASKS.iter().find(|task| task.name == name) {
            Some(task) => {
                println!("{}: {}\n\n{}", task.name, task.summary, task.help);
                ExitCode::SUCCESS
            }
            None => wrong_use(&format!("there is no task {name:?}; `cargo xtask help` lists them")),
        },
    }
}
