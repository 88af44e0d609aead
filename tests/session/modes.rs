//! The terminal is given back as it was found, however the session ends or stops. [`crate::terminal::Terminal::finish`] compares.

use crate::kit::{
    CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_Z, HUP, KILL, QUIT, TERM, carrier, exec, nap, napping,
    until, wait_stopped,
};
use crate::support::{self, children, wait_until};
use crate::terminal::{Sitting, Terminal, sit, text};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// A session at its prompt, where the terminal gives single keys.
fn at_prompt() -> Terminal {
    let terminal = sit("n[1-2]", []);
    assert_ne!(terminal.modes(), terminal.modes_before());
    terminal
}

#[test]
fn they_are_as_before_when_it_is_left() {
    for (keys, status) in [
        ("quit\r", 0),
        ("exit\r", 0),
        ("exit 3\r", 3),
        ("  quit  \r", 0),
        (CTRL_D, 0),
        (CTRL_BACKSLASH, 131),
    ] {
        let mut terminal = at_prompt();
        terminal.type_keys(keys);
        assert_eq!(terminal.finish(), status, "{keys:?}: {}", terminal.text());
        assert!(!terminal.look(vt100::Screen::bracketed_paste), "{keys:?}");
        // It is clsh that leaves, not the nodes' shells.
        assert!(!terminal.text().contains("the shell ended"), "{keys:?}");
    }
}

#[test]
fn leaving_gives_the_status_of_the_last_command() {
    for keys in ["quit\r", "exit\r", CTRL_D] {
        let mut terminal = sit("n[1-2]", []);
        terminal.block("(exit $((CLSH_RANK + 4)))");
        terminal.type_keys(keys);
        assert_eq!(terminal.finish(), 5, "{keys:?}");
    }
}

#[test]
fn they_are_as_before_when_a_signal_ends_it_at_the_prompt_or_in_a_command() {
    for signal in [TERM, HUP, QUIT] {
        for busy in [false, true] {
            let nap = nap();
            let mut terminal = at_prompt();
            if busy {
                terminal.type_keys(format!("sleep {nap}\r"));
                wait_until("the naps", || napping(&nap) == 2);
            } else {
                terminal.type_keys("half a li");
                terminal.wait_typed("half a li");
            }
            terminal.signal(signal);
            assert_eq!(
                terminal.wait().signal(),
                Some(signal),
                "{}",
                terminal.text()
            );
            assert!(!terminal.look(vt100::Screen::bracketed_paste));
            assert_eq!(napping(&nap), 0);
        }
    }
}

#[test]
fn they_are_as_before_when_a_node_is_lost() {
    let mut terminal = at_prompt();
    support::kill(carrier(terminal.pid(), "n2"), KILL);
    assert_eq!(terminal.finish(), 255, "{}", terminal.text());
}

#[test]
fn they_are_as_before_when_the_keyboard_ends_a_command_and_the_session() {
    for (keys, status) in [("\x03\x03", 130), (CTRL_BACKSLASH, 131)] {
        let nap = nap();
        let mut terminal = at_prompt();
        terminal.type_keys(format!("sh -c \"trap '' INT QUIT; sleep {nap}\"\r"));
        wait_until("the naps", || napping(&nap) == 2);
        terminal.type_keys(keys);
        assert_eq!(terminal.finish(), status, "{}", terminal.text());
        wait_until("no nap", || napping(&nap) == 0);
    }
}

/// An interactive shell with job control, in which clsh runs as `clsh`.
fn job_control() -> Terminal {
    let mut call = Command::new("bash");
    call.args(["--norc", "--noprofile", "-i"]);
    for name in ["CLSH_HOSTS", "CLSH_HOSTFILE", "PROMPT_COMMAND", "HISTFILE"] {
        call.env_remove(name);
    }
    call.env("PS1", "shell> ")
        .env("CLSH", exec("", []).get_program());
    let mut terminal = Sitting::new(call).start();
    terminal.wait_for("shell>");
    terminal.type_keys("stty -a >before; $CLSH -h 'n[1-2]' -R exec\r");
    terminal.wait_prompt();
    terminal
}

/// Back in the shell the terminal's modes are those of before.
fn assert_modes_of_before(terminal: &mut Terminal, file: &str) {
    terminal.type_keys(format!("stty -a >{file}; echo saved-{file}\r"));
    terminal.wait_for(&format!("\nsaved-{file}"));
    let read = |file: &str| std::fs::read_to_string(terminal.home.join(file)).expect("modes");
    assert_eq!(read(file), read("before"));
}

#[test]
fn ctrl_z_at_the_prompt_stops_the_job_and_fg_brings_the_prompt_back() {
    let mut terminal = job_control();
    let clsh = children(terminal.pid())[0].pid;
    terminal.type_keys("echo ty");
    terminal.wait_typed("echo ty");
    terminal.type_keys(CTRL_Z);
    wait_stopped(clsh);
    terminal.wait_for("Stopped");
    terminal.wait_for_screen("the shell's prompt", |screen| {
        text(screen).ends_with("shell>")
    });
    assert_modes_of_before(&mut terminal, "stopped");
    terminal.type_keys("fg\r");
    terminal.wait_typed("echo ty");
    terminal.type_keys("ped\r");
    terminal.wait_for("n1: typed");
    terminal.wait_for("n2: typed");
    terminal.wait_prompt();
    terminal.type_keys("quit\r");
    terminal.wait_for("quit\nshell>");
    assert_modes_of_before(&mut terminal, "left");
    terminal.type_keys("exit 9\r");
    assert_eq!(terminal.finish(), 9);
}

#[test]
fn ctrl_z_while_a_command_runs_stops_the_job_and_fg_loses_nothing() {
    let mut terminal = job_control();
    let clsh = children(terminal.pid())[0].pid;
    terminal.type_keys(format!("echo up; {}; echo went\r", until("go")));
    terminal.wait_for("n1: up");
    terminal.wait_for("n2: up");
    terminal.type_keys(CTRL_Z);
    wait_stopped(clsh);
    terminal.wait_for("Stopped");
    terminal.wait_for_screen("the shell's prompt", |screen| {
        text(screen).ends_with("shell>")
    });
    assert_modes_of_before(&mut terminal, "stopped");
    crate::kit::touch(terminal.home.join("go"));
    terminal.type_keys("fg\r");
    terminal.wait_for("n1: went");
    terminal.wait_for("n2: went");
    terminal.wait_prompt();
    terminal.type_keys("quit\r");
    terminal.wait_for("quit\nshell>");
    assert_modes_of_before(&mut terminal, "left");
    terminal.type_keys("exit\r");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_shell_sees_the_status_of_the_session() {
    let mut terminal = job_control();
    terminal.type_keys(format!("{CTRL_C}exit 7\r"));
    terminal.wait_for("exit 7\nshell>");
    terminal.type_keys("echo status=$?\r");
    terminal.wait_for("\nstatus=7");
    terminal.type_keys("exit\r");
    assert_eq!(terminal.finish(), 0);
}
