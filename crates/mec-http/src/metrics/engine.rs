//! What the engine and its store tell of themselves.

use mec_engine::Engine;
use mec_store::StoreSize;

use super::families::{Family, Unit};

/// All of it. The store's size is told as it was last seen.
pub fn tell(engine: &Engine, size: StoreSize, families: &mut Vec<Family>) {
    counts(engine, families);
    journal(engine, families);
    memory(engine, families);
    store(engine, size, families);
}

fn counts(engine: &Engine, families: &mut Vec<Family>) {
    let stats = engine.stats();
    let mut decisions = Family::counters("mec_decisions_total", "Decisions that were answered");
    for (decision, code, count) in stats.decisions.iter() {
        let labels = [("decision", decision.as_str()), ("code", code.as_str())];
        decisions.count(&labels, count as f64);
    }
    families.push(decisions);
    let counts = [
        (
            "mec_checks_in_memory_total",
            "Checks that were answered from memory",
            &stats.checks_in_memory,
        ),
        (
            "mec_commands_total",
            "Commands that went through the Journal",
            &stats.commands,
        ),
        (
            "mec_batches_total",
            "Batches that the Journal took",
            &stats.batches,
        ),
        ("mec_commits_total", "Commits to the store", &stats.commits),
        (
            "mec_commits_failed_total",
            "Commits that failed, or of which it is not known how they ended",
            &stats.commits_failed,
        ),
        (
            "mec_loads_total",
            "Parts of Books that were loaded from the store",
            &stats.loads,
        ),
        (
            "mec_evictions_total",
            "Accounts that made room in memory",
            &stats.evictions,
        ),
        (
            "mec_decisions_logged_total",
            "Decisions that were given to the decision log",
            &stats.decisions_logged,
        ),
        (
            "mec_decisions_dropped_total",
            "Decisions that were not logged, since too many came",
            &stats.decisions_dropped,
        ),
    ];
    families.extend(counts.map(|(name, help, count)| Family::counter(name, help, count)));
}

fn journal(engine: &Engine, families: &mut Vec<Family>) {
    let stats = engine.stats();
    families.push(Family::histogram(
        "mec_journal_batch_commands",
        "Commands in a batch of the Journal",
        Unit::Pieces,
        &stats.batch_commands,
    ));
    families.push(Family::histogram(
        "mec_journal_queue_wait_seconds",
        "How long calls waited for their batch",
        Unit::Micros,
        &stats.queue_wait_micros,
    ));
    families.push(Family::histogram(
        "mec_journal_commit_seconds",
        "How long commits took",
        Unit::Micros,
        &stats.commit_micros,
    ));
    families.push(Family::gauge(
        "mec_journal_waiting",
        "Calls that wait for the Journal",
        engine.waiting() as f64,
    ));
    let mut turns = Family::gauges(
        "mec_journal_turn_seconds",
        "How long the turn takes that a writer of the Journal is in; an idle one begins four a second",
    );
    for (lane, turn) in engine.turns().into_iter().enumerate() {
        turns.value(&[("lane", &lane.to_string())], turn.as_secs_f64());
    }
    families.push(turns);
}

fn memory(engine: &Engine, families: &mut Vec<Family>) {
    let (accounts, late) = engine.expiry_backlog();
    let mut gauges = vec![
        (
            "mec_accounts_in_memory",
            "Accounts whose part of a Book is in memory",
            engine.accounts_in_memory() as f64,
        ),
        (
            "mec_leases_in_memory",
            "Leases that the Books in memory hold",
            engine.leases_in_memory() as f64,
        ),
        (
            "mec_expiry_backlog_accounts",
            "Accounts in memory whose leases or reservations ended and are still to be trimmed",
            accounts as f64,
        ),
        (
            "mec_expiry_late_seconds",
            "For how long the first of these is due",
            late.as_secs_f64(),
        ),
    ];
    if let (Some(age), Some(bound)) = (engine.staleness(), engine.staleness_bound()) {
        gauges.push((
            "mec_staleness_seconds",
            "How long ago memory was known to hold all that other nodes committed",
            age.as_secs_f64(),
        ));
        gauges.push((
            "mec_staleness_bound_seconds",
            "How far behind other nodes a check from memory may be",
            bound.as_secs_f64(),
        ));
    }
    families.extend(gauges.into_iter().map(gauge));
}

fn store(engine: &Engine, size: StoreSize, families: &mut Vec<Family>) {
    let mut connections = Family::gauges(
        "mec_pool_connections",
        "Connections to the store that read, by what they do",
    );
    let mut most = Family::gauges(
        "mec_pool_connections_max",
        "Connections to the store that read, at the most",
    );
    let mut waiting = Family::gauges(
        "mec_pool_waiting",
        "Reads that wait for a connection to the store",
    );
    for pool in engine.pools() {
        let name = ("pool", pool.name);
        connections.value(&[name, ("state", "in_use")], pool.in_use as f64);
        connections.value(&[name, ("state", "idle")], pool.idle as f64);
        most.value(&[name], pool.most as f64);
        waiting.value(&[name], pool.waiting as f64);
    }
    families.extend([connections, most, waiting]);
    let sizes = [
        ("mec_store_bytes", "What the store takes", size.bytes),
        (
            "mec_disk_free_bytes",
            "What the disk of the embedded store has left",
            size.free_bytes,
        ),
    ];
    let known = |(name, help, bytes): (_, _, Option<u64>)| Some((name, help, bytes? as f64));
    families.extend(sizes.into_iter().filter_map(known).map(gauge));
}

fn gauge((name, help, value): (&str, &str, f64)) -> Family {
    Family::gauge(name, help, value)
}
