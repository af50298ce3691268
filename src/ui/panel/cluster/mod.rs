//! The live cluster diagram: brokers as racks, replicas as strips, clients left and right.

pub mod actions;
mod cards;
pub mod diagram;
mod menu;
mod motion;
pub mod scene;
pub mod start;
pub mod strip;
mod tables;

use leptos::prelude::*;
use playground::view::{Level, Subject};

use crate::browser::dom;
use crate::ui::store::Store;
use scene::{Scene, Width};

/// What the diagram's parts share.
#[derive(Clone, Copy)]
pub struct Parts {
    pub store: Store,
    pub scene: Memo<Scene>,
    /// What the page talks about: the yellow marker.
    pub marked: Memo<Option<Subject>>,
    /// Id of the element that Tab reaches.
    pub focused: RwSignal<String>,
    /// The broker whose menu is open, and where: left and top within the stage.
    pub menu: RwSignal<Option<(i32, f64, f64)>>,
}

/// The view.
pub fn cluster(store: Store) -> impl IntoView {
    let width = Memo::new(move |_| {
        store.layout.track();
        Width::of(dom::window_size().0)
    });
    let first_time = Memo::new(move |_| {
        store.cluster.with(|cluster| cluster.layout.topics == 0 && cluster.layout.rows.is_empty())
            && !store.preferences.invited.get()
            && !store.presenting.get()
    });
    let scene = Memo::new(move |_| {
        // Beside the invitation there is room for the racks only.
        let drawn = if first_time.get() { Width::Tablet } else { width.get() };
        store.cluster.with(|cluster| Scene::of(cluster, drawn))
    });
    let marked = Memo::new(move |_| {
        let current = store.current_sentence()?;
        store
            .narrative
            .with(|sentences| sentences.iter().find(|each| each.id == current)?.subject.clone())
    });
    let parts = Parts {
        store,
        scene,
        marked,
        focused: RwSignal::new(String::new()),
        menu: RwSignal::new(None),
    };
    move || {
        if store.text_view.get() {
            tables::tables(store).into_any()
        } else if first_time.get() {
            start::start(parts).into_any()
        } else {
            whole(parts, width.get()).into_any()
        }
    }
}

fn whole(parts: Parts, width: Width) -> impl IntoView {
    match width {
        Width::Phone => cards::cards(parts).into_any(),
        Width::Tablet => view! {
            <div class="tablet">
                {cards::producers_row(parts.store)} <div class="stage">{diagram::diagram(parts)}</div>
                {cards::groups_row(parts.store)}
            </div>
            {menu::menu(parts)}
        }
        .into_any(),
        Width::Desk => view! { {diagram::diagram(parts)} {menu::menu(parts)} }.into_any(),
    }
}

/// How loud a lag is.
pub fn lag_level(lag_ms: u64) -> Level {
    if lag_ms >= 5_000 { Level::Warn } else { Level::Plain }
}
