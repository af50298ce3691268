//! `kafka-configs`: shows and changes dynamic settings of topics, brokers and groups. Kafka: `kafka.admin.ConfigCommand`.

use cluster::java::{JavaHashMap, JavaHashSet};
use cluster::protocol::{
    AlterConfigsResource, AlterableConfig, DescribeConfigsRequest, DescribeConfigsResource,
    DescribeConfigsResourceResult, ErrorCode, IncrementalAlterConfigsRequest,
    ListConfigResourcesRequest, Response,
};
use cluster::topic_names;
use simulation::Micros;

use super::admin::AdminClient;
use super::common::{Properties, Surroundings, check_invalid, help_or_version, usage_and_exit};
use super::exception::{Attempt, Exception, attempt};
use super::groups::GroupAdmin;
use super::requests::{self, call, create_admin, load_properties};
use crate::client::{ClientError, Destination};
use crate::options::{Arguments, Opt, Run, Tool, Values};
use crate::script::{Pending, Script};

/// How long one alteration or description may take.
const TIMEOUT: Micros = Micros::from_secs(30);
const TOPICS: &str = "topics";
const CLIENTS: &str = "clients";
const USERS: &str = "users";
const BROKERS: &str = "brokers";
const IPS: &str = "ips";
const CLIENT_METRICS: &str = "client-metrics";
const GROUPS: &str = "groups";
const BROKER_LOGGERS: &str = "broker-loggers";
const ENTITY_TYPES: [&str; 8] =
    [TOPICS, CLIENTS, USERS, BROKERS, IPS, CLIENT_METRICS, GROUPS, BROKER_LOGGERS];
/// Types whose default has settings of its own.
const WITH_DEFAULT: [&str; 4] = [USERS, CLIENTS, BROKERS, IPS];
/// Options that name an entity of a type.
const ENTITY_FLAGS: [(&str, &str); 8] = [
    ("topic", TOPICS),
    ("client", CLIENTS),
    ("user", USERS),
    ("broker", BROKERS),
    ("broker-logger", BROKER_LOGGERS),
    ("ip", IPS),
    ("client-metrics", CLIENT_METRICS),
    ("group", GROUPS),
];
/// Options that mean a type's default.
const DEFAULT_FLAGS: [(&str, &str); 4] = [
    ("client-defaults", CLIENTS),
    ("user-defaults", USERS),
    ("broker-defaults", BROKERS),
    ("ip-defaults", IPS),
];

pub static TOOL: Tool = Tool {
    name: "kafka-configs",
    about: "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group",
    options: &[
        Opt::text("bootstrap-server", "server to connect to", "Brokers to contact first, as host:port, separated by commas.")
            .values(Values::BootstrapServer),
        Opt::text("bootstrap-controller", "controller to connect to", "Controllers to contact instead of brokers."),
        Opt::text("command-config", "command config property file", "File with settings of the admin client.")
            .values(Values::File),
        Opt::flag("alter", "Change settings."),
        Opt::flag("describe", "Show settings that were changed."),
        Opt::flag("all", "With --describe: all settings, also those that nobody changed."),
        Opt::text("entity-type", "", "What to configure: topics, brokers, groups, clients, users, ips, client-metrics or broker-loggers.")
            .repeatable()
            .values(Values::OneOf(&ENTITY_TYPES)),
        Opt::text("entity-name", "", "Which one: a topic, the id of a broker, a group, ...").repeatable().values(Values::Topic),
        Opt::flag("entity-default", "The default of all brokers, clients, users or ips.").repeatable(),
        Opt::text("add-config", "", "Settings to set: name=value, separated by commas; a value with commas stands in square brackets.")
            .values(Values::TopicConfig),
        Opt::text("add-config-file", "", "File with settings to set.").values(Values::File),
        Opt::text("delete-config", "", "Names of settings to remove, separated by commas.")
            .repeatable()
            .values(Values::TopicConfig),
        Opt::text("topic", "", "The topic.").values(Values::Topic),
        Opt::text("client", "", "The id of the client."),
        Opt::flag("client-defaults", "The default of all clients."),
        Opt::text("user", "", "The name of the user."),
        Opt::flag("user-defaults", "The default of all users."),
        Opt::text("broker", "", "The id of the broker.").values(Values::Broker),
        Opt::flag("broker-defaults", "The default of all brokers."),
        Opt::text("broker-logger", "", "The id of the broker whose loggers are meant.").values(Values::Broker),
        Opt::text("ip", "", "The address."),
        Opt::flag("ip-defaults", "The default of all addresses."),
        Opt::text("client-metrics", "", "The name of the subscription to client metrics."),
        Opt::text("group", "", "The group.").values(Values::Group),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        ("Keep records for one minute", "kafka-configs --bootstrap-server localhost:9092 --alter --topic orders --add-config retention.ms=60000"),
        ("What was changed?", "kafka-configs --bootstrap-server localhost:9092 --describe --topic orders"),
        ("All settings of a broker, and where they come from", "kafka-configs --bootstrap-server localhost:9092 --describe --broker 1 --all"),
    ],
    run: Run::Script(run),
};

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    let arguments = match TOOL.parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            script.err(&format!("{error}\n"));
            return Ok(1);
        }
    };
    if let Some(code) = help_or_version(&TOOL, &words, &arguments, script) {
        return Ok(code);
    }
    let entities = match check(&arguments, script) {
        Err(code) => return Ok(code),
        Ok(entities) => entities,
    };
    let done = match entities {
        Ok(entities) => process(script, &arguments, &entities)?,
        Err(error) => Err(error),
    };
    let Err(error) = done else { return Ok(0) };
    if error.class == "java.lang.IllegalArgumentException"
        || error.class.starts_with("joptsimple.")
        || error.is(ErrorCode::InvalidConfig)
        || error.is(ErrorCode::UnsupportedVersion)
    {
        script.err(&format!("{}\n", error.message));
    } else {
        let line = words.join(" ");
        script.err(&format!("Error while executing config command with args '{line}'\n{error}\n"));
    }
    Ok(1)
}

