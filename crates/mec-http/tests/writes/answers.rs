//! What is answered: statuses, rows, counts, places, preferences, and what they keep from being written.

use serde_json::{Value, json};

use super::api::{Api, admin, on_both, told};

on_both!(
    answers_say_what_was_asked_for,
    what_is_undone_is_told_and_leaves_nothing,
    no_more_rows_change_than_the_client_reckons_with,
    one_object_or_nothing_is_written,
    what_cannot_be_told_is_not_written,
    unknown_preferences_are_refused_where_strict
);

const ROWS: &str = "return=representation";

fn team(external_id: &str) -> Value {
    json!({"account_type_code": "team", "external_id": external_id})
}

async fn count(api: &Api, path: &str) -> usize {
    api.rows(path).await.as_array().unwrap().len()
}

async fn answers_say_what_was_asked_for(api: Api) {
    let path = "/api/accounts";
    let id = "00000000-0000-0000-0000-0000000000ab";
    let mut row = team("a");
    row["account_id"] = json!(id);
    let made = api
        .call("POST", path)
        .prefer("return=headers-only")
        .json(row)
        .await;
    let location = format!("/api/accounts?account_id=eq.{id}");
    assert_eq!(
        (told(&made), made.text.as_str()),
        ((201, "*/*", "return=headers-only", location.as_str()), "")
    );
    assert_eq!(made.header("content-type"), None);
    let made = api
        .call("POST", path)
        .prefer("return=minimal,count=exact")
        .json(json!([team("b"), team("c")]))
        .await;
    assert_eq!(
        (told(&made), made.text.as_str()),
        ((201, "*/2", "return=minimal, count=exact", ""), "")
    );
    let path =
        "/api/accounts?select=id:external_id,type:account_types(description)&external_id=in.(a,b)";
    let patched = api
        .call("PATCH", path)
        .prefer(ROWS)
        .prefer("count=exact")
        .json(json!({"email": "x"}))
        .await;
    assert_eq!(
        told(&patched),
        (200, "0-1/2", "return=representation, count=exact", "")
    );
    let mut rows = patched.ok().as_array().unwrap().clone();
    rows.sort_by_key(Value::to_string);
    let kind = json!({"description": "A part of a company"});
    assert_eq!(
        rows,
        [
            json!({"id": "a", "type": kind}),
            json!({"id": "b", "type": kind})
        ]
    );
    let nobody = "/api/accounts?external_id=eq.z";
    let patched = api
        .call("PATCH", nobody)
        .prefer("count=exact")
        .json(json!({"email": "x"}))
        .await;
    assert_eq!(told(&patched), (204, "*/0", "count=exact", ""));
    let patched = api
        .call("PATCH", nobody)
        .prefer(ROWS)
        .json(json!({"email": "x"}))
        .await;
    assert_eq!(
        (told(&patched), patched.text.as_str()),
        ((200, "*/*", "return=representation", ""), "[]")
    );

    let rows = json!([{"provider": "stripe", "external_id": "1", "account_id": id}, {"provider": "auth0", "external_id": "1", "account_id": id}]);
    let made = api
        .call("POST", "/api/account_external_ids")
        .json(rows)
        .await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let path = "/api/account_external_ids?provider=eq.stripe&select=external_id";
    let gone = api
        .call("DELETE", path)
        .prefer(ROWS)
        .prefer("count=exact")
        .send("")
        .await;
    assert_eq!(
        told(&gone),
        (200, "*/1", "return=representation, count=exact", "")
    );
    assert_eq!(gone.json(), json!([{"external_id": "1"}]));
    let gone = api
        .call("DELETE", path)
        .prefer("count=exact")
        .send("")
        .await;
    assert_eq!(
        (told(&gone), gone.text.as_str()),
        ((204, "*/0", "count=exact", ""), "")
    );
    let gone = api.call("DELETE", path).prefer(ROWS).send("").await;
    assert_eq!(
        (told(&gone), gone.text.as_str()),
        ((200, "*/*", "return=representation", ""), "[]")
    );
    let csv = api
        .call("POST", "/api/accounts?select=external_id,email")
        .prefer(ROWS)
        .header("accept", "text/csv")
        .json(team("d"))
        .await;
    assert_eq!(
        (csv.status.as_u16(), csv.text.as_str()),
        (201, "external_id,email\nd,")
    );
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
}

