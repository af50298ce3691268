//! What observers may read of a producer. Nothing here changes anything.

use super::Producer;
use super::batch::ProducerBatch;
use super::config::ProducerSettings;
use crate::types::{BrokerId, TopicPartition};

impl Producer {
    /// Its settings, if they are right.
    pub fn settings(&self) -> Option<&ProducerSettings> {
        self.state.as_ref().ok().map(|running| &running.settings)
    }

    /// Batches that wait in the accumulator, by topic and partition, oldest first.
    pub fn waiting_batches(&self) -> impl Iterator<Item = &ProducerBatch> {
        self.state.as_ref().ok().into_iter().flat_map(|running| running.accumulator.batches())
    }

    /// Batches that were sent and not yet answered.
    pub fn in_flight_batches(&self) -> impl Iterator<Item = &ProducerBatch> {
        let running = self.state.as_ref().ok();
        running.into_iter().flat_map(|running| running.in_flight.values().flatten())
    }

    /// The application waits for buffer memory.
    pub fn is_buffer_full(&self) -> bool {
        self.state.as_ref().is_ok_and(|running| running.accumulator.exhausted)
    }

    /// Who leads a partition, as this producer knows it.
    pub fn leader(&self, partition: &TopicPartition) -> Option<BrokerId> {
        let running = self.state.as_ref().ok()?;
        Some(running.view.topics.get(&partition.topic)?.leader(partition.partition)?.0)
    }
}
