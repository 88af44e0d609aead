//! A second process that ends what clsh would leave behind when it is killed with SIGKILL.
//!
//! The kernel kills clsh's children then (PR_SET_PDEATHSIG), but not what these have started, nor a child that runs a program with more
//! privileges than clsh, such as sudo: execve(2) takes the wish back there. So clsh forks once, before it has anything that a copy could
//! hold open, and that process waits on a pipe whose other end only clsh has. Once that is closed it kills the sessions that are still
//! written down in memory which both share. It holds nothing else: no terminal, no standard stream, no directory, no signal reaches it.
//!
//! Invariant: each child writes itself down before it runs its program, and is struck off once it is reaped, or left to itself.

use super::sessions::Signalling;
use crate::limits::GUARDED_MAX;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::unistd::pipe2;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicI32, Ordering};

/// One number for each child, none being 0, and the number of places in use before them.
const PLACES: usize = GUARDED_MAX + 1;

/// The memory that both processes see.
struct Shared(NonNull<c_void>);

/// clsh's side. Dropped with no child left, it takes the other process with it; with some left, that one ends them.
pub struct Guardian {
    shared: Shared,
    pid: libc::pid_t,
    /// What the other process waits on.
    _pipe: OwnedFd,
    /// Places that were used and are free again.
    free: Vec<usize>,
    /// How many places were ever used.
    used: usize,
    /// The place of each child.
    taken: HashMap<i32, usize>,
}

/// Where a child writes itself down. Both sides of a fork(2) may use it.
#[derive(Clone, Copy)]
pub struct Place<'a>(&'a AtomicI32);

impl Place<'_> {
    /// Writes down the calling process: the leader of a session, or else of a group. One store, for use between clone(2) and execve(2).
    pub fn take(self, pid: i32, session: bool) {
        let number = if session { pid } else { -pid };
        self.0.store(number, Ordering::Relaxed);
    }
}

impl Guardian {
    /// Forks the other process. To be called early: it keeps a copy of all memory that clsh has by now.
    ///
    /// # Errors
    /// The system has no memory, descriptor or process to give (`ulimit -u`).
    pub fn new() -> Result<Self, Errno> {
        let shared = Shared::new()?;
        let (waits, held) = pipe2(OFlag::O_CLOEXEC)?;
        let pid = match fork() {
            // It sends no SIGCHLD, and waitpid(2) for any child passes it over; qemu-user knows only children that do.
            Err(Errno::EINVAL) => fork_with(libc::SIGCHLD),
            other => other,
        }?;
        if pid == 0 {
            guard(&shared, waits.as_raw_fd());
        }
        Ok(Self {
            shared,
            pid,
            _pipe: super::descriptors::out_of_the_way(held),
            free: Vec::new(),
            used: 0,
            taken: HashMap::new(),
        })
    }

    /// Whether no child is written down.
    pub fn is_idle(&self) -> bool {
        self.taken.is_empty()
    }

    /// A place for a child to come, and its number; `None` where there are too many children.
    pub fn offer(&mut self) -> Option<usize> {
        if let Some(place) = self.free.pop() {
            return Some(place);
        }
        let places = self.shared.places();
        (self.used < GUARDED_MAX).then(|| {
            self.used += 1;
            places[0].store(self.used as i32, Ordering::Relaxed);
            self.used
        })
    }

    /// The place of this number.
    pub fn place(&self, number: usize) -> Option<Place<'_>> {
        self.shared.places().get(number).map(Place)
    }

    /// The child that was to take the place runs, or, without a number, does not.
    pub fn settle(&mut self, place: usize, pid: Option<i32>) {
        match pid {
            Some(pid) => {
                self.taken.insert(pid, place);
            }
            None => self.clear(place),
        }
    }

    /// The child is reaped, or left to itself.
    pub fn strike(&mut self, pid: i32) {
        if let Some(place) = self.taken.remove(&pid) {
            self.clear(place);
        }
    }

    fn clear(&mut self, place: usize) {
        if let Some(number) = self.shared.places().get(place) {
            number.store(0, Ordering::Relaxed);
        }
        self.free.push(place);
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        if !self.is_idle() {
            return;
        }
        // SAFETY: both calls take numbers only, and the process is a child that was not waited for.
        unsafe {
            // Whoever stopped it must not keep clsh from its end.
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), libc::__WALL);
        }
    }
}

impl Shared {
    fn new() -> Result<Self, Errno> {
        let bytes = NonZeroUsize::new(size_of::<AtomicI32>() * PLACES).ok_or(Errno::EINVAL)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: it is new memory, which nobody else has an address in.
        let memory = unsafe { mmap_anonymous(None, bytes, access, MapFlags::MAP_SHARED)? };
        Ok(Self(memory))
    }

    fn places(&self) -> &[AtomicI32] {
        // SAFETY: the mapping holds so many numbers, is aligned to a page and zeroed, lives as long as `self`, and is only ever used through
        // atomics, by both processes.
        unsafe { slice::from_raw_parts(self.0.as_ptr().cast(), PLACES) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and every borrow of it is over.
        let _ = unsafe { munmap(self.0, size_of::<AtomicI32>() * PLACES) };
    }
}

fn fork() -> Result<libc::pid_t, Errno> {
    fork_with(0)
}

/// fork(2) whose child sends this signal when it ends, or none.
fn fork_with(signal: c_int) -> Result<libc::pid_t, Errno> {
    // SAFETY: with nothing but a signal in its flags clone(2) is fork(2), and clsh has one thread: the child may do all that clsh may.
    let pid = unsafe { libc::syscall(libc::SYS_clone, signal, 0, 0, 0, 0) };
    Errno::result(pid).map(|pid| pid as libc::pid_t)
}

/// All that the other process does.
fn guard(shared: &Shared, pipe: RawFd) -> ! {
    let mut byte = 0_u8;
    close_all_but(pipe);
    // SAFETY: system calls on numbers, and on memory of this function's; the process has only this thread, and whoever owns what is closed
    // never runs in it.
    unsafe {
        // Not the terminal's, nor anybody's who signals clsh's group.
        libc::setsid();
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
        libc::chdir(c"/".as_ptr());
        libc::prctl(libc::PR_SET_NAME, c"clsh-guardian".as_ptr());
        while libc::read(pipe, (&raw mut byte).cast(), 1) > 0 {}
    }
    let places = shared.places();
    let used = places[0].load(Ordering::Relaxed) as usize;
    let mut signalling = Signalling::default();
    for place in places.iter().skip(1).take(used) {
        match place.load(Ordering::Relaxed) {
            0 => {}
            // The kernel may have killed a leader by now, and init reaped it: its session still is what it was.
            leader if leader > 0 => signalling.kill_session(leader),
            group => super::signal_group(-group, libc::SIGKILL),
        }
    }
    signalling.finish();
    // SAFETY: _exit only ends the process: nothing of clsh's is flushed or dropped.
    unsafe { libc::_exit(0) }
}

/// Closes every other descriptor.
fn close_all_but(kept: RawFd) {
    // SAFETY: the only caller never returns to whoever owns what is closed.
    unsafe {
        let close = |first: RawFd, last: RawFd| {
            last < first || libc::syscall(libc::SYS_close_range, first, last, 0) == 0
        };
        if !(close(0, kept - 1) && close(kept + 1, c_int::MAX)) {
            // A kernel before 5.9. This early there are few, and with low numbers.
            for other in (0..1024).filter(|&other| other != kept) {
                libc::close(other);
            }
        }
    }
}
