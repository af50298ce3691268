//! Terminals: keys, pastes, repairs, jobs, containers. What is shown is written as text: notes begin with `*`.

mod world;

use console::console::Console;
use console::editor::{Key, LineMode, TerminalInput};
use console::output::{Item, TerminalId};
use world::TestHost;

struct Session {
    host: TestHost,
    console: Console,
    terminal: TerminalId,
}

impl Session {
    fn new() -> Self {
        let mut console = Console::new();
        let terminal = console.open_terminal();
        let mut host = TestHost::default();
        console.advance(&mut host);
        Self { host, console, terminal }
    }

    fn input(&mut self, input: TerminalInput) {
        self.console.input(&mut self.host, self.terminal, input);
    }

    fn key(&mut self, key: Key) {
        self.input(TerminalInput::Key(key));
    }

    fn enter(&mut self, line: &str) {
        self.input(TerminalInput::Text(line.to_owned()));
        self.key(Key::Enter);
    }

    fn seconds(&mut self, seconds: u64) {
        let end = self.host.now + simulation::Micros::from_secs(seconds);
        while self.host.next(&self.console).is_some_and(|next| next <= end) {
            self.host.step(&mut self.console);
        }
        self.host.now = end;
        self.console.advance(&mut self.host);
    }

    fn shown(&mut self) -> String {
        let mut text = String::new();
        for output in self.console.take_outputs() {
            match output.item {
                Item::Echo { prompt, line } => text.push_str(&format!("{prompt}{line}\n")),
                Item::Text { text: more, .. } => text.push_str(&more),
                Item::Notice(notice) => text.push_str(&format!("* {}\n", notice.text)),
                Item::Clear => text.clear(),
                Item::Ended { .. } => {}
            }
        }
        text
    }

    fn line(&self) -> String {
        let state = self.console.line_state(self.terminal);
        let mut text: Vec<char> = state.text.chars().collect();
        text.insert(state.cursor as usize, '|');
        format!("{}{}{}", state.prompt, text.into_iter().collect::<String>(), state.ghost)
    }
}

#[test]
fn a_line_runs_and_is_remembered() {
    let mut session = Session::new();
    session.enter("echo hello");
    assert_eq!(session.shown(), "$ echo hello\nhello\n");
    session.enter("cd /tmp");
    session.shown();
    assert_eq!(session.line(), "/tmp $ |");
    session.key(Key::Up);
    session.key(Key::Up);
    assert_eq!(session.line(), "/tmp $ echo hello|");
    session.key(Key::Down);
    session.key(Key::Down);
    session.input(TerminalInput::Text("ec".to_owned()));
    assert_eq!(session.line(), "/tmp $ ec|ho hello");
    session.key(Key::Right);
    assert_eq!(session.line(), "/tmp $ echo hello|");
    session.key(Key::Control('u'));
    session.enter("history");
    assert_eq!(
        session.shown(),
        "/tmp $ history\n    1  echo hello\n    2  cd /tmp\n    3  history\n"
    );
}

#[test]
fn keys_edit_as_readline_does() {
    let cases: [(&str, &[Key], &str); 8] = [
        ("one two", &[Key::Control('w')], "one |"),
        ("one two", &[Key::Control('a'), Key::Control('k'), Key::Control('y')], "one two|"),
        ("one two", &[Key::WordLeft, Key::Backspace], "one|two"),
        ("one two", &[Key::Home, Key::Delete, Key::WordRight], "ne| two"),
        ("ab", &[Key::Control('t')], "ba|"),
        ("ab", &[Key::Left, Key::Control('u')], "|b"),
        ("ab", &[Key::Home, Key::Control('d')], "|b"),
        ("ab", &[Key::Left, Key::Control('e')], "ab|"),
    ];
    for (text, keys, expected) in cases {
        let mut session = Session::new();
        session.input(TerminalInput::Text(text.to_owned()));
        keys.iter().for_each(|key| session.key(*key));
        assert_eq!(session.line(), format!("$ {expected}"), "{text} {keys:?}");
    }
}

