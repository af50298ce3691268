//! What the page remembers about itself, in this browser: theme, sizes, motion, keys.

use leptos::prelude::*;

use crate::browser::dom;

/// A theme, or the system's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Auto,
    Light,
    Dark,
    Contrast,
    Projector,
}

impl Theme {
    pub const ALL: [Self; 5] =
        [Self::Auto, Self::Light, Self::Dark, Self::Contrast, Self::Projector];

    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
            Self::Projector => "projector",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The theme that is drawn.
    fn resolved(self) -> Self {
        match self {
            Self::Auto if dom::matches_media("(prefers-contrast: more)") => Self::Contrast,
            Self::Auto if dom::matches_media("(prefers-color-scheme: dark)") => Self::Dark,
            Self::Auto => Self::Light,
            chosen => chosen,
        }
    }
}

/// How much of the narrative a screen reader is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    All,
    Important,
    Off,
}

/// The preferences, as signals; a change is kept at once.
#[derive(Clone, Copy)]
pub struct Preferences {
    pub theme: RwSignal<Theme>,
    pub console_open: RwSignal<bool>,
    /// CSS pixels; `None` is the design's own.
    pub console_height: RwSignal<Option<u32>>,
    pub drawer_width: RwSignal<Option<u32>>,
    pub less_motion: RwSignal<bool>,
    /// Keys of one letter act (WCAG 2.1.4 wants a switch).
    pub single_keys: RwSignal<bool>,
    pub announce: RwSignal<Announce>,
    /// The invitation was closed.
    pub invited: RwSignal<bool>,
}

impl Preferences {
    /// What this browser remembers.
    pub fn load() -> Self {
        let is = |name: &str, value: &str| dom::preference(name).as_deref() == Some(value);
        let size = |name: &str| dom::preference(name).and_then(|text| text.parse().ok());
        Self {
            theme: RwSignal::new(
                dom::preference("theme")
                    .and_then(|name| Theme::named(&name))
                    .unwrap_or(Theme::Auto),
            ),
            console_open: RwSignal::new(!is("console", "closed")),
            console_height: RwSignal::new(size("console-height")),
            drawer_width: RwSignal::new(size("drawer-width")),
            less_motion: RwSignal::new(is("motion", "less")),
            single_keys: RwSignal::new(!is("keys", "off")),
            announce: RwSignal::new(match dom::preference("announce").as_deref() {
                Some("all") => Announce::All,
                Some("off") => Announce::Off,
                _ => Announce::Important,
            }),
            invited: RwSignal::new(is("invitation", "closed")),
        }
    }

    /// Whether anything may travel across the page.
    pub fn still(self) -> bool {
        self.less_motion.get() || dom::matches_media("(prefers-reduced-motion: reduce)")
    }

    /// Puts the preferences into effect and keeps them, now and on each change.
    pub fn apply(self, presenting: RwSignal<bool>) {
        let system = RwSignal::new(0);
        for query in ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"] {
            dom::watch_media(query, move || system.update(|changes| *changes += 1));
        }
        Effect::new(move || {
            system.track();
            let theme = self.theme.get();
            dom::keep_preference("theme", theme.name());
            let drawn = if presenting.get() { Theme::Projector } else { theme.resolved() };
            dom::set_root_attribute("data-theme", drawn.name());
        });
        Effect::new(move || {
            dom::keep_preference(
                "console",
                if self.console_open.get() { "open" } else { "closed" },
            );
        });
        Effect::new(move || {
            let less = self.less_motion.get();
            dom::keep_preference("motion", if less { "less" } else { "full" });
            dom::set_root_attribute("data-motion", if less { "less" } else { "full" });
        });
        Effect::new(move || {
            dom::keep_preference("keys", if self.single_keys.get() { "on" } else { "off" })
        });
        Effect::new(move || {
            dom::keep_preference("invitation", if self.invited.get() { "closed" } else { "open" })
        });
        Effect::new(move || {
            let name = match self.announce.get() {
                Announce::All => "all",
                Announce::Important => "important",
                Announce::Off => "off",
            };
            dom::keep_preference("announce", name);
        });
        let size = |signal: RwSignal<Option<u32>>, name: &'static str| {
            Effect::new(move || {
                if let Some(size) = signal.get() {
                    dom::keep_preference(name, &size.to_string());
                }
            });
        };
        size(self.console_height, "console-height");
        size(self.drawer_width, "drawer-width");
    }
}
