//! Where everything in the diagram is: one map from names to places, shared by the drawing, the moving marks and the
//! keyboard. Racks, columns and labels never move when something fails: place is identity.

use playground::sorted::SortedMap;

use playground::view::{ClusterView, LinkState, PartitionKey, Peer, ReplicaKey};

/// How wide the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Brokers stack as cards.
    Phone,
    /// Racks across, clients above and below.
    Tablet,
    /// Producers left, groups right.
    Desk,
}

impl Width {
    pub fn of(pixels: f64) -> Self {
        if pixels <= 640.0 {
            Self::Phone
        } else if pixels <= 1_000.0 {
            Self::Tablet
        } else {
            Self::Desk
        }
    }
}

/// Height of a rack, and the gap between two.
pub const RACK: f64 = 130.0;
const GAP: f64 = 9.0;
/// Height of a strip.
pub const STRIP: f64 = 17.0;
/// Records a strip has room for.
pub const SLOTS: i64 = 18;
/// Distance of two topics' rows.
const ROW: f64 = 56.0;
/// Y of the first rack.
const TOP: f64 = 52.0;
/// Most of a list that is drawn.
const PRODUCERS_MAX: usize = 3;
const LANES_MAX: usize = 3;

/// A producer's card.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerPlace {
    pub id: String,
    pub y: f64,
    pub height: f64,
    pub lanes: usize,
}

/// A group's card.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlace {
    pub id: String,
    pub y: f64,
    pub height: f64,
    pub members: usize,
}

/// A line between two places.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub id: String,
    pub path: String,
    pub class: &'static str,
    /// Where a broken link has its cross, or a replication line its arrow.
    pub mark: (f64, f64),
}

/// All places.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub width: Width,
    /// Size of the drawing's own coordinates.
    pub view: (f64, f64),
    pub rack_x: f64,
    pub rack_width: f64,
    pub columns: [f64; 3],
    pub strip_width: f64,
    /// Y of each broker's rack.
    pub racks: SortedMap<i32, f64>,
    /// Column and row of each drawn partition, and its topic's number.
    pub cells: SortedMap<PartitionKey, (usize, usize, u16)>,
    pub producers: Vec<ProducerPlace>,
    pub groups: Vec<GroupPlace>,
    /// Y of a producer's lane.
    lanes: SortedMap<(String, PartitionKey), f64>,
    /// Y of a member's row.
    members: SortedMap<String, f64>,
    pub links: Vec<Line>,
    pub replication: Vec<Line>,
    pub more_producers: usize,
    pub more_groups: usize,
}

impl Scene {
    /// Places everything that the model holds.
    pub fn of(cluster: &ClusterView, width: Width) -> Self {
        let desk = width == Width::Desk;
        let mut scene = Self {
            width,
            view: (if desk { 1_040.0 } else { 820.0 }, 470.0),
            rack_x: if desk { 210.0 } else { 18.0 },
            rack_width: if desk { 612.0 } else { 784.0 },
            columns: if desk { [300.0, 474.0, 648.0] } else { [108.0, 339.0, 570.0] },
            strip_width: if desk { 156.0 } else { 214.0 },
            racks: SortedMap::new(),
            cells: SortedMap::new(),
            producers: Vec::new(),
            groups: Vec::new(),
            lanes: SortedMap::new(),
            members: SortedMap::new(),
            links: Vec::new(),
            replication: Vec::new(),
            more_producers: cluster.producers.len().saturating_sub(PRODUCERS_MAX),
            more_groups: 0,
        };
        for (index, id) in cluster.brokers.keys().enumerate() {
            scene.racks.insert(*id, TOP + index as f64 * (RACK + GAP));
        }
        scene.view.1 = (TOP + scene.racks.len() as f64 * (RACK + GAP) + 1.0).max(470.0);
        for (row, topic) in cluster.layout.rows.iter().take(2).enumerate() {
            for (column, partition) in topic.partitions.iter().take(3).enumerate() {
                let key = PartitionKey { topic: topic.topic.clone(), partition: *partition };
                scene.cells.insert(key, (column, row, topic.number));
            }
        }
        if desk {
            scene.place_clients(cluster);
            scene.draw_links(cluster);
        }
        scene.draw_replication(cluster);
        scene
    }

