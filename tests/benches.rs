//! Goal: the benches count, round and draw right. Method: their pure pieces are taken in as they are; nothing is measured or recorded here.

#[path = "../benches/recording/film.rs"]
mod film;
#[path = "../benches/recording/svg.rs"]
mod recording;

#[path = "../benches/whole/check.rs"]
mod check;
#[path = "../benches/whole/numbers.rs"]
mod numbers;
#[path = "../benches/whole/plot.rs"]
mod plot;

use check::{Numbered, labels_bytes, numbers_bytes};
use film::{Film, Frame, Glyph, IN_VIEW, Style};
use numbers::{between_marks, date, digits, grouped, markdown, median, ratio, spread};
use plot::{Axis, Line, apart, svg};

#[test]
fn medians_and_ratios() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    // Round by round, so a slow round does not count twice; rounds that one of the two left out don't count.
    assert_eq!(ratio(&[2.0, 20.0, 6.0], &[1.0, 10.0, 2.0]), Some(2.0));
    assert_eq!(ratio(&[3.0], &[1.0, 100.0]), Some(3.0));
    assert_eq!(ratio(&[], &[1.0]), None);
}

#[test]
fn numbers_are_shown_with_three_digits() {
    let shown = [123.4, 12.34, 1.234, 0.1234, 0.01234].map(digits);
    assert_eq!(shown, ["123", "12.3", "1.23", "0.12", "0.0123"]);
    assert_eq!(spread(&[0.5], "s"), "0.50 s");
    assert_eq!(spread(&[0.5, 0.25, 1.0], "s"), "0.50 s (0.25 to 1.00)");
    assert_eq!(spread(&[], "s"), "");
    assert_eq!(
        [7, 999, 1000, 1_234_567].map(grouped).join(" "),
        "7 999 1,000 1,234,567"
    );
}

#[test]
fn tables_and_marks() {
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    let table = markdown(&[row(["a", "b"]), row(["c|d", ""])]);
    assert_eq!(table, "| a | b |\n| --- | --- |\n| c\\|d | - |\n");
    let text = "1 <a> old <b> 2";
    let new = between_marks(text, ["<a>", "<b>"], "new\n");
    assert_eq!(new.as_deref(), Some("1 <a>\nnew\n<b> 2"));
    assert_eq!(between_marks(text, ["<b>", "<a>"], ""), None);
}

#[test]
fn days_have_dates() {
    let dates = [0, 59, 11_016, 11_017, 19_782].map(date);
    let right = [
        "1970-01-01",
        "1970-03-01",
        "2000-02-29",
        "2000-03-01",
        "2024-02-29",
    ];
    assert_eq!(dates, right);
}

#[test]
fn lines_are_checked_however_they_come() {
    let verdict = |text: &str, piece: usize| {
        let mut lines = Numbered::new(2, 2);
        text.as_bytes()
            .chunks(piece)
            .for_each(|piece| lines.see(piece));
        lines.verdict()
    };
    for piece in 1..9 {
        assert_eq!(verdict("n1: 1\nn2: 1\nn2: 2\nn1: 2\n", piece), Ok(()));
        for wrong in [
            "",
            "n1: 1\nn1: 2\nn2: 1\n",
            "n1: 1\nn1: 2\nn2: 2\nn2: 1\n",
            "n1: 1\nn1: 2\nn2: 1\nn2: 2",
            "n1: 1\nn1: 2\nn2: 1\nn2: 2\nn2: 3\n",
            "n1: 1\nn1: 2\nn2: 1\nn2: 2\nn3: 1\n",
            "n1: 1\nn1: 2n2: 1\nn2: 2\n",
        ] {
            assert!(verdict(wrong, piece).is_err(), "{wrong:?}");
        }
    }
}

#[test]
fn bytes_are_known_beforehand() {
    for count in [0, 1, 9, 10, 11, 1234] {
        let text: String = (1..=count).map(|number| format!("{number}\n")).collect();
        assert_eq!(numbers_bytes(count), text.len() as u64);
        let text: String = (1..=count).map(|node| format!("n{node}: ")).collect();
        assert_eq!(labels_bytes(count, 3), 3 * text.len() as u64);
    }
}

