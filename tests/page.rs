//! The page over an engine in the same thread, without a worker: `cargo xtask test wasm`.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use kafka_playground::ui::store::Store;
use kafka_playground::{browser, ui};
use playground::engine::Engine;
use playground::journal::Header;
use playground::seam::ToEngine;
use playground::session::Session;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Frames that something may take to be seen.
const PATIENCE: u32 = 2_000;
const FRAME_US: u64 = 50_000;

/// A page and its engine, joined by a queue; real time is what the test says.
struct Playground {
    engine: Engine,
    store: Store,
    sent: Rc<RefCell<Vec<ToEngine>>>,
    real_us: u64,
}

impl Playground {
    fn open() -> Self {
        let header = Header {
            engine: playground::ENGINE_VERSION.to_owned(),
            seed: 1,
            epoch_ms: 1_795_000_000_000,
        };
        let sent: Rc<RefCell<Vec<ToEngine>>> = Rc::default();
        let out = Rc::clone(&sent);
        let store = ui::mount(move |message| out.borrow_mut().push(message));
        let mut engine = Engine::new(Session::new(header), Vec::new(), None);
        engine.begin(0);
        Self { engine, store, sent, real_us: 0 }
    }

    async fn frame(&mut self) {
        for message in self.sent.take() {
            self.engine.handle(message, self.real_us);
        }
        self.real_us += FRAME_US;
        self.engine.advance(self.real_us, || false);
        self.engine.frame(self.real_us);
        while let Some(message) = self.engine.take_message() {
            self.store.receive(message);
        }
        TimeoutFuture::new(0).await;
    }

    /// Lets frames pass until the page shows all of `words`.
    async fn until_shown(&mut self, words: &[&str]) {
        for _ in 0..PATIENCE {
            self.frame().await;
            let shown = shown();
            if words.iter().all(|words| shown.contains(words)) {
                return;
            }
        }
        panic!("the page does not show {words:?}, but: {}", shown());
    }
}

fn shown() -> String {
    let body = web_sys::window().and_then(|window| window.document()?.body());
    body.and_then(|body| body.text_content()).unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_click_is_a_command_whose_effect_is_seen() {
    assert!(browser::is_page());
    let mut playground = Playground::open();
    playground.until_shown(&["Broker 1", "Broker 2", "Broker 3"]).await;
    let create = "kafka-topics --bootstrap-server localhost:9092 --create --topic parcels --partitions 2 --replication-factor 3";
    playground.store.run(create, "Create a topic");
    playground.until_shown(&[create, "Created topic parcels.", "parcels-0", "parcels-1"]).await;
    playground.store.run("docker compose kill kafka2", "Kill broker 2");
    playground.until_shown(&["Crashed", "No heartbeat of broker 2"]).await;
    playground.store.run("docker compose start kafka2", "Start broker 2");
    playground.until_shown(&["Broker 2 registered with the controller"]).await;
}
