//! What a flag's value may be, told from its text. Each function says in its error what to give instead; the caller adds which flag
//! it was.

use super::generate::Page;
use crate::hosts::{Node, NodeSet};
use crate::job::ColorWhen;
use crate::limits::{NODES_MAX, RETRIES_MAX};
use crate::seconds;
use std::time::Duration;

/// Most seconds a flag may name: ten years, so that adding them to a point in time cannot overflow.
pub const SECS_MAX: u64 = 10 * 365 * 24 * 3600;

/// A number of nodes, 1 or more. One past the most nodes there can be means the same as that, and is taken as it.
pub fn count(text: &str) -> Result<usize, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Digits that overflow a usize are past every limit.
    let number = text.parse().unwrap_or(NODES_MAX);
    if digits && number > 0 {
        Ok(number.min(NODES_MAX))
    } else {
        Err("give a whole number, 1 or more".to_owned())
    }
}

/// How often a connection is tried again, from 0 to [`RETRIES_MAX`].
pub fn retries(text: &str) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok();
    number
        .filter(|&number: &u32| digits && number <= RETRIES_MAX)
        .ok_or_else(|| format!("give a whole number from 0 to {RETRIES_MAX}"))
}

/// Seconds, whole or with a fraction, from 0 to [`SECS_MAX`], rounded to nanoseconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match seconds::parse(text) {
        None => Err("give seconds as a plain number, such as 10 or 0.5".to_owned()),
        Some(time) if time > Duration::from_secs(SECS_MAX) => {
            Err(format!("give {SECS_MAX} seconds (ten years) at most"))
        }
        Some(time) => Ok(time),
    }
}

/// Seconds as [`seconds`] reads them, but not 0.
pub fn seconds_over_zero(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("give more than 0 seconds".to_owned()),
        time => Ok(time),
    }
}

/// When labels carry colour.
pub fn color(text: &str) -> Result<ColorWhen, String> {
    match text {
        "auto" => Ok(ColorWhen::Auto),
        "always" => Ok(ColorWhen::Always),
        "never" => Ok(ColorWhen::Never),
        _ => Err("give auto, always or never".to_owned()),
    }
}

/// What to generate.
pub fn page(text: &str) -> Result<Page, String> {
    let known = Page::ALL.into_iter().find(|&(name, _)| name == text);
    known.map(|(_, page)| page).ok_or_else(|| {
        let names = Page::ALL.map(|(name, _)| name);
        format!("give one of {}", names.join(", "))
    })
}

