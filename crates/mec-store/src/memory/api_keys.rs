//! Keys of programs.

use mec_core::{Namespace, Timestamp};
use uuid::Uuid;

use super::state::State;
use crate::CommitError;
use crate::api_keys::{ApiKey, MAX_API_KEYS};

impl State {
    pub(super) fn api_key(&self, id: Uuid) -> Option<ApiKey> {
        self.api_keys.iter().find(|key| key.key_id == id).cloned()
    }

    pub(super) fn api_keys_of(&self, namespace: Option<&Namespace>) -> Vec<ApiKey> {
        let of_it = |key: &&ApiKey| key.namespace.as_ref() == namespace && key.revoked_at.is_none();
        let mut keys: Vec<ApiKey> = self.api_keys.iter().filter(of_it).cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.key_id)));
        keys.truncate(MAX_API_KEYS);
        keys
    }

    pub(super) fn put_api_key(&mut self, key: &ApiKey) -> Result<(), CommitError> {
        if self.api_key(key.key_id).is_some() {
            return Err(CommitError::Refused {
                command: None,
                reason: "the id of the key is taken".to_owned(),
                overflow: false,
            });
        }
        self.api_keys.push(key.clone());
        Ok(())
    }

    pub(super) fn revoke_api_key(
        &mut self,
        namespace: Option<&Namespace>,
        id: Uuid,
        now: Timestamp,
    ) -> bool {
        let found = self.api_keys.iter_mut().find(|key| {
            key.key_id == id && key.namespace.as_ref() == namespace && key.revoked_at.is_none()
        });
        found.map(|key| key.revoked_at = Some(now)).is_some()
    }

    pub(super) fn use_api_key(&mut self, id: Uuid, now: Timestamp) {
        let found = self.api_keys.iter_mut().find(|key| key.key_id == id);
        if let Some(key) = found {
            key.last_used_at = key.last_used_at.max(Some(now));
        }
    }
}
