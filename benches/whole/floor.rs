//! The floor that speed is measured against: N children, at most W at once, started with posix_spawn, both their pipes read with
//! epoll, bytes passed through unlabelled. No lines, no labels, no bookkeeping beyond a counter.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{pipe2, read, write};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

struct Floor {
    epoll: Epoll,
    /// By their number.
    open: Vec<Option<OwnedFd>>,
    open_count: usize,
    words: Vec<CString>,
    environment: Vec<CString>,
}

impl Floor {
    fn watch(&mut self, end: OwnedFd) -> nix::Result<()> {
        fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let number = end.as_raw_fd() as usize;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number as u64);
        self.epoll.add(&end, event)?;
        if self.open.len() <= number {
            self.open.resize_with(number + 1, || None);
        }
        self.open[number] = Some(end);
        self.open_count += 1;
        Ok(())
    }

    fn start(&mut self) -> nix::Result<()> {
        let (out, out_far) = pipe2(OFlag::O_CLOEXEC)?;
        let (err, err_far) = pipe2(OFlag::O_CLOEXEC)?;
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_open(0, c"/dev/null", OFlag::O_RDONLY, Mode::empty())?;
        actions.add_dup2(out_far.as_raw_fd(), 1)?;
        actions.add_dup2(err_far.as_raw_fd(), 2)?;
        let attributes = PosixSpawnAttr::init()?;
        let program = self.words[0].as_c_str();
        posix_spawn(
            program,
            &actions,
            &attributes,
            &self.words,
            &self.environment,
        )?;
        drop((out_far, err_far));
        self.watch(out)?;
        self.watch(err)
    }

    /// Passes on what has come, and forgets the pipe at its end.
    fn pass(&mut self, number: usize, buffer: &mut [u8]) {
        while let Some(end) = &self.open[number] {
            match read(end, buffer) {
                Ok(0) => {
                    self.open[number] = None;
                    self.open_count -= 1;
                }
                Ok(length) if write(io::stdout(), &buffer[..length]) == Ok(buffer.len()) => {}
                _ => return,
            }
        }
    }
}

/// `words`: N, W, an absolute program and its arguments.
pub fn run(words: &[String]) -> nix::Result<()> {
    let number = |at: usize| words[at].parse::<usize>().map_err(|_| Errno::EINVAL);
    let (total, window) = (number(0)?, number(1)?);
    let text = |text: String| CString::new(text).map_err(|_| Errno::EINVAL);
    let environment = std::env::vars().map(|(name, value)| format!("{name}={value}"));
    let mut floor = Floor {
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        open: Vec::new(),
        open_count: 0,
        words: words[2..]
            .iter()
            .cloned()
            .map(text)
            .collect::<Result<_, _>>()?,
        environment: environment.map(text).collect::<Result<_, _>>()?,
    };
    let mut buffer = vec![0; 64 * 1024];
    let mut events = [EpollEvent::empty(); 256];
    let (mut started, mut reaped) = (0, 0);
    // A child may be gone before all it said is read.
    while reaped < total || floor.open_count > 0 {
        while started < total && started - reaped < window {
            floor.start()?;
            started += 1;
        }
        let mut ready = 0;
        if floor.open_count > 0 {
            ready = floor.epoll.wait(&mut events, EpollTimeout::NONE)?;
        }
        for event in &events[..ready] {
            floor.pass(event.data() as usize, &mut buffer);
        }
        let mut how = None;
        if floor.open_count > 0 {
            how = Some(WaitPidFlag::WNOHANG);
        }
        while !matches!(waitpid(None, how), Ok(WaitStatus::StillAlive) | Err(_)) {
            reaped += 1;
        }
    }
    Ok(())
}
