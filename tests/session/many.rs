//! Hundreds of nodes at once, whatever the window, and nothing stirs while nobody types.

use crate::kit::{exec, sleeps, wait_idle};
use crate::terminal::Sitting;
use std::thread;
use std::time::Duration;

#[test]
fn three_hundred_nodes_answer_and_an_idle_session_sleeps() {
    let mut terminal = Sitting::new(exec("n[1-300]", [])).size(1000, 80).start();
    terminal.wait_for("Working with nodes: n[1-300]\n");
    let lines = terminal.run("cd /usr; echo $CLSH_RANK $PWD");
    let mut wanted: Vec<String> = (1..=300)
        .map(|node| format!("n{node}: {} /usr", node - 1))
        .collect();
    wanted.sort();
    assert_eq!(lines, wanted);
    wait_idle(terminal.pid());
    let before = sleeps(terminal.pid());
    thread::sleep(Duration::from_secs(3));
    assert_eq!(sleeps(terminal.pid()), before, "an idle session was woken");
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish_clean(), 0);
}
