//! What clsh has to know of a configuration of ssh's: which of a few options it mentions at all, wherever.
//!
//! Some options make ssh do something else than run a command and pass its streams on. clsh sets them back by `-o`, but an ssh that does not
//! know an option refuses it, so only those are set that the configuration itself mentions: ssh would have refused to start there. Blocks
//! (`Host`, `Match`) are not judged, because ssh refuses an unknown option in a block that does not apply, too.

use crate::limits::SSH_CONFIG_LINE_MAX;

/// Options that a configuration mentions, in any block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// By their place in [`OVERRIDES`].
    overridden: [bool; OVERRIDES.len()],
    /// `ControlMaster`: an ssh may go on for the sake of others when its own command is done.
    pub control_master: bool,
    /// Values of `IgnoreUnknown`, joined by commas: options among them may be unknown to this ssh after all.
    ignored: Vec<String>,
}

/// What would keep a command from being run, or from reading its input, and the value that does not (ssh_config(5)).
const OVERRIDES: [(&str, &str); 4] = [
    ("RemoteCommand", "none"),
    ("StdinNull", "no"),
    ("ForkAfterAuthentication", "no"),
    ("SessionType", "default"),
];

impl Mentions {
    /// Reads the text of one file. Gives the patterns of the files that it includes.
    pub fn read(&mut self, text: &[u8]) -> Vec<String> {
        let mut includes = Vec::new();
        for line in text.split(|&byte| byte == b'\n') {
            // ssh itself refuses longer ones.
            let line = &line[..line.len().min(SSH_CONFIG_LINE_MAX)];
            let line = String::from_utf8_lossy(line);
            let Some((name, values)) = split(&line) else {
                continue;
            };
            match &*name.to_ascii_lowercase() {
                "include" => includes.extend(arguments(values)),
                "ignoreunknown" => self.ignored.extend(arguments(values)),
                "controlmaster" => self.control_master = true,
                name => {
                    let named = |&(known, _): &(&str, &str)| known.eq_ignore_ascii_case(name);
                    if let Some(at) = OVERRIDES.iter().position(named) {
                        self.overridden[at] = true;
                    }
                }
            }
        }
        includes
    }

    /// Values for `-o` that set back what was mentioned.
    pub fn overrides(&self) -> Vec<String> {
        let mentioned = OVERRIDES.iter().zip(self.overridden);
        let names: Vec<_> = mentioned
            .filter_map(|(option, named)| named.then_some(option))
            .collect();
        let mut options = Vec::new();
        if !names.is_empty() && !self.ignored.is_empty() {
            // The first value wins, so it has to hold the configuration's own.
            let own = names.iter().map(|(name, _)| name.to_ascii_lowercase());
            let all: Vec<String> = self.ignored.iter().cloned().chain(own).collect();
            options.push(format!("IgnoreUnknown={}", all.join(",")));
        }
        options.extend(names.iter().map(|(name, value)| format!("{name}={value}")));
        options
    }
}

/// The keyword of a line and what follows it: separated by white space, or by one `=` (OpenSSH's `strdelim`). `None` for a comment or an
/// empty line.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_matches(|letter: char| letter.is_ascii_whitespace());
    let line = line.strip_prefix('"').unwrap_or(line);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|letter: char| letter.is_ascii_whitespace() || "=\"".contains(letter));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.strip_prefix('"').unwrap_or(rest).trim_start();
    Some((name, rest.strip_prefix('=').unwrap_or(rest).trim_start()))
}

/// The arguments on a line: separated by white space; quotes of both kinds hold them together, a backslash takes a quote or another
/// backslash as it is, and `#` begins a comment (OpenSSH's `argv_split`).
fn arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut argument: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' if argument.is_none() => break,
            '\\' => {
                let taken = letters.next_if(|&next| {
                    matches!(next, '"' | '\'' | '\\') || quote.is_none() && next == ' '
                });
                argument.get_or_insert_default().push(taken.unwrap_or('\\'));
            }
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                argument.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_none() && letter.is_ascii_whitespace() => {
                arguments.extend(argument.take())
            }
            _ => argument.get_or_insert_default().push(letter),
        }
    }
    arguments.extend(argument);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(text: &str) -> Vec<String> {
        let mut mentions = Mentions::default();
        mentions.read(text.as_bytes());
        mentions.overrides()
    }

    #[test]
    fn a_keyword_is_found_however_it_is_written() {
        for line in [
            "RemoteCommand top",
            "remotecommand top",
            "  REMOTECOMMAND=top",
            "\tRemoteCommand = top\r",
            "Host x\n  RemoteCommand\ttop",
            "RemoteCommand \"top -b\"",
            "\"RemoteCommand\" top",
            "Match all\nRemoteCommand top",
        ] {
            assert_eq!(overrides(line), ["RemoteCommand=none"], "{line}");
        }
        for line in [
            "",
            "#RemoteCommand top",
            "  # RemoteCommand top",
            "RemoteCommands top",
            "Host RemoteCommand",
            "ProxyCommand RemoteCommand",
        ] {
            assert!(overrides(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn only_what_is_mentioned_is_set_back() {
        assert_eq!(
            overrides("SessionType none\nStdinNull yes\nSessionType subsystem"),
            ["StdinNull=no", "SessionType=default"]
        );
        assert_eq!(
            overrides("ForkAfterAuthentication yes"),
            ["ForkAfterAuthentication=no"]
        );
        let mut mentions = Mentions::default();
        mentions.read(b"controlmaster=auto");
        assert!(mentions.control_master && mentions.overrides().is_empty());
    }

    #[test]
    fn what_is_to_be_ignored_where_it_is_unknown_stays_so() {
        assert_eq!(
            overrides("IgnoreUnknown UseKeychain,SessionType\nSessionType none"),
            [
                "IgnoreUnknown=UseKeychain,SessionType,sessiontype",
                "SessionType=default"
            ]
        );
        assert!(overrides("IgnoreUnknown UseKeychain").is_empty());
    }

    #[test]
    fn included_files_are_named_as_ssh_reads_them() {
        let read = |text: &str| Mentions::default().read(text.as_bytes());
        assert_eq!(read("Include a conf.d/*"), ["a", "conf.d/*"]);
        assert_eq!(
            read("include=\"a b\" 'c d' e\\ f # g"),
            ["a b", "c d", "e f"]
        );
        assert_eq!(read("Include ~/x#y"), ["~/x#y"]);
        assert_eq!(read("Host a\n  Include b"), ["b"]);
    }
}
