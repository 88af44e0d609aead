//! `-A` as a person meets it: a prompt at a real terminal that shows nothing of what is typed, and a terminal that is as it was before,
//! whatever comes next.

use crate::accounts::{self, without_terminal};
use crate::kit::{CTRL_C, CTRL_D, CTRL_Z, TERM, wait_stopped};
use crate::support::{self, clsh_with, run};
use crate::terminal::{Sitting, Terminal};
use std::process::Command;

const USR1: i32 = 10;
const PROMPT: &str = "clsh: password: ";

/// clsh that asks before it tries to reach a node, which is nowhere.
fn nowhere<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut call = clsh_with(["-A", "-o", "ProxyCommand=false", "-h", "n1", "-F", "none"]);
    call.args(words).arg("true");
    call
}

fn asked(call: Command) -> Terminal {
    let terminal = Sitting::new(call).start();
    terminal.wait_for(PROMPT.trim_end());
    assert_ne!(terminal.modes(), terminal.modes_before(), "no echo");
    terminal
}

fn times(terminal: &Terminal, text: &str) -> usize {
    String::from_utf8_lossy(&terminal.raw())
        .matches(text)
        .count()
}

#[test]
fn it_is_asked_for_once_for_all_nodes_and_never_shown() {
    let Some(world) = accounts::world() else {
        return;
    };
    let call = world.clsh(
        &world.person,
        ["-A", "-f", "3", "-h", "n[1-4],k[1-4]", "id -un"],
    );
    let mut terminal = asked(call);
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish_clean(), 0, "{}", terminal.text());
    let shown = terminal.text();
    for node in ["n1", "n2", "n3", "n4", "k1", "k2", "k3", "k4"] {
        let line = format!("{node}: {}", world.person.name);
        assert!(shown.contains(&line), "{line} in {shown}");
    }
    assert!(!shown.contains(&world.person.password), "{shown}");
    assert_eq!(times(&terminal, PROMPT), 1, "{shown}");
}

#[test]
fn more_nodes_at_once_than_questions_can_wait_in_line_all_get_it() {
    let Some(world) = accounts::world() else {
        return;
    };
    let call = world.clsh(
        &world.person,
        ["-A", "-b", "-t", "60", "-h", "n[1-16]", "id -un"],
    );
    let mut terminal = asked(call);
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish_clean(), 0, "{}", terminal.text());
    let group = format!("n[1-16] (16)\n---------------\n{}", world.person.name);
    assert!(terminal.text().contains(&group), "{}", terminal.text());
}

#[test]
fn a_command_with_a_terminal_of_its_own_may_need_it_too() {
    let Some(world) = accounts::world() else {
        return;
    };
    let words = ["-A", "--tty", "-h", "n1,k1", "test -t 0 && id -un"];
    let mut terminal = asked(world.clsh(&world.person, words));
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    let line = format!("k1: {}", world.person.name);
    assert!(terminal.text().contains(&line), "{}", terminal.text());
}

#[test]
fn ctrl_c_at_the_prompt_is_death_by_sigint_and_the_echo_is_back() {
    let mut terminal = asked(nowhere([]));
    terminal.type_keys("half a pass");
    terminal.type_keys(CTRL_C);
    let status = terminal.wait();
    assert_eq!(support::shell_code(status), 130);
    assert!(status.code().is_none(), "ended by the signal itself");
    assert!(!terminal.text().contains("half"), "{}", terminal.text());
}

#[test]
fn a_line_that_was_begun_and_not_ended_holds_no_signal_back() {
    let mut terminal = asked(nowhere([]));
    // What was typed is handed over by the terminal then, without an end.
    terminal.type_keys("half");
    terminal.type_keys(CTRL_D);
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.finish(), 130);
}

#[test]
fn sigterm_at_the_prompt_is_death_by_it_and_the_echo_is_back() {
    let mut terminal = asked(nowhere([]));
    terminal.signal(TERM);
    let status = terminal.wait();
    assert_eq!(support::shell_code(status), 143);
    assert!(status.code().is_none(), "ended by the signal itself");
}

