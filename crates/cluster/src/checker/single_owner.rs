//! In one generation of a group, each partition has at most one owner.

use simulation::sorted::SortedMap;

use super::Broken;
use crate::coordinator::GroupCoordinator;
use crate::protocol::consumer_protocol::{Assignment, PROTOCOL_TYPE};
use crate::types::TopicPartition;

/// Shown to people as `one-owner-per-generation`. Looks at what the coordinator has just given a group's members.
pub(super) fn check(
    coordinator: &GroupCoordinator,
    group_id: &str,
    generation: i32,
) -> Result<(), Broken> {
    let found = coordinator.groups().find(|(group, _)| group.group_id == group_id);
    let Some((group, _)) = found.filter(|(group, _)| {
        group.generation_id == generation && group.protocol_type.as_deref() == Some(PROTOCOL_TYPE)
    }) else {
        return Ok(());
    };
    let mut owners: SortedMap<TopicPartition, &str> = SortedMap::new();
    for member in group.members() {
        let Some(assignment) = Assignment::decode(&member.assignment.0) else { continue };
        for partition in assignment.partitions {
            let name = format!("{partition}");
            if let Some(other) = owners.insert(partition, &member.member_id) {
                let what = format!(
                    "group {group_id} in generation {generation}: {name} belongs to both {other} and {}",
                    member.member_id
                );
                return Err(("one-owner-per-generation", what));
            }
        }
    }
    Ok(())
}
