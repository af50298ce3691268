//! The command palette: every action with the command it runs, every view, every setting.

use leptos::prelude::*;
use playground::seam::{Tab, ToEngine};
use playground::view::Subject;

use super::preferences::Theme;
use super::view_tabs::TABS;
use crate::browser::dom;
use crate::ui::panel::cluster::actions;
use crate::ui::store::{Overlay, Store};
use crate::ui::widget::Icon;
use crate::ui::widget::icons::{
    DOWNLOAD, EYE, KEYBOARD, MAP, MENU, PLAY, PRESENTATION, SCROLL, SEARCH, SKIP, STEP, TERMINAL,
    TEXT, THEME, TURN,
};

/// What choosing an entry does.
#[derive(Clone)]
enum Does {
    Command(String),
    Show(Tab),
    OpenLog(String, i32),
    Inspect(Subject),
    Theme(Theme),
    Overlay(Overlay),
    Send(ToEngine),
    SaveJournal,
    TextView,
    Present,
}

#[derive(Clone)]
struct Entry {
    icon: &'static str,
    label: String,
    /// What is shown on the right: the command it runs.
    shows: String,
    does: Does,
}

fn entry(
    icon: &'static str,
    label: impl Into<String>,
    shows: impl Into<String>,
    does: Does,
) -> Entry {
    Entry { icon, label: label.into(), shows: shows.into(), does }
}

fn command(icon: &'static str, label: impl Into<String>, command: String) -> Entry {
    Entry { icon, label: label.into(), shows: command.clone(), does: Does::Command(command) }
}

/// Everything that can be done now.
fn entries(store: Store) -> Vec<Entry> {
    let mut all = Vec::new();
    store.cluster.with_untracked(|cluster| {
        for (id, broker) in &cluster.brokers {
            for (icon, verb, line) in actions::of_broker(broker) {
                all.push(command(icon, format!("{verb} broker {id}"), line));
            }
        }
    });
    for (tab, icon, name) in TABS {
        all.push(entry(icon, format!("Go to {name}"), "", Does::Show(tab)));
    }
    store.cluster.with_untracked(|cluster| {
        for key in cluster.partitions.keys() {
            let does = Does::OpenLog(key.topic.clone(), key.partition);
            all.push(entry(SCROLL, format!("Log of {key}"), "", does));
        }
        for row in &cluster.layout.rows {
            all.push(command(
                TERMINAL,
                format!("Describe topic {}", row.topic),
                actions::describe_topic(&row.topic),
            ));
        }
        for name in cluster.groups.keys().filter(|name| !name.is_empty()) {
            all.push(command(
                TERMINAL,
                format!("Describe group {name}"),
                actions::describe_group(name),
            ));
        }
        for id in cluster.brokers.keys() {
            all.push(entry(
                EYE,
                format!("Inspect broker {id}"),
                "",
                Does::Inspect(Subject::Broker(*id)),
            ));
        }
    });
    all.push(command(TERMINAL, "List topics", actions::list_topics()));
    all.push(command(TERMINAL, "List groups", actions::list_groups()));
    all.push(command(TERMINAL, "Elect preferred leaders", actions::elect_preferred()));
    all.push(entry(PLAY, "Play or pause", "Space", Does::Send(ToEngine::Play)));
    all.push(entry(STEP, "Step one event", ".", Does::Send(ToEngine::Step)));
    all.push(entry(
        SKIP,
        "Run until something interesting",
        "N",
        Does::Send(ToEngine::RunUntilInteresting),
    ));
    for theme in Theme::ALL {
        all.push(entry(THEME, format!("Theme: {}", theme.name()), "", Does::Theme(theme)));
    }
    all.push(entry(PRESENTATION, "Presenter mode", "Shift P", Does::Present));
    all.push(entry(TEXT, "View as text", "T", Does::TextView));
    all.push(entry(MAP, "Legend", "L", Does::Overlay(Overlay::Legend)));
    all.push(entry(KEYBOARD, "Keys and settings", "?", Does::Overlay(Overlay::Shortcuts)));
    all.push(entry(MENU, "New terminal", "", Does::Send(ToEngine::OpenTerminal)));
    all.push(entry(DOWNLOAD, "Save the journal", "", Does::SaveJournal));
    all.push(entry(TURN, "Start afresh…", "", Does::Overlay(Overlay::Reset)));
    all
}