    fn place_clients(&mut self, cluster: &ClusterView) {
        let mut y = TOP;
        for (id, producer) in cluster.producers.iter().take(PRODUCERS_MAX) {
            let lanes = producer.lanes.len().min(LANES_MAX);
            let height = 52.0 + 22.0 * lanes.max(1) as f64;
            for (index, lane) in producer.lanes.iter().take(LANES_MAX).enumerate() {
                let key = PartitionKey { topic: lane.topic.clone(), partition: lane.partition };
                self.lanes.insert((id.clone(), key), y + 52.5 + 22.0 * index as f64);
            }
            self.producers.push(ProducerPlace { id: id.clone(), y, height, lanes });
            y += height + 20.0;
        }
        let mut y = TOP;
        for (index, (id, group)) in cluster.groups.iter().enumerate() {
            let room = ((self.view.1 - y - 54.0) / 50.0).floor().max(0.0) as usize;
            let members = group.members.len().min(room).min(6);
            if members == 0 && (room == 0 || y > TOP && !group.members.is_empty()) {
                self.more_groups = cluster.groups.len() - index;
                break;
            }
            for (row, member) in group.members.iter().take(members).enumerate() {
                self.members.insert(member.client.clone(), y + 72.0 + 50.0 * row as f64);
            }
            let height = 46.0 + 50.0 * members.max(usize::from(group.members.is_empty())) as f64;
            self.groups.push(GroupPlace { id: id.clone(), y, height, members });
            y += height + 20.0;
        }
    }

    fn link_state(cluster: &ClusterView, client: &str, broker: i32) -> LinkState {
        let down = cluster.brokers.get(&broker).is_some_and(|broker| broker.state.is_down());
        if down {
            return LinkState::Broken;
        }
        let key = (Peer::Client(client.to_string()), Peer::Node(broker));
        cluster.links.get(&key).copied().unwrap_or_default()
    }

    fn draw_links(&mut self, cluster: &ClusterView) {
        let mut links = Vec::new();
        let mut add = |id: String, state: LinkState, from: (f64, f64), to: (f64, f64)| {
            let middle = (from.0 + to.0) / 2.0;
            links.push(Line {
                path: format!(
                    "M{} {}C{middle} {} {middle} {} {} {}",
                    from.0, from.1, from.1, to.1, to.0, to.1
                ),
                id,
                class: match state {
                    LinkState::Idle => "lnk",
                    LinkState::Active => "lnk act",
                    LinkState::Broken => "lnk dead",
                },
                mark: bezier(from, to, 0.5),
            });
        };
        for (id, producer) in cluster.producers.iter().take(PRODUCERS_MAX) {
            for lane in &producer.lanes {
                let key = PartitionKey { topic: lane.topic.clone(), partition: lane.partition };
                let (Some(leader), Some(y)) = (lane.leader, self.lanes.get(&(id.clone(), key)))
                else {
                    continue;
                };
                let Some(port) = self.port(leader, false) else { continue };
                let state = Self::link_state(cluster, id, leader);
                add(format!("{id} {} {}", lane.topic, lane.partition), state, (136.0, *y), port);
            }
        }
        for ((client, broker), _) in
            cluster.links.iter().filter(|(_, state)| **state == LinkState::Broken)
        {
            let (Peer::Client(client), Peer::Node(broker)) = (client, broker) else { continue };
            let Some(end) = self.client(client, None) else { continue };
            let right = end.0 > self.rack_x;
            let Some(port) = self.port(*broker, right) else { continue };
            let (from, to) = if right { (port, end) } else { (end, port) };
            add(format!("{client} broken {broker}"), LinkState::Broken, from, to);
        }
        for member in cluster.groups.values().flat_map(|group| &group.members) {
            let Some(y) = self.members.get(&member.client) else { continue };
            let mut leaders: Vec<i32> = member
                .owned
                .iter()
                .filter_map(|key| {
                    let partition = cluster.partitions.get(key)?;
                    partition.leader.or(partition.previous_leader)
                })
                .collect();
            playground::sorted::sort(&mut leaders);
            leaders.dedup();
            for leader in leaders {
                let Some(port) = self.port(leader, true) else { continue };
                let state = Self::link_state(cluster, &member.client, leader);
                add(format!("{} {leader}", member.client), state, port, (882.0, *y));
            }
        }
        self.links = links;
    }

