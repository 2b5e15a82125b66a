//! The audit log: a chain that nobody can change unnoticed, and from which people can be taken all the same.

use std::sync::Arc;

use domain::{
    Actor, ErrorCode,
    session::SessionFilter,
    settings::Settings,
    time::{HOUR, MINUTE},
};
use migrations::Migrator;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, Value};
use sea_orm_migration::MigratorTrait;
use services::{AuditFilter, AuditRow, Verified, Which, Whose};

use crate::world::{PASSWORD, World, each, from, unlimited, with_database};

async fn verify(w: &World) -> Verified {
    w.services.audit.verify(&Actor::Operator, None).await.unwrap()
}

/// The number of the first bad row, and what is said of it.
async fn fault(w: &World) -> (i64, String) {
    verify(w).await.fault.map(|f| (f.row, f.says)).unwrap_or_default()
}

async fn rows(w: &World, filter: AuditFilter) -> Vec<AuditRow> {
    w.services.audit.list(&Actor::Operator, &filter, 200, None).await.unwrap().items
}

async fn of(w: &World, action: &str) -> Vec<AuditRow> {
    rows(w, AuditFilter { action: Some(action.into()), ..AuditFilter::default() }).await
}

/// As somebody who owns the database: past the triggers.
async fn break_in(w: &World) -> DatabaseConnection {
    let db = w.raw().await;
    let on = if w.dir.is_some() { "" } else { " ON audit" };
    for trigger in ["audit_kept", "audit_fixed"] {
        db.execute_unprepared(&format!("DROP TRIGGER {trigger}{on}")).await.unwrap();
    }
    db
}

async fn some_entries(w: &World) {
    for name in ["ada", "ben", "cat", "dan"] {
        let card = w.person(name, "member", None).await;
        let session = w.session(&card).await.session;
        w.services.sessions.sign_out(&session.actor(), &session).await.unwrap();
    }
}

