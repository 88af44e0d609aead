//! The progress line: when it is there, what it says, and that nothing of it is left.

use crate::kit::{CTRL_C, CTRL_Z, exec, sleeps, touch, until, wait_idle, wait_stopped};
use crate::support::{self, children};
use crate::terminal::{Sitting, Terminal, rows, text};
use crate::{raw, shell};
use std::num::NonZeroU16;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use vt100::{Parser, Screen};

/// What takes the line away.
const ERASE: &str = "\r\x1b[K";

/// The row the cursor stands in.
fn last_row(screen: &Screen) -> String {
    rows(screen)
        .nth(screen.cursor_position().0.into())
        .unwrap_or_default()
}

fn wait_row(terminal: &Terminal, wanted: &str) {
    let what = format!("{wanted:?} in the last row");
    terminal.wait_for_screen(&what, |screen| last_row(screen) == wanted);
}

/// clsh with these words, whose nodes end when a file `go` is there.
fn waiting<'a>(nodes: &str, words: impl IntoIterator<Item = &'a str>) -> Sitting {
    let mut call = exec(nodes, words);
    call.args(["sh", "-c", &until("go")]);
    Sitting::new(call)
}

/// Lets the nodes end, and expects an empty screen.
fn ends_clean(mut terminal: Terminal) {
    touch(terminal.home.join("go"));
    assert_eq!(terminal.finish_clean(), 0, "{}", terminal.text());
    assert_eq!(terminal.text(), "");
    assert_eq!(terminal.look(Screen::cursor_position), (0, 0));
}

#[test]
fn it_is_there_at_once_when_asked_for_and_says_how_it_stands() {
    let script = format!("test $CLSH_RANK = 0 && exit 3; {}", until("go$CLSH_RANK"));
    let call = exec("n[1-5]", ["--progress", "-f", "3", "sh", "-c", &script]);
    let mut terminal = Sitting::new(call).start();
    let home = terminal.home.clone();
    wait_row(
        &terminal,
        "1/5 done, 1 failed, 3 running; slowest: n2, n3, n4",
    );
    for (rank, row) in [
        (2, "2/5 done, 1 failed, 3 running; slowest: n2, n4, n5"),
        (1, "3/5 done, 1 failed, 2 running; slowest: n4, n5"),
        (4, "4/5 done, 1 failed, 1 running; slowest: n4"),
    ] {
        touch(home.join(format!("go{rank}")));
        wait_row(&terminal, row);
    }
    touch(home.join("go3"));
    assert_eq!(terminal.finish_clean(), 3);
    assert_eq!(terminal.text(), "clsh: n1: exited with exit code 3");
}

#[test]
fn it_comes_by_itself_after_a_second() {
    for words in [
        "\"$CLSH\" -h 'n[1-2]' -R exec",
        "exec >out; \"$CLSH\" -h 'n[1-2]' -R exec",
    ] {
        let start = Instant::now();
        let terminal = shell(&format!("{words} sh -c '{}'", until("go"))).start();
        wait_row(&terminal, "0/2 done, 2 running; slowest: n1, n2");
        assert!(start.elapsed() >= Duration::from_secs(1), "too early");
        ends_clean(terminal);
    }
}

#[test]
fn it_does_not_come_by_itself_where_it_would_disturb() {
    let long = "sh -c 'sleep 1.7'";
    for words in [
        format!("\"$CLSH\" -h 'n[1-2]' -R exec {long} | cat"),
        format!("\"$CLSH\" -h 'n[1-2]' -R exec -q {long}"),
        format!("TERM=dumb \"$CLSH\" -h 'n[1-2]' -R exec {long}"),
        format!("TERM= \"$CLSH\" -h 'n[1-2]' -R exec {long}"),
        "\"$CLSH\" -h 'n[1-2]' -R exec sh -c 'sleep 0.1'".to_owned(),
    ] {
        assert_eq!(raw(&words), "", "{words}");
    }
}

#[test]
fn it_comes_beside_a_pipe_and_in_quiet_when_asked_for() {
    for words in [
        format!(
            "\"$CLSH\" -h 'n[1-2]' -R exec --progress sh -c '{}' | cat",
            until("go")
        ),
        format!(
            "\"$CLSH\" -h 'n[1-2]' -R exec -q --progress sh -c '{}'",
            until("go")
        ),
    ] {
        let terminal = shell(&words).start();
        wait_row(&terminal, "0/2 done, 2 running; slowest: n1, n2");
        ends_clean(terminal);
    }
}

