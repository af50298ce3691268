//! `kafka-consumer-groups`: lists, describes, resets and deletes groups of consumers. Kafka: `ConsumerGroupCommand`.

use simulation::sorted::SortedMap;

use cluster::java::{JavaHashMap, JavaHashSet};
use cluster::protocol::ErrorCode;
use cluster::types::TopicPartition;
use simulation::Micros;

use super::admin::AdminClient;
use super::common::{Surroundings, check_invalid, check_required, help_or_version, usage_and_exit};
use super::exception::{Attempt, Exception, attempt};
use super::groups::{CommittedOffsets, GroupAdmin, GroupDescription, LATEST, MemberDescription};
use super::requests::{create_admin, describe_topics, load_properties};
use super::reset_offsets::{
    self, Offsets, ResetOptions, committed_offsets, log_offsets, topic_with_partitions, topics_of,
};
use super::table::{row, width};
use crate::options::{Arguments, Opt, Run, Tool, Values};
use crate::pattern::{Pattern, Syntax};
use crate::script::{Pending, Script};

const STATES: &[&str] = &[
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Empty",
    "Assigning",
    "Reconciling",
];
const TYPES: &[&str] = &["Classic", "Consumer"];
const ACTIONS: [&str; 6] =
    ["list", "describe", "delete", "reset-offsets", "delete-offsets", "validate-regex"];
/// Options that need one of others. joptsimple: `availableIf`.
const AVAILABLE_IF: &[(&str, &[&str])] = &[
    ("members", &["describe"]),
    ("offsets", &["describe"]),
    ("state", &["describe", "list"]),
    ("type", &["list"]),
    ("verbose", &["describe"]),
];
/// In the order in which they are compared with all others.
const STRATEGIES: [&str; 8] = [
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "shift-by",
    "from-file",
];
/// What stands for a value that there is not.
const MISSING: &str = "-";

pub static TOOL: Tool = Tool {
    name: "kafka-consumer-groups",
    about: "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer group offsets.",
    options: &[
        Opt::text("bootstrap-server", "server to connect to", "REQUIRED, except with --validate-regex: Brokers to contact first.")
            .values(Values::BootstrapServer),
        Opt::text("group", "consumer group", "The group; may be repeated.").repeatable().values(Values::Group),
        Opt::text("topic", "topic", "Topic whose offsets are meant, or topic:0,2 for some of its partitions; may be repeated.")
            .repeatable()
            .values(Values::Topic),
        Opt::flag("all-topics", "All topics that the group has offsets of, for --reset-offsets."),
        Opt::flag("list", "Names of all groups."),
        Opt::flag("describe", "A group's offsets and lag; with --members or --state its members or its state."),
        Opt::flag("all-groups", "All groups."),
        Opt::flag("delete", "Remove groups that have no members, with their offsets."),
        Opt::long("timeout", "timeout (ms)", "How long the cluster may take to answer.").default("30000"),
        Opt::text("command-config", "command config property file", "File with settings of the admin client.")
            .values(Values::File),
        Opt::flag("reset-offsets", "Move the offsets of a group that has no members; shows where to unless --execute."),
        Opt::flag("delete-offsets", "Remove a group's offsets of topics."),
        Opt::flag("dry-run", "Only show what --reset-offsets would do."),
        Opt::flag("execute", "Do what --reset-offsets shows."),
        Opt::flag("export", "Print the new offsets as CSV, for --from-file."),
        Opt::long("to-offset", "offset", "Move to this offset."),
        Opt::text("from-file", "path to CSV file", "Move to the offsets in this file.").values(Values::File),
        Opt::text("to-datetime", "datetime", "Move to the first record from this time on, as YYYY-MM-DDTHH:mm:SS.sss."),
        Opt::text("by-duration", "duration", "Move to the first record since so long ago, as PnDTnHnMnS."),
        Opt::flag("to-earliest", "Move to the start of the log."),
        Opt::flag("to-latest", "Move to the end of the log."),
        Opt::flag("to-current", "Stay where the group is."),
        Opt::long("shift-by", "number-of-offsets", "Move by so many offsets, back if negative."),
        Opt::flag("members", "With --describe: the members."),
        Opt::flag("verbose", "With --describe: more columns."),
        Opt::flag("offsets", "With --describe: offsets and lag, as without."),
        Opt::optional("state", "", "With --describe: the state; with --list: a column of states, and only groups in these.")
            .values(Values::OneOf(STATES)),
        Opt::optional("type", "", "With --list: a column of types, and only groups of these.").values(Values::OneOf(TYPES)),
        Opt::text("validate-regex", "regex", "Whether brokers take this regular expression for a subscription."),
        Opt::flag("help", "Show this table."),
        Opt::flag("version", "Show the version of Kafka."),
    ],
    examples: &[
        ("How far is the group, and how far behind?", "kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group billing"),
        ("Who is in it?", "kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group billing --members"),
        ("Read everything again", "kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group billing --topic orders --to-earliest --execute"),
    ],
    run: Run::Script(run),
};

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words = script.arguments().to_vec();
    let parsed = TOOL.parse(&words).map_err(Exception::from);
    let arguments = match parsed.and_then(|arguments| available(&arguments).map(|()| arguments)) {
        Ok(arguments) => arguments,
        Err(error) => {
            script.err(&format!("Exception in thread \"main\" {error}\n"));
            return Ok(1);
        }
    };
    if let Some(code) = help_or_version(&TOOL, &words, &arguments, script) {
        return Ok(code);
    }
    if let Some(code) = check(&arguments, script) {
        return Ok(code);
    }
    match execute(script, &arguments)? {
        Ok(()) => Ok(0),
        Err(error) if error.class == "java.lang.IllegalArgumentException" => {
            Ok(usage_and_exit(&TOOL, &error.message, script))
        }
        Err(error) => {
            let text = &error.message;
            print_error(script, &format!("Executing consumer group command failed due to {text}"));
            script.err(&format!("{error}\n"));
            Ok(0)
        }
    }
}

