//! How a broker comes and goes: registration, heartbeats, catching up, unfencing, controlled shutdown.
//! Kafka: `BrokerLifecycleManager`, `BrokerServer.startup`.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::controller_channel::Asker;
use super::{KafkaNode, KafkaTimer};

use crate::protocol::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse, ErrorCode, RegistrationListener,
};
use crate::uuid::Uuid;
use crate::world::{ProcessContext, Timer};

/// From the start of the process until it talks to others: the JVM, the configuration, the loading of the logs.
/// Measured on the real cluster: 2.4 s from the start to "started", of which registration and unfencing take the rest.
const BOOT: Micros = Micros::from_ms(2_250);
/// `broker.heartbeat.interval.ms`
const HEARTBEAT_INTERVAL: Micros = Micros::from_ms(2_000);
/// While it catches up, the broker asks again after this.
const CATCHING_UP_INTERVAL: Micros = Micros::from_ms(10);
/// After the first answer to a controlled shutdown, which usually is done soon.
const SHUTDOWN_RETRY: Micros = Micros::from_ms(50);
/// How long requests of this kind wait for an active controller: `broker.session.timeout.ms` / 2.
const PATIENCE: Micros = Micros::from_ms(4_500);
/// Closing the logs and ending the JVM, once the controller lets the broker go.
const CLOSING: Micros = Micros::from_ms(400);
/// How long a controlled shutdown waits for the controller. Kafka: `controlledShutdownFuture`, 5 minutes.
const CONTROLLED_SHUTDOWN_TIMEOUT: Micros = Micros::from_secs(300);

/// Kafka: `BrokerState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BrokerState {
    #[default]
    NotRunning,
    /// Registering and catching up with the metadata.
    Starting,
    /// Caught up; its logs take their roles and it waits to be unfenced.
    Recovery,
    Running,
    PendingControlledShutdown,
    ShuttingDown,
}

/// The broker's standing with the controller.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lifecycle {
    pub state: BrokerState,
    incarnation_id: Uuid,
    previous_broker_epoch: Option<i64>,
    broker_epoch: Option<i64>,
    ready_to_unfence: bool,
    in_flight: bool,
    next_is_immediate: bool,
    answered_shutdown: bool,
    shutdown_deadline: Option<Micros>,
}

impl Lifecycle {
    /// -1 before the registration.
    pub fn broker_epoch(&self) -> i64 {
        self.broker_epoch.unwrap_or(-1)
    }

    /// Whether the broker's listener takes requests.
    pub fn is_serving(&self) -> bool {
        matches!(
            self.state,
            BrokerState::Recovery | BrokerState::Running | BrokerState::PendingControlledShutdown
        )
    }
}

impl KafkaNode {
    /// The process has been started.
    pub(super) fn boot(context: &mut ProcessContext<'_>) {
        context.set_timer(Timer::Kafka(KafkaTimer::Boot), context.now() + BOOT);
    }

    /// The process is up: it joins the quorum and registers.
    pub(super) fn on_booted(&mut self, context: &mut ProcessContext<'_>) {
        let incarnation_id = Uuid::random(context.random());
        // The marker says that what is on disk is all there is; it is used once.
        let previous_broker_epoch = self.clean_shutdown_epoch.take();
        self.memory.lifecycle = Lifecycle {
            state: BrokerState::Starting,
            incarnation_id,
            previous_broker_epoch,
            ..Lifecycle::default()
        };
        self.start_controller(context);
        self.communicate(context);
    }

    fn schedule_communication(&mut self, after: Micros, context: &mut ProcessContext<'_>) {
        let after = if self.memory.lifecycle.next_is_immediate { Micros::ZERO } else { after };
        self.memory.lifecycle.next_is_immediate = false;
        context.set_timer(Timer::Kafka(KafkaTimer::Heartbeat), context.now() + after);
    }

    fn communicate_now(&mut self, context: &mut ProcessContext<'_>) {
        if self.memory.lifecycle.in_flight {
            self.memory.lifecycle.next_is_immediate = true;
        } else {
            self.schedule_communication(Micros::ZERO, context);
        }
    }

