//! What goes through the engine's doors: the plan of a run, the facts it is told, the wishes it has. Plain data.

use super::connecting::Work;
use crate::job::{Retries, Shape};
use crate::limits::{
    CONNECT_DEFAULT, KILL_AFTER_DEFAULT, RETRY_DELAY_DEFAULT, UNFINISHED_BYTES_MAX,
};
use crate::outcome::Outcome;
use crate::output::{Sinks, Stream, Style};
use crate::remote::Nonce;
use std::time::Duration;

/// Time since the start of the run, as [`Clock`](super::Clock) has it: it stands still while clsh does not run.
pub type Time = Duration;

/// How a node's end is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// The wrapper reports it in frames that carry this nonce.
    Framed(Nonce),
    /// The transport's own exit status is all there is; 255 and a signal mean a lost connection.
    Bare,
    /// The command runs here; its exit status is the truth.
    Local,
}

/// What the commands read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing of clsh's.
    Nothing,
    /// All that clsh reads, as it comes.
    Stream,
    /// A file of so many bytes.
    File(u64),
}

/// The progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When it appears.
    pub after: Duration,
    /// How wide the terminal is.
    pub columns: usize,
}

/// What the engine has to know of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The nodes' labels, by rank.
    pub labels: Vec<Box<str>>,
    /// How a node's end is read.
    pub protocol: Protocol,
    /// Most nodes at once.
    pub window: usize,
    /// Processors there are for clsh and its children.
    pub cores: usize,
    /// How long a node may take until its hello.
    pub connect: Duration,
    /// How long a command may take.
    pub time_limit: Option<Duration>,
    /// From SIGTERM to SIGKILL.
    pub kill_after: Duration,
    /// A lost node does not end the others.
    pub keep_going: bool,
    /// clsh's own warnings are said.
    pub warn: bool,
    /// Each child that ended is told.
    pub verbose: bool,
    /// Nodes carry persistent shells that are given one command after the other.
    pub session: bool,
    /// What the commands read.
    pub input: Stdin,
    /// In what shape lines are printed.
    pub shape: Shape,
    /// Streams that go into files instead.
    pub files: [bool; 2],
    /// The first node that fails ends the run.
    pub fail_fast: bool,
    /// When a connection that failed is tried again.
    pub retries: Retries,
    /// ssh is the transport, whose own words are known.
    pub ssh: bool,
    /// Other sessions may go through a node's ssh.
    pub shared: bool,
    /// ssh is given a password, which is not to be tried again where it was not taken.
    pub password: bool,
    /// The far side may ask for a password, and says hello only then.
    pub sudo: bool,
    /// A terminal on the way puts a carriage return before each newline.
    pub tty: bool,
    /// How long each node took and how much it said is told at the end.
    pub summary: bool,
    /// The progress line, if there is one.
    pub progress: Option<Progress>,
    /// Memory that unfinished lines of all nodes may take together, in bytes.
    pub unfinished_max: usize,
    /// What nobody else knows: for jitter and digests.
    pub seed: u64,
    /// Where the lines go.
    pub sinks: Sinks,
}

impl Plan {
    /// Whether anything is printed on stdout. Where all of it goes into files, nobody has to read that.
    pub fn prints(&self) -> bool {
        let [out, err] = self.files;
        let both = match self.shape {
            Shape::Json => return true,
            Shape::Gathered { .. } => true,
            Shape::Lines | Shape::Ordered => self.sinks.merged,
        };
        self.session || !out || both && !err
    }

    /// A run in its plainest form: all nodes at once, without limits, retries or input, labelled lines.
    pub fn new(labels: Vec<Box<str>>, protocol: Protocol) -> Self {
        Self {
            window: labels.len(),
            labels,
            protocol,
            cores: usize::MAX,
            connect: CONNECT_DEFAULT,
            time_limit: None,
            kill_after: KILL_AFTER_DEFAULT,
            keep_going: false,
            warn: true,
            verbose: false,
            session: false,
            input: Stdin::Nothing,
            shape: Shape::Lines,
            files: [false; 2],
            fail_fast: false,
            retries: Retries {
                most: 0,
                delay: RETRY_DELAY_DEFAULT,
            },
            ssh: false,
            shared: false,
            password: false,
            sudo: false,
            tty: false,
            summary: false,
            progress: None,
            unfinished_max: UNFINISHED_BYTES_MAX,
            seed: 0,
            sinks: Sinks {
                styles: [Style::default(); 2],
                merged: false,
                label: true,
                columns: 0,
            },
        }
    }
}

/// Bytes that are kept in a file until they are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spool {
    /// Standard input, for nodes that start later.
    Input,
    /// What nodes said.
    Output,
}

/// One stream of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The node's rank.
    pub node: u32,
    /// Which of its streams.
    pub stream: Stream,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// A signal clsh got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// End the run (INT, TERM, HUP): the number.
    End(i32),
    /// End it at once (QUIT): the number.
    Kill(i32),
    /// Tell how it stands (USR1).
    Status,
    /// Stop as a shell job (TSTP).
    Suspend,
}

