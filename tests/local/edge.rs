//! Where the kernel, a sandbox or the limits have little to give, and where many nodes speak at once: slower at worst, and nothing is lost.
//!
//! What the kernel lacks is played by a real seccomp filter. It holds for the thread that asked for it and for all it starts.

use crate::kit::{Held, TERM, exec, labelled, read_all, text, through};
use crate::support::{Finished, Patience, is_guardian, run, scratch, start, wait_until};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::Mode;
use nix::unistd::{getuid, mkfifo};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// A system call that fails, and with what.
struct Refusal {
    call: i64,
    rules: Vec<SeccompRule>,
    error: i32,
}

/// Where a child can't have a table of descriptors of its own by the short way: what an old kernel, a sandbox, and a kernel that knows the
/// call but not the flag say to close_range(2), and what qemu says to clone(2) where it emulates another processor.
fn no_short_way() -> [Refusal; 4] {
    let [old, sandbox, flagless] = [libc::ENOSYS, libc::EPERM, libc::EINVAL].map(no_close_range);
    [old, sandbox, flagless, no_clone(libc::EINVAL)]
}

fn no_close_range(error: i32) -> Refusal {
    Refusal {
        call: libc::SYS_close_range,
        rules: Vec::new(),
        error,
    }
}

/// clone(2) as clsh calls it. Neither shells nor std, nor the C library for a thread, borrow the descriptors of a parent that waits.
fn no_clone(error: i32) -> Refusal {
    let flags = |mask: i32, value: i32| {
        let masked = SeccompCmpOp::MaskedEq(mask as u64);
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, masked, value as u64).expect("flags")
    };
    let borrows = libc::CLONE_VFORK | libc::CLONE_FILES;
    Refusal {
        call: libc::SYS_clone,
        rules: vec![SeccompRule::new(vec![flags(borrows, borrows)]).expect("a rule")],
        error,
    }
}

/// Does this where the kernel refuses that.
fn where_refused<T: Send>(refusal: Refusal, work: impl FnOnce() -> T + Send) -> T {
    let arch = TargetArch::try_from(std::env::consts::ARCH).expect("a processor that is known");
    let filter = SeccompFilter::new(
        BTreeMap::from([(refusal.call, refusal.rules)]),
        SeccompAction::Allow,
        SeccompAction::Errno(refusal.error as u32),
        arch,
    );
    let program = BpfProgram::try_from(filter.expect("a filter")).expect("a program");
    thread::scope(|scope| {
        let filtered = scope.spawn(move || {
            seccompiler::apply_filter(&program).expect("seccomp must be there");
            work()
        });
        filtered
            .join()
            .unwrap_or_else(|cause| std::panic::resume_unwind(cause))
    })
}

/// Holds nodes until the test lets them go: each opens a FIFO without a writer.
struct Gate {
    directory: tempfile::TempDir,
}

impl Gate {
    /// In a directory that every user may read.
    fn new() -> Self {
        let gate = Self {
            directory: scratch(),
        };
        open_to_all(gate.directory.path());
        mkfifo(&gate.path(), Mode::S_IRWXU).expect("a FIFO");
        fs::set_permissions(gate.path(), Permissions::from_mode(0o644)).expect("a mode");
        gate
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("gate")
    }

    /// What a shell that waits here says.
    fn word(&self) -> String {
        format!(": <'{}'", text(self.path()))
    }

    /// Open until the value is gone, for those who come late, too.
    fn open(&self) -> File {
        // For reading as well: so it waits for nobody.
        let both = OpenOptions::new().read(true).write(true).open(self.path());
        both.expect("the FIFO")
    }
}

pub fn open_to_all(directory: &Path) {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("a mode");
}

/// How many children a clsh has but for its guardian, which is the oldest; the kernel's own list, since there may be thousands.
fn children_of(pid: i32) -> usize {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.expect("a living process");
    let first = list.split_whitespace().next();
    let guarded = first.is_some_and(|pid| is_guardian(pid.parse().expect("a number")));
    list.split_whitespace().count() - usize::from(guarded)
}

/// Checks that each of so many nodes said `LABEL line 1 of N` to the last, whole and in order, and nobody anything else.
fn assert_all_lines(done: &Finished, nodes: usize, lines: usize) {
    let mut last = vec![0; nodes + 1];
    for line in done.out().lines() {
        let (label, said) = line.split_once(": ").expect("a label");
        let node: usize = label[1..].parse().expect("a number");
        last[node] += 1;
        assert_eq!(said, format!("{label} line {} of {lines}", last[node]));
    }
    let short = last[1..].iter().filter(|&&count| count < lines).count();
    assert_eq!(short, 0, "nodes whose lines are missing");
}

