//! Standard input for the commands of all nodes: every byte of it arrives, and while the command has the channel's stdin the watcher
//! notices the end of the connection in another way.

use crate::cut::network;
use crate::farm::{farm, find, without_users};
use crate::nodes::{
    Config, Different, Sleep, Sshd, below, block, group, left_out, nodes, quoted, ssh_of,
    wait_all_gone,
};
use crate::support::{self, Finished, Process, Running, run};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

// All of it arrives.

/// A config with this many nodes, `m00` and on, on the eight that there are.
pub fn many(count: usize) -> Config {
    let blocks: String = (0..count)
        .map(|rank| {
            let node = format!("node{}", rank % 8 + 1);
            let port = nodes().directory().join(format!("{node}.port"));
            let port = std::fs::read_to_string(port).expect("port");
            format!("Host m{rank:02}\n  HostName 127.0.0.1\n  Port {port}  HostKeyAlias {node}\n")
        })
        .collect();
    Config::new(nodes(), &blocks)
}

fn random(bytes: usize) -> Vec<u8> {
    let mut found = vec![0; bytes];
    let mut source = File::open("/dev/urandom").expect("random");
    source.read_exact(&mut found).expect("random");
    found
}

/// Runs a call with this input from a pipe.
fn fed(call: &mut Command, input: &[u8]) -> Finished {
    let mut clsh = support::start(call.stdin(Stdio::piped()));
    let mut pipe = clsh.stdin();
    thread::scope(|scope| {
        // Who reads no more lets the write fail.
        scope.spawn(move || pipe.write_all(input));
        clsh.finish()
    })
}

const INPUT_BYTES: usize = 3 << 20;

/// 3 MiB on twenty nodes, so many at once.
fn arrives_unchanged(at_once: &str, from_a_file: bool) {
    let config = many(20);
    let directory = support::scratch();
    let path = directory.path().join("input");
    let input = random(INPUT_BYTES);
    std::fs::write(&path, &input).expect("write");
    let sum = run(Command::new("sha256sum").stdin(File::open(&path).expect("open")));
    let mut call = config.clsh(&["-t", "60", "-f", at_once, "-h", "m[00-19]", "sha256sum"]);
    let done = match from_a_file {
        true => run(call.stdin(File::open(&path).expect("open"))),
        false => fed(&mut call, &input),
    };
    let expected: Vec<String> = (0..20)
        .map(|rank| format!("m{rank:02}: {}", sum.out().trim_end()))
        .collect();
    assert_eq!(
        (done.code(), done.err(), done.sorted()),
        (0, String::new(), expected)
    );
}

#[test]
fn random_bytes_from_a_pipe_arrive_unchanged_on_twenty_nodes_at_once() {
    arrives_unchanged("20", false);
}

#[test]
fn random_bytes_from_a_pipe_arrive_unchanged_on_nodes_that_start_later() {
    arrives_unchanged("3", false);
}

#[test]
fn random_bytes_from_a_file_arrive_unchanged_on_nodes_that_start_later() {
    arrives_unchanged("3", true);
}

#[test]
fn names_from_ls_go_through_xargs_on_every_node() {
    let directory = support::scratch();
    let file = directory.path().join("hostfile");
    std::fs::write(&file, "node[1-8]\n").expect("write");
    let line = format!(
        "ls /etc/*.conf | {} --hostfile {} -b xargs ls",
        quoted(Path::new(support::clsh().get_program())),
        quoted(&file)
    );
    let mut call = Command::new("sh");
    call.args(["-c", &line]).stdin(Stdio::null());
    call.env("CLSH_SSH_CONFIG", nodes().ssh_config());
    let done = run(&mut call);
    let files = run(Command::new("sh").args(["-c", "ls /etc/*.conf"]));
    let rule = "---------------";
    let expected = format!("{rule}\nnode[1-8] (8)\n{rule}\n{}", files.out());
    assert_eq!(
        (done.code(), done.err(), done.out()),
        (0, String::new(), expected)
    );
}

