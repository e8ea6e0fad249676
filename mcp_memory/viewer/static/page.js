// Keys, copying and review: everything here can be done without it, by links and buttons.
"use strict";
(() => {
  const base = "/view";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  let led = 0;
  const went = { t: "/timeline", m: "/memories", r: "/review", s: "/search", d: "/", a: "/map" };

  const step = (by) => {
    const all = [...document.querySelectorAll("[data-review]")];
    const now = all.indexOf(document.activeElement?.closest("[data-review]"));
    const next = all[Math.min(all.length - 1, Math.max(0, now + by))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      document.querySelector("main input[type=search], .quick input")?.focus();
    } else if (event.key === "g") {
      led = Date.now();
    } else if (Date.now() - led < 1500 && went[event.key]) {
      location.assign(base + went[event.key]);
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    } else {
      const at = document.activeElement?.closest("[data-review]");
      at?.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "Copied"; }
    catch { button.textContent = "Select it by hand"; }
  });
})();
