//! What the modules of this binary share: calls that start here, calls whose streams the test holds itself, and facts from /proc.

use crate::support::{self, Patience, clsh_with, process, running, wait_until};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Memory clsh may ever have held (CONTRACT.md, 4), in KiB.
pub const MEMORY_KIB_MAX: u64 = 32 * 1024;

/// SIGHUP, SIGINT and so on, as kill(1) and wait(2) number them.
pub const HUP: i32 = 1;
pub const INT: i32 = 2;
pub const QUIT: i32 = 3;
pub const KILL: i32 = 9;
pub const USR1: i32 = 10;
pub const TERM: i32 = 15;
pub const CONT: i32 = 18;
pub const STOP: i32 = 19;
pub const TSTP: i32 = 20;

/// clsh with `-R exec` on these nodes.
pub fn exec<'a>(nodes: &str, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = clsh_with(["-h", nodes, "-R", "exec"]);
    command.args(words);
    command
}

/// A shell that runs `script`, in which `"$@"` is `call`.
pub fn through(shell: &str, script: &str, call: &Command) -> Command {
    support::behind(&[shell, "-c", script, shell], call)
}

/// The words of a `sleep` of this test's own, which nobody else runs and nobody waits for.
pub fn nap() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("1000.{}{count:03}", std::process::id())
}

/// How many processes run exactly these words.
pub fn count(words: &[&str]) -> usize {
    running(words).len()
}

/// Ends what runs exactly these words when it is dropped: for processes that clsh rightly leaves alone.
pub struct Stray(pub Vec<String>);

impl Stray {
    pub fn new(words: &[&str]) -> Self {
        Self(words.iter().map(ToString::to_string).collect())
    }

    pub fn count(&self) -> usize {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        count(&words)
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        for process in running(&words) {
            support::kill(process.pid, KILL);
        }
    }
}

/// A running call whose streams the test holds itself.
pub struct Held(pub Child);

impl Held {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("spawn"))
    }

    pub fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    pub fn signal(&self, signal: i32) {
        support::kill(self.pid(), signal);
    }

    /// Waits for the end; gives the status as a shell shows it.
    pub fn wait(&mut self) -> i32 {
        let mut status = None;
        wait_until("the end of the call", || {
            status = self.0.try_wait().expect("wait");
            status.is_some()
        });
        support::shell_code(status.expect("ended"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All of a pipe.
pub fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("read");
    bytes
}

/// A line of /proc/PID/status, or of another file of that shape.
pub fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim().to_owned())
}

/// The most memory a process ever held, in KiB; `None` once it is gone.
pub fn high_water_kib(pid: i32) -> Option<u64> {
    let text = field(&format!("/proc/{pid}/status"), "VmHWM:")?;
    text.strip_suffix(" kB")?.trim().parse().ok()
}

/// Fails when the process holds, or ever held, too much.
pub fn assert_bounded_memory(pid: i32) {
    let kib = high_water_kib(pid).expect("the process lives");
    assert!(kib < MEMORY_KIB_MAX, "clsh held {kib} KiB");
}

/// The flags of an open file, as the kernel spells them.
pub fn open_flags(pid: i32, number: i32) -> String {
    let path = format!("/proc/{pid}/fdinfo/{number}");
    field(&path, "flags:").unwrap_or_else(|| panic!("no flags in {path}"))
}

/// The group of a process.
pub fn group(pid: i32) -> i32 {
    stat_field(pid, 2)
        .expect("a living process")
        .parse()
        .expect("a number")
}

/// The session of a process, if it lives.
pub fn session(pid: i32) -> Option<i32> {
    stat_field(pid, 3)?.parse().ok()
}

/// A field of /proc/PID/stat, counted from the state.
fn stat_field(pid: i32, index: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(index).map(str::to_owned)
}

/// How often a process went to sleep by itself.
pub fn sleeps(pid: i32) -> String {
    let path = format!("/proc/{pid}/status");
    field(&path, "voluntary_ctxt_switches:").expect("a living process")
}

/// Waits until a process sleeps and stays asleep: it neither ran nor was woken for a while.
pub fn wait_idle(pid: i32) {
    let patience = Patience::new();
    let mut still = 0;
    let mut last = String::new();
    while still < 25 {
        assert!(!patience.is_over(), "{pid} never comes to rest");
        let now = sleeps(pid);
        let asleep = process(pid).is_some_and(|process| process.state == 'S');
        still = if asleep && now == last { still + 1 } else { 0 };
        last = now;
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process is stopped, as by Ctrl-Z.
pub fn wait_stopped(pid: i32) {
    wait_until("a stopped process", || {
        process(pid).is_some_and(|process| process.state == 'T')
    });
}

/// The lines of an output whose lines hold no newline, by label.
pub fn by_label(output: &[u8]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut nodes: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let output = output.strip_suffix(b"\n").expect("a last newline");
    for line in output.split(|&byte| byte == b'\n') {
        let end = line.iter().position(|&byte| byte == b':').expect("a label");
        let label = String::from_utf8(line[..end].to_vec()).expect("a label");
        assert_eq!(&line[end..end + 2], b": ");
        nodes
            .entry(label)
            .or_default()
            .push(line[end + 2..].to_vec());
    }
    nodes
}

/// Bytes without newlines that differ by place and by `seed`, every other value among them, and no pattern of a power of two.
pub fn noise(seed: usize, count: usize) -> Vec<u8> {
    (0..count)
        .map(|at| match ((at + seed) % 251) as u8 {
            b'\n' => 255,
            byte => byte,
        })
        .collect()
}

/// What `label: ` stands before each line of.
pub fn labelled(label: &str, lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| format!("{label}: {line}\n"))
        .collect()
}

/// A word for `-c` of `sh`, from anything.
pub fn text(path: impl AsRef<OsStr>) -> String {
    path.as_ref().to_str().expect("UTF-8").to_owned()
}
