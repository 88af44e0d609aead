//! Who takes part, and the words each of them needs for the same work.

use super::run::Call;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the order of the table's columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The floor, or whatever else a row is measured against.
    Base,
    Clsh,
    Pdsh,
    Clush,
    Pssh,
    Parallel,
    /// A client of its own, without OpenSSH's: it takes part where ssh is real.
    Bssh,
}

pub const ALL: [Who; 7] = [
    Who::Base,
    Who::Clsh,
    Who::Pdsh,
    Who::Clush,
    Who::Pssh,
    Who::Parallel,
    Who::Bssh,
];

/// Who can start processes on this machine without an sshd, by itself or through a script that plays ssh.
pub const HERE: [Who; 6] = [
    Who::Base,
    Who::Clsh,
    Who::Pdsh,
    Who::Clush,
    Who::Pssh,
    Who::Parallel,
];

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Who::Base => "floor",
            Who::Clsh => "clsh",
            Who::Pdsh => "pdsh",
            Who::Clush => "clush",
            Who::Pssh => "pssh",
            Who::Parallel => "parallel",
            Who::Bssh => "bssh",
        }
    }

    /// What Debian, or its makers, call the program.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Who::Base | Who::Clsh => &[],
            Who::Pdsh => &["pdsh"],
            Who::Clush => &["clush"],
            Who::Pssh => &["parallel-ssh", "pssh"],
            Who::Parallel => &["parallel"],
            Who::Bssh => &["bssh"],
        }
    }
}

pub const CLSH: &str = env!("CARGO_BIN_EXE_clsh");

/// A shell script that plays ssh: options, the host, options, and the command runs here.
const SSH: &str = r#"#!/bin/sh
options() {
	while :; do
		case $1 in
		-[oliFpJSWb]) shift 2 ;;
		--) shift; break ;;
		-*) shift ;;
		*) break ;;
		esac
	done
	[ "$host" ] || { host=$1; shift; options "$@"; }
	exec sh -c "$*"
}
host=
options "$@"
"#;

pub struct Contenders {
    /// The bench's own program, which plays the floor and the nodes.
    me: String,
    found: Vec<(Who, String)>,
    /// Room for files; gone at the end.
    pub room: tempfile::TempDir,
}

impl Contenders {
    pub fn new() -> Contenders {
        let me = std::env::current_exe().expect("a path of my own");
        let room = tempfile::tempdir().expect("a temporary directory");
        let ssh = room.path().join("ssh");
        fs::write(&ssh, SSH).expect("room for a script");
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("a mode");
        // parallel asks to be quoted in a paper, unless this file is there.
        fs::create_dir(room.path().join(".parallel")).expect("a directory");
        fs::write(room.path().join(".parallel/will-cite"), "").expect("a file");
        Contenders {
            me: me.to_str().expect("UTF-8").to_owned(),
            found: ALL
                .into_iter()
                .filter_map(|who| Some((who, find(who)?)))
                .collect(),
            room,
        }
    }

    pub fn has(&self, who: Who) -> bool {
        who.programs().is_empty() || self.found.iter().any(|(found, _)| *found == who)
    }

    fn program(&self, who: Who) -> String {
        let found = self.found.iter().find(|(found, _)| *found == who);
        found.map_or_else(|| who.name().to_owned(), |(_, path)| path.clone())
    }

    /// `count` nodes, at most `fanout` at once, each of them `words` started here without ssh; `%n` in the words is the node's rank.
    pub fn local(&self, who: Who, count: usize, fanout: usize, words: &[&str]) -> Call {
        let nodes = format!("n[1-{count}]");
        let (total, fanout) = (count.to_string(), fanout.to_string());
        let mut line: Vec<String> = match who {
            Who::Base => strings(&[&self.me, "floor", &total, &fanout]),
            Who::Clsh => strings(&[CLSH, "-h", &nodes, "-R", "exec", "-f", &fanout]),
            Who::Pdsh | Who::Clush => {
                let program = self.program(who);
                strings(&[&program, "-R", "exec", "-f", &fanout, "-w", &nodes])
            }
            Who::Pssh | Who::Bssh => {
                return self.played(who, count, fanout.parse().unwrap_or(1), words);
            }
            Who::Parallel => strings(&[&self.program(who), "--tag", "-j", &fanout]),
        };
        line.extend(strings(words));
        if who == Who::Parallel {
            // Its last word is the host; a `true` does not mind.
            line.extend(["::::".to_owned(), self.hosts(count)]);
        }
        self.call(line)
    }

