//! Goal: the floors of the house stand as DESIGN.md draws them, so that nobody has to remember them. Method: the source text is read
//! with comments and literals blanked out and tests cut off, and each floor is a function from text to complaints; every one of them is
//! shown to complain.

use clsh::cli::{Invocation, parse, table};
use clsh::remote::{SshOptions, Transport};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a file, its tests left out.
const FILE_LINES_MAX: usize = 420;
/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 60;

/// Rooms without kernel, clock or randomness.
const PURE: [&str; 11] = [
    "limits", "order", "seconds", "outcome", "report", "hosts", "remote", "engine", "output",
    "job", "session",
];

/// What may stand at the top level.
const TOP: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "benches",
    "tests",
    "docker",
    "hostfile",
    "README.md",
    "LICENSE",
    ".ci",
    ".gitignore",
];

// Reading Rust.

/// The text with comments, strings and character literals blanked out; lines and columns stay.
fn code(text: &str) -> String {
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
fn literal_end(bytes: &[u8], at: usize) -> usize {
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
fn item_end(code: &str, at: usize) -> usize {
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
fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(at) = left.find("#[cfg(test)]") {
        let end = item_end(&left, at + "#[cfg(test)]".len());
        left.replace_range(at..end, "");
    }
    left
}

/// Every place where `word` stands alone, as a byte offset.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let alone = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            alone(code[..at].chars().next_back()) && alone(code[at + word.len()..].chars().next())
        })
}

fn has_word(code: &str, word: &str) -> bool {
    words(code, word).next().is_some()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// All paths that the code names with `::`, those of `use` with braces spread out: `std::{fs, io::Read}` names `std::fs`.
fn paths(code: &str) -> Vec<String> {
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

fn spread(head: &str, tail: &str, paths: &mut Vec<String>) {
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

fn names(paths: &[String], path: &str) -> bool {
    paths
        .iter()
        .any(|named| named == path || named.starts_with(&format!("{path}::")))
}

// The floors: each gives its complaints about one file.

/// A file under `src`, ready to be judged.
struct Source {
    /// From `src/` on.
    path: String,
    text: String,
    /// Without comments, literals and tests.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: without_tests(&code(text)),
        }
    }

    fn room(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split(['/', '.']).next().unwrap_or_default()
    }
}

fn pure_rooms_know_no_kernel_and_no_clock(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.room()) {
        return Vec::new();
    }
    let crates = ["mio", "nix", "libc", "signal_hook", "signal_hook_mio"];
    let mut found: Vec<String> = crates
        .into_iter()
        .chain(["SystemTime"])
        .filter(|word| has_word(&source.code, word))
        .map(str::to_owned)
        .collect();
    let paths = paths(&source.code);
    let forbidden = [
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "std::os::fd",
        "Instant::now",
        "std::time::Instant",
        "crate::sys",
        "crate::driver",
        "crate::cli",
    ];
    found.extend(
        forbidden
            .into_iter()
            .filter(|path| names(&paths, path))
            .map(str::to_owned),
    );
    found
}

fn sys_knows_only_limits(source: &Source) -> Vec<String> {
    if source.room() != "sys" {
        return Vec::new();
    }
    let mut found: Vec<String> = paths(&source.code)
        .into_iter()
        .filter(|path| path.starts_with("crate::") && path.matches("::").count() == 1)
        .filter(|path| !["crate::limits", "crate::sys"].contains(&path.as_str()))
        .collect();
    if source.path == "src/sys/mod.rs" && has_word(&source.code, "super") {
        found.push("super".to_owned());
    }
    found
}

