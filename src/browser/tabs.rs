//! What tabs of one cluster tell each other: the one that runs it speaks, the others listen and ask.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

/// A channel that reaches every other tab, never this one.
pub struct Tabs(BroadcastChannel);

impl Tabs {
    /// `receive` hears everything that other tabs say.
    pub fn open(name: &str, receive: impl Fn(Vec<u8>) + 'static) -> Result<Self, JsValue> {
        let channel = BroadcastChannel::new(name)?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().is_instance_of::<ArrayBuffer>() {
                receive(Uint8Array::new(&event.data()).to_vec());
            }
        });
        channel.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
        Ok(Self(channel))
    }

    pub fn say(&self, bytes: &[u8]) {
        // A closed channel has nobody to hear it.
        let _ = self.0.post_message(&Uint8Array::from(bytes).buffer());
    }
}
