//! Security events: what an auditor asks for later. There is one closed list of them, and each record says who
//! did it, from where, in which request, and how it ended.
//!
//! What anybody can cause, such as a refused token, is told within a budget, so that a flood fills no disk;
//! what is above it is counted.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use uuid::Uuid;

use super::answered::Answered;
use super::log::{LogSink, Subject};
use super::passage::Passage;
use super::refusals::Refusals;
use super::trace::Trace;

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecurityEvent {
    /// The service has started.
    Started,
    /// The service stops.
    Stopped,
    /// A call was refused since its token proved nothing, or since it had none.
    TokenRefused,
    /// A call was refused since its role, namespace or account may not do it.
    RoleRefused,
    /// An API key was made.
    KeyCreated {
        /// The key's public id; none where no key was made.
        key_id: Option<Uuid>,
    },
    /// An API key was taken back.
    KeyRevoked {
        /// The key's public id; none where there was no such key.
        key_id: Option<Uuid>,
    },
    /// The keys by which tokens are verified have changed.
    SigningKeysChanged,
    /// Settings were read anew.
    ConfigReloaded,
    /// The certificate for TLS was read anew.
    CertificateReloaded,
    /// The catalogue was replaced.
    CatalogueReplaced,
    /// Rows of the catalogue, or of what all namespaces share, were written.
    CatalogueWritten,
    /// Units, window types or account types were replaced.
    LookupsReplaced,
    /// What had been kept for its time was dropped.
    RetentionApplied,
    /// Who a person is was erased.
    PersonErased,
}

