//! Tools and their options as data: the parser, `--help`, completion, `man` and the docs all read these tables.
//!
//! The parser follows joptsimple without abbreviations, as Kafka's tools configure it (`new OptionParser(false)`), with its messages.

use std::fmt::Write;

use crate::script::{Pending, Script};
use crate::tool::{Invocation, ToolIo};
use crate::tools::Streaming;

/// A Kafka command-line tool.
pub struct Tool {
    /// Without `.sh`: `kafka-topics`.
    pub name: &'static str,
    /// One line, printed above the table of options.
    pub about: &'static str,
    /// In any order; the table is sorted by name.
    pub options: &'static [Opt],
    /// Lines for `man`: what it does, and the command.
    pub examples: &'static [(&'static str, &'static str)],
    /// How it runs.
    pub run: Run,
}

/// How a tool runs.
pub enum Run {
    /// To completion, as straight-line code that is run again from the top whenever an awaited reply arrives ([`crate::script`]).
    Script(fn(&mut Script<'_>) -> Result<i32, Pending>),
    /// As an explicit state machine ([`Streaming`]). `Err` is an exit code: it ended before it began.
    Streaming(fn(&Invocation, &mut ToolIo<'_>) -> Result<Streaming, i32>),
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt {
    /// Without dashes.
    pub name: &'static str,
    /// Other spellings, without dashes.
    pub aliases: &'static [&'static str],
    /// Whether it takes a value.
    pub argument: Argument,
    /// May be given several times.
    pub repeatable: bool,
    /// The parser refuses a line without it (joptsimple's `required()`), and the table marks it.
    pub required: bool,
    /// The value if it is not given, as the table shows it.
    pub default: Option<&'static str>,
    /// The version that deprecated it.
    pub deprecated_since: Option<&'static str>,
    /// What its value names: completion offers these.
    pub values: Values,
    /// Help in our own words.
    pub help: &'static str,
}

/// Whether an option takes a value; `kind` is the type as Java names it (`String`, `Integer`, `Long`), `name` what the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    None,
    Required { kind: &'static str, name: &'static str },
    Optional { kind: &'static str, name: &'static str },
}

/// What the values of an option name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Anything.
    Any,
    Topic,
    Group,
    /// `host:port` of a broker.
    BootstrapServer,
    /// A node id.
    Broker,
    /// A path on the console's disk.
    File,
    /// Names of topic configurations.
    TopicConfig,
    /// One of these.
    OneOf(&'static [&'static str]),
}

impl Opt {
    /// An option without value.
    pub const fn flag(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            argument: Argument::None,
            repeatable: false,
            required: false,
            default: None,
            deprecated_since: None,
            values: Values::Any,
            help,
        }
    }

    /// An option with a text as value.
    pub const fn text(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            argument: Argument::Required { kind: "String", name: value },
            ..Self::flag(name, help)
        }
    }

    /// An option with an `Integer` as value.
    pub const fn integer(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            argument: Argument::Required { kind: "Integer", name: value },
            ..Self::flag(name, help)
        }
    }

    /// An option with a `Long` as value.
    pub const fn long(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            argument: Argument::Required { kind: "Long", name: value },
            ..Self::flag(name, help)
        }
    }

    /// An option whose value may be left out.
    pub const fn optional(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            argument: Argument::Optional { kind: "String", name: value },
            ..Self::flag(name, help)
        }
    }

    pub const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }

    pub const fn deprecated(self, since: &'static str) -> Self {
        Self { deprecated_since: Some(since), ..self }
    }

    pub const fn values(self, values: Values) -> Self {
        Self { values, ..self }
    }

    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Why a command line was refused. `Display` is joptsimple's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    Unrecognized(String),
    MissingArgument(&'static str),
    MissingRequired(Vec<&'static str>),
    Conversion { option: &'static str, value: String },
    Multiple(&'static str),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unrecognized(name) => write!(f, "{name} is not a recognized option"),
            Self::MissingArgument(name) => write!(f, "Option {name} requires an argument"),
            Self::MissingRequired(names) => {
                write!(f, "Missing required option(s) [{}]", names.join(", "))
            }
            Self::Conversion { option, value } => {
                write!(f, "Cannot parse argument '{value}' of option {option}")
            }
            Self::Multiple(name) => {
                write!(f, "Found multiple arguments for option {name}, but you asked for only one")
            }
        }
    }
}

impl ParseError {
    /// The Java class of the exception, with its package.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unrecognized(_) => "joptsimple.UnrecognizedOptionException",
            Self::MissingArgument(_) => "joptsimple.OptionMissingRequiredArgumentException",
            Self::MissingRequired(_) => "joptsimple.MissingRequiredOptionsException",
            Self::Conversion { .. } => "joptsimple.OptionArgumentConversionException",
            Self::Multiple(_) => "joptsimple.MultipleArgumentsForOptionException",
        }
    }
}

