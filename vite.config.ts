import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

const DIST = "jobserver/static/dist";

/** All Heroicons we draw from, and our own drawings, as {"i-clock": "<symbol …>"}; pages pick what they use. */
function icons(): Plugin {
  const symbols = (prefix: string, folder: string) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".svg"))
      .map((file) => {
        const svg = readFileSync(join(folder, file), "utf8");
        const box = svg.match(/viewBox="([^"]+)"/)?.[1];
        const paths = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>")).replaceAll(/ fill="#?\w+"/g, "");
        const id = `${prefix}-${file.slice(0, -4)}`;
        return [id, `<symbol id="${id}" viewBox="${box}">${paths.replaceAll(/\s*\n\s*/g, "")}</symbol>`];
      });
  return {
    name: "icons",
    generateBundle() {
      const all = [
        ...symbols("i", "node_modules/heroicons/16/solid"),
        ...symbols("i", "jobserver/frontend/icons"),
        ...symbols("i20", "node_modules/heroicons/20/solid"),
      ];
      this.emitFile({ type: "asset", fileName: "icons.json", source: JSON.stringify(Object.fromEntries(all)) });
    },
  };
}

/** A .gz beside each asset, for the static view's content encoding. */
function gzipped(): Plugin {
  return {
    name: "gzipped",
    closeBundle() {
      for (const file of readdirSync(join(DIST, "assets"))) {
        const path = join(DIST, "assets", file);
        if (/\.(js|css)$/.test(file)) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root: "jobserver/frontend",
  base: "/static/dist/",
  publicDir: false,
  plugins: [tailwindcss(), icons(), gzipped()],
  css: {
    transformer: "lightningcss",
    // Tailwind 4's oldest browsers: light-dark() is lowered for them.
    lightningcss: { targets: { chrome: 111 << 16, safari: (16 << 16) | (4 << 8), firefox: 128 << 16 } },
  },
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: true,
    cssMinify: "lightningcss",
    target: ["chrome111", "safari16.4", "firefox128"],
    modulePreload: false,
    // htmx can evaluate text; its setting allowEval is off, and the policy forbids it besides.
    rolldownOptions: { input: "jobserver/frontend/main.ts", checks: { eval: false } },
  },
});
