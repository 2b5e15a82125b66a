//! Values kept with a session.

use domain::{ErrorCode, settings::Settings};
use serde_json::json;

use crate::world::each;

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
