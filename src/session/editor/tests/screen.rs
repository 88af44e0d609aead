//! A terminal for tests: a grid without a last row, and the cursor that waits at the right edge as that of xterm does.

use unicode_width::UnicodeWidthChar;

/// Stands in the second cell of a wide character.
const REST: &str = "";

pub struct Screen {
    columns: usize,
    cells: Vec<Vec<String>>,
    row: usize,
    column: usize,
    at_edge: bool,
    /// Where the last character that takes a place was put.
    written: (usize, usize),
    /// Times that the whole screen was cleared.
    pub cleared: usize,
}

impl Screen {
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            cells: Vec::new(),
            row: 0,
            column: 0,
            at_edge: false,
            written: (0, 0),
            cleared: 0,
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).expect("whole characters");
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => self.go(self.row, 0),
                '\n' => self.go(self.row + 1, self.column),
                '\x1b' => {
                    assert_eq!(chars.next(), Some('['), "{text:?}");
                    let rest = chars.as_str();
                    let end = rest.find(|c: char| !c.is_ascii_digit()).expect("an end");
                    let last = rest[end..].chars().next().expect("an end");
                    self.obey(rest[..end].parse().ok(), last);
                    chars = rest[end + last.len_utf8()..].chars();
                }
                c => self.put(c),
            }
        }
    }

    fn obey(&mut self, count: Option<usize>, last: char) {
        let times = count.unwrap_or(1).max(1);
        match (last, count.unwrap_or(0)) {
            ('A', _) => self.go(self.row.saturating_sub(times), self.column),
            ('B', _) => self.go(self.row + times, self.column),
            ('C', _) => self.go(self.row, (self.column + times).min(self.columns - 1)),
            ('D', _) => self.go(self.row, self.column.saturating_sub(times)),
            ('H', 0) => self.go(0, 0),
            ('J', 0) => {
                self.cells.truncate(self.row + 1);
                self.clear_right();
            }
            ('J', 2) => {
                self.cells.clear();
                self.cleared += 1;
            }
            ('K', 0) => self.clear_right(),
            other => panic!("{other:?}"),
        }
    }

    fn clear_right(&mut self) {
        if let Some(row) = self.cells.get_mut(self.row) {
            row.truncate(self.column);
        }
    }

    fn go(&mut self, row: usize, column: usize) {
        (self.row, self.column) = (row, column);
        self.at_edge = false;
    }

    fn put(&mut self, c: char) {
        let width = c.width().expect("something to see");
        if width == 0 {
            let (row, column) = self.written;
            self.cells[row][column].push(c);
            return;
        }
        assert!(width <= self.columns, "{c} is wider than the terminal");
        if self.at_edge || self.column + width > self.columns {
            self.go(self.row + 1, 0);
        }
        self.set(self.column, c.into());
        for rest in 1..width {
            self.set(self.column + rest, REST.into());
        }
        self.written = (self.row, self.column);
        self.column += width;
        if self.column == self.columns {
            self.column -= 1;
            self.at_edge = true;
        }
    }

    fn set(&mut self, column: usize, cell: String) {
        if self.cells.len() <= self.row {
            self.cells.resize(self.row + 1, Vec::new());
        }
        let row = &mut self.cells[self.row];
        if row.len() <= column {
            row.resize(column + 1, " ".into());
        }
        row[column] = cell;
    }

    /// The cursor, which does not wait at the edge.
    pub fn cursor(&self) -> (usize, usize) {
        assert!(!self.at_edge, "the cursor hangs at the edge");
        (self.row, self.column)
    }

    pub fn is_at_edge(&self) -> bool {
        self.at_edge
    }

    /// Where the last character was put.
    pub fn written(&self) -> (usize, usize) {
        self.written
    }

    /// Where the next narrow character would be put.
    pub fn next_cell(&self) -> (usize, usize) {
        if self.at_edge {
            (self.row + 1, 0)
        } else {
            (self.row, self.column)
        }
    }

    /// The rows without blanks at their end, and without empty rows at the end.
    pub fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = self
            .cells
            .iter()
            .map(|row| row.concat().trim_end().to_owned())
            .collect();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }
}

#[test]
fn the_screen_wraps_as_xterm_does() {
    let mut screen = Screen::new(3);
    screen.write("abc".as_bytes());
    assert_eq!((screen.column, screen.at_edge), (2, true));
    screen.write("\u{301}d".as_bytes());
    assert_eq!(screen.rows(), ["abc\u{301}", "d"]);
    screen.write("表表\x1b[2D".as_bytes());
    assert_eq!(screen.rows(), ["abc\u{301}", "d表", "表"]);
    assert_eq!(screen.cursor(), (2, 0));
    screen.write(b"\r\x1b[2A\x1b[1C\x1b[K");
    assert_eq!(screen.rows(), ["a", "d表", "表"]);
    screen.write(b"\n\x1b[J");
    assert_eq!(screen.rows(), ["a", "d"]);
}
