//! The client types that tools use: `cluster::client`'s, under the names this crate speaks of them.

pub use cluster::client::{
    BootstrapServer, CallError, ClientCommand, ClientError, ClientKind,
    ClientNotice as ClientEvent, ClientSpec, ConsumerRecord, Destination, LogLine, ProducerRecord,
    RecordMetadata,
};
/// A client of the cluster: its node in the simulation.
pub use simulation::NodeId as ClientId;
