//! The one table of flags. The parser, `--help` and whatever else speaks of flags are folded from it; none of them knows a name of
//! its own. Invariant (held by the tests below): no letter and no name stands twice, and every group has a flag.

/// Which flag; what it does is decided by one exhaustive `match` in the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagId {
    Hosts,
    Hostfile,
    Exclude,
    Pick,
    Query,
    Transport,
    User,
    SshConfig,
    Jump,
    Option,
    ConnectTimeout,
    Askpass,
    PasswordFile,
    Retries,
    RetryDelay,
    Bare,
    NoStdin,
    Tty,
    Sudo,
    SudoUser,
    Interactive,
    Script,
    Shell,
    Fanout,
    Timeout,
    KillAfter,
    FailFast,
    KeepGoing,
    Status,
    Gather,
    Diff,
    InOrder,
    Json,
    Out,
    Err,
    NoLabel,
    Color,
    Quiet,
    Verbose,
    Progress,
    Summary,
    Failed,
    NoConfig,
    Generate,
    Help,
    Version,
}

/// A heading of the help, under which flags stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Which nodes.
    Nodes,
    /// How they are reached.
    Reaching,
    /// How the command runs there.
    Running,
    /// How the nodes' output is printed.
    Output,
    /// What clsh says of the run.
    Reports,
    /// Flags that print something about clsh and run nothing.
    About,
}

impl Group {
    /// Every group, in the order of the help.
    pub const ALL: [Self; 6] = [
        Self::Nodes,
        Self::Reaching,
        Self::Running,
        Self::Output,
        Self::Reports,
        Self::About,
    ];

    /// The heading, without a colon.
    pub fn title(self) -> &'static str {
        match self {
            Self::Nodes => "Nodes",
            Self::Reaching => "Reaching nodes",
            Self::Running => "Running",
            Self::Output => "Output",
            Self::Reports => "Reports",
            Self::About => "About clsh",
        }
    }
}

/// One flag: all its spellings and what the user is told about it.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// What the parser knows it by.
    pub id: FlagId,
    /// The heading it stands under.
    pub group: Group,
    /// Its letters, each without the dash; all mean the same.
    pub shorts: &'static [char],
    /// Its names, without the dashes, at least one; all mean the same, and the first is the one that is spoken of.
    pub longs: &'static [&'static str],
    /// What its value is called in the help; `None` for a switch, which takes no value.
    pub value: Option<&'static str>,
    /// What it does, in one line of the help.
    pub help: &'static str,
    /// What the manual page says beyond that, in whole sentences; may be empty.
    pub more: &'static str,
}

