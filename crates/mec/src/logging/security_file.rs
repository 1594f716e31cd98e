//! `security.ndjson` in the data folder: security events, a line each. It is put aside when a day or its size is
//! full, and files put aside are removed when their time has passed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mec_core::Timestamp;

use super::lines::Target;
use crate::clock::timestamp_of;
use crate::private;

/// The file that is written to.
pub const FILE: &str = "security.ndjson";
/// How the files that were put aside begin and end.
const ASIDE: (&str, &str) = ("security-", ".ndjson");
/// The size at which it is put aside, in bytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The file of security events.
pub struct SecurityFile<C> {
    folder: PathBuf,
    keep_days: u64,
    clock: C,
    open: Option<Open>,
    most_bytes: u64,
}

struct Open {
    file: File,
    bytes: u64,
    /// The day of its last event, counted from 1970.
    day: i64,
}

impl<C: Fn() -> SystemTime> SecurityFile<C> {
    /// The file of a folder. It is opened, and what has passed its time removed, at once.
    pub fn open(folder: &Path, keep_days: u64, clock: C) -> io::Result<Self> {
        let mut file = Self {
            folder: folder.to_owned(),
            keep_days,
            clock,
            open: None,
            most_bytes: MOST_BYTES,
        };
        file.ready((file.clock)())?;
        file.remove_old((file.clock)())?;
        Ok(file)
    }

    /// The open file, put aside before where it is full.
    fn ready(&mut self, now: SystemTime) -> io::Result<&mut Open> {
        let today = day(now);
        let is_full =
            |open: &Open| open.bytes > 0 && (open.bytes >= self.most_bytes || open.day != today);
        let path = self.folder.join(FILE);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => opened(&path)?,
        };
        if is_full(&open) {
            let mut name = timestamp_of(now).to_canonical();
            name.retain(|c| c.is_ascii_alphanumeric());
            let aside = format!("{}{name}{}", ASIDE.0, ASIDE.1);
            fs::rename(&path, self.folder.join(aside))?;
            self.remove_old(now)?;
            open = opened(&path)?;
        }
        open.day = today;
        Ok(self.open.insert(open))
    }

    fn remove_old(&self, now: SystemTime) -> io::Result<()> {
        let keep = Duration::from_secs(self.keep_days.saturating_mul(86_400));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !(name.starts_with(ASIDE.0) && name.ends_with(ASIDE.1)) {
                continue;
            }
            let last_event = entry.metadata()?.modified()?;
            // One that is from the future is not old.
            if now.duration_since(last_event).is_ok_and(|age| age > keep) {
                private::remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn opened(path: &Path) -> io::Result<Open> {
    let file = private::append(path)?;
    let about = file.metadata()?;
    Ok(Open {
        bytes: about.len(),
        day: day(about.modified()?),
        file,
    })
}

fn day(time: SystemTime) -> i64 {
    timestamp_of(time)
        .as_micros()
        .div_euclid(Timestamp::MICROS_PER_DAY)
}

impl<C: Fn() -> SystemTime + Send + 'static> Target for SecurityFile<C> {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let now = (self.clock)();
        let open = self.ready(now)?;
        open.bytes = open.bytes.saturating_add(lines.len() as u64);
        let written = open
            .file
            .write_all(lines)
            .and_then(|()| open.file.sync_data());
        if written.is_err() {
            // It is opened anew for the next event, as the folder may have been put right by then.
            self.open = None;
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::UNIX_EPOCH;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    type Hands = Rc<Cell<SystemTime>>;

    fn file(folder: &Path, hands: &Hands) -> SecurityFile<impl Fn() -> SystemTime + use<>> {
        let hands = hands.clone();
        SecurityFile::open(folder, 400, move || hands.get()).unwrap()
    }

    fn write<C: Fn() -> SystemTime>(file: &mut SecurityFile<C>, line: &str) {
        let now = (file.clock)();
        let open = file.ready(now).unwrap();
        open.bytes += line.len() as u64;
        open.file.write_all(line.as_bytes()).unwrap();
    }

    fn kept(folder: &Path) -> Vec<String> {
        let mut kept: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        kept.sort();
        kept
    }

    #[test]
    fn a_new_day_and_a_full_file_begin_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let hands: Hands = Rc::new(Cell::new(SystemTime::now()));
        let mut events = file(folder.path(), &hands);
        write(&mut events, "a");
        write(&mut events, "b");
        assert_eq!(kept(folder.path()), ["ab"]);
        hands.set(hands.get() + DAY);
        write(&mut events, "c");
        assert_eq!(kept(folder.path()), ["ab", "c"]);
        events.most_bytes = 1;
        hands.set(hands.get() + Duration::from_secs(1));
        write(&mut events, "d");
        assert_eq!(kept(folder.path()), ["ab", "c", "d"]);
        drop(events);
        let mut again = file(folder.path(), &hands);
        write(&mut again, "e");
        assert!(kept(folder.path()).concat().contains('e'));
    }

    #[test]
    fn what_has_passed_its_time_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let now = UNIX_EPOCH + DAY * 20_000;
        for (name, days) in [
            ("security-old.ndjson", 401),
            ("security-kept.ndjson", 399),
            ("other-old.ndjson", 500),
            ("security.ndjson", 500),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, name).unwrap();
            let times = fs::FileTimes::new().set_modified(now - DAY * days);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_times(times).unwrap();
        }
        let hands: Hands = Rc::new(Cell::new(now));
        drop(file(folder.path(), &hands));
        let left = kept(folder.path()).concat();
        assert!(!left.contains("security-old"), "{left}");
        assert!(left.contains("security-kept") && left.contains("other-old"));
    }

    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let hands: Hands = Rc::new(Cell::new(SystemTime::now()));
        drop(file(folder.path(), &hands));
        let about = fs::metadata(folder.path().join(FILE)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
}