async fn what_is_undone_is_told_and_leaves_nothing(api: Api) {
    const UNDONE: &str = "tx=rollback, return=representation";
    const APPLIED: &str = "return=representation, tx=rollback";
    let account = api.account("acme").await;
    let limit = api.limit(account, 5).await;
    let condition =
        json!({"entitlement_id": limit, "condition_key": "k", "condition_op": "exists"});
    api.made("entitlement_conditions", condition.clone()).await;
    api.app.starter("starter").await;
    let key = json!({"provider": "stripe", "external_id": "1", "account_id": account});
    api.made("account_external_ids", key).await;
    let mut other = condition;
    other["condition_key"] = json!("other");
    let cases = [
        (
            "POST",
            "accounts",
            "select=external_id",
            team("x"),
            201,
            json!([{"external_id": "x"}]),
        ),
        (
            "POST",
            "grants",
            "select=quantity",
            json!({"account_id": account, "resource_type_code": "api_requests", "quantity": 5, "window_type_code": "none"}),
            201,
            json!([{"quantity": 5}]),
        ),
        (
            "POST",
            "plans",
            "select=plan_id,status",
            json!({"plan_id": "gold", "plan_name": "Gold"}),
            201,
            json!([{"plan_id": "gold", "status": "active"}]),
        ),
        (
            "POST",
            "units",
            "select=unit_code,scale",
            json!({"unit_code": "pages", "unit_category": "pages"}),
            201,
            json!([{"unit_code": "pages", "scale": 0}]),
        ),
        (
            "POST",
            "entitlement_conditions",
            "select=condition_key",
            other,
            201,
            json!([{"condition_key": "other"}]),
        ),
        (
            "PATCH",
            "accounts",
            "external_id=eq.acme&select=email",
            json!({"email": "x"}),
            200,
            json!([{"email": "x"}]),
        ),
        (
            "PATCH",
            "entitlements",
            "account_id=not.is.null&quantity_allowed=eq.5&select=version",
            json!({"priority": 3}),
            200,
            // Its condition was the second.
            json!([{"version": 3}]),
        ),
        (
            "PATCH",
            "plans",
            "plan_id=eq.pro&select=plan_name",
            json!({"plan_name": "P"}),
            200,
            json!([{"plan_name": "P"}]),
        ),
        (
            "PATCH",
            "window_types",
            "window_type_code=eq.none&select=description",
            json!({"description": "?"}),
            200,
            json!([{"description": "?"}]),
        ),
        (
            "DELETE",
            "entitlement_conditions",
            "select=condition_key",
            Value::Null,
            200,
            json!([{"condition_key": "k"}]),
        ),
        (
            "DELETE",
            "account_external_ids",
            "select=external_id",
            Value::Null,
            200,
            json!([{"external_id": "1"}]),
        ),
        (
            "DELETE",
            "plans",
            "plan_id=eq.pro&select=plan_name",
            Value::Null,
            200,
            json!([{"plan_name": "Pro"}]),
        ),
    ];
    for (verb, resource, query, body, status, expected) in cases {
        let all = format!("/api/{resource}");
        let before = sorted(api.rows(&all).await);
        let path = format!("{all}?{query}");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let call = api
            .call(verb, &path)
            .by(api.writer(resource))
            .prefer(UNDONE);
        let undone = call.send(&body).await;
        let range = if verb == "PATCH" { "0-0/*" } else { "*/*" };
        assert_eq!(
            told(&undone),
            (status, range, APPLIED, ""),
            "{verb} {path}: {}",
            undone.text
        );
        assert_eq!(undone.json(), expected, "{verb} {path}");
        assert_eq!(sorted(api.rows(&all).await), before, "{verb} {path}");
    }
    assert_eq!(
        count(
            &api,
            "/api/entitlements_audit?operation=eq.UPDATE&entitlement_id=not.is.null&limit=9"
        )
        .await,
        1
    );
    assert_eq!(api.check("acme").await["quantity_allowed"], Value::Null);
    // What is refused is refused, undone or not.
    let refused = api
        .call("DELETE", "/api/plans?plan_id=eq.starter")
        .by(admin())
        .prefer(UNDONE)
        .send("")
        .await;
    refused.error(409, "23503");
    let refused = api
        .call("POST", "/api/accounts")
        .prefer(UNDONE)
        .json(team("acme"))
        .await;
    refused.error(409, "already_exists");
}

fn sorted(rows: Value) -> Vec<String> {
    let mut rows: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    rows.sort();
    rows
}

async fn no_more_rows_change_than_the_client_reckons_with(api: Api) {
    for name in ["a", "b", "c"] {
        let account = api.account(name).await;
        let key = json!({"provider": "stripe", "external_id": name, "account_id": account});
        api.made("account_external_ids", key).await;
    }
    let email = json!({"email": "x@y"});
    let call = |verb, path| {
        api.call(verb, path)
            .prefer("handling=strict, max-affected=2")
    };
    let refused = call("PATCH", "/api/accounts").json(email.clone()).await;
    assert_eq!(
        refused.error(400, "PGRST124")["details"],
        "The query affects 3 rows"
    );
    let refused = call("DELETE", "/api/account_external_ids").send("").await;
    refused.error(400, "PGRST124");
    assert_eq!(count(&api, "/api/accounts?email=is.null").await, 3);
    assert_eq!(count(&api, "/api/account_external_ids").await, 3);
    let refused = api
        .call("PATCH", "/api/plans")
        .by(admin())
        .prefer("handling=strict, max-affected=3")
        .json(json!({"plan_name": "x"}))
        .await;
    refused.error(400, "PGRST124");
    assert_eq!(count(&api, "/api/plans?plan_name=eq.x").await, 0);
    let done = call("PATCH", "/api/accounts?external_id=neq.c")
        .json(email.clone())
        .await;
    assert_eq!(
        told(&done),
        (204, "0-1/*", "handling=strict, max-affected=2", "")
    );
    // Who does not ask to be held to it is not.
    let done = api
        .call("PATCH", "/api/accounts")
        .prefer("max-affected=2")
        .json(email)
        .await;
    assert_eq!(told(&done), (204, "0-2/*", "", ""));
}

