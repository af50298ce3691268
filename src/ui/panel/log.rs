//! One replica's log (sheet 05): the whole as segments, the last batches as stored, and how an offset is found.

use leptos::prelude::*;
use playground::view::{BatchView, LogHeader, MarkKind, RecordView, SegmentState, Subject};

use super::cluster::actions;
use super::cluster::scene::Width;
use super::drawing::{Drawing, shorten};
use super::empty;
use super::marks::{hue, outline};
use crate::browser::dom;
use crate::ui::store::Store;
use crate::ui::text;
use crate::ui::widget::each::Each;

/// Width of one record's cell.
const CELL: f64 = 76.0;
/// Records of one batch that are drawn.
const CELLS_MAX: usize = 5;
/// Room for batches.
const ROOM: f64 = 968.0;

/// A segment in its place.
#[derive(Clone, Debug, PartialEq)]
struct SegmentPlace {
    base: i64,
    end: i64,
    x: f64,
    width: f64,
    state: SegmentState,
    sample: Vec<u16>,
}

/// A batch in its place.
#[derive(Clone, Debug, PartialEq)]
struct BatchPlace {
    base: i64,
    x: f64,
    width: f64,
    batch: BatchView,
}

/// The view.
pub fn log(store: Store) -> impl IntoView {
    let width = Memo::new(move |_| {
        store.layout.track();
        Width::of(dom::window_size().0)
    });
    let has = Memo::new(move |_| store.log.with(|view| view.log.is_some()));
    move || {
        if !has.get() {
            empty(
                store,
                "No partition yet",
                "A partition is a log: records join at its end. Create a topic and look into it here.",
                "Create topic orders",
                actions::create_topic(),
            )
            .into_any()
        } else if store.text_view.get() || width.get() == Width::Phone {
            tables(store).into_any()
        } else {
            drawn(store).into_any()
        }
    }
}

fn drawn(store: Store) -> impl IntoView {
    let header = Memo::new(move |_| store.log.with(|view| view.log.clone().unwrap_or_default()));
    let segments = Memo::new(move |_| store.log.with(|view| place_segments(view, &header.get())));
    let batches = Memo::new(move |_| {
        let forward = store.subscription.with(|wanted| wanted.log.from.is_some());
        store.log.with(|view| {
            if forward {
                place_batches(view.batches.iter(), true)
            } else {
                place_batches(view.batches.iter().rev(), false)
            }
        })
    });
    let selected = Memo::new(move |_| store.subscription.with(|wanted| wanted.inspect.clone()));
    let label = Signal::derive(move || {
        header.with(|log| {
            format!(
                "Log of {} on broker {}: {}, offsets {} to {}, high watermark {}",
                log.replica.partition_key(),
                log.replica.broker,
                text::count(segments.with(Vec::len), "segment"),
                log.log_start_offset,
                log.log_end_offset,
                log.high_watermark
            )
        })
    });
    view! {
        <Drawing id="log" view=(1_040.0, 500.0) label>
            {whole(store, header, segments, batches)}
            {last_batches(store, header, batches, selected)}
            {lookup(store, header)}
            {epochs(store)}
        </Drawing>
    }
}

fn place_segments(view: &playground::view::LogView, header: &LogHeader) -> Vec<SegmentPlace> {
    let first = if header.log_start_offset > 0 { 148.8 } else { 18.0 };
    let room = 955.0 - first;
    let count = view.segments.len().max(1) as f64;
    let least = 56.0_f64.min(room / count - 3.0);
    let total: i64 =
        view.segments.iter().map(|(base, segment)| (segment.end_offset - base).max(1)).sum();
    let spare = room - count * (least + 3.0);
    let mut x = first;
    view.segments
        .iter()
        .map(|(base, segment)| {
            let share = (segment.end_offset - base).max(1) as f64 / total.max(1) as f64;
            let width = least + spare * share;
            let place = SegmentPlace {
                base: *base,
                end: segment.end_offset,
                x,
                width,
                state: segment.state,
                sample: segment.sample.iter().map(|mark| mark.key).collect(),
            };
            x += width + 3.0;
            place
        })
        .collect()
}

