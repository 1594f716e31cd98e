//! What is in use stays, and is what it is.

use serde_json::json;

use super::api::{Api, admin, of_all, on_both};

on_both!(
    what_is_in_use_is_not_deleted,
    a_row_keeps_what_others_go_by,
    what_hangs_on_a_row_of_the_catalogue_stays
);

async fn what_is_in_use_is_not_deleted(api: Api) {
    let account = api.account("acme").await;
    let mine = json!({"resource_type_code": "pages", "default_unit_code": "count"});
    api.made("resource_types", mine).await;
    let row = json!({"account_id": account, "resource_type_code": "pages", "limit_kind_code": "cumulative", "quantity_allowed": 5});
    api.made("entitlements", row).await;
    let held = api
        .app
        .rpc(
            "provision_plan",
            json!({"p_account_id": account, "p_plan_id": "pro"}),
        )
        .await;
    assert_eq!(held.status.as_u16(), 200, "{}", held.text);
    for (path, by) in [
        // By an account, by a plan, and by a rule.
        ("/api/resource_types?resource_type_code=eq.pages", admin()),
        (
            "/api/resource_types?resource_type_code=eq.server_instances",
            admin(),
        ),
        (
            "/api/resource_types?resource_type_code=in.(gpu_hours,llm_tokens)",
            admin(),
        ),
        (
            "/api/resource_type_allowed_units?resource_type_code=eq.pages",
            admin(),
        ),
        ("/api/plans?plan_id=eq.pro", admin()),
        ("/api/plans", admin()),
        ("/api/units?unit_code=eq.requests", of_all()),
        ("/api/units?unit_code=eq.minutes", of_all()),
        ("/api/window_types?window_type_code=eq.none", of_all()),
        (
            "/api/account_types?account_type_code=eq.organization",
            of_all(),
        ),
    ] {
        let resource = path.split(['/', '?']).nth(2).unwrap();
        let all = format!("/api/{resource}");
        let before = api.rows(&all).await;
        let refused = api.call("DELETE", path).by(by).send("").await;
        assert_eq!(refused.status.as_u16(), 409, "{path}: {}", refused.text);
        refused.error(409, "23503");
        assert_eq!(api.rows(&all).await, before, "{path}");
    }
    // What accounts have counted by stays what it is, too.
    let path = "/api/resource_types?resource_type_code=eq.pages";
    let refused = api.call("PATCH", path).by(admin());
    let refused = refused.json(json!({"is_inventory": true})).await;
    refused.error(409, "23503");
    let free = api
        .call(
            "DELETE",
            "/api/resource_types?resource_type_code=eq.llm_tokens",
        )
        .by(admin())
        .send("")
        .await;
    assert_eq!(free.status.as_u16(), 204, "{}", free.text);
    let free = api
        .call("DELETE", "/api/plans?plan_id=eq.enterprise")
        .by(admin())
        .send("")
        .await;
    assert_eq!(free.status.as_u16(), 204, "{}", free.text);
}

async fn a_row_keeps_what_others_go_by(api: Api) {
    let account = api.account("acme").await;
    let limits = [api.limit(account, 1).await, api.limit(account, 2).await];
    for limit in limits {
        let row =
            json!({"entitlement_id": limit, "condition_key": limit, "condition_op": "exists"});
        api.made("entitlement_conditions", row).await;
    }
    let path = "/api/entitlement_conditions?order=condition_key";
    let before = api.rows(path).await;
    let moved = api
        .call("PATCH", path)
        .json(json!({"entitlement_id": limits[1]}))
        .await;
    assert_eq!(
        moved.error(422, "column_is_fixed")["details"],
        "entitlement_id"
    );
    assert_eq!(api.rows(path).await, before);
    for (path, body, by) in [
        (
            "/api/plans?plan_id=eq.pro",
            json!({"plan_id": "professional"}),
            admin(),
        ),
        (
            "/api/resource_types?resource_type_code=eq.llm_tokens",
            json!({"resource_type_code": "words"}),
            admin(),
        ),
        (
            "/api/units?unit_code=eq.bytes",
            json!({"unit_code": "octets"}),
            of_all(),
        ),
    ] {
        let refused = api.call("PATCH", path).by(by).json(body).await;
        refused.error(422, "column_is_fixed");
    }
    // The same again is no change.
    let same = api
        .call("PATCH", "/api/plans?plan_id=eq.pro")
        .by(admin())
        .json(json!({"plan_id": "pro", "plan_name": "P"}))
        .await;
    assert_eq!(same.status.as_u16(), 204, "{}", same.text);
}

async fn what_hangs_on_a_row_of_the_catalogue_stays(api: Api) {
    let templates = "/api/plan_entitlement_templates?order=template_id";
    let units = "/api/resource_type_allowed_units?order=resource_type_code,unit_code";
    let before = (api.rows(templates).await, api.rows(units).await);
    for (path, body) in [
        ("/api/plans", json!({"description": "other"})),
        ("/api/resource_types", json!({"description": "other"})),
    ] {
        let patched = api.call("PATCH", path).by(admin()).json(body).await;
        assert_eq!(patched.status.as_u16(), 204, "{}", patched.text);
    }
    assert_eq!((api.rows(templates).await, api.rows(units).await), before);
    // A plan goes with its templates, a resource type with its units.
    for path in [
        "/api/plans?plan_id=eq.pro",
        "/api/resource_types?resource_type_code=eq.llm_tokens",
    ] {
        let gone = api.call("DELETE", path).by(admin()).send("").await;
        assert_eq!(gone.status.as_u16(), 204, "{}", gone.text);
    }
    assert_eq!(
        api.rows("/api/plan_entitlement_templates?plan_id=eq.pro")
            .await,
        json!([])
    );
    assert_eq!(
        api.rows("/api/resource_type_allowed_units?resource_type_code=eq.llm_tokens")
            .await,
        json!([])
    );
}
