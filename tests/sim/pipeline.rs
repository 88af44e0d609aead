//! Goal: whatever clsh is given to read and to print, every node gets exactly the bytes of the input in their order, what is printed is what
//! the nodes said in the shape that was asked for, and nothing waits for nobody. Method: the driver's twin over the virtual kernel, one
//! seed a run, with books of all that went in and out; `judge` works out from the books alone what must have come of it.

mod bounds;
mod generate;
mod hands;
mod judge;
mod large;
mod named;
mod progress;
mod shapes;

use super::kernel::Kernel;
use super::kernel::Written;
use super::kernel::input::Given;
use super::naive::{Said, frame_of};
use super::pipe::Got;
use super::random::Random;
use super::script::{Actor, SCRIPT, Scenario, Spawn, nonce};
use super::sink::Health;
use clsh::engine::{
    Effect, Engine, Event, Exit, Order, Protocol, Request, Source, Spool, Stdin, Supply, Time,
};
use clsh::job::Shape;
use clsh::limits::{INPUT_HELD_MAX, READ_BYTES_MAX};
use clsh::outcome::{Outcome, Reason, Verdict};
use clsh::output::Stream;
use std::time::Duration;

/// No run takes as many turns: whoever does spins.
const TURNS_MAX: u64 = 40_000;
/// Most wishes in half a turn.
const WISHES_MAX: u64 = 4000;
/// Turns in a row in which nothing at all happens.
const IDLE_TURNS_MAX: u32 = 3;
/// What is held of the input: one read beyond the limit, and a chunk of which only a part is still needed.
const HELD_MAX: usize = INPUT_HELD_MAX as usize + 2 * READ_BYTES_MAX;
/// What waits for the sinks may never exceed this.
const PENDING_MAX: usize = 4 * 1024 * 1024;

/// What the system may refuse.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// After so many bytes the file of input, and that of output, takes no more.
    pub spool_room: [Option<usize>; 2],
    /// Likewise the file of a node and stream.
    pub store_room: Option<(Source, usize)>,
    /// Reads of the file of output fail.
    pub fetch_fails: bool,
    /// The file on stdin turns out to be shorter, or can't be read from there on.
    pub file_ends: Option<(usize, bool)>,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its actors are those of each node's last try.
    pub scenario: Scenario,
    /// What comes of each node's tries before that.
    pub tries: Vec<Vec<Actor>>,
    /// What clsh's stdin says, if there is anything to read.
    pub text: Vec<u8>,
    pub supply: Vec<super::script::SourceStep>,
    pub faults: Faults,
}

/// One process of one node, and what went between it and clsh.
#[derive(Debug)]
pub struct Life {
    pub pid: i32,
    pub spawned: Time,
    /// What the engine was given of its streams.
    pub delivered: [Vec<u8>; 2],
    looked_at: [usize; 2],
    pub hello: bool,
    pub status: Option<u8>,
    closed: [bool; 2],
    pub reaped: Option<(Time, Exit)>,
    /// clsh told it to end.
    pub ordered: Option<Time>,
    /// How much of the input it was given.
    pub fed: usize,
    /// How much of its script it was given, once it was ready for that.
    pub script: Option<usize>,
    pub hung_up: bool,
    /// clsh knows that nobody reads.
    pub refused: bool,
    /// A reader met the end of the input, and so much was read of it.
    pub saw_end: bool,
    pub read: usize,
}

impl Life {
    pub fn is_over(&self) -> bool {
        self.reaped.is_some() && self.closed == [true; 2]
    }
}

/// Bytes that were put into a file.
#[derive(Debug, Default)]
pub struct Shelf {
    pub bytes: Vec<u8>,
    pub failed: bool,
}

