//! Sheets over the page: keys and settings, the legend, the question before a reset.

use leptos::prelude::*;

use super::keys::KEYS;
use super::preferences::Announce;
use super::reset;
use crate::browser::dom;
use crate::ui::panel::legend::legend;
use crate::ui::store::{Overlay, Store};
use crate::ui::widget::icons::CROSS;
use crate::ui::widget::{Choice, Icon};

/// Whichever sheet is open.
pub fn sheets(store: Store) -> impl IntoView {
    move || match store.overlay.get() {
        Overlay::None | Overlay::Palette => ().into_any(),
        Overlay::Shortcuts => {
            sheet(store, "Keys and settings", false, shortcuts(store).into_any()).into_any()
        }
        Overlay::Legend => {
            sheet(store, "How to read the playground", true, legend().into_any()).into_any()
        }
        Overlay::Reset => {
            sheet(store, "Start afresh?", false, question(store).into_any()).into_any()
        }
    }
}

/// A modal sheet; the browser keeps the focus in it and gives it back.
fn sheet(store: Store, title: &'static str, wide: bool, body: AnyView) -> impl IntoView {
    request_animation_frame(|| dom::show_modal("sheet"));
    let close = move || store.overlay.set(Overlay::None);
    view! {
        <dialog
            id="sheet"
            class="scrim"
            aria-label=title
            on:cancel=move |event: leptos::ev::Event| {
                event.prevent_default();
                close();
            }
            on:click=move |event| {
                if dom::is_target(&event, "sheet") {
                    close();
                }
            }
        >
            <div class="sheet" class:wide=wide>
                <header>
                    <h2>{title}</h2>
                    <button class="btn icon" aria-label="Close" on:click=move |_| close()>
                        <Icon icon=CROSS/>
                    </button>
                </header>
                {body}
            </div>
        </dialog>
    }
}

fn shortcuts(store: Store) -> impl IntoView {
    let preferences = store.preferences;
    let switch = move |label: &'static str, signal: RwSignal<bool>, when: [&'static str; 2]| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>
                    <Choice
                        label
                        options=Signal::derive(move || when.map(String::from).to_vec())
                        chosen=Signal::derive(move || Some(usize::from(!signal.get())))
                        choose=move |index: usize| signal.set(index == 0)
                    />
                </dd>
            </div>
        }
    };
    let announce = preferences.announce;
    const ANNOUNCE: [Announce; 3] = [Announce::All, Announce::Important, Announce::Off];
    view! {
        <dl class="keys">
            {KEYS
                .map(|(what, keys)| {
                    view! {
                        <div>
                            <dt>{what}</dt>
                            <dd>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dd>
                        </div>
                    }
                })
                .collect_view()}
            {switch("Single-letter keys", preferences.single_keys, ["On", "Off"])}
            {switch("Motion", preferences.less_motion, ["Less", "Full"])}
            <div>
                <dt>"Screen reader hears"</dt>
                <dd>
                    <Choice
                        label="Screen reader hears"
                        options=Signal::derive(|| ["All", "Important", "Nothing"].map(String::from).to_vec())
                        chosen=Signal::derive(move || ANNOUNCE.iter().position(|each| *each == announce.get()))
                        choose=move |index: usize| announce.set(ANNOUNCE[index])
                    />
                </dd>
            </div>
        </dl>
    }
}

fn question(store: Store) -> impl IntoView {
    view! {
        <div class="load-body">
            <p>
                "A new cluster of three brokers takes the place of this one. Its topics, records and history are deleted from this browser; save the journal first if you want to come back."
            </p>
            <div class="acts">
                <button
                    class="btn fill"
                    on:click=move |_| {
                        store.overlay.set(Overlay::None);
                        reset(store);
                    }
                >
                    "Delete and start afresh"
                </button>
                <button class="btn line" on:click=move |_| store.save_journal()>
                    "Save the journal"
                </button>
                <button class="btn line" on:click=move |_| store.overlay.set(Overlay::None)>"Keep this cluster"</button>
            </div>
        </div>
    }
}
