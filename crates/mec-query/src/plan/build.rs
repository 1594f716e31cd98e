//! From a query to a plan.

use std::collections::BTreeMap;

use super::{
    Cast, Embed, Field, MAX_EMBED_DEPTH, MAX_EMBEDS, MAX_OUTPUTS, MAX_ROWS, Node, Output, PathStep,
    Plan, PlanError, Reach, What, embed, filters, keyset, literal, order,
};
use crate::ast::{Item, Part, Query};
use crate::nearest;
use crate::schema::{self, Kind, Resource, Side};
use crate::{Role, ast};

/// What is known of a query beside its text.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The resource.
    pub resource: &'static Resource,
    /// Who asks.
    pub role: Role,
    /// What they may see.
    pub reach: Reach,
    /// Whether all rows that fit are counted.
    pub is_counted: bool,
    /// The zone in which times are told; UTC where there is none.
    pub timezone: Option<String>,
}

/// What several parts of the making of a plan share.
pub(super) struct Builder {
    /// What is asked of each relation, under the names by which the answer calls them.
    pub parts: BTreeMap<Vec<String>, Part>,
    pub role: Role,
    pub embeds: usize,
    pub tests: usize,
}

/// The plan of a query.
///
/// # Errors
/// For names that do not exist, values that are not of their column's type, what the role may not read,
/// and what is beyond the bounds of one plan.
pub fn plan(query: &Query, asking: &Asking) -> Result<Plan, PlanError> {
    let mut builder = Builder {
        parts: embed::addressed(query)?,
        role: asking.role,
        embeds: 0,
        tests: 0,
    };
    let node = builder.node(asking.resource, &query.select, &mut Vec::new())?;
    Ok(Plan {
        cursor: keyset::cursor(&node),
        node,
        reach: asking.reach.clone(),
        is_counted: asking.is_counted,
        timezone: asking.timezone.clone(),
    })
}

impl Builder {
    /// The plan of one resource with all that is embedded in it.
    pub(super) fn node(
        &mut self,
        resource: &'static Resource,
        select: &[Item],
        path: &mut Vec<String>,
    ) -> Result<Node, PlanError> {
        self.may_read(resource)?;
        let mut node = Node {
            resource,
            outputs: Vec::new(),
            embeds: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            limit: MAX_ROWS,
            offset: 0,
        };
        let mut names = Vec::new();
        // An embedding that names no column is not told: it is there for filters.
        if select.is_empty() && path.is_empty() {
            all_columns(&mut node);
        }
        for item in select {
            self.item(&mut node, item, path, &mut names)?;
        }
        if node.outputs.len() > MAX_OUTPUTS {
            let message = format!("too much is told of a row of {}", resource.name);
            let hint = format!("at most {MAX_OUTPUTS} columns and embeddings");
            return Err(PlanError::new("query_too_complex", message).with_hint(Some(hint)));
        }
        let part = self.parts.remove(path.as_slice()).unwrap_or_default();
        if self.role == Role::MecAnon && resource.name == "plans" {
            node.filters.extend(filters::only_active(resource));
        }
        for condition in &part.filters {
            let filter = self.filter(&node, &names, condition)?;
            node.filters.push(filter);
        }
        keyset::bound(&mut node.filters);
        node.order = order::order(&node, &names, &part.order)?;
        (node.limit, node.offset) = bounds(&part)?;
        Ok(node)
    }

