//! The codecs of record batches, in the framing that Kafka's clients write and read.
//!
//! gzip (RFC 1952), snappy in blocks with the xerial header, lz4 frames of independent 64 KiB blocks, zstd frames.
//! zstd can be left out of a build (feature `zstd`): it then answers `UNSUPPORTED_COMPRESSION_TYPE`.
//! Kafka: `CompressionType`, `org.apache.kafka.common.compress`.

use serde::{Deserialize, Serialize};

use super::crc::crc32;
use super::error::LogError;

/// No batch may decompress to more: a batch is limited to `max.message.bytes`, so this only stops bombs.
const DECOMPRESSED_MAX: usize = 256 << 20;

/// How the records of a batch are compressed: the low three bits of its attributes. Kafka: `CompressionType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CompressionType {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl CompressionType {
    pub const fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// As in `compression.type` of a producer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd]
            .into_iter()
            .find(|codec| codec.name() == name)
    }
}

/// Compresses the records of one batch. `gzip_level` is `compression.gzip.level` (1 to 9, -1 for the default); the
/// other codecs have one level here.
pub fn compress(
    codec: CompressionType,
    gzip_level: i32,
    bytes: &[u8],
) -> Result<Vec<u8>, LogError> {
    match codec {
        CompressionType::None => Ok(bytes.to_vec()),
        CompressionType::Gzip => Ok(gzip(gzip_level, bytes)),
        CompressionType::Snappy => snappy(bytes),
        CompressionType::Lz4 => Ok(lz4(bytes)),
        CompressionType::Zstd => zstd::compress(bytes),
    }
}

/// The reverse of [`compress`]; also reads what other implementations of the formats write.
pub fn decompress(codec: CompressionType, bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    match codec {
        CompressionType::None => Ok(bytes.to_vec()),
        CompressionType::Gzip => gunzip(bytes),
        CompressionType::Snappy => unsnappy(bytes),
        CompressionType::Lz4 => unlz4(bytes),
        CompressionType::Zstd => zstd::decompress(bytes),
    }
}

fn broken() -> LogError {
    LogError::invalid_record("Failed to decompress record stream")
}

fn gzip(level: i32, bytes: &[u8]) -> Vec<u8> {
    let level = u8::try_from(level).unwrap_or(6).min(9);
    // Magic, deflate, no flags, no time, no extra flags, operating system unknown: what Java's GZIPOutputStream writes.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, level));
    out.extend(crc32(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    let [0x1f, 0x8b, 8, flags, ..] = *bytes else { return Err(broken()) };
    let mut at = 10;
    if flags & 4 != 0 {
        let length = bytes.get(at..at + 2).ok_or_else(broken)?;
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            let rest = bytes.get(at..).ok_or_else(broken)?;
            at += 1 + rest.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    let end = bytes.len().checked_sub(8).ok_or_else(broken)?;
    let deflated = bytes.get(at..end).ok_or_else(broken)?;
    let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, DECOMPRESSED_MAX)
        .map_err(|_| broken())?;
    let trailer: [&[u8]; 2] = [&crc32(&plain).to_le_bytes(), &(plain.len() as u32).to_le_bytes()];
    if trailer.concat() == bytes[end..] { Ok(plain) } else { Err(broken()) }
}

/// Header of xerial's `SnappyOutputStream`: a magic, then its version and the oldest compatible one.
const XERIAL_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// Block size of `SnappyOutputStream`.
const XERIAL_BLOCK: usize = 32 * 1024;

fn snappy(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    let mut out = XERIAL_HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(XERIAL_BLOCK) {
        let compressed = encoder
            .compress_vec(block)
            .map_err(|_| LogError::invalid_record("Failed to compress records"))?;
        out.extend((compressed.len() as u32).to_be_bytes());
        out.extend(compressed);
    }
    Ok(out)
}

fn unsnappy(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    let mut decoder = snap::raw::Decoder::new();
    let mut out = Vec::new();
    let mut unpack = |block: &[u8]| -> Result<(), LogError> {
        let length = snap::raw::decompress_len(block).map_err(|_| broken())?;
        let start = out.len();
        if start + length > DECOMPRESSED_MAX {
            return Err(broken());
        }
        out.resize(start + length, 0);
        decoder.decompress(block, &mut out[start..]).map(drop).map_err(|_| broken())
    };
    if !bytes.starts_with(&XERIAL_HEADER[..8]) {
        // Some clients write one bare snappy block; Kafka's reader takes that too.
        unpack(bytes)?;
        return Ok(out);
    }
    let mut rest = bytes.get(XERIAL_HEADER.len()..).ok_or_else(broken)?;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        unpack(tail.get(..length).ok_or_else(broken)?)?;
        rest = &tail[length..];
    }
    if rest.is_empty() { Ok(out) } else { Err(broken()) }
}

/// Start of an lz4 frame as Kafka's `Lz4BlockOutputStream` writes it: magic, version 1 with independent blocks and no
/// checksums, blocks of 64 KiB, checksum of the two bytes before.
const LZ4_HEADER: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const LZ4_BLOCK: usize = 64 * 1024;
/// In a block's length: the block is stored as it is, since it would not get smaller.
const LZ4_INCOMPRESSIBLE: u32 = 0x8000_0000;

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut out = LZ4_HEADER.to_vec();
    for block in bytes.chunks(LZ4_BLOCK) {
        let compressed = lz4_flex::block::compress(block);
        let (flag, stored) = if compressed.len() < block.len() {
            (0, &compressed[..])
        } else {
            (LZ4_INCOMPRESSIBLE, block)
        };
        out.extend((stored.len() as u32 | flag).to_le_bytes());
        out.extend(stored);
    }
    out.extend([0; 4]);
    out
}

