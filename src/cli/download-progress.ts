import { performance } from "node:perf_hooks";
import { hubAccess } from "../hub/index.ts";
import type { DownloadProgress, HubAccess } from "../hub/index.ts";
import { duration } from "./format.ts";
import { warn } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Seconds between two reports: as quick as an eye on a live terminal, rare where every report is a line for good. */
const LIVE_INTERVAL = 0.2;
const PLAIN_INTERVAL = 30;

/** The hub as the environment has it, its downloads shown on a terminal. */
export function hubFor(terminal: Terminal): HubAccess {
  const clock = (): number => performance.now() / 1000;
  return { ...hubAccess(process.env), progress: downloadReporter(terminal, clock), warn: (message) => warn(terminal, message) };
}

/**
 * Shows downloads: as a status line, or without a live terminal as a line at the beginning, now and then,
 * and at the end. `clock` in seconds.
 */
export function downloadReporter(terminal: Terminal, clock: () => number): (progress: DownloadProgress) => void {
  let begun: (DownloadProgress & { readonly at: number }) | null = null;
  let reportedAt = -Infinity;
  return (progress) => {
    const at = clock();
    const { repository, received, total } = progress;
    if (begun?.repository !== repository || begun.total !== total) {
      begun = { ...progress, at };
      reportedAt = -Infinity;
    }
    if (at - reportedAt < (terminal.live ? LIVE_INTERVAL : PLAIN_INTERVAL) && received < total) return;
    reportedAt = at;
    // What an earlier process left says nothing of the speed.
    const rate = (received - begun.received) / (at - begun.at);
    (terminal.live ? terminal.status : terminal.line)(downloadLine(progress, rate));
  };
}

/** `fetching owner/name: 12.3 of 269.1 MB, 8.1 MB/s, 32 s left (model.safetensors)`; `rate` in bytes a second. */
export function downloadLine({ repository, path, received, total }: DownloadProgress, rate: number): string {
  const speed = Number.isFinite(rate) && rate > 0 ? `, ${megabytes(rate)} MB/s${received < total ? `, ${duration((total - received) / rate)} left` : ""}` : "";
  return `fetching ${repository}: ${megabytes(received)} of ${megabytes(total)} MB${speed} (${path})`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