pub struct World<'a> {
    pub case: &'a Case,
    pub engine: Engine,
    pub kernel: Kernel,
    pub r: Random,
    pub now: Time,
    pub lives: Vec<Vec<Life>>,
    delays: Vec<u32>,
    delayed: bool,
    refused: Vec<Option<bool>>,
    pub spools: [Shelf; 2],
    pub stored: Vec<[Shelf; 2]>,
    pub stdin_ended: bool,
    /// What may be the reason for an early end, in the order it came.
    pub causes: Vec<Reason>,
    /// Requests for an end.
    pub demands: usize,
    /// SIGQUIT came when no child was left: what was kept is not shown then.
    pub quit_late: bool,
    pub ended_at: Option<Time>,
    /// How it stood when the end of the output was written.
    pub last_word: Option<Verdict>,
    pub last_written: Time,
    pub columns_max: usize,
    turns: u64,
    wishes: u64,
    happened: bool,
    idle_turns: u32,
    /// The most bytes of the input that were held.
    pub held_max: usize,
    pub spooled: bool,
    trace: bool,
}

/// Runs a case to its end and asserts everything that holds for any run.
pub fn run(case: &Case, trace: bool) -> World<'_> {
    let mut world = World::new(case, trace);
    while !world.engine.is_done() {
        world.turn();
    }
    world.last_word = Some(world.engine.verdict());
    world.engine.close_output();
    while !world.engine.is_over() {
        world.turn();
    }
    judge::judge(&mut world);
    world
}

impl<'a> World<'a> {
    fn new(case: &'a Case, trace: bool) -> Self {
        let scenario = &case.scenario;
        let delays = scenario.actors.iter().map(|actor| match actor.spawn {
            Spawn::Delayed(times) => times,
            Spawn::Starts | Spawn::Fails { .. } => 0,
        });
        let nodes = scenario.actors.len();
        let mut kernel = Kernel::new(scenario);
        if scenario.plan.input == Stdin::Stream {
            kernel.supply(case.supply.clone());
        }
        Self {
            case,
            engine: Engine::new(scenario.plan.clone()),
            kernel,
            r: Random::new(scenario.seed ^ 0x0070_6970_6573),
            now: Time::ZERO,
            lives: (0..nodes).map(|_| Vec::new()).collect(),
            delays: delays.collect(),
            delayed: false,
            refused: vec![None; nodes],
            spools: Default::default(),
            stored: (0..nodes).map(|_| Default::default()).collect(),
            stdin_ended: scenario.plan.input != Stdin::Stream,
            causes: Vec::new(),
            demands: 0,
            quit_late: false,
            ended_at: None,
            last_word: None,
            last_written: Time::ZERO,
            columns_max: scenario
                .plan
                .progress
                .map_or(0, |progress| progress.columns),
            turns: 0,
            wishes: 0,
            happened: false,
            idle_turns: 0,
            held_max: 0,
            spooled: false,
            trace,
        }
    }

    fn turn(&mut self) {
        let timeout = self.engine.poll_timeout();
        if timeout.is_none_or(|timeout| !timeout.is_zero()) {
            self.rests(timeout);
        }
        let stands_still = !self.kernel.sleep(timeout);
        if stands_still {
            self.waits_for_good();
        }
        self.now = self.kernel.clock(timeout);
        self.happened = false;
        if self.trace {
            eprintln!("[{}] {:?} after {timeout:?}", self.turns, self.now);
        }
        self.engine.begin_turn(self.now);
        let (mut requests, child_ended) = self.kernel.signals();
        // Nothing will ever come: the person gives up.
        requests.extend(stands_still.then_some(Request::End(2)));
        self.readiness();
        self.carry_out();
        self.kernel.race();
        if child_ended {
            self.fact(Event::ChildrenEnded);
            self.carry_out();
        }
        for request in requests {
            self.fact(Event::Request(request));
        }
        if self.case.scenario.plan.progress.is_some() && self.r.percent(1) {
            let columns = self.r.below(200);
            self.columns_max = self.columns_max.max(columns);
            self.fact(Event::Resized { columns });
        }
        self.engine.on_timeout();
        self.note_reason();
        self.carry_out();
        self.engine.check();
        self.check_bounds(timeout);
        self.turns += 1;
    }

