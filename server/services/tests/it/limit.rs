//! The limit of sessions: never above, and never below while slots are free.

use domain::{
    Actor, ErrorCode,
    session::{SessionFilter, SessionState},
    settings::{LimitPolicy, Settings},
    time::{HOUR, MINUTE},
};

use crate::{
    app_code::code,
    world::{PASSWORD, World, each, from},
};

fn limited(session_limit: u32, session_limit_policy: LimitPolicy) -> Settings {
    Settings { session_limit, session_limit_policy, login_throttle: false, ..Settings::default() }
}

/// Rounds of parallel sign-ins for each policy and database; `ROLLCALL_TEST_ROUNDS=200` for the whole proof.
fn rounds() -> u32 {
    std::env::var("ROLLCALL_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

/// Each round is somebody else's, most of them with a few sessions there already, so that slots are taken and free. They
/// come by every way in: a password, remembered or not, a code after it, and without either.
#[tokio::test]
async fn fifty_at_once_leave_exactly_five() {
    for policy in [LimitPolicy::Lru, LimitPolicy::Refuse] {
        each(limited(5, policy), async |w| {
            for round in 0..rounds() {
                fifty_at_once(w, policy, round).await;
            }
        })
        .await;
    }
}

async fn fifty_at_once(w: &World, policy: LimitPolicy, round: u32) {
    let (before, username) = ((round % 6) as usize, format!("ada-{round}"));
    let ada = w.user(&username).await;
    let steps = if round % 2 == 1 { second_steps(w, &username).await } else { vec![] };
    for _ in 0..before {
        w.session(&ada).await;
    }
    let tries: Vec<_> = (0..50)
        .map(|n: u32| {
            let (sessions, ada) = (w.services.sessions.clone(), ada.clone());
            // Half of them are remembered.
            let (step, with_factor, remember) =
                (steps.get(n as usize).cloned(), !steps.is_empty(), n.is_multiple_of(2));
            tokio::spawn(async move {
                loop {
                    // A password takes the processor a while: some of each, as in life.
                    let tried = match &step {
                        Some((token, code)) => sessions.second_factor(token, code, &from(), None).await,
                        None if n % 25 == round % 25 && !with_factor => {
                            sessions.sign_in(&ada.username, PASSWORD, remember, &from(), None).await
                        }
                        None => sessions.create(&ada, remember, &from()).await,
                    };
                    // A machine that is busy with other tests says 503, and people try again.
                    if !matches!(&tried, Err(e) if e.code == ErrorCode::Unavailable) {
                        return tried;
                    }
                }
            })
        })
        .collect();
    let mut good = vec![];
    for t in tries {
        match t.await.unwrap() {
            Ok(s) => good.push(s),
            Err(e) => assert_eq!((policy, e.code), (LimitPolicy::Refuse, ErrorCode::Conflict)),
        }
    }
    let live = SessionFilter { user: Some(username), state: Some(SessionState::Live), ..SessionFilter::default() };
    assert_eq!(w.services.sessions.count(&Actor::Operator, &live).await.unwrap(), 5, "round {round}");
    let mut open = 0;
    for s in &good {
        open += usize::from(w.opens(s).await);
    }
    // Those of before were the least recently used, and are counted when sign-ins are refused.
    assert_eq!(open, if policy == LimitPolicy::Lru { 5 } else { 5 - before }, "round {round}");
    assert_eq!(good.len(), if policy == LimitPolicy::Lru { 50 } else { 5 - before }, "round {round}");
}

/// Two second steps after a right password, as many as can wait at a time: one remembered, one not. Nothing is signed in.
async fn second_steps(w: &World, username: &str) -> Vec<(String, String)> {
    let signed_in = w.sign_in(username, PASSWORD).await.unwrap();
    let (actor, factor) = (signed_in.session.actor(), &w.services.second_factor);
    factor.begin(&actor).await.unwrap();
    let key = factor.enrolment(&actor).await.unwrap().unwrap().secret;
    let backup = factor.confirm(&actor, &code(&key, w.clock.now())).await.unwrap();
    w.services.sessions.sign_out(&actor, &signed_in.session).await.unwrap();
    let mut steps = vec![];
    for (remember, code) in [false, true].into_iter().zip(backup) {
        let asked = w.services.sessions.sign_in(username, PASSWORD, remember, &from(), None).await.unwrap_err();
        steps.push((asked.fields["token"].clone(), code));
    }
    steps
}

#[tokio::test]
async fn the_least_recently_used_goes_by_what_memory_knows() {
    each(limited(2, LimitPolicy::Lru), async |w| {
        let ada = w.person("ada", "member", None).await;
        let first = w.session(&ada).await;
        w.clock.advance(MINUTE);
        let second = w.session(&ada).await;
        w.clock.advance(MINUTE);
        w.services.sessions.touch(&first.session, w.clock.now());
        w.clock.advance(MINUTE);
        let third = w.session(&ada).await;
        assert!(w.opens(&first).await && !w.opens(&second).await && w.opens(&third).await);
        let reason = w.text("SELECT ended_reason FROM sessions WHERE ended_at IS NOT NULL").await;
        assert_eq!(reason.as_deref(), Some("limit"));
    })
    .await;
}

#[tokio::test]
async fn a_session_extended_in_memory_alone_still_counts() {
    each(limited(1, LimitPolicy::Refuse), async |w| {
        let ada = w.person("ada", "member", None).await;
        let s = w.session(&ada).await;
        w.clock.advance(23 * HOUR);
        w.services.sessions.touch(&s.session, w.clock.now());
        w.clock.advance(2 * HOUR);
        let refused = w.services.sessions.create(&ada, false, &from()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);
        w.clock.advance(24 * HOUR);
        assert!(w.services.sessions.create(&ada, false, &from()).await.is_ok(), "what timed out frees its slot");
    })
    .await;
}

#[tokio::test]
async fn a_lower_limit_and_shorter_lifetimes_reach_old_sessions_at_the_start() {
    each(limited(0, LimitPolicy::Lru), async |w| {
        let ada = w.person("ada", "member", None).await;
        let mut all = vec![];
        for _ in 0..4 {
            all.push(w.session(&ada).await);
            w.clock.advance(MINUTE);
        }
        let mut settings = limited(2, LimitPolicy::Lru);
        settings.lifetimes.idle = HOUR;
        let next = w.another_with(settings, true).await;
        let mut open = vec![];
        for s in &all {
            open.push(next.opens(s).await);
        }
        assert_eq!(open, [false, false, true, true]);
        w.clock.advance(HOUR - MINUTE);
        assert!(!next.opens(&all[3]).await, "an hour after its last activity");
        next.services.store.close().await;
    })
    .await;
}
