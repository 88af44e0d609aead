//! What a run needs before its first turn: the program, the descriptors, the plan.

use super::{Clock, Driver, KEY_SIGNALS, shown};
use crate::engine::{Engine, Plan, Protocol};
use crate::hosts;
use crate::job::{ColorWhen, Job, Talk};
use crate::limits::{DESCRIPTORS_LOCAL, DESCRIPTORS_SPARE, DESCRIPTORS_WRAPPED, READ_BYTES_MAX};
use crate::output::{Sinks, Style};
use crate::remote::{Call, Invocation, Nonce, TooLong, Transport};
use crate::report;
use crate::sys::{self, Descriptors, Program, Reactor, Signals, Sink, Spawner};
use nix::libc::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

const SIGNALS: [i32; 7] = [SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP];

/// Why a run could not even begin. Nothing was started.
#[derive(Debug)]
pub enum Refusal {
    /// The command can't be carried to a node.
    Command(TooLong),
    /// There is no such program here.
    NoProgram(String),
    /// Not even one node fits into the limit on open files.
    Descriptors(u64),
    /// The system refused what clsh itself needs.
    System(io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(too_long) => too_long.fmt(f),
            Self::NoProgram(name) if name == "ssh" => {
                write!(
                    f,
                    "cannot run 'ssh': it is not in PATH; install OpenSSH's client, or choose another way with -R"
                )
            }
            Self::NoProgram(name) => write!(
                f,
                "cannot run '{name}': no such program here; give its full path, or check PATH"
            ),
            Self::Descriptors(limit) => {
                write!(
                    f,
                    "Too many open files: the limit of {limit} leaves no room for a node; raise it (ulimit -n 64)"
                )
            }
            Self::System(error) => write!(
                f,
                "the system refuses what a run needs: {}",
                sys::error_text(error)
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl<'a> Driver<'a> {
    pub(super) fn new(job: &'a Job) -> Result<Self, Refusal> {
        let nonce = Nonce::new(sys::random()?);
        let invocation = invocation(job, &nonce)?;
        let program = match invocation.program() {
            Some(name) => Some(find(name)?),
            None => None,
        };
        let sinks = [Sink::new(io::stdout())?, Sink::new(io::stderr())?];
        let reactor = Reactor::new()?;
        let mut signals = Signals::new(&SIGNALS)?;
        reactor.watch_signals(&mut signals, KEY_SIGNALS)?;
        for (key, sink) in sinks.iter().enumerate() {
            if let Some(fd) = sink.watchable() {
                reactor.watch_writes(fd, key)?;
            }
        }
        let (window, files) = window(job, &invocation)?;
        let protocol = match (invocation.is_wrapped(), &job.transport) {
            (true, _) => Protocol::Framed(nonce),
            (false, Transport::Exec) => Protocol::Local,
            (false, _) => Protocol::Bare,
        };
        let mut engine = Engine::new(plan(job, protocol, window, &sinks));
        let fanout = job.fanout.min(job.nodes.len());
        if window < fanout && job.talk == Talk::Verbose {
            engine.say(&report::capped(window, fanout, files.limit));
        }
        Ok(Self {
            job,
            engine,
            invocation,
            program,
            spawner: Spawner::new(files.inherited)?,
            reactor,
            signals,
            sinks,
            links: Vec::new(),
            pids: HashMap::new(),
            buffer: vec![0; READ_BYTES_MAX],
            clock: Clock {
                start: Instant::now(),
                stopped: Duration::ZERO,
            },
        })
    }
}

fn invocation(job: &Job, nonce: &Nonce) -> Result<Invocation, Refusal> {
    let call = Call {
        transport: &job.transport,
        words: &job.words,
        user: job.user.as_deref(),
        local_user: sys::user_name(),
        connect: job.connect,
        kill_after: job.kill_after,
        count: job.nodes.len(),
    };
    Invocation::new(call, nonce).map_err(Refusal::Command)
}

/// How many nodes can run at once with the descriptors there are. Called when all others are open.
fn window(job: &Job, invocation: &Invocation) -> Result<(usize, Descriptors), Refusal> {
    let fanout = job.fanout.min(job.nodes.len());
    let each = if invocation.is_wrapped() {
        DESCRIPTORS_WRAPPED
    } else {
        DESCRIPTORS_LOCAL
    };
    let files = sys::descriptors((fanout * each + DESCRIPTORS_SPARE) as u64);
    let room = files.limit.saturating_sub(files.open) as usize;
    match fanout.min(room.saturating_sub(DESCRIPTORS_SPARE) / each) {
        0 => Err(Refusal::Descriptors(files.limit)),
        window => Ok((window, files)),
    }
}

fn find(name: &[u8]) -> Result<(Vec<u8>, Program), Refusal> {
    let program = sys::find_program(name).ok_or_else(|| Refusal::NoProgram(shown(name)))?;
    Ok((name.to_vec(), program))
}

fn plan(job: &Job, protocol: Protocol, window: usize, sinks: &[Sink; 2]) -> Plan {
    let color = |sink: &Sink| match job.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => sink.is_terminal(),
    };
    let style = |sink: &Sink| Style {
        color: color(sink),
        harmless: sink.is_terminal(),
    };
    Plan {
        labels: hosts::labels(&job.nodes),
        protocol,
        window,
        connect: job.connect,
        time_limit: job.time_limit,
        kill_after: job.kill_after,
        keep_going: job.keep_going,
        warn: job.talk > Talk::Quiet,
        verbose: job.talk == Talk::Verbose,
        sinks: Sinks {
            styles: [style(&sinks[0]), style(&sinks[1])],
            merged: sys::same_place(&sinks[0], &sinks[1]),
            label: job.label,
        },
    }
}
