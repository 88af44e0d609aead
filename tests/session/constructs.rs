//! Commands over several lines: a second prompt until they are whole, and then they run once, as a shell of one's own would run them.

use crate::kit::{CTRL_C, CTRL_D, RULE, SHELLS, UP, exec, script, scripted, with_stdin};
use crate::terminal::{Sitting, Terminal, rows, sit};

/// Types a line at a prompt, and waits for the second prompt.
fn begin(terminal: &mut Terminal, line: &str) {
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("{line}\r"));
    terminal.wait_for_screen("a second prompt", |screen| {
        let (at, column) = screen.cursor_position();
        let text = rows(screen).nth(at.into());
        at > row && column == 2 && text.as_deref() == Some(">")
    });
}

/// Types lines of which the last one makes the command whole; gives what stands between the rules.
fn enter(terminal: &mut Terminal, lines: &[&str]) -> Vec<String> {
    terminal.wait_prompt();
    let (last, first) = lines.split_last().expect("a line");
    for line in first {
        begin(terminal, line);
    }
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("{last}\r"));
    let text = terminal.text_until_prompt(row);
    let (lines, below) = crate::terminal::block(&text);
    assert_eq!(below, "", "{lines:?}");
    lines
}

/// Commands by their lines, and what they print.
const CONSTRUCTS: [(&[&str], &[&str]); 13] = [
    (&["for x in 1 2; do", "  echo $x", "done"], &["1", "2"]),
    (
        &["if false; then", "echo DANGER", "else", "echo no", "fi"],
        &["no"],
    ),
    (
        &["case b in", "a) echo NO;;", "b)", "echo b;;", "esac"],
        &["b"],
    ),
    (&["f() {", "echo f$1", "}"], &[]),
    (&["f 1 &&", "", "f 2"], &["f1", "f2"]),
    (&["false ||", "f 3 |", "cat"], &["f3"]),
    (
        &["cat <<EOT", "$((1 + 1))", ":nodes", "EOT"],
        &["2", ":nodes"],
    ),
    (
        &["cat <<-'EOT' | cat", "quit", "!x $x", "EOT"],
        &["!x $x", "quit"],
    ),
    (&["echo 'a", "quit", "b'"], &["a", "b", "quit"]),
    (&["echo \"a", "# no comment\""], &["# no comment", "a"]),
    (&["echo a \\", "b"], &["a b"]),
    (&["echo $(", "echo sub", ")"], &["sub"]),
    (&["{ echo brace", "(", "echo sub", ") }"], &["brace", "sub"]),
];

#[test]
fn a_construct_gets_a_second_prompt_and_runs_once_whole() {
    for shell in SHELLS {
        let mut terminal = Sitting::new(exec("n1", ["--shell", shell]))
            .size(250, 80)
            .at_prompt();
        for (lines, printed) in CONSTRUCTS {
            let wanted: Vec<String> = printed.iter().map(|line| format!("n1: {line}")).collect();
            let printed = enter(&mut terminal, lines);
            let printed: Vec<String> = printed
                .into_iter()
                .filter(|line| !line.is_empty())
                .collect();
            assert_eq!(printed, wanted, "{shell}: {lines:?}");
        }
        terminal.quit(0);
    }
}

#[test]
fn ctrl_c_drops_what_is_not_whole_and_ctrl_d_sends_it() {
    let mut terminal = sit("n1", []);
    begin(&mut terminal, "if true; then");
    begin(&mut terminal, "echo NO");
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(CTRL_C);
    terminal.text_until_prompt(row);
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    // What is typed behind it is clsh's own again.
    assert!(
        terminal
            .enter(":use n1")
            .starts_with("Working with nodes: n1\n")
    );
    begin(&mut terminal, "echo 'open");
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(CTRL_D);
    let text = terminal.text_until_prompt(row);
    assert!(
        text.contains("n1: ") && text.contains("exited with exit code"),
        "{text}"
    );
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.type_keys(CTRL_D);
    assert_eq!(terminal.finish_clean(), 0);
}

#[test]
fn a_construct_is_one_line_of_the_history() {
    let mut terminal = sit("n1", []);
    enter(&mut terminal, &["for x in 1 2; do", "echo $x", "done"]);
    terminal.type_keys(UP);
    terminal.wait_for_screen("all of it", |screen| {
        let text: Vec<String> = rows(screen).collect();
        let at = usize::from(screen.cursor_position().0);
        at >= 2 && text[at - 2..=at] == ["clsh> for x in 1 2; do", "echo $x", "done"]
    });
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys("\r");
    let (lines, _) = crate::terminal::block(&terminal.text_until_prompt(row));
    assert_eq!(lines, ["n1: 1", "n1: 2"]);
    terminal.quit(0);
}

