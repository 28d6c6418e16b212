// Keeps the overview current while records arrive; the page works without it.
"use strict";
const refresh = async () => {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["main", "nav"]) {
    const shown = document.getElementById(part);
    const fresh = next.getElementById(part);
    // What the reader is on stays under the cursor.
    if (fresh && !shown.contains(document.activeElement) && shown.innerHTML !== fresh.innerHTML) shown.replaceChildren(...fresh.childNodes);
  }
};
setInterval(() => refresh().catch(() => {}), 2000);
