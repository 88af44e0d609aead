//! What travels to a node, and what of it anybody can see there: the bootstrap's command line, the script behind it, commands of any length.

use crate::farm::{farm, find, without_users};
use crate::nodes::{Sleep, below, left_out, nodes, session_above, wait_all_gone};
use crate::support::{self, Process};
use crate::talk::Talk;
use clsh::hosts::{Node, NodeSet};
use clsh::remote::{Call, Invocation, Nonce, SshOptions, Transport, Work};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Whether a text holds what only a nonce is: thirty-two hexadecimal digits in a row.
fn holds_nonce(text: &str) -> bool {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    text.as_bytes()
        .windows(32)
        .any(|part| part.iter().all(is_hex))
}

/// What ps shows of these processes is short, and tells nothing but the bootstrap and the user's own command.
fn shows_little(processes: &[Process], own: &[&str]) {
    assert!(!processes.is_empty());
    for process in processes {
        let line = process.words.join(" ");
        assert!(!holds_nonce(&line), "a nonce in {line}");
        if own.iter().any(|own| line.ends_with(own)) {
            continue;
        }
        assert!(line.len() < 200, "{} bytes: {line}", line.len());
        for word in ["_clsh", "CLSH_", "hello", "watch", "trap"] {
            assert!(!line.contains(word), "{word} in {line}");
        }
    }
}

#[test]
fn what_ps_shows_on_a_node_is_short_and_the_same_for_all_runs() {
    let sleep = Sleep::new(9001);
    let clsh = support::start(&mut nodes().clsh(["-h", "node1", &sleep.command()]));
    sleep.wait_for(1);
    let session = session_above(sleep.running()[0].pid);
    let far = below(session.pid);
    shows_little(&far, &[&sleep.command()]);
    let boot = |process: &&Process| process.words.last().is_some_and(|word| word == "clsh");
    assert!(far.iter().any(|process| boot(&process)), "{far:?}");
    // ssh carries the same words whatever is run.
    let near = support::children(clsh.pid());
    shows_little(
        &near
            .iter()
            .map(|ssh| Process {
                words: ssh.words.last().cloned().into_iter().collect(),
                ..ssh.clone()
            })
            .collect::<Vec<_>>(),
        &[],
    );
    clsh.signal(15);
    assert_eq!(clsh.finish().code(), 143);
    sleep.wait_gone();
}

#[test]
fn what_ps_shows_of_a_session_is_short_too() {
    let mut talk = Talk::on("node1", &[]);
    let sleep = Sleep::new(9002);
    talk.say(&sleep.command());
    sleep.wait_for(1);
    let far = below(session_above(sleep.running()[0].pid).pid);
    shows_little(&far, &[&sleep.command()]);
    let clsh = talk.clsh.pid();
    support::kill(clsh, 15);
    sleep.wait_gone();
}

#[test]
fn a_command_may_be_longer_than_an_argument() {
    // Each word is short enough for clsh's own arguments.
    let words: Vec<String> = (0..14).map(|_| "x".repeat(100_000)).collect();
    let mut call = vec!["-N", "-q", "-h", "node[1-2]", "printf", "%s", "end;", ":"];
    call.extend(words.iter().map(String::as_str));
    call.extend(["&&", "echo", "over"]);
    let done = nodes().run(&call);
    assert_eq!(
        (done.code(), done.out()),
        (0, "endover\nendover\n".to_owned()),
        "{}",
        done.err()
    );
}

#[test]
fn a_long_command_runs_in_every_login_shell() {
    if without_users("long commands in every login shell") {
        return;
    }
    let farm = farm();
    let shells = ["bash", "dash", "zsh", "fish", "tcsh", "ksh", "mksh", "ash"];
    let words = shells.map(|shell| {
        let user = farm.user(&format!("long-{shell}"), &farm.shell(shell));
        format!("{user}@node1")
    });
    let list = words.join(",");
    let text = "x".repeat(60_000);
    let call = [
        "-h",
        &list,
        "echo",
        &text,
        &text,
        &text,
        ">/dev/null;",
        "echo",
        "done;",
        "exit",
        "3",
    ];
    let done = farm.cluster.run(call);
    let mut expected = words.clone().map(|word| format!("{word}: done"));
    expected.sort();
    assert_eq!(
        (done.code(), done.sorted()),
        (3, expected.to_vec()),
        "{}",
        done.err()
    );
}

