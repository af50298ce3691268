//! What a map's entries are seen through.

use std::slice;

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident over $inner:ident gives $item:ty: ($key:ident, $value:ident) => $made:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a, K, V>(pub(super) slice::$inner<'a, (K, V)>);

        impl<'a, K, V> Iterator for $name<'a, K, V> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                let ($key, $value) = self.0.next()?;
                Some($made)
            }

            #[inline]
            fn nth(&mut self, n: usize) -> Option<Self::Item> {
                let ($key, $value) = self.0.nth(n)?;
                Some($made)
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<K, V> DoubleEndedIterator for $name<'_, K, V> {
            #[inline]
            fn next_back(&mut self) -> Option<Self::Item> {
                let ($key, $value) = self.0.next_back()?;
                Some($made)
            }
        }

        impl<K, V> ExactSizeIterator for $name<'_, K, V> {}
    )*};
}

views! {
    /// Keys and values, in the order of the keys.
    Iter over Iter gives (&'a K, &'a V): (key, value) => (key, value);
    /// Keys and values that can be changed, in the order of the keys.
    IterMut over IterMut gives (&'a K, &'a mut V): (key, value) => (&*key, value);
    /// The keys, in order.
    Keys over Iter gives &'a K: (key, _value) => key;
    /// The values, in the order of their keys.
    Values over Iter gives &'a V: (_key, value) => value;
    /// The values, which can be changed, in the order of their keys.
    ValuesMut over IterMut gives &'a mut V: (_key, value) => value;
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Clone for Values<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
