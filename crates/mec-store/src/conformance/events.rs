//! Events, their corrections, and what they drew.

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_core::Quantity;
use mec_core::change::Change;
use mec_core::grant::Draw;
use mec_core::ledger::EventFacts;
use mec_core::need::{Loaded, Need};

use super::TestClock;
use super::given::{
    NOW, ONE, OWNER, TEAM, USER, code, commit, event, family, grant, id, load, namespace, recorded,
    seconds_later, try_commit,
};
use crate::{CommitError, Store};

async fn facts<S: Store>(store: &S, number: u128) -> Option<EventFacts> {
    match load(store, &namespace(), Need::Event(id(number))).await {
        Loaded::Event(facts) => facts.map(|facts| *facts),
        other => panic!("{other:?}"),
    }
}

pub async fn an_event_comes_back_whole<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    let mut full = event(1, USER, &[TEAM, OWNER], 2, seconds_later(-3_600));
    full.resource_scope = Some(code("model:llama-70b"));
    full.quantity = Quantity::MAX_EVENT;
    (full.period_start, full.period_end) = (Some(seconds_later(-7_200)), Some(NOW));
    full.chain_seq = 42;
    full.chain_hash = std::array::from_fn(|n| n as u8);
    full.details = BTreeMap::from([
        ("ключ".into(), "value \u{1F980} \"'".into()),
        ("a".into(), String::new()),
    ]);
    let mut bare = event(2, OWNER, &[], -1, NOW);
    bare.idempotency_key = None;
    bare.quantity = Quantity::from_micros(-1);
    commit(
        store,
        [recorded(full.clone()), recorded(bare.clone())].concat(),
    )
    .await;
    let found = facts(store, 1).await.unwrap();
    assert_eq!(
        (found.event, found.net),
        (full.clone(), full.quantity.micros() * 60)
    );
    assert!(found.draws.is_empty());
    assert_eq!(facts(store, 2).await.unwrap().event, bare);
    assert!(facts(store, 3).await.is_none());
}

pub async fn corrections_make_the_net<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    commit(store, recorded(event(1, USER, &[TEAM, OWNER], 10, NOW))).await;
    let mut down = event(2, USER, &[TEAM, OWNER], -4, NOW);
    down.corrects_event_id = Some(id(1));
    let mut up = event(3, USER, &[TEAM, OWNER], 30, NOW);
    up.corrects_event_id = Some(id(1));
    up.unit_code = code("minutes");
    let unrelated = event(4, USER, &[TEAM, OWNER], 99, NOW);
    commit(
        store,
        [recorded(down.clone()), recorded(up), recorded(unrelated)].concat(),
    )
    .await;
    assert_eq!(facts(store, 1).await.unwrap().net, (600 - 240 + 30) * ONE);
    assert_eq!(facts(store, 2).await.unwrap().event, down);
}

pub async fn draws_are_net_and_in_order<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    commit(store, recorded(event(1, USER, &[TEAM, OWNER], 10, NOW))).await;
    let grants = [
        grant(30, USER, 50 * ONE),
        grant(20, TEAM, 50 * ONE),
        grant(10, TEAM, 1 << 70),
    ];
    commit(store, grants.clone().map(Change::GrantPut).into()).await;
    let drawn = |of: usize, event: u128, amount: i128, grant_remaining: i128| Change::Drawn {
        event_id: id(event),
        draw: Draw {
            grant_id: grants[of].grant_id,
            level: grants[of].account_id,
            window_type_code: grants[of].window_type_code.clone(),
            grant_expires_at: grants[of].expires_at,
            amount,
        },
        grant_remaining,
    };
    let big = 1 << 68;
    commit(
        store,
        vec![
            drawn(0, 1, 3 * ONE + 5, 47 * ONE - 5),
            drawn(1, 1, ONE, 49 * ONE),
            drawn(2, 1, big, (1 << 70) - big),
        ],
    )
    .await;
    commit(
        store,
        vec![
            drawn(1, 1, -ONE, 50 * ONE),
            drawn(0, 1, -ONE, 48 * ONE - 5),
            drawn(1, 9, ONE, 49 * ONE),
        ],
    )
    .await;
    let expected = |of: usize, amount| match drawn(of, 1, amount, 0) {
        Change::Drawn { draw, .. } => draw,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        facts(store, 1).await.unwrap().draws,
        [expected(0, 2 * ONE + 5), expected(2, big)]
    );
    commit(store, vec![drawn(1, 1, 7, 49 * ONE - 7)]).await;
    // The order is that of the first draws, also of one that was given back whole meanwhile.
    assert_eq!(
        facts(store, 1).await.unwrap().draws,
        [expected(0, 2 * ONE + 5), expected(1, 7), expected(2, big)]
    );
    let loaded = load(store, &namespace(), Need::Grant(id(30))).await;
    assert!(
        matches!(&loaded, Loaded::Grant(Some(grant)) if grant.remaining == 48 * ONE - 5),
        "{loaded:?}"
    );
}

pub async fn an_event_is_recorded_once<S: Store>(store: &S, _clock: &TestClock) {
    family(store).await;
    commit(store, recorded(event(1, USER, &[TEAM, OWNER], 10, NOW))).await;
    let again = Change::EventRecorded {
        event: Arc::new(event(1, USER, &[TEAM, OWNER], 11, NOW)),
        amount: ONE,
    };
    let refused = try_commit(store, false, vec![again]).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Refused {
                command: None | Some(0),
                overflow: false,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(
        facts(store, 1).await.unwrap().event.quantity,
        Quantity::from_int(10)
    );
}
