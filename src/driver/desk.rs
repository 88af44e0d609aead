//! Where a session meets the kernel: the terminal or script it is typed at, the history's file, the commands that run here.

use super::shown;
use crate::engine::{Engine, Event, Request};
use crate::job;
use crate::session::{Effect, Local, Session};
use crate::sys::{self, Ends, Got, Input, Stdin, Terminal};
use nix::libc::{SIGCONT, SIGINT, SIGTSTP, SIGUSR1, SIGWINCH};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The near side of a session.
pub struct Desk {
    session: Session,
    input: Input,
    terminal: Option<Terminal>,
    /// There may be something to read.
    readable: bool,
    history: Option<PathBuf>,
    local_shell: OsString,
    /// clsh is to stop in so many turns: the prompt has to be off the screen first.
    suspending: u8,
}

impl Desk {
    /// The terminal is taken, if there is one.
    pub fn new(
        job: &job::Session,
        session: Session,
        input: Input,
        terminal: Option<Terminal>,
        engine: &mut Engine,
    ) -> Self {
        let mut desk = Self {
            session,
            readable: input.watchable().is_none(),
            input,
            terminal,
            history: job.history.clone(),
            local_shell: job.local_shell.clone(),
            suspending: 0,
        };
        desk.take_terminal(engine);
        desk
    }

    /// stdin has something.
    pub fn readable(&mut self) {
        self.readable = true;
    }

    /// Whether there is something to do without a further event.
    pub fn is_busy(&self) -> bool {
        self.suspending > 0 || self.has_input()
    }

    fn has_input(&self) -> bool {
        self.readable && self.session.is_hungry()
    }

    /// The slot of the command that runs here, if one does.
    pub fn local(&self) -> Option<u32> {
        self.session.local()
    }

    /// The node that has this slot, by rank, or what runs in it here.
    pub fn owner(&self, slot: u32) -> Result<usize, (Vec<Vec<u8>>, Ends)> {
        self.session
            .owner(slot)
            .map_err(|local| self.local_start(local))
    }

    fn local_start(&self, local: &Local) -> (Vec<Vec<u8>>, Ends) {
        let terminal = self.terminal.is_some();
        let words = vec![
            self.local_shell.clone().into_vec(),
            b"-c".to_vec(),
            local.command.clone().into_bytes(),
        ];
        let ends = Ends {
            stdin: if terminal { Stdin::Own } else { Stdin::Null },
            piped: !(local.full_screen && terminal),
            session: false,
            bound: true,
            foreground: terminal,
        };
        (words, ends)
    }

    /// Whether the command that runs here, and whose group `pid` leads, may go on: it has the terminal, if there is one.
    pub fn gives_terminal(&self, pid: i32) -> bool {
        self.terminal
            .as_ref()
            .is_none_or(|terminal| terminal.give(pid))
    }

    /// A signal came. Says whether it was the session's.
    pub fn signalled(&mut self, signal: i32, engine: &mut Engine) -> bool {
        match signal {
            SIGINT if engine.reason().is_none() => self.session.interrupt(engine),
            SIGTSTP => self.leave_screen(engine),
            SIGWINCH => self.measure(engine),
            // Whoever stopped clsh may have used the terminal since.
            SIGCONT if engine.reason().is_none() && self.local().is_none() => {
                self.take_terminal(engine);
                engine.set_footer(None);
            }
            SIGUSR1 => self.session.tell_status(engine),
            _ => return false,
        }
        true
    }

    /// Reads what is typed, lets the session work, and does what it asks for.
    pub fn attend(&mut self, engine: &mut Engine, buffer: &mut [u8]) {
        if self.suspending > 0 {
            self.suspending -= 1;
            if self.suspending == 0 {
                self.suspend(engine);
            }
            return;
        }
        if self.has_input() {
            match self.input.read(buffer) {
                Ok(Got::Bytes(count)) => self.session.feed(&buffer[..count]),
                Ok(Got::Dry) => self.readable = false,
                Ok(Got::Eof) => self.session.end_of_input(),
                Err(error) => {
                    let error = sys::error_text(&error);
                    engine.on_event(Event::StdinFailed { error: &error });
                }
            }
        }
        self.session.advance(engine);
        while let Some(effect) = self.session.poll_effect() {
            match effect {
                Effect::Lend(true) => self.terminal.iter_mut().for_each(Terminal::lend),
                Effect::Lend(false) => self.take_terminal(engine),
                Effect::Remember(line) => self.remember(&line, engine),
                Effect::Suspend => self.leave_screen(engine),
            }
        }
        // While it ends, Ctrl-C is a signal again, and a second one counts.
        if engine.reason().is_some() {
            self.restore_terminal();
        }
    }

    /// clsh goes on after a stop.
    pub fn resumed(&mut self, engine: &mut Engine) {
        if self.local().is_none() {
            self.take_terminal(engine);
        }
        engine.forget_footer();
    }

    /// The prompt is taken away, and that is written, before clsh stops.
    fn leave_screen(&mut self, engine: &mut Engine) {
        engine.set_footer(None);
        self.suspending = 2;
    }

    fn suspend(&mut self, engine: &mut Engine) {
        self.restore_terminal();
        engine.on_event(Event::Request(Request::Suspend));
    }

    fn restore_terminal(&mut self) {
        if let Some(terminal) = &mut self.terminal {
            terminal.restore();
        }
    }

    fn take_terminal(&mut self, engine: &mut Engine) {
        let keys = self.session.reads_keys();
        if let Some(terminal) = &mut self.terminal {
            terminal.reclaim();
            if keys {
                terminal.read_keys();
            }
        }
        // Bytes may have come while nobody looked.
        self.readable = true;
        self.measure(engine);
    }

    fn measure(&mut self, engine: &mut Engine) {
        if let Some(terminal) = &self.terminal {
            self.session.resize(terminal.columns(), engine);
        }
    }

    /// A history that can't be kept is said once.
    fn remember(&mut self, line: &str, engine: &mut Engine) {
        if let Some(path) = &self.history
            && let Err(error) = sys::remember(path, line)
        {
            use std::os::unix::ffi::OsStrExt;
            engine.say(&format!(
                "clsh: cannot keep the history in '{}': {}\n",
                shown(path.as_os_str().as_bytes()),
                sys::error_text(&error)
            ));
            self.history = None;
        }
    }
}
