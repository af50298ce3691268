//! Says in plain sentences what happened and why: cause, effect, safety. It only looks; nothing reads it back.
//!
//! What one event does to many partitions becomes one sentence. Of the records, one at a time is followed from its key's
//! hash to its acknowledgement, so that a busy cluster does not drown the story.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use cluster::checker::Anomaly;
use cluster::event::{ChangeCause, ClusterEvent};
use cluster::types::{BrokerId, Offset, TopicPartition};
use cluster::world::Process;
use serde::{Deserialize, Serialize};
use simulation::{Happening, Micros};

use crate::view::{Action, Level, Part, PartitionKey, Sentence, SentenceKind, Subject};

/// Sentences kept for a page that comes later.
const KEPT: usize = 300;
/// A new record is followed at most this often.
const FOLLOW_INTERVAL: Micros = Micros::from_secs(2);
/// Partitions named one by one; more are summed up.
const NAMED: usize = 2;

/// The story so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Narrator {
    next_id: u64,
    kept: VecDeque<Sentence>,
    /// The first id that was not yet taken.
    fresh_from: u64,
    /// The sentence that explains a broker's present trouble.
    causes: SortedMap<BrokerId, u64>,
    /// Brokers that were shut down in good order and whose process will end next.
    ended_well: Vec<BrokerId>,
    last_command: Option<(u64, Micros)>,
    followed: Option<Followed>,
    last_followed: Micros,
}

/// The record whose way is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Followed {
    partition: TopicPartition,
    client_id: String,
    since: Micros,
    offset: Option<Offset>,
    last: u64,
}

