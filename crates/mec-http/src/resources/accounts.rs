//! New rows of `accounts`.

use mec_core::account::AccountStatus;
use mec_core::{Command, ops};
use mec_engine::{Request, Target};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::New;
use crate::App;
use crate::args::{Arg, Bad, Code, Context, Key, Raw, Text, params};
use crate::auth::Caller;
use crate::error::ApiError;

params! {
    /// Creates an account, as the owner of a new tree or below another.
    NewAccount {
        /// Its id; one is made where none is given.
        account_id: Option<Uuid>,
        /// A row of `account_types`, such as organization, team or user.
        account_type_code: Code,
        /// The account above it; none for the owner of a tree.
        parent_account_id: Option<Uuid>,
        /// The product's own id for it, unique in the namespace.
        external_id: Option<Key>,
        /// Its name for people.
        display_name: Option<Text>,
        /// Its e-mail address.
        email: Option<Text>,
        /// The time zone of its calendar windows, an IANA name such as Europe/Berlin.
        timezone: Option<Text>,
        /// Free keys and texts of the product's.
        metadata: Option<Context>,
        /// Whether it is served: `active`, `suspended` or `inactive`.
        status: AccountStatus = AccountStatus::Active,
    }
}

impl Arg for AccountStatus {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let status = raw.text().ok().and_then(|text| Self::parse(&text));
        status.ok_or(Bad::value("active, suspended or inactive"))
    }

    fn schema() -> RefOr<Schema> {
        let values = Some([Self::Active, Self::Suspended, Self::Inactive].map(Self::as_str));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(values)
            .into()
    }

    fn to_value(&self) -> Option<serde_json::Value> {
        Some(self.as_str().into())
    }
}

impl New for NewAccount {
    const NAME: &'static str = "accounts";
    const ERRORS: &'static [&'static str] = &[
        "parent_not_found",
        "already_exists",
        "unknown_code",
        "tree_too_deep",
        "parent_has_no_children",
    ];

    fn request(self, app: &App, caller: &Caller) -> Result<Request, ApiError> {
        let account_id = self.account_id.unwrap_or_else(|| app.next_id());
        let parent = self.parent_account_id;
        let create = ops::account::CreateAccount {
            account_id,
            account_type: self.account_type_code.0,
            parent,
            external_id: self.external_id.map(Key::into_string),
            display_name: self.display_name.map(|name| name.0),
            email: self.email.map(|email| email.0),
            timezone: self.timezone.map(|timezone| timezone.0),
            metadata: self.metadata.unwrap_or_default().0,
            status: self.status,
        };
        let target = parent.map_or(Target::NewTree(account_id), Target::Account);
        Ok(caller.request(target, Command::CreateAccount(create), None))
    }
}