/// The command of a node that says so many lines, each in two writes.
fn says(lines: usize) -> String {
    format!(
        r#"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); printf '%h line '; echo "$i of {lines}"; done"#
    )
}

/// 20 nodes have open what a program has that was started without clsh, descriptor 200 among it, and can read that.
fn descriptors_arrive() {
    let directory = scratch();
    let given = directory.path().join("given");
    fs::write(&given, "given\n").expect("a file");
    let script = format!(r#"exec 200<'{}'; exec "$@""#, text(&given));
    // Opened by a program of its own, so that a shell's own descriptors are not among them.
    let words = ["sh", "-c", "exec ls /proc/self/fd"];
    let mut plain = Command::new(words[0]);
    let open = run(&mut through("bash", &script, plain.args(&words[1..]))).sorted();
    assert!(open.contains(&"200".to_owned()), "{open:?}");
    let open: Vec<&str> = open.iter().map(String::as_str).collect();
    let expected = |lines: &[&str]| {
        let all: String = (1..=20)
            .map(|n| labelled(&format!("n{n}"), lines))
            .collect();
        let mut all: Vec<String> = all.lines().map(str::to_owned).collect();
        all.sort();
        all
    };
    let done = run(&mut through("bash", &script, &exec("n[1-20]", words)));
    assert_eq!(done.sorted(), expected(&open));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    // Through /proc each reads from the first byte on.
    let read = exec("n[1-20]", ["cat", "/proc/self/fd/200"]);
    let done = run(&mut through("bash", &script, &read));
    assert_eq!(done.sorted(), expected(&["given"]), "{}", done.err());
    let done = run(&mut exec("n[1-20]", words));
    assert!(!done.out().contains("200"), "{}", done.out());
}

/// Many nodes that live together, and many after them.
fn many_nodes_answer() {
    let script = says(3);
    let done = run(&mut exec("n[1-600]", ["-f", "200", "sh", "-c", &script]));
    assert_all_lines(&done, 600, 3);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

/// While nodes live, clsh's own stdin, stdout and stderr are still what it was started with.
fn own_streams_stay() {
    let gate = Gate::new();
    let mut call = exec("n[1-20]", ["sh", "-c", &gate.word()]);
    let mut held = Held::start(call.stdout(Stdio::piped()).stderr(Stdio::piped()));
    wait_until("all nodes", || children_of(held.pid()) == 20);
    let link = |path: String| fs::read_link(path).expect("an open file");
    let mine = |number: RawFd| link(format!("/proc/self/fd/{number}"));
    let (out, err) = (held.0.stdout.take(), held.0.stderr.take());
    let (out, err) = (out.expect("piped"), err.expect("piped"));
    let given = [
        PathBuf::from("/dev/null"),
        mine(out.as_raw_fd()),
        mine(err.as_raw_fd()),
    ];
    let now = [0, 1, 2].map(|number| link(format!("/proc/{}/fd/{number}", held.pid())));
    assert_eq!(now, given);
    let open = gate.open();
    assert_eq!(
        (held.wait(), read_all(out), read_all(err)),
        (0, vec![], vec![])
    );
    drop(open);
}

#[test]
fn children_get_what_clsh_was_given_and_nothing_else() {
    descriptors_arrive();
}

#[test]
fn a_child_that_is_started_leaves_clsh_its_own_streams() {
    own_streams_stay();
    for refusal in no_short_way() {
        where_refused(refusal, own_streams_stay);
    }
}

#[test]
fn where_descriptors_cannot_be_unshared_children_get_the_same() {
    for refusal in no_short_way() {
        where_refused(refusal, descriptors_arrive);
    }
}

#[test]
fn where_descriptors_cannot_be_unshared_all_nodes_answer() {
    for refusal in no_short_way() {
        where_refused(refusal, many_nodes_answer);
    }
}

const SLOWER: &str = "nodes start more slowly";

#[test]
fn without_memory_for_a_process_every_node_is_told_of_in_the_end() {
    // Not for the process, and not for its table of descriptors.
    let refusals = [no_clone(libc::ENOMEM), no_close_range(libc::ENOMEM)];
    thread::scope(|scope| {
        for refusal in refusals {
            scope.spawn(|| {
                let call = || run(&mut exec("n[1-3]", ["echo", "%h"]));
                let done = where_refused(refusal, call);
                let err = done.err();
                assert_eq!((done.code(), done.out()), (126, String::new()), "{err}");
                assert_eq!(err.matches(SLOWER).count(), 1, "{err}");
                for node in ["n1", "n2", "n3"] {
                    let why =
                        format!("clsh: {node}: cannot start a process: Cannot allocate memory;");
                    assert_eq!(err.matches(&why).count(), 1, "{err}");
                }
                assert!(
                    err.contains("clsh: n[1-3] (3): exited with exit code 126\n"),
                    "{err}"
                );
            });
        }
    });
}

#[test]
fn a_node_that_is_reached_through_a_process_there_is_no_memory_for_has_no_connection() {
    let call = || {
        let words = ["-h", "n[1-2]", "-R", "sh -c", "echo"];
        run(&mut crate::support::clsh_with(words))
    };
    let done = where_refused(no_clone(libc::ENOMEM), call);
    let err = done.err();
    assert_eq!((done.code(), done.out()), (255, String::new()), "{err}");
    assert!(
        err.contains("clsh: n[1-2] (2): connection failed\n"),
        "{err}"
    );
}

#[test]
fn sigterm_ends_a_run_that_waits_for_memory() {
    where_refused(no_clone(libc::ENOMEM), || {
        let running = start(&mut exec("n[1-3]", ["echo", "%h"]));
        running.stderr.wait_for(SLOWER);
        running.signal(TERM);
        let done = running.finish();
        let err = done.err();
        assert_eq!(
            (done.code(), done.out()),
            (128 + TERM, String::new()),
            "{err}"
        );
        assert!(err.contains("clsh: n[1-3] (3): not started\n"), "{err}");
    });
}

/// Words in front of a call, after which its user can have so many processes and no more; none where the system grants that to root alone,
/// which is said.
pub fn with_processes(most: usize) -> Option<Vec<String>> {
    let mut words = Vec::new();
    if getuid().is_root() {
        // root has no such limit. Nobody else has a process of this user's.
        let taken: Vec<u32> = crate::support::processes()
            .iter()
            .filter_map(|process| Some(fs::metadata(format!("/proc/{}", process.pid)).ok()?.uid()))
            .collect();
        let first = 40_000 + std::process::id() % 10_000;
        let user = (first..)
            .find(|user| !taken.contains(user))
            .expect("a user");
        let user = format!("setpriv --reuid {user} --regid {user} --clear-groups --");
        words.extend(user.split(' ').map(str::to_owned));
    } else {
        // In a namespace of its own a user's processes are counted anew.
        words.extend(["unshare", "--user", "--"].map(str::to_owned));
        let tried = Command::new(&words[0])
            .args(&words[1..])
            .arg("true")
            .output();
        if !tried.is_ok_and(|done| done.status.success()) {
            crate::support::not_run("user namespaces are for root alone here");
            return None;
        }
    }
    words.extend([
        "prlimit".to_owned(),
        format!("--nproc={most}"),
        "--".to_owned(),
    ]);
    Some(words)
}

#[test]
fn a_full_process_table_slows_the_start_and_loses_nothing() {
    let Some(words) = with_processes(20) else {
        return;
    };
    let gate = Gate::new();
    // The binary may lie where only its owner can look.
    let place = scratch();
    open_to_all(place.path());
    let binary = place.path().join("clsh");
    let call = exec("n[1-60]", ["-f", "60", "sh", "-c"]);
    // By a process of its own: none of this one's children can hold it open for writing then, and it can be run.
    let install = Command::new("install")
        .args(["-m", "755"])
        .args([Path::new(call.get_program()), &binary])
        .status();
    assert!(install.is_ok_and(|status| status.success()), "install(1)");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(&binary).args(call.get_args());
    // Each of them is one process, and lives until the table is known to be full.
    command.arg(format!("{}; {}", gate.word(), says(5)));
    command.current_dir(place.path()).stdin(Stdio::null());
    // Settings at root's home are not this user's to read.
    command.env("HOME", place.path());
    let running = start(&mut command);
    running.stderr.wait_for(SLOWER);
    let open = gate.open();
    let done = running.finish();
    drop(open);
    let err = done.err();
    assert_eq!(done.code(), 0, "{err}");
    assert_all_lines(&done, 60, 5);
    // Once, and nothing else.
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(!err.contains("open files"), "{err}");
}

#[test]
fn thousands_of_nodes_answer_in_hundreds_under_a_hard_limit_of_256_open_files() {
    let call = exec("n[1-2000]", ["-v", "-f", "1000", "echo", "%h line 1 of 1"]);
    let done = run(&mut through("sh", r#"ulimit -n 256; exec "$@""#, &call));
    assert_all_lines(&done, 2000, 1);
    let err = done.err();
    let told: Vec<&str> = err.lines().filter(|line| line.contains("ulimit")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("instead of 1000"), "{told:?}");
    assert_eq!(done.code(), 0);
}

/// So many nodes, or as many as the limits of this machine allow.
fn at_most(nodes: u64) -> u64 {
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let (processes, _) = getrlimit(Resource::RLIMIT_NPROC).expect("a limit");
    let group = fs::read_to_string("/sys/fs/cgroup/pids.max").unwrap_or_default();
    let group = group.trim().parse().unwrap_or(u64::MAX);
    let most = nodes
        .min((files - 100) / 2)
        .min(processes / 2)
        .min(group / 2);
    if most < nodes {
        // Past the capture of the test harness.
        let _ = writeln!(
            std::io::stderr(),
            "{most} nodes instead of {nodes}: the limits"
        );
    }
    most
}

#[test]
fn of_thousands_of_live_nodes_that_write_at_once_every_line_arrives_whole() {
    let nodes = at_most(2000) as usize;
    let gate = Gate::new();
    let script = format!("{}; {}", gate.word(), says(20));
    let (list, fanout) = (format!("n[1-{nodes}]"), nodes.to_string());
    let running = start(&mut exec(&list, ["-f", &fanout, "sh", "-c", &script]));
    wait_until("all nodes", || children_of(running.pid()) == nodes);
    let open = gate.open();
    let done = running.finish();
    drop(open);
    assert_all_lines(&done, nodes, 20);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn lines_of_the_others_go_on_arriving_while_one_node_floods() {
    const TICKERS: usize = 200;
    const TICKS: usize = 10;
    // 16 bytes: they fill whole pages, and with them the pipe to its last byte.
    const FLOOD: &str = "flood: fifteen letters\n";
    let (start, end) = (Gate::new(), Gate::new());
    // The flood ends when the tickers are done, and they begin when it runs.
    let script = format!(
        "case %h in flood) yes fifteen letters & {}; kill $!; exit 0;; esac; {}; \
         i=0; while [ $i -lt {TICKS} ]; do i=$((i+1)); echo tick $i; sleep 0.01; done",
        end.word(),
        start.word(),
    );
    let list = format!("flood,n[1-{TICKERS}]");
    let fanout = (TICKERS + 1).to_string();
    let mut call = exec(&list, ["-f", &fanout, "sh", "-c", &script]);
    let mut held = Held::start(call.stdout(Stdio::piped()));
    let mut out = BufReader::new(held.0.stdout.take().expect("piped"));
    let (mut last, mut missing) = (vec![0; TICKERS + 1], TICKERS * TICKS);
    let (mut floods, mut gates) = (0_u64, Vec::new());
    let (patience, mut line) = (Patience::new(), String::new());
    while missing > 0 {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0, "an early end");
        assert!(!patience.is_over(), "{missing} lines are missing");
        if line == FLOOD {
            floods += 1;
            if floods == 1 {
                gates.push(start.open());
            }
            continue;
        }
        let (label, said) = line.split_once(": ").expect("a label");
        let node: usize = label[1..].parse().expect("a number");
        last[node] += 1;
        missing -= 1;
        assert_eq!(said, format!("tick {}\n", last[node]));
    }
    assert_eq!(last[1..], [TICKS; TICKERS]);
    // It still runs: nothing told it to end.
    let before = floods;
    while floods < before + 100_000 {
        line.clear();
        out.read_line(&mut line).expect("text");
        assert_eq!(line, FLOOD);
        floods += 1;
    }
    gates.push(end.open());
    // Its last line may be cut off by its end.
    let rest = out.lines().map(|line| line.expect("text"));
    assert!(rest.into_iter().all(|line| FLOOD.starts_with(&line)));
    assert_eq!(held.wait(), 0);
}
