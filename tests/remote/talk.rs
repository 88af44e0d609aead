//! Goal: the session tests drive clsh as a person at the keyboard does. Method: `clsh -i` with a pipe as its stdin and one for both its
//! streams, so that the test sees prompt, rules and lines in the order in which a person would; and a look at the sessions that sshd
//! made for it, each a process session of its own.

use crate::nodes::{below, nodes, wait_all_gone};
use crate::support::{self, Finished, Process, Running};
use std::io::Write;
use std::process::{ChildStdin, Command, Stdio};

pub const PROMPT: &str = "clsh> ";
pub const RULE: &str = "--------------------------\n";

/// What came between a command's line and the next prompt.
#[derive(Debug)]
pub struct Answer {
    /// As it came.
    pub text: String,
    /// Lines of the nodes, sorted: they answer in any order.
    pub lines: Vec<String>,
    /// What clsh itself had to say, rules not counted.
    pub notes: String,
}

/// A running session.
pub struct Talk {
    pub clsh: Running,
    input: Option<ChildStdin>,
    /// So much of what came is dealt with.
    seen: usize,
    far: Vec<i32>,
}

impl Talk {
    /// A session on the cluster that all tests share, at its first prompt.
    pub fn on(list: &str, options: &[&str]) -> Self {
        let words = [&["-i", "-h", list], options].concat();
        Self::with(&nodes().clsh(words))
    }

    /// A session by this call, at its first prompt.
    pub fn with(call: &Command) -> Self {
        let mut talk = Self::begin(call);
        talk.wait_for_prompt();
        talk.seen = talk.heard().len();
        talk
    }

    /// A session by this call, on its way.
    pub fn begin(call: &Command) -> Self {
        let mut merged = Command::new("sh");
        merged
            .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
            .arg(call.get_program())
            .args(call.get_args())
            .stdin(Stdio::piped());
        for (name, value) in call.get_envs() {
            match value {
                Some(value) => merged.env(name, value),
                None => merged.env_remove(name),
            };
        }
        let mut clsh = support::start(&mut merged);
        let input = Some(clsh.stdin());
        Self {
            clsh,
            input,
            seen: 0,
            far: Vec::new(),
        }
    }

    /// All that came so far.
    pub fn heard(&self) -> String {
        self.clsh.stdout.text()
    }

    /// What came since the last prompt that was waited for.
    pub fn news(&self) -> String {
        self.heard().split_off(self.seen)
    }

