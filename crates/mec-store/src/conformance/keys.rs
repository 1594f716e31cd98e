//! Idempotency keys.

use mec_core::{Code, Namespace};

use super::TestClock;
use super::given::{NOW, commit_set, id, namespace, other_namespace};
use crate::{
    Batch, CommitError, CommitSet, KeyRef, KeyRow, KeyState, Store, StoredAnswer, key_hash,
};

fn answer() -> StoredAnswer {
    StoredAnswer {
        rpc: Code::from("consume"),
        args_hash: [3; 32],
        event_id: Some(id(5)),
        answer: Some("{\"decision\":\"allow\"}".into()),
    }
}

fn row(command: usize, namespace: Namespace, key: &str, stored: StoredAnswer) -> KeyRow {
    KeyRow {
        command,
        namespace,
        key: key.into(),
        stored,
        created_at: NOW,
    }
}

fn key(namespace: Namespace, key: &str) -> KeyRef {
    KeyRef {
        namespace,
        hash: key_hash(key),
    }
}

async fn states<S: Store>(store: &S, keys: &[KeyRef]) -> Vec<KeyState> {
    store.begin(0, &[], keys).await.unwrap().keys().to_vec()
}

pub async fn a_new_key_is_free<S: Store>(store: &S, _clock: &TestClock) {
    assert_eq!(
        states(store, &[key(namespace(), "a")]).await,
        [KeyState::Free]
    );
}

pub async fn a_kept_key_is_taken_with_its_answer<S: Store>(store: &S, _clock: &TestClock) {
    let bare = StoredAnswer {
        event_id: None,
        answer: None,
        ..answer()
    };
    let keys = vec![
        row(0, namespace(), "a", answer()),
        row(1, namespace(), "b", bare.clone()),
    ];
    commit_set(
        store,
        CommitSet {
            keys,
            ..CommitSet::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(
        states(store, &[key(namespace(), "a")]).await,
        [KeyState::Taken(answer())]
    );
    assert_eq!(
        states(store, &[key(namespace(), "b")]).await,
        [KeyState::Taken(bare)]
    );
    assert_eq!(
        states(store, &[key(other_namespace(), "a")]).await,
        [KeyState::Free]
    );
}

pub async fn keys_are_told_in_the_order_asked<S: Store>(store: &S, _clock: &TestClock) {
    let keys = vec![row(0, namespace(), "a", answer())];
    commit_set(
        store,
        CommitSet {
            keys,
            ..CommitSet::default()
        },
    )
    .await
    .unwrap();
    let asked = ["b", "a", "c", "a"].map(|text| key(namespace(), text));
    let taken = KeyState::Taken(answer());
    assert_eq!(
        states(store, &asked).await,
        [KeyState::Free, taken.clone(), KeyState::Free, taken]
    );
}

pub async fn a_key_twice_is_refused_and_names_its_command<S: Store>(store: &S, _clock: &TestClock) {
    let keys = vec![
        row(4, namespace(), "a", answer()),
        row(7, namespace(), "a", answer()),
    ];
    let refused = commit_set(
        store,
        CommitSet {
            keys,
            ..CommitSet::default()
        },
    )
    .await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(7),
                overflow: false,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(
        states(store, &[key(namespace(), "a")]).await,
        [KeyState::Free]
    );
}