    fn readiness(&mut self) {
        let (sinks, sources) = self.kernel.ready();
        for (sink, closed) in sinks {
            self.fact(match closed {
                true => Event::SinkClosed { sink },
                false => Event::Writable { sink },
            });
        }
        if std::mem::take(&mut self.kernel.supplier.edge) {
            self.fact(Event::StdinReadable);
        }
        for (source, hung_up) in sources {
            self.fact(Event::Readable { source, hung_up });
        }
        for node in self.kernel.inputs_ready() {
            let node = node as u32;
            self.fact(Event::InputWritable { node });
        }
    }

    fn fact(&mut self, event: Event) {
        if self.trace {
            let text = match event {
                Event::Bytes { source, bytes, dry } => {
                    let shown = bytes[..bytes.len().min(60)].escape_ascii();
                    format!("{} bytes of {source:?}, dry {dry}: {shown}", bytes.len())
                }
                Event::StdinBytes { bytes } => format!("{} bytes of stdin", bytes.len()),
                Event::Fetched { bytes } => format!("{} bytes fetched", bytes.len()),
                other => format!("{other:?}"),
            };
            eprintln!("  fact {text}");
        }
        self.happened = true;
        self.note(&event);
        self.engine.on_event(event);
        self.note_reason();
    }

    /// Whether some node's words would go to stdout: those of a stream that is not in files, and is printed there.
    fn is_stdout_in_use(&self) -> bool {
        let plan = &self.case.scenario.plan;
        Stream::BOTH.iter().any(|&stream| {
            let there = match (plan.shape, stream) {
                (_, Stream::Out) | (Shape::Gathered { .. } | Shape::Json, _) => true,
                (Shape::Lines | Shape::Ordered, Stream::Err) => plan.sinks.merged,
            };
            there && !plan.files[stream as usize]
        }) || plan.shape == Shape::Json
    }

    /// What the books learn.
    fn note(&mut self, event: &Event) {
        match *event {
            Event::Request(Request::End(signal) | Request::Kill(signal)) => {
                self.demands += 1;
                let reaped = |life: &Life| life.reaped.is_some();
                self.quit_late |= matches!(event, Event::Request(Request::Kill(_)))
                    && self.lives.iter().flatten().all(reaped);
                self.causes.push(Reason::Signal(signal));
            }
            Event::SinkClosed { sink: Stream::Out } if self.is_stdout_in_use() => {
                self.causes.push(Reason::OutputClosed);
            }
            Event::SinkFailed {
                sink: Stream::Out, ..
            } => self.causes.push(Reason::OutputFailed),
            Event::StdinFailed { .. } => self.causes.push(Reason::InputFailed),
            Event::FetchFailed { .. } => self.causes.push(Reason::OutputFailed),
            Event::SpoolFailed { spool, .. } => self.causes.push(match spool {
                Spool::Input => Reason::InputFailed,
                Spool::Output => Reason::OutputFailed,
            }),
            Event::Bytes { source, bytes, .. } => self.delivered(source, bytes),
            Event::Exited { node, exit } => {
                let now = self.now;
                let intake = self.kernel.intake(node as usize).expect("started");
                let (saw_end, read) = (intake.saw_end, intake.read);
                let life = self.life(node);
                life.reaped = Some((now, exit));
                (life.saw_end, life.read) = (saw_end, read.saturating_sub(SCRIPT.len()));
                if life.script.is_none() {
                    life.read = read;
                }
            }
            Event::Wrote { .. } => self.last_written = self.now,
            _ => {}
        }
    }

    fn delivered(&mut self, source: Source, bytes: &[u8]) {
        let framed = matches!(self.case.scenario.plan.protocol, Protocol::Framed(_));
        let life = self.life(source.node);
        let at = source.stream as usize;
        life.delivered[at].extend_from_slice(bytes);
        if !framed {
            return;
        }
        let text = &life.delivered[at];
        while let Some(length) = memchr::memchr(b'\n', &text[life.looked_at[at]..]) {
            let line = &text[life.looked_at[at]..][..length];
            life.looked_at[at] += length + 1;
            match frame_of(line, nonce().as_str()) {
                Some((_, Said::Hello)) => life.hello = true,
                Some((_, Said::Exit(status))) => life.status = life.status.or(Some(status)),
                Some((_, Said::Ready)) | None => {}
            }
        }
    }

