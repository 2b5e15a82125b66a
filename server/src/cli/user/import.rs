//! `rollcall user import`: many people from a file of comma-separated values, all or none.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use domain::{ErrorCode, people::Import};
use serde::Serialize;
use serde_json::json;
use services::Invited;

use super::{OP, link};
use crate::{
    cli::{
        confirm,
        database::{self, DatabaseArgs},
        failure::Failure,
        out,
        table::table,
    },
    settings::ServeSettings,
};

/// Add the people of a CSV file, all or none, and invite them to choose a password
///
/// The first line names the columns: username, and any of name, email, role, organisation and teams, which are separated by
/// semicolons. Organisations and teams that are not there are made.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file; - is standard input
    file: PathBuf,
    /// Only say what would happen, and what is wrong in which line
    #[arg(long)]
    dry_run: bool,
    /// Invite nobody; `rollcall user invite` does so later
    #[arg(long)]
    no_invite: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// As large as what the page takes.
const FILE_MAX: u64 = 2 * 1024 * 1024;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    import: Import,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitations: Option<serde_json::Value>,
}

pub(super) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let text = read(&args.file)?;
    let settings = args.database.settings()?;
    let services = database::open(&settings).await?;
    let looked = services.accounts.import(OP, &text, true).await?;
    if args.dry_run || looked.wrong > 0 {
        let wrong = looked.wrong;
        if args.json {
            out::json(&Answer { import: looked, invitations: None })?;
        } else if let said @ [_, ..] = &preview(&looked)[..] {
            out::text(said.join("\n"))?;
        }
        return match wrong {
            0 => Ok(()),
            _ if args.json => Err(Failure::Told),
            1 => Err(Failure::failed("1 line is wrong, and nobody was added: mend it and try again")),
            n => Err(Failure::failed(format!("{n} lines are wrong, and nobody was added: mend them and try again"))),
        };
    }
    if confirm::asks(args.yes) {
        let invites = if args.no_invite { "" } else { " and invites them, by mail where that can be" };
        confirm::typed(&format!("This adds {}{invites}.", out::count(looked.people, "account")), "import")?;
    }
    let import = services.accounts.import(OP, &text, false).await.map_err(|e| match e.code {
        // Somebody was quicker than us.
        ErrorCode::Invalid | ErrorCode::Conflict if !e.fields.is_empty() => {
            let lines: Vec<String> = e.fields.iter().map(|(line, what)| format!("{line}: {what}")).collect();
            Failure::failed(format!("nobody was added: {}", lines.join(" ")))
        }
        _ => e.into(),
    })?;
    let invited = if args.no_invite || import.ids.is_empty() {
        None
    } else {
        let invited = services.accounts.invite_all(OP, import.ids.clone()).await;
        Some(invited.map_err(|e| {
            let people = out::count(import.people, "account");
            Failure::failed(format!("{people} added, but not invited: {} Use `rollcall user invite`.", e.message))
        })?)
    };
    if args.json {
        let invitations = invited.map(|i| {
            let links = links(&settings, &i).map(|[username, link]| json!({"username": username, "link": link}));
            json!({"mailed": i.mailed, "links": links.collect::<Vec<_>>()})
        });
        return out::json(&Answer { import, invitations });
    }
    let mut said = vec![format!("{} added", out::count(import.people, "account"))];
    said.extend(made(&import));
    if let Some(i) = invited {
        if i.mailed > 0 {
            said.push(format!("{} by mail", out::count(i.mailed, "invitation")));
        }
        if !i.links.is_empty() {
            said.push("links to hand over, shown this once; each works once, for a week:".to_owned());
            said.push(table(["USERNAME", "LINK"], links(&settings, &i)));
        }
    }
    out::text(said.join("\n"))
}

fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let mut text = vec![];
    let read = if file == Path::new("-") {
        io::stdin().lock().take(FILE_MAX + 1).read_to_end(&mut text)
    } else {
        File::open(file).and_then(|f| f.take(FILE_MAX + 1).read_to_end(&mut text))
    };
    read.map_err(|e| Failure::failed(format!("{shown} cannot be read: {e}")))?;
    if text.len() as u64 > FILE_MAX {
        return Err(Failure::failed(format!("{shown} is larger than 2 MB: split it")));
    }
    String::from_utf8(text).map_err(|_| Failure::failed(format!("{shown} is no text in UTF-8: save it as that")))
}

/// What a file would do, a line for each.
fn preview(import: &Import) -> Vec<String> {
    let mut said: Vec<String> = import.errors.iter().map(|e| format!("line {}: {}", e.line, e.message)).collect();
    if import.wrong == 0 {
        said.push(format!("{} would be added", out::count(import.people, "account")));
    }
    said.extend(made(import));
    said
}

fn made(import: &Import) -> impl Iterator<Item = String> {
    let line = |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("new {word}: {}", names.join(", ")));
    [line("organisations", &import.organisations), line("teams", &import.teams)].into_iter().flatten()
}

fn links<'a>(settings: &'a ServeSettings, invited: &'a Invited) -> impl Iterator<Item = [String; 2]> + 'a {
    invited.links.iter().map(|(username, token)| [username.clone(), link::address(settings, token)])
}
