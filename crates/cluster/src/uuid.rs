//! Kafka's 128-bit ids: topics, directories, incarnations. Kafka: `org.apache.kafka.common.Uuid`.

use std::fmt;

use serde::{Deserialize, Serialize};
use simulation::Draw;

use crate::java::JavaHash;

/// 128 bits, shown as 22 characters of URL-safe base64. Ordered as Kafka's `compareTo`: both halves signed.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Uuid {
    most_significant_bits: i64,
    least_significant_bits: i64,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Longest text that is decoded at all: 22 characters and two of padding.
const MAX_TEXT: usize = 24;

impl Uuid {
    /// "No id": also `DirectoryId.MIGRATING`.
    pub const ZERO: Self = Self::new(0, 0);
    /// The metadata topic's id; never drawn.
    pub const ONE: Self = Self::new(0, 1);
    /// The id of `__cluster_metadata`.
    pub const METADATA_TOPIC_ID: Self = Self::ONE;

    /// From the two halves, as Java's constructor.
    pub const fn new(most_significant_bits: i64, least_significant_bits: i64) -> Self {
        Self { most_significant_bits, least_significant_bits }
    }

    pub const fn most_significant_bits(self) -> i64 {
        self.most_significant_bits
    }

    pub const fn least_significant_bits(self) -> i64 {
        self.least_significant_bits
    }

    /// Whether Kafka never gives this id to anything.
    pub const fn is_reserved(self) -> bool {
        self.most_significant_bits == 0 && matches!(self.least_significant_bits, 0 | 1)
    }

    /// A random (version 4) id as Kafka draws it: never a reserved one, and never one whose text begins
    /// with a dash, which command lines would take for an option.
    pub fn random(draw: &mut impl Draw) -> Self {
        loop {
            let mut half =
                || (0..4).fold(0u64, |bits, _| bits << 16 | u64::from(draw.next_int(1 << 16)));
            let most = half() & !0xf000 | 0x4000;
            let least = half() & !(0b11 << 62) | 0b10 << 62;
            let uuid = Self::new(most as i64, least as i64);
            if !uuid.is_reserved() && most >> 58 != 0b11_1110 {
                return uuid;
            }
        }
    }

    /// Reads the base64 form; the error is the text of Kafka's `IllegalArgumentException`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.encode_utf16().count() > MAX_TEXT {
            let prefix: String = text.chars().take(MAX_TEXT).collect();
            return Err(format!(
                "Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID"
            ));
        }
        let bytes = decode_base64_url(text)?;
        let Ok(bytes) = <[u8; 16]>::try_from(bytes.as_slice()) else {
            return Err(format!(
                "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID",
                bytes.len()
            ));
        };
        let bits = u128::from_be_bytes(bytes);
        Ok(Self::new((bits >> 64) as i64, bits as i64))
    }

    fn bits(self) -> u128 {
        u128::from(self.most_significant_bits as u64) << 64
            | u128::from(self.least_significant_bits as u64)
    }

    /// The form of `java.util.UUID`: 32 hex digits with dashes, as in member ids.
    pub fn hyphenated(self) -> String {
        let bits = self.bits();
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bits();
        for sextet in 0..22u32 {
            // The last character holds the two bits that remain, and four zeros.
            let index = if sextet < 21 { bits >> (122 - 6 * sextet) } else { bits << 4 };
            fmt::Write::write_char(f, char::from(ALPHABET[(index & 63) as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl JavaHash for Uuid {
    fn java_hash(&self) -> i32 {
        let folded = self.most_significant_bits ^ self.least_significant_bits;
        (folded >> 32) as i32 ^ folded as i32
    }
}

/// `java.util.Base64`'s URL decoder with its messages.
fn decode_base64_url(text: &str) -> Result<Vec<u8>, String> {
    // Java takes the text as ISO 8859-1: what does not fit there is a question mark.
    let source: Vec<u8> =
        text.encode_utf16().map(|unit| u8::try_from(unit).unwrap_or(b'?')).collect();
    if source.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".into());
    }
    let mut bytes = Vec::with_capacity(18);
    let (mut bits, mut shift, mut at) = (0u32, 18i32, 0);
    while at < source.len() {
        let byte = source[at];
        at += 1;
        if byte == b'=' {
            let unpaired = shift == 6 && {
                let missing = source.get(at) != Some(&b'=');
                at += 1;
                missing
            };
            if unpaired || shift == 18 {
                return Err("Input byte array has wrong 4-byte ending unit".into());
            }
            break;
        }
        let Some(value) = ALPHABET.iter().position(|letter| *letter == byte) else {
            let signed = i32::from(byte as i8);
            let sign = if signed < 0 { "-" } else { "" };
            return Err(format!("Illegal base64 character {sign}{:x}", signed.unsigned_abs()));
        };
        bits |= (value as u32) << shift;
        shift -= 6;
        if shift < 0 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, shift) = (0, 18);
        }
    }
    match shift {
        6 => bytes.push((bits >> 16) as u8),
        0 => bytes.extend_from_slice(&bits.to_be_bytes()[1..3]),
        12 => return Err("Last unit does not have enough valid bits".into()),
        _ => {}
    }
    if at < source.len() {
        return Err(format!("Input byte array has incorrect ending byte at {at}"));
    }
    Ok(bytes)
}
