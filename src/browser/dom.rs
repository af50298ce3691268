//! Small services of the page's document: preferences, media queries, downloads, measuring, focus.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, Document, Element, HtmlAnchorElement, HtmlElement, HtmlInputElement, Url, Window,
};

fn window() -> Window {
    web_sys::window().expect("the page has a window")
}

fn document() -> Document {
    window().document().expect("the page has a document")
}

/// A preference of the page, kept by the browser.
pub fn preference(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(&format!("kafka-playground.{name}")).ok()?
}

/// Keeps a preference; a browser that refuses storage forgets it, nothing else.
pub fn keep_preference(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(&format!("kafka-playground.{name}"), value);
    }
}

const AFRESH: &str = "kafka-playground.afresh";

/// Reloads the page, which then forgets what is kept before it starts its engine: for one that cannot be asked.
pub fn reload_afresh() {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.set_item(AFRESH, "");
    }
    reload();
}

/// Whether this page was loaded by [`reload_afresh`]; true once.
pub fn take_afresh() -> bool {
    let Ok(Some(storage)) = window().session_storage() else { return false };
    let wanted = storage.get_item(AFRESH).ok().flatten().is_some();
    let _ = storage.remove_item(AFRESH);
    wanted
}

/// Whether a media query holds now.
pub fn matches_media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// Calls `changed` whenever a media query starts or stops to hold.
pub fn watch_media(query: &str, changed: impl Fn() + 'static) {
    if let Ok(Some(list)) = window().match_media(query) {
        let hear = Closure::<dyn Fn()>::new(changed).into_js_value();
        let _ = list.add_event_listener_with_callback("change", hear.unchecked_ref());
    }
}

/// Sets an attribute of the document's root element.
pub fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(name, value);
    }
}

/// Sets a custom property of the document's root element.
pub fn set_root_property(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.unchecked_into::<HtmlElement>().style().set_property(name, value);
    }
}

/// The computed value of a custom property.
pub fn root_property(name: &str) -> String {
    let Some(root) = document().document_element() else { return String::new() };
    let style = window().get_computed_style(&root).ok().flatten();
    style
        .and_then(|style| style.get_property_value(name).ok())
        .unwrap_or_default()
        .trim()
        .to_string()
}

/// Takes an element out of the document.
pub fn remove(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.remove();
    }
}

/// Moves the focus to an element.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        let _ = element.unchecked_into::<HtmlElement>().focus();
    }
}

/// Moves the focus to the first element that a selector finds.
pub fn focus_first(selector: &str) -> bool {
    match document().query_selector(selector) {
        Ok(Some(element)) => element.unchecked_into::<HtmlElement>().focus().is_ok(),
        _ => false,
    }
}

/// The id of the focused element, or the empty string.
pub fn focused_id() -> String {
    document().active_element().map(|element| element.id()).unwrap_or_default()
}

/// Whether the focused element takes text.
pub fn typing() -> bool {
    document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            && element.get_attribute("type").as_deref() != Some("range")
    })
}

/// Whether the focus is inside an element that a selector finds.
pub fn focus_within(selector: &str) -> bool {
    document()
        .active_element()
        .is_some_and(|element| element.closest(selector).ok().flatten().is_some())
}

/// Scrolls an element to its end.
pub fn scroll_to_end(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.set_scroll_top(element.scroll_height());
    }
}

/// How far an element is scrolled, in pixels; 0 if it is gone.
pub fn scroll_top(id: &str) -> i32 {
    document().get_element_by_id(id).map_or(0, |element| element.scroll_top())
}

/// Whether an element is scrolled to its end, or nearly.
pub fn at_end(id: &str) -> bool {
    document().get_element_by_id(id).is_none_or(|element| {
        element.scroll_height() - element.scroll_top() - element.client_height() < 24
    })
}

/// Scrolls an element to its start.
pub fn scroll_to_start(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.set_scroll_top(0);
    }
}

/// Left, top, width and height of an element within the window, CSS pixels.
pub fn bounds(id: &str) -> Option<[f64; 4]> {
    let bounds = document().get_element_by_id(id)?.get_bounding_client_rect();
    Some([bounds.left(), bounds.top(), bounds.width(), bounds.height()])
}

/// The window's inner size, CSS pixels.
pub fn window_size() -> (f64, f64) {
    let size = |value: Result<JsValue, JsValue>| {
        value.ok().and_then(|value| value.as_f64()).unwrap_or(0.0)
    };
    (size(window().inner_width()), size(window().inner_height()))
}

/// Device pixels for each CSS pixel.
pub fn pixel_ratio() -> f64 {
    window().device_pixel_ratio()
}

/// Milliseconds since the page began.
pub fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Whether the page is out of sight.
pub fn hidden() -> bool {
    document().hidden()
}

/// Calls `changed` when the page goes out of sight or comes back.
pub fn watch_visibility(changed: impl Fn() + 'static) {
    let hear = Closure::<dyn Fn()>::new(changed).into_js_value();
    let _ = document().add_event_listener_with_callback("visibilitychange", hear.unchecked_ref());
}