/// joptsimple refuses options that need another one; not if `--help` is given.
fn available(arguments: &Arguments) -> Result<(), Exception> {
    let unavailable: Vec<&str> = AVAILABLE_IF
        .iter()
        .filter(|(name, others)| {
            arguments.has(name) && !others.iter().any(|other| arguments.has(other))
        })
        .map(|(name, _)| *name)
        .collect();
    if unavailable.is_empty() || arguments.has("help") {
        return Ok(());
    }
    Err(Exception::new(
        "joptsimple.UnavailableOptionException",
        format!(
            "Option(s) [{}] are unavailable given other options on the command line",
            unavailable.join(", ")
        ),
    ))
}

fn print_error(io: &mut impl Surroundings, message: &str) {
    io.out(&format!("\nError: {message}\n"));
}

/// `ConsumerGroupCommandOptions.checkArgs` and the check of actions: an exit code if the options do not fit together.
fn check(arguments: &Arguments, io: &mut impl Surroundings) -> Option<i32> {
    let given = |name: &str| arguments.has(name);
    if !given("validate-regex")
        && let Some(code) = check_required(&TOOL, arguments, &["bootstrap-server"], io)
    {
        return Some(code);
    }
    let without_group = !given("group") && !given("all-groups");
    let needs_group = |action: &str| {
        format!("Option [{action}] takes one of these options: [group], [all-groups]")
    };
    if given("describe") {
        let views = ["members", "offsets", "state"].iter().filter(|name| given(name)).count();
        let message = if without_group {
            Some(needs_group("describe"))
        } else if views > 1 {
            Some("Option [describe] takes at most one of these options: [members], [offsets], [state]".to_owned())
        } else if !arguments.values("state").is_empty() {
            Some("Option [describe] does not take a value for [state]".to_owned())
        } else {
            None
        };
        if let Some(message) = message {
            return Some(usage_and_exit(&TOOL, &message, io));
        }
    }
    if given("delete") {
        if without_group {
            return Some(usage_and_exit(&TOOL, &needs_group("delete"), io));
        }
        if given("topic") {
            let text = "The consumer does not support topic-specific offset deletion from a consumer group.";
            return Some(usage_and_exit(&TOOL, text, io));
        }
    }
    if given("delete-offsets") && !(given("group") && given("topic")) {
        let text = "Option [delete-offsets] takes the following options: [group], [topic]";
        return Some(usage_and_exit(&TOOL, text, io));
    }
    if given("reset-offsets") {
        if given("dry-run") && given("execute") {
            let text = "Option [reset-offsets] only accepts one of [execute] and [dry-run]";
            return Some(usage_and_exit(&TOOL, text, io));
        }
        if !given("dry-run") && !given("execute") {
            io.err("WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if you are scripting this command and want to keep the current default behavior without prompting.\n");
        }
        if without_group {
            return Some(usage_and_exit(&TOOL, &needs_group("reset-offsets"), io));
        }
        for used in STRATEGIES {
            let others: Vec<&str> = STRATEGIES.into_iter().filter(|other| *other != used).collect();
            if let Some(code) = check_invalid(&TOOL, arguments, used, &others, io) {
                return Some(code);
            }
        }
    }
    for (used, others) in
        [("group", &["all-groups"][..]), ("group", &["list"]), ("topic", &["list", "describe"])]
    {
        if let Some(code) = check_invalid(&TOOL, arguments, used, others, io) {
            return Some(code);
        }
    }
    if ACTIONS.iter().filter(|action| given(action)).count() != 1 {
        let text = format!("Command must include exactly one action: --{}", ACTIONS.join(", --"));
        return Some(usage_and_exit(&TOOL, &text, io));
    }
    None
}

