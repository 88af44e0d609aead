//! Ctrl-C: clears the line at the prompt, interrupts what runs on the nodes and keeps the session, and twice ends it.

use crate::kit::{CTRL_C, RULE, SHELLS, exec, nap, napping, touch, until};
use crate::support::{self, wait_until};
use crate::terminal::{Sitting, Terminal, sit};

#[test]
fn at_the_prompt_it_clears_the_line() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("echo never");
    terminal.wait_typed("echo never");
    terminal.type_keys(CTRL_C);
    terminal.wait_for("clsh> echo never^C\nclsh>");
    terminal.wait_prompt();
    assert_eq!(terminal.run("echo fine"), ["n1: fine"]);
    terminal.type_keys(CTRL_C.repeat(3));
    terminal.wait_for("clsh> ^C\nclsh> ^C\nclsh> ^C\nclsh>");
    assert_eq!(terminal.run("echo still"), ["n1: still"]);
    assert!(!terminal.text().contains("n1: never"));
    terminal.quit(0);
}

/// Types a command, waits until all its naps run, interrupts it, and gives what stands below it.
fn interrupted(terminal: &mut Terminal, command: &str, nap: &str, nodes: usize) -> String {
    terminal.wait_prompt();
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("{command}\r"));
    wait_until("the naps", || napping(nap) == nodes);
    terminal.type_keys(CTRL_C);
    let text = terminal.text_until_prompt(row);
    assert_eq!(napping(nap), 0, "{command}");
    assert!(!text.contains("NOT"), "{command}: {text}");
    text
}

/// Ctrl-C in the midst of each kind of command line.
fn interrupts_the_whole_line(shell: &str) {
    let nap = nap();
    let mut terminal = sit("n[1-2]", ["--shell", shell]);
    terminal.run("cd /usr; x=kept; f() { sleep $1; echo NOT; }; g() { f $1; echo NOT; }");
    for command in [
        "sleep NAP; echo NOT",
        "sleep NAP && echo NOT || echo NOT",
        "f NAP; echo NOT",
        "g NAP; echo NOT",
        "while :; do sleep NAP; echo NOT; done; echo NOT",
        "{ sleep NAP; echo NOT; } | cat; echo NOT",
        "(sleep NAP; echo NOT); echo NOT",
        "echo $(sleep NAP; echo NOT); echo NOT",
        "if sleep NAP; then echo NOT; else echo NOT; fi; echo NOT",
        "for i in 1 2 3; do for j in 1 2; do g NAP; done; done; echo NOT",
    ] {
        let command = command.replace("NAP", &nap);
        let text = interrupted(&mut terminal, &command, &nap, 2);
        assert!(
            text.contains("clsh: n[1-2] (2): exited with exit code 130\n"),
            "{command}: {text}"
        );
        let state = terminal.run("echo $PWD $x");
        assert_eq!(state, ["n1: /usr kept", "n2: /usr kept"], "{command}");
    }
    terminal.quit(0);
}

#[test]
fn it_interrupts_the_whole_line_in_dash_and_keeps_the_state() {
    interrupts_the_whole_line("dash");
}

#[test]
fn it_interrupts_the_whole_line_in_bash_and_keeps_the_state() {
    interrupts_the_whole_line("bash");
}

#[test]
fn it_interrupts_the_whole_line_in_busybox_and_keeps_the_state() {
    interrupts_the_whole_line("busybox sh");
}

#[test]
fn it_interrupts_a_loop_that_starts_no_program() {
    for shell in SHELLS {
        let mut terminal = sit("n[1-2]", ["--shell", shell]);
        let row = terminal.look(|screen| screen.cursor_position().0);
        terminal.type_keys("echo busy; while :; do :; done; echo NOT\r");
        terminal.wait_for("n1: busy");
        terminal.wait_for("n2: busy");
        terminal.type_keys(CTRL_C);
        let text = terminal.text_until_prompt(row);
        assert!(!text.contains("NOT"), "{shell}: {text}");
        assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"], "{shell}");
        terminal.quit(0);
    }
}

/// Enter and Ctrl-C in one write, again and again.
fn interrupts_the_line_just_given(shell: &str) {
    let nap = nap();
    let mut terminal = sit("n[1-2]", ["--shell", shell]);
    for _ in 0..5 {
        terminal.wait_prompt();
        let row = terminal.look(|screen| screen.cursor_position().0);
        terminal.type_keys(format!("sleep {nap}; echo NOT\r{CTRL_C}"));
        let text = terminal.text_until_prompt(row);
        assert!(!text.contains("NOT"), "{text}");
        assert_eq!(napping(&nap), 0);
        assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"]);
    }
    terminal.quit(0);
}

#[test]
fn typed_in_one_write_with_enter_it_interrupts_that_line_in_dash() {
    interrupts_the_line_just_given("dash");
}

#[test]
fn typed_in_one_write_with_enter_it_interrupts_that_line_in_bash() {
    interrupts_the_line_just_given("bash");
}

#[test]
fn typed_in_one_write_with_enter_it_interrupts_that_line_in_busybox() {
    interrupts_the_line_just_given("busybox sh");
}

