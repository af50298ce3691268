//! Tasks that run the engine itself: they are in another binary of this package, with dependencies, built to run fast.

use crate::Outcome;
use crate::args::Args;
use crate::process::{pass_on, root};
use std::process::Command;

pub fn vectors(args: &Args) -> Outcome {
    pass_on(&mut command("vectors", &args.words))
}

pub fn replay(args: &Args) -> Outcome {
    pass_on(&mut command("replay", &args.words))
}

pub fn fuzz(args: &Args) -> Outcome {
    pass_on(&mut command("fuzz", &args.words))
}

/// The engine binary with a task and its words; quick, and still with assertions and overflow checks.
pub fn command(task: &str, words: &[String]) -> Command {
    with_profile("fast", task, words)
}

/// The engine binary as it is measured: without those checks, as the page is shipped.
pub fn measured(task: &str, words: &[String]) -> Command {
    with_profile("bench", task, words)
}

fn with_profile(profile: &str, task: &str, words: &[String]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--locked", "--profile", profile, "--package", "xtask"]);
    cargo.args(["--manifest-path"]).arg(root().join("Cargo.toml"));
    cargo.args(["--features", "engine", "--bin", "engine", "--", task]).args(words);
    cargo
}
