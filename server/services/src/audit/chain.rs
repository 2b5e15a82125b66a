//! The chain: what each entry's hash covers, and how a break is found. Nothing here reads or writes.
//!
//! An entry's hash covers the hash before it, its number, its time, its action, its subject's kind, and of everything it
//! says of people (actor, subject, details, ip) only a seal: SHA-256 over a random salt of its own and the text. So a
//! text and its salt can be taken away without touching the chain, and nobody can then find out by trying what the text
//! was. A field is *erased* when its salt is all zeros; its text then names the entry that records the erasure, and that
//! entry says how many fields it was, with a digest of which. A text that is there must match its seal.

use std::collections::BTreeMap;

use domain::{Time, time::Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{secret, store::audit::Row};

/// The fields that are sealed, in the order of their salts and seals.
pub(super) const FIELDS: [&str; 4] = ["actor", "subject", "details", "ip"];
/// Bytes of a salt: what nobody can guess is enough.
const SALT: usize = 16;
const SEAL: usize = 32;
/// The action of an entry that records an erasure.
pub(super) const ERASED: &str = "person_erased";

/// What the first entry is chained to.
pub(super) const BEGINNING: [u8; 32] = [0; 32];

/// Salts and seals of an entry's texts.
pub(super) fn seal(texts: [Option<&str>; 4]) -> (Vec<u8>, Vec<u8>) {
    let salts: [u8; SALT * 4] = secret::random();
    let seals = (0..4).flat_map(|i| seal_of(i, salt(&salts, i), texts[i])).collect();
    (salts.to_vec(), seals)
}

fn seal_of(field: usize, salt: &[u8], text: Option<&str>) -> [u8; SEAL] {
    let seal = Sha256::new().chain_update(salt).chain_update([field as u8, u8::from(text.is_some())]);
    seal.chain_update(text.unwrap_or_default()).finalize().into()
}

fn salt(salts: &[u8], field: usize) -> &[u8] {
    salts.get(field * SALT..(field + 1) * SALT).unwrap_or_default()
}

/// An entry's hash, given the one before it. The texts of a row do not count, only their seals.
pub(super) fn link(previous: &[u8], row: &Row) -> [u8; 32] {
    let mut link = Sha256::new().chain_update("rollcall audit 1").chain_update(previous);
    link.update(row.seq.to_be_bytes());
    link.update(row.at.to_be_bytes());
    for text in [&row.action, &row.subject_kind] {
        link.update((text.len() as u64).to_be_bytes());
        link.update(text);
    }
    link.chain_update(&row.seals).finalize().into()
}

/// Whether a field was erased.
pub(super) fn is_erased(row: &Row, field: usize) -> bool {
    salt(&row.salts, field).iter().all(|b| *b == 0)
}

/// Takes a field's text and salt away; `by` is the number of the entry that will record it.
pub(super) fn erase(row: &mut Row, field: usize, by: i64) {
    let pseudonym = format!("{PSEUDONYM}{by}");
    match field {
        0 => row.actor = pseudonym,
        1 => row.subject = Some(pseudonym),
        2 => row.details = Some(pseudonym),
        _ => row.ip = Some(pseudonym),
    }
    if let Some(salt) = row.salts.get_mut(field * SALT..(field + 1) * SALT) {
        salt.fill(0);
    }
}

const PSEUDONYM: &str = "erased-";

/// Which fields an erasure took: counted and digested in the order of the entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    pub(super) fields: u64,
    digest: Sha256,
    /// The first entry it took something from, for whoever looks for it in vain.
    first: i64,
}

impl Taken {
    pub(super) fn add(&mut self, seq: i64, field: usize) {
        if self.fields == 0 {
            self.first = seq;
        }
        self.fields += 1;
        self.digest.update(seq.to_be_bytes());
        self.digest.update([field as u8]);
    }

    pub(super) fn digest(&self) -> String {
        hex(&self.digest.clone().finalize())
    }
}

pub(super) use crate::secret::hex;

/// Where the chain breaks first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The number of the first bad entry.
    pub row: i64,
    /// A sentence.
    pub says: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Entries that are good, from the first on.
    pub entries: i64,
    /// When the first one was written.
    pub since: Option<Time>,
    /// The hash of the last good one: to be kept elsewhere, so that entries cut off the end are missed.
    pub head: String,
    /// Fields whose texts were erased, each by an entry that says so.
    pub erased: u64,
    pub fault: Option<Fault>,
    pub took_ms: Millis,
}

