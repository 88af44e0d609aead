//! One turn of the loop after the other: kernel readiness becomes events, effects become system calls.
//!
//! Sees both columns, the pure engine and the kernel rooms, and knows no flag. It decides nothing.

mod children;
mod desk;
mod feed;
mod password;
mod refusal;
mod setup;
mod store;

pub use refusal::Refusal;

use crate::engine::{Clock, Effect, Engine, Event, Request, Source, Work};
use crate::job::{Job, Talk};
use crate::limits::NODES_MAX;
use crate::outcome::{Outcome, Reason, Verdict};
use crate::output::Stream;
use crate::remote::{Invocation, Questions};
use crate::report;
use crate::sys::{
    self, Askpass, Got, Guardian, Program, Reactor, Report, Secret, Signals, Sink, Spawner, Written,
};
use children::Children;
use desk::Desk;
use feed::{Feed, Scratches};
use nix::libc::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use password::Found;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};
use store::Store;

/// Keys of the reactor: the sinks, the signals and stdin come first, then three for each slot, its two streams and its input. A slot whose
/// node is tried again is started again: the bits above say for the how manieth time, so that no event reaches a later process.
const KEY_STDOUT: usize = Stream::Out as usize;
const KEY_STDERR: usize = Stream::Err as usize;
const KEY_SIGNALS: usize = 2;
const KEY_STDIN: usize = 3;
const KEY_ASKPASS: usize = 4;
const KEYS_RESERVED: usize = 5;
const KEYS_PER_NODE: usize = 3;
const KEY_INPUT: usize = 2;
/// Bits of a key that are not the count of starts.
const KEY_BITS: u32 = 24;
const _: () = assert!(KEYS_RESERVED + NODES_MAX * KEYS_PER_NODE < 1 << KEY_BITS);

/// The near side of a running node.
struct Link {
    /// The how manieth start of its slot this is.
    start: usize,
    lifeline: Option<OwnedFd>,
    /// The lifeline is watched for room.
    watched: bool,
    streams: [Option<OwnedFd>; 2],
    /// Where its output goes, if that is a file of its own.
    files: [Option<File>; 2],
}

struct Driver<'a> {
    job: &'a Job,
    engine: Engine,
    invocation: Invocation,
    program: Option<(Vec<u8>, Program)>,
    spawner: Spawner,
    reactor: Reactor,
    signals: Signals,
    sinks: [Sink; 2],
    links: Vec<Option<Box<Link>>>,
    children: Children,
    buffer: Vec<u8>,
    start: Instant,
    clock: Clock,
    desk: Option<Desk>,
    feed: Option<Feed>,
    scratches: Scratches,
    store: Store,
    /// Where the names of failed nodes go.
    failed: Option<Report>,
    /// As long as somebody may need it.
    secret: Option<Secret>,
    /// Where ssh asks for it.
    askpass: Option<(Askpass, Questions)>,
}

/// Runs the job to its end. When this returns, every child is reaped.
pub fn run(job: &Job) -> Result<Verdict, Refusal> {
    // First of all: it keeps a copy of what is in memory, which no password may be.
    let guardian = Guardian::new();
    let secret = match password::find(job)? {
        Found::Password(secret) => secret,
        Found::Signal(signal) => return Ok(Verdict::Signal(signal)),
    };
    let mut driver = Driver::new(job, secret, guardian)?;
    driver.clear_files()?;
    while !driver.is_done() {
        driver.turn()?;
    }
    driver.close();
    while !driver.engine.is_over() {
        driver.turn()?;
    }
    // The output itself may have failed in those last turns.
    Ok(driver.engine.verdict())
}

