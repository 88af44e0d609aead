//! What a line does.

use super::line::{Line, Own};
use super::seats::State;
use super::{Effect, Local, Owner, Session, Stage, words};
use crate::engine::Engine;
use crate::order::order;
use crate::outcome::{Outcome, STATUS_USAGE};
use crate::report;

/// Programs that draw on the terminal themselves: they get it as it is, and no labels.
const FULL_SCREEN: [&str; 32] = [
    "alsamixer",
    "btop",
    "emacs",
    "fzf",
    "gdb",
    "hx",
    "htop",
    "joe",
    "kak",
    "less",
    "man",
    "mc",
    "micro",
    "more",
    "most",
    "mutt",
    "nano",
    "ncdu",
    "nvim",
    "pico",
    "ranger",
    "screen",
    "ssh",
    "su",
    "tig",
    "tmux",
    "top",
    "vi",
    "view",
    "vim",
    "vimdiff",
    "watch",
];

impl Session {
    /// Carries out a line.
    pub(super) fn act(&mut self, bytes: &[u8], engine: &mut Engine) {
        // What is no text is for the nodes.
        let (line, text) = match std::str::from_utf8(bytes) {
            Ok(text) => (Line::parse(text), Some(text)),
            Err(_) => (Ok(Line::Remote), None),
        };
        if let Some(text) = text
            && self.prompt.remember(text)
        {
            self.effects.push_back(Effect::Remember(text.to_owned()));
        }
        match line {
            Ok(Line::Empty) => {}
            Ok(Line::Leave(status)) => self.quit(status, engine),
            Ok(Line::Local(command)) => self.run_here(command, engine),
            Ok(Line::Own(own)) => self.own(own, engine),
            Ok(Line::Remote) => {
                let ranks = self
                    .seats
                    .ranks(|seat| seat.used && seat.state == State::Ready);
                self.dispatch(ranks, bytes, engine);
            }
            Err(error) => self.refuse(&error, engine),
        }
    }

    /// Says what is wrong with a line.
    pub(super) fn refuse(&mut self, error: &str, engine: &mut Engine) {
        self.fail(error, STATUS_USAGE, engine);
    }

    fn fail(&mut self, error: &str, status: u8, engine: &mut Engine) {
        engine.say(&format!("clsh: {error}\n"));
        self.status = status;
    }

    fn dispatch(&mut self, ranks: Vec<usize>, command: &[u8], engine: &mut Engine) {
        if command.contains(&0) {
            self.refuse(
                "a command holds no NUL byte; write it as an escape: printf '\\0'",
                engine,
            );
        } else if let Some(program) = waits_for_terminal(command) {
            self.refuse(
                &format!(
                    "{program} needs a terminal, and a session's commands have none; log in for it: ssh -t HOST {program}"
                ),
                engine,
            );
        } else if ranks.is_empty() {
            self.fail(
                "none of the nodes in use is connected; ':reconnect' brings them back, ':all' takes all that are",
                Outcome::Failed.status(),
                engine,
            );
        } else {
            self.run(ranks, command, engine);
        }
    }

    fn own(&mut self, own: Own, engine: &mut Engine) {
        let done = match own {
            Own::Help => {
                self.show(&words::help(), engine);
                Ok(())
            }
            Own::Nodes => {
                self.show(&words::table(&self.seats.rows()), engine);
                Ok(())
            }
            Own::All => {
                self.take(None, engine);
                Ok(())
            }
            Own::Use(list) => self
                .seats
                .find(&list)
                .and_then(|ranks| self.use_only(ranks, engine)),
            Own::On(list, command) => self
                .seats
                .find(&list)
                .and_then(|ranks| self.run_on(ranks, &command, engine)),
            Own::Reconnect(list) => self.reconnect(list.as_deref(), engine),
            Own::Gather(on) => {
                self.gather = on;
                Ok(())
            }
        };
        if let Err(error) = done {
            self.refuse(&error, engine);
        }
    }

    /// An answer stands where the prompt does.
    fn show(&self, text: &str, engine: &mut Engine) {
        engine.tell(self.setting.face, text);
    }

    fn use_only(&mut self, ranks: Vec<usize>, engine: &mut Engine) -> Result<(), String> {
        self.connected(&ranks)?;
        self.take(Some(ranks), engine);
        Ok(())
    }

    /// Refuses nodes that could not do what they are asked.
    fn connected(&self, ranks: &[usize]) -> Result<(), String> {
        let missing: Vec<usize> = ranks
            .iter()
            .copied()
            .filter(|&rank| self.seats.seats[rank].state != State::Ready)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names = report::subject(&self.seats.labels(&missing));
        Err(format!(
            "not connected: {names}; ':reconnect' tries again, ':nodes' shows how they stand"
        ))
    }

    fn take(&mut self, ranks: Option<Vec<usize>>, engine: &mut Engine) {
        for seat in &mut self.seats.seats {
            seat.used = ranks.is_none();
        }
        for rank in ranks.into_iter().flatten() {
            self.seats.seats[rank].used = true;
        }
        let used = self
            .seats
            .ranks(|seat| seat.used && seat.state == State::Ready);
        self.show(&words::working_with(&self.seats.labels(&used)), engine);
    }

