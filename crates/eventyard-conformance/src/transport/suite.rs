//! The list of all cases.

/// Makes a `#[test]` of every case, in a module a theme, on the broker that a factory makes:
/// an `async fn() -> transport::Fixture` in scope where the macro is used.
///
/// See the [module's documentation](crate::transport) for an example.
#[macro_export]
macro_rules! transport_suite {
    ($factory:ident) => {
        $crate::transport_cases! { $factory
            broadcast {
                every_subscription_hears
                own_events_are_not_heard
                own_events_are_heard_on_request
                only_events_that_match
                in_the_order_of_publishing
                nothing_from_before
                an_interruption_is_told
            }
            group {
                each_event_goes_to_one_member
                every_group_gets_each_event
                a_declared_group_keeps_events
                declaring_again_changes_nothing
                only_events_that_match
                own_events_count_as_handled
                own_events_are_heard_on_request
                the_lag_is_told
                an_interruption_loses_nothing
            }
            redelivery {
                what_is_acked_does_not_come_again
                what_is_nacked_comes_again
                what_is_dropped_comes_again
                another_takes_over
                a_poison_event_is_given_up
                a_rejected_event_is_given_up_at_once
            }
            wholeness {
                an_event_comes_out_as_it_went_in
                a_batch_is_answered_in_order
                a_large_batch_arrives
                what_is_counted
            }
            closing {
                a_closed_transport_refuses
                closing_ends_subscriptions
                closing_is_for_one_node
            }
        }
    };
}

/// Makes the tests of [`transport_suite!`].
#[doc(hidden)]
#[macro_export]
macro_rules! transport_cases {
    ($factory:ident $($theme:ident { $($case:ident)* })*) => {
        $(mod $theme {
            $(#[test]
            fn $case() {
                $crate::transport::run(super::$factory, $crate::transport::$theme::$case);
            })*
        })*
    };
}
