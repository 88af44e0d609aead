//! How ssh's questions reach clsh: ssh runs clsh once more, under another name, as the program that asks (`SSH_ASKPASS`, ssh(1)).
//!
//! That one sends the question over a socket in a directory that only this user can enter, and with it one end of a connection of its own,
//! over which the answer comes. The kernel vouches for who asks (`SCM_CREDENTIALS`, unix(7)).

use super::secret::Secret;
use nix::libc;
use nix::sys::stat::{Mode, umask};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::ptr;

/// The name under which clsh asks instead of running commands.
const PROGRAM: &str = "clsh-askpass";
const SOCKET: &str = "socket";
/// How directories are named: this, and six letters.
const NAME: &[u8] = b"clsh-";
const NAME_BYTES: usize = NAME.len() + 6;
/// Tells the program for which node it asks.
const NODE: &str = "CLSH_ASKPASS_NODE";
/// More of a question is not looked at.
const QUESTION_BYTES_MAX: usize = 4096;
/// Room for what comes beside a question: one descriptor and the sender's credentials take 56 bytes.
type Control = [u64; 16];

/// The socket that questions come to. Its directory is gone when this is dropped.
pub struct Askpass {
    socket: UnixDatagram,
    directory: Directory,
}

struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        for name in [PROGRAM, SOCKET] {
            let _ = fs::remove_file(self.0.join(name));
        }
        let _ = fs::remove_dir(&self.0);
    }
}

/// A question of this user's.
pub struct Question {
    /// As it was told to the process that asks.
    pub node: u32,
    /// The process that wants to know: an ssh.
    pub asker: u32,
    pub text: Vec<u8>,
    reply: UnixStream,
}

impl Askpass {
    /// In a directory of its own under `TMPDIR`, or `/tmp`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        // Paths of sockets are bounded (unix(7)).
        let place = env::var_os("TMPDIR").filter(|place| (1..64).contains(&place.len()));
        let place = place.unwrap_or_else(|| "/tmp".into());
        sweep(Path::new(&place));
        let directory = nix::unistd::mkdtemp(&Path::new(&place).join("clsh-XXXXXX"))?;
        let directory = Directory(directory);
        symlink(env::current_exe()?, directory.0.join(PROGRAM))?;
        let before = umask(Mode::S_IRWXG | Mode::S_IRWXO);
        let socket = UnixDatagram::bind(directory.0.join(SOCKET));
        umask(before);
        let socket = socket?;
        let on: libc::c_int = 1;
        // SAFETY: setsockopt(2) reads one int that outlives the call.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PASSCRED,
                ptr::from_ref(&on).cast(),
                mem::size_of_val(&on) as libc::socklen_t,
            )
        };
        nix::errno::Errno::result(result)?;
        Ok(Self { socket, directory })
    }

    /// What makes ssh ask here, on behalf of this node. It asks no terminal then.
    pub fn environment(&self, node: u32) -> [(&'static str, OsString); 4] {
        [
            ("SSH_ASKPASS", self.directory.0.join(PROGRAM).into()),
            ("SSH_ASKPASS_REQUIRE", "force".into()),
            // Before OpenSSH 8.4 it asks nobody without one; nothing is ever shown there.
            (
                "DISPLAY",
                env::var_os("DISPLAY").unwrap_or_else(|| "none".into()),
            ),
            (NODE, node.to_string().into()),
        ]
    }

    /// The descriptor to watch.
    pub fn watchable(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next question; `None` when there is none just now. What others than this user send is dropped.
    pub fn next(&self) -> Option<Question> {
        let mut bytes = [0; QUESTION_BYTES_MAX];
        loop {
            let (count, sender, descriptor) = receive(&self.socket, &mut bytes)?;
            let mine = sender == Some(nix::unistd::geteuid().as_raw());
            if let (true, Some((numbers, text)), Some(reply)) =
                (mine, bytes[..count].split_first_chunk::<8>(), descriptor)
            {
                let numbers = u64::from_ne_bytes(*numbers);
                return Some(Question {
                    node: numbers as u32,
                    asker: (numbers >> 32) as u32,
                    text: text.to_vec(),
                    reply: reply.into(),
                });
            }
        }
    }
}

impl Question {
    /// Answers with the password. Dropping the question refuses it.
    pub fn answer(self, secret: &Secret) {
        // An empty buffer takes all of it; and who is gone needs no answer.
        let _ = self.reply.set_nonblocking(true);
        let _ = (&self.reply).write_all(secret.line());
    }
}

/// Removes what a clsh left behind that was killed: directories of this user's whose socket nobody listens at.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    let me = nix::unistd::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_mine = || {
            let about = entry.metadata();
            about.is_ok_and(|about| about.is_dir() && about.uid() == me)
        };
        let is_left = |path: &Path| {
            let socket = UnixDatagram::unbound();
            let result = socket.and_then(|socket| socket.connect(path.join(SOCKET)));
            result.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        let path = entry.path();
        if name.len() == NAME_BYTES
            && name.as_bytes().starts_with(NAME)
            && is_mine()
            && is_left(&path)
        {
            drop(Directory(path));
        }
    }
}

