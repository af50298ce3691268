//! The kernel's promises, with actors that do what a command tells them and write down what happens to them.

use serde::{Deserialize, Serialize};
use simulation::{
    Actor, Context, Input, Link, Micros, NodeId, Payload, ProcessState, Random, Schedule,
    Simulation,
};

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);

/// What an actor is told to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Do {
    Send(NodeId, u32),
    /// A timer's number, and in how many µs.
    SetTimer(u8, u64),
    CancelTimer(u8),
    Fsync(u64),
    Draw,
    Exit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Number(u32);

impl Payload for Number {
    fn size_bytes(&self) -> u64 {
        1_000
    }
}

/// Passes numbers on while they are large, and writes down what it sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Scribe {
    seen: Vec<(u64, String)>,
}

impl Actor for Scribe {
    type Message = Number;
    type Timer = u8;
    type Command = Do;
    type Notice = u64;
    type Event = ();

    fn handle(&mut self, input: Input<Self>, context: &mut Context<'_, Self>) {
        let now = context.now();
        let mut write = |text: String| self.seen.push((now.0, text));
        match input {
            Input::Started => write("started".into()),
            Input::Terminate => write("terminate".into()),
            Input::Message { from, message: Number(number) } => {
                write(format!("{number} from {}", from.0));
                if number > 1_000 {
                    context.send(from, Number(number - 1_000));
                    let wait = context.random().below(500);
                    context.set_timer((number % 3) as u8, now + Micros(wait));
                }
            }
            Input::Timer(timer) => write(format!("timer {timer}")),
            Input::DiskDone(_) => write("disk".into()),
            Input::Disconnected { peer } => write(format!("lost {}", peer.0)),
            Input::Command(Do::Send(to, number)) => context.send(to, Number(number)),
            Input::Command(Do::SetTimer(timer, after)) => {
                context.set_timer(timer, now + Micros(after));
            }
            Input::Command(Do::CancelTimer(timer)) => context.cancel_timer(&timer),
            Input::Command(Do::Fsync(bytes)) => _ = context.write_disk(bytes, true),
            Input::Command(Do::Draw) => {
                let draw = context.random().next_u64();
                context.notify(draw);
            }
            Input::Command(Do::Exit) => context.exit(),
        }
    }

    fn stopped(&mut self) {
        self.seen.push((0, "stopped".into()));
    }
}

fn world(seed: u64, nodes: &[NodeId]) -> Simulation<Scribe> {
    let mut simulation = Simulation::new(seed);
    for &node in nodes {
        simulation.add(node, Scribe::default());
        simulation.start(node);
    }
    simulation
}

fn run(simulation: &mut Simulation<Scribe>) {
    while simulation.step() {}
}

/// What a node has written down since it was started, without times.
fn seen(simulation: &Simulation<Scribe>, node: NodeId) -> Vec<&str> {
    let scribe = simulation.actor(node).expect("the node is there");
    scribe.seen.iter().map(|(_, text)| text.as_str()).filter(|text| *text != "started").collect()
}

fn set_link(simulation: &mut Simulation<Scribe>, from: NodeId, to: NodeId, link: Link) {
    simulation.network_mut().set_link(from, to, link);
}

#[test]
fn events_come_in_order_of_time_and_ties_in_order_of_scheduling() {
    for seed in 0..50 {
        let mut random = Random::from_seed(seed);
        let mut schedule = Schedule::default();
        let mut expected: Vec<(Micros, u32)> = Vec::new();
        for number in 0..200 {
            let at = Micros(random.below(20));
            schedule.push(at, number);
            expected.push((at, number));
        }
        expected.sort(); // by time, then by number, which is the order of scheduling
        let popped: Vec<_> = std::iter::from_fn(|| schedule.pop()).collect();
        assert_eq!(popped, expected, "seed {seed}");
    }
}

