//! One replica as a strip: spine, marks, high watermark, log end. A tick patches attributes, nothing is rebuilt.

use leptos::prelude::*;
use playground::view::{ClusterView, PartitionKey, ReplicaKey, Subject};

use super::scene::SLOTS;
use crate::ui::panel::marks::Row;
use crate::ui::store::Store;
use crate::ui::text;

/// A strip's place and size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Everything that is drawn of one replica.
#[derive(Clone, Debug, Default, PartialEq)]
struct Drawn {
    strip: &'static str,
    name: &'static str,
    note: String,
    note_class: &'static str,
    /// 1 leads, 2 preferred but another leads.
    flag: u8,
    row: Row,
    mark_class: &'static str,
    high_watermark: f64,
    log_end: f64,
    /// Left of the first record, where records before it are gone.
    log_start: Option<f64>,
    stable: Option<f64>,
    uncommitted: Option<(f64, f64)>,
    missing: Option<(f64, f64)>,
    offline: bool,
    label: String,
}

fn drawn(cluster: &ClusterView, key: &ReplicaKey, place: Place) -> Drawn {
    let partition_key = key.partition_key();
    let (Some(replica), Some(partition)) =
        (cluster.replicas.get(key), cluster.partitions.get(&partition_key))
    else {
        return Drawn {
            strip: "strip off",
            name: "tm t3",
            label: format!("{partition_key}: no copy"),
            ..Drawn::default()
        };
    };
    // Columns are offsets: the same in all copies, so that gaps show.
    let end = partition
        .replicas
        .iter()
        .filter_map(|broker| {
            let copy =
                ReplicaKey { topic: key.topic.clone(), partition: key.partition, broker: *broker };
            cluster.replicas.get(&copy).map(|replica| replica.log_end_offset)
        })
        .max()
        .unwrap_or(replica.log_end_offset);
    let first = (end - SLOTS).max(0);
    let pitch = (place.width - 23.0) / SLOTS as f64;
    let left = place.x + 7.4;
    // The boundary before an offset.
    let boundary = |offset: i64| left + pitch * (offset - first).clamp(0, SLOTS) as f64;
    let middle = place.y + place.height / 2.0;
    let mut row = Row::default();
    let tail_first = replica.log_end_offset - replica.tail.len() as i64;
    for (index, mark) in replica.tail.iter().enumerate() {
        let offset = tail_first + index as i64;
        if offset >= first && offset >= replica.log_start_offset {
            row.add(*mark, boundary(offset) + pitch / 2.0, middle, 2.7_f64.min(pitch * 0.36));
        }
    }
    let online = replica.online;
    let leads = replica.leads && online;
    let in_isr = replica.in_isr;
    let in_sync = partition.isr.len();
    let copies = partition.replicas.len();
    let behind = end - replica.log_end_offset;
    let preferred = partition.replicas.first() == Some(&key.broker);
    let isr = partition.isr.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let (note, note_class) = if !online {
        let was =
            partition.previous_leader == Some(key.broker) || partition.leader == Some(key.broker);
        (if was { "was leader" } else { "offline" }.to_string(), "t3 end")
    } else if leads && in_sync < copies {
        (format!("ISR {isr} · {in_sync}/{copies}"), "twarn tb end")
    } else if !in_isr && !replica.adding {
        (format!("{} behind", text::number(behind)), "twarn tb end")
    } else if leads {
        (text::number(replica.log_end_offset), "tm t3 end")
    } else {
        (text::number(replica.log_end_offset), "tm t3 end detail")
    };
    let role = if !online {
        "offline"
    } else if leads {
        "leader"
    } else if replica.adding {
        "being added"
    } else if in_isr {
        "follower, in sync"
    } else {
        "follower, out of sync"
    };
    let label = format!(
        "{partition_key} on broker {}, {role}, epoch {}, end offset {}, high watermark {}, in sync {in_sync} of {copies}",
        key.broker, partition.leader_epoch, replica.log_end_offset, replica.high_watermark
    );
    let span = |from: i64, to: i64| {
        let (from, to) = (boundary(from), boundary(to));
        (to > from).then_some((from, to - from))
    };
    Drawn {
        strip: if !online {
            "strip off"
        } else if leads {
            "strip lead"
        } else if replica.adding {
            "strip adding"
        } else if in_isr {
            "strip"
        } else {
            "strip oos"
        },
        name: if leads {
            "tm tb"
        } else if online {
            "tm t2"
        } else {
            "tm t3"
        },
        note,
        note_class,
        flag: if leads {
            1
        } else if preferred && online && partition.leader.is_some() {
            2
        } else {
            0
        },
        row,
        mark_class: if !online {
            "dead"
        } else if leads {
            ""
        } else {
            "ho"
        },
        high_watermark: boundary(replica.high_watermark),
        log_end: boundary(replica.log_end_offset) + 1.0,
        log_start: (replica.log_start_offset > first)
            .then(|| boundary(replica.log_start_offset) - 2.0),
        stable: (replica.last_stable_offset < replica.high_watermark && online)
            .then(|| boundary(replica.last_stable_offset)),
        uncommitted: span(replica.high_watermark, replica.log_end_offset).filter(|_| online),
        missing: if in_isr || !online { None } else { span(replica.log_end_offset, end) },
        offline: !online,
        label,
    }
}