async fn one_object_or_nothing_is_written(api: Api) {
    let path = "/api/accounts?select=external_id";
    let made = api
        .call("POST", path)
        .prefer(ROWS)
        .object()
        .json(team("a"))
        .await;
    assert_eq!(
        (made.status.as_u16(), made.json()),
        (201, json!({"external_id": "a"}))
    );
    assert_eq!(
        made.header("content-type"),
        Some("application/vnd.pgrst.object+json")
    );
    let refused = |answer: super::support::Answer, rows: usize| {
        let details = answer.error(406, "PGRST116")["details"].clone();
        assert_eq!(details, format!("The result contains {rows} rows"));
    };
    refused(
        api.call("POST", path)
            .prefer(ROWS)
            .object()
            .json(json!([team("b"), team("c")]))
            .await,
        2,
    );
    refused(
        api.call("POST", path)
            .prefer(ROWS)
            .object()
            .json(json!([]))
            .await,
        0,
    );
    assert_eq!(count(&api, path).await, 1);
    api.account("b").await;
    let email = json!({"email": "x@y"});
    refused(
        api.call("PATCH", path)
            .prefer(ROWS)
            .object()
            .json(email.clone())
            .await,
        2,
    );
    refused(
        api.call("PATCH", &format!("{path}&external_id=eq.z"))
            .prefer(ROWS)
            .object()
            .json(email.clone())
            .await,
        0,
    );
    assert_eq!(count(&api, "/api/accounts?email=not.is.null").await, 0);
    let plans = "/api/plans?plan_id=in.(pro,enterprise)";
    refused(
        api.call("DELETE", plans)
            .by(admin())
            .prefer(ROWS)
            .object()
            .send("")
            .await,
        2,
    );
    refused(
        api.call("PATCH", plans)
            .by(admin())
            .prefer(ROWS)
            .object()
            .json(json!({"plan_name": "x"}))
            .await,
        2,
    );
    assert_eq!(
        api.rows("/api/plans?select=plan_name&plan_id=eq.pro").await,
        json!([{"plan_name": "Pro"}])
    );
    // Without rows in the answer there is no object to be had.
    let done = api.call("PATCH", path).object().json(email).await;
    assert_eq!(told(&done), (204, "0-1/*", "", ""));
}

async fn what_cannot_be_told_is_not_written(api: Api) {
    let call = |path| api.call("POST", path).prefer(ROWS).json(team("a"));
    call("/api/accounts?select=nothing")
        .await
        .error(400, "42703");
    call("/api/accounts?select=*,nothing(*)")
        .await
        .error(400, "PGRST200");
    let refused = api
        .call("POST", "/api/accounts")
        .prefer(ROWS)
        .header("accept", "image/png")
        .json(team("a"))
        .await;
    refused.error(406, "PGRST107");
    assert_eq!(count(&api, "/api/accounts").await, 0);
    let path = "/api/plans?select=nothing&plan_id=eq.pro";
    api.call("DELETE", path)
        .by(admin())
        .prefer(ROWS)
        .send("")
        .await
        .error(400, "42703");
    api.call("PATCH", path)
        .by(admin())
        .prefer(ROWS)
        .json(json!({"plan_name": "x"}))
        .await
        .error(400, "42703");
    assert_eq!(
        api.rows("/api/plans?select=plan_name&plan_id=eq.pro").await,
        json!([{"plan_name": "Pro"}])
    );
}

async fn unknown_preferences_are_refused_where_strict(api: Api) {
    let refused = api
        .call("POST", "/api/accounts")
        .prefer("handling=strict, speed=light")
        .json(team("a"))
        .await;
    assert_eq!(
        refused.error(400, "PGRST122")["details"],
        "Invalid preferences: speed=light"
    );
    assert_eq!(count(&api, "/api/accounts").await, 0);
    let made = api
        .call("POST", "/api/accounts")
        .prefer("handling=lenient, speed=light, timezone=Europe/Berlin")
        .json(team("a"))
        .await;
    assert_eq!(made.status.as_u16(), 201);
    assert_eq!(
        made.header("preference-applied"),
        Some("handling=lenient, timezone=Europe/Berlin")
    );
}
