//! What the system tells of the process, under the names that all exporters give it.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::families::Family;

/// The unit in which Linux tells the time that a process has run, in seconds. It is the same everywhere.
const TICK: Duration = Duration::from_millis(10);

/// All that this system tells; less where it is not Linux.
pub fn tell(started: SystemTime, families: &mut Vec<Family>) {
    if let Some(ticks) = fs::read_to_string("/proc/self/stat")
        .ok()
        .as_deref()
        .and_then(ticks)
    {
        let ran = TICK.saturating_mul(ticks);
        let mut family = Family::counters("process_cpu_seconds_total", "Time that the process ran");
        family.count(&[], ran.as_secs_f64());
        families.push(family);
    }
    let gauges = [
        (
            "process_resident_memory_bytes",
            "Memory that the process takes",
            number_of("/proc/self/status", "VmRSS:").map(|kib| kib.saturating_mul(1024)),
        ),
        (
            "process_open_fds",
            "Files and connections that the process has open",
            fs::read_dir("/proc/self/fd")
                .ok()
                .map(|open| open.count() as u64),
        ),
        (
            "process_max_fds",
            "Files and connections that the process may have open",
            number_of("/proc/self/limits", "Max open files"),
        ),
        (
            "process_start_time_seconds",
            "When the process began, in seconds after 1970",
            started
                .duration_since(UNIX_EPOCH)
                .ok()
                .map(|since| since.as_secs()),
        ),
    ];
    for (name, help, value) in gauges {
        families.extend(value.map(|value| Family::gauge(name, help, value as f64)));
    }
}

/// The ticks that a process ran, of its own and the system's. The name of the program, which may hold
/// anything, stands before the last parenthesis.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// The first number after a label at the beginning of a line.
fn number_of(file: &str, label: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn the_time_that_a_process_ran_is_read_whatever_its_name() {
        let stat = "1 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(ticks("1 (mec) S"), None);
    }
}
