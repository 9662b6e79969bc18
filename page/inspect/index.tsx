import type { RunOverview } from "../../src/watch/protocol.ts";
import type { Address, Go } from "../address.ts";

export function Inspect({ runs }: { readonly runs: readonly RunOverview[]; readonly address: Address; readonly go: Go }) {
  return <p class="empty">{runs.length} runs.</p>;
}
