//! Parts without a Kafka word.

pub mod each;
pub mod icons;
pub mod splitter;

use leptos::prelude::*;

/// A line icon of [`icons`].
#[component]
pub fn Icon(
    icon: &'static str,
    /// `s` 13 px, `l` 20 px, else 16 px.
    #[prop(default = "")]
    size: &'static str,
) -> impl IntoView {
    view! { <svg class=format!("i {size}") viewBox="0 0 24 24" aria-hidden="true" inner_html=icon></svg> }
}

/// The product's mark: a log.
#[component]
pub fn Mark() -> impl IntoView {
    const MARK: &str = r#"<rect x="1" y="2.5" width="17" height="4"/><rect class="m" x="1" y="8.5" width="23" height="4"/><rect x="1" y="14.5" width="12" height="4"/><path d="M18 8.5v4"/>"#;
    view! { <svg class="mark" viewBox="0 0 26 20" aria-hidden="true" inner_html=MARK></svg> }
}

/// A segmented choice: one of a few.
#[component]
pub fn Choice(
    label: &'static str,
    #[prop(into)] options: Signal<Vec<String>>,
    #[prop(into)] chosen: Signal<Option<usize>>,
    #[prop(into)] choose: Callback<usize>,
) -> impl IntoView {
    view! {
        <span class="seg" role="radiogroup" aria-label=label>
            {move || {
                options
                    .get()
                    .into_iter()
                    .enumerate()
                    .map(|(index, option)| {
                        view! {
                            <button
                                role="radio"
                                aria-checked=move || (chosen.get() == Some(index)).to_string()
                                on:click=move |_| choose.run(index)
                            >
                                {option}
                            </button>
                        }
                    })
                    .collect_view()
            }}
        </span>
    }
}
