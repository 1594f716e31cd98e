//! Grace clocks: when usage first rose above a limit, as writes start and clear it.

use super::record::Recording;
use crate::book::Part;
use crate::change::{Change, GraceClock};
use crate::command::Env;
use crate::decide::runs;
use crate::figures::figures;
use crate::ids::Code;
use crate::limits::{self, Query, applicable};
use crate::need::Stop;
use crate::rule::LimitAction;

/// Starts and clears the grace clocks of the limits that a write at `env.now` touches.
pub fn grace_clocks(
    recording: &Recording<'_>,
    env: &Env<'_>,
    levels: &[&Part],
    query: &Query<'_>,
    drawn: &[(usize, Code, i128)],
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    if !has_grace(env, &query.resource.resource_type_code) {
        return Ok(());
    }
    let found = applicable(env.catalogue, levels, query, env.now)?;
    for limit in &found.limits {
        let at = recording.occurred_at;
        let counted = limit.window.start.is_none_or(|start| start <= at)
            && limit.sum_end().is_none_or(|end| at < end);
        let drawn: i128 = drawn
            .iter()
            .filter(|(level, code, _)| *level == limit.level && *code == limit.window_type.code)
            .map(|d| d.2)
            .sum();
        let effect = if counted {
            recording.amount.saturating_sub(drawn)
        } else {
            0
        };
        touch_clock(env, query, limit, effect, changes)?;
    }
    Ok(())
}

/// Whether any rule of the resource gives grace.
pub fn has_grace(env: &Env<'_>, resource: &str) -> bool {
    env.catalogue
        .rules_of(resource)
        .any(|rule| rule.is_active && rule.limit_action_code == LimitAction::Grace)
}

/// Starts or clears the grace clock of a limit whose used figure a write changes by `effect`. The
/// clock is the limit's, whichever rule the write itself is judged by.
pub fn touch_clock(
    env: &Env<'_>,
    query: &Query<'_>,
    limit: &limits::Limit<'_>,
    effect: i128,
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(allowed) = limit.allowed else {
        return Ok(());
    };
    let key = limit.key(&query.resource.resource_type_code);
    let before = figures(limit, query, env.now)?.used;
    let stored = limit.part.grace_clock(&key);
    let running = stored.filter(|clock| runs(limit, clock, before));
    let above = before.saturating_add(effect) > allowed;
    let clock = above.then(|| {
        running.unwrap_or(GraceClock {
            since: env.now,
            window_start: limit.window.start,
        })
    });
    if clock != stored {
        changes.push(Change::GraceClock { limit: key, clock });
    }
    Ok(())
}
