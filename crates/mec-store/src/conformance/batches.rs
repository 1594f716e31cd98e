//! Batches: all or nothing, and seen by all that follow.

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, TEAM, USER, account, commit, counter, created, family, id, namespace,
    other_namespace, seconds_later, sum, tree, try_commit, used,
};
use crate::{
    Batch, CatalogueAge, CatalogueDraft, CommitError, CommitSet, DecisionRow, Locator, Place,
    Store, TreeRef,
};
use mec_core::{Code, Quantity};

pub async fn a_dropped_batch_leaves_no_trace<S: Store>(store: &S, _clock: &TestClock) {
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    assert_eq!(batch.head(&namespace(), OWNER).await.unwrap(), None);
    drop(batch);
    family(store).await;
}

pub async fn a_refused_commit_leaves_no_trace<S: Store>(store: &S, _clock: &TestClock) {
    let mut named = account(USER, Some(OWNER));
    named.external_id = Some("taken".into());
    let mut again = account(TEAM, Some(OWNER));
    again.external_id = Some("taken".into());
    let changes = vec![
        created(account(OWNER, None)),
        created(named),
        created(again),
    ];
    let refused = try_commit(store, true, changes).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(2),
                overflow: false,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(
        store
            .find(&namespace(), Locator::Account(OWNER))
            .await
            .unwrap(),
        None
    );
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    assert_eq!(batch.head(&namespace(), OWNER).await.unwrap(), None);
    drop(batch);
    family(store).await;
}

pub async fn after_a_refused_commit_counters_do_not_mix<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let bucket = NOW.floor_minute();
    let refused = try_commit(
        store,
        false,
        vec![
            used(OWNER, Some("a"), bucket, ONE),
            created(account(OWNER, None)),
        ],
    )
    .await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(1),
                ..
            })
        ),
        "{refused:?}"
    );
    commit(store, vec![used(TEAM, None, bucket, 2 * ONE)]).await;
    commit(store, vec![used(OWNER, Some("a"), bucket, 3 * ONE)]).await;
    assert_eq!(sum(store, TEAM, counter(None), None, None).await, 2 * ONE);
    assert_eq!(sum(store, OWNER, counter(None), None, None).await, 3 * ONE);
    assert_eq!(
        sum(store, OWNER, counter(Some("a")), None, None).await,
        3 * ONE
    );
}

pub async fn a_commit_is_seen_by_all_that_follows<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let place = Some(Place {
        account: USER,
        tree: OWNER,
    });
    assert_eq!(
        store
            .find(&namespace(), Locator::Account(USER))
            .await
            .unwrap(),
        place
    );
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    let found = batch
        .locate(
            &namespace(),
            &[Locator::Account(id(99)), Locator::Account(USER)],
        )
        .await
        .unwrap();
    assert_eq!(found, [None, place]);
    let mut head = tree(&namespace(), OWNER, false, Vec::new()).head;
    assert_eq!(
        batch.head(&namespace(), OWNER).await.unwrap(),
        Some(head.clone())
    );
    head.chain_seq = 3;
    head.chain_hash = [7; 32];
    head.fencing_token = (1 << 40) + 5;
    head.last_at = seconds_later(1);
    head.version = 2;
    let mut changed = tree(&namespace(), OWNER, false, Vec::new());
    changed.head = head.clone();
    let decisions = vec![decision()];
    batch
        .commit(CommitSet {
            trees: vec![changed],
            decisions,
            ..CommitSet::default()
        })
        .await
        .unwrap();
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    assert_eq!(batch.head(&namespace(), OWNER).await.unwrap(), Some(head));
}

fn decision() -> DecisionRow {
    DecisionRow {
        decision_id: id(1),
        namespace: namespace(),
        account_id: id(404),
        resource_type_code: Code::from("anything"),
        resource_scope: None,
        requested_quantity: Quantity::ONE,
        unit_code: None,
        decision: "deny",
        code: "account_not_found",
        reason: "The account does not exist",
        rule_id: None,
        entitlement_id: None,
        // More than 64 bits of millionths: a sum in bytes, say.
        usage_at_decision: Some(Quantity::from_micros(1 << 90)),
        limit_at_decision: None,
        percent_used: None,
        request_id: Some("request".into()),
        decided_at: NOW,
    }
}

pub async fn the_clock_is_read_when_the_batch_begins<S: Store>(store: &S, clock: &TestClock) {
    assert_eq!(store.begin(0, &[], &[]).await.unwrap().now(), NOW);
    clock.set(seconds_later(5));
    assert_eq!(
        store.begin(0, &[], &[]).await.unwrap().now(),
        seconds_later(5)
    );
}

pub async fn a_tree_is_new_once<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let again = try_commit(store, true, Vec::new()).await;
    assert!(
        matches!(again, Err(CommitError::Refused { .. })),
        "{again:?}"
    );
}

pub async fn a_healthy_store_says_so<S: Store>(store: &S, _clock: &TestClock) {
    assert!(store.lanes() >= 1);
    store.health().await.unwrap();
}

pub async fn a_batch_tells_the_heads_of_its_trees<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let of = |namespace, tree| TreeRef { namespace, tree };
    let trees = [
        of(namespace(), USER),
        of(namespace(), OWNER),
        of(other_namespace(), OWNER),
    ];
    let mut batch = store.begin(0, &trees, &[]).await.unwrap();
    let held = batch.head(&namespace(), OWNER).await.unwrap();
    assert_eq!(batch.heads(), [None, held.clone(), None]);
    assert_eq!(held.map(|head| head.tree_id), Some(OWNER));
}

pub async fn a_batch_tells_the_versions_of_catalogues<S: Store>(store: &S, _clock: &TestClock) {
    for namespace in [namespace(), other_namespace()] {
        let held = store.catalogue(&namespace, None).await.unwrap().unwrap();
        let mut batch = store.begin(0, &[], &[]).await.unwrap();
        let age = batch.catalogue_age(&namespace).await.unwrap();
        assert_eq!(age, CatalogueAge::of(&held));
    }
    let put = store
        .put_catalogue(&namespace(), &CatalogueDraft::default(), NOW)
        .await
        .unwrap();
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    let age = batch.catalogue_age(&namespace()).await.unwrap();
    assert_eq!(age, CatalogueAge::of(&put));
}

pub async fn references_are_located_in_their_order<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let references = [
        (namespace(), Locator::Account(USER)),
        (other_namespace(), Locator::Account(USER)),
        (namespace(), Locator::External("nobody".into())),
        (namespace(), Locator::Account(OWNER)),
    ];
    let place = |account| {
        Some(Place {
            account,
            tree: OWNER,
        })
    };
    assert_eq!(
        store.locate(&references).await.unwrap(),
        [place(USER), None, None, place(OWNER)]
    );
}
