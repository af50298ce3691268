//! How the tasks talk: each step named, with an estimate before and its time after. Everything goes to stderr,
//! so that a task's stdout is its result.

use std::time::Instant;

/// One step in progress.
pub struct Step {
    name: String,
    start: Instant,
}

/// Names a step that is about to run.
pub fn step(name: impl Into<String>) -> Step {
    let name = name.into();
    eprintln!("• {name}");
    Step { name, start: Instant::now() }
}

/// A step that takes long the first time: `estimate` is what a 2-core machine needs.
pub fn long_step(name: impl Into<String>, estimate: &str) -> Step {
    let name = name.into();
    eprintln!("• {name} (once, {estimate})");
    Step { name, start: Instant::now() }
}

impl Step {
    /// Says how long it took.
    pub fn done(self) {
        eprintln!("  {}: {:.1} s", self.name, self.start.elapsed().as_secs_f64());
    }
}

/// Something worth knowing that stops nothing.
pub fn note(text: &str) {
    eprintln!("  {text}");
}

/// Why the task stopped.
pub fn problem(text: &str) {
    eprintln!("xtask: {text}");
}
