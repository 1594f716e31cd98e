//! The two walls around what a caller sees, each of them alone: the policies of the tables whatever the plan
//! says, and the plan's conditions where no policy stands. And connections that are shared by all callers.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, reason = "the tests of the roles use the rest of it")]
#[path = "roles/relations.rs"]
mod relations;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use mec_core::Namespace;
use mec_query::Role;
use mec_query::ast::Query;
use mec_query::parse::{pairs, parse};
use mec_query::plan::{Asking, Plan, Reach, plan};
use mec_query::rows::Cell;
use mec_query::schema::{RESOURCES, Resource, Source};
use mec_store::conformance::TestIds;
use mec_store::{QueryError, Reader, Store};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;
use relations::{RELATIONS, Sight};
use uuid::Uuid;

const TEAM: Uuid = Uuid::from_u128(0x20);
const NAMESPACES: [&str; 2] = ["default", "other"];

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

/// A database with two namespaces of the same ids.
fn world() -> String {
    let server = Server::shared();
    let name = server.database();
    // What a store begins with gives way to the world's own rows.
    run(open(&name, 1));
    let mut sql = "SET session_replication_role = replica;
        DELETE FROM mec.plan_entitlement_templates; DELETE FROM mec.plans;
        DELETE FROM mec.control_rule_conditions; DELETE FROM mec.control_rules;
        DELETE FROM mec.resource_type_allowed_units; DELETE FROM mec.resource_types;
        DELETE FROM mec.catalogue_versions; SET session_replication_role = origin;"
        .to_owned();
    sql += include_str!("roles/shared.sql");
    for namespace in NAMESPACES {
        sql += &include_str!("roles/world.sql").replace("{ns}", namespace);
    }
    server.psql(&name, &sql).unwrap();
    name
}

async fn open(database: &str, readers: usize) -> PostgresStore {
    let url = Server::shared().url("mec_engine", database);
    let mut config = PostgresConfig::new(url.into());
    config.readers = readers;
    PostgresStore::open(&config, &mut TestIds::default())
        .await
        .unwrap()
}

fn namespace(name: &str) -> Option<Namespace> {
    Some(Namespace::parse(name).unwrap())
}

fn reader(role: Role, name: &str, account: Option<Uuid>) -> Reader {
    Reader {
        role,
        namespace: namespace(name),
        account,
    }
}

fn reach(name: &str, account: Option<Uuid>) -> Reach {
    Reach {
        namespace: namespace(name),
        account,
    }
}

/// What the store holds; the rest is worked out by the engine.
fn stored() -> impl Iterator<Item = &'static Resource> {
    let is_stored = |resource: &&Resource| resource.source != Source::Engine;
    RESOURCES.iter().filter(is_stored)
}

/// All rows of a resource, or those of a query, as a plan that sees so much.
fn planned(resource: &'static Resource, query: &str, reach: Reach) -> Arc<Plan> {
    let query: Query = parse(pairs(query).unwrap()).unwrap();
    let asking = Asking {
        resource,
        role: Role::MecAdmin,
        reach,
        is_counted: true,
        timezone: None,
    };
    Arc::new(plan(&query, &asking).unwrap())
}