/// Gives a file to the user.
pub fn download(name: &str, bytes: &[u8]) {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let Ok(blob) = Blob::new_with_u8_array_sequence(&parts) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    if let Ok(link) = document().create_element("a") {
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    let _ = Url::revoke_object_url(&url);
}

/// Puts text on the clipboard, where the browser allows it.
pub fn copy(text: &str) {
    let _ = window().navigator().clipboard().write_text(text);
}

/// Whether some text on the page is selected.
pub fn has_selection() -> bool {
    js_sys::Reflect::get(&window(), &"getSelection".into())
        .ok()
        .and_then(|get| get.dyn_into::<js_sys::Function>().ok())
        .and_then(|get| get.call0(&window()).ok())
        .and_then(|selection| js_sys::Object::from(selection).to_string().as_string())
        .is_some_and(|text| !text.is_empty())
}

/// The text and the caret (in `char`s) of an input.
pub fn input_state(id: &str) -> Option<(String, usize)> {
    let input: HtmlInputElement = document().get_element_by_id(id)?.dyn_into().ok()?;
    let text = input.value();
    let units = input.selection_start().ok().flatten().unwrap_or(0) as usize;
    let mut seen = 0;
    let chars = text
        .chars()
        .take_while(|c| {
            let before = seen < units;
            seen += c.len_utf16();
            before
        })
        .count();
    Some((text, chars))
}

/// Sets the text and the caret (in `char`s) of an input, if they differ.
pub fn set_input(id: &str, text: &str, caret: usize) {
    let Some(input) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlInputElement>().ok())
    else {
        return;
    };
    if input.value() != text {
        input.set_value(text);
    }
    let units = text.chars().take(caret).map(char::len_utf16).sum::<usize>() as u32;
    let _ = input.set_selection_range(units, units);
}

/// The text that a paste event brings.
pub fn pasted(event: &web_sys::Event) -> Option<String> {
    let data = js_sys::Reflect::get(event, &"clipboardData".into()).ok()?;
    let get: js_sys::Function =
        js_sys::Reflect::get(&data, &"getData".into()).ok()?.dyn_into().ok()?;
    get.call1(&data, &"text/plain".into()).ok()?.as_string()
}

/// Keeps pointer events coming to the element that got this one.
pub fn capture_pointer(event: &web_sys::PointerEvent) {
    if let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}

/// Opens a modal dialog element, so that the browser keeps the focus inside it.
pub fn show_modal(id: &str) {
    call(id, "showModal");
}

fn call(id: &str, method: &str) {
    let Some(element) = document().get_element_by_id(id) else { return };
    if let Ok(method) = js_sys::Reflect::get(&element, &method.into())
        && let Ok(method) = method.dyn_into::<js_sys::Function>()
    {
        let _ = method.call0(&element);
    }
}

/// Reloads the page.
pub fn reload() {
    let _ = window().location().reload();
}

/// Brings an element into view within what scrolls around it.
pub fn reveal(id: &str) {
    let Some(element) = document().get_element_by_id(id) else { return };
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &"block".into(), &"nearest".into());
    if let Ok(method) = js_sys::Reflect::get(&element, &"scrollIntoView".into())
        && let Ok(method) = method.dyn_into::<js_sys::Function>()
    {
        let _ = method.call1(&element, &options);
    }
}

/// Whether an event went to the element with this id, not to one inside it.
pub fn is_target(event: &web_sys::Event, id: &str) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|element| element.id() == id)
}

/// Writes the engine's state on the body and into the performance timeline.
pub fn mark_engine(state: &str) {
    if let Some(body) = document().body() {
        let _ = body.set_attribute("data-engine", state);
    }
    if let Some(performance) = web_sys::window().and_then(|window| window.performance()) {
        let _ = performance.mark(&format!("engine-{state}"));
    }
}

/// Adds a class to the body, or takes it away.
pub fn toggle_body_class(class: &str) {
    if let Some(body) = document().body() {
        let _ = body.class_list().toggle(class);
    }
}

/// Moves the focus to the next or the previous element beside the focused one.
pub fn focus_sibling(next: bool) {
    let Some(element) = document().active_element() else { return };
    let sibling =
        if next { element.next_element_sibling() } else { element.previous_element_sibling() };
    if let Some(sibling) = sibling {
        let _ = sibling.unchecked_into::<HtmlElement>().focus();
    }
}

/// An attribute of the document's root element, or the empty string.
pub fn root_attribute(name: &str) -> String {
    document().document_element().and_then(|root| root.get_attribute(name)).unwrap_or_default()
}

/// What follows `?` in the page's address.
pub fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// Writes panics to the browser's console, where a bug report can pick them up.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&JsValue::from_str(&panic.to_string()));
    }));
}

thread_local! {
    /// What had the focus before something floated over the page.
    static FOCUSED: std::cell::RefCell<Option<HtmlElement>> = const { std::cell::RefCell::new(None) };
}

/// Notes what has the focus.
pub fn remember_focus() {
    let element =
        document().active_element().map(|element| element.unchecked_into::<HtmlElement>());
    FOCUSED.set(element);
}

/// Gives the focus back to what had it, if it is still there and nothing else has taken it.
pub fn restore_focus() {
    let taken = document().active_element().is_some_and(|element| {
        element.tag_name() != "BODY" && element.closest("dialog").ok().flatten().is_none()
    });
    if let Some(element) = FOCUSED.take().filter(|_| !taken) {
        let _ = element.focus();
    }
}
