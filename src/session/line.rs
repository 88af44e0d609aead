//! What a line at the prompt means. Says no word about which nodes there are.

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing in it, or a comment.
    Empty,
    /// `quit`, `exit`, `exit 3`: leave, with this status.
    Leave(Option<u8>),
    /// `!command`: run it here.
    Local(String),
    /// `:name rest`: one of clsh's own commands.
    Own(Own),
    /// Anything else is for the nodes, as it stands.
    Remote,
}

/// clsh's own commands, with what was given to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    Help,
    Nodes,
    Use(String),
    All,
    On(String, String),
    Reconnect(Option<String>),
    Gather(bool),
}

/// How clsh's own commands are called and what they do, in the order of `:help`.
pub const OWN: [(&str, &str, &str); 7] = [
    (":help", "", "this text"),
    (
        ":nodes",
        "",
        "each node, its state, its last status and how long that took",
    ),
    (":use", "LIST", "talk to these nodes only"),
    (":all", "", "talk to all nodes again"),
    (":on", "LIST COMMAND", "run COMMAND on these nodes, once"),
    (
        ":reconnect",
        "[LIST]",
        "connect again to nodes that are gone (all of them unless LIST is given)",
    ),
    (
        ":gather",
        "on|off",
        "print nodes that say the same once, when all are done",
    ),
];

impl Line {
    /// Reads a line, its newline taken off.
    ///
    /// # Errors
    /// A command of clsh's own that does not exist or was given the wrong words: what to type instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if let Some(command) = trimmed.strip_prefix('!') {
            return match command.trim() {
                "" => Err("'!' runs a command here and needs one: !ls".into()),
                command => Ok(Self::Local(command.into())),
            };
        }
        if trimmed.starts_with(':') && !trimmed.starts_with(": ") && trimmed != ":" {
            return own(trimmed).map(Self::Own);
        }
        let words: Vec<&str> = trimmed.split_whitespace().collect();
        Ok(match words[..] {
            [] => Self::Empty,
            [first, ..] if first.starts_with('#') && !trimmed.contains('\n') => Self::Empty,
            ["quit" | "exit"] => Self::Leave(None),
            ["exit", status] => match status.parse() {
                Ok(status) => Self::Leave(Some(status)),
                Err(_) => Self::Remote,
            },
            _ => Self::Remote,
        })
    }
}

fn own(text: &str) -> Result<Own, String> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let Some(&(_, wanted, _)) = OWN.iter().find(|&&(known, ..)| known == name) else {
        return Err(format!(
            "there is no '{}'; ':help' lists what there is",
            name.escape_debug()
        ));
    };
    let usage = || {
        Err(format!(
            "type it as: {}",
            format!("{name} {wanted}").trim_end()
        ))
    };
    match (name, rest) {
        (":use" | ":on" | ":gather", "") => usage(),
        (":use", list) => Ok(Own::Use(list.into())),
        (":reconnect", "") => Ok(Own::Reconnect(None)),
        (":reconnect", list) => Ok(Own::Reconnect(Some(list.into()))),
        (":gather", "on") => Ok(Own::Gather(true)),
        (":gather", "off") => Ok(Own::Gather(false)),
        (":on", rest) => match rest.split_once(char::is_whitespace) {
            Some((list, command)) => Ok(Own::On(list.into(), command.trim().into())),
            None => usage(),
        },
        (":help", "") => Ok(Own::Help),
        (":nodes", "") => Ok(Own::Nodes),
        (":all", "") => Ok(Own::All),
        _ => usage(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let line = |text: &str| Line::parse(text).expect(text);
        for text in ["", "  ", "\t", "# a comment", "  #x"] {
            assert_eq!(line(text), Line::Empty, "{text:?}");
        }
        for text in ["quit", " quit ", "exit"] {
            assert_eq!(line(text), Line::Leave(None), "{text:?}");
        }
        assert_eq!(line("exit 3"), Line::Leave(Some(3)));
        for text in [
            "quit now", "exit $x", "exit 256", "exits", ":", ": x", "#!x\ny", "  ls  ",
        ] {
            assert_eq!(line(text), Line::Remote, "{text:?}");
        }
        assert_eq!(line("! ls -l "), Line::Local("ls -l".into()));
    }

    #[test]
    fn commands_of_clsh_know_their_words() {
        let own = |text: &str| Line::parse(text);
        assert_eq!(
            own(":use n[1-3],n7"),
            Ok(Line::Own(Own::Use("n[1-3],n7".into())))
        );
        assert_eq!(own(" :all "), Ok(Line::Own(Own::All)));
        assert_eq!(
            own(":on n1  ls  -l"),
            Ok(Line::Own(Own::On("n1".into(), "ls  -l".into())))
        );
        assert_eq!(own(":reconnect"), Ok(Line::Own(Own::Reconnect(None))));
        assert_eq!(own(":gather on"), Ok(Line::Own(Own::Gather(true))));
        for wrong in [
            ":use",
            ":on n1",
            ":gather",
            ":gather maybe",
            ":all n1",
            ":help me",
            "!",
            ":nope",
            ":x\u{1b}",
        ] {
            let error = own(wrong).expect_err(wrong);
            assert!(
                !error.contains('\u{1b}') && error.contains("'") || error.contains(':'),
                "{error}"
            );
        }
    }

    #[test]
    fn every_command_in_the_table_is_known() {
        for (name, wanted, _) in OWN {
            let text = match wanted {
                "on|off" => format!("{name} on"),
                wanted => format!("{name} {wanted}"),
            };
            assert!(Line::parse(&text).is_ok(), "{text}");
        }
    }
}
