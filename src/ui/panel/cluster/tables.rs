//! The diagram as tables: the same data and actions, for screen readers, print and copying.

use leptos::prelude::*;

use super::actions;
use super::diagram::state_words;
use crate::ui::store::Store;
use crate::ui::text;

/// Brokers, partitions, clients.
pub fn tables(store: Store) -> impl IntoView {
    let brokers = Memo::new(move |_| store.cluster.with(|cluster| cluster.brokers.clone()));
    let copies = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            cluster
                .replicas
                .iter()
                .map(|(key, replica)| {
                    let role = if !replica.online {
                        "offline"
                    } else if replica.leads {
                        "leader"
                    } else if replica.in_isr {
                        "in sync"
                    } else {
                        "out of sync"
                    };
                    (
                        key.clone(),
                        role,
                        replica.log_start_offset,
                        replica.high_watermark,
                        replica.log_end_offset,
                    )
                })
                .collect::<Vec<_>>()
        })
    });
    let clients = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let producers = cluster.producers.values().map(|producer| {
                let waiting: usize = producer.lanes.iter().map(|lane| lane.marks.len()).sum();
                (
                    "producer",
                    producer.name.clone(),
                    producer.summary.clone(),
                    format!("{waiting} records wait"),
                )
            });
            let members = cluster.groups.iter().flat_map(|(name, group)| {
                group.members.iter().map(move |member| {
                    let owned =
                        member.owned.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                    let group = if name.is_empty() {
                        "no group".to_string()
                    } else {
                        format!("group {name}")
                    };
                    (
                        "consumer",
                        member.name.clone(),
                        format!("{group} {owned}"),
                        text::span(member.lag_ms),
                    )
                })
            });
            producers.chain(members).collect::<Vec<_>>()
        })
    });
    view! {
        <div class="stage scrolls" tabindex="0" role="group" aria-label="The cluster as text">
            <table class="mx">
                <caption>"Brokers"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Broker"</th>
                        <th scope="col">"Container"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="r">"Leaders"</th>
                        <th scope="col" class="r">"In, B/s"</th>
                        <th scope="col" class="r">"Out, B/s"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        brokers
                            .get()
                            .into_iter()
                            .map(|(id, broker)| {
                                let state = state_words(&broker)
                                    .map_or("up".to_string(), |(word, more, _)| format!("{word} {more}"));
                                let buttons = actions::of_broker(&broker)
                                    .into_iter()
                                    .map(|(_, verb, command)| {
                                        let line = command.clone();
                                        view! {
                                            <button
                                                class="btn"
                                                title=command
                                                on:click=move |_| {
                                                    store.run(line.clone(), format!("{verb} on broker {id}"));
                                                }
                                            >
                                                {verb}
                                                <span class="vh">{format!(" broker {id}")}</span>
                                            </button>
                                        }
                                    })
                                    .collect_view();
                                view! {
                                    <tr>
                                        <th scope="row">{id}</th>
                                        <td class="mono">{broker.name}</td>
                                        <td>{state}</td>
                                        <td class="r mono">{broker.leaders}</td>
                                        <td class="r mono">{text::number(broker.bytes_in as i64)}</td>
                                        <td class="r mono">{text::number(broker.bytes_out as i64)}</td>
                                        <td>{buttons}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
            <table class="mx">
                <caption>"Copies of the shown partitions"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Partition"</th>
                        <th scope="col">"Broker"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col" class="r">"Log start"</th>
                        <th scope="col" class="r">"High watermark"</th>
                        <th scope="col" class="r">"Log end"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        copies
                            .get()
                            .into_iter()
                            .map(|(key, role, start, watermark, end)| {
                                view! {
                                    <tr>
                                        <th scope="row">{key.partition_key().to_string()}</th>
                                        <td>{key.broker}</td>
                                        <td>{role}</td>
                                        <td class="r mono">{text::number(start)}</td>
                                        <td class="r mono">{text::number(watermark)}</td>
                                        <td class="r mono">{text::number(end)}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
            <table class="mx">
                <caption>"Clients"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Client"</th>
                        <th scope="col">"Kind"</th>
                        <th scope="col">"What"</th>
                        <th scope="col" class="r">"Behind or waiting"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        clients
                            .get()
                            .into_iter()
                            .map(|(kind, name, what, behind)| {
                                view! {
                                    <tr>
                                        <th scope="row">{name}</th>
                                        <td>{kind}</td>
                                        <td>{what}</td>
                                        <td class="r mono">{behind}</td>
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
