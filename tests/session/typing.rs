//! The line is edited as in a shell, whatever is typed and however wide the terminal is.

use crate::kit::{CTRL_C, RULE, exec, wait_idle};
use crate::terminal::{Sitting, rows, sit, text};
use unicode_width::UnicodeWidthStr;

/// What is typed; what stands left and right of the cursor then.
const EDITS: [(&str, &str, &str); 30] = [
    ("abc\x1b[DX", "abX", "c"),
    ("abc\x1bODX", "abX", "c"),
    ("abc\x02\x02X", "aX", "bc"),
    ("abc\x1b[D\x1b[D\x1b[CX", "abX", "c"),
    ("abc\x02\x02\x06X", "abX", "c"),
    ("abc\x01X", "X", "abc"),
    ("abc\x1b[HX", "X", "abc"),
    ("abc\x1bOHX", "X", "abc"),
    ("abc\x1b[1~X", "X", "abc"),
    ("abc\x01\x05X", "abcX", ""),
    ("abc\x01\x1b[FX", "abcX", ""),
    ("abc\x01\x1b[4~X", "abcX", ""),
    ("one two\x1bbX", "one X", "two"),
    ("one two\x1b[1;5DX", "one X", "two"),
    ("one two\x01\x1bfX", "oneX", " two"),
    ("one two\x01\x1b[1;5CX", "oneX", " two"),
    ("abcd\x02\x02\x0bX", "abX", ""),
    ("abcd\x02\x02\x15X", "X", "cd"),
    ("one two\x17X", "one X", ""),
    ("one two\x17\x19\x19", "one twotwo", ""),
    ("one two\x01\x1bdX", "X", " two"),
    ("abc\x7fX", "abX", ""),
    ("abc\x08X", "abX", ""),
    ("abc\x01\x1b[3~X", "X", "bc"),
    ("abc\x01\x04X", "X", "bc"),
    ("ab\x14", "ba", ""),
    ("日本\x7fü", "日ü", ""),
    ("日本\x1b[DX", "日X", "本"),
    ("e\u{301}x\x02\x02X", "X", "e\u{301}x"),
    ("a\x1b[25~b\x1b[99;99xc", "abc", ""),
];

#[test]
fn keys_edit_the_line_as_in_a_shell() {
    let mut terminal = sit("n1", []);
    for (keys, left, right) in EDITS {
        terminal.wait_prompt();
        terminal.type_keys(keys);
        let row_text = format!("clsh> {left}{right}");
        let column = format!("clsh> {left}").width();
        terminal.wait_for_screen(
            &format!("{keys:?}: {row_text:?} with the cursor at {column}"),
            |screen| {
                let (row, at) = screen.cursor_position();
                usize::from(at) == column
                    && rows(screen).nth(row.into()).as_deref() == Some(&*row_text)
            },
        );
        let row = terminal.look(|screen| screen.cursor_position().0);
        terminal.type_keys(CTRL_C);
        terminal.text_until_prompt(row);
    }
    terminal.quit(0);
}

#[test]
fn what_was_edited_is_what_runs() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("ecx\x7fho 日本\x1b[D\x1b[D{\x05}ü\r");
    terminal.wait_for("n1: {日本}ü");
    terminal.quit(0);
}

#[test]
fn a_character_cut_in_the_middle_is_put_together() {
    let mut terminal = sit("n1", []);
    let letters = "echo €日";
    for &byte in letters.as_bytes() {
        terminal.type_keys([byte]);
    }
    terminal.wait_typed(letters);
    terminal.type_keys("\r");
    terminal.wait_for("n1: €日");
    terminal.quit(0);
}

#[test]
fn ctrl_l_clears_the_screen_and_keeps_the_line() {
    let mut terminal = sit("n1", []);
    terminal.run("echo gone");
    terminal.type_keys("echo kept");
    terminal.wait_typed("echo kept");
    terminal.type_keys("\x0c");
    terminal.wait_for_screen("a clear screen", |screen| text(screen) == "clsh> echo kept");
    terminal.type_keys("\r");
    terminal.wait_for(&format!("clsh> echo kept\n{RULE}\nn1: kept\n{RULE}\nclsh>"));
    terminal.quit(0);
}

#[test]
fn tab_completes_commands_of_clsh_and_names_of_nodes() {
    let mut terminal = sit("node[1-3],web", []);
    for (keys, typed) in [
        (":no\t", ":nodes "),
        (":use w\t", ":use web "),
        (":use no\t", ":use node"),
        (":gather of\t", ":gather off "),
        ("ping w\t", "ping web "),
        (":use node1,w\t", ":use node1,web "),
    ] {
        terminal.wait_prompt();
        terminal.type_keys(keys);
        terminal.wait_for_screen(&format!("{keys:?} to be {typed:?}"), |screen| {
            let (row, column) = screen.cursor_position();
            let whole = rows(screen).nth(row.into()).unwrap_or_default();
            whole == format!("clsh> {}", typed.trim_end()) && usize::from(column) >= whole.len()
        });
        let row = terminal.look(|screen| screen.cursor_position().0);
        terminal.type_keys(CTRL_C);
        terminal.text_until_prompt(row);
    }
    terminal.type_keys(":use no\t\t");
    terminal.wait_for_screen("the names and the line below", |screen| {
        let shown = text(screen);
        shown.ends_with("\nclsh> :use node")
            && ["node1", "node2", "node3"].iter().all(|name| {
                shown.lines().any(|line| {
                    !line.starts_with("clsh>")
                        && !line.starts_with("Working")
                        && line.contains(name)
                })
            })
    });
    terminal.type_keys("2\r");
    terminal.wait_for("Working with nodes: node2\n");
    terminal.quit(0);
}

