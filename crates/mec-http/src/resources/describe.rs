//! The resources in the API's description, made of the schema.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, KnownFormat, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema,
    SchemaFormat,
};

use mec_query::Role;
use mec_query::schema::{Column, Kind, RESOURCES, Resource};

use super::{accounts, entitlements, external_ids, grants};
use crate::openapi::{
    BEARER, JSON, OF_BODIES, OF_EVERY_CALL, add_errors, add_schema, body, describe_new,
};

/// What every reading of a resource may answer beside the errors of every call.
const OF_READS: &[&str] = &[
    "PGRST100",
    "PGRST103",
    "PGRST106",
    "PGRST108",
    "PGRST116",
    "PGRST118",
    "PGRST119",
    "PGRST120",
    "PGRST122",
    "PGRST123",
    "PGRST200",
    "PGRST201",
    "PGRST205",
    "22003",
    "22007",
    "22025",
    "22P02",
    "2201B",
    "42501",
    "42601",
    "42703",
    "42704",
    "42804",
    "42846",
    "42883",
    "query_too_complex",
    "query_too_slow",
    "query_refused",
    "answer_too_large",
];

/// The parameters of every reading, beside filters by column.
const PARAMETERS: [(&str, &str); 6] = [
    (
        "select",
        "What is told of a row: columns, `alias:column`, `column::text`, `metadata->>key`, related resources as `plans(plan_name)`.",
    ),
    ("order", "`column.desc.nullslast`, several after commas."),
    ("limit", "At most so many rows, 1,000 at the most."),
    ("offset", "So many rows are passed over."),
    ("and", "`(a.gt.1,b.eq.2)`: filters that all hold."),
    ("or", "`(a.gt.1,b.eq.2)`: filters of which one holds."),
];

/// Adds the resources to the API's description.
pub fn describe(api: &mut OpenApi) {
    for resource in RESOURCES {
        read(api, resource);
        writes(api, resource);
    }
    describe_new::<accounts::NewAccount>(api);
    describe_new::<entitlements::NewEntitlement>(api);
    describe_new::<external_ids::NewExternalId>(api);
    describe_new::<grants::NewGrant>(api);
}

/// What every writing of a resource may answer beside what every reading and every body may.
const OF_WRITES: &[&str] = &[
    "PGRST102",
    "PGRST105",
    "PGRST114",
    "PGRST115",
    "PGRST124",
    "PGRST204",
    "42P10",
    "23503",
    "already_exists",
    "column_is_fixed",
    "invalid_catalogue",
    "missing_field",
    "row_changed",
    "too_many_items",
    "unknown_code",
];

/// Adds what may be done with a resource beside reading. Rows that calls of their own describe are not
/// described twice.
fn writes(api: &mut OpenApi, resource: &'static Resource) {
    let writes = &resource.writes;
    let Some(least) = writes.least_writer else {
        return;
    };
    let is_own =
        ["accounts", "entitlements", "account_external_ids", "grants"].contains(&resource.name);
    let verbs = [
        (
            HttpMethod::Post,
            writes.insert && !is_own,
            "insert",
            "Puts rows in; with resolution=merge-duplicates over those that are there",
        ),
        (
            HttpMethod::Put,
            writes.upsert,
            "put",
            "Puts the row of a key in, or over the one that is there",
        ),
        (
            HttpMethod::Patch,
            writes.update,
            "update",
            "Changes the rows that the filters name",
        ),
        (
            HttpMethod::Delete,
            writes.delete,
            "delete",
            "Takes out the rows that the filters name, where nothing uses them",
        ),
    ];
    for (method, is_taken, verb, about) in verbs {
        if !is_taken {
            continue;
        }
        let told = |about: &str| ResponseBuilder::new().description(about).build();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(format!("{verb}_{}", resource.name)))
            .tag("resources")
            .summary(Some(about))
            .description(Some(format!("Needs the role {} or more.", least.as_str())))
            .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []))
            .response(
                "200",
                told("Done; the rows, with Prefer: return=representation"),
            );
        operation = match method {
            HttpMethod::Post => operation.response(
                "201",
                told("Done; the rows, with Prefer: return=representation"),
            ),
            HttpMethod::Put => operation
                .response(
                    "201",
                    told("Put in; the row, with Prefer: return=representation"),
                )
                .response("204", told("Done")),
            _ => operation.response("204", told("Done")),
        };
        if method != HttpMethod::Delete {
            operation = operation.request_body(Some(body(&changes_of(resource))));
        }
        let codes = OF_EVERY_CALL
            .iter()
            .chain(OF_BODIES)
            .chain(OF_READS)
            .chain(OF_WRITES);
        let operation = add_errors(operation, codes.copied());
        let path = format!("/api/{}", resource.name);
        api.paths
            .add_path_operation(path, vec![method], operation.build());
    }
}

