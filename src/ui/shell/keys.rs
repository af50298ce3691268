//! The keyboard map.

use leptos::prelude::*;
use playground::seam::ToEngine;

use super::time_bar;
use super::view_tabs::TABS;
use crate::browser::dom;
use crate::ui::store::{DrawerTab, Overlay, Store};

/// What is told in the sheet of keys: what it does, and the keys.
pub const KEYS: [(&str, &[&str]); 18] = [
    ("Play, pause", &["Space"]),
    ("Step one event", &["."]),
    ("Run until something interesting", &["N"]),
    ("Slower, faster", &["[", "]"]),
    ("Palette", &["Ctrl", "K"]),
    ("Console", &["`"]),
    ("Console: run what a note offers", &["Ctrl", "O"]),
    ("Views 1 to 5", &["Alt", "1"]),
    ("Explain, Inspect", &["E", "I"]),
    ("Move in the diagram", &["arrows"]),
    ("Actions on selection", &["Enter"]),
    ("View as text", &["T"]),
    ("Legend", &["L"]),
    ("Presenter mode", &["Shift", "P"]),
    ("Presenter: blank the page", &["B"]),
    ("These keys", &["?"]),
    ("Next part of the page", &["F6"]),
    ("Leave", &["Esc"]),
];

/// Parts of the page that F6 goes through.
const LANDMARKS: [&str; 5] = [
    ".time .play",
    ".main [role=tab][tabindex='0']",
    "#stage [tabindex='0']",
    ".side [role=tab][tabindex='0']",
    "#line",
];

/// Starts to hear keys.
pub fn listen(store: Store) {
    window_event_listener(leptos::ev::keydown, move |event| {
        let key = event.key();
        let command = event.ctrl_key() || event.meta_key();
        if command && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            let open = store.overlay.get_untracked() == Overlay::Palette;
            store.overlay.set(if open { Overlay::None } else { Overlay::Palette });
            return;
        }
        if key == "F6" {
            event.prevent_default();
            next_landmark(event.shift_key());
            return;
        }
        if event.alt_key() && !command {
            let number =
                key.parse::<usize>().ok().filter(|number| (1..=TABS.len()).contains(number));
            if let Some(number) = number {
                event.prevent_default();
                store.show(TABS[number - 1].0);
            }
            return;
        }
        let overlaid = store.overlay.get_untracked() != Overlay::None;
        // What is pasted anywhere goes to the terminal.
        if command && key.eq_ignore_ascii_case("v") && !overlaid && !dom::typing() {
            dom::focus("line");
            return;
        }
        if command || overlaid || dom::typing() || !store.preferences.single_keys.get_untracked() {
            return;
        }
        let on_button =
            dom::focus_within("button, [role=button], [role=radio], [role=tab], summary");
        match key.as_str() {
            " " if !on_button => time_bar::toggle(store),
            "." => store.send(ToEngine::Step),
            "n" => store.send(ToEngine::RunUntilInteresting),
            "[" => time_bar::change_speed(store, -1),
            "]" => time_bar::change_speed(store, 1),
            "`" => {
                store.preferences.console_open.set(true);
                request_animation_frame(|| dom::focus("line"));
            }
            "?" => store.overlay.set(Overlay::Shortcuts),
            "l" => store.overlay.set(Overlay::Legend),
            "t" => store.text_view.update(|on| *on = !*on),
            "e" => store.drawer_tab.set(DrawerTab::Explain),
            "i" => store.drawer_tab.set(DrawerTab::Inspect),
            "P" => store.presenting.update(|on| *on = !*on),
            "b" | "B" if store.presenting.get_untracked() => {
                dom::toggle_body_class("blank");
                return;
            }
            "Escape" if store.presenting.get_untracked() => store.presenting.set(false),
            _ => return,
        }
        event.prevent_default();
    });
}

fn next_landmark(back: bool) {
    let here = LANDMARKS.iter().position(|selector| {
        let part = selector.split(' ').next().unwrap_or_default();
        let part = if part == "#line" { ".term" } else { part };
        dom::focus_within(part)
    });
    let count = LANDMARKS.len();
    for step in 1..=count {
        let by = if back { count - step } else { step };
        let next =
            here.map_or(if back { count - step } else { step - 1 }, |here| (here + by) % count);
        if dom::focus_first(LANDMARKS[next]) {
            return;
        }
    }
}
