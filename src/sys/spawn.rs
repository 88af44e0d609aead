//! Processes, started.
//!
//! A child is made with clone(2) as vfork(2) does it, without a copy of clsh's memory or of its table of descriptors. Before it runs its
//! program it becomes the leader of a session of its own, so that a terminal's Ctrl-C reaches clsh alone, all that it starts can be found and
//! signalled, and nobody asks at the terminal behind clsh's back; and asks to be killed when clsh dies (PR_SET_PDEATHSIG), so that not even SIGKILL to clsh leaves it behind. std's Command
//! can do either only through fork(2), which copies the page tables of all that memory.

use super::clone::{self, Failure, Order, Stack, Strings};
use super::descriptors::{LOW_DESCRIPTORS, last_inherited, out_of_the_way};
use super::guardian::Guardian;
use super::program::Program;
use super::signals;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::unistd::pipe2;
use std::ffi::{CStr, CString, OsString, c_int};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// What runs a script that names no interpreter (execvp(3)).
const SHELL: &CStr = c"/bin/sh";

/// A started process and the near ends of its streams.
#[derive(Debug)]
pub struct Child {
    /// Its process, which is also its group.
    pub pid: i32,
    /// Write end of its stdin, when it has one, non-blocking.
    pub stdin: Option<OwnedFd>,
    /// Read ends of its stdout and stderr, when they are not clsh's own, non-blocking.
    pub outputs: Option<[OwnedFd; 2]>,
}

/// What a child reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// The null device.
    Null,
    /// A pipe that ends when [`Child::stdin`] is closed.
    Pipe,
    /// What clsh reads.
    Own,
}

/// How a child is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub stdin: Stdin,
    /// stdout and stderr are pipes, not clsh's own.
    pub piped: bool,
    /// It leads a session of its own, and has no terminal.
    pub session: bool,
    /// Its group becomes the foreground of the terminal on stdin.
    pub foreground: bool,
    /// The kernel kills it when clsh dies. What may have to outlive clsh is not, but the guardian ends it as long as clsh has not left it.
    pub bound: bool,
}

/// Why no process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpawnError {
    /// The system has no process, memory or descriptor left: it may have later.
    Exhausted(Errno),
    /// This program can't be run, now or later.
    Refused(Errno),
}

/// Starts processes.
pub struct Spawner {
    environment: Vec<CString>,
    null: OwnedFd,
    copied_below: Option<RawFd>,
    defaults: Vec<c_int>,
    stack: Box<Stack>,
    files: Option<(u64, u64)>,
    guardian: Option<Guardian>,
    dismissed: Option<Errno>,
}

impl Spawner {
    /// With clsh's own environment. To be called once clsh has its signals. `files` is the limit on open files the children get, where clsh
    /// raised its own. The guardian ends what is left when clsh is killed.
    ///
    /// # Errors
    /// There is no null device, or no descriptor left.
    pub fn new(files: Option<(u64, u64)>, guardian: Result<Guardian, Errno>) -> io::Result<Self> {
        let dismissed = guardian.as_ref().err().copied();
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
            })
            .collect();
        Ok(Self {
            environment,
            null: std::fs::File::open("/dev/null")?.into(),
            copied_below: last_inherited().map(|last| LOW_DESCRIPTORS.max(last + 1)),
            // Handlers that ran in a child would run in clsh's memory, and what clsh ignores for itself is not for its children. What
            // clsh was told to ignore stays so.
            defaults: (1..=libc::SIGSYS)
                .filter(|&signal| signals::is_ignored_here(signal) || signals::is_handled(signal))
                .collect(),
            stack: Box::new([0; clone::STACK_BYTES]),
            files,
            guardian: guardian.ok(),
            dismissed,
        })
    }

    /// A process that was started is reaped, or left to itself: nobody is to end it any more.
    pub fn strike(&mut self, pid: i32) {
        if let Some(guardian) = &mut self.guardian {
            guardian.strike(pid);
        }
    }

    /// Starts `program`.
    ///
    /// # Errors
    /// The system has nothing to give, or this program can't be run.
    pub fn spawn(
        &mut self,
        program: &Program,
        words: &[Vec<u8>],
        extra: &[(&str, OsString)],
        ends: Ends,
    ) -> Result<Child, SpawnError> {
        let result = self.try_spawn(program, words, extra, ends);
        // Where there is room for one process only (`ulimit -u`), it is not the guardian's.
        if let Err(SpawnError::Exhausted(error @ Errno::EAGAIN)) = result
            && self.guardian.as_ref().is_some_and(Guardian::is_idle)
        {
            self.guardian = None;
            self.dismissed = Some(error);
            return self.try_spawn(program, words, extra, ends);
        }
        result
    }

    /// Why the guardian was given up, once.
    pub fn take_dismissed(&mut self) -> Option<Errno> {
        self.dismissed.take()
    }

    fn try_spawn(
        &mut self,
        program: &Program,
        words: &[Vec<u8>],
        extra: &[(&str, OsString)],
        ends: Ends,
    ) -> Result<Child, SpawnError> {
        let words = c_strings(words.iter().cloned())?;
        let entry =
            |(name, value): &(&str, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        let extra = c_strings(extra.iter().map(entry))?;
        let replaced = |old: &&CString| extra.iter().any(|new| variable(new) == variable(old));
        let kept = self.environment.iter().filter(|old| !replaced(old));
        let environment = Strings::new(kept.chain(&extra).map(CString::as_c_str));
        let output = || ends.piped.then(output_pipe).transpose();
        let pipes = [
            match ends.stdin {
                Stdin::Pipe => Some(input_pipe()?),
                Stdin::Null | Stdin::Own => None,
            },
            output()?,
            output()?,
        ];
        let ends_there = self.far_ends(&pipes, ends.stdin);
        let highest = ends_there.into_iter().max().unwrap_or(0);
        let arguments = Strings::new(words.iter().map(CString::as_c_str));
        let place = self.guardian.as_mut().and_then(Guardian::offer);
        let guardian = self.guardian.as_ref();
        let order = Order {
            program: program.path(),
            arguments: &arguments,
            environment: &environment,
            ends: ends_there,
            copied_below: self.copied_below.map(|first| first.max(highest + 1)),
            defaults: &self.defaults,
            files: self.files.map(|(soft, hard)| libc::rlimit {
                rlim_cur: soft,
                rlim_max: hard,
            }),
            session: ends.session,
            foreground: ends.foreground,
            bound: ends.bound,
            place: guardian
                .zip(place)
                .and_then(|(guardian, place)| guardian.place(place)),
        };
        let result = interpret(order, &mut self.copied_below, &mut self.stack);
        if let (Some(guardian), Some(place)) = (&mut self.guardian, place) {
            guardian.settle(place, result.ok());
        }
        let [stdin, out, err] = pipes.map(|pipe| pipe.map(|pipe| pipe.near));
        Ok(Child {
            pid: result.map_err(sort)?,
            stdin,
            outputs: out.zip(err).map(|(out, err)| [out, err]),
        })
    }

    /// What becomes a child's stdin, stdout and stderr.
    fn far_ends(&self, pipes: &[Option<Pipe>; 3], stdin: Stdin) -> [RawFd; 3] {
        let stdin = match stdin {
            Stdin::Own => libc::STDIN_FILENO,
            _ => self.null.as_raw_fd(),
        };
        let mut ends = [stdin, libc::STDOUT_FILENO, libc::STDERR_FILENO];
        for (end, pipe) in ends.iter_mut().zip(pipes) {
            if let Some(pipe) = pipe {
                *end = pipe.far.as_raw_fd();
            }
        }
        ends
    }
}

