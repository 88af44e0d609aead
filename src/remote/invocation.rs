//! The command line that is started here for each node.

use super::frames::Nonce;
use super::script::Script;
use super::transport::{SshOptions, Transport, fill, is_about};
use super::wrapper::{BOOTSTRAP, BOOTSTRAP_IN_PLACE, Run, Target, Wrapper};
use crate::hosts::Node;
use crate::limits::ARGUMENT_BYTES_MAX;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Duration;

/// Why no command line can be made of a job: without the wrapper a command is an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// How long the command is.
    pub bytes: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes } = self;
        write!(
            f,
            "the command is too long for --bare: {bytes} bytes, where {ARGUMENT_BYTES_MAX} fit; put it into a script on the nodes"
        )
    }
}

/// What stands in for the login shell where shells run here.
const LOCAL_SHELL: &str = "sh";

/// What a node's command line ends in.
enum Payload {
    /// The wrapper around the command.
    Wrapped(Wrapper),
    /// The command as it was typed, its words joined by single spaces.
    Bare(Vec<u8>),
    /// Nothing: the login shell reads what comes in.
    Login,
    /// The words themselves.
    Words(Vec<Vec<u8>>),
}

/// What runs on a node.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    /// One command: its words as typed.
    Command(&'a [Vec<u8>]),
    /// A script.
    Script(&'a Script),
    /// A session: the command line of a shell that reads commands from its stdin.
    Session(&'a str),
}

/// What all nodes' command lines are made from.
pub struct Call<'a> {
    /// How a node is reached.
    pub transport: &'a Transport,
    /// What runs there.
    pub work: Work<'a>,
    /// The user to log in as where a node names none (`-l`).
    pub user: Option<&'a str>,
    /// What `%u` stands for where neither names one.
    pub local_user: String,
    /// How long ssh may take to connect.
    pub connect: Duration,
    /// From SIGTERM to SIGKILL when the far side is ended.
    pub kill_after: Duration,
    /// How many nodes there are.
    pub count: usize,
    /// The command reads what its transport's process reads.
    pub input: bool,
    /// Whom the command runs as, by sudo.
    pub sudo: Option<&'a str>,
}

/// Makes every node's command line. Built once a run.
pub struct Invocation {
    transport: Transport,
    payload: Payload,
    user: Option<String>,
    local_user: String,
    connect_secs: u64,
    grace_secs: u64,
    count: usize,
    input: bool,
}

impl Invocation {
    /// Prepares what all nodes share.
    ///
    /// # Errors
    /// The command is longer than a single argument may be.
    pub fn new(call: Call, nonce: &Nonce) -> Result<Self, TooLong> {
        let Call {
            transport,
            work,
            user,
            local_user,
            connect,
            kill_after,
            count,
            input,
            sudo,
        } = call;
        let payload = match (work, transport) {
            (Work::Script(script), _) => script_payload(script, transport, input, nonce, sudo),
            (Work::Session(shell), _) => Payload::Wrapped(Wrapper::session(shell, nonce)),
            (Work::Command(words), Transport::Exec) => Payload::Words(words.to_vec()),
            (
                Work::Command(words),
                Transport::Ssh { bare: true, .. } | Transport::Template { bare: true, .. },
            ) => Payload::Bare(words.join(&b' ')),
            (Work::Command(words), Transport::Ssh { .. } | Transport::Template { .. }) => {
                let theirs = input || has_terminal(transport);
                let command = words.join(&b' ');
                Payload::Wrapped(Wrapper::run(Run::Command(&command), nonce, theirs, sudo))
            }
        };
        if let Payload::Bare(command) = &payload
            && command.len() > ARGUMENT_BYTES_MAX
        {
            return Err(TooLong {
                bytes: command.len(),
            });
        }
        let whole_secs = |time: Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let (transport, user) = (transport.clone(), user.map(str::to_owned));
        Ok(Self {
            transport,
            payload,
            user,
            local_user,
            connect_secs: whole_secs(connect),
            grace_secs: whole_secs(kill_after),
            count,
            input,
        })
    }

    /// Whether the far side reports through frames, and reads from its stdin what it is to do.
    pub fn is_wrapped(&self) -> bool {
        matches!(self.payload, Payload::Wrapped(_))
    }

    /// Whether the command reads what its transport's process reads.
    pub fn has_input(&self) -> bool {
        self.input
    }

    /// The program, when it is the same for all nodes.
    pub fn program(&self) -> Option<&[u8]> {
        let first = match (&self.transport, &self.payload) {
            (Transport::Ssh { .. }, _) => return Some(b"ssh"),
            (Transport::Template { words, .. }, _) => words.first()?.as_bytes(),
            (Transport::Exec, Payload::Words(words)) => words.first()?,
            (Transport::Exec, _) => return Some(LOCAL_SHELL.as_bytes()),
        };
        (!first.contains(&b'%')).then_some(first)
    }

    /// The program and its arguments for one node. No word of it passes through a shell here.
    pub fn words(&self, node: &Node, rank: usize) -> Vec<Vec<u8>> {
        let fill = |text: &[u8]| {
            fill(text, |letter, filled| {
                self.placeholder(letter, node, rank, filled)
            })
        };
        match &self.transport {
            Transport::Exec => match &self.payload {
                Payload::Words(words) => words.iter().map(|word| fill(word)).collect(),
                Payload::Wrapped(_) | Payload::Bare(_) | Payload::Login => {
                    let mut words = vec![LOCAL_SHELL.into(), b"-c".to_vec()];
                    words.extend(self.last());
                    words
                }
            },
            Transport::Ssh { ssh, .. } => {
                let mut words = self.ssh_words(ssh, node);
                words.extend([b"--".to_vec(), node.host().as_bytes().to_vec()]);
                words.extend(self.last());
                words
            }
            Transport::Template {
                words: template, ..
            } => {
                let mut words: Vec<Vec<u8>> =
                    template.iter().map(|word| fill(word.as_bytes())).collect();
                if !template.iter().any(|word| names_host(word)) {
                    words.push(node.host().as_bytes().to_vec());
                }
                words.extend(self.last());
                words
            }
        }
    }

    /// What a command that runs here, not in a wrapper, learns through its environment.
    pub fn environment(&self, node: &Node, rank: usize) -> Vec<(&'static str, String)> {
        match self.payload {
            Payload::Words(_) => {
                vec![
                    ("CLSH_HOST", node.host().to_owned()),
                    ("CLSH_RANK", rank.to_string()),
                    ("CLSH_COUNT", self.count.to_string()),
                ]
            }
            Payload::Wrapped(_) | Payload::Bare(_) | Payload::Login => Vec::new(),
        }
    }

    /// What connects to a node by hand, as clsh does it, for a person who is to look at it: words for a shell.
    pub fn by_hand(&self, node: &Node) -> Vec<u8> {
        let mut words: Vec<&[u8]> = vec![b"ssh"];
        if let Transport::Ssh { ssh, .. } = &self.transport {
            for option in &ssh.options {
                words.extend([b"-o", option.as_bytes()]);
            }
            if let Some(file) = &ssh.config {
                words.extend([b"-F", file.as_bytes()]);
            }
            if let Some(jump) = &ssh.jump {
                words.extend([b"-J", jump.as_bytes()]);
            }
        }
        if let Some(user) = node.user().or(self.user.as_deref()) {
            words.extend([b"-l", user.as_bytes()]);
        }
        let port = node.port().map(|port| port.to_string());
        if let Some(port) = &port {
            words.extend([b"-p", port.as_bytes()]);
        }
        words.push(node.host().as_bytes());
        let mut line = Vec::new();
        for word in words {
            shell_word(word, &mut line);
        }
        line.pop();
        line
    }

    fn placeholder(&self, letter: u8, node: &Node, rank: usize, filled: &mut Vec<u8>) {
        match letter {
            b'h' => filled.extend_from_slice(node.host().as_bytes()),
            b'n' => filled.extend_from_slice(rank.to_string().as_bytes()),
            _ => filled.extend_from_slice(
                node.user()
                    .or(self.user.as_deref())
                    .unwrap_or(&self.local_user)
                    .as_bytes(),
            ),
        }
    }

    /// The last argument, which a shell on the far side reads, if there is one.
    fn last(&self) -> Option<Vec<u8>> {
        Some(match &self.payload {
            Payload::Wrapped(_) => match self.transport {
                Transport::Ssh { .. } => BOOTSTRAP.into(),
                Transport::Exec | Transport::Template { .. } => BOOTSTRAP_IN_PLACE.into(),
            },
            Payload::Bare(command) => command.clone(),
            Payload::Words(words) => words.join(&b' '),
            Payload::Login => return None,
        })
    }

    /// What a node is sent at that stage, counted from 0.
    pub fn stage(&self, stage: usize, node: &Node, rank: usize) -> Option<[Rc<[u8]>; 3]> {
        let Payload::Wrapped(wrapper) = &self.payload else {
            return None;
        };
        let target = Target {
            host: node.host(),
            rank,
            count: self.count,
            grace_secs: self.grace_secs,
        };
        wrapper.stage(stage, target)
    }

    /// ssh takes the first value it sees for an option (ssh_config(5)), so the user's own stand before clsh's.
    fn ssh_words(&self, ssh: &SshOptions, node: &Node) -> Vec<Vec<u8>> {
        let mut words = vec![b"ssh".to_vec()];
        let mut pair =
            |flag: &str, value: &[u8]| words.extend([flag.as_bytes().to_vec(), value.to_vec()]);
        for option in &ssh.options {
            pair("-o", option.as_bytes());
        }
        if let Some(file) = &ssh.config {
            pair("-F", file.as_bytes());
        }
        if let Some(jump) = &ssh.jump {
            pair("-J", jump.as_bytes());
        }
        if let Some(user) = node.user().or(self.user.as_deref()) {
            pair("-l", user.as_bytes());
        }
        if let Some(port) = node.port() {
            pair("-p", port.to_string().as_bytes());
        }
        let connect = format!("ConnectTimeout={}", self.connect_secs);
        if ssh.password {
            // Once a node, or a wrong one would lock people out.
            pair("-o", b"NumberOfPasswordPrompts=1");
        }
        for option in [
            if ssh.password {
                "BatchMode=no"
            } else {
                "BatchMode=yes"
            },
            &connect,
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
        ] {
            pair("-o", option.as_bytes());
        }
        for option in ssh.mentions.overrides() {
            pair("-o", option.as_bytes());
        }
        if ssh.tty {
            // Or it says "Connection to HOST closed." at each end.
            pair("-o", b"LogLevel=ERROR");
        }
        // These three win over -o wherever they stand, so one that the user's own -o is about is left out.
        let asked = |name: &str| ssh.options.iter().any(|option| is_about(option, name));
        for (flag, name) in [
            (if ssh.tty { "-tt" } else { "-T" }, "RequestTTY"),
            ("-a", "ForwardAgent"),
            ("-x", "ForwardX11"),
        ] {
            words.extend((!asked(name)).then(|| flag.as_bytes().to_vec()));
        }
        words
    }
}

/// What a node's command line ends in that reads a script.
fn script_payload(
    script: &Script,
    transport: &Transport,
    input: bool,
    nonce: &Nonce,
    sudo: Option<&str>,
) -> Payload {
    let shell = script.shell.as_deref();
    let shell = match transport {
        Transport::Ssh { bare: true, .. } => {
            return shell.map_or(Payload::Login, |shell| Payload::Bare(shell.into()));
        }
        Transport::Template { bare: true, .. } => {
            return Payload::Bare(shell.unwrap_or(LOCAL_SHELL).into());
        }
        Transport::Exec => Some(shell.unwrap_or(LOCAL_SHELL)),
        Transport::Ssh { .. } | Transport::Template { .. } => shell,
    };
    let script = Script {
        shell: shell.map(str::to_owned),
        file: script.file.clone(),
    };
    let theirs = input || has_terminal(transport);
    Payload::Wrapped(Wrapper::run(Run::Script(&script), nonce, theirs, sudo))
}

/// Appends a word as a person would type it in a shell, and a space.
fn shell_word(word: &[u8], line: &mut Vec<u8>) {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,~[]".contains(byte);
    let quote = (!word.iter().all(is_plain)).then_some(b'\'');
    line.extend(quote);
    for &byte in word {
        match byte {
            b'\'' => line.extend_from_slice(br"'\''"),
            _ => line.push(byte),
        }
    }
    line.extend(quote);
    line.push(b' ');
}

/// Whether the command's stdin on the far side is a terminal. Then it is no lifeline: it would see what is typed instead.
fn has_terminal(transport: &Transport) -> bool {
    matches!(transport, Transport::Ssh { ssh, .. } if ssh.tty)
}

fn names_host(word: &str) -> bool {
    let mut found = false;
    fill(word.as_bytes(), |letter, _| found |= letter == b'h');
    found
}
