//! What bodies may hold: JSON, CSV and forms, their columns and values.

use serde_json::{Value, json};

use super::api::{Api, admin, on_both, requests, told};

on_both!(
    empty_bodies_write_nothing,
    values_of_another_type_are_named,
    csv_and_forms_are_rows,
    columns_say_which_are_meant,
    quantities_are_exact,
    a_thousand_rows_are_one_write
);

async fn empty_bodies_write_nothing(api: Api) {
    let none = api.call("POST", "/api/accounts").send("[]").await;
    assert_eq!(
        (told(&none), none.text.as_str()),
        ((201, "*/*", "", ""), "")
    );
    let none = api
        .call("POST", "/api/accounts")
        .prefer("return=representation, count=exact")
        .send("[]")
        .await;
    assert_eq!(
        told(&none),
        (201, "*/0", "return=representation, count=exact", "")
    );
    assert_eq!(none.json(), json!([]));
    let account = api.account("acme").await;
    let path = format!("/api/accounts?account_id=eq.{account}");
    let before = api.rows(&path).await;
    for body in ["{}", "[]", "[{}]"] {
        let none = api.call("PATCH", &path).send(body).await;
        assert_eq!(
            (told(&none), none.text.as_str()),
            ((204, "*/*", "", ""), ""),
            "{body}"
        );
    }
    let none = api
        .call("PATCH", &path)
        .prefer("return=representation")
        .send("{}")
        .await
        .ok();
    assert_eq!(none, json!([]));
    assert_eq!(api.rows(&path).await, before);
    api.call("POST", "/api/accounts")
        .send("{}")
        .await
        .error(400, "missing_field");
}

