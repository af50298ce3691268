//! The drawer: what just happened and why, the selected thing, and the figures of now.

use leptos::prelude::*;
use playground::view::{Level, Part, Sentence, SentenceKind};

use super::preferences::Announce;
use crate::browser::dom;
use crate::ui::store::{DrawerTab, Store};
use crate::ui::text;
use crate::ui::widget::Icon;
use crate::ui::widget::each::Each;
use crate::ui::widget::icons::{
    ALERT, CHECK, CROSS, EXPLAIN, EYE, FLAG, LOCK, PLUS, POWER, TERMINAL, TURN, USERS,
};

/// Sentences shown at once.
const SHOWN: usize = 60;

/// Tabs, body and figures.
pub fn drawer(store: Store) -> impl IntoView {
    let tab = store.drawer_tab;
    let key = move |event: leptos::ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
            let next = if tab.get_untracked() == DrawerTab::Explain {
                DrawerTab::Inspect
            } else {
                DrawerTab::Explain
            };
            tab.set(next);
            dom::focus(if next == DrawerTab::Explain { "tab-explain" } else { "tab-inspect" });
        }
    };
    let button =
        move |which: DrawerTab, id: &'static str, icon: &'static str, name: &'static str| {
            view! {
                <button
                    class="tab"
                    role="tab"
                    id=id
                    aria-controls="drawer-body"
                    aria-selected=move || (tab.get() == which).to_string()
                    tabindex=move || if tab.get() == which { "0" } else { "-1" }
                    on:click=move |_| tab.set(which)
                >
                    <Icon icon size="s"/>
                    {name}
                </button>
            }
        };
    view! {
        <div class="tabs">
            <div class="tablist" role="tablist" aria-label="Drawer" on:keydown=key>
                {button(DrawerTab::Explain, "tab-explain", EXPLAIN, "Explain")}
                {button(DrawerTab::Inspect, "tab-inspect", EYE, "Inspect")}
            </div>
        </div>
        <div
            id="drawer-body"
            class="body"
            role="tabpanel"
            tabindex="0"
            aria-labelledby=move || if tab.get() == DrawerTab::Explain { "tab-explain" } else { "tab-inspect" }
        >
            {move || match tab.get() {
                DrawerTab::Explain => explain(store).into_any(),
                DrawerTab::Inspect => inspect(store).into_any(),
            }}
        </div>
        {facts(store)}
    }
}

/// A sentence's words with their emphasis.
pub fn parts(parts: &[Part]) -> impl IntoView + use<> {
    parts
        .iter()
        .map(|part| match part.clone() {
            Part::Text(text) => text.into_any(),
            Part::Strong(text) => view! { <b>{text}</b> }.into_any(),
            Part::Code(text) => view! { <code>{text}</code> }.into_any(),
        })
        .collect_view()
}

fn explain(store: Store) -> impl IntoView {
    let shown = move || {
        store.narrative.with(|sentences| {
            sentences.iter().rev().take(SHOWN).cloned().collect::<Vec<Sentence>>()
        })
    };
    let current = Memo::new(move |_| store.current_sentence());
    view! {
        <h2 class="eyebrow">"What just happened"</h2>
        <Show
            when=move || store.narrative.with(|sentences| !sentences.is_empty())
            fallback=|| view! { <p>"Nothing yet. Run a command, and each thing it causes is told here."</p> }
        >
            <ol class="feed">
                <Each each=shown key=|sentence| sentence.id let:sentence>
                    {entry(store, sentence, current)}
                </Each>
            </ol>
        </Show>
    }
}

fn entry(store: Store, sentence: Sentence, current: Memo<Option<u64>>) -> impl IntoView {
    let id = sentence.id;
    let class = match (sentence.kind, sentence.level) {
        (_, Level::Bad) => "bad",
        (_, Level::Warn) => "warn",
        (SentenceKind::Election | SentenceKind::Controller | SentenceKind::Rebalance, _) => "ctl",
        (_, Level::Good) => "ok",
        _ => "",
    };
    let icon = match sentence.kind {
        SentenceKind::Command => Some(TERMINAL),
        SentenceKind::Failure => Some(CROSS),
        SentenceKind::Anomaly | SentenceKind::IsrShrink => Some(ALERT),
        SentenceKind::Election => Some(FLAG),
        SentenceKind::Controller => Some(LOCK),
        SentenceKind::Rebalance => Some(USERS),
        SentenceKind::Started => Some(POWER),
        SentenceKind::Topic => Some(PLUS),
        SentenceKind::Retention => Some(TURN),
        SentenceKind::IsrExpand => Some(CHECK),
        SentenceKind::Record => (sentence.level == Level::Good).then_some(CHECK),
    };
    let when = match sentence.until {
        Some(until) => format!("{} to {}", text::time(sentence.at), text::time(until)),
        None => text::time(sentence.at),
    };
    let is_current = move || current.get() == Some(id);
    let cause = sentence.cause.filter(|_| sentence.important || sentence.level != Level::Plain);
    let why = move || {
        cause.filter(|cause| store.narrative.with(|all| all.iter().any(|each| each.id == *cause))).map(|cause| {
            view! {
                <button class="why" on:click=move |_| store.chosen_sentence.set(Some(cause))>"Why?"</button>
            }
        })
    };
    let actions = sentence.actions.clone();
    view! {
        <li class=class class:cur=is_current>
            <span class="n">{icon.map(|icon| view! { <Icon icon/> })}</span>
            <button
                class="say"
                aria-pressed=move || is_current().to_string()
                on:click=move |_| {
                    store
                        .chosen_sentence
                        .update(|chosen| *chosen = if *chosen == Some(id) { None } else { Some(id) });
                }
            >
                <time>{when}</time>
                {parts(&sentence.parts)}
            </button>
            {why}
            {actions
                .into_iter()
                .map(|action| {
                    let label = action.label.clone();
                    view! {
                        <button class="why" title=action.command.clone() on:click=move |_| store.act(&action)>
                            {label}
                        </button>
                    }
                })
                .collect_view()}
        </li>
    }
}

