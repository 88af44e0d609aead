//! A world for many cold connections: a machine of some processors on which handshakes queue, a gate that drops connections beyond so many,
//! hosts that are not there or far away; and one run in it, step by step.

use super::random::Random;
use super::script::{frame, nonce};
use clsh::engine::{
    Effect, Engine, Event, Exit, Order, Plan, Protocol, Request, Source, Time, Work,
};
use clsh::limits::DROPS_MAX;
use clsh::outcome::Outcome;
use clsh::output::Stream;
use std::time::Duration;

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
/// One step of the world.
pub const STEP: Duration = Duration::from_millis(4);
/// No run takes as long.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// What a host is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Host {
    /// Answers after its way there and back, which a handshake takes so many times.
    Well { way: Duration },
    /// Takes the connection, or not even that, and says nothing.
    Dead,
    /// Lets one in, and does not come to the command.
    Hangs,
    /// Drops every connection.
    Closed,
}

/// How often a handshake goes there and back.
pub const WAYS: u32 = 5;
/// What a start takes of a processor, before anything is sent.
pub const START: Duration = Duration::from_millis(10);

/// Connections that are not logged in: from `begin` on some are dropped, from `full` on all (sshd's MaxStartups).
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    pub begin: usize,
    pub rate: usize,
    pub full: usize,
}

#[derive(Debug, Clone)]
pub struct World {
    pub hosts: Vec<Host>,
    pub fanout: usize,
    pub connect: Duration,
    /// Of this machine, in hundredths of a processor.
    pub power: u32,
    /// Processors clsh is told of.
    pub cores: usize,
    /// Processes of others that want a processor, too.
    pub others: u32,
    /// What a handshake takes of a processor.
    pub handshake: Duration,
    pub gate: Option<Gate>,
    pub tells_work: bool,
    pub request: Option<(Time, Request)>,
    pub seed: u64,
}

impl World {
    pub fn new(hosts: Vec<Host>) -> Self {
        Self {
            fanout: hosts.len(),
            hosts,
            connect: SECOND * 10,
            power: 200,
            cores: 2,
            others: 0,
            handshake: MS * 128,
            gate: None,
            tells_work: true,
            request: None,
            seed: 1,
        }
    }
}

pub fn well(count: usize) -> Vec<Host> {
    vec![Host::Well { way: MS }; count]
}

/// What an ssh does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    Work(Duration),
    Wait(Duration),
    /// Goes through the gate.
    Knock,
    Hello,
    Sleep,
    Leave,
}

#[derive(Debug)]
pub struct Ssh {
    steps: Vec<Step>,
    used: Duration,
    /// It is at the gate.
    counted: bool,
    zombie: Option<Exit>,
}

/// What happened to a node.
#[derive(Debug, Default, Clone)]
pub struct Life {
    pub starts: u32,
    /// Its last start, and what it took from there.
    pub started: Time,
    pub hello: Option<Time>,
    pub ended: Option<Time>,
}

pub struct Run {
    world: World,
    engine: Engine,
    pub now: Time,
    random: Random,
    live: Vec<Option<Ssh>>,
    pub lives: Vec<Life>,
    ended: bool,
    most_at_gate: usize,
    pub most_at_once: usize,
    pub woken: u64,
    said: Vec<u8>,
}

pub fn run(world: &World) -> Run {
    let labels = (0..world.hosts.len()).map(|rank| format!("n{rank}").into());
    let mut plan = Plan::new(labels.collect(), Protocol::Framed(nonce()));
    (plan.window, plan.cores, plan.connect) = (world.fanout, world.cores, world.connect);
    (plan.ssh, plan.keep_going, plan.seed) = (true, true, world.seed);
    let mut run = Run {
        engine: Engine::new(plan),
        now: Time::ZERO,
        random: Random::new(world.seed),
        live: world.hosts.iter().map(|_| None).collect(),
        lives: vec![Life::default(); world.hosts.len()],
        ended: false,
        most_at_gate: 0,
        most_at_once: 0,
        woken: 0,
        said: Vec::new(),
        world: world.clone(),
    };
    while !run.engine.is_over() {
        run.turn();
        assert!(
            run.now < LONGEST,
            "hangs: {:?}",
            run.engine.outcomes().count()
        );
    }
    let starts = |life: &Life| life.starts <= 1 + DROPS_MAX;
    assert!(run.lives.iter().all(starts), "tried without an end");
    run
}

