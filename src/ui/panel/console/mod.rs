//! Terminals: tabs, what they printed, and a real input as the line.

use std::collections::VecDeque;

use leptos::ev;
use leptos::prelude::*;
use playground::seam::{LineKey, LineState, Stream, TerminalInput, TerminalStatus, ToEngine};

use crate::browser::dom;
use crate::ui::store::{Console, Line, Store};
use crate::ui::widget::Icon;
use crate::ui::widget::each::Each;
use crate::ui::widget::icons::{CHEVRON_DOWN, CROSS, PLUS, TERMINAL};
use crate::ui::widget::splitter::Splitter;

/// How much of a phone the console takes.
const SIZES: [&str; 2] = ["half", "fullh"];

/// The console.
pub fn console(store: Store) -> impl IntoView {
    let open = store.preferences.console_open;
    let moved = Callback::new(move |()| store.layout.update(|changes| *changes += 1));
    let size = RwSignal::new(0_usize);
    let key = move |event: ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => -1,
            _ => return,
        };
        let ids: Vec<u32> =
            store.terminals.with_untracked(|all| all.iter().map(|info| info.id).collect());
        let at =
            ids.iter().position(|id| *id == store.terminal.get_untracked()).unwrap_or(0) as i32;
        let next = ids[(at + step).rem_euclid(ids.len().max(1) as i32) as usize];
        store.terminal.set(next);
        dom::focus(&format!("term-{next}"));
    };
    view! {
        <section
            id="console"
            class=move || format!("term {}", SIZES[size.get()])
            aria-label="Console"
        >
            <Splitter
                label="Height of the console"
                vertical=false
                size=store.preferences.console_height
                target="console"
                moved
            />
            <div class="tt">
                <div class="tablist" role="tablist" aria-label="Terminals" on:keydown=key>
                    <Each
                        each=move || store.terminals.get()
                        key=|info| (info.id, info.title.clone(), info.status)
                        let:info
                    >
                        {
                            let id = info.id;
                            let busy = !matches!(info.status, TerminalStatus::Idle | TerminalStatus::Exited(_));
                            let title = info.title.clone();
                            view! {
                                <button
                                    class="t"
                                    role="tab"
                                    id=format!("term-{id}")
                                    aria-controls="screen"
                                    aria-selected=move || (store.terminal.get() == id).to_string()
                                    tabindex=move || if store.terminal.get() == id { "0" } else { "-1" }
                                    on:click=move |_| {
                                        store.terminal.set(id);
                                        open.set(true);
                                        request_animation_frame(|| dom::focus("line"));
                                    }
                                    on:keydown=move |event: ev::KeyboardEvent| {
                                        if event.key() == "Delete" && id != 0 {
                                            store.send(ToEngine::CloseTerminal(id));
                                        }
                                    }
                                >
                                    <Icon icon=TERMINAL size="s"/>
                                    {info.title}
                                    {busy.then(|| view! { <i class="run"></i><span class="vh">" runs"</span> })}
                                    {match info.status {
                                        TerminalStatus::Exited(code) => Some(format!("({code})")),
                                        _ => None,
                                    }}
                                </button>
                                {(id != 0)
                                    .then(|| {
                                        view! {
                                            <span
                                                class="x"
                                                title=format!("Close {title} (Delete)")
                                                on:click=move |_| store.send(ToEngine::CloseTerminal(id))
                                            >
                                                <Icon icon=CROSS size="s"/>
                                            </span>
                                        }
                                    })}
                            }
                        }
                    </Each>
                </div>
                <button
                    class="t"
                    aria-label="New terminal"
                    on:click=move |_| store.send(ToEngine::OpenTerminal)
                >
                    <Icon icon=PLUS size="s"/>
                </button>
                <span class="grow"></span>
                <span class="hint">{move || hint(store)}</span>
                <button
                    class="t"
                    aria-label="Fold the console"
                    aria-expanded=move || open.get().to_string()
                    on:click=move |_| {
                        open.update(|open| *open = !*open);
                        store.layout.update(|changes| *changes += 1);
                    }
                    on:dblclick=move |_| size.update(|size| *size = 1 - *size)
                >
                    <Icon icon=CHEVRON_DOWN size="s"/>
                </button>
            </div>
            {move || open.get().then(|| screen(store, store.terminal.get()))}
        </section>
    }
}

