//! Incremental fetch sessions: only what changed since the last fetch is sent (KIP-227). Kafka: `FetchSessionHandler`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use crate::protocol::{ErrorCode, FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use crate::types::TopicPartition;
use crate::uuid::Uuid;

/// "No session".
const INVALID_SESSION_ID: i32 = 0;
/// The first fetch of a session.
const INITIAL_EPOCH: i32 = 0;
/// The fetch that closes a session.
pub const FINAL_EPOCH: i32 = -1;

/// The session with one node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FetchSession {
    id: i32,
    epoch: i32,
    /// What the node knows.
    partitions: SortedMap<TopicPartition, (Uuid, FetchPartition)>,
}

impl FetchSession {
    /// Fills in session, topics and forgotten topics, so that the node fetches `wanted`, in this order.
    pub fn build(
        &mut self,
        request: &mut FetchRequest,
        wanted: Vec<(TopicPartition, Uuid, FetchPartition)>,
    ) {
        request.session_id = self.id;
        request.session_epoch = self.epoch;
        let full = self.epoch == INITIAL_EPOCH;
        let keep: SortedMap<TopicPartition, (Uuid, FetchPartition)> = wanted
            .iter()
            .map(|(partition, id, data)| (partition.clone(), (*id, data.clone())))
            .collect();
        for (partition, (topic_id, _)) in &self.partitions {
            // A topic that was made anew is another one.
            if !full && keep.get(partition).is_none_or(|(id, _)| id != topic_id) {
                let topics = &mut request.forgotten_topics_data;
                match topics.iter_mut().find(|topic| topic.topic_id == *topic_id) {
                    Some(topic) => topic.partitions.push(partition.partition),
                    None => topics.push(ForgottenTopic {
                        topic_id: *topic_id,
                        partitions: vec![partition.partition],
                    }),
                }
            }
        }
        for (partition, topic_id, data) in wanted {
            let known = self.partitions.get(&partition);
            if !full && known.is_some_and(|(id, known)| *id == topic_id && *known == data) {
                continue;
            }
            match request.topics.iter_mut().find(|topic| topic.topic_id == topic_id) {
                Some(topic) => topic.partitions.push(data),
                None => request.topics.push(FetchTopic { topic_id, partitions: vec![data] }),
            }
        }
        self.partitions = keep;
    }

    /// Takes the session part of a response. False: the response says nothing but that the session is lost.
    pub fn on_response(&mut self, error: ErrorCode, session_id: i32) -> bool {
        if error.is_error() {
            // The next fetch is a full one, of a new session where this one is unknown.
            if error == ErrorCode::FetchSessionIdNotFound {
                self.id = INVALID_SESSION_ID;
            }
            self.epoch = INITIAL_EPOCH;
            return false;
        }
        if session_id == INVALID_SESSION_ID {
            self.id = INVALID_SESSION_ID;
            self.epoch = INITIAL_EPOCH;
        } else {
            self.id = session_id;
            self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
        }
        true
    }

    /// No answer: the next fetch closes the session, if there still is one, and begins another.
    pub fn on_failure(&mut self) {
        self.epoch = INITIAL_EPOCH;
    }

    /// The id of a session that the node should be told to close.
    pub fn open_id(&self) -> Option<i32> {
        (self.id != INVALID_SESSION_ID).then_some(self.id)
    }
}
