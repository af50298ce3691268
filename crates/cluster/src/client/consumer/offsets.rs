//! Asking leaders where to begin (ListOffsets) and whether a position still holds (OffsetForLeaderEpoch).
//! Kafka: `OffsetFetcher`, `OffsetFetcherUtils`, `OffsetsForLeaderEpochUtils`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::Io;
use super::super::api::ClientError;
use super::super::network::Failure;
use super::error;
use super::settings::{ConsumerSettings, ResetStrategy};
use super::subscription::{FetchState, Position, Subscriptions};
use crate::protocol::*;
use crate::types::{BrokerId, TopicPartition};

pub(super) const EARLIEST_TIMESTAMP: i64 = -2;
pub(super) const LATEST_TIMESTAMP: i64 = -1;
/// Kafka: `OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH_OFFSET`.
const UNDEFINED_EPOCH_OFFSET: i64 = -1;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Asked {
    Reset(SortedMap<TopicPartition, ResetStrategy>),
    Validation(SortedMap<TopicPartition, Position>),
}

/// Requests about offsets that are on their way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OffsetFetcher {
    in_flight: SortedMap<u32, Asked>,
}

impl OffsetFetcher {
    /// Asks for all that needs asking and whose leader can be reached.
    pub fn send(
        &mut self,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let now = io.now();
        let mut resets: SortedMap<(BrokerId, i64), Vec<(TopicPartition, ResetStrategy, i32)>> =
            SortedMap::new();
        let mut validations: SortedMap<BrokerId, Vec<(TopicPartition, Position)>> =
            SortedMap::new();
        let waiting = subscriptions.partitions_where(|state| {
            matches!(state.state, FetchState::AwaitReset(_) | FetchState::AwaitValidation)
                && !state.asking
                && state.retry_at <= now
        });
        for partition in waiting {
            let Some((leader, epoch)) =
                io.network.metadata.leader(&partition.topic, partition.partition)
            else {
                io.network.metadata.request_update(false);
                continue;
            };
            let Some(state) = subscriptions.get(&partition) else { continue };
            match (state.state, state.position) {
                (FetchState::AwaitReset(strategy), _) => {
                    let timestamp = match strategy {
                        ResetStrategy::Earliest => EARLIEST_TIMESTAMP,
                        ResetStrategy::Latest => LATEST_TIMESTAMP,
                        ResetStrategy::ByDuration(ms) => io.wall_clock_ms() - ms,
                    };
                    resets
                        .entry((leader, timestamp))
                        .or_default()
                        .push((partition, strategy, epoch));
                }
                (FetchState::AwaitValidation, Some(position)) => {
                    validations.entry(leader).or_default().push((partition, position));
                }
                _ => {}
            }
        }
        for ((node, timestamp), partitions) in resets {
            if io.network.ready(node, io.context) {
                self.send_reset(node, timestamp, partitions, subscriptions, settings, io);
            }
        }
        for (node, partitions) in validations {
            if io.network.ready(node, io.context) {
                self.send_validation(node, partitions, subscriptions, settings, io);
            }
        }
    }

    fn send_reset(
        &mut self,
        node: BrokerId,
        timestamp: i64,
        partitions: Vec<(TopicPartition, ResetStrategy, i32)>,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let mut asked = SortedMap::new();
        let mut topics: Vec<ListOffsetsTopic> = Vec::new();
        for (partition, strategy, current_leader_epoch) in partitions {
            let data = ListOffsetsPartition {
                partition_index: partition.partition,
                current_leader_epoch,
                timestamp,
            };
            match topics.iter_mut().find(|topic| topic.name == partition.topic) {
                Some(topic) => topic.partitions.push(data),
                None => topics.push(ListOffsetsTopic {
                    name: partition.topic.clone(),
                    partitions: vec![data],
                }),
            }
            if let Some(state) = subscriptions.get_mut(&partition) {
                state.asking = true;
            }
            asked.insert(partition, strategy);
        }
        let request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: i8::from(settings.read_committed),
            topics,
            timeout_ms: settings.request_timeout.as_ms() as i32,
        };
        let id = io.request(node, request.into(), settings.request_timeout);
        self.in_flight.insert(id, Asked::Reset(asked));
    }

    fn send_validation(
        &mut self,
        node: BrokerId,
        partitions: Vec<(TopicPartition, Position)>,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) {
        let mut topics: Vec<OffsetForLeaderTopic> = Vec::new();
        let mut asked = SortedMap::new();
        for (partition, position) in partitions {
            let data = OffsetForLeaderPartition {
                partition: partition.partition,
                current_leader_epoch: position.leader_epoch,
                leader_epoch: position.offset_epoch,
            };
            match topics.iter_mut().find(|topic| topic.topic == partition.topic) {
                Some(topic) => topic.partitions.push(data),
                None => topics.push(OffsetForLeaderTopic {
                    topic: partition.topic.clone(),
                    partitions: vec![data],
                }),
            }
            if let Some(state) = subscriptions.get_mut(&partition) {
                state.asking = true;
            }
            asked.insert(partition, position);
        }
        let request = OffsetForLeaderEpochRequest { replica_id: -1, topics };
        let id = io.request(node, request.into(), settings.request_timeout);
        self.in_flight.insert(id, Asked::Validation(asked));
    }

    /// Takes the answer if the request was one of these.
    pub fn complete(
        &mut self,
        correlation_id: u32,
        result: &Result<Response, Failure>,
        subscriptions: &mut Subscriptions,
        settings: &ConsumerSettings,
        io: &mut Io<'_, '_>,
    ) -> Option<Result<(), ClientError>> {
        let asked = self.in_flight.remove(&correlation_id)?;
        let retry_at = io.now() + settings.backoff.initial;
        let outcome = match (asked, result) {
            (Asked::Reset(asked), Ok(Response::ListOffsets(response))) => {
                for (partition, strategy) in asked {
                    let answer = response
                        .topics
                        .iter()
                        .filter(|topic| topic.name == partition.topic)
                        .flat_map(|topic| &topic.partitions)
                        .find(|data| data.partition_index == partition.partition);
                    reset(&partition, strategy, answer, retry_at, subscriptions, io);
                }
                Ok(())
            }
            (Asked::Validation(asked), Ok(Response::OffsetForLeaderEpoch(response))) => {
                let mut outcome = Ok(());
                for (partition, position) in asked {
                    let answer = response
                        .topics
                        .iter()
                        .filter(|topic| topic.topic == partition.topic)
                        .flat_map(|topic| &topic.partitions)
                        .find(|data| data.partition == partition.partition);
                    let checked = validate(
                        &partition,
                        position,
                        answer,
                        retry_at,
                        subscriptions,
                        settings,
                        io,
                    );
                    outcome = outcome.and(checked);
                }
                outcome
            }
            (Asked::Reset(asked), _) => {
                asked
                    .keys()
                    .for_each(|partition| ask_again(partition, retry_at, subscriptions, io));
                Ok(())
            }
            (Asked::Validation(asked), _) => {
                asked
                    .keys()
                    .for_each(|partition| ask_again(partition, retry_at, subscriptions, io));
                Ok(())
            }
        };
        Some(outcome)
    }
}

