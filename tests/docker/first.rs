//! What is there right after `up`.

use crate::cluster::{Cluster, NODES, cluster, from_all};
use crate::support::{Finished, run};

const NOTE: &str = "Note: use CLSH_HOSTS environment\n";

#[test]
fn clsh_reaches_all_nodes_as_soon_as_up_returns() {
    let Some(cluster) = cluster() else { return };
    let first = &cluster.first;
    assert_eq!((first.code(), first.err()), (0, NOTE.to_owned()));
    let lines = first.sorted();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, node) in lines.iter().zip(NODES) {
        let fields = line.strip_prefix(&format!("{node}: "));
        let fields = fields.map(|text| text.split(' ').count());
        assert_eq!(fields, Some(5), "{line}");
    }
}

#[test]
fn main_opens_a_shell_where_every_source_names_the_nodes() {
    let Some(cluster) = cluster() else { return };
    let script = "whoami; pwd; for f in hostfile clusterfile .hostfile; do xargs <$f; done; \
                  clsh -q -Q | xargs; unset CLSH_HOSTS; clsh -Q | xargs; unset CLSH_HOSTFILE; clsh -Q | xargs";
    let words = ["exec", "-T", "main", "bash", "-c", script];
    let done = run(&mut cluster.compose(words));
    let nodes = NODES.join(" ");
    let mut expected = vec!["ubuntu", "/home/ubuntu"];
    expected.extend([&*nodes; 6]);
    assert_eq!(done.out().lines().collect::<Vec<_>>(), expected);
    let notes = "Note: use hostfile 'clusterfile' (CLSH_HOSTFILE env)\nNote: use hostfile '.hostfile' (default)\n";
    assert_eq!((done.code(), done.err()), (0, notes.to_owned()));
}

#[test]
fn each_line_comes_from_its_node_and_the_status_is_the_largest() {
    let Some(cluster) = cluster() else { return };
    let done = cluster.in_main("clsh -q 'hostname; whoami; exit $CLSH_RANK'");
    let mut expected = from_all("ubuntu");
    expected.extend(NODES.map(|node| format!("{node}: {node}")));
    expected.sort();
    assert_eq!((done.code(), done.sorted()), (3, expected));
}

#[test]
fn root_in_main_reaches_the_nodes_too() {
    let Some(cluster) = cluster() else { return };
    let words = ["exec", "-T", "-u", "root", "main", "clsh", "-q", "whoami"];
    let done = run(&mut cluster.compose(words));
    assert_eq!((done.code(), done.sorted()), (0, from_all("ubuntu")));
}

#[test]
fn host_keys_are_known_and_are_checked() {
    let Some(cluster) = cluster() else { return };
    let done = cluster.in_main("clsh -q -o GlobalKnownHostsFile=/dev/null true");
    assert_eq!((done.code(), done.out()), (255, String::new()));
    for line in from_all("Host key verification failed.") {
        assert!(done.err().contains(&line), "{}", done.err());
    }
    // Each node has its own.
    let keys = NODES.map(|node| cluster.on(node, "cat /etc/ssh/ssh_host_*_key.pub"));
    for key in &keys {
        assert_eq!(keys.iter().filter(|other| *other == key).count(), 1);
    }
}

/// clsh in main with a file that holds this password, and these words.
fn with_password(cluster: &Cluster, password: &str, words: &str) -> Finished {
    cluster.in_main(&format!(
        "umask 077; cd $(mktemp -d) && echo {password} >secret &&
            exec clsh -n -q --password-file secret {words}"
    ))
}

#[test]
fn the_password_ubuntu_opens_the_nodes_and_no_other_does() {
    let Some(cluster) = cluster() else { return };
    let login = "-o PubkeyAuthentication=no whoami";
    let done = with_password(&cluster, "ubuntu", login);
    assert_eq!((done.code(), done.sorted()), (0, from_all("ubuntu")));
    let done = with_password(&cluster, "wrong", login);
    assert_eq!((done.code(), done.out()), (255, String::new()));
}

#[test]
fn sudo_on_the_nodes_takes_the_password() {
    let Some(cluster) = cluster() else { return };
    let done = with_password(&cluster, "ubuntu", "--sudo whoami");
    let expected = (0, from_all("root"));
    assert_eq!((done.code(), done.sorted()), expected, "{}", done.err());
    let done = with_password(&cluster, "wrong", "--sudo whoami");
    assert_eq!((done.code(), done.out()), (1, String::new()));
    for node in NODES {
        let refused = format!("clsh: {node}: sudo does not take this password\n");
        assert!(done.err().contains(&refused), "{}", done.err());
    }
}
