//! Runs one scenario on a fresh simulated cluster, step by step.

use simulation::sorted::SortedMap;

use cluster::world::ClusterSpec;
use console::console::{RunInput, RunSpec};
use console::host::{DockerAction, Host};
use console::process::{SIGINT, SIGKILL, SIGTERM};
use console::world::Pid;
use playground::journal::Header;
use playground::session::Session;
use serde_json::Value;
use simulation::Micros;

use super::compare::differences;
use super::conditions::{Condition, active_controller};
use super::scenario::{Cluster, Output, Scenario, Signal, Step};

/// A step that needs more virtual time than this has failed.
const STEP_LIMIT: Micros = Micros::from_secs(300);
/// What virtual time counts from: recorded times of day are masked anyway.
const EPOCH_MS: i64 = 1_760_000_000_000;
const SEED: u64 = 1;

/// How a step went.
pub enum Verdict {
    /// Not compared.
    Ran,
    Passed,
    Failed(Vec<String>),
}

struct Replay {
    session: Session,
    background: SortedMap<u64, Pid>,
    /// The active controller that was stopped, for `the same`.
    stopped_controller: Option<i32>,
    tickets: u64,
}

/// Runs a scenario; one verdict for each of its steps.
pub fn run(scenario: &Scenario) -> Vec<(u64, Verdict)> {
    let mut replay = Replay::new(scenario.cluster.as_ref());
    scenario
        .steps
        .iter()
        .map(|step| {
            let verdict = match replay.step(step) {
                Ok(Some(actual)) if step.rules.compared => {
                    let (output, exit) = &actual;
                    let found = differences(
                        &step.rules,
                        &step.masks,
                        (&step.expected, step.exit),
                        (output, *exit),
                    );
                    if found.is_empty() { Verdict::Passed } else { Verdict::Failed(found) }
                }
                Ok(_) => Verdict::Ran,
                Err(why) if step.rules.compared => Verdict::Failed(vec![why]),
                Err(_) => Verdict::Ran,
            };
            (step.number, verdict)
        })
        .collect()
}

impl Replay {
    fn new(cluster: Option<&Cluster>) -> Self {
        let mut spec = ClusterSpec::default_cluster(EPOCH_MS);
        if let Some(cluster) = cluster {
            for (name, value) in &cluster.configs {
                spec.configs.retain(|(known, _)| known != name);
                spec.configs.push((name.clone(), value.clone()));
            }
            for (id, rack) in &cluster.racks {
                if let Some(node) = spec.nodes.iter_mut().find(|node| node.id == *id) {
                    node.rack = Some(rack.clone());
                }
            }
        }
        let header = Header {
            engine: playground::ENGINE_VERSION.to_owned(),
            seed: SEED,
            epoch_ms: EPOCH_MS,
        };
        let mut session = Session::with_cluster(header, spec);
        session.console_mut(|console, _| console.notices(false));
        session.boot();
        Self { session, background: SortedMap::new(), stopped_controller: None, tickets: 1_000_000 }
    }

    /// What the step's command printed and its exit code; none for a pure action.
    fn step(&mut self, step: &Step) -> Result<Option<(Output, Option<i32>)>, String> {
        let mut trouble = Ok(());
        for action in &step.after {
            trouble = trouble.and(self.act(action));
        }
        for (path, text) in &step.files {
            let written =
                self.session.console_mut(|console, _| console.write_file(path, text.as_bytes()));
            trouble = trouble.and(written.map_err(|error| format!("{path}: {error:?}")));
        }
        let pid = match (&step.command, &step.interrupt) {
            (Some(command), _) => {
                let pid = self.start(step, command);
                if step.background {
                    self.background.insert(step.number, pid);
                    return trouble.map(|()| None);
                }
                if let Some(seconds) = step.interrupted_after_s {
                    self.run_until_ended(pid, Micros::from_secs(seconds));
                    self.signal(pid, SIGKILL);
                }
                pid
            }
            (None, Some((number, signal))) => {
                let pid = *self
                    .background
                    .get(number)
                    .ok_or_else(|| format!("step {number} runs no more"))?;
                self.signal(
                    pid,
                    match signal {
                        Signal::Interrupt => SIGINT,
                        Signal::Terminate => SIGTERM,
                        Signal::Kill => SIGKILL,
                    },
                );
                pid
            }
            (None, None) => return trouble.map(|()| None),
        };
        let ended = self.run_until_ended(pid, STEP_LIMIT);
        let output = self.session.console_mut(|console, _| console.run_output(pid));
        if !ended {
            self.signal(pid, SIGKILL);
        }
        self.session.console_mut(|console, host| console.forget(host, pid));
        if !ended {
            return Err(format!(
                "still running after {STEP_LIMIT}; stdout {:?}, stderr {:?}",
                output.stdout, output.stderr
            ));
        }
        trouble?;
        let exit = output.code;
        Ok(Some((Output { stdout: output.stdout, stderr: output.stderr }, exit)))
    }

