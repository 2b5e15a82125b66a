//! Many people at once, from a file of comma-separated values: looked at line by line, then all of them or none.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::{
    Actor, ApiError, ErrorCode,
    access::Action,
    account::{Role, UserCard},
    people::{Import, LineError},
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde_json::json;

use super::{Accounts, NewUser, checked, filled};
use crate::{
    sessions::commit,
    store::{Sql, card::marks, db, directory},
};

/// More people than this come in several files: they are written in one transaction, and sign-ins wait for it.
const LINES_MAX: usize = 5_000;
/// Nobody reads more complaints than this at a time.
const ERRORS_MAX: usize = 100;
const COLUMNS: [&str; 6] = ["username", "name", "email", "role", "organisation", "teams"];

/// A line that says who somebody is.
struct Line {
    number: u64,
    new: NewUser,
}

impl Accounts {
    /// Makes the accounts of a file, without passwords, in one transaction: all of them, or none when any line is wrong,
    /// which is 422 with each such line. A dry run changes nothing and says what would happen; it asks for no sudo mode.
    pub async fn import(&self, actor: &Actor, text: &str, dry_run: bool) -> Result<Import, ApiError> {
        actor.require(Action::Accounts)?;
        if !dry_run {
            actor.require_fresh(self.clock().now())?;
        }
        let (lines, errors) = parse(text)?;
        let (this, by) = (self.clone(), actor.clone());
        self.sessions
            .act(async move {
                let txn = this.sessions.begin().await?;
                let roles = directory::roles(&txn).await.map_err(db)?;
                let names: Vec<String> = lines.iter().map(|l| l.new.username.trim().to_lowercase()).collect();
                let there = usernames(&txn, &names).await.map_err(db)?;
                let mut errors = errors;
                let cards = this.look(&lines, &roles, &there, &mut errors);
                errors.sort_by_key(|e| e.line);
                let mut import = Import { people: cards.len() as u64, dry_run, ..Import::default() };
                import.wrong = errors.iter().map(|e| e.line).collect::<BTreeSet<_>>().len() as u64;
                let before = groups_of(&txn).await?;
                if errors.is_empty() {
                    for (line, _) in lines.iter().zip(&cards) {
                        let card = this.prepare(&txn, &line.new).await.map_err(|e| at(line.number, e))?;
                        this.insert(&txn, &card, None).await.map_err(|e| at(line.number, e))?;
                        import.ids.push(card.id);
                        if !dry_run {
                            let details = json!({"role": card.role, "imported": true});
                            this.audit(&txn, &by, "user_added", &card.username, Some(details)).await?;
                        }
                    }
                    let after = groups_of(&txn).await?;
                    import.organisations = after.0.difference(&before.0).cloned().collect();
                    import.teams = after.1.difference(&before.1).cloned().collect();
                }
                if dry_run {
                    // What was written to look at goes with the transaction.
                    errors.truncate(ERRORS_MAX);
                    return Ok(Import { errors, ..import });
                }
                if !errors.is_empty() {
                    return Err(refusal(errors));
                }
                commit(txn).await?;
                Ok(import)
            })
            .await
    }

    /// The cards the lines would have; what is wrong with a line is added to `errors`.
    fn look(
        &self,
        lines: &[Line],
        roles: &[Role],
        there: &HashSet<String>,
        errors: &mut Vec<LineError>,
    ) -> Vec<UserCard> {
        let mut first: BTreeMap<String, u64> = BTreeMap::new();
        let mut cards = vec![];
        for Line { number, new } in lines {
            let mut wrong = |message: String| errors.push(LineError { line: *number, message });
            let card = match checked(new, roles, self.clock()) {
                Ok(card) => card,
                Err(e) => {
                    let field = e.fields.keys().next().cloned().unwrap_or_default();
                    wrong(format!("{field}: {}", e.message));
                    continue;
                }
            };
            if let Some(line) = first.get(&card.username) {
                wrong(format!("username: {} is on line {line} too.", card.username));
            } else if there.contains(&card.username) {
                wrong(format!("username: somebody has {} already.", card.username));
            } else if !new.teams.is_empty() && filled(new.organisation.as_deref()).is_none() {
                wrong("teams: a team belongs to an organisation: name that too.".to_owned());
            } else {
                first.insert(card.username.clone(), *number);
                cards.push(card);
            }
        }
        cards
    }
}

/// The line a record begins on. The reader's own count is one behind after `\r\n`, which it has read only half of by then,
/// and does not see empty lines before the record.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let from = position.map_or(0, csv::Position::byte) as usize;
    let rest = text.get(from..).unwrap_or_default();
    let begins = text.len() - rest.trim_start_matches(['\r', '\n']).len();
    text[..begins].matches('\n').count() as u64 + 1
}

