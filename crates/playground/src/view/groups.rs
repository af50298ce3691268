//! Consumer groups: who reads what, and how far behind.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::PartitionKey;
use super::model;

model! {
    /// What the Groups tab draws (sheet 06): all groups by name, members and offsets of the chosen one.
    pub struct GroupsView delta GroupsDelta {
        maps {
            groups: String => GroupView,
            /// Members of the chosen group, by member id.
            members: String => MemberView,
            /// Offsets of the chosen group.
            offsets: PartitionKey => OffsetView,
        }
        values {
            /// The group shown: the page's choice, else the busiest.
            chosen: Option<String>,
        }
    }
}

/// One group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    pub protocol: GroupProtocol,
    /// Kafka's word: `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty`, `Dead`, `Assigning`, `Reconciling`.
    pub state: String,
    /// Group epoch, or generation in the classic protocol.
    pub epoch: i32,
    pub assignor: String,
    pub coordinator: Option<i32>,
    /// Member id of the classic protocol's leader.
    pub leader: Option<String>,
    pub members: u32,
}

/// Which protocol the group speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupProtocol {
    #[default]
    Classic,
    /// KIP-848.
    Consumer,
}

/// One member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// `client.id`, made unique in the group.
    pub name: String,
    pub client_id: String,
    pub host: String,
    /// Member epoch, or generation it last synced.
    pub epoch: i32,
    pub state: MemberState,
    pub owned: Vec<PartitionKey>,
    /// Given by the newest assignment, not owned yet.
    pub target: Vec<PartitionKey>,
    /// Owned, to be given up.
    pub revoking: Vec<PartitionKey>,
    pub last_heartbeat: Micros,
    /// The member is new since the last assignment.
    pub joined: bool,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberState {
    Joining,
    Syncing,
    #[default]
    Stable,
    Revoking,
    /// No heartbeat for longer than half its session timeout.
    Silent,
}

/// A group's position in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetView {
    /// `None`: nothing committed.
    pub committed: Option<i64>,
    pub log_start_offset: i64,
    pub log_end_offset: i64,
    pub lag_records: u64,
    /// Age of the oldest record not read yet.
    pub lag_ms: u64,
    /// At the present rates; `None`: never.
    pub caught_up_in_ms: Option<u64>,
    /// Member id of its owner.
    pub owner: Option<String>,
}
