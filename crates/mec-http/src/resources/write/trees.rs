//! Rows of accounts and of what belongs to them, each written by a command to the engine.

use std::collections::BTreeMap;

use mec_core::account::{AccountStatus, ExternalKey};
use mec_core::entitlement::EntitlementStatus;
use mec_core::ops::link_external_id::UnlinkExternalId;
use mec_core::ops::move_account::MoveAccount;
use mec_core::ops::update_account::UpdateAccount;
use mec_core::ops::update_entitlement::UpdateEntitlement;
use mec_core::ops::update_grant::UpdateGrant;
use mec_core::{Command, Timestamp};
use mec_engine::{Request, Target};
use mec_query::rows::Cell;
use mec_query::schema::Resource;
use uuid::Uuid;

use super::cells::Reading;
use super::payload::{Given, bad_value};
use super::table::{Row, fixed, is_made};
use crate::App;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::resources::New;
use crate::resources::accounts::NewAccount;
use crate::resources::entitlements::NewEntitlement;
use crate::resources::external_ids::NewExternalId;
use crate::resources::grants::NewGrant;

/// The command that puts a row in.
pub fn insert(
    resource: &'static Resource,
    given: &Given,
    app: &App,
    caller: &Caller,
) -> Result<Request, ApiError> {
    fn new<T: New>(
        resource: &'static Resource,
        given: &Given,
        app: &App,
        caller: &Caller,
    ) -> Result<Request, ApiError> {
        T::decode(&given.arguments(resource))?.request(app, caller)
    }
    match resource.name {
        "accounts" => new::<NewAccount>(resource, given, app, caller),
        "entitlements" => new::<NewEntitlement>(resource, given, app, caller),
        "grants" => new::<NewGrant>(resource, given, app, caller),
        _ => new::<NewExternalId>(resource, given, app, caller),
    }
}

