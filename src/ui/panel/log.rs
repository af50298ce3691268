//! stub
use crate::ui::store::Store;
use leptos::prelude::*;
pub fn log(_store: Store) -> impl IntoView {
    view! { <p>"log"</p> }
}
