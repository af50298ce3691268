//! Work to be measured, the same natively and in a tab: whoever runs it brings the clock.

use serde::{Deserialize, Serialize};
use simulation::{Actor, Context, Input, Micros, NodeId, Payload, Simulation};

/// Some work of a known amount.
pub struct Workload {
    /// What is counted, as it stands in the report.
    pub name: &'static str,
    /// How much of it takes about a second natively.
    pub amount: u64,
    /// Does that amount; the answer depends on all of it, so that it must be equal everywhere.
    pub run: fn(amount: u64) -> u64,
}

/// Everything that `cargo xtask bench` measures on both sides.
pub const WORKLOADS: &[Workload] =
    &[Workload { name: "events_per_second", amount: 3_000_000, run: events }];

/// How many nodes pass tokens around, and how many tokens each began with: 1,000 messages are always on their way.
const NODES: u32 = 20;
const TOKENS: u32 = 50;

/// The kernel alone: messages over links, each with a timer set and cancelled, as an RPC has its time-out.
fn events(amount: u64) -> u64 {
    let mut simulation = Simulation::new(1);
    for id in 0..NODES {
        simulation.add(NodeId(id), Passer::default());
        simulation.start(NodeId(id));
    }
    while simulation.steps() < amount {
        simulation.step();
    }
    let sums = simulation.node_ids().filter_map(|id| simulation.actor(id).map(|node| node.sum));
    sums.fold(simulation.now().0, u64::wrapping_add)
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Passer {
    sum: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token(u64);

impl Payload for Token {
    fn size_bytes(&self) -> u64 {
        100
    }
}

impl Actor for Passer {
    type Message = Token;
    type Timer = ();
    type Command = ();
    type Notice = ();
    type Event = ();

    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        let next = NodeId((context.me().0 + 1) % NODES);
        match input {
            Input::Started => {
                for token in 0..TOKENS {
                    context.send(next, Token(u64::from(token)));
                }
            }
            Input::Message { message: Token(token), .. } => {
                self.sum = self.sum.wrapping_mul(31).wrapping_add(token);
                context.cancel_timer(&());
                context.set_timer((), context.now() + Micros::from_secs(30));
                context.send(next, Token(token.wrapping_add(1)));
            }
            _ => {}
        }
    }

    fn stopped(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::WORKLOADS;

    #[test]
    fn the_same_amount_gives_the_same_answer() {
        for workload in WORKLOADS {
            assert_eq!((workload.run)(2_000), (workload.run)(2_000), "{}", workload.name);
        }
    }
}
