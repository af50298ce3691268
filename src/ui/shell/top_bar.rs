//! The top bar: product, what runs, palette, theme, presenter, help.

use leptos::prelude::*;
use playground::seam::StorageState;

use super::preferences::Theme;
use crate::ui::store::{Overlay, Store};
use crate::ui::text;
use crate::ui::widget::icons::{CHECK, DISK, EYE, HELP, PRESENTATION, SEARCH, THEME};
use crate::ui::widget::{Icon, Mark};

/// The bar.
pub fn top_bar(store: Store) -> impl IntoView {
    let about = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            format!(
                "{}, {}",
                text::count(cluster.brokers.len(), "broker"),
                text::count(cluster.layout.topics as usize, "topic")
            )
        })
    });
    let theme = store.preferences.theme;
    let next_theme = move |_| {
        let at = Theme::ALL.iter().position(|each| *each == theme.get_untracked()).unwrap_or(0);
        let next = Theme::ALL[(at + 1) % Theme::ALL.len()];
        theme.set(next);
        store.say(format!("Theme: {}", next.name()));
    };
    let present = store.presenting;
    view! {
        <header class="bar">
            <h1 class="brand">
                <Mark/>
                <span>"Kafka Playground"</span>
            </h1>
            <span class="sep"></span>
            <div class="about">
                <small>{about}</small>
            </div>
            <span class="grow"></span>
            {saved(store)}
            <button
                class="seek"
                aria-keyshortcuts="Control+K"
                on:click=move |_| store.overlay.set(Overlay::Palette)
            >
                <Icon icon=SEARCH size="s"/>
                <span>"Find or run anything"</span>
                <kbd>"Ctrl K"</kbd>
            </button>
            <span class="sep"></span>
            <button
                class="btn icon wide"
                aria-label=move || format!("Theme: {}", theme.get().name())
                title=move || format!("Theme: {}", theme.get().name())
                on:click=next_theme
            >
                <Icon icon=THEME/>
            </button>
            <button
                class="btn icon wide"
                aria-label="Presenter mode"
                title="Presenter mode"
                aria-pressed=move || present.get().to_string()
                on:click=move |_| present.update(|on| *on = !*on)
            >
                <Icon icon=PRESENTATION/>
            </button>
            <button
                class="btn icon wide"
                aria-label="Keys and help"
                title="Keys and help"
                on:click=move |_| store.overlay.set(Overlay::Shortcuts)
            >
                <Icon icon=HELP/>
            </button>
        </header>
    }
}

/// Is what was done kept?
fn saved(store: Store) -> impl IntoView {
    move || {
        let (icon, words, warn) = match store.storage.get() {
            StorageState::Saved => (CHECK, "saved".to_string(), false),
            StorageState::Saving(_) => (DISK, "saving".to_string(), false),
            StorageState::QuotaExceeded { unsaved } => (DISK, format!("{unsaved} not saved"), true),
            StorageState::ReadOnly => (EYE, "watching".to_string(), true),
            _ => (DISK, "not saved".to_string(), true),
        };
        view! {
            <span class="saved" class:warn=warn role="status">
                <Icon icon size="s"/>
                <span>{words}</span>
            </span>
        }
    }
}
