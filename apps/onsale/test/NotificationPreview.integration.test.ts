import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { run } from "./OnsaleCommand.ts"

describe("onsale notifications preview", () => {
  it.live("prints a notice in a language, without any service", () =>
    Effect.gen(function* () {
      const german = yield* run(["notifications", "preview", "refunded", "--locale", "de"])
      assert.strictEqual(german.code, 0)
      assert.include(german.stdout, "Subject: Ihre Erstattung für Midnight Symphony")
      const sms = yield* run([
        "notifications",
        "preview",
        "HoldExpiring",
        "--locale",
        "ar",
        "--format",
        "sms"
      ])
      assert.match(sms.stdout, /\(UCS-2, \d+ units, \d segments?\)/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("writes a file each, and refuses a notice that is none", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const out = `${yield* fs.makeTempDirectoryScoped({ prefix: "onsale-preview-" })}/new`
      yield* run(["notifications", "preview", "HoldExpiring", "--out", out])
      assert.deepStrictEqual(
        (yield* fs.readDirectory(out)).sort(),
        ["ar", "de", "en", "es", "fr"].map((locale) => `HoldExpiring-1.${locale}.html`)
      )
      const wrong = yield* run(["notifications", "preview", "Nothing"])
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.stderr, "OrderConfirmed")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