/// The batches that fit, left to right; they come oldest first if `forward`, else newest first.
fn place_batches<'a>(
    batches: impl Iterator<Item = (&'a i64, &'a BatchView)>,
    forward: bool,
) -> Vec<BatchPlace> {
    let mut used = 0.0;
    let mut shown = Vec::new();
    for (base, batch) in batches {
        let width = CELL * batch.records.len().clamp(1, CELLS_MAX) as f64;
        if used + width > ROOM {
            break;
        }
        used += width + 10.0;
        shown.push(BatchPlace { base: *base, x: 0.0, width, batch: batch.clone() });
    }
    if !forward {
        shown.reverse();
    }
    let mut x = 22.0;
    for place in &mut shown {
        place.x = x;
        x += place.width + 10.0;
    }
    shown
}

/// Where an offset's boundary is among the batches.
fn boundary(batches: &[BatchPlace], offset: i64) -> Option<f64> {
    let first = batches.first()?;
    if offset < first.base {
        return None;
    }
    for place in batches {
        if offset <= place.base {
            return Some(place.x - 5.0);
        }
        if offset <= place.batch.last_offset {
            let index = (offset - place.base) as f64;
            return Some(place.x + (CELL * index).min(place.width));
        }
    }
    batches.last().map(|place| place.x + place.width + 5.0)
}

/// Where an offset is in the whole log.
fn along(segments: &[SegmentPlace], offset: i64) -> f64 {
    for segment in segments {
        if offset <= segment.end {
            let share =
                (offset - segment.base).max(0) as f64 / (segment.end - segment.base).max(1) as f64;
            return segment.x + segment.width * share.min(1.0);
        }
    }
    segments.last().map_or(18.0, |segment| segment.x + segment.width)
}

fn whole(
    store: Store,
    header: Memo<LogHeader>,
    segments: Memo<Vec<SegmentPlace>>,
    batches: Memo<Vec<BatchPlace>>,
) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let from = batches.with(|batches| batches.first().map(|place| place.base));
        let to = batches.with(|batches| batches.last().map(|place| place.batch.last_offset + 1));
        segments.with(|segments| Some((along(segments, from?), along(segments, to?))))
    });
    let end = move || {
        segments.with(|segments| segments.last().map_or(18.0, |segment| segment.x + segment.width))
    };
    let started = move || header.with(|log| log.log_start_offset > 0);
    let sentence = move || {
        header.with(|log| {
            let role = match log.leader {
                Some(leader) if leader == log.replica.broker => format!("broker {leader} leads"),
                Some(leader) => {
                    format!("a copy on broker {}; broker {leader} leads", log.replica.broker)
                }
                None => "no leader".into(),
            };
            format!(
                "{}, {role}, cleanup.policy={}, {}, {}",
                log.replica.partition_key(),
                log.cleanup_policy,
                text::count(segments.with(Vec::len), "segment"),
                text::bytes(log.size)
            )
        })
    };
    view! {
        <path
            class="cone"
            d=move || {
                shown.get().map(|(from, to)| format!("M{from:.1} 82L16 146H1024L{:.1} 82z", to.max(from + 8.0)))
            }
        ></path>
        <text x="16" y="20" class="tb th">"The whole log"</text>
        <text x="112" y="20" class="t3">{sentence}</text>
        <g style:display=move || if started() { "" } else { "none" }>
            <rect class="seg1 gone" x="17.5" y="48" width="128.3" height="30" rx="2"></rect>
            <text x="81.6" y="67" class="t3 mid">"deleted"</text>
            <text x="17.5" y="43" class="tm t3">"0"</text>
            <text x="17.5" y="93" class="t3">"by retention"</text>
            <path class="leo lgst" d="M149.3 46h-4v34h4"></path>
        </g>
        <Each each=move || segments.get() key=|place| (place.base, place.state, place.x as i32, place.width as i32, place.sample.len()) let:place>
            {segment(store, header, place)}
        </Each>
        <path class="leo lgst" d="M0 46h4v34h-4" transform=move || format!("translate({:.1} 0)", end() + 1.5)></path>
        <text x=move || end() + 10.0 y="60" class="t2">"LEO"</text>
        <text x=move || end() + 10.0 y="74" class="tm tb">
            {move || header.with(|log| text::number(log.log_end_offset))}
        </text>
        <path
            class="hw"
            d="M0 44V82l4 6h-8l4 -6"
            style:transform=move || {
                let at = segments.with(|segments| along(segments, header.with(|log| log.high_watermark)));
                format!("translate({at:.1}px,0)")
            }
        ></path>
        <rect
            class="view"
            x=move || shown.get().map_or(0.0, |(from, _)| from)
            y="45"
            width=move || shown.get().map_or(0.0, |(from, to)| (to - from).max(8.0))
            height="36"
            rx="2"
        ></rect>
    }
}

