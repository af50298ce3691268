//! What a recording waited for: `TOPIC isr=IDS`, `TOPIC-P led by ID`, `group G Stable with N members` and the like.
//! All of them look at what every running broker knows, or at the coordinator of a group.

use cluster::controller::image::{MetadataImage, PartitionRegistration};
use cluster::world::World;
use simulation::ProcessState;

/// A phrase, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The ISR of partition 0 is exactly this.
    Isr {
        topic: String,
        ids: Vec<i32>,
    },
    /// The ISR has so many members; without a topic it is the scenario's only one.
    IsrSize {
        topic: Option<String>,
        size: usize,
    },
    IsrWithout {
        topic: String,
        id: i32,
    },
    NotLed {
        topic: String,
        by: i32,
    },
    IsrEverywhere {
        topic: String,
        size: usize,
    },
    Led {
        topic: String,
        partition: i32,
        by: i32,
    },
    Leaderless {
        topic: String,
    },
    Earliest {
        topic: String,
        offset: i64,
    },
    Group {
        group: String,
        state: String,
        members: Option<usize>,
    },
    NoReassignment,
    /// Not the one that led when the wait began.
    AnotherController,
}

impl Condition {
    /// None: the phrase is unknown.
    pub fn parse(phrase: &str) -> Option<Self> {
        let phrase = phrase.trim();
        match phrase {
            "no reassignment in progress" => return Some(Self::NoReassignment),
            "another controller leads" => return Some(Self::AnotherController),
            _ => {}
        }
        let words: Vec<&str> = phrase.split_whitespace().collect();
        Some(match words[..] {
            ["group", group, state] => {
                Self::Group { group: group.to_owned(), state: state.to_owned(), members: None }
            }
            ["group", group, state, "with", members, "members" | "member"] => Self::Group {
                group: group.to_owned(),
                state: state.to_owned(),
                members: members.parse().ok(),
            },
            ["isr", "has", size] => Self::IsrSize { topic: None, size: size.parse().ok()? },
            [topic, "isr", "has", size] => {
                Self::IsrSize { topic: Some(topic.to_owned()), size: size.parse().ok()? }
            }
            [topic, "has", "no", "leader"] => Self::Leaderless { topic: topic.to_owned() },
            [topic, "led", "by", id] | [topic, "led", "by", id, "again"] => {
                let (topic, partition) = match topic.rsplit_once('-') {
                    Some((topic, partition)) if partition.parse::<i32>().is_ok() => {
                        (topic, partition.parse().ok()?)
                    }
                    _ => (topic, 0),
                };
                Self::Led { topic: topic.to_owned(), partition, by: id.parse().ok()? }
            }
            [topic, "isr", "without", id] => {
                Self::IsrWithout { topic: named(topic), id: id.parse().ok()? }
            }
            [topic, "no", "partition", "led", "by", id] => {
                Self::NotLed { topic: named(topic), by: id.parse().ok()? }
            }
            [topic, "isr", "of", size, "everywhere"] => {
                Self::IsrEverywhere { topic: named(topic), size: size.parse().ok()? }
            }
            [topic, setting] => match setting.split_once('=')? {
                ("isr", ids) => Self::Isr {
                    topic: topic.to_owned(),
                    ids: ids.split(',').map(str::parse).collect::<Result<_, _>>().ok()?,
                },
                ("earliest", offset) => {
                    Self::Earliest { topic: topic.to_owned(), offset: offset.parse().ok()? }
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether it holds now. `controller` led when the wait began.
    pub fn holds(&self, world: &World, controller: Option<i32>) -> bool {
        match self {
            Self::Group { group, state, members } => world.nodes().any(|(_, node)| {
                node.coordinator().groups().any(|(found, _)| {
                    found.group_id == *group
                        && found.state.name() == state
                        && members.is_none_or(|members| found.len() == members)
                })
            }),
            Self::AnotherController => {
                let active = active_controller(world);
                active.is_some() && active != controller
            }
            Self::Earliest { topic, offset } => world.nodes().any(|(_, node)| {
                node.replica(topic, 0).is_some_and(|partition| {
                    partition.is_leader() && partition.log.log_start_offset() == *offset
                })
            }),
            about_metadata => {
                let mut running = world
                    .nodes()
                    .filter(|(spec, _)| world.node_state(spec.id) == Some(ProcessState::Running))
                    .peekable();
                running.peek().is_some()
                    && running.all(|(_, node)| about_metadata.holds_in(node.metadata()))
            }
        }
    }

    fn holds_in(&self, image: &MetadataImage) -> bool {
        let all = |topic: &str, test: &dyn Fn(&PartitionRegistration) -> bool| {
            image.topic(topic).is_some_and(|topic| topic.partitions.values().all(test))
        };
        let one = |topic: &str, partition: i32, test: &dyn Fn(&PartitionRegistration) -> bool| {
            image.topic(topic).and_then(|topic| topic.partitions.get(&partition)).is_some_and(test)
        };
        match self {
            Self::Isr { topic, ids } => one(topic, 0, &|partition| {
                let mut isr = partition.isr.clone();
                isr.sort_unstable();
                isr == *ids
            }),
            Self::IsrSize { topic: Some(topic), size } => {
                one(topic, 0, &|partition| partition.isr.len() == *size)
            }
            Self::IsrSize { topic: None, size } => {
                let mut own = image.topics_by_name.keys().filter(|name| !name.starts_with("__"));
                own.next()
                    .is_some_and(|topic| one(topic, 0, &|partition| partition.isr.len() == *size))
            }
            Self::IsrWithout { topic, id } => all(topic, &|partition| !partition.isr.contains(id)),
            Self::NotLed { topic, by } => all(topic, &|partition| partition.leader != *by),
            Self::IsrEverywhere { topic, size } => {
                all(topic, &|partition| partition.isr.len() == *size)
            }
            Self::Led { topic, partition, by } => {
                one(topic, *partition, &|partition| partition.leader == *by)
            }
            Self::Leaderless { topic } => one(topic, 0, &|partition| !partition.has_leader()),
            Self::NoReassignment => {
                image.partitions_where(PartitionRegistration::is_reassigning).next().is_none()
            }
            Self::Group { .. } | Self::AnotherController | Self::Earliest { .. } => false,
        }
    }
}

fn named(topic: &str) -> String {
    topic.trim_end_matches(':').to_owned()
}

/// The node whose controller is active, if one is.
pub fn active_controller(world: &World) -> Option<i32> {
    let running = |id: i32| world.node_state(id) == Some(ProcessState::Running);
    world
        .nodes()
        .find(|(spec, node)| running(spec.id) && node.controller().is_active())
        .map(|(spec, _)| spec.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_understood() {
        let topic = |name: &str| name.to_owned();
        for (phrase, expected) in [
            ("safe isr=1,2", Some(Condition::Isr { topic: topic("safe"), ids: vec![1, 2] })),
            ("isr has 2", Some(Condition::IsrSize { topic: None, size: 2 })),
            ("e2 isr has 2", Some(Condition::IsrSize { topic: Some(topic("e2")), size: 2 })),
            ("ha: isr without 2", Some(Condition::IsrWithout { topic: topic("ha"), id: 2 })),
            ("ha: no partition led by 2", Some(Condition::NotLed { topic: topic("ha"), by: 2 })),
            (
                "ha: isr of 3 everywhere",
                Some(Condition::IsrEverywhere { topic: topic("ha"), size: 3 }),
            ),
            (
                "back-0 led by 2 again",
                Some(Condition::Led { topic: topic("back"), partition: 0, by: 2 }),
            ),
            ("e2 led by 1", Some(Condition::Led { topic: topic("e2"), partition: 0, by: 1 })),
            ("data has no leader", Some(Condition::Leaderless { topic: topic("data") })),
            ("short earliest=3", Some(Condition::Earliest { topic: topic("short"), offset: 3 })),
            (
                "group app Stable with 2 members",
                Some(Condition::Group {
                    group: topic("app"),
                    state: topic("Stable"),
                    members: Some(2),
                }),
            ),
            (
                "group app Empty",
                Some(Condition::Group {
                    group: topic("app"),
                    state: topic("Empty"),
                    members: None,
                }),
            ),
            ("another controller leads", Some(Condition::AnotherController)),
            ("the moon is full", None),
        ] {
            assert_eq!(Condition::parse(phrase), expected, "{phrase}");
        }
    }
}
