//! What is written through a resource is what the next check sees, and what audits tell.

use serde_json::{Value, json};

use super::api::{Api, admin, id, on_both};

on_both!(
    a_check_sees_an_entitlement_and_its_conditions_at_once,
    a_check_sees_an_account_and_its_place_at_once,
    a_check_sees_a_grant_at_once,
    a_check_sees_a_rule_and_a_new_account_a_template_at_once,
    who_changed_an_entitlement_is_told
);

async fn patch(api: &Api, path: &str, body: Value) {
    let resource = path.split(['/', '?']).nth(2).unwrap();
    let call = api.call("PATCH", path).by(api.writer(resource));
    let answer = call.json(body).await;
    assert_eq!(answer.status.as_u16(), 204, "{path}: {}", answer.text);
}

async fn consume(api: &Api, account: &str, quantity: i64) {
    let consumed = json!({
        "p_external_id": account, "p_resource_type": "api_requests", "p_quantity": quantity,
        "p_idempotency_key": format!("{account} {quantity}"),
    });
    api.app.rpc("consume", consumed).await.ok();
}

async fn a_check_sees_an_entitlement_and_its_conditions_at_once(api: Api) {
    let account = api.account("acme").await;
    assert_eq!(api.check("acme").await["code"], "no_entitlement");
    let limit = api.limit(account, 10).await;
    assert_eq!(api.check("acme").await["quantity_remaining"], 10);
    let path = format!("/api/entitlements?entitlement_id=eq.{limit}");
    for quantity in [0, 7, 3] {
        patch(&api, &path, json!({"quantity_allowed": quantity})).await;
        assert_eq!(api.check("acme").await["quantity_allowed"], quantity);
    }
    patch(&api, &path, json!({"quantity_allowed": null})).await;
    assert_eq!(api.check("acme").await["code"], "unlimited");
    let condition = json!({"entitlement_id": limit, "condition_key": "country", "condition_op": "eq", "condition_value": "DE"});
    api.made("entitlement_conditions", condition).await;
    assert_eq!(api.check("acme").await["code"], "conditions_not_met");
    let french = json!({"country": "FR"});
    assert_eq!(
        api.check_with("acme", french.clone()).await["code"],
        "conditions_not_met"
    );
    let of_it = format!("/api/entitlement_conditions?entitlement_id=eq.{limit}");
    patch(&api, &of_it, json!({"condition_value": "FR"})).await;
    assert_eq!(api.check_with("acme", french).await["code"], "unlimited");
    let gone = api.call("DELETE", &of_it).send("").await;
    assert_eq!(gone.status.as_u16(), 204);
    assert_eq!(api.check("acme").await["code"], "unlimited");
    patch(&api, &path, json!({"status": "suspended"})).await;
    assert_eq!(api.check("acme").await["code"], "entitlement_suspended");
}

async fn a_check_sees_an_account_and_its_place_at_once(api: Api) {
    let (from, to) = (api.account("from").await, api.account("to").await);
    api.limit(from, 10).await;
    api.limit(to, 50).await;
    let row =
        json!({"account_type_code": "team", "external_id": "team", "parent_account_id": from});
    let team = id(&api.made("accounts", row).await["account_id"]);
    consume(&api, "team", 4).await;
    assert_eq!(api.check("team").await["quantity_remaining"], 6);
    let path = format!("/api/accounts?account_id=eq.{team}");
    patch(&api, &path, json!({"parent_account_id": to})).await;
    // What it used stays with the tree in which it used it.
    assert_eq!(api.check("team").await["quantity_remaining"], 50);
    assert_eq!(api.check("from").await["quantity_remaining"], 6);
    let told = api
        .rows(&format!(
            "/api/consumption?select=account_id,owner_account_id,quantity&account_id=eq.{team}"
        ))
        .await;
    assert_eq!(
        told,
        json!([{"account_id": team, "owner_account_id": from, "quantity": 4}])
    );
    let told = api.rows(&format!("{path}&select=parent_account_id")).await;
    assert_eq!(told, json!([{"parent_account_id": to}]));
    let both = api
        .call("PATCH", &path)
        .json(json!({"parent_account_id": from, "email": "a@b"}))
        .await;
    both.error(422, "move_not_alone");
    let below = format!("/api/accounts?account_id=eq.{to}");
    let loops = api
        .call("PATCH", &below)
        .json(json!({"parent_account_id": team}))
        .await;
    assert_eq!(loops.status.as_u16(), 400, "{}", loops.text);
    for (account, status, code) in [
        (to, "suspended", "account_suspended"),
        (to, "active", "within_entitlement"),
        (team, "inactive", "account_inactive"),
    ] {
        let path = format!("/api/accounts?account_id=eq.{account}");
        patch(&api, &path, json!({"status": status})).await;
        assert_eq!(api.check("team").await["code"], code);
    }
}