fn the_driver_knows_no_flag(source: &Source) -> Vec<String> {
    if source.room() != "driver" {
        return Vec::new();
    }
    let found = [
        names(&paths(&source.code), "crate::cli"),
        has_word(&source.code, "lexopt"),
    ];
    let named = ["crate::cli", "lexopt"].into_iter().zip(found);
    named
        .filter(|&(_, found)| found)
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn only_main_driver_and_sys_start_anything(source: &Source) -> Vec<String> {
    let free = ["sys", "driver", "main"].contains(&source.room());
    let found = names(&paths(&source.code), "crate::sys") && !free;
    found.then(|| "crate::sys".to_owned()).into_iter().collect()
}

fn unsafe_stands_in_sys_alone_and_says_why_it_is_sound(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let code = code(&source.text);
    let says_why = |line: usize| {
        lines[..line - 1]
            .iter()
            .rev()
            .take_while(|line| line.trim_start().starts_with("//"))
            .any(|line| line.contains("SAFETY: "))
    };
    words(&code, "unsafe")
        .map(|at| line_of(&code, at))
        .filter(|&line| source.room() != "sys" || !says_why(line))
        .map(|line| format!("unsafe in line {line}"))
        .collect()
}

fn nothing_starts_a_thread(source: &Source) -> Vec<String> {
    let found = has_word(&source.code, "thread");
    found.then(|| "thread".to_owned()).into_iter().collect()
}

fn nothing_gives_up_by_a_panic(source: &Source) -> Vec<String> {
    let calls = [
        ".unwrap()",
        ".unwrap_err()",
        ".expect(",
        ".expect_err(",
        "todo!",
        "unimplemented!",
        "unreachable!",
        "panic!",
        "dbg!",
    ];
    let compact: String = source.code.split_whitespace().collect();
    let mut found: Vec<String> = calls
        .into_iter()
        .filter(|call| compact.contains(call))
        .map(str::to_owned)
        .collect();
    // What must hold is asserted at compile time, in debug builds, or where the engine checks itself.
    let mut code = source.code.clone();
    if source.path == "src/engine/mod.rs"
        && let Some(at) = code.find("pub fn check(&self)")
    {
        code.replace_range(at..item_end(&code, at), "");
    }
    for line in code.lines().filter(|line| !line.contains("const _: ()")) {
        for call in ["assert", "assert_eq", "assert_ne"] {
            if words(line, call).any(|at| line[at + call.len()..].starts_with('!')) {
                found.push(format!("{call}!"));
            }
        }
    }
    found
}

fn lines_without_tests(source: &Source) -> usize {
    source.code.lines().count()
}

fn a_file_is_not_too_long(source: &Source) -> Vec<String> {
    let lines = lines_without_tests(source);
    let long = lines > FILE_LINES_MAX;
    long.then(|| format!("{lines} lines")).into_iter().collect()
}

/// Every function with its lines.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    words(code, "fn")
        .filter_map(|at| {
            let name = code[at + 3..].split(['(', '<']).next()?;
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            // A type such as `fn(u8)` has no name.
            (plain && !name.is_empty()).then(|| {
                let body = &code[at..item_end(code, at)];
                (name.to_owned(), body.matches('\n').count() + 1)
            })
        })
        .collect()
}

fn a_function_fits_a_screen(source: &Source) -> Vec<String> {
    functions(source)
        .into_iter()
        .filter(|&(_, lines)| lines > FUNCTION_LINES_MAX)
        .map(|(name, lines)| format!("fn {name} has {lines} lines"))
        .collect()
}

fn a_file_begins_by_saying_what_it_is_for(source: &Source) -> Vec<String> {
    let says = source.text.starts_with("//! ");
    (!says).then(|| "no head".to_owned()).into_iter().collect()
}

fn exit_numbers_stand_in_outcome_alone(source: &Source) -> Vec<String> {
    if source.room() == "outcome" {
        return Vec::new();
    }
    // 255 is also the longest name, and what a bare transport says of itself: those are no statuses of clsh.
    let code = source
        .code
        .replace("NAME_BYTES_MAX: usize = 255", "")
        .replace("Exit::Code(255)", "");
    ["124", "255"]
        .into_iter()
        .filter(|number| has_word(&code, number))
        .map(str::to_owned)
        .collect()
}

