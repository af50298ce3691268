//! The drawing itself, for desk and tablet widths.

use leptos::prelude::*;
use playground::view::{BrokerState, BrokerView, PartitionKey, ProducerState, ReplicaKey, Subject};

use super::scene::{GroupPlace, Line, ProducerPlace, RACK, STRIP, Scene, Width};
use super::strip::{Place, Strip, moved, strip_id};
use super::{Parts, lag_level, menu, motion};
use crate::browser::dom;
use crate::ui::panel::marks::{Row, hue, level_class, outline};
use crate::ui::widget::each::Each;

use crate::ui::text;
use crate::ui::widget::icons::POWER;

/// The patterns that hatchings and spines use.
pub const PATTERNS: &str = r#"<pattern id="pdiag" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="patl" width="1.1" height="5"/></pattern><pattern id="pdot" width="4" height="4" patternUnits="userSpaceOnUse"><circle class="patl" cx="1.5" cy="1.5" r=".9"/></pattern><pattern id="phor" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="patl" width="4" height="1.1"/></pattern><pattern id="unc" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="patg" width="1" height="4"/></pattern><pattern id="lagp" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="pat3" width="1.4" height="5"/></pattern><pattern id="gapp" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="patw" width="1.3" height="5"/></pattern>"#;

/// How much larger the text must be drawn so that it stays readable when the drawing shrinks.
pub fn text_scale(view: (f64, f64), id: &str) -> f64 {
    let Some([_, _, wide, high]) = dom::bounds(id) else { return 1.0 };
    let scale = (wide / view.0).min(high / view.1);
    if scale <= 0.0 { 1.0 } else { (1.0 / scale).clamp(1.0, 1.5) }
}

/// The SVG and the canvas over it.
pub fn diagram(parts: Parts) -> impl IntoView {
    let Parts { store, scene, .. } = parts;
    let scale = RwSignal::new(1.0);
    Effect::new(move || {
        store.layout.track();
        store.preferences.console_open.track();
        let view = scene.with(|scene| scene.view);
        request_animation_frame(move || scale.set(text_scale(view, "diagram")));
    });
    motion::start(parts);
    let view_box =
        Memo::new(move |_| scene.with(|scene| format!("0 0 {} {}", scene.view.0, scene.view.1)));
    let racks = move || scene.with(|scene| scene.racks.keys().copied().collect::<Vec<_>>());
    let cells = move || {
        scene.with(|scene| {
            let each = scene.cells.iter();
            each.flat_map(|(key, (_, _, number))| {
                scene.racks.keys().map(move |id| (key.clone(), *id, *number))
            })
            .filter_map(|(key, id, number)| {
                scene.strip(&key, id).map(|place| (key, id, number, place))
            })
            .collect::<Vec<_>>()
        })
    };
    let held = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            cluster
                .partitions
                .iter()
                .map(|(key, partition)| (key.clone(), partition.replicas.clone()))
                .collect::<Vec<_>>()
        })
    });
    let has_copy = move |key: &PartitionKey, broker: i32| {
        held.with(|held| {
            held.iter().any(|(each, brokers)| each == key && brokers.contains(&broker))
        })
    };
    let label = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let in_sync: usize =
                cluster.partitions.values().map(|partition| partition.isr.len()).sum();
            let all: usize =
                cluster.partitions.values().map(|partition| partition.replicas.len()).sum();
            format!(
                "Cluster of {}. {in_sync} of {all} shown copies in sync. {}, {}.",
                text::count(cluster.brokers.len(), "broker"),
                text::count(cluster.producers.len(), "producer"),
                text::count(cluster.groups.len(), "consumer group")
            )
        })
    });
    view! {
        <svg
            id="diagram"
            class="fit dg"
            class:tight=move || { scale.get() > 1.06 }
            style:--tx=move || format!("{:.3}", scale.get())
            viewBox=view_box
            role="group"
            aria-label=label
            preserveAspectRatio="xMidYMid meet"
            on:keydown=move |event| key_pressed(parts, &event)
        >
            <defs inner_html=PATTERNS></defs>
            {quorum(parts)}
            <Each each=move || scene.with(|scene| scene.links.clone()) key=|line| (line.id.clone(), line.path.clone()) let:line>
                {link(parts, line)}
            </Each>
            <Each each=racks key=|id| *id let:id>
                {rack(parts, id)}
            </Each>
            <Each
                each=move || scene.with(|scene| scene.replication.clone())
                key=|line| (line.id.clone(), line.path.clone())
                let:line
            >
                <path class="rep" d=line.path></path>
                <path class="repa" d=format!("M{} {}l4 -2.5v5z", line.mark.0, line.mark.1)></path>
            </Each>
            <Each
                each=move || {
                    cells().into_iter().filter(|(key, id, ..)| has_copy(key, *id)).collect::<Vec<_>>()
                }
                key=|(key, id, number, place)| (strip_id(&replica(key, *id)), *number, place.0 as i32, place.1 as i32)
                let:cell
            >
                {
                    let (key, id, number, (x, y)) = cell;
                    let place = Place { x, y, width: scene.with_untracked(|scene| scene.strip_width), height: STRIP };
                    view! {
                        <Strip
                            store
                            key=replica(&key, id)
                            place
                            number
                            marked=parts.marked
                            focused=parts.focused
                        />
                    }
                }
            </Each>
            {leaderships(parts)}
            <Each each=racks key=|id| *id let:id>
                {ports(scene, id)}
            </Each>
            <Each
                each=move || scene.with(|scene| scene.producers.clone())
                key=|place| (place.id.clone(), place.y as i32, place.lanes)
                let:place
            >
                {producer(parts, place)}
            </Each>
            <Each
                each=move || scene.with(|scene| scene.groups.clone())
                key=|place| (place.id.clone(), place.y as i32, place.members)
                let:place
            >
                {group(parts, place)}
            </Each>
            {edges(parts)}
        </svg>
        <canvas id="motion" class="overlay" aria-hidden="true"></canvas>
    }
}

