//! The table of error codes: what each means and with which HTTP status it is answered.
//! `docs/errors.md` has a place for every row.

use axum::http::StatusCode;

/// One row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorCode {
    /// The `code` of the error body.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it means, in one sentence.
    pub summary: &'static str,
}

impl ErrorCode {
    /// The row of a code.
    pub fn find(code: &str) -> Option<&'static Self> {
        CODES.iter().find(|row| row.code == code)
    }

    /// The HTTP status; 500 for a row that names none.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// All error codes, by status.
#[rustfmt::skip]
pub const CODES: &[ErrorCode] = &[
    // 400: the request is not well formed; its author must change it.
    ErrorCode { code: "invalid_json", status: 400, summary: "The body is not one JSON object." },
    ErrorCode { code: "duplicate_key", status: 400, summary: "A key stands twice in one object." },
    ErrorCode { code: "invalid_query", status: 400, summary: "The query string cannot be read." },
    ErrorCode { code: "invalid_value", status: 400, summary: "A value has the wrong type or form." },
    ErrorCode { code: "invalid_quantity", status: 400, summary: "A quantity is not above zero." },
    ErrorCode { code: "too_many_decimals", status: 400, summary: "A quantity has more decimal places than its unit." },
    ErrorCode { code: "unit_not_allowed", status: 400, summary: "The resource type does not allow the unit." },
    ErrorCode { code: "too_many_items", status: 400, summary: "An array has more than 1,000 elements." },
    ErrorCode { code: "too_many_rows", status: 400, summary: "The answer would have more rows than one answer may." },
    ErrorCode { code: "missing_field", status: 400, summary: "A required column or field is missing." },
    ErrorCode { code: "missing_namespace", status: 400, summary: "The token is for all namespaces and the header MEC-Namespace names none." },
    ErrorCode { code: "PGRST204", status: 400, summary: "The table or body has no such column or field." },
    // 400 and its like: a query of resources, by PostgREST's codes and PostgreSQL's.
    ErrorCode { code: "PGRST100", status: 400, summary: "The query string cannot be read." },
    ErrorCode { code: "PGRST102", status: 400, summary: "The body cannot be read as rows." },
    ErrorCode { code: "PGRST108", status: 400, summary: "What the query speaks of is not embedded in it." },
    ErrorCode { code: "PGRST114", status: 400, summary: "PUT takes no limit and offset." },
    ErrorCode { code: "PGRST115", status: 400, summary: "The row of a PUT has another key than its address." },
    ErrorCode { code: "PGRST118", status: 400, summary: "Rows are not ordered by a column of many related rows." },
    ErrorCode { code: "PGRST119", status: 400, summary: "Only a related row that is one can be spread." },
    ErrorCode { code: "PGRST120", status: 400, summary: "An embedding is only asked whether it is null." },
    ErrorCode { code: "PGRST122", status: 400, summary: "With handling=strict a preference is not known." },
    ErrorCode { code: "PGRST123", status: 400, summary: "There are no aggregate functions." },
    ErrorCode { code: "PGRST124", status: 400, summary: "More rows would change than max-affected allows." },
    ErrorCode { code: "PGRST200", status: 400, summary: "The resources are not related." },
    ErrorCode { code: "PGRST201", status: 300, summary: "The resources are related in several ways; name one." },
    ErrorCode { code: "22003", status: 400, summary: "A number is beyond what its type holds." },
    ErrorCode { code: "22007", status: 400, summary: "A time cannot be read." },
    ErrorCode { code: "22025", status: 400, summary: "A pattern ends in its escape character." },
    ErrorCode { code: "22P02", status: 400, summary: "A value is not of its column's type." },
    ErrorCode { code: "2201B", status: 400, summary: "A regular expression cannot be read." },
    ErrorCode { code: "42601", status: 400, summary: "A search for words cannot be read." },
    ErrorCode { code: "42703", status: 400, summary: "The resource has no such column." },
    ErrorCode { code: "42704", status: 400, summary: "There is no such type or configuration." },
    ErrorCode { code: "42804", status: 400, summary: "The column is not true or false." },
    ErrorCode { code: "42846", status: 400, summary: "A value of the column's type has no such form." },
    ErrorCode { code: "query_too_complex", status: 400, summary: "The query asks for more than one query may." },
    ErrorCode { code: "42P10", status: 400, summary: "Rows are not told apart by the columns of on_conflict." },
    ErrorCode { code: "PGRST127", status: 400, summary: "These rows have no others embedded in them." },
    ErrorCode { code: "filter_required", status: 400, summary: "The resource is asked about what a filter names only." },
    ErrorCode { code: "query_refused", status: 400, summary: "The database refused the query." },
    // 401 and 403: who calls.
    ErrorCode { code: "missing_token", status: 401, summary: "The call needs a bearer token." },
    ErrorCode { code: "invalid_token", status: 401, summary: "The bearer token is malformed, forged, expired, or not meant for MEC." },
    ErrorCode { code: "insufficient_role", status: 403, summary: "The token's role or namespace does not allow the call." },
    ErrorCode { code: "42501", status: 403, summary: "The role may not read or write the resource." },
    // 404: what is named does not exist, or not for this caller.
    ErrorCode { code: "not_found", status: 404, summary: "There is nothing at this path." },
    ErrorCode { code: "PGRST202", status: 404, summary: "There is no function of this name with these arguments." },
    ErrorCode { code: "PGRST205", status: 404, summary: "There is no resource of this name." },
    ErrorCode { code: "42883", status: 404, summary: "The column's type has no such operator." },
    ErrorCode { code: "account_not_found", status: 404, summary: "The account does not exist." },
    ErrorCode { code: "parent_not_found", status: 404, summary: "The parent account does not exist." },
    ErrorCode { code: "unknown_resource_type", status: 404, summary: "The resource type does not exist." },
    ErrorCode { code: "unknown_window_type", status: 404, summary: "The window type does not exist." },
    ErrorCode { code: "event_not_found", status: 404, summary: "The event does not exist." },
    ErrorCode { code: "reservation_not_found", status: 404, summary: "The reservation does not exist." },
    ErrorCode { code: "grant_not_found", status: 404, summary: "The grant does not exist." },
    ErrorCode { code: "entitlement_not_found", status: 404, summary: "The entitlement does not exist." },
    ErrorCode { code: "plan_not_found", status: 404, summary: "The plan does not exist." },
    ErrorCode { code: "key_not_found", status: 404, summary: "The API key does not exist." },
    // 405 to 415: how it was asked.
    ErrorCode { code: "PGRST101", status: 405, summary: "The function does not take this HTTP method." },
    ErrorCode { code: "PGRST117", status: 405, summary: "The path does not take this HTTP method." },
    ErrorCode { code: "PGRST105", status: 405, summary: "PUT names one row by its key and nothing else." },
    ErrorCode { code: "PGRST106", status: 406, summary: "There is no such schema." },
    ErrorCode { code: "PGRST107", status: 406, summary: "None of the accepted media types can be given." },
    ErrorCode { code: "PGRST116", status: 406, summary: "One object was asked for, and the result has another number of rows." },
    ErrorCode { code: "request_timeout", status: 408, summary: "The body did not arrive in time." },
    // 409: in conflict with what is.
    ErrorCode { code: "idempotency_conflict", status: 409, summary: "The idempotency key was used with another call or other arguments." },
    ErrorCode { code: "plan_conflict", status: 409, summary: "The account holds another base plan." },
    ErrorCode { code: "session_conflict", status: 409, summary: "The session holds a live lease with another number of slots." },
    ErrorCode { code: "already_committed", status: 409, summary: "The reservation was committed with another quantity." },
    ErrorCode { code: "already_released", status: 409, summary: "The reservation was released." },
    ErrorCode { code: "already_exists", status: 409, summary: "An id that must be unique is taken." },
    ErrorCode { code: "row_changed", status: 409, summary: "The row changed meanwhile." },
    ErrorCode { code: "23503", status: 409, summary: "The row is in use, and stays what it is." },
    ErrorCode { code: "catalogue_changed", status: 409, summary: "The catalogue has another version than the change is meant for." },
    ErrorCode { code: "payload_too_large", status: 413, summary: "The body is larger than allowed." },
    ErrorCode { code: "uri_too_long", status: 414, summary: "The path and query are longer than allowed." },
    ErrorCode { code: "PGRST103", status: 416, summary: "The range lies beyond the rows." },
    ErrorCode { code: "unsupported_media_type", status: 415, summary: "The body is not application/json." },
    // 422: well formed, but impossible.
    ErrorCode { code: "column_is_fixed", status: 422, summary: "The column of a row that is there keeps its value." },
    ErrorCode { code: "query_too_slow", status: 422, summary: "The query takes longer than a query may." },
    ErrorCode { code: "answer_too_large", status: 422, summary: "The answer is larger than an answer may be." },
    ErrorCode { code: "unknown_code", status: 422, summary: "A value names a row that does not exist." },
    ErrorCode { code: "occurred_at_out_of_range", status: 422, summary: "p_occurred_at lies more than five minutes ahead, or before the year 1970." },
    ErrorCode { code: "inventory_below_zero", status: 422, summary: "The total of the inventory would fall below zero." },
    ErrorCode { code: "not_inventory", status: 422, summary: "The resource type counts no inventory." },
    ErrorCode { code: "not_concurrent", status: 422, summary: "The resource type has no concurrency limit." },
    ErrorCode { code: "use_acquire_lease", status: 422, summary: "The resource type is limited by leases and not metered." },
    ErrorCode { code: "not_grantable", status: 422, summary: "The resource type takes no grants." },
    ErrorCode { code: "not_correctable", status: 422, summary: "The event is itself a correction." },
    ErrorCode { code: "too_many_scopes", status: 422, summary: "The tree has the most scopes of the resource type already." },
    ErrorCode { code: "too_many_keys", status: 422, summary: "The namespace has the most API keys already." },
    ErrorCode { code: "tree_too_deep", status: 422, summary: "The tree is as deep as a tree may be." },
    ErrorCode { code: "parent_has_no_children", status: 422, summary: "Accounts of the parent's type have no children." },
    ErrorCode { code: "move_not_alone", status: 422, summary: "A move, or another change of two trees, stands beside other changes." },
    ErrorCode { code: "entitlement_superseded", status: 422, summary: "Another entitlement has taken the place of this one, or is about to." },
    ErrorCode { code: "grant_voided", status: 422, summary: "The grant was voided and does not change any more." },
    ErrorCode { code: "plan_not_held", status: 422, summary: "The account does not hold the plan." },
    ErrorCode { code: "plan_archived", status: 422, summary: "The plan is archived and not provisioned anew." },
    ErrorCode { code: "quantity_overflow", status: 422, summary: "A sum would exceed what a sum can hold." },
    ErrorCode { code: "invalid_catalogue", status: 422, summary: "The catalogue contradicts itself or what accounts use." },
    // 429 and 431: more than a client may send.
    ErrorCode { code: "rate_limited", status: 429, summary: "The client sent more requests than it may; Retry-After says when to come again." },
    ErrorCode { code: "headers_too_large", status: 431, summary: "The header fields are more or longer than allowed." },
    // 500 and 503: MEC's side.
    ErrorCode { code: "internal_error", status: 500, summary: "MEC failed; the cause is in its log under the request id." },
    ErrorCode { code: "store_unavailable", status: 503, summary: "The store cannot be reached or written to for now." },
    ErrorCode { code: "issuer_unavailable", status: 503, summary: "The keys of the token's issuer cannot be fetched for now." },
    ErrorCode { code: "busy", status: 503, summary: "Too many calls wait; try again in a moment." },
    ErrorCode { code: "timed_out", status: 503, summary: "The answer was not there in time; a change may have been made." },
    ErrorCode { code: "shutting_down", status: 503, summary: "This node is stopping; another takes over." },
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_code_stands_once() {
        for (index, row) in CODES.iter().enumerate() {
            assert!(
                CODES[..index].iter().all(|other| other.code != row.code),
                "{}",
                row.code
            );
            assert!((300..600).contains(&row.status), "{}", row.code);
        }
    }
}
