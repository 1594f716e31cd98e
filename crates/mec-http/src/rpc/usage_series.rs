//! `usage_series`: usage over time, by hour, day or month.

use mec_core::{Quantity, Timestamp};
use mec_query::Role;
use mec_query::rows::Cell;
use mec_query::schema::{Belongs, Column, Kind, Resource, Source, Writes};
use mec_store::{SeriesBucket, SeriesGroup, SeriesQuery};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::get_usage::find_account;
use super::{Named, Rpc};
use crate::App;
use crate::args::{Arg, Bad, Code, Raw, params};
use crate::auth::{Caller, Reader};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

/// The most rows of one answer.
const MAX_ROWS: usize = 10_000;
/// The most buckets of one question.
const MAX_BUCKETS: i64 = 1_000;

params! {
    /// Tells usage over time, accounts below included, in the resource type's default unit.
    /// Buckets are in UTC; those without usage have no row.
    UsageSeries of account {
        /// The resource type.
        p_resource_type: Code,
        /// From when, on the start of a bucket.
        p_from: Timestamp,
        /// Until when, exclusively, on the start of a bucket; at most 1,000 buckets later.
        p_to: Timestamp,
        /// The length of a bucket: `hour`, `day` or `month`.
        p_bucket: Bucket,
        /// What to group by: `scope`, `account` or `detail:KEY`.
        p_group_by: Option<Group>,
    }
}

/// The length of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Bucket(SeriesBucket);

/// What rows are grouped by.
#[derive(Clone, Debug)]
pub struct Group(SeriesGroup);

/// Usage in one bucket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UsageRow {
    /// The bucket's start.
    #[schema(value_type = String, format = DateTime)]
    bucket_start: Timestamp,
    /// The scope, account or detail value; null without grouping, and for usage that has none.
    group: Option<String>,
    /// How much.
    #[schema(value_type = f64)]
    quantity: Quantity,
}

impl Named for UsageSeries {
    const NAME: &'static str = "usage_series";
}

/// Its rows, for filters on them.
static ROWS: Resource = Resource {
    name: "usage_series",
    description: "The buckets with usage.",
    columns: &[
        column("bucket_start", Kind::Time, false),
        column("group", Kind::Text, true),
        column("quantity", Kind::Amount, false),
    ],
    key: &["bucket_start", "group"],
    belongs: Belongs::All,
    least_reader: Role::MecUser,
    writes: Writes::NONE,
    source: Source::Engine,
};

const fn column(name: &'static str, kind: Kind, is_nullable: bool) -> Column {
    Column {
        name,
        kind,
        is_nullable,
        tells_of: None,
    }
}

impl Rpc for UsageSeries {
    type Who = Reader;
    const READ_ONLY: bool = true;
    const ROWS: Option<&'static Resource> = Some(&ROWS);
    const IS_LARGE: bool = true;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "too_many_rows",
    ];

    fn answer() -> Answer {
        Answer::rows::<UsageRow>("The buckets with usage")
    }

    async fn call(mut self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        let target = self.target()?;
        self.check_bounds()?;
        let account = find_account(app, caller, &target).await?;
        let catalogue = app.engine().catalogue(&caller.namespace).await?;
        let resource = catalogue.require_resource_type(&self.p_resource_type.0)?;
        let query = SeriesQuery {
            namespace: caller.namespace.clone(),
            account,
            resource: self.p_resource_type.0,
            from: self.p_from,
            to: self.p_to,
            bucket: self.p_bucket.0,
            group_by: self.p_group_by.map(|group| group.0),
            limit: MAX_ROWS + 1,
        };
        let rows = app.engine().series(query).await?;
        if rows.len() > MAX_ROWS {
            let message = format!("the answer would have more than {MAX_ROWS} rows");
            return Err(
                ApiError::new("too_many_rows", message).with_hint(Some("ask for less time"))
            );
        }
        let told = rows.into_iter().map(|row| {
            let quantity = catalogue.in_unit(row.amount, &resource.default_unit_code);
            vec![
                Cell::Time(row.bucket_start),
                row.group.map_or(Cell::Null, Cell::Text),
                Cell::Decimal(quantity.micros()),
            ]
        });
        Ok(Reply::rows(told.collect()))
    }
}

impl UsageSeries {
    fn check_bounds(&self) -> Result<(), ApiError> {
        let bad = |field: &'static str, expected: &str| {
            let message = format!("{field}: expected {expected}");
            Err(ApiError::new("invalid_value", message).with_details(field))
        };
        for (field, time) in [("p_from", self.p_from), ("p_to", self.p_to)] {
            if !self.p_bucket.begins_at(time) {
                return bad(field, "the start of a bucket in UTC");
            }
        }
        if self.p_to < self.p_from {
            return bad("p_to", "a time not before p_from");
        }
        if self.p_to.micros_since(self.p_from) / self.p_bucket.shortest_micros() > MAX_BUCKETS {
            return bad("p_to", "a time at most 1000 buckets after p_from");
        }
        Ok(())
    }
}

impl Bucket {
    fn begins_at(self, time: Timestamp) -> bool {
        match self.0 {
            SeriesBucket::Hour => time == time.floor_hour(),
            SeriesBucket::Day => time == time.floor_day(),
            SeriesBucket::Month => time == time.floor_day() && time.to_canonical().contains("-01T"),
        }
    }

    /// The least that one bucket lasts; months differ.
    const fn shortest_micros(self) -> i64 {
        match self.0 {
            SeriesBucket::Hour => Timestamp::MICROS_PER_HOUR,
            SeriesBucket::Day => Timestamp::MICROS_PER_DAY,
            SeriesBucket::Month => 28 * Timestamp::MICROS_PER_DAY,
        }
    }
}

impl Arg for Bucket {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        match raw.text().as_deref() {
            Ok("hour") => Ok(Self(SeriesBucket::Hour)),
            Ok("day") => Ok(Self(SeriesBucket::Day)),
            Ok("month") => Ok(Self(SeriesBucket::Month)),
            _ => Err(Bad::value("hour, day or month")),
        }
    }

    fn schema() -> RefOr<Schema> {
        let values = Some(["hour", "day", "month"]);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(values)
            .into()
    }
}

impl Arg for Group {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw.text().unwrap_or_default();
        let detail = text
            .strip_prefix("detail:")
            .filter(|key| (1..=100).contains(&key.len()));
        match (text.as_ref(), detail) {
            ("scope", _) => Ok(Self(SeriesGroup::Scope)),
            ("account", _) => Ok(Self(SeriesGroup::Account)),
            (_, Some(key)) => Ok(Self(SeriesGroup::Detail(key.to_owned()))),
            _ => Err(Bad::value("scope, account or detail:KEY")),
        }
    }

    fn schema() -> RefOr<Schema> {
        let form = "^(scope|account|detail:.{1,100})$";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(form))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_begin_where_they_begin() {
        let begins = |bucket, text: &str| Bucket(bucket).begins_at(Timestamp::parse(text).unwrap());
        assert!(begins(SeriesBucket::Hour, "2026-11-24T05:00:00Z"));
        assert!(!begins(SeriesBucket::Hour, "2026-11-24T05:30:00Z"));
        assert!(begins(SeriesBucket::Day, "2026-11-24"));
        assert!(begins(SeriesBucket::Month, "2026-11-01"));
        assert!(!begins(SeriesBucket::Month, "2026-11-24"));
        assert!(!begins(SeriesBucket::Month, "2026-11-01T01:00:00Z"));
    }
}
