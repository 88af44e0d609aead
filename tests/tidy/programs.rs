//! What a fresh machine has to install: the programs that scripts and tests start, by their text, against the packages that the scripts ask
//! for. What a minimal Debian has, and which package a program belongs to, dpkg knows.

use crate::support::not_run;
use crate::text::literal_end;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands in front of a single word in a test that is the name of a program.
const STARTS: [&str; 7] = [
    "Command::new(",
    "must(&[",
    "behind(&[",
    "through(",
    "find(",
    "judged(",
    "printed(&place(), ",
];

/// Words of a shell behind which a command may stand.
const BEFORE_COMMANDS: [&str; 20] = [
    "if", "then", "else", "elif", "while", "until", "do", "!", "exec", "command", "eval", "time",
    "env", "setsid", "nohup", "sudo", "nice", "timeout", "have", "quietly",
];

/// Programs that a shell, or awk, has in itself.
const BUILT_IN: [&str; 3] = ["kill", "print", "time"];

/// The words of a shell's text that stand where a command does.
pub fn commands(text: &str) -> BTreeSet<String> {
    let is_name = |word: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.+/-".contains(c);
        word.chars().all(plain) && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
    };
    let mut found = BTreeSet::new();
    for piece in text.split([';', '|', '&', '\n', '(', ')', '{', '}', '`']) {
        for word in piece.split_whitespace() {
            let passed = word.starts_with('-')
                || word.contains('=')
                || word.starts_with(|c: char| c.is_ascii_digit());
            if is_name(word) && !BUILT_IN.contains(&word) {
                found.insert(word.to_owned());
            }
            if !passed && !BEFORE_COMMANDS.contains(&word) {
                break;
            }
        }
    }
    found
}

/// The string literals of Rust, each with the code before it on its line; a name in braces, which `format!` replaces, is left out.
pub fn literals(text: &str) -> Vec<(&str, String)> {
    let bytes = text.as_bytes();
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let end = literal_end(bytes, at).min(bytes.len());
        if matches!(bytes[at], b'"' | b'r') && end > at {
            let inner = text[at..end].trim_start_matches('r').trim_matches('#');
            let inner = inner.replace("\\\n", "").replace("\\n", "\n");
            let mut plain = inner.replace("\\\"", "'").replace('"', "");
            while let Some((open, close)) = placeholder(&plain) {
                plain.replace_range(open..=close, "_");
            }
            let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() && c != ' ');
            let before = &before[before.rfind('\n').map_or(0, |line| line + 1)..];
            found.push((before, plain));
        }
        at = end.max(at + 1);
    }
    found
}

fn placeholder(text: &str) -> Option<(usize, usize)> {
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('{').find_map(|(open, _)| {
        let close = open + text[open..].find('}')?;
        text[open + 1..close]
            .chars()
            .all(named)
            .then_some((open, close))
    })
}

/// The programs that a test may start: single words where a program is named, lists of shells, and the commands of what looks like a shell's
/// text. Not every single word, because many a word is the name of some program somewhere.
pub fn started_by_test(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (before, literal) in literals(text) {
        let words = literal.split_whitespace().count();
        let is_path = literal.starts_with('/') && literal.contains("bin/");
        let is_named = is_path || STARTS.iter().any(|start| before.ends_with(start));
        if words == 1 && is_named {
            found.insert(literal);
        } else if words > 1 && literal.contains([';', '|', '$', '<', '>', '&']) {
            found.append(&mut commands(&literal));
        }
    }
    // A list of shells.
    let lists = text.split('[').filter_map(|rest| rest.split(']').next());
    for list in lists.filter(|list| list.contains("\"bash\"") || list.contains("\"zsh\"")) {
        found.extend(literals(list).into_iter().map(|(_, literal)| literal));
    }
    found
}

/// The programs that a script may start: its texts for people and its comments are left out.
pub fn started_by_script(text: &str) -> BTreeSet<String> {
    let mut code = String::new();
    let mut ends_at = None;
    for line in text.lines() {
        let bare = line.trim();
        if let Some(end) = ends_at {
            if bare == end {
                ends_at = None;
            }
        } else if !bare.starts_with('#') {
            if bare.contains("<<-") {
                ends_at = Some("EOF");
            }
            code.push_str(line);
            code.push('\n');
        }
    }
    // A quoted text with a command in it is code.
    let quoted = |text: &str, quote: char| {
        let parts = text.split(quote).enumerate();
        let kept = parts.map(|(number, part)| match number % 2 {
            1 if !part.contains("$(") => "_",
            _ => part,
        });
        kept.collect::<Vec<_>>().join(" ")
    };
    let lines = code.lines().map(|line| quoted(&quoted(line, '\''), '"'));
    commands(&lines.collect::<Vec<_>>().join("\n"))
}

