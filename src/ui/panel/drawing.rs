//! An SVG that fills the stage, with text that stays readable when the drawing shrinks.

use leptos::prelude::*;

use super::cluster::diagram::{PATTERNS, text_scale};
use crate::ui::store::use_store;

/// A drawing in coordinates of its own.
#[component]
pub fn Drawing(
    id: &'static str,
    /// Width and height of the coordinates.
    view: (f64, f64),
    /// The whole picture in a sentence.
    #[prop(into)]
    label: Signal<String>,
    children: Children,
) -> impl IntoView {
    let store = use_store();
    let scale = RwSignal::new(1.0);
    Effect::new(move || {
        store.layout.track();
        store.preferences.console_open.track();
        request_animation_frame(move || scale.set(text_scale(view, id)));
    });
    view! {
        <svg
            id=id
            class="fit dg"
            class:tight=move || { scale.get() > 1.06 }
            style:--tx=move || format!("{:.3}", scale.get())
            viewBox=format!("0 0 {} {}", view.0, view.1)
            role="group"
            aria-label=label
            preserveAspectRatio="xMidYMid meet"
        >
            <defs inner_html=PATTERNS></defs>
            {children()}
        </svg>
    }
}

/// A spine's three layers for a topic's number.
pub fn spine(number: u16, x: f64, y: f64, width: f64, height: f64) -> impl IntoView {
    let tint = number % 4 + 1;
    view! {
        <rect class=format!("sp{tint}") x=x y=y width=width height=height></rect>
        <rect class=format!("spp{tint}") x=x y=y width=width height=height></rect>
        <rect class="spo" x=x y=y width=width height=height></rect>
    }
}

/// A name that fits.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
