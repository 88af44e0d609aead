//! One node as the user named it: host, user and port within one word.
//!
//! Responsible for what a single name may be. Not for ranges: a name that arrives here is expanded already.
//! Invariant: host and user are not empty, start with neither `-` nor `~`, and hold no `/`, white space, control
//! character or character that is special to a shell.

use super::error::Cause;
use crate::harmless::{has_piled_marks, is_unseen};
use crate::limits::NAME_BYTES_MAX;
use core::net::Ipv6Addr;

// Positions within a name are kept in one byte each, so that a million nodes stay cheap.
const _: () = assert!(NAME_BYTES_MAX <= u8::MAX as usize);

/// One node: `host`, `user@host`, `host:port`, `[v6]:port`, `v6`, as typed. 24 bytes and the name.
///
/// Two nodes are equal when they are spelled the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    name: Box<str>,
    host_start: u8,
    host_end: u8,
    /// Bytes of the user, 0 for none.
    user_bytes: u8,
    /// 0 for none.
    port: u16,
}

impl Node {
    /// The node of one name. Fails with the first thing that is wrong with it.
    pub(super) fn parse(name: &str) -> Result<Node, Cause> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Cause::TooLong);
        }
        if is_host_alone(name.as_bytes()) {
            return Ok(Node {
                host_start: 0,
                host_end: byte(name.len()),
                user_bytes: 0,
                port: 0,
                name: name.into(),
            });
        }
        check_characters(name)?;
        // As ssh does: the user ends at the last '@', since a user may be user@realm and a host has none.
        let (user, rest) = match name.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, name),
        };
        if let Some(user) = user {
            check_part(user, Cause::EmptyUser)?;
        }
        let rest_start = name.len() - rest.len();
        let (skipped, host, port) = split_host(rest)?;
        check_part(host, Cause::EmptyHost)?;
        let host_start = rest_start + skipped;
        Ok(Node {
            host_start: byte(host_start),
            host_end: byte(host_start + host.len()),
            user_bytes: byte(user.map_or(0, str::len)),
            port: port.map_or(Ok(0), parse_port)?,
            name: name.into(),
        })
    }

    /// The whole word as typed (expanded): `root@n1:2222`, `[::1]:22`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host alone; a v6 literal without its brackets, with its zone.
    pub fn host(&self) -> &str {
        &self.name[usize::from(self.host_start)..usize::from(self.host_end)]
    }

    /// Whether the word is a host and nothing else.
    pub(super) fn is_plain(&self) -> bool {
        self.host().len() == self.name.len()
    }

    /// The user, when the word names one.
    pub fn user(&self) -> Option<&str> {
        (self.user_bytes > 0).then(|| &self.name[..usize::from(self.user_bytes)])
    }

    /// The port, when the word names one.
    pub fn port(&self) -> Option<u16> {
        (self.port > 0).then_some(self.port)
    }
}

/// Whether a name is one that needs no closer look, as nearly all are: nothing in it but what any host may have.
fn is_host_alone(name: &[u8]) -> bool {
    name.first().is_some_and(|&first| first != b'-')
        && name
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Whether the whole text is an IPv6 address, with or without a zone (`fe80::1%eth0`).
pub(super) fn is_v6(text: &str) -> bool {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let zone_ok = zone.is_none_or(|zone| {
        !zone.is_empty()
            && zone
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    });
    zone_ok && address.contains(':') && address.parse::<Ipv6Addr>().is_ok()
}

/// Splits `host`, `host:port`, `v6`, `[v6]`, `[v6]:port` into bytes before the host, host, and port.
fn split_host(rest: &str) -> Result<(usize, &str, Option<&str>), Cause> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (host, tail) = inner.split_once(']').ok_or(Cause::NeverClosed)?;
        let port = tail.strip_prefix(':');
        if !is_v6(host) || (port.is_none() && !tail.is_empty()) {
            return Err(Cause::NotV6Brackets);
        }
        return Ok((1, host, port));
    }
    if rest.contains('[') {
        return Err(Cause::NotV6Brackets);
    }
    match rest.split_once(':') {
        None => Ok((0, rest, None)),
        Some(_) if is_v6(rest) => Ok((0, rest, None)),
        Some((_, port)) if port.contains(':') => Err(Cause::NotV6),
        Some((host, port)) => Ok((0, host, Some(port))),
    }
}

fn parse_port(text: &str) -> Result<u16, Cause> {
    // u16's own parser would take a '+'.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(Cause::BadPort(text.into())),
    }
}

/// What holds for a host and a user alike.
fn check_part(part: &str, empty: Cause) -> Result<(), Cause> {
    match part.as_bytes().first() {
        None => Err(empty),
        Some(b'-') => Err(Cause::LeadingDash),
        Some(b'~') => Err(Cause::LeadingTilde),
        // Brackets were understood before as far as they mean anything.
        Some(_) if part.contains(['[', ']']) => Err(Cause::NotV6Brackets),
        Some(_) => Ok(()),
    }
}

/// Refuses what could leave the argument it stands in: ssh puts a name into the shell line of a ProxyCommand.
fn check_characters(name: &str) -> Result<(), Cause> {
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | ':' | '@' => {}
            '/' => return Err(Cause::Slash),
            '`' | '$' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '{' | '}' | '\'' | '"' | '\\'
            | '*' | '?' | '!' | '#' => return Err(Cause::ShellSpecial(c)),
            c if is_unseen(c) => return Err(Cause::Control),
            c if c.is_whitespace() => return Err(Cause::WhiteSpace),
            _ => {}
        }
    }
    match has_piled_marks(name) {
        true => Err(Cause::Control),
        false => Ok(()),
    }
}

