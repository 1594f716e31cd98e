//! `params!`: the arguments of a function or the columns of a row, from one list of fields. The
//! struct, its decoder and its description come from the same list and cannot drift apart.

use mec_engine::Target;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::types::Key;
use super::value::{Arg, Raw};
use super::{Arguments, Shape};
use crate::error::ApiError;

/// One field, for the API's description.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: String,
    /// Whether it must be there.
    pub required: bool,
    /// What stands for its absence, where that is told.
    pub default: Option<Value>,
    /// Its type.
    pub schema: RefOr<Schema>,
}

/// Arguments with names and types.
pub trait Params: Sized + Send + 'static {
    /// What the call does: a first line, and what else is to say.
    const ABOUT: &'static str;
    /// The names, at most 64.
    const NAMES: &'static [&'static str];
    /// Which of them must be there.
    const REQUIRED: &'static [bool];

    /// Reads the arguments.
    fn decode(arguments: &Arguments<'_>) -> Result<Self, ApiError>;

    /// The fields, in order.
    fn fields() -> Vec<Field>;
}

/// Reads one value, or takes what stands for its absence.
pub fn take<T: Arg>(
    shape: Shape,
    name: &'static str,
    raw: Option<Raw<'_>>,
    default: Option<T>,
) -> Result<T, ApiError> {
    match raw {
        Some(raw) => T::read(raw).map_err(|bad| {
            ApiError::new(bad.code, format!("{name}: expected {}", bad.expected)).with_details(name)
        }),
        None => default
            .or_else(T::absent)
            .ok_or_else(|| shape.missing(name)),
    }
}

/// The account that a call is about, by one of two fields, each with its name.
pub fn account_target(
    shape: Shape,
    (by_id, account_id): (&'static str, Option<Uuid>),
    (by_external, external_id): (&'static str, Option<Key>),
) -> Result<Target, ApiError> {
    match (account_id, external_id) {
        (Some(id), None) => Ok(Target::Account(id)),
        (None, Some(Key(id))) => Ok(Target::External(id.as_ref().to_owned())),
        (None, None) => Err(shape.missing(by_id)),
        (Some(_), Some(_)) => {
            let message = format!("{by_external}: give {by_id} or {by_external}, not both");
            Err(ApiError::new("invalid_value", message).with_details(by_external))
        }
    }
}

/// Defines arguments. `Name of account { .. }` adds `p_account_id` and `p_external_id`, of which a
/// call names exactly one, and `target()` that tells which.
macro_rules! params {
    (
        $(#[doc = $about:literal])+
        $name:ident of account { $($fields:tt)* }
    ) => {
        $crate::args::params! {
            $(#[doc = $about])+
            $name {
                /// The account. `p_external_id` may stand in its place.
                p_account_id: Option<uuid::Uuid>,
                /// The account by an id of the product's, in place of `p_account_id`.
                p_external_id: Option<$crate::args::Key>,
                $($fields)*
            }
        }

        impl $name {
            fn target(&mut self) -> Result<mec_engine::Target, $crate::error::ApiError> {
                $crate::args::account_target(
                    $crate::args::Shape::Function(<Self as $crate::rpc::Named>::NAME),
                    ("p_account_id", self.p_account_id),
                    ("p_external_id", self.p_external_id.take()),
                )
            }
        }
    };
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $ty:ty $(= $default:expr)?, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $ty, )*
        }

        impl $crate::args::Params for $name {
            const ABOUT: &'static str = concat!($($about, "\n"),+);
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];
            const REQUIRED: &'static [bool] = &[
                $( !(<$ty as $crate::args::Arg>::OPTIONAL $(|| $crate::args::params!(@is $default))?) ),*
            ];

            fn decode(
                arguments: &$crate::args::Arguments<'_>,
            ) -> Result<Self, $crate::error::ApiError> {
                const COUNT: usize = <$name as $crate::args::Params>::NAMES.len();
                let mut places = [None; COUNT];
                arguments.place::<Self>(&mut places)?;
                let shape = arguments.shape();
                let mut places = places.into_iter();
                Ok(Self {
                    $( $field: {
                        let default = $crate::args::params!(@default $ty $(, $default)?);
                        let raw = places.next().flatten();
                        $crate::args::take(shape, stringify!($field), raw, default)?
                    }, )*
                })
            }

            fn fields() -> Vec<$crate::args::Field> {
                vec![$({
                    let default: Option<$ty> = $crate::args::params!(@default $ty $(, $default)?);
                    let name = stringify!($field);
                    let required = Self::NAMES.iter().zip(Self::REQUIRED);
                    $crate::args::Field {
                        name,
                        about: concat!($($doc, "\n"),+).lines().map(str::trim)
                            .collect::<Vec<_>>().join(" "),
                        required: required.into_iter().any(|(n, required)| *n == name && *required),
                        default: default.as_ref().and_then($crate::args::Arg::to_value),
                        schema: <$ty as $crate::args::Arg>::schema(),
                    }
                }),*]
            }
        }
    };
    (@is $default:expr) => { true };
    (@default $ty:ty) => { None::<$ty> };
    (@default $ty:ty, $default:expr) => { Some::<$ty>($default) };
}
pub(crate) use params;
