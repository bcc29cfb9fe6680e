/** What the settings of several providers have in common. */
import { Config, Redacted } from "effect"

/** Secrets with commas between them: several while one is being replaced. */
export const secrets = (name: string): Config.Config<ReadonlyArray<Redacted.Redacted>> =>
  Config.Redacted(name).pipe(
    Config.map((all) =>
      Redacted.value(all)
        .split(",")
        .map((secret) => secret.trim())
        .filter((secret) => secret !== "")
        .map((secret) => Redacted.make(secret))
    )
  )

/** An URL without a slash at its end. */
export const base = (name: string): Config.Config<string> =>
  Config.URL(name).pipe(Config.map((url) => url.href.replace(/\/+$/, "")))
