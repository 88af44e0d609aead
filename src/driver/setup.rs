//! What a run needs before its first turn: the program, the descriptors, the plan.

use super::desk::Desk;
use super::{Clock, Driver, KEY_SIGNALS, KEY_STDIN, shown};
use crate::engine::{Engine, Plan, Protocol};
use crate::hosts;
use crate::job::{self, ColorWhen, Job, Talk, Work};
use crate::limits::{
    DESCRIPTORS_LOCAL, DESCRIPTORS_SESSION, DESCRIPTORS_SPARE, DESCRIPTORS_WRAPPED, HISTORY_MAX,
    READ_BYTES_MAX,
};
use crate::output::{Sinks, Stream, Style};
use crate::remote::{self, Call, Invocation, Nonce, TooLong, Transport};
use crate::report;
use crate::session::{Manner, Session, Setting};
use crate::sys::{self, Descriptors, Input, Program, Reactor, Signals, Sink, Spawner, Terminal};
use nix::libc::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

const SIGNALS: [i32; 9] = [
    SIGCHLD, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, SIGWINCH,
];

/// Why a run could not even begin. Nothing was started.
#[derive(Debug)]
pub enum Refusal {
    /// The command can't be carried to a node.
    Command(TooLong),
    /// There is no such program here.
    NoProgram(String),
    /// Not even one node fits into the limit on open files.
    Descriptors(u64),
    /// A session's nodes don't all fit into it: the limit, and how many do.
    Session { limit: u64, room: usize },
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
            Self::Session { limit, room } => write!(
                f,
                "a session holds all its nodes at once: the limit of {limit} open files leaves room for {room}; raise it (ulimit -n), or name fewer nodes"
            ),
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
        let input = match &job.work {
            Work::Session(_) => Some(input(&reactor)?),
            Work::Command(_) => None,
        };
        let (window, files) = window(job, &invocation)?;
        let protocol = match (invocation.is_wrapped(), &job.transport) {
            (true, _) => Protocol::Framed(nonce.clone()),
            (false, Transport::Exec) => Protocol::Local,
            (false, _) => Protocol::Bare,
        };
        let mut engine = Engine::new(plan(job, protocol, window, &sinks));
        let fanout = job.fanout.min(job.nodes.len());
        if window < fanout && job.talk == Talk::Verbose {
            engine.say(&report::capped(window, fanout, files.limit));
        }
        let desk = match (&job.work, input) {
            (Work::Session(session), Some(input)) => {
                Some(desk(job, session, input, &sinks, nonce, &mut engine))
            }
            _ => None,
        };
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
            desk,
        })
    }
}

fn invocation(job: &Job, nonce: &Nonce) -> Result<Invocation, Refusal> {
    let call = Call {
        transport: &job.transport,
        work: match &job.work {
            Work::Command(words) => remote::Work::Command(words),
            Work::Session(session) => remote::Work::Session(&session.shell),
        },
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
    let session = matches!(job.work, Work::Session(_));
    let (fanout, spare) = match session {
        true => (job.nodes.len(), DESCRIPTORS_SPARE + DESCRIPTORS_SESSION),
        false => (job.fanout.min(job.nodes.len()), DESCRIPTORS_SPARE),
    };
    let each = if invocation.is_wrapped() {
        DESCRIPTORS_WRAPPED
    } else {
        DESCRIPTORS_LOCAL
    };
    let files = sys::descriptors((fanout * each + spare) as u64);
    let room = files.limit.saturating_sub(files.open) as usize;
    match fanout.min(room.saturating_sub(spare) / each) {
        room if session && room < fanout => Err(Refusal::Session {
            limit: files.limit,
            room,
        }),
        0 => Err(Refusal::Descriptors(files.limit)),
        window => Ok((window, files)),
    }
}

/// stdin, watched.
fn input(reactor: &Reactor) -> io::Result<Input> {
    let input = Input::new(io::stdin())?;
    if let Some(fd) = input.watchable() {
        reactor.watch_reads(fd, KEY_STDIN)?;
    }
    Ok(input)
}

/// Who sits where: a prompt stands on stdout when a person sees both that and types, else on stderr.
fn desk(
    job: &Job,
    session: &job::Session,
    input: Input,
    sinks: &[Sink; 2],
    nonce: Nonce,
    engine: &mut Engine,
) -> Desk {
    let terminal = match input.is_terminal() {
        true => Terminal::new(input.shared()).ok(),
        false => None,
    };
    let face = match terminal.is_some() && sinks[0].is_terminal() {
        true => Stream::Out,
        false => Stream::Err,
    };
    let editor = sinks[face as usize].is_terminal() && !session.dumb;
    let manner = match &terminal {
        Some(_) if editor => Manner::Editor(history(session, engine)),
        Some(_) => Manner::Terminal,
        None if session.interactive => Manner::Shown,
        None => Manner::Script,
    };
    let setting = Setting {
        interactive: manner != Manner::Script,
        manner,
        face,
        quiet: job.talk == Talk::Quiet,
        keep_going: job.keep_going,
        nonce,
    };
    let sitting = Session::new(setting, &job.nodes, engine.labels());
    Desk::new(session, sitting, input, terminal, engine)
}

fn history(session: &job::Session, engine: &mut Engine) -> Vec<String> {
    let Some(path) = &session.history else {
        return Vec::new();
    };
    sys::load_history(path, HISTORY_MAX).unwrap_or_else(|error| {
        engine.say(&format!(
            "clsh: cannot read the history in '{}': {}\n",
            shown(path.as_os_str().as_encoded_bytes()),
            sys::error_text(&error)
        ));
        Vec::new()
    })
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
        session: matches!(job.work, Work::Session(_)),
        sinks: Sinks {
            styles: [style(&sinks[0]), style(&sinks[1])],
            merged: sys::same_place(&sinks[0], &sinks[1]),
            label: job.label,
        },
    }
}