#[test]
fn where_it_cannot_be_it_says_so() {
    let left_out = "clsh: --progress needs a terminal on standard error; it is left out\n";
    for (words, wanted) in [("--progress", left_out), ("-q --progress", "")] {
        let words = words.split(' ');
        let done = support::run(&mut exec("n1", words.chain(["echo", "text"])));
        assert_eq!((done.code(), done.err().as_str()), (0, wanted));
        assert_eq!(done.out(), "n1: text\n");
    }
    let dumb = raw("TERM=dumb \"$CLSH\" -h n1 -R exec --progress sleep 0.1");
    assert_eq!(dumb, left_out.replace('\n', "\r\n"));
}

/// All rows that ever stood on a terminal of this size, those that scrolled away first.
fn history(raw: &[u8], height: u16, width: u16) -> Vec<String> {
    let size = |number| NonZeroU16::new(number).expect("not 0");
    let mut parser = Parser::new(size(height), size(width), 10_000);
    parser.process(raw);
    parser.screen_mut().set_scrollback(usize::MAX);
    let past = parser.screen().scrollback();
    let mut all = Vec::new();
    for back in (1..=past).rev() {
        parser.screen_mut().set_scrollback(back);
        all.extend(rows(parser.screen()).next());
    }
    parser.screen_mut().set_scrollback(0);
    all.extend(rows(parser.screen()));
    while all.last().is_some_and(String::is_empty) {
        all.pop();
    }
    all
}

#[test]
fn lines_never_mix_with_it() {
    let script = "i=0; while test $i -lt 40; do i=$((i+1)); echo line $i; \
        test $((i % 4)) = 0 && { echo err $i >&2; sleep 0.11; }; done";
    for shape in ["", "-L ", "-b "] {
        let words = format!(
            "\"$CLSH\" -h 'n[1-6]' -R exec --color never {shape}--progress sh -c '{script}'"
        );
        let mut terminal = shell(&words).size(10, 60).start();
        assert_eq!(terminal.finish_clean(), 0);
        let raw = terminal.raw();
        let text = String::from_utf8_lossy(&raw).into_owned();
        let drawn = text.matches(ERASE).count();
        // Lines on their way push it down, groups wait for the end.
        assert!(
            drawn > if shape == "-b " { 0 } else { 3 },
            "{shape}: {drawn}"
        );
        let history = history(&raw, 10, 60);
        if shape == "-b " {
            assert_eq!(history.len(), 3 + 40 + 10, "{history:#?}");
            assert_eq!(history[1], "n[1-6] (6)");
            continue;
        }
        let own = |row: &String| {
            let (label, rest) = row.split_once(": ").unwrap_or(("", ""));
            let known = rest.starts_with("line ") || rest.starts_with("err ");
            label.starts_with('n') && label.len() == 2 && known
        };
        assert!(history.iter().all(own), "{history:#?}");
        assert_eq!(history.len(), 6 * 50);
        assert_eq!(terminal.look(Screen::cursor_position).1, 0);
    }
}

#[test]
fn a_signal_takes_it_away() {
    for (signal, status) in [(2, 130), (15, 143)] {
        let mut terminal = waiting("n[1-2]", ["--progress"]).start();
        wait_row(&terminal, "0/2 done, 2 running; slowest: n1, n2");
        match signal {
            2 => terminal.type_keys(CTRL_C),
            _ => terminal.signal(signal),
        }
        assert_eq!(terminal.finish_clean(), status);
        assert_eq!(terminal.text(), "clsh: n[1-2] (2): terminated");
    }
}

