//! Processes: started, signalled as groups, reaped.
//!
//! A child is made with clone(2) as vfork(2) does it: it borrows clsh's memory until it runs its program, so starting costs the same
//! however much memory clsh holds. Before that it becomes the leader of a process group of its own, so that a terminal's Ctrl-C reaches
//! clsh alone and killpg(2) reaches its children too; and asks to be killed when clsh dies (PR_SET_PDEATHSIG), so that not even SIGKILL
//! to clsh leaves it behind. std's Command can do either only through fork(2), which copies the page tables of all that memory.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg, sigprocmask};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, pipe2};
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Stack of a child until it runs its program, in bytes. It calls a dozen system calls and nothing else.
const CHILD_STACK_BYTES: usize = 32 * 1024;

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(CString);

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
    /// A pipe that holds one newline and stays open as long as [`Child::stdin`] does.
    Lifeline,
    /// An empty pipe that ends when [`Child::stdin`] is closed.
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
    /// Its group becomes the foreground of the terminal on stdin.
    pub foreground: bool,
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
    stack: Vec<u8>,
    files: Option<(u64, u64)>,
}

/// What the child reads, and the one thing it writes.
struct Order<'a> {
    program: &'a CStr,
    arguments: &'a [*const c_char],
    environment: &'a [*const c_char],
    ends: [RawFd; 3],
    parent: libc::pid_t,
    files: Option<libc::rlimit>,
    foreground: bool,
    error: c_int,
}

impl Spawner {
    /// With clsh's own environment. `files` is the limit on open files the children get, where clsh raised its own.
    pub fn new(files: Option<(u64, u64)>) -> std::io::Result<Self> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
            })
            .collect();
        let null = std::fs::File::open("/dev/null")?.into();
        Ok(Self {
            environment,
            null,
            stack: vec![0; CHILD_STACK_BYTES],
            files,
        })
    }

    /// Starts `program`.
    ///
    /// # Errors
    /// The system has nothing to give, or this program can't be run.
    pub fn spawn(
        &mut self,
        program: &Program,
        words: &[Vec<u8>],
        extra: &[(&str, String)],
        ends: Ends,
    ) -> Result<Child, SpawnError> {
        let words = c_strings(words.iter().cloned())?;
        let extra = extra.iter();
        let extra = c_strings(extra.map(|(name, value)| format!("{name}={value}").into_bytes()))?;
        let arguments = pointers(words.iter());
        let replaced = |old: &&CString| extra.iter().any(|new| variable(new) == variable(old));
        let environment = pointers(
            self.environment
                .iter()
                .filter(|old| !replaced(old))
                .chain(&extra),
        );
        let stdin = match ends.stdin {
            Stdin::Lifeline => Some(input_pipe(b"\n")?),
            Stdin::Pipe => Some(input_pipe(b"")?),
            Stdin::Null | Stdin::Own => None,
        };
        let outputs = match ends.piped {
            true => Some([output_pipe()?, output_pipe()?]),
            false => None,
        };
        let stdin_far = match (&stdin, ends.stdin) {
            (Some((far, _)), _) => far.as_raw_fd(),
            (None, Stdin::Own) => libc::STDIN_FILENO,
            (None, _) => self.null.as_raw_fd(),
        };
        let [stdout_far, stderr_far] = match &outputs {
            Some(pipes) => pipes.each_ref().map(|(_, far)| far.as_raw_fd()),
            None => [libc::STDOUT_FILENO, libc::STDERR_FILENO],
        };
        let mut order = Order {
            program: &program.0,
            arguments: &arguments,
            environment: &environment,
            ends: [stdin_far, stdout_far, stderr_far],
            parent: nix::unistd::getpid().as_raw(),
            files: self.files.map(|(soft, hard)| libc::rlimit {
                rlim_cur: soft,
                rlim_max: hard,
            }),
            foreground: ends.foreground,
            error: 0,
        };
        let pid = clone_and_run(&mut order, &mut self.stack).map_err(exhausted)?;
        if order.error != 0 {
            let _ = waitpid(Pid::from_raw(pid), None);
            return Err(sort(Errno::from_raw(order.error)));
        }
        Ok(Child {
            pid,
            stdin: stdin.map(|(_, near)| near),
            outputs: outputs.map(|pipes| pipes.map(|(near, _)| near)),
        })
    }
}

/// Makes the child and waits until it runs its program or has written why it can't.
fn clone_and_run(order: &mut Order, stack: &mut [u8]) -> nix::Result<libc::pid_t> {
    let mut before = SigSet::empty();
    sigprocmask(
        SigmaskHow::SIG_SETMASK,
        Some(&SigSet::all()),
        Some(&mut before),
    )?;
    let top = stack
        .as_mut_ptr_range()
        .end
        .map_addr(|address| address & !0xf);
    let argument: *mut Order = order;
    // SAFETY: CLONE_VFORK suspends this thread until the child has left our memory by execve or _exit, so `order` and `stack` outlive its
    // use of them and nothing runs beside it. All signals are blocked, so no handler of ours runs in it. `child` makes only system calls.
    let pid = unsafe {
        libc::clone(
            child,
            top.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            argument.cast(),
        )
    };
    let result = Errno::result(pid);
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    result
}