/// clsh's own arguments end at a few megabytes, so this one is carried by hand, as the driver does it.
#[test]
fn eight_mebibytes_of_command_arrive_unchanged() {
    let nonce = Nonce::new([0x2b; 16]);
    let mut command = b"wc -c <<'END'\n".to_vec();
    let line = b"it's \\ a $line `of` \"text\"\n";
    while command.len() < 8 * 1024 * 1024 {
        command.extend_from_slice(line);
    }
    let expected = command.len() - b"wc -c <<'END'\n".len();
    command.extend_from_slice(b"END");
    let transport = Transport::parse("ssh", SshOptions::default(), false).expect("ssh");
    let invocation = Invocation::new(
        Call {
            transport: &transport,
            work: Work::Command(&[command]),
            user: None,
            local_user: "x".to_owned(),
            connect: Duration::from_secs(10),
            kill_after: Duration::from_secs(2),
            count: 1,
            input: false,
            sudo: None,
        },
        &nonce,
    )
    .expect("any length");
    let node = one("node1");
    let words = invocation.words(&node, 0);
    let mut ssh = Command::new("ssh")
        .arg("-F")
        .arg(nodes().ssh_config())
        .args(words[1..].iter().map(|word| OsStr::from_bytes(word)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh");
    let mut input = ssh.stdin.take().expect("piped");
    for text in invocation.stage(0, &node, 0).expect("a stage") {
        input.write_all(&text).expect("write");
    }
    let out = ssh.wait_with_output().expect("wait");
    drop(input);
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    let frame = |words: &str| format!("\x1e{} {words}", nonce.as_str());
    assert!(out.contains(&format!("\n{expected}\n")), "{out:?}");
    assert!(out.contains(&frame("exit 0")), "{out:?}");
}

fn one(name: &str) -> Node {
    let mut nodes = NodeSet::new();
    nodes.add(name).expect("a node");
    nodes.iter().next().expect("one").clone()
}

/// A startup file of bash's, and what has to come of this command then.
struct Case {
    name: &'static str,
    rc: &'static str,
    command: &'static str,
    options: &'static [&'static str],
    status: i32,
    out: &'static str,
    /// Stands in what is said on stderr.
    err: &'static str,
}

const CASES: [Case; 10] = [
    Case {
        name: "log",
        rc: "exec 2>>$HOME/log",
        command: "echo out; echo err >&2; sleep 4; exit 3",
        options: &["-t", "3"],
        status: 3,
        out: "out\n",
        err: "exited with exit code 3",
    },
    Case {
        name: "pipe",
        rc: "exec 2> >(cat >/dev/null)",
        command: "echo out; exit 3",
        options: &[],
        status: 3,
        out: "out\n",
        err: "exited with exit code 3",
    },
    Case {
        name: "null",
        rc: "exec >/dev/null",
        command: "echo out; echo err >&2; exit 3",
        options: &[],
        status: 3,
        out: "",
        err: "err\n",
    },
    Case {
        name: "exit",
        rc: "exit 7",
        command: "echo out",
        options: &["--retries", "0"],
        status: 255,
        out: "",
        err: "the login succeeded, but the login shell ended with status 7 before the command began",
    },
    Case {
        name: "limit",
        rc: "ulimit -u 1",
        command: "echo out",
        options: &[],
        status: 255,
        out: "",
        err: "the limit of processes",
    },
    Case {
        name: "shell",
        rc: "export SHELL=/bin/false",
        command: "echo ${BASH_VERSION:+bash} $SHELL $SHLVL",
        options: &[],
        status: 0,
        out: "bash /bin/false 1\n",
        err: "",
    },
    Case {
        name: "trace",
        rc: "set -xv",
        command: "echo out",
        options: &[],
        status: 0,
        out: "out\n",
        err: "echo out",
    },
    Case {
        name: "options",
        rc: "export SHELLOPTS; set -e",
        command: "echo out",
        options: &[],
        status: 0,
        out: "out\n",
        err: "",
    },
    Case {
        name: "stdin",
        rc: "exec </dev/null",
        command: "echo out",
        options: &[],
        status: 255,
        out: "",
        err: "does a startup file change standard input",
    },
    Case {
        name: "other",
        rc: "exec cat",
        command: "echo out",
        options: &["-t", "3"],
        status: 255,
        out: "",
        err: "no answer within 3 s",
    },
];

#[test]
fn whatever_a_startup_file_does_the_node_is_told_truly() {
    if without_users("startup files of all kinds") {
        return;
    }
    let farm = farm();
    for case in &CASES {
        let user = farm.user_with(
            &format!("rc-{}", case.name),
            &find("bash"),
            ".bashrc",
            case.rc,
        );
        let mut call = farm.cluster.clsh(["-N", "-l", &user, "-h", "node1"]);
        let done = support::run(call.args(case.options).arg(case.command));
        let (name, err) = (case.name, done.err());
        assert_eq!(
            (done.code(), done.out()),
            (case.status, case.out.to_owned()),
            "{name}: {err}"
        );
        assert!(err.contains(case.err), "{name}: {err}");
        assert!(!err.contains("_nonce"), "{name}: {err}");
    }
}

/// What is piped in must not be taken for commands by what a startup file started instead.
#[test]
fn input_is_not_sent_before_the_bootstrap_asks_for_its_script() {
    if without_users("startup files that exec a shell") {
        return;
    }
    let farm = farm();
    let user = farm.user_with(
        "rc-exec",
        &find("bash"),
        ".bashrc",
        "[ $SHLVL -gt 1 ] || exec sh",
    );
    let call = ["-t", "3", "-l", &user, "-h", "node1", "cat"];
    let mut clsh = support::start(farm.cluster.clsh(call).stdin(Stdio::piped()));
    clsh.stdin().write_all(b"echo DANGER\n").expect("write");
    let done = clsh.finish();
    assert_eq!(
        (done.code(), done.out()),
        (255, String::new()),
        "{}",
        done.err()
    );
}

#[test]
fn a_session_lives_with_a_stderr_that_leads_elsewhere() {
    if without_users("a session without stderr") {
        return;
    }
    let farm = farm();
    let user = farm.user_with("rc-talk", &find("bash"), ".bashrc", "exec 2>>$HOME/log");
    let word = format!("{user}@node1");
    let mut talk = Talk::with(&farm.cluster.clsh(["-i", "-h", &word]));
    assert_eq!(talk.ask("echo one; echo two >&2").lines, ["node1: one"]);
    assert_eq!(
        talk.ask("exit_status() { return 4; }; exit_status")
            .notes
            .lines()
            .count(),
        1
    );
    assert_eq!(talk.ask("echo three").lines, ["node1: three"]);
    talk.quit(0);
}

/// The account's shell is one that can't run anything: what is said is the login shell's status.
#[test]
fn a_login_shell_that_only_ends_is_no_failed_connection_without_a_reason() {
    if without_users("a login shell that ends at once") {
        return;
    }
    let farm = farm();
    let user = farm.user("false", &find("false"));
    let done = farm.cluster.run(["-l", &user, "-h", "node1", "echo out"]);
    assert_eq!((done.code(), done.out()), (255, String::new()));
    let words = "the login succeeded, but the login shell ended with status 1 before";
    assert!(done.err().contains(words), "{}", done.err());
}

#[test]
fn a_transport_without_standard_input_is_told_so_for_one_command_too() {
    let words = [
        "-R",
        "env HOST=%h sh -c 'exec sh -c \"$1\" </dev/null' sh",
        "-h",
        "n1",
        "echo out",
    ];
    let clsh = support::start(&mut support::clsh_with(words));
    let started = below(clsh.pid());
    let done = clsh.finish();
    assert_eq!((done.code(), done.out()), (255, String::new()));
    let words = "forwards no standard input, which clsh needs";
    assert!(done.err().contains(words), "{}", done.err());
    wait_all_gone(&started);
}

#[test]
fn dropbear_is_a_node_like_any_other() {
    if left_out("CLSH_TEST_NO_DROPBEAR", "a node that runs dropbear") || without_users("dropbear") {
        return;
    }
    let farm = farm();
    let user = farm.user("dropbear", &find("bash"));
    let node = farm.dropbear(&user);
    let run = |words: &[&str]| support::run(&mut node.clsh(words));
    let done = run(&["-N", "echo out; echo err >&2; exit 3"]);
    assert_eq!(
        (done.code(), done.out()),
        (3, "out\n".to_owned()),
        "{}",
        done.err()
    );
    assert!(done.err().starts_with("err\n"), "{}", done.err());
    // dropbear takes no command line over some 9,000 bytes.
    let long = format!("echo {} | wc -c", "x".repeat(20_000));
    let done = run(&["-N", &long]);
    assert_eq!(
        (done.code(), done.out()),
        (0, "20001\n".to_owned()),
        "{}",
        done.err()
    );
    let mut talk = Talk::with(&node.clsh(&["-i"]));
    assert_eq!(talk.ask("cd /; pwd").lines.len(), 1);
    talk.quit(0);
    for signal in [15, 9] {
        let sleep = Sleep::new(9010 + signal as u32);
        let clsh = support::start(&mut node.clsh(&[&format!("timeout 1000 {}", sleep.command())]));
        sleep.wait_for(1);
        clsh.signal(signal);
        assert_eq!(clsh.finish().code(), 128 + signal);
        sleep.wait_gone();
    }
}