/// The command that changes a row to what is given; none where nothing is another.
pub fn change(
    resource: &'static Resource,
    held: &Row,
    given: &Given,
    caller: &Caller,
) -> Result<Option<Request>, ApiError> {
    let mut row = held.clone();
    let mut changed = Vec::new();
    for (at, value) in &given.values {
        let (Some(place), Some(column)) = (row.get_mut(*at), resource.columns.get(*at)) else {
            continue;
        };
        if place != value && !is_made(column.name) {
            if *value == Cell::Null && !column.is_nullable {
                return Err(bad_value(column.name, "a value, not null"));
            }
            *place = value.clone();
            changed.push(column.name);
        }
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let held = Reading::new(resource, held);
    let wanted = Reading::new(resource, &row);
    let (target, command) = match resource.name {
        "accounts" => account(&held, &wanted, &changed)?,
        "entitlements" => entitlement(&held, &wanted, &changed)?,
        "grants" => grant(&held, &wanted, &changed)?,
        _ => {
            return Err(fixed(
                resource,
                changed.first().copied().unwrap_or_default(),
            ));
        }
    };
    Ok(Some(caller.request(target, command, None)))
}

/// The command that takes a row out.
pub fn delete(
    resource: &'static Resource,
    held: &Row,
    caller: &Caller,
) -> Result<Request, ApiError> {
    let row = Reading::new(resource, held);
    let key = ExternalKey {
        provider: row.code("provider")?,
        external_id: row.text("external_id")?,
    };
    let command = Command::UnlinkExternalId(UnlinkExternalId { key });
    Ok(caller.request(Target::Account(row.id("account_id")?), command, None))
}

fn account(
    held: &Reading<'_>,
    row: &Reading<'_>,
    changed: &[&'static str],
) -> Result<(Target, Command), ApiError> {
    let target = Target::Account(held.id("account_id")?);
    let is = |column: &str| changed.contains(&column);
    if is("parent_account_id") {
        if changed.len() > 1 {
            let message = "an account moves by itself: change its other columns apart";
            return Err(ApiError::new("move_not_alone", message).with_details("parent_account_id"));
        }
        let parent = row.maybe_id("parent_account_id")?;
        return Ok((
            target,
            Command::MoveAccount(MoveAccount { new_parent: parent }),
        ));
    }
    let mut update = UpdateAccount {
        if_updated_at: Some(held.time("updated_at")?),
        external_id: None,
        display_name: None,
        email: None,
        timezone: None,
        metadata: None,
        status: None,
    };
    for column in changed {
        match *column {
            "external_id" => update.external_id = Some(row.maybe_text("external_id")?),
            "display_name" => update.display_name = Some(row.maybe_text("display_name")?),
            "email" => update.email = Some(row.maybe_text("email")?),
            "timezone" => update.timezone = Some(row.maybe_text("timezone")?),
            "metadata" => update.metadata = Some(metadata(row)?),
            "status" => update.status = Some(row.one_of("status", AccountStatus::parse)?),
            other => return Err(fixed(held.resource(), other)),
        }
    }
    Ok((target, Command::UpdateAccount(update)))
}

/// Free fields are texts.
fn metadata(row: &Reading<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    use crate::args::{Arg, Context, Raw};
    let json = row.json("metadata");
    let read = Context::read(Raw::Json(&json));
    read.map(|context| context.0)
        .map_err(|bad| bad_value("metadata", &bad.expected))
}

fn entitlement(
    held: &Reading<'_>,
    row: &Reading<'_>,
    changed: &[&'static str],
) -> Result<(Target, Command), ApiError> {
    let entitlement_id = held.id("entitlement_id")?;
    let mut update = untouched(entitlement_id, Some(held.number("version")?));
    for column in changed {
        match *column {
            "quantity_allowed" => {
                update.quantity_allowed = Some(row.maybe_quantity("quantity_allowed")?);
            }
            "effective_start" => update.effective_start = Some(row.time("effective_start")?),
            "effective_end" => update.effective_end = Some(row.maybe_time("effective_end")?),
            "window_anchor" => update.window_anchor = Some(row.maybe_time("window_anchor")?),
            "usage_from" => update.usage_from = Some(row.maybe_time("usage_from")?),
            "priority" => update.priority = Some(row.number("priority")?),
            "status" => update.status = Some(row.one_of("status", EntitlementStatus::parse)?),
            // Each change makes it rise.
            "version" => {}
            other => return Err(fixed(held.resource(), other)),
        }
    }
    let target = Target::Account(held.id("account_id")?);
    Ok((target, Command::UpdateEntitlement(update)))
}

/// A change of an entitlement that changes nothing yet.
pub fn untouched(entitlement_id: Uuid, if_version: Option<u32>) -> UpdateEntitlement {
    UpdateEntitlement {
        entitlement_id,
        if_version,
        quantity_allowed: None,
        effective_start: None,
        effective_end: None,
        window_anchor: None,
        usage_from: None,
        priority: None,
        status: None,
        conditions: None,
    }
}

fn grant(
    held: &Reading<'_>,
    row: &Reading<'_>,
    changed: &[&'static str],
) -> Result<(Target, Command), ApiError> {
    let mut update = UpdateGrant {
        grant_id: held.id("grant_id")?,
        priority: None,
        expires_at: None,
        reason: None,
    };
    for column in changed {
        match *column {
            "priority" => update.priority = Some(row.number("priority")?),
            "expires_at" => update.expires_at = Some(row.maybe_time("expires_at")?),
            "reason" => update.reason = Some(row.maybe_text("reason")?),
            other => return Err(fixed(held.resource(), other)),
        }
    }
    let target = Target::Account(held.id("account_id")?);
    Ok((target, Command::UpdateGrant(update)))
}

/// A row that a command answered, from its JSON.
pub fn told(resource: &'static Resource, body: &str) -> Option<Row> {
    let members: BTreeMap<String, &serde_json::value::RawValue> =
        serde_json::from_str(body).ok()?;
    let cells = resource.columns.iter().map(|column| {
        let json = members.get(column.name).map_or("null", |json| json.get());
        super::payload::of_json(column, json).unwrap_or(Cell::Null)
    });
    Some(cells.collect())
}

impl Reading<'_> {
    fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, ApiError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Time(at) => Ok(Some(*at)),
            _ => Err(bad_value(column, "a date-time")),
        }
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, ApiError> {
        let missing = || bad_value(column, "a date-time");
        self.maybe_time(column)?.ok_or_else(missing)
    }

    fn maybe_id(&self, column: &'static str) -> Result<Option<Uuid>, ApiError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            _ => self.id(column).map(Some),
        }
    }

    fn json(&self, column: &'static str) -> String {
        match self.cell(column) {
            Cell::Json(json) => json.clone(),
            _ => "null".to_owned(),
        }
    }
}
