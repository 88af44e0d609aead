//! Login shells that read the wrapper's line first, and the shells that stand behind the name `sh`.

use crate::farm::{farm, find, is_missing, without_users};
use crate::nodes::{
    Config, Different, Sleep, Sshd, below, block, is_root, left_out, must, nodes, wait_all_gone,
};
use crate::support::{self, Finished};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A shared connection, so that one login serves many commands. Ended with the value.
pub struct Master {
    ssh: Child,
    path: PathBuf,
}

impl Master {
    pub fn new(config: &Path, user: &str, directory: &Path) -> Self {
        let path = directory.join("master");
        let ssh = Command::new("ssh")
            .arg("-F")
            .arg(config)
            .args(["-M", "-N", "-l", user, "-S"])
            .args([path.as_os_str(), OsStr::new("node1")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh");
        let master = Self { ssh, path };
        support::wait_until("the shared connection", || master.path.exists());
        master
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        support::kill(self.ssh.id() as i32, 15);
        let _ = self.ssh.wait();
    }
}

/// Commands that something on the way could misread. Some are wrong in some shells, and then have to be wrong in the same words.
fn awkward() -> Vec<Vec<u8>> {
    let long = format!("echo '{}'", "long argument! ".repeat(20_000 / 15 + 1));
    let texts = [
        r#"echo 'single' "double" a\ b \\ \' \" '"' "'" 'a\b' "a\b" 'a\\b' "a\\b" '\'"#,
        "echo one\necho two\n\n  echo three",
        "echo 'a\nb'",
        "echo hi!there '!' \"!\" !x '!!' wow!",
        "echo `echo sub` \"`echo quoted sub`\" '`echo none`'",
        r#"echo $HOME "$USER" '$HOME' \$HOME"#,
        "echo $(echo posix) \"$(echo posix)\"",
        "echo 'a\tb'\t\tc \"d\te\"",
        "echo 'größe' 日本 \"🦀\" e\u{301}",
        r"echo end\",
        "echo end\\\n",
        "echo 'unclosed",
        "echo \"unclosed",
        "echo (",
        "echo %h %n %u %% 100% '%s' %1",
        "echo ~ * {a,b} [a] ? a=b #comment",
        "#only a comment",
        "   echo blanks   inside   ",
        r"printf '%s|' '\n' '\\' '\0101' '\x41' '\' '\c' ''",
        "echo \x01\x1b[31m\x7f'\x02'",
        "printf '\\036\\n\\036 exit 7\\036\\n'",
        "echo out; echo err >/dev/stderr; exit 3",
        "no-such-program-here",
        "exit 255",
        "echo a && echo b || echo c; false",
        "cat; echo end",
        "printf 'no newline'",
        "pwd; echo $PATH",
        &long,
    ];
    let mut commands: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    commands.push(b"echo '\xff\xfe' \xc3".to_vec());
    commands
}

/// Each line of the output, the last one with a newline.
pub fn lines(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.last().is_some_and(|&byte| byte != b'\n') {
        bytes.push(b'\n');
    }
    bytes
}

/// sshd calls a login shell by its bare name, the wrapper by its path; shells put that before their complaints.
pub fn bare_name(bytes: &[u8], shell: &Path) -> Vec<u8> {
    let text = bytes.to_vec();
    let path = shell.as_os_str().as_bytes();
    let name = shell.file_name().expect("a name").as_bytes();
    let mut found = Vec::new();
    let mut rest = &text[..];
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(path) {
            found.extend_from_slice(name);
            rest = after;
        } else {
            found.push(first);
            rest = after;
        }
    }
    lines(&found)
}

/// Compares clsh with plain ssh, command by command.
fn agrees_with_ssh(shell: &str) {
    if without_users(&format!("commands through the login shell {shell}")) || is_missing(shell) {
        return;
    }
    let farm = farm();
    let path = farm.shell(shell);
    let user = farm.user(shell, &path);
    let config = farm.cluster.ssh_config();
    let directory = support::scratch();
    let master = Master::new(&config, &user, directory.path());
    let shared = format!("ControlPath={}", master.path.display());
    let word = format!("{user}@node1");
    let mut wrong = Vec::new();
    for command in awkward() {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F")
            .arg(&config)
            .args(["-T", "-l", &user, "-o", &shared, "node1"]);
        let ssh = support::run(ssh.arg(OsStr::from_bytes(&command)).stdin(Stdio::null()));
        let mut call = farm
            .cluster
            .clsh(["-q", "-N", "-o", &shared, "-h", &word, "--"]);
        let clsh = support::run(call.arg(OsStr::from_bytes(&command)));
        let seen = |done: &Finished| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (out, err) = (lines(&done.stdout), bare_name(&done.stderr, &path));
            (out, text(&err), done.code())
        };
        if seen(&ssh) != seen(&clsh) {
            let command = String::from_utf8_lossy(&command).escape_debug().to_string();
            let start: String = command.chars().take(200).collect();
            wrong.push(format!("{start}\n  ssh:  {ssh:?}\n  clsh: {clsh:?}"));
        }
        for stream in [&clsh.stdout, &clsh.stderr] {
            let marks = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == 0x1e).count();
            let own = marks(&ssh.stdout) + marks(&ssh.stderr);
            assert!(marks(stream) <= own, "frames show: {clsh:?}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{shell} differs from plain ssh:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn bash_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("bash");
}

#[test]
fn dash_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("dash");
}

#[test]
fn zsh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("zsh");
}

