//! Topics that come to be because somebody uses them: `auto.create.topics.enable`, and internal topics on first use.
//! Kafka: `AutoTopicCreationManager`.

use simulation::sorted::SortedSet;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::KafkaNode;
use super::controller_channel::Asker;
use crate::protocol::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use crate::topic_names;
use crate::world::ProcessContext;

/// `request.timeout.ms` of the broker: how long a creation may take.
const REQUEST_TIMEOUT: Micros = Micros::from_ms(30_000);

/// Topics whose creation is on its way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AutoTopicCreation {
    in_flight: SortedSet<String>,
}

impl KafkaNode {
    /// Has the controller create these topics, unless that is on its way already.
    pub(super) fn auto_create_topics(
        &mut self,
        names: Vec<String>,
        context: &mut ProcessContext<'_>,
    ) {
        let in_flight = &mut self.memory.auto_topic_creation.in_flight;
        let names: Vec<String> =
            names.into_iter().filter(|name| in_flight.insert(name.clone())).collect();
        if names.is_empty() {
            return;
        }
        let topics = names.iter().map(|name| self.creatable_topic(name)).collect();
        let request = CreateTopicsRequest {
            topics,
            timeout_ms: REQUEST_TIMEOUT.as_ms() as i32,
            validate_only: false,
        };
        self.ask_controller(
            Asker::AutoTopicCreation(names),
            request.into(),
            REQUEST_TIMEOUT,
            context,
        );
    }

    /// Created or refused: the next who asks sees which.
    pub(super) fn on_auto_topics_created(&mut self, names: &[String]) {
        for name in names {
            self.memory.auto_topic_creation.in_flight.remove(name);
        }
    }

    fn creatable_topic(&self, name: &str) -> CreatableTopic {
        let config = |(name, value): (&str, String)| CreatableTopicConfig {
            name: name.to_owned(),
            value: Some(value),
        };
        if name == topic_names::CONSUMER_OFFSETS {
            let segment_bytes = self.broker_integer("offsets.topic.segment.bytes").to_string();
            return CreatableTopic {
                name: name.to_owned(),
                num_partitions: self.broker_integer("offsets.topic.num.partitions") as i32,
                replication_factor: self.broker_integer("offsets.topic.replication.factor") as i16,
                assignments: Vec::new(),
                configs: [
                    ("cleanup.policy", "compact".to_owned()),
                    ("segment.bytes", segment_bytes),
                    ("compression.type", "producer".to_owned()),
                ]
                .map(config)
                .to_vec(),
            };
        }
        // What this broker's server.properties do not say is left to the controller's.
        let set = |name: &str| {
            self.static_setting(name).and_then(|value| value.trim().parse::<i32>().ok())
        };
        CreatableTopic {
            name: name.to_owned(),
            num_partitions: set("num.partitions").unwrap_or(-1),
            replication_factor: set("default.replication.factor").unwrap_or(-1) as i16,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}
