//! Reading Rust: what is code in a text, and which words and paths stand in it.

/// The text with comments, strings and character literals blanked out; lines and columns stay.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("what is blanked out is blanked out whole")
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
pub fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let find = |from: usize, what: &[u8]| {
        let found = rest[from..]
            .windows(what.len())
            .position(|window| window == what);
        found.map_or(bytes.len(), |found| at + from + found + what.len())
    };
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return find(0, b"\n");
    }
    if rest.starts_with(b"/*") {
        return find(2, b"*/");
    }
    if rest[0] == b'"' {
        let mut end = at + 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        return end + 1;
    }
    if rest[0] == b'r' && (!in_word || bytes[at - 1] == b'b') {
        let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            return find(2 + hashes, &[b"\"", &b"#".repeat(hashes)[..]].concat());
        }
    }
    if rest[0] == b'\'' {
        if rest.get(1) == Some(&b'\\') {
            return find(3, b"'");
        }
        // One character and a quote; anything else is a lifetime.
        let text = std::str::from_utf8(&rest[1..rest.len().min(6)]);
        let text = match &text {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[1..1 + error.valid_up_to()]).unwrap_or(""),
        };
        if let Some(letter) = text.chars().next()
            && rest.get(1 + letter.len_utf8()) == Some(&b'\'')
        {
            return at + 2 + letter.len_utf8();
        }
    }
    at
}

/// The end of the item that begins at `at`: behind its closing brace, or its semicolon if that comes first.
pub fn item_end(code: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code[at..].bytes().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (byte == b'}' || byte == b';') {
            return at + offset + 1;
        }
    }
    code.len()
}

/// The code without what is compiled for tests only.
pub fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(at) = left.find("#[cfg(test)]") {
        let end = item_end(&left, at + "#[cfg(test)]".len());
        left.replace_range(at..end, "");
    }
    left
}

/// Every place where `word` stands alone, as a byte offset.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let alone = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            alone(code[..at].chars().next_back()) && alone(code[at + word.len()..].chars().next())
        })
}

pub fn has_word(code: &str, word: &str) -> bool {
    words(code, word).next().is_some()
}

pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// All paths that the code names with `::`, those of `use` with braces spread out: `std::{fs, io::Read}` names `std::fs`.
pub fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let compact: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let compact = compact
        .replace(":: ", "::")
        .replace(" ::", "::")
        .replace("{ ", "{")
        .replace(" }", "}");
    for (at, _) in compact.match_indices("::") {
        let head = compact[..at]
            .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
            .map_or(0, |before| before + 1);
        spread(&compact[head..at], &compact[at + 2..], &mut paths);
    }
    paths
}

pub fn spread(head: &str, tail: &str, paths: &mut Vec<String>) {
    if let Some(group) = tail.strip_prefix('{') {
        let group = &group[..item_end(tail, 0).saturating_sub(2).min(group.len())];
        let (mut depth, mut from) = (0, 0);
        for (at, byte) in group.bytes().enumerate().chain([(group.len(), b',')]) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b',' if depth == 0 => {
                    spread(head, group[from..at].trim(), paths);
                    from = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let end = tail
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(tail.len());
    let path = format!("{}::{}", head.trim_start_matches("::"), &tail[..end]);
    if let Some(rest) = tail[end..].strip_prefix("::") {
        spread(&path, rest, paths);
    }
    paths.push(path);
}

pub fn names(paths: &[String], path: &str) -> bool {
    paths
        .iter()
        .any(|named| named == path || named.starts_with(&format!("{path}::")))
}