#[tokio::test]
async fn acts_at_the_same_time_make_one_chain() {
    each(unlimited(), async |w| {
        let beside = w.another(false).await;
        let card = w.person("ada", "member", None).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..120 {
            let (services, card) = (if n % 2 == 0 { &w.services } else { &beside.services }.clone(), card.clone());
            tasks.spawn(async move { services.sessions.create(&card, false, &from()).await.map(drop) });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        let verified = verify(w).await;
        assert_eq!((verified.entries, verified.fault), (121, None));
        let all = rows(w, AuditFilter::default()).await;
        assert!(all.iter().map(|r| r.seq).eq((1..=121).rev()) && all[0].hash == verified.head);
        beside.close().await;
    })
    .await;
}

async fn flip(db: &DatabaseConnection, column: &str, row: i64) {
    let backend = db.get_database_backend();
    let select = Statement::from_string(backend, format!("SELECT {column} FROM audit WHERE seq = {row}"));
    let found = db.query_one_raw(select).await.unwrap().unwrap();
    let value: Value = match column {
        "seq" | "at" => (found.try_get_by_index::<i64>(0).unwrap() ^ 64).into(),
        "salts" | "seals" | "hash" => {
            let mut bytes: Vec<u8> = found.try_get_by_index(0).unwrap();
            bytes[7] ^= 1;
            bytes.into()
        }
        _ => {
            let text: Option<String> = found.try_get_by_index(0).unwrap();
            let mut bytes = text.unwrap_or_else(|| "x".into()).into_bytes();
            bytes[0] ^= 1;
            String::from_utf8(bytes).unwrap().into()
        }
    };
    let update = format!("UPDATE audit SET {column} = $1 WHERE seq = {row}");
    db.execute_raw(Statement::from_sql_and_values(backend, update, [value])).await.unwrap();
}

/// Row 65.
#[tokio::test]
async fn one_byte_in_any_column_is_named() {
    each(unlimited(), async |w| {
        some_entries(w).await;
        let db = break_in(w).await;
        db.execute_unprepared("CREATE TABLE kept AS SELECT * FROM audit").await.unwrap();
        let columns =
            ["seq", "at", "action", "subject_kind", "actor", "subject", "details", "ip", "salts", "seals", "hash"];
        for column in columns {
            flip(&db, column, 5).await;
            let (row, says) = fault(w).await;
            assert_eq!(row, 5, "{column}: {says}");
            let named = ["actor", "subject", "details", "ip"].contains(&column);
            if named {
                let not = if column == "details" { "do not" } else { "does not" };
                assert_eq!(says, format!("row 5 was changed: its {column} {not} match what was recorded"));
            }
            db.execute_unprepared("DELETE FROM audit").await.unwrap();
            db.execute_unprepared("INSERT INTO audit SELECT * FROM kept").await.unwrap();
            assert_eq!(verify(w).await.fault, None, "{column} is put back");
        }
        for (act, row) in [
            ("DELETE FROM audit WHERE seq = 5", 5),
            ("DELETE FROM audit WHERE seq = 1", 1),
            ("DELETE FROM audit WHERE seq > 10", 11),
            ("DELETE FROM audit", 1),
            ("UPDATE audit SET seq = CASE seq WHEN 6 THEN -7 WHEN 7 THEN -6 END WHERE seq IN (6, 7); UPDATE audit SET seq = -seq WHERE seq < 0", 6),
            ("UPDATE audit_head SET seq = 11", 12),
        ] {
            for statement in act.split("; ") {
                db.execute_unprepared(statement).await.unwrap();
            }
            assert_eq!(fault(w).await.0, row, "{act}");
            db.execute_unprepared("DELETE FROM audit").await.unwrap();
            db.execute_unprepared("INSERT INTO audit SELECT * FROM kept").await.unwrap();
        }
    })
    .await;
}

/// Whoever cuts off the end and turns the head back is found out by a head that was kept elsewhere.
#[tokio::test]
async fn a_cut_off_end_is_missed_by_whoever_kept_the_head() {
    each(unlimited(), async |w| {
        some_entries(w).await;
        let audit = &w.services.audit;
        let (seq, kept) = audit.head(&Actor::Operator).await.unwrap();
        assert_eq!(seq, 12);
        w.person("eve", "admin", None).await;
        let with = async |head: &str| audit.verify(&Actor::Operator, Some(head)).await.unwrap().fault;
        assert_eq!(with(&kept).await, None, "an older head is of the same chain");
        let db = break_in(w).await;
        db.execute_unprepared("DELETE FROM audit WHERE seq > 9").await.unwrap();
        let back = "UPDATE audit_head SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9)";
        db.execute_unprepared(back).await.unwrap();
        assert_eq!(verify(w).await.fault, None);
        assert_eq!(with(&kept).await.map(|f| f.row), Some(10));
        assert!(with("").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_slip_cannot_change_what_happened() {
    each(unlimited(), async |w| {
        some_entries(w).await;
        let db = w.raw().await;
        for act in ["DELETE FROM audit WHERE seq = 2", "UPDATE audit SET action = 'x' WHERE seq = 2"] {
            let refused = db.execute_unprepared(act).await.unwrap_err().to_string();
            assert!(refused.contains("only ever added to"), "{refused}");
        }
        assert_eq!(verify(w).await.fault, None);
    })
    .await;
}

/// Everything the tables of the log hold, as text.
async fn dump(w: &World) -> String {
    let db = w.raw().await;
    let text = "SELECT coalesce(actor, '') || ' ' || coalesce(subject, '') || ' ' || coalesce(details, '') || ' ' || \
                coalesce(ip, '') FROM audit ORDER BY seq";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), text)).await.unwrap();
    rows.iter().map(|r| r.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Row 65: a person is taken out, others stay, and the chain is as good as before.
#[tokio::test]
async fn an_erased_person_leaves_no_text_and_an_unbroken_chain() {
    each(Settings::default(), async |w| {
        let audit = &w.services.audit;
        w.user("mia").await;
        w.user("adamant").await;
        let ada = w.user("ada").await;
        let session = w.sign_in("ada", PASSWORD).await.unwrap();
        w.sign_in("ada", "wrong").await.unwrap_err();
        w.sign_in("mia", PASSWORD).await.unwrap();
        let admin = w.session(&w.person("root", "admin", None).await).await.session.actor();
        let filter = SessionFilter { user: Some("ada".into()), ..SessionFilter::default() };
        w.services.sessions.revoke(&admin, Which::Filter(filter), false, false).await.unwrap();
        w.services.accounts.delete(&admin, "ada").await.unwrap();
        let head = audit.head(&admin).await.unwrap();

        let whose = Whose { username: "ada".into(), also: vec![ada.id.to_string(), ada.name.clone()] };
        let member = w.sign_in("mia", PASSWORD).await.unwrap().session.actor();
        assert_eq!(audit.erase(&member, &whose).await.unwrap_err().code, ErrorCode::Forbidden);
        let fields = audit.erase(&admin, &whose).await.unwrap();
        let verified = verify(w).await;
        assert_eq!((verified.fault, verified.erased), (None, fields));
        assert_eq!(audit.verify(&admin, Some(&head.1)).await.unwrap().fault, None, "older heads hold");
        let left = dump(w).await.to_lowercase();
        assert!(!left.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ada"), "{left}");
        assert!(!left.contains(&session.session.id.to_string()) && left.contains("adamant"), "{left}");
        assert!(left.contains("mia") && left.contains("root") && left.contains("erased-"), "{left}");
        let erased = of(w, "person_erased").await.remove(0);
        assert_eq!((erased.actor.as_str(), erased.details.unwrap()["fields"].as_u64()), ("root", Some(fields)));
        let failed = of(w, "sign_in_failed").await.remove(0);
        let pseudonym = format!("erased-{}", erased.seq);
        assert_eq!((failed.subject.as_deref(), failed.ip.as_deref()), (Some(&*pseudonym), Some(&*pseudonym)));

        // A second one touches other fields of the same entries, and both hold; the addresses of what they did go too.
        let revoked = of(w, "sessions_revoked").await.remove(0);
        assert_eq!((revoked.actor.as_str(), revoked.ip.as_deref()), ("root", Some(&*from().ip)));
        audit.erase(&Actor::Operator, &Whose { username: "root".into(), also: vec![] }).await.unwrap();
        assert_eq!(verify(w).await.fault, None);
        assert!(!dump(w).await.contains("root"));
        assert_ne!(of(w, "sessions_revoked").await.remove(0).ip, revoked.ip);

        // Erasing by hand is not erasing.
        let by_hand = "UPDATE audit SET subject = 'erased-9999' WHERE action = 'user_added' AND subject = 'mia'";
        w.sql(by_hand).await;
        assert_eq!(fault(w).await, (1, "row 1 was changed: its subject does not match what was recorded".into()));
    })
    .await;
}

/// A database of before the chain: its entries are numbered and sealed when it is opened.
#[tokio::test]
async fn older_entries_are_chained() {
    each(unlimited(), async |w| {
        // A database of its own: what works in the background would meet the making of its tables.
        let name = format!("rollcall_old_{}", std::process::id());
        let url = if let Some(dir) = &w.dir {
            format!("sqlite://{}/old.db?mode=rwc", dir.path().display())
        } else {
            let server = Database::connect(&w.url).await.unwrap();
            server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
            with_database(&w.url, &name)
        };
        let db = Database::connect(&url).await.unwrap();
        Migrator::up(&db, Some(7)).await.unwrap();
        let insert = "INSERT INTO audit (id, at, actor, action, subject_kind, subject, details, ip) VALUES ($1, $2, $3, $4, 'user', $5, $6, $7)";
        for n in 0..25_i64 {
            let none = None::<String>;
            let values: [Value; 7] = [
                uuid::Uuid::from_u128(1000 - n as u128).into(),
                (1_700_000_000_000 + n).into(),
                "zoë".into(),
                "user_added".into(),
                if n % 2 == 0 { Some("mia".to_owned()) } else { none.clone() }.into(),
                if n % 3 == 0 { Some(r#"{"role":"member"}"#.to_owned()) } else { none.clone() }.into(),
                if n % 5 == 0 { Some("192.0.2.1".to_owned()) } else { none }.into(),
            ];
            db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), insert, values)).await.unwrap();
        }
        db.close().await.unwrap();
        let old = World::open(url, w.clock.clone(), unlimited(), None, false, Arc::clone(&w.home)).await;
        let verified = verify(&old).await;
        assert_eq!((verified.entries, verified.fault), (25, None));
        assert_eq!(verified.since, Some(domain::Time(1_700_000_000_000)));
        old.person("new", "member", None).await;
        assert_eq!(verify(&old).await.entries, 26);
        let first = rows(&old, AuditFilter::default()).await.pop().unwrap();
        assert_eq!((first.seq, first.details.unwrap()["role"].as_str()), (1, Some("member")));
        old.close().await;
        if w.dir.is_none() {
            let server = Database::connect(&w.url).await.unwrap();
            server.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn looking_at_somebody_is_written_once_an_hour() {
    each(unlimited(), async |w| {
        let mia = w.person("mia", "member", None).await;
        let ada = w.person("ada", "admin", None).await;
        let admin = w.session(&ada).await.session.actor();
        w.services.person(&admin, mia.id).await.unwrap();
        for _ in 0..4 {
            w.services.why(&admin, mia.id).await.unwrap();
        }
        w.services.day(&admin, mia.id, "2027-01-15").await.unwrap();
        w.services.why(&admin, ada.id).await.unwrap();
        let viewed = of(w, "person_viewed").await;
        assert_eq!(viewed.len(), 1, "and looking at oneself is nobody's business");
        assert_eq!((viewed[0].actor.as_str(), viewed[0].subject.as_deref()), ("ada", Some("mia")));
        w.clock.advance(HOUR);
        w.services.audit.write_counted().await.unwrap();
        let viewed = of(w, "person_viewed").await;
        assert_eq!((viewed.len(), viewed[0].details.as_ref().unwrap()["repeated"].as_u64()), (2, Some(5)));
        w.services.why(&admin, mia.id).await.unwrap();
        assert_eq!(of(w, "person_viewed").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn failures_are_written_with_their_reason_and_a_flood_of_them_once() {
    each(Settings::default(), async |w| {
        w.user("mia").await;
        w.user("off").await;
        w.person("new", "member", None).await;
        w.services.accounts.disable(&Actor::Operator, "off").await.unwrap();
        for (name, password) in [("mia", "wrong"), ("off", PASSWORD), ("new", PASSWORD), ("nobody", PASSWORD)] {
            w.sign_in(name, password).await.unwrap_err();
        }
        let failed = of(w, "sign_in_failed").await;
        let said: Vec<(Option<&str>, &str)> = failed
            .iter()
            .rev()
            .map(|r| (r.subject.as_deref(), r.details.as_ref().unwrap()["reason"].as_str().unwrap()))
            .collect();
        let expected = [
            (Some("mia"), "wrong_password"),
            (Some("off"), "disabled"),
            (Some("new"), "no_password"),
            (None, "unknown_name"),
        ];
        assert_eq!(said, expected);
        for _ in 0..20 {
            w.sign_in("mia", "wrong").await.unwrap_err();
        }
        let throttled = of(w, "sign_in_throttled").await;
        assert_eq!((of(w, "sign_in_failed").await.len(), throttled.len()), (4 + 9, 1));
        assert_eq!(throttled[0].subject.as_deref(), Some("mia"));
        w.clock.advance(15 * MINUTE);
        w.services.audit.write_counted().await.unwrap();
        let counted = of(w, "sign_in_throttled").await.remove(0);
        assert_eq!(counted.details.unwrap()["repeated"].as_u64(), Some(10));
        assert_eq!(verify(w).await.fault, None);
    })
    .await;
}

#[tokio::test]
async fn the_list_filters_pages_and_is_for_admins() {
    each(unlimited(), async |w| {
        some_entries(w).await;
        let audit = &w.services.audit;
        let manager = w.session(&w.person("max", "manager", Some("North")).await).await.session.actor();
        let all = AuditFilter::default();
        assert_eq!(audit.list(&manager, &all, 50, None).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(audit.verify(&manager, None).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(audit.begin_export(&manager, &all, "csv").await.unwrap_err().code, ErrorCode::Forbidden);

        let (mut seen, mut cursor, mut total) = (vec![], None::<String>, None);
        loop {
            let page = audit.list(&Actor::Operator, &all, 5, cursor.as_deref()).await.unwrap();
            total = total.or(page.total);
            seen.extend(page.items.iter().map(|r| r.seq));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(seen.iter().copied().eq((1..=14).rev()) && total == Some(14), "{seen:?}");
        let bad = audit.list(&Actor::Operator, &all, 5, Some("x")).await.unwrap_err();
        assert_eq!(bad.code, ErrorCode::BadRequest);

        let count = async |f: AuditFilter| rows(w, f).await.len();
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(count(AuditFilter { actor: text("ADA"), ..all.clone() }).await, 2);
        assert_eq!(count(AuditFilter { subject: text("ada"), ..all.clone() }).await, 1);
        assert_eq!(count(AuditFilter { action: text("sign_out"), ..all.clone() }).await, 4);
        assert_eq!(count(AuditFilter { q: text("192.0.2"), ..all.clone() }).await, 9);
        assert_eq!(count(AuditFilter { q: text("%"), ..all.clone() }).await, 0);
        assert_eq!(count(AuditFilter { from: Some(w.clock.now().plus(1)), ..all.clone() }).await, 0);
        assert_eq!(count(AuditFilter { to: Some(w.clock.now()), ..all.clone() }).await, 0);
        assert_eq!(audit.actions(&Actor::Operator).await.unwrap(), ["sign_in", "sign_out", "user_added"]);

        let nobody = SessionFilter { user: text("nobody"), ..SessionFilter::default() };
        w.services.sessions.revoke(&Actor::Operator, Which::Filter(nobody), false, false).await.unwrap();
        let revoked = of(w, "sessions_revoked").await.remove(0);
        assert_eq!(revoked.details.unwrap()["number"].as_u64(), Some(0), "also what ended nobody is written");
    })
    .await;
}