fn names_of_the_field_only(source: &Source) -> Vec<String> {
    ["utils", "util", "helpers", "helper", "manager"]
        .into_iter()
        .filter(|name| {
            let file = source.path.split(['/', '.']).any(|part| part == *name);
            file || has_word(&source.code, name)
        })
        .map(str::to_owned)
        .collect()
}

// The rules about more than one file.

fn strangers_at_the_top(files: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = files
        .iter()
        .filter_map(|file| file.split('/').next())
        .filter(|name| !TOP.contains(name))
        .map(str::to_owned)
        .collect();
    found.dedup();
    found
}

/// What README.md says about flags that is not so: flags it leaves out, flags that are none, and examples that are no calls.
fn readme_and_table_differ(readme: &str) -> Vec<String> {
    /// Flags of ssh that clsh sets, in the words of the README.
    const FOREIGN: [&str; 1] = ["-T -a -x"];
    let spellings = table::spellings();
    let mut found = Vec::new();
    let spans: Vec<&str> = spans(readme)
        .into_iter()
        .filter(|span| !FOREIGN.contains(span))
        .collect();
    for spelling in &spellings {
        let named = spans
            .iter()
            .any(|span| flags_of(span).contains(&&**spelling));
        if !named {
            found.push(format!("{spelling} is left out"));
        }
    }
    for span in spans.iter().filter(|span| span.starts_with('-')) {
        for flag in flags_of(span) {
            if !spellings.iter().any(|spelling| spelling == flag) {
                found.push(format!("{flag} is no flag"));
            }
        }
    }
    for call in calls(readme) {
        let split = Transport::parse(&call, SshOptions::default(), false);
        let parsed = match split {
            Ok(Transport::Template { words, .. }) => parse(words.into_iter().map(OsString::from)),
            _ => Ok(Invocation::Help),
        };
        if let Err(error) = parsed {
            found.push(format!("clsh {call}: {error}"));
        }
    }
    found
}

/// The code spans of running text; blocks are left out.
fn spans(markdown: &str) -> Vec<&str> {
    markdown
        .split("\n\n")
        .filter(|block| !block.starts_with("    "))
        .flat_map(|block| block.split('`').skip(1).step_by(2))
        .collect()
}

/// The flags that a span gives, `-h LIST` or `-h, --hosts LIST` as well as those of a call, `clsh -h n1 ls -l`.
fn flags_of(span: &str) -> Vec<&str> {
    let mut flags = Vec::new();
    for word in span.split([' ', ',']).filter(|word| !word.is_empty()) {
        let is_flag = word.len() > 1 && word.starts_with('-') && word != "--";
        if !is_flag && !flags.is_empty() {
            break;
        }
        if is_flag {
            flags.push(word.split('=').next().unwrap_or(word));
        }
    }
    flags
}

/// The calls of clsh in spans and blocks, without the name in front.
fn calls(markdown: &str) -> Vec<String> {
    let lines = markdown
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.trim_start_matches("$ "));
    lines
        .chain(spans(markdown))
        .filter_map(|line| line.strip_prefix("clsh "))
        .map(str::to_owned)
        .collect()
}

// The house as it is.

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn sources(directory: &str) -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(&house().join(directory), &mut files);
    assert!(!files.is_empty(), "no sources in {directory}");
    let relative = |path: &Path| {
        let path = path.strip_prefix(house()).expect("inside");
        path.to_str().expect("UTF-8").to_owned()
    };
    files
        .iter()
        .map(|path| Source::new(&relative(path), &fs::read_to_string(path).expect("text")))
        .collect()
}

/// The sources, but for files that are tests as a whole.
fn rooms() -> Vec<Source> {
    let mut sources = sources("src");
    sources
        .retain(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/"));
    sources
}

#[track_caller]
fn holds(sources: &[Source], floor: fn(&Source) -> Vec<String>) {
    let complaints: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let complaints = floor(source);
            complaints
                .into_iter()
                .map(move |complaint| format!("{}: {complaint}", source.path))
        })
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn every_room_has_its_floor() {
    let sources = rooms();
    let known: Vec<&str> = [&PURE[..], &["sys", "driver", "cli", "main", "lib"]].concat();
    for room in &known {
        assert!(
            sources.iter().any(|source| source.room() == *room),
            "{room}"
        );
    }
    // A new room has to be put on its floor here first.
    for source in &sources {
        assert!(known.contains(&source.room()), "{}", source.path);
    }
}

