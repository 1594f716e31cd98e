//! Writers at the same time.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::api::{Api, on_both};

on_both!(
    one_account_is_made_by_many_upserts,
    one_of_many_changes_of_a_version_wins,
    one_of_many_changes_of_a_plan_wins,
    many_conditions_are_put_at_once
);

async fn one_account_is_made_by_many_upserts(api: Api) {
    let api = Arc::new(api);
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let api = api.clone();
        tasks.spawn(async move {
            let row = json!({"account_type_code": "organization", "external_id": "acme", "display_name": format!("n{n}")});
            let call = api.call("POST", "/api/accounts?on_conflict=external_id");
            let answer = call.prefer("resolution=merge-duplicates, return=representation").json(row).await;
            let status = answer.status.as_u16();
            assert!(status < 300, "{}", answer.text);
            (status, answer.json()[0]["account_id"].clone())
        });
    }
    let told = tasks.join_all().await;
    let new = told.iter().filter(|(status, _)| *status == 201);
    assert_eq!(new.count(), 1);
    assert!(told.iter().all(|(_, id)| *id == told[0].1), "{told:?}");
    let rows = api.rows("/api/accounts?select=account_id").await;
    assert_eq!(rows, json!([{"account_id": told[0].1}]));
}

async fn one_of_many_changes_of_a_version_wins(api: Api) {
    let account = api.account("acme").await;
    let limit = api.limit(account, 0).await;
    let api = Arc::new(api);
    for version in 1..=3 {
        let path = format!("/api/entitlements?entitlement_id=eq.{limit}&version=eq.{version}");
        let told = patch_at_once(
            &api,
            &path,
            |n| json!({"quantity_allowed": 100 * version + n}),
        )
        .await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["version"], version + 1);
        let rows = api
            .rows("/api/entitlements?select=version,quantity_allowed")
            .await;
        assert_eq!(
            rows,
            json!([{"version": version + 1, "quantity_allowed": told[0]["quantity_allowed"]}])
        );
    }
}

async fn one_of_many_changes_of_a_plan_wins(api: Api) {
    let api = Arc::new(api);
    let told = patch_at_once(
        &api,
        "/api/plans?plan_id=eq.pro&plan_name=eq.Pro",
        |n| json!({"plan_name": format!("n{n}")}),
    )
    .await;
    assert_eq!(told.len(), 1, "{told:?}");
    let rows = api.rows("/api/plans?select=plan_name&plan_id=eq.pro").await;
    assert_eq!(rows, json!([{"plan_name": told[0]["plan_name"]}]));
}

/// The rows of all answers to 20 changes at the same time.
async fn patch_at_once(api: &Arc<Api>, path: &str, body: impl Fn(i64) -> Value) -> Vec<Value> {
    let mut tasks = JoinSet::new();
    for n in 0..20 {
        let (api, path, body) = (api.clone(), path.to_owned(), body(n));
        tasks.spawn(async move {
            let resource = path.split(['/', '?']).nth(2).unwrap();
            let call = api.call("PATCH", &path).by(api.writer(resource));
            let told = call.prefer("return=representation").json(body).await;
            told.ok().as_array().unwrap().clone()
        });
    }
    tasks.join_all().await.concat()
}

async fn many_conditions_are_put_at_once(api: Api) {
    let account = api.account("acme").await;
    let limit = api.limit(account, 0).await;
    let api = Arc::new(api);
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let api = api.clone();
        tasks.spawn(async move {
            let row = json!({"entitlement_id": limit, "condition_key": format!("k{n}"), "condition_op": "exists"});
            let answer = api.call("POST", "/api/entitlement_conditions").json(row).await;
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        });
    }
    tasks.join_all().await;
    let rows = api.rows("/api/entitlement_conditions").await;
    assert_eq!(rows.as_array().unwrap().len(), 16);
}
