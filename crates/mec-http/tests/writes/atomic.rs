//! A bad row among good ones: nothing of the body is written.

use serde_json::{Value, json};

use super::api::{Api, id, on_both, requests};
use super::support::Answer;

on_both!(
    a_bad_account_leaves_none,
    a_bad_entitlement_leaves_none,
    a_bad_condition_leaves_none,
    a_bad_row_of_the_catalogue_leaves_none,
    a_bad_lookup_leaves_none,
    a_bad_row_in_a_patch_leaves_all,
    many_entitlements_keep_all_their_conditions
);

async fn post(api: &Api, resource: &str, rows: Vec<Value>) -> Answer {
    let path = format!("/api/{resource}");
    let call = api.call("POST", &path).by(api.writer(resource));
    call.json(Value::Array(rows)).await
}

async fn a_bad_account_leaves_none(api: Api) {
    let row =
        |n: usize, kind: &str| json!({"account_type_code": kind, "external_id": format!("n{n}")});
    let rows = |third: &'static str| {
        (1..=5).map(move |n| row(n, if n == 3 { third } else { "organization" }))
    };
    post(&api, "accounts", rows("nothing").collect())
        .await
        .error(422, "unknown_code");
    assert_eq!(api.rows("/api/accounts").await, json!([]));
    let made = post(&api, "accounts", rows("team").collect()).await;
    assert_eq!((made.status.as_u16(), made.text.as_str()), (201, ""));
    let told = api
        .rows("/api/accounts?select=external_id&order=external_id")
        .await;
    assert_eq!(
        told,
        json!([{"external_id": "n1"}, {"external_id": "n2"}, {"external_id": "n3"}, {"external_id": "n4"}, {"external_id": "n5"}])
    );
    // Nor does the engine know what was refused.
    let again = row(6, "organization");
    post(&api, "accounts", vec![again.clone(), row(1, "team")])
        .await
        .error(409, "already_exists");
    assert_eq!(
        post(&api, "accounts", vec![again]).await.status.as_u16(),
        201
    );
}

async fn a_bad_entitlement_leaves_none(api: Api) {
    let (one, two) = (api.account("one").await, api.account("two").await);
    let rows = (1..=5).map(|n| {
        let quantity = if n == 3 { json!(0.5) } else { json!(n) };
        requests(if n % 2 == 0 { two } else { one }, quantity)
    });
    post(&api, "entitlements", rows.collect())
        .await
        .error(400, "too_many_decimals");
    assert_eq!(api.rows("/api/entitlements").await, json!([]));
    for account in ["one", "two"] {
        assert_eq!(
            api.check(account).await["code"],
            "no_entitlement",
            "{account}"
        );
    }
}

async fn a_bad_condition_leaves_none(api: Api) {
    let account = api.account("one").await;
    let limits = [api.limit(account, 1).await, api.limit(account, 2).await];
    let rows = (1..=5).map(|n| {
        let op = if n == 3 { "like" } else { "eq" };
        json!({"entitlement_id": limits[n % 2], "condition_key": format!("k{n}"), "condition_op": op, "condition_value": "v"})
    });
    post(&api, "entitlement_conditions", rows.collect())
        .await
        .error(422, "unknown_code");
    assert_eq!(api.rows("/api/entitlement_conditions").await, json!([]));
    let versions = api.rows("/api/entitlements?select=version").await;
    assert_eq!(versions, json!([{"version": 1}, {"version": 1}]));
}

async fn a_bad_row_of_the_catalogue_leaves_none(api: Api) {
    let rows = (1..=5).map(|n| {
        let days = if n == 3 { json!(-1) } else { json!(n) };
        json!({"plan_id": format!("p{n}"), "plan_name": "P", "trial_days": days})
    });
    post(&api, "plans", rows.collect())
        .await
        .error(400, "invalid_value");
    assert_eq!(api.rows("/api/plans?plan_id=like.p_").await, json!([]));
}

async fn a_bad_lookup_leaves_none(api: Api) {
    let rows = (1..=5).map(|n| {
        let scale = if n == 3 { 7 } else { 0 };
        json!({"unit_code": format!("u{n}"), "unit_category": format!("u{n}"), "scale": scale})
    });
    post(&api, "units", rows.collect())
        .await
        .error(422, "invalid_catalogue");
    assert_eq!(api.rows("/api/units?unit_code=like.u_").await, json!([]));
}

async fn a_bad_row_in_a_patch_leaves_all(api: Api) {
    let account = api.account("one").await;
    api.limit(account, 5).await;
    let hours = json!({"account_id": account, "resource_type_code": "gpu_hours", "limit_kind_code": "cumulative", "quantity_allowed": 2.5});
    api.made("entitlements", hours).await;
    // Hours have decimals, requests have none.
    let patch = api.call("PATCH", "/api/entitlements?order=quantity_allowed");
    patch
        .json(json!({"quantity_allowed": 1.25}))
        .await
        .error(400, "too_many_decimals");
    let told = api
        .rows("/api/entitlements?select=quantity_allowed,version&order=quantity_allowed")
        .await;
    assert_eq!(
        told,
        json!([{"quantity_allowed": 2.5, "version": 1}, {"quantity_allowed": 5, "version": 1}])
    );
}

/// More conditions than one write has rows are read before some of them are changed.
async fn many_entitlements_keep_all_their_conditions(api: Api) {
    let account = api.account("one").await;
    let conditions: Vec<Value> = (0..19)
        .map(|n| json!({"condition_key": format!("k{n}"), "condition_op": "eq", "condition_value": "v"}))
        .collect();
    let rows = (0..60).map(|n| {
        let mut row = requests(account, json!(n));
        row["resource_scope"] = json!(format!("s{}", n % 5));
        row["conditions"] = json!(conditions);
        row
    });
    let call = api.call("POST", "/api/entitlements?select=entitlement_id");
    let made = call
        .prefer("return=representation")
        .json(Value::Array(rows.collect()))
        .await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let ids = made.json();
    let ids = ids.as_array().unwrap();
    assert_eq!(ids.len(), 60);
    let more = ids.iter().map(|row| {
        json!({"entitlement_id": id(&row["entitlement_id"]), "condition_key": "more", "condition_op": "exists"})
    });
    let more = post(&api, "entitlement_conditions", more.collect()).await;
    assert_eq!(more.status.as_u16(), 201, "{}", more.text);
    let counted = api
        .call("HEAD", "/api/entitlement_conditions")
        .prefer("count=exact")
        .send("")
        .await;
    assert_eq!(
        counted
            .header("content-range")
            .unwrap()
            .split('/')
            .next_back(),
        Some("1200")
    );
}