#[test]
fn floors_hold() {
    let sources = rooms();
    holds(&sources, pure_rooms_know_no_kernel_and_no_clock);
    holds(&sources, sys_knows_only_limits);
    holds(&sources, the_driver_knows_no_flag);
    holds(&sources, only_main_driver_and_sys_start_anything);
}

#[test]
fn unsafe_code_is_in_its_room_and_explained() {
    holds(
        &rooms(),
        unsafe_stands_in_sys_alone_and_says_why_it_is_sound,
    );
}

#[test]
fn one_thread_and_no_panics() {
    holds(&rooms(), nothing_starts_a_thread);
    holds(&rooms(), nothing_gives_up_by_a_panic);
}

#[test]
fn files_and_functions_are_short() {
    holds(&rooms(), a_file_is_not_too_long);
    holds(&rooms(), a_function_fits_a_screen);
    holds(&sources("benches"), a_file_is_not_too_long);
    holds(&sources("benches"), a_function_fits_a_screen);
}

#[test]
fn every_file_has_a_head() {
    holds(&rooms(), a_file_begins_by_saying_what_it_is_for);
    holds(&sources("tests"), a_file_begins_by_saying_what_it_is_for);
    holds(&sources("benches"), a_file_begins_by_saying_what_it_is_for);
}

#[test]
fn exit_numbers_have_one_owner() {
    holds(&rooms(), exit_numbers_stand_in_outcome_alone);
}

#[test]
fn nothing_is_called_a_helper() {
    holds(&rooms(), names_of_the_field_only);
}

#[test]
fn nothing_else_stands_at_the_top() {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(house())
        .output()
        .expect("git must be there");
    assert!(listed.status.success(), "not a git repository");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let files: Vec<&str> = listed.lines().collect();
    assert!(files.contains(&"Cargo.toml"), "{files:?}");
    assert_eq!(strangers_at_the_top(&files), [""; 0]);
}

#[test]
fn the_readme_knows_every_flag_and_no_other() {
    let path = house().join("README.md");
    let readme = fs::read_to_string(&path);
    let readme = readme.unwrap_or_else(|error| panic!("README.md must be there: {error}"));
    let differ = readme_and_table_differ(&readme);
    assert!(differ.is_empty(), "{differ:#?}");
}

// Every floor complains where it should.

fn complaints(floor: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    floor(&Source::new(path, text))
}

#[test]
fn comments_and_literals_are_no_code() {
    let text =
        "a // b \"\n\"c\\\"d\" e 'f' '\\'' <'g> b\"h\" r#\"i\"j\"# br\"k\\\" l /* m\n */ n 'ö' o";
    let words: Vec<String> = code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(
        words,
        ["a", "e", "<'g>", "b", "b", "l", "n", "o"].map(str::to_owned)
    );
}

#[test]
fn tests_are_cut_off() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c({}); } }\nfn d() {}\n#[cfg(test)]\nmod e;\n";
    let left = without_tests(text);
    assert!(left.contains("fn a()") && left.contains("fn d()"), "{left}");
    assert!(!left.contains('b') && !left.contains('e'), "{left}");
}

#[test]
fn paths_are_found_however_they_are_written() {
    for text in [
        "use std::fs;",
        "use std::fs::File;",
        "use std::{io, fs};",
        "use std::{\n    io::{self, Read},\n    fs::{\n        File,\n    },\n};",
        "let a = std::fs::read(b);",
        "let a = ::std::fs::read(b);",
        "fn a(b: std :: fs :: File) {}",
    ] {
        assert!(names(&paths(text), "std::fs"), "{text}: {:?}", paths(text));
    }
    for text in [
        "use std::{io, net};",
        "use std::fsx;",
        "fs::read(a)",
        "my_std::fs",
    ] {
        assert!(!names(&paths(text), "std::fs"), "{text}");
    }
}

