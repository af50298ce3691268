//! One consumer group (sheet 06): who reads what, and how far behind.

use leptos::prelude::*;
use playground::view::{
    GroupProtocol, GroupsView, Level, MemberState, OffsetView, PartitionKey, Subject,
};

use super::cluster::actions;
use super::cluster::lag_level;
use super::cluster::scene::Width;
use super::drawing::{Drawing, shorten, spine};
use super::empty;
use super::marks::level_class;
use crate::browser::dom;
use crate::ui::store::Store;
use crate::ui::text;
use crate::ui::widget::each::Each;

/// Members and partitions that are drawn.
const MEMBERS_MAX: usize = 4;
const PARTITIONS_MAX: usize = 8;

/// The steps a group goes through, by protocol.
const CLASSIC: [&str; 4] = ["Empty", "Preparing", "Completing", "Stable"];
const CONSUMER: [&str; 4] = ["Empty", "Assigning", "Reconciling", "Stable"];

/// What a member does with a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Reading,
    GivingUp,
    Target,
}

/// One cell of "who reads what".
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    column: usize,
    row: usize,
    part: Part,
    /// What stands below the word.
    words: String,
}

/// The view.
pub fn groups(store: Store) -> impl IntoView {
    let width = Memo::new(move |_| {
        store.layout.track();
        Width::of(dom::window_size().0)
    });
    let has = Memo::new(move |_| store.groups.with(|view| view.chosen.is_some()));
    move || {
        if !has.get() {
            empty(
                store,
                "No groups yet",
                "Consumers of one group share the partitions of a topic. Start one and it appears here.",
                "Start a consumer in group billing",
                actions::consume(),
            )
            .into_any()
        } else if store.text_view.get() || width.get() == Width::Phone {
            tables(store).into_any()
        } else {
            drawn(store).into_any()
        }
    }
}

