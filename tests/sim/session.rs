//! Goal: whatever nodes and the person do, a session never waits for nobody: the prompt is back exactly when every node has answered or
//! is gone, every node gets every command meant for it once and in order, and the end leaves no process. Method: session and engine
//! together over nodes of the test's own (`far`), one seed a run.

use super::far::Far;
use super::random::Random;
use clsh::engine::{Effect, Engine, Event, Exit, Order, Plan, Protocol, Source, Supply, Time};
use clsh::hosts::{self, NodeSet};
use clsh::outcome::Reason;
use clsh::output::Stream;
use clsh::remote::Nonce;
use clsh::session::{Manner, Session, Setting};
use std::time::Duration;

const PROMPT: &str = "clsh> ";

struct World {
    r: Random,
    engine: Engine,
    session: Session,
    nonce: Nonce,
    nodes: usize,
    /// By slot.
    far: Vec<Far>,
    now: Time,
    shown: [Vec<u8>; 2],
    /// What may go wrong, in percent a turn.
    trouble: usize,
}

impl World {
    fn new(seed: u64, nodes: usize, trouble: usize, keep_going: bool) -> Self {
        let mut set = NodeSet::new();
        set.add(&format!("n[1-{nodes}]")).expect("nodes");
        let names = set.into_nodes();
        let nonce = Nonce::new([7; 16]);
        let engine = Engine::new(Plan {
            keep_going,
            session: true,
            ..Plan::new(hosts::labels(&names), Protocol::Framed(nonce.clone()))
        });
        let setting = Setting {
            manner: Manner::Unattended,
            face: Stream::Err,
            quiet: false,
            keep_going,
            nonce: nonce.clone(),
        };
        let session = Session::new(setting, &names, engine.labels());
        Self {
            r: Random::new(seed),
            engine,
            session,
            nonce,
            nodes,
            far: Vec::new(),
            now: Time::ZERO,
            shown: Default::default(),
            trouble,
        }
    }

    /// One turn, as the driver does it.
    fn turn(&mut self) {
        self.now += Duration::from_millis(5);
        self.engine.begin_turn(self.now);
        for node in 0..self.far.len() {
            let far = &mut self.far[node];
            for stream in Stream::BOTH {
                let at = stream as usize;
                let hung_up = far.closed[at];
                if far.open[at] && (hung_up || !far.pipes[at].is_empty()) {
                    let source = Source {
                        node: node as u32,
                        stream,
                    };
                    self.engine.on_event(Event::Readable { source, hung_up });
                }
            }
        }
        self.carry_out();
        if self.far.iter().any(|far| far.zombie.is_some()) {
            self.engine.on_event(Event::ChildrenEnded);
            self.carry_out();
        }
        self.engine.on_timeout();
        loop {
            self.session.advance(&mut self.engine);
            while self.session.poll_effect().is_some() {}
            self.carry_out();
            if !self.engine.has_notices() {
                break;
            }
        }
        self.engine.check();
    }

    fn reap(&mut self, node: usize) {
        if let Some(exit) = self.far[node].zombie.take() {
            let node = node as u32;
            self.engine.on_event(Event::Exited { node, exit });
        }
    }

