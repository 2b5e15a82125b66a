// What the pages that the server alone writes do in the browser (`app/src/written`): one goes from page to page, filters
// as one types, sends forms in place, and reads times in one's own zone. Without it they are plain pages.

import { read as readable } from './charts.mjs';
import { follow as listen, unfollow } from './page.mjs';
import { ago, short } from './times.mjs';
import { watch } from './traffic.mjs';

/** Typing asks when it pauses, not at every key. */
const TYPING_MS = 250;
/** States of people are asked for this often while somebody may see them. */
const STATES_MS = 5_000;
/** A page that shows what happens now is asked for again this often at most. */
const FRESH_MS = 1_000;

/** Tells the page: `title`, `said`, and `reauth` with what to do once the password was given. */
let tell;
/** The address of what is shown; nothing before the first look. */
let shown;
/** The newest ask; the answer to an older one is thrown away. */
let turn = 0;

const root = () => document.getElementById('written');
const here = () => location.pathname + location.search;

/** Called when such a page is shown for the first time. */
export function begin(told) {
  const again = tell === undefined;
  tell = told;
  if (root()?.childElementCount) settle(here());
  else shown = undefined;
  if (!again) return;
  document.addEventListener('submit', submitted);
  document.addEventListener('input', typed);
  document.addEventListener('change', changed);
  document.addEventListener('click', paused);
  document.addEventListener('click', taken);
  setInterval(() => root() && times(root()), 10_000);
  setInterval(() => document.hidden || !root() || follow(), STATES_MS);
  document.addEventListener('visibilitychange', () => document.hidden || !root() || follow());
  document.addEventListener('rollcall:notices', () => root()?.querySelector('[data-notices]') && ask(here(), '/rpc/refresh'));
  // What turns all times of a page (`clock.rs`) has done so when these have been heard.
  for (const name of ['click', 'keydown', 'change']) {
    addEventListener(name, () => setTimeout(() => root() && times(root())));
  }
}

/** The address is this now. The browser's own may follow a moment later. */
export function show(path, search) {
  const url = search ? `${path}?${search.replace(/^\?/, '')}` : path;
  if (url !== shown) return ask(url);
}

async function ask(url, door = '/rpc/page') {
  const mine = ++turn;
  root()?.setAttribute('aria-busy', 'true');
  const answer = await post(door, [['url', url]]);
  if (mine !== turn || !root()) return;
  root().removeAttribute('aria-busy');
  if (answer.error) {
    if (answer.error.code === 'unauthenticated') return location.reload();
    // The server leads to what comes first.
    if (answer.error.code === 'second_factor_missing') return location.assign(url);
    tell('title', answer.error.code === 'not_found' ? 'There is nothing here' : 'This did not work');
    const p = Object.assign(document.createElement('p'), { className: 'card message', textContent: answer.error.message });
    root().replaceChildren(p);
  } else {
    const open = url.split('?')[0] === shown?.split('?')[0] && root().querySelector('dialog[open]');
    // Not under somebody's hands: what they opened while this was asked stays, and the page is put right once it is closed.
    if (open) return open.addEventListener('close', () => ask(here(), door), { once: true });
    put(answer.ok.html, url);
    tell('title', answer.ok.title);
  }
  settle(url);
}

/** Puts the states of the people shown right, and says as of when. Where that fails, what stands there is as old as it says. */
async function follow() {
  const cells = [...root().querySelectorAll('[data-person]')];
  if (!cells.length) return;
  const { ok } = await post('/rpc/states', [['ids', cells.map((e) => e.dataset.person)]]);
  if (!ok || !root()) return;
  const [at, states] = ok;
  let again = false;
  for (const e of cells) {
    const next = new DOMParser().parseFromString(states[e.dataset.person] ?? '', 'text/html').body;
    if (e.textContent === next.textContent) continue;
    e.replaceChildren(...next.childNodes);
    again ||= e.isConnected && !!e.closest('[data-part=person]');
  }
  for (const e of root().querySelectorAll('[data-as-of] time')) e.dateTime = at;
  times(root());
  // What else is said of one person; not under somebody's hands.
  if (again && !root().querySelector('dialog[open], [data-part] :focus')) await ask(here(), '/rpc/refresh');
}

/** What only pages of files need. */
const files = () => import('./files.mjs');

function settle(url) {
  shown = url;
  if (root().querySelector('[data-upload], [data-arriving]')) {
    void files().then((m) => root() && m.settle(root(), {
      say: (text) => tell('said', text),
      again: () => root() && ask(here(), '/rpc/refresh'),
    }));
  }
  times(root());
  ticked(root());
  readable(root());
  tail();
  watch(() => ask(here(), '/rpc/refresh'));
}

/** The topic that is listened to, and what is about to be asked because it told of something. */
let following;
let due;
let askedAt = 0;