fn segment(store: Store, header: Memo<LogHeader>, place: SegmentPlace) -> impl IntoView {
    let mut hues: [String; 7] = Default::default();
    let step = (place.width - 6.0) / place.sample.len().max(1) as f64;
    for (index, key) in place.sample.iter().enumerate() {
        use std::fmt::Write;
        let _ =
            write!(hues[hue(*key)], "M{:.1} 53h2.2v20h-2.2z", place.x + 3.0 + step * index as f64);
    }
    let (class, words) = match place.state {
        SegmentState::Active => ("seg1 active", "active"),
        SegmentState::Closed => ("seg1", ""),
        SegmentState::Deleted => ("seg1 gone", "waits for deletion"),
        SegmentState::Cleaned => ("seg1", "cleaned"),
        SegmentState::Dirty => ("seg1", "dirty"),
    };
    let base = place.base;
    let inspect = move || {
        let replica = header.with_untracked(|log| log.replica.clone());
        store.inspect(Subject::Segment { replica, base_offset: base });
    };
    view! {
        <g class="hot">
            <rect class=class x=place.x y="48" width=place.width height="30" rx="2"></rect>
            {hues
                .into_iter()
                .enumerate()
                .filter(|(_, path)| !path.is_empty())
                .map(|(hue, path)| view! { <path class=format!("samp k{hue}") d=path></path> })
                .collect_view()}
            <text aria-hidden="true" x=place.x y="43" class="tm t3">
                {text::number(base)}
            </text>
            <text aria-hidden="true" x=place.x y="93" class="t3">
                {words}
            </text>
            <rect
                class="ring" x=place.x - 2.0 y="34" width=place.width + 4.0 height="62"
                role="button"
                tabindex="0"
                aria-label=format!("Segment from offset {base} to {}, {words}", place.end)
                on:click=move |_| inspect()
                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                    if event.key() == "Enter" {
                        inspect();
                    }
                }
            ></rect>
        </g>
    }
}

fn last_batches(
    store: Store,
    header: Memo<LogHeader>,
    batches: Memo<Vec<BatchPlace>>,
    selected: Memo<Option<Subject>>,
) -> impl IntoView {
    let file = move || {
        batches
            .with(|batches| batches.last().map(|place| format!("{:020}.log", place.batch.segment)))
    };
    let high_watermark = Memo::new(move |_| {
        batches.with(|batches| boundary(batches, header.with(|log| log.high_watermark)))
    });
    let end = Memo::new(move |_| {
        batches.with(|batches| batches.last().map(|place| place.x + place.width))
    });
    let uncommitted = Memo::new(move |_| {
        let from = high_watermark.get()?;
        let to = end.get()?;
        (to > from + 6.0).then_some((from + 5.0, to - from - 5.0))
    });
    view! {
        <text x="16" y="136" class="tb th">
            {move || if store.subscription.with(|wanted| wanted.log.from.is_some()) { "Batches" } else { "Last batches" }}
        </text>
        <text x="104" y="136" class="tm t2">{file}</text>
        <text x="292" y="136" class="t3">
            {move || {
                if end.get().is_some() {
                    "each outline is one batch, as it was sent and as it is stored"
                } else {
                    "no records yet: the next one goes to the bracket"
                }
            }}
        </text>
        <Each each=move || batches.get() key=|place| (place.base, place.batch.count, place.batch.bytes) let:place>
            {batch(store, header, batches, selected, place)}
        </Each>
        {move || {
            uncommitted
                .get()
                .map(|(x, width)| view! { <rect class="unc" x=x y="168" width=width height="80"></rect> })
        }}
        {move || {
            high_watermark
                .get()
                .map(|x| {
                    let words = header
                        .with(|log| format!("high watermark {}: consumers read up to here", text::number(log.high_watermark)));
                    let left = x > 500.0;
                    view! {
                        <path class="hw" d=format!("M{x:.1} 150V264l5 7h-10l5 -7")></path>
                        <text
                            class=if left { "t2 end halo" } else { "t2 halo" }
                            x=if left { x - 8.0 } else { x + 8.0 }
                            y="279"
                        >
                            {words}
                        </text>
                        {uncommitted
                            .get()
                            .filter(|_| left)
                            .map(|_| {
                                view! {
                                    <text x=x + 8.0 y="279" class="t3">"not yet copied"</text>
                                }
                            })}
                    }
                })
        }}
        <path
            class="leo lgst"
            d="M0 172h5v72h-5"
            transform=move || format!("translate({:.1} 0)", end.get().unwrap_or(22.0) + 5.0)
        ></path>
    }
}

