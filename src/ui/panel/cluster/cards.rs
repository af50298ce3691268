//! Narrow pages: brokers as stacked cards (phone), clients as rows (tablet).

use leptos::prelude::*;
use playground::view::{BrokerState, Level, PartitionKey, ProducerState, ReplicaKey};

use super::diagram::{PATTERNS, state_words};
use super::strip::{Place, Strip, strip_id};
use super::{Parts, lag_level, menu};
use crate::ui::shell_parts;
use crate::ui::store::Store;
use crate::ui::text;
use crate::ui::widget::Icon;
use crate::ui::widget::each::Each;
use crate::ui::widget::icons::{CHEVRON_DOWN, FLAG, POWER};

/// Phone: the sentence of the moment, then a card for each broker.
pub fn cards(parts: Parts) -> impl IntoView {
    let store = parts.store;
    let sentence = Memo::new(move |_| {
        let current = store.current_sentence()?;
        store.narrative.with(|sentences| sentences.iter().find(|each| each.id == current).cloned())
    });
    let brokers =
        move || store.cluster.with(|cluster| cluster.brokers.keys().copied().collect::<Vec<_>>());
    view! {
        <div class="cards" tabindex="0" role="group" aria-label="Brokers">
            <svg width="0" height="0" aria-hidden="true">
                <defs inner_html=PATTERNS></defs>
            </svg>
            {move || {
                sentence
                    .get()
                    .map(|sentence| {
                        view! {
                            <div class="talk">
                                <Icon icon=FLAG/>
                                <span>{shell_parts(&sentence.parts)}</span>
                            </div>
                        }
                    })
            }}
            <Each each=brokers key=|id| *id let:id>
                {card(parts, id)}
            </Each>
        </div>
        {menu::menu(parts)}
    }
}

fn card(parts: Parts, id: i32) -> impl IntoView {
    let store = parts.store;
    let broker = Memo::new(move |_| {
        store.cluster.with(|cluster| cluster.brokers.get(&id).cloned().unwrap_or_default())
    });
    let dead = move || broker.with(|broker| broker.state.is_down());
    let held = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let mut held: Vec<(bool, PartitionKey, u16)> = cluster
                .layout
                .rows
                .iter()
                .flat_map(|row| {
                    row.partitions.iter().map(move |partition| {
                        (
                            PartitionKey { topic: row.topic.clone(), partition: *partition },
                            row.number,
                        )
                    })
                })
                .filter(|(key, _)| {
                    cluster.partitions.get(key).is_some_and(|each| each.replicas.contains(&id))
                })
                .map(|(key, number)| {
                    let leads =
                        cluster.partitions.get(&key).is_some_and(|each| each.leader == Some(id));
                    (!leads, key, number)
                })
                .collect();
            playground::sorted::sort(&mut held);
            held
        })
    });
    let words = move || {
        broker.with(|broker| match state_words(broker) {
            Some((word, "", _)) => word.to_lowercase(),
            Some((word, more, _)) => format!("{}, {more}", word.to_lowercase()),
            None => {
                let leads = held.with(|held| held.iter().filter(|(follows, ..)| !follows).count());
                format!("leads {leads} of {} shown", held.with(Vec::len))
            }
        })
    };
    let startable = move || {
        broker.with(|broker| matches!(broker.state, BrokerState::Stopped | BrokerState::Crashed))
    };
    let element = format!("b-{id}");
    let opens = element.clone();
    view! {
        <section class="pc" class:dead=dead>
            <header>
                <b>{format!("Broker {id}")}</b>
                <span>{words}</span>
                {move || {
                    startable()
                        .then(|| {
                            view! {
                                <button
                                    class="btn line"
                                    on:click=move |_| {
                                        let name = broker.with_untracked(|broker| broker.name.clone());
                                        store.run(format!("docker compose start {name}"), format!("Start broker {id}"));
                                    }
                                >
                                    <Icon icon=POWER/>
                                    "Start"
                                </button>
                            }
                        })
                }}
                <button
                    class="btn icon"
                    id=element
                    aria-haspopup="menu"
                    aria-label=format!("Broker {id} actions")
                    on:click=move |_| menu::open_at(parts, id, &opens)
                >
                    <Icon icon=CHEVRON_DOWN/>
                </button>
            </header>
            {move || {
                if dead() {
                    view! { <p>{format!("{} offline.", text::count(held.with(Vec::len), "copy").replace("copys", "copies"))}</p> }
                        .into_any()
                } else {
                    let shown = held.get();
                    let height = 45 * shown.len() + 4;
                    view! {
                        <svg class="dg" viewBox=format!("0 0 358 {height}") role="group" aria-label=format!("Copies on broker {id}")>
                            {shown
                                .into_iter()
                                .enumerate()
                                .map(|(row, (_, key, number))| {
                                    let place = Place {
                                        x: 8.0,
                                        y: 19.0 + 45.0 * row as f64,
                                        width: 342.0,
                                        height: 20.0,
                                    };
                                    let key = ReplicaKey { topic: key.topic, partition: key.partition, broker: id };
                                    let _ = strip_id(&key);
                                    view! {
                                        <Strip
                                            store
                                            key
                                            place
                                            number
                                            marked=parts.marked
                                            focused=parts.focused
                                        />
                                    }
                                })
                                .collect_view()}
                        </svg>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

/// Tablet: producers above the racks.
pub fn producers_row(store: Store) -> impl IntoView {
    let cards = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let each = cluster.producers.values().take(3);
            each.map(|producer| match producer.state {
                ProducerState::Retrying(count) => {
                    (producer.name.clone(), format!("retrying {count}"), true)
                }
                ProducerState::BufferFull => (producer.name.clone(), "buffer full".into(), true),
                _ => (producer.name.clone(), producer.summary.clone(), false),
            })
            .collect::<Vec<_>>()
        })
    });
    row("Producers", cards)
}

/// Tablet: groups below the racks.
pub fn groups_row(store: Store) -> impl IntoView {
    let cards = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let each = cluster.groups.iter().take(3);
            each.map(|(name, group)| {
                let lag = group.members.iter().map(|member| member.lag_ms).max();
                let name = if name.is_empty() { "no group".to_string() } else { name.clone() };
                match lag {
                    Some(lag) if lag_level(lag) == Level::Warn => {
                        (name, format!("{} behind", text::span(lag)), true)
                    }
                    Some(lag) => {
                        (name, format!("{}, {} behind", group.state, text::span(lag)), false)
                    }
                    None => (name, group.state.clone(), false),
                }
            })
            .collect::<Vec<_>>()
        })
    });
    row("Groups", cards)
}

fn row(title: &'static str, cards: Memo<Vec<(String, String, bool)>>) -> impl IntoView {
    view! {
        <div class="trow">
            <span>{title}</span>
            {move || {
                let cards = cards.get();
                if cards.is_empty() {
                    return view! { <div class="tn"><small>"none yet"</small></div> }.into_any();
                }
                cards
                    .into_iter()
                    .map(|(name, words, warn)| {
                        view! {
                            <div class="tn">
                                <b>{name}</b>
                                <small class:w=warn>{words}</small>
                            </div>
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </div>
    }
}