impl Run {
    fn turn(&mut self) {
        let timeout = self.engine.poll_timeout();
        let request = self.world.request.filter(|&(at, _)| at <= self.now);
        let idle = timeout.is_none_or(|timeout| !timeout.is_zero()) && request.is_none();
        let mut facts = Vec::new();
        if idle {
            let until = timeout.map(|timeout| self.now + timeout);
            facts = self.step(until);
            while facts.is_empty() && until.is_none_or(|until| self.now < until) {
                let due = self.world.request.is_some_and(|(at, _)| at <= self.now);
                if due {
                    break;
                }
                let alive = self.live.iter().flatten().any(|ssh| ssh.zombie.is_none());
                assert!(alive || until.is_some(), "nothing will ever happen");
                facts = self.step(until);
            }
        }
        self.woken += 1;
        self.engine.begin_turn(self.now);
        for (node, said) in facts {
            self.tell(node, said);
        }
        if std::mem::take(&mut self.ended) {
            self.engine.on_event(Event::ChildrenEnded);
        }
        if let Some((_, request)) = self.world.request.filter(|&(at, _)| at <= self.now) {
            self.world.request = None;
            self.engine.on_event(Event::Request(request));
        }
        self.engine.on_timeout();
        self.carry_out();
        self.engine.check();
        let at_once = self.live.iter().flatten().count();
        assert!(at_once <= self.world.fanout, "{at_once} at once");
        self.most_at_once = self.most_at_once.max(at_once);
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Spawn { node } => self.spawn(node),
                Effect::Look { node, .. } => {
                    let ssh = self.live[node as usize].as_ref();
                    let work = ssh.filter(|_| self.world.tells_work).map(|ssh| Work {
                        used: ssh.used,
                        wants: matches!(ssh.steps.first(), Some(Step::Work(_))),
                    });
                    self.engine.on_event(Event::Looked { node, work });
                }
                Effect::Signal { node, order, .. } => self.signal(node as usize, order),
                Effect::Reap { node, .. } => self.reap(node as usize),
                Effect::ReapAny => (0..self.live.len()).for_each(|node| self.reap(node)),
                Effect::Write { sink } => {
                    let pending = self.engine.pending(sink).to_vec();
                    self.said.extend_from_slice(&pending);
                    let bytes = pending.len();
                    self.engine.on_event(Event::Wrote { sink, bytes });
                }
                _ => {}
            }
        }
    }

    fn spawn(&mut self, node: u32) {
        let at = node as usize;
        let life = &mut self.lives[at];
        (life.starts, life.started) = (life.starts + 1, self.now);
        let begin = [Step::Work(START)];
        let rest = match self.world.hosts[at] {
            Host::Well { way } => {
                let share = self.world.handshake / WAYS;
                let mut steps = vec![Step::Wait(way), Step::Knock];
                steps.extend((0..WAYS).flat_map(|_| [Step::Work(share), Step::Wait(way)]));
                [&steps[..], &[Step::Hello, Step::Leave]].concat()
            }
            Host::Dead => vec![Step::Sleep],
            Host::Hangs => vec![Step::Work(self.world.handshake), Step::Sleep],
            Host::Closed => vec![Step::Wait(MS), Step::Leave],
        };
        self.live[at] = Some(Ssh {
            steps: [&begin[..], &rest].concat(),
            used: Duration::ZERO,
            counted: false,
            zombie: None,
        });
        let pid = 1000 + node as i32;
        self.engine.on_event(Event::Spawned { node, pid });
    }

    fn signal(&mut self, node: usize, order: Order) {
        let signal = match order {
            Order::Terminate => 15,
            Order::Kill => 9,
            _ => return,
        };
        self.leave(node, Exit::Signal(signal));
    }

    fn leave(&mut self, node: usize, exit: Exit) {
        if let Some(ssh) = self.live[node].as_mut().filter(|ssh| ssh.zombie.is_none()) {
            (ssh.zombie, ssh.counted) = (Some(exit), false);
            ssh.steps.clear();
            self.lives[node].ended = Some(self.now);
            self.ended = true;
            for stream in Stream::BOTH {
                let source = Source {
                    node: node as u32,
                    stream,
                };
                self.engine.on_event(Event::Eof { source });
            }
        }
    }

    fn reap(&mut self, node: usize) {
        let Some(exit) = self.live[node].as_ref().and_then(|ssh| ssh.zombie) else {
            return;
        };
        self.live[node] = None;
        let node = node as u32;
        self.engine.on_event(Event::Exited { node, exit });
    }

    /// The world goes on for a moment: processors are shared alike among all that want one. Gives what the nodes' ends have to say.
    fn step(&mut self, until: Option<Time>) -> Vec<(usize, &'static str)> {
        let length = until.map_or(STEP, |until| STEP.min(until.saturating_sub(self.now)));
        let length = length.max(Duration::from_micros(10));
        self.now += length;
        let wants = |ssh: &&Ssh| matches!(ssh.steps.first(), Some(Step::Work(_)));
        let count = self.live.iter().flatten().filter(wants).count() as u32;
        let share = (self.world.power * 10 / (count + self.world.others).max(1)).min(1000);
        let mut facts = Vec::new();
        for node in 0..self.live.len() {
            let Some(ssh) = self.live[node].as_mut() else {
                continue;
            };
            match ssh.steps.first_mut() {
                Some(Step::Work(left)) => {
                    let got = (length * share / 1000).min(*left);
                    (*left, ssh.used) = (*left - got, ssh.used + got);
                    if left.is_zero() {
                        ssh.steps.remove(0);
                    }
                }
                Some(Step::Wait(left)) => {
                    *left = left.saturating_sub(length);
                    if left.is_zero() {
                        ssh.steps.remove(0);
                    }
                }
                _ => {}
            }
            facts.extend(self.act(node));
        }
        facts
    }

    fn act(&mut self, node: usize) -> Option<(usize, &'static str)> {
        const DROPPED: &str = "kex_exchange_identification: Connection closed by remote host\r\n";
        let at_gate = self.live.iter().flatten().filter(|ssh| ssh.counted).count();
        let ssh = self.live[node].as_mut()?;
        match ssh.steps.first()? {
            Step::Knock => {
                let dropped = self.world.gate.is_some_and(|gate| {
                    at_gate >= gate.full
                        || at_gate >= gate.begin && {
                            let beyond = at_gate - gate.begin;
                            let more = (100 - gate.rate) * beyond / (gate.full - gate.begin).max(1);
                            self.random.percent(gate.rate + more)
                        }
                });
                if dropped {
                    ssh.steps = vec![Step::Leave];
                    return Some((node, DROPPED));
                }
                ssh.counted = true;
                self.most_at_gate = self.most_at_gate.max(at_gate + 1);
                ssh.steps.remove(0);
                None
            }
            Step::Hello => {
                ssh.steps.remove(0);
                ssh.counted = false;
                self.lives[node].hello = Some(self.now);
                Some((node, "hello"))
            }
            Step::Leave if self.world.hosts[node] == Host::Closed => {
                ssh.steps = vec![Step::Sleep];
                Some((node, DROPPED))
            }
            Step::Leave => {
                let exit = if self.lives[node].hello.is_some() {
                    0
                } else {
                    255
                };
                Some((node, ["leave 0", "leave 255"][usize::from(exit == 255)]))
            }
            Step::Work(_) | Step::Wait(_) | Step::Sleep => None,
        }
    }

    fn tell(&mut self, node: usize, said: &str) {
        let mut say = |stream, bytes: &[u8]| {
            let source = Source {
                node: node as u32,
                stream,
            };
            let dry = true;
            self.engine.on_event(Event::Bytes { source, bytes, dry });
        };
        match said {
            "hello" => say(Stream::Err, &frame(nonce().as_str(), "hello 1")),
            "leave 0" => {
                for stream in Stream::BOTH {
                    say(stream, &frame(nonce().as_str(), "exit 0"));
                }
                self.leave(node, Exit::Code(0));
            }
            "leave 255" => self.leave(node, Exit::Code(255)),
            words => {
                say(Stream::Err, words.as_bytes());
                self.leave(node, Exit::Code(255));
            }
        }
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.engine.outcomes().map(|(_, outcome)| outcome).collect()
    }

    pub fn all_get_through(&self) {
        assert_eq!(self.outcomes(), vec![Outcome::Exited(0); self.lives.len()]);
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }
}
