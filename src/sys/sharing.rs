//! Whether sessions of others go through a process, as they do through an ssh that is the master of a shared connection.
//!
//! Such an ssh listens on a socket of the file system (`ControlPath`), and has a connection on it for each session of another ssh's. /proc
//! shows both: the numbers of a process's sockets under /proc/PID/fd, and what each of them is in /proc/PID/net/unix, where a connection
//! carries the path of the socket that it was accepted on (unix(7), proc(5)).

use std::collections::HashSet;
use std::fs;

/// `__SO_ACCEPTCON` of the kernel's flags: the socket listens.
const LISTENS: u32 = 1 << 16;

/// Whether this process listens on a socket of the file system and somebody is connected to it there. False where /proc does not tell.
pub fn carries_others(pid: i32) -> bool {
    let sockets = sockets_of(pid);
    let Ok(table) = fs::read_to_string(format!("/proc/{pid}/net/unix")) else {
        return false;
    };
    let is_mine = |socket: &&Socket| sockets.contains(&socket.number);
    let rows: Vec<Socket> = table.lines().filter_map(row).collect();
    let (listening, connected): (Vec<&Socket>, Vec<&Socket>) = rows
        .iter()
        .filter(is_mine)
        .partition(|socket| socket.listens);
    connected
        .iter()
        .any(|one| listening.iter().any(|other| other.path == one.path))
}

/// A row of /proc/net/unix that has a path.
struct Socket<'a> {
    listens: bool,
    number: u64,
    path: &'a str,
}

/// Reads `Num RefCount Protocol Flags Type St Inode Path` (proc(5)); a path may hold spaces.
fn row(line: &str) -> Option<Socket<'_>> {
    let (mut fields, mut rest) = ([""; 7], line);
    for field in &mut fields {
        (*field, rest) = rest.trim_start().split_once(' ')?;
    }
    let [_, _, _, flags, _, _, number] = fields;
    Some(Socket {
        listens: u32::from_str_radix(flags, 16).ok()? & LISTENS != 0,
        number: number.parse().ok()?,
        path: rest,
    })
}

/// The numbers of a process's sockets.
fn sockets_of(pid: i32) -> HashSet<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let link = fs::read_link(entry.path()).ok()?;
            let number = link.to_str()?.strip_prefix("socket:[")?;
            number.strip_suffix(']')?.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_row_is_read_and_one_without_a_path_is_none() {
        let socket = row("0000000000000000: 00000002 00000000 00010000 0001 01 12345 /tmp/a b");
        let socket = socket.expect("a row");
        assert_eq!(
            (socket.listens, socket.number, socket.path),
            (true, 12345, "/tmp/a b")
        );
        assert!(row("00000000340b5977: 00000003 00000000 00000000 0001 03   627").is_none());
        assert!(row("Num       RefCount Protocol Flags    Type St Inode Path").is_none());
    }

    #[test]
    fn who_is_connected_to_makes_the_difference() {
        // The test's own process may not listen elsewhere meanwhile, as none of these tests does.
        let me = std::process::id() as i32;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a b");
        let listener = UnixListener::bind(&path).expect("bind");
        assert!(!carries_others(me));
        let near = UnixStream::connect(&path).expect("connect");
        let far = listener.accept().expect("accept");
        assert!(carries_others(me));
        drop((near, far));
        assert!(!carries_others(me));
    }
}
