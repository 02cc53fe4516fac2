// Keeps a page live: asks for its parts every two seconds and puts in those that changed.
"use strict";
(() => {
  const PERIOD = 2000; // ms between questions
  const SLOWEST = 15000; // ms between questions while the server is out of reach
  const path = document.body.dataset.live;
  const announce = document.querySelector("[data-announce]");

  // --- charts: the bar under the pointer or chosen by the arrow keys is read out -----------------
  function ready(root) {
    for (const title of root.querySelectorAll("[data-plot] .column > title")) {
      title.parentNode.dataset.text = title.textContent; // our own tip instead of the browser's slow one
      title.remove();
    }
  }

  function read(plot, column) {
    for (const other of plot.querySelectorAll(".is-read")) other.classList.remove("is-read");
    const tip = plot.querySelector("[data-tip]");
    tip.hidden = !column;
    if (!column) return;
    column.classList.add("is-read");
    tip.textContent = column.dataset.text;
    const frame = plot.getBoundingClientRect();
    const bar = column.querySelector(".hit").getBoundingClientRect();
    const middle = bar.left + bar.width / 2 - frame.left - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(0, Math.min(middle, frame.width - tip.offsetWidth))}px`;
    tip.style.top = `${-tip.offsetHeight - 4}px`;
  }

  document.addEventListener("pointerover", (event) => {
    const plot = event.target.closest?.("[data-plot]");
    if (plot) read(plot, event.target.closest(".column"));
  });
  document.addEventListener("pointerout", (event) => {
    const plot = event.target.closest?.("[data-plot]");
    if (plot && !plot.contains(event.relatedTarget)) read(plot, null);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-plot]")) read(event.target, null);
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!event.target.matches?.("[data-plot]")) return;
    if (event.key === "Escape") read(event.target, null);
    if (!step) return;
    event.preventDefault();
    const columns = [...event.target.querySelectorAll(".column")];
    const now = columns.findIndex((column) => column.classList.contains("is-read"));
    const next = now < 0 ? columns.length - 1 : Math.max(0, Math.min(columns.length - 1, now + step));
    read(event.target, columns[next]);
  });

  ready(document);
  if (!path) return;

  // --- live parts ------------------------------------------------------------------------------
  const pulse = document.querySelector("[data-pulse]");
  const text = pulse.querySelector(".pulse-text");
  const button = pulse.querySelector("button");
  const title = document.title;
  const shown = new Map(); // part -> the HTML that was last put in
  let known = null; // keys of the alerts seen so far
  let unseen = 0;
  let have = "";
  let paused = false;
  let wait = PERIOD;
  let timer = 0;

  function state() {
    return paused ? "off" : wait > PERIOD ? "lost" : "on";
  }

  function tell() {
    const now = state();
    pulse.classList.toggle("is-paused", now === "off");
    pulse.classList.toggle("is-lost", now === "lost");
    if (text.textContent !== text.dataset[now]) text.textContent = text.dataset[now];
    const label = paused ? button.dataset.resume : button.dataset.pause;
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  function put(name, html) {
    const part = document.querySelector(`[data-part="${name}"]`);
    if (!part || shown.get(name) === html) return true;
    const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
    if (part.contains(document.activeElement) && !focus) return false; // a reader is in it
    if (part.querySelector(".is-read")) return false; // a bar is being read
    const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
    const scrolled = [...part.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    part.innerHTML = html; // from our own server, escaped there
    shown.set(name, html);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    part.querySelectorAll(".scroll").forEach((box, place) => {
      [box.scrollLeft, box.scrollTop] = scrolled[place] ?? [0, 0];
    });
    ready(part);
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    return true;
  }

  function news(keys) {
    const fresh = known ? keys.filter((key) => !known.has(key)) : [];
    known = new Set([...(known ?? []), ...keys]);
    for (const row of document.querySelectorAll(".alert")) {
      row.classList.toggle("is-new", fresh.includes(row.dataset.key));
    }
    if (!fresh.length) return;
    announce.textContent = `${fresh.length} ${document.body.dataset.new}`;
    if (document.hidden) unseen += fresh.length;
    document.title = unseen ? `(${unseen}) ${title}` : title;
  }

  async function ask() {
    clearTimeout(timer);
    const question = new URLSearchParams(location.search);
    question.set("have", have);
    try {
      const answer = await fetch(`${path}?${question}`, { signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      wait = PERIOD;
      if (answer.status === 200 && !paused) {
        const { stamp, parts, alerts } = await answer.json();
        const done = Object.entries(parts).map(([name, html]) => put(name, html));
        have = done.every(Boolean) ? stamp : ""; // what was held back comes with the next answer
        if (!question.has("page")) news(alerts); // on later pages rows only move
      }
    } catch {
      wait = Math.min(wait * 2, SLOWEST);
    }
    tell();
    if (!paused) timer = setTimeout(ask, document.hidden ? SLOWEST : wait);
  }

  button.addEventListener("click", () => {
    paused = !paused;
    tell();
    if (paused) clearTimeout(timer);
    else ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || paused) return;
    unseen = 0;
    document.title = title;
    ask();
  });
  pulse.hidden = false;
  known = new Set([...document.querySelectorAll(".alert")].map((row) => row.dataset.key));
  tell();
  timer = setTimeout(ask, PERIOD);
})();
