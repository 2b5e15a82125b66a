//! Files on each database there is.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    Actor, ApiError, ErrorCode,
    files::{File, FileFilter},
    settings::{Lifetimes, Settings},
    time::DAY,
};
use services::{
    LiveSession,
    files::{Kind, Of},
};

use crate::world::{World, each};

async fn session(w: &World, username: &str, role: &str, organisation: Option<&str>) -> Arc<LiveSession> {
    let card = w.person(username, role, organisation).await;
    let signed_in = w.session(&card).await;
    w.check(signed_in.token.expose()).await.unwrap()
}

async fn send(
    w: &World,
    session: &Arc<LiveSession>,
    kind: Kind,
    name: &str,
    label: &str,
    size: usize,
) -> Result<File, ApiError> {
    let mut arrival = w.services.files.begin(session, kind, name, label, None).await?;
    let content = vec![b'x'; size];
    for piece in content.chunks(1_000) {
        arrival.write(Bytes::copy_from_slice(piece)).await?;
    }
    arrival.finish(None, "192.0.2.7").await
}

fn there(w: &World) -> usize {
    std::fs::read_dir(w.home.path().join("files")).unwrap().count()
}

/// Whatever happens, rows and files agree, and nothing is left that is not to be kept.
async fn agree(w: &World, files: usize) {
    w.services.files.remove_unkept().await;
    let strays = w.services.files.strays().await.unwrap();
    assert_eq!((strays.files, strays.rows, there(w)), (0, 0, files));
    assert_eq!(w.text("SELECT CAST(count(*) AS text) FROM unkept_files").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn lists_sums_and_labels_agree() {
    let lifetimes = Lifetimes { idle: 30 * DAY, ..Lifetimes::default() };
    each(Settings { lifetimes, ..Settings::default() }, async |w| {
        let mia = session(w, "mia", "student", Some("North")).await;
        let ben = session(w, "ben", "student", Some("South")).await;
        let max = session(w, "max", "manager", Some("North")).await;
        for (who, name, label, size) in [
            (&mia, "a.txt", "Scans", 10),
            (&mia, "b_%.csv", "", 2_000),
            (&ben, "c.txt", "Grades", 30),
            (&mia, "d", "Scans", 5),
        ] {
            send(w, who, Kind::Upload, name, label, size).await.unwrap();
            w.clock.advance(DAY);
        }
        send(w, &mia, Kind::Output, "made.txt", "job", 7).await.unwrap();
        let files = &w.services.files;
        let names = async |actor: &Actor, of: Of, kind: Kind, f: &FileFilter| {
            let page = files.list(actor, of, kind, f, 50, None).await.unwrap();
            let sums = files.summary(actor, of, kind, f).await.unwrap();
            assert_eq!((page.total, sums.total), (Some(page.items.len() as u64), page.items.len() as u64), "{f:?}");
            assert_eq!(sums.bytes, page.items.iter().map(|i| i.size).sum::<u64>(), "{f:?}");
            assert_eq!(sums.by_day.iter().map(|d| d.bytes).sum::<u64>(), sums.bytes, "{f:?}");
            assert_eq!(sums.by_user.iter().map(|d| d.bytes).sum::<u64>(), sums.bytes, "{f:?}");
            assert_eq!(sums.by_workflow.iter().map(|d| d.bytes).sum::<u64>(), sums.bytes, "{f:?}");
            page.items.into_iter().map(|i| i.name).collect::<Vec<_>>()
        };
        let all = FileFilter::default();
        assert_eq!(names(&mia.actor(), Of::Own, Kind::Upload, &all).await, ["d", "b_%.csv", "a.txt"]);
        assert_eq!(names(&mia.actor(), Of::Own, Kind::Output, &all).await, ["made.txt"]);
        assert_eq!(names(&Actor::Operator, Of::Others, Kind::Upload, &all).await, ["d", "c.txt", "b_%.csv", "a.txt"]);
        assert_eq!(names(&max.actor(), Of::Others, Kind::Upload, &all).await, ["d", "b_%.csv", "a.txt"]);
        for (f, expected) in [
            (FileFilter { user: Some("Ben".into()), ..all.clone() }, vec!["c.txt"]),
            (FileFilter { label: Some("Scans".into()), ..all.clone() }, vec!["d", "a.txt"]),
            (FileFilter { kind: Some("text/csv".into()), ..all.clone() }, vec!["b_%.csv"]),
            (FileFilter { kind: Some("text".into()), min_size: Some(20), ..all.clone() }, vec!["c.txt", "b_%.csv"]),
            (FileFilter { max_size: Some(9), ..all.clone() }, vec!["d"]),
            (FileFilter { q: Some("_%".into()), ..all.clone() }, vec!["b_%.csv"]),
            (FileFilter { to: Some(crate::world::BEGIN.plus(DAY)), ..all.clone() }, vec!["a.txt"]),
        ] {
            assert_eq!(names(&Actor::Operator, Of::Others, Kind::Upload, &f).await, expected, "{f:?}");
        }
        let sums = files.summary(&Actor::Operator, Of::Others, Kind::Upload, &all).await.unwrap();
        let days: Vec<_> = sums.by_day.iter().map(|d| &*d.day).collect();
        assert_eq!(days, ["2027-01-15", "2027-01-16", "2027-01-17", "2027-01-18"]);
        assert_eq!(files.labels(&Actor::Operator, Of::Others, Kind::Upload).await.unwrap(), ["Scans", "Grades"]);
        let first = files.list(&mia.actor(), Of::Own, Kind::Upload, &all, 2, None).await.unwrap();
        let next = files.list(&mia.actor(), Of::Own, Kind::Upload, &all, 2, first.next.as_deref()).await.unwrap();
        assert_eq!((first.items.len(), next.items.len(), next.next), (2, 1, None));
        agree(w, 5).await;
        w.services.accounts.delete(&Actor::Operator, "mia").await.unwrap();
        agree(w, 1).await;
    })
    .await;
}

#[tokio::test]
async fn quota_and_session_are_asked_again_at_the_end() {
    let settings = Settings { upload_limit: 1_000, upload_quota: 1_500, ..Settings::default() };
    each(settings, async |w| {
        let mia = session(w, "mia", "student", None).await;
        // Both begin while there is room for either.
        let files = &w.services.files;
        let mut both = vec![];
        for name in ["one", "two"] {
            let mut arrival = files.begin(&mia, Kind::Upload, name, "", None).await.unwrap();
            arrival.write(Bytes::from(vec![1; 1_000])).await.unwrap();
            both.push(arrival);
        }
        let two = both.pop().unwrap();
        both.pop().unwrap().finish(None, "").await.unwrap();
        assert_eq!(two.finish(None, "").await.unwrap_err().code, ErrorCode::TooLarge);
        agree(w, 1).await;
        assert_eq!(send(w, &mia, Kind::Upload, "big", "", 1_001).await.unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(files.quota(&mia.actor()).await.unwrap(), (1_000, 1_500));
        // Outputs have as much room, of their own.
        send(w, &mia, Kind::Output, "made", "", 1_000).await.unwrap();
        assert_eq!(send(w, &mia, Kind::Output, "more", "", 600).await.unwrap_err().code, ErrorCode::TooLarge);
        let late = files.begin(&mia, Kind::Upload, "late", "", None).await.unwrap();
        w.services.sessions.sign_out(&mia.actor(), &mia).await.unwrap();
        assert_eq!(late.finish(None, "").await.unwrap_err().code, ErrorCode::Unauthenticated);
        agree(w, 2).await;
    })
    .await;
}
