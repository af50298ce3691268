use leptos::prelude::*;
pub fn legend() -> impl IntoView {
    view! { <p>"legend"</p> }
}
