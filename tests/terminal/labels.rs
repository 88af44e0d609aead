//! Labels on a terminal: their colours and their widths. In a pipe they are plain.

use crate::kit::{exec, sorted};
use crate::raw;
use crate::support::run;

/// What came, with plain line ends.
fn plain(words: &str) -> String {
    raw(words).replace("\r\n", "\n")
}

#[test]
fn those_of_stderr_are_red_and_those_of_stdout_never() {
    let shown = plain("\"$CLSH\" -h 'n[10-31]' -R exec sh -c 'echo out; echo err >&2'");
    let lines = sorted(&shown);
    assert_eq!(lines.len(), 2 * 22, "{shown:?}");
    for line in &lines {
        let (label, text) = line.split_once("\x1b[0m ").expect("a coloured label");
        assert_eq!(text == "err", label.starts_with("\x1b[31mn"), "{line:?}");
        assert!(
            label.starts_with("\x1b[3") && label.ends_with(':'),
            "{line:?}"
        );
    }
}

#[test]
fn each_end_has_its_own_colours() {
    // Only what is a terminal is coloured.
    let script = "sh -c 'echo out; echo err >&2'";
    let shown = plain(&format!("\"$CLSH\" -h n1 -R exec {script} | cat"));
    assert_eq!(sorted(&shown), ["\x1b[31mn1:\x1b[0m err", "n1: out"]);
    let shown = plain(&format!("\"$CLSH\" -h n1 -R exec {script} 2>err; cat err"));
    assert_eq!(sorted(&shown), ["\x1b[36mn1:\x1b[0m out", "n1: err"]);
    let shown = plain(&format!("\"$CLSH\" -h n1 -R exec --color never {script}"));
    assert_eq!(sorted(&shown), ["n1: err", "n1: out"]);
    let done = run(&mut exec(
        "n1",
        ["--color", "always", "sh", "-c", "echo out; echo err >&2"],
    ));
    assert_eq!(done.out(), "\x1b[36mn1:\x1b[0m out\n");
    assert_eq!(done.err(), "\x1b[31mn1:\x1b[0m err\n");
}

#[test]
fn they_are_padded_to_one_width_where_that_costs_little() {
    for (nodes, wanted) in [
        ("n9,n10", ["n10: text", "n9:  text"]),
        ("n9,n100", ["n100: text", "n9:   text"]),
        ("n9,n1000", ["n1000: text", "n9:    text"]),
        ("n9,n10000", ["n10000: text", "n9: text"]),
        ("n8,n9", ["n8: text", "n9: text"]),
    ] {
        for flag in ["", "-L "] {
            let call = format!("\"$CLSH\" -h {nodes} -R exec --color never {flag}echo text");
            assert_eq!(sorted(&plain(&call)), wanted, "{nodes} {flag}");
            let piped = sorted(&plain(&format!("{call} | cat")));
            let single =
                |line: &String| line.split_once(": ").is_some_and(|parts| parts.1 == "text");
            assert!(piped.iter().all(single), "{piped:?}");
        }
    }
    // Colours take no room.
    let shown = plain("\"$CLSH\" -h n9,n10 -R exec -L echo text");
    assert_eq!(
        shown,
        "\x1b[36mn9:\x1b[0m  text\n\x1b[32mn10:\x1b[0m text\n"
    );
    // Each end for itself.
    let shown =
        plain("\"$CLSH\" -h n9,n10 -R exec --color never sh -c 'echo out; echo err >&2' | cat");
    assert_eq!(
        sorted(&shown),
        ["n10: err", "n10: out", "n9:  err", "n9: out"]
    );
    let shown = plain("\"$CLSH\" -h n9,n10 -R exec -N echo text");
    assert_eq!(shown, "text\ntext\n");
}
