//! What people prefer, and what colleagues see of it.

use domain::{
    ErrorCode,
    preferences::{SeenBy, Theme},
    presence::Report,
};
use serde_json::json;

use crate::world::{each, unlimited};

/// Two changes at once are both kept, and presence goes by what was kept.
#[tokio::test]
async fn changes_at_once_lose_nothing() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "member", Some("North")).await;
        let bob = w.person("bob", "member", Some("North")).await;
        let cat = w.person("cat", "member", Some("South")).await;
        let mut actors = vec![];
        for card in [&ada, &bob, &cat] {
            let session = w.session(card).await.session;
            w.services.heartbeat(&session, Report::default()).await.unwrap();
            actors.push(session.actor());
        }
        let (presence, preferences) = (&w.services.presence, &w.services.preferences);
        let seen = async || {
            let people = presence.people(&actors[1]).await.unwrap();
            people.into_iter().map(|p| p.name).collect::<Vec<_>>()
        };
        assert_eq!(seen().await, ["ada", "bob"]);
        for round in 0..8 {
            let (seen_by, theme) =
                if round % 2 == 0 { (SeenBy::Nobody, Theme::Dark) } else { (SeenBy::Organisation, Theme::Light) };
            let (a, b, c) = tokio::join!(
                preferences.merge(&actors[0], json!({"privacy": {"presence": seen_by}})),
                preferences.merge(&actors[0], json!({"theme": theme})),
                preferences.merge(&actors[0], json!({"privacy": {"activity": round % 2 == 0}})),
            );
            for done in [a, b, c] {
                done.unwrap();
            }
            let now = preferences.get(&actors[0]).await.unwrap();
            let kept = (now.privacy.presence, now.theme, now.privacy.activity);
            assert_eq!(kept, (seen_by, theme, round % 2 == 0), "round {round}");
            let expected: &[&str] = if seen_by == SeenBy::Nobody { &["bob"] } else { &["ada", "bob"] };
            assert_eq!(seen().await, expected, "round {round}");
        }
        let bad = preferences.merge(&actors[0], json!({"privacy": {"presence": "nobody"}, "theme": "pink"})).await;
        assert_eq!(bad.unwrap_err().code, ErrorCode::Invalid);
        assert_eq!(seen().await, ["ada", "bob"], "what was refused hides nobody");
        let nobody = domain::Actor::Anonymous;
        assert_eq!(preferences.get(&nobody).await.unwrap_err().code, ErrorCode::Unauthenticated);
        assert_eq!(presence.people(&nobody).await.unwrap_err().code, ErrorCode::Unauthenticated);
    })
    .await;
}
