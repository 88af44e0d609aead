//! The editor as a whole: keys in, line and screen out.

use super::line::is_mark;
mod screen;

use super::*;
use screen::Screen;
use unicode_width::UnicodeWidthChar;

const COLUMNS: usize = 60;
const PROMPT: &str = "$ ";
const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const LEFT: &str = "\x1b[D";

/// Completes the last word from a list.
struct Words(&'static [&'static str]);

impl Completer for Words {
    fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let start = before.rfind(' ').map_or(0, |at| at + 1);
        let fits = self
            .0
            .iter()
            .filter(|word| word.starts_with(&before[start..]));
        (start, fits.map(|&word| word.to_owned()).collect())
    }
}

const WORDS: Words = Words(&["node1", "node10", "node2", "other", "表示"]);

fn editor(history: &[&str]) -> Editor {
    let mut editor = Editor::new(PROMPT, history.iter().map(|&line| line.into()).collect());
    editor.resize(COLUMNS);
    editor
}

impl Editor {
    fn typed(&mut self, keys: &str) -> Option<Asked> {
        self.feed(keys.as_bytes());
        self.next(&WORDS)
    }

    /// The line, with `|` for the cursor.
    fn shown(&self) -> String {
        format!(
            "{}|{}",
            self.line.before_cursor(),
            self.line.behind_cursor()
        )
    }
}

/// The line that these keys make of an empty one.
fn after(keys: &str) -> String {
    let mut editor = editor(&["one", "two three"]);
    assert_eq!(editor.typed(keys), None, "{keys:?}");
    editor.shown()
}

fn drawn(editor: &Editor) -> Vec<String> {
    let mut screen = Screen::new(editor.columns);
    screen.write(&editor.view().draw);
    screen.rows()
}

fn parted(editor: &mut Editor) -> Vec<String> {
    let mut screen = Screen::new(editor.columns);
    screen.write(&editor.parting());
    assert_eq!(screen.cursor().1, 0);
    screen.rows()
}

#[test]
fn keys_edit_the_line() {
    for (keys, line) in [
        ("abc", "abc|"),
        ("aé表\x01x", "x|aé表"),
        ("abc\x02\x02x\x06y\x05z", "axbycz|"),
        ("abc\x1b[D\x1bOD\x7f", "|bc"),
        ("abc\x01\x1b[C\x1bOC\x08", "a|c"),
        ("e\u{301}x\x02\x7f", "|x"),
        ("abc\x01\x1b[3~\x04", "|c"),
        ("abc\x04\x1b[3~", "abc|"),
        ("\x7f\x1b[3~", "|"),
        ("ab cd\x1b[H|\x1b[F|", "|ab cd||"),
        ("ab cd-ef\x1bb\x1b[1;5D\x1bfx", "ab cdx|-ef"),
        ("ab cd\x02\x02\x0b", "ab |"),
        ("ab cd\x02\x02\x15", "|cd"),
        ("ab c-d \x17", "ab |"),
        ("ab c-d\x1b\x7f", "ab c-|"),
        ("ab cd\x01\x1bd", "| cd"),
        ("abc\x02\x14", "acb|"),
        ("ab\x1b[15~\x1bOP\x1bx\x00c", "abc|"),
    ] {
        assert_eq!(after(keys), line, "{keys:?}");
    }
}

#[test]
fn kills_in_a_row_are_yanked_as_one() {
    for (keys, line) in [
        ("a b c\x17\x17\x05\x19", "a b c|"),
        ("a b c d\x1bb\x02\x17\x0b!\x19", "a b !c d|"),
        ("a b c\x17\x05\x17\x19\x19", "a b b |"),
        ("abc\x15\x0b\x15\x19", "abc|"),
        ("abc\x15x\x0b\x19", "xabc|"),
        ("\x19x", "x|"),
    ] {
        assert_eq!(after(keys), line, "{keys:?}");
    }
}