/// A list of nodes as far as the words alone tell: one that starts with `-` is a flag that ended up as a value.
pub fn list(text: &str) -> Result<String, String> {
    if text.trim_start().starts_with('-') {
        return Err(
            "no node's name starts with '-' (-h names the nodes; help is --help)".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// A login name, by the same rules as one before the `@` of a node.
pub fn user(text: &str) -> Result<String, String> {
    let mut nodes = NodeSet::new();
    let why = match nodes.add(&format!("{text}@x")) {
        _ if text.is_empty() => "it is empty".to_owned(),
        Err(error) => error.cause().to_string(),
        // A list or a range makes other nodes than the one.
        Ok(()) if nodes.iter().map(Node::user).eq([Some(text)]) => return Ok(text.to_owned()),
        Ok(()) => "it is not one login name".to_owned(),
    };
    Err(format!("{why}; give a login name, such as bob"))
}

/// The command line of a shell. The nodes are its only judges, save that it is one line with something in it.
pub fn shell(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give a shell, such as bash".to_owned()),
        _ if text.contains(['\n', '\0']) => Err("give it on one line, such as bash".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Shells whose language is not that of POSIX's sh, in which a session's own lines are written.
const OTHER_LANGUAGES: [&str; 9] = [
    "fish", "csh", "tcsh", "bsd-csh", "xonsh", "nu", "elvish", "pwsh", "ion",
];

/// Why this shell can't carry a session, where its words tell.
pub fn unfit_for_session(text: &str) -> Option<String> {
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let Some(shell) = words
        .iter()
        .find(|word| OTHER_LANGUAGES.contains(&&*name(word)))
    {
        return Some(format!(
            "{} is no POSIX shell, which a session needs; give one, such as bash, and run commands of {0} by '{0} -c'",
            name(shell)
        ));
    }
    let short =
        |word: &&str| word.starts_with('-') && !word.starts_with("--") && word.contains('i');
    (words.iter().skip(1).any(short) && words.iter().any(|word| name(word).ends_with("sh"))).then(|| {
        "an interactive shell says its prompts between the lines and waits for a terminal; leave -i out, and read what it would read by '. ~/.bashrc'".to_owned()
    })
}

/// An option for ssh. ssh is its only judge, save that an empty one says nothing.
pub fn ssh_option(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give an option of ssh_config, such as Port=2222".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A host to jump through, or several of them, each perhaps with user and port. ssh hands it to a shell inside a ProxyCommand, so
/// nothing passes that a shell or a command line would take for its own.
pub fn jump(text: &str) -> Result<String, String> {
    let harmless = |c: char| c.is_alphanumeric() || "-_.,@:[]%/+".contains(c);
    let hops_hold = text
        .split(',')
        .all(|hop| !hop.is_empty() && !hop.split('@').any(|part| part.starts_with('-')));
    if text.chars().all(harmless) && hops_hold {
        Ok(text.to_owned())
    } else {
        Err("give hosts as ssh -J takes them, such as bob@gate:22,inner".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_cannot_carry_a_session_is_refused() {
        for fit in [
            "sh",
            "bash",
            "busybox sh",
            "bash --init-file x",
            "/opt/my shell/run",
            "ksh",
        ] {
            assert_eq!(shell(fit), Ok(fit.to_owned()));
            assert_eq!(unfit_for_session(fit), None);
        }
        for (unfit, why) in [(" ", "give a shell"), ("a\nb", "one line")] {
            let error = shell(unfit).expect_err(unfit);
            assert!(error.contains(why), "{unfit}: {error}");
        }
        for (unfit, why) in [
            ("fish", "no POSIX shell"),
            ("/usr/bin/tcsh", "no POSIX shell"),
            ("env fish", "no POSIX shell"),
            ("bash -i", "leave -i out"),
            ("/bin/sh -ei", "leave -i out"),
        ] {
            let error = unfit_for_session(unfit).expect(unfit);
            assert!(error.contains(why), "{unfit}: {error}");
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count("1"), Ok(1));
        assert_eq!(count("064"), Ok(64));
        assert_eq!(count("1000001"), Ok(NODES_MAX));
        assert_eq!(count("99999999999999999999999"), Ok(NODES_MAX));
        for bad in ["", "0", "000", "-1", "+1", "1.5", "0x10", "1k", " 1", "٣"] {
            assert!(count(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn retries_are_counted_from_zero() {
        assert_eq!(retries("0"), Ok(0));
        assert_eq!(retries("007"), Ok(7));
        assert_eq!(retries("1000"), Ok(RETRIES_MAX));
        let huge = "9".repeat(40);
        for bad in ["", "-1", "+1", "1.5", "1001", "x", " 1", "٣", &huge] {
            assert!(retries(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn seconds_are_plain_decimal_numbers() {
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("10.25"), Ok(Duration::from_millis(10_250)));
        assert_eq!(seconds("315360000"), Ok(Duration::from_secs(SECS_MAX)));
        let huge = "9".repeat(400);
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "inf",
            "NaN",
            "5s",
            "1,5",
            "1.2.3",
            " 1",
            "315360001",
            "315360000.1",
            &huge,
        ] {
            assert!(seconds(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn seconds_over_zero_are_over_zero_after_rounding() {
        assert!(seconds_over_zero("0").is_err());
        assert!(seconds_over_zero("0.0").is_err());
        assert!(seconds_over_zero("0.0000000000001").is_err());
        assert_eq!(seconds_over_zero("0.001"), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn jumps() {
        for good in [
            "gate",
            "bob@gate",
            "bob@gate:22,inner",
            "[fe80::1%eth0]:22",
            "ssh://bob@gate:22",
            "none",
            "höst",
        ] {
            assert_eq!(jump(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            ",",
            "a,",
            ",a",
            "-oProxyCommand=x",
            "a,-b",
            "bob@-gate",
            "a b",
            "a;b",
            "a`b`",
            "$(a)",
            "a\nb",
            "a\u{7f}",
            "a'b",
            "a|b",
            "a&b",
            "a\\b",
            "~a",
            "a*",
        ] {
            assert!(jump(bad).is_err(), "{bad:?}");
        }
    }
}
