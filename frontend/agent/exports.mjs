// How far files are that are made while they come (`services::activity::export`). The browser itself fetches them, so that
// they go to the disk and not into memory; how far each is, the server says when it is asked.

const EVERY_MS = 500;
/** The browser may ask where to put the file before it asks us for it. */
const PATIENCE_MS = 60_000;

/** Shows the export of this key until it is over. `page` has `post`, and `say` for what is to be heard. */
export async function follow(key, name, page) {
  const item = { key, name, page, begun: performance.now(), told: undefined };
  for (;;) {
    const { ok, error } = await page.post('/rpc/follow_export', [['key', key]]);
    if (ok) item.told = ok;
    else if (error ? error.code !== 'network' : item.told || late(item)) break;
    draw(item);
    if (item.told && item.told.state !== 'running') break;
    await new Promise((then) => setTimeout(then, EVERY_MS));
  }
  if (item.told) page.say(`${name}: ${words(item.told)}.`);
}

const late = (item) => performance.now() - item.begun > PATIENCE_MS;

/** What is said of it. */
export function words({ done, expected, state }) {
  const n = (count) => count.toLocaleString('en');
  const all = expected === null ? '' : ` of ${n(expected)}`;
  const events = `${n(done)}${all} ${(expected ?? done) === 1 ? 'event' : 'events'}`;
  if (state === 'complete') return `complete, ${n(done)} ${done === 1 ? 'event' : 'events'}`;
  if (state === 'cancelled') return `cancelled after ${events}; the file is not whole`;
  if (state === 'broken') return `broken off after ${events}; the file is not whole`;
  return done === expected ? `${events}, being written` : events;
}

function draw(item) {
  const list = document.querySelector('[data-exports]');
  if (!list) return;
  const li = list.querySelector(`[data-id="${item.key}"]`) ?? list.appendChild(line(item));
  const [bar, text] = [li.querySelector('progress'), li.querySelector('.text')];
  const { done, expected, state } = item.told ?? { done: 0, expected: null, state: 'running' };
  if (expected !== null) {
    bar.max = Math.max(expected, done, 1);
    bar.value = done;
  }
  bar.hidden = state !== 'running';
  text.textContent = item.told ? words(item.told) : 'waiting for the browser';
  li.querySelector('.cancel').hidden = state !== 'running' || !item.told;
  li.querySelector('.drop').hidden = state === 'running';
}

function line(item) {
  const make = (name, values) => Object.assign(document.createElement(name), values);
  const li = make('li', { className: 'sending' });
  li.dataset.id = item.key;
  const button = (kind, word, onclick) => {
    const b = make('button', { type: 'button', className: `button ${kind}`, textContent: word, onclick });
    b.setAttribute('aria-label', `${word} the export as ${item.name}`);
    return b;
  };
  const bar = make('progress', {});
  bar.setAttribute('aria-label', `Progress of the export as ${item.name}`);
  const cancel = button('cancel', 'Cancel', async () => {
    const { ok } = await item.page.post('/rpc/follow_export', [['key', item.key], ['cancel', 'true']]);
    if (ok) item.told = ok;
    draw(item);
    li.querySelector('.drop').focus();
  });
  const drop = button('drop', 'Remove', () => li.remove());
  li.append(make('span', { className: 'name', textContent: item.name }), bar, make('span', { className: 'text muted' }), cancel, drop);
  return li;
}
