//! Commands of clsh's own: what each does, and what it says when it was typed wrong.

use crate::kit::{KILL, RULE, carrier, exec};
use crate::support;
use crate::terminal::sit;

#[test]
fn help_lists_every_command() {
    let mut terminal = sit("n1", []);
    let shown = terminal.enter(":help");
    for wanted in [
        ":help",
        ":nodes",
        ":use LIST",
        ":all",
        ":on LIST COMMAND",
        ":reconnect [LIST]",
        ":gather on|off",
        "!COMMAND",
        "quit, exit",
        "Ctrl-C",
    ] {
        let mut lines = shown.lines().map(str::trim_start);
        assert!(
            lines.any(|line| line.starts_with(wanted)),
            "{wanted}: {shown}"
        );
    }
    terminal.quit(0);
}

/// The cells of a table's rows; no cell holds two spaces.
fn cells(table: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let cells = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect()
    };
    table.lines().map(cells).collect()
}

#[test]
fn nodes_shows_each_nodes_state_status_and_time() {
    let mut terminal = sit("n[1-3]", ["--keep-going"]);
    let table = cells(&terminal.enter(":nodes"));
    assert_eq!(table[0], ["NODE", "STATE", "IN USE", "STATUS", "SECONDS"]);
    for (row, name) in table[1..].iter().zip(["n1", "n2", "n3"]) {
        assert_eq!(row[..], [name, "ready", "yes", "-", "-"]);
    }
    terminal.enter(":use n[1-2]");
    terminal.block("(exit $((CLSH_RANK * 5)))");
    support::kill(carrier(terminal.pid(), "n3"), KILL);
    terminal.wait_for("ERROR: n3 connection lost");
    let table = cells(&terminal.enter(":nodes"));
    assert_eq!(table[1][..4], ["n1", "ready", "yes", "0"]);
    assert_eq!(table[2][..4], ["n2", "ready", "yes", "5"]);
    assert_eq!(table[3][..], ["n3", "lost", "no", "-", "-"]);
    for row in &table[1..3] {
        assert!(
            row[4].parse::<f64>().is_ok_and(|secs| secs >= 0.0),
            "{row:?}"
        );
    }
    terminal.quit(255);
}

#[test]
fn use_talks_to_some_and_all_to_all_again() {
    let mut terminal = sit("n[1-4]", []);
    assert_eq!(
        terminal.enter(":use n[2-3]"),
        "Working with nodes: n2, n3\n"
    );
    assert_eq!(terminal.run("x=here; echo on"), ["n2: on", "n3: on"]);
    assert_eq!(terminal.enter(":use n4,n1"), "Working with nodes: n1, n4\n");
    assert_eq!(terminal.run("echo on"), ["n1: on", "n4: on"]);
    assert_eq!(
        terminal.enter(":all"),
        "Working with nodes: n1, n2, n3, n4\n"
    );
    assert_eq!(
        terminal.run("echo on $x"),
        ["n1: on", "n2: on here", "n3: on here", "n4: on"]
    );
    terminal.quit(0);
}

#[test]
fn on_runs_a_command_on_some_once() {
    let mut terminal = sit("n[1-3]", []);
    assert_eq!(
        terminal.run(":on n2 echo  'a  b'; echo c"),
        ["n2: a  b", "n2: c"]
    );
    terminal.enter(":use n1");
    assert_eq!(terminal.run(":on n3,n2 x=5; echo $x"), ["n2: 5", "n3: 5"]);
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    let (_, below) = terminal.block(":on n3 (exit 4)");
    assert_eq!(below, "clsh: n3: exited with exit code 4\n");
    terminal.quit(4);
}

#[test]
fn gather_prints_nodes_that_say_the_same_once() {
    let mut terminal = sit("n[1-4]", []);
    terminal.enter(":gather on");
    let rule = "-".repeat(15);
    let shown = terminal.enter("test $CLSH_RANK -eq 2 && echo other || printf 'same\\nagain'");
    assert_eq!(
        shown,
        format!(
            "{RULE}\n{rule}\nn[1-2,4] (3)\n{rule}\nsame\nagain\n{rule}\nn3\n{rule}\nother\n{RULE}\n"
        )
    );
    let shown = terminal.enter("echo x; (exit $CLSH_RANK)");
    assert_eq!(
        shown.matches("\nx\n").count(),
        4,
        "statuses differ: {shown}"
    );
    assert_eq!(terminal.enter("true"), format!("{RULE}\n{RULE}\n"));
    terminal.enter(":gather off");
    assert_eq!(terminal.run("echo x").len(), 4);
    terminal.quit(0);
}

#[test]
fn reconnect_brings_nodes_back_with_new_shells() {
    let mut terminal = sit("n[1-3]", ["--keep-going"]);
    terminal.run("x=old");
    for node in ["n2", "n3"] {
        support::kill(carrier(terminal.pid(), node), KILL);
        terminal.wait_for(&format!("ERROR: {node} connection lost"));
    }
    assert_eq!(terminal.run("echo $x"), ["n1: old"]);
    let note = "connected again, with a new shell: directory, variables and functions of the old one are gone\n";
    assert_eq!(terminal.enter(":reconnect n3"), format!("clsh: n3: {note}"));
    assert_eq!(terminal.run("echo $x."), ["n1: old.", "n3: ."]);
    assert_eq!(terminal.enter(":reconnect"), format!("clsh: n2: {note}"));
    assert_eq!(terminal.run("echo $x."), ["n1: old.", "n2: .", "n3: ."]);
    terminal.quit(0);
}

#[test]
fn reconnect_brings_back_a_shell_that_ended() {
    let mut terminal = sit("n[1-2]", []);
    terminal.enter(":on n2 exec true");
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    assert!(
        terminal
            .enter(":reconnect")
            .starts_with("clsh: n2: connected again")
    );
    assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"]);
    terminal.quit(0);
}

#[test]
fn what_is_typed_wrong_is_explained_and_changes_nothing() {
    let mut terminal = sit("n[1-2]", []);
    for (line, wanted) in [
        (":nope", "there is no ':nope'; ':help' lists what there is"),
        (":use", "type it as: :use LIST"),
        (":on n1", "type it as: :on LIST COMMAND"),
        (":on", "type it as: :on LIST COMMAND"),
        (":gather", "type it as: :gather on|off"),
        (":gather maybe", "type it as: :gather on|off"),
        (":all n1", "type it as: :all"),
        (":help me", "type it as: :help"),
        (":nodes n1", "type it as: :nodes"),
        (":use n9", "n9"),
        (":on n[1-9] echo NOT", "n3"),
        (":use n[", "n["),
        (":reconnect", "every node is connected"),
        (":reconnect n1", "connected already: n1"),
        ("!", "'!' runs a command here and needs one: !ls"),
    ] {
        let shown = terminal.enter(line);
        assert!(
            shown.starts_with("clsh: ") && shown.contains(wanted),
            "{line}: {shown}"
        );
        assert_eq!(shown.lines().count(), 1, "{line}: {shown}");
    }
    assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"]);
    terminal.quit(0);
}

#[test]
fn nodes_that_are_gone_cannot_be_used() {
    let mut terminal = crate::terminal::Sitting::new(exec("n[1-2]", ["--keep-going"])).at_prompt();
    support::kill(carrier(terminal.pid(), "n2"), KILL);
    terminal.wait_for("ERROR: n2 connection lost");
    for line in [":use n2", ":on n2 echo NOT"] {
        let shown = terminal.enter(line);
        assert!(shown.starts_with("clsh: not connected: n2;"), "{shown}");
    }
    terminal.quit(255);
}
