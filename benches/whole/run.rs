//! One run of one program: its wall time, its peak of memory, and what it printed, counted. A run that takes too long is ended.

use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Seek};
use std::mem::MaybeUninit;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone)]
pub enum Input {
    Null,
    File(PathBuf),
    /// The file, through a `cat`.
    Pipe(PathBuf),
}

#[derive(Clone)]
pub struct Call {
    pub words: Vec<String>,
    pub input: Input,
    /// Stdout goes here; otherwise to a pipe that the bench reads.
    pub file: Option<PathBuf>,
    /// A directory in front of PATH.
    pub path: Option<PathBuf>,
    /// A HOME of its own, so that nobody's configuration takes part.
    pub home: Option<PathBuf>,
    pub limit: Duration,
}

pub struct Ran {
    pub seconds: f64,
    pub peak_mib: f64,
    /// Seconds on a processor, of the program and of what it started and waited for.
    pub cpu: f64,
    pub lines: u64,
    pub bytes: u64,
}

impl Call {
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Call {
        Call {
            words: words.into_iter().map(Into::into).collect(),
            input: Input::Null,
            file: None,
            path: None,
            home: None,
            limit: Duration::from_secs(120),
        }
    }

    pub fn limit_secs(mut self, seconds: u64) -> Call {
        self.limit = Duration::from_secs(seconds);
        self
    }

    fn command(&self) -> Result<(Command, Option<Child>), String> {
        let mut command = Command::new(&self.words[0]);
        let mut feeder = None;
        command.args(&self.words[1..]).process_group(0);
        // cargo's own, which makes every program that is started look for its libraries in more places than a user's would.
        command.env_remove("LD_LIBRARY_PATH");
        let open = |path: &PathBuf| File::open(path).map_err(|error| error.to_string());
        match &self.input {
            Input::Null => command.stdin(Stdio::null()),
            Input::File(path) => command.stdin(open(path)?),
            Input::Pipe(path) => {
                let mut cat = Command::new("cat");
                let cat = cat.stdin(open(path)?).stdout(Stdio::piped()).spawn();
                let mut cat = cat.map_err(|error| error.to_string())?;
                command.stdin(cat.stdout.take().expect("a pipe"));
                feeder = Some(cat);
                &mut command
            }
        };
        if let Some(path) = &self.path {
            let rest = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{rest}", path.display()));
        }
        if let Some(home) = &self.home {
            command.env("HOME", home);
        }
        match &self.file {
            None => command.stdout(Stdio::piped()),
            Some(path) => command.stdout(File::create(path).map_err(|error| error.to_string())?),
        };
        Ok((command, feeder))
    }

    pub fn run(&self) -> Result<Ran, String> {
        self.run_seen(&mut |_| ())
    }

    /// A run whose output `see` gets to see, piece by piece.
    pub fn run_seen(&self, see: &mut dyn FnMut(&[u8])) -> Result<Ran, String> {
        let mut errors = tempfile::tempfile().map_err(|error| error.to_string())?;
        let (mut command, feeder) = self.command()?;
        command.stderr(errors.try_clone().map_err(|error| error.to_string())?);
        let start = Instant::now();
        let child = command.spawn();
        let mut child = child.map_err(|error| format!("{}: {error}", self.words[0]))?;
        drop(command);
        let guard = Guard::new(&child, self.limit);
        let (mut lines, mut bytes) = (0, 0);
        if let Some(out) = child.stdout.take() {
            (lines, bytes) = drain(out, see);
        }
        let (status, peak_mib, cpu) = reap(&child);
        let seconds = start.elapsed().as_secs_f64();
        let in_time = guard.stand_down();
        if let Some(mut feeder) = feeder {
            // It may have lost its reader.
            let _ = feeder.wait();
        }
        if !in_time {
            return Err(format!("no end after {} s", self.limit.as_secs()));
        }
        if !status.success() {
            let mut text = String::new();
            let _ = errors.rewind().map(|()| errors.read_to_string(&mut text));
            let last = text.trim_end().lines().last().unwrap_or_default();
            let last: String = last.chars().take(60).collect();
            return Err(format!("{status}: {last}"));
        }
        if let Some(path) = &self.file {
            (lines, bytes) = drain(File::open(path).map_err(|error| error.to_string())?, see);
        }
        Ok(Ran {
            seconds,
            peak_mib,
            cpu,
            lines,
            bytes,
        })
    }
}

fn drain(mut from: impl Read, see: &mut dyn FnMut(&[u8])) -> (u64, u64) {
    let mut buffer = vec![0; 64 * 1024];
    let (mut lines, mut bytes) = (0, 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => return (lines, bytes),
            Ok(length) => {
                let piece = &buffer[..length];
                lines += memchr::memchr_iter(b'\n', piece).count() as u64;
                bytes += length as u64;
                see(piece);
            }
        }
    }
}

/// How it ended, its peak of memory, and its seconds on a processor. What the bench itself takes counts in, so it stays small.
pub fn reap(child: &Child) -> (ExitStatus, f64, f64) {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both point to memory of ours for as long as the call lasts, and all zeroes is a valid rusage.
    let usage = unsafe {
        libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr());
        usage.assume_init()
    };
    let peak_mib = usage.ru_maxrss as f64 / 1024.0;
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    (ExitStatus::from_raw(status), peak_mib, cpu)
}

/// Ends a run that takes longer than its limit.
pub struct Guard {
    stand_down: mpsc::Sender<()>,
    thread: thread::JoinHandle<bool>,
}

impl Guard {
    pub fn new(child: &Child, limit: Duration) -> Guard {
        let group = Pid::from_raw(child.id() as i32);
        let (stand_down, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let late = |limit| told.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            if !late(limit) {
                return true;
            }
            for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGKILL] {
                // It may be gone.
                let _ = killpg(group, signal);
                if !late(Duration::from_secs(4)) {
                    break;
                }
            }
            false
        });
        Guard { stand_down, thread }
    }

    /// Whether the run was in time.
    pub fn stand_down(self) -> bool {
        drop(self.stand_down);
        self.thread.join().unwrap_or(false)
    }
}
