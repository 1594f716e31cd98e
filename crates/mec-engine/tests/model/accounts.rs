//! What a step means that is about an account itself, or about what it is allowed by hand.

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::entitlement::EntitlementStatus;
use mec_core::{Command, Quantity, ops};
use mec_engine::Target;
use uuid::Uuid;

use super::commands::{ids, index, moment, pick, resource, scope, target};
use super::history::{Entitle, Step, What, When};
use super::naive::Naive;
use super::offers::{conditions, kind};
use super::play::Play;
use super::windows::TYPES;

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];
const KINDS: [&str; 4] = ["organization", "team", "team", "user"];

pub fn command(play: &Play, step: &Step) -> Option<(Target, Command)> {
    let naive = &play.here.naive;
    Some(match *step {
        Step::Account {
            under,
            kind,
            zone,
            named,
        } => new_account(naive, under, (kind, zone, named)),
        Step::Move { who, under } => {
            let target = target(naive, who);
            let parent = under.and_then(|under| parent(naive, naive.find(&target), under));
            let to = ops::move_account::MoveAccount { new_parent: parent };
            (target, Command::MoveAccount(to))
        }
        Step::Erase { who } => (target(naive, who), Command::EraseAccount),
        Step::Status { who, status } => {
            let set = ops::account::SetStatus {
                status: match status {
                    0 => AccountStatus::Suspended,
                    1 => AccountStatus::Inactive,
                    _ => AccountStatus::Active,
                },
            };
            (target(naive, who), Command::SetAccountStatus(set))
        }
        Step::Entitle(what, row) => (target(naive, what.who), entitle(play, what, row)),
        _ => return None,
    })
}

/// Mostly an account below which another can stand and does not yet.
fn parent(naive: &Naive, account: Option<Uuid>, under: usize) -> Option<Uuid> {
    let known = ids(&naive.accounts, |account| account.id);
    let fits = |parent: &Uuid| {
        let moves = account.and_then(|id| naive.account(id));
        let has_children = naive.account(*parent).is_some_and(|p| &*p.kind != "user");
        has_children
            && moves.is_some_and(|m| m.parent != Some(*parent) && !naive.is_below(*parent, m.id))
    };
    match under {
        // Not here, but it may be there in the other namespace.
        9 => Some(account_id(known.len())),
        8 => pick(known.len() / 2, &known),
        10 => known.last().copied(),
        under => {
            let fitting: Vec<Uuid> = known.iter().copied().filter(fits).collect();
            pick(under, &fitting)
        }
    }
}

fn new_account(
    naive: &Naive,
    under: Option<usize>,
    (kind, zone, named): (usize, usize, bool),
) -> (Target, Command) {
    let number = naive.accounts.len();
    let parent = under.and_then(|under| pick(under, &ids(&naive.accounts, |a| a.id)));
    let told = |text: &str| named.then(|| format!("{text} {number}"));
    let metadata = told("red").map(|colour| ("colour".to_owned(), colour));
    let create = ops::account::CreateAccount {
        account_type: KINDS[kind].into(),
        parent,
        external_id: Some(external_id(naive, number)),
        timezone: ZONES.get(zone).map(|zone| (*zone).to_owned()),
        display_name: told("somebody"),
        email: told("mail"),
        metadata: metadata.into_iter().collect(),
        ..organization(account_id(number))
    };
    let target = parent.map_or(Target::NewTree(create.account_id), Target::Account);
    (target, Command::CreateAccount(create))
}

fn organization(account_id: Uuid) -> ops::account::CreateAccount {
    ops::account::CreateAccount {
        account_id,
        account_type: KINDS[0].into(),
        parent: None,
        external_id: None,
        display_name: None,
        email: None,
        timezone: None,
        metadata: BTreeMap::new(),
        status: AccountStatus::Active,
    }
}

pub fn bystander(account_id: Uuid) -> Command {
    Command::CreateAccount(organization(account_id))
}

/// The same names in both namespaces, for other accounts.
pub fn external_id(naive: &Naive, number: usize) -> String {
    let is_default = naive.namespace == mec_core::Namespace::DEFAULT;
    format!("x{}", number + usize::from(!is_default))
}

/// All ids end alike, so that all accounts make room for each other in memory.
pub fn account_id(number: usize) -> Uuid {
    Uuid::from_u128((7 << 100) + ((number as u128) << 8))
}

fn entitle(play: &Play, what: What, row: Entitle) -> Command {
    let at = |when: Option<When>| when.map(|when| moment(play, when));
    let effective_start = at(row.starts);
    let begins = effective_start.unwrap_or(play.clock);
    let create = ops::entitlement::CreateEntitlement {
        entitlement_id: None,
        resource: resource(play, what),
        scope: scope(what),
        limit_kind: kind(index(play, what.resource), row.kind),
        quantity_allowed: row.allowed.map(Quantity::from_int),
        unit: None,
        effective_start,
        effective_end: row.lasts.map(|seconds| begins.saturating_add_secs(seconds)),
        window_type: Some(TYPES[row.window].into()),
        window_anchor: at(row.anchor),
        usage_from: at(row.usage_from),
        priority: row.priority,
        status: if row.suspended {
            EntitlementStatus::Suspended
        } else {
            EntitlementStatus::Active
        },
        conditions: conditions(row.condition),
    };
    Command::CreateEntitlement(create)
}
