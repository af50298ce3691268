//! What a client is told and what it tells: the only door between applications and the cluster.

use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::protocol::{ErrorCode, Request, Response};
use crate::types::{
    BrokerId, Bytes, LeaderEpoch, Offset, PartitionIndex, TimestampMs, TopicPartition,
};

/// How a client begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientSpec {
    /// `client.id`; may be empty.
    pub client_id: String,
    /// `bootstrap.servers`, in the order given.
    pub bootstrap: Vec<BootstrapServer>,
    pub kind: ClientKind,
    /// Client configuration by Kafka's names (`linger.ms`, `group.id`, ...); what is absent has Kafka's default.
    pub config: Vec<(String, String)>,
    /// The address a broker sees, as Kafka prints it: `/127.0.0.1`.
    pub host: String,
}

/// One address of `bootstrap.servers`, already resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootstrapServer {
    /// As written: `localhost`.
    pub host: String,
    pub port: i32,
    /// The node that listens there; none refuses connections.
    pub node: Option<BrokerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientKind {
    Admin,
    Producer,
    Consumer,
}

/// Where an admin request goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// The least loaded known node; any will do.
    Any,
    /// This node, and no other.
    Node(BrokerId),
    /// The active controller as the metadata names it (a broker forwards for clients).
    Controller,
    /// The group coordinator of this group id (found by FindCoordinator, retried while it is not available).
    Coordinator(String),
    /// The leader of this partition.
    Leader(TopicPartition),
}

/// What the owner of a client tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientCommand {
    /// Admin: sends one request; `ClientNotice::Response` with the same `call` follows, always.
    /// `timeout_ms` bounds this one request (`request.timeout.ms` 30000 for most tools); retries are the caller's.
    Call {
        call: u32,
        to: Destination,
        request: Request,
        timeout_ms: u32,
    },

    /// Producer: hands a record over (KafkaProducer.send); `Delivered` with the same `tag` follows.
    Send {
        tag: u64,
        record: ProducerRecord,
    },
    /// Producer: sends what is batched now; `Flushed` follows when all before it is answered.
    Flush,

    /// Producer: behaves as an application that sends such a load; `Generated` follows when all of it is answered.
    Generate(GeneratedLoad),

    /// Consumer: joins its group for these topics (or, with `pattern`, for all that match the expressions).
    Subscribe {
        topics: Vec<String>,
        pattern: bool,
    },
    /// Consumer: reads these partitions without a group; `offset` none starts where `auto.offset.reset` says,
    /// -2 at the beginning, -1 at the end (`seekToBeginning`, `seekToEnd`).
    Assign {
        partitions: Vec<(TopicPartition, Option<Offset>)>,
    },
    /// Consumer: the application is ready for up to `max_records` (at most `max.poll.records`); `Records` follows
    /// once there are any. One outstanding poll; polling keeps the membership alive (`max.poll.interval.ms`).
    Poll {
        max_records: u32,
    },
    /// Consumer: commits these offsets (next to read), or all positions if empty; `Committed` follows.
    Commit {
        offsets: Vec<(TopicPartition, Offset)>,
    },
    Seek {
        partition: TopicPartition,
        offset: Offset,
    },

    /// Ends in good order (flush, commit if auto-commit, leave the group); `Closed` follows, then the process exits.
    Close,
}

/// What a client tells its owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientNotice {
    Response {
        call: u32,
        result: Result<Response, CallError>,
    },
    Delivered {
        tag: u64,
        result: Result<RecordMetadata, ClientError>,
    },
    Flushed,
    /// What became of the records of `ClientCommand::Generate`.
    Generated {
        acknowledged: u64,
        failed: u64,
    },
    /// In the order of a poll's return: partition by partition.
    Records(Vec<ConsumerRecord>),
    /// The group gave or took partitions (after a rebalance).
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Committed(Result<(), ClientError>),
    /// The client cannot go on (what KafkaConsumer.poll or the constructor would throw).
    Failed(ClientError),
    /// What the client logs through log4j at WARN or ERROR.
    Log(LogLine),
    Closed,
}

/// Why an admin call has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallError {
    /// The connection was refused or broke.
    Disconnected,
    TimedOut,
    /// The destination could not be found in time (no controller, no leader, no coordinator): the error code last seen.
    NoDestination(i16),
}

/// An exception as Java prints it: `org.apache.kafka.common.errors.TimeoutException: message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientError {
    /// Kafka's code; -1 (`UNKNOWN_SERVER_ERROR`) for errors of the client's own.
    pub code: i16,
    /// Full class name.
    pub exception: String,
    pub message: String,
}

impl ClientError {
    /// The exception that Kafka's clients make of an error code; without a message it says what the code means.
    pub fn of(error: ErrorCode, message: Option<&str>) -> Self {
        let exception = match error.exception().unwrap_or("UnknownServerException") {
            name @ "InvalidRecordException" => format!("org.apache.kafka.common.{name}"),
            name => format!("org.apache.kafka.common.errors.{name}"),
        };
        let message = message.filter(|text| !text.is_empty()).unwrap_or(error.message()).to_owned();
        Self { code: error.code(), exception, message }
    }

    /// What a client's constructor throws at settings that it refuses.
    pub fn of_config(error: &ConfigError) -> Self {
        let package = match error.exception {
            "ConfigException" => "org.apache.kafka.common.config",
            "IllegalArgumentException" | "ArithmeticException" => "java.lang",
            _ => "org.apache.kafka.common.errors",
        };
        let exception = format!("{package}.{}", error.exception);
        Self {
            code: ErrorCode::UnknownServerError.code(),
            exception,
            message: error.message.clone(),
        }
    }
}

/// One log4j line without its time: `WARN [Producer clientId=console-producer] text (logger)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `WARN` or `ERROR`.
    pub level: String,
    pub text: String,
    /// `org.apache.kafka.clients.NetworkClient`
    pub logger: String,
}

/// Records that an application sends in a loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedLoad {
    pub topic: String,
    /// Size of each value.
    pub record_bytes: u32,
    /// How many keys there are (`key-0`, `key-1`, ...), drawn uniformly; 0 for records without key.
    pub keys: u32,
    /// Records a second; 0 for as many as the producer takes.
    pub rate: u64,
    /// How many; 0 for no end until `Close`.
    pub total: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerRecord {
    pub topic: String,
    /// None leaves the choice to the partitioner.
    pub partition: Option<PartitionIndex>,
    /// None takes the time of sending.
    pub timestamp: Option<TimestampMs>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Option<Bytes>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMetadata {
    pub partition: TopicPartition,
    /// -1 with acks=0.
    pub offset: Offset,
    pub timestamp: TimestampMs,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerRecord {
    pub topic: String,
    pub partition: PartitionIndex,
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub timestamp: TimestampMs,
    /// True for LogAppendTime.
    pub log_append_time: bool,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<(String, Option<Bytes>)>,
}
