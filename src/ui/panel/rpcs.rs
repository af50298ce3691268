//! Requests and responses as a sequence diagram (sheet 07). Time runs down here: a slanted arrow is latency.

use leptos::prelude::*;
use playground::seam::Micros;
use playground::view::{ActorView, Peer, RpcMessage, RpcView, Subject};

use super::cluster::actions;
use super::cluster::scene::Width;
use super::drawing::{Drawing, shorten};
use super::empty;
use super::marks::{hue, outline};
use crate::browser::dom;
use crate::ui::store::Store;
use crate::ui::text;
use crate::ui::widget::each::Each;

/// Where time begins and ends.
const TOP: f64 = 78.0;
const BOTTOM: f64 = 484.0;
/// More messages than this are told apart without words on each.
const WORDS_MAX: usize = 26;

/// Where things are: lifelines by peer, and time.
#[derive(Clone, Debug, PartialEq, Default)]
struct Axes {
    actors: Vec<(ActorView, f64)>,
    from: u64,
    span: u64,
}

impl Axes {
    fn of(view: &RpcView) -> Self {
        let count = view.actors.len().max(1) as f64;
        let step = 960.0 / count;
        let actors = view
            .actors
            .values()
            .enumerate()
            .map(|(index, actor)| (actor.clone(), 62.0 + step * (index as f64 + 0.5)))
            .collect();
        Self { actors, from: view.window.0.0, span: view.window.1.since(view.window.0).0.max(1) }
    }

    fn x(&self, peer: &Peer) -> Option<f64> {
        self.actors.iter().find(|(actor, _)| actor.peer == *peer).map(|(_, x)| *x)
    }

    fn y(&self, at: Micros) -> f64 {
        let since = at.0 as f64 - self.from as f64;
        TOP + (BOTTOM - TOP) * since / self.span as f64
    }
}

