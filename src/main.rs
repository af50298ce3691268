//! One wasm module, started twice: as the page and, in a worker, as the engine.

#[cfg(target_arch = "wasm32")]
fn main() {
    if kafka_playground::browser::is_page() {
        kafka_playground::page::start();
    } else {
        kafka_playground::worker::start();
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
