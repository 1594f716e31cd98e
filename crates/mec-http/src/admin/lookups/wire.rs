//! Lookups as JSON: twins of the core's rows, with the contract's column names.

use mec_core::Code;
use mec_core::catalogue::{AccountType, Lookups, Unit};
use mec_core::window::{PeriodUnit, WindowType};
use serde::Serialize;
use utoipa::ToSchema;

use super::rows::{account_types, units, window_types};

/// The rows that all namespaces share. A table that is not sent stays as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupsDocument {
    /// Rises with every change. Where it is sent, another version at hand is refused.
    pub version: Option<u64>,
    pub units: Option<Vec<UnitRow>>,
    pub window_types: Option<Vec<WindowTypeRow>>,
    pub account_types: Option<Vec<AccountTypeRow>>,
}

/// A row of `units`.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitRow {
    #[schema(value_type = String)]
    unit_code: Code,
    /// Units of one category convert into each other.
    unit_category: String,
    description: Option<String>,
    /// Decimal places allowed, 0 to 6; 0 where it is not sent.
    scale: Option<u32>,
    /// The category's smallest unit; the unit itself where none is sent.
    #[schema(value_type = Option<String>)]
    base_unit_code: Option<Code>,
    /// How many base units one of it is.
    base_factor: Option<i64>,
}

/// A row of `window_types`.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowTypeRow {
    #[schema(value_type = String)]
    window_type_code: Code,
    description: Option<String>,
    /// `calendar`, `anniversary`, `rolling` or `none`.
    mode: String,
    /// `minute`, `hour`, `day`, `week`, `month` or `year`; none for the mode none.
    period_unit: Option<String>,
    /// Of how many units a period is, 1 to 1,000; 1 where it is not sent.
    period_count: Option<u32>,
}

/// A row of `account_types`.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountTypeRow {
    #[schema(value_type = String)]
    account_type_code: Code,
    description: Option<String>,
    /// Whether accounts of this type may have accounts below them; false where it is not sent.
    can_have_children: Option<bool>,
}

impl From<&Lookups> for LookupsDocument {
    fn from(lookups: &Lookups) -> Self {
        Self {
            version: Some(lookups.version),
            units: Some(units(lookups).into_iter().map(Into::into).collect()),
            window_types: Some(window_types(lookups).into_iter().map(Into::into).collect()),
            account_types: Some(account_types(lookups).into_iter().map(Into::into).collect()),
        }
    }
}

impl From<&Unit> for UnitRow {
    fn from(row: &Unit) -> Self {
        Self {
            unit_code: row.unit_code.clone(),
            unit_category: row.unit_category.clone(),
            description: Some(row.description.clone()),
            scale: Some(row.scale),
            base_unit_code: Some(row.base_unit_code.clone()),
            base_factor: Some(row.base_factor),
        }
    }
}

impl From<&WindowType> for WindowTypeRow {
    fn from(row: &WindowType) -> Self {
        let unit = row.period_unit.map(PeriodUnit::as_str);
        Self {
            window_type_code: row.code.clone(),
            description: Some(row.description.clone()),
            mode: row.mode.as_str().to_owned(),
            period_unit: unit.map(str::to_owned),
            period_count: Some(row.period_count),
        }
    }
}

impl From<&AccountType> for AccountTypeRow {
    fn from(row: &AccountType) -> Self {
        Self {
            account_type_code: row.account_type_code.clone(),
            description: Some(row.description.clone()),
            can_have_children: Some(row.can_have_children),
        }
    }
}
