//! What the front door tells, as lines.

use mec_http::Answered;
use mec_http::audit::SecurityRecord;
use mec_http::log::{Access, LogSink, Subject};
use mec_store::Clock;

use super::line::{Format, Line};
use super::lines::Lines;
use crate::clock::Wall;

/// Writes a line for each request and security event.
#[derive(Debug)]
pub struct Sink {
    /// Requests; none where nothing but security events is kept.
    pub requests: Option<(Format, Lines)>,
    /// Security events; none where they are not kept.
    pub security: Option<(Format, Lines)>,
}

impl LogSink for Sink {
    fn access(&self, access: &Access<'_>) {
        let Some((format, out)) = &self.requests else {
            return;
        };
        let Access {
            answered,
            subject,
            request_id,
            trace,
        } = access;
        let status = answered.status.as_u16();
        let level = match status {
            503 => "warn",
            500.. => "error",
            _ => "info",
        };
        let mut line = Line::new(*format, Wall.now(), level, "access");
        line.word("method", answered.method);
        line.text("route", answered.route());
        line.plain("status", status);
        line.plain("duration_us", answered.duration.as_micros());
        if let Some(bytes) = answered.bytes {
            line.plain("bytes", bytes);
        }
        write_decision(&mut line, answered);
        write_subject(&mut line, subject.as_ref());
        line.text("request_id", request_id);
        line.word("trace_id", trace.digits().as_str());
        out.push(&line.end());
    }

    fn security(&self, record: &SecurityRecord<'_>) {
        let Some((format, out)) = &self.security else {
            return;
        };
        let mut line = Line::new(*format, Wall.now(), "info", "security");
        line.word("event", record.event.name());
        line.word("outcome", record.outcome.name());
        if let Some(reason) = record.reason {
            line.text("reason", reason);
        }
        if let Some(key_id) = record.event.key_id() {
            line.text("key_id", &key_id.to_string());
        }
        write_subject(&mut line, record.subject.as_ref());
        if let Some(address) = record.address {
            line.text("address", &address.to_string());
        }
        if let Some(request) = &record.request {
            line.word("method", request.method);
            line.text("route", request.route);
            line.text("request_id", request.id);
            line.word("trace_id", request.trace.digits().as_str());
        }
        if record.suppressed > 0 {
            line.plain("suppressed", record.suppressed);
        }
        out.push(&line.end());
    }

    fn dropped(&self) -> u64 {
        let streams = [&self.requests, &self.security];
        let dropped = streams.into_iter().flatten().map(|(_, out)| out.dropped());
        dropped.sum()
    }
}

fn write_decision(line: &mut Line, answered: &Answered) {
    if let Some(decided) = answered.decided {
        line.word("decision", decided.verdict.as_str());
        line.word("decision_code", decided.code.as_str());
    }
    if let Some(code) = answered.error {
        line.word("error_code", code);
    }
}

fn write_subject(line: &mut Line, subject: Option<&Subject<'_>>) {
    let Some(subject) = subject else {
        return;
    };
    line.word("role", subject.role.as_str());
    let namespace = subject
        .namespace
        .map_or("*", |namespace| namespace.as_str());
    line.word("namespace", namespace);
    line.word("subject", subject.hash.digits().as_str());
}
