//! `!command` runs here, in the user's own shell, and has the terminal as long as it runs.

use crate::kit::{CTRL_C, CTRL_Z, RULE, exec, nap, napping};
use crate::support::{self, wait_until};
use crate::terminal::{Sitting, sit, text};

#[test]
fn it_runs_here_and_its_lines_are_labelled() {
    let mut terminal = sit("n[1-2]", []);
    terminal.run("cd /usr");
    assert_eq!(
        terminal.run("!echo out; echo err >&2; printf end"),
        ["LOCAL: end", "LOCAL: err", "LOCAL: out"]
    );
    let home = terminal.home.canonicalize().expect("a path");
    assert_eq!(
        terminal.run("! pwd -P"),
        [format!("LOCAL: {}", home.display())]
    );
    assert_eq!(terminal.run("pwd"), ["n1: /usr", "n2: /usr"]);
    terminal.quit(0);
}

#[test]
fn it_runs_in_the_users_own_shell() {
    let scratch = support::scratch();
    let shell = support::script(scratch.path(), "mine", "#!/bin/sh\necho \"mine: $1 $2\"\n");
    let mut terminal = Sitting::new(exec("n1", []))
        .env("SHELL", &shell)
        .at_prompt();
    assert_eq!(terminal.run("!a 'b'  c"), ["LOCAL: mine: -c a 'b'  c"]);
    terminal.quit(0);
    let mut terminal = Sitting::new(exec("n1", []))
        .env("SHELL", "/bin/bash")
        .at_prompt();
    assert_eq!(terminal.run("!a=(x y); echo ${a[1]}"), ["LOCAL: y"]);
    terminal.quit(0);
}

#[test]
fn its_status_is_told_and_counts_as_the_last() {
    let mut terminal = sit("n1", []);
    let (_, below) = terminal.block("!exit 3");
    assert_eq!(below, "clsh: LOCAL: exited with exit code 3\n");
    let (_, below) = terminal.block("!kill -9 $$");
    assert_eq!(below, "clsh: LOCAL: exited with exit code 137\n");
    terminal.quit(137);
}

#[test]
fn it_has_the_terminal_in_its_normal_mode_and_may_read_from_it() {
    let mut terminal = sit("n1", []);
    let during = terminal.modes();
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys("!echo ready; read x; echo \"got $x\"; stty -a\r");
    terminal.wait_for("LOCAL: ready");
    assert_eq!(terminal.modes(), terminal.modes_before());
    terminal.type_keys("a worx\x7fd\r");
    let shown = terminal.text_until_prompt(row);
    assert!(shown.contains("LOCAL: got a word\n"), "{shown}");
    assert!(
        shown.contains(" icanon") && !shown.contains("-icanon"),
        "{shown}"
    );
    assert!(
        shown.contains(" echo ") && !shown.contains("-echo "),
        "{shown}"
    );
    assert_eq!(terminal.modes(), during);
    terminal.quit(0);
}

#[test]
fn ctrl_c_reaches_it_alone() {
    let nap = nap();
    let mut terminal = sit("n[1-2]", []);
    terminal.run("x=kept; trap 'echo NODE' INT");
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("!sleep {nap}; echo NOT\r"));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.type_keys(CTRL_C);
    let shown = terminal.text_until_prompt(row);
    assert!(
        shown.ends_with("clsh: LOCAL: exited with exit code 130\n"),
        "{shown}"
    );
    assert!(!shown.contains("NODE"), "{shown}");
    assert_eq!(terminal.run("echo $x"), ["n1: kept", "n2: kept"]);
    assert_eq!(napping(&nap), 0);
    terminal.quit(0);
}

#[test]
fn ctrl_z_in_it_does_not_hang_the_session() {
    let nap = nap();
    let mut terminal = sit("n1", []);
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("!sleep {nap}\r"));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.type_keys(CTRL_Z);
    crate::kit::wait_idle(terminal.pid());
    terminal.type_keys(CTRL_C);
    terminal.text_until_prompt(row);
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish_clean(), 0);
}

#[test]
fn a_program_that_draws_on_the_screen_has_it_to_itself() {
    let mut terminal = Sitting::new(exec("n1", [])).size(24, 80).at_prompt();
    let lines: String = (1..=100).map(|number| format!("line {number}\n")).collect();
    std::fs::write(terminal.home.join("file"), lines).expect("write");
    terminal.type_keys("!less file\r");
    terminal.wait_for_screen("the first page", |screen| {
        let shown = text(screen);
        shown.starts_with("line 1\nline 2\n") && shown.contains("\nline 23\n")
    });
    terminal.type_keys("G");
    terminal.wait_for("\nline 100\n");
    terminal.type_keys("q");
    terminal.wait_prompt();
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    assert!(!terminal.text().contains("LOCAL"));
    terminal.quit(0);
}

#[test]
fn what_is_typed_while_it_runs_is_its_own_and_then_the_prompts() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("!echo up; read x; while ! test -e go; do sleep 0.05; done\r");
    terminal.wait_for("LOCAL: up");
    terminal.type_keys("for it\r");
    crate::kit::touch(terminal.home.join("go"));
    terminal.wait_for(&format!("{RULE}\nclsh>"));
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    assert!(!terminal.text().contains("n1: for it"));
    terminal.quit(0);
}
