//! stub
use leptos::prelude::*;
use crate::ui::store::Store;
pub fn rpcs(_store: Store) -> impl IntoView { view! { <p>"rpcs"</p> } }
