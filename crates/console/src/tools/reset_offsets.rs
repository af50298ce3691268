//! New offsets for a group: where each strategy puts them. Kafka: `OffsetsUtils`, `ConsumerGroupCommand.resetOffsets`.

use cluster::config::duration;
use cluster::java::JavaHashMap;
use cluster::types::{Offset, TopicPartition};

use super::exception::{Attempt, Exception, attempt};
use super::groups::{CommittedOffsets, EARLIEST, GroupAdmin, LATEST};
use crate::date::days_from_civil;
use crate::options::Arguments;
use crate::script::Script;

const LOGGER: &str = "org.apache.kafka.tools.OffsetsUtils";

/// Offsets by partition, in the order in which Java prints them.
pub type Offsets = JavaHashMap<TopicPartition, Offset>;
/// Offsets by group.
type Plan = JavaHashMap<String, Offsets>;

/// What the options say about new offsets, read when the command begins.
#[derive(Clone, Debug, Default)]
pub struct ResetOptions {
    pub groups: Vec<String>,
    to_offset: Option<i64>,
    from_file: Option<String>,
    to_datetime: Option<String>,
    by_duration: Option<String>,
    shift_by: Option<i64>,
}

/// `Collectors.toMap` into the map that the next step reads.
fn to_map(entries: impl IntoIterator<Item = (TopicPartition, Offset)>) -> Offsets {
    entries.into_iter().collect()
}

fn entries(offsets: &Offsets) -> impl Iterator<Item = (TopicPartition, Offset)> + '_ {
    offsets.iter().map(|(partition, offset)| (partition.clone(), *offset))
}

fn runtime(error: &Exception) -> Exception {
    Exception::new("java.lang.RuntimeException", error.to_string())
}

impl ResetOptions {
    pub fn read(arguments: &Arguments) -> Result<Self, Exception> {
        let owned =
            |words: Vec<&str>| -> Vec<String> { words.into_iter().map(str::to_owned).collect() };
        let long = |name: &'static str, word: &str| {
            let option =
                crate::options::ParseError::Conversion { option: name, value: word.to_owned() };
            word.parse::<i64>().map_err(|_| Exception::from(option))
        };
        let mut to_offsets = Vec::new();
        for word in arguments.values("to-offset") {
            to_offsets.push(long("to-offset", word)?);
        }
        Ok(Self {
            groups: owned(arguments.values("group")),
            to_offset: to_offsets.first().copied(),
            from_file: owned(arguments.values("from-file")).into_iter().next(),
            to_datetime: owned(arguments.values("to-datetime")).into_iter().next(),
            by_duration: arguments.value("by-duration")?.map(str::to_owned),
            shift_by: match arguments.value("shift-by")? {
                Some(word) => Some(long("shift-by", word)?),
                None => None,
            },
        })
    }
}

/// New offsets of one group that has no members.
pub fn reset(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
    options: &ResetOptions,
    group: &str,
) -> Attempt<Offsets> {
    let partitions = attempt!(partitions_to_reset(script, client, arguments, group)?);
    attempt!(check_partitions(script, client, &partitions)?);
    let offsets = if arguments.has("to-offset") {
        let offset = options.to_offset.unwrap_or_default();
        let wanted = to_map(partitions.into_iter().map(|partition| (partition, offset)));
        attempt!(within_log(script, client, &wanted)?)
    } else if arguments.has("to-earliest") {
        attempt!(log_offsets(script, client, &partitions, EARLIEST)?)
    } else if arguments.has("to-latest") {
        attempt!(log_offsets(script, client, &partitions, LATEST)?)
    } else if arguments.has("shift-by") {
        let committed = attempt!(committed_offsets(script, client, group)?);
        let wanted =
            attempt!(shifted(&partitions, &committed, options.shift_by.unwrap_or_default()));
        attempt!(within_log(script, client, &wanted)?)
    } else if let Some(text) = options.to_datetime.as_deref() {
        let timestamp =
            attempt!(parse_datetime(text).map_err(|message| {
                runtime(&Exception::new("java.text.ParseException", message))
            }));
        attempt!(offsets_at(script, client, &partitions, timestamp)?)
    } else if let Some(text) = options.by_duration.as_deref() {
        let Some(span) = duration::parse(text) else {
            let class = "java.time.format.DateTimeParseException";
            return Ok(Err(Exception::new(class, "Text cannot be parsed to a Duration")));
        };
        let timestamp = (script.clock_ms() as i64).saturating_sub(span);
        attempt!(offsets_at(script, client, &partitions, timestamp)?)
    } else if let Some(path) = options.from_file.as_deref() {
        attempt!(from_file(script, client, &options.groups, path, group)?)
    } else if arguments.has("to-current") {
        let committed = attempt!(committed_offsets(script, client, group)?);
        attempt!(to_current(script, client, partitions, &committed)?)
    } else {
        return Ok(Err(Exception::illegal_argument(
            "Option '[reset-offsets]' requires one of the following scenarios: [[to-offset], [shift-by], [to-datetime], [by-duration], [to-earliest], [to-latest], [to-current], [from-file]]",
        )));
    };
    // Without --execute nothing is changed.
    if arguments.has("execute") && !arguments.has("dry-run") {
        attempt!(client.alter_offsets(script, group, &offsets)?);
    }
    Ok(Ok(offsets))
}