/// Reads any frame of independent blocks. The frame's own checksums are passed over: the batch's covers these bytes.
fn unlz4(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    let [0x04, 0x22, 0x4d, 0x18, flags, block_size, ..] = *bytes else { return Err(broken()) };
    let (version, independent) = (flags >> 6, flags & 0x20 != 0);
    let has = |bit: u8| usize::from(flags & bit != 0);
    if version != 1 || !independent {
        return Err(broken());
    }
    let block_max = match block_size >> 4 & 7 {
        size @ 4..=7 => 1 << (8 + 2 * size),
        _ => return Err(broken()),
    };
    let mut rest = bytes.get(7 + 8 * has(0x08) + 4 * has(0x01)..).ok_or_else(broken)?;
    let mut out = Vec::new();
    loop {
        let (length, tail) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        let length = u32::from_le_bytes(*length);
        let stored = tail.get(..(length & !LZ4_INCOMPRESSIBLE) as usize).ok_or_else(broken)?;
        if length == 0 {
            break;
        }
        if length & LZ4_INCOMPRESSIBLE != 0 {
            out.extend(stored);
        } else {
            out.extend(lz4_flex::block::decompress(stored, block_max).map_err(|_| broken())?);
        }
        if out.len() > DECOMPRESSED_MAX {
            return Err(broken());
        }
        rest = tail.get(stored.len() + 4 * has(0x10)..).ok_or_else(broken)?;
    }
    Ok(out)
}

#[cfg(feature = "zstd")]
mod zstd {
    use std::io::Read;

    use ruzstd::decoding::StreamingDecoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::{DECOMPRESSED_MAX, LogError, broken};

    pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
        Ok(compress_to_vec(bytes, CompressionLevel::Fastest))
    }

    pub fn decompress(bytes: &[u8]) -> Result<Vec<u8>, LogError> {
        let mut out = Vec::new();
        let decoder = StreamingDecoder::new(bytes).map_err(|_| broken())?;
        decoder.take(DECOMPRESSED_MAX as u64 + 1).read_to_end(&mut out).map_err(|_| broken())?;
        if out.len() > DECOMPRESSED_MAX { Err(broken()) } else { Ok(out) }
    }
}

#[cfg(not(feature = "zstd"))]
mod zstd {
    use super::super::error::{LogError, LogErrorKind};

    fn unsupported() -> LogError {
        LogError::new(
            LogErrorKind::UnsupportedCompressionType,
            "The requesting client does not support the compression type of given partition.",
        )
    }

    pub fn compress(_: &[u8]) -> Result<Vec<u8>, LogError> {
        Err(unsupported())
    }

    pub fn decompress(_: &[u8]) -> Result<Vec<u8>, LogError> {
        Err(unsupported())
    }
}