/// The partitions in the columns: what the group has offsets or owners for.
fn columns(view: &GroupsView) -> Vec<PartitionKey> {
    let mut keys: Vec<PartitionKey> = view.offsets.keys().cloned().collect();
    for member in view.members.values() {
        for key in member.owned.iter().chain(&member.target) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    playground::sorted::sort(&mut keys);
    keys
}

fn cells(view: &GroupsView) -> Vec<Cell> {
    let columns = columns(view);
    let mut cells = Vec::new();
    for (row, member) in view.members.values().take(MEMBERS_MAX).enumerate() {
        let mut add = |key: &PartitionKey, part: Part| {
            let Some(column) =
                columns.iter().position(|each| each == key).filter(|at| *at < PARTITIONS_MAX)
            else {
                return;
            };
            let at = view.offsets.get(key).and_then(|offset| offset.committed);
            let at = at.map_or("the start".to_string(), text::number);
            let words = match part {
                Part::Reading => format!("at {at}"),
                Part::GivingUp => format!("commit {at}"),
                Part::Target => "after the commit".into(),
            };
            cells.push(Cell { column, row, part, words });
        };
        for key in &member.owned {
            add(key, if member.revoking.contains(key) { Part::GivingUp } else { Part::Reading });
        }
        for key in member.target.iter().filter(|key| !member.owned.contains(key)) {
            add(key, Part::Target);
        }
    }
    cells
}

fn drawn(store: Store) -> impl IntoView {
    let chosen =
        Memo::new(move |_| store.groups.with(|view| view.chosen.clone().unwrap_or_default()));
    let group = Memo::new(move |_| {
        store.groups.with(|view| view.groups.get(&chosen.get()).cloned().unwrap_or_default())
    });
    let columns = Memo::new(move |_| store.groups.with(columns));
    let step = Memo::new(move |_| {
        let count = columns.with(Vec::len).clamp(1, PARTITIONS_MAX) as f64;
        (862.0 / count).min(136.0)
    });
    let rows =
        Memo::new(move |_| store.groups.with(|view| view.members.len().clamp(1, MEMBERS_MAX)));
    let members = Memo::new(move |_| {
        store.groups.with(|view| view.members.keys().take(MEMBERS_MAX).cloned().collect::<Vec<_>>())
    });
    let cells = Memo::new(move |_| store.groups.with(cells));
    let moving = Memo::new(move |_| {
        cells.with(|cells| {
            let mut moving: Vec<(usize, usize, usize)> = Vec::new();
            for from in cells.iter().filter(|cell| cell.part == Part::GivingUp) {
                let to = cells
                    .iter()
                    .find(|cell| cell.part == Part::Target && cell.column == from.column);
                if let Some(to) = to {
                    moving.push((from.column, from.row, to.row));
                }
            }
            moving
        })
    });
    let label = Signal::derive(move || {
        format!(
            "Group {}: {}, {}, {}",
            chosen.get(),
            group.with(|group| group.state.clone()),
            text::count(members.with(Vec::len), "member"),
            text::count(columns.with(Vec::len), "partition")
        )
    });
    let below = move || 78.0 + 60.0 * rows.get() as f64;
    let sentence = move || {
        let moving = moving.with(Vec::len);
        let all = columns.with(Vec::len);
        group.with(|group| match (group.state.as_str(), group.protocol) {
            ("Stable", _) => {
                "Each partition has one reader in the group; a member that leaves or joins moves them.".to_string()
            }
            (_, GroupProtocol::Consumer) if moving > 0 => format!(
                "{} {}. The other {} keep flowing: no stop-the-world.",
                text::count(moving, "partition"),
                if moving == 1 { "moves" } else { "move" },
                all - moving
            ),
            ("PreparingRebalance" | "CompletingRebalance", _) => {
                "All members stop, rejoin, and wait for the leader's plan.".into()
            }
            ("Empty", _) => "No member is there; the committed offsets stay.".into(),
            _ => String::new(),
        })
    };
    view! {
        <Drawing id="groups" view=(1_040.0, 500.0) label>
            <g class="hot">
                <text aria-hidden="true" x="16" y="24" class="tb txl">
                    {move || shorten(&chosen.get(), 24)}
                    <tspan class="t3 small" dx="12">
                        {move || {
                            group
                                .with(|group| {
                                    let protocol = match group.protocol {
                                        GroupProtocol::Classic => "classic protocol",
                                        GroupProtocol::Consumer => "consumer protocol",
                                    };
                                    let coordinator = group
                                        .coordinator
                                        .map_or("no coordinator".into(), |id| format!("coordinator broker {id}"));
                                    let assignor = if group.assignor.is_empty() {
                                        String::new()
                                    } else {
                                        format!("{} assignor, ", group.assignor)
                                    };
                                    format!("{protocol}, {assignor}{coordinator}")
                                })
                        }}
                    </tspan>
                </text>
                <rect
                    class="ring" x="10" y="4" width="600" height="30" rx="4"
                    role="button"
                    tabindex="0"
                    aria-label=move || group.with(|group| format!("Group {}, {}, {:?} protocol", chosen.get(), group.state, group.protocol))
                    on:click=move |_| store.inspect(Subject::Group(chosen.get_untracked()))
                    on:keydown=move |event: leptos::ev::KeyboardEvent| {
                        if event.key() == "Enter" {
                            store.inspect(Subject::Group(chosen.get_untracked()));
                        }
                    }
                ></rect>
            </g>
            {move || {
                let (names, state) = group
                    .with(|group| {
                        let names = if group.protocol == GroupProtocol::Classic { CLASSIC } else { CONSUMER };
                        (names, group.state.clone())
                    });
                names
                    .iter()
                    .enumerate()
                    .map(|(index, name)| {
                        let x = 620.0 + 100.0 * index as f64;
                        let on = state.starts_with(name);
                        view! {
                            <rect class=if on { "pill on" } else { "pill" } x=x y="8" width="88" height="24" rx="12"></rect>
                            <text class=if on { "tb mid oninv" } else { "t2 mid" } x=x + 44.0 y="24">
                                {*name}
                            </text>
                            {(index < 3)
                                .then(|| {
                                    view! {
                                        <path class="axis" d=format!("M{} 20h8m-3 -3l4 3l-4 3", x + 89.0)></path>
                                    }
                                })}
                        }
                    })
                    .collect_view()
            }}
            <text x="16" y="62" class="tb th">"Who reads what"</text>
            {move || {
                let step = step.get();
                columns
                    .get()
                    .into_iter()
                    .take(PARTITIONS_MAX)
                    .enumerate()
                    .map(|(index, key)| {
                        view! {
                            <text x=170.0 + step * index as f64 + (step - 8.0) / 2.0 y="62" class="tm t2 mid">
                                {shorten(&key.to_string(), (step / 7.0) as usize)}
                            </text>
                        }
                    })
                    .collect_view()
            }}
            {move || {
                let more = columns.with(Vec::len).saturating_sub(PARTITIONS_MAX);
                (more > 0)
                    .then(|| {
                        view! {
                            <text x="1030" y="44" class="t3 end">
                                {format!("+ {}", text::count(more, "partition"))}
                            </text>
                        }
                    })
            }}
            <Each each=move || members.get().into_iter().enumerate() key=|(index, id)| (*index, id.clone()) let:entry>
                {member(store, chosen, columns, step, entry.0, entry.1)}
            </Each>
            {move || {
                let step = step.get();
                moving
                    .get()
                    .into_iter()
                    .map(|(column, from, to)| {
                        let (top, bottom) = (from.min(to) as f64, from.max(to) as f64);
                        view! {
                            <rect
                                class="mk"
                                x=165.0 + step * column as f64
                                y=133.0 + 60.0 * (top - 1.0)
                                width=step + 2.0
                                height=64.0 + 60.0 * (bottom - top)
                                rx="8"
                            ></rect>
                            <rect
                                class="patch"
                                x=170.0 + step * column as f64
                                y=78.0 + 60.0 * to as f64
                                width=step - 8.0
                                height="54"
                                rx="5"
                            ></rect>
                        }
                    })
                    .collect_view()
            }}
            <Each
                each=move || cells.get()
                key=|cell| (cell.column, cell.row, cell.part, cell.words.clone())
                let:cell
            >
                {reading(cell, step, columns)}
            </Each>
            {move || {
                let step = step.get();
                moving
                    .get()
                    .into_iter()
                    .map(|(column, from, to)| {
                        let x = 170.0 + step * column as f64 + step - 34.0;
                        let (start, end) = (104.0 + 60.0 * from as f64, 104.0 + 60.0 * to as f64);
                        let sign = if end > start { 1.0 } else { -1.0 };
                        view! {
                            <path class="moved" d=format!("M{x} {}V{}", start + 18.0 * sign, end - 16.0 * sign)></path>
                            <path class="pen" d=format!("M{} {}h10l-5 {}z", x - 5.0, end - 17.0 * sign, 8.0 * sign)></path>
                        }
                    })
                    .collect_view()
            }}
            <text x="16" y=move || below() + 14.0 class="t2 th">
                {sentence}
            </text>
            {lags(store, columns, below)}
        </Drawing>
    }
}

fn member(
    store: Store,
    group: Memo<String>,
    columns: Memo<Vec<PartitionKey>>,
    step: Memo<f64>,
    row: usize,
    id: String,
) -> impl IntoView {
    let y = 78.0 + 60.0 * row as f64;
    let this = id.clone();
    let member = Memo::new(move |_| {
        store.groups.with(|view| view.members.get(&this).cloned().unwrap_or_default())
    });
    let words = move || {
        member.with(|member| {
            let what = match member.state {
                MemberState::Joining => "joining".to_string(),
                MemberState::Syncing => "waits for its share".into(),
                MemberState::Silent => "no heartbeat".into(),
                MemberState::Revoking => format!("giving up {}", member.revoking.len()),
                MemberState::Stable if !member.target.is_empty() => {
                    format!("waiting for {}", member.target.len())
                }
                MemberState::Stable => format!("holds {}", member.owned.len()),
            };
            format!("epoch {}, {what}", member.epoch)
        })
    };
    let class = move || {
        member.with(|member| match member.state {
            MemberState::Revoking | MemberState::Silent => "twarn",
            _ => "t3",
        })
    };
    let inspect = move || {
        store.inspect(Subject::Member { group: group.get_untracked(), member: id.clone() });
    };
    let by_key = inspect.clone();
    view! {
        {move || {
            (0..columns.with(Vec::len).min(PARTITIONS_MAX))
                .map(|column| {
                    view! {
                        <rect
                            class="cellbg"
                            x=170.0 + step.get() * column as f64
                            y=y
                            width=step.get() - 8.0
                            height="54"
                            rx="5"
                        ></rect>
                    }
                })
                .collect_view()
        }}
        <g class="hot">
            <rect class="node" x="16" y=y width="142" height="54" rx="6"></rect>
            <text aria-hidden="true" x="28" y=y + 22.0 class="tb th">
                {move || member.with(|member| shorten(&member.name, 16))}
            </text>
            <text aria-hidden="true" x="28" y=y + 40.0 class=class>
                {words}
            </text>
            <g style:display=move || if member.with(|member| member.joined) { "" } else { "none" }>
                <rect class="newp" x="112" y=y + 7.0 width="38" height="17" rx="8.5"></rect>
                <text aria-hidden="true" x="131" y=y + 19.5 class="tb mid">
                    "new"
                </text>
            </g>
            <rect
                class="ring" x="14" y=y - 2.0 width="146" height="58" rx="7"
                role="button"
                tabindex="0"
                aria-label=move || format!("Member {}, {}", member.with(|member| member.name.clone()), words())
                on:click=move |_| inspect()
                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                    if event.key() == "Enter" {
                        by_key();
                    }
                }
            ></rect>
        </g>
    }
}