/// `getCommittedOffsets`: its failures come wrapped.
pub fn committed_offsets(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    group: &str,
) -> Attempt<CommittedOffsets> {
    let result = client.committed_offsets(script, group)?;
    Ok(result.map_err(|error| runtime(&error.in_execution())))
}

fn partitions_to_reset(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    arguments: &Arguments,
    group: &str,
) -> Attempt<Vec<TopicPartition>> {
    if arguments.has("all-topics") {
        let committed = attempt!(committed_offsets(script, client, group)?);
        return Ok(Ok(committed.keys().cloned().collect()));
    }
    if arguments.has("topic") {
        let (mut partitions, topics) = attempt!(topic_arguments(&arguments.values("topic")));
        for (name, topic) in attempt!(client.topics(script, &topics)?) {
            let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
            partitions.extend(indexes.map(|index| TopicPartition::new(name.clone(), index)));
        }
        return Ok(Ok(partitions));
    }
    Ok(if arguments.has("from-file") {
        Ok(Vec::new())
    } else {
        let text = "One of the reset scopes should be defined: --all-topics, --topic.";
        Err(Exception::illegal_argument(text))
    })
}

/// Values of `--topic`: partitions that are named, and topics of which all are meant.
fn topic_arguments(words: &[&str]) -> Result<(Vec<TopicPartition>, Vec<String>), Exception> {
    let mut partitions = Vec::new();
    for word in words.iter().filter(|word| word.contains(':')) {
        partitions.extend(topic_with_partitions(word)?);
    }
    let topics = words.iter().filter(|word| !word.contains(':'));
    let mut names: Vec<String> = Vec::new();
    for name in topics {
        if !names.iter().any(|known| known == name) {
            names.push((*name).to_owned());
        }
    }
    Ok((partitions, names))
}

/// `orders:0,2`
pub fn topic_with_partitions(word: &str) -> Result<Vec<TopicPartition>, Exception> {
    let mut parts: Vec<&str> = word.split(':').collect();
    while parts.last() == Some(&"") {
        parts.pop();
    }
    let [topic, partitions] = parts.as_slice() else {
        return Err(Exception::illegal_argument(format!(
            "Invalid topic arg '{word}', expected topic name and partitions"
        )));
    };
    let mut pieces: Vec<&str> = partitions.split(',').collect();
    while pieces.len() > 1 && pieces.last() == Some(&"") {
        pieces.pop();
    }
    let partition = |text: &&str| match text.parse() {
        Ok(index) => Ok(TopicPartition::new(*topic, index)),
        Err(_) => Err(Exception::illegal_argument(format!(
            "Invalid partition '{text}' specified in topic arg '{word}''"
        ))),
    };
    pieces.iter().map(partition).collect()
}

/// Names of the partitions' topics, each once.
pub fn topics_of(partitions: &[TopicPartition]) -> Vec<String> {
    let names: simulation::sorted::SortedSet<&String> =
        partitions.iter().map(|partition| &partition.topic).collect();
    names.into_iter().cloned().collect()
}