#[test]
fn enter_gives_the_line_and_takes_it_out() {
    let mut editor = editor(&[]);
    assert_eq!(editor.typed("ab\x02\rcd\n"), Some(Asked::Line("ab".into())));
    assert_eq!(editor.parting(), b"$ ab\r\n");
    assert_eq!(editor.parting(), b"");
    assert_eq!(editor.next(&WORDS), Some(Asked::Line("cd".into())));
    assert_eq!(editor.typed("\r"), Some(Asked::Line("".into())));
    assert_eq!(editor.parting(), b"$ \r\n");
    assert_eq!(editor.shown(), "|");
    assert_eq!(editor.next(&WORDS), None);
}

#[test]
fn signal_keys_and_the_end_are_asked() {
    let mut editor = editor(&[]);
    assert_eq!(editor.typed("ab\x1a"), Some(Asked::Suspend));
    assert_eq!(editor.typed("\x1c"), Some(Asked::Quit));
    assert_eq!(editor.shown(), "ab|");
    assert_eq!(editor.parting(), b"");
    assert_eq!(editor.typed("\x02\x03c"), Some(Asked::Interrupt));
    assert_eq!(editor.parting(), b"$ ab^C\r\n");
    assert_eq!(editor.typed(""), None);
    assert_eq!(editor.shown(), "c|");
    assert_eq!(editor.typed("\x7f\x04"), Some(Asked::End));
    assert_eq!(editor.parting(), b"$ \r\n");
}

#[test]
fn while_the_owner_is_busy_keys_wait() {
    let mut editor = editor(&[]);
    editor.feed(b"ls\r");
    assert_eq!(editor.urgent(), None);
    editor.feed(b"x\x1a");
    assert_eq!(editor.urgent(), Some(Asked::Suspend));
    assert_eq!(editor.next(&WORDS), Some(Asked::Line("ls".into())));
    editor.feed(b"rm\r\x03y");
    assert_eq!(editor.urgent(), Some(Asked::Interrupt));
    assert_eq!(editor.urgent(), None);
    assert_eq!(editor.next(&WORDS), None);
    assert_eq!(editor.shown(), "y|");
    editor.feed(b"z\x1b[200~\x03\x1c");
    assert_eq!(editor.urgent(), None);
    editor.feed(b"\x1b[201~\x1c");
    assert_eq!(editor.urgent(), Some(Asked::Quit));
}

#[test]
fn a_paste_is_inserted_and_not_run() {
    let mut editor = editor(&[]);
    assert_eq!(
        editor.typed("ac\x02\x1b[200~one\r\ntwo\tx\x03\n\x1b[201~"),
        None
    );
    assert_eq!(editor.shown(), "aone\ntwo\tx|c");
    assert_eq!(drawn(&editor), ["$ aone", "two     xc"]);
    assert_eq!(
        editor.typed("\r"),
        Some(Asked::Line("aone\ntwo\txc".into()))
    );
    assert_eq!(parted(&mut editor), ["$ aone", "two     xc"]);
}

#[test]
fn the_history_is_walked_and_not_changed() {
    let mut editor = editor(&["one", "two"]);
    editor.typed("draft\x02");
    for (keys, line) in [
        (UP, "two|"),
        ("!", "two!|"),
        ("\x10", "one|"),
        (UP, "one|"),
        ("\x1bOB", "two!|"),
        ("\x0e", "draft|"),
        (DOWN, "draft|"),
        ("\x1bOA", "two!|"),
    ] {
        assert_eq!(editor.typed(keys), None);
        assert_eq!(editor.shown(), line, "{keys:?}");
    }
    assert_eq!(editor.typed("\r"), Some(Asked::Line("two!".into())));
    assert!(editor.remember("two!"));
    assert!(!editor.remember("two!"));
    editor.typed(UP);
    assert_eq!(editor.shown(), "two!|");
    editor.typed(UP);
    assert_eq!(editor.shown(), "two|");
}

