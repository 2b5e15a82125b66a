
// Only in `cargo xtask dev`: loads the page anew once the restarted server answers with another mark.
{
  const mark = new URL("reload.txt", import.meta.url);
  let seen;
  setInterval(async () => {
    try {
      const answer = await fetch(mark, { cache: "no-store" });
      const now = answer.ok ? await answer.text() : "gone";
      if (seen !== undefined && now !== seen) location.reload();
      seen ??= now;
    } catch {
      // The server is restarting; the next look will find it.
    }
  }, 500);
}
