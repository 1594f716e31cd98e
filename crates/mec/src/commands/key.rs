//! `mec key`: API keys, by which programs call that have no issuer of tokens.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::token::{RoleName, seconds};
use crate::clock::unix_seconds;
use crate::door::{Call, Door, Reach};
use crate::output;
use crate::place::Place;

const PATH: &str = "/admin/keys";

#[derive(clap::Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it; it is not shown again
    Create(CreateArgs),
    /// List the keys that are not revoked, the newest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Revoke a key; it ends at once
    Revoke {
        /// The key's id, as list tells it
        key_id: Uuid,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(clap::Args)]
pub struct CreateArgs {
    /// Its name for people, such as the program that has it
    #[arg(long)]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value = "mec_service")]
    role: RoleName,
    /// The account in whose subtree a mec_user may act
    #[arg(long)]
    account: Option<Uuid>,
    /// How long it lasts: seconds, or a number with s, m, h or d; for ever where this is not said
    #[arg(long, value_parser = seconds)]
    ttl: Option<u64>,
    /// Print JSON, with all that is known of the key
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub fn run(place: &Place, command: &KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create(args) => create(place, args),
        KeyCommand::List { json, reach } => list(&Door::open(place, reach)?, *json),
        KeyCommand::Revoke { key_id, reach } => {
            let path = format!("{PATH}/{key_id}");
            let call = Call {
                method: "DELETE",
                ..Call::get(&path)
            };
            Door::open(place, reach)?.send(&call)?.success()?;
            output::print(&format!("{key_id} is revoked"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn create(place: &Place, args: &CreateArgs) -> Result<ExitCode> {
    let expires_at = args.ttl.map(|ttl| {
        let at = i64::try_from(unix_seconds().saturating_add(ttl))?;
        anyhow::Ok(jiff::Timestamp::from_second(at)?.to_string())
    });
    let body = json!({
        "name": args.name,
        "role": args.role.role().as_str(),
        "account_id": args.account,
        "expires_at": expires_at.transpose()?,
    });
    let door = Door::open(place, &args.reach)?;
    let created = door.send(&Call::post(PATH, body.to_string()))?.success()?;
    let created: Map<String, Value> = serde_json::from_str(&created)?;
    if args.json {
        output::print_json(&created)?;
    } else {
        // The key alone, so that it can be put where it belongs without being seen.
        output::print(&created.get("key").map(output::shown).unwrap_or_default())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(door: &Door, as_json: bool) -> Result<ExitCode> {
    let told = door.send(&Call::get(PATH))?.success()?;
    let keys: Vec<Map<String, Value>> = serde_json::from_str(&told)?;
    if as_json {
        output::print_json(&keys)?;
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        "key_id",
        "name",
        "role",
        "account_id",
        "created_at",
        "expires_at",
        "last_used_at",
    ];
    let rows = keys
        .iter()
        .map(|key| columns.map(|column| key.get(column).map(output::shown).unwrap_or_default()));
    output::print(&output::table(columns, rows))?;
    Ok(ExitCode::SUCCESS)
}