fn batch(
    store: Store,
    header: Memo<LogHeader>,
    all: Memo<Vec<BatchPlace>>,
    selected: Memo<Option<Subject>>,
    place: BatchPlace,
) -> impl IntoView {
    let BatchPlace { base, width, batch, x: first_x } = place;
    let x = Memo::new(move |_| {
        all.with(|all| all.iter().find(|place| place.base == base).map_or(first_x, |place| place.x))
    });
    let subject = move || Subject::Batch {
        replica: header.with_untracked(|log| log.replica.clone()),
        base_offset: base,
    };
    let is_selected = move || selected.get() == Some(subject());
    let class = if batch.transactional || batch.control { "bat txn" } else { "bat" };
    let (title, title_class) = if batch.control {
        ("control".to_string(), "tctl")
    } else if batch.transactional {
        (format!("txn, pid {}", batch.producer_id), "tctl")
    } else if batch.codec != "none" {
        (batch.codec.clone(), "t2")
    } else {
        (String::new(), "t2")
    };
    let crimp = (batch.codec != "none").then(|| {
        use std::fmt::Write;
        let mut path = String::new();
        for tooth in 0..((width - 10.0) / 6.0) as i32 {
            let _ = write!(path, "M{} 250v-4h3v4", 6 + tooth * 6);
        }
        view! { <path class="crimp" d=path></path> }
    });
    let hidden =
        batch.count as usize - batch.records.len().min(CELLS_MAX).min(batch.count as usize);
    let records = batch
        .records
        .iter()
        .take(CELLS_MAX)
        .enumerate()
        .map(|(index, each)| record(each, CELL * index as f64, index > 0))
        .collect_view();
    let label = format!(
        "Batch of {} from offset {base}, {} bytes, {}",
        text::count(batch.count as usize, "record"),
        batch.bytes,
        if title.is_empty() { "not compressed" } else { &title }
    );
    view! {
        <g class="hot" transform=move || format!("translate({:.1} 0)", x.get())>
            <rect
                class="mk"
                x="-4"
                y="148"
                width=width + 8.0
                height="110"
                rx="5"
                style:display=move || if is_selected() { "" } else { "none" }
            ></rect>
            <rect class=class x="0" y="166" width=width height="84" rx="5"></rect>
            {batch
                .transactional
                .then(|| view! { <rect class="bat in" x="4" y="170" width=width - 8.0 height="76" rx="3"></rect> })}
            {crimp}
            <text aria-hidden="true" x="3" y="160" class=move || if is_selected() { "onmk" } else { title_class }>
                {title}
            </text>
            {(hidden > 0)
                .then(|| {
                    view! {
                        <text aria-hidden="true" x=width - 3.0 y="160" class="t3 end">
                            {format!("+ {hidden} more")}
                        </text>
                    }
                })}
            {records}
            <rect
                class="ring" x="-3" y="163" width=width + 6.0 height="90" rx="6"
                role="button"
                tabindex="0"
                aria-label=label
                on:click=move |_| store.inspect(subject())
                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                    if event.key() == "Enter" {
                        store.inspect(subject());
                    }
                }
            ></rect>
        </g>
    }
}

fn record(record: &RecordView, x: f64, line: bool) -> impl IntoView + use<> {
    let key = record.mark.key;
    let mut path = String::new();
    let control = matches!(record.mark.kind, MarkKind::Commit | MarkKind::Abort);
    if !control {
        outline(&mut path, key, x + 17.0, 206.0, 6.0);
    }
    let tombstone = record.mark.kind == MarkKind::Tombstone;
    let name = record.key.as_deref().map(|key| shorten(key, 8)).unwrap_or_default();
    let (words, class) = match record.mark.kind {
        MarkKind::Commit => ("commit".to_string(), "tctl tb"),
        MarkKind::Abort => ("abort".to_string(), "tctl tb"),
        MarkKind::Tombstone => ("tombstone".to_string(), "t2"),
        MarkKind::Record => {
            (record.value.as_deref().map_or("null".into(), |value| shorten(value, 9)), "tm t2")
        }
    };
    view! {
        {line.then(|| view! { <path class="grid" d=format!("M{x} 176v64")></path> })}
        <text aria-hidden="true" x=x + 10.0 y="186" class="tm t3">
            {text::number(record.offset)}
        </text>
        <path class=format!("gl k{}{}", hue(key), if tombstone { " ho" } else { "" }) d=path></path>
        {tombstone.then(|| view! { <path class="strike" d=format!("M{} 214l16 -16", x + 9.0)></path> })}
        {control
            .then(|| {
                let path = if record.mark.kind == MarkKind::Commit {
                    format!("M{} 208l6 6l10-13", x + 14.0)
                } else {
                    format!("M{} 200l12 12m0-12l-12 12", x + 14.0)
                };
                view! { <path class="span" d=path></path> }
            })}
        <text aria-hidden="true" x=x + 30.0 y="210">
            {name}
        </text>
        <text aria-hidden="true" x=x + 10.0 y="238" class=class>
            {words}
        </text>
    }
}

