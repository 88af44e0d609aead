//! README's two commands on a machine where hardly anything is installed: all that is missing is named at once, and nothing is built before.
//! Method: the scripts as somebody who is not root, with a PATH of a few programs and a cargo that writes down what it is asked for.

use crate::nodes::must;
use crate::support::{Finished, behind, run, scratch, script};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What the scripts use of a minimal Debian.
const MINIMAL: [&str; 24] = [
    "bash", "cat", "cut", "dirname", "env", "find", "flock", "getent", "grep", "head", "id",
    "mktemp", "nice", "rm", "setsid", "sh", "sleep", "sort", "tail", "timeout", "true", "tr", "wc",
    "which",
];

struct Fresh {
    place: TempDir,
}

impl Fresh {
    fn new(cargo: bool) -> Self {
        let fresh = Self { place: scratch() };
        let root = fresh.place.path();
        // Whoever runs them shall be able to read them.
        let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777));
        open(root).expect("chmod");
        for name in ["docker/local-cluster", "tests/run"] {
            let to = root.join(name);
            fs::create_dir(to.parent().expect("a directory")).expect("mkdir");
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), to).expect("copy");
        }
        let programs = root.join("bin");
        fs::create_dir(&programs).expect("mkdir");
        for name in MINIMAL {
            let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(name));
            let found = found.into_iter().find(|path| path.exists());
            symlink(found.expect(name), programs.join(name)).expect("symlink");
        }
        script(&programs, "apt-get", "#!/bin/sh\nexit 100\n");
        if cargo {
            let text = format!(
                "#!/bin/sh\ncase $2 in --version) ;; *) echo \"$@\" >>'{}' ;; esac\n",
                root.join("started").display()
            );
            script(&programs, "cargo", &text);
        }
        fresh
    }

    fn run(&self, name: &str, variables: &[(&str, &str)]) -> Finished {
        let root = self.place.path();
        let mut call = Command::new(root.join(name));
        call.env("PATH", root.join("bin"))
            .env_remove("CLSH_TEST_NO_ROOT")
            .envs(variables.iter().copied());
        // The call's PATH is not that of what makes it somebody else's.
        let nobody = "/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups";
        let nobody: Vec<&str> = nobody.split(' ').collect();
        let done = match must(&["id", "-u"]).trim() {
            "0" => run(&mut behind(&nobody, &call)),
            _ => run(&mut call),
        };
        assert!(!root.join("started").exists(), "something was built");
        done
    }
}

/// The packages that the one line with `apt-get install` names.
fn named(done: &Finished) -> Vec<String> {
    let err = done.err();
    let lines: Vec<&str> = err
        .lines()
        .filter_map(|line| line.split_once("apt-get install ").map(|(_, names)| names))
        .collect();
    assert_eq!((done.code(), lines.len()), (1, 1), "{err}");
    lines[0].split(' ').map(str::to_owned).collect()
}

#[test]
fn the_cluster_names_all_that_is_missing_before_it_builds() {
    // Without a compiler, with one that has nothing to link with, and with one that does.
    for (cc, wanted) in [
        (None, &["gcc", "libc6-dev", "openssh-client"][..]),
        (Some("exit 1"), &["gcc", "libc6-dev", "openssh-client"]),
        (Some("exit 0"), &["openssh-client"]),
    ] {
        let fresh = Fresh::new(true);
        if let Some(does) = cc {
            let programs = fresh.place.path().join("bin");
            script(&programs, "cc", &format!("#!/bin/sh\n{does}\n"));
        }
        let mut named = named(&fresh.run("docker/local-cluster", &[]));
        // It looks for sshd outside of PATH, too.
        named.retain(|name| name != "openssh-server");
        assert_eq!(named, wanted, "{cc:?}");
    }

    let done = Fresh::new(false).run("docker/local-cluster", &[]);
    assert!(done.err().contains("cargo is missing"), "{}", done.err());
    assert!(done.err().contains("apt-get install gcc"), "{}", done.err());
}

#[test]
fn the_tests_name_all_that_is_missing_and_that_they_need_root() {
    let fresh = Fresh::new(true);
    let without_root = ("CLSH_TEST_NO_ROOT", "1");
    for variables in [&[][..], &[without_root]] {
        let done = fresh.run("tests/run", variables);
        let named = named(&done);
        for package in ["gcc", "libc6-dev", "openssh-client", "patch", "zsh", "posh"] {
            let times = named.iter().filter(|&name| name == package).count();
            assert_eq!(times, 1, "{package} in {named:?}");
        }
        let err = done.err();
        let told = err.matches("CLSH_TEST_NO_ROOT=1 tests/run\n").count();
        assert_eq!(told, usize::from(variables.is_empty()), "{err}");
        assert_eq!(err.lines().count(), 1 + told, "{err}");
    }
}
