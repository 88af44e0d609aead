//! What ssh says when a connection ended before anybody could log in: a gate that was full, or a reason of the host's own.
//!
//! The words are those of OpenSSH's kex.c, packet.c and ssh.c. sshd closes connections beyond its MaxStartups before its banner; ssh then says
//! `kex_exchange_identification: Connection closed by remote host` (until 7.9 `ssh_exchange_identification`), or `read: Connection reset by
//! peer`, and `Connection closed by ADDRESS port N`, from 10 on the latter alone. Through a jump host both its ssh and the outer one say so. But
//! the outer one says it also of a host that the jump host could not reach, after `stdio forwarding failed`.

use super::transport::holds;

/// How a connection ended that was never one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drop {
    /// Closed by the other side before its banner.
    Closed,
    /// No banner within ssh's ConnectTimeout, which runs while handshakes are queued behind each other, too.
    Late,
    /// For a reason that another try does not mend.
    Reason,
}

impl Drop {
    /// What these bytes of ssh's stderr say about it, if anything.
    pub fn find(said: &[u8]) -> Option<Self> {
        const REASONS: [&[u8]; 8] = [
            b"stdio forwarding failed",
            b"open failed: ",
            b"Permission denied",
            b"Host key verification failed",
            b"Could not resolve hostname",
            b"ssh: connect to host ",
            b"Received disconnect from ",
            b"Unable to negotiate with ",
        ];
        const LATE: &[u8] = b"Connection timed out during banner exchange";
        if REASONS.iter().any(|text| holds(said, text)) {
            Some(Self::Reason)
        } else if holds(said, LATE) {
            Some(Self::Late)
        } else {
            said.split(|&byte| byte == b'\n')
                .any(is_closed)
                .then_some(Self::Closed)
        }
    }

    /// What is known when this is said, too: a reason explains all else.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Reason, _) | (_, Self::Reason) => Self::Reason,
            (Self::Late, _) | (_, Self::Late) => Self::Late,
            (Self::Closed, Self::Closed) => Self::Closed,
        }
    }
}

fn is_closed(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let identification = [
        &b"kex_exchange_identification: "[..],
        b"ssh_exchange_identification: ",
    ];
    let ended = identification.iter().any(|start| {
        line.strip_prefix(*start).is_some_and(|rest| {
            [
                &b"Connection closed by remote host"[..],
                b"read: Connection reset by peer",
                b"Connection reset by peer",
            ]
            .contains(&rest)
        })
    });
    let by =
        line.starts_with(b"Connection closed by ") || line.starts_with(b"Connection reset by ");
    let broken = line.starts_with(b"banner exchange: ") && line.ends_with(b": Broken pipe");
    ended || by && holds(line, b" port ") || broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_gate_is_told_from_a_host_that_is_not_there() {
        let closed = Some(Drop::Closed);
        for (said, drop) in [
            // OpenSSH 9.2, to a node and through a jump host.
            (
                "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 22\r\n",
                closed,
            ),
            (
                "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 10.0.0.1 port 22\r\n",
                closed,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n",
                closed,
            ),
            (
                "ssh_exchange_identification: Connection closed by remote host\r\n",
                closed,
            ),
            // OpenSSH 10.
            ("Connection closed by 10.0.0.1 port 22\r\n", closed),
            (
                "channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\n",
                Some(Drop::Reason),
            ),
            (
                "Connection timed out during banner exchange\r\nConnection to 10.0.0.1 port 22 timed out\r\n",
                Some(Drop::Late),
            ),
            (
                "ssh: connect to host n1 port 22: Connection refused\r\n",
                Some(Drop::Reason),
            ),
            ("Welcome. Connection closed by nobody\r\n", None),
            ("Connection closed by mistake\r\n", None),
            ("", None),
        ] {
            assert_eq!(Drop::find(said.as_bytes()), drop, "{said}");
        }
    }

    #[test]
    fn a_reason_explains_all_else() {
        assert_eq!(Drop::Closed.and(Drop::Reason), Drop::Reason);
        assert_eq!(Drop::Reason.and(Drop::Closed), Drop::Reason);
        assert_eq!(Drop::Closed.and(Drop::Late), Drop::Late);
        assert_eq!(Drop::Closed.and(Drop::Closed), Drop::Closed);
    }
}
