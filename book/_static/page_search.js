// The page of search results. Pagefind finds the words; this shows where they stand.
(() => {
  const PAGES = 10; // shown at most
  const SECTIONS = 3; // of each page
  const PAUSE = 200; // milliseconds after the last key
  const field = document.querySelector(".search-field input");
  const status = document.querySelector(".search-status");
  const list = document.querySelector(".search-results");
  const engine = import(new URL("pagefind/pagefind.js", document.baseURI)).then(async (pagefind) => {
    // A word as it was typed counts more than one with the same stem.
    await pagefind.options({ noWorker: true, ranking: { termSimilarity: 9 } });
    return pagefind;
  });

  const element = (name, ...children) => {
    const made = document.createElement(name);
    made.append(...children);
    return made;
  };

  // An excerpt is text with <mark> around the words found, and &lt; and &gt; for < and >.
  const excerpt = (text) =>
    text.split(/<\/?mark>/).map((part, i) => {
      const plain = part.replaceAll("&lt;", "<").replaceAll("&gt;", ">");
      return i % 2 ? element("mark", plain) : plain;
    });

  // An excerpt that begins with the title of its section does not repeat it.
  const withoutTitle = (hit) => {
    const title = `${hit.title}.`;
    if (!hit.plain_excerpt.startsWith(title)) return hit.excerpt;
    return hit.excerpt.split(" ").slice(title.split(" ").length).join(" ");
  };

  // Where no word begins as typed, Pagefind takes one with the same first letters, or letter.
  const fits = (page, query) => {
    const marks = page.sub_results.flatMap((hit) => hit.excerpt.match(/<mark>.*?<\/mark>/g));
    const words = marks.join(" ").toLowerCase();
    return query.toLowerCase().split(/\s+/).some((word) => words.includes(word.slice(0, 4)));
  };

  const weight = (hit) =>
    hit.weighted_locations.reduce((sum, place) => sum + place.balanced_score, 0);

  const shown = (page) => {
    const hits = page.sub_results.sort((a, b) => weight(b) - weight(a)).slice(0, SECTIONS);
    const sections = hits.map((hit) => {
      const link = element("a", hit.anchor ? hit.title : "The beginning of the page");
      link.href = hit.url;
      return element("li", link, element("p", ...excerpt(withoutTitle(hit))));
    });
    return element("li", element("h2", page.meta.title), element("ul", ...sections));
  };

  let latest = 0;
  const look = async () => {
    const query = field.value.trim();
    const turn = ++latest;
    history.replaceState(null, "", query ? `?${new URLSearchParams({ q: query })}` : "?");
    if (!query) {
      status.textContent = "";
      list.replaceChildren();
      return;
    }
    let found;
    try {
      found = (await (await engine).search(query)).results;
    } catch {
      status.textContent =
        "The search could not start. It needs a server: a page opened from a folder" +
        " may not read the index. “make serve” starts one.";
      return;
    }
    const pages = await Promise.all(found.slice(0, PAGES).map((result) => result.data()));
    if (turn !== latest) return; // another search has begun
    const none = !pages.length || !fits(pages[0], query);
    list.replaceChildren(...(none ? [] : pages.map(shown)));
    const count = found.length === 1 ? "1 page" : `${found.length} pages`;
    const best = found.length > PAGES ? `, of which the best ${PAGES} are shown` : "";
    status.textContent = `“${query}” is on ${none ? "no page" : count + best}.`;
  };

  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
  });
  // The arrow keys go from the field to the hits and back.
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [field, ...list.querySelectorAll("a")];
    const here = stops.indexOf(document.activeElement);
    const next = stops[here + step];
    if (!step || here < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.focus();
  look();
})();