/// What each of these nodes wrote to stdout, byte by byte, all of them with this status and quietly.
fn written_by(call: &mut Command, labels: &[String], input: &[u8], status: i32) -> Vec<Vec<u8>> {
    let directory = support::scratch();
    // Options stand before all other words.
    let mut with_out = support::clsh();
    with_out.arg("--out").arg(directory.path());
    with_out.args(call.get_args());
    for (name, value) in call.get_envs() {
        with_out.env(name, value.unwrap_or_default());
    }
    let done = fed(&mut with_out, input);
    let failed = format!("exited with exit code {status}\n");
    assert_eq!((done.code(), done.out()), (status, String::new()));
    let said = done.err();
    let quiet = match status {
        0 => said.is_empty(),
        _ => said.lines().count() == 1 && said.ends_with(&failed),
    };
    assert!(quiet, "{said}");
    let read = |label: &String| {
        let file = directory.path().join(format!("{label}.out"));
        std::fs::read(&file).unwrap_or_else(|error| panic!("{label}: {error}"))
    };
    labels.iter().map(read).collect()
}

/// The first line is as good as any other, NUL and what looks like a frame pass, and the last line needs no newline.
fn awkward_input() -> Vec<u8> {
    let mut input = b"first line\n\n\x1e00 exit 3\x1e\nnul\0 \xff\xfe\\n 'quoted'\r\n".to_vec();
    for number in 0..20_000 {
        input.extend(format!("line {number}\n").into_bytes());
    }
    input.extend(b"end");
    input
}

/// Several commands with forwarded stdin on these nodes. `call` makes the call of a command.
fn every_command_gets_its_input(labels: &[String], call: impl Fn(&str) -> Command) {
    let input = awkward_input();
    let written = |command: &str, input: &[u8], status: i32| {
        written_by(&mut call(command), labels, input, status)
    };
    for (label, found) in labels.iter().zip(written("cat", &input, 0)) {
        assert!(
            found == input,
            "{label}: {} bytes of {}, first {:?}",
            found.len(),
            input.len(),
            String::from_utf8_lossy(&found[..found.len().min(60)])
        );
    }
    let all = |found: Vec<Vec<u8>>, expected: &str| {
        for (label, found) in labels.iter().zip(found) {
            let found = String::from_utf8_lossy(&found).replace(' ', "");
            assert_eq!(found, expected.replace(' ', ""), "{label}");
        }
    };
    all(
        written("xargs echo got; wc -c; exit 7", b"a b\nc\n", 7),
        "got a b c\n0\n",
    );
    all(written("head -1", &input, 0), "first line\n");
    all(written("echo unread; exit 3", &input, 3), "unread\n");
}

#[test]
fn every_login_shell_hands_the_input_to_the_command() {
    if without_users("standard input through every login shell") {
        return;
    }
    let farm = farm();
    let shells = ["bash", "dash", "zsh", "fish", "tcsh", "ksh", "mksh", "ash"];
    let labels = shells.map(|shell| {
        let user = farm.user(&format!("in-{shell}"), &farm.shell(shell));
        format!("{user}@node1")
    });
    let list = labels.join(",");
    every_command_gets_its_input(&labels, |command| {
        farm.cluster.clsh(["-t", "60", "-h", &list, command])
    });
}

/// Nodes on which another shell stands behind the name `sh`, each known by that shell's name, and their files.
fn nodes_by_sh(name: &str, shells: &[&str]) -> (tempfile::TempDir, Vec<Sshd>, Config) {
    let directory = support::scratch();
    let sshds: Vec<Sshd> = shells
        .iter()
        .map(|shell| {
            let place = directory.path().join(shell);
            std::fs::create_dir(&place).expect("mkdir");
            std::os::unix::fs::symlink(find(shell), place.join("sh")).expect("symlink");
            let variables = format!("PATH={}:/usr/local/bin:/usr/bin:/bin", place.display());
            let different = Different {
                variables: &variables,
                ..Different::default()
            };
            Sshd::start(nodes(), &format!("{name}-{shell}"), &different)
        })
        .collect();
    let blocks: String = shells
        .iter()
        .zip(&sshds)
        .map(|(shell, sshd)| block(shell, sshd.port))
        .collect();
    let config = Config::new(nodes(), &blocks);
    (directory, sshds, config)
}

const SH: [&str; 6] = ["dash", "bash", "busybox", "zsh", "ksh", "mksh"];

