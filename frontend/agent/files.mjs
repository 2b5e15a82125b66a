// What pages of files do in the browser (`app/src/written/files`): files are sent one request each, a few at a time, with
// progress, speed and the time that is left; each can be cancelled and sent again. The console sees them as they come.

import { follow, unfollow } from './page.mjs';

const DOOR = '/api/v1/uploads';
const TOPIC = 'live:uploads';
/** So many are sent at once; the others wait. */
const AT_ONCE = 3;
/** The speed is that of the last seconds. */
const SPEED_MS = 3_000;
/** A page that lists uploads is asked for again this much after one came, for those that come together. */
const AGAIN_MS = 1_000;

let page;
/** Everything chosen since the document was opened; it goes on while one reads other pages. */
let items = [];
let number = 0;
/** Since something was said last. */
let failed = 0;

/** Called whenever a page of files is shown, or shown anew. */
export function settle(root, told) {
  page = told;
  const form = root.querySelector('[data-upload]');
  if (form && !form.dataset.ready) ready(form, root);
  draw();
  if (root.querySelector('[data-arriving]')) watch();
}

function ready(form, root) {
  form.dataset.ready = 'yes';
  form.elements.file.multiple = true;
  const zone = root.querySelector('[data-drop]');
  for (const name of ['dragenter', 'dragover']) {
    zone.addEventListener(name, (e) => {
      if (!e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      zone.classList.add('over');
    });
  }
  zone.addEventListener('dragleave', (e) => zone.contains(e.relatedTarget) || zone.classList.remove('over'));
  zone.addEventListener('drop', (e) => {
    e.preventDefault();
    zone.classList.remove('over');
    add([...e.dataTransfer.files], form);
  });
}

/** The form was sent. */
export function send(form) {
  add([...form.elements.file.files], form);
  form.elements.file.value = '';
}

addEventListener('beforeunload', (e) => items.some((i) => i.state === 'sending') && e.preventDefault());

function add(files, form) {
  const [limit, workflow] = [Number(form.dataset.limit), form.elements.workflow.value];
  for (const file of files) {
    const item = { id: ++number, file, workflow, state: 'waiting', sent: 0, marks: [] };
    if (file.size > limit) Object.assign(item, { state: 'failed', final: true, text: `A file may have ${bytes(limit)} at most.` });
    items.push(item);
  }
  next();
  draw();
}

function next() {
  const free = AT_ONCE - items.filter((i) => i.state === 'sending').length;
  for (const item of items.filter((i) => i.state === 'waiting').slice(0, free)) start(item);
}

function start(item) {
  const body = new FormData();
  if (item.workflow) body.append('workflow', item.workflow);
  body.append('file', item.file);
  const request = new XMLHttpRequest();
  Object.assign(item, { request, state: 'sending', sent: 0, text: '', marks: [[performance.now(), 0]] });
  request.open('POST', DOOR);
  request.upload.onprogress = ({ loaded, total }) => {
    item.sent = Math.round((loaded / total) * item.file.size);
    const now = performance.now();
    item.marks.push([now, item.sent]);
    while (item.marks.length > 2 && now - item.marks[0][0] > SPEED_MS) item.marks.shift();
    draw();
  };
  request.onload = () => over(item, request.status === 201 ? '' : said(request));
  request.onerror = () => over(item, 'The connection was lost.');
  request.onabort = () => {
    item.state = 'cancelled';
    settled();
  };
  request.send(body);
}

function said(request) {
  try {
    return JSON.parse(request.responseText).error.message;
  } catch {
    return 'The server could not take it.';
  }
}

function over(item, wrong) {
  Object.assign(item, { state: wrong ? 'failed' : 'done', text: wrong });
  failed += wrong ? 1 : 0;
  settled();
}

/** What else is to be sent; once nothing is, it is said what came, and the page is asked for again. */
function settled() {
  next();
  draw();
  if (items.some((i) => i.state === 'sending')) return;
  const done = items.filter((i) => i.state === 'done').length;
  const words = [done === 1 ? '1 file is here.' : done && `${done} files are here.`, failed && (failed === 1 ? '1 was not sent.' : `${failed} were not sent.`)];
  if (done || failed) page.say(words.filter(Boolean).join(' '));
  failed = 0;
  items = items.filter((i) => i.state !== 'done');
  draw();
  if (done) void page.again();
}

/** The queue as it is; a line is made once, so that a button keeps its focus. */
function draw() {
  const list = document.querySelector('[data-queue]');
  if (!list) return;
  const lines = new Map([...list.children].map((li) => [li.dataset.id, li]));
  for (const item of items) {
    const li = lines.get(String(item.id)) ?? list.appendChild(line(item));
    lines.delete(String(item.id));
    const bar = li.querySelector('progress');
    bar.max = item.file.size || 1;
    bar.value = item.sent;
    bar.hidden = item.state !== 'sending';
    write(li.querySelector('.text'), words(item));
    li.querySelector('.cancel').hidden = !['waiting', 'sending'].includes(item.state);
    li.querySelector('.retry').hidden = item.final || !['failed', 'cancelled'].includes(item.state);
    li.querySelector('.drop').hidden = !['failed', 'cancelled'].includes(item.state);
  }
  for (const gone of lines.values()) gone.remove();
}

const write = (e, text) => e.textContent !== text && (e.textContent = text);

function line(item) {
  const li = make('li', { className: 'sending' });
  li.dataset.id = item.id;
  const button = (kind, word, act) => {
    const b = make('button', { type: 'button', className: `button ${kind}`, textContent: word, onclick: act });
    b.setAttribute('aria-label', `${word} ${item.file.name}`);
    return b;
  };
  const bar = make('progress', {});
  bar.setAttribute('aria-label', `Progress of ${item.file.name}`);
  li.append(
    make('span', { className: 'name', textContent: item.file.name }),
    bar,
    make('span', { className: 'text muted' }),
    button('cancel', 'Cancel', () => {
      if (item.state === 'sending') item.request.abort();
      else item.state = 'cancelled';
      draw();
      li.querySelector('.retry').focus();
    }),
    button('retry', 'Retry', () => {
      item.state = 'waiting';
      next();
      draw();
      li.querySelector('.cancel').focus();
    }),
    button('drop', 'Remove', () => {
      items = items.filter((i) => i !== item);
      draw();
      document.getElementById('f-file')?.focus();
    }),
  );
  return li;
}

const make = (name, values) => Object.assign(document.createElement(name), values);

function words(item) {
  if (item.state === 'waiting') return 'Waiting';
  if (item.state === 'cancelled') return 'Cancelled';
  if (item.state === 'done') return 'Sent';
  if (item.state === 'failed') return item.text;
  const [[t0, n0], [t1, n1]] = [item.marks[0], item.marks.at(-1)];
  const speed = t1 > t0 ? ((n1 - n0) / (t1 - t0)) * 1_000 : 0;
  const so = `${bytes(item.sent)} of ${bytes(item.file.size)}`;
  if (item.sent >= item.file.size) return `${so}, being stored`;
  return speed > 0 ? `${so} · ${bytes(speed)}/s · ${left((item.file.size - item.sent) / speed)} left` : so;
}

/** As the server writes it. */
export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; n >= 1_000 && unit < 4; unit += 1) n /= 1_000;
  const cut = unit > 0 && n < 100 ? Math.floor(n * 10) / 10 : Math.floor(n);
  return `${cut} ${units[unit]}`;
}