/// Makes a child; as execvp(3) does it, one that is a script without a line that names its interpreter is run by sh.
fn interpret(
    order: Order,
    copied_below: &mut Option<RawFd>,
    stack: &mut Stack,
) -> Result<libc::pid_t, Failure> {
    match run(order, copied_below, stack) {
        Err(Failure::Run(Errno::ENOEXEC)) => {
            let order = Order {
                program: SHELL,
                arguments: &order.arguments.with_first([SHELL, order.program]),
                ..order
            };
            run(order, copied_below, stack)
        }
        result => result,
    }
}

/// Makes a child, and does it in another way from then on where the kernel does not know the fast one.
fn run(
    order: Order,
    copied_below: &mut Option<RawFd>,
    stack: &mut Stack,
) -> Result<libc::pid_t, Failure> {
    let order = Order {
        copied_below: order.copied_below.filter(|_| copied_below.is_some()),
        ..order
    };
    match clone::run(&order, stack) {
        Err(failure) if order.copied_below.is_some() && refuses_to_unshare(failure) => {
            *copied_below = None;
            let order = Order {
                copied_below: None,
                ..order
            };
            clone::run(&order, stack)
        }
        result => result,
    }
}

/// A pipe of a child's.
struct Pipe {
    far: OwnedFd,
    /// Non-blocking.
    near: OwnedFd,
}

fn input_pipe() -> Result<Pipe, SpawnError> {
    let (far, near) = pipe2(OFlag::O_CLOEXEC).map_err(SpawnError::Exhausted)?;
    unblocked(far, near)
}

fn output_pipe() -> Result<Pipe, SpawnError> {
    let (near, far) = pipe2(OFlag::O_CLOEXEC).map_err(SpawnError::Exhausted)?;
    unblocked(far, near)
}

fn unblocked(far: OwnedFd, near: OwnedFd) -> Result<Pipe, SpawnError> {
    fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(SpawnError::Exhausted)?;
    Ok(Pipe {
        far,
        near: out_of_the_way(near),
    })
}

fn c_strings(words: impl Iterator<Item = Vec<u8>>) -> Result<Vec<CString>, SpawnError> {
    words
        .map(|word| CString::new(word).map_err(|_| SpawnError::Refused(Errno::EINVAL)))
        .collect()
}

fn variable(entry: &CStr) -> Option<&[u8]> {
    entry.to_bytes().split(|&byte| byte == b'=').next()
}

/// Whether descriptors can't be unshared the short way: a kernel before 5.9, or a sandbox, has no close_range(2); and under qemu's emulation of
/// another processor clone(2) refuses CLONE_FILES, because fork(2) stands for it there.
fn refuses_to_unshare(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::Unshare(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL)
            | Failure::Clone(Errno::EINVAL)
    )
}

fn sort(failure: Failure) -> SpawnError {
    match failure {
        Failure::Clone(error) | Failure::Unshare(error) => SpawnError::Exhausted(error),
        Failure::Run(error @ (Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE)) => {
            SpawnError::Exhausted(error)
        }
        Failure::Run(error) => SpawnError::Refused(error),
    }
}