fn read(api: &mut OpenApi, resource: &'static Resource) {
    let rows = ArrayBuilder::new().items(Ref::from_schema_name(resource.name));
    let content = ContentBuilder::new()
        .schema(Some(Schema::from(rows)))
        .build();
    let told = ResponseBuilder::new()
        .description("The rows. Content-Range tells their places, Link the next page")
        .content(JSON, content)
        .build();
    let about = format!(
        "Filter by column: `{}=eq.value`, `gt`, `gte`, `lt`, `lte`, `neq`, `in.(a,b)`, `is.null`, `like.*x*` and their \
         like. Needs the role {} or more.",
        resource.key.first().unwrap_or(&"column"),
        resource.least_reader.as_str()
    );
    let mut operation = OperationBuilder::new()
        .operation_id(Some(format!("read_{}", resource.name)))
        .tag("resources")
        .summary(Some(resource.description))
        .description(Some(about))
        .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []));
    if resource.least_reader == Role::MecAnon {
        // No token is needed.
        operation = operation.security(SecurityRequirement::default());
    }
    let filters = resource
        .columns
        .iter()
        .map(|column| (column.name, "A filter, such as `eq.value`."));
    for (name, about) in PARAMETERS.into_iter().chain(filters) {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(about))
            .required(Required::False)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        operation = operation.parameter(parameter);
    }
    let operation = operation
        .response("200", told.clone())
        .response("206", told);
    let operation = add_errors(operation, OF_EVERY_CALL.iter().chain(OF_READS).copied());
    let path = format!("/api/{}", resource.name);
    api.paths
        .add_path_operation(path, vec![HttpMethod::Get], operation.build());
    if let Some(components) = &mut api.components {
        add_schema(components, resource.name.to_owned(), row(resource));
        if resource.writes.least_writer.is_some() {
            add_schema(components, changes_of(resource), changes(resource));
        }
    }
}

fn changes_of(resource: &Resource) -> String {
    format!("{}_values", resource.name)
}

/// Values for the columns of one row, or of several; those that are left out have their defaults, or stay as
/// they are.
fn changes(resource: &'static Resource) -> RefOr<Schema> {
    let one = || {
        let columns = resource.columns.iter();
        let one = columns.fold(ObjectBuilder::new(), |one, column| {
            one.property(column.name, value(column))
        });
        let closed = AdditionalProperties::<Schema>::FreeForm(false);
        one.additional_properties(Some(closed)).build()
    };
    let many = ArrayBuilder::new().items(one()).max_items(Some(1_000));
    OneOfBuilder::new().item(one()).item(many).into()
}

fn row(resource: &'static Resource) -> RefOr<Schema> {
    let mut row = ObjectBuilder::new().description(Some(resource.description));
    for column in resource.columns {
        row = row
            .property(column.name, value(column))
            .required(column.name);
    }
    row.into()
}

fn value(column: &Column) -> RefOr<Schema> {
    let (kind, format) = match column.kind {
        Kind::Text | Kind::Bytes => (Some(Type::String), None),
        Kind::Uuid => (Some(Type::String), Some(KnownFormat::Uuid)),
        Kind::Time => (Some(Type::String), Some(KnownFormat::DateTime)),
        Kind::Integer => (Some(Type::Integer), Some(KnownFormat::Int64)),
        Kind::Boolean => (Some(Type::Boolean), None),
        Kind::Quantity | Kind::Amount => (Some(Type::Number), None),
        Kind::Json => (None, None),
    };
    let kind = match kind {
        None => SchemaType::AnyValue,
        Some(kind) if column.is_nullable => SchemaType::from_iter([kind, Type::Null]),
        Some(kind) => kind.into(),
    };
    ObjectBuilder::new()
        .schema_type(kind)
        .format(format.map(SchemaFormat::KnownFormat))
        .into()
}
