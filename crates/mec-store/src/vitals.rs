//! What a store tells of itself to whoever runs it.

/// How the connections of a pool are used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PoolUse {
    /// The pool's name.
    pub name: &'static str,
    /// So many are in use.
    pub in_use: usize,
    /// So many are open and free.
    pub idle: usize,
    /// So many callers wait for one.
    pub waiting: usize,
    /// So many there are at the most.
    pub most: usize,
}

/// The room on disks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StoreSize {
    /// What the store takes, in bytes; none where that is not known.
    pub bytes: Option<u64>,
    /// What the disk has left for it, in bytes; none where that is not known.
    pub free_bytes: Option<u64>,
}