fn replica(key: &PartitionKey, broker: i32) -> ReplicaKey {
    ReplicaKey { topic: key.topic.clone(), partition: key.partition, broker }
}

/// Arrows move, Enter acts, `i` inspects, Esc leaves.
fn key_pressed(parts: Parts, event: &leptos::ev::KeyboardEvent) {
    let here = dom::focused_id();
    let rows: Vec<Vec<String>> = parts.scene.with_untracked(|scene| {
        scene
            .racks
            .keys()
            .map(|id| {
                let mut cells: Vec<_> = scene.cells.iter().collect();
                playground::sorted::sort_by_key(&mut cells, |(_, (column, row, _))| {
                    (*row, *column)
                });
                std::iter::once(format!("b-{id}"))
                    .chain(cells.into_iter().map(|(key, _)| strip_id(&replica(key, *id))))
                    .collect()
            })
            .collect()
    });
    let at = rows
        .iter()
        .enumerate()
        .find_map(|(row, ids)| Some((row, ids.iter().position(|id| *id == here)?)));
    let Some((row, column)) = at else { return };
    let last = rows[row].len() - 1;
    let target = match event.key().as_str() {
        "ArrowRight" => (row, (column + 1).min(last)),
        "ArrowLeft" => (row, column.saturating_sub(1)),
        "ArrowDown" => ((row + 1).min(rows.len() - 1), column),
        "ArrowUp" => (row.saturating_sub(1), column),
        "Home" => (row, 0),
        "End" => (row, last),
        "Enter" | " " => {
            event.prevent_default();
            event.stop_propagation();
            if let Some(broker) = here.strip_prefix("b-").and_then(|id| id.parse().ok()) {
                menu::open_at(parts, broker, &here);
            } else {
                act_on_strip(parts, &here, event.key() == "Enter");
            }
            return;
        }
        "i" => {
            event.prevent_default();
            event.stop_propagation();
            if let Some(broker) = here.strip_prefix("b-").and_then(|id| id.parse().ok()) {
                parts.store.inspect(Subject::Broker(broker));
            } else {
                act_on_strip(parts, &here, false);
            }
            return;
        }
        "Escape" => {
            dom::focus("tab-cluster");
            return;
        }
        _ => return,
    };
    event.prevent_default();
    let id = rows[target.0].get(target.1).cloned().unwrap_or_default();
    parts.focused.set(id.clone());
    dom::focus(&id);
}

