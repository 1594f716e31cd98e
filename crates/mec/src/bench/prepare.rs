//! The accounts of a bench: looked for first, and made where they are missing, so that a second
//! run takes the same ones.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{Connection, Origin};
use super::workload::{LEASED, Load, METERED, account_id};

const PLAN: &str = "pro";
const CONNECTIONS: u64 = 64;
const CHECKS_A_REQUEST: usize = 500;
/// What an entitlement of the bench allows: more than any run uses.
const ALLOWED: u64 = 100_000_000_000;
const SLOTS: u64 = 1_000_000;

/// A resource that the accounts need, with the least that must be left of it.
#[derive(Clone, Copy)]
struct Needed {
    resource: &'static str,
    limit_kind: &'static str,
    window_type: &'static str,
    allowed: u64,
}

const METERED_NEEDED: Needed = Needed {
    resource: METERED,
    limit_kind: "cumulative",
    window_type: "calendar_month",
    allowed: ALLOWED,
};

const LEASED_NEEDED: Needed = Needed {
    resource: LEASED,
    limit_kind: "concurrency",
    window_type: "none",
    allowed: SLOTS,
};

/// Sees to it that every account of the load exists, holds the plan and may use what is asked.
pub async fn accounts(origin: &Arc<Origin>, load: &Load) -> Result<()> {
    let mut needed = vec![METERED_NEEDED];
    needed.extend(load.workload.leases().then_some(LEASED_NEEDED));
    for needed in needed {
        let lacking = lacking(origin, load.accounts, needed).await?;
        if lacking.is_empty() {
            continue;
        }
        eprintln!("making {} accounts with {}", lacking.len(), needed.resource);
        let share = lacking.len().div_ceil(CONNECTIONS as usize);
        let mut tasks = JoinSet::new();
        for part in lacking.chunks(share) {
            tasks.spawn(make(origin.clone(), part.to_vec(), needed));
        }
        while let Some(made) = tasks.join_next().await {
            made??;
        }
    }
    Ok(())
}

/// The numbers of the accounts that lack a half of what is needed, or do not exist.
async fn lacking(origin: &Origin, accounts: u64, needed: Needed) -> Result<Vec<u64>> {
    let mut connection = Connection::open(origin.address).await?;
    let head = origin.post("/api/rpc/check_entitlements");
    let numbers: Vec<u64> = (0..accounts).collect();
    let mut lacking = Vec::new();
    for part in numbers.chunks(CHECKS_A_REQUEST) {
        let checks: Vec<Value> = part
            .iter()
            .map(|number| {
                json!({
                    "p_account_id": account_id(*number),
                    "p_resource_type": needed.resource,
                    "p_requested_qty": needed.allowed / 2,
                })
            })
            .collect();
        let body = json!({ "p_checks": checks }).to_string();
        let answer = connection.ask(&head, &body).await?;
        ensure!(
            answer.status == 200,
            "check_entitlements was answered {}: {}",
            answer.status,
            answer.body
        );
        let answers: Vec<Value> = serde_json::from_str(answer.body)?;
        for (number, answer) in part.iter().zip(answers) {
            if answer.pointer("/result/decision").and_then(Value::as_str) != Some("allow") {
                lacking.push(*number);
            }
        }
    }
    Ok(lacking)
}

async fn make(origin: Arc<Origin>, numbers: Vec<u64>, needed: Needed) -> Result<()> {
    let mut connection = Connection::open(origin.address).await?;
    let account = origin.post("/api/accounts");
    let plan = origin.post("/api/rpc/provision_plan");
    let entitlement = origin.post("/api/entitlements");
    for number in numbers {
        let id = account_id(number);
        let row = json!({
            "account_id": id,
            "account_type_code": "organization",
            "external_id": format!("bench-{number}"),
        });
        // 409 where an earlier run has made it.
        send(&mut connection, &account, &row, &[201, 409]).await?;
        let args = json!({ "p_account_id": id, "p_plan_id": PLAN });
        send(&mut connection, &plan, &args, &[200]).await?;
        let row = json!({
            "account_id": id,
            "resource_type_code": needed.resource,
            "limit_kind_code": needed.limit_kind,
            "window_type_code": needed.window_type,
            "quantity_allowed": needed.allowed,
        });
        send(&mut connection, &entitlement, &row, &[201]).await?;
    }
    Ok(())
}

async fn send(
    connection: &mut Connection,
    head: &[u8],
    body: &Value,
    expected: &[u16],
) -> Result<()> {
    let answer = connection.ask(head, &body.to_string()).await?;
    ensure!(
        expected.contains(&answer.status),
        "{body} was answered {}: {}",
        answer.status,
        answer.body
    );
    Ok(())
}
