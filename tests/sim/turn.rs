//! The driver's twin: the same turn in the same order, over the virtual kernel, with the shadow looking on.

use super::kernel::{Kernel, Written};
use super::oracle;
use super::pipe::Got;
use super::script::{Scenario, Spawn};
use super::shadow::Shadow;
use clsh::engine::{Effect, Engine, Event, Order, Source, Time, Work};
use clsh::limits::REAP_SINGLY_MAX;
use clsh::outcome::{Outcome, Reason};
use clsh::output::Stream;

/// No run takes as many turns: whoever does spins.
const TURNS_MAX: u64 = 40_000;
/// Most wishes in half a turn, and how many more for each node.
const WISHES_MAX: u64 = 2000;
const WISHES_PER_NODE_MAX: u64 = 5;
/// Turns in a row in which nothing at all happens.
const IDLE_TURNS_MAX: u32 = 3;
/// What waits for the sinks may never exceed this.
const PENDING_MAX: usize = 2 * 1024 * 1024;
/// The same where lines are long: a read may end one that was held, or begin to cut others.
const PENDING_LONG_MAX: usize = 4 * 1024 * 1024;

/// What a run left behind, for tests that look closer.
pub struct Record {
    pub outcomes: Vec<Outcome>,
    pub reason: Option<Reason>,
    /// The engine's clock at the end.
    pub over: Time,
    pub turns: u64,
    pub wishes: u64,
    pub shown: [Vec<u8>; 2],
    /// Each signal: when, to whom, which.
    pub orders: Vec<(Time, usize, Order)>,
    /// How often the kernel looked at all children, and at how many of them singly.
    pub looks: Looks,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Looks {
    pub walks: u64,
    pub singly: u64,
}

pub struct Sim<'a> {
    pub scenario: &'a Scenario,
    pub engine: Engine,
    pub kernel: Kernel,
    pub shadow: Shadow,
    delays: Vec<u32>,
    wishes: u64,
    happened: bool,
    slept: bool,
    idle_turns: u32,
    looks: Looks,
    trace: bool,
}

/// Runs a scenario to its end and asserts everything that holds for any run.
pub fn run(scenario: &Scenario) -> Record {
    run_traced(scenario, false)
}

pub fn run_traced(scenario: &Scenario, trace: bool) -> Record {
    let delays = scenario.actors.iter().map(|actor| match actor.spawn {
        Spawn::Delayed(times) => times,
        Spawn::Starts | Spawn::Fails { .. } => 0,
    });
    let mut sim = Sim {
        scenario,
        engine: Engine::new(scenario.plan.clone()),
        kernel: Kernel::new(scenario),
        shadow: Shadow::new(&scenario.plan),
        delays: delays.collect(),
        wishes: 0,
        happened: false,
        slept: false,
        idle_turns: 0,
        looks: Looks::default(),
        trace,
    };
    while !sim.engine.is_done() {
        sim.turn();
    }
    if sim.engine.reason() != Some(Reason::OutputClosed) {
        sim.engine.say("clsh: the summary\n");
    }
    while !sim.engine.is_over() {
        sim.turn();
    }
    oracle::judge(&mut sim);
    Record {
        outcomes: sim.engine.outcomes().map(|(_, outcome)| outcome).collect(),
        reason: sim.engine.reason(),
        over: sim.shadow.now,
        turns: sim.shadow.turn,
        wishes: sim.wishes,
        shown: sim.kernel.sinks.map(|sink| sink.collected),
        orders: sim.shadow.orders,
        looks: sim.looks,
    }
}

