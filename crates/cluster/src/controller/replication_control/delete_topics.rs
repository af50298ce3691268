//! DeleteTopics, by name or by id. Kafka: `ReplicationControlManager.deleteTopics`, `ControllerApis.deleteTopics`.

use super::{Decision, ReplicationControl};
use crate::controller::api_error::{ApiError, code_and_message};
use crate::controller::records::MetadataRecord;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::uuid::Uuid;

impl ReplicationControl<'_> {
    /// Decides about topics to remove.
    pub fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
    ) -> Result<Decision<DeleteTopicsResponse>, ApiError> {
        if !self.configs.node.boolean("delete.topic.enable") {
            return Err(ApiError::bare(ErrorCode::TopicDeletionDisabled));
        }
        let mut records = Vec::new();
        let mut responses = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let found = self.find(topic);
            let (error_code, error_message) = code_and_message(&found);
            let (name, topic_id) = match found {
                Ok((topic_id, name)) => {
                    // A topic that is named twice is removed once.
                    let record = MetadataRecord::RemoveTopic { topic_id };
                    if !records.contains(&record) {
                        records.push(record);
                    }
                    (Some(name), topic_id)
                }
                Err(_) => (topic.name.clone(), topic.topic_id),
            };
            responses.push(DeletableTopicResult { name, topic_id, error_code, error_message });
        }
        Ok(Decision::new(records, DeleteTopicsResponse { throttle_time_ms: 0, responses }))
    }

    fn find(&self, topic: &DeleteTopicState) -> Result<(Uuid, String), ApiError> {
        match &topic.name {
            Some(_) if topic.topic_id != Uuid::ZERO => Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "You may not specify both topic name and topic id.",
            )),
            None if topic.topic_id == Uuid::ZERO => Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "Neither topic name nor id were specified.",
            )),
            Some(name) => match self.image.topics_by_name.get(name) {
                Some(id) => Ok((*id, name.clone())),
                None => Err(ApiError::with_default_message(ErrorCode::UnknownTopicOrPartition)),
            },
            None => match self.image.topics.get(&topic.topic_id) {
                Some(found) => Ok((topic.topic_id, found.name.clone())),
                None => Err(ApiError::with_default_message(ErrorCode::UnknownTopicId)),
            },
        }
    }
}
