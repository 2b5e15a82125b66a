//! Values kept with a session.

use std::sync::Arc;

use domain::{ErrorCode, settings::Settings};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use services::{OpenError, VaultError, vault};

use crate::{
    app_code::code,
    smtp::MailServer,
    world::{PASSWORD, World, each, from, unlimited},
};

#[tokio::test]
async fn values_are_kept_per_session_within_limits() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let (s, other) = (w.session(&ada).await.session, w.session(&ada).await.session);
        let sessions = &w.services.sessions;
        let cart = json!({"items": [1, "two", null], "€": "é"});
        sessions.data_put(&s, "cart", &json!(1)).await.unwrap();
        sessions.data_put(&s, "cart", &cart).await.unwrap();
        assert_eq!(sessions.data_get(&s, "cart").await.unwrap(), cart);
        assert_eq!(sessions.data_get(&other, "cart").await.unwrap_err().code, ErrorCode::NotFound);

        // With its two quotes, 16 KiB exactly.
        let full = json!("x".repeat(16 * 1024 - 2));
        sessions.data_put(&s, "full", &full).await.unwrap();
        let over = json!("x".repeat(16 * 1024 - 1));
        assert_eq!(sessions.data_put(&s, "full", &over).await.unwrap_err().code, ErrorCode::TooLarge);
        for bad in ["", "a b", "../x", "ü", &"k".repeat(65)] {
            assert_eq!(sessions.data_put(&s, bad, &cart).await.unwrap_err().code, ErrorCode::Invalid, "{bad}");
        }
        for n in 2..64 {
            sessions.data_put(&s, &format!("key-{n}"), &json!(n)).await.unwrap();
        }
        assert_eq!(sessions.data_put(&s, "one-more", &json!(0)).await.unwrap_err().code, ErrorCode::Conflict);
        sessions.data_put(&s, "key-2", &json!("again")).await.unwrap();
        sessions.data_delete(&s, "cart").await.unwrap();
        assert_eq!(sessions.data_delete(&s, "cart").await.unwrap_err().code, ErrorCode::NotFound);
        sessions.data_put(&s, "one-more", &json!(null)).await.unwrap();
    })
    .await;
}

/// Everything the table holds.
async fn dump(w: &World) -> Vec<(String, Option<String>)> {
    let db = w.raw().await;
    let text = "SELECT value, sealed_by FROM session_data ORDER BY key";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), text)).await.unwrap();
    rows.iter().map(|r| (r.try_get_by_index(0).unwrap(), r.try_get_by_index(1).unwrap())).collect()
}

#[tokio::test]
async fn values_are_sealed_at_rest_and_belong_to_their_row() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let s = w.session(&ada).await.session;
        let sessions = &w.services.sessions;
        sessions.data_put(&s, "cart", &json!("three marbles")).await.unwrap();
        sessions.data_put(&s, "draft", &json!("dear mia")).await.unwrap();
        for (value, by) in dump(w).await {
            assert!(by.is_some() && !value.contains("marbles") && !value.contains("dear mia"), "{value}");
        }
        w.sql("UPDATE session_data SET value = (SELECT value FROM session_data WHERE key = 'draft')").await;
        assert_eq!(sessions.data_get(&s, "draft").await.unwrap(), json!("dear mia"));
        assert_eq!(sessions.data_get(&s, "cart").await.unwrap_err().code, ErrorCode::Internal, "it is another's");
    })
    .await;
}

#[tokio::test]
async fn values_of_before_are_sealed_by_the_next_start() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await.session;
        let sessions = &w.services.sessions;
        for n in 0..450 {
            let row = format!(
                "INSERT INTO session_data (session_id, key, value, updated_at) SELECT id, 'k{n:03}', '\"old {n}\"', 1 FROM sessions"
            );
            w.sql(&row).await;
        }
        assert_eq!(sessions.data_get(&s, "k007").await.unwrap(), json!("old 7"), "readable meanwhile");
        let again = w.another(true).await;
        // The task of the start, by hand: a rotation seals all there is.
        again.services.rotate_keys().await.unwrap();
        for (value, by) in dump(w).await {
            assert!(by.is_some() && !value.contains("old "), "{value}");
        }
        assert_eq!(sessions.data_get(&s, "k449").await.unwrap(), json!("old 449"));
        again.close().await;
    })
    .await;
}

