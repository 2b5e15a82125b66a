// Instants as the pages write them, in the reader's own zone.

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

export function ago(ms) {
  if (ms < MINUTE) return 'just now';
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  if (ms < 2 * DAY) return 'yesterday';
  return ms < 7 * DAY ? `${Math.floor(ms / DAY)} days ago` : null;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:02` today, `2 Mar, 14:02` this year, `2 Mar 2025, 14:02` else; as the other pages write it. */
export function short(at, now) {
  const two = (n) => String(n).padStart(2, '0');
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return minute;
  const year = at.getFullYear() === now.getFullYear() ? '' : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year}, ${minute}`;
}

/**
 * A sentence of the server's with its instants, which are in UTC, made local. One without a day is the last such time
 * up to `base`, or up to the first instant in the sentence that has one.
 */
export function sentence(text, base, now) {
  return text.replace(/(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d:\d\d) UTC/g, (all, day, clock) => {
    const date = day ?? (base === undefined ? undefined : new Date(base).toISOString().slice(0, 10));
    if (date === undefined) return all;
    let at = Date.parse(`${date}T${clock}Z`);
    if (!day && at > base) at -= DAY;
    base ??= at;
    return short(new Date(at), new Date(now));
  });
}
