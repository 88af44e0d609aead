//! A film as one SVG file that plays by itself: no script, no font of its own, and the last picture where nothing moves.
//!
//! All rows stand on one long page. A cursor goes over it and hides what is to its right and below, so that what is typed appears letter
//! by letter and still is in the file once; the page moves up when the cursor would leave the view.

use super::film::{COLUMNS, Film, Glyph, IN_VIEW, Take};
use std::fmt::Write;

/// A cell, in pixels. The letters are told to be as wide, whatever font there is.
const CELL: (u32, u32) = (9, 20);
const FONT_PIXELS: u32 = 15;
const BASELINE: u32 = 15;
const MARGIN: u32 = 18;
const BAR: u32 = 34;
/// Across and down.
const PAGE: (u32, u32) = (COLUMNS as u32 * CELL.0, IN_VIEW as u32 * CELL.1);
const SIZE: (u32, u32) = (PAGE.0 + 2 * MARGIN, PAGE.1 + BAR + 2 * MARGIN - 4);

const GROUND: &str = "#1a1e26";
const INK: &str = "#d5dae3";
/// Black, red, green, yellow, blue, magenta, cyan and white.
const COLORS: [&str; 8] = [
    "#6b7484", "#ff7b72", "#7ee08a", "#e8c46a", "#79b8ff", "#d9a8ff", "#5fd7e0", "#ffffff",
];

/// The name that a kind of step has in the file, and where it stands when nothing moves.
fn steps(name: &str, film: &Film, moves: &[(u64, (i64, i64))]) -> String {
    let mut text = format!("@keyframes {name}{{");
    for (millis, (x, y)) in moves {
        let part = percent(*millis, film.millis);
        let _ = write!(text, "{part}%{{transform:translate({x}px,{y}px)}}");
    }
    text.push_str("}\n");
    let (x, y) = moves.last().map_or((0, 0), |last| last.1);
    let _ = writeln!(
        text,
        ".{name}{{transform:translate({x}px,{y}px);animation:{name} {}ms step-end infinite}}",
        film.millis
    );
    text
}

