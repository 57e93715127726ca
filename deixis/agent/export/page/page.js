"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  let chosen = null;

  // A phrase may name several things: its data-entity holds their ids with spaces between them.
  const show = (named) => {
    const ids = named === null ? [] : named.split(" ");
    for (const region of all(".region")) {
      region.classList.toggle("hidden", named !== null && !ids.includes(region.dataset.entity));
      region.classList.toggle("shown", ids.includes(region.dataset.entity));
    }
    for (const row of all("[data-entity-row]"))
      row.classList.toggle("hidden", named !== null && !ids.includes(row.dataset.entityRow));
  };

  const choose = (entity) => {
    chosen = chosen === entity ? null : entity;
    document.body.classList.toggle("choosing", chosen !== null);
    for (const button of all("button[data-entity]"))
      button.setAttribute("aria-pressed", String(button.dataset.entity === chosen));
    show(chosen);
  };

  for (const part of all("[data-entity]")) {
    const entity = part.dataset.entity;
    part.addEventListener("click", () => choose(entity));
    if (part.tagName === "BUTTON") {
      part.addEventListener("mouseenter", () => { if (chosen === null) show(entity); });
      part.addEventListener("mouseleave", () => show(chosen));
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chosen !== null) choose(chosen);
  });

  for (const line of all(".timeline")) {
    const sound = document.getElementById(line.dataset.sound);
    const seconds = Number(line.dataset.seconds) || 1;
    const head = line.querySelector(".head");
    const playFrom = (start) => {
      sound.currentTime = start;
      sound.play().catch(() => {});
    };
    for (const mark of line.querySelectorAll(".event"))
      mark.addEventListener("click", () => playFrom(Number(mark.dataset.start)));
    const wave = line.querySelector(".wave .track");
    wave.addEventListener("click", (event) => {
      const frame = wave.getBoundingClientRect();
      playFrom(Math.max(0, (event.clientX - frame.left) / frame.width) * seconds);
    });
    const move = () => {
      head.style.left = `${Math.min(100, (100 * sound.currentTime) / seconds)}%`;
      head.style.opacity = sound.currentTime > 0 ? 1 : 0;
      if (!sound.paused) requestAnimationFrame(move);
    };
    for (const name of ["play", "timeupdate", "seeked"]) sound.addEventListener(name, move);
  }

  const link = document.getElementById("download");
  const text = JSON.stringify(JSON.parse(document.getElementById("data").textContent), null, 2);
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
})();
