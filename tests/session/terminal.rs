//! A pseudo terminal with a program on it: keys go in, and what comes out is read as an emulator draws it.

use crate::kit::{KILL, Mark, RULE, exec, sorted};
use crate::support::{self, Patience, shell_code, wait_until};
use portable_pty::{CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;
use vt100::{Parser, Screen};

/// Tall, so that nothing scrolls away that a test looks for.
const ROWS: u16 = 200;
const COLUMNS: u16 = 150;

/// What is to be started on a terminal.
pub struct Sitting {
    command: Command,
    rows: u16,
    columns: u16,
    home: Option<PathBuf>,
}

/// A session of these nodes, whose shells run here, at its first prompt.
pub fn sit<'a>(nodes: &str, words: impl IntoIterator<Item = &'a str>) -> Terminal {
    Sitting::new(exec(nodes, words)).at_prompt()
}

impl Sitting {
    pub fn new(command: Command) -> Self {
        Self {
            command,
            rows: ROWS,
            columns: COLUMNS,
            home: None,
        }
    }

    pub fn size(mut self, rows: u16, columns: u16) -> Self {
        (self.rows, self.columns) = (rows, columns);
        self
    }

    /// Where history is kept; a scratch directory of its own otherwise.
    pub fn home(mut self, home: &Path) -> Self {
        self.home = Some(home.to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it and waits for the first prompt.
    pub fn at_prompt(self) -> Terminal {
        let terminal = self.start();
        terminal.wait_prompt();
        terminal
    }

    pub fn start(self) -> Terminal {
        let scratch = support::scratch();
        let home = self.home.unwrap_or_else(|| scratch.path().to_owned());
        let mark = Mark::new();
        let mut words = CommandBuilder::new(self.command.get_program());
        words.args(self.command.get_args());
        words.cwd(&home);
        words.env("HOME", &home);
        words.env("XDG_STATE_HOME", home.join("state"));
        words.env("TERM", "xterm-256color");
        words.env("SHELL", "/bin/sh");
        words.env(Mark::NAME, mark.value());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => words.env(name, value),
                None => words.env_remove(name),
            }
        }
        let size = pty_size(self.rows, self.columns);
        let pair = {
            let _alone = support::pty_or_resident();
            native_pty_system().openpty(size).expect("a pty")
        };
        let before = modes(&*pair.master);
        let shown = Arc::new(Shown::new(self.rows, self.columns));
        let pipe = pair.master.try_clone_reader().expect("a reader");
        let collector = collect(pipe, shown.clone());
        let child: Box<dyn portable_pty::Child> = pair.slave.spawn_command(words).expect("spawn");
        let child = child.downcast::<Child>().expect("a process");
        Terminal {
            keys: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            slave: Some(pair.slave),
            child: *child,
            shown,
            collector: Some(collector),
            before,
            home,
            mark,
            _scratch: scratch,
        }
    }
}

/// A program on a terminal. Everything of it is ended when this is dropped.
pub struct Terminal {
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    slave: Option<Box<dyn SlavePty + Send>>,
    child: Child,
    shown: Arc<Shown>,
    collector: Option<JoinHandle<()>>,
    before: String,
    pub home: PathBuf,
    pub mark: Mark,
    _scratch: tempfile::TempDir,
}

/// What came out so far.
struct Shown {
    seen: Mutex<Seen>,
    news: Condvar,
}

struct Seen {
    parser: Parser,
    raw: Vec<u8>,
}

impl Shown {
    fn new(rows: u16, columns: u16) -> Self {
        let parser = Parser::new(nonzero(rows), nonzero(columns), 0);
        let raw = Vec::new();
        Self {
            seen: Mutex::new(Seen { parser, raw }),
            news: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("not 0")
}

fn pty_size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

fn collect(mut pipe: Box<dyn Read + Send>, shown: Arc<Shown>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        // The far end of a terminal that nobody holds any more is an error.
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut seen = shown.lock();
            seen.raw.extend_from_slice(&buffer[..count]);
            seen.parser.process(&buffer[..count]);
            shown.news.notify_all();
        }
    })
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal"))
}

impl Terminal {
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn signal(&self, signal: i32) {
        support::kill(self.pid(), signal);
    }

    /// Types, in one write.
    pub fn type_keys(&mut self, keys: impl AsRef<[u8]>) {
        self.keys.write_all(keys.as_ref()).expect("write");
        self.keys.flush().expect("flush");
    }

    /// Another size, of a terminal that leaves what it shows as it is, as xterm does.
    pub fn resize(&self, rows: u16, columns: u16) {
        let mut seen = self.shown.lock();
        seen.parser.set_size(nonzero(rows), nonzero(columns));
        drop(seen);
        let size = pty_size(rows, columns);
        self.master.resize(size).expect("resize");
    }

    /// Another size, of a terminal that folds long lines anew, as most do. The cursor must stand behind all text.
    pub fn resize_and_fold(&self, rows: u16, columns: u16) {
        let mut seen = self.shown.lock();
        let mut parser = Parser::new(nonzero(rows), nonzero(columns), 0);
        let screen = seen.parser.screen();
        parser.process(screen.contents().replace('\n', "\r\n").as_bytes());
        parser.process(screen.input_mode_formatted().as_bytes());
        seen.parser = parser;
        drop(seen);
        let size = pty_size(rows, columns);
        self.master.resize(size).expect("resize");
    }

    /// The terminal's modes now.
    pub fn modes(&self) -> String {
        modes(&*self.master)
    }

    /// The terminal's modes before anything was started on it.
    pub fn modes_before(&self) -> &str {
        &self.before
    }

