//! Brokers: registered, alive, fenced, on their way out. Kafka: `ClusterControlManager`, `BrokerHeartbeatManager`,
//! `BrokerHeartbeatTracker`.
//!
//! Registrations are in the image. Who was heard of when is known to the active controller alone, and a new one
//! grants every broker a fresh session.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::api_error::ApiError;
use super::image::MetadataImage;
use super::records::MetadataRecord;
use super::replication_control::{Decision, ReplicationControl};
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use crate::types::{BrokerId, Offset};

/// Whether a request comes from the broker's present incarnation.
pub fn check_broker_epoch(
    image: &MetadataImage,
    broker: BrokerId,
    epoch: i64,
) -> Result<(), ApiError> {
    match image.brokers.get(&broker) {
        None => Err(ApiError::new(
            ErrorCode::StaleBrokerEpoch,
            format!("No broker registration found for broker id {broker}"),
        )),
        Some(registration) if registration.epoch != epoch => Err(ApiError::new(
            ErrorCode::StaleBrokerEpoch,
            format!("Expected broker epoch {}, but got broker epoch {epoch}", registration.epoch),
        )),
        Some(_) => Ok(()),
    }
}

/// What the active controller remembers of one broker's heartbeats. Kafka: `BrokerHeartbeatState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Heartbeats {
    /// Broker epoch that `contact` is about.
    epoch: i64,
    /// When it was last heard of; none if its session is over.
    contact: Option<Micros>,
    /// How far it has read the metadata log.
    metadata_offset: Offset,
    /// What all others must have read before it may stop: where its last leadership went.
    controlled_shutdown_offset: Option<Offset>,
}

/// The brokers' sessions with the active controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerHeartbeats {
    /// `broker.session.timeout.ms`.
    session_timeout: Micros,
    brokers: SortedMap<BrokerId, Heartbeats>,
}

/// Kafka: `BrokerControlState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerControlState {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

impl BrokerHeartbeats {
    /// A new active controller: every unfenced broker of the image has a fresh session.
    pub fn activate(image: &MetadataImage, session_timeout: Micros, now: Micros) -> Self {
        let brokers = image.brokers.values().map(|broker| {
            let contact = (!broker.fenced).then_some(now);
            (
                broker.id,
                Heartbeats {
                    epoch: broker.epoch,
                    contact,
                    metadata_offset: -1,
                    controlled_shutdown_offset: None,
                },
            )
        });
        Self { session_timeout, brokers: brokers.collect() }
    }

    /// When a broker with this epoch was last heard of.
    pub fn last_contact(&self, broker: BrokerId, epoch: i64) -> Option<Micros> {
        self.brokers.get(&broker).filter(|state| state.epoch == epoch)?.contact
    }

    fn has_valid_session(&self, broker: BrokerId, epoch: i64, now: Micros) -> bool {
        self.last_contact(broker, epoch)
            .is_some_and(|contact| contact + self.session_timeout >= now)
    }

    /// A heartbeat arrived. Kafka notes this before it queues the request.
    pub fn track(&mut self, broker: BrokerId, epoch: i64, now: Micros) {
        let state = self.brokers.entry(broker).or_default();
        if state.epoch != epoch {
            *state = Heartbeats { epoch, metadata_offset: -1, ..Heartbeats::default() };
        }
        state.contact = Some(now);
    }

    /// The broker whose session ended first, if any did; its session is forgotten, so that each is named once.
    pub fn remove_expired(&mut self, now: Micros) -> Option<(BrokerId, i64)> {
        let (id, state) = self
            .brokers
            .iter_mut()
            .filter(|(_, state)| {
                state.contact.is_some_and(|contact| contact + self.session_timeout < now)
            })
            .min_by_key(|(id, state)| (state.contact, **id))?;
        state.contact = None;
        Some((*id, state.epoch))
    }

    /// A broker is gone for good, or comes anew.
    pub fn remove(&mut self, broker: BrokerId) {
        self.brokers.remove(&broker);
    }

