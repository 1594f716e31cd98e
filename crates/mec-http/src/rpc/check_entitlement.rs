//! `check_entitlement`: may this account use that much of this resource now?

use mec_core::answer::Decision;
use mec_core::{Command, Quantity, ops};
use mec_engine::{Consistency, Request};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::{Ask, Named};
use crate::args::{Arg, Bad, Code, Context, Raw, params};
use crate::auth::{Caller, Reader};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Asks whether an account may use a resource. Changes nothing.
    /// A refusal by a limit is an answer, too: `decision` is then `deny` and `code` says why.
    CheckEntitlement of account {
        /// The resource type.
        p_resource_type: Code,
        /// The finer label of the resource. None asks for all scopes.
        p_resource_scope: Option<Code>,
        /// How much is asked for; 0 asks for the state alone.
        p_requested_qty: Quantity = Quantity::ONE,
        /// The unit of the quantity; the resource type's default where none is named.
        p_unit_code: Option<Code>,
        /// What conditions of entitlements and rules may look at.
        p_context: Option<Context>,
        /// Whether the answer tells what each limit saw, for support staff.
        p_explain: bool = false,
        /// How fresh the answer must be: `bounded` by the node's staleness bound, or `strong`. The header
        /// `Prefer: consistency=strong` asks for the same.
        p_consistency: Consistency = Consistency::Bounded,
    }
}

impl Arg for Consistency {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        match raw.text().as_deref() {
            Ok("bounded") => Ok(Self::Bounded),
            Ok("strong") => Ok(Self::Strong),
            _ => Err(Bad::value("bounded or strong")),
        }
    }

    fn schema() -> RefOr<Schema> {
        let values = Some(["bounded", "strong"]);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(values)
            .into()
    }

    fn to_value(&self) -> Option<serde_json::Value> {
        Some(
            if *self == Self::Strong {
                "strong"
            } else {
                "bounded"
            }
            .into(),
        )
    }
}

impl Named for CheckEntitlement {
    const NAME: &'static str = "check_entitlement";
}

impl Ask for CheckEntitlement {
    type Who = Reader;
    const READ_ONLY: bool = true;
    const ERRORS: &'static [&'static str] = &[
        "invalid_quantity",
        "too_many_decimals",
        "unit_not_allowed",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::record::<Decision>("The decision")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let check = ops::check::Check {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_requested_qty,
            unit: self.p_unit_code.map(|unit| unit.0),
            context: self.p_context.unwrap_or_default().0,
            explain: self.p_explain,
        };
        let mut request = caller.request(target, Command::Check(check), None);
        if self.p_consistency == Consistency::Strong {
            request.consistency = Consistency::Strong;
        }
        Ok(request)
    }
}