#[test]
fn a_timer_has_one_deadline_that_can_be_moved_and_cancelled() {
    use Do::{CancelTimer, SetTimer};
    let cases: &[(&str, &[Do], &[(u64, &str)])] = &[
        ("set", &[SetTimer(1, 50)], &[(50, "timer 1")]),
        ("moved later", &[SetTimer(1, 50), SetTimer(1, 80)], &[(80, "timer 1")]),
        ("moved earlier", &[SetTimer(1, 50), SetTimer(1, 20)], &[(20, "timer 1")]),
        ("cancelled", &[SetTimer(1, 50), CancelTimer(1)], &[]),
        ("set again", &[SetTimer(1, 50), CancelTimer(1), SetTimer(1, 60)], &[(60, "timer 1")]),
        ("two", &[SetTimer(2, 50), SetTimer(1, 50)], &[(50, "timer 2"), (50, "timer 1")]),
        ("another cancelled", &[SetTimer(1, 50), CancelTimer(2)], &[(50, "timer 1")]),
    ];
    for (name, commands, expected) in cases {
        let mut simulation = world(1, &[A]);
        for command in *commands {
            simulation.command(A, command.clone());
        }
        run(&mut simulation);
        let seen = &simulation.actor(A).unwrap().seen[1..];
        let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).into())).collect();
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_process_that_ended_has_no_timers_and_no_disk_operations() {
    let mut simulation = world(1, &[A]);
    simulation.command(A, Do::SetTimer(1, 50));
    simulation.command(A, Do::Fsync(10));
    simulation.kill(A);
    simulation.start(A);
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["stopped"]);
}

#[test]
fn each_direction_of_a_link_delivers_in_order_and_nothing_twice() {
    for seed in 0..30 {
        let mut simulation = world(seed, &[A, B]);
        let mut random = Random::from_seed(seed);
        let link = Link {
            jitter: Micros(5_000),
            loss_per_million: random.below(600_000) as u32,
            bandwidth_bytes_per_s: 1_000 + random.below(1_000_000),
            ..Link::default()
        };
        set_link(&mut simulation, A, B, link);
        for number in 0..100 {
            simulation.command(A, Do::Send(B, number));
        }
        run(&mut simulation);
        let expected: Vec<String> = (0..100).map(|number| format!("{number} from 1")).collect();
        assert_eq!(seen(&simulation, B), expected, "seed {seed}");
    }
}

#[test]
fn latency_and_bandwidth_say_when_a_message_arrives() {
    // Each message has 1,000 bytes; the second waits until the first has left.
    let cases = [(0, 0, [0, 0]), (700, 0, [700, 700]), (700, 1_000_000, [1_700, 2_700])];
    for (latency, bandwidth_bytes_per_s, expected) in cases {
        let mut simulation = world(1, &[A, B]);
        let link = Link {
            latency: Micros(latency),
            jitter: Micros::ZERO,
            bandwidth_bytes_per_s,
            ..Link::default()
        };
        set_link(&mut simulation, A, B, link);
        simulation.command(A, Do::Send(B, 1));
        simulation.command(A, Do::Send(B, 2));
        run(&mut simulation);
        let times: Vec<u64> =
            simulation.actor(B).unwrap().seen[1..].iter().map(|(at, _)| *at).collect();
        assert_eq!(times, expected, "{latency} µs, {bandwidth_bytes_per_s} B/s");
    }
}

#[test]
fn a_cut_takes_one_direction_only_and_resets_what_it_interrupted() {
    let mut simulation = world(1, &[A, B]);
    let cut = Link { cut: true, ..Link::default() };
    set_link(&mut simulation, A, B, cut);
    simulation.command(B, Do::Send(A, 1));
    simulation.command(A, Do::Send(B, 2));
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["1 from 2"]);
    assert_eq!(seen(&simulation, B), [""; 0]);
    // The link is mended, but the connection has a hole: it is reset, and the next message passes on a new one.
    set_link(&mut simulation, A, B, Link::default());
    simulation.command(A, Do::Send(B, 3));
    run(&mut simulation);
    simulation.command(A, Do::Send(B, 4));
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["1 from 2", "lost 2"]);
    assert_eq!(seen(&simulation, B), ["lost 1", "4 from 1"]);
}

