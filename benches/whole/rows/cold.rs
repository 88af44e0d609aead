//! Cold connections through OpenSSH's own client to an sshd on this machine, on which all names stand: where the time goes is ssh's key
//! exchange, on both sides of the same processors.

use super::Bench;
use crate::contenders::{ALL, Who};
use crate::numbers::{digits, median};
use crate::race::{Row, Target, race};
use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The cluster's script, for its keys, and an sshd of the bench's own.
struct Node {
    script: Child,
    sshd: Child,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// Starts the node, and makes a directory that holds an `ssh` whose hosts are all that node.
fn node(room: &Path) -> Result<(Node, PathBuf), String> {
    let text = |error: std::io::Error| error.to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/local-cluster");
    let mut script = Command::new(script)
        .args(["--no-build", "-n", "1", "--", "sh", "-c"])
        .arg("echo \"$CLSH_CLUSTER_DIR\"; exec cat >/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let mut line = String::new();
    let out = script.stdout.take().ok_or("no pipe")?;
    BufReader::new(out).read_line(&mut line).map_err(text)?;
    let cluster = PathBuf::from(line.trim_end());
    let own = room.join("real");
    fs::create_dir_all(own.join("home")).map_err(text)?;
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").map_err(text)?;
        free.local_addr().map_err(text)?.port()
    };
    let conf = fs::read_to_string(cluster.join("node1.conf")).map_err(text)?;
    let kept = conf.lines().filter(|line| {
        let words = ["Port ", "PidFile ", "SetEnv ", "LoginGraceTime "];
        !words.iter().any(|word| line.starts_with(word))
    });
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    let pid = own.join("pid");
    // Nobody's startup file takes part.
    let home = own.join("home");
    let more = format!(
        "Port {port}\nPidFile {}\nSetEnv HOME={}\nLoginGraceTime 120\n",
        pid.display(),
        home.display()
    );
    fs::write(own.join("conf"), kept + &more).map_err(text)?;
    let paths = ["/usr/sbin/sshd", "/usr/bin/sshd"];
    let sshd = paths.into_iter().find(|path| Path::new(path).exists());
    let sshd = Command::new(sshd.ok_or("no sshd")?)
        .args(["-D", "-e", "-f"])
        .arg(own.join("conf"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(text)?;
    let node = Node { script, sshd };
    let start = Instant::now();
    while !pid.exists() {
        if start.elapsed() > Duration::from_secs(20) {
            return Err("sshd does not start".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    play_ssh(&own, &cluster, port)?;
    Ok((node, own))
}

/// Makes an `ssh` in `own` that takes every host to this port, with the cluster's keys; and for a client that starts no ssh, the key and a
/// configuration without the words that it refuses.
fn play_ssh(own: &Path, cluster: &Path, port: u16) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let config = format!(
        "Host n*\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias node1\nHost *\n  Include {}\n",
        cluster.join("ssh_config").display()
    );
    fs::write(own.join("config"), config).map_err(text)?;
    fs::copy(cluster.join("id"), own.join("id")).map_err(text)?;
    let whole = fs::read_to_string(cluster.join("ssh_config")).map_err(text)?;
    let user = whole.lines().find(|line| line.trim().starts_with("User "));
    let user = user.unwrap_or_default();
    let plain = format!("Host n*\n  HostName 127.0.0.1\n  Port {port}\n{user}\n");
    fs::write(own.join("bssh"), plain).map_err(text)?;
    let real = std::env::var("PATH").unwrap_or_default();
    let real = real.split(':').map(|at| Path::new(at).join("ssh"));
    let real = real
        .into_iter()
        .find(|path| path.exists())
        .ok_or("no ssh")?;
    let ssh = format!(
        "#!/bin/sh\nexec {} -F {} \"$@\"\n",
        real.display(),
        own.join("config").display()
    );
    fs::write(own.join("ssh"), ssh).map_err(text)?;
    fs::set_permissions(own.join("ssh"), fs::Permissions::from_mode(0o755)).map_err(text)?;
    Ok(())
}

/// So many cold nodes at once, and what each costs this side.
fn row(bench: &Bench, path: &Path, count: usize, fanout: usize) -> Row {
    let used: Vec<RefCell<Vec<f64>>> = ALL.iter().map(|_| RefCell::default()).collect();
    let lanes = ALL.into_iter().zip(&used).filter_map(|(who, used)| {
        let call = bench.with.through(path, who, count, fanout, &["echo", "1"]);
        // A round takes a minute and more, and the first is the slowest, so those that the row is about get three, and the others one.
        let runs = match who {
            Who::Pssh | Who::Parallel => 1,
            _ => 3,
        };
        bench.lane(who, runs, move || {
            let ran = call.run()?;
            used.borrow_mut().push(ran.cpu * 1000.0 / count as f64);
            // pssh and bssh say more than their nodes.
            match ran.lines < count as u64 {
                true => Err(format!("{} of {count} answered", ran.lines)),
                false => Ok(ran.seconds),
            }
        })
    });
    let scores = race(lanes.collect(), bench.budget(150));
    let work = format!(
        "{count} cold nodes through OpenSSH to one sshd here, `-f {fanout}`; client's CPU a node"
    );
    let targets = match fanout < count {
        true => vec![Target::Over(Who::Clush, 1.0)],
        false => vec![Target::Over(Who::Pdsh, 1.0)],
    };
    let mut row = Row::of_scores(work, "s", &scores, &targets);
    for (at, used) in used.iter().enumerate() {
        if let Some(cpu) = median(&used.borrow()) {
            row.cells[at] += &format!("; {} ms", digits(cpu));
        }
    }
    row
}

pub fn cold(bench: &Bench) -> Vec<Row> {
    let count = bench.size(200, 8);
    match node(bench.with.room.path()) {
        Ok((_node, path)) => [count, 64]
            .map(|fanout| row(bench, &path, count, fanout))
            .into(),
        Err(error) => {
            let mut row = Row::new("cold nodes through OpenSSH");
            row.cell(Who::Clsh, format!("not measured: {error}"));
            vec![row]
        }
    }
}
