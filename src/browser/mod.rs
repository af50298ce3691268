//! The doors to the browser's own interfaces: nothing outside this folder and `storage` names `web_sys`.

pub mod canvas;
pub mod clock;
pub mod dom;
pub mod link;
pub mod lock;
pub mod tabs;

/// Whether this module runs in the page, not in the worker.
pub fn is_page() -> bool {
    web_sys::window().is_some()
}
