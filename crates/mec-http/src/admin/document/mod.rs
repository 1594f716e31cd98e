//! Documents that are read and replaced whole: every fault is told at once with its place, every change
//! by row and field, and a version guards against overwriting another's change.

pub mod node;
pub mod replace;
pub mod rows;
pub mod table;
