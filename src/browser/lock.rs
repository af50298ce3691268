//! Web Locks: which of several tabs runs the cluster.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    // web-sys has LockManager only behind an unstable flag; this is the one method needed.
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Function,
    ) -> Result<Promise, JsValue>;
}

/// Holding it means holding the lock; dropping it gives the lock back.
pub struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

/// Takes the lock; `wait` waits until whoever has it gives it back, otherwise none is answered at once.
/// Where the browser has no locks at all, every tab gets one.
pub async fn take(name: &str, wait: bool) -> Option<Lock> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let manager = Reflect::get(&navigator, &"locks".into()).unwrap_or(JsValue::UNDEFINED);
    if manager.is_undefined() {
        return Some(Lock(Function::new_no_args("")));
    }
    let manager: LockManager = manager.unchecked_into();
    let options = Object::new();
    if !wait {
        Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE).ok()?;
    }
    let release: Rc<RefCell<Option<Function>>> = Rc::default();
    let held = Rc::clone(&release);
    let granted = Promise::new(&mut |granted: Function, _| {
        let held = Rc::clone(&held);
        let callback = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            if lock.is_null() {
                let _ = granted.call1(&JsValue::NULL, &JsValue::FALSE);
                return JsValue::UNDEFINED;
            }
            // The lock is held until this promise is resolved.
            let until_released = Promise::new(&mut |resolve, _| *held.borrow_mut() = Some(resolve));
            let _ = granted.call1(&JsValue::NULL, &JsValue::TRUE);
            until_released.into()
        });
        let _ = manager.request(name, &options, callback.unchecked_ref());
    });
    let granted = JsFuture::from(granted).await.ok()?.is_truthy();
    let release = release.borrow_mut().take();
    release.filter(|_| granted).map(Lock)
}
