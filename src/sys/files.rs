//! Files clsh writes: those of the nodes in a directory of the user's, one for a report, and unlinked ones for what does not fit into
//! memory.

use super::descriptors::out_of_the_way;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A directory in which files are made, locked against other runs as long as this lives.
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Made, with those it stands in, where it is missing.
    ///
    /// # Errors
    /// It can't be made or opened, or files can't be made in it.
    pub fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let open = |flags: OFlag| {
            OpenOptions::new()
                .read(true)
                .custom_flags((flags | OFlag::O_DIRECTORY).bits())
                .open(path)
        };
        // Who may make files in it, but not list it, can't lock it.
        let fd = open(OFlag::empty()).or_else(|_| open(OFlag::O_PATH))?;
        let (write, search) = (
            nix::unistd::AccessFlags::W_OK,
            nix::unistd::AccessFlags::X_OK,
        );
        nix::unistd::access(path, write | search)?;
        Ok(Self {
            fd: out_of_the_way(fd.into()),
            path: path.to_owned(),
        })
    }

    /// Keeps other runs out, until this one is over, however it ends: the kernel gives the lock back (flock(2)). Where the file system knows
    /// no such lock, nobody is kept out.
    ///
    /// # Errors
    /// Another run is there.
    pub fn lock(&self) -> io::Result<()> {
        // SAFETY: flock(2) takes any descriptor, and this one is open.
        let result = unsafe { libc::flock(self.fd.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
        match Errno::result(result) {
            Err(Errno::EWOULDBLOCK) => Err(io::Error::other(
                "another run of clsh writes its files there",
            )),
            _ => Ok(()),
        }
    }

    /// Removes the file of this name that an earlier run left. What a run would not write to, such as a link, stays as it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        if name.contains('/') {
            return Ok(());
        }
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        match fstatat(&self.fd, name, flags) {
            Ok(data) if is_own(data.st_mode, data.st_nlink) => {
                Ok(unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir)?)
            }
            Ok(_) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where a file of this name stands.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file of this name, empty or, with `again`, behind what stands in it already. It is one of the directory's own: no link that may
    /// lead elsewhere, no file that has another name elsewhere, no pipe and no device.
    ///
    /// # Errors
    /// What the system says; something else than such a file has this name.
    pub fn create(&self, name: &str, again: bool) -> io::Result<File> {
        if name.contains('/') {
            return Err(io::Error::other("its name leads elsewhere"));
        }
        let append = match again {
            true => OFlag::O_APPEND,
            false => OFlag::empty(),
        };
        // A pipe that nobody reads would wait for ever.
        let flags = OFlag::O_WRONLY
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o666);
        let file = File::from(out_of_the_way(openat(
            &self.fd,
            name,
            flags | append,
            mode,
        )?));
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        if !is_own(data.mode(), data.nlink()) {
            return Err(io::Error::other(
                "it has another name elsewhere (a hard link); remove it",
            ));
        }
        // Only now is it sure whose bytes these are.
        if !again {
            file.set_len(0)?;
        }
        Ok(file)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether it is a regular file that has this one name only.
fn is_own(mode: libc::mode_t, links: libc::nlink_t) -> bool {
    SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFREG && links == 1
}

/// A file that is written once, at the end.
pub struct Report(File);

impl AsFd for Report {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Report {
    /// Whether it leads to a device that keeps nothing, and so takes anything.
    pub fn is_null(&self) -> bool {
        let device = self.0.metadata().map(|data| data.rdev());
        device.is_ok_and(|device| device == super::NULL_DEVICE)
    }

    /// Opened, and left as it is until then.
    ///
    /// # Errors
    /// It can't be written.
    pub fn new(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map(Self)
    }

    /// Writes it whole, in the place of what it held.
    ///
    /// # Errors
    /// What the system says, a full disk for one.
    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        if self.0.metadata()?.is_file() {
            self.0.set_len(0)?;
            self.0.rewind()?;
        }
        self.0.write_all(text)
    }
}

/// A file without a name, in `TMPDIR` or `/tmp`: it is gone when clsh is, however that ends.
pub struct Scratch(File);

impl Scratch {
    /// An empty one.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        let directory = std::env::temp_dir();
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        let unnamed = options
            .clone()
            .custom_flags(OFlag::O_TMPFILE.bits())
            .open(&directory);
        // Not every file system can do without a name.
        unnamed
            .or_else(|_| {
                let path = directory.join(format!("clsh-{}-{}", std::process::id(), name()?));
                let file = options.create_new(true).open(&path)?;
                fs::remove_file(&path)?;
                Ok(file)
            })
            .map(Self)
    }

    /// Writes all of it at this offset.
    ///
    /// # Errors
    /// What the system says, a full disk for one.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    /// Reads until the buffer is full.
    ///
    /// # Errors
    /// What the system says; there is less than that.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

fn name() -> io::Result<String> {
    Ok(super::random()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_directory_is_made_and_its_files_are_its_own() {
        let outside = tempfile::tempdir().expect("a directory");
        let path = outside.path().join("a/b");
        let directory = Directory::new(&path).expect("made");
        let write = |name: &str, again: bool, text: &str| {
            directory
                .create(name, again)
                .and_then(|mut file| file.write_all(text.as_bytes()))
        };
        write("n1.out", false, "long text").expect("written");
        write("n1.out", false, "one ").expect("written");
        write("n1.out", true, "two").expect("written");
        assert_eq!(fs::read(path.join("n1.out")).expect("there"), b"one two");
        symlink(outside.path().join("victim"), path.join("n2.out")).expect("linked");
        assert!(write("n2.out", false, "x").is_err());
        assert!(!outside.path().join("victim").exists());
        nix::unistd::mkfifo(&path.join("n3.out"), Mode::S_IRWXU).expect("a fifo");
        assert!(write("n3.out", false, "x").is_err());
        assert!(write("../n4.out", false, "x").is_err());
        fs::write(outside.path().join("victim"), "mine").expect("written");
        fs::hard_link(outside.path().join("victim"), path.join("n5.out")).expect("linked");
        for again in [false, true] {
            assert!(write("n5.out", again, "x").is_err());
        }
        for name in [
            "n1.out",
            "n2.out",
            "n3.out",
            "n5.out",
            "none.out",
            "../victim",
        ] {
            directory
                .remove(name)
                .expect("removed, or nothing of a run's");
        }
        let victim = fs::read(outside.path().join("victim")).expect("there");
        assert_eq!(victim, b"mine");
        let mut left: Vec<_> = fs::read_dir(&path).expect("listed").flatten().collect();
        left.sort_by_key(|entry| entry.file_name());
        let left: Vec<_> = left.iter().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["n2.out", "n3.out", "n5.out"]);
        assert!(Directory::new(&path.join("n1.out")).is_err());
    }

    #[test]
    fn a_directory_is_one_run_s_at_a_time() {
        let place = tempfile::tempdir().expect("a directory");
        let open = || Directory::new(place.path()).expect("opened");
        let (first, second) = (open(), open());
        first.lock().expect("free");
        assert!(second.lock().is_err());
        drop(first);
        second.lock().expect("free again");
    }

    #[test]
    fn a_report_replaces_what_was_there_only_when_it_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("failed");
        fs::write(&path, "old and long").expect("written");
        let mut report = Report::new(&path).expect("opened");
        assert_eq!(fs::read(&path).expect("there"), b"old and long");
        report.write(b"new").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
    }

    #[test]
    fn a_scratch_file_is_read_anywhere() {
        let scratch = Scratch::new().expect("made");
        scratch.write_at(b"abcdef", 0).expect("written");
        scratch.write_at(b"gh", 6).expect("written");
        let mut buffer = [0; 4];
        scratch.read_at(&mut buffer, 4).expect("read");
        assert_eq!(&buffer, b"efgh");
        assert!(scratch.read_at(&mut buffer, 5).is_err());
    }
}