impl Sim<'_> {
    fn turn(&mut self) {
        let timeout = self.engine.poll_timeout();
        self.shadow.sleeps(timeout);
        let could_start = self.shadow.could_start(self.engine.outcomes().count());
        assert!(!could_start || timeout == Some(Time::ZERO), "starts late");
        assert!(self.kernel.sleep(timeout), "hangs: nothing will ever come");
        let now = self.kernel.clock(timeout);
        let high = self.is_high();
        self.shadow.begins_turn(now, high);
        self.happened = false;
        self.slept = timeout.is_none_or(|timeout| !timeout.is_zero());
        if self.trace {
            eprintln!("[{}] {now:?} after {timeout:?}", self.shadow.turn);
        }
        self.engine.begin_turn(now);
        let (requests, child_ended) = self.kernel.signals();
        let (sinks, sources) = self.kernel.ready();
        for (sink, closed) in sinks {
            self.fact(match closed {
                true => Event::SinkClosed { sink },
                false => Event::Writable { sink },
            });
        }
        for (source, hung_up) in sources {
            self.fact(Event::Readable { source, hung_up });
        }
        self.carry_out();
        self.kernel.race();
        if child_ended {
            self.fact(Event::ChildrenEnded);
            self.carry_out();
        }
        for request in requests {
            self.fact(Event::Request(request));
        }
        self.engine.on_timeout();
        self.carry_out();
        self.engine.check();
        let high = self.is_high();
        self.shadow.ends_turn(high);
        // With many alive it may take its time.
        if self.kernel.unreaped() <= REAP_SINGLY_MAX {
            for node in self.kernel.zombies() {
                assert!(self.shadow.is_held_back(node), "n{node} is not reaped");
            }
        }
        self.check_bounds();
    }

    fn fact(&mut self, event: Event) {
        if self.trace {
            eprintln!("  fact {}", abridged(&event));
        }
        self.happened = true;
        self.engine.on_event(event);
        let lost = self
            .engine
            .outcomes()
            .any(|(_, outcome)| outcome == Outcome::Lost);
        self.shadow.fact(&event, self.engine.reason(), lost);
    }

    fn carry_out(&mut self) {
        let most =
            self.wishes + WISHES_MAX + WISHES_PER_NODE_MAX * self.scenario.actors.len() as u64;
        while let Some(effect) = self.engine.poll_effect() {
            assert!(self.wishes < most, "never has enough");
            if self.trace {
                eprintln!("  wish {effect:?}");
            }
            self.happened = true;
            self.wishes += 1;
            // What was decided without a fact, by a deadline, shows here.
            self.note_reason();
            match effect {
                Effect::Read { source, limit } => self.read(source, limit),
                Effect::Write { sink } => self.write(sink),
                Effect::Spawn { node } => self.spawn(node),
                Effect::Close { source } => {
                    self.shadow.closes(source);
                    self.kernel.close(source);
                }
                Effect::HangUp { node } => self.shadow.hangs_up(node),
                Effect::Give { .. }
                | Effect::Feed { .. }
                | Effect::Answer { .. }
                | Effect::ReadInput
                | Effect::Spool { .. }
                | Effect::Fetch { .. }
                | Effect::Store { .. } => unreachable!("no input, and nothing kept"),
                Effect::Signal { node, pid, order } => {
                    self.shadow.signals(node as usize, pid, order);
                    self.kernel.signal(pid, order);
                }
                Effect::Look { node, .. } => {
                    // A process that only waits, or a system that does not tell.
                    let work = self.kernel.tells_work().then(Work::default);
                    self.fact(Event::Looked { node, work });
                }
                Effect::Part { .. } | Effect::Leave { .. } => unreachable!("nothing is shared"),
                Effect::Reap { node, .. } => {
                    self.looks.singly += 1;
                    if let Some((node, exit)) = self.kernel.reap(|other| other == node) {
                        self.fact(Event::Exited { node, exit });
                    }
                }
                Effect::ReapAny => {
                    self.looks.walks += 1;
                    while let Some((node, exit)) = self.kernel.reap(|_| true) {
                        self.fact(Event::Exited { node, exit });
                    }
                }
                Effect::GiveBackMemory => {}
                Effect::Suspend => {
                    self.shadow.suspends();
                    self.kernel.suspend();
                    self.fact(Event::Resumed);
                }
            }
        }
        self.note_reason();
    }

    fn note_reason(&mut self) {
        if self.engine.reason() != self.shadow.reason {
            let mut outcomes = self.engine.outcomes();
            let lost = outcomes.any(|(_, outcome)| outcome == Outcome::Lost);
            // A fact that by itself demands nothing.
            let event = Event::Resumed;
            self.shadow.fact(&event, self.engine.reason(), lost);
        }
    }

    fn read(&mut self, source: Source, limit: usize) {
        let high = self.is_high();
        self.shadow.reads(source, limit, high);
        match self.kernel.read(source, limit) {
            Got::Bytes(range) => {
                let dry = range.len() < limit;
                let bytes = self.kernel.pipe(source).written[range].to_vec();
                self.fact(Event::Bytes {
                    source,
                    bytes: &bytes,
                    dry,
                });
            }
            Got::Dry => self.fact(Event::Dry { source }),
            Got::Eof => self.fact(Event::Eof { source }),
        }
    }

    fn write(&mut self, sink: Stream) {
        assert!(!self.engine.pending(sink).is_empty(), "writes nothing");
        while !self.engine.pending(sink).is_empty() {
            match self.kernel.write(sink, self.engine.pending(sink)) {
                Written::Bytes(bytes) => self.fact(Event::Wrote { sink, bytes }),
                Written::Blocked => return self.fact(Event::Blocked { sink }),
                Written::Closed => return self.fact(Event::SinkClosed { sink }),
                Written::Failed => {
                    let error = "No space left on device";
                    return self.fact(Event::SinkFailed { sink, error });
                }
            }
        }
    }

    fn spawn(&mut self, node: u32) {
        self.shadow.spawns(node);
        let actor = &self.scenario.actors[node as usize];
        let error = "no such luck";
        if let Spawn::Fails { found } = actor.spawn {
            return self.fact(Event::SpawnFailed { node, found, error });
        }
        let left = &mut self.delays[node as usize];
        if *left > 0 {
            *left -= 1;
            return self.fact(Event::SpawnDelayed { node, error });
        }
        let pid = self.kernel.spawn(node as usize, actor);
        self.fact(Event::Spawned { node, pid });
    }

    pub fn pending(&self) -> [usize; 2] {
        Stream::BOTH.map(|sink| self.engine.pending(sink).len())
    }

    fn is_high(&self) -> bool {
        Shadow::is_high(self.pending())
    }

    fn check_bounds(&mut self) {
        let most = if self.scenario.long_lines {
            PENDING_LONG_MAX
        } else {
            PENDING_MAX
        };
        let pending: usize = self.pending().iter().sum();
        assert!(pending <= most, "{pending} bytes wait for the sinks");
        // A deadline may pass without a trace, but not at once again.
        self.idle_turns = if self.happened || self.slept {
            0
        } else {
            self.idle_turns + 1
        };
        assert!(self.idle_turns <= IDLE_TURNS_MAX, "wakes for nothing");
        assert!(self.shadow.turn < TURNS_MAX, "spins");
    }
}

fn abridged(event: &Event) -> String {
    match event {
        Event::Bytes { source, bytes, dry } => {
            let shown = &bytes[..bytes.len().min(60)];
            let text = shown.escape_ascii();
            format!("{} bytes of {source:?}, dry {dry}: {text}", bytes.len())
        }
        other => format!("{other:?}"),
    }
}