fn execute(script: &mut Script<'_>, arguments: &Arguments) -> Attempt<()> {
    if arguments.has("validate-regex") {
        let regex = attempt!(arguments.value("validate-regex")).unwrap_or_default().to_owned();
        script.out(&match invalid_regex(&regex) {
            None => format!("The regular expression `{regex}` is valid.\n"),
            Some(reason) => format!("The regular expression `{regex}` is invalid: {reason}.\n"),
        });
        return Ok(Ok(()));
    }
    let (mut admin, timeout, options) = attempt!(open(script, arguments));
    let mut client = GroupAdmin { admin: &mut admin, timeout };
    if arguments.has("list") {
        list(script, &mut client, arguments)
    } else if arguments.has("describe") {
        describe(script, &mut client, arguments)
    } else if arguments.has("delete") {
        delete(script, &mut client, arguments)
    } else if arguments.has("reset-offsets") {
        reset(script, &mut client, arguments, &options)
    } else {
        delete_offsets(script, &mut client, arguments)
    }
}

/// Brokers read subscriptions with RE2, which has its own words for what is wrong.
fn invalid_regex(regex: &str) -> Option<&'static str> {
    let error = Pattern::new(regex, Syntax::Extended, false).err()?;
    Some(match error.message {
        "Unclosed character class" => "missing closing ]",
        "Unclosed group" => "missing closing )",
        "Unmatched closing ')'" => "regexp/syntax: internal error",
        text if text.starts_with("Dangling") => "missing argument to repetition operator",
        "Unexpected internal error" => "trailing backslash at end of expression",
        _ => "invalid or unsupported Perl syntax",
    })
}

fn open(
    script: &mut Script<'_>,
    arguments: &Arguments,
) -> Result<(AdminClient, Micros, ResetOptions), Exception> {
    let config =
        load_properties(script, arguments, "command-config").map_err(|error| {
            match error.class.as_str() {
                "java.nio.file.NoSuchFileException" => {
                    Exception::new("java.lang.RuntimeException", error.to_string())
                }
                _ => error,
            }
        })?;
    let servers = arguments.value("bootstrap-server")?.unwrap_or_default();
    let admin = create_admin(script, servers, &config)?;
    let options = ResetOptions::read(arguments)?;
    let timeout = arguments.long("timeout")?.unwrap_or(30_000).max(0);
    Ok((admin, Micros::from_ms(timeout as u64), options))
}

/// Words of `--state` or `--type` as Kafka spells them; anything else is refused.
fn words_of<'a>(list: &str, known: &[&'a str], refused: &str) -> Result<Vec<&'a str>, Exception> {
    let mut words: Vec<&str> = list.split(',').collect();
    while words.len() > 1 && words.last() == Some(&"") {
        words.pop();
    }
    let parse = |word: &str| known.iter().find(|known| known.eq_ignore_ascii_case(word.trim()));
    let parsed: Option<Vec<&'a str>> = words.into_iter().map(|word| parse(word).copied()).collect();
    parsed.ok_or_else(|| Exception::illegal_argument(format!("{refused}{}", known.join(", "))))
}