/// What the keys do now.
fn hint(store: Store) -> &'static str {
    let id = store.terminal.get();
    let status =
        store.terminals.with(|all| all.iter().find(|info| info.id == id).map(|info| info.status));
    match status.unwrap_or_default() {
        TerminalStatus::Idle if offered(&store.console(id).line.get()).is_some() => {
            "Ctrl O runs what is offered    → takes it to edit"
        }
        TerminalStatus::Idle => "Tab completes    ↑ history    Ctrl R search",
        TerminalStatus::Running | TerminalStatus::Streaming => {
            "Ctrl C stops it    + opens another terminal"
        }
        TerminalStatus::Reading => "Enter sends a line    Ctrl D ends it    Ctrl C stops it",
        TerminalStatus::Exited(_) => "this shell has ended",
    }
}

/// The command that the newest note offers: the ghost of an empty line.
fn offered(line: &LineState) -> Option<&str> {
    let plain = line.text.is_empty() && line.search.is_none() && !line.ghost.is_empty();
    plain.then_some(line.ghost.as_str())
}

/// One terminal's output and line.
fn screen(store: Store, id: u32) -> impl IntoView {
    let console = store.console(id);
    let lines = console.lines;
    let asked = Memo::new(move |_| console.asked());
    // Follow the end, unless the user has scrolled up. Only a scroll upwards says that: whether the end is in sight
    // cannot be asked when lines come, since they may be drawn already.
    let following = StoredValue::new(true);
    let last_top = StoredValue::new(0);
    let scrolled = move |_| {
        let top = dom::scroll_top("screen");
        let upwards = top < last_top.get_value();
        following.set_value(dom::at_end("screen") || following.get_value() && !upwards);
        last_top.set_value(top);
    };
    Effect::new(move |_| {
        lines.track();
        console.line.track();
        if following.get_value() {
            request_animation_frame(|| dom::scroll_to_end("screen"));
        }
    });
    Effect::new(move || {
        store.presenting.track();
        let end = || dom::scroll_to_end("screen");
        request_animation_frame(move || request_animation_frame(end));
    });
    view! {
        <div
            id="screen"
            class="out"
            role="tabpanel"
            aria-labelledby=format!("term-{id}")
            tabindex="-1"
            on:scroll=scrolled
            on:click=move |_| {
                if !dom::has_selection() {
                    dom::focus("line");
                }
            }
        >
            <div class="log" role="log" aria-label="Output" tabindex="0">
                <Each each=move || printed_lines(console, asked) key=|line| line.id let:line>
                    {printed(store, line)}
                </Each>
            </div>
            {line_editor(store, id, console, asked)}
        </div>
        {touch_keys(store, id, console)}
    }
}

/// The lines above the input; what a program asks with stands in front of the input instead.
fn printed_lines(console: Console, asked: Memo<Option<String>>) -> VecDeque<Line> {
    let mut lines = console.lines.get();
    if asked.get().is_some() {
        lines.pop_back();
    }
    lines
}

fn printed(store: Store, line: Line) -> AnyView {
    match line.stream {
        Stream::Notice => view! {
            <div class="nb" role="note">
                {line.text}
                {(!line.actions.is_empty())
                    .then(|| {
                        view! {
                            <div>
                                {line
                                    .actions
                                    .into_iter()
                                    .map(|action| {
                                        let label = action.label.clone();
                                        view! {
                                            <button title=action.command.clone() on:click=move |_| store.act(&action)>
                                                {label}
                                            </button>
                                        }
                                    })
                                    .collect_view()}
                            </div>
                        }
                    })}
            </div>
        }
        .into_any(),
        Stream::Echo | Stream::Prompt => view! {
            <div class="l">
                <span class="ps">{line.prompt}</span>
                {line.text}
                {(!line.tag.is_empty()).then(|| view! { <span class="click">{line.tag}</span> })}
            </div>
        }
        .into_any(),
        Stream::Stderr => view! { <div class="l e">{trimmed(line.text)}</div> }.into_any(),
        Stream::Stdout | Stream::Clear => view! { <div class="l">{trimmed(line.text)}</div> }.into_any(),
    }
}

