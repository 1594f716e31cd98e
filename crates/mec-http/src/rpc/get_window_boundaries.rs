//! `get_window_boundaries`: the window of a type around a moment.

use mec_core::Timestamp;
use mec_core::window::Zone;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::{Named, Rpc};
use crate::App;
use crate::args::{Arg, Bad, Code, Raw, params};
use crate::auth::{Caller, Reader};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

params! {
    /// Tells the window of a type around a moment.
    GetWindowBoundaries {
        /// The window type.
        p_window_type: Code,
        /// What anniversary windows are counted from; the moment itself where none is given.
        p_window_anchor: Option<Timestamp>,
        /// The moment; now where none is given.
        p_reference_time: Option<Timestamp>,
        /// The time zone of calendar windows, an IANA name such as Europe/Berlin; UTC by default.
        p_timezone: Option<ZoneName>,
    }
}

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub struct ZoneName(Zone);

impl Arg for ZoneName {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let zone = raw.text().ok().and_then(|name| Zone::parse(&name));
        zone.map(Self)
            .ok_or(Bad::value("an IANA time zone such as Europe/Berlin"))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

/// A window, `[start, end)`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WindowBoundaries {
    /// The first moment inside; null when unbounded.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_start: Option<Timestamp>,
    /// The first moment after; null when unbounded.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_end: Option<Timestamp>,
}

impl Named for GetWindowBoundaries {
    const NAME: &'static str = "get_window_boundaries";
}

impl Rpc for GetWindowBoundaries {
    type Who = Reader;
    const READ_ONLY: bool = true;
    const ERRORS: &'static [&'static str] = &["unknown_window_type"];

    fn answer() -> Answer {
        Answer::record::<WindowBoundaries>("The window")
    }

    async fn call(self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        let catalogue = app.engine().catalogue(&caller.namespace).await?;
        let code = self.p_window_type.0;
        let window_type = catalogue.window_type(&code).ok_or_else(|| {
            let message = format!("the window type {code} does not exist");
            ApiError::new("unknown_window_type", message).with_details("p_window_type")
        })?;
        let reference = self.p_reference_time.unwrap_or_else(|| app.engine().now());
        let anchor = self.p_window_anchor.unwrap_or(reference);
        let zone = self.p_timezone.map_or_else(Zone::utc, |zone| zone.0);
        let window = window_type.window_at(anchor, &zone, reference);
        let told = WindowBoundaries {
            window_start: window.start,
            window_end: window.end,
        };
        // Serialising two times into a string fails for no value of theirs.
        Ok(Reply::json(
            serde_json::to_string(&told).unwrap_or_default(),
        ))
    }
}
