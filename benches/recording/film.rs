//! What was on the screen and when, made small: a row that only grows is kept once.

pub const COLUMNS: u16 = 80;
/// Rows that are in view; older ones have scrolled away.
pub const IN_VIEW: u16 = 22;

/// The last picture stands this long before it all begins again.
const REST_MILLIS: u64 = 3000;
/// Pieces closer than this came together: nobody sees what was between them.
const TOGETHER_MILLIS: u64 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// One of the eight.
    pub color: Option<u8>,
    pub bold: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyph {
    pub letter: char,
    pub style: Style,
}

/// Without the blanks at its end.
pub type Row = Vec<Glyph>;

/// The screen at one time, without the empty rows at its end.
pub struct Frame {
    pub millis: u64,
    /// Row and column.
    pub cursor: (u16, u16),
    pub rows: Vec<Row>,
}

/// A row as it stood for a while, in full. While it is written the cursor is at its end, and nothing shows behind the cursor.
#[derive(Debug, PartialEq)]
pub struct Take {
    pub row: u16,
    pub glyphs: Row,
    /// Unless it is there from the first time the cursor comes to it, and to the end.
    pub between: Option<(u64, u64)>,
}

pub struct Film {
    pub takes: Vec<Take>,
    /// When the cursor went to which row and column.
    pub cursor: Vec<(u64, (u16, u16))>,
    /// When which row was the first in view.
    pub scroll: Vec<(u64, u16)>,
    pub millis: u64,
}

impl Film {
    pub fn of(frames: &[Frame]) -> Film {
        let start = frames.first().map_or(0, |frame| frame.millis);
        let end = frames.last().map_or(0, |frame| frame.millis) - start + REST_MILLIS;
        let mut film = Film {
            takes: Vec::new(),
            cursor: Vec::new(),
            scroll: vec![(0, 0)],
            millis: end,
        };
        let kept: Vec<&Frame> = frames
            .iter()
            .enumerate()
            .filter(|(at, frame)| {
                let next = frames.get(at + 1);
                next.is_none_or(|next| next.millis - frame.millis >= TOGETHER_MILLIS)
            })
            .map(|(_, frame)| frame)
            .collect();
        for frame in &kept {
            film.follow(frame.millis - start, frame.cursor);
        }
        let rows = kept.iter().map(|frame| frame.rows.len()).max().unwrap_or(0);
        for row in 0..rows {
            let seen = kept.iter().map(|frame| {
                let glyphs = frame.rows.get(row).map_or(&[][..], |glyphs| glyphs);
                (frame.millis - start, glyphs)
            });
            film.takes.extend(takes(row as u16, seen, end));
        }
        film
    }

    fn follow(&mut self, millis: u64, cursor: (u16, u16)) {
        if self.cursor.last().is_none_or(|last| last.1 != cursor) {
            // It all begins with the first picture.
            let millis = if self.cursor.is_empty() { 0 } else { millis };
            self.cursor.push((millis, cursor));
        }
        let first = (cursor.0 + 1).saturating_sub(IN_VIEW);
        if self.scroll.last().is_some_and(|last| last.1 < first) {
            self.scroll.push((millis, first));
        }
    }
}

/// What a row showed over time: a new take only when what stood there did not just grow.
fn takes<'a>(row: u16, seen: impl Iterator<Item = (u64, &'a [Glyph])>, end: u64) -> Vec<Take> {
    let mut found: Vec<(u64, &[Glyph])> = Vec::new();
    for (millis, glyphs) in seen {
        match found.last_mut() {
            Some((_, last)) if glyphs.starts_with(last) => *last = glyphs,
            _ => found.push((millis, glyphs)),
        }
    }
    let ends: Vec<u64> = found.iter().skip(1).map(|next| next.0).collect();
    let alone = found.len() == 1;
    found
        .iter()
        .enumerate()
        .filter(|(_, take)| !take.1.is_empty())
        .map(|(at, &(from, glyphs))| Take {
            row,
            glyphs: glyphs.to_vec(),
            between: (!alone).then(|| (from, ends.get(at).copied().unwrap_or(end))),
        })
        .collect()
}
