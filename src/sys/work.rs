//! What a process and its children have computed, and whether they would compute now: proc(5).

use std::fs;
use std::time::Duration;

/// How far down children are looked at: ssh, its ProxyCommand's shell, what that runs, and one more.
const DEPTH_MAX: usize = 4;
/// Most processes that are looked at for one.
const PROCESSES_MAX: usize = 16;
/// The unit of the times in /proc/PID/stat. It has been 100 a second for programs on every Linux, whatever the kernel counts in.
const TICK: Duration = Duration::from_millis(10);

/// The work of a process and those it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// The time on a processor of those that live.
    pub used: Duration,
    /// One of them is on a processor, or waits for one.
    pub wants: bool,
}

/// Looks at a process and those it started; `None` where the system does not tell.
pub fn work(pid: i32) -> Option<Work> {
    let mut work = look(pid)?;
    let (mut known, mut at) = (vec![(pid, 1)], 0);
    while let Some(&(pid, depth)) = known.get(at).filter(|_| at < PROCESSES_MAX) {
        if at > 0
            && let Some(more) = look(pid)
        {
            work.used += more.used;
            work.wants |= more.wants;
        }
        if depth < DEPTH_MAX {
            known.extend(children(pid).into_iter().map(|child| (child, depth + 1)));
        }
        at += 1;
    }
    Some(work)
}

/// Needs a kernel with CONFIG_PROC_CHILDREN, as distributions have it; without, there are none.
fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn look(pid: i32) -> Option<Work> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let wants = fields.next()? == "R";
    // The 14th and 15th field of all, in user and in kernel mode.
    let mut ticks = fields.skip(10).map_while(|field| field.parse::<u32>().ok());
    let ticks = TICK * ticks.next()?.saturating_add(ticks.next()?);
    let used = exact(pid).unwrap_or_default().max(ticks);
    Some(Work { used, wants })
}

/// What its first thread had of a processor, to the nanosecond, where the kernel counts that (CONFIG_SCHED_INFO): ticks are too coarse for who
/// gets little.
fn exact(pid: i32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    fn start(script: &str) -> Child {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", script]).stdout(Stdio::null());
        shell.spawn().expect("sh")
    }

    fn wait_until(condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(60), "in vain");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn who_sleeps_wants_no_processor_and_who_is_gone_is_not_there() {
        let mut child = start("exec sleep 1005.17");
        let pid = child.id() as i32;
        // Once it has begun to sleep, and not before, two looks see the same.
        wait_until(|| {
            let before = work(pid);
            std::thread::sleep(TICK * 3);
            work(pid) == before && before.is_some_and(|work| !work.wants)
        });
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!(work(pid), None);
    }

    #[test]
    fn the_work_of_children_counts() {
        let mut shell = start("while :; do :; done & wait");
        let pid = shell.id() as i32;
        let least = TICK * 3;
        wait_until(|| work(pid).is_some_and(|work| work.used > least && work.wants));
        assert!(look(pid).is_some_and(|own| !own.wants), "the shell waits");
        for child in children(pid) {
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        let _ = shell.wait();
    }
}
