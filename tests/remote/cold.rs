//! Many cold connections through real ssh: everybody is answered whom a busy machine or a full gate makes wait, and who is not there is named
//! and costs the others nothing.

use crate::cut::network;
use crate::nodes::{Config, Different, Sleep, Sshd, nodes, quoted};
use crate::support::{self, Finished};
use serde_json::Value;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An sshd on which many names stand, with these lines in its configuration.
fn server(name: &str, lines: &str) -> Sshd {
    let lines = &format!("LoginGraceTime 120\n{lines}");
    let different = Different {
        lines,
        ..Different::default()
    };
    Sshd::start(nodes(), name, &different)
}

/// `c1` and so on are names of this server, `d1` and so on of what listens at `dead`.
fn config(server: &Sshd, dead: u16) -> Config {
    let block = |names: &str, port: u16| {
        format!("Host {names}\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias node1\n")
    };
    Config::new(nodes(), &(block("c*", server.port) + &block("d*", dead)))
}

/// Takes connections and says nothing.
fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

#[track_caller]
fn all_answer(done: &Finished, count: usize) {
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let mut expected: Vec<String> = (1..=count).map(|at| format!("c{at}: c{at}")).collect();
    expected.sort();
    assert_eq!(done.sorted(), expected);
}

#[test]
fn two_hundred_at_once_all_answer() {
    let server = server("cold", "MaxStartups 1000:30:2000");
    let config = config(&server, 9);
    let words = ["-f", "200", "-h", "c[1-200]", "echo $CLSH_HOST"];
    all_answer(&support::run(&mut config.clsh(&words)), 200);
}

/// A control group whose processes get half a processor together. Gone with the value, as its processes are by then.
struct HalfProcessor {
    directory: PathBuf,
}

impl HalfProcessor {
    /// None where nobody may make one.
    fn new() -> Option<Self> {
        let name = format!("clsh-test-{}", std::process::id());
        let [first, second] = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"].map(Path::new);
        let settings = [
            // Version 1, then 2 (the kernel's Documentation/scheduler/sched-bwc.rst).
            (first, "cpu.cfs_quota_us", "50000"),
            (second, "cpu.max", "50000 100000"),
        ];
        settings.into_iter().find_map(|(place, file, value)| {
            let half = Self {
                directory: place.join(&name),
            };
            std::fs::create_dir(&half.directory).ok()?;
            // A file that the kernel did not make is none of its settings.
            let setting = half.directory.join(file);
            let set = setting.exists() && std::fs::write(setting, value).is_ok();
            set.then_some(half)
        })
    }

    /// The same call as one of its processes.
    fn holds(&self, call: &Command) -> Command {
        let join = format!(
            "echo $$ >{}; exec \"$@\"",
            quoted(&self.directory.join("cgroup.procs"))
        );
        support::behind(&["sh", "-c", &join, "sh"], call)
    }
}

impl Drop for HalfProcessor {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.directory);
    }
}

#[test]
fn all_answer_though_clsh_and_its_ssh_have_half_a_processor() {
    let Some(half) = HalfProcessor::new() else {
        return support::not_run("no control group for processors can be made");
    };
    let server = server("half", "MaxStartups 1000:30:2000");
    let config = config(&server, 9);
    // Each handshake takes 128 ms of a processor in OpenSSH 9.2: all of them, some 25 seconds of this half.
    let words = ["-f", "100", "-h", "c[1-100]", "echo $CLSH_HOST"];
    all_answer(&support::run(&mut half.holds(&config.clsh(&words))), 100);
}

