//! The two checksums of record batches: CRC-32C over the batch, CRC-32 inside gzip.
//!
//! Slicing by eight, portable. Own code because the crates that do CRC-32C fast bring intrinsics (`unsafe`) or put
//! 16 KiB of tables into the wasm; ours are computed at first use.

use std::sync::OnceLock;

type Tables = [[u32; 256]; 8];

/// CRC-32C (Castagnoli), the checksum of record batch v2. Kafka: `Crc32C`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    static TABLES: OnceLock<Box<Tables>> = OnceLock::new();
    checksum(TABLES.get_or_init(|| tables(0x82f6_3b78)), bytes)
}

/// CRC-32 (IEEE 802.3), the checksum in a gzip trailer.
pub fn crc32(bytes: &[u8]) -> u32 {
    static TABLES: OnceLock<Box<Tables>> = OnceLock::new();
    checksum(TABLES.get_or_init(|| tables(0xedb8_8320)), bytes)
}

/// Tables for one reflected polynomial: row `n` advances a byte by `n` further bytes.
fn tables(polynomial: u32) -> Box<Tables> {
    let mut tables = Box::new([[0u32; 256]; 8]);
    for index in 0..256usize {
        let mut value = index as u32;
        for _ in 0..8 {
            value = if value & 1 == 1 { (value >> 1) ^ polynomial } else { value >> 1 };
        }
        tables[0][index] = value;
    }
    for row in 1..8 {
        for index in 0..256 {
            let previous = tables[row - 1][index];
            tables[row][index] = (previous >> 8) ^ tables[0][(previous & 0xff) as usize];
        }
    }
    tables
}

fn checksum(tables: &Tables, bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let low = crc ^ u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        let high = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        crc = tables[7][(low & 0xff) as usize]
            ^ tables[6][(low >> 8 & 0xff) as usize]
            ^ tables[5][(low >> 16 & 0xff) as usize]
            ^ tables[4][(low >> 24) as usize]
            ^ tables[3][(high & 0xff) as usize]
            ^ tables[2][(high >> 8 & 0xff) as usize]
            ^ tables[1][(high >> 16 & 0xff) as usize]
            ^ tables[0][(high >> 24) as usize];
    }
    for byte in chunks.remainder() {
        crc = (crc >> 8) ^ tables[0][((crc ^ u32::from(*byte)) & 0xff) as usize];
    }
    !crc
}
