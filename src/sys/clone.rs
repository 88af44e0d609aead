//! A child from clone(2) to execve(2).
//!
//! It borrows clsh's memory as with vfork(2), and its table of descriptors until it unshares the few that matter: close_range(2) with
//! `CLOSE_RANGE_UNSHARE` copies only what lies below its range. Both together make a start cost the same however much memory clsh holds and
//! however many nodes are alive.

use super::guardian::Place;
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::os::fd::RawFd;

/// Stack of a child until it runs its program, in bytes. It calls a dozen system calls and nothing else.
pub const STACK_BYTES: usize = 32 * 1024;

/// The stack of a child.
pub type Stack = [u8; STACK_BYTES];

/// Strings as execve(2) takes them: their addresses, and a null pointer at the end.
pub struct Strings<'a> {
    addresses: Vec<*const c_char>,
    strings: PhantomData<&'a CStr>,
}

impl<'a> Strings<'a> {
    /// These strings, in their order.
    pub fn new(strings: impl Iterator<Item = &'a CStr>) -> Self {
        let addresses = strings.map(CStr::as_ptr).chain([std::ptr::null()]);
        Self {
            addresses: addresses.collect(),
            strings: PhantomData,
        }
    }

    /// The same with others in the place of the first.
    pub fn with_first(&self, first: [&'a CStr; 2]) -> Self {
        let rest = self.addresses.iter().copied();
        // The null pointer at the end stays also where it is all there is.
        let kept = rest.skip(usize::from(self.addresses.len() > 1));
        Self {
            addresses: first.map(CStr::as_ptr).into_iter().chain(kept).collect(),
            strings: PhantomData,
        }
    }
}

/// What a child is to do.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub program: &'a CStr,
    pub arguments: &'a Strings<'a>,
    pub environment: &'a Strings<'a>,
    /// Its stdin, stdout and stderr.
    pub ends: [RawFd; 3],
    /// It gets no descriptor from this number on, and all below are copied; `None`: all are, as fork(2) does it.
    pub copied_below: Option<RawFd>,
    /// Signals to be set to their defaults.
    pub defaults: &'a [c_int],
    pub files: Option<libc::rlimit>,
    /// It leads a session of its own, without a terminal; else a group of its own in clsh's session.
    pub session: bool,
    /// Its group becomes the foreground of the terminal on stdin.
    pub foreground: bool,
    /// The kernel kills it when clsh dies.
    pub bound: bool,
    /// Where it writes itself down.
    pub place: Option<Place<'a>>,
}

/// Why a child runs no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is none.
    Clone(Errno),
    /// The descriptors could not be unshared.
    Unshare(Errno),
    /// Everything else; the last step is execve(2).
    Run(Errno),
}

/// The order, and what the child says.
struct Desk<'a> {
    order: &'a Order<'a>,
    parent: libc::pid_t,
    failure: Option<fn(Errno) -> Failure>,
    error: c_int,
}

/// Makes the child and waits until it runs its program or has said why it can't: then it is reaped. `stack` is what it uses meanwhile.
///
/// # Errors
/// No program runs.
pub fn run(order: &Order, stack: &mut Stack) -> Result<libc::pid_t, Failure> {
    let mut desk = Desk {
        order,
        parent: nix::unistd::getpid().as_raw(),
        failure: None,
        error: 0,
    };
    let files = match order.copied_below {
        Some(_) => libc::CLONE_FILES,
        None => 0,
    };
    let top = stack
        .as_mut_ptr_range()
        .end
        .map_addr(|address| address & !0xf);
    let argument: *mut Desk = &mut desk;
    let mut before = SigSet::empty();
    let all = SigSet::all();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&all), Some(&mut before)).map_err(Failure::Clone)?;
    // SAFETY: CLONE_VFORK suspends this thread, the only one that knows of `desk` and `stack`, until the child has left our memory by execve
    // or _exit, so both outlive its use of them. All signals are blocked, so no handler of ours runs in it. `child` makes only system
    // calls. With CLONE_FILES it changes nothing in our table of descriptors before it has one of its own.
    let pid = unsafe {
        libc::clone(
            child,
            top.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | files,
            argument.cast(),
        )
    };
    let result = Errno::result(pid).map_err(Failure::Clone);
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    let pid = result?;
    match desk.failure {
        None => Ok(pid),
        Some(failure) => {
            let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
            Err(failure(Errno::from_raw(desk.error)))
        }
    }
}

/// Runs in the child, on its own stack and in clsh's memory: system calls only, no allocation, no panic.
extern "C" fn child(argument: *mut c_void) -> c_int {
    // SAFETY: the argument is the `Desk` of `run`, whose thread is suspended, so it is ours alone. Every call is a plain system call on
    // values prepared before; the lists of the order end in null pointers, and their strings live as long as the order.
    unsafe {
        let desk = &mut *argument.cast::<Desk>();
        let order = desk.order;
        if let Some(first) = order.copied_below
            && libc::syscall(
                libc::SYS_close_range,
                first,
                c_int::MAX,
                libc::CLOSE_RANGE_UNSHARE,
            ) < 0
        {
            desk.give_up(Failure::Unshare);
        }
        // Both make it the leader of a group.
        if order.session {
            libc::setsid();
        } else {
            libc::setpgid(0, 0);
        }
        if order.bound {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
        if let Some(place) = order.place {
            place.take(libc::getpid(), order.session);
        }
        // clsh may have died before the lines above.
        if libc::getppid() != desk.parent {
            libc::_exit(127);
        }
        if order.foreground {
            // All signals are blocked here, SIGTTOU too.
            libc::tcsetpgrp(libc::STDIN_FILENO, libc::getpid());
        }
        for &signal in order.defaults {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
        for (number, &end) in order.ends.iter().enumerate() {
            if end != number as c_int && libc::dup2(end, number as c_int) < 0 {
                desk.give_up(Failure::Run);
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
            order.arguments.addresses.as_ptr(),
            order.environment.addresses.as_ptr(),
        );
        desk.give_up(Failure::Run)
    }
}

impl Desk<'_> {
    /// Leaves what the last call failed with, and ends the child.
    fn give_up(&mut self, failure: fn(Errno) -> Failure) -> ! {
        self.error = Errno::last_raw();
        self.failure = Some(failure);
        // SAFETY: _exit only ends the child: nothing of clsh's is flushed, dropped or freed.
        unsafe { libc::_exit(127) }
    }
}
