//! The worker: runs the engine.

use crate::browser::link;

/// Starts the worker.
pub fn start() {
    let _ = link::post(b"ready");
}