/// Every flag, in the order of the help.
#[rustfmt::skip]
pub const FLAGS: [Flag; 46] = [
    Flag { id: FlagId::Hosts, group: Group::Nodes, shorts: &['h', 'w'], longs: &["hosts"], value: Some("LIST"),
        help: "these nodes, such as 'n[1-3,5],bob@web:2222'",
        more: "Separated by commas or white space; may be repeated." },
    Flag { id: FlagId::Hostfile, group: Group::Nodes, shorts: &[], longs: &["hostfile"], value: Some("FILE"),
        help: "the nodes in FILE; '-' reads standard input",
        more: "May be repeated; what -h names comes in the order of the flags." },
    Flag { id: FlagId::Exclude, group: Group::Nodes, shorts: &['x'], longs: &["exclude"], value: Some("LIST"),
        help: "leave these nodes out",
        more: "May be repeated." },
    Flag { id: FlagId::Pick, group: Group::Nodes, shorts: &[], longs: &["pick"], value: Some("N"),
        help: "only N of them, chosen at random", more: "" },
    Flag { id: FlagId::Query, group: Group::Nodes, shorts: &['Q'], longs: &["query"], value: None,
        help: "print the nodes, one a line, and do nothing else", more: "" },
    Flag { id: FlagId::Transport, group: Group::Reaching, shorts: &['R'], longs: &["transport"], value: Some("TRANSPORT"),
        help: "ssh (default), exec (run here), or a command line",
        more: "With exec the words of COMMAND run here, without a shell, %h, %n, %u and %% replaced by host, rank, user and %. A command line of your own has the same placeholders and must end in a shell; the host is appended when no %h stands in it." },
    Flag { id: FlagId::User, group: Group::Reaching, shorts: &['l'], longs: &["user"], value: Some("USER"),
        help: "log in as USER where a node names no user", more: "" },
    Flag { id: FlagId::SshConfig, group: Group::Reaching, shorts: &['F'], longs: &["ssh-config"], value: Some("FILE"),
        help: "ssh's configuration file (or CLSH_SSH_CONFIG)",
        more: "As ssh -F." },
    Flag { id: FlagId::Jump, group: Group::Reaching, shorts: &['J'], longs: &["jump"], value: Some("HOST"),
        help: "reach the nodes through HOST, as ssh -J does", more: "" },
    Flag { id: FlagId::Option, group: Group::Reaching, shorts: &['o'], longs: &["option"], value: Some("OPT"),
        help: "an option for ssh, as ssh -o; may be repeated",
        more: "These win over what clsh sets: BatchMode, ConnectTimeout and keep-alive." },
    Flag { id: FlagId::ConnectTimeout, group: Group::Reaching, shorts: &['t'], longs: &["connect-timeout"], value: Some("SECS"),
        help: "wait so long for a connection (default 10)",
        more: "Until the node answers, a login that hangs included. It counts while nothing goes on: not while handshakes wait for each other." },
    Flag { id: FlagId::Askpass, group: Group::Reaching, shorts: &['A'], longs: &["askpass"], value: None,
        help: "ask once for the password that ssh asks for",
        more: "At the terminal, without echo. It stands in no argument, environment or file." },
    Flag { id: FlagId::PasswordFile, group: Group::Reaching, shorts: &[], longs: &["password-file"], value: Some("FILE"),
        help: "its first line is the password; '-' is stdin",
        more: "For ssh, and for --sudo. A file that others may read is refused. The rest of standard input is the commands'." },
    Flag { id: FlagId::Retries, group: Group::Reaching, shorts: &[], longs: &["retries"], value: Some("N"),
        help: "try a connection that failed N more times",
        more: "A connection that is lost later is not tried again." },
    Flag { id: FlagId::RetryDelay, group: Group::Reaching, shorts: &[], longs: &["retry-delay"], value: Some("SECS"),
        help: "wait before that, then twice as long (default 1)",
        more: "Give or take a random bit, so that nodes do not come back at once." },
    Flag { id: FlagId::Bare, group: Group::Reaching, shorts: &[], longs: &["bare"], value: None,
        help: "send COMMAND as it is, to a node without sh",
        more: "An exit status of 255 then reads as a lost connection." },
    Flag { id: FlagId::NoStdin, group: Group::Running, shorts: &['n'], longs: &["nostdin"], value: None,
        help: "the commands read nothing, nor does clsh",
        more: "A loop that reads its lines from standard input needs it." },
    Flag { id: FlagId::Tty, group: Group::Running, shorts: &[], longs: &["tty"], value: None,
        help: "a terminal (ssh -tt): stderr merged, CR stripped",
        more: "For commands that need one. They read nothing from here, and the carriage return that a terminal puts before each newline is taken off." },
    Flag { id: FlagId::Sudo, group: Group::Running, shorts: &[], longs: &["sudo"], value: None,
        help: "run COMMAND as root, by sudo on the node",
        more: "The password is asked for once, here; with -A or --password-file it is the same as ssh's. Press Enter where sudo asks for none." },
    Flag { id: FlagId::SudoUser, group: Group::Running, shorts: &[], longs: &["sudo-user"], value: Some("USER"),
        help: "the same as USER instead of root", more: "" },
    Flag { id: FlagId::Interactive, group: Group::Running, shorts: &['i'], longs: &["interactive"], value: None,
        help: "a session of commands, wherever they come from",
        more: "Without COMMAND that is what a terminal on standard input gets by itself." },
    Flag { id: FlagId::Script, group: Group::Running, shorts: &[], longs: &["script"], value: Some("FILE"),
        help: "run the script FILE; what follows goes to it",
        more: "It is sent along and read by --shell, else by the login shell. Standard input is the commands'." },
    Flag { id: FlagId::Shell, group: Group::Running, shorts: &[], longs: &["shell"], value: Some("SHELL"),
        help: "shell of a script, or a session (default sh)",
        more: "A script has the login shell unless this is given, and may be of any language: --shell python3." },
    Flag { id: FlagId::Fanout, group: Group::Running, shorts: &['f'], longs: &["fanout"], value: Some("N"),
        help: "at most N nodes run at once (default 64)",
        more: "A low limit on open files lowers it; -v says so. Fewer connections are made at once, at first." },
    Flag { id: FlagId::Timeout, group: Group::Running, shorts: &['u'], longs: &["timeout"], value: Some("SECS"),
        help: "end a node's command after SECS (default never)",
        more: "Here and on the node; the status 124 stands for it." },
    Flag { id: FlagId::KillAfter, group: Group::Running, shorts: &[], longs: &["kill-after"], value: Some("SECS"),
        help: "from SIGTERM to SIGKILL when ending (default 2)", more: "" },
    Flag { id: FlagId::FailFast, group: Group::Running, shorts: &['k'], longs: &["fail-fast"], value: None,
        help: "the first node that fails ends the run",
        more: "The others are ended as by SIGTERM." },
    Flag { id: FlagId::KeepGoing, group: Group::Running, shorts: &[], longs: &["keep-going"], value: None,
        help: "a node that is lost does not end the others", more: "" },
    Flag { id: FlagId::Status, group: Group::Running, shorts: &['S'], longs: &["status"], value: None,
        help: "exit with the largest status (is the default)", more: "" },
    Flag { id: FlagId::Gather, group: Group::Output, shorts: &['b'], longs: &["gather"], value: None,
        help: "print nodes that said the same once, at the end",
        more: "A group has the same stdout, stderr and status." },
    Flag { id: FlagId::Diff, group: Group::Output, shorts: &[], longs: &["diff"], value: None,
        help: "with -b: the differences from the largest group", more: "" },
    Flag { id: FlagId::InOrder, group: Group::Output, shorts: &['L'], longs: &["in-order"], value: None,
        help: "print the nodes in their order",
        more: "The first node that is not done yet is printed live." },
    Flag { id: FlagId::Json, group: Group::Output, shorts: &[], longs: &["json"], value: None,
        help: "print one JSON object a line",
        more: "A line, the end of a node, and the end of the run are each an object." },
    Flag { id: FlagId::Out, group: Group::Output, shorts: &[], longs: &["out", "outdir"], value: Some("DIR"),
        help: "write stdout to DIR/NODE.out, print none of it",
        more: "Raw bytes, as they arrive." },
    Flag { id: FlagId::Err, group: Group::Output, shorts: &[], longs: &["err", "errdir"], value: Some("DIR"),
        help: "write stderr to DIR/NODE.err, print none of it",
        more: "Raw bytes, as they arrive." },
    Flag { id: FlagId::NoLabel, group: Group::Output, shorts: &['N'], longs: &["no-label"], value: None,
        help: "print lines without the name of their node", more: "" },
    Flag { id: FlagId::Color, group: Group::Output, shorts: &[], longs: &["color"], value: Some("WHEN"),
        help: "colour the names: auto (default), always, never", more: "" },
    Flag { id: FlagId::Quiet, group: Group::Reports, shorts: &['q'], longs: &["quiet"], value: None,
        help: "no notes and no summary", more: "" },
    Flag { id: FlagId::Verbose, group: Group::Reports, shorts: &['v'], longs: &["verbose"], value: None,
        help: "also a line for each node that ended", more: "" },
    Flag { id: FlagId::Progress, group: Group::Reports, shorts: &[], longs: &["progress"], value: None,
        help: "show how far it is, at once and even in a pipe",
        more: "On a terminal it shows by itself after a second, unless standard output is a pipe." },
    Flag { id: FlagId::Summary, group: Group::Reports, shorts: &[], longs: &["summary"], value: None,
        help: "a table of all nodes at the end", more: "" },
    Flag { id: FlagId::Failed, group: Group::Reports, shorts: &[], longs: &["failed"], value: Some("FILE"),
        help: "write the nodes that failed to FILE",
        more: "One a line, ready for --hostfile." },
    Flag { id: FlagId::NoConfig, group: Group::About, shorts: &[], longs: &["no-config"], value: None,
        help: "leave the file of flags for every call unread", more: "" },
    Flag { id: FlagId::Generate, group: Group::About, shorts: &[], longs: &["generate"], value: Some("WHAT"),
        help: "print the manual page (man), or complete-SHELL",
        more: "complete-bash, complete-zsh and complete-fish are completions for these shells." },
    Flag { id: FlagId::Help, group: Group::About, shorts: &[], longs: &["help"], value: None,
        help: "print this help", more: "" },
    Flag { id: FlagId::Version, group: Group::About, shorts: &['V'], longs: &["version"], value: None,
        help: "print the version", more: "" },
];

