//! Messages across the page: what is (not) kept, who else is here, and what stopped the engine.

use leptos::prelude::*;
use playground::seam::{Failure, StorageState, ToEngine};

use crate::browser::dom;
use crate::ui::store::{Overlay, Phase, Store};
use crate::ui::text;
use crate::ui::widget::Icon;
use crate::ui::widget::icons::{ALERT, DISK, DOWNLOAD, EYE};

/// The line above everything: empty while all is well.
pub fn notices(store: Store) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            {move || {
                let (class, icon, title, words) = message(&store.storage.get())?;
                let read_only = store.read_only();
                let afresh =
                    matches!(store.storage.get(), StorageState::Damaged { .. } | StorageState::Newer { .. });
                Some(
                    view! {
                        <div class=format!("msg {class}")>
                            <Icon icon/>
                            <span>
                                <b>{title}</b>
                                " "
                                {words}
                            </span>
                            {if read_only {
                                view! {
                                    <button class="btn fill" on:click=move |_| store.send(ToEngine::TakeOver)>
                                        "Take over"
                                    </button>
                                }
                                    .into_any()
                            } else {
                                view! {
                                    <button class="btn line" on:click=move |_| store.save_journal()>
                                        <Icon icon=DOWNLOAD/>
                                        "Save the journal"
                                    </button>
                                    {afresh
                                        .then(|| {
                                            view! {
                                                <button
                                                    class="btn line"
                                                    on:click=move |_| store.overlay.set(Overlay::Reset)
                                                >
                                                    "Start afresh"
                                                </button>
                                            }
                                        })}
                                }
                                    .into_any()
                            }}
                        </div>
                    },
                )
            }}
        </div>
    }
}

fn message(state: &StorageState) -> Option<(&'static str, &'static str, &'static str, String)> {
    Some(match state {
        StorageState::Saved | StorageState::Saving(_) => return None,
        StorageState::Unavailable { why } => (
            "",
            DISK,
            "Nothing will be saved.",
            format!("{why} Save the journal before you close the tab."),
        ),
        StorageState::QuotaExceeded { unsaved } => (
            "warn",
            ALERT,
            "The browser's storage is full.",
            format!("What was saved is safe; {unsaved} newer commands live in this tab only."),
        ),
        StorageState::Blocked => (
            "warn",
            ALERT,
            "Another tab holds the saved cluster open.",
            "It runs an older version. Close it, then reload this one.".into(),
        ),
        StorageState::Damaged { why } => (
            "bad",
            ALERT,
            "The saved cluster can't be read.",
            format!("{why} It is kept as it is."),
        ),
        StorageState::Newer { found, newest } => (
            "warn",
            ALERT,
            "The saved cluster is from a newer version.",
            format!(
                "Its format is {found}, this page reads up to {newest}. It is kept as it is; reload to get the newest page."
            ),
        ),
        StorageState::ReadOnly => (
            "",
            EYE,
            "Another tab runs this cluster.",
            "You see it live. Take over to run it here; the other tab then watches.".into(),
        ),
    })
}

/// The page after the engine stopped.
pub fn failure(store: Store) -> impl IntoView {
    let failure = move || match store.phase.get() {
        Phase::Failed(failure) => failure,
        _ => Failure::default(),
    };
    view! {
        <main class="full">
            <section class="fail" role="alert">
                <h1>{move || format!("The simulator stopped at {}", text::time(failure().at))}</h1>
                <p>
                    "This is our bug, not yours. What you did is kept: the journal holds every command up to here, and with it anyone can see what went wrong."
                </p>
                <dl class="kv">
                    <dt>"What broke"</dt>
                    <dd>{move || failure().what}</dd>
                    <dt>"In words"</dt>
                    <dd>{move || failure().why}</dd>
                    <dt>"Seed"</dt>
                    <dd>{move || failure().seed.to_string()}</dd>
                    <dt>"Event"</dt>
                    <dd>{move || failure().event.to_string()}</dd>
                    {move || {
                        let command = failure().reproduce;
                        (!command.is_empty()).then(|| view! { <dt>"To see it again"</dt> <dd>{command}</dd> })
                    }}
                </dl>
                <div class="acts">
                    <button class="btn fill" on:click=move |_| store.save_journal()>
                        <Icon icon=DOWNLOAD/>
                        "Save the journal"
                    </button>
                    <button class="btn line" on:click=move |_| dom::reload()>"Try again from what is saved"</button>
                    <button class="btn line" on:click=move |_| store.overlay.set(Overlay::Reset)>"Start afresh"</button>
                </div>
            </section>
            {super::sheets::sheets(store)}
        </main>
    }
}