/// The packages that a script asks for: `PROGRAM:PACKAGE` in an array, and what it adds to what is missing.
pub fn asked_for(script: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in script.lines().filter(|line| !line.trim().starts_with('#')) {
        let pairs = line.split(['(', ')', ' ', '\t']);
        let pairs = pairs.filter(|word| !word.contains(['"', '\'', '$', '/']));
        found.extend(pairs.filter_map(|word| Some(word.split_once(':')?.1.to_owned())));
        let added = line
            .split_once("packages+=(")
            .or_else(|| line.split_once("missing+=("));
        let added = added
            .and_then(|(_, rest)| rest.split(')').next())
            .unwrap_or_default();
        found.extend(added.split_whitespace().map(str::to_owned));
        let lacked = line.split("lacks ").skip(1);
        found.extend(lacked.filter_map(|rest| {
            let word = rest.split([' ', ';']).next()?;
            (!word.contains('$')).then(|| word.to_owned())
        }));
    }
    found
}

fn dpkg(words: &[&str]) -> Option<String> {
    // What dpkg-query does not know it says, and fails.
    let done = Command::new("dpkg-query").args(words).output().ok()?;
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Where a program stands, and all that this leads to.
fn places(program: &str) -> Vec<PathBuf> {
    let name = Path::new(program).file_name().unwrap_or_default();
    let directories = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(Path::new);
    let mut place = directories
        .iter()
        .map(|dir| dir.join(name))
        .find(|place| place.exists());
    let mut found = Vec::new();
    while let Some(at) = place {
        place = fs::read_link(&at)
            .ok()
            .map(|next| at.parent().unwrap_or(Path::new("/")).join(next));
        // dpkg may know either name of a directory that has two.
        let text = at.display().to_string();
        let other = text
            .strip_prefix("/usr")
            .map_or(format!("/usr{text}"), str::to_owned);
        found.extend([at, other.into()]);
    }
    found
}

/// The programs that no minimal Debian has, each with its packages.
fn beyond_the_minimum(programs: &BTreeSet<String>) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let minimum = dpkg(&["-W", "-f", "${Package} ${Essential} ${Priority}\n"])?;
    let minimum: BTreeSet<&str> = minimum
        .lines()
        .filter(|line| line.contains(" yes ") || line.ends_with(" required"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let places: BTreeMap<&String, Vec<PathBuf>> = programs
        .iter()
        .map(|program| (program, places(program)))
        .collect();
    let mut words = vec!["-S"];
    words.extend(places.values().flatten().filter_map(|place| place.to_str()));
    let known = dpkg(&words)?;
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (packages, place) in known.lines().filter_map(|line| line.split_once(": ")) {
        let packages = packages
            .split(", ")
            .filter_map(|package| package.split(':').next());
        owners.entry(place).or_default().extend(packages);
    }
    let mut beyond = BTreeMap::new();
    for (program, places) in places {
        let found = places
            .iter()
            .filter_map(|place| owners.get(place.to_str()?));
        let found: BTreeSet<&str> = found.flatten().copied().collect();
        if !found.is_empty() && found.is_disjoint(&minimum) {
            let found = found.into_iter().map(str::to_owned).collect();
            beyond.insert(program.clone(), found);
        }
    }
    Some(beyond)
}

/// The programs whose packages nobody asks for.
pub fn missing_from(
    asked: &BTreeSet<String>,
    beyond: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    /// A clone is made with the one, and the other is asked whether it is there.
    const EXPECTED: [&str; 2] = ["git", "docker.io"];
    let unasked = beyond.iter().filter(|(_, packages)| {
        packages.is_disjoint(asked) && !EXPECTED.iter().any(|&package| packages.contains(package))
    });
    unasked
        .map(|(program, packages)| format!("{program}: {packages:?}"))
        .collect()
}

/// What these programs need that is not among what is asked for; nothing where there is no dpkg, which is said.
pub fn unasked(asked: &BTreeSet<String>, programs: &BTreeSet<String>) -> Vec<String> {
    let Some(beyond) = beyond_the_minimum(programs) else {
        not_run("only dpkg knows what a minimal Debian has");
        return Vec::new();
    };
    missing_from(asked, &beyond)
}
