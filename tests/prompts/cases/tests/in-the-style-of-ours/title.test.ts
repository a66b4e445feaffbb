import { expect, test } from "vitest";
import { title } from "../src/title";

test.each([
  ["", ""],
  ["a tale of two cities", "A Tale of Two Cities"],
])("title(%o) is %o", (given, expected) => {
  expect(title(given)).toBe(expected);
});
