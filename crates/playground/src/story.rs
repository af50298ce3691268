//! What somebody might do in a session, made from a seed: for tests and measurements, the same natively and in a tab.

use cluster::log::crc::crc32c;
use simulation::{Micros, Random};

use crate::ENGINE_VERSION;
use crate::journal::{Entry, Header, Input, Journal};
use crate::session::Session;
use crate::snapshot;

/// The seed of the story that is compared between native code and wasm.
pub const SEED: u64 = 7;
/// The last second of every story.
pub const END: Micros = Micros::from_secs(90);
/// The cluster is up by then.
const FIRST: Micros = Micros::from_secs(20);
const BROKERS: u64 = 3;

/// A journal of a few topics, some records, groups and broken brokers.
pub fn journal(seed: u64) -> Journal {
    let mut random = Random::stream(seed, 0);
    let header = Header { engine: ENGINE_VERSION.to_owned(), seed, epoch_ms: 1_795_000_000_000 };
    let mut at = FIRST;
    let mut entries = vec![Entry { at, terminal: 0, input: Input::OpenTerminal }];
    let mut enter = |at, terminal, input| entries.push(Entry { at, terminal, input });
    let create = "kafka-topics --bootstrap-server localhost:9092 --create --topic t0 --partitions 3 --replication-factor 3";
    enter(at, 0, Input::Line(create.to_owned()));
    while at < END - Micros::from_secs(10) {
        at = at + Micros::from_ms(200 + random.below(6_000));
        let (terminal, input) = one(&mut random);
        enter(at, terminal, input);
    }
    Journal { header, entries }
}

/// One thing to do.
fn one(random: &mut Random) -> (u32, Input) {
    const SERVER: &str = "--bootstrap-server localhost:9092";
    let topic = random.below(3);
    let broker = 1 + random.below(BROKERS);
    let count = 1 + random.below(40);
    let line = match random.below(12) {
        0 => format!(
            "kafka-topics {SERVER} --create --topic t{topic} --partitions {} --replication-factor {} --config min.insync.replicas={}",
            1 + random.below(4),
            1 + random.below(3),
            1 + random.below(2),
        ),
        1..4 => format!("seq {count} | kafka-console-producer {SERVER} --topic t{topic}"),
        4 => format!(
            "printf 'a:1\\nb:2\\n' | kafka-console-producer {SERVER} --topic t{topic} --property parse.key=true --property key.separator=:"
        ),
        5 => format!("docker compose kill kafka{broker}"),
        6 => format!("docker compose stop kafka{broker}"),
        7 | 8 => format!("docker compose start kafka{broker}"),
        9 => format!("kafka-consumer-groups {SERVER} --all-groups --describe"),
        10 => return (1, Input::Interrupt),
        _ => {
            let line = format!(
                "kafka-console-consumer {SERVER} --topic t{topic} --group g{} --from-beginning",
                random.below(2)
            );
            return (1, Input::Line(line));
        }
    };
    (0, Input::Line(line))
}

/// Goes on from where `session` is, through the journal, to `until`.
pub fn play(session: &mut Session, journal: &Journal, until: Micros) {
    let applied = session.applied() as usize;
    for entry in journal.entries.iter().skip(applied).take_while(|entry| entry.at <= until) {
        session.run_until(entry.at, || true);
        session.apply(entry);
    }
    session.run_until(until, || true);
}

/// A number in which every byte of the state at every tenth second counts, and all that was printed.
pub fn digest(seed: u64) -> u64 {
    let journal = journal(seed);
    let mut session = Session::new(journal.header.clone());
    let mut digest = 0_u64;
    for second in (20..=END.as_ms() / 1000).step_by(10) {
        play(&mut session, &journal, Micros::from_secs(second));
        let state = crc32c(&snapshot::state(&session));
        let printed: String = session.take_printed().into_iter().map(|chunk| chunk.text).collect();
        for part in [u64::from(state), u64::from(crc32c(printed.as_bytes()))] {
            digest = digest.wrapping_mul(0x0100_0000_01b3).wrapping_add(part);
        }
    }
    digest
}
