//! What is made of the one table for other programs: the manual page, and completions for three shells. What does not depend on a flag stands
//! in templates beside this file, with places between two `@`.

mod bash;
mod fish;
mod man;
mod zsh;

use super::help::version;
use super::table::{FLAGS, Flag, FlagId};

/// What `--generate` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The manual page, in man(7)'s macros.
    Man,
    /// Completions.
    Bash,
    Zsh,
    Fish,
}

impl Page {
    /// Each page under its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("man", Self::Man),
        ("complete-bash", Self::Bash),
        ("complete-zsh", Self::Zsh),
        ("complete-fish", Self::Fish),
    ];

    /// Its text, with a newline at its end.
    pub fn text(self) -> String {
        match self {
            Self::Man => man::page(),
            Self::Bash => bash::script(),
            Self::Zsh => zsh::script(),
            Self::Fish => fish::script(),
        }
    }
}

/// What completes the value of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    /// Names of nodes, separated by commas.
    Nodes,
    File,
    Directory,
    User,
    Host,
    Program,
    /// One of these words.
    Words(Vec<&'static str>),
    /// Nobody can know.
    Free,
}

/// What completes this flag's value; `None` for a switch.
fn value(flag: &Flag) -> Option<Value> {
    Some(match flag.value? {
        "LIST" => Value::Nodes,
        "FILE" => Value::File,
        "DIR" => Value::Directory,
        "USER" => Value::User,
        "HOST" => Value::Host,
        "SHELL" => Value::Program,
        "TRANSPORT" => Value::Words(vec!["ssh", "exec"]),
        "WHEN" => Value::Words(vec!["auto", "always", "never"]),
        "WHAT" => Value::Words(Page::ALL.map(|(name, _)| name).to_vec()),
        _ => Value::Free,
    })
}

/// All spellings of a flag, with their dashes.
#[inline(never)]
fn spellings(flag: &Flag) -> Vec<String> {
    let shorts = flag.shorts.iter().map(|letter| format!("-{letter}"));
    shorts
        .chain(flag.longs.iter().map(|name| format!("--{name}")))
        .collect()
}

/// The spellings of all flags that `wanted` picks.
#[inline(never)]
fn all_spellings(wanted: fn(&Flag) -> bool) -> Vec<String> {
    FLAGS
        .iter()
        .filter(|flag| wanted(flag))
        .flat_map(spellings)
        .collect()
}

/// The flags that name nodes, which a completion passes on to have them listed.
fn node_flags() -> Vec<String> {
    all_spellings(|flag| matches!(flag.id, FlagId::Hosts | FlagId::Hostfile))
}

/// `template` with each place filled.
#[inline(never)]
fn fill(template: &str, places: &[(&str, String)]) -> String {
    places
        .iter()
        .fold(template.to_owned(), |text, (name, content)| {
            text.replace(format!("@{name}@").as_str(), content)
        })
}

/// Text between single quotes, for a shell in which a backslash means nothing there.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::spellings as all;

    #[test]
    fn every_page_is_filled_and_knows_every_flag() {
        for (name, page) in Page::ALL {
            let text = page.text().replace("\\-", "-");
            assert!(
                text.ends_with('\n') && !text.contains("@OPTIONS@"),
                "{name}"
            );
            let unfilled = [
                "FLAGS@",
                "VALUES@",
                "WITH_VALUE@",
                "SPECS@",
                "LINES@",
                "VERSION@",
            ];
            assert!(!unfilled.iter().any(|place| text.contains(place)), "{name}");
            for spelling in all() {
                let word = match (page, spelling.strip_prefix("--")) {
                    (Page::Fish, Some(long)) => format!("-l {long} "),
                    (Page::Fish, None) => format!("-s {} ", &spelling[1..]),
                    _ => spelling.clone(),
                };
                assert!(text.contains(&word), "{name}: {spelling}");
            }
        }
    }
}
