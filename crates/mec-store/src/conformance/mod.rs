//! What every store must do, as cases that go through the trait alone.
//!
//! A store's tests name a function that makes a new store for a case and call
//! [`conformance_tests!`](crate::conformance_tests) with it; each case becomes a test of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a case is a test and ends by panicking"
)]
#![allow(
    missing_docs,
    reason = "the name of a case is the sentence that it proves"
)]

pub mod accounts;
pub mod api_keys;
pub mod batches;
pub mod catalogues;
pub mod events;
pub mod given;
pub mod holds;
pub mod keys;
pub mod lookups;
pub mod moves;
pub mod names;
pub mod namespaces;
pub mod parts;
pub mod queries;
pub mod retention;
pub mod sums;

use std::sync::atomic::{AtomicI64, Ordering};

use mec_core::{IdSource, Timestamp};
use uuid::Uuid;

use crate::Clock;

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that stands at a moment.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count up.
#[derive(Debug, Default)]
pub struct TestIds(u128);

impl IdSource for TestIds {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128((1 << 96) + self.0)
    }
}

/// One test for each case. `$with` is called with an asynchronous closure that takes the new store
/// and its [`TestClock`], which stands at [`given::NOW`].
#[macro_export]
macro_rules! conformance_tests {
    ($with:path) => {
        $crate::conformance_tests! { @cases $with =>
            keys: a_new_key_is_free, a_kept_key_is_taken_with_its_answer, keys_are_told_in_the_order_asked,
                a_key_twice_is_refused_and_names_its_command;
            batches: a_dropped_batch_leaves_no_trace, a_refused_commit_leaves_no_trace,
                after_a_refused_commit_counters_do_not_mix, a_commit_is_seen_by_all_that_follows,
                the_clock_is_read_when_the_batch_begins, a_tree_is_new_once, a_healthy_store_says_so,
                a_batch_tells_the_heads_of_its_trees, a_batch_tells_the_versions_of_catalogues,
                references_are_located_in_their_order;
            accounts: an_account_is_found_by_its_names, ancestors_are_told_nearest_first,
                an_external_id_is_unique_in_its_namespace, an_account_keeps_its_parent_when_updated,
                a_child_of_nobody_is_refused, things_are_found_at_their_account;
            parts: an_unknown_account_has_no_part, entitlements_come_with_their_conditions,
                superseded_entitlements_are_left_out, an_entitlement_is_replaced_at_its_version_only,
                canceled_subscriptions_are_left_out, open_grants_are_told_and_others_remembered,
                a_lapsed_grant_is_still_loaded, grace_clocks_start_move_and_stop, scopes_are_told_by_resource,
                own_totals_are_of_one_scope;
            holds: a_lease_holds_at_every_level_until_its_moment, a_heartbeat_extends_every_level,
                a_released_lease_holds_nothing, a_reservation_holds_until_its_moment,
                a_reservation_that_ended_holds_nothing_and_is_kept, many_short_leases_leave_nothing_behind;
            sums: a_counter_without_usage_is_zero, every_range_is_exact, split_minutes_count_from_their_start,
                scopes_and_draws_are_counters_of_their_own, negative_amounts_carry, sums_exceed_64_bits,
                a_sum_that_would_overflow_is_refused, rolling_hours_and_minutes;
            events: an_event_comes_back_whole, corrections_make_the_net, draws_are_net_and_in_order,
                an_event_is_recorded_once;
            queries: usage_counts_children_or_not, usage_in_bounds, series_by_bucket, series_by_scope,
                series_by_account, series_by_detail, a_series_is_cut_at_its_limit;
            catalogues: the_first_namespace_is_seeded, an_unknown_namespace_has_an_empty_catalogue,
                a_catalogue_is_told_when_newer, what_accounts_use_is_told, a_draft_replaces_what_nothing_uses, what_is_used_stays,
                templates_and_rules_keep_their_identity;
            lookups: rows_of_all_namespaces_are_replaced_and_their_version_rises, what_is_new_is_in_every_catalogue,
                a_row_in_use_changes_only_its_description, a_unit_is_in_use_as_long_as_anything_was_recorded_in_it,
                window_and_account_types_are_in_use_by_what_names_them;
            moves: a_subtree_joins_another_tree_with_what_it_holds, a_move_within_a_tree_keeps_what_is_held_above,
                an_account_becomes_the_owner_of_a_tree, what_was_recorded_stays_where_it_was_recorded,
                levels_below_are_counted, a_move_into_another_tree_than_the_committed_one_is_refused,
                what_a_tree_holds_ends_by_its_own_time;
            retention: what_is_old_goes_in_steps_and_the_ledger_stays;
            names: a_linked_id_names_its_account_until_it_is_unlinked, an_id_of_a_provider_is_linked_to_one_account,
                an_external_id_passes_to_another_tree_in_one_commit, a_superseded_entitlement_is_loaded_by_its_id,
                a_grant_stays_at_its_account;
            api_keys: a_key_comes_back_whole_and_by_its_namespace, an_id_of_a_key_is_not_given_twice,
                a_key_is_revoked_in_its_own_namespace_and_once, when_a_key_was_used_moves_forward_only;
            namespaces: the_same_ids_in_two_namespaces_never_meet;
        }
    };
    (@cases $with:path => $($module:ident: $($case:ident),+;)+) => {
        $($(
            #[test]
            fn $case() {
                $with(async |store, clock| $crate::conformance::$module::$case(store, clock).await);
            }
        )+)+
    };
}
