//! The description of the administrators' calls.

use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, ResponseBuilder};

use super::catalogue::CatalogueChanges;
use super::wire::CatalogueDocument;
use crate::auth::Role;
use crate::openapi::{
    Answer, BEARER, JSON, OF_BODIES, OF_EVERY_CALL, add_errors, add_schema, body,
};

/// Adds them to the API's description.
pub fn describe(api: &mut OpenApi) {
    describe_admin(
        api,
        "/admin/catalogue",
        "Reads the catalogue: resource types, plans and control rules, with the version as ETag. \
         Accept: application/toml answers it as a file.",
        Answer::record::<CatalogueDocument>("The catalogue"),
        None,
    );
    let answer = Answer::record::<CatalogueChanges>("What was changed");
    describe_admin(
        api,
        "/admin/catalogue",
        "Replaces the catalogue in one step. If-Match or the document's version guards against \
         overwriting another's change; Prefer: tx=rollback only says what would change.",
        answer,
        Some((
            "CatalogueDocument",
            &["catalogue_changed", "invalid_catalogue"],
        )),
    );
}

/// Adds a call of an administrator's: a GET, or a PUT where there is a body with errors of its own.
fn describe_admin(
    api: &mut OpenApi,
    path: &str,
    about: &str,
    answer: Answer,
    sent: Option<(&str, &[&'static str])>,
) {
    let (method, verb) = match sent {
        None => (HttpMethod::Get, "get"),
        Some(_) => (HttpMethod::Put, "put"),
    };
    let content = ContentBuilder::new().schema(Some(answer.schema)).build();
    let told = ResponseBuilder::new()
        .description(answer.about)
        .content(JSON, content);
    let (summary, rest) = about.split_once(". ").unwrap_or((about, ""));
    let role = Role::MecAdmin.as_str();
    let operation = OperationBuilder::new()
        .operation_id(Some(format!("{verb}{}", path.replace('/', "_"))))
        .tag("admin")
        .summary(Some(format!("{}.", summary.trim_end_matches('.'))))
        .description(Some(format!("{rest} Needs the role {role}.").trim()))
        .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []))
        .response("200", told);
    let mut codes: Vec<&'static str> = OF_EVERY_CALL.to_vec();
    codes.retain(|code| *code != "PGRST107");
    let operation = match sent {
        None => operation,
        Some((schema, errors)) => {
            codes.extend(OF_BODIES.iter().filter(|code| **code != "duplicate_key"));
            codes.extend(errors);
            operation.request_body(Some(body(schema)))
        }
    };
    let operation = add_errors(operation, codes);
    api.paths
        .add_path_operation(path, vec![method], operation.build());
    if let Some(components) = &mut api.components {
        for (name, schema) in answer.components {
            add_schema(components, name, schema);
        }
    }
}