#[test]
fn the_wrapper_hands_the_input_on_whatever_shell_is_behind_the_name_sh() {
    if left_out("CLSH_TEST_NO_SHELLS", "standard input under every sh") {
        return;
    }
    let (_directory, _sshds, config) = nodes_by_sh("in", &SH);
    let list = SH.join(",");
    let labels = SH.map(str::to_owned);
    every_command_gets_its_input(&labels, |command| {
        config.clsh(&["-t", "60", "-h", &list, command])
    });
}

// The watcher, which has no stdin for a lifeline.

/// Reads all; ends its reading and goes on; reads nothing; reads nothing and ignores every polite signal. By rank.
fn four_kinds(sleep: &Sleep) -> String {
    format!(
        "echo begun $$; case $CLSH_RANK in
           0) cat >/dev/null;;
           1) while read -r line; do :; done; {0};;
           2) {0};;
           3) trap '' TERM HUP INT; while :; do {0}; done;;
         esac",
        sleep.command()
    )
}

/// The process groups of commands that said `begun` and their number, once all of these have.
fn groups(clsh: &Running, labels: &[&str]) -> Vec<i32> {
    let pid = |label: &&str| {
        let start = format!("{label}: begun ");
        let mut pid = None;
        support::wait_until(&format!("a line '{start}'"), || {
            let text = clsh.stdout.text();
            let mut whole = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            pid = whole.find_map(|line| line.trim_end().strip_prefix(&start)?.parse().ok());
            pid.is_some()
        });
        pid.expect("waited for")
    };
    let group = |pid| group(pid).unwrap_or_else(|| panic!("{pid} is gone already"));
    labels.iter().map(pid).map(group).collect()
}

/// Waits until none of these process groups has a living member: command, wrapper and watcher are of it.
fn wait_groups_gone(groups: &[i32]) {
    let mut left: Vec<Process> = Vec::new();
    support::wait_until(&format!("the end of the groups {groups:?}"), || {
        left = support::processes();
        left.retain(|process| group(process.pid).is_some_and(|group| groups.contains(&group)));
        left.is_empty()
    });
}

/// Runs the four kinds with input that never ends, ends them with `end`, and looks at what is left. `call` makes the call of a
/// command on the nodes of these labels, four of a kind.
fn all_gone_after(
    sleep: &Sleep,
    labels: &[&str],
    call: impl Fn(&str) -> Command,
    end: impl FnOnce(&Running),
) -> Finished {
    let mut clsh = support::start(call(&four_kinds(sleep)).stdin(Stdio::piped()));
    let mut pipe = clsh.stdin();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let feeder = thread::spawn(move || {
        let pause = std::time::Duration::from_millis(20);
        while pipe.write_all(b"more\n").is_ok()
            && stopped.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
        }
    });
    let groups = groups(&clsh, labels);
    let started = below(clsh.pid());
    assert!(started.len() >= labels.len(), "{started:?}");
    end(&clsh);
    let done = clsh.finish();
    wait_all_gone(&started);
    wait_groups_gone(&groups);
    sleep.wait_gone();
    drop(stop);
    feeder.join().expect("no panic");
    let more = done
        .out()
        .lines()
        .filter(|line| !line.contains(": begun "))
        .count();
    assert_eq!(more, 0, "{}", done.out());
    done
}

const FOUR: [&str; 4] = ["node1", "node2", "node3", "node4"];

fn all_gone_on_four(number: u32, options: &[&str], end: impl FnOnce(&Running)) -> Finished {
    let call = |command: &str| {
        let words = [options, &["--kill-after", "1", "-h", "node[1-4]", command]].concat();
        nodes().clsh(words)
    };
    all_gone_after(&Sleep::new(number), &FOUR, call, end)
}

fn ended_by(signal: i32, number: u32) {
    let done = all_gone_on_four(number, &[], |clsh| clsh.signal(signal));
    let said = match signal {
        9 => "",
        _ => "clsh: node[1-4] (4): terminated\n",
    };
    assert_eq!((done.code(), done.err()), (128 + signal, said.to_owned()));
}

#[test]
fn after_sigkill_nothing_runs_there_whether_it_reads_or_not() {
    ended_by(9, 801);
}

#[test]
fn after_sigterm_nothing_runs_there_whether_it_reads_or_not() {
    ended_by(15, 802);
}

#[test]
fn after_sigint_nothing_runs_there_whether_it_reads_or_not() {
    ended_by(2, 803);
}

