//! The group coordinator by itself: what it writes, when it answers, what it remembers.

use simulation::sorted::SortedMap;

use cluster::coordinator::{
    Caller, CoordinatorOutput, CoordinatorRecord, GroupCoordinator, GroupCoordinatorConfig,
    GroupMetadataValue, MemberMetadata, OffsetAndMetadata, RequestToken,
};
use cluster::protocol::*;
use cluster::types::Bytes;
use cluster::uuid::Uuid;
use simulation::{Micros, NodeId, Random};

const GROUP: &str = "app";

fn config() -> GroupCoordinatorConfig {
    GroupCoordinatorConfig {
        num_partitions: 1,
        initial_rebalance_delay_ms: 0,
        min_session_timeout_ms: 6_000,
        max_session_timeout_ms: 1_800_000,
        max_size: 100,
        offset_metadata_max_size: 4_096,
        offsets_retention_ms: 7 * 24 * 3_600_000,
        offsets_retention_check_interval_ms: 600_000,
    }
}

/// A coordinator whose log is appended to, and committed when the test says so.
struct Lab {
    coordinator: GroupCoordinator,
    now: Micros,
    log: Vec<(Bytes, Option<Bytes>)>,
    responses: SortedMap<u32, Response>,
    next: u32,
    random: Random,
}

impl Lab {
    fn new() -> Self {
        let mut coordinator = GroupCoordinator::new(config(), 1_000_000);
        coordinator.begin_loading(0);
        coordinator.finish_loading(Micros::ZERO, 0, 0, &mut CoordinatorOutput::default());
        Self {
            coordinator,
            now: Micros::ZERO,
            log: Vec::new(),
            responses: SortedMap::new(),
            next: 0,
            random: Random::from_seed(7),
        }
    }

    fn apply(&mut self, out: CoordinatorOutput, append: Result<(), ErrorCode>) {
        for (token, response) in out.responses {
            self.responses.insert(token.correlation_id, response);
        }
        for wanted in out.appends {
            let result = append.map(|()| {
                self.log.extend(wanted.records.clone());
                self.log.len() as i64 - 1
            });
            let mut next = CoordinatorOutput::default();
            self.coordinator.on_appended(self.now, 0, wanted.append_id, result, &mut next);
            self.apply(next, append);
        }
    }

    fn send(&mut self, request: impl Into<Request>, append: Result<(), ErrorCode>) -> u32 {
        self.next += 1;
        let token = RequestToken { from: NodeId(1), correlation_id: self.next };
        let caller =
            Caller { token, client_id: "client".to_owned(), client_host: "/127.0.0.1".to_owned() };
        let mut out = CoordinatorOutput::default();
        let refused = SortedMap::from([("gone".to_owned(), ErrorCode::UnknownTopicOrPartition)]);
        self.coordinator
            .handle_request(self.now, &caller, request.into(), &refused, &mut self.random, &mut out)
            .expect("a request of the group APIs");
        self.apply(out, append);
        self.next
    }

    fn commit_log(&mut self) {
        let mut out = CoordinatorOutput::default();
        self.coordinator.on_high_watermark(self.now, 0, self.log.len() as i64, &mut out);
        self.apply(out, Ok(()));
    }

    fn pass(&mut self, time: Micros) {
        self.now += time;
        let mut out = CoordinatorOutput::default();
        while self.coordinator.fire_deadline(self.now, &mut out) {
            self.apply(std::mem::take(&mut out), Ok(()));
        }
    }

    fn commit(&mut self, topic: &str, offset: i64, append: Result<(), ErrorCode>) -> u32 {
        let partition = OffsetCommitRequestPartition {
            partition_index: 0,
            committed_offset: offset,
            committed_leader_epoch: -1,
            committed_metadata: None,
        };
        let topic = OffsetCommitRequestTopic {
            topic_id: Uuid::ZERO,
            name: topic.to_owned(),
            partitions: vec![partition],
        };
        let request = OffsetCommitRequest {
            group_id: GROUP.to_owned(),
            generation_id_or_member_epoch: -1,
            topics: vec![topic],
            ..OffsetCommitRequest::default()
        };
        self.send(request, append)
    }

    fn commit_error(&self, number: u32) -> Option<ErrorCode> {
        match self.responses.get(&number)? {
            Response::OffsetCommit(response) => {
                Some(ErrorCode::from_code(response.topics[0].partitions[0].error_code))
            }
            other => panic!("another answer: {other:?}"),
        }
    }

