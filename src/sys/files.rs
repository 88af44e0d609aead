//! Files clsh writes: those of the nodes in a directory of the user's, one for a report, and unlinked ones for what does not fit into
//! memory.

use super::descriptors::out_of_the_way;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{AccessFlags, UnlinkatFlags, unlinkat};
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
        nix::unistd::access(path, AccessFlags::W_OK | AccessFlags::X_OK)?;
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

/// A file that is written once, at the end, whole or not at all: what it held before stays until the new text is complete.
pub struct Report {
    /// As it stands, where something is there already.
    old: Option<File>,
    /// Where another file can take its place; `None` where it is no regular file.
    place: Option<PathBuf>,
}

impl Report {
    /// Left as it is until then, and not made yet.
    ///
    /// # Errors
    /// It can't be written, or not be made.
    pub fn new(path: &Path) -> io::Result<Self> {
        let open = |create| {
            let mut options = OpenOptions::new();
            options
                .write(true)
                .create(create)
                .truncate(false)
                .open(path)
        };
        match open(false) {
            Ok(old) if old.metadata()?.is_file() => Ok(Self {
                // It is the file behind a link that is replaced, not the link.
                place: Some(fs::canonicalize(path)?),
                old: Some(old),
            }),
            Ok(old) => Ok(Self {
                old: Some(old),
                place: None,
            }),
            // A link that leads to nothing yet.
            Err(_) if path.is_symlink() => Ok(Self {
                old: Some(open(true)?),
                place: None,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let flags = AccessFlags::W_OK | AccessFlags::X_OK;
                let name = path.file_name().ok_or(error)?;
                nix::unistd::access(parent(path), flags)?;
                Ok(Self {
                    old: None,
                    place: Some(parent(path).join(name)),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it leads where this descriptor does: to the same pipe, terminal or file. A device that keeps nothing takes anything.
    pub fn leads_to(&self, other: impl AsFd) -> bool {
        self.old.as_ref().is_some_and(|old| {
            let device = old.metadata().map(|data| data.rdev());
            let is_null = device.is_ok_and(|device| device == super::NULL_DEVICE);
            !is_null && super::same_place(old, other)
        })
    }

    /// Writes it whole, in the place of what it held.
    ///
    /// # Errors
    /// What the system says, a full disk for one. Then it is as it was before, unless it is a file in a directory that nothing can be made in.
    pub fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let replaced = self.place.as_deref().map(|place| self.replace(place, text));
        match (replaced, &mut self.old) {
            (Some(Err(error)), Some(old)) if error.kind() == io::ErrorKind::PermissionDenied => {
                overwrite(old, text)
            }
            (None, Some(old)) => overwrite(old, text),
            (replaced, _) => replaced.unwrap_or(Ok(())),
        }
    }

    /// Makes another file beside it, and puts that into its place (rename(2)) once it holds everything.
    fn replace(&self, place: &Path, text: &[u8]) -> io::Result<()> {
        let beside = parent(place).join(format!(".clsh-{}", name()?));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)?;
        let mut fill = || {
            if let Some(data) = self.old.as_ref().map(File::metadata).transpose()? {
                file.set_permissions(data.permissions())?;
                // Only root can give a file away; another's own stays with who wrote it.
                let _ = std::os::unix::fs::fchown(&file, Some(data.uid()), Some(data.gid()));
            }
            file.write_all(text)?;
            file.sync_all()?;
            fs::rename(&beside, place)
        };
        fill().inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }
}

/// Writes a text in the place of what a file holds, or to a pipe or a device.
fn overwrite(file: &mut File, text: &[u8]) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    file.write_all(text)
}

/// The directory that a file of this path stands in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
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
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

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
        assert!(Directory::new(&outside.path().join("victim")).is_err());
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
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
        let link = directory.path().join("link");
        symlink("failed", &link).expect("linked");
        let mut report = Report::new(&link).expect("opened");
        // Who reads the old one meanwhile has it whole.
        let mut reader = File::open(&path).expect("opened");
        report.write(b"new").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        let mut old = String::new();
        reader.read_to_string(&mut old).expect("read");
        assert_eq!(old, "old and long");
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 2);
    }

    #[test]
    fn a_report_is_made_only_when_it_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("failed");
        let mut report = Report::new(&path).expect("can be made");
        assert!(!path.exists());
        report.write(b"new").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert!(Report::new(&directory.path().join("none/failed")).is_err());
        assert!(Report::new(directory.path()).is_err());
        symlink("later", directory.path().join("dangling")).expect("linked");
        let mut report = Report::new(&directory.path().join("dangling")).expect("opened");
        report.write(b"new").expect("written");
        assert_eq!(
            fs::read(directory.path().join("later")).expect("there"),
            b"new"
        );
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
