//! Policies, attempts, deadlines and the budget, one after the other.

use proptest::prelude::*;

use super::*;

const EVERY_CODE: [ErrorCode; 9] = [
    Timeout,
    ErrorCode::Cancelled,
    Busy,
    Declined,
    UnexpectedError,
    ErrorCode::BadRequest,
    NetworkError,
    ErrorCode::Unhealthy,
    FatalProtocolError,
];

const EVERY_POLICY: [RetryOn; 5] = [
    RetryOn::ConnectionError,
    RetryOn::Never,
    RetryOn::NonIdempotent,
    RetryOn::Unexpected,
    RetryOn::Idempotent,
];

/// After the first attempt, with a second left and an untouched budget.
fn decide(on: RetryOn, code: ErrorCode, acted: Acted) -> Decision {
    let now = Instant::now();
    let retry = Retry {
        on,
        ..Retry::default()
    };
    let deadline = now + Duration::from_secs(1);
    retry.next(Failure { code, acted }, 1, now, deadline, 0, &plenty(now))
}

fn plenty(now: Instant) -> Budget {
    Budget::new(0, 1000, now)
}

#[track_caller]
fn check_retried(on: RetryOn, acted: Acted, expected: &[ErrorCode]) {
    let retried = |code: &ErrorCode| matches!(decide(on, *code, acted), Decision::Retry { .. });
    let codes: Vec<_> = EVERY_CODE.into_iter().filter(retried).collect();
    assert_eq!(codes, expected, "{on:?}, acted: {acted:?}");
}

#[test]
fn what_was_sent_is_retried_only_if_refused_unbegun_or_vouched_for() {
    check_retried(RetryOn::Never, Acted::Maybe, &[]);
    check_retried(RetryOn::NonIdempotent, Acted::Maybe, &[Busy, Declined]);
    check_retried(RetryOn::ConnectionError, Acted::Maybe, &[Busy, Declined]);
    check_retried(
        RetryOn::Unexpected,
        Acted::Maybe,
        &[
            Busy,
            Declined,
            UnexpectedError,
            NetworkError,
            FatalProtocolError,
        ],
    );
    check_retried(
        RetryOn::Idempotent,
        Acted::Maybe,
        &[
            Timeout,
            Busy,
            Declined,
            UnexpectedError,
            NetworkError,
            FatalProtocolError,
        ],
    );
}

#[test]
fn what_was_never_sent_is_retried_by_default_after_a_failed_connection() {
    check_retried(RetryOn::Never, Acted::No, &[]);
    check_retried(RetryOn::NonIdempotent, Acted::No, &[Busy, Declined]);
    check_retried(
        RetryOn::ConnectionError,
        Acted::No,
        &[Busy, Declined, NetworkError, FatalProtocolError],
    );
}

#[test]
fn the_reason_tells_a_code_that_is_not_retried_from_a_call_that_may_have_run() {
    let reason = |on, code| decide(on, code, Acted::Maybe);
    assert_eq!(
        reason(RetryOn::ConnectionError, NetworkError),
        Decision::GiveUp(GiveUp::MayHaveActed)
    );
    assert_eq!(
        reason(RetryOn::ConnectionError, Timeout),
        Decision::GiveUp(GiveUp::NotRetried)
    );
    assert_eq!(
        reason(RetryOn::Idempotent, ErrorCode::BadRequest),
        Decision::GiveUp(GiveUp::NotRetried)
    );
}

#[test]
fn the_first_retry_goes_out_at_once_and_later_ones_wait_longer() {
    let now = Instant::now();
    let after = |attempt| {
        Retry::default().next(
            busy(),
            attempt,
            now,
            now + Duration::from_secs(9),
            u64::MAX,
            &plenty(now),
        )
    };
    assert_eq!(
        after(1),
        Decision::Retry {
            after: Duration::ZERO
        }
    );
    assert_eq!(
        after(2),
        Decision::Retry {
            after: Duration::from_nanos(9_999_999)
        }
    );
    assert_eq!(
        after(3),
        Decision::Retry {
            after: Duration::from_nanos(19_999_999)
        }
    );
}

