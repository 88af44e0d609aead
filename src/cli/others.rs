//! Whether a file may have been written by somebody else than this user and root.

use nix::unistd::{Gid, Group, Uid, User};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// Who else may write the file, and the way out; `None` when nobody. A group that is the user's alone, as many systems make one for each
/// user, is nobody else.
pub fn who_may_write(about: &Metadata) -> Option<String> {
    let me = Uid::effective();
    let owner = Uid::from_raw(about.uid());
    if owner != me && !owner.is_root() {
        let name = name_of(owner).unwrap_or_else(|| owner.to_string());
        return Some(format!("it belongs to {name}, not to you (chown it)"));
    }
    let mode = about.mode();
    if mode & OTHERS_WRITE != 0 {
        return Some("everybody may write it (chmod go-w it)".to_owned());
    }
    let group = Gid::from_raw(about.gid());
    if mode & GROUP_WRITES != 0 && !is_private(group, owner) {
        return Some("its group may write it (chmod g-w it)".to_owned());
    }
    None
}

/// Whether a group is its owner's alone: it has the owner's name, and no other member.
fn is_private(group: Gid, owner: Uid) -> bool {
    let (Ok(Some(group)), Some(owner)) = (Group::from_gid(group), name_of(owner)) else {
        return false;
    };
    group.name == owner && group.mem.iter().all(|member| *member == owner)
}

fn name_of(user: Uid) -> Option<String> {
    Some(User::from_uid(user).ok()??.name)
}
