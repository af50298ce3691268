//! Which brokers hold a new partition: spread over racks and brokers in stripes. Kafka: `StripedReplicaPlacer`.
//!
//! Each partition starts at the next rack, and within a rack at the next broker. A fenced broker is only a last
//! resort, and never first. When every unfenced broker was first once, the lists are shuffled.

use simulation::Draw;

use crate::java::JavaHashMap;
use crate::types::BrokerId;

/// A broker that may hold replicas. Kafka: `UsableBroker`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsableBroker {
    pub id: BrokerId,
    pub rack: Option<String>,
    pub fenced: bool,
}

/// Some brokers of a rack, taken round and round; each epoch begins one further.
#[derive(Clone, Debug, Default)]
struct BrokerList {
    brokers: Vec<BrokerId>,
    index: usize,
    offset: usize,
    epoch: usize,
}

impl BrokerList {
    fn initialize(&mut self, draw: &mut impl Draw) {
        if !self.brokers.is_empty() {
            simulation::sorted::sort(&mut self.brokers);
            self.offset = draw.next_int(self.brokers.len() as u32) as usize;
        }
    }

    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        if self.brokers.is_empty() {
            return None;
        }
        if self.epoch != epoch {
            self.epoch = epoch;
            self.index = 0;
            self.offset = (self.offset + 1) % self.brokers.len();
        }
        if self.index >= self.brokers.len() {
            return None;
        }
        let broker = self.brokers[(self.index + self.offset) % self.brokers.len()];
        self.index += 1;
        Some(broker)
    }
}

#[derive(Clone, Debug, Default)]
struct Rack {
    fenced: BrokerList,
    unfenced: BrokerList,
}

impl Rack {
    fn next(&mut self, epoch: usize) -> Option<BrokerId> {
        self.unfenced.next(epoch).or_else(|| self.fenced.next(epoch))
    }
}

struct RackList {
    /// In Java's order of iteration, which decides the order of the draws.
    racks: JavaHashMap<Option<String>, Rack>,
    names: Vec<Option<String>>,
    brokers: usize,
    unfenced: usize,
    epoch: usize,
    offset: usize,
}

impl RackList {
    fn new(brokers: &[UsableBroker], draw: &mut impl Draw) -> Self {
        let mut racks: JavaHashMap<Option<String>, Rack> = JavaHashMap::new();
        let mut names = Vec::new();
        for broker in brokers {
            if racks.get(&broker.rack).is_none() {
                names.push(broker.rack.clone());
                racks.insert(broker.rack.clone(), Rack::default());
            }
            if let Some(rack) = racks.get_mut(&broker.rack) {
                let list = if broker.fenced { &mut rack.fenced } else { &mut rack.unfenced };
                list.brokers.push(broker.id);
            }
        }
        for rack in racks.values_mut() {
            rack.fenced.initialize(draw);
            rack.unfenced.initialize(draw);
        }
        simulation::sorted::sort(&mut names);
        let offset = if names.is_empty() { 0 } else { draw.next_int(names.len() as u32) as usize };
        let unfenced = brokers.iter().filter(|broker| !broker.fenced).count();
        Self { racks, names, brokers: brokers.len(), unfenced, epoch: 0, offset }
    }

    fn rack(&mut self, index: usize) -> &mut Rack {
        self.racks.get_mut(&self.names[index]).expect("every name has its rack")
    }

    fn shuffle(&mut self, draw: &mut impl Draw) {
        shuffle(&mut self.names, draw);
        for rack in self.racks.values_mut() {
            shuffle(&mut rack.fenced.brokers, draw);
            shuffle(&mut rack.unfenced.brokers, draw);
        }
    }

    /// One partition's replicas; there are enough brokers, and one of them is unfenced.
    fn place(&mut self, replication_factor: usize, draw: &mut impl Draw) -> Vec<BrokerId> {
        if self.epoch == self.unfenced && self.unfenced > 1 {
            self.shuffle(draw);
            self.epoch = 0;
        }
        if self.offset == self.names.len() {
            self.offset = 0;
        }
        let epoch = self.epoch;
        let mut replicas = Vec::with_capacity(replication_factor);
        let mut first_rack = self.offset;
        loop {
            if let Some(broker) = self.rack(first_rack).unfenced.next(epoch) {
                replicas.push(broker);
                break;
            }
            first_rack = (first_rack + 1) % self.names.len();
        }
        // The first replica's rack is passed over once: it has had its turn.
        let mut passed_over = Some(first_rack);
        let mut rack = self.offset;
        while replicas.len() < replication_factor {
            if passed_over == Some(rack) {
                passed_over = None;
            } else if let Some(broker) = self.rack(rack).next(epoch) {
                replicas.push(broker);
            }
            rack = (rack + 1) % self.names.len();
        }
        self.epoch += 1;
        self.offset += 1;
        replicas
    }
}

/// `java.util.Collections.shuffle`.
fn shuffle<T>(list: &mut [T], draw: &mut impl Draw) {
    for size in (2..=list.len()).rev() {
        list.swap(size - 1, draw.next_int(size as u32) as usize);
    }
}

/// Replicas for each of `partitions` new partitions; the error is the text of Kafka's `InvalidReplicationFactorException`.
pub fn place(
    brokers: &[UsableBroker],
    partitions: i32,
    replication_factor: i16,
    draw: &mut impl Draw,
) -> Result<Vec<Vec<BrokerId>>, String> {
    let mut racks = RackList::new(brokers, draw);
    if replication_factor <= 0 {
        return Err(format!(
            "Invalid replication factor {replication_factor}: the replication factor must be positive."
        ));
    }
    if racks.unfenced == 0 {
        return Err(
            "All brokers are currently fenced, or have all their log directories cordoned.".into(),
        );
    }
    let replicas = replication_factor as usize;
    if replicas > racks.brokers {
        return Err(format!(
            "The target replication factor of {replicas} cannot be reached because only {} broker(s) are registered \
             or some brokers have all their log directories cordoned.",
            racks.brokers
        ));
    }
    Ok((0..partitions).map(|_| racks.place(replicas, draw)).collect())
}
