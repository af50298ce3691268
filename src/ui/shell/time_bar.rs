//! Virtual time: play, step, speed, clock, and the session drawn as a log.

use leptos::prelude::*;
use playground::seam::{Micros, Speed, ToEngine};
use playground::view::{Level, SentenceKind};

use crate::ui::store::{DrawerTab, Store};
use crate::ui::text;
use crate::ui::widget::Icon;
use crate::ui::widget::each::Each;
use crate::ui::widget::icons::{ALERT, CROSS, FLAG, PAUSE, PLAY, POWER, SKIP, STEP, TURN};

/// The slider's positions: six powers of ten, three steps each, then the maximum.
const SPEEDS: [u32; 17] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    u32::MAX,
];

/// The position nearest to a speed.
fn position(speed: Speed) -> usize {
    SPEEDS.iter().position(|each| *each >= speed.0).unwrap_or(SPEEDS.len() - 1)
}

/// Changes speed by so many positions.
pub fn change_speed(store: Store, by: i32) {
    let at = position(store.clock.get_untracked().speed) as i32;
    let next = (at + by).clamp(0, SPEEDS.len() as i32 - 1) as usize;
    store.send(ToEngine::SetSpeed(Speed(SPEEDS[next])));
}

/// Plays or pauses.
pub fn toggle(store: Store) {
    store.send(if store.clock.get_untracked().running { ToEngine::Pause } else { ToEngine::Play });
}

/// The bar.
pub fn time_bar(store: Store) -> impl IntoView {
    let running = Memo::new(move |_| store.clock.with(|clock| clock.running));
    let speed = Memo::new(move |_| store.clock.with(|clock| clock.speed));
    let reached = Memo::new(move |_| store.clock.with(|clock| clock.reached));
    let locked = move || store.read_only();
    view! {
        <section class="time" aria-label="Session time">
            <div class="transport">
                <button
                    class="play"
                    aria-label=move || if running.get() { "Pause" } else { "Play" }
                    title="Space"
                    disabled=locked
                    on:click=move |_| toggle(store)
                >
                    {move || if running.get() { view! { <Icon icon=PAUSE/> } } else { view! { <Icon icon=PLAY/> } }}
                </button>
                <button
                    class="btn icon wide"
                    aria-label="Step one event"
                    title="Step one event ( . )"
                    disabled=locked
                    on:click=move |_| store.send(ToEngine::Step)
                >
                    <Icon icon=STEP/>
                </button>
                <button
                    class="btn icon wide"
                    aria-label="Run until something interesting happens"
                    title="Run until something interesting happens ( n )"
                    disabled=locked
                    on:click=move |_| store.send(ToEngine::RunUntilInteresting)
                >
                    <Icon icon=SKIP/>
                </button>
            </div>
            <div class="speed">
                <input
                    type="range"
                    class="slider"
                    min="0"
                    max=(SPEEDS.len() - 1).to_string()
                    step="1"
                    aria-label="Speed"
                    aria-valuetext=move || text::speed(speed.get())
                    prop:value=move || position(speed.get()).to_string()
                    disabled=locked
                    on:input=move |event| {
                        let at: usize = event_target_value(&event).parse().unwrap_or(9);
                        store.send(ToEngine::SetSpeed(Speed(SPEEDS[at.min(SPEEDS.len() - 1)])));
                    }
                />
                <b
                    class:is-warn=move || { reached.get() > 0 }
                    title=move || {
                        let reached = reached.get();
                        (reached > 0).then(|| format!("this machine reaches {}", text::speed(Speed(reached))))
                    }
                >
                    {move || text::speed(speed.get())}
                </b>
            </div>
            <div class="clock num" role="timer" aria-label="Virtual time" aria-live="off">
                <span class="long">{move || store.clock.with(|clock| text::clock(clock.now))}</span>
                <span class="short">{move || store.clock.with(|clock| text::short_time(clock.now))}</span>
            </div>
            {session_log(store)}
        </section>
    }
}

/// One mark of the session's log.
#[derive(Clone, PartialEq)]
struct Mark {
    id: u64,
    at: Micros,
    kind: SentenceKind,
    level: Level,
    words: String,
}

