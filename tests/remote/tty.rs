//! `--tty`: commands with a terminal on the far side, through real sshd. What a terminal adds to their lines is taken off; what the wrapper
//! promises stays.

use crate::nodes::{Config, Different, Sleep, Sshd, block, marked, nodes};
use crate::support::{self, Finished, run};
use std::process::Stdio;

fn on_four(words: &[&str]) -> Finished {
    let words = [&["-h", "node[1-4]", "--tty"], words].concat();
    run(&mut nodes().clsh(words))
}

/// What each of four nodes says.
fn from_all(lines: &[&str]) -> Vec<String> {
    let of = |node| lines.iter().map(move |line| format!("node{node}: {line}"));
    let mut all: Vec<String> = (1..=4).flat_map(of).collect();
    all.sort();
    all
}

#[test]
fn the_command_has_a_terminal_and_its_lines_show_nothing_of_it() {
    let command =
        r#"for fd in 0 1 2; do test -t $fd && echo "terminal $fd"; done; printf 'two\r\n\nlast'"#;
    let done = on_four(&[command]);
    assert_eq!(done.code(), 0, "{}", done.err());
    let lines = ["terminal 0", "terminal 1", "terminal 2", "two", "", "last"];
    assert_eq!(done.sorted(), from_all(&lines));
}

#[test]
fn without_it_there_is_none() {
    let done = run(&mut nodes().clsh(["-h", "node1", "test -t 1 || echo none"]));
    assert_eq!(done.out(), "node1: none\n");
}

#[test]
fn stderr_joins_stdout_and_the_status_is_the_command_s() {
    let done = on_four(&["echo bad >&2; exit 7"]);
    assert_eq!(done.code(), 7);
    assert_eq!(done.sorted(), from_all(&["bad"]));
    let summary = "clsh: node[1-4] (4): exited with exit code 7\n";
    assert_eq!(done.err(), summary);
}

#[test]
fn the_command_reads_nothing_from_here() {
    let words = [
        "-h",
        "node1",
        "--tty",
        "read -r -t 1 line; echo \"<$line>\"",
    ];
    let mut clsh = support::start(nodes().clsh(words).stdin(Stdio::piped()));
    use std::io::Write;
    let mut pipe = clsh.stdin();
    // It may be gone before it was written.
    let _ = pipe.write_all(b"typed\n");
    let done = clsh.finish();
    assert_eq!(
        (done.out(), done.code()),
        ("node1: <>\n".into(), 0),
        "{}",
        done.err()
    );
}

#[test]
fn nothing_runs_there_after_the_end_whichever_it_is() {
    for (number, signal, status) in [(831, 15, 143), (832, 9, 137)] {
        let sleep = Sleep::new(number);
        // Not even what ignores the hang-up of its terminal.
        let command = format!("trap '' HUP INT; {}; true", sleep.command());
        let words = ["-h", "node[1-4]", "--tty", "--kill-after", "1", &command];
        let clsh = support::start(&mut nodes().clsh(words));
        sleep.wait_for(4);
        clsh.signal(signal);
        assert_eq!(clsh.finish().code(), status);
        sleep.wait_gone();
    }
}

#[test]
fn files_get_the_lines_without_what_the_terminal_added() {
    let directory = support::scratch();
    let out = directory.path().to_str().expect("text");
    let done = on_four(&["--out", out, "printf 'one\\ntwo\\n'"]);
    assert_eq!(
        (done.code(), done.out()),
        (0, String::new()),
        "{}",
        done.err()
    );
    for node in 1..=4 {
        let text = std::fs::read_to_string(directory.path().join(format!("node{node}.out")));
        assert_eq!(text.expect("read"), "one\ntwo\n");
    }
}

#[test]
fn a_session_and_other_transports_have_none() {
    let done = support::run_clsh(["-h", "n", "-R", "exec", "--tty", "true"]);
    assert_eq!(done.code(), 2);
    assert!(done.err().contains("--tty"), "{}", done.err());
    let done = support::run_clsh(["-i", "-h", "n", "--tty"]);
    assert_eq!(done.code(), 2);
    assert!(
        done.err().contains("--tty is for a single run"),
        "{}",
        done.err()
    );
    // A script that comes in on standard input could not be read from a terminal.
    let done = support::run_clsh(["-h", "n", "--tty"]);
    assert_eq!(done.code(), 2);
    assert!(
        done.err().contains("--tty puts a terminal in its place"),
        "{}",
        done.err()
    );
}

#[test]
fn where_the_node_gives_no_terminal_the_words_of_ssh_say_so_and_nothing_stays() {
    let different = Different {
        lines: "PermitTTY no\n",
        ..Different::default()
    };
    let server = Sshd::start(nodes(), "no-tty", &different);
    let blocks = block("bare", server.port) + "Host *\n  SendEnv LC_CLSH_MARK\n";
    let config = Config::new(nodes(), &blocks);
    let mark = format!("{}-tty", std::process::id());
    let mut call = config.clsh(&["-t", "3", "-h", "bare", "--tty", "sleep 833"]);
    let done = run(call.env("LC_CLSH_MARK", &mark));
    assert_eq!(done.code(), 255, "{done:?}");
    assert!(
        done.err().contains("PTY allocation request failed"),
        "{done:?}"
    );
    support::wait_until("an end of all that ran there", || marked(&mark).is_empty());
}
