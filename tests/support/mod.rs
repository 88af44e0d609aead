//! What the tests that run the binary share: calls of clsh with a bound on their time, a cluster of real sshd nodes, and a look at
//! the process table. Conditions are waited for with generous limits; no test passes or fails by a clock.
#![allow(dead_code)]

use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag::register_conditional_default;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it: a minute in which the machine has nothing to do, or ten in all. A busy one, whatever
/// keeps it so, lets nothing but its pace differ.
pub struct Patience {
    start: Instant,
    idle: Duration,
}

impl Patience {
    const IDLE: Duration = Duration::from_secs(60);
    const IN_ALL: Duration = Duration::from_secs(600);

    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            idle: idle_time(),
        }
    }

    pub fn is_over(&self) -> bool {
        let waited = self.start.elapsed();
        waited >= Self::IDLE
            && (waited >= Self::IN_ALL || idle_time().saturating_sub(self.idle) >= Self::IDLE)
    }
}

/// For how long the machine has had nothing to do since it started, all processors taken together.
fn idle_time() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").expect("/proc/stat");
    let processors = text
        .lines()
        .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
        .count();
    // Of the first line, in hundredths of a second of one processor: user, nice, system, idle.
    let idle = text.split_whitespace().nth(4).map(str::parse::<u64>);
    let idle = idle.expect("a column").expect("a number");
    Duration::from_millis(idle * 10 / processors.max(1) as u64)
}

/// What is started from here hears Ctrl-C, also where whoever runs the tests let a shell start them with `&`, which ignores it.
fn hear_interrupts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGINT, SIGQUIT] {
            // A handler that does what no handler does: a program that is started begins with no handler, and ignores nothing.
            let always = Arc::new(AtomicBool::new(true));
            register_conditional_default(signal, always).expect("a handler");
        }
    });
}

/// The binary under test, with none of the caller's settings.
pub fn clsh() -> Command {
    hear_interrupts();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clsh"));
    for name in ["CLSH_HOSTS", "CLSH_HOSTFILE", "CLSH_SSH_CONFIG", "NO_COLOR"] {
        command.env_remove(name);
    }
    // Where no file can be.
    command.env("XDG_CONFIG_HOME", "/dev/null");
    command.stdin(Stdio::null());
    command
}

/// [`clsh`] with these words.
pub fn clsh_with<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut command = clsh();
    command.args(words);
    command
}

/// What a finished call left.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Finished {
    /// The status as a shell shows it: 128+n for death by signal n.
    pub fn code(&self) -> i32 {
        shell_code(self.status)
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The same without what a session says of itself on stderr: banner, rules, prompts and what is typed there.
    pub fn without_prompts(mut self) -> Self {
        let own = |line: &&[u8]| {
            let line = String::from_utf8_lossy(line);
            let starts = [
                "clsh> ",
                "> ",
                "Enter 'quit' to leave",
                "Working with nodes: ",
            ];
            line.trim_end() == "-".repeat(26) || starts.iter().any(|start| line.starts_with(start))
        };
        let lines = self.stderr.split_inclusive(|&byte| byte == b'\n');
        self.stderr = lines.filter(|line| !own(line)).flatten().copied().collect();
        self
    }

    /// The lines of stdout in sorted order: nodes answer in any.
    pub fn sorted(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.out().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

pub fn shell_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A running call whose output is collected as it comes.
pub struct Running {
    child: Child,
    pub stdout: Collected,
    pub stderr: Collected,
}

/// Bytes collected from a pipe by a thread of its own.
#[derive(Clone, Default)]
pub struct Collected {
    bytes: std::sync::Arc<Mutex<Vec<u8>>>,
    ended: std::sync::Arc<Mutex<bool>>,
}

impl Collected {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let collected = Self::default();
        let (bytes, ended) = (collected.bytes.clone(), collected.ended.clone());
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                bytes.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
            *ended.lock().unwrap() = true;
        });
        collected
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Waits until `text` has come.
    pub fn wait_for(&self, text: &str) {
        wait_until(&format!("'{text}' in {:?}", self.text()), || {
            self.text().contains(text)
        });
    }
}

/// Starts a call with its output collected.
pub fn start(command: &mut Command) -> Running {
    hear_interrupts();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("spawn");
    let stdout = Collected::of(child.stdout.take().expect("piped"));
    let stderr = Collected::of(child.stderr.take().expect("piped"));
    Running {
        child,
        stdout,
        stderr,
    }
}

/// Runs a call to its end.
pub fn run(command: &mut Command) -> Finished {
    start(command).finish()
}

/// Runs clsh with these words to its end.
pub fn run_clsh<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Finished {
    run(&mut clsh_with(words))
}

impl Running {
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn signal(&self, signal: i32) {
        kill(self.pid(), signal);
    }

