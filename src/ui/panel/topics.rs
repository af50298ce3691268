//! Partitions by brokers (sheet 18): who leads, who copies, who lags.

use leptos::prelude::*;
use playground::view::{PartitionKey, PartitionRow, Subject};

use super::cluster::actions;
use super::cluster::diagram::PATTERNS;
use super::empty;
use crate::ui::store::Store;
use crate::ui::text;
use crate::ui::widget::Choice;
use crate::ui::widget::each::Each;

/// Rows drawn at once; more are reached by the filter.
const ROWS_MAX: usize = 200;

/// One row with all it draws.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    key: PartitionKey,
    number: u16,
    first: bool,
    row: PartitionRow,
}

#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Name,
    End,
    Rate,
    Size,
}

/// The view.
pub fn topics(store: Store) -> impl IntoView {
    let filter = RwSignal::new(0_usize);
    let sort = RwSignal::new(Sort::Name);
    let internal = RwSignal::new(false);
    let brokers = Memo::new(move |_| store.topics.with(|view| view.brokers.clone()));
    let counts = Memo::new(move |_| {
        store.topics.with(|view| {
            let user = view.partitions.iter().filter(|(key, _)| {
                internal.get() || view.topics.get(&key.topic).is_none_or(|topic| !topic.internal)
            });
            let mut counts = [0_usize; 3];
            for (_, row) in user {
                counts[0] += 1;
                counts[1] += usize::from(row.isr.len() < row.replicas.len());
                counts[2] += usize::from(row.leader != row.replicas.first().copied());
            }
            counts
        })
    });
    let rows = Memo::new(move |_| {
        store.topics.with(|view| {
            let mut rows: Vec<Row> = view
                .partitions
                .iter()
                .filter_map(|(key, row)| {
                    let topic = view.topics.get(&key.topic)?;
                    let shown = (internal.get() || !topic.internal)
                        && match filter.get() {
                            1 => row.isr.len() < row.replicas.len(),
                            2 => row.leader != row.replicas.first().copied(),
                            _ => true,
                        };
                    shown.then(|| Row {
                        key: key.clone(),
                        number: topic.number,
                        first: false,
                        row: row.clone(),
                    })
                })
                .collect();
            match sort.get() {
                Sort::Name => rows.sort_by(|a, b| a.key.cmp(&b.key)),
                Sort::End => rows.sort_by_key(|row| std::cmp::Reverse(row.row.log_end_offset)),
                Sort::Rate => rows.sort_by_key(|row| std::cmp::Reverse(row.row.records_in)),
                Sort::Size => rows.sort_by_key(|row| std::cmp::Reverse(row.row.size)),
            }
            rows.truncate(ROWS_MAX);
            for index in 0..rows.len() {
                rows[index].first =
                    index == 0 || rows[index - 1].key.topic != rows[index].key.topic;
            }
            rows
        })
    });
    let most = Memo::new(move |_| {
        rows.with(|rows| {
            let rate = rows.iter().map(|row| row.row.records_in).max().unwrap_or(0).max(1);
            let size = rows.iter().map(|row| row.row.size).max().unwrap_or(0).max(1);
            (rate, size)
        })
    });
    let marked = Memo::new(move |_| {
        let current = store.current_sentence()?;
        let subject = store
            .narrative
            .with(|sentences| sentences.iter().find(|each| each.id == current)?.subject.clone());
        match subject? {
            Subject::Partition(key) => Some(key),
            Subject::Replica(key) => Some(key.partition_key()),
            _ => None,
        }
    });
    let names = Signal::derive(move || {
        let [all, lagging, moved] = counts.get();
        vec![
            format!("All {all}"),
            format!("Not in sync {lagging}"),
            format!("Not preferred {moved}"),
        ]
    });
    let heading = move |name: &'static str, by: Sort, class: &'static str| {
        view! {
            <th
                scope="col"
                class=class
                aria-sort=move || if sort.get() == by { if by == Sort::Name { "ascending" } else { "descending" } } else { "none" }
            >
                <button on:click=move |_| sort.set(by)>{name} {move || if sort.get() == by { " ↓" } else { "" }}</button>
            </th>
        }
    };
    let none = Memo::new(move |_| {
        store.topics.with(|view| view.topics.values().all(|topic| topic.internal))
    });
    view! {
        <Show
            when=move || !none.get() || internal.get()
            fallback=move || {
                empty(
                    store,
                    "No topics yet",
                    "A topic is a named set of logs. Create one and its partitions appear here.",
                    "Create topic orders",
                    actions::create_topic(),
                )
            }
        >
            <div class="stage scrolls tall" tabindex="0" role="group" aria-label="Partitions by brokers">
                <svg width="0" height="0" aria-hidden="true">
                    <defs inner_html=PATTERNS></defs>
                </svg>
                <div class="tools">
                    <Choice
                        label="Partitions shown"
                        options=names
                        chosen=Signal::derive(move || Some(filter.get()))
                        choose=move |index: usize| filter.set(index)
                    />
                    <label>
                        <input
                            type="checkbox"
                            prop:checked=move || internal.get()
                            on:change=move |event| internal.set(event_target_checked(&event))
                        />
                        "internal topics"
                    </label>
                </div>
                <table class="mx">
                    <thead>
                        <tr>
                            {heading("Partition", Sort::Name, "")}
                            {move || {
                                brokers
                                    .get()
                                    .into_iter()
                                    .map(|broker| {
                                        let word = if broker.state.is_down() {
                                            if broker.fenced { ", fenced" } else { ", down" }
                                        } else if broker.fenced {
                                            ", fenced"
                                        } else {
                                            ""
                                        };
                                        view! {
                                            <th scope="col" class:bad=!word.is_empty()>
                                                {format!("Broker {}{word}", broker.id)}
                                            </th>
                                        }
                                    })
                                    .collect_view()
                            }}
                            <th scope="col" class="r">"Leader"</th>
                            <th scope="col">"In sync"</th>
                            {heading("End", Sort::End, "r")}
                            {heading("In per s", Sort::Rate, "")}
                            {heading("Size", Sort::Size, "")}
                        </tr>
                    </thead>
                    <tbody>
                        <Each
                            each=move || rows.get()
                            key=|row| (row.key.clone(), row.first)
                            let:row
                        >
                            {partition(store, row, rows, brokers, most, marked)}
                        </Each>
                    </tbody>
                </table>
            </div>
        </Show>
    }
}

