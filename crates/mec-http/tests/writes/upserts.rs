//! Upserts: merging and ignoring by key and by another column, and PUT.

use serde_json::{Value, json};

use super::api::{Api, admin, id, of_all, on_both, requests, told};

on_both!(
    accounts_merge_and_ignore_by_external_id,
    entitlements_merge_by_key_and_nothing_else,
    the_same_row_twice_is_merged_never_and_ignored_once,
    the_catalogue_and_lookups_merge_and_ignore,
    conditions_merge_and_ignore,
    put_makes_a_row_or_takes_its_place
);

const MERGE: &str = "resolution=merge-duplicates";
const IGNORE: &str = "resolution=ignore-duplicates";
const ROWS: &str = "return=representation";

fn row(external_id: Value, name: &str) -> Value {
    json!({"account_type_code": "organization", "external_id": external_id, "display_name": name})
}

async fn names(api: &Api) -> Value {
    api.rows("/api/accounts?select=external_id,display_name&order=external_id,display_name")
        .await
}

async fn accounts_merge_and_ignore_by_external_id(api: Api) {
    let path = "/api/accounts?on_conflict=external_id&select=external_id,display_name";
    let first = id(&api.made("accounts", row(json!("a"), "A")).await["account_id"]);
    let body = json!([
        row(json!("a"), "A2"),
        row(json!("b"), "B"),
        row(Value::Null, "N")
    ]);
    let merged = api
        .call("POST", path)
        .prefer(MERGE)
        .prefer(ROWS)
        .json(body.clone())
        .await;
    assert_eq!(
        told(&merged),
        (
            201,
            "*/*",
            "resolution=merge-duplicates, return=representation",
            ""
        )
    );
    let mut rows = merged.json().as_array().unwrap().clone();
    rows.sort_by_key(|row| row["display_name"].to_string());
    let expected = [
        json!({"external_id": "a", "display_name": "A2"}),
        json!({"external_id": "b", "display_name": "B"}),
        json!({"external_id": null, "display_name": "N"}),
    ];
    assert_eq!(rows, expected);
    assert_eq!(
        id(&api.rows("/api/accounts?external_id=eq.a").await[0]["account_id"]),
        first
    );
    // Null is like nothing, so that there is one more of it.
    let ignored = api
        .call("POST", path)
        .prefer(IGNORE)
        .prefer(ROWS)
        .json(body)
        .await;
    let (status, range, applied, location) = told(&ignored);
    let expected = "resolution=ignore-duplicates, return=representation";
    assert_eq!((status, range, applied), (201, "*/*", expected));
    assert!(location.starts_with("/api/accounts?account_id=eq."));
    assert_eq!(
        ignored.json(),
        json!([{"external_id": null, "display_name": "N"}])
    );
    let body = json!([row(json!("a"), "A3"), row(json!("b"), "B3")]);
    let merged = api
        .call("POST", path)
        .prefer(MERGE)
        .json(body.clone())
        .await;
    assert_eq!(
        (told(&merged), merged.text.as_str()),
        ((200, "*/*", "resolution=merge-duplicates", ""), "")
    );
    let ignored = api
        .call("POST", path)
        .prefer(IGNORE)
        .prefer(ROWS)
        .json(body)
        .await;
    assert_eq!((ignored.status.as_u16(), ignored.json()), (201, json!([])));
    let expected = json!([
        {"external_id": "a", "display_name": "A3"}, {"external_id": "b", "display_name": "B3"},
        {"external_id": null, "display_name": "N"}, {"external_id": null, "display_name": "N"},
    ]);
    assert_eq!(names(&api).await, expected);
    // Without a preference a row that is there is a conflict.
    let refused = api.call("POST", path).json(row(json!("a"), "A4")).await;
    refused.error(409, "already_exists");
    for columns in ["email", "external_id,email", "account_id,external_id"] {
        let path = format!("/api/accounts?on_conflict={columns}");
        let refused = api
            .call("POST", &path)
            .prefer(MERGE)
            .json(row(json!("a"), "A4"))
            .await;
        assert_eq!(
            refused.error(400, "42P10")["details"],
            columns.replace(',', ", ")
        );
    }
    let refused = api
        .call("POST", "/api/accounts?on_conflict=name")
        .prefer(MERGE)
        .json(row(json!("a"), "A4"))
        .await;
    refused.error(400, "PGRST204");
}

