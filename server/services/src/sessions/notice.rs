//! Telling people of a device that their account was never used on.

use std::net::IpAddr;

use domain::{
    Actor, ApiError, SessionId, Time, UserId,
    account::UserCard,
    activity::NEW_DEVICE,
    time::{DAY, Millis},
    useragent::Device,
};
use sea_orm::DatabaseTransaction;

use super::{Sessions, sign_in::Origin};
use crate::{
    activity::About,
    mail::letter,
    store::{db, events, session},
};

/// A new device is pointed out among one's devices for this long.
const POINTED_OUT: Millis = 14 * DAY;

impl Sessions {
    /// Writes down, and mails, that the session about to begin is of a browser, system and network that none of the
    /// sessions we still know of was of. The very first sign-in is news to nobody.
    pub(super) async fn notice_device(
        &self,
        txn: &DatabaseTransaction,
        card: &UserCard,
        id: SessionId,
        device: &Device,
        from: &Origin,
    ) -> Result<(), ApiError> {
        let known = session::addresses_of(txn, card.id, &device.browser, &device.os).await.map_err(db)?;
        if known.iter().any(|ip| same_network(ip, &from.ip))
            || known.is_empty() && !session::any_of(txn, card.id).await.map_err(db)?
        {
            return Ok(());
        }
        let (clock, mail) = (&self.inner.clock, &self.inner.mail);
        let about = About { card, session: Some(id), ip: Some(&from.ip) };
        self.inner.events.append(txn, NEW_DEVICE, about).await.map_err(db)?;
        let link = mail.link("/account/devices");
        mail.put(txn, card, letter::new_device(card, device, &from.ip, clock.now(), &link)).await
    }

    /// The actor's own sessions that began on a device that was new then, in the last two weeks.
    pub async fn new_devices(&self, actor: &Actor) -> Result<Vec<SessionId>, ApiError> {
        let user: UserId = actor.person()?.card.id;
        let since: Time = self.now().plus(-POINTED_OUT);
        let store = &self.inner.store;
        store.within(events::sessions_of(store.read(), user, NEW_DEVICE, since)).await
    }
}

/// Whether two addresses are of one network, as providers hand them out: 256 addresses of version 4, a /48 of version 6.
fn same_network(a: &str, b: &str) -> bool {
    match (a.parse(), b.parse()) {
        (Ok(IpAddr::V4(a)), Ok(IpAddr::V4(b))) => a.octets()[..3] == b.octets()[..3],
        (Ok(IpAddr::V6(a)), Ok(IpAddr::V6(b))) => a.segments()[..3] == b.segments()[..3],
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_apart() {
        for (a, b) in [("192.0.2.7", "192.0.2.250"), ("2001:db8:1::1", "2001:db8:1:ffff::2"), ("", "")] {
            assert!(same_network(a, b), "{a} {b}");
        }
        for (a, b) in
            [("192.0.2.7", "192.0.3.7"), ("2001:db8:1::1", "2001:db8:2::1"), ("192.0.2.7", "::1"), ("", "::1")]
        {
            assert!(!same_network(a, b), "{a} {b}");
        }
    }
}
