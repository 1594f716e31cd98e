//! Proving the database against itself: the hash chain, and usage recomputed from the ledger.

use std::path::Path;

use mec_core::chain::{GENESIS, event_hash};
use mec_core::ledger::Event;
use mec_core::{Code, Namespace};
use mec_store::StoreError;
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::catalogue::rows;
use crate::convert::{self, id, sum};
use crate::errors::store_error;
use crate::load::{self, DAY, HOUR, MINUTE, TOTAL};
use crate::{open, sql};

/// What a verification found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct VerifyReport {
    /// Events that were read.
    pub events: u64,
    /// Chains that were followed.
    pub chains: u64,
    /// Buckets of usage that were compared.
    pub buckets: u64,
    /// The first row that differs, as a sentence; none when all is as it should be.
    pub problem: Option<String>,
    /// The last link of every chain.
    pub heads: Vec<ChainHead>,
}

/// The last link of a chain.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ChainHead {
    /// Whose.
    pub namespace_id: String,
    /// The chain.
    pub chain_id: Uuid,
    /// How many events it has.
    pub chain_seq: u64,
    /// The hash of the last, in hexadecimal.
    pub chain_hash: String,
}

type Level = (Namespace, Uuid, Code, Option<Code>);
type Buckets = FxHashMap<(Level, i64, i64), i128>;

struct Link {
    namespace: Namespace,
    chain_id: Uuid,
    seq: u64,
    hash: [u8; 32],
}

/// Reads the whole ledger of a data folder in one read transaction, also while a server runs.
/// `progress` is told the number of events read so far.
pub fn verify(data_dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<VerifyReport, StoreError> {
    let connection = open::reader(&data_dir.join(open::FILE)).map_err(store_error)?;
    connection.execute_batch("BEGIN").map_err(store_error)?;
    let mut report = VerifyReport::default();
    let mut computed = Buckets::default();
    report.problem =
        walk(&connection, &mut report, &mut computed, progress).map_err(store_error)?;
    if report.problem.is_none() {
        report.problem = compare_heads(&connection, &report).map_err(store_error)?;
    }
    if report.problem.is_none() {
        report.problem =
            compare_buckets(&connection, &mut report, computed).map_err(store_error)?;
    }
    Ok(report)
}

fn walk(
    connection: &Connection,
    report: &mut VerifyReport,
    computed: &mut Buckets,
    progress: &mut dyn FnMut(u64),
) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(sql::EVENT_SELECT_ALL_BY_CHAIN)?;
    let mut events = statement.query([])?;
    let mut link: Option<Link> = None;
    while let Some(row) = events.next()? {
        let (mut event, factor) = convert::event(row)?;
        event.details = load::details(connection, &event)?;
        if link.as_ref().is_some_and(|link| {
            link.chain_id != event.chain_id || link.namespace != event.namespace_id
        }) {
            report.finish(link.take());
        }
        let previous = link.take();
        let (seq, hash) = previous.map_or((0, GENESIS), |link| (link.seq, link.hash));
        if event.chain_seq != seq + 1 {
            return Ok(Some(format!(
                "chain {} goes from event {seq} to event {} ({}): an event between them is missing",
                event.chain_id, event.chain_seq, event.event_id
            )));
        }
        if event.chain_hash != event_hash(&hash, &event) {
            return Ok(Some(format!(
                "event {} (number {} of chain {}) is not what was recorded: its hash differs",
                event.event_id, event.chain_seq, event.chain_id
            )));
        }
        add(
            computed,
            &event,
            event.quantity.micros() * i128::from(factor),
        );
        link = Some(Link {
            namespace: event.namespace_id,
            chain_id: event.chain_id,
            seq: event.chain_seq,
            hash: event.chain_hash,
        });
        report.events += 1;
        if report.events.is_multiple_of(1_000) {
            progress(report.events);
        }
    }
    report.finish(link);
    Ok(None)
}

impl VerifyReport {
    fn finish(&mut self, link: Option<Link>) {
        let Some(link) = link else { return };
        self.chains += 1;
        let hex = link.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.heads.push(ChainHead {
            namespace_id: link.namespace.to_string(),
            chain_id: link.chain_id,
            chain_seq: link.seq,
            chain_hash: hex,
        });
    }
}

