//! The page: components that draw read models and send commands. No cluster state lives here.
//!
//! # Where to start
//! - [`store`]: what the engine told, as signals; the one way to tell it something.
//! - [`shell`]: layout, time, tabs, drawer, keys; [`panel`]: one folder or file per view; [`widget`]: parts without a
//!   Kafka word.

#[cfg(feature = "fixture")]
pub mod fixture;
pub mod panel;
pub mod shell;
pub mod store;
pub mod text;
pub mod widget;

pub(crate) use shell::drawer::parts as shell_parts;

use leptos::prelude::*;
use playground::seam::ToEngine;
use store::Store;

use crate::browser::dom;

/// Mounts the page. `send` carries messages to the engine; what the engine says goes to [`Store::receive`].
pub fn mount(send: impl Fn(ToEngine) + 'static) -> Store {
    dom::remove("loading");
    let owner = Owner::new();
    let store = owner.with(|| Store::new(send));
    std::mem::forget(owner); // the page lives as long as the tab
    leptos::mount::mount_to_body(move || {
        provide_context(store);
        store.follow();
        shell::app()
    });
    store
}
