//! Keyed patches: what changed between two read models, and how to change it again.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

/// What changed in one keyed collection: entries that are new or different, and keys that are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch<K, V> {
    pub set: Vec<(K, V)>,
    pub removed: Vec<K>,
}

impl<K, V> Default for Patch<K, V> {
    fn default() -> Self {
        Self { set: Vec::new(), removed: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Patch<K, V> {
    /// The patch that turns `before` into `after`.
    pub fn between(before: &SortedMap<K, V>, after: &SortedMap<K, V>) -> Self {
        Self {
            set: after
                .iter()
                .filter(|(key, value)| before.get(key) != Some(value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            removed: before.keys().filter(|key| !after.contains_key(key)).cloned().collect(),
        }
    }

    /// Changes `map` as the patch says.
    pub fn apply(self, map: &mut SortedMap<K, V>) {
        for key in self.removed {
            map.remove(&key);
        }
        map.extend(self.set);
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

/// A read model that can say how it differs from an earlier state of itself.
pub trait Model: Clone + Default + PartialEq {
    type Delta: Default;
    /// What turns `self` into `next`; `None` if they are equal.
    fn diff(&self, next: &Self) -> Option<Self::Delta>;
    /// Changes `self` as the delta says.
    fn apply(&mut self, delta: Self::Delta);
}

/// Declares a read model and its delta: `maps` are patched by key, `values` are replaced as a whole.
macro_rules! model {
    (
        $(#[$doc:meta])* pub struct $view:ident delta $delta:ident {
            maps { $( $(#[$map_doc:meta])* $map:ident: $key:ty => $entry:ty, )* }
            values { $( $(#[$value_doc:meta])* $value:ident: $type:ty, )* }
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $view {
            $( $(#[$map_doc])* pub $map: simulation::sorted::SortedMap<$key, $entry>, )*
            $( $(#[$value_doc])* pub $value: $type, )*
        }

        #[doc = concat!("What changed in a [`", stringify!($view), "`].")]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $delta {
            $( $(#[$map_doc])* pub $map: $crate::view::Patch<$key, $entry>, )*
            $( $(#[$value_doc])* pub $value: Option<$type>, )*
        }

        impl $crate::view::Model for $view {
            type Delta = $delta;
            fn diff(&self, next: &Self) -> Option<$delta> {
                let delta = $delta {
                    $( $map: $crate::view::Patch::between(&self.$map, &next.$map), )*
                    $( $value: (self.$value != next.$value).then(|| next.$value.clone()), )*
                };
                let empty = true $( && delta.$map.is_empty() )* $( && delta.$value.is_none() )*;
                (!empty).then_some(delta)
            }
            fn apply(&mut self, delta: $delta) {
                $( delta.$map.apply(&mut self.$map); )*
                $( if let Some(value) = delta.$value { self.$value = value; } )*
            }
        }
    };
}
pub(crate) use model;
