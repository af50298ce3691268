//! Fills the read models. (First shape: the owner of this area replaces this file.)

use cluster::world::{Process, World};
use serde::{Deserialize, Serialize};
use simulation::{Happening, Micros, Simulation};

use crate::host::Containers;
use crate::seam::Subscription;
use crate::view::{Flight, Views};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observer {}

impl Observer {
    pub fn observe(
        &mut self,
        _now: Micros,
        _simulation: &Simulation<Process>,
        _happenings: &[(Micros, Happening<Process>)],
        _subscription: &Subscription,
    ) {
    }

    pub fn views(
        &mut self,
        _world: &World,
        _containers: &Containers,
        _subscription: &Subscription,
    ) -> Views {
        Views::default()
    }

    pub fn take_flights(&mut self) -> Vec<Flight> {
        Vec::new()
    }
}
