//! Every constant of the program, with its unit in its name, and the relations that must hold between them.

use std::time::Duration;

/// Most nodes one call may name, counted after expansion.
pub const NODES_MAX: usize = 1_000_000;
/// Longest host name, user name or word of a node list after expansion, in bytes (DNS allows 253).
pub const NAME_BYTES_MAX: usize = 255;

/// Most nodes that run at once unless `-f` says otherwise.
pub const FANOUT_DEFAULT: usize = 64;
/// The shell of a session unless `--shell` says otherwise.
pub const SHELL_DEFAULT: &str = "sh";
/// How long a node may take until its hello unless `-t` says otherwise.
pub const CONNECT_DEFAULT: Duration = Duration::from_secs(10);
/// How long clsh waits beyond the connect time, so that ssh gives up first and says why in its own words.
pub const CONNECT_GRACE: Duration = Duration::from_millis(500);
/// Connections that are made at once at first, for each processor: while some wait for an answer, others compute.
pub const CONNECTING_PER_CORE: usize = 4;
/// The same at most before any has been made, where all of them are at work.
pub const CONNECTING_BLIND_MAX: usize = 16;
/// Without a hello for so long, twice as many connections are made at once, up to there.
pub const BLIND_PAUSE: Duration = Duration::from_millis(250);
/// Fewest connections at once where the far side drops them.
pub const CONNECTING_GATED_MIN: usize = 2;
/// After so many rounds of hellos in a row that came no faster than the rounds before, more connections at once do not help.
pub const ROUNDS_ALIKE_MAX: u32 = 2;
/// The quickest of so many hellos in a row tells how long handshakes are queued: one slow login does not.
pub const HELLOS_REMEMBERED: usize = 4;
/// Between looks at what connections do, while a node waits for room.
pub const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Most connections that are looked at in one go: each takes some 30 microseconds.
pub const LOOKS_MAX: usize = 32;
/// After doing nothing for so long a connection holds nobody up.
pub const REST_AFTER: Duration = Duration::from_millis(20);
/// The same where nothing can be seen of what it does: after its start.
pub const REST_BLIND: Duration = Duration::from_secs(1);
/// The same where the far side drops connections: it counts those that wait, too.
pub const REST_GATED: Duration = Duration::from_secs(2);
/// Most times a connection is tried again that was dropped before anybody could log in.
pub const DROPS_MAX: u32 = 10;
/// The same while no other node gets through.
pub const DROPS_ALONE_MAX: u32 = 3;
/// Pause before such a try; twice as long each time while no other node gets through.
pub const DROP_PAUSE: Duration = Duration::from_millis(250);
/// Over so much time at the end of its patience a connection is watched: it is silent if it does no work then.
pub const DOUBT: Duration = Duration::from_secs(1);
/// Work of so much in that time is more than a process does that only waits.
pub const WORK_LEAST: Duration = Duration::from_micros(500);
/// From SIGTERM to SIGKILL unless `--kill-after` says otherwise.
pub const KILL_AFTER_DEFAULT: Duration = Duration::from_secs(2);
/// How long a process is waited for after SIGKILL. One that the kernel holds (state D: it waits for a disk or a file server, or is frozen) may
/// never end, and clsh would not either.
pub const UNKILLABLE_GRACE: Duration = Duration::from_secs(5);
/// How long a background process that holds the output open may hold a node whose command is done.
pub const DRAIN_GRACE: Duration = Duration::from_millis(500);
/// How long a run that is being ended waits for a reader of its output that does not read.
pub const FLUSH_GRACE: Duration = Duration::from_secs(2);

/// Most bytes read from one source in one turn, so that a flood on one node does not delay another's lines.
pub const READ_BYTES_MAX: usize = 64 * 1024;
/// What a pipe holds by default (pipe(7)): all that can have arrived before the moment it is looked at.
pub const PIPE_BYTES: usize = 64 * 1024;
/// A longer line is cut into pieces of this size.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Above this much waiting output the nodes are not read.
pub const OUT_HIGH_BYTES: usize = 256 * 1024;
/// What unfinished lines of all nodes may take together; beyond that the longest are cut.
pub const UNFINISHED_BYTES_MAX: usize = 24 * 1024 * 1024;
/// A line that is not longer than this is not cut, and its memory is a part of what a node takes.
pub const SHORT_LINE_BYTES: usize = 1024;
/// After so much memory of unfinished lines was freed, it is given back to the kernel,
pub const GIVE_BACK_BYTES: usize = 4 * 1024 * 1024;
/// where they had taken so much.
pub const GIVE_BACK_PEAK_BYTES: usize = 8 * 1024 * 1024;

/// Most of clsh's standard input that is read ahead of the slowest node.
pub const INPUT_HELD_MAX: u64 = 1024 * 1024;

/// What is kept of the nodes' output in memory; more goes into a file.
pub const KEPT_MEMORY_MAX: usize = 56 * 1024 * 1024;
/// What unfinished chunks of all streams may take beside that.
pub const KEPT_TAILS_MAX: usize = 8 * 1024 * 1024;
/// Largest chunk of a kept stream; the more streams at once the smaller.
pub const KEPT_CHUNK_MAX: usize = 64 * 1024;
/// Smallest chunk of a kept stream.
pub const KEPT_CHUNK_MIN: usize = 1024;
/// Kept output goes into its file in pieces of this size.
pub const SPOOL_BYTES: usize = 256 * 1024;
/// Pieces of kept output that are shown in one turn.
pub const REPLAY_STEPS_PER_TURN: usize = 64;
/// Longest output of a group that is compared with another's line by line.
pub const DIFF_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The same in lines: comparing them takes at most about half a second.
pub const DIFF_LINES_MAX: usize = 100_000;

