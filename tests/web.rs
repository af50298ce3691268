//! The page's parts that need a browser, in a dedicated worker as in the product: `cargo xtask test wasm`.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn a_worker_is_not_a_page() {
    assert!(!kafka_playground::browser::is_page());
}