fn partition(
    store: Store,
    row: Row,
    rows: Memo<Vec<Row>>,
    brokers: Memo<Vec<playground::view::BrokerColumn>>,
    most: Memo<(u32, u64)>,
    marked: Memo<Option<PartitionKey>>,
) -> impl IntoView {
    let key = row.key.clone();
    let now = Memo::new({
        let fallback = row.row.clone();
        let key = key.clone();
        move |_| {
            rows.with(|rows| {
                rows.iter()
                    .find(|row| row.key == key)
                    .map_or_else(|| fallback.clone(), |row| row.row.clone())
            })
        }
    });
    let spine = row.number % 4 + 1;
    let (open, inspect, mark) = (key.clone(), key.clone(), key.clone());
    let short = move || now.with(|row| row.isr.len() < row.replicas.len());
    let preferred =
        move || now.with(|row| row.leader.is_some() && row.leader == row.replicas.first().copied());
    let spine_svg = format!(
        r#"<rect class="sp{spine}" x=".5" y=".5" width="6" height="13"/><rect class="spp{spine}" x=".5" y=".5" width="6" height="13"/><rect class="spo" x=".5" y=".5" width="6" height="13"/>"#
    );
    view! {
        <tr class:first=row.first class:cur=move || marked.get().as_ref() == Some(&mark)>
            <th scope="row">
                <button
                    title="Open its log"
                    on:click=move |_| store.open_log(&open.topic, open.partition, None)
                >
                    <svg class="spine" viewBox="0 0 7 14" aria-hidden="true" inner_html=spine_svg></svg>
                    {key.to_string()}
                </button>
            </th>
            {move || {
                let row = now.get();
                brokers
                    .get()
                    .into_iter()
                    .map(|broker| cell(&row, broker.id, broker.state.is_down()))
                    .collect_view()
            }}
            <td class="mono r">
                <button title="Inspect" on:click=move |_| store.inspect(Subject::Partition(inspect.clone()))>
                    {move || now.with(|row| row.leader.map_or("none".to_string(), |id| id.to_string()))}
                    <span class="vh">{move || if preferred() { ", preferred" } else { ", not preferred" }}</span>
                </button>
            </td>
            <td class="mono" class:warn=short class:bad=move || now.with(|row| row.leader.is_none())>
                {move || {
                    now.with(|row| match row.leader {
                        None => "offline".to_string(),
                        Some(_) => format!("{} of {}", row.isr.len(), row.replicas.len()),
                    })
                }}
            </td>
            <td class="mono r">{move || now.with(|row| text::number(row.log_end_offset))}</td>
            <td>
                <meter
                    min="0"
                    max=move || most.get().0.to_string()
                    prop:value=move || f64::from(now.with(|row| row.records_in))
                    aria-label=move || format!("{} records per second", now.with(|row| row.records_in))
                ></meter>
            </td>
            <td>
                <meter
                    min="0"
                    max=move || most.get().1.to_string()
                    prop:value=move || now.with(|row| row.size) as f64
                    aria-label=move || text::bytes(now.with(|row| row.size))
                ></meter>
            </td>
        </tr>
    }
}