/// A parsed command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Options in the order given, by their main name, with the value if one was given.
    given: Vec<(&'static Opt, Option<String>)>,
    /// Words that are no option and no value. Kafka's tools ignore them.
    pub positional: Vec<String>,
}

impl Tool {
    /// Parses `arguments` (without the command's name) as joptsimple does. Required options are checked last, as there;
    /// not if `--help` is among them.
    pub fn parse(&'static self, arguments: &[String]) -> Result<Arguments, ParseError> {
        let parsed = self.parse_leniently(arguments)?;
        let missing: Vec<&'static str> = self
            .options
            .iter()
            .filter(|option| option.required && !parsed.has(option.name))
            .map(|option| option.name)
            .collect();
        if !missing.is_empty() && !parsed.has("help") && !parsed.has("version") {
            return Err(ParseError::MissingRequired(missing));
        }
        Ok(parsed)
    }

    /// As [`Tool::parse`], without the check of required options.
    pub fn parse_leniently(&'static self, arguments: &[String]) -> Result<Arguments, ParseError> {
        let mut parsed = Arguments::default();
        let mut words = arguments.iter().peekable();
        let mut only_words = false;
        while let Some(word) = words.next() {
            if only_words || word == "-" || !word.starts_with('-') {
                parsed.positional.push(word.clone());
                continue;
            }
            if word == "--" {
                only_words = true;
                continue;
            }
            let (option, attached) = self.recognise(word)?;
            let value = match option.argument {
                Argument::None => None,
                _ if attached.is_some() => attached,
                Argument::Required { .. } => {
                    Some(words.next().ok_or(ParseError::MissingArgument(option.name))?.clone())
                }
                Argument::Optional { kind, .. } => {
                    let number = |word: &str| kind != "String" && word.parse::<i64>().is_ok();
                    words.next_if(|word| !word.starts_with('-') || number(word)).cloned()
                }
            };
            parsed.given.push((option, value));
        }
        Ok(parsed)
    }

