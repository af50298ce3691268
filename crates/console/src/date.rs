//! Calendar arithmetic on virtual time, UTC.

/// A moment as a calendar shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub millisecond: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 to 366.
    pub day_of_year: u32,
}

/// Days since 1970-01-01 of a date (Howard Hinnant's `days_from_civil`).
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year =
        i64::from((153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The calendar's view of milliseconds since 1970, UTC.
pub fn civil(epoch_ms: u64) -> Civil {
    let seconds = epoch_ms / 1000;
    let days = (seconds / 86_400) as i64;
    let of_day = (seconds % 86_400) as u32;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_shifted =
        (day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)) as u32;
    let index = (5 * day_of_shifted + 2) / 153;
    let day = day_of_shifted - (153 * index + 2) / 5 + 1;
    let month = if index < 10 { index + 3 } else { index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
        millisecond: (epoch_ms % 1000) as u32,
        weekday: (days + 4).rem_euclid(7) as u32,
        day_of_year: (days - days_from_civil(year, 1, 1)) as u32 + 1,
    }
}

/// log4j's `%d`: `2026-11-21 22:39:12,358`.
pub fn log4j_time(epoch_ms: u64) -> String {
    let at = civil(epoch_ms);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03}",
        at.year, at.month, at.day, at.hour, at.minute, at.second, at.millisecond
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        for (epoch_ms, text, weekday, day) in [
            (0, "1970-01-01 00:00:00,000", 4, 1),
            (951_782_400_123, "2000-02-29 00:00:00,123", 2, 60),
            (1_795_300_752_358, "2026-11-21 22:39:12,358", 6, 325),
        ] {
            assert_eq!(log4j_time(epoch_ms), text);
            let at = civil(epoch_ms);
            assert_eq!((at.weekday, at.day_of_year), (weekday, day));
            assert_eq!(days_from_civil(at.year, at.month, at.day), (epoch_ms / 86_400_000) as i64);
        }
    }
}