#[test]
fn axes_and_names_of_lines() {
    let axis = Axis::around([20.0, 900.0].into_iter(), (100.0, 300.0));
    assert_eq!((axis.from, axis.to), (1, 3));
    assert_eq!(
        [10.0, 100.0, 1000.0].map(|value| axis.place(value)),
        [100.0, 200.0, 300.0]
    );
    let places = [(1.0, 50.0), (1.0, 10.0), (1.0, 12.0), (2.0, 11.0)];
    assert_eq!(apart(&places, 15.0), [50.0, 10.0, 25.0, 11.0]);
    let mut line = Line::new("clsh");
    line.points = vec![(10.0, 0.01), (1000.0, 0.4)];
    let drawn = svg("A title", &[line, Line::new("absent")]);
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    assert!(drawn.contains(">clsh</text>") && drawn.contains(">0.01 s</text>"));
    assert!(
        drawn.contains(">1,000</text>") && !drawn.contains("absent"),
        "{drawn}"
    );
}

/// What stood on the screen at this time; the cursor is behind the last letter.
fn frame(millis: u64, lines: &[&str]) -> Frame {
    let row = |line: &&str| line.chars().map(|letter| glyph(letter, None)).collect();
    let last = lines.last().map_or(0, |line| line.len());
    Frame {
        millis,
        cursor: (lines.len().saturating_sub(1) as u16, last as u16),
        rows: lines.iter().map(row).collect(),
    }
}

fn glyph(letter: char, color: Option<u8>) -> Glyph {
    let style = Style { color, bold: false };
    Glyph { letter, style }
}

#[test]
fn a_row_that_grows_is_kept_once_and_one_that_changes_twice() {
    let frames = [
        frame(100, &["$"]),
        frame(200, &["$ l"]),
        // Nobody sees this one: the next comes at once.
        frame(300, &["$ l", "?"]),
        frame(305, &["$ ls", "1/2"]),
        frame(400, &["$ ls", "a"]),
        frame(500, &["$ ls", "a", "$"]),
    ];
    let film = Film::of(&frames);
    let said = |take: &film::Take| {
        let letters: String = take.glyphs.iter().map(|glyph| glyph.letter).collect();
        let times = take.between;
        format!("{} {letters} {times:?}", take.row)
    };
    let takes: Vec<String> = film.takes.iter().map(said).collect();
    let last = format!("1 a Some((300, {}))", film.millis);
    assert_eq!(
        takes,
        ["0 $ ls None", "1 1/2 Some((0, 300))", &last, "2 $ None"]
    );
    let cursor = [
        (0, (0, 1)),
        (100, (0, 3)),
        (205, (1, 3)),
        (300, (1, 1)),
        (400, (2, 1)),
    ];
    assert_eq!(film.cursor, cursor);
    assert_eq!(film.scroll, [(0, 0)]);
}

#[test]
fn a_recording_scrolls_and_has_each_row_once() {
    let lines: Vec<String> = (0..=IN_VIEW).map(|row| format!("row {row} <&>")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut last = frame(1000, &lines);
    last.rows[0][0] = glyph('R', Some(1));
    let film = Film::of(&[frame(0, &lines[..1]), last]);
    assert_eq!(film.scroll, [(0, 0), (1000, 1)]);
    let drawn = recording::svg(&film);
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    assert_eq!(drawn.matches(">row 7 &lt;&amp;&gt;</text>").count(), 1);
    // Its first letter got a colour, so it stands there twice, each at its time.
    assert!(drawn.contains("class=\"f1\">R</text>") && drawn.contains(">row 0 &lt;"));
    assert_eq!(drawn.matches("@keyframes t").count(), 2);
    for tag in ["svg", "g", "text", "style"] {
        let opened = drawn.matches(&format!("<{tag}")).count();
        assert_eq!(drawn.matches(&format!("</{tag}>")).count(), opened, "{tag}");
    }
    // The name of the format is the only address in it.
    assert_eq!(drawn.matches("http").count(), 1);
    assert!(!drawn.contains("<script"));
}
