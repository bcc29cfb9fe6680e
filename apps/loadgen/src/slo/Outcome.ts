/** What a run of any kind came to, and where it is told: on the terminal, in JSON, as a page. */
import { Console, Effect, FileSystem, Option } from "effect"
import { machine } from "../Machine.ts"
import * as HtmlReport from "./HtmlReport.ts"
import type { Measured } from "./Measured.ts"
import type { Objective } from "./Objectives.ts"
import type { Plot } from "./Plots.ts"
import * as Profiles from "./Profiles.ts"
import type { ProfileSummary } from "./ProfileSummary.ts"
import type { SloOptions } from "./SloOptions.ts"
import * as SloReport from "./SloReport.ts"

export interface Outcome {
  readonly title: string
  readonly objectives: ReadonlyArray<Objective>
  readonly details: string
  /** Where processes were watched. */
  readonly measured: Measured | undefined
  readonly plots: ReadonlyArray<Plot>
  readonly figures: unknown
}

/** Prints it, and writes the files that were asked for. */
export const report = Effect.fn("Outcome.report")(function* (
  outcome: Outcome,
  profiles: ReadonlyArray<ProfileSummary>,
  about: string,
  { html, json }: Pick<SloOptions, "html" | "json">
) {
  const { figures, objectives, plots, title } = outcome
  const details =
    profiles.length === 0
      ? outcome.details
      : [outcome.details, "", Profiles.bound(profiles), "", Profiles.table(profiles)].join("\n")
  yield* Console.log(
    `# ${title}\n\n${objectives.length > 0 ? `${SloReport.table(objectives)}\n\n` : ""}${details}`
  )
  const fs = yield* FileSystem.FileSystem
  if (Option.isSome(json))
    yield* fs.writeFileString(
      json.value,
      JSON.stringify({ machine, title, objectives, figures, profiles }, null, 2)
    )
  if (Option.isSome(html))
    yield* fs.writeFileString(
      html.value,
      yield* HtmlReport.render({ title, machine: about, objectives, plots, details })
    )
})
