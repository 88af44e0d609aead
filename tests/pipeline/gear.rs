//! What the modules of this binary share: the two ways to a node, input that a thread writes, checksums, and temporary directories that
//! are looked into.

use crate::kit::Held;
use crate::support::{Running, clsh_with, start};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// The transport of nodes behind the wrapper.
pub const REMOTE: &str = "env NODE=%h sh -c";

/// How a command gets to its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It runs here, as it is.
    Exec,
    /// It runs here, behind the wrapper that real remotes have.
    Wrapped,
}

impl Way {
    pub const BOTH: [Self; 2] = [Self::Exec, Self::Wrapped];

    /// clsh with these flags and a script for `sh`, in which `$h` is the node and `$r` its rank.
    pub fn call(self, nodes: &str, flags: &[&str], script: &str) -> Command {
        let mut command = match self {
            Self::Exec => clsh_with(["-h", nodes, "-R", "exec"]),
            Self::Wrapped => clsh_with(["-h", nodes, "-R", REMOTE]),
        };
        command.args(flags);
        match self {
            Self::Exec => {
                let script = script.replace('%', "%%");
                command.args(["sh", "-c", &format!("h=%h r=%n; {script}")]);
            }
            Self::Wrapped => {
                command.arg(format!("h=$CLSH_HOST r=$CLSH_RANK; {script}"));
            }
        }
        command
    }
}

/// [`Way::Exec`] is what most tests need.
pub fn call(nodes: &str, flags: &[&str], script: &str) -> Command {
    Way::Exec.call(nodes, flags, script)
}

/// So many bytes that nobody can guess.
pub fn random(bytes: usize) -> Vec<u8> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut random))
        .expect("random bytes");
    random
}

/// What `cksum` prints of these bytes.
pub fn cksum(bytes: &[u8]) -> String {
    let mut child = Command::new("cksum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cksum");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(bytes).expect("write");
    drop(stdin);
    finish(child)
}

/// What a child prints, without white space around it.
pub fn finish(child: Child) -> String {
    let done = child.wait_with_output().expect("wait");
    String::from_utf8(done.stdout).expect("text").trim().into()
}

/// Starts a call whose stdin is a pipe that the test holds.
pub fn start_piped(call: &mut Command) -> (Running, ChildStdin) {
    let mut running = start(call.stdin(Stdio::piped()));
    let stdin = running.stdin();
    (running, stdin)
}

/// A thread that writes bytes into a pipe, closes it, and counts what went in.
pub struct Writer {
    thread: JoinHandle<()>,
    pub count: Arc<AtomicU64>,
}

impl Writer {
    pub fn new(mut pipe: ChildStdin, bytes: Vec<u8>) -> Self {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        // A reader that leaves is not this thread's business.
        let thread = thread::spawn(move || {
            for piece in bytes.chunks(4096) {
                if pipe.write_all(piece).is_err() {
                    return;
                }
                counted.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
        });
        Self { thread, count }
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    pub fn join(self) {
        self.thread.join().expect("the writer");
    }
}

/// Starts a call that is given these bytes through a pipe.
pub fn start_fed(call: &mut Command, bytes: &[u8]) -> (Running, Writer) {
    let (running, stdin) = start_piped(call);
    let writer = Writer::new(stdin, bytes.to_vec());
    (running, writer)
}

/// Runs a call that is given these bytes through a pipe.
pub fn run_fed(call: &mut Command, bytes: &[u8]) -> crate::support::Finished {
    let (running, writer) = start_fed(call, bytes);
    let done = running.finish();
    writer.join();
    done
}

/// A file of the test's own.
pub fn file(directory: &Path, name: &str, bytes: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = directory.join(name);
    fs::write(&path, bytes).expect("write");
    path
}

/// All lines `label: line`, of nodes `n1` to `n{count}`, sorted as [`crate::support::Finished::sorted`] does.
pub fn from_all(count: usize, line: &str) -> Vec<String> {
    let mut lines: Vec<String> = (1..=count).map(|n| format!("n{n}: {line}")).collect();
    lines.sort();
    lines
}

/// What stands in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries
        .map(|entry| name(entry.expect("an entry")))
        .collect();
    names.sort();
    names
}

/// How many files without a name in `directory` a process holds open.
pub fn unnamed(pid: i32, directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return 0;
    };
    let target = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.ok()?.path()).ok();
    entries
        .filter_map(target)
        .filter(|target| target.starts_with(directory))
        .filter(|target| target.to_string_lossy().ends_with("(deleted)"))
        .count()
}

/// A shell command that waits for a file.
pub fn await_file(path: &Path) -> String {
    format!("while [ ! -e {} ]; do sleep 0.02; done", path.display())
}

/// The call in a mount namespace of its own, where a file system of so many KiB is mounted at this directory; `None` where that is not
/// allowed.
pub fn on_small_disk(directory: &Path, kib: u32, call: &Command) -> Option<Command> {
    let mount = format!(
        "mount -t tmpfs -o size={kib}k none '{}' && exec \"$@\"",
        directory.display()
    );
    let mut probe = Command::new("unshare");
    let possible = probe
        .args(["-m", "sh", "-c", &mount, "sh", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !possible {
        crate::support::not_run("no file system may be mounted here");
        return None;
    }
    Some(crate::kit::through(
        "sh",
        &format!(
            "exec unshare -m sh -c '{}' sh \"$@\"",
            mount.replace('\'', "'\\''")
        ),
        call,
    ))
}

/// Starts a call whose stdout goes into another program, and gives both.
pub fn start_into(call: &mut Command, reader: &str, words: &[&str]) -> (Held, Child) {
    let mut held = Held::start(call.stdout(Stdio::piped()));
    let out = held.0.stdout.take().expect("piped");
    let reader = Command::new(reader)
        .args(words)
        .stdin(out)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a reader");
    (held, reader)
}
