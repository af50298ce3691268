//! The range assignor: each topic's partitions are dealt in consecutive ranges, topic by topic, so that the members that
//! come first get one more, of every topic the same ones. Where racks differ, members get partitions with a replica
//! in their rack as far as that leaves the ranges equally long. Kafka: `RangeAssignor`, KIP-881.

use simulation::sorted::{SortedMap, SortedSet};

use super::{Assignments, GroupMember, TopicRacks, partitions_per_topic, sorted};
use crate::types::{PartitionIndex, TopicPartition};

/// Deals the partitions of `cluster` to the members that subscribe to them.
pub fn assign(cluster: &SortedMap<String, TopicRacks>, members: &[GroupMember]) -> Assignments {
    let members_in_order = sorted(members);
    let mut topics: Vec<TopicState<'_>> = partitions_per_topic(cluster, members)
        .into_iter()
        .map(|(topic, racks)| TopicState::new(topic, racks, &members_in_order))
        .collect();
    let mut assignments: Assignments =
        members.iter().map(|member| (member.member_id.clone(), Vec::new())).collect();
    let rack_aware = topics.iter().any(|topic| topic.needs_rack_aware_assignment);
    if rack_aware {
        assign_with_rack_matching(&mut topics, &mut assignments);
    }
    for topic in &mut topics {
        topic.assign_ranges(false, &mut assignments);
    }
    if rack_aware {
        assignments.values_mut().for_each(|partitions| partitions.sort_unstable());
    }
    assignments
}

/// Topics with the same members and as many partitions stay aligned: partition N of each goes to the same member.
fn assign_with_rack_matching(topics: &mut [TopicState<'_>], assignments: &mut Assignments) {
    let mut alike: SortedMap<(Vec<(&str, Option<&str>)>, usize), Vec<usize>> = SortedMap::new();
    for (index, topic) in topics.iter().enumerate() {
        let mut members: Vec<_> =
            topic.members.iter().map(|member| (member.id, member.rack)).collect();
        simulation::sorted::sort(&mut members);
        alike.entry((members, topic.partition_racks().len())).or_default().push(index);
    }
    for ((_, partitions), group) in alike {
        if let [only] = group[..] {
            if topics[only].needs_rack_aware_assignment {
                topics[only].assign_ranges(true, assignments);
            }
        } else {
            assign_co_partitioned(topics, &group, partitions as PartitionIndex, assignments);
        }
    }
}

fn assign_co_partitioned(
    topics: &mut [TopicState<'_>],
    group: &[usize],
    partitions: PartitionIndex,
    assignments: &mut Assignments,
) {
    let mut remaining: Vec<usize> = (0..topics[group[0]].members.len()).collect();
    for partition in 0..partitions {
        let fitting = remaining.iter().position(|&member| {
            group.iter().all(|&topic| {
                let topic = &topics[topic];
                topic.racks_match(member, partition) && topic.max_assignable(member) > 0
            })
        });
        let Some(place) = fitting else { continue };
        let member = remaining[place];
        for &topic in group {
            topics[topic].give(member, &[partition], assignments);
        }
        if group.iter().all(|&topic| topics[topic].max_assignable(member) == 0) {
            remaining.remove(place);
        }
    }
}

struct Member<'a> {
    id: &'a str,
    rack: Option<&'a str>,
    assigned: usize,
}

struct TopicState<'a> {
    topic: &'a str,
    racks: &'a TopicRacks,
    /// In the order in which they are served.
    members: Vec<Member<'a>>,
    any_member_has_a_rack: bool,
    needs_rack_aware_assignment: bool,
    unassigned: SortedSet<PartitionIndex>,
    per_member: usize,
    /// How many members may still get one more than the others.
    with_extra: usize,
}

impl<'a> TopicState<'a> {
    fn new(topic: &'a str, racks: &'a TopicRacks, members_in_order: &[&'a GroupMember]) -> Self {
        let members: Vec<Member<'a>> = members_in_order
            .iter()
            .filter(|member| member.subscription.topics.iter().any(|wanted| wanted == topic))
            .map(|member| Member {
                id: &member.member_id,
                rack: member.subscription.rack_id.as_deref().filter(|rack| !rack.is_empty()),
                assigned: 0,
            })
            .collect();
        let member_racks: SortedSet<&str> =
            members.iter().filter_map(|member| member.rack).collect();
        let partition_racks: SortedSet<&str> = racks.iter().flatten().map(String::as_str).collect();
        // Where every rack has every partition, the rack decides nothing.
        let racks_differ = racks.iter().any(|racks| {
            racks.iter().map(String::as_str).collect::<SortedSet<_>>() != partition_racks
        });
        let shared = member_racks.intersection(&partition_racks).next().is_some();
        let count = members.len().max(1);
        Self {
            topic,
            racks,
            any_member_has_a_rack: !member_racks.is_empty(),
            needs_rack_aware_assignment: shared && racks_differ,
            unassigned: (0..racks.len() as PartitionIndex).collect(),
            per_member: if members.is_empty() { 0 } else { racks.len() / count },
            with_extra: if members.is_empty() { 0 } else { racks.len() % count },
            members,
        }
    }

    /// The racks of each partition; nobody looks at them while no member has a rack.
    fn partition_racks(&self) -> &[Vec<String>] {
        if self.any_member_has_a_rack { self.racks } else { &[] }
    }

    fn racks_match(&self, member: usize, partition: PartitionIndex) -> bool {
        self.members[member].rack.is_none_or(|rack| {
            self.partition_racks()
                .get(partition as usize)
                .is_some_and(|racks| racks.iter().any(|own| own == rack))
        })
    }

    fn max_assignable(&self, member: usize) -> usize {
        let extra = usize::from(self.with_extra > 0);
        (self.per_member + extra).saturating_sub(self.members[member].assigned)
    }

    /// Gives every member the first partitions that are left, up to its share.
    fn assign_ranges(&mut self, only_matching_racks: bool, assignments: &mut Assignments) {
        for member in 0..self.members.len() {
            let partitions: Vec<PartitionIndex> = self
                .unassigned
                .iter()
                .copied()
                .filter(|partition| !only_matching_racks || self.racks_match(member, *partition))
                .take(self.max_assignable(member))
                .collect();
            if !partitions.is_empty() {
                self.give(member, &partitions, assignments);
            }
        }
    }

    fn give(
        &mut self,
        member: usize,
        partitions: &[PartitionIndex],
        assignments: &mut Assignments,
    ) {
        let receiver = &mut self.members[member];
        receiver.assigned += partitions.len();
        if receiver.assigned > self.per_member {
            self.with_extra = self.with_extra.saturating_sub(1);
        }
        let given = assignments.entry(receiver.id.to_owned()).or_default();
        for partition in partitions {
            self.unassigned.remove(partition);
            given.push(TopicPartition::new(self.topic, *partition));
        }
    }
}