fn act_on_strip(parts: Parts, id: &str, open: bool) {
    let key = parts
        .store
        .cluster
        .with_untracked(|cluster| cluster.replicas.keys().find(|key| strip_id(key) == id).cloned());
    let Some(key) = key else { return };
    if open {
        parts.store.open_log(&key.topic, key.partition, Some(key.broker));
    } else {
        parts.store.inspect(Subject::Replica(key));
    }
}

fn quorum(parts: Parts) -> impl IntoView {
    let Parts { store, scene, .. } = parts;
    let quorum = Memo::new(move |_| store.cluster.with(|cluster| cluster.quorum.clone()));
    let (x, width) = scene.with_untracked(|scene| (scene.rack_x, scene.rack_width));
    let tablet = scene.with_untracked(|scene| scene.width == Width::Tablet);
    let hexagon =
        |x: f64| format!("M{x} 15L{r} 20L{r} 30L{x} 35L{l} 30L{l} 20z", r = x + 8.7, l = x - 8.7);
    view! {
        <g class="hot">
            <rect class="node" x=x y="8" width=width height="34" rx="6"></rect>
            <text aria-hidden="true" class="tb th" x=x + 12.0 y="29">
                "Controllers"
            </text>
            {move || {
                let quorum = quorum.get();
                let step = if tablet { 84.0 } else { 88.0 };
                quorum
                    .voters
                    .iter()
                    .take(5)
                    .enumerate()
                    .map(|(index, voter)| {
                        let at = x + 112.0 + step * index as f64;
                        let active = quorum.leader == Some(voter.id) && voter.up;
                        let word = if active { "active" } else if voter.up { "voter" } else { "down" };
                        let class = if active { "hexa act" } else if voter.up { "hexa" } else { "hexa off" };
                        view! {
                            <path class=class d=hexagon(at)></path>
                            {active
                                .then(|| {
                                    view! {
                                        <path
                                            class="hexf"
                                            d=format!("M{} 20h7l-2 2.6l2 2.6h-5.4v4.6h-1.6z", at - 3.0)
                                        ></path>
                                    }
                                })}
                            <text aria-hidden="true" class=if active { "tm tb" } else { "tm t2" } x=at + 15.0 y="29">
                                {voter.id.to_string()}
                            </text>
                            <text aria-hidden="true" class="t3" x=at + 26.0 + 7.0 * (voter.id.to_string().len() as f64 - 1.0) y="29">
                                {word}
                            </text>
                        }
                    })
                    .collect_view()
            }}
            <text aria-hidden="true" class="tm t2 end" x=x + width - 12.0 y="29">
                {move || {
                    quorum
                        .with(|quorum| {
                            format!("epoch {} · metadata offset {}", quorum.epoch, text::number(quorum.offset))
                        })
                }}
            </text>
            <rect
                class="ring" x=x y="8" width=width height="34" rx="6"
                role="button"
                tabindex="-1"
                aria-label=move || {
                    quorum
                        .with(|quorum| {
                            format!(
                                "Controllers. Active: {}, epoch {}, metadata offset {}",
                                quorum.leader.map_or("none".to_string(), |id| id.to_string()),
                                quorum.epoch,
                                quorum.offset,
                            )
                        })
                }
                on:click=move |_| store.inspect(Subject::Quorum)
            ></rect>
        </g>
    }
}

fn link(parts: Parts, line: Line) -> impl IntoView {
    let id = line.id.clone();
    let scene = parts.scene;
    let class = Memo::new(move |_| {
        scene.with(|scene| {
            scene.links.iter().find(|each| each.id == id).map_or("lnk", |each| each.class)
        })
    });
    let (x, y) = line.mark;
    view! {
        <path class=class d=line.path></path>
        <g style:display=move || if class.get() == "lnk dead" { "" } else { "none" }>
            <circle class="patch" cx=x cy=y r="8"></circle>
            <path class="xbad" d=format!("M{} {}l10 10m0-10l-10 10", x - 5.0, y - 5.0)></path>
        </g>
    }
}

