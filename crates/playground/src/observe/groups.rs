//! Consumer groups: who reads what, and how far behind.

use simulation::sorted::SortedSet;

use cluster::coordinator::{ClassicGroup, ClassicGroupMember, ClassicGroupState, GroupOffsets};
use cluster::types::TopicPartition;
use simulation::Micros;

use super::cluster::{Consumers, committed, groups, lag_in, owned, target};
use super::{Observer, Scene, partition_key};
use crate::view::{GroupProtocol, GroupView, GroupsView, MemberState, MemberView, OffsetView};

impl Observer {
    pub(super) fn fill_groups(
        &self,
        scene: &Scene<'_>,
        wanted: Option<&String>,
        view: &mut GroupsView,
    ) {
        let all: Vec<_> = groups(scene).collect();
        for (coordinator, group, _) in &all {
            let group_view = GroupView {
                protocol: GroupProtocol::Classic,
                state: group.state.name().to_owned(),
                epoch: group.generation_id,
                assignor: group.protocol_name.clone().unwrap_or_default(),
                coordinator: Some(*coordinator),
                leader: group.leader_id.clone(),
                members: group.len() as u32,
            };
            view.groups.insert(group.group_id.clone(), group_view);
        }
        let named =
            wanted.and_then(|wanted| all.iter().find(|(_, group, _)| group.group_id == *wanted));
        let busiest = || {
            all.iter().max_by_key(|(_, group, _)| {
                (group.len(), std::cmp::Reverse(group.group_id.as_str()))
            })
        };
        let Some((_, group, offsets)) = named.or_else(busiest) else { return };
        view.chosen = Some(group.group_id.clone());
        let consumers = Consumers::new(scene);
        let mut partitions: SortedSet<TopicPartition> = SortedSet::new();
        for (topic, of_topic) in offsets.iter().flat_map(|offsets| offsets.iter()) {
            partitions.extend(
                of_topic.iter().map(|(index, _)| TopicPartition::new(topic.clone(), *index)),
            );
        }
        for member in group.members() {
            let member_view = self.member_view(scene, &consumers, group, member);
            let of_member = member_view.owned.iter().chain(&member_view.target);
            partitions
                .extend(of_member.map(|it| TopicPartition::new(it.topic.clone(), it.partition)));
            view.members.insert(member.member_id.clone(), member_view);
        }
        for partition in partitions {
            let offset = self.offset_view(scene, *offsets, &partition, view);
            view.offsets.insert(partition_key(&partition), offset);
        }
    }

    fn member_view(
        &self,
        scene: &Scene<'_>,
        consumers: &Consumers<'_>,
        group: &ClassicGroup,
        member: &ClassicGroupMember,
    ) -> MemberView {
        let client = consumers.of_member(&member.member_id);
        let owned = owned(client, group, member);
        let assigned = match group.state {
            ClassicGroupState::Stable => target(member),
            _ => owned.clone(),
        };
        let without = |these: &[TopicPartition], those: &[TopicPartition]| {
            these.iter().filter(|it| !those.contains(it)).map(partition_key).collect::<Vec<_>>()
        };
        let revoking = without(&owned, &assigned);
        let last_heartbeat =
            self.heartbeats.get(&member.member_id).copied().unwrap_or(Micros::ZERO);
        let session = Micros::from_ms(member.session_timeout_ms.max(0) as u64);
        let silent = scene.now.since(last_heartbeat).0 > session.0 / 2;
        let state = match group.state {
            ClassicGroupState::Stable if silent => MemberState::Silent,
            ClassicGroupState::Stable if !revoking.is_empty() => MemberState::Revoking,
            ClassicGroupState::PreparingRebalance => MemberState::Joining,
            ClassicGroupState::CompletingRebalance => MemberState::Syncing,
            _ => MemberState::Stable,
        };
        let name = client.map_or_else(|| member.client_id.clone(), |(id, _)| self.name(id));
        MemberView {
            name,
            client_id: member.client_id.clone(),
            host: member.client_host.clone(),
            epoch: group.generation_id,
            state,
            owned: owned.iter().map(partition_key).collect(),
            target: without(&assigned, &owned),
            revoking,
            last_heartbeat,
            joined: self.new_members.contains(&(group.group_id.clone(), member.member_id.clone())),
        }
    }

    fn offset_view(
        &self,
        scene: &Scene<'_>,
        offsets: Option<&GroupOffsets>,
        partition: &TopicPartition,
        view: &GroupsView,
    ) -> OffsetView {
        let key = partition_key(partition);
        let log =
            scene.leader_replica(&partition.topic, partition.partition).map(|leader| &leader.log);
        let committed = committed(offsets, partition);
        let log_start_offset = log.map_or(0, |log| log.log_start_offset());
        let (lag_records, lag_ms) = lag_in(scene, partition, committed.unwrap_or(log_start_offset));
        let per_second = |rate: Option<&super::Rate>| rate.map_or(0, |it| it.per_second(scene.now));
        let read = per_second(self.consumed.get(&key));
        let written = per_second(self.appended.get(&key));
        let caught_up_in_ms = match (lag_records, read.checked_sub(written)) {
            (0, _) => Some(0),
            (_, None | Some(0)) => None,
            (lag, Some(gain)) => Some(lag * 1_000 / gain),
        };
        OffsetView {
            committed,
            log_start_offset,
            log_end_offset: log.map_or(0, |log| log.high_watermark()),
            lag_records,
            lag_ms,
            caught_up_in_ms,
            owner: view
                .members
                .iter()
                .find(|(_, member)| member.owned.contains(&key))
                .map(|(id, _)| id.clone()),
        }
    }
}
