//! Every resource, verb and caller beside rows of another namespace and of accounts outside the caller's: what
//! is not its own is neither told, nor counted, nor told from what is not there.

use std::collections::BTreeSet;

use axum::http::Method;
use mec_http::Role;
use mec_query::schema::{RESOURCES, Resource};
use serde_json::{Value, json};
use uuid::Uuid;

use super::related;
use super::support::Answer;
use super::truth::{Truth, sorted, stored};
use super::world::{Caller, NAMESPACES, OWNER, PERSON, STRANGER, TEAM, World};

fn callers() -> Vec<Caller> {
    let user = Role::MecUser;
    vec![
        Caller::nobody(),
        Caller::new("a user", user, "default", None),
        Caller::new("a user with a team", user, "default", Some(TEAM)),
        Caller::new("a person elsewhere", user, "other", Some(PERSON)),
        Caller::new(
            "a user of no account",
            user,
            "default",
            Some(Uuid::from_u128(0x99)),
        ),
        Caller::service("other"),
        // The account binds users only.
        Caller::new(
            "a service with an account",
            Role::MecService,
            "default",
            Some(TEAM),
        ),
        Caller::new("an administrator", Role::MecAdmin, "other", None),
        Caller::of_all("one of all, here", "default"),
        Caller::of_all("one of all, elsewhere", "other"),
        Caller::of_all("one of all, nowhere", "nowhere"),
    ]
}

/// What a caller is answered, without what differs from call to call, and without what it asked for.
fn told_of(answer: &Answer, asked: &[String]) -> (u16, Vec<(String, String)>, String) {
    let blanked = |text: &str| {
        let blank = |text: String, asked: &String| text.replace(asked, "what was asked");
        asked.iter().fold(text.to_owned(), blank)
    };
    let kept = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "traceparent"].contains(&name.as_str()));
    let headers = kept
        .map(|(name, value)| (name.to_string(), blanked(value.to_str().unwrap())))
        .collect();
    (answer.status.as_u16(), headers, blanked(&answer.text))
}

/// The whole of a resource, by GET and by HEAD: its rows and how many there are.
async fn is_told_its_own(world: &World, caller: &Caller, name: &str, seen: &Option<Vec<Value>>) {
    let path = format!("/api/{name}");
    let answer = world.get(caller, &path).await;
    let head = world.send(caller, Method::HEAD, &path, &Value::Null).await;
    assert_eq!(head.status, answer.status, "{} {path}", caller.what);
    assert_eq!(head.text, "");
    let Some(seen) = seen else {
        let status = answer.status.as_u16();
        assert!([401, 403].contains(&status), "{} {path}", caller.what);
        return;
    };
    let range = head.header("content-range").unwrap().to_owned();
    assert_eq!(Some(range.as_str()), answer.header("content-range"));
    let total = format!("/{}", seen.len());
    assert!(range.ends_with(&total), "{} {path}: {range}", caller.what);
    let rows: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(
        sorted(rows),
        sorted(seen.iter().cloned()),
        "{} {path}",
        caller.what
    );
}

/// The filter that names a row.
fn named(resource: &Resource, row: &Value) -> String {
    let key = resource.key.iter().map(|column| {
        let value = row[column].as_str().unwrap();
        format!(
            "{column}=eq.{}",
            value.replace(' ', "%20").replace('"', "%22")
        )
    });
    key.collect::<Vec<_>>().join("&")
}

/// The conditions of that filter.
fn asked_by(resource: &Resource, row: &Value) -> Vec<String> {
    let named = named(resource, row);
    named.split('&').map(str::to_owned).collect()
}

/// A row that is like another but for its key, which nobody has.
fn ghost(resource: &Resource, row: &Value) -> Value {
    let mut ghost = row.clone();
    for column in resource.key {
        let value = row[column].as_str().unwrap();
        // As long as the other, so that nothing tells them apart by length.
        ghost[column] = if value.parse::<Uuid>().is_ok() {
            json!(Uuid::new_v4())
        } else {
            json!("z".repeat(value.len()))
        };
    }
    ghost
}

