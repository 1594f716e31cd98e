//! GET and HEAD of a resource.

use std::sync::Arc;

use axum::http::header::{
    CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, LINK, VARY,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use mec_query::ast::Query;
use mec_query::parse;
use mec_query::plan::{Asking, MAX_ROWS, Plan, Reach, next_page, plan};
use mec_query::print::print;
use mec_query::rows::{Cell, Rows, local_time};
use mec_query::schema::{Resource, Source};
use mec_query::{Role, eval};
use mec_store::QueryError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::format::Format;
use super::preferences::Preferences;
use super::{range, summary};
use crate::App;
use crate::auth::Visitor;
use crate::error::ApiError;
use crate::reply::tag::{is_held, tag};

/// `Preference-Applied`
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// What stands in a query string as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Answers the rows that a query string asks for.
pub async fn read(
    app: &App,
    resource: &'static Resource,
    visitor: &Visitor,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, ApiError> {
    super::profile::check(headers)?;
    let preferences = Preferences::read(headers);
    preferences.refuse_unknown()?;
    let format = Format::choose(headers)?;
    let pairs = parse::pairs(uri.query().unwrap_or_default())?;
    let location = content_location(uri, &pairs);
    let mut query = parse::parse(pairs)?;
    range::narrow(headers, &mut query)?;
    let asking = Asking {
        resource,
        role: visitor.role,
        reach: visitor.reach(resource)?,
        is_counted: preferences.count.is_some(),
        timezone: preferences.timezone.clone(),
    };
    let plan = plan(&query, &asking).map_err(|error| visitor.refused(error))?;
    let plan = Arc::new(plan);
    let mut found = rows(app, visitor, resource, plan.clone()).await?;
    let next = next_link(uri, &query, &plan, &found);
    tell(&plan, &mut found);
    let held = (resource.source == Source::Engine).then_some(headers);
    let mut response = told(&plan, &found, (format, &preferences), held)?;
    let to = response.headers_mut();
    for (name, value) in [(CONTENT_LOCATION, location), (LINK, next)] {
        if let Some(value) = value {
            to.insert(name, value);
        }
    }
    Ok(response)
}

/// Answers the rows of a function as those of a resource: filtered, ordered and told as the query asks.
pub fn of_function(
    resource: &'static Resource,
    rows: Vec<Vec<Cell>>,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response, ApiError> {
    let preferences = Preferences::read(headers);
    let format = Format::choose(headers)?;
    let mut query = parse::parse(parse::pairs(query)?)?;
    range::narrow(headers, &mut query)?;
    let asking = Asking {
        resource,
        role: Role::MecUser,
        reach: Reach::default(),
        is_counted: preferences.count.is_some(),
        timezone: preferences.timezone.clone(),
    };
    let mut plan = plan(&query, &asking)?;
    plan.cursor.clear();
    if query
        .parts
        .get(&Vec::new())
        .is_none_or(|part| part.limit.is_none())
    {
        // A function bounds its rows itself.
        plan.node.limit = u64::MAX;
    }
    let mut found = eval::answer(&plan, rows)?;
    tell(&plan, &mut found);
    told(&plan, &found, (format, &preferences), None)
}

/// The response of rows in a format. With the request's headers it bears a tag, and is not sent again to
/// a client that holds it.
fn told(
    plan: &Plan,
    found: &Rows,
    (format, preferences): (Format, &Preferences),
    tagged: Option<&HeaderMap>,
) -> Result<Response, ApiError> {
    let offset = plan.node.offset;
    let names = plan.node.columns();
    let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    // That it is not one row comes before where the rows would be.
    let body = format.write(&names, found)?;
    let status = range::status(offset, found.rows.len(), found.total)?;
    let tag = tagged.map(|_| tag(&body));
    let is_held = tagged
        .zip(tag.as_ref())
        .is_some_and(|(headers, tag)| is_held(headers, tag));
    let mut response = if is_held {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (status, body).into_response()
    };
    let to = response.headers_mut();
    to.insert(CONTENT_TYPE, format.content_type());
    to.insert(VARY, HeaderValue::from_static("Accept, Prefer, Range"));
    let told = [
        (
            CONTENT_RANGE,
            range::content_range(offset, found.rows.len(), found.total),
        ),
        (ETAG, tag.and_then(|tag| HeaderValue::try_from(tag).ok())),
        (PREFERENCE_APPLIED, preferences.applied(false)),
    ];
    for (name, value) in told {
        if let Some(value) = value {
            to.insert(name, value);
        }
    }
    Ok(response)
}

/// The rows of a plan.
pub async fn rows(
    app: &App,
    visitor: &Visitor,
    resource: &'static Resource,
    plan: Arc<Plan>,
) -> Result<Rows, ApiError> {
    if resource.source == Source::Engine {
        return summary::rows(app, visitor, &plan).await;
    }
    let answer = app.engine().query(visitor.reader(), plan).await;
    answer.map_err(|error| refused(resource, error))
}

fn refused(resource: &'static Resource, error: QueryError) -> ApiError {
    match error {
        QueryError::TooSlow => {
            let hint = match resource.source {
                Source::Growing { hint, .. } => hint,
                Source::Store | Source::Engine => "ask for fewer rows, or without embeddings",
            };
            let message = format!("the query over {} takes too long", resource.name);
            ApiError::new("query_too_slow", message).with_hint(Some(hint))
        }
        QueryError::TooLarge => {
            let hint = "ask for fewer rows with limit, or for fewer columns with select";
            ApiError::new("answer_too_large", "the answer has more than 16 MiB")
                .with_hint(Some(hint))
        }
        QueryError::Refused(code) => {
            let message = "the database refused the query";
            ApiError::new("query_refused", message).with_details(code)
        }
        QueryError::Store(error) => error.into(),
    }
}

/// Tells times in the zone that was asked for, and takes off what only names the last row's place.
fn tell(plan: &Plan, rows: &mut Rows) {
    let told = plan.node.outputs.len();
    for row in &mut rows.rows {
        row.truncate(told);
        let Some(zone) = &plan.timezone else { continue };
        for cell in row {
            if let Cell::Time(at) = cell
                && let Some(local) = local_time(*at, zone)
            {
                *cell = Cell::LocalTime(local);
            }
        }
    }
}

/// The path with the query's pairs in the order of their names.
fn content_location(uri: &Uri, pairs: &[(String, String)]) -> Option<HeaderValue> {
    let mut sorted = pairs.to_vec();
    sorted.sort();
    HeaderValue::try_from(address(uri.path(), &sorted)).ok()
}

/// A path with a query.
pub fn address(path: &str, pairs: &[(String, String)]) -> String {
    let mut address = path.to_owned();
    for (index, (name, value)) in pairs.iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.extend(utf8_percent_encode(name, PLAIN));
        address.push('=');
        address.extend(utf8_percent_encode(value, PLAIN));
    }
    address
}

/// Where the next page is: after the last row of a page that is full, whatever comes before it.
fn next_link(uri: &Uri, query: &Query, plan: &Plan, rows: &Rows) -> Option<HeaderValue> {
    let limit = plan.node.limit.min(MAX_ROWS);
    let is_full = u64::try_from(rows.rows.len()).is_ok_and(|rows| rows > 0 && rows == limit);
    let last = rows.rows.last().filter(|_| is_full)?;
    let place = last.get(plan.node.outputs.len()..)?;
    let next = print(&next_page(query, plan, place)?);
    let link = format!("<{}>; rel=\"next\"", address(uri.path(), &next));
    HeaderValue::try_from(link).ok()
}
