export { hubAccess } from "./access.ts";
export type { DownloadProgress, HubAccess } from "./access.ts";
export { fetchSnapshot } from "./snapshot.ts";
