//! A password in memory: in one place, kept out of core files and, where the system allows it, of swap; and wiped when it is dropped.

use crate::limits::PASSWORD_BYTES_MAX;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr;

/// Behind the password its newline, and before that a carriage return that does not count.
const ROOM: usize = PASSWORD_BYTES_MAX + 2;

/// Pages of its own, so that what holds for them holds for nothing else.
#[repr(align(4096))]
struct Page([u8; PAGE_BYTES]);

const PAGE_BYTES: usize = 4096;
const _: () = assert!(ROOM <= PAGE_BYTES);

/// A password of at least one byte, without NUL.
pub struct Secret {
    /// The password and a newline; nothing is ever copied out of here but into a descriptor.
    page: Box<Page>,
    used: usize,
}

impl Secret {
    /// Reads one line, or all up to the end, and not one byte beyond it. `None` where that is empty.
    ///
    /// # Errors
    /// What the system says; it is too long, or holds a NUL.
    pub fn read(from: BorrowedFd) -> io::Result<Option<Self>> {
        let mut secret = Self::begin();
        while !secret.read_on(from)? {
            let mut fds = [PollFd::new(from, PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::NONE);
        }
        secret.end()
    }

    /// Nothing is read yet.
    pub(super) fn begin() -> Self {
        let secret = Self {
            page: Box::new(Page([0; PAGE_BYTES])),
            used: 0,
        };
        let page = secret.page.0.as_ptr().cast_mut().cast();
        // SAFETY: neither changes anything in the memory it is told of, which is ours. Where one fails, things are as they were.
        unsafe {
            libc::mlock(page, PAGE_BYTES);
            libc::madvise(page, PAGE_BYTES, libc::MADV_DONTDUMP);
        }
        secret
    }

    /// Reads on to the end of the line. False where nothing more is there just now.
    pub(super) fn read_on(&mut self, from: BorrowedFd) -> io::Result<bool> {
        loop {
            let Some(byte) = self.page.0[..ROOM].get_mut(self.used..=self.used) else {
                return Err(unfit(TOO_LONG));
            };
            match nix::unistd::read(from, byte) {
                Ok(0) => return Ok(true),
                Ok(_) if byte == b"\n" => return Ok(true),
                Ok(_) => self.used += 1,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All is read: `None` where that is nothing.
    pub(super) fn end(mut self) -> io::Result<Option<Self>> {
        if self.used > 0 && self.page.0[self.used - 1] == b'\r' {
            self.used -= 1;
        }
        match &self.page.0[..self.used] {
            [] => Ok(None),
            password if password.contains(&0) => Err(unfit("it holds a NUL byte")),
            password if password.len() > PASSWORD_BYTES_MAX => Err(unfit(TOO_LONG)),
            _ => {
                self.page.0[self.used] = b'\n';
                self.used += 1;
                Ok(Some(self))
            }
        }
    }

    /// The password and a newline.
    pub fn line(&self) -> &[u8] {
        &self.page.0[..self.used]
    }
}

const TOO_LONG: &str = "it is longer than 1023 bytes";

/// Why something is of no use as a password, or for one.
#[inline(never)]
pub(super) fn unfit(why: &'static str) -> io::Error {
    io::Error::other(why)
}

impl Drop for Secret {
    fn drop(&mut self) {
        for byte in &mut self.page.0 {
            // SAFETY: a reference is fit to be written through. Volatile, or the compiler would leave out what nobody reads.
            unsafe { ptr::write_volatile(byte, 0) };
        }
        let page = self.page.0.as_mut_ptr().cast();
        // SAFETY: as above; the allocator gets the page back as it gave it.
        unsafe {
            libc::madvise(page, PAGE_BYTES, libc::MADV_DODUMP);
            libc::munlock(page, PAGE_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn read(text: &[u8]) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (mut near, mut far) = UnixStream::pair()?;
        far.write_all(text)?;
        drop(far);
        let Some(secret) = Secret::read(near.as_fd())? else {
            return Ok(None);
        };
        let mut rest = Vec::new();
        near.read_to_end(&mut rest)?;
        Ok(Some((secret.line().to_vec(), rest)))
    }

    #[test]
    fn it_is_the_first_line_and_the_rest_stays_where_it_was() {
        let held = |text: &[u8]| read(text).expect("readable").expect("a password");
        assert_eq!(
            held(b"pa ss\nrest\n"),
            (b"pa ss\n".to_vec(), b"rest\n".to_vec())
        );
        assert_eq!(held(b"p\r\n\n"), (b"p\n".to_vec(), b"\n".to_vec()));
        assert_eq!(held(b"p"), (b"p\n".to_vec(), vec![]));
        let longest = [b'x'; PASSWORD_BYTES_MAX];
        assert_eq!(held(&longest).0.len(), PASSWORD_BYTES_MAX + 1);
    }

    #[test]
    fn what_cannot_be_one_is_refused() {
        for text in [b"".as_slice(), b"\nx\n", b"\r\n"] {
            assert!(read(text).expect("readable").is_none(), "{text:?}");
        }
        for text in [
            b"a\0b\n".as_slice(),
            &[b'x'; PASSWORD_BYTES_MAX + 1],
            &[b'x'; ROOM + 1],
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
