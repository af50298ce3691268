//! stub
use crate::ui::store::Store;
use leptos::prelude::*;
pub fn groups(_store: Store) -> impl IntoView {
    view! { <p>"groups"</p> }
}
