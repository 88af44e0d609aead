//! What these tests share beyond `support`: one cluster, sleeps that are counted and cleared up, sshd nodes that behave badly, and
//! guardians that clear up after a test process however it ends.

use crate::support::{self, Cluster, Process, Running};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Eight nodes for all tests at once: each test tells its own processes from the others' by the number of its sleep.
pub fn nodes() -> &'static Cluster {
    static NODES: OnceLock<Cluster> = OnceLock::new();
    NODES.get_or_init(|| {
        let cluster = Cluster::start(8, &[]);
        std::fs::create_dir(home(&cluster)).expect("mkdir");
        for k in 1..=8 {
            without_startup_files(&cluster, &format!("node{k}"));
        }
        cluster
    })
}

/// An empty directory that the commands of the nodes take for their home, so that no startup file of whoever runs the tests speaks
/// up or takes its time.
fn home(cluster: &Cluster) -> PathBuf {
    cluster.directory().join("home")
}

fn without_startup_files(cluster: &Cluster, node: &str) {
    let file = |end: &str| cluster.directory().join(format!("{node}.{end}"));
    let text = std::fs::read_to_string(file("conf")).expect("conf");
    let more = format!("SetEnv HOME={} ", home(cluster).display());
    std::fs::write(file("conf"), text.replace("SetEnv ", &more)).expect("write");
    // On SIGHUP sshd reads its files again; it writes its number once it listens.
    let pid = std::fs::read_to_string(file("pid")).expect("pid");
    std::fs::remove_file(file("pid")).expect("remove");
    support::kill(pid.trim().parse().expect("a number"), 1);
    support::wait_until(&format!("{node} again"), || {
        std::fs::read_to_string(file("pid")).is_ok_and(|now| now == pid)
    });
}

/// The sleep of one test, known by its number and that of this process; none of them outlives the value.
pub struct Sleep {
    seconds: String,
}

impl Sleep {
    pub fn new(number: u32) -> Self {
        let seconds = format!("1000.{number}{:07}", std::process::id());
        Self { seconds }
    }

    /// As it stands in a command.
    pub fn command(&self) -> String {
        format!("sleep {}", self.seconds)
    }

    pub fn running(&self) -> Vec<Process> {
        support::running(&["sleep", &self.seconds])
    }

    pub fn wait_for(&self, count: usize) {
        let what = format!("{count} times {}", self.command());
        support::wait_until(&what, || self.running().len() == count);
    }

    pub fn wait_gone(&self) {
        let what = format!("the end of every {}", self.command());
        support::wait_until(&what, || self.running().is_empty());
    }

    /// The one that runs as this node's command.
    pub fn on(&self, host: &str) -> Process {
        let wanted = format!("CLSH_HOST={host}");
        let found = self.running().into_iter().find(|process| {
            let environment = std::fs::read(format!("/proc/{}/environ", process.pid));
            let environment = environment.unwrap_or_default();
            environment
                .split(|&byte| byte == 0)
                .any(|entry| entry == wanted.as_bytes())
        });
        found.unwrap_or_else(|| panic!("no {} on {host}", self.command()))
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        for process in self.running() {
            support::kill(process.pid, 9);
        }
    }
}

/// The nearest process above that is a session of sshd: `sshd: NAME`, and since OpenSSH 9.8 `sshd-session: NAME`.
pub fn session_above(pid: i32) -> Process {
    let mut process = support::process(pid).expect("alive");
    while !process
        .words
        .first()
        .is_some_and(|word| word.starts_with("sshd:") || word.starts_with("sshd-session:"))
    {
        assert!(process.parent > 1, "no sshd above {pid}");
        process = support::process(process.parent).expect("a parent");
    }
    process
}

