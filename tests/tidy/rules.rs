//! The rules about more than one file.

use clsh::cli::{Invocation, parse, table};
use clsh::remote::{SshOptions, Transport};
use std::ffi::OsString;

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

pub fn strangers_at_the_top(files: &[&str]) -> Vec<String> {
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
pub fn readme_and_table_differ(readme: &str) -> Vec<String> {
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
pub fn spans(markdown: &str) -> Vec<&str> {
    markdown
        .split("\n\n")
        .filter(|block| !block.starts_with("    "))
        .flat_map(|block| block.split('`').skip(1).step_by(2))
        .collect()
}

/// The flags that a span gives, `-h LIST` or `-h, --hosts LIST` as well as those of a call, `clsh -h n1 ls -l`.
pub fn flags_of(span: &str) -> Vec<&str> {
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
pub fn calls(markdown: &str) -> Vec<String> {
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