/// Runs in the child, on its own stack and in clsh's memory: system calls only, no allocation, no panic.
extern "C" fn child(argument: *mut c_void) -> c_int {
    // SAFETY: the argument is the `Order` of `clone_and_run`, whose thread is suspended, so it is ours alone. Every call is a plain system
    // call on values prepared before; the argument lists end in null pointers.
    unsafe {
        let order = &mut *argument.cast::<Order>();
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // clsh may have died before the line above.
        if libc::getppid() != order.parent {
            libc::_exit(127);
        }
        if order.foreground {
            // All signals are blocked here, SIGTTOU too.
            libc::tcsetpgrp(libc::STDIN_FILENO, libc::getpid());
        }
        for signal in 1..=libc::SIGSYS {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &mut action);
            // Rust ignores SIGPIPE in itself; what clsh was told to ignore stays ignored.
            let ours = action.sa_sigaction != libc::SIG_IGN && action.sa_sigaction != libc::SIG_DFL;
            if ours || signal == libc::SIGPIPE {
                action.sa_sigaction = libc::SIG_DFL;
                action.sa_flags = 0;
                libc::sigaction(signal, &action, std::ptr::null_mut());
            }
        }
        for (number, &end) in order.ends.iter().enumerate() {
            if end != number as c_int && libc::dup2(end, number as c_int) < 0 {
                order.error = Errno::last_raw();
                libc::_exit(127);
            }
        }
        if let Some(files) = &order.files {
            libc::setrlimit(libc::RLIMIT_NOFILE, files);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        libc::execve(
            order.program.as_ptr(),
            order.arguments.as_ptr(),
            order.environment.as_ptr(),
        );
        order.error = Errno::last_raw();
        libc::_exit(127)
    }
}

/// A pipe for stdin that holds this already: far end, near end.
fn input_pipe(first: &[u8]) -> Result<(OwnedFd, OwnedFd), SpawnError> {
    let (far, near) = pipe2(OFlag::O_CLOEXEC).map_err(exhausted)?;
    fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(exhausted)?;
    if !first.is_empty() {
        nix::unistd::write(&near, first).map_err(exhausted)?;
    }
    Ok((far, near))
}

fn output_pipe() -> Result<(OwnedFd, OwnedFd), SpawnError> {
    let (near, far) = pipe2(OFlag::O_CLOEXEC).map_err(exhausted)?;
    fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(exhausted)?;
    Ok((near, far))
}

fn c_strings(words: impl Iterator<Item = Vec<u8>>) -> Result<Vec<CString>, SpawnError> {
    words
        .map(|word| CString::new(word).map_err(|_| SpawnError::Refused(Errno::EINVAL)))
        .collect()
}

fn variable(entry: &CStr) -> Option<&[u8]> {
    entry.to_bytes().split(|&byte| byte == b'=').next()
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*const c_char> {
    strings
        .map(|string| string.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

fn exhausted(error: Errno) -> SpawnError {
    SpawnError::Exhausted(error)
}

fn sort(error: Errno) -> SpawnError {
    match error {
        Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE => {
            SpawnError::Exhausted(error)
        }
        error => SpawnError::Refused(error),
    }
}

/// Finds a program as execvp(3) does: a name with a slash is a path, any other is looked for along `PATH`.
pub fn find_program(name: &[u8]) -> Option<Program> {
    let runs = |path: &Path| {
        nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file()
    };
    let program = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok().map(Program);
    if name.is_empty() {
        return None;
    }
    if name.contains(&b'/') {
        let path = Path::new(OsStr::from_bytes(name));
        return program(path).filter(|_| path.exists());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .map(|directory| directory.join(OsStr::from_bytes(name)))
        .find(|path| runs(path))
        .and_then(|path| program(&path))
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// Reaps one child that ended, if there is one.
pub fn reap_any() -> Option<(i32, Ended)> {
    wait(None)
}

/// Reaps this child, if it ended.
pub fn reap(pid: i32) -> Option<Ended> {
    wait(Some(Pid::from_raw(pid))).map(|(_, ended)| ended)
}

fn wait(pid: Option<Pid>) -> Option<(i32, Ended)> {
    loop {
        return match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => Some((pid.as_raw(), Ended::Code(code as u8))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                Some((pid.as_raw(), Ended::Signal(signal as u8)))
            }
            Err(Errno::EINTR) => continue,
            Ok(_) | Err(_) => None,
        };
    }
}

/// Whether this child was stopped since the last call. Reaps nothing.
pub fn is_stopped(pid: i32) -> bool {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG;
    matches!(
        waitid(Id::Pid(Pid::from_raw(pid)), flags),
        Ok(WaitStatus::Stopped(..))
    )
}

/// Signals every process of the group that `pid` leads. A group that is gone already is no error.
pub fn signal_group(pid: i32, signal: i32) {
    if let Ok(signal) = Signal::try_from(signal) {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}
