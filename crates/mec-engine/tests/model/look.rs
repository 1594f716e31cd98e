//! Looks at everything: what checks say, what was used and when, and what is kept.

use std::collections::BTreeMap;

use mec_core::Timestamp;
use mec_core::need::{Loaded, Need};
use mec_store::{SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, UsageQuery};
use uuid::Uuid;

use super::commands::{self, RESOURCES};
use super::history::{Step, What};
use super::naive::{Event, Naive, within};
use super::play::Play;
use super::windows::{self, Span};

impl Play {
    pub fn look(&mut self) -> Result<(), String> {
        for who in 0..self.here.naive.accounts.len() {
            for resource in self.touched() {
                for scope in 0..2 {
                    let what = What {
                        who,
                        resource,
                        scope,
                        context: 0,
                    };
                    let check = Step::Check {
                        what,
                        quantity: 0,
                        unit: 0,
                        explain: true,
                    };
                    self.step(&check)?;
                    self.look_at_usage(what)?;
                    self.look_at_series(what)?;
                }
            }
        }
        self.look_at_rows()
    }

    /// The resources that anything is known of, and the history's own.
    fn touched(&self) -> Vec<usize> {
        let naive = &self.here.naive;
        let allowed = naive.entitlements.iter().map(|e| &e.resource_type_code);
        let used = naive.events.iter().map(|e| &e.resource);
        let known: Vec<_> = allowed.chain(used).collect();
        let is_known = |index: &usize| {
            *index != self.focus && known.iter().any(|code| &***code == RESOURCES[*index])
        };
        let others = (0..RESOURCES.len()).filter(is_known);
        std::iter::once(0)
            .chain(others.map(|index| index + 1))
            .collect()
    }

    /// The usage of yesterday and today so far, and of all time, with and without children.
    fn look_at_usage(&self, what: What) -> Result<(), String> {
        let now = self.clock.floor_minute();
        let from = now.saturating_add_secs(-86_460);
        for (from, to) in [(None, None), (Some(from), Some(now))] {
            for include_children in [true, false] {
                let query = UsageQuery {
                    namespace: self.here.namespace.clone(),
                    account: self.here.naive.accounts[what.who].id,
                    resource: commands::resource(self, what),
                    scope: commands::scope(what),
                    from,
                    to,
                    include_children,
                };
                let expected = self.here.naive.usage(&query);
                let got = self.world.usage(query.clone());
                if got != expected {
                    return Err(format!("{query:?}: expected {expected}, got {got}"));
                }
            }
        }
        Ok(())
    }

    /// Usage over time: with each look and account other buckets, bounds and groups.
    fn look_at_series(&self, what: What) -> Result<(), String> {
        const GROUPS: [fn() -> Option<SeriesGroup>; 4] = [
            || None,
            || Some(SeriesGroup::Scope),
            || Some(SeriesGroup::Account),
            || Some(SeriesGroup::Detail("tier".to_owned())),
        ];
        for (nth, group) in GROUPS.into_iter().enumerate() {
            let turn = self.looks + what.who + what.scope + nth;
            let (bucket, window_type, days) = [
                (SeriesBucket::Hour, "calendar_hour", 2),
                (SeriesBucket::Day, "calendar_day", 41),
                (SeriesBucket::Month, "calendar_month", 400),
            ][turn % 3];
            let around = |at: Timestamp| windows::window(window_type, at, "UTC", at);
            // Up to the bucket that is running, with it or without.
            let now = around(self.clock);
            let from = around(self.clock.saturating_add_secs(-86_400 * days)).start;
            let query = SeriesQuery {
                namespace: self.here.namespace.clone(),
                account: self.here.naive.accounts[what.who].id,
                resource: commands::resource(self, what),
                from: from.unwrap(),
                to: if turn % 4 == 3 { now.start } else { now.end }.unwrap(),
                bucket,
                group_by: group(),
                limit: if turn % 5 == 4 { 2 } else { 10_000 },
            };
            let start = |at: Timestamp| around(at).start.unwrap();
            let expected = self.here.naive.series(&query, start);
            let got = self.world.series(query.clone());
            if got != expected {
                return Err(format!("{query:?}: expected {expected:?}, got {got:?}"));
            }
        }
        Ok(())
    }

    /// What is kept of every account and grant, where the store lets itself be asked.
    pub fn look_at_rows(&self) -> Result<(), String> {
        let naive = &self.here.naive;
        let accounts = naive.accounts.iter().map(|account| Need::Part(account.id));
        let grants = naive.grants.iter().map(|grant| Need::Grant(grant.id));
        let needs: Vec<Need> = accounts.chain(grants).collect();
        let tree = naive.accounts[0].id;
        let stored = self.world.stored(&self.here.namespace, tree, &needs);
        for (need, loaded) in needs.iter().zip(stored.into_iter().flatten()) {
            let same = match (need, &loaded) {
                (Need::Part(id), Loaded::Part(Some(rows))) => {
                    let expected = naive.account(*id).unwrap().row();
                    *rows.account == expected && rows.tree_id == naive.owner(*id)
                }
                (Need::Grant(id), Loaded::Grant(Some(grant))) => {
                    let expected = naive.grants.iter().find(|grant| grant.id == *id);
                    grant.remaining == naive.left(expected.unwrap())
                }
                _ => false,
            };
            if !same {
                return Err(format!("{need:?} is not as it should be: {loaded:?}"));
            }
        }
        Ok(())
    }
}

impl Naive {
    fn usage(&self, query: &UsageQuery) -> i128 {
        let span = Span {
            start: query.from,
            end: query.to,
        };
        let counted = self.events.iter().filter(|event| {
            let own = event.account == query.account;
            event.resource == query.resource
                && (query.scope.is_none() || event.scope == query.scope)
                && within(span, event.occurred_at)
                && (own || (query.include_children && event.counts_at(query.account)))
        });
        counted.map(|event| event.amount).sum()
    }

    /// What was recorded under an account, by bucket and group; what comes to nothing is left out.
    fn series(
        &self,
        query: &SeriesQuery,
        start: impl Fn(Timestamp) -> Timestamp,
    ) -> Vec<SeriesRow> {
        let span = Span {
            start: Some(query.from),
            end: Some(query.to),
        };
        let mut sums: BTreeMap<(Timestamp, Option<String>), i128> = BTreeMap::new();
        for event in &self.events {
            if event.resource == query.resource
                && within(span, event.occurred_at)
                && event.counts_at(query.account)
            {
                let bucket = (start(event.occurred_at), self.group(query, event));
                *sums.entry(bucket).or_default() += event.amount;
            }
        }
        sums.retain(|_, amount| *amount != 0);
        let rows = sums.into_iter().take(query.limit);
        rows.map(|((bucket_start, group), amount)| SeriesRow {
            bucket_start,
            group,
            amount,
        })
        .collect()
    }

    fn group(&self, query: &SeriesQuery, event: &Event) -> Option<String> {
        match query.group_by.as_ref()? {
            SeriesGroup::Scope => event.scope.as_ref().map(ToString::to_string),
            SeriesGroup::Account => Some(event.account.to_string()),
            SeriesGroup::Detail(key) => {
                // A correction belongs where its event does.
                let original = |id: Uuid| self.events.iter().find(|e| e.id == id).unwrap();
                let of = event.corrects.map_or(event, original);
                of.details.get(key).cloned()
            }
        }
    }
}