/// The element id of a replica's strip.
pub fn strip_id(key: &ReplicaKey) -> String {
    format!("r-{}-{}-{}", key.topic, key.partition, key.broker)
}

/// The replica in its place.
#[component]
pub fn Strip(
    store: Store,
    key: ReplicaKey,
    place: Place,
    /// The topic's number: tint and pattern of the spine.
    number: u16,
    /// What the page talks about.
    marked: Memo<Option<Subject>>,
    /// The element that Tab reaches.
    focused: RwSignal<String>,
) -> impl IntoView {
    let Place { x, y, width, height } = place;
    let state = {
        let key = key.clone();
        Memo::new(move |_| store.cluster.with(|cluster| drawn(cluster, &key, place)))
    };
    let spine = number % 4 + 1;
    let name = key.partition_key().to_string();
    let is_marked = {
        let key = key.clone();
        Memo::new(move |_| match marked.get() {
            Some(Subject::Replica(subject)) => subject == key,
            Some(Subject::Partition(subject)) => {
                subject == key.partition_key() && state.with(|state| state.flag == 1)
            }
            _ => false,
        })
    };
    let text_class =
        move |class: &str| format!("{class}{}", if is_marked.get() { " onmk" } else { "" });
    let id = strip_id(&key);
    let (this, open) = (id.clone(), key.clone());
    let inspected = key.clone();
    let marks = move |hollow: bool| {
        (0..7_usize)
            .map(|hue| {
                let path = move || {
                    state.with(|state| {
                        let row = if hollow { &state.row.hollow } else { &state.row.filled };
                        row[hue].clone()
                    })
                };
                let class = move || {
                    let kind = state.with(|state| state.mark_class);
                    format!("gl k{hue} {}", if hollow && kind.is_empty() { "ho" } else { kind })
                };
                view! { <path class=class d=path></path> }
            })
            .collect_view()
    };
    let optional = move |get: fn(&Drawn) -> bool| {
        move || state.with(|state| if get(state) { "" } else { "none" })
    };
    view! {
        <g class="hot">
            <rect
                class="mk"
                x=x - 5.0
                y=y - 21.0
                width=width + 10.0
                height=height + 28.0
                rx="4"
                style:display=move || if is_marked.get() { "" } else { "none" }
            ></rect>
            <text aria-hidden="true"
                class=move || text_class(state.with(|state| state.name))
                x=move || if state.with(|state| state.flag) == 0 { x } else { x + 12.0 }
                y=y - 5.0
            >
                {name}
            </text>
            <path
                class=move || if is_marked.get() { "onmk" } else if state.with(|state| state.flag) == 1 { "pen" } else { "penl" }
                style:display=move || if state.with(|state| state.flag) == 0 { "none" } else { "" }
                d=format!("M{x} {}h8l-2.4 3.2l2.4 3.2h-6.4v3.6h-1.6z", y - 14.0)
            ></path>
            <text aria-hidden="true" class=move || text_class(state.with(|state| state.note_class)) x=x + width y=y - 5.0>
                {move || state.with(|state| state.note.clone())}
            </text>
            <rect class=move || state.with(|state| state.strip) x=x y=y width=width height=height rx="2"></rect>
            <g class:faded=move || state.with(|state| state.offline)>
                <rect class=format!("sp{spine}") x=x y=y width="5" height=height></rect>
                <rect class=format!("spp{spine}") x=x y=y width="5" height=height></rect>
                <rect class="spo" x=x y=y width="5" height=height></rect>
            </g>
            <rect
                class="gap"
                x=move || state.with(|state| state.missing.map_or(x, |(from, _)| from + 7.0))
                y=y + 3.0
                width=move || state.with(|state| state.missing.map_or(0.0, |(_, width)| (width - 4.0).max(3.0)))
                height=height - 6.0
                style:display=optional(|state| state.missing.is_some())
            ></rect>
            <g aria-hidden="true">
                {marks(false)} {marks(true)}
                <path class="strike" d=move || state.with(|state| state.row.strikes.clone())></path>
                <path class="ctlm" d=move || state.with(|state| state.row.controls.clone())></path>
            </g>
            <rect
                class="unc"
                x=move || state.with(|state| state.uncommitted.map_or(x, |(from, _)| from))
                y=y + 1.5
                width=move || state.with(|state| state.uncommitted.map_or(0.0, |(_, width)| width))
                height=height - 3.0
            ></rect>
            <path
                class="leo lgst"
                d=format!("M3 {}h-3v{}h3", y + 2.5, height - 5.0)
                transform=move || state.with(|state| format!("translate({:.1} 0)", state.log_start.unwrap_or(x)))
                style:display=optional(|state| state.log_start.is_some())
            ></path>
            <g style:display=optional(|state| !state.offline)>
                <path
                    class="hw"
                    d=format!("M0 {}V{}m0 -.5l2.8 4.4h-5.6z", y - 1.5, y + height + 1.5)
                    style:transform=move || state.with(|state| format!("translate({:.1}px,0)", state.high_watermark))
                ></path>
                <path
                    class="lso"
                    d=format!("M0 {}V{}l3.5 3.5l-3.5 3.5l-3.5 -3.5l3.5 -3.5", y - 1.5, y + height + 0.5)
                    transform=move || state.with(|state| format!("translate({:.1} 0)", state.stable.unwrap_or(x)))
                    style:display=optional(|state| state.stable.is_some())
                ></path>
                <path
                    class="leo"
                    d=format!("M0 {}h2.6v{}h-2.6", y + 2.5, height - 5.0)
                    style:transform=move || state.with(|state| format!("translate({:.1}px,0)", state.log_end))
                ></path>
            </g>
            <path
                class="xbad"
                d=format!("M{} {}l8 8m0-8l-8 8", x + width - 15.0, y + height / 2.0 - 4.0)
                style:display=optional(|state| state.offline)
            ></path>
            <rect
                class="ring" x=x - 3.0 y=y - 18.0 width=width + 6.0 height=height + 24.0 rx="4"
                id=id
                role="button"
                tabindex={
                    let this = this.clone();
                    move || if focused.get() == this { "0" } else { "-1" }
                }
                aria-label=move || state.with(|state| state.label.clone())
                on:focus=move |_| focused.set(this.clone())
                on:click=move |_| store.inspect(Subject::Replica(inspected.clone()))
                on:dblclick=move |_| store.open_log(&open.topic, open.partition, Some(open.broker))
            ></rect>
        </g>
    }
}

/// The place where a partition's leadership went, if that is news: from, to, epoch.
pub fn moved(cluster: &ClusterView, key: &PartitionKey) -> Option<(i32, i32, i32)> {
    let partition = cluster.partitions.get(key)?;
    let (from, to) = (partition.previous_leader?, partition.leader?);
    (from != to).then_some((from, to, partition.leader_epoch))
}