/// A change of a row that the role may perhaps make: of the last column that is text and no part of the key.
fn change(resource: &Resource, row: &Value) -> Value {
    let columns = resource.columns.iter().map(|column| column.name).rev();
    let mut columns =
        columns.filter(|name| !resource.key.contains(name) && *name != "namespace_id");
    let column = columns.find(|name| row[name].is_string());
    column.map_or_else(|| json!({}), |name| json!({ name: row[name] }))
}

/// What is not a caller's own, by its key, answers as what is not there.
async fn is_told_nothing_of(
    world: &World,
    caller: &Caller,
    resource: &'static Resource,
    row: &Value,
) {
    let ghost = ghost(resource, row);
    let change = change(resource, row);
    let methods = [
        (Method::GET, false),
        (Method::HEAD, false),
        (Method::PATCH, true),
        (Method::PUT, true),
        (Method::DELETE, false),
    ];
    for (method, has_body) in methods {
        let mut answers = Vec::new();
        for row in [row, &ghost] {
            let path = format!("/api/{}?{}", resource.name, named(resource, row));
            let body = if has_body { &change } else { &Value::Null };
            let answer = world.send(caller, method.clone(), &path, body).await;
            assert!(
                answer.status.as_u16() < 500,
                "{method} {path}: {}",
                answer.text
            );
            answers.push(told_of(&answer, &asked_by(resource, row)));
        }
        let place = format!("{} {method} {} {row}", caller.what, resource.name);
        assert_eq!(answers[0], answers[1], "{place}");
    }
    if caller.role < Role::MecService {
        // Who may write nothing is told so whatever it sends.
        let path = format!("/api/{}", resource.name);
        let mut answers = Vec::new();
        for row in [row, &ghost] {
            let answer = world.send(caller, Method::POST, &path, row).await;
            assert!((400..500).contains(&answer.status.as_u16()), "{path}");
            answers.push(told_of(&answer, &asked_by(resource, row)));
        }
        assert_eq!(answers[0], answers[1], "{} POST {path}", caller.what);
    }
}

/// Ways to ask for another's rows by filters, embeddings and orders of one's own.
async fn finds_no_way_round(world: &World, caller: &Caller) {
    let foreign = NAMESPACES
        .into_iter()
        .find(|name| *name != caller.namespace);
    let foreign = foreign.unwrap();
    for path in [
        format!("/api/accounts?namespace_id=eq.{foreign}"),
        format!(
            "/api/accounts?or=(namespace_id.eq.{foreign},namespace_id.neq.{})",
            caller.namespace
        ),
        format!(
            "/api/accounts?not.or=(namespace_id.eq.{},display_name.is.null)",
            caller.namespace
        ),
        format!("/api/accounts?display_name=like.*{foreign}*"),
        format!(
            "/api/accounts?select=*,entitlements!inner(*)&entitlements.namespace_id=eq.{foreign}"
        ),
        format!(
            "/api/entitlements?select=*,accounts!inner(*)&accounts.display_name=like.*{foreign}*"
        ),
        format!(
            "/api/entitlements?select=*,accounts()&accounts.namespace_id=eq.{foreign}&accounts=not.is.null"
        ),
        format!("/api/consumption_event_details?detail_value=like.*{foreign}*"),
        format!("/api/account_hierarchy?owner_display_name=like.*{foreign}*"),
        format!("/api/active_entitlements?account_name=like.*{foreign}*"),
    ] {
        let answer = world.get(caller, &path).await;
        if caller.role == Role::MecAnon {
            assert_eq!(answer.status.as_u16(), 401, "{path}");
            continue;
        }
        assert_eq!(answer.text, "[]", "{} {path}", caller.what);
        assert_eq!(answer.header("content-range"), Some("*/0"), "{path}");
    }
}

