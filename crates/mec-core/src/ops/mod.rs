//! The operations, one file each.

pub mod account;
pub mod cancel_plan;
pub mod change_plan;
pub mod check;
pub mod consume;
pub mod correct;
mod draws;
pub mod entitlement;
mod grace;
pub mod grant;
pub mod inventory;
pub mod lease;
pub mod link_external_id;
pub mod meter;
pub mod move_account;
pub mod provision;
mod record;
pub mod reserve;
pub mod summary;
pub mod update_account;
pub mod update_entitlement;
pub mod update_grant;
