//! What a person does all day: comes, moves between pages, reads, looks away, is busy, leaves, comes back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    cast::MESSAGES,
    chance::Chance,
    client::{Browser, Lost, Tab},
};

/// Plays one browser for ever, or until its account is refused.
pub(super) async fn play(mut browser: Browser<'_>, mut chance: Chance) {
    // Most are there within seconds, the rest trickle in.
    let first = if chance.below(4) == 0 { chance.seconds(15, 90) } else { chance.seconds(0, 6) };
    sleep(first).await;
    loop {
        match visit(&mut browser, &mut chance).await {
            Ok(()) => {}
            Err(Lost::Refused) => return,
            // Somebody ended the session, or the server stops: try again as a person would.
            Err(Lost::Gone) => browser.forget(),
        }
        sleep(chance.seconds(20, 120)).await;
    }
}

/// From opening a tab to closing it.
async fn visit(browser: &mut Browser<'_>, chance: &mut Chance) -> Result<(), Lost> {
    browser.sign_in().await?;
    let pages = browser.device.person.organisation.pages;
    let mut page = *chance.pick(pages);
    let mut tab = browser.connect(page).await?;
    if chance.below(3) == 0 {
        hand_in(browser, chance).await?;
    }
    for _ in 0..4 + chance.below(12) {
        match chance.below(100) {
            0..55 => {
                page = *chance.pick(pages);
                tab.push("meta", &at(page, true)).await?;
                tab.rest(chance.seconds(4, 35)).await?;
            }
            // Long enough to become idle, or away: see the limits in `demo`.
            55..70 => tab.rest(chance.seconds(70, 150)).await?,
            70..78 => tab.rest(chance.seconds(190, 300)).await?,
            78..90 => {
                tab.push("meta", &json!({ "visible": false })).await?;
                tab.rest(chance.seconds(20, 90)).await?;
                tab.push("meta", &at(page, true)).await?;
                tab.rest(chance.seconds(3, 10)).await?;
            }
            _ => be_busy(&mut tab, page, chance).await?,
        }
    }
    match chance.below(10) {
        0..2 => {
            browser.sign_out().await;
        }
        // A cable is pulled: the socket is gone without a word.
        2..4 => drop(tab),
        _ => tab.close().await,
    }
    Ok(())
}

/// A file of their own, or one that was made for them.
async fn hand_in(browser: &Browser<'_>, chance: &mut Chance) -> Result<(), Lost> {
    let at = browser.device.person.organisation;
    let (path, field, files) = match chance.below(4) {
        0 => ("/api/v1/outputs", "source", at.outputs),
        _ => ("/api/v1/uploads", "workflow", at.uploads),
    };
    let (name, label) = *chance.pick(files);
    let lines = 40 + chance.below(2_000);
    let text: Vec<String> = (0..lines).map(|n| format!("{n},{},{}\n", at.name, (n * 7_919) % 1_000)).collect();
    browser.send_file(path, (field, label), name, &text.concat()).await
}

async fn be_busy(tab: &mut Tab, page: &str, chance: &mut Chance) -> Result<(), Lost> {
    tab.push("status", &json!({ "choice": "busy", "message": chance.pick(&MESSAGES) })).await?;
    for _ in 0..3 {
        tab.push("meta", &at(page, true)).await?;
        tab.rest(chance.seconds(15, 40)).await?;
    }
    tab.push("status", &json!({ "choice": "available" })).await?;
    tab.rest(Duration::from_secs(3)).await
}

fn at(page: &str, visible: bool) -> Value {
    json!({ "page": page, "visible": visible, "idle_ms": 0 })
}
