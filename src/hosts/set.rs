//! The ordered set of unique nodes, and what can be done with it.
//!
//! Invariant: no two nodes are spelled the same, the order is that of first mention, `len <= NODES_MAX`.

use super::error::{Cause, HostsError};
use super::index::{Index, hash_of};
use super::node::Node;
use super::range::Pattern;
use super::words::{variable_words, words};
use crate::limits::{NAME_BYTES_MAX, NODES_MAX};

/// Unique nodes in the order of their first mention, at most `NODES_MAX`.
#[derive(Debug, Clone, Default)]
pub struct NodeSet {
    nodes: Vec<Node>,
    index: Index,
}

impl NodeSet {
    /// The empty set.
    pub fn new() -> NodeSet {
        NodeSet::default()
    }

    /// Adds the nodes of a list, its words separated by commas or white space.
    ///
    /// Fails at the first word that is refused; what came before it stays in the set.
    pub fn add(&mut self, list: &str) -> Result<(), HostsError> {
        words(list).try_for_each(|word| self.add_word(word))
    }

    /// Adds the nodes of a value of `CLSH_HOSTS`, separated by `:` outside brackets; commas and white space separate too.
    ///
    /// A number after a colon is a node of that name, not a port; ports are for lists and hostfiles. A word that as a
    /// whole is an IPv6 address is that one node. Fails as [`NodeSet::add`] does.
    pub fn add_variable(&mut self, value: &str) -> Result<(), HostsError> {
        words(value)
            .flat_map(variable_words)
            .try_for_each(|word| self.add_word(word))
    }

    /// Adds the nodes of one word, ranges and all.
    ///
    /// A word of more than `NODES_MAX` names, or of a name too long, is refused before any is made.
    pub fn add_word(&mut self, word: &str) -> Result<(), HostsError> {
        if !word.contains(['[', ']']) {
            // One name. `Node` knows how long that may be.
            let refused = |cause| HostsError::new(word, cause);
            return self.insert(word).map_err(refused);
        }
        let pattern = Pattern::parse(word).map_err(|cause| HostsError::new(word, cause))?;
        if pattern.count() > NODES_MAX as u64 {
            return Err(HostsError::new(word, Cause::TooManyNodes));
        }
        if pattern.name_bytes_max() > NAME_BYTES_MAX {
            return Err(HostsError::new(word, Cause::TooLong));
        }
        if self.is_empty() {
            self.reserve(pattern.count() as usize);
        }
        pattern.each_name(|name| {
            self.insert(name)
                .map_err(|cause| HostsError::in_name(word, name, cause))
        })
    }

    /// Takes the nodes of a list out of the set.
    ///
    /// A word with a user or a port takes out the node of exactly that name, any other word all nodes on its host.
    /// Nodes that are not there are no error. Fails at a word that is refused; the set is unchanged then.
    pub fn exclude(&mut self, list: &str) -> Result<(), HostsError> {
        let mut unwanted = NodeSet::new();
        unwanted.add(list)?;
        // A host is the name of a node that has neither user nor port, but for one in brackets.
        let bracketed: Vec<&str> = unwanted
            .iter()
            .filter(|node| node.user().is_none() && node.port().is_none() && !node.is_plain())
            .map(Node::host)
            .collect();
        let mut index = Index::default();
        for (at, host) in bracketed.iter().enumerate() {
            index.insert(hash_of(host), at);
        }
        let is_bracketed =
            |host: &str| index.get(hash_of(host), host, |at| bracketed[at]).is_some();
        let before = self.nodes.len();
        self.nodes.retain(|node| {
            !unwanted.contains(node.name())
                && (node.is_plain() || !unwanted.contains(node.host()))
                && (bracketed.is_empty() || !is_bracketed(node.host()))
        });
        if self.nodes.len() < before {
            self.index = Index::default();
            self.index.reserve(self.nodes.len());
            for (position, node) in self.nodes.iter().enumerate() {
                self.index.insert(hash_of(node.name()), position);
            }
        }
        Ok(())
    }

    /// Whether a node of exactly this name is in the set.
    pub fn contains(&self, name: &str) -> bool {
        self.has(hash_of(name), name)
    }

    fn has(&self, hash: u32, name: &str) -> bool {
        let found = self.index.get(hash, name, |at| self.nodes[at].name());
        found.is_some()
    }

