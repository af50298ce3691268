//! The frame of the page: bars, tabs, drawer, console, and what floats over them.

pub mod drawer;
mod keys;
mod notices;
mod palette;
pub mod preferences;
mod sheets;
mod time_bar;
mod top_bar;
mod view_tabs;

use leptos::prelude::*;
use playground::seam::Tab;

use super::panel;
use super::store::{DrawerTab, Overlay, Phase, Store, use_store};
use super::widget::icons::{EXPLAIN, MENU, NETWORK, SCROLL, USERS};
use super::widget::splitter::Splitter;
use super::widget::{Icon, Mark};
use crate::browser::dom;

/// The whole page.
pub fn app() -> impl IntoView {
    let store = use_store();
    store.preferences.apply(store.presenting);
    keys::listen(store);
    window_event_listener(leptos::ev::resize, move |_| {
        store.layout.update(|changes| *changes += 1)
    });
    dom::watch_visibility(move || {
        store.subscription.update(|wanted| wanted.hidden = dom::hidden())
    });
    // What floats takes the focus, and gives it back.
    Effect::new(move |was: Option<bool>| {
        let open = store.overlay.get() != Overlay::None;
        match (was.unwrap_or(false), open) {
            (false, true) => dom::remember_focus(),
            (true, false) => dom::restore_focus(),
            _ => {}
        }
        open
    });
    Effect::new(move || {
        store.layout.track();
        let size = |signal: RwSignal<Option<u32>>| signal.get();
        let open = store.preferences.console_open.get();
        if let (Some(height), true) = (size(store.preferences.console_height), open) {
            dom::set_root_property("--term", &format!("{height}px"));
        } else {
            dom::set_root_property("--term", "");
        }
        let width = size(store.preferences.drawer_width)
            .map(|width| format!("{width}px"))
            .unwrap_or_default();
        dom::set_root_property("--side", &width);
    });
    move || match store.phase.with(|phase| match phase {
        Phase::Starting { .. } => 0,
        Phase::Running => 1,
        Phase::Failed(_) => 2,
    }) {
        0 => starting(store).into_any(),
        1 => running(store).into_any(),
        _ => notices::failure(store).into_any(),
    }
}

/// The page while the engine starts.
fn starting(store: Store) -> impl IntoView {
    let part = move || match store.phase.get() {
        Phase::Starting { what, done, total } => (what, done, total),
        _ => (String::new(), 1, 1),
    };
    view! {
        <main class="full">
            <div class="load">
                <Mark/>
                <h1>"Starting three brokers"</h1>
                <dl>
                    <div>
                        <dt>"Page"</dt>
                        <dd><progress value="1" max="1" aria-label="Page"></progress></dd>
                        <dd>"done"</dd>
                    </div>
                    <div>
                        <dt>{move || part().0}</dt>
                        <dd>
                            <progress
                                aria-label=move || part().0
                                value=move || part().1.to_string()
                                max=move || part().2.max(1).to_string()
                            ></progress>
                        </dd>
                        <dd>
                            {move || {
                                let (_, done, total) = part();
                                if total == 0 { "…".to_string() } else { format!("{} %", done * 100 / total) }
                            }}
                        </dd>
                    </div>
                </dl>
                <p role="status">{move || store.trouble.get()}</p>
            </div>
        </main>
    }
}

/// The page at work.
fn running(store: Store) -> impl IntoView {
    let preferences = store.preferences;
    let moved = Callback::new(move |()| store.layout.update(|changes| *changes += 1));
    view! {
        <a class="skip" href="#line" on:click=move |event| {
            event.prevent_default();
            preferences.console_open.set(true);
            dom::focus("line");
        }>"Skip to the console"</a>
        <div
            class="app"
            class:noterm=move || !preferences.console_open.get()
            class:presenting=move || store.presenting.get()
            class:side-up=move || store.drawer_up.get()
        >
            {notices::notices(store)}
            {top_bar::top_bar(store)}
            {time_bar::time_bar(store)}
            <main class="main" aria-label="View">
                {view_tabs::view_tabs(store)}
                <div id="stage" class="stage" role="tabpanel" aria-labelledby=move || view_tabs::tab_id(store.tab().get())>
                    {panel::view(store)}
                    {move || store.toast.get().map(|text| view! { <div class="toast" role="status">{text}</div> })}
                </div>
            </main>
            {caption(store)}
            <aside id="drawer" class="side" aria-label="Explanations">
                <Splitter label="Width of the drawer" vertical=true size=preferences.drawer_width target="drawer" moved/>
                {drawer::drawer(store)}
            </aside>
            {panel::console::console(store)}
            {phone_navigation(store)}
        </div>
        {drawer::live_region(store)}
        {palette::palette(store)}
        {sheets::sheets(store)}
    }
}

/// Presenter mode: the sentence that the page talks about, large.
fn caption(store: Store) -> impl IntoView {
    let sentence = Memo::new(move |_| {
        let wanted = store.current_sentence();
        store.narrative.with(|sentences| {
            let all = sentences.iter().rev();
            all.clone()
                .find(|sentence| Some(sentence.id) == wanted)
                .or_else(|| all.clone().find(|s| s.important))
                .cloned()
        })
    });
    view! {
        <section class="caption" aria-label="What just happened">
            {move || sentence.get().map(|sentence| view! { <p>{drawer::parts(&sentence.parts)}</p> })}
        </section>
    }
}

/// Phone: the views at the bottom.
fn phone_navigation(store: Store) -> impl IntoView {
    let tab = store.tab();
    let item = move |icon: &'static str, name: &'static str, wanted: Tab| {
        view! {
            <button
                aria-current=move || (tab.get() == wanted && !store.drawer_up.get()).then_some("page")
                on:click=move |_| store.show(wanted)
            >
                <Icon icon size="l"/>
                {name}
            </button>
        }
    };
    view! {
        <nav class="pnav" aria-label="Views">
            <button
                aria-current=move || store.drawer_up.get().then_some("page")
                on:click=move |_| {
                    store.drawer_tab.set(DrawerTab::Explain);
                    store.drawer_up.update(|up| *up = !*up);
                }
            >
                <Icon icon=EXPLAIN size="l"/>
                "Explain"
            </button>
            {item(NETWORK, "Cluster", Tab::Cluster)}
            {item(SCROLL, "Log", Tab::Log)}
            {item(USERS, "Groups", Tab::Groups)}
            <button on:click=move |_| store.overlay.set(Overlay::Palette)>
                <Icon icon=MENU size="l"/>
                "More"
            </button>
        </nav>
    }
}

/// Starts a new session, after the question in [`sheets`].
fn reset(store: Store) {
    store.start_afresh();
}