#[test]
fn a_search_shows_and_submits_what_it_found() {
    let mut editor = editor(&["echo one", "make", "echo two"]);
    editor.typed("dra\x02\x12ec");
    assert_eq!(drawn(&editor), ["(reverse-i-search)`ec': echo two"]);
    editor.typed("\x12");
    assert_eq!(drawn(&editor), ["(reverse-i-search)`ec': echo one"]);
    editor.typed("x");
    let rows = ["(failed reverse-i-search)`ecx': echo one"];
    assert_eq!(drawn(&editor), rows);
    editor.typed("\x7f");
    assert_eq!(editor.shown(), "|echo two");
    assert_eq!(editor.typed("\x12\r"), Some(Asked::Line("echo one".into())));
    assert_eq!(editor.parting(), b"$ echo one\r\n");
}

#[test]
fn a_search_is_left_or_its_match_is_edited() {
    let start = "dra\x02\x12ec";
    for (keys, line) in [
        ("\x07", "dr|a"),
        ("\x12\x07x", "drx|a"),
        ("\x7f\x7f\x7f", "dr|a"),
        ("ho t\x05!", "echo two!|"),
        ("ho t\x01!", "!|echo two"),
        ("ho t\x1b[C!", "e!|cho two"),
        ("\x1b[15~!", "!|echo two"),
        ("\x04", "|cho two"),
        ("\x10", "make|"),
        ("\x12\x1b[B", "make|"),
        ("\x12\x1b[B\x1b[B\x1b[B", "dra|"),
        ("\x05\x12\x12", "|echo two"),
        ("\x05\x12\x12\x12", "|echo one"),
        ("\x1a", "|echo two"),
    ] {
        let mut editor = editor(&["echo one", "make", "echo two"]);
        editor.typed(start);
        editor.typed(keys);
        assert_eq!(editor.shown(), line, "{keys:?}");
    }
    let mut editor = editor(&["echo"]);
    assert_eq!(editor.typed("x\x12ec\x03"), Some(Asked::Interrupt));
    assert_eq!(editor.parting(), b"(reverse-i-search)`ec': echo^C\r\n");
    assert_eq!(editor.shown(), "|");
    assert_eq!(drawn(&editor), ["$"]);
}

#[test]
fn tab_completes_as_far_as_the_words_agree() {
    for (keys, line) in [
        ("o\t", "other |"),
        ("x o\t", "x other |"),
        ("o y\x02\x02\t", "other| y"),
        ("oy\x02\t", "other |y"),
        ("n\t", "node|"),
        ("n\t1\t", "node1|"),
        ("表\t", "表示 |"),
        ("zz\t\t", "zz|"),
    ] {
        assert_eq!(after(keys), line, "{keys:?}");
    }
}

#[test]
fn a_second_tab_lists_the_words() {
    let mut editor = editor(&[]);
    let list = Some("node1   node10  node2\n".to_owned());
    editor.typed("n\t");
    assert_eq!(editor.listing(), None);
    editor.typed("\t");
    assert_eq!(editor.listing(), list);
    assert_eq!(editor.listing(), None);
    editor.typed("\t");
    assert_eq!(editor.listing(), list, "and every further one");
    editor.typed("\x05\t");
    assert_eq!(editor.listing(), None, "not in a row");
    editor.typed("\t\r");
    assert_eq!(editor.listing(), None, "the line is done with");
}

#[test]
fn a_completer_that_is_wrong_does_no_harm() {
    struct Wrong(usize);
    impl Completer for Wrong {
        fn complete(&self, _: &str) -> (usize, Vec<String>) {
            (self.0, vec!["x".into()])
        }
    }
    for start in [1, 9] {
        let mut editor = editor(&[]);
        editor.feed("表\t".as_bytes());
        editor.next(&Wrong(start));
        assert_eq!(editor.shown(), "表|");
    }
}

#[test]
fn the_screen_is_cleared_once() {
    let mut editor = editor(&[]);
    editor.typed("a\x0cb");
    let mut screen = Screen::new(COLUMNS);
    screen.write(b"x\r\ny\r\n");
    screen.write(&editor.view().draw);
    assert_eq!((screen.rows(), screen.cleared), (vec!["$ ab".into()], 1));
    screen.write(&editor.view().erase);
    screen.write(&editor.view().draw);
    assert_eq!((screen.rows(), screen.cleared), (vec!["$ ab".into()], 1));
    editor.typed("\x0c\r");
    assert!(editor.parting().starts_with(CLEAR_SCREEN));
    assert!(!editor.view().draw.starts_with(CLEAR_SCREEN));
}

