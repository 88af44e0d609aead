//! What a run needs before its first turn: the program, the descriptors, the plan.

use super::children::Children;
use super::desk::Desk;
use super::feed::{Feed, Scratches};
use super::refusal::Refusal;
use super::store::Store;
use super::{Driver, KEY_SIGNALS, KEY_STDIN, password, shown};
use crate::engine::{Clock, Engine, Event, Plan, Progress, Protocol, Stdin as Given};
use crate::hosts;
use crate::job::{self, ColorWhen, Job, Talk, Work};
use crate::limits::{
    COLUMNS_DEFAULT, DESCRIPTORS_KEPT, DESCRIPTORS_LOCAL, DESCRIPTORS_SESSION, DESCRIPTORS_SPARE,
    DESCRIPTORS_WRAPPED, HISTORY_MAX, PROGRESS_AFTER, READ_BYTES_MAX,
};
use crate::output::{self, Sinks, Stream, Style};
use crate::remote::{self, Call, Invocation, Nonce, Transport};
use crate::report;
use crate::session::{Manner, Session, Setting};
use crate::sys::{
    self, Descriptors, Directory, Guardian, Input, Kind, Program, Reactor, Report, Secret, Signals,
    Sink, Spawner, Terminal,
};
use nix::errno::Errno;
use nix::libc::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGWINCH};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SIGNALS: [i32; 9] = [
    SIGCHLD, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP, SIGWINCH,
];

impl<'a> Driver<'a> {
    pub(super) fn new(
        job: &'a Job,
        secret: Option<Secret>,
        guardian: Result<Guardian, Errno>,
    ) -> Result<Self, Refusal> {
        let nonce = Nonce::new(sys::random()?);
        let session = matches!(job.work, Work::Session(_));
        let input = match session || job.input {
            true => Some(Input::new(io::stdin())?),
            false => None,
        };
        let given = given(job, input.as_ref())?;
        let invocation = invocation(job, &nonce, given != Given::Nothing)?;
        let program = match invocation.program() {
            Some(name) => Some(find(name)?),
            None => None,
        };
        let sinks = [Sink::new(io::stdout())?, Sink::new(io::stderr())?];
        // Opening a pipe waits for its reader, and can be interrupted as long as signals do what they do by themselves.
        let store = store(job)?;
        let failed = report(job, &sinks)?;
        let mut signals = Signals::new(&SIGNALS)?;
        let read = input.as_ref().filter(|_| session || given == Given::Stream);
        let reactor = reactor(&mut signals, &sinks, read)?;
        let askpass = password::askpass(job, &reactor)?;
        let (window, files) = window(job, &invocation)?;
        let protocol = protocol(job, &invocation, &nonce);
        let mut engine = Engine::new(Plan {
            input: given,
            seed: u64::from_ne_bytes(sys::random()?.first_chunk().copied().unwrap_or_default()),
            ..plan(job, protocol, window, &sinks)
        });
        say_first(job, window, files.limit, &sinks, &mut engine);
        let (desk, feed) = readers(job, input, given, &sinks, nonce, &mut engine)?;
        Ok(Self {
            job,
            engine,
            invocation,
            program,
            spawner: Spawner::new(files.inherited, guardian)?,
            reactor,
            signals,
            sinks,
            links: Vec::new(),
            children: Children::default(),
            buffer: vec![0; READ_BYTES_MAX],
            start: Instant::now(),
            clock: Clock::default(),
            desk,
            feed,
            scratches: Scratches::default(),
            store,
            failed,
            secret,
            askpass,
        })
    }
}

/// How a node's end is read.
fn protocol(job: &Job, invocation: &Invocation, nonce: &Nonce) -> Protocol {
    match (invocation.is_wrapped(), &job.transport) {
        (true, _) => Protocol::Framed(nonce.clone()),
        (false, Transport::Exec) => Protocol::Local,
        (false, _) => Protocol::Bare,
    }
}