#[test]
fn who_is_dropped_by_a_full_gate_gets_through_without_being_asked_for() {
    let wide = server("gate", "MaxStartups 10:30:100");
    let by_gate = config(&wide, 9);
    let words = ["-f", "64", "-h", "c[1-60]", "echo $CLSH_HOST"];
    all_answer(&support::run(&mut by_gate.clsh(&words)), 60);
    // Where all begin at once some are dropped, and -v tells.
    let narrow = server("narrow", "MaxStartups 3:100:3");
    let config = config(&narrow, 9);
    let words = ["-v", "-f", "64", "-h", "c[1-20]", "echo $CLSH_HOST"];
    let done = support::run(&mut config.clsh(&words));
    assert_eq!(done.sorted().len(), 20, "{}", done.err());
    let told = "the connection was dropped before the login; trying again";
    assert!(done.err().contains(told), "{}", done.err());
    assert!(!done.err().contains("kex_exchange_identification"));
}

#[test]
fn a_gate_that_stays_closed_is_named_with_the_words_of_ssh() {
    let server = server("shut", "MaxStartups 1:100:1");
    // Who says nothing keeps the one place until LoginGraceTime is over.
    let held = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let mut banner = [0; 4];
    (&held).read_exact(&mut banner).expect("a banner");
    let done = support::run(&mut config(&server, 9).clsh(&["-h", "c1", "true"]));
    assert_eq!(done.code(), 255);
    assert_eq!(done.err().matches("ERROR: c1 connection failed").count(), 1);
    let words = done.err();
    let said = [
        "Connection closed by",
        "Connection reset by",
        "kex_exchange_identification",
    ];
    assert!(said.iter().any(|text| words.contains(text)), "{words}");
    drop(held);
}

#[test]
fn one_that_says_nothing_is_named_and_the_others_answer_before() {
    let server = server("beside", "MaxStartups 1000:30:2000");
    let (_held, dead) = silent();
    the_others_answer_before(&config(&server, dead));
}

#[test]
fn one_whose_network_swallows_all_is_named_and_the_others_answer_before() {
    let Some(network) = network("cold::one_whose_network_swallows_all") else {
        return;
    };
    network.swallow();
    let server = server("swallow", "MaxStartups 1000:30:2000");
    let blocks = |near: &str, far: &str| {
        let port = server.port;
        format!(
            "Host c*\n  HostName {near}\n  Port {port}\n  HostKeyAlias node1\nHost d*\n  HostName {far}\n"
        )
    };
    let config = Config::new(nodes(), &blocks("127.0.0.1", &network.far));
    the_others_answer_before(&config);
}

/// Of 60 nodes the first, `d1`, is not there.
#[track_caller]
fn the_others_answer_before(config: &Config) {
    let words = ["-t", "20", "--json", "-h", "d1,c[1-59]", "echo $CLSH_HOST"];
    let done = support::run(&mut config.clsh(&words));
    assert_eq!(done.code(), 255);
    let ends: Vec<Value> = done
        .out()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an object"))
        .filter(|object| object["event"] == "exit")
        .collect();
    assert_eq!(ends.len(), 60);
    let (last, others) = ends.split_last().expect("ends");
    assert_eq!(
        (&last["node"], &last["outcome"]),
        (&"d1".into(), &"connection failed".into())
    );
    assert_eq!(last["connect_seconds"], Value::Null);
    for end in others {
        let [connected, took] = ["connect_seconds", "seconds"].map(|key| end[key].as_f64());
        assert!(connected.is_some() && connected <= took, "{end}");
    }
    assert!(done.err().contains("ERROR: d1 connection failed"));
}

#[test]
fn a_startup_file_that_hangs_is_named() {
    let directory = support::scratch();
    let sleep = Sleep::new(310);
    let rc = support::script(
        directory.path(),
        "rc",
        &format!("#!/bin/sh\nexec {}\n", sleep.command()),
    );
    let server = server("hangs", &format!("ForceCommand {}", quoted(&rc)));
    let done = support::run(&mut config(&server, 9).clsh(&["-t", "2", "-h", "c[1-3]", "true"]));
    assert_eq!(done.code(), 255);
    assert_eq!(
        done.err().matches("no answer within 2 s").count(),
        3,
        "{}",
        done.err()
    );
}