/// All living processes below `pid`, but for the guardian of a clsh.
pub fn below(pid: i32) -> Vec<Process> {
    let all = support::processes();
    let mut found: Vec<Process> = Vec::new();
    let mut above = vec![pid];
    while let Some(parent) = above.pop() {
        let theirs = |process: &&Process| process.parent == parent;
        for process in all.iter().filter(theirs) {
            if support::is_guardian(process.pid) {
                continue;
            }
            above.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

/// The process group of a living process.
pub fn group(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

/// Processes with this LC_CLSH_MARK in their environment, which ssh hands on where its configuration has `SendEnv LC_CLSH_MARK`.
pub fn marked(mark: &str) -> Vec<Process> {
    let wanted = format!("LC_CLSH_MARK={mark}");
    let carries = |process: &Process| {
        let environment = std::fs::read(format!("/proc/{}/environ", process.pid));
        let environment = environment.unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|entry| entry == wanted.as_bytes())
    };
    let mut found = support::processes();
    found.retain(carries);
    found
}

/// Waits until none of these is alive. A number that meanwhile belongs to another program does not count.
pub fn wait_all_gone(gone: &[Process]) {
    for old in gone {
        support::wait_until(&format!("the end of {old:?}"), || {
            support::process(old.pid).is_none_or(|now| now.state == 'Z' || now.words != old.words)
        });
    }
}

/// The local ssh of a node.
pub fn ssh_of(clsh: &Running, host: &str) -> Process {
    let found = support::children(clsh.pid()).into_iter().find(|process| {
        let mut words = process.words.iter();
        words.any(|word| word == "--") && words.next().is_some_and(|word| word == host)
    });
    found.unwrap_or_else(|| panic!("no ssh for {host}"))
}

/// Makes a call with more and more patience (`-t`), until `found` is content: on a busy machine even a good node may take longer than
/// a test would like to wait for a bad one. Gives the last patience, too.
pub fn with_patience<T>(call: impl Fn(&str) -> T, found: impl Fn(&T) -> bool) -> (T, &'static str) {
    for patience in ["3", "9"] {
        let done = call(patience);
        if found(&done) {
            return (done, patience);
        }
    }
    (call("30"), "30")
}

/// An ssh config whose blocks stand before those of the cluster; the first value wins.
pub struct Config {
    directory: tempfile::TempDir,
}

impl Config {
    pub fn new(cluster: &Cluster, blocks: &str) -> Self {
        let directory = support::scratch();
        let cluster = cluster.ssh_config();
        let text = format!("{blocks}\nHost *\n  Include {}\n", cluster.display());
        std::fs::write(directory.path().join("config"), text).expect("write");
        Self { directory }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    /// clsh with this config.
    pub fn clsh(&self, words: &[&str]) -> Command {
        let mut command = support::clsh_with(words);
        command.env("CLSH_SSH_CONFIG", self.path());
        command
    }
}

/// A block that leads `alias` to a port on loopback whose sshd has the key of `node1`.
pub fn block(alias: &str, port: u16) -> String {
    format!("Host {alias}\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias node1\n")
}

/// A port on which nobody listens.
pub fn closed_port() -> u16 {
    // Closed when the listener goes, at the end of this function.
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    listener.local_addr().expect("address").port()
}

/// What makes an extra sshd differ from the cluster's nodes.
#[derive(Default)]
pub struct Different<'a> {
    /// Lines of sshd_config.
    pub lines: &'a str,
    /// More variables for the commands, as SetEnv takes them.
    pub variables: &'a str,
    /// Words that run sshd, such as `ip netns exec NAME`.
    pub within: &'a [&'a str],
    /// Where it listens, when not on a free port of loopback.
    pub address: Option<(&'a str, u16)>,
}

/// One more sshd beside the cluster's, gone with its sessions when the value goes. Its files lie in the cluster's directory and its
/// sessions carry the cluster's mark, so that the cluster's guardian ends it should the test process be killed.
pub struct Sshd {
    child: Child,
    pub port: u16,
}

impl Sshd {
    pub fn start(cluster: &Cluster, name: &str, different: &Different) -> Self {
        for _ in 0..20 {
            if let Some(sshd) = Self::try_start(cluster, name, different) {
                return sshd;
            }
        }
        panic!("sshd {name} does not start");
    }

    fn try_start(cluster: &Cluster, name: &str, different: &Different) -> Option<Self> {
        let directory = cluster.directory();
        let file = |end: &str| directory.join(format!("node-{name}.{end}"));
        let (address, port) = different
            .address
            .map_or_else(|| ("127.0.0.1", closed_port()), |(a, p)| (a, p));
        let kept = std::fs::read_to_string(directory.join("node1.conf")).expect("node1.conf");
        let replaced = ["Port ", "PidFile ", "SetEnv ", "ListenAddress "];
        // Of most settings the first one counts, of some the last.
        let own = |line: &str| {
            let name = line.split(' ').next();
            different
                .lines
                .lines()
                .any(|own| own.split(' ').next() == name)
        };
        let kept: String = kept
            .lines()
            .filter(|line| !own(line) && !replaced.iter().any(|start| line.starts_with(start)))
            .map(|line| format!("{line}\n"))
            .collect();
        let text = format!(
            "{}\n{kept}Port {port}\nListenAddress {address}\nPidFile {}\nSetEnv CLSH_CLUSTER={} CLSH_CLUSTER_NODE={name} HOME={} {}\n",
            different.lines,
            file("pid").display(),
            directory.display(),
            home(cluster).display(),
            different.variables,
        );
        std::fs::write(file("conf"), text).expect("write");
        let _ = std::fs::remove_file(file("pid"));
        let sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("sshd");
        // A session of its own keeps the terminal's Ctrl-C away.
        let mut command = Command::new("setsid");
        command
            .args(different.within)
            .args([sshd, "-D", "-e", "-f"])
            .arg(file("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(file("log")).expect("create"));
        let child = command.spawn().expect("setsid");
        let mut sshd = Self { child, port };
        let mut ended = false;
        support::wait_until(&format!("sshd {name}"), || {
            ended = sshd.child.try_wait().expect("wait").is_some();
            ended || file("pid").exists()
        });
        (!ended).then_some(sshd)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let sessions = below(self.child.id() as i32);
        let _ = self.child.kill();
        let _ = self.child.wait();
        for process in sessions {
            support::kill(process.pid, 9);
        }
    }
}

/// Runs a shell text when the value goes, or when the test process ends in whatever way.
pub struct Guardian {
    shell: Child,
}

impl Guardian {
    pub fn new(text: &str) -> Self {
        let text = format!("trap '' HUP INT QUIT TERM\ncat >/dev/null\n{text}");
        let _alone = support::pty_or_resident();
        let shell = Command::new("setsid")
            .args(["sh", "-c", &text])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("setsid");
        Self { shell }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Runs a program of the system that has to succeed.
pub fn must(words: &[&str]) -> String {
    let done = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", words[0]));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words:?}: {said}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

pub fn is_root() -> bool {
    must(&["id", "-u"]).trim() == "0"
}

/// Whether a test is to be left out: only where the variable says so, and never silently.
pub fn left_out(variable: &str, what: &str) -> bool {
    let leave = std::env::var_os(variable).is_some_and(|value| value == "1");
    if leave {
        support::not_run(&format!("{what} ({variable}=1)"));
    }
    leave
}

/// Whether what needs root is left out: for everybody who says so, and for nobody else. tests/run asks for the word before it begins.
pub fn without_root(what: &str) -> bool {
    let without = left_out("CLSH_TEST_NO_ROOT", what);
    assert!(
        without || is_root(),
        "{what}: this needs root; CLSH_TEST_NO_ROOT=1 leaves it out"
    );
    without
}

/// The value as one word of a shell.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