    /// The same, but through a shell script that plays ssh.
    pub fn played(&self, who: Who, count: usize, fanout: usize, words: &[&str]) -> Call {
        self.through(self.room.path(), who, count, fanout, words)
    }

    /// The same through the `ssh` in this directory; for a client that starts no ssh, with the key and the configuration there.
    pub fn through(
        &self,
        path: &Path,
        who: Who,
        count: usize,
        fanout: usize,
        words: &[&str],
    ) -> Call {
        let nodes = format!("n[1-{count}]");
        let (total, fanout) = (count.to_string(), fanout.to_string());
        let (hosts, program) = (self.hosts(count), self.program(who));
        let ssh = path.join("ssh");
        let ssh = ssh.to_str().expect("UTF-8");
        let mut line: Vec<String> = match who {
            Who::Base => strings(&[&self.me, "floor", &total, &fanout, ssh, "n1"]),
            Who::Clsh => strings(&[CLSH, "-f", &fanout, "-h", &nodes]),
            Who::Pdsh => strings(&[&program, "-R", "ssh", "-f", &fanout, "-w", &nodes]),
            Who::Clush => strings(&[&program, "-f", &fanout, "-w", &nodes]),
            Who::Pssh => strings(&[&program, "-i", "-p", &fanout, "-h", &hosts]),
            // By itself it would look at every host first, with a Perl program.
            Who::Parallel => strings(&[&program, "--tag", "-j", &fanout, "ssh", "{}"]),
            Who::Bssh => {
                let (config, key) = (path.join("bssh"), path.join("id"));
                let config = config.to_str().expect("UTF-8");
                let key = key.to_str().expect("UTF-8");
                let mut line = strings(&[&program, "-F", config, "-i", key]);
                let more = ["--strict-host-key-checking", "no", "--require-all-success"];
                line.extend(strings(&more));
                line.extend(strings(&["-H", &nodes, "--parallel", &fanout]));
                line
            }
        };
        line.extend(strings(words));
        if who == Who::Parallel {
            line.extend(["::::".to_owned(), hosts]);
        }
        let mut call = self.call(line);
        call.path = Some(path.to_owned());
        call
    }

    pub fn call(&self, words: Vec<String>) -> Call {
        let mut call = Call::new(words);
        call.home = Some(self.room.path().to_owned());
        call
    }

    /// The bench's own program with these words.
    pub fn own<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        [&[self.me.as_str()], words].concat()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    fn hosts(&self, count: usize) -> String {
        let path = self.file(&format!("hosts-{count}"));
        if !path.exists() {
            let hosts: String = (1..=count).map(|at| format!("n{at}\n")).collect();
            fs::write(&path, hosts).expect("room for hosts");
        }
        path.to_str().expect("UTF-8").to_owned()
    }

    pub fn missing(&self) -> Vec<&'static str> {
        let missing = ALL.into_iter().filter(|&who| !self.has(who));
        missing.map(Who::name).collect()
    }

    /// Names and versions, clsh's own first.
    pub fn versions(&self) -> Vec<String> {
        let mut versions = vec![format!("clsh {}", env!("CARGO_PKG_VERSION"))];
        for (who, program) in &self.found {
            let flag = match who {
                Who::Pdsh => "-V",
                _ => "--version",
            };
            let output = Command::new(program).arg(flag).output();
            let output = output.map(|output| [output.stdout, output.stderr].concat());
            let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
            let number = text
                .split([' ', '\n', '-'])
                .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
            versions.push(format!("{} {}", who.name(), number.unwrap_or("?")));
        }
        versions
    }
}

fn find(who: Who) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    who.programs()
        .iter()
        .flat_map(|program| path.split(':').map(move |at| format!("{at}/{program}")))
        .find(|path| fs::metadata(path).is_ok_and(|found| found.is_file()))
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
