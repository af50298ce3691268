//! FindCoordinator (API key 10): the broker that leads the group's partition of `__consumer_offsets`.
//! Kafka: `KafkaApis.getCoordinator`.

use super::{KafkaNode, ReplyTo};
use crate::coordinator_partition::partition_for;
use crate::protocol::{Coordinator, ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse};
use crate::topic_names;
use crate::world::ProcessContext;

/// `CoordinatorType.GROUP`
const GROUP: i8 = 0;

impl KafkaNode {
    pub(super) fn handle_find_coordinator(
        &mut self,
        reply_to: ReplyTo,
        request: &FindCoordinatorRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let coordinators: Vec<Coordinator> = request
            .coordinator_keys
            .iter()
            .map(|key| match self.coordinator_of(request.key_type, key) {
                Ok((node_id, host, port)) => Coordinator {
                    key: key.clone(),
                    node_id,
                    host,
                    port,
                    error_code: 0,
                    error_message: None,
                },
                Err(error) => Coordinator {
                    key: key.clone(),
                    node_id: -1,
                    host: String::new(),
                    port: -1,
                    error_code: error.code(),
                    error_message: Some(error.message().to_owned()),
                },
            })
            .collect();
        let response = FindCoordinatorResponse { throttle_time_ms: 0, coordinators };
        Self::reply(reply_to, response, context);
        if request.key_type == GROUP && self.image().topic(topic_names::CONSUMER_OFFSETS).is_none()
        {
            self.auto_create_topics(vec![topic_names::CONSUMER_OFFSETS.to_owned()], context);
        }
    }

    fn coordinator_of(&self, key_type: i8, key: &str) -> Result<(i32, String, i32), ErrorCode> {
        if key_type != GROUP {
            // Transactions and share groups are not built.
            return Err(ErrorCode::InvalidRequest);
        }
        let unavailable = ErrorCode::CoordinatorNotAvailable;
        let topic = self.image().topic(topic_names::CONSUMER_OFFSETS).ok_or(unavailable)?;
        let partition = partition_for(key, topic.partitions.len() as i32);
        let registration = topic.partitions.get(&partition).ok_or(unavailable)?;
        let broker = self.image().brokers.get(&registration.leader).filter(|broker| !broker.fenced);
        broker.map(|broker| (broker.id, broker.host.clone(), broker.port)).ok_or(unavailable)
    }
}