fn list(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
) -> Attempt<()> {
    let (with_type, with_state) = (arguments.has("type"), arguments.has("state"));
    if !with_type && !with_state {
        for group in attempt!(all_groups(script, client)?) {
            script.out(&format!("{group}\n"));
        }
        return Ok(Ok(()));
    }
    let types = match attempt!(arguments.value("type")).filter(|list| !list.is_empty()) {
        Some(list) => {
            let refused = format!("Invalid types list '{list}'. Valid types are: ");
            attempt!(words_of(list, TYPES, &refused))
        }
        None => Vec::new(),
    };
    let states = match attempt!(arguments.value("state")).filter(|list| !list.is_empty()) {
        Some(list) => {
            let refused = format!("Invalid state list '{list}'. Valid states are: ");
            attempt!(words_of(list, STATES, &refused))
        }
        None => Vec::new(),
    };
    let found = client.list_consumer_groups(script, &states, &types)?;
    let groups = attempt!(found.map_err(|error| error.in_execution()));
    let names = width(15, groups.iter().map(|group| group.group_id.as_str())) + 10;
    let line = |group: &str, kind: &str, state: &str| {
        let cells = [(group, names, true), (kind, 20, with_type), (state, 20, with_state)];
        let shown = cells.into_iter().filter(|cell| cell.2);
        format!("{}\n", row(shown.map(|(text, width, _)| (text, width))))
    };
    script.out(&line("GROUP", "TYPE", "STATE"));
    for group in &groups {
        let kind = TYPES.iter().find(|kind| kind.eq_ignore_ascii_case(&group.group_type));
        let kind = kind.copied().unwrap_or("Unknown");
        script.out(&line(&group.group_id, kind, &group.group_state));
    }
    Ok(Ok(()))
}

fn all_groups(script: &mut Script<'_>, client: &mut GroupAdmin<'_>) -> Attempt<Vec<String>> {
    let found = client.list_consumer_groups(script, &[], &["Classic", "Consumer"])?;
    let groups = attempt!(found.map_err(|error| {
        Exception::new("java.lang.RuntimeException", error.in_execution().to_string())
    }));
    Ok(Ok(groups.into_iter().map(|group| group.group_id).collect()))
}

/// The groups that `--group` and `--all-groups` mean.
fn wanted_groups(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
) -> Attempt<Vec<String>> {
    if arguments.has("all-groups") {
        return all_groups(script, client);
    }
    Ok(Ok(arguments.values("group").into_iter().map(str::to_owned).collect()))
}

/// Groups in the order of a `HashMap` of their names, each once.
fn hashed(groups: Vec<String>) -> Vec<String> {
    let set: JavaHashSet<String> = groups.into_iter().collect();
    set.iter().cloned().collect()
}

fn describe(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
) -> Attempt<()> {
    let groups = attempt!(wanted_groups(script, client, arguments)?);
    let mut described: SortedMap<String, GroupDescription> = SortedMap::new();
    let mut failed = None;
    for group in hashed(groups) {
        match client.describe_group(script, &group)? {
            Ok(description) => _ = described.insert(group, description),
            Err(error) => failed = failed.or(Some(error.in_execution())),
        }
    }
    if let Some(error) = failed {
        return Ok(Err(error));
    }
    let verbose = arguments.has("verbose");
    if arguments.has("members") {
        for group in described.values() {
            let shown = attempt!(announce(script, group, group.members.len()));
            let text = members_table(group, shown, verbose);
            script.out(&text);
        }
    } else if arguments.has("state") {
        for group in described.values() {
            if attempt!(announce(script, group, 1)) {
                script.out(&state_table(group, verbose));
            }
        }
    } else {
        let mut tables = Vec::with_capacity(described.len());
        for group in described.values() {
            tables.push((group, attempt!(offset_rows(script, client, group)?)));
        }
        for (group, rows) in tables {
            if attempt!(announce(script, group, rows.len())) {
                script.out(&offsets_table(&rows, verbose));
            }
        }
    }
    Ok(Ok(()))
}

