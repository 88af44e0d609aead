//! The history of lines: walked, searched, kept for its owner's eyes, and there again in the next session.

use crate::kit::{DOWN, RULE, UP, exec};
use crate::support;
use crate::terminal::{Sitting, sit};
use std::os::unix::fs::PermissionsExt;

#[test]
fn arrows_walk_it_and_give_back_what_was_being_typed() {
    let mut terminal = sit("n1", []);
    terminal.run("echo one");
    terminal.run("echo two");
    terminal.type_keys("half");
    for (keys, typed) in [
        (UP, "echo two"),
        (UP, "echo one"),
        (UP, "echo one"),
        (DOWN, "echo two"),
        (DOWN, "half"),
        ("\x10", "echo two"),
        ("\x0e", "half"),
    ] {
        terminal.type_keys(keys);
        terminal.wait_typed(typed);
    }
    terminal.type_keys(format!("{UP}{UP}\r"));
    terminal.wait_for(&format!("clsh> echo one\n{RULE}\nn1: one\n{RULE}\nclsh>"));
    terminal.quit(0);
}

#[test]
fn ctrl_r_searches_it() {
    let mut terminal = sit("n1", []);
    for line in ["echo alpha", "echo beta", "echo alphabet"] {
        terminal.run(line);
    }
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys("\x12alp\x12\r");
    let text = terminal.text_until_prompt(row);
    assert_eq!(text, format!("{RULE}\nn1: alpha\n{RULE}\n"));
    terminal.quit(0);
}

#[test]
fn it_is_private_skips_lines_with_a_leading_space_and_lasts_across_sessions() {
    let home = support::scratch();
    let session = || Sitting::new(exec("n1", [])).home(home.path()).at_prompt();
    let mut terminal = session();
    terminal.run("echo kept");
    terminal.run("  echo secret");
    terminal.run("echo 'a\\b'");
    terminal.enter(":nodes");
    terminal.enter(":nodes");
    terminal.quit(0);
    let file = home.path().join("state/clsh/history");
    let text = std::fs::read_to_string(&file).expect("the history");
    assert!(!text.contains("secret"), "{text:?}");
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).expect("there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().expect("a directory")), 0o700);
    let mut terminal = session();
    for line in ["quit", ":nodes", "echo 'a\\b'", "echo kept"] {
        terminal.type_keys(UP);
        terminal.wait_typed(line);
    }
    terminal.type_keys("\r");
    terminal.wait_for("n1: kept");
    terminal.quit(0);
}

#[test]
fn without_xdg_state_home_it_stands_under_local_state() {
    let home = support::scratch();
    let sitting = Sitting::new(exec("n1", [])).home(home.path());
    let mut terminal = sitting.env("XDG_STATE_HOME", "").at_prompt();
    terminal.run("echo here");
    terminal.quit(0);
    let file = home.path().join(".local/state/clsh/history");
    let text = std::fs::read_to_string(file).expect("the history");
    assert_eq!(text, "echo here\nquit\n");
}

#[test]
fn one_that_cannot_be_kept_is_said_once_and_the_session_goes_on() {
    let home = support::scratch();
    std::fs::write(home.path().join("state"), "no directory").expect("write");
    let mut terminal = Sitting::new(exec("n1", [])).home(home.path()).start();
    terminal.wait_prompt();
    terminal.enter("echo one");
    terminal.enter("echo two");
    terminal.quit(0);
    let text = terminal.text();
    assert!(text.contains("n1: two"), "{text}");
    assert!(
        text.matches("clsh: cannot keep the history").count() <= 1,
        "{text}"
    );
}
