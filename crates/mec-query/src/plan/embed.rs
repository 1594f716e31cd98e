//! Embeddings: which related rows a name means.

use std::collections::BTreeMap;

use super::PlanError;
use super::literal::shown;
use crate::ast::{Item, Part, Query};
use crate::nearest;
use crate::schema::{FOREIGN_KEYS, Relation, Resource, relations_between};

/// The one way from a resource to what a request names, and the resource there.
pub(super) fn resolve(
    from: &'static Resource,
    named: &str,
    hint: Option<&str>,
) -> Result<(Relation, &'static Resource), PlanError> {
    let found = relations_between(from, named, hint);
    match found.as_slice() {
        [relation] => Ok((*relation, super::build::resource(relation.other())?)),
        [] => {
            let message = format!(
                "Could not find a relationship between '{}' and '{}' in the schema cache",
                from.name,
                shown(named)
            );
            let related = FOREIGN_KEYS.iter().filter_map(|key| {
                if key.of == from.name {
                    Some(key.to)
                } else {
                    (key.to == from.name).then_some(key.of)
                }
            });
            let hint = nearest(named, related).map(|near| format!("Perhaps you meant '{near}'."));
            Err(PlanError::new("PGRST200", message).with_hint(hint))
        }
        several => {
            let message = format!(
                "Could not embed because more than one relationship was found for '{}' and '{}'",
                from.name,
                shown(named)
            );
            let ways = several.iter().map(|relation| {
                let key = relation.key;
                format!(
                    "{}: {}({}) to {}({})",
                    key.constraint(),
                    key.of,
                    key.column,
                    key.to,
                    key.to_column
                )
            });
            let hint = format!(
                "Name one of them: {}!{}",
                shown(named),
                several.first().map_or("", |relation| relation.key.column)
            );
            Err(PlanError::new("PGRST201", message)
                .with_details(ways.collect::<Vec<_>>().join("; "))
                .with_hint(Some(hint)))
        }
    }
}

/// `relation(count)`, where the relation has no column of that name.
pub(super) fn is_count(inner: &Resource, select: &[Item]) -> bool {
    let [
        Item::Column {
            column, cast: None, ..
        },
    ] = select
    else {
        return false;
    };
    column.name == "count" && column.path.is_empty() && inner.column("count").is_none()
}

/// What is asked of each relation, under the names by which the answer calls them: a request may call an
/// embedding that has an alias by its relation's own name, too.
pub(super) fn addressed(query: &Query) -> Result<BTreeMap<Vec<String>, Part>, PlanError> {
    let mut addressed: BTreeMap<Vec<String>, Part> = BTreeMap::new();
    for (path, part) in &query.parts {
        let Some(path) = called(&query.select, path) else {
            let name = shown(&path.join("."));
            let message = format!("'{name}' is not an embedded resource in this request");
            let hint = format!("Verify that '{name}' is included in the 'select' query parameter.");
            return Err(PlanError::new("PGRST108", message).with_hint(Some(hint)));
        };
        let all = addressed.entry(path).or_default();
        all.filters.extend(part.filters.iter().cloned());
        all.order.extend(part.order.iter().cloned());
        all.limit = part.limit.or(all.limit);
        all.offset = part.offset.or(all.offset);
    }
    Ok(addressed)
}

fn called(select: &[Item], path: &[String]) -> Option<Vec<String>> {
    let Some((first, rest)) = path.split_first() else {
        return Some(Vec::new());
    };
    select.iter().find_map(|item| match item {
        Item::Embed {
            alias,
            relation,
            select,
            ..
        } if alias.as_ref() == Some(first) || relation == first => {
            let mut names = vec![alias.as_ref().unwrap_or(relation).clone()];
            names.extend(called(select, rest)?);
            Some(names)
        }
        _ => None,
    })
}
