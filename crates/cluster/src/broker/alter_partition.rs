//! ISR changes on their way to the controller: one request in flight, what comes meanwhile goes with the next.
//! Kafka: `AlterPartitionManager`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::controller_channel::Asker;
use super::partition::{IsrProposal, TopicIdPartition};
use super::{KafkaNode, KafkaTimer};
use crate::protocol::{
    AlterPartitionPartition, AlterPartitionRequest, AlterPartitionResponse, AlterPartitionTopic,
    BrokerState, ErrorCode,
};
use crate::world::{ProcessContext, Timer};

/// The pause after a request that failed as a whole.
const RETRY_INTERVAL: Micros = Micros::from_ms(50);

/// What one AlterPartition carried.
pub type SentProposals = SortedMap<TopicIdPartition, IsrProposal>;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AlterPartitionManager {
    unsent: SentProposals,
    in_flight: bool,
}

impl KafkaNode {
    /// Takes a proposal; it is sent at once unless another request is on its way.
    pub(super) fn submit_alter_partition(
        &mut self,
        id: TopicIdPartition,
        proposal: IsrProposal,
        context: &mut ProcessContext<'_>,
    ) {
        self.memory.alter_partition.unsent.insert(id, proposal);
        self.send_alter_partition(context);
    }

    pub(super) fn send_alter_partition(&mut self, context: &mut ProcessContext<'_>) {
        let manager = &mut self.memory.alter_partition;
        let pausing = context.has_timer(&Timer::Kafka(KafkaTimer::AlterPartitionRetry));
        if manager.in_flight || manager.unsent.is_empty() || pausing {
            return;
        }
        manager.in_flight = true;
        let sent = std::mem::take(&mut manager.unsent);
        let mut topics: Vec<AlterPartitionTopic> = Vec::new();
        for (id, proposal) in &sent {
            if topics.last().is_none_or(|topic| topic.topic_id != id.topic_id) {
                topics.push(AlterPartitionTopic { topic_id: id.topic_id, partitions: Vec::new() });
            }
            let broker = |&(broker_id, broker_epoch)| BrokerState { broker_id, broker_epoch };
            let partition = AlterPartitionPartition {
                partition_index: id.partition,
                leader_epoch: proposal.leader_epoch,
                new_isr_with_epochs: proposal.isr.iter().map(broker).collect(),
                leader_recovery_state: 0,
                partition_epoch: proposal.partition_epoch,
            };
            topics.last_mut().expect("just pushed").partitions.push(partition);
        }
        let request = AlterPartitionRequest {
            broker_id: self.identity.id,
            broker_epoch: self.memory.lifecycle.broker_epoch(),
            topics,
        };
        // Never given up: only newer metadata makes a proposal moot.
        self.ask_controller(Asker::AlterPartition(sent), request.into(), Micros::MAX, context);
    }

    pub(super) fn on_alter_partition_response(
        &mut self,
        sent: SentProposals,
        response: &AlterPartitionResponse,
        context: &mut ProcessContext<'_>,
    ) {
        if response.error_code != ErrorCode::None.code() {
            return self.on_alter_partition_failure(sent, context);
        }
        self.memory.alter_partition.in_flight = false;
        let me = self.me();
        let answers = response.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(move |partition| (topic.topic_id, partition))
        });
        let mut again = Vec::new();
        for (topic_id, answer) in answers {
            let id = TopicIdPartition { topic_id, partition: answer.partition_index };
            let (Some(proposal), Some(partition)) = (sent.get(&id), self.partitions.get_mut(&id))
            else {
                continue;
            };
            let error = ErrorCode::from_code(answer.error_code);
            let committed = (answer.leader_epoch, answer.partition_epoch, answer.isr.as_slice());
            if let Some(proposal) = partition.on_alter_partition(error, proposal, committed, me) {
                again.push((id, proposal));
            }
            let moved =
                partition.maybe_increment_high_watermark(context.now(), self.controller.image());
            self.after_high_watermark(id, moved, context);
        }
        for (id, proposal) in again {
            self.memory.alter_partition.unsent.insert(id, proposal);
        }
        self.send_alter_partition(context);
    }

    /// The request as a whole failed: everything in it that was not proposed anew is sent again after a pause.
    pub(super) fn on_alter_partition_failure(
        &mut self,
        sent: SentProposals,
        context: &mut ProcessContext<'_>,
    ) {
        let manager = &mut self.memory.alter_partition;
        manager.in_flight = false;
        for (id, proposal) in sent {
            manager.unsent.entry(id).or_insert(proposal);
        }
        context.set_timer(
            Timer::Kafka(KafkaTimer::AlterPartitionRetry),
            context.now() + RETRY_INTERVAL,
        );
    }
}