/// The words for a broker that is not simply up.
pub fn state_words(broker: &BrokerView) -> Option<(&'static str, &'static str, bool)> {
    let fenced = if broker.fenced { "fenced" } else { "not fenced yet" };
    Some(match broker.state {
        BrokerState::Up if !broker.fenced => return None,
        BrokerState::Up => ("Fenced", "catching up", true),
        BrokerState::Starting => ("Starting", if broker.fenced { "fenced" } else { "" }, false),
        BrokerState::Draining => ("Stopping", "leaders leave first", false),
        BrokerState::Stopped => ("Stopped", "", true),
        BrokerState::Crashed => ("Crashed", fenced, true),
        BrokerState::Paused => ("Paused", fenced, true),
    })
}

fn rack(parts: Parts, id: i32) -> impl IntoView {
    let Parts { store, scene, .. } = parts;
    let broker = Memo::new(move |_| {
        store.cluster.with(|cluster| cluster.brokers.get(&id).cloned().unwrap_or_default())
    });
    let most = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            cluster
                .brokers
                .values()
                .map(|broker| broker.bytes_in.max(broker.bytes_out))
                .max()
                .unwrap_or(0)
                .max(2_000)
        })
    });
    let words = Memo::new(move |_| broker.with(state_words));
    let down = move || words.get().is_some_and(|(_, _, bad)| bad);
    let y = scene.with_untracked(|scene| scene.racks.get(&id).copied().unwrap_or_default());
    let (x, width) = scene.with_untracked(|scene| (scene.rack_x, scene.rack_width));
    let element = format!("b-{id}");
    let (this, opens, tab) = (element.clone(), element.clone(), element.clone());
    let first = Memo::new(move |_| scene.with(|scene| scene.racks.keys().next() == Some(&id)));
    let bar = move |get: fn(&BrokerView) -> u64| {
        move || 40.0 * broker.with(get) as f64 / most.get() as f64
    };
    let label = move || {
        broker.with(|broker| {
            let state =
                state_words(broker).map_or("up".into(), |(word, more, _)| format!("{word} {more}"));
            format!(
                "Broker {id}, {}, {state}, {}. Enter: actions",
                broker.name,
                text::count(broker.leaders as usize, "leader")
            )
        })
    };
    let start = {
        let startable = move || {
            broker
                .with(|broker| matches!(broker.state, BrokerState::Stopped | BrokerState::Crashed))
        };
        let run = move || {
            let name = broker.with_untracked(|broker| broker.name.clone());
            store.run(format!("docker compose start {name}"), format!("Start broker {id}"));
        };
        move || {
            startable().then(|| {
                view! {
                    <g class="hot svgbtn">
                        <rect class="face" x=x + 13.0 y=y + 92.0 width="63" height="26" rx="6"></rect>
                        <svg class="i" x=x + 20.0 y=y + 98.0 width="13" height="13" viewBox="0 0 24 24" inner_html=POWER></svg>
                        <text aria-hidden="true" class="tb" x=x + 38.0 y=y + 109.0>
                            "Start"
                        </text>
                        <rect
                            class="ring" x=x + 13.0 y=y + 92.0 width="63" height="26" rx="6"
                            role="button"
                            tabindex="0"
                            aria-label=format!("Start broker {id}")
                            on:click=move |event| {
                                event.stop_propagation();
                                run();
                            }
                            on:keydown=move |event: leptos::ev::KeyboardEvent| {
                                if matches!(event.key().as_str(), "Enter" | " ") {
                                    event.prevent_default();
                                    event.stop_propagation();
                                    run();
                                }
                            }
                        ></rect>
                    </g>
                }
            })
        }
    };
    view! {
        <rect class=move || if down() { "rack down" } else { "rack" } x=x y=y width=width height=RACK rx="7"></rect>
        <g class="hot">
            <text aria-hidden="true" class=move || if down() { "tb tl tbad" } else { "tb tl" } x=x + 14.0 y=y + 24.0>
                {format!("Broker {id}")}
            </text>
            <path class="kebab detail" d=format!("M{} {}l3.5 4.5l3.5 -4.5z", x + 73.0, y + 17.0)></path>
            <text aria-hidden="true" class="t3" x=x + 14.0 y=y + 39.0>
                {move || broker.with(|broker| broker.rack.clone().map_or_else(|| broker.name.clone(), |rack| format!("rack {rack}")))}
            </text>
            <text aria-hidden="true" class=move || if down() { "tbad tb" } else { "t2" } x=x + 14.0 y=y + 62.0>
                {move || match words.get() {
                    Some((word, _, _)) => word.to_string(),
                    None => broker.with(|broker| text::count(broker.leaders as usize, "leader")),
                }}
            </text>
            <text aria-hidden="true" class=move || if down() { "tbad" } else { "t3" } x=x + 14.0 y=y + 77.0>
                {move || words.get().map(|(_, more, _)| more)}
            </text>
            <path
                class="drain"
                d=format!("M{} {}v12m-4-4l4 5l4-5m7 -13v12m-4-4l4 5l4-5", x + 18.0, y + 86.0)
                style:display=move || {
                    if broker.with(|broker| broker.state == BrokerState::Draining) { "" } else { "none" }
                }
            ></path>
            <rect
                class="ring" x=x + 4.0 y=y + 4.0 width="78" height="86" rx="5"
                id=element
                role="button"
                aria-haspopup="menu"
                tabindex=move || {
                    let focused = parts.focused.get();
                    if focused == tab || focused.is_empty() && first.get() { "0" } else { "-1" }
                }
                aria-label=label
                on:focus=move |_| parts.focused.set(this.clone())
                on:click=move |_| menu::open_at(parts, id, &opens)
            ></rect>
        </g>
        <g class="detail" style:display=move || if words.get().is_some() { "none" } else { "" } aria-hidden="true">
            <text aria-hidden="true" class="t3" x=x + 14.0 y=y + 101.0>"in"</text>
            <rect class="bargr" x=x + 32.0 y=y + 94.0 width="40" height="6"></rect>
            <rect class="barv" x=x + 32.0 y=y + 94.0 width=bar(|broker| broker.bytes_in) height="6"></rect>
            <text aria-hidden="true" class="t3" x=x + 14.0 y=y + 115.0>"out"</text>
            <rect class="bargr" x=x + 32.0 y=y + 108.0 width="40" height="6"></rect>
            <rect class="barv" x=x + 32.0 y=y + 108.0 width=bar(|broker| broker.bytes_out) height="6"></rect>
        </g>
        {start}
        {move || {
            let bare = store.cluster.with(|cluster| cluster.layout.rows.is_empty());
            (bare && !down())
                .then(|| {
                    view! {
                        <text aria-hidden="true" class="t3 mid" x=x + width / 2.0 + 30.0 y=y + 70.0>
                            "up, and holds no records yet"
                        </text>
                    }
                })
        }}
    }
}