/// Pause before a connection is tried again unless `--retry-delay` says otherwise.
pub const RETRY_DELAY_DEFAULT: Duration = Duration::from_secs(1);
/// Most times a connection that failed may be tried again.
pub const RETRIES_MAX: u32 = 1000;
/// Longest pause before a connection is tried again.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(300);
/// Most nodes that are named as those that run longest.
pub const LONGEST_SHOWN: usize = 5;
/// Width of a terminal that does not know its own.
pub const COLUMNS_DEFAULT: usize = 80;
/// When a progress line appears by itself.
pub const PROGRESS_AFTER: Duration = Duration::from_secs(1);
/// Least time between two changes of the progress line.
pub const PROGRESS_PAUSE: Duration = Duration::from_millis(100);
/// Longest command line of a session.
pub const COMMAND_BYTES_MAX: usize = 1024 * 1024;
/// Most lines of history that are kept.
pub const HISTORY_MAX: usize = 1000;
/// How long after an interrupt it is sent again to a program of the shell's that can only have missed it.
pub const INTERRUPT_AGAIN: Duration = Duration::from_millis(200);
/// A second Ctrl-C within this time ends the session.
pub const INTERRUPT_TWICE: Duration = Duration::from_secs(1);
/// More nodes than this are shown folded where a session lists them.
pub const LISTED_MAX: usize = 16;

/// A turn that begins so much later than it should have says that clsh did not run meanwhile.
pub const TURN_LATE_MAX: Duration = Duration::from_millis(250);
/// So long after a stop no deadline passes: what came meanwhile is read.
pub const STOP_GRACE: Duration = Duration::from_secs(1);

/// What ends the reader of stdout may be a signal that clsh gets, too: so long after the reader's end it still may come, and is the reason.
pub const SIGNAL_MOMENT: Duration = Duration::from_millis(10);
/// A SIGHUP so soon after another is the same end of a terminal: the kernel sends one, and the shell another.
pub const HANGUP_TWICE: Duration = Duration::from_millis(500);

/// Most nodes started in one turn, so that lines of running nodes are not delayed by spawning.
pub const SPAWNS_PER_TURN: usize = 8;
/// With no more children than this alive, every end of one is a walk over them all; with more, this many at most are asked for singly between walks.
pub const REAP_SINGLY_MAX: usize = 64;
/// Distance between walks over all children, for each of them alive beyond those: a walk takes about a hundredth of it.
pub const REAP_DISTANCE_PER_CHILD: Duration = Duration::from_micros(10);
/// Pause before the next try when the kernel had no process or descriptor to give and nothing runs that could free one.
pub const SPAWN_RETRY: Duration = Duration::from_millis(100);
/// Pause before more nodes are tried at once than there were when the kernel had no process or descriptor to give.
pub const SPAWN_RAISE: Duration = Duration::from_secs(1);
/// Tries without any running node before one is given up.
pub const SPAWN_TRIES_MAX: u32 = 50;

/// Most processes at once that the guardian knows of. Further ones are only killed by the kernel when clsh is.
pub const GUARDED_MAX: usize = (1 << 16) - 1;

/// Descriptors a node takes whose command runs here: stdout and stderr.
pub const DESCRIPTORS_LOCAL: usize = 2;
/// Descriptors a node takes whose command runs in the wrapper: its lifeline, too.
pub const DESCRIPTORS_WRAPPED: usize = 3;
/// Descriptors a session takes beside its nodes: its terminal or script, the history, and a command that runs here.
pub const DESCRIPTORS_SESSION: usize = 6;
/// Descriptors for what is kept until it is needed: a file for standard input, one for output.
pub const DESCRIPTORS_KEPT: usize = 2;
/// Descriptors kept free for one spawn: the child's three ends, the null device, and one that moves out of the way.
pub const DESCRIPTORS_SPARE: usize = 5;

/// What is looked at of a line of ssh's configuration, in bytes.
pub const SSH_CONFIG_LINE_MAX: usize = 64 * 1024;
/// Most files of ssh's configuration that are looked at.
pub const SSH_CONFIG_FILES_MAX: usize = 1024;
/// How deep one may include another (OpenSSH's readconf.c, `READCONF_MAX_DEPTH`).
pub const SSH_CONFIG_DEPTH_MAX: usize = 16;

/// Longest words of ssh's that are looked for in what it says.
pub const SSH_WORDS_BYTES_MAX: usize = 64;

/// Longest password: what ssh takes from the program that asks for it (OpenSSH's readpass.c), less its NUL.
pub const PASSWORD_BYTES_MAX: usize = 1023;

/// Longest single argument the kernel takes (execve(2), `MAX_ARG_STRLEN`), less its NUL. The remote side has the same bound.
pub const ARGUMENT_BYTES_MAX: usize = 128 * 1024 - 1;
/// Longest frame, from mark to mark.
pub const FRAME_BYTES_MAX: usize = 64;

const _: () = assert!(FRAME_BYTES_MAX < SHORT_LINE_BYTES && SHORT_LINE_BYTES < LINE_BYTES_MAX);
const _: () = assert!(READ_BYTES_MAX <= OUT_HIGH_BYTES);
// Kept output is read back through the buffer that the nodes are read with.
const _: () = assert!(KEPT_CHUNK_MAX <= READ_BYTES_MAX);
const _: () = assert!(LINE_BYTES_MAX + READ_BYTES_MAX < UNFINISHED_BYTES_MAX);
const _: () = assert!(KEPT_CHUNK_MIN <= KEPT_CHUNK_MAX && KEPT_CHUNK_MAX <= KEPT_TAILS_MAX);
const _: () = assert!(NODES_MAX < u32::MAX as usize);
