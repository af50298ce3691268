//! A transcript file: what was typed at a real cluster, and what came back. Format: tests/kafka/README.md.

use serde_json::Value;

/// One transcript.
pub struct Scenario {
    pub name: String,
    /// Broker configurations beside the recordings' own; none where no cluster is needed.
    pub cluster: Option<Cluster>,
    pub steps: Vec<Step>,
}

pub struct Cluster {
    pub configs: Vec<(String, String)>,
    /// By node id.
    pub racks: Vec<(i32, String)>,
}

pub struct Step {
    pub number: u64,
    /// None: a pure action.
    pub command: Option<String>,
    /// None: the end of input at once.
    pub stdin: Option<String>,
    pub files: Vec<(String, String)>,
    pub expected: Output,
    /// None: not compared.
    pub exit: Option<i32>,
    /// What happens to the cluster before.
    pub after: Vec<Value>,
    pub masks: Vec<Mask>,
    pub background: bool,
    pub terminal: bool,
    /// The background step that is interrupted, and by what.
    pub interrupt: Option<(u64, Signal)>,
    pub interrupted_after_s: Option<u64>,
    pub rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
    Kill,
}

/// What a program left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
}

pub struct Mask {
    pub pattern: fancy_regex::Regex,
    pub replacement: String,
}

/// How a step is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub compared: bool,
    pub unordered: bool,
    pub trace_elided: bool,
    /// `stdout` or `stderr`: the usage table that followed was cut there.
    pub help_elided: Option<String>,
    pub repeats_cut: bool,
}

impl Scenario {
    /// Reads a file; `Ok(None)` if it is not a scenario.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Some(steps) = file.get("steps").and_then(Value::as_array) else { return Ok(None) };
        let name = file["scenario"].as_str().ok_or("no scenario name")?.to_owned();
        let cluster = match &file["cluster"] {
            Value::Null => None,
            cluster => Some(Cluster {
                configs: pairs(&cluster["configs"]),
                racks: racks(&cluster["racks"]),
            }),
        };
        let steps = steps.iter().map(Step::parse).collect::<Result<_, _>>()?;
        Ok(Some(Self { name, cluster, steps }))
    }
}

fn pairs(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

fn racks(value: &Value) -> Vec<(i32, String)> {
    match value {
        Value::Array(racks) => (1..)
            .zip(racks)
            .filter_map(|(id, rack)| Some((id, rack.as_str()?.to_owned())))
            .collect(),
        object => pairs(object)
            .into_iter()
            .filter_map(|(node, rack)| Some((node.trim_start_matches("kafka").parse().ok()?, rack)))
            .collect(),
    }
}

impl Step {
    fn parse(step: &Value) -> Result<Self, String> {
        let number = step["n"].as_u64().ok_or("a step without a number")?;
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let flag = |name: &str| step[name].as_bool().unwrap_or(false);
        let masks = step["mask"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Mask::parse)
            .collect::<Result<_, _>>();
        let signal = match step["signal"].as_str() {
            None | Some("SIGINT") => Signal::Interrupt,
            Some("SIGTERM") => Signal::Terminate,
            Some("SIGKILL") => Signal::Kill,
            Some(other) => return Err(format!("step {number}: signal {other} is unknown")),
        };
        let background = flag("background");
        let command = step["cmd"].as_str().map(str::to_owned);
        let interrupt = step["interrupt"].as_u64();
        Ok(Self {
            number,
            stdin: step["stdin"].as_str().map(str::to_owned),
            files: pairs(&step["files"]),
            expected: Output { stdout: text("stdout"), stderr: text("stderr") },
            exit: step["exit"].as_i64().map(|exit| exit as i32),
            after: match &step["after"] {
                Value::Null => Vec::new(),
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            },
            masks: masks.map_err(|error| format!("step {number}: {error}"))?,
            terminal: flag("tty"),
            interrupted_after_s: step["interrupted_after_s"].as_u64(),
            rules: Rules {
                // A background step's output is compared when it is interrupted; a pure action has none.
                compared: step["compare"].as_bool().unwrap_or(true)
                    && !background
                    && (command.is_some() || interrupt.is_some()),
                unordered: flag("unordered"),
                trace_elided: flag("trace_elided"),
                help_elided: step["help_elided"].as_str().map(str::to_owned),
                repeats_cut: step
                    .get("repeats_cut")
                    .is_some_and(|cut| !cut.is_null() && cut != &Value::Bool(false)),
            },
            background,
            interrupt: interrupt.map(|number| (number, signal)),
            command,
        })
    }
}

impl Mask {
    fn parse(mask: &Value) -> Result<Self, String> {
        let pattern = mask["re"].as_str().ok_or("a mask without pattern")?;
        let replacement = mask["as"].as_str().ok_or("a mask without replacement")?.to_owned();
        // Python's re.MULTILINE.
        let pattern = fancy_regex::Regex::new(&format!("(?m){pattern}"))
            .map_err(|error| error.to_string())?;
        Ok(Self { pattern, replacement })
    }
}
