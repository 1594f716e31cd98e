//! `/admin/erase-account`: blanks what tells who a person is.

use axum::extract::State;
use axum::response::Response;
use mec_core::Command;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::args::{Arguments, Key, Params, Shape, account_target, params};
use crate::auth::Admin;
use crate::error::ApiError;
use crate::reply::{JsonBody, Media, Reply};

pub const PATH: &str = "/admin/erase-account";

params! {
    /// Blanks name, e-mail and metadata of an account and answers its row.
    /// The account keeps its ids and all that was recorded of it. A repetition is answered the same.
    EraseAccount {
        /// The account.
        account_id: Option<Uuid>,
        /// The account by an id of the product's, in place of `account_id`.
        external_id: Option<Key>,
    }
}

/// A row of `accounts`; written by the core, described here.
#[allow(dead_code, reason = "it describes what the core writes")]
#[derive(Debug, ToSchema)]
pub struct AccountRow {
    namespace_id: String,
    #[schema(format = Uuid)]
    account_id: String,
    account_type_code: String,
    #[schema(format = Uuid)]
    parent_account_id: Option<String>,
    external_id: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
    timezone: Option<String>,
    #[schema(value_type = Object)]
    metadata: (),
    /// `active`, `suspended` or `inactive`.
    status: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Erases.
pub async fn erase_account(
    State(app): State<App>,
    Admin(caller): Admin,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let shape = Shape::Body(PATH);
    let asked = EraseAccount::decode(&Arguments::from_json(shape, &body)?)?;
    let target = account_target(
        shape,
        ("account_id", asked.account_id),
        ("external_id", asked.external_id),
    )?;
    let request = caller.request(target, Command::EraseAccount, None);
    Reply::from(app.engine().call(request).await?).into_response(Media::Plain)
}