fn perform(store: Store, entry: &Entry) {
    store.overlay.set(Overlay::None);
    match entry.does.clone() {
        Does::Command(line) => store.run(line, entry.label.clone()),
        Does::Show(tab) => store.show(tab),
        Does::OpenLog(topic, partition) => store.open_log(&topic, partition, None),
        Does::Inspect(subject) => store.inspect(subject),
        Does::Theme(theme) => store.preferences.theme.set(theme),
        Does::Overlay(overlay) => store.overlay.set(overlay),
        Does::Send(ToEngine::Play) => super::time_bar::toggle(store),
        Does::SaveJournal => store.save_journal(),
        Does::Send(message) => store.send(message),
        Does::TextView => store.text_view.update(|on| *on = !*on),
        Does::Present => store.presenting.update(|on| *on = !*on),
    }
}

/// Entries whose label or command has every word of the query, best first; a line that looks like a command runs as it is.
fn matching(all: &[Entry], query: &str) -> Vec<Entry> {
    let typed = query.trim();
    let query = typed.to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let mut found: Vec<(usize, Entry)> = all
        .iter()
        .filter_map(|entry| {
            let label = entry.label.to_lowercase();
            let shows = entry.shows.to_lowercase();
            let all_in = words.iter().all(|word| label.contains(word) || shows.contains(word));
            let rank = if label.starts_with(&query) {
                0
            } else if label.contains(&query) {
                1
            } else {
                2
            };
            all_in.then(|| (rank, entry.clone()))
        })
        .collect();
    playground::sorted::sort_by_key(&mut found, |(rank, _)| *rank);
    let mut found: Vec<Entry> = found.into_iter().map(|(_, entry)| entry).take(40).collect();
    if ["kafka-", "docker ", "bin/kafka"].iter().any(|start| query.starts_with(start)) {
        found.insert(0, command(TERMINAL, "Run", typed.to_string()));
    }
    found
}

/// The palette, when it is open.
pub fn palette(store: Store) -> impl IntoView {
    move || (store.overlay.get() == Overlay::Palette).then(|| open(store))
}

fn open(store: Store) -> impl IntoView {
    let all = StoredValue::new_local(entries(store));
    let query = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let found = Signal::derive_local(move || {
        query.with(|query| all.with_value(|all| matching(all, query)))
    });
    let close = move || store.overlay.set(Overlay::None);
    request_animation_frame(|| {
        dom::show_modal("palette");
        dom::focus("find");
    });
    let key = move |event: leptos::ev::KeyboardEvent| {
        let count = found.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                let chosen = found.with_untracked(|found| found.get(at.get_untracked()).cloned());
                if let Some(entry) = chosen {
                    perform(store, &entry);
                }
            }
            _ => return,
        }
        event.prevent_default();
        dom::reveal(&format!("pal-{}", at.get_untracked()));
    };
    view! {
        <dialog
            id="palette"
            class="scrim"
            aria-label="Find or run anything"
            on:cancel=move |event: leptos::ev::Event| {
                event.prevent_default();
                close();
            }
            on:click=move |event| {
                if dom::is_target(&event, "palette") {
                    close();
                }
            }
        >
            <div class="sheet pal">
                <div class="find">
                    <Icon icon=SEARCH/>
                    <input
                        id="find"
                        type="text"
                        role="combobox"
                        autocomplete="off"
                        spellcheck="false"
                        placeholder="Find or run anything"
                        aria-label="Find or run anything"
                        aria-expanded="true"
                        aria-controls="pal-list"
                        aria-activedescendant=move || format!("pal-{}", at.get())
                        on:input=move |event| {
                            query.set(event_target_value(&event));
                            at.set(0);
                        }
                        on:keydown=key
                    />
                    <kbd>"Esc"</kbd>
                </div>
                <ul id="pal-list" role="listbox" aria-label="What can be done">
                    {move || {
                        found
                            .get()
                            .into_iter()
                            .enumerate()
                            .map(|(index, entry)| {
                                let (icon, label, shows) = (entry.icon, entry.label.clone(), entry.shows.clone());
                                view! {
                                    <li
                                        id=format!("pal-{index}")
                                        role="option"
                                        aria-selected=move || (at.get() == index).to_string()
                                        on:click=move |_| perform(store, &entry)
                                        on:mousemove=move |_| at.set(index)
                                    >
                                        <Icon icon/>
                                        {label}
                                        <code>{shows}</code>
                                    </li>
                                }
                            })
                            .collect_view()
                    }}
                </ul>
                <p class="note" role="status">
                    {move || {
                        if found.with(Vec::is_empty) {
                            "No command matches. Try “kafka-”, and it runs as you type it."
                        } else {
                            "Each action shows the command it will run."
                        }
                    }}
                </p>
            </div>
        </dialog>
    }
}