async fn values_of_another_type_are_named(api: Api) {
    for (resource, row, code, named) in [
        (
            "accounts",
            json!({"account_type_code": 5}),
            "invalid_value",
            "account_type_code",
        ),
        (
            "accounts",
            json!({"account_id": "x", "account_type_code": "team"}),
            "invalid_value",
            "account_id",
        ),
        (
            "accounts",
            json!({"account_type_code": ["team"]}),
            "invalid_value",
            "account_type_code",
        ),
        (
            "accounts",
            json!({"account_type_code": "team", "metadata": [1]}),
            "invalid_value",
            "metadata",
        ),
        (
            "accounts",
            json!({"account_type_code": "team", "name": "x"}),
            "PGRST204",
            "name",
        ),
        (
            "entitlements",
            json!({"quantity_allowed": true}),
            "invalid_value",
            "quantity_allowed",
        ),
        (
            "entitlements",
            json!({"priority": 1.5}),
            "invalid_value",
            "priority",
        ),
        (
            "entitlements",
            json!({"effective_start": "yesterday"}),
            "invalid_value",
            "effective_start",
        ),
        (
            "entitlements",
            json!({"effective_start": 0}),
            "invalid_value",
            "effective_start",
        ),
        (
            "plans",
            json!({"plan_id": "x", "plan_name": "X", "is_trial": 1}),
            "invalid_value",
            "is_trial",
        ),
        (
            "plans",
            json!({"plan_id": "", "plan_name": "X"}),
            "invalid_value",
            "plan_id",
        ),
        (
            "units",
            json!({"unit_code": "x", "unit_category": "x", "scale": "two"}),
            "invalid_value",
            "scale",
        ),
    ] {
        let path = format!("/api/{resource}");
        let refused = api
            .call("POST", &path)
            .by(api.writer(resource))
            .json(row.clone())
            .await;
        assert_eq!(refused.error(400, code)["details"], named, "{row}");
    }
    for (body, code) in [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("[1]", "invalid_json"),
        ("\"a\"", "invalid_json"),
        ("null", "invalid_json"),
        ("[{}]]", "invalid_json"),
        (r#"{"email":"a","email":"b"}"#, "duplicate_key"),
        (r#"[{"email":"a"},{"display_name":"b"}]"#, "PGRST102"),
        (
            r#"[{"email":"a"},{"email":"b","display_name":"b"}]"#,
            "PGRST102",
        ),
    ] {
        let refused = api.call("POST", "/api/accounts").send(body).await;
        assert_eq!(refused.json()["code"], code, "{body}");
        assert_eq!(refused.status.as_u16(), 400, "{body}");
    }
    let refused = api
        .call("POST", "/api/accounts")
        .header("content-type", "text/xml")
        .send("<a/>")
        .await;
    refused.error(415, "unsupported_media_type");
    assert_eq!(api.rows("/api/accounts").await, json!([]));
}

async fn csv_and_forms_are_rows(api: Api) {
    let body = "account_type_code,external_id,display_name,email\r\n\
                team,a,\"Acme, \"\"the\"\" Inc of \u{e9}\",NULL\r\n\
                organization,b,,x@y\r\n";
    let made = api
        .call("POST", "/api/accounts")
        .prefer("count=exact")
        .csv(body)
        .await;
    assert_eq!(
        (told(&made), made.text.as_str()),
        ((201, "*/2", "count=exact", ""), "")
    );
    let form = "account_type_code=user&external_id=c&display_name=A+%26+B";
    let made = api.call("POST", "/api/accounts").form(form).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let path = "/api/accounts?select=account_type_code,display_name,email&order=external_id";
    let expected = json!([
        {"account_type_code": "team", "display_name": "Acme, \"the\" Inc of \u{e9}", "email": null},
        {"account_type_code": "organization", "display_name": "", "email": "x@y"},
        {"account_type_code": "user", "display_name": "A & B", "email": null},
    ]);
    assert_eq!(api.rows(path).await, expected);
    let patched = api
        .call("PATCH", "/api/accounts?external_id=eq.c")
        .form("display_name=C")
        .await;
    assert_eq!(patched.status.as_u16(), 204, "{}", patched.text);
    for (body, code) in [
        ("account_type_code,external_id\nteam\n", "PGRST102"),
        ("account_type_code,nothing\nteam,x\n", "PGRST204"),
        ("account_type_code,account_id\nteam,x\n", "invalid_value"),
    ] {
        api.call("POST", "/api/accounts")
            .csv(body)
            .await
            .error(400, code);
    }
    api.call("POST", "/api/accounts")
        .form("nothing=x")
        .await
        .error(400, "PGRST204");
    let plans = "plan_id,plan_name,is_trial,trial_days,description\ngold,Gold,true,30,\"a\nb\"\nsilver,Silver,false,NULL,\n";
    let made = api.call("POST", "/api/plans").by(admin()).csv(plans).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let rows = api
        .rows("/api/plans?select=is_trial,trial_days&plan_id=in.(gold,silver)&order=plan_id")
        .await;
    assert_eq!(
        rows,
        json!([{"is_trial": true, "trial_days": 30}, {"is_trial": false, "trial_days": null}])
    );
}

async fn columns_say_which_are_meant(api: Api) {
    let body = json!([
        {"account_type_code": "team", "external_id": "a", "extra": 1, "email": "left@out"},
        {"account_type_code": "team", "display_name": "B"},
    ]);
    let path = "/api/accounts?columns=\"external_id\",\"account_type_code\",\"display_name\"";
    let path = path.replace('"', "%22");
    let made = api
        .call("POST", &path)
        .prefer("missing=default")
        .json(body.clone())
        .await;
    assert_eq!(
        (told(&made), made.text.as_str()),
        ((201, "*/*", "missing=default", ""), "")
    );
    let rows = api
        .rows("/api/accounts?select=external_id,display_name,email,status&order=external_id")
        .await;
    let expected = json!([
        {"external_id": "a", "display_name": null, "email": null, "status": "active"},
        {"external_id": null, "display_name": "B", "email": null, "status": "active"},
    ]);
    assert_eq!(rows, expected);
    let refused = api
        .call("POST", "/api/accounts?columns=account_type_code,name")
        .json(body)
        .await;
    assert_eq!(refused.error(400, "PGRST204")["details"], "name");
    let path = "/api/accounts?columns=email&external_id=eq.a";
    let patched = api
        .call("PATCH", path)
        .json(json!({"email": "a@b", "display_name": "left out"}))
        .await;
    assert_eq!(patched.status.as_u16(), 204, "{}", patched.text);
    let rows = api
        .rows("/api/accounts?select=email,display_name&external_id=eq.a")
        .await;
    assert_eq!(rows, json!([{"email": "a@b", "display_name": null}]));
}

async fn quantities_are_exact(api: Api) {
    let account = api.account("acme").await;
    let hours = |quantity: &str| {
        format!(
            r#"{{"account_id":"{account}","resource_type_code":"gpu_hours","limit_kind_code":"cumulative","quantity_allowed":{quantity},"unit_code":"minutes"}}"#
        )
    };
    for (sent, told) in [
        ("999999999999.999999", "999999999999.999999"),
        ("\"0.000001\"", "0.000001"),
        ("1e-6", "0.000001"),
        ("0", "0"),
        ("12.500000", "12.5"),
    ] {
        let path = "/api/entitlements?select=quantity_allowed";
        let made = api
            .call("POST", path)
            .prefer("return=representation")
            .send(&hours(sent))
            .await;
        assert_eq!(made.status.as_u16(), 201, "{sent}: {}", made.text);
        assert_eq!(
            made.text,
            format!("[{{\"quantity_allowed\":{told}}}]"),
            "{sent}"
        );
    }
    for sent in ["0.0000001", "\"0.0000001\"", "1000000000000", "-1", "1e-7"] {
        let refused = api
            .call("POST", "/api/entitlements")
            .send(&hours(sent))
            .await;
        assert_eq!(refused.status.as_u16(), 400, "{sent}: {}", refused.text);
        assert_eq!(refused.json()["details"], "quantity_allowed", "{sent}");
        let refused = api
            .call("PATCH", "/api/entitlements")
            .send(&format!("{{\"quantity_allowed\":{sent}}}"))
            .await;
        assert_eq!(refused.status.as_u16(), 400, "{sent}: {}", refused.text);
    }
    let refused = api
        .call("POST", "/api/entitlements")
        .json(requests(account, json!(0.000001)))
        .await;
    refused.error(400, "too_many_decimals");
}

async fn a_thousand_rows_are_one_write(api: Api) {
    let rows = |count: usize| -> Value {
        let row = |n: usize| json!({"account_type_code": "team", "external_id": format!("n{n}")});
        (0..count).map(row).collect()
    };
    let refused = api.call("POST", "/api/accounts").json(rows(1_001)).await;
    refused.error(400, "too_many_items");
    assert_eq!(api.rows("/api/accounts").await, json!([]));
    let made = api
        .call("POST", "/api/accounts")
        .prefer("count=exact")
        .json(rows(1_000))
        .await;
    assert_eq!(told(&made), (201, "*/1000", "count=exact", ""));
    api.account("one more").await;
    // So many are not changed by a slip.
    let refused = api
        .call("PATCH", "/api/accounts")
        .json(json!({"email": "a@b"}))
        .await;
    refused.error(400, "too_many_items");
    assert_eq!(api.rows("/api/accounts?email=not.is.null").await, json!([]));
    let some = api
        .call("PATCH", "/api/accounts?external_id=like.n*")
        .prefer("count=exact")
        .json(json!({"email": "a@b"}))
        .await;
    assert_eq!(told(&some), (204, "0-999/1000", "count=exact", ""));
}
