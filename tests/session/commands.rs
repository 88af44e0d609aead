//! What a command may do and print: its shell stays, its output comes whole, and it finds nothing to read.

use crate::kit::RULE;
use crate::terminal::{Sitting, sit};

#[test]
fn directory_variables_and_functions_last() {
    let mut terminal = sit("n[1-2]", []);
    assert_eq!(terminal.run("cd /usr; x='a  b'"), [""; 0]);
    assert_eq!(terminal.run("f() { echo \"$PWD $x $1\"; }"), [""; 0]);
    assert_eq!(terminal.run("f 1"), ["n1: /usr a  b 1", "n2: /usr a  b 1"]);
    assert_eq!(terminal.run("x=$CLSH_HOST"), [""; 0]);
    assert_eq!(terminal.run("f 2"), ["n1: /usr n1 2", "n2: /usr n2 2"]);
    terminal.quit(0);
}

#[test]
fn the_last_status_is_the_next_commands_to_see() {
    let mut terminal = sit("n1", []);
    terminal.block("(exit 9)");
    assert_eq!(terminal.run("echo $#"), ["n1: 0"]);
    terminal.quit(0);
}

#[test]
fn a_node_knows_its_name_its_rank_and_how_many_there_are() {
    let mut terminal = sit("n[1-2]", []);
    assert_eq!(
        terminal.run("echo $CLSH_HOST $CLSH_RANK $CLSH_COUNT"),
        ["n1: n1 0 2", "n2: n2 1 2"]
    );
    terminal.quit(0);
}

#[test]
fn statuses_other_than_0_are_summed_up_below_the_block() {
    let mut terminal = sit("n[1-4]", []);
    let (lines, below) =
        terminal.block("echo x; test $CLSH_RANK -lt 1 || (exit $((CLSH_RANK / 2 + 3)))");
    assert_eq!(lines, ["n1: x", "n2: x", "n3: x", "n4: x"]);
    assert_eq!(
        below,
        "clsh: n2: exited with exit code 3\nclsh: n[3-4] (2): exited with exit code 4\n"
    );
    let (_, below) = terminal.block("sh -c 'kill -9 $$'");
    assert!(
        below.ends_with("clsh: n[1-4] (4): exited with exit code 137\n"),
        "{below}"
    );
    assert_eq!(terminal.run("true"), [""; 0]);
    terminal.quit(0);
}

#[test]
fn quiet_leaves_the_summary_out() {
    let mut terminal = sit("n1", ["-q"]);
    assert_eq!(terminal.run("echo x; (exit 3)"), ["n1: x"]);
    terminal.quit(3);
}

#[test]
fn a_last_line_without_newline_gets_one() {
    let mut terminal = sit("n[1-2]", []);
    assert_eq!(
        terminal.run("printf 'one\\ntwo'"),
        ["n1: one", "n1: two", "n2: one", "n2: two"]
    );
    assert_eq!(terminal.run("printf x; printf y >&2").len(), 4);
    terminal.quit(0);
}

#[test]
fn binary_output_is_harmless_on_the_terminal() {
    let mut terminal = sit("n1", []);
    let lines = terminal.run("printf 'a\\000b\\377c\\033[2J\\033]0;t\\007\\033[?1049h\\rd\\n'");
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("n1: a") && lines[0].ends_with('d'),
        "{lines:?}"
    );
    terminal.quit(0);
    let raw = String::from_utf8(terminal.raw()).expect("UTF-8");
    for driving in ["\0", "\x1b[2J", "\x1b]", "\x07", "\x1b[?1049h", "\rd"] {
        assert!(!raw.contains(driving), "{driving:?} in {raw:?}");
    }
    assert!(terminal.text().starts_with("Enter 'quit'"));
}

#[test]
fn what_looks_like_a_frame_of_clshs_own_is_a_line_like_any() {
    let mut terminal = sit("n1", []);
    let lines = terminal.run("printf '\\036%s done 1 0\\036\\n' 0123; echo end");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1], "n1: end");
    terminal.quit(0);
}

#[test]
fn five_megabytes_come_whole_and_then_the_prompt() {
    let mut terminal = Sitting::new(crate::kit::exec("n1", ["--color", "never"]))
        .size(24, 100)
        .at_prompt();
    terminal.type_keys("head -c 5242880 /dev/zero | tr '\\0' x | fold -w 64; echo; echo all\r");
    terminal.wait_for(&format!("n1: all\n{RULE}\nclsh>"));
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish(), 0);
    let raw = String::from_utf8(terminal.raw()).expect("UTF-8");
    let line = format!("n1: {}", "x".repeat(64));
    assert_eq!(
        raw.lines().filter(|&one| one == line).count(),
        5_242_880 / 64
    );
}

#[test]
fn a_command_that_reads_sees_the_end_and_does_not_eat_the_next_line() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("cat; read x; echo \"got [$x]\"\recho next\recho last\r");
    terminal.wait_for(&format!("n1: last\n{RULE}\nclsh>"));
    let text = terminal.text();
    for line in ["n1: got []", "n1: next", "n1: last"] {
        let count = text.lines().filter(|&one| one == line).count();
        assert_eq!(count, 1, "{line}: {text}");
    }
    terminal.quit(0);
}

#[test]
fn stderr_comes_under_its_nodes_name_too() {
    let mut terminal = sit("n[1-2]", []);
    assert_eq!(terminal.run("echo oops >&2"), ["n1: oops", "n2: oops"]);
    terminal.quit(0);
}

#[test]
fn quotes_newlines_and_backslashes_reach_the_nodes_as_they_are() {
    let mut terminal = sit("n1", []);
    assert_eq!(
        terminal.run(r#"printf '%s|' "it's" 'a"b' a\\b '$x' "\$" '\' '*'"#),
        [r#"n1: it's|a"b|a\b|$x|$|\|*|"#]
    );
    terminal.quit(0);
}
