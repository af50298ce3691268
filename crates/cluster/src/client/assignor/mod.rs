//! Partition assignors that run in the leader of a classic group. Kafka: `ConsumerPartitionAssignor`, `AbstractPartitionAssignor`.

mod range;

use simulation::sorted::SortedMap;

pub use range::assign as assign_range;

use crate::java::{JavaHashMap, JavaHashSet};
use crate::protocol::consumer_protocol::Subscription;
use crate::types::TopicPartition;

/// `range`, by the name that `JoinGroup` uses.
pub const RANGE: &str = "range";

/// One member as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub subscription: Subscription,
}

/// The partitions of a topic in order, each with the racks of its replicas (no racks where none are known).
pub type TopicRacks = Vec<Vec<String>>;

/// What each member gets, in the order in which it gets it.
pub type Assignments = SortedMap<String, Vec<TopicPartition>>;

/// The topics that anybody subscribes to and that have partitions, in the order of Kafka's hash map of them.
fn partitions_per_topic<'a>(
    cluster: &'a SortedMap<String, TopicRacks>,
    members: &'a [GroupMember],
) -> Vec<(&'a str, &'a TopicRacks)> {
    let by_id: JavaHashMap<&str, &GroupMember> =
        members.iter().map(|member| (member.member_id.as_str(), member)).collect();
    let mut subscribed: JavaHashSet<&str> = JavaHashSet::default();
    for topic in by_id.values().flat_map(|member| &member.subscription.topics) {
        subscribed.insert(topic);
    }
    let known: JavaHashMap<&str, &TopicRacks> = subscribed
        .iter()
        .filter_map(|topic| {
            Some((*topic, cluster.get(*topic).filter(|partitions| !partitions.is_empty())?))
        })
        .collect();
    known.iter().map(|(topic, partitions)| (*topic, *partitions)).collect()
}

/// Members with an instance id first, by it; then the others by member id. Kafka: `MemberInfo.compareTo`.
fn sorted(members: &[GroupMember]) -> Vec<&GroupMember> {
    let mut sorted: Vec<&GroupMember> = members.iter().collect();
    simulation::sorted::sort_by_key(&mut sorted, |member| match &member.group_instance_id {
        Some(instance) => (0, instance),
        None => (1, &member.member_id),
    });
    sorted
}
