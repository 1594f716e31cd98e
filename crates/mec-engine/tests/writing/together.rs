//! Requests that are done together, or not at all.

use std::sync::Arc;

use mec_core::ops::move_account::MoveAccount;
use mec_core::{Command, Refusal};
use mec_engine::{End, Engine, Request, Target, TogetherError};
use uuid::Uuid;

use super::{
    Place, account, allow, check, consume, entitle, link, named, refusal, rename, reopen, request,
    row, taken, unlink,
};

fn ids<const N: usize>() -> [Uuid; N] {
    std::array::from_fn(|_| Uuid::now_v7())
}

async fn commit(engine: &Engine, requests: Vec<Request>) -> Result<usize, TogetherError> {
    let done = engine.call_together(requests, End::Commit).await?;
    Ok(done.len())
}

/// Whose fault it was, and what was wrong.
async fn fault(engine: &Engine, requests: Vec<Request>, end: End) -> (Option<usize>, Refusal) {
    let error = engine.call_together(requests, end).await.unwrap_err();
    (error.index, refusal(&error.error).clone())
}

async fn exist(engine: &Engine, accounts: &[Uuid]) -> usize {
    let mut count = 0;
    for id in accounts {
        count += usize::from(named(engine, Target::Account(*id)).await.is_some());
    }
    count
}

pub async fn a_refusal_of_one_undoes_all(place: &impl Place) {
    let engine = place.open().await;
    let [held, a, b, c, d] = ids();
    engine
        .call(account(held, None, Some("held")))
        .await
        .unwrap();
    let four = || {
        vec![
            account(a, None, Some("a")),
            account(b, None, None),
            account(c, Some(held), None),
            account(d, None, Some("held")),
        ]
    };
    let found = fault(&engine, four(), End::Commit).await;
    assert_eq!(found, (Some(3), taken("external_id")));
    assert_eq!(exist(&engine, &[a, b, c, d]).await, 0);
    let three = || four().into_iter().take(3).collect();
    assert_eq!(commit(&engine, three()).await.unwrap(), 3);
    let engine = reopen(place, engine).await;
    assert_eq!(exist(&engine, &[a, b, c, d]).await, 3);
    let by_name = named(&engine, Target::External("a".into())).await;
    assert_eq!(by_name, Some(a));
    let found = fault(&engine, three(), End::Commit).await;
    assert_eq!(found, (Some(0), taken("account_id")));
    engine.close().await;
}

pub async fn a_rollback_tells_what_would_be_and_leaves_nothing(place: &impl Place) {
    let engine = place.open().await;
    let [held, entitlement, a, b] = ids();
    engine.call(account(held, None, None)).await.unwrap();
    engine.call(entitle(held, entitlement, 5)).await.unwrap();
    let all = || {
        vec![
            account(a, None, Some("a")),
            account(b, Some(a), None),
            allow(entitlement, 9, Some(1)),
            consume(Target::Account(held), format!("key-{held}")),
        ]
    };
    for _ in 0..2 {
        let told = engine.call_together(all(), End::Rollback).await.unwrap();
        let told: Vec<_> = told.into_iter().map(|outcome| row(&Ok(outcome))).collect();
        assert_eq!(told[1]["parent_account_id"], a.to_string());
        assert_eq!(told[2]["version"], 2);
        assert_eq!(told[3]["decision"], "allow");
        assert_eq!(told[3]["quantity_allowed"], 9);
    }
    assert_eq!(exist(&engine, &[a, b]).await, 0);
    let now = check(&engine, Target::Account(held)).await;
    assert_eq!(
        (&now["quantity_allowed"], &now["quantity_used"]),
        (&5.into(), &0.into())
    );
    let found = fault(&engine, vec![allow(entitlement, 9, Some(3))], End::Rollback).await;
    assert_eq!(found, (Some(0), Refusal::RowChanged));
    assert_eq!(commit(&engine, all()).await.unwrap(), 4);
    let now = check(&engine, Target::Account(held)).await;
    assert_eq!(
        (&now["quantity_allowed"], &now["quantity_used"]),
        (&9.into(), &1.into())
    );
    engine.close().await;
}

pub async fn later_requests_see_what_earlier_ones_changed(place: &impl Place) {
    let engine = place.open().await;
    let [owner, team, user, entitlement, other, twin] = ids();
    let all = vec![
        account(owner, None, Some("owner")),
        account(team, Some(owner), None),
        account(user, Some(team), None),
        entitle(owner, entitlement, 1),
        allow(entitlement, 2, Some(1)),
        consume(Target::Account(user), format!("1-{user}")),
        consume(Target::External("owner".into()), format!("2-{user}")),
        consume(Target::Account(team), format!("3-{user}")),
    ];
    let told = engine.call_together(all, End::Commit).await.unwrap();
    let decisions: Vec<_> = told.into_iter().skip(5).collect();
    let decisions = decisions
        .into_iter()
        .map(|told| row(&Ok(told))["decision"].clone());
    assert_eq!(decisions.collect::<Vec<_>>(), ["allow", "allow", "deny"]);

    let twice = vec![
        account(other, None, Some("other")),
        account(twin, None, Some("other")),
    ];
    let found = fault(&engine, twice, End::Commit).await;
    assert_eq!(found, (Some(1), taken("external_id")));
    let twice = vec![entitle(owner, other, 1), entitle(team, other, 1)];
    let found = fault(&engine, twice, End::Commit).await;
    assert_eq!(found, (Some(1), taken("entitlement_id")));

    let engine = reopen(place, engine).await;
    assert_eq!(exist(&engine, &[owner, team, user, other, twin]).await, 3);
    let now = check(&engine, Target::Account(user)).await;
    assert_eq!(
        (&now["code"], &now["quantity_used"]),
        (&"limit_reached".into(), &2.into())
    );
    engine.close().await;
}

