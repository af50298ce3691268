//! The shell against bash: every case of `data/bash.txt` was run by bash 5.2, and this shell must print the same.

mod world;

use console::console::{Console, RunInput, RunSpec};
use world::TestHost;

/// Runs a line to its end in virtual time.
fn run(line: &str, input: RunInput) -> (String, String, i32) {
    let mut host = TestHost::default();
    let mut console = Console::new();
    let pid = console.start(&mut host, RunSpec { line: line.to_owned(), stdin: input, cwd: None });
    for _ in 0..100_000 {
        let output = console.run_output(pid);
        if let Some(code) = output.code {
            return (output.stdout, output.stderr, code);
        }
        host.step(&mut console);
    }
    panic!("does not end: {line}");
}

#[test]
fn prints_what_bash_prints() {
    let mut failed = Vec::new();
    let cases = include_str!("data/bash.txt").split("=== ").skip(1);
    let mut count = 0;
    for case in cases {
        let (code, rest) = case.split_once('\n').unwrap();
        let (line, rest) = rest.split_once("\n--- stdout\n").unwrap();
        let (stdout, stderr) = rest.split_once("--- stderr\n").unwrap();
        let stdout = stdout.strip_suffix("\\\n").unwrap_or(stdout);
        let expected = (stdout.to_owned(), stderr.to_owned(), code.parse::<i32>().unwrap());
        let actual = run(line, RunInput::None);
        count += 1;
        if actual != expected {
            failed.push(format!("{line}\n  expected {expected:?}\n  actual   {actual:?}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count} differ:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn any_text_is_read_without_panic() {
    const PIECES: [&str; 46] = [
        "echo", " ", " ", "\n", ";", "&", "&&", "||", "|", "(", ")", "{", "}", "((", "))", "$",
        "$(", "$((", "${", "${x:-", "`", "'", "\"", "\\", "<", ">", "<<", "<<<", "<<E", "E\n",
        ">>", "2>&1", "if", "then", "fi", "for", "in", "do", "done", "case", "esac", "x=1", "[[",
        "]]", "é", "#",
    ];
    for seed in 0..3_000_u64 {
        let mut random = simulation::Random::from_seed(seed);
        let length = random.below(25);
        let text: String =
            (0..length).map(|_| PIECES[random.below(PIECES.len() as u64) as usize]).collect();
        for end in [false, true] {
            let mut rest = text.as_str();
            while let Ok(parsed) = console::shell::parser::parse_next(rest, end, 1) {
                assert!(parsed.used <= rest.len(), "seed {seed}: {text:?}");
                rest = &rest[parsed.used..];
                if rest.is_empty() {
                    break;
                }
                assert!(parsed.used > 0, "seed {seed}: no progress in {text:?}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["(", "$(", "${x:-", "{ ", "\"$(", "if ", "! ", "$((", "((1+", "while "] {
        let text = open.repeat(5_000);
        assert!(console::shell::parser::parse_next(&text, true, 1).is_err(), "{open}");
    }
    let sum = format!("echo $(({}1))", "(".repeat(5_000));
    assert_ne!(run(&sum, RunInput::None).2, 0);
}

#[test]
fn state_survives_at_any_moment() {
    let line = "f() { echo $1; }; for i in 1 2 3; do f $i; sleep 1; done | while read l; do echo \"got $l at $(date +%s)\"; done; echo end";
    let expected = run(line, RunInput::None);
    let mut host = TestHost::default();
    let mut console = Console::new();
    let pid = console.start(&mut host, RunSpec { line: line.to_owned(), ..RunSpec::default() });
    while console.is_running(pid) {
        let bytes = postcard::to_allocvec(&console).unwrap();
        console = postcard::from_bytes(&bytes).unwrap();
        host.step(&mut console);
    }
    let output = console.run_output(pid);
    assert_eq!((output.stdout, output.stderr, output.code.unwrap()), expected);
}