/// What is meant: types, and names of entities; the empty name is a type's default.
struct Entities {
    types: Vec<String>,
    names: Vec<String>,
}

impl Entities {
    fn of(arguments: &Arguments) -> Result<Self, Exception> {
        let mut types: Vec<String> =
            arguments.values("entity-type").into_iter().map(str::to_owned).collect();
        let flags = || ENTITY_FLAGS.iter().filter(|(flag, _)| arguments.has(flag));
        let defaults = || DEFAULT_FLAGS.iter().filter(|(flag, _)| arguments.has(flag));
        types.extend(flags().chain(defaults()).map(|(_, kind)| (*kind).to_owned()));
        let mut named = arguments.values("entity-name").into_iter();
        let mut names: Vec<String> = arguments
            .occurrences()
            .filter(|name| matches!(*name, "entity-name" | "entity-default"))
            .map(|name| if name == "entity-name" { named.next().unwrap_or_default() } else { "" })
            .map(str::to_owned)
            .collect();
        for (flag, _) in flags() {
            names.push(arguments.value(flag)?.unwrap_or_default().to_owned());
        }
        names.extend(defaults().map(|_| String::new()));
        Ok(Self { types, names })
    }

    fn has(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known == kind)
    }

    /// `topics,brokers`
    fn types_text(&self) -> String {
        self.types.join(",")
    }
}

/// `ConfigCommandOptions.checkArgs`: `Err` is an exit code, the inner error an exception.
fn check(
    arguments: &Arguments,
    io: &mut impl Surroundings,
) -> Result<Result<Entities, Exception>, i32> {
    if ["alter", "describe"].iter().filter(|action| arguments.has(action)).count() != 1 {
        let text = "Command must include exactly one action: --describe, --alter";
        return Err(usage_and_exit(&TOOL, text, io));
    }
    let invalid = &["alter", "add-config", "delete-config"];
    if let Some(code) = check_invalid(&TOOL, arguments, "describe", invalid, io) {
        return Err(code);
    }
    Ok(check_entities(arguments))
}

