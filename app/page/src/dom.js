// Elements, tables and sections.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// A heading with an id of its own, so that a part of the page can be linked to.
export function section(parent, title, id, level = 2) {
  const element = h("section", { id, "aria-labelledby": `${id}-title` }, h(`h${level}`, { id: `${id}-title` }, title));
  parent.append(element);
  return element;
}

// columns: [{title, number}]; rows: [[cell...]], a cell being text, an element, or {text, value, class}. The first column heads
// its row. A cell's value is the figure as the JSON has it. `stacked`: on a narrow screen each row is a block of its own.
export function table(caption, columns, rows, { stacked = false } = {}) {
  const cell = (content, i) => {
    const { text = content, value, class: name } = content !== null && typeof content === "object" && !(content instanceof Node) ? content : {};
    const classes = [columns[i].number ? "number" : "", name ?? ""].join(" ").trim();
    return h(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: classes || null, "data-value": value, "data-title": stacked && i > 0 ? columns[i].title : null }, text ?? "");
  };
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: stacked ? "stacked" : null },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map((c) => h("th", { scope: "col", class: c.number ? "number" : null }, c.title)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))),
    ),
  );
}

export function folded(title, content, open = false) {
  return h("details", { open }, h("summary", {}, title), content);
}

export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))));
}
