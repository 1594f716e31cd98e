//! Usage in bounds and over time.

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_core::Timestamp;
use mec_core::ledger::Event;
use mec_core::usage::CounterKey;

use super::state::Space;
use crate::{SeriesGroup, SeriesQuery, SeriesRow, UsageQuery};

impl Space {
    pub(super) fn used(&self, query: &UsageQuery) -> i128 {
        let UsageQuery {
            account,
            resource,
            scope,
            from,
            to,
            include_children,
            ..
        } = query;
        if *include_children {
            let counter = CounterKey {
                resource: resource.clone(),
                scope: scope.clone(),
                drawn_for: None,
            };
            return self.sum(*account, &counter, *from, *to);
        }
        let own = self.events.iter().filter(|(event, _)| {
            event.account_id == *account
                && event.resource_type_code == *resource
                && (scope.is_none() || event.resource_scope == *scope)
                && from.is_none_or(|from| from <= event.occurred_at)
                && to.is_none_or(|to| event.occurred_at < to)
        });
        own.map(|(_, amount)| amount).sum()
    }

    pub(super) fn series(&self, query: &SeriesQuery) -> Vec<SeriesRow> {
        let under = |event: &Event| {
            event.account_id == query.account || event.recorded_under.contains(&query.account)
        };
        let within = |at: Timestamp| query.from <= at && at < query.to;
        let mut sums: BTreeMap<(Timestamp, Option<String>), i128> = BTreeMap::new();
        for (event, amount) in &self.events {
            if under(event)
                && event.resource_type_code == query.resource
                && within(event.occurred_at)
            {
                let bucket = query.bucket.start(event.occurred_at);
                *sums.entry((bucket, self.group(query, event))).or_default() += amount;
            }
        }
        let rows = sums
            .into_iter()
            .filter(|(_, amount)| *amount != 0)
            .take(query.limit);
        rows.map(|((bucket_start, group), amount)| SeriesRow {
            bucket_start,
            group,
            amount,
        })
        .collect()
    }

    fn group(&self, query: &SeriesQuery, event: &Arc<Event>) -> Option<String> {
        match query.group_by.as_ref()? {
            SeriesGroup::Scope => event.resource_scope.as_ref().map(ToString::to_string),
            SeriesGroup::Account => Some(event.account_id.to_string()),
            // A correction belongs where the event it corrects does.
            SeriesGroup::Detail(key) => {
                let original = event
                    .corrects_event_id
                    .and_then(|id| self.event(id))
                    .map_or(event, |(event, _)| event);
                original.details.get(key).cloned()
            }
        }
    }
}
