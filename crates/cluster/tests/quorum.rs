//! Three controllers on a network of their own: they elect, commit, survive a leader's end.

use std::collections::VecDeque;

use cluster::controller::quorum_controller::{ControllerOutputs, QuorumController};
use cluster::controller::raft::ReplyTo;
use cluster::protocol::{
    BrokerRegistrationRequest, CreatableTopic, CreateTopicsRequest, Request, Response,
};
use cluster::uuid::Uuid;
use cluster::world::ClusterSpec;
use simulation::{Micros, NodeId, Random};

const LATENCY: Micros = Micros(300);

enum Sent {
    Request { from: i32, correlation_id: u32, request: Request },
    Response { from: i32, response: Response },
}

/// Controllers 1 to 3; client requests come from node 0, whose answers are kept.
struct Net {
    now: Micros,
    random: Random,
    nodes: Vec<Option<QuorumController>>,
    wire: VecDeque<(Micros, i32, Sent)>,
    answers: Vec<Response>,
}

impl Net {
    fn new(seed: u64) -> Self {
        let spec = ClusterSpec::default_cluster(1_760_000_000_000);
        let nodes = (1..=3).map(|id| Some(QuorumController::new(id, &spec))).collect();
        let mut net = Self {
            now: Micros::ZERO,
            random: Random::from_seed(seed),
            nodes,
            wire: VecDeque::new(),
            answers: vec![],
        };
        for id in 1..=3 {
            net.turn(id, |node, now, random, out| node.start(now, random, out));
        }
        net
    }

    fn turn(
        &mut self,
        id: i32,
        act: impl FnOnce(&mut QuorumController, Micros, &mut Random, &mut ControllerOutputs),
    ) {
        let Some(node) = self.nodes[id as usize - 1].as_mut() else { return };
        let mut out = ControllerOutputs::default();
        act(node, self.now, &mut self.random, &mut out);
        let at = self.now + LATENCY;
        for (to, request) in out.quorum.requests {
            self.wire.push_back((at, to, Sent::Request { from: id, correlation_id: 0, request }));
        }
        for (reply_to, response) in out.quorum.responses {
            if reply_to.node == NodeId(0) {
                self.answers.push(response);
            } else {
                self.wire.push_back((
                    at,
                    reply_to.node.0 as i32,
                    Sent::Response { from: id, response },
                ));
            }
        }
    }

    fn ask(&mut self, id: i32, request: Request) {
        let reply_to = ReplyTo { node: NodeId(0), correlation_id: 1 };
        self.turn(id, |node, now, random, out| {
            node.on_request(now, random, reply_to, request, out)
        });
    }

    fn run(&mut self, span: Micros) {
        let end = self.now + span;
        loop {
            let timer = self
                .nodes
                .iter()
                .zip(1..)
                .filter_map(|(node, id)| Some((node.as_ref()?.deadline(), id)))
                .min()
                .unwrap_or((Micros::MAX, 0));
            let message = self.wire.front().map_or(Micros::MAX, |(at, ..)| *at);
            let next = timer.0.min(message);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if message <= timer.0 {
                let (_, to, sent) = self.wire.pop_front().expect("it is there");
                let up = self.nodes[to as usize - 1].is_some();
                match sent {
                    Sent::Request { from, .. } if !up => {
                        if let Some(node) = self.nodes[from as usize - 1].as_mut() {
                            node.on_unanswered(self.now, to);
                        }
                    }
                    Sent::Request { from, correlation_id, request } => {
                        let reply_to = ReplyTo { node: NodeId(from as u32), correlation_id };
                        self.turn(to, |node, now, random, out| {
                            node.on_request(now, random, reply_to, request, out)
                        });
                    }
                    Sent::Response { from, response } => {
                        self.turn(to, |node, now, random, out| {
                            node.on_response(now, random, from, response, out)
                        });
                    }
                }
            } else {
                self.turn(timer.1, QuorumController::on_timer);
            }
        }
        self.now = end;
    }

    fn active(&self) -> Vec<i32> {
        (1..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.as_ref().is_some_and(QuorumController::is_active))
            .map(|(id, _)| id)
            .collect()
    }

