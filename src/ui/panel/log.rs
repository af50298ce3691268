//! stub
use leptos::prelude::*;
use crate::ui::store::Store;
pub fn log(_store: Store) -> impl IntoView { view! { <p>"log"</p> } }