    fn draw_replication(&mut self, cluster: &ClusterView) {
        for (key, partition) in &cluster.partitions {
            let Some(leader) = partition.leader else { continue };
            for follower in partition.replicas.iter().filter(|id| **id != leader) {
                let online = cluster
                    .replicas
                    .get(&ReplicaKey {
                        topic: key.topic.clone(),
                        partition: key.partition,
                        broker: *follower,
                    })
                    .is_some_and(|replica| replica.online);
                let (Some(points), true) = (self.gutter(key, leader, *follower), online) else {
                    continue;
                };
                let [a, b, c, d] = points;
                self.replication.push(Line {
                    id: format!("{key} {leader} {follower}"),
                    path: format!("M{} {}H{}V{}H{}", a.0, a.1, b.0, c.1, d.0),
                    class: "rep",
                    mark: d,
                });
            }
        }
    }

    /// The point where a broker's links end: left for producers, right for consumers.
    pub fn port(&self, broker: i32, right: bool) -> Option<(f64, f64)> {
        let y = self.racks.get(&broker)? + RACK / 2.0;
        Some((if right { self.rack_x + self.rack_width } else { self.rack_x }, y))
    }

    /// Left and top of a replica's strip.
    pub fn strip(&self, key: &PartitionKey, broker: i32) -> Option<(f64, f64)> {
        let (column, row, _) = self.cells.get(key)?;
        Some((self.columns[*column], self.racks.get(&broker)? + 30.0 + ROW * *row as f64))
    }

    /// The way of replication, in the gutter right of the strips.
    pub fn gutter(
        &self,
        key: &PartitionKey,
        leader: i32,
        follower: i32,
    ) -> Option<[(f64, f64); 4]> {
        let (_, row, _) = self.cells.get(key)?;
        let (x, from) = self.strip(key, leader)?;
        let (_, to) = self.strip(key, follower)?;
        let (edge, middle) = (x + self.strip_width + 1.0, STRIP / 2.0 - 2.5);
        let gutter = x + self.strip_width + 6.0 + 5.0 * *row as f64;
        let (from, to) = (from + middle, to + middle);
        Some([(edge, from), (gutter, from), (gutter, to), (edge, to)])
    }

    /// Where a client's end of a message is.
    pub fn client(&self, client: &str, key: Option<&PartitionKey>) -> Option<(f64, f64)> {
        if let Some(y) = self.members.get(client) {
            return Some((882.0, *y));
        }
        let exact = key.and_then(|key| self.lanes.get(&(client.to_string(), key.clone())));
        let any = || self.lanes.iter().find(|((id, _), _)| id == client).map(|(_, y)| y);
        exact.or_else(any).map(|y| (136.0, *y))
    }
}

/// A point on a link's curve.
pub fn bezier(from: (f64, f64), to: (f64, f64), t: f64) -> (f64, f64) {
    let middle = (from.0 + to.0) / 2.0;
    let u = 1.0 - t;
    let at = |a: f64, b: f64, c: f64, d: f64| {
        u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
    };
    (at(from.0, middle, middle, to.0), at(from.1, from.1, to.1, to.1))
}

/// A point on a line through points, by its share of the whole length.
pub fn along(points: &[(f64, f64)], t: f64) -> (f64, f64) {
    let length = |a: &(f64, f64), b: &(f64, f64)| (b.0 - a.0).abs() + (b.1 - a.1).abs();
    let whole: f64 = points.windows(2).map(|pair| length(&pair[0], &pair[1])).sum();
    let mut left = whole * t;
    for pair in points.windows(2) {
        let part = length(&pair[0], &pair[1]);
        if left <= part && part > 0.0 {
            let share = left / part;
            return (
                pair[0].0 + (pair[1].0 - pair[0].0) * share,
                pair[0].1 + (pair[1].1 - pair[0].1) * share,
            );
        }
        left -= part;
    }
    points.last().copied().unwrap_or_default()
}
