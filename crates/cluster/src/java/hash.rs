//! Java's hash codes.

use crate::types::TopicPartition;

/// `Object.hashCode` of the Java class that a type stands for.
pub trait JavaHash {
    /// The 32-bit hash code, wrapping as Java's arithmetic does.
    fn java_hash(&self) -> i32;
}

impl JavaHash for str {
    /// `String.hashCode`: over UTF-16 units.
    fn java_hash(&self) -> i32 {
        self.encode_utf16()
            .fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
    }
}

impl JavaHash for String {
    fn java_hash(&self) -> i32 {
        self.as_str().java_hash()
    }
}

impl JavaHash for i32 {
    /// `Integer.hashCode`.
    fn java_hash(&self) -> i32 {
        *self
    }
}

impl JavaHash for TopicPartition {
    /// `TopicPartition.hashCode`.
    fn java_hash(&self) -> i32 {
        31i32.wrapping_add(self.partition).wrapping_mul(31).wrapping_add(self.topic.java_hash())
    }
}

impl<T: JavaHash> JavaHash for Option<T> {
    /// `Optional.hashCode`.
    fn java_hash(&self) -> i32 {
        self.as_ref().map_or(0, JavaHash::java_hash)
    }
}

impl<T: JavaHash + ?Sized> JavaHash for &T {
    fn java_hash(&self) -> i32 {
        (**self).java_hash()
    }
}
