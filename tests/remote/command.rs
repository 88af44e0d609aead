//! What the command sees around it.

use crate::nodes::{must, nodes};
use crate::support::{self, Finished};
use std::io::{Read, Seek, Write};

#[test]
fn the_command_knows_its_node_its_rank_and_their_count() {
    let done = nodes().run([
        "-h",
        "node[2,4,1]",
        "echo $CLSH_HOST $CLSH_RANK $CLSH_COUNT",
    ]);
    assert_eq!(
        done.sorted(),
        ["node1: node1 2 3", "node2: node2 0 3", "node4: node4 1 3"]
    );
    let printenv = nodes().run(["-h", "node1", "printenv CLSH_HOST CLSH_RANK CLSH_COUNT"]);
    assert_eq!(
        printenv.out(),
        "node1: node1\nnode1: 0\nnode1: 1\n",
        "exported"
    );
}

#[test]
fn the_command_runs_in_the_home_of_the_user_with_the_login_shell() {
    let command = "pwd; echo $SHELL; echo $LOGNAME; echo $PATH; umask; ulimit -n";
    let clsh = nodes().run(["-N", "-h", "node1", command]);
    let config = nodes().ssh_config();
    let config = config.to_str().expect("UTF-8");
    let ssh = must(&["ssh", "-F", config, "node1", command]);
    assert_eq!(clsh.out(), ssh);
}

#[test]
fn words_are_joined_by_single_blanks_as_ssh_does_it() {
    let done = nodes().run(["-h", "node1", "echo", "a  b", "'c", "  d'", "-h", "--", "x"]);
    assert_eq!(done.out(), "node1: a b c   d -h -- x\n");
}

#[test]
fn a_search_by_command_line_does_not_find_the_wrapper() {
    // This machine is all nodes and holds clsh and ssh as well, so the search is for the session of the command alone.
    let search = |word: &str| nodes().run(["-h", "node1", "pgrep", "-s", "0", "-f", word]);
    let done = search("unlikelyword123");
    assert_eq!(
        (done.code(), done.out()),
        (1, String::new()),
        "pgrep must be there: {}",
        done.err()
    );
    assert_eq!(search("sh").code(), 0, "the wrapper is there");
    let ps = "ps -o args= -s $(ps -o sess= -p $$) | grep -v '^ps ' | grep -c unlikely[w]ord456";
    let done = nodes().run(["-h", "node1", &format!("{ps}; : unlikelyword456")]);
    // The shell that runs this very line holds the word, as under plain ssh, and is the only one.
    assert_eq!(
        (done.code(), done.out()),
        (0, "node1: 1\n".to_owned()),
        "{}",
        done.err()
    );
}

/// Runs clsh with a text on its stdin, as a file and as a pipe, and sees that all of it is left to those after it.
fn with_text_on_stdin(words: &[&str]) -> Finished {
    let directory = support::scratch();
    let path = directory.path().join("input");
    std::fs::write(&path, "a\nb\n").expect("write");
    let mut input = std::fs::File::open(&path).expect("open");
    let with_file = support::run(nodes().clsh(words).stdin(input.try_clone().expect("dup")));
    assert_eq!(input.stream_position().expect("position"), 0);
    let (mut reader, mut writer) = std::io::pipe().expect("pipe");
    writer.write_all(b"a\nb\n").expect("write");
    drop(writer);
    let with_pipe = support::run(nodes().clsh(words).stdin(reader.try_clone().expect("dup")));
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("read");
    assert_eq!(rest, "a\nb\n");
    let seen = |done: &Finished| (done.sorted(), done.err(), done.code());
    assert_eq!(seen(&with_file), seen(&with_pipe));
    with_pipe
}

#[test]
fn with_n_the_command_sees_an_empty_stdin_and_that_of_clsh_is_left_to_those_after_it() {
    let done = with_text_on_stdin(&["-n", "-h", "node[1-2]", "cat; echo end"]);
    assert_eq!(done.sorted(), ["node1: end", "node2: end"]);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn with_n_a_bare_command_sees_an_empty_stdin_as_well() {
    let done = with_text_on_stdin(&["-n", "--bare", "-h", "node1", "cat; echo end"]);
    assert_eq!((done.code(), done.out()), (0, "node1: end\n".to_owned()));
}
