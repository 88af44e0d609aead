//! Users with login shells of all kinds, made for the tests and gone with them, and the nodes that let them in: sshd, and dropbear.

use crate::nodes::{Guardian, below, closed_port, left_out, must, without_root};
use crate::support::{self, Cluster};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// Users with shells of all kinds and a node that lets them in. Guarded: users and homes go with the test process.
pub struct Farm {
    pub cluster: Cluster,
    pub directory: PathBuf,
    adding: Mutex<()>,
    _guardian: Guardian,
}

/// The farm. Only for root.
pub fn farm() -> &'static Farm {
    static FARM: OnceLock<Farm> = OnceLock::new();
    FARM.get_or_init(|| {
        let directory =
            std::env::temp_dir().join(format!("clsh-test-users-{}", std::process::id()));
        let guardian = Guardian::new(&format!(
            "for user in $(getent passwd | cut -d: -f1 | grep '^{}-'); do
               kill -9 $(ps -o pid= -u \"$user\")
               for try in 1 2 3 4 5; do userdel -f \"$user\" && break; sleep 1; done
             done
             rm -rf '{}'",
            prefix(),
            directory.display(),
        ));
        std::fs::create_dir(&directory).expect("mkdir");
        must(&["chmod", "755", directory.to_str().expect("UTF-8")]);
        let first = add_user(&directory, "first", Path::new("/bin/sh"));
        Farm {
            cluster: Cluster::start(1, &["--user", &first]),
            directory,
            adding: Mutex::new(()),
            _guardian: guardian,
        }
    })
}

fn prefix() -> String {
    format!("clshtest{}", std::process::id())
}

fn add_user(directory: &Path, name: &str, shell: &Path) -> String {
    let user = format!("{}-{name}", prefix());
    let home = directory.join(format!("home-{name}"));
    std::fs::create_dir(&home).expect("mkdir");
    let (home, shell) = (
        home.to_str().expect("UTF-8"),
        shell.to_str().expect("UTF-8"),
    );
    let words = ["useradd", "-M", "-N", "-d", home, "-s", shell, &user];
    // Another program may hold the lock of the passwd file for a moment.
    support::wait_until(&words.join(" "), || {
        let done = Command::new(words[0])
            .args(&words[1..])
            .output()
            .expect("useradd");
        done.status.success()
    });
    must(&["chown", &user, home]);
    user
}

impl Farm {
    /// A new user with this login shell.
    pub fn user(&self, name: &str, shell: &Path) -> String {
        let _one_at_a_time = self.adding.lock();
        add_user(&self.directory, name, shell)
    }

    /// A new user with this login shell and this text in a startup file.
    pub fn user_with(&self, name: &str, shell: &Path, file: &str, text: &str) -> String {
        let user = self.user(name, shell);
        let path = self.directory.join(format!("home-{name}")).join(file);
        std::fs::write(&path, format!("{text}\n")).expect("write");
        must(&["chown", &user, path.to_str().expect("UTF-8")]);
        user
    }

    /// A node that runs dropbear and lets this user in.
    pub fn dropbear(&self, user: &str) -> Dropbear {
        Dropbear::start(self, user)
    }

    /// A script that every user may run.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        support::script(&self.directory, name, text)
    }

    /// The program a shell is known by here: busybox under the name of its shell.
    pub fn shell(&self, name: &str) -> PathBuf {
        if name != "ash" {
            return find(name);
        }
        let link = self.directory.join("ash");
        if !link.exists() {
            std::os::unix::fs::symlink(find("busybox"), &link).expect("symlink");
        }
        link
    }
}

/// Another ssh server than OpenSSH's: it takes no long command line, makes no session for a command, and its process is another user's.
/// Gone with the value.
pub struct Dropbear {
    server: Child,
    directory: tempfile::TempDir,
}

impl Dropbear {
    fn start(farm: &Farm, user: &str) -> Self {
        let directory = support::scratch();
        let place = |name: &str| directory.path().join(name);
        let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        let (client, host) = (text(place("client")), text(place("host")));
        must(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &client]);
        must(&["dropbearkey", "-t", "ed25519", "-f", &host]);
        // It knows one place for keys: the user's home.
        let home = farm.directory.join(format!(
            "home-{}",
            user.rsplit_once('-').map_or(user, |(_, name)| name)
        ));
        let keys = home.join(".ssh");
        std::fs::create_dir_all(&keys).expect("mkdir");
        std::fs::copy(place("client.pub"), keys.join("authorized_keys")).expect("copy");
        let keys = text(keys);
        must(&["chown", "-R", user, &keys]);
        must(&["chmod", "-R", "go-rwx", &keys]);
        let port = closed_port();
        let server = Command::new(find_server("dropbear"))
            .args(["-F", "-E", "-s", "-r", &host, "-P", &text(place("pid"))])
            .args(["-p", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(place("log")).expect("create"))
            .spawn()
            .expect("dropbear");
        let config = format!(
            "Host *\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {client}\n  IdentitiesOnly yes\n  \
             StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null\n  LogLevel ERROR\n"
        );
        std::fs::write(place("config"), config).expect("write");
        let dropbear = Self { server, directory };
        support::wait_until("dropbear", || {
            dropbear.directory.path().join("pid").exists()
        });
        dropbear
    }

    /// clsh on this one node.
    pub fn clsh(&self, words: &[&str]) -> Command {
        let mut call = support::clsh_with(["-h", "node1"]);
        call.args(words)
            .env("CLSH_SSH_CONFIG", self.directory.path().join("config"));
        call
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        let sessions = below(self.server.id() as i32);
        let _ = self.server.kill();
        let _ = self.server.wait();
        for process in sessions {
            support::kill(process.pid, 9);
        }
    }
}

/// Servers stand in /usr/sbin, which is not on everybody's PATH.
fn find_server(name: &str) -> PathBuf {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: install it"))
}

pub fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("PATH");
    let mut places = std::env::split_paths(&path).map(|place| place.join(name));
    let found = places.find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: install it, or leave the test out with CLSH_TEST_NO_SHELLS=1")
    })
}

/// Whether a shell that not every release of Debian has is not here; it is then said what is left out. tests/run knows these shells, too.
pub fn is_missing(shell: &str) -> bool {
    const RARE: [&str; 1] = ["yash"];
    let path = std::env::var_os("PATH").expect("PATH");
    let missing = RARE.contains(&shell)
        && !std::env::split_paths(&path).any(|place| place.join(shell).is_file());
    if missing {
        support::not_run(&format!("{shell} is not here"));
    }
    missing
}

/// Whether the tests with users are left out here; without root, only when told so.
pub fn without_users(what: &str) -> bool {
    left_out("CLSH_TEST_NO_SHELLS", what) || without_root(what)
}
