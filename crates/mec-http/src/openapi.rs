//! The API's description, OpenAPI 3.1, made from the same types that read and answer calls.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, KnownFormat, LicenseBuilder, OpenApi, OpenApiBuilder,
    Ref, RefOr, Required, ResponseBuilder, Schema, SchemaFormat,
};

use crate::args::{Field, Params};
use crate::auth::{Role, Who};
use crate::error::ErrorCode;
use crate::resources::New;
use crate::rpc::Rpc;
use crate::{admin, ready, resources, rpc};

/// The one media type of bodies.
pub const JSON: &str = "application/json";
/// The name of the one way to prove who calls.
pub const BEARER: &str = "bearer";
const ERROR: &str = "Error";

/// Errors that every call with a token may answer.
pub const OF_EVERY_CALL: &[&str] = &[
    "invalid_value",
    "missing_namespace",
    "missing_token",
    "invalid_token",
    "insufficient_role",
    "PGRST107",
    "uri_too_long",
    "headers_too_large",
    "rate_limited",
    "internal_error",
    "store_unavailable",
    "issuer_unavailable",
    "busy",
    "timed_out",
    "shutting_down",
];
/// Errors that every call with a body may answer.
pub const OF_BODIES: &[&str] = &[
    "invalid_json",
    "duplicate_key",
    "request_timeout",
    "payload_too_large",
    "unsupported_media_type",
];

/// What a call answers.
pub struct Answer {
    pub about: &'static str,
    pub schema: RefOr<Schema>,
    pub components: Vec<(String, RefOr<Schema>)>,
}

impl Answer {
    /// An object.
    pub fn record<T: ToSchema>(about: &'static str) -> Self {
        let mut components = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut components);
        let schema = Ref::from_schema_name(T::name()).into();
        Self {
            about,
            schema,
            components,
        }
    }

    /// An array of objects.
    pub fn rows<T: ToSchema>(about: &'static str) -> Self {
        let Self {
            schema, components, ..
        } = Self::record::<T>(about);
        Self {
            about,
            schema: ArrayBuilder::new().items(schema).into(),
            components,
        }
    }

    /// No body.
    pub fn nothing(about: &'static str) -> Self {
        Self::scalar(about, Type::Null.into(), None)
    }

    /// An id.
    pub fn id(about: &'static str) -> Self {
        Self::scalar(about, Type::String.into(), Some(KnownFormat::Uuid))
    }

    /// An id or null.
    pub fn maybe_id(about: &'static str) -> Self {
        Self::scalar(
            about,
            SchemaType::from_iter([Type::String, Type::Null]),
            Some(KnownFormat::Uuid),
        )
    }

    /// True or false.
    pub fn yes_or_no(about: &'static str) -> Self {
        Self::scalar(about, Type::Boolean.into(), None)
    }

    /// A quantity.
    pub fn number(about: &'static str) -> Self {
        Self::scalar(about, Type::Number.into(), None)
    }

    /// A whole number.
    pub fn count(about: &'static str) -> Self {
        Self::scalar(about, Type::Integer.into(), None)
    }

    fn scalar(about: &'static str, kind: SchemaType, format: Option<KnownFormat>) -> Self {
        let format = format.map(SchemaFormat::KnownFormat);
        let schema = ObjectBuilder::new().schema_type(kind).format(format).into();
        Self {
            about,
            schema,
            components: Vec::new(),
        }
    }
}

/// The description of the whole API. The same program makes the same document, byte for byte.
pub fn openapi() -> OpenApi {
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"))
        .build();
    let info = InfoBuilder::new()
        .title("MEC")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Metering, entitlements and controls."))
        .license(Some(license))
        .build();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(scheme))
        .schema(ERROR, error_schema())
        .build();
    let mut api = OpenApiBuilder::new()
        .info(info)
        .paths(Paths::new())
        .components(Some(components))
        .build();
    for (path, about) in [
        ("/health", "Whether the process is up"),
        (
            "/ready",
            "Whether this node can be sent requests, and what is not there that it needs",
        ),
        (
            "/metrics",
            "What the engine counts, in the text format of Prometheus",
        ),
        ("/openapi.json", "This description"),
    ] {
        describe_page(&mut api, path, about);
    }
    admin::describe(&mut api);
    resources::describe(&mut api);
    for entry in rpc::RPCS {
        (entry.describe)(&mut api);
    }
    api
}

