//! What the code says by `tracing`, as lines. Within a request they bear its id and its trace.

use std::error::Error;
use std::fmt;

use mec_http::current_request;
use mec_store::Clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::line::{Format, Line};
use super::lines::Lines;
use crate::clock::Wall;

/// Writes events.
pub struct Events {
    format: Format,
    out: Lines,
}

impl Events {
    pub fn new(format: Format, out: Lines) -> Self {
        Self { format, out }
    }
}

/// Whether an event may be written at all. The finer events of other libraries quote what they send and
/// get, such as the parameters of a statement.
fn is_told(about: &Metadata<'_>) -> bool {
    let target = about.target();
    let part = target.split("::").next().unwrap_or_default();
    part == "mec" || part.starts_with("mec_") || *about.level() <= Level::WARN
}

impl<S: Subscriber> Layer<S> for Events {
    fn enabled(&self, about: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_told(about)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let level = match *about.level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut line = Line::new(self.format, Wall.now(), level, about.target());
        event.record(&mut Fields(&mut line));
        if let Some((id, trace)) = current_request() {
            line.text("request_id", &id);
            line.word("trace_id", trace.digits().as_str());
        }
        self.out.push(&line.end());
    }
}

struct Fields<'a>(&'a mut Line);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.text(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.plain(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.plain(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.plain(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        self.0.text(field.name(), &text);
    }
}
