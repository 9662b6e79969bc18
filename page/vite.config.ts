import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The page ships with the package as files that need no network: addresses are relative, nothing is inlined, so that the strictest content policy holds. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: fileURLToPath(new URL("../dist/page", import.meta.url)), emptyOutDir: true, assetsInlineLimit: 0 },
});