#[test]
fn a_paste_that_is_not_whole_goes_on_at_the_second_prompt() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("\x1b[200~echo one\nfor x in 1 2; do\x1b[201~");
    begin(&mut terminal, "");
    assert_eq!(
        enter_behind(&mut terminal, &["echo $x", "done"]),
        ["n1: 1", "n1: 2", "n1: one"]
    );
    terminal.quit(0);
}

/// [`enter`] at the second prompt.
fn enter_behind(terminal: &mut Terminal, lines: &[&str]) -> Vec<String> {
    let (last, first) = lines.split_last().expect("a line");
    first.iter().for_each(|line| begin(terminal, line));
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(format!("{last}\r"));
    crate::terminal::block(&terminal.text_until_prompt(row)).0
}

#[test]
fn a_terminal_that_obeys_no_escapes_has_a_second_prompt_too() {
    let mut terminal = Sitting::new(exec("n1", [])).env("TERM", "dumb").at_prompt();
    assert_eq!(
        enter(&mut terminal, &["if true; then", "echo yes", "fi"]),
        ["n1: yes"]
    );
    begin(&mut terminal, "echo 'NO");
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys(CTRL_C);
    terminal.text_until_prompt(row);
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.quit(0);
}

#[test]
fn commands_for_some_nodes_and_for_here_may_be_constructs_too() {
    let text = ":on n2 if true; then\necho far\nfi\n!for x in 1 2; do\necho $x\ndone\n";
    let done = script("n[1-2]", text);
    assert_eq!(done.out(), "n2: far\nLOCAL: 1\nLOCAL: 2\n");
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
}

#[test]
fn lines_from_a_pipe_are_collected_as_typed_ones_and_shown_with_their_prompts() {
    for shell in SHELLS {
        let text: String = CONSTRUCTS
            .iter()
            .flat_map(|(lines, _)| lines.iter().map(|line| format!("{line}\n")))
            .collect();
        let done = scripted(exec("n1", ["--shell", shell]), text);
        let mut wanted: Vec<String> = CONSTRUCTS
            .iter()
            .flat_map(|(_, printed)| printed.iter().map(|line| format!("n1: {line}")))
            .collect();
        wanted.sort();
        assert_eq!((done.sorted(), done.code()), (wanted, 0), "{shell}");
    }
    let done = with_stdin(exec("n1", ["-i"]), "if true; then\necho x\nfi\n");
    assert_eq!(
        done.err(),
        format!(
            "Enter 'quit' to leave this interactive mode\nWorking with nodes: n1\nclsh> if true; then\n> echo x\n> fi\n{RULE}\n{RULE}\nclsh> \n"
        )
    );
}

#[test]
fn what_is_not_whole_at_the_end_of_the_input_is_sent_and_the_shell_says_so() {
    for shell in SHELLS {
        for open in [
            "echo (",
            "if true; then",
            "echo 'open",
            "echo \"open",
            "echo $(",
            "for x in 1; do\necho NO",
            "{ echo NO",
            "case x in",
            "echo NO &&",
            "f() {\necho NO",
        ] {
            let done = scripted(
                exec("n1", ["--shell", shell]),
                format!("echo before\n{open}"),
            );
            assert_eq!(done.out(), "n1: before\n", "{shell}: {open}");
            assert!(
                done.err().contains("n1: "),
                "{shell}: {open}: {}",
                done.err()
            );
            assert!([1, 2].contains(&done.code()), "{shell}: {open}: {done:?}");
        }
    }
}

#[test]
fn a_construct_is_no_longer_than_a_command_may_be() {
    let line = format!(": {}\n", "x".repeat(1000));
    let done = script("n1", format!("f() {{\n{}}}\necho on\n", line.repeat(1000)));
    assert_eq!(
        (done.out().as_str(), done.code()),
        ("n1: on\n", 0),
        "{}",
        done.err()
    );
    let done = script("n1", format!("cat <<E\n{}E\n", line.repeat(1060)));
    assert!(
        done.err()
            .contains("clsh: the command is longer than 1 MiB"),
        "{}",
        done.err()
    );
}

#[test]
fn with_its_last_node_a_session_that_nobody_watches_ends() {
    for flags in [&[][..], &["--keep-going"]] {
        let done = scripted(
            exec("n[1-2]", flags.iter().copied()),
            "echo on\nif true; then exit 4; fi\necho NO\n",
        );
        assert_eq!(
            (done.sorted(), done.code()),
            (vec!["n1: on".to_owned(), "n2: on".to_owned()], 4),
            "{flags:?}"
        );
        assert!(
            done.err().contains("the shell ended with exit code 4"),
            "{}",
            done.err()
        );
        assert!(
            done.err()
                .ends_with("clsh: the session is over: no node is left\n"),
            "{}",
            done.err()
        );
    }
}