    /// Notes how far a broker has read the metadata.
    pub fn touch(&mut self, broker: BrokerId, fenced: bool, metadata_offset: Offset) {
        let state = self.brokers.entry(broker).or_default();
        state.metadata_offset = metadata_offset;
        if fenced {
            state.controlled_shutdown_offset = None;
        }
    }

    /// The broker's leaderships have moved by `offset`: once all others know, it may stop.
    pub fn set_controlled_shutdown_offset(&mut self, broker: BrokerId, offset: Offset) {
        let state = self.brokers.entry(broker).or_default();
        state.controlled_shutdown_offset.get_or_insert(offset);
    }

    /// How far the slowest active broker has read the metadata.
    fn lowest_active_offset(&self, image: &MetadataImage) -> Offset {
        let active = |(id, state): (&BrokerId, &Heartbeats)| {
            let alive = image.brokers.get(id).is_some_and(|broker| !broker.fenced);
            (alive && state.controlled_shutdown_offset.is_none()).then_some(state.metadata_offset)
        };
        self.brokers.iter().filter_map(active).min().unwrap_or(Offset::MAX)
    }

    fn state(&self, image: &MetadataImage, broker: BrokerId) -> BrokerControlState {
        let shutting_down = self
            .brokers
            .get(&broker)
            .is_some_and(|state| state.controlled_shutdown_offset.is_some());
        if shutting_down {
            BrokerControlState::ControlledShutdown
        } else if image.brokers.get(&broker).is_none_or(|broker| broker.fenced) {
            BrokerControlState::Fenced
        } else {
            BrokerControlState::Unfenced
        }
    }
}

/// A heartbeat's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatReply {
    pub response: BrokerHeartbeatResponse,
    /// Its controlled shutdown begins or goes on: note the offset of the last record with
    /// [`BrokerHeartbeats::set_controlled_shutdown_offset`].
    pub in_controlled_shutdown: bool,
}

/// The part of the controller that decides about brokers.
#[derive(Clone, Copy)]
pub struct ClusterControl<'a> {
    pub replication: ReplicationControl<'a>,
    pub heartbeats: &'a BrokerHeartbeats,
    pub cluster_id: &'a str,
}

