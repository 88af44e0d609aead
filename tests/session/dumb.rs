//! A terminal that obeys no escapes gets plain lines, and edits them itself.

use crate::kit::{CTRL_C, CTRL_D, exec, nap, napping};
use crate::support::wait_until;
use crate::terminal::{Sitting, Terminal};

fn dumb() -> Terminal {
    Sitting::new(exec("n[1-2]", []))
        .env("TERM", "dumb")
        .at_prompt()
}

#[test]
fn it_gets_plain_lines_and_no_escape() {
    let mut terminal = dumb();
    assert_eq!(terminal.modes(), terminal.modes_before());
    assert_eq!(terminal.run("cd /usr"), [""; 0]);
    assert_eq!(terminal.run("pwx\x7fd"), ["n1: /usr", "n2: /usr"]);
    assert_eq!(terminal.enter(":use n1"), "Working with nodes: n1\n");
    terminal.quit(0);
    assert!(!terminal.raw().contains(&0x1b));
}

#[test]
fn ctrl_c_clears_the_line_at_its_prompt() {
    let mut terminal = dumb();
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys("echo NOT");
    terminal.wait_for("echo NOT");
    terminal.type_keys(CTRL_C);
    terminal.text_until_prompt(row);
    assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"]);
    assert!(!terminal.text().contains("n1: NOT"));
    terminal.quit(0);
}

#[test]
fn ctrl_c_interrupts_a_command_and_twice_ends_the_session() {
    let nap = nap();
    let mut terminal = dumb();
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("sleep {nap}; echo NOT\r"));
    wait_until("the naps", || napping(&nap) == 2);
    terminal.type_keys(CTRL_C);
    let shown = terminal.text_until_prompt(row);
    assert!(!shown.contains("NOT"), "{shown}");
    terminal.type_keys(format!("sh -c \"trap '' INT; sleep {nap}\"\r"));
    wait_until("the naps", || napping(&nap) == 2);
    terminal.type_keys(CTRL_C);
    crate::kit::wait_idle(terminal.pid());
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.finish_clean(), 130);
}

#[test]
fn ctrl_d_leaves() {
    let mut terminal = dumb();
    terminal.type_keys(CTRL_D);
    assert_eq!(terminal.finish(), 0);
}
