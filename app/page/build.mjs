// node build.mjs OUT: bundles the page into one file that needs nothing else. esbuild and echarts are looked for in the folder
// from which it is run, so that nothing is installed in the source tree.
import { createRequire } from "node:module";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const esbuild = createRequire(join(process.cwd(), "package.json"))("esbuild");

async function bundle(entry) {
  const made = await esbuild.build({
    entryPoints: [join(here, "src", entry)],
    nodePaths: [join(process.cwd(), "node_modules")],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["es2020"],
    legalComments: "none",
  });
  return made.outputFiles[0].text.trim();
}

// Licences that ask for it stand in the bundle.
const notice = "/* Contains Apache ECharts (Apache-2.0) and ZRender (BSD-3-Clause): echarts.apache.org */\n";
const parts = { STYLE: await bundle("style.css"), SCRIPT: notice + (await bundle("main.js")).replaceAll("</script", "<\\/script") };
let page = await readFile(join(here, "page.html"), "utf8");
for (const [name, text] of Object.entries(parts)) page = page.replace(`/*${name}*/`, () => text);
await writeFile(process.argv[2], page);
