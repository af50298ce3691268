//! DescribeTopicPartitions (API key 75), page by page. Kafka: `DescribeTopicPartitionsRequestHandler`.

use simulation::sorted::SortedSet;

use super::KafkaNode;
use super::metadata::{alive_leader, offline_replicas};
use crate::protocol::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, ErrorCode,
};
use crate::topic_names;
use crate::uuid::Uuid;

impl KafkaNode {
    pub(super) fn handle_describe_topic_partitions(
        &self,
        request: &DescribeTopicPartitionsRequest,
    ) -> DescribeTopicPartitionsResponse {
        let image = self.image();
        let all = request.topics.is_empty();
        let from = request.cursor.as_ref().map_or("", |cursor| cursor.topic_name.as_str());
        let names: SortedSet<&str> = if all {
            image.topics_by_name.keys().map(String::as_str).collect()
        } else {
            request.topics.iter().map(|topic| topic.name.as_str()).collect()
        };
        let limit = self.broker_integer("max.request.partition.size.limit");
        let mut left = i64::from(request.response_partition_limit).min(limit).max(1) as usize;
        let mut response = DescribeTopicPartitionsResponse::default();
        for name in names.into_iter().filter(|name| *name >= from) {
            if left == 0 {
                response.next_cursor =
                    Some(Cursor { topic_name: name.to_owned(), partition_index: 0 });
                break;
            }
            let Some(topic) = image.topic(name) else {
                if !all {
                    response.topics.push(unknown_topic(name));
                }
                continue;
            };
            let first = match &request.cursor {
                Some(cursor) if cursor.topic_name == name => cursor.partition_index.max(0),
                _ => 0,
            };
            let page = topic.partitions.range(first..).take(left);
            let partitions: Vec<_> = page
                .map(|(index, partition)| DescribeTopicPartitionsResponsePartition {
                    error_code: 0,
                    partition_index: *index,
                    leader_id: alive_leader(image, partition).unwrap_or(-1),
                    leader_epoch: partition.leader_epoch,
                    replica_nodes: partition.replicas.clone(),
                    isr_nodes: partition.isr.clone(),
                    eligible_leader_replicas: Some(partition.elr.clone()),
                    last_known_elr: Some(partition.last_known_elr.clone()),
                    offline_replicas: offline_replicas(image, partition),
                })
                .collect();
            left -= partitions.len();
            let next = first + partitions.len() as i32;
            response.topics.push(DescribeTopicPartitionsResponseTopic {
                error_code: 0,
                name: Some(name.to_owned()),
                topic_id: topic.id,
                is_internal: topic_names::is_internal(name),
                partitions,
            });
            if (next as usize) < topic.partitions.len() {
                response.next_cursor =
                    Some(Cursor { topic_name: name.to_owned(), partition_index: next });
                break;
            }
        }
        response
    }
}

fn unknown_topic(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match topic_names::validate(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.to_owned()),
        topic_id: Uuid::ZERO,
        is_internal: topic_names::is_internal(name),
        partitions: Vec::new(),
    }
}
