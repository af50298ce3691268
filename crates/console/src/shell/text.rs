//! Backslash escapes of `echo -e`, `printf` and `$'…'`.

/// The text with its escapes replaced; true if `\c` ended it early. `echo -e` wants octal numbers to begin with 0, others do not.
pub fn unescape(raw: &str, octal: bool) -> (String, bool) {
    let letters: Vec<char> = raw.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        at += 1;
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        let Some(escaped) = letters.get(at).copied() else {
            text.push('\\');
            break;
        };
        at += 1;
        let mut number = |radix: u32, digits_max: usize| {
            let digits: String = letters[at..]
                .iter()
                .take(digits_max)
                .take_while(|digit| digit.is_digit(radix))
                .collect();
            at += digits.len();
            u32::from_str_radix(&digits, radix).ok()
        };
        match escaped {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' => text.push('\x07'),
            'b' => text.push('\x08'),
            'e' | 'E' => text.push('\x1b'),
            'f' => text.push('\x0c'),
            'v' => text.push('\x0b'),
            '\\' => text.push('\\'),
            '"' => text.push('"'),
            'c' => return (text, true),
            '0' => text.extend(char::from_u32(number(8, 3).unwrap_or(0))),
            '1'..='7' if octal => {
                at -= 1;
                let digits: String =
                    letters[at..].iter().take(3).take_while(|digit| digit.is_digit(8)).collect();
                at += digits.len();
                text.extend(u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32));
            }
            'x' => text.extend(number(16, 2).and_then(char::from_u32)),
            'u' => text.extend(number(16, 4).and_then(char::from_u32)),
            'U' => text.extend(number(16, 8).and_then(char::from_u32)),
            other => {
                text.push('\\');
                text.push(other);
            }
        }
    }
    (text, false)
}

/// `printf FORMAT ARGUMENTS`: the text, and whether an argument was no number.
pub fn printf(format: &str, arguments: &[String]) -> Result<(String, Vec<String>), String> {
    let (format, _) = unescape(&format.replace("%%", "%\u{0}"), true);
    let letters: Vec<char> = format.chars().collect();
    let mut text = String::new();
    let mut complaints = Vec::new();
    let mut rest = arguments.iter();
    loop {
        let before = rest.len();
        let mut at = 0;
        while let Some(letter) = letters.get(at).copied() {
            at += 1;
            if letter != '%' {
                text.push(letter);
                continue;
            }
            if letters.get(at) == Some(&'\0') {
                text.push('%');
                at += 1;
                continue;
            }
            let mut left = false;
            let mut zero = false;
            let mut plus = false;
            while let Some(flag) = letters.get(at).filter(|flag| "-0+ #".contains(**flag)) {
                left |= *flag == '-';
                zero |= *flag == '0';
                plus |= *flag == '+';
                at += 1;
            }
            let mut number = |at: &mut usize| {
                if letters.get(*at) == Some(&'*') {
                    *at += 1;
                    return rest.next().and_then(|value| value.parse().ok());
                }
                let digits: String =
                    letters[*at..].iter().take_while(|digit| digit.is_ascii_digit()).collect();
                *at += digits.len();
                digits.parse::<usize>().ok()
            };
            let width = number(&mut at).unwrap_or(0).min(10_000);
            let precision = if letters.get(at) == Some(&'.') {
                at += 1;
                Some(number(&mut at).unwrap_or(0))
            } else {
                None
            };
            let Some(kind) = letters.get(at).copied() else {
                return Err("`%': missing format character".to_owned());
            };
            at += 1;
            let argument = rest.next();
            let given = argument.map(String::as_str).unwrap_or_default();
            let mut stop = false;
            let shown = match kind {
                's' => match precision {
                    Some(precision) => given.chars().take(precision).collect(),
                    None => given.to_owned(),
                },
                'b' => {
                    let (shown, ends) = unescape(given, true);
                    stop = ends;
                    shown
                }
                'q' => quote(given),
                'c' => given.chars().take(1).collect(),
                'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                    let value = match super::arithmetic::literal(given.trim()) {
                        Some(value) => value,
                        None if given.is_empty() => 0,
                        None => {
                            complaints.push(format!("{given}: invalid number"));
                            0
                        }
                    };
                    match kind {
                        'x' => format!("{value:x}"),
                        'X' => format!("{value:X}"),
                        'o' => format!("{value:o}"),
                        _ if plus && value >= 0 => format!("+{value}"),
                        _ => value.to_string(),
                    }
                }
                'f' | 'g' | 'e' => decimal(given, precision.unwrap_or(6)),
                other => return Err(format!("`{other}': invalid format character")),
            };
            let missing = width.saturating_sub(shown.chars().count());
            let zero = zero && !left && !matches!(kind, 's' | 'b' | 'c' | 'q');
            if left {
                text.push_str(&shown);
                text.extend(std::iter::repeat_n(' ', missing));
            } else if zero && shown.starts_with(['-', '+']) {
                text.push_str(&shown[..1]);
                text.extend(std::iter::repeat_n('0', missing));
                text.push_str(&shown[1..]);
            } else {
                text.extend(std::iter::repeat_n(if zero { '0' } else { ' ' }, missing));
                text.push_str(&shown);
            }
            if stop {
                return Ok((text, complaints));
            }
        }
        if rest.len() == 0 || rest.len() == before {
            return Ok((text, complaints));
        }
    }
}

/// A decimal number with so many places, rounded half up, without floating point.
pub fn decimal(given: &str, places: usize) -> String {
    let (sign, digits) = match given.trim().strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", given.trim()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = places.min(18);
    let mut value: u128 = 0;
    for (index, digit) in whole
        .chars()
        .chain(fraction.chars().chain(std::iter::repeat('0')).take(places + 1))
        .enumerate()
    {
        let Some(digit) = digit.to_digit(10).filter(|_| index < 36) else { break };
        value = value * 10 + u128::from(digit);
    }
    let value = (value + 5) / 10;
    let unit = 10u128.pow(places as u32);
    if places == 0 {
        return format!("{sign}{value}");
    }
    format!("{sign}{}.{:0places$}", value / unit, value % unit)
}

/// A word quoted so that a shell reads it back as it is.
pub fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