impl Driver<'_> {
    /// Whether every node has its outcome, and a session is over.
    fn is_done(&self) -> bool {
        self.engine.is_done() && (self.desk.is_none() || self.engine.reason().is_some())
    }

    /// Every node has its outcome: what stands at the end is said.
    fn close(&mut self) {
        self.write_failed();
        self.engine.close_output();
        let silent = self.desk.is_some() || self.engine.reason() == Some(Reason::OutputClosed);
        if self.job.talk > Talk::Quiet && !silent {
            let outcomes = self.engine.outcomes();
            let nodes = outcomes.map(|(rank, outcome)| (self.job.nodes[rank].name(), outcome));
            let lost = self.engine.ended_by_loss();
            let lost = lost.map(|rank| self.job.nodes[rank].name());
            let summary = report::summary(nodes, lost);
            self.engine.say(&summary);
        }
    }

    /// The names of the nodes that failed, for another call.
    fn write_failed(&mut self) {
        let Some(report) = &mut self.failed else {
            return;
        };
        let outcomes = self.engine.outcomes();
        let failed = outcomes.filter(|&(_, outcome)| outcome != Outcome::Exited(0));
        let names = failed.map(|(rank, _)| format!("{}\n", self.job.nodes[rank].name()));
        let text: String = names.collect();
        if let Err(error) = report.write(text.as_bytes()) {
            let path = self.job.failed.as_deref().unwrap_or(Path::new(""));
            let path = shown(path.as_os_str().as_bytes());
            let text = report::failed_unwritten(&path, &sys::error_text(&error));
            self.engine.say(&text);
            self.engine.note_unwritten();
        }
    }

    fn turn(&mut self) -> io::Result<()> {
        let busy = self.desk.as_ref().is_some_and(Desk::is_busy);
        let timeout = match busy {
            true => Some(Duration::ZERO),
            false => self.engine.poll_timeout(),
        };
        self.reactor.wait(timeout)?;
        let now = self.clock.wake(self.start.elapsed(), timeout);
        self.engine.begin_turn(now);
        // Signals are noted before anything else and acted on after the streams were read: what a child wrote before it ended, and what
        // had arrived before a signal, is seen first.
        let (mut signals, mut asks) = (Vec::new(), false);
        for ready in self.reactor.ready() {
            match ready.key {
                KEY_STDOUT | KEY_STDERR => {
                    let sink = Stream::BOTH[ready.key];
                    self.engine.on_event(match ready.hung_up {
                        true => Event::SinkClosed { sink },
                        false => Event::Writable { sink },
                    });
                }
                KEY_SIGNALS => signals.extend(self.signals.pending()),
                KEY_ASKPASS => asks = true,
                KEY_STDIN => match &mut self.desk {
                    Some(desk) => desk.readable(),
                    None => self.engine.on_event(Event::StdinReadable),
                },
                key => {
                    if let Some(event) = happening(&self.links, key, ready.hung_up) {
                        self.engine.on_event(event);
                    }
                }
            }
        }
        self.carry_out();
        if asks {
            self.answer_ssh();
        }
        if signals.contains(&SIGCHLD) {
            self.children_ended();
        }
        for signal in signals {
            self.signalled(signal);
        }
        self.engine.on_timeout();
        self.attend();
        self.carry_out();
        // What was learnt while the effects were carried out may ask for more of them.
        while self.engine.has_notices() {
            self.attend();
            self.carry_out();
        }
        self.forget_password();
        self.explain_refusal();
        if cfg!(debug_assertions) {
            self.engine.check();
        }
        Ok(())
    }

    fn signalled(&mut self, signal: i32) {
        if signal == SIGCONT {
            self.resume_local();
        }
        let desk = self.desk.as_mut();
        if desk.is_some_and(|desk| desk.signalled(signal, &mut self.engine)) {
            return;
        }
        if signal == SIGWINCH {
            let columns = self.sinks[Stream::Err as usize].columns();
            self.engine.on_event(Event::Resized { columns });
        }
        if let Some(request) = request(signal) {
            self.engine.on_event(Event::Request(request));
        }
    }

    /// The session's turn.
    fn attend(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.attend(&mut self.engine, &mut self.buffer);
        }
    }

    fn carry_out(&mut self) {
        loop {
            while let Some(effect) = self.engine.poll_effect() {
                self.carry_out_one(effect);
            }
            if !self.finish_signals() {
                return;
            }
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Read { source, limit } => self.read(source, limit),
            Effect::Write { sink } => self.write(sink),
            Effect::Spawn { node } => self.spawn(node),
            Effect::Close { source } => {
                if let Some(link) = self.link(source.node) {
                    link.streams[source.stream as usize] = None;
                    link.files[source.stream as usize] = None;
                }
            }
            Effect::HangUp { node } => {
                if let Some(link) = self.link(node) {
                    link.lifeline = None;
                }
            }
            Effect::Signal { pid, order, .. } => self.signal(pid, order),
            Effect::Look { node, pid } => {
                let work = sys::work(pid).map(|work| Work {
                    used: work.used,
                    wants: work.wants,
                });
                self.engine.on_event(Event::Looked { node, work });
            }
            Effect::Part { node, pid, order } => self.part(node, pid, order),
            Effect::Leave { pid, .. } => self.leave(pid),
            Effect::Reap { pid, .. } => self.reap(pid),
            Effect::ReapAny => self.reap_any(),
            Effect::Give { node, stage } => self.give(node, stage),
            Effect::Feed { node } => self.feed(node),
            Effect::Answer { node } => self.answer_node(node),
            Effect::ReadInput => self.read_input(),
            Effect::Spool { spool } => self.spool(spool),
            Effect::Fetch { offset, bytes } => self.fetch(offset, bytes),
            Effect::Store { source, bytes } => self.store(source, bytes),
            Effect::GiveBackMemory => sys::give_back_memory(),
            Effect::Suspend => {
                self.finish_signals();
                sys::stop_self();
                self.clock.resume(self.start.elapsed());
                self.engine.on_event(Event::Resumed);
                if let Some(desk) = &mut self.desk {
                    desk.resumed(&mut self.engine);
                }
            }
        }
    }

    fn link(&mut self, node: u32) -> Option<&mut Link> {
        self.links.get_mut(node as usize)?.as_deref_mut()
    }

    fn read(&mut self, source: Source, limit: usize) {
        let Some(Some(link)) = self.links.get(source.node as usize) else {
            return;
        };
        let Some(fd) = &link.streams[source.stream as usize] else {
            return;
        };
        let event = match sys::read(fd.as_fd(), &mut self.buffer[..limit]) {
            Got::Bytes(count) => Event::Bytes {
                source,
                bytes: &self.buffer[..count],
                dry: count < limit,
            },
            Got::Dry => Event::Dry { source },
            Got::Eof => Event::Eof { source },
        };
        self.engine.on_event(event);
    }

    fn write(&mut self, stream: Stream) {
        let sink = &self.sinks[stream as usize];
        while !self.engine.pending(stream).is_empty() {
            match sink.write(self.engine.pending(stream)) {
                Written::Bytes(bytes) => self.engine.on_event(Event::Wrote {
                    sink: stream,
                    bytes,
                }),
                Written::Blocked => return self.engine.on_event(Event::Blocked { sink: stream }),
                Written::Closed => return self.engine.on_event(Event::SinkClosed { sink: stream }),
                Written::Failed(error) => {
                    return self.engine.on_event(Event::SinkFailed {
                        sink: stream,
                        error: &sys::error_text(&error),
                    });
                }
            }
        }
    }
}