fn lookup(store: Store, header: Memo<LogHeader>) -> impl IntoView {
    let found = Memo::new(move |_| store.log.with(|view| view.lookup));
    let entries = Memo::new(move |_| {
        store.log.with(|view| {
            let at = found.get().and_then(|found| found.entry).map(|(offset, _)| offset);
            let position = view.index.iter().position(|(offset, _)| Some(*offset) == at);
            let last = position
                .map_or(view.index.len(), |position| (position + 1).max(4))
                .min(view.index.len());
            view.index[last.saturating_sub(4)..last].to_vec()
        })
    });
    let hues = Memo::new(move |_| {
        store.log.with(|view| {
            let from =
                found.get().and_then(|found| found.entry).map_or(0, |(_, position)| position);
            let mut paths: [String; 7] = Default::default();
            let records = view
                .batches
                .values()
                .filter(|batch| batch.position >= from)
                .flat_map(|batch| &batch.records);
            for (index, record) in records.take(15).enumerate() {
                use std::fmt::Write;
                let _ = write!(
                    paths[hue(record.mark.key)],
                    "M{:.1} 406h9v26h-9z",
                    222.0 + 12.4 * index as f64
                );
            }
            paths
        })
    });
    move || {
        let found = found.get()?;
        let chosen = found.entry.map(|(offset, _)| offset);
        let from = found.entry.map_or(0, |(_, position)| position);
        let list = entries.get();
        let row = list.iter().position(|(offset, _)| Some(*offset) == chosen);
        let y = 336.0 + 24.0 * row.unwrap_or(0) as f64 + 11.0;
        let box_y = (y - 27.0).max(392.0);
        let mid = box_y + 27.0;
        let reach = 222.0 + 12.4 * f64::from(found.batches_read.clamp(1, 13));
        Some(view! {
            <text x="16" y="308" class="tb th">
                {format!("How offset {} is found", text::number(found.offset))}
            </text>
            <text x="16" y="328" class="tm t2">
                {format!("…{}.index", found.segment)}
            </text>
            {list
                .iter()
                .enumerate()
                .map(|(index, (offset, position))| {
                    let y = 336.0 + 24.0 * index as f64;
                    let here = Some(*offset) == chosen;
                    view! {
                        <rect class=if here { "mk" } else { "idx" } x="16" y=y width="156" height="22" rx="3"></rect>
                        <text x="26" y=y + 15.0 class=if here { "tm onmk tb" } else { "tm t2" }>
                            {text::number(*offset)}
                        </text>
                        <text x="162" y=y + 15.0 class=if here { "tm onmk end" } else { "tm t3 end" }>
                            {format!("byte {}", text::number(i64::from(*position)))}
                        </text>
                    }
                })
                .collect_view()}
            {list
                .is_empty()
                .then(|| {
                    view! {
                        <rect class="idx" x="16" y="336" width="156" height="22" rx="3"></rect>
                        <text x="26" y="351" class="t3">"no entry yet: read from byte 0"</text>
                    }
                })}
            <path class="moved" d=format!("M172 {y}H192V{mid}H206")></path>
            <path class="pen" d=format!("M204 {}v8l7 -4z", mid - 4.0)></path>
            <g transform=format!("translate(0 {})", box_y - 392.0)>
                <rect class="seg1" x="214" y="392" width="206" height="54" rx="3"></rect>
                {hues
                    .get()
                    .into_iter()
                    .enumerate()
                    .map(|(hue, path)| view! { <path class=format!("samp k{hue}") d=path></path> })
                    .collect_view()}
                <path class="moved" d=format!("M222 440H{reach}")></path>
                <path class="pen" d=format!("M{reach} 436v8l6 -4z")></path>
                <text x="214" y="386" class="tm t2">
                    {format!(".log from byte {}", text::number(i64::from(from)))}
                </text>
                <text x="214" y="462" class="t2">
                    {format!("then read forward to {}", text::number(found.offset))}
                </text>
            </g>
            <text x="16" y="462" class="t3">
                {header
                    .with(|log| {
                        format!("sparse: one entry per {} bytes", text::number(i64::from(log.index_interval)))
                    })}
            </text>
        })
    }
}