fn describe_page(api: &mut OpenApi, path: &str, about: &str) {
    let codes: &[&str] = match path {
        "/metrics" => &["missing_token", "invalid_token", "internal_error"],
        _ => &[],
    };
    let (media, kind) = if path == "/metrics" {
        ("text/plain", Type::String)
    } else {
        (JSON, Type::Object)
    };
    let body = match path {
        "/ready" => ready::schema(),
        _ => ObjectBuilder::new().schema_type(kind).build(),
    };
    let told = ResponseBuilder::new().description(about).content(
        media,
        ContentBuilder::new()
            .schema(Some(Schema::from(body)))
            .build(),
    );
    let operation = OperationBuilder::new()
        .operation_id(Some(format!(
            "get_{}",
            path.trim_start_matches('/').replace('.', "_")
        )))
        .tag("service")
        .summary(Some(about))
        .response("200", told);
    let operation = match path {
        "/ready" => operation.response("503", ready::describe()),
        "/openapi.json" => operation.response(
            "304",
            ResponseBuilder::new().description("The client holds it already (If-None-Match)"),
        ),
        _ => operation,
    };
    let operation = add_errors(operation, codes.iter().copied());
    api.paths
        .add_path_operation(path, vec![HttpMethod::Get], operation.build());
}

/// Adds an RPC.
pub fn describe_rpc<R: Rpc>(api: &mut OpenApi) {
    let path = format!("/api/rpc/{}", R::NAME);
    let answer = R::answer();
    let arguments = format!("{}_arguments", R::NAME);
    let fields = R::fields();
    let base = |id: String| {
        let told = ResponseBuilder::new().description(answer.about).content(
            JSON,
            ContentBuilder::new()
                .schema(Some(answer.schema.clone()))
                .build(),
        );
        describe_call::<R>(id, "rpc", R::Who::ROLE).response("200", told)
    };
    let errors = || {
        OF_EVERY_CALL
            .iter()
            .chain(R::ERRORS)
            .copied()
            .chain(["PGRST202"])
    };
    let by_body = errors().chain(OF_BODIES.iter().copied());
    let operation = add_errors(
        base(R::NAME.to_owned()).request_body(Some(body(&arguments))),
        by_body,
    );
    api.paths
        .add_path_operation(&path, vec![HttpMethod::Post], operation.build());
    if R::READ_ONLY {
        let parameters = fields.iter().map(|field| {
            ParameterBuilder::new()
                .name(field.name)
                .parameter_in(ParameterIn::Query)
                .required(if field.required {
                    Required::True
                } else {
                    Required::False
                })
                .description(Some(field.about.clone()))
                .schema(Some(field.schema.clone()))
                .build()
        });
        let operation = base(format!("{}_by_get", R::NAME)).parameters(Some(parameters));
        let operation = add_errors(
            operation,
            errors().chain(["invalid_query", "duplicate_key"]),
        );
        api.paths
            .add_path_operation(&path, vec![HttpMethod::Get], operation.build());
    }
    if let Some(components) = &mut api.components {
        add_schema(components, arguments, object_of(fields));
        for (name, schema) in answer.components {
            add_schema(components, name, schema);
        }
    }
}

/// Adds a table that takes new rows.
pub fn describe_new<T: New>(api: &mut OpenApi) {
    let row = format!("new_{}", T::NAME);
    let told = ResponseBuilder::new().description(
        "Created. No body, or with Prefer: return=representation an array of the one row; \
         Location tells where it is",
    );
    let codes = OF_EVERY_CALL
        .iter()
        .chain(OF_BODIES)
        .chain(T::ERRORS)
        .copied();
    let operation =
        describe_call::<T>(format!("create_{}", T::NAME), "resources", Role::MecService)
            .request_body(Some(body(&row)))
            .response("201", told);
    let operation = add_errors(operation, codes.chain(["PGRST204", "missing_field"]));
    let path = format!("/api/{}", T::NAME);
    api.paths
        .add_path_operation(path, vec![HttpMethod::Post], operation.build());
    if let Some(components) = &mut api.components {
        add_schema(components, row, object_of(T::fields()));
    }
}

