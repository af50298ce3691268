//! The link between page and worker: the same script and the same compiled module on both sides, bytes in between.
//!
//! The page finds its own (hashed) script by `import.meta.url` and hands it to a worker made of a few lines, together
//! with the module that is compiled already: no second download, no second compilation, no list of file names.

use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, BlobPropertyBag, DedicatedWorkerGlobalScope, MessageEvent, Url, Worker, WorkerOptions,
    WorkerType,
};

#[wasm_bindgen]
extern "C" {
    type ImportMeta;
    #[wasm_bindgen(thread_local_v2, js_namespace = import, js_name = meta)]
    static IMPORT_META: ImportMeta;
    #[wasm_bindgen(method, getter)]
    fn url(this: &ImportMeta) -> String;
}

/// What the worker runs before wasm is there: waits for one message, then loads and starts the module.
const BOOT: &str = "self.onmessage = async event => {
  self.onmessage = null;
  try {
    const glue = await import(event.data.glue);
    await glue.default({ module_or_path: event.data.module });
  } catch (error) {
    self.postMessage(`the worker did not start: ${error}`);
  }
};";

/// What the other side said.
pub enum Received {
    /// One encoded message.
    Bytes(Vec<u8>),
    /// Words that came before wasm ran, or instead of it.
    Trouble(String),
}

/// The page's end: a running engine worker.
pub struct EngineLink {
    worker: Worker,
}

impl EngineLink {
    /// Starts the worker. `receive` hears everything it says; wait for its first bytes before sending, because
    /// what is sent while it loads is lost.
    pub fn spawn(receive: impl Fn(Received) + 'static) -> Result<Self, JsValue> {
        let bag = BlobPropertyBag::new();
        bag.set_type("text/javascript");
        let boot = Blob::new_with_str_sequence_and_options(&Array::of1(&BOOT.into()), &bag)?;
        let options = WorkerOptions::new();
        options.set_name("engine");
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&Url::create_object_url_with_blob(&boot)?, &options)?;
        let receive = std::rc::Rc::new(receive);
        let hear = std::rc::Rc::clone(&receive);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            hear(match bytes_of(&event.data()) {
                Some(bytes) => Received::Bytes(bytes),
                None => Received::Trouble(event.data().as_string().unwrap_or_default()),
            });
        });
        worker.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let text =
                Reflect::get(&event, &"message".into()).ok().and_then(|text| text.as_string());
            receive(Received::Trouble(text.unwrap_or_else(|| "the worker failed".to_string())));
        });
        worker.set_onerror(Some(on_error.into_js_value().unchecked_ref()));
        let start = Object::new();
        Reflect::set(&start, &"glue".into(), &IMPORT_META.with(ImportMeta::url).into())?;
        Reflect::set(&start, &"module".into(), &wasm_bindgen::module())?;
        worker.post_message(&start)?;
        Ok(Self { worker })
    }

    /// Sends one encoded message; the bytes are moved, not copied again.
    pub fn send(&self, message: &[u8]) -> Result<(), JsValue> {
        let buffer = Uint8Array::from(message).buffer();
        self.worker.post_message_with_transfer(&buffer, &Array::of1(&buffer))
    }

    /// Ends the worker at once.
    pub fn terminate(&self) {
        self.worker.terminate();
    }
}

/// The worker's end: calls `receive` with every message of the page.
pub fn listen(receive: impl Fn(Vec<u8>) + 'static) {
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(bytes) = bytes_of(&event.data()) {
            receive(bytes);
        }
    });
    scope().set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
}

/// The worker's end: sends one encoded message to the page.
pub fn post(message: &[u8]) -> Result<(), JsValue> {
    let buffer = Uint8Array::from(message).buffer();
    scope().post_message_with_transfer(&buffer, &Array::of1(&buffer))
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn bytes_of(data: &JsValue) -> Option<Vec<u8>> {
    data.is_instance_of::<ArrayBuffer>().then(|| Uint8Array::new(data).to_vec())
}
