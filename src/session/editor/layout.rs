//! How prompt and line stand on the screen, and the bytes that put them there and take them away.
//!
//! What they say is not known here. The column counted here is the one the terminal's cursor is in, and no character drives the terminal:
//! one that could is shown instead.

use super::View;
use super::line::{Line, is_mark};
use unicode_width::UnicodeWidthChar;

const TAB_COLUMNS: usize = 8;

/// Stands below a mark that has no character to combine with.
const NO_LETTER: char = '◌';

/// Stands for a character wider than the terminal.
const TOO_WIDE: char = '?';

/// Draws `prompt` and `line` from column 0 of an empty row.
pub fn view(prompt: &str, line: &Line, columns: usize) -> View {
    let mut pen = Pen::new(columns);
    pen.write(prompt);
    pen.bare = true;
    pen.write(line.before_cursor());
    if let Some(c) = line.behind_cursor().chars().next() {
        pen.make_room(c);
    }
    let (row, column) = (pen.row, pen.column);
    pen.write(line.behind_cursor());
    pen.leave_edge();
    let is_there = (pen.row, pen.column) == (row, column);
    if !is_there {
        pen.out.push(b'\r');
        step(pen.row - row, b'A', &mut pen.out);
        step(column, b'C', &mut pen.out);
    }
    let mut erase = vec![b'\r'];
    step(row, b'A', &mut erase);
    erase.extend_from_slice(b"\x1b[J");
    View {
        draw: pen.out,
        erase,
    }
}

/// Draws what stays on the screen of a line that is done with, and ends its last row.
pub fn parting(prompt: &str, text: &str, mark: &str, columns: usize) -> Vec<u8> {
    let mut pen = Pen::new(columns);
    pen.write(prompt);
    pen.bare = true;
    pen.write(text);
    pen.write(mark);
    pen.out.extend_from_slice(b"\r\n");
    pen.out
}

/// How a character is written that would drive the terminal.
pub fn shown_control(c: char) -> String {
    match u8::try_from(c) {
        Ok(byte @ 0..0x20) => format!("^{}", char::from(byte + b'@')),
        Ok(0x7f) => "^?".to_owned(),
        _ => format!("\\x{:02x}", u32::from(c)),
    }
}

/// Moves the cursor `count` times; a terminal would take 0 for 1.
fn step(count: usize, direction: u8, out: &mut Vec<u8>) {
    if count > 0 {
        out.extend_from_slice(format!("\x1b[{count}").as_bytes());
        out.push(direction);
    }
}

struct Pen {
    columns: usize,
    out: Vec<u8>,
    row: usize,
    /// Where the next character goes: never behind the last column.
    column: usize,
    /// The row above was filled up. The terminal's cursor still hangs at its edge and comes down with the next character only.
    at_edge: bool,
    /// There is nothing that a mark could combine with.
    bare: bool,
}

impl Pen {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            out: Vec::new(),
            row: 0,
            column: 0,
            at_edge: false,
            bare: true,
        }
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.newline(),
                '\t' => {
                    let stop = TAB_COLUMNS - self.column % TAB_COLUMNS;
                    for _ in 0..stop.min(self.columns - self.column) {
                        self.put(' ');
                    }
                }
                c if c.is_control() => shown_control(c).chars().for_each(|c| self.put(c)),
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        if is_mark(c) {
            if self.bare {
                self.put(NO_LETTER);
            }
            self.push(c);
            return;
        }
        self.make_room(c);
        let width = c.width().unwrap_or(0);
        if width > self.columns {
            return self.put(TOO_WIDE);
        }
        self.push(c);
        self.column += width;
        self.at_edge = self.column == self.columns;
        self.bare = false;
        if self.at_edge {
            self.row += 1;
            self.column = 0;
        }
    }

    /// Goes to the next row when `c` does not fit in this one; the terminal does so by itself.
    fn make_room(&mut self, c: char) {
        let width = c.width().unwrap_or(0).min(self.columns);
        if self.column + width > self.columns {
            self.row += 1;
            self.column = 0;
        }
    }

    /// A row that was filled up leaves an empty one: the cursor behind its last character needs a place.
    fn newline(&mut self) {
        self.leave_edge();
        self.out.extend_from_slice(b"\r\n");
        self.row += 1;
        self.column = 0;
        self.bare = true;
    }

    fn leave_edge(&mut self) {
        if std::mem::take(&mut self.at_edge) {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn push(&mut self, c: char) {
        self.out
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
