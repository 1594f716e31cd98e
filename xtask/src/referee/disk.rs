//! The raw disk: how often a second 4 KiB can be made durable in a file that has its size already,
//! which is the least that a log on this disk can take.

use super::record::Figures;
use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK_BYTES: usize = 4096;
/// The file's size, in blocks: that of a small write-ahead log.
const BLOCKS: u64 = 1024;

/// Writes and syncs, one after the other, for `duration`.
pub fn measure(folder: &Path, duration: Duration) -> Result<Figures> {
    let path = folder.join("fdatasync");
    let file = File::create(&path)?;
    for block in 0..BLOCKS {
        write(&file, block)?;
    }
    file.sync_all()?;
    let mut syncs_us = Vec::new();
    let start = Instant::now();
    while start.elapsed() < duration {
        let begun = Instant::now();
        write(&file, syncs_us.len() as u64 % BLOCKS)?;
        file.sync_data().context("fdatasync")?;
        syncs_us.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let elapsed = start.elapsed();
    std::fs::remove_file(&path)?;
    syncs_us.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (syncs_us.len() as f64 * share) as usize;
        syncs_us.get(place).copied()
    };
    Ok(Figures {
        per_second: syncs_us.len() as f64 / elapsed.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
    })
}

fn write(file: &File, block: u64) -> Result<()> {
    file.write_all_at(&[b'x'; BLOCK_BYTES], block * BLOCK_BYTES as u64)
        .context("writing to the disk")
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
