//! What a session says: banner, rules, tables, help.

use super::line::OWN;
use crate::hosts;
use crate::limits::LISTED_MAX;
use crate::outcome::Outcome;
use crate::report::{subject, widths};
use crate::seconds;
use std::time::Duration;

/// Stands above and below each command's output.
pub const RULE: &str = "--------------------------\n";
/// What is typed behind.
pub const PROMPT: &str = "clsh> ";
/// The same where a command goes on that is not whole yet.
pub const MORE: &str = "> ";
/// Label of what `!command` prints.
pub const LOCAL: &str = "LOCAL";

/// Names, one by one as long as they are few, else folded.
pub fn list(names: &[&str]) -> String {
    if names.len() > LISTED_MAX {
        hosts::fold(names.iter().copied())
    } else {
        names.join(", ")
    }
}

/// What stands before the first prompt.
pub fn banner(names: &[&str]) -> String {
    format!(
        "Enter 'quit' to leave this interactive mode\n{}",
        working_with(names)
    )
}

/// Why a session ends by itself.
pub const DESERTED: &str = "clsh: the session is over: no node is left\n";

/// Whom commands go to.
pub fn working_with(names: &[&str]) -> String {
    format!("Working with nodes: {}\n", list(names))
}

/// Nodes whose shells are no more.
pub fn parted(names: &[&str], outcome: Outcome) -> String {
    let how = match outcome {
        Outcome::Exited(status) => format!("the shell ended with exit code {status}"),
        _ => "the command took too long (-u) and was ended with its shell".into(),
    };
    let folded = hosts::fold(names.iter().copied());
    format!(
        "clsh: {}: {how}; ':reconnect {folded}' starts a new one\n",
        subject(names)
    )
}

/// How the session stands, before how its command does.
pub fn status(connected: usize, command: &str) -> String {
    format!(
        "clsh: {connected} nodes connected; {}",
        command.trim_start_matches("clsh: ")
    )
}

/// Nodes that are back.
pub fn back(names: &[&str]) -> String {
    format!(
        "clsh: {}: connected again, with a new shell: directory, variables and functions of the old one are gone\n",
        subject(names)
    )
}

/// One line of `:nodes`.
pub struct Row<'a> {
    pub name: &'a str,
    pub state: String,
    pub used: bool,
    pub last: Option<(u8, Duration)>,
}

/// The table of `:nodes`.
pub fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let (status, took) = match row.last {
            Some((status, took)) => (status.to_string(), seconds::fixed(took, 3)),
            None => ("-".into(), "-".into()),
        };
        let used = if row.used { "yes" } else { "no" };
        [
            row.name.to_owned(),
            row.state.clone(),
            used.into(),
            status,
            took,
        ]
    });
    let head = ["NODE", "STATE", "IN USE", "STATUS", "SECONDS"].map(str::to_owned);
    let all: Vec<[String; 5]> = std::iter::once(head).chain(cells).collect();
    let widths = widths(&all);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths);
        let text: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", text.join("  ").trim_end())
    };
    all.iter().map(line).collect()
}

/// The text of `:help`.
pub fn help() -> String {
    let call = |name: &str, words: &str| format!("{name} {words}").trim_end().to_owned();
    let others = [
        ("!COMMAND", "run COMMAND here, in your own shell"),
        ("quit, exit", "leave; so does Ctrl-D on an empty line"),
        (
            "Ctrl-C",
            "interrupt the command on the nodes; twice within a second: end the session",
        ),
    ];
    let own = OWN
        .iter()
        .map(|&(name, words, text)| (call(name, words), text));
    let lines: Vec<(String, &str)> = own
        .chain(others.map(|(name, text)| (name.to_owned(), text)))
        .collect();
    let width = lines
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let mut text = "Whatever does not start with ':' or '!' runs on every node in use, in a shell that stays.\n".to_owned();
    for (name, what) in lines {
        text.push_str(&format!("  {name:width$}  {what}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_folded() {
        let names: Vec<String> = (1..=17).map(|number| format!("node{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(list(&names), "node[1-17]");
        assert!(list(&names[..16]).starts_with("node1, node2, "));
        assert_eq!(working_with(&names[..1]), "Working with nodes: node1\n");
        assert_eq!(subject(&names[..2]), "node[1-2] (2)");
    }

    #[test]
    fn the_rule_has_26_dashes() {
        assert_eq!(RULE.trim_end(), "-".repeat(26));
    }

    #[test]
    fn the_table_stands_in_columns() {
        let row = |name, last| Row {
            name,
            state: "ready".into(),
            used: true,
            last,
        };
        let rows = [
            row("n1", None),
            row("node10", Some((130, Duration::from_millis(1500)))),
        ];
        assert_eq!(
            table(&rows),
            "NODE    STATE  IN USE  STATUS  SECONDS\nn1      ready  yes     -       -\nnode10  ready  yes     130     1.500\n"
        );
    }

    #[test]
    fn the_help_fits_a_screen() {
        assert!(help().lines().all(|line| line.len() <= 100));
    }
}
