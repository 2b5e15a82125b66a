// What people write is text, wherever it is shown; what the browser is told keeps it so.

import type { Page } from "@playwright/test";
import { enter, hydrated, live, openDrawer, rowOf, signOut } from "../support/person";
import { expect, test } from "../support/test";

/** One that fires in each place text can end up in. */
const PAYLOADS = [
  "</script><script>alert(1)</script>",
  "</script><img src=x onerror=alert(1)>",
  "<img src=x onerror=alert(1)>",
  '"><svg onload=alert(1)>',
  "'><svg onload=alert(1)>",
  '" autofocus onfocus=alert(1) x="',
  "' onmouseover=alert(1) x='",
  "javascript:alert(1)",
  "<!--<script>alert(1)//-->",
  "]]><script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</textarea><script>alert(1)</script>",
  "<iframe srcdoc='<script>parent.alert(1)</script>'>",
  "{{constructor.constructor('alert(1)')()}}",
  "${alert(1)}",
  "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
  "<a href=javascript:alert(1)>x</a>",
  "<base href=//evil.example>",
  "<meta http-equiv=refresh content=0;url=//evil.example>",
  "<style>@import '//evil.example'</style>",
  "\u2028alert(1)\u2029",
  "<script>alert(1)</script",
];

/** Opens every page of a person; the support listens for dialogs, errors and violations. */
async function crawl(page: Page, paths: string[]): Promise<void> {
  for (const path of paths) {
    await page.goto(path);
    await live(page);
    expect(await page.locator("script:not([nonce]), iframe, base, img[onerror], svg[onload]").count(), path).toBe(0);
    expect(new URL(page.url()).pathname).toBe(new URL(path, page.url()).pathname);
  }
}

test("scripts that people write stay text", async ({ page, visitor, client, server, admin, newPerson }) => {
  // The list repaints once a second at most, and every payload is seen in it.
  test.setTimeout(120_000);
  const payload = (n: number) => PAYLOADS[n % PAYLOADS.length] ?? "";
  // Names, organisations, user agents and messages: eight of each; pages: all of them.
  for (let n = 0; n < 8; n += 1) {
    const person = await newPerson({ name: `${payload(n * 3)} ${n}`, org: payload(n * 3 + 1) });
    const api = await client(person, `Mozilla/5.0 Firefox/1 ${payload(n * 3 + 2)}`);
    await api.choose("busy", payload(n * 3 + 2));
    await api.beat({ page: `/${payload(n)}`, idle_ms: 0 });
    if (n > 0) continue;
    const theirs = await visitor({ userAgent: `Mozilla/5.0 Firefox/1 ${payload(1)}` });
    await enter(theirs, person);
    await crawl(theirs, ["/", "/account", "/account/devices"]);
  }

  await enter(page, admin);
  await crawl(page, [
    "/admin",
    "/admin/live",
    `/admin/live?q=${encodeURIComponent(payload(1))}`,
    "/admin/live?sort=name",
  ]);

  // Every payload as a page, pushed into the table, and for the first of them into the drawer, as it stands.
  const walkers = [];
  for (let n = 0; n < 6; n += 1) {
    const person = await newPerson({ name: `Walker </script> ${n}` });
    walkers.push({ name: person.name, tab: await (await client(person)).connect() });
  }
  await page.goto("/admin/live");
  await live(page);
  const drawer = await openDrawer(page, walkers[0]?.name ?? "");
  for (let first = 0; first < PAYLOADS.length; first += walkers.length) {
    for (const [n, { tab }] of walkers.entries()) {
      await tab.meta({ page: `/${payload(first + n)}`, visible: true, idle_ms: 0 });
    }
    // As the table shows it: white space folded.
    const shown = (n: number) => `/${payload(first + n)}`.replace(/[\s\u2028\u2029]+/g, " ").trim();
    for (const [n, { name }] of walkers.entries()) await expect(rowOf(page, name)).toContainText(shown(n));
    await expect(drawer).toContainText(shown(0));
  }
  // And rendered by the server, last payload and all.
  await page.reload();
  await live(page);
  await expect(rowOf(page, walkers.at(-1)?.name ?? "")).toContainText(PAYLOADS.at(-1) ?? "");
  for (const { tab } of walkers) tab.close();
});

test("an address cannot put words or scripts into a page", async ({ page }) => {
  const error = JSON.stringify({ code: "invalid_credentials", message: "<img src=x onerror=alert(1)> Call 555-0100" });
  const paths = [
    `/login?next=${encodeURIComponent("</script><script>alert(1)</script>")}`,
    `/login?__path=%2Frpc%2Fsign_in&__err=${encodeURIComponent(Buffer.from(error).toString("base64"))}`,
    `/login?__path=%2Frpc%2Fsign_in&__err=${encodeURIComponent(error)}`,
    `/login?done=${encodeURIComponent("<img src=x onerror=alert(1)>")}`,
  ];
  for (const path of paths) {
    await page.goto(path);
    await hydrated(page);
    await expect(page.getByText("555-0100")).toHaveCount(0);
    await expect(page.locator("img")).toHaveCount(0);
  }
});

test("each page has a nonce of its own, and a script without it does not run", async ({
  page,
  complaints,
  newPerson,
}) => {
  await enter(page, await newPerson(), "/");
  const nonces = new Set<string>();
  for (let i = 0; i < 5; i += 1) {
    const answer = await page.goto("/account");
    await hydrated(page);
    const policy = answer?.headers()["content-security-policy"] ?? "";
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(nonce.length).toBeGreaterThanOrEqual(16);
    expect(await answer?.text()).toContain(`nonce="${nonce}"`);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'/);
    nonces.add(nonce);
  }
  expect(nonces.size).toBe(5);

  complaints.allow(/Content Security Policy/);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    const violated = new Promise((resolve) =>
      addEventListener("securitypolicyviolation", () => resolve(true), { once: true }),
    );
    document.body.append(script);
    await violated;
    return "ran" in window;
  });
  expect(ran).toBe(false);
});

test("after signing out the back button shows nothing", async ({ page, newPerson }) => {
  const person = await newPerson({ org: "Behind" });
  await enter(page, person, "/");
  await page.goto("/account");
  await live(page);
  await expect(page.getByText(person.email ?? "")).toBeVisible();
  await signOut(page);
  for (let back = 0; back < 2; back += 1) {
    await page.goBack();
    await expect(page).toHaveURL(/\/login/);
    await expect(page.getByText(person.email ?? "")).toHaveCount(0);
    await expect(page.getByText(person.name)).toHaveCount(0);
  }
});

test("what a member may not see is not in the page either", async ({ page, client, newPerson, complaints }) => {
  complaints.allowStatus(403);
  const hidden = await newPerson();
  await (await client(hidden)).connect();
  await enter(page, await newPerson());
  for (const path of ["/admin", "/admin/live", `/admin/live?q=${hidden.username}`]) {
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(403);
    expect(await answer?.text()).not.toContain(hidden.email);
    await expect(page.getByText(/role/).first()).toBeVisible();
    await hydrated(page);
  }
});