#[test]
fn control_r_searches_the_history() {
    let mut session = Session::new();
    for line in ["echo first", "echo second", "true"] {
        session.enter(line);
    }
    session.shown();
    session.key(Key::Control('r'));
    session.input(TerminalInput::Text("echo".to_owned()));
    assert_eq!(session.line(), "$ echo| \u{2192} echo second");
    session.key(Key::Control('r'));
    assert_eq!(session.line(), "$ echo| \u{2192} echo first");
    session.key(Key::Enter);
    assert_eq!(session.shown(), "$ echo first\nfirst\n");
}

#[test]
fn tab_completes_commands_files_and_containers() {
    let mut session = Session::new();
    session.enter("touch notes.txt; mkdir data");
    let cases = [
        ("hist", "history |"),
        ("cat no", "cat notes.txt |"),
        ("ls da", "ls data/|"),
        ("docker compose st", "docker compose st|"),
        ("docker compose kill kafka", "docker compose kill kafka|"),
        ("docker compose kill kafka2", "docker compose kill kafka2 |"),
        ("echo x > no", "echo x > notes.txt |"),
    ];
    for (text, expected) in cases {
        session.key(Key::Control('u'));
        session.input(TerminalInput::Text(text.to_owned()));
        session.key(Key::Tab);
        assert_eq!(session.line(), format!("$ {expected}"), "{text}");
    }
    session.key(Key::Control('u'));
    session.input(TerminalInput::Text("docker compose kill kafka".to_owned()));
    session.key(Key::Tab);
    assert_eq!(session.console.line_state(session.terminal).menu, ["kafka1", "kafka2", "kafka3"]);
    session.key(Key::Tab);
    session.key(Key::Tab);
    assert_eq!(session.line(), "$ docker compose kill kafka2|");
}

#[test]
fn what_follows_a_reader_is_its_input() {
    let mut session = Session::new();
    session.input(TerminalInput::Paste("cat\none \u{2014} two\necho three\n".to_owned()));
    assert_eq!(
        session.shown(),
        "$ cat\none \u{2014} two\none \u{2014} two\necho three\necho three\n"
    );
    assert_eq!(session.console.line_state(session.terminal).mode, LineMode::Program);
    session.input(TerminalInput::EndOfFile);
    session.enter("echo back");
    assert_eq!(session.shown(), "$ echo back\nback\n");
    session.input(TerminalInput::Paste("sleep 2\necho after\nsleep 1; ec".to_owned()));
    assert_eq!(session.shown(), "$ sleep 2\n");
    session.seconds(3);
    assert_eq!(session.shown(), "$ echo after\nafter\n");
    assert_eq!(session.line(), "$ sleep 1; ec|");
}

#[test]
fn commands_of_several_lines_are_read_as_bash_reads_them() {
    let mut session = Session::new();
    session.input(TerminalInput::Paste(
        "for i in 1 2\ndo echo $i\ndone\ncat <<E\n\u{2014}x\nE\necho a \\\n  b\n".to_owned(),
    ));
    assert_eq!(
        session.shown(),
        "$ for i in 1 2\n> do echo $i\n> done\n1\n2\n$ cat <<E\n> \u{2014}x\n> E\n\u{2014}x\n$ echo a \\\n>   b\na b\n"
    );
    session.enter("echo (");
    assert_eq!(session.shown(), "$ echo (\nbash: syntax error near unexpected token `newline'\n");
    session.enter("echo 'open");
    assert_eq!(session.line(), "> |");
    session.input(TerminalInput::Interrupt);
    assert_eq!(session.shown(), "$ echo 'open\n> ^C\n");
    assert_eq!(session.line(), "$ |");
}