/// One broker's part in one partition.
fn cell(row: &PartitionRow, broker: i32, down: bool) -> impl IntoView + use<> {
    const FLAG: &str = r#"<path d="M4 2h9l-2.8 3.6l2.8 3.6h-7v5h-2z" class="pen"/>"#;
    const HOLLOW_FLAG: &str =
        r#"<path d="M4.5 2.5h8l-2.4 3.2l2.4 3.2h-6.4v4.6h-1.6z" class="penl"/>"#;
    const LEADS: &str = r#"<rect class="led" x="17" y="3" width="27" height="10" rx="2"/>"#;
    const FOLLOWS: &str = r#"<rect class="fol" x="17.5" y="3.5" width="26" height="9" rx="2"/>"#;
    const LAGS: &str = r#"<rect class="oos" x="17.5" y="3.5" width="26" height="9" rx="2"/><rect class="gap" x="32" y="5" width="10" height="6"/>"#;
    const OFFLINE: &str = r#"<rect class="off" x="17.5" y="3.5" width="26" height="9" rx="2"/><path d="M27.5 5l6 6m0-6l-6 6" class="xbad"/>"#;
    const NONE: &str = r#"<circle class="non" cx="30" cy="8" r="1.2"/>"#;
    let preferred = row.replicas.first() == Some(&broker);
    let (label, mark, flag) = if !row.replicas.contains(&broker) {
        ("no copy", NONE, "")
    } else if down {
        ("offline", OFFLINE, "")
    } else if row.leader == Some(broker) {
        ("leader", LEADS, FLAG)
    } else if !row.isr.contains(&broker) {
        ("out of sync", LAGS, if preferred { HOLLOW_FLAG } else { "" })
    } else if preferred {
        ("preferred leader, following", FOLLOWS, HOLLOW_FLAG)
    } else {
        ("follower, in sync", FOLLOWS, "")
    };
    view! {
        <td>
            <svg class="tmark" viewBox="0 0 48 16" role="img" aria-label=label inner_html=format!("{flag}{mark}")></svg>
        </td>
    }
}