    fn item(
        &mut self,
        node: &mut Node,
        item: &Item,
        path: &mut Vec<String>,
        names: &mut Vec<(String, usize)>,
    ) -> Result<(), PlanError> {
        match item {
            Item::All => all_columns(node),
            Item::Column {
                alias,
                column,
                cast,
            } => {
                let field = field(node.resource, column)?;
                let cast = cast.as_deref().map(|cast| cast_of(&field, cast));
                let last = column.path.last().map_or(&column.name, |step| &step.key);
                node.outputs.push(Output {
                    name: alias.clone().unwrap_or_else(|| last.clone()),
                    what: What::Field(field, cast.transpose()?.flatten()),
                });
            }
            Item::Aggregate { .. } => {
                let message = "Use of aggregate functions is not allowed";
                return Err(PlanError::new("PGRST123", message));
            }
            Item::Embed {
                alias,
                relation,
                hint,
                is_inner,
                is_spread,
                select,
            } => {
                let name = alias.as_ref().unwrap_or(relation);
                let index = node.embeds.len();
                let (related, inner) = embed::resolve(node.resource, relation, hint.as_deref())?;
                self.embeds += 1;
                if path.len() >= MAX_EMBED_DEPTH || self.embeds > MAX_EMBEDS {
                    let message = "the query embeds too much";
                    let hint = "at most 20 embeddings, five deep";
                    return Err(PlanError::new("query_too_complex", message).with_hint(Some(hint)));
                }
                path.push(name.clone());
                let counts = embed::is_count(inner, select);
                let wanted: &[Item] = if counts { &[Item::All] } else { select };
                let inner = self.node(inner, wanted, path);
                path.pop();
                let inner = inner?;
                names.push((name.clone(), index));
                if name != relation {
                    names.push((relation.clone(), index));
                }
                if *is_inner {
                    node.filters.push(super::Filter::Related(index));
                }
                if *is_spread {
                    spread(node, &inner, index, related.side)?;
                } else if !select.is_empty() {
                    node.outputs.push(Output {
                        name: name.clone(),
                        what: if counts {
                            What::Count(index)
                        } else {
                            What::Embed(index)
                        },
                    });
                }
                node.embeds.push(Embed {
                    relation: related,
                    node: inner,
                });
            }
        }
        Ok(())
    }

    fn may_read(&self, resource: &Resource) -> Result<(), PlanError> {
        if self.role >= resource.least_reader {
            return Ok(());
        }
        let message = format!("permission denied for {}", resource.name);
        let hint = format!(
            "it takes the role {} or more",
            resource.least_reader.as_str()
        );
        Err(PlanError::new("42501", message).with_hint(Some(hint)))
    }
}

fn all_columns(node: &mut Node) {
    let columns = node.resource.columns.iter().map(|column| Output {
        name: column.name.to_owned(),
        what: What::Field(
            Field {
                column,
                path: Vec::new(),
                kind: column.kind,
            },
            None,
        ),
    });
    node.outputs.extend(columns);
}

fn spread(node: &mut Node, inner: &Node, embed: usize, side: Side) -> Result<(), PlanError> {
    if side == Side::Many {
        let message = "a spread embedding must be of one row";
        let details = format!("{} may be many rows", inner.resource.name);
        return Err(PlanError::new("PGRST119", message).with_details(details));
    }
    let outputs = inner
        .outputs
        .iter()
        .enumerate()
        .map(|(output, inner)| Output {
            name: inner.name.clone(),
            what: What::Spread { embed, output },
        });
    node.outputs.extend(outputs);
    Ok(())
}

/// How many rows, after how many.
fn bounds(part: &Part) -> Result<(u64, u64), PlanError> {
    let whole = |number: Option<i64>, name: &str| {
        number.map(u64::try_from).transpose().map_err(|_| {
            let details = format!("{name} must not be negative");
            PlanError::new("PGRST103", "Requested range not satisfiable").with_details(details)
        })
    };
    let limit = whole(part.limit, "limit")?.unwrap_or(MAX_ROWS);
    let offset = whole(part.offset, "offset")?.unwrap_or(0);
    Ok((limit.min(MAX_ROWS), offset))
}