fn add(computed: &mut Buckets, event: &Event, amount: i128) {
    let at = event.occurred_at;
    let spans = [
        (TOTAL, 0),
        (DAY, at.floor_day().as_micros()),
        (HOUR, at.floor_hour().as_micros()),
        (MINUTE, at.floor_minute().as_micros()),
    ];
    let scopes = std::iter::once(None).chain(event.resource_scope.iter().map(Some));
    for scope in scopes {
        for level in std::iter::once(&event.account_id).chain(&event.recorded_under) {
            let of = (
                event.namespace_id.clone(),
                *level,
                event.resource_type_code.clone(),
                scope.cloned(),
            );
            for (granularity, start) in spans {
                *computed
                    .entry((of.clone(), granularity, start))
                    .or_default() += amount;
            }
        }
    }
}

fn compare_heads(
    connection: &Connection,
    report: &VerifyReport,
) -> rusqlite::Result<Option<String>> {
    for head in &report.heads {
        let stored: Option<(i64, [u8; 32])> = {
            let mut found = rows(
                connection,
                sql::TREE_SELECT_HEAD_BY_CHAIN,
                params![head.namespace_id, head.chain_id.as_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            found.pop()
        };
        // A chain whose tree has joined another has no head of its own any more.
        let Some((seq, hash)) = stored else { continue };
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        if i64::try_from(head.chain_seq).ok() != Some(seq) || hex != head.chain_hash {
            return Ok(Some(format!(
                "chain {} ends at event {}, but its head says {seq}: events at its end are missing or changed",
                head.chain_id, head.chain_seq
            )));
        }
    }
    let empty = rows(connection, sql::TREE_SELECT_CHAINS_NOT_EMPTY, [], |row| {
        Ok((row.get::<_, String>(0)?, id(row, 1)?))
    })?;
    let known: FxHashMap<(&str, Uuid), ()> = report
        .heads
        .iter()
        .map(|head| ((head.namespace_id.as_str(), head.chain_id), ()))
        .collect();
    let missing = empty
        .iter()
        .find(|(namespace, chain)| !known.contains_key(&(namespace.as_str(), *chain)));
    Ok(missing.map(|(_, chain)| format!("all events of chain {chain} are missing")))
}

fn compare_buckets(
    connection: &Connection,
    report: &mut VerifyReport,
    mut computed: Buckets,
) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(sql::USAGE_SELECT_ALL)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let namespace: String = row.get(0)?;
        let namespace =
            Namespace::parse(&namespace).ok_or_else(|| convert::damaged(0, &namespace))?;
        let of = (
            namespace,
            id(row, 1)?,
            convert::code(row, 2)?,
            convert::none_if_empty(row.get(3)?),
        );
        let (granularity, start): (i64, i64) = (row.get(4)?, row.get(5)?);
        let stored = sum(row.get(6)?, row.get(7)?);
        report.buckets += 1;
        let expected = computed
            .remove(&(of.clone(), granularity, start))
            .unwrap_or(0);
        if stored != expected {
            return Ok(Some(difference(&of, granularity, start, stored, expected)));
        }
    }
    let missing = computed.into_iter().find(|(_, expected)| *expected != 0);
    Ok(missing.map(|((of, granularity, start), expected)| {
        difference(&of, granularity, start, 0, expected)
    }))
}

fn difference(
    (_, level, resource, scope): &Level,
    granularity: i64,
    start: i64,
    stored: i128,
    expected: i128,
) -> String {
    let span = ["total", "day", "hour", "minute"]
        .get(usize::try_from(granularity).unwrap_or(0))
        .unwrap_or(&"total");
    let decimal = |amount| mec_core::Quantity::from_micros(amount).to_string();
    format!(
        "usage of {resource}{} at account {level}, {span} from {}: the counter says {}, the ledger {}",
        scope
            .as_ref()
            .map_or(String::new(), |scope| format!(" ({scope})")),
        mec_core::Timestamp::from_micros(start),
        decimal(stored),
        decimal(expected)
    )
}
