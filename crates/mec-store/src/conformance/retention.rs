//! What is dropped when its time has passed, and what never is.

use mec_core::Code;
use mec_core::Timestamp;
use mec_core::need::{Loaded, Need};
use uuid::Uuid;

use super::TestClock;
use super::given::{
    NOW, OWNER, USER, commit, commit_set, event, family, id, load, namespace, other_namespace,
    recorded, seconds_later,
};
use crate::{
    Batch, CommitSet, DecisionRow, Expired, KeyRef, KeyRow, KeyState, Retention, Store,
    StoredAnswer, key_hash,
};

fn decision(number: u128, other: bool, decided_at: Timestamp) -> DecisionRow {
    DecisionRow {
        decision_id: id(number),
        namespace: if other {
            other_namespace()
        } else {
            namespace()
        },
        account_id: OWNER,
        resource_type_code: Code::from("gpu_hours"),
        resource_scope: None,
        requested_quantity: mec_core::Quantity::ONE,
        unit_code: None,
        decision: "deny",
        code: "limit_reached",
        reason: "The limit is reached",
        rule_id: None,
        entitlement_id: None,
        usage_at_decision: None,
        limit_at_decision: None,
        percent_used: None,
        request_id: None,
        decided_at,
    }
}

fn key(text: &str, created_at: Timestamp) -> KeyRow {
    KeyRow {
        command: 0,
        namespace: namespace(),
        key: text.into(),
        stored: StoredAnswer {
            rpc: Code::from("meter_consumption"),
            args_hash: [3; 32],
            event_id: Some(id(5)),
            answer: Some("\"answer\"".into()),
        },
        created_at,
    }
}

async fn answer_of<S: Store>(store: &S, text: &str) -> (Option<Uuid>, Option<String>) {
    let keys = [KeyRef {
        namespace: namespace(),
        hash: key_hash(text),
    }];
    match store.begin(0, &[], &keys).await.unwrap().keys() {
        [KeyState::Taken(stored)] => (stored.event_id, stored.answer.clone()),
        other => panic!("{other:?}"),
    }
}

fn before(at: Timestamp, most: usize) -> Retention {
    Retention {
        decisions_before: at,
        audit_before: at,
        answers_before: at,
        most,
    }
}

async fn drop_before<S: Store>(store: &S, at: Timestamp, most: usize) -> (usize, usize) {
    let Expired {
        decisions, answers, ..
    } = store.apply_retention(&before(at, most)).await.unwrap();
    (decisions, answers)
}

pub async fn what_is_old_goes_in_steps_and_the_ledger_stays<S: Store>(
    store: &S,
    _clock: &TestClock,
) {
    family(store).await;
    commit(store, recorded(event(9, USER, &[OWNER], 2, NOW))).await;
    let set = CommitSet {
        trees: Vec::new(),
        keys: vec![
            key("old", NOW),
            key("older", NOW),
            key("new", seconds_later(9)),
        ],
        decisions: vec![
            decision(1, false, NOW),
            decision(2, false, NOW),
            decision(3, true, NOW),
            decision(4, true, seconds_later(9)),
        ],
    };
    commit_set(store, set).await.unwrap();
    assert_eq!(
        drop_before(store, NOW, 10).await,
        (0, 0),
        "nothing is older"
    );
    assert_eq!(drop_before(store, seconds_later(5), 2).await, (2, 2));
    assert_eq!(drop_before(store, seconds_later(5), 2).await, (1, 0));
    assert_eq!(drop_before(store, seconds_later(5), 2).await, (0, 0));
    assert_eq!(answer_of(store, "old").await, (Some(id(5)), None));
    let kept = Some("\"answer\"".to_owned());
    assert_eq!(answer_of(store, "new").await, (Some(id(5)), kept));
    match load(store, &namespace(), Need::Event(id(9))).await {
        Loaded::Event(Some(_)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(drop_before(store, seconds_later(99), 9).await, (1, 1));
}
