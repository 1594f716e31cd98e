//! Replacing catalogues and lookups without taking away what is in use.

use std::collections::BTreeSet;
use std::sync::Arc;

use mec_core::catalogue::{Lookups, ResourceType};
use mec_core::lookups::LookupFault;
use mec_core::{Catalogue, Code, Namespace, Refusal};
use mec_store::{CatalogueAge, CatalogueDraft, CatalogueRows, CommitError, Store, StoreError};

use crate::Shared;
use crate::error::EngineError;

/// So often a replacement is tried that other processes are in the way of.
const TRIES: usize = 4;

/// Replaces a catalogue; where it is told over what, only over that, and without loss.
pub(crate) async fn put_catalogue<S: Store>(
    store: &S,
    shared: &Shared,
    namespace: Namespace,
    draft: &CatalogueDraft,
    over: Option<CatalogueAge>,
) -> Result<Arc<Catalogue>, EngineError> {
    let mut draft = draft.clone();
    draft.over = over;
    for _ in 0..TRIES {
        let lookups = store.lookups().await?;
        if let Some(over) = over
            && let Some(before) = store.catalogue(&namespace, None).await?
        {
            if before.version != over.version {
                let held = before.version;
                return Err(Refusal::CatalogueChanged { held }.into());
            }
            if lookups.version != over.lookups {
                let held = lookups.version;
                return Err(Refusal::LookupsChanged { held }.into());
            }
            let touched = touched(&before, &draft);
            let used = store.used(&namespace, touched).await?;
            refuse_loss(&before, &draft, &used)?;
        }
        refuse_unknown(&lookups, &draft)?;
        match store.put_catalogue(&namespace, &draft, shared.now()).await {
            Ok(catalogue) => return Ok(shared.catalogues.put_if_newer(catalogue)),
            // Another process was faster: the next look finds another version, and refuses.
            Err(CommitError::NotDone(StoreError::Again(_))) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Err(StoreError::Again("others are in the way all the time".to_owned()).into())
}

/// Replaces the rows that all namespaces share.
pub(crate) async fn put_lookups<S: Store>(
    store: &S,
    shared: &Shared,
    after: &Lookups,
    over: u64,
) -> Result<Arc<Lookups>, EngineError> {
    let mut after = after.clone();
    after.version = over;
    for _ in 0..TRIES {
        let before = store.lookups().await?;
        if before.version != over {
            let held = before.version;
            return Err(Refusal::LookupsChanged { held }.into());
        }
        refuse_faults(after.faults())?;
        let used = store.used_lookups(before.touched(&after)).await?;
        refuse_faults(before.losses(&used, &after))?;
        match store.put_lookups(&after).await {
            Ok(lookups) => {
                shared.catalogues.lookups_are(lookups.version);
                return Ok(lookups);
            }
            // Another process was faster: the next look finds another version, and refuses.
            Err(CommitError::NotDone(StoreError::Again(_))) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Err(StoreError::Again("others are in the way all the time".to_owned()).into())
}

fn refused(error: CommitError) -> EngineError {
    match error {
        CommitError::Refused { reason, .. } => Refusal::Catalogue(reason).into(),
        CommitError::NotDone(error) | CommitError::InDoubt(error) => error.into(),
    }
}

/// Refuses lookups for all that is wrong with them.
pub(crate) fn refuse_faults(faults: Vec<LookupFault>) -> Result<(), Refusal> {
    refuse_all(faults.into_iter().map(|fault| fault.sentence))
}

/// Refuses for all of some sentences, where there is any.
fn refuse_all(sentences: impl Iterator<Item = String>) -> Result<(), Refusal> {
    let sentences: Vec<String> = sentences.collect();
    if sentences.is_empty() {
        return Ok(());
    }
    Err(Refusal::Catalogue(sentences.join("; ")))
}

/// Refuses a draft that names units or window types which are not there.
pub(crate) fn refuse_unknown(lookups: &Lookups, draft: &CatalogueDraft) -> Result<(), Refusal> {
    let templates = || draft.plans.iter().flat_map(|plan| &plan.templates);
    let resources = draft.resource_types.iter();
    let units = resources
        .flat_map(|resource| {
            resource
                .allowed_units
                .iter()
                .chain([&resource.default_unit_code])
        })
        .chain(templates().map(|template| &template.unit_code))
        .filter(|unit| !lookups.units.contains_key(*unit))
        .map(|unit| format!("the unit {unit} does not exist"));
    let windows = templates()
        .map(|template| &template.window_type_code)
        .filter(|window| !lookups.window_types.contains_key(*window))
        .map(|window| format!("the window type {window} does not exist"));
    let named_once: BTreeSet<String> = units.chain(windows).collect();
    refuse_all(named_once.into_iter())
}

/// The rows that a draft would remove or make another kind of thing.
pub(crate) fn touched(before: &Catalogue, draft: &CatalogueDraft) -> CatalogueRows {
    let plans = before.plans.keys();
    let plans = plans.filter(|plan| !draft.plans.iter().any(|kept| kept.plan_id == **plan));
    let resources = before.resource_types.values();
    let resources = resources.filter(|old| {
        let new = find(draft, &old.resource_type_code);
        new.is_none_or(|new| becomes(before, old, new).is_some())
    });
    let mut rows = CatalogueRows {
        plans: plans.cloned().collect(),
        resource_types: resources.map(|r| r.resource_type_code.clone()).collect(),
    };
    rows.plans.sort_unstable();
    rows.resource_types.sort_unstable();
    rows
}

/// Refuses a draft that removes or remakes what is used; the sentence names all of it.
pub(crate) fn refuse_loss(
    before: &Catalogue,
    draft: &CatalogueDraft,
    used: &CatalogueRows,
) -> Result<(), Refusal> {
    let plans = used.plans.iter().map(|plan| {
        format!("the plan {plan} is held by accounts: keep it, with status = \"archived\" if it is not to be sold any more")
    });
    let resources = used.resource_types.iter().filter_map(|code| {
        let Some(new) = find(draft, code) else {
            return Some(format!(
                "the resource type {code} is used by accounts: keep it"
            ));
        };
        let what = becomes(before, before.resource_type(code)?, new)?;
        Some(format!(
            "the resource type {code} is used by accounts: {what} stays as it is"
        ))
    });
    refuse_all(plans.chain(resources))
}

fn find<'a>(draft: &'a CatalogueDraft, code: &Code) -> Option<&'a ResourceType> {
    draft
        .resource_types
        .iter()
        .find(|resource| resource.resource_type_code == *code)
}

/// What of a resource type decides how the recorded use of it counts, where a draft changes that.
fn becomes(before: &Catalogue, old: &ResourceType, new: &ResourceType) -> Option<&'static str> {
    let category = |resource: &ResourceType| {
        let unit = before.unit(&resource.default_unit_code);
        unit.map(|unit| unit.unit_category.clone())
    };
    [
        ("is_inventory", old.is_inventory != new.is_inventory),
        ("is_concurrency", old.is_concurrency != new.is_concurrency),
        ("is_time_bound", old.is_time_bound != new.is_time_bound),
        ("the category of its units", category(old) != category(new)),
    ]
    .into_iter()
    .find_map(|(what, changed)| changed.then_some(what))
}
