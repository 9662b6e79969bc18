import { useEffect, useRef } from "preact/hooks";
import type { RunAbout, RunOverview } from "../src/watch/protocol.ts";
import { fetchAbout } from "./api.ts";
import { useRequest } from "./inspect/request.ts";

type Rows = readonly (readonly [name: string, value: string])[];

/** Where a run comes from: its state, what differs from the defaults, what was found on the machine, the complete config. A dialog that Escape closes. */
export function Details({ run, close }: { readonly run: RunOverview; readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const about = useRequest(run.id, run.state, (signal) => fetchAbout(run.id, signal));
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog class="details" ref={dialog} aria-labelledby="details-title" onClose={close}>
      <h2 id="details-title">{run.name}</h2>
      <button type="button" class="close" onClick={() => dialog.current!.close()}>Close</button>
      <Table caption="Standing" rows={standing(run, about.value)} />
      {about.error !== null && <p role="alert">{about.error}</p>}
      {about.value === null && about.error === null && <p class="empty">Reading…</p>}
      {about.value !== null && (
        <>
          <Table caption="Other than the default" rows={about.value.config.filter(([key]) => about.value!.chosen.includes(key))} />
          <Table caption="Found on the machine" rows={about.value.environment} />
          <details>
            <summary>Complete config ({about.value.config.length} keys)</summary>
            <Table caption="Config" rows={about.value.config} />
          </details>
        </>
      )}
    </dialog>
  );
}

function standing({ state, step, steps, health, note, model, reward, algorithm }: RunOverview, about: RunAbout | null): Rows {
  const engine = about?.config.find(([key]) => key === "engine.kind")?.[1];
  return [
    ["state", `${state}, ${step} of ${steps} steps`],
    ["verdict", health.text],
    ...(note === null ? [] : [["note", note] as const]),
    ["model", model],
    ["method", `${reward}, ${algorithm}`],
    ...(engine === undefined ? [] : [["engine", engine] as const]),
    ...(about === null ? [] : [["lies in", about.path] as const]),
  ];
}

function Table({ caption, rows }: { readonly caption: string; readonly rows: Rows }) {
  return (
    <table>
      <caption>{caption}</caption>
      <tbody>
        {rows.length === 0 && <tr><td class="empty">Nothing.</td></tr>}
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
