//! Signals of the terminal to clsh and to what reads its output, both at once: one signal is one, whoever ends first.

use crate::kit::{CTRL_C, KILL};
use crate::shell;
use crate::support::{self, wait_until};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Rounds for each way in which the terminal may end a pipe, and how many of them run at once.
const ROUNDS: usize = 50;
const AT_ONCE: usize = 5;
/// What stands behind clsh in a pipe.
const READERS: [&str; 5] = [
    "cat",
    "tee copy",
    "grep .",
    "cat | cat",
    // It catches Ctrl-C, as less does, and goes after it.
    "sh -c 'trap exit INT HUP; while read -r line; do echo $line; done'",
];

/// Two nodes that never stop to speak and want some time for their end.
const NODE: &str = "trap 'sleep 0.3; echo $CLSH_HOST >>marks; exit 0' TERM; while :; do echo line; sleep 0.01; done";

/// The status of clsh stands in a file in the end, whatever became of its terminal.
fn words(reader: &str) -> String {
    let call = "\"$CLSH\" -h 'n[1-2]' -R exec sh -c \"$NODE\"";
    format!("(trap : INT HUP; {call}; echo $? >done; mv done status) | {reader}")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Waits for the end, which every node was given time for.
fn judge(home: &Path, status: &str) {
    wait_until("the status", || home.join("status").exists());
    let marks = text(&home.join("marks"));
    let mut marks: Vec<&str> = marks.lines().collect();
    marks.sort_unstable();
    let ended = (text(&home.join("status")), marks);
    assert_eq!(ended, (format!("{status}\n"), vec!["n1", "n2"]));
}

fn rounds(round: impl Fn(&str) + Sync) {
    let round = &round;
    thread::scope(|scope| {
        for first in 0..AT_ONCE {
            let numbers = (first..ROUNDS).step_by(AT_ONCE);
            scope.spawn(move || {
                for number in numbers {
                    round(READERS[number / AT_ONCE % READERS.len()]);
                }
            });
        }
    });
}

#[test]
fn ctrl_c_that_ends_the_reader_too_is_one_signal() {
    rounds(|reader| {
        let mut terminal = shell(&words(reader)).env("NODE", NODE).start();
        terminal.wait_for("n1: line");
        terminal.wait_for("n2: line");
        terminal.type_keys(CTRL_C);
        judge(&terminal.home, "130");
    });
}

#[test]
fn a_terminal_that_goes_with_the_reader_is_one_signal() {
    rounds(|reader| {
        let home = support::scratch();
        let mut script = Command::new("script");
        script.args(["-qec", &words(reader), "/dev/null"]);
        script.env("CLSH", env!("CARGO_BIN_EXE_clsh"));
        script.env("SHELL", "/bin/sh").env("NODE", NODE);
        script.stdin(Stdio::null()).current_dir(home.path());
        let running = support::start(&mut script);
        running.stdout.wait_for("n1: line");
        running.stdout.wait_for("n2: line");
        // With it goes the terminal that it made.
        running.signal(KILL);
        judge(home.path(), "129");
    });
}

#[test]
fn ctrl_c_counts_in_the_foreground_though_a_script_ignores_it() {
    let words = "trap '' INT; \"$CLSH\" -h n1 -R exec sh -c \"$NODE\"; echo $? >status";
    let mut terminal = shell(words).env("NODE", NODE).start();
    terminal.wait_for("n1:");
    terminal.type_keys(CTRL_C);
    let status = terminal.home.join("status");
    wait_until("the status", || text(&status) == "130\n");
}
