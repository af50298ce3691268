//! A deterministic, sans-IO discrete-event kernel: one clock, one queue, one seed.
//!
//! # Where to start
//! - [`Simulation::step`] pops one event, hands it to one [`Actor`], applies what the actor asked for through its [`Context`].
//! - [`schedule`] decides what is next, [`network`] what arrives and when, [`random`] every choice, [`trace`] what observers see.
//!
//! # Promises
//! - Same seed and same calls: same state and trace, byte for byte, native and wasm.
//! - No clock, entropy, floats, threads or I/O. Nothing here knows Kafka.
#![forbid(unsafe_code)]

pub mod actor;
pub mod disk;
pub mod network;
pub mod random;
pub mod schedule;
pub mod simulation;
pub mod sorted;
pub mod time;
pub mod trace;

pub use actor::{Actor, Context, Data, DiskToken, Input, NodeId, Payload};
pub use disk::Disk;
pub use network::{Link, Network};
pub use random::{Draw, Random, RecordedDraws};
pub use schedule::Schedule;
pub use simulation::{InFlight, ProcessState, Simulation};
pub use time::Micros;
pub use trace::{Happening, Trace};
