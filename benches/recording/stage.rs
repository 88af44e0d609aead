//! The nodes, and a shell on a pseudo terminal that someone types into.

use super::film::{COLUMNS, Frame, Glyph, Row, Style};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vt100::{Color, Parser, Screen};

/// Tall, so that nothing scrolls away: the picture does the scrolling.
const ROWS: u16 = 200;
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Four real sshd nodes, gone with the value.
pub struct Cluster {
    script: std::process::Child,
    directory: PathBuf,
}

impl Cluster {
    pub fn start() -> io::Result<Self> {
        // node3 gets a clock of its own, so that there is something to find; sshd reads its file again.
        let beside = r#"set -eu; cd "$CLSH_CLUSTER_DIR"
            sed -i 's/^SetEnv .*/& TZ=JST-9/' node3.conf
            kill -HUP "$(cat node3.pid)"
            until [ "$(ssh -F "$CLSH_SSH_CONFIG" node3 date +%Z 2>/dev/null)" = JST ]; do sleep 0.1; done
            pwd
            exec cat >/dev/null"#;
        let house = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut script = Command::new(house.join("docker/local-cluster"))
            .args(["--no-build", "-n", "4", "--", "sh", "-c", beside])
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(pipe) = script.stdout.take() {
            BufReader::new(pipe).read_line(&mut line)?;
        }
        let cluster = Self {
            script,
            directory: line.trim_end().into(),
        };
        if line.is_empty() {
            return Err(io::Error::other("docker/local-cluster did not start"));
        }
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

struct Seen {
    parser: Parser,
    start: Instant,
    frames: Vec<Frame>,
}

/// A shell on a terminal, and what it showed.
pub struct Stage {
    keys: Box<dyn Write + Send>,
    shell: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    collector: JoinHandle<()>,
    /// Where the hand is in its rhythm: the same in every recording.
    rhythm: u32,
    _home: TempDir,
}

impl Stage {
    pub fn open(cluster: &Cluster) -> Result<Self, Box<dyn Error>> {
        let home = tempfile::tempdir()?;
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size)?;
        let mut shell = CommandBuilder::new("/bin/sh");
        shell.arg("-i");
        shell.cwd(home.path());
        shell.env_clear();
        let built = Path::new(env!("CARGO_BIN_EXE_clsh"));
        let built = built.parent().unwrap_or(Path::new("/")).display();
        shell.env("PATH", format!("{built}:/usr/local/bin:/usr/bin:/bin"));
        shell.env("HOME", home.path());
        shell.env("TERM", "xterm-256color");
        shell.env("PS1", "\x1b[1;32m$\x1b[m ");
        shell.env("CLSH_SSH_CONFIG", cluster.directory.join("ssh_config"));
        let shell = pair.slave.spawn_command(shell)?;
        let [rows, columns] =
            [ROWS, COLUMNS].map(|number| NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN));
        let seen = Arc::new(Mutex::new(Seen {
            parser: Parser::new(rows, columns, 0),
            start: Instant::now(),
            frames: Vec::new(),
        }));
        let collector = collect(pair.master.try_clone_reader()?, seen.clone());
        Ok(Self {
            keys: pair.master.take_writer()?,
            shell,
            seen,
            collector,
            rhythm: 1,
            _home: home,
        })
    }

    /// Waits until this prompt stands before the cursor, alone.
    pub fn wait_for(&self, prompt: &str) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !at_prompt(lock(&self.seen).parser.screen(), prompt) {
            if Instant::now() > deadline {
                let there = lock(&self.seen).parser.screen().contents();
                return Err(io::Error::other(format!("no {prompt} came:\n{there}")));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Types a line as a hand does, and ends it.
    pub fn enter(&mut self, line: &str) -> io::Result<()> {
        for letter in line.chars() {
            self.press(letter)?;
            // The next word has to be thought of.
            let thought = if letter == ' ' { 35 } else { 0 };
            let pause = 18 + self.next() % 36 + thought;
            thread::sleep(Duration::from_millis(pause));
        }
        thread::sleep(Duration::from_millis(200));
        self.press('\r')
    }

    fn press(&mut self, letter: char) -> io::Result<()> {
        self.keys
            .write_all(letter.encode_utf8(&mut [0; 4]).as_bytes())?;
        self.keys.flush()
    }

    fn next(&mut self) -> u64 {
        self.rhythm = self
            .rhythm
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        u64::from(self.rhythm >> 16)
    }

    /// Leaves the reader this long.
    pub fn read(&self, time: Duration) {
        thread::sleep(time);
    }

    /// What was seen until now; how the shell ends is not.
    pub fn close(mut self) -> Vec<Frame> {
        let frames = std::mem::take(&mut lock(&self.seen).frames);
        let ended = self.press('\u{4}').is_err() || self.shell.wait().is_err();
        // A collector whose shell will not end is left behind.
        if !ended {
            let _ = self.collector.join();
        }
        frames
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Notes what stands on the screen after every piece that comes.
fn collect(mut pipe: Box<dyn Read + Send>, seen: Arc<Mutex<Seen>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut seen = lock(&seen);
            seen.parser.process(&buffer[..count]);
            let millis = seen.start.elapsed().as_millis() as u64;
            let frame = frame(seen.parser.screen(), millis);
            seen.frames.push(frame);
        }
    })
}

fn at_prompt(screen: &Screen, prompt: &str) -> bool {
    let (row, column) = screen.cursor_position();
    let line = screen.contents_between(row, 0, row, COLUMNS);
    line.trim_end() == prompt && usize::from(column) == prompt.len() + 1
}

fn frame(screen: &Screen, millis: u64) -> Frame {
    let mut rows: Vec<Row> = (0..ROWS).map(|row| read_row(screen, row)).collect();
    while rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    Frame {
        millis,
        cursor: screen.cursor_position(),
        rows,
    }
}

fn read_row(screen: &Screen, row: u16) -> Row {
    let mut glyphs: Row = (0..COLUMNS)
        .map(|column| glyph(screen, row, column))
        .collect();
    while glyphs.last().is_some_and(|glyph| glyph.letter == ' ') {
        glyphs.pop();
    }
    glyphs
}

fn glyph(screen: &Screen, row: u16, column: u16) -> Glyph {
    let cell = screen.cell(row, column);
    let color = match cell.map(vt100::Cell::fgcolor) {
        Some(Color::Idx(number @ 0..16)) => Some(number % 8),
        _ => None,
    };
    let letter = cell.and_then(|cell| cell.contents().chars().next());
    let bold = cell.is_some_and(vt100::Cell::bold);
    Glyph {
        letter: letter.unwrap_or(' '),
        style: Style { color, bold },
    }
}
