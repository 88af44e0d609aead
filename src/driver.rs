//! One turn of the loop after the other: kernel readiness becomes events, effects become system calls.
//!
//! Sees both columns, the pure engine and the kernel rooms, and knows no flag. It decides nothing.

mod setup;

pub use setup::Refusal;

use crate::engine::{Effect, Engine, Event, Exit, Order, Request, Source};
use crate::job::{Job, Talk};
use crate::outcome::{Reason, Verdict};
use crate::output::Stream;
use crate::remote::Invocation;
use crate::report;
use crate::sys::{self, Ended, Got, Program, Reactor, Signals, Sink, SpawnError, Spawner, Written};
use nix::errno::Errno;
use nix::libc::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Keys of the reactor: the sinks and the signals come first, then two for each node. A node is started once a run, so no key is ever
/// used again and no event can reach the wrong one.
const KEY_STDOUT: usize = Stream::Out as usize;
const KEY_STDERR: usize = Stream::Err as usize;
const KEY_SIGNALS: usize = 2;
const KEYS_RESERVED: usize = 4;

/// The near side of a running node.
struct Link {
    lifeline: Option<OwnedFd>,
    streams: [Option<OwnedFd>; 2],
}

/// The clock of a run: it stands still while clsh is stopped, so that no deadline passes in that time.
struct Clock {
    start: Instant,
    stopped: Duration,
}

impl Clock {
    fn now(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.stopped)
    }
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
    pids: HashMap<i32, u32>,
    buffer: Vec<u8>,
    clock: Clock,
}

/// Runs the job to its end. When this returns, every child is reaped.
pub fn run(job: &Job) -> Result<Verdict, Refusal> {
    let mut driver = Driver::new(job)?;
    while !driver.engine.is_done() {
        driver.turn()?;
    }
    let outcomes = || driver.engine.outcomes();
    let verdict = Verdict::of(
        outcomes().map(|(_, outcome)| outcome),
        driver.engine.reason(),
    );
    if job.talk > Talk::Quiet && driver.engine.reason() != Some(Reason::OutputClosed) {
        let summary =
            report::summary(outcomes().map(|(rank, outcome)| (job.nodes[rank].name(), outcome)));
        driver.engine.say(&summary);
    }
    while !driver.engine.is_over() {
        driver.turn()?;
    }
    // The output itself may have failed in those last turns.
    Ok(driver
        .engine
        .reason()
        .map_or(verdict, |reason| Verdict::of([], Some(reason))))
}

