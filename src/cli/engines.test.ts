import { describe, expect, it } from "vitest";
import { selftrain } from "../../test/e2e/command.ts";
import { listen } from "../../test/fake-connection.ts";
import { createFakeServer } from "../../test/fake-training-server.ts";

const folder = new URL("../..", import.meta.url).pathname;

describe("selftrain engines check", () => {
  it("makes a training step on a server, says what it found, and leaves nothing there", async () => {
    const server = createFakeServer({ tells: true, reduction: "mean", key: "tml-secret" });
    const { url, close } = await listen(server);
    const { code, stdout, stderr } = await selftrain(["engines", "check", "--url", `${url}/`, "--lora.rank", "8", "--json"], { folder, environment: { TINKER_API_KEY: "tml-secret" } });
    await close();
    expect([code, stderr]).toEqual([0, expect.stringContaining("losses are reduced by              their mean, which is undone")]);
    expect(stderr).toContain("it can be trained on");
    expect(stderr).not.toContain("tml-secret");
    expect(JSON.parse(stdout)).toMatchObject({ offered: { vocabularySize: 16 }, traits: { reduction: "mean", clips: true, ordered: true } });
    expect([server.models(), server.steps()]).toEqual([0, 1]);
  });

  it("fails on a server that does not learn", async () => {
    const server = createFakeServer({ tells: true });
    const still = (body: unknown) => ({ ...(body as object), adam_params: { learning_rate: 0, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0, grad_clip_norm: 1 } });
    const { url, close } = await listen({ ...server, handle: (method, path, body, key) => server.handle(method, path, path.endsWith("/optim_step") ? still(body) : body, key) });
    const { code, stdout, stderr } = await selftrain(["engines", "check", "--url", url, "--lora.rank", "8", "--json"], { folder });
    await close();
    expect([code, server.models()]).toEqual([1, 0]);
    expect(stderr).toContain(`selftrain: The training server at ${url} did not learn what was rewarded: it cannot be trained on.`);
    expect(JSON.parse(stdout)).toMatchObject({ rewarded: 0, others: 0 });
  });

  it("says in one sentence what is wrong with its flags or its server", async () => {
    const { url, close } = await listen(createFakeServer({ key: "another" }));
    for (const [parameters, exit, sentence] of [
      [[], 2, "selftrain: `engine.kind` is `tinker`, but `engine.url` is not given: name the training server, http://127.0.0.1:8000 say.\n"],
      [["--url", url], 1, `selftrain: the training server's GET ${url}/api/v1/get_server_capabilities was answered with status 401: the key [key] is not known. Set the environment variable TINKER_API_KEY to a key of this server.\n`],
    ] as const) {
      const { code, stderr } = await selftrain(["engines", "check", ...parameters], { folder, environment: { TINKER_API_KEY: "wrong" } });
      expect([code, stderr]).toEqual([exit, sentence]);
    }
    await close();
  });
});
