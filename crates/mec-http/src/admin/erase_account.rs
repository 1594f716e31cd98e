//! `/admin/erase-account`: blanks what tells who a person is.

use axum::extract::State;
use axum::response::Response;
use mec_core::Command;
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
