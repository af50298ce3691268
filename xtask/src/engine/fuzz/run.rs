//! One run: a cluster is started, operated at random for some minutes of its time, mended, and must then be well.

use super::ledger::Ledger;
use super::operator::Operator;
use cluster::checker::{Anomaly, Checker};
use cluster::controller::image::PartitionRegistration;
use cluster::log::batch_pool::with_pool;
use cluster::log::crc::crc32c;
use cluster::types::BrokerId;
use cluster::world::{Process, World};
use simulation::{Happening, Micros, Random};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The stream of random numbers that the run is drawn from; nodes have the small numbers.
const STREAM: u64 = u64::MAX - 7;
/// When everything has been mended, the cluster has this long to be well again: producers give up after 120 s.
const RECOVERY: Micros = Micros::from_secs(240);
/// Events between two looks at the clock outside.
const EVENTS_PER_LOOK: u64 = 4_096;

/// What went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub guarantee: String,
    pub at: Micros,
    pub what: String,
}

/// How a seed is run; what happens is the same with all but `troubles`.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Virtual time of the troubles.
    pub troubles: Micros,
    /// Whether a digest of everything is wanted; it takes most of the time then.
    pub digests: bool,
    /// The world goes through a snapshot each time so many events have happened.
    pub snapshot_every: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { troubles: Micros::from_secs(300), digests: false, snapshot_every: None }
    }
}

/// What a run was.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub events: u64,
    pub virtual_us: u64,
    pub acknowledged: u64,
    pub consumed: u64,
    pub faults: u64,
    pub anomalies: u64,
    /// Of the whole trace and the state at the end, if it was asked for.
    pub digest: Option<u32>,
    pub finding: Option<Finding>,
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.virtual_us += other.virtual_us;
        self.acknowledged += other.acknowledged;
        self.consumed += other.consumed;
        self.faults += other.faults;
        self.anomalies += other.anomalies;
    }

    pub fn summary(&self) -> String {
        let hundredths = self.virtual_us / 36_000_000;
        format!(
            "{} events, {}.{:02} simulated hours, {} records acknowledged, {} consumed, {} faults, {} anomalies",
            self.events,
            hundredths / 100,
            hundredths % 100,
            self.acknowledged,
            self.consumed,
            self.faults,
            self.anomalies
        )
    }
}

/// A world with those who act on it and those who watch it.
struct Run {
    world: World,
    operator: Operator,
    ledger: Ledger,
    checker: Checker,
    anomalies: Vec<(Micros, Anomaly)>,
    /// Of everything that happened so far.
    digest: u32,
    options: Options,
}

/// Runs a seed; gives up, without a finding, when `is_over`.
pub fn run(seed: u64, options: Options, is_over: &dyn Fn() -> bool) -> Report {
    Run::new(seed, options).go(is_over)
}

impl Run {
    fn new(seed: u64, options: Options) -> Self {
        let mut random = Random::stream(seed, STREAM);
        let spec = Operator::cluster(&mut random);
        let mut world = World::new(spec, seed);
        world.simulation_mut().trace_mut().watch(true, false);
        Self {
            operator: Operator::new(random, &world),
            world,
            ledger: Ledger::default(),
            checker: Checker::default(),
            anomalies: Vec::new(),
            digest: 0,
            options,
        }
    }

    fn go(&mut self, is_over: &dyn Fn() -> bool) -> Report {
        let result = catch_unwind(AssertUnwindSafe(|| self.whole(is_over)));
        let finding = match result {
            Ok(Ok(())) => None,
            Ok(Err(finding)) => Some(finding),
            Err(_) => Some(Finding {
                guarantee: "no-panic".to_owned(),
                at: self.world.now(),
                what: LAST_PANIC.take(),
            }),
        };
        Report {
            events: self.world.simulation().steps(),
            virtual_us: self.world.now().0,
            acknowledged: self.ledger.acknowledged(),
            consumed: self.ledger.consumed(),
            faults: self.operator.faults(),
            anomalies: self.anomalies.len() as u64,
            digest: self.options.digests.then(|| self.whole_digest()),
            finding,
        }
    }

    fn whole_digest(&self) -> u32 {
        let mut bytes =
            with_pool(|| postcard::to_stdvec(&self.world)).expect("a world is plain data");
        bytes.extend(self.digest.to_le_bytes());
        crc32c(&bytes)
    }