fn ports(scene: Memo<Scene>, id: i32) -> impl IntoView {
    [false, true].map(|right| {
        let at = scene.with_untracked(|scene| scene.port(id, right)).unwrap_or_default();
        let used = move || {
            scene.with(|scene| {
                let (x, y) = at;
                let end = if right { format!("M{x} {y}C") } else { format!(" {x} {y}") };
                scene.links.iter().any(|line| if right { line.path.starts_with(&end) } else { line.path.ends_with(&end) })
            })
        };
        view! {
            <circle class="port" cx=at.0 cy=at.1 r="4" style:display=move || if used() { "" } else { "none" }></circle>
        }
    })
    .collect_view()
}

/// An arrow and words where leadership moved.
fn leaderships(parts: Parts) -> impl IntoView {
    let Parts { store, scene, .. } = parts;
    let all = Memo::new(move |_| {
        let marked = parts.marked.get();
        store.cluster.with(|cluster| {
            scene.with(|scene| {
                scene
                    .cells
                    .keys()
                    .filter(|key| matches!(&marked, Some(Subject::Partition(subject)) if subject == *key))
                    .filter_map(|key| {
                        let (from, to, epoch) = moved(cluster, key)?;
                        Some((scene.strip(key, from)?, scene.strip(key, to)?, epoch))
                    })
                    .collect::<Vec<_>>()
            })
        })
    });
    move || {
        let width = scene.with_untracked(|scene| scene.strip_width);
        all.get()
            .into_iter()
            .map(|((x, from), (_, to), epoch)| {
                let middle = x + width / 2.0;
                let down = to > from;
                let (start, end) = if down { (from + 23.0, to - 22.0) } else { (from - 22.0, to + 26.0) };
                let label = if down { end - 32.0 } else { end + 32.0 };
                let tip = if down { -7.0 } else { 7.0 };
                let words = format!("leader moved, epoch {epoch}");
                view! {
                    <g aria-hidden="true">
                        <path class="moved" d=format!("M{middle} {start}V{end}")></path>
                        <path class="pen" d=format!("M{} {}h9l-4.5 {}z", middle - 4.5, end + tip, -tip)></path>
                        <rect class="mk" x=middle - 66.0 y=label - 9.0 width="132" height="18" rx="3"></rect>
                        <text class="onmk tb mid" x=middle y=label + 4.0>
                            {words}
                        </text>
                    </g>
                }
            })
            .collect_view()
    }
}

