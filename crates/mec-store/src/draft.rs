//! What of a catalogue stays itself when a draft takes its place.

use mec_core::Catalogue;
use mec_core::plan::Template;

use crate::CatalogueDraft;

impl CatalogueDraft {
    /// The draft with the ids of the rows that it replaces: a template is the same where resource,
    /// scope, kind and window type of its plan's are; a rule, where its name is.
    #[must_use]
    pub fn with_identities_of(&self, before: &Catalogue) -> Self {
        let mut draft = self.clone();
        for plan in &mut draft.plans {
            let Some(old) = before.plans.get(&plan.plan_id) else {
                continue;
            };
            // Two templates may not differ in what identifies them; only the first can be the old one.
            let mut left: Vec<&Template> = old.templates.iter().collect();
            for template in &mut plan.templates {
                if let Some(at) = left.iter().position(|old| is_same(old, template)) {
                    template.template_id = left.remove(at).template_id;
                }
            }
        }
        for rule in &mut draft.rules {
            let mut old = before.rules.values().flatten();
            if let Some(old) = old.find(|old| old.rule_name == rule.rule_name) {
                rule.rule_id = old.rule_id;
                rule.created_at = old.created_at;
            }
        }
        draft
    }
}

fn is_same(old: &Template, new: &Template) -> bool {
    let of = |template: &Template| {
        (
            template.resource_type_code.clone(),
            template.resource_scope.clone(),
            template.limit_kind_code,
            template.window_type_code.clone(),
        )
    };
    of(old) == of(new)
}