    fn whole(&mut self, is_over: &dyn Fn() -> bool) -> Result<(), Finding> {
        if !self.until(self.options.troubles, is_over)? {
            return Ok(());
        }
        self.operator.mend(&mut self.world);
        let end = self.world.now() + RECOVERY;
        if !self.until(end, is_over)? {
            return Ok(());
        }
        self.is_well()?;
        self.ledger
            .check(&self.world, &self.anomalies)
            .map_err(|what| self.finding("acknowledged-records-survive", what))
    }

    fn finding(&self, guarantee: &str, what: String) -> Finding {
        Finding { guarantee: guarantee.to_owned(), at: self.world.now(), what }
    }

    /// Lets time pass; false if it was given up.
    fn until(&mut self, end: Micros, is_over: &dyn Fn() -> bool) -> Result<bool, Finding> {
        loop {
            let next = self.world.next_time().unwrap_or(Micros::MAX);
            let act = self.operator.next_time();
            if next.min(act) > end {
                self.world.advance_to(end);
                return Ok(true);
            }
            if act < next {
                self.world.advance_to(act);
                self.operator.act(&mut self.world, &mut self.ledger);
            } else {
                self.world.step();
            }
            self.settle()?;
            let steps = self.world.simulation().steps();
            if steps.is_multiple_of(EVENTS_PER_LOOK) && is_over() {
                return Ok(false);
            }
            if self.options.snapshot_every.is_some_and(|every| steps.is_multiple_of(every)) {
                self.restore();
            }
        }
    }

    /// Everyone sees what has just happened.
    fn settle(&mut self) -> Result<(), Finding> {
        let happenings = self.world.simulation_mut().trace_mut().take();
        if !happenings.is_empty() {
            if self.options.digests {
                self.digest = digest(self.digest, &happenings);
            }
            self.checker.observe(&self.world, &happenings).map_err(|violation| Finding {
                guarantee: violation.guarantee,
                at: violation.at,
                what: violation.what,
            })?;
            self.anomalies.extend(self.checker.take_anomalies());
        }
        while let Some((client, notice)) = self.world.take_notice() {
            self.ledger
                .hear(client, &notice)
                .map_err(|what| self.finding("consumers-see-what-was-sent", what))?;
            self.operator.hear(&mut self.world, client, &notice);
        }
        Ok(())
    }

    /// The world as a snapshot brings it back.
    fn restore(&mut self) {
        let bytes = with_pool(|| postcard::to_stdvec(&self.world)).expect("a world is plain data");
        self.world = with_pool(|| postcard::from_bytes(&bytes)).expect("a snapshot can be read");
        self.world.simulation_mut().trace_mut().watch(true, false);
    }

    /// All is mended: every broker serves, every partition has its leader, every replica is in sync.
    fn is_well(&self) -> Result<(), Finding> {
        let broken = |what: String| Err(self.finding("recovers-when-mended", what));
        for (spec, node) in self.world.nodes() {
            if !node.is_started() {
                return broken(format!("broker {} is {:?}", spec.id, node.broker_state()));
            }
            for topic in node.metadata().topics.values() {
                for (index, partition) in &topic.partitions {
                    if needs_a_person(partition) {
                        continue;
                    }
                    if partition.leader < 0 {
                        return broken(format!(
                            "{}-{index} has no leader: {partition:?}",
                            topic.name
                        ));
                    }
                    if partition.isr.len() < partition.replicas.len() {
                        return broken(format!(
                            "{}-{index} is under-replicated: {partition:?}",
                            topic.name
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether real Kafka too waits for an unclean election by hand: no replica is known to be complete, and the last leader is
/// not known, because `min.insync.replicas` was changed or an eligible replica was moved away meanwhile.
fn needs_a_person(partition: &PartitionRegistration) -> bool {
    let is_complete = |id: &BrokerId| partition.isr.contains(id) || partition.elr.contains(id);
    let knows_last_leader = partition.elr.is_empty() && partition.last_known_elr.len() == 1;
    !partition.has_leader() && !partition.replicas.iter().any(is_complete) && !knows_last_leader
}

/// Goes on with a digest of what happened before.
fn digest(before: u32, happenings: &[(Micros, Happening<Process>)]) -> u32 {
    happenings.iter().fold(before, |digest, (at, happening)| {
        let mut bytes = digest.to_le_bytes().to_vec();
        bytes.extend(at.0.to_le_bytes());
        bytes.extend(format!("{happening:?}").into_bytes());
        crc32c(&bytes)
    })
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics say what and where in the report, not on the terminal.
pub fn remember_panics() {
    std::panic::set_hook(Box::new(|panic| LAST_PANIC.set(panic.to_string())));
}
