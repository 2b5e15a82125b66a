//! What a look at the data tells, and that looking leaves it alone.

use domain::{
    Actor,
    people::UserEdit,
    settings::Settings,
    time::{DAY, HOUR, MINUTE},
};
use serde_json::json;
use services::{Checkup, checkup::Admin};

use crate::world::{World, each, unlimited};

async fn look(w: &World) -> Checkup {
    let storage = format!("file://{}", w.home.path().join("files").display());
    Checkup::of(&w.url, &storage, &w.home.path().join("secret.key"), &w.settings, &w.clock).await.unwrap()
}

/// Nobody in these worlds has a password unless a test gives one.
fn admin(username: &str, enabled: bool) -> Admin {
    Admin { username: username.to_owned(), enabled, has_password: false, second_factor: false }
}

#[tokio::test]
async fn what_is_there_is_told() {
    each(unlimited(), async |w| {
        let empty = look(w).await;
        assert!(!empty.anybody && empty.admins.is_empty() && empty.audit.fault.is_none());
        let (ada, eve, mia) = (
            w.person("ada", "admin", None).await,
            w.person("eve", "admin", None).await,
            w.person("mia", "member", None).await,
        );
        w.services.accounts.disable(&Actor::Operator, eve.id).await.unwrap();
        for email in ["mia@a.example", "mia@b.example"] {
            let edit = UserEdit { email: Some(Some(email.to_owned())), ..UserEdit::default() };
            w.services.accounts.edit(&Actor::Operator, mia.id, edit).await.unwrap();
        }
        let s = w.session(&ada).await.session;
        w.services.sessions.data_put(&s, "cart", &json!(1)).await.unwrap();
        w.services.flush().await;
        let found = look(w).await;
        assert_eq!(found.admins, [admin("ada", true), admin("eve", false)]);
        assert_eq!((found.anybody, found.outbox.waiting, found.outbox.given_up), (true, 1, 0));
        assert_eq!((found.expired, found.kept), (0, 0));
        let keys = found.keys.unwrap();
        assert_eq!((keys.keys, keys.values, keys.broken.len()), (1, 2, 0));
        assert!(found.audit.entries > 0 && found.audit.fault.is_none());

        w.clock.advance(24 * HOUR + 3 * HOUR + MINUTE);
        w.sql("UPDATE mails SET next_try_at = NULL, last_error = '550 no'").await;
        w.sql("UPDATE session_data SET value = 'AAAA'").await;
        w.sql("UPDATE audit SET details = '{}' WHERE seq = 1").await;
        let found = look(w).await;
        assert_eq!((found.expired, found.kept), (1, 0));
        assert_eq!((found.outbox.given_up, found.outbox.last_error.as_deref()), (1, Some("550 no")));
        assert!(found.keys.unwrap().broken[0].starts_with("session_data "));
        assert_eq!(found.audit.fault.map(|f| f.row), Some(1));
        w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        w.clock.advance(w.settings.retention_sessions + 2 * DAY);
        assert_eq!(look(w).await.kept, 1);
    })
    .await;
}

#[tokio::test]
async fn a_missing_key_is_told_and_none_is_made() {
    each(Settings::default(), async |w| {
        let path = w.home.path().join("secret.key");
        let s = w.session(&w.person("ada", "member", None).await).await.session;
        w.services.sessions.data_put(&s, "cart", &json!(1)).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let said = look(w).await.keys.unwrap_err().to_string();
        assert!(said.contains("secret.key") && !path.exists(), "{said}");
    })
    .await;
}
