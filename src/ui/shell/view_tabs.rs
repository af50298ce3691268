//! The views' tabs, and what each of them offers on the right.

use leptos::prelude::*;
use playground::seam::Tab;
use playground::view::ApiFamily;

use crate::browser::dom;
use crate::ui::panel::cluster::start::next_step;
use crate::ui::store::Store;
use crate::ui::widget::icons::{ARROWS, CHEVRON_RIGHT, NETWORK, SCROLL, TABLE, USERS};
use crate::ui::widget::{Choice, Icon};

/// The views in order, with icon and name.
pub const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Cluster, NETWORK, "Cluster"),
    (Tab::Topics, TABLE, "Topics"),
    (Tab::Log, SCROLL, "Log"),
    (Tab::Groups, USERS, "Groups"),
    (Tab::Rpcs, ARROWS, "RPCs"),
];

/// The element id of a view's tab.
pub fn tab_id(tab: Tab) -> &'static str {
    match tab {
        Tab::Cluster => "tab-cluster",
        Tab::Topics => "tab-topics",
        Tab::Log => "tab-log",
        Tab::Groups => "tab-groups",
        Tab::Rpcs => "tab-rpcs",
    }
}

/// The row of tabs.
pub fn view_tabs(store: Store) -> impl IntoView {
    let tab = store.tab();
    let troubled = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            cluster
                .partitions
                .values()
                .filter(|partition| partition.isr.len() < partition.replicas.len())
                .count()
        })
    });
    let step = move |by: usize| {
        let at = TABS.iter().position(|(each, ..)| *each == tab.get_untracked()).unwrap_or(0);
        let next = TABS[(at + by) % TABS.len()].0;
        store.show(next);
        dom::focus(tab_id(next));
    };
    let key = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "ArrowRight" => step(1),
        "ArrowLeft" => step(TABS.len() - 1),
        _ => {}
    };
    view! {
        <div class="tabs">
            <div class="tablist" role="tablist" aria-label="Views" on:keydown=key>
                {TABS
                    .map(|(each, icon, name)| {
                        view! {
                            <button
                                class="tab"
                                role="tab"
                                id=tab_id(each)
                                aria-controls="stage"
                                aria-selected=move || (tab.get() == each).to_string()
                                tabindex=move || if tab.get() == each { "0" } else { "-1" }
                                on:click=move |_| store.show(each)
                            >
                                <Icon icon size="s"/>
                                <span>{name}</span>
                                {(each == Tab::Topics)
                                    .then(|| {
                                        move || {
                                            let count = troubled.get();
                                            (count > 0)
                                                .then(|| {
                                                    view! {
                                                        <span class="dotn">
                                                            {count}
                                                            <span class="vh">" partitions are not fully in sync"</span>
                                                        </span>
                                                    }
                                                })
                                        }
                                    })}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
            <span class="grow"></span>
            {move || match tab.get() {
                Tab::Cluster => next_step(store).into_any(),
                Tab::Topics => ().into_any(),
                Tab::Log => log_choices(store).into_any(),
                Tab::Groups => group_choices(store).into_any(),
                Tab::Rpcs => rpc_choices(store).into_any(),
            }}
        </div>
    }
}

fn log_choices(store: Store) -> impl IntoView {
    let header = Memo::new(move |_| store.log.with(|log| log.log.clone()));
    let brokers = Signal::derive(move || header.get().map(|log| log.replicas).unwrap_or_default());
    let names = Signal::derive(move || {
        brokers.get().iter().map(|id| format!("Broker {id}")).collect::<Vec<_>>()
    });
    let chosen = Signal::derive(move || {
        let broker = header.get()?.replica.broker;
        brokers.get().iter().position(|id| *id == broker)
    });
    view! {
        {move || {
            header
                .get()
                .map(|log| {
                    let key = log.replica.partition_key().to_string();
                    view! {
                        <span class="crumb">
                            {log.replica.topic}
                            <Icon icon=CHEVRON_RIGHT size="s"/>
                            <b class="mono">{key}</b>
                        </span>
                    }
                })
        }}
        <Choice
            label="Broker"
            options=names
            chosen
            choose=move |index: usize| {
                let broker = brokers.get_untracked().get(index).copied();
                store.subscription.update(|wanted| wanted.log.broker = broker);
            }
        />
        {log_pages(store)}
    }
}

/// Pages through a log's batches.
fn log_pages(store: Store) -> impl IntoView {
    let page = move |back: bool| {
        let (first, last) = store.log.with_untracked(|view| {
            (view.batches.keys().next().copied(), view.batches.keys().next_back().copied())
        });
        let from = if back { first.map(|first| (first - 12).max(0)) } else { last };
        store.subscription.update(|wanted| wanted.log.from = from);
    };
    let follows = move || store.subscription.with(|wanted| wanted.log.from.is_none());
    view! {
        <span class="seg" role="group" aria-label="Part of the log">
            <button on:click=move |_| page(true)>"Older"</button>
            <button disabled=follows on:click=move |_| page(false)>"Newer"</button>
            <button
                aria-pressed=move || follows().to_string()
                on:click=move |_| store.subscription.update(|wanted| wanted.log.from = None)
            >
                "End"
            </button>
        </span>
    }
}

fn group_choices(store: Store) -> impl IntoView {
    let names = Memo::new(move |_| {
        store.groups.with(|view| view.groups.keys().take(6).cloned().collect::<Vec<_>>())
    });
    let chosen = Signal::derive(move || {
        let chosen = store.groups.with(|view| view.chosen.clone())?;
        names.get().iter().position(|name| *name == chosen)
    });
    move || {
        (names.get().len() > 1).then(|| {
            view! {
                <Choice
                    label="Group"
                    options=names
                    chosen
                    choose=move |index: usize| {
                        let name = names.get_untracked().get(index).cloned();
                        store.subscription.update(|wanted| wanted.group = name);
                    }
                />
            }
        })
    }
}

const FAMILIES: [(ApiFamily, &str); 6] = [
    (ApiFamily::Produce, "Produce"),
    (ApiFamily::Fetch, "Fetch"),
    (ApiFamily::Metadata, "Metadata"),
    (ApiFamily::Group, "Group"),
    (ApiFamily::Raft, "Raft"),
    (ApiFamily::Admin, "Admin"),
];

fn rpc_choices(store: Store) -> impl IntoView {
    let families = move || {
        store.subscription.with(|wanted| match wanted.rpc.families.is_empty() {
            true => vec![ApiFamily::Produce, ApiFamily::Fetch],
            false => wanted.rpc.families.clone(),
        })
    };
    let toggle = move |family: ApiFamily| {
        let mut now = families();
        match now.iter().position(|each| *each == family) {
            Some(at) if now.len() > 1 => {
                now.remove(at);
            }
            Some(_) => {}
            None => now.push(family),
        }
        store.subscription.update(|wanted| wanted.rpc.families = now);
    };
    let held = move || store.subscription.with(|wanted| wanted.rpc.held);
    view! {
        <span class="seg" role="group" aria-label="Requests shown">
            {FAMILIES
                .map(|(family, name)| {
                    view! {
                        <button
                            aria-pressed=move || families().contains(&family).to_string()
                            on:click=move |_| toggle(family)
                        >
                            {name}
                        </button>
                    }
                })
                .collect_view()}
        </span>
        <span class="seg" role="group" aria-label="Window">
            <button
                aria-pressed=move || held().to_string()
                on:click=move |_| store.subscription.update(|wanted| wanted.rpc.held = !wanted.rpc.held)
            >
                "Hold"
            </button>
        </span>
    }
}
