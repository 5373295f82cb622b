// Choices of the book's predictions: selectable, answered at once, kept on this machine only.
(() => {
  "use strict";
  const KEY = "dpgcourse-predictions";

  const kept = () => {
    try {
      const all = JSON.parse(localStorage.getItem(KEY));
      const ours = all && typeof all === "object" && !Array.isArray(all);
      return ours ? all : {};
    } catch {
      return {}; // no storage, or not ours
    }
  };

  const keep = (all) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      // A private window may refuse: the page still answers.
    }
  };

  const textOf = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("details, .katex-html, input").forEach((part) => part.remove());
    copy.querySelectorAll("annotation").forEach((part) => part.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };

  const show = (box, chosen) => {
    box.querySelectorAll("li").forEach((item, number) => {
      item.querySelector("details").open = number === chosen;
      item.classList.toggle("chosen", number === chosen);
    });
  };

  // What is read out for a choice with formulas; a formula alone does not name a form element.
  const spoken = (words) => {
    const copy = words.cloneNode(true);
    copy.querySelectorAll("[aria-hidden]").forEach((glyphs) => glyphs.remove());
    return copy.textContent.trim();
  };

  const enliven = (box, all) => {
    const list = box.querySelector("ul");
    list.setAttribute("role", "radiogroup");
    list.setAttribute("aria-label", "Your prediction");
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    said.className = "prediction-status";
    box.append(said);
    list.querySelectorAll(":scope > li").forEach((item, number) => {
      item.setAttribute("role", "presentation");
      const choice = item.querySelector("p");
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "radio";
      input.name = box.id;
      const words = document.createElement("span");
      words.append(...choice.childNodes);
      label.append(input, words);
      if (words.querySelector(".katex")) input.setAttribute("aria-label", spoken(words));
      choice.append(label);
      input.addEventListener("change", () => {
        const right = item.classList.contains("right");
        show(box, number);
        said.textContent = right ? "Your prediction is right." : "Not this one: see why.";
        const now = kept();
        now[box.id] = {
          page: document.querySelector("h1")?.firstChild?.textContent.trim() || "",
          address: `${location.pathname}#${box.id}`,
          question: textOf(box.querySelector("p")),
          choice: number,
          text: textOf(choice),
          right,
        };
        keep(now);
      });
      if (all[box.id]?.choice === number) {
        input.checked = true;
        show(box, number);
      }
    });
    box.classList.add("alive");
  };

  // The page "What you predicted".
  const list = (place, all) => {
    const mine = Object.values(all).filter((one) => one && typeof one === "object");
    const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
    place.replaceChildren();
    if (!mine.length) {
      place.append(line("p", "You have not chosen anything yet on this machine."));
      return;
    }
    const right = mine.filter((x) => x.right).length;
    place.append(line("p", `Right: ${right} of ${mine.length}.`));
    const rows = document.createElement("ul");
    for (const one of mine) {
      const item = document.createElement("li");
      const link = line("a", one.question);
      link.href = String(one.address).startsWith("/") ? one.address : "#";
      item.append(line("strong", `${one.page}: `), link, document.createElement("br"));
      item.append(`You chose: ${one.text} (${one.right ? "right" : "not right"})`);
      rows.append(item);
    }
    const forget = line("button", "Forget all my choices");
    forget.type = "button";
    forget.addEventListener("click", () => {
      localStorage.removeItem(KEY);
      list(place, {});
    });
    place.append(rows, forget);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const all = kept();
    document.querySelectorAll(".prediction").forEach((box) => enliven(box, all));
    const place = document.getElementById("what-you-predicted-list");
    if (place) list(place, all);
  });
})();
