//! People with passwords, and an sshd that asks for them: real accounts of this system, which only root can make. All of it is gone at the
//! end, however that comes; what a run left that was killed in a bad moment, the next one removes.

use crate::nodes::{self, Guardian, must, quoted};
use crate::support;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What all names of accounts begin with; tests/run knows it, too.
const PREFIX: &str = "clsh-test-";

/// /etc/passwd can be changed by one program at a time, and those that come second give up.
const LOCK: &str = "flock /run/clsh-tests.lock";

/// Where the rules of accounts stand until the test process ends, in files of the accounts' names. Every sudo reads all of these files, and
/// complains when one goes between its look at the directory and at the file.
const SUDOERS: &str = "/etc/sudoers.d";

/// What the tests share: an account and two servers. `None` where the tests that need root are left out.
pub fn world() -> Option<&'static World> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    let world =
        WORLD.get_or_init(|| (!nodes::without_root("accounts with passwords")).then(World::new));
    world.as_ref()
}

/// Two servers and the account they are for. Its end is that of the process.
pub struct World {
    place: PathBuf,
    /// Of the method "password" alone.
    pub plain: Server,
    /// Of the method "keyboard-interactive" first, and "password" then.
    pub keyboard: Server,
    pub person: Account,
    _guardian: Guardian,
}

impl World {
    fn new() -> Self {
        sweep();
        let place = support::scratch().keep();
        // Whoever logs in reads a file in there.
        fs::set_permissions(&place, Permissions::from_mode(0o711)).expect("chmod");
        let guardian = Guardian::new(&format!(
            "cd {0} && for pid in *.pid; do kill $(cat $pid); done\nrm -rf {0}\nrm -f {SUDOERS}/{PREFIX}{1}-*",
            quoted(&place),
            std::process::id()
        ));
        let key = place.join("key");
        let path = key.to_str().expect("text");
        must(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);
        let plain = Server::start(&place, "plain", "KbdInteractiveAuthentication no\n");
        let keyboard = Server::start(&place, "keyboard", "KbdInteractiveAuthentication yes\n");
        let person = Account::new();
        Self {
            place,
            plain,
            keyboard,
            person,
            _guardian: guardian,
        }
    }

    /// An ssh config whose nodes are `n*` (password), `k*` (keyboard-interactive), `far*` (by way of `gate`, where nothing else is
    /// said) and `down*`, where nobody listens; `blocks` come first.
    pub fn config(&self, account: &Account, blocks: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (plain, keyboard) = (self.plain.port, self.keyboard.port);
        let key = fs::read_to_string(self.place.join("key.pub")).expect("read");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let file = |end: &str| self.place.join(format!("{number}.{end}"));
        let known = format!("known,gate,far {key}");
        fs::write(file("known"), known).expect("write");
        let text = format!(
            "{blocks}\nHost n*\n  Port {plain}\nHost k*\n  Port {keyboard}\n\
             Host gate\n  Port {plain}\n  HostKeyAlias gate\n\
             Host far*\n  Port {plain}\n  HostKeyAlias far\n  ProxyJump gate\n\
             Host down*\n  Port {}\n\
             Host *\n  HostName 127.0.0.1\n  HostKeyAlias known\n  User {}\n  PubkeyAuthentication no\n\
             \x20 IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n\
             \x20 StrictHostKeyChecking yes\n",
            nodes::closed_port(),
            account.name,
            file("known").display()
        );
        fs::write(file("config"), text).expect("write");
        file("config")
    }

    /// Lets a key in, too.
    pub fn authorize(&self, account: &Account, key: &str) {
        let path = self.place.join(format!("{}.authorized", account.name));
        fs::write(path, key).expect("write");
    }

    /// clsh for the nodes of [`World::config`].
    pub fn clsh<'a>(&self, account: &Account, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut call = support::clsh_with(words);
        call.env("CLSH_SSH_CONFIG", self.config(account, ""));
        call
    }

    /// [`World::clsh`] for the account of all, with its password from a file.
    pub fn given<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        self.person.given(self, words)
    }
}

