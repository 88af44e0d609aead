//! A network that is cut in the middle of a command: no end of file, no reset, only silence.

use crate::nodes::{
    Config, Different, Guardian, Sleep, Sshd, below, left_out, must, nodes, wait_all_gone,
    without_root,
};
use crate::support;
use std::sync::atomic::{AtomicU32, Ordering};

/// A network namespace with one link to it, gone with the value or the test process.
pub struct Network {
    name: String,
    near: String,
    /// The address on the other side.
    pub far: String,
    _guardian: Guardian,
}

impl Network {
    fn new() -> Result<Self, String> {
        // One for each test that asks.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        let (name, near, end) = (
            format!("clsh-test-{id}-{made}"),
            format!("clsh{id}a{made}"),
            format!("clsh{id}b{made}"),
        );
        // Addresses of RFC 2544, for tests of networks.
        let subnet = format!("198.{}.{}", 18 + made % 2, id % 250);
        let far = format!("{subnet}.2");
        let guardian = Guardian::new(&format!("ip link del {near}; ip netns del {name}"));
        let addresses = [format!("{subnet}.1/30"), format!("{far}/30")];
        for words in [
            vec!["netns", "add", &name],
            vec![
                "link", "add", &near, "type", "veth", "peer", "name", &end, "netns", &name,
            ],
            vec!["addr", "add", &addresses[0], "dev", &near],
            vec!["link", "set", &near, "up"],
            vec!["-n", &name, "addr", "add", &addresses[1], "dev", &end],
            vec!["-n", &name, "link", "set", &end, "up"],
            vec!["-n", &name, "link", "set", "lo", "up"],
        ] {
            let done = std::process::Command::new("ip").args(&words).output();
            let said = match done {
                Ok(done) if done.status.success() => continue,
                Ok(done) => String::from_utf8_lossy(&done.stderr).into_owned(),
                Err(error) => error.to_string(),
            };
            return Err(format!("ip {}: {said}", words.join(" ")));
        }
        Ok(Self {
            name,
            near,
            far,
            _guardian: guardian,
        })
    }

    pub fn cut(&self) {
        must(&["ip", "link", "set", &self.near, "down"]);
    }

    /// From now on nothing that is sent to the other side is answered, not even by a refusal.
    pub fn swallow(&self) {
        let nobody = ["lladdr", "02:00:00:00:00:01", "nud", "permanent"];
        let neighbour = ["ip", "neigh", "replace", &self.far, "dev", &self.near];
        must(&[&neighbour[..], &nobody].concat());
    }

    /// A node on the other side, and a config that knows it as `far`.
    pub fn node(&self) -> (Sshd, Config) {
        let different = Different {
            lines: "ClientAliveInterval 1\nClientAliveCountMax 2\n",
            within: &["ip", "netns", "exec", &self.name],
            address: Some((&self.far, 22)),
            ..Different::default()
        };
        let far = Sshd::start(nodes(), &self.near, &different);
        let block = format!("Host far\n  HostName {}\n  HostKeyAlias node1\n", self.far);
        (far, Config::new(nodes(), &block))
    }
}

/// A network for this test, or nothing where the test is to be left out.
pub fn network(what: &str) -> Option<Network> {
    if without_root(what) {
        return None;
    }
    match Network::new() {
        Ok(network) => Some(network),
        Err(why) => {
            let left_out = left_out("CLSH_TEST_NO_NETNS", &format!("{what}: {why}"));
            assert!(
                left_out,
                "{what} needs network namespaces: {why}; CLSH_TEST_NO_NETNS=1 leaves it out"
            );
            None
        }
    }
}

#[test]
fn a_cut_network_is_a_lost_connection_and_ends_the_run_here_and_there() {
    let what = "cut::a_cut_network_is_a_lost_connection_and_ends_the_run_here_and_there";
    let Some(network) = network(what) else {
        return;
    };
    let (_far, config) = network.node();
    let sleep = Sleep::new(601);
    let options = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];
    let command = sleep.command();
    let words = [&options[..], &["-h", "node1,far,node2", &command]].concat();
    let clsh = support::start(&mut config.clsh(&words));
    sleep.wait_for(3);
    let started = below(clsh.pid());
    network.cut();
    let done = clsh.finish();
    assert_eq!(
        (done.code(), done.out()),
        (255, String::new()),
        "{}",
        done.err()
    );
    let err = done.err();
    assert_eq!(
        err.matches("ERROR: far connection lost\n").count(),
        1,
        "{err}"
    );
    assert_eq!(err.matches("ERROR:").count(), 1, "{err}");
    assert!(
        err.contains("\nclsh: node[1-2] (2): terminated, because far was lost\n"),
        "{err}"
    );
    wait_all_gone(&started);
    // There, sshd notices by itself and the wrapper ends the command.
    sleep.wait_gone();
}
