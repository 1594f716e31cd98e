//! The catalogue of a namespace: everything that decisions need and that is not an account's own.
//! A catalogue is immutable; a change makes a new one with a higher version.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::ids::{Code, Namespace};
use crate::plan::Plan;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::rule::Rule;
use crate::window::WindowType;

/// What a quantity counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unit {
    /// Its name.
    pub unit_code: Code,
    /// Units of one category convert into each other.
    pub unit_category: String,
    /// What it is.
    pub description: String,
    /// Decimal places allowed, 0 to 6.
    pub scale: u32,
    /// The category's smallest unit.
    pub base_unit_code: Code,
    /// How many base units one of it is; at least 1.
    pub base_factor: i64,
}

/// What kinds of account there are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountType {
    /// Its name.
    pub account_type_code: Code,
    /// What it is.
    pub description: String,
    /// Whether accounts of this type may have accounts below them.
    pub can_have_children: bool,
}

/// A thing that is metered or limited.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceType {
    /// Its name.
    pub resource_type_code: Code,
    /// What it is.
    pub description: String,
    /// The unit of a quantity without one.
    pub default_unit_code: Code,
    /// Whether its total is a stock that goes up and down.
    pub is_inventory: bool,
    /// Whether it is limited by live leases.
    pub is_concurrency: bool,
    /// Whether it is access for a time.
    pub is_time_bound: bool,
    /// The units it may be counted in; all of one category.
    pub allowed_units: Vec<Code>,
}

/// The rows that are shared by all namespaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lookups {
    /// Rises with every change of them, and with no other.
    pub version: u64,
    /// Units by code.
    pub units: FxHashMap<Code, Unit>,
    /// Window types by code.
    pub window_types: FxHashMap<Code, WindowType>,
    /// Account types by code.
    pub account_types: FxHashMap<Code, AccountType>,
}

/// The catalogue of one namespace at one version.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Whose it is.
    pub namespace: Namespace,
    /// Rises with every change.
    pub version: u64,
    /// The rows shared by all namespaces.
    pub lookups: Arc<Lookups>,
    /// Resource types by code.
    pub resource_types: FxHashMap<Code, ResourceType>,
    /// Plans by id.
    pub plans: FxHashMap<Code, Plan>,
    /// Rules by resource type.
    pub rules: FxHashMap<Code, Vec<Rule>>,
}

impl Catalogue {
    /// A catalogue with the shared rows only.
    pub fn empty(namespace: Namespace, lookups: Arc<Lookups>) -> Self {
        Self {
            namespace,
            version: 0,
            lookups,
            resource_types: FxHashMap::default(),
            plans: FxHashMap::default(),
            rules: FxHashMap::default(),
        }
    }

    /// A resource type, if the namespace has it.
    pub fn resource_type(&self, code: &str) -> Option<&ResourceType> {
        self.resource_types.get(code)
    }

    /// A resource type, or the refusal that names it.
    pub fn require_resource_type(&self, code: &str) -> Result<&ResourceType, Refusal> {
        self.resource_type(code)
            .ok_or_else(|| Refusal::UnknownResourceType(code.to_owned()))
    }

    /// A unit by code.
    pub fn unit(&self, code: &str) -> Option<&Unit> {
        self.lookups.units.get(code)
    }

    /// A window type by code.
    pub fn window_type(&self, code: &str) -> Option<&WindowType> {
        self.lookups.window_types.get(code)
    }

    /// The rules of a resource type.
    pub fn rules_of(&self, resource: &str) -> impl Iterator<Item = &Rule> {
        self.rules.get(resource).into_iter().flatten()
    }

    /// The unit in which a quantity of a resource is given: the named one if it is allowed, else the default.
    pub fn unit_for(&self, resource: &ResourceType, named: Option<&str>) -> Result<&Unit, Refusal> {
        let code = named.unwrap_or(&resource.default_unit_code);
        let refused = || Refusal::UnitNotAllowed {
            unit: code.to_owned(),
            resource: resource.resource_type_code.to_string(),
            allowed: resource.allowed_units.join(", "),
        };
        if !resource.allowed_units.iter().any(|unit| &**unit == code) {
            return Err(refused());
        }
        self.unit(code).ok_or_else(refused)
    }

    /// A quantity in the base unit, in millionths, after the unit's scale is checked.
    pub fn to_base(
        &self,
        quantity: Quantity,
        unit: &Unit,
        field: &'static str,
    ) -> Result<i128, Refusal> {
        if quantity.decimals() > unit.scale {
            return Err(Refusal::TooManyDecimals {
                field,
                unit: unit.unit_code.to_string(),
                scale: unit.scale,
            });
        }
        self.amount_of(quantity, &unit.unit_code)
    }

    /// A quantity in the base unit, in millionths. An unknown unit counts as its own base.
    pub fn amount_of(&self, quantity: Quantity, unit: &str) -> Result<i128, Refusal> {
        quantity
            .micros()
            .checked_mul(i128::from(self.factor_of(unit)))
            .ok_or(Refusal::QuantityOverflow)
    }

    /// How many base units one of the unit is.
    pub fn factor_of(&self, unit: &str) -> i64 {
        self.unit(unit).map_or(1, |unit| unit.base_factor.max(1))
    }

    /// An amount of base units in a unit, rounded half-even to six places: for people only.
    pub fn in_unit(&self, amount: i128, unit: &str) -> Quantity {
        Quantity::from_micros(amount).div_round_half_even(self.factor_of(unit))
    }
}