    pub fn stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("piped")
    }

    /// Waits for the end of the process and of both its streams.
    pub fn finish(mut self) -> Finished {
        let status = self.wait();
        wait_until("end of the output", || {
            *self.stdout.ended.lock().unwrap() && *self.stderr.ended.lock().unwrap()
        });
        Finished {
            status,
            stdout: self.stdout.bytes(),
            stderr: self.stderr.bytes(),
        }
    }

    /// Waits for the end of the process only.
    pub fn wait(&mut self) -> ExitStatus {
        let pid = self.child.id();
        let mut status = None;
        let ended = poll_until(|| {
            status = self.child.try_wait().expect("wait");
            status.is_some()
        });
        if !ended {
            let _ = self.child.kill();
            panic!("process {pid} did not end; stderr: {}", self.stderr.text());
        }
        status.expect("ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn poll_until(mut condition: impl FnMut() -> bool) -> bool {
    let patience = Patience::new();
    while !patience.is_over() {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    condition()
}

/// Waits for a condition, and fails the test when it does not come.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(poll_until(condition), "waited in vain for: {what}");
}

/// kill(2) through the program, so that tests need no unsafe code.
pub fn kill(pid: i32, signal: i32) {
    let status = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg("--")
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok(), "kill(1) must be there");
}

/// One process as /proc shows it.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub state: char,
    pub words: Vec<String>,
}

/// All processes that are no zombies.
pub fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    entries
        .filter_map(|entry| process(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .filter(|process| process.state != 'Z')
        .collect()
}

/// One process, also when it is a zombie.
pub fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let words = words
        .split(|&byte| byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .filter(|word| !word.is_empty())
        .collect();
    Some(Process {
        pid,
        parent,
        state,
        words,
    })
}

/// Whether a process is there and no zombie.
pub fn is_alive(pid: i32) -> bool {
    process(pid).is_some_and(|process| process.state != 'Z')
}

/// The living direct children of a process, but for the guardian of a clsh.
pub fn children(pid: i32) -> Vec<Process> {
    processes()
        .into_iter()
        .filter(|process| process.parent == pid && !is_guardian(process.pid))
        .collect()
}

/// The guardian of a clsh, if it lives.
pub fn guardian(clsh: i32) -> Option<Process> {
    processes()
        .into_iter()
        .find(|process| process.parent == clsh && is_guardian(process.pid))
}

pub fn is_guardian(pid: i32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    name.is_ok_and(|name| name == "clsh-guardian\n")
}

/// Living processes whose words are exactly these, such as `["sleep", "1000.123"]`: give each test a number of its own.
pub fn running(words: &[&str]) -> Vec<Process> {
    processes()
        .into_iter()
        .filter(|process| process.words == words)
        .collect()
}

/// A cluster of real sshd nodes, taken down when it is dropped or the test process ends, however it ends.
pub struct Cluster {
    script: Child,
    directory: PathBuf,
}

impl Cluster {
    /// Starts `count` nodes; `options` go to the script.
    pub fn start(count: usize, options: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/local-cluster");
        let mut script = Command::new(script)
            .args(["--no-build", "-n", &count.to_string()])
            .args(options)
            .args([
                "--",
                "sh",
                "-c",
                "echo \"$CLSH_CLUSTER_DIR\"; exec cat >/dev/null",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker/local-cluster");
        let mut line = String::new();
        BufReader::new(script.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        assert!(!line.is_empty(), "the cluster did not start");
        Self {
            script,
            directory: line.trim_end().into(),
        }
    }

    /// A cluster of eight nodes that the tests of one test binary share, one test at a time.
    pub fn shared() -> MutexGuard<'static, Self> {
        static SHARED: OnceLock<Mutex<Cluster>> = OnceLock::new();
        let cluster = SHARED.get_or_init(|| Mutex::new(Self::start(8, &[])));
        cluster
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn ssh_config(&self) -> PathBuf {
        self.directory.join("ssh_config")
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// clsh on this cluster.
    pub fn clsh<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = clsh_with(words);
        command.env("CLSH_SSH_CONFIG", self.ssh_config());
        command
    }

    /// Runs clsh on this cluster to its end.
    pub fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Finished {
        run(&mut self.clsh(words))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// Held while a pty is opened, and while something is started that stays: for a moment a pty's descriptors go to whatever is started, and its
/// output has no end as long as one of them is open.
pub fn pty_or_resident() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// `words`, and behind them the words of `call`, with its environment and an empty stdin.
pub fn behind(words: &[&str], call: &Command) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command.arg(call.get_program()).args(call.get_args());
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null());
    command
}

/// A directory of the test's own, gone with the value.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Writes a script of a misbehaving remote, executable.
pub fn script(directory: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    let mut file = std::fs::File::create(&path).expect("create");
    file.write_all(text.as_bytes()).expect("write");
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
        .expect("chmod");
    path
}

/// Says that the test that runs here did not run, and why: at the end of tests/run, or else right away.
pub fn not_run(why: &str) {
    let test = std::env::current_exe().expect("a program");
    let test = test.file_stem().unwrap_or_default().to_string_lossy();
    let test = test.rsplit_once('-').map_or(&*test, |(name, _)| name);
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    let line = format!("{test} {name}: {why}\n");
    let notes = std::env::var_os("CLSH_TESTS_NOTES")
        .map(|path| std::fs::File::options().append(true).open(path));
    let _ = match notes {
        Some(Ok(mut notes)) => notes.write_all(line.as_bytes()),
        // Not by a macro, whose words are kept from view while a test passes.
        _ => std::io::stderr().write_all(format!("not run: {line}").as_bytes()),
    };
}