/// What one step did to partitions, gathered so that it can be said at once.
#[derive(Default)]
struct Gathered<'a> {
    leaders: Vec<(&'a TopicPartition, Option<BrokerId>, Option<BrokerId>, i32, ChangeCause, bool)>,
    shrunk: Vec<(&'a TopicPartition, &'a [BrokerId], &'a [BrokerId], i32)>,
    grown: Vec<(&'a TopicPartition, &'a [BrokerId], &'a [BrokerId])>,
}

impl Narrator {
    /// The sentences kept, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &Sentence> + '_ {
        self.kept.iter()
    }

    /// What was told since [`Narrator::take_fresh`], oldest first.
    pub fn unseen(&self) -> impl Iterator<Item = &Sentence> + '_ {
        let from = self.fresh_from;
        self.kept.iter().rev().take_while(move |sentence| sentence.id >= from)
    }

    /// What was told since the last call, oldest first.
    pub fn take_fresh(&mut self) -> Vec<Sentence> {
        let from = std::mem::replace(&mut self.fresh_from, self.next_id + 1);
        self.kept.iter().filter(|sentence| sentence.id >= from).cloned().collect()
    }

    /// A person ran a command.
    pub fn command(&mut self, now: Micros, line: &str) {
        let parts = vec![text("You ran "), Part::Code(line.to_owned()), text(".")];
        let id = self.tell(now, SentenceKind::Command, Level::Plain, None, None, parts);
        self.last_command = Some((id, now));
    }

    /// What the settings allow and nobody likes.
    pub fn anomaly(&mut self, now: Micros, anomaly: &Anomaly) {
        let Anomaly::RecordsLost { partition, leader, from, to } = anomaly;
        let parts = vec![
            strong(format!("{} of {partition} lost", count(to - from, "committed record"))),
            text(format!(
                ": what stood from offset {} is not in the log of its leader now, broker {leader}. It was elected without having been in sync: ",
                number(*from)
            )),
            Part::Code("unclean.leader.election.enable".to_owned()),
            text(" or an unclean election by hand allows that."),
        ];
        let cause = self.causes.get(leader).copied();
        let subject = partition_subject(partition);
        self.important(now, SentenceKind::Anomaly, Level::Bad, cause, subject, parts);
    }

    /// Looks at what one step did.
    pub fn observe(&mut self, now: Micros, happenings: &[(Micros, Happening<Process>)]) {
        let mut gathered = Gathered::default();
        for (_, happening) in happenings {
            match happening {
                Happening::Event { event, .. } => self.on_event(now, event, &mut gathered),
                Happening::Stopped { node } if node.0 < 1_000 => {
                    self.on_stopped(now, node.0 as BrokerId)
                }
                Happening::Started { node } if node.0 < 1_000 && now > Micros::ZERO => {
                    let broker = node.0 as BrokerId;
                    let cause = self.command_just_now(now);
                    let parts = vec![
                        text("The process of "),
                        strong(format!("broker {broker}")),
                        text(
                            " started. It reads its logs, then registers with the active controller.",
                        ),
                    ];
                    let subject = Some(Subject::Broker(broker));
                    let id =
                        self.tell(now, SentenceKind::Started, Level::Plain, cause, subject, parts);
                    self.causes.insert(broker, id);
                }
                Happening::Paused { node } if node.0 < 1_000 => {
                    let broker = node.0 as BrokerId;
                    let cause = self.command_just_now(now);
                    let parts = vec![
                        strong(format!("Broker {broker}")),
                        text(
                            " is frozen: its connections stay open, but nothing is answered and no heartbeat is sent.",
                        ),
                    ];
                    let subject = Some(Subject::Broker(broker));
                    let id = self.important(
                        now,
                        SentenceKind::Failure,
                        Level::Warn,
                        cause,
                        subject,
                        parts,
                    );
                    self.causes.insert(broker, id);
                }
                Happening::Resumed { node } if node.0 < 1_000 => {
                    let broker = node.0 as BrokerId;
                    let cause = self.command_just_now(now);
                    let parts = vec![
                        strong(format!("Broker {broker}")),
                        text(" goes on. It may still believe what was true when it froze."),
                    ];
                    self.tell(
                        now,
                        SentenceKind::Started,
                        Level::Plain,
                        cause,
                        Some(Subject::Broker(broker)),
                        parts,
                    );
                }
                _ => {}
            }
        }
        self.say_gathered(now, &gathered);
    }

    fn on_stopped(&mut self, now: Micros, broker: BrokerId) {
        let cause = self.command_just_now(now).or_else(|| self.causes.get(&broker).copied());
        let subject = Some(Subject::Broker(broker));
        if let Some(position) = self.ended_well.iter().position(|&ended| ended == broker) {
            self.ended_well.remove(position);
            let parts = vec![
                text("The process of "),
                strong(format!("broker {broker}")),
                text(
                    " ended in good order: its leaderships had moved before, so nobody had to wait.",
                ),
            ];
            self.tell(now, SentenceKind::Failure, Level::Plain, cause, subject, parts);
            return;
        }
        let parts = vec![
            text("The process of "),
            strong(format!("broker {broker}")),
            text(
                " is gone. Its connections broke at once, but the controller only notices missing heartbeats: it waits ",
            ),
            Part::Code("broker.session.timeout.ms".to_owned()),
            text(" = 9 s before it acts."),
        ];
        let id = self.important(now, SentenceKind::Failure, Level::Bad, cause, subject, parts);
        self.causes.insert(broker, id);
        if let Some(sentence) = self.find_mut(id) {
            sentence.actions = vec![Action {
                label: format!("Start kafka{broker}"),
                command: format!("docker compose start kafka{broker}"),
            }];
        }
    }

    fn on_event<'a>(&mut self, now: Micros, event: &'a ClusterEvent, gathered: &mut Gathered<'a>) {
        match event {
            ClusterEvent::ControllerElected { leader, epoch } => {
                let parts = vec![
                    text("Node "),
                    strong(leader.to_string()),
                    text(format!(
                        " won the controllers' election and is the active controller, epoch {epoch}. It gives every broker a fresh session."
                    )),
                ];
                self.important(
                    now,
                    SentenceKind::Controller,
                    Level::Plain,
                    None,
                    Some(Subject::Quorum),
                    parts,
                );
            }
            ClusterEvent::BrokerRegistered { broker, clean, .. } => {
                let how = if *clean {
                    " registered with the controller. It stays fenced until it has read the metadata."
                } else {
                    " registered again after an unclean stop. The controller takes it out of the ISR of its partitions first: the end of its logs is in doubt."
                };
                let cause = self.causes.get(broker).copied();
                let level = if *clean { Level::Plain } else { Level::Warn };
                let parts = vec![strong(format!("Broker {broker}")), text(how)];
                self.tell(
                    now,
                    SentenceKind::Started,
                    level,
                    cause,
                    Some(Subject::Broker(*broker)),
                    parts,
                );
            }
            ClusterEvent::BrokerUnfenced { broker } => {
                let cause = self.causes.remove(broker);
                let parts = vec![
                    strong(format!("Broker {broker}")),
                    text(
                        " has caught up with the metadata and is unfenced: it may lead and be in sync again.",
                    ),
                ];
                self.important(
                    now,
                    SentenceKind::Started,
                    Level::Good,
                    cause,
                    Some(Subject::Broker(*broker)),
                    parts,
                );
            }
            ClusterEvent::BrokerFenced { broker, silent_ms } => {
                let cause = self.causes.get(broker).copied();
                let parts = vec![
                    text("No heartbeat of "),
                    strong(format!("broker {broker}")),
                    text(format!(" for {} s, longer than ", seconds(*silent_ms))),
                    Part::Code("broker.session.timeout.ms".to_owned()),
                    text(": the controller fenced it. It leads nothing now and is in no ISR."),
                ];
                let id = self.important(
                    now,
                    SentenceKind::Failure,
                    Level::Bad,
                    cause,
                    Some(Subject::Broker(*broker)),
                    parts,
                );
                self.causes.insert(*broker, id);
            }
            ClusterEvent::ControlledShutdownStarted { broker } => {
                let cause = self.command_just_now(now).or(self.last_command.map(|(id, _)| id));
                let parts = vec![
                    strong(format!("Broker {broker}")),
                    text(
                        " asked the controller to let it go (SIGTERM). Its leaderships move first, then its process ends.",
                    ),
                ];
                let id = self.important(
                    now,
                    SentenceKind::Controller,
                    Level::Warn,
                    cause,
                    Some(Subject::Broker(*broker)),
                    parts,
                );
                self.causes.insert(*broker, id);
            }
            ClusterEvent::BrokerShutDown { broker } => self.ended_well.push(*broker),
            ClusterEvent::TopicCreated { topic, partitions, replication_factor } => {
                let cause = self.command_just_now(now);
                let parts = vec![
                    text("Topic "),
                    strong(topic.clone()),
                    text(format!(
                        " has {}, each on {}.",
                        count(i64::from(*partitions), "partition"),
                        count(i64::from(*replication_factor), "broker")
                    )),
                ];
                self.tell(
                    now,
                    SentenceKind::Topic,
                    Level::Plain,
                    cause,
                    Some(Subject::Topic(topic.clone())),
                    parts,
                );
            }
            ClusterEvent::TopicDeleted { topic } => {
                let cause = self.command_just_now(now);
                let parts = vec![
                    text("Topic "),
                    strong(topic.clone()),
                    text(" is deleted. Its files go 60 s later (file.delete.delay.ms)."),
                ];
                self.tell(now, SentenceKind::Topic, Level::Plain, cause, None, parts);
            }
            ClusterEvent::PartitionsAdded { topic, count: added } => {
                let parts = vec![
                    text("Topic "),
                    strong(topic.clone()),
                    text(format!(
                        " grew by {}. Keys hash over the new number, so most keys go elsewhere from now on.",
                        count(i64::from(*added), "partition")
                    )),
                ];
                self.tell(
                    now,
                    SentenceKind::Topic,
                    Level::Plain,
                    self.command_just_now(now),
                    Some(Subject::Topic(topic.clone())),
                    parts,
                );
            }
            ClusterEvent::ConfigChanged { resource, name, value }
                if now > Micros::from_secs(5) && !resource.starts_with("__") =>
            {
                let what = match value {
                    Some(value) => format!("{name}={value}"),
                    None => format!("{name} (back to its default)"),
                };
                let parts = vec![
                    text("The configuration of "),
                    strong(resource.clone()),
                    text(" changed: "),
                    Part::Code(what),
                    text("."),
                ];
                self.tell(
                    now,
                    SentenceKind::Topic,
                    Level::Plain,
                    self.command_just_now(now),
                    None,
                    parts,
                );
            }
            ClusterEvent::ConfigChanged { .. } => {}
            ClusterEvent::LeaderChanged { partition, from, to, epoch, cause, clean } => {
                gathered.leaders.push((partition, *from, *to, *epoch, *cause, *clean));
            }
            ClusterEvent::IsrChanged { partition, from, to, min_isr, .. } => {
                if to.len() < from.len() {
                    gathered.shrunk.push((partition, from, to, *min_isr));
                } else if to.len() > from.len() {
                    gathered.grown.push((partition, from, to));
                }
            }
            ClusterEvent::Truncated { partition, broker, to } => {
                let parts = vec![
                    strong(format!("Broker {broker}")),
                    text(" cut its copy of "),
                    strong(partition.to_string()),
                    text(format!(
                        " back to offset {}: what stood there after a leader's crash is not in the new leader's log.",
                        number(*to)
                    )),
                ];
                self.important(
                    now,
                    SentenceKind::Anomaly,
                    Level::Warn,
                    self.causes.get(broker).copied(),
                    partition_subject(partition),
                    parts,
                );
            }
            ClusterEvent::SegmentsDeleted { partition, log_start_offset, segments, broker: _ } => {
                let parts = vec![
                    text("Retention removed "),
                    strong(count(i64::from(*segments), "segment")),
                    text(" of "),
                    strong(partition.to_string()),
                    text(format!(": the log starts at offset {} now.", number(*log_start_offset))),
                ];
                self.tell(
                    now,
                    SentenceKind::Retention,
                    Level::Plain,
                    None,
                    partition_subject(partition),
                    parts,
                );
            }
            ClusterEvent::ProduceRefused { partition, error_code } => {
                let why = cluster::protocol::errors::ErrorCode::from_code(*error_code).name();
                let parts = vec![
                    text("The leader of "),
                    strong(partition.to_string()),
                    text(" refused records: "),
                    Part::Code(why.to_owned()),
                    text("."),
                ];
                self.tell(
                    now,
                    SentenceKind::Record,
                    Level::Warn,
                    None,
                    partition_subject(partition),
                    parts,
                );
            }
            ClusterEvent::GroupRebalancing { group, generation: _, reason } => {
                let parts = vec![
                    text("Group "),
                    strong(group.clone()),
                    text(format!(" rebalances: {}.", reason.trim_end_matches('.'))),
                ];
                self.important(
                    now,
                    SentenceKind::Rebalance,
                    Level::Warn,
                    None,
                    Some(Subject::Group(group.clone())),
                    parts,
                );
            }
            ClusterEvent::GroupStable { group, generation, members } => {
                let parts = vec![
                    text("Group "),
                    strong(group.clone()),
                    text(match members {
                        1 => format!(
                            " is stable: 1 member has all its partitions, generation {generation}."
                        ),
                        _ => format!(
                            " is stable: {members} members share its partitions, generation {generation}."
                        ),
                    }),
                ];
                self.important(
                    now,
                    SentenceKind::Rebalance,
                    Level::Good,
                    None,
                    Some(Subject::Group(group.clone())),
                    parts,
                );
            }
            ClusterEvent::MemberLeft { group, member, expired } => {
                let why = if *expired {
                    " was silent for its session timeout, so the coordinator removed it."
                } else {
                    " left the group."
                };
                let parts = vec![strong(member.clone()), text(format!(" of group {group}{why}"))];
                let level = if *expired { Level::Warn } else { Level::Plain };
                self.tell(
                    now,
                    SentenceKind::Rebalance,
                    level,
                    None,
                    Some(Subject::Group(group.clone())),
                    parts,
                );
            }
            ClusterEvent::Retrying { client_id, partition, error_code } => {
                if let Some(followed) =
                    self.followed.clone().filter(|followed| followed.partition == *partition)
                {
                    let why = cluster::protocol::errors::ErrorCode::from_code(*error_code).name();
                    let parts = vec![
                        strong(client_id.clone()),
                        text(" got "),
                        Part::Code(why.to_owned()),
                        text(format!(" for {partition} and tries again.")),
                    ];
                    self.follow_up(now, &followed, Level::Warn, parts);
                }
            }
            ClusterEvent::DeliveryFailed { client_id, partition, records, error } => {
                let parts = vec![
                    strong(client_id.clone()),
                    text(format!(" gave up on {} for ", count(i64::from(*records), "record"))),
                    strong(partition.to_string()),
                    text(format!(": {error}")),
                ];
                self.important(
                    now,
                    SentenceKind::Anomaly,
                    Level::Bad,
                    None,
                    partition_subject(partition),
                    parts,
                );
            }
            event => self.on_record_event(now, event),
        }
    }

    /// The way of the one record that is followed.
    fn on_record_event(&mut self, now: Micros, event: &ClusterEvent) {
        match event {
            ClusterEvent::Partitioned { client_id, partition, hash } => {
                let free = self
                    .followed
                    .as_ref()
                    .is_none_or(|followed| now.since(followed.since) > FOLLOW_INTERVAL);
                let waited = self.last_followed == Micros::ZERO
                    || now.since(self.last_followed) >= FOLLOW_INTERVAL;
                if !free || !waited || partition.topic.starts_with("__") {
                    return;
                }
                let parts = match hash {
                    Some(hash) => vec![
                        strong(client_id.clone()),
                        text(format!(
                            " sends a record. Its key hashes (murmur2) to {}, which puts it into ",
                            number(i64::from(*hash & 0x7fff_ffff))
                        )),
                        strong(partition.to_string()),
                        text("."),
                    ],
                    None => vec![
                        strong(client_id.clone()),
                        text(
                            " sends a record without a key: it joins the batch of its sticky partition, ",
                        ),
                        strong(partition.to_string()),
                        text("."),
                    ],
                };
                let id = self.tell(
                    now,
                    SentenceKind::Record,
                    Level::Plain,
                    None,
                    partition_subject(partition),
                    parts,
                );
                self.last_followed = now;
                self.followed = Some(Followed {
                    partition: partition.clone(),
                    client_id: client_id.clone(),
                    since: now,
                    offset: None,
                    last: id,
                });
            }
            ClusterEvent::Appended {
                partition,
                broker,
                base_offset,
                last_offset,
                leader: true,
            } => {
                let Some(followed) = self.followed.clone().filter(|followed| {
                    followed.partition == *partition && followed.offset.is_none()
                }) else {
                    return;
                };
                let records = last_offset - base_offset + 1;
                let what = if records == 1 {
                    "the record".to_owned()
                } else {
                    format!("a batch of {} records", number(records))
                };
                let parts = vec![
                    strong(format!("Broker {broker}")),
                    text(format!(", its leader, appended {what} at offset ")),
                    strong(number(*base_offset)),
                    text(". Nobody may read it before the in-sync followers have it."),
                ];
                if let Some(followed) = &mut self.followed {
                    followed.offset = Some(*last_offset);
                }
                self.follow_up(now, &followed, Level::Plain, parts);
            }
            ClusterEvent::HighWatermarkMoved { partition, to, .. } => {
                let reached = |followed: &Followed| {
                    followed.partition == *partition
                        && followed.offset.is_some_and(|offset| offset < *to)
                };
                let Some(followed) = self.followed.clone().filter(reached) else { return };
                let parts = vec![
                    text("Every in-sync replica has it: the high watermark of "),
                    strong(partition.to_string()),
                    text(" moved to "),
                    strong(number(*to)),
                    text(", and consumers may read up to there."),
                ];
                if let Some(followed) = &mut self.followed {
                    followed.offset = Some(Offset::MAX);
                }
                self.follow_up(now, &followed, Level::Plain, parts);
            }
            ClusterEvent::Acknowledged { client_id, partition, records, .. } => {
                let Some(followed) = self.followed.clone().filter(|followed| {
                    followed.partition == *partition && followed.client_id == *client_id
                }) else {
                    return;
                };
                let parts = vec![
                    strong(client_id.clone()),
                    text(format!(
                        " got its acknowledgement for {}.",
                        count(i64::from(*records), "record")
                    )),
                ];
                self.follow_up(now, &followed, Level::Good, parts);
                self.followed = None;
            }
            _ => {}
        }
    }

    fn follow_up(&mut self, now: Micros, followed: &Followed, level: Level, parts: Vec<Part>) {
        let id = self.tell(
            now,
            SentenceKind::Record,
            level,
            Some(followed.last),
            partition_subject(&followed.partition),
            parts,
        );
        if let Some(followed) = &mut self.followed {
            followed.last = id;
        }
    }

    fn say_gathered(&mut self, now: Micros, gathered: &Gathered<'_>) {
        let shown = |partition: &TopicPartition| !partition.topic.starts_with("__");
        let leaders: Vec<_> =
            gathered.leaders.iter().filter(|(partition, ..)| shown(partition)).collect();
        for (partition, from, to, epoch, cause, clean) in leaders.iter().take(NAMED) {
            let trouble = from.and_then(|from| self.causes.get(&from).copied());
            let (level, parts) = match to {
                None => (
                    Level::Bad,
                    vec![
                        strong(partition.to_string()),
                        text(
                            " has no leader: no in-sync or eligible replica is alive. It cannot be written or read until one comes back.",
                        ),
                    ],
                ),
                Some(to) => {
                    let safety = match cause {
                        _ if !clean => " It was not in sync: acknowledged records may be lost.",
                        ChangeCause::PreferredElection => " It is the preferred replica.",
                        _ => " It was in sync, so no record is lost.",
                    };
                    let level = if *clean { Level::Plain } else { Level::Bad };
                    let parts = vec![
                        text("The controller made "),
                        strong(format!("broker {to}")),
                        text(" leader of "),
                        strong(partition.to_string()),
                        text(format!(", epoch {epoch}.{safety}")),
                    ];
                    (level, parts)
                }
            };
            self.important(
                now,
                SentenceKind::Election,
                level,
                trouble,
                partition_subject(partition),
                parts,
            );
        }
        let more = leaders.len().saturating_sub(NAMED);
        if more > 0 {
            let trouble = leaders[NAMED].1.and_then(|from| self.causes.get(&from).copied());
            let parts = vec![
                strong(count(more as i64, "more partition")),
                text(" got a new leader in the same moment."),
            ];
            self.important(now, SentenceKind::Election, Level::Plain, trouble, None, parts);
        }
        self.say_shrunk(now, gathered);
        let grown: Vec<_> =
            gathered.grown.iter().filter(|(partition, ..)| shown(partition)).collect();
        if let Some((first, from, to)) = grown.first() {
            let returned: Vec<String> =
                to.iter().filter(|id| !from.contains(id)).map(ToString::to_string).collect();
            let parts = if grown.len() == 1 {
                vec![
                    text("Broker "),
                    strong(returned.join(", ")),
                    text(" has caught up and is in the ISR of "),
                    strong(first.to_string()),
                    text(format!(" again: {} in sync.", to.len())),
                ]
            } else {
                vec![
                    text("Broker "),
                    strong(returned.join(", ")),
                    text(" has caught up and is in the ISR of "),
                    strong(count(grown.len() as i64, "partition")),
                    text(" again."),
                ]
            };
            self.important(
                now,
                SentenceKind::IsrExpand,
                Level::Good,
                None,
                partition_subject(first),
                parts,
            );
        }
    }

    fn say_shrunk(&mut self, now: Micros, gathered: &Gathered<'_>) {
        let shrunk: Vec<_> = gathered
            .shrunk
            .iter()
            .filter(|(partition, ..)| !partition.topic.starts_with("__"))
            .collect();
        let Some((first, from, to, min_isr)) = shrunk.first() else { return };
        let lost = from.iter().find(|id| !to.contains(id));
        let trouble = lost.and_then(|id| self.causes.get(id).copied());
        let below =
            shrunk.iter().filter(|(_, _, to, min_isr)| (to.len() as i32) < *min_isr).count();
        let mut parts = if shrunk.len() == 1 {
            vec![
                strong(first.to_string()),
                text(format!(" is down to {} in sync.", count(to.len() as i64, "replica"))),
            ]
        } else {
            vec![strong(count(shrunk.len() as i64, "partition")), text(" lost an in-sync replica.")]
        };
        let level = if below > 0 {
            parts.push(text(" That is below "));
            parts.push(Part::Code(format!("min.insync.replicas={min_isr}")));
            parts.push(text(
                ": writes with acks=all are refused, and the high watermark stands still.",
            ));
            Level::Bad
        } else {
            parts.push(text(" That still meets "));
            parts.push(Part::Code(format!("min.insync.replicas={min_isr}")));
            parts.push(text("."));
            Level::Warn
        };
        self.important(
            now,
            SentenceKind::IsrShrink,
            level,
            trouble,
            partition_subject(first),
            parts,
        );
    }

    fn command_just_now(&self, now: Micros) -> Option<u64> {
        self.last_command.filter(|(_, at)| now.since(*at) < Micros::from_secs(1)).map(|(id, _)| id)
    }

    fn find_mut(&mut self, id: u64) -> Option<&mut Sentence> {
        self.kept.iter_mut().rev().find(|sentence| sentence.id == id)
    }

    fn important(
        &mut self,
        now: Micros,
        kind: SentenceKind,
        level: Level,
        cause: Option<u64>,
        subject: Option<Subject>,
        parts: Vec<Part>,
    ) -> u64 {
        self.push(now, kind, level, true, cause, subject, parts)
    }

    fn tell(
        &mut self,
        now: Micros,
        kind: SentenceKind,
        level: Level,
        cause: Option<u64>,
        subject: Option<Subject>,
        parts: Vec<Part>,
    ) -> u64 {
        self.push(now, kind, level, false, cause, subject, parts)
    }

    #[allow(clippy::too_many_arguments)] // a sentence has that many sides
    fn push(
        &mut self,
        now: Micros,
        kind: SentenceKind,
        level: Level,
        important: bool,
        cause: Option<u64>,
        subject: Option<Subject>,
        parts: Vec<Part>,
    ) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        let sentence = Sentence {
            id,
            at: now,
            until: None,
            kind,
            level,
            important,
            cause,
            subject,
            parts,
            actions: Vec::new(),
        };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(sentence);
        id
    }
}

fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

fn strong(text: impl Into<String>) -> Part {
    Part::Strong(text.into())
}

fn partition_subject(partition: &TopicPartition) -> Option<Subject> {
    Some(Subject::Partition(PartitionKey {
        topic: partition.topic.clone(),
        partition: partition.partition,
    }))
}

/// `1 partition`, `6 partitions`.
fn count(count: i64, what: &str) -> String {
    format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" })
}

/// Digits in groups of three, with thin spaces.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    if value < 0 { format!("−{grouped}") } else { grouped }
}

/// Milliseconds as seconds with one digit: `9.8`.
fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1_000, ms % 1_000 / 100)
}