    fn fetch(&mut self, require_stable: bool) -> u32 {
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.to_owned(),
            member_epoch: -1,
            topics: Some(vec![OffsetFetchRequestTopic {
                topic_id: Uuid::ZERO,
                name: "orders".to_owned(),
                partition_indexes: vec![0],
            }]),
            ..OffsetFetchRequestGroup::default()
        };
        self.send(OffsetFetchRequest { groups: vec![group], require_stable }, Ok(()))
    }

    fn fetched(&self, number: u32) -> Option<i64> {
        match self.responses.get(&number)? {
            Response::OffsetFetch(response) => {
                Some(response.groups[0].topics[0].partitions[0].committed_offset)
            }
            other => panic!("another answer: {other:?}"),
        }
    }

    fn join(&mut self, member_id: &str) -> u32 {
        let request = JoinGroupRequest {
            group_id: GROUP.to_owned(),
            session_timeout_ms: 45_000,
            rebalance_timeout_ms: 300_000,
            member_id: member_id.to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".to_owned(),
                metadata: consumer_protocol::Subscription::default().encode(),
            }],
            ..JoinGroupRequest::default()
        };
        self.send(request, Ok(()))
    }

    fn joined(&self, number: u32) -> &JoinGroupResponse {
        match &self.responses[&number] {
            Response::JoinGroup(response) => response,
            other => panic!("another answer: {other:?}"),
        }
    }

    /// A stable group of one.
    fn stable_member(&mut self) -> String {
        let asked = self.join("");
        let member = self.joined(asked).member_id.clone();
        let joined = self.join(&member);
        self.pass(Micros::ZERO);
        assert_eq!(self.joined(joined).generation_id, 1);
        let request = SyncGroupRequest {
            group_id: GROUP.to_owned(),
            generation_id: 1,
            member_id: member.clone(),
            ..SyncGroupRequest::default()
        };
        let synced = self.send(request, Ok(()));
        assert!(!self.responses.contains_key(&synced), "not before the assignment is committed");
        self.commit_log();
        assert!(self.responses.contains_key(&synced));
        member
    }
}

#[test]
fn a_commit_is_answered_when_it_is_committed_and_seen_by_others_then() {
    let mut lab = Lab::new();
    let commit = lab.commit("orders", 42, Ok(()));
    assert_eq!(lab.commit_error(commit), None);
    let other = lab.fetch(false);
    assert_eq!(lab.fetched(other), Some(-1), "not committed yet");
    let stable = lab.fetch(true);
    assert_eq!(lab.fetched(stable), None, "waits for what was written");
    lab.commit_log();
    assert_eq!(lab.commit_error(commit), Some(ErrorCode::None));
    assert_eq!(lab.fetched(stable), Some(42));
    let later = lab.fetch(false);
    assert_eq!(lab.fetched(later), Some(42));
}