/// An sshd with PAM, which takes passwords.
pub struct Server {
    _child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Server {
    fn start(place: &Path, name: &str, lines: &str) -> Self {
        // The port may be somebody else's by the time it is bound.
        let tried = (0..20).find_map(|_| Self::try_start(place, name, lines));
        tried.unwrap_or_else(|| panic!("sshd {name} does not start"))
    }

    fn try_start(place: &Path, name: &str, lines: &str) -> Option<Self> {
        let file = |end: &str| place.join(format!("{name}.{end}"));
        let port = nodes::closed_port();
        let mut text = format!(
            "{lines}ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile {}\nUsePAM yes\n\
             PasswordAuthentication yes\nAuthorizedKeysFile {}\nStrictModes no\nUseDNS no\n\
             PrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\nMaxStartups 1000:30:2000\n",
            place.join("key").display(),
            file("pid").display(),
            place.join("%u.authorized").display(),
        );
        let sshd = "/usr/sbin/sshd";
        fs::write(file("conf"), &text).expect("write");
        // Where no sshd of the system runs it is missing, or goes with the last cluster that made it.
        let _ = fs::DirBuilder::new().mode(0o755).create("/run/sshd");
        // New in OpenSSH 9.8: a few wrong passwords, and all of loopback would be shut out. Whatever else it says, it may say because that
        // directory went again.
        let tried = Command::new(sshd)
            .args(["-t", "-o", "PerSourcePenalties=no", "-f"])
            .arg(file("conf"))
            .output()
            .expect("sshd");
        if !String::from_utf8_lossy(&tried.stderr).contains("Bad configuration option") {
            text += "PerSourcePenalties no\n";
            fs::write(file("conf"), &text).expect("write");
        }
        // A session of its own keeps the terminal's Ctrl-C away.
        let mut child = Command::new("setsid")
            .args([sshd, "-D", "-f"])
            .arg(file("conf"))
            .arg("-E")
            .arg(file("log"))
            .stdin(Stdio::null())
            .spawn()
            .expect("setsid");
        let mut ended = false;
        support::wait_until(&format!("sshd {name}"), || {
            ended = child.try_wait().expect("wait").is_some();
            ended || file("pid").exists()
        });
        (!ended).then(|| Self {
            _child: child,
            port,
            log: file("log"),
        })
    }

    /// The lines of its log that say `what` of this account.
    pub fn said(&self, what: &str, account: &Account) -> usize {
        let log = fs::read_to_string(&self.log).expect("read");
        let named = format!("{what} for {} ", account.name);
        log.lines().filter(|line| line.contains(&named)).count()
    }
}

/// An account of this system, its own for the test that made it. Gone with the value, with all its processes.
pub struct Account {
    pub name: String,
    pub password: String,
    place: PathBuf,
    _guardian: Guardian,
}

impl Account {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        // Like no other text on this machine.
        let password = format!("ü sesame %s$1 of {name} and of nobody else");
        let place = support::scratch().keep();
        // What runs as somebody else in there shall be able to.
        fs::set_permissions(&place, Permissions::from_mode(0o755)).expect("chmod");
        let guardian = Guardian::new(&format!("{}\nrm -rf {}", removal(&name), quoted(&place)));
        // SHA-256 with few rounds: what makes a hash slow is of no use here.
        let script = format!(
            "{LOCK} sh -c 'useradd -M -d / -s /bin/sh {name} && chpasswd -c SHA256 -s 1000'"
        );
        let mut made = Command::new("sh")
            .args(["-c", &script])
            .env("PATH", path())
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        let line = format!("{name}:{password}\n");
        let mut stdin = made.stdin.take().expect("piped");
        stdin.write_all(line.as_bytes()).expect("write");
        drop(stdin);
        assert!(made.wait().expect("wait").success(), "useradd {name}");
        let account = Self {
            name,
            password,
            place,
            _guardian: guardian,
        };
        account.write_private("password", &account.password);
        account.write_private("wrong", "not this one");
        account
    }