#[test]
fn a_long_line_wraps_and_runs_whole() {
    let mut terminal = Sitting::new(exec("n1", [])).size(50, 40).at_prompt();
    let word = "0123456789".repeat(12);
    terminal.type_keys(format!("echo {word}"));
    terminal.wait_for_screen("the wrapped line", |screen| {
        text(screen)
            .replace('\n', "")
            .ends_with(&format!("clsh> echo {word}"))
    });
    terminal.type_keys("\x01\x1b[C\x1b[3~c\r");
    terminal.wait_for_screen("the output", |screen| {
        text(screen)
            .replace('\n', "")
            .contains(&format!("n1: {word}"))
    });
    terminal.quit(0);
}

#[test]
fn a_new_width_while_typing_draws_the_line_anew() {
    let mut terminal = Sitting::new(exec("n1", [])).size(50, 40).at_prompt();
    let word = "x".repeat(60);
    terminal.type_keys(format!("echo {word}"));
    terminal.wait_for_screen("two rows", |screen| screen.cursor_position().1 == 31);
    terminal.resize(50, 100);
    terminal.wait_typed(&format!("echo {word}"));
    terminal.resize(50, 50);
    terminal.wait_for_screen("two rows of another width", |screen| {
        let (_, column) = screen.cursor_position();
        column == 21
            && text(screen)
                .replace('\n', "")
                .ends_with(&format!("clsh> echo {word}"))
    });
    terminal.type_keys("y\r");
    terminal.wait_for_screen("the output", |screen| {
        text(screen)
            .replace('\n', "")
            .contains(&format!("n1: {word}y"))
    });
    terminal.quit(0);
}

#[test]
fn a_new_width_while_typing_leaves_one_line_where_the_terminal_folds_it_anew() {
    let mut terminal = Sitting::new(exec("n1", [])).size(50, 40).at_prompt();
    let mut word = "x".repeat(60);
    terminal.type_keys(format!("echo {word}"));
    let above = "Enter 'quit' to leave this interactive mode\nWorking with nodes: n1\n";
    for columns in [40, 100, 50, 30, 80] {
        terminal.resize_and_fold(50, columns);
        // The window's size is news to clsh by a signal, and the next key must not overtake it.
        wait_idle(terminal.pid());
        terminal.type_keys("y");
        word.push('y');
        let wanted = format!("{above}clsh> echo {word}");
        let column = ("clsh> echo ".len() + word.len()) % usize::from(columns);
        terminal.wait_for_screen(&format!("the line in {columns} columns"), |screen| {
            screen.contents().trim_end() == wanted
                && usize::from(screen.cursor_position().1) == column
        });
    }
    terminal.type_keys("\r");
    terminal.wait_for(&format!("n1: {word}"));
    terminal.quit(0);
}

#[test]
fn pasted_lines_are_one_command_and_one_line_of_history() {
    let mut terminal = sit("n1", []);
    assert!(terminal.look(vt100::Screen::bracketed_paste));
    let row = terminal.look(|screen| screen.cursor_position().0);
    terminal.type_keys("\x1b[200~x=pasted\nfor i in 1 2; do\n  echo $i $x\ndone\x1b[201~");
    terminal.wait_for("done");
    assert!(!terminal.text().contains(RULE), "{}", terminal.text());
    terminal.type_keys("\r");
    terminal.wait_for("n1: 2 pasted");
    let shown = terminal.text_until_prompt(row);
    assert!(
        shown.ends_with(&format!("{RULE}\nn1: 1 pasted\nn1: 2 pasted\n{RULE}\n")),
        "{shown}"
    );
    assert_eq!(shown.matches(RULE).count(), 2, "{shown}");
    terminal.type_keys("\x1b[A");
    terminal.wait_for_screen("all four lines again", |screen| {
        text(screen)
            .rfind("x=pasted")
            .is_some_and(|at| text(screen)[at..].contains("done"))
    });
    terminal.type_keys(CTRL_C);
    terminal.type_keys("quit\r");
    assert_eq!(terminal.finish(), 0);
    let file = terminal.home.join("state/clsh/history");
    let kept = std::fs::read_to_string(file).expect("the history");
    assert_eq!(kept.lines().count(), 2, "{kept:?}");
}

#[test]
fn a_command_that_runs_is_not_asked_to_mark_pastes() {
    let mut terminal = sit("n1", []);
    terminal.type_keys("echo up; while ! test -e go; do sleep 0.05; done\r");
    terminal.wait_for("n1: up");
    assert!(!terminal.look(vt100::Screen::bracketed_paste));
    crate::kit::touch(terminal.home.join("go"));
    terminal.wait_for_screen("marks again", vt100::Screen::bracketed_paste);
    terminal.quit(0);
}
