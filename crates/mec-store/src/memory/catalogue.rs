//! The catalogue of a namespace.

use std::sync::Arc;

use mec_core::catalogue::{Catalogue, Lookups};
use mec_core::plan::{Plan, Template};
use mec_core::rule::Rule;
use mec_core::{Code, Namespace};

use super::state::Space;
use crate::{CatalogueDraft, CatalogueRows};

impl Space {
    pub(super) fn catalogue(&self, namespace: &Namespace, lookups: Arc<Lookups>) -> Catalogue {
        let mut catalogue = Catalogue::empty(namespace.clone(), lookups);
        catalogue.version = self.catalogue_version;
        for resource_type in &self.resource_types {
            catalogue.resource_types.insert(
                resource_type.resource_type_code.clone(),
                resource_type.clone(),
            );
        }
        for plan in &self.plans {
            catalogue.plans.insert(plan.plan_id.clone(), plan.clone());
        }
        for rule in &self.rules {
            catalogue
                .rules
                .entry(rule.resource_type_code.clone())
                .or_default()
                .push(rule.clone());
        }
        catalogue
    }

    pub(super) fn replace_catalogue(&mut self, draft: &CatalogueDraft) {
        self.catalogue_version += 1;
        self.plans = self.plans_after(draft);
        self.rules = draft
            .rules
            .iter()
            .map(|rule| self.rule_after(rule))
            .collect();
        let absent = |code: &Code| {
            !draft
                .resource_types
                .iter()
                .any(|kept| kept.resource_type_code == *code)
        };
        let mut resource_types = draft.resource_types.clone();
        let kept = self
            .resource_types
            .iter()
            .filter(|old| absent(&old.resource_type_code) && self.uses(&old.resource_type_code));
        resource_types.extend(kept.cloned());
        self.resource_types = resource_types;
    }

    fn plans_after(&self, draft: &CatalogueDraft) -> Vec<Plan> {
        let old = |id: &Code| self.plans.iter().find(|plan| plan.plan_id == *id);
        let mut plans: Vec<Plan> = draft
            .plans
            .iter()
            .map(|plan| keep_template_ids(plan.clone(), old(&plan.plan_id)))
            .collect();
        for plan in &self.plans {
            let absent = !draft.plans.iter().any(|kept| kept.plan_id == plan.plan_id);
            if absent
                && self
                    .subscriptions
                    .values()
                    .any(|subscription| subscription.plan_id == plan.plan_id)
            {
                plans.push(Plan {
                    status: "archived".into(),
                    ..plan.clone()
                });
            }
        }
        plans
    }

    fn rule_after(&self, rule: &Rule) -> Rule {
        let same_id = self.rules.iter().find(|old| old.rule_id == rule.rule_id);
        match same_id.or_else(|| {
            self.rules
                .iter()
                .find(|old| old.rule_name == rule.rule_name)
        }) {
            Some(old) => Rule {
                rule_id: old.rule_id,
                created_at: old.created_at,
                ..rule.clone()
            },
            None => rule.clone(),
        }
    }

    pub(super) fn used_of(&self, mut rows: CatalogueRows) -> CatalogueRows {
        rows.plans.retain(|plan| {
            let held = |id: &Code| id == plan;
            let mut entitlements = self.entitlements.values();
            self.subscriptions.values().any(|s| held(&s.plan_id))
                || entitlements.any(|e| e.plan_id.as_ref().is_some_and(held))
        });
        rows.resource_types
            .retain(|resource| self.accounts_use(resource));
        rows
    }

    fn uses(&self, resource: &Code) -> bool {
        self.plans
            .iter()
            .flat_map(|plan| &plan.templates)
            .any(|template| template.resource_type_code == *resource)
            || self
                .rules
                .iter()
                .any(|rule| rule.resource_type_code == *resource)
            || self.accounts_use(resource)
    }

    fn accounts_use(&self, resource: &Code) -> bool {
        self.entitlements
            .values()
            .any(|entitlement| entitlement.resource_type_code == *resource)
            || self
                .grants
                .values()
                .any(|grant| grant.resource_type_code == *resource)
            || self.usage.iter().any(|used| used.resource == *resource)
            || self
                .reservations
                .values()
                .any(|(reservation, ..)| reservation.resource_type_code == *resource)
            || self
                .leases
                .values()
                .any(|(lease, _)| lease.resource_type_code == *resource)
    }
}

/// A template for the same limit keeps its id.
fn keep_template_ids(mut plan: Plan, old: Option<&Plan>) -> Plan {
    let mut old: Vec<Template> = old.map(|plan| plan.templates.clone()).unwrap_or_default();
    let identity = |template: &Template| {
        let Template {
            resource_type_code,
            resource_scope,
            limit_kind_code,
            window_type_code,
            ..
        } = template.clone();
        (
            resource_type_code,
            resource_scope,
            limit_kind_code,
            window_type_code,
        )
    };
    for template in &mut plan.templates {
        if let Some(at) = old
            .iter()
            .position(|held| identity(held) == identity(template))
        {
            template.template_id = old.remove(at).template_id;
        }
    }
    plan
}