/// Says what is worth saying of the group's state; whether there is anything to show. Kafka: `shouldPrintMemberState`.
fn announce(
    io: &mut impl Surroundings,
    group: &GroupDescription,
    rows: usize,
) -> Result<bool, Exception> {
    let name = &group.group_id;
    match group.state.as_str() {
        "Dead" => print_error(io, &format!("Consumer group '{name}' does not exist.")),
        "Empty" => io.err(&format!("\nConsumer group '{name}' has no active members.\n")),
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
            io.err(&format!("\nWarning: Consumer group '{name}' is rebalancing.\n"));
        }
        "Stable" => {}
        state => {
            return Err(Exception::new(
                "org.apache.kafka.common.KafkaException",
                format!("Expected a valid consumer group state, but found '{state}'."),
            ));
        }
    }
    Ok(group.state != "Dead" && rows > 0)
}

/// One row of `--describe`. Kafka: `PartitionAssignmentState`.
struct OffsetRow {
    group: String,
    partition: TopicPartition,
    leader_epoch: Option<i32>,
    offset: Option<i64>,
    log_end_offset: Option<i64>,
    consumer_id: String,
    host: String,
    client_id: String,
}

fn offset_rows(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    group: &GroupDescription,
) -> Attempt<Vec<OffsetRow>> {
    let committed = attempt!(committed_offsets(script, client, &group.group_id)?);
    let mut members: Vec<&MemberDescription> =
        group.members.iter().filter(|member| !member.assignment.is_empty()).collect();
    simulation::sorted::sort_by_key(&mut members, |member| {
        std::cmp::Reverse(member.assignment.len())
    });
    let mut rows = Vec::new();
    let mut assigned: Vec<TopicPartition> = Vec::new();
    for member in members {
        let partitions: Vec<TopicPartition> = member.assignment.iter().cloned().collect();
        let of = [member.member_id.as_str(), &member.host, &member.client_id];
        let of_member =
            partition_rows(script, client, &group.group_id, &partitions, &committed, of)?;
        rows.extend(attempt!(of_member));
        assigned.extend(partitions);
    }
    let others: Vec<TopicPartition> =
        committed.keys().filter(|partition| !assigned.contains(partition)).cloned().collect();
    if !others.is_empty() {
        let of = [MISSING; 3];
        let unassigned = partition_rows(script, client, &group.group_id, &others, &committed, of)?;
        rows.extend(attempt!(unassigned));
    }
    Ok(Ok(rows))
}

/// Rows of one member's partitions, sorted. The ends of partitions without leader are not known.
fn partition_rows(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    group: &str,
    partitions: &[TopicPartition],
    committed: &CommittedOffsets,
    [consumer_id, host, client_id]: [&str; 3],
) -> Attempt<Vec<OffsetRow>> {
    let described = client.topics(script, &topics_of(partitions))?;
    let described = attempt!(described.map_err(|error| {
        Exception::new("java.lang.RuntimeException", error.in_execution().to_string())
    }));
    let headless = |partition: &TopicPartition| {
        described.iter().any(|(name, topic)| {
            *name == partition.topic
                && topic.partitions.iter().any(|known| {
                    known.partition_index == partition.partition && known.leader_id < 0
                })
        })
    };
    let led: Vec<TopicPartition> =
        partitions.iter().filter(|partition| !headless(partition)).cloned().collect();
    let ends = attempt!(log_offsets(script, client, &led, LATEST)?);
    let mut rows: Vec<OffsetRow> = partitions
        .iter()
        .map(|partition| {
            let known = committed.get(partition).copied().flatten();
            OffsetRow {
                group: group.to_owned(),
                partition: partition.clone(),
                leader_epoch: known.and_then(|known| known.leader_epoch),
                offset: known.map(|known| known.offset),
                log_end_offset: ends.get(partition).copied(),
                consumer_id: consumer_id.to_owned(),
                host: host.to_owned(),
                client_id: client_id.to_owned(),
            }
        })
        .collect();
    simulation::sorted::sort_by(&mut rows, |a, b| a.partition.cmp(&b.partition));
    Ok(Ok(rows))
}

fn or_missing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

