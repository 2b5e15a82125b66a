// The bell: how many notices are unread, as the server pushes it. The server writes the same words first
// (`app/src/written/notices.rs`).

const TOPIC = "notices:me";
/** As the server counts: one more means more. */
const MOST = 99;

export const text = (unread) => (unread > MOST ? `${MOST}+` : String(unread || ""));
export const name = (unread) => (unread ? `Notifications, ${text(unread)} unread` : "Notifications");

/** Follows the number where there is a bell; `follow` joins a topic. */
export function bell(follow) {
  if (document.querySelector(".bell a")) follow(TOPIC, (event, payload) => event === "unread" && show(payload.unread));
}

function show(unread) {
  const link = document.querySelector(".bell a");
  const before = Number(link?.dataset.unread);
  if (!link || before === unread) return;
  link.dataset.unread = unread;
  link.setAttribute("aria-label", name(unread));
  link.querySelector(".count").textContent = text(unread);
  if (unread > before) document.querySelector(".bell [aria-live]").textContent = name(unread);
  document.dispatchEvent(new Event("rollcall:notices"));
}
