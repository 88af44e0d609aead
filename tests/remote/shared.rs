//! `ControlMaster auto` without `ControlPersist`: an ssh of clsh's may carry sessions of others, which its own end must not end.

use crate::nodes::{Config, Sleep, group, nodes};
use crate::support::{self, Running, children, run, start, wait_until};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// An ssh configuration with a socket of its own for each node.
struct Shared {
    config: Config,
    sockets: TempDir,
}

impl Shared {
    fn new() -> Self {
        let sockets = support::scratch();
        let block = format!(
            "Host twin* node*\n  ControlMaster auto\n  ControlPath {}/%h-%p\nHost twin*\n  HostName node1\n",
            sockets.path().display()
        );
        // All twins are node1, and so they share one connection.
        let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
        let block = format!("{block}  HostName 127.0.0.1\n  HostKeyAlias node1\n  Port {port}\n");
        let block = block.replace("  HostName node1\n", "");
        Self {
            config: Config::new(nodes(), &block),
            sockets,
        }
    }

    fn clsh(&self, words: &[&str]) -> Command {
        self.config.clsh(words)
    }

    /// A session of the user's own to a node.
    fn ssh(&self, node: &str, command: &str) -> Running {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F")
            .arg(self.config.path())
            .args(["-T", node, command]);
        start(ssh.stdin(Stdio::piped()))
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.sockets.path()).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    fn wait_master(&self) {
        wait_until("a master", || self.sockets().len() == 1);
    }

    fn wait_no_master(&self) {
        wait_until("no master", || self.sockets().is_empty());
    }
}

#[test]
fn a_session_of_the_users_own_outlives_the_run_whose_ssh_carries_it() {
    let shared = Shared::new();
    let sleep = Sleep::new(7101);
    let gate = shared.sockets.path().with_extension("gate");
    let command = format!(
        "until test -e {}; do sleep 0.05; done; exit 7",
        gate.display()
    );
    let clsh = start(&mut shared.clsh(&["-h", "node1", &command]));
    shared.wait_master();
    let mut own = shared.ssh(
        "node1",
        &format!("echo up; read line; echo $line; {} & wait", sleep.command()),
    );
    own.stdout.wait_for("up\n");
    std::fs::write(&gate, "").expect("write");
    // It does not wait for the session, which waits for it.
    let done = clsh.finish();
    std::fs::remove_file(&gate).expect("remove");
    assert_eq!(
        (done.code(), done.out()),
        (7, String::new()),
        "{}",
        done.err()
    );
    assert_eq!(done.err(), "clsh: node1: exited with exit code 7\n");
    use std::io::Write;
    own.stdin().write_all(b"still there\n").expect("write");
    own.stdout.wait_for("still there\n");
    sleep.wait_for(1);
    for process in sleep.running() {
        support::kill(process.pid, 15);
    }
    own.finish();
    // The master ends after the last session.
    shared.wait_no_master();
}

#[test]
fn nodes_that_share_a_connection_each_come_to_their_own_end() {
    // The first is the master, and done long before those that go through it.
    let place = support::scratch();
    let path = |name: &str| place.path().join(name).display().to_string();
    let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
    let blocks = format!(
        "Host twin0\n  ControlMaster auto\nMatch originalhost twin1,twin2,twin3 exec \"until test -S {0}; do sleep 0.05; done\"\n  \
         ControlMaster no\nHost twin*\n  ControlPath {0}\n  HostName 127.0.0.1\n  HostKeyAlias node1\n  Port {port}\n",
        path("socket")
    );
    let config = Config::new(nodes(), &blocks);
    let command = format!(
        "case $CLSH_RANK in 0) until test -e {0}1 -a -e {0}2 -a -e {0}3; do sleep 0.05; done;; \
         *) : >{0}$CLSH_RANK; sleep 2;; esac; echo rank $CLSH_RANK; exit $CLSH_RANK",
        path("up")
    );
    let done = run(&mut config.clsh(&["-q", "-t", "60", "-h", "twin[0-3]", &command]));
    let lines: Vec<String> = (0..4).map(|k| format!("twin{k}: rank {k}")).collect();
    assert_eq!((done.code(), done.sorted()), (3, lines), "{}", done.err());
    wait_until("no master", || !place.path().join("socket").exists());
}

#[test]
fn a_run_that_is_ended_ends_its_command_and_not_the_sessions_of_others() {
    let shared = Shared::new();
    for signal in [2, 3, 15] {
        let sleep = Sleep::new(7102);
        let clsh = start(&mut shared.clsh(&["-h", "node1", &sleep.command()]));
        sleep.wait_for(1);
        let mut own = shared.ssh("node1", "echo up; read line; echo $line");
        own.stdout.wait_for("up\n");
        clsh.signal(signal);
        assert_eq!(clsh.finish().code(), 128 + signal);
        sleep.wait_gone();
        use std::io::Write;
        own.stdin().write_all(b"still there\n").expect("write");
        let own = own.finish();
        assert_eq!(
            (own.code(), own.out()),
            (0, "up\nstill there\n".to_owned()),
            "{}",
            own.err()
        );
        shared.wait_no_master();
    }
}

#[test]
fn a_background_process_on_the_node_leaves_no_ssh_here() {
    let shared = Shared::new();
    let sleep = Sleep::new(7103);
    let done = run(&mut shared.clsh(&["-h", "node1", &format!("{} &", sleep.command())]));
    assert_eq!(done.code(), 0, "{}", done.err());
    shared.wait_no_master();
}

#[test]
fn kill_9_of_clsh_ends_what_it_runs() {
    let shared = Shared::new();
    let sleep = Sleep::new(7104);
    let clsh = start(&mut shared.clsh(&["-h", "twin[1-3]", &sleep.command()]));
    sleep.wait_for(3);
    let ours = children(clsh.pid());
    assert_eq!(ours.len(), 3);
    assert!(ours.iter().all(|ssh| group(ssh.pid) == Some(ssh.pid)));
    clsh.signal(9);
    clsh.finish();
    crate::nodes::wait_all_gone(&ours);
    sleep.wait_gone();
}
