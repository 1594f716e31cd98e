//! Rows that are changed one at a time.

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::EntitlementStatus;
use mec_core::ops::grant::{GrantCredit, VoidGrant};
use mec_core::ops::update_account::UpdateAccount;
use mec_core::ops::update_entitlement::UpdateEntitlement;
use mec_core::ops::update_grant::UpdateGrant;
use mec_core::{Command, Quantity, Refusal, Timestamp, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{
    Place, account, allow, check, consume, entitle, link, named, refused, rename, reopen, request,
    row, taken, unlink, update_account, update_entitlement,
};

pub async fn an_account_is_changed_by_columns(place: &impl Place) {
    let engine = place.open().await;
    let [id, other] = [Uuid::now_v7(), Uuid::now_v7()];
    let made = row(&engine.call(account(id, None, Some("one"))).await);
    engine
        .call(account(other, None, Some("two")))
        .await
        .unwrap();
    let update = UpdateAccount {
        external_id: Some(Some("three".into())),
        email: Some(Some("a@example.com".into())),
        timezone: Some(Some("Europe/Berlin".into())),
        metadata: Some(BTreeMap::from([("k".into(), "v".into())])),
        status: Some(AccountStatus::Suspended),
        ..UpdateAccount::default()
    };
    let changed = row(&engine.call(update_account(id, update.clone())).await);
    assert_eq!(changed["external_id"], "three");
    assert_eq!(changed["created_at"], made["created_at"]);
    assert_ne!(changed["updated_at"], made["updated_at"]);
    let again = row(&engine.call(update_account(id, update)).await);
    assert_eq!(again, changed, "what is so already changes nothing");
    let denied = check(&engine, Target::External("three".into())).await;
    assert_eq!(denied["code"], "account_suspended");
    let gone = check(&engine, Target::External("one".into())).await;
    assert_eq!(gone["code"], "account_not_found");

    assert_eq!(
        refused(&engine, rename(id, Some("two"))).await,
        taken("external_id")
    );
    let at = |row: &serde_json::Value| Timestamp::parse(row["updated_at"].as_str().unwrap());
    let if_so = |row| UpdateAccount {
        if_updated_at: Some(at(row).unwrap()),
        email: Some(None),
        ..UpdateAccount::default()
    };
    let late = refused(&engine, update_account(id, if_so(&made))).await;
    assert_eq!(late, Refusal::RowChanged);
    let bad = UpdateAccount {
        timezone: Some(Some("nowhere".into())),
        ..UpdateAccount::default()
    };
    let bad = refused(&engine, update_account(id, bad)).await;
    assert_eq!(bad.field(), Some("timezone"));
    engine
        .call(update_account(id, if_so(&changed)))
        .await
        .unwrap();
    let engine = reopen(place, engine).await;
    let now = row(&engine
        .call(update_account(id, UpdateAccount::default()))
        .await);
    assert_eq!(
        (&now["email"], &now["external_id"]),
        (&().into(), &"three".into())
    );
    assert_eq!(now["metadata"]["k"], "v");
    let nobody = refused(&engine, rename(Uuid::now_v7(), None)).await;
    assert_eq!(nobody, Refusal::AccountNotFound);
    engine.close().await;
}

pub async fn an_entitlement_is_changed_as_its_next_version(place: &impl Place) {
    let engine = place.open().await;
    let [owner, id] = [Uuid::now_v7(), Uuid::now_v7()];
    engine.call(account(owner, None, None)).await.unwrap();
    let made = row(&engine.call(entitle(owner, id, 5)).await);
    assert_eq!(made["entitlement_id"], id.to_string());
    assert_eq!(
        refused(&engine, entitle(owner, id, 5)).await,
        taken("entitlement_id")
    );
    let of = || UpdateEntitlement {
        entitlement_id: id,
        ..UpdateEntitlement::default()
    };
    let same = row(&engine.call(allow(id, 5, Some(1))).await);
    assert_eq!(same, made, "what is so already makes no version");
    let condition = Condition {
        key: "region".into(),
        op: ConditionOp::Eq,
        value: Some("eu".into()),
    };
    let update = UpdateEntitlement {
        if_version: Some(1),
        quantity_allowed: Some(None),
        priority: Some(7),
        conditions: Some(vec![condition]),
        ..of()
    };
    let changed = row(&engine.call(update_entitlement(update.clone())).await);
    assert_eq!(
        (&changed["version"], &changed["priority"]),
        (&2.into(), &7.into())
    );
    assert!(changed["quantity_allowed"].is_null());
    assert_eq!(
        refused(&engine, update_entitlement(update)).await,
        Refusal::RowChanged
    );
    let unmet = check(&engine, Target::Account(owner)).await;
    assert_eq!(unmet["code"], "conditions_not_met");

    let start = Timestamp::parse(made["effective_start"].as_str().unwrap()).unwrap();
    let odd = start.floor_minute().saturating_add_micros(1);
    let bad = [
        (
            UpdateEntitlement {
                quantity_allowed: Some(Some(Quantity::from_int(-1))),
                ..of()
            },
            "quantity_allowed",
        ),
        (
            UpdateEntitlement {
                effective_end: Some(Some(start)),
                ..of()
            },
            "effective_end",
        ),
        (
            UpdateEntitlement {
                usage_from: Some(Some(odd)),
                ..of()
            },
            "usage_from",
        ),
    ];
    for (update, field) in bad {
        let refusal = refused(&engine, update_entitlement(update)).await;
        assert_eq!(refusal.field(), Some(field));
    }
    let nobody = refused(&engine, allow(owner, 1, None)).await;
    assert_eq!(nobody, Refusal::EntitlementNotFound);
    let elsewhere = Request {
        target: Target::Account(owner),
        ..allow(Uuid::now_v7(), 1, None)
    };
    assert_eq!(
        refused(&engine, elsewhere).await,
        Refusal::EntitlementNotFound
    );

    let over = UpdateEntitlement {
        status: Some(EntitlementStatus::Superseded),
        ..of()
    };
    assert_eq!(
        row(&engine.call(update_entitlement(over)).await)["version"],
        3
    );
    let engine = reopen(place, engine).await;
    let back = UpdateEntitlement {
        status: Some(EntitlementStatus::Active),
        ..of()
    };
    let refusal = refused(&engine, update_entitlement(back)).await;
    assert_eq!(refusal, Refusal::EntitlementSuperseded);
    assert_eq!(
        row(&engine.call(update_entitlement(of())).await)["version"],
        3
    );
    engine.close().await;
}

/// Usage counts anew from a whole minute on, of which nothing that was recorded in it is left out.
pub async fn usage_counts_anew_from_a_minute(place: &impl Place) {
    let engine = place.open().await;
    let [owner, id] = [Uuid::now_v7(), Uuid::now_v7()];
    engine.call(account(owner, None, None)).await.unwrap();
    engine.call(entitle(owner, id, 2)).await.unwrap();
    let first = consume(Target::Account(owner), format!("1-{owner}"));
    engine.call(first).await.unwrap();
    let minute = engine.now().floor_minute();
    let from = |from: Timestamp| {
        update_entitlement(UpdateEntitlement {
            entitlement_id: id,
            usage_from: Some(Some(from)),
            ..UpdateEntitlement::default()
        })
    };
    let next = minute.saturating_add_micros(Timestamp::MICROS_PER_HOUR);
    let earlier = minute.saturating_add_micros(-Timestamp::MICROS_PER_HOUR);
    for (at, used) in [(next, 0), (earlier, 1)] {
        engine.call(from(at)).await.unwrap();
        let now = check(&engine, Target::Account(owner)).await;
        assert_eq!(now["quantity_used"], used);
    }
    engine.close().await;
}

pub async fn a_grant_is_changed_until_it_is_voided(place: &impl Place) {
    let engine = place.open().await;
    let [owner, id] = [Uuid::now_v7(), Uuid::now_v7()];
    engine.call(account(owner, None, None)).await.unwrap();
    let give = || {
        let grant = GrantCredit {
            grant_id: Some(id),
            resource: "benchmark_runs".into(),
            scope: None,
            quantity: Quantity::from_int(3),
            window_type: None,
            priority: 0,
            expires_at: None,
            reason: None,
        };
        request(Target::Account(owner), Command::GrantCredit(grant))
    };
    assert_eq!(engine.call(give()).await.unwrap().made, Some(id));
    assert_eq!(refused(&engine, give()).await, taken("grant_id"));
    let of = || UpdateGrant {
        grant_id: id,
        ..UpdateGrant::default()
    };
    let change = |update| request(Target::Grant(id), Command::UpdateGrant(update));
    let ahead = engine.now().saturating_add_secs(3_600);
    let update = UpdateGrant {
        priority: Some(4),
        expires_at: Some(Some(ahead)),
        reason: Some(Some("sorry".into())),
        ..of()
    };
    let changed = row(&engine.call(change(update)).await);
    assert_eq!(
        (&changed["priority"], &changed["remaining"]),
        (&4.into(), &3.into())
    );
    assert_eq!(changed["reason"], "sorry");
    let past = UpdateGrant {
        expires_at: Some(Some(engine.now())),
        ..of()
    };
    assert_eq!(
        refused(&engine, change(past)).await.field(),
        Some("expires_at")
    );
    let engine = reopen(place, engine).await;
    assert_eq!(row(&engine.call(change(of())).await), changed);
    let void = Command::VoidGrant(VoidGrant { grant_id: id });
    engine.call(request(Target::Grant(id), void)).await.unwrap();
    let late = UpdateGrant {
        priority: Some(5),
        ..of()
    };
    assert_eq!(refused(&engine, change(late)).await, Refusal::GrantVoided);
    let nobody = Command::UpdateGrant(of());
    let nobody = request(Target::Grant(Uuid::now_v7()), nobody);
    assert_eq!(refused(&engine, nobody).await, Refusal::GrantNotFound);
    engine.close().await;
}

pub async fn a_linked_id_names_its_account(place: &impl Place) {
    let engine = place.open().await;
    let [a, b] = [Uuid::now_v7(), Uuid::now_v7()];
    engine.call(account(a, None, None)).await.unwrap();
    engine.call(account(b, None, None)).await.unwrap();
    let linked = row(&engine.call(link(a, "cus_1")).await);
    assert_eq!(linked["account_id"], a.to_string());
    assert_eq!(
        (&linked["provider"], &linked["external_id"]),
        (&"stripe".into(), &"cus_1".into())
    );
    assert_eq!(row(&engine.call(link(a, "cus_1")).await), linked);
    assert_eq!(
        refused(&engine, link(b, "cus_1")).await,
        taken("external_id")
    );
    assert_eq!(
        refused(&engine, link(b, "")).await.field(),
        Some("external_id")
    );
    assert_eq!(engine.call(unlink(b, "cus_1")).await.unwrap().body, "false");
    let told = || {
        engine.call(consume(
            Target::External("cus_1".into()),
            Uuid::now_v7().to_string(),
        ))
    };
    assert_eq!(told().await.unwrap().account, Some(a));
    assert_eq!(engine.call(unlink(a, "cus_1")).await.unwrap().body, "true");
    assert_eq!(named(&engine, Target::External("cus_1".into())).await, None);
    assert_eq!(row(&told().await)["code"], "account_not_found");
    engine.call(link(b, "cus_1")).await.unwrap();
    let meter = ops::meter::Meter {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        occurred_at: None,
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    let meter = request(Target::External("cus_1".into()), Command::Meter(meter));
    assert_eq!(engine.call(meter).await.unwrap().account, Some(b));
    engine.close().await;
}
