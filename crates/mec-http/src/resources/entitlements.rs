//! New rows of `entitlements`, with their conditions.

use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::{Command, Quantity, Timestamp, ops};
use mec_engine::{Request, Target};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::New;
use crate::App;
use crate::args::{Arg, Bad, Code, Raw, params};
use crate::auth::Caller;
use crate::error::ApiError;

params! {
    /// Gives an account an entitlement to a resource.
    NewEntitlement {
        /// Its id; one is made where none is given.
        entitlement_id: Option<Uuid>,
        /// The account.
        account_id: Uuid,
        /// The resource type.
        resource_type_code: Code,
        /// The finer label of the resource; none for all scopes.
        resource_scope: Option<Code>,
        /// How it counts: `cumulative`, `concurrency`, `inventory` or `time_access`.
        limit_kind_code: LimitKind,
        /// How much; null for unlimited.
        quantity_allowed: Option<Quantity>,
        /// The unit of the quantity; the resource type's default where none is named.
        unit_code: Option<Code>,
        /// From when it is in force; now where none is given.
        effective_start: Option<Timestamp>,
        /// Until when, exclusively; for ever where none is given.
        effective_end: Option<Timestamp>,
        /// The window in which a cumulative limit counts; `none`, all time, where none is named.
        window_type_code: Option<Code>,
        /// What anniversary windows are counted from; `effective_start` where none is given.
        window_anchor: Option<Timestamp>,
        /// Bounds the window's start from below.
        usage_from: Option<Timestamp>,
        /// Within one limit only the highest counts.
        priority: i32 = 0,
        /// Where it stands: `active`, `suspended`, `expired` or `superseded`.
        status: EntitlementStatus = EntitlementStatus::Active,
        /// All must hold for it to count; at most 20.
        conditions: Option<Conditions>,
    }
}

/// The conditions of an entitlement.
#[derive(Debug)]
pub struct Conditions(Vec<Condition>);

/// The most conditions of one entitlement.
const MAX_CONDITIONS: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionRow<'a> {
    condition_key: String,
    condition_op: ConditionOp,
    #[serde(borrow)]
    condition_value: Option<&'a RawValue>,
}

impl Arg for Conditions {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let expected = "an array of objects with condition_key, condition_op and condition_value";
        let rows: Result<Vec<ConditionRow<'_>>, _> = serde_json::from_str(raw.json());
        let rows = rows.map_err(|_| Bad::value(expected))?;
        if rows.len() > MAX_CONDITIONS {
            return Err(Bad::value("at most 20 conditions"));
        }
        let conditions = rows.into_iter().map(|row| {
            let value = row
                .condition_value
                .map(|value| condition_value(value.get()))
                .transpose()?;
            let condition = Condition {
                key: row.condition_key,
                op: row.condition_op,
                value: value.flatten(),
            };
            condition.validate().map_err(Bad::value)?;
            Ok(condition)
        });
        conditions.collect::<Result<_, _>>().map(Self)
    }

    fn schema() -> RefOr<Schema> {
        let string = || ObjectBuilder::new().schema_type(Type::String);
        let row = ObjectBuilder::new()
            .property("condition_key", string())
            .property(
                "condition_op",
                string().enum_values(Some(ConditionOp::ALL.map(ConditionOp::as_str))),
            )
            .property("condition_value", string())
            .required("condition_key")
            .required("condition_op");
        ArrayBuilder::new()
            .items(row)
            .max_items(Some(MAX_CONDITIONS))
            .into()
    }
}

/// A condition's value as text: a string, a number or boolean as written, or the JSON of a list.
fn condition_value(json: &str) -> Result<Option<String>, Bad> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'{') | None => Err(Bad::value(
            "a string, number, boolean or array in condition_value",
        )),
        Some(b'"') => Raw::Json(json).text().map(|text| Some(text.into_owned())),
        Some(_) => Ok(Some(json.to_owned())),
    }
}

impl Arg for LimitKind {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let kind = raw.text().ok().and_then(|text| Self::parse(&text));
        kind.ok_or(Bad::value(
            "cumulative, concurrency, inventory or time_access",
        ))
    }

    fn schema() -> RefOr<Schema> {
        let values = Some(Self::ALL.map(Self::as_str));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(values)
            .into()
    }
}

impl Arg for EntitlementStatus {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let status = raw.text().ok().and_then(|text| Self::parse(&text));
        status.ok_or(Bad::value("active, suspended, expired or superseded"))
    }

    fn schema() -> RefOr<Schema> {
        let all = [
            Self::Active,
            Self::Suspended,
            Self::Expired,
            Self::Superseded,
        ];
        let values = Some(all.map(Self::as_str));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(values)
            .into()
    }

    fn to_value(&self) -> Option<serde_json::Value> {
        Some(self.as_str().into())
    }
}

impl New for NewEntitlement {
    const NAME: &'static str = "entitlements";
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "invalid_quantity",
        "too_many_decimals",
        "unit_not_allowed",
        "unknown_code",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn request(self, _: &App, caller: &Caller) -> Result<Request, ApiError> {
        let create = ops::entitlement::CreateEntitlement {
            entitlement_id: self.entitlement_id,
            resource: self.resource_type_code.0,
            scope: self.resource_scope.map(|scope| scope.0),
            limit_kind: self.limit_kind_code,
            quantity_allowed: self.quantity_allowed,
            unit: self.unit_code.map(|unit| unit.0),
            effective_start: self.effective_start,
            effective_end: self.effective_end,
            window_type: self.window_type_code.map(|window_type| window_type.0),
            window_anchor: self.window_anchor,
            usage_from: self.usage_from,
            priority: self.priority,
            status: self.status,
            conditions: self
                .conditions
                .map_or_else(Vec::new, |conditions| conditions.0),
        };
        let target = Target::Account(self.account_id);
        Ok(caller.request(target, Command::CreateEntitlement(create), None))
    }
}
