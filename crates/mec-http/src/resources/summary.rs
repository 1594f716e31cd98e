//! `usage_summary`: what the engine tells of an account's limits, as rows.

use mec_core::Quantity;
use mec_core::ops::summary::LimitState;
use mec_query::eval;
use mec_query::plan::{Check, Comparator, Filter, Plan, Value};
use mec_query::rows::{Cell, Rows};
use uuid::Uuid;

use crate::App;
use crate::auth::Visitor;
use crate::error::ApiError;

/// The rows of a plan over `usage_summary`. It is worked out for the accounts that the filters name.
pub async fn rows(app: &App, visitor: &Visitor, plan: &Plan) -> Result<Rows, ApiError> {
    let Some(caller) = visitor.caller() else {
        return Ok(Rows::default());
    };
    let named = plan.node.filters.iter().find_map(accounts);
    let accounts = named.or_else(|| caller.guard().map(|account| vec![account]));
    let accounts = accounts.ok_or_else(|| {
        let message = "usage_summary is worked out for accounts that are named";
        let hint = "filter by account_id=eq.<id> or account_id=in.(<id>,<id>)";
        ApiError::new("filter_required", message)
            .with_details("account_id")
            .with_hint(Some(hint))
    })?;
    let states = app
        .engine()
        .usage_summary(
            &caller.namespace,
            accounts,
            caller.guard(),
            caller.consistency(),
        )
        .await?;
    let rows = states
        .into_iter()
        .map(|state| cells(caller.namespace.as_str(), state));
    Ok(eval::answer(plan, rows.collect())?)
}

/// The accounts that a filter names.
fn accounts(filter: &Filter) -> Option<Vec<Uuid>> {
    let Filter::Test(field, check) = filter else {
        return None;
    };
    let values = match check {
        Check::Compare(Comparator::Equal, value) => std::slice::from_ref(value),
        Check::OneOf(values) => values.as_slice(),
        _ => return None,
    };
    let ids = values.iter().map(|value| match value {
        Value::Uuid(id) => Some(*id),
        _ => None,
    });
    let ids = ids.collect::<Option<Vec<_>>>();
    ids.filter(|_| field.column.name == "account_id")
}

/// A limit as a row, in the order of the resource's columns.
fn cells(namespace: &str, state: LimitState) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let maybe = |quantity: Option<Quantity>| {
        quantity.map_or(Cell::Null, |quantity| Cell::Decimal(quantity.micros()))
    };
    let ids: Vec<String> = state
        .entitlement_ids
        .iter()
        .map(|id| format!("\"{id}\""))
        .collect();
    vec![
        text(namespace),
        Cell::Uuid(state.account_id),
        text(&state.resource_type_code),
        state.resource_scope.as_deref().map_or(Cell::Null, text),
        text(state.limit_kind_code.as_str()),
        text(&state.window_type_code),
        state.entitlement_id.map_or(Cell::Null, Cell::Uuid),
        Cell::Json(format!("[{}]", ids.join(","))),
        state.plan_id.as_deref().map_or(Cell::Null, text),
        text(&state.unit_code),
        maybe(state.quantity_allowed),
        maybe(Some(state.quantity_used)),
        maybe(Some(state.quantity_reserved)),
        maybe(Some(state.quantity_granted)),
        maybe(state.quantity_remaining),
        maybe(state.percent_used),
        state.window_start.map_or(Cell::Null, Cell::Time),
        state.window_end.map_or(Cell::Null, Cell::Time),
        state.resets_at.map_or(Cell::Null, Cell::Time),
    ]
}
