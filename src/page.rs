//! The page: mounts the interface and starts the engine's worker.

use crate::browser::link::{EngineLink, Received};
use leptos::prelude::*;

/// Starts the page.
pub fn start() {
    let status = RwSignal::new("starting".to_string());
    let link = EngineLink::spawn(move |received| {
        status.set(match received {
            Received::Bytes(bytes) => String::from_utf8_lossy(&bytes).to_string(),
            Received::Trouble(text) => text,
        });
    });
    if let Err(error) = &link {
        status.set(format!("{error:?}"));
    }
    leptos::mount::mount_to_body(move || {
        view! { <main><h1>"Kafka playground"</h1><p role="status">{move || status.get()}</p></main> }
    });
    std::mem::forget(link);
}
