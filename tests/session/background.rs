//! Jobs in the background: they hold nothing, what they print stands above the prompt, and they end with the session.

use crate::kit::{RULE, Stray, nap, napping, touch, until};
use crate::support::wait_until;
use crate::terminal::{rows, sit};

#[test]
fn a_job_does_not_hold_the_prompt_and_ends_with_the_session() {
    let nap = nap();
    let mut terminal = sit("n[1-2]", []);
    assert_eq!(terminal.run(&format!("sleep {nap} &")), [""; 0]);
    assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"]);
    wait_until("the naps", || napping(&nap) == 2);
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish_clean(), 0);
    assert_eq!(napping(&nap), 0);
}

#[test]
fn what_left_the_group_outlives_the_session() {
    let stray = Stray(nap());
    let mut terminal = sit("n1", []);
    let mark = crate::kit::Mark::NAME;
    terminal.run(&format!(
        "setsid env -u {mark} sleep {} >/dev/null 2>&1 &",
        stray.0
    ));
    wait_until("the nap", || napping(&stray.0) == 1);
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish_clean(), 0);
    assert_eq!(napping(&stray.0), 1);
}

#[test]
fn late_output_stands_above_the_prompt_which_is_drawn_again_with_what_was_typed() {
    let mut terminal = sit("n1", []);
    terminal.run(&format!("({}; echo late; echo later >&2) &", until("go")));
    terminal.type_keys("echo tyed\x1b[D\x1b[D");
    terminal.wait_for("clsh> echo tyed");
    touch(terminal.home.join("go"));
    terminal.wait_for(&format!("{RULE}\nn1: late\nn1: later\nclsh> echo tyed"));
    terminal.wait_for_screen("the cursor within the line", |screen| {
        let (row, column) = screen.cursor_position();
        rows(screen).nth(row.into()).as_deref() == Some("clsh> echo tyed") && column == 13
    });
    terminal.type_keys("p\r");
    terminal.wait_for("n1: typed");
    terminal.quit(0);
}

#[test]
fn late_output_without_a_newline_leaves_the_prompt_alone() {
    let mut terminal = sit("n1", []);
    terminal.run(&format!("({}; printf late; touch said) &", until("go")));
    terminal.type_keys("echo on");
    terminal.wait_typed("echo on");
    touch(terminal.home.join("go"));
    let said = terminal.home.join("said");
    wait_until("the late output", || said.exists());
    terminal.type_keys("e");
    terminal.wait_typed("echo one");
    terminal.type_keys("\r");
    // It was there first, and no byte is added to it.
    terminal.wait_for("n1: lateone");
    terminal.quit(0);
}