/// The lines of a file, and what is wrong with those that are none. 422 for a file whose first line does not name its
/// columns, and for one that is too long.
fn parse(text: &str) -> Result<(Vec<Line>, Vec<LineError>), ApiError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|_| wrong_head())?.clone();
    let head: Vec<String> = head.iter().map(|c| c.trim_start_matches('\u{feff}').to_lowercase()).collect();
    let unknown = head.iter().any(|c| !COLUMNS.contains(&&**c));
    let twice = head.iter().collect::<HashSet<_>>().len() < head.len();
    if unknown || twice || !head.iter().any(|c| c == "username") {
        return Err(wrong_head());
    }
    let (mut lines, mut errors) = (vec![], vec![]);
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let number = line_of(text, e.position());
                errors.push(LineError { line: number, message: "This line cannot be read.".to_owned() });
                continue;
            }
        };
        let number = line_of(text, record.position());
        if record.len() != head.len() {
            let message = format!("{} columns, and the first line names {}.", record.len(), head.len());
            errors.push(LineError { line: number, message });
            continue;
        }
        let cell = |name: &str| {
            let at = head.iter().position(|c| c == name)?;
            record.get(at).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let teams = cell("teams").unwrap_or_default();
        let new = NewUser {
            username: cell("username").unwrap_or_default(),
            name: cell("name"),
            email: cell("email"),
            role: cell("role"),
            organisation: cell("organisation"),
            teams: teams.split(';').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect(),
            password: None,
        };
        lines.push(Line { number, new });
        if lines.len() > LINES_MAX {
            let message = format!("Use at most {LINES_MAX} people in one file.");
            return Err(ApiError::invalid("text", message));
        }
    }
    Ok((lines, errors))
}

fn wrong_head() -> ApiError {
    let message = format!("The first line names the columns: username, and any of {}.", COLUMNS[1..].join(", "));
    ApiError::invalid("text", message)
}

/// What a line was refused with when it was written after all.
fn at(line: u64, mut e: ApiError) -> ApiError {
    if e.code == ErrorCode::Invalid || e.code == ErrorCode::Conflict {
        e.fields = BTreeMap::from([(format!("line {line}"), e.message.clone())]);
    }
    e
}

fn refusal(errors: Vec<LineError>) -> ApiError {
    let number = errors.len();
    let lines = if number == 1 { "1 line is wrong".to_owned() } else { format!("{number} lines are wrong") };
    let mut e = ApiError::new(ErrorCode::Invalid, format!("{lines}, and nobody was added. Mend them and try again."));
    e.fields = errors.into_iter().take(ERRORS_MAX).map(|e| (format!("line {}", e.line), e.message)).collect();
    e
}

/// Which of these usernames somebody has.
async fn usernames(db: &impl ConnectionTrait, names: &[String]) -> Result<HashSet<String>, DbErr> {
    let mut there = HashSet::new();
    for chunk in names.chunks(1_000) {
        let text = format!("SELECT username FROM users WHERE username IN ({})", marks(chunk.len()));
        let values = chunk.iter().map(|n| Value::from(n.as_str())).collect();
        for row in Sql::new(text, values).rows(db).await? {
            there.insert(row.try_get_by_index::<String>(0)?);
        }
    }
    Ok(there)
}

/// The names of all organisations, and of all teams behind that of theirs.
async fn groups_of(txn: &impl ConnectionTrait) -> Result<(BTreeSet<String>, BTreeSet<String>), ApiError> {
    let read = async |text: &str| {
        let rows = Sql::new(text, vec![]).rows(txn).await?;
        rows.iter().map(|r| r.try_get_by_index::<String>(0)).collect::<Result<BTreeSet<_>, DbErr>>()
    };
    let organisations = read("SELECT name FROM organisations").await.map_err(db)?;
    let teams = "SELECT o.name || ': ' || t.name FROM teams t JOIN organisations o ON o.id = t.organisation_id";
    Ok((organisations, read(teams).await.map_err(db)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_numbers() {
        let text = "\u{feff}Username,name,teams\r\nada,\"Ada,\nCountess\",Red; Blue\n\nbob\neve,=1,\n";
        let (lines, errors) = parse(text).unwrap();
        assert_eq!(lines.iter().map(|l| l.number).collect::<Vec<_>>(), [2, 6]);
        assert_eq!((lines[0].new.name.as_deref(), lines[0].new.teams.len()), (Some("Ada,\nCountess"), 2));
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [5]);
        for bad in ["", "name\nada", "username,password\nada,x", "username,username\na,b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let long = format!("username\n{}", "a\n".repeat(LINES_MAX + 1));
        assert!(parse(&long).is_err());
    }
}