#[test]
fn fish_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("fish");
}

#[test]
fn tcsh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("tcsh");
}

#[test]
fn csh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("bsd-csh");
}

#[test]
fn ksh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("ksh");
}

#[test]
fn mksh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("mksh");
}

#[test]
fn yash_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("yash");
}

#[test]
fn posh_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("posh");
}

#[test]
fn rbash_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("rbash");
}

#[test]
fn busybox_ash_as_login_shell_runs_awkward_commands_as_plain_ssh_does() {
    agrees_with_ssh("ash");
}

/// The startup file that a shell reads for a command as well, and what to write there.
const STARTUP: [(&str, &str, &str); 4] = [
    (
        "bash",
        ".bashrc",
        "rc() { echo from the rc; }; export RC=yes",
    ),
    (
        "zsh",
        ".zshenv",
        "rc() { echo from the rc; }; export RC=yes",
    ),
    (
        "fish",
        ".config/fish/config.fish",
        "function rc; echo from the rc; end; set -x RC yes",
    ),
    ("tcsh", ".cshrc", "alias rc echo from the rc; setenv RC yes"),
];

/// For each shell, what plain ssh and clsh print for a command when this stands at the end of the startup file.
fn with_startup_file(name: &str, line: &str, command: &str) -> Vec<(&'static str, String, String)> {
    let farm = farm();
    let compare = |(shell, file, text): (&'static str, &str, &str)| {
        let user = farm.user(&format!("{name}-{shell}"), &farm.shell(shell));
        let path = farm
            .directory
            .join(format!("home-{name}-{shell}"))
            .join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        std::fs::write(&path, format!("{text}\n{line}\n")).expect("write");
        must(&[
            "chown",
            "-R",
            &user,
            farm.directory
                .join(format!("home-{name}-{shell}"))
                .to_str()
                .expect("UTF-8"),
        ]);
        let config = farm.cluster.ssh_config();
        let ssh = Command::new("ssh")
            .arg("-F")
            .arg(config)
            .args(["-T", "-l", &user, "node1", command])
            .stdin(Stdio::null())
            .output()
            .expect("ssh");
        let clsh = farm
            .cluster
            .run(["-N", "-l", &user, "-h", "node1", command]);
        let ssh = String::from_utf8_lossy(&ssh.stdout).into_owned();
        (shell, ssh, clsh.out())
    };
    STARTUP.into_iter().map(compare).collect()
}