    /// Types a line, and does not wait.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input
            .write_all(format!("{line}\n").as_bytes())
            .expect("write");
    }

    /// Types a line and waits until the prompt is back.
    pub fn ask(&mut self, line: &str) -> Answer {
        self.say(line);
        self.answer_to(line)
    }

    /// Waits for the prompt behind a line that was typed.
    pub fn answer_to(&mut self, line: &str) -> Answer {
        let echo = format!("{line}\n");
        let text = |talk: &Self| {
            let news = talk.news();
            let text = news.split_once(&echo)?.1;
            // A prompt that was drawn anew stands there more than once.
            let text = text.strip_suffix(PROMPT)?;
            Some(text.replace("clsh> \n", ""))
        };
        self.wait(&format!("the prompt after {line:?}"), |talk| {
            text(talk).is_some()
        });
        let text = text(self).expect("waited for");
        self.seen = self.heard().len();
        let own = |line: &&str| line.starts_with("clsh: ") || line.starts_with("ERROR: ");
        let notes: String = text
            .lines()
            .filter(own)
            .map(|line| format!("{line}\n"))
            .collect();
        let others = text
            .lines()
            .filter(|line| !own(line) && !RULE.starts_with(line));
        let mut lines: Vec<String> = others.map(str::to_owned).collect();
        lines.sort();
        Answer { text, lines, notes }
    }

    /// Types a line that every one of `count` nodes answers with this line, and with status 0.
    pub fn expect(&mut self, line: &str, count: usize, said: &str) {
        let answer = self.ask(line);
        assert_eq!(answer.lines, from_each(count, &[said]), "{line}");
        assert_eq!(answer.notes, "", "{line}");
    }

    /// Waits for something that the session says, or that becomes of it.
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let come = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            support::wait_until(what, || condition(self));
        }));
        let heard = self.heard();
        let last = heard.len().saturating_sub(2000);
        assert!(
            come.is_ok(),
            "waited in vain for {what}; heard at last: {}",
            String::from_utf8_lossy(&heard.as_bytes()[last..])
        );
    }

    /// Waits until this was said since the last prompt that was waited for.
    pub fn wait_for(&self, text: &str) {
        self.wait(text, |talk| talk.news().contains(text));
    }

    pub fn wait_for_prompt(&self) {
        self.wait("a prompt", |talk| talk.news().ends_with(PROMPT));
    }

    /// Waits until the prompt is back below this, at the prompt, without a line.
    pub fn wait_for_note(&mut self, text: &str) {
        self.wait(text, |talk| {
            let news = talk.news();
            news.contains(text) && news.ends_with(PROMPT)
        });
        self.seen = self.heard().len();
    }

    /// Ctrl-C, as a signal.
    pub fn interrupt(&self) {
        self.clsh.signal(2);
    }

    /// Keeps in mind which processes the session has on the nodes: the number of each node's shell.
    pub fn mark(&mut self) -> Vec<i32> {
        let answer = self.ask("echo $$");
        let number = |line: &String| line.rsplit(' ').next()?.parse().ok();
        let shells: Vec<i32> = answer.lines.iter().filter_map(number).collect();
        assert_eq!(shells.len(), answer.lines.len(), "{answer:?}");
        self.far.extend(
            shells
                .iter()
                .map(|&shell| session_of(shell).expect("alive")),
        );
        shells
    }

    /// What there is here and what there is on the nodes; call [`Talk::mark`] before.
    pub fn traces(&self) -> Traces {
        Traces {
            near: below(self.clsh.pid()),
            far: self.far.clone(),
        }
    }

    /// The end of the input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Waits for the end of clsh, and leaves its input open.
    pub fn finish(self) -> Finished {
        let Self { clsh, input, .. } = self;
        let done = clsh.finish();
        drop(input);
        done
    }

    /// Leaves by `quit`, with this status.
    pub fn quit(mut self, status: i32) {
        self.say("quit");
        let done = self.finish();
        assert_eq!(done.code(), status, "{}", done.out());
    }
}

/// What a session may leave: processes below clsh, and whatever runs in the process sessions that sshd made for it.
pub struct Traces {
    pub near: Vec<Process>,
    pub far: Vec<i32>,
}

impl Traces {
    /// Waits until nothing of it is left.
    pub fn wait_gone(&self) {
        wait_all_gone(&self.near);
        self.wait_far_gone();
    }

    pub fn wait_far_gone(&self) {
        assert!(!self.far.is_empty(), "nothing was marked");
        support::wait_until("the end of all on the nodes", || {
            in_sessions(&self.far).is_empty()
        });
    }
}

/// The living processes of these process sessions.
pub fn in_sessions(sessions: &[i32]) -> Vec<Process> {
    let all = support::processes().into_iter();
    all.filter(|process| session_of(process.pid).is_some_and(|session| sessions.contains(&session)))
        .collect()
}

/// The process session of a living process.
pub fn session_of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(3)?.parse().ok()
}

/// These lines from each of so many nodes, sorted.
pub fn from_each(count: usize, lines: &[&str]) -> Vec<String> {
    let nodes = (1..=count).map(|k| format!("node{k}"));
    let mut all: Vec<String> = nodes
        .flat_map(|node| lines.iter().map(move |line| format!("{node}: {line}")))
        .collect();
    all.sort();
    all
}

/// The line below a command that returned this status everywhere.
pub fn summed_up(count: usize, status: i32) -> String {
    format!("clsh: node[1-{count}] ({count}): exited with exit code {status}\n")
}