impl SecurityEvent {
    /// Its name in records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::TokenRefused => "token_refused",
            Self::RoleRefused => "role_refused",
            Self::KeyCreated { .. } => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::SigningKeysChanged => "signing_keys_changed",
            Self::ConfigReloaded => "config_reloaded",
            Self::CertificateReloaded => "certificate_reloaded",
            Self::CatalogueReplaced => "catalogue_replaced",
            Self::CatalogueWritten => "catalogue_written",
            Self::LookupsReplaced => "lookups_replaced",
            Self::RetentionApplied => "retention_applied",
            Self::PersonErased => "person_erased",
        }
    }

    /// The public id of the key that it is about.
    pub fn key_id(&self) -> Option<Uuid> {
        match self {
            Self::KeyCreated { key_id } | Self::KeyRevoked { key_id } => *key_id,
            _ => None,
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecurityOutcome {
    /// It was done.
    Done,
    /// It was refused, and nothing was changed.
    Refused,
    /// It failed.
    Failed,
}

impl SecurityOutcome {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The request by which it happened.
#[derive(Clone, Copy, Debug)]
pub struct SecurityRequest<'a> {
    /// Its method.
    pub method: &'static str,
    /// Its route, as the router writes it.
    pub route: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its trace.
    pub trace: Trace,
}

/// One security event as it is kept.
#[derive(Debug)]
pub struct SecurityRecord<'a> {
    /// What happened.
    pub event: &'a SecurityEvent,
    /// How it ended.
    pub outcome: SecurityOutcome,
    /// Why, for programs: the code of an error, and of a refused token what is wrong with it.
    pub reason: Option<&'static str>,
    /// Who did it, where that is proven.
    pub subject: Option<Subject<'a>>,
    /// From where, unless it is not to be told.
    pub address: Option<IpAddr>,
    /// By which request, where it was by one.
    pub request: Option<SecurityRequest<'a>>,
    /// So many refusals since the last record of one were counted and not kept.
    pub suppressed: u64,
}

/// Tells security events to the sink.
#[derive(Debug)]
pub struct SecurityLog {
    sink: Option<Arc<dyn LogSink>>,
    began: Instant,
    refusals: Refusals,
    tokens_refused: AtomicU64,
    roles_refused: AtomicU64,
    suppressed: AtomicU64,
}

impl SecurityLog {
    pub(super) fn new(sink: Option<Arc<dyn LogSink>>) -> Self {
        Self {
            sink,
            began: Instant::now(),
            refusals: Refusals::default(),
            tokens_refused: AtomicU64::default(),
            roles_refused: AtomicU64::default(),
            suppressed: AtomicU64::default(),
        }
    }

    /// Tells what happened outside of a request.
    pub fn tell(
        &self,
        event: &SecurityEvent,
        outcome: SecurityOutcome,
        reason: Option<&'static str>,
    ) {
        self.keep(&SecurityRecord {
            event,
            outcome,
            reason,
            subject: None,
            address: None,
            request: None,
            suppressed: self.refusals.take_suppressed(),
        });
    }

    /// Tells what a request did, where that is a matter of security.
    pub(super) fn answered(
        &self,
        answered: &Answered,
        passage: &Passage,
        subject: Option<Subject<'_>>,
        address: Option<IpAddr>,
    ) {
        let Some((event, reason)) = event_of(answered, passage) else {
            return;
        };
        let is_refusal = matches!(
            event,
            SecurityEvent::TokenRefused | SecurityEvent::RoleRefused
        );
        if is_refusal {
            let counted = match event {
                SecurityEvent::TokenRefused => &self.tokens_refused,
                _ => &self.roles_refused,
            };
            counted.fetch_add(1, Ordering::Relaxed);
            let now_ms = self.began.elapsed().as_millis();
            let now_ms = u64::try_from(now_ms).unwrap_or(u64::MAX);
            if !self.refusals.admits(passage.address, now_ms) {
                self.suppressed.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        let outcome = match answered.status.as_u16() {
            ..400 => SecurityOutcome::Done,
            400..500 => SecurityOutcome::Refused,
            _ => SecurityOutcome::Failed,
        };
        self.keep(&SecurityRecord {
            event: &event,
            outcome,
            reason,
            subject,
            address,
            request: Some(SecurityRequest {
                method: answered.method,
                route: answered.route(),
                id: &passage.id,
                trace: passage.trace,
            }),
            suppressed: self.refusals.take_suppressed(),
        });
    }

    /// Refused tokens, refused roles, and refusals that were counted and not kept, since the start.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.tokens_refused, &self.roles_refused, &self.suppressed]
            .map(|count| count.load(Ordering::Relaxed))
    }

    fn keep(&self, record: &SecurityRecord<'_>) {
        if let Some(sink) = &self.sink {
            sink.security(record);
        }
    }
}

/// What a request did, and why it did not. An answer may also be none of this stream's.
fn event_of(
    answered: &Answered,
    passage: &Passage,
) -> Option<(SecurityEvent, Option<&'static str>)> {
    match answered.error {
        Some("invalid_token") => {
            // What is wrong with it is one of the verifier's own sentences.
            let why = passage.who.as_ref().and_then(|who| who.as_ref().err());
            let why = why.and_then(|error| error.fixed_details());
            Some((SecurityEvent::TokenRefused, why.or(answered.error)))
        }
        Some("missing_token") => Some((SecurityEvent::TokenRefused, answered.error)),
        Some("insufficient_role" | "42501") => Some((SecurityEvent::RoleRefused, answered.error)),
        other => acts_on(answered).map(|event| (event, other)),
    }
}

/// What an administrator's call is about.
pub(super) fn acts_on(answered: &Answered) -> Option<SecurityEvent> {
    if matches!(answered.method, "GET" | "HEAD" | "OPTIONS" | "OTHER") {
        return None;
    }
    let key_id = answered.key_id;
    match answered.route() {
        "/admin/keys" => Some(SecurityEvent::KeyCreated { key_id }),
        "/admin/keys/{key_id}" => Some(SecurityEvent::KeyRevoked { key_id }),
        "/admin/catalogue" => Some(SecurityEvent::CatalogueReplaced),
        "/admin/lookups" => Some(SecurityEvent::LookupsReplaced),
        "/admin/retention" => Some(SecurityEvent::RetentionApplied),
        "/admin/erase-account" => Some(SecurityEvent::PersonErased),
        route if route.starts_with("/api/rpc/") => None,
        route => {
            let resource = mec_query::schema::Resource::find(route.strip_prefix("/api/")?)?;
            let writer = resource.writes.least_writer?;
            (writer == mec_query::Role::MecAdmin).then_some(SecurityEvent::CatalogueWritten)
        }
    }
}