    fn carry_out(&mut self) {
        let mut buffer = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Spawn { node } => {
                    assert_eq!(self.far.len(), node as usize, "slots start in order");
                    self.far.push(Far::started());
                    let pid = 100 + node as i32;
                    self.engine.on_event(Event::Spawned { node, pid });
                }
                Effect::Read { source, limit } => {
                    let far = &mut self.far[source.node as usize];
                    let event = far.read(source, limit, &mut self.r, &mut buffer);
                    self.engine.on_event(event);
                }
                Effect::Close { source } => {
                    self.far[source.node as usize].open[source.stream as usize] = false;
                }
                Effect::Give { node, .. } => self.engine.give(node, [(*b"script\n").into()]),
                Effect::Feed { node } => self.feed(node),
                Effect::Write { sink } => {
                    let bytes = self.engine.pending(sink).to_vec();
                    self.shown[sink as usize].extend_from_slice(&bytes);
                    let bytes = bytes.len();
                    self.engine.on_event(Event::Wrote { sink, bytes });
                }
                Effect::Signal { node, order, .. } => match order {
                    Order::Terminate | Order::Kill => {
                        self.far[node as usize].die(Exit::Signal(15));
                    }
                    Order::Interrupt | Order::Stop | Order::Continue => {}
                },
                Effect::Look { node, .. } => {
                    let work = None;
                    self.engine.on_event(Event::Looked { node, work });
                }
                Effect::Part { .. } | Effect::Leave { .. } => unreachable!("nothing is shared"),
                Effect::Reap { node, .. } => self.reap(node as usize),
                Effect::ReapAny => (0..self.far.len()).for_each(|node| self.reap(node)),
                Effect::HangUp { .. } | Effect::GiveBackMemory => {}
                Effect::Suspend => self.engine.on_event(Event::Resumed),
                Effect::Answer { .. }
                | Effect::ReadInput
                | Effect::Spool { .. }
                | Effect::Fetch { .. }
                | Effect::Store { .. } => unreachable!("a session has none of these"),
            }
        }
    }

    /// Pipes take what they take.
    fn feed(&mut self, node: u32) {
        while let Supply::Bytes(pending) = self.engine.supply(node) {
            let pending = pending.to_vec();
            if self.r.percent(10) {
                self.engine.on_event(Event::InputBlocked { node });
                return self.engine.on_event(Event::InputWritable { node });
            }
            let far = &mut self.far[node as usize];
            if !far.alive {
                return self.engine.on_event(Event::InputClosed { node });
            }
            let bytes = self.r.between(1, pending.len());
            let taken = pending[..bytes].to_vec();
            far.reads(&taken, self.nonce.as_str());
            self.engine.on_event(Event::Fed { node, bytes });
        }
    }

    /// The nodes do something, or not.
    fn act(&mut self) {
        let nonce = self.nonce.as_str().to_owned();
        for at in 0..self.far.len() {
            let (r, far) = (&mut self.r, &mut self.far[at]);
            if !far.alive {
                continue;
            }
            if r.percent(70) {
                far.step(&nonce);
            }
            if r.percent(self.trouble) {
                match r.below(4) {
                    0 => far.die(Exit::Signal(9)),
                    3 => far.die_held(),
                    1 => far.leave(3, &nonce),
                    _ => far.write(Stream::Out, "from the background\n"),
                }
            } else if !far.up {
                far.hello(&nonce);
            } else if let Some(running) = far.running.clone() {
                let done = running.interrupted || r.percent(30);
                if done {
                    let status = *r.pick(&[0, 0, 0, 7]);
                    let last = *r.pick(&["", "", "last", "line\n"]);
                    far.finish(status, last, &nonce);
                } else if r.percent(20) {
                    far.write(*r.pick(&Stream::BOTH), "some output\n");
                }
            }
        }
    }

    fn text(&self, stream: Stream) -> String {
        String::from_utf8_lossy(&self.shown[stream as usize]).into_owned()
    }

    fn at_prompt(&self) -> bool {
        self.text(Stream::Err).ends_with(PROMPT)
    }

    fn is_busy(&self) -> bool {
        self.far.iter().any(Far::is_busy)
    }

    /// Turns until the prompt is back, or the session is over.
    fn settle(&mut self) {
        for turn in 0.. {
            assert!(turn < 5000, "waits for nobody: {}", self.text(Stream::Err));
            self.turn();
            if self.engine.reason().is_some() {
                return;
            }
            if self.at_prompt() {
                assert!(!self.is_busy(), "a prompt while a command runs");
                let unread =
                    |far: &Far| far.alive && far.pipes.iter().any(|pipe| pipe.ends_with(b"\x1e\n"));
                assert!(!self.far.iter().any(unread), "a prompt before all output");
                return;
            }
            self.act();
        }
    }

    /// Turns until every process is gone.
    fn end(&mut self) {
        for turn in 0.. {
            assert!(turn < 5000, "does not end: {}", self.text(Stream::Err));
            if self.engine.is_done() {
                break;
            }
            self.turn();
        }
        assert!(
            self.far
                .iter()
                .all(|far| !far.alive && far.zombie.is_none())
        );
        assert!(!self.at_prompt(), "a prompt is left on the screen");
    }

    fn type_line(&mut self, line: &str) {
        self.session.feed(format!("{line}\n").as_bytes());
    }
}

