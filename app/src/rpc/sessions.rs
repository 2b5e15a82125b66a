//! Everybody's sessions, as their page ends them.

use domain::{ApiError, session::SessionFilter};
use leptos::prelude::*;
use services::{CLEAN_UP_PATIENCE, Which};

use super::{RpcError, Text, ssr};
use crate::{
    text,
    written::{
        Outcome,
        query::Query,
        sessions::{CONFIRM, PATH, filter_of},
    },
};

/// Ends the live sessions that match the filter of the page's address, `query`; one's own is spared unless asked. What
/// cannot be undone is typed: `confirm` is the word the page asks for, and `number` how many of others it said would end.
#[server(prefix = "/rpc", endpoint = "end_matching", output = Text)]
pub async fn end_matching(
    #[server(default)] query: String,
    #[server(default)] confirm: String,
    #[server(default)] number: u64,
    #[server(default)] include_own: bool,
) -> Result<Outcome, RpcError> {
    let (sessions, actor) = (ssr::services().sessions, ssr::actor()?);
    let filter: SessionFilter = filter_of(&Query::parse(&query));
    let (now, _) = sessions.would_end(&actor, filter.clone()).await?;
    if confirm.trim() != CONFIRM {
        return Err(ApiError::invalid("confirm", format!("Type {CONFIRM} to confirm; this cannot be undone.")).into());
    }
    if now > number {
        let more = format!("There are {} now, more than you were shown. Look again.", text::count(now, "session"));
        return Err(ApiError::invalid("confirm", more).into());
    }
    let n = sessions.revoke(&actor, Which::Filter(filter), include_own, false).await?;
    let go = if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") };
    ssr::go(&go);
    Ok(Outcome::say(format!("{} ended.", text::count(n, "session"))))
}

/// Ends the sessions that are ticked.
#[server(prefix = "/rpc", endpoint = "end_selected", output = Text)]
pub async fn end_selected(#[server(default)] ids: String) -> Result<Outcome, RpcError> {
    let ids: Result<Vec<uuid::Uuid>, _> =
        ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::parse).collect();
    let ids = ids.map_err(|_| ApiError::invalid("ids", "Use ids of sessions, separated by commas."))?;
    let n = ssr::services().sessions.revoke(&ssr::actor()?, Which::Ids(ids), true, false).await?;
    ssr::go(PATH);
    Ok(Outcome::say(format!("{} ended.", text::count(n, "session"))))
}

/// The clean-up, now. One that takes longer than one waits goes on, and is in the audit log when it is done.
#[server(prefix = "/rpc", endpoint = "clean_up", output = Text)]
pub async fn clean_up() -> Result<Outcome, RpcError> {
    let done = ssr::services().sessions.clean_up_within(&ssr::actor()?, None, CLEAN_UP_PATIENCE).await?;
    ssr::go(PATH);
    let numbers = format!("{} marked as ended, {} deleted", text::count(done.ended, "session"), done.deleted);
    let say = if done.more { format!("{numbers} so far; the clean-up goes on.") } else { format!("{numbers}.") };
    Ok(Outcome::say(say))
}
