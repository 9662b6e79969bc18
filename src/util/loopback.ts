/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
}

/**
 * Whether a `Host` header, with or without a port, is a name by which a machine calls itself. A page of the web can
 * make a name of its own lead to this machine, but not one of these.
 */
export function namesThisMachine(hostHeader: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(hostHeader);
}
