//! Real time, and ways to let other work happen.

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, WorkerGlobalScope};

/// Microseconds since this page or worker began.
pub fn now_us() -> u64 {
    let global = js_sys::global();
    let performance = match global.dyn_ref::<WorkerGlobalScope>() {
        Some(worker) => worker.performance(),
        None => web_sys::window().and_then(|window| window.performance()),
    };
    performance.map_or(0, |performance| (performance.now() * 1_000.0) as u64)
}

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn wall_clock_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// A number that differs from page to page: the seed of a new session.
pub fn entropy() -> u64 {
    let draw = || (js_sys::Math::random() * 4_294_967_296.0) as u64;
    draw() << 20 ^ draw()
}

/// Lets queued messages be handled, without the 4 ms that browsers add to repeated timers.
pub struct Yielder(MessageChannel);

impl Yielder {
    pub fn new() -> Result<Self, JsValue> {
        MessageChannel::new().map(Self)
    }

    pub async fn tick(&self) {
        let Self(channel) = self;
        let promise = Promise::new(&mut |resolve: Function, _| {
            channel.port1().set_onmessage(Some(&resolve));
            // A message to a port of one's own cannot fail; if it did, the next timer would go on.
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(promise).await;
    }
}
