//! What moves: records, acks and fetches, on one canvas over the diagram. Nothing moves in a paused cluster, nor for
//! those who want less motion, nor above 20×.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use playground::seam::Micros;
use playground::view::{Flight, FlightKind, Frame, Peer};

use super::Parts;
use super::scene::{Scene, along, bezier};
use crate::browser::canvas::Canvas;
use crate::browser::dom;
use crate::ui::panel::marks::{corners, hue};

/// Shortest and longest time that a mark travels, ms.
const SHORTEST: f64 = 160.0;
const LONGEST: f64 = 900.0;
/// Above this speed, in thousandths, marks would only flicker.
const FASTEST: u32 = 20_000;

/// A flight under way.
struct Moving {
    flight: Flight,
    /// Wall clock, ms.
    began: f64,
    lasts: f64,
}

/// Colours as the theme has them now.
#[derive(Default)]
struct Colours {
    theme: String,
    keys: Vec<String>,
    surface: String,
    canvas: String,
    ink: String,
    bad: String,
}

impl Colours {
    fn refresh(&mut self) {
        let theme = dom::root_attribute("data-theme");
        if self.theme != theme {
            self.theme = theme;
            self.keys = (0..7).map(|key| dom::root_property(&format!("--key-{key}"))).collect();
            self.surface = dom::root_property("--surface");
            self.canvas = dom::root_property("--canvas");
            self.ink = dom::root_property("--ink-2");
            self.bad = dom::root_property("--bad");
        }
    }
}

#[derive(Default)]
struct Stage {
    canvas: Option<Canvas>,
    moving: Vec<Moving>,
    colours: Colours,
    /// The canvas holds something.
    drawn: bool,
}

/// Draws until the diagram leaves the page.
pub fn start(parts: Parts) {
    let stage = Rc::new(RefCell::new(Stage::default()));
    let alive = Rc::new(std::cell::Cell::new(true));
    let stop = StoredValue::new_local(Rc::clone(&alive));
    on_cleanup(move || {
        stop.try_with_value(|alive| alive.set(false));
    });
    next_frame(parts, stage, alive);
}

fn next_frame(parts: Parts, stage: Rc<RefCell<Stage>>, alive: Rc<std::cell::Cell<bool>>) {
    request_animation_frame(move || {
        if alive.get() {
            draw(parts, &mut stage.borrow_mut());
            next_frame(parts, stage, alive);
        }
    });
}

fn draw(parts: Parts, stage: &mut Stage) {
    let store = parts.store;
    let clock = store.clock.get_untracked();
    let now = dom::now_ms();
    let still = untrack(|| store.preferences.still()) || clock.speed.0 > FASTEST;
    store.flights.with_value(|waiting| {
        let mut waiting = waiting.borrow_mut();
        if still {
            waiting.clear();
        }
        let speed = f64::from(clock.speed.0) / 1_000.0;
        for flight in waiting.drain(..) {
            if stage.moving.len() < Frame::FLIGHTS_MAX {
                let latency = flight.arrives_at.since(flight.sent_at).0 as f64 / 1_000.0 / speed;
                stage.moving.push(Moving {
                    flight,
                    began: now,
                    lasts: latency.clamp(SHORTEST, LONGEST),
                });
            }
        }
    });
    if still {
        stage.moving.clear();
    }
    if stage.moving.is_empty() && !stage.drawn {
        return;
    }
    if stage.canvas.is_none() {
        stage.canvas = Canvas::find("motion");
    }
    let Some(canvas) = &stage.canvas else { return };
    stage.colours.refresh();
    let colours = &stage.colours;
    parts.scene.with_untracked(|scene| {
        canvas.begin(scene.view.0, scene.view.1);
        stage.moving.retain(|moving| {
            let t = progress(moving, now, clock.running, clock.now);
            if t >= 1.0 {
                return false;
            }
            if let Some(way) = Way::of(scene, &moving.flight) {
                mark(canvas, colours, &moving.flight, &way, t);
            }
            true
        });
    });
    stage.drawn = !stage.moving.is_empty();
}

/// Running: by the wall clock, so that the eye can follow. Paused: where the message is in virtual time.
fn progress(moving: &Moving, now: f64, running: bool, at: Micros) -> f64 {
    if running {
        return (now - moving.began) / moving.lasts;
    }
    let flight = &moving.flight;
    let whole = flight.arrives_at.since(flight.sent_at).0.max(1) as f64;
    at.since(flight.sent_at).0 as f64 / whole
}

