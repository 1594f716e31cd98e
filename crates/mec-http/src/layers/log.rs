//! What is told of requests: one event each, and what matters for security, to whoever keeps logs.

use std::fmt;
use std::sync::Arc;

use mec_core::Namespace;
use mec_query::Role;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answered::Answered;
use super::audit::{SecurityLog, SecurityRecord};
use super::digits::Digits;
use super::passage::Passage;
use super::trace::Trace;

/// Keeps what the front door tells. It is called on the way of every request, so that it must not wait: what it
/// cannot take at once it drops and counts.
pub trait LogSink: fmt::Debug + Send + Sync {
    /// A request was answered.
    fn access(&self, access: &Access<'_>);

    /// Something happened that matters for security.
    fn security(&self, record: &SecurityRecord<'_>);

    /// How many lines were dropped, since too many came.
    fn dropped(&self) -> u64;
}

/// Which requests are told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AccessLog {
    /// All.
    #[default]
    On,
    /// Those whose status is 400 or more.
    Errors,
    /// None.
    Off,
}

/// What is told of requests, and to whom.
#[derive(Clone, Debug, Default)]
pub struct LogConfig {
    /// Who keeps it; without one nothing is told.
    pub sink: Option<Arc<dyn LogSink>>,
    /// Which requests are told.
    pub access: AccessLog,
    /// What subjects are hashed with.
    pub subject_key: SubjectKey,
    /// Whether security events tell the address of the client, which is a personal detail.
    pub addresses: bool,
}

/// A key by which subjects are hashed, so that lines of one caller are found together and nobody learns from
/// them who it is. By default a new one.
#[derive(Clone)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// The key that a secret stands for.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    fn hash(&self, subject: &str) -> SubjectHash {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.0)
            .chain_update(subject)
            .finalize()
            .into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        SubjectHash(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

impl Default for SubjectKey {
    fn default() -> Self {
        Self::of(&[*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat())
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

/// The first 64 bits of a keyed SHA-256 of a token's `sub`. Its `Display` has 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SubjectHash(u64);

impl SubjectHash {
    /// Its digits.
    pub fn digits(&self) -> Digits<16> {
        Digits::of(self.0.into())
    }
}

impl fmt::Display for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().fmt(f)
    }
}

/// Who calls, as logs may tell it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The role.
    pub role: Role,
    /// The namespace acted in; none where it is all of them.
    pub namespace: Option<&'a Namespace>,
    /// The subject's hash.
    pub hash: SubjectHash,
}

/// One request, as it was answered.
#[derive(Debug)]
pub struct Access<'a> {
    /// What is known of the answer.
    pub answered: &'a Answered,
    /// Who called, where its token proves it.
    pub subject: Option<Subject<'a>>,
    /// The request's id.
    pub request_id: &'a str,
    /// The request's trace.
    pub trace: Trace,
}

/// Tells requests to the sink.
pub(crate) struct Log {
    config: LogConfig,
    pub(crate) security: SecurityLog,
}

impl Log {
    pub(crate) fn new(config: LogConfig) -> Self {
        let security = SecurityLog::new(config.sink.clone());
        Self { config, security }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, answered: &Answered, passage: &Passage) {
        let is_error = answered.status.as_u16() >= 400;
        let sink = self.config.sink.as_ref();
        let teller = match self.config.access {
            AccessLog::On => sink,
            AccessLog::Errors => sink.filter(|_| is_error),
            AccessLog::Off => None,
        };
        let matters = is_error || super::audit::acts_on(answered).is_some();
        if teller.is_none() && !matters {
            return;
        }
        let subject = self.subject(passage);
        if let Some(teller) = teller {
            teller.access(&Access {
                answered,
                subject,
                request_id: &passage.id,
                trace: passage.trace,
            });
        }
        if matters {
            let address = passage.address.filter(|_| self.config.addresses);
            self.security.answered(answered, passage, subject, address);
        }
    }

    /// What it counts: name, what it counts, how many.
    pub(crate) fn counts(&self) -> [(&'static str, &'static str, u64); 4] {
        let [tokens, roles, suppressed] = self.security.counts();
        let dropped = self.config.sink.as_ref().map_or(0, |sink| sink.dropped());
        [
            (
                "mec_tokens_refused_total",
                "Calls that were refused for their token, or since they had none",
                tokens,
            ),
            (
                "mec_roles_refused_total",
                "Calls that were refused for their role, namespace or account",
                roles,
            ),
            (
                "mec_security_events_suppressed_total",
                "Refusals that were counted and not kept, since too many came",
                suppressed,
            ),
            (
                "mec_log_lines_dropped_total",
                "Lines of the logs that were not written, since too many came",
                dropped,
            ),
        ]
    }

    fn subject<'a>(&self, passage: &'a Passage) -> Option<Subject<'a>> {
        let identity = passage.who.as_ref()?.as_ref().ok()?;
        Some(Subject {
            role: identity.role,
            namespace: identity.namespace.as_ref().or(passage.acts_in.as_ref()),
            hash: self.config.subject_key.hash(&identity.by),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SubjectKey;

    #[test]
    fn a_hash_is_of_the_subject_and_the_key() {
        let key = SubjectKey::of(b"key");
        let of = |subject| key.hash(subject).to_string();
        assert_eq!(of("ada"), of("ada"));
        assert_eq!(of("ada").len(), 16);
        assert!(of("ada") != of("bob") && of("ada") != of(""));
        let other = SubjectKey::of(b"other").hash("ada").to_string();
        assert_ne!(of("ada"), other);
        let made = [SubjectKey::default(), SubjectKey::default()];
        assert_ne!(made[0].hash("ada"), made[1].hash("ada"));
    }
}
