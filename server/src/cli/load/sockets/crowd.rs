//! The people of a load: one task each, told what to do by the script.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    net::Ipv4Addr,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_local,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    super::{cookies::Person, target::Target},
    connect::{self, Reader, Ws},
};

/// Handshakes under way at once: more only wait in the system's queue of connections.
const AT_ONCE: usize = 1_000;
/// A handshake and a join take milliseconds; whoever needs longer counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the script tells a person to do. Nobody telling anything any more means: drop the connection.
enum Order {
    /// Go to the page of this number.
    Page(u32),
    Beat,
}

/// What happened so far, counted by the people's tasks.
#[derive(Default)]
pub(super) struct Told {
    /// Connected and, if the people join, answered to.
    pub(super) here: Cell<usize>,
    /// Tries to connect that are over, since all were sent off.
    pub(super) tried: Cell<usize>,
    /// Those that did not work, by what went wrong.
    pub(super) failed: RefCell<BTreeMap<String, u64>>,
    /// Connections that the server ended, by its code.
    pub(super) ended: RefCell<BTreeMap<String, u64>>,
    /// Frames of text that arrived.
    pub(super) frames: Cell<u64>,
    /// When the change of each number was sent.
    pub(super) sent: RefCell<Vec<Option<Instant>>>,
}

pub(super) struct Crowd {
    pub(super) people: Rc<Vec<Person>>,
    pub(super) told: Rc<Told>,
    target: Rc<Target>,
    /// Whether people join `presence:me`, or only keep a connection.
    join: bool,
    /// Connections come from this many addresses of the loopback.
    sources: u8,
    doors: Rc<Semaphore>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
}

/// The page of change `n`: `/load/000007`.
fn page(n: u32) -> String {
    format!("/load/{n:06}")
}

impl Crowd {
    pub(super) fn new(people: Vec<Person>, target: Target, join: bool, sources: u8) -> Self {
        let (people, target) = (Rc::new(people), Rc::new(target));
        let doors = Rc::new(Semaphore::new(AT_ONCE));
        Self { people, told: Rc::default(), target, join, sources, doors, orders: vec![] }
    }

    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    pub(super) fn joins(&self) -> bool {
        self.join
    }

    /// Brings everybody in, at most `rate` a second; nothing is all at once. Returns when all have been sent off.
    pub(super) async fn enter(&mut self, rate: Option<u32>) {
        self.told.here.set(0);
        self.told.tried.set(0);
        self.orders.clear();
        let started = Instant::now();
        for n in 0..self.people.len() {
            if let Some(rate) = rate {
                let due = started + Duration::from_secs_f64(n as f64 / f64::from(rate.max(1)));
                tokio::time::sleep_until(due.into()).await;
            }
            let (sender, orders) = mpsc::unbounded_channel();
            self.orders.push(sender);
            let source =
                (self.sources > 1).then(|| Ipv4Addr::new(127, 0, 0, 1 + (n % usize::from(self.sources)) as u8));
            let (people, told, target) = (Rc::clone(&self.people), Rc::clone(&self.told), Rc::clone(&self.target));
            let (doors, join) = (Rc::clone(&self.doors), self.join);
            spawn_local(async move {
                let person = &people[n];
                let entered = async {
                    let _door = doors.acquire().await.map_err(|e| e.to_string())?;
                    enter(&target, person, source, join).await
                };
                let entered = timeout(PATIENCE, entered).await.unwrap_or_else(|_| Err("no answer".to_owned()));
                told.tried.set(told.tried.get() + 1);
                match entered {
                    Ok(ws) => {
                        told.here.set(told.here.get() + 1);
                        stay(ws, orders, &told).await;
                    }
                    Err(how) => *told.failed.borrow_mut().entry(how).or_default() += 1,
                }
            });
        }
    }

    /// Everybody's connection breaks off at once, without a goodbye.
    pub(super) fn drop_all(&mut self) {
        self.orders.clear();
    }

    /// Person `who` goes to a page that nobody was on before: the page of the next change's number.
    pub(super) fn change(&self, who: usize) {
        let mut sent = self.told.sent.borrow_mut();
        let n = sent.len() as u32;
        sent.push(None);
        drop(sent);
        self.order(who, Order::Page(n));
    }

    pub(super) fn beat(&self, who: usize) {
        self.order(who, Order::Beat);
    }

    fn order(&self, who: usize, order: Order) {
        // Whose connection has ended does nothing any more; that is counted there.
        if let Some(person) = self.orders.get(who) {
            let _ = person.send(order);
        }
    }
}

async fn enter(target: &Target, person: &Person, source: Option<Ipv4Addr>, join: bool) -> Result<Ws, String> {
    let mut ws = connect::open(target, &person.cookie, source, Reader::Person).await?;
    if join {
        let frame = r#"["1","1","presence:me","phx_join",{"page":"/","visible":true}]"#;
        ws.send(Message::text(frame)).await.map_err(|e| e.to_string())?;
        loop {
            match ws.next().await {
                Some(Ok(Message::Text(text))) if text.contains("\"phx_reply\"") => {
                    if text.contains("\"status\":\"ok\"") {
                        break;
                    }
                    return Err(format!("the join was refused: {text}"));
                }
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.to_string()),
                None => return Err("the connection broke off".to_owned()),
            }
        }
    }
    Ok(ws)
}

/// Does as told until nobody tells anything any more, or the server ends the connection.
async fn stay(mut ws: Ws, mut orders: mpsc::UnboundedReceiver<Order>, told: &Told) {
    loop {
        tokio::select! {
            order = orders.recv() => {
                let frame = match order {
                    None => return,
                    Some(Order::Beat) => r#"[null,"2","phoenix","heartbeat",{}]"#.to_owned(),
                    Some(Order::Page(n)) => {
                        if let Some(sent) = told.sent.borrow_mut().get_mut(n as usize) {
                            *sent = Some(Instant::now());
                        }
                        format!(r#"["1","2","presence:me","meta",{{"page":"{}"}}]"#, page(n))
                    }
                };
                // What is wrong with the connection is seen when reading.
                let _ = ws.send(Message::text(frame)).await;
            }
            message = ws.next() => {
                let how = match message {
                    Some(Ok(Message::Text(_))) => {
                        told.frames.set(told.frames.get() + 1);
                        continue;
                    }
                    Some(Ok(Message::Close(frame))) => frame.map_or_else(|| "no code".to_owned(), |f| f.code.to_string()),
                    Some(Ok(_)) => continue,
                    Some(Err(e)) => e.to_string(),
                    None => "broke off".to_owned(),
                };
                told.here.set(told.here.get().saturating_sub(1));
                *told.ended.borrow_mut().entry(how).or_default() += 1;
                return;
            }
        }
    }
}