fn reading(cell: Cell, step: Memo<f64>, columns: Memo<Vec<PartitionKey>>) -> impl IntoView {
    let step = step.get_untracked();
    let (x, y, width) =
        (170.0 + step * cell.column as f64, 78.0 + 60.0 * cell.row as f64, step - 8.0);
    let number = columns.with_untracked(|columns| {
        // Topics in name order: the spine tells them apart within this view.
        let mut topics: Vec<&str> = columns.iter().map(|key| key.topic.as_str()).collect();
        topics.dedup();
        let topic = columns.get(cell.column).map(|key| key.topic.as_str());
        topics.iter().position(|each| Some(*each) == topic).unwrap_or(0) as u16
    });
    let (class, word, word_class) = match cell.part {
        Part::Reading => ("cell", "reading", "tb"),
        Part::GivingUp => ("cell giving", "finishing up", "twarn tb"),
        Part::Target => ("cell target", "target", "t2 tb"),
    };
    let indent = if cell.part == Part::Reading { 22.0 } else { 14.0 };
    view! {
        <rect class=class x=x y=y width=width height="54" rx="5"></rect>
        {(cell.part == Part::GivingUp)
            .then(|| view! { <rect class="gap faint" x=x + 2.0 y=y + 2.0 width=width - 4.0 height="50"></rect> })}
        {(cell.part == Part::Reading).then(|| spine(number, x + 8.0, y + 10.0, 6.0, 34.0))}
        <text x=x + indent y=y + 24.0 class=word_class>
            {word}
        </text>
        <text x=x + indent y=y + 40.0 class=if cell.part == Part::Target { "t3" } else { "tm t3" }>
            {cell.words}
        </text>
    }
}