#[test]
fn the_floor_of_pure_rooms_complains() {
    let floor = pure_rooms_know_no_kernel_and_no_clock;
    for text in [
        "use mio::Poll;",
        "use nix::libc;",
        "use signal_hook_mio::v1_0::Signals;",
        "use std::fs;",
        "use std::{io, net::TcpStream};",
        "use std::process::Command;",
        "fn a() { std::thread::sleep(b); }",
        "use std::time::{Duration, Instant};",
        "let now = Instant::now();",
        "let now = SystemTime::now();",
        "use crate::sys::read;",
        "use crate::{limits, sys};",
        "use crate::cli;",
    ] {
        for path in ["src/engine/node.rs", "src/report.rs"] {
            assert!(!complaints(floor, path, text).is_empty(), "{path}: {text}");
        }
        assert_eq!(complaints(floor, "src/sys/mod.rs", text), [""; 0]);
    }
    let fine =
        "use std::{io, time::Duration};\n// nix\nuse crate::limits;\nconst A: &str = \"std::fs\";";
    assert_eq!(complaints(floor, "src/engine/node.rs", fine), [""; 0]);
    let tests = "#[cfg(test)]\nmod tests { use std::fs; }";
    assert_eq!(complaints(floor, "src/engine/node.rs", tests), [""; 0]);
}

#[test]
fn the_floor_of_sys_complains() {
    let floor = sys_knows_only_limits;
    for text in [
        "use crate::engine::Event;",
        "use crate::{limits::A, outcome};",
        "crate::report::status()",
    ] {
        assert!(
            !complaints(floor, "src/sys/spawn.rs", text).is_empty(),
            "{text}"
        );
    }
    assert!(!complaints(floor, "src/sys/mod.rs", "use super::engine;").is_empty());
    let fine = "use crate::limits::A;\nuse crate::sys::read;\nuse super::Signals;";
    assert_eq!(complaints(floor, "src/sys/spawn.rs", fine), [""; 0]);
}

#[test]
fn the_floors_of_the_driver_and_of_all_others_complain() {
    for text in [
        "use crate::cli::Flag;",
        "use crate::{cli, job};",
        "use lexopt::Arg;",
    ] {
        assert!(!complaints(the_driver_knows_no_flag, "src/driver.rs", text).is_empty());
    }
    let text = "use crate::sys;";
    let floor = only_main_driver_and_sys_start_anything;
    assert!(!complaints(floor, "src/cli/files.rs", text).is_empty());
    assert_eq!(complaints(floor, "src/driver.rs", text), [""; 0]);
}

