//! Many cold connections: a machine of some processors on which handshakes queue, a gate that drops connections beyond so many, hosts that are
//! not there or far away. Everybody gets through who can, nobody is given up for being queued, and nobody who is not there holds the others up.

use super::random::Random;
use super::script::{frame, nonce};
use clsh::engine::{
    Effect, Engine, Event, Exit, Order, Plan, Protocol, Request, Source, Time, Work,
};
use clsh::limits::{CONNECT_GRACE, DROPS_ALONE_MAX, DROPS_MAX};
use clsh::outcome::Outcome;
use clsh::output::Stream;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// One step of the world.
const STEP: Duration = Duration::from_millis(4);
/// No run takes as long.
const LONGEST: Duration = Duration::from_secs(3600);

/// What a host is like.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Host {
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
const WAYS: u32 = 5;
/// What a start takes of a processor, before anything is sent.
const START: Duration = Duration::from_millis(10);

/// Connections that are not logged in: from `begin` on some are dropped, from `full` on all (sshd's MaxStartups).
#[derive(Debug, Clone, Copy)]
struct Gate {
    begin: usize,
    rate: usize,
    full: usize,
}

#[derive(Debug, Clone)]
struct World {
    hosts: Vec<Host>,
    fanout: usize,
    connect: Duration,
    /// Of this machine, in hundredths of a processor.
    power: u32,
    /// Processors clsh is told of.
    cores: usize,
    /// Processes of others that want a processor, too.
    others: u32,
    /// What a handshake takes of a processor.
    handshake: Duration,
    gate: Option<Gate>,
    tells_work: bool,
    request: Option<(Time, Request)>,
    seed: u64,
}

