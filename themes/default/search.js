// Narrows the portal's apps while somebody types.
(() => {
  const field = document.getElementById("q");
  const none = document.querySelector("[data-none]");
  const groups = [...document.querySelectorAll(".group")];
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const narrow = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const group of groups) {
      const heading = plain(group.querySelector("h2")?.textContent ?? "");
      let here = 0;
      for (const card of group.querySelectorAll(".apps > li")) {
        const text = `${plain(card.textContent)} ${heading}`;
        card.hidden = !words.every((word) => text.includes(word));
        here += card.hidden ? 0 : 1;
      }
      group.hidden = here === 0;
      shown += here;
    }
    none.hidden = shown > 0;
  };
  field.addEventListener("input", narrow);
  field.closest("[role=search]").hidden = false;
})();