#[test]
fn the_floor_of_unsafe_code_complains() {
    let floor = unsafe_stands_in_sys_alone_and_says_why_it_is_sound;
    let explained = "// SAFETY: it is sound,\n// because.\nlet a = unsafe { b() };";
    assert_eq!(complaints(floor, "src/sys/a.rs", explained), [""; 0]);
    assert!(!complaints(floor, "src/driver.rs", explained).is_empty());
    for text in [
        "let a = unsafe { b() };",
        "// SAFETY: it is sound.\n\nlet a = unsafe { b() };",
        "// It is sound.\nlet a = unsafe { b() };",
    ] {
        assert!(
            !complaints(floor, "src/sys/a.rs", text).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn the_floors_of_threads_and_panics_complain() {
    for text in [
        "std::thread::spawn(a);",
        "use std::thread;",
        "thread::scope(a)",
    ] {
        assert!(!complaints(nothing_starts_a_thread, "src/sys/a.rs", text).is_empty());
    }
    let floor = nothing_gives_up_by_a_panic;
    for text in [
        "a.unwrap();",
        "a\n    .unwrap()\n    .b();",
        "a.expect(\"b\");",
        "panic!(\"a\")",
        "todo!()",
        "unimplemented!()",
        "assert!(a);",
        "assert_eq!(a, b);",
    ] {
        assert!(
            !complaints(floor, "src/driver.rs", text).is_empty(),
            "{text}"
        );
    }
    let fine = "const _: () = assert!(A < B);\ndebug_assert!(a);\na.unwrap_or(b);\n// .unwrap()\n";
    assert_eq!(complaints(floor, "src/driver.rs", fine), [""; 0]);
    let check = "pub fn check(&self) { assert!(a); }";
    assert_eq!(complaints(floor, "src/engine/mod.rs", check), [""; 0]);
    assert!(!complaints(floor, "src/engine/node.rs", check).is_empty());
}

#[test]
fn the_floors_of_length_complain() {
    let lines = |count: usize| "a();\n".repeat(count);
    let floor = a_file_is_not_too_long;
    assert_eq!(complaints(floor, "a", &lines(FILE_LINES_MAX)), [""; 0]);
    assert!(!complaints(floor, "a", &lines(FILE_LINES_MAX + 1)).is_empty());
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(1000));
    assert_eq!(complaints(floor, "a", &tests), [""; 0]);
    let floor = a_function_fits_a_screen;
    let function =
        |count: usize| format!("impl A {{ fn b<T>(c: [u8; 2]) {{\n{}}} }}", lines(count));
    assert_eq!(
        complaints(floor, "a", &function(FUNCTION_LINES_MAX - 2)),
        [""; 0]
    );
    assert!(!complaints(floor, "a", &function(FUNCTION_LINES_MAX - 1)).is_empty());
}

#[test]
fn the_floors_of_heads_names_and_numbers_complain() {
    let floor = a_file_begins_by_saying_what_it_is_for;
    assert!(!complaints(floor, "a", "use std::io;\n//! Late.").is_empty());
    assert_eq!(complaints(floor, "a", "//! What it is for."), [""; 0]);
    let floor = names_of_the_field_only;
    assert!(!complaints(floor, "src/utils.rs", "").is_empty());
    assert!(!complaints(floor, "src/a.rs", "mod helpers;").is_empty());
    let floor = exit_numbers_stand_in_outcome_alone;
    for text in ["exit(255)", "Status(124)", "const A: u8 = 255;"] {
        assert!(
            !complaints(floor, "src/driver.rs", text).is_empty(),
            "{text}"
        );
        assert_eq!(complaints(floor, "src/outcome.rs", text), [""; 0]);
    }
    assert_eq!(
        complaints(floor, "src/driver.rs", "// 255\nlet a = 1255;"),
        [""; 0]
    );
}

#[test]
fn the_rule_of_the_top_level_complains() {
    let fine = ["Cargo.toml", "src/main.rs", "tests/a/b.rs", ".ci/x"];
    assert_eq!(strangers_at_the_top(&fine), [""; 0]);
    assert_eq!(
        strangers_at_the_top(&["src/a.rs", "notes.md", "scripts/b"]),
        ["notes.md", "scripts"]
    );
}

#[test]
fn the_rule_of_the_readme_complains() {
    let whole: String = table::spellings()
        .iter()
        .map(|spelling| format!("`{spelling} X` "))
        .collect();
    assert_eq!(readme_and_table_differ(&whole), [""; 0]);
    let short = whole.replace("`--fanout X` ", "");
    assert_eq!(readme_and_table_differ(&short), ["--fanout is left out"]);
    let long = format!("{whole}\n`--no-such-flag`");
    assert_eq!(
        readme_and_table_differ(&long),
        ["--no-such-flag is no flag"]
    );
    let call = format!("{whole}\n\n    $ clsh --no-such-flag n1\n    n1: clsh");
    assert_eq!(readme_and_table_differ(&call).len(), 1);
    let span = format!("{whole}\n`clsh -h n1 ls -l --no-flag-of-clsh`, a leading `-`, `--`");
    assert_eq!(readme_and_table_differ(&span), [""; 0]);
}
