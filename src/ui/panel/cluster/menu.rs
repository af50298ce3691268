//! The menu of a broker: each entry shows its command.

use leptos::prelude::*;
use playground::view::Subject;

use super::{Parts, actions};
use crate::browser::dom;
use crate::ui::widget::Icon;
use crate::ui::widget::icons::EYE;

/// Opens the menu of a broker at an element.
pub fn open_at(parts: Parts, broker: i32, id: &str) {
    let (Some(at), Some(stage)) = (dom::bounds(id), dom::bounds("stage")) else { return };
    let left = (at[0] - stage[0] + 8.0).min(stage[2] - 330.0).max(4.0);
    let top = (at[1] - stage[1] + 34.0).min(stage[3] - 190.0).max(4.0);
    parts.menu.set(Some((broker, left, top)));
    request_animation_frame(|| {
        dom::focus_first("#menu button");
    });
}

/// Closes it and gives the focus back.
fn close(parts: Parts) {
    if let Some((broker, ..)) = parts.menu.get_untracked() {
        parts.menu.set(None);
        dom::focus(&format!("b-{broker}"));
    }
}

/// The menu, when it is open.
pub fn menu(parts: Parts) -> impl IntoView {
    let store = parts.store;
    let key = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "Escape" | "Tab" => {
            event.prevent_default();
            close(parts);
        }
        "ArrowDown" => {
            event.prevent_default();
            dom::focus_sibling(true);
        }
        "ArrowUp" => {
            event.prevent_default();
            dom::focus_sibling(false);
        }
        _ => {}
    };
    move || {
        let (id, left, top) = parts.menu.get()?;
        let broker = store.cluster.with_untracked(|cluster| cluster.brokers.get(&id).cloned())?;
        let mut items = actions::of_broker(&broker);
        items.push(actions::logs(&broker));
        Some(view! {
            <div
                id="menu"
                class="menu"
                role="menu"
                aria-label=format!("Broker {id}")
                style:left=format!("{left}px")
                style:top=format!("{top}px")
                on:keydown=key
                on:focusout=move |_| {
                    request_animation_frame(move || {
                        if !dom::focus_within("#menu") {
                            parts.menu.set(None);
                        }
                    });
                }
            >
                {items
                    .into_iter()
                    .map(|(icon, verb, command)| {
                        let line = command.clone();
                        view! {
                            <button
                                role="menuitem"
                                disabled=move || store.read_only()
                                on:click=move |_| {
                                    close(parts);
                                    store.run(line.clone(), format!("{verb} on broker {id}"));
                                }
                            >
                                <Icon icon/>
                                {verb}
                                <code>{command}</code>
                            </button>
                        }
                    })
                    .collect_view()}
                <button
                    role="menuitem"
                    on:click=move |_| {
                        close(parts);
                        store.inspect(Subject::Broker(id));
                    }
                >
                    <Icon icon=EYE/>
                    "Inspect"
                </button>
            </div>
        })
    }
}
