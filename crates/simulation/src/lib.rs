#![forbid(unsafe_code)]
pub mod time;
pub use time::Micros;
