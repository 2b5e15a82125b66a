// People for tests: names nobody else has, so that tests can share a server.

/** What `rollcall user add` takes. The organisation is created if it is not there. */
export interface Person {
  username: string;
  password: string;
  name: string;
  email?: string;
  role?: string;
  org?: string;
}

const FIRST = ["Ada", "Ben", "Cleo", "Dov", "Edda", "Femi", "Grete", "Hugo", "Ines", "Jun", "Kaja", "Leo", "Mira"];
const LAST = ["Okafor", "Lind", "Sato", "Weiss", "Marsh", "Ferrer", "Novak", "Adeyemi", "Quist", "Bruno", "Halloran"];

/** Long enough for an administrator, and in nobody's list. */
export const PASSWORD = "seven calm harbours 41";

let made = 0;

/** Somebody who is not there yet. */
export function newcomer(more: Partial<Person> = {}): Person {
  const first = FIRST[made % FIRST.length];
  const last = LAST[made % LAST.length];
  // 143 names without a number, then numbered ones: no name is part of another.
  const round = Math.floor(made / (FIRST.length * LAST.length));
  made += 1;
  const name = round === 0 ? `${first} ${last}` : `${first} ${last} (${round})`;
  const username = `${first}.${last}.${made}`.toLowerCase();
  return { username, password: PASSWORD, name, email: `${username}@example.org`, role: "member", ...more };
}
