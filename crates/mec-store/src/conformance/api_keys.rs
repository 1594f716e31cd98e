//! Keys of programs.

use mec_query::Role;

use super::TestClock;
use super::given::{NOW, TEAM, id, namespace, other_namespace, seconds_later};
use crate::{ApiKey, Store};

fn key(number: u128) -> ApiKey {
    ApiKey {
        key_id: id(number),
        namespace: Some(namespace()),
        name: format!("key {number}"),
        role: Role::MecService,
        account_id: None,
        secret_hash: [u8::try_from(number).unwrap(); 32],
        created_by: "tester".to_owned(),
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

pub async fn a_key_comes_back_whole_and_by_its_namespace<S: Store>(store: &S, _: &TestClock) {
    let of_user = ApiKey {
        role: Role::MecUser,
        account_id: Some(TEAM),
        expires_at: Some(seconds_later(60)),
        created_at: seconds_later(1),
        ..key(1)
    };
    let of_other = ApiKey {
        namespace: Some(other_namespace()),
        ..key(2)
    };
    let of_all = ApiKey {
        namespace: None,
        role: Role::MecAdmin,
        ..key(3)
    };
    assert_eq!(store.api_key(id(1)).await.unwrap(), None);
    for key in [&of_user, &of_other, &of_all, &key(4)] {
        store.put_api_key(key).await.unwrap();
        assert_eq!(store.api_key(key.key_id).await.unwrap().as_ref(), Some(key));
    }
    let listed = store.api_keys(Some(&namespace())).await.unwrap();
    assert_eq!(listed, [of_user, key(4)], "the newest first");
    let listed = store.api_keys(Some(&other_namespace())).await.unwrap();
    assert_eq!(listed, [of_other]);
    assert_eq!(store.api_keys(None).await.unwrap(), [of_all]);
}

pub async fn an_id_of_a_key_is_not_given_twice<S: Store>(store: &S, _: &TestClock) {
    store.put_api_key(&key(1)).await.unwrap();
    let taken = ApiKey {
        secret_hash: [9; 32],
        ..key(1)
    };
    assert!(store.put_api_key(&taken).await.is_err());
    assert_eq!(store.api_key(id(1)).await.unwrap(), Some(key(1)));
}

pub async fn a_key_is_revoked_in_its_own_namespace_and_once<S: Store>(store: &S, _: &TestClock) {
    let of_all = ApiKey {
        namespace: None,
        role: Role::MecAdmin,
        ..key(2)
    };
    store.put_api_key(&key(1)).await.unwrap();
    store.put_api_key(&of_all).await.unwrap();
    let (own, other) = (namespace(), other_namespace());
    for (namespace, number) in [
        (Some(&other), 1),
        (None, 1),
        (Some(&own), 2),
        (Some(&own), 3),
    ] {
        let revoked = store.revoke_api_key(namespace, id(number), NOW).await;
        assert!(!revoked.unwrap(), "{namespace:?} {number}");
    }
    let at = seconds_later(5);
    assert!(store.revoke_api_key(Some(&own), id(1), at).await.unwrap());
    let again = store
        .revoke_api_key(Some(&own), id(1), seconds_later(9))
        .await;
    assert!(!again.unwrap());
    let revoked = store.api_key(id(1)).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(at));
    assert!(store.api_keys(Some(&own)).await.unwrap().is_empty());
    assert_eq!(store.api_keys(None).await.unwrap(), [of_all]);
}

pub async fn when_a_key_was_used_moves_forward_only<S: Store>(store: &S, _: &TestClock) {
    store.put_api_key(&key(1)).await.unwrap();
    let used = async || store.api_key(id(1)).await.unwrap().unwrap().last_used_at;
    store.use_api_key(id(1), seconds_later(60)).await.unwrap();
    assert_eq!(used().await, Some(seconds_later(60)));
    store.use_api_key(id(1), seconds_later(30)).await.unwrap();
    assert_eq!(used().await, Some(seconds_later(60)));
    store.use_api_key(id(7), seconds_later(90)).await.unwrap();
    assert_eq!(store.api_key(id(7)).await.unwrap(), None);
}
