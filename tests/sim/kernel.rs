//! The virtual kernel: a clock, processes that follow their scripts, pipes, sinks and signals. It knows nothing of the engine.

pub mod input;
mod process;

use super::pipe::{Got, Pipe};
use super::random::Random;
use super::script::{Actor, Quirks, Scenario, SinkStep, SourceStep, Step};
use super::sink::{Health, Sink};
use clsh::engine::{Clock, Exit, Request, Source, Time};
use clsh::output::Stream;
use input::{Intake, Supplier};
use process::{Life, Process, pid_of};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
enum Happening {
    Run {
        process: usize,
        epoch: u32,
    },
    Sink(Stream),
    Supply,
    Signal(Request),
    /// SIGSTOP, and SIGCONT after so long.
    Stop(Time),
}

/// Each with whether its other side is gone.
type Edges<T> = Vec<(T, bool)>;

pub struct Kernel {
    now: Time,
    clock: Clock,
    /// clsh got SIGSTOP, and SIGCONT comes after so long.
    stopped: Option<Time>,
    agenda: BTreeMap<(Time, u64), Happening>,
    serial: u64,
    processes: Vec<Process>,
    /// By node; the process is the node's own.
    nodes: Vec<Option<(usize, [Pipe; 2])>>,
    /// By node: its stdin.
    intakes: Vec<Option<Intake>>,
    pub supplier: Supplier,
    pub sinks: [Sink; 2],
    requests: Vec<Request>,
    child_ended: bool,
    quirks: Quirks,
    random: Random,
}

impl Kernel {
    pub fn new(scenario: &Scenario) -> Self {
        let mut kernel = Self {
            now: Time::ZERO,
            clock: Clock::default(),
            stopped: None,
            agenda: BTreeMap::new(),
            serial: 0,
            processes: Vec::new(),
            nodes: scenario.actors.iter().map(|_| None).collect(),
            intakes: scenario.actors.iter().map(|_| None).collect(),
            supplier: Supplier::default(),
            sinks: scenario.sinks.clone().map(Sink::new),
            requests: Vec::new(),
            child_ended: false,
            quirks: scenario.quirks,
            random: Random::new(scenario.seed ^ 0x6b65_726e_656c),
        };
        for stream in Stream::BOTH {
            if let [SinkStep::Free, ..] = scenario.sinks[stream as usize][..] {
                kernel.sinks[stream as usize].room = usize::MAX;
            }
            kernel.plan(Time::ZERO, Happening::Sink(stream));
        }
        for &(time, request) in &scenario.requests {
            kernel.plan(time, Happening::Signal(request));
        }
        for &(time, length) in &scenario.stops {
            kernel.plan(time, Happening::Stop(length));
        }
        kernel
    }

    /// clsh's stdin is something of which so much comes, and so.
    pub fn supply(&mut self, steps: Vec<SourceStep>) {
        self.supplier = Supplier::new(steps);
        self.plan(Time::ZERO, Happening::Supply);
    }

    /// The time the driver shows the engine after this wait.
    pub fn clock(&mut self, timeout: Option<Duration>) -> Time {
        self.clock.wake(self.now, timeout)
    }

    /// Whether one can see what processes do.
    pub fn tells_work(&self) -> bool {
        self.quirks.tells_work
    }

    /// Sleeps as epoll_wait does. False when nothing will ever wake it.
    #[must_use]
    pub fn sleep(&mut self, timeout: Option<Duration>) -> bool {
        let until = timeout.map(|timeout| self.now + timeout);
        while !self.is_woken() {
            match (self.agenda.keys().next().map(|key| key.0), until) {
                (None, None) => return false,
                (Some(next), _) if until.is_none_or(|until| next <= until) => self.run_until(next),
                (_, until) => {
                    self.now = until.unwrap_or(self.now).max(self.now);
                    break;
                }
            }
        }
        if let Some(length) = self.stopped.take() {
            self.run_until(self.now + length);
        }
        if self.random.percent(self.quirks.stall_percent) {
            let stall = self.random.time(self.quirks.stall_max);
            self.run_until(self.now + stall);
        }
        true
    }

    /// The world goes on while clsh is busy.
    pub fn race(&mut self) {
        if self.random.percent(self.quirks.race_percent) {
            let busy = self.random.time(Duration::from_millis(5));
            self.run_until(self.now + busy);
        }
    }

    /// clsh is stopped for a while.
    pub fn suspend(&mut self) {
        let length = self.random.time(self.quirks.suspend_max);
        self.run_until(self.now + length);
        self.clock.resume(self.now);
    }

    /// Sinks with an edge and whether their reader left, and sources with an edge, in any order.
    pub fn ready(&mut self) -> (Edges<Stream>, Edges<Source>) {
        let mut sinks = Vec::new();
        for stream in Stream::BOTH {
            let sink = &mut self.sinks[stream as usize];
            if std::mem::take(&mut sink.edge) {
                sinks.push((stream, sink.health == Health::Closed));
            }
        }
        let mut sources = Vec::new();
        for (node, slot) in self.nodes.iter().enumerate() {
            let Some((_, pipes)) = slot else { continue };
            for stream in Stream::BOTH {
                let pipe = &pipes[stream as usize];
                let spurious = pipe.open && self.random.percent(self.quirks.spurious_percent);
                if pipe.is_ready() || spurious {
                    let source = Source {
                        node: node as u32,
                        stream,
                    };
                    sources.push((source, pipe.writers == 0));
                }
            }
        }
        self.random.shuffle(&mut sources);
        sources.truncate(self.quirks.edges_max);
        for (source, _) in &sources {
            self.pipe(*source).edge = false;
        }
        (sinks, sources)
    }