#[test]
fn a_commit_that_cannot_be_written_or_takes_too_long_is_refused_and_changes_nothing() {
    let table = [
        (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
        (ErrorCode::MessageTooLarge, ErrorCode::UnknownServerError),
    ];
    for (met, told) in table {
        let mut lab = Lab::new();
        let commit = lab.commit("orders", 42, Err(met));
        assert_eq!(lab.commit_error(commit), Some(told));
        lab.commit_log();
        let fetch = lab.fetch(false);
        assert_eq!(lab.fetched(fetch), Some(-1));
    }
    let mut lab = Lab::new();
    let commit = lab.commit("orders", 42, Ok(()));
    lab.pass(Micros::from_ms(4_999));
    assert_eq!(lab.commit_error(commit), None);
    lab.pass(Micros::from_ms(1));
    assert_eq!(lab.commit_error(commit), Some(ErrorCode::CoordinatorNotAvailable));
}

#[test]
fn offsets_of_topics_that_there_are_not_are_refused() {
    let mut lab = Lab::new();
    let commit = lab.commit("gone", 42, Ok(()));
    assert_eq!(lab.commit_error(commit), Some(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(lab.coordinator.groups().count(), 0, "no group comes of it");
}

#[test]
fn who_waits_for_a_coordinator_that_resigns_is_told() {
    let mut lab = Lab::new();
    let commit = lab.commit("orders", 42, Ok(()));
    let stable = lab.fetch(true);
    let mut out = CoordinatorOutput::default();
    lab.coordinator.unload(0, &mut out);
    lab.apply(out, Ok(()));
    assert_eq!(lab.commit_error(commit), Some(ErrorCode::NotCoordinator));
    let Response::OffsetFetch(response) = &lab.responses[&stable] else { panic!("another answer") };
    assert_eq!(response.groups[0].error_code, ErrorCode::NotCoordinator.code());
    let late = lab.commit("orders", 43, Ok(()));
    assert_eq!(lab.commit_error(late), Some(ErrorCode::NotCoordinator));
}

#[test]
fn the_next_leader_has_groups_members_and_offsets_from_the_log() {
    let mut lab = Lab::new();
    let member = lab.stable_member();
    let request = OffsetCommitRequest {
        group_id: GROUP.to_owned(),
        generation_id_or_member_epoch: 1,
        member_id: member.clone(),
        topics: vec![OffsetCommitRequestTopic {
            topic_id: Uuid::ZERO,
            name: "orders".to_owned(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: 5,
                committed_leader_epoch: 2,
                committed_metadata: Some("m".to_owned()),
            }],
        }],
        ..OffsetCommitRequest::default()
    };
    lab.send(request, Ok(()));

    let mut next = Lab::new();
    next.now = Micros::from_secs(100);
    next.coordinator.begin_loading(0);
    let loading = next.commit("orders", 1, Ok(()));
    assert_eq!(next.commit_error(loading), Some(ErrorCode::CoordinatorLoadInProgress));
    for (offset, (key, value)) in (0..).zip(&lab.log) {
        next.coordinator.load_record(0, offset, key, value.as_deref());
    }
    next.log.clone_from(&lab.log);
    let end = lab.log.len() as i64;
    next.coordinator.finish_loading(next.now, 0, end, &mut CoordinatorOutput::default());
    let heartbeat = HeartbeatRequest {
        group_id: GROUP.to_owned(),
        generation_id: 1,
        member_id: member.clone(),
        group_instance_id: None,
    };
    let heard = next.send(heartbeat, Ok(()));
    let Response::Heartbeat(response) = &next.responses[&heard] else { panic!("another answer") };
    assert_eq!(response.error_code, 0, "the member is known");
    let fetch = next.fetch(false);
    assert_eq!(next.fetched(fetch), Some(5));
    // And its session runs from the moment of loading.
    next.pass(Micros::from_secs(44));
    assert_eq!(next.coordinator.groups().map(|(group, _)| group.len()).sum::<usize>(), 1);
    next.pass(Micros::from_secs(2));
    assert_eq!(next.coordinator.groups().map(|(group, _)| group.len()).sum::<usize>(), 0);
}

#[test]
fn records_are_kafkas_bytes() {
    let offset = CoordinatorRecord::OffsetCommit {
        group: "g".to_owned(),
        topic: "t".to_owned(),
        partition: 1,
        value: Some(OffsetAndMetadata {
            committed_offset: 42,
            leader_epoch: 3,
            metadata: "m".to_owned(),
            commit_timestamp_ms: 7,
            expire_timestamp_ms: None,
            topic_id: Uuid::ZERO,
        }),
    };
    let (key, value) = offset.encode();
    // Type 1, then group, topic and partition; version 4, offset, epoch, compact metadata, time, no tagged fields.
    assert_eq!(*key, [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 1]);
    let expected = [
        &[0, 4][..],
        &42i64.to_be_bytes(),
        &3i32.to_be_bytes(),
        &[2, b'm'],
        &7i64.to_be_bytes(),
        &[0],
    ];
    assert_eq!(*value.expect("a value"), *expected.concat());
}

#[test]
fn every_record_is_read_back_and_no_bytes_make_it_panic() {
    let mut random = Random::from_seed(3);
    let text = |random: &mut Random| "ab\u{fc}-_.".repeat(random.below(4) as usize);
    for case in 0..500 {
        let opaque = |random: &mut Random| {
            Opaque(
                (0..random.below(20)).map(|_| random.next_u64() as u8).collect::<Vec<_>>().into(),
            )
        };
        let record = if random.chance(500_000) {
            CoordinatorRecord::OffsetCommit {
                group: text(&mut random),
                topic: text(&mut random),
                partition: random.next_u64() as i32,
                value: random.chance(800_000).then(|| OffsetAndMetadata {
                    committed_offset: random.next_u64() as i64,
                    leader_epoch: random.next_u64() as i32,
                    metadata: "x".repeat(random.below(300) as usize),
                    commit_timestamp_ms: random.next_u64() as i64,
                    expire_timestamp_ms: None,
                    topic_id: Uuid::new(random.next_u64() as i64, random.below(2) as i64),
                }),
            }
        } else {
            CoordinatorRecord::GroupMetadata {
                group: text(&mut random),
                value: random.chance(800_000).then(|| GroupMetadataValue {
                    protocol_type: text(&mut random),
                    generation: random.next_u64() as i32,
                    protocol: random.chance(500_000).then(|| "range".to_owned()),
                    leader: random.chance(500_000).then(|| "leader".to_owned()),
                    current_state_timestamp: random.next_u64() as i64,
                    members: (0..random.below(3))
                        .map(|member| MemberMetadata {
                            member_id: format!("m{member}"),
                            group_instance_id: random.chance(500_000).then(|| "i".to_owned()),
                            client_id: "c".to_owned(),
                            client_host: "/127.0.0.1".to_owned(),
                            rebalance_timeout: 1,
                            session_timeout: 2,
                            subscription: opaque(&mut random),
                            assignment: opaque(&mut random),
                        })
                        .collect(),
                }),
            }
        };
        let (key, value) = record.encode();
        assert_eq!(CoordinatorRecord::decode(&key, value.as_deref()), Some(record), "case {case}");
        // Cut short or damaged, it is another record or none, but no panic.
        if let Some(value) = value {
            let cut = random.below(value.len() as u64) as usize;
            let _ = CoordinatorRecord::decode(&key, Some(&value[..cut]));
            let mut damaged = value.to_vec();
            let at = random.below(damaged.len() as u64) as usize;
            damaged[at] = random.next_u64() as u8;
            let _ = CoordinatorRecord::decode(&key, Some(&damaged));
        }
        let _ = CoordinatorRecord::decode(&key[..random.below(key.len() as u64) as usize], None);
    }
}
