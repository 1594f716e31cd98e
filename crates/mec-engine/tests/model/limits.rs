//! Which limits a request meets, and what each of them counts.

use std::collections::BTreeMap;

use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{Entitlement, EntitlementStatus, LimitKind};
use mec_core::verdict::DecisionCode;
use mec_core::{Code, Timestamp};
use uuid::Uuid;

use super::naive::{LimitName, Naive, within};
use super::windows::{self, ALL_TIME, Span};

/// A request.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub account: Uuid,
    /// The levels of a correction: those of its event, nearest first. All else meets the present ones.
    pub under: Option<&'a [Uuid]>,
    pub resource: &'a Code,
    pub scope: Option<&'a Code>,
    /// In the base unit.
    pub amount: i128,
    pub kinds: &'a [LimitKind],
    pub context: &'a BTreeMap<String, String>,
    pub at: Timestamp,
}

/// One limit and what it counts.
#[derive(Clone)]
pub struct Limit {
    /// 0 for the account itself.
    pub height: usize,
    pub level: Uuid,
    pub kind: LimitKind,
    pub window_type: Code,
    pub scope: Option<Code>,
    /// Oldest first; none where only a grant makes the limit.
    pub members: Vec<Entitlement>,
    pub allowed: Option<i128>,
    pub unit: Code,
    pub window: Span,
    pub used: i128,
    pub reserved: i128,
    pub granted: i128,
}

/// A level that holds entitlements of which none is in force.
pub struct Lapse {
    pub height: usize,
    pub code: DecisionCode,
    pub entitlement: Uuid,
    pub begins_at: Option<Timestamp>,
}

impl Limit {
    pub fn left(&self) -> i128 {
        self.allowed.unwrap() + self.granted - self.used - self.reserved
    }

    pub fn name(&self, resource: &Code) -> LimitName {
        let (kind, window_type) = (self.kind, self.window_type.clone());
        (
            self.level,
            resource.clone(),
            kind,
            window_type,
            self.scope.clone(),
        )
    }

    pub fn is_rolling(&self) -> bool {
        self.kind == LimitKind::Cumulative && windows::rolling_length(&self.window_type).is_some()
    }

    /// A rolling window counts what lies ahead, too.
    pub fn counted(&self) -> Span {
        let end = self.window.end.filter(|_| !self.is_rolling());
        Span { end, ..self.window }
    }
}

impl Naive {
    /// All limits, nearest level first, and the levels that deny whatever they say.
    pub fn limits(&self, ask: &Ask<'_>) -> (Vec<Limit>, Vec<Lapse>) {
        let (mut limits, mut lapses) = (Vec::new(), Vec::new());
        let present = || self.path(ask.account);
        let levels = ask.under.map_or_else(present, <[Uuid]>::to_vec);
        for (height, level) in levels.into_iter().enumerate() {
            let held: Vec<&Entitlement> = self
                .entitlements
                .iter()
                .filter(|e| {
                    e.account_id == level
                        && e.resource_type_code == *ask.resource
                        && ask.kinds.contains(&e.limit_kind_code)
                        && (e.resource_scope.is_none() || e.resource_scope.as_ref() == ask.scope)
                        && !is_superseded(e, ask.at)
                })
                .collect();
            let (mut in_force, mut idle) = (Vec::new(), Vec::new());
            for entitlement in held {
                match self.why_not(entitlement, ask) {
                    None => in_force.push(entitlement),
                    Some(why) => idle.push((why, entitlement)),
                }
            }
            if !in_force.is_empty() {
                limits.extend(self.grouped(&in_force, height, level, ask));
            } else if idle.is_empty() {
                limits.extend(self.made_by_grants(height, level, ask));
            } else {
                lapses.push(lapse(&idle, height));
            }
        }
        (limits, lapses)
    }

    fn why_not(&self, e: &Entitlement, ask: &Ask<'_>) -> Option<DecisionCode> {
        if e.status == EntitlementStatus::Suspended {
            Some(DecisionCode::EntitlementSuspended)
        } else if e.status != EntitlementStatus::Active
            || e.effective_end.is_some_and(|end| end <= ask.at)
        {
            Some(DecisionCode::EntitlementExpired)
        } else if ask.at < e.effective_start {
            Some(DecisionCode::EntitlementNotStarted)
        } else if !self.all_hold(&e.conditions, ask, e.plan_id.as_deref()) {
            Some(DecisionCode::ConditionsNotMet)
        } else {
            None
        }
    }

