//! The views.

pub mod cluster;
pub mod console;
pub mod drawing;
pub mod groups;
pub mod legend;
pub mod log;
pub mod marks;
pub mod rpcs;
pub mod topics;

use leptos::prelude::*;
use playground::seam::Tab;

use super::store::Store;
use crate::ui::widget::Icon;
use crate::ui::widget::icons::PLAY;

/// The view in sight.
pub fn view(store: Store) -> impl IntoView {
    let tab = store.tab();
    move || match tab.get() {
        Tab::Cluster => cluster::cluster(store).into_any(),
        Tab::Topics => topics::topics(store).into_any(),
        Tab::Log => log::log(store).into_any(),
        Tab::Groups => groups::groups(store).into_any(),
        Tab::Rpcs => rpcs::rpcs(store).into_any(),
    }
}

/// A view without content: what it is, and the command that fills it.
pub fn empty(
    store: Store,
    title: &'static str,
    about: &'static str,
    button: &'static str,
    command: String,
) -> impl IntoView {
    const STRIP: &str = r#"<rect class="strip off" x="4" y="6" width="242" height="26" rx="2"/><path class="leo" d="M16 11h5v16h-5"/>"#;
    let line = command.clone();
    view! {
        <div class="empty">
            <div>
                <svg viewBox="0 0 250 38" aria-hidden="true" inner_html=STRIP></svg>
                <h2>{title}</h2>
                <p>{about}</p>
                <pre>{command}</pre>
                <button class="btn fill" on:click=move |_| store.run(line.clone(), button)>
                    <Icon icon=PLAY size="s"/>
                    {button}
                </button>
            </div>
        </div>
    }
}