/** Follows what the page follows, unless it is paused. */
function tail() {
  const at = root()?.querySelector('[data-follows]');
  const topic = root()?.querySelector('[data-pause][aria-pressed=true]') ? undefined : at?.dataset.follows;
  if (topic === following) return;
  if (following) unfollow(following);
  following = topic;
  if (topic) listen(topic, (event) => event === 'events' && freshen());
}

/** Asks for the page again; not under somebody's hands, and not while nobody looks. */
function freshen() {
  due ??= setTimeout(async () => {
    due = undefined;
    if (!root()?.querySelector('[data-follows]')) return tail();
    if (!following) return;
    askedAt = Date.now();
    if (document.hidden || root().querySelector('dialog[open], [data-part=list] :is(details[open], :focus)')) freshen();
    else await ask(here(), '/rpc/refresh');
  }, Math.max(0, askedAt + FRESH_MS - Date.now()));
}

function paused({ target }) {
  const button = target.closest?.('[data-pause]');
  if (!button || !root()?.contains(button)) return;
  button.ariaPressed = button.ariaPressed !== 'true';
  tail();
  if (following) freshen();
}

/** Of the same page only the parts that may differ, so that what is typed and open stays. */
function put(html, url) {
  const next = new DOMParser().parseFromString(html, 'text/html').body;
  const parts = (of) => [...of.querySelectorAll('[data-part]')];
  const [old, fresh] = [parts(root()), parts(next)];
  const same = shown?.split('?')[0] === url.split('?')[0] && old.length > 0
    && old.map((e) => e.dataset.part).join() === fresh.map((e) => e.dataset.part).join();
  if (!same) {
    const inside = root().contains(document.activeElement);
    root().replaceChildren(...next.childNodes);
    // What had the focus is gone; the next Tab goes on from here and not from the top of the document.
    if (inside) document.getElementById('main')?.focus({ preventScroll: true });
    return;
  }
  const focus = document.activeElement;
  old.forEach((e, i) => {
    if (e.innerHTML !== fresh[i].innerHTML) e.replaceChildren(...fresh[i].childNodes);
  });
  if (!focus.isConnected) likeness(focus)?.focus({ preventScroll: true });
  // What one chose by going back is shown by the fields as well, unless one is typing there.
  for (const field of next.querySelectorAll('form[method=get] [name]')) {
    const mine = root().querySelector(`form[method=get] [name="${CSS.escape(field.name)}"]`);
    if (mine && mine !== document.activeElement && mine.type !== 'checkbox') mine.value = field.value;
  }
}

/** What stands where `gone` stood: of the same id, else written alike. */
const likeness = (gone) => (gone.id ? document.getElementById(gone.id)
  : [...root().querySelectorAll(gone.localName)].find((e) => e.outerHTML === gone.outerHTML));

/** Goes to `url` by the router of the app, as if a link had been followed. */
function go(url, replace) {
  // A file, not a page.
  if (url.startsWith('/api/')) return void location.assign(url);
  if (url === here()) return void ask(url);
  const link = Object.assign(document.createElement('a'), { href: url, hidden: true });
  link.replace = replace;
  if (replace) link.setAttribute('data-noscroll', '');
  document.body.append(link);
  link.click();
  link.remove();
}

function submitted(event) {
  const form = event.target;
  if (!root()?.contains(form) || event.defaultPrevented || form.method === 'dialog') return;
  event.preventDefault();
  if (form.method === 'get') filter(form, false);
  else if (form.matches('[data-upload]')) void files().then((m) => m.send(form));
  else send(form, event.submitter);
}

function filter(form, replace) {
  const full = [...new FormData(form)].filter(([, value]) => typeof value === 'string' && value.trim());
  const query = new URLSearchParams(full).toString();
  const sort = new URLSearchParams(location.search).get('sort');
  const kept = sort && !form.elements.sort ? `${query ? '&' : ''}sort=${encodeURIComponent(sort)}` : '';
  const path = form.getAttribute('action');
  go(query || kept ? `${path}?${query}${kept}` : path, replace);
}

let pause;
function typed({ target }) {
  if (!target.matches?.('[data-typing]') || !root()?.contains(target)) return;
  clearTimeout(pause);
  pause = setTimeout(() => target.isConnected && filter(target.form, true), TYPING_MS);
}

function changed({ target }) {
  if (!root()?.contains(target)) return;
  if (target.matches('form[method=get] :is(select, [type=checkbox], .chip input)')) filter(target.form, true);
  if (target.matches('[data-all]')) {
    for (const box of target.closest('table').querySelectorAll('[name=ids]')) box.checked = target.checked;
  }
  if (target.matches('[data-all], [name=ids]')) ticked(root());
  if (target.matches('[data-into]')) void read(target);
}