impl ClusterControl<'_> {
    /// Decides about a registration. `new_broker_epoch` is the offset that the next record will have.
    /// A new incarnation whose previous epoch is not the registered one did not shut down cleanly.
    pub fn register_broker(
        &self,
        request: &BrokerRegistrationRequest,
        new_broker_epoch: i64,
        now: Micros,
    ) -> Result<Decision<BrokerRegistrationResponse>, ApiError> {
        if request.cluster_id != self.cluster_id {
            return Err(ApiError::new(
                ErrorCode::InconsistentClusterId,
                format!(
                    "Expected cluster ID {}, but got cluster ID {}",
                    self.cluster_id, request.cluster_id
                ),
            ));
        }
        let existing = self.replication.image.brokers.get(&request.broker_id);
        let same_incarnation =
            existing.filter(|broker| broker.incarnation_id == request.incarnation_id);
        if let Some(broker) = existing
            && same_incarnation.is_none()
            && self.heartbeats.has_valid_session(broker.id, broker.epoch, now)
        {
            return Err(ApiError::new(
                ErrorCode::DuplicateBrokerRegistration,
                "Another broker is registered with that broker id. If the broker was recently restarted this should \
                 self-resolve once the heartbeat manager expires the broker's session.",
            ));
        }
        let mut records = Vec::new();
        if same_incarnation.is_none() {
            let clean =
                existing.is_some_and(|broker| broker.epoch == request.previous_broker_epoch);
            records = self.replication.broker_shut_down(request.broker_id, clean);
        }
        let listener = request.listeners.first();
        let broker_epoch = same_incarnation.map_or(new_broker_epoch, |broker| broker.epoch);
        records.push(MetadataRecord::RegisterBroker {
            broker_id: request.broker_id,
            incarnation_id: request.incarnation_id,
            broker_epoch,
            host: listener.map(|listener| listener.host.clone()).unwrap_or_default(),
            port: listener.map_or(-1, |listener| listener.port),
            rack: request.rack.clone(),
            fenced: same_incarnation.is_none_or(|broker| broker.fenced),
            in_controlled_shutdown: same_incarnation
                .is_some_and(|broker| broker.in_controlled_shutdown),
        });
        let response = BrokerRegistrationResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            broker_epoch,
        };
        Ok(Decision::new(records, response))
    }

    /// Decides what a heartbeat changes. `registration_offset` is where the broker's registration stands in the log:
    /// it is unfenced once it has read that far.
    pub fn heartbeat(
        &self,
        request: &BrokerHeartbeatRequest,
        registration_offset: Offset,
    ) -> Result<Decision<HeartbeatReply>, ApiError> {
        use BrokerControlState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
        let image = self.replication.image;
        check_broker_epoch(image, request.broker_id, request.broker_epoch)?;
        let current = self.heartbeats.state(image, request.broker_id);
        let next = self.next_state(current, request, registration_offset);
        let records = match next {
            _ if next == current => Vec::new(),
            Fenced | ShutdownNow => self.replication.broker_fenced(request.broker_id),
            Unfenced => self.replication.broker_unfenced(request.broker_id),
            ControlledShutdown => self.replication.broker_in_controlled_shutdown(request.broker_id),
        };
        let response = BrokerHeartbeatResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            is_caught_up: request.current_metadata_offset >= registration_offset,
            is_fenced: matches!(next, Fenced | ShutdownNow),
            should_shut_down: next == ShutdownNow,
        };
        Ok(Decision::new(
            records,
            HeartbeatReply { response, in_controlled_shutdown: next == ControlledShutdown },
        ))
    }

    /// Kafka: `BrokerHeartbeatManager.calculateNextBrokerState`.
    fn next_state(
        &self,
        current: BrokerControlState,
        request: &BrokerHeartbeatRequest,
        registration_offset: Offset,
    ) -> BrokerControlState {
        use BrokerControlState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
        let leads = || self.replication.has_leaderships(request.broker_id);
        match current {
            Fenced if request.want_shut_down => ShutdownNow,
            Fenced
                if !request.want_fence
                    && request.current_metadata_offset >= registration_offset =>
            {
                Unfenced
            }
            Fenced => Fenced,
            Unfenced if request.want_shut_down && (request.want_fence || !leads()) => ShutdownNow,
            Unfenced if request.want_fence => Fenced,
            Unfenced if request.want_shut_down => ControlledShutdown,
            Unfenced => Unfenced,
            ControlledShutdown if leads() => ControlledShutdown,
            ControlledShutdown => {
                let moved_at = self
                    .heartbeats
                    .brokers
                    .get(&request.broker_id)
                    .and_then(|state| state.controlled_shutdown_offset);
                let all_know =
                    moved_at <= Some(self.heartbeats.lowest_active_offset(self.replication.image));
                if all_know { ShutdownNow } else { ControlledShutdown }
            }
            ShutdownNow => ShutdownNow,
        }
    }

    /// Fences a broker whose session is over, as [`BrokerHeartbeats::remove_expired`] named it.
    pub fn fence_stale_broker(&self, broker: BrokerId, epoch: i64) -> Vec<MetadataRecord> {
        match self.replication.image.brokers.get(&broker) {
            Some(registration) if registration.epoch == epoch && !registration.fenced => {
                self.replication.broker_fenced(broker)
            }
            _ => Vec::new(),
        }
    }

    /// Gives a broker up for good.
    pub fn unregister_broker(&self, broker: BrokerId) -> Result<Vec<MetadataRecord>, ApiError> {
        if !self.replication.image.brokers.contains_key(&broker) {
            return Err(ApiError::new(
                ErrorCode::BrokerIdNotRegistered,
                format!("Broker ID {broker} is not currently registered"),
            ));
        }
        Ok(self.replication.broker_unregistered(broker))
    }
}
