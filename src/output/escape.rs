//! Lines made harmless for a terminal.
//!
//! Text, tabs and colour sequences pass; all else that would drive the terminal, or hide or turn around text on it, is shown instead of
//! obeyed. A carriage return before the end of the line is dropped: it would do nothing but stand there.

use crate::harmless::Gate;

/// ECMA-48's name for `ESC [ parameters m`.
const SGR_RESET: &[u8] = b"\x1b[0m";

/// Appends `line` (without its newline) so that it cannot move the cursor, clear, retitle, or colour what follows it.
pub fn harmless(line: &[u8], out: &mut Vec<u8>) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (plain, line) = line.split_at(plain_length(line));
    out.extend_from_slice(plain);
    let (mut colored, mut gate) = (false, Gate::default());
    for chunk in line.utf8_chunks() {
        let mut text = chunk.valid();
        loop {
            let (plain, rest) = text.split_at(plain_length(text.as_bytes()));
            out.extend_from_slice(plain.as_bytes());
            if !plain.is_empty() {
                gate.rest();
            }
            text = rest;
            let Some(c) = text.chars().next() else { break };
            if let Some(length) = color_sequence(text) {
                out.extend_from_slice(&text.as_bytes()[..length]);
                colored = true;
                text = &text[length..];
            } else {
                show(c, &mut gate, out);
                text = &text[c.len_utf8()..];
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
            gate.rest();
        }
    }
    if colored {
        out.extend_from_slice(SGR_RESET);
    }
}

/// How many bytes at the beginning are ASCII that passes as it is.
fn plain_length(bytes: &[u8]) -> usize {
    /// Judged at once, without a branch for each.
    const BYTES_AT_ONCE: usize = 32;
    let is_plain = |&byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let (pieces, _) = bytes.as_chunks::<BYTES_AT_ONCE>();
    let all =
        |piece: &&[u8; BYTES_AT_ONCE]| piece.iter().fold(true, |all, byte| all & is_plain(byte));
    let sure = pieces.iter().take_while(all).count() * BYTES_AT_ONCE;
    sure + bytes[sure..]
        .iter()
        .take_while(|byte| is_plain(byte))
        .count()
}

/// The length of the colour sequence that `text` begins with.
fn color_sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    (parameters.as_bytes()[end] == b'm').then_some(end + 3)
}

fn show(c: char, gate: &mut Gate, out: &mut Vec<u8>) {
    match c {
        '\t' => out.push(b'\t'),
        '\0'..='\x1f' => out.extend_from_slice(&[b'^', c as u8 + b'@']),
        '\x7f' => out.extend_from_slice(b"^?"),
        '\u{80}'..='\u{9f}' => out.extend_from_slice(format!("\\x{:02x}", c as u32).as_bytes()),
        c if gate.passes(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        c => out.extend_from_slice(c.escape_unicode().to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &[u8]) -> String {
        let mut out = Vec::new();
        harmless(line, &mut out);
        String::from_utf8(out).expect("always UTF-8")
    }

    #[test]
    fn text_tabs_and_colours_pass() {
        assert_eq!(shown("naïve\t表".as_bytes()), "naïve\t表");
        assert_eq!(
            shown(b"\x1b[1;31mred\x1b[0m"),
            "\x1b[1;31mred\x1b[0m\x1b[0m"
        );
        assert_eq!(shown(b"dos line\r"), "dos line");
    }

    #[test]
    fn text_is_the_same_however_much_of_it_is_plain() {
        let strange = ["\x1b", "\x1b[1m", "\t", "\u{9b}", "表", "\x7f"];
        for (before, after) in (0..70).flat_map(|n| [(n, 0), (n, 33), (33, n)]) {
            for part in strange {
                let text = [&"x".repeat(before), part, &"y".repeat(after)].concat();
                let mut slow = Vec::new();
                let colored = part.ends_with('m');
                match colored {
                    true => slow.extend_from_slice(part.as_bytes()),
                    false => show(
                        part.chars().next().expect("one"),
                        &mut Gate::default(),
                        &mut slow,
                    ),
                }
                let slow = String::from_utf8(slow).expect("always UTF-8");
                let reset = if colored { "\x1b[0m" } else { "" };
                let expected = ["x".repeat(before), slow, "y".repeat(after), reset.into()].concat();
                assert_eq!(shown(text.as_bytes()), expected);
            }
        }
    }

    #[test]
    fn what_would_drive_the_terminal_is_shown() {
        assert_eq!(shown(b"\x1b[2J"), "^[[2J");
        assert_eq!(shown(b"\x1b]0;title\x07"), "^[]0;title^G");
        assert_eq!(shown(b"over\rwritten\x08"), "over^Mwritten^H");
        assert_eq!(shown(b"\x1b[31"), "^[[31");
        assert_eq!(shown(b"\x1b[31\x1b[5mx"), "^[[31\x1b[5mx\x1b[0m");
        assert_eq!(shown("\u{9b}2J".as_bytes()), "\\x9b2J");
        assert_eq!(shown(b"\x9b2J\0\x7f"), "\\x9b2J^@^?");
    }

    #[test]
    fn what_hides_text_or_turns_it_around_is_shown() {
        assert_eq!(
            shown("a\u{202e}b\u{2028}c".as_bytes()),
            r"a\u{202e}b\u{2028}c"
        );
        assert_eq!(
            shown("\u{200b}\u{e0041}x".as_bytes()),
            r"\u{200b}\u{e0041}x"
        );
        let pile = |count: usize| "\u{301}".repeat(count);
        let text = format!("e{}x{}", pile(8), pile(10));
        let rest = r"\u{301}".repeat(2);
        assert_eq!(
            shown(text.as_bytes()),
            format!("e{}x{}{rest}", pile(8), pile(8))
        );
        // A colour between them makes no new beginning, what is no text does.
        let text = [pile(8).as_bytes(), b"\x1b[m", pile(1).as_bytes()].concat();
        assert_eq!(
            shown(&text),
            format!("{}\x1b[m{}\x1b[0m", pile(8), r"\u{301}")
        );
        let text = [pile(8).as_bytes(), b"\xff", pile(8).as_bytes()].concat();
        assert_eq!(shown(&text), format!("{}\\xff{}", pile(8), pile(8)));
    }

    #[test]
    fn no_control_byte_is_left_but_tabs_and_colours() {
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                let out = shown(&[first, second, b'm']).replace("\x1b[m\x1b[0m", "");
                assert!(
                    !out.contains(|c: char| c.is_control() && c != '\t'),
                    "{first} {second}"
                );
            }
        }
    }
}
