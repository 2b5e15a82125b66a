//! Lists, counts and bulk acts: one filter, one reach.

use domain::{
    Actor, ErrorCode,
    session::{EndReason, SessionFilter, SessionSort, SessionState},
    time::{DAY, HOUR, MINUTE},
    useragent::Kind,
};
use services::{AuditFilter, Origin, Which};

use crate::world::{World, each, keeping, unlimited};

async fn ids(w: &World, actor: &Actor, filter: &SessionFilter, sort: SessionSort, limit: u32) -> Vec<uuid::Uuid> {
    let (mut all, mut cursor) = (vec![], None::<String>);
    loop {
        let page = w.services.sessions.list(actor, filter, sort, limit, cursor.as_deref()).await.unwrap();
        assert_eq!(page.total.is_some(), cursor.is_none());
        assert!(page.items.len() <= limit as usize);
        all.extend(page.items.iter().map(|v| v.id));
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn pages_hold_everything_once_in_order() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let mut made = vec![];
        for n in 0..23 {
            made.push(w.session(&ada).await.session);
            // Ties on purpose.
            w.clock.advance(i64::from(n % 3 == 0));
        }
        let all = SessionFilter::default();
        let whole = ids(w, &Actor::Operator, &all, SessionSort::Started, 200).await;
        assert_eq!(whole.len(), 23);
        for limit in [1, 5, 22, 23] {
            assert_eq!(ids(w, &Actor::Operator, &all, SessionSort::Started, limit).await, whole, "{limit}");
        }
        w.clock.advance(MINUTE);
        w.services.sessions.touch(&made[4], w.clock.now());
        assert_eq!(ids(w, &Actor::Operator, &all, SessionSort::Activity, 7).await[0], made[4].id);
        let bad = w.services.sessions.list(&Actor::Operator, &all, SessionSort::Started, 5, Some("nonsense")).await;
        assert_eq!(bad.unwrap_err().code, ErrorCode::BadRequest);
    })
    .await;
}

