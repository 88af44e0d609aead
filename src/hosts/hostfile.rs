//! The text of a hostfile.
//!
//! Responsible for lines, comments and encodings. Not for reading the file.

use super::error::{Cause, HostsError};
use super::set::NodeSet;
use super::words::{hostfile_words, words};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Adds the nodes of a hostfile's text to `set` and tells how many words it held, duplicates included.
///
/// One or many words a line, separated as in a list; a `#` at the start of a line or after white space begins a
/// comment. CRLF and a UTF-8 byte-order mark are tolerated, and any bytes in a comment. A word may itself be a list
/// in the colon form `a:b:c`; there a piece that is a number is the port of the piece before it: `host:22`,
/// `a:b:22` for `a` and `b:22`. Fails at the first word that is refused or is not UTF-8, naming its line.
pub fn add_hostfile(set: &mut NodeSet, text: &[u8]) -> Result<usize, HostsError> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let mut found = 0;
    for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
        found += add_line(set, without_comment(line)).map_err(|error| error.at_line(number))?;
    }
    Ok(found)
}

fn add_line(set: &mut NodeSet, line: &[u8]) -> Result<usize, HostsError> {
    let Ok(text) = str::from_utf8(line) else {
        return Err(not_utf8(line));
    };
    let mut found = 0;
    for word in words(text).flat_map(hostfile_words) {
        set.add_word(word)?;
        found += 1;
    }
    Ok(found)
}

fn without_comment(line: &[u8]) -> &[u8] {
    let begins = |&at: &usize| line[at] == b'#' && (at == 0 || line[at - 1].is_ascii_whitespace());
    let end = (0..line.len()).find(begins).unwrap_or(line.len());
    &line[..end]
}

fn not_utf8(line: &[u8]) -> HostsError {
    let lossy = String::from_utf8_lossy(line);
    let word = words(&lossy).find(|word| word.contains(char::REPLACEMENT_CHARACTER));
    HostsError::new(word.unwrap_or(&lossy), Cause::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::Node;

    fn read(text: impl AsRef<[u8]>) -> Result<(String, usize), HostsError> {
        let mut set = NodeSet::new();
        let found = add_hostfile(&mut set, text.as_ref())?;
        Ok((
            set.iter().map(Node::name).collect::<Vec<_>>().join(" "),
            found,
        ))
    }

    #[test]
    fn words_comments_and_line_ends() {
        let text =
            "\u{feff}# all\r\nn1\r\n\r\n  n[2,3]  n4,n5 # the rest\n\t#n9\n[::1]:22 root@n6:22\nn1";
        assert_eq!(
            read(text),
            Ok(("n1 n2 n3 n4 n5 [::1]:22 root@n6:22".into(), 7))
        );
        for empty in ["", "\n", "# n1", "\u{feff}", " ,\r\n"] {
            assert_eq!(read(empty), Ok((String::new(), 0)), "{empty:?}");
        }
    }

    #[test]
    fn the_colon_form() {
        assert_eq!(
            read("node1:node2:node3\n"),
            Ok(("node1 node2 node3".into(), 3))
        );
        assert_eq!(
            read("n[1-2]:n7 a:b:22 fe80::1"),
            Ok(("n1 n2 n7 a b:22 fe80::1".into(), 5))
        );
    }

    #[test]
    fn errors_name_the_line() {
        let text = |text: &[u8]| read(text).unwrap_err().to_string();
        assert!(text(b"n1\n\nn2 n[1-\n").starts_with("line 3: 'n[1-': bracket is never closed"));
        assert!(text(b"n1\nn2#x").starts_with("line 2: 'n2#x': a name cannot hold #"));
        assert!(text(b"n1\nok n\xe4h,n3\n").starts_with("line 2: 'n\u{fffd}h': not UTF-8"));
        assert!(text(b"\xff\xfen\x001\0").starts_with("line 1: '\u{fffd}"));
        assert!(text("n1\n\u{feff}n2".as_bytes()).starts_with(r"line 2: '\u{feff}n2': "));
        assert!(text(b"n1\0").starts_with(r"line 1: 'n1\u{0}': a name cannot hold control"));
        assert!(text(b"a:22:33").starts_with("line 1: 'a:22:33': neither"));
    }

    #[test]
    fn a_comment_may_hold_any_bytes() {
        assert_eq!(read(b"n1 # gr\xfcn\n# \xff\nn2"), Ok(("n1 n2".into(), 2)));
    }
}