    /// The option that `word` (`--name`, `--name=value`, `-name`) means, and the value attached to it unless empty.
    fn recognise(&'static self, word: &str) -> Result<(&'static Opt, Option<String>), ParseError> {
        let (body, long) = match word.strip_prefix("--") {
            Some(body) => (body, true),
            None => (&word[1..], false),
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned()).filter(|value| !value.is_empty())),
            None => (body, None),
        };
        match self.option(name) {
            Some(option) => Ok((option, value)),
            None if long => Err(ParseError::Unrecognized(name.to_owned())),
            // A cluster of short options: the first letter that is none is named.
            None => {
                let first = body
                    .chars()
                    .find(|letter| self.option(letter.encode_utf8(&mut [0; 4])).is_none());
                Err(ParseError::Unrecognized(first.map_or_else(|| name.to_owned(), String::from)))
            }
        }
    }

    /// The option of that name, without dashes.
    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.answers_to(name))
    }

    /// The table of options as joptsimple lays it out: two columns, 80 wide, sorted by name.
    pub fn usage(&self) -> String {
        const WIDTH: usize = 80;
        const GAP: usize = 2;
        let mut options: Vec<&Opt> = self.options.iter().collect();
        simulation::sorted::sort_by_key(&mut options, |option| option.name);
        let any_required = options.iter().any(|option| option.required);
        let mut rows: Vec<(String, String)> = Vec::with_capacity(options.len());
        for option in options {
            let mut left = if option.required { "* ".to_owned() } else { String::new() };
            for (index, name) in option.aliases.iter().chain([&option.name]).enumerate() {
                let dashes = if name.len() == 1 { "-" } else { "--" };
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(left, "{comma}{dashes}{name}");
            }
            match option.argument {
                Argument::None => {}
                Argument::Required { kind, name } if name.is_empty() => {
                    let _ = write!(left, " <{kind}>");
                }
                Argument::Optional { kind, name } if name.is_empty() => {
                    let _ = write!(left, " [{kind}]");
                }
                Argument::Required { kind, name } => {
                    let _ = write!(left, " <{kind}: {name}>");
                }
                Argument::Optional { kind, name } => {
                    let _ = write!(left, " [{kind}: {name}]");
                }
            }
            let mut right = option.help.to_owned();
            if let Some(since) = option.deprecated_since {
                let _ = write!(right, " Deprecated since {since}.");
            }
            if let Some(default) = option.default {
                let _ = write!(right, " (default: {default})");
            }
            rows.push((left, right));
        }
        let head = if any_required { "Option (* = required)" } else { "Option" };
        let left_width = rows
            .iter()
            .map(|row| row.0.len())
            .max()
            .unwrap_or(0)
            .max(head.len())
            .min((WIDTH - GAP) / 2);
        let right_width = WIDTH - left_width - GAP;
        let mut text = String::new();
        let mut line = |left: &str, right: &str| {
            let _ = writeln!(text, "{left:<left_width$}  {right:<right_width$}");
        };
        line(head, "Description");
        line(&"-".repeat(head.len()), "-----------");
        for (left, right) in rows {
            let left = wrap(&left, left_width);
            let right = wrap(&right, right_width);
            for index in 0..left.len().max(right.len()) {
                let piece = |pieces: &[String]| pieces.get(index).cloned().unwrap_or_default();
                line(&piece(&left), &piece(&right));
            }
        }
        text
    }
}

/// Breaks a text at blanks into pieces of at most `width`; all but the first are indented by two.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    for line in text.split('\n') {
        let mut piece = String::new();
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let used = piece.chars().count();
            if piece.trim().is_empty() {
                piece.push_str(word);
            } else if used + 1 + word.chars().count() > width {
                pieces.push(std::mem::replace(&mut piece, format!("  {word}")));
            } else {
                piece.push(' ');
                piece.push_str(word);
            }
        }
        pieces.push(piece);
    }
    pieces
}

