// A card beside a link to an equation, a figure, a source or a term shows what the link leads to.
// It opens under the mouse and at the keyboard's focus; Escape closes it. book/_ext/hover_cards.py
// writes what the cards say, a script for each page, which calls `put`.
const hoverCards = (() => {
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href).href;
  const places = /^#(equation-|fig-|term-|id\d+$)/;
  const pages = new Map(); // page -> promise of its cards, place -> HTML
  const arrived = new Map(); // page -> what keeps the promise
  const card = document.createElement("div");
  card.id = "hover-card";
  card.setAttribute("role", "tooltip");
  card.hidden = true;
  let wanted = null; // the link that the mouse or the focus is at
  let timer;

  const pageOf = (url) => decodeURIComponent(url.href.slice(root.length).split(/\.html|[?#]/)[0]);
  const load = (page) => {
    if (!pages.has(page)) {
      pages.set(page, new Promise((keep) => {
        arrived.set(page, keep);
        const script = document.createElement("script");
        script.src = `${root}_static/cards/${page}.js`;
        script.onerror = () => keep({});
        document.head.append(script);
      }));
    }
    return pages.get(page);
  };
  const linkOf = (element) => {
    const link = element.closest?.("a[href*='#']:not(.headerlink, .ledger-mark)");
    return link && link.href.startsWith(root) && places.test(link.hash) ? link : null;
  };

  const place = () => {
    if (!wanted) return;
    const link = wanted.getBoundingClientRect();
    const origin = card.offsetParent.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = card;
    const room = document.documentElement.clientWidth - width - 8;
    const left = Math.max(8, Math.min(link.left, room));
    const above = link.bottom + height + 8 > innerHeight && link.top > height + 8;
    card.style.left = `${left - origin.left}px`;
    card.style.top = `${(above ? link.top - height - 6 : link.bottom + 6) - origin.top}px`;
  };
  const hide = () => {
    clearTimeout(timer);
    card.hidden = true;
    wanted?.removeAttribute("aria-describedby");
    wanted = null;
  };
  const show = async (link) => {
    clearTimeout(timer);
    if (link === wanted) return;
    hide();
    wanted = link;
    const html = (await load(pageOf(new URL(link.href))))[decodeURIComponent(link.hash.slice(1))];
    if (!html || wanted !== link) return;
    const filled = document.createElement("template");
    filled.innerHTML = html;
    for (const image of filled.content.querySelectorAll("img")) {
      image.src = root + image.getAttribute("src");
      image.addEventListener("load", place);
    }
    card.replaceChildren(filled.content);
    card.hidden = false;
    card.scrollTop = 0;
    link.removeAttribute("title"); // else the browser would show it over the card
    link.setAttribute("aria-describedby", card.id);
    place();
  };
  const soon = (action, milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };

  document.addEventListener("DOMContentLoaded", () => {
    (document.querySelector("main") ?? document.body).append(card); // into a landmark
  });
  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType !== "mouse") return; // a finger follows the link
    const link = linkOf(target);
    if (link) soon(() => show(link), 150);
    else if (card.contains(target)) clearTimeout(timer);
    else if (!wanted?.matches(":focus-visible")) soon(hide, 250);
  });
  document.addEventListener("focusin", ({ target }) => {
    const link = linkOf(target);
    if (link?.matches(":focus-visible")) show(link);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("click", ({ target }) => card.contains(target) || hide());
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  return { put: (page, cards) => arrived.get(page)?.(cards) };
})();
