//! The disk below the data folder: how much room it has, and how fast it is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Findings;

/// Below so many free bytes there is a warning; below a tenth of it, a failure.
const LOW_DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// A file of this name is written and removed again to see how fast the disk is.
const PROBE_FILE: &str = ".mec-doctor";
/// So many writes are timed, each of so many bytes.
const WRITES: usize = 16;
const WRITE_BYTES: usize = 4_096;
/// A disk that takes longer for a write is slow.
const SLOW: Duration = Duration::from_millis(50);

pub fn look(folder: &Path, findings: &mut Findings) {
    room(folder, findings);
    speed(folder, findings);
}

fn room(folder: &Path, findings: &mut Findings) {
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            let told = format!("its free space cannot be told: {error}");
            findings.warn("disk", told, "look with df");
            return;
        }
    };
    let told = format!("{} MiB free", free / 1024 / 1024);
    let remedy = "make room, or move the data folder; writes are refused where the disk is full";
    if free < LOW_DISK_BYTES / 10 {
        findings.fail("disk", told, remedy);
    } else if free < LOW_DISK_BYTES {
        findings.warn("disk", told, remedy);
    } else {
        findings.ok("disk", told);
    }
}

fn speed(folder: &Path, findings: &mut Findings) {
    let path = folder.join(PROBE_FILE);
    let timed = time(&path);
    // What was left where the disk failed is worth no second sentence.
    let _ = fs::remove_file(&path);
    match timed {
        Err(error) => findings.fail(
            "disk",
            format!("{} cannot be written to: {error}", folder.display()),
            "look at its owner and mode, and whether the disk is full or mounted for reading only",
        ),
        Ok(median) => {
            let told = format!(
                "a write reaches it within {} microseconds",
                median.as_micros()
            );
            if median > SLOW {
                let remedy = "every answer to a write waits so long; move the data folder to a faster disk of this machine";
                findings.warn("disk", told, remedy);
            } else {
                findings.ok("disk", told);
            }
        }
    }
}

/// How long a write takes to reach the disk: of several, the one in the middle.
fn time(path: &Path) -> io::Result<Duration> {
    let mut file = File::create(path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let start = Instant::now();
        file.write_all(&[0; WRITE_BYTES])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(WRITES / 2).copied().unwrap_or_default())
}
