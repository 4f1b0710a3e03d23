"use strict";
(() => {
  // The server writes the page; at each event this script fetches it again and puts the parts that changed in place.
  // Only the table of series is written here. Text from outside is set as text, never as markup.
  const FEW = 10, MANY = 200, PAUSE = 2000, AGAIN = 5000, SHOWN = 64, WHOLE = 600;
  const live = document.getElementById("live");
  const panels = new Map();
  let status = null, running = false, wanted = false, last = 0;

  const say = (text, state) => { live.textContent = text; live.className = state || "soft"; };
  const clock = () => new Date().toLocaleTimeString([], { hour12: false });

  // ---- names and numbers, as the server writes them
  const hidden = /[\p{Cc}\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u061c\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
  const visible = text => text.replace(hidden, c => "\\u{" + c.codePointAt(0).toString(16) + "}");
  const cut = (text, limit) => {
    const all = Array.from(text.slice(0, 2 * limit + 2));
    return visible(all.slice(0, limit).join("")) + (all.length > limit ? "…" : "");
  };
  const fixed = (value, decimals) => {
    const text = value.toFixed(decimals);
    return text.startsWith("-") ? (/^-[0.]+$/.test(text) ? text.slice(1) : "\u2212" + text.slice(1)) : text;
  };
  const percent = ratio => {
    if (typeof ratio !== "number") return "–";
    const value = 100 * ratio, size = Math.abs(value);
    return fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2) + "\u00a0%";
  };
  const log = value => typeof value === "number" ? fixed(value, 1) : "–";
  const count = value => value.toLocaleString("en-US");

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // ---- the table of series
  const row = one => {
    const line = element("tr"), head = element("th"), name = element("bdi");
    head.scope = "row";
    name.textContent = one.series.trim() ? cut(one.series, SHOWN) : "(empty)";
    if (name.textContent !== one.series && one.series.trim()) name.title = cut(one.series, WHOLE);
    head.append(name);
    if (one.discovered) {
      const tag = element("span", "tag fail"), sign = element("span", "", "▲");
      sign.setAttribute("aria-hidden", "true");
      tag.append(sign, " changed");
      head.append(" ", tag);
    }
    if (one.warming) head.append(" ", element("span", "tag", "warming up"));
    line.append(head, element("td", "n", percent(one.mape_ratio)), element("td", "n soft", percent(one.baseline_mape_ratio)),
      element("td", "n", percent(one.bias_ratio)), element("td", "n", log(one.evidence_log10)), element("td", "n soft rows", count(one.n)));
    return line;
  };

  // Absent values come last either way.
  const order = (key, direction) => (a, b) => {
    const x = a[key], y = b[key];
    if (x == null || y == null) return (x == null) - (y == null);
    return direction * (key === "series" ? (x < y ? -1 : x > y ? 1 : 0) : key === "bias_ratio" ? Math.abs(x) - Math.abs(y) : x - y);
  };

  class Panel {
    constructor(section) {
      this.section = section;
      this.body = section.querySelector("tbody");
      this.input = section.querySelector("input");
      this.shown = section.querySelector(".shown");
      this.more = section.querySelector(".more");
      this.model = decodeURIComponent(section.dataset.model);
      this.version = decodeURIComponent(section.dataset.version);
      this.limit = FEW;
      this.key = null;
      this.direction = -1;
      section.querySelector(".filter").hidden = false;
      this.input.addEventListener("input", () => this.draw());
      this.more.addEventListener("click", () => { this.limit = this.limit === FEW ? MANY : FEW; this.draw(); });
      for (const head of section.querySelectorAll("th[data-key]")) this.sortable(head);
    }

    sortable(head) {
      const button = element("button", "", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const key = head.dataset.key, first = key === "series" ? 1 : -1;
        // A third click gives back the order of the server.
        if (this.key !== key) [this.key, this.direction] = [key, first];
        else if (this.direction === first) this.direction = -first;
        else this.key = null;
        for (const other of this.section.querySelectorAll("th[data-key]")) other.removeAttribute("aria-sort");
        if (this.key) head.setAttribute("aria-sort", this.direction < 0 ? "descending" : "ascending");
        this.draw();
      });
    }

    draw() {
      const { model, version } = this;
      const found = status && status.models.find(one => one.model === model && one.version === version);
      if (!found) return;
      const word = this.input.value.trim().toLowerCase();
      const matching = word ? found.worst_series.filter(one => one.series.toLowerCase().includes(word)) : found.worst_series;
      const sorted = this.key ? matching.slice().sort(order(this.key, this.direction)) : matching;
      const limit = word ? MANY : this.limit;
      this.body.replaceChildren(...sorted.slice(0, limit).map(row));
      this.section.hidden = found.worst_series.length === 0;
      const listed = found.worst_series.length < found.series ? "worst " : "";
      const text = `${count(Math.min(limit, sorted.length))} of ${count(sorted.length)} ${listed}series` +
        (word ? ` that match, of ${count(found.worst_series.length)}` : "");
      if (this.shown.textContent !== text) this.shown.textContent = text;
      this.more.hidden = Boolean(word) || sorted.length <= FEW;
      this.more.textContent = this.limit === FEW ? `Show ${count(Math.min(MANY, sorted.length))}` : "Show fewer";
    }
  }

  const adopt = () => {
    panels.clear();
    for (const section of document.querySelectorAll(".series")) panels.set(section, new Panel(section));
  };

  // ---- the rest of the page
  const toggled = new Map();
  document.addEventListener("click", event => {
    const summary = event.target.closest && event.target.closest("summary");
    const details = summary && summary.parentElement;
    if (details && details.id) setTimeout(() => toggled.set(details.id, details.open));
  });
  const fold = root => {
    for (const details of root.querySelectorAll("details[id]"))
      if (toggled.has(details.id)) details.open = toggled.get(details.id);
  };
  const ids = root => Array.from(root.querySelectorAll("#models > *"), one => one.id).join();

  const swap = (old, fresh) => {
    const focused = old.contains(document.activeElement) && document.activeElement.parentElement.id;
    old.replaceWith(document.adoptNode(fresh));
    if (focused) document.querySelector(`#${CSS.escape(focused)} > summary`)?.focus({ preventScroll: true });
  };

  const put = fresh => {
    fold(fresh);
    const others = ids(fresh) !== ids(document);
    for (const part of fresh.querySelectorAll("[data-region]")) {
      const old = document.getElementById(part.id);
      if (old && old.outerHTML !== part.outerHTML) swap(old, part);
    }
    if (others) {
      swap(document.getElementById("models"), fresh.getElementById("models"));
      adopt();
    } else for (const model of fresh.querySelectorAll(".model")) document.getElementById(model.id).className = model.className;
    document.title = fresh.title;
  };

  const get = async (path, kind) => {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer[kind]();
  };

  // One refresh at a time, none while nobody looks, and never more than one in two seconds.
  const refresh = async whole => {
    wanted = true;
    if (running || document.hidden) return;
    running = true;
    while (wanted && !document.hidden) {
      await new Promise(done => setTimeout(done, Math.max(0, last + PAUSE - Date.now())));
      wanted = false;
      last = Date.now();
      try {
        const [page, json] = await Promise.all([whole ? get("/", "text") : null, get("/api/v1/status", "json")]);
        status = json;
        if (page) put(new DOMParser().parseFromString(page, "text/html"));
        for (const panel of panels.values()) panel.draw();
        document.body.dataset.updates = String(Number(document.body.dataset.updates || 0) + 1);
        say(`live, updated ${clock()}`, "soft on");
      } catch (error) {
        say("no answer; trying again", "off");
      }
      whole = true;
    }
    running = false;
  };

  const listen = () => {
    const events = new EventSource("/events");
    let first = document.body.dataset.updates === undefined;
    events.addEventListener("view", () => { refresh(!first); first = false; });
    events.addEventListener("error", () => {
      say("connection lost; trying again", "off");
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
    });
  };

  adopt();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(true); });
  listen();
})();
