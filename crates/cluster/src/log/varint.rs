//! Variable-length integers as record batches use them: zig-zag for signed values, seven bits a byte, low bits first.
//!
//! Kafka: `ByteUtils.writeVarint`, `writeVarlong`, `writeUnsignedVarint`.

/// Appends `value` zig-zag encoded, one to five bytes.
pub fn write_varint(out: &mut Vec<u8>, value: i32) {
    write_unsigned_varint(out, zigzag(value));
}

/// Appends `value` zig-zag encoded, one to ten bytes.
pub fn write_varlong(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends `value` without zig-zag, one to five bytes.
pub fn write_unsigned_varint(out: &mut Vec<u8>, value: u32) {
    let mut rest = value;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Bytes that [`write_varint`] writes.
pub const fn size_of_varint(value: i32) -> u32 {
    size_of_unsigned_varint(zigzag(value))
}

/// Bytes that [`write_varlong`] writes.
pub const fn size_of_varlong(value: i64) -> u32 {
    let bits = 64 - (((value << 1) ^ (value >> 63)) as u64 | 1).leading_zeros();
    bits.div_ceil(7)
}

/// Bytes that [`write_unsigned_varint`] writes.
pub const fn size_of_unsigned_varint(value: u32) -> u32 {
    (32 - (value | 1).leading_zeros()).div_ceil(7)
}

/// Reads a zig-zag `i32` at `*at` and moves `at` behind it; `None` if the bytes end or the number has more than 32 bits.
#[inline]
pub fn read_varint(bytes: &[u8], at: &mut usize) -> Option<i32> {
    let raw = read_unsigned_varint(bytes, at)?;
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Reads a zig-zag `i64` at `*at`, like [`read_varint`].
#[inline]
pub fn read_varlong(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut raw = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        raw |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((raw >> 1) as i64 ^ -((raw & 1) as i64));
        }
    }
    None
}

/// Reads an unsigned `u32` at `*at`, like [`read_varint`].
#[inline]
pub fn read_unsigned_varint(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let mut raw = 0u32;
    for shift in (0..32).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        raw |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(raw);
        }
    }
    None
}

const fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}