#[test]
fn a_connection_to_nobody_is_refused_and_one_to_a_process_that_ends_is_closed() {
    let mut simulation = world(1, &[A, B]);
    simulation.command(A, Do::Send(B, 1));
    run(&mut simulation);
    simulation.kill(B);
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["lost 2"], "its process ended");
    simulation.command(A, Do::Send(B, 2));
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["lost 2", "lost 2"], "nobody is there");
    simulation.start(B);
    simulation.command(A, Do::Send(B, 3));
    run(&mut simulation);
    assert_eq!(seen(&simulation, B), ["1 from 1", "stopped", "3 from 1"]);
}

#[test]
fn a_message_for_an_earlier_life_does_not_reach_the_next_one() {
    let mut simulation = world(1, &[A, B]);
    simulation.command(A, Do::Send(B, 1));
    simulation.kill(B);
    simulation.start(B);
    run(&mut simulation);
    assert_eq!(seen(&simulation, B), ["stopped"]);
}

#[test]
fn a_paused_process_handles_everything_later_in_order_of_arrival() {
    let mut simulation = world(1, &[A, B, C]);
    simulation.pause(B);
    simulation.command(A, Do::Send(B, 1));
    run(&mut simulation);
    simulation.command(C, Do::Send(B, 2));
    run(&mut simulation);
    simulation.terminate(B);
    assert_eq!(seen(&simulation, B), [""; 0]);
    assert_eq!(simulation.state(B), Some(ProcessState::Paused));
    simulation.resume(B);
    assert_eq!(seen(&simulation, B), ["1 from 1", "2 from 3", "terminate"]);
}

#[test]
fn a_process_that_exits_is_down() {
    let mut simulation = world(1, &[A]);
    simulation.command(A, Do::Exit);
    assert_eq!(simulation.state(A), Some(ProcessState::Down));
    simulation.command(A, Do::SetTimer(1, 5));
    run(&mut simulation);
    assert_eq!(seen(&simulation, A), ["stopped"]);
}

#[test]
fn the_draws_of_a_node_do_not_depend_on_who_else_is_there() {
    let draws = |nodes: &[NodeId]| {
        let mut simulation = world(7, nodes);
        for _ in 0..5 {
            for &node in nodes {
                simulation.command(node, Do::Draw);
            }
        }
        let mut draws = Vec::new();
        while let Some((node, draw)) = simulation.take_notice() {
            if node == B {
                draws.push(draw);
            }
        }
        draws
    };
    let alone = draws(&[B]);
    assert_eq!(alone.len(), 5);
    assert_eq!(alone, draws(&[A, B, C]));
    assert_ne!(alone, draws(&[A]).iter().chain(&[0; 5]).copied().collect::<Vec<_>>());
}

#[test]
fn a_clone_runs_on_as_the_original_does_and_equal_seeds_give_equal_worlds() {
    for seed in 0..20 {
        let mut simulation = busy(seed);
        for _ in 0..Random::from_seed(seed).below(300) {
            simulation.step();
        }
        let mut copy = simulation.clone();
        run(&mut simulation);
        run(&mut copy);
        let mut again = busy(seed);
        run(&mut again);
        for node in [A, B, C] {
            let expected = simulation.actor(node);
            assert_eq!(copy.actor(node), expected, "seed {seed}: from a snapshot");
            assert_eq!(again.actor(node), expected, "seed {seed}: from the beginning");
        }
        assert_eq!((copy.now(), copy.steps()), (simulation.now(), simulation.steps()));
    }
}

/// A world in which numbers wander for a while, over links of all kinds.
fn busy(seed: u64) -> Simulation<Scribe> {
    let mut simulation = world(seed, &[A, B, C]);
    let lossy = Link { loss_per_million: 200_000, jitter: Micros(900), ..Link::default() };
    set_link(&mut simulation, A, B, lossy);
    for (from, to) in [(A, B), (B, C), (C, A), (A, C)] {
        for number in 0..5 {
            simulation.command(from, Do::Send(to, 20_000 + number));
        }
    }
    simulation
}
