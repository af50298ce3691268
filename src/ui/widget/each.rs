//! Keyed lists, compiled once.

use std::hash::{DefaultHasher, Hash, Hasher};

use leptos::prelude::*;

/// An item before it has a view: only new ones get one.
struct Item {
    /// The hash of its key.
    key: u64,
    view: Box<dyn FnOnce() -> AnyView + Send>,
}

/// Leptos' `For`, with the same properties: a view for each item, kept as long as its key is there. `For` brings about
/// 8 kB of wasm for each place that uses it; here all lists share one.
#[component]
pub fn Each<I, T, V, K>(
    /// The items.
    each: impl Fn() -> I + Send + Sync + 'static,
    /// What tells items apart.
    key: impl Fn(&T) -> K + Send + Sync + 'static,
    /// The view of an item.
    children: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    I: IntoIterator<Item = T> + 'static,
    T: Send + 'static,
    V: IntoView + 'static,
    K: Hash + 'static,
{
    list(Box::new(move || {
        each()
            .into_iter()
            .map(|item| {
                let mut hasher = DefaultHasher::new();
                key(&item).hash(&mut hasher);
                let children = children.clone();
                Item { key: hasher.finish(), view: Box::new(move || children(item).into_any()) }
            })
            .collect()
    }))
}

fn list(items: Box<dyn Fn() -> Vec<Item> + Send + Sync>) -> AnyView {
    view! { <For each=items key=|item| item.key children=|item: Item| (item.view)()/> }.into_any()
}
