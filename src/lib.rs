//! The page and the worker of the Kafka playground; see ARCHITECTURE.md.
//!
//! Natively this is an empty library: everything here needs a browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::float_arithmetic)] // pixels; the engine has none

pub mod browser;
pub mod page;
pub mod storage;
pub mod ui;
pub mod worker;
