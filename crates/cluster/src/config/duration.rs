//! ISO 8601 durations such as `P1DT2H3.5S`. Java: `Duration.parse`.

/// Reads a duration in milliseconds, rounded towards the past; none if the text is no duration or too long.
pub fn parse(text: &str) -> Option<i64> {
    let nanos = parse_nanos(text)?;
    i64::try_from(nanos.div_euclid(1_000_000)).ok()
}

fn parse_nanos(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let upper = text.to_ascii_uppercase();
    let (negative, rest) = match upper.as_bytes().first()? {
        b'-' => (true, &upper[1..]),
        b'+' => (false, &upper[1..]),
        _ => (false, upper.as_str()),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let mut total: i128 = 0;
    let mut any = false;
    if !date.is_empty() {
        total += whole(date.strip_suffix('D')?)? * 86_400 * SECOND;
        any = true;
    }
    if let Some(mut time) = time {
        if time.is_empty() {
            return None;
        }
        for (unit, seconds) in [('H', 3_600), ('M', 60)] {
            if let Some((count, rest)) = time.split_once(unit) {
                total += whole(count)? * seconds * SECOND;
                time = rest;
                any = true;
            }
        }
        if !time.is_empty() {
            let seconds = time.strip_suffix('S')?;
            let (count, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
            let sign = if count.starts_with('-') { -1 } else { 1 };
            if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total +=
                whole(count)? * SECOND + sign * format!("{fraction:0<9}").parse::<i128>().ok()?;
            any = true;
        }
    }
    any.then_some(if negative { -total } else { total })
}

/// An optional sign and digits, within Java's `long`.
fn whole(text: &str) -> Option<i128> {
    text.parse::<i64>().ok().map(i128::from)
}