async fn entitlements_merge_by_key_and_nothing_else(api: Api) {
    let account = api.account("acme").await;
    let limit = api.limit(account, 1).await;
    let mut rows = [requests(account, json!(2)), requests(account, json!(3))];
    rows[0]["entitlement_id"] = json!(limit);
    rows[1]["entitlement_id"] = json!("00000000-0000-0000-0000-0000000000e2");
    let call = api
        .call("POST", "/api/entitlements")
        .prefer(MERGE)
        .prefer("count=exact");
    let merged = call.json(json!(rows)).await;
    assert_eq!(
        told(&merged),
        (201, "*/2", "resolution=merge-duplicates, count=exact", "")
    );
    let rows = api
        .rows("/api/entitlements?select=quantity_allowed,version&order=quantity_allowed")
        .await;
    assert_eq!(
        rows,
        json!([{"quantity_allowed": 2, "version": 2}, {"quantity_allowed": 3, "version": 1}])
    );
}

async fn the_same_row_twice_is_merged_never_and_ignored_once(api: Api) {
    let plan = |name: &str| json!({"plan_id": "gold", "plan_name": name});
    for (path, rows) in [
        (
            "/api/accounts?on_conflict=external_id",
            json!([row(json!("a"), "1"), row(json!("a"), "2")]),
        ),
        ("/api/plans", json!([plan("1"), plan("2")])),
    ] {
        let resource = path.split(['/', '?']).nth(2).unwrap();
        let call = || api.call("POST", path).by(api.writer(resource));
        let refused = call().prefer(MERGE).json(rows.clone()).await;
        refused.error(409, "already_exists");
        let ignored = call()
            .prefer(IGNORE)
            .prefer("count=exact")
            .json(rows.clone())
            .await;
        assert_eq!(ignored.status.as_u16(), 201, "{}", ignored.text);
        assert_eq!(ignored.header("content-range"), Some("*/1"));
        let refused = call().prefer(MERGE).json(rows).await;
        refused.error(409, "already_exists");
    }
    assert_eq!(
        names(&api).await,
        json!([{"external_id": "a", "display_name": "1"}])
    );
    assert_eq!(
        api.rows("/api/plans?select=plan_name&plan_id=eq.gold")
            .await,
        json!([{"plan_name": "1"}])
    );
}

async fn the_catalogue_and_lookups_merge_and_ignore(api: Api) {
    let path = "/api/plans?select=plan_id,plan_name,description";
    let plans =
        json!([{"plan_id": "pro", "plan_name": "P"}, {"plan_id": "gold", "plan_name": "G"}]);
    let ignored = api
        .call("POST", path)
        .by(admin())
        .prefer(IGNORE)
        .prefer(ROWS)
        .json(plans.clone())
        .await;
    assert_eq!(ignored.status.as_u16(), 201, "{}", ignored.text);
    assert_eq!(
        ignored.json(),
        json!([{"plan_id": "gold", "plan_name": "G", "description": ""}])
    );
    let merged = api
        .call("POST", path)
        .by(admin())
        .prefer(MERGE)
        .prefer(ROWS)
        .json(plans)
        .await;
    assert_eq!(merged.status.as_u16(), 200, "{}", merged.text);
    let told = api
        .rows("/api/plans?select=plan_name,description&plan_id=in.(pro,gold)&order=plan_id")
        .await;
    assert_eq!(
        told,
        json!([{"plan_name": "G", "description": ""}, {"plan_name": "P", "description": "For a company at work"}])
    );
    // What stands under a plan stays under it.
    let templates = api
        .call("HEAD", "/api/plan_entitlement_templates?plan_id=eq.pro")
        .by(admin())
        .prefer("count=exact")
        .send("")
        .await;
    assert_eq!(templates.header("content-range"), Some("0-4/5"));
    let by_name = json!({"rule_id": "00000000-0000-0000-0000-0000000000c1", "rule_name": "gpu_hours_block", "resource_type_code": "gpu_hours",
                         "limit_kind_code": "cumulative", "limit_action_code": "warn"});
    let call = api
        .call("POST", "/api/control_rules?on_conflict=rule_name")
        .by(admin())
        .prefer(MERGE);
    // The id of a rule that is there is no other one's.
    call.json(by_name.clone())
        .await
        .error(422, "column_is_fixed");
    let mut by_name = by_name;
    by_name.as_object_mut().unwrap().remove("rule_id");
    let call = api
        .call("POST", "/api/control_rules?on_conflict=rule_name")
        .by(admin())
        .prefer(MERGE);
    assert_eq!(call.json(by_name).await.status.as_u16(), 200);
    let told = api.rows("/api/control_rules?select=limit_action_code,warn_at_percent&rule_name=eq.gpu_hours_block").await;
    assert_eq!(
        told,
        json!([{"limit_action_code": "warn", "warn_at_percent": 80}])
    );
    let units = json!([{"unit_code": "count", "unit_category": "count", "description": "Pieces"}]);
    let merged = api
        .call("POST", "/api/units")
        .by(of_all())
        .prefer(MERGE)
        .json(units)
        .await;
    assert_eq!(merged.status.as_u16(), 200, "{}", merged.text);
    assert_eq!(
        api.rows("/api/units?select=description&unit_code=eq.count")
            .await,
        json!([{"description": "Pieces"}])
    );
}