/// The key of a stream or the input of a node that was started for the `start`th time.
fn key(node: u32, start: usize, end: usize) -> usize {
    let slot = KEYS_RESERVED + node as usize * KEYS_PER_NODE + end;
    start << KEY_BITS | slot
}

/// The node, start and end of a key.
fn parts(key: usize) -> (u32, usize, usize) {
    let (start, slot) = (key >> KEY_BITS, key & ((1 << KEY_BITS) - 1));
    let slot = slot - KEYS_RESERVED;
    ((slot / KEYS_PER_NODE) as u32, start, slot % KEYS_PER_NODE)
}

/// What readiness under a slot's key means; nothing where it is that of an earlier process.
fn happening(links: &[Option<Box<Link>>], key: usize, hung_up: bool) -> Option<Event<'static>> {
    let (node, start, end) = parts(key);
    let link = links.get(node as usize)?.as_deref()?;
    (link.start == start).then_some(match end {
        KEY_INPUT => Event::InputWritable { node },
        stream => Event::Readable {
            source: Source {
                node,
                stream: Stream::BOTH[stream],
            },
            hung_up,
        },
    })
}

fn request(signal: i32) -> Option<Request> {
    match signal {
        SIGINT | SIGTERM | SIGHUP => Some(Request::End(signal)),
        SIGQUIT => Some(Request::Kill(signal)),
        SIGUSR1 => Some(Request::Status),
        SIGTSTP => Some(Request::Suspend),
        _ => None,
    }
}

/// A name from the command line, or a stranger's words, fit to be shown on a terminal.
#[inline(never)]
fn shown(name: &[u8]) -> String {
    let plain = |letter: char| matches!(letter, '\'' | '"' | '\\');
    let mut shown = String::new();
    for letter in String::from_utf8_lossy(name).chars() {
        match plain(letter) {
            true => shown.push(letter),
            false => shown.extend(letter.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_node_start_and_end_differ_and_are_read_back() {
        let last = NODES_MAX as u32 - 1;
        let mut keys = Vec::new();
        for node in [0, 1, last] {
            for start in [0, 1, 200] {
                for end in 0..KEYS_PER_NODE {
                    let key = key(node, start, end);
                    assert_eq!(parts(key), (node, start, end));
                    assert!(key >= KEYS_RESERVED);
                    keys.push(key);
                }
            }
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