    /// Every byte that came.
    pub fn raw(&self) -> Vec<u8> {
        self.shown.lock().raw.clone()
    }

    /// Looks at the screen.
    pub fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.shown.lock().parser.screen())
    }

    /// The screen's text, without what is empty at its end.
    pub fn text(&self) -> String {
        self.look(text)
    }

    /// Waits until the screen is like that.
    pub fn wait_for_screen(&self, what: &str, condition: impl Fn(&Screen) -> bool) {
        let patience = Patience::new();
        let mut seen = self.shown.lock();
        while !condition(seen.parser.screen()) {
            if patience.is_over() {
                let text = text(seen.parser.screen());
                drop(seen);
                panic!("waited in vain for {what}; the screen:\n{text}");
            }
            let waited = self
                .shown
                .news
                .wait_timeout(seen, Duration::from_millis(100));
            seen = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
    }

    /// Waits until the text stands on the screen.
    pub fn wait_for(&self, wanted: &str) {
        self.wait_for_screen(&format!("{wanted:?}"), |screen| {
            text(screen).contains(wanted)
        });
    }

    /// Waits for an empty prompt with the cursor behind it.
    pub fn wait_prompt(&self) {
        self.wait_for_screen("a prompt", |screen| is_typed(screen, ""));
    }

    /// Waits for the prompt with this behind it, and the cursor behind that.
    pub fn wait_typed(&self, typed: &str) {
        self.wait_for_screen(&format!("a prompt with {typed:?}"), |screen| {
            is_typed(screen, typed)
        });
    }

    /// Types a line at the prompt, waits for the next prompt, and gives what stands between.
    pub fn enter(&mut self, line: &str) -> String {
        self.wait_prompt();
        let row = self.look(|screen| screen.cursor_position().0);
        self.type_keys(format!("{line}\r"));
        self.text_until_prompt(row)
    }

    /// Waits for a prompt below this row, and gives what stands between.
    pub fn text_until_prompt(&self, row: u16) -> String {
        self.wait_for_screen("the next prompt", |screen| {
            screen.cursor_position().0 > row && is_typed(screen, "")
        });
        self.look(|screen| {
            let (first, last) = (usize::from(row) + 1, screen.cursor_position().0.into());
            let rows: Vec<String> = rows(screen).collect();
            rows[first..last]
                .iter()
                .map(|row| format!("{row}\n"))
                .collect()
        })
    }

    /// [`Terminal::enter`] for a command: what stands between the rules, in sorted order, and what stands below.
    pub fn block(&mut self, command: &str) -> (Vec<String>, String) {
        let text = self.enter(command);
        block(&text)
    }

    /// [`Terminal::block`] for a command of which nothing is summed up.
    pub fn run(&mut self, command: &str) -> Vec<String> {
        let (lines, below) = self.block(command);
        assert_eq!(below, "", "below the block of {command:?}");
        lines
    }

    /// Waits for the end of the program and gives its status as a shell shows it.
    pub fn finish(&mut self) -> i32 {
        shell_code(self.wait())
    }

    /// Waits for the end of the program; all that came is on the screen then.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        let patience = Patience::new();
        while status.is_none() {
            assert!(!patience.is_over(), "no end; {}", self.text());
            status = self.child.try_wait().expect("wait");
            thread::sleep(Duration::from_millis(5));
        }
        let after = self.modes();
        drop(self.slave.take());
        if let Some(collector) = self.collector.take() {
            wait_until("the end of the output", || collector.is_finished());
        }
        assert_eq!(after, self.before, "modes of the terminal");
        status.expect("ended")
    }

    /// [`Terminal::finish`], and nothing that was started is left, here or on the nodes.
    pub fn finish_clean(&mut self) -> i32 {
        let status = self.finish();
        self.mark.wait_for_nobody();
        status
    }

    /// Leaves by `quit` and expects this status.
    pub fn quit(&mut self, status: i32) {
        self.wait_prompt();
        self.type_keys("quit\r");
        assert_eq!(self.finish(), status, "{}", self.text());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        support::kill(self.pid(), KILL);
        let _ = self.child.wait();
    }
}

/// The screen's rows, without what is empty at their ends.
pub fn rows(screen: &Screen) -> impl Iterator<Item = String> + '_ {
    let columns = screen.size().1.get();
    screen.rows(0, columns).map(|row| row.trim_end().to_owned())
}

/// The screen's text, row by row, without what is empty at its end.
pub fn text(screen: &Screen) -> String {
    let rows: Vec<String> = rows(screen).collect();
    rows.join("\n").trim_end().to_owned()
}

/// Whether the cursor's row is the prompt with this behind it, and the cursor stands at its end.
pub fn is_typed(screen: &Screen, typed: &str) -> bool {
    let (row, column) = screen.cursor_position();
    let wanted = format!("clsh> {typed}");
    usize::from(column) == wanted.width()
        && rows(screen).nth(row.into()).as_deref() == Some(wanted.trim_end())
}

/// The lines between two rules, in sorted order, and what stands below them.
pub fn block(text: &str) -> (Vec<String>, String) {
    let rule = format!("{RULE}\n");
    let (above, rest) = text
        .split_once(&rule)
        .unwrap_or_else(|| panic!("no rule in {text:?}"));
    assert_eq!(above, "", "above the first rule: {text:?}");
    let (inside, below) = match rest.strip_prefix(&rule) {
        Some(below) => ("", below),
        None => rest
            .split_once(&format!("\n{rule}"))
            .unwrap_or_else(|| panic!("no second rule in {text:?}")),
    };
    assert!(!below.contains(&rule), "{text:?}");
    (sorted(inside), below.to_owned())
}