/// One datagram: its length, the sender's user, the descriptor that came with it. `None` when there is none.
fn receive(
    socket: &UnixDatagram,
    bytes: &mut [u8],
) -> Option<(usize, Option<libc::uid_t>, Option<OwnedFd>)> {
    let mut control: Control = [0; _];
    let mut parts = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let (mut sender, mut descriptor) = (None, None);
    // SAFETY: the header points to buffers that outlive the call, with their lengths. The CMSG macros walk what recvmsg(2) left in the
    // second one; what an SCM_RIGHTS message holds are descriptors that are ours from now on, each owned exactly once.
    unsafe {
        let mut header: libc::msghdr = mem::zeroed();
        header.msg_iov = &mut parts;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = mem::size_of::<Control>() as _;
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        let count = libc::recvmsg(socket.as_raw_fd(), &mut header, flags);
        // Where that failed, nothing is in the buffers.
        let count = usize::try_from(count).ok()?;
        let mut message = libc::CMSG_FIRSTHDR(&header);
        while let Some(part) = message.as_ref() {
            let mut data = libc::CMSG_DATA(message);
            let end = message.cast::<u8>().add(part.cmsg_len as _);
            match part.cmsg_type {
                libc::SCM_CREDENTIALS => {
                    sender = Some(ptr::read_unaligned(data.cast::<libc::ucred>()).uid);
                }
                libc::SCM_RIGHTS => {
                    while data < end {
                        let fd = ptr::read_unaligned(data.cast::<RawFd>());
                        descriptor = Some(OwnedFd::from_raw_fd(fd));
                        data = data.add(mem::size_of::<RawFd>());
                    }
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(&header, message);
        }
        Some((count, sender, descriptor))
    }
}

/// Sends a datagram together with a descriptor.
fn send(socket: &UnixDatagram, bytes: &[u8], descriptor: &UnixStream) -> io::Result<()> {
    let mut control: Control = [0; _];
    let mut parts = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: the header points to buffers that outlive the call, with their lengths; sendmsg(2) writes to neither. The CMSG macros give
    // places within the second one, which has room for one descriptor.
    let result = unsafe {
        let mut header: libc::msghdr = mem::zeroed();
        header.msg_iov = &mut parts;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        let size = mem::size_of::<RawFd>() as libc::c_uint;
        header.msg_controllen = libc::CMSG_SPACE(size) as _;
        let message = libc::CMSG_FIRSTHDR(&header);
        (*message).cmsg_level = libc::SOL_SOCKET;
        (*message).cmsg_type = libc::SCM_RIGHTS;
        (*message).cmsg_len = libc::CMSG_LEN(size) as _;
        ptr::write_unaligned(libc::CMSG_DATA(message).cast(), descriptor.as_raw_fd());
        libc::sendmsg(socket.as_raw_fd(), &header, 0)
    };
    nix::errno::Errno::result(result)?;
    Ok(())
}

/// Whether this process was started by ssh to ask for something: then it has asked, and whether there was an answer is told.
pub fn asked_for_ssh() -> Option<bool> {
    let mut words = env::args_os();
    let program = PathBuf::from(words.next()?);
    if program.file_name() != Some(OsStr::new(PROGRAM)) {
        return None;
    }
    let question = words.next().unwrap_or_default();
    Some(pass_on(&program.with_file_name(SOCKET), question.as_bytes()).is_ok())
}

/// Asks clsh, and prints its answer for ssh to read.
fn pass_on(path: &Path, question: &[u8]) -> io::Result<()> {
    let node = env::var(NODE)
        .ok()
        .and_then(|node| node.parse::<u32>().ok());
    let node = node.ok_or(io::ErrorKind::NotFound)?;
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    let (near, far) = UnixStream::pair()?;
    let asker = std::os::unix::process::parent_id();
    let numbers = u64::from(asker) << 32 | u64::from(node);
    let mut datagram = numbers.to_ne_bytes().to_vec();
    datagram.extend(question.iter().take(QUESTION_BYTES_MAX - datagram.len()));
    send(&socket, &datagram, &far)?;
    // Or the end of the answer would never come where there is none.
    drop(far);
    let secret = Secret::read(near.as_fd())?.ok_or(io::ErrorKind::PermissionDenied)?;
    // Not through std's buffer, which would keep a copy.
    nix::unistd::write(io::stdout(), secret.line())?;
    Ok(())
}
