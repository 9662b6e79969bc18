import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { systemCode, systemReason } from "../util/system-error.ts";

/** How far the download of what a repository needs is. */
export interface DownloadProgress {
  /** `owner/name`. */
  readonly repository: string;
  /** The file that is on its way. */
  readonly path: string;
  /** Bytes that are here and bytes in all, over all files that were not in the cache. */
  readonly received: number;
  readonly total: number;
}

/** How the Hugging Face hub is reached, and where its files are kept. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly hubUrl: string;
  /** `null` leaves it to `tokenFile`. */
  readonly accessToken: string | null;
  /** File that holds the token, where there is one. */
  readonly tokenFile: string | null;
  /** Folder of downloaded files, in the layout of the hub's own tools. */
  readonly cacheDir: string;
  /** Whether only the cache may be used. */
  readonly offline: boolean;
  /** Is told of every part that arrives. */
  readonly progress?: (progress: DownloadProgress) => void;
  /** Is told what is odd, but no reason to stop. */
  readonly warn?: (message: string) => void;
  readonly fetch?: typeof fetch;
  /** Waits between attempts, in milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/**
 * How the hub is reached by the variables that its own tools read
 * (huggingface.co/docs/huggingface_hub/package_reference/environment_variables); empty ones count as absent.
 */
export function hubAccess(environment: Readonly<Record<string, string | undefined>>): HubAccess {
  const text = (...names: readonly string[]): string | null => names.map((name) => environment[name]?.trim()).find((value) => value) ?? null;
  const folder = (...names: readonly string[]): string | null => text(...names)?.replace(/^~(?=$|[/\\])/, homedir()) ?? null;
  const home = folder("HF_HOME") ?? join(folder("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  return {
    hubUrl: (text("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    accessToken: text("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    tokenFile: folder("HF_TOKEN_PATH") ?? join(home, "token"),
    cacheDir: folder("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    offline: /^(1|on|yes|true)$/i.test(text("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") ?? ""),
  };
}

/**
 * `fetch` with the token of the hub, which no other host gets: neither one that the hub names nor, by the
 * rules of `fetch` itself (fetch.spec.whatwg.org, HTTP-redirect fetch), one that it redirects to. Throws
 * UsageError when the token's file cannot be read.
 */
export function hubFetch(access: HubAccess): typeof fetch {
  const { hubUrl, fetch: send = fetch } = access;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const token = url.origin === new URL(hubUrl).origin ? await tokenOf(access) : null;
    if (token === null) return send(input, init);
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${token}`);
    return send(input, { ...init, headers });
  };
}

async function tokenOf({ accessToken, tokenFile }: HubAccess): Promise<string | null> {
  if (accessToken !== null || tokenFile === null) return accessToken;
  try {
    return (await readFile(tokenFile, "utf8")).trim() || null;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw new UsageError(`cannot read the hub's token in ${tokenFile}: ${systemReason(error) ?? String(error)}; mend the file or set HF_TOKEN.`, { cause: error });
  }
}
