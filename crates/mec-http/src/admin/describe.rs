//! The description of the administrators' calls.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Required, ResponseBuilder, Schema};

use super::api_keys::{ApiKeyRow, CreateKey, NewApiKey};
use super::catalogue::CatalogueDocument;
use super::document::replace::CatalogueChanges;
use super::erase_account::{AccountRow, EraseAccount};
use super::lookups::LookupsDocument;
use super::retention::{ApplyRetention, RetentionAnswer};
use super::{api_keys, catalogue, erase_account, lookups, retention};
use crate::args::Params;
use crate::auth::Role;
use crate::openapi::{
    Answer, BEARER, JSON, OF_BODIES, OF_EVERY_CALL, add_errors, add_schema, body, object_of,
};

/// Adds them to the API's description.
pub fn describe(api: &mut OpenApi) {
    let about = "Reads the catalogue: resource types, plans and control rules, with the version as \
                 ETag. Accept: application/toml answers it as a file.";
    let answer = Answer::record::<CatalogueDocument>("The catalogue");
    Call::new(catalogue::PATH, about, answer).describe(api);
    let about = "Replaces the catalogue in one step. If-Match or the document's version guards \
                 against overwriting another's change; Prefer: tx=rollback only says what would change.";
    let answer = Answer::record::<CatalogueChanges>("What was changed");
    Call::new(catalogue::PATH, about, answer)
        .replacing("CatalogueDocument")
        .describe(api);
    let about = "Reads units, window types and account types, which all namespaces share, with the \
                 version as ETag. Accept: application/toml answers them as a file.";
    let answer = Answer::record::<LookupsDocument>("The lookups");
    Call::new(lookups::PATH, about, answer)
        .of_all()
        .describe(api);
    let about = "Replaces units, window types and account types in one step. A table that is not \
                 sent stays as it is, and a row in use changes only its description. If-Match or the \
                 document's version guards against overwriting another's change; \
                 Prefer: tx=rollback only says what would change.";
    let answer = Answer::record::<CatalogueChanges>("What was changed");
    Call::new(lookups::PATH, about, answer)
        .replacing("LookupsDocument")
        .of_all()
        .describe(api);
    let answer = Answer::record::<AccountRow>("The account's row");
    act::<EraseAccount>(api, erase_account::PATH, answer)
        .refusing(&["account_not_found"])
        .describe(api);
    describe_keys(api);
    let answer = Answer::record::<RetentionAnswer>("How many rows were dropped");
    act::<ApplyRetention>(api, retention::PATH, answer)
        .of_all()
        .describe(api);
}

fn describe_keys(api: &mut OpenApi) {
    let about = "Lists the API keys of the namespace that are not revoked, the newest first. With \
                 MEC-Namespace: * those that act in all namespaces.";
    let answer = Answer::rows::<ApiKeyRow>("The keys, without their secrets");
    Call::new(api_keys::PATH, about, answer).describe(api);
    let answer = Answer::record::<NewApiKey>("The key with its secret");
    let mut create = act::<CreateKey>(api, api_keys::PATH, answer)
        .refusing(&["account_not_found", "too_many_keys"]);
    create.status = "201";
    create.describe(api);
    let about = "Revokes an API key. From now on nothing is answered to it by this node, and within the \
                 staleness bound by any other.";
    let answer = Answer::nothing("Revoked");
    let mut revoke = Call::new(api_keys::PATH_OF_ONE, about, answer).refusing(&["key_not_found"]);
    revoke.verb = "delete";
    revoke.status = "204";
    revoke.describe(api);
}

/// A call that does something with the fields of its body.
fn act<P: Params>(api: &mut OpenApi, path: &'static str, answer: Answer) -> Call {
    let lines: Vec<&str> = P::ABOUT.lines().map(str::trim).collect();
    let mut call = Call::new(path, &lines.join(" "), answer);
    let name = path.trim_start_matches("/admin/").replace('-', "_");
    if let Some(components) = &mut api.components {
        add_schema(components, name.clone(), object_of(P::fields()));
    }
    call.verb = "post";
    call.sent = Some(name);
    call.codes
        .extend(["duplicate_key", "missing_field", "PGRST204"]);
    call
}

/// A call of an administrator's.
struct Call {
    verb: &'static str,
    path: &'static str,
    /// The status of its success.
    status: &'static str,
    /// What it does: a first sentence, and what else is to say.
    about: String,
    answer: Answer,
    /// The name of the body's schema, where it takes a body.
    sent: Option<String>,
    /// The codes of the errors that it may answer.
    codes: Vec<&'static str>,
    /// Whether it acts on all namespaces.
    is_of_all: bool,
}

impl Call {
    /// One that reads.
    fn new(path: &'static str, about: &str, answer: Answer) -> Self {
        let codes = OF_EVERY_CALL.iter().copied();
        Self {
            verb: "get",
            path,
            status: "200",
            about: about.to_owned(),
            answer,
            sent: None,
            codes: codes.filter(|code| *code != "PGRST107").collect(),
            is_of_all: false,
        }
    }

    /// The same that replaces a document.
    fn replacing(mut self, schema: &str) -> Self {
        self.verb = "put";
        self.sent = Some(schema.to_owned());
        self.refusing(&["catalogue_changed", "invalid_catalogue"])
    }

    /// The same with errors of its own.
    fn refusing(mut self, codes: &[&'static str]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// The same for administrators of all namespaces only.
    fn of_all(mut self) -> Self {
        self.codes.retain(|code| *code != "missing_namespace");
        self.is_of_all = true;
        self
    }

    fn describe(mut self, api: &mut OpenApi) {
        let method = match self.verb {
            "get" => HttpMethod::Get,
            "put" => HttpMethod::Put,
            "delete" => HttpMethod::Delete,
            _ => HttpMethod::Post,
        };
        let mut told = ResponseBuilder::new().description(self.answer.about);
        if self.status != "204" {
            let content = ContentBuilder::new().schema(Some(self.answer.schema));
            told = told.content(JSON, content.build());
        }
        let (summary, rest) = self.about.split_once(". ").unwrap_or((&self.about, ""));
        let role = match self.is_of_all {
            true => format!("{} with the namespace *", Role::MecAdmin.as_str()),
            false => Role::MecAdmin.as_str().to_owned(),
        };
        let path = self.path.replace(['{', '}'], "");
        let id = format!("{}{}", self.verb, path.replace(['/', '-'], "_"));
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .tag("admin")
            .summary(Some(format!("{}.", summary.trim_end_matches('.'))))
            .description(Some(format!("{rest} Needs the role {role}.").trim()))
            .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []))
            .response(self.status, told);
        if let Some((_, name)) = self.path.split_once('{') {
            let id = ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
            let parameter = ParameterBuilder::new()
                .name(name.trim_end_matches('}'))
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Schema::from(id.build())));
            operation = operation.parameter(parameter);
        }
        if let Some(schema) = &self.sent {
            let of_bodies = OF_BODIES.iter().filter(|code| **code != "duplicate_key");
            self.codes.extend(of_bodies);
            operation = operation.request_body(Some(body(schema)));
        }
        let operation = add_errors(operation, self.codes);
        api.paths
            .add_path_operation(self.path, vec![method], operation.build());
        if let Some(components) = &mut api.components {
            for (name, schema) in self.answer.components {
                add_schema(components, name, schema);
            }
        }
    }
}