    fn life(&mut self, node: u32) -> &mut Life {
        self.lives[node as usize].last_mut().expect("started")
    }

    /// A reason comes with what gives it, and stays.
    fn note_reason(&mut self) {
        let Some(reason) = self.engine.reason() else {
            let why = "the run should be ending";
            assert!(self.causes.is_empty(), "{why}: {:?}", self.causes);
            return;
        };
        if self.ended_at.is_some() {
            return;
        }
        self.ended_at = Some(self.now);
        let plan = &self.case.scenario.plan;
        let mut outcomes = self.engine.outcomes().map(|(_, outcome)| outcome);
        let explained = match reason {
            Reason::NodeLost => !plan.keep_going && outcomes.any(|one| one == Outcome::Lost),
            Reason::FailFast => plan.fail_fast && outcomes.any(|one| one.status() > 0),
            other => self.causes.first() == Some(&other),
        };
        assert!(explained, "{reason:?} out of nowhere");
    }

    fn carry_out(&mut self) {
        let before = self.wishes;
        while let Some(effect) = self.engine.poll_effect() {
            assert!(self.wishes - before < WISHES_MAX, "never has enough");
            if self.trace {
                eprintln!("  wish {effect:?}");
            }
            self.happened = true;
            self.wishes += 1;
            match effect {
                Effect::Read { source, limit } => self.read(source, limit),
                Effect::Write { sink } => self.write(sink),
                Effect::Spawn { node } => self.spawn(node),
                Effect::Close { source } => {
                    self.life(source.node).closed[source.stream as usize] = true;
                    self.kernel.close(source);
                }
                Effect::HangUp { node } => self.hang_up(node),
                Effect::Give { node, stage } => {
                    assert_eq!(stage, 0, "one bootstrap has one script");
                    self.life(node).script = Some(0);
                    self.engine.give(node, [SCRIPT.into()]);
                }
                Effect::Feed { node } => self.feed(node),
                Effect::Answer { .. } => unreachable!("nobody asks"),
                Effect::ReadInput => self.read_input(),
                Effect::Spool { spool } => self.spool(spool),
                Effect::Fetch { offset, bytes } => self.fetch(offset as usize, bytes),
                Effect::Store { source, bytes } => self.store(source, bytes),
                Effect::Signal { node, pid, order } => {
                    let now = self.now;
                    let life = self.life(node);
                    assert!(life.pid == pid && life.reaped.is_none(), "a strange pid");
                    if matches!(order, Order::Terminate | Order::Kill) {
                        life.ordered.get_or_insert(now);
                    }
                    self.kernel.signal(pid, order);
                }
                Effect::Look { node, .. } => {
                    let work = None;
                    self.engine.on_event(Event::Looked { node, work });
                }
                Effect::Part { .. } | Effect::Leave { .. } => unreachable!("nothing is shared"),
                Effect::Reap { node, .. } => {
                    if let Some((node, exit)) = self.kernel.reap(|other| other == node) {
                        self.fact(Event::Exited { node, exit });
                    }
                }
                Effect::ReapAny => {
                    while let Some((node, exit)) = self.kernel.reap(|_| true) {
                        self.fact(Event::Exited { node, exit });
                    }
                }
                Effect::GiveBackMemory => {}
                Effect::Suspend => {
                    self.screen_is_clean();
                    self.kernel.suspend();
                    self.fact(Event::Resumed);
                }
            }
            self.note_reason();
        }
    }

    pub fn is_well(&self, sink: Stream) -> bool {
        self.kernel.sinks[sink as usize].health == Health::Well
    }

    pub fn shown(&self, sink: Stream) -> &[u8] {
        &self.kernel.sinks[sink as usize].collected
    }
}

#[test]
fn any_pipeline_keeps_every_promise() {
    super::try_seeds("any_pipeline", 1500, |seed, trace| {
        let case = generate::case(seed);
        let world = run(&case, trace);
        (world.turns, world.wishes)
    });
}
