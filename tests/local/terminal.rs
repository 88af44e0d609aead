//! On a terminal labels carry colour and nothing drives the terminal; in a pipe bytes stay what they are.

use crate::kit::{Stray, count, exec, nap};
use crate::support::{children, run, scratch, start, wait_until};
use std::process::{Command, Stdio};

/// A terminal in which `sh` runs `words`; `"$CLSH"` is clsh.
fn terminal(words: &str) -> Command {
    let mut command = Command::new("script");
    command
        .args(["-qec", words, "/dev/null"])
        .env("CLSH", env!("CARGO_BIN_EXE_clsh"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    for name in ["CLSH_HOSTS", "CLSH_HOSTFILE", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// What a terminal shows, its line ends made plain again.
fn shown(words: &str) -> String {
    let done = run(&mut terminal(words));
    assert_eq!(done.code(), 0, "{}", done.out());
    done.out().replace("\r\n", "\n")
}

const ONE: &str = "\"$CLSH\" -h n1 -R exec";

#[test]
fn labels_carry_colour_on_a_terminal() {
    let out = shown(&format!("{ONE} echo text"));
    assert!(
        out.starts_with("\x1b[") && out.ends_with("mn1:\x1b[0m text\n"),
        "{out:?}"
    );
    // Nodes that stand side by side differ.
    let out = shown("\"$CLSH\" -h 'n[1-2]' -R exec -f 1 echo text");
    let colors: Vec<&str> = out
        .lines()
        .map(|line| &line[..line.find('m').expect("m")])
        .collect();
    assert_ne!(colors[0], colors[1], "{out:?}");
}

#[test]
fn no_color_a_dumb_terminal_and_never_leave_labels_plain() {
    for words in [
        format!("NO_COLOR=1 {ONE} echo text"),
        format!("TERM=dumb {ONE} echo text"),
        format!("{ONE} --color never echo text"),
        format!("{ONE} --color=never echo text"),
    ] {
        assert_eq!(shown(&words), "n1: text\n", "{words}");
    }
}

#[test]
fn a_flag_wins_over_the_environment_and_an_empty_no_color_counts_for_nothing() {
    for words in [
        format!("NO_COLOR=1 TERM=dumb {ONE} --color always echo text"),
        format!("NO_COLOR= {ONE} echo text"),
    ] {
        let out = shown(&words);
        assert!(
            out.starts_with("\x1b[") && out.ends_with("\x1b[0m text\n"),
            "{out:?}"
        );
    }
}

/// Prints what would drive a terminal, and a colour sequence.
const DRIVING: &str = r"printf '\033[2J\033]0;title\007\b\000\177\233 \033[31mred\n'";

#[test]
fn what_would_drive_the_terminal_is_made_harmless_and_colours_pass() {
    for plain in ["", "--color never", "-N"] {
        let out = shown(&format!("{ONE} {plain} sh -c \"{DRIVING}\""));
        assert!(out.contains("\x1b[31mred\x1b[0m\n"), "{out:?}");
        let rest = out
            .replace("\x1b[31mred\x1b[0m", "")
            .replace("mn1:\x1b[0m ", "");
        let rest = rest.strip_prefix("\x1b[36").unwrap_or(&rest);
        let visible: Vec<char> = rest.chars().filter(|&c| c != '\n').collect();
        assert!(!visible.iter().any(|c| c.is_control()), "{rest:?}");
        assert!(rest.contains("[2J") && rest.contains("title"), "{rest:?}");
    }
}

#[test]
fn what_hides_text_or_turns_it_around_is_made_harmless_on_a_terminal_alone() {
    // A right-to-left override, a line separator, and fifty accents on one letter, in octal.
    let override_ = r"\342\200\256";
    let separator = r"\342\200\250";
    let accents = r"\314\201".repeat(50);
    let script = format!("printf 'a{override_}b{separator}e{accents}x\n'");
    for shape in ["", "-b", "-L", "--json"] {
        let out = shown(&format!("{ONE} {shape} sh -c \"{script}\""));
        assert!(!out.contains(['\u{202e}', '\u{2028}']), "{shape}: {out:?}");
        assert!(out.matches('\u{301}').count() <= 8, "{shape}: {out:?}");
        assert!(
            out.contains("202e") && out.contains("2028"),
            "{shape}: {out:?}"
        );
        let done = run(&mut exec("n1", ["sh", "-c", &script]));
        let wanted = format!("n1: a\u{202e}b\u{2028}e{}x\n", "\u{301}".repeat(50));
        assert_eq!(done.out(), wanted);
    }
}

#[test]
fn stderr_on_a_terminal_is_made_harmless_while_stdout_in_a_pipe_is_not() {
    let out = shown(&format!("{ONE} sh -c \"{DRIVING} >&2\" | cat"));
    assert!(!out.contains("\x1b[2J") && out.contains("[2J"), "{out:?}");
    let directory = scratch();
    let mut call = terminal(&format!("{ONE} sh -c \"{DRIVING}\" >file"));
    assert_eq!(run(call.current_dir(directory.path())).code(), 0);
    let file = std::fs::read(directory.path().join("file")).expect("read");
    let wanted = b"n1: \x1b[2J\x1b]0;title\x07\x08\x00\x7f\x9b \x1b[31mred\n";
    assert_eq!(file, wanted);
}

#[test]
fn always_colours_the_labels_in_a_pipe_and_changes_nothing_else() {
    let mut call = exec("n1", ["--color", "always", "sh", "-c", DRIVING]);
    let done = run(call.env("TERM", "dumb"));
    let wanted = b"\x1b[36mn1:\x1b[0m \x1b[2J\x1b]0;title\x07\x08\x00\x7f\x9b \x1b[31mred\n";
    assert_eq!(done.stdout, wanted);
    let done = run(&mut exec("n1", ["sh", "-c", "echo text"]));
    assert_eq!(done.out(), "n1: text\n");
}

#[test]
fn every_line_reaches_a_terminal_whole_and_in_order() {
    let script = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i of many; done";
    let out = shown(&format!(
        "\"$CLSH\" -h 'n[1-4]' -R exec --color never sh -c '{script}'"
    ));
    for node in 1..=4 {
        let label = format!("n{node}: ");
        let lines = out.lines().filter_map(|line| line.strip_prefix(&label));
        assert!(
            lines.eq((1..=2000).map(|i| format!("line {i} of many"))),
            "{label}"
        );
    }
}

#[test]
fn ctrl_c_on_a_terminal_reaches_clsh_alone_and_ends_the_run() {
    let nap = nap();
    // The command would say so if the terminal's signal reached it.
    let script = format!("trap \"echo interrupted\" INT; echo up; sleep {nap}; echo ended");
    let words = format!("exec \"$CLSH\" -h n1 -R exec sh -c '{script}'");
    let mut call = terminal(&words);
    let (far, near) = std::io::pipe().expect("pipe");
    let running = start(call.stdin(far));
    running.stdout.wait_for("up");
    std::io::Write::write_all(&mut &near, b"\x03").expect("write");
    let done = running.finish();
    assert_eq!(done.code(), 130, "{}", done.out());
    assert!(!done.out().contains("interrupted"), "{}", done.out());
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn a_terminal_that_is_hung_up_ends_the_run() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let mut call = terminal(&format!(
        "exec \"$CLSH\" -h n1 -R exec sh -c 'echo up; exec sleep {nap}'"
    ));
    let running = start(&mut call);
    running.stdout.wait_for("up");
    let clsh = children(running.pid())[0].pid;
    running.signal(crate::kit::KILL);
    running.finish();
    wait_until("no clsh", || !crate::support::is_alive(clsh));
    assert_eq!(count(&["sleep", &nap]), 0);
}