/// A position within a name; these fit since names are at most `NAME_BYTES_MAX` long.
fn byte(position: usize) -> u8 {
    debug_assert!(position <= NAME_BYTES_MAX);
    position as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (String, Option<String>, Option<u16>) {
        let node = Node::parse(name).unwrap();
        assert_eq!(node.name(), name);
        (
            node.host().to_owned(),
            node.user().map(str::to_owned),
            node.port(),
        )
    }

    #[test]
    fn every_shape_of_a_name() {
        let none = None::<String>;
        assert_eq!(parts("n1"), ("n1".into(), none.clone(), None));
        assert_eq!(parts("n1:2222"), ("n1".into(), none.clone(), Some(2222)));
        assert_eq!(
            parts("root@n1:65535"),
            ("n1".into(), Some("root".into()), Some(65535))
        );
        assert_eq!(
            parts("u@realm@n1"),
            ("n1".into(), Some("u@realm".into()), None)
        );
        assert_eq!(parts("::1"), ("::1".into(), none.clone(), None));
        assert_eq!(
            parts("1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7:8".into(), none.clone(), None)
        );
        assert_eq!(
            parts("fe80::1%eth0"),
            ("fe80::1%eth0".into(), none.clone(), None)
        );
        assert_eq!(
            parts("[fe80::1%eth0]:22"),
            ("fe80::1%eth0".into(), none.clone(), Some(22))
        );
        assert_eq!(parts("[::1]"), ("::1".into(), none.clone(), None));
        assert_eq!(
            parts("root@[::1]:22"),
            ("::1".into(), Some("root".into()), Some(22))
        );
        assert_eq!(
            parts("root@::ffff:1.2.3.4"),
            ("::ffff:1.2.3.4".into(), Some("root".into()), None)
        );
        assert_eq!(
            parts("knoten-ä.example"),
            ("knoten-ä.example".into(), none, None)
        );
    }

    #[test]
    fn a_name_that_would_be_an_option_is_refused() {
        for name in [
            "-oProxyCommand=x",
            "-n1",
            "root@-n1",
            "-root@n1",
            "-",
            "u@-h:22",
        ] {
            assert_eq!(Node::parse(name), Err(Cause::LeadingDash), "{name}");
        }
        for name in ["~", "~root", "u@~", "~u@h"] {
            assert_eq!(Node::parse(name), Err(Cause::LeadingTilde), "{name}");
        }
    }

    #[test]
    fn a_name_that_a_shell_would_act_on_is_refused() {
        for c in "`$;&|<>(){}'\"\\*?!#".chars() {
            for name in [
                format!("n{c}1"),
                format!("{c}"),
                format!("u{c}@n1"),
                format!("fe80::1%e{c}"),
            ] {
                assert_eq!(Node::parse(&name), Err(Cause::ShellSpecial(c)), "{name}");
            }
        }
    }

    #[test]
    fn characters_that_cannot_be_in_a_name() {
        for c in [
            '\0',
            '\t',
            '\n',
            '\x0b',
            '\x1b',
            '\x7f',
            '\u{80}',
            '\u{9b}',
            '\u{200b}',
            '\u{202e}',
            '\u{feff}',
            '\u{2028}',
            '\u{2029}',
            '\u{e0041}',
        ] {
            assert_eq!(Node::parse(&format!("n{c}1")), Err(Cause::Control), "{c:?}");
        }
        for c in [' ', '\u{a0}', '\u{2003}', '\u{3000}'] {
            assert_eq!(
                Node::parse(&format!("n{c}1")),
                Err(Cause::WhiteSpace),
                "{c:?}"
            );
        }
        assert_eq!(Node::parse("a/b"), Err(Cause::Slash));
        let piled = |marks: usize| format!("n{}1", "\u{301}".repeat(marks));
        assert!(Node::parse(&piled(8)).is_ok());
        assert_eq!(Node::parse(&piled(9)), Err(Cause::Control));
    }

    #[test]
    fn missing_parts() {
        for name in ["", "user@", ":22", "u@:22"] {
            assert_eq!(Node::parse(name), Err(Cause::EmptyHost), "{name}");
        }
        assert_eq!(Node::parse("@h"), Err(Cause::EmptyUser));
        for name in ["n::m", "a:b:c", "u@a:1:2"] {
            assert_eq!(Node::parse(name), Err(Cause::NotV6), "{name}");
        }
        for name in [
            "[a:b]",
            "[::1]x",
            "x[::1]",
            "[::1%]",
            "[u@::1]",
            "u[::]@h",
            "[::1]]:22",
        ] {
            assert_eq!(Node::parse(name), Err(Cause::NotV6Brackets), "{name}");
        }
    }

    #[test]
    fn ports_from_1_to_65535() {
        for port in [
            "",
            "0",
            "00",
            "65536",
            "99999999999999999999",
            "+22",
            "-1",
            "ssh",
            "２２",
        ] {
            assert_eq!(
                Node::parse(&format!("h:{port}")),
                Err(Cause::BadPort(port.into())),
                "{port}"
            );
            assert!(Node::parse(&format!("[::1]:{port}")).is_err(), "{port}");
        }
        assert_eq!(parts("h:022").2, Some(22));
    }

    #[test]
    fn the_longest_name_fits() {
        let longest = "n".repeat(NAME_BYTES_MAX);
        assert_eq!(parts(&longest).0, longest);
        assert_eq!(
            Node::parse(&"n".repeat(NAME_BYTES_MAX + 1)),
            Err(Cause::TooLong)
        );
    }

    #[test]
    fn a_node_is_small() {
        assert_eq!(size_of::<Node>(), 24);
    }
}