fn check_entities(arguments: &Arguments) -> Result<Entities, Exception> {
    let refuse = |message: String| Err(Exception::illegal_argument(message));
    let given = |name: &str| arguments.has(name);
    let entities = Entities::of(arguments)?;
    let (types, names) = (&entities.types, &entities.names);
    let twice: Vec<&str> = types
        .iter()
        .enumerate()
        .filter(|(index, kind)| types[..*index].contains(kind))
        .map(|(_, kind)| kind.as_str())
        .collect();
    if !twice.is_empty() {
        return refuse(format!("Duplicate entity type(s) specified: {}", twice.join(",")));
    }
    if !given("bootstrap-server") && !given("bootstrap-controller") {
        return refuse(
            "Either --bootstrap-server or --bootstrap-controller must be specified.".to_owned(),
        );
    }
    if let Some(unknown) = types.iter().find(|kind| !ENTITY_TYPES.contains(&kind.as_str())) {
        return refuse(format!(
            "Invalid entity type {unknown}, the entity type must be one of {} with a --bootstrap-server or --bootstrap-controller argument",
            ENTITY_TYPES.join(", ")
        ));
    }
    if types.is_empty() {
        return refuse("At least one entity type must be specified".to_owned());
    }
    if types.len() > 1 && !(types.len() == 2 && entities.has(USERS) && entities.has(CLIENTS)) {
        return refuse(format!(
            "Only '{USERS}' and '{CLIENTS}' entity types may be specified together"
        ));
    }
    let mut flags = ENTITY_FLAGS.iter().chain(&DEFAULT_FLAGS);
    if ["entity-name", "entity-type", "entity-default"].iter().any(|name| given(name))
        && flags.any(|(flag, _)| given(flag))
    {
        return refuse("--entity-{type,name,default} should not be used in conjunction with specific entity flags".to_owned());
    }
    if given("bootstrap-server") && given("bootstrap-controller") {
        return refuse(
            "Only one of --bootstrap-server or --bootstrap-controller can be specified".to_owned(),
        );
    }
    let has_name = names.iter().any(|name| !name.is_empty());
    if has_name && (entities.has(BROKERS) || entities.has(BROKER_LOGGERS)) {
        for option in ["entity-name", "broker", "broker-logger"] {
            let id = arguments.value(option)?;
            if let Some(id) = id.filter(|id| id.parse::<i32>().is_err()) {
                return refuse(format!(
                    "The entity name for {} must be a valid integer broker id, but it is: {id}",
                    types[0]
                ));
            }
        }
    }
    if given("describe") {
        if !WITH_DEFAULT.iter().any(|kind| entities.has(kind)) && given("entity-default") {
            return refuse(format!(
                "--entity-default must not be specified with --describe of {}",
                entities.types_text()
            ));
        }
        if entities.has(BROKER_LOGGERS) && !has_name {
            return refuse(format!(
                "An entity name must be specified with --describe of {}",
                entities.types_text()
            ));
        }
    } else {
        if WITH_DEFAULT.iter().any(|kind| entities.has(kind)) {
            if names.is_empty() {
                return refuse("An entity-name or default entity must be specified with --alter of users, clients, brokers or ips".to_owned());
            }
        } else if !has_name {
            return refuse(format!(
                "An entity name must be specified with --alter of {}",
                entities.types_text()
            ));
        }
        if given("add-config") && given("add-config-file") {
            return refuse(
                "Only one of --add-config or --add-config-file must be specified".to_owned(),
            );
        }
        if !["add-config", "add-config-file", "delete-config"].iter().any(|name| given(name)) {
            return refuse("At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter".to_owned());
        }
    }
    Ok(entities)
}

fn process(script: &mut Script<'_>, arguments: &Arguments, entities: &Entities) -> Attempt<()> {
    let config = attempt!(load_properties(script, arguments, "command-config"));
    let servers = attempt!(arguments.value("bootstrap-server"));
    let controllers = attempt!(arguments.value("bootstrap-controller"));
    let servers = servers.or(controllers).unwrap_or_default();
    let mut admin = attempt!(create_admin(script, servers, &config));
    let (Some(kind), name) = (entities.types.first(), entities.names.first()) else {
        return Ok(Ok(()));
    };
    if arguments.has("describe") {
        return describe(script, &mut admin, kind, name.map(String::as_str), arguments.has("all"));
    }
    let Some(name) = name.filter(|_| entities.types.len() == entities.names.len()) else {
        let text = "An entity name must be specified for every entity type";
        return Ok(Err(Exception::illegal_argument(text)));
    };
    let added = attempt!(configs_to_add(script, arguments));
    let deleted: Vec<&str> = arguments
        .values("delete-config")
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect();
    attempt!(alter(script, &mut admin, kind, name, &added, &deleted)?);
    let one = &kind[..kind.len() - 1];
    script.out(&if name.is_empty() {
        format!("Completed updating default config for {kind} in the cluster.\n")
    } else {
        format!("Completed updating config for {one} {name}.\n")
    });
    Ok(Ok(()))
}