#[tokio::test]
async fn filters_take_text_literally() {
    each(keeping(), async |w| {
        let sessions = &w.services.sessions;
        let ada = w.person("ada", "teacher", Some("Engines")).await;
        let odd = w.person("o_d", "member", Some("Ünion 100%")).await;
        w.session(&ada).await;
        w.clock.advance(HOUR);
        let phone =
            Origin { ip: "198.51.100.9".into(), user_agent: "Mozilla/5.0 (iPhone) Version/18.1 Safari/604.1".into() };
        sessions.create(&odd, false, &phone).await.unwrap();
        let number = async |f: SessionFilter| {
            let n = sessions.count(&Actor::Operator, &f).await.unwrap();
            let page = sessions.list(&Actor::Operator, &f, SessionSort::Started, 50, None).await.unwrap();
            assert_eq!((page.items.len() as u64, page.total), (n, Some(n)), "{f:?}");
            n
        };
        let f = SessionFilter::default;
        let q = |q: &str| SessionFilter { q: Some(q.into()), ..f() };
        assert_eq!(number(f()).await, 2);
        assert_eq!(number(q("_")).await, 1, "a wildcard is a letter");
        assert_eq!(number(q("%")).await, 0);
        assert_eq!(number(q("' OR 1=1 --")).await, 0);
        assert_eq!(number(q("a\0")).await, 0);
        assert_eq!(number(q("ADA")).await, 1);
        assert_eq!(number(q("100.9")).await, 1);
        assert_eq!(number(q("  ")).await, 2);
        assert_eq!(number(SessionFilter { user: Some("Ada".into()), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { role: Some("teacher".into()), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { org: Some("ünion 100%".into()), ..f() }).await, 1);
        let id = ada.organisation.as_ref().unwrap().id.to_string();
        assert_eq!(number(SessionFilter { org: Some(id), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { ip: Some("192.0.2.7".into()), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { device: Some(Kind::Phone), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { from: Some(w.clock.now()), ..f() }).await, 1);
        assert_eq!(number(SessionFilter { to: Some(w.clock.now()), ..f() }).await, 1);

        // Over by its time, and not cleaned up: ended everywhere, with its reason.
        w.clock.advance(23 * HOUR);
        let ended = SessionFilter { state: Some(SessionState::Ended), ..f() };
        let idle = SessionFilter { reason: Some(EndReason::IdleTimeout), ..f() };
        for clean in [false, true] {
            if clean {
                sessions.clean_up(&Actor::Operator, Some(DAY)).await.unwrap();
            }
            assert_eq!((number(ended.clone()).await, number(idle.clone()).await), (1, 1));
            let page = sessions.list(&Actor::Operator, &ended, SessionSort::Started, 50, None).await.unwrap();
            let v = &page.items[0];
            assert_eq!((v.state, v.ended_reason), (SessionState::Ended, Some(EndReason::IdleTimeout)));
            assert_eq!((v.ended_at, &v.ended_by), (Some(w.clock.now()), &None));
        }
    })
    .await;
}

#[tokio::test]
async fn a_manager_reaches_the_own_organisation_alone() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let boss = w.session(&w.person("boss", "manager", Some("One")).await).await.session;
        let mine = w.session(&w.person("mine", "member", Some("One")).await).await;
        let other = w.session(&w.person("other", "member", Some("Two")).await).await;
        let actor = boss.actor();
        let all = SessionFilter::default();
        let page = sessions.list(&actor, &all, SessionSort::Started, 50, None).await.unwrap();
        assert_eq!(page.total, Some(2));
        assert!(page.items.iter().all(|v| v.organisation.as_deref() == Some("One") && v.current == (v.id == boss.id)));
        let which = Which::Ids(vec![mine.session.id, other.session.id]);
        assert_eq!(sessions.revoke(&actor, which.clone(), false, true).await.unwrap(), 1, "a preview");
        assert!(w.opens(&mine).await);
        assert_eq!(sessions.revoke(&actor, which, false, false).await.unwrap(), 1, "is what happens");
        assert!(!w.opens(&mine).await && w.opens(&other).await);
        assert_eq!(sessions.stats(&actor).await.unwrap().now.live, 1);
        assert_eq!(sessions.clean_up(&actor, None).await.unwrap_err().code, ErrorCode::Forbidden);
        let member = other.session.actor();
        assert_eq!(sessions.count(&member, &all).await.unwrap_err().code, ErrorCode::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn bulk_acts_spare_the_own_session_and_are_written_down() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let admin = w.session(&w.person("root", "admin", None).await).await;
        let ada = w.person("ada", "member", None).await;
        for _ in 0..3 {
            w.session(&ada).await;
        }
        let all = || Which::Filter(SessionFilter::default());
        let actor = admin.session.actor();
        assert_eq!(sessions.revoke(&actor, all(), true, true).await.unwrap(), 4);
        assert_eq!(sessions.revoke(&actor, all(), false, true).await.unwrap(), 3);
        assert_eq!(sessions.revoke(&actor, all(), false, false).await.unwrap(), 3);
        let audit = &w.services.audit;
        let row = audit.list(&actor, &AuditFilter::default(), 1, None).await.unwrap().items.remove(0);
        assert_eq!(sessions.revoke(&actor, all(), false, false).await.unwrap(), 0, "only live ones");
        assert_eq!((row.actor.as_str(), row.action.as_str()), ("root", "sessions_revoked"));
        assert_eq!(row.details.unwrap()["number"], 3);
        let history = SessionFilter { user: Some("ada".into()), ..SessionFilter::default() };
        let page = sessions.list(&actor, &history, SessionSort::Started, 50, None).await.unwrap();
        assert!(page.items.iter().all(|v| v.ended_by.as_deref() == Some("root")));
        assert_eq!(sessions.revoke(&actor, all(), true, false).await.unwrap(), 1);
        assert!(!w.opens(&admin).await);
    })
    .await;
}

#[tokio::test]
async fn own_devices_are_one_s_own() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let ada = w.person("ada", "member", None).await;
        let here = w.session(&ada).await;
        w.clock.advance(1);
        let there = w.session(&ada).await;
        let third = w.session(&ada).await;
        let bob = w.session(&w.person("bob", "member", None).await).await;
        let actor = here.session.actor();
        let own = sessions.own(&actor).await.unwrap();
        assert_eq!(own.len(), 3);
        assert_eq!((own[0].id, own[0].current, own[1].current), (here.session.id, true, false));
        assert_eq!(own[0].device_label(), "Firefox on Linux");
        for id in [bob.session.id, uuid::Uuid::nil()] {
            assert_eq!(sessions.end_own(&actor, id).await.unwrap_err(), domain::ApiError::not_found());
        }
        sessions.end_own(&actor, there.session.id).await.unwrap();
        assert_eq!(sessions.end_own(&actor, there.session.id).await.unwrap_err().code, ErrorCode::NotFound);
        assert_eq!(sessions.end_own_others(&actor).await.unwrap(), 1);
        assert!(w.opens(&here).await && w.opens(&bob).await && !w.opens(&there).await && !w.opens(&third).await);
        sessions.sign_out(&here.session.actor(), &here.session).await.unwrap();
        sessions.sign_out(&here.session.actor(), &here.session).await.unwrap();
        assert!(!w.opens(&here).await);
        let reasons = "SELECT CAST(count(*) AS text) FROM sessions WHERE ended_reason = 'logout'";
        assert_eq!(w.text(reasons).await.as_deref(), Some("1"));
    })
    .await;
}
