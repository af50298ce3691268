//! The primitive types of Kafka's wire format, for what is stored or sent as bytes within messages.

use crate::types::Bytes;

/// Big-endian fields one after the other, as Kafka's generated messages write them.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(version: i16) -> Self {
        Self(version.to_be_bytes().to_vec())
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.0.extend(value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.0.extend(value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.0.extend(value.to_be_bytes());
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.i16(text.len() as i16);
        self.0.extend(text.as_bytes());
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.i16(-1),
        }
    }

    pub(crate) fn compact_string(&mut self, text: &str) {
        let mut length = text.len() as u32 + 1;
        while length >= 0x80 {
            self.0.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.0.push(length as u8);
        self.0.extend(text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.i32(bytes.len() as i32);
        self.0.extend(bytes);
    }

    /// Bytes that may be absent: length -1.
    pub(crate) fn nullable_bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.i32(-1),
        }
    }

    pub(crate) fn finish(self) -> Bytes {
        self.0.into()
    }
}

/// Reads what [`Writer`] writes; none at the first byte that is missing.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(crate) fn unsigned_varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        self.nullable_string()?
    }

    /// The outer none is "not readable", the inner one "null".
    #[allow(clippy::option_option)]
    pub(crate) fn nullable_string(&mut self) -> Option<Option<String>> {
        let length = self.i16()?;
        if length < 0 {
            return Some(None);
        }
        Some(Some(String::from_utf8(self.take(length as usize)?.to_vec()).ok()?))
    }

    pub(crate) fn compact_string(&mut self) -> Option<String> {
        let length = self.unsigned_varint()?.checked_sub(1)?;
        String::from_utf8(self.take(length as usize)?.to_vec()).ok()
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.i32()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// The outer none is "not readable", the inner one "null".
    #[allow(clippy::option_option)]
    pub(crate) fn nullable_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        let length = self.i32()?;
        if length < 0 {
            return Some(None);
        }
        Some(Some(self.take(length as usize)?))
    }
}