/// Walks along the chain.
pub(super) struct Walk {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    pub(super) since: Option<Time>,
    pub(super) erased: u64,
    /// By the entries that must record them.
    taken: BTreeMap<i64, Taken>,
}

fn changed(row: i64, how: &str) -> Fault {
    Fault { row, says: format!("row {row} was changed: {how}") }
}

impl Walk {
    pub(super) fn begin() -> Self {
        Self { seq: 0, hash: BEGINNING.to_vec(), since: None, erased: 0, taken: BTreeMap::new() }
    }

    /// Takes the next entry, or says what is wrong with it.
    pub(super) fn step(&mut self, row: &Row) -> Result<(), Fault> {
        let seq = row.seq;
        if seq != self.seq + 1 {
            let missing = self.seq + 1;
            return Err(Fault {
                row: missing,
                says: format!("row {missing} is missing: after {} comes {seq}", self.seq),
            });
        }
        if row.salts.len() != SALT * 4 || row.seals.len() != SEAL * 4 {
            return Err(changed(seq, "its salts or seals are not as long as they were"));
        }
        for (field, text) in row.texts().into_iter().enumerate() {
            let name = FIELDS[field];
            if is_erased(row, field) {
                let by = text.and_then(|t| t.strip_prefix(PSEUDONYM)).and_then(|n| n.parse().ok());
                let by = by.filter(|by| *by > seq);
                let by = by.ok_or_else(|| changed(seq, &format!("its {name} has no salt and was not erased")))?;
                self.taken.entry(by).or_default().add(seq, field);
                self.erased += 1;
            } else if seal_of(field, salt(&row.salts, field), text)[..] != row.seals[field * SEAL..(field + 1) * SEAL] {
                let do_not = if name.ends_with('s') { "do not" } else { "does not" };
                return Err(changed(seq, &format!("its {name} {do_not} match what was recorded")));
            }
        }
        let hash = link(&self.hash, row);
        if hash[..] != row.hash[..] {
            return Err(changed(
                seq,
                "its number, time, action, kind of subject, seals or hash are not what was recorded",
            ));
        }
        if row.action == ERASED {
            self.recorded(row)?;
        }
        self.since = self.since.or(Some(Time(row.at)));
        (self.seq, self.hash) = (seq, row.hash.clone());
        Ok(())
    }

    /// An erasure names as many fields, and the same, as were found erased by it.
    fn recorded(&mut self, row: &Row) -> Result<(), Fault> {
        let taken = self.taken.remove(&row.seq).unwrap_or_default();
        let details: Option<serde_json::Value> = row.details.as_deref().and_then(|d| serde_json::from_str(d).ok());
        let details = details.unwrap_or_default();
        if details["fields"].as_u64() == Some(taken.fields) && details["digest"].as_str() == Some(&taken.digest()) {
            return Ok(());
        }
        let says = format!("row {} records other erasures than there are: {} fields name it", row.seq, taken.fields);
        Err(Fault { row: row.seq, says })
    }

