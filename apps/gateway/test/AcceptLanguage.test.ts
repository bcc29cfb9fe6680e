import { assert, describe, it } from "@effect/vitest"
import * as AcceptLanguage from "../src/AcceptLanguage.ts"

describe("the language that a client reads", () => {
  const cases: ReadonlyArray<readonly [about: string, header: string | undefined, is: string | undefined]> = [
    ["is none where nothing is said", undefined, undefined],
    ["is none where nothing stands", "", undefined],
    ["is the only one", "de", "de"],
    ["is that of a country", "de-AT", "de"],
    ["is read in any case", "FR-ca", "fr"],
    ["is the first of equals", "es, fr", "es"],
    ["is the heaviest", "de;q=0.5, ar;q=0.9, en;q=0.1", "ar"],
    ["weighs one where no weight stands", "de;q=0.9, fr", "fr"],
    ["may have spaces", " de ; q=0.2 ,\tes ; q=0.3", "es"],
    ["is none that we do not write", "tlh, x-y, zh-Hant-TW", undefined],
    ["is the best that we write", "tlh, zh;q=0.9, es;q=0.1", "es"],
    ["is none that is refused", "de;q=0, en;q=0.0", undefined],
    ["is none where anything will do", "*", undefined],
    ["is none of a wrong weight", "de;q=2, fr;q=-1, es;q=x", undefined],
    ["is none in garbage", ";;,,;q=1,\u0000,=,de_AT,deutsch", undefined],
    ["is not looked for beyond what browsers send", `${"tlh,".repeat(20)}de`, undefined],
    ["is not looked for in a flood", `${"x".repeat(500)},de`, undefined],
    ["is found in front of a flood", `de,${"x".repeat(1_000_000)}`, "de"]
  ]
  for (const [about, header, is] of cases) {
    it(about, () => assert.strictEqual(AcceptLanguage.of(header), is))
  }
})
