//! What a run is made of: the scripts of its processes and sinks, the signals clsh gets, and the moods of the kernel.

use clsh::engine::{Exit, Plan, Protocol, Request, Time};
use clsh::output::Stream;
use clsh::remote::Nonce;
use std::time::Duration;

/// What a process does next.
#[derive(Debug, Clone)]
pub enum Step {
    Wait(Time),
    /// Blocks while the pipe is full.
    Write(Stream, Vec<u8>),
    /// Closes its end before it exits.
    Close(Stream),
    Exit(Exit),
    /// Does nothing until a signal comes.
    Sleep,
    /// Reads its input once, at most so many bytes: waits until there are some, or its end comes.
    Take(usize),
    /// Reads exactly so many bytes of its input, unless that ends before.
    Drink(usize),
    /// Reads its input to the end, at most so many bytes at once, with a pause after each.
    Drain(usize, Time),
    /// Closes its input before it exits.
    CloseInput,
}

/// What the far side of clsh's own stdin does next.
#[derive(Debug, Clone, Copy)]
pub enum SourceStep {
    Wait(Time),
    /// So many bytes more.
    Give(usize),
    End,
    /// Every further read fails.
    Fail,
}

/// How the kernel answers a spawn.
#[derive(Debug, Clone, Copy)]
pub enum Spawn {
    Starts,
    /// So many times there is no room, then it starts.
    Delayed(u32),
    Fails {
        found: bool,
    },
}

/// The process of one node, and what it leaves behind.
#[derive(Debug, Clone)]
pub struct Actor {
    pub spawn: Spawn,
    pub script: Vec<Step>,
    /// What it does at SIGTERM instead; `None` ignores it.
    pub on_term: Option<Vec<Step>>,
    /// How long SIGKILL takes: a process in the kernel dies late.
    pub dies_after: Time,
    /// A process of another group that holds both streams from the start and acts once the first one is gone.
    pub background: Option<Vec<Step>>,
}

impl Actor {
    /// Starts, obeys TERM at once and leaves nothing behind.
    pub fn new(script: Vec<Step>) -> Self {
        Self {
            spawn: Spawn::Starts,
            script,
            on_term: Some(vec![Step::Exit(Exit::Signal(15))]),
            dies_after: Time::ZERO,
            background: None,
        }
    }
}

/// What the other side of a sink does next.
#[derive(Debug, Clone, Copy)]
pub enum SinkStep {
    Wait(Time),
    /// Takes so many bytes more.
    Take(usize),
    /// Takes everything from now on.
    Free,
    /// So many bytes in each period, for ever.
    Drip(usize, Time),
    /// The reader goes.
    Close,
    /// Every further write fails.
    Fail,
}

/// How the kernel likes to behave within what it promises.
#[derive(Debug, Clone, Copy)]
pub struct Quirks {
    pub pipe_bytes: usize,
    /// An edge at each write, or only at one into an empty pipe.
    pub edge_each_write: bool,
    /// How often, in percent, clsh is not scheduled for up to `stall_max` after it was woken.
    pub stall_percent: usize,
    pub stall_max: Time,
    /// How often, in percent, the world goes on between the reads of a turn and its reaping.
    pub race_percent: usize,
    /// How often, in percent, a turn gets an edge that means nothing.
    pub spurious_percent: usize,
    /// Most edges reported in one turn.
    pub edges_max: usize,
    /// Writes take fewer bytes than there is room.
    pub short_writes: bool,
    /// Whether one can see what processes do.
    pub tells_work: bool,
    /// How long a stop lasts.
    pub suspend_max: Time,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            pipe_bytes: 64 * 1024,
            edge_each_write: true,
            stall_percent: 0,
            stall_max: Time::ZERO,
            race_percent: 0,
            spurious_percent: 0,
            edges_max: usize::MAX,
            short_writes: false,
            tells_work: true,
            suspend_max: Time::ZERO,
        }
    }
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub plan: Plan,
    pub actors: Vec<Actor>,
    pub sinks: [Vec<SinkStep>; 2],
    pub requests: Vec<(Time, Request)>,
    /// When somebody holds clsh with SIGSTOP, and for how long.
    pub stops: Vec<(Time, Time)>,
    pub quirks: Quirks,
    /// Lines may be as long as the output's bound, and longer.
    pub long_lines: bool,
}

impl Scenario {
    /// These actors in a well-behaved world, with the defaults of the command line.
    pub fn calm(protocol: Protocol, actors: Vec<Actor>) -> Self {
        let labels = (0..actors.len()).map(|rank| format!("n{rank}").into());
        Self {
            seed: 1,
            plan: Plan {
                window: 64,
                ..Plan::new(labels.collect(), protocol)
            },
            actors,
            sinks: [vec![SinkStep::Free], vec![SinkStep::Free]],
            requests: Vec::new(),
            stops: Vec::new(),
            quirks: Quirks::default(),
            long_lines: false,
        }
    }
}

/// The nonce of every simulated run.
pub fn nonce() -> Nonce {
    Nonce::new([0x5a; 16])
}

/// As the wrapper prints it; the engine's own code has no part in this.
pub fn frame(nonce: &str, words: &str) -> Vec<u8> {
    format!("\x1e{nonce} {words}\x1e\n").into_bytes()
}

/// On stderr alone, as where a startup file led stdout elsewhere.
pub fn hello() -> Step {
    hello_on(Stream::Err)
}

pub fn hello_on(stream: Stream) -> Step {
    Step::Write(stream, frame(nonce().as_str(), "hello 4711"))
}

/// What a node is sent when its bootstrap is ready.
pub const SCRIPT: &[u8] = &[b's'; 300];

/// The bootstrap is ready, says so on both streams, and reads its script.
pub fn bootstrap() -> [Step; 3] {
    let ready = |number| frame("clsh", &format!("ready {number}"));
    [
        Step::Write(Stream::Out, ready(1)),
        Step::Write(Stream::Err, ready(2)),
        Step::Drink(SCRIPT.len()),
    ]
}

/// The exit frames on both streams, and the transport's own end.
pub fn farewell(status: u8) -> [Step; 3] {
    let frame = frame(nonce().as_str(), &format!("exit {status}"));
    [
        Step::Write(Stream::Out, frame.clone()),
        Step::Write(Stream::Err, frame),
        Step::Exit(Exit::Code(status)),
    ]
}

pub fn out(text: impl AsRef<[u8]>) -> Step {
    Step::Write(Stream::Out, text.as_ref().to_vec())
}

pub fn wait(milliseconds: u64) -> Step {
    Step::Wait(Duration::from_millis(milliseconds))
}