impl<'a> Driver<'a> {
    fn turn(&mut self) -> io::Result<()> {
        self.reactor.wait(self.engine.poll_timeout())?;
        self.engine.begin_turn(self.clock.now());
        // Signals are noted before anything else and acted on after the streams were read: what a child wrote before it ended, and what
        // had arrived before a signal, is seen first.
        let mut signals = Vec::new();
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
                key => self.engine.on_event(Event::Readable {
                    source: source(key),
                    hung_up: ready.hung_up,
                }),
            }
        }
        self.carry_out();
        if signals.contains(&SIGCHLD) {
            self.reap();
        }
        for request in signals.into_iter().filter_map(request) {
            self.engine.on_event(Event::Request(request));
        }
        self.engine.on_timeout();
        self.carry_out();
        if cfg!(debug_assertions) {
            self.engine.check();
        }
        Ok(())
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Read { source, limit } => self.read(source, limit),
                Effect::Write { sink } => self.write(sink),
                Effect::Spawn { node } => self.spawn(node),
                Effect::Close { source } => {
                    if let Some(link) = self.link(source.node) {
                        link.streams[source.stream as usize] = None;
                    }
                }
                Effect::HangUp { node } => {
                    if let Some(link) = self.link(node) {
                        link.lifeline = None;
                    }
                }
                Effect::Signal { pid, order, .. } => {
                    for &signal in signals_of(order) {
                        sys::signal_group(pid, signal);
                    }
                }
                Effect::Reap { pid, .. } => self.reap_one(pid),
                Effect::Suspend => {
                    let before = Instant::now();
                    sys::stop_self();
                    self.clock.stopped += before.elapsed();
                    self.engine.on_event(Event::Resumed);
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

    fn spawn(&mut self, node: u32) {
        let rank = node as usize;
        let words = self.invocation.words(&self.job.nodes[rank], rank);
        match self.start(node, &words) {
            Ok(pid) => self.engine.on_event(Event::Spawned { node, pid }),
            Err(SpawnError::Exhausted(error)) => self.engine.on_event(Event::SpawnDelayed {
                node,
                error: error.desc(),
            }),
            Err(SpawnError::Refused(error)) => {
                let text = format!(
                    "cannot run '{}': {}",
                    shown(words.first().map_or(b"", Vec::as_slice)),
                    error.desc()
                );
                self.engine.on_event(Event::SpawnFailed {
                    node,
                    found: error != Errno::ENOENT,
                    error: &text,
                });
            }
        }
    }

    /// The program, looked up once as long as it stays the same.
    fn program(&mut self, name: &[u8]) -> Result<Program, SpawnError> {
        if let Some((known, program)) = &self.program
            && known == name
        {
            return Ok(program.clone());
        }
        let program = sys::find_program(name).ok_or(SpawnError::Refused(Errno::ENOENT))?;
        self.program = Some((name.to_vec(), program.clone()));
        Ok(program)
    }

    fn start(&mut self, node: u32, words: &[Vec<u8>]) -> Result<i32, SpawnError> {
        let (rank, lifeline) = (node as usize, self.invocation.is_wrapped());
        let program = self.program(words.first().map_or(b"", Vec::as_slice))?;
        let environment = self.invocation.environment(&self.job.nodes[rank], rank);
        let child = self
            .spawner
            .spawn(&program, words, &environment, lifeline)?;
        for (stream, fd) in [(Stream::Out, &child.stdout), (Stream::Err, &child.stderr)] {
            // Refused only when the kernel is out of memory: then the child is ended by its closed pipes and this counts as one.
            let watched = self
                .reactor
                .watch_reads(fd.as_fd(), key(Source { node, stream }));
            if watched.is_err() {
                sys::signal_group(child.pid, SIGKILL);
                // Not to be tried again: it may have run already.
                return Err(SpawnError::Refused(Errno::ENOMEM));
            }
        }
        if self.links.len() <= rank {
            self.links.resize_with(rank + 1, || None);
        }
        self.links[rank] = Some(Box::new(Link {
            lifeline: child.stdin,
            streams: [Some(child.stdout), Some(child.stderr)],
        }));
        self.pids.insert(child.pid, node);
        Ok(child.pid)
    }

    fn reap(&mut self) {
        if !self.engine.holds_back() {
            while let Some((pid, ended)) = sys::reap_any() {
                self.exited(pid, ended);
            }
            return;
        }
        let pids: Vec<(i32, u32)> = self.pids.iter().map(|(&pid, &node)| (pid, node)).collect();
        for (pid, node) in pids {
            if self.engine.may_reap(node) {
                self.reap_one(pid);
            }
        }
    }

    fn reap_one(&mut self, pid: i32) {
        if let Some(ended) = sys::reap(pid) {
            self.exited(pid, ended);
        }
    }

    fn exited(&mut self, pid: i32, ended: Ended) {
        let Some(node) = self.pids.remove(&pid) else {
            return;
        };
        let exit = match ended {
            Ended::Code(code) => Exit::Code(code),
            Ended::Signal(signal) => Exit::Signal(signal),
        };
        self.engine.on_event(Event::Exited { node, exit });
    }
}

fn key(source: Source) -> usize {
    KEYS_RESERVED + source.node as usize * 2 + source.stream as usize
}

fn source(key: usize) -> Source {
    let key = key - KEYS_RESERVED;
    Source {
        node: (key / 2) as u32,
        stream: Stream::BOTH[key % 2],
    }
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

fn signals_of(order: Order) -> &'static [i32] {
    match order {
        Order::Terminate => &[SIGTERM, SIGCONT],
        Order::Kill => &[SIGKILL],
        Order::Stop => &[SIGTSTP],
        Order::Continue => &[SIGCONT],
    }
}

/// A name from the command line, fit to be shown on a terminal.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}