    fn start(&mut self, step: &Step, command: &str) -> Pid {
        let stdin = match (&step.stdin, step.terminal) {
            (text, true) => RunInput::Terminal(text.clone().unwrap_or_default()),
            (Some(text), false) => RunInput::Text(text.clone()),
            (None, false) => RunInput::None,
        };
        self.session.start_run(RunSpec { line: command.to_owned(), stdin, cwd: None })
    }

    fn signal(&mut self, pid: Pid, code: i32) {
        self.session.console_mut(|console, host| console.signal_run(host, pid, code));
    }

    fn run_until_ended(&mut self, pid: Pid, limit: Micros) -> bool {
        self.run_while(limit, |session| session.console().is_running(pid))
    }

    /// Lets time pass as long as `waiting`; false if that took longer than `limit`.
    fn run_while(&mut self, limit: Micros, waiting: impl Fn(&Session) -> bool) -> bool {
        let deadline = self.session.now() + limit;
        while waiting(&self.session) {
            match self.session.next_time() {
                Some(next) if next <= deadline => self.session.step(),
                _ => return false,
            };
        }
        true
    }

    /// Something that happened to the cluster before the step.
    fn act(&mut self, action: &Value) -> Result<(), String> {
        if let Some(node) = action["stop"].as_str() {
            let how = if action["how"].as_str() == Some("SIGKILL") {
                DockerAction::Kill
            } else {
                DockerAction::Stop
            };
            let id = self.node(node)?;
            if node.starts_with("<the active controller") {
                self.stopped_controller = Some(id);
            }
            self.docker(how, id);
            let down = |session: &Session| {
                session.world().node_state(id) != Some(simulation::ProcessState::Down)
            };
            return self
                .run_while(STEP_LIMIT, down)
                .then_some(())
                .ok_or_else(|| format!("{node} did not stop"));
        }
        if let Some(node) = action["start"].as_str() {
            let id = self.node(node)?;
            self.docker(DockerAction::Start, id);
            let starting =
                |session: &Session| !session.world().node(id).is_some_and(|node| node.is_started());
            return self
                .run_while(STEP_LIMIT, starting)
                .then_some(())
                .ok_or_else(|| format!("{node} did not start"));
        }
        if let Some(seconds) = action["wait_s"].as_f64() {
            let until = self.session.now() + Micros::from_ms((seconds * 1_000.0) as u64);
            self.session.run_until(until, || true);
            return Ok(());
        }
        if let Some(phrase) = action["wait_until"].as_str() {
            let condition =
                Condition::parse(phrase).ok_or_else(|| format!("unknown condition: {phrase}"))?;
            let controller =
                self.stopped_controller.or_else(|| active_controller(self.session.world()));
            let waiting = |session: &Session| !condition.holds(session.world(), controller);
            return self
                .run_while(STEP_LIMIT, waiting)
                .then_some(())
                .ok_or_else(|| format!("never true: {phrase}"));
        }
        match action["do"].as_str().and_then(produce_phrase) {
            Some(load) if action.get("transactional_producer").is_none() => self.produce(&load),
            _ => Err(format!("unknown action: {action}")),
        }
    }

    fn node(&self, name: &str) -> Result<i32, String> {
        if name.starts_with("<the active controller") {
            return active_controller(self.session.world())
                .ok_or_else(|| "no controller is active".to_owned());
        }
        if name == "<the same>" {
            return self.stopped_controller.ok_or_else(|| "none was stopped".to_owned());
        }
        name.trim_start_matches("kafka").parse().map_err(|_| format!("no such node: {name}"))
    }

    fn docker(&mut self, action: DockerAction, id: i32) {
        self.tickets += 1;
        let ticket = self.tickets;
        self.session.console_mut(|_, host| host.docker(ticket, action, &format!("kafka{id}")));
    }

    fn produce(&mut self, load: &Load) -> Result<(), String> {
        let text = format!("{}\n", "x".repeat(load.bytes)).repeat(load.records);
        let batching = if load.one_a_batch { " --batch-size 1 --timeout 0" } else { "" };
        let line = format!(
            "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic {}{batching}",
            load.topic
        );
        let pid = self.session.start_run(RunSpec { line, stdin: RunInput::Text(text), cwd: None });
        let ended = self.run_until_ended(pid, STEP_LIMIT);
        self.session.console_mut(|console, host| console.forget(host, pid));
        ended.then_some(()).ok_or_else(|| "the load took too long".to_owned())
    }
}

struct Load {
    records: usize,
    bytes: usize,
    topic: String,
    one_a_batch: bool,
}

/// `produce N records of B bytes to TOPIC[, one record a batch]`
fn produce_phrase(phrase: &str) -> Option<Load> {
    let words: Vec<&str> = phrase.split_whitespace().collect();
    let ["produce", records, "records", "of", bytes, "bytes", "to", topic, ..] = words[..] else {
        return None;
    };
    Some(Load {
        records: records.parse().ok()?,
        bytes: bytes.parse().ok()?,
        topic: topic.trim_end_matches(',').to_owned(),
        one_a_batch: phrase.ends_with("one record a batch"),
    })
}