#[test]
fn sigusr1_at_the_prompt_asks_for_nothing_that_is_known_yet() {
    let mut terminal = asked(nowhere([]));
    terminal.signal(USR1);
    terminal.type_keys(CTRL_C);
    assert_eq!(support::shell_code(terminal.wait()), 130);
}

#[test]
fn an_empty_line_and_the_end_of_input_are_no_password() {
    for keys in ["\r", CTRL_D] {
        let mut terminal = asked(nowhere([]));
        terminal.type_keys(keys);
        assert_eq!(terminal.finish(), 2, "{}", terminal.text());
        let said = "clsh: no password was typed; nothing was started";
        assert!(terminal.text().contains(said), "{}", terminal.text());
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_later_the_prompt_comes_again() {
    let Some(world) = accounts::world() else {
        return;
    };
    let call = world.clsh(&world.person, ["-A", "-h", "n1", "id -un"]);
    // A shell beside it, or it would not be stopped.
    let shell = ["sh", "-mc", r#""$@"; read -r line; fg"#, "sh"];
    let mut terminal = asked(support::behind(&shell, &call));
    let clsh = support::children(terminal.pid())[0].pid;
    terminal.type_keys(CTRL_Z);
    wait_stopped(clsh);
    assert_eq!(terminal.modes(), terminal.modes_before());
    terminal.type_keys("\r");
    support::wait_until("a second prompt", || times(&terminal, PROMPT) == 2);
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    let line = format!("n1: {}", world.person.name);
    assert!(terminal.text().contains(&line), "{}", terminal.text());
}

#[test]
fn where_nobody_could_continue_it_ctrl_z_only_brings_the_prompt_again() {
    let Some(world) = accounts::world() else {
        return;
    };
    let mut terminal = asked(world.clsh(&world.person, ["-A", "-h", "n1", "id -un"]));
    terminal.type_keys(format!("gone{CTRL_Z}"));
    support::wait_until("a second prompt", || times(&terminal, PROMPT) == 2);
    assert_ne!(terminal.modes(), terminal.modes_before(), "no echo");
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
}

#[test]
fn without_a_terminal_it_is_no_call_and_says_what_is_one() {
    let done = run(&mut without_terminal(&nowhere([])));
    assert_eq!(done.code(), 2, "{}", done.err());
    assert!(
        done.err().contains("--password-file FILE"),
        "{}",
        done.err()
    );
    assert_eq!(done.err().lines().count(), 1, "nothing was started");
}

#[test]
fn a_session_asks_first_and_gives_it_again_to_who_is_connected_anew() {
    let Some(world) = accounts::world() else {
        return;
    };
    let mut terminal = asked(world.clsh(&world.person, ["-A", "--keep-going", "-h", "n[1-2]"]));
    terminal.type_keys(format!("{}\r", world.person.password));
    let me = world.person.name.as_str();
    let both = [format!("n1: {me}"), format!("n2: {me}")];
    assert_eq!(terminal.run("id -un"), both);
    terminal.enter(":on n2 kill -9 $PPID");
    terminal.enter(":reconnect");
    assert_eq!(terminal.run("id -un"), both);
    terminal.quit(0);
}

/// Before OpenSSH 8.4 ssh asked at its terminal, if it had one, and elsewhere only beside a display.
#[test]
fn an_ssh_that_knows_no_askpass_require_asks_here_too() {
    let Some(world) = accounts::world() else {
        return;
    };
    let old = support::scratch();
    let text = "#!/bin/sh\nunset SSH_ASKPASS_REQUIRE\nPATH=${PATH#*:}\nexec ssh \"$@\"\n";
    support::script(old.path(), "ssh", text);
    let mut call = world.clsh(&world.person, ["-A", "-h", "n[1-2]", "id -un"]);
    let path = std::env::var("PATH").expect("a PATH");
    call.env("PATH", format!("{}:{path}", old.path().display()));
    call.env_remove("DISPLAY");
    let mut terminal = asked(call);
    terminal.type_keys(format!("{}\r", world.person.password));
    assert_eq!(terminal.finish_clean(), 0, "{}", terminal.text());
    let line = format!("n2: {}", world.person.name);
    assert!(terminal.text().contains(&line), "{}", terminal.text());
}
