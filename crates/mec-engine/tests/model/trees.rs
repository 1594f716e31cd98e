//! Trees: accounts that move between them, and what stays and what moves along.

use std::collections::BTreeMap;

use mec_core::account::MAX_DEPTH;
use mec_core::entitlement::LimitKind;
use mec_core::{Code, Command, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::calls::{LATER, LEASABLE, Outcome, changed, unchanged};
use super::limits::{Ask, Limit};
use super::naive::{Account, Event, Naive};

impl Naive {
    pub fn account_mut(&mut self, id: Uuid) -> &mut Account {
        self.accounts.iter_mut().find(|a| a.id == id).unwrap()
    }

    /// The trees that accounts stand in, each once.
    pub fn owners(&self, accounts: &[Uuid]) -> Vec<Uuid> {
        let mut owners: Vec<Uuid> = accounts.iter().map(|a| self.owner(*a)).collect();
        owners.sort();
        owners.dedup();
        owners
    }

    /// The trees that a command about an account concerns.
    pub fn trees(&self, account: Uuid, command: &Command) -> Vec<Uuid> {
        let mut concerned = vec![account];
        match command {
            // The owner that it becomes may have had a tree before.
            Command::MoveAccount(to) => {
                let joined = to.new_parent.map_or(account, |parent| self.owner(parent));
                return vec![self.owner(account), joined];
            }
            Command::Correct(correct) => {
                let named = |event: &&Event| event.id == correct.event_id;
                let original = self.events.iter().find(named);
                concerned.extend(original.map(|event| event.levels()).unwrap_or_default());
            }
            _ => {}
        }
        self.owners(&concerned)
    }

    /// The events whose levels have come to stand in several trees.
    pub fn events_apart(&self) -> Vec<Uuid> {
        let apart = |e: &&Event| e.corrects.is_none() && self.owners(&e.levels()).len() > 1;
        self.events.iter().filter(apart).map(|e| e.id).collect()
    }

    /// Usage stays with the levels that it was recorded under; leases and reservations are found by
    /// their accounts, and so move along. What a reservation holds of the grants of a level that it
    /// leaves, it holds no longer.
    pub fn move_account(&mut self, account: Uuid, under: Option<Uuid>, now: Timestamp) -> Outcome {
        if under.is_some_and(|parent| self.account(parent).is_none()) {
            return Err("parent_not_found");
        }
        if self.at_once {
            return Err(LATER);
        }
        if self.account(account).unwrap().parent == under {
            return unchanged(json!(false));
        }
        if under.is_some_and(|parent| self.is_below(parent, account)) {
            return Err("invalid_value");
        }
        if under.is_some_and(|parent| &*self.account(parent).unwrap().kind == "user") {
            return Err("parent_has_no_children");
        }
        let depth = |id: Uuid| self.path(id).len();
        let below = self
            .accounts
            .iter()
            .filter(|a| self.is_below(a.id, account));
        let lowest = below.map(|a| depth(a.id)).max().unwrap() - depth(account);
        if under.is_some_and(|parent| depth(parent) + 1 + lowest > MAX_DEPTH) {
            return Err("tree_too_deep");
        }
        let above = self.path(account).split_off(1);
        let from = self.owner(account);
        let clocks = self.clocks_at(account, under, now);
        let moved = self.account_mut(account);
        moved.parent = under;
        moved.updated_at = now;
        let stays = self.path(account);
        let left = |level: &Uuid| above.contains(level) && !stays.contains(level);
        let below = |other: Uuid| self.is_below(other, account);
        let along: Vec<bool> = self.reservations.iter().map(|r| below(r.account)).collect();
        for (held, along) in self.reservations.iter_mut().zip(along) {
            held.grant_holds
                .retain(|(level, _, _)| !(along && left(level)));
        }
        for (resource, scope, limit) in clocks {
            let ask = slots(account, &resource, scope.as_ref(), None, now);
            self.set_clocks(vec![limit], &ask, now);
        }
        // What is held there bears tokens of the tree that it came from.
        let given = self.tokens.get(&from).copied().unwrap_or_default();
        let token = self.tokens.entry(self.owner(account)).or_default();
        *token = given.max(*token);
        changed(json!(true))
    }

    /// The limits with grace that count the slots which come along, at the levels that are joined, as
    /// they are before.
    fn clocks_at(
        &self,
        account: Uuid,
        under: Option<Uuid>,
        now: Timestamp,
    ) -> Vec<(Code, Option<Code>, Limit)> {
        let left = self.path(account);
        let mut joined = vec![account];
        joined.extend(under.map(|parent| self.path(parent)).unwrap_or_default());
        let mut clocks: Vec<(Code, Option<Code>, Limit)> = Vec::new();
        for held in self
            .leases
            .iter()
            .filter(|l| !l.released && now < l.expires_at)
        {
            if !self.is_below(held.account, account) {
                continue;
            }
            let (resource, scope) = (&held.resource, held.scope.as_ref());
            for limit in self.with_grace(&slots(account, resource, scope, Some(&joined), now)) {
                let name = limit.name(resource);
                let is_known = clocks.iter().any(|(of, _, limit)| limit.name(of) == name);
                let counts = limit.kind == LimitKind::Concurrency && !left.contains(&limit.level);
                if counts && !is_known {
                    clocks.push((resource.clone(), held.scope.clone(), limit));
                }
            }
        }
        clocks
    }

    /// Blanks what tells who a person is.
    pub fn erase(&mut self, account: Uuid, now: Timestamp) -> Outcome {
        let account = self.account_mut(account);
        let person = account.person.take();
        let told =
            person.is_some_and(|p| p.name.is_some() || p.email.is_some() || !p.metadata.is_empty());
        if told {
            account.updated_at = now;
        }
        let row = account.row();
        let answer = self.row(&row);
        if told {
            changed(answer)
        } else {
            unchanged(answer)
        }
    }
}

/// What asks for the limits of slots that come along: the account that moves, without a context.
fn slots<'a>(
    account: Uuid,
    resource: &'a Code,
    scope: Option<&'a Code>,
    under: Option<&'a [Uuid]>,
    at: Timestamp,
) -> Ask<'a> {
    Ask {
        account,
        under,
        resource,
        scope,
        amount: 0,
        kinds: LEASABLE,
        context: const { &BTreeMap::new() },
        at,
    }
}
