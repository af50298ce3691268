//! Messages on their way, for the moving marks: noted as they are sent, made into pictures when the page asks.

use simulation::sorted::SortedMap;

use cluster::log::Batch;
use cluster::protocol::{FetchPartitionData, Message, Request, Response};
use cluster::topic_names;
use cluster::types::PartitionIndex;
use cluster::uuid::Uuid;
use simulation::{InFlight, Micros, NodeId, Simulation};

use super::{FIRST_CLIENT, Observer};
use crate::view::{Flight, FlightKind, Frame, PartitionKey};
use cluster::world::Process;

/// Marks in one capsule.
const MARKS: usize = 8;
/// From so many flights on, those of the same way are merged.
const MERGE_FROM: usize = Frame::FLIGHTS_MAX / 2;

/// A message that was sent, before it is made into a picture.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    kind: FlightKind,
    from: NodeId,
    to: NodeId,
    sent_at: Micros,
    arrives_at: Option<Micros>,
    partition: Option<PartitionKey>,
    /// The last batch it carries.
    batch: Option<Batch>,
    count: u32,
}

/// Kind, sender, receiver, topic and partition: flights of the same way.
type Way = (u8, u32, u32, Option<PartitionKey>);

/// Flights since they were last taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    sent: Vec<Sent>,
    ways: SortedMap<Way, u32>,
}

impl Flights {
    fn push(&mut self, flight: Sent) {
        let way = (flight.kind as u8, flight.from.0, flight.to.0, flight.partition.clone());
        if self.sent.len() >= MERGE_FROM
            && let Some(index) = self.ways.get(&way)
        {
            self.sent[*index as usize].count += flight.count;
            return;
        }
        if self.sent.len() < Frame::FLIGHTS_MAX {
            self.ways.insert(way, self.sent.len() as u32);
            self.sent.push(flight);
        }
    }
}

impl Observer {
    /// Notes a message if it is drawn at all.
    pub(super) fn note_flight(
        &mut self,
        simulation: &Simulation<Process>,
        in_flight: &InFlight<Process>,
    ) {
        let to_node = in_flight.to.0 < FIRST_CLIENT;
        let from_node = in_flight.from.0 < FIRST_CLIENT;
        let flight = |kind, partition, batch: Option<&Batch>, count| Sent {
            kind,
            from: in_flight.from,
            to: in_flight.to,
            sent_at: in_flight.sent_at,
            arrives_at: Some(in_flight.arrives_at),
            partition,
            batch: batch.cloned(),
            count,
        };
        match &in_flight.message {
            Message::Request { request: Request::Produce(request), .. } => {
                for topic in &request.topic_data {
                    for data in &topic.partition_data {
                        let key = self.key(simulation, topic.topic_id, &topic.name, data.index);
                        let batch = data.records.as_ref();
                        let count = batch.map_or(0, |batch| batch.record_count().max(0) as u32);
                        self.flights.push(flight(FlightKind::Produce, key, batch, count));
                    }
                }
            }
            Message::Response { response: Response::Produce(response), .. } => {
                for topic in &response.responses {
                    for data in &topic.partition_responses {
                        let kind = match data.error_code {
                            0 => FlightKind::Ack,
                            _ => FlightKind::Refusal,
                        };
                        let key = self.key(simulation, topic.topic_id, &topic.name, data.index);
                        self.flights.push(flight(kind, key, None, 1));
                    }
                }
            }
            Message::Request { request: Request::Fetch(request), .. } => {
                let kind = if from_node { FlightKind::FollowerFetch } else { FlightKind::Fetch };
                let first = request
                    .topics
                    .iter()
                    .find_map(|topic| Some((topic.topic_id, topic.partitions.first()?.partition)));
                let key = match first {
                    Some((id, partition)) => {
                        let key = self.key(simulation, id, "", partition);
                        if key.is_none() {
                            return;
                        }
                        key
                    }
                    // What is fetched stands in the session. Between brokers nobody could tell which gutter it is.
                    None if from_node => return,
                    None => None,
                };
                self.flights.push(flight(kind, key, None, 1));
            }
            Message::Response { response: Response::Fetch(response), .. } => {
                let kind = if to_node { FlightKind::Replicate } else { FlightKind::Records };
                for topic in &response.responses {
                    for data in &topic.partitions {
                        let Some(last) = data.records.last() else { continue };
                        let count = records(data);
                        let Some(key) =
                            self.key(simulation, topic.topic_id, "", data.partition_index)
                        else {
                            continue;
                        };
                        self.flights.push(flight(kind, Some(key), Some(last), count));
                    }
                }
            }
            Message::Request { request, .. } if !from_node && is_drawn(request) => {
                self.flights.push(flight(FlightKind::Other, None, None, 1));
            }
            _ => {}
        }
    }

    /// A user topic's partition; none for internal topics.
    fn key(
        &mut self,
        simulation: &Simulation<Process>,
        id: Uuid,
        name: &str,
        partition: PartitionIndex,
    ) -> Option<PartitionKey> {
        let name = if name.is_empty() { self.topic_of(simulation, id)? } else { name.to_owned() };
        (!topic_names::is_internal(&name)).then_some(PartitionKey { topic: name, partition })
    }

    /// Messages sent since the last call, at most [`Frame::FLIGHTS_MAX`].
    pub fn take_flights(&mut self) -> Vec<Flight> {
        let flights = std::mem::take(&mut self.flights);
        flights
            .sent
            .into_iter()
            .map(|sent| {
                let marks = sent.batch.as_ref().map_or(&[][..], |it| self.marks.of_batch(it));
                let marks = marks[marks.len().saturating_sub(MARKS)..].to_vec();
                Flight {
                    kind: sent.kind,
                    from: self.peer(sent.from),
                    to: self.peer(sent.to),
                    sent_at: sent.sent_at,
                    arrives_at: sent.arrives_at.unwrap_or(sent.sent_at),
                    partition: sent.partition,
                    marks,
                    count: sent.count,
                    lost: sent.arrives_at.is_none(),
                }
            })
            .collect()
    }
}

fn records(data: &FetchPartitionData) -> u32 {
    data.records.iter().map(|batch| batch.record_count().max(0) as u32).sum()
}

/// Heartbeats, metadata and the like are not.
fn is_drawn(request: &Request) -> bool {
    matches!(
        request,
        Request::JoinGroup(_)
            | Request::SyncGroup(_)
            | Request::LeaveGroup(_)
            | Request::OffsetCommit(_)
            | Request::InitProducerId(_)
    )
}
