//! The commands behind the diagram's controls.

use playground::view::{BrokerState, BrokerView};

use crate::ui::widget::icons::{LOCK, PAUSE, PLAY, POWER, TURN, ZAP};

/// What all of Kafka's tools need first.
const SERVER: &str = "--bootstrap-server localhost:9092";

/// What can be done to a broker now: icon, verb, command.
pub fn of_broker(broker: &BrokerView) -> Vec<(&'static str, &'static str, String)> {
    let line = |verb: &str| format!("docker compose {verb} {}", broker.name);
    match broker.state {
        BrokerState::Up | BrokerState::Starting | BrokerState::Draining => vec![
            (POWER, "Stop", line("stop")),
            (ZAP, "Kill", line("kill")),
            (PAUSE, "Pause", line("pause")),
            (TURN, "Restart", line("restart")),
        ],
        BrokerState::Stopped | BrokerState::Crashed => vec![(POWER, "Start", line("start"))],
        BrokerState::Paused => {
            vec![(PLAY, "Unpause", line("unpause")), (ZAP, "Kill", line("kill"))]
        }
    }
}

/// Where its log is shown.
pub fn logs(broker: &BrokerView) -> (&'static str, &'static str, String) {
    (LOCK, "Show logs", format!("docker compose logs --tail 20 {}", broker.name))
}

pub fn create_topic() -> String {
    format!(
        "kafka-topics.sh {SERVER} --create --topic orders --partitions 3 --replication-factor 3"
    )
}

pub fn produce() -> String {
    format!(
        "for n in $(seq 1 40); do for city in berlin cairo lagos osaka porto lima; do echo \"$city:order $n\"; sleep 0.3; done; done | kafka-console-producer.sh {SERVER} --topic orders --reader-property parse.key=true --reader-property key.separator=:"
    )
}

pub fn consume() -> String {
    format!("kafka-console-consumer.sh {SERVER} --topic orders --group billing --from-beginning")
}

pub fn describe_topic(topic: &str) -> String {
    format!("kafka-topics.sh {SERVER} --describe --topic {topic}")
}

pub fn describe_group(group: &str) -> String {
    format!("kafka-consumer-groups.sh {SERVER} --describe --group {group}")
}

pub fn list_topics() -> String {
    format!("kafka-topics.sh {SERVER} --list")
}

pub fn list_groups() -> String {
    format!("kafka-consumer-groups.sh {SERVER} --list")
}

pub fn elect_preferred() -> String {
    format!("kafka-leader-election.sh {SERVER} --election-type preferred --all-topic-partitions")
}