    fn run_on(
        &mut self,
        ranks: Vec<usize>,
        command: &str,
        engine: &mut Engine,
    ) -> Result<(), String> {
        self.connected(&ranks)?;
        let order = order(ranks.iter().map(|&rank| rank as u128));
        let ranks = order.iter().map(|&at| ranks[at]).collect();
        self.dispatch(ranks, command.as_bytes(), engine);
        Ok(())
    }

    fn reconnect(&mut self, list: Option<&str>, engine: &mut Engine) -> Result<(), String> {
        let ranks = match list {
            Some(list) => self.seats.find(list)?,
            None => self.seats.ranks(|seat| !seat.state.is_alive()),
        };
        let alive = |&rank: &usize| self.seats.seats[rank].state.is_alive();
        if list.is_some() && ranks.iter().any(alive) {
            let alive: Vec<usize> = ranks.into_iter().filter(alive).collect();
            return Err(format!(
                "connected already: {}",
                report::subject(&self.seats.labels(&alive))
            ));
        }
        if ranks.is_empty() {
            return Err("every node is connected".into());
        }
        for &rank in &ranks {
            let seat = &mut self.seats.seats[rank];
            seat.slot = engine.add(&seat.label);
            seat.state = State::Connecting;
            self.owners.push(Owner::Node(rank));
        }
        self.stage = Stage::Connecting {
            pending: ranks.len(),
            back: Some(ranks),
        };
        Ok(())
    }

    fn run_here(&mut self, command: String, engine: &mut Engine) {
        let full_screen = is_full_screen(&command);
        self.rule(engine);
        self.effects.push_back(Effect::Lend(true));
        let slot = engine.add_local(words::LOCAL);
        self.owners.push(Owner::Local(Local {
            command,
            full_screen,
        }));
        self.stage = Stage::Local(slot);
    }

    /// The command that ran here is done.
    pub(super) fn local_ended(&mut self, outcome: Outcome, engine: &mut Engine) {
        if !matches!(self.stage, Stage::Local(_)) {
            return;
        }
        self.stage = Stage::Ready;
        self.effects.push_back(Effect::Lend(false));
        self.rule(engine);
        self.status = outcome.status();
        if !self.setting.quiet && engine.reason().is_none() {
            engine.say(&report::summary(
                [(words::LOCAL, outcome)].into_iter(),
                None,
            ));
        }
        self.quit_if_deserted(engine);
    }
}

/// Programs that read their keys from stderr where stdin is no terminal, and so wait for ever where that is none either.
const WAIT_FOR_TERMINAL: [&str; 7] = ["vi", "vim", "nvim", "view", "vimdiff", "rvim", "rview"];

fn is_full_screen(command: &str) -> bool {
    program_among(&FULL_SCREEN, command).is_some()
}

/// The program of a command that would only wait for a terminal. With options such as `-es` it edits without one.
fn waits_for_terminal(command: &[u8]) -> Option<&str> {
    let command = str::from_utf8(command).ok()?;
    let edits_alone = |word: &str| {
        ["-e", "-E", "-s", "--headless", "--version", "--help"]
            .iter()
            .any(|option| word.starts_with(option))
    };
    program_among(&WAIT_FOR_TERMINAL, command)
        .filter(|_| !command.split_whitespace().any(edits_alone))
}

/// The program of a command, if it has one of these names. Behind `sudo` and the like any word may be the program.
fn program_among<'a>(names: &[&str], command: &'a str) -> Option<&'a str> {
    let named = |word: &&str| {
        word.rsplit('/')
            .next()
            .is_some_and(|name| names.contains(&name))
    };
    let mut words = command
        .split_whitespace()
        .skip_while(|word| matches!(*word, "env" | "exec") || word.contains('='));
    match words.next() {
        Some("sudo" | "doas") => words.find(named),
        first => first.filter(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_would_wait_for_a_terminal_are_known_by_name() {
        for (command, program) in [
            ("vi /etc/hosts", Some("vi")),
            ("sudo /usr/bin/vim x", Some("/usr/bin/vim")),
            ("EDITOR=x vimdiff a b", Some("vimdiff")),
            ("vim -es -c wq x", None),
            ("vim --version", None),
            ("echo vi", None),
            ("top", None),
            ("", None),
        ] {
            assert_eq!(waits_for_terminal(command.as_bytes()), program, "{command}");
        }
    }

    #[test]
    fn full_screen_programs_are_known_by_name() {
        for command in [
            "vim",
            "vi /etc/hosts",
            "sudo top",
            "EDITOR=x /usr/bin/less a",
            "exec htop",
        ] {
            assert!(is_full_screen(command), "{command}");
        }
        for command in ["ls", "echo vim", "vimx", "", "a=b"] {
            assert!(!is_full_screen(command), "{command}");
        }
    }
}