/** A file that is made as it comes: the browser fetches it, and how far it is is shown beside. */
function taken({ target }) {
  const link = target.closest?.('[data-export]');
  if (!link || !root()?.contains(link)) return;
  const key = crypto.getRandomValues(new Uint32Array(3)).join('-');
  const [before, href] = [link.getAttribute('href'), new URL(link.href)];
  href.searchParams.set('key', key);
  // The browser follows the link as it is when this returns.
  link.href = href;
  setTimeout(() => link.setAttribute('href', before));
  const name = href.searchParams.get('format').toUpperCase();
  void import('./exports.mjs').then((m) => m.follow(key, name, { post, say: (text) => tell('said', text) }));
}

/** Puts the text of a chosen file into the field that is sent. */
async function read(chosen) {
  const field = document.getElementById(chosen.dataset.into);
  if (field && chosen.files[0]) field.value = await chosen.files[0].text();
}

/** Shows how many rows are ticked. */
function ticked(where) {
  const n = where.querySelectorAll('[name=ids]:checked').length;
  for (const e of where.querySelectorAll('[data-count]')) e.textContent = n;
  for (const e of where.querySelectorAll('[data-some]')) e.disabled = n === 0;
}

/** Sends a form in place. Fields of the same name are joined by commas. */
async function send(form, button) {
  if (form.ariaBusy === 'true') return;
  const fields = new Map();
  for (const [name, value] of new FormData(form, button)) {
    if (typeof value === 'string') fields.set(name, fields.has(name) ? `${fields.get(name)},${value}` : value);
  }
  form.ariaBusy = 'true';
  const answer = await post(button?.getAttribute('formaction') ?? form.getAttribute('action'), [...fields]);
  form.ariaBusy = null;
  if (!form.isConnected) return;
  if (answer.error?.code === 'reauth_required') return tell('reauth', () => send(form, button));
  complain(form, answer.error);
  if (answer.error) return;
  const { say, go: where, show: html } = answer.ok ?? {};
  if (say) tell('said', say);
  if (html) {
    const body = new DOMParser().parseFromString(html, 'text/html').body;
    form.replaceChildren(...body.childNodes);
    form.querySelector('[autofocus], input, button')?.focus();
    // Once it is closed the form is there again, and the page as it has become.
    form.closest('dialog')?.addEventListener('close', () => {
      shown = undefined;
      ask(here());
    }, { once: true });
    return;
  }
  form.closest('dialog')?.close();
  if (!form.closest('[data-keeps]')) form.reset();
  if (where) go(where, false);
  else await ask(here());
}

/** What is wrong, beside the fields and above the form, which takes the focus. */
function complain(form, error) {
  for (const e of form.querySelectorAll('.wrong, .summary')) e.remove();
  for (const e of form.querySelectorAll('[aria-invalid]')) {
    e.removeAttribute('aria-invalid');
    described(e, `${e.id || e.name}-wrong`, false);
  }
  if (!error) return;
  let marked = false;
  for (const [name, text] of Object.entries(error.fields ?? {})) {
    const field = form.elements.namedItem(name);
    if (!field?.closest) continue;
    const id = `${field.id || name}-wrong`;
    const p = Object.assign(document.createElement('p'), { className: 'wrong', id, textContent: text });
    (field.closest('.field') ?? field).append(p);
    field.setAttribute('aria-invalid', 'true');
    described(field, id, true);
    marked = true;
  }
  const summary = Object.assign(document.createElement('div'), { className: 'summary', tabIndex: -1 });
  summary.setAttribute('role', 'alert');
  summary.append(Object.assign(document.createElement('p'), { textContent: marked ? 'Check what is marked below.' : error.message }));
  form.prepend(summary);
  summary.focus();
}

/** Adds `id` to what describes a field, before its hint, or takes it away. */
function described(field, id, add) {
  const others = (field.getAttribute('aria-describedby') ?? '').split(' ').filter((other) => other && other !== id);
  field.setAttribute('aria-describedby', (add ? [id, ...others] : others).join(' '));
}

async function post(to, fields) {
  try {
    const answer = await fetch(to, { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams(fields) });
    const body = JSON.parse(await answer.text() || 'null');
    return answer.ok ? { ok: body } : { error: body };
  } catch {
    return { error: { code: 'network', message: 'The server was not reached. Check your connection and try again.' } };
  }
}

/** Instants in the reader's zone; "3 min ago" within a week where a page asks for it. */
function times(where) {
  const now = Date.now();
  const exact = localStorage.getItem('exact-times') === 'on';
  for (const e of where.querySelectorAll('time[datetime]')) {
    const at = new Date(e.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = (!exact && e.hasAttribute('data-relative') && ago(now - at))
      || (e.hasAttribute('data-exact') ? onRecord(at) : short(at, new Date(now)));
    if (e.textContent !== text) e.textContent = text;
  }
}

/** `2 Mar 2026, 14:02:11`, for what is on record. */
const onRecord = (at) => `${short(at, new Date(0))}:${String(at.getSeconds()).padStart(2, '0')}`;
