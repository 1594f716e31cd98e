//! Who may write what, and the walls between namespaces.

use mec_core::{Namespace, seed};
use mec_engine::RisingIds;
use mec_http::Role;
use mec_query::schema::{Belongs, RESOURCES};
use mec_store::CatalogueDraft;
use serde_json::{Value, json};

use super::api::{Api, admin, elsewhere, id, of_all, on_both};
use super::support::{service, token, user_of};

on_both!(
    who_may_not_write_is_refused,
    rows_of_another_namespace_are_never_written
);

async fn who_may_not_write_is_refused(api: Api) {
    let account = api.account("acme").await;
    for resource in RESOURCES {
        let Some(least) = resource.writes.least_writer else {
            continue;
        };
        let path = format!("/api/{}", resource.name);
        let verbs = resource.methods();
        for verb in verbs
            .split(',')
            .filter(|verb| ["POST", "PUT", "PATCH", "DELETE"].contains(verb))
        {
            let nobody = api.call(verb, &path).by(String::new()).send("{}").await;
            assert_eq!(
                nobody.header("www-authenticate"),
                Some("Bearer"),
                "{verb} {path}"
            );
            let nobody = nobody.status.as_u16();
            assert_eq!(nobody, 401, "{verb} {path}");
            let mut refused = vec![token(Role::MecAnon), token(Role::MecUser), user_of(account)];
            if least == Role::MecAdmin {
                refused.push(service());
            }
            if resource.belongs == Belongs::All {
                refused.push(admin());
            }
            for caller in refused {
                let answer = api.call(verb, &path).by(caller).send("{}").await;
                answer.error(403, "insufficient_role");
            }
            if resource.belongs == Belongs::All {
                let named = api
                    .call(verb, &path)
                    .by(of_all())
                    .header("mec-namespace", "default");
                named.send("{}").await.error(403, "insufficient_role");
            }
        }
    }
}

async fn rows_of_another_namespace_are_never_written(api: Api) {
    let draft = CatalogueDraft {
        over: None,
        resource_types: seed::resource_types(),
        plans: seed::plans(&mut RisingIds),
        rules: Vec::new(),
    };
    let other = Namespace::parse("other").unwrap();
    api.app.engine.put_catalogue(other, draft).await.unwrap();
    let account = api.account("acme").await;
    let limit = api.limit(account, 5).await;
    let condition =
        json!({"entitlement_id": limit, "condition_key": "k", "condition_op": "exists"});
    api.made("entitlement_conditions", condition.clone()).await;
    api.made(
        "account_external_ids",
        json!({"provider": "stripe", "external_id": "1", "account_id": account}),
    )
    .await;
    let before = everything(&api).await;

    let stranger = || elsewhere(Role::MecService);
    for (resource, body) in [
        ("accounts", json!({"display_name": "mine"})),
        ("entitlements", json!({"quantity_allowed": 9})),
        ("entitlement_conditions", json!({"condition_value": "9"})),
        ("control_rules", json!({"is_active": false})),
    ] {
        let path = format!("/api/{resource}");
        let by = if resource == "control_rules" {
            elsewhere(Role::MecAdmin)
        } else {
            stranger()
        };
        let patched = api
            .call("PATCH", &path)
            .by(by.clone())
            .prefer("count=exact")
            .json(body.clone())
            .await;
        assert_eq!(
            (patched.status.as_u16(), patched.header("content-range")),
            (204, Some("*/0")),
            "{path}"
        );
        let path = format!("{path}?namespace_id=eq.default");
        let patched = api
            .call("PATCH", &path)
            .by(by)
            .prefer("count=exact")
            .json(body)
            .await;
        assert_eq!(
            (patched.status.as_u16(), patched.header("content-range")),
            (204, Some("*/0")),
            "{path}"
        );
    }
    for resource in ["entitlement_conditions", "account_external_ids"] {
        let path = format!("/api/{resource}");
        let gone = api
            .call("DELETE", &path)
            .by(stranger())
            .prefer("count=exact")
            .send("")
            .await;
        assert_eq!(
            (gone.status.as_u16(), gone.header("content-range")),
            (204, Some("*/0")),
            "{path}"
        );
    }
    let plan = api
        .call("DELETE", "/api/plans?plan_id=eq.pro")
        .by(elsewhere(Role::MecAdmin))
        .send("")
        .await;
    assert_eq!(plan.status.as_u16(), 204, "{}", plan.text);
    let limited = json!({"account_id": account, "resource_type_code": "api_requests", "limit_kind_code": "cumulative"});
    api.call("POST", "/api/entitlements")
        .by(stranger())
        .json(limited)
        .await
        .error(404, "account_not_found");
    let refused = api
        .call("POST", "/api/entitlement_conditions")
        .by(stranger())
        .json(condition)
        .await;
    refused.error(404, "entitlement_not_found");
    // Nor is a row written elsewhere than the token says.
    for (resource, row) in [
        (
            "accounts",
            json!({"account_type_code": "team", "namespace_id": "other"}),
        ),
        (
            "plans",
            json!({"plan_id": "gold", "plan_name": "Gold", "namespace_id": "other"}),
        ),
    ] {
        let path = format!("/api/{resource}");
        let refused = api
            .call("POST", &path)
            .by(api.writer(resource))
            .json(row.clone())
            .await;
        assert_eq!(refused.error(403, "42501")["details"], "namespace_id");
        let moved = api
            .call("PATCH", &path)
            .by(api.writer(resource))
            .json(json!({"namespace_id": "other"}))
            .await;
        moved.error(403, "42501");
    }
    assert_eq!(everything(&api).await, before);
    // The same ids may be those of rows here and there.
    let same = json!({"account_id": account, "account_type_code": "team", "external_id": "acme", "namespace_id": "other"});
    let merge = "/api/accounts?on_conflict=external_id";
    let call = api
        .call("POST", merge)
        .by(stranger())
        .prefer("resolution=merge-duplicates, return=representation");
    let made = call.json(same).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    assert_eq!(id(&made.json()[0]["account_id"]), account);
    assert_eq!(everything(&api).await, before);
    let own = json!({"account_type_code": "team", "namespace_id": "default"});
    assert_eq!(api.made("accounts", own).await["namespace_id"], "default");
}

/// All rows of the namespace `default` that can be written.
async fn everything(api: &Api) -> Vec<Value> {
    let mut all = Vec::new();
    for resource in RESOURCES
        .iter()
        .filter(|row| row.writes.least_writer.is_some())
    {
        all.push(
            api.rows(&format!(
                "/api/{}?order={}",
                resource.name,
                resource.key.join(",")
            ))
            .await,
        );
    }
    all
}
