//! Names that pass from one account to another, and rows that are found by ids that callers choose.

use std::sync::Arc;

use mec_core::account::{ExternalKey, ExternalLink};
use mec_core::change::Change;
use mec_core::condition::ConditionOp;
use mec_core::entitlement::EntitlementStatus;
use mec_core::need::{Loaded, Need};
use uuid::Uuid;

use super::TestClock;
use super::given::{
    ONE, OWNER, TEAM, USER, account, code, commit, commit_set, condition, created, entitlement,
    entitlement_put, family, grant, id, load, namespace, other_namespace, tree, try_commit,
};
use crate::{CommitError, CommitSet, Locator, Store};

fn key(provider: &str, external_id: &str) -> ExternalKey {
    ExternalKey {
        provider: code(provider),
        external_id: external_id.into(),
    }
}

fn linked(provider: &str, external_id: &str, account_id: Uuid) -> Change {
    let key = key(provider, external_id);
    Change::ExternalIdLinked(ExternalLink { key, account_id })
}

fn unlinked(provider: &str, external_id: &str, account_id: Uuid) -> Change {
    let key = key(provider, external_id);
    Change::ExternalIdUnlinked(ExternalLink { key, account_id })
}

fn renamed(account_id: Uuid, parent: Option<Uuid>, external_id: Option<&str>) -> Change {
    let mut account = account(account_id, parent);
    account.external_id = external_id.map(Into::into);
    Change::AccountUpdated(Arc::new(account))
}

async fn named<S: Store>(store: &S, external_id: &str) -> Option<Uuid> {
    let locator = Locator::External(external_id.into());
    let place = store.find(&namespace(), locator).await.unwrap();
    place.map(|place| place.account)
}

async fn holder<S: Store>(store: &S, provider: &str, external_id: &str) -> Option<Uuid> {
    let need = Need::Linked(key(provider, external_id));
    match load(store, &namespace(), need).await {
        Loaded::Linked(account) => account,
        other => panic!("{other:?}"),
    }
}

fn assert_refused(committed: Result<(), CommitError>) {
    let refused = matches!(
        committed,
        Err(CommitError::Refused {
            overflow: false,
            ..
        })
    );
    assert!(refused, "{committed:?}");
}

pub async fn a_linked_id_names_its_account_until_it_is_unlinked<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    family(store).await;
    commit(store, vec![linked("stripe", "cus_1", TEAM)]).await;
    assert_eq!(named(store, "cus_1").await, Some(TEAM));
    assert_eq!(holder(store, "stripe", "cus_1").await, Some(TEAM));
    assert_eq!(holder(store, "auth0", "cus_1").await, None);
    let need = Need::Linked(key("stripe", "cus_1"));
    let elsewhere = load(store, &other_namespace(), need).await;
    assert!(matches!(elsewhere, Loaded::Linked(None)));

    // The first provider by name goes first, and the account's own column before all.
    commit(store, vec![linked("auth0", "cus_1", USER)]).await;
    assert_eq!(named(store, "cus_1").await, Some(USER));
    commit(store, vec![renamed(OWNER, None, Some("cus_1"))]).await;
    assert_eq!(named(store, "cus_1").await, Some(OWNER));

    commit(store, vec![renamed(OWNER, None, None)]).await;
    commit(store, vec![unlinked("auth0", "cus_1", USER)]).await;
    assert_eq!(named(store, "cus_1").await, Some(TEAM));
    commit(store, vec![unlinked("stripe", "cus_1", TEAM)]).await;
    assert_eq!(named(store, "cus_1").await, None);
}