#[test]
fn control_c_and_jobs() {
    let mut session = Session::new();
    session.enter("sleep 100; echo not");
    session.seconds(1);
    session.input(TerminalInput::Interrupt);
    session.enter("echo $?");
    assert_eq!(session.shown(), "$ sleep 100; echo not\n^C\n$ echo $?\n130\n");
    session.enter("sleep 5 &");
    let shown = session.shown();
    assert!(shown.starts_with("$ sleep 5 &\n[1] "), "{shown}");
    session.enter("jobs");
    assert_eq!(session.shown(), "$ jobs\n[1]+  Running                 sleep 5 &\n");
    session.seconds(6);
    assert_eq!(session.shown(), "[1]+  Done                    sleep 5\n");
    session.enter("sleep 50 & sleep 60 &");
    session.enter("kill %1; wait %1; echo $?; kill %2");
    session.shown();
    session.enter("sleep 70");
    session.key(Key::Control('z'));
    let shown = session.shown();
    assert!(shown.contains("Stopped                 sleep 70\n"), "{shown}");
    session.enter("fg");
    session.seconds(71);
    session.enter("echo $?");
    let shown = session.shown();
    assert!(shown.ends_with("$ fg\nsleep 70\n$ echo $?\n0\n"), "{shown}");
    session.enter("while true; do true; done");
    session.seconds(1);
    session.input(TerminalInput::Interrupt);
    session.enter("echo free");
    assert!(session.shown().ends_with("$ echo free\nfree\n"));
}

#[test]
fn containers_stop_and_start_in_the_words_of_compose() {
    let mut session = Session::new();
    session.enter("docker compose stop kafka2");
    session.seconds(10);
    assert_eq!(
        session.shown(),
        "$ docker compose stop kafka2\n[+] Stopping 1/1\n \u{2714} Container kafka2  Stopped  1.9s\n"
    );
    session.enter("docker compose ps");
    let shown = session.shown();
    assert!(shown.contains("\nNAME     IMAGE                COMMAND                  SERVICE   CREATED              STATUS              PORTS\n"), "{shown}");
    assert!(shown.contains("\nkafka1 ") && !shown.contains("\nkafka2 "), "{shown}");
    session.enter("docker compose ps -a | grep kafka2");
    assert!(session.shown().contains("Exited (143) 8 seconds ago"));
    for (line, text) in [
        ("docker compose exec kafka2 ls", "service \"kafka2\" is not running\n"),
        ("docker compose kill kafka9", "no such service: kafka9\n"),
        ("docker kill kafka9", "Error response from daemon: No such container: kafka9\n"),
        ("docker exec -it kafka9 bash", "Error response from daemon: No such container: kafka9\n"),
    ] {
        session.enter(line);
        assert!(session.shown().contains(text), "{line}");
    }
    session.enter("docker start kafka2");
    session.seconds(3);
    assert_eq!(session.shown(), "$ docker start kafka2\nkafka2\n");
    session.enter("docker compose kill kafka2");
    session.seconds(1);
    assert_eq!(
        session.shown(),
        "$ docker compose kill kafka2\n[+] Killing 1/1\n \u{2714} Container kafka2  Killed  0.1s\n"
    );
    session.enter("docker compose logs --tail 1 kafka1 kafka3");
    assert_eq!(
        session.shown(),
        "$ docker compose logs --tail 1 kafka1 kafka3\nkafka1  | kafka1 started\nkafka3  | kafka3 started\n"
    );
}

#[test]
fn a_shell_in_a_container_lasts_until_exit() {
    let mut session = Session::new();
    session.enter("docker exec -it kafka1 bash");
    assert_eq!(session.line(), "[appuser@kafka1 ~]$ |");
    session.enter("echo $HOSTNAME; docker ps");
    let shown = session.shown();
    assert!(shown.contains("kafka1\nbash: docker: command not found\n"), "{shown}");
    session.enter("exit");
    assert_eq!(session.line(), "$ |");
    session.enter("docker compose exec kafka3 bash -c 'hostname; exit 3'; echo $?");
    assert!(session.shown().ends_with("kafka3\n3\n"));
    session.enter("docker exec -it kafka2 bash");
    session.enter("sleep 100");
    session.shown();
    session.host.nodes[1].state = console::host::NodeState::Exited(137);
    session.seconds(1);
    assert_eq!(session.line(), "$ |");
}

#[test]
fn pastes_are_repaired_visibly_and_never_silently() {
    let mut session = Session::new();
    session.input(TerminalInput::Paste("$ echo \u{201c}a  b\u{201d}\n".to_owned()));
    assert_eq!(
        session.shown(),
        "* Repaired before it ran: curly quotes became straight ones; the prompt in front was dropped.\n$ echo \"a  b\"\na  b\n"
    );
    session.input(TerminalInput::Paste("```bash\necho x\n```\n".to_owned()));
    assert!(session.shown().contains("$ echo x\nx\n"));
    // The end of the block may lack its newline.
    session.input(TerminalInput::Paste("```\necho y\n```".to_owned()));
    assert!(session.shown().ends_with("$ echo y\ny\n"));
    assert_eq!(session.line(), "$ |");
    session.console.notices(false);
    session.input(TerminalInput::Paste("echo \u{2014}a\n".to_owned()));
    assert_eq!(session.shown(), "$ echo \u{2014}a\n\u{2014}a\n");
}

