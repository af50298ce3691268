#![forbid(unsafe_code)]
pub mod types;