fn producer(parts: Parts, place: ProducerPlace) -> impl IntoView {
    let store = parts.store;
    let id = place.id.clone();
    let producer = Memo::new(move |_| {
        store.cluster.with(|cluster| cluster.producers.get(&id).cloned().unwrap_or_default())
    });
    let y = place.y;
    let summary = move || {
        producer.with(|producer| match producer.state {
            ProducerState::Retrying(count) => (
                format!(
                    "retrying {}",
                    text::count(count as usize, "batch").replace("batchs", "batches")
                ),
                "twarn",
            ),
            ProducerState::BufferFull => ("buffer full".into(), "twarn"),
            _ => (producer.summary.clone(), "t3"),
        })
    };
    let inspect = place.id.clone();
    view! {
        <g class="hot">
            <rect class="node" x="8" y=y width="140" height=place.height rx="7"></rect>
            <text aria-hidden="true" class="tb th" x="19" y=y + 20.0>
                {move || producer.with(|producer| shorten(&producer.name, 19))}
            </text>
            <text aria-hidden="true" class=move || summary().1 x="19" y=y + 35.0>
                {move || shorten(&summary().0, 22)}
            </text>
            {(0..place.lanes)
                .map(|index| {
                    let top = y + 44.0 + 22.0 * index as f64;
                    let row = Memo::new(move |_| {
                        producer
                            .with(|producer| {
                                let mut row = Row::default();
                                let marks = producer.lanes.get(index).map(|lane| lane.marks.as_slice());
                                for (at, mark) in marks.unwrap_or_default().iter().take(11).enumerate() {
                                    row.add(*mark, 40.0 + 9.2 * at as f64, top + 8.5, 3.0);
                                }
                                row
                            })
                    });
                    view! {
                        <text aria-hidden="true" class="tm t3" x="19" y=top + 12.0>
                            {move || {
                                producer
                                    .with(|producer| {
                                        producer.lanes.get(index).map(|lane| lane.partition.to_string())
                                    })
                            }}
                        </text>
                        <rect class="lane" x="32" y=top width="104" height="17" rx="2"></rect>
                        {(0..7_usize)
                            .map(|hue| {
                                view! {
                                    <path
                                        class=format!("gl k{hue}")
                                        d=move || row.with(|row| row.filled[hue].clone() + &row.hollow[hue])
                                    ></path>
                                }
                            })
                            .collect_view()}
                    }
                })
                .collect_view()}
            <rect
                class="ring" x="8" y=y width="140" height=place.height rx="7"
                role="button"
                tabindex="-1"
                aria-label=move || producer.with(|producer| format!("Producer {}, {}", producer.name, summary().0))
                on:click=move |_| store.inspect(Subject::Client(inspect.clone()))
            ></rect>
        </g>
    }
}

