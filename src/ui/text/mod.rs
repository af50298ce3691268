//! How numbers, times and sizes read (ui.md §7): thin-spaced groups, units with a space.

use playground::seam::{Micros, Speed};

/// `1 204`, with a space that does not break (a thin one is lost in the mono font).
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    if value < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// `00:04:12.380`.
pub fn clock(time: Micros) -> String {
    let ms = time.as_ms();
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
}

/// `04:12.380`, or with hours where there are any.
pub fn time(time: Micros) -> String {
    let ms = time.as_ms();
    if ms >= 3_600_000 {
        return clock(time);
    }
    format!("{:02}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000)
}

/// `04:12.3`, for narrow places.
pub fn short_time(time: Micros) -> String {
    let ms = time.as_ms();
    format!("{:02}:{:02}.{}", ms / 60_000, ms / 1_000 % 60, ms % 1_000 / 100)
}

/// A span: `0.3 s`, `12 s`, `4 min`, `2 h`.
pub fn span(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// `61 kB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{} B", number(count as i64)),
        10_000..10_000_000 => format!("{} kB", number((count / 1_000) as i64)),
        _ => format!("{} MB", number((count / 1_000_000) as i64)),
    }
}

/// `1×`, `0.1×`, `max`.
pub fn speed(speed: Speed) -> String {
    match speed {
        Speed::MAX => "max".into(),
        Speed(milli) if milli % 1_000 == 0 => format!("{}×", milli / 1_000),
        Speed(milli) if milli % 100 == 0 => format!("{}.{}×", milli / 1_000, milli % 1_000 / 100),
        Speed(milli) if milli % 10 == 0 => format!("{}.{:02}×", milli / 1_000, milli % 1_000 / 10),
        Speed(milli) => format!("{}.{:03}×", milli / 1_000, milli % 1_000),
    }
}

/// `1 broker`, `3 brokers`.
pub fn count(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// The first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
