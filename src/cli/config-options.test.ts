import { Command } from "commander";
import { expect, it } from "vitest";
import { configKeys } from "../config/index.ts";
import { addConfigOptions, settingsOf } from "./config-options.ts";

const parse = (...flags: readonly string[]) => settingsOf(addConfigOptions(new Command()).parse(flags, { from: "user" }).opts());

it("makes every key of the config a flag", () => {
  const flags = configKeys.flatMap(({ name }) => [`--${name}`, "text"]);
  expect([...parse(...flags).keys()]).toEqual(configKeys.map(({ name }) => name));
});

it("reads numbers, and says where they come from", () => {
  expect(parse("--learning-rate", "2e-4", "--engine.threads=1", "--seed", "-1")).toEqual(
    new Map([
      ["seed", { value: -1, from: "flag --seed" }],
      ["engine.threads", { value: 1, from: "flag --engine.threads" }],
      ["learning-rate", { value: 2e-4, from: "flag --learning-rate" }],
    ]),
  );
});

it("documents every key with its default", () => {
  const help = addConfigOptions(new Command()).configureHelp({ helpWidth: 1000 }).helpInformation();
  for (const { name, description, default: usual } of configKeys) {
    const line = help.split("\n").find((candidate) => candidate.includes(` --${name} <`));
    expect(line, name).toContain(description);
    expect(line, name).toContain(usual === undefined ? "required)" : `default: ${usual === "" ? "none" : usual})`);
  }
});