/// A name that fits.
fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn group(parts: Parts, place: GroupPlace) -> impl IntoView {
    let store = parts.store;
    let id = place.id.clone();
    let group = Memo::new(move |_| {
        store.cluster.with(|cluster| cluster.groups.get(&id).cloned().unwrap_or_default())
    });
    let y = place.y;
    let name = if place.id.is_empty() { "no group".to_string() } else { shorten(&place.id, 20) };
    let nameless = place.id.is_empty();
    let subject = place.id.clone();
    let state = move || {
        group.with(|group| {
            if nameless {
                "readers on their own".to_string()
            } else {
                format!("{}, epoch {}", group.state, group.epoch)
            }
        })
    };
    let unsettled = move || group.with(|group| !matches!(group.state.as_str(), "stable" | "empty"));
    let label = place.id.clone();
    view! {
        <g class="hot">
            <rect class="node" x="882" y=y width="150" height=place.height rx="7"></rect>
            <text aria-hidden="true" class="tb th" x="893" y=y + 20.0>
                {name}
            </text>
            <text aria-hidden="true" class=move || if unsettled() { "twarn" } else { "t3" } x="893" y=y + 35.0>
                {move || shorten(&state(), 24)}
            </text>
            {(0..place.members)
                .map(|index| {
                    let top = y + 44.0 + 50.0 * index as f64;
                    let member = Memo::new(move |_| {
                        group.with(|group| group.members.get(index).cloned().unwrap_or_default())
                    });
                    let level = move || member.with(|member| lag_level(member.lag_ms));
                    view! {
                        <path class="grid" d=format!("M882 {top}h150")></path>
                        <text aria-hidden="true" class="t2" x="893" y=top + 16.0>
                            {move || member.with(|member| shorten(&member.name, 15))}
                        </text>
                        <text aria-hidden="true" class=move || format!("tm end {}", level_class(level())) x="1022" y=top + 16.0>
                            {move || member.with(|member| text::span(member.lag_ms))}
                        </text>
                        {move || owned(&member.with(|member| member.owned.clone()), top + 23.0)}
                    }
                })
                .collect_view()}
            <rect
                class="ring" x="882" y=y width="150" height=place.height rx="7"
                role="button"
                tabindex="-1"
                aria-label=move || format!("Consumer group {label}, {}", state())
                on:click=move |_| {
                    if !nameless {
                        store.inspect(Subject::Group(subject.clone()));
                    }
                }
            ></rect>
        </g>
    }
}

/// Chips of owned partitions: the topic once, then only numbers.
fn owned(keys: &[PartitionKey], y: f64) -> impl IntoView + use<> {
    let mut x = 893.0;
    let mut topic = "";
    let mut chips = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let words = if key.topic == topic {
            format!("-{}", key.partition)
        } else {
            shorten(&key.to_string(), 17)
        };
        let width = 8.0 + 6.3 * words.chars().count() as f64;
        if x + width > 1_024.0 {
            chips.push((x, 8.0, format!("+{}", keys.len() - index)));
            break;
        }
        chips.push((x, width, words));
        x += width + 4.0;
        topic = &key.topic;
    }
    chips
        .into_iter()
        .map(|(x, width, words)| {
            view! {
                <rect class="own" x=x y=y width=width height="16" rx="3"></rect>
                <text aria-hidden="true" class="tm ts" x=x + 4.0 y=y + 11.5>
                    {words}
                </text>
            }
        })
        .collect_view()
}