#[test]
fn with_input_a_killed_ssh_is_a_lost_connection_and_nothing_runs_there() {
    let done = all_gone_on_four(804, &["--keep-going"], |clsh| {
        for node in FOUR {
            support::kill(ssh_of(clsh, node).pid, 9);
        }
    });
    let err = done.err();
    for node in FOUR {
        let line = format!("ERROR: {node} connection lost\n");
        assert_eq!(err.matches(&line).count(), 1, "{err}");
    }
    assert_eq!((done.code(), err.matches("ERROR").count()), (255, 4));
}

#[test]
fn with_input_nodes_over_their_time_are_ended_here_and_there() {
    let done = all_gone_on_four(805, &["-u", "4"], |_| ());
    let said = "clsh: node[1-4] (4): timed out\n";
    assert_eq!((done.code(), done.err()), (124, said.to_owned()));
}

#[test]
fn with_input_a_cut_network_is_a_lost_connection_and_nothing_runs_there() {
    let what = "input::with_input_a_cut_network_is_a_lost_connection_and_nothing_runs_there";
    let Some(network) = network(what) else {
        return;
    };
    let (_far, config) = network.node();
    let options = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];
    // Ranks of the four kinds; the last one is beyond the cut.
    let labels = ["node1", "node2", "node3", "far"];
    let call = |command: &str| {
        let list = labels.join(",");
        config.clsh(&[&options[..], &["-h", &list, command]].concat())
    };
    let done = all_gone_after(&Sleep::new(806), &labels, call, |_| network.cut());
    let err = done.err();
    assert_eq!(
        err.matches("ERROR: far connection lost\n").count(),
        1,
        "{err}"
    );
    assert_eq!(
        (done.code(), err.matches("ERROR").count()),
        (255, 1),
        "{err}"
    );
}

#[test]
fn nothing_runs_there_after_sigkill_whatever_shell_is_behind_the_name_sh() {
    if left_out("CLSH_TEST_NO_SHELLS", "the watcher under every sh") {
        return;
    }
    let (_directory, _sshds, config) = nodes_by_sh("watch", &SH);
    let sleep = Sleep::new(807);
    let command = format!(
        "echo begun $$; trap '' TERM HUP INT; while :; do {}; done",
        sleep.command()
    );
    let list = SH.join(",");
    let words = ["--kill-after", "1", "-h", &list, &command];
    let mut clsh = support::start(config.clsh(&words).stdin(Stdio::piped()));
    let _pipe = clsh.stdin();
    let groups = groups(&clsh, &SH);
    sleep.wait_for(SH.len());
    clsh.signal(9);
    assert_eq!(clsh.finish().code(), 137);
    wait_groups_gone(&groups);
    sleep.wait_gone();
}

#[test]
fn with_input_a_command_that_ends_leaves_no_watcher_behind() {
    // A watcher that noticed the end only by that of its parent would wait for this grace to pass.
    let words = [
        "--kill-after",
        "900",
        "-h",
        "node[1-4]",
        "echo begun $$; read -r line; exit $CLSH_RANK",
    ];
    let mut clsh = support::start(nodes().clsh(words).stdin(Stdio::piped()));
    let mut pipe = clsh.stdin();
    let groups = groups(&clsh, &FOUR);
    pipe.write_all(b"go on\n").expect("write");
    // The input is still open.
    assert_eq!(clsh.finish().code(), 3);
    wait_groups_gone(&groups);
}

#[test]
fn with_input_a_daemon_survives_the_end_of_the_command() {
    for (number, daemon) in [(808, "nohup"), (809, "setsid")] {
        let sleep = Sleep::new(number);
        let command = format!(
            "{daemon} {} >/dev/null 2>&1 </dev/null & cat; echo started",
            sleep.command()
        );
        let done = fed(&mut nodes().clsh(["-h", "node1", &command]), b"input\n");
        let out = "node1: input\nnode1: started\n";
        assert_eq!(
            (done.code(), done.out(), done.err()),
            (0, out.into(), String::new())
        );
        sleep.wait_for(1);
        let daemon = sleep.running().remove(0);
        let session = group(daemon.pid).expect("alive");
        support::wait_until("the end of wrapper and watcher", || {
            let mut others = support::processes().into_iter();
            !others.any(|other| other.pid != daemon.pid && group(other.pid) == Some(session))
        });
        assert_eq!(sleep.running().len(), 1, "it was started on purpose");
    }
}

