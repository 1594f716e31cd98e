//! Black-box tests of the real binary; they stand in `tests/`.
