//! What vectors and transcripts may miss: a file beside the data says how many steps of which file, no more.
//!
//! One line each: `NAME COUNT` or `NAME all`, `#` begins a comment; the reasons are in docs/FIDELITY.md. A miss more
//! than that is a failure; a miss less is said, so that the file is lowered and never covers a step backwards.

use crate::test::Count;
use crate::{Outcome, say};
use std::collections::BTreeMap;
use std::path::Path;

/// Judges the lines of `vectors` or `replay` (`NAME … N passed … N failed …`) by the file of known misses.
pub fn judge(lines: &[String], ledger: &Path) -> Outcome<Count> {
    let text = match std::fs::read_to_string(ledger) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", ledger.display())),
    };
    let mut allowed = read(&text).map_err(|line| format!("{}: {line:?}", ledger.display()))?;
    let mut count = Count::default();
    let mut known = 0;
    for (name, passed, failed) in lines.iter().filter_map(|line| result(line)) {
        let may = allowed.remove(name).unwrap_or(0);
        count.passed += passed;
        count.failed += failed.saturating_sub(may);
        known += failed.min(may);
        if failed > may && may > 0 {
            say::problem(&format!("{name}: {failed} failed, {may} are known"));
        }
        if may != u64::MAX && failed < may {
            say::note(&format!("{name}: only {failed} of {may} known misses are left"));
        }
    }
    for name in allowed.keys() {
        count.failed += 1;
        say::problem(&format!("{}: there is no {name:?}", ledger.display()));
    }
    if known > 0 {
        count.skipped.push(format!("{known} known misses (docs/FIDELITY.md)"));
    }
    Ok(count)
}

/// The misses allowed by name, or the first line that isn't understood.
fn read(text: &str) -> Result<BTreeMap<&str, u64>, &str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, count) = line.split_once(char::is_whitespace).ok_or(line)?;
            match count.trim() {
                "all" => Ok((name, u64::MAX)),
                number => number.parse().map(|number| (name, number)).map_err(|_| line),
            }
        })
        .collect()
}

/// Name, passed and failed of one file's line; the closing line has no name.
fn result(line: &str) -> Option<(&str, u64, u64)> {
    let words: Vec<&str> =
        line.split([' ', ',', ';', ':', '\t']).filter(|word| !word.is_empty()).collect();
    let before = |what: &str| {
        let place = words.iter().position(|word| *word == what)?;
        words.get(place.checked_sub(1)?)?.parse::<u64>().ok()
    };
    let name = words.first().filter(|name| name.parse::<u64>().is_err())?;
    Some((name.trim_end_matches(".json"), before("passed")?, before("failed")?))
}

#[cfg(test)]
mod tests {
    use super::{judge, read, result};
    use std::path::Path;

    #[test]
    fn a_line_of_a_file_has_a_name_and_two_numbers() {
        assert_eq!(result("uuid.json: 3 passed, 1 failed, 0 unknown"), Some(("uuid", 3, 1)));
        assert_eq!(result("topics-create   12 passed  0 failed"), Some(("topics-create", 12, 0)));
        assert_eq!(result("15 passed, 1 failed"), None);
        assert_eq!(result("test result: nothing"), None);
    }

    #[test]
    fn a_ledger_has_names_and_counts() {
        let ledger = read("# why: docs/FIDELITY.md\nuuid 1 # no\n\ntopics all\n").unwrap();
        assert_eq!(ledger.into_iter().collect::<Vec<_>>(), [("topics", u64::MAX), ("uuid", 1)]);
        assert_eq!(read("uuid one"), Err("uuid one"));
    }

    #[test]
    fn without_a_ledger_every_miss_is_a_failure() {
        let lines = ["a: 2 passed, 1 failed".to_string(), "2 passed, 1 failed".to_string()];
        let count = judge(&lines, Path::new("there/is/none")).unwrap();
        assert_eq!((count.passed, count.failed), (2, 1));
    }
}
