//! "Right now": a few figures for the tab in view. Health is quiet: a level is set only where something is wrong.

use cluster::coordinator::ClassicGroupState;
use cluster::topic_names;
use cluster::types::TopicPartition;
use simulation::Micros;

use super::cluster::{committed, groups, lag_in};
use super::{Observer, Scene};
use crate::narrator::number;
use crate::seam::Tab;
use crate::view::{Fact, Level, RpcView, Views};

/// A group that is further behind than this is worth a colour.
const BEHIND_MS: u64 = 10_000;

impl Observer {
    pub(super) fn facts(&self, scene: &Scene<'_>, tab: Tab, views: &Views) -> Vec<Fact> {
        match tab {
            Tab::Cluster => self.cluster_facts(scene),
            Tab::Topics => topics_facts(scene, views),
            Tab::Log => log_facts(views),
            Tab::Groups => group_facts(views),
            Tab::Rpcs => self.rpc_facts(scene, &views.rpcs),
        }
    }

    fn cluster_facts(&self, scene: &Scene<'_>) -> Vec<Fact> {
        let mut facts = health(scene);
        facts.push(self.records_fact(scene.now));
        facts.push(self.wait_fact(scene.now));
        facts.extend(slowest_group(scene));
        facts
    }

    fn records_fact(&self, now: Micros) -> Fact {
        let records: u64 = self.appended.values().map(|rate| rate.per_second(now)).sum();
        fact("Records in", format!("{} /s", number(records as i64)))
    }

    fn wait_fact(&self, now: Micros) -> Fact {
        let value = self.produce_waits.p99(now).map_or_else(|| "–".to_owned(), milliseconds);
        fact("Produce time, p99", value)
    }

    fn rpc_facts(&self, scene: &Scene<'_>, view: &RpcView) -> Vec<Fact> {
        let errors = view.messages.values().filter(|message| message.error.is_some()).count();
        let lost = view.messages.values().filter(|message| message.lost).count();
        let (from, to) = view.window;
        vec![
            fact("Window", milliseconds(to.since(from))),
            fact("Messages in view", number(view.messages.len() as i64)),
            warn_if("Errors", number(errors as i64), errors > 0, Level::Warn),
            warn_if("Lost", number(lost as i64), lost > 0, Level::Bad),
            self.wait_fact(scene.now),
        ]
    }
}

fn topics_facts(scene: &Scene<'_>, views: &Views) -> Vec<Fact> {
    let mut facts = vec![
        fact("Topics", number(views.topics.topics.len() as i64)),
        fact("Partitions", number(views.topics.partitions.len() as i64)),
    ];
    facts.extend(health(scene));
    let bytes: u64 = views.topics.partitions.values().map(|row| row.size).sum();
    facts.push(fact("Size of the leaders' logs", size(bytes)));
    facts
}

/// Replicas in sync, under-replicated and offline partitions, of user topics and (where they are not well) internal ones.
fn health(scene: &Scene<'_>) -> Vec<Fact> {
    let (mut in_sync, mut replicas, mut under_replicated, mut offline) = (0, 0, 0, 0);
    for topic in scene.image.topics.values() {
        for partition in topic.partitions.values() {
            let under = partition.isr.len() < partition.replicas.len();
            under_replicated += i64::from(under);
            offline += i64::from(!partition.has_leader());
            if !topic_names::is_internal(&topic.name) {
                in_sync += partition.isr.len() as i64;
                replicas += partition.replicas.len() as i64;
            }
        }
    }
    vec![
        warn_if(
            "Replicas in sync",
            format!("{} of {}", number(in_sync), number(replicas)),
            in_sync < replicas,
            Level::Warn,
        ),
        warn_if(
            "Under-replicated partitions",
            number(under_replicated),
            under_replicated > 0,
            Level::Warn,
        ),
        warn_if("Offline partitions", number(offline), offline > 0, Level::Bad),
    ]
}

