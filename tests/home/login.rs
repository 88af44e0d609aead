//! What a password does at a real sshd: a wrong one goes out once, and one that was taken may be needed again.

use crate::accounts::{self, Account};
use crate::nodes::must;
use crate::support::{self, run};

#[test]
fn a_wrong_one_is_tried_once_a_node_and_the_others_go_on() {
    let Some(world) = accounts::world() else {
        return;
    };
    let (good, bad) = (&world.person, Account::new());
    // Their passwords differ, and so the one that is right there is wrong here.
    let blocks = format!(
        "Host bad*\n  User {}\n  Port {}\n",
        bad.name, world.plain.port
    );
    let mut call = good.given(world, ["-h", "n[1-2],bad[1-3]", "id -un"]);
    let done = run(call.env("CLSH_SSH_CONFIG", world.config(good, &blocks)));
    assert_eq!(done.code(), 255);
    let lines = [1, 2].map(|node| format!("n{node}: {}", good.name));
    assert_eq!(done.sorted(), lines);
    for node in 1..=3 {
        let error = format!("ERROR: bad{node} connection failed\n");
        assert!(done.err().contains(&error), "{}", done.err());
    }
    let summary = "clsh: bad[1-3] (3): connection failed\n";
    assert!(done.err().ends_with(summary), "{}", done.err());
    assert_eq!(world.plain.said("Failed password", &bad), 3);
}

/// A call with a wrong password for two nodes, and how often which server was told a password then.
fn tried(words: &[&str], blocks: &str, counts: [usize; 2]) {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::new();
    let config = world.config(&account, blocks);
    let mut call = account.with_file(world, "wrong", words.iter().copied());
    let done = run(call.env("CLSH_SSH_CONFIG", config).arg("true"));
    assert_eq!(done.code(), 255, "{words:?}: {}", done.err());
    let summary = "(2): connection failed\n";
    assert!(done.err().ends_with(summary), "{words:?}: {}", done.err());
    // PAM speaks of the one method, sshd itself of the other.
    let plain = world.plain.said("Failed password", &account);
    let keyboard = world.keyboard.said("PAM: Authentication failure", &account);
    let keyboard = keyboard + world.keyboard.said("Failed password", &account);
    assert_eq!([plain, keyboard], counts, "{words:?}: {}", done.err());
}

#[test]
fn a_wrong_one_goes_out_once_a_node_however_it_is_asked_for() {
    let Some(world) = accounts::world() else {
        return;
    };
    // All at once: to say no takes its time.
    std::thread::scope(|scope| {
        scope.spawn(|| tried(&["-h", "n[1-2]"], "", [2, 0]));
        scope.spawn(|| tried(&["-h", "k[1-2]"], "", [0, 2]));
        let more = ["-o", "NumberOfPasswordPrompts=3", "-h", "n1,k1"];
        scope.spawn(move || tried(&more, "", [1, 1]));
        let again = ["--retries", "2", "--retry-delay", "0", "-h", "n1,k1"];
        scope.spawn(move || tried(&again, "", [1, 1]));
        // A jump host's own ssh asks three times of itself.
        scope.spawn(|| tried(&["-h", "far[1-2]"], "", [2, 0]));
        let blocks = format!("Host gate\n  Port {}\n", world.keyboard.port);
        scope.spawn(move || tried(&["-h", "far[1-2]"], &blocks, [0, 2]));
    });
}

/// An account whose first login ends before anything is run.
fn late() -> Account {
    let account = Account::new();
    let seen = account.path("seen");
    let text = format!(
        "#!/bin/sh\ntest -e {0} && exec /bin/sh \"$@\"\n>{0}\nexit 255\n",
        seen.display()
    );
    let shell = support::script(account.path(".").as_path(), "shell", &text);
    account.owns(account.path(".").as_path());
    must(&[
        "usermod",
        "-s",
        shell.to_str().expect("text"),
        &account.name,
    ]);
    account
}

#[test]
fn a_node_that_fails_after_the_login_is_given_it_again_when_it_is_tried_again() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = late();
    let words = ["--retries", "1", "--retry-delay", "0", "-h", "n1", "id -un"];
    let done = run(&mut account.given(world, words));
    assert_eq!(done.code(), 0, "{}", done.err());
    assert_eq!(done.out(), format!("n1: {}\n", account.name));
    assert_eq!(world.plain.said("Accepted password", &account), 2);
}