fn offsets_table(rows: &[OffsetRow], verbose: bool) -> String {
    let groups = width(15, rows.iter().map(|row| row.group.as_str()));
    let topics = width(15, rows.iter().map(|row| row.partition.topic.as_str()));
    let consumers = width(15, rows.iter().map(|row| row.consumer_id.as_str()));
    let hosts = width(15, rows.iter().map(|row| row.host.as_str()));
    let line = |cells: [&str; 10]| {
        let widths = [groups, topics, 10, 15, 15, 15, 15, consumers, hosts, 0];
        let cells = cells.into_iter().zip(widths).enumerate();
        // The epoch's column is the fourth.
        let shown = cells.filter(|(index, _)| verbose || *index != 3);
        format!("\n{}", row(shown.map(|(_, cell)| cell)))
    };
    let mut text = line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    for row in rows {
        let lag = row.offset.zip(row.log_end_offset).map(|(offset, end)| end - offset);
        text.push_str(&line([
            &row.group,
            &row.partition.topic,
            &row.partition.partition.to_string(),
            &or_missing(row.leader_epoch),
            &or_missing(row.offset),
            &or_missing(row.log_end_offset),
            &or_missing(lag),
            &row.consumer_id,
            &row.host,
            &row.client_id,
        ]));
    }
    text.push('\n');
    text
}

/// `orders:0,1;payments:2`
fn assignment_text(partitions: &JavaHashSet<TopicPartition>) -> String {
    let mut by_topic: SortedMap<&str, Vec<i32>> = SortedMap::new();
    for partition in partitions.iter() {
        by_topic.entry(&partition.topic).or_default().push(partition.partition);
    }
    if by_topic.is_empty() {
        return MISSING.to_owned();
    }
    let mut texts: Vec<String> = by_topic
        .into_iter()
        .map(|(topic, mut indexes)| {
            simulation::sorted::sort(&mut indexes);
            let indexes: Vec<String> = indexes.iter().map(i32::to_string).collect();
            format!("{topic}:{}", indexes.join(","))
        })
        .collect();
    simulation::sorted::sort(&mut texts);
    texts.join(";")
}

/// A member's cells: id, instance, host, client, partitions; epoch and assignment, now and to be; upgraded.
fn member_cells(group: &GroupDescription, member: &MemberDescription) -> [String; 11] {
    let target = member.target_assignment.as_ref();
    [
        group.group_id.clone(),
        member.member_id.clone(),
        member.instance_id.clone().unwrap_or_default(),
        member.host.clone(),
        member.client_id.clone(),
        member.assignment.len().to_string(),
        or_missing(member.epoch),
        assignment_text(&member.assignment),
        or_missing(group.target_assignment_epoch),
        target.map_or_else(|| MISSING.to_owned(), assignment_text),
        or_missing(member.upgraded),
    ]
}

/// The header is shown even where there is no member; widths are the least ones then.
fn members_table(group: &GroupDescription, shown: bool, verbose: bool) -> String {
    let members = || group.members.iter().filter(|_| shown);
    let cells: Vec<[String; 11]> =
        group.members.iter().map(|one| member_cells(group, one)).collect();
    let column = |index: usize, least: usize| {
        width(least, cells.iter().filter(|_| shown).map(|cells| cells[index].as_str()))
    };
    let with_instance = members().any(|member| member.instance_id.is_some());
    let migrating = members().any(|member| member.upgraded == Some(false))
        && members().any(|member| member.upgraded == Some(true));
    let widths = [
        column(0, 15),
        column(1, 15),
        column(2, 17),
        column(3, 15),
        column(4, 15),
        15,
        15,
        column(7, 20),
        15,
        column(9, 20),
        0,
    ];
    let line = |texts: [&str; 11]| {
        let shown = texts.into_iter().zip(widths).enumerate().filter(|(index, _)| match index {
            2 => with_instance,
            6..=9 => verbose,
            10 => verbose && migrating,
            _ => true,
        });
        let mut text = row(shown.map(|(_, cell)| cell));
        if !verbose {
            text.push(' ');
        }
        text.push('\n');
        text
    };
    let header = line([
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "CURRENT-EPOCH",
        "CURRENT-ASSIGNMENT",
        "TARGET-EPOCH",
        "TARGET-ASSIGNMENT",
        "UPGRADED",
    ]);
    let rows = cells.iter().map(|cells| line(std::array::from_fn(|index| cells[index].as_str())));
    format!("\n{header}{}", rows.collect::<String>())
}

