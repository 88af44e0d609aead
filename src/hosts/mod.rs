//! Which nodes.
/// One node as named by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    name: Box<str>,
}
