//! How a message is defined: once, as data. `message!` makes the struct and the list of its fields from one text,
//! so that the inspector (and later an encoder for real clients) reads the same definition as the code.

/// A field of a message: its name as Kafka's schema spells it (in snake case here) and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: &'static str,
}

/// A struct whose fields are known as data.
pub trait Described {
    const FIELDS: &'static [Field];
}

macro_rules! message {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $kind:ty),* $(,)? })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            pub struct $name { $($(#[$field_meta])* pub $field: $kind),* }
            impl $crate::protocol::message::Described for $name {
                const FIELDS: &'static [$crate::protocol::message::Field] =
                    &[$($crate::protocol::message::Field { name: stringify!($field), kind: stringify!($kind) }),*];
            }
        )*
    };
}
pub(crate) use message;