#[test]
fn twice_within_a_second_it_ends_the_session_though_the_command_ignores_it() {
    for keys in ["\x03\x03", "\x03"] {
        let nap = nap();
        let mut terminal = sit("n[1-2]", []);
        terminal.type_keys(format!("sh -c \"trap '' INT; sleep {nap}; sleep {nap}\"\r"));
        wait_until("the naps", || napping(&nap) == 2);
        terminal.type_keys(keys);
        if keys.len() == 1 {
            terminal.type_keys(keys);
        }
        assert_eq!(terminal.finish_clean(), 130, "{}", terminal.text());
        assert_eq!(napping(&nap), 0);
    }
}

#[test]
fn one_that_is_ignored_leaves_the_session_as_it_is() {
    let nap = nap();
    let mut terminal = sit("n1", []);
    let row = terminal.look(|screen| screen.cursor_position().0);
    let wait = until("go");
    terminal.type_keys(format!(
        "sh -c \"trap '' INT; sleep {nap} & {wait}; kill \\$!; echo lasted\"\r"
    ));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.type_keys(CTRL_C);
    crate::kit::wait_idle(terminal.pid());
    touch(terminal.home.join("go"));
    let text = terminal.text_until_prompt(row);
    assert!(text.contains("n1: lasted\n"), "{text}");
    terminal.quit(130);
}

#[test]
fn a_second_one_at_the_prompt_does_not_end_the_session() {
    let nap = nap();
    let mut terminal = sit("n1", []);
    interrupted(&mut terminal, &format!("sleep {nap}"), &nap, 1);
    terminal.type_keys(CTRL_C);
    terminal.wait_for("clsh> ^C\nclsh>");
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.quit(0);
}

#[test]
fn it_interrupts_only_the_nodes_that_still_run() {
    let nap = nap();
    let mut terminal = sit("n[1-3]", []);
    let command = format!("test $CLSH_RANK -ne 1 || sleep {nap}; echo $CLSH_HOST done");
    let text = interrupted(&mut terminal, &command, &nap, 1);
    assert!(
        text.contains("n1: n1 done\n") && text.contains("n3: n3 done\n"),
        "{text}"
    );
    assert!(!text.contains("n2 done"), "{text}");
    assert!(
        text.ends_with("clsh: n2: exited with exit code 130\n"),
        "{text}"
    );
    terminal.quit(130);
}

#[test]
fn what_is_typed_while_a_command_runs_waits_and_is_run_in_order() {
    let mut terminal = sit("n1", []);
    terminal.type_keys(format!("echo up; {}\r", until("go")));
    terminal.wait_for("n1: up");
    terminal.type_keys("echo one\recho two\recho thr");
    terminal.type_keys("ee");
    crate::kit::wait_idle(terminal.pid());
    assert!(!terminal.text().contains("n1: one"));
    touch(terminal.home.join("go"));
    terminal.wait_for(&format!("n1: two\n{RULE}\nclsh> echo three"));
    terminal.wait_typed("echo three");
    assert!(
        terminal
            .text()
            .contains(&format!("n1: one\n{RULE}\nclsh> echo two\n"))
    );
    terminal.type_keys("\r");
    terminal.wait_for("n1: three");
    terminal.quit(0);
}

#[test]
fn it_drops_what_was_typed_ahead() {
    let nap = nap();
    let mut terminal = sit("n1", []);
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("sleep {nap}\r"));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.type_keys(format!("echo NOT\recho NOR{CTRL_C}"));
    let text = terminal.text_until_prompt(row);
    assert!(!text.contains("NOT"), "{text}");
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.quit(0);
}

#[test]
fn while_nodes_connect_it_ends_the_session() {
    let directory = support::scratch();
    let nap = nap();
    let hangs = support::script(
        directory.path(),
        "hangs",
        &format!("#!/bin/sh\nexec sleep {nap}\n"),
    );
    let call = support::clsh_with(["-h", "n[1-2]", "-R", &format!("{} %h", hangs.display())]);
    let mut terminal = Sitting::new(call).start();
    wait_until("the naps", || napping(&nap) == 2);
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.finish_clean(), 130, "{}", terminal.text());
}

#[test]
fn as_a_signal_it_does_the_same() {
    let nap = nap();
    let mut terminal = Sitting::new(exec("n1", [])).at_prompt();
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("sleep {nap}; echo NOT\r"));
    wait_until("the nap", || napping(&nap) == 1);
    terminal.signal(crate::kit::INT);
    let text = terminal.text_until_prompt(row);
    assert!(!text.contains("NOT"), "{text}");
    terminal.quit(130);
}

#[test]
fn what_a_program_starts_to_clean_up_is_left_in_peace() {
    let mut terminal = sit("n[1-2]", []);
    let row = terminal.look(|screen| screen.cursor_position().0);
    // The nap of the handler is younger than the interrupt, and would heed another one.
    let command = "sh -c 'trap \"sleep 0.7 && echo cleaned; exit 5\" INT; echo up; while :; do sleep 0.05; done'";
    terminal.type_keys(format!("{command}\r"));
    terminal.wait_for("n1: up");
    terminal.wait_for("n2: up");
    terminal.type_keys(CTRL_C);
    let text = terminal.text_until_prompt(row);
    for node in ["n1", "n2"] {
        assert!(text.contains(&format!("{node}: cleaned\n")), "{text}");
    }
    terminal.quit(130);
}