/// Of half a minute, a thousandth of a percent is under a millisecond.
fn percent(millis: u64, all: u64) -> String {
    let thousandths = millis * 100_000 / all.max(1);
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn pixels(cells: u16, one: u32) -> i64 {
    i64::from(u32::from(cells) * one)
}

fn style(film: &Film) -> String {
    let mut text = format!(
        "text{{font:{FONT_PIXELS}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;\
         fill:{INK};white-space:pre}}\n.b{{font-weight:bold}}\n"
    );
    for (number, color) in COLORS.iter().enumerate() {
        let _ = writeln!(text, ".f{number}{{fill:{color}}}");
    }
    let cursor: Vec<(u64, (i64, i64))> = film
        .cursor
        .iter()
        .map(|&(millis, (row, column))| (millis, (pixels(column, CELL.0), pixels(row, CELL.1))))
        .collect();
    text.push_str(&steps("c", film, &cursor));
    let scroll: Vec<(u64, (i64, i64))> = film
        .scroll
        .iter()
        .map(|&(millis, row)| (millis, (0, -pixels(row, CELL.1))))
        .collect();
    text.push_str(&steps("s", film, &scroll));
    for (number, take) in film.takes.iter().enumerate() {
        if let Some((from, to)) = take.between {
            text.push_str(&appearance(number, from, to, film.millis));
        }
    }
    text.push_str("@media(prefers-reduced-motion:reduce){*{animation:none!important}}\n");
    text
}

/// A row that something else takes the place of.
fn appearance(number: usize, from: u64, to: u64, all: u64) -> String {
    let last = to >= all;
    let mut text = format!("@keyframes t{number}{{");
    if from > 0 {
        text.push_str("0%{visibility:hidden}");
    }
    let _ = write!(text, "{}%{{visibility:visible}}", percent(from, all));
    if !last {
        let _ = write!(text, "{}%{{visibility:hidden}}", percent(to, all));
    }
    let rests = if last { "visible" } else { "hidden" };
    let _ = writeln!(
        text,
        "}}\n.t{number}{{visibility:{rests};animation:t{number} {all}ms step-end infinite}}"
    );
    text
}

/// A row's pieces, each of one style.
fn row(number: usize, take: &Take) -> String {
    let mut text = String::new();
    let y = u32::from(take.row) * CELL.1 + BASELINE;
    let mut column = 0;
    for piece in take.glyphs.chunk_by(|one, next| one.style == next.style) {
        let _ = write!(text, "{}", words(piece, column, y));
        column += piece.len() as u32;
    }
    match take.between {
        Some(_) => format!("<g class=\"t{number}\">{text}</g>\n"),
        None => text + "\n",
    }
}

fn words(piece: &[Glyph], column: u32, y: u32) -> String {
    let letters: String = piece.iter().map(|glyph| glyph.letter).collect();
    // Blanks at an end would be stretched differently from place to place.
    let before = letters.len() - letters.trim_start().len();
    let letters = letters.trim();
    let Some(glyph) = piece.first().filter(|_| !letters.is_empty()) else {
        return String::new();
    };
    let bold = if glyph.style.bold { "b " } else { "" };
    let color = glyph.style.color;
    let color = color.map_or(String::new(), |color| format!("f{color}"));
    let class = match format!("{bold}{color}").trim() {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let x = (column + before as u32) * CELL.0;
    let width = letters.chars().count() as u32 * CELL.0;
    format!(
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"{class}>{}</text>",
        escaped(letters)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The window: a bar with three buttons and a name.
fn window() -> String {
    let (width, height) = SIZE;
    let middle = BAR / 2;
    let mut text = format!(
        "<rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{GROUND}\" stroke=\"#808a9a\" stroke-opacity=\".45\"/>\n\
         <path d=\"M1 {BAR}V10.5a9.5 9.5 0 0 1 9.5-9.5H{}a9.5 9.5 0 0 1 9.5 9.5V{BAR}z\" fill=\"#2a303b\"/>\n",
        width - 1,
        height - 1,
        f64::from(width) - 10.5,
    );
    for (number, color) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let x = 22 + 20 * number;
        let _ = write!(
            text,
            "<circle cx=\"{x}\" cy=\"{middle}\" r=\"6\" fill=\"{color}\"/>"
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" style=\"font-size:13px;fill:#98a2b3\">clsh</text>",
        width / 2,
        middle + 4,
    );
    text
}

pub fn svg(film: &Film) -> String {
    let (width, height) = SIZE;
    let rows: String = film
        .takes
        .iter()
        .enumerate()
        .map(|(number, take)| row(number, take))
        .collect();
    // Wide and high enough to hide all that the cursor has not come to.
    let far = PAGE.0 * 2;
    let long = (film.cursor.iter().map(|step| step.1.0).max()).map_or(0, u32::from) * CELL.1;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"A recording of clsh on a terminal\">\n<style>\n{}</style>\n{}\
         <svg x=\"{MARGIN}\" y=\"{}\" width=\"{}\" height=\"{}\">\n<g class=\"s\">\n{rows}\
         <g class=\"c\" fill=\"{GROUND}\"><rect width=\"{far}\" height=\"{}\"/><rect x=\"-{far}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\
         <rect y=\"1\" width=\"{}\" height=\"{}\" fill=\"{INK}\" fill-opacity=\".75\"/></g>\n</g>\n</svg>\n</svg>\n",
        style(film),
        window(),
        BAR + MARGIN - 4,
        PAGE.0 + MARGIN / 2,
        PAGE.1,
        CELL.1,
        CELL.1,
        2 * far,
        long + PAGE.1,
        CELL.0,
        CELL.1 - 2,
    )
}
