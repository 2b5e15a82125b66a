//! One live predicate: over random histories the auth check, lists, counts, stats, previews and bulk acts agree.

use domain::{
    Actor,
    session::{SessionFilter, SessionSort, SessionState},
    settings::Settings,
    time::{DAY, HOUR, MINUTE},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use services::{SignedIn, Which};

use crate::world::{World, each, from};

#[derive(Clone, Debug)]
enum Step {
    SignIn { person: usize, remember: bool },
    Touch(usize),
    Seen(usize),
    SignOut(usize),
    Revoke { person: usize },
    Disable(usize),
    Enable(usize),
    CleanUp { days: i64 },
    Wait { minutes: i64 },
    Flush,
    Restart,
}

const PEOPLE: [&str; 3] = ["ada", "bob", "eve"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let person = 0..PEOPLE.len();
    let session = 0..40_usize;
    let step = prop_oneof![
        6 => (person.clone(), any::<bool>()).prop_map(|(person, remember)| Step::SignIn { person, remember }),
        6 => session.clone().prop_map(Step::Touch),
        2 => session.clone().prop_map(Step::Seen),
        2 => session.prop_map(Step::SignOut),
        1 => person.clone().prop_map(|person| Step::Revoke { person }),
        1 => person.clone().prop_map(Step::Disable),
        2 => person.prop_map(Step::Enable),
        2 => (0..3_i64).prop_map(|days| Step::CleanUp { days }),
        6 => prop_oneof![0..3_i64, 20..1_500_i64].prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Flush),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..25)
}

struct History<'a> {
    first: &'a World,
    /// After a restart, the server that came after `first`.
    next: Option<World>,
    made: Vec<SignedIn>,
}

impl History<'_> {
    fn world(&self) -> &World {
        self.next.as_ref().unwrap_or(self.first)
    }

    async fn step(&mut self, step: &Step) {
        let w = self.world();
        let (sessions, accounts, operator) = (&w.services.sessions, &w.services.accounts, &Actor::Operator);
        let one = |n: usize| (!self.made.is_empty()).then(|| &self.made[n % self.made.len()]);
        match step {
            Step::SignIn { person, remember } => {
                let row = accounts.one(operator, PEOPLE[*person]).await.unwrap();
                let card = accounts.card(operator, row.user.id).await.unwrap();
                let made = sessions.create(&card, *remember, &from()).await;
                assert_eq!(made.is_ok(), row.disabled_at.is_none());
                self.made.extend(made);
            }
            Step::Touch(n) => {
                if let Some(s) = one(*n)
                    && let Some(live) = w.check(s.token.expose()).await
                {
                    sessions.touch(&live, w.clock.now());
                }
            }
            Step::Seen(n) => {
                if let Some(s) = one(*n)
                    && let Some(live) = w.check(s.token.expose()).await
                {
                    sessions.seen(&live, w.clock.now());
                }
            }
            Step::SignOut(n) => {
                if let Some(s) = one(*n) {
                    sessions.sign_out(&s.session.actor(), &s.session).await.unwrap();
                }
            }
            Step::Revoke { person } => {
                let filter = SessionFilter { user: Some(PEOPLE[*person].into()), ..SessionFilter::default() };
                let which = || Which::Filter(filter.clone());
                let preview = sessions.revoke(operator, which(), false, true).await.unwrap();
                assert_eq!(sessions.revoke(operator, which(), false, false).await.unwrap(), preview);
            }
            Step::Disable(person) => accounts.disable(operator, PEOPLE[*person]).await.unwrap(),
            Step::Enable(person) => accounts.enable(operator, PEOPLE[*person]).await.unwrap(),
            Step::CleanUp { days } => {
                sessions.clean_up(operator, Some(days * DAY)).await.unwrap();
            }
            Step::Wait { minutes } => w.clock.advance(minutes * MINUTE),
            Step::Flush => sessions.flush().await.unwrap(),
            Step::Restart => {
                w.services.flush().await;
                let again = w.another(false).await;
                if let Some(old) = self.next.replace(again) {
                    old.services.store.close().await;
                }
            }
        }
    }

    async fn agree(&self) {
        let w = self.world();
        let (sessions, operator, now) = (&w.services.sessions, &Actor::Operator, w.clock.now());
        let mut open = vec![];
        for s in &self.made {
            if let Some(live) = w.check(s.token.expose()).await {
                assert!(live.is_live(now) && live.span().is_live(now));
                open.push(live.id);
            }
        }
        open.sort_unstable();
        let live = SessionFilter { state: Some(SessionState::Live), ..SessionFilter::default() };
        let page = sessions.list(operator, &live, SessionSort::Activity, 200, None).await.unwrap();
        let mut listed: Vec<_> = page.items.iter().map(|v| v.id).collect();
        listed.sort_unstable();
        assert_eq!(listed, open, "the list and the auth check");
        let all = sessions.list(operator, &SessionFilter::default(), SessionSort::Started, 200, None).await.unwrap();
        let marked = all.items.iter().filter(|v| v.state == SessionState::Live).count();
        let n = open.len() as u64;
        let stats = sessions.stats(operator).await.unwrap();
        let preview = sessions.revoke(operator, Which::Filter(SessionFilter::default()), true, true).await.unwrap();
        let count = sessions.count(operator, &live).await.unwrap();
        assert_eq!([marked as u64, stats.now.live, preview, count, page.total.unwrap()], [n; 5]);
        assert_eq!(stats.total, stats.now.live + stats.ended + stats.expired_uncleaned);
        let ended = SessionFilter { state: Some(SessionState::Ended), ..SessionFilter::default() };
        assert_eq!(sessions.count(operator, &ended).await.unwrap(), stats.total - n);
    }
}

#[tokio::test]
async fn all_agree_over_random_histories() {
    let mut settings = Settings { session_limit: 4, ..Settings::default() };
    settings.lifetimes.max = 3 * DAY;
    settings.lifetimes.remember = Some(2 * DAY);
    settings.lifetimes.idle = 6 * HOUR;
    each(settings, async |w| {
        for name in PEOPLE {
            w.person(name, "member", None).await;
        }
        let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
        let mut runner = TestRunner::deterministic();
        for _ in 0..cases {
            let story = steps().new_tree(&mut runner).unwrap().current();
            let mut history = History { first: w, next: None, made: vec![] };
            for step in &story {
                history.step(step).await;
                history.agree().await;
            }
            w.sql("DELETE FROM sessions").await;
            w.sql("UPDATE users SET disabled_at = NULL").await;
            if let Some(next) = history.next {
                next.services.store.close().await;
            }
        }
    })
    .await;
}
