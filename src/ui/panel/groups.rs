//! stub
use leptos::prelude::*;
use crate::ui::store::Store;
pub fn groups(_store: Store) -> impl IntoView { view! { <p>"groups"</p> } }