/// All have to exist, and to have a leader.
fn check_partitions(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    partitions: &[TopicPartition],
) -> Attempt<()> {
    let described = client.topics(script, &topics_of(partitions))?;
    let described = attempt!(described.map_err(|error| runtime(&error.in_execution())));
    let listed = |partitions: &[&TopicPartition]| {
        partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let find = |partition: &TopicPartition| {
        let (_, topic) = described.iter().find(|(name, _)| *name == partition.topic)?;
        topic.partitions.iter().find(|known| known.partition_index == partition.partition)
    };
    let missing: Vec<&TopicPartition> =
        partitions.iter().filter(|partition| find(partition).is_none()).collect();
    if !missing.is_empty() {
        return Ok(Err(Exception::new(
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
            format!("The partitions \"{}\" do not exist", listed(&missing)),
        )));
    }
    let headless: Vec<&TopicPartition> = partitions
        .iter()
        .filter(|partition| find(partition).is_some_and(|known| known.leader_id < 0))
        .collect();
    if !headless.is_empty() {
        return Ok(Err(Exception::new(
            "org.apache.kafka.common.errors.LeaderNotAvailableException",
            format!("The partitions \"{}\" have no leader", listed(&headless)),
        )));
    }
    Ok(Ok(()))
}

/// Start or end of each partition's log.
pub fn log_offsets(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    partitions: &[TopicPartition],
    timestamp: i64,
) -> Attempt<Offsets> {
    let found = client.list_offsets(script, partitions, timestamp)?;
    let found = attempt!(found.map_err(|error| runtime(&error.in_execution())));
    let offset = |partition: &TopicPartition| {
        (partition.clone(), found.get(partition).copied().unwrap_or(-1))
    };
    Ok(Ok(to_map(partitions.iter().map(offset))))
}

/// Offsets outside their log are moved to its nearer end, with a warning each. Kafka: `checkOffsetsRange`.
fn within_log(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    wanted: &Offsets,
) -> Attempt<Offsets> {
    let partitions: Vec<TopicPartition> = wanted.keys().cloned().collect();
    let starts = attempt!(log_offsets(script, client, &partitions, EARLIEST)?);
    let ends = attempt!(log_offsets(script, client, &partitions, LATEST)?);
    let mut offsets = Offsets::new();
    for (partition, offset) in wanted.iter() {
        let (start, end) = (starts.get(partition).copied(), ends.get(partition).copied());
        let (offset, warning) = clamped(partition, *offset, start, end);
        if let Some(warning) = warning {
            script.log("WARN", &warning, LOGGER);
        }
        offsets.insert(partition.clone(), offset);
    }
    Ok(Ok(to_map(entries(&offsets))))
}

fn clamped(
    partition: &TopicPartition,
    offset: Offset,
    start: Option<Offset>,
    end: Option<Offset>,
) -> (Offset, Option<String>) {
    let warn = |than: &str, value: Offset| {
        let text = format!(
            "New offset ({offset}) is {than} offset for topic partition {partition}. Value will be set to {value}"
        );
        (value, Some(text))
    };
    match (start, end) {
        (_, Some(end)) if offset > end => warn("higher than latest", end),
        (Some(start), _) if offset < start => warn("lower than earliest", start),
        _ => (offset, None),
    }
}

fn shifted(
    partitions: &[TopicPartition],
    committed: &CommittedOffsets,
    by: i64,
) -> Result<Offsets, Exception> {
    let mut wanted = Offsets::new();
    for partition in partitions {
        let Some(Some(current)) = committed.get(partition) else {
            return Err(Exception::illegal_argument(format!(
                "Cannot shift offset for partition {partition} since there is no current committed offset"
            )));
        };
        wanted.insert(partition.clone(), current.offset.wrapping_add(by));
    }
    Ok(wanted)
}

/// The first offsets from a time on; where there is none, the end. Kafka: `getLogTimestampOffsets`.
fn offsets_at(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    partitions: &[TopicPartition],
    timestamp: i64,
) -> Attempt<Offsets> {
    let found = attempt!(log_offsets(script, client, partitions, timestamp)?);
    let late: Offsets = entries(&found).filter(|(_, offset)| *offset == -1).collect();
    for partition in late.keys() {
        script.out(&format!(
            "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
            partition.partition, partition.topic
        ));
    }
    let late: Vec<TopicPartition> = late.keys().cloned().collect();
    let ends = attempt!(log_offsets(script, client, &late, LATEST)?);
    let offset = |partition: &TopicPartition| {
        let offset = ends.get(partition).or(found.get(partition)).copied().unwrap_or(-1);
        (partition.clone(), offset)
    };
    Ok(Ok(to_map(partitions.iter().map(offset))))
}

/// The committed offsets, and the ends of partitions that have none.
fn to_current(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    partitions: Vec<TopicPartition>,
    committed: &CommittedOffsets,
) -> Attempt<Offsets> {
    let mut offsets = Offsets::new();
    let mut others = Vec::new();
    for partition in partitions {
        match committed.get(&partition) {
            Some(Some(current)) => _ = offsets.insert(partition, current.offset),
            Some(None) => {
                let text =
                    format!("Expected a valid current offset for topic partition: {partition}");
                return Ok(Err(Exception::new("java.lang.IllegalStateException", text)));
            }
            None => others.push(partition),
        }
    }
    let ends = attempt!(log_offsets(script, client, &others, LATEST)?);
    for (partition, offset) in entries(&ends) {
        offsets.insert(partition, offset);
    }
    Ok(Ok(offsets))
}

fn from_file(
    script: &mut Script<'_>,
    client: &mut GroupAdmin<'_>,
    groups: &[String],
    path: &str,
    group: &str,
) -> Attempt<Offsets> {
    let bytes = attempt!(script.read_file(path).map_err(|_| {
        let text = format!("Unable to read file {path}");
        runtime(&Exception::new("java.io.IOException", text))
    }));
    let text = String::from_utf8_lossy(&bytes);
    let (plan, note) = attempt!(parse_plan(&text, groups));
    if let Some(note) = note {
        // The tool reads the file twice: whether there is a plan, and then for the group.
        script.err(&format!("{note}\n{note}\n"));
    }
    match plan.get(&group.to_owned()) {
        Some(wanted) => within_log(script, client, &to_map(entries(wanted))),
        None => {
            script.out(&format!("\nError: No reset plan for group {group} found\n"));
            Ok(Ok(Offsets::new()))
        }
    }
}

/// `topic,partition,offset` lines for the one group named, else `group,topic,partition,offset`. Beside the plan: why the
/// first line is not of the short form.
fn parse_plan(text: &str, groups: &[String]) -> Result<(Plan, Option<Exception>), Exception> {
    const SHORT: (&str, &[&str]) = ("CsvRecordNoGroup", &["topic", "partition", "offset"]);
    const LONG: (&str, &[&str]) =
        ("CsvRecordWithGroup", &["group", "topic", "partition", "offset"]);
    let mut lines: Vec<&str> = text.split('\n').collect();
    while lines.len() > 1 && lines.last() == Some(&"") {
        lines.pop();
    }
    let note = lines.first().and_then(|line| csv_record(line, SHORT).err());
    let mut plan = Plan::new();
    let mut put = |group: &str, topic: &str, partition: i32, offset: i64| {
        let offsets = plan.compute_if_absent(group.to_owned(), Offsets::new);
        offsets.insert(TopicPartition::new(topic, partition), offset);
    };
    for line in lines {
        if let ([group], None) = (groups, &note) {
            let (texts, partition, offset) =
                csv_record(line, SHORT).map_err(|error| runtime(&error))?;
            put(group, texts.first().map_or("", String::as_str), partition, offset);
        } else {
            let (texts, partition, offset) =
                csv_record(line, LONG).map_err(|error| runtime(&error))?;
            let text = |index: usize| texts.get(index).map_or("", String::as_str);
            put(text(0), text(1), partition, offset);
        }
    }
    Ok((plan, note))
}

/// One line by the names of its columns; those at its end that are missing are empty or 0.
fn csv_record(
    line: &str,
    (class, columns): (&str, &[&str]),
) -> Result<(Vec<String>, i32, i64), Exception> {
    let (mut texts, mut partition, mut offset) = (Vec::new(), 0, 0);
    let mut column_of_text = 1;
    for (index, field) in line.strip_suffix('\r').unwrap_or(line).split(',').enumerate() {
        let value = field.trim().trim_matches('"');
        let refuse = |kind: &str| {
            let name = columns.get(index).copied().unwrap_or_default();
            Exception::new(
                "com.fasterxml.jackson.databind.exc.InvalidFormatException",
                format!(
                    "Cannot deserialize value of type `{kind}` from String \"{value}\": not a valid `{kind}` value\n at [Source: (StringReader); line: 1, column: {column_of_text}] (through reference chain: org.apache.kafka.tools.consumer.group.CsvUtils${class}[\"{name}\"])"
                ),
            )
        };
        match columns.get(index) {
            Some(&"partition") if value.is_empty() => partition = 0,
            Some(&"partition") => partition = value.parse().map_err(|_| refuse("int"))?,
            Some(&"offset") if value.is_empty() => offset = 0,
            Some(&"offset") => offset = value.parse().map_err(|_| refuse("long"))?,
            Some(_) => texts.push(value.to_owned()),
            None => {
                return Err(Exception::new(
                    "com.fasterxml.jackson.dataformat.csv.CsvReadException",
                    format!(
                        "Too many entries: expected at most {} (value #{index} ({} chars) \"{value}\")\n at [Source: (StringReader); line: 1, column: {column_of_text}]",
                        columns.len(),
                        value.len()
                    ),
                ));
            }
        }
        column_of_text += field.len() + 1;
    }
    Ok((texts, partition, offset))
}

/// Milliseconds since 1970 of `yyyy-MM-ddTHH:mm:ss.SSS` and a zone (UTC if none); the error is that of a `ParseException`.
/// Kafka: `Utils.getDateTime`; Java: `SimpleDateFormat`, not lenient.
pub fn parse_datetime(text: &str) -> Result<i64, String> {
    let mut parts: Vec<&str> = text.split('T').collect();
    while parts.last() == Some(&"") {
        parts.pop();
    }
    let Some(time) = parts.get(1) else {
        return Err(
            "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format"
                .to_owned(),
        );
    };
    let text = if time.contains(['+', '-', 'Z']) { text.to_owned() } else { format!("{text}Z") };
    let unparseable = || format!("Unparseable date: \"{text}\"");
    let mut rest = text.as_str();
    let mut fields = [0i64; 7];
    for (field, after) in fields.iter_mut().zip(["-", "-", "T", ":", ":", ".", ""]) {
        let blank = rest.trim_start_matches([' ', '\t']);
        let end = blank.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(blank.len());
        *field = blank[..end].parse().map_err(|_| unparseable())?;
        rest = blank[end..].strip_prefix(after).ok_or_else(unparseable)?;
    }
    let [year, month, day, hour, minute, second, millisecond] = fields;
    let zone_minutes = zone_minutes(rest).ok_or_else(unparseable)?;
    let in_day = hour < 24 && minute < 60 && second < 60 && millisecond < 1000;
    let days = days(year, month, day).filter(|_| in_day).ok_or_else(unparseable)?;
    let minutes = (days * 24 + hour) * 60 + minute - zone_minutes;
    Ok((minutes * 60 + second) * 1000 + millisecond)
}

/// `Z`, `+hh:mm` or `+hh`; what follows does not matter.
fn zone_minutes(text: &str) -> Option<i64> {
    if text.starts_with('Z') {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two_digits = |at: usize| -> Option<i64> {
        let digits = text.get(at..at + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let hours = two_digits(1).filter(|hours| *hours < 24)?;
    let minutes = match text.get(3..4) {
        Some(":") => two_digits(4).filter(|minutes| *minutes < 60).unwrap_or(0),
        _ => 0,
    };
    Some(sign * (hours * 60 + minutes))
}

/// Days since 1970 of a date, if there is such a day. Before 15 October 1582 Java's calendar is the Julian one.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=200_000_000).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let julian = (year, month, day) < (1582, 10, 15);
    let leap = year % 4 == 0 && (julian || year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > length || ((1582, 10, 5)..(1582, 10, 15)).contains(&(year, month, day)) {
        return None;
    }
    if !julian {
        return Some(days_from_civil(year, month as u32, day as u32));
    }
    let before_march = i64::from(month <= 2);
    let (years, months) = (year + 4800 - before_march, month + 12 * before_march - 3);
    Some(day + (153 * months + 2) / 5 + 365 * years + years / 4 - 32_083 - 2_440_588)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_are_read_as_simple_date_format_reads_them() {
        let unparseable = |text: &str| Err(format!("Unparseable date: \"{text}\""));
        let no_time = || {
            Err("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format"
                .to_owned())
        };
        for (text, expected) in [
            ("2026-01-02T03:04:05.678", Ok(1_767_323_045_678)),
            ("2026-01-02T03:04:05.678+02:00", Ok(1_767_315_845_678)),
            ("2026-01-02T03:04:05.678-0530", Ok(1_767_341_045_678)),
            ("2026-01-02T03:04:05.678-05:30", Ok(1_767_342_845_678)),
            ("2026-1-2T3:4:5.6", Ok(1_767_323_045_006)),
            ("26-01-02T03:04:05.678", Ok(-61_346_753_754_322)),
            ("1969-12-31T23:59:59.999Z", Ok(-1)),
            ("2047-03-02T01:19:03.064+09", Ok(2_435_069_943_064)),
            ("2026-01-02T03:04:05", unparseable("2026-01-02T03:04:05Z")),
            ("2026-02-30T03:04:05.678", unparseable("2026-02-30T03:04:05.678Z")),
            ("2026-01-02T03:04:60.000", unparseable("2026-01-02T03:04:60.000Z")),
            ("2026-01-02T03:04:05.6789", unparseable("2026-01-02T03:04:05.6789Z")),
            ("2026-01-02T03:04:05.678+25:00", unparseable("2026-01-02T03:04:05.678+25:00")),
            ("2026-01-02T03:04:05.678z", unparseable("2026-01-02T03:04:05.678zZ")),
            ("2026-01-02T", no_time()),
            ("T", no_time()),
            ("", no_time()),
        ] {
            assert_eq!(parse_datetime(text), expected, "{text}");
        }
    }

    #[test]
    fn topics_with_partitions_are_read() {
        for (word, expected) in [
            ("orders:0,2", Ok(vec!["orders-0", "orders-2"])),
            ("orders:-1", Ok(vec!["orders--1"])),
            ("orders:a", Err("Invalid partition 'a' specified in topic arg 'orders:a''")),
            ("orders:0,,1", Err("Invalid partition '' specified in topic arg 'orders:0,,1''")),
            ("a:b:c", Err("Invalid topic arg 'a:b:c', expected topic name and partitions")),
            ("orders:", Err("Invalid topic arg 'orders:', expected topic name and partitions")),
        ] {
            let found = topic_with_partitions(word)
                .map(|all| all.iter().map(TopicPartition::to_string).collect::<Vec<_>>());
            let expected = expected
                .map(|all| all.into_iter().map(str::to_owned).collect())
                .map_err(str::to_owned);
            assert_eq!(found.map_err(|error| error.message), expected, "{word}");
        }
    }

    #[test]
    fn plans_are_read_with_and_without_groups() {
        let plan = |text: &str| {
            let (plan, note) = parse_plan(text, &["g".to_owned()]).unwrap();
            let all = plan.iter().flat_map(|(group, offsets)| {
                entries(offsets)
                    .map(move |(partition, offset)| format!("{group} {partition} {offset}"))
            });
            let mut all: Vec<String> = all.collect();
            simulation::sorted::sort(&mut all);
            (all, note.is_some())
        };
        assert_eq!(plan("t,0,5\nt,1\n\n"), (vec!["g t-0 5".into(), "g t-1 0".into()], false));
        assert_eq!(plan("h,t,0,5\n"), (vec!["h t-0 5".into()], true));
        assert!(parse_plan("g,t,x,5\n", &[]).is_err());
    }
}