#[test]
fn every_node_gets_every_command_once_and_in_order() {
    for seed in 0..200 {
        let nodes = Random::new(seed).between(1, 9);
        let mut world = World::new(seed, nodes, 0, false);
        world.settle();
        let commands: Vec<String> = (0..5).map(|number| format!("command {number}")).collect();
        for command in &commands {
            world.type_line(command);
            world.settle();
        }
        for far in &world.far {
            assert_eq!(far.taken, commands, "seed {seed}");
        }
        let out = world.text(Stream::Out);
        assert!(out.lines().all(|line| line.starts_with('n')), "{out}");
        world.type_line("quit");
        world.settle();
        assert!(matches!(world.engine.reason(), Some(Reason::Left(0 | 7))));
        world.end();
    }
}

#[test]
fn a_selection_is_all_that_hears_a_command() {
    let mut world = World::new(1, 4, 0, false);
    world.settle();
    for line in [":use n[2-3]", "two", ":on n4,n1 others", ":all", "all"] {
        world.type_line(line);
        world.settle();
    }
    let taken: Vec<String> = world.far.iter().map(|far| far.taken.join(" ")).collect();
    assert_eq!(taken, ["others all", "two all", "two all", "others all"]);
}

#[test]
fn whatever_goes_wrong_the_prompt_comes_back_or_the_session_ends() {
    let (mut ended, mut back) = (0, 0);
    for seed in 0..1500 {
        let mut r = Random::new(seed);
        let (nodes, trouble) = (r.between(1, 9), *r.pick(&[0, 1, 5]));
        let mut world = World::new(seed, nodes, trouble, r.percent(70));
        world.settle();
        for round in 0..8 {
            if world.engine.reason().is_some() {
                break;
            }
            let line = *r.pick(&[
                "ls",
                "",
                ":nodes",
                ":reconnect",
                ":use n1",
                ":all",
                ":gather on",
                ":gather off",
                ":on n1 x",
                "ls",
                "ls",
            ]);
            world.type_line(line);
            for _ in 0..r.below(6) {
                world.turn();
                world.act();
            }
            if r.percent(30) && world.engine.reason().is_none() {
                world.session.interrupt(&mut world.engine);
            }
            world.settle();
            back += usize::from(round == 7);
        }
        if world.engine.reason().is_none() {
            world.session.end_of_input();
            world.settle();
        }
        assert!(world.engine.reason().is_some(), "seed {seed}");
        ended += 1;
        world.end();
        assert!(world.far.len() >= world.nodes.min(1));
    }
    assert!(ended == 1500 && back > 300, "{back} sessions got that far");
}

#[test]
fn an_interrupt_reaches_a_command_however_early_it_comes_and_whoever_misses_it() {
    for seed in 0..300 {
        let mut world = World::new(seed, 3, 0, false);
        world.settle();
        world.type_line("sleep");
        for far in &mut world.far {
            far.misses = world.r.percent(30);
        }
        for _ in 0..world.r.below(4) {
            world.turn();
        }
        world.session.advance(&mut world.engine);
        world.session.interrupt(&mut world.engine);
        // Nobody finishes by itself: only the interrupt can bring the prompt back.
        for turn in 0.. {
            assert!(turn < 500, "seed {seed}: the interrupt was lost");
            world.turn();
            if world.at_prompt() && turn > 0 {
                break;
            }
            let nonce = world.nonce.as_str().to_owned();
            for far in &mut world.far {
                if world.r.percent(30) {
                    far.step(&nonce);
                }
                if far
                    .running
                    .as_ref()
                    .is_some_and(|running| running.interrupted)
                {
                    far.finish(0, "", &nonce);
                }
            }
        }
        let err = world.text(Stream::Err);
        assert!(
            err.contains("clsh: n[1-3] (3): exited with exit code 130\n"),
            "{err}"
        );
    }
}

#[test]
fn two_interrupts_within_a_second_end_the_session_and_later_ones_do_not() {
    for (pause, ends) in [(100, true), (990, true), (1010, false)] {
        let mut world = World::new(1, 2, 0, false);
        world.settle();
        world.type_line("trap '' INT; sleep");
        world.turn();
        world.session.interrupt(&mut world.engine);
        world.now += Duration::from_millis(pause - 5);
        world.turn();
        world.session.interrupt(&mut world.engine);
        let reason = world.engine.reason();
        assert_eq!(reason, ends.then_some(Reason::INTERRUPTED), "{pause} ms");
    }
}