fn lags(
    store: Store,
    columns: Memo<Vec<PartitionKey>>,
    below: impl Fn() -> f64 + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let top = move || below() + 46.0;
    let room =
        move || (((492.0 - top() - 14.0) / 27.0).floor().max(0.0) as usize).min(PARTITIONS_MAX);
    let shown = move || columns.get().into_iter().take(room()).enumerate().collect::<Vec<_>>();
    view! {
        <g transform=move || format!("translate(0 {})", top())>
            <text x="16" y="0" class="tb th">"How far behind"</text>
            <text x="170" y="0" class="t3">"committed offset"</text>
            <path class="cmt" d="M268 -7v9"></path>
            <text x="284" y="0" class="t3">"not yet read"</text>
            <rect class="lag" x="354" y="-8" width="26" height="9"></rect>
            <text x="392" y="0" class="t3">"end of log"</text>
            <path class="leo" d="M452 -8h4v10h-4"></path>
            <text x="864" y="0" class="t3 end">"records"</text>
            <text x="940" y="0" class="t3 end">"time"</text>
            <text x="1024" y="0" class="t3 end">"caught up in"</text>
            <Each each=shown key=|(index, key)| (*index, key.clone()) let:entry>
                {lag(store, entry.0, entry.1)}
            </Each>
        </g>
    }
}