fn describe_call<P: Params>(id: String, tag: &str, role: Role) -> OperationBuilder {
    let mut lines = P::ABOUT.lines().map(str::trim);
    let summary = lines.next().unwrap_or_default().to_owned();
    let rest = lines.chain([format!("Needs the role {} or more.", role.as_str()).leak() as &str]);
    let description = rest
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    OperationBuilder::new()
        .operation_id(Some(id))
        .tag(tag)
        .summary(Some(summary))
        .description(Some(description))
        .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []))
}

/// A JSON body of a schema.
pub fn body(schema: &str) -> utoipa::openapi::request_body::RequestBody {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(schema)))
        .build();
    RequestBodyBuilder::new()
        .content(JSON, content)
        .required(Some(Required::True))
        .build()
}

/// Adds the errors by status, each with its codes.
pub fn add_errors(
    operation: OperationBuilder,
    codes: impl IntoIterator<Item = &'static str>,
) -> OperationBuilder {
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for row in codes.into_iter().filter_map(ErrorCode::find) {
        by_status.entry(row.status).or_default().insert(row.code);
    }
    by_status
        .into_iter()
        .fold(operation, |operation, (status, codes)| {
            let codes: Vec<&str> = codes.into_iter().collect();
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(ERROR)))
                .build();
            let told = ResponseBuilder::new()
                .description(codes.join(", "))
                .content(JSON, content);
            operation.response(status.to_string(), told)
        })
}

/// Adds a schema by name.
pub fn add_schema(components: &mut Components, name: String, schema: RefOr<Schema>) {
    components.schemas.insert(name, schema);
}

/// The schema of an object of fields and no others.
pub fn object_of(fields: Vec<Field>) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for field in fields {
        if field.required {
            object = object.required(field.name);
        }
        object = object.property(field.name, described(field));
    }
    let closed = utoipa::openapi::schema::AdditionalProperties::<Schema>::FreeForm(false);
    object.additional_properties(Some(closed)).into()
}

/// What need not be given may be null.
fn or_null(kind: &mut SchemaType) {
    *kind = match std::mem::take(kind) {
        SchemaType::Type(kind) => SchemaType::from_iter([kind, Type::Null]),
        SchemaType::Array(mut kinds) => {
            kinds.push(Type::Null);
            SchemaType::Array(kinds)
        }
        any => any,
    };
}

/// A field's schema with what it means and its default.
fn described(field: Field) -> RefOr<Schema> {
    let mut schema = field.schema;
    match &mut schema {
        RefOr::T(Schema::Object(object)) => {
            object.description = Some(field.about);
            object.default = field.default;
            if !field.required {
                or_null(&mut object.schema_type);
                if let Some(values) = &mut object.enum_values {
                    values.push(serde_json::Value::Null);
                }
            }
        }
        RefOr::T(Schema::Array(array)) => {
            array.description = Some(field.about);
            if !field.required {
                or_null(&mut array.schema_type);
            }
        }
        _ => {}
    }
    schema
}

fn error_schema() -> RefOr<Schema> {
    let text = |about: &str, kind: SchemaType| {
        ObjectBuilder::new()
            .schema_type(kind)
            .description(Some(about))
            .build()
    };
    let maybe = || SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("An error. Nothing was changed by the call."))
        .property(
            "code",
            text("What went wrong, for programs", Type::String.into()),
        )
        .property(
            "message",
            text("What went wrong, for people", Type::String.into()),
        )
        .property(
            "details",
            text("The field that it is about, or more", maybe()),
        )
        .property("hint", text("What the caller may do", maybe()))
        .required("code")
        .required("message")
        .required("details")
        .required("hint")
        .into()
}