/// Watches what clsh itself has: its signals, its output, and its input where that is read as it comes.
fn reactor(signals: &mut Signals, sinks: &[Sink; 2], input: Option<&Input>) -> io::Result<Reactor> {
    let reactor = Reactor::new()?;
    reactor.watch_signals(signals, KEY_SIGNALS)?;
    for (key, sink) in sinks.iter().enumerate() {
        if let Some(fd) = sink.watchable() {
            reactor.watch_writes(fd, key)?;
        }
    }
    if let Some(fd) = input.and_then(Input::watchable) {
        reactor.watch_reads(fd, KEY_STDIN)?;
    }
    Ok(reactor)
}

/// What is to be known before anything starts.
fn say_first(job: &Job, window: usize, limit: u64, sinks: &[Sink; 2], engine: &mut Engine) {
    if job.progress && job.talk > Talk::Quiet && progress(job, sinks).is_none() {
        engine.say(&report::no_progress());
    }
    let fanout = job.fanout.min(job.nodes.len());
    if window < fanout && job.talk == Talk::Verbose {
        engine.say(&report::capped(window, fanout, limit));
    }
}

/// Who reads clsh's stdin: a session, the nodes, or nobody.
fn readers(
    job: &Job,
    input: Option<Input>,
    given: Given,
    sinks: &[Sink; 2],
    nonce: Nonce,
    engine: &mut Engine,
) -> io::Result<(Option<Desk>, Option<Feed>)> {
    Ok(match (&job.work, input, given) {
        (Work::Session(session), Some(input), _) => {
            (Some(desk(job, session, input, sinks, nonce, engine)), None)
        }
        (_, Some(input), Given::Stream) => {
            if input.watchable().is_none() {
                // Nothing else will say so.
                engine.on_event(Event::StdinReadable);
            }
            (None, Some(Feed::new(input, None)))
        }
        (_, Some(input), Given::File(bytes)) => {
            let start = input.consume(bytes)?;
            (None, Some(Feed::new(input, Some(start))))
        }
        _ => (None, None),
    })
}

/// What the commands of a job read. A session's commands read nothing, its nodes are given lines.
fn given(job: &Job, input: Option<&Input>) -> Result<Given, Refusal> {
    let Some(input) = input.filter(|_| !matches!(job.work, Work::Session(_))) else {
        return Ok(Given::Nothing);
    };
    match input.kind()? {
        Kind::Terminal | Kind::Empty => Ok(Given::Nothing),
        Kind::File { bytes } => Ok(Given::File(bytes)),
        Kind::Stream => Ok(Given::Stream),
        Kind::Directory => Err(Refusal::Input),
    }
}

/// The flags that name the directories for the nodes' files.
pub(super) const FLAGS: [&str; 2] = ["--out", "--err"];

/// The directories for the nodes' files, which are this run's alone until it is over.
fn store(job: &Job) -> Result<Store, Refusal> {
    let mut store = Store::default();
    for stream in Stream::BOTH {
        let (flag, path) = (FLAGS[stream as usize], &job.files[stream as usize]);
        let open = || {
            let directory = path.as_deref().map(Directory::new).transpose()?;
            // Both streams may go to one directory.
            let other = &store.directories[Stream::Out as usize];
            let is_locked = |directory| {
                let mut other = other.iter();
                other.any(|other| sys::same_place(other, directory))
            };
            match &directory {
                Some(directory) if !is_locked(directory) => directory.lock()?,
                _ => {}
            }
            Ok(directory)
        };
        let directory = open().map_err(|error| unwritable(flag, path, error))?;
        store.directories[stream as usize] = directory;
    }
    Ok(store)
}

/// Where the names of failed nodes go. That is no place for anything else.
fn report(job: &Job, sinks: &[Sink; 2]) -> Result<Option<Report>, Refusal> {
    let report = job.failed.as_deref().map(Report::new).transpose();
    let report = report.map_err(|error| unwritable("--failed", &job.failed, error))?;
    let taken = |report: &Report| sinks.iter().any(|sink| report.leads_to(sink));
    match report.as_ref().is_some_and(taken) {
        true => Err(unwritable(
            "--failed",
            &job.failed,
            io::Error::other("clsh's output goes there"),
        )),
        false => Ok(report),
    }
}

