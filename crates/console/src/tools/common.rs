//! What Kafka's tools share: property files, `key=value` words, addresses, usage. Kafka: `CommandLineUtils`, `ToolsUtils`,
//! `ClientUtils.parseAndValidateAddresses`.

use cluster::client::BootstrapServer;
use cluster::config::validator::host_and_port;

use crate::disk::DiskError;
use crate::host::Address;
use crate::options::{Arguments, Tool};
use crate::pattern::{Pattern, Syntax};
use crate::script::Script;
use crate::tool::ToolIo;

/// What a tool's start needs of its surroundings, whether it is a script or a state machine.
pub trait Surroundings {
    fn out(&mut self, text: &str);
    fn err(&mut self, text: &str);
    /// A log4j line on stderr.
    fn log(&mut self, level: &str, message: &str, logger: &str);
    fn resolve(&mut self, host: &str, port: u16) -> Address;
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, DiskError>;
}

macro_rules! surroundings {
    ($type:ident) => {
        impl Surroundings for $type<'_> {
            fn out(&mut self, text: &str) {
                $type::out(self, text);
            }
            fn err(&mut self, text: &str) {
                $type::err(self, text);
            }
            fn log(&mut self, level: &str, message: &str, logger: &str) {
                $type::log(self, level, message, logger);
            }
            fn resolve(&mut self, host: &str, port: u16) -> Address {
                $type::resolve(self, host, port)
            }
            fn read_file(&mut self, path: &str) -> Result<Vec<u8>, DiskError> {
                $type::read_file(self, path)
            }
        }
    };
}
surroundings!(ToolIo);
surroundings!(Script);

/// `CommandLineUtils.printUsageAndExit`: the message and the table of options on stderr; the exit code.
pub fn usage_and_exit(tool: &'static Tool, message: &str, io: &mut impl Surroundings) -> i32 {
    io.err(&format!("{message}\n{}", tool.usage()));
    1
}

/// `CommandLineUtils.maybePrintHelpOrVersion`: an exit code if there is no word at all, `--help` or `--version`.
pub fn help_or_version(
    tool: &'static Tool,
    words: &[String],
    arguments: &Arguments,
    io: &mut impl Surroundings,
) -> Option<i32> {
    if words.is_empty() || arguments.has("help") {
        return Some(usage_and_exit(tool, tool.about, io));
    }
    if arguments.has("version") {
        io.out("4.3.1\n");
        return Some(0);
    }
    None
}

/// `CommandLineUtils.checkInvalidArgs`: an exit code if `used` was given together with one of the others.
pub fn check_invalid(
    tool: &'static Tool,
    arguments: &Arguments,
    used: &str,
    invalid: &[&str],
    io: &mut impl Surroundings,
) -> Option<i32> {
    if !arguments.has(used) {
        return None;
    }
    let other = invalid.iter().find(|name| arguments.has(name))?;
    let message = format!("Option \"[{used}]\" can't be used with option \"[{other}]\"");
    Some(usage_and_exit(tool, &message, io))
}

/// `IncludeList`: commas mean "or", blanks and quotes around do not count. The error is the message of a `RuntimeException`.
pub fn include_list(text: &str) -> Result<Pattern, String> {
    let cleaned = text.trim().replace(',', "|").replace(' ', "");
    let cleaned = cleaned.trim_matches(['"', '\'']);
    Pattern::new(cleaned, Syntax::Extended, false)
        .map_err(|_| format!("{cleaned} is an invalid regex."))
}

/// `CommandLineUtils.checkRequiredArgs`: an exit code if one is missing.
pub fn check_required(
    tool: &'static Tool,
    arguments: &Arguments,
    required: &[&str],
    io: &mut impl Surroundings,
) -> Option<i32> {
    let missing = required.iter().find(|name| !arguments.has(name))?;
    Some(usage_and_exit(tool, &format!("Missing required argument \"[{missing}]\""), io))
}

