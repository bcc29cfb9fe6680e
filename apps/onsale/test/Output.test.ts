import { assert, describe, it } from "@effect/vitest"
import { asJson, asText } from "../src/cli/Output.ts"

/** Moves the cursor, in both of the ways that terminals know. */
const steering = "a\u001b[2J\u009b1;1Hb\u0007\u007f"

describe("Output", () => {
  it("nothing of what is printed steers the terminal, and lines stay lines", () => {
    assert.strictEqual(asText(`${steering}\n\tc`), "a\ufffd[2J\ufffd1;1Hb\ufffd\ufffd\n\tc")
    const json = asJson({ name: steering })
    assert.notMatch(json.replaceAll("\n", ""), /\p{Cc}/u)
    assert.deepStrictEqual(JSON.parse(json), { name: steering })
  })
})