#[test]
fn five_attempts_are_all_there_are() {
    let now = Instant::now();
    let decide = |attempt| Retry::default().next(busy(), attempt, now, now + DAY, 0, &plenty(now));
    assert!(matches!(decide(4), Decision::Retry { .. }));
    assert_eq!(decide(5), Decision::GiveUp(GiveUp::AttemptsSpent));
}

#[test]
fn an_attempt_needs_a_whole_millisecond_before_the_deadline() {
    let now = Instant::now();
    let decide = |left| Retry::default().next(busy(), 1, now, now + left, 0, &plenty(now));
    assert_eq!(
        decide(Duration::from_micros(999)),
        Decision::GiveUp(GiveUp::DeadlineNear)
    );
    assert_eq!(
        decide(Duration::from_millis(1)),
        Decision::Retry {
            after: Duration::ZERO
        }
    );
}

#[test]
fn a_wait_that_would_end_past_the_deadline_is_not_begun() {
    let now = Instant::now();
    let left = |millis| now + Duration::from_millis(millis);
    // The fourth attempt failed, so the wait is just below 40 ms.
    let decide = |deadline| Retry::default().next(busy(), 4, now, deadline, u64::MAX, &plenty(now));
    assert_eq!(decide(left(40)), Decision::GiveUp(GiveUp::DeadlineNear));
    assert!(matches!(decide(left(41)), Decision::Retry { .. }));
}

#[test]
fn a_spent_budget_ends_retries() {
    let now = Instant::now();
    let budget = Budget::new(0, 1, now);
    let decide = || Retry::default().next(busy(), 1, now, now + DAY, 0, &budget);
    assert_eq!(
        (0..20)
            .filter(|_| matches!(decide(), Decision::Retry { .. }))
            .count(),
        10
    );
    assert_eq!(decide(), Decision::GiveUp(GiveUp::BudgetSpent));
}

#[test]
fn an_attempt_that_found_no_connection_costs_no_budget() {
    let now = Instant::now();
    let budget = Budget::new(0, 0, now);
    let decide = |failure| Retry::default().next(failure, 1, now, now + DAY, 0, &budget);
    let unsent = Failure {
        code: ErrorCode::NetworkError,
        acted: Acted::No,
    };
    assert!(matches!(decide(unsent), Decision::Retry { .. }));
    assert_eq!(decide(busy()), Decision::GiveUp(GiveUp::BudgetSpent));
}

#[test]
fn a_retry_that_is_refused_for_another_reason_costs_no_budget() {
    let now = Instant::now();
    let budget = Budget::new(0, 1, now);
    for _ in 0..20 {
        let _ = Retry::default().next(busy(), 5, now, now + DAY, 0, &budget);
        let _ = Retry::default().next(busy(), 1, now, now, 0, &budget);
    }
    assert!(budget.try_spend(now));
}

fn busy() -> Failure {
    Failure {
        code: Busy,
        acted: Acted::Maybe,
    }
}

const DAY: Duration = Duration::from_secs(86_400);

proptest! {
    #[test]
    fn no_retry_begins_past_the_deadline_or_the_last_attempt(
        code in prop::sample::select(&EVERY_CODE[..]),
        on in prop::sample::select(&EVERY_POLICY[..]),
        sent: bool, attempt in 1..9u32, left_ms in 0..60u64, random: u64,
    ) {
        let now = Instant::now();
        let deadline = now + Duration::from_millis(left_ms);
        let acted = if sent { Acted::Maybe } else { Acted::No };
        let retry = Retry { on, ..Retry::default() };
        if let Decision::Retry { after } =
            retry.next(Failure { code, acted }, attempt, now, deadline, random, &plenty(now))
        {
            prop_assert!(now + after < deadline);
            prop_assert!(attempt < 5);
            prop_assert!(on != RetryOn::Never);
        }
    }
}