#[test]
fn a_placeholder_is_asked_for() {
    let mut session = Session::new();
    session
        .input(TerminalInput::Paste("echo describe <topic-name> twice <topic-name>\n".to_owned()));
    let shown = session.shown();
    assert!(shown.starts_with("* <topic-name> stands for a value of yours"), "{shown}");
    assert!(shown.contains("bash: topic-name: No such file or directory"), "{shown}");
    assert_eq!(session.line(), "topic-name? |");
    // Tab on the empty line shows what there is.
    session.key(Key::Tab);
    assert!(!session.console.line_state(session.terminal).menu.is_empty());
    session.input(TerminalInput::Text("pay".to_owned()));
    session.key(Key::Tab);
    session.key(Key::Enter);
    assert_eq!(
        session.shown(),
        "topic-name? payments\n$ echo describe payments twice payments\ndescribe payments twice payments\n"
    );
    session.enter("echo <x>");
    session.input(TerminalInput::Interrupt);
    assert_eq!(session.line(), "$ |");
}

#[test]
fn a_line_without_its_tool_is_shown_whole_and_asked_once() {
    let mut session = Session::new();
    session.enter("Create a Topic: --create --bootstrap-server localhost:9092 --topic t");
    let shown = session.shown();
    assert!(
        shown.contains("kafka-topics.sh --create --bootstrap-server localhost:9092 --topic t"),
        "{shown}"
    );
    assert_eq!(
        session.line(),
        "$ kafka-topics.sh --create --bootstrap-server localhost:9092 --topic t|"
    );
    session.key(Key::Enter);
    assert!(session.shown().starts_with("$ kafka-topics.sh --create"));
    // There is no cluster behind this console: the tool waits for one until it is interrupted.
    session.input(TerminalInput::Interrupt);
    session.shown();
    session.enter("--list --bootstrap-server localhost:9092");
    let shown = session.shown();
    assert!(
        shown.contains("\n$ kafka-topics.sh --list --bootstrap-server localhost:9092\n"),
        "{shown}"
    );
}

#[test]
fn lines_behind_a_question_wait_for_its_answer() {
    let block = "Health Check: --bootstrap-server localhost:9092\necho second\necho last";
    let command = "kafka-broker-api-versions.sh --bootstrap-server localhost:9092";
    // Confirmed by Enter, or by the note's button.
    for button in [false, true] {
        let mut session = Session::new();
        session.input(TerminalInput::Paste(block.to_owned()));
        session.shown();
        assert_eq!(session.line(), format!("$ {command}|"));
        match button {
            true => session.input(TerminalInput::Line(command.to_owned())),
            false => session.input(TerminalInput::Submit(command.to_owned())),
        }
        assert_eq!(session.shown(), format!("$ {command}\n"));
    }
}

#[test]
fn the_end_of_a_paste_comes_back_after_a_question() {
    let mut session = Session::new();
    session.input(TerminalInput::Paste("echo <a>\necho second\necho la".to_owned()));
    session.shown();
    assert_eq!(session.line(), "a? |");
    session.input(TerminalInput::Submit("1".to_owned()));
    assert_eq!(session.shown(), "a? 1\n$ echo 1\n1\n$ echo second\nsecond\n");
    assert_eq!(session.line(), "$ echo la|");
    // Ctrl-C drops all of it.
    session.input(TerminalInput::Paste("echo <a>\necho second\necho la".to_owned()));
    session.input(TerminalInput::Interrupt);
    session.shown();
    session.enter("echo free");
    assert_eq!(session.shown(), "$ echo free\nfree\n");
    assert_eq!(session.line(), "$ |");
}