/// Where text outside square brackets ends: whether the first bracket of what follows opens, or there is none.
fn outside_brackets(rest: &str) -> bool {
    rest.find(['[', ']']).is_none_or(|at| rest[at..].starts_with('['))
}

/// Splits at a separator outside square brackets.
fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(separator) {
        if outside_brackets(&text[at + 1..]) {
            pieces.push(&text[start..at]);
            start = at + 1;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// The words of `--add-config`: `name=value`, separated by commas.
fn parse_configs(text: &str) -> Result<Vec<(String, String)>, Exception> {
    let mut words = split_outside(text, ',');
    while words.len() > 1 && words.last() == Some(&"") {
        words.pop();
    }
    let pair = |word: &str| match split_outside(word, '=').as_slice() {
        [name, value] => {
            Ok((name.trim().to_owned(), value.replace(['[', ']'], "").trim().to_owned()))
        }
        _ => Err(Exception::illegal_argument(
            "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \"key=[val1,val2]\" to group values which contain commas.",
        )),
    };
    words.into_iter().map(pair).collect()
}

fn configs_to_add(
    script: &mut Script<'_>,
    arguments: &Arguments,
) -> Result<Vec<(String, String)>, Exception> {
    let mut configs: Properties = load_properties(script, arguments, "add-config-file")?;
    if let Some(text) = arguments.value("add-config")? {
        for (name, value) in parse_configs(text)? {
            configs.put(&name, &value);
        }
    }
    let configs = configs.into_vec();
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "$._-".contains(letter);
    match configs.iter().find(|(name, _)| !name.chars().all(legal)) {
        Some((name, _)) => Err(Exception::illegal_argument(format!(
            "Invalid character found for config key: {name}"
        ))),
        None => Ok(configs),
    }
}

/// The number of a type in requests; none for types that have quotas instead of settings.
fn resource_type(kind: &str) -> Option<i8> {
    Some(match kind {
        TOPICS => 2,
        BROKERS => 4,
        BROKER_LOGGERS => 8,
        CLIENT_METRICS => 16,
        GROUPS => 32,
        _ => return None,
    })
}

/// A broker's own settings are asked of it; all others of any node.
fn destination(kind: &str, name: &str) -> Destination {
    match name.parse() {
        Ok(id) if matches!(kind, BROKERS | BROKER_LOGGERS) => Destination::Node(id),
        _ => Destination::Any,
    }
}

/// Quotas are not served by these brokers, which the client learns from their `ApiVersions`.
fn without_quotas(api: &str) -> Exception {
    let text = format!("The node does not support {api}");
    Exception::from(ClientError::of(ErrorCode::UnsupportedVersion, Some(&text))).in_execution()
}

fn alter(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    kind: &str,
    name: &str,
    added: &[(String, String)],
    deleted: &[&str],
) -> Attempt<()> {
    let Some(resource_type) = resource_type(kind) else {
        return Ok(Err(without_quotas("DESCRIBE_CLIENT_QUOTAS")));
    };
    if kind == BROKER_LOGGERS {
        let known = attempt!(resource_configs(script, admin, kind, name, false)?);
        let unknown = |logger: &str| !known.iter().any(|known| known.name == logger);
        let all = deleted.iter().copied().chain(added.iter().map(|(name, _)| name.as_str()));
        let unknown: Vec<&str> = all.filter(|logger| unknown(logger)).collect();
        if !unknown.is_empty() {
            return Ok(Err(Exception::new(
                "org.apache.kafka.common.errors.InvalidConfigurationException",
                format!("Invalid broker logger(s): {}", unknown.join(",")),
            )));
        }
    }
    let operation = |name: &str, config_operation: i8, value: &str| AlterableConfig {
        name: name.to_owned(),
        config_operation,
        value: Some(value.to_owned()),
    };
    let deletions = deleted.iter().map(|name| operation(name, 1, ""));
    let additions = added.iter().map(|(name, value)| operation(name, 0, value));
    let resource = AlterConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configs: deletions.chain(additions).collect(),
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let deadline = script.now() + TIMEOUT;
    let to = destination(kind, name);
    let call = "incrementalAlterConfigs";
    let answer = admin.call_until(script, call, &to, &request.into(), deadline)?;
    let response = match answer {
        Ok(Response::IncrementalAlterConfigs(response)) => response,
        Ok(other) => return Ok(Err(requests::wrong_answer(&other))),
        Err(error) => return Ok(Err(Exception::from(error).in_execution())),
    };
    for result in response.responses {
        if let Err(error) = Exception::of_code(result.error_code, result.error_message.as_deref()) {
            return Ok(Err(error.in_execution()));
        }
    }
    Ok(Ok(()))
}

fn in_execution<T>(result: Result<T, Exception>) -> Result<T, Exception> {
    result.map_err(|error| error.in_execution())
}

/// Names of all topics, in the order of a `HashMap`.
fn topic_names(script: &mut Script<'_>, admin: &mut AdminClient) -> Attempt<Vec<String>> {
    let metadata = attempt!(in_execution(requests::list_topics(script, admin)?));
    let names: JavaHashSet<String> =
        metadata.topics.into_iter().filter_map(|topic| topic.name).collect();
    Ok(Ok(names.iter().cloned().collect()))
}

fn broker_ids(script: &mut Script<'_>, admin: &mut AdminClient) -> Attempt<Vec<String>> {
    let brokers = attempt!(in_execution(requests::brokers(script, admin)?));
    Ok(Ok(brokers.iter().map(|broker| broker.broker_id.to_string()).collect()))
}

/// Names of resources of a type that have settings. `Admin.listConfigResources`
fn configured(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    resource_type: i8,
) -> Attempt<Vec<String>> {
    let ask = |script: &mut Script<'_>, admin: &mut AdminClient| -> Attempt<Vec<String>> {
        let request = ListConfigResourcesRequest { resource_types: vec![resource_type] };
        let to = &Destination::Any;
        let response =
            call!(admin, script, "listConfigResources", to, request, ListConfigResources);
        attempt!(Exception::of_code(response.error_code, None));
        let names = response.config_resources.into_iter().map(|resource| resource.resource_name);
        Ok(Ok(names.collect()))
    };
    Ok(in_execution(ask(script, admin)?))
}

/// Every entity of a type, as a description without a name shows them.
fn all_entities(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    kind: &str,
) -> Attempt<Vec<String>> {
    match kind {
        TOPICS => topic_names(script, admin),
        BROKERS | BROKER_LOGGERS => broker_ids(script, admin),
        CLIENT_METRICS => configured(script, admin, 16),
        _ => {
            let mut names: JavaHashMap<String, ()> = JavaHashMap::new();
            let mut groups = GroupAdmin { admin, timeout: TIMEOUT + TIMEOUT };
            for group in attempt!(in_execution(groups.list_groups(script, &[], &[])?)) {
                names.insert(group.group_id, ());
            }
            for name in attempt!(configured(script, admin, 32)?) {
                names.insert(name, ());
            }
            Ok(Ok(names.keys().cloned().collect()))
        }
    }
}

fn describe(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    kind: &str,
    name: Option<&str>,
    all: bool,
) -> Attempt<()> {
    if resource_type(kind).is_none() {
        return Ok(Err(without_quotas("DESCRIBE_CLIENT_QUOTAS")));
    }
    let one = &kind[..kind.len() - 1];
    if let Some(name) = name.filter(|_| !all) {
        if kind == TOPICS {
            attempt!(check_topic(name));
        }
        let is_default = name.is_empty() && matches!(kind, BROKERS | BROKER_LOGGERS);
        if !is_default {
            let known = attempt!(all_entities(script, admin, kind)?);
            if !known.iter().any(|known| known == name) {
                script.out(&format!(
                    "The {one} '{name}' doesn't exist and doesn't have dynamic config.\n"
                ));
                return Ok(Ok(()));
            }
        }
    }
    let entities = match name {
        Some(name) => vec![name.to_owned()],
        None => {
            let mut entities = attempt!(all_entities(script, admin, kind)?);
            if matches!(kind, BROKERS | BROKER_LOGGERS) {
                entities.push(String::new());
            }
            entities
        }
    };
    for entity in entities {
        let which = if all { "All" } else { "Dynamic" };
        script.out(&if entity.is_empty() {
            format!("Default configs for {kind} in the cluster are:\n")
        } else {
            format!("{which} configs for {one} {entity} are:\n")
        });
        let mut configs = attempt!(resource_configs(script, admin, kind, &entity, true)?);
        let wanted = dynamic_source(kind, &entity).filter(|_| !all);
        configs.retain(|config| wanted.is_none_or(|source| config.config_source == source));
        simulation::sorted::sort_by(&mut configs, |a, b| a.name.cmp(&b.name));
        for config in configs {
            script.out(&config_line(&config));
        }
    }
    Ok(Ok(()))
}

fn check_topic(name: &str) -> Result<(), Exception> {
    topic_names::validate(name).map_err(|message| {
        Exception::new("org.apache.kafka.common.errors.InvalidTopicException", message)
    })
}

/// The source of settings that were changed while the cluster runs; `None` where all are.
fn dynamic_source(kind: &str, name: &str) -> Option<i8> {
    Some(match kind {
        TOPICS => 1,
        BROKERS if name.is_empty() => 3,
        BROKERS => 2,
        CLIENT_METRICS => 7,
        GROUPS => 8,
        _ => return None,
    })
}

/// Kafka: `ConfigEntry.ConfigSource`.
fn source_name(source: i8) -> &'static str {
    match source {
        1 => "DYNAMIC_TOPIC_CONFIG",
        2 => "DYNAMIC_BROKER_CONFIG",
        3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        4 => "STATIC_BROKER_CONFIG",
        5 => "DEFAULT_CONFIG",
        6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
        7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
        8 => "DYNAMIC_GROUP_CONFIG",
        _ => "UNKNOWN",
    }
}

