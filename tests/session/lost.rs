//! Nodes that are not reached, or go: named, left out, and by default the end of the session.

use crate::kit::{CTRL_D, KILL, carrier, nap, napping, scripted};
use crate::support::{self, clsh_with, wait_until};
use crate::terminal::{Sitting, sit};
use std::path::Path;
use std::process::Command;

#[test]
fn a_node_lost_at_the_prompt_ends_the_session_with_255() {
    let mut terminal = sit("n[1-3]", []);
    terminal.run("echo on");
    terminal.type_keys("half a li");
    terminal.wait_typed("half a li");
    support::kill(carrier(terminal.pid(), "n2"), KILL);
    assert_eq!(terminal.finish_clean(), 255);
    let text = terminal.text();
    assert!(
        text.contains("\nERROR: n2 connection lost\n")
            || text.ends_with("\nERROR: n2 connection lost"),
        "{text}"
    );
    assert!(
        !text.contains("ERROR: n1") && !text.contains("ERROR: n3"),
        "{text}"
    );
    let why = "clsh: n2 was lost, which ends the session; --keep-going lets the other nodes go on";
    let unfolded = text.replace('\n', "");
    assert!(unfolded.contains(why), "{text}");
}

#[test]
fn a_node_lost_in_a_command_ends_the_session_with_255() {
    let nap = nap();
    let mut terminal = sit("n[1-3]", []);
    terminal.type_keys(format!("echo up; sleep {nap}\r"));
    wait_until("the naps", || napping(&nap) == 3);
    support::kill(carrier(terminal.pid(), "n3"), KILL);
    assert_eq!(terminal.finish_clean(), 255);
    assert_eq!(napping(&nap), 0);
    let text = terminal.text();
    assert_eq!(
        text.matches("ERROR: n3 connection lost").count(),
        1,
        "{text}"
    );
}

#[test]
fn with_keep_going_the_others_go_on_at_the_prompt_and_in_a_command() {
    let mut terminal = sit("n[1-3]", ["--keep-going"]);
    support::kill(carrier(terminal.pid(), "n1"), KILL);
    terminal.wait_for("ERROR: n1 connection lost\nclsh>");
    assert_eq!(terminal.run("echo on"), ["n2: on", "n3: on"]);
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("echo up; {}; echo went\r", crate::kit::until("go")));
    terminal.wait_for("n2: up");
    terminal.wait_for("n3: up");
    support::kill(carrier(terminal.pid(), "n2"), KILL);
    terminal.wait_for("ERROR: n2 connection lost");
    crate::kit::touch(terminal.home.join("go"));
    let shown = terminal.text_until_prompt(row);
    assert!(
        shown.contains("n3: went\n") && !shown.contains("n2: went"),
        "{shown}"
    );
    support::kill(carrier(terminal.pid(), "n3"), KILL);
    terminal.wait_for("ERROR: n3 connection lost\nclsh>");
    assert!(
        terminal
            .enter("echo on")
            .starts_with("clsh: none of the nodes in use is connected")
    );
    terminal.enter(":reconnect");
    assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on", "n3: on"]);
    terminal.quit(0);
}

#[test]
fn a_node_that_is_missing_at_the_end_makes_it_255() {
    let mut terminal = sit("n[1-2]", ["--keep-going"]);
    support::kill(carrier(terminal.pid(), "n1"), KILL);
    terminal.wait_for("ERROR: n1 connection lost\nclsh>");
    terminal.run("true");
    terminal.type_keys(CTRL_D);
    assert_eq!(terminal.finish(), 255);
}

/// clsh on nodes of which those named here are not reached.
fn partly_reached(directory: &Path, nodes: &str, unreached: &str) -> Command {
    let text = format!(
        "#!/bin/sh\ncase $1 in {unreached}) echo \"no route to $1\" >&2; exit 255 ;; esac\nexec sh -c \"$2\"\n"
    );
    let reach = support::script(directory, "reaches-some", &text);
    clsh_with(["-h", nodes, "-R", &format!("{} %h", reach.display())])
}

#[test]
fn nodes_that_are_not_reached_are_named_and_left_out() {
    let directory = support::scratch();
    let call = partly_reached(directory.path(), "n[1-4]", "n2|n4");
    let mut terminal = Sitting::new(call).at_prompt();
    let text = terminal.text();
    for node in ["n2", "n4"] {
        assert!(
            text.contains(&format!("{node}: no route to {node}\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("ERROR: {node} connection failed\n")),
            "{text}"
        );
    }
    assert!(
        text.contains("\nWorking with nodes: n1, n3\nclsh>"),
        "{text}"
    );
    assert_eq!(terminal.run("echo on"), ["n1: on", "n3: on"]);
    assert!(terminal.enter(":nodes").contains("failed"));
    let shown = terminal.enter(":reconnect n2");
    assert!(shown.contains("ERROR: n2 connection failed\n"), "{shown}");
    assert_eq!(terminal.run("echo on"), ["n1: on", "n3: on"]);
    terminal.quit(255);
}

#[test]
fn without_any_node_there_is_no_prompt_and_the_status_is_255() {
    let directory = support::scratch();
    let call = partly_reached(directory.path(), "n[1-2]", "*");
    let mut terminal = Sitting::new(call).start();
    assert_eq!(terminal.finish(), 255);
    let text = terminal.text();
    assert!(
        !text.contains("clsh> ") && !text.contains("Working"),
        "{text}"
    );
    assert!(
        text.contains("ERROR: n1 connection failed")
            && text.contains("ERROR: n2 connection failed"),
        "{text}"
    );
}

#[test]
fn a_script_goes_on_without_nodes_that_are_not_reached_and_ends_with_255() {
    let directory = support::scratch();
    let done = scripted(
        partly_reached(directory.path(), "n[1-3]", "n2"),
        "echo on\n",
    );
    assert_eq!(done.sorted(), ["n1: on", "n3: on"]);
    assert_eq!(done.code(), 255);
    assert!(
        done.err().contains("ERROR: n2 connection failed\n"),
        "{}",
        done.err()
    );
}