/// A signal for a node's process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// SIGTERM, and SIGCONT so that a stopped process hears it.
    Terminate,
    /// SIGKILL.
    Kill,
    /// SIGINT.
    Interrupt,
    /// SIGTSTP.
    Stop,
    /// SIGCONT.
    Continue,
}

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A node's process runs.
    Spawned { node: u32, pid: i32 },
    /// The kernel has no process, memory or descriptor to give just now.
    SpawnDelayed { node: u32, error: &'a str },
    /// A node's process can't be run at all.
    SpawnFailed {
        node: u32,
        found: bool,
        error: &'a str,
    },
    /// There may be something to read; `hung_up` when nothing is left that could write.
    Readable { source: Source, hung_up: bool },
    /// This was read; `dry` when nothing was left behind it.
    Bytes {
        source: Source,
        bytes: &'a [u8],
        dry: bool,
    },
    /// There was nothing to read.
    Dry { source: Source },
    /// The stream ended.
    Eof { source: Source },
    /// Some child ended.
    ChildrenEnded,
    /// What a node's process does, where the system tells.
    Looked { node: u32, work: Option<Work> },
    /// A node's process was reaped.
    Exited { node: u32, exit: Exit },
    /// Other sessions go through a node's process, which was not signalled for that.
    CarriesOthers { node: u32, order: Order },
    /// So much of its input was written to a node.
    Fed { node: u32, bytes: usize },
    /// A node takes no input just now.
    InputBlocked { node: u32 },
    /// A node may take input again.
    InputWritable { node: u32 },
    /// A node takes no input any more.
    InputClosed { node: u32 },
    /// A node's ssh was given the password.
    Answered { node: u32 },
    /// A node that was given the password asks for it again, or, since it has `expired`, for a new one.
    Denied { node: u32, expired: bool },
    /// There is no password for a node that asks.
    Unanswered { node: u32 },
    /// There may be something on standard input.
    StdinReadable,
    /// This was read from it.
    StdinBytes { bytes: &'a [u8] },
    /// There was nothing to read.
    StdinDry,
    /// It ended.
    StdinEnded,
    /// It can't be read, or not once more.
    StdinFailed { error: &'a str },
    /// So many bytes of [`Engine::unspooled`](super::Engine::unspooled) went into their file.
    Spooled { spool: Spool, bytes: usize },
    /// They could not be written.
    SpoolFailed { spool: Spool, error: &'a str },
    /// What stands in the file of output could not be read.
    FetchFailed { error: &'a str },
    /// This stood in the file of output, where it was asked for.
    Fetched { bytes: &'a [u8] },
    /// So many bytes of [`Engine::unstored`](super::Engine::unstored) went into their node's file.
    Stored { bytes: usize },
    /// A node's file can't be written: its name, and why. What comes for it is dropped.
    StoreFailed {
        node: u32,
        file: &'a str,
        error: &'a str,
    },
    /// The terminal is so wide by now.
    Resized { columns: usize },
    /// clsh got a signal.
    Request(Request),
    /// clsh goes on after a stop.
    Resumed,
    /// So much of what was pending was written.
    Wrote { sink: Stream, bytes: usize },
    /// A sink takes nothing just now.
    Blocked { sink: Stream },
    /// A sink may take something again.
    Writable { sink: Stream },
    /// Nobody reads this sink any more.
    SinkClosed { sink: Stream },
    /// A sink can't be written.
    SinkFailed { sink: Stream, error: &'a str },
}

/// A wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Start this node's process.
    Spawn { node: u32 },
    /// Read this source once, at most so many bytes.
    Read { source: Source, limit: usize },
    /// Close this source's descriptor.
    Close { source: Source },
    /// Close the node's lifeline.
    HangUp { node: u32 },
    /// Tell by [`Engine::give`](super::Engine::give) what a node is sent whose bootstrap is ready for the first time (0) or once more.
    Give { node: u32, stage: u8 },
    /// Write once to the node what [`Engine::supply`](super::Engine::supply) has for it.
    Feed { node: u32 },
    /// Write the password to the node, or say [`Event::Unanswered`].
    Answer { node: u32 },
    /// Read standard input once.
    ReadInput,
    /// Write what is unspooled into its file, until nothing is.
    Spool { spool: Spool },
    /// Read so much of the file of output at this offset.
    Fetch { offset: u64, bytes: usize },
    /// Append so many bytes of what is unstored to this stream's file.
    Store { source: Source, bytes: usize },
    /// Signal the process group that `pid` leads.
    Signal { node: u32, pid: i32, order: Order },
    /// Look at what this node's process and its children do, and say [`Event::Looked`].
    Look { node: u32, pid: i32 },
    /// The same, unless other sessions go through the process: then say [`Event::CarriesOthers`].
    Part { node: u32, pid: i32, order: Order },
    /// Forget this process, which goes on and is nobody's to end.
    Leave { node: u32, pid: i32 },
    /// Reap this node's process, if it ended.
    Reap { node: u32, pid: i32 },
    /// Reap every process that ended.
    ReapAny,
    /// Write what is pending for this sink until it is empty or blocks.
    Write { sink: Stream },
    /// Hand memory that was freed back to the kernel.
    GiveBackMemory,
    /// Stop clsh itself, and say [`Event::Resumed`] after it.
    Suspend,
}

/// What a session learns of its nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Its shell is there.
    Up { node: u32 },
    /// It finished this command with this status, and all output of it is in.
    Done { node: u32, command: u32, status: u8 },
    /// It has its outcome.
    Gone { node: u32, outcome: Outcome },
    /// What was gathered is on its way out.
    Shown,
}