fn ask_again(
    partition: &TopicPartition,
    retry_at: Micros,
    subscriptions: &mut Subscriptions,
    io: &mut Io<'_, '_>,
) {
    io.network.metadata.request_update(false);
    if let Some(state) = subscriptions.get_mut(partition) {
        state.asking = false;
        state.retry_at = retry_at;
    }
}

fn reset(
    partition: &TopicPartition,
    strategy: ResetStrategy,
    answer: Option<&ListOffsetsPartitionResponse>,
    retry_at: Micros,
    subscriptions: &mut Subscriptions,
    io: &mut Io<'_, '_>,
) {
    // A seek or another strategy may have come meanwhile.
    if subscriptions
        .get(partition)
        .is_none_or(|state| state.state != FetchState::AwaitReset(strategy))
    {
        return;
    }
    match answer {
        Some(answer) if answer.error_code == 0 && answer.offset >= 0 => {
            let position = Position {
                offset: answer.offset,
                offset_epoch: answer.leader_epoch,
                leader_epoch: -1,
            };
            subscriptions.seek(partition, position);
            subscriptions.maybe_validate_positions(&io.network.metadata);
        }
        // Nothing is as young as that: the end, then.
        Some(answer)
            if answer.error_code == 0 && matches!(strategy, ResetStrategy::ByDuration(_)) =>
        {
            subscriptions.request_reset(partition, ResetStrategy::Latest);
        }
        _ => ask_again(partition, retry_at, subscriptions, io),
    }
}

#[allow(clippy::too_many_arguments)]
fn validate(
    partition: &TopicPartition,
    asked: Position,
    answer: Option<&OffsetForLeaderPartitionResult>,
    retry_at: Micros,
    subscriptions: &mut Subscriptions,
    settings: &ConsumerSettings,
    io: &mut Io<'_, '_>,
) -> Result<(), ClientError> {
    let Some(state) = subscriptions.get_mut(partition) else { return Ok(()) };
    if state.state != FetchState::AwaitValidation || state.position != Some(asked) {
        state.asking = false;
        return Ok(());
    }
    let Some(answer) = answer.filter(|answer| answer.error_code == 0) else {
        ask_again(partition, retry_at, subscriptions, io);
        return Ok(());
    };
    state.asking = false;
    let undefined = answer.end_offset == UNDEFINED_EPOCH_OFFSET || answer.leader_epoch == -1;
    if !undefined && answer.end_offset >= asked.offset {
        state.state = FetchState::Fetching;
        return Ok(());
    }
    // The log was truncated below the position: records that were read are gone.
    let Some(strategy) = settings.reset else {
        return Err(error(
            "org.apache.kafka.clients.consumer.LogTruncationException",
            &format!(
                "Detected log truncation with diverging offsets {{{partition}={}}}",
                answer.end_offset
            ),
        ));
    };
    if undefined {
        subscriptions.request_reset(partition, strategy);
    } else {
        let position = Position {
            offset: answer.end_offset,
            offset_epoch: answer.leader_epoch,
            leader_epoch: asked.leader_epoch,
        };
        subscriptions.seek(partition, position);
    }
    Ok(())
}
