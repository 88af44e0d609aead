//! What the modules of this binary share: sessions on pipes, processes that carry a session's mark, and facts from /proc.

use crate::support::{self, Finished, Patience, Process, clsh_with, process, processes, running};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// SIGHUP, SIGINT and so on, as kill(1) and wait(2) number them.
pub const HUP: i32 = 1;
pub const INT: i32 = 2;
pub const QUIT: i32 = 3;
pub const KILL: i32 = 9;
pub const TERM: i32 = 15;

/// Stands around each command's output.
pub const RULE: &str = "--------------------------";

/// Keys that are no letters.
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const CTRL_Z: &str = "\x1a";
pub const CTRL_BACKSLASH: &str = "\x1c";
pub const UP: &str = "\x1b[A";
pub const DOWN: &str = "\x1b[B";

/// The shells of which clsh knows how to interrupt a whole command line.
pub const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

/// clsh with shells that run here, one for each of these nodes.
pub fn exec<'a>(nodes: &str, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = clsh_with(["-h", nodes, "-R", "exec"]);
    command.args(words);
    command
}

/// A session as `call` says, with `text` for its lines; without what it says of itself on stderr.
pub fn scripted(mut call: Command, text: impl AsRef<[u8]>) -> Finished {
    call.arg("-i");
    with_stdin(call, text).without_prompts()
}

/// clsh as `call` says, with `text` on its stdin.
pub fn with_stdin(mut call: Command, text: impl AsRef<[u8]>) -> Finished {
    let directory = support::scratch();
    let path = directory.path().join("script");
    std::fs::write(&path, text).expect("write");
    let file = std::fs::File::open(&path).expect("open");
    support::run(call.env("SHELL", "/bin/sh").stdin(Stdio::from(file)))
}

/// A session of these nodes that reads `text` from a pipe's like.
pub fn script(nodes: &str, text: impl AsRef<[u8]>) -> Finished {
    scripted(exec(nodes, []), text)
}

/// A number nobody else has, here and in any other run.
fn own_number() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}{count:03}", std::process::id())
}

/// What a `sleep` of this test's own is given, which nobody else runs and nobody waits for.
pub fn nap() -> String {
    format!("1000.{}", own_number())
}

/// How many `sleep`s run with this number.
pub fn napping(nap: &str) -> usize {
    running(&["sleep", nap]).len()
}

/// A mark for the environment of a session, which all its processes inherit.
pub struct Mark(String);

impl Mark {
    pub const NAME: &str = "CLSH_TEST_MARK";

    pub fn new() -> Self {
        Self(own_number())
    }

    pub fn value(&self) -> &str {
        &self.0
    }

    /// All living processes that carry it.
    pub fn processes(&self) -> Vec<Process> {
        let entry = format!("{}={}", Self::NAME, self.0);
        let marked = |process: &Process| {
            let environ = std::fs::read(format!("/proc/{}/environ", process.pid));
            environ.is_ok_and(|bytes| {
                let mut entries = bytes.split(|&byte| byte == 0);
                entries.any(|one| one == entry.as_bytes())
            })
        };
        processes().into_iter().filter(marked).collect()
    }

    /// Waits until no process is left.
    pub fn wait_for_nobody(&self) {
        let mut left = Vec::new();
        let patience = Patience::new();
        while !patience.is_over() {
            left = self.processes();
            if left.is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("left behind: {left:#?}");
    }
}

impl Drop for Mark {
    /// Ends what a failed test leaves, by process id.
    fn drop(&mut self) {
        for process in self.processes() {
            support::kill(process.pid, KILL);
        }
    }
}

/// Ends the `sleep` of this number when it is dropped: for those that clsh rightly leaves alone.
pub struct Stray(pub String);

impl Drop for Stray {
    fn drop(&mut self) {
        for process in running(&["sleep", &self.0]) {
            support::kill(process.pid, KILL);
        }
    }
}

/// The process of clsh's own that carries this node: its name stands among the words of a transport, or in the environment of the shell that
/// it carries.
pub fn carrier(clsh: i32, node: &str) -> i32 {
    let entry = format!("CLSH_HOST={node}");
    let knows = |process: &Process| {
        let environ = std::fs::read(format!("/proc/{}/environ", process.pid));
        environ.is_ok_and(|bytes| {
            bytes
                .split(|&byte| byte == 0)
                .any(|one| one == entry.as_bytes())
        })
    };
    let mut children = support::children(clsh);
    children.retain(|child| {
        child.words.iter().any(|word| word == node) || below(child.pid).iter().any(knows)
    });
    assert_eq!(children.len(), 1, "{node}: {children:?}");
    children[0].pid
}

/// All living processes below `pid`.
fn below(pid: i32) -> Vec<Process> {
    let mut found = support::children(pid);
    let mut at = 0;
    while at < found.len() {
        found.extend(support::children(found[at].pid));
        at += 1;
    }
    found
}

/// A line of /proc/PID/status.
fn field(pid: i32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a living process");
    let line = text.lines().find(|line| line.starts_with(name));
    line.expect("a known line")[name.len()..].trim().to_owned()
}

/// How often a process went to sleep by itself.
pub fn sleeps(pid: i32) -> String {
    field(pid, "voluntary_ctxt_switches:")
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
    support::wait_until("a stopped process", || {
        process(pid).is_some_and(|process| process.state == 'T')
    });
}

/// Makes a file that commands wait for.
pub fn touch(path: impl AsRef<Path>) {
    std::fs::write(path, "").expect("write");
}

/// A command that ends when this file is there.
pub fn until(file: &str) -> String {
    format!("while ! test -e {file}; do sleep 0.05; done")
}

/// The lines of a text in sorted order: nodes answer in any.
pub fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}