/// The keys of a resource's rows, with their namespace.
async fn keys(
    store: &PostgresStore,
    reader: &Reader,
    resource: &'static Resource,
    reach: Reach,
) -> Result<BTreeSet<String>, QueryError> {
    let select = format!("select={}", columns(resource).join(","));
    let found = store
        .query(reader, planned(resource, &select, reach))
        .await?;
    let keys: BTreeSet<String> = found
        .rows
        .iter()
        .map(|row| {
            let told = row.iter().take(columns(resource).len());
            told.filter_map(Cell::to_text).collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(found.total, u64::try_from(found.rows.len()).ok());
    assert_eq!(keys.len(), found.rows.len(), "{}", resource.name);
    Ok(keys)
}

fn columns(resource: &Resource) -> Vec<&'static str> {
    let namespace = resource.has_namespace().then_some("namespace_id");
    namespace
        .into_iter()
        .chain(resource.key.iter().copied())
        .collect()
}

/// What the database's owner finds by the conditions that stand in the tests of the roles.
fn wanted(database: &str, resource: &Resource, sight: &Sight) -> BTreeSet<String> {
    let name = format!("api.{}", resource.name);
    let relation = RELATIONS
        .iter()
        .find(|relation| relation.name == name)
        .unwrap();
    let condition = relation.rows(sight).unwrap_or_else(|| "false".to_owned());
    let columns: Vec<String> = columns(resource)
        .iter()
        .map(|name| format!("t.{name}"))
        .collect();
    let sql = format!(
        "SELECT {} FROM {name} t WHERE {condition}",
        columns.join(", ")
    );
    let found = Server::shared().psql(database, &sql).unwrap();
    found.lines().map(str::to_owned).collect()
}

#[test]
fn the_policies_alone_bound_a_plan_that_sees_everything() {
    let database = world();
    run(async {
        let store = open(&database, 2).await;
        for resource in stored() {
            for (role, account) in [
                (Role::MecUser, Some(TEAM)),
                (Role::MecUser, None),
                (Role::MecService, Some(TEAM)),
                (Role::MecAdmin, None),
            ] {
                for name in NAMESPACES {
                    let caller = reader(role, name, account);
                    let sight = match account.filter(|_| role == Role::MecUser) {
                        Some(account) => Sight::Below(name.into(), account.to_string()),
                        None => Sight::namespace(name),
                    };
                    let own = keys(&store, &caller, resource, reach(name, None)).await;
                    let place = format!("{role:?} of {account:?} in {name}: {}", resource.name);
                    assert_eq!(own.unwrap(), wanted(&database, resource, &sight), "{place}");
                    let other = NAMESPACES.into_iter().find(|other| *other != name).unwrap();
                    let foreign = keys(&store, &caller, resource, reach(other, None)).await;
                    assert_eq!(
                        foreign.unwrap().is_empty(),
                        resource.has_namespace(),
                        "{place}"
                    );
                }
            }
            let nobody = reader(Role::MecAnon, "default", None);
            let seen = keys(&store, &nobody, resource, reach("default", None)).await;
            let sight = Sight::anonymous();
            match seen {
                Ok(seen) => assert_eq!(
                    seen,
                    wanted(&database, resource, &sight),
                    "{}",
                    resource.name
                ),
                Err(error) => {
                    assert!(
                        matches!(&error, QueryError::Refused(code) if code == "42501"),
                        "{error:?}"
                    );
                    assert!(
                        wanted(&database, resource, &sight).is_empty(),
                        "{}",
                        resource.name
                    );
                }
            }
        }
    });
}

#[test]
fn a_name_above_what_is_seen_is_kept_by_the_policies_alone() {
    let database = world();
    run(async {
        let store = open(&database, 1).await;
        let hierarchy = Resource::find("account_hierarchy").unwrap();
        let query = "select=owner_display_name&owner_display_name=not.is.null";
        let all = planned(hierarchy, query, reach("default", None));
        let bound = store
            .query(&reader(Role::MecUser, "default", Some(TEAM)), all.clone())
            .await;
        assert!(bound.unwrap().rows.is_empty());
        let free = store
            .query(&reader(Role::MecUser, "default", None), all)
            .await;
        assert_eq!(free.unwrap().rows.len(), 4);
    });
}

#[test]
fn the_plan_alone_bounds_a_caller_whom_no_policy_does() {
    let database = world();
    // No table is guarded any more; the views read as whoever asks.
    let open_all = "DO $$ DECLARE name regclass; BEGIN
        FOR name IN SELECT oid FROM pg_class WHERE relrowsecurity AND relnamespace = 'mec'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', name);
        END LOOP; END $$";
    Server::shared().psql(&database, open_all).unwrap();
    run(async {
        let store = open(&database, 2).await;
        for resource in stored() {
            // The claims are another's, so that a policy that was left would show.
            let caller = reader(Role::MecAdmin, "nowhere", None);
            for name in NAMESPACES {
                let all = keys(&store, &caller, resource, reach(name, None))
                    .await
                    .unwrap();
                let sight = Sight::namespace(name);
                assert_eq!(
                    all,
                    wanted(&database, resource, &sight),
                    "{name}: {}",
                    resource.name
                );
                let bound = keys(&store, &caller, resource, reach(name, Some(TEAM))).await;
                let sight = Sight::Below(name.into(), TEAM.to_string());
                let place = format!("{name}: {}", resource.name);
                assert_eq!(
                    bound.unwrap(),
                    wanted(&database, resource, &sight),
                    "{place}"
                );
            }
            let nothing = keys(&store, &caller, resource, Reach::default())
                .await
                .unwrap();
            assert_eq!(
                nothing.is_empty(),
                resource.has_namespace(),
                "{}",
                resource.name
            );
        }
        let hierarchy = Resource::find("account_hierarchy").unwrap();
        let query = "select=owner_display_name&owner_display_name=not.is.null";
        let caller = reader(Role::MecAdmin, "nowhere", None);
        for (account, names) in [(Some(TEAM), 0), (None, 4)] {
            let told = planned(hierarchy, query, reach("default", account));
            assert_eq!(store.query(&caller, told).await.unwrap().rows.len(), names);
        }
    });
}

/// So long a read that is held up is waited for, before its caller goes away.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

#[test]
fn a_query_that_is_given_up_leaves_no_caller_behind() {
    let database = world();
    let mut session = Server::shared().session(&database).unwrap();
    run(async {
        let store = open(&database, 1).await;
        let plans = Resource::find("plans").unwrap();
        let all = || planned(plans, "select=plan_id", reach("other", None));
        let other = reader(Role::MecAdmin, "other", None);
        session.say("BEGIN; LOCK TABLE mec.plans").unwrap();
        let held = tokio::time::timeout(PATIENCE, store.query(&other, all())).await;
        assert!(held.is_err(), "the lock held nobody up");
        session.say("ROLLBACK").unwrap();
        // The claims of who went away would show the next one another namespace.
        let caller = reader(Role::MecUser, "default", None);
        assert!(store.query(&caller, all()).await.unwrap().rows.is_empty());
        assert_eq!(store.query(&other, all()).await.unwrap().rows.len(), 2);
        let own = store.catalogue(&Namespace::default_namespace(), None).await;
        assert_eq!(own.unwrap().unwrap().plans.len(), 2);
    });
}

#[test]
fn a_shared_connection_carries_nobodys_claims_role_or_zone() {
    let database = world();
    run(async {
        let store = open(&database, 1).await;
        let accounts = Resource::find("accounts").unwrap();
        let callers = [
            (reader(Role::MecUser, "default", Some(TEAM)), 2),
            (reader(Role::MecUser, "other", None), 4),
            (reader(Role::MecService, "default", None), 4),
            (
                reader(Role::MecUser, "default", Some(Uuid::from_u128(0x30))),
                1,
            ),
            (reader(Role::MecAdmin, "nowhere", None), 0),
            (
                Reader {
                    role: Role::MecAdmin,
                    namespace: None,
                    account: None,
                },
                0,
            ),
        ];
        for round in 0..20 {
            let asked = callers
                .iter()
                .cycle()
                .skip(round % callers.len())
                .take(callers.len());
            let asked = asked.map(async |(caller, count)| {
                let name = caller
                    .namespace
                    .as_ref()
                    .map_or("default", |name| name.as_str());
                // The plan sees the namespace, whoever asks.
                let seen = keys(&store, caller, accounts, reach(name, None))
                    .await
                    .unwrap();
                assert_eq!(seen.len(), *count, "{caller:?}");
            });
            // Who is refused in the middle of it leaves nothing behind either.
            let refused = async {
                let nobody = reader(Role::MecAnon, "default", None);
                let error = keys(&store, &nobody, accounts, reach("default", None)).await;
                assert!(matches!(error, Err(QueryError::Refused(_))), "{error:?}");
            };
            // And the service's own reads go on beside them, with its own rights.
            let own = async {
                let found = store.catalogue(&Namespace::default_namespace(), None).await;
                assert_eq!(found.unwrap().unwrap().plans.len(), 2);
            };
            futures_util::join!(join_all(asked), refused, own);
        }
        let zone = Plan {
            timezone: Some("Asia/Tokyo".to_owned()),
            ..Plan::clone(&planned(
                accounts,
                "select=created_at::text&limit=1",
                reach("default", None),
            ))
        };
        let caller = reader(Role::MecService, "default", None);
        let told = async |plan: Plan| {
            let found = store.query(&caller, Arc::new(plan)).await.unwrap();
            found.rows[0][0].to_text().unwrap()
        };
        let in_utc = Plan {
            timezone: None,
            ..zone.clone()
        };
        assert!(told(zone).await.ends_with("+09"));
        assert!(told(in_utc).await.ends_with("+00"));
    });
}
