//! The page: mounts the interface and joins it to the engine's worker.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use playground::seam::{FromEngine, decode, encode};
use wasm_bindgen::JsValue;

use crate::browser::dom;
use crate::browser::link::{EngineLink, Received};
use crate::storage::IndexedDb;
use crate::ui::{self, store::Store};
use crate::worker::NAME;

/// Starts the page.
pub fn start() {
    dom::report_panics();
    #[cfg(feature = "fixture")]
    if ui::fixture::wanted() {
        ui::fixture::start();
        return;
    }
    let link: Rc<RefCell<Option<EngineLink>>> = Rc::default();
    let out = Rc::clone(&link);
    let store = ui::mount(move |message| {
        if let Some(link) = out.borrow().as_ref() {
            let _ = link.send(&encode(&message));
        }
    });
    wasm_bindgen_futures::spawn_local(async move {
        if dom::take_afresh()
            && let Err(error) = IndexedDb::forget(NAME).await
        {
            store.trouble.set(Some(error.to_string()));
        }
        match spawn(store) {
            Ok(engine) => *link.borrow_mut() = Some(engine),
            Err(error) => {
                store.trouble.set(Some(format!("the engine did not start: {error:?}")));
            }
        }
    });
}

/// Starts the engine; what it says goes to the store.
fn spawn(store: Store) -> Result<EngineLink, JsValue> {
    EngineLink::spawn(move |received| match received {
        Received::Bytes(bytes) => match decode::<FromEngine>(&bytes) {
            Ok(message) => {
                // For tests and measurements: the page can be used from here on.
                match message {
                    FromEngine::Ready(_) => dom::mark_engine("ready"),
                    FromEngine::Failed(_) => dom::mark_engine("failed"),
                    _ => {}
                }
                store.receive(message);
            }
            Err(error) => store.trouble.set(Some(error.to_string())),
        },
        Received::Trouble(words) => store.trouble.set(Some(words)),
    })
}