#[test]
fn the_view_fits_the_new_width() {
    let mut editor = editor(&[]);
    editor.typed("abcdefgh");
    for (columns, rows) in [(5, &["$ abc", "defgh"][..]), (0, &["$ abcdefgh"])] {
        editor.resize(columns);
        assert_eq!(drawn(&editor), rows);
    }
}

#[test]
fn the_cursor_is_right_at_the_edge() {
    let mut editor = editor(&[]);
    editor.resize(4);
    let mut look = |keys: &str| {
        editor.typed(keys);
        let mut screen = Screen::new(4);
        screen.write(&editor.view().draw);
        (screen.rows().join("/"), screen.cursor())
    };
    assert_eq!(look("ab"), ("$ ab".into(), (1, 0)));
    assert_eq!(look("c"), ("$ ab/c".into(), (1, 1)));
    assert_eq!(look(LEFT), ("$ ab/c".into(), (1, 0)));
    assert_eq!(look(LEFT), ("$ ab/c".into(), (0, 3)));
    assert_eq!(look("\x15a表"), ("$ a/表bc".into(), (1, 2)));
    assert_eq!(look(LEFT), ("$ a/表bc".into(), (1, 0)), "before a wide one");
    assert_eq!(
        look("\x0b\x0bx\x1b[200~\ny\x1b[201~"),
        ("$ ax//y".into(), (2, 1))
    );
    assert_eq!(look("\x02\x02"), ("$ ax//y".into(), (1, 0)));
}

#[test]
fn a_line_that_fills_its_row_leaves_no_empty_one_behind() {
    let mut editor = editor(&[]);
    editor.resize(4);
    editor.typed("ab\r");
    let mut screen = Screen::new(4);
    screen.write(&editor.parting());
    assert_eq!(screen.cursor(), (1, 0));
}

#[test]
fn what_would_drive_the_terminal_is_shown() {
    let mut editor = editor(&["a\x1b[2J\u{9b}\x7f"]);
    editor.typed(UP);
    assert_eq!(drawn(&editor), ["$ a^[[2J\\x9b^?"]);
    editor.typed("\x15\u{301}");
    assert_eq!(drawn(&editor), ["$ ◌\u{301}"]);
}

/// What a terminal makes of `prompt` and `text` by itself, and the cell of the letter at `cursor`.
fn expected(text: &str, cursor: usize, columns: usize) -> (Vec<String>, (usize, usize)) {
    let mut screen = Screen::new(columns);
    screen.write(PROMPT.as_bytes());
    let mut bare = true;
    let mut cell = None;
    for (at, c) in text.char_indices() {
        let next = screen.next_cell();
        match c {
            '\n' if screen.is_at_edge() => screen.write(b"\r\n\r\n"),
            '\n' => screen.write(b"\r\n"),
            '\t' => {
                let count = (8 - next.1 % 8).min(columns - next.1);
                screen.write(" ".repeat(count).as_bytes());
            }
            c if c.is_control() => screen.write(layout::shown_control(c).as_bytes()),
            c if is_mark(c) && bare => screen.write(format!("◌{c}").as_bytes()),
            c if c.width() > Some(columns) => screen.write(b"?"),
            c => screen.write(c.to_string().as_bytes()),
        }
        if at == cursor {
            let is_one_cell = !c.is_control() && !is_mark(c);
            cell = Some(if is_one_cell { screen.written() } else { next });
        }
        bare = c == '\n';
    }
    (screen.rows(), cell.unwrap_or(screen.next_cell()))
}