impl World {
    fn new(hosts: Vec<Host>) -> Self {
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

fn well(count: usize) -> Vec<Host> {
    vec![Host::Well { way: MS }; count]
}

/// What an ssh does next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Work(Duration),
    Wait(Duration),
    /// Goes through the gate.
    Knock,
    Hello,
    Sleep,
    Leave,
}

#[derive(Debug)]
struct Ssh {
    steps: Vec<Step>,
    used: Duration,
    /// It is at the gate.
    counted: bool,
    zombie: Option<Exit>,
}

/// What happened to a node.
#[derive(Debug, Default, Clone)]
struct Life {
    starts: u32,
    /// Its last start, and what it took from there.
    started: Time,
    hello: Option<Time>,
    ended: Option<Time>,
}

struct Run {
    world: World,
    engine: Engine,
    now: Time,
    random: Random,
    live: Vec<Option<Ssh>>,
    lives: Vec<Life>,
    ended: bool,
    most_at_gate: usize,
    most_at_once: usize,
    woken: u64,
    said: Vec<u8>,
}

fn run(world: &World) -> Run {
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

    fn outcomes(&self) -> Vec<Outcome> {
        self.engine.outcomes().map(|(_, outcome)| outcome).collect()
    }

    fn all_get_through(&self) {
        assert_eq!(self.outcomes(), vec![Outcome::Exited(0); self.lives.len()]);
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }
}

#[test]
fn queued_handshakes_are_no_silence() {
    for (power, cores) in [(200, 2), (100, 1), (50, 1)] {
        let mut world = World::new(well(100));
        (world.power, world.cores) = (power, cores);
        let run = run(&world);
        run.all_get_through();
        let work = (START + world.handshake) * 100 * 100 / power;
        assert!(run.now < work * 11 / 10 + SECOND, "{:?}, {work:?}", run.now);
    }
}

#[test]
fn a_machine_that_is_taken_by_others_is_no_silence() {
    // With 400 others a handshake takes much longer than -t; without sight it must be a little less.
    for (tells_work, others) in [(true, 400), (false, 4)] {
        let mut world = World::new(well(60));
        (world.tells_work, world.others, world.connect) = (tells_work, others, SECOND * 2);
        run(&world).all_get_through();
    }
}

#[test]
fn beside_others_the_window_opens_for_a_larger_share() {
    let mut world = World::new(well(200));
    world.others = 30;
    let run = run(&world);
    run.all_get_through();
    assert!(run.most_at_once >= 64, "{}", run.most_at_once);
}

#[test]
fn on_a_machine_of_its_own_it_stays_narrow() {
    let run = run(&World::new(well(200)));
    run.all_get_through();
    assert!(run.most_at_once <= 160, "{}", run.most_at_once);
}

#[test]
fn far_hosts_are_as_fast_as_all_at_once() {
    let mut world = World::new(vec![Host::Well { way: MS * 300 }; 64]);
    world.handshake = MS * 5;
    let run = run(&world);
    run.all_get_through();
    // WAYS and one for the connection; what the start takes of two processors; and a moment for each look.
    assert!(run.now < MS * 300 * (WAYS + 1) + MS * 1200, "{:?}", run.now);
}

#[test]
fn one_that_is_not_there_costs_the_others_nothing_and_is_named_in_time() {
    let alone = run(&World::new(well(59))).now;
    for dead in [Host::Dead, Host::Hangs] {
        let mut hosts = well(60);
        hosts[0] = dead;
        let run = run(&World::new(hosts));
        let others = run.lives[1..]
            .iter()
            .map(|life| life.ended.expect("an end"));
        let last = others.max().expect("others");
        assert!(last < alone + MS * 300, "{last:?}, {alone:?}");
        let named = run.lives[0].ended.expect("an end") - run.lives[0].started;
        let due = SECOND * 10 + CONNECT_GRACE;
        assert!(named >= due && named < due + SECOND, "{named:?}");
        assert_eq!(run.lives[0].starts, 1);
        assert_eq!(run.outcomes()[0], Outcome::Failed);
        assert!(run.said().contains("n0: no answer within 10 s"));
    }
}

#[test]
fn half_of_all_may_be_dead() {
    let mut hosts = well(200);
    hosts
        .iter_mut()
        .step_by(2)
        .for_each(|host| *host = Host::Dead);
    for (tells_work, slack) in [(true, 4), (false, 25)] {
        let mut world = World::new(hosts.clone());
        (world.handshake, world.tells_work) = (MS * 17, tells_work);
        let run = run(&world);
        let last = SECOND * 10 + CONNECT_GRACE + (START * 200 + MS * 17 * 100) / 2;
        assert!(run.now < last + SECOND * slack, "{:?}, {last:?}", run.now);
        let outcomes = run.outcomes();
        let through = outcomes.iter().filter(|&&one| one == Outcome::Exited(0));
        assert_eq!(through.count(), 100);
    }
}

#[test]
fn all_may_be_dead() {
    for tells_work in [true, false] {
        let mut world = World::new(vec![Host::Dead; 200]);
        (world.tells_work, world.connect) = (tells_work, SECOND * 3);
        let run = run(&world);
        assert_eq!(run.outcomes(), vec![Outcome::Failed; 200]);
    }
}

#[test]
fn who_is_dropped_at_a_gate_gets_through_later() {
    for seed in 0..10 {
        for (begin, rate, full) in [(10, 30, 100), (10, 100, 10), (3, 30, 10)] {
            let mut world = World::new(well(60));
            world.gate = Some(Gate { begin, rate, full });
            (world.seed, world.cores, world.power) = (seed, 8, 800);
            let run = run(&world);
            run.all_get_through();
            // Nothing is said of what healed.
            assert_eq!(run.said(), "");
            let starts: u32 = run.lives.iter().map(|life| life.starts).sum();
            assert!(starts < 60 * 3, "{starts} starts at {begin}:{rate}:{full}");
        }
    }
}

#[test]
fn a_host_that_drops_everybody_is_named_with_the_words_of_ssh_after_some_tries() {
    let alone = run(&World::new(vec![Host::Closed]));
    assert_eq!(alone.outcomes(), [Outcome::Failed]);
    assert_eq!(alone.lives[0].starts, 1 + DROPS_ALONE_MAX);
    assert!(alone.now < SECOND * 4, "{:?}", alone.now);
    let words = "n0: kex_exchange_identification: Connection closed by remote host\n";
    assert_eq!(
        alone.said(),
        format!("{words}ERROR: n0 connection failed\n")
    );
    let mut hosts = well(60);
    hosts[7] = Host::Closed;
    let run = run(&World::new(hosts));
    assert_eq!(run.outcomes()[7], Outcome::Failed);
    assert_eq!(run.said().matches("kex_exchange").count(), 1);
    assert!(run.lives[7].starts > 2, "others get through meanwhile");
}

#[test]
fn an_end_does_not_wait_for_tries() {
    let mut world = World::new(vec![Host::Closed; 40]);
    world.request = Some((MS * 400, Request::End(15)));
    let run = run(&world);
    let outcomes = run.outcomes();
    let good =
        |one: &Outcome| matches!(one, Outcome::Failed | Outcome::Ended | Outcome::NotStarted);
    assert!(outcomes.iter().all(good), "{outcomes:?}");
    assert!(
        outcomes.contains(&Outcome::Failed),
        "started, and not reached"
    );
    assert!(run.now < SECOND, "{:?}", run.now);
}

#[test]
fn nothing_wakes_clsh_when_nobody_waits_for_room() {
    let run = run(&World::new(vec![Host::Dead; 6]));
    assert!(run.woken < 40, "{} times", run.woken);
}

#[test]
fn any_crowd_gets_through() {
    super::try_seeds("any_crowd", 40, |seed, _| {
        let mut r = Random::new(seed);
        let count = r.between(1, 150);
        let hosts = (0..count).map(|_| match r.below(12) {
            0 => Host::Dead,
            1 => Host::Hangs,
            2 => Host::Closed,
            3..=5 => Host::Well {
                way: r.time(MS * 300),
            },
            _ => Host::Well { way: MS },
        });
        let mut world = World::new(hosts.collect());
        world.seed = seed;
        world.fanout = r.between(1, 200);
        world.cores = r.between(1, 8);
        world.power = *r.pick(&[25, 50, 100, 200, 800]);
        world.others = *r.pick(&[0, 0, 3, 25]);
        world.handshake = MS * *r.pick(&[5, 17, 128]);
        world.connect = SECOND * *r.pick(&[2, 10]);
        let begin = r.between(4, 20);
        let gate = Gate {
            begin,
            rate: r.between(1, 100),
            full: begin + r.between(1, 100),
        };
        world.gate = r.percent(40).then_some(gate);
        // Where nothing can be seen, the first handshakes must not take as long as -t.
        let slow = world.others > 0 || world.power < 200 || world.connect < SECOND * 10;
        world.tells_work = slow || r.percent(50);
        let run = run(&world);
        for (host, outcome) in world.hosts.iter().zip(run.outcomes()) {
            let expected = match host {
                Host::Well { .. } => Outcome::Exited(0),
                Host::Dead | Host::Hangs | Host::Closed => Outcome::Failed,
            };
            let said = run.said();
            assert_eq!(outcome, expected, "{host:?} in {world:?}: {said}");
        }
        (run.woken, 0)
    });
}
