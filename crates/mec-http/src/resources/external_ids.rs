//! New rows of `account_external_ids`.

use mec_core::Command;
use mec_core::account::ExternalKey;
use mec_core::ops::link_external_id::LinkExternalId;
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::New;
use crate::App;
use crate::args::{Code, Key, params};
use crate::auth::Caller;
use crate::error::ApiError;

params! {
    /// Links an id that another system has to an account, which calls then name by it.
    NewExternalId {
        /// The other system, such as stripe or auth0.
        provider: Code,
        /// Its id, unique in the namespace and provider.
        external_id: Key,
        /// The account.
        account_id: Uuid,
    }
}

impl New for NewExternalId {
    const NAME: &'static str = "account_external_ids";
    const ERRORS: &'static [&'static str] = &["account_not_found", "already_exists"];

    fn request(self, _: &App, caller: &Caller) -> Result<Request, ApiError> {
        let key = ExternalKey {
            provider: self.provider.0,
            external_id: self.external_id.into_string(),
        };
        let target = Target::Account(self.account_id);
        let command = Command::LinkExternalId(LinkExternalId { key });
        Ok(caller.request(target, command, None))
    }
}