    /// At the end of the chain, whose head is said to be `seq` with `hash`.
    pub(super) fn end(&self, seq: i64, hash: &[u8]) -> Result<(), Fault> {
        if let Some((by, taken)) = self.taken.first_key_value() {
            let how = format!("it is said to be erased by row {by}, which does not record it");
            return Err(changed(taken.first, &how));
        }
        if self.seq < seq {
            let row = self.seq + 1;
            return Err(Fault { row, says: format!("row {row} is missing, and all after it: there were {seq}") });
        }
        if self.seq > seq {
            return Err(Fault {
                row: seq + 1,
                says: format!("row {} is one too many: the head is row {seq}", seq + 1),
            });
        }
        if self.hash != hash {
            return Err(Fault { row: seq, says: format!("row {seq} was changed: it is not the one the head names") });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, previous: &[u8], texts: [Option<&str>; 4], action: &str) -> Row {
        let (salts, seals) = seal(texts);
        let [actor, subject, details, ip] = texts.map(|t| t.map(str::to_owned));
        let mut row = Row {
            seq,
            at: 1_800_000_000_000 + seq,
            action: action.into(),
            subject_kind: "user".into(),
            actor: actor.unwrap_or_default(),
            subject,
            details,
            ip,
            salts,
            seals,
            hash: vec![],
        };
        row.hash = link(previous, &row).to_vec();
        row
    }

    fn walk(rows: &[Row]) -> Result<Walk, Fault> {
        let mut walk = Walk::begin();
        rows.iter().try_for_each(|r| walk.step(r))?;
        let (seq, hash) = rows.last().map_or((0, BEGINNING.to_vec()), |r| (r.seq, r.hash.clone()));
        walk.end(seq, &hash)?;
        Ok(walk)
    }

    fn three() -> Vec<Row> {
        let mut rows: Vec<Row> = vec![];
        for (i, ip) in [Some("192.0.2.7"), None, Some("192.0.2.8")].into_iter().enumerate() {
            let previous = rows.last().map_or(BEGINNING.to_vec(), |r| r.hash.clone());
            rows.push(row(i as i64 + 1, &previous, [Some("ada"), Some("mia"), Some("{\"n\":1}"), ip], "sign_in"));
        }
        rows
    }

    #[test]
    fn a_chain_as_it_was_written_is_good() {
        let walked = walk(&three()).map_err(|f| f.says).unwrap();
        assert_eq!((walked.seq, walked.erased), (3, 0));
        assert!(walk(&[]).is_ok());
    }

    #[test]
    fn whatever_is_changed_is_named() {
        type Change = fn(&mut Row);
        let changes: [(&str, Change); 12] = [
            ("seq", |r| r.seq = 9),
            ("at", |r| r.at += 1),
            ("action", |r| r.action.push('s')),
            ("kind", |r| r.subject_kind = "session".into()),
            ("actor", |r| r.actor = "eve".into()),
            ("subject", |r| r.subject = None),
            ("details", |r| r.details = Some("{\"n\":2}".into())),
            ("ip", |r| r.ip = Some("192.0.2.9".into())),
            ("salts", |r| r.salts[20] ^= 1),
            ("short salts", |r| r.salts.truncate(3)),
            ("seals", |r| r.seals[100] ^= 1),
            ("hash", |r| r.hash[31] ^= 1),
        ];
        for (what, change) in changes {
            let mut rows = three();
            change(&mut rows[1]);
            assert_eq!(walk(&rows).err().map(|f| f.row), Some(2), "{what}");
        }
        // A boundary between two texts cannot be moved.
        let mut rows = three();
        (rows[1].action, rows[1].subject_kind) = ("sign_inu".into(), "ser".into());
        assert_eq!(walk(&rows).err().map(|f| f.row), Some(2));
    }

    #[test]
    fn rows_that_go_or_change_places_are_missed() {
        let mut rows = three();
        rows.remove(1);
        assert_eq!(walk(&rows).err().unwrap(), Fault { row: 2, says: "row 2 is missing: after 1 comes 3".into() });
        let mut rows = three();
        rows.swap(1, 2);
        (rows[1].seq, rows[2].seq) = (2, 3);
        assert_eq!(walk(&rows).err().unwrap().row, 2);
        let rows = three();
        let mut walked = Walk::begin();
        walked.step(&rows[0]).map_err(|f| f.says).unwrap();
        assert_eq!(walked.end(3, &rows[2].hash).unwrap_err().row, 2, "the end was cut off");
        assert_eq!(walked.end(1, &rows[2].hash).unwrap_err().row, 1);
    }

    #[test]
    fn an_erasure_is_good_only_when_it_is_recorded_as_it_was() {
        let mut rows = three();
        let mut taken = Taken::default();
        for (seq, field) in [(1, 1), (1, 3), (3, 0)] {
            erase(&mut rows[seq - 1], field, 4);
            taken.add(seq as i64, field);
        }
        let details = serde_json::json!({"fields": taken.fields, "digest": taken.digest()}).to_string();
        let last = row(4, &rows[2].hash, [Some("operator"), Some("erased-4"), Some(&details), None], ERASED);
        assert_eq!(walk(&rows).err().unwrap().row, 1, "nothing records it");
        rows.push(last);
        assert_eq!(walk(&rows).map_err(|f| f.says).unwrap().erased, 3);

        let mut more = rows.clone();
        erase(&mut more[1], 0, 4);
        assert_eq!(walk(&more).err().unwrap().row, 4, "one more was hidden under it");
        let mut other = rows.clone();
        other[0].subject = Some("nobody".into());
        assert_eq!(walk(&other).err().unwrap().row, 1, "something else was put in its place");
        let mut guess = rows;
        guess[0].salts[16] = 1;
        assert_eq!(walk(&guess).err().unwrap().row, 1);
    }
}