#[test]
fn what_is_called_a_health_check_comes_with_a_better_one() {
    let mut session = Session::new();
    session.enter("Cluster Health Check: --bootstrap-server localhost:9092");
    let offers: Vec<String> = session
        .console
        .take_outputs()
        .into_iter()
        .filter_map(|output| match output.item {
            Item::Notice(notice) => Some(notice.actions),
            _ => None,
        })
        .flatten()
        .map(|action| action.command)
        .collect();
    assert_eq!(
        offers,
        [
            "kafka-broker-api-versions.sh --bootstrap-server localhost:9092",
            "kafka-topics.sh --bootstrap-server localhost:9092 --describe --under-replicated-partitions"
        ]
    );
}

#[test]
fn notes_explain_errors_and_not_option_tables() {
    let mut session = Session::new();
    session.enter("kafka-topics.sh --help");
    let shown = session.shown();
    assert!(shown.contains("--replication-factor") && !shown.contains("\n* "), "{shown}");
    // Only what is refused changes in today's line; what is deprecated still works.
    session.enter(
        "kafka-console-producer.sh --broker-list localhost:9092 --topic t --property parse.key=true",
    );
    let shown = session.shown();
    let line = "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic t --property parse.key=true";
    assert!(shown.ends_with(&format!("Today's line: {line}\n")), "{shown}");
    assert_eq!(session.line(), format!("$ |{line}"));
}

#[test]
fn a_button_waits_for_the_prompt_and_leaves_the_typed_line() {
    let mut session = Session::new();
    session.enter("cat");
    session.input(TerminalInput::Text("typed".to_owned()));
    session.input(TerminalInput::Line("echo clicked".to_owned()));
    assert_eq!(session.shown(), "$ cat\n");
    session.key(Key::Home);
    session.key(Key::Control('k'));
    session.input(TerminalInput::EndOfFile);
    assert_eq!(session.shown(), "$ echo clicked\nclicked\n");
}

#[test]
fn unknown_commands_are_explained_beside_the_output() {
    let mut session = Session::new();
    session.enter("ehco hi");
    assert_eq!(
        session.shown(),
        "$ ehco hi\nbash: ehco: command not found\n* There is no command ehco. Did you mean echo?\n"
    );
    session.enter("ehco hi 2>/dev/null | cat");
    assert!(!session.shown().contains("command not found"));
}

#[test]
fn random_keys_do_not_panic_and_replay_equally() {
    let run = |seed: u64, restore: bool| {
        let mut random = simulation::Random::from_seed(seed);
        let mut session = Session::new();
        let mut shown = String::new();
        for _ in 0..60 {
            let keys = [
                Key::Enter,
                Key::Tab,
                Key::BackTab,
                Key::Backspace,
                Key::Delete,
                Key::Left,
                Key::Right,
                Key::Up,
                Key::Down,
                Key::Home,
                Key::End,
                Key::WordLeft,
                Key::WordRight,
                Key::Escape,
                Key::RunOffer,
                Key::Control('r'),
                Key::Control('w'),
                Key::Control('d'),
                Key::Control('c'),
                Key::Control('z'),
                Key::Control('t'),
                Key::Control('y'),
                Key::Control('g'),
            ];
            let texts = [
                "echo ",
                "sleep 1",
                "cat",
                "<x> ",
                "--list ",
                "\u{2014}a",
                "'",
                "kafka-",
                "docker compose ",
                "for i in 1 2; do ",
                "done",
                "é",
                "| ",
            ];
            match random.below(4) {
                0 => session.input(TerminalInput::Text(
                    texts[random.below(texts.len() as u64) as usize].to_owned(),
                )),
                1 => session.input(TerminalInput::Paste(format!(
                    "{}\n{}",
                    texts[random.below(13) as usize],
                    texts[random.below(13) as usize]
                ))),
                _ => session.key(keys[random.below(keys.len() as u64) as usize]),
            }
            if random.below(5) == 0 {
                session.seconds(1);
            }
            if restore {
                session.console =
                    postcard::from_bytes(&postcard::to_allocvec(&session.console).unwrap())
                        .unwrap();
            }
            shown.push_str(&session.shown());
            shown.push_str(&session.line());
        }
        shown
    };
    for seed in 0..150 {
        assert_eq!(run(seed, false), run(seed, true), "seed {seed}");
    }
}
