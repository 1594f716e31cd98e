//! The description of the administrators' calls.

use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, ResponseBuilder};

use super::catalogue::CatalogueChanges;
use super::erase_account::EraseAccount;
use super::wire::{AccountRow, CatalogueDocument};
use super::{catalogue, erase_account};
use crate::args::Params;
use crate::auth::Role;
use crate::openapi::{
    Answer, BEARER, JSON, OF_BODIES, OF_EVERY_CALL, add_errors, add_schema, body, object_of,
};

/// A call of an administrator's.
struct Call<'a> {
    verb: &'static str,
    path: &'static str,
    /// What it does: a first sentence, and what else is to say.
    about: &'a str,
    answer: Answer,
    /// The name of the body's schema, where it takes a body.
    sent: Option<&'static str>,
    /// The codes of the errors that it may answer, beside those of every such call.
    errors: &'static [&'static str],
}

/// Adds them to the API's description.
pub fn describe(api: &mut OpenApi) {
    let read = Call {
        verb: "get",
        path: catalogue::PATH,
        about: "Reads the catalogue: resource types, plans and control rules, with the version as \
                ETag. Accept: application/toml answers it as a file.",
        answer: Answer::record::<CatalogueDocument>("The catalogue"),
        sent: None,
        errors: &[],
    };
    let replace = Call {
        verb: "put",
        path: catalogue::PATH,
        about: "Replaces the catalogue in one step. If-Match or the document's version guards \
                against overwriting another's change; Prefer: tx=rollback only says what would change.",
        answer: Answer::record::<CatalogueChanges>("What was changed"),
        sent: Some("CatalogueDocument"),
        errors: &["catalogue_changed", "invalid_catalogue"],
    };
    let about = about::<EraseAccount>();
    let erase = Call {
        verb: "post",
        path: erase_account::PATH,
        about: &about,
        answer: Answer::record::<AccountRow>("The account's row"),
        sent: Some("erase_account"),
        errors: &[
            "account_not_found",
            "duplicate_key",
            "missing_field",
            "PGRST204",
        ],
    };
    for call in [read, replace, erase] {
        call.describe(api);
    }
    if let Some(components) = &mut api.components {
        let body = object_of(EraseAccount::fields());
        add_schema(components, "erase_account".to_owned(), body);
    }
}

fn about<P: Params>() -> String {
    let lines: Vec<&str> = P::ABOUT.lines().map(str::trim).collect();
    lines.join(" ")
}

impl Call<'_> {
    fn describe(self, api: &mut OpenApi) {
        let method = match self.verb {
            "get" => HttpMethod::Get,
            "put" => HttpMethod::Put,
            _ => HttpMethod::Post,
        };
        let schema = ContentBuilder::new()
            .schema(Some(self.answer.schema))
            .build();
        let told = ResponseBuilder::new()
            .description(self.answer.about)
            .content(JSON, schema);
        let (summary, rest) = self.about.split_once(". ").unwrap_or((self.about, ""));
        let role = Role::MecAdmin.as_str();
        let id = format!("{}{}", self.verb, self.path.replace(['/', '-'], "_"));
        let operation = OperationBuilder::new()
            .operation_id(Some(id))
            .tag("admin")
            .summary(Some(format!("{}.", summary.trim_end_matches('.'))))
            .description(Some(format!("{rest} Needs the role {role}.").trim()))
            .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []))
            .response("200", told);
        let mut codes: Vec<&'static str> = OF_EVERY_CALL.to_vec();
        codes.retain(|code| *code != "PGRST107");
        codes.extend(self.errors);
        let operation = match self.sent {
            None => operation,
            Some(schema) => {
                codes.extend(OF_BODIES.iter().filter(|code| **code != "duplicate_key"));
                operation.request_body(Some(body(schema)))
            }
        };
        let operation = add_errors(operation, codes);
        api.paths
            .add_path_operation(self.path, vec![method], operation.build());
        if let Some(components) = &mut api.components {
            for (name, schema) in self.answer.components {
                add_schema(components, name, schema);
            }
        }
    }
}