fn config_line(config: &DescribeConfigsResourceResult) -> String {
    let text = |value: &Option<String>| value.as_deref().unwrap_or("null").to_owned();
    let synonyms: Vec<String> = config
        .synonyms
        .iter()
        .map(|one| format!("{}:{}={}", source_name(one.source), one.name, text(&one.value)))
        .collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}\n",
        config.name,
        text(&config.value),
        config.is_sensitive,
        synonyms.join(", ")
    )
}

fn resource_configs(
    script: &mut Script<'_>,
    admin: &mut AdminClient,
    kind: &str,
    name: &str,
    include_synonyms: bool,
) -> Attempt<Vec<DescribeConfigsResourceResult>> {
    if kind == TOPICS && !name.is_empty() {
        attempt!(check_topic(name));
    }
    let resource = DescribeConfigsResource {
        resource_type: resource_type(kind).unwrap_or_default(),
        resource_name: name.to_owned(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms,
        include_documentation: false,
    };
    let deadline = script.now() + TIMEOUT;
    let to = destination(kind, name);
    let answer = admin.call_until(script, "describeConfigs", &to, &request.into(), deadline)?;
    let response = match answer {
        Ok(Response::DescribeConfigs(response)) => response,
        Ok(other) => return Ok(Err(requests::wrong_answer(&other))),
        // The tool waits no longer than that, and less than its client.
        Err(_) => return Ok(Err(Exception::new("java.util.concurrent.TimeoutException", "null"))),
    };
    let mut configs = Vec::new();
    for result in response.results {
        let checked = Exception::of_code(result.error_code, result.error_message.as_deref());
        attempt!(in_execution(checked));
        configs.extend(result.configs);
    }
    Ok(Ok(configs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_commas_stand_in_brackets() {
        let pairs = |pairs: &[(&str, &str)]| {
            Some(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>())
        };
        for (text, expected) in [
            ("a=1", pairs(&[("a", "1")])),
            ("a=1,b=2,", pairs(&[("a", "1"), ("b", "2")])),
            ("a = 1 , b=", pairs(&[("a", "1"), ("b", "")])),
            ("p=[compact,delete],a=1", pairs(&[("p", "compact,delete"), ("a", "1")])),
            ("l=[0:1,0:2]", pairs(&[("l", "0:1,0:2")])),
            ("m=[a=b,c=d]", pairs(&[("m", "a=b,c=d")])),
            ("a", None),
            ("p=compact,delete", None),
            ("a=b=c", None),
        ] {
            assert_eq!(parse_configs(text).ok(), expected, "{text}");
        }
    }
}
