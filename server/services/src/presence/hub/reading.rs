//! What the hub answers when somebody asks.

use std::{collections::HashMap, sync::Arc};

use domain::{
    OrganisationId, Reach, Time, UserId,
    presence::{
        Colleague, Counts, PersonRow, Query, Sort, State, live,
        ordered::Ordered,
        roster::Known,
        sight, state,
        view::{Me, OnlinePage, sentence},
    },
};

use super::Hub;

impl Hub {
    /// Everybody who is not offline, and who exists.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.roster.rows().filter(|r| !self.canary.is(r.id))
    }

    pub(super) fn within(&self, reach: Reach) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.rows().filter(move |r| reach.sees(r))
    }

    pub(super) fn counts(&self, reach: Reach) -> Counts {
        let zero = || Counts::zero(self.roles.iter().map(String::as_str));
        self.counts.get(&reach).cloned().unwrap_or_else(zero)
    }

    pub(in super::super) fn online(&mut self, reach: Reach, query: &Query, limit: u32, offset: u32) -> OnlinePage {
        self.advance();
        self.flush();
        let now = self.now();
        let (total, users) = if query.is_everybody() {
            self.everybody(reach, query.sort, limit, offset, now)
        } else {
            live::page(query, limit, offset, self.within(reach), now)
        };
        OnlinePage { counts: self.counts(reach), total, users, as_of: now, seq: self.seq }
    }

    /// A page of everybody, which costs what it shows once somebody has asked for its order.
    fn everybody(&mut self, reach: Reach, sort: Sort, limit: u32, offset: u32, now: Time) -> (u32, Vec<PersonRow>) {
        if !self.orders.contains_key(&(reach, sort)) {
            let query = Query { sort, ..Query::default() };
            let ordered = Ordered::new(query, self.within(reach));
            self.orders.insert((reach, sort), (ordered, now));
        }
        let Some((ordered, asked_at)) = self.orders.get_mut(&(reach, sort)) else { return (0, vec![]) };
        *asked_at = now;
        let window = ordered.window(limit as usize, offset as usize);
        (ordered.total(), window.map(|r| live::at(r, now)).collect())
    }

    /// The states of those who are not offline, of everybody within reach or of these.
    pub(in super::super) fn states(&mut self, reach: Reach, of: Option<Vec<UserId>>) -> HashMap<UserId, State> {
        self.advance();
        let state = |r: &Arc<PersonRow>| (r.id, r.state);
        match of {
            None => self.within(reach).map(state).collect(),
            Some(ids) => {
                let rows = ids.iter().filter_map(|id| self.roster.row(*id));
                rows.filter(|r| reach.sees(r)).map(state).collect()
            }
        }
    }

    /// Counts with these roles from now on; watchers hear of it with the next change.
    pub(in super::super) fn set_roles(&mut self, roles: Vec<String>) {
        self.flush();
        self.roles = roles;
        let known = |name: &String| self.roles.contains(name);
        for counts in self.counts.values_mut() {
            for map in [&mut counts.by_role, &mut counts.active_by_role] {
                map.retain(|name, n| *n > 0 || known(name));
                for role in &self.roles {
                    map.entry(role.clone()).or_default();
                }
            }
        }
    }

    /// How many sockets are open, and how many people within reach are here.
    pub(in super::super) fn load(&mut self, reach: Reach) -> (u64, Counts) {
        self.advance();
        self.flush();
        (self.registry.len() as u64, self.counts(reach))
    }

    pub(in super::super) fn people(&mut self, organisation: OrganisationId) -> Vec<Colleague> {
        self.advance();
        let rows = self.rows().map(|r| &**r);
        sight::colleagues(rows.filter(|r| r.organisation_id == Some(organisation)))
    }

    pub(in super::super) fn known(&mut self, id: UserId) -> Option<Known> {
        self.advance();
        self.roster.known(id)
    }

    pub(in super::super) fn limits_sentence(&self) -> String {
        state::limits_sentence(self.roster.limits())
    }

    pub(in super::super) fn me(&mut self, id: UserId) -> Me {
        let known = self.known(id);
        let state = known.as_ref().map_or(State::Offline, |k| k.state);
        let latest = known.as_ref().and_then(|k| k.transitions.first());
        Me {
            chosen: known.as_ref().map(|k| k.chosen.clone()).unwrap_or_default(),
            state,
            since: latest.map(|t| t.at),
            cause: latest.map(|t| t.cause),
            sentence: sentence(state, latest),
            limits: self.limits_sentence(),
            devices: known.as_ref().and_then(|k| k.row.as_ref()).map(|r| r.devices.clone()).unwrap_or_default(),
            as_of: self.now(),
            activity: None,
        }
    }
}