pub async fn an_id_of_a_provider_is_linked_to_one_account<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    commit(store, vec![linked("stripe", "cus_1", TEAM)]).await;
    for account in [TEAM, USER] {
        assert_refused(try_commit(store, false, vec![linked("stripe", "cus_1", account)]).await);
    }
    let twice = vec![linked("s", "1", TEAM), linked("s", "1", USER)];
    assert_refused(try_commit(store, false, twice).await);
    assert_refused(try_commit(store, false, vec![linked("stripe", "cus_2", id(99))]).await);
    assert_refused(try_commit(store, false, vec![unlinked("stripe", "cus_1", USER)]).await);
    assert_eq!(holder(store, "stripe", "cus_1").await, Some(TEAM));
    let passed = vec![
        unlinked("stripe", "cus_1", TEAM),
        linked("stripe", "cus_1", USER),
        linked("stripe", "cus_3", USER),
        unlinked("stripe", "cus_3", USER),
    ];
    commit(store, passed).await;
    assert_eq!(holder(store, "stripe", "cus_1").await, Some(USER));
    assert_eq!(holder(store, "stripe", "cus_3").await, None);
}

pub async fn an_external_id_passes_to_another_tree_in_one_commit<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    let mut first = account(OWNER, None);
    first.external_id = Some("one".into());
    let mut second = account(TEAM, None);
    second.external_id = Some("two".into());
    let trees = |accounts: [Change; 2], is_new| {
        let [of_owner, of_team] = accounts;
        vec![
            tree(&namespace(), OWNER, is_new, vec![of_owner]),
            tree(&namespace(), TEAM, is_new, vec![of_team]),
        ]
    };
    let set = |trees| CommitSet {
        trees,
        ..CommitSet::default()
    };
    let both = [created(first), created(second)];
    commit_set(store, set(trees(both, true))).await.unwrap();

    // In the order of the commands the team gives up its id before the owner takes it, in the order of
    // the trees it does after.
    let mut passed = trees(
        [
            renamed(OWNER, None, Some("two")),
            renamed(TEAM, None, Some("three")),
        ],
        false,
    );
    passed[0].changes[0].0 = 1;
    commit_set(store, set(passed)).await.unwrap();
    assert_eq!(named(store, "one").await, None);
    assert_eq!(named(store, "two").await, Some(OWNER));
    assert_eq!(named(store, "three").await, Some(TEAM));

    let mut new = account(USER, Some(OWNER));
    new.external_id = Some("three".into());
    let mut taken = trees([created(new), renamed(TEAM, None, None)], false);
    taken[0].changes[0].0 = 1;
    commit_set(store, set(taken)).await.unwrap();
    assert_eq!(named(store, "three").await, Some(USER));
}

pub async fn a_superseded_entitlement_is_loaded_by_its_id<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut row = entitlement(1, TEAM);
    row.status = EntitlementStatus::Superseded;
    row.conditions = vec![
        condition("size", ConditionOp::Gte, Some("2")),
        condition("region", ConditionOp::Exists, None),
    ];
    let active = entitlement(2, TEAM);
    let put = vec![
        entitlement_put(None, &row, 11),
        entitlement_put(None, &active, 12),
    ];
    commit(store, put).await;
    for (wanted, expected) in [(1, Some(row)), (2, Some(active)), (3, None)] {
        let loaded = load(store, &namespace(), Need::Entitlement(id(wanted))).await;
        let Loaded::Entitlement(found) = loaded else {
            panic!("{loaded:?}");
        };
        assert_eq!(found.as_deref(), expected.as_ref());
    }
    let elsewhere = load(store, &other_namespace(), Need::Entitlement(id(1))).await;
    assert!(matches!(elsewhere, Loaded::Entitlement(None)));
}

pub async fn a_grant_stays_at_its_account<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    commit(store, vec![Change::GrantPut(grant(1, TEAM, ONE))]).await;
    let taken = vec![Change::GrantPut(grant(1, USER, ONE))];
    assert_refused(try_commit(store, false, taken).await);
    let need = Need::Grant(id(1));
    let loaded = load(store, &namespace(), need).await;
    assert!(
        matches!(&loaded, Loaded::Grant(Some(held)) if held.account_id == TEAM),
        "{loaded:?}"
    );
    let mut changed = grant(1, TEAM, ONE);
    changed.priority = 9;
    commit(store, vec![Change::GrantPut(changed)]).await;
}