pub async fn names_pass_between_trees(place: &impl Place) {
    let engine = place.open().await;
    let [a, b, c] = ids();
    let all = vec![
        account(a, None, Some("x")),
        account(b, None, Some("y")),
        link(a, "cus_1"),
    ];
    commit(&engine, all).await.unwrap();
    let passed = vec![
        rename(a, None),
        rename(b, Some("x")),
        rename(a, Some("y")),
        unlink(a, "cus_1"),
        link(b, "cus_1"),
    ];
    commit(&engine, passed).await.unwrap();
    for (name, holder) in [("x", b), ("y", a), ("cus_1", b)] {
        let target = Target::External(name.into());
        assert_eq!(named(&engine, target.clone()).await, Some(holder), "{name}");
        let told = engine.call(consume(target, format!("{name}-{a}"))).await;
        assert_eq!(told.unwrap().account, Some(holder), "{name}");
    }
    let found = fault(
        &engine,
        vec![link(b, "cus_2"), link(a, "cus_2")],
        End::Commit,
    )
    .await;
    assert_eq!(found, (Some(1), taken("external_id")));
    let found = fault(
        &engine,
        vec![rename(b, None), account(c, None, Some("y"))],
        End::Commit,
    );
    assert_eq!(found.await, (Some(1), taken("external_id")));
    let freed = vec![rename(b, None), account(c, None, Some("x"))];
    commit(&engine, freed).await.unwrap();
    let engine = reopen(place, engine).await;
    for (name, holder) in [("x", c), ("y", a), ("cus_1", b)] {
        let target = Target::External(name.into());
        assert_eq!(named(&engine, target).await, Some(holder), "{name}");
    }
    engine.close().await;
}

pub async fn a_move_is_the_only_request(place: &impl Place) {
    let engine = place.open().await;
    let [a, b, c] = ids();
    let both = vec![account(a, None, None), account(b, None, None)];
    commit(&engine, both).await.unwrap();
    let moves = || {
        let to = MoveAccount {
            new_parent: Some(a),
        };
        request(Target::Account(b), Command::MoveAccount(to))
    };
    let found = fault(&engine, vec![account(c, None, None), moves()], End::Commit).await;
    assert_eq!(found, (Some(1), Refusal::MoveNotAlone));
    assert_eq!(exist(&engine, &[c]).await, 0);
    engine
        .call_together(vec![moves()], End::Rollback)
        .await
        .unwrap();
    let told = engine.call_together(vec![moves()], End::Commit).await;
    assert_eq!(told.unwrap()[0].body, "true", "the rollback moved nothing");
    let many = (0..1_001).map(|_| account(Uuid::now_v7(), None, None));
    let found = fault(&engine, many.collect(), End::Commit).await;
    assert_eq!(found, (None, Refusal::TooManyTogether { limit: 1_000 }));
    assert_eq!(commit(&engine, Vec::new()).await.unwrap(), 0);
    engine.close().await;
}

/// Calls take from an allowance that groups raise meanwhile, each by one by what it read.
pub async fn nothing_is_lost_or_granted_twice_beside_groups(place: &impl Place) {
    let engine = Arc::new(place.open().await);
    let [owner, entitlement] = ids();
    let both = vec![account(owner, None, None), entitle(owner, entitlement, 0)];
    commit(&engine, both).await.unwrap();
    let raising: Vec<_> = (0..4)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    raise(&engine, entitlement).await;
                }
            })
        })
        .collect();
    let taking: Vec<_> = (0..100)
        .map(|at| {
            let engine = engine.clone();
            let take = consume(Target::Account(owner), format!("{at}-{owner}"));
            tokio::spawn(async move { is_granted(&engine, take).await })
        })
        .collect();
    let mut granted = 0;
    for taken in taking {
        granted += i64::from(taken.await.unwrap());
    }
    for raised in raising {
        raised.await.unwrap();
    }
    let now = check(&engine, Target::Account(owner)).await;
    assert_eq!(now["quantity_allowed"], 20);
    assert_eq!(now["quantity_used"], granted);
    assert!(granted <= 20);
    let rest = |at: i64| consume(Target::Account(owner), format!("rest-{at}-{owner}"));
    while is_granted(&engine, rest(granted)).await {
        granted += 1;
    }
    assert_eq!(granted, 20);
    engine.close().await;
}

async fn is_granted(engine: &Engine, request: Request) -> bool {
    row(&engine.call(request).await)["decision"] != "deny"
}

/// Allows one more than there is, by the version that was read.
async fn raise(engine: &Engine, entitlement: Uuid) {
    loop {
        let as_it_is =
            super::update_entitlement(mec_core::ops::update_entitlement::UpdateEntitlement {
                entitlement_id: entitlement,
                ..Default::default()
            });
        let read = row(&engine.call(as_it_is).await);
        let version = u32::try_from(read["version"].as_u64().unwrap()).unwrap();
        let quantity = read["quantity_allowed"].as_i64().unwrap() + 1;
        let raised = vec![allow(entitlement, quantity, Some(version))];
        match engine.call_together(raised, End::Commit).await {
            Ok(_) => return,
            Err(error) => assert_eq!(refusal(&error.error), &Refusal::RowChanged),
        }
    }
}
