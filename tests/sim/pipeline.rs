//! Goal: whatever clsh is given to read and to print, every node gets exactly the bytes of the input in their order, what is printed is what
//! the nodes said in the shape that was asked for, and nothing waits for nobody. Method: the driver's twin over the virtual kernel, one
//! seed a run, with books of all that went in and out; `judge` works out from the books alone what must have come of it.

mod generate;
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
use super::script::{Actor, Scenario, Spawn, nonce};
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
        self.now = self.kernel.clock();
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

    /// What the books learn.
    fn note(&mut self, event: &Event) {
        match *event {
            Event::Request(Request::End(signal) | Request::Kill(signal)) => {
                self.demands += 1;
                self.causes.push(Reason::Signal(signal));
            }
            Event::SinkClosed { sink: Stream::Out } => self.causes.push(Reason::OutputClosed),
            Event::SinkFailed {
                sink: Stream::Out, ..
            } => self.causes.push(Reason::OutputFailed),
            Event::StdinFailed { .. } => self.causes.push(Reason::InputFailed),
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
                (life.saw_end, life.read) = (saw_end, read);
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
                None => {}
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
                Effect::Suspend => {
                    self.screen_is_clean();
                    self.kernel.suspend();
                    self.fact(Event::Resumed);
                }
            }
            self.note_reason();
        }
    }

    fn read(&mut self, source: Source, limit: usize) {
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
        let rank = node as usize;
        assert!(self.engine.reason().is_none(), "starts a node while ending");
        let running = |lives: &&Vec<Life>| lives.last().is_some_and(|life| !life.is_over());
        let running = self.lives.iter().filter(running).count();
        let plan = &self.case.scenario.plan;
        assert!(running < plan.window, "more at once than there is room for");
        let tried = self.lives[rank].len();
        assert!(tried <= plan.retries.most as usize, "too many tries");
        if let Some(last) = self.lives[rank].last() {
            assert!(last.is_over(), "tries again too early");
            let pause = plan.retries.delay.mul_f64(0.5) * (1 << (tried - 1));
            let earliest = last.reaped.map(|(at, _)| at + pause);
            assert!(earliest <= Some(self.now), "tries again without a pause");
        }
        let error = "no such luck";
        let actor = match self.case.tries[rank].get(tried) {
            Some(actor) => actor,
            None => &self.case.scenario.actors[rank],
        };
        if let Spawn::Fails { found } = actor.spawn {
            self.refused[rank] = Some(found);
            return self.fact(Event::SpawnFailed { node, found, error });
        }
        if self.delays[rank] > 0 {
            self.delays[rank] -= 1;
            self.delayed = true;
            return self.fact(Event::SpawnDelayed { node, error });
        }
        let pid = self.kernel.spawn(rank, actor);
        self.lives[rank].push(Life {
            pid,
            spawned: self.now,
            delivered: Default::default(),
            looked_at: [0; 2],
            hello: false,
            status: None,
            closed: [false; 2],
            reaped: None,
            ordered: None,
            fed: 0,
            hung_up: false,
            refused: false,
            saw_end: false,
            read: 0,
        });
        self.fact(Event::Spawned { node, pid });
    }

    /// No node is kept from the end of its input, and none is told of an end that is none.
    fn hang_up(&mut self, node: u32) {
        let whole = self.stdin_ended && self.engine_has_read();
        let all = self.input_bytes();
        let life = self.life(node);
        let ended = life.ordered.is_some() || life.reaped.is_some() || life.refused;
        // Without input the lifeline is all there is.
        let complete = whole && life.fed == all;
        assert!(
            ended || complete,
            "an end after {} of {all} bytes",
            life.fed
        );
        life.hung_up = true;
        self.kernel.hang_up(node as usize);
    }

    fn engine_has_read(&self) -> bool {
        self.case.scenario.plan.input != Stdin::Stream || self.kernel.supplier.is_at_end()
    }

    /// Bytes of the input, as far as it has come.
    pub fn input_bytes(&self) -> usize {
        match self.case.scenario.plan.input {
            Stdin::Nothing => 0,
            Stdin::File(bytes) => bytes as usize,
            Stdin::Stream => self.kernel.supplier.read,
        }
    }

    fn feed(&mut self, node: u32) {
        let rank = node as usize;
        if self.life(node).hung_up {
            self.life(node).refused = true;
            return self.fact(Event::InputClosed { node });
        }
        let fed = self.life(node).fed;
        let bytes = match self.engine.supply(node) {
            Supply::Bytes(bytes) => bytes.to_vec(),
            Supply::Filed { offset, bytes } => {
                assert_eq!(offset as usize, fed, "another place than it stands at");
                match self.filed(fed, bytes) {
                    Ok(bytes) => bytes,
                    Err(error) => return self.fact(Event::StdinFailed { error }),
                }
            }
            other => panic!("wants to write {other:?}"),
        };
        let expected = self.case.text.get(fed..fed + bytes.len());
        assert!(
            expected == Some(&bytes),
            "n{node} gets another's bytes at {fed}"
        );
        let written = match bytes.is_empty() {
            true => Written::Closed,
            false => self.kernel.feed(rank, &bytes),
        };
        let event = match written {
            Written::Bytes(bytes) => {
                self.life(node).fed += bytes;
                Event::Fed { node, bytes }
            }
            Written::Blocked => {
                self.kernel.watch_input(rank);
                Event::InputBlocked { node }
            }
            Written::Closed | Written::Failed => {
                self.life(node).refused = true;
                Event::InputClosed { node }
            }
        };
        self.fact(event);
    }

    /// A part of the file that nodes are given.
    fn filed(&mut self, offset: usize, bytes: usize) -> Result<Vec<u8>, &'static str> {
        if let Stdin::File(size) = self.case.scenario.plan.input {
            assert!(offset + bytes <= size as usize, "reads past the file");
            return match self.case.faults.file_ends {
                Some((end, true)) if offset >= end => Err("Input/output error"),
                Some((end, false)) => {
                    Ok(self.case.text[offset.min(end)..end.min(offset + bytes)].to_vec())
                }
                _ => Ok(self.case.text[offset..offset + bytes].to_vec()),
            };
        }
        let shelf = &self.spools[Spool::Input as usize];
        match shelf.bytes.get(offset..offset + bytes) {
            Some(bytes) => Ok(bytes.to_vec()),
            // There is no file: to the driver that is an end. Whether a node that still reads may meet it is for `judge` to say.
            None if shelf.bytes.is_empty() && !shelf.failed => Ok(Vec::new()),
            None => {
                let there = shelf.bytes.len();
                assert!(
                    shelf.failed,
                    "{bytes} bytes at {offset} of a file of {there}"
                );
                Err("failed to fill whole buffer")
            }
        }
    }

    fn read_input(&mut self) {
        let failed = self.spools[Spool::Input as usize].failed;
        let free = self.engine.reason().is_none();
        assert!(free || failed, "reads on while ending");
        // Nobody who reads on is left too far behind.
        let reads = |&node: &usize| {
            let life = self.lives[node].last();
            let free = |life: &Life| {
                life.reaped.is_none() && life.ordered.is_none() && !life.refused && !life.hung_up
            };
            life.is_some_and(free) && self.kernel.drains(node)
        };
        let fed = |node: usize| self.lives[node].last().map(|life| life.fed);
        let slowest = (0..self.lives.len()).filter(reads).filter_map(fed).min();
        let read = self.kernel.supplier.read;
        if let Some(slowest) = slowest {
            assert!(
                read - slowest < INPUT_HELD_MAX as usize,
                "leaves a node behind"
            );
        }
        match self.kernel.supplier.take(READ_BYTES_MAX) {
            Given::Bytes(range) => {
                let case = self.case;
                let bytes = &case.text[range];
                self.fact(Event::StdinBytes { bytes });
            }
            Given::Dry => self.fact(Event::StdinDry),
            Given::End => {
                self.stdin_ended = true;
                self.fact(Event::StdinEnded);
            }
            Given::Failed => self.fact(Event::StdinFailed {
                error: "Input/output error",
            }),
        }
    }

    /// As the driver does: on and on until nothing is left, or the file takes no more.
    fn spool(&mut self, spool: Spool) {
        loop {
            let (offset, bytes) = self.engine.unspooled(spool);
            if bytes.is_empty() {
                return;
            }
            let shelf = &mut self.spools[spool as usize];
            assert!(
                shelf.failed || offset as usize == shelf.bytes.len(),
                "leaves a hole"
            );
            let room = self.case.faults.spool_room[spool as usize];
            shelf.failed |= room.is_some_and(|room| shelf.bytes.len() + bytes.len() > room);
            if shelf.failed {
                let error = "No space left on device";
                return self.fact(Event::SpoolFailed { spool, error });
            }
            self.spooled |= spool == Spool::Input;
            shelf.bytes.extend_from_slice(bytes);
            let bytes = bytes.len();
            self.fact(Event::Spooled { spool, bytes });
        }
    }

    fn fetch(&mut self, offset: usize, bytes: usize) {
        let spool = Spool::Output;
        let fails = self.case.faults.fetch_fails;
        let shelf = &mut self.spools[spool as usize];
        match shelf.bytes.get(offset..offset + bytes).filter(|_| !fails) {
            Some(bytes) => {
                let bytes = bytes.to_vec();
                self.fact(Event::Fetched { bytes: &bytes });
            }
            None => {
                assert!(shelf.failed || fails, "reads what was never written");
                shelf.failed = true;
                let error = "failed to fill whole buffer";
                self.fact(Event::SpoolFailed { spool, error });
            }
        }
    }

    fn store(&mut self, source: Source, bytes: usize) {
        let text = self.engine.unstored();
        assert!(
            bytes > 0 && bytes <= text.len(),
            "stores {bytes} of {}",
            text.len()
        );
        let shelf = &mut self.stored[source.node as usize][source.stream as usize];
        let room = match self.case.faults.store_room {
            Some((other, room)) if other == source => room,
            _ => usize::MAX,
        };
        let fails = !shelf.failed && shelf.bytes.len() + bytes > room;
        shelf.failed |= fails;
        if !shelf.failed {
            shelf.bytes.extend_from_slice(&text[..bytes]);
        }
        self.fact(Event::Stored { bytes });
        if fails {
            self.fact(Event::StoreFailed {
                node: source.node,
                file: "DIR/file",
                error: "No space left on device",
            });
        }
    }

    /// Bytes of the input that the engine holds.
    fn held(&self) -> usize {
        let (base, _) = self.engine.unspooled(Spool::Input);
        match self.case.scenario.plan.input {
            Stdin::Stream => self.kernel.supplier.read - base as usize,
            Stdin::Nothing | Stdin::File(_) => 0,
        }
    }

    fn check_bounds(&mut self, timeout: Option<Duration>) {
        self.held_max = self.held_max.max(self.held());
        assert!(
            self.held_max <= HELD_MAX,
            "{} bytes are held",
            self.held_max
        );
        assert!(self.engine.unstored().is_empty(), "files wait");
        let pending: usize = Stream::BOTH
            .map(|sink| self.engine.pending(sink).len())
            .iter()
            .sum();
        assert!(pending <= PENDING_MAX, "{pending} bytes wait for the sinks");
        self.progress_is_timely();
        let slept = timeout.is_none_or(|timeout| !timeout.is_zero());
        // A deadline may pass without a trace, but not at once again.
        self.idle_turns = match self.happened || slept {
            true => 0,
            false => self.idle_turns + 1,
        };
        // Each comparison of two groups has a turn of its own.
        let comparisons = match self.case.scenario.plan.shape {
            Shape::Gathered { diff: true } => self.lives.len() as u32,
            _ => 0,
        };
        let idle_max = IDLE_TURNS_MAX + comparisons;
        assert!(self.idle_turns <= idle_max, "wakes for nothing");
        assert!(self.turns < TURNS_MAX, "spins");
    }

    /// clsh goes to sleep: all that could be done is done.
    fn rests(&mut self, timeout: Option<Duration>) {
        self.progress_is_drawn(timeout);
        if self.r.percent(2) {
            self.shows_what_it_can();
        }
        self.gives_what_it_can();
    }

    /// Every node that could be given something waits for the input itself, or for a slower one.
    fn gives_what_it_can(&self) {
        let all = self.input_bytes();
        for (node, lives) in self.lives.iter().enumerate() {
            let Some(life) = lives.last() else { continue };
            // One whose command is done needs nothing any more.
            let done = life.reaped.is_some() || life.status.is_some();
            if done || life.ordered.is_some() || life.refused || life.hung_up {
                continue;
            }
            if self.case.scenario.plan.input == Stdin::Nothing {
                continue;
            }
            let intake = self.kernel.intake(node).expect("started");
            let up_to_date = life.fed == all && !self.stdin_ended;
            assert!(
                up_to_date || intake.is_full() || intake.readers == 0 || intake.is_ready(),
                "n{node} has {} of {all} bytes and room for more",
                life.fed
            );
        }
    }

    /// Nothing will ever happen. That is right where all nodes wait for an input that never ends, or for a node that never reads it.
    fn waits_for_good(&self) {
        assert!(self.engine.reason().is_none(), "hangs while ending");
        let plan = &self.case.scenario.plan;
        assert!(plan.input == Stdin::Stream, "hangs");
        let running: Vec<usize> = (0..self.lives.len())
            .filter(|&node| self.lives[node].last().is_some_and(|life| !life.is_over()))
            .collect();
        let done = self.engine.is_done();
        assert!(!running.is_empty(), "hangs, and no node runs; done: {done}");
        let fed = |&node: &usize| self.lives[node].last().map_or(0, |life| life.fed);
        let supplier = &self.kernel.supplier;
        let slowest = running.iter().map(fed).min().unwrap_or(0);
        let ahead = supplier.read - slowest >= INPUT_HELD_MAX as usize;
        let dry = supplier.read == supplier.came && !self.kernel.supplier.is_at_end();
        assert!(dry || ahead, "hangs with input to read");
        for &node in &running {
            let intake = self.kernel.intake(node).expect("started");
            let waits = self.kernel.is_reading(node) && fed(&node) == supplier.read;
            let full = intake.is_full();
            assert!(
                waits || full || self.is_held_by_a_reader(&running),
                "n{node} hangs"
            );
        }
    }

    /// Somebody waits for input: the others may wait for whatever they wait for.
    fn is_held_by_a_reader(&self, running: &[usize]) -> bool {
        running.iter().any(|&node| self.kernel.is_reading(node))
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
