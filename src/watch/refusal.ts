/** What a client asked for can't be had: an HTTP status and one sentence. */
export class Refusal extends Error {
  readonly status: 400 | 403 | 404 | 422 | 503;
  constructor(status: Refusal["status"], message: string) {
    super(message);
    this.status = status;
  }
}
