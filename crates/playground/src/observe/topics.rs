//! The matrix of partitions by brokers.

use cluster::controller::image::resource_type;
use cluster::topic_names;

use super::{Observer, Scene, id_or_none};
use crate::view::{BrokerColumn, ClusterView, PartitionKey, PartitionRow, TopicRow, TopicsView};

impl Observer {
    pub(super) fn fill_topics(
        &mut self,
        scene: &Scene<'_>,
        cluster: &ClusterView,
        view: &mut TopicsView,
    ) {
        let column = |(id, broker): (&i32, &crate::view::BrokerView)| BrokerColumn {
            id: *id,
            state: broker.state,
            fenced: broker.fenced,
        };
        view.brokers = cluster.brokers.iter().map(column).collect();
        for topic in scene.image.topics.values() {
            let internal = topic_names::is_internal(&topic.name);
            let configs = scene.image.configs_of(resource_type::TOPIC, &topic.name);
            let row = TopicRow {
                topic_id: topic.id.to_string(),
                number: self.topic_number(&topic.name),
                internal,
                configs: configs
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            };
            view.topics.insert(topic.name.clone(), row);
            let min_insync_replicas = scene.min_insync_replicas(&topic.name);
            for (index, registration) in &topic.partitions {
                let key = PartitionKey { topic: topic.name.clone(), partition: *index };
                let rate = self.appended.get(&key);
                let replica = scene.replica(registration.leader, topic.id, *index);
                let row = PartitionRow {
                    leader: id_or_none(registration.leader),
                    leader_epoch: registration.leader_epoch,
                    replicas: registration.replicas.clone(),
                    isr: registration.isr.clone(),
                    elr: registration.elr.clone(),
                    last_known_elr: registration.last_known_elr.clone(),
                    min_insync_replicas,
                    log_start_offset: replica.map_or(0, |it| it.log.log_start_offset()),
                    high_watermark: replica.map_or(0, |it| it.log.high_watermark()),
                    log_end_offset: replica.map_or(0, |it| it.log.log_end_offset()),
                    size: replica.map_or(0, |it| it.log.size_in_bytes()),
                    records_in: rate.map_or(0, |rate| rate.per_second(scene.now)) as u32,
                };
                view.partitions.insert(key, row);
            }
        }
    }
}
