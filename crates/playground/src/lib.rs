#![forbid(unsafe_code)]
//! A session in page's terms: what crosses between page and worker, and the read models that the page draws.
//!
//! # Where to start
//! - [`seam`]: [`seam::ToEngine`] and [`seam::FromEngine`], and their versioned bytes.
//! - [`view`]: the read models, each with its delta.

mod codec;
pub mod engine;
pub mod host;
pub mod journal;
pub mod narrator;
pub mod observe;
pub mod pacing;
pub mod seam;
pub mod session;
pub mod snapshot;
pub mod story;
pub mod view;
pub mod workload;

pub use simulation::sorted;

/// The version that journals and snapshots name.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A checksum of the engine's sources: snapshots are only good for the very build that made them.
pub const ENGINE_BUILD: &str = env!("ENGINE_BUILD");