/// The view.
pub fn rpcs(store: Store) -> impl IntoView {
    let width = Memo::new(move |_| {
        store.layout.track();
        Width::of(dom::window_size().0)
    });
    let has = Memo::new(move |_| store.rpcs.with(|view| !view.actors.is_empty()));
    move || {
        if !has.get() {
            empty(
                store,
                "No requests to show",
                "Clients and brokers talk in requests. Send some records, or show another kind of request above.",
                "List topics",
                actions::list_topics(),
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
    let axes = Memo::new(move |_| store.rpcs.with(Axes::of));
    // The window's start alone moves everything: one attribute for each frame. What is drawn is placed against a start
    // that changes rarely, so that coordinates stay small.
    let place = Memo::new(move |_| {
        axes.with(|axes| Axes { from: axes.from - axes.from % (axes.span * 16), ..axes.clone() })
    });
    let shift = move || {
        axes.with(|axes| -(BOTTOM - TOP) * (axes.from % (axes.span * 16)) as f64 / axes.span as f64)
    };
    let ids = Memo::new(move |_| {
        store.rpcs.with(|view| view.messages.keys().copied().collect::<Vec<_>>())
    });
    let wordy = Memo::new(move |_| ids.with(|ids| ids.len() <= WORDS_MAX));
    let label = Signal::derive(move || {
        axes.with(|axes| {
            format!(
                "{} between {} in {} ms",
                text::count(ids.with(Vec::len), "message"),
                text::count(axes.actors.len(), "actor"),
                axes.span / 1_000
            )
        })
    });
    let ticks = move || {
        axes.with(|axes| {
            (0..=4)
                .map(|tick| {
                    let micros = axes.span * tick / 4;
                    let words = if axes.span >= 4_000 {
                        format!("{} ms", micros / 1_000)
                    } else {
                        format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
                    };
                    (TOP + (BOTTOM - TOP) * tick as f64 / 4.0, words)
                })
                .collect::<Vec<_>>()
        })
    };
    let collapsed = Memo::new(move |_| store.rpcs.with(|view| view.collapsed.clone()));
    view! {
        <Drawing id="rpcs" view=(1_040.0, 500.0) label>
            <defs>
                <clipPath id="window">
                    <rect x="0" y=TOP - 14.0 width="1040" height=BOTTOM - TOP + 26.0></rect>
                </clipPath>
            </defs>
            {move || {
                axes.with(|axes| axes.actors.clone())
                    .into_iter()
                    .map(|(actor, x)| {
                        let leads = actor.role.starts_with("leader");
                        let half = 72.0_f64.min(480.0 / axes.with_untracked(|axes| axes.actors.len().max(1)) as f64 - 4.0);
                        view! {
                            <rect
                                class=if leads { "node sel" } else { "node" }
                                x=x - half
                                y="10"
                                width=half * 2.0
                                height="42"
                                rx="6"
                            ></rect>
                            <text x=x y="28" class="tb th mid">
                                {shorten(&actor.name, (half / 3.6) as usize)}
                            </text>
                            <text x=x y="44" class="t3 mid">
                                {shorten(&actor.role, (half / 2.9) as usize)}
                            </text>
                            <path class="life" d=format!("M{x} 52V{}", BOTTOM + 12.0)></path>
                        }
                    })
                    .collect_view()
            }}
            {move || {
                ticks()
                    .into_iter()
                    .map(|(y, words)| {
                        view! {
                            <text x="10" y=y + 4.0 class="tm t3">
                                {words}
                            </text>
                            <path class="grid dots" d=format!("M58 {y}H1030")></path>
                        }
                    })
                    .collect_view()
            }}
            <g clip-path="url(#window)">
                <g style:transform=move || format!("translateY({:.1}px)", shift())>
                    <Each
                        each=move || store.rpcs.with(|view| view.spans.clone())
                        key=|(id, span)| (*id, span.until)
                        let:entry
                    >
                        {
                            let (_, span) = entry;
                            move || place.with(|axes| waits(axes, &span, axes.span))
                        }
                    </Each>
                    <Each each=move || ids.get() key=|id| *id let:id>
                        {message(store, place, wordy, id)}
                    </Each>
                    <Each each=move || store.rpcs.with(|view| view.notes.clone()) key=|(id, _)| *id let:entry>
                        {
                            let (_, note) = entry;
                            move || {
                                place
                                    .with(|axes| {
                                        let x = axes.x(&note.at)?;
                                        let y = axes.y(note.when);
                                        Some(
                                            view! {
                                                <circle class="pen" cx=x cy=y r="3"></circle>
                                                <text
                                                    x=x - 10.0
                                                    y=y + 4.0
                                                    class=if note.strong { "tb end halo" } else { "t2 end halo" }
                                                >
                                                    {note.text.clone()}
                                                </text>
                                            },
                                        )
                                    })
                            }
                        }
                    </Each>
                </g>
            </g>
            {move || {
                let collapsed = collapsed.get();
                (!collapsed.is_empty())
                    .then(|| {
                        let words = collapsed
                            .iter()
                            .take(4)
                            .map(|(name, count)| format!("{count} {name}"))
                            .collect::<Vec<_>>()
                            .join(", ");
                        view! {
                            <text x="1030" y="498" class="t3 end halo">
                                {format!("not shown: {words}")}
                            </text>
                        }
                    })
            }}
        </Drawing>
    }
}

fn waits(
    axes: &Axes,
    span: &playground::view::SpanView,
    window: u64,
) -> Option<impl IntoView + use<>> {
    let x = axes.x(&span.at)?;
    let from = axes.y(span.from);
    let to = span.until.map_or(from + (BOTTOM - TOP) * 4.0, |until| axes.y(until));
    let left = x - 58.0;
    // Left of the first lifeline is the time.
    let first = axes.actors.first().is_some_and(|(actor, _)| actor.peer == span.at);
    let (words_x, side) = if first { (x + 14.0, "") } else { (left - 8.0, "end") };
    let mid = f64::midpoint(from, to);
    let words = match span.until {
        Some(until) => {
            let micros = until.since(span.from).0;
            format!("in purgatory, {}.{} ms:", micros / 1_000, micros % 1_000 / 100)
        }
        None => "in purgatory:".into(),
    };
    let tall = span.until.is_some_and(|until| until.since(span.from).0 * 12 > window);
    let mut lines: Vec<String> = vec![String::new()];
    for word in span.why.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.len() + word.len() > 19 && !line.is_empty() {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    Some(view! {
        <rect class="seg1 active thin" x=x - 4.0 y=from width="8" height=(to - from).max(1.0)></rect>
        <path class="span" d=format!("M{left} {from}V{to}M{} {from}h8M{} {to}h8", left - 4.0, left - 4.0)></path>
        {tall
            .then(|| {
                let top = mid - 7.0 * lines.len() as f64;
                view! {
                    <text x=words_x y=top class=format!("tctl tb halo {side}")>
                        {words}
                    </text>
                    {lines
                        .into_iter()
                        .enumerate()
                        .map(|(index, line)| {
                            view! {
                                <text x=words_x y=top + 14.0 * (index as f64 + 1.0) class=format!("tctl halo {side}")>
                                    {line}
                                </text>
                            }
                        })
                        .collect_view()}
                }
            })}
    })
}

fn message(store: Store, place: Memo<Axes>, wordy: Memo<bool>, id: u64) -> impl IntoView {
    let message = store.rpcs.with_untracked(|view| view.messages.get(&id).cloned());
    let selected = Memo::new(move |_| {
        store.subscription.with(|wanted| wanted.inspect == Some(Subject::Message(id)))
    });
    move || {
        let message = message.clone()?;
        place.with(|axes| arrow(store, axes, &message, id, selected, wordy))
    }
}

fn arrow(
    store: Store,
    axes: &Axes,
    message: &RpcMessage,
    id: u64,
    selected: Memo<bool>,
    wordy: Memo<bool>,
) -> Option<impl IntoView + use<>> {
    let (from, to) = (axes.x(&message.from)?, axes.x(&message.to)?);
    let sign = if to > from { 1.0 } else { -1.0 };
    let (x1, x2) = (from + 5.0 * sign, to - 5.0 * sign);
    let (y1, y2) = (axes.y(message.sent_at), axes.y(message.arrives_at));
    let class = match (&message.error, message.lost, message.response) {
        (Some(_), ..) | (_, true, _) => "msgl err",
        (_, _, true) => "msgl resp",
        _ => "msgl",
    };
    let angle = ((y2 - y1) / (x2 - x1)).atan().to_degrees();
    let head = (y2 - y1).atan2(x2 - x1).to_degrees();
    // Four places on a long arrow, by kind and direction, so that words on close arrows do not meet.
    let at = match ((x2 - x1).abs() > 440.0, message.response) {
        (true, false) => 0.2,
        (true, true) => 0.4,
        (false, _) => 0.36,
    };
    let (cx, cy) = (x1 + (x2 - x1) * at, y1 + (y2 - y1) * at);
    let words = if let Some(error) = &message.error {
        format!("{} {error}", message.api)
    } else if message.response {
        message.summary.clone()
    } else {
        format!("{} v{}, {}", message.api, message.version, message.summary)
            .replace(", from", " from")
    };
    let words = words.trim_end_matches([',', ' ']).to_string();
    let half = 3.1 * words.chars().count() as f64 + 8.0;
    let mut hues: [String; 7] = Default::default();
    for (index, mark) in message.marks.iter().take(5).enumerate() {
        outline(&mut hues[hue(mark.key)], mark.key, half + 6.0 + 11.0 * index as f64, -11.0, 3.8);
    }
    let label = format!(
        "{} {} from {} to {}, {}",
        message.api,
        if message.response { "response" } else { "request" },
        name(&message.from),
        name(&message.to),
        message.summary
    );
    let title = label.clone();
    let lost = message.lost;
    let word_class = move || match (selected.get(), class) {
        (true, _) => "onmk tb mid",
        (_, "msgl resp") => "t2 mid halo",
        (_, "msgl err") => "tbad tb mid halo",
        _ => "tb mid halo",
    };
    Some(view! {
        <g class="hot">
            <title>{title}</title>
            <path
                class="msgsel"
                d=format!("M{x1} {y1}L{x2} {y2}")
                style:display=move || if selected.get() { "" } else { "none" }
            ></path>
            <path class=class d=format!("M{x1} {y1}L{x2} {y2}")></path>
            {if lost {
                let (x, y) = (f64::midpoint(x1, x2), f64::midpoint(y1, y2));
                view! { <path class="xbad" d=format!("M{} {}l10 10m0-10l-10 10", x - 5.0, y - 5.0)></path> }.into_any()
            } else {
                view! {
                    <path class="pen" d="M0 0l-7 4v-8z" transform=format!("translate({x2} {y2}) rotate({head:.1})")></path>
                }
                    .into_any()
            }}
            <g
                transform=format!("translate({cx:.1} {cy:.1}) rotate({angle:.1})")
                style:display=move || if wordy.get() || selected.get() { "" } else { "none" }
            >
                <rect
                    class="mk"
                    x=-half
                    y="-23"
                    width=half * 2.0
                    height="17"
                    rx="3"
                    style:display=move || if selected.get() { "" } else { "none" }
                ></rect>
                <text aria-hidden="true" x="0" y="-10" class=word_class>
                    {words}
                </text>
                {hues
                    .into_iter()
                    .enumerate()
                    .filter(|(_, path)| !path.is_empty())
                    .map(|(hue, path)| view! { <path class=format!("gl k{hue}") d=path></path> })
                    .collect_view()}
            </g>
            <path
                class="hit" d=format!("M{x1} {y1}L{x2} {y2}")
                role="button"
                tabindex="0"
                aria-label=label
                on:click=move |_| store.inspect(Subject::Message(id))
                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                    if event.key() == "Enter" {
                        store.inspect(Subject::Message(id));
                    }
                }
            ></path>
        </g>
    })
}

fn name(peer: &Peer) -> String {
    match peer {
        Peer::Node(id) => format!("broker {id}"),
        Peer::Client(name) => name.clone(),
    }
}

/// The same as text.
fn tables(store: Store) -> impl IntoView {
    let messages = Memo::new(move |_| store.rpcs.with(|view| view.messages.clone()));
    view! {
        <div class="stage scrolls tall" tabindex="0" role="group" aria-label="Requests as text">
            <table class="mx">
                <caption>"Requests and responses, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Sent"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"From"</th>
                        <th scope="col">"To"</th>
                        <th scope="col" class="r">"Took"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        messages
                            .get()
                            .into_iter()
                            .rev()
                            .map(|(id, message)| {
                                let took = message.arrives_at.since(message.sent_at).0;
                                let kind = if message.response { "response" } else { "request" };
                                view! {
                                    <tr>
                                        <th scope="row">
                                            <button on:click=move |_| store.inspect(Subject::Message(id))>
                                                {text::time(message.sent_at)}
                                            </button>
                                        </th>
                                        <td>{format!("{} {kind}, {}", message.api, message.summary)}</td>
                                        <td>{name(&message.from)}</td>
                                        <td>{name(&message.to)}</td>
                                        <td class="r mono">{format!("{}.{} ms", took / 1_000, took % 1_000 / 100)}</td>
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