/// The state and the words of one partition's lag.
fn lag(store: Store, index: usize, key: PartitionKey) -> impl IntoView {
    let y = 18.0 + 27.0 * index as f64;
    let name = shorten(&key.to_string(), 11);
    let this = key.clone();
    let offset = Memo::new(move |_| {
        store.groups.with(|view| view.offsets.get(&this).cloned().unwrap_or_default())
    });
    let owner = Memo::new(move |_| {
        store.groups.with(|view| {
            let owner = offset.get().owner?;
            let member = view.members.get(&owner)?;
            let moving = member.revoking.contains(&key);
            Some((if moving { "moving".to_string() } else { shorten(&member.name, 12) }, moving))
        })
    });
    let at = Memo::new(move |_| offset.with(post));
    let level = move || offset.with(|offset| lag_level(offset.lag_ms));
    let caught_up = move || {
        offset.with(|offset| match offset.caught_up_in_ms {
            None => "never".to_string(),
            Some(ms) if ms < 1_000 => "now".into(),
            Some(ms) => text::span(ms),
        })
    };
    view! {
        <g transform=format!("translate(0 {y})")>
            <text x="16" y="11" class="tm t2">
                {name}
            </text>
            <text x="98" y="11" class=move || if owner.get().is_some_and(|(_, moving)| moving) { "twarn tb" } else { "t3" }>
                {move || owner.get().map_or("nobody".into(), |(name, _)| name)}
            </text>
            <rect class="bed" x="182" y="0" width="608" height="14"></rect>
            <rect class="read" x="187" y="4" width=move || (at.get() - 187.0).max(0.0) height="6"></rect>
            <rect class="lag" x=at y="1" width=move || (790.0 - at.get()).max(0.0) height="12"></rect>
            {spine(0, 182.0, 0.0, 5.0, 14.0)}
            <path
                class="cmt"
                d="M0 -2v18"
                transform=move || format!("translate({:.1} 0)", at.get())
                style:display=move || if offset.with(|offset| offset.committed.is_some()) { "" } else { "none" }
            ></path>
            <path class="leo" d="M791 0h4v14h-4"></path>
            <text x="864" y="11" class=move || if offset.with(|offset| offset.lag_records > 50) { "tm tb end" } else { "tm t2 end" }>
                {move || offset.with(|offset| text::number(offset.lag_records as i64))}
            </text>
            <text x="940" y="11" class=move || format!("tm end {}", if level() == Level::Plain { "t2" } else { level_class(level()) })>
                {move || offset.with(|offset| text::span(offset.lag_ms))}
            </text>
            <text x="1024" y="11" class="tm t3 end">
                {caught_up}
            </text>
        </g>
    }
}

/// Where the committed post stands: the bar is the log from its start to its end.
fn post(offset: &OffsetView) -> f64 {
    let whole = (offset.log_end_offset - offset.log_start_offset).max(1) as f64;
    let read = (offset.committed.unwrap_or(offset.log_start_offset) - offset.log_start_offset)
        .max(0) as f64;
    187.0 + 603.0 * (read / whole).min(1.0)
}

/// The same as text.
fn tables(store: Store) -> impl IntoView {
    let chosen =
        Memo::new(move |_| store.groups.with(|view| view.chosen.clone().unwrap_or_default()));
    let group = Memo::new(move |_| {
        store.groups.with(|view| view.groups.get(&chosen.get()).cloned().unwrap_or_default())
    });
    let members = Memo::new(move |_| store.groups.with(|view| view.members.clone()));
    let offsets = Memo::new(move |_| store.groups.with(|view| view.offsets.clone()));
    view! {
        <div class="stage scrolls tall" tabindex="0" role="group" aria-label="The group as text">
            <table class="mx">
                <caption>
                    {move || {
                        group
                            .with(|group| {
                                format!("Group {}: {}, epoch {}", chosen.get(), group.state, group.epoch)
                            })
                    }}
                </caption>
                <thead>
                    <tr>
                        <th scope="col">"Member"</th>
                        <th scope="col" class="r">"Epoch"</th>
                        <th scope="col">"Reads"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        members
                            .get()
                            .into_values()
                            .map(|member| {
                                let owned = member.owned.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                                view! {
                                    <tr>
                                        <th scope="row">{member.name}</th>
                                        <td class="r mono">{member.epoch}</td>
                                        <td class="mono">{owned}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
            <table class="mx">
                <caption>"How far behind"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Partition"</th>
                        <th scope="col" class="r">"Committed"</th>
                        <th scope="col" class="r">"End"</th>
                        <th scope="col" class="r">"Lag"</th>
                        <th scope="col" class="r">"Time"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        offsets
                            .get()
                            .into_iter()
                            .map(|(key, offset)| {
                                view! {
                                    <tr>
                                        <th scope="row">{key.to_string()}</th>
                                        <td class="r mono">{offset.committed.map_or("none".into(), text::number)}</td>
                                        <td class="r mono">{text::number(offset.log_end_offset)}</td>
                                        <td class="r mono">{text::number(offset.lag_records as i64)}</td>
                                        <td class="r mono" class:warn=lag_level(offset.lag_ms) == Level::Warn>
                                            {text::span(offset.lag_ms)}
                                        </td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
        </div>
    }
}
