//! stub
use crate::ui::store::Store;
use leptos::prelude::*;
pub fn rpcs(_store: Store) -> impl IntoView {
    view! { <p>"rpcs"</p> }
}
