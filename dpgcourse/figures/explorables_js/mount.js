// Brings every explorable of a page of the book to life. In Jupyter each output has its own script.
for (const root of document.querySelectorAll("[data-explorable]")) {
  const { mount } = await import(`./${root.dataset.explorable}.js`);
  mount(root, JSON.parse(root.dataset.params));
}
