//! `cargo xtask size`: weighs every file of the release build, raw and brotli, and the code against its budget.

use crate::args::Args;
use crate::process::{pass_on, root};
use crate::{Outcome, build, setup};
use std::path::Path;
use std::process::Command;

/// `cargo xtask size [--json]`
pub fn run(args: &Args) -> Outcome {
    let dist = build::build(true)?;
    pass_on(command(&dist)?.args(args.has("--json").then_some("--json")))
}

/// Prints the sizes; fails when the code is over its budget.
pub fn command(dist: &Path) -> Outcome<Command> {
    let mut command = Command::new(setup::node()?);
    command.current_dir(root()).arg("tools/size.mjs").arg(dist);
    Ok(command)
}