fn inspect(store: Store) -> impl IntoView {
    let shown = Memo::new(move |_| store.drawer.with(|drawer| drawer.inspect.clone()));
    move || {
        match shown.get() {
        None => view! {
            <p>"Select something in a view: a broker, a copy of a partition, a batch, a request. Its fields show here."</p>
        }
        .into_any(),
        Some(subject) => view! {
            <p class="eyebrow">{subject.kind}</p>
            <h2 class="mono">{subject.title}</h2>
            <p>{subject.text}</p>
            <div class="tree mono">
                {subject
                    .fields
                    .into_iter()
                    .map(|field| {
                        let mark = if field.marked { "hl" } else { "" };
                        view! {
                            <div class=format!("d{}", field.depth.min(3))>
                                <span class=mark>{field.name}</span>
                                <b class=mark>{field.value}</b>
                            </div>
                        }
                    })
                    .collect_view()}
            </div>
            {(!subject.bytes.is_empty())
                .then(|| {
                    let hex: Vec<String> = subject.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    view! {
                        <h3 class="eyebrow">"Bytes"</h3>
                        <p class="hex">{hex.join(" ")}</p>
                    }
                })}
            <div class="acts">
                {subject
                    .actions
                    .into_iter()
                    .map(|action| {
                        let label = action.label.clone();
                        view! {
                            <button
                                class="btn line"
                                title=action.command.clone()
                                on:click=move |_| store.act(&action)
                            >
                                {label}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
        }
        .into_any(),
    }
    }
}

/// The class of a level's words.
pub fn level_class(level: Level) -> &'static str {
    match level {
        Level::Plain => "",
        Level::Good => "is-ok",
        Level::Warn => "is-warn",
        Level::Bad => "is-bad",
    }
}

fn facts(store: Store) -> impl IntoView {
    let facts = Memo::new(move |_| store.drawer.with(|drawer| drawer.facts.clone()));
    move || {
        let facts = facts.get();
        (!facts.is_empty()).then(|| {
            view! {
                <div class="foot">
                    <h2 class="eyebrow">"Right now"</h2>
                    <dl class="facts">
                        {facts
                            .into_iter()
                            .map(|fact| {
                                view! {
                                    <dt>{fact.name}</dt>
                                    <dd class=level_class(fact.level)>{fact.value}</dd>
                                }
                            })
                            .collect_view()}
                    </dl>
                </div>
            }
        })
    }
}

/// What a screen reader is told of the narrative: failures first, and never faster than one can listen.
pub fn live_region(store: Store) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let last = StoredValue::new((0_u64, -10_000.0_f64));
    Effect::new(move || {
        let announce = store.preferences.announce.get();
        if announce == Announce::Off {
            return;
        }
        let (told, at) = last.get_value();
        let now = dom::now_ms();
        let fast = store.clock.with_untracked(|clock| clock.speed.0 > 1_000);
        store.narrative.with(|sentences| {
            let fresh: Vec<&Sentence> =
                sentences.iter().filter(|sentence| sentence.id > told).collect();
            let Some(newest) = fresh.last().map(|sentence| sentence.id) else { return };
            let wait = if fast { 5_000.0 } else { 2_000.0 };
            let important: Vec<&&Sentence> =
                fresh.iter().filter(|sentence| sentence.important).collect();
            let urgent = important.iter().any(|sentence| sentence.level == Level::Bad);
            if now - at < wait && !urgent {
                return;
            }
            let text = match (important.first(), announce) {
                (Some(first), _) if fast && fresh.len() > 1 => {
                    format!("{} events. {}", fresh.len(), first.plain())
                }
                (Some(first), _) => first.plain(),
                (None, Announce::All) if fast => format!("{} events.", fresh.len()),
                (None, Announce::All) => {
                    fresh.last().map(|sentence| sentence.plain()).unwrap_or_default()
                }
                _ => return,
            };
            last.set_value((newest, now));
            said.set(text);
        });
    });
    view! { <div class="vh live" aria-live="polite" role="status">{said}</div> }
}
