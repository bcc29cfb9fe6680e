/** The keys of customers' tokens: the configured ones, or a secret of ours. */
import { Config, Effect, Option } from "effect"
import * as DataDir from "./DataDir.ts"

export const configured = Config.option(Config.Redacted("ONSALE_TOKEN_KEYS"))

export const tokenKeys = Effect.gen(function* () {
  const given = yield* configured
  return Option.isSome(given) ? given.value : (yield* DataDir.key("token")).value
})
