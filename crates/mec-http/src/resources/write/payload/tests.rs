//! Bodies, read as rows.

use axum::http::HeaderValue;

use super::*;
use crate::args::Params;
use crate::resources::entitlements::NewEntitlement;

fn rows(name: &str, kind: &'static str, body: &str) -> Result<Vec<Given>, ApiError> {
    rows_of(name, kind, body, None)
}

fn rows_of(
    name: &str,
    kind: &'static str,
    body: &str,
    only: Option<&[String]>,
) -> Result<Vec<Given>, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    read(
        Resource::find(name).unwrap(),
        &headers,
        body.as_bytes(),
        only,
    )
}

const JSON: &str = "application/json";

/// What a row of a resource names, as texts.
fn told(name: &str, given: &Given) -> Vec<String> {
    let resource = Resource::find(name).unwrap();
    let told = given.values.iter().map(|(at, value)| {
        let value = value.to_text().unwrap_or_else(|| "null".to_owned());
        format!("{}={value}", resource.columns[*at].name)
    });
    told.collect()
}

fn refused(name: &str, kind: &'static str, body: &str) -> &'static str {
    rows(name, kind, body).unwrap_err().code()
}

#[test]
fn one_body_is_the_same_rows_in_each_form() {
    let expected = [
        "plan_id=gold",
        "plan_name=A, \"B\"",
        "trial_days=30",
        "is_trial=true",
    ];
    for (kind, body) in [
        (
            JSON,
            r#"{"plan_id":"gold","plan_name":"A, \"B\"","trial_days":30,"is_trial":true}"#,
        ),
        (
            "application/json; charset=utf-8",
            r#" [ {"plan_id":"gold","plan_name":"A, \"B\"","trial_days":3e1,"is_trial":"true"} ] "#,
        ),
        (
            "Text/CSV",
            "plan_id,plan_name,trial_days,is_trial\r\ngold,\"A, \"\"B\"\"\",30,true\r\n",
        ),
        (
            "application/x-www-form-urlencoded",
            "plan_id=gold&plan_name=A%2C+%22B%22&trial_days=30&is_trial=true",
        ),
    ] {
        let rows = rows("plans", kind, body).unwrap();
        assert_eq!(rows.len(), 1, "{kind}");
        assert_eq!(told("plans", &rows[0]), expected, "{kind}");
    }
}

#[test]
fn null_is_null_in_json_and_csv_and_a_word_in_forms() {
    let null = ["trial_days=null", "external_id=null"];
    let json = rows("plans", JSON, r#"{"trial_days":null,"external_id":null}"#).unwrap();
    assert_eq!(told("plans", &json[0]), null);
    let csv = rows("plans", "text/csv", "trial_days,external_id\nNULL,NULL\n").unwrap();
    assert_eq!(told("plans", &csv[0]), null);
    let form = "application/x-www-form-urlencoded";
    let word = rows("plans", form, "external_id=NULL").unwrap();
    assert_eq!(told("plans", &word[0]), ["external_id=NULL"]);
    assert_eq!(refused("plans", form, "trial_days=NULL"), "invalid_value");
    let json = rows("accounts", JSON, r#"{"metadata":null}"#).unwrap();
    assert_eq!(told("accounts", &json[0]), ["metadata=null"]);
    // An empty field is an empty text.
    let empty = rows("plans", "text/csv", "plan_id,external_id\na,\n").unwrap();
    assert_eq!(told("plans", &empty[0]), ["plan_id=a", "external_id="]);
}

#[test]
fn numbers_are_read_digit_by_digit() {
    let quantity = |json: &str| {
        let body = format!("{{\"quantity_allowed\":{json}}}");
        let read = rows("entitlements", JSON, &body);
        read.map(|rows| rows[0].values[0].1.clone())
    };
    for (json, micros) in [
        ("0.000001", 1),
        ("\"0.000001\"", 1),
        ("1e-6", 1),
        ("-1.5", -1_500_000),
        ("999999999999.999999", 999_999_999_999_999_999),
    ] {
        assert_eq!(quantity(json).unwrap(), Cell::Decimal(micros), "{json}");
    }
    for json in ["0.0000001", "\"a\"", "true", "[1]", "{}", "\"\""] {
        assert_eq!(
            quantity(json).unwrap_err().code(),
            "invalid_value",
            "{json}"
        );
    }
    for (json, whole) in [
        ("6e1", Some(60)),
        ("60.0", Some(60)),
        ("-3", Some(-3)),
        ("6.5", None),
        ("1e30", None),
    ] {
        let read = rows("plans", JSON, &format!("{{\"trial_days\":{json}}}"));
        let read = read.ok().map(|rows| rows[0].values[0].1.clone());
        assert_eq!(read, whole.map(Cell::Integer), "{json}");
    }
}

#[test]
fn rows_name_the_same_columns_unless_columns_says_which_are_meant() {
    let unequal = r#"[{"plan_id":"a","plan_name":"A"},{"plan_id":"b"}]"#;
    assert_eq!(refused("plans", JSON, unequal), "PGRST102");
    let other = r#"[{"plan_id":"a"},{"plan_name":"b"}]"#;
    assert_eq!(refused("plans", JSON, other), "PGRST102");
    assert_eq!(
        refused("plans", JSON, r#"[{},{"plan_id":"a"}]"#),
        "PGRST102"
    );
    let turned = r#"[{"plan_id":"a","plan_name":"A"},{"plan_name":"B","plan_id":"b"}]"#;
    assert_eq!(rows("plans", JSON, turned).unwrap().len(), 2);
    let only = ["plan_id".to_owned(), "plan_name".to_owned()];
    let extra = r#"[{"plan_id":"a","more":[1]},{"plan_id":"b","plan_name":"B","status":5}]"#;
    let read = rows_of("plans", JSON, extra, Some(&only)).unwrap();
    assert_eq!(told("plans", &read[0]), ["plan_id=a"]);
    assert_eq!(told("plans", &read[1]), ["plan_id=b", "plan_name=B"]);
}

#[test]
fn what_cannot_be_read_is_told_by_its_code() {
    for (kind, body, code) in [
        (JSON, "", "invalid_json"),
        (JSON, "[", "invalid_json"),
        (JSON, "[{}] x", "invalid_json"),
        (JSON, "[[]]", "invalid_json"),
        (JSON, r#"{"plan_id":"a","plan_id":"b"}"#, "duplicate_key"),
        (JSON, r#"{"plan":"a"}"#, "PGRST204"),
        ("text/csv", "plan_id,plan_name\na\n", "PGRST102"),
        ("text/csv", "plan_id,plan_id\na,b\n", "duplicate_key"),
        ("text/csv", "plan\na\n", "PGRST204"),
        (
            "application/x-www-form-urlencoded",
            "plan_id=a&plan_id=b",
            "duplicate_key",
        ),
        ("text/plain", "a", "unsupported_media_type"),
    ] {
        assert_eq!(refused("plans", kind, body), code, "{kind} {body}");
    }
    let headers = HeaderMap::new();
    let bytes = read(
        Resource::find("plans").unwrap(),
        &headers,
        b"{\"\xff\":1}",
        None,
    );
    assert_eq!(bytes.unwrap_err().code(), "invalid_json");
    let many = format!("[{}]", vec!["{}"; MAX_ROWS + 1].join(","));
    assert_eq!(refused("plans", JSON, &many), "too_many_items");
    let most = format!("[{}]", vec!["{}"; MAX_ROWS].join(","));
    assert_eq!(rows("plans", JSON, &most).unwrap().len(), MAX_ROWS);
}

#[test]
fn arguments_leave_out_null_and_what_mec_sets_and_take_conditions_along() {
    let decoded = |more: &str| {
        let body = format!(
            r#"{{"account_id":"00000000-0000-0000-0000-00000000000a","resource_type_code":"gpu_hours",
                "limit_kind_code":"cumulative","namespace_id":"default","unit_code":null{more}}}"#
        );
        let read = rows("entitlements", JSON, &body).unwrap();
        let arguments = read[0].arguments(Resource::find("entitlements").unwrap());
        let new = NewEntitlement::decode(&arguments);
        new.map(|_| ()).map_err(|error| error.code())
    };
    // The namespace is no argument, nor is what is null.
    assert_eq!(decoded(""), Ok(()));
    let condition = r#"{"condition_key":"k","condition_op":"exists"}"#;
    assert_eq!(decoded(&format!(r#","conditions":[{condition}]"#)), Ok(()));
    assert_eq!(decoded(r#","conditions":5"#), Err("invalid_value"));
    assert_eq!(decoded(r#","version":5"#), Err("PGRST204"));
}