    /// With this in sudoers, `NAME` being the account's.
    pub fn with_sudo(rules: &str) -> Self {
        let account = Self::new();
        account.allow(rules);
        account
    }

    /// Who may do all by sudo with the password.
    pub fn sudoer() -> Self {
        Self::with_sudo("NAME ALL=(ALL:ALL) ALL")
    }

    fn allow(&self, rules: &str) {
        let text = rules.replace("NAME", &self.name).replace(
            "LOG",
            self.path("sudo.log").to_str().expect("a path without ü"),
        );
        let file = self.write_private("sudoers", &text);
        fs::set_permissions(&file, Permissions::from_mode(0o440)).expect("chmod");
        let from = file.to_str().expect("text");
        must(&["/usr/sbin/visudo", "-cqf", from]);
        // sudo passes over names with a dot, so it sees the file whole or not at all.
        let (half, whole) = (
            format!("{SUDOERS}/{}.new", self.name),
            format!("{SUDOERS}/{}", self.name),
        );
        must(&["install", "-m", "440", from, &half]);
        fs::rename(half, whole).expect("rename");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// A file with one line which nobody else can read.
    pub fn write_private(&self, name: &str, line: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, format!("{line}\n")).expect("write");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
        path
    }

    /// Gives a file or directory to it.
    pub fn owns(&self, path: &Path) {
        must(&["chown", &self.name, path.to_str().expect("text")]);
    }

    /// clsh with the password from a file.
    pub fn given<'a>(&self, world: &World, words: impl IntoIterator<Item = &'a str>) -> Command {
        self.with_file(world, "password", words)
    }

    /// clsh with this file of the account's for the password.
    pub fn with_file<'a>(
        &self,
        world: &World,
        file: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut call = world.clsh(self, ["--password-file"]);
        call.arg(self.path(file)).args(words);
        call
    }

    /// A transport that needs no ssh: nodes that are this account's, here.
    pub fn transport(&self) -> String {
        let name = &self.name;
        format!(
            "setpriv --reuid {name} --regid {name} --init-groups env -u SUDO_USER NODE=%h HOME=/ USER={name} LOGNAME={name} SHELL=/bin/sh sh -c"
        )
    }

    /// clsh with `--sudo` over that transport, and the password from a file of the account's.
    pub fn sudo<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        self.sudo_with("password", words)
    }

    pub fn sudo_with<'a>(&self, file: &str, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut call = support::clsh_with(["--sudo", "-R", &self.transport(), "--password-file"]);
        call.arg(self.path(file)).args(words);
        call
    }
}

/// Without a terminal of its own, whoever runs the tests where.
pub fn without_terminal(call: &Command) -> Command {
    support::behind(&["setsid"], call)
}

/// useradd and its like stand where not everybody's PATH leads.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")
}

/// What removes an account with all that is its, but for its rules for sudo.
fn removal(name: &str) -> String {
    format!(
        "PATH={}\npkill -KILL -u {name}\n{LOCK} userdel -f {name}\nrm -f /var/lib/sudo/lectured/{name} /run/sudo/ts/{name}",
        path()
    )
}

/// Removes the accounts of test processes that are gone and their rules for sudo, for which nobody did that.
fn sweep() {
    let is_left = |name: &str| {
        name.strip_prefix(PREFIX).is_some_and(|rest| {
            let pid = rest.split('-').next().and_then(|pid| pid.parse().ok());
            !pid.is_some_and(support::is_alive)
        })
    };
    let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let names = accounts.lines().filter_map(|line| line.split(':').next());
    for name in names.filter(|name| is_left(name)) {
        let _ = Command::new("sh").args(["-c", &removal(name)]).status();
    }
    for file in fs::read_dir(SUDOERS).expect("a directory") {
        let file = file.expect("a file");
        if is_left(&file.file_name().to_string_lossy()) {
            let _ = fs::remove_file(file.path());
        }
    }
}