#[test]
fn functions_and_variables_of_startup_files_are_known_as_with_plain_ssh() {
    if without_users("startup files of login shells") {
        return;
    }
    for (shell, ssh, clsh) in with_startup_file("rc", "", "rc; echo $RC") {
        assert_eq!(ssh, "from the rc\nyes\n", "{shell} itself");
        assert_eq!(clsh, ssh, "{shell}");
    }
}

/// README says so. The second reading is what makes functions of startup files known to the command.
#[test]
fn startup_files_are_read_once_for_the_wrapper_and_once_for_the_command() {
    if without_users("startup files that print") {
        return;
    }
    for (shell, ssh, clsh) in with_startup_file("loud", "echo loud", "echo command") {
        assert_eq!(ssh, "loud\ncommand\n", "{shell} itself");
        assert_eq!(clsh, "loud\nloud\ncommand\n", "{shell}");
    }
}

#[test]
fn status_death_and_ending_are_the_same_through_every_login_shell() {
    if without_users("statuses through every login shell") {
        return;
    }
    let farm = farm();
    let shells = ["bash", "dash", "zsh", "fish", "tcsh", "ash"];
    let words = shells.map(|shell| {
        let user = farm.user(&format!("end-{shell}"), &farm.shell(shell));
        format!("{user}@node1")
    });
    let list = words.join(",");
    let all = |status| format!("clsh: {list} (6): exited with exit code {status}\n");
    let done = farm.cluster.run(["-h", &list, "whoami; exit 7"]);
    let mut expected = words.clone().map(|word| {
        let user = word.split('@').next().expect("a user");
        format!("{word}: {user}")
    });
    expected.sort();
    assert_eq!(
        (done.code(), done.sorted()),
        (7, expected.to_vec()),
        "{}",
        done.err()
    );
    assert_eq!(done.err(), all(7));
    let done = farm.cluster.run(["-h", &list, "exec sh -c 'kill -9 $$'"]);
    assert_eq!((done.code(), done.err()), (137, all(137)));
    for signal in [15, 9] {
        let sleep = Sleep::new(701);
        let clsh = support::start(&mut farm.cluster.clsh(["-h", &list, &sleep.command()]));
        sleep.wait_for(6);
        let started = below(clsh.pid());
        clsh.signal(signal);
        assert_eq!(clsh.finish().code(), 128 + signal);
        wait_all_gone(&started);
        sleep.wait_gone();
    }
}

