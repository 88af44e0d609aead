//! The naive twin of line assembly: all bytes of a stream at once -> the lines that have to be shown. Shares no code with the engine.

use clsh::limits::LINE_BYTES_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// A bootstrap is, not the wrapper.
    Ready,
    Hello,
    Exit(u8),
}

/// What the wrapper says in this whole line, and how much text stands before it.
pub fn frame_of(line: &[u8], nonce: &str) -> Option<(usize, Said)> {
    let opening = format!("\x1e{nonce} ");
    let rest = line.strip_suffix(b"\x1e")?;
    for ready in ["\x1eclsh ready 1", "\x1eclsh ready 2"] {
        if let Some(text) = rest.strip_suffix(ready.as_bytes()) {
            return Some((text.len(), Said::Ready));
        }
    }
    let at = rest
        .windows(opening.len())
        .rposition(|window| window == opening.as_bytes())?;
    let words = std::str::from_utf8(&rest[at + opening.len()..]).ok()?;
    let said = match words.split_once(' ')? {
        ("hello", group) => group.parse::<u32>().ok().map(|_| Said::Hello)?,
        ("exit", status) => Said::Exit(status.parse().ok()?),
        _ => return None,
    };
    Some((at, said))
}

/// The lines of a stream of which these bytes were read.
pub fn visible(bytes: &[u8], nonce: Option<&str>) -> Vec<Vec<u8>> {
    cut_at(LINE_BYTES_MAX, bytes, nonce)
}

/// The same, however long a line is.
pub fn uncut(bytes: &[u8], nonce: Option<&str>) -> Vec<Vec<u8>> {
    cut_at(usize::MAX, bytes, nonce)
}

fn cut_at(most: usize, bytes: &[u8], nonce: Option<&str>) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let text = match nonce.and_then(|nonce| frame_of(line, nonce)) {
            Some((0, _)) => continue,
            Some((at, _)) => &line[..at],
            None => line,
        };
        show(text, most, &mut lines);
    }
    let text = &rest[..rest.len() - nonce.map_or(0, |nonce| begun(rest, nonce))];
    if !text.is_empty() {
        show(text, most, &mut lines);
    }
    lines
}

fn show(text: &[u8], most: usize, lines: &mut Vec<Vec<u8>>) {
    if text.is_empty() {
        lines.push(Vec::new());
    }
    lines.extend(text.chunks(most).map(<[u8]>::to_vec));
}

/// The length of the longest end of the text that a frame may begin with, or that is one without its newline.
fn begun(text: &[u8], nonce: &str) -> usize {
    let wholes = [format!("\x1e{nonce}"), "\x1eclsh ready ".to_owned()];
    let begins = |end: &&[u8]| {
        let begins =
            |whole: &String| whole.as_bytes().starts_with(end) || end.starts_with(whole.as_bytes());
        wholes.iter().any(begins)
    };
    let from = text.len().saturating_sub(64);
    (from..text.len())
        .map(|at| &text[at..])
        .find(begins)
        .map_or(0, <[u8]>::len)
}

/// What of these bytes is not the wrapper's, unchanged.
pub fn raw(bytes: &[u8], nonce: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = &rest[..end];
        match nonce.and_then(|nonce| frame_of(line, nonce)) {
            Some((at, _)) => out.extend_from_slice(&line[..at]),
            None => out.extend_from_slice(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    let text = rest.len() - nonce.map_or(0, |nonce| begun(rest, nonce));
    out.extend_from_slice(&rest[..text]);
    out
}