fn check_view(editor: &Editor, what: &str) {
    let (text, cursor) = (editor.line.text(), editor.line.before_cursor().len());
    assert!(text.is_char_boundary(cursor), "{what}");
    assert!(
        cursor == 0 || !text[cursor..].starts_with(is_mark),
        "{what}: {text:?} {cursor}"
    );
    let view = editor.view();
    let mut screen = Screen::new(editor.columns);
    screen.write(&view.draw);
    if editor.search.is_none() {
        let (rows, cell) = expected(text, cursor, editor.columns);
        assert_eq!(
            screen.rows(),
            rows,
            "{what}: {text:?}, {} columns",
            editor.columns
        );
        assert_eq!(
            screen.cursor(),
            cell,
            "{what}: {text:?}, {cursor}, {} columns",
            editor.columns
        );
    }
    screen.write(&view.erase);
    assert_eq!(screen.cursor(), (0, 0), "{what}");
    assert_eq!(screen.rows(), [""; 0], "{what}");
}

#[test]
fn views_are_right_for_all_texts_cursors_and_widths() {
    let texts = [
        "",
        "a",
        "abcdefghijklmnopqrstuvwxyz",
        "表示表示表示表示",
        "a表b示c表d示",
        "e\u{301}e\u{301}\u{302}xe\u{301}",
        "\u{301}x",
        "one\ntwo\n\nthree",
        "\n",
        "\n\u{301}\n",
        "a\tb\t\tc",
        "ab\ncd表\n示",
        "👩\u{200d}👧 x",
    ];
    for text in texts {
        for columns in 1..=20 {
            let mut editor = editor(&[]);
            editor.resize(columns);
            editor.typed(&format!("\x1b[200~{text}.\x1b[201~\x7f"));
            assert_eq!(editor.line.text(), text);
            loop {
                check_view(&editor, "moving left");
                if editor.line.before_cursor().is_empty() {
                    break;
                }
                editor.typed(LEFT);
            }
        }
    }
}

#[test]
fn cuts_make_no_difference() {
    let keys =
        "ab表e\u{301}\x1b[1;5D\x1b[200~x\r\ny\x1b[201~\x1bOC\x17\x19\x12tw\x05\t\x1b[3~\x1bb\x14!";
    let run = |parts: &[&[u8]]| {
        let mut editor = editor(&["one", "two three"]);
        for part in parts {
            editor.feed(part);
            assert_eq!(editor.next(&WORDS), None);
        }
        (editor.shown(), editor.view())
    };
    let whole = run(&[keys.as_bytes()]);
    for at in 0..=keys.len() {
        let (before, behind) = keys.as_bytes().split_at(at);
        assert_eq!(run(&[before, behind]), whole, "{at}");
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

const RANDOM_KEYS: &[&str] = &[
    "a",
    "b ",
    "n",
    "表",
    "e\u{301}",
    "\u{302}",
    "👩\u{200d}👧",
    "o",
    "-",
    UP,
    DOWN,
    LEFT,
    "\x1b[C",
    "\x01",
    "\x05",
    "\x1bb",
    "\x1bf",
    "\x7f",
    "\x1b[3~",
    "\x04",
    "\x0b",
    "\x15",
    "\x17",
    "\x1bd",
    "\x1b\x7f",
    "\x19",
    "\x14",
    "\x0c",
    "\t",
    "\t\t",
    "\x12",
    "\x12",
    "\x07",
    "\x1b",
    "\x1b[",
    "\x1b[999z",
    "\x1b[200~",
    "\x1b[200~",
    "\x1b[201~",
    "\x1b[201~",
    "\n",
    "\t",
    "\r",
    "\x03",
    "\x1a",
    "\x1b[200~x\n\u{301}y\tz\n\x1b[201~",
];

#[test]
fn random_keys_keep_the_line_whole() {
    for seed in 1..=300 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
        let mut editor = editor(&["one", "two\n表", "e\u{301} \u{301}\tx", "\x1bé"]);
        for _ in 0..120 {
            editor.resize(random.below(20) + 1);
            let bytes = RANDOM_KEYS[random.below(RANDOM_KEYS.len())].as_bytes();
            let cut = random.below(bytes.len() + 1);
            for part in [&bytes[..cut], &bytes[cut..]] {
                editor.feed(part);
                match editor.next(&WORDS) {
                    Some(Asked::Line(line)) => drop(editor.remember(&line)),
                    Some(Asked::Interrupt) => assert_eq!(editor.shown(), "|"),
                    _ => {}
                }
                check_view(&editor, &format!("seed {seed}"));
            }
        }
    }
}
