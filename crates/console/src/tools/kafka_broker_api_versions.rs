//! `kafka-broker-api-versions`: what each broker can do. Kafka: `BrokerApiVersionsCommand`, `NodeApiVersions`.

use simulation::sorted::SortedMap;

use cluster::protocol::api_keys::ApiKey;
use cluster::protocol::{
    ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, NodeEndpoint, Response,
};

use super::admin::AdminClient;
use super::common::{Properties, check_required, help_or_version};
use crate::client::Destination;
use crate::options::{Opt, Run, Tool, Values};
use crate::script::{Pending, Script};

pub static TOOL: Tool = Tool {
    name: "kafka-broker-api-versions",
    about: "This tool helps to retrieve broker version information.",
    options: &[
        Opt::text(
            "bootstrap-server",
            "server(s) to use for bootstrapping",
            "REQUIRED: Brokers to contact first.",
        )
        .values(Values::BootstrapServer),
        Opt::text(
            "command-config",
            "command config property file",
            "File with settings of the admin client.",
        )
        .values(Values::File),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[("All brokers", "kafka-broker-api-versions --bootstrap-server localhost:9092")],
    run: Run::Script(run),
};

/// Message, then the trace's first line and the blank one that ends it.
fn failure(script: &mut Script<'_>, class: &str, message: &str) -> i32 {
    script.err(&format!("{message}\n{class}: {message}\n\n"));
    1
}

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    let arguments = match TOOL.parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => return Ok(failure(script, error.class(), &error.to_string())),
    };
    if let Some(code) = help_or_version(&TOOL, &words, &arguments, script) {
        return Ok(code);
    }
    if let Some(code) = check_required(&TOOL, &arguments, &["bootstrap-server"], script) {
        return Ok(code);
    }
    let (servers, file) =
        match (arguments.value("bootstrap-server"), arguments.value("command-config")) {
            (Ok(servers), Ok(file)) => (servers.unwrap_or_default(), file),
            (Err(error), _) | (_, Err(error)) => {
                return Ok(failure(script, error.class(), &error.to_string()));
            }
        };
    let mut config = Properties::default();
    if let Some(file) = file {
        match Properties::load(file, script) {
            Ok(loaded) => config = loaded,
            Err(path) => return Ok(failure(script, "java.nio.file.NoSuchFileException", &path)),
        }
    }
    // This tool's own client is impatient.
    if config.get("request.timeout.ms").is_none() {
        config.put("request.timeout.ms", "5000");
    }
    let mut admin = match AdminClient::create(script, servers, "admin-1", &config) {
        Ok(admin) => admin,
        Err(message) => {
            return Ok(failure(script, "org.apache.kafka.common.config.ConfigException", &message));
        }
    };
    let request = MetadataRequest { topics: Some(Vec::new()), allow_auto_topic_creation: false };
    let brokers = loop {
        // It waits for brokers without end.
        if let Ok(Response::Metadata(response)) =
            admin.call(script, "metadata", &Destination::Any, &request.clone().into())?
        {
            break response.brokers;
        }
    };
    for broker in brokers {
        let request = ApiVersionsRequest {
            client_software_name: "apache-kafka-java".to_owned(),
            client_software_version: "4.3.1".to_owned(),
        };
        let answer =
            admin.call_once(script, &Destination::Node(broker.node_id), request.into(), 5_000)?;
        let NodeEndpoint { node_id, host, port, rack } = &broker;
        let rack = rack.as_deref().unwrap_or("null");
        let text = match answer {
            Ok(Response::ApiVersions(response)) => api_versions_text(&response),
            _ => "ERROR: org.apache.kafka.common.errors.DisconnectException".to_owned(),
        };
        script.out(&format!(
            "{host}:{port} (id: {node_id} rack: {rack} isFenced: false) -> {text}\n"
        ));
    }
    Ok(0)
}

/// `NodeApiVersions.toString(true)`.
fn api_versions_text(response: &ApiVersionsResponse) -> String {
    let mut lines: SortedMap<i16, String> = SortedMap::new();
    for api in &response.api_keys {
        let (id, min, max) = (api.api_key, api.min_version, api.max_version);
        let range = if min == max { min.to_string() } else { format!("{min} to {max}") };
        let text = match ApiKey::from_id(id) {
            None => format!("UNKNOWN({id}): {range}"),
            Some(key) => {
                let info = key.info();
                let usable = max.min(info.latest_version);
                let usable = if usable >= min.max(info.oldest_version) {
                    format!("usable: {usable}")
                } else {
                    "unusable: node too ".to_owned()
                        + if max < info.oldest_version { "old" } else { "new" }
                };
                format!("{}({id}): {range} [{usable}]", info.name)
            }
        };
        lines.insert(id, text);
    }
    for key in ApiKey::ALL.iter().filter(|key| key.on_broker()) {
        let unsupported = || format!("{}({}): UNSUPPORTED", key.info().name, key.id());
        lines.entry(key.id()).or_insert_with(unsupported);
    }
    let lines: Vec<String> = lines.into_values().collect();
    format!("(\n\t{}\n)", lines.join(",\n\t"))
}