export function left(seconds) {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s} s`;
  return s < 3_600 ? `${Math.ceil(s / 60)} min` : `${Math.floor(s / 3_600)} h ${Math.ceil((s % 3_600) / 60)} min`;
}

// The console: uploads on their way.

let later;
function watch() {
  follow(TOPIC, (event, payload) => {
    const table = document.querySelector('[data-arriving]');
    if (!table) return unfollow(TOPIC);
    if (event === 'running') arriving(table, payload.items);
    if (event === 'uploaded') {
      clearTimeout(later);
      later = setTimeout(() => document.querySelector('[data-arriving]') && page.again(), AGAIN_MS);
    }
  });
}

function arriving(table, all) {
  const body = table.querySelector('tbody');
  const rows = new Map([...body.children].map((tr) => [tr.dataset.id, tr]));
  for (const a of all) {
    const tr = rows.get(a.id) ?? body.appendChild(row(a));
    rows.delete(a.id);
    const bar = tr.querySelector('progress');
    if (a.size) bar.value = Math.min(100, Math.floor((a.received / a.size) * 100));
    write(tr.querySelector('.text'), bytes(a.received));
  }
  for (const gone of rows.values()) gone.remove();
  table.querySelector('.empty').hidden = all.length > 0;
}

function row(a) {
  const tr = make('tr', {});
  tr.setAttribute('role', 'row');
  tr.dataset.id = a.id;
  const cell = (name, role, text) => {
    const e = make(name, { textContent: text });
    e.setAttribute('role', role);
    if (name === 'th') e.scope = 'row';
    return e;
  };
  const bar = make('progress', { max: 100 });
  bar.setAttribute('aria-label', `Progress of ${a.name}`);
  const progress = cell('td', 'cell', '');
  progress.append(bar, ' ', make('span', { className: 'text' }));
  tr.append(cell('th', 'rowheader', a.name), cell('td', 'cell', a.user_name), cell('td', 'cell', a.workflow ?? ''), progress);
  return tr;
}