fn state_table(group: &GroupDescription, verbose: bool) -> String {
    let at = &group.coordinator;
    let coordinator = format!("{}:{}  ({})", at.host, at.port, at.node_id);
    let strategy = if group.assignor.is_empty() { MISSING } else { &group.assignor };
    let line = |cells: [&str; 7]| {
        let widths = [
            width(15, [group.group_id.as_str()]),
            width(25, [coordinator.as_str()]),
            20,
            20,
            15,
            25,
            0,
        ];
        let cells = cells.into_iter().zip(widths).enumerate();
        let shown = cells.filter(|(index, _)| verbose || !matches!(index, 4 | 5));
        format!("\n{}", row(shown.map(|(_, cell)| cell)))
    };
    let header = line([
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ]);
    let values = line([
        &group.group_id,
        &coordinator,
        strategy,
        &group.state,
        &or_missing(group.group_epoch),
        &or_missing(group.target_assignment_epoch),
        &group.members.len().to_string(),
    ]);
    format!("{header}{values}\n")
}

fn quoted(groups: &[String]) -> String {
    groups.iter().map(|group| format!("'{group}'")).collect::<Vec<_>>().join(", ")
}

fn delete(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
) -> Attempt<()> {
    let groups = attempt!(wanted_groups(script, client, arguments)?);
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for group in hashed(groups) {
        match client.delete_group(script, &group)? {
            Ok(()) => deleted.push(group),
            Err(error) => failed.push((group, error)),
        }
    }
    if failed.is_empty() {
        let list = quoted(&deleted);
        script.out(&format!("Deletion of requested consumer groups ({list}) was successful.\n"));
        return Ok(Ok(()));
    }
    print_error(script, "Deletion of some consumer groups failed:");
    for (group, error) in failed {
        script.out(&format!("* Group '{group}' could not be deleted due to: {error}\n"));
    }
    if !deleted.is_empty() {
        let list = quoted(&deleted);
        script.out(&format!("\nThese consumer groups were deleted successfully: {list}\n"));
    }
    Ok(Ok(()))
}

fn delete_offsets(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
) -> Attempt<()> {
    let group = attempt!(arguments.value("group")).unwrap_or_default().to_owned();
    let words = arguments.values("topic");
    let mut partitions: JavaHashSet<TopicPartition> = JavaHashSet::default();
    for word in words.iter().filter(|word| word.contains(':')) {
        for partition in attempt!(topic_with_partitions(word)) {
            partitions.insert(partition);
        }
    }
    let topics: Vec<String> =
        words.iter().filter(|word| !word.contains(':')).map(|word| (*word).to_owned()).collect();
    // What becomes of each partition; -1 stands for a topic that cannot be described.
    let mut results: SortedMap<TopicPartition, Option<Exception>> = SortedMap::new();
    for (name, described) in describe_topics(script, client.admin, &hashed(topics), 2000)? {
        match described {
            Ok(topic) => {
                for partition in topic.partitions {
                    partitions.insert(TopicPartition::new(name.clone(), partition.partition_index));
                }
            }
            Err(error) => _ = results.insert(TopicPartition::new(name, -1), Some(error)),
        }
    }
    let mut of_all: Option<Exception> = None;
    match client.delete_offsets(script, &group, &partitions)? {
        Ok(codes) => {
            for partition in partitions.iter() {
                let code = codes.get(partition).copied().unwrap_or(ErrorCode::None);
                let error = Exception::of_code(code.code(), None).err();
                of_all = of_all.or_else(|| error.clone());
                results.insert(partition.clone(), error);
            }
        }
        Err(error) => {
            for partition in partitions.iter() {
                results.insert(partition.clone(), Some(error.clone()));
            }
            of_all = Some(error);
        }
    }
    let is = |codes: &[ErrorCode]| {
        let of_all = of_all.as_ref();
        codes.iter().copied().find(|code| of_all.is_some_and(|error| error.is(*code)))
    };
    let of_group = is(&[
        ErrorCode::InvalidGroupId,
        ErrorCode::GroupIdNotFound,
        ErrorCode::GroupAuthorizationFailed,
        ErrorCode::NonEmptyGroup,
    ]);
    let of_partitions = is(&[
        ErrorCode::GroupSubscribedToTopic,
        ErrorCode::TopicAuthorizationFailed,
        ErrorCode::UnknownTopicOrPartition,
    ]);
    match (&of_all, of_group, of_partitions) {
        (None, ..) => {
            script.out(&format!("Request succeeded for deleting offsets from group {group}.\n"));
        }
        (_, Some(code), _) => print_error(script, code.message()),
        (_, _, Some(_)) => print_error(
            script,
            "Encountered some partition-level error, see the follow-up details.",
        ),
        (Some(_), None, None) => {
            let code = is(ErrorCode::ALL).unwrap_or(ErrorCode::UnknownServerError);
            print_error(script, &format!("Encountered some unknown error: {}", code.name()));
        }
    }
    let text = deletions_table(results);
    script.out(&text);
    Ok(Ok(()))
}

