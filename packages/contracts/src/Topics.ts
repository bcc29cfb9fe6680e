/** What travels on the event bus, and who listens there. */

/** The contexts that tell of themselves. Their events are CloudEvents of the types `onsale.CONTEXT.EVENT`. */
export const contexts = ["catalog", "inventory", "booking", "payments"] as const
export type ContextName = (typeof contexts)[number]

export const topicOf = (context: ContextName): string => `onsale.${context}`
export const typeOf = (context: ContextName, tag: string): string => `onsale.${context}.${tag}`

/** The groups of this repository. They may not be renamed: a group that nobody runs holds its topics back. */
export const consumers: ReadonlyArray<{
  readonly group: string
  readonly topics: ReadonlyArray<ContextName>
}> = [
  { group: "notifications", topics: ["catalog", "booking"] },
  { group: "booking", topics: ["catalog", "payments"] }
]
