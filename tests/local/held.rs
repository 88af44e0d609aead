//! A process that the kernel holds, so that not even SIGKILL ends it: clsh says so, and does not wait for ever.

use crate::kit::{TERM, count, exec, nap};
use crate::support::{not_run, running, start, wait_until};
use std::fs;
use std::path::PathBuf;

/// A cgroup whose processes are frozen (cgroup-v1, freezer-subsystem): signals reach them once they are thawed.
struct Freezer(PathBuf);

impl Freezer {
    fn new() -> Option<Self> {
        let path = PathBuf::from(format!(
            "/sys/fs/cgroup/freezer/clsh-test-{}",
            std::process::id()
        ));
        fs::create_dir(&path).ok().map(|()| Self(path))
    }

    fn freeze(&self, pid: i32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).expect("moved");
        self.set("FROZEN");
    }

    fn set(&self, state: &str) {
        fs::write(self.0.join("freezer.state"), state).expect("set");
        wait_until(state, || {
            let now = fs::read_to_string(self.0.join("freezer.state"));
            now.expect("read").trim() == state
        });
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("freezer.state"), "THAWED");
        for _ in 0..500 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn a_process_that_not_even_sigkill_ends_is_named_and_left() {
    let Some(freezer) = Freezer::new() else {
        return not_run("no freezer cgroup can be made here");
    };
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let mut call = exec("n[1-2]", ["sh", "-c", &script]);
    let clsh = start(&mut call);
    wait_until("both", || count(&["sleep", &nap]) == 2);
    let held = running(&["sleep", &nap])[0].pid;
    freezer.freeze(held);
    clsh.signal(TERM);
    let done = clsh.finish();
    assert_eq!(done.code(), 128 + TERM);
    let words = format!(": process {held} does not end, not even by SIGKILL; ");
    assert_eq!(done.err().matches(&words).count(), 1, "{}", done.err());
    assert!(
        done.err().contains("clsh: n[1-2] (2): terminated\n"),
        "{}",
        done.err()
    );
    // Once the kernel lets go of it, it is gone.
    assert_eq!(count(&["sleep", &nap]), 1);
    freezer.set("THAWED");
    wait_until("its end", || count(&["sleep", &nap]) == 0);
}
