//! The list of all cases.

/// Makes a `#[test]` of every case, in a module a theme, on the store that a factory makes:
/// an `async fn() -> Fixture` in scope where the macro is used.
///
/// See the [crate's documentation](crate) for an example. `store_suite!(without random, factory)` leaves out the random
/// sequences, which take longer than all cases: for one more version of a server that is tested with them.
#[macro_export]
macro_rules! store_suite {
    ($factory:ident) => {
        $crate::store_suite!(without random, $factory);

        mod random {
            #[test]
            fn agrees_with_memory() {
                $crate::random::agrees_with_memory(super::$factory);
            }
        }
    };
    (without random, $factory:ident) => {
        $crate::store_cases! { $factory
            admin {
                retry_is_for_finished_jobs
                promote_is_for_delayed_jobs
                remove_is_for_all_but_active_jobs
                retry_begins_afresh
                retry_runs_a_completed_job_again
                a_pause_holds_jobs_back
                a_pause_is_of_one_queue
                clean_removes_old_jobs
                clean_works_on_every_state
                forget_is_for_empty_queues
            }
            atomicity {
                a_refused_write_leaves_nothing_of_its_commit
                a_refused_write_undoes_the_one_before_it
                a_refused_commit_leaves_the_lease
                what_a_handler_publishes_leaves_with_its_settlement
                a_refused_commit_is_alone
                writes_see_those_before_them
                commits_see_those_before_them
            }
            cancellation {
                whatever_is_not_finished
                a_running_job_loses_its_lease
                the_attempt_is_on_record
                nobody_else_is_told
                kept_by_its_options
                a_cancelled_job_can_be_retried
                a_handler_does_not_cancel_its_own_job
            }
            changing {
                data_of_unfinished_jobs
                priorities_of_waiting_jobs
                times_of_waiting_jobs
                the_next_attempt_gets_the_data
                an_event_stays_as_it_was
                a_new_priority_is_a_new_place
                a_priority_does_not_end_a_delay
                priorities_have_a_range
                a_new_time_replaces_the_old_one
                a_new_time_wakes
                changes_stay_inside_a_key
            }
            closing {
                a_closed_store_refuses
                closing_ends_waiting_claims
            }
            concurrency {
                each_job_is_handed_out_once
                waiting_workers_get_all_jobs
                dropped_claims_lose_nothing
                one_publisher_is_first
                versions_are_not_lost
                one_settlement_wins
            }
            deduplication {
                while_it_is_not_finished
                until_it_ends_in_any_way
                only_the_same_is_dropped
                for_a_time
                upkeep_keeps_what_holds
                for_a_time_that_is_extended
                the_last_one_runs
                replacing_within_a_time
                the_last_is_kept_while_one_runs
                what_is_kept_waits_for_the_end
                a_refused_commit_says_nothing
                an_id_that_comes_back_begins_anew
                a_kept_job_whose_id_is_taken_is_dropped
                forgetting_a_queue
            }
            delay {
                not_before_its_time
                run_at_is_an_instant
                the_earliest_runs_first
                its_place_is_the_one_of_its_time
                options_hold_when_the_time_comes
                every_operation_notices_the_time
                what_runs_again_later_is_delayed
                the_time_comes_before_the_write
                a_long_delay_holds
            }
            document {
                versions_count_the_writes
                a_conflict_is_refused
                listings_are_by_key
                a_prefix_is_no_pattern
                collections_are_apart
                pages_follow_each_other
                any_bytes_up_to_the_bound
            }
            enqueue {
                a_job_comes_out_as_it_went_in
                an_event_in_a_job_comes_out_whole
                a_repeat_changes_nothing
                a_repeat_within_one_call_is_seen
                ids_belong_to_their_queue
                a_removed_id_is_free_again
                a_batch_is_answered_in_order
                a_queue_is_known_from_its_first_job
            }
            event_log {
                an_event_becomes_jobs
                an_unrouted_event_is_kept
                a_repeat_changes_nothing
                a_job_that_exists_stays
                the_newest_comes_first
                pages_follow_each_other
                filters_narrow_the_listing
                old_events_are_forgotten
                surplus_events_are_forgotten
                an_event_stays_with_its_job
                forgetting_is_bounded
                a_forgotten_event_is_new_again
                events_are_kept_whole
                a_publish_and_a_prune_do_not_race
            }
            expiry {
                at_the_very_millisecond
                a_delay_comes_before
                children_come_before
                a_new_time_comes_before
                what_has_begun_stays
                a_retry_of_an_expired_job
                expired_jobs_are_kept_by_their_options
                a_pause_does_not_stop_it
                what_ended_does_not_expire
            }
            feed {
                nobody_listens
                the_life_of_a_job
                where_a_job_comes_from
                failures_are_told
                operators_are_told_of
                the_last_job_drains_a_queue
                what_did_not_happen_is_not_told
                all_queues_have_one_feed
                a_subscriber_comes_back
                a_subscriber_waits
                flows_are_told
            }
            flows {
                three_levels
                a_parent_waits
                a_parent_without_children_runs
                options_hold_when_children_have_ended
                a_removed_child_is_not_waited_for
                a_child_that_retention_removes_is_not_waited_for
                a_late_child_is_not_added
                a_child_may_come_later
                a_wrong_child_is_refused
                a_completed_job_is_taken_as_a_child
                a_handler_waits_for_children
                waiting_for_nothing_ends_at_once
                children_outlive_their_parent
                a_retried_parent_waits_again
                children_are_paged
                a_removed_child_may_come_again
                a_delay_holds_once
            }
            keys {
                a_newcomer_does_not_wait_for_a_backlog
                keys_take_turns
                a_claim_of_many_is_fair
                a_claim_of_very_many_is_fair
                turns_begin_with_the_first_key
                weights_are_shares
                jobs_without_a_key_take_turns_together
                the_order_holds_inside_a_key
                nothing_is_gained_by_being_away
                a_paused_key_is_held_back
                a_pause_of_a_key_is_of_its_queue
                busy_keys_are_listed
                waiting_jobs_are_listed_by_key
                odd_keys_are_just_keys
            }
            lease {
                a_late_acknowledgement_is_refused
                a_second_settlement_is_refused
                of_a_batch_each_lease_is_judged_by_itself
                a_stale_commit_writes_nothing
                tokens_cannot_be_borrowed
                a_lease_holds_until_somebody_takes_over
                a_renewal_counts_from_now
                renewals_are_answered_one_by_one
                a_token_leads_to_its_job
                a_release_ends_the_lease
            }
            limits {
                concurrency_holds_over_all_workers
                concurrency_of_a_key
                a_lower_limit_waits_for_what_runs
                limits_are_replaced
                a_rate_holds_in_every_second
                a_rate_of_keys_is_of_each
                a_key_takes_turns_from_when_its_rate_allows
                a_key_takes_turns_whatever_happens_meanwhile
                keys_that_may_go_on_do_so_by_name
                what_ended_counts_on
                a_new_rate_replaces_the_old_one
                a_full_queue_refuses
                what_waits_counts
                a_limit_holds_within_its_commit
            }
            listing {
                counts_and_listings_agree
                each_state_has_its_order
                all_queues_are_listed_together
                cursors_survive_changes
                the_last_page_is_the_last
                a_wrong_cursor_is_refused
                upkeep_and_counts_agree
            }
            odd {
                odd_ids_are_just_ids
                odd_queues_are_just_queues
                odd_events_are_just_events
                payloads_pass_through
                results_pass_through
                odd_workers_are_just_workers
            }
            on_fail {
                wait_is_for_a_retry
                wait_ends_with_a_removal
                an_attempt_is_not_the_end
                fail_goes_up
                a_failed_parent_is_kept_by_its_options
                continue_does_not_wait
                ignore_waits_for_the_others
                a_second_end_is_noted
                every_failure_counts
            }
            opening {
                by_a_rate
                by_the_rate_of_a_key
                by_room
                by_room_for_a_key
                by_new_limits
                by_the_end_of_a_keys_pause
                by_an_ordered_key
                by_a_released_parent
                by_a_parent_that_need_not_wait
                by_a_job_that_was_kept
                by_the_expiry_of_a_child
            }
            ordered {
                one_at_a_time
                not_without_a_key
                a_retry_holds_its_key
                a_takeover_keeps_its_place
                a_delayed_job_holds_nothing
                an_operator_frees_a_key
                an_order_comes_and_goes
                changes_to_a_job_that_holds
            }
            ordering {
                first_in_first_out
                a_claim_takes_at_most_what_it_asks_for
                lower_priorities_run_first
                last_in_first_out
                a_release_goes_back_to_its_place
                a_place_is_kept_over_releases
                what_runs_again_goes_to_the_back
                lifo_holds_when_a_job_runs_again
            }
            retention {
                a_day_or_the_last_thousand
                failed_jobs_stay_a_week
                removed_at_once
                a_count_bounds_one_list
                the_first_to_finish_goes_first
                forever_is_forever
                expiry_is_bounded
                running_again_ends_the_expiry
                a_pause_does_not_stop_expiry
            }
            settlement {
                complete_keeps_the_result
                fail_makes_a_dead_letter
                a_retry_is_on_record
                a_snooze_and_a_release_do_not_count
                records_are_bounded
                progress_is_shown
                a_log_is_kept
                a_log_is_bounded
                other_writes_may_follow_the_settlement
                contradictions_are_refused
            }
            steps {
                listed_in_the_order_of_saving
                replaced_at_its_place
                saved_in_the_jobs_name_alone
                saved_under_a_lease_that_holds
                whatever_becomes_of_the_attempt
                a_takeover_keeps_them
                a_retry_keeps_them
                a_release_keeps_them
                gone_with_the_job
                gone_with_what_is_removed_together
                an_id_that_comes_back_begins_anew
                apart_from_those_of_other_jobs
                undone_with_their_commit
                odd_names_and_any_bytes
                results_have_a_bound
                the_most_of_one_job
            }
            takeover {
                an_ended_lease_puts_the_job_at_the_back
                lifo_holds_over_a_takeover
                the_last_crash_buries_the_job
                a_retry_forgives_the_crashes
                only_crashes_count
                a_buried_job_is_kept_by_its_options
                upkeep_is_bounded
                a_renewed_lease_is_left_alone
                a_pause_does_not_stop_takeovers
            }
            timeline {
                of_emails
                of_notifications
                of_tickets
                of_a_waiting_worker
            }
            waking {
                by_a_new_job
                by_an_event
                by_the_time_of_a_delayed_job
                by_a_job_delayed_meanwhile
                by_the_end_of_a_pause
                by_a_job_that_runs_again
                by_an_operator
                by_the_end_of_its_patience
                by_its_own_queue_alone
                by_a_promotion_on_the_way
                each_job_wakes_one_claim
                many_jobs_wake_many_claims
                a_dropped_claim_takes_nothing
                at_the_very_millisecond
            }
        }
    };
}

/// Makes the tests of [`store_suite!`] from the list there.
#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ($factory:ident $($theme:ident { $($case:ident)+ })+) => {$(
        mod $theme {
            $(
                #[test]
                fn $case() {
                    $crate::run(super::$factory, $crate::$theme::$case);
                }
            )+
        }
    )+};
}