/// A column's value, or a place in its JSON.
pub(super) fn field(resource: &'static Resource, column: &ast::Column) -> Result<Field, PlanError> {
    let Some(found) = resource.column(&column.name) else {
        let shown = literal::shown(&column.name);
        let message = format!("column {}.{shown} does not exist", resource.name);
        let near = nearest(
            &column.name,
            resource.columns.iter().map(|column| column.name),
        );
        let hint = near.map(|near| format!("Perhaps you meant the column {near}."));
        return Err(PlanError::new("42703", message).with_hint(hint));
    };
    if !column.path.is_empty() && found.kind != Kind::Json {
        let message = format!("{} is not JSON and has no -> or ->>", found.name);
        return Err(PlanError::new("42883", message));
    }
    let last = column.path.len().saturating_sub(1);
    let mut path = Vec::new();
    for (index, step) in column.path.iter().enumerate() {
        if step.is_text && index < last {
            let message = "->> gives text, in which there is nothing further to look for";
            return Err(PlanError::new("42883", message));
        }
        path.push(match step.key.parse() {
            Ok(index) => PathStep::Index(index),
            Err(_) => PathStep::Key(step.key.clone()),
        });
    }
    let is_text = column.path.last().is_some_and(|step| step.is_text);
    Ok(Field {
        column: found,
        path,
        kind: if is_text { Kind::Text } else { found.kind },
    })
}

/// As what a value is told; none where that is what it is.
fn cast_of(field: &Field, name: &str) -> Result<Option<Cast>, PlanError> {
    let wanted = match name.to_ascii_lowercase().as_str() {
        "text" | "varchar" | "character varying" => Kind::Text,
        "int" | "integer" | "int4" | "int8" | "bigint" | "int2" | "smallint" => Kind::Integer,
        "numeric" | "decimal" => Kind::Quantity,
        "uuid" => Kind::Uuid,
        "bool" | "boolean" => Kind::Boolean,
        "timestamptz" | "timestamp with time zone" => Kind::Time,
        "json" | "jsonb" => Kind::Json,
        _ => {
            let message = format!("type \"{}\" does not exist", literal::shown(name));
            return Err(PlanError::new("42704", message));
        }
    };
    let is_number = |kind| matches!(kind, Kind::Integer | Kind::Quantity | Kind::Amount);
    match (field.kind, wanted) {
        (held, wanted) if held == wanted => Ok(None),
        (_, Kind::Text) => Ok(Some(Cast::Text)),
        (held, Kind::Integer) if is_number(held) => Ok(Some(Cast::Integer)),
        (held, Kind::Quantity) if is_number(held) => Ok(Some(Cast::Numeric)),
        (held, wanted) => {
            let message = format!("cannot cast type {} to {}", held.name(), wanted.name());
            Err(PlanError::new("42846", message))
        }
    }
}

impl Node {
    /// What its outputs are called, and of what kind they are; embeddings are JSON.
    pub fn columns(&self) -> Vec<(&str, Kind)> {
        let kind = |output: &Output| self.kind_of(output);
        self.outputs
            .iter()
            .map(|output| (output.name.as_str(), kind(output)))
            .collect()
    }

    /// Of what kind an output is.
    pub fn kind_of(&self, output: &Output) -> Kind {
        match &output.what {
            What::Field(_, Some(Cast::Text)) => Kind::Text,
            What::Field(_, Some(Cast::Integer)) => Kind::Integer,
            What::Field(_, Some(Cast::Numeric)) => Kind::Amount,
            What::Field(field, None) => field.kind,
            What::Embed(_) | What::Count(_) => Kind::Json,
            What::Spread { embed, output } => {
                let inner = self.embeds.get(*embed).map(|embed| &embed.node);
                let found = inner.and_then(|node| Some((node, node.outputs.get(*output)?)));
                found.map_or(Kind::Json, |(node, output)| node.kind_of(output))
            }
        }
    }
}

/// The resource of a name.
///
/// # Errors
/// PGRST205 where there is none, with the nearest as a hint.
pub fn resource(name: &str) -> Result<&'static Resource, PlanError> {
    Resource::find(name).ok_or_else(|| {
        let shown = literal::shown(name);
        let message = format!("Could not find the table 'api.{shown}' in the schema cache");
        let near = nearest(name, schema::RESOURCES.iter().map(|resource| resource.name));
        let hint = near.map(|near| format!("Perhaps you meant the table 'api.{near}'"));
        PlanError::new("PGRST205", message).with_hint(hint)
    })
}
