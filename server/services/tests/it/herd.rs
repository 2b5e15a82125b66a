//! Many come at once to a server that has nobody in memory.

use futures_util::future::join_all;

use crate::world::{each, unlimited};

/// Whoever asks while others are asked for gets their own session, and nobody who is gone or unknown gets any, whoever of
/// them goes away before the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_a_herd_is_told_of_their_own_session() {
    each(unlimited(), async |w| {
        let mut came = vec![];
        for n in 0..50 {
            came.push(w.session(&w.person(&format!("person-{n}"), "member", None).await).await);
        }
        let (over, here) = came.split_at(10);
        for s in over {
            w.services.sessions.sign_out(&s.session.actor(), &s.session).await.unwrap();
        }
        for round in 0..5 {
            let next = w.another(false).await;
            let sessions = &next.services.sessions;
            let ask = |token: String| {
                let sessions = sessions.clone();
                tokio::spawn(async move { sessions.authenticate_socket(&token).await.unwrap().map(|s| s.id) })
            };
            // Two tabs each, and strangers between them.
            let tokens = || here.iter().chain(here).map(|s| s.token.expose().to_owned());
            let asked: Vec<_> = tokens().map(&ask).collect();
            let strangers: Vec<_> = tokens().take(20).map(|t| ask(t.chars().rev().collect())).collect();
            let gone: Vec<_> = over.iter().map(|s| ask(s.token.expose().to_owned())).collect();
            let away: Vec<_> = tokens().skip(round).step_by(3).map(&ask).collect();
            away.iter().for_each(tokio::task::JoinHandle::abort);
            let found: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
            let expected: Vec<_> = here.iter().chain(here).map(|s| Some(s.session.id)).collect();
            assert_eq!(found, expected);
            for nobody in join_all(strangers.into_iter().chain(gone)).await {
                assert_eq!(nobody.unwrap(), None);
            }
            next.close().await;
        }
    })
    .await;
}
