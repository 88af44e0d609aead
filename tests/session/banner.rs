//! How a session begins and what stands around each command's output.

use crate::kit::{RULE, exec, sorted, touch, until, wait_idle};
use crate::support::clsh_with;
use crate::terminal::{Sitting, is_typed, sit};

/// The example of CONTRACT.md, the lines of nodes sorted.
const EXAMPLE: &str = "Enter 'quit' to leave this interactive mode
Working with nodes: node1, node3
clsh> cd /etc
--------------------------
--------------------------
clsh> pwd
--------------------------
node1: /etc
node3: /etc
--------------------------
clsh> quit";

#[test]
fn the_example_of_the_contract_holds_word_for_word() {
    let directory = crate::support::scratch();
    let file = directory.path().join("hostfile");
    std::fs::write(&file, "node1\nnode3\n").expect("write");
    let file = file.to_str().expect("UTF-8");
    let call = clsh_with(["--hostfile", file, "-R", "exec", "-i"]);
    let mut terminal = Sitting::new(call).at_prompt();
    terminal.enter("cd /etc");
    terminal.enter("pwd");
    terminal.quit(0);
    let text = terminal.text();
    assert_eq!(sorted(&text), sorted(EXAMPLE), "{text}");
    let text = text.replace("node3: /etc\nnode1: /etc\n", "node1: /etc\nnode3: /etc\n");
    assert_eq!(text, EXAMPLE);
    let (_, column) = terminal.look(|screen| screen.cursor_position());
    assert_eq!(column, 0, "the shell's prompt would stand behind 'quit'");
}

#[test]
fn without_a_command_there_is_a_session_and_a_command_with_i_is_refused() {
    let mut terminal = sit("n1", []);
    assert_eq!(terminal.run("echo here"), ["n1: here"]);
    terminal.quit(0);
    let mut terminal = Sitting::new(exec("n1", ["-i", "uptime"])).start();
    assert_eq!(terminal.finish(), 2);
    assert!(!terminal.text().contains("clsh> "));
}

#[test]
fn sixteen_nodes_are_listed_and_seventeen_are_folded() {
    let names: Vec<String> = (1..=16).map(|number| format!("n{number}")).collect();
    for (nodes, wanted) in [
        ("n[1-16]", names.join(", ")),
        ("n[1-17]", "n[1-17]".to_owned()),
    ] {
        let mut terminal = sit(nodes, []);
        let text = terminal.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "Enter 'quit' to leave this interactive mode",
                &format!("Working with nodes: {wanted}"),
                "clsh>",
            ]
        );
        terminal.quit(0);
    }
}

#[test]
fn nodes_stand_in_the_banner_as_they_were_named() {
    let mut terminal = sit("b,a,n3,n1,bob@web:2222", []);
    terminal.wait_for("\nWorking with nodes: b, a, n3, n1, web\n");
    terminal.quit(0);
}

#[test]
fn the_prompt_returns_only_when_every_node_has_finished() {
    let mut terminal = sit("n[1-3]", []);
    terminal.type_keys(format!("{}; echo went\r", until("go.$CLSH_HOST")));
    for node in ["n1", "n3"] {
        touch(terminal.home.join(format!("go.{node}")));
        terminal.wait_for(&format!("{node}: went"));
    }
    wait_idle(terminal.pid());
    terminal.look(|screen| {
        let rows: Vec<String> = crate::terminal::rows(screen).collect();
        let rules = rows.iter().filter(|row| *row == RULE).count();
        assert_eq!(rules, 1, "{rows:?}");
        assert!(!is_typed(screen, ""));
    });
    touch(terminal.home.join("go.n2"));
    terminal.wait_for(&format!("n2: went\n{RULE}\nclsh>"));
    terminal.quit(0);
}

#[test]
fn an_empty_line_and_a_comment_do_nothing() {
    let mut terminal = sit("n1", []);
    for line in ["", "   ", "# nothing", "  #"] {
        assert_eq!(terminal.enter(line), "", "{line:?}");
    }
    terminal.quit(0);
}