/// Headings of the two sides, what is not shown, and the keys.
fn edges(parts: Parts) -> impl IntoView {
    let Parts { store, scene, .. } = parts;
    if scene.with_untracked(|scene| scene.width) != Width::Desk {
        return ().into_any();
    }
    let hidden = Memo::new(move |_| store.cluster.with(|cluster| cluster.layout.hidden_partitions));
    let keys = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let seen = cluster.keys.iter().filter(|(key, _)| **key > 0);
            seen.take(10).map(|(key, name)| (*key, name.clone())).collect::<Vec<_>>()
        })
    });
    let bottom = Memo::new(move |_| {
        scene.with(|scene| {
            scene.producers.last().map_or(88.0, |place| place.y + place.height) + 38.0
        })
    });
    let ends = move || {
        scene.with(|scene| scene.groups.last().map_or(88.0, |place| place.y + place.height) + 20.0)
    };
    let none = move |right: bool| {
        let missing = scene
            .with(|scene| if right { scene.groups.is_empty() } else { scene.producers.is_empty() });
        missing.then(|| {
            let x = if right { 882.0 } else { 8.0 };
            view! {
                <text aria-hidden="true" class="t3" x=x y="70">
                    "none yet"
                </text>
            }
        })
    };
    view! {
        <g aria-hidden="true">
            <text aria-hidden="true" class="t3" x="8" y="30">"Producers"</text>
            <text aria-hidden="true" class="t3" x="882" y="30">"Consumer groups"</text>
            {move || none(false)}
            {move || none(true)}
            {move || {
                let more = scene.with(|scene| scene.more_producers);
                (more > 0)
                    .then(|| {
                        view! {
                            <text aria-hidden="true" class="t3" x="8" y=bottom.get() - 22.0>
                                {format!("+ {}", text::count(more, "producer"))}
                            </text>
                        }
                    })
            }}
            {move || {
                let more = scene.with(|scene| scene.more_groups);
                (more > 0)
                    .then(|| {
                        view! {
                            <text aria-hidden="true" class="t3" x="882" y=ends()>
                                {format!("+ {}", text::count(more, "group"))}
                            </text>
                        }
                    })
            }}
            {move || {
                let keys = keys.get();
                let (top, high) = (bottom.get().max(200.0), scene.with(|scene| scene.view.1));
                let rows = (((high - top - 30.0) / 17.0).floor().max(0.0) as usize).min(5);
                (!keys.is_empty() && rows > 0)
                    .then(|| {
                        let shown = (rows * 2).min(keys.len());
                        view! {
                            <text aria-hidden="true" class="t3" x="12" y=top>"Record keys"</text>
                            {keys
                                .iter()
                                .take(shown)
                                .enumerate()
                                .map(|(index, (key, name))| {
                                    let x = if index % 2 == 0 { 17.0 } else { 87.0 };
                                    let y = top + 13.0 + 17.0 * (index / 2) as f64;
                                    let mut path = String::new();
                                    outline(&mut path, *key, x, y, 3.6);
                                    view! {
                                        <path class=format!("gl k{}", hue(*key)) d=path></path>
                                        <text aria-hidden="true" class="t2" x=x + 9.0 y=y + 4.0>
                                            {shorten(name, 9)}
                                        </text>
                                    }
                                })
                                .collect_view()}
                            {
                                let y = top + 13.0 + 17.0 * shown.div_ceil(2) as f64;
                                let mut path = String::new();
                                outline(&mut path, 0, 17.0, y, 3.24);
                                view! {
                                    <path class="gl k0" d=path></path>
                                    <text aria-hidden="true" class="t3" x="26" y=y + 4.0>"no key"</text>
                                }
                            }
                        }
                    })
            }}
        </g>
        {move || {
            let hidden = hidden.get();
            (hidden > 0)
                .then(|| {
                    let y = scene.with(|scene| scene.view.1) - 3.0;
                    let words = format!("+ {}: see Topics", text::count(hidden as usize, "partition"));
                    view! {
                        <g class="hot">
                            <text aria-hidden="true" class="t3 end" x="818" y=y>
                                {words.clone()}
                            </text>
                            <rect
                                class="ring" x="640" y=y - 13.0 width="180" height="17"
                                role="button"
                                tabindex="0"
                                aria-label=format!("{words}")
                                on:click=move |_| store.show(playground::seam::Tab::Topics)
                                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                                    if event.key() == "Enter" {
                                        store.show(playground::seam::Tab::Topics);
                                    }
                                }
                            ></rect>
                        </g>
                    }
                })
        }}
    }
    .into_any()
}