fn trimmed(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// The line: a combobox with ghost text, completions and reverse search.
fn line_editor(
    store: Store,
    id: u32,
    console: Console,
    asked: Memo<Option<String>>,
) -> impl IntoView {
    let state = console.line;
    let leaving = StoredValue::new(false);
    // What the engine wrote into the line (history, completion) appears in the input.
    Effect::new(move || {
        state.with(|state| {
            if state.edit == console.edit.get_value() {
                let (text, cursor) = (state.text.clone(), state.cursor as usize);
                request_animation_frame(move || {
                    if state_is_current(console) {
                        dom::set_input("line", &text, cursor);
                    }
                });
            }
        });
        if let Some(chosen) = state.with(|state| state.chosen) {
            request_animation_frame(move || dom::reveal(&format!("choice-{chosen}")));
        }
    });
    let edited = move |_| {
        let Some((text, cursor)) = dom::input_state("line") else { return };
        state.update(|state| {
            state.text.clone_from(&text);
            state.ghost.clear();
            state.menu.clear();
        });
        store.type_into(id, |edit| TerminalInput::Edit { edit, text, cursor: cursor as u32 });
    };
    let key = move |event: ev::KeyboardEvent| {
        let done = pressed(store, id, console, leaving, &event);
        if done {
            event.prevent_default();
        }
    };
    let paste = move |event: ev::Event| {
        let Some(text) = dom::pasted(&event).filter(|text| text.contains('\n')) else { return };
        event.prevent_default();
        let (before, cursor) = dom::input_state("line").unwrap_or_default();
        let mut whole: String = before.chars().take(cursor).collect();
        whole.push_str(&text.replace("\r\n", "\n"));
        whole.extend(before.chars().skip(cursor));
        dom::set_input("line", "", 0);
        store.type_into(id, |edit| TerminalInput::Paste { edit, text: whole });
    };
    let open = Memo::new(move |_| state.with(|state| !state.menu.is_empty()));
    view! {
        <div class="cmdline">
            {move || {
                state
                    .with(|state| state.search.clone())
                    .map(|wanted| view! { <span class="search">{format!("(reverse-i-search) `{wanted}': ")}</span> })
            }}
            <span class="ps">
                {move || asked.get().unwrap_or_else(|| state.with(|state| state.prompt.clone()))}
            </span>
            <div class="edit">
                <span class="ghost" aria-hidden="true">
                    <i>{move || state.with(|state| state.text.clone())}</i>
                    {move || state.with(|state| state.ghost.clone())}
                </span>
                <input
                    id="line"
                    type="text"
                    role="combobox"
                    aria-label="Command line"
                    aria-autocomplete="both"
                    aria-expanded=move || open.get().to_string()
                    aria-controls="choices"
                    aria-activedescendant=move || {
                        state.with(|state| state.chosen).map(|chosen| format!("choice-{chosen}"))
                    }
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    disabled=move || store.read_only()
                    on:input=edited
                    on:keydown=key
                    on:paste=move |event| paste(event.into())
                />
            </div>
            <ul id="choices" class="choices" role="listbox" aria-label="Completions" style:display=move || if open.get() { "" } else { "none" }>
                {move || {
                    state
                        .with(|state| state.menu.clone())
                        .into_iter()
                        .enumerate()
                        .map(|(index, choice)| {
                            let chosen = move || state.with(|state| state.chosen == Some(index as u16));
                            view! {
                                <li
                                    id=format!("choice-{index}")
                                    role="option"
                                    aria-selected=move || chosen().to_string()
                                    on:mousedown=move |event| {
                                        event.prevent_default();
                                        let key = LineKey::Choose(index as u16);
                                        store.type_into(id, |edit| TerminalInput::Key { edit, key });
                                    }
                                >
                                    {choice.text}
                                    <span>{choice.about}</span>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ul>
        </div>
    }
}

fn state_is_current(console: Console) -> bool {
    console.line.try_with_untracked(|state| state.edit == console.edit.get_value()).unwrap_or(false)
}

/// Handles a key of the line; true if the browser should not.
fn pressed(
    store: Store,
    id: u32,
    console: Console,
    leaving: StoredValue<bool>,
    event: &ev::KeyboardEvent,
) -> bool {
    let state = console.line.get_untracked();
    let (text, cursor) = dom::input_state("line").unwrap_or_default();
    let at_end = cursor == text.chars().count();
    let send = |key: LineKey| {
        store.type_into(id, |edit| TerminalInput::Key { edit, key });
        true
    };
    let control = event.ctrl_key() && !event.alt_key() && !event.meta_key();
    let menu = !state.menu.is_empty();
    let left = leaving.get_value();
    leaving.set_value(false);
    match event.key().as_str() {
        "Enter" => match state.chosen {
            Some(chosen) if menu => send(LineKey::Choose(chosen)),
            _ => {
                submit(store, id, console, text);
                true
            }
        },
        "Tab" if left || (text.is_empty() && !menu && !state.asks) => false,
        "Tab" => send(if event.shift_key() { LineKey::BackTab } else { LineKey::Tab }),
        "ArrowUp" => send(if menu { LineKey::BackTab } else { LineKey::Up }),
        "ArrowDown" => send(if menu { LineKey::Tab } else { LineKey::Down }),
        "ArrowRight" | "End" if at_end && !state.ghost.is_empty() => send(LineKey::AcceptGhost),
        "Escape" => {
            leaving.set_value(true);
            send(LineKey::Escape)
        }
        "c" if control => {
            if dom::has_selection() {
                return false;
            }
            dom::set_input("line", "", 0);
            store.type_into(id, |_| TerminalInput::Interrupt);
            true
        }
        "d" if control && text.is_empty() => {
            store.type_into(id, |_| TerminalInput::Eof);
            true
        }
        "r" if control => send(LineKey::ReverseSearch),
        "o" if control && text.is_empty() => {
            let Some(command) = offered(&state) else { return false };
            submit(store, id, console, command.to_owned());
            true
        }
        "l" if control => {
            console.lines.update(std::collections::VecDeque::clear);
            true
        }
        "u" if control => {
            let rest: String = text.chars().skip(cursor).collect();
            dom::set_input("line", &rest, 0);
            store.type_into(id, |edit| TerminalInput::Edit { edit, text: rest, cursor: 0 });
            true
        }
        _ => false,
    }
}

fn submit(store: Store, id: u32, console: Console, text: String) {
    dom::set_input("line", "", 0);
    console.line.update(|state| {
        state.text.clear();
        state.ghost.clear();
        state.menu.clear();
        state.chosen = None;
        state.search = None;
    });
    store.type_into(id, |edit| TerminalInput::Submit { edit, text });
}

/// Phone: keys that its keyboard hides.
fn touch_keys(store: Store, id: u32, console: Console) -> impl IntoView {
    let key = move |key: LineKey| store.type_into(id, |edit| TerminalInput::Key { edit, key });
    let insert = move |piece: &'static str| {
        let (text, cursor) = dom::input_state("line").unwrap_or_default();
        let mut whole: String = text.chars().take(cursor).collect();
        whole.push_str(piece);
        let cursor = whole.chars().count();
        whole.extend(text.chars().skip(cursor - piece.len()));
        dom::set_input("line", &whole, cursor);
        store.type_into(id, |edit| TerminalInput::Edit {
            edit,
            text: whole,
            cursor: cursor as u32,
        });
    };
    view! {
        <div class="kb" role="group" aria-label="Keys">
            <button on:click=move |_| key(LineKey::Tab)>"Tab"</button>
            <button aria-label="Up: history" on:click=move |_| key(LineKey::Up)>"↑"</button>
            <button on:click=move |_| insert("--")>"--"</button>
            <button on:click=move |_| insert(".sh")>".sh"</button>
            <button
                class="acc"
                disabled=move || console.line.with(|line| line.ghost.is_empty())
                on:click=move |_| key(LineKey::AcceptGhost)
            >
                "Accept"
            </button>
            <button on:click=move |_| {
                let text = dom::input_state("line").unwrap_or_default().0;
                submit(store, id, console, text);
            }>"Run"</button>
        </div>
    }
}
