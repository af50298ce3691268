//! The first minute: a running cluster, and the first commands to run by click.

use leptos::prelude::*;

use super::{Parts, actions, diagram};
use crate::browser::dom;
use crate::ui::store::Store;
use crate::ui::widget::Icon;
use crate::ui::widget::icons::{ARROW_RIGHT, CROSS, EYE, PLAY, PLUS, POWER, ZAP};

/// A step of the first minute: icon, title, command.
type Step = (&'static str, &'static str, String);

fn steps() -> [Step; 4] {
    [
        (PLUS, "Create a topic", actions::create_topic()),
        (ARROW_RIGHT, "Send records to it", actions::produce()),
        (EYE, "Read them back", actions::consume()),
        (ZAP, "Kill a broker", "docker compose kill kafka2".into()),
    ]
}

/// The invitation, beside the running cluster.
pub fn start(parts: Parts) -> impl IntoView {
    let store = parts.store;
    view! {
        <div class="start">
            <section class="pitch">
                <h2>"A Kafka cluster, running in this tab."</h2>
                <p class="lead">
                    "Three brokers are already up. Type or paste the commands of any Kafka tutorial below, or begin with these."
                </p>
                <div>
                    {steps()
                        .into_iter()
                        .take(1)
                        .map(|(icon, title, command)| {
                            let line = command.clone();
                            view! {
                                <button class="ch prim" on:click=move |_| store.run(line.clone(), title)>
                                    <span class="ci">
                                        <Icon icon/>
                                    </span>
                                    <span>
                                        <b>{title}</b>
                                        <code>{command}</code>
                                    </span>
                                    <span class="go">
                                        <Icon icon=PLAY/>
                                    </span>
                                </button>
                            }
                        })
                        .collect_view()}
                    <button
                        class="ch"
                        on:click=move |_| {
                            store.preferences.console_open.set(true);
                            request_animation_frame(|| dom::focus("line"));
                        }
                    >
                        <span class="ci">
                            <Icon icon=crate::ui::widget::icons::TERMINAL/>
                        </span>
                        <span>
                            <b>"Type your own"</b>
                            <code>"help lists what works here"</code>
                        </span>
                        <span class="go">
                            <kbd>"`"</kbd>
                        </span>
                    </button>
                    <button class="ch" on:click=move |_| store.run("docker compose kill kafka2", "Kill broker 2")>
                        <span class="ci">
                            <Icon icon=ZAP/>
                        </span>
                        <span>
                            <b>"Break something"</b>
                            <code>"docker compose kill kafka2"</code>
                        </span>
                        <span class="go"></span>
                    </button>
                </div>
                <p class="fine">"Every button runs the real command, and the console shows it. Nothing leaves this tab."</p>
            </section>
            <div class="stage">{diagram::diagram(parts)} {super::menu::menu(parts)}</div>
        </div>
    }
}

/// After the first topic: one line with the step that comes next, until it is closed or all are done.
pub fn next_step(store: Store) -> impl IntoView {
    let reached = Memo::new(move |_| {
        store.cluster.with(|cluster| {
            let records = cluster.replicas.values().any(|replica| replica.log_end_offset > 0);
            let read = !cluster.groups.is_empty();
            let broken = cluster.brokers.values().any(|broker| broker.state.is_down());
            if broken {
                5
            } else if read {
                3
            } else if records {
                2
            } else {
                usize::from(cluster.layout.topics > 0)
            }
        })
    });
    let last = RwSignal::new(0);
    Effect::new(move || last.update(|last| *last = (*last).max(reached.get())));
    move || {
        let at = last.get();
        if store.preferences.invited.get() || at == 0 || store.read_only() {
            return None;
        }
        let down = store.cluster.with(|cluster| {
            cluster
                .brokers
                .values()
                .find(|broker| broker.state.is_down())
                .map(|broker| broker.name.clone())
        });
        let (icon, title, command) = match (steps().into_iter().nth(at), down) {
            (_, Some(name)) => (POWER, "Bring it back", format!("docker compose start {name}")),
            (Some(step), None) => step,
            (None, None) => return None,
        };
        let line = command.clone();
        Some(view! {
            <div class="next">
                <Icon icon/>
                <b>{format!("Next: {}", title.to_lowercase())}</b>
                <code>{command}</code>
                <button class="btn fill" on:click=move |_| store.run(line.clone(), title)>
                    <Icon icon=PLAY size="s"/>
                    "Run"
                </button>
                <button
                    class="btn icon"
                    aria-label="Close these hints"
                    on:click=move |_| store.preferences.invited.set(true)
                >
                    <Icon icon=CROSS size="s"/>
                </button>
            </div>
        })
    }
}