#[test]
fn the_wrapper_works_whatever_shell_is_behind_the_name_sh() {
    if left_out("CLSH_TEST_NO_SHELLS", "the wrapper under every sh") {
        return;
    }
    let mut shells = vec![
        "dash", "bash", "busybox", "zsh", "ksh", "mksh", "yash", "posh",
    ];
    shells.retain(|shell| !is_missing(shell));
    let count = shells.len();
    // Not as root: a shell whose kill took a group's number for something else would end the whole system.
    let cluster = if is_root() { &farm().cluster } else { nodes() };
    let login = is_root().then(|| farm().user("sh", &find("bash")));
    let directory = support::scratch();
    must(&["chmod", "755", directory.path().to_str().expect("UTF-8")]);
    let start = |shell: &&str| {
        let place = directory.path().join(shell);
        std::fs::create_dir(&place).expect("mkdir");
        std::os::unix::fs::symlink(find(shell), place.join("sh")).expect("symlink");
        let variables = format!("PATH={}:/usr/local/bin:/usr/bin:/bin", place.display());
        let different = Different {
            variables: &variables,
            ..Different::default()
        };
        Sshd::start(cluster, &format!("sh-{shell}"), &different)
    };
    let sshds: Vec<Sshd> = shells.iter().map(start).collect();
    let blocks: String = shells
        .iter()
        .zip(&sshds)
        .map(|(shell, sshd)| block(shell, sshd.port))
        .collect();
    let user = login.map(|user| format!("Host *\n  User {user}\n"));
    let config = Config::new(cluster, &(blocks + &user.unwrap_or_default()));
    let list = shells.join(",");
    // What the name leads to is the shell that was meant.
    let command = "readlink -f $(command -v sh); echo \"wor'ds\\n!\" >&2; exit 7";
    let done = support::run(&mut config.clsh(&["-h", &list, command]));
    let leads_to = |shell: &&str| {
        let path = std::fs::canonicalize(find(shell)).expect("canonical");
        format!("{shell}: {}", path.display())
    };
    let mut expected: Vec<String> = shells.iter().map(leads_to).collect();
    expected.sort();
    assert_eq!(
        (done.code(), done.sorted()),
        (7, expected),
        "{}",
        done.err()
    );
    let err = done.err();
    for shell in &shells {
        let line = format!("{shell}: wor'ds\\n!");
        assert_eq!(
            err.lines().filter(|&found| found == line).count(),
            1,
            "{err}"
        );
    }
    let end = format!("clsh: {list} ({count}): exited with exit code 7\n");
    assert!(
        err.ends_with(&end) && err.lines().count() == count + 1,
        "{err}"
    );
    // Whoever waits for it has nothing to say about it.
    for signal in [6, 9, 11, 15] {
        let command = format!("kill -{signal} $$");
        let done = support::run(&mut config.clsh(&["-h", &list, &command]));
        let code = 128 + signal;
        let ended = format!("clsh: {list} ({count}): exited with exit code {code}\n");
        assert_eq!(
            (done.code(), done.out(), done.err()),
            (code, String::new(), ended)
        );
    }
    // A background child, and one that only SIGKILL ends.
    let sleep = Sleep::new(702);
    let done =
        support::run(&mut config.clsh(&["-h", &list, &format!("{} & echo done", sleep.command())]));
    assert_eq!(
        (done.code(), done.err(), done.out().lines().count()),
        (0, String::new(), count)
    );
    drop(sleep);
    let sleep = Sleep::new(703);
    let command = format!(
        "trap '' TERM HUP INT; while :; do {}; done",
        sleep.command()
    );
    let clsh = support::start(&mut config.clsh(&["-h", &list, &command]));
    sleep.wait_for(count);
    let shells: Vec<_> = sleep.running().iter().map(|sleep| sleep.parent).collect();
    let shells: Vec<_> = shells.into_iter().filter_map(support::process).collect();
    let started = below(clsh.pid());
    clsh.signal(9);
    assert_eq!(clsh.finish().code(), 137);
    wait_all_gone(&started);
    wait_all_gone(&shells);
    sleep.wait_gone();
}

#[test]
fn what_looks_like_a_frame_and_has_another_nonce_is_output() {
    let nonce = "00112233445566778899aabbccddeeff";
    let command = format!(
        "for word in 'hello 1' 'exit 9'; do printf '\\036{nonce} %s\\036\\n' \"$word\"; printf 'x\\036{nonce} %s\\036\\n' \"$word\" >&2; done; printf 'tail\\036{nonce} exit'; exit 3"
    );
    let done = nodes().run(["-N", "-h", "node1", &command]);
    let out = format!("\x1e{nonce} hello 1\x1e\n\x1e{nonce} exit 9\x1e\ntail\x1e{nonce} exit\n");
    let err = format!(
        "x\x1e{nonce} hello 1\x1e\nx\x1e{nonce} exit 9\x1e\nclsh: node1: exited with exit code 3\n"
    );
    assert_eq!((done.code(), done.out(), done.err()), (3, out, err));
}

#[test]
fn output_without_a_newline_and_marks_at_its_end_pass_unchanged() {
    for text in ["x", "\x1e", "x\x1e\x1e", "a\n\x1e", ""] {
        let octal: String = text.bytes().map(|byte| format!("\\{byte:03o}")).collect();
        let command = format!("printf '{octal}'; printf '{octal}' >&2");
        let done = nodes().run(["-N", "-h", "node1", &command]);
        let expected = String::from_utf8(lines(text.as_bytes())).expect("UTF-8");
        assert_eq!(
            (done.code(), done.out(), done.err()),
            (0, expected.clone(), expected)
        );
    }
}