/// The group that is furthest behind, if there is any with members.
fn slowest_group(scene: &Scene<'_>) -> Option<Fact> {
    let behind = groups(scene)
        .filter(|(_, group, _)| !group.is_empty())
        .map(|(_, _, offsets)| {
            let topics = offsets.into_iter().flat_map(|offsets| offsets.iter());
            topics
                .flat_map(|(topic, partitions)| {
                    partitions.iter().map(|(index, _)| TopicPartition::new(topic.clone(), *index))
                })
                .filter_map(|partition| {
                    let position = committed(offsets, &partition)?;
                    Some(lag_in(scene, &partition, position).1)
                })
                .max()
                .unwrap_or_default()
        })
        .max()?;
    Some(warn_if("Slowest group", behind_text(behind), behind > BEHIND_MS, Level::Warn))
}

fn log_facts(views: &Views) -> Vec<Fact> {
    let Some(log) = &views.log.log else { return Vec::new() };
    let records = log.log_end_offset - log.log_start_offset;
    let open = log.log_end_offset - log.high_watermark;
    vec![
        fact("Log start offset", number(log.log_start_offset)),
        warn_if("High watermark", number(log.high_watermark), open > 0 && !log.online, Level::Warn),
        fact("Log end offset", number(log.log_end_offset)),
        fact("Offsets in the log", number(records)),
        fact("Segments", number(views.log.segments.len() as i64)),
        fact("Size", size(log.size)),
    ]
}

fn group_facts(views: &Views) -> Vec<Fact> {
    let view = &views.groups;
    let Some(group) = view.chosen.as_ref().and_then(|name| view.groups.get(name)) else {
        return vec![fact("Groups", number(view.groups.len() as i64))];
    };
    let settled = [ClassicGroupState::Stable.name(), ClassicGroupState::Empty.name()];
    let lag: u64 = view.offsets.values().map(|offset| offset.lag_records).sum();
    let slowest = view.offsets.values().map(|offset| offset.lag_ms).max().unwrap_or_default();
    vec![
        warn_if(
            "State",
            group.state.clone(),
            !settled.contains(&group.state.as_str()),
            Level::Warn,
        ),
        fact("Generation", number(i64::from(group.epoch))),
        fact("Members", number(i64::from(group.members))),
        fact("Total lag", format!("{} records", number(lag as i64))),
        warn_if("Slowest partition", behind_text(slowest), slowest > BEHIND_MS, Level::Warn),
    ]
}

fn fact(name: &str, value: String) -> Fact {
    Fact { name: name.to_owned(), value, level: Level::Plain }
}

fn warn_if(name: &str, value: String, wrong: bool, level: Level) -> Fact {
    Fact { name: name.to_owned(), value, level: if wrong { level } else { Level::Plain } }
}

/// `0 s behind`, `1.1 s behind`.
fn behind_text(ms: u64) -> String {
    match ms {
        0 => "up to date".to_owned(),
        ms => format!("{}.{} s behind", number((ms / 1_000) as i64), ms % 1_000 / 100),
    }
}

/// `2.4 ms`, `11 ms`.
pub(super) fn milliseconds(time: Micros) -> String {
    let (ms, tenths) = (time.as_ms(), time.0 % 1_000 / 100);
    if ms < 10 { format!("{ms}.{tenths} ms") } else { format!("{} ms", number(ms as i64)) }
}

/// `960 B`, `61 kB`, `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..10_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        10_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", number((bytes / 1_000_000) as i64), bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(milliseconds(Micros(2_430)), "2.4 ms");
        assert_eq!(milliseconds(Micros(11_999)), "11 ms");
        assert_eq!(size(960), "960 B");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(61_500), "61 kB");
        assert_eq!(size(1_250_000), "1.2 MB");
        assert_eq!(behind_text(1_150), "1.1 s behind");
        assert_eq!(behind_text(0), "up to date");
    }
}