/// The way a flight takes.
enum Way {
    Curve((f64, f64), (f64, f64)),
    Gutter(Vec<(f64, f64)>),
}

impl Way {
    fn of(scene: &Scene, flight: &Flight) -> Option<Self> {
        let key = flight.partition.as_ref();
        match (&flight.from, &flight.to) {
            (Peer::Client(client), Peer::Node(broker))
            | (Peer::Node(broker), Peer::Client(client)) => {
                let (x, y) = scene.client(client, key)?;
                let port = scene.port(*broker, x > scene.rack_x)?;
                let outward = matches!(flight.from, Peer::Client(_));
                Some(if outward { Self::Curve((x, y), port) } else { Self::Curve(port, (x, y)) })
            }
            (Peer::Node(from), Peer::Node(to)) => {
                let way = scene.gutter(key?, *from, *to)?;
                Some(Self::Gutter(way.to_vec()))
            }
            _ => None,
        }
    }

    fn at(&self, t: f64) -> (f64, f64) {
        match self {
            Self::Curve(from, to) => bezier(*from, *to, t),
            Self::Gutter(points) => along(points, t),
        }
    }
}

fn mark(canvas: &Canvas, colours: &Colours, flight: &Flight, way: &Way, t: f64) {
    let end = if flight.lost { t.min(0.5) } else { t };
    let (x, y) = way.at(end);
    canvas.alpha(if t > 0.9 && flight.marks.is_empty() { (1.0 - t) * 10.0 } else { 1.0 });
    match flight.kind {
        FlightKind::Produce => {
            let count = flight.marks.len().clamp(1, 3);
            canvas.capsule(
                x,
                y,
                5.0 + 8.0 * count as f64,
                13.0,
                &colours.surface,
                (&colours.ink, 1.1),
            );
            for (index, record) in flight.marks.iter().take(3).enumerate() {
                let offset = (index as f64 - (count as f64 - 1.0) / 2.0) * 8.0;
                glyph(canvas, colours, record.key, x + offset, y, 2.9);
            }
        }
        FlightKind::Records | FlightKind::Replicate => {
            let small = flight.kind == FlightKind::Replicate;
            for (index, record) in flight.marks.iter().take(4).enumerate() {
                let (x, y) = way.at((end - 0.09 * index as f64).max(0.0));
                glyph(canvas, colours, record.key, x, y, if small { 2.8 } else { 3.4 });
            }
        }
        FlightKind::Ack => {
            canvas.circle(x, y, 3.6, Some(&colours.canvas), Some((&colours.ink, 1.3)));
            canvas.figure(
                &[(x - 1.7, y), (x - 0.4, y + 1.4), (x + 1.8, y - 1.4)],
                None,
                Some((&colours.ink, 1.1)),
            );
        }
        FlightKind::Refusal => {
            canvas.circle(x, y, 3.8, Some(&colours.canvas), Some((&colours.bad, 1.3)));
            canvas.figure(
                &[(x - 1.5, y - 1.5), (x + 1.5, y + 1.5)],
                None,
                Some((&colours.bad, 1.2)),
            );
            canvas.figure(
                &[(x - 1.5, y + 1.5), (x + 1.5, y - 1.5)],
                None,
                Some((&colours.bad, 1.2)),
            );
        }
        FlightKind::Fetch | FlightKind::FollowerFetch | FlightKind::Other => {
            let radius = if flight.kind == FlightKind::FollowerFetch { 2.4 } else { 3.2 };
            canvas.circle(x, y, radius, Some(&colours.canvas), Some((&colours.ink, 1.2)));
        }
    }
    if flight.lost && t > 0.5 {
        canvas.figure(&[(x - 5.0, y - 5.0), (x + 5.0, y + 5.0)], None, Some((&colours.bad, 2.0)));
        canvas.figure(&[(x - 5.0, y + 5.0), (x + 5.0, y - 5.0)], None, Some((&colours.bad, 2.0)));
    }
    canvas.alpha(1.0);
}

fn glyph(canvas: &Canvas, colours: &Colours, key: u16, x: f64, y: f64, radius: f64) {
    let hue = hue(key);
    let Some(colour) = colours.keys.get(hue) else { return };
    match corners(key, x, y, radius) {
        Some(points) => canvas.figure(&points, Some(colour), None),
        None if hue == 0 => {
            canvas.circle(x, y, radius, Some(&colours.canvas), Some((colour, 1.35)))
        }
        None => canvas.circle(x, y, radius, Some(colour), None),
    }
}
