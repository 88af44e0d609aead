//! clsh against real sshd nodes.
#[path = "../support/mod.rs"]
mod support;

use support::Cluster;

#[test]
fn four_nodes_answer() {
    let done = Cluster::shared().run(["-h", "node[1-4]", "echo", "hello"]);
    assert_eq!(
        done.sorted(),
        [
            "node1: hello",
            "node2: hello",
            "node3: hello",
            "node4: hello"
        ]
    );
    assert_eq!((done.code(), done.err()), (0, String::new()));
}
