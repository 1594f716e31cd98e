//! `mec account`: creating an account, on a plan if one is named, and erasing who a person is.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::confirm::confirm;
use crate::door::{Call, Door, Reach};
use crate::output;
use crate::place::Place;

#[derive(clap::Subcommand)]
pub enum AccountCommand {
    /// Create an account; prints its row
    Create(CreateArgs),
    /// Blank an account's name, e-mail and metadata, and keep all that was recorded; prints its row
    Erase(EraseArgs),
}

#[derive(clap::Args)]
pub struct CreateArgs {
    /// organization, team or user, or another row of account_types
    #[arg(long = "type", default_value = "organization")]
    account_type: String,
    /// The id of the account above it
    #[arg(long)]
    parent: Option<Uuid>,
    /// The product's own id for it
    #[arg(long)]
    external_id: Option<String>,
    /// Its name for people
    #[arg(long)]
    name: Option<String>,
    /// Its e-mail address
    #[arg(long)]
    email: Option<String>,
    /// The time zone of its calendar windows, such as Europe/Berlin
    #[arg(long)]
    timezone: Option<String>,
    /// The plan to provision at once
    #[arg(long)]
    plan: Option<String>,
    /// Seats of the plan
    #[arg(long, requires = "plan")]
    seats: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(clap::Args)]
pub struct EraseArgs {
    /// The account, by the product's own id of it
    account: String,
    /// The account is named by MEC's id, not by the product's
    #[arg(long)]
    by_id: bool,
    /// Do not ask; it cannot be taken back
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub fn run(place: &Place, command: &AccountCommand) -> Result<ExitCode> {
    match command {
        AccountCommand::Create(args) => create(place, args),
        AccountCommand::Erase(args) => erase(place, args),
    }
}

fn create(place: &Place, args: &CreateArgs) -> Result<ExitCode> {
    let door = Door::open(place, &args.reach)?;
    let row = json!({
        "account_type_code": args.account_type,
        "parent_account_id": args.parent,
        "external_id": args.external_id,
        "display_name": args.name,
        "email": args.email,
        "timezone": args.timezone,
    });
    let created = door.send(&Call::post("/api/accounts", row.to_string()))?;
    let rows: Vec<Map<String, Value>> = serde_json::from_str(&created.success()?)?;
    let Some(mut row) = rows.into_iter().next() else {
        bail!("the server answered without the new row");
    };
    if let Some(plan) = &args.plan {
        let given = provision(&door, &row, plan, args.seats)
            .with_context(|| format!("the account was created, but not provisioned with {plan}"))?;
        row.insert("plan_id".to_owned(), plan.as_str().into());
        row.insert("entitlements_in_force".to_owned(), given);
    }
    print_row(row, args.json)
}

fn erase(place: &Place, args: &EraseArgs) -> Result<ExitCode> {
    let door = Door::open(place, &args.reach)?;
    if !args.yes {
        confirm(&format!(
            "Name, e-mail and metadata of the account {} in the namespace {} go for good.",
            args.account, args.reach.namespace
        ))?;
    }
    let named = if args.by_id {
        "account_id"
    } else {
        "external_id"
    };
    let body = json!({ named: args.account }).to_string();
    let told = door.send(&Call::post("/admin/erase-account", body))?;
    print_row(serde_json::from_str(&told.success()?)?, args.json)
}

fn print_row(row: Map<String, Value>, json: bool) -> Result<ExitCode> {
    if json {
        output::print_json(&row)?;
    } else {
        let said = row.into_iter().filter(|(_, value)| !value.is_null());
        let rows = said.map(|(column, value)| [column, output::shown(&value)]);
        output::print(&output::table(["column", "value"], rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn provision(
    door: &Door,
    row: &Map<String, Value>,
    plan: &str,
    seats: Option<u32>,
) -> Result<Value> {
    let body = json!({
        "p_account_id": row.get("account_id"),
        "p_plan_id": plan,
        "p_quantity": seats,
    });
    let call = Call::post("/api/rpc/provision_plan", body.to_string());
    Ok(serde_json::from_str(&door.send(&call)?.success()?)?)
}