/// The summary of accounts that are named is told of a caller's own, and others are as those that are not there.
async fn is_told_its_own_summary(world: &World, truth: &Truth, caller: &Caller) {
    let all = [OWNER, TEAM, PERSON, STRANGER].map(|account| account.to_string());
    let path = format!("/api/usage_summary?account_id=in.({})", all.join(","));
    let answer = world.get(caller, &path).await;
    let Some(own) = truth.seen(caller, "accounts") else {
        assert_eq!(answer.status.as_u16(), 401, "{path}");
        return;
    };
    let own: BTreeSet<&str> = own
        .iter()
        .filter_map(|row| row["account_id"].as_str())
        .collect();
    let rows: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
    let told: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["account_id"].as_str())
        .collect();
    assert_eq!(told, own, "{} {path}", caller.what);
    assert!(
        rows.iter()
            .all(|row| row["namespace_id"] == caller.namespace),
        "{}",
        caller.what
    );
    let ghost = Uuid::new_v4().to_string();
    let of = async |account: &str| {
        let path = format!("/api/usage_summary?account_id=eq.{account}");
        told_of(&world.get(caller, &path).await, &[account.to_owned()])
    };
    let nothing = of(&ghost).await;
    for account in all.iter().filter(|account| !own.contains(account.as_str())) {
        assert_eq!(of(account).await, nothing, "{} {account}", caller.what);
    }
}

async fn stand(world: World) {
    world.fill().await;
    let truth = Truth::read(&world).await;
    for caller in callers() {
        let is_somewhere = NAMESPACES.contains(&caller.namespace);
        for resource in stored() {
            let seen = if is_somewhere {
                truth.seen(&caller, resource.name)
            } else {
                let shared = resource.belongs == mec_query::schema::Belongs::All;
                Some(if shared {
                    truth.all("default", resource.name).to_vec()
                } else {
                    Vec::new()
                })
            };
            is_told_its_own(&world, &caller, resource.name, &seen).await;
            if !resource.has_namespace() {
                continue;
            }
            let own: Vec<String> = seen
                .iter()
                .flatten()
                .map(|row| named(resource, row))
                .collect();
            let all = NAMESPACES.map(|namespace| truth.all(namespace, resource.name));
            let others = all
                .into_iter()
                .flatten()
                .filter(|row| !own.contains(&named(resource, row)));
            // The first of each namespace, and one more of both.
            let others: Vec<&Value> = others.collect();
            let last = others.len().saturating_sub(1);
            for (index, row) in others.iter().enumerate() {
                if index == 0 || index == last {
                    is_told_nothing_of(&world, &caller, resource, row).await;
                }
            }
        }
        if is_somewhere {
            finds_no_way_round(&world, &caller).await;
            is_told_its_own_summary(&world, &truth, &caller).await;
        }
    }
    for caller in callers() {
        let is_bound = caller.account.is_some() || caller.role == Role::MecAnon;
        if is_bound && NAMESPACES.contains(&caller.namespace) {
            related::are_told(&world, &truth, &caller).await;
        }
    }
    are_untouched(&world, &truth).await;
}

/// Nothing that was sent changed anything.
async fn are_untouched(world: &World, truth: &Truth) {
    let after = Truth::read(world).await;
    for namespace in NAMESPACES {
        for resource in stored() {
            let rows = |truth: &Truth| sorted(truth.all(namespace, resource.name).to_vec());
            assert_eq!(rows(&after), rows(truth), "{namespace}: {}", resource.name);
        }
    }
}

#[tokio::test]
async fn the_walls_stand_in_the_embedded_store() {
    stand(World::on_sqlite().await).await;
}

#[tokio::test]
async fn the_walls_stand_in_postgresql() {
    stand(World::on_postgres().await).await;
}

#[tokio::test]
async fn an_administrator_of_all_names_a_namespace_for_what_belongs_to_one() {
    let world = World::on_sqlite().await;
    let nameless = Caller::new("one of all", Role::MecAdmin, "*", None);
    for resource in RESOURCES {
        let path = format!("/api/{}", resource.name);
        let answer = world.get(&nameless, &path).await;
        if resource.has_namespace() {
            answer.error(400, "missing_namespace");
        } else {
            assert!(answer.status.is_success(), "{path}: {}", answer.text);
        }
    }
    let user = Caller::new("a user", Role::MecUser, "default", Some(STRANGER));
    let elsewhere = user.naming("other");
    let answer = world.get(&elsewhere, "/api/accounts").await;
    answer.error(403, "insufficient_role");
}
