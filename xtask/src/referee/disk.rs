//! The raw disk: how often a second a 4 KiB append can be made durable.

use super::record::Figures;
use crate::load;
use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK_BYTES: usize = 4096;

/// Appends and syncs, one after the other, for `duration`.
pub fn measure(folder: &Path, duration: Duration) -> Result<Figures> {
    let path = folder.join("fdatasync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    append(&mut file)?;
    let mut latency_ns = load::histogram()?;
    let start = Instant::now();
    while start.elapsed() < duration {
        let begun = Instant::now();
        append(&mut file)?;
        latency_ns.saturating_record(u64::try_from(begun.elapsed().as_nanos())?);
    }
    let measured = load::Measured {
        answers: latency_ns.len(),
        elapsed: start.elapsed(),
        latency_ns,
    };
    std::fs::remove_file(&path)?;
    Ok(Figures::of(&measured, 1))
}

fn append(file: &mut File) -> Result<()> {
    file.write_all(&[b'x'; BLOCK_BYTES])?;
    file.sync_data().context("fdatasync")
}

/// The kind of file system that holds a folder, as the list of mounts names it.
pub fn file_system(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    kind_of(&mounts, &folder.canonicalize().ok()?)
}

/// The kind of the mount with the longest point above the folder; of equal ones, the last.
fn kind_of(mounts: &str, folder: &Path) -> Option<String> {
    let point_and_kind = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    };
    mounts
        .lines()
        .filter_map(point_and_kind)
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::kind_of;
    use std::path::Path;

    #[test]
    fn the_nearest_mount_names_the_file_system() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n";
        assert_eq!(
            kind_of(mounts, Path::new("/tmp/a")).as_deref(),
            Some("tmpfs")
        );
        assert_eq!(kind_of(mounts, Path::new("/tmpx")).as_deref(), Some("ext4"));
        assert_eq!(kind_of("", Path::new("/tmp")), None);
    }
}
