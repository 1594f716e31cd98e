//! The one table of error codes: code, HTTP status, and what it means. `docs/errors.md` has a section for each.

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The code for programs.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it means.
    pub summary: &'static str,
}

/// Every code that a client can meet.
#[rustfmt::skip]
pub const CODES: &[ErrorCode] = &[
    ErrorCode { code: "invalid_value", status: 400, summary: "A value does not fit its field" },
    ErrorCode { code: "invalid_quantity", status: 400, summary: "A quantity must be greater than zero" },
    ErrorCode { code: "too_many_decimals", status: 400, summary: "More decimal places than the unit has" },
    ErrorCode { code: "unit_not_allowed", status: 400, summary: "The resource type is not counted in this unit" },
    ErrorCode { code: "invalid_json", status: 400, summary: "The body is not a JSON object" },
    ErrorCode { code: "missing_field", status: 400, summary: "A required column is missing" },
    ErrorCode { code: "unknown_field", status: 400, summary: "The table has no such column" },
    ErrorCode { code: "too_many_items", status: 400, summary: "More than 1,000 items in one call" },
    ErrorCode { code: "invalid_token", status: 401, summary: "The token is missing, expired or not valid" },
    ErrorCode { code: "insufficient_role", status: 403, summary: "The token's role may not do this" },
    ErrorCode { code: "account_not_found", status: 404, summary: "The account does not exist" },
    ErrorCode { code: "parent_not_found", status: 404, summary: "The parent account does not exist" },
    ErrorCode { code: "unknown_resource_type", status: 404, summary: "The resource type does not exist" },
    ErrorCode { code: "unknown_window_type", status: 404, summary: "The window type does not exist" },
    ErrorCode { code: "event_not_found", status: 404, summary: "The event does not exist" },
    ErrorCode { code: "reservation_not_found", status: 404, summary: "The reservation does not exist" },
    ErrorCode { code: "grant_not_found", status: 404, summary: "The grant does not exist" },
    ErrorCode { code: "plan_not_found", status: 404, summary: "The plan does not exist" },
    ErrorCode { code: "not_found", status: 404, summary: "There is nothing at this path" },
    ErrorCode { code: "PGRST202", status: 404, summary: "No RPC of this name takes these arguments" },
    ErrorCode { code: "method_not_allowed", status: 405, summary: "The path does not take this method" },
    ErrorCode { code: "plan_conflict", status: 409, summary: "The account holds another base plan" },
    ErrorCode { code: "idempotency_conflict", status: 409, summary: "The key was used with another call" },
    ErrorCode { code: "session_conflict", status: 409, summary: "The session holds a lease with other slots" },
    ErrorCode { code: "already_committed", status: 409, summary: "The reservation was committed with another quantity" },
    ErrorCode { code: "already_released", status: 409, summary: "The reservation was released" },
    ErrorCode { code: "already_exists", status: 409, summary: "The id is taken" },
    ErrorCode { code: "payload_too_large", status: 413, summary: "The body is larger than 1 MiB" },
    ErrorCode { code: "unsupported_media_type", status: 415, summary: "The body is not application/json" },
    ErrorCode { code: "plan_not_held", status: 422, summary: "The account does not hold the plan" },
    ErrorCode { code: "plan_archived", status: 422, summary: "The plan is not provisioned anew" },
    ErrorCode { code: "occurred_at_out_of_range", status: 422, summary: "The time lies more than five minutes ahead" },
    ErrorCode { code: "inventory_below_zero", status: 422, summary: "The total would fall below zero" },
    ErrorCode { code: "not_inventory", status: 422, summary: "The resource type counts no inventory" },
    ErrorCode { code: "not_concurrent", status: 422, summary: "The resource type has no concurrency limit" },
    ErrorCode { code: "use_acquire_lease", status: 422, summary: "The resource type is limited by leases" },
    ErrorCode { code: "not_grantable", status: 422, summary: "The resource type takes no grants" },
    ErrorCode { code: "not_correctable", status: 422, summary: "A correction is not corrected" },
    ErrorCode { code: "too_many_scopes", status: 422, summary: "The tree has too many scopes" },
    ErrorCode { code: "tree_too_deep", status: 422, summary: "The tree is too deep" },
    ErrorCode { code: "parent_has_no_children", status: 422, summary: "Accounts of this type have no children" },
    ErrorCode { code: "unknown_code", status: 422, summary: "A code that does not exist" },
    ErrorCode { code: "quantity_overflow", status: 422, summary: "The sum exceeds what a sum can hold" },
    ErrorCode { code: "invalid_catalogue", status: 422, summary: "The catalogue does not hold together" },
    ErrorCode { code: "internal_error", status: 500, summary: "The service failed" },
    ErrorCode { code: "store_unavailable", status: 503, summary: "The store cannot be reached or written to" },
    ErrorCode { code: "busy", status: 503, summary: "Too many requests wait" },
    ErrorCode { code: "shutting_down", status: 503, summary: "The service is shutting down" },
];
