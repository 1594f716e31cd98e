//! The differences that are intended: `differences.md` beside this crate, a table that people read and that the
//! referee holds both sides to.

const FILE: &str = include_str!("../../differences.md");

/// A line of the table.
#[derive(Debug)]
pub struct Difference {
    /// What is different, and why.
    pub what: &'static str,
    /// What stands in the requests that it is about.
    words: Vec<&'static str>,
    theirs: Vec<&'static str>,
    ours: Vec<&'static str>,
}

impl Difference {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let lines = FILE.lines().filter(|line| line.starts_with("| "));
        let rows = lines.skip(1).map(|line| {
            // A bar within a cell is written with a backslash.
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [what, words, theirs, ours] = cells[..] else {
                panic!("not a line of four cells: {line}");
            };
            Self {
                what,
                words: in_code(words),
                theirs: in_code(theirs),
                ours: in_code(ours),
            }
        });
        rows.collect()
    }

    /// Whether it says of a request that PostgREST answered so, that MEC answers otherwise.
    pub fn is_about(&self, ask: &str, theirs: &str) -> bool {
        self.theirs.contains(&theirs) && self.words.iter().all(|word| ask.contains(word))
    }

    /// Whether this is how MEC's answer is to differ.
    pub fn allows(&self, ours: &str) -> bool {
        self.ours.contains(&ours)
    }
}

fn in_code(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}
