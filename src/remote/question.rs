//! What ssh asks, through the program that asks for it, and which of that is a password clsh has.
//!
//! OpenSSH asks `USER@HOST's password: ` for the method "password", and `(USER@HOST) TEXT` in a server's own words for
//! "keyboard-interactive" (sshconnect2.c); with a jump host, for more than one host in turn.

/// What a question gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The password.
    Password,
    /// Nothing: it was given here before, and not taken.
    Denied,
    /// Nothing: it was given here before and taken, and has expired. A new one is to be set.
    Expired,
    /// Nothing: it is no question for a password. Its words, on one line, when they were not told before.
    Foreign(Option<Vec<u8>>),
}

/// The questions of a run. Invariant: each process that asks for a node is given the password once; each ssh is for one login.
#[derive(Debug, Default)]
pub struct Questions {
    /// Nodes, and the processes that asked for them.
    answered: Vec<(u32, u32)>,
    told: Vec<Vec<u8>>,
}

impl Questions {
    /// A node is tried, perhaps again.
    pub fn begin(&mut self, node: u32) {
        self.answered.retain(|&(other, _)| other != node);
    }

    /// Judges what a process, `asker`, asks on behalf of a node.
    pub fn judge(&mut self, node: u32, asker: u32, question: &[u8]) -> Reply {
        let text = text_of(question.trim_ascii());
        if self.answered.contains(&(node, asker)) && is_for_change(text) {
            return Reply::Expired;
        }
        if !is_for_password(text) {
            let words = on_one_line(question);
            let new = !self.told.contains(&words);
            if new {
                self.told.push(words.clone());
            }
            return Reply::Foreign(new.then_some(words));
        }
        if self.answered.contains(&(node, asker)) {
            return Reply::Denied;
        }
        self.answered.push((node, asker));
        Reply::Password
    }
}

fn on_one_line(question: &[u8]) -> Vec<u8> {
    let mut words = Vec::new();
    for &byte in question.trim_ascii() {
        match byte.is_ascii_whitespace() {
            true if words.last() == Some(&b' ') => {}
            true => words.push(b' '),
            false => words.push(byte),
        }
    }
    words
}

/// What is asked, without whose account it is about, where that is told apart.
fn text_of(question: &[u8]) -> &[u8] {
    const PASSWORD: &[u8] = b"'s password:";
    let is_account = |text: &[u8]| !text.iter().any(u8::is_ascii_whitespace);
    if let Some(account) = question.strip_suffix(PASSWORD)
        && is_account(account)
    {
        return PASSWORD;
    }
    let end = question.iter().position(|&byte| byte == b')');
    match (question.first(), end) {
        (Some(b'('), Some(end)) if is_account(&question[..end]) => &question[end + 1..],
        _ => question,
    }
}

/// Words that stand in questions for something else than the password one has: a new one, or one for a single use.
const OTHER: &[u8] =
    b"again code confirm current expired new old otp passcode passphrase pin retype time token";

/// Whether the old password is asked for once more, or a new one, as PAM does and sshd when a password has expired: `Current password:`,
/// `(current) UNIX password:`, `New password:` (pam_unix), `Enter ACCOUNT's old password:` (sshconnect2.c).
fn is_for_change(text: &[u8]) -> bool {
    let mut words = text.split(|byte| !byte.is_ascii_alphanumeric());
    let change = |word: &[u8]| {
        let mut known = ["current", "new", "old"].into_iter();
        known.any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    words.any(change) && {
        let mut words = text.split(|byte| !byte.is_ascii_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case(b"password"))
    }
}

fn is_for_password(text: &[u8]) -> bool {
    let mut named = false;
    for word in text.split(|byte| !byte.is_ascii_alphanumeric()) {
        named |= word.eq_ignore_ascii_case(b"password");
        let mut others = OTHER.split(|&byte| byte == b' ');
        if others.any(|other| word.eq_ignore_ascii_case(other)) {
            return false;
        }
    }
    named && text.trim_ascii().ends_with(b":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(question: &str) -> Reply {
        Questions::default().judge(0, 7, question.as_bytes())
    }

    #[test]
    fn a_question_for_the_password_gets_it() {
        for question in [
            "bob@node1's password: ",
            "new@token's password: ",
            "(bob@node1) Password: ",
            "(bob@fe80::1%eth0) Password for bob@node1:",
            "Password:",
            "LDAP Password: ",
        ] {
            assert_eq!(judge(question), Reply::Password, "{question}");
        }
    }

    #[test]
    fn every_other_question_is_told_and_gets_nothing() {
        for question in [
            "Enter passphrase for key '/home/bob/.ssh/id_ed25519': ",
            "(bob@node1) Verification code: ",
            "(bob@node1) One-time password (OATH) for `bob': ",
            "(bob@node1) New password: ",
            "(bob@node1) Retype new password: ",
            "(bob@node1) Current password: ",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "Confirm user presence for key ED25519-SK SHA256:x",
            "password",
            "",
        ] {
            assert!(
                matches!(judge(question), Reply::Foreign(Some(_))),
                "{question}"
            );
        }
    }

    #[test]
    fn its_words_are_told_once_on_one_line() {
        let mut questions = Questions::default();
        let key = "The authenticity of host 'a'\ncan't be established.\nGo on?";
        let told = "The authenticity of host 'a' can't be established. Go on?";
        assert_eq!(
            questions.judge(0, 7, key.as_bytes()),
            Reply::Foreign(Some(told.into()))
        );
        assert_eq!(questions.judge(1, 7, key.as_bytes()), Reply::Foreign(None));
    }

    #[test]
    fn a_question_for_a_change_says_that_what_was_given_has_expired() {
        for question in [
            "(bob@node1) Current password: ",
            "(bob@node1) (current) UNIX password: ",
            "(bob@node1) New password: ",
            "Enter bob@node1's old password: ",
        ] {
            let mut questions = Questions::default();
            assert!(matches!(
                questions.judge(0, 7, question.as_bytes()),
                Reply::Foreign(_)
            ));
            questions.judge(0, 7, b"(bob@node1) Password: ");
            assert_eq!(questions.judge(0, 7, question.as_bytes()), Reply::Expired);
            assert!(matches!(
                questions.judge(1, 8, question.as_bytes()),
                Reply::Foreign(_)
            ));
        }
    }

    #[test]
    fn each_process_that_asks_is_given_it_once() {
        let mut questions = Questions::default();
        let mut ask = |node, asker, text: &str| questions.judge(node, asker, text.as_bytes());
        assert_eq!(ask(0, 7, "bob@gate's password: "), Reply::Password);
        assert_eq!(ask(0, 8, "bob@gate's password: "), Reply::Password);
        assert_eq!(ask(0, 8, "(bob@gate) Password: "), Reply::Denied);
        assert_eq!(ask(1, 8, "bob@gate's password: "), Reply::Password);
        // Numbers of processes come again.
        questions.begin(0);
        let mut ask = |node, asker, text: &str| questions.judge(node, asker, text.as_bytes());
        assert_eq!(ask(0, 8, "bob@gate's password: "), Reply::Password);
        assert_eq!(ask(1, 8, "bob@gate's password: "), Reply::Denied);
    }
}