/// Settings by name; a later one replaces an earlier one of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn put(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    pub fn put_all(&mut self, other: &Properties) {
        for (name, value) in &other.0 {
            self.put(name, value);
        }
    }

    pub fn into_vec(self) -> Vec<(String, String)> {
        self.0
    }

    pub fn as_slice(&self) -> &[(String, String)] {
        &self.0
    }

    /// `CommandLineUtils.maybeMergeOptions`: an option that was given, or its default where nothing is set yet.
    pub fn merge_option(&mut self, name: &str, given: Option<&str>, default: &str) {
        match given {
            Some(value) => self.put(name, value),
            None if self.get(name).is_none() => self.put(name, default),
            None => {}
        }
    }

    /// `CommandLineUtils.parseKeyValueArgs`: words like `acks=all`; without `=` the value is empty.
    pub fn of_words(words: &[&str]) -> Self {
        let mut properties = Self::default();
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            properties.put(name, value);
        }
        properties
    }

    /// Reads a file as `java.util.Properties.load` does. The error is the exception's text: the path.
    pub fn load(path: &str, io: &mut impl Surroundings) -> Result<Self, String> {
        let bytes = io.read_file(path).map_err(|_| path.to_owned())?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// The format of `java.util.Properties`: `name=value`, `name:value` or `name value`; `#` and `!` begin comments; a
    /// backslash escapes, and at the end of a line joins the next one to it.
    pub fn parse(text: &str) -> Self {
        let mut properties = Self::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let mut logical = line.to_owned();
            while logical.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
                logical.pop();
                let Some(next) = lines.next() else { break };
                logical.push_str(next.trim_start());
            }
            let (name, value) = split_property(&logical);
            properties.put(&unescape(name), &unescape(value));
        }
        properties
    }
}

fn split_property(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, letter)| {
        let ends = !escaped && (letter.is_ascii_whitespace() || matches!(letter, '=' | ':'));
        escaped = !escaped && *letter == '\\';
        ends
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start();
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start())
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// `ToolsUtils.validateBootstrapServer`: the message if the list is not one of `host:port`.
pub fn validate_bootstrap_server(servers: Option<&str>) -> Result<(), &'static str> {
    let servers = servers.unwrap_or_default();
    if servers.trim().is_empty() {
        return Err("Error while validating the bootstrap address\n");
    }
    if servers.split(',').all(|server| host_and_port(server).is_some()) {
        Ok(())
    } else {
        Err("Please provide valid host:port like host1:9091,host2:9092\n")
    }
}

/// `ClientUtils.parseAndValidateAddresses`: the addresses that have a meaning, or the message of a `ConfigException`.
/// Names that DNS does not know are warned of.
pub fn bootstrap_servers(
    servers: &str,
    io: &mut impl Surroundings,
) -> Result<Vec<BootstrapServer>, String> {
    let mut resolved = Vec::new();
    for server in servers.split(',').map(str::trim).filter(|server| !server.is_empty()) {
        let Some((host, port)) = host_and_port(server) else {
            return Err(format!("Invalid url in bootstrap.servers: {server}"));
        };
        let Ok(port) = port.parse::<u16>() else {
            return Err(format!("Invalid port in bootstrap.servers: {server}"));
        };
        let node = match io.resolve(host, port) {
            Address::Node(node) => Some(node),
            Address::Refused => None,
            Address::UnknownHost => {
                let text = format!(
                    "Couldn't resolve server {server} from bootstrap.servers as DNS resolution failed for {host}"
                );
                io.log("WARN", &text, "org.apache.kafka.clients.ClientUtils");
                continue;
            }
        };
        resolved.push(BootstrapServer { host: host.to_owned(), port: i32::from(port), node });
    }
    if resolved.is_empty() {
        return Err("No resolvable bootstrap urls given in bootstrap.servers".to_owned());
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_files_are_read_as_java_reads_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("acks=all\nlinger.ms=1\n", &[("acks", "all"), ("linger.ms", "1")]),
            ("# comment\n! another\n\n  a = b c \n", &[("a", "b c ")]),
            ("a:b\nc d\ne", &[("a", "b"), ("c", "d"), ("e", "")]),
            ("a=1\\\n   2\nb\\=c=d\\tx", &[("a", "12"), ("b=c", "d\tx")]),
            ("a=\\u0041\\\\\na=2", &[("a", "2")]),
        ];
        for (text, expected) in cases {
            let found = Properties::parse(text).into_vec();
            let found: Vec<_> =
                found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(&found, expected, "{text:?}");
        }
    }

    #[test]
    fn bootstrap_lists_are_checked() {
        for (servers, message) in [
            (None, "Error while validating the bootstrap address\n"),
            (Some(" "), "Error while validating the bootstrap address\n"),
            (Some("localhost"), "Please provide valid host:port like host1:9091,host2:9092\n"),
            (Some("a:1,b"), "Please provide valid host:port like host1:9091,host2:9092\n"),
            (Some("a:1,,b:2"), "Please provide valid host:port like host1:9091,host2:9092\n"),
        ] {
            assert_eq!(validate_bootstrap_server(servers), Err(message), "{servers:?}");
        }
        assert_eq!(validate_bootstrap_server(Some("a:1,PLAINTEXT://b:2")), Ok(()));
    }
}
