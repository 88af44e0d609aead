//! Where a password comes from: a person at the terminal, a private file, or the first line of standard input.

use super::secret::{Secret, unfit};
use super::signals::{stays_ignored, stop_self};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcdrain, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// What came of asking a person.
pub enum Asked {
    /// This was typed.
    Password(Secret),
    /// Nothing was typed.
    Nothing,
    /// There is no terminal to ask at.
    Nobody,
    /// This signal asks clsh to end.
    Signal(i32),
}

/// A terminal that shows nothing of what is typed. Invariant: it has its modes of before when this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        Ok(Self { terminal, before })
    }

    fn begin(&mut self, prompt: &str) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_flags.remove(LocalFlags::ECHO);
        modes.local_flags.insert(LocalFlags::ICANON);
        tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &modes)?;
        // A terminal that was halted takes nothing just now; what is typed counts all the same.
        let _ = self.terminal.write_all(prompt.as_bytes());
        Ok(())
    }

    fn end(&mut self) {
        let _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
        // The one that was typed did not show.
        let _ = self.terminal.write_all(b"\n");
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks at the terminal, whatever the standard descriptors are, without echo. Signals that would end or stop clsh find the terminal as it
/// was before.
///
/// # Errors
/// What the system says; what was typed is no password.
pub fn ask_password(prompt: &str) -> io::Result<Asked> {
    let Ok(terminal) = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open("/dev/tty")
    else {
        return Ok(Asked::Nobody);
    };
    // In the background this stops clsh, until it is in the foreground: before that the terminal's modes are another's.
    if tcdrain(&terminal).is_err() {
        return Ok(Asked::Nobody);
    }
    let mut watched = SigSet::empty();
    let mine = [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
        Signal::SIGCONT,
        Signal::SIGUSR1,
    ];
    for signal in mine {
        if !stays_ignored(signal as i32) {
            watched.add(signal);
        }
    }
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched), Some(&mut before))?;
    let asked = converse(terminal, &watched, prompt);
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    asked
}

fn converse(terminal: File, watched: &SigSet, prompt: &str) -> io::Result<Asked> {
    let signals = SignalFd::with_flags(watched, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let (mut silence, mut secret) = (Silence::new(terminal)?, Secret::begin());
    silence.begin(prompt)?;
    loop {
        let mut fds = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(silence.terminal.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut fds, PollTimeout::NONE);
        match signals.read_signal()? {
            Some(signal) if signal.ssi_signo as i32 == libc::SIGCONT => {
                // What was typed before the stop is gone from the terminal, too.
                secret = Secret::begin();
                silence.begin(prompt)?;
            }
            Some(signal) if signal.ssi_signo as i32 == libc::SIGTSTP => {
                silence.end();
                stop_self();
                // Where nobody stopped it, it goes on as if. To the process, not to this thread, so that it merges with a real one.
                let _ = kill(Pid::this(), Signal::SIGCONT);
            }
            // It asks how far the run is, which has not begun.
            Some(signal) if signal.ssi_signo as i32 == libc::SIGUSR1 => {}
            Some(signal) => {
                // Or one of them would come first after all, once they are let in again.
                while let Ok(Some(_)) = signals.read_signal() {}
                return Ok(Asked::Signal(signal.ssi_signo as i32));
            }
            None if secret.read_on(silence.terminal.as_fd())? => {
                return Ok(secret.end()?.map_or(Asked::Nothing, Asked::Password));
            }
            None => {}
        }
    }
}

/// Reads it from a file that nobody else can read. A pipe that the shell made is as good.
///
/// # Errors
/// What the system says; others can read it, or what stands in it is no password.
pub fn password_from_file(path: &Path) -> io::Result<Secret> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let me = nix::unistd::geteuid().as_raw();
    if about.is_dir() {
        return Err(unfit("it is a directory"));
    }
    if about.mode() & 0o077 != 0 {
        return Err(unfit("others may read it; chmod 600 keeps it yours"));
    }
    if about.uid() != me && about.uid() != 0 {
        return Err(unfit("it belongs to another user, who can read it"));
    }
    // By whatever name: opened anew, a file would begin with the password for the commands, too.
    let stdin = io::stdin();
    if super::same_place(&stdin, &file) {
        return filled(Secret::read(stdin.as_fd())?);
    }
    filled(Secret::read(file.as_fd())?)
}

/// Reads the first line of standard input, and leaves the rest there.
///
/// # Errors
/// What the system says; it is a terminal, or what stands there is no password.
pub fn password_from_stdin() -> io::Result<Secret> {
    let stdin = io::stdin();
    match io::IsTerminal::is_terminal(&stdin) {
        true => Err(unfit(
            "it is a terminal, which would show it; -A asks for it",
        )),
        false => filled(Secret::read(stdin.as_fd())?),
    }
}

fn filled(secret: Option<Secret>) -> io::Result<Secret> {
    secret.ok_or_else(|| unfit("its first line is empty"))
}
