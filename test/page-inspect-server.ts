import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Comparison, InspectedProblem, ProblemOverview, Refusal, RunOverview } from "../src/watch/protocol.ts";

const page = fileURLToPath(new URL("../page/", import.meta.url));

/** The two views alone, with the address in the hash as the page keeps it. */
const HARNESS = `
import { h, render } from "preact";
import { Inspector } from "${page}inspect/index.tsx";
import { Compare } from "${page}compare/index.tsx";
import { parseAddress, formatAddress } from "${page}address.ts";
import { fetchRuns } from "${page}api.ts";
import "${page}style.css";
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
const runs = await fetchRuns();
const show = () => {
  const address = parseAddress(location.hash);
  const go = (change) => { location.hash = formatAddress({ ...parseAddress(location.hash), ...change }); };
  render(h(address.view === "compare" ? Compare : Inspector, { runs, address, go }), document.getElementById("app"));
};
addEventListener("hashchange", show);
show();`;

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="stylesheet" href="harness.css"><div id="app"></div><script type="module" src="harness.js"></script></html>`;
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'";
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2" };

/** What the server answers: all as the protocol has it. */
export interface Served {
  readonly runs: readonly RunOverview[];
  readonly problems: readonly ProblemOverview[];
  readonly problem: (index: number) => InspectedProblem;
  /** A sentence where the two can't be compared. */
  readonly comparison: (first: string, second: string) => Comparison | Refusal;
}

/** Builds the two views and serves them with `served`, under the strictest content policy; `close` removes all. */
export async function servePages(served: Served): Promise<{ readonly url: string; readonly close: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "selftrain-inspect-"));
  await build({
    configFile: join(page, "vite.config.ts"),
    plugins: [{ name: "harness", resolveId: (id) => (id === "harness" ? join(page, "harness.js") : null), load: (id) => (id === join(page, "harness.js") ? HARNESS : null) }],
    build: { outDir: folder, cssCodeSplit: false, rolldownOptions: { input: "harness", output: { entryFileNames: "harness.js", assetFileNames: ({ names }) => (names[0]?.endsWith(".css") ? "harness.css" : "assets/[name][extname]") } } },
  });
  const answer = (path: string, query: URLSearchParams): unknown => {
    if (path === "/api/runs") return served.runs;
    if (path === "/api/compare") return served.comparison(query.get("first")!, query.get("second")!);
    if (path.endsWith("/recordings")) return [10, 20, 30];
    const problem = /\/recordings\/\d+\/(\d+)$/.exec(path);
    return problem ? served.problem(Number(problem[1])) : served.problems;
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("Content-Security-Policy", POLICY);
    if (pathname === "/") response.setHeader("Content-Type", "text/html").end(HTML);
    else if (pathname.startsWith("/api/")) {
      const body = answer(pathname, searchParams);
      response.writeHead(typeof body === "object" && body !== null && "error" in body ? 404 : 200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    } else response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/plain").end(readFileSync(join(folder, pathname)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}
