//! However clsh ends, at the prompt or in a command, no process of the session is left.

use crate::kit::{HUP, KILL, Mark, QUIT, TERM, nap, napping};
use crate::support::{self, children, start, wait_until};
use crate::terminal::sit;
use std::process::Command;

#[test]
fn a_signal_at_the_prompt_leaves_no_process() {
    for signal in [TERM, QUIT, KILL] {
        let nap = nap();
        let mut terminal = sit("n[1-2]", []);
        terminal.run(&format!("sleep {nap} &"));
        terminal.signal(signal);
        killed(terminal, signal);
        assert_eq!(napping(&nap), 0);
    }
}

#[test]
fn a_signal_in_a_command_leaves_no_process() {
    for signal in [TERM, QUIT, KILL] {
        let nap = nap();
        let mut terminal = sit("n[1-2]", []);
        terminal.type_keys(format!(
            "sh -c \"trap '' INT TERM HUP; sleep {nap}; sleep {nap}\"\r"
        ));
        wait_until("the naps", || napping(&nap) == 2);
        terminal.signal(signal);
        killed(terminal, signal);
        assert_eq!(napping(&nap), 0);
    }
}

/// Only SIGKILL may leave the terminal as it was at the prompt.
fn killed(mut terminal: crate::terminal::Terminal, signal: i32) {
    if signal == KILL {
        let pid = terminal.pid();
        wait_until("the end", || !support::is_alive(pid));
        terminal.mark.wait_for_nobody();
    } else {
        assert_eq!(terminal.finish_clean(), 128 + signal);
    }
}

#[test]
fn a_terminal_that_is_hung_up_ends_the_session() {
    let (nap, mark) = (nap(), Mark::new());
    let home = support::scratch();
    let clsh = env!("CARGO_BIN_EXE_clsh");
    let mut call = Command::new("script");
    call.args([
        "-qec",
        &format!("exec {clsh} -h 'n[1-2]' -R exec"),
        "/dev/null",
    ])
    .env(Mark::NAME, mark.value())
    .env("HOME", home.path())
    .env("XDG_STATE_HOME", home.path())
    .env("TERM", "xterm")
    .env("SHELL", "/bin/sh")
    .stdin(std::process::Stdio::piped());
    let mut running = start(&mut call);
    running.stdout.wait_for("clsh> ");
    let mut keys = running.stdin();
    std::io::Write::write_all(&mut keys, format!("sleep {nap}\r").as_bytes()).expect("write");
    wait_until("the naps", || napping(&nap) == 2);
    let clsh = children(running.pid())[0].pid;
    running.signal(KILL);
    running.finish();
    wait_until("no clsh", || !support::is_alive(clsh));
    mark.wait_for_nobody();
    assert_eq!(napping(&nap), 0);
}

#[test]
fn a_second_signal_while_it_ends_kills_at_once() {
    let nap = nap();
    let mut terminal = sit("n1", ["--kill-after", "1000"]);
    terminal.type_keys(format!(
        "sh -c \"trap '' INT TERM HUP; sleep {nap}; sleep {nap}\"\r"
    ));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.signal(TERM);
    crate::kit::wait_idle(terminal.pid());
    terminal.signal(HUP);
    assert_eq!(terminal.finish(), 128 + TERM, "{}", terminal.text());
    wait_until("no nap", || napping(&nap) == 0);
}
