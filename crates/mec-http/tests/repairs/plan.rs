//! The plan's own test cases.

use super::{RUNS, check, of_acme, use_runs};
use crate::support::{Hands, TestApp, get, service};
use serde_json::json;

/// The database cases of the plan, section 4.1, through the RPCs.
#[tokio::test]
async fn repair_19_the_plans_cases_of_checks_and_metering_run_through_the_rpcs() {
    let app = TestApp::start_by(Hands::at("2026-11-24T10:00:30Z"));
    // Provisioning creates all entitlements.
    let acme = app.starter("acme").await;
    for (resource, allowed) in [
        ("concurrent_users", 3),
        (RUNS, 100),
        ("gpu_hours", 25),
        ("server_configs", 2),
        ("server_instances", 10),
    ] {
        assert_eq!(
            check(&app, resource, 1).await["quantity_allowed"],
            allowed,
            "{resource}"
        );
    }
    assert_eq!(
        check(&app, "platform_access", 1).await["code"],
        "no_entitlement"
    );
    // Allowed under the limit, warned at the threshold, denied over the limit; by GET, too.
    assert_eq!(check(&app, RUNS, 1).await["decision"], "allow");
    use_runs(&app, "meter_consumption", "a", 80).await.ok();
    assert_eq!(check(&app, RUNS, 1).await["decision"], "warn");
    use_runs(&app, "meter_consumption", "b", 20).await.ok();
    assert_eq!(check(&app, RUNS, 1).await["decision"], "deny");
    let address = format!("/api/rpc/check_entitlement?p_account_id={acme}&p_resource_type={RUNS}");
    assert_eq!(
        app.send(get(&address, &service())).await.ok()["decision"],
        "deny"
    );
    // A duplicate key counts once.
    let first = use_runs(&app, "meter_consumption", "c", 5).await.ok();
    assert_eq!(
        use_runs(&app, "meter_consumption", "c", 5).await.ok(),
        first
    );
    assert_eq!(app.usage("acme").await, 105);
}

#[tokio::test]
async fn repair_19_the_plans_cases_of_leases_run_through_the_rpcs() {
    let clock = Hands::at("2026-11-24T10:00:30Z");
    let app = TestApp::start_by(clock.clone());
    app.starter("acme").await;
    let acquire = async || {
        let asked = of_acme("concurrent_users", json!({"p_ttl_minutes": 5}));
        app.rpc("acquire_lease", asked).await.ok()
    };
    let lease = acquire().await;
    assert_eq!(
        (&lease["success"], &lease["expires_at"]),
        (&json!(true), &json!("2026-11-24T10:05:30+00:00"))
    );
    let named = json!({"p_lease_id": lease["lease_id"]});
    clock.pass(299);
    assert_eq!(app.rpc("heartbeat_lease", named.clone()).await.ok(), true);
    clock.pass(299);
    assert_eq!(check(&app, "concurrent_users", 1).await["quantity_used"], 1);
    assert_eq!(app.rpc("release_lease", named.clone()).await.ok(), true);
    assert_eq!(app.rpc("release_lease", named).await.ok(), false);
    for _ in 0..3 {
        assert_eq!(acquire().await["success"], true);
    }
    assert_eq!(acquire().await["success"], false);
    clock.pass(300);
    assert_eq!(
        check(&app, "concurrent_users", 3).await["decision"],
        "allow"
    );
}
