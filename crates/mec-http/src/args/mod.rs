//! Arguments: a JSON object or a query string read strictly, each value from its own text, so that
//! a quantity keeps its digits. What is unknown, missing, twice there or wrong is named.

mod object;
mod params;
mod query;
mod texts;
mod types;
mod value;

pub use mec_query::nearest;
pub use object::{Arguments, Shape};
pub(crate) use params::params;
pub use params::{Field, Params, account_target, take};
pub use texts::{Context, Details, Document};
pub use types::{Code, Key, Many, Text};
pub use value::{Arg, Bad, Raw};
