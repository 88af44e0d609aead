//! Output in other shapes on a terminal: nothing in it drives the terminal, and in a pipe it stays what it is.

use crate::kit::exec;
use crate::raw;
use crate::support::run;

/// Clears, sets a title, rings, and colours; at last a control character of the upper half, as bytes and as text, and a delete.
const DRIVING: &str = r"printf '\033[2J\033]0;title\007 \033[31mred\033[0m \233 \302\233 \177\n'";

fn on_terminal(flags: &str) -> String {
    raw(&format!(
        "\"$CLSH\" -h 'n[1-2]' -R exec --color never {flags} sh -c \"{DRIVING}\""
    ))
    .replace("\r\n", "\n")
}

fn in_pipe(flags: &str) -> Vec<u8> {
    let mut call = exec("n[1-2]", flags.split(' '));
    run(call.args(["sh", "-c", DRIVING])).stdout
}

#[test]
fn groups_and_ordered_lines_are_made_harmless() {
    for (flags, count) in [("-b", 1), ("-L", 2), ("-b --diff", 1)] {
        let shown = on_terminal(flags);
        let line = "^[[2J^[]0;title^G \x1b[31mred\x1b[0m \\x9b \\x9b ^?";
        assert_eq!(shown.matches(line).count(), count, "{flags}: {shown:?}");
        let rest = shown.replace("\x1b[31m", "").replace("\x1b[0m", "");
        let driving = |c: char| c.is_control() && c != '\n';
        assert!(!rest.contains(driving), "{flags}: {rest:?}");
    }
}

#[test]
fn groups_and_ordered_lines_stay_what_they_are_in_a_pipe() {
    let line = b"\x1b[2J\x1b]0;title\x07 \x1b[31mred\x1b[0m \x9b \xc2\x9b \x7f\n";
    assert_eq!(
        in_pipe("-b"),
        [&b"---------------\nn[1-2] (2)\n---------------\n"[..], line].concat()
    );
    let wanted = [b"n1: ", &line[..], b"n2: ", line].concat();
    assert_eq!(in_pipe("-L"), wanted);
}

#[test]
fn differences_are_made_harmless() {
    let shown = raw(
        "\"$CLSH\" -h 'n[1-3]' -R exec --color never -b --diff sh -c 'test $CLSH_RANK = 2 && printf \"\\033[2Ja\\n\" || echo a'",
    );
    assert!(shown.contains("+^[[2Ja\r\n"), "{shown:?}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn objects_are_escaped_everywhere() {
    let plain = r"printf '\033[2J\033]0;title\007 \302\233 \177\n'";
    let call = format!("\"$CLSH\" -h n1 -R exec --json sh -c \"{plain}\"");
    let terminal = raw(&call);
    let mut piped = exec("n1", ["--json", "sh", "-c", plain]);
    let piped = run(&mut piped).out();
    // In a pipe only what JSON demands.
    let driving = |c: char| c.is_control() && c != '\n' && c != '\r';
    assert!(!terminal.contains(driving), "{terminal:?}");
    assert!(
        !piped.contains('\x1b') && !piped.contains('\x07'),
        "{piped:?}"
    );
    for shown in [terminal, piped] {
        let line = shown.lines().next().expect("a line");
        let object: serde_json::Value = serde_json::from_str(line).expect("an object");
        assert_eq!(object["line"], "\x1b[2J\x1b]0;title\x07 \u{9b} \x7f");
    }
}

#[test]
fn the_table_stands_below_all_lines() {
    let shown = raw(
        "\"$CLSH\" -h 'n[1-3]' -R exec --color never --summary --progress sh -c 'echo text; exit $CLSH_RANK'",
    );
    let (_, table) = shown.split_once("node").expect("a table");
    assert!(
        !table.contains('\x1b') && !table.contains("text"),
        "{shown:?}"
    );
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect())
        .collect();
    let names: Vec<(&str, &str)> = rows.iter().take(3).map(|row| (row[0], row[1])).collect();
    assert_eq!(names, [("n3", "2"), ("n2", "1"), ("n1", "0")]);
}