    /// Takes the signals clsh got, in any order, each kind once; and whether SIGCHLD is among them.
    pub fn signals(&mut self) -> (Vec<Request>, bool) {
        let mut requests = std::mem::take(&mut self.requests);
        self.random.shuffle(&mut requests);
        (requests, std::mem::take(&mut self.child_ended))
    }

    pub fn spawn(&mut self, node: usize, actor: &Actor) -> i32 {
        let writers = 1 + usize::from(actor.background.is_some());
        let pipe = || Pipe::new(self.quirks.pipe_bytes, self.quirks.edge_each_write, writers);
        self.nodes[node] = Some((self.processes.len(), [pipe(), pipe()]));
        self.intakes[node] = Some(Intake::new(self.quirks.pipe_bytes, writers));
        let process = |script: &[Step], on_term: Option<Vec<Step>>, background| Process {
            node,
            script: script.to_vec().into(),
            on_term,
            dies_after: actor.dies_after,
            holds: [true; 2],
            holds_input: true,
            blocked: None,
            reading: false,
            stopped: false,
            late: false,
            doomed: false,
            epoch: 0,
            life: Life::Alive,
            background,
        };
        let index = self.processes.len();
        let background = actor.background.as_ref().map(|_| index + 1);
        self.processes
            .push(process(&actor.script, actor.on_term.clone(), background));
        self.wake(index, self.now);
        if let Some(script) = &actor.background {
            self.processes.push(process(script, None, None));
        }
        pid_of(index)
    }

    pub fn read(&mut self, source: Source, limit: usize) -> Got {
        let got = self.pipe(source).read(limit);
        if matches!(got, Got::Bytes(_)) {
            self.wake_writers(source);
        }
        got
    }

    pub fn close(&mut self, source: Source) {
        self.pipe(source).open = false;
        self.wake_writers(source);
    }

    /// Reaps one zombie among the nodes that `may`.
    pub fn reap(&mut self, may: impl Fn(u32) -> bool) -> Option<(u32, Exit)> {
        for process in &mut self.processes {
            let node = process.node as u32;
            if let Life::Zombie(exit) = process.life
                && may(node)
            {
                process.life = Life::Gone;
                return Some((node, exit));
            }
        }
        None
    }

    /// Nodes whose process ended and was not reaped though clsh was told.
    pub fn zombies(&self) -> impl Iterator<Item = usize> {
        let told = !self.child_ended;
        let zombie = move |process: &&Process| told && matches!(process.life, Life::Zombie(_));
        self.processes
            .iter()
            .filter(zombie)
            .map(|process| process.node)
    }

    pub fn pipe(&mut self, source: Source) -> &mut Pipe {
        let slot = self.nodes[source.node as usize].as_mut();
        &mut slot.expect("a node that was started").1[source.stream as usize]
    }

    pub fn was_started(&self, node: usize) -> bool {
        self.nodes[node].is_some()
    }

    /// Nodes' processes that were not reaped.
    pub fn unreaped(&self) -> usize {
        let own = |slot: &Option<(usize, _)>| slot.as_ref().map(|slot| slot.0);
        let processes = self.nodes.iter().filter_map(own);
        processes
            .filter(|&index| !matches!(self.processes[index].life, Life::Gone))
            .count()
    }

    fn is_woken(&self) -> bool {
        let pipes = self.nodes.iter().flatten().flat_map(|slot| &slot.1);
        self.child_ended
            || self.stopped.is_some()
            || !self.requests.is_empty()
            || self.sinks.iter().any(|sink| sink.edge)
            || self.supplier.edge
            || self.intakes.iter().flatten().any(Intake::is_ready)
            || pipes.into_iter().any(Pipe::is_ready)
    }

    fn plan(&mut self, time: Time, happening: Happening) {
        // Things at one instant happen in any order.
        let key = self.random.next() << 32 | self.serial;
        self.serial += 1;
        self.agenda.insert((time, key), happening);
    }

    fn run_until(&mut self, until: Time) {
        while let Some(entry) = self.agenda.first_entry() {
            let time = entry.key().0;
            if time > until {
                break;
            }
            let happening = entry.remove();
            self.now = self.now.max(time);
            match happening {
                Happening::Run { process, epoch } if self.processes[process].epoch == epoch => {
                    self.run(process);
                }
                Happening::Run { .. } => {}
                Happening::Sink(stream) => {
                    let sink = &mut self.sinks[stream as usize];
                    if let Some(pause) = sink.act() {
                        self.plan(self.now + pause, Happening::Sink(stream));
                    }
                }
                Happening::Supply => {
                    if let Some(pause) = self.supplier.act() {
                        self.plan(self.now + pause, Happening::Supply);
                    }
                }
                Happening::Signal(request) if self.requests.contains(&request) => {}
                Happening::Signal(request) => self.requests.push(request),
                Happening::Stop(length) => self.stopped = Some(length),
            }
        }
        self.now = self.now.max(until);
    }
}

/// What became of one write.
pub enum Written {
    Bytes(usize),
    Blocked,
    Closed,
    Failed,
}

impl Kernel {
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Written {
        let sink = &mut self.sinks[stream as usize];
        match sink.health {
            Health::Closed => Written::Closed,
            Health::Failed => Written::Failed,
            Health::Well if sink.room == 0 => Written::Blocked,
            Health::Well => {
                let at_most = if self.quirks.short_writes {
                    self.random.between(1, bytes.len())
                } else {
                    bytes.len()
                };
                Written::Bytes(sink.write(bytes, at_most))
            }
        }
    }
}
