//! The tasks that run the engine natively; `cargo xtask <task>` builds and starts this.

mod bench;
mod fuzz;
mod replay;
mod vectors;

use std::process::ExitCode;

struct Task {
    name: &'static str,
    usage: &'static str,
    /// Gets the words after the task's name; `None` says that they are wrong use.
    run: fn(&[String]) -> Option<ExitCode>,
}

const TASKS: &[Task] = &[
    Task { name: "vectors", usage: "vectors DIR", run: vectors::run },
    Task { name: "fuzz", usage: "fuzz [--seed S] [--seeds A..B] [--minutes M]", run: fuzz::run },
    Task { name: "replay", usage: "replay DIR [--scenario NAME] [--diff]", run: replay::task },
    Task { name: "bench", usage: "bench [--json]", run: bench::run },
    Task { name: "digest", usage: "digest", run: digest },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("engine: there is no task {name:?}");
        return ExitCode::from(2);
    };
    if words.iter().any(|word| word == "-h" || word == "--help") {
        println!("usage: cargo xtask {}", task.usage);
        return ExitCode::SUCCESS;
    }
    (task.run)(&words).unwrap_or_else(|| {
        eprintln!("usage: cargo xtask {}", task.usage);
        ExitCode::from(2)
    })
}

/// What a story comes to natively; the wasm tests compare their own with it.
fn digest(words: &[String]) -> Option<ExitCode> {
    words.is_empty().then(|| {
        println!("{}", playground::story::digest(playground::story::SEED));
        ExitCode::SUCCESS
    })
}