/// The leader-epoch cache: who wrote which part.
fn epochs(store: Store) -> impl IntoView {
    let epochs = Memo::new(move |_| store.log.with(|view| view.epochs.clone()));
    move || {
        let all = epochs.get();
        let shown = all[all.len().saturating_sub(5)..].to_vec();
        let step = 540.0 / shown.len().max(1) as f64;
        (!shown.is_empty()).then(|| {
            view! {
                <text x="476" y="308" class="tb th">"Leader epochs"</text>
                <text x="572" y="308" class="t3">"each election starts a new one"</text>
                {shown
                    .iter()
                    .enumerate()
                    .map(|(index, (epoch, start))| {
                        let x = 476.0 + step * index as f64;
                        let last = index + 1 == shown.len();
                        view! {
                            <rect
                                class=if last { "seg1 active" } else { "seg1" }
                                x=x
                                y="346"
                                width=step - 4.0
                                height="26"
                                rx="2"
                            ></rect>
                            <text x=x + 8.0 y="363" class=if last { "tb" } else { "t2" }>
                                {format!("epoch {epoch}")}
                            </text>
                            <text x=x y="340" class="tm t3">
                                {text::number(*start)}
                            </text>
                        }
                    })
                    .collect_view()}
                <text x="476" y="394" class="t2">
                    "A copy that comes back asks the leader where its own last epoch ended,"
                </text>
                <text x="476" y="410" class="t2">"and cuts off what was never committed."</text>
            }
        })
    }
}

/// The same as text.
fn tables(store: Store) -> impl IntoView {
    let header = Memo::new(move |_| store.log.with(|view| view.log.clone().unwrap_or_default()));
    let segments = Memo::new(move |_| store.log.with(|view| view.segments.clone()));
    let records = Memo::new(move |_| {
        store.log.with(|view| {
            let all = view.batches.iter().rev().flat_map(|(base, batch)| {
                batch.records.iter().rev().map(move |record| (*base, record.clone()))
            });
            all.take(60).collect::<Vec<_>>()
        })
    });
    view! {
        <div class="stage scrolls tall" tabindex="0" role="group" aria-label="The log as text">
            <table class="mx">
                <caption>{move || header.with(|log| log.replica.partition_key().to_string())}</caption>
                <tbody>
                    {move || {
                        header
                            .with(|log| {
                                [
                                    ("log start offset", text::number(log.log_start_offset)),
                                    ("last stable offset", text::number(log.last_stable_offset)),
                                    ("high watermark", text::number(log.high_watermark)),
                                    ("log end offset", text::number(log.log_end_offset)),
                                    ("size", text::bytes(log.size)),
                                    ("broker", log.replica.broker.to_string()),
                                ]
                            })
                            .map(|(name, value)| {
                                view! {
                                    <tr>
                                        <th scope="row">{name}</th>
                                        <td class="mono r">{value}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
            <table class="mx">
                <caption>"Segments"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Base offset"</th>
                        <th scope="col" class="r">"End"</th>
                        <th scope="col" class="r">"Size"</th>
                        <th scope="col">"State"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        segments
                            .get()
                            .into_iter()
                            .map(|(base, segment)| {
                                view! {
                                    <tr>
                                        <th scope="row">{text::number(base)}</th>
                                        <td class="r mono">{text::number(segment.end_offset)}</td>
                                        <td class="r mono">{text::bytes(segment.bytes)}</td>
                                        <td>{format!("{:?}", segment.state).to_lowercase()}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
            <table class="mx">
                <caption>"Records, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Offset"</th>
                        <th scope="col" class="r">"Batch"</th>
                        <th scope="col">"Key"</th>
                        <th scope="col">"Value"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        records
                            .get()
                            .into_iter()
                            .map(|(base, record)| {
                                view! {
                                    <tr>
                                        <th scope="row">{text::number(record.offset)}</th>
                                        <td class="r mono">{text::number(base)}</td>
                                        <td>{record.key.unwrap_or_else(|| "null".into())}</td>
                                        <td class="mono">{shorten(&record.value.unwrap_or_else(|| "null".into()), 60)}</td>
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
