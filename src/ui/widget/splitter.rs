//! A border that can be dragged, or moved with Alt and the arrow keys; a double click puts it back.

use leptos::ev;
use leptos::prelude::*;

use crate::browser::dom;

/// Resizes something that lies after it (below, or to the right).
#[component]
pub fn Splitter(
    label: &'static str,
    /// It is a vertical line that moves left and right.
    vertical: bool,
    /// Size of what lies after it, CSS pixels; `None` is the design's own.
    size: RwSignal<Option<u32>>,
    /// Id of what lies after it.
    target: &'static str,
    #[prop(into)] moved: Callback<()>,
) -> impl IntoView {
    let drag = RwSignal::new(None::<(f64, f64)>);
    let along = move |x: i32, y: i32| f64::from(if vertical { x } else { y });
    let current =
        move || dom::bounds(target).map_or(200.0, |bounds| bounds[if vertical { 2 } else { 3 }]);
    let set = move |wanted: f64| {
        let (wide, high) = dom::window_size();
        let most = if vertical { wide * 0.5 } else { high * 0.7 };
        let least = if vertical { 240.0 } else { 90.0 };
        size.set(Some(wanted.clamp(least, most.max(least)) as u32));
        moved.run(());
    };
    let key = move |event: ev::KeyboardEvent| {
        let step = match (event.key().as_str(), vertical) {
            ("ArrowLeft", true) | ("ArrowUp", false) => 24.0,
            ("ArrowRight", true) | ("ArrowDown", false) => -24.0,
            _ => return,
        };
        event.prevent_default();
        set(current() + step);
    };
    view! {
        <div
            class=if vertical { "split v" } else { "split h" }
            role="separator"
            tabindex="0"
            aria-label=label
            aria-orientation=if vertical { "vertical" } else { "horizontal" }
            aria-valuenow=move || size.get().unwrap_or(0).to_string()
            on:pointerdown=move |event| {
                dom::capture_pointer(&event);
                drag.set(Some((along(event.client_x(), event.client_y()), current())));
            }
            on:pointermove=move |event| {
                if let Some((from, was)) = drag.get_untracked() {
                    set(was + from - along(event.client_x(), event.client_y()));
                }
            }
            on:pointerup=move |_| drag.set(None)
            on:dblclick=move |_| {
                size.set(None);
                moved.run(());
            }
            on:keydown=key
        ></div>
    }
}