/// Sorted by topic and partition as one text: `orders10` before `orders2`.
fn deletions_table(results: SortedMap<TopicPartition, Option<Exception>>) -> String {
    let topics = width(15, results.keys().map(|partition| partition.topic.as_str()));
    let line = |topic: &str, partition: &str, status: &str| {
        format!("\n{}", row([(topic, topics), (partition, 10), (status, 15)]))
    };
    let mut rows: Vec<(TopicPartition, Option<Exception>)> = results.into_iter().collect();
    simulation::sorted::sort_by_key(&mut rows, |(partition, _)| {
        format!("{}{}", partition.topic, partition.partition)
    });
    let mut text = line("TOPIC", "PARTITION", "STATUS");
    for (partition, error) in rows {
        let index = Some(partition.partition).filter(|index| *index >= 0);
        let status =
            error.map_or_else(|| "Successful".to_owned(), |error| format!("Error: {error}"));
        text.push_str(&line(&partition.topic, &or_missing(index), &status));
    }
    text.push('\n');
    text
}

fn reset(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
    options: &ResetOptions,
) -> Attempt<()> {
    let groups = attempt!(wanted_groups(script, client, arguments)?);
    let mut all: JavaHashMap<String, Offsets> = JavaHashMap::new();
    for group in hashed(groups) {
        let state = match client.describe_group(script, &group)? {
            Ok(description) => description.state,
            Err(error) if error.is(ErrorCode::GroupIdNotFound) => "Dead".to_owned(),
            Err(error) => {
                return Ok(Err(Exception::new(
                    "java.lang.RuntimeException",
                    error.in_execution().to_string(),
                )));
            }
        };
        let offsets = if state == "Empty" || state == "Dead" {
            attempt!(reset_offsets::reset(script, client, arguments, options, &group)?)
        } else {
            print_error(
                script,
                &format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
                ),
            );
            Offsets::new()
        };
        all.insert(group, offsets);
    }
    let text = if arguments.has("export") {
        csv(&all, options.groups.len() == 1)
    } else {
        new_offsets_table(&all)
    };
    script.out(&text);
    Ok(Ok(()))
}

fn csv(all: &JavaHashMap<String, Offsets>, one_group: bool) -> String {
    let mut text = String::new();
    for (group, offsets) in all.iter() {
        for (TopicPartition { topic, partition }, offset) in offsets.iter() {
            if !one_group {
                text.push_str(&csv_text(group));
                text.push(',');
            }
            text.push_str(&format!("{topic},{partition},{offset}\n"));
        }
    }
    text.push('\n');
    text
}

fn csv_text(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Kafka: `OffsetsUtils.printOffsetsToReset`.
fn new_offsets_table(all: &JavaHashMap<String, Offsets>) -> String {
    let groups = width(15, all.keys().map(String::as_str));
    let topics = all.values().flat_map(|offsets| offsets.keys().map(|one| one.topic.as_str()));
    let topics = width(15, topics);
    let line = |group: &str, topic: &str, partition: &str, offset: &str| {
        format!("\n{}", row([(group, groups), (topic, topics), (partition, 10), (offset, 0)]))
    };
    let mut text = String::new();
    if !all.is_empty() {
        text.push_str(&line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"));
    }
    for (group, offsets) in all.iter() {
        for (partition, offset) in offsets.iter() {
            let index = partition.partition.to_string();
            text.push_str(&line(group, &partition.topic, &index, &offset.to_string()));
        }
    }
    text.push('\n');
    text
}
