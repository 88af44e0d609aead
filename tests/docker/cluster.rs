//! The one cluster of these tests: main, node1 to node4, and what is done to them through the engine.

use crate::support::{self, Finished, run, wait_until};
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

pub const NODES: [&str; 4] = ["node1", "node2", "node3", "node4"];

pub struct Cluster {
    project: String,
    compose: &'static [&'static str],
    /// What the first clsh said, called as soon as `up` had returned.
    pub first: Finished,
    /// Takes the cluster down when this process is gone.
    _guardian: Child,
}

enum Start {
    Up(Box<Mutex<Cluster>>),
    Missing(String),
    Failed(String),
}

/// The cluster, for one test at a time; none where it cannot be, which is then said.
pub fn cluster() -> Option<MutexGuard<'static, Cluster>> {
    static START: OnceLock<Start> = OnceLock::new();
    match START.get_or_init(Cluster::start) {
        Start::Up(cluster) => Some(
            cluster
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        ),
        Start::Missing(why) => {
            let required = std::env::var_os("CLSH_TEST_DOCKER").is_some_and(|value| value == "1");
            assert!(!required, "CLSH_TEST_DOCKER=1, yet {why}");
            support::not_run(why);
            None
        }
        Start::Failed(log) => panic!("the cluster did not come up:\n{log}"),
    }
}

/// How compose is called here.
fn compose() -> Result<&'static [&'static str], String> {
    let answers = |words: &[&str]| {
        let mut call = Command::new("timeout");
        let call = call.arg("20").args(words).stdin(Stdio::null()).output();
        call.is_ok_and(|done| done.status.success())
    };
    if !answers(&["docker", "version"]) {
        return Err("no Docker engine answers".to_owned());
    }
    let ways: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    ways.into_iter()
        .find(|words| answers(&[words, &["version"][..]].concat()))
        .ok_or_else(|| "there is neither `docker compose` nor docker-compose".to_owned())
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn prefix(project: &str) -> String {
    format!("{project}-")
}

/// A call of compose, words of it to follow.
fn call(compose: &[&str], project: &str) -> Command {
    let mut command = Command::new(compose[0]);
    command
        .args(&compose[1..])
        .args(["-p", project, "-f"])
        .arg(home().join("docker/docker-compose.yml"))
        .env("CLSH_PREFIX", prefix(project))
        .stdin(Stdio::null());
    command
}

/// A guardian, and what it says of how the start went.
fn bring_up(project: &str, compose: &[&str]) -> (Child, String) {
    // A session of its own keeps the terminal's Ctrl-C away.
    let alone = support::pty_or_resident();
    let mut guardian = Command::new("setsid")
        .arg(home().join("tests/docker/guardian"))
        .args([project, env!("CARGO_BIN_EXE_clsh")])
        .args(compose)
        .env("CLSH_PREFIX", prefix(project))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("setsid");
    drop(alone);
    let mut said = String::new();
    let mut pipe = guardian.stdout.take().expect("piped");
    pipe.read_to_string(&mut said).expect("text");
    (guardian, said)
}

impl Cluster {
    fn start() -> Start {
        let compose = match compose() {
            Ok(compose) => compose,
            Err(why) => return Start::Missing(why),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("after 1970").subsec_nanos();
        let project = format!("clsh-test-{}-{now}", std::process::id());
        let (mut guardian, said) = bring_up(&project, compose);
        if said != "up\n" {
            drop(guardian.stdin.take());
            guardian.wait().expect("wait");
            return match said.strip_prefix("missing\n") {
                Some(why) => Start::Missing(why.trim().to_owned()),
                None => Start::Failed(said),
            };
        }
        let mut call = call(compose, &project);
        let first = run(call.args(["exec", "-T", "main", "clsh", "cat", "/proc/loadavg"]));
        Start::Up(Box::new(Mutex::new(Self {
            project,
            compose,
            first,
            _guardian: guardian,
        })))
    }

    /// A call of compose for this cluster.
    pub fn compose<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = call(self.compose, &self.project);
        command.args(words);
        command
    }

    /// What the engine calls the container of a node, or of main.
    pub fn container(&self, node: &str) -> String {
        format!("{}{node}", prefix(&self.project))
    }

    /// Words run in main, as its user.
    pub fn main<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["exec", "-i", &self.container("main")])
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// A script run in main to its end.
    pub fn in_main(&self, script: &str) -> Finished {
        run(&mut self.main(["sh", "-c", script]))
    }

    /// What a script run on a node, by root, prints.
    pub fn on(&self, node: &str, script: &str) -> String {
        let container = self.container(node);
        docker(&["exec", &container, "sh", "-c", script])
    }

    /// Waits until nothing of these words runs on any of these nodes.
    pub fn wait_gone(&self, nodes: &[&str], words: &str) {
        for node in nodes {
            wait_until(&format!("the end of {words} on {node}"), || {
                let script = format!("pgrep -fx '{words}' || :");
                self.on(node, &script).is_empty()
            });
        }
    }

    /// Breaks node2 by `docker WORDS`; `docker UNDO` mends it when the value is dropped.
    pub fn broken<'a>(&'a self, words: &[&str], undo: &[&str]) -> Broken<'a> {
        let undo = undo.iter().map(|&word| word.to_owned()).collect();
        let broken = Broken {
            cluster: self,
            undo,
        };
        docker(words);
        broken
    }

    /// The link of node2, `up` or `down`: words for docker, since a node may not touch it.
    pub fn link(&self, state: &str) -> Vec<String> {
        let node = self.container("node2");
        let image = docker(&["inspect", "-f", "{{.Image}}", &node]);
        let network = format!("container:{node}");
        let words = [
            "run",
            "--rm",
            "--network",
            &network,
            "--cap-add",
            "NET_ADMIN",
        ];
        let command = [&image, "ip", "link", "set", "eth0", state];
        words
            .into_iter()
            .chain(command)
            .map(str::to_owned)
            .collect()
    }
}

/// Something is wrong with node2 until this is dropped.
pub struct Broken<'a> {
    cluster: &'a Cluster,
    undo: Vec<String>,
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(&self.undo).output();
        if !std::thread::panicking() {
            wait_until("node2 again", || {
                let login = "ssh -o BatchMode=yes -o ConnectTimeout=5 node2 true";
                self.cluster.in_main(login).code() == 0
            });
        }
    }
}

/// Runs docker to its end, which must be a good one, and gives what it printed.
pub fn docker(words: &[&str]) -> String {
    let done = run(Command::new("docker").args(words).stdin(Stdio::null()));
    assert_eq!(done.code(), 0, "docker {words:?}: {}", done.err());
    done.out().trim_end().to_owned()
}

/// A sleep that nobody waits for and no other test runs.
pub fn nap(number: u32) -> String {
    format!("sleep 1000.{number}")
}

/// clsh's lines of `text`, one for each node.
pub fn from_all(text: &str) -> Vec<String> {
    NODES.map(|node| format!("{node}: {text}")).into()
}

/// Waits until every node has said this on stdout.
pub fn wait_for_all(clsh: &support::Running, text: &str) {
    for line in from_all(text) {
        clsh.stdout.wait_for(&format!("{line}\n"));
    }
}