pub(super) fn unwritable(flag: &'static str, path: &Option<PathBuf>, error: io::Error) -> Refusal {
    let path = path.as_deref().unwrap_or(Path::new(""));
    Refusal::Unwritable(flag, shown(path.as_os_str().as_bytes()), error)
}

/// The progress line: where it was asked for, or by itself where it disturbs nobody. What reads a pipe on stdout may write on the same
/// terminal, and would be disturbed.
fn progress(job: &Job, sinks: &[Sink; 2]) -> Option<Progress> {
    let [out, err] = sinks;
    let possible = err.is_terminal() && !job.dumb && !matches!(job.work, Work::Session(_));
    let by_itself = job.talk > Talk::Quiet && !out.is_pipe();
    let after = match job.progress {
        true => Duration::ZERO,
        false => PROGRESS_AFTER,
    };
    (possible && (job.progress || by_itself)).then(|| Progress {
        after,
        columns: match err.columns() {
            0 => COLUMNS_DEFAULT,
            columns => columns,
        },
    })
}

fn invocation(job: &Job, nonce: &Nonce, input: bool) -> Result<Invocation, Refusal> {
    let call = Call {
        transport: &job.transport,
        work: match &job.work {
            Work::Command(words) => remote::Work::Command(words),
            Work::Script(script) => remote::Work::Script(script),
            Work::Session(session) => remote::Work::Session(&session.shell),
        },
        user: job.user.as_deref(),
        local_user: sys::user_name(),
        connect: job.connect,
        kill_after: job.kill_after,
        count: job.nodes.len(),
        input,
        sudo: job.sudo.as_deref(),
    };
    Invocation::new(call, nonce).map_err(Refusal::Command)
}

/// How many nodes can run at once with the descriptors there are. Called when all others are open.
fn window(job: &Job, invocation: &Invocation) -> Result<(usize, Descriptors), Refusal> {
    let session = matches!(job.work, Work::Session(_));
    let (fanout, spare) = match session {
        true => (job.nodes.len(), DESCRIPTORS_SPARE + DESCRIPTORS_SESSION),
        false => (
            job.fanout.min(job.nodes.len()),
            DESCRIPTORS_SPARE + DESCRIPTORS_KEPT,
        ),
    };
    let each = match invocation.is_wrapped() || invocation.has_input() {
        true => DESCRIPTORS_WRAPPED,
        false => DESCRIPTORS_LOCAL,
    };
    let each = each + job.files.iter().flatten().count();
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
        None => Manner::Unattended,
    };
    let setting = Setting {
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
    let labels = hosts::labels(&job.nodes);
    Plan {
        window,
        cores: sys::cores(),
        connect: job.connect,
        time_limit: job.time_limit,
        kill_after: job.kill_after,
        keep_going: job.keep_going,
        warn: job.talk > Talk::Quiet,
        verbose: job.talk == Talk::Verbose,
        session: matches!(job.work, Work::Session(_)),
        shape: job.shape,
        files: job.files.each_ref().map(Option::is_some),
        fail_fast: job.fail_fast,
        retries: job.retries,
        tty: job.tty,
        ssh: matches!(job.transport, Transport::Ssh { .. }),
        shared: job.transport.may_be_shared(),
        password: job.transport.takes_password(),
        sudo: job.sudo.is_some(),
        summary: job.summary,
        progress: progress(job, sinks),
        sinks: Sinks {
            columns: match job.work {
                Work::Command(_) | Work::Script(_) => {
                    output::columns(labels.iter().map(|label| &**label))
                }
                // Nodes come and go, and the blocks are short.
                Work::Session(_) => 0,
            },
            styles: [style(&sinks[0]), style(&sinks[1])],
            merged: sys::same_place(&sinks[0], &sinks[1]),
            label: job.label,
        },
        ..Plan::new(labels, protocol)
    }
}
