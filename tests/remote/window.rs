//! More nodes than run at once.

use crate::nodes::{Config, nodes, quoted};
use crate::support;

#[test]
fn thirty_two_nodes_answer_and_never_more_than_four_at_once() {
    let blocks: String = (0..32)
        .map(|rank| {
            let node = format!("node{}", rank % 8 + 1);
            let port = nodes().directory().join(format!("{node}.port"));
            let port = std::fs::read_to_string(port).expect("port");
            format!("Host m{rank:02}\n  HostName 127.0.0.1\n  Port {port}  HostKeyAlias {node}\n")
        })
        .collect();
    let config = Config::new(nodes(), &blocks);
    let directory = support::scratch();
    std::fs::create_dir(directory.path().join("now")).expect("mkdir");
    // Each node stands in the directory `now` while it runs and tells how many do. The first four wait for each other, which shows
    // that four do run at once.
    let command = format!(
        "cd {} && : >now/$CLSH_RANK; tries=0
        while [ $CLSH_RANK -lt 4 ] && [ ! -e four ] && [ $tries -lt 600 ]; do
          [ $(ls now | wc -l) -lt 4 ] || : >four
          tries=$((tries + 1)); sleep 0.05
        done
        ls now | wc -l; [ -e four ] && echo with four; rm now/$CLSH_RANK",
        quoted(directory.path())
    );
    let done = support::run(&mut config.clsh(&["-f", "4", "-h", "m[00-31]", &command]));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let lines = done.sorted();
    assert_eq!(lines.len(), 64, "{lines:?}");
    for (rank, pair) in lines.chunks(2).enumerate() {
        let count = pair[0]
            .strip_prefix(&format!("m{rank:02}: "))
            .expect("in order");
        let count: u32 = count.parse().expect("a number");
        assert!((1..=4).contains(&count), "{count} at once");
        assert_eq!(pair[1], format!("m{rank:02}: with four"));
    }
}

#[test]
fn the_same_host_under_several_users_and_ports_is_several_nodes() {
    let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
    let port = port.trim();
    let me = support::run(std::process::Command::new("id").arg("-un")).out();
    let list = format!("node1,{0}@node1,{0}@node1:{port},node1:{port}", me.trim());
    let done = nodes().run(["-f", "2", "-h", &list, "echo", "$CLSH_HOST", "$CLSH_RANK"]);
    let mut expected: Vec<String> = list
        .split(',')
        .enumerate()
        .map(|(rank, label)| format!("{label}: node1 {rank}"))
        .collect();
    expected.sort();
    assert_eq!((done.code(), done.sorted()), (0, expected));
}