/// The server goes on sealing and opening while a command beside it makes a new key.
#[tokio::test]
async fn a_rotation_loses_nothing_beside_a_busy_server() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await.session;
        let sessions = w.services.sessions.clone();
        let beside = w.another(false).await;
        let (first, busy) = (w.services.keys().await.unwrap().remove(0).id, Arc::clone(&s));
        let writer = tokio::spawn(async move {
            for n in 0..300 {
                let key = format!("k{}", n % 40);
                sessions.data_put(&busy, &key, &json!(n)).await.unwrap();
                assert_eq!(sessions.data_get(&busy, &key).await.unwrap(), json!(n));
            }
        });
        for _ in 0..5 {
            beside.services.rotate_keys().await.unwrap();
        }
        writer.await.unwrap();
        beside.services.rotate_keys().await.unwrap();
        let keys = beside.services.keys().await.unwrap();
        assert_eq!(keys.len(), 1, "old keys are dropped when nothing needs them: {keys:?}");
        assert!(keys[0].current && keys[0].values == 40 && keys[0].id != first);
        for n in 260..300 {
            assert_eq!(w.services.sessions.data_get(&s, &format!("k{}", n % 40)).await.unwrap(), json!(n));
        }
        beside.close().await;
    })
    .await;
}

/// Whatever is sealed follows a new key, and is given up with a lost one.
#[tokio::test]
async fn mails_and_second_factors_follow_the_key() {
    each(unlimited(), async |w| {
        w.user("mia").await;
        let mia = w.sign_in("mia", PASSWORD).await.unwrap();
        let (actor, factor) = (mia.session.actor(), &w.services.second_factor);
        factor.begin(&actor).await.unwrap();
        let key = factor.enrolment(&actor).await.unwrap().unwrap().secret;
        w.sql("UPDATE users SET email = 'mia@example.org'").await;
        w.services.accounts.forgot("mia", &from()).await.unwrap();
        let waiting = "SELECT body_key FROM mails WHERE body IS NOT NULL";
        while w.text(waiting).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        w.services.sessions.data_put(&mia.session, "cart", &json!(1)).await.unwrap();
        let (new, again) = w.services.rotate_keys().await.unwrap();
        assert_eq!((again, new.values), (3, 3));
        for kept in [waiting, "SELECT secret_key FROM second_factors", "SELECT sealed_by FROM session_data"] {
            assert_eq!(w.text(kept).await.as_deref(), Some(&*new.id), "{kept}");
        }
        assert_eq!(factor.enrolment(&actor).await.unwrap().unwrap().secret, key);
        factor.confirm(&actor, &code(&key, w.clock.now())).await.unwrap();
        let server = MailServer::start().await;
        let sending = w.mailing(server.smtp(), false).await;
        assert!(sending.services.mail.deliver().await.unwrap() >= 1);
        assert!(server.mail(1).await.body.contains("/reset?token="));
        sending.close().await;

        w.services.accounts.forgot("mia", &from()).await.unwrap();
        while w.text(waiting).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let path = w.home.path().join("secret.key");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(vault::reset(&w.url, &path, &w.clock).await.unwrap(), 3);
        for gone in [waiting, "SELECT secret_key FROM second_factors", "SELECT 'left' FROM backup_codes"] {
            assert_eq!(w.text(gone).await, None, "{gone}");
        }
        let stuck = "SELECT last_error FROM mails WHERE sent_at IS NULL AND next_try_at IS NULL";
        assert!(w.text(stuck).await.is_some_and(|e| e.contains("lost")));
        let after = w.another(false).await;
        assert!(after.sign_in("mia", PASSWORD).await.is_ok());
        after.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_key_file_stops_the_start_until_somebody_decides() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await.session;
        w.services.sessions.data_put(&s, "cart", &json!(1)).await.unwrap();
        let path = w.home.path().join("secret.key");
        let aside = w.home.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        let refused = w.try_another().await.err().unwrap();
        assert!(matches!(refused, OpenError::Keys(VaultError::Lost(..))), "{refused}");
        assert!(refused.to_string().contains("rollcall keys reset --yes") && !path.exists());
        std::fs::rename(&aside, &path).unwrap();
        assert!(w.try_another().await.is_ok());

        std::fs::remove_file(&path).unwrap();
        assert_eq!(vault::reset(&w.url, &path, &w.clock).await.unwrap(), 1);
        assert!(w.try_another().await.is_ok() && dump(w).await.is_empty());
    })
    .await;
}
