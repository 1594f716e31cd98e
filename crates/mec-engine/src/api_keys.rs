//! Keys of programs: made, listed and revoked through the Journal, and how long what is remembered of one
//! holds.

use std::sync::atomic::{AtomicU64, Ordering};

use mec_core::{Namespace, Timestamp};
use mec_store::{ApiKey, Store};
use uuid::Uuid;

use crate::error::EngineError;
use crate::freshness::Memory;
use crate::{Engine, Shared, batch};

/// How often keys have changed, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct KeyChanges(AtomicU64);

impl KeyChanges {
    /// Some key is not what it was.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// What is done to a key.
pub(crate) enum KeyWrite {
    Put(Box<ApiKey>),
    Revoke(Option<Namespace>, Uuid),
    Use(Uuid, Timestamp),
}

/// Does it on the thread of the lane; whether there was anything to do.
pub(crate) async fn write<S: Store>(
    store: &S,
    shared: &Shared,
    write: KeyWrite,
) -> Result<bool, EngineError> {
    let done = match write {
        KeyWrite::Put(key) => store.put_api_key(&key).await.map(|()| true),
        KeyWrite::Revoke(namespace, key) => {
            let now = shared.now();
            let revoked = store.revoke_api_key(namespace.as_ref(), key, now).await;
            // Also where it failed: it may have been done all the same.
            shared.key_changes.note();
            revoked
        }
        KeyWrite::Use(key, at) => store.use_api_key(key, at).await.map(|()| true),
    };
    done.map_err(batch::refused)
}

impl Engine {
    /// A key by its public part, revoked or not.
    pub async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, EngineError> {
        Ok(self.reads.api_key(key).await?)
    }

    /// The keys of a namespace that are not revoked, the newest first; without one those that act in all.
    pub async fn api_keys(&self, namespace: Option<Namespace>) -> Result<Vec<ApiKey>, EngineError> {
        Ok(self.reads.api_keys(namespace).await?)
    }

    /// Keeps a new key.
    pub async fn create_api_key(&self, key: ApiKey) -> Result<(), EngineError> {
        let put = KeyWrite::Put(Box::new(key));
        self.journal.write_key(put).await.map(drop)
    }

    /// Revokes a key of a namespace, or of those that act in all; whether there was one. When this returns
    /// [`Engine::api_keys_version`] has changed, and on other processes within the staleness bound.
    pub async fn revoke_api_key(
        &self,
        namespace: Option<Namespace>,
        key: Uuid,
    ) -> Result<bool, EngineError> {
        let revoke = KeyWrite::Revoke(namespace, key);
        self.journal.write_key(revoke).await
    }

    /// Notes that a key was used now.
    pub async fn note_api_key_use(&self, key: Uuid) -> Result<(), EngineError> {
        let used = KeyWrite::Use(key, self.now());
        self.journal.write_key(used).await.map(drop)
    }

    /// What is known of a key may be remembered for as long as this stays the same; none while the store must
    /// be asked, since what other processes did to keys is not known.
    pub fn api_keys_version(&self) -> Option<u64> {
        let is_known = self.shared.freshness.memory() != Memory::Unusable;
        is_known.then(|| self.shared.key_changes.0.load(Ordering::Acquire))
    }
}