async fn a_check_sees_a_grant_at_once(api: Api) {
    let account = api.account("acme").await;
    let row = json!({"account_id": account, "resource_type_code": "api_requests", "limit_kind_code": "cumulative",
                     "quantity_allowed": 2, "window_type_code": "calendar_month"});
    api.made("entitlements", row).await;
    consume(&api, "acme", 2).await;
    assert_eq!(api.check("acme").await["code"], "limit_reached");
    let grant = api
        .made(
            "grants",
            json!({"account_id": account, "resource_type_code": "api_requests", "quantity": 3}),
        )
        .await;
    assert_eq!(
        (&grant["remaining"], &grant["window_type_code"]),
        (&json!(3), &json!("calendar_month"))
    );
    assert_eq!(api.check("acme").await["decision"], "allow");
    let path = format!("/api/grants?grant_id=eq.{}", id(&grant["grant_id"]));
    patch(
        &api,
        &path,
        json!({"expires_at": "2999-01-01T00:00:00Z", "reason": "a gift"}),
    )
    .await;
    let told = api
        .rows(&format!("{path}&select=expires_at,reason,remaining"))
        .await;
    assert_eq!(
        told,
        json!([{"expires_at": "2999-01-01T00:00:00+00:00", "reason": "a gift", "remaining": 3}])
    );
    let past = api
        .call("PATCH", &path)
        .json(json!({"expires_at": "2020-01-01T00:00:00Z"}))
        .await;
    assert_eq!(past.error(400, "invalid_value")["details"], "expires_at");
    consume(&api, "acme", 3).await;
    assert_eq!(api.check("acme").await["code"], "limit_reached");
}

async fn a_check_sees_a_rule_and_a_new_account_a_template_at_once(api: Api) {
    let account = api.account("acme").await;
    api.limit(account, 0).await;
    assert_eq!(api.check("acme").await["code"], "limit_reached");
    let rule = json!({"rule_name": "mine", "resource_type_code": "api_requests", "limit_kind_code": "cumulative",
                      "limit_action_code": "warn"});
    let rule = id(&api.made("control_rules", rule).await["rule_id"]);
    assert_eq!(api.check("acme").await["code"], "soft_limit");
    let condition = json!({"rule_id": rule, "condition_key": "country", "condition_op": "eq", "condition_value": "DE"});
    api.made("control_rule_conditions", condition).await;
    assert_eq!(api.check("acme").await["code"], "limit_reached");
    assert_eq!(
        api.check_with("acme", json!({"country": "DE"})).await["code"],
        "soft_limit"
    );
    let path = format!("/api/control_rules?rule_id=eq.{rule}");
    patch(&api, &path, json!({"is_active": false})).await;
    assert_eq!(
        api.check_with("acme", json!({"country": "DE"})).await["code"],
        "limit_reached"
    );
    // A rule keeps its conditions where others are put over it.
    assert_eq!(
        api.rows("/api/control_rule_conditions?select=condition_key")
            .await,
        json!([{"condition_key": "country"}])
    );

    let template =
        "/api/plan_entitlement_templates?plan_id=eq.starter&resource_type_code=eq.benchmark_runs";
    patch(&api, template, json!({"quantity_allowed": 7})).await;
    api.app.starter("later").await;
    let asked = json!({"p_external_id": "later", "p_resource_type": "benchmark_runs"});
    assert_eq!(
        api.app.rpc("check_entitlement", asked).await.ok()["quantity_allowed"],
        7
    );
}

async fn who_changed_an_entitlement_is_told(api: Api) {
    use super::support::{claims, sign};
    let account = api.account("acme").await;
    let limit = api.limit(account, 10).await;
    let sally = mec_http::Claims {
        sub: "sally".to_owned(),
        ..claims(mec_http::Role::MecService)
    };
    let path = format!("/api/entitlements?entitlement_id=eq.{limit}");
    let call = api
        .call("PATCH", &path)
        .by(sign(&sally))
        .prefer("return=representation");
    let told = call
        .json(json!({"quantity_allowed": 11, "priority": 2}))
        .await
        .ok();
    assert_eq!(told[0]["version"], 2);
    // Nothing is another, and nothing is audited.
    let call = api
        .call("PATCH", &path)
        .by(sign(&sally))
        .prefer("return=representation");
    assert_eq!(
        call.json(json!({"quantity_allowed": 11})).await.ok()[0]["version"],
        2
    );
    let condition =
        json!({"entitlement_id": limit, "condition_key": "k", "condition_op": "exists"});
    let call = api
        .call("POST", "/api/entitlement_conditions")
        .by(sign(&sally));
    assert_eq!(call.json(condition).await.status.as_u16(), 201);
    let audit = format!(
        "/api/entitlements_audit?entitlement_id=eq.{limit}&order=changed_at,audit_id&select=operation,changed_by,\
         before:old_values-%3Eversion,after:new_values-%3Eversion,quantity:new_values-%3Equantity_allowed"
    );
    let told = api.call("GET", &audit).by(admin()).send("").await.ok();
    assert_eq!(
        told,
        json!([
            {"operation": "INSERT", "changed_by": "tester", "before": null, "after": 1, "quantity": 10},
            {"operation": "UPDATE", "changed_by": "sally", "before": 1, "after": 2, "quantity": 11},
            {"operation": "UPDATE", "changed_by": "sally", "before": 2, "after": 3, "quantity": 11},
        ])
    );
}
