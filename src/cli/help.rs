//! The text of `--help` and `--version`: the table of flags, folded, between a few lines on how to call clsh. No line is wider than
//! a screen.

use super::table::{FLAGS, Flag, Group};

/// Columns of the narrowest screen the help is for.
pub const HELP_COLUMNS_MAX: usize = 80;

const USAGE: &str = "\
clsh runs one command on many machines at once, each line under its node's name.

Usage:
  clsh [OPTIONS] [--] COMMAND [ARG...]
  clsh [OPTIONS] [-i]
  clsh [OPTIONS] < SCRIPT
  clsh [OPTIONS] --script FILE [ARG...]
  clsh [OPTIONS] --query

Options end at the first word that is not one; the rest is the command. Without
one, a terminal gets a session: commands for shells that stay on the nodes,
where ':help' lists what else there is. Anything else on standard input is a
script, which one shell on each node reads whole; with -i its lines are those
of a session.
";

const EXAMPLES: &str = "
Examples:
  clsh -h 'n[1-3],web' uptime
  clsh -h 'n[01-32]' -x n07 'df -h | grep /scratch'
  clsh --hostfile ./nodes -f 16 -u 60 make -C /srv/app
  ls /etc/*.conf | clsh --hostfile ./nodes -b xargs ls
  clsh -h 'n[01-32]' --retries 3 --out ./logs --failed ./bad make test
  clsh -h 'n[1-9]' -R exec ping -c1 %h
  clsh -h 'web[1-2]' -R 'docker exec -i %h sh -c' cat /etc/os-release
";

const SOURCES: &str = "
Nodes are those of -h and --hostfile together; without these, of the first
that names one: CLSH_HOSTS (separated by ':'), CLSH_HOSTFILE (a path), and
the file .hostfile in the current directory. Flags for every call stand one a
line in $XDG_CONFIG_HOME/clsh/config, else ~/.config/clsh/config.
";

const STATUSES: &str = "
Exit status:
  0       the command returned 0 on every node
  1-254   the largest status of all nodes; 124: a node ran into -u;
          128+N: ended by signal N
  255     a node was not reached, or was lost; standard output or a file of
          --out, --err or --failed could not be written
  2       the call is wrong, nothing was started
";

/// The whole text of `--help`, lines of [`HELP_COLUMNS_MAX`] columns at most, with a newline at its end.
pub fn help() -> String {
    let width = FLAGS.iter().map(|flag| usage(flag).len()).max();
    let width = width.unwrap_or_default();
    let mut text = USAGE.to_owned();
    for group in Group::ALL {
        text.push_str(&format!("\n{}:\n", group.title()));
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            text.push_str(&format!("  {:width$}  {}\n", usage(flag), flag.help));
        }
    }
    text.push_str(EXAMPLES);
    text.push_str(SOURCES);
    text.push_str(STATUSES);
    text
}

/// The text of `--version`, with a newline at its end.
pub fn version() -> String {
    format!("clsh {}\n", env!("CARGO_PKG_VERSION"))
}

/// All spellings of a flag and its value: `-h, -w, --hosts LIST`, `--out, --outdir DIR`. A flag without a letter is indented as if it had one.
fn usage(flag: &Flag) -> String {
    let mut text: String = flag.shorts.iter().map(|s| format!("-{s}, ")).collect();
    if text.is_empty() {
        text.push_str("    ");
    }
    let names: Vec<String> = flag.longs.iter().map(|name| format!("--{name}")).collect();
    text.push_str(&names.join(", "));
    if let Some(value) = flag.value {
        text.push(' ');
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, parse};
    use crate::remote::{SshOptions, Transport};
    use std::ffi::OsString;

    #[test]
    fn no_line_is_wider_than_a_screen() {
        for line in help().lines() {
            assert!(line.is_ascii(), "columns are bytes: {line}");
            assert!(line.len() <= HELP_COLUMNS_MAX, "{}: {line}", line.len());
            assert_eq!(line, line.trim_end());
        }
    }

    #[test]
    fn every_flag_has_its_line_under_its_group() {
        let help = help();
        let mut at = 0;
        for group in Group::ALL {
            let title = format!("\n{}:\n", group.title());
            at += help[at..].find(&title).expect("a group in table order");
            for flag in FLAGS.iter().filter(|flag| flag.group == group) {
                at += help[at..].find(&usage(flag)).expect("flags in table order");
                assert!(
                    help[at..]
                        .lines()
                        .next()
                        .is_some_and(|line| line.ends_with(flag.help))
                );
            }
        }
    }

    #[test]
    fn the_examples_are_calls_clsh_understands() {
        // What is piped into clsh is no word of the call.
        let lines = EXAMPLES.lines().filter_map(|line| {
            let line = line.strip_prefix("  ")?;
            line.strip_prefix("clsh ")
                .or_else(|| Some(line.split_once(" | clsh ")?.1))
        });
        assert_eq!(lines.clone().count(), 7);
        for line in lines {
            // A transport's command line is split as a shell would split this one.
            let split = Transport::parse(line, SshOptions::default(), false);
            let Ok(Transport::Template { words, .. }) = split else {
                panic!("{line}: {split:?}");
            };
            let typed = parse(words.into_iter().map(OsString::from));
            let Ok(Invocation::Run(typed)) = typed else {
                panic!("{line}: {typed:?}");
            };
            assert!(!typed.nodes.is_empty() && !typed.words.is_empty(), "{line}");
        }
    }
}