impl Arguments {
    /// Whether the option was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(option, _)| option.answers_to(name))
    }

    /// Its value. Given twice is joptsimple's error. `None` if it was not given, or given without its optional value;
    /// defaults are the tool's to apply.
    pub fn value(&self, name: &str) -> Result<Option<&str>, ParseError> {
        let mut values = self
            .given
            .iter()
            .filter(|(option, _)| option.answers_to(name))
            .filter_map(|(option, value)| value.as_deref().map(|value| (option.name, value)));
        let first = values.next();
        if let (Some((name, _)), Some(_)) = (first, values.next()) {
            return Err(ParseError::Multiple(name));
        }
        Ok(first.map(|(_, value)| value))
    }

    /// All its values, in the order given.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.given
            .iter()
            .filter(|(option, _)| option.answers_to(name))
            .filter_map(|(_, value)| value.as_deref())
            .collect()
    }

    /// Its value as a 32-bit integer (Java's `Integer`).
    pub fn integer(&self, name: &str) -> Result<Option<i32>, ParseError> {
        self.number(name)
    }

    /// Its value as a 64-bit integer (Java's `Long`).
    pub fn long(&self, name: &str) -> Result<Option<i64>, ParseError> {
        self.number(name)
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, ParseError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let option = self
            .given
            .iter()
            .find(|(option, _)| option.answers_to(name))
            .map_or("", |(option, _)| option.name);
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ParseError::Conversion { option, value: value.to_owned() }),
        }
    }

    /// Names of the options given, in order, each as often as it was given.
    pub fn occurrences(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.given.iter().map(|(option, _)| option.name)
    }

    /// Names of the options given, in order, each once.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for (option, _) in &self.given {
            if !names.contains(&option.name) {
                names.push(option.name);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TOOL: Tool = Tool {
        name: "kafka-try",
        about: "Try.",
        options: &[
            Opt::text(
                "bootstrap-server",
                "server to connect to",
                "The brokers to ask first, separated by commas, as host:port.",
            ),
            Opt::text("topic", "topic", "The topic.").repeatable().values(Values::Topic),
            Opt::integer("partitions", "# of partitions", "How many."),
            Opt::optional("codec", "codec", "The codec."),
            Opt::flag("list", "List."),
            Opt::flag("version", "Version."),
            Opt::flag("help", "Help."),
        ],
        examples: &[],
        run: Run::Script(|_| Ok(0)),
    };

    fn parse(line: &str) -> Result<Arguments, ParseError> {
        TOOL.parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn refuses_in_the_words_of_joptsimple() {
        let cases = [
            (
                "--bogus",
                "bogus is not a recognized option",
                "joptsimple.UnrecognizedOptionException",
            ),
            ("--lis", "lis is not a recognized option", "joptsimple.UnrecognizedOptionException"),
            ("-x", "x is not a recognized option", "joptsimple.UnrecognizedOptionException"),
            (
                "--zookeeper=a:1",
                "zookeeper is not a recognized option",
                "joptsimple.UnrecognizedOptionException",
            ),
            (
                "--topic",
                "Option topic requires an argument",
                "joptsimple.OptionMissingRequiredArgumentException",
            ),
            (
                "--topic=",
                "Option topic requires an argument",
                "joptsimple.OptionMissingRequiredArgumentException",
            ),
        ];
        for (line, message, class) in cases {
            let error = parse(line).expect_err(line);
            assert_eq!((error.to_string().as_str(), error.class()), (message, class), "{line}");
        }
    }

    #[test]
    fn values_are_taken_as_joptsimple_takes_them() {
        let parsed = parse("--bootstrap-server --list -version extra --topic=a --topic b --codec --partitions abc -- --x").unwrap();
        assert_eq!(parsed.value("bootstrap-server").unwrap(), Some("--list"));
        assert!(!parsed.has("list"));
        assert!(parsed.has("version") && parsed.has("codec"));
        assert_eq!(parsed.value("codec").unwrap(), None);
        assert_eq!(parsed.values("topic"), ["a", "b"]);
        assert_eq!(
            parsed.value("topic").unwrap_err().to_string(),
            "Found multiple arguments for option topic, but you asked for only one"
        );
        assert_eq!(
            parsed.integer("partitions").unwrap_err().to_string(),
            "Cannot parse argument 'abc' of option partitions"
        );
        assert_eq!(parsed.positional, ["extra", "--x"]);
    }

    #[test]
    fn the_table_has_two_columns_of_eighty() {
        let text = TOOL.usage();
        assert!(text.starts_with("Option"), "{text}");
        assert!(text.lines().all(|line| line.len() == 80), "{text}");
        assert!(text.contains("--bootstrap-server <String: server to"), "{text}");
    }
}
