//! A session from the outside: commands in, text out; the same again from its journal, its snapshot, its bytes.

use playground::journal::{Entry, Header, Input};
use playground::seam::Stream;
use playground::session::Session;
use playground::view::{Part, SentenceKind};
use simulation::Micros;

fn header(seed: u64) -> Header {
    Header { engine: playground::ENGINE_VERSION.to_owned(), seed, epoch_ms: 1_760_000_000_000 }
}

/// A session and what people did in it.
struct Played {
    session: Session,
    entries: Vec<Entry>,
}

impl Played {
    fn new(seed: u64) -> Self {
        Self { session: Session::new(header(seed)), entries: Vec::new() }
    }

    fn act(&mut self, input: Input) {
        let now = self.session.now();
        self.session.run_until(now, || true);
        let entry = Entry { at: now, terminal: 0, input };
        self.session.apply(&entry);
        self.entries.push(entry);
    }

    fn wait(&mut self, ms: u64) {
        let until = self.session.now() + Micros::from_ms(ms);
        self.session.run_until(until, || true);
    }

    /// Types a line, waits, and returns what was printed.
    fn run(&mut self, line: &str, ms: u64) -> String {
        self.session.take_printed();
        self.act(Input::Line(line.to_owned()));
        self.wait(ms);
        let text = |stream: Stream| matches!(stream, Stream::Stdout | Stream::Stderr);
        self.session
            .take_printed()
            .into_iter()
            .filter(|chunk| text(chunk.stream))
            .map(|chunk| chunk.text)
            .collect()
    }
}

#[test]
fn a_new_session_is_a_running_cluster() {
    let played = Played::new(1);
    assert!(played.session.now() < Micros::from_secs(15), "up at {}", played.session.now());
    assert!(played.session.world().nodes().all(|(_, node)| node.is_started()));
}

#[test]
fn the_narrative_tells_commands_and_nothing_else_that_is_typed() {
    let mut played = Played::new(1);
    played.act(Input::Paste("# a comment\n\necho a \\\n  b\ncat\na record\n".to_owned()));
    played.act(Input::EndOfFile);
    played.act(Input::Line("--describe --topic <topic>".to_owned()));
    played.act(Input::Interrupt);
    played.act(Input::Click { command: "echo clicked".to_owned(), tag: "Button".to_owned() });
    let told: Vec<String> = played
        .session
        .narrator()
        .kept()
        .filter(|sentence| sentence.kind == SentenceKind::Command)
        .flat_map(|sentence| &sentence.parts)
        .filter_map(|part| match part {
            Part::Code(code) => Some(code.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["echo a \u{2026}", "cat", "echo clicked"]);
}

#[test]
fn the_shell_answers() {
    let mut played = Played::new(1);
    assert_eq!(played.run("echo hello | tr a-z A-Z", 10), "HELLO\n");
}

#[test]
fn records_lost_by_an_unclean_election_are_told() {
    let mut played = Played::new(1);
    let create = "kafka-topics --bootstrap-server localhost:9092 --create --topic t --replica-assignment 2:3 --config unclean.leader.election.enable=true";
    played.run(create, 5_000);
    let produce = "seq 5 | kafka-console-producer --bootstrap-server localhost:9092 --topic t";
    for line in [
        produce,
        "docker compose kill kafka3",
        produce,
        "docker compose kill kafka2",
        "docker compose start kafka3",
    ] {
        played.run(line, 30_000);
    }
    let story: Vec<String> =
        played.session.narrator().kept().map(playground::view::Sentence::plain).collect();
    let told = story.iter().find(|sentence| sentence.contains(" lost: "));
    let told = told.unwrap_or_else(|| panic!("nothing about the loss in {story:#?}"));
    assert!(
        told.starts_with("5 committed records of t-0 lost: what stood from offset 5"),
        "{told}"
    );
    let elected = "The controller made broker 3 leader of t-0, epoch 1. It was not in sync: acknowledged records may be lost.";
    assert!(story.iter().any(|sentence| sentence == elected), "{story:#?}");
    assert!(played.session.violation().is_none(), "{:?}", played.session.violation());
}