#[test]
fn with_input_a_daemon_of_its_own_session_survives_the_end_of_the_connection() {
    let (daemon, sleep) = (Sleep::new(810), Sleep::new(811));
    let command = format!(
        "setsid {} >/dev/null 2>&1 </dev/null & echo begun $$; {}",
        daemon.command(),
        sleep.command()
    );
    let mut clsh = support::start(
        nodes()
            .clsh(["-h", "node1", &command])
            .stdin(Stdio::piped()),
    );
    let _pipe = clsh.stdin();
    let groups = groups(&clsh, &["node1"]);
    daemon.wait_for(1);
    sleep.wait_for(1);
    clsh.signal(9);
    assert_eq!(clsh.finish().code(), 137);
    wait_groups_gone(&groups);
    assert_eq!((sleep.running().len(), daemon.running().len()), (0, 1));
}

#[test]
fn with_input_an_interrupt_ends_those_that_run_and_the_rest_never_starts() {
    let sleep = Sleep::new(812);
    let command = format!("echo begun $$; {}; cat", sleep.command());
    let words = ["-f", "2", "-h", "node[1-4]", &command];
    let mut clsh = support::start(nodes().clsh(words).stdin(Stdio::piped()));
    // More than memory keeps: it waits in the file for the nodes that start later.
    let mut pipe = clsh.stdin();
    let feeder = thread::spawn(move || {
        let _ = pipe.write_all(&vec![b'x'; INPUT_BYTES]);
        pipe
    });
    let groups = groups(&clsh, &FOUR[..2]);
    sleep.wait_for(2);
    let started = below(clsh.pid());
    clsh.signal(2);
    let done = clsh.finish();
    let said = "clsh: node[1-2] (2): terminated\nclsh: node[3-4] (2): not started\n";
    assert_eq!((done.code(), done.err()), (130, said.to_owned()));
    wait_all_gone(&started);
    wait_groups_gone(&groups);
    sleep.wait_gone();
    drop(feeder.join());
}

// A connection that other commands share.

/// A config whose connections stay open and serve every later call, with one to node1 already there. Ended with the value.
struct Shared {
    config: Config,
    directory: tempfile::TempDir,
}

impl Shared {
    fn new() -> Self {
        let directory = support::scratch();
        let path = directory.path().display();
        // Should the test process be killed, the connection ends by itself.
        let lines =
            format!("Host *\n  ControlMaster auto\n  ControlPath {path}/%n\n  ControlPersist 60\n");
        let config = Config::new(nodes(), &lines);
        let shared = Self { config, directory };
        let done = run(&mut shared.config.clsh(&["-n", "-h", "node[1-4]", "true"]));
        assert_eq!((done.code(), done.err()), (0, String::new()));
        shared
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for node in FOUR {
            let socket = self.directory.path().join(node);
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg(self.config.path()).arg("-S").arg(socket);
            let _ = ssh
                .args(["-O", "exit", node])
                .stderr(Stdio::null())
                .status();
        }
    }
}

#[test]
fn over_a_shared_connection_input_arrives_and_statuses_are_kept() {
    let shared = Shared::new();
    let input = random(200_000);
    let labels = FOUR.map(str::to_owned);
    let mut call = shared.config.clsh(&["-h", "node[1-4]", "cat; exit 7"]);
    for found in written_by(&mut call, &labels, &input, 7) {
        assert!(found == input, "{} bytes", found.len());
    }
}

/// The shared connection lives on, and so does the process of sshd above the wrapper.
fn over_a_shared_connection_ended_by(signal: i32, number: u32) {
    let shared = Shared::new();
    let call = |command: &str| {
        let words = ["--kill-after", "1", "-h", "node[1-4]", command];
        shared.config.clsh(&words)
    };
    let sleep = Sleep::new(number);
    let done = all_gone_after(&sleep, &FOUR, call, |clsh| clsh.signal(signal));
    assert_eq!(done.code(), 128 + signal);
}

#[test]
fn over_a_shared_connection_nothing_runs_there_after_sigterm() {
    over_a_shared_connection_ended_by(15, 813);
}

#[test]
fn over_a_shared_connection_nothing_runs_there_after_sigkill() {
    over_a_shared_connection_ended_by(9, 814);
}