    /// Registers, or sends a heartbeat once that is done.
    pub(super) fn communicate(&mut self, context: &mut ProcessContext<'_>) {
        let lifecycle = &mut self.memory.lifecycle;
        if lifecycle.in_flight || lifecycle.state == BrokerState::ShuttingDown {
            return;
        }
        lifecycle.in_flight = true;
        let Some(broker_epoch) = lifecycle.broker_epoch else {
            let request = BrokerRegistrationRequest {
                broker_id: self.identity.id,
                cluster_id: self.identity.cluster_id.clone(),
                incarnation_id: lifecycle.incarnation_id,
                listeners: vec![RegistrationListener {
                    name: "PLAINTEXT".to_owned(),
                    host: self.identity.host.clone(),
                    port: self.identity.port,
                }],
                rack: self.identity.rack.clone(),
                previous_broker_epoch: lifecycle.previous_broker_epoch.unwrap_or(-1),
            };
            return self.ask_controller(Asker::Registration, request.into(), PATIENCE, context);
        };
        let request = BrokerHeartbeatRequest {
            broker_id: self.identity.id,
            broker_epoch,
            // The offset of the last record, not the one after it.
            current_metadata_offset: self.controller.image_offset() - 1,
            want_fence: !lifecycle.ready_to_unfence,
            want_shut_down: lifecycle.state == BrokerState::PendingControlledShutdown,
        };
        self.ask_controller(Asker::Heartbeat, request.into(), PATIENCE, context);
    }

    pub(super) fn on_lifecycle_failure(&mut self, context: &mut ProcessContext<'_>) {
        self.memory.lifecycle.in_flight = false;
        self.memory.lifecycle.next_is_immediate = false;
        self.schedule_communication(HEARTBEAT_INTERVAL, context);
    }

    pub(super) fn on_registration_response(
        &mut self,
        response: &BrokerRegistrationResponse,
        context: &mut ProcessContext<'_>,
    ) {
        if response.error_code != ErrorCode::None.code() {
            return self.on_lifecycle_failure(context);
        }
        self.memory.lifecycle.in_flight = false;
        self.memory.lifecycle.broker_epoch = Some(response.broker_epoch);
        self.schedule_communication(Micros::ZERO, context);
    }

    pub(super) fn on_heartbeat_response(
        &mut self,
        response: &BrokerHeartbeatResponse,
        context: &mut ProcessContext<'_>,
    ) {
        if response.error_code != ErrorCode::None.code() {
            return self.on_lifecycle_failure(context);
        }
        let lifecycle = &mut self.memory.lifecycle;
        lifecycle.in_flight = false;
        match lifecycle.state {
            BrokerState::Starting => {
                if response.is_caught_up {
                    lifecycle.state = BrokerState::Recovery;
                    lifecycle.ready_to_unfence = true;
                    self.publish_whole_image(context);
                    Self::start_background_tasks(context);
                    self.communicate_now(context);
                } else {
                    self.schedule_communication(CATCHING_UP_INTERVAL, context);
                }
            }
            BrokerState::Recovery => {
                if !response.is_fenced {
                    lifecycle.state = BrokerState::Running;
                }
                self.schedule_communication(HEARTBEAT_INTERVAL, context);
            }
            BrokerState::PendingControlledShutdown => {
                if response.should_shut_down {
                    return self.begin_shutdown(context);
                }
                let after =
                    if lifecycle.answered_shutdown { HEARTBEAT_INTERVAL } else { SHUTDOWN_RETRY };
                lifecycle.answered_shutdown = true;
                self.schedule_communication(after, context);
            }
            BrokerState::ShuttingDown => {}
            BrokerState::NotRunning | BrokerState::Running => {
                self.schedule_communication(HEARTBEAT_INTERVAL, context);
            }
        }
    }

    /// SIGTERM.
    pub(super) fn begin_controlled_shutdown(&mut self, context: &mut ProcessContext<'_>) {
        match self.memory.lifecycle.state {
            BrokerState::Running => {
                self.memory.lifecycle.state = BrokerState::PendingControlledShutdown;
                let deadline = context.now() + CONTROLLED_SHUTDOWN_TIMEOUT;
                context.set_timer(Timer::Kafka(KafkaTimer::ShutdownTimeout), deadline);
                self.communicate_now(context);
            }
            BrokerState::PendingControlledShutdown | BrokerState::ShuttingDown => {}
            BrokerState::NotRunning => context.exit(),
            BrokerState::Starting | BrokerState::Recovery => self.begin_shutdown(context),
        }
    }

    /// Leadership is elsewhere (or time is up): stop serving, close the logs, go.
    pub(super) fn begin_shutdown(&mut self, context: &mut ProcessContext<'_>) {
        if self.memory.lifecycle.state == BrokerState::ShuttingDown {
            return;
        }
        self.memory.lifecycle.state = BrokerState::ShuttingDown;
        context.set_timer(Timer::Kafka(KafkaTimer::Exit), context.now() + CLOSING);
    }

    /// The logs are closed: the marker is written, leadership of the quorum handed over, the process ends.
    pub(super) fn on_exit(&mut self, context: &mut ProcessContext<'_>) {
        self.clean_shutdown_epoch = self.memory.lifecycle.broker_epoch;
        self.shut_down_controller(context);
        context.exit();
    }
}