fn icon_of(kind: SentenceKind, level: Level) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        SentenceKind::Failure => (CROSS, "is-bad"),
        SentenceKind::Anomaly => (ALERT, "is-bad"),
        SentenceKind::Election => (FLAG, "is-ctl"),
        SentenceKind::Rebalance => (TURN, "is-warn"),
        SentenceKind::IsrShrink => (ALERT, "is-warn"),
        SentenceKind::Started if level != Level::Plain => (POWER, ""),
        _ => return None,
    })
}

/// The session as a log: what was done and what happened, along the top; not to be dragged yet.
fn session_log(store: Store) -> impl IntoView {
    // The scale grows in steps, so that marks don't creep with every frame.
    let scale = Memo::new(move |_| {
        let now = store.clock.with(|clock| clock.now).0;
        let mut span: u64 = 60_000_000;
        while now * 10 > span * 9 {
            span = if span < 600_000_000 { span + 60_000_000 } else { span * 3 / 2 };
        }
        span
    });
    let percent = move |at: Micros| format!("{:.2}%", at.0 as f64 * 100.0 / scale.get() as f64);
    let marks = Memo::new(move |_| {
        store.narrative.with(|sentences| {
            sentences
                .iter()
                .filter(|sentence| {
                    sentence.kind == SentenceKind::Command
                        || icon_of(sentence.kind, sentence.level).is_some()
                })
                .map(|sentence| Mark {
                    id: sentence.id,
                    at: sentence.at,
                    kind: sentence.kind,
                    level: sentence.level,
                    words: sentence.plain(),
                })
                .collect::<Vec<_>>()
        })
    });
    // Marks closer than 1.2 % would overlap: the first stands for the rest.
    let flags = Memo::new(move |_| {
        let room = scale.get() / 80;
        let mut shown: Vec<(Mark, u32)> = Vec::new();
        for mark in marks.get().into_iter().filter(|mark| mark.kind != SentenceKind::Command) {
            match shown.last_mut() {
                Some((last, count)) if mark.at.0 < last.at.0 + room => *count += 1,
                _ => shown.push((mark, 1)),
            }
        }
        shown
    });
    let ticks = Memo::new(move |_| {
        let minute = 60_000_000;
        let every = (scale.get() / 6).div_ceil(minute).max(1) * minute;
        let every = if scale.get() <= minute { 15_000_000 } else { every };
        (0..scale.get()).step_by(every as usize).map(Micros).collect::<Vec<_>>()
    });
    let latest =
        move || marks.with(|marks| marks.last().map(|mark| mark.words.clone()).unwrap_or_default());
    view! {
        <div
            class="scrub"
            role="group"
            aria-label=move || format!("Session, {}. {}", store.clock.with(|clock| text::time(clock.now)), latest())
        >
            <div class="rail"></div>
            <div class="past" style:width=move || store.clock.with(|clock| percent(clock.now))></div>
            <Each
                each=move || marks.get().into_iter().filter(|mark| mark.kind == SentenceKind::Command)
                key=|mark| mark.id
                let:mark
            >
                <i class="ev cmd" title=mark.words.clone() style:left=move || percent(mark.at)></i>
            </Each>
            <Each each=move || flags.get() key=|(mark, count)| (mark.id, *count) let:entry>
                {
                    let (mark, count) = entry;
                    let (icon, class) = icon_of(mark.kind, mark.level).unwrap_or((FLAG, ""));
                    let name = match count {
                        0 | 1 => mark.words.clone(),
                        // What is seen is part of the name, for those who speak it.
                        count => format!("{count} events: {}", mark.words),
                    };
                    view! {
                        <button
                            class=format!("ev mk {class}")
                            title=name.clone()
                            aria-label=name
                            tabindex="-1"
                            style:left=move || percent(mark.at)
                            on:click=move |_| {
                                store.drawer_tab.set(DrawerTab::Explain);
                                store.chosen_sentence.set(Some(mark.id));
                            }
                        >
                            <Icon icon/>
                            {(count > 1).then(|| view! { <b>{count}</b> })}
                        </button>
                    }
                }
            </Each>
            {move || {
                ticks
                    .get()
                    .into_iter()
                    .map(|at| {
                        let seconds = at.0 / 1_000_000;
                        view! {
                            <span class="tick" class:first=at.0 == 0 style:left=move || percent(at)>
                                {format!("{}:{:02}", seconds / 60, seconds % 60)}
                            </span>
                        }
                    })
                    .collect_view()
            }}
            <div class="head" style:left=move || store.clock.with(|clock| percent(clock.now))></div>
        </div>
    }
}
