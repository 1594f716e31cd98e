//! The hash chains: every link follows from the one before it, and the last is the tree's head.

use mec_core::Namespace;
use mec_core::chain::{GENESIS, event_hash};
use rusqlite::{Connection, Row};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::earlier::Earlier;
use super::expected::Expected;
use super::{ChainHead, Stop, VerifyReport};
use crate::convert::{self, id, number};
use crate::values::{all, first};
use crate::{load, sql};

/// After so many events progress is told.
const STEP: u64 = 1_000;

struct Link {
    namespace: Namespace,
    chain_id: Uuid,
    seq: u64,
    hash: [u8; 32],
}

/// Follows all chains and adds every event to what is expected of the sums.
pub(super) fn walk(
    connection: &Connection,
    report: &mut VerifyReport,
    expected: &mut Expected,
    earlier: &mut Earlier<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::EVENT_SELECT_ALL_BY_CHAIN)?;
    let mut rows = statement.query([])?;
    let mut last: Option<Link> = None;
    while let Some(row) = rows.next()? {
        let (mut event, factor) = convert::event(row)?;
        event.details = load::details(connection, &event)?;
        let follows =
            |link: &Link| link.chain_id == event.chain_id && link.namespace == event.namespace_id;
        if !last.as_ref().is_some_and(follows) {
            end(report, last.take());
        }
        let (seq, hash) = last.map_or((0, GENESIS), |link| (link.seq, link.hash));
        let chain = format!(
            "chain {} of namespace {}",
            event.chain_id, event.namespace_id
        );
        let wanted = seq.saturating_add(1);
        if event.chain_seq != wanted {
            return Err(Stop::Problem(format!(
                "{chain} has event {} as number {} where number {wanted} should stand: a row was removed or put in",
                event.event_id, event.chain_seq
            )));
        }
        if event.chain_hash != event_hash(&hash, &event) {
            return Err(Stop::Problem(format!(
                "event {}, number {wanted} of {chain}, is not what was recorded: its hash differs",
                event.event_id
            )));
        }
        earlier.pass(&event)?;
        expected.add_event(&event, i128::from(factor));
        report.events = report.events.saturating_add(1);
        if report.events.is_multiple_of(STEP) {
            progress(report.events);
        }
        last = Some(Link {
            namespace: event.namespace_id,
            chain_id: event.chain_id,
            seq: wanted,
            hash: event.chain_hash,
        });
    }
    end(report, last);
    progress(report.events);
    Ok(())
}

fn end(report: &mut VerifyReport, link: Option<Link>) {
    let Some(link) = link else { return };
    report.chains = report.chains.saturating_add(1);
    report.heads.push(ChainHead {
        namespace_id: link.namespace.to_string(),
        chain_id: link.chain_id,
        chain_seq: link.seq,
        chain_hash: hex(&link.hash),
    });
}

pub(super) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares the ends of the chains with the heads of the trees. A chain whose tree has joined
/// another has no head any more.
pub(super) fn compare_heads(connection: &Connection, report: &VerifyReport) -> Result<(), Stop> {
    let found: FxHashMap<(&str, Uuid), &ChainHead> = report
        .heads
        .iter()
        .map(|head| ((head.namespace_id.as_str(), head.chain_id), head))
        .collect();
    let read = |row: &Row<'_>| {
        Ok((
            row.get(0)?,
            id(row, 1)?,
            id(row, 2)?,
            number(row, 3)?,
            row.get(4)?,
        ))
    };
    let trees: Vec<(String, Uuid, Uuid, u64, [u8; 32])> =
        all(connection, sql::TREE_SELECT_ALL, [], read)?;
    for (namespace, tree, chain, seq, hash) in trees {
        let (found_seq, found_hash) = match found.get(&(namespace.as_str(), chain)) {
            Some(head) => (head.chain_seq, head.chain_hash.clone()),
            None => (0, hex(&GENESIS)),
        };
        if (found_seq, &found_hash) != (seq, &hex(&hash)) {
            return Err(Stop::Problem(format!(
                "the head of tree {tree} of namespace {namespace} says that chain {chain} ends with number {seq}, \
                 but the ledger ends it with number {found_seq} or with another hash"
            )));
        }
    }
    let without_head = first(
        connection,
        sql::ACCOUNT_SELECT_OWNER_WITHOUT_TREE,
        [],
        |row| Ok((row.get::<_, String>(0)?, id(row, 1)?)),
    )?;
    match without_head {
        Some((namespace, owner)) => Err(Stop::Problem(format!(
            "the tree {owner} of namespace {namespace} has no head: its row was removed"
        ))),
        None => Ok(()),
    }
}
