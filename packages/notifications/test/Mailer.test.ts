import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { timeouts } from "../src/Mailer.ts"
import { attemptLimit } from "../src/MailWorker.ts"

describe("Mailer", () => {
  it("a server that is silent at every stage is given up before the attempt is, and a lease lasts half a minute", () => {
    const silentMs = Object.values(timeouts).reduce((sum, ms) => sum + ms, 0)
    assert.isBelow(silentMs, Duration.toMillis(attemptLimit))
    assert.isAtMost(Duration.toSeconds(attemptLimit) * 1.25, 30)
  })
})
