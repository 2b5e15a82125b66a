//! `rollcall user invite` and `rollcall user reset-link`.

use clap::Args;
use services::{Invitation, Token};

use super::{OP, OneArgs, Who, of};
use crate::{
    cli::{
        database::{self, DatabaseArgs},
        failure::Failure,
        out,
    },
    settings::ServeSettings,
};

/// Make a link with which a person chooses a new password; good once, for an hour
#[derive(Debug, Args)]
pub(super) struct ResetArgs {
    #[command(flatten)]
    who: Who,
    /// Mail it where that can be, instead of printing it
    #[arg(long)]
    mail: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn invite(args: OneArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let (services, who) = (database::open(&settings).await?, args.who.username());
    let invitation = services.accounts.invite(OP, who.as_str()).await.map_err(|e| of(&who, e))?;
    out::text(invited(&settings, &invitation))
}

pub(super) async fn reset(args: ResetArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let (services, who) = (database::open(&settings).await?, args.who.username());
    let accounts = &services.accounts;
    let made = if args.mail {
        accounts.send_reset(OP, who.as_str()).await
    } else {
        accounts.reset_link(OP, who.as_str()).await.map(Invitation::Link)
    };
    out::text(match made.map_err(|e| of(&who, e))? {
        Invitation::Mailed(to) => format!("the link goes to {to}"),
        Invitation::Link(token) => address(&settings, &token),
    })
}

/// Where the invitation went, or the link to hand over.
pub(super) fn invited(settings: &ServeSettings, invitation: &Invitation) -> String {
    match invitation {
        Invitation::Mailed(to) => format!("the invitation goes to {to}"),
        Invitation::Link(token) => address(settings, token),
    }
}

/// Where the holder of a link goes with its token.
pub(super) fn address(settings: &ServeSettings, token: &Token) -> String {
    format!("{}/reset?token={}", settings.origin(), token.expose())
}
