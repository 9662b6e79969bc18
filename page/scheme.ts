import { useEffect, useState } from "preact/hooks";

export const SCHEMES = ["system", "light", "dark"] as const;
export type Scheme = (typeof SCHEMES)[number];

const KEY = "selftrain-scheme";

/** The chosen scheme, kept by the browser, and the one that is in force (which the system may change). */
export function useScheme(): { readonly chosen: Scheme; readonly inForce: string; readonly choose: (scheme: Scheme) => void } {
  const [chosen, choose] = useState<Scheme>(() => SCHEMES.find((scheme) => scheme === localStorage.getItem(KEY)) ?? "system");
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const listen = (): void => setDark(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  const inForce = chosen === "system" ? (dark ? "dark" : "light") : chosen;
  // Before the charts' effects, which read the colours.
  document.documentElement.dataset["theme"] = inForce;
  const keep = (scheme: Scheme): void => {
    localStorage.setItem(KEY, scheme);
    choose(scheme);
  };
  return { chosen, inForce, choose: keep };
}
