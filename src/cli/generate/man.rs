//! The manual page.

use super::super::table::{FLAGS, Flag, Group};
use super::{fill, spellings, version};

const TEMPLATE: &str = include_str!("man.roff");

/// What readers of roff count as long is 80, and what is escaped grows.
const LINE_CHARS_MAX: usize = 66;

pub fn page() -> String {
    let mut options = String::new();
    for group in Group::ALL {
        options.push_str(&format!(".SS {}\n", escaped(group.title())));
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            options.push_str(&option(flag));
        }
    }
    let version = version();
    let version = version.trim_end().trim_start_matches("clsh ").to_owned();
    fill(
        TEMPLATE,
        &[
            ("OPTIONS", options.trim_end().to_owned()),
            ("VERSION", escaped(&version)),
        ],
    )
}

fn option(flag: &Flag) -> String {
    let names = spellings(flag);
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("\\fB{}\\fR", escaped(name)))
        .collect();
    let value = flag
        .value
        .map_or(String::new(), |value| format!(" \\fI{value}\\fR"));
    let mut text = format!(".TP\n{}{value}\n", names.join(", "));
    let help = match flag.more {
        "" => flag.help.to_owned(),
        _ => format!("{}.", flag.help),
    };
    // A sentence begins on a line of its own, so that roff spaces it.
    for sentence in [help.as_str()]
        .into_iter()
        .chain(flag.more.split_inclusive(". "))
    {
        for line in lines(sentence) {
            text.push_str(&escaped(&line));
            text.push('\n');
        }
    }
    text
}

/// Lines of at most [`LINE_CHARS_MAX`] characters, broken at spaces.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= LINE_CHARS_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Text as roff prints it: what it would obey is escaped, and a dash stays the dash that is typed.
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    match text.starts_with('.') {
        true => format!("\\&{text}"),
        false => text,
    }
}