    fn register(&mut self, active: i32) {
        for broker_id in 1..=3 {
            let request = BrokerRegistrationRequest {
                broker_id,
                cluster_id: "5L6g3nShT-eMCtK--X86sw".to_owned(),
                incarnation_id: Uuid::random(&mut self.random),
                previous_broker_epoch: -1,
                ..Default::default()
            };
            self.ask(active, request.into());
        }
        self.run(Micros::from_secs(1));
        let epochs: Vec<i64> = self
            .answers
            .drain(..)
            .map(|answer| match answer {
                Response::BrokerRegistration(answer) => answer.broker_epoch,
                other => panic!("{other:?}"),
            })
            .collect();
        for (broker_id, broker_epoch) in (1..).zip(epochs) {
            let request = cluster::protocol::BrokerHeartbeatRequest {
                broker_id,
                broker_epoch,
                current_metadata_offset: i64::MAX,
                ..Default::default()
            };
            self.ask(active, request.into());
        }
        self.run(Micros::from_secs(1));
        self.answers.clear();
    }

    fn create(&mut self, active: i32, name: &str) {
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: 3,
            replication_factor: 3,
            ..Default::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false };
        self.ask(active, request.into());
    }
}

#[test]
fn one_leader_is_elected_and_all_commit_the_same() {
    for seed in 0..50 {
        let mut net = Net::new(seed);
        net.run(Micros::from_secs(5));
        let active = net.active();
        assert_eq!(active.len(), 1, "seed {seed}");
        net.register(active[0]);
        net.create(active[0], "orders");
        net.run(Micros::from_ms(200));
        assert_eq!(net.answers.len(), 1, "seed {seed}: the answer came when it was committed");
        net.run(Micros::from_secs(1));
        let images: Vec<_> = net.nodes.iter().flatten().map(|node| node.image().clone()).collect();
        assert!(images.iter().all(|image| *image == images[0]), "seed {seed}");
        assert_eq!(
            images[0].topic("orders").map(|topic| topic.partitions.len()),
            Some(3),
            "seed {seed}"
        );
    }
}

#[test]
fn a_killed_leader_is_replaced_within_its_time_out_and_nothing_committed_is_lost() {
    for seed in 0..50 {
        let mut net = Net::new(seed);
        net.run(Micros::from_secs(5));
        let first = net.active()[0];
        net.register(first);
        net.create(first, "orders");
        net.run(Micros::from_secs(1));
        let mut dead = net.nodes[first as usize - 1].take();
        net.run(Micros::from_secs(6));
        let active = net.active();
        assert_eq!(active.len(), 1, "seed {seed}: {active:?}");
        assert_ne!(active[0], first);
        assert!(
            net.nodes[active[0] as usize - 1]
                .as_ref()
                .expect("it is up")
                .image()
                .topic("orders")
                .is_some()
        );
        net.answers.clear();
        net.create(active[0], "payments");
        net.run(Micros::from_secs(1));
        assert_eq!(net.answers.len(), 1, "seed {seed}");
        // The dead one comes back and catches up.
        if let Some(node) = &mut dead {
            node.stopped();
        }
        net.nodes[first as usize - 1] = dead;
        net.turn(first, |node, now, random, out| node.start(now, random, out));
        net.run(Micros::from_secs(6));
        assert_eq!(net.active().len(), 1, "seed {seed}");
        assert!(
            net.nodes[first as usize - 1]
                .as_ref()
                .expect("it is up")
                .image()
                .topic("payments")
                .is_some()
        );
    }
}

#[test]
fn without_a_majority_nothing_is_decided() {
    let mut net = Net::new(1);
    net.run(Micros::from_secs(5));
    let active = net.active()[0];
    net.register(active);
    for id in (1..=3).filter(|&id| id != active) {
        net.nodes[id as usize - 1] = None;
    }
    net.create(active, "orders");
    net.run(Micros::from_secs(10));
    assert!(net.active().is_empty(), "it resigned: fewer than a majority fetched");
    assert!(
        matches!(&net.answers[..], [Response::CreateTopics(answer)] if answer.topics[0].error_code == 41)
    );
}
