//! Lines kept until all are in, and the nodes that said the same.

use super::Stream;
use std::collections::{BTreeMap, HashMap};

/// What some nodes said, each stream whole, every line with its newline.
#[derive(Debug)]
pub struct Gather {
    nodes: BTreeMap<u32, [Vec<u8>; 2]>,
    bytes: usize,
}

/// Nodes with the same stdout, stderr and status.
#[derive(Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// Places in the list that was asked for, in order.
    pub members: Vec<usize>,
    /// Stdout and stderr.
    pub streams: [&'a [u8]; 2],
}

impl Gather {
    /// Of these nodes.
    pub fn new(nodes: impl Iterator<Item = u32>) -> Self {
        Self {
            nodes: nodes.map(|node| (node, Default::default())).collect(),
            bytes: 0,
        }
    }

    /// Whether this node's lines are kept.
    pub fn keeps(&self, node: u32) -> bool {
        self.nodes.contains_key(&node)
    }

    /// One line of a node.
    pub fn line(&mut self, node: u32, stream: Stream, text: &[u8]) {
        let Some(streams) = self.nodes.get_mut(&node) else {
            return;
        };
        let kept = &mut streams[stream as usize];
        kept.extend_from_slice(text);
        kept.push(b'\n');
        self.bytes += text.len() + 1;
    }

    /// How much is kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything that was kept, node by node.
    pub fn lines(&self) -> impl Iterator<Item = (u32, Stream, &[u8])> {
        self.nodes.iter().flat_map(|(&node, streams)| {
            Stream::BOTH.into_iter().flat_map(move |stream| {
                split(&streams[stream as usize]).map(move |text| (node, stream, text))
            })
        })
    }

    /// The nodes, with their statuses, in groups: the largest first, else by the first member.
    pub fn groups(&self, nodes: &[(u32, Option<u8>)]) -> Vec<Group<'_>> {
        let mut groups: Vec<Group> = Vec::new();
        let mut known = HashMap::new();
        for (place, (node, status)) in nodes.iter().enumerate() {
            let streams = match self.nodes.get(node) {
                Some([out, err]) => [out.as_slice(), err.as_slice()],
                None => [&[][..]; 2],
            };
            let group = *known.entry((streams, status)).or_insert_with(|| {
                groups.push(Group {
                    members: Vec::new(),
                    streams,
                });
                groups.len() - 1
            });
            groups[group].members.push(place);
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.members.len()));
        groups
    }
}

impl Group<'_> {
    /// The lines of one stream.
    pub fn lines(&self, stream: Stream) -> impl Iterator<Item = &[u8]> {
        split(self.streams[stream as usize])
    }

    /// Whether there is nothing to show.
    pub fn is_silent(&self) -> bool {
        self.streams.iter().all(|stream| stream.is_empty())
    }
}

fn split(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_said_the_same_stand_together_the_largest_group_first() {
        let mut gather = Gather::new(0..5);
        for (node, text) in [(0, "a"), (1, "b"), (2, "b"), (3, "c")] {
            gather.line(node, Stream::Out, text.as_bytes());
            gather.line(node, Stream::Out, b"");
        }
        let nodes: Vec<(u32, Option<u8>)> = (0..5).map(|node| (node, Some(0))).collect();
        let groups = gather.groups(&nodes);
        let members: Vec<&[usize]> = groups.iter().map(|group| &*group.members).collect();
        assert_eq!(members, [&[1, 2][..], &[0], &[3], &[4]]);
        assert!(groups[0].lines(Stream::Out).eq([&b"b"[..], b""]));
        assert!(groups[3].is_silent() && !groups[0].is_silent());
        assert_eq!(gather.lines().count(), 8);
    }

    #[test]
    fn another_status_or_stream_is_another_group() {
        let mut gather = Gather::new(0..5);
        gather.line(0, Stream::Out, b"a");
        gather.line(1, Stream::Err, b"a");
        gather.line(2, Stream::Out, b"a");
        let nodes = [(0, Some(0)), (1, Some(0)), (2, Some(1))];
        assert_eq!(gather.groups(&nodes).len(), 3);
    }
}