#[test]
fn ctrl_z_leaves_a_clean_row_and_fg_brings_it_back() {
    let mut call = Command::new("bash");
    call.args(["--norc", "--noprofile", "-i"]);
    for name in ["CLSH_HOSTS", "CLSH_HOSTFILE", "PROMPT_COMMAND", "HISTFILE"] {
        call.env_remove(name);
    }
    call.env("PS1", "shell> ")
        .env("CLSH", env!("CARGO_BIN_EXE_clsh"));
    let mut terminal = Sitting::new(call).start();
    terminal.wait_for("shell>");
    let script = format!("'{}; echo went'", until("go"));
    terminal.type_keys(format!(
        "clear; $CLSH -h 'n[1-2]' -R exec --color never --progress sh -c {script}\r"
    ));
    let line = "0/2 done, 2 running; slowest: n1, n2";
    wait_row(&terminal, line);
    let clsh = children(terminal.pid())[0].pid;
    for _ in 0..2 {
        terminal.type_keys(CTRL_Z);
        wait_stopped(clsh);
        terminal.wait_for_screen("the shell's prompt", |screen| {
            text(screen).ends_with("shell>")
        });
        assert!(!terminal.text().contains("0/2 done"), "{}", terminal.text());
        terminal.type_keys("fg\r");
        wait_row(&terminal, line);
    }
    touch(terminal.home.join("go"));
    terminal.wait_for_screen("the shell's prompt", |screen| {
        text(screen).ends_with("went\nshell>")
    });
    let shown = terminal.text();
    assert!(!shown.contains("/2 done"), "{shown}");
    assert!(shown.contains("\nn1: went\n") && shown.contains("\nn2: went\n"));
    terminal.type_keys("exit 9\r");
    assert_eq!(terminal.finish(), 9);
}

#[test]
fn a_narrow_terminal_does_not_wrap_it() {
    for (columns, row) in [
        (21, "0/2 done, 2 running"),
        (10, "0/2 done"),
        (8, "0/2"),
        (4, "0/2"),
        (3, ""),
    ] {
        let terminal = waiting("n[1-2]", ["--progress"]).size(10, columns).start();
        wait_idle(terminal.pid());
        wait_row(&terminal, row);
        assert_eq!(terminal.text(), row, "{columns} columns");
        ends_clean(terminal);
    }
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let terminal = waiting("n[1-3]", ["--progress"]).size(10, 80).start();
    for (columns, row) in [
        (80, "0/3 done, 3 running; slowest: n1, n2, n3"),
        (60, "0/3 done, 3 running; slowest: n1, n2, n3"),
        (45, "0/3 done, 3 running; slowest: n1, n2, n3"),
        (120, "0/3 done, 3 running; slowest: n1, n2, n3"),
        (40, "0/3 done, 3 running; slowest: n1, n2"),
        (25, "0/3 done, 3 running"),
        (90, "0/3 done, 3 running; slowest: n1, n2, n3"),
    ] {
        terminal.resize(10, columns);
        wait_row(&terminal, row);
        assert_eq!(terminal.text(), row, "{columns} columns");
    }
    ends_clean(terminal);
}

#[test]
fn nothing_stirs_while_it_stands_still() {
    for words in [&["--progress"][..], &[]] {
        let mut call = exec("n[1-100]", ["-f", "100"]);
        call.args(words).args(["sleep", "100"]);
        let terminal = Sitting::new(call).start();
        wait_row(
            &terminal,
            "0/100 done, 100 running; slowest: n1, n2, n3, n4, n5",
        );
        wait_idle(terminal.pid());
        let before = sleeps(terminal.pid());
        thread::sleep(Duration::from_secs(3));
        assert_eq!(sleeps(terminal.pid()), before, "it was woken");
        terminal.signal(3);
    }
}

#[test]
fn a_status_asked_for_stands_above_it() {
    let terminal = waiting("n[1-2]", ["--progress"]).start();
    let row = "0/2 done, 2 running; slowest: n1, n2";
    wait_row(&terminal, row);
    terminal.signal(10);
    terminal.wait_for("clsh: 0 done, 2 running, 0 waiting");
    wait_row(&terminal, row);
    let shown = terminal.text();
    assert_eq!(shown.lines().count(), 2, "{shown}");
    terminal.signal(15);
}

#[test]
fn it_stands_beside_an_input_too() {
    let words = "yes | head -n 100000 | \"$CLSH\" -h 'n[1-2]' -R exec --progress --color never sh -c 'cat >/dev/null; echo done'";
    let mut terminal = shell(words).start();
    assert_eq!(terminal.finish_clean(), 0);
    let mut shown: Vec<String> = terminal.text().lines().map(str::to_owned).collect();
    shown.sort();
    assert_eq!(shown, ["n1: done", "n2: done"]);
}
