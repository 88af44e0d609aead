//! What ssh itself says on a node's stderr. It ends its lines as a raw terminal wants it, by a carriage return and a newline (OpenSSH's log.c),
//! which is not for a file, a pipe or JSON.
//!
//! Until the wrapper's first mark all is ssh's, or a startup file's. Behind it the stream is the command's, of which no byte is changed, but for
//! the few lines by which ssh says that the connection is gone.

use super::node::Half;
use super::{Plan, Protocol, Source};
use crate::output::Stream;
use crate::remote::{self, MARK};

/// The bytes without the carriage returns that are not the command's, where `framed` says that a mark tells them apart; `None` where nothing is to be taken off.
pub fn without_returns(
    half: &mut Half,
    plan: &Plan,
    source: Source,
    bytes: &[u8],
    framed: bool,
) -> Option<Vec<u8>> {
    if plan.tty {
        return Some(half.returns.strip(bytes));
    }
    // Neither frames nor a bare transport: it runs here, beside a session's nodes.
    if !plan.ssh || source.stream == Stream::Out || !framed && plan.protocol != Protocol::Bare {
        return None;
    }
    if framed && !half.greeted {
        let marked = memchr::memchr(MARK, bytes).map_or(bytes.len(), |at| at + 1);
        let (own, rest) = bytes.split_at(marked);
        let mut stripped = half.returns.strip(own);
        stripped.extend_from_slice(rest);
        return Some(stripped);
    }
    let text = bytes.strip_suffix(b"\r\n")?;
    let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    remote::is_farewell(&text[start..]).then(|| [text, b"\n"].concat())
}