/// The flag with this letter.
pub fn by_short(letter: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.shorts.contains(&letter))
}

/// The flag with exactly this name; abbreviations are not known.
pub fn by_long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.longs.contains(&name))
}

/// The flag `id` stands for.
pub fn by_id(id: FlagId) -> &'static Flag {
    // The table stands in the order of the enum, which a test holds.
    &FLAGS[id as usize]
}

/// All spellings of all flags, with their dashes, in table order: `-h`, `-w`, `--hosts`, ...
pub fn spellings() -> Vec<String> {
    FLAGS
        .iter()
        .flat_map(|flag| {
            let shorts = flag.shorts.iter().map(|letter| format!("-{letter}"));
            shorts.chain(flag.longs.iter().map(|name| format!("--{name}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{
        CONNECT_DEFAULT, FANOUT_DEFAULT, KILL_AFTER_DEFAULT, RETRY_DELAY_DEFAULT, SHELL_DEFAULT,
    };
    use crate::seconds;
    use std::collections::BTreeSet;

    #[test]
    fn no_spelling_stands_twice() {
        let spellings = spellings();
        let unique: BTreeSet<_> = spellings.iter().collect();
        assert_eq!(unique.len(), spellings.len(), "{spellings:?}");
    }

    #[test]
    fn each_spelling_finds_its_own_flag() {
        for flag in &FLAGS {
            assert_eq!(by_id(flag.id).id, flag.id, "table order = enum order");
            for name in flag.longs {
                assert_eq!(by_long(name).map(|f| f.id), Some(flag.id));
            }
            for &letter in flag.shorts {
                assert_eq!(by_short(letter).map(|f| f.id), Some(flag.id));
            }
        }
    }

    #[test]
    fn groups_are_not_empty_and_stand_together() {
        let mut order: Vec<Group> = FLAGS.iter().map(|flag| flag.group).collect();
        order.dedup();
        assert_eq!(order, Group::ALL);
    }

    #[test]
    fn names_are_plain() {
        for flag in &FLAGS {
            assert!(!flag.longs.is_empty(), "{flag:?}");
            for name in flag.longs {
                assert!(name.len() > 1, "{flag:?}");
                assert!(!name.starts_with('-') && !name.ends_with('-'));
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            }
            assert!(flag.shorts.iter().all(char::is_ascii_alphabetic));
            if let Some(value) = flag.value {
                assert!(!value.is_empty() && value.bytes().all(|b| b.is_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn the_help_is_one_sentence_without_a_full_stop() {
        for flag in &FLAGS {
            assert!(!flag.help.is_empty() && flag.help.is_ascii(), "{flag:?}");
            assert!(!flag.help.ends_with('.') && !flag.help.contains('\n'));
        }
    }

    #[test]
    fn the_help_names_the_defaults_in_force() {
        let held = [
            (FlagId::Fanout, FANOUT_DEFAULT.to_string()),
            (FlagId::ConnectTimeout, seconds::short(CONNECT_DEFAULT, 3)),
            (FlagId::RetryDelay, seconds::short(RETRY_DELAY_DEFAULT, 3)),
            (FlagId::Shell, SHELL_DEFAULT.to_owned()),
            (FlagId::KillAfter, seconds::short(KILL_AFTER_DEFAULT, 3)),
        ];
        for (id, default) in held {
            let told = format!("(default {default})");
            assert!(by_id(id).help.ends_with(&told), "{:?}", by_id(id));
        }
    }
}