async fn conditions_merge_and_ignore(api: Api) {
    let account = api.account("acme").await;
    let limit = api.limit(account, 1).await;
    let row = |key: &str, value: &str| json!({"entitlement_id": limit, "condition_key": key, "condition_op": "eq", "condition_value": value});
    api.made("entitlement_conditions", row("a", "1")).await;
    let post = async |prefer: &str, rows: Value| {
        let path = "/api/entitlement_conditions?select=condition_key,condition_value";
        let answer = api
            .call("POST", path)
            .prefer(prefer)
            .prefer(ROWS)
            .json(rows)
            .await;
        (answer.status.as_u16(), answer.json())
    };
    let rows = json!([row("a", "2"), row("b", "2")]);
    assert_eq!(
        post(IGNORE, rows.clone()).await,
        (201, json!([{"condition_key": "b", "condition_value": "2"}]))
    );
    let (status, _) = post(MERGE, rows.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(post("count=exact", rows).await.0, 409);
    let told = api
        .rows(
            "/api/entitlement_conditions?select=condition_key,condition_value&order=condition_key",
        )
        .await;
    assert_eq!(
        told,
        json!([{"condition_key": "a", "condition_value": "2"}, {"condition_key": "b", "condition_value": "2"}])
    );
}

async fn put_makes_a_row_or_takes_its_place(api: Api) {
    const ID: &str = "00000000-0000-0000-0000-0000000000ab";
    let path = format!("/api/accounts?account_id=eq.{ID}&select=display_name");
    let row =
        |name: &str| json!({"account_id": ID, "account_type_code": "team", "display_name": name});
    for (name, status) in [("new", 201), ("old", 200)] {
        let put = api.call("PUT", &path).prefer(ROWS).json(row(name)).await;
        assert_eq!(
            (put.status.as_u16(), put.json()),
            (status, json!([{"display_name": name}]))
        );
    }
    let silent = api.call("PUT", &path).json(row("silent")).await;
    assert_eq!((silent.status.as_u16(), silent.text.as_str()), (204, ""));
    // An id is the same however it is written.
    let upper = path.replace(ID, &ID.to_uppercase());
    let put = api
        .call("PUT", &upper)
        .prefer(ROWS)
        .json(row("upper"))
        .await
        .ok();
    assert_eq!(put, json!([{"display_name": "upper"}]));
    for (query, status, code) in [
        (format!("?account_id=eq.{ID}&limit=1"), 400, "PGRST114"),
        (format!("?account_id=eq.{ID}&offset=0"), 400, "PGRST114"),
        (
            format!("?account_id=eq.{ID}&status=eq.active"),
            405,
            "PGRST105",
        ),
        (format!("?account_id=not.eq.{ID}"), 405, "PGRST105"),
        (format!("?account_id=in.({ID})"), 405, "PGRST105"),
        ("?external_id=eq.a".to_owned(), 405, "PGRST105"),
        (
            format!("?account_id=eq.{}", ID.replace("ab", "ac")),
            400,
            "PGRST115",
        ),
    ] {
        let path = format!("/api/accounts{query}");
        let refused = api.call("PUT", &path).json(row("refused")).await;
        refused.error(status, code);
    }
    let two = api
        .call("PUT", &path)
        .json(json!([row("1"), row("2")]))
        .await;
    two.error(400, "PGRST102");
    assert_eq!(api.rows(&path).await, json!([{"display_name": "upper"}]));
}