    /// Makes room for so many nodes.
    fn reserve(&mut self, nodes: usize) {
        self.nodes.reserve_exact(nodes);
        self.index.reserve(nodes);
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.nodes.iter()
    }

    /// The nodes, in order.
    pub fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    fn insert(&mut self, name: &str) -> Result<(), Cause> {
        let hash = hash_of(name);
        if self.has(hash, name) {
            return Ok(());
        }
        let node = Node::parse(name)?;
        if self.nodes.len() >= NODES_MAX {
            return Err(Cause::TooManyNodes);
        }
        self.index.insert(hash, self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }
}

impl<'a> IntoIterator for &'a NodeSet {
    type Item = &'a Node;
    type IntoIter = std::slice::Iter<'a, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &str) -> NodeSet {
        let mut set = NodeSet::new();
        set.add(list).unwrap();
        set
    }

    fn names(set: &NodeSet) -> Vec<&str> {
        set.iter().map(Node::name).collect()
    }

    #[test]
    fn order_as_given_duplicates_merge() {
        let set = set("n3,n[1-3] root@n1 n1:22,n3");
        assert_eq!(names(&set), ["n3", "n1", "n2", "root@n1", "n1:22"]);
        assert!(set.contains("n2") && !set.contains("n4"));
    }

    #[test]
    fn exclusion_by_name_and_by_host() {
        let left = |list, unwanted| {
            let mut set = set(list);
            set.exclude(unwanted).unwrap();
            // What is excluded can be added again, what is left cannot.
            let len = set.len();
            set.add(list).unwrap();
            assert_eq!(set.len(), self::set(list).len());
            names(&set)[..len].join(" ")
        };
        assert_eq!(left("n[1-3],root@n1:22", "n1"), "n2 n3");
        assert_eq!(
            left("n1,root@n1,n1:22,root@n1:22", "root@n1"),
            "n1 n1:22 root@n1:22"
        );
        assert_eq!(left("n1,root@n1", "n1:22"), "n1 root@n1");
        assert_eq!(left("::1,[::1]:22,n1", "[::1]"), "n1");
        assert_eq!(left("n[1-9]", "n[2-8],x"), "n1 n9");
        assert_eq!(left("n1", " "), "n1");
    }

    #[test]
    fn a_refused_exclusion_changes_nothing() {
        let mut set = set("n1,n2");
        assert!(set.exclude("n1,n[").is_err());
        assert_eq!(names(&set), ["n1", "n2"]);
    }

    #[test]
    fn the_limit_counts_what_is_left_after_merging() {
        let mut set = set("n[1-1000],n[1-999999],n[999001-1000000]");
        assert_eq!(set.len(), NODES_MAX);
        set.add("n7").unwrap();
        let error = set.add("m[1-2]").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("'m[1-2]': more than 1000000 nodes"),
            "{error}"
        );
        assert_eq!(set.len(), NODES_MAX);
    }

    #[test]
    fn too_many_are_refused_before_they_are_made() {
        for word in [
            "n[0-99999999999]",
            "n[0-18446744073709551615][0-18446744073709551615]",
            "r[1-1001]n[1-1000]",
            "n[1-500000,1-500001]",
        ] {
            let mut set = NodeSet::new();
            assert_eq!(
                set.add(word).unwrap_err().cause(),
                &Cause::TooManyNodes,
                "{word}"
            );
            assert!(set.is_empty());
        }
        let many = format!("n{}", "[1]".repeat(100_000));
        assert_eq!(
            NodeSet::new().add(&many).unwrap_err().cause(),
            &Cause::TooLong
        );
        let wide = format!("n[{}1-2]", "0".repeat(1_000_000));
        assert_eq!(
            NodeSet::new().add(&wide).unwrap_err().cause(),
            &Cause::TooLong
        );
    }

    #[test]
    fn the_variable_is_separated_by_colons() {
        let mut set = NodeSet::new();
        set.add_variable("n1:n[2,3]:root@n4,::1 [::2]:22").unwrap();
        assert_eq!(
            names(&set),
            ["n1", "n2", "n3", "root@n4", "::1", "[::2]", "22"]
        );
        assert!(set.add_variable("n::m").is_err());
    }
}
