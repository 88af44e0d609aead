//! Where one word of a node list ends and the next begins.
//!
//! Responsible for separators: commas, white space and, in the places that have it, the colon. Not for what a word
//! means. Invariant: a separator inside brackets separates nothing, but white space always ends a word, so an
//! unclosed bracket is noticed where it stands.

use super::node::is_v6;

/// The words of a list, separated by commas and ASCII white space; none of them is empty.
pub(super) fn words(list: &str) -> impl Iterator<Item = &str> {
    split_outside(list, |c| c == ',' || c.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// The words within one word of a hostfile, where `a:b:c` is a list and `host:22` a host and its port.
///
/// One rule decides: a piece of digits (or of a range group alone) is the port of the piece before it, any other
/// piece is a node. So `a:b:22` is `a` and port 22 of `b`, and `a:22:b:23` is two nodes with their ports: a colon
/// before a number means a port everywhere else too, and hosts named by a bare number are rare. An IPv6 address is
/// left whole; so is a word with an empty piece, which then is an address with a range in it or refused.
pub(super) fn hostfile_words(word: &str) -> Vec<&str> {
    if !word.contains(':') || is_bare_v6(word) || colon_pieces(word).any(str::is_empty) {
        return vec![word];
    }
    let mut found: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for piece in colon_pieces(word) {
        let piece_start = if found.is_empty() { 0 } else { end + 1 };
        end = piece_start + piece.len();
        if is_port(piece) && found.pop().is_some() {
            found.push(&word[start..end]);
        } else {
            start = piece_start;
            found.push(piece);
        }
    }
    found
}

/// The words within one word of `CLSH_HOSTS`, which is separated by `:` outside brackets and names no ports.
///
/// An IPv6 address is left whole. One colon too many at either end is what `CLSH_HOSTS=$CLSH_HOSTS:n3` leaves
/// behind, and is passed over; anywhere else the word is left whole, to be refused.
pub(super) fn variable_words(word: &str) -> Vec<&str> {
    if is_bare_v6(word) {
        return vec![word];
    }
    let inner = word.strip_prefix(':').unwrap_or(word);
    let inner = inner.strip_suffix(':').unwrap_or(inner);
    if inner.is_empty() {
        return Vec::new();
    }
    let found: Vec<&str> = colon_pieces(inner).collect();
    if found.contains(&"") {
        vec![word]
    } else {
        found
    }
}

fn colon_pieces(word: &str) -> impl Iterator<Item = &str> {
    split_outside(word, |c| c == ':')
}

fn split_outside(text: &str, separates: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c: char| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if c.is_ascii_whitespace() => inside = false,
            _ => {}
        }
        !inside && separates(c)
    })
}

fn is_bare_v6(word: &str) -> bool {
    is_v6(word.rsplit_once('@').map_or(word, |(_, host)| host))
}

fn is_port(piece: &str) -> bool {
    let mut inside = false;
    piece.chars().all(|c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        match c {
            '[' | ']' => true,
            _ if inside => c != ':',
            _ => c.is_ascii_digit(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_white_space_outside_brackets() {
        let words = |list| words(list).collect::<Vec<_>>();
        assert_eq!(
            words(" a,b\tc\r\n,, d[1,3-5]e , "),
            ["a", "b", "c", "d[1,3-5]e"]
        );
        assert_eq!(words("n[1, 2] b"), ["n[1,", "2]", "b"]);
        assert_eq!(words("n[1\nb,c"), ["n[1", "b", "c"]);
        assert!(words(" ,\t").is_empty());
    }

    #[test]
    fn colons_of_a_hostfile() {
        for (word, expected) in [
            ("n1", &["n1"][..]),
            ("a:b:c", &["a", "b", "c"]),
            ("a:b", &["a", "b"]),
            ("host:22", &["host:22"]),
            ("host:22b", &["host", "22b"]),
            ("root@host:22", &["root@host:22"]),
            ("root@a:root@b", &["root@a", "root@b"]),
            ("n[1-3]:n7", &["n[1-3]", "n7"]),
            ("n[1-3]:2222", &["n[1-3]:2222"]),
            ("h:[2201-2204]", &["h:[2201-2204]"]),
            ("h:22[01-04]:k", &["h:22[01-04]", "k"]),
            ("a:b:22", &["a", "b:22"]),
            ("a:22:b:23", &["a:22", "b:23"]),
            ("22:a", &["22", "a"]),
            ("[::1]:22", &["[::1]:22"]),
            ("[::1]:a:[::2]:23", &["[::1]", "a", "[::2]:23"]),
            ("[::1]:[::2]", &["[::1]", "[::2]"]),
            ("fe80::1%eth0", &["fe80::1%eth0"]),
            ("root@::1", &["root@::1"]),
            ("1:2:3:4:5:6:7:8", &["1:2:3:4:5:6:7:8"]),
            ("fe80::[1-3]", &["fe80::[1-3]"]),
            // To be refused as they stand.
            ("a:22:33", &["a:22:33"]),
            ("a:b:22:33", &["a", "b:22:33"]),
            ("n::m", &["n::m"]),
            (":22", &[":22"]),
            ("a:", &["a:"]),
        ] {
            assert_eq!(hostfile_words(word), expected, "{word}");
        }
    }

    #[test]
    fn colons_of_the_variable() {
        for (word, expected) in [
            ("a:b:22", &["a", "b", "22"][..]),
            ("n[1-3]:n7", &["n[1-3]", "n7"]),
            ("[::1]:[::2]", &["[::1]", "[::2]"]),
            ("::1", &["::1"]),
            ("root@fe80::1%eth0", &["root@fe80::1%eth0"]),
            (":a", &["a"]),
            ("a:", &["a"]),
            (":", &[]),
            // To be refused as they stand.
            ("n::m", &["n::m"]),
            ("::a:", &["::a:"]),
        ] {
            assert_eq!(variable_words(word), expected, "{word}");
        }
    }
}
