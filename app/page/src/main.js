// The page of one run or of one benchmark: which, its data say.
import { benchPage } from "./bench.js";
import { runPage } from "./run.js";
import { h } from "./dom.js";

const page = document.getElementById("page");
try {
  const data = JSON.parse(document.getElementById("data").textContent);
  page.replaceChildren();
  if (data.header?.schema === "mortise.bench/1") benchPage(page, data);
  else if (data.schema === "mortise.run/1") runPage(page, data);
  else throw new Error("these data are of neither mortise run nor mortise bench");
} catch (error) {
  page.append(h("p", { class: "trouble", role: "alert" }, `This page cannot be shown: ${error.message}`));
  throw error;
}
