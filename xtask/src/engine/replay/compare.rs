//! Whether what came out is what the real tool printed. The rules are those of the recordings, all of them and no others.

use fancy_regex::NoExpand;

use super::scenario::{Mask, Output, Rules};

/// What differs; empty if nothing does.
pub fn differences(
    rules: &Rules,
    masks: &[Mask],
    expected: (&Output, Option<i32>),
    actual: (&Output, Option<i32>),
) -> Vec<String> {
    let mut found = Vec::new();
    let (expected, expected_exit) = expected;
    let (actual, actual_exit) = actual;
    for (stream, expected, actual) in
        [("stdout", &expected.stdout, &actual.stdout), ("stderr", &expected.stderr, &actual.stderr)]
    {
        let help_cut = rules.help_elided.as_deref() == Some(stream);
        let prepared = |text: &str| prepare(text, rules, masks, help_cut);
        let (expected, actual) = (prepared(expected), prepared(actual));
        let equal = if help_cut {
            // The usage table was cut: it must start alike, and something must follow.
            actual.starts_with(&expected) && actual.len() > expected.len()
        } else {
            expected == actual
        };
        if !equal {
            found.push(format!("{stream}:\n{}", diff(&expected, &actual)));
        }
    }
    if expected_exit.is_some() && expected_exit != actual_exit {
        found.push(format!("exit: expected {expected_exit:?}, was {actual_exit:?}"));
    }
    found
}

/// Both sides go through this: drop traces, mask, squeeze, sort, in this order.
fn prepare(text: &str, rules: &Rules, masks: &[Mask], help_cut: bool) -> String {
    let mut text = text.to_owned();
    if rules.trace_elided {
        text = text.split_inclusive('\n').filter(|line| !is_trace_line(line)).collect();
    }
    for mask in masks {
        text = mask.pattern.replace_all(&text, NoExpand(&mask.replacement)).into_owned();
    }
    if rules.repeats_cut {
        text = squeeze(&text);
    }
    if rules.unordered && !help_cut {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        text = lines.join("\n");
    }
    text
}

fn is_trace_line(line: &str) -> bool {
    let more = line
        .trim_start()
        .strip_prefix("... ")
        .and_then(|rest| rest.trim_end().strip_suffix(" more"));
    line.starts_with("\tat ")
        || line.starts_with("Caused by: ")
        || more.is_some_and(|count| count.chars().all(|digit| digit.is_ascii_digit()))
}

/// Leaves one of each run of lines that are equal but for numbers.
fn squeeze(text: &str) -> String {
    let shape = |line: &str| {
        let mut shape = String::new();
        let mut in_number = false;
        for letter in line.chars() {
            let digit = letter.is_ascii_digit();
            if !(digit && in_number) {
                shape.push(if digit { '0' } else { letter });
            }
            in_number = digit;
        }
        shape
    };
    let mut squeezed = String::new();
    let mut before = None;
    for line in text.split_inclusive('\n') {
        let this = shape(line);
        if before.as_ref() != Some(&this) {
            squeezed.push_str(&this);
        }
        before = Some(this);
    }
    squeezed
}

/// The first line that differs, with its neighbours.
fn diff(expected: &str, actual: &str) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) =
        (expected.split('\n').collect(), actual.split('\n').collect());
    let same = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let mut text = format!("    line {}\n", same + 1);
    for (mark, lines) in [('-', &left), ('+', &right)] {
        for line in lines.iter().skip(same).take(4) {
            text.push_str(&format!("    {mark}{line:?}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str) -> Output {
        Output { stdout: stdout.to_owned(), stderr: String::new() }
    }

    fn equal(rules: &Rules, masks: &[Mask], expected: &str, actual: &str) -> bool {
        differences(rules, masks, (&output(expected), Some(0)), (&output(actual), Some(0)))
            .is_empty()
    }

    #[test]
    fn a_wrong_byte_fails() {
        let rules = Rules::default();
        assert!(equal(&rules, &[], "Created topic orders.\n", "Created topic orders.\n"));
        for wrong in [
            "Created topic orders.",
            "Created topic orders.\n\n",
            "created topic orders.\n",
            "Created topic orders. \n",
            "",
        ] {
            assert!(!equal(&rules, &[], "Created topic orders.\n", wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_exit_code_or_stream_fails() {
        let rules = Rules::default();
        let text = output("x\n");
        assert!(!differences(&rules, &[], (&text, Some(0)), (&text, Some(1))).is_empty());
        assert!(!differences(&rules, &[], (&text, Some(0)), (&text, None)).is_empty());
        assert!(differences(&rules, &[], (&text, None), (&text, Some(1))).is_empty());
        let moved = Output { stdout: String::new(), stderr: "x\n".to_owned() };
        assert_eq!(differences(&rules, &[], (&text, Some(0)), (&moved, Some(0))).len(), 2);
    }

    #[test]
    fn masks_apply_to_both_sides_in_order() {
        let mask = |pattern: &str, replacement: &str| Mask {
            pattern: fancy_regex::Regex::new(pattern).expect("a pattern"),
            replacement: replacement.to_owned(),
        };
        let masks = [mask(r"(?<=id )\d+", "<N>"), mask("<N>", "$0")];
        assert!(equal(&Rules::default(), &masks, "id 17 a\n", "id 4 a\n"));
        assert!(!equal(&Rules::default(), &masks, "id 17 a\n", "id 4 b\n"));
        assert!(!equal(&Rules::default(), &masks, "id 17 a\n", "no 4 a\n"));
    }

    #[test]
    fn cut_help_must_start_alike_and_go_on() {
        let rules = Rules { help_elided: Some("stdout".to_owned()), ..Rules::default() };
        assert!(equal(&rules, &[], "purpose\n", "purpose\nOption\n"));
        assert!(!equal(&rules, &[], "purpose\n", "purpose\n"));
        assert!(!equal(&rules, &[], "purpose\n", "Purpose\nOption\n"));
    }

    #[test]
    fn unordered_lines_are_a_multiset() {
        let rules = Rules { unordered: true, ..Rules::default() };
        assert!(equal(&rules, &[], "a\nb\n", "b\na\n"));
        assert!(!equal(&rules, &[], "a\nb\n", "b\na\na\n"));
    }

    #[test]
    fn traces_are_dropped_but_not_their_first_line() {
        let rules = Rules { trace_elided: true, ..Rules::default() };
        assert!(equal(
            &rules,
            &[],
            "boom\n\n",
            "boom\n\tat x.y(Z.java:1)\n\t... 3 more\nCaused by: other\n\n"
        ));
        assert!(!equal(&rules, &[], "boom\n\n", "bang\n\tat x\n\n"));
    }

    #[test]
    fn repeated_warnings_are_squeezed_only_where_they_were_cut() {
        let (two, four) = ("WARN 1\nWARN 2\nend\n", "WARN 1\nWARN 22\nWARN 3\nWARN 4\nend\n");
        assert!(equal(&Rules { repeats_cut: true, ..Rules::default() }, &[], two, four));
        assert!(!equal(&Rules::default(), &[], two, four));
    }
}