    pub fn all_hold(&self, conditions: &[Condition], ask: &Ask<'_>, plan: Option<&str>) -> bool {
        conditions.iter().all(|condition| {
            let fact = match condition.key.as_str() {
                "mec.plan_id" => plan.map(str::to_owned),
                "mec.account_type" => self.account(ask.account).map(|a| a.kind.to_string()),
                "mec.account_id" => Some(ask.account.to_string()),
                key if key.starts_with("mec.") => None,
                key => ask.context.get(key).cloned(),
            };
            holds(condition, fact.as_deref())
        })
    }

    fn grouped(
        &self,
        in_force: &[&Entitlement],
        height: usize,
        level: Uuid,
        ask: &Ask<'_>,
    ) -> Vec<Limit> {
        type Group<'e> = (LimitKind, &'e Code, Option<&'e Code>);
        let mut groups: Vec<(Group<'_>, Vec<&Entitlement>)> = Vec::new();
        for e in in_force {
            let scope = e.resource_scope.as_ref();
            let group = (e.limit_kind_code, &e.window_type_code, scope);
            match groups.iter_mut().find(|(of, _)| *of == group) {
                Some((_, members)) => members.push(e),
                None => groups.push((group, vec![e])),
            }
        }
        let limit = |(group, members): (Group<'_>, Vec<&Entitlement>)| {
            let highest = members.iter().map(|e| e.priority).max();
            let mut members: Vec<Entitlement> = members
                .into_iter()
                .filter(|e| Some(e.priority) == highest)
                .cloned()
                .collect();
            members.sort_by_key(|e| (e.created_at, e.entitlement_id));
            self.counted(group, members, height, level, ask)
        };
        groups.into_iter().map(limit).collect()
    }

    fn counted(
        &self,
        (kind, window_type, scope): (LimitKind, &Code, Option<&Code>),
        members: Vec<Entitlement>,
        height: usize,
        level: Uuid,
        ask: &Ask<'_>,
    ) -> Limit {
        let oldest = &members[0];
        // Access for a time has no quantity, whatever its entitlement says.
        let allowed = (kind != LimitKind::TimeAccess)
            .then(|| {
                let amount = |e: &Entitlement| {
                    e.quantity_allowed
                        .map(|q| q.micros() * self.factor(&e.unit_code))
                };
                members.iter().map(amount).sum::<Option<i128>>()
            })
            .flatten();
        let mut window = ALL_TIME;
        if kind == LimitKind::Cumulative {
            let anchor = oldest.window_anchor.unwrap_or(oldest.effective_start);
            window = windows::window(
                window_type,
                anchor,
                self.account(level).unwrap().zone(),
                ask.at,
            );
            window.start = window.start.max(oldest.usage_from);
        }
        let mut limit = Limit {
            height,
            level,
            kind,
            window_type: window_type.clone(),
            scope: scope.cloned(),
            allowed,
            unit: oldest.unit_code.clone(),
            members,
            window,
            used: 0,
            reserved: 0,
            granted: 0,
        };
        self.count(&mut limit, ask);
        limit
    }

    /// An open grant at a level without an entitlement is a limit with the allowance 0.
    fn made_by_grants(&self, height: usize, level: Uuid, ask: &Ask<'_>) -> Vec<Limit> {
        let mut limits: Vec<Limit> = Vec::new();
        if !ask.kinds.contains(&LimitKind::Cumulative) {
            return limits;
        }
        let account = self.account(level).unwrap();
        for grant in self.open_grants(level, ask.resource, ask.scope, ask.at) {
            if limits.iter().any(|l| l.window_type == grant.window_type) {
                continue;
            }
            let (of, zone) = (&grant.window_type, account.zone());
            let mut limit = Limit {
                height,
                level,
                kind: LimitKind::Cumulative,
                window_type: of.clone(),
                scope: None,
                members: Vec::new(),
                allowed: Some(0),
                unit: grant.unit.clone(),
                // With no entitlement to take an anchor from, cycles are counted from the account's creation.
                window: windows::window(of, account.created_at, zone, ask.at),
                used: 0,
                reserved: 0,
                granted: 0,
            };
            self.count(&mut limit, ask);
            limits.push(limit);
        }
        limits
    }

    pub fn count(&self, limit: &mut Limit, ask: &Ask<'_>) {
        let fits = |scope: &Option<Code>| limit.scope.is_none() || *scope == limit.scope;
        let (level, resource, span) = (limit.level, &**ask.resource, limit.counted());
        if limit.kind == LimitKind::Concurrency {
            let live = self.live_leases(level, resource, ask.at);
            let slots = live
                .filter(|lease| fits(&lease.scope))
                .map(|lease| lease.slots);
            limit.used = slots.map(|slots| i128::from(slots) * 1_000_000).sum();
            return;
        }
        if limit.kind == LimitKind::TimeAccess {
            return;
        }
        let cumulative = limit.kind == LimitKind::Cumulative;
        let drawn_for = Some(&*limit.window_type).filter(|_| cumulative);
        limit.used = self.used(level, resource, limit.scope.as_ref(), span, drawn_for);
        let open = self.open_reservations(level, resource, ask.at);
        let open = open.filter(|r| fits(&r.scope) && within(span, r.created_at));
        limit.reserved = open.map(|r| r.amount).sum();
        if cumulative {
            let grants = self.open_grants(level, resource, ask.scope, ask.at);
            let lifting = grants.iter().filter(|g| g.window_type == limit.window_type);
            limit.granted = lifting.map(|grant| self.left(grant)).sum();
        }
    }
}

/// Replaced by now at the latest.
fn is_superseded(e: &Entitlement, at: Timestamp) -> bool {
    e.status == EntitlementStatus::Superseded
        || (e.superseded_by.is_some() && e.effective_end.is_some_and(|end| end <= at))
}

/// The first reason that fits any, by its oldest entitlement; what has not begun frees up when the first does.
fn lapse(idle: &[(DecisionCode, &Entitlement)], height: usize) -> Lapse {
    let order = [
        DecisionCode::EntitlementSuspended,
        DecisionCode::EntitlementExpired,
        DecisionCode::EntitlementNotStarted,
        DecisionCode::ConditionsNotMet,
    ];
    let of = |code| {
        idle.iter()
            .filter(move |(why, _)| *why == code)
            .map(|(_, e)| *e)
    };
    let code = order
        .into_iter()
        .find(|code| of(*code).next().is_some())
        .unwrap();
    let oldest = of(code).min_by_key(|e| (e.created_at, e.entitlement_id));
    Lapse {
        height,
        code,
        entitlement: oldest.unwrap().entitlement_id,
        begins_at: (code == DecisionCode::EntitlementNotStarted)
            .then(|| of(code).map(|e| e.effective_start).min())
            .flatten(),
    }
}

fn holds(condition: &Condition, fact: Option<&str>) -> bool {
    let value = condition.value.as_deref().unwrap_or_default();
    let Some(fact) = fact else {
        return matches!(condition.op, ConditionOp::Ne | ConditionOp::NotIn);
    };
    // The histories' numbers are whole and their lists have no blanks.
    let order = |value: &str| match (fact.parse::<i64>(), value.parse::<i64>()) {
        (Ok(fact), Ok(value)) => fact.cmp(&value),
        _ => fact.cmp(value),
    };
    let listed = || value.split(',').any(|one| order(one).is_eq());
    match condition.op {
        ConditionOp::Eq => order(value).is_eq(),
        ConditionOp::Ne => order(value).is_ne(),
        ConditionOp::In => listed(),
        ConditionOp::NotIn => !listed(),
        ConditionOp::Lt => order(value).is_lt(),
        ConditionOp::Lte => order(value).is_le(),
        ConditionOp::Gt => order(value).is_gt(),
        ConditionOp::Gte => order(value).is_ge(),
        ConditionOp::Exists => true,
    }
}
