//! What is done to all logs from time to time: retention, and looking for followers that lag.
//! Kafka: `LogManager`, `ReplicaManager.maybeShrinkIsr`.

use simulation::Micros;

use super::{KafkaNode, KafkaTimer, REPLICA_LAG_TIME_MAX};
use crate::event::ClusterEvent;
use crate::types::TopicPartition;
use crate::world::{ProcessContext, Timer};

/// `log.initial.task.delay.ms`
const INITIAL_TASK_DELAY: Micros = Micros::from_ms(30_000);
/// Followers that lag are looked for twice in `replica.lag.time.max.ms`.
const ISR_EXPIRATION_INTERVAL: Micros = Micros(REPLICA_LAG_TIME_MAX.0 / 2);

impl KafkaNode {
    /// The logs have their roles.
    pub(super) fn start_background_tasks(context: &mut ProcessContext<'_>) {
        let now = context.now();
        context.set_timer(Timer::Kafka(KafkaTimer::IsrExpiration), now + ISR_EXPIRATION_INTERVAL);
        context.set_timer(Timer::Kafka(KafkaTimer::LogRetention), now + INITIAL_TASK_DELAY);
    }

    pub(super) fn on_isr_expiration(&mut self, context: &mut ProcessContext<'_>) {
        let now = context.now();
        context.set_timer(Timer::Kafka(KafkaTimer::IsrExpiration), now + ISR_EXPIRATION_INTERVAL);
        let me = self.me();
        let shrunk: Vec<_> = self
            .partitions
            .iter_mut()
            .filter_map(|(id, partition)| Some((*id, partition.maybe_shrink_isr(me, now)?)))
            .collect();
        for (id, proposal) in shrunk {
            self.submit_alter_partition(id, proposal, context);
        }
    }

    /// One run of retention over all logs.
    pub(super) fn on_log_retention(&mut self, context: &mut ProcessContext<'_>) {
        let interval = self.broker_integer("log.retention.check.interval.ms").max(1) as u64;
        let next = context.now() + Micros::from_ms(interval);
        context.set_timer(Timer::Kafka(KafkaTimer::LogRetention), next);
        let (broker, now) = (self.identity.id, self.wall_clock_ms(context.now()));
        for (id, partition) in &mut self.partitions {
            let segments = partition.log.delete_old_segments(now);
            partition.log.purge_deleted_segments(now);
            partition.log.remove_expired_producers(now);
            if segments == 0 {
                continue;
            }
            self.memory.touched.insert(*id);
            let (topic, log_start_offset) = (&partition.topic, partition.log.log_start_offset());
            context.trace(|| ClusterEvent::SegmentsDeleted {
                partition: TopicPartition::new(topic.clone(), id.partition),
                broker,
                log_start_offset,
                segments,
            });
        }
    }
}
