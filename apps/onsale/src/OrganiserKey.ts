/** The key of the organiser's routes: the configured one, or one of ours. */
import { OrganiserKeyBlank } from "@onsale/gateway/OrganiserAuth"
import { Config, Effect, Option, Redacted } from "effect"
import * as DataDir from "./DataDir.ts"

/** `made` where it was made now; `file` is empty where it is configured. An empty variable is one that is not set. */
export const organiserKey = Effect.gen(function* () {
  const configured = yield* Config.option(Config.Redacted("ONSALE_ORGANISER_KEY"))
  if (Option.isNone(configured)) return yield* DataDir.key("organiser")
  const { length } = Redacted.value(configured.value).trim()
  if (length === 0) return yield* new OrganiserKeyBlank({ message: "ONSALE_ORGANISER_KEY is blank" })
  if (length < DataDir.shortestKey) {
    yield* Effect.logWarning(
      `ONSALE_ORGANISER_KEY has ${length} characters: with fewer than ${DataDir.shortestKey} it can be guessed`
    )
  }
  return { value: configured.value, made: false, file: "" }
})
